# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Of which panes it is known with what variables they were begun: no variable is told that a program has changed."""

from typing import Any, Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.births import Birth
from ansible_collections.fleet.tmux.plugins.module_utils._policy.declared import (
    Details,
    compare_windows,
    declared_windows,
)
from ansible_collections.fleet.tmux.tests.support.sessions import pane, session, window

BIRTH = Birth(("sleep", "9"), {"A": "1", "TMUX_PANE": "%1"}, True, "/usr/bin/sleep")
SHELL = BIRTH._replace(words=("-bash",), program="/usr/bin/bash")


def told(birth: Birth, start_command: str = "", **declared: Any) -> List[str]:
    """The names of the variables of which is said that a pane was not begun with them."""
    one = session("work", window(pane(start_command=start_command)))
    wanted = declared_windows([dict({"name": "window", "env": {"A": "2"}}, **declared)], None)
    found = compare_windows(wanted, one, {}, (), Details(births={"%1": birth})).drift
    assert all(each.found is None and "2" not in str(each) for each in found if each.what == "env")
    return [each.declared or "" for each in found if each.what == "env"]


SLEEP: Dict[str, Any] = {"argv": ["sleep", "9"]}


@pytest.mark.parametrize(
    "birth, start_command, declared, expected",
    [
        (BIRTH, "sleep 9", SLEEP, ["A"]),
        (BIRTH, "sleep 9", dict(SLEEP, env={"A": "1"}), []),
        (BIRTH, "sleep 9", dict(SLEEP, env={"B": "1", "A": "1", "C": ""}), ["B", "C"]),
        (BIRTH, "sleep 9", dict(SLEEP, env={"PATH": "x", "TERM": "x", "_": "x", "not.a-name": "x"}), []),
        (BIRTH, "sleep 9", {"argv": ["sleep", "8"]}, []),
        (BIRTH._replace(in_order=False), "sleep 9", SLEEP, []),
        (BIRTH._replace(variables={"TMUX_PANE": "%2"}), "sleep 9", SLEEP, []),
        (BIRTH._replace(variables={"TMUX_PANE": "%1", "_": "/bin/sleep"}), "sleep 9", SLEEP, []),
        (BIRTH._replace(words=("bash", "-c", "a; b")), "a; b", {"command": "a; b"}, ["A"]),
        (BIRTH._replace(words=("bash", "-c", "a; b", "")), "a; b", {"command": "a; b"}, []),
        (BIRTH, "sleep 9", {"command": "sleep 9"}, []),
        (BIRTH._replace(words=("sleep",), in_order=False), "sleep", {"argv": ["sleep"]}, ["A"]),
        (BIRTH._replace(words=("sleep",), program="/x/.sleep-wrapped"), "sleep", {"argv": ["sleep"]}, []),
        (SHELL, "", {}, ["A"]),
        (SHELL, "bash", {}, []),
        (SHELL._replace(words=("bash", "-l")), "", {}, []),
        (SHELL._replace(words=("bash",)), "", {}, []),
        (SHELL._replace(in_order=False), "", {}, []),
    ],
)
def test_what_is_told(birth: Birth, start_command: str, declared: Dict[str, Any], expected: List[str]) -> None:
    assert told(birth, start_command, **declared) == expected


def test_of_other_panes_than_are_declared_nothing_is_told() -> None:
    one = session("work", window(pane(), pane(id="%2", number=1)))
    wanted = declared_windows([{"name": "window", "env": {"A": "2"}}], None)
    found = compare_windows(wanted, one, {}, (), Details(births={"%1": SHELL}))
    assert [each.what for each in found.drift] == ["panes"]
