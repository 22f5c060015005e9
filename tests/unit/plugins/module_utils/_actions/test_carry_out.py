# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing is reported as done that no hand has done, and whatever goes wrong, each session has one outcome."""

from typing import Callable, Dict, Iterator, List, Optional, Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.carry_out import Hands, Refused, carry_out
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune_result import Pruned, diff, result
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import (
    Decision,
    Outcome,
    begin,
    done,
    kept,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import NOTHING, Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Server
from ansible_collections.fleet.tmux.tests.support import sessions as make


def decisions(*actions: str) -> List[Decision]:
    """One session of each action, on one server; a number before it puts it on another."""
    made = []
    for number, word in enumerate(actions):
        place, _colon, action = word.rpartition(":")
        decision = make.decision(make.session("s%d" % number, id="$%d" % number), action, "idle")
        origin = decision.subject.origin._replace(place=int(place or 0))
        made.append(decision._replace(subject=decision.subject._replace(origin=origin)))
    return made


class Idle(Hands):
    """Hands that do nothing at all."""

    def prepare(self, decisions: Sequence[Decision]) -> None:
        pass

    def act(self, place: int, decisions: Sequence[Decision]) -> Iterator[Outcome]:
        return iter(())

    def finish(self, outcomes: Sequence[Outcome]) -> List[Outcome]:
        return list(outcomes)


class Busy(Idle):
    """Hands that do all that was decided, until something goes wrong."""

    def __init__(self, fails: Optional[Callable[[Decision], bool]] = None) -> None:
        self._fails = fails

    def act(self, place: int, decisions: Sequence[Decision]) -> Iterator[Outcome]:
        for decision in decisions:
            if self._fails is not None and self._fails(decision):
                raise RuntimeError("a defect")
            if decision.action != "keep":
                yield done(decision)


def told(outcomes: Sequence[Outcome]) -> Dict[str, str]:
    return {outcome.subject.session.name: "%s: %s" % (outcome.what, outcome.reason) for outcome in outcomes}


def of(outcomes: Sequence[Outcome]) -> Pruned:
    """A run with these outcomes, over two servers."""
    return Pruned([server(), server()], outcomes, (), 0, make.NOW)


def server() -> Seen:
    anna = User("anna", 1001, 1001)
    return Seen(Server("/tmp/s", anna, "ok"), Client("tmux", "/tmp/s", anna, False, 1.0), NOTHING)


def test_a_run_on_which_nothing_was_called_has_removed_nothing() -> None:
    outcomes = [begin(decision) for decision in decisions("remove", "mark", "keep")]
    assert told(outcomes) == {"s0": "not_done: not_attempted", "s1": "not_done: not_attempted", "s2": "kept: idle"}
    reported = result(of(outcomes), "any")
    assert (reported["removed"], reported["marked"], reported["changed"]) == ([], [], False)
    assert reported["counts"]["not_done"] == 2
    assert diff(of(outcomes))["before"] == diff(of(outcomes))["after"]


def test_hands_that_do_nothing_have_done_nothing() -> None:
    carried = carry_out(decisions("remove", "1:mark", "keep"), Idle())
    assert told(carried.outcomes) == {
        "s0": "not_done: not_attempted",
        "s1": "not_done: not_attempted",
        "s2": "kept: idle",
    }
    assert not result(of(carried.outcomes), "any")["changed"]


def test_what_hands_say_is_the_outcome() -> None:
    carried = carry_out(decisions("remove", "mark", "keep"), Busy())
    assert told(carried.outcomes) == {"s0": "removed: idle", "s1": "marked: idle", "s2": "kept: idle"}
    assert (carried.trouble, carried.refused) == ([], "")
    reported = result(of(carried.outcomes), "any")
    assert reported["changed"] and reported["counts"]["removed"] == reported["counts"]["marked"] == 1
    after = diff(of(carried.outcomes))["after"]["sessions"]
    assert [line.split()[2:] for line in after] == [["s1", "(notice)"], ["s2"]]


def test_a_defect_on_one_server_stops_no_other_and_loses_nothing() -> None:
    some = decisions("remove", "remove", "remove", "1:remove", "1:keep")
    carried = carry_out(some, Busy(lambda decision: decision.subject.session.name == "s1"))
    assert told(carried.outcomes) == {
        "s0": "removed: idle",
        "s1": "not_done: error",
        "s2": "not_done: error",
        "s3": "removed: idle",
        "s4": "kept: idle",
    }
    assert len(carried.trouble) == 1 and "RuntimeError in test_carry_out.py" in carried.trouble[0]


def test_a_defect_after_the_removals_loses_none_of_them() -> None:
    class Last(Busy):
        def finish(self, outcomes: Sequence[Outcome]) -> List[Outcome]:
            raise RuntimeError("a defect at the end")

    carried = carry_out(decisions("remove", "keep"), Last())
    assert told(carried.outcomes) == {"s0": "removed: idle", "s1": "kept: idle"}
    assert "RuntimeError in test_carry_out.py" in carried.trouble[0]


def test_what_is_refused_at_first_is_not_begun() -> None:
    class Unready(Busy):
        def prepare(self, decisions: Sequence[Decision]) -> None:
            raise Refused("not_saved", "there is no place for snapshots")

        def act(self, place: int, decisions: Sequence[Decision]) -> Iterator[Outcome]:
            raise AssertionError("something was begun")

    carried = carry_out(decisions("remove", "mark", "keep"), Unready())
    assert told(carried.outcomes) == {"s0": "not_done: not_saved", "s1": "not_done: not_saved", "s2": "kept: idle"}
    assert carried.refused == "there is no place for snapshots"
    assert not result(of(carried.outcomes), "any")["changed"]


@pytest.mark.parametrize("reason", ["changed", "vanished"])
def test_what_stays_after_all_is_kept(reason: str) -> None:
    (decision,) = decisions("remove")
    outcome = kept(decision, reason, "something happened")
    assert told([outcome]) == {"s0": "kept: " + reason}
    assert len(diff(of([outcome]))["after"]["sessions"]) == (reason == "changed")
