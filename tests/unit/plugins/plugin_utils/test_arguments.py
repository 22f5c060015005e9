# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables of many hosts: each set of values is validated once, and one message tells all."""

from pathlib import Path
from typing import Any, Dict, List

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.fleet.tmux.plugins.plugin_utils import _arguments
from ansible_collections.fleet.tmux.plugins.plugin_utils._arguments import (
    Group,
    Problem,
    grouped,
    options_of,
    told,
    unknown,
    validated,
)

ROOT = Path(_arguments.__file__).resolve().parents[2]
SPECS = yaml.safe_load((ROOT / "roles/tmux_cleanup/meta/argument_specs.yml").read_text("utf-8"))["argument_specs"]
SPEC = options_of(SPECS)
DEFAULTS = yaml.safe_load((ROOT / "roles/tmux_cleanup/defaults/main.yml").read_text("utf-8"))


def wrong(**values: Any) -> List[str]:
    variables = dict(DEFAULTS, **{"tmux_cleanup_" + name: value for name, value in values.items()})
    _groups, problems = validated([Group(["h"], variables)], SPEC)
    return [problem.text for problem in problems]


def test_hosts_with_the_same_values_are_one_group() -> None:
    variables: Dict[str, Dict[str, Any]] = {
        "a": {"x": 1, "y": ["p"]},
        "b": {"x": 2, "y": ["p"]},
        "c": {"y": ["p"], "x": 1},
        "d": {"x": "1", "y": ["p"]},
    }
    assert [group.hosts for group in grouped(variables)] == [["a", "c"], ["b"], ["d"]]


def test_each_set_of_values_is_validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: List[Any] = []

    real: Any = ArgumentSpecValidator.validate

    def counting(self: Any, parameters: Any) -> Any:
        seen.append(parameters)
        return real(self, parameters)

    monkeypatch.setattr(ArgumentSpecValidator, "validate", counting)
    hosts = {"host-%d" % number: dict(DEFAULTS, tmux_cleanup_idle="%dh" % (1 + number % 2)) for number in range(40)}
    groups, problems = validated(grouped(hosts), SPEC)
    assert (len(seen), problems) == (2, [])
    assert [len(group.hosts) for group in groups] == [20, 20]


def test_the_defaults_can_be_used() -> None:
    assert wrong() == []


def test_values_get_the_types_of_the_specification() -> None:
    (group,), problems = validated(
        [Group(["h"], {"tmux_cleanup_report_only": "yes", "tmux_cleanup_fleet_max_percent": "20"})], SPEC
    )
    assert problems == []
    assert group.values["tmux_cleanup_report_only"] is True
    assert group.values["tmux_cleanup_fleet_max_percent"] == 20.0
    assert group.values["tmux_cleanup_protect"] == ["attached", "busy", "keep", "stopped", "unsaved", "waiting"]


@pytest.mark.parametrize("text", ["false", "no", "off", "n", "f", "0", "False", "OFF"])
def test_texts_that_say_false_are_false(text: str) -> None:
    """What -e says is a text, and a text is true to Jinja."""
    (group,), problems = validated([Group(["h"], {"tmux_cleanup_report_only": text})], SPEC)
    assert (group.values["tmux_cleanup_report_only"], problems) == (False, [])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"idle": "2x"}, "tmux_cleanup_idle: '2x' is no duration"),
        (
            {"idle": ""},
            "one of tmux_cleanup_idle, tmux_cleanup_older_than, tmux_cleanup_never_attached and "
            "tmux_cleanup_finished is required",
        ),
        ({"idle": None}, "one of tmux_cleanup_idle"),
        ({"activity": "loud"}, "tmux_cleanup_activity"),
        ({"protect": ["attachd"]}, "tmux_cleanup_protect"),
        ({"patterns": ["("], "use_regex": True}, "tmux_cleanup_patterns"),
        ({"max_percent": 101}, "tmux_cleanup_max_percent: 101 is not between 0 and 100"),
        ({"notice_message": "Soon"}, "it needs tmux_cleanup_notice"),
        ({"report_only": "ture"}, "tmux_cleanup_report_only"),
        ({"host_timeout": "soon"}, "tmux_cleanup_host_timeout"),
        ({"socket_name": "a", "socket_path": "/b"}, "tmux_cleanup_socket_name and tmux_cleanup_socket_path"),
        *[({"fleet_max_percent": value}, "tmux_cleanup_fleet_max_percent") for value in ("2O", "", "-1", "20%", 200)],
        *[({"fleet_max_removals": value}, "tmux_cleanup_fleet_max_removals") for value in (-1, "", "many", 1.5)],
        ({"fleet_max_removals": "inf"}, "cannot be validated"),
    ],
)
def test_what_cannot_be_used_is_told_by_the_name_of_the_variable(values: Dict[str, Any], said: str) -> None:
    problems = wrong(**values)
    assert len(problems) == 1 and said in problems[0], problems


@pytest.mark.parametrize(
    "values",
    [
        {"idle": "", "finished": True},
        {"idle": None, "older_than": "1w"},
        {"older_than": ""},
        {"notice": "", "snapshot_dir": ""},  # what is kept of snapshots does not count then
        {"snapshot_dir": None, "never_attached": "1d"},
        {"report_dir": ""},
        {"socket_name": "work"},  # all_users is true by default, and does not count then
        {"socket_path": "/tmp/s"},
        {"planned": []},
        {"fleet_max_removals": 0},
    ],
)
def test_what_the_role_accepts_is_accepted(values: Dict[str, Any]) -> None:
    assert wrong(**values) == []


def test_variables_that_are_none_of_ours_are_told_with_their_hosts() -> None:
    found = unknown({"a": ["tmux_cleanup_idel"], "b": ["tmux_cleanup_idle"], "c": ["tmux_cleanup_idel"]}, set(SPEC))
    assert found == [Problem("There is no variable tmux_cleanup_idel; did you mean tmux_cleanup_idle?", ["a", "c"])]
    (other,) = unknown({"a": ["tmux_cleanup_of_mine"]}, set(SPEC))
    assert other.text == "There is no variable tmux_cleanup_of_mine"


def test_one_problem_is_told_once_for_all_that_share_it() -> None:
    names = ["host-%02d" % number for number in range(40)]
    problems = [
        Problem("x is wrong.", names[:3]),
        Problem("y is wrong", ["host-39"]),
        Problem("x is wrong.", names[3:5]),
    ]
    assert told(problems, 40) == "\n".join(
        ["x is wrong (on host-00, host-01, host-02, host-03, host-04)", "y is wrong (on host-39)"]
    )
    assert told([Problem("x", names)], 40) == "x (on all 40 hosts)"
    assert told([Problem("x", names[:12])], 40).endswith("host-08, host-09 and 2 more)")
    assert told([Problem("x", ["h"])], 1) == "x (on h)"
