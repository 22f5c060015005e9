# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of tmux_session_prune, written by tests/update_options.py from its documentation."""

from typing import Any, Dict

ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "idle": {"type": "str"},
    "older_than": {"type": "str"},
    "never_attached": {"type": "str"},
    "finished": {"type": "bool", "default": False},
    "activity": {"type": "str", "choices": ["any", "input", "output"], "default": "any"},
    "patterns": {"type": "list", "elements": "str", "default": []},
    "excludes": {"type": "list", "elements": "str", "default": []},
    "where": {"type": "dict"},
    "use_regex": {"type": "bool", "default": False},
    "protect": {
        "type": "list",
        "elements": "str",
        "choices": ["attached", "busy", "keep", "running", "stopped", "unsaved", "waiting"],
        "default": ["attached", "busy", "keep", "stopped", "unsaved", "waiting"],
    },
    "protect_for": {
        "type": "dict",
        "options": {"unsaved": {"type": "str"}, "waiting": {"type": "str"}, "stopped": {"type": "str"}},
    },
    "protect_commands": {"type": "list", "elements": "str", "default": []},
    "ignore_commands": {"type": "list", "elements": "str", "default": ["default"]},
    "attached_idle": {"type": "str"},
    "keep_newest": {"type": "int"},
    "veto_command": {"type": "list", "elements": "str", "default": []},
    "max_removals": {"type": "int"},
    "max_percent": {"type": "float"},
    "max_removals_per_owner": {"type": "int"},
    "notice": {"type": "str"},
    "notice_message": {"type": "str"},
    "notices_dir": {"type": "path"},
    "mail": {"type": "bool", "default": False},
    "notify_command": {"type": "list", "elements": "str", "default": []},
    "memory_dir": {"type": "path"},
    "snapshot_dir": {"type": "path"},
    "snapshot_colors": {"type": "bool", "default": False},
    "snapshot_keep": {
        "type": "dict",
        "options": {"count": {"type": "int"}, "age": {"type": "str"}, "size": {"type": "str"}},
    },
    "allow_no_snapshot": {"type": "bool", "default": False},
    "planned": {"type": "list", "elements": "str"},
    "planned_marks": {"type": "list", "elements": "str"},
    "survivors": {"type": "str", "choices": ["report", "terminate"], "default": "report"},
    "grace_period": {"type": "str", "default": "10s"},
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
