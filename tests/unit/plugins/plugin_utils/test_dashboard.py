# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dashboard for Grafana asks for what a run writes: each metric, label and value of one, and all of them."""

import json
import re
from typing import Any, Dict, Iterator, List, Set, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import OUTCOMES
from ansible_collections.fleet.tmux.plugins.plugin_utils._metrics import DURATIONS, metrics
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import STATUSES
from ansible_collections.fleet.tmux.tests.support.reports import FLEET, ROOT, whole
from prometheus_client.parser import text_string_to_metric_families

DASHBOARD: Dict[str, Any] = json.loads((ROOT / "docs/examples/grafana/dashboard.json").read_text(encoding="utf-8"))
SELECTOR = re.compile(r"(tmux_cleanup_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!=|=)\s*"([^"]*)"')
VALUES = {"outcome": set(OUTCOMES), "status": set(STATUSES), "option": set(DURATIONS)}
"""What those labels may be."""


def written() -> Dict[str, Set[str]]:
    """Each metric of a run, with its labels."""
    over = {"owner": "eve", "removals": 30, "unprotected": 30, "over_limit": True, "message": "too many"}
    results = dict(FLEET, web1=dict(FLEET["web1"], owners=[over]))
    policies = [{"id": "aa", "hosts": [], "policy": {"idle": "1d"}}]
    found: Dict[str, Set[str]] = {}
    for family in text_string_to_metric_families(metrics(whole(results, policies=policies))):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def targets() -> Iterator[Tuple[str, Dict[str, Any]]]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target


def selectors(text: str) -> List[Tuple[str, List[Tuple[str, str, str]]]]:
    return [(name, MATCHER.findall(matchers)) for name, matchers in SELECTOR.findall(text)]


TARGETS = list(targets())
TITLES = ["%s-%s" % (title, target["refId"]) for title, target in TARGETS]


@pytest.mark.parametrize("target", [target for _title, target in TARGETS], ids=TITLES)
def test_what_is_asked_for_is_written(target: Dict[str, Any]) -> None:
    labels = written()
    found = selectors(target["expr"])
    assert found
    for name, matchers in found:
        assert name in labels, "a run writes no such metric"
        for label, operator, value in matchers:
            assert label in labels[name], (name, label)
            assert operator == "=~" or value in VALUES[label], (name, label, value)
    (name, _matchers), *others = found
    assert not others
    for label in grouped(target["expr"]) | set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])):
        assert label in labels[name], (name, label)


def grouped(expression: str) -> Set[str]:
    return {label.strip() for labels in re.findall(r"\bby \(([^)]*)\)", expression) for label in labels.split(",")}


@pytest.mark.parametrize("target", [target for _title, target in TARGETS], ids=TITLES)
def test_what_a_legend_or_a_table_shows_is_left_when_sums_are_made(target: Dict[str, Any]) -> None:
    shown = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
    (panel,) = [panel for panel in DASHBOARD["panels"] if target in panel["targets"]]
    for change in panel.get("transformations", ()):
        shown |= set(change["options"]["include"]["names"]) - {"Value"}
    assert shown <= grouped(target["expr"])


def test_everything_that_a_run_writes_is_shown() -> None:
    assert {name for _title, target in TARGETS for name, _matchers in selectors(target["expr"])} == set(written())


def test_the_choice_of_hosts_is_that_of_a_run() -> None:
    (host,) = [one for one in DASHBOARD["templating"]["list"] if one["name"] == "host"]
    name, label = re.findall(r"label_values\((\w+), (\w+)\)", host["definition"])[0]
    assert label in written()[name]
    assert host["query"]["query"] == host["definition"]


def test_each_panel_has_its_place_and_its_number() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: Set[Tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not taken & cells and max(x for x, _y in cells) < 24, panel["title"]
        taken |= cells
