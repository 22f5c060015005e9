# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a pane was begun with is compared as far as its tmux tells it, and no further."""

from typing import List, Optional, Union

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.begun import Begun
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import parse_version
from hypothesis import given
from hypothesis import strategies as st

SHELLS = ("exec fish", "/bin/bash")
OLD, NEW, STRANGE = (Begun(parse_version(text), SHELLS) for text in ("2.7", "3.5a", "3.4"))
UNKNOWN = Begun()


def is_as(begun: Begun, shown: str, declared: Union[str, List[str], None]) -> bool:
    return begun.is_as(
        shown, declared if isinstance(declared, str) else None, declared if isinstance(declared, list) else ()
    )


QUOTED = [
    ('"sleep 900\\nsleep 901"', "sleep 900\nsleep 901", True),
    ('"sleep 900\\nsleep 901"', "sleep 900\n  sleep 901\n", True),
    ('"sleep 900\\nsleep 901"', "sleep 900nsleep 901", False),
    ('"sleep 900\\nsleep 901"', "sleep 900 sleep 901", False),
    ("\"echo 'a b'\"", "echo a b", False),
    ('"echo  a\\tb "', "echo a b", True),
    ('"echo \\"\\$HOME\\""', 'echo "$HOME"', True),
    ('"echo \\"\\$HOME\\""', "echo '$HOME'", False),
    ("make", "make", True),
    ("sleep 500", "sleep 500", True),
    ("sleep 500", ["sleep", "500"], True),
    ('"sleep 500"', ["sleep", "500"], True),
    ('sh -c "a b"', "sh -c 'a b'", True),
    ('sh -c "a b"', ["sh", "-c", "a", "b"], False),
    ("/bin/sh -c 'exec \"$0\"' /bin/cat", ["/bin/cat"], True),
    ("/bin/sh -c 'exec \"$0\"' /bin/cat", ["/bin/dog"], False),
    ("/bin/cat", ["/bin/cat"], True),
    ('"echo \'a"', ["echo", "a"], False),
]


@pytest.mark.parametrize("shown, declared, same", QUOTED)
def test_what_is_quoted_is_compared_as_it_was_given(shown: str, declared: Union[str, List[str]], same: bool) -> None:
    assert is_as(NEW, shown, declared) is same


@pytest.mark.parametrize(
    "shown, declared, same",
    [
        ("sleep 900\nsleep 901", "sleep 900\nsleep 901", True),
        ("sleep 900\nsleep 901", "sleep 900nsleep 901", False),
        ("sleep 900  1", "sleep 900 1", True),
        ("sh -c a b", ["sh", "-c", "a b"], True),
        ('/bin/sh -c exec "$0" /bin/cat', ["/bin/cat"], True),
        ('echo "a"', "echo a", False),
    ],
)
def test_of_an_old_one_words_are_not_told_from_each_other(
    shown: str, declared: Union[str, List[str]], same: bool
) -> None:
    assert is_as(OLD, shown, declared) is same


@pytest.mark.parametrize("begun", [STRANGE, UNKNOWN])
def test_what_is_unclear_is_the_same(begun: Begun) -> None:
    assert is_as(begun, '"echo \\\\$HOME; a\\nb"', 'echo "$HOME"; a\nb') and not is_as(begun, '"echo b"', "echo a")


def test_what_is_not_written_as_expected_is_unclear() -> None:
    assert is_as(NEW, '"make', "make") and not is_as(NEW, '"make', "make all")


@pytest.mark.parametrize("begun", [OLD, NEW, STRANGE])
@pytest.mark.parametrize(
    "shown, same",
    [("", True), ('"exec fish"', True), ("/bin/bash", True), ("bash", True), ("top", False), ("zsh", False)],
)
def test_a_shell_is_what_begins_where_nothing_is_said(begun: Begun, shown: str, same: bool) -> None:
    given_ = shown.strip('"') if begun is OLD else shown
    assert is_as(begun, given_, None) is same


def test_whatever_is_begun_is_no_shell_where_none_is_known() -> None:
    assert is_as(UNKNOWN, "", None) and not is_as(UNKNOWN, "bash", None)


@given(
    st.sampled_from((OLD, NEW, STRANGE, UNKNOWN)),
    st.text(max_size=20),
    st.none() | st.text(max_size=20),
    st.lists(st.text()),
)
def test_whatever_a_server_shows_is_compared(begun: Begun, shown: str, command: Optional[str], argv: List[str]) -> None:
    assert begun.is_as(shown, command, argv) in (True, False)
