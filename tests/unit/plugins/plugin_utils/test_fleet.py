# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for a run over a fleet, and what is to be done on each of its hosts."""

from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Limits
from ansible_collections.fleet.tmux.plugins.plugin_utils._arguments import Group
from ansible_collections.fleet.tmux.plugins.plugin_utils._fleet import (
    FleetError,
    Step,
    agreed,
    begun,
    besides,
    refused,
    returned,
    sources,
    step,
    to_be_asked,
)
from ansible_collections.fleet.tmux.tests.support.reports import gone, item, result

RUN = {"id": "r", "started": "2027-01-15T08:00:00Z"}
PLAN = result([gone("a", identity="1/2/$3/4"), gone("b", identity="1/2/$5/6")])
QUIET = result(kept=[item("c", "active")])


def group(*hosts: str, **values: Any) -> Group:
    return Group(hosts, {"tmux_cleanup_" + name: value for name, value in values.items()})


def run_of(*groups: Group, **more: Any) -> Dict[str, Any]:
    return begun(groups, RUN, **more)


# --- begin ------------------------------------------------------------------------------------------------------------


def test_without_any_variable_there_is_no_limit_and_no_policy() -> None:
    assert run_of() == {
        "run": RUN,
        "report_only": False,
        "limits": {"max_removals": None, "max_percent": None, "max_removals_per_owner": None},
        "limited": False,
        "asks": False,
        "guard": {},
        "policies": [],
        "login_notices": {"installed": 0, "removed": 0},
    }


def test_a_limit_that_any_host_has_counts_for_all_and_the_strictest_wins() -> None:
    run = run_of(
        group("a", fleet_max_removals=None, fleet_max_percent=20.0),
        group("b", fleet_max_removals=9, fleet_max_removals_per_owner=4),
        group("c", fleet_max_removals=5, fleet_max_percent=30.0),
    )
    assert run["limits"] == {"max_removals": 5, "max_percent": 20.0, "max_removals_per_owner": 4}
    assert run["limited"] is True


def test_no_removal_at_all_is_a_limit() -> None:
    assert run_of(group("a", fleet_max_removals=0))["limited"] is True


@pytest.mark.parametrize(
    ("said", "for_all", "expected"),
    [
        ([False, False], False, False),
        ([False, True], False, True),
        ([False, False], True, True),
        ([None], False, False),
    ],
)
def test_a_host_that_only_wants_a_report_stands_for_all(said: List[Any], for_all: bool, expected: bool) -> None:
    groups = [group(str(number), report_only=value) for number, value in enumerate(said)]
    assert run_of(*groups, report_only=for_all)["report_only"] is expected


def test_each_policy_is_told_once_with_its_hosts() -> None:
    lab, all_others = group("lab1", "lab2", idle="4h"), group("a", "b", "c", idle="2d", grace_period=5.0)
    one, two = run_of(lab, all_others, group("d", idle="2d", grace_period=6.0))["policies"]
    assert (one["policy"]["idle"], one["hosts"]) == ("2d", []), "it is that of all hosts that no other names"
    assert (two["policy"]["idle"], two["hosts"]) == ("4h", ["lab1", "lab2"])
    assert "grace_period" not in one["policy"], "it is not about what goes"


def test_a_policy_has_the_same_id_in_every_run() -> None:
    ids = [
        [one["id"] for one in run_of(group(host, idle=idle))["policies"]] for host, idle in (("a", "1d"), ("b", "1d"))
    ]
    assert ids[0] == ids[1] != [one["id"] for one in run_of(group("a", idle="2d"))["policies"]]


@pytest.mark.parametrize(
    ("somebody", "report_only", "asks"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_who_is_there_is_asked_where_something_may_be_done(somebody: bool, report_only: bool, asks: bool) -> None:
    for more in ({"report_only": report_only}, {}):
        run = begun([group("a", report_only=report_only)], RUN, somebody_to_ask=somebody, **more)
        assert run["asks"] is asks


# --- agree ------------------------------------------------------------------------------------------------------------


def test_the_verdict_is_over_the_limits_of_the_run_and_those_given_besides() -> None:
    run = run_of(group("a", fleet_max_removals=3))
    plans = {"a": PLAN, "b": QUIET, "away": {"unreachable": True}}
    assert agreed(run, plans, Limits())["guard"]["stopped"] is False
    stopped = agreed(run, plans, Limits(max_removals=1, prefix="mine_"))
    assert stopped["guard"]["message"] == "2 sessions would be removed, mine_max_removals is 1"
    assert agreed(run, plans, Limits(max_removals=9))["guard"]["max_removals"] == 3


def test_a_run_is_handed_on_and_an_earlier_verdict_does_not_last() -> None:
    run = run_of(group("a", fleet_max_removals=0))
    stopped = agreed(run, {"a": PLAN}, Limits())
    assert {key: stopped[key] for key in run if key != "guard"} == {key: run[key] for key in run if key != "guard"}
    assert run_of(group("a"))["guard"] == {}


def test_who_is_asked_is_told_what_else_is_done() -> None:
    run = run_of(group("a", "b", login_notices=True), group("c", login_notices=False), group("d", login_notices=None))
    installed, removed = besides(agreed(run, {"a": PLAN}, Limits()))
    assert "/etc/profile.d/zz-fleet-tmux.sh" in installed and " is installed on 2 hosts," in installed
    assert " is taken away from 1 host," in removed
    assert besides(run_of(group("a"))) == []


_SOME, _NONE = {"removed": 0, "marked": 1}, {"removed": 0, "marked": 0}


@pytest.mark.parametrize(
    ("asks", "limit", "more", "totals", "asked"),
    [
        (True, None, {}, _SOME, True),
        (True, 5, {}, {"removed": 2, "marked": 0}, True),
        (True, None, {}, _NONE, False),
        (True, 1, {}, _SOME, False),
        (True, None, {"report_only": True}, _SOME, False),
        (False, None, {}, _SOME, False),
    ],
)
def test_nobody_is_asked_about_what_is_not_done_in_any_case(
    asks: bool, limit: Optional[int], more: Dict[str, Any], totals: Dict[str, int], asked: bool
) -> None:
    run = begun([group("a", fleet_max_removals=limit)], RUN, somebody_to_ask=asks)
    assert to_be_asked(dict(agreed(run, {"a": PLAN}, Limits()), **more), totals) is asked


# --- what is to be done on a host -------------------------------------------------------------------------------------

_LIMITED = run_of(group("a", fleet_max_removals=5))
_AGREED = agreed(_LIMITED, {"a": PLAN}, Limits())
_STOPPED = agreed(_LIMITED, {"a": PLAN}, Limits(max_removals=1))
_ASKS = begun([group("a")], RUN, somebody_to_ask=True)
_REFUSED = dict(agreed(_ASKS, {"a": PLAN}, Limits()), report_only=True)
_PLANNED = ["1/2/$3/4", "1/2/$5/6"]
_CROWD = [gone(str(number), owner="mallory", identity="9/9/$%d/9" % number) for number in range(9)]
_BOTH = result([*PLAN["removed"], *_CROWD])
_HELD = agreed(run_of(group("a", fleet_max_removals=5, fleet_max_removals_per_owner=8)), {"a": _BOTH}, Limits())


@pytest.mark.parametrize(
    ("run", "plan", "how", "expected"),
    [
        ({}, {}, {}, Step(True, None)),
        ({}, {}, {"allowed": Step(True, ["1/2/$3/4"], ["1/2/$5/6"])}, Step(True, ["1/2/$3/4"], ["1/2/$5/6"])),
        ({}, {}, {"allowed": Step(True, [])}, Step(True, [])),
        ({}, {}, {"check_mode": True}, Step(True, None)),
        (run_of(group("a")), {}, {}, Step(True, None)),
        (run_of(group("a"), report_only=True), {}, {}, Step(True, None)),
        # While it is asked for its plan, it is as if there were no limit.
        (_LIMITED, {}, {"planning": True, "limited": True}, Step(True, None)),
        (_LIMITED, {}, {"planning": True, "allowed": Step(True, ["1/2/$3/4"])}, Step(True, ["1/2/$3/4"])),
        (_STOPPED, PLAN, {"planning": True, "limited": True}, Step(True, None)),
        # What was agreed on is done, and only that.
        (_AGREED, PLAN, {"limited": True}, Step(True, _PLANNED, [])),
        (_AGREED, PLAN, {}, Step(True, _PLANNED, [])),
        (_AGREED, result(marked=[item("m", identity="1/2/$7/8")]), {}, Step(True, [], ["1/2/$7/8"])),
        # Of whoever is over the limit for one owner nothing goes, and the host is asked what is there now.
        (_HELD, _BOTH, {"limited": True}, Step(True, _PLANNED, [])),
        (_HELD, result(_CROWD), {}, Step(True, [], [])),
        # The plan was all there was to do.
        (_AGREED, QUIET, {}, Step(True, [], [])),
        (_AGREED, dict(QUIET, failed=True, msg="too many"), {}, Step(False, [], [])),
        (_AGREED, dict(PLAN, failed=True, msg="a server hangs"), {}, Step(True, _PLANNED, [])),
        (_AGREED, {}, {}, Step(False, [], [])),
        (_AGREED, {"failed": True, "msg": "no tmux"}, {}, Step(False, [], [])),
        (_AGREED, {"unreachable": True}, {}, Step(False, [], [])),
        (_AGREED, PLAN, {"check_mode": True}, Step(False, [], [])),
        (dict(_AGREED, report_only=True), PLAN, {}, Step(False, [], [])),
        (_STOPPED, PLAN, {}, Step(False, [], [])),
        (_ASKS, {}, {"planning": True}, Step(True, None)),
        (agreed(_ASKS, {"a": PLAN}, Limits()), PLAN, {}, Step(True, _PLANNED, [])),
        (_REFUSED, PLAN, {}, Step(False, [], [])),
        (_STOPPED, QUIET, {}, Step(False, [], [])),
    ],
)
def test_what_is_to_be_done(run: Dict[str, Any], plan: Dict[str, Any], how: Dict[str, Any], expected: Step) -> None:
    assert step(run, plan, **how) == expected


def test_only_who_was_asked_can_have_refused() -> None:
    assert refused(_REFUSED) is True
    for run in ({}, _ASKS, _AGREED, run_of(group("a"), report_only=True)):
        assert refused(run) is False


def test_without_the_answer_that_it_waits_for_a_run_does_nothing() -> None:
    with pytest.raises(FleetError, match="and so does a question"):
        step(_ASKS, PLAN)


@pytest.mark.parametrize("run", [{}, _LIMITED, run_of(group("a"))])
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_limit_for_the_fleet_on_which_nobody_has_agreed_is_refused(run: Dict[str, Any], check_mode: bool) -> None:
    with pytest.raises(FleetError, match="need the plans of all hosts before anything is removed"):
        step(run, PLAN, limited=True, check_mode=check_mode)


# --- what hosts have returned -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "done", "plan", "expected"),
    [
        ({}, PLAN, None, PLAN),
        ({}, {"skipped": True}, QUIET, QUIET),
        ({}, None, QUIET, QUIET),
        ({}, {}, QUIET, QUIET),
        ({}, "odd", ["odd"], {}),
        ({}, None, None, {}),
        (_AGREED, PLAN, QUIET, PLAN),
        # Who was stopped has done nothing since the plan; what else is there is of an earlier run.
        (_STOPPED, QUIET, PLAN, PLAN),
        (_STOPPED, QUIET, None, {}),
    ],
)
def test_the_newest_result_of_this_run_counts(
    run: Dict[str, Any], done: Any, plan: Optional[Any], expected: Dict[str, Any]
) -> None:
    names = sources(run)
    assert returned({"h": {"tmux_cleanup_result": done, "tmux_cleanup_plan": plan}}, names) == {"h": expected}


def test_no_host_is_left_out() -> None:
    assert returned({"a": {}, "b": {"tmux_cleanup_result": PLAN}}, sources({})) == {"a": {}, "b": PLAN}


def test_what_failed_and_was_let_go_on_is_reported_as_failed() -> None:
    went_on = {"failed": False, "failed_when_result": False, "msg": "no sudo"}
    well = {"failed": False, "failed_when_result": False, "counts": {}}
    variables = {"a": {"tmux_cleanup_result": went_on}, "b": {"tmux_cleanup_result": well}}
    assert returned(variables, sources({})) == {"a": dict(went_on, failed=True), "b": well}
