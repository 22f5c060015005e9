# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of top_show, written by tests/update_options.py from its documentation."""

from typing import Any, Dict

ARGUMENT_SPEC: Dict[str, Dict[str, Any]] = {
    "results": {"type": "dict"},
    "by": {"type": "str", "choices": ["cpu_time", "memory", "open_files", "processes"], "default": "memory"},
    "rows": {"type": "int", "default": 20},
}
