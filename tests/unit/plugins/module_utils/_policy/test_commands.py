# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of programs: whole names, what the kernel keeps of long ones, and the list that can be extended."""

import fnmatch
import re
from typing import List, Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.commands import DEFAULT, SHOWING, named
from ansible_collections.fleet.tmux.plugins.module_utils._policy.errors import OptionError
from ansible_collections.fleet.tmux.plugins.modules.tmux_session_prune import DOCUMENTATION
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.text(st.sampled_from(list("abt*?[].é")), max_size=20)


def listed(given_: Sequence[str], name: str, use_regex: bool = False) -> bool:
    matches = named("ignore_commands", given_, use_regex)
    return matches is not None and matches(name)


@given(st.sampled_from(SHOWING), NAMES, st.lists(NAMES, max_size=2))
def test_the_default_list_can_be_extended(name: str, other: str, more: List[str]) -> None:
    assert listed([*more, DEFAULT], name[:15])
    assert listed([*more, DEFAULT], other) is listed(more, other)


@given(NAMES, st.lists(NAMES, max_size=3))
def test_without_the_default_only_what_is_given_is_listed(name: str, patterns: List[str]) -> None:
    by_pattern = any(fnmatch.fnmatchcase(name, each) for each in patterns)
    cut = [each.encode()[:15].decode("utf-8", "surrogateescape") for each in patterns if not set(each) & set("*?[")]
    assert listed(patterns, name) is (by_pattern or name in cut)


@pytest.mark.parametrize(
    "given_, use_regex, name, expected",
    [
        ([], False, "top", False),
        (["default"], False, "top", True),
        (["default"], True, "top", True),
        (["default"], True, "pipes_sh", False),
        (["default"], False, "default", False),
        (["default"], False, "topgrade", False),
        (["default"], False, "bash", False),
        (["default", "our-.*"], True, "our-board", True),
        (["default", "our-.*"], False, "our-board", False),
        (["our-*"], False, "our-board", True),
        (["our-*"], False, "./our-board", True),
        (["default"], False, "./top", False),
        (["default", "top"], False, "./top", True),
        (["our-*"], False, "top", False),
        (["our-dashboard-of-all"], False, "our-dashboard-o", True),
        (["our-dashboard-of-all"], False, "our-dashboard", False),
        (["our-dashboard-*"], False, "our-dashboard-o", True),
        (["our-dashboard-of*"], False, "our-dashboard-o", False),
    ],
)
def test_examples(given_: List[str], use_regex: bool, name: str, expected: bool) -> None:
    assert listed(given_, name, use_regex) is expected


def test_a_broken_expression_is_refused_by_name() -> None:
    with pytest.raises(OptionError, match=r"^ignore_commands: 'a\(' is no regular expression"):
        named("ignore_commands", ["default", "a("], True)


def test_no_program_is_listed_twice_and_no_shell_at_all() -> None:
    assert len(set(SHOWING)) == len(SHOWING)
    assert not set(SHOWING) & {DEFAULT, "sh", "bash", "zsh", "fish", "ssh", "mosh", "tmux", "screen", "vim", "mc"}


def test_the_documentation_has_the_whole_default_list() -> None:
    told = re.search(r"The default list is C\(([^)]*)\)", DOCUMENTATION)
    assert told is not None and told.group(1).split() == sorted(SHOWING)
