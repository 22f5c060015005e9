# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of a report: which there are, and what each column is called and shows. Pure.

The text for a terminal and the page are two renderings of these. A column is one line here.
"""

import heapq
from collections import Counter
from operator import itemgetter
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import (
    KEPT,
    MARKED,
    NOT_DONE,
    OUTCOMES,
    REMOVED,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.reasons import REASONS
from ansible_collections.fleet.tmux.plugins.plugin_utils._cells import (
    CODE,
    DATE,
    DURATION,
    EPOCH,
    MESSAGE,
    NAMES,
    NOTED_NAME,
    NOTED_STATUS,
    NUMBER,
    PILL,
    PLAIN_NUMBER,
    PORTS,
    PROSE,
    SIZE,
    STATUS,
    TEXT,
    Cell,
    Kind,
)
from ansible_collections.fleet.tmux.plugins.plugin_utils._policies import in_words
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import WELL_SERVERS
from ansible_collections.fleet.tmux.plugins.plugin_utils._words import Report, Words, grouped, many, words_of

_OLDEST = 20
# What is longer is closed at first: it would push everything else out of sight, and take a browser a while.
_LONG, _VERY_LONG = 60, 300

_SENTENCES = {reason.word: reason.sentence for reason in REASONS}
# What is said of a host where not all users' servers were looked at, though they were asked for.
_SCOPES = {"own": "own sessions only, without root"}

Row = Mapping[str, Any]
Rows = Sequence[Row]


class Column(NamedTuple):
    """What a column is called, how to get its value of a row, and of which kind that is."""

    heading: str
    value: Callable[[Row], Any]
    kind: Kind = TEXT
    optional: bool = False
    """Whether it is left out where no row has anything to say in it."""
    wide: bool = False
    """Whether it is only for where lines may be long."""
    spare: bool = False
    """Whether it is the first to be left out of lines that are too short for all."""


class Section(NamedTuple):
    """A table: what it is called, and what its cells show."""

    key: str
    title: str
    lead: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    open: bool
    """Whether it is short enough to be seen at once."""
    excerpt: bool
    """Whether all of it stands in another section too."""


def sections(report: Report) -> List[Section]:
    """The sections of a report that have rows, what matters most first."""
    words = words_of(report)
    by_outcome: Dict[str, List[Row]] = {outcome: [] for outcome in OUTCOMES}
    for session in _sessions(report):
        by_outcome[session["outcome"]].append(session)
    kept = by_outcome[KEPT]
    made = [
        _unread(report),
        problems(report),
        _over_limit(report),
        _policies(report),
        _hosts(report, words),
        _owners(report, words),
        section("removed", words.removed_title, words.removed_lead, _REMOVED, by_outcome[REMOVED]),
        section("marked", words.marked_title, words.marked_lead, _WHY, by_outcome[MARKED]),
        section("not_done", "Not done, and should be", _NOT_DONE_LEAD, _WHY, by_outcome[NOT_DONE]),
        section(
            "oldest",
            "Longest idle, and still there",
            f"At most {_OLDEST} of those kept.",
            _WHY,
            _oldest(kept),
            excerpt=True,
        ),
        _reasons(kept, words),
        section("kept", words.kept_title, "Each session that was kept, and why.", _WHY, kept, _LONG),
        _unlisted(report, words),
        _survivors(report),
        _servers(report),
        _lives_on(report),
    ]
    return [section for section in made if section.rows]


def section(
    key: str,
    title: str,
    lead: str,
    columns: Sequence[Column],
    rows: Rows,
    most: int = _VERY_LONG,
    excerpt: bool = False,
) -> Section:
    every = [[column.kind.cell(column.value(row)) for row in rows] for column in columns]
    shown = [pair for pair in zip(columns, every) if not (pair[0].optional and _void(pair[1]))]
    cells = list(zip(*(cells for _column, cells in shown)))
    return Section(key, title, lead, [column for column, _cells in shown], cells, len(rows) <= most, excerpt)


def _void(cells: Iterable[Cell]) -> bool:
    return all(cell.void for cell in cells)


# --- columns that several sections have -------------------------------------------------------------------------------


def _of(*path: str) -> Callable[[Row], Any]:
    """How to get a value of a row, within its parts."""
    if len(path) == 1:
        return itemgetter(path[0])
    return lambda row: row[path[0]][path[1]]


def _noted(name: str, note: str) -> Callable[[Row], Tuple[str, str]]:
    return lambda row: (row[name], row[note])


def _place(session: Row) -> Tuple[str, str]:
    """The name, and the socket where it is not the usual one."""
    socket = session["socket"]
    return session["name"], "" if socket.endswith("/default") else socket


HOST = Column("Host", _of("host"))
SESSION = (HOST, Column("Owner", _of("owner")), Column("Session", _place, NOTED_NAME))
_BECAUSE = (*SESSION, Column("Reason", _of("reason"), PILL), Column("Detail", _of("detail"), PROSE))
_CREATED = Column("Created", _of("created"), EPOCH, optional=True, wide=True)
_WHY = (*_BECAUSE, Column("Idle", _of("idle"), DURATION, optional=True, spare=True), _CREATED)
_REMOVED = (
    *_BECAUSE,
    # For what goes, the detail says it too: the page sorts by this.
    Column("Idle", _of("idle"), DURATION, optional=True, wide=True),
    _CREATED,
    Column("Processes", _of("freed", "processes"), NUMBER, optional=True, spare=True),
    Column("Memory", _of("freed", "bytes"), SIZE, optional=True, spare=True),
    Column("Saved in", _of("snapshot"), CODE, optional=True),
)
_NOT_DONE_LEAD = "Sessions that should have been removed or given notice, and were not."


def _counts(words: Words, counts: Callable[[Row], Row]) -> Tuple[Column, ...]:
    """How many sessions, of a host or an owner."""

    def count(key: str) -> Callable[[Row], Any]:
        return lambda row: counts(row)[key]

    return (
        Column("Looked at", count("looked_at"), NUMBER, spare=True),
        Column(words.to_remove, count(REMOVED), NUMBER),
        Column(words.to_mark, count(MARKED), NUMBER, optional=True),
        Column(words.to_keep, count(KEPT), NUMBER),
        Column("Not done", count(NOT_DONE), NUMBER, optional=True),
    )


# --- rows -------------------------------------------------------------------------------------------------------------


def _sessions(report: Report) -> Iterator[Dict[str, Any]]:
    for host in report["hosts"]:
        for session in host["sessions"]:
            yield {**session, "host": host["host"]}


def _within(report: Report, part: str, others: Callable[[int], Row]) -> Rows:
    """The parts of all sessions, each with its session; where there are more than are listed, ``others`` says so."""
    rows: List[Row] = []
    for session in _sessions(report):
        more = session["more"][part]
        rows += [{**session, "part": found} for found in (*session[part], *([others(more)] if more else []))]
    return rows


def _window(row: Row) -> Tuple[str, str]:
    """The name of a window and its id; where its name is nobody's business, the id alone."""
    name, identity = row["part"]["name"], row["part"]["window"]
    return (name, identity) if name else (identity, "")


def _other_survivors(number: int) -> Row:
    return {"pid": None, "command": f"and {many(number, 'more process', 'more processes')}", "result": "not listed"}


def _other_windows(number: int) -> Row:
    return {"window": "", "name": f"and {many(number, 'more window')}", "sessions": []}


def _with_more(part: Row, key: str) -> List[Any]:
    """What is listed, and how many more there are."""
    more = (part.get("more") or {}).get(key)
    return [*(part.get(key) or ()), *([f"and {grouped(more)} more"] if more else [])]


def _oldest(kept: Rows) -> Rows:
    there = [session for session in kept if session["reason"] != "vanished" and session["idle"] is not None]
    return heapq.nlargest(_OLDEST, there, key=itemgetter("idle"))


def _ranked(sessions: Iterable[Row]) -> List[Tuple[str, int]]:
    """The reasons of those that are kept and how many have each, the most frequent first."""
    counts = Counter(session["reason"] for session in sessions if session["outcome"] == KEPT)
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _why_kept(sessions: Iterable[Row]) -> str:
    return ", ".join(f"{number} {reason}" for reason, number in _ranked(sessions))


# --- sections ---------------------------------------------------------------------------------------------------------


def _unread(report: Report) -> Section:
    columns = (Column("File", _of("file"), CODE), Column("Why it was left out", _of("reason"), MESSAGE))
    title, lead = "Reports that could not be merged", "What is in them is missing below, and in all sums."
    return section("unread", title, lead, columns, report["run"].get("unread", ()))


def problems(report: Report) -> Section:
    rows = [host for host in report["hosts"] if host["status"] != "ok"]
    columns = (
        HOST,
        Column("Status", _of("status"), STATUS),
        Column("Cause", _of("message"), MESSAGE),
        Column("What to do", _of("remedy"), PROSE, optional=True),
        Column("What was said", _of("said"), MESSAGE, optional=True, wide=True),
    )
    return section("problems", "Hosts with a problem", "What they did before it is below as well.", columns, rows)


def _over_limit(report: Report) -> Section:
    rows = [{**one, "host": host["host"]} for host in report["hosts"] for one in host["over_limit"]]
    rows += [{**one, "host": "all hosts"} for one in report["guard"]["over_limit"]]
    columns = (
        HOST,
        Column("Owner", _of("owner")),
        Column("Sessions", _of("removals"), NUMBER),
        Column("Why none of them goes", _of("message"), PROSE),
    )
    lead = "So many sessions of one owner at once are left to whoever reads this; those of all others are not."
    return section("over_limit", "Owners who are over a limit", lead, columns, rows)


def _policies(report: Report) -> Section:
    """Where all hosts have the same, the summary says it."""
    policies = report["run"].get("policies") or ()
    hosts: Dict[str, List[str]] = {}
    for host in report["hosts"]:
        hosts.setdefault(host["policy"], []).append(host["host"])
    rows = [{**one, "hosts": hosts.get(one["id"], [])} for one in policies] if len(policies) > 1 else []
    columns = (
        Column("Policy", _of("id"), CODE),
        Column("Hosts", lambda row: len(row["hosts"]), NUMBER),
        Column("Which", _of("hosts"), NAMES),
        Column("What it says", lambda row: in_words(row["policy"]), PROSE),
    )
    return section("policies", "Policies", "Hosts that were told the same have the same policy.", columns, rows)


def _note(host: Row) -> str:
    """What is to be known of a host beside its status. The one thing that modules note is that it has no tmux."""
    return ", ".join(each for each in (_SCOPES.get(host["scope"], ""), "no tmux" if host.get("note") else "") if each)


def is_plain(host: Row) -> bool:
    """Whether nothing is to be known of a host beside what became of its sessions."""
    return host["status"] == "ok" and not _note(host) and not host["counts"]["not_matched"]


_UNKNOWN = dict.fromkeys(("looked_at", *OUTCOMES))


def _is_known(host: Row) -> bool:
    """Whether a host could be looked at: of one that could not nothing is known, and that is not zero."""
    return bool(host["status"] == "ok" or host["scope"] is not None or host["counts"]["looked_at"])


def _processes(host: Row) -> Any:
    return host["freed"]["processes"] if _is_known(host) else None


def _hosts(report: Report, words: Words) -> Section:
    columns = (
        HOST,
        Column("Status", lambda host: (host["status"], _note(host)), NOTED_STATUS),
        *_counts(words, lambda host: host["counts"] if _is_known(host) else _UNKNOWN),
        Column("Left out", _of("counts", "not_matched"), NUMBER, optional=True, spare=True),
        Column("Policy", _policy_where_hosts_differ(report), CODE, optional=True, wide=True),
        Column("Processes", _processes, NUMBER, optional=True, spare=True),
        Column("Memory", _of("freed", "bytes"), SIZE, optional=True, spare=True),
        Column("Longest idle", _of("oldest_idle"), DURATION, spare=True),
        Column(words.why_kept, lambda host: _why_kept(host["sessions"]), PROSE, optional=True),
        Column("Judged", _of("judged_at"), DATE, optional=True, wide=True),
    )
    lead = "Numbers are sessions, but for processes and memory freed."
    return section("hosts", "Hosts", lead, columns, report["hosts"], _LONG)


def _policy_where_hosts_differ(report: Report) -> Callable[[Row], Any]:
    differ = len(report["run"].get("policies") or ()) > 1
    return lambda host: host["policy"] if differ else None


def _owners(report: Report, words: Words) -> Section:
    sessions: Dict[str, List[Row]] = {}
    for host in report["hosts"]:
        for session in host["sessions"]:
            sessions.setdefault(session["owner"], []).append(session)
    columns = (
        Column("Owner", _of("owner")),
        Column("Hosts", _of("hosts"), NUMBER),
        *_counts(words, lambda owner: owner),
        Column("Processes", _of("freed_processes"), NUMBER, optional=True, spare=True),
        Column("Memory", _of("freed_bytes"), SIZE, optional=True, spare=True),
        Column("Longest idle", _of("oldest_idle"), DURATION, spare=True),
        Column(words.why_kept, lambda owner: _why_kept(sessions.get(owner["owner"], ())), PROSE, optional=True),
    )
    return section(
        "owners", "Owners", "The same user name on all hosts is one owner.", columns, report["owners"], _LONG
    )


def _reasons(kept: Rows, words: Words) -> Section:
    rows = [{"reason": reason, "number": number} for reason, number in _ranked(kept)]
    columns = (
        Column("Reason", _of("reason"), PILL),
        Column("Sessions", _of("number"), NUMBER),
        Column("In words", lambda row: _SENTENCES.get(row["reason"], ""), PROSE, optional=True),
    )
    return section("reasons", words.reasons_title, "One reason for each session.", columns, rows)


def _unlisted(report: Report, words: Words) -> Section:
    rows = [{**one, "host": host["host"]} for host in report["hosts"] for one in host["unlisted"]]
    columns = (
        HOST,
        Column("Owner", _of("owner")),
        Column(words.to_remove, _of(REMOVED), NUMBER),
        Column(words.to_mark, _of(MARKED), NUMBER, optional=True),
        Column(words.to_keep, _of(KEPT), NUMBER),
        Column("Not done", _of(NOT_DONE), NUMBER, optional=True),
        Column("Servers", lambda one: one.get("servers") or 0, NUMBER, optional=True),
    )
    lead = "Sessions of owners who have too many to list; all sums count them."
    return section("unlisted", "And more, which are only counted", lead, columns, rows)


def _survivors(report: Report) -> Section:
    columns = (
        *SESSION,
        Column("Process", _of("part", "pid"), PLAIN_NUMBER),
        Column("Command", _of("part", "command"), CODE),
        Column("Ports", lambda row: _with_more(row["part"], "ports"), PORTS, optional=True),
        Column("Memory", lambda row: row["part"].get("rss"), SIZE, optional=True, spare=True),
        Column("Result", _of("part", "result"), STATUS),
    )
    title, lead = "Processes that outlived their session", "Ports are TCP ports they listen on."
    return section("survivors", title, lead, columns, _within(report, "survivors", _other_survivors))


def _servers(report: Report) -> Section:
    rows = [
        {**server, "host": host["host"]}
        for host in report["hosts"]
        for server in host["servers"]
        if server["status"] not in WELL_SERVERS
    ]
    columns = (
        HOST,
        Column("Owner", _of("owner")),
        Column("Socket", _of("socket"), CODE),
        Column("Status", _of("status"), STATUS),
        Column("What is wrong", _of("reason"), PROSE),
        Column("Version", _of("version"), optional=True),
    )
    title, lead = "Servers that could not be used", "What is in them was neither seen nor removed."
    return section("servers", title, lead, columns, rows)


def _lives_on(report: Report) -> Section:
    columns = (
        *SESSION,
        Column("Window", _window, NOTED_NAME),
        Column("Lives on in", lambda row: _with_more(row["part"], "sessions"), NAMES),
    )
    title, lead = "Windows that live on", "Other sessions hold them too, so their processes still run."
    return section("lives_on", title, lead, columns, _within(report, "lives_on", _other_windows))
