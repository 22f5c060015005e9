# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Patterns on names, always on the whole of one."""

import fnmatch
import re
from typing import Callable, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._policy.errors import OptionError

NAME_LIMIT = 1024
"""Characters of a name that patterns are tried on: some patterns take for ever on names that somebody made for that."""
Matcher = Callable[[str], bool]


def matcher(option: str, patterns: Sequence[str], use_regex: bool) -> Matcher:
    """Whether a name matches one of ``patterns`` in full.

    :raises OptionError: for a pattern that is no regular expression.
    """
    compiled = []
    for pattern in patterns:
        try:
            compiled.append(re.compile(pattern if use_regex else fnmatch.translate(pattern), re.DOTALL))
        except re.error as error:
            raise OptionError("%s: %r is no regular expression: %s" % (option, pattern, error))
    return lambda name: any(expression.fullmatch(name) is not None for expression in compiled)
