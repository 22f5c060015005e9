# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as a text that a person reads in a terminal. Pure."""

import unicodedata
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Sequence

from ansible_collections.fleet.tmux.plugins.plugin_utils._report import COUNTED, WELL_SERVERS, sessions_of
from ansible_collections.fleet.tmux.plugins.plugin_utils._text import harmless, many, sized

_MESSAGE_LIMIT = 300
_WIDTH_LIMIT = 40
_SESSION = ("HOST", "OWNER", "SESSION", "WHY")

Report = Mapping[str, Any]
Row = Sequence[str]


class _Words(NamedTuple):
    """The words for what was done, or would be."""

    removed: str
    freed: str
    removed_title: str
    marked_title: str
    kept_title: str
    columns: Row


_COLUMNS = ("HOST", "OWNER", "LOOKED AT")
_DONE = _Words(
    "removed",
    "freed",
    "Removed",
    "Given notice",
    "Kept",
    (*_COLUMNS, "REMOVED", "MARKED", "KEPT", "FAILED", "WHY KEPT"),
)
_PLANNED = _Words(
    "would be removed",
    "would be freed",
    "Would be removed",
    "Would be given notice",
    "Would be kept",
    (*_COLUMNS, "TO REMOVE", "TO MARK", "TO KEEP", "FAILED", "WHY KEEP"),
)


def table(report: Report) -> str:
    """The text of a report."""
    words = _PLANNED if report["run"]["check_mode"] else _DONE
    problems = [(host["host"], _problem(host)) for host in report["hosts"] if host["status"] != "ok"]
    parts = [
        _sum(report["totals"], words),
        _guard(report["guard"]),
        _aligned(
            [words.columns] + [row for host in report["hosts"] for row in _host_rows(host)], right=(2, 3, 4, 5, 6)
        ),
        _list(words.removed_title, _SESSION, _sessions(report, "removed")),
        _list(words.marked_title, _SESSION, _sessions(report, "marked")),
        _list(words.kept_title, _SESSION, _sessions(report, "kept")),
        _list("Not removed, though it should be", _SESSION, _sessions(report, "failed")),
        _list("Processes that outlived their session", ("HOST", "OWNER", "SESSION", "PROCESS"), _survivors(report)),
        _list("Servers that could not be used", ("HOST", "OWNER", "SOCKET", "WHY"), _servers(report)),
        _list("To know", ("HOST", "WHAT"), _notes(report)),
        _list("Hosts with a problem", ("HOST", "WHAT"), problems),
    ]
    return "\n\n".join(part for part in parts if part)


def _sum(totals: Mapping[str, Any], words: _Words) -> str:
    looked_at, hosts = many(totals["looked_at"], "session"), many(totals["hosts"], "host")
    text = "%d of %s on %s %s." % (totals["removed"], looked_at, hosts, words.removed)
    if totals["removed"]:
        processes = many(totals["freed_processes"], "process", "processes")
        text += " %s and %s %s." % (processes, sized(totals["freed_bytes"]), words.freed)
    troubled = totals["hosts"] - totals["ok"]
    if troubled:
        text += " %s a problem, see below." % ("1 host has" if troubled == 1 else "%d hosts have" % troubled)
    return text


def _guard(guard: Mapping[str, Any]) -> str:
    if not guard["message"]:
        return ""
    what = "it" if guard["stopped"] else "a part of it"
    return "The limit for the whole fleet stopped %s: %s" % (what, harmless(guard["message"]))


# --- one line for each host and owner ---------------------------------------------------------------------------------


def _host_rows(host: Mapping[str, Any]) -> List[Row]:
    owners: Dict[str, List[Mapping[str, Any]]] = {}
    for session in host["sessions"]:
        owners.setdefault(session["owner"], []).append(session)
    if owners:
        return [_owner_row(host["host"], owner, owners[owner]) for owner in sorted(owners)]
    why = {"ok": "no session was looked at", "missing": host["message"]}.get(host["status"], host["status"])
    return [[host["host"]] + ["-"] * (len(COUNTED) + 2) + [why]]


def _owner_row(host: str, owner: str, own: Sequence[Mapping[str, Any]]) -> Row:
    numbers = [sum(1 for session in own if session["outcome"] == outcome) for outcome in COUNTED]
    kept = [session for session in own if session["outcome"] == "kept"]
    return [host, owner] + [str(number) for number in [len(own), *numbers]] + [_reasons(kept) or "-"]


def _reasons(sessions: Sequence[Mapping[str, Any]]) -> str:
    """How many for each reason, the most frequent first: ``2 attached, 1 busy``."""
    counts: Dict[str, int] = {}
    for session in sessions:
        counts[session["reason"]] = counts.get(session["reason"], 0) + 1
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join("%d %s" % (number, reason) for reason, number in ranked)


# --- the lists below it -----------------------------------------------------------------------------------------------


def _sessions(report: Report, outcome: str) -> List[Row]:
    return [(host, it["owner"], it["name"], _why(it)) for host, it in sessions_of(report, outcome)]


def _survivors(report: Report) -> List[Row]:
    return [
        (host, it["owner"], it["name"], "%s %s: %s" % (process["pid"], process["command"], process["result"]))
        for host, it in sessions_of(report, "removed")
        for process in it["survivors"]
    ]


def _why(session: Mapping[str, Any]) -> str:
    """The reason in words, and the socket where it is not the usual one."""
    socket, reason, detail = session["socket"], session["reason"], session["detail"]
    where = "" if not socket or socket.endswith("/default") else " (on %s)" % socket
    return "%s: %s%s" % (reason, detail, where) if detail else reason + where


def _servers(report: Report) -> List[Row]:
    return [
        (host["host"], it["owner"], it["socket"], "%s: %s" % (it["status"], it["reason"]))
        for host in report["hosts"]
        for it in host["servers"]
        if it["status"] not in WELL_SERVERS
    ]


def _notes(report: Report) -> List[Row]:
    notes: List[Row] = []
    for host in report["hosts"]:
        if host["scope"] == "own":
            notes.append((host["host"], "without root, only the sessions of one user could be looked at"))
        left_out = host["counts"]["not_matched"]
        if left_out:
            notes.append((host["host"], "patterns or excludes left out %s" % many(left_out, "session")))
    return notes


def _problem(host: Mapping[str, Any]) -> str:
    message = host["message"]
    short = message if len(message) <= _MESSAGE_LIMIT else message[:_MESSAGE_LIMIT] + "..."
    return short if host["status"] == "missing" else "%s: %s" % (host["status"], short)


def _list(title: str, head: Row, rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    return "%s:\n%s" % (title, _aligned([head] + list(rows), indent="  "))


# --- text -------------------------------------------------------------------------------------------------------------


def _aligned(rows: Iterable[Row], right: Sequence[int] = (), indent: str = "") -> str:
    cells = [[harmless(cell) for cell in row] for row in rows]
    # One cell that is out of the ordinary must not push everything else out of sight.
    widths = [min(max(_columns(cell) for cell in column), _WIDTH_LIMIT) for column in zip(*cells)]
    return "\n".join(_line(row, widths, right, indent) for row in cells)


def _line(row: Row, widths: Sequence[int], right: Sequence[int], indent: str) -> str:
    padded = [_padded(cell, width, index in right) for index, (cell, width) in enumerate(zip(row, widths))]
    return (indent + "  ".join(padded)).rstrip()


def _padded(cell: str, width: int, right: bool) -> str:
    space = " " * max(0, width - _columns(cell))
    return space + cell if right else cell + space


def _columns(text: str) -> int:
    """The columns that a terminal needs for a text."""
    return len(text) if text.isascii() else sum(_char_columns(char) for char in text)


def _char_columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
