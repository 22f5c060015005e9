# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random creates, renames, kills, attaches and prunes on a real server, held against a model of what should be."""

import contextlib
import os
from typing import Any, Dict, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import Ending
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session import (
    SessionOptions,
    carry_out,
    failure,
    result,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session_hands import (
    PromisingHands,
    WorkingHands,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._policy.plan import PlanError, plan
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import look
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host, locate
from ansible_collections.fleet.tmux.tests.support.programs import binaries
from ansible_collections.fleet.tmux.tests.support.runs import Prepared, settled
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE
from ansible_collections.fleet.tmux.tests.support.world import World
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

NAMES = ["a", "a-1", "b c", "x;", "#{pid}", "*", "=a", "'q'"]
ANCHOR = "first"
"""A session that nothing here removes, so that the server lives."""

RULES = Policy(idle=0, older_than=None, finished=False, activity="any", protect=("attached", "keep"))
CAT = SessionOptions(None, ("sh", "-c", "exec cat"), "/", (), None, None, None)

_SOME = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)


def _lists(told: Dict[str, Any]) -> Dict[str, List[str]]:
    """The names in each list of a result."""
    return {key: _names(items) for key, items in told.items() if isinstance(items, list)}


def _names(items: List[Dict[str, Any]]) -> List[str]:
    return [item["name"] for item in items]


class Sessions(RuleBasedStateMachine):
    """A server, and what it should hold: the sessions by name, each kept or not and attached or not."""

    binary = ""

    @initialize()
    def start(self) -> None:
        self.world = World(self.binary)
        self.world.start()
        self.world.tmux("set-option", "-t", ANCHOR, "@keep", "on")
        self.host = Host(self.world.binary, PATIENCE, Directory(PATIENCE))
        self.kept: Dict[str, bool] = {}
        self.clients: Dict[str, contextlib.ExitStack] = {}

    def teardown(self) -> None:
        if hasattr(self, "world"):
            for stack in self.clients.values():
                stack.close()
            self.world.stop()

    def _state(self, state: str, names: List[str], recreate: bool = False) -> Tuple[bool, Dict[str, Any]]:
        """Bring a state about, as the module does; whether the plan had anything to do, and the result."""
        before = look_at(self.host, self.world.path)
        made = plan(state, names, recreate, before.listing.sessions, before.listing.unread)
        promised = carry_out(made, PromisingHands(self.host, before, CAT))
        done = carry_out(made, WorkingHands(self.host, before, CAT, Ending()))
        assert (failure(made, promised), failure(made, done)) == (None, None)
        found, expected = _lists(result(done, before)), _lists(result(promised, before))
        assert found == expected
        assert found["sessions"] == list(made.after), "the plan is the action"
        assert (found["created"], found["removed"]) == (
            sorted(made.create),
            sorted(session.name for session in made.remove),
        )
        return made.changes, found

    def _identity(self, name: str) -> str:
        (found,) = [session.id for session in self.world.listing().sessions if session.name == name]
        return found

    def _leave(self, name: str) -> None:
        stack = self.clients.pop(name, None)
        if stack is not None:
            stack.close()

    def _forget(self, names: List[str]) -> None:
        for name in names:
            self.kept.pop(name)
            self._leave(name)

    @rule(names=_SOME)
    def present(self, names: List[str]) -> None:
        missing = [name for name in names if name not in self.kept]
        changes, result = self._state("present", names)
        assert (changes, result["created"]) == (bool(missing), sorted(missing))
        self.kept.update((name, False) for name in missing)
        assert not self._state("present", names)[0], "the second run changes nothing"

    @rule(names=_SOME)
    def absent(self, names: List[str]) -> None:
        there = [name for name in names if name in self.kept]
        changes, result = self._state("absent", names)
        assert (changes, result["removed"]) == (bool(there), sorted(there))
        self._forget(there)
        assert not self._state("absent", names)[0], "the second run changes nothing"

    @rule(names=_SOME)
    def only(self, names: List[str]) -> None:
        others = [name for name in self.kept if name not in names]
        if set(names) <= set(self.kept):
            _changes, result = self._state("only", [*names, ANCHOR])
            assert result["removed"] == sorted(others)
            self._forget(others)
            return
        try:
            self._state("only", [*names, ANCHOR])
        except PlanError:
            return
        raise AssertionError("a name that does not exist must fail")

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), new=st.sampled_from(NAMES))
    def rename(self, data: st.DataObject, new: str) -> None:
        old = data.draw(st.sampled_from(sorted(self.kept)))
        if new not in self.kept:
            # Before 3.0 tmux renames, and complains all the same when nobody is attached.
            self.world.run("rename-session", "-t", self._identity(old), new.replace("#", "##").replace(";", "\\;"))
            self.kept[new] = self.kept.pop(old)
            if old in self.clients:
                self.clients[new] = self.clients.pop(old)

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.kept)))
        self.world.tmux("kill-session", "-t", self._identity(name))
        self._forget([name])

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), value=st.sampled_from(["on", "off"]))
    def keep(self, data: st.DataObject, value: str) -> None:
        name = data.draw(st.sampled_from(sorted(self.kept)))
        self.world.tmux("set-option", "-t", self._identity(name), "@keep", value)
        self.kept[name] = value == "on"

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def attach_or_leave(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.kept)))
        if name in self.clients:
            self._leave(name)
            return
        stack = contextlib.ExitStack()
        stack.enter_context(self.world.attached(self._identity(name)))
        self.clients[name] = stack

    @rule()
    def prune(self) -> None:
        expected = sorted(name for name, kept in self.kept.items() if not kept and name not in self.clients)
        for session in self.world.listing().sessions:
            settled(self.world, session.id)  # What a process takes while it begins is another sum each time.
        planned = self._prune(check=True)
        assert [item["name"] for item in planned["removed"]] == expected
        done = self._prune(check=False)
        assert done["removed"] == planned["removed"] and done["counts"] == planned["counts"]
        self._forget(expected)
        assert not self._prune(check=False)["changed"], "the second run changes nothing"

    def _prune(self, check: bool) -> Dict[str, Any]:
        one = look(self.host, locate(self.host, self.world.path))
        result = Prepared([one], RULES).finish(check)
        told = [item["id"] for key in ("removed", "marked", "kept", "not_done") for item in result[key]]
        assert sorted(told) == sorted(session.id for session in one.listing.sessions), "each session exactly once"
        # Time passes between two looks.
        for item in result["removed"]:
            item.update(idle=None, detail=None)
        return result

    @invariant()
    def holds_what_it_should(self) -> None:
        if hasattr(self, "world"):
            names = self.world.tmux("list-sessions", "-F", "#{session_name}").split("\n")
            assert sorted(names) == sorted([*self.kept, ANCHOR])


def pytest_generate_tests(metafunc: Any) -> None:
    metafunc.parametrize("binary", binaries(), ids=[os.path.basename(os.path.dirname(path)) for path in binaries()])


@pytest.mark.stateful
def test_a_server_holds_what_the_model_says(binary: str) -> None:
    machine = type("Sessions", (Sessions,), {"binary": binary})
    run_state_machine_as_test(machine, settings=settings(max_examples=8, stateful_step_count=15, deadline=None))
