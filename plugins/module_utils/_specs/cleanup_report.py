# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of cleanup_report, written by tests/update_options.py from its documentation."""

from typing import Any, Dict

ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "results": {"type": "dict"},
    "run": {"type": "dict", "default": {}},
    "check_mode": {"type": "bool"},
    "dir": {"type": "path"},
    "command": {"type": "list", "elements": "str", "default": []},
    "role_variables": {"type": "bool", "default": False},
}
