# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows that are not declared, and what becomes of them with prune_windows, looked at with plain tmux."""

import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import remove, survivors
from ansible_collections.fleet.tmux.plugins.module_utils._actions.journal import Journal
from ansible_collections.fleet.tmux.plugins.module_utils._actions.saved import SnapshotError
from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive, Retention
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import Ending
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, outlasting
from ansible_collections.fleet.tmux.plugins.module_utils._host.record import Record
from ansible_collections.fleet.tmux.plugins.module_utils._policy.errors import OptionError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Listing, Unread, read_or_nothing
from ansible_collections.fleet.tmux.tests.support.declaring import (
    CAT,
    Json,
    Task,
    at_their_prompts,
    changes,
    panes,
    state_of,
)
from ansible_collections.fleet.tmux.tests.support.processes import started
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

A: Json = {"name": "a", "argv": CAT}
B: Json = {"name": "b", "panes": [{"argv": CAT}, {"argv": CAT}]}
OLD: Json = {"name": "old {}, #{pid}", "panes": [{"argv": CAT}, {"command": "exec cat; x"}]}


def pruned(world: World, *windows: Json, **more: Any) -> Task:
    return Task(world, windows=list(windows), prune_windows=True, **more)


def names(world: World, session: str = "made") -> List[str]:
    return world.tmux("list-windows", "-t", "=" + session, "-F", "#{window_name}").splitlines()


def gone(told: Json) -> List[Tuple[str, str, bool]]:
    return [(item["session"], item["name"], item["linked"]) for item in told["removed_windows"]]


def test_windows_that_are_not_declared_any_more_are_removed(server: World) -> None:
    """Those that this module has made, whatever they were declared to run; what is missing is added before."""
    Task(server, windows=[OLD, A, dict(A, name="two")]).done()
    stays = [row for row in panes(server, "window_name", "window_id", "pane_pid") if row[0] == "a"]
    told = pruned(server, A, B).done()
    assert names(server) == ["a", "b"]
    assert [row for row in panes(server, "window_name", "window_id", "pane_pid") if row[0] == "a"] == stays
    assert gone(told) == [("made", OLD["name"], False), ("made", "two", False)]
    assert [item["id"][0] for item in told["removed_windows"]] == ["@", "@"]
    assert changes(told) == [
        ("made", "b", "window", "b", None),
        ("made", None, "window", None, OLD["name"]),
        ("made", None, "window", None, "two"),
    ]
    assert told["drift"] == [] and told["removed"] == []
    assert "made: window %s" % OLD["name"] in told["diff"]["before"]["updated"]
    assert "made: window none" in told["diff"]["after"]["updated"]


def test_without_it_they_stay(server: World) -> None:
    Task(server, windows=[A, OLD]).done()
    told, error = Task(server, windows=[A]).go()
    assert error is None and not told["changed"] and told["removed_windows"] == []
    assert [each["what"] for each in told["drift"]] == ["window"] and names(server) == ["a", OLD["name"]]


def test_a_shell_at_its_prompt_and_what_has_ended_go_whoever_has_made_them(server: World) -> None:
    Task(server, windows=[A]).done()
    server.tmux("new-window", "-d", "-t", "=made:", "-n", "shell")
    server.tmux("split-window", "-d", "-t", "=made:shell")
    server.tmux("set-option", "-g", "-w", "remain-on-exit", "on")
    server.tmux("new-window", "-d", "-t", "=made:", "-n", "ended", "true")
    eventually(lambda: server.reap() and ["ended", "1"] in panes(server, "window_name", "pane_dead"), "it has ended")
    at_their_prompts(server)
    told = pruned(server, A).done()
    assert gone(told) == [("made", "shell", False), ("made", "ended", False)] and names(server) == ["a"]


def begin_in(world: World, *words: str) -> None:
    world.tmux("send-keys", "-t", "=made:old", *words, "Enter")
    eventually(lambda: ["cat"] in panes(world, "pane_current_command")[1:], "it is cat")


SHELL: Json = {"name": "old"}
USES: Dict[str, Tuple[Callable[[World], object], str]] = {
    "in_use": (lambda world: begin_in(world, "cat"), "something runs in it"),
    "in_use by a pane": (
        lambda world: world.tmux("split-window", "-d", "-t", "=made:old", "cat"),
        "something runs in it",
    ),
    "keep": (lambda world: world.tmux("set-option", "-t", "=made:", "@keep", "on"), "@keep is on"),
    "group": (
        lambda world: world.tmux("new-session", "-d", "-s", "peer", "-t", "made"),
        "another session of its group would lose it, too",
    ),
    "attached": (lambda world: world.tmux("select-window", "-t", "=made:old"), "a client shows it"),
}


@pytest.mark.parametrize("use", USES)
def test_what_is_used_stays(server: World, use: str) -> None:
    """It shows just before it would go, and then before the task; afterwards nothing is in its way."""
    Task(server, windows=[A, SHELL]).done()
    before = panes(server, "window_id", "pane_id", "pane_pid")
    act, why = USES[use]
    with contextlib.ExitStack() as stack:

        def begin() -> None:
            act(server)
            if use == "attached":
                stack.enter_context(server.attached(panes(server, "session_id")[0][0]))

        told, error = pruned(server, A).go(meanwhile=begin)
        assert "not removed: window 'old': " in str(error) and not told["changed"], (told, error)
        assert [item["name"] for item in told["not_done"]] == ["made"]
        for check in (True, False):
            told, error = pruned(server, A).go(check)
            assert error is None and not told["changed"] and told["removed_windows"] == []
            assert [(each["what"], each["found"], each["reason"]) for each in told["drift"]] == [
                ("window", "old", use.split()[0])
            ]
            (warned,) = told["warned"]
            assert warned == "session 'made' has windows that are not declared: 1 stays because " + why
    assert [row for row in panes(server, "window_id", "pane_id", "pane_pid") if row in before] == before


def test_whoever_is_attached_elsewhere_in_the_session_does_not_keep_it(server: World) -> None:
    Task(server, windows=[A, OLD]).done()
    with server.attached(panes(server, "session_id")[0][0]):
        told = pruned(server, A).done()
    assert gone(told) == [("made", OLD["name"], False)] and names(server) == ["a"]


def test_a_program_that_somebody_else_has_begun_stays(server: World) -> None:
    """Also as the only thing that a window runs, and in a window of ours that has a pane more than we made."""
    Task(server, windows=[A, {"name": "ours", "argv": CAT}]).done()
    server.tmux("new-window", "-d", "-t", "=made:", "-n", "theirs", "cat")
    server.tmux("split-window", "-d", "-t", "=made:ours")
    for check in (True, False):
        told, error = pruned(server, A).go(check)
        assert error is None and not told["changed"]
        assert [(each["found"], each["reason"]) for each in told["drift"]] == [
            ("ours", "in_use"),
            ("theirs", "in_use"),
        ]
    server.tmux("kill-pane", "-t", "=made:ours.1")
    assert gone(pruned(server, A).done()) == [("made", "ours", False)] and names(server) == ["a", "theirs"]


def move_here(world: World) -> None:
    Task(world, name=["other"], windows=[A, PROGRAM]).done()
    world.tmux("kill-window", "-t", "=made:old")
    world.tmux("move-window", "-d", "-s", "=other:old", "-t", "=made:")


def swap(world: World) -> None:
    world.tmux("new-window", "-d", "-t", "=made:", "-n", "theirs", "cat")
    world.tmux("swap-pane", "-d", "-s", "=made:theirs", "-t", "=made:old")
    world.tmux("kill-window", "-t", "=made:theirs")


def join(world: World) -> None:
    world.tmux("new-window", "-d", "-t", "=made:", "-n", "theirs", "cat")
    world.tmux("join-pane", "-d", "-s", "=made:theirs", "-t", "=made:old")
    world.tmux("kill-pane", "-t", "=made:old.0")


PROGRAM: Json = {"name": "old", "argv": CAT}
NOT_OURS: Dict[str, Callable[[World], object]] = {
    "moved here": move_here,
    "begun anew": lambda world: world.tmux("respawn-pane", "-k", "-t", "=made:old", "exec cat"),
    "swapped": swap,
    "joined": join,
    "of an older release": lambda world: world.tmux("set-option", "-w", "-t", "=made:old", "@fleet_tmux_panes", "1"),
    "of no release": lambda world: world.tmux("set-option", "-w", "-t", "=made:old", "@fleet_tmux_panes", "x %% 7 "),
}


@pytest.mark.parametrize("way", NOT_OURS)
def test_what_was_not_made_there_is_not_ours_in_spite_of_its_mark(server: World, way: str) -> None:
    """A program in it may be somebody's work, and only a shell at its prompt goes."""
    Task(server, windows=[A, PROGRAM]).done()
    NOT_OURS[way](server)
    server.begun("=made")
    before = panes(server, "window_id", "pane_id", "pane_pid")
    for check in (True, False):
        told, error = pruned(server, A).go(check)
        assert error is None and not told["changed"] and told["removed_windows"] == [], told
        assert [(each["found"], each["reason"]) for each in told["drift"]] == [("old", "in_use")]
    assert panes(server, "window_id", "pane_id", "pane_pid") == before
    server.tmux("respawn-pane", "-k", "-t", "=made:old", "exec sh")
    eventually(lambda: server.tmux("capture-pane", "-p", "-t", "=made:old").strip(), "it shows its prompt")
    (pid,) = [int(row[1]) for row in panes(server, "window_name", "pane_pid") if row[0] == "old"]
    eventually(lambda: state_of(pid) == "S", "it waits there")
    assert gone(pruned(server, A).done()) == [("made", "old", False)]


def type_in(world: World, *words: str) -> None:
    world.tmux("send-keys", "-t", "=made:old", *words, "Enter")


def with_script(world: World) -> None:
    """A shell that reads what it is to do from a file that says more and more."""
    path = os.path.join(world.folder, "script")
    os.mkfifo(path)
    type_in(world, "exec sh < %s" % path)
    writer = os.open(path, os.O_WRONLY)
    os.write(writer, b"echo it begins\n")
    eventually(lambda: "\nit begins" in world.tmux("capture-pane", "-p", "-t", "=made:old"), "it begins")


def with_read(world: World) -> None:
    type_in(world, "exec bash --norc")
    eventually(lambda: "bash-" in world.tmux("capture-pane", "-p", "-t", "=made:old"), "it shows its prompt")
    type_in(world, "while echo it begins; do read -t 600 x; done")
    eventually(lambda: "\nit begins" in world.tmux("capture-pane", "-p", "-t", "=made:old"), "it begins")


def with_loop(world: World) -> None:
    type_in(world, "echo it begins; while :; do :; done")
    eventually(lambda: "\nit begins" in world.tmux("capture-pane", "-p", "-t", "=made:old"), "it begins")


WORK_OF_SHELLS: Dict[str, Callable[[World], object]] = {
    "a loop": with_loop,
    "a script": with_script,
    "a loop that waits": with_read,
}


@pytest.mark.parametrize(
    ("work", "ours"),
    [(work, ours) for work in WORK_OF_SHELLS for ours in ("ours", "theirs")]
    + [(work, "ours as a command") for work in WORK_OF_SHELLS if work != "a script"],  # That may be what is declared.
)
def test_a_shell_that_works_by_itself_is_not_at_its_prompt(server: World, work: str, ours: str) -> None:
    """It has started nothing, so no process but it tells of that."""
    old = [dict(SHELL, argv=["sh", "-c", "exec sh"])] if ours == "ours as a command" else [SHELL]
    Task(server, windows=[A, *(old if ours != "theirs" else [])]).done()
    if ours == "theirs":
        server.tmux("new-window", "-d", "-t", "=made:", "-n", "old")
    eventually(lambda: server.tmux("capture-pane", "-p", "-t", "=made:old").strip(), "it shows its prompt")
    WORK_OF_SHELLS[work](server)
    for check in (True, False):
        told, error = pruned(server, A).go(check)
        assert error is None and not told["changed"] and told["removed_windows"] == [], told
        assert [(each["found"], each["reason"]) for each in told["drift"]] == [("old", "in_use")]
    assert names(server) == ["a", "old"]


def test_a_shell_that_has_worked_between_the_looks_stays(server: World) -> None:
    """It is at its prompt again when it is looked at once more."""
    Task(server, windows=[A, SHELL]).done()
    show = ("capture-pane", "-p", "-t", "=made:old")

    def work() -> None:
        type_in(server, "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo it is done")
        eventually(lambda: "\nit is done" in server.tmux(*show), "it has worked")
        at_their_prompts(server)

    told, error = pruned(server, A).go(meanwhile=work)
    assert "not removed: window 'old': something happened to it after it was judged" in str(error)
    assert not told["changed"] and names(server) == ["a", "old"]


@pytest.mark.parametrize("times", [1, 2])
def test_a_window_of_another_session_too_is_only_taken_out_of_this_one(server: World, times: int) -> None:
    Task(server, windows=[A]).done()
    for _time in range(times):
        server.tmux("link-window", "-d", "-s", "first:0", "-t", "=made:")
    before = panes(server, "window_id", "pane_id", "pane_pid", session="first")
    told = pruned(server, A).done()
    assert [(item["session"], item["linked"], item["survivors"]) for item in told["removed_windows"]] == [
        ("made", True, [])
    ]
    assert names(server) == ["a"]
    assert panes(server, "window_id", "pane_id", "pane_pid", session="first") == before


def test_a_window_that_two_sessions_of_the_task_have_ends_when_both_have_lost_it(server: World) -> None:
    Task(server, name=["made", "other"], windows=[A]).done()
    server.tmux("new-window", "-d", "-t", "=made:", "-n", "both")
    at_their_prompts(server)
    server.tmux("link-window", "-d", "-s", "=made:both", "-t", "=other:")
    told = pruned(server, A, name=["made", "other"]).done()
    assert [item[0] for item in gone(told)] == ["made", "other"]
    assert names(server) == names(server, "other") == ["a"]


def test_a_window_that_two_sessions_have_is_judged_by_what_runs_in_it_if_both_may_lose_it(server: World) -> None:
    Task(server, name=["made", "other"], windows=[A]).done()
    server.tmux("new-window", "-d", "-t", "=made:", "-n", "both", "cat")
    server.tmux("link-window", "-d", "-s", "=made:both", "-t", "=other:")
    told, error = pruned(server, A, name=["made", "other"]).go()
    assert error is None and not told["changed"] and [each["reason"] for each in told["drift"]] == ["in_use"] * 2
    assert names(server) == names(server, "other") == ["a", "both"]


AFTER_THE_LAST_LOOK: Dict[str, Callable[[World], object]] = {
    "a new pane": lambda world: world.tmux("split-window", "-d", "-t", "=made:old"),
    "another process": lambda world: world.tmux("respawn-pane", "-k", "-t", "=made:old", "cat"),
    "a command": lambda world: begin_in(world, "exec cat"),
    "a command beside what has ended": lambda world: begin_in(world, "exec cat"),
    "another name": lambda world: world.tmux("rename-window", "-t", "=made:old", "a name"),
    "keep": lambda world: world.tmux("set-option", "-t", "=made:", "@keep", "on"),
    "another session": lambda world: world.run("rename-session", "-t", "=made", "renamed"),
    "the last one": lambda world: world.tmux("kill-window", "-t", "=made:a"),
    "a client": lambda world: None,
    "its group": lambda world: world.tmux("new-session", "-d", "-s", "peer", "-t", "made"),
}


@pytest.mark.parametrize("change", AFTER_THE_LAST_LOOK)
def test_what_changes_between_the_last_look_and_the_end_lives(
    server: World, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Only tmux itself can see it by then."""
    Task(server, windows=[A, SHELL]).done()
    (window,) = [row for row in panes(server, "window_name", "window_id", "session_id") if row[0] == "old"]
    if change == "its group":
        server.tmux("new-session", "-d", "-s", "before", "-t", "made")
        server.tmux("kill-session", "-t", "=before")
    if change == "a command beside what has ended":
        server.tmux("set-option", "-w", "-t", "=made:old", "remain-on-exit", "on")
        server.tmux("split-window", "-d", "-t", "=made:old", "true")
        eventually(lambda: server.reap() and ["old", "1"] in panes(server, "window_name", "pane_dead"), "it has ended")
    call = remove.call
    done: List[str] = []
    with contextlib.ExitStack() as stack:

        def late(*words: Any) -> bool:
            if not done:
                done.append(change)
                AFTER_THE_LAST_LOOK[change](server)
                if change == "a client":
                    stack.enter_context(server.attached(window[2]))
            return call(*words)

        monkeypatch.setattr("ansible_collections.fleet.tmux.plugins.module_utils._actions.remove_windows.call", late)
        told, error = pruned(server, A).go()
    assert done and "not removed: window 'old': something happened to it after it was judged" in str(error)
    assert told["removed_windows"] == [] and not told["changed"]
    assert window[1] in server.tmux("list-windows", "-a", "-F", "#{window_id}").splitlines()
    assert "@fleet_tmux_changed" not in server.tmux("show-options", "-t", window[2])


def test_a_window_that_ends_by_itself_meanwhile_is_no_failure(server: World) -> None:
    Task(server, windows=[A, OLD, SHELL]).done()
    told, error = pruned(server, A).go(meanwhile=lambda: server.tmux("kill-window", "-t", "=made:old"))
    assert error is None and gone(told) == [("made", OLD["name"], False)] and names(server) == ["a"]


def test_where_all_that_was_to_go_has_ended_by_itself_nothing_was_changed(server: World) -> None:
    Task(server, windows=[A, SHELL]).done()
    told, error = pruned(server, A).go(meanwhile=lambda: server.tmux("kill-window", "-t", "=made:old"))
    assert error is None and not told["changed"] and told["updated"] == told["removed_windows"] == []
    assert "made" not in told["diff"]["before"].get("updated", "")


def test_windows_that_are_opened_meanwhile_are_left_alone(server: World) -> None:
    Task(server, windows=[A, SHELL]).done()
    told, error = pruned(server, A).go(meanwhile=lambda: server.tmux("new-window", "-d", "-t", "=made:", "-n", "new"))
    assert error is None and gone(told) == [("made", "old", False)] and names(server) == ["a", "new"]


def test_the_current_window_goes_too_where_nobody_is_attached(server: World) -> None:
    Task(server, windows=[A, SHELL, dict(SHELL, name="older")]).done()
    server.tmux("select-window", "-t", "=made:older")
    server.tmux("select-window", "-t", "=made:old")
    assert len(gone(pruned(server, A).done())) == 2 and names(server) == ["a"]


def test_windows_that_may_go_are_no_reason_to_keep_a_session_that_has_drifted(server: World) -> None:
    """All of it is done in one run: the next one changes nothing."""
    Task(server, windows=[A, B, SHELL]).done()
    server.tmux("new-window", "-d", "-t", "=made:", "-n", "theirs")
    at_their_prompts(server)
    server.tmux("kill-pane", "-t", "=made:b.1")
    told = pruned(server, A, B, recreate="on_drift").done()
    assert len(told["removed"]) == len(told["created"]) == 1 and told["removed_windows"] == []
    assert sorted(each["what"] for each in told["drift"]) == ["panes", "window", "window"]
    assert names(server) == ["a", "b"]


def test_what_outlives_a_window_is_found_and_ended(
    server: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = tmp_path / "pids"
    command = "setsid sh -c 'trap \"\" HUP; echo $$ >> %s; exec sleep 600' & exec cat" % pids
    Task(server, windows=[A, {"name": "old", "command": command}]).done()
    eventually(lambda: pids.exists() and pids.read_text(encoding="ascii").strip(), "it runs")
    (pane,) = [int(row[1]) for row in panes(server, "window_name", "pane_pid") if row[0] == "old"]

    def after_its_pane(them: Iterable[Process], seconds: float) -> List[Process]:
        eventually(lambda: started(pane) is None, "the process of the pane ends")
        return outlasting(them, seconds)

    monkeypatch.setattr(survivors, "outlasting", after_its_pane)
    task = pruned(server, A)
    task.ending = Ending(terminate=True, grace_period=PATIENCE)
    told = task.done()
    (item,) = told["removed_windows"]
    (survivor,) = item["survivors"]
    assert str(survivor["pid"]) == pids.read_text(encoding="ascii").strip() and survivor["result"] == "terminated"
    assert started(survivor["pid"]) is None


@pytest.mark.parametrize("ours", [True, False])
def test_what_has_left_a_shell_is_told_of_and_not_ended(server: World, tmp_path: Path, ours: bool) -> None:
    """Nobody has judged it: only its environment says where it was begun."""
    Task(server, windows=[A, SHELL] if ours else [A]).done()
    if not ours:
        server.tmux("new-window", "-d", "-t", "=made:", "-n", "old")
    at_their_prompts(server)
    pids = tmp_path / "pids"
    type_in(server, LEAVES % pids)
    pid = left_behind(pids)
    eventually(lambda: "\nit begins" in server.tmux("capture-pane", "-p", "-t", "=made:old"), "the prompt is there")
    at_their_prompts(server)
    try:
        task = pruned(server, A)
        task.ending = Ending(terminate=True, grace_period=PATIENCE)
        (item,) = task.done()["removed_windows"]
        assert [(each["pid"], each["result"]) for each in item["survivors"]] == [(pid, "reported")]
        assert started(pid) is not None
    finally:
        os.kill(pid, signal.SIGKILL)


LEAVES = "setsid -f sh -c 'echo $$ > %s; exec sleep 600'; echo it begins"


def left_behind(pids: Path) -> int:
    eventually(lambda: pids.exists() and pids.read_text(encoding="ascii").strip(), "it runs")
    return int(pids.read_text(encoding="ascii"))


def test_what_has_left_a_window_whose_program_has_ended_is_told_of_and_not_ended(server: World, tmp_path: Path) -> None:
    """Nobody knows whether that was a shell."""
    pids = tmp_path / "pids"
    command = "%s; until [ -s %s ]; do sleep 0.1; done" % (LEAVES % pids, pids)  # Else it may end with its terminal.
    Task(server, windows=[A, dict(SHELL, command=command)], keep_exited=True).done()
    pid = left_behind(pids)
    try:
        eventually(lambda: server.reap() and ["old", "1"] in panes(server, "window_name", "pane_dead"), "it has ended")
        task = pruned(server, A, keep_exited=True)
        task.ending = Ending(terminate=True, grace_period=PATIENCE)
        (item,) = task.done()["removed_windows"]
        assert [(each["pid"], each["result"]) for each in item["survivors"]] == [(pid, "reported")]
        assert started(pid) is not None
    finally:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("recreate", ["on_drift", "always"])
@pytest.mark.parametrize("by", ["typed", "typed and ended", "begun"])
def test_what_has_left_a_shell_of_a_session_that_is_made_anew_is_told_of_and_not_ended(
    server: World, tmp_path: Path, by: str, recreate: str
) -> None:
    """Unless somebody has said that it is to be made anew whatever runs, or it was declared to run."""
    pids = tmp_path / "pids"
    own: Json = {"name": "old"} if by != "begun" else {"name": "old", "command": LEAVES % pids + "; exec cat"}
    Task(server, windows=[A, B, own], keep_exited=True).done()
    if by != "begun":
        type_in(server, LEAVES % pids)
    pid = left_behind(pids)
    try:
        eventually(
            lambda: "\nit begins" in "\n" + server.tmux("capture-pane", "-p", "-t", "=made:old"), "it has said so"
        )
        if by == "typed and ended":
            type_in(server, "exit")
            eventually(lambda: server.reap() and ["old", "1"] in panes(server, "window_name", "pane_dead"), "it ends")
        elif by == "typed":
            at_their_prompts(server)
        server.tmux("kill-pane", "-t", "=made:b.1")
        task = Task(server, windows=[A, B, own], keep_exited=True, recreate=recreate)
        task.ending = Ending(terminate=True, grace_period=PATIENCE)
        told, error = task.go()
        assert error is None, error
        found = [(each["pid"], each["result"]) for item in told["removed"] for each in item["survivors"]]
        ends = by == "begun" or recreate == "always"
        assert (pid, "terminated" if ends else "reported") in found and (started(pid) is None) is ends
        if by == "begun":
            eventually(lambda: left_behind(pids) != pid, "the new one has begun it, too")
            os.kill(left_behind(pids), signal.SIGKILL)
    finally:
        if started(pid) is not None:
            os.kill(pid, signal.SIGKILL)


def test_a_session_is_saved_before_windows_of_it_go(server: World, tmp_path: Path) -> None:
    Task(server, windows=[A, OLD]).done()
    folder = tmp_path / "saved"
    task = pruned(server, A)
    task.archive = Archive(str(folder), False, Retention())
    told = task.done()
    (item,) = told["removed_windows"]
    with open(os.path.join(item["snapshot"], "session.json"), encoding="utf-8") as stream:
        assert [window["name"] for window in json.load(stream)["windows"]] == ["a", OLD["name"]]
    server.tmux("new-window", "-d", "-t", "=made:", "-n", "more")
    at_their_prompts(server)
    server.tmux("set-option", "-t", "=made:", "@no_snapshot", "on")
    told = task.done()
    assert [each["snapshot"] for each in told["removed_windows"]] == [None]


def test_what_cannot_be_saved_stays(server: World, tmp_path: Path) -> None:
    Task(server, windows=[A, OLD]).done()
    folder = tmp_path / "saved"
    folder.mkdir()
    folder.chmod(0o777)
    task = pruned(server, A)
    task.archive = Archive(str(folder), False, Retention())
    for check in (True, False):
        told, error = task.go(check)
        assert "snapshot_dir: " in str(error) and not told["changed"] and told["removed_windows"] == []
    assert names(server) == ["a", OLD["name"]]


REMOVALS: Dict[str, Json] = {
    "absent": {"state": "absent", "chdir": None},
    "only": {"state": "only", "name": ["first"], "chdir": None},
    "on_drift": {"recreate": "on_drift", "windows": [A, B]},
    "always": {"recreate": "always", "windows": [A, B]},
}


@pytest.mark.parametrize("way", REMOVALS)
def test_a_session_is_saved_before_it_is_removed(server: World, tmp_path: Path, way: str) -> None:
    Task(server, windows=[A, B]).done()
    server.tmux("kill-pane", "-t", "=made:b.1")
    before = panes(server, "session_id", "pane_id")
    task = Task(server, **REMOVALS[way])
    folder = tmp_path / "saved"
    folder.mkdir()
    folder.chmod(0o777)
    task.archive = Archive(str(folder), False, Retention())
    for check in (True, False):
        told, error = task.go(check)
        assert "snapshot_dir: " in str(error) and not told["changed"] and told["removed"] == []
        assert panes(server, "session_id", "pane_id") == before
    folder.chmod(0o700)
    told, error = task.go(True)
    assert error is None and [item["snapshot"] for item in told["removed"]] == [None]
    assert os.listdir(str(folder)) == []
    told, error = task.go()
    assert error is None, error
    (item,) = told["removed"]
    with open(os.path.join(item["snapshot"], "session.json"), encoding="utf-8") as stream:
        described = json.load(stream)
    assert described["name"] == "made" and [window["name"] for window in described["windows"]] == ["a", "b"]


def test_what_could_not_be_saved_is_not_removed_and_what_lives_on_has_no_snapshot(
    server: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = server.new("made")
    task = Task(server, name=["made", "first"], state="absent", chdir=None)
    task.archive = Archive(str(tmp_path / "saved"), False, Retention())
    save = task.archive.save

    def broken(client: Any, session: Any, *more: Any) -> Any:
        if session.id == identity:
            raise SnapshotError("the disk is full")
        server.run("rename-session", "-t", "=first", "renamed")
        return save(client, session, *more)

    monkeypatch.setattr(task.archive, "save", broken)
    told, error = task.go()
    assert "'made': it could not be saved: the disk is full" in str(error)
    assert [item["name"] for item in told["not_done"]] == ["first", "made"] and told["removed"] == []
    assert set(server.ids()) == {"$0", identity}
    assert [os.listdir(str(path)) for path in (tmp_path / "saved").iterdir() if path.name != ".incoming"] == [[]]


@pytest.mark.parametrize("how", ["unread", "cut off"])
def test_what_could_not_be_looked_at_when_it_was_to_be_saved_stays(
    server: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """It is not taken for ended."""
    identity = server.new("made")
    task = Task(server, state="absent", chdir=None)
    task.archive = Archive(str(tmp_path / "saved"), False, Retention())

    def partly(*words: Any) -> Listing:
        listing = read_or_nothing(*words)
        listing = listing._replace(sessions=tuple(one for one in listing.sessions if one.id != identity))
        if how == "cut off":
            return listing._replace(whole=False)
        return listing._replace(unread=(Unread(identity, "made", "its rows do not make sense"),))

    monkeypatch.setattr("ansible_collections.fleet.tmux.plugins.module_utils._actions.saving.read_or_nothing", partly)
    told, error = task.go()
    why = "its rows do not make sense" if how == "unread" else "its tmux did not list all that it has"
    assert "'made': it could not be saved: " + why in str(error)
    assert told["removed"] == [] and identity in server.ids()


class Lines(Record):
    """A log that is a list."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: List[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line)


def test_the_system_log_tells_of_it_before_and_after(server: World) -> None:
    Task(server, windows=[A, SHELL]).done()
    (window,) = [row for row in panes(server, "window_name", "window_id", "session_id") if row[0] == "old"]
    log, task = Lines(), pruned(server, A)
    task.journal = Journal(log, "state=present")
    _told, error = task.go()
    assert error is None
    who = 'window "old" (%s) of session "made" (%s) of ' % (window[1], window[2])
    assert [line.partition(who)[0] for line in log.lines] == ["about to remove ", "removed "], log.lines


def test_it_needs_windows_that_are_declared(server: World) -> None:
    options: List[Json] = [{}, {"windows": []}]
    for more in options:
        with pytest.raises(OptionError, match="prune_windows: it keeps what is declared, and needs at least one"):
            Task(server, prune_windows=True, **more)
    with pytest.raises(OptionError, match="snapshot_dir: nothing is removed; it is for state=absent and only"):
        Task(server, snapshot_dir="default")
    with pytest.raises(OptionError, match="prune_windows: only for state=present"):
        Task(server, prune_windows=True, state="absent")
