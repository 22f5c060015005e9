# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an auditor wants to know of a run, one event a line, as JSON. Pure.

One line for the run, then one for each host that had a problem and each session that something was done to. A run in
check mode is one line, because nothing was done.
"""

import json
from typing import Any, Dict, List, Mapping

Report = Mapping[str, Any]

_DONE = ("removed", "marked", "failed")
_TOLD = ("owner", "name", "id", "socket", "reason", "detail", "idle", "created", "snapshot", "freed", "survivors")


def audit_lines(report: Report) -> List[str]:
    """The lines, without their ends. All are ASCII, so that no reader needs to know an encoding."""
    events = [_run(report)]
    if not report["run"]["check_mode"]:
        for host in report["hosts"]:
            events += _of_host(host)
    moment, run = report["run"]["finished"], report["run"]["id"]
    return [json.dumps(dict({"time": moment, "run": run}, **event)) for event in events]


def _run(report: Report) -> Dict[str, Any]:
    run = {key: report["run"][key] for key in ("started", "check_mode", "collection_version", "policy")}
    return dict({"event": "run"}, **run, guard=report["guard"], totals=report["totals"])


def _of_host(host: Mapping[str, Any]) -> List[Dict[str, Any]]:
    events: List[Dict[str, Any]] = []
    if host["status"] != "ok":
        events.append({"event": "host", "host": host["host"], "status": host["status"], "message": host["message"]})
    for session in host["sessions"]:
        if session["outcome"] in _DONE:
            told = {key: session[key] for key in _TOLD}
            events.append({"event": session["outcome"], "host": host["host"], "judged_at": host["judged_at"], **told})
    return events
