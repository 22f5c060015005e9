# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tmux_session tells of a session is what was seen done: nothing that was not begun, and nothing that failed."""

from typing import Any, Dict, List, NamedTuple, Optional, Set

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._modules.items import (
    WHO,
    Item,
    new_item,
    session_item,
    unread_item,
    who,
    who_is,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session import (
    CREATED,
    NOTHING,
    TAKEN,
    VANISHED,
    Change,
    Changes,
    Hands,
    Outcomes,
    carry_out,
    diff,
    failure,
    result,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import REMOVED
from ansible_collections.fleet.tmux.plugins.module_utils._policy.plan import Plan, plan
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import parse_version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Hung
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Listing, Unread
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Server
from ansible_collections.fleet.tmux.tests.support.sessions import NOW, session
from hypothesis import given
from hypothesis import strategies as st

ALICE = User("alice", 1000, 1000)
SERVER = Server("/tmp/tmux-1000/default", ALICE, "ok")
LISTS = ("created", "removed", "updated", "vanished", "not_done")


def seen(*names: str) -> Seen:
    sessions = tuple(session(name, id=f"${number}") for number, name in enumerate(names))
    client = Client("tmux", SERVER.socket, ALICE, False, 1.0)
    return Seen(SERVER, client, Listing(99, 5, parse_version("3.3a"), sessions, ()))


def again(*names: str) -> Plan:
    """A plan that makes sessions anew, of which all but ``new`` are there."""
    return plan("present", names, True, seen(*(name for name in names if name != "new")).listing.sessions, [])


def named(told: Dict[str, Any]) -> Dict[str, List[str]]:
    """The names in each list of a result that has any."""
    return {key: [item["name"] for item in told[key]] for key in LISTS if told[key]}


class Lazy(Hands):
    """Do nothing at all, and see the server as it was."""

    def look(self, plan: Plan, outcomes: Outcomes) -> List[Item]:
        return [who("alice", SERVER.socket, name) for name in plan.before]


class Failing(Hands):
    """Do everything well until the step ``failing``; what each step does is in ``done``."""

    def __init__(self, failing: str) -> None:
        self._failing = failing
        self.steps: List[str] = []
        self.there: Dict[str, Optional[str]] = {}

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if name == self._failing:
            raise Hung("tmux did not answer", ["tmux"])

    def prepare(self, plan: Plan) -> None:
        self.there = {session.name: session.id for session in plan.stay + plan.remove}
        self._step("prepare")

    def remove(self, removals: Changes) -> Changes:
        self._step("remove")
        for change in removals:
            del self.there[change.name]
        return tuple(change.done(REMOVED) for change in removals)

    def find_survivors(self, removals: Changes) -> Changes:
        self._step("survivors")
        return removals

    def create(self, creation: Change) -> Change:
        self._step(f"create {creation.name}")
        self.there[creation.name] = "$10"
        return creation._replace(id="$10").done(CREATED)

    def settle(self, creations: Changes) -> Changes:
        self._step("settle")
        return creations

    def look(self, plan: Plan, outcomes: Outcomes) -> List[Item]:
        self._step("look")
        return [who("alice", SERVER.socket, name, identity) for name, identity in self.there.items()]


def test_a_run_on_which_nothing_was_called_has_done_nothing_and_fails() -> None:
    wanted = again("a", "new")
    outcomes = carry_out(wanted, Lazy())
    told = result(outcomes, seen("a"))
    assert named(told) == {"not_done": ["a", "a", "new"]}
    assert {item["reason"] for item in told["not_done"]} == {"not_attempted"}
    assert told["changed"] is False
    assert failure(wanted, outcomes) is not None
    assert diff(wanted, outcomes)["after"] == diff(wanted, outcomes)["before"]


class Fault(NamedTuple):
    """What is told when a step fails."""

    failing: str
    lists: Dict[str, List[str]]
    there: Set[str]


FAULTS = [
    Fault("prepare", {"not_done": ["a", "b", "a", "b"]}, {"a", "b"}),
    Fault("remove", {"not_done": ["a", "b", "a", "b"]}, {"a", "b"}),
    Fault("survivors", {"removed": ["a", "b"], "not_done": ["a", "b"]}, set()),
    Fault("create b", {"removed": ["a", "b"], "created": ["a"], "not_done": ["b"]}, {"a"}),
    Fault("settle", {"removed": ["a", "b"], "created": ["a", "b"]}, {"a", "b"}),
    Fault("", {"removed": ["a", "b"], "created": ["a", "b"]}, {"a", "b"}),
]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.failing or "none" for fault in FAULTS])
def test_what_was_done_before_a_failure_is_told_and_nothing_else(fault: Fault) -> None:
    wanted = again("a", "b")
    outcomes = carry_out(wanted, Failing(fault.failing))
    told = result(outcomes, seen("a", "b"))
    assert named(told) == fault.lists
    assert {item["name"] for item in told["sessions"]} == fault.there
    assert told["changed"] is bool(set(fault.lists) - {"not_done"})
    assert isinstance(failure(wanted, outcomes), Hung) is bool(fault.failing)
    assert diff(wanted, outcomes)["after"]["sessions"] == sorted(fault.there)


def test_a_server_that_cannot_be_asked_afterwards_is_not_told_to_be_empty() -> None:
    outcomes = carry_out(again("a"), Failing("look"))
    told = result(outcomes, seen("a"))
    assert told["sessions"] is None and NOTHING["sessions"] is None
    assert named(told) == {"removed": ["a"], "created": ["a"]}
    assert isinstance(failure(again("a"), outcomes), Hung)


def test_why_nothing_was_made_is_told_though_the_server_does_not_answer_after_that() -> None:
    class Slow(Failing):
        def create(self, creation: Change) -> Change:
            return creation.failed("the configuration is slow: give it more time with timeout")

        def settle(self, creations: Changes) -> Changes:
            self._step("settle")
            return creations

    wanted = again("new")
    error = failure(wanted, carry_out(wanted, Slow("settle")))
    assert str(error).startswith("the configuration is slow: give it more time with timeout; what there is now is not")


def test_what_went_wrong_before_is_said_also_where_the_server_cannot_be_asked_afterwards() -> None:
    class Refused(Failing):
        def create(self, creation: Change) -> Change:
            return creation.failed("it was too slow")

    outcomes = carry_out(again("new"), Refused("look"))
    assert (
        str(failure(again("new"), outcomes)) == "it was too slow; what there is now is not known: tmux did not answer"
    )


def test_a_session_that_lives_stops_what_would_come_after_it() -> None:
    class Refused(Failing):
        def remove(self, removals: Changes) -> Changes:
            return (removals[0].failed("tmux did not remove it"), *super().remove(removals[1:]))

    wanted, hands = again("a", "b"), Refused("")
    outcomes = carry_out(wanted, hands)
    told = result(outcomes, seen("a", "b"))
    assert named(told) == {"removed": ["b"], "not_done": ["a", "a", "b"]}
    assert [item["reason"] for item in told["not_done"]] == ["error", "not_attempted", "not_attempted"]
    assert hands.steps == ["prepare", "remove", "survivors", "look"]
    assert str(failure(wanted, outcomes)) == "not removed: 'a': tmux did not remove it"


def test_a_session_that_ended_by_itself_is_not_told_to_be_removed() -> None:
    class Late(Failing):
        def remove(self, removals: Changes) -> Changes:
            super().remove(removals)
            return tuple(change.done(VANISHED) for change in removals)

    listing = seen("a").listing
    wanted = plan("absent", ["a"], False, listing.sessions, [])
    outcomes = carry_out(wanted, Late(""))
    told = result(outcomes, seen("a"))
    assert (named(told), told["changed"], failure(wanted, outcomes)) == ({"vanished": ["a"]}, False, None)


@pytest.mark.parametrize("outcome", [CREATED, TAKEN])
def test_a_session_that_is_not_there_after_all_was_not_created(outcome: str) -> None:
    class Forgetful(Failing):
        def create(self, creation: Change) -> Change:
            return creation._replace(id="$10").done(outcome)

    outcomes = carry_out(again("new"), Forgetful(""))
    told = result(outcomes, seen())
    assert named(told) == {"not_done": ["new"]}
    assert str(failure(again("new"), outcomes)) == "'new' is not there after all"
    assert told["changed"] is (outcome == CREATED), "a session was made, though it did not stay"


def test_a_session_that_somebody_else_made_meanwhile_was_not_created_and_is_no_failure() -> None:
    class Slow(Failing):
        def create(self, creation: Change) -> Change:
            super().create(creation)
            return creation.done(TAKEN)

    outcomes = carry_out(again("new"), Slow(""))
    told = result(outcomes, seen())
    assert (named(told), told["changed"], failure(again("new"), outcomes)) == ({}, False, None)


def test_a_removed_name_that_is_there_again_is_a_failure() -> None:
    class Haunted(Failing):
        def look(self, plan: Plan, outcomes: Outcomes) -> List[Item]:
            return [who("alice", SERVER.socket, "a", "$77")]

    listing = seen("a").listing
    wanted = plan("absent", ["a"], False, listing.sessions, [])
    outcomes = carry_out(wanted, Haunted(""))
    assert named(result(outcomes, seen("a"))) == {"removed": ["a"]}, "that one has gone"
    assert "'a' is there again" in str(failure(wanted, outcomes))


# --- one shape --------------------------------------------------------------------------------------------------------


def test_every_item_about_a_session_has_the_same_keys() -> None:
    one = seen("work")
    full = session_item(one, one.listing.sessions[0], {}, NOW)
    assert list(full) == list(unread_item(SERVER, Unread("$7", "odd", "why"))) == list(new_item(SERVER, "new", 80, 24))
    assert tuple(full)[: len(WHO)] == WHO
    assert who_is(one, one.listing.sessions[0]) == {key: full[key] for key in WHO}
    assert full["identity"] == f"99/5/$0/{NOW - 1000}"


@given(st.sets(st.sampled_from(["a", "b", "c"])), st.sets(st.sampled_from(["a", "b", "c"]), min_size=1))
def test_each_list_of_a_result_has_the_same_beginning(there: Set[str], names: Set[str]) -> None:
    before = seen(*sorted(there))
    wanted = plan("present", sorted(names), True, before.listing.sessions, [])
    for failing in ("", "remove", "create a"):
        told = result(carry_out(wanted, Failing(failing)), before)
        assert set(told) == set(NOTHING)
        for key in LISTS:
            assert all(tuple(item)[: len(WHO)] == WHO for item in told[key])
