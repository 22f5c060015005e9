# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mark is read as it was written; a session that has one goes at its deadline, and lives when anything happened."""

import os
from typing import List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import Decision
from ansible_collections.fleet.tmux.plugins.module_utils._policy.notice import (
    Effort,
    Mark,
    effort,
    new_mark,
    of_another_format,
    read_mark,
    with_notice,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import PROMPT, WORKS
from ansible_collections.fleet.tmux.plugins.module_utils._signs.work import Spending, Spent
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.fields import CLOCKS, OUTPUT, Field
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session
from ansible_collections.fleet.tmux.tests.support import sessions as make
from hypothesis import given
from hypothesis import strategies as st

NOW = make.NOW
TICKS = os.sysconf("SC_CLK_TCK")
numbers = st.integers(0, 10**15 - 1)
efforts = st.builds(Effort, numbers, numbers, numbers, numbers, st.text("0123456789abcdef", min_size=16, max_size=16))


@given(efforts, numbers, st.integers(0, 10**9))
def test_a_mark_is_read_as_it_was_written(used: Effort, now: int, notice: int) -> None:
    mark = Mark(min(now, 10**14), min(now, 10**14) + notice, used)
    assert read_mark(mark.written()) == mark
    assert set(mark.written()) <= set("0123456789abcdef "), "nothing in it may need quotes"


GARBAGE = [
    "",
    "on",
    "2",
    "2 2 3 4 5 6 7",
    "2 1 2 3 4 5 6 0123456789abcdef ",
    "2 1 2 3 4 5 6 0123456789abcdef\n",
    "2 1 2 3 4 5 6 0123456789abcde",
    "2 1 2 3 4 0123456789abcdef",
    "2 -1 2 3 4 5 6 0123456789abcdef",
    "2 \u00b2 2 3 4 5 6 0123456789abcdef",  # isdigit() says yes, int() says no
    "2 \u0661 2 3 4 5 6 0123456789abcdef",
    "2 %s 2 3 4 5 6 0123456789abcdef" % ("9" * 5000),  # int() takes no more than 4300 digits
    "2 1 2 3 4 5 %s 0123456789abcdef" % ("9" * 5000),
]


@pytest.mark.parametrize("text", GARBAGE)
def test_what_nobody_of_us_has_written_is_no_mark(text: str) -> None:
    assert read_mark(text) is None


@given(st.lists(st.one_of(st.text(max_size=8), numbers.map(str)), max_size=9))
def test_whatever_an_owner_writes_is_read_or_is_no_mark(words: List[str]) -> None:
    found = read_mark(" ".join(words))
    assert found is None or found.written() == " ".join(str(int(word)) for word in words[:7]) + " " + words[7]


def usage(cpu_ticks: int, calls: int, started: int = 5, role: str = WORKS) -> Spending:
    """What one process has used; a shell beside it does not count."""
    return {(7, started): Spent(role, cpu_ticks, calls, 10 * calls), (8, calls): Spent("", 0, None)}


def wanted(session: Session, used: Optional[Spending] = None) -> Decision:
    """To be removed, for it is idle."""
    decision = make.decision(session)
    return decision._replace(subject=decision.subject._replace(used=used or usage(70, 80)))


def ask(mark: Mark, now: int, used: Optional[Spending] = None) -> Decision:
    return with_notice(wanted(make.session(notice=mark.written()), used), now, 3600)


MARK = Mark(NOW - 500, NOW + 100, effort(usage(70, 80)))


@pytest.mark.parametrize(
    ("now", "action", "reason"),
    [
        (MARK.given, "keep", "notice"),
        (NOW, "keep", "notice"),
        (MARK.deadline - 1, "keep", "notice"),
        (MARK.deadline, "remove", "idle"),
        (MARK.deadline + 10**6, "remove", "idle"),
    ],
)
def test_a_session_goes_at_its_deadline_and_not_before(now: int, action: str, reason: str) -> None:
    assert ask(MARK, now)[1:3] == (action, reason)
    assert ask(MARK, now).unmark is False


@pytest.mark.parametrize("clock", CLOCKS, ids=lambda clock: str(clock.name))
@given(later=st.integers(0, 10**6), now=st.integers(MARK.given, MARK.deadline + 10**6))
def test_any_clock_that_moved_cancels_a_mark(clock: Field, later: int, now: int) -> None:
    session = make.clock_at(clock, MARK.given + later)._replace(notice=MARK.written())
    found = with_notice(wanted(session), now, 3600)
    assert (found.action, found.reason, found.unmark) == ("keep", "active", True)
    quiet = make.clock_at(clock, MARK.given - 1)._replace(notice=MARK.written())
    assert with_notice(wanted(quiet), now, 3600).reason in ("idle", "notice")


@pytest.mark.parametrize("now", [NOW, MARK.deadline, MARK.deadline + 1000])
@pytest.mark.parametrize(
    "used",
    [
        usage(71, 80),
        usage(70, 81),
        usage(70, 80, started=6),
        usage(0, 0, started=6),
    ],
)
def test_work_cancels_a_mark(used: Spending, now: int) -> None:
    found = ask(MARK, now, used)
    assert (found.action, found.reason, found.unmark) == ("keep", "active", True)


def test_without_a_mark_or_with_one_from_the_future_notice_is_given() -> None:
    ahead = MARK._replace(given=NOW + 1)
    for text in [*GARBAGE, ahead.written()]:
        found = with_notice(wanted(make.session(notice=text)), NOW, 3600)
        assert (found.action, found.reason, found.unmark) == ("mark", "idle", False)
        assert "1h" in found.detail


@pytest.mark.parametrize("notice", [None, 3600])
@pytest.mark.parametrize("text", ["", "garbage", MARK.written()])
def test_a_mark_is_taken_back_from_who_stays_and_only_from_them(text: str, notice: Optional[int]) -> None:
    kept = with_notice(make.decision(make.session(notice=text), "keep", "attached", ""), NOW, notice)
    assert (kept.action, kept.reason, kept.unmark) == ("keep", "attached", bool(text))
    if notice is None:
        assert with_notice(wanted(make.session(notice=text)), NOW, None) == wanted(make.session(notice=text))


@pytest.mark.parametrize("text", ["0", "1", "1 1 2 3 4 0123456789abcdef", "999999999 x", "17 whatever"])
@pytest.mark.parametrize("notice", [None, 3600])
def test_the_mark_of_another_version_keeps_and_is_left_alone(text: str, notice: Optional[int]) -> None:
    assert of_another_format(text)
    session = make.session(notice=text)
    found = with_notice(wanted(session), NOW, notice)
    assert (found.action, found.reason, found.unmark) == ("keep", "unknown", False)
    stays = with_notice(make.decision(session, "keep", "attached", ""), NOW, notice)
    assert (stays.action, stays.reason, stays.unmark) == ("keep", "attached", False)


@pytest.mark.parametrize("text", [*GARBAGE, MARK.written()])
def test_what_has_no_number_of_another_format_is_not_of_another_version(text: str) -> None:
    assert not of_another_format(text)


def test_the_mark_that_is_given_is_of_now_and_of_what_was_used() -> None:
    assert new_mark(wanted(make.session()), NOW, 60) == Mark(NOW, NOW + 60, effort(usage(70, 80)))


def test_effort_is_of_the_processes_that_count() -> None:
    used = usage(70, 80)
    assert effort(used) == effort({who: spent for who, spent in used.items() if spent.role})
    assert effort(used).processes != effort(usage(70, 80, started=6)).processes
    assert effort(used).processes != effort(usage(70, 80, role=PROMPT)).processes
    nobody = effort({})
    assert nobody == Effort(0, 0, 0, 0, nobody.processes)


AT_PROMPT = MARK._replace(effort=effort(usage(70, 80, role=PROMPT)))


@pytest.mark.parametrize(("ticks", "calls"), [(71, 80), (70, 81), (70 + 25 * TICKS, 80 + 10000)])
def test_a_tick_at_a_prompt_cancels_no_mark(ticks: int, calls: int) -> None:
    """An interpreter that nobody uses has its timers, and draws itself anew."""
    found = ask(AT_PROMPT, NOW, usage(ticks, calls, role=PROMPT))
    assert (found.action, found.reason, found.unmark) == ("keep", "notice", False)
    assert ask(AT_PROMPT, MARK.deadline, usage(ticks, calls, role=PROMPT)).action == "remove"


@pytest.mark.parametrize(("ticks", "calls"), [(70 + 26 * TICKS, 80), (70, 80 + 200000)])
def test_who_works_at_a_prompt_cancels_a_mark(ticks: int, calls: int) -> None:
    found = ask(AT_PROMPT, NOW, usage(ticks, calls, role=PROMPT))
    assert (found.action, found.reason, found.unmark) == ("keep", "active", True)
    assert "at a prompt" in found.detail


def test_output_that_is_noise_cancels_no_mark() -> None:
    (clock,) = [clock for clock in CLOCKS if clock.kind == OUTPUT]
    decision = wanted(make.clock_at(clock, NOW - 1)._replace(notice=MARK.written()))
    assert with_notice(decision, NOW, 3600).unmark
    noisy = decision._replace(subject=decision.subject._replace(noise=True))
    assert with_notice(noisy, NOW, 3600).reason == "notice"
