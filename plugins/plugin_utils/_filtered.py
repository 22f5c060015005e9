# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a filter returns of a declaration that was read: its notes are warnings, its errors the filter's own."""

from typing import Callable

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display
from ansible_collections.fleet.tmux.plugins.plugin_utils._declared import Declared, DeclaredError, Json


def filtered(name: str, read: Callable[[], Declared]) -> Json:
    """What was read, for the filter of that name.

    :raises AnsibleFilterError: when it would become something else than is declared.
    """
    try:
        found, notes = read()
    except DeclaredError as error:
        raise AnsibleFilterError(f"{name}: {error}")
    for note in notes:
        Display().warning(f"{name}: {note}")
    return found
