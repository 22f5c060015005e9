# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the panes of a window lie as is declared, as far as that can be told. Pure."""

import re
from typing import Optional

_CELL = r"[0-9]{1,5}x[0-9]{1,5},[0-9]{1,5},[0-9]{1,5}"
_WRITTEN = re.compile(r"[0-9a-f]{4},(%s.*)" % _CELL)
_PANE = re.compile(r"(%s),[0-9]{1,10}(?![0-9x])" % _CELL)
_SHAPE = re.compile(r"[.,{}\[\]]+")


def is_laid_otherwise(declared: str, found: str, panes: int) -> bool:
    """Whether panes lie otherwise than is declared; what cannot be told is the same.

    Another size of the window changes the sizes of its panes, but not which of them are beside or below each other.
    """
    now = _cells(found)
    if not declared or now is None or panes < 2:
        return False
    wanted = _cells(declared)
    if wanted is None:
        shape = _shape_of(declared, panes)
        return shape is not None and shape != _shape(now)
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


def _shape_of(name: str, panes: int) -> Optional[str]:
    """The shape of a layout that has a name. How many columns tiled panes have depends on the tmux."""
    row, column = ("." + mark + ",".join(["."] * panes) + end for mark, end in ("{}", "[]"))
    rest = ",".join(["."] * (panes - 1))
    shapes = {
        "even-horizontal": row,
        "even-vertical": column,
        "main-vertical": row if panes == 2 else ".{.,.[%s]}" % rest,
        "main-horizontal": column if panes == 2 else ".[.,.{%s}]" % rest,
    }
    return shapes.get(name)
