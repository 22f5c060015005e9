# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports what became of all hosts. What it takes and returns stands in plugins/modules/cleanup_report.py."""

import uuid
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible.errors import AnsibleError
from ansible.module_utils.common.validation import check_type_list
from ansible_collections.fleet.tmux.plugins.module_utils._specs.cleanup_report import ARGUMENT_SPEC
from ansible_collections.fleet.tmux.plugins.plugin_utils._action import ControllerAction
from ansible_collections.fleet.tmux.plugins.plugin_utils._command import run as told_of
from ansible_collections.fleet.tmux.plugins.plugin_utils._command import unread, variables
from ansible_collections.fleet.tmux.plugins.plugin_utils._fleet import REPORT_COMMAND, Json, refused, returned, sources
from ansible_collections.fleet.tmux.plugins.plugin_utils._play import Play, version
from ansible_collections.fleet.tmux.plugins.plugin_utils._policies import sound
from ansible_collections.fleet.tmux.plugins.plugin_utils._publish import now, publish
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Run, report
from ansible_collections.fleet.tmux.plugins.plugin_utils._screen import paper
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import table as whole


class ActionModule(ControllerAction):
    """Nothing is sent to a host: this works on the controller, with what hosts have returned."""

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Json:
        result, options = self.begun(tmp, task_vars, ARGUMENT_SPEC)
        run, results, looks_only = options["run"], options["results"], options["check_mode"]
        if results is None:
            names = sources(run)
            results = returned(Play(self._task, self._templar, task_vars or {}).facts(names), names)
        if looks_only is None:
            looks_only = bool(self._task.check_mode or run.get("report_only"))
        made = report(results, _named(run, looks_only), run.get("guard"))
        shown = publish(made, options["dir"] or run.get("dir"), paper=paper()._replace(known=refused(run)))
        if not looks_only:
            shown.update(self._told(options, task_vars or {}, made, shown["files"]))
        return dict(result, **shown)

    def _told(self, options: Json, task_vars: Mapping[str, Any], made: Json, files: Sequence[str]) -> Json:
        """What became of telling the command of the report, which nothing of that can take away."""
        name = REPORT_COMMAND if options["role_variables"] else "command"
        try:
            command = self._command(options, task_vars)
        except (AnsibleError, TypeError) as error:
            told = unread(name, error)
        else:
            if not command:
                return {}
            told = told_of(command, whole(made), variables(made, files), name)
        return {"command": told, "warnings": [told["problem"]] if told["problem"] else []}

    def _command(self, options: Json, task_vars: Mapping[str, Any]) -> List[str]:
        """The command that is to be told; that of the role is not what any host has returned."""
        found = options["command"]
        if options["role_variables"]:
            found = Play(self._task, self._templar, task_vars).trusted(REPORT_COMMAND)
        words = [str(word) for word in check_type_list(found or [])]
        return words if any(words) else []


def _named(run: Mapping[str, Any], check_mode: bool) -> Run:
    begun = run.get("run") or {}
    return Run(
        id=str(begun.get("id") or uuid.uuid4()),
        started=str(begun["started"]) if begun.get("started") else None,
        finished=now(),
        check_mode=check_mode,
        collection_version=version(),
        policies=sound(run.get("policies")),
    )
