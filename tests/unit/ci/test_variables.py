# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a variable that nobody heeds."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

CI = Path(__file__).resolve().parents[3] / ".ci"
KNOWN = ["INVENTORY", "LIMIT", "CHECK", "YES"]


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module under test, which is no part of the collection."""
    monkeypatch.syspath_prepend(str(CI))
    yield importlib.import_module("variables")
    sys.modules.pop("variables", None)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("INVENTROY", "INVENTORY"),
        ("check", "CHECK"),
        ("Limit", "LIMIT"),
        ("yes", "YES"),
        ("inventory_file", "INVENTORY"),
    ],
)
def test_who_mistypes_a_name_is_told_the_right_one(variables: Any, name: str, meant: str) -> None:
    (said,) = variables.problems(KNOWN, [name], [])
    assert said == "no variable is called %s; did you mean %s?" % (name, meant)


def test_of_a_name_like_none_all_are_told(variables: Any) -> None:
    assert variables.problems(KNOWN, ["FOO"], []) == [
        "no variable is called FOO; there are CHECK, INVENTORY, LIMIT, YES",
    ]


def test_a_variable_of_ansible_is_told_its_way(variables: Any) -> None:
    (said,) = variables.problems(KNOWN, ["tmux_cleanup_idle"], [])
    assert said.endswith(" ARGS='-e tmux_cleanup_idle=...'")


def test_one_line_tells_all_of_it(variables: Any, capsys: pytest.CaptureFixture[str]) -> None:
    variables.main([" ".join(KNOWN), "check", "LIMIT"])
    assert capsys.readouterr().out == (
        "no variable is called check; did you mean CHECK?; LIMIT is empty; leave it out if that is meant\n"
    )


def test_what_is_right_is_no_problem(variables: Any) -> None:
    assert variables.problems(KNOWN, [], []) == []
