# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as a text that a person reads in a terminal: the ink for the summary and the sections. Pure."""

from typing import Dict, List, NamedTuple, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.plugin_utils._cells import (
    CODE,
    MESSAGE,
    NAMES,
    NOTED_NAME,
    NOTED_STATUS,
    PROSE,
    TEXT,
    Cell,
    Kind,
    short,
)
from ansible_collections.fleet.tmux.plugins.plugin_utils._columns import Head, Lines, fits, hanging, laid_out, listed
from ansible_collections.fleet.tmux.plugins.plugin_utils._sections import HOST, Column, Section, is_plain, sections
from ansible_collections.fleet.tmux.plugins.plugin_utils._summary import Asked, Summary, Total, next_step, summary
from ansible_collections.fleet.tmux.plugins.plugin_utils._words import Report, grouped

_FLOORS: Dict[Kind, int] = {PROSE: 24, MESSAGE: 24, NAMES: 16, NOTED_NAME: 16, TEXT: 16, NOTED_STATUS: 22}
"""How narrow what has words may become before something else gives way; numbers and single words are not broken."""
_UNBROKEN = 1000
_PROSE = frozenset([PROSE, MESSAGE, NOTED_STATUS, NOTED_NAME])
_FOLDED = frozenset(["kept", "hosts", "owners", "unlisted", "lives_on", "policies"])
"""Sections that tell what is as it was, or what others tell too: they must not push the rest out of sight."""
_MOST_LINES = 20


class Paper(NamedTuple):
    """What a text is written for.

    ``width``: how long a line may be; None for any length. ``folded``: whether long sections of what stays are cut.
    ``files``: where the whole report was written. ``asked``: how the run was started, so that the next can be named.
    ``proposed``: whether it is what somebody is asked to allow. ``known``: whether they have just read all of it, and
    wanted nothing of it. ``besides``: what else is done than what is done to sessions.
    """

    width: Optional[int] = None
    folded: bool = False
    files: Sequence[str] = ()
    asked: Optional[Asked] = None
    proposed: bool = False
    known: bool = False
    besides: Sequence[str] = ()


PLAIN = Paper()
"""For a text that goes anywhere."""


def table(report: Report, paper: Paper = PLAIN) -> str:
    """The text of a report: what matters most stands last, for that is what a terminal shows when all is said."""
    if paper.known:
        return "\n".join(_file(paper))
    drawn = [
        _drawn(section) for section in reversed(sections(report)) if not section.excerpt and _says_more(section, report)
    ]
    domain = common_domain([host["host"] for host in report["hosts"]])
    if not any(each.about_hosts and not fits(each.heads, each.rows, paper.width) for each in drawn):
        domain = ""
    told = [_section(each, paper, domain) for each in drawn]
    return "\n\n".join("\n".join(lines) for lines in [*told, _end(report, summary(report), paper, domain)])


def _says_more(section: Section, report: Report) -> bool:
    """Whether a section says more than the last lines: the sums of one host, or one owner, are those of all."""
    if section.key == "hosts":
        return len(report["hosts"]) > 1 or not is_plain(report["hosts"][0])
    if section.key == "reasons":
        return bool(report["totals"]["kept"] > 1)
    return section.key != "owners" or len(report["owners"]) > 1


def _end(report: Report, told: Summary, paper: Paper, domain: str) -> Lines:
    """What is said of the whole."""
    verdict = " ".join(f"{part}." for part in (told.verdict, told.troubles) if part)
    lines = hanging(verdict, paper.width, first="")
    for banner in () if paper.proposed else told.banners:
        lines += hanging(_line(f"{banner.title} {banner.text}"), paper.width, first="")
    lines += listed([_total(total) for total in told.totals], paper.width)
    for each in paper.besides:
        lines += hanging(f"Besides: {each}", paper.width, first="")
    if domain:
        lines += hanging(f"The name of each host ends in {_line(domain)}", paper.width, first="")
    if told.policy:
        lines += listed(f"Policy: {told.policy}".split("; "), paper.width)
    return lines + _where(report, paper)


def _where(report: Report, paper: Paper) -> Lines:
    """Where the report is, and what to do next."""
    lines = _file(paper)
    if paper.asked is not None:
        step = next_step(report, paper.asked, bool(paper.files))
        lines += hanging("Next: " + step.words, paper.width, first="") if step.words else []
        # In one line, however long: the second of two would be a command of its own to whoever pastes them.
        lines += ["  " + step.command] if step.command else []
    return lines


def _file(paper: Paper) -> Lines:
    return hanging("Report: " + short(_page_of(paper.files)), paper.width, first="") if paper.files else []


def _page_of(files: Sequence[str]) -> str:
    """The one that a person opens."""
    return next((path for path in files if path.endswith(".html")), files[0])


def _total(total: Total) -> str:
    return f"{total.label}: {total.value}" + (f" ({total.note})" if total.note else "")


# --- sections ---------------------------------------------------------------------------------------------------------


def common_domain(names: Sequence[str]) -> str:
    """What the names of all hosts end with, so that they can be told apart without it: ``.example.com``, or nothing."""
    if len(names) < 2:
        return ""
    shared = ""
    for labels in map(set, zip(*(reversed(name.split(".")[1:]) for name in names))):
        if len(labels) > 1:
            break
        shared = f".{labels.pop()}{shared}"
    # The numbers of an address are no domain.
    return "" if shared.rpartition(".")[2].isdigit() else shared


def tables(every: Sequence[Section], paper: Paper) -> str:
    """Sections, one below the other."""
    return "\n\n".join("\n".join(_section(_drawn(each), paper, "")) for each in every)


class _Drawn(NamedTuple):
    """A section as columns of text."""

    section: Section
    heads: List[Head]
    rows: List[List[str]]

    @property
    def about_hosts(self) -> bool:
        """Whether each row begins with the name of a host."""
        return self.section.columns[0] == HOST


def _drawn(section: Section) -> _Drawn:
    numbers = [number for number, column in enumerate(section.columns) if not column.wide]
    heads = [_head(section.columns[number], number > 0) for number in numbers]
    return _Drawn(section, heads, [[_cell(row[number]) for number in numbers] for row in section.rows])


def _section(drawn: _Drawn, paper: Paper, domain: str) -> Lines:
    """:param domain: what is left out of the names of hosts."""
    section, heads, rows = drawn
    if domain and drawn.about_hosts:
        rows = [[row[0].removesuffix(domain), *row[1:]] for row in rows]
    titles, *told = laid_out(heads, rows, paper.width)
    if paper.folded and section.key in _FOLDED:
        told = _cut(told, paper)
    return [f"{section.title}:", *titles, *(line for lines in told for line in lines)]


def _head(column: Column, follows: bool) -> Head:
    return Head(
        column.heading.upper(),
        right=column.kind.look == "n",
        floor=_FLOORS.get(column.kind, _UNBROKEN),
        spare=column.spare,
        below=follows and column.kind == CODE,
        prose=column.kind in _PROSE,
    )


def _cut(rows: List[Lines], paper: Paper) -> List[Lines]:
    """As many rows as have room, and how many more there are."""
    room, shown = _MOST_LINES, 0
    for lines in rows:
        room -= len(lines)
        if room < 0:
            break
        shown += 1
    left = len(rows) - shown
    where = (
        "the report has all" if paper.files else "tmux_cleanup_report_dir names a directory for a report that has all"
    )
    return [*rows[:shown], *([hanging(f"... and {grouped(left)} more; {where}", paper.width)] if left else [])]


def _cell(cell: Cell) -> str:
    text = "-" if cell.look.endswith("none") else _line(cell.text)
    return f"{text} ({cell.note})" if cell.note else text


def _line(text: str) -> str:
    return " ".join(text.split("\n")).strip()
