# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit has what was done and what went wrong, one event a line, and nothing that was not done."""

import json
from typing import Any, Dict, List

from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Limits
from ansible_collections.fleet.tmux.plugins.plugin_utils._audit import audit_lines, begun_line
from ansible_collections.fleet.tmux.plugins.plugin_utils._guard import judge_fleet
from ansible_collections.fleet.tmux.plugins.plugin_utils._policies import with_hosts
from ansible_collections.fleet.tmux.tests.support.reports import FLEET, RUN, gone, item, result, whole


def events(made: Dict[str, Any]) -> List[Dict[str, Any]]:
    found = [json.loads(line) for line in audit_lines(made)]
    for event in found:
        assert (event["time"], event["run"]) == (RUN.finished, RUN.id)
    return found


def test_what_was_done_and_what_went_wrong() -> None:
    run, *others = events(whole())
    assert (run["event"], run["totals"]["removed"], run["check_mode"], run["started"]) == ("run", 2, False, RUN.started)
    assert [(it["event"], it["host"], it.get("name") or it.get("status")) for it in others] == [
        ("removed", "web1", "build-41"),
        ("removed", "web1", "b"),
        ("marked", "web1", "soon"),
        ("not_done", "web1", "stuck"),
        ("host", "db1", "unreachable"),
        ("host", "db2", "failed"),
        ("host", "db3", "missing"),
    ]
    build = others[0]
    assert (build["owner"], build["reason"], build["idle"]) == ("alice", "idle", 100)
    assert (build["snapshot"], build["judged_at"]) == ("/var/lib/fleet-tmux/alice/x", "2027-01-15T08:00:00Z")
    assert build["survivors"][0]["ports"] == [8080]
    assert others[4]["message"] == "Failed to connect: no route"


TWO = [
    {"id": "aa", "hosts": [], "policy": {"idle": "1d", "notice": None, "protect": ["keep"], "finished": False}},
    {"id": "bb", "hosts": ["lab"], "policy": {"idle": "4h"}},
]


def test_a_removal_carries_the_policy_that_held() -> None:
    hosts = {"web1": result([gone("a")]), "lab": result([gone("b")], [item("c")]), "gone": {}}
    run, *others = events(whole(hosts, policies=TWO))
    assert [(it["id"], it["hosts"]) for it in run["policies"]] == [("aa", ["web1"]), ("bb", ["lab"])]
    assert run["policies"][0]["policy"]["protect"] == ["keep"]
    assert [(it["name"], it["policy"]) for it in others[:3]] == [
        ("a", {"idle": "1d", "protect": ["keep"]}),
        ("b", {"idle": "4h"}),
        ("c", {"idle": "4h"}),
    ]


def test_the_policies_of_a_check_are_told() -> None:
    (run,) = events(whole(check_mode=True, policies=TWO[:1]))
    assert run["policies"][0]["policy"]["idle"] == "1d"


def test_a_run_that_begins_tells_its_hosts_and_their_policies() -> None:
    run = {"id": "r", "started": "2027-01-15T08:00:00Z"}
    line = begun_line(run, "0.1.0", ["web1", "lab\n"], with_hosts(TWO, ["web1", "lab"]))
    assert line.isascii() and line.isprintable()
    told = json.loads(line)
    assert (told["event"], told["run"], told["time"]) == ("begun", "r", run["started"])
    assert told["hosts"] == ["web1", "lab\n"]
    assert [(one["id"], one["hosts"]) for one in told["policies"]] == [("aa", ["web1"]), ("bb", ["lab"])]


def test_what_would_be_done_is_no_deed() -> None:
    (run,) = events(whole(check_mode=True))
    assert (run["event"], run["check_mode"]) == ("run", True)


def test_what_a_guard_stopped_is_no_deed() -> None:
    found = events(whole({"web1": result([gone("a")])}, guard=judge_fleet({"web1": result([gone("a")])}, Limits(0))))
    assert [event["event"] for event in found] == ["run"]
    assert found[0]["guard"]["stopped"] is True


def test_no_name_makes_a_line() -> None:
    name = 'x\n{"event": "removed"}\u2028\x85"'
    lines = audit_lines(whole({"h": result([gone(name)])}))
    assert len(lines) == 2
    for line in lines:
        assert line.isascii() and line.isprintable()
    assert json.loads(lines[1])["name"] == name


def test_the_same_report_gives_the_same_lines() -> None:
    assert audit_lines(whole(FLEET)) == audit_lines(whole(FLEET))
