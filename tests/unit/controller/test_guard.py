# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plans of all hosts together are held against the limits for the fleet."""

from typing import Any, Dict

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.fleet.tmux.plugins.filter.cleanup_guard import FilterModule, cleanup_guard
from ansible_collections.fleet.tmux.plugins.plugin_utils._guard import judge_fleet
from ansible_collections.fleet.tmux.tests.unit.controller.sample import gone, item, result

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
        ({"max_removals": 2}, True, "3 sessions would be removed, tmux_cleanup_fleet_max_removals is 2"),
        ({"max_removals": 0}, True, "3 sessions"),
        ({"max_removals": "2"}, True, "3 sessions"),
        ({"max_percent": 33.4}, False, ""),
        ({"max_percent": 33.3}, True, "3 of 9 sessions would be removed, tmux_cleanup_fleet_max_percent is 33.3"),
        ({"max_percent": 0}, True, "3 of 9"),
        ({"max_percent": "100"}, False, ""),
        ({"max_removals": 100, "max_percent": 10}, True, "3 of 9"),
        ({"max_removals": 1, "max_percent": 100}, True, "3 sessions"),
        ({"max_removals": [], "max_percent": [None]}, False, ""),
        ({"max_removals": [9, 2, None], "max_percent": []}, True, "3 sessions"),
        ({"max_removals": [9, 3], "max_percent": [100, 10.0]}, True, "3 of 9"),
    ],
)
def test_limits(limits: Dict[str, Any], stopped: bool, said: str) -> None:
    verdict = judge_fleet(PLANS, **limits)
    assert (verdict["stopped"], verdict["planned"], verdict["looked_at"]) == (stopped, 3, 9)
    assert verdict["message"].startswith(said) and bool(verdict["message"]) is stopped


def test_nothing_planned_passes_every_limit() -> None:
    for plans in ({}, {"a": result()}, {"a": result(kept=[item("x", "busy")])}):
        assert judge_fleet(plans, max_removals=0, max_percent=0)["stopped"] is False


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_removals", -1),
        ("max_removals", 1.5),
        ("max_removals", ""),
        ("max_removals", "many"),
        ("max_removals", True),
        ("max_removals", {"a": 1}),
        ("max_removals", [5, ""]),
        ("max_removals", float("inf")),
        ("max_removals", float("nan")),
        ("max_percent", -0.1),
        ("max_percent", 100.1),
        ("max_percent", ""),
    ],
)
def test_what_is_no_limit_is_refused_by_name(option: str, value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="^tmux_cleanup_fleet_" + option):
        cleanup_guard(PLANS, **{option: value})


def test_something_else_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="dictionary of plans by host, not list"):
        cleanup_guard([])  # type: ignore[arg-type]


def test_ansible_finds_it() -> None:
    assert FilterModule().filters() == {"cleanup_guard": cleanup_guard}
