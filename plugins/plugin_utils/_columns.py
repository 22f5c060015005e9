# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts in columns, and in lines that are no longer than a terminal is wide. Pure."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import char_columns, columns

_GAP = 2
_NARROWEST = 4
_NARROW_PROSE = 12
_LONG_WORD = 32
"""A word that is longer may be broken before a column is left out."""
_WIDTH_LIMIT = 40
"""How far one cell that is out of the ordinary may push the others, where lines may be of any length."""

Lines = List[str]


class Head(NamedTuple):
    """A column: its heading, and what becomes of it where lines are short.

    ``floor``: it is not made narrower than this as long as others can give way. ``spare``: it is left out first.
    ``below``: it then goes to a line of its own. ``prose``: it then is made narrower before names are broken.
    """

    text: str
    right: bool = False
    floor: int = 1000
    spare: bool = False
    below: bool = False
    prose: bool = False


class _Plan(NamedTuple):
    """The columns that stand side by side, by number, each with its width; and those whose cells stand below."""

    widths: Dict[int, int]
    below: Sequence[int]


def laid_out(heads: Sequence[Head], rows: Sequence[Sequence[str]], width: Optional[int] = None) -> List[Lines]:
    """The lines of the headings, and those of each row.

    :param width: what no line is wider than; None where a line may be of any length.
    """
    if width is None:
        return _unbounded(heads, rows)
    plan = _planned(heads, rows, width)
    titles = {number: _wrapped(heads[number].text, wide) for number, wide in plan.widths.items()}
    tallest = max((len(lines) for lines in titles.values()), default=0)
    raised = {number: [""] * (tallest - len(lines)) + lines for number, lines in titles.items()}
    return [_side_by_side(raised, plan, heads), *(_row(row, plan, heads, width) for row in rows)]


def fits(heads: Sequence[Head], rows: Sequence[Sequence[str]], width: Optional[int]) -> bool:
    """Whether every cell stands in one line, as it is, in lines of this width."""
    return width is None or _sum(_whole(heads, rows)) <= width


def _unbounded(heads: Sequence[Head], rows: Sequence[Sequence[str]]) -> List[Lines]:
    every = [[head.text for head in heads], *rows]
    widths = [min(max(columns(cell) for cell in cells), _WIDTH_LIMIT) for cells in zip(*every)]
    plan = _Plan(dict(enumerate(widths)), ())
    return [_side_by_side({number: [cell] for number, cell in enumerate(row)}, plan, heads) for row in every]


def _row(row: Sequence[str], plan: _Plan, heads: Sequence[Head], width: int) -> Lines:
    cells = {number: _wrapped(row[number], wide) for number, wide in plan.widths.items()}
    lines = _side_by_side(cells, plan, heads)
    for number in plan.below:
        if row[number] not in ("", "-"):
            lines += hanging(f"{heads[number].text.lower()}: {row[number]}", width, "    ")
    return lines


def _side_by_side(cells: Dict[int, Lines], plan: _Plan, heads: Sequence[Head]) -> Lines:
    height = max((len(lines) for lines in cells.values()), default=0)
    return [
        "".join(
            " " * _GAP + _padded(cells[number][line] if line < len(cells[number]) else "", wide, heads[number].right)
            for number, wide in plan.widths.items()
        ).rstrip()
        for line in range(height)
    ]


def _padded(cell: str, width: int, right: bool) -> str:
    space = " " * max(0, width - columns(cell))
    return space + cell if right else cell + space


# --- widths -----------------------------------------------------------------------------------------------------------


def _planned(heads: Sequence[Head], rows: Sequence[Sequence[str]], width: int) -> _Plan:
    """The widths with which every line fits: as they are, or with what can give way, in the order of what is lost."""
    whole = _whole(heads, rows)
    if _sum(whole) <= width:
        return _Plan(whole, ())
    cells = _widest(len(heads), rows)
    wanted = {number: max(cells[number], _longest_word(head.text)) for number, head in enumerate(heads)}
    words = {number: max((_longest_word(row[number]) for row in rows), default=0) for number in wanted}
    least = {
        number: min(wide, max(heads[number].floor, min(words[number], _LONG_WORD), _longest_word(heads[number].text)))
        for number, wide in wanted.items()
    }
    below = _give_way(heads, least, width)
    return _Plan(_grown(_shrunk(heads, least, width), wanted, width), below)


def _whole(heads: Sequence[Head], rows: Sequence[Sequence[str]]) -> Dict[int, int]:
    """The widths with which nothing is broken."""
    cells = _widest(len(heads), rows)
    return {number: max(cells[number], columns(head.text)) for number, head in enumerate(heads)}


def _widest(number: int, rows: Sequence[Sequence[str]]) -> List[int]:
    return [max((columns(row[each]) for row in rows), default=0) for each in range(number)]


def _give_way(heads: Sequence[Head], least: Dict[int, int], width: int) -> Sequence[int]:
    """Take columns out of ``least`` until the others fit; those that go below are returned."""
    for number in reversed([number for number, head in enumerate(heads) if head.spare]):
        if _sum(least) > width:
            del least[number]
    below: List[int] = []
    for number in reversed([number for number in least if heads[number].below]):
        if _sum(least) > width:
            del least[number]
            below.insert(0, number)
    return below


def _sum(widths: Dict[int, int]) -> int:
    return sum(widths.values()) + _GAP * len(widths)


def _shrunk(heads: Sequence[Head], widths: Dict[int, int], width: int) -> Dict[int, int]:
    """Take from the widest until all fit, or nothing can be taken any more; from prose first."""
    while _sum(widths) > width:
        prose = [number for number in widths if heads[number].prose and widths[number] > _NARROW_PROSE]
        number = max(prose or widths, key=lambda number: widths[number])
        if widths[number] <= _NARROWEST:
            break
        widths[number] -= 1
    return widths


def _grown(widths: Dict[int, int], wanted: Dict[int, int], width: int) -> Dict[int, int]:
    """Give what is left to the narrowest that want more."""
    while _sum(widths) < width:
        hungry = [number for number in widths if widths[number] < wanted[number]]
        if not hungry:
            break
        widths[min(hungry, key=lambda number: widths[number])] += 1
    return widths


def _longest_word(text: str) -> int:
    return max((columns(word) for word in text.split()), default=0)


# --- lines ------------------------------------------------------------------------------------------------------------


def hanging(text: str, width: Optional[int], indent: str = "  ", first: Optional[str] = None) -> Lines:
    """A text in lines that fit, all but the first (unless it says something else) indented."""
    first = indent if first is None else first
    if width is None:
        return [first + text]
    return _filled(text.split(" "), width, first, indent)


def listed(items: Sequence[str], width: Optional[int], indent: str = "  ") -> Lines:
    """Items with ``; `` between them, none of them broken that fits in a line."""
    parts = [*(item + ";" for item in items[:-1]), *items[-1:]]
    if width is None:
        return [" ".join(parts)]
    return _filled(parts, width, "", indent)


def _wrapped(text: str, width: int) -> Lines:
    return _filled(text.split(" "), width, "", "")


def _filled(parts: Sequence[str], width: int, first: str, indent: str) -> Lines:
    """Lines of these parts with spaces between them; what is too long for any line is broken."""
    lines: Lines = []
    line, empty = first, True
    for part in parts:
        if not empty and columns(line) + 1 + columns(part) > width:
            lines.append(line)
            line, empty = indent, True
        line += part if empty else " " + part
        empty = False
        while columns(line) > width:
            head, rest = _broken(line, width, len(indent) + 1)
            lines.append(head)
            line = indent + rest
    return [*lines, line]


def _broken(line: str, width: int, least: int) -> Tuple[str, str]:
    """What of a line fits, at the end of a word, or of a folder of a path or a part of a name if there is one, and the
    rest."""
    room, place = 0, 0
    while place < len(line) and room + char_columns(line[place]) <= width:
        room += char_columns(line[place])
        place += 1
    place = max(place, least)
    space = line.rfind(" ", least, place + 1)
    if space > 0:
        return line[:space], line[space + 1 :]
    half = max(least, place // 2)
    place = (line.rfind("/", half, place) + 1) or (line.rfind(".", half, place) + 1) or place
    return line[:place], line[place:]
