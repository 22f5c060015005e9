# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of tmux_session, written by tests/update_options.py from its documentation."""

from typing import Any, Dict

ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "name": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent", "only", "completed"], "default": "present"},
    "rerun": {"type": "bool", "default": False},
    "wait_timeout": {"type": "str", "default": "1h"},
    "fail_on_timeout": {"type": "bool", "default": True},
    "fail_on_status": {"type": "bool", "default": True},
    "content_lines": {"type": "int", "default": 100},
    "cleanup": {
        "type": "dict",
        "options": {
            "log": {"type": "str", "choices": ["keep", "remove"], "default": "keep"},
            "files": {"type": "list", "elements": "str", "default": []},
        },
    },
    "jobs_dir": {"type": "str", "default": "default"},
    "command": {"type": "str"},
    "argv": {"type": "list", "elements": "str"},
    "chdir": {"type": "str"},
    "env": {"type": "dict", "no_log": True},
    "width": {"type": "int"},
    "height": {"type": "int"},
    "window_name": {"type": "str"},
    "windows": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str"},
            "command": {"type": "str"},
            "argv": {"type": "list", "elements": "str"},
            "chdir": {"type": "str"},
            "env": {"type": "dict", "no_log": True},
            "log": {"type": "str"},
            "panes": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "command": {"type": "str"},
                    "argv": {"type": "list", "elements": "str"},
                    "chdir": {"type": "str"},
                    "env": {"type": "dict", "no_log": True},
                    "title": {"type": "str"},
                    "focus": {"type": "bool", "default": False},
                    "log": {"type": "str"},
                },
            },
            "layout": {"type": "str"},
            "options": {"type": "dict"},
            "focus": {"type": "bool", "default": False},
        },
    },
    "keep_exited": {"type": "bool"},
    "options": {"type": "dict"},
    "log": {"type": "str"},
    "log_max_size": {"type": "str"},
    "recreate": {"type": "str", "choices": ["never", "on_drift", "always"], "default": "never"},
    "prune_windows": {"type": "bool", "default": False},
    "snapshot_dir": {"type": "path"},
    "snapshot": {"type": "path"},
    "snapshot_owner": {"type": "str"},
    "restore_commands": {"type": "bool", "default": False},
    "survivors": {"type": "str", "choices": ["report", "terminate"], "default": "report"},
    "grace_period": {"type": "str", "default": "10s"},
    "scope": {"type": "str", "choices": ["none", "user", "system"], "default": "none"},
    "linger": {"type": "bool", "default": False},
    "socket_name": {"type": "str"},
    "socket_path": {"type": "path"},
    "executable": {"type": "path"},
    "timeout": {"type": "str", "default": "10s"},
    "evidence_detail": {"type": "str", "choices": ["kind", "full"], "default": "kind"},
}
