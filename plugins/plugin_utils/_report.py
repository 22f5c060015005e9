# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a fleet: what all hosts returned, in the shape of ``docs/report.schema.json``.

Pure. What the hosts returned is not trusted to have any shape: a host that failed early has little, and a key that is
missing is nothing. Whatever is made of a report (table, page, metrics, audit) is made of this and nothing else.
"""

import datetime
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

SCHEMA = "fleet.tmux/cleanup-report"
SCHEMA_VERSION = "1.0"

Json = Dict[str, Any]

_OUTCOMES = (("removed", "removed"), ("marked", "marked"), ("kept", "kept"), ("failures", "failed"))
"""The lists of a result, and what became of the sessions in each."""
COUNTED = {outcome: key for key, outcome in _OUTCOMES}
"""For an outcome, the word under which it is counted."""
_OTHER_COUNTS = ("not_matched", "servers")
_SCOPES = ("host", "own", "socket")
STATUSES = ("ok", "failed", "unreachable", "missing")
WELL_SERVERS = ("ok", "absent")


class ReportError(ValueError):
    """Something that no report can be made of; the message says what, and what to do."""


class Run(NamedTuple):
    """Which run it was. Times are UTC in ISO 8601; ``started`` is None where nobody noted it, and so is ``policy``."""

    id: str
    started: Optional[str]
    finished: str
    check_mode: bool
    collection_version: str
    policy: Optional[Json] = None


NO_GUARD: Json = {
    "max_removals": None,
    "max_percent": None,
    "planned": None,
    "looked_at": None,
    "stopped": False,
    "message": "",
}


def report(results: Mapping[str, Any], run: Run, guard: Optional[Mapping[str, Any]] = None) -> Json:
    """The report of one run, of what each host returned."""
    judged = {key: (guard or {}).get(key, value) for key, value in NO_GUARD.items()}
    hosts = [_read_host(str(name), result) for name, result in results.items()]
    if judged["stopped"]:
        hosts = [_stopped(host) for host in hosts]
    return _complete(dict(run._asdict(), merged=[]), judged, hosts)


def _complete(run: Json, guard: Json, hosts: Sequence[Json]) -> Json:
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "run": run,
        "guard": guard,
        "totals": _totals(hosts),
        "owners": _owners(hosts),
        "hosts": list(hosts),
    }


# --- one host ---------------------------------------------------------------------------------------------------------


def _read_host(name: str, result: Any) -> Json:
    """What a host returned; one whose result makes no sense must not cost the others their report."""
    try:
        return _host(name, result if isinstance(result, Mapping) else {})
    except Exception as error:
        return _host(name, {"failed": True, "msg": "its result could not be read: %r" % error})


def _host(name: str, result: Mapping[str, Any]) -> Json:
    sessions = [_session(item, outcome) for key, outcome in _OUTCOMES for item in _items(result, key)]
    status, message = _status(result)
    scope = result.get("scope")
    host = {
        "host": name,
        "status": status,
        "message": message,
        "scope": str(scope) if scope in _SCOPES and "counts" in result else None,
        "judged_at": iso_time(_number(result.get("judged_at"))),
        "counts": {key: _number(_part(result, "counts").get(key)) or 0 for key in _OTHER_COUNTS},
        "servers": [_server(item) for item in _items(result, "servers")],
        "sessions": sessions,
    }
    return _counted(host)


def _status(result: Mapping[str, Any]) -> Tuple[str, str]:
    if result.get("unreachable"):
        return "unreachable", _message(result)
    if result.get("failed"):
        return "failed", _message(result)
    return ("ok", "") if "counts" in result else ("missing", "there is no result")


def _message(result: Mapping[str, Any]) -> str:
    return " ".join(str(result.get("msg") or "no message").split())


def _session(item: Mapping[str, Any], outcome: str) -> Json:
    return {
        "outcome": outcome,
        "owner": _text(item.get("owner")),
        "name": _text(item.get("name")),
        "id": _text(item.get("id")),
        "socket": _text(item.get("socket")),
        "reason": _text(item.get("reason")),
        "detail": _text(item.get("detail")),
        "idle": _number(item.get("idle")),
        "created": _number(_part(item, "evidence").get("created")),
        "snapshot": _text(item["snapshot"]) if item.get("snapshot") else None,
        "freed": _size(item.get("freed")),
        "survivors": [_survivor(process) for process in _items(item, "survivors")],
        "lives_on": [_window(window) for window in _items(item, "lives_on")],
    }


def _survivor(process: Mapping[str, Any]) -> Json:
    return {
        "pid": _number(process.get("pid")) or 0,
        "command": _text(process.get("command")),
        "rss": _number(process.get("rss")) or 0,
        "ports": [port for port in map(_number, _list(process, "ports")) if port is not None],
        "result": _text(process.get("result")),
    }


def _window(window: Mapping[str, Any]) -> Json:
    return {
        "window": _text(window.get("window")),
        "name": _text(window.get("name")),
        "sessions": [_text(name) for name in _list(window, "sessions")],
    }


def _server(item: Mapping[str, Any]) -> Json:
    return {
        "owner": _text(item.get("owner")),
        "socket": _text(item.get("socket")),
        "status": _text(item.get("status")),
        "reason": _text(item.get("reason")),
        "version": _text(item["version"]) if item.get("version") else None,
    }


def _stopped(host: Json) -> Json:
    """The host as it is when the fleet-wide guard let nobody do anything: the plan, and nothing done."""
    return _counted(dict(host, sessions=[_spared(session) for session in host["sessions"]]))


def _spared(session: Json) -> Json:
    if session["outcome"] not in ("removed", "marked"):
        return session
    detail = "not done, because of the limit for the fleet; %s" % session["detail"]
    return dict(
        session,
        outcome="kept",
        reason="guard",
        detail=detail,
        snapshot=None,
        freed=_size(None),
        survivors=[],
        lives_on=[],
    )


# --- sums -------------------------------------------------------------------------------------------------------------


def _counted(host: Json) -> Json:
    """The host with what is counted of its sessions."""
    sessions = host["sessions"]
    counts = dict(_outcomes(sessions), **{key: host["counts"][key] for key in _OTHER_COUNTS})
    return dict(host, counts=counts, freed=_freed(sessions), oldest_idle=_oldest(sessions))


def _outcomes(sessions: Sequence[Json]) -> Dict[str, int]:
    counts = {"looked_at": len(sessions), **{key: 0 for key, _outcome in _OUTCOMES}}
    for session in sessions:
        counts[COUNTED[session["outcome"]]] += 1
    return counts


def _freed(sessions: Iterable[Json]) -> Dict[str, int]:
    sizes = [session["freed"] for session in sessions]
    return {unit: sum(size[unit] for size in sizes) for unit in ("processes", "bytes")}


def _oldest(sessions: Iterable[Json]) -> Optional[int]:
    """Seconds that the session which was idle longest has been so, of those that are still there."""
    idle = [it["idle"] for it in sessions if it["outcome"] != "removed" and it["idle"] is not None]
    return max(idle) if idle else None


def _totals(hosts: Sequence[Json]) -> Json:
    sessions = [session for host in hosts for session in host["sessions"]]
    freed = _freed(sessions)
    return {
        "hosts": len(hosts),
        **{status: sum(1 for host in hosts if host["status"] == status) for status in STATUSES},
        **_outcomes(sessions),
        **{key: sum(host["counts"][key] for host in hosts) for key in _OTHER_COUNTS},
        "survivors": sum(len(session["survivors"]) for session in sessions),
        "freed_processes": freed["processes"],
        "freed_bytes": freed["bytes"],
        "oldest_idle": _oldest(sessions),
    }


def _owners(hosts: Sequence[Json]) -> List[Json]:
    sessions: Dict[str, List[Json]] = {}
    places: Dict[str, int] = {}
    for host in hosts:
        for session in host["sessions"]:
            sessions.setdefault(session["owner"], []).append(session)
        for owner in {session["owner"] for session in host["sessions"]}:
            places[owner] = places.get(owner, 0) + 1
    return [_owner(owner, places[owner], sessions[owner]) for owner in sorted(sessions)]


def _owner(owner: str, hosts: int, sessions: Sequence[Json]) -> Json:
    freed = _freed(sessions)
    return {
        "owner": owner,
        "hosts": hosts,
        **_outcomes(sessions),
        "freed_processes": freed["processes"],
        "freed_bytes": freed["bytes"],
        "oldest_idle": _oldest(sessions),
    }


# --- many reports -----------------------------------------------------------------------------------------------------


def merged(reports: Sequence[Mapping[str, Any]], run: Run) -> Json:
    """One report of several, as those of the slices of one job, or of a run and of what was run again after it.

    Of a host that is in several, the newest counts, and whatever was removed there before it: that is not undone by
    looking again.

    :raises ReportError: for what is no such report, and for reports of checks among those of runs.
    """
    if not reports:
        raise ReportError("there is no report to merge")
    for one in reports:
        require_report(one)
    modes = {bool(one["run"]["check_mode"]) for one in reports}
    if len(modes) > 1:
        raise ReportError("some reports are of check mode and some are not; what was done and what would be is no sum")
    in_time = sorted(reports, key=lambda one: str(one["run"]["finished"]))
    hosts: Dict[str, Json] = {}
    for one in in_time:
        for host in one["hosts"]:
            hosts[host["host"]] = _newer(hosts.get(host["host"]), dict(host), modes == {True})
    runs = {it["id"]: it for one in in_time for it in _runs(one)}
    started = [it["started"] for it in runs.values() if it["started"] is not None]
    whole = run._replace(
        started=min(started) if started else None,
        finished=max(it["finished"] for it in runs.values()),
        check_mode=modes == {True},
        policy=_same([it["run"] for it in in_time], "policy"),
    )
    guard = _guards([it["guard"] for it in runs.values()])
    return _complete(dict(whole._asdict(), merged=list(runs.values())), guard, list(hosts.values()))


def require_report(it: Any) -> None:
    """:raises ReportError: for what is no report, or is one of a later age."""
    if not isinstance(it, Mapping) or it.get("schema") != SCHEMA:
        raise ReportError("this is no report of fleet.tmux (its schema is not %s)" % SCHEMA)
    version = str(it.get("schema_version"))
    if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise ReportError("its schema_version is %s, this collection reads %s" % (version, SCHEMA_VERSION))
    missing = [key for key in ("run", "guard", "totals", "owners", "hosts") if key not in it]
    if missing:
        raise ReportError("it has no %s" % ", ".join(missing))


def _newer(before: Optional[Json], host: Json, check_mode: bool) -> Json:
    if before is None or check_mode:
        return host
    removed = {_place(it) for it in host["sessions"] if it["outcome"] == "removed"}
    gone = {_place(it): it for it in before["sessions"] if it["outcome"] == "removed" and _place(it) not in removed}
    # Who looked later, or at the same time, may have seen it vanish.
    others = [it for it in host["sessions"] if _place(it) not in gone]
    return _counted(dict(host, sessions=list(gone.values()) + others))


def _place(session: Json) -> Tuple[Any, ...]:
    """What tells the sessions of a host apart: ids begin anew with each server of a socket."""
    return session["socket"], session["id"], session["created"]


def _runs(one: Mapping[str, Any]) -> List[Json]:
    own = dict({key: one["run"][key] for key in ("id", "started", "finished")}, guard=one["guard"])
    return list(one["run"].get("merged") or []) or [own]


def _guards(guards: Sequence[Mapping[str, Any]]) -> Json:
    """The guards of several runs: they were stopped if each of them was, and it is said if some were."""
    stopped = [guard for guard in guards if guard["stopped"]]
    message = "; ".join(dict.fromkeys(guard["message"] for guard in stopped))
    if 0 < len(stopped) < len(guards):
        message = "%d of %d runs were stopped: %s" % (len(stopped), len(guards), message)
    return {
        "max_removals": _same(guards, "max_removals"),
        "max_percent": _same(guards, "max_percent"),
        "planned": _whole(guards, "planned"),
        "looked_at": _whole(guards, "looked_at"),
        "stopped": len(stopped) == len(guards),
        "message": message,
    }


def _same(guards: Sequence[Mapping[str, Any]], key: str) -> Any:
    values = [guard.get(key) for guard in guards]
    return values[0] if all(value == values[0] for value in values) else None


def _whole(guards: Sequence[Mapping[str, Any]], key: str) -> Optional[int]:
    known = [guard[key] for guard in guards if guard[key] is not None]
    return sum(known) if known else None


# --- what hosts return ------------------------------------------------------------------------------------------------


def _list(within: Mapping[str, Any], key: str) -> List[Any]:
    found = within.get(key)
    return list(found) if isinstance(found, (list, tuple)) else []


def _items(within: Mapping[str, Any], key: str) -> List[Mapping[str, Any]]:
    return [item for item in _list(within, key) if isinstance(item, Mapping)]


def _part(within: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = within.get(key)
    return found if isinstance(found, Mapping) else {}


def _text(value: Any) -> str:
    # Ansible hands out texts of its own kinds; what is written to files is a plain one.
    return "" if value is None else "".join(str(value))


def _number(value: Any) -> Optional[int]:
    """A count, a size or a time; what is none, or larger than any, is not known."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        return None
    return int(value)


def _size(value: Any) -> Dict[str, int]:
    found = value if isinstance(value, Mapping) else {}
    return {unit: _number(found.get(unit)) or 0 for unit in ("processes", "bytes")}


def iso_time(seconds: Optional[float]) -> Optional[str]:
    """A moment in UTC, in ISO 8601; None for one that is not known or lies beyond all calendars."""
    if seconds is None:
        return None
    try:
        moment = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def sessions_of(report_: Mapping[str, Any], outcome: str) -> List[Tuple[str, Json]]:
    """The sessions with an outcome, each with its host."""
    return [
        (host["host"], session)
        for host in report_["hosts"]
        for session in host["sessions"]
        if session["outcome"] == outcome
    ]
