# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left for people is bounded, comes newest first, is taken back with its notice, and is read as anybody's."""

import os
import stat
from typing import List, Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import notices
from ansible_collections.fleet.tmux.plugins.module_utils._actions.notices import (
    AT_ONCE,
    BYTES_LIMIT,
    MESSAGES_LIMIT,
    Message,
    Notices,
    read,
    written,
)
from ansible_collections.fleet.tmux.plugins.module_utils._actions.texts import News
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import MARKED, REMOVED
from hypothesis import given
from hypothesis import strategies as st

ME = User("anna", os.geteuid(), os.getegid())
NOW = 1800000000


def news(number: int, what: str = MARKED, name: str = "build") -> News:
    return News(what, "1/2/$%d/3" % number, "$%d" % number, name, "/tmp/tmux-1/default", NOW + 3600, "idle for 1w")


@pytest.fixture
def place(tmp_path: "os.PathLike[str]") -> str:
    return os.path.join(str(tmp_path), "state", "notices")


def leave(place: str, *told: News, gone: Sequence[str] = (), now: int = NOW) -> None:
    assert Notices(place).leave(ME, told, gone, False, now) is None


def left(place: str) -> List[Message]:
    with open(os.path.join(place, str(ME.uid)), "rb") as stream:
        return read(stream.read())


def identities(place: str) -> List[str]:
    return [message.identity for message in left(place)]


printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=60)
messages = st.builds(
    Message,
    st.integers(0, 10**12 - 1),
    st.integers(0, 10**12 - 1),
    st.sampled_from((MARKED, REMOVED)),
    st.sampled_from(("1/2/$3/4", "-")),
    st.lists(printable, max_size=4),
)


@given(st.lists(messages, max_size=10))
def test_messages_are_read_as_they_were_written(every: List[Message]) -> None:
    assert read(written(every)) == every


@given(st.lists(messages, min_size=MESSAGES_LIMIT, max_size=MESSAGES_LIMIT + 20))
def test_a_file_is_bounded_and_keeps_the_newest(every: List[Message]) -> None:
    data = written(every)
    found = read(data)
    assert len(data) <= BYTES_LIMIT and len(found) <= MESSAGES_LIMIT
    assert found == every[: len(found)]


def test_long_messages_are_bounded_too() -> None:
    every = [Message(number, NOW, MARKED, "-", ["x" * 900]) for number in range(40, 0, -1)]
    assert len(written(every)) <= BYTES_LIMIT
    assert 10 < len(read(written(every))) < 20


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"fleet-tmux 1 5",
        b"fleet-tmux 2 5\n",
        b"fleet-tmux 1 5\nhello\n",
        b"fleet-tmux 1 5\n text before any message\n",
        b"fleet-tmux 1 5\n@ 5 6 marked 1/2/$3/4\n a\x1b[31mb\n",
        b"fleet-tmux 1 5\n@ 5 6 other 1/2/$3/4\n",
        b"fleet-tmux 1 5\n@ 5 6 marked ../x\n",
        b"fleet-tmux 1 5\n@ 5 6 marked -\n " + b"x" * 2000 + b"\n",
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_such_file_says_nothing(data: bytes) -> None:
    assert read(data) == []


def test_the_newest_comes_first_and_what_will_go_before_what_has_gone(place: str) -> None:
    leave(place, news(1), news(2))
    leave(place, news(3, REMOVED), news(4), now=NOW + 10)
    assert identities(place) == ["1/2/$4/3", "1/2/$3/3", "1/2/$1/3", "1/2/$2/3"]
    numbers = [message.number for message in left(place)]
    assert numbers == sorted(set(numbers), reverse=True)


def test_numbers_grow_even_when_the_clock_goes_back(place: str) -> None:
    leave(place, news(1))
    before = left(place)[0].number
    leave(place, news(2), now=NOW - 50000)
    assert left(place)[0].number > before


def test_of_notice_that_does_not_hold_any_more_the_message_goes(place: str) -> None:
    leave(place, news(1), news(2))
    leave(place, gone=["1/2/$1/3"])
    assert identities(place) == ["1/2/$2/3"]
    # One that was removed leaves the message that it was.
    leave(place, news(2, REMOVED), gone=["1/2/$2/3"])
    assert [(message.what, message.identity) for message in left(place)] == [(REMOVED, "1/2/$2/3")]


def test_what_is_not_worth_telling_any_more_goes(place: str) -> None:
    leave(place, news(1))
    leave(place, news(2, REMOVED), now=NOW + 10 * 86400)
    assert identities(place) == ["1/2/$2/3"]


def test_nothing_to_tell_makes_and_changes_nothing(place: str) -> None:
    leave(place)
    leave(place, gone=["1/2/$1/3"])
    assert not os.path.exists(os.path.dirname(place))
    leave(place, news(1))
    before = os.stat(os.path.join(place, str(ME.uid)))
    leave(place, gone=["1/2/$9/3"])
    after = os.stat(os.path.join(place, str(ME.uid)))
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_of_many_some_are_told_of_and_the_rest_counted(place: str) -> None:
    leave(place, *(news(number) for number in range(300)))
    found = left(place)
    assert [message.identity for message in found] == ["1/2/$%d/3" % number for number in range(AT_ONCE)] + ["-"]
    assert found[-1].lines == ["and 280 more tmux sessions of yours will go"]


def test_only_we_may_write_the_file(place: str) -> None:
    before = os.umask(0)
    try:
        leave(place, news(1))
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(os.path.join(place, str(ME.uid))).st_mode) & 0o137 == 0
    assert stat.S_IMODE(os.stat(place).st_mode) == 0o755


def test_who_has_no_account_is_told_nothing(place: str) -> None:
    assert Notices(place).leave(User("4711", 4711, 4711), [news(1)], (), False, NOW) is None
    assert not os.path.exists(place)


def test_a_place_that_others_may_write_to_is_not_used(place: str) -> None:
    os.makedirs(place)
    os.chmod(place, 0o777)
    said = Notices(place).leave(ME, [news(1)], (), False, NOW)
    assert said == "notices_dir: the directory %s may be written by others (chmod go-w would help)" % place
    assert os.listdir(place) == []


def test_a_file_that_nobody_of_us_wrote_is_written_anew(place: str) -> None:
    leave(place, news(1))
    path = os.path.join(place, str(ME.uid))
    with open(path, "wb") as stream:
        stream.write(b"fleet-tmux 1 99\n\x1b[2J\n")
    leave(place, news(2))
    assert identities(place) == ["1/2/$2/3"]
    os.unlink(path)
    os.symlink("/etc/hostname", path)
    leave(place, news(3))
    assert identities(place) == ["1/2/$3/3"] and not os.path.islink(path)


def test_a_disk_that_is_full_is_told(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_words: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(notices.folders, "replace_file", full)  # type: ignore[attr-defined]
    said = Notices(place).leave(ME, [news(1)], (), False, NOW)
    assert said == "notices_dir: %s: No space left on device" % place
