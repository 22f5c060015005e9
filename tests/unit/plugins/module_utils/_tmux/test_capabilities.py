# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each version of tmux has the capabilities that were seen of it, and its words are read as it prints them."""

import shlex
from pathlib import Path
from typing import List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import dialect
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import Capability, parse_version

# Of each version that there is a recorded listing of, in this order.
VERSIONS = ["2.7-rc", "3.0a", "3.1c", "3.2a", "3.3a", "3.4", "3.5a", "3.6b", "3.7c"]
HAVE = {
    "WINDOWS_IN_FORMATS": "-++++++++",
    "ESCAPES_IN_COMPARISONS": "-++++++++",
    "WINDOW_NAME_AS_GIVEN": "-+-------",
    "SEMICOLON_ENDS_WORD_OF_SCRIPT": "+--------",
    "BYTES_OF_SCRIPT_END_IT": "-++++++++",
    "SCRIPT_FROM_STDIN": "--+++++++",
    "OPTIONS_OF_PANES": "-++++++++",
    "HASH_BEFORE_BRACKET_STAYS": "---++++++",
    "PASTE_IS_MADE_HARMLESS": "--------+",
    "START_PATH": "----+++++",
    "START_COMMAND_QUOTED": "---++++++",
    "MESSAGE_DELAY": "---++++++",
    "MESSAGE_NAMES_NO_CLIENT": "---+-----",
    "SIZE_OF_NEW_SESSION_IGNORED": "---+-----",
    "ENDS_AT_NEW_SESSION_OF_MANUAL_SIZE": "----++++-",
    "DOLLAR_PRINTED_WITH_BACKSLASH": "-----+---",
    "COMMANDS_IN_MESSAGES": "---++++++",
    "FORMATS_ARE_CUT_OFF": "--------+",
    "PUNCTUATION_OF_NAMES_REWRITTEN": "---+++++-",
    "CONTROLS_OF_NAMES_REWRITTEN": "---+++++-",
    "BACKSLASH_OF_NAMES_REWRITTEN": "---++++++",
    "DOLLAR_OF_NAMES_REWRITTEN": "---+++---",
}


# --- versions


def test_every_recorded_version_is_in_this_table() -> None:
    listings = Path(__file__).parent / "fixtures" / "listings"
    assert sorted(path.stem for path in listings.glob("*.txt")) == VERSIONS
    assert list(HAVE) == [capability.name for capability in Capability]


@pytest.mark.parametrize("capability", list(Capability), ids=lambda capability: str(capability.name))
def test_each_version_has_what_was_seen_of_it(capability: Capability) -> None:
    has = "".join("+" if parse_version(version).has(capability) else "-" for version in VERSIONS)
    assert has == HAVE[capability.name]
    assert len(capability.value.why) > 20, "it says what the difference is"


def test_a_development_build_is_like_the_newest() -> None:
    assert [it for it in Capability if parse_version("master").has(it)] == [
        it for it in Capability if parse_version("3.7c").has(it)
    ]


def test_a_span_is_said_as_people_say_it() -> None:
    spans = [dialect.Span((3, 2), until, "") for until in (None, (3, 3), (3, 5))]
    assert [span.words for span in spans] == ["3.2 and later", "3.2", "3.2 to 3.4"]


def test_the_oldest_tmux_that_can_be_used_is_2_7() -> None:
    assert [parse_version(it).can_be_used for it in ("1.8", "2.6", "2.7-rc", "3.7c")] == [False, False, True, True]


# --- words


def test_a_window_name_is_a_format_but_in_3_0() -> None:
    said = {version: dialect.window_name("a#S", parse_version(version)) for version in VERSIONS}
    assert said.pop("3.0a") == "a#S"
    assert set(said.values()) == {"a##S"}


def test_of_a_pane_that_has_ended_its_own_words_are_left() -> None:
    screen = "one\n\n  two\nPane is dead (status 1, Sun Nov 29 15:00:00 2026)\n\n"
    assert dialect.last_words(screen) == ["one", "  two"]
    assert dialect.last_words("one\ntwo  Pane is dead (status 1, Sun Nov 29 15:00:00 2026)  \n") == ["one", "two"]


@pytest.mark.parametrize("printed, on", [("", False), ("0", False), ("off", False), ("1", True), ("on", True)])
def test_a_switch_is_read_as_each_version_prints_it(printed: str, on: bool) -> None:
    assert dialect.is_on(printed) is on


# --- what a pane was begun with

PRINTED = [
    (["echo $HOME\nsleep 9"], '"echo \\$HOME\\nsleep 9"'),
    (["sh", "-c", "echo $HOME\nsleep 9"], 'sh -c "echo \\$HOME\\nsleep 9"'),
    (["~/bin/x"], "\\~/bin/x"),
    (["a~b", "~"], "a~b \\~"),
    (["a\tb", "a\rb"], "a\\tb a\\rb"),
    (['it\'s "q" \\ back'], '"it\'s \\"q\\" \\\\ back"'),
    (['a"b', "c"], "'a\"b' c"),
    (["`x`;|&<>(){}[]*?!#%"], '"`x`;|&<>(){}[]*?!#%"'),
    (["$1 ${A} $"], '"$1 \\${A} $"'),
    (["\\n", "tail\\"], "\\\\n tail\\\\"),
    (["ctl\x01\x1b[0m\x7f"], "ctl\\001\\033[0m\\177"),
    (["'", '"', "$", ";", " "], '\\\' \\" \\$ \\; " "'),
    (["", "x", ""], "'' x ''"),
    (["é ü", "\udcff"], '"é ü" \\377'),
    (["sleep", "9"], "sleep 9"),
]
"""Words, and how tmux 3.2a to 3.7c print them (recorded with 3.3a and 3.7c; see args_escape in its arguments.c)."""


@pytest.mark.parametrize(("words", "printed"), PRINTED)
def test_the_words_that_a_pane_was_begun_with_are_read(words: List[str], printed: str) -> None:
    assert dialect.start_words(printed, parse_version("3.3a")) == words
    expected = words[0] if len(words) == 1 else " ".join(map(shlex.quote, words))
    assert dialect.shell_command(printed, parse_version("3.3a")) == expected
    assert dialect.start_words(printed, parse_version("3.1c")) == [printed]


def test_a_shell_has_no_words() -> None:
    assert [dialect.start_words("", parse_version(version)) for version in ("2.7", "3.7c")] == [[], []]


@pytest.mark.parametrize("printed", ['"a', "'a", "a\\", '"a"b', "a  b"])
def test_what_no_tmux_prints_is_not_read(printed: str) -> None:
    assert dialect.start_words(printed, parse_version("3.3a")) is None
    assert dialect.shell_command(printed, parse_version("3.3a")) == ""
