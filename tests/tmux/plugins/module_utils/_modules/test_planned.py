# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is removed after somebody approved a plan is in that plan, and is what was meant there."""

import time
from typing import Any, Dict, List, Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import survivors
from ansible_collections.fleet.tmux.tests.support.runs import (
    EVERYTHING,
    Clock,
    Gently,
    Stopped,
    finish,
    item,
    marked,
    perform,
    prepare,
    settled,
    told,
)
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE
from ansible_collections.fleet.tmux.tests.support.world import World


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survivors, "ENDING_SECONDS", PATIENCE)


def identities(result: Dict[str, Any], outcome: str = "removed") -> List[str]:
    return [it["identity"] for it in result[outcome]]


def planned(*identities: str, marks: Sequence[str] = ()) -> Any:
    return EVERYTHING._replace(planned=frozenset(identities), planned_marks=frozenset(marks))


def test_a_plan_is_carried_out_and_what_came_later_stays(server: World) -> None:
    server.new("a")
    plan = identities(perform(server, Gently(), check=True))
    assert len(plan) == 2
    server.new("later")
    expected = {"first": "removed: idle", "a": "removed: idle", "later": "kept: unplanned"}
    checked = perform(server, Gently(), planned(*plan), check=True)
    assert told(checked) == expected
    assert told(perform(server, Gently(), planned(*plan))) == expected
    again = perform(server, Gently(), planned(*plan))
    assert (told(again), again["changed"]) == ({"later": "kept: unplanned"}, False)
    assert "no activity for" in item(again, "later")["detail"]


def test_an_empty_plan_removes_nothing(server: World) -> None:
    result = perform(server, Gently(), planned())
    assert (told(result), result["changed"]) == ({"first": "kept: unplanned"}, False)
    assert len(server.ids()) == 1


def test_another_session_of_the_same_name_was_not_planned(server: World) -> None:
    server.new("a")
    plan = identities(perform(server, Gently(), check=True))
    server.tmux("kill-session", "-t", "=a")
    server.new("a")
    assert told(perform(server, Gently(), planned(*plan))) == {"first": "removed: idle", "a": "kept: unplanned"}


def test_a_plan_does_not_overrule_the_policy(server: World) -> None:
    """What is protected since then stays, whatever was approved."""
    plan = identities(perform(server, Gently(), check=True))
    server.tmux("set-option", "-t", "=first:", "@keep", "on")
    assert told(perform(server, Gently(), planned(*plan))) == {"first": "kept: keep"}


def test_guards_count_only_what_is_planned(server: World) -> None:
    server.new("a")
    whole = perform(server, Gently(), check=True)
    one = item(whole, "a")["identity"]
    with pytest.raises(Stopped):
        finish(prepare(server, Gently(max_removals=1)))
    assert told(perform(server, Gently(max_removals=1), planned(one))) == {
        "a": "removed: idle",
        "first": "kept: unplanned",
    }


def test_a_mark_survives_a_plan_without_it(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notice that was given is neither taken back nor made use of."""
    clock = Clock(monkeypatch)
    clock.ahead = 10
    (identity,) = server.ids()
    settled(server, identity)
    manner = Gently(notice=60)
    assert told(perform(server, manner)) == {"first": "marked: idle"}
    mark = marked(server, identity)
    clock.ahead = 100
    assert told(perform(server, manner, planned())) == {"first": "kept: unplanned"}
    assert mark is not None
    assert marked(server, identity) == mark
    assert told(perform(server, manner)) == {"first": "removed: idle"}


def test_a_planned_mark_is_no_planned_removal(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan of marks alone is one of no removals, whoever else has given notice meanwhile, and however long ago."""
    clock = Clock(monkeypatch)
    clock.ahead = 10
    settled(server, *server.ids())
    manner = Gently(notice=60)
    checked = perform(server, manner, check=True)
    assert told(checked) == {"first": "marked: idle"}
    assert told(perform(server, manner)) == {"first": "marked: idle"}
    clock.ahead = 100
    plan = planned(*identities(checked), marks=identities(checked, "marked"))
    assert told(perform(server, manner, plan)) == {"first": "kept: unplanned"}


def test_notice_is_given_as_planned_and_to_nobody_else(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # In the second of its creation a session is in use, and so it is as long as its shell begins.
    Clock(monkeypatch).ahead = 10
    settled(server, *server.ids())
    manner = Gently(notice=60)
    plan = planned(marks=identities(perform(server, manner, check=True), "marked"))
    server.new("later")
    expected = {"first": "marked: idle", "later": "kept: unplanned"}
    for check in (True, False):
        assert told(perform(server, manner, plan, check)) == expected
    assert item(perform(server, manner, plan), "later")["detail"].startswith("notice was not planned; no activity for")
    assert [bool(marked(server, identity)) for identity in server.ids()] == [True, False]


def test_the_clock_of_the_host_is_told(server: World) -> None:
    before = int(time.time())
    for check in (True, False):
        assert before <= perform(server, Gently(), planned(), check)["judged_at"] <= int(time.time())


def test_what_was_freed_is_told_of_each(server: World) -> None:
    """The items add up to the sum; what two sessions share is counted once."""
    server.new("a")
    server.tmux("new-session", "-d", "-t", "=a", "-s", "twin")
    for check in (True, False):
        result = perform(server, Gently(), check=check)
        for unit in ("processes", "bytes"):
            assert sum(it["freed"][unit] for it in result["removed"]) == result["freed"][unit] > 0
        assert item(result, "twin")["freed"] == {"processes": 0, "bytes": 0}
