# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is shown is harmless, and bytes survive being text."""

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief, shown, to_text
from hypothesis import given
from hypothesis import strategies as st


@given(st.text(st.characters()), st.booleans())
def test_what_is_shown_is_harmless(text: str, lines: bool) -> None:
    text += "\udc9b\x9b\u202e\r"
    harmless = shown(text, lines)
    harmless.encode("utf-8")
    assert {char for char in harmless if not char.isprintable()} <= ({"\n", "\t"} if lines else set())


@given(
    st.text(
        st.characters(blacklist_categories=("Cc", "Cs", "Cf", "Cn", "Co", "Zl", "Zp", "Zs"), whitelist_characters=" ")
    )
)
def test_harmless_text_is_shown_as_it_is(text: str) -> None:
    assert shown(text) == text


def test_escapes_say_what_was_there() -> None:
    assert shown("a\x1b\udcff\u202eb\nc\t") == "a\\x1b\\xff\\u202eb\\x0ac\\x09"
    assert shown("no\u200bwhere \U000e0001\xa0") == "no\\u200bwhere \\U000e0001\\xa0"
    assert shown("a\nb\tc\x1b", lines=True) == "a\nb\tc\\x1b"


@given(st.binary())
def test_bytes_survive_being_text(data: bytes) -> None:
    assert to_text(data).encode("utf-8", "surrogateescape") == data


@given(st.text(st.characters(), max_size=200), st.integers(0, 100))
def test_a_brief_text_is_harmless_and_says_how_much_more_there_is(text: str, limit: int) -> None:
    told = brief(text, limit)
    if len(shown(text)) <= limit:
        assert told == shown(text)
        return
    head, _dots, rest = told.rpartition("... and ")
    more = int(rest.split()[0])
    assert rest == "%d more characters" % more and len(head) <= limit
    assert head == shown(text[: len(text) - more])
    assert len(head) + len(shown(text[len(text) - more])) > limit


def test_of_a_long_text_little_is_looked_at() -> None:
    class Counting(str):
        looked_at = 0

        def isprintable(self) -> bool:
            Counting.looked_at += len(self)
            return str.isprintable(self)

    assert brief(Counting("\x1b" * 10**7), 100).endswith("... and 9999975 more characters")
    assert Counting.looked_at == 0
