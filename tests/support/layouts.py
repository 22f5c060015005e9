# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Layouts: some that tmux has written, any that it could write, and what becomes of them when somebody changes them."""

from typing import List, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.restore import checksum
from hypothesis import strategies as st

Layout = Tuple[str, int]
"""What is written, and for how many panes."""

RECORDED: List[Layout] = [
    # What 2.7, 3.0a, 3.3a, 3.4 and 3.7c write alike.
    ("aafd,120x40,0,0,0", 1),
    ("f91d,120x40,0,0{60x40,0,0,0,59x40,61,0,1}", 2),
    (
        "38a1,120x40,0,0{60x40,0,0,0,59x40,61,0[59x20,61,0,1,59x19,61,21{29x19,61,21,2,29x19,91,21[29x9,91,21,3,"
        "29x9,91,31,4]}]}",
        5,
    ),
    (
        "c253,120x40,0,0{60x40,0,0[60x36,0,0,0,60x3,0,37,5],59x40,61,0[59x20,61,0,1,59x19,61,21{29x19,61,21,2,"
        "29x19,91,21[29x9,91,21,3,29x9,91,31,4]}]}",
        6,
    ),
    # 2.7 to 3.4, and 3.7c, where they differ.
    ("023c,120x40,0,0{23x40,0,0,0,23x40,24,0,5,23x40,48,0,2,23x40,72,0,3,24x40,96,0,4}", 5),
    ("4a32,120x40,0,0{24x40,0,0,0,23x40,25,0,5,23x40,49,0,2,23x40,73,0,3,23x40,97,0,4}", 5),
    (
        "4c7f,120x40,0,0[120x12,0,0{59x12,0,0,0,60x12,60,0,5},120x12,0,13{59x12,0,13,2,60x12,60,13,3},120x14,0,26,4]",
        5,
    ),
    # 3.2a, whose windows are 80x23 whatever was asked for.
    ("ae5d,80x23,0,0,0", 1),
    ("fb7b,80x23,0,0{78x23,0,0,0,1x23,79,0[1x5,79,0,5,1x5,79,6,2,1x5,79,12,3,1x5,79,18,4]}", 5),
    ("8c5d,80x23,0,0[80x11,0,0{63x11,0,0,3,16x11,64,0,4},80x11,0,12{40x11,0,12,6,39x11,41,12,7}]", 4),
]

STRANGE: List[Layout] = [
    # 2.7 writes a wrong size before tiled panes, and takes it for none itself.
    (
        "dc87,119x38,0,0[120x12,0,0{59x12,0,0,0,60x12,60,0,5},120x12,0,13{59x12,0,13,2,60x12,60,13,3},120x14,0,26,4]",
        5,
    ),
    # Panes of 3.7c may float.
    ("3739,120x40,0,0[120x40,0,0,8,60x10,4,2,9]<60x10,4,2,9>", 2),
]
"""What tmux writes too, and is not given to any again: the panes are tiled instead."""


def written(cells: str) -> str:
    return checksum(cells) + "," + cells


@st.composite
def any_layout(draw: st.DrawFn) -> Layout:
    """One that tmux could have written."""
    panes: List[int] = []

    def cell(width: int, height: int, left: int, top: int, depth: int) -> str:
        place = "%dx%d,%d,%d" % (width, height, left, top)
        room = {"{": width, "[": height}
        marks = [mark for mark, length in room.items() if length >= 3]
        if not marks or depth > 4 or draw(st.integers(0, 2)) == 0:
            panes.append(len(panes))
            return "%s,%d" % (place, panes[-1])
        mark = draw(st.sampled_from(marks))
        lengths = _parts(draw, room[mark])
        parts = []
        for length in lengths:
            part = (length, height) if mark == "{" else (width, length)
            parts.append(cell(*part, left, top, depth + 1))
            left, top = (left + length + 1, top) if mark == "{" else (left, top + length + 1)
        return place + mark + ",".join(parts) + {"{": "}", "[": "]"}[mark]

    text = cell(draw(st.integers(1, 300)), draw(st.integers(1, 100)), 0, 0, 0)
    return written(text), len(panes)


def _parts(draw: st.DrawFn, whole: int) -> List[int]:
    lengths = []
    for _part in range(draw(st.integers(1, 3))):
        if whole < 3:
            break
        lengths.append(draw(st.integers(1, whole - 2)))
        whole -= lengths[-1] + 1
    return [*lengths, whole]


@st.composite
def any_mutant(draw: st.DrawFn) -> Layout:
    """One that somebody has changed, most often with a checksum that is right again."""
    layout, panes = draw(any_layout())
    cells = layout[5:]
    for _change in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(cells)))
        end = min(len(cells), start + draw(st.integers(0, 12)))
        new = draw(st.one_of(st.text("0123456789x,{}[]<>-", max_size=12), st.just(cells[start:end] * 2)))
        cells = cells[:start] + new + cells[end:]
    if draw(st.integers(0, 3)) == 0:
        return layout[:5] + cells, panes
    return written(cells), panes
