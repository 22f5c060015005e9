# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cleanup did on a fleet, as a table that a person reads."""

import unicodedata
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Sequence

DOCUMENTATION = r"""
name: cleanup_table
short_description: Make one readable table of the results of many hosts
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Turns what M(fleet.tmux.tmux_session_prune) returned on each host into plain text for people.
  - It begins with the sum. A table follows with a line for each host and owner, saying how many sessions were looked
    at, removed, given notice (marked), kept and why. Then come all removed, marked and kept sessions with the reason
    of each, processes that outlived their session, and whatever went wrong, hosts that failed or could not be reached
    included.
  - Control characters and the like are written as escapes, wherever the text comes from.
positional: _input
options:
  _input:
    description:
      - What each host returned, by the name of the host. A value may be the result of a failed task, or empty when
        the host did not get that far.
    type: dict
    required: true
  check_mode:
    description:
      - Whether the results were made in check mode, so that the text says what would be removed, not what was.
    type: bool
    default: false
seealso:
  - module: fleet.tmux.tmux_session_prune
"""

EXAMPLES = r"""
- name: Remove idle sessions
  fleet.tmux.tmux_session_prune:
    idle: 2d
  register: cleanup

- name: Say what was done on all hosts
  ansible.builtin.debug:
    msg: "{{ (dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'cleanup')))
      | fleet.tmux.cleanup_table).splitlines() }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The text. Its lines are separated by newlines.
  type: str
"""

_MESSAGE_LIMIT = 300
_WIDTH_LIMIT = 40
_WELL = ("ok", "absent")

# What became of a session: the lists of a result, in the order of the columns.
_OUTCOMES = ("removed", "marked", "kept", "failures")
_SESSION = ("HOST", "OWNER", "SESSION", "WHY")

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
    _COLUMNS + ("REMOVED", "MARKED", "KEPT", "FAILED", "WHY KEPT"),
)
_PLANNED = _Words(
    "would be removed",
    "would be freed",
    "Would be removed",
    "Would be given notice",
    "Would be kept",
    _COLUMNS + ("TO REMOVE", "TO MARK", "TO KEEP", "FAILED", "WHY KEEP"),
)


class _Report(NamedTuple):
    """What one host returned."""

    host: str
    result: Mapping[str, Any]

    def items(self, key: str) -> List[Mapping[str, Any]]:
        """The entries of one of its lists; a host that failed early has none."""
        return [item for item in self.result.get(key) or [] if isinstance(item, Mapping)]

    def number(self, outer: str, inner: str) -> int:
        found = (self.result.get(outer) or {}).get(inner)
        return found if isinstance(found, int) else 0

    @property
    def problem(self) -> str:
        """Why there is no full result, or nothing."""
        if self.result.get("unreachable"):
            return "unreachable: %s" % _message(self.result)
        if self.result.get("failed"):
            return "failed: %s" % _message(self.result)
        return "" if "counts" in self.result else "there is no result"


def cleanup_table(results: Mapping[str, Any], check_mode: bool = False) -> str:
    """The text for results by host."""
    if not isinstance(results, Mapping):
        raise TypeError("cleanup_table takes a dictionary of results by host, not %s" % type(results).__name__)
    reports = [_Report(host, result if isinstance(result, Mapping) else {}) for host, result in results.items()]
    words = _PLANNED if check_mode else _DONE
    parts = [
        _sum(reports, words),
        _table(reports, words),
        _list(words.removed_title, _SESSION, _sessions(reports, "removed")),
        _list(words.marked_title, _SESSION, _sessions(reports, "marked")),
        _list(words.kept_title, _SESSION, _sessions(reports, "kept")),
        _list("Not removed, though it should be", _SESSION, _sessions(reports, "failures")),
        _list("Processes that outlived their session", ("HOST", "OWNER", "SESSION", "PROCESS"), _survivors(reports)),
        _list("Servers that could not be used", ("HOST", "OWNER", "SOCKET", "WHY"), _servers(reports)),
        _list("To know", ("HOST", "WHAT"), _notes(reports)),
        _list("Hosts with a problem", ("HOST", "WHAT"), [(it.host, it.problem) for it in reports if it.problem]),
    ]
    return "\n\n".join(part for part in parts if part)


def _sum(reports: Sequence[_Report], words: _Words) -> str:
    looked_at = sum(report.number("counts", "looked_at") for report in reports)
    removed = sum(report.number("counts", "removed") for report in reports)
    processes = sum(report.number("freed", "processes") for report in reports)
    size = sum(report.number("freed", "bytes") for report in reports)
    troubled = sum(1 for report in reports if report.problem)
    text = "%d of %s on %s %s." % (removed, _many(looked_at, "session"), _many(len(reports), "host"), words.removed)
    if removed:
        text += " %s and %s %s." % (_many(processes, "process", "processes"), _bytes(size), words.freed)
    if troubled:
        text += " %s a problem, see below." % ("1 host has" if troubled == 1 else "%d hosts have" % troubled)
    return text


def _many(number: int, one: str, many: str = "") -> str:
    return "%d %s" % (number, one if number == 1 else many or one + "s")


def _bytes(number: int) -> str:
    for power, unit in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
        if number >= 1024**power:
            return "%.1f %s" % (number / 1024.0**power, unit)
    return _many(number, "byte")


# --- one line for each host and owner ---------------------------------------------------------------------------------


def _table(reports: Sequence[_Report], words: _Words) -> str:
    rows = [row for report in reports for row in _host_rows(report)]
    return _aligned([words.columns] + rows, right=(2, 3, 4, 5, 6))


def _host_rows(report: _Report) -> List[Row]:
    owners = sorted({str(item.get("owner")) for key in _OUTCOMES for item in report.items(key)})
    if owners:
        return [_owner_row(report, owner) for owner in owners]
    why = report.problem.partition(":")[0] or "there are no sessions"
    return [[report.host] + ["-"] * (len(_OUTCOMES) + 2) + [why]]


def _owner_row(report: _Report, owner: str) -> Row:
    of_owner = {key: [item for item in report.items(key) if str(item.get("owner")) == owner] for key in _OUTCOMES}
    numbers = [len(of_owner[key]) for key in _OUTCOMES]
    return (
        [report.host, owner]
        + [str(number) for number in [sum(numbers)] + numbers]
        + [_reasons(of_owner["kept"]) or "-"]
    )


def _reasons(items: Sequence[Mapping[str, Any]]) -> str:
    """How many for each reason, the most frequent first: ``2 attached, 1 busy``."""
    counts: Dict[str, int] = {}
    for item in items:
        reason = str(item.get("reason"))
        counts[reason] = counts.get(reason, 0) + 1
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join("%d %s" % (number, reason) for reason, number in ranked)


# --- the lists below it -----------------------------------------------------------------------------------------------


def _sessions(reports: Sequence[_Report], key: str) -> List[Row]:
    return [
        (report.host, str(item.get("owner")), str(item.get("name")), _why(item))
        for report in reports
        for item in report.items(key)
    ]


def _survivors(reports: Sequence[_Report]) -> List[Row]:
    return [
        (report.host, str(item.get("owner")), str(item.get("name")), _process(process))
        for report in reports
        for item in report.items("removed")
        for process in item.get("survivors") or []
    ]


def _process(process: Mapping[str, Any]) -> str:
    return "%s %s: %s" % (process.get("pid"), process.get("command"), process.get("result"))


def _why(item: Mapping[str, Any]) -> str:
    """The reason in words, and the socket where it is not the usual one."""
    socket = str(item.get("socket") or "")
    where = "" if not socket or socket.endswith("/default") else " (on %s)" % socket
    reason, detail = str(item.get("reason")), str(item.get("detail") or "")
    return "%s: %s%s" % (reason, detail, where) if detail else reason + where


def _servers(reports: Sequence[_Report]) -> List[Row]:
    return [
        (report.host, str(it.get("owner")), str(it.get("socket")), "%s: %s" % (it.get("status"), it.get("reason")))
        for report in reports
        for it in report.items("servers")
        if it.get("status") not in _WELL
    ]


def _notes(reports: Sequence[_Report]) -> List[Row]:
    notes: List[Row] = []
    for report in reports:
        if report.result.get("scope") == "own":
            notes.append((report.host, "without root, only the sessions of one user could be looked at"))
        left_out = report.number("counts", "not_matched")
        if left_out:
            notes.append((report.host, "patterns or excludes left out %s" % _many(left_out, "session")))
    return notes


def _message(result: Mapping[str, Any]) -> str:
    text = " ".join(str(result.get("msg") or "no message").split())
    return text if len(text) <= _MESSAGE_LIMIT else text[:_MESSAGE_LIMIT] + "..."


def _list(title: str, head: Row, rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    return "%s:\n%s" % (title, _aligned([head] + list(rows), indent="  "))


# --- text -------------------------------------------------------------------------------------------------------------


def _aligned(rows: Iterable[Row], right: Sequence[int] = (), indent: str = "") -> str:
    cells = [[_harmless(cell) for cell in row] for row in rows]
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
    return sum(_char_columns(char) for char in text)


def _char_columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _harmless(text: str) -> str:
    """``text`` with escapes in place of what could move a cursor, reverse the direction or hide something."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    return "\\x%02x" % code if code < 0x100 else "\\u%04x" % code if code < 0x10000 else "\\U%08x" % code


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"cleanup_table": cleanup_table}
