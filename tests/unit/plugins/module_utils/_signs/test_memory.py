# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is remembered is read as it was written, and says nothing where it makes no sense; what was used is a sign."""

import json
import os
from typing import Any, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._signs import memory
from ansible_collections.fleet.tmux.plugins.module_utils._signs.memory import Memory, Remembered
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import PROMPT, WORKS
from ansible_collections.fleet.tmux.plugins.module_utils._signs.work import Spent
from ansible_collections.fleet.tmux.tests.support import sessions as make
from hypothesis import given
from hypothesis import strategies as st

NOW = make.NOW
TICKS = os.sysconf("SC_CLK_TCK")
DAY = 86400
SHELL = Process(4711, 1, 4711, "S", 5, 7, 0, "bash", waited_ticks=50, waited_faults=9)
WHO = (80, 6)

numbers = st.integers(0, 10**12)
identities = st.tuples(numbers, numbers)
spents = st.builds(Spent, st.sampled_from([WORKS, PROMPT]), numbers, st.none() | numbers, numbers, numbers)
looks = st.builds(
    Remembered,
    numbers,
    st.dictionaries(identities, spents, max_size=3),
    st.dictionaries(identities, st.tuples(numbers, numbers), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=3),
    numbers,
    numbers,
)


@given(st.dictionaries(st.text(max_size=20), looks, max_size=4))
def test_a_memory_is_read_as_it_was_written(kept: Memory) -> None:
    assert memory.read(memory.written(kept)) == kept


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"null",
        b'{"format": 1, "sessions": {}}',
        b'{"format": 2}',
        b'{"format": 2, "sessions": []}',
        b'{"format": 2, "sessions": {"a": {}}}',
        b'{"format": 2, "sessions": {"a": {"at": "1", "used": [], "waited": [], "shown": {}}}}',
        b'{"format": 2, "sessions": {"a": {"at": 1, "used": [[1, 2]], "waited": [], "shown": {}}}}',
        b'{"format": 2, "sessions": {"a": {"at": 1, "used": [], "waited": [[1, 2, 3, true]], "shown": {}}}}',
        b'{"format": 2, "sessions": ' + b'{"a": ' * 50000,
    ],
)
def test_what_is_no_memory_says_nothing(data: bytes) -> None:
    assert memory.read(data) == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(
    st.fixed_dictionaries(
        {
            "at": json_values,
            "used": json_values,
            "waited": json_values,
            "shown": json_values,
            "active": json_values,
            "printed": json_values,
        }
    )
)
def test_whatever_is_forged_is_read_or_is_nothing(seen: Any) -> None:
    found = memory.read(json.dumps({"format": 2, "sessions": {"a": seen}}).encode("ascii"))
    assert set(found) <= {"a"}
    memory.worked_since(found.get("a"), [SHELL], {}, NOW)
    assert not found or memory.active_before(found["a"], NOW) is None or 0 < found["a"].active <= NOW


def then(at: int = NOW - DAY, ticks: int = 10, calls: Optional[int] = 5, role: str = WORKS) -> Remembered:
    return Remembered(at, {WHO: Spent(role, ticks, calls)}, {(4711, 5): (50, 9)}, {"%1": "text"})


@pytest.mark.parametrize(
    ("ticks", "calls", "role", "works"),
    [
        (0, 0, WORKS, False),
        (TICKS - 1, 99, WORKS, False),
        (TICKS, 0, WORKS, True),
        (0, 100, WORKS, True),
        (TICKS * DAY // 20, 100, PROMPT, False),
        (TICKS * DAY // 20 + 1, 100, PROMPT, True),
    ],
)
def test_more_than_a_tick_since_the_last_look_is_work(ticks: int, calls: int, role: str, works: bool) -> None:
    now = {WHO: Spent(role, 10 + ticks, 5 + calls)}
    sign = memory.worked_since(then(role=role), [SHELL], now, NOW)
    assert (sign is not None) is works
    assert sign is None or (sign.kind, sign.at) == ("worked", NOW)


def test_a_long_command_that_ended_between_two_looks_is_work() -> None:
    """What a prompt starts to draw itself anew takes less."""
    for seconds, works in ((1, False), (430, False), (433, True)):
        shell = SHELL._replace(waited_ticks=50 + seconds * TICKS)
        assert (memory.worked_since(then(), [shell], {}, NOW) is not None) is works


def test_nothing_is_said_without_a_look_or_with_one_of_the_future() -> None:
    used = {WHO: Spent(WORKS, 10**6, 10**6)}
    assert memory.worked_since(None, [SHELL], used, NOW) is None
    assert memory.worked_since(then(at=NOW), [SHELL], used, NOW) is None
    assert memory.worked_since(then()._replace(used={}), [SHELL], used, NOW) is None, "nobody knows who that was"


def test_a_young_look_stays_and_who_has_gone_is_forgotten() -> None:
    old = {"young": then(NOW - 3599), "old": then(NOW - 3600), "gone": then(), "not seen": then()}
    new = dict.fromkeys(("young", "old", "new"), then(NOW))
    found = memory.merged(old, new, lambda who: who == "gone", NOW)
    assert {who: NOW - seen.at for who, seen in found.items()} == {
        "young": 3599,
        "old": 0,
        "new": 0,
        "not seen": DAY,
    }


def test_what_was_seen_of_activity_outlives_the_looks_that_saw_it() -> None:
    for at in (NOW - 3599, NOW - DAY):
        for new in (then(NOW)._replace(active=7), Remembered(NOW, {}, {}, {}, 7, 9)):
            merged = memory.merged({"a": then(at)._replace(active=5, printed=3)}, {"a": new}, lambda _who: False, NOW)[
                "a"
            ]
            assert merged.active == 7
            assert merged == (new if at == NOW - DAY else then(at)._replace(active=7, printed=3))
    assert memory.still(then()._replace(active=5), 3, NOW).active == 5, "it is the newest"
    ahead = then()._replace(active=NOW + DAY)
    assert memory.still(ahead, 3, NOW).active == 3, "a clock was wrong"
    assert memory.merged({"a": ahead._replace(at=NOW)}, {"a": then()}, lambda _who: False, NOW)["a"].active == 0


def test_what_was_active_is_a_clock_and_none_of_the_future() -> None:
    sign = memory.active_before(then()._replace(active=NOW - 60), NOW)
    assert sign is not None and (sign.kind, sign.at, sign.family) == ("remembered", NOW - 60, "clock")
    assert [memory.active_before(then()._replace(active=at), NOW) for at in (0, NOW + 1)] == [None, None]


def test_no_more_is_remembered_than_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    many = {str(number): then(number) for number in range(50)}
    monkeypatch.setattr(memory, "SESSIONS_LIMIT", 10)
    kept = memory.merged(many, {}, lambda _who: False, NOW)
    assert sorted(map(int, kept)) == list(range(40, 50)), "the newest stay"
    monkeypatch.setattr(memory, "BYTES_LIMIT", 500)
    assert 0 < len(memory.written(kept)) <= 500


def test_a_look_is_of_those_that_count_and_of_the_programs_of_panes() -> None:
    session = make.session("work", make.window(make.pane(pid=4711)))
    other = SHELL._replace(pid=9)
    seen = memory.look(
        session, [SHELL, other], {WHO: Spent(WORKS, 1, 2), (9, 5): Spent("", 0, None)}, {"%1": "x"}, NOW, 3, 4
    )
    assert seen == Remembered(NOW, {WHO: Spent(WORKS, 1, 2)}, {(4711, 5): (50, 9)}, {"%1": "x"}, 3, 4)
    assert memory.waited_for_nobody(seen, SHELL)
    assert not memory.waited_for_nobody(seen, SHELL._replace(waited_faults=10))
    assert not memory.waited_for_nobody(seen, other) and not memory.waited_for_nobody(None, SHELL)
