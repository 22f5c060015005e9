# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report has every host and every session once, and its sums are sums, whatever hosts return."""

import json
from typing import Any, Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.plugin_utils._audit import audit_lines
from ansible_collections.fleet.tmux.plugins.plugin_utils._guard import judge_fleet
from ansible_collections.fleet.tmux.plugins.plugin_utils._metrics import metrics
from ansible_collections.fleet.tmux.plugins.plugin_utils._page import page
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import (
    ReportError,
    iso_time,
    merged,
    report,
)
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import table
from ansible_collections.fleet.tmux.tests.unit.controller.sample import (
    FLEET,
    RUN,
    fates,
    gone,
    host,
    item,
    result,
    valid,
    whole,
)
from hypothesis import given
from hypothesis import strategies as st


def test_each_host_and_each_session_is_there_once() -> None:
    made = whole()
    assert [it["host"] for it in made["hosts"]] == list(FLEET)
    assert {it["host"]: it["status"] for it in made["hosts"]} == {
        "web1": "ok",
        "web2": "ok",
        "db1": "unreachable",
        "db2": "failed",
        "db3": "missing",
    }
    assert fates(made, "web1") == {
        "build-41": "removed: idle",
        "b": "removed: idle",
        "soon": "marked: idle",
        "work": "kept: attached",
        "irc": "kept: attached",
        "notes": "kept: keep",
        "stuck": "failed: failed",
    }
    assert host(made, "db1")["message"] == "Failed to connect: no route"
    assert host(made, "web1")["judged_at"] == "2027-01-15T08:00:00Z"


def test_the_sums() -> None:
    assert whole()["totals"] == {
        "hosts": 5,
        "ok": 2,
        "failed": 1,
        "unreachable": 1,
        "missing": 1,
        "looked_at": 7,
        "removed": 2,
        "marked": 1,
        "kept": 3,
        "failures": 1,
        "not_matched": 2,
        "servers": 2,
        "survivors": 1,
        "freed_processes": 3,
        "freed_bytes": 1050,
        "oldest_idle": 6000,
    }


def test_the_owners() -> None:
    owners = {it["owner"]: it for it in whole(dict(FLEET, more=result(kept=[item("x", "busy")])))["owners"]}
    assert list(owners) == ["alice", "bob", "carol"]
    alice, bob = owners["alice"], owners["bob"]
    assert (alice["hosts"], alice["looked_at"], alice["removed"], alice["kept"]) == (2, 5, 1, 3)
    assert alice["oldest_idle"] == 5000
    assert (bob["hosts"], bob["freed_processes"], bob["freed_bytes"], bob["oldest_idle"]) == (1, 1, 50, 4000)


def test_what_was_removed_is_not_the_oldest_that_is_idle() -> None:
    made = whole({"h": result([gone("a", idle=10**6)], kept=[item("b", idle=3), item("c", "unknown", idle=None)])})
    assert made["totals"]["oldest_idle"] == 3
    assert whole({"h": result([gone("a")])})["totals"]["oldest_idle"] is None


def test_a_host_that_failed_half_way_has_what_it_did() -> None:
    made = whole({"h": result([gone("a")], failures=[item("b", "failed")], failed=True, msg="it hung")})
    assert (host(made, "h")["status"], host(made, "h")["message"]) == ("failed", "it hung")
    assert fates(made, "h") == {"a": "removed: idle", "b": "failed: failed"}


def test_a_guard_that_stopped_it_leaves_the_plan_and_nothing_done() -> None:
    verdict = judge_fleet(FLEET, max_removals=1)
    made = whole(guard=verdict)
    assert made["guard"] == verdict
    assert fates(made, "web1")["build-41"] == fates(made, "web1")["soon"] == "kept: guard"
    assert fates(made, "web1")["work"] == "kept: attached"
    assert fates(made, "web1")["stuck"] == "failed: failed"
    totals = made["totals"]
    assert (totals["removed"], totals["marked"], totals["kept"]) == (0, 0, 6)
    assert (totals["freed_processes"], totals["freed_bytes"], totals["survivors"]) == (0, 0, 0)
    spared = next(it for it in host(made, "web1")["sessions"] if it["name"] == "build-41")
    assert spared["detail"] == "not done, because of the limit for the fleet; idle, in words"
    assert spared["snapshot"] is None


def test_a_guard_that_did_not_stop_it_changes_nothing_else() -> None:
    assert dict(whole(guard=judge_fleet(FLEET, max_removals=2)), guard={}) == dict(whole(), guard={})


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_KEYS = "removed marked kept failures servers counts scope msg failed unreachable judged_at".split()
_ITEM = st.dictionaries(st.sampled_from(list(item("a"))), _ANY)


@given(
    st.dictionaries(
        st.text(max_size=5), st.dictionaries(st.sampled_from(_KEYS), _ANY | st.lists(_ITEM, max_size=3)) | _ANY
    )
)
def test_whatever_hosts_return_becomes_a_valid_report(results: Dict[str, Any]) -> None:
    made = valid(report(results, RUN))
    assert len(made["hosts"]) == len(results)
    assert json.loads(json.dumps(made)) == made


def test_times_beyond_all_calendars_are_not_known() -> None:
    assert [iso_time(it) for it in (None, 0, 10**20, -(10**20))] == [None, "1970-01-01T00:00:00Z", None, None]


# --- merging ----------------------------------------------------------------------------------------------------------


def test_slices_become_one_report() -> None:
    one = whole({name: FLEET[name] for name in ("web1", "db1")}, id="a", started="2027-01-15T08:00:05Z")
    two = whole({name: FLEET[name] for name in ("web2", "db2", "db3")}, id="b", finished="2027-01-15T08:02:00Z")
    made = valid(merged([two, one], RUN._replace(id="c", finished="2030-01-01T00:00:00Z")))
    assert made["totals"] == whole()["totals"]
    assert made["owners"] == whole()["owners"]
    assert sorted(it["host"] for it in made["hosts"]) == sorted(FLEET)
    assert [it["id"] for it in made["run"]["merged"]] == ["a", "b"]
    run = made["run"]
    assert (run["id"], run["started"], run["finished"]) == ("c", "2027-01-15T08:00:00Z", "2027-01-15T08:02:00Z")


def test_merging_what_was_merged_is_merging_all() -> None:
    parts = [whole({name: FLEET[name]}, id=name) for name in FLEET]
    at_once = merged(parts, RUN)
    step_by_step = merged([merged(parts[:2], RUN), merged(parts[2:], RUN)], RUN)
    assert step_by_step == at_once
    assert merged([at_once, at_once], RUN) == at_once


def test_of_a_host_the_newest_counts_and_what_was_removed_before() -> None:
    away = {"unreachable": True, "msg": "away"}
    first = whole({"h": away, "g": result([gone("a")], kept=[item("b", "busy")])}, id="1")
    then = RUN._replace(id="2", finished="2027-01-16T00:00:00Z")
    second = report({"h": result([gone("c")]), "g": result([gone("b")])}, then)
    for reports in ([first, second], [second, first]):
        made = valid(merged(reports, RUN))
        assert fates(made, "h") == {"c": "removed: idle"}
        assert fates(made, "g") == {"a": "removed: idle", "b": "removed: idle"}
        assert (made["totals"]["removed"], made["totals"]["ok"], made["totals"]["freed_bytes"]) == (3, 2, 3000)


def test_of_checks_only_the_newest_counts() -> None:
    first = whole({"g": result([gone("a"), gone("b")])}, check_mode=True, id="1")
    second = whole({"g": result([gone("b")])}, check_mode=True, id="2", finished="2027-01-16T00:00:00Z")
    assert fates(merged([first, second], RUN), "g") == {"b": "removed: idle"}


def test_guards_of_slices_are_added_up() -> None:
    """Some were stopped and some were not: the sum says both."""
    one = whole(guard=judge_fleet(FLEET, max_removals=1), id="1")
    two = whole({"x": result([gone("a")])}, guard=judge_fleet({"x": result([gone("a")])}, max_removals=1), id="2")
    made = valid(merged([one, two], RUN))
    guard = made["guard"]
    assert (guard["stopped"], guard["planned"], guard["looked_at"], guard["max_removals"]) == (False, 3, 8, 1)
    assert guard["message"].startswith("1 of 2 runs were stopped: 2 sessions would be removed")
    assert made["totals"]["removed"] == 1
    assert "stopped a part of it" in table(made)
    assert "Nothing was removed by a part of the runs." in page(made)
    assert merged([whole(), two], RUN)["guard"]["max_removals"] is None
    assert merged([made, one], RUN)["guard"] == guard, "a run counts once, however often it is there"
    stopped = [one, whole(guard=judge_fleet(FLEET, max_removals=1), id="3")]
    assert merged(stopped, RUN)["guard"]["stopped"] is True


def test_who_saw_a_removed_session_vanish_does_not_undo_its_removal() -> None:
    """Two controllers at the same time: one removed it, the other saw that it had gone."""
    one = whole({"g": result([gone("a")])}, id="1")
    two = whole({"g": result(kept=[item("a", "vanished")])}, id="2", finished="2027-01-16T00:00:00Z")
    for reports in ([one, two], [two, one]):
        made = valid(merged(reports, RUN))
        assert fates(made, "g") == {"a": "removed: idle"}
        assert made["totals"]["looked_at"] == 1


_ODD: List[Dict[str, Any]] = [
    {"survivors": [{"pid": 1, "ports": 7}]},
    {"survivors": 7, "lives_on": {"a": 1}},
    {"lives_on": [{"sessions": 7}]},
    {"freed": {"processes": 10**400, "bytes": -1}, "idle": 10**400},
    {"idle": True, "evidence": [], "name": float("nan"), "owner": {}},
]


@pytest.mark.parametrize("odd", _ODD)
def test_a_host_with_an_odd_result_costs_the_others_nothing(odd: Dict[str, Any]) -> None:
    made = whole(
        dict(FLEET, odd=result([dict(gone("x"), **odd)]), worse={"counts": 7, "removed": "x", "judged_at": "x"})
    )
    assert fates(made, "web1") == fates(whole(), "web1")
    assert made["totals"]["freed_bytes"] < 2**63
    for make in (table, page, metrics, audit_lines):
        assert make(made)


def test_a_result_that_cannot_be_read_is_a_failed_host(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Dict[str, Any]):
        def get(self, key: Any, default: Any = None) -> Any:
            if "msg" not in self:
                raise RuntimeError("no more")
            return super().get(key, default)

    made = whole(dict(FLEET, broken=Broken(a=1)))
    assert (host(made, "broken")["status"], host(made, "web1")["status"]) == ("failed", "ok")
    assert "no more" in host(made, "broken")["message"]


@pytest.mark.parametrize(
    ("reports", "said"),
    [
        ([], "no report to merge"),
        ([whole(), whole(check_mode=True)], "check mode"),
        ([whole(), {"schema": "other"}], "no report of fleet.tmux"),
        ([[]], "no report of fleet.tmux"),
        ([dict(whole(), schema_version="2.0")], "schema_version is 2.0, this collection reads 1"),
        ([{"schema": "fleet.tmux/cleanup-report", "schema_version": "1.7"}], "it has no run, guard"),
    ],
)
def test_what_cannot_be_merged_is_refused(reports: Any, said: str) -> None:
    with pytest.raises(ReportError, match=said):
        merged(reports, RUN)


def test_a_report_with_keys_of_a_later_age_is_read() -> None:
    later = dict(whole(), schema_version="1.9", news=1)
    assert merged([later], RUN)["totals"] == whole()["totals"]
