# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether panes lie as is declared: what cannot be told is the same."""

import re
from typing import List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.layouts import is_laid_otherwise
from ansible_collections.fleet.tmux.tests.support.layouts import (
    RECORDED,
    STRANGE,
    Layout,
    any_layout,
    written,
)
from hypothesis import given
from hypothesis import strategies as st

ROW = written("80x24,0,0{40x24,0,0,0,39x24,41,0,1}")
COLUMN = written("80x24,0,0[80x12,0,0,0,80x11,0,13,1]")
MAIN = written("80x24,0,0{40x24,0,0,0,39x24,41,0[39x12,41,0,1,39x11,41,13,2]}")


def renumbered(layout: str) -> str:
    """The same with other panes."""
    return written(re.sub(r"(x\d+,\d+,\d+,)(\d+)(?![\dx])", r"\g<1>10\2", layout[5:]))


@given(any_layout())
def test_other_numbers_of_panes_are_the_same(layout: Layout) -> None:
    text, panes = layout
    assert not is_laid_otherwise(text, renumbered(text), panes)


@given(any_layout(), any_layout())
def test_another_place_of_a_pane_is_another_layout(one: Layout, other: Layout) -> None:
    differs = one[1] > 1 and re.sub("[0-9x]", "", one[0][5:]) != re.sub("[0-9x]", "", other[0][5:])
    assert not differs or is_laid_otherwise(one[0], other[0], one[1])


@pytest.mark.parametrize(
    "declared, found, panes, otherwise",
    [
        ("", ROW, 2, False),
        (ROW, COLUMN, 2, True),
        (ROW, written("80x24,0,0{41x24,0,0,0,38x24,42,0,1}"), 2, True),
        (ROW, written("160x50,0,0{90x50,0,0,0,69x50,91,0,1}"), 2, False),
        (COLUMN, written("160x50,0,0{90x50,0,0,0,69x50,91,0,1}"), 2, True),
        ("even-horizontal", ROW, 2, False),
        ("main-vertical", ROW, 2, False),
        ("even-vertical", ROW, 2, True),
        ("main-horizontal", ROW, 2, True),
        ("main-vertical", MAIN, 3, False),
        ("main-horizontal", MAIN, 3, True),
        ("even-horizontal", MAIN, 3, True),
        ("tiled", MAIN, 3, True),
        ("tiled", COLUMN, 2, False),
        ("tiled", ROW, 2, True),
        ("tiled", "nonsense", 3, False),
        ("tiled", "aafd,120x40,0,0,0", 1, False),
        ("tiled", STRANGE[0][0], 5, False),
        ("even-vertical", STRANGE[0][0], 5, True),
        ("even-horizontal", "nonsense", 3, False),
        ("even-horizontal", STRANGE[1][0], 2, False),
        ("even-vertical", "aafd,120x40,0,0,0", 1, False),
    ],
)
def test_what_is_otherwise(declared: str, found: str, panes: int, otherwise: bool) -> None:
    assert is_laid_otherwise(declared, found, panes) is otherwise


TILED = {
    2: [1, 1],
    3: [2, 1],
    4: [2, 2],
    5: [2, 2, 1],
    6: [2, 2, 2],
    7: [3, 3, 1],
    8: [3, 3, 2],
    9: [3, 3, 3],
    10: [3, 3, 3, 1],
    11: [3, 3, 3, 2],
    12: [3, 3, 3, 3],
    13: [4, 4, 4, 1],
    17: [4, 4, 4, 4, 1],
}
"""How many panes stand in each row, as 2.7, 3.3a and 3.7c lay them, whatever the size of the window."""


def tiled(rows: List[int]) -> str:
    row = ["80x24,0,0" if size == 1 else "80x24,0,0{%s}" % ",".join(["80x24,0,0,1"] * size) for size in rows]
    return written("80x24,0,0[%s]" % ",".join(one if "{" in one else one + ",1" for one in row))


@pytest.mark.parametrize("panes", TILED)
def test_panes_are_tiled_if_they_lie_as_tmux_lays_them(panes: int) -> None:
    for number, rows in TILED.items():
        assert is_laid_otherwise("tiled", tiled(rows), panes) is (number != panes)
    assert is_laid_otherwise("tiled", tiled([1] * panes), panes) is (panes > 2)


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("panes", [3, 7, 12])
def test_tiled_panes_have_no_more_columns_than_tmux_was_told(panes: int, columns: int) -> None:
    """That holds from the next time on that they are laid."""
    wide = min(columns, max(TILED[panes]))
    rows = [min(wide, panes - first) for first in range(0, panes, wide)]
    assert not is_laid_otherwise("tiled", tiled(rows), panes, columns)
    assert not is_laid_otherwise("tiled", tiled(TILED[panes]), panes, columns)
    assert is_laid_otherwise("tiled", tiled(rows), panes) is (rows != TILED[panes])


@pytest.mark.parametrize("layout, panes", RECORDED)
def test_each_is_as_it_was_written(layout: str, panes: int) -> None:
    assert not is_laid_otherwise(layout, layout, panes)


@given(st.text(max_size=200), st.integers(0, 9))
def test_whatever_a_server_says_is_no_trouble(text: str, panes: int) -> None:
    for word in ("even-vertical", "tiled"):
        assert is_laid_otherwise(word, text, panes) in (True, False)
