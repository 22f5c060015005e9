# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy of each host is in the report, and none is shown for a host that has another."""

from typing import Any, Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.plugin_utils._page import page
from ansible_collections.fleet.tmux.plugins.plugin_utils._policies import (
    by_host,
    in_words,
    policies_of,
    sound,
    with_hosts,
)
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Json, merged
from ansible_collections.fleet.tmux.plugins.plugin_utils._sections import sections
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import table
from ansible_collections.fleet.tmux.tests.support.reports import RUN, host, result, valid, whole

DAY: Dict[str, Any] = {"idle": "1d", "protect": ["keep", "busy"], "notice": None, "finished": False}
HOURS: Dict[str, Any] = {"idle": "4h"}
THREE = {"web1": result(), "web2": result(), "lab": result()}
SHARED = policies_of([(["web1", "web2"], DAY), (["lab"], HOURS)])


def shown(made: Json, key: str) -> List[List[str]]:
    return [[cell.text for cell in row] for one in sections(made) if one.key == key for row in one.rows]


def test_every_host_has_one() -> None:
    assert by_host(SHARED, THREE) == {"web1": SHARED[0]["id"], "web2": SHARED[0]["id"], "lab": SHARED[1]["id"]}
    assert [one["hosts"] for one in with_hosts(SHARED, list(THREE))] == [["web1", "web2"], ["lab"]]
    assert by_host([], THREE) == {}


def test_what_is_handed_on_is_small_where_all_hosts_have_the_same() -> None:
    assert policies_of([([str(number) for number in range(5000)], DAY)])[0]["hosts"] == []


def test_a_report_has_the_policy_of_each_host() -> None:
    made = whole(dict(THREE, lost={}), policies=SHARED)
    assert [host(made, name)["policy"] for name in ("web1", "lab", "lost")] == [SHARED[0]["id"], SHARED[1]["id"], None]
    assert {one["id"]: one["policy"] for one in made["run"]["policies"]} == {
        SHARED[0]["id"]: DAY,
        SHARED[1]["id"]: HOURS,
    }
    assert made["run"]["policy"] is None, "there is not one for all"


def test_what_all_hosts_have_is_the_policy_of_the_run() -> None:
    made = whole(THREE, policies=policies_of([(list(THREE), DAY)]))
    assert made["run"]["policy"] == DAY
    assert shown(made, "policies") == []
    assert "Policy: <bdi>idle: 1d; protect: keep, busy</bdi>" in page(made)


def test_people_are_shown_which_hosts_have_which() -> None:
    made = whole(THREE, policies=SHARED)
    assert shown(made, "policies") == [
        [SHARED[0]["id"], "2", "web1, web2", "idle: 1d; protect: keep, busy"],
        [SHARED[1]["id"], "1", "lab", "idle: 4h"],
    ]
    assert "hosts have 2 different ones" in page(made)
    assert "idle: 4h" in page(made) and "idle: 4h" in table(made)


def test_merged_reports_keep_the_policies_that_held() -> None:
    first = whole({"web1": result()}, policies=policies_of([(["web1"], DAY)]))
    later = whole({"lab": result()}, policies=policies_of([(["lab"], HOURS)]), finished="2027-01-16T08:00:00Z", id="x")
    made = valid(merged([first, later], RUN))
    assert [host(made, name)["policy"] for name in ("web1", "lab")] == [one["id"] for one in SHARED]
    assert [one["id"] for one in made["run"]["policies"]] == [one["id"] for one in SHARED]
    assert made["run"]["policy"] is None
    assert valid(merged([first, first], RUN))["run"]["policy"] == DAY


def test_reports_from_before_there_was_a_policy_for_each_host_are_merged() -> None:
    old = whole(THREE)
    del old["run"]["policies"], old["hosts"][0]["policy"]
    assert host(valid(merged([old], RUN)), "web1")["policy"] is None


@pytest.mark.parametrize(
    "given", [None, 7, "x", [7], [{}], [{"id": 1, "policy": 2, "hosts": []}], {"id": "a"}], ids=str
)
def test_what_is_no_policy_is_none(given: Any) -> None:
    assert sound(given) == []


def test_words_leave_out_what_a_policy_leaves_out() -> None:
    assert in_words(DAY) == "idle: 1d; protect: keep, busy"
    assert in_words({"patterns": [], "where": {}, "veto_command": ["a", "b"]}) == "veto_command: a, b"
    assert in_words({"max_removals": 0, "max_percent": 0.0}) == "max_removals: 0; max_percent: 0.0", "that is a limit"
