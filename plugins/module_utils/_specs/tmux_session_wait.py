# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of tmux_session_wait, written by tests/update_options.py from its documentation."""

from typing import Any, Dict

ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "name": {"type": "list", "elements": "str", "required": True},
    "until": {"type": "str", "choices": ["ended", "gone"], "default": "ended"},
    "wait_for": {"type": "str"},
    "require": {"type": "str", "choices": ["all", "any"], "default": "all"},
    "wait_timeout": {"type": "str", "default": "1h"},
    "fail_on_timeout": {"type": "bool", "default": True},
    "content_lines": {"type": "int", "default": 100},
    "socket_name": {"type": "str"},
    "socket_path": {"type": "path"},
    "executable": {"type": "path"},
    "timeout": {"type": "str", "default": "10s"},
    "evidence_detail": {"type": "str", "choices": ["kind", "full"], "default": "kind"},
}
