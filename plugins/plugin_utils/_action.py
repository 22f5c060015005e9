# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the actions that work on the controller have in common: nothing is sent to a host."""

from typing import Any, Dict, Mapping, Optional, Tuple

from ansible.plugins.action import ActionBase


class ControllerAction(ActionBase):
    """An action without a host."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def begun(
        self, tmp: Optional[str], task_vars: Optional[Dict[str, Any]], spec: Mapping[str, Any]
    ) -> Tuple[Dict[str, Any], Dict[str, Any]]:
        """The result to begin with, and the options of the task, held against an argument spec.

        :raises AnsibleError: when they do not fit.
        """
        result: Dict[str, Any] = ActionBase.run(self, tmp, task_vars)
        _validation, options = ActionBase.validate_argument_spec(self, spec)
        return result, options
