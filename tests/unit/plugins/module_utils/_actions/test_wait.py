# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a pane has shown before is told apart from what it shows since."""

from typing import Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.wait import already_shown, forms


@pytest.mark.parametrize(
    ("before", "now", "new"),
    [
        ("", "", ""),
        ("", "a\nb", "a\nb"),
        ("a\n$", "a\n$", ""),
        ("a\n$", "a\n$ ls\nb\n$", " ls\nb\n$"),
        ("Password:", "Password:\nPassword:", "\nPassword:"),
        # The first lines have gone.
        ("a\nb\n$", "b\n$ c\nd", " c\nd"),
        ("a\nb\n$", "$ c\nd\ne", " c\nd\ne"),
        # The screen was cleared, or drawn anew.
        ("a\nb\n$", "$", "$"),
        ("a\nb\n$", "a\nc\n$ d", "a\nc\n$ d"),
        ("a\nb", "a", "a"),
    ],
)
def test_what_is_new(before: str, now: str, new: str) -> None:
    assert now[already_shown(now, before) :] == new


@pytest.mark.parametrize(
    ("text", "old", "found"),
    [
        ("a\n$", -1, ("a\n$", "a\n$ ")),
        ("a\n$", 2, ("a\n$", "a\n$ ")),
        ("a\n$", 3, ("a\n$",)),
        ("", -1, ("",)),
        ("", 0, ("",)),
    ],
)
def test_what_is_new_may_end_with_a_blank(text: str, old: int, found: Sequence[str]) -> None:
    assert forms(text, old) == found
