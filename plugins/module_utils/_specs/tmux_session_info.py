# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of tmux_session_info, written by tests/update_options.py from its documentation."""

from typing import Any, Dict

ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "name": {"type": "list", "elements": "str"},
    "include": {
        "type": "list",
        "elements": "str",
        "choices": ["activity", "content", "declaration", "panes", "processes", "resources", "windows"],
        "default": [],
    },
    "content_lines": {"type": "int", "default": 100},
    "leak_above": {
        "type": "dict",
        "options": {
            "cpu_time": {"type": "str"},
            "memory": {"type": "str"},
            "open_files": {"type": "int"},
            "processes": {"type": "int"},
        },
    },
    "socket_name": {"type": "str"},
    "socket_path": {"type": "path"},
    "executable": {"type": "path"},
    "timeout": {"type": "str", "default": "10s"},
    "evidence_detail": {"type": "str", "choices": ["kind", "full"], "default": "kind"},
    "all_users": {"type": "bool", "default": False},
    "users": {"type": "list", "elements": "str"},
    "exclude_users": {"type": "list", "elements": "str", "default": []},
    "recover_sockets": {"type": "bool", "default": False},
    "failed_servers": {"type": "str", "choices": ["warn", "fail", "ignore"], "default": "warn"},
}
