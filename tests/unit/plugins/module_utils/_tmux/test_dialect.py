# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions are read from whatever a tmux says; names and literals are escaped as each version wants them."""

from typing import Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    compared_literal,
    expanded_literal,
    has_variable,
    own_words,
    parse_version,
    unsuitable,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "text, expected",
    [
        ("tmux 3.3a", (3, 3, "a", "3.3a")),
        ("3.3a", (3, 3, "a", "3.3a")),
        ("tmux 2.7", (2, 7, "", "2.7")),
        ("tmux 2.7-rc", (2, 7, "", "2.7-rc")),
        ("tmux next-3.8", (3, 8, "", "next-3.8")),
        ("tmux 3.10b", (3, 10, "b", "3.10b")),
        ("tmux openbsd-7.4", (7, 4, "", "openbsd-7.4")),
    ],
)
def test_versions_are_read(text: str, expected: Tuple[int, int, str, str]) -> None:
    assert tuple(parse_version(text)) == expected


@pytest.mark.parametrize("text", ["tmux master", "", "nonsense"])
def test_a_version_without_a_number_is_newest(text: str) -> None:
    assert parse_version(text).at_least(50, 0)


def test_versions_compare_as_numbers() -> None:
    assert parse_version("3.10").at_least(3, 9)
    assert parse_version("3.2").at_least(3, 2)
    assert parse_version("4.0").at_least(3, 9)
    assert not parse_version("2.9").at_least(3, 0)
    assert not parse_version("3.1c").at_least(3, 2)


@given(st.text())
def test_no_version_is_too_odd(text: str) -> None:
    parse_version(text).at_least(3, 2)
    parse_version("9" * 5000 + "." + text)


@pytest.mark.parametrize(
    "text, version, expanded, compared",
    [
        ("#(id)#{x}#S", "2.7", "##(id)##{x}##S", "##(id)##{x}##S"),
        ("#(id),}", "3.0a", "##(id),}", "##(id)#,#}"),
        ("#[x]##[#", "3.1c", "##[x]####[##", "##[x]####[##"),
        ("#[x]##[#,", "3.2", "#[x]##[##,", "#[x]##[###,"),
        ("a,b", "2.7", "a,b", "a,b"),
    ],
)
def test_what_would_be_expanded_is_escaped_as_each_tmux_wants_it(
    text: str, version: str, expanded: str, compared: str
) -> None:
    assert expanded_literal(text, parse_version(version)) == expanded
    assert compared_literal(text, parse_version(version)) == compared


def test_names_that_some_tmux_rewrites_are_refused() -> None:
    refused = [
        "",
        "a:b",
        "a.b",
        "a\\b",
        "$x",
        "a$",
        "a\nb",
        "a\tb",
        "\x1b[0m",
        "\x7f",
        "\x85",
        "\udcff",
        "\u2028",
        "\u0378",
    ]
    assert [name for name in refused if not unsuitable(name)] == []
    accepted = ["build", "a b", "#{x}", "-s", "=x", "@1", "%1", "é", "🙂", "a;", "'\"'", "{}", "x" * 300, " ", "#(id)"]
    assert [name for name in accepted if unsuitable(name)] == []


@pytest.mark.parametrize(
    ("screen", "text"),
    [
        ("a\n\n\nPane is dead (status 3, Mon Nov 30 12:00:00 2026)\n\n", "a\n\n\n"),
        ("Pane is dead", ""),
        ("a\nb\n\n", "a\nb"),
        ("Pane is dead\nb", "Pane is dead\nb"),
        ("a\nbPane is dead (status 0, Mon Nov 30 12:00:00 2026)", "a\nb"),
        ("a\nb c  Pane is dead (signal 15, Mon Nov 30 12:00:00 2026)   ", "a\nb c"),
        ("a\nbPane is dead (signal RTMIN+1, Mon Nov 30 12:00:00 2026)", "a\nb"),
        ("a\nit says that Pane is dead", "a\nit says that Pane is dead"),
    ],
)
def test_what_tmux_has_written_below_a_pane_is_left_out(screen: str, text: str) -> None:
    assert own_words(screen) == text


@pytest.mark.parametrize(
    "name, value, expected",
    [
        ("A", "one", True),
        ("A", "two", False),
        ("B", 'a "b" $HOME `x` \\', True),
        ("B", "a", False),
        ("C", "x", False),
        ("D", "x", False),
        ("A", "one\n", None),
        ("E", "", True),
    ],
)
def test_a_variable_is_as_it_should_be(name: str, value: str, expected: Optional[bool]) -> None:
    printed = 'A="one"; export A;\nB="a \\"b\\" \\$HOME \\`x\\` \\\\"; export B;\nunset C;\nE=""; export E;\n'
    assert has_variable(printed, name, value) is expected
    assert has_variable(printed + "nonsense", name, value) is None
