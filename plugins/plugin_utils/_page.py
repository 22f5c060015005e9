# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a cleanup as one HTML page, which needs nothing but itself.

Names, owners, commands and messages were chosen by users of the hosts, and an admin opens this in a browser: every text
is escaped by the template, is free of control characters, and the page's policy lets nothing run but its own script.
"""

import base64
import hashlib
import heapq
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._policy import spoken
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import WELL_SERVERS
from ansible_collections.fleet.tmux.plugins.plugin_utils._text import harmless, many, sized
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES = Path(__file__).resolve().parents[2] / "roles" / "tmux_cleanup" / "templates"

_OLDEST = 20
# What is longer is closed at first: it would push everything else out of sight, and take the browser a while.
_LONG, _VERY_LONG = 60, 300
# A text that is longer is cut: report.json has it in full.
_TEXT_LIMIT, _MESSAGE_LIMIT = 1000, 4000

_REASONS = {
    "attached": "somebody is attached to it",
    "keep": "its user said so with @keep",
    "running": "it runs more than its own shell",
    "busy": "its processes did something while they were watched",
    "active": "it was used not long ago",
    "young": "it was created not long ago",
    "unfinished": "not all its panes are dead",
    "notice": "notice was given, and its time has not come",
    "unplanned": "its removal was not in the plan",
    "guard": "a guard stopped the removal: there would have been too many",
    "changed": "something happened in it after it was judged",
    "vanished": "it ended by itself meanwhile",
    "unknown": "it could not be judged, and what is not known is kept",
}

_TONES = {
    "ok": "good",
    "failed": "bad",
    "unreachable": "bad",
    "missing": "warn",
    "alive": "bad",
    "reported": "warn",
    "terminated": "good",
    "killed": "good",
}

# What is said of a host where not all users' servers were looked at, though they were asked for.
_SCOPES = {"own": "own sessions only, without root"}

Report = Mapping[str, Any]


class _Words(NamedTuple):
    """The words for what was done, or would be."""

    removed: str
    freed: str
    stopped: str
    removed_title: str
    removed_lead: str
    marked_title: str
    marked_lead: str
    kept_title: str
    reasons_title: str
    columns: Tuple[str, str, str]


_DONE = _Words(
    removed="removed",
    freed="Memory freed",
    stopped="The guard stopped this run: no session removed",
    removed_title="Removed",
    removed_lead="Sessions that were removed, and why.",
    marked_title="Given notice",
    marked_lead="Sessions that a later run removes, unless somebody uses them before.",
    kept_title="Kept",
    reasons_title="Why sessions were kept",
    columns=("Removed", "Marked", "Kept"),
)
_PLANNED = _Words(
    removed="would be removed",
    freed="Would be freed",
    stopped="The guard would stop this run: no session would be removed",
    removed_title="Would be removed",
    removed_lead="Sessions that a real run would remove, and why.",
    marked_title="Would be given notice",
    marked_lead="Sessions that a real run would give notice.",
    kept_title="Would be kept",
    reasons_title="Why sessions would be kept",
    columns=("To remove", "To mark", "To keep"),
)


_NUMBERS = ("number", "plain_number", "size", "duration")
_DATES = ("epoch", "date")


class _Cell(NamedTuple):
    """What one cell shows. ``value`` is what it is sorted by, where that is not its text; ``css`` how it looks."""

    text: str
    css: str = ""
    value: str = ""
    moment: str = ""
    note: str = ""


class _Column(NamedTuple):
    """A column and the kind of its values. An ``optional`` one is left out where no row has anything to say in it."""

    label: str
    kind: str = "text"
    optional: bool = False

    @property
    def css(self) -> str:
        """How its head looks; a column that has this is sorted by value."""
        return "n" if self.kind in _NUMBERS else "when" if self.kind in _DATES else ""


class _Table(NamedTuple):
    """A section of the page: what it is called, and its rows."""

    key: str
    title: str
    lead: str
    columns: Sequence[_Column]
    rows: Sequence[Sequence[_Cell]]
    open: bool


class _Banner(NamedTuple):
    tone: str
    title: str
    text: str


class _Total(NamedTuple):
    label: str
    value: str
    note: str = ""
    tone: str = ""


class _Share(NamedTuple):
    """A part of the bar of outcomes."""

    outcome: str
    start: int
    length: int


def page(report: Report) -> str:
    """The page for a report in the shape of ``docs/report.schema.json``."""
    words = _PLANNED if report["run"]["check_mode"] else _DONE
    tables = _tables(report, words)
    style = _asset("report.css") + _labels(tables)
    script = _asset("report.js")
    environment = Environment(
        loader=FileSystemLoader(str(_TEMPLATES)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        policy=_content_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        verdict=_verdict(report, words),
        troubles=_troubles(report["totals"]),
        run=_run(report["run"]),
        banners=_banners(report),
        nothing=_nothing(report["totals"]),
        totals=_totals(report["totals"], words),
        shares=_shares(report["totals"], words),
        looked_at=report["totals"]["looked_at"],
        tables=tables,
    )


# --- what may run -----------------------------------------------------------------------------------------------------


def _asset(name: str) -> str:
    """A file that becomes part of the page, without the lines on its licence."""
    text = (_TEMPLATES / name).read_text(encoding="utf-8")
    return text.partition("*/\n")[2]


def _content_policy(style: str, script: str) -> str:
    """Nothing is loaded, nothing is sent, and nothing runs but these two; the script cannot make markup of a text."""
    return "; ".join(
        [
            "default-src 'none'",
            "style-src '%s'" % _digest(style),
            "script-src '%s'" % _digest(script),
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _labels(tables: Sequence[_Table]) -> str:
    """Style rules that name each cell on a narrow screen: once for a column, not once for each of its cells."""
    rules = [
        '#%s td:nth-child(%d)::before{content:"%s"}' % (table.key, number, column.label)
        for table in tables
        for number, column in enumerate(table.columns, 1)
        if number > 1
    ]
    return "@media screen and (max-width:45rem){%s}\n" % "".join(rules)


# --- the top of the page ----------------------------------------------------------------------------------------------


def _verdict(report: Report, words: _Words) -> str:
    if not report["totals"]["hosts"]:
        return "No host was looked at"
    return words.stopped if report["guard"]["stopped"] else _removed(report, words)


def _troubles(totals: Report) -> str:
    """What an admin has to look after, or nothing."""
    failures, hosts = totals["failures"], totals["hosts"] - totals["ok"]
    parts = [_many(failures, "removal") + " failed"] if failures else []
    if hosts:
        parts.append("%s a problem" % ("1 host has" if hosts == 1 else "%s hosts have" % _grouped(hosts)))
    return ", ".join(parts)


def _removed(report: Report, words: _Words) -> str:
    """How many on how many hosts: ``3 sessions removed on 2 of 12 hosts``."""
    removed, hosts = report["totals"]["removed"], report["totals"]["hosts"]
    affected = sum(1 for host in report["hosts"] if host["counts"]["removed"])
    of = "%s of " % _grouped(affected) if 0 < affected < hosts else ""
    return "%s %s on %s%s" % (_some(removed, "session"), words.removed, of, _many(hosts, "host"))


def _some(number: int, one: str) -> str:
    return _many(number, one) if number else "No %s" % one


def _many(number: int, one: str, plural: str = "") -> str:
    return many(number, one, plural).replace(str(number), _grouped(number), 1)


def _run(run: Report) -> Dict[str, Any]:
    started, finished = _moment(run["started"]), _moment(run["finished"])
    took = spoken(int((finished - started).total_seconds())) if started and finished and finished >= started else ""
    return {
        "started": _date(run["started"]),
        "finished": _date(run["finished"]),
        "took": took,
        "id": _short(run["id"]),
        "version": _short(run["collection_version"]),
        "policy": _policy(run["policy"] or {}),
        "merged": [(_short(it["id"]), _date(it["started"]), _date(it["finished"])) for it in run["merged"]],
    }


def _policy(policy: Report) -> str:
    """What the run was told, without what it was not."""
    told = {name: ", ".join(map(str, value)) if isinstance(value, list) else value for name, value in policy.items()}
    return _short("; ".join("%s: %s" % (name, it) for name, it in told.items() if it not in (None, "", False)))


def _banners(report: Report) -> List[_Banner]:
    banners = []
    run, guard = report["run"], report["guard"]
    if run["check_mode"]:
        banners.append(_Banner("info", "Check mode: nothing was done.", "This is what a real run would have done."))
    if guard["stopped"]:
        title = "A real run would remove nothing." if run["check_mode"] else "Nothing was removed on any host."
        banners.append(_Banner("bad", title, _lines(guard["message"]) + "."))
    elif guard["message"]:
        banners.append(_Banner("bad", "Nothing was removed by a part of the runs.", _lines(guard["message"])))
    if run["merged"]:
        told = "It holds the results of %s, which are listed at its end." % _many(len(run["merged"]), "run")
        banners.append(_Banner("plain", "A merged report.", told))
    return banners


def _nothing(totals: Report) -> str:
    """What to say where there is nothing to show."""
    if not totals["hosts"]:
        return "There was nothing to do: the run had no hosts."
    if totals["looked_at"]:
        return ""
    left_out = totals["not_matched"]
    why = " Patterns or excludes left out %s." % _many(left_out, "session") if left_out else ""
    return "There was nothing to do: no host showed a session to look at." + why


def _totals(totals: Report, words: _Words) -> List[_Total]:
    to_remove, to_mark, to_keep = words.columns
    oldest = totals["oldest_idle"]
    left_out = "%d left out by patterns" % totals["not_matched"] if totals["not_matched"] else ""
    return [
        _hosts_total(totals),
        _Total("Looked at", _grouped(totals["looked_at"]), left_out),
        _Total(to_remove, _grouped(totals["removed"]), "", "removed"),
        _Total(to_mark, _grouped(totals["marked"]), "", "marked"),
        _Total(to_keep, _grouped(totals["kept"]), _longest(oldest), "kept"),
        _Total("Failed", _grouped(totals["failures"]), "", "failed"),
        _Total(words.freed, sized(totals["freed_bytes"]), _many(totals["freed_processes"], "process", "processes")),
        _Total("Survivors", _grouped(totals["survivors"]), "processes that live on" if totals["survivors"] else ""),
    ]


def _longest(idle: Optional[int]) -> str:
    return "" if idle is None else "longest idle %s" % spoken(idle)


def _hosts_total(totals: Report) -> _Total:
    states = [(totals[key], key) for key in ("ok", "failed", "unreachable", "missing")]
    told = ", ".join("%s %s" % (_grouped(number), state) for number, state in states if number)
    return _Total("Hosts", _grouped(totals["hosts"]), told, "trouble" if totals["ok"] != totals["hosts"] else "")


def _shares(totals: Report, words: _Words) -> List[_Share]:
    shares, start = [], 0
    for outcome, key in (("removed", "removed"), ("marked", "marked"), ("failed", "failures"), ("kept", "kept")):
        if totals[key]:
            shares.append(_Share(outcome, start, totals[key]))
        start += totals[key]
    return shares


# --- the tables -------------------------------------------------------------------------------------------------------


class _Session(NamedTuple):
    """A session and its host."""

    host: str
    item: Report

    @property
    def start(self) -> List[Any]:
        """The columns that each list of sessions begins with."""
        return [self.host, self.item["owner"], (self.item["name"], self.item["socket"])]

    @property
    def why(self) -> List[Any]:
        return [self.item["reason"], self.item["detail"], self.item["idle"], self.item["created"]]


_HOST = _Column("Host")
_START = [_HOST, _Column("Owner"), _Column("Session", "session")]
_WHY = [
    _Column("Reason", "pill"),
    _Column("Detail", "prose"),
    _Column("Idle", "duration", True),
    _Column("Created", "epoch", True),
]


def _tables(report: Report, words: _Words) -> List[_Table]:
    by_outcome: Dict[str, List[_Session]] = {"removed": [], "marked": [], "kept": [], "failed": []}
    for session in _sessions(report):
        by_outcome[session.item["outcome"]].append(session)
    kept = by_outcome["kept"]
    made = [
        _problems(report),
        _hosts(report, words),
        _owners(report, words),
        _removed_table(by_outcome["removed"], words),
        _listing("marked", words.marked_title, words.marked_lead, by_outcome["marked"]),
        _listing(
            "failed", "Not removed, though they should be", "Something went wrong with these.", by_outcome["failed"]
        ),
        _listing("oldest", "Longest idle, and still there", "At most %d of those kept." % _OLDEST, _oldest(kept)),
        _reasons(kept, words),
        _listing("kept", words.kept_title, "Each session that was kept, and why.", kept, _LONG),
        _survivors(report),
        _servers(report),
        _lives_on(report),
    ]
    return [table for table in made if table.rows]


def _sessions(report: Report) -> Iterator[_Session]:
    for host in report["hosts"]:
        for item in host["sessions"]:
            yield _Session(host["host"], item)


def _table(
    key: str, title: str, lead: str, columns: Sequence[_Column], rows: Sequence[Sequence[Any]], most: int = _VERY_LONG
) -> _Table:
    """A table of values: each becomes a cell in the way of its column."""
    makers = [_KINDS[column.kind] for column in columns]
    cells = [[make(value) for make, value in zip(makers, row)] for row in rows]
    shown = [
        number
        for number, column in enumerate(columns)
        if not column.optional or any(row[number].css not in _VOID for row in cells)
    ]
    if len(shown) < len(columns):
        cells = [[row[number] for number in shown] for row in cells]
    return _Table(key, title, lead, [columns[number] for number in shown], cells, len(rows) <= most)


def _problems(report: Report) -> _Table:
    rows = [(it["host"], it["status"], it["message"]) for it in report["hosts"] if it["status"] != "ok"]
    columns = [_HOST, _Column("Status", "status"), _Column("Message", "message")]
    return _table("problems", "Hosts with a problem", "What they did before it is below as well.", columns, rows)


def _counted(words: _Words) -> List[_Column]:
    """The columns of numbers that hosts and owners have in common."""
    to_remove, to_mark, to_keep = words.columns
    return [
        _Column("Looked at", "number"),
        _Column(to_remove, "number"),
        _Column(to_mark, "number", True),
        _Column(to_keep, "number"),
        _Column("Failed", "number", True),
    ]


_FREED = [_Column("Processes", "number", True), _Column("Memory", "size", True), _Column("Longest idle", "duration")]


def _hosts(report: Report, words: _Words) -> _Table:
    columns = [
        _HOST,
        _Column("Status", "state"),
        *_counted(words),
        _Column("Left out", "number", True),
        *_FREED,
        _Column("Judged", "date", True),
    ]
    rows = [
        [it["host"], (it["status"], _SCOPES.get(it["scope"], ""))]
        + [it["counts"][key] for key in ("looked_at", "removed", "marked", "kept", "failures", "not_matched")]
        + [it["freed"]["processes"], it["freed"]["bytes"], it["oldest_idle"], it["judged_at"]]
        for it in report["hosts"]
    ]
    return _table("hosts", "Hosts", "Numbers are sessions, but for processes and memory freed.", columns, rows, _LONG)


def _owners(report: Report, words: _Words) -> _Table:
    columns = [_Column("Owner"), _Column("Hosts", "number"), *_counted(words), *_FREED]
    keys = ("owner", "hosts", "looked_at", "removed", "marked", "kept", "failures")
    rows = [[it[key] for key in (*keys, "freed_processes", "freed_bytes", "oldest_idle")] for it in report["owners"]]
    return _table("owners", "Owners", "The same user name on all hosts is one owner.", columns, rows, _LONG)


def _removed_table(sessions: Sequence[_Session], words: _Words) -> _Table:
    columns = [
        *_START,
        *_WHY,
        _Column("Processes", "number", True),
        _Column("Memory", "size", True),
        _Column("Saved in", "code", True),
    ]
    rows = [
        it.start + it.why + [it.item["freed"]["processes"], it.item["freed"]["bytes"], it.item["snapshot"]]
        for it in sessions
    ]
    return _table("removed", words.removed_title, words.removed_lead, columns, rows)


def _listing(key: str, title: str, lead: str, sessions: Sequence[_Session], most: int = _VERY_LONG) -> _Table:
    return _table(key, title, lead, [*_START, *_WHY], [it.start + it.why for it in sessions], most)


def _oldest(kept: Sequence[_Session]) -> List[_Session]:
    there = [it for it in kept if it.item["reason"] != "vanished" and it.item["idle"] is not None]
    return heapq.nlargest(_OLDEST, there, key=lambda it: int(it.item["idle"]))


def _reasons(kept: Sequence[_Session], words: _Words) -> _Table:
    """How many for each reason, the most frequent first."""
    counts: Dict[str, int] = {}
    for session in kept:
        reason = session.item["reason"]
        counts[reason] = counts.get(reason, 0) + 1
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    columns = [_Column("Reason", "pill"), _Column("Sessions", "number"), _Column("In words", "prose", True)]
    rows = [(reason, number, _REASONS.get(reason, "")) for reason, number in ranked]
    return _table("reasons", words.reasons_title, "One reason for each session.", columns, rows)


def _survivors(report: Report) -> _Table:
    columns = [
        *_START,
        _Column("Process", "plain_number"),
        _Column("Command", "code"),
        _Column("Ports", "ports", True),
        _Column("Memory", "size", True),
        _Column("Result", "status"),
    ]
    rows = [
        it.start + [process["pid"], process["command"], process.get("ports"), process.get("rss"), process["result"]]
        for it in _sessions(report)
        for process in it.item["survivors"]
    ]
    return _table(
        "survivors", "Processes that outlived their session", "Ports are TCP ports they listen on.", columns, rows
    )


def _servers(report: Report) -> _Table:
    columns = [
        _HOST,
        _Column("Owner"),
        _Column("Socket", "code"),
        _Column("Status", "status"),
        _Column("What is wrong", "prose"),
        _Column("Version", "text", True),
    ]
    rows = [
        [host["host"]] + [server[key] for key in ("owner", "socket", "status", "reason", "version")]
        for host in report["hosts"]
        for server in host["servers"]
        if server["status"] not in WELL_SERVERS
    ]
    return _table(
        "servers", "Servers that could not be used", "What is in them was neither seen nor removed.", columns, rows
    )


def _lives_on(report: Report) -> _Table:
    columns = [*_START, _Column("Window", "window"), _Column("Lives on in", "names")]
    rows = [
        it.start + [(window["window"], window["name"]), window["sessions"]]
        for it in _sessions(report)
        for window in it.item["lives_on"]
    ]
    return _table(
        "lives_on", "Windows that live on", "Other sessions hold them too, so their processes still run.", columns, rows
    )


# --- cells ------------------------------------------------------------------------------------------------------------


_NONE = _Cell("\u2013", "none")
_NO_NUMBER = _NONE._replace(css="n none")
# How a cell looks that has nothing to say.
_VOID = ("none", "n none", "n zero")


def _short(value: Any, limit: int = _TEXT_LIMIT) -> str:
    text = str(value)
    return harmless(text if len(text) <= limit else text[:limit] + "...")


def _lines(value: Any) -> str:
    """A message: the ends of its lines are the only control characters that it may have."""
    text = str(value)
    text = text if len(text) <= _MESSAGE_LIMIT else text[:_MESSAGE_LIMIT] + "..."
    return "\n".join(harmless(line) for line in text.strip().split("\n"))


def _grouped(number: int) -> str:
    return "{:,}".format(number)


def _text(value: Any) -> _Cell:
    return _Cell(_short(value)) if value not in (None, "") else _NONE


def _styled(css: str) -> Callable[[Any], _Cell]:
    return lambda value: _text(value)._replace(css=css) if value not in (None, "") else _NONE


def _message(value: Any) -> _Cell:
    return _Cell(_lines(value), "message") if value else _NONE


def _status(value: Any) -> _Cell:
    return _Cell(_short(value), "pill " + _TONES.get(value, "warn"))


def _state(value: Tuple[str, str]) -> _Cell:
    status, note = value
    return _status(status)._replace(note=note)


def _session(value: Tuple[str, str]) -> _Cell:
    """A name, and the socket where it is not the usual one."""
    name, socket = value
    return _Cell(_short(name), "code", note="" if not socket or socket.endswith("/default") else _short(socket))


def _window(value: Tuple[str, str]) -> _Cell:
    window, name = value
    return _Cell(_short(name), "code", note=_short(window))


def _names(value: Sequence[str]) -> _Cell:
    return _Cell(_short(", ".join(value)), "code") if value else _NONE


def _ports(value: Optional[Sequence[int]]) -> _Cell:
    return _Cell(_short(", ".join(map(str, value)))) if value else _NONE


def _amount(worded: Callable[[int], str]) -> Callable[[Optional[int]], _Cell]:
    return lambda value: _NO_NUMBER if value is None else _Cell(worded(value), "n", str(value))


def _number(value: Optional[int]) -> _Cell:
    return _NO_NUMBER if value is None else _Cell(_grouped(value), "n" if value else "n zero", str(value))


def _size(value: Optional[int]) -> _Cell:
    return _Cell(sized(value), "n", str(value)) if value else _NO_NUMBER


def _moment(text: Optional[str]) -> Optional[datetime]:
    try:
        moment = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _date(text: Optional[str]) -> _Cell:
    """A date from a text: as it is where it is not understood."""
    moment = _moment(text)
    return _at(moment) if moment else _text(text)


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _epoch(seconds: Optional[int]) -> _Cell:
    if seconds is None:
        return _NONE
    try:
        return _at(_EPOCH + timedelta(seconds=seconds))
    except OverflowError:
        return _Cell(str(seconds), "n", str(seconds))


def _at(moment: datetime) -> _Cell:
    try:
        moment = moment.astimezone(timezone.utc)
    except OverflowError:
        pass  # a date at the end of the calendar stays in its own zone
    iso = moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    value = str(int((moment - _EPOCH).total_seconds()))
    return _Cell(moment.strftime("%Y-%m-%d %H:%M"), "when", value, iso)


_KINDS: Dict[str, Callable[[Any], _Cell]] = {
    "text": _text,
    "prose": _styled("prose"),
    "code": _styled("code"),
    "pill": _styled("pill"),
    "message": _message,
    "status": _status,
    "state": _state,
    "session": _session,
    "window": _window,
    "names": _names,
    "ports": _ports,
    "number": _number,
    "plain_number": _amount(str),
    "size": _size,
    "duration": _amount(spoken),
    "epoch": _epoch,
    "date": _date,
}
