# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is there to what is wanted: nothing more than that, and nothing at all when something is unclear."""

from typing import List, Set

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.plan import Plan, PlanError, plan
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session, Unread
from ansible_collections.fleet.tmux.tests.support.sessions import session
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.sets(st.sampled_from(["a", "b", "ab", "A", "", "a*", "é"]))
STATES = st.sampled_from(["present", "absent", "only"])


def sessions(names: Set[str]) -> List[Session]:
    return [session(name, id="$%d" % number) for number, name in enumerate(sorted(names, reverse=True))]


def unread(names: Set[str]) -> List[Unread]:
    return [Unread("$9%d" % number, name, "odd") for number, name in enumerate(sorted(names))]


def removed(made: Plan) -> Set[str]:
    return {it.name for it in made.remove}


def simulated(made: Plan) -> List[str]:
    return sorted((set(made.before) - removed(made)) | set(made.create))


@given(NAMES, NAMES, st.booleans())
def test_present_makes_what_is_missing_and_touches_nothing_else(wanted: Set[str], there: Set[str], again: bool) -> None:
    made = plan("present", sorted(wanted), again, sessions(there), [])
    assert set(made.create) == (wanted if again else wanted - there)
    assert removed(made) == (wanted & there if again else set())
    assert set(made.after) == wanted | there


@given(NAMES, NAMES, st.booleans())
def test_absent_removes_these_names_only(wanted: Set[str], there: Set[str], again: bool) -> None:
    made = plan("absent", sorted(wanted), again, sessions(there), [])
    assert made.create == ()
    assert removed(made) == wanted & there
    assert set(made.after) == there - wanted


@given(NAMES, NAMES)
def test_only_keeps_these_names_if_all_are_there(wanted: Set[str], there: Set[str]) -> None:
    if wanted and wanted <= there:
        made = plan("only", sorted(wanted), False, sessions(there), [])
        assert (made.create, removed(made), set(made.after)) == ((), there - wanted, wanted)
    else:
        with pytest.raises(PlanError):
            plan("only", sorted(wanted), False, sessions(there), [])


@given(STATES, NAMES, NAMES, NAMES, st.booleans())
def test_what_is_said_of_afterwards_is_what_the_plan_does(
    state: str, wanted: Set[str], there: Set[str], hidden: Set[str], again: bool
) -> None:
    hidden -= there
    try:
        made = plan(state, sorted(wanted), again, sessions(there), unread(hidden))
    except PlanError:
        return
    assert list(made.after) == simulated(made)
    assert list(made.before) == sorted(there | hidden)
    assert made.changes is (bool(made.create) or bool(made.remove))
    assert list(made.create) == sorted(set(made.create))
    assert [it.name for it in made.remove] == sorted(removed(made))
    assert not removed(made) & hidden, "who cannot be read is never touched"
    assert not set(made.create) & hidden, "nor made anew"


@given(STATES, NAMES, NAMES)
def test_the_second_run_changes_nothing(state: str, wanted: Set[str], there: Set[str]) -> None:
    try:
        made = plan(state, sorted(wanted), False, sessions(there), [])
    except PlanError:
        return
    again = plan(state, sorted(wanted), False, sessions(set(made.after)), [])
    assert not again.changes
    assert again.before == again.after == made.after


@pytest.mark.parametrize("state, again", [("absent", False), ("present", True), ("only", False)])
def test_who_cannot_be_read_is_not_removed(state: str, again: bool) -> None:
    with pytest.raises(PlanError, match="cannot be read"):
        plan(state, ["a"], again, sessions({"b"}), unread({"a"}))


def test_only_needs_to_read_every_session_but_the_others_do_not() -> None:
    with pytest.raises(PlanError, match="'x'"):
        plan("only", ["a"], False, sessions({"a", "b"}), unread({"x"}))
    assert removed(plan("absent", ["a"], False, sessions({"a"}), unread({"x"}))) == {"a"}
    assert plan("present", ["x"], False, sessions(set()), unread({"x"})).create == ()


def test_only_says_who_is_missing() -> None:
    with pytest.raises(PlanError, match="'build' is not there, so nothing was removed"):
        plan("only", ["build"], False, sessions({"build-2"}), [])
    with pytest.raises(PlanError, match="must not be empty"):
        plan("only", [], False, sessions({"a"}), [])


def test_a_name_that_is_given_twice_is_one() -> None:
    assert plan("present", ["a", "a"], False, [], []).create == ("a",)
