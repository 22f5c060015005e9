# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report has every host and every session once, and its sums are sums, whatever hosts return."""

import json
from typing import Any, Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Limits
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
from ansible_collections.fleet.tmux.tests.support.reports import (
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
        "stuck": "not_done: error",
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
        "over_limit": 0,
        "looked_at": 7,
        "removed": 2,
        "marked": 1,
        "kept": 3,
        "not_done": 1,
        "not_matched": 2,
        "servers": 2,
        "unmarked": 0,
        "survivors": 1,
        "freed_processes": 3,
        "freed_bytes": 1050,
        "oldest_idle": 6000,
    }


def test_notices_that_were_taken_back_are_counted() -> None:
    used = result(kept=[item("a", "active"), item("b", "keep")])
    used["counts"]["unmarked"] = 2
    made = whole({"web1": used, "web2": result()})
    assert made["totals"]["unmarked"] == 2 and host(made, "web1")["counts"]["unmarked"] == 2
    assert "0 of 2 sessions on 2 hosts removed, 2 notices taken back." in table(made)
    assert "Marked: 0 (2 notices taken back);" in table(made)
    assert "taken back" not in table(whole())
    older = whole({"web3": result()})
    del older["hosts"][0]["counts"]["unmarked"], older["totals"]["unmarked"]
    assert merged([made, older], RUN)["totals"]["unmarked"] == 2
    stopped = whole({"web1": used}, guard={"stopped": True, "message": "too much"})
    assert stopped["totals"]["unmarked"] == 0, "nothing was done"


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
    made = whole({"h": result([gone("a")], not_done=[item("b", "error")], failed=True, msg="it hung")})
    assert (host(made, "h")["status"], host(made, "h")["message"]) == ("failed", "it hung")
    assert fates(made, "h") == {"a": "removed: idle", "b": "not_done: error"}


def test_a_guard_that_stopped_it_leaves_the_plan_and_nothing_done() -> None:
    verdict = judge_fleet(FLEET, Limits(1))
    made = whole(guard=verdict)
    assert made["guard"] == verdict
    assert fates(made, "web1")["build-41"] == fates(made, "web1")["soon"] == "kept: guard"
    assert fates(made, "web1")["work"] == "kept: attached"
    assert fates(made, "web1")["stuck"] == "not_done: error"
    totals = made["totals"]
    assert (totals["removed"], totals["marked"], totals["kept"]) == (0, 0, 6)
    assert (totals["freed_processes"], totals["freed_bytes"], totals["survivors"]) == (0, 0, 0)
    spared = next(it for it in host(made, "web1")["sessions"] if it["name"] == "build-41")
    assert spared["detail"] == "not done, because of the limit for the fleet; idle, in words"
    assert spared["snapshot"] is None


def test_a_guard_that_did_not_stop_it_changes_nothing_else() -> None:
    assert dict(whole(guard=judge_fleet(FLEET, Limits(2))), guard={}) == dict(whole(), guard={})


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_KEYS = "removed marked kept not_done servers counts scope msg failed unreachable judged_at".split()
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
    one = whole(guard=judge_fleet(FLEET, Limits(1)), id="1")
    two = whole({"x": result([gone("a")])}, guard=judge_fleet({"x": result([gone("a")])}, Limits(1)), id="2")
    made = valid(merged([one, two], RUN))
    guard = made["guard"]
    assert (guard["stopped"], guard["planned"], guard["looked_at"], guard["max_removals"]) == (False, 3, 8, 1)
    assert guard["message"].startswith("1 of 2 runs were stopped: 2 sessions would be removed")
    assert made["totals"]["removed"] == 1
    assert "Nothing was removed by a part of the runs." in table(made)
    assert "Nothing was removed by a part of the runs." in page(made)
    assert merged([whole(), two], RUN)["guard"]["max_removals"] is None
    assert merged([made, one], RUN)["guard"] == guard, "a run counts once, however often it is there"
    stopped = [one, whole(guard=judge_fleet(FLEET, Limits(1)), id="3")]
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


HUGE = "x" * 10**6
CROWD = 20_000


def huge(what: str) -> Any:
    """What a host returns of which somebody else is root: a great deal, here or there."""
    lists: Dict[str, Any] = {
        "texts": result([item(HUGE, "idle", HUGE, socket=HUGE, detail=HUGE, id=HUGE, snapshot=HUGE)]),
        "sessions": result([gone("s%d" % number, owner="o%d" % number, detail="d" * 900) for number in range(CROWD)]),
        "survivors": result([gone("a", survivors=[{"pid": 1, "command": HUGE, "ports": list(range(CROWD))}] * CROWD)]),
        "windows": result([gone("a", lives_on=[{"window": HUGE, "name": HUGE, "sessions": [HUGE] * CROWD}] * CROWD)]),
        "servers": dict(result(), servers=[{"owner": HUGE, "status": HUGE, "reason": HUGE}] * CROWD),
        "unlisted": result(unlisted=[{"owner": "o%d" % number, "kept": 1} for number in range(CROWD)]),
        "message": {"failed": True, "msg": HUGE},
    }
    return lists[what]


@pytest.mark.parametrize("what", ["texts", "sessions", "survivors", "windows", "servers", "unlisted", "message"])
def test_a_host_that_returns_a_great_deal_takes_no_more_than_its_share(what: str) -> None:
    """Before, the report had all of it: hundreds of megabytes, for each of the files that are made of it."""
    made = report(dict(FLEET, mallory=huge(what)), RUN)
    assert len(json.dumps(made)) < 50 * 2**20
    assert fates(made, "web1") == fates(whole(), "web1")
    if what == "sessions":
        assert host(made, "mallory")["counts"]["removed"] == CROWD, "what is not listed is counted"
        assert made["totals"]["removed"] == CROWD + 2
    if what == "survivors":
        assert made["totals"]["survivors"] == CROWD + 1


def test_a_host_tells_only_of_itself() -> None:
    lie = result([gone("a", host="web1", outcome="kept")], host="web1", hosts=[host(whole(), "web1")], _ansible_x=1)
    made = whole({"web1": result(), "mallory": dict(lie, inventory_hostname="web1", ansible_facts={"a": 1})})
    assert fates(made, "web1") == {}
    assert fates(made, "mallory") == {"a": "removed: idle"}
    assert "ansible" not in json.dumps(made)


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
        ([dict(whole(), schema_version="1.0")], "schema_version is 1.0, this collection reads 2"),
        ([{"schema": "fleet.tmux/cleanup-report", "schema_version": "2.7"}], "it has no run, guard"),
    ],
)
def test_what_cannot_be_merged_is_refused(reports: Any, said: str) -> None:
    with pytest.raises(ReportError, match=said):
        merged(reports, RUN)


def test_a_report_with_keys_of_a_later_age_is_read() -> None:
    later = dict(whole(), schema_version="2.9", news=1)
    assert merged([later], RUN)["totals"] == whole()["totals"]


MANY = result(
    [
        gone(
            "a",
            survivors=[{"pid": 7, "command": "make", "ports": [80], "result": "reported", "more": {"ports": 4}}],
            lives_on=[{"window": "@1", "name": "w", "sessions": ["x"], "more": {"sessions": 598}}],
            more={"survivors": 30, "lives_on": 2},
        )
    ],
    kept=[item("b", "keep")],
    unlisted=[{"owner": "mallory", "removed": 3, "marked": 0, "kept": 7000, "not_done": 1, "servers": 2}],
)


def test_what_hosts_only_counted_is_in_all_sums_and_told() -> None:
    made = whole({"h": MANY})
    for counts in (host(made, "h")["counts"], made["totals"]):
        assert [counts[key] for key in ("looked_at", "removed", "kept", "not_done")] == [7006, 4, 7001, 1]
    assert made["totals"]["survivors"] == 31
    assert [(own["owner"], own["hosts"], own["removed"]) for own in made["owners"]] == [
        ("alice", 1, 1),
        ("mallory", 1, 3),
    ]
    shown = table(made)
    for words in ("and 30 more processes", "and 2 more windows", "x, and 598 more", "80, and 4 more", "7,000"):
        assert words in shown and words in page(made).replace("</td><td>", " ")
    told = [json.loads(line) for line in audit_lines(made)]
    assert [(it["owner"], it["removed"], it["not_done"]) for it in told if it["event"] == "unlisted"] == [
        ("mallory", 3, 1)
    ]
    assert 'tmux_cleanup_survivors{host="h"} 31' in metrics(made, "")


def test_what_a_guard_stopped_is_counted_as_kept() -> None:
    made = whole({"h": MANY}, guard=judge_fleet({"h": MANY}, Limits(0)))
    assert host(made, "h")["unlisted"] == [
        {"owner": "mallory", "removed": 0, "marked": 0, "kept": 7003, "not_done": 1, "servers": 2}
    ]
    assert (made["totals"]["removed"], made["totals"]["kept"]) == (0, 7005)


def test_what_was_only_counted_is_merged_like_what_was_listed() -> None:
    first, second = whole({"h": MANY}), whole({"h": result()}, id="b", finished="2027-01-15T09:00:00Z")
    made = valid(merged([first, second], RUN._replace(id="c")))
    assert host(made, "h")["unlisted"] == [
        {"owner": "mallory", "removed": 3, "marked": 0, "kept": 0, "not_done": 0, "servers": 0}
    ]
    assert (made["totals"]["removed"], made["totals"]["kept"]) == (4, 0)


def test_a_report_of_before_there_were_bounds_can_be_merged() -> None:
    old = json.loads(json.dumps(dict(whole(), schema_version="2.0")))
    for it in old["hosts"]:
        del it["unlisted"]
        for session in it["sessions"]:
            del session["more"]
    made = valid(merged([old], RUN._replace(id="c")))
    assert made["totals"] == whole()["totals"] and table(made)


# --- owners who are over a limit --------------------------------------------------------------------------------------


def _over(*items: Any, **lists: Any) -> Any:
    """A host on which mallory is over the limit for one owner."""
    made = result([gone("a")], kept=list(items), **lists)
    said = "2 sessions of this owner would be removed, max_removals_per_owner is 1"
    over = {"owner": "mallory", "removals": 2, "unprotected": 2, "over_limit": True, "message": said}
    return dict(made, owners=[*(one for one in made["owners"] if one["owner"] != "mallory"), over])


_TWO = [item(name, "guard", "mallory") for name in "xy"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_whoever_is_over_the_limit_on_a_host_is_named_everywhere(check_mode: bool) -> None:
    made = whole({"h": _over(*_TWO)}, check_mode=check_mode)
    (told,) = host(made, "h")["over_limit"]
    assert (told["owner"], told["removals"]) == ("mallory", 2)
    assert made["totals"]["over_limit"] == 1
    assert "1 owner is over a limit." in table(made)
    assert "Owners who are over a limit:" in table(made) and told["message"] in page(made)
    assert 'tmux_cleanup_owner_over_limit_sessions{owner="mallory"} 2' in metrics(made)
    lines = [json.loads(line) for line in audit_lines(made)]
    events = [(it["host"], it["owner"], it["removals"]) for it in lines if it["event"] == "over_limit"]
    assert events == ([] if check_mode else [("h", "mallory", 2)])
    assert lines[0]["totals"]["over_limit"] == 1
    assert made["guard"]["over_limit"] == []


def _held(check_mode: bool) -> Any:
    """A fleet on which mallory is over the limit for one owner on all hosts together."""
    plans = {name: result([gone("a"), gone("m", owner="mallory", snapshot="/s")]) for name in ("g", "h")}
    verdict = judge_fleet(plans, Limits(max_removals_per_owner=1, prefix="p_"))
    assert [one["owner"] for one in verdict["over_limit"]] == ["alice", "mallory"]
    verdict = dict(verdict, over_limit=verdict["over_limit"][1:])
    late = [item("m", "unplanned", "mallory"), item("n", "unplanned")]
    real = {name: result([gone("a")], kept=late) for name in ("g", "h")}
    return whole(plans if check_mode else real, guard=verdict, check_mode=check_mode)


def test_whoever_is_over_the_limit_for_the_fleet_is_named_everywhere() -> None:
    made = _held(False)
    assert fates(made, "h") == {"a": "removed: idle", "m": "kept: guard", "n": "kept: unplanned"}
    said = "2 sessions of this owner would be removed, p_max_removals_per_owner is 1"
    assert made["guard"]["over_limit"] == [{"owner": "mallory", "removals": 2, "message": said}]
    assert made["totals"]["over_limit"] == 1
    assert "all hosts" in table(made) and said in page(made)
    assert 'tmux_cleanup_owner_over_limit_sessions{owner="mallory"} 2' in metrics(made)
    events = [json.loads(line) for line in audit_lines(made)]
    assert [(it["host"], it["owner"]) for it in events if it["event"] == "over_limit"] == [(None, "mallory")]


def test_a_check_shows_that_nothing_of_whoever_is_over_would_go() -> None:
    made = _held(True)
    assert fates(made, "h") == {"a": "removed: idle", "m": "kept: guard"}
    assert (made["totals"]["removed"], made["totals"]["kept"]) == (2, 2)
    spared = next(it for it in host(made, "h")["sessions"] if it["name"] == "m")
    assert spared["snapshot"] is None and spared["freed"] == {"processes": 0, "bytes": 0}


def test_what_was_removed_is_never_told_as_kept() -> None:
    """Not even of an owner who should have been left alone."""
    made = whole({"h": result([gone("m", owner="mallory")])}, guard=_held(False)["guard"])
    assert fates(made, "h") == {"m": "removed: idle"}


def test_merged_reports_name_whoever_was_over_a_limit_in_any() -> None:
    on_host, on_fleet = whole({"x": _over(*_TWO)}, id="1"), _held(False)
    on_fleet["run"]["id"] = "2"
    made = valid(merged([on_host, on_fleet], RUN))
    assert host(made, "x")["over_limit"] and [one["owner"] for one in made["guard"]["over_limit"]] == ["mallory"]
    assert made["totals"]["over_limit"] == 1


def test_a_report_of_before_tells_of_no_such_owner() -> None:
    old = whole()
    for part in (*old["hosts"], old["guard"], old["totals"]):
        part.pop("over_limit", None)
    assert valid(merged([old], RUN))["totals"]["over_limit"] == 0
