# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever sessions are called, people read first what they can do, in lines that fit, and that do no harm."""

import shlex
from typing import List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import texts
from ansible_collections.fleet.tmux.plugins.module_utils._actions.notify import Notifier
from ansible_collections.fleet.tmux.plugins.module_utils._actions.texts import WIDTH, News
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import columns, cut, folded
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import MARKED, REMOVED
from hypothesis import given
from hypothesis import strategies as st

USUAL = "/tmp/tmux-1000/default"
NOON = 1800014400  # 15 January 2027, 12:00 in UTC
WHY = "idle for 7d 2h"


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    texts.time.tzset()  # type: ignore[attr-defined]


def news(name: str = "build", what: str = MARKED, socket: str = USUAL, identity: str = "$3") -> News:
    return News(what, "1/2/%s/3" % identity, identity, name, socket, NOON, WHY)


names = st.text(max_size=80) | st.text("汉字ab ", max_size=60)
everything = st.lists(st.builds(news, names, st.just(MARKED), st.just(USUAL)), min_size=1, max_size=8)


def test_a_notice_is_a_command_and_when_the_session_goes() -> None:
    assert texts.notice_line([news()], USUAL) == "tmux set -t '$3' @keep on, or build goes 15 Jan 12:00"
    two = [news(), news("logs")]
    assert texts.notice_line(two, USUAL) == "tmux set @keep on in each, or build, logs go 15 Jan 12:00"
    more = [*two, news("and more")]
    assert texts.notice_line(more, USUAL) == "tmux set @keep on in each, or build & 2 more go 15 Jan 12:00"
    long = [news("experiments"), *two]
    assert texts.notice_line(long, USUAL) == "tmux set @keep on in each, or 3 sessions go 15 Jan 12:00"


def test_a_client_of_another_server_is_told_which_one_is_meant() -> None:
    said = texts.notice_line([news("it", socket="/tmp/tmux-1000/work")], USUAL)
    assert said == "tmux -L work set -t '$3' @keep on, or it goes 15 Jan 12:00"
    # It fits on no line: so it is said without the server, for within the session.
    said = texts.notice_line([news(socket="/srv/sockets/of/a/program", identity="$31415")], USUAL)
    assert said == "tmux set @keep on in build, or it goes 15 Jan 12:00"


@given(everything, st.sampled_from((USUAL, "/tmp/tmux-1000/other", "/srv/it's here")))
def test_a_notice_in_tmux_fits_whatever_sessions_are_called(every: List[News], here: str) -> None:
    line = texts.notice_line(every, here)
    assert columns(line) <= WIDTH and line.isprintable()
    assert line.startswith("tmux ") and " @keep on" in line and line.endswith("15 Jan 12:00")


@given(names, st.sampled_from((MARKED, REMOVED)), st.booleans())
def test_lines_for_a_login_fit_whatever_sessions_are_called(name: str, what: str, named: bool) -> None:
    lines = texts.lines_of(news(name, what), named)
    assert all(columns(line) <= WIDTH and line.isprintable() for line in lines)
    assert lines[0].startswith("tmux ")


def test_lines_for_a_login_begin_with_what_can_be_done() -> None:
    assert texts.lines_of(news(), False) == [
        "tmux set -t '$3' @keep on",
        "    keeps tmux session build, which is otherwise removed",
        "    after 2027-01-15 12:00 (idle for 7d 2h).",
    ]


def test_of_what_was_removed_it_is_said_why_and_how_to_get_it_back() -> None:
    place = "/var/lib/fleet-tmux/snapshots/anna"
    saved = news(what=REMOVED)._replace(snapshot=place + "/20270115T120000Z-build-abc123")
    assert texts.lines_of(saved, False) == [
        "tmux session build was removed 2027-01-15 12:00 (idle for 7d",
        "2h). To get it back:",
        "    sh %s/20270115T120000Z-build-abc123/restore" % place,
    ]
    assert texts.lines_of(news(what=REMOVED), False)[-1].endswith("It was not saved.")


def test_in_tmux_what_brings_back_what_was_removed_is_not_cut_off() -> None:
    place = "/var/lib/fleet-tmux/snapshots/anna"
    saved = news(what=REMOVED)._replace(snapshot=place + "/20270115T120000Z-build-abc123")
    lost = news("logs", what=REMOVED)._replace(why="finished")
    said = texts.removed_line([saved], USUAL)
    assert said == "sh %s/restore brings back build, removed (%s)" % (saved.snapshot, WHY)
    assert said.index(" brings") < 80
    assert texts.removed_line([lost], USUAL) == "logs was removed (finished), and not saved"
    assert texts.removed_line([lost, lost], USUAL) == "logs, logs were removed (finished), and not saved"
    two = "ls %s; sh NAME/restore there brings back build, logs, removed (%s, finished)" % (place, WHY)
    assert texts.removed_line([saved, lost], USUAL) == two
    many = texts.removed_line([saved._replace(name="session-%d" % each) for each in range(9)], USUAL)
    assert " brings back session-0, session-1 & 7 more, removed (%s)" % WHY in many


@pytest.mark.parametrize(
    ("own_words", "notice"),
    [(None, "tmux set -t '$3' @keep on, or build goes 15 Jan 12:00"), ("{name} soon goes", "build soon goes")],
)
def test_what_is_marked_and_what_was_removed_in_one_run_are_one_line(own_words: Optional[str], notice: str) -> None:
    """A second message of tmux takes the place of the first."""
    notifier = Notifier(own_words, [], 1.0, False)
    saved = news("logs", what=REMOVED)._replace(snapshot="/saved/anna/x")
    assert notifier.line([news(), saved], USUAL) == notice + "; logs removed: sh /saved/anna/x/restore"
    assert notifier.line([news(), saved, saved], USUAL) == notice + "; logs, logs removed: ls /saved/anna"
    assert notifier.line([saved._replace(snapshot=None), news()], USUAL) == notice + "; logs removed, not saved"
    assert notifier.line([news()], USUAL) == notice
    assert notifier.line([saved], USUAL) == texts.removed_line([saved], USUAL)


@pytest.mark.parametrize(
    ("socket", "named", "words"),
    [
        (USUAL, False, ""),
        (USUAL, True, " -L default"),
        ("/tmp/tmux-1000/work", False, " -L work"),
        ("/srv/it's", False, " -S '/srv/it'\"'\"'s'"),
        ("/srv/\x1b", False, ""),
    ],
)
def test_what_was_removed_comes_back_on_its_own_server(socket: str, named: bool, words: str) -> None:
    saved = news(what=REMOVED, socket=socket)._replace(snapshot="/saved/anna/x")
    assert texts.lines_of(saved, named)[-1] == "    sh /saved/anna/x/restore" + words
    if not named:
        assert texts.removed_line([saved], USUAL).startswith("sh /saved/anna/x/restore%s brings back " % words)
        other = words or (" -L default" if socket == USUAL else "")
        assert texts.removed_line([saved], "/other").startswith("sh /saved/anna/x/restore%s brings" % other)
    lost = " ".join(texts.lines_of(saved._replace(snapshot=None), named))
    assert ("on the server%s, and was not saved." % words in lost) is bool(words and not named)


def test_what_brings_a_session_back_is_one_word_for_the_shell() -> None:
    assert shlex.split(texts.to_restore("/srv/it's here/x", USUAL)) == ["sh", "/srv/it's here/x/restore"]


@pytest.mark.parametrize(
    ("socket", "named", "words"),
    [
        (USUAL, False, []),
        (USUAL, True, ["-L", "default"]),
        ("/tmp/tmux-1000/other", False, ["-L", "other"]),
        ("/tmp/tmux-1000/-x", False, ["-S", "/tmp/tmux-1000/-x"]),
        ("/srv/it's $(here)", False, ["-S", "/srv/it's $(here)"]),
    ],
)
def test_the_command_means_the_server_of_the_session(socket: str, named: bool, words: List[str]) -> None:
    said = texts.to_keep(news(socket=socket), named)
    assert shlex.split(said) == ["tmux", *words, "set", "-t", "$3", "@keep", "on"]


def test_a_path_that_nobody_could_type_is_in_no_command() -> None:
    assert texts.to_keep(news(socket="/tmp/a\x1b[31m"), True) == "tmux set @keep on"


@given(st.text(max_size=50), st.integers(3, 40))
def test_what_is_cut_fits(text: str, width: int) -> None:
    said = cut(text, width)
    assert columns(said) <= width
    assert said == text or (said.endswith("...") and text.startswith(said[:-3]))


@given(st.text("ab汉 ", max_size=200), st.integers(6, 40))
def test_what_is_folded_fits_and_is_all_there(text: str, width: int) -> None:
    lines = folded(text, width, "  ")
    assert all(columns(line) <= width and line.startswith("  ") for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_what_keeps_a_session_names_its_server_where_another_is_meant() -> None:
    (usual,) = {news().socket}
    assert texts.to_keep_from(news(), usual) == "tmux set -t '$3' @keep on"
    assert texts.to_keep_from(news(), "/tmp/tmux-1000/work") == "tmux -L default set -t '$3' @keep on"
