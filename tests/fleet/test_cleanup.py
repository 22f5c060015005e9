# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks over a fleet, in the ways in which people run them."""

import json
import os
from pathlib import Path
from typing import Any, Dict, List, Sequence

import pytest
from ansible_collections.fleet.tmux.tests.fleet.fleet import IDLE, OPERATOR_PASSWORD, ROOT_PASSWORD, SUITES, Fleet
from ansible_collections.fleet.tmux.tests.fleet.host import USERS
from ansible_collections.fleet.tmux.tests.fleet.runs import STAY, Controller, end_sessions, left_behind, went_well
from prometheus_client.parser import text_string_to_metric_families

HOSTS = ["%s-1" % suite for suite in SUITES]
NAMES = ["idle", "idle; too"]
ALL = sorted(NAMES + STAY)
GONE = ["%s/%s/%s" % (host, user, name) for host in HOSTS for user in USERS for name in NAMES]

SU = {"ansible_become_method": "ansible.builtin.su", "ansible_become_password": ROOT_PASSWORD}
OPERATOR = {"ansible_user": "operator", "ansible_become_password": OPERATOR_PASSWORD}
WAYS: Dict[str, Dict[str, Any]] = {
    "plainly": {},
    "pipelined": {"settings": {"ANSIBLE_PIPELINING": "true"}, "words": ["--forks", "1"]},
    "free": {"settings": {"ANSIBLE_STRATEGY": "ansible.builtin.free"}},
    "serial": {"variables": {"serial": [1, 2, "100%"]}, "words": ["--forks", "2"]},
    "su": {"words": ["--extra-vars", json.dumps(SU)]},
    "password": {"words": ["--extra-vars", json.dumps(OPERATOR)], "settings": {"ANSIBLE_PIPELINING": "true"}},
}


def populate(fleet: Fleet, names: Sequence[str] = tuple(NAMES)) -> None:
    """Have sessions everywhere; those of the test before are as good, where it has left all of them."""
    if fleet.sessions() != everywhere([*names, *STAY]):
        fleet.each(end_sessions)
        fleet.populate(USERS, names)
    fleet.settle()


def everywhere(names: List[str]) -> Dict[str, Dict[str, List[str]]]:
    return {host: {user: sorted(names) for user in USERS} for host in HOSTS}


def starts(fleet: Fleet) -> Dict[str, int]:
    return {host.name: host.python_starts() for host in fleet.hosts}


@pytest.mark.parametrize("way", sorted(WAYS))
def test_look_run_look_run(four: Fleet, controller: Controller, way: str) -> None:
    """Check, run, check, run, and a look by plain tmux after each. A run is one module on a host and leaves nothing."""
    how = WAYS[way]
    words, options = how.get("words", []), {"settings": how.get("settings"), **how.get("variables", {})}
    populate(four)
    before, left = starts(four), {host.name: left_behind(host) for host in four.hosts}
    turns = [(["--check"], GONE, ALL), ([], GONE, STAY), (["--check"], [], STAY), ([], [], STAY)]
    for number, (check, removed, names) in enumerate(turns, start=1):
        run = went_well(controller.run(*words, *check, **options))
        assert sorted(run.removed()) == sorted(removed), run.output
        assert four.sessions() == everywhere(names)
        assert starts(four) == {name: count + number for name, count in before.items()}
        assert {host.name: left_behind(host) for host in four.hosts} == left
        assert run.report["run"]["check_mode"] is bool(check)
        assert run.report["totals"]["looked_at"] == len(HOSTS) * len(USERS) * (5 if number < 3 else 3)
        assert ("changed=0" in run.output) or removed, run.output


def test_a_report_removes_nothing(four: Fleet, controller: Controller) -> None:
    populate(four)
    run = went_well(controller.run(playbook="report"))
    assert sorted(run.removed()) == sorted(GONE)
    assert run.report["run"]["check_mode"] is True
    assert "24 of 60 sessions on 4 hosts would be removed." in run.output
    assert four.sessions() == everywhere(ALL)


def test_only_the_hosts_that_were_named(four: Fleet, controller: Controller) -> None:
    populate(four)
    before = starts(four)
    run = went_well(controller.run("--limit", "bookworm-1,trixie-1"))
    assert sorted(run.status()) == ["bookworm-1", "trixie-1"]
    sessions = four.sessions()
    for host in HOSTS:
        named = host in ("bookworm-1", "trixie-1")
        assert sessions[host] == dict.fromkeys(USERS, STAY if named else ALL)
        assert starts(four)[host] == before[host] + named


def test_the_files_of_the_report(four: Fleet, controller: Controller) -> None:
    """What machines read says what happened, and the audit is only ever appended to."""
    populate(four)
    show = {"ANSIBLE_SHOW_CUSTOM_STATS": "true"}
    run = went_well(controller.run(settings=show))
    assert run.report["run"]["policy"]["idle"] == "%ds" % IDLE
    assert run.report["run"]["policy"]["protect"] == ["attached", "busy", "keep", "stopped", "unsaved", "waiting"]
    totals = run.report["totals"]
    assert (totals["hosts"], totals["ok"], totals["removed"], totals["kept"]) == (4, 4, 24, 36)
    assert totals["freed_processes"] >= 24 and totals["freed_bytes"] > 24 * 100000
    assert [(it["owner"], it["hosts"], it["removed"]) for it in run.report["owners"]] == [(it, 4, 8) for it in USERS]
    assert run.fates("sid-1", "carol") == {
        "idle": "removed: idle",
        "idle; too": "removed: idle",
        "attached": "kept: attached",
        "kept": "kept: keep",
        "printing": "kept: waiting",
    }

    stats = run.output.partition("CUSTOM STATS")[2]
    assert "tmux_cleanup" in stats and "removed: 24" in stats, run.output

    metrics = (controller.reports / "tmux_cleanup.prom").read_text(encoding="utf-8")
    samples = [sample for family in text_string_to_metric_families(metrics) for sample in family.samples]
    removed = {
        it.labels["host"]: it.value for it in samples if it.labels.get("outcome") == "removed" and "host" in it.labels
    }
    assert removed == dict.fromkeys(HOSTS, 6)

    audit = controller.reports / "audit.jsonl"
    lines = audit.read_text(encoding="utf-8")
    events = [json.loads(line) for line in lines.splitlines()]
    assert [event["event"] for event in events] == ["begun", "run"] + ["removed"] * 24
    assert sorted(events[0]["hosts"]) == sorted(HOSTS)
    assert sorted("%(host)s/%(owner)s/%(name)s" % event for event in events[2:]) == sorted(GONE)
    assert {event["policy"]["idle"] for event in events[2:]} == {"%ds" % IDLE}
    again = went_well(controller.run())
    assert again.report["totals"]["removed"] == 0
    assert audit.read_text(encoding="utf-8").startswith(lines)
    begun, done = map(json.loads, audit.read_text(encoding="utf-8")[len(lines) :].splitlines())
    assert (begun["event"], begun["run"]) == ("begun", done["run"])
    assert done["totals"] == again.report["totals"]
    assert sorted(path.name for path in controller.reports.iterdir()) == [
        "audit.jsonl",
        "report.html",
        "report.json",
        "tmux_cleanup.prom",
    ]


def test_slices_of_a_job_become_one_report(four: Fleet, controller: Controller) -> None:
    """As AWX does it: each slice is a job of its own, over a part of the hosts, at the same time as the others."""
    populate(four)
    whole = controller.reports
    slices = [HOSTS[:2], HOSTS[2:]]
    started = []
    for number, hosts in enumerate(slices):
        controller.reports = whole / ("slice-%d" % number)
        started.append(controller.start("--limit", ",".join(hosts)))
    parts = [went_well(one.end()) for one in started]
    assert [sorted(part.status()) for part in parts] == [sorted(hosts) for hosts in slices]
    controller.reports = whole
    merged = went_well(controller.run(playbook="merge_reports", reports=[str(whole / "slice-*" / "report.json")]))
    assert sorted(merged.removed()) == sorted(GONE)
    assert merged.report["totals"]["freed_bytes"] == sum(part.report["totals"]["freed_bytes"] for part in parts)
    assert "24 of 60 sessions on 4 hosts removed." in merged.output
    assert four.sessions() == everywhere(STAY)


@pytest.mark.parametrize("age", ["newest", "oldest"])
def test_names_that_are_templates_and_pages(four: Fleet, controller: Controller, age: str) -> None:
    """On the newest ansible-core and the oldest, which has hosts that it supports: nothing in a name is ever run."""
    hosts = HOSTS[:2]
    pwned = controller.folder / "pwned"
    names = [
        "{{ lookup('pipe', 'touch %s') }}" % pwned,
        "<script>alert(1)</script>",
        "{% endraw %}{{ 6 * 7 }}",
        "!unsafe &a",
    ]
    if age == "oldest":
        controller.tools = oldest()
    populate(four, names)
    words = ["--limit", ",".join(hosts)]
    limits: Dict[str, Any] = {"fleet_max_percent": 100, "serial": 1}
    planned = went_well(controller.run(*words, playbook="report"))
    done = went_well(controller.run(*words, **limits))
    merged = went_well(controller.run(playbook="merge_reports", reports=[str(controller.reports / "report.json")]))
    expected = sorted("%s/%s/%s" % (host, user, name) for host in hosts for user in USERS for name in names)
    for run in (planned, done, merged):
        assert sorted(run.removed()) == expected
        for name in names:
            # A name with spaces may stand in several lines of its column.
            assert name.split()[-1] in run.output
    assert not pwned.exists()
    assert "<script>alert" not in (controller.reports / "report.html").read_text(encoding="utf-8")
    again = went_well(controller.run(*words, **limits))
    assert again.removed() == []


def oldest() -> Path:
    """The programs of the oldest ansible-core that is supported."""
    if os.environ.get("FLEET_WITHOUT_OLDEST"):
        pytest.skip("left out: needs %s, for the oldest ansible-core" % os.environ["FLEET_WITHOUT_OLDEST"])
    named = os.environ.get("FLEET_OLDEST_ANSIBLE")
    assert named, "name the folder of the oldest ansible-core's programs with FLEET_OLDEST_ANSIBLE"
    return Path(named)


# --- the limit for the fleet ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "said", "strategy"),
    [
        ({"fleet_max_removals": 23}, "24 sessions would be removed, tmux_cleanup_fleet_max_removals is 23", "linear"),
        # What is attached, has @keep, or waits for its next turn does not count.
        (
            {"fleet_max_percent": 99.9},
            "24 of 24 sessions without protection would be removed, tmux_cleanup_fleet_max_percent is 99.9",
            "free",
        ),
    ],
)
def test_too_much_on_all_hosts_together_and_nothing_is_removed_anywhere(
    four: Fleet, controller: Controller, limit: Dict[str, Any], said: str, strategy: str
) -> None:
    """No host has too many for itself, and there is no order of hosts in which the first would lose some."""
    populate(four)
    before = starts(four)
    run = controller.run(settings={"ANSIBLE_STRATEGY": "ansible.builtin." + strategy}, serial=1, **limit)
    assert run.rc != 0
    assert said in run.said, run.output
    assert four.sessions() == everywhere(ALL)
    assert (run.report["guard"]["stopped"], run.report["guard"]["planned"]) == (True, 24)
    assert run.report["totals"]["removed"] == 0
    assert run.fates("sid-1", "bob")["idle"] == "kept: guard"
    assert starts(four) == {name: count + 1 for name, count in before.items()}
    events = [
        json.loads(line)["event"] for line in (controller.reports / "audit.jsonl").read_text("utf-8").splitlines()
    ]
    assert events == ["begun", "run"]


def test_within_the_limit_what_was_planned_is_removed(four: Fleet, controller: Controller) -> None:
    """Check, run, check, run; a host with nothing to remove is run too, and told that nothing is planned."""
    populate(four)
    limits: Dict[str, Any] = {"fleet_max_removals": 24, "fleet_max_percent": 100, "serial": 1}
    before = starts(four)
    checked = went_well(controller.run("--check", **limits))
    assert four.sessions() == everywhere(ALL)
    assert starts(four) == {name: count + 1 for name, count in before.items()}
    done = went_well(controller.run(**limits))
    assert sorted(done.removed()) == sorted(checked.removed()) == sorted(GONE)
    assert four.sessions() == everywhere(STAY)
    assert starts(four) == {name: count + 3 for name, count in before.items()}
    for words in (["--check"], []):
        again = went_well(controller.run(*words, **limits))
        assert again.removed() == []
        assert "changed=0" in again.output
    assert starts(four) == {name: count + 6 for name, count in before.items()}


def test_whoever_has_too_many_on_all_hosts_together_is_left_alone_on_each(four: Fleet, controller: Controller) -> None:
    """No host has too many of hers, and nobody else is stopped by those, nor does the run fail."""
    populate(four)
    end_sessions(four.host(HOSTS[3]), ("bob", "carol"))
    before = four.sessions()
    limits: Dict[str, Any] = {"fleet_max_removals_per_owner": 7, "fleet_max_removals": 12, "fleet_max_percent": 100}
    checked = went_well(controller.run("--check", **limits))
    assert four.sessions() == before
    done = went_well(controller.run(**limits))
    expected = [it for it in GONE if "/alice/" not in it and not it.startswith(HOSTS[3])]
    for run in (checked, done):
        assert sorted(run.removed()) == sorted(expected)
        assert [(it["owner"], it["removals"]) for it in run.report["guard"]["over_limit"]] == [("alice", 8)]
        assert (run.report["guard"]["stopped"], run.report["guard"]["planned"]) == (False, 12)
        assert run.fates(HOSTS[0], "alice")["idle"] == "kept: guard"
        assert "1 owner is over a limit" in run.said
    assert {host: users["alice"] for host, users in four.sessions().items()} == dict.fromkeys(HOSTS, ALL)


def saying(four: Fleet, controller: Controller, variable: str, values: Dict[str, Any]) -> List[str]:
    """The options for an inventory in which some hosts say something; the order of hosts stays."""
    groups: Dict[str, Any] = {}
    for host, value in values.items():
        groups[four.host(host).suite] = {"hosts": {host: {"tmux_cleanup_" + variable: value}}}
    inventory = controller.folder / "more.json"
    inventory.write_text(json.dumps({"all": {"children": groups}}), encoding="utf-8")
    return ["-i", str(four.inventory), "-i", str(inventory)]


@pytest.mark.parametrize("limits", [{HOSTS[0]: 5}, {HOSTS[3]: 5}, {HOSTS[0]: 100, HOSTS[2]: 5}])
def test_a_limit_that_any_host_has_counts_for_all(four: Fleet, controller: Controller, limits: Dict[str, int]) -> None:
    """The strictest of them, wherever it is in the inventory."""
    populate(four)
    run = controller.run(*saying(four, controller, "fleet_max_removals", limits))
    assert run.rc != 0
    assert run.report["guard"]["max_removals"] == 5
    assert four.sessions() == everywhere(ALL)
    assert run.removed() == []


@pytest.mark.parametrize("wrong", ["2O", "", "-1", "20%", 200])
def test_a_limit_that_is_none_is_refused_before_anything_is_done(
    four: Fleet, controller: Controller, wrong: str
) -> None:
    populate(four)
    before = starts(four)
    run = controller.run(fleet_max_percent=wrong)
    assert run.rc != 0
    assert "tmux_cleanup_fleet_max_percent" in run.output
    assert run.report == {}
    assert starts(four) == before
    assert four.sessions() == everywhere(ALL)


def test_a_variable_that_is_misspelt_is_refused_before_anything_is_done(four: Fleet, controller: Controller) -> None:
    """It would be no limit."""
    populate(four)
    run = controller.run(fleet_max_percnt=5)
    assert run.rc != 0
    assert "There is no variable tmux_cleanup_fleet_max_percnt" in run.output
    assert four.sessions() == everywhere(ALL)


@pytest.mark.parametrize("host", [HOSTS[0], HOSTS[3]])
def test_a_host_that_only_wants_a_report_stands_for_all(four: Fleet, controller: Controller, host: str) -> None:
    """A report is of one kind."""
    populate(four)
    run = went_well(controller.run(*saying(four, controller, "report_only", {host: True})))
    assert run.report["run"]["check_mode"] is True
    assert "24 of 60 sessions on 4 hosts would be removed." in run.output
    assert four.sessions() == everywhere(ALL)


@pytest.mark.parametrize("said", ["ture", "yes please"])
def test_a_typing_error_does_not_remove_anything(four: Fleet, controller: Controller, said: str) -> None:
    populate(four)
    run = controller.run(report_only=said)
    assert run.rc != 0 and "tmux_cleanup_report_only" in run.output
    of_one_host = controller.run(*saying(four, controller, "report_only", {HOSTS[3]: said}))
    assert of_one_host.rc != 0 and "(on %s)" % HOSTS[3] in of_one_host.output
    assert four.sessions() == everywhere(ALL)


def test_a_report_removes_nothing_whatever_else_is_said(four: Fleet, controller: Controller) -> None:
    populate(four)
    went_well(controller.run(playbook="report", report_only=False, fleet_max_percent=100))
    assert four.sessions() == everywhere(ALL)


SITE = """\
- import_playbook: fleet.tmux.cleanup
  vars:
    tmux_cleanup_patterns: [idle]
    tmux_cleanup_report_dir: {folder}/first
    tmux_cleanup_fleet_max_removals: 12

- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.fail:
      when: inventory_hostname == "trixie-1"

- import_playbook: fleet.tmux.cleanup
  vars:
    tmux_cleanup_report_dir: {folder}/second
    {limit}: {value}
"""


@pytest.mark.parametrize(("limit", "value"), [("tmux_cleanup_activity", "any"), ("tmux_cleanup_fleet_max_removals", 9)])
def test_one_cleanup_after_another_has_nothing_of_the_first(
    four: Fleet, controller: Controller, limit: str, value: Any
) -> None:
    """In one run of Ansible, with a host that fails in between: it is not in the second, and nothing is told twice."""
    populate(four)
    site = controller.folder / "site.yml"
    site.write_text(SITE.format(folder=controller.folder, limit=limit, value=value), encoding="utf-8")
    run = controller.run(playbook=str(site), report_dir=None)
    first, second = [
        run._replace(report=json.loads((controller.folder / which / "report.json").read_text(encoding="utf-8")))
        for which in ("first", "second")
    ]
    assert run.rc != 0
    assert sorted(first.removed()) == sorted(it for it in GONE if it.endswith("/idle"))
    assert second.status() == {**dict.fromkeys(HOSTS, "ok"), "trixie-1": "missing"}
    left = sorted(it for it in GONE if it.endswith("/idle; too") and not it.startswith("trixie-1"))
    assert sorted(second.removed()) == left
    expected = everywhere(STAY)
    expected["trixie-1"] = {user: sorted([*STAY, "idle; too"]) for user in USERS}
    assert four.sessions() == expected


def test_reports_that_cannot_be_written_are_found_out_before_the_first_removal(
    four: Fleet, controller: Controller
) -> None:
    populate(four)
    before = starts(four)
    (controller.folder / "file").touch()
    controller.reports = controller.folder / "file"
    run = controller.start(report_dir=str(controller.reports / "reports"))
    run.process.wait()
    assert run.process.returncode != 0
    assert "dir: no report can be written there, so nothing was begun" in run.output()
    assert four.sessions() == everywhere(ALL)
    assert starts(four) == before
