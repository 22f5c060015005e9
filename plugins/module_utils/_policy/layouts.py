# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the panes of a window lie as is declared, as far as that can be told. Pure."""

import re
from typing import Optional, Set

_CELL = r"[0-9]{1,5}x[0-9]{1,5},[0-9]{1,5},[0-9]{1,5}"
_WRITTEN = re.compile(r"[0-9a-f]{4},(%s.*)" % _CELL)
_PANE = re.compile(r"(%s),[0-9]{1,10}(?![0-9x])" % _CELL)
_SHAPE = re.compile(r"[.,{}\[\]]+")

TILED = "tiled"


def is_laid_otherwise(declared: str, found: str, panes: int, columns: int = 0) -> bool:
    """Whether panes lie otherwise than is declared; what cannot be told is the same.

    Another size of the window changes the sizes of its panes, but not which of them are beside or below each other.

    :param columns: how many columns of tiled panes there are at most; 0 for no limit.
    """
    now = _cells(found)
    if not declared or now is None or panes < 2:
        return False
    wanted = _cells(declared)
    if wanted is None:
        shapes = _shapes_of(declared, panes, columns)
        return bool(shapes) and _shape(now) not in shapes
    return wanted != now if _size(wanted) == _size(now) else _shape(wanted) != _shape(now)


def _cells(layout: str) -> Optional[str]:
    """A layout without what tells nothing of it, the numbers of the panes; None if that is no layout."""
    written = _WRITTEN.fullmatch(layout)
    cells = None if written is None else _PANE.sub(r"\1", written.group(1))
    return cells if cells is not None and _SHAPE.fullmatch(_shape(cells)) else None


def _shape(cells: str) -> str:
    """Which panes are beside and below each other."""
    return re.sub(_CELL, ".", cells)


def _size(cells: str) -> str:
    return cells.partition(",")[0]


def _shapes_of(name: str, panes: int, columns: int) -> Set[str]:
    """The shapes that a layout with a name may have; none where they are not known."""
    row, column = ("." + mark + ",".join(["."] * panes) + end for mark, end in ("{}", "[]"))
    rest = ",".join(["."] * (panes - 1))
    shapes = {
        "even-horizontal": {row},
        "even-vertical": {column},
        "main-vertical": {row if panes == 2 else ".{.,.[%s]}" % rest},
        "main-horizontal": {column if panes == 2 else ".[.,.{%s}]" % rest},
        # Panes that were laid out before tmux was told a number of columns stay as they are.
        TILED: {_tiled(panes, 0), _tiled(panes, columns)},
    }
    return shapes.get(name, set())


def _tiled(panes: int, most: int) -> str:
    """Rows of as many panes, but for the last one: there is a row more, and then a column more, until all have room."""
    rows = columns = 1
    while rows * columns < panes:
        rows += 1
        if rows * columns < panes and (most == 0 or columns < most):
            columns += 1
    sizes = [min(columns, panes - first) for first in range(0, panes, columns)]
    return ".[%s]" % ",".join("." if size == 1 else ".{%s}" % ",".join(["."] * size) for size in sizes)
