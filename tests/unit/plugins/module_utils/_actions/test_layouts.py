# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A layout is one only if it is exactly as tmux writes it."""

import re

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.restore import DEPTH_LIMIT, problem_of
from ansible_collections.fleet.tmux.tests.support.layouts import (
    RECORDED,
    STRANGE,
    Layout,
    any_layout,
    any_mutant,
    written,
)
from hypothesis import given


@pytest.mark.parametrize("layout", RECORDED, ids=[layout[0][:4] for layout in RECORDED])
def test_what_tmux_has_written_is_one(layout: Layout) -> None:
    text, panes = layout
    assert problem_of(*layout) is None
    assert "panes" in (problem_of(text, panes + 1) or "")


@pytest.mark.parametrize("layout", STRANGE, ids=[layout[0][:4] for layout in STRANGE])
def test_what_tmux_would_not_take_everywhere_is_none(layout: Layout) -> None:
    assert problem_of(*layout) is not None


@given(any_layout())
def test_whatever_tmux_could_write_is_one(layout: Layout) -> None:
    assert problem_of(*layout) is None


@given(any_mutant())
def test_a_changed_one_is_none_or_says_the_same_of_places(layout: Layout) -> None:
    """Only the number of a pane may differ, which tmux does not look at: all cells still fill the window exactly."""
    text, panes = layout
    if problem_of(*layout) is not None:
        return
    assert text == written(text[5:])
    cells = [tuple(map(int, cell)) for cell in re.findall(r"(\d+)x(\d+),(\d+),(\d+)", text)]
    width, height, *begin = cells[0]
    assert begin == [0, 0]
    assert all(0 < across <= width and 0 < down <= height for across, down, _left, _top in cells)
    assert all(left + across <= width and top + down <= height for across, down, left, top in cells)
    leaves = re.findall(r"(\d+)x(\d+),\d+,\d+,\d+", text)
    assert len(leaves) == panes
    assert sum(int(across) * int(down) for across, down in leaves) <= width * height


def nested(depth: int) -> str:
    """Side by side, so deep: a pane of one column and a line before all that follows."""
    width = 2 * depth + 1
    left = 0
    text = ""
    for level in range(depth):
        text += "%dx3,%d,0{1x3,%d,0,%d," % (width - left, left, left, level)
        left += 2
    return written(text + "%dx3,%d,0,%d" % (width - left, left, depth) + "}" * depth)


def test_how_deep_cells_are_nested_has_a_limit() -> None:
    for depth in (1, DEPTH_LIMIT):
        assert problem_of(nested(depth), depth + 1) is None
    for depth in (DEPTH_LIMIT + 1, 2000):
        assert "deep" in (problem_of(nested(depth), depth + 1) or "")
    assert "longer" in (problem_of(written("9" * 70000), 1) or "")
    assert problem_of(written("1x1,0,0{" * 8000), 1) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-x",
        "tiled",
        "0000,",
        "0000,80x24,0,0,0",
        written(""),
        written("80x24,0,0"),
        written("80x24,0,0,0 "),
        written("80x24,0,0,0\n"),
        written("80x24,0,0,0,"),
        written("80x24,0,0,0}"),
        written("80x24,0,0{"),
        written("80x24,0,0{}"),
        written("80x24,0,0{80x24,0,0,0}"),
        written("80x24,0,0{40x24,0,0,0,39x24,41,0,1]"),
        written("80x24,0,0{40x24,0,0,0,39x24,40,0,1}"),
        written("80x24,0,0{40x24,0,0,0,40x24,41,0,1}"),
        written("80x24,0,0[40x24,0,0,0,39x24,41,0,1]"),
        written("+80x24,0,0,0"),
        written("80x24,0,0,99999999999"),
        written("\u0668\u0660x24,0,0,0"),
    ],
)
def test_what_is_written_otherwise_is_none(text: str) -> None:
    for panes in (0, 1, 2):
        assert problem_of(text, panes) is not None


@pytest.mark.parametrize("size", [(0, 1), (10001, 1), (1, 65535), (99999, 99999), (4294967295, 1)])
def test_no_window_is_larger_than_every_tmux_takes(size: "tuple[int, int]") -> None:
    assert problem_of(written("%dx%d,0,0,0" % size), 1) is not None
    assert problem_of(written("10000x10000,0,0,0"), 1) is None
