# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The largest and the oldest sessions of a fleet, of what tmux_session_info returned on each host. Pure."""

import heapq
from operator import itemgetter
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.plugin_utils._causes import cause
from ansible_collections.fleet.tmux.plugins.plugin_utils._cells import DURATION, NAMES, NUMBER, SIZE
from ansible_collections.fleet.tmux.plugins.plugin_utils._columns import hanging
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import WELL_SERVERS
from ansible_collections.fleet.tmux.plugins.plugin_utils._returned import items, listed, number, part, text
from ansible_collections.fleet.tmux.plugins.plugin_utils._sections import (
    SESSION,
    Column,
    problems,
    section,
)
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import PLAIN, Paper, tables
from ansible_collections.fleet.tmux.plugins.plugin_utils._words import many, sized

RESULT = "tmux_top_result"
"""What the playbook registers on each host."""

_PER_HOST = 100000
"""Sessions of one host that are looked at: more than one can return."""

Json = Dict[str, Any]


class _Use(NamedTuple):
    """One thing that sessions use: what it is called in results, in a heading, and among others."""

    key: str
    title: str
    word: str


_USES = {
    "memory": _Use("rss", "Largest by memory", "memory"),
    "cpu_time": _Use("cpu_seconds", "Largest by CPU time", "CPU time"),
    "open_files": _Use("open_files", "Largest by open files", "open files"),
    "processes": _Use("processes", "Largest by processes", "processes"),
}
_WORDS = {use.key: use.word for use in _USES.values()}

_COLUMNS = (
    *SESSION,
    Column("Memory", itemgetter("rss"), SIZE),
    Column("CPU time", itemgetter("cpu_seconds"), DURATION),
    Column("Processes", itemgetter("processes"), NUMBER, spare=True),
    Column("Open files", itemgetter("open_files"), NUMBER, spare=True),
    Column("Age", itemgetter("age"), DURATION),
    Column("Idle", itemgetter("idle"), DURATION, spare=True),
    Column("Too much", itemgetter("leaks"), NAMES, optional=True),
)


class Top(NamedTuple):
    """What is shown, and which hosts have a problem."""

    text: str
    problems: List[str]


def top(results: Mapping[str, Any], now: int, by: str = "memory", rows: int = 20, paper: Paper = PLAIN) -> Top:
    """The tables, and below them what is to be said of all hosts.

    :param now: to tell how old a session is.
    """
    hosts = [_read_host(str(name), result, now) for name, result in results.items()]
    sessions = [session for host in hosts for session in host["sessions"]]
    use = _USES[by]
    shown = [
        section("oldest", "Oldest", "", _COLUMNS, _greatest(sessions, "age", rows)),
        section("largest", use.title, "", _COLUMNS, _greatest(sessions, use.key, rows)),
        problems({"hosts": hosts}),
    ]
    drawn = tables([each for each in shown if each.rows], paper)
    told = "\n".join(hanging(" ".join(f"{said}." for said in _summary(hosts, sessions) if said), paper.width, first=""))
    bad = [host["host"] for host in hosts if host["status"] != "ok"]
    return Top("\n\n".join(each for each in (drawn, told) if each), bad)


def _greatest(sessions: List[Json], key: str, rows: int) -> List[Json]:
    """Those that have most of something; of which it is not known how much, that is nothing to be shown for."""
    return heapq.nlargest(rows, [session for session in sessions if session[key] is not None], key=itemgetter(key))


def _summary(hosts: List[Json], sessions: List[Json]) -> List[str]:
    """What is said of the whole, in sentences; what is not worth a word is empty."""
    ok = [host for host in hosts if host["status"] == "ok"]
    memory, processes = (sum(host[key] for host in hosts) for key in ("rss", "processes"))
    used = f"{sized(memory)} and {many(processes, 'process', 'processes')}"
    leaking = sum(bool(session["leaks"]) for session in sessions)
    return [
        f"{many(len(sessions), 'session')} on {many(len(ok), 'host')}, with their servers {used}",
        f"{many(leaking, 'session uses', 'sessions use')} too much" if leaking else "",
        _if_any(sum(host["unlisted"] for host in hosts), "more session was", "more sessions were", "only counted"),
        _if_any(sum(host["odd"] for host in hosts), "server", "servers", "could not be looked at"),
        _if_any(sum(host["own"] for host in hosts), "host told", "hosts told", "only of the user's own sessions"),
        _if_any(len(hosts) - len(ok), "host has", "hosts have", "a problem"),
    ]


def _if_any(count: int, one: str, plural: str, rest: str) -> str:
    return f"{many(count, one, plural)} {rest}" if count else ""


# --- one host ---------------------------------------------------------------------------------------------------------


def _read_host(name: str, result: Any, now: int) -> Json:
    """What a host returned; one whose result makes no sense must not cost the others their table."""
    found: Mapping[str, Any] = result if isinstance(result, Mapping) else {}
    status, message, remedy = _status(found)
    used = [part(server, "resources") for server in items(found, "servers")]
    return {
        "host": name,
        "status": status,
        "message": message,
        "remedy": remedy,
        "said": "",
        "sessions": [_session(name, item, now) for item in items(found, "sessions")[:_PER_HOST]],
        "rss": sum(number(each.get("rss")) or 0 for each in used),
        "processes": sum(number(each.get("processes")) or 0 for each in used),
        "unlisted": sum(number(one.get("sessions")) or 0 for one in items(found, "unlisted")),
        "odd": sum(server.get("status") not in WELL_SERVERS for server in items(found, "servers")),
        "own": found.get("scope") == "own",
    }


def _status(result: Mapping[str, Any]) -> Tuple[str, str, str]:
    """A word, why, and what to do about it."""
    for word in ("unreachable", "failed"):
        if result.get(word):
            why = cause(result)
            return word, text(why.sentence), text(why.remedy)
    if "sessions" in result:
        return "ok", "", ""
    return "missing", "there is no result", "See what failed on it before this."


def _session(host: str, item: Mapping[str, Any], now: int) -> Json:
    used, created = part(item, "resources"), number(item.get("created"))
    return {
        "host": host,
        "owner": text(item.get("owner")),
        "name": text(item.get("name")),
        "socket": text(item.get("socket")),
        "rss": number(used.get("rss")),
        "cpu_seconds": _whole(used.get("cpu_seconds")),
        "processes": number(used.get("processes")),
        "open_files": number(used.get("open_files")),
        "age": None if created is None else max(0, now - created),
        "idle": number(item.get("idle")),
        "leaks": [_WORDS[key] for key in listed(used, "leaks") if key in _WORDS],
    }


def _whole(seconds: Any) -> Optional[int]:
    """Whole seconds; of what is too many or none at all, nothing."""
    return number(int(seconds)) if isinstance(seconds, float) and abs(seconds) < 2**62 else number(seconds)
