# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prometheus' own parser reads the metrics, and they say what the report says."""

from typing import Any, Dict

from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Limits
from ansible_collections.fleet.tmux.plugins.plugin_utils._guard import judge_fleet
from ansible_collections.fleet.tmux.plugins.plugin_utils._metrics import metrics
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Json, report
from ansible_collections.fleet.tmux.tests.support.reports import FLEET, RUN, gone, item, result, whole
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families


def read(text: str) -> Dict[Any, float]:
    """The samples: by name without the prefix, and labels."""
    found: Dict[Any, float] = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge" and family.documentation
        for sample in family.samples:
            key = (sample.name[len("tmux_cleanup_") :], *sorted(sample.labels.items()))
            assert key not in found, "a sample is there twice"
            found[key] = sample.value
    return found


def test_all_that_a_report_says() -> None:
    samples = read(metrics(whole()))
    assert samples[("last_run_timestamp_seconds",)] == 1800000090
    assert samples[("last_run_duration_seconds",)] == 90
    assert samples[("check_mode",)] == samples[("guard_stopped",)] == 0
    statuses = {dict(key[1:])["status"]: value for key, value in samples.items() if key[0] == "hosts"}
    assert statuses == {"ok": 2, "failed": 1, "unreachable": 1, "missing": 1}
    assert [samples[("host_ok", ("host", name))] for name in FLEET] == [1, 1, 0, 0, 0]
    of_web1 = {key: it for key, it in samples.items() if key[:2] == ("sessions", ("host", "web1"))}
    assert {dict(key[1:])["outcome"]: it for key, it in of_web1.items()} == {
        "removed": 2,
        "marked": 1,
        "kept": 3,
        "not_done": 1,
    }
    assert samples[("kept_sessions", ("host", "web1"), ("reason", "attached"))] == 2
    assert samples[("owner_sessions", ("outcome", "removed"), ("owner", "bob"))] == 1
    assert samples[("oldest_idle_seconds", ("host", "web1"))] == 6000
    assert ("oldest_idle_seconds", ("host", "web2")) not in samples
    assert samples[("freed_bytes", ("host", "web1"))] == 1050
    assert samples[("freed_processes", ("host", "web1"))] == 3
    assert samples[("survivors", ("host", "web1"))] == 1
    assert samples[("servers", ("host", "web1"), ("status", "ok"))] == 1


def test_what_would_be_is_told_apart_from_what_was() -> None:
    assert read(metrics(whole(check_mode=True)))[("check_mode",)] == 1
    assert read(metrics(whole(guard=judge_fleet(FLEET, Limits(0)))))[("guard_stopped",)] == 1


def test_a_run_whose_begin_nobody_noted_has_no_duration() -> None:
    assert ("last_run_duration_seconds",) not in read(metrics(whole(started=None)))


def test_of_a_host_that_was_not_looked_at_nothing_is_told_but_that() -> None:
    samples = read(metrics(whole()))
    told = {key[0] for key in samples if ("host", "db1") in key[1:]}
    assert told == {"host_ok"}


def test_when_something_was_last_removed_is_told_on_by_runs_that_remove_nothing() -> None:
    name = ("last_cleanup_timestamp_seconds",)
    first = metrics(whole())
    assert read(first)[name] == 1800000090
    later = "2027-01-16T00:00:00Z"
    checked = metrics(whole(check_mode=True, finished=later), first)
    assert read(checked)[name] == 1800000090
    assert read(checked)[("last_run_timestamp_seconds",)] > 1800000090
    stopped = metrics(whole(guard=judge_fleet(FLEET, Limits(0)), finished=later), checked)
    assert read(stopped)[name] == 1800000090
    assert read(metrics(whole(finished=later), stopped))[name] > 1800000090
    for before in ("", "nonsense", "tmux_cleanup_last_cleanup_timestamp_seconds ten\n"):
        assert name not in read(metrics(whole(check_mode=True), before))


def test_the_policy_of_each_host() -> None:
    policies = [
        {"id": "aa", "hosts": [], "policy": {"idle": "1d", "notice": None, "older_than": "", "finished": True}},
        {"id": "bb", "hosts": ["web2"], "policy": {"idle": "4h", "notice": "30m", "never_attached": "soon"}},
    ]
    samples = read(metrics(whole(policies=policies)))
    told = {key[1:]: value for key, value in samples.items() if key[0].startswith("host_policy")}
    held = {"web1": "aa", "web2": "bb", "db1": "aa", "db2": "aa"}
    durations = {("web1", "idle"): 86400, ("web2", "idle"): 14400, ("web2", "notice"): 1800}
    durations.update({(name, "idle"): 86400 for name in ("db1", "db2")})
    assert told == {
        **{(("host", name), ("policy", policy)): 1 for name, policy in held.items()},
        **{(("host", name), ("option", option)): seconds for (name, option), seconds in durations.items()},
    }


def test_no_name_of_a_session_is_a_label() -> None:
    """Anybody could make time series without end."""
    assert "build-41" not in metrics(whole())


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@given(_TEXT, _TEXT, _TEXT)
def test_no_text_breaks_out_of_its_label(host: str, owner: str, reason: str) -> None:
    made: Json = report({host: result([gone("a", owner=owner)], kept=[item("b", reason)])}, RUN)
    samples = read(metrics(made))
    assert samples[("owner_sessions", ("outcome", "removed"), ("owner", owner))] == 1
    assert samples[("kept_sessions", ("host", host), ("reason", reason))] == 1
