# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows the largest and oldest sessions. What it takes and returns stands in plugins/modules/top_show.py."""

import time
from typing import Any, Dict, Mapping, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._specs.top_show import ARGUMENT_SPEC
from ansible_collections.fleet.tmux.plugins.plugin_utils._action import ControllerAction
from ansible_collections.fleet.tmux.plugins.plugin_utils._fleet import Json, returned
from ansible_collections.fleet.tmux.plugins.plugin_utils._play import Play
from ansible_collections.fleet.tmux.plugins.plugin_utils._screen import paper, say
from ansible_collections.fleet.tmux.plugins.plugin_utils._top import RESULT, top

_FAILED = {"failed": True, "msg": "a task failed; what it said stands before this"}


class ActionModule(ControllerAction):
    """Nothing is sent to a host."""

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Json:
        result, options = self.begun(tmp, task_vars, ARGUMENT_SPEC)
        if options["rows"] < 1:
            return dict(result, failed=True, msg="rows: %d is less than 1" % options["rows"])
        results = options["results"]
        if results is None:
            results = self._of_this_play(task_vars or {})
        text, problems = top(results, int(time.time()), options["by"], options["rows"], paper())
        return dict(result, changed=False, text=text, shown=say(text), problems=problems)

    def _of_this_play(self, task_vars: Mapping[str, Any]) -> Dict[str, Any]:
        """What the playbook has left on the hosts of this play."""
        play = Play(self._task, self._templar, task_vars)
        found = returned(play.facts([RESULT]), [RESULT])
        return {host: found[host] if host in play.alive else _FAILED for host in play.every}
