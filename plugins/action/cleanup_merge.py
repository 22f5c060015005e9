# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes one report of several. What it takes and returns stands in plugins/modules/cleanup_merge.py."""

import uuid
from typing import Any, Dict, List, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._specs.cleanup_merge import ARGUMENT_SPEC
from ansible_collections.fleet.tmux.plugins.plugin_utils._action import ControllerAction
from ansible_collections.fleet.tmux.plugins.plugin_utils._collected import collected
from ansible_collections.fleet.tmux.plugins.plugin_utils._play import version
from ansible_collections.fleet.tmux.plugins.plugin_utils._publish import now, publish
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Json, ReportError, Run, merged
from ansible_collections.fleet.tmux.plugins.plugin_utils._screen import paper

_TOLD = 5
"""How many reports that could not be read are named in the message."""


class ActionModule(ControllerAction):
    """Nothing is sent to a host: reports are files of the controller."""

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Json:
        result, options = self.begun(tmp, task_vars, ARGUMENT_SPEC)
        this = Run(id=str(uuid.uuid4()), started=None, finished=now(), check_mode=False, collection_version=version())
        try:
            found = collected(options["reports"])
            if found.unread and not found.reports:
                raise ReportError(_told(found.unread))
            made = merged(list(found.reports.values()), this, found.unread)
        except ReportError as error:
            return dict(result, failed=True, msg=f"reports: {error}")
        shown = publish(made, options["dir"], logged=False, paper=paper())
        if found.unread:
            others = f"reports: {_told(found.unread)}. The others were merged"
            shown.update(failed=True, msg="; ".join([others, *([shown["msg"]] if "msg" in shown else [])]))
        return dict(result, unread=found.unread, **shown)


def _told(unread: List[Json]) -> str:
    more = len(unread) - _TOLD
    reasons = [str(one["reason"]) for one in unread[:_TOLD]]
    return "; ".join([*reasons, *([f"and {more} more"] if more > 0 else [])])
