# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits are exact, and no guard is in one user's hand."""

from fractions import Fraction
from typing import Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Count, Limits, Verdict, sum_of, weigh
from hypothesis import example, given
from hypothesis import strategies as st

CROWD = 1000


def count(removals: int, not_due: int) -> Count:
    return Count(removals, removals + not_due)


SOME = st.builds(count, st.integers(0, 12), st.integers(0, 12))
ANY = st.builds(count, st.integers(0, CROWD), st.integers(0, CROWD))
OWNERS = st.dictionaries(st.integers(1, 5), SOME, max_size=5)
OPTIONAL = st.one_of(st.none(), st.integers(0, 24))
LIMITS = st.builds(Limits, OPTIONAL, st.one_of(st.none(), st.floats(0, 100)), OPTIONAL, st.just(""))
MALLORY = 99


def beside(others: Dict[int, Count], own: Count, limits: Limits) -> Verdict:
    return weigh({**others, MALLORY: own}, limits)


@given(st.integers(0, 50), st.integers(0, 50), LIMITS)
def test_limits_are_exact_and_name_their_options(removals: int, not_due: int, limits: Limits) -> None:
    verdict = weigh({1: count(removals, not_due)}, limits)
    most = limits.max_removals_per_owner
    over = most is not None and removals > most
    assert dict(verdict.over) == (
        {1: "%s of this owner would be removed, max_removals_per_owner is %d" % (sessions(removals), most or 0)}
        if over
        else {}
    )
    too_many = not over and limits.max_removals is not None and removals > limits.max_removals
    too_large = not over and limits.max_percent is not None and exceeds(removals, not_due, limits.max_percent)
    assert bool(verdict.message) == (too_many or too_large)
    assert ("max_removals is" in verdict.message) == too_many
    assert ("max_percent is" in verdict.message) == (too_large and not too_many)
    renamed = weigh({1: count(removals, not_due)}, limits._replace(prefix="fleet_"))
    assert renamed.message == verdict.message.replace("max_", "fleet_max_")
    assert [renamed.over.get(1)] == [
        (said or "").replace("max_", "fleet_max_") or None for said in [verdict.over.get(1)]
    ]


def sessions(number: int) -> str:
    return "1 session" if number == 1 else "%d sessions" % number


def exceeds(removals: int, not_due: int, percent: float) -> bool:
    """One owner alone: nobody's weight matters."""
    return removals * 100 > Fraction(str(percent)) * (removals + not_due)


def test_a_percentage_is_what_was_written_and_no_binary_number_next_to_it() -> None:
    assert not weigh({1: count(334, 666)}, Limits(None, 33.4)).message
    assert weigh({1: count(334, 666)}, Limits(None, 33.39)).message


def test_the_example_of_the_documentation() -> None:
    """As in docs/fleet.md."""
    counts = {"alice": count(4, 6), "bob": count(1, 99), "mallory": count(1000, 0), "trudy": count(0, 1000)}
    verdict = weigh(counts, Limits(max_percent=25, max_removals_per_owner=20))
    assert dict(verdict.over) == {
        "mallory": "1000 sessions of this owner would be removed, max_removals_per_owner is 20"
    }
    assert verdict.message == "" and verdict.counted == Count(5, 1110)
    # 4.2 of 50: 4 of 10, and two that weigh 20 each, of which 0.2 and none.
    assert not weigh(counts, Limits(max_percent=8.4, max_removals_per_owner=20)).message
    said = "5 of 1110 sessions without protection would be removed (8.4 percent where no owner weighs more than 20)"
    assert weigh(counts, Limits(max_percent=8.3, max_removals_per_owner=20)).message == said + ", max_percent is 8.3"


@given(OWNERS, LIMITS)
def test_what_nobody_would_remove_passes_every_limit(owners: Dict[int, Count], limits: Limits) -> None:
    verdict = weigh({owner: it._replace(removals=0) for owner, it in owners.items()}, limits)
    assert not verdict.message and not verdict.over


@given(OWNERS, st.integers(1, CROWD), st.integers(0, CROWD), LIMITS)
def test_who_is_over_the_own_limit_is_not_there_for_the_others(
    others: Dict[int, Count], surplus: int, not_due: int, limits: Limits
) -> None:
    limits = limits._replace(max_removals_per_owner=limits.max_removals_per_owner or 0)
    without = weigh(others, limits)
    verdict = beside(others, count((limits.max_removals_per_owner or 0) + surplus, not_due), limits)
    assert verdict.why_not(MALLORY)
    assert [verdict.why_not(owner) for owner in others] == [without.why_not(owner) for owner in others]
    assert verdict.counted == without.counted


@given(OWNERS, LIMITS)
def test_what_is_protected_counts_nowhere(others: Dict[int, Count], limits: Limits) -> None:
    """An owner of nothing but protected sessions has a count of nothing, and that changes nothing."""
    with_nothing = beside(others, Count(), limits)
    without = weigh(others, limits)
    assert (with_nothing.message, with_nothing.over) == (without.message, without.over)


@given(OWNERS, ANY, LIMITS)
@example({1: count(1, 1)}, count(0, CROWD), Limits(None, 30, 1))
@example({1: count(1, 1)}, count(CROWD, 0), Limits(1, 60, 5))
@example({1: count(1, 9)}, count(5, 995), Limits(6, 50, 5))
def test_no_owner_moves_the_others_by_more_than_the_limit_for_one(
    others: Dict[int, Count], mine: Count, limits: Limits
) -> None:
    """Whatever one owner has, the others are judged as beside somebody with no more sessions than the limit for one.

    So if they would be removed beside any such neighbour, no crowd stops that; and if they would be stopped beside any,
    no crowd lets them go.
    """
    most = limits.max_removals_per_owner if limits.max_removals_per_owner is not None else 3
    limits = limits._replace(max_removals_per_owner=most)
    verdict = beside(others, mine, limits)
    assert {owner: said for owner, said in verdict.over.items() if owner != MALLORY} == weigh(others, limits).over
    worst = beside(others, count(most, 0), limits)
    best = beside(others, count(0, most), limits)
    if not worst.message and not weigh(others, limits).message:
        assert not verdict.message
    if best.message:
        assert verdict.message


@given(OWNERS, st.integers(0, 12), st.integers(0, 12), st.integers(2, 50), LIMITS)
def test_a_crowd_weighs_as_much_as_the_few_that_it_is_like(
    others: Dict[int, Count], removals: int, not_due: int, times: int, limits: Limits
) -> None:
    """Above the limit for one, only the proportion matters: a large honest owner is no false alarm."""
    most = max(removals + not_due, removals * times, 1)
    limits = limits._replace(max_removals=None, max_removals_per_owner=most)
    whole = removals + not_due
    few = Count(removals, whole)
    if whole * times > most == whole:
        many = Count(removals * times, whole * times)
        assert bool(beside(others, few, limits).message) == bool(beside(others, many, limits).message)


@pytest.mark.parametrize("crowd", [count(CROWD, 0), count(0, CROWD), count(5, CROWD)])
@pytest.mark.parametrize(
    ("honest", "goes"),
    [
        ({1: count(1, 9)}, True),
        ({1: count(5, 0), 2: count(5, 0), 3: count(5, 0)}, False),
        ({1: count(1, 2), 2: count(1, 7), 3: count(0, 1)}, True),
    ],
)
def test_a_crowd_changes_nothing_where_the_limit_for_one_is_small(
    honest: Dict[int, Count], goes: bool, crowd: Count
) -> None:
    limits = Limits(max_removals=20, max_percent=60, max_removals_per_owner=5)
    assert (beside(honest, crowd, limits).message == "") is goes


@given(OWNERS, st.lists(ANY, max_size=8), LIMITS)
def test_all_who_have_no_account_are_one_owner(others: Dict[int, Count], mine: List[Count], limits: Limits) -> None:
    """Whoever has subordinate ids has thousands of them; a limit for each would be none."""
    ids = {100000 + number: own for number, own in enumerate(mine)}
    verdict = weigh({**others, **ids}, limits, set(ids))
    as_one = weigh({**others, MALLORY: sum_of(mine)}, limits)
    assert (verdict.message, verdict.counted) == (as_one.message, as_one.counted)
    assert [verdict.why_not(owner) for owner in others] == [as_one.why_not(owner) for owner in others]
    for each in ids:
        assert verdict.why_not(each) == as_one.why_not(MALLORY).replace("this owner", "owners without an account")


def test_only_limits_in_all_need_all_owners_counted_first() -> None:
    assert not Limits().in_all and not Limits(max_removals_per_owner=1).in_all
    assert Limits(max_removals=1).in_all and Limits(max_percent=0).in_all
