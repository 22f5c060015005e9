# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans and guards only ever turn removals into sessions that stay."""

from typing import Dict, FrozenSet, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decide import counts, decide, guard
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import Decision
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Count, Limits, weigh
from ansible_collections.fleet.tmux.plugins.module_utils._policy.protections import PROTECTIONS
from ansible_collections.fleet.tmux.plugins.module_utils._policy.reasons import reasons
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.tests.support import sessions as make
from hypothesis import given
from hypothesis import strategies as st

POLICY = Policy(idle=100, older_than=None, finished=False, activity="any", protect=("attached", "keep"))
KINDS = {
    "remove": ("remove", "idle", Count(1, 1)),
    "mark": ("mark", "idle", Count(0, 1)),
    **{
        reason: ("keep", reason, Count(0, 1))
        for reason in ("active", "young", "used", "unfinished", "notice", "unplanned")
    },
    **{
        reason: ("keep", reason, Count(0, 0))
        for reason in (*(each.word for each in PROTECTIONS), "command", "newest", "no_snapshot", "vetoed", "unknown")
    },
}
"""A session, and how much it counts."""
SESSIONS = st.lists(st.tuples(st.integers(1, 3), st.sampled_from(sorted(KINDS))), max_size=12)
LIMITS = st.builds(
    Limits,
    st.one_of(st.none(), st.integers(0, 12)),
    st.one_of(st.none(), st.floats(0, 100)),
    st.one_of(st.none(), st.integers(0, 6)),
    st.just(""),
)


def made(sessions: List[Tuple[int, str]]) -> List[Decision]:
    return [_made(number, uid, kind) for number, (uid, kind) in enumerate(sessions)]


def _made(number: int, uid: int, kind: str) -> Decision:
    action, reason, _count = KINDS[kind]
    found = make.decision(make.session(id="$%d" % number), action, reason)
    return found._replace(subject=found.subject._replace(origin=found.subject.origin._replace(uid=uid)))


def test_only_what_was_planned_is_removed() -> None:
    subjects = [make.subject(make.session(id="$%d" % number)) for number in range(3)]
    planned = frozenset([subjects[1].identity])
    found = decide(subjects, POLICY._replace(planned=planned), make.NOW)
    assert [decision.reason for decision in found] == ["unplanned", "idle", "unplanned"]
    assert [decision.action for decision in decide(subjects, POLICY, make.NOW)] == ["remove"] * 3
    assert not any(decision.remove for decision in decide(subjects, POLICY._replace(planned=frozenset()), make.NOW))


@pytest.mark.parametrize(
    ("planned", "planned_marks", "marked"),
    [
        (None, None, [0, 1, 2]),
        (None, [1], [1]),
        (None, [], []),
        ([], None, []),
        ([0], None, [0]),
        ([0], [2], [0, 2]),
        ([], [1], [1]),
    ],
)
def test_only_what_was_planned_is_given_notice(
    planned: Optional[List[int]], planned_marks: Optional[List[int]], marked: List[int]
) -> None:
    """What was to be removed may be given notice instead, never the other way round."""
    subjects = [make.subject(make.session(id="$%d" % number)) for number in range(3)]

    def plan(numbers: Optional[List[int]]) -> Optional[FrozenSet[str]]:
        return None if numbers is None else frozenset(subjects[number].identity for number in numbers)

    by = POLICY._replace(planned=plan(planned), planned_marks=plan(planned_marks))
    found = decide(subjects, by._replace(notice=60), make.NOW)
    assert [number for number, decision in enumerate(found) if decision.action == "mark"] == marked
    stay = [decision for decision in found if decision.action == "keep"]
    assert {decision.reason for decision in stay} <= {"unplanned"}
    assert all(decision.detail.startswith("notice was not planned; ") for decision in stay)
    removed = [number for number, decision in enumerate(decide(subjects, by, make.NOW)) if decision.remove]
    assert removed == ([0, 1, 2] if planned is None else planned)


@given(SESSIONS, LIMITS, st.sets(st.integers(0, 11)))
def test_a_guard_only_keeps(sessions: List[Tuple[int, str]], limits: Limits, numbers: "set[int]") -> None:
    decisions = made(sessions)
    gone = {(0, "$%d" % number) for number in numbers}
    found, verdict = guard(decisions, limits, gone)
    assert [decision.subject for decision in found] == [decision.subject for decision in decisions]
    for before, after in zip(decisions, found):
        if after != before:
            assert after.action == "keep" and after.reason == ("vanished" if before.subject.key in gone else "guard")
        if after.action != "keep":
            assert not verdict.why_not(after.subject.origin.uid)
    for uid in (1, 2, 3):
        there = [it.remove for it in decisions if it.subject.key not in gone and it.subject.origin.uid == uid]
        removed = sum(decision.remove for decision in found if decision.subject.origin.uid == uid)
        assert removed == (0 if verdict.why_not(uid) else sum(there))


@given(SESSIONS, LIMITS, st.sets(st.integers(0, 11)))
def test_guards_are_given_what_counts_of_each_owner(
    sessions: List[Tuple[int, str]], limits: Limits, numbers: "set[int]"
) -> None:
    gone = {(0, "$%d" % number) for number in numbers}
    expected: Dict[int, Count] = {}
    for number, (uid, kind) in enumerate(sessions):
        if number not in numbers:
            expected[uid] = expected.get(uid, Count()).plus(KINDS[kind][2])
    assert counts(made(sessions), gone) == expected
    _found, verdict = guard(made(sessions), limits, gone)
    assert verdict == weigh(expected, limits)


def test_each_reason_to_keep_counts_or_does_not() -> None:
    """A new one must be thought of: what users can say of their own sessions must not make the whole larger."""
    told = {reason.word for reason in reasons("kept")}
    assert told == {kind for kind, (action, *_rest) in KINDS.items() if action == "keep"} | {
        "guard",
        "changed",
        "vanished",
    }


def test_a_guard_does_not_undo_what_favours_a_session() -> None:
    """A mark of notice is taken back also from sessions of somebody who is over the limit."""
    stays = make.decision(make.session(id="$1"), "keep", "active")._replace(unmark=True)
    found, verdict = guard([make.decision(make.session(id="$0")), stays], Limits(max_removals_per_owner=0))
    assert verdict.over and found[1] == stays


OWNED = st.lists(st.tuples(st.integers(1, 2), st.integers(0, 3), st.booleans()), max_size=8)


@given(OWNED, st.integers(1, 4))
def test_the_newest_of_each_owner_stay(found: List[Tuple[int, int, bool]], number: int) -> None:
    """Of all that are looked at, also of those that something else keeps."""
    subjects = []
    for place, (uid, ago, keep) in enumerate(found):
        it = make.session(id="$%d" % place, session_activity=make.NOW - ago, keep="on" if keep else "")
        subject = make.subject(it)
        subjects.append(subject._replace(origin=subject.origin._replace(uid=uid)))
    by = POLICY._replace(idle=0, protect=("keep",), keep_newest=number)
    decisions = decide(subjects, by, make.NOW)
    for uid in (1, 2):
        own = [(it, ago) for it, (of, ago, _keep) in zip(decisions, found) if of == uid]
        stay = [ago for it, ago in own if not it.remove]
        assert len(stay) >= min(number, len(own))
        newer = sorted(ago for _it, ago in own)[:number]
        assert sum(1 for it, ago in own if it.reason == "newest" and ago <= newer[-1]) == sum(
            1 for it, _ago in own if it.reason == "newest"
        )
        assert sum(1 for it, _ago in own if it.reason == "newest") <= number
    without = decide(subjects, by._replace(keep_newest=None), make.NOW)
    for before, after in zip(without, decisions):
        assert after == before or (before.remove and after.reason == "newest")


def test_a_session_that_stays_as_one_of_the_newest_loses_its_mark() -> None:
    it = make.subject(make.session(notice="given"))
    (found,) = decide([it], POLICY._replace(keep_newest=1, notice=60), make.NOW)
    assert (found.action, found.reason, found.unmark) == ("keep", "newest", True)
