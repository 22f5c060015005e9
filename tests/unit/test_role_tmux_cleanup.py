# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role says what its module says: defaults, argument specification and module options are compared."""

import os
import re
from typing import Any, Dict

import pytest
from ansible_collections.fleet.tmux.plugins.modules.tmux_session_prune import OPTIONS

# Ansible brings it wherever a role is read; where only modules run, there is none, and no role either.
yaml = pytest.importorskip("yaml", reason="roles are read on the controller, which has PyYAML")

ROLE = os.path.join(os.path.dirname(__file__), "..", "..", "roles", "tmux_cleanup")
PREFIX = "tmux_cleanup_"
OWN = ("become", "host_timeout", "fleet_max_removals", "fleet_max_percent")
OF_REPORTS = ("report_dir", "report_only")
DIFFERENT_DEFAULTS = {"idle": "24h", "all_users": True}
NULL_IS_OFF = ("idle",)


def load(*path: str) -> Any:
    with open(os.path.join(ROLE, *path), encoding="utf-8") as handle:
        return yaml.safe_load(handle)


DEFAULTS: Dict[str, Any] = load("defaults", "main.yml")
VARS: Dict[str, Any] = load("vars", "main.yml")
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
    (task,) = load("tasks", "main.yml")
    arguments = task["fleet.tmux.tmux_session_prune"]
    assert set(arguments) == set(OPTIONS)
    for name, value in arguments.items():
        assert PREFIX + name in value
    assert task["become"] == "{{ tmux_cleanup_become }}"
    assert task["register"] == "tmux_cleanup_result"


def test_the_role_knows_its_own_variables() -> None:
    """Whatever else begins with the role's name is refused, so what is used must be known."""
    known = {
        PREFIX + word for word in re.findall(r"\('(.*?)'\)\.split", VARS["__tmux_cleanup_known"], re.DOTALL)[0].split()
    }
    assert set(ALL) <= known
    used = set()
    for folder in (os.path.join(ROLE, "tasks"), os.path.join(ROLE, "..", "..", "playbooks")):
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8") as handle:
                used |= set(re.findall(r"(?<![_.\w])tmux_cleanup_\w+", handle.read()))
    assert used <= known
    assert known - used - set(ALL) == set()


def test_the_policy_of_a_report_is_of_variables() -> None:
    for name, value in VARS["__tmux_cleanup_policy"].items():
        assert value == "{{ %s%s }}" % (PREFIX, name)
        assert name in OPTIONS
