# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Begins a run over a fleet. What it takes and returns stands in plugins/modules/cleanup_begin.py."""

import uuid
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._specs.cleanup_begin import ARGUMENT_SPEC
from ansible_collections.fleet.tmux.plugins.plugin_utils._action import ControllerAction
from ansible_collections.fleet.tmux.plugins.plugin_utils._arguments import (
    OF_A_RUN,
    WHERE_THEY_ARE,
    Group,
    Problem,
    grouped,
    options_of,
    told,
    unknown,
    validated,
)
from ansible_collections.fleet.tmux.plugins.plugin_utils._audit import begun_line
from ansible_collections.fleet.tmux.plugins.plugin_utils._fleet import REPORT_DIR, FleetError, Json, begun
from ansible_collections.fleet.tmux.plugins.plugin_utils._play import Play, argument_specs, version
from ansible_collections.fleet.tmux.plugins.plugin_utils._policies import with_hosts
from ansible_collections.fleet.tmux.plugins.plugin_utils._publish import Unprepared, now, prepare
from ansible_collections.fleet.tmux.plugins.plugin_utils._question import asker


class ActionModule(ControllerAction):
    """Nothing is sent to a host."""

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Json:
        result, options = self.begun(tmp, task_vars, ARGUMENT_SPEC)
        try:
            groups = self._groups(task_vars or {}) if options["role_variables"] else []
            # Where hosts differ, it is that of the first.
            folder = options["dir"] or (groups[0].values.get(REPORT_DIR) if groups else None) or None
            # In check mode there is nothing to agree to.
            somebody = asker() is not None and options["role_variables"] and not self._task.check_mode
            run = begun(groups, {"id": str(uuid.uuid4()), "started": now()}, options["report_only"], somebody)
            name = "dir" if options["dir"] else REPORT_DIR
            prepare(folder, self._first_lines(run, task_vars or {}), name)
        except (FleetError, Unprepared) as error:
            return dict(result, failed=True, msg=str(error))
        return dict(result, changed=False, dir=folder, **run)

    def _first_lines(self, run: Json, task_vars: Mapping[str, Any]) -> List[str]:
        """Nothing is removed unrecorded: what is there before the first removal stays, whatever becomes of this run."""
        if self._task.check_mode or run["report_only"]:
            return []
        hosts = [str(host) for host in task_vars.get("ansible_play_hosts") or ()]
        return [begun_line(run["run"], version(), hosts, with_hosts(run["policies"], hosts))]

    def _groups(self, task_vars: Mapping[str, Any]) -> List[Group]:
        """The hosts by the values of their variables.

        :raises FleetError: when any of them could not be used; one message tells all.
        """
        play = Play(self._task, self._templar, task_vars)
        spec = options_of(argument_specs())
        values, names, problems = play.arguments(spec)
        groups, wrong = validated(grouped(values), spec)
        problems += unknown(names, {*spec, *OF_A_RUN}) + wrong
        if problems:
            raise FleetError(_refusal(problems, len(play.alive)))
        return groups


def _refusal(problems: List[Problem], hosts: int) -> str:
    return f"{told(problems, hosts)}\nNothing was begun. {WHERE_THEY_ARE}"
