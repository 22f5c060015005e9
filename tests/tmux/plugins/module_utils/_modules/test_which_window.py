# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which window of a session is which declared one: what runs is neither begun twice nor removed for its name."""

from typing import Any, Dict, List, Sequence

import pytest
from ansible_collections.fleet.tmux.tests.support.declaring import Json, Task, changes, drifted, panes
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

FIRST: List[Json] = [{"name": "first", "command": "exec sleep 100"}]


def sleep(seconds: int, **more: Any) -> Json:
    return dict({"command": f"exec sleep {seconds}"}, **more)


def begun(world: World) -> Dict[str, List[str]]:
    """The processes of what was begun, by its last word."""
    found: Dict[str, List[str]] = {}
    for command, pid in panes(world, "pane_start_command", "pane_pid"):
        found.setdefault(command.strip('"').split(" ")[-1], []).append(pid)
    return found


def untouched(task: Task) -> Json:
    """The result of a run that has nothing to do, and of check mode."""
    before = panes(task.world, "window_id", "window_name", "pane_pid")
    promised, error = task.go(check=True)
    assert error is None and not promised["changed"], promised
    told, error = task.go()
    assert error is None and not told["changed"], told
    assert told["drift"] == promised["drift"]
    assert panes(task.world, "window_id", "window_name", "pane_pid") == before
    return told


def called(world: World, name: str) -> None:
    """Wait until tmux has called a window after what runs in it."""
    eventually(lambda: name in [row[0] for row in panes(world, "window_name")], f"one is called {name}")


@pytest.mark.parametrize("prune", [False, True])
def test_a_window_that_tmux_calls_like_a_declared_one_is_not_that(server: World, prune: bool) -> None:
    windows: List[Json] = [{}, sleep(700, name="sh"), sleep(701), sleep(702, name="sleep")]
    task = Task(server, windows=windows, prune_windows=prune)
    task.done()
    shell = panes(server, "window_name")[0][0]
    windows[1]["name"] = shell  # As the user's shell is called.
    server.tmux("kill-session", "-t", "=made")
    task = Task(server, windows=windows, prune_windows=prune)
    task.done()
    called(server, "sleep")
    told = untouched(task)
    assert told["drift"] == []
    assert {word: len(pids) for word, pids in begun(server).items()} == {"": 1, "700": 1, "701": 1, "702": 1}


@pytest.mark.parametrize("prune", [False, True])
def test_a_window_with_automatic_rename_is_not_the_one_that_it_is_called_like(server: World, prune: bool) -> None:
    windows = [sleep(500, name="one", options={"automatic-rename": "on"}), sleep(600, name="sleep")]
    Task(server, windows=windows[:1]).done()
    called(server, "sleep")
    first = begun(server)["500"]
    told = Task(server, windows=windows, prune_windows=prune).done()
    assert changes(told) == [("made", "sleep", "window", "sleep", None)]
    assert untouched(Task(server, windows=windows, prune_windows=prune))["drift"] == []
    assert begun(server)["500"] == first and len(begun(server)["600"]) == 1


@pytest.mark.parametrize("prune", [False, True])
def test_a_window_that_somebody_calls_like_another_one_gets_its_name_again(server: World, prune: bool) -> None:
    windows = [sleep(500, name="a"), sleep(600, name="b")]
    task = Task(server, windows=windows, prune_windows=prune)
    task.done()
    before = begun(server)
    server.tmux("rename-window", "-t", "=made:0", "b")
    told = task.done()
    assert changes(told) == [("made", "a", "name", "a", "b")] and told["drift"] == []
    assert begun(server) == before
    assert panes(server, "window_name", "pane_pid") == [["a", before["500"][0]], ["b", before["600"][0]]]


def test_windows_whose_names_somebody_has_exchanged_get_them_again(server: World) -> None:
    task = Task(server, windows=[sleep(500, name="a"), sleep(600, name="b")], prune_windows=True)
    task.done()
    before = begun(server)
    server.tmux("rename-window", "-t", "=made:0", "b", ";", "rename-window", "-t", "=made:1", "a")
    assert task.done()["removed_windows"] == []
    assert begun(server) == before
    assert [row[0] for row in panes(server, "window_name")] == ["a", "b"]


def test_a_window_that_somebody_opens_under_the_name_of_one_is_not_that(server: World) -> None:
    task = Task(server, windows=[sleep(500, name="a"), sleep(600, name="b")], prune_windows=True)
    task.done()
    before = begun(server)
    server.tmux("rename-window", "-t", "=made:1", "zz", ";", "new-window", "-d", "-t", "=made:", "-n", "b", "sleep 99")
    told, error = task.go()
    assert error is None, error
    assert changes(told) == [("made", "b", "name", "b", "zz")]
    assert [(each["what"], each["found"], each["reason"]) for each in told["drift"]] == [("window", "b", "in_use")]
    assert {word: begun(server)[word] for word in before} == before
    untouched(task)


STEPS = [
    ([500, 501], [501], [501]),
    ([500, 501, 502], [500, 502], [500, 502]),
    ([500, 501], [400, 500, 501], [500, 501, 400]),
    ([500, 501], [501, 500], [500, 501]),
    ([500, 500, 501], [500, 501], [500, 501]),
]


@pytest.mark.parametrize("was, wanted, after", STEPS)
def test_of_windows_without_names_those_stay_that_run_what_is_declared(
    server: World, was: Sequence[int], wanted: Sequence[int], after: Sequence[int]
) -> None:
    Task(server, windows=[sleep(each) for each in was]).done()
    before = begun(server)
    task = Task(server, windows=[sleep(each) for each in wanted], prune_windows=True)
    if sorted(was) == sorted(wanted):
        assert drifted(untouched(task)) == [(None, None, "order", "#1, #2", "#2, #1")]
    else:
        task.done()
        untouched(task)
    listed = [command.strip('"') for (command,) in panes(server, "pane_start_command")]
    assert listed == [f"exec sleep {each}" for each in after]
    stays = {word: pids for word, pids in begun(server).items() if word in before}
    assert all(set(pids) <= set(before[word]) for word, pids in stays.items())


def test_one_that_runs_another_command_in_its_place_is_told_of(server: World) -> None:
    Task(server, windows=[sleep(500), sleep(501)]).done()
    told = untouched(Task(server, windows=[sleep(500), sleep(777)], prune_windows=True))
    assert [row[:4] for row in drifted(told)] == [("#2", 0, "command", "exec sleep 777")]


def test_another_window_that_was_made_as_a_declared_one_is_not_removed(server: World) -> None:
    """Like one of another session of the task that somebody has moved there."""
    task = Task(server, name=["made", "other"], windows=[sleep(500, name="a"), *FIRST], prune_windows=True)
    task.done()
    (own,) = begun(server)["500"]
    server.tmux("move-window", "-d", "-s", "=other:a", "-t", "=made:5")
    told, error = task.go()
    assert error is None, error
    assert begun(server)["500"][0] == own and len(begun(server)["500"]) == 2
    assert [(each["found"], each["reason"]) for each in told["drift"]] == [("a", "twin")]
    assert told["removed_windows"] == []
