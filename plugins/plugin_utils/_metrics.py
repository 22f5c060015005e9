# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as metrics, in the text format of Prometheus 0.0.4. Pure.

Labels are hosts, owners and words of ours, never names of sessions: of those there is no end.
"""

import calendar
import re
import time
from collections import Counter
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import KEPT, OUTCOMES
from ansible_collections.fleet.tmux.plugins.module_utils._policy.durations import duration
from ansible_collections.fleet.tmux.plugins.module_utils._policy.errors import OptionError
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import STATUSES

DURATIONS = ("idle", "older_than", "never_attached", "attached_idle", "notice")
"""The options of a policy that say how long."""

Report = Mapping[str, Any]
Sample = Tuple[Dict[str, str], Optional[float]]


class _Family(NamedTuple):
    """Some samples of one kind; those without a value are left out."""

    name: str
    help: str
    samples: Iterable[Sample]


def metrics(report: Report, before: str = "") -> str:
    """The text of all metrics; every one is a gauge, as it was after the run.

    ``before``: the text of the run before. When this one was to remove nothing, the last that was not is told on.
    """
    return "".join(_family(family) for family in _families(report, before))


def _families(report: Report, before: str) -> List[_Family]:
    run, totals = report["run"], report["totals"]
    hosts = [host for host in report["hosts"] if host["scope"] is not None]  # of the others nothing is known
    every = report["hosts"]
    return [
        _Family("last_run_timestamp_seconds", "When the report was made.", [({}, _epoch(run["finished"]))]),
        _Family(
            "last_cleanup_timestamp_seconds",
            "When something was last allowed to be removed.",
            [({}, _last(report, before))],
        ),
        _Family("last_run_duration_seconds", "How long the run took.", [({}, _took(run))]),
        _Family("check_mode", "Whether it was check mode: what follows would be done.", [({}, run["check_mode"])]),
        _Family("guard_stopped", "Whether the limit for the fleet stopped it.", [({}, report["guard"]["stopped"])]),
        _Family("hosts", "Hosts by what became of them.", [({"status": word}, totals[word]) for word in STATUSES]),
        _Family("host_ok", "Whether a host gave a result.", _each(every, lambda host: host["status"] == "ok")),
        _Family("host_policy", "Which policy a host has: its id in report.json.", _policies(every)),
        _Family("host_policy_seconds", "Durations in the policy of a host.", _durations(report)),
        _Family("sessions", "Sessions by what became of them.", _outcomes(hosts)),
        _Family("kept_sessions", "Sessions that stay, by reason.", _reasons(hosts)),
        _Family("owner_sessions", "Sessions of a user on all hosts.", _owners(report["owners"])),
        _Family("owner_over_limit_sessions", "Sessions of a user over a limit: too many to go.", _over_limit(report)),
        _Family("oldest_idle_seconds", "Longest idle, still there.", _each(hosts, lambda host: host["oldest_idle"])),
        _Family("freed_bytes", "Resident memory of what ended.", _each(hosts, lambda host: host["freed"]["bytes"])),
        _Family("freed_processes", "Processes that ended.", _each(hosts, lambda host: host["freed"]["processes"])),
        _Family("survivors", "Processes that outlived their session.", _each(hosts, _survivors)),
        _Family("servers", "tmux servers by state.", _servers(hosts)),
    ]


def _last(report: Report, before: str) -> Optional[int]:
    if not (report["run"]["check_mode"] or report["guard"]["stopped"]):
        return _epoch(report["run"]["finished"])
    found = re.search(r"^tmux_cleanup_last_cleanup_timestamp_seconds (\d{1,18})$", before, re.ASCII | re.MULTILINE)
    return int(found.group(1)) if found else None


def _of(host: Mapping[str, Any], **labels: str) -> Dict[str, str]:
    return {"host": host["host"], **labels}


def _each(hosts: Iterable[Mapping[str, Any]], value: Callable[[Mapping[str, Any]], Optional[float]]) -> List[Sample]:
    return [(_of(host), value(host)) for host in hosts]


def _policies(hosts: Iterable[Mapping[str, Any]]) -> List[Sample]:
    return [(_of(host, policy=host["policy"]), 1) for host in hosts if host["policy"] is not None]


def _durations(report: Report) -> List[Sample]:
    """So that a graph can show, beside how long sessions are idle, how long they may be."""
    policies = {one["id"]: one["policy"] for one in report["run"]["policies"]}
    held = [(host, policies.get(host["policy"], {})) for host in report["hosts"]]
    return [
        (_of(host, option=option), _seconds(policy[option]))
        for host, policy in held
        for option in DURATIONS
        if policy.get(option)
    ]


def _seconds(value: Any) -> Optional[int]:
    try:
        return duration("", value, zero=True)
    except OptionError:
        return None


def _outcomes(hosts: Iterable[Mapping[str, Any]]) -> List[Sample]:
    return [(_of(host, outcome=outcome), host["counts"][outcome]) for host in hosts for outcome in OUTCOMES]


def _owners(owners: Iterable[Mapping[str, Any]]) -> List[Sample]:
    return [({"owner": owner["owner"], "outcome": outcome}, owner[outcome]) for owner in owners for outcome in OUTCOMES]


def _over_limit(report: Report) -> List[Sample]:
    found: Dict[str, int] = {}
    for part in (*report["hosts"], report["guard"]):
        for one in part["over_limit"]:
            found[one["owner"]] = found.get(one["owner"], 0) + one["removals"]
    return [({"owner": owner}, found[owner]) for owner in sorted(found)]


def _reasons(hosts: Iterable[Mapping[str, Any]]) -> List[Sample]:
    found: List[Sample] = []
    for host in hosts:
        reasons = Counter(session["reason"] for session in host["sessions"] if session["outcome"] == KEPT)
        found += [(_of(host, reason=reason), reasons[reason]) for reason in sorted(reasons)]
    return found


def _servers(hosts: Iterable[Mapping[str, Any]]) -> List[Sample]:
    found: List[Sample] = []
    for host in hosts:
        statuses = Counter(server["status"] for server in host["servers"])
        found += [(_of(host, status=status), statuses[status]) for status in sorted(statuses)]
    return found


def _survivors(host: Mapping[str, Any]) -> int:
    return sum(len(session["survivors"]) + session["more"]["survivors"] for session in host["sessions"])


def _took(run: Mapping[str, Any]) -> Optional[float]:
    started, finished = _epoch(run["started"]), _epoch(run["finished"])
    return None if started is None or finished is None else max(0, finished - started)


def _epoch(moment: Optional[str]) -> Optional[int]:
    return calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%SZ")) if moment else None


def _family(family: _Family) -> str:
    name = "tmux_cleanup_" + family.name
    lines = ["%s%s %d\n" % (name, _labels(labels), value) for labels, value in family.samples if value is not None]
    return "# HELP %s %s\n# TYPE %s gauge\n%s" % (name, family.help, name, "".join(lines)) if lines else ""


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{%s}" % ",".join('%s="%s"' % (name, _escaped(value)) for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
