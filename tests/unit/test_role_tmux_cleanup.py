# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role says what its module says: defaults, argument specification and module options are compared."""

import os
import re
from types import SimpleNamespace
from typing import Any, Dict

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._modules.options import usual_place
from ansible_collections.fleet.tmux.plugins.module_utils._specs.tmux_session_prune import ARGUMENT_SPEC as OPTIONS
from ansible_collections.fleet.tmux.plugins.plugin_utils._arguments import KNOWN, OF_A_RUN
from ansible_collections.fleet.tmux.plugins.plugin_utils._fleet import TOLD

# Ansible brings it wherever a role is read; where only modules run, there is none, and no role either.
yaml = pytest.importorskip("yaml", reason="roles are read on the controller, which has PyYAML")

ROLE = os.path.join(os.path.dirname(__file__), "..", "..", "roles", "tmux_cleanup")
PREFIX = "tmux_cleanup_"
OWN = (
    "become",
    "login_notices",
    "host_timeout",
    "fleet_max_removals",
    "fleet_max_percent",
    "fleet_max_removals_per_owner",
)
OF_REPORTS = ("report_dir", "report_only", "report_command")
DIFFERENT_DEFAULTS = {
    "idle": "7d",
    "all_users": True,
    "memory_dir": "default",
    "notices_dir": "default",
    "snapshot_dir": "default",
    "snapshot_keep": {"count": 100, "age": "30d", "size": "500M"},
}
NULL_IS_OFF = ("idle",)


def load(*path: str) -> Any:
    with open(os.path.join(ROLE, *path), encoding="utf-8") as handle:
        return yaml.safe_load(handle)


DEFAULTS: Dict[str, Any] = load("defaults", "main.yml")
SPECS: Dict[str, Dict[str, Any]] = load("meta", "argument_specs.yml")["argument_specs"]
SPEC: Dict[str, Dict[str, Any]] = SPECS["main"]["options"]
ALL: Dict[str, Dict[str, Any]] = {name: it for spec in SPECS.values() for name, it in spec["options"].items()}


def test_every_option_is_a_variable_and_the_other_way_round() -> None:
    names = {PREFIX + name for name in list(OPTIONS) + list(OWN)}
    assert set(SPEC) == names
    assert set(DEFAULTS) == set(ALL) == names | {PREFIX + name for name in OF_REPORTS}


def test_every_entry_point_has_its_tasks_and_the_other_way_round() -> None:
    assert {name + ".yml" for name in SPECS} == set(os.listdir(os.path.join(ROLE, "tasks")))


@pytest.mark.parametrize("entry_point", sorted(SPECS))
def test_entry_points_agree(entry_point: str) -> None:
    for name, option in SPECS[entry_point]["options"].items():
        for other in SPECS.values():
            assert option["type"] == other["options"].get(name, option)["type"]


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_default_and_specification_agree(name: str) -> None:
    assert ALL[name].get("default") == DEFAULTS[name]
    assert ALL[name]["description"]


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_option_and_specification_agree(name: str) -> None:
    option, spec = OPTIONS[name], SPEC[PREFIX + name]
    assert spec["type"] == ("raw" if name in NULL_IS_OFF else option["type"])
    assert spec.get("elements") == option.get("elements")
    assert spec.get("choices") == option.get("choices")
    assert spec.get("default") == DIFFERENT_DEFAULTS.get(name, option.get("default"))


def test_every_variable_reaches_the_module() -> None:
    (task,) = [task for task in load("tasks", "prune.yml") if "fleet.tmux.tmux_session_prune" in task]
    arguments = task["fleet.tmux.tmux_session_prune"]
    assert set(arguments) == set(OPTIONS)
    for name, value in arguments.items():
        assert PREFIX + name in value
    assert task["become"] == "{{ tmux_cleanup_become }}"
    assert task["register"] == "tmux_cleanup_result"


def test_the_role_knows_its_own_variables() -> None:
    """Whatever else begins with the role's name is refused, so what is used must be known."""
    used = set()
    for folder in (
        os.path.join(ROLE, "tasks"),
        os.path.join(ROLE, "vars"),
        os.path.join(ROLE, "..", "..", "playbooks"),
    ):
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8") as handle:
                used |= set(re.findall(r"(?<![_.\w])tmux_cleanup_\w+", handle.read()))
    assert set(OF_A_RUN) & set(ALL) == set()
    assert used - set(ALL) == set(OF_A_RUN)
    assert {*ALL, *OF_A_RUN} == KNOWN


def test_a_merge_and_the_role_alone_look_at_the_names_of_variables() -> None:
    """Where no run is begun, which does so for all hosts."""
    (play,) = load("..", "..", "playbooks", "merge_reports.yml")
    (merge, *_others) = play["tasks"][0]["block"]
    for asked in (merge["when"], load("vars", "main.yml")["__tmux_cleanup_names"]):
        assert "query('ansible.builtin.varnames', '^tmux_cleanup_')" in asked
    assert "names=query" in merge["when"]
    assert "names=__tmux_cleanup_names" in load("tasks", "prune.yml")[0]["when"][0]


def test_what_shows_notices_looks_where_the_module_leaves_them() -> None:
    with open(os.path.join(ROLE, "templates", "profile.sh.j2"), encoding="utf-8") as handle:
        (place,) = re.findall(r"else '([^']+)'\) \| quote", handle.read())
    assert place == usual_place(SimpleNamespace(uid=0), "notices")  # type: ignore[arg-type]


def test_the_policy_of_a_report_is_of_variables() -> None:
    assert set(TOLD) <= set(OPTIONS)
