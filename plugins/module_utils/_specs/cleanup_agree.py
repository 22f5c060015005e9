# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of cleanup_agree, written by tests/update_options.py from its documentation."""

from typing import Any, Dict

ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "run": {"type": "dict"},
    "plans": {"type": "dict"},
    "max_removals": {"type": "int"},
    "max_percent": {"type": "float"},
    "max_removals_per_owner": {"type": "int"},
}
