# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Columns that fit into the width that there is, and lose no more than they must."""

from typing import List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import columns
from ansible_collections.fleet.tmux.plugins.plugin_utils._columns import (
    Head,
    hanging,
    laid_out,
    listed,
)
from hypothesis import given
from hypothesis import strategies as st

SESSIONS = [
    Head("HOST", floor=8),
    Head("DETAIL", floor=12),
    Head("LONGEST IDLE", True, spare=True),
    Head("SAVED IN", below=True),
]
ROWS = [["login1", "idle for 2d 4h", "2d 4h", "/var/lib/x/one"], ["web", "-", "1s", "-"]]


def lines(heads: List[Head], rows: List[List[str]], width: int) -> List[str]:
    return [line for told in laid_out(heads, rows, width) for line in told]


def test_what_fits_stands_in_one_line_each() -> None:
    assert lines(SESSIONS, ROWS, 60) == [
        "  HOST    DETAIL          LONGEST IDLE  SAVED IN",
        "  login1  idle for 2d 4h         2d 4h  /var/lib/x/one",
        "  web     -                         1s  -",
    ]
    assert lines(SESSIONS, ROWS, 60) == [line for told in laid_out(SESSIONS, ROWS) for line in told]


def test_headings_are_broken_first() -> None:
    assert lines(SESSIONS, ROWS, 52) == [
        "                          LONGEST",
        "  HOST    DETAIL             IDLE  SAVED IN",
        "  login1  idle for 2d 4h    2d 4h  /var/lib/x/one",
        "  web     -                    1s  -",
    ]


def test_then_what_can_be_spared_goes() -> None:
    assert lines(SESSIONS, ROWS, 42) == [
        "  HOST    DETAIL          SAVED IN",
        "  login1  idle for 2d 4h  /var/lib/x/one",
        "  web     -               -",
    ]


def test_then_paths_go_below_and_texts_are_broken_between_words() -> None:
    assert lines(SESSIONS, ROWS, 22) == [
        "  HOST    DETAIL",
        "  login1  idle for 2d",
        "          4h",
        "    saved in:",
        "    /var/lib/x/one",
        "  web     -",
    ]


def test_a_word_is_not_broken_while_something_can_be_spared() -> None:
    heads = [Head("SESSION", floor=8), Head("IDLE", True, spare=True)]
    assert lines(heads, [["a-long-name", "2d"]], 15) == ["  SESSION", "  a-long-name"]


def test_prose_is_made_narrower_before_a_name_is_broken() -> None:
    heads = [Head("HOST", floor=8), Head("DETAIL", floor=24, prose=True)]
    assert lines(heads, [["build-01.example.com", "no activity for 16d 2h"]], 36) == [
        "  HOST                  DETAIL",
        "  build-01.example.com  no activity",
        "                        for 16d 2h",
    ]


def test_a_name_that_is_too_long_is_broken_at_a_dot() -> None:
    assert lines([Head("HOST", floor=8)], [["login-01.cluster-west.example.com"]], 26) == [
        "  HOST",
        "  login-01.cluster-west.",
        "  example.com",
    ]


_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60)
_HEAD = st.builds(
    Head,
    st.sampled_from(["HOST", "LOOKED AT", "WHY KEPT"]),
    st.booleans(),
    st.integers(1, 40),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@given(st.data())
def test_no_line_is_longer_than_the_width(data: st.DataObject) -> None:
    heads = data.draw(st.lists(_HEAD, min_size=1, max_size=8))
    rows = data.draw(st.lists(st.lists(_TEXT, min_size=len(heads), max_size=len(heads)), max_size=4))
    width = data.draw(st.integers(79, 200))
    told = laid_out(heads, rows, width)
    assert len(told) == 1 + len(rows)
    assert [line for part in told for line in part if columns(line) > width] == []
    assert [line for part in told for line in part if line and not line.startswith(" ")] == []


@given(st.lists(st.text("ab /日", max_size=90), min_size=1, max_size=4), st.integers(79, 120))
def test_no_letter_is_lost(cells: List[str], width: int) -> None:
    heads = [Head("A", floor=8) for _cell in cells]
    (_head, told) = laid_out(heads, [cells], width)
    assert sorted("".join(told).replace(" ", "")) == sorted("".join(cells).replace(" ", ""))


@given(_TEXT, st.integers(20, 100))
def test_a_text_in_lines_is_the_same_text(text: str, width: int) -> None:
    told = hanging(text, width, "  ", "")
    assert "".join(told).replace(" ", "") == text.replace(" ", "")
    assert all(columns(line) <= width for line in told)
    assert all(line.startswith("  ") for line in told[1:])


def test_items_are_not_broken() -> None:
    assert listed(["Hosts: 3 (2 ok)", "Looked at: 5", "Removed: 1"], 34) == [
        "Hosts: 3 (2 ok); Looked at: 5;",
        "  Removed: 1",
    ]
    assert listed(["a", "b"], None) == ["a; b"]


@pytest.mark.parametrize(("text", "wide"), [("abc", 3), ("日本", 4), ("e\u0301", 1)])
def test_what_a_terminal_needs_for_a_text(text: str, wide: int) -> None:
    assert columns(text) == wide
