# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shows what was done on all hosts. What it takes and returns stands in plugins/modules/cleanup_show.py."""

from typing import Any, Dict, Mapping, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._specs.cleanup_show import ARGUMENT_SPEC
from ansible_collections.fleet.tmux.plugins.plugin_utils._action import ControllerAction
from ansible_collections.fleet.tmux.plugins.plugin_utils._fleet import RESULT, Json, returned
from ansible_collections.fleet.tmux.plugins.plugin_utils._play import Play, version
from ansible_collections.fleet.tmux.plugins.plugin_utils._publish import now
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Run, report
from ansible_collections.fleet.tmux.plugins.plugin_utils._screen import paper, say
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import table

_FAILED = {"failed": True, "msg": "a task failed; what it said stands before this report"}


class ActionModule(ControllerAction):
    """Nothing is sent to a host."""

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Json:
        result, options = self.begun(tmp, task_vars, ARGUMENT_SPEC)
        text = options["text"]
        if text is None:
            text = self._of_this_play(task_vars or {})
        return dict(result, changed=False, text=text, shown=say(text))

    def _of_this_play(self, task_vars: Mapping[str, Any]) -> str:
        """What the role has left on the hosts of this play."""
        play = Play(self._task, self._templar, task_vars)
        found = returned(play.facts([RESULT]), [RESULT])
        # With serial, those whose turn has not come yet have no result, and no problem either.
        begun = [host for host in play.every if found[host] or host in play.batch or host not in play.alive]
        results = {host: found[host] if host in play.alive else _FAILED for host in begun}
        run = Run("", None, now(), bool(self._task.check_mode), version())
        return table(report(results, run), paper())
