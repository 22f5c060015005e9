# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges the plans of all hosts. What it takes and returns stands in plugins/modules/cleanup_agree.py."""

from typing import Any, Dict, Mapping, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.module_utils._modules.results import WARNINGS_LIMIT
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Limits
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import problems
from ansible_collections.fleet.tmux.plugins.module_utils._specs.cleanup_agree import ARGUMENT_SPEC
from ansible_collections.fleet.tmux.plugins.plugin_utils._action import ControllerAction
from ansible_collections.fleet.tmux.plugins.plugin_utils._fleet import (
    FLEET,
    LIMITS,
    PLAN,
    Json,
    agreed,
    besides,
    returned,
    to_be_asked,
)
from ansible_collections.fleet.tmux.plugins.plugin_utils._play import Play, version
from ansible_collections.fleet.tmux.plugins.plugin_utils._policies import sound
from ansible_collections.fleet.tmux.plugins.plugin_utils._publish import now
from ansible_collections.fleet.tmux.plugins.plugin_utils._question import agreed_to, asker
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Run, report
from ansible_collections.fleet.tmux.plugins.plugin_utils._screen import in_question
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import table


class ActionModule(ControllerAction):
    """Nothing is sent to a host."""

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Json:
        result, options = self.begun(tmp, task_vars, ARGUMENT_SPEC)
        wrong = problems({option: options[option] for option in LIMITS}, ())
        if wrong:
            return dict(result, failed=True, msg="; ".join(wrong))
        plans, run = options["plans"], options["run"]
        if plans is None:
            plans = returned(Play(self._task, self._templar, task_vars or {}).facts([PLAN]), [PLAN])
        limits = Limits(**{option: options[option] for option in LIMITS})
        if run is not None:
            limits = limits._replace(prefix=FLEET)
        done = _asked(agreed(run or {}, plans, limits), plans)
        said = [
            f"nothing of {shown(it['owner'])} may be removed: {it['message']}" for it in done["guard"]["over_limit"]
        ]
        return dict(result, changed=False, warnings=said[:WARNINGS_LIMIT], **done)


def _asked(run: Json, plans: Mapping[str, Any]) -> Json:
    """The run, when whoever started it has seen the plans: without their consent, it only reports."""
    this = run.get("run") or {}
    unfinished = Run(str(this.get("id")), this.get("started"), now(), True, version(), sound(run.get("policies")))
    made = report(plans, unfinished, run["guard"])
    if not to_be_asked(run, made["totals"]):
        return run
    return dict(run, report_only=not agreed_to(table(made, in_question(besides(run))), asker() or ""))
