# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a fleet: what all hosts returned, in the shape of ``docs/report.schema.json``.

Pure. What the hosts returned is not trusted to have any shape: a host that failed early has little, and a key that is
missing is nothing. Whatever is made of a report (table, page, metrics, audit) is made of this and nothing else.
"""

import datetime
from collections import Counter
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._modules.bounds import (
    HOLDERS,
    LIVING_ON,
    MIB,
    SURVIVORS,
    Bounds,
    bounded,
    first,
    size,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import (
    KEPT,
    MARKED,
    NOT_DONE,
    OUTCOMES,
    REMOVED,
)
from ansible_collections.fleet.tmux.plugins.plugin_utils._causes import Cause, cause
from ansible_collections.fleet.tmux.plugins.plugin_utils._policies import by_host
from ansible_collections.fleet.tmux.plugins.plugin_utils._returned import cut as _cut
from ansible_collections.fleet.tmux.plugins.plugin_utils._returned import items as _items
from ansible_collections.fleet.tmux.plugins.plugin_utils._returned import listed as _list
from ansible_collections.fleet.tmux.plugins.plugin_utils._returned import number as _number
from ansible_collections.fleet.tmux.plugins.plugin_utils._returned import part as _part
from ansible_collections.fleet.tmux.plugins.plugin_utils._returned import text as _text

SCHEMA = "fleet.tmux/cleanup-report"
SCHEMA_VERSION = "2.3"

Json = Dict[str, Any]

_OTHER_COUNTS = ("not_matched", "servers", "unmarked")
_SCOPES = ("host", "own", "socket")
STATUSES = ("ok", "failed", "unreachable", "missing")
WELL_SERVERS = ("ok", "absent")


# Twice what a host may return; one that returns more is not as we know it.
_LARGEST = Bounds(16 * MIB, 16 * MIB)
_ORDER = (REMOVED, NOT_DONE, MARKED, KEPT)
_MOST_SERVERS = _MOST_UNLISTED = 5000
_MOST_PORTS = 100
_MESSAGE_CHARS = 20000


class ReportError(ValueError):
    """Something that no report can be made of; the message says what, and what to do."""


class Run(NamedTuple):
    """Which run it was. Times are UTC in ISO 8601; ``started`` is None where nobody noted it. ``policies`` as
    :func:`._policies.policies_of` makes them."""

    id: str
    started: Optional[str]
    finished: str
    check_mode: bool
    collection_version: str
    policies: Sequence[Json] = ()


NO_GUARD: Json = {
    "max_removals": None,
    "max_percent": None,
    "max_removals_per_owner": None,
    "over_limit": [],
    "planned": None,
    "unprotected": None,
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
    elif judged["over_limit"]:
        held = {one["owner"] for one in judged["over_limit"]}
        hosts = [_held(host, held, run.check_mode) for host in hosts]
    policies = by_host(run.policies, [host["host"] for host in hosts if host["status"] != "missing"])
    hosts = [dict(host, policy=policies.get(host["host"])) for host in hosts]
    return _complete(_run(run, run.policies, merged=[], unread=[]), judged, hosts)


def _run(run: Run, policies: Sequence[Mapping[str, Any]], **more: Any) -> Json:
    """Which run it was; ``policy`` is that of all hosts, if they have the same."""
    each = [{key: one[key] for key in ("id", "policy")} for one in policies]
    return dict(run._asdict(), policy=each[0]["policy"] if len(each) == 1 else None, policies=each, **more)


def _complete(run: Json, guard: Json, hosts: Sequence[Json]) -> Json:
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "run": run,
        "guard": guard,
        "totals": dict(_totals(hosts), over_limit=len(_over(guard, hosts))),
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
    sessions, unlisted = _fitting(
        [_session(item, outcome) for outcome in OUTCOMES for item in _items(result, outcome)],
        [_unlisted(item) for item in _items(result, "unlisted")[:_MOST_UNLISTED]],
    )
    status, why = _status(result)
    scope = result.get("scope")
    host = {
        "host": name,
        "status": status,
        "message": _cut(why.sentence, _MESSAGE_CHARS),
        "remedy": _text(why.remedy),
        "said": _text(why.said),
        "note": _text(result.get("note")),
        "scope": str(scope) if scope in _SCOPES and "counts" in result else None,
        "judged_at": iso_time(_number(result.get("judged_at"))),
        "counts": {key: _number(_part(result, "counts").get(key)) or 0 for key in _OTHER_COUNTS},
        "servers": [_server(item) for item in _items(result, "servers")[:_MOST_SERVERS]],
        "sessions": sessions,
        "unlisted": unlisted,
        "over_limit": [_over_limit(item) for item in counted_owners(result) if item["over_limit"]][:_MOST_UNLISTED],
    }
    return _counted(host)


def _fitting(sessions: List[Json], unlisted: List[Json]) -> Tuple[List[Json], List[Json]]:
    """As many sessions as one host may have in a report; the others are only counted."""
    if sum(map(size, sessions)) <= _LARGEST.all:
        return sessions, unlisted
    lists = {outcome: [session for session in sessions if session["outcome"] == outcome] for outcome in OUTCOMES}
    told = bounded(lists, _LARGEST, _ORDER, unlisted)
    return [session for outcome in OUTCOMES for session in told.lists[outcome]], told.unlisted


_NO_RESULT = Cause("there is no result", "See what failed on it before this, in an earlier play.")


def _status(result: Mapping[str, Any]) -> Tuple[str, Cause]:
    if result.get("unreachable"):
        return "unreachable", cause(result)
    if result.get("failed"):
        return "failed", cause(result)
    return ("ok", Cause("")) if "counts" in result else ("missing", _NO_RESULT)


def _session(item: Mapping[str, Any], outcome: str) -> Json:
    survivors, processes = first(_items(item, "survivors"), SURVIVORS)
    lives_on, windows = first(_items(item, "lives_on"), LIVING_ON)
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
        "survivors": [_survivor(process) for process in survivors],
        "lives_on": [_window(window) for window in lives_on],
        "more": _more(item, survivors=processes, lives_on=windows),
    }


def _more(within: Mapping[str, Any], **left_out: int) -> Dict[str, int]:
    """How many more there are of what a host has listed, and of what is left out here."""
    told = _part(within, "more")
    return {key: (_number(told.get(key)) or 0) + number for key, number in left_out.items()}


def _unlisted(item: Mapping[str, Any]) -> Json:
    """How many sessions of an owner a host has only counted."""
    counts = {key: _number(item.get(key)) or 0 for key in (*OUTCOMES, "servers")}
    return dict(counts, owner=_text(item.get("owner")))


def _survivor(process: Mapping[str, Any]) -> Json:
    ports, others = first(_list(process, "ports"), _MOST_PORTS)
    return {
        "pid": _number(process.get("pid")) or 0,
        "command": _text(process.get("command")),
        "rss": _number(process.get("rss")) or 0,
        "ports": [port for port in map(_number, ports) if port is not None],
        "result": _text(process.get("result")),
        "more": _more(process, ports=others),
    }


def _window(window: Mapping[str, Any]) -> Json:
    names, others = first(_list(window, "sessions"), HOLDERS)
    return {
        "window": _text(window.get("window")),
        "name": _text(window.get("name")),
        "sessions": [_text(name) for name in names],
        "more": _more(window, sessions=others),
    }


def _server(item: Mapping[str, Any]) -> Json:
    return {
        "owner": _text(item.get("owner")),
        "socket": _text(item.get("socket")),
        "status": _text(item.get("status")),
        "reason": _text(item.get("reason")),
        "version": _text(item["version"]) if item.get("version") else None,
    }


def counted_owners(result: Any) -> List[Json]:
    """What the guards of a host have counted of each owner, as it returned that."""
    return [
        {
            "owner": _text(item.get("owner")),
            "removals": _number(item.get("removals")) or 0,
            "unprotected": _number(item.get("unprotected")) or 0,
            "over_limit": item.get("over_limit") is True,
            "message": _text(item.get("message")),
        }
        for item in _items(result if isinstance(result, Mapping) else {}, "owners")
    ]


def planned_removals(result: Any) -> Dict[str, int]:
    """How many sessions of each owner a host has named in its plan."""
    removed = _items(result if isinstance(result, Mapping) else {}, REMOVED)
    return Counter(_text(item.get("owner")) for item in removed)


def _over_limit(item: Mapping[str, Any]) -> Json:
    return {key: item[key] for key in ("owner", "removals", "message")}


def _stopped(host: Json) -> Json:
    """The host as it is when the fleet-wide guard let nobody do anything: the plan, and nothing done."""
    spared = [_spared(session) for session in host["sessions"]]
    counts = dict(host["counts"], unmarked=0)
    return _counted(
        dict(
            host, counts=counts, sessions=spared, unlisted=[_all_kept(one, REMOVED, MARKED) for one in host["unlisted"]]
        )
    )


def _all_kept(unlisted: Json, *outcomes: str) -> Json:
    kept = sum(unlisted[outcome] for outcome in (*outcomes, KEPT))
    return dict(unlisted, **{**dict.fromkeys(outcomes, 0), KEPT: kept})


def _held(host: Json, owners: Set[str], check_mode: bool) -> Json:
    """The host when the fleet-wide guard held back what some owners have.

    What they had in the plan was handed on to no host, which calls it unplanned; a check shows the plan itself.
    """
    sessions = [_held_session(one, check_mode) if one["owner"] in owners else one for one in host["sessions"]]
    unlisted = host["unlisted"]
    if check_mode:
        unlisted = [_all_kept(one, REMOVED) if one["owner"] in owners else one for one in unlisted]
    return _counted(dict(host, sessions=sessions, unlisted=unlisted))


def _held_session(session: Json, check_mode: bool) -> Json:
    would_go = check_mode and session["outcome"] == REMOVED
    if would_go or (session["outcome"], session["reason"]) == (KEPT, "unplanned"):
        return _kept_by_guard(session, "the limit for one owner on the fleet")
    return session


def _spared(session: Json) -> Json:
    if session["outcome"] not in (REMOVED, MARKED):
        return session
    return _kept_by_guard(session, "the limit for the fleet")


def _kept_by_guard(session: Json, limit: str) -> Json:
    detail = "not done, because of %s; %s" % (limit, session["detail"])
    return dict(
        session,
        outcome=KEPT,
        reason="guard",
        detail=detail,
        snapshot=None,
        freed=_size(None),
        survivors=[],
        lives_on=[],
    )


def _over(guard: Mapping[str, Any], hosts: Sequence[Json]) -> Set[str]:
    """Who is over a limit for one owner, on some host or on all together."""
    told = [one for host in hosts for one in host["over_limit"]]
    return {one["owner"] for one in [*told, *guard["over_limit"]]}


# --- sums -------------------------------------------------------------------------------------------------------------


def _counted(host: Json) -> Json:
    """The host with what is counted of its sessions."""
    sessions = host["sessions"]
    counts = dict(_outcomes(sessions, host["unlisted"]), **{key: host["counts"][key] for key in _OTHER_COUNTS})
    return dict(host, counts=counts, freed=_freed(sessions), oldest_idle=_oldest(sessions))


def _outcomes(sessions: Sequence[Json], unlisted: Sequence[Json]) -> Dict[str, int]:
    counts = {outcome: sum(one[outcome] for one in unlisted) for outcome in OUTCOMES}
    for session in sessions:
        counts[session["outcome"]] += 1
    return {"looked_at": sum(counts.values()), **counts}


def _freed(sessions: Iterable[Json]) -> Dict[str, int]:
    sizes = [session["freed"] for session in sessions]
    return {unit: sum(size[unit] for size in sizes) for unit in ("processes", "bytes")}


def _oldest(sessions: Iterable[Json]) -> Optional[int]:
    """Seconds that the session which was idle longest has been so, of those that are still there."""
    there = [session for session in sessions if session["outcome"] != REMOVED]
    idle = [session["idle"] for session in there if session["idle"] is not None]
    return max(idle) if idle else None


def _totals(hosts: Sequence[Json]) -> Json:
    sessions = [session for host in hosts for session in host["sessions"]]
    unlisted = [one for host in hosts for one in host["unlisted"]]
    freed = _freed(sessions)
    return {
        "hosts": len(hosts),
        **{status: sum(1 for host in hosts if host["status"] == status) for status in STATUSES},
        **_outcomes(sessions, unlisted),
        **{key: sum(host["counts"][key] for host in hosts) for key in _OTHER_COUNTS},
        "survivors": sum(len(session["survivors"]) + session["more"]["survivors"] for session in sessions),
        "freed_processes": freed["processes"],
        "freed_bytes": freed["bytes"],
        "oldest_idle": _oldest(sessions),
    }


def _owners(hosts: Sequence[Json]) -> List[Json]:
    sessions: Dict[str, List[Json]] = {}
    unlisted: Dict[str, List[Json]] = {}
    places: Dict[str, int] = {}
    for host in hosts:
        for session in host["sessions"]:
            sessions.setdefault(session["owner"], []).append(session)
        for one in host["unlisted"]:
            unlisted.setdefault(one["owner"], []).append(one)
        for owner in {told["owner"] for told in [*host["sessions"], *host["unlisted"]]}:
            places[owner] = places.get(owner, 0) + 1
    return [_owner(owner, places[owner], sessions.get(owner, []), unlisted.get(owner, [])) for owner in sorted(places)]


def _owner(owner: str, hosts: int, sessions: Sequence[Json], unlisted: Sequence[Json]) -> Json:
    freed = _freed(sessions)
    return {
        "owner": owner,
        "hosts": hosts,
        **_outcomes(sessions, unlisted),
        "freed_processes": freed["processes"],
        "freed_bytes": freed["bytes"],
        "oldest_idle": _oldest(sessions),
    }


# --- many reports -----------------------------------------------------------------------------------------------------


def merged(reports: Sequence[Mapping[str, Any]], run: Run, unread: Sequence[Json] = ()) -> Json:
    """One report of several, as those of the slices of one job, or of a run and of what was run again after it.

    Of a host that is in several, the newest counts, and whatever was removed there before it: that is not undone by
    looking again.

    :param unread: the reports that should have been among them, each with its file and the reason.
    :raises ReportError: for what is no such report, and for reports of checks among those of runs.
    """
    in_time = sorted(_mergeable(reports), key=lambda one: str(one["run"]["finished"]))
    check_mode = bool(in_time[0]["run"]["check_mode"])
    runs = list({told["id"]: told for one in in_time for told in _runs(one)}.values())
    whole = run._replace(
        started=min((told["started"] for told in runs if told["started"] is not None), default=None),
        finished=max(told["finished"] for told in runs),
        check_mode=check_mode,
    )
    guard = _guards([told["guard"] for told in runs])
    lost = [*(lost for one in in_time for lost in one["run"].get("unread", ())), *unread]
    once = {(one["file"], one["reason"]): one for one in lost}
    policies = {held["id"]: held for one in in_time for held in one["run"].get("policies", ())}
    told = _run(whole, list(policies.values()), merged=runs, unread=list(once.values()))
    return _complete(told, guard, _newest(in_time, check_mode))


def _newest(in_time: Sequence[Mapping[str, Any]], check_mode: bool) -> List[Json]:
    hosts: Dict[str, Json] = {}
    for one in in_time:
        for host in one["hosts"]:
            hosts[host["host"]] = _newer(hosts.get(host["host"]), _as_now(host), check_mode)
    return list(hosts.values())


def _as_now(host: Mapping[str, Any]) -> Json:
    """A host of an earlier report, which may not have said how much more there is."""
    none = {"survivors": 0, "lives_on": 0}
    sessions = [dict(session, more=dict(none, **session.get("more", {}))) for session in host["sessions"]]
    return dict(
        {"unlisted": [], "over_limit": [], "remedy": "", "said": "", "note": "", "policy": None},
        **dict(host, sessions=sessions, counts={"unmarked": 0, **host["counts"]}),
    )


def _mergeable(reports: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    if not reports:
        raise ReportError("there is no report to merge")
    for one in reports:
        require_report(one)
    if len({bool(one["run"]["check_mode"]) for one in reports}) > 1:
        raise ReportError("some reports are of check mode and some are not; what was done and what would be is no sum")
    return reports


def require_report(given: Any) -> None:
    """:raises ReportError: for what is no report, or is one of a later age."""
    if not isinstance(given, Mapping) or given.get("schema") != SCHEMA:
        raise ReportError("this is no report of fleet.tmux (its schema is not %s)" % SCHEMA)
    version = str(given.get("schema_version"))
    if version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise ReportError("its schema_version is %s, this collection reads %s" % (version, SCHEMA_VERSION))
    missing = [key for key in ("run", "guard", "totals", "owners", "hosts") if key not in given]
    if missing:
        raise ReportError("it has no %s" % ", ".join(missing))


def _newer(before: Optional[Json], host: Json, check_mode: bool) -> Json:
    if before is None or check_mode:
        return host
    removed = _removed(host)
    gone = {place: session for place, session in _removed(before).items() if place not in removed}
    # Who looked later, or at the same time, may have seen it vanish.
    others = [session for session in host["sessions"] if _place(session) not in gone]
    unlisted = [*host["unlisted"], *(_only_removed(one) for one in before["unlisted"] if one[REMOVED])]
    return _counted(dict(host, sessions=list(gone.values()) + others, unlisted=unlisted))


def _only_removed(unlisted: Json) -> Json:
    return dict(unlisted, servers=0, **{outcome: 0 for outcome in OUTCOMES if outcome != REMOVED})


def _removed(host: Json) -> Dict[Tuple[Any, ...], Json]:
    return {_place(session): session for session in host["sessions"] if session["outcome"] == REMOVED}


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
        "max_removals_per_owner": _same(guards, "max_removals_per_owner"),
        "over_limit": _each_once(one for guard in guards for one in guard.get("over_limit") or ()),
        "planned": _whole(guards, "planned"),
        "unprotected": _whole(guards, "unprotected"),
        "looked_at": _whole(guards, "looked_at"),
        "stopped": len(stopped) == len(guards),
        "message": message,
    }


def _each_once(items: Iterable[Json]) -> List[Json]:
    found: List[Json] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found


def _same(guards: Sequence[Mapping[str, Any]], key: str) -> Any:
    values = [guard.get(key) for guard in guards]
    return values[0] if all(value == values[0] for value in values) else None


def _whole(guards: Sequence[Mapping[str, Any]], key: str) -> Optional[int]:
    known = [guard[key] for guard in guards if guard.get(key) is not None]
    return sum(known) if known else None


# --- what hosts return ------------------------------------------------------------------------------------------------


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
