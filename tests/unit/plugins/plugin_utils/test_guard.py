# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plans of all hosts together are held against the limits for the fleet."""

from typing import Any, Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Limits
from ansible_collections.fleet.tmux.plugins.plugin_utils._guard import judge_fleet
from ansible_collections.fleet.tmux.tests.support.reports import gone, item, result

PLANS: Dict[str, Any] = {
    "a": result([gone("1"), gone("2")], [item("soon")], [item("3", "busy")]),
    "b": result([gone("1")], kept=[item(name, "active") for name in "2345"]),
    "away": {"unreachable": True, "msg": "no route"},
    "broken": {"failed": True, "msg": "no tmux"},
}


@pytest.mark.parametrize(
    ("limits", "stopped", "said"),
    [
        ({}, False, ""),
        ({"max_removals": 3}, False, ""),
        ({"max_removals": 2}, True, "3 sessions would be removed, max_removals is 2"),
        ({"max_removals": 0}, True, "3 sessions"),
        ({"max_percent": 37.5}, False, ""),
        ({"max_percent": 37.4}, True, "3 of 8 sessions without protection would be removed, max_percent is 37.4"),
        ({"max_percent": 0}, True, "3 of 8"),
        ({"max_removals": 100, "max_percent": 10}, True, "3 of 8"),
        ({"max_removals": 1, "max_percent": 100}, True, "3 sessions"),
    ],
)
def test_limits(limits: Dict[str, Any], stopped: bool, said: str) -> None:
    verdict = judge_fleet(PLANS, Limits(**limits))
    assert (verdict["stopped"], verdict["planned"], verdict["unprotected"], verdict["looked_at"]) == (stopped, 3, 8, 9)
    assert verdict["message"].startswith(said) and bool(verdict["message"]) is stopped


def test_nothing_planned_passes_every_limit() -> None:
    for plans in ({}, {"a": result()}, {"a": result(kept=[item("x", "busy")])}):
        assert judge_fleet(plans, Limits(0, 0))["stopped"] is False


def crowd(number: int, reason: str = "") -> List[Any]:
    if reason:
        return [item(str(one), reason, "mallory") for one in range(number)]
    return [gone(str(one), owner="mallory") for one in range(number)]


def judged(plans: Dict[str, Any], **limits: Any) -> Dict[str, Any]:
    return judge_fleet(plans, Limits(**limits))


def test_a_crowd_of_one_user_on_many_hosts_stops_nobody_else() -> None:
    """Without the limit for one owner it stops the fleet: that is seen first."""
    limits = {"max_removals": 10, "max_percent": 50}
    plans = dict(PLANS, **{"h%d" % number: result(crowd(5)) for number in range(200)})
    assert judged(plans, **limits)["stopped"] is True
    verdict = judged(plans, max_removals_per_owner=20, **limits)
    assert verdict["stopped"] is False and verdict["message"] == ""
    said = "1000 sessions of this owner would be removed, max_removals_per_owner is 20"
    assert verdict["over_limit"] == [{"owner": "mallory", "removals": 1000, "message": said}]
    assert (verdict["planned"], verdict["unprotected"], verdict["looked_at"]) == (3, 8, 1009)
    assert verdict["max_removals_per_owner"] == 20


@pytest.mark.parametrize("reason", ["keep", "attached", "busy", "running", "unknown"])
def test_a_protected_crowd_does_not_keep_the_percentage_from_firing(reason: str) -> None:
    """A percentage of all that was looked at would be 3 of 1009, and let everything go."""
    plans = dict(PLANS, crowd=result(kept=crowd(1000, reason)))
    assert judged(plans, max_percent=37.4)["stopped"] is True
    assert judged(plans, max_percent=37.5)["stopped"] is False


def test_an_ordinary_crowd_weighs_no_more_than_the_limit_for_one_owner() -> None:
    plans = dict(PLANS, crowd=result(kept=crowd(1000, "active")))
    assert judged(plans, max_percent=18.75, max_removals_per_owner=8)["stopped"] is False
    verdict = judged(plans, max_percent=18.7, max_removals_per_owner=8)
    assert verdict["stopped"] is True, "3 of 8 that alice has, and none of 8"
    assert "3 of 1008 sessions without protection" in verdict["message"]


def test_who_is_over_the_limit_of_a_host_does_not_count_with_what_is_there() -> None:
    over = result(kept=crowd(1000, "guard"))
    over["owners"] = [
        {"owner": "mallory", "removals": 1000, "unprotected": 1000, "over_limit": True, "message": "too many"}
    ]
    assert judged(dict(PLANS, c=over), max_percent=37.4)["stopped"] is True
    verdict = judged(dict(PLANS, c=over, d=result(crowd(1))), max_removals=4, max_removals_per_owner=3)
    assert (verdict["stopped"], verdict["planned"], verdict["over_limit"]) == (False, 4, [])


def test_user_ids_without_an_account_are_one_owner() -> None:
    ids = [gone(str(number), owner=str(number)) for number in range(100000, 100030)]
    verdict = judged(dict(PLANS, ids=result(ids)), max_removals=10, max_removals_per_owner=5)
    assert verdict["stopped"] is False and verdict["planned"] == 3
    assert {one["owner"] for one in verdict["over_limit"]} == {str(number) for number in range(100000, 100030)}


@pytest.mark.parametrize("owners", [None, [], 7, [7], [{"owner": "alice", "removals": -1, "unprotected": "x"}]])
def test_a_host_that_hides_what_it_counted_is_counted_all_the_same(owners: Any) -> None:
    plans = dict(PLANS, a=dict(PLANS["a"], owners=owners))
    assert judged(plans, max_removals=2)["message"] == "3 sessions would be removed, max_removals is 2"


def test_it_speaks_of_the_options_that_its_reader_has_set() -> None:
    verdict = judge_fleet(PLANS, Limits(2, prefix="tmux_cleanup_fleet_"))
    assert verdict["message"] == "3 sessions would be removed, tmux_cleanup_fleet_max_removals is 2"
