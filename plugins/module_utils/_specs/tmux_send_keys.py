# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of tmux_send_keys, written by tests/update_options.py from its documentation."""

from typing import Any, Dict

ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "window": {"type": "str"},
    "pane": {"type": "str"},
    "text": {"type": "str"},
    "secret_text": {"type": "str", "no_log": True},
    "keys": {"type": "list", "elements": "str", "no_log": False},
    "enter": {"type": "bool", "default": False},
    "wait_for": {"type": "str"},
    "wait_for_after": {"type": "str"},
    "wait_timeout": {"type": "str", "default": "1m"},
    "socket_name": {"type": "str"},
    "socket_path": {"type": "path"},
    "executable": {"type": "path"},
    "timeout": {"type": "str", "default": "10s"},
    "evidence_detail": {"type": "str", "choices": ["kind", "full"], "default": "kind"},
}
