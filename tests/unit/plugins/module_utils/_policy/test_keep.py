# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user says of keeping a session holds for as long as it says; what nobody understands holds for ever."""

import time
from typing import Iterator

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.durations import written
from ansible_collections.fleet.tmux.plugins.module_utils._policy.keep import (
    counted_from,
    keeps,
    to_remember,
    understood,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy, judge
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session
from ansible_collections.fleet.tmux.tests.support.sessions import NOW, session, subject
from hypothesis import given
from hypothesis import strategies as st

POLICY = Policy(idle=100, older_than=None, finished=False, activity="any", protect=("keep",))
DAY = 86400


def reason(it: Session, now: int = NOW) -> str:
    return judge(subject(it), POLICY, now).reason


@pytest.fixture(params=["UTC", "America/New_York", "Pacific/Kiritimati"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("value", ["on", "ON", "yes", "true", "1", " on "])
def test_keep_on_keeps(value: str) -> None:
    assert keeps(value, NOW)[0]
    assert reason(session(keep=value)) == "keep"


@pytest.mark.parametrize("value", ["", "off", "OFF", "no", "false", "0", "  "])
def test_keep_off_does_not(value: str) -> None:
    assert keeps(value, NOW) == (False, "")
    assert reason(session(keep=value)) == "idle"


@pytest.mark.parametrize(
    "value",
    [
        "please",
        "2026-13-01",
        "2026-02-30",
        "24.12.2026",
        "tomorrow",
        "9999-12-31",
        "-",
        "3",
        "0d",
        "-3d",
        "3x",
        "12h1d",
        "9999999w",
        "1d " * 9999,
    ],
)
def test_what_nobody_understands_keeps(value: str) -> None:
    assert keeps(value, NOW)[0]


@given(st.text(max_size=12))
def test_only_what_is_off_or_past_does_not_keep(value: str) -> None:
    kept, said = keeps(value, NOW)
    if not kept:
        assert value.strip().lower() in ("", "off", "no", "false", "0") or "expired" in said
    else:
        assert said


def test_a_date_keeps_to_its_end(zone: str) -> None:
    for day in ((2026, 3, 8), (2026, 11, 1), (2026, 12, 31), (2028, 2, 29)):  # with changes of the clocks
        text = "%04d-%02d-%02d" % day
        begin = int(time.mktime(day + (0, 0, 0, 0, 0, -1)))
        last = int(time.mktime(day + (23, 59, 59, 0, 0, -1)))
        assert keeps(text, begin - 86400 * 300) == (True, "@keep until " + text)
        assert keeps(text, last)[0]
        assert keeps(text, last + 1) == (False, "@keep has expired on " + text)


# --- durations


@given(st.integers(1, 4000 * DAY), st.integers(0, 9000 * DAY), st.sampled_from([str.upper, str.lower, " {} ".format]))
def test_a_duration_keeps_for_so_long(seconds: int, ago: int, form: "object") -> None:
    value = form(written(seconds))  # type: ignore[operator]
    kept, said = keeps(value, NOW, NOW - ago)
    assert kept is (ago < seconds)
    assert ("has expired" not in said) is kept
    assert keeps(value, NOW)[0], "who says nothing of when it was set has just set it"
    assert understood(value) == value.strip().lower()


def test_what_is_left_of_it_is_told() -> None:
    assert keeps("3d", NOW, NOW - DAY) == (True, "@keep is 3d, of which 2d are left")
    assert keeps("1d 12h", NOW, NOW - DAY) == (True, "@keep is 1d 12h, of which 12h are left")


def remembered(it: Session, now: int) -> Session:
    said = to_remember(it, now)
    return it if said is None else it._replace(kept_since=said)


def test_a_duration_counts_from_when_it_was_first_seen() -> None:
    """Set from elsewhere, it moves no clock of the session."""
    it = session(keep="3d", session_activity=NOW - 9 * DAY, session_created=NOW - 9 * DAY)
    assert reason(it) == "keep"
    it = remembered(it, NOW)
    assert to_remember(it, NOW + DAY) is None, "once"
    assert reason(it, NOW + 3 * DAY - 1) == "keep"
    assert reason(it, NOW + 3 * DAY) == "idle"


def test_a_duration_counts_from_when_the_session_was_last_used_if_that_is_later() -> None:
    it = remembered(session(keep="3d"), NOW)
    used = it._replace(clocks=dict(it.clocks, session_activity=NOW + DAY))
    assert reason(used, NOW + 4 * DAY - 1) == "keep"
    assert reason(used, NOW + 4 * DAY) == "idle"
    assert counted_from(session(keep="3d", session_activity=NOW, kept_since=it.kept_since), NOW + 5) == NOW


def test_another_duration_counts_anew() -> None:
    it = remembered(session(keep="3d"), NOW)._replace(keep="4d")
    assert reason(it, NOW + 9 * DAY) == "keep"
    assert reason(remembered(it, NOW + 9 * DAY), NOW + 13 * DAY) == "idle"
    same = it._replace(keep=" 3D")
    assert to_remember(same, NOW) is None and reason(same, NOW + 3 * DAY) == "idle"


def test_who_takes_it_back_and_says_it_again_begins_anew() -> None:
    it = remembered(session(keep="3d"), NOW)._replace(keep="off")
    assert to_remember(it, NOW + DAY) == ""
    again = remembered(it, NOW + DAY)._replace(keep="3d")
    assert again.kept_since == "" and reason(again, NOW + 9 * DAY) == "keep"
    assert to_remember(again._replace(keep="off"), NOW) is None


@given(st.text(max_size=30) | st.integers(0, 9 * NOW).map("1 {} 0123456789abcdef".format))
def test_what_others_have_written_there_keeps(text: str) -> None:
    it = session(keep="3d", kept_since=text)
    assert reason(it, NOW + 9 * DAY) == "keep"
    assert to_remember(it, NOW) is not None


def test_a_moment_to_come_is_now() -> None:
    it = session(keep="3d", kept_since=remembered(session(keep="3d"), NOW + 99 * DAY).kept_since)
    assert counted_from(it, NOW) == NOW


@given(st.text(max_size=30))
def test_words_of_its_user_are_not_told(value: str) -> None:
    assert understood(value) in ("other", value.strip().lower())


def test_only_words_that_all_know_are_told() -> None:
    assert [understood(value) for value in ("ON", "3d", "2026-12-24", "my secret", "")] == [
        "on", "3d", "2026-12-24", "other", "",
    ]  # fmt: skip
