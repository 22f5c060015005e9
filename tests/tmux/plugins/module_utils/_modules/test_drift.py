# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of panes that have ended, or run something else than is declared, and what a diff shows of that."""

from typing import Any, Dict, List

import pytest
from ansible_collections.fleet.tmux.tests.support.declaring import CAT, Json, Task, changes, drifted, panes
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

ENDING: Json = {"name": "ends", "command": "read x; exit $x"}
STAYING: Json = {"name": "stays", "argv": CAT}


def told_twice(task: Task) -> Json:
    """The result of a run that has nothing to do, which check mode has told of."""
    before = panes(task.world, "session_id", "window_id", "pane_id", "pane_pid")
    promised, error = task.go(check=True)
    assert error is None and not promised["changed"], promised
    told, error = task.go()
    assert error is None and not told["changed"], told
    assert [told[key] for key in ("drift", "diff", "warned")] == [promised[key] for key in ("drift", "diff", "warned")]
    assert panes(task.world, "session_id", "window_id", "pane_id", "pane_pid") == before
    return told


def ended(world: World, typed: str, status: str) -> None:
    """Have a pane end. That it has, tmux may show before it knows how."""
    world.tmux("send-keys", "-t", "=made:ends", typed, "Enter")
    last = ["ends", "1", status]
    facts = ("window_name", "pane_dead", "pane_dead_status")
    eventually(lambda: world.reap() and last in panes(world, *facts), "it has ended")


def test_a_pane_that_has_ended_and_stays_is_told_of_and_made_anew(server: World) -> None:
    declared: Dict[str, Any] = {"windows": [STAYING, ENDING], "keep_exited": True}
    Task(server, **declared).done()
    assert told_twice(Task(server, recreate="on_drift", **declared))["drift"] == []
    ended(server, "3", "3")
    told = told_twice(Task(server, **declared))
    assert drifted(told) == [("ends", 0, "ended", "read x; exit $x", "exit status 3")]
    assert told["diff"]["after"]["drift"] == ["made:ends.0: read x; exit $x has ended: exit status 3, and is left so"]
    assert "drift" not in told["diff"]["before"]
    told = Task(server, recreate="on_drift", **declared).done()
    assert [item["name"] for item in told["removed"]] == [item["name"] for item in told["created"]] == ["made"]
    assert told["diff"]["before"]["drift"] == ["made:ends.0: read x; exit $x has ended: exit status 3"]
    assert "drift" not in told["diff"]["after"]
    assert panes(server, "window_name", "pane_dead") == [["stays", "0"], ["ends", "0"]]


def test_a_shell_that_has_ended_is_told_of(server: World) -> None:
    declared: Dict[str, Any] = {"windows": [STAYING, {"name": "ends"}], "keep_exited": True}
    Task(server, **declared).done()
    ended(server, "exit 0", "0")
    assert drifted(told_twice(Task(server, **declared))) == [("ends", 0, "ended", None, "exit status 0")]


def test_a_shell_that_somebody_has_replaced_by_a_command_is_told_of(server: World) -> None:
    task = Task(server, windows=[{"name": "a"}, STAYING])
    task.done()
    server.tmux("respawn-pane", "-k", "-t", "=made:a", "exec sleep 99")
    told = told_twice(task)
    (found,) = drifted(told)
    assert found[:4] == ("a", 0, "command", None) and "exec sleep 99" in found[4]
    (line,) = told["diff"]["after"]["drift"]
    assert line.startswith("made:a.0: command ") and line.endswith(" instead of the user's shell, and is left so")
    told, error = Task(server, windows=[{"name": "a"}, STAYING], recreate="on_drift").go()
    assert error is None and not told["changed"] and told["drift"][0]["reason"] == "undeclared"


def test_what_somebody_runs_in_a_shell_is_not_told_of(server: World) -> None:
    task = Task(server, windows=[{"name": "a"}])
    task.done()
    server.tmux("send-keys", "-t", "=made:a", "exec sleep 99", "Enter")
    eventually(lambda: panes(server, "pane_current_command") == [["sleep"]], "it runs that")
    assert told_twice(task)["drift"] == []


@pytest.mark.parametrize("everywhere", [True, False])
def test_what_a_server_begins_for_a_shell_is_one(server: World, everywhere: bool) -> None:
    """Whether its configuration says so, or somebody has said it of the session."""
    Task(server, windows=[{"name": "a"}]).done()
    where = ["-g"] if everywhere else ["-t", "made"]
    server.tmux("set-option", *where, "default-command", "exec cat; true")
    task = Task(server, windows=[{"name": "a"}, {"name": "b"}, {}])
    Task(server, windows=[{"name": "a"}, {"name": "b"}, {}]).go()
    assert len([row for row in panes(server, "pane_start_command") if "exec cat" in row[0]]) == 2
    assert told_twice(task)["drift"] == []


def test_a_command_is_told_of_where_a_shell_is_by_now_declared_and_the_other_way_round(server: World) -> None:
    Task(server, windows=[{"name": "a"}, STAYING]).done()
    told = told_twice(Task(server, windows=[{"name": "a", "argv": CAT}, {"name": "stays"}]))
    one, other = drifted(told)
    assert one == ("a", 0, "command", "sh -c exec cat", None)
    assert other[:4] == ("stays", 0, "command", None) and "exec cat" in other[4]
    assert told["diff"]["after"]["drift"][0] == (
        "made:a.0: command the user's shell instead of sh -c exec cat, and is left so"
    )


LINES = "sleep 900\nsleep 901"
OTHERS = [
    (LINES, "sleep 900nsleep 901", False),
    (LINES, "sleep 900 sleep 901", False),
    (LINES, "sleep  900 \n sleep 901\n", True),
    ("sleep 900 \\\n", "sleep 900", False),
    ('echo "$HOME"; sleep 900', 'echo  "$HOME";\tsleep 900', True),
    ('echo "$HOME"; sleep 900', "echo '$HOME'; sleep 900", False),
]


@pytest.mark.parametrize("was, declared, same", OTHERS)
def test_a_command_is_another_one_unless_only_blanks_differ(server: World, was: str, declared: str, same: bool) -> None:
    Task(server, windows=[{"name": "a", "command": was}]).done()
    told = told_twice(Task(server, windows=[{"name": "a", "command": declared}]))
    assert [each["what"] for each in told["drift"]] == ([] if same else ["command"])


def test_words_that_are_declared_otherwise_are_told_of(server: World) -> None:
    words: List[Json] = [
        {"name": "a", "argv": ["sh", "-c", "exec cat", "$x 'y'", "~"]},
        {"name": "b", "argv": ["/bin/cat"]},
    ]
    Task(server, windows=words).done()
    assert told_twice(Task(server, windows=words))["drift"] == []
    others = [dict(words[0], argv=[*words[0]["argv"][:-1], "z"]), dict(words[1], argv=["/usr/bin/cat"])]
    assert [each["what"] for each in told_twice(Task(server, windows=others))["drift"]] == ["command", "command"]


def test_the_diff_shows_the_windows_of_a_new_session_without_secrets(server: World) -> None:
    secret = "hidden"
    windows = [{"name": "a", "env": {"TOKEN": secret}, "panes": [{"argv": CAT}, {}]}, {"command": "exec cat; x"}]
    told = Task(server, windows=windows).done()
    assert told["diff"]["after"]["windows"] == ["a.0: sh -c exec cat", "a.1: the user's shell", "#2.0: exec cat; x"]
    assert secret not in str(told["diff"]) and "windows" not in told["diff"]["before"]
    assert "windows" not in told_twice(Task(server, windows=windows))["diff"]["after"]


def test_variables_that_are_otherwise_are_named_without_a_value(server: World) -> None:
    Task(server, windows=[STAYING], env={"A": "1"}).done()
    told = told_twice(Task(server, windows=[STAYING], env={"A": "other"}))
    assert told["diff"]["after"]["drift"] == ["made: env A is not as declared, and is left so"]


def test_an_option_that_was_not_set_is_named(server: World) -> None:
    Task(server, windows=[STAYING]).done()
    told = Task(server, windows=[STAYING], options={"@mine": "1"}).done()
    assert changes(told) == [("made", None, "option", "@mine=1", None)]
    assert told["diff"]["before"]["updated"] == ["made: option @mine not set"]
    assert told["diff"]["after"]["updated"] == ["made: option @mine=1"]
