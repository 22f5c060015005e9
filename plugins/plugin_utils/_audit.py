# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an auditor wants to know of a run, one event a line, as JSON. Pure.

A run that may remove something begins with a line of its own, which is there before anything is removed: whatever
becomes of the controller then, that trace stays. At the end comes one line for the run, then one for each host that had
a problem, each owner who is over a limit for one and each session that something was done to, or should have been; of
an owner who has too many to list, one with how many more. A run in check mode is one line, because nothing was done.
"""

import json
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import MARKED, NOT_DONE, REMOVED
from ansible_collections.fleet.tmux.plugins.plugin_utils._policies import in_force

Report = Mapping[str, Any]

_TOLD_OF = (REMOVED, MARKED, NOT_DONE)
_TOLD = (
    "owner",
    "name",
    "id",
    "socket",
    "reason",
    "detail",
    "idle",
    "created",
    "snapshot",
    "freed",
    "survivors",
    "more",
)

_PROBLEM = ("host", "status", "message", "remedy", "said")


def begun_line(
    run: Mapping[str, Any], version: str, hosts: Sequence[str], policies: Sequence[Mapping[str, Any]]
) -> str:
    """The line of a run that begins.

    :param run: its ``id`` and when it ``started``.
    :param policies: each with its ``hosts``, all of them.
    """
    event = {"time": run["started"], "run": run["id"], "event": "begun", "collection_version": version}
    return json.dumps(dict(event, hosts=list(hosts), policies=list(policies)))


def audit_lines(report: Report) -> List[str]:
    """The lines, without their ends. All are ASCII, so that no reader needs to know an encoding."""
    events = [_run(report)]
    if not report["run"]["check_mode"]:
        events += _over_limit(None, report["guard"])
        policies = {one["id"]: in_force(one["policy"]) for one in report["run"]["policies"]}
        for host in report["hosts"]:
            events += _of_host(host, policies.get(host["policy"]))
    moment, run = report["run"]["finished"], report["run"]["id"]
    return [json.dumps(dict({"time": moment, "run": run}, **event)) for event in events]


def _run(report: Report) -> Dict[str, Any]:
    run = {key: report["run"][key] for key in ("started", "check_mode", "collection_version")}
    hosts: Dict[str, List[str]] = {}
    for host in report["hosts"]:
        hosts.setdefault(host["policy"], []).append(host["host"])
    policies = [dict(one, hosts=hosts.get(one["id"], [])) for one in report["run"]["policies"]]
    return dict({"event": "run"}, **run, policies=policies, guard=report["guard"], totals=report["totals"])


def _of_host(host: Mapping[str, Any], policy: Optional[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """What happened on a host; what was done to a session comes with the policy that held there."""
    events: List[Dict[str, Any]] = []
    if host["status"] != "ok":
        events.append({"event": "host", **{key: host[key] for key in _PROBLEM}})
    events += _over_limit(host["host"], host)
    where = {"host": host["host"], "judged_at": host["judged_at"]}
    for session in host["sessions"]:
        if session["outcome"] in _TOLD_OF:
            told = {key: session[key] for key in _TOLD}
            events.append({"event": session["outcome"], **where, "policy": policy, **told})
    for one in host["unlisted"]:
        if any(one[outcome] for outcome in _TOLD_OF):
            told = {key: one[key] for key in ("owner", *_TOLD_OF)}
            events.append({"event": "unlisted", **where, "policy": policy, **told})
    return events


def _over_limit(host: Optional[str], part: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """Whose sessions stayed because there were too many of them: on a host, or on all together (None)."""
    return [{"event": "over_limit", "host": host, **one} for one in part["over_limit"]]
