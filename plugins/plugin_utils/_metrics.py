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
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.plugin_utils._report import COUNTED, STATUSES

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
        _Family("hosts", "Hosts by what became of them.", [({"status": it}, totals[it]) for it in STATUSES]),
        _Family("host_ok", "Whether a host gave a result.", [(_of(it), it["status"] == "ok") for it in every]),
        _Family("sessions", "Sessions by what became of them.", _outcomes(hosts)),
        _Family("kept_sessions", "Sessions that stay, by reason.", _reasons(hosts)),
        _Family("owner_sessions", "Sessions of a user on all hosts.", _owners(report["owners"])),
        _Family("oldest_idle_seconds", "Longest idle, still there.", [(_of(it), it["oldest_idle"]) for it in hosts]),
        _Family("freed_bytes", "Resident memory of what ended.", [(_of(it), it["freed"]["bytes"]) for it in hosts]),
        _Family("freed_processes", "Processes that ended.", [(_of(it), it["freed"]["processes"]) for it in hosts]),
        _Family("survivors", "Processes that outlived their session.", [(_of(it), _survivors(it)) for it in hosts]),
        _Family("servers", "tmux servers by state.", _servers(hosts)),
    ]


def _last(report: Report, before: str) -> Optional[int]:
    if not (report["run"]["check_mode"] or report["guard"]["stopped"]):
        return _epoch(report["run"]["finished"])
    found = re.search(r"^tmux_cleanup_last_cleanup_timestamp_seconds (\d{1,18})$", before, re.ASCII | re.MULTILINE)
    return int(found.group(1)) if found else None


def _of(host: Mapping[str, Any], **labels: str) -> Dict[str, str]:
    return {"host": host["host"], **labels}


def _outcomes(hosts: Iterable[Mapping[str, Any]]) -> List[Sample]:
    return [(_of(host, outcome=outcome), host["counts"][key]) for host in hosts for outcome, key in COUNTED.items()]


def _owners(owners: Iterable[Mapping[str, Any]]) -> List[Sample]:
    return [({"owner": it["owner"], "outcome": outcome}, it[key]) for it in owners for outcome, key in COUNTED.items()]


def _reasons(hosts: Iterable[Mapping[str, Any]]) -> List[Sample]:
    found: List[Sample] = []
    for host in hosts:
        reasons = Counter(session["reason"] for session in host["sessions"] if session["outcome"] == "kept")
        found += [(_of(host, reason=reason), reasons[reason]) for reason in sorted(reasons)]
    return found


def _servers(hosts: Iterable[Mapping[str, Any]]) -> List[Sample]:
    found: List[Sample] = []
    for host in hosts:
        statuses = Counter(server["status"] for server in host["servers"])
        found += [(_of(host, status=status), statuses[status]) for status in sorted(statuses)]
    return found


def _survivors(host: Mapping[str, Any]) -> int:
    return sum(len(session["survivors"]) for session in host["sessions"])


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
