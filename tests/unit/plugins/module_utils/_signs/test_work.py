# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What processes use is work where they count; a tick at a prompt is none."""

import os
from typing import Dict, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Io, Process, Processes
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import (
    HELPS,
    PROMPT,
    SHOWS,
    WAITS,
    WORKS,
    Actor,
    Cast,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs.work import (
    NOTHING,
    Spending,
    Spent,
    Worked,
    nearly_still,
    spending,
    worked_between,
)
from ansible_collections.fleet.tmux.tests.support import sessions as make
from hypothesis import given
from hypothesis import strategies as st

TICKS = os.sysconf("SC_CLK_TCK")
ONE, TWO, THREE = (1, 5), (2, 5), (3, 5)


def spent(ticks: int, calls: Optional[int] = 0, role: str = WORKS, read: int = 0, written: int = 0) -> Spent:
    return Spent(role, ticks, calls, read, written)


def test_work_is_what_was_added() -> None:
    before = {ONE: spent(10, 100), TWO: spent(7, 3)}
    after = {ONE: spent(14, 103), TWO: spent(7, 3)}
    assert worked_between(before, before, 1) == NOTHING
    assert worked_between(before, after, 1) == Worked(4, 3)


@pytest.mark.parametrize("later", [{ONE}, {ONE, TWO, THREE}, {ONE, (2, 6)}])
def test_who_came_or_went_is_work(later: "set[tuple[int, int]]") -> None:
    before = {ONE: spent(1), TWO: spent(1)}
    assert worked_between(before, dict.fromkeys(later, spent(1)), 1) == (0, len(set(before) ^ later))


def test_who_does_not_count_may_come_and_go() -> None:
    nobody = Spent("", 0, None)
    assert worked_between({ONE: spent(1), TWO: nobody}, {ONE: spent(1), THREE: nobody}, 1) == NOTHING


def test_what_may_not_be_looked_at_is_no_number() -> None:
    hidden, shown = {ONE: spent(1, None)}, {ONE: spent(2, 50)}
    assert worked_between(hidden, shown, 1) == Worked(1, 0)
    assert worked_between(shown, hidden, 1) == NOTHING


@pytest.mark.parametrize(
    ("ticks", "moved", "works"),
    [(TICKS // 20, 4096, False), (TICKS // 20 + 1, 0, True), (0, 4097, True), (0, 0, False)],
)
def test_a_tick_at_a_prompt_is_no_work(ticks: int, moved: int, works: bool) -> None:
    for role, other, counts in ((PROMPT, PROMPT, works), (PROMPT, WORKS, bool(ticks or moved))):
        done = worked_between({ONE: spent(5, 5, role)}, {ONE: spent(5 + ticks, 5 + moved, other, moved)}, 1)
        assert bool(done != NOTHING) is counts


def test_only_those_count_whose_role_says_so() -> None:
    roles = {WORKS: "make", PROMPT: "python3", SHOWS: "top", HELPS: "ssh-agent", WAITS: "sh"}
    processes = {
        number: Process(number, 1, 1, "S", 5, 10 * number, 0, name, waited_ticks=1, waited_faults=2)
        for number, name in enumerate(roles.values(), 1)
    }
    processes[9] = Process(9, 1, 1, "S", 5, 90, 0, "bash")
    actors = [Actor(processes[number], role) for number, role in enumerate(roles, 1)]
    cast = Cast(make.session(), (*actors, Actor(processes[9], PROMPT)))
    asked = Asked(processes)
    assert {pid: spent.role for (pid, _since), spent in spending(cast, asked).items() if spent.role} == {
        1: WORKS,
        2: PROMPT,
    }
    assert spending(cast, asked)[(1, 5)] == Spent(WORKS, 11, 9, 100, 200)
    assert len(spending(cast, asked)) == 6


def test_what_keeps_a_line_alive_is_a_tick() -> None:
    processes = {1: Process(1, 1, 1, "S", 5, 10, 0, "ssh"), 2: Process(2, 1, 1, "S", 5, 10, 0, "rsync")}
    cast = Cast(make.session(), tuple(Actor(process, WORKS) for process in processes.values()))
    assert [spent.role for spent in spending(cast, Asked(processes)).values()] == [PROMPT, WORKS]


class Asked(Processes):
    """Processes that have all read and written the same."""

    def __init__(self, table: Dict[int, Process]) -> None:
        super().__init__(table)

    def io(self, pid: int) -> Optional[Io]:
        return Io(7, 100, 200)


@given(st.integers(0, 10), st.integers(0, 3), st.booleans())
def test_who_reads_or_computes_is_not_still(ticks: int, read: int, hidden: bool) -> None:
    before: Spending = {ONE: spent(5, 5)}
    after: Spending = {ONE: spent(5 + ticks, None if hidden else 9, read=read)}
    still = read == 0 and not hidden and ticks <= TICKS // 20
    assert nearly_still(before, after, ONE, 1) is still
    assert not nearly_still({}, after, ONE, 1) and not nearly_still(before, {}, ONE, 1)
