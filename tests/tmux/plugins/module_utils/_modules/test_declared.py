# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions whose windows and panes are declared, looked at with plain tmux."""

import contextlib
import functools
import itertools
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import settle, snapshot
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._modules.info import Wish, describe
from ansible_collections.fleet.tmux.plugins.module_utils._modules.secret import hidden, secrets_of
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._specs.tmux_session import ARGUMENT_SPEC
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import trial
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import Capability, Command, Version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Hung
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.share import Share
from ansible_collections.fleet.tmux.tests.support.births import LastWords, judged_when, one_ends
from ansible_collections.fleet.tmux.tests.support.declaring import (
    CAT,
    Json,
    Task,
    changes,
    drifted,
    panes,
    state_of,
)
from ansible_collections.fleet.tmux.tests.support.snapshots import Store, described
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World


def is_cat(pid: str) -> bool:
    return os.path.basename(os.readlink("/proc/%s/exe" % pid)) == "cat"


def environment(pid: str) -> Dict[str, str]:
    with open("/proc/%s/environ" % pid, encoding="utf-8") as stream:
        return dict(entry.split("=", 1) for entry in stream.read().split("\0") if "=" in entry)


WINDOWS: List[Json] = [
    {"name": "one; #{pid}", "argv": CAT, "env": {"A": "window", "B": "window"}, "chdir": "/usr"},
    {
        "name": "two",
        "chdir": "/usr",
        "env": {"B": "window 2"},
        "layout": "even-horizontal",
        "options": {"mode-keys": "vi", "@w": "#{pid}"},
        "focus": True,
        "panes": [
            {"argv": CAT, "title": "#{pid} $HOME"},
            {"command": "exec cat; x", "chdir": "/etc", "env": {"A": "pane ;"}, "focus": True},
            {"argv": ["/bin/cat"]},
        ],
    },
    {"argv": CAT},
]


def test_a_session_is_created_as_it_is_declared(server: World) -> None:
    told = Task(server, windows=WINDOWS, env={"A": "session", "S": "1"}, width=200, height=60).done()
    assert [item["name"] for item in told["created"]] == ["made"]
    assert panes(server, "window_index", "window_name", "window_panes", "window_active") == [
        ["0", "one; #{pid}", "1", "0"],
        *[["1", "two", "3", "1"]] * 3,
        ["2", panes(server, "window_name")[-1][0], "1", "0"],
    ]
    assert [row for row in panes(server, "pane_index", "pane_active") if row[1] == "1"] == [
        ["0", "1"],
        ["1", "1"],
        ["0", "1"],
    ]
    assert {tuple(row) for row in panes(server, "window_width", "window_height")} == {("200", "60")}
    listed = panes(server, "pane_pid", "pane_title", "pane_height")
    assert listed[1][1].replace("\\$", "$") == "#{pid} $HOME", "3.4 prints a backslash before it"
    assert [row[2] for row in listed[1:4]] == ["60"] * 3, "side by side"
    for pid in [row[0] for row in listed]:
        eventually(functools.partial(is_cat, pid), "it is cat")
    assert [os.readlink("/proc/%s/cwd" % row[0]) for row in listed] == ["/usr", "/usr", "/etc", "/usr", "/"]
    found = [environment(row[0]) for row in listed]
    assert [(each.get("A"), each.get("B"), each["S"]) for each in found] == [
        ("window", "window", "1"),
        ("session", "window 2", "1"),
        ("pane ;", "window 2", "1"),
        ("session", "window 2", "1"),
        ("session", None, "1"),
    ]
    assert server.tmux("show-options", "-w", "-v", "-t", "=made:two", "mode-keys") == "vi"
    assert server.tmux("show-options", "-w", "-v", "-t", "=made:two", "@w") == "#{pid}"
    assert "mode-keys" not in server.tmux("show-options", "-w", "-t", "=made:0")
    variables = server.tmux("show-environment", "-t", "=made").splitlines()
    assert "A=session" in variables and not any(line.startswith("B=") for line in variables)


def test_windows_begin_where_the_session_counts_from_and_have_the_options_of_all(server: World) -> None:
    options = {"base-index": 5, "mode-keys": "vi", "history-limit": 77}
    windows = [{"name": "a", "argv": CAT}, {"name": "b", "argv": CAT, "options": {"mode-keys": "emacs"}}]
    Task(server, windows=windows, options=options).done()
    assert panes(server, "window_index", "window_name", "history_limit") == [["5", "a", "77"], ["6", "b", "77"]]
    keys = [server.tmux("show-options", "-w", "-v", "-t", "=made:%s" % name, "mode-keys") for name in "ab"]
    assert keys == ["vi", "emacs"]


def test_a_layout_is_the_one_that_tmux_shows(server: World) -> None:
    server.tmux("split-window", "-d", "-t", "first", "cat")
    server.tmux("select-layout", "-t", "first", "main-vertical")
    layout = server.tmux("list-windows", "-t", "first", "-F", "#{window_layout}")
    Task(server, windows=[{"layout": layout, "panes": [{"argv": CAT}, {"argv": CAT}]}], width=80, height=24).done()
    shape = panes(server, "pane_width", "pane_height", "pane_left")
    assert shape == panes(server, "pane_width", "pane_height", "pane_left", session="first")


@pytest.mark.parametrize(
    ("windows", "why"),
    [
        ([{"layout": "nonsense"}], "layout 'nonsense' of window '#1' is neither one of even-horizontal"),
        ([{"layout": "-x"}], "is neither one of"),
        ([{"name": "w", "layout": "ac9d,200x50,0,0,0", "panes": [{}, {}]}], "of window 'w' .* for 1 panes, not for 2"),
        ([{"options": {"nonsense": "1"}}], "option nonsense: tmux .* has no option"),
        ([{"options": {"mouse": "1"}}], "option mouse is one of a session, not of a window"),
        ([{"panes": [{"chdir": "/nowhere"}]}], "chdir: /nowhere is no directory"),
    ],
)
def test_what_no_window_can_be_is_refused_before_anything_is_done(server: World, windows: List[Json], why: str) -> None:
    for check in (True, False):
        with pytest.raises(ValueError, match=why):
            _told, error = Task(server, windows=windows).go(check)
            raise ValueError(str(error))
        assert server.ids() == ["$0"]


def test_a_pane_whose_command_ends_at_once_is_told_and_nothing_is_left(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = LastWords(server, "echo why", "why")
    windows = [{"argv": CAT}, {"name": "b", "panes": [{"argv": CAT}, {"command": why.command}]}]
    with monkeypatch.context() as patch:
        judged_when(patch, why.hear)
        told, error = Task(server, windows=windows).go()
    assert "the command of pane 3 of session 'made' ended at once, with exit status 3; it said: why" in str(error)
    assert server.ids() == ["$0"] and told["created"] == []
    Task(server, windows=windows, keep_exited=True).done()
    eventually(lambda: server.reap() and panes(server, "pane_dead")[-1] == ["1"], "it has ended and stays")


TOKEN = "s3cr3t-token-0123456789-abcdefgh-end"


@pytest.mark.parametrize(
    "command",
    [
        "printf '%0185d%s@host' 0 \"$KEY\"",
        "printf '%s' \"$LINES_OF_KEY\"",
        "printf '%0475d%s%0100d' 0 \"$KEY\" 0",
        "i=0; while [ $i -lt 60 ]; do printf '%s' \"$KEY\"; i=$((i + 1)); done",
    ],
    ids=["wrapped", "lines", "cut", "begun"],
)
def test_what_a_command_has_said_tells_no_part_of_a_secret(
    server: World, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Over the edge of the pane, over several lines, and where the rest of it is left out."""
    lines = "-----BEGIN OF IT-----\nfirst-of-the-lines\nsecond-of-the-lines\n"
    env = {"KEY": TOKEN, "LINES_OF_KEY": lines}
    printed = subprocess.run(["/bin/sh", "-c", command], env=env, stdout=subprocess.PIPE, check=True).stdout.decode(
        "ascii"
    )
    said_all = LastWords(server, command, printed.replace("\n", ""))
    judged_when(monkeypatch, said_all.hear)
    windows = [{"panes": [{"command": said_all.command, "env": env}]}]
    _told, error = Task(server, windows=windows, width=200, height=5).go()
    said = hidden(str(error), secrets_of(ARGUMENT_SPEC, {"windows": windows}))
    assert "exit status 3; it said: " in said
    for secret in (TOKEN, "first-of-the-lines", "second-of-the-lines"):
        parts = [secret[start : start + 6] for start in range(len(secret) - 5)]
        assert not [part for part in parts if part in said], said


def test_what_is_missing_is_added_and_the_rest_is_left_alone(server: World) -> None:
    """The window that is missing comes back with its panes, and one that was renamed has its name again."""
    task = Task(server, windows=WINDOWS, env={"A": "session", "S": "1"}, width=200, height=60)
    task.done()
    before = panes(server, "pane_id", "pane_pid")
    server.tmux("kill-window", "-t", "=made:two")
    server.tmux("rename-window", "-t", "=made:0", "other")
    server.tmux("select-window", "-t", "=made:2")
    told = task.done()
    assert changes(told) == [
        ("made", "one; #{pid}", "name", "one; #{pid}", "other"),
        ("made", "two", "window", "two", None),
    ]
    assert told["drift"] == [] and told["created"] == []
    now = panes(server, "pane_id", "pane_pid")
    assert [now[0], now[1]] == [before[0], before[-1]], "they run on"
    rows = panes(server, "window_index", "window_name", "window_panes", "window_active")
    assert rows[0] == ["0", "one; #{pid}", "1", "0"] and rows[1][0::3] == ["2", "1"], "where it was, it is still"
    assert rows[2:] == [["3", "two", "3", "0"]] * 3
    found = [environment(row[0]) for row in panes(server, "pane_pid")[2:]]
    assert [(each["A"], each["B"], each["S"]) for each in found] == [
        ("session", "window 2", "1"),
        ("pane ;", "window 2", "1"),
        ("session", "window 2", "1"),
    ]
    assert server.tmux("show-options", "-w", "-v", "-t", "=made:two", "mode-keys") == "vi"
    assert "A=session" in server.tmux("show-environment", "-t", "=made").splitlines()


def test_options_of_windows_are_set_again(server: World) -> None:
    task = Task(server, windows=[{"name": "a", "argv": CAT, "options": {"mode-keys": "vi"}}], options={"@s": "1"})
    task.done()
    server.tmux("set-option", "-w", "-t", "=made:a", "mode-keys", "emacs")
    server.tmux("set-option", "-u", "-t", "=made:", "@s")
    assert changes(task.done()) == [
        ("made", None, "option", "@s=1", None),
        ("made", "a", "option", "mode-keys=vi", "mode-keys=emacs"),
    ]


TWO: List[Json] = [{"name": "a", "argv": CAT}, {"name": "b", "panes": [{"argv": CAT}, {"command": 'exec cat # "two"'}]}]


DRIFTS = [
    (False, ("new-window", "-d", "-n", "more", "-t", "=made:", "cat"), (None, None, "window", None, "more")),
    (False, ("split-window", "-d", "-t", "=made:a", "cat"), ("a", None, "panes", "1", "2")),
    (True, ("kill-pane", "-t", "=made:b.1"), ("b", None, "panes", "2", "1")),
    (False, ("swap-window", "-d", "-s", "=made:a", "-t", "=made:b"), (None, None, "order", "a, b", "b, a")),
]


@pytest.mark.parametrize(("lacks", "words", "expected"), DRIFTS, ids=[drift[2][2] + drift[2][4] for drift in DRIFTS])
def test_what_drifted_is_told_and_only_made_anew_where_that_is_wanted(
    server: World, lacks: bool, words: Tuple[str, ...], expected: Tuple[Any, ...]
) -> None:
    """Check, run, check, run: nothing is touched, nor with on_drift where nothing lacks; else once, and never again."""
    Task(server, windows=TWO).done()
    server.tmux(*words)
    before = panes(server, "session_id", "window_id", "pane_id", "pane_pid")
    for check, recreate in itertools.product((True, False), ("never",) if lacks else ("never", "on_drift")):
        told, error = Task(server, windows=TWO, recreate=recreate).go(check)
        assert error is None and not told["changed"] and not told["warned"]
        (found,) = drifted(told)
        assert found[:4] == expected[:4] and (expected[4] is None or expected[4] in found[4])
        assert len(told["diff"]["after"]["drift"]) == 1 and "drift" not in told["diff"]["before"]
        assert panes(server, "session_id", "window_id", "pane_id", "pane_pid") == before
    if not lacks:
        return
    told = Task(server, windows=TWO, recreate="on_drift").done()
    assert len(told["drift"]) == len(told["removed"]) == len(told["created"]) == 1
    assert len(told["diff"]["before"]["drift"]) == 1 and "drift" not in told["diff"]["after"]
    assert panes(server, "window_name", "window_panes") == [["a", "1"], ["b", "2"], ["b", "2"]]
    told, error = Task(server, windows=TWO).go()
    assert error is None and told["drift"] == []


@pytest.mark.parametrize("tried", [True, False])
def test_what_cannot_be_made_anew_is_not_removed_for_that(
    server: World, monkeypatch: pytest.MonkeyPatch, tried: bool
) -> None:
    """A value that tmux does not take is found before, also where none can be tried apart; nothing of that is left."""
    if not tried:
        monkeypatch.setattr(trial, "SHARED_DIRECTORY", "/nowhere")
    Task(server, windows=TWO).done()
    before = panes(server, "session_id", "pane_id", "pane_pid")
    sessions = server.ids()
    for more in ({"options": {"display-time": "abc"}}, {"windows": [dict(TWO[0], options={"mode-keys": "nonsense"})]}):
        told, error = Task(server, **{"windows": TWO, "recreate": "always", **more}).go()
        assert "tmux does not take" in str(error) and not told["changed"] and not told["removed"]
        assert [item["name"] for item in told["not_done"]] == ["made", "made"]
        assert panes(server, "session_id", "pane_id", "pane_pid") == before and server.ids() == sessions


def test_windows_without_a_name_are_not_those_that_are_called_like_their_place(server: World) -> None:
    windows = [{"argv": ["sh", "-c", "exec cat; a"]}, {"name": "#1", "argv": CAT}]
    Task(server, windows=windows).done()
    server.tmux("rename-window", "-t", "=made:1", "other")
    told = Task(server, windows=windows).done()
    assert told["drift"] == [] and changes(told) == [("made", "#1", "name", "#1", "other")]


LEFT = {
    "attached": ((), "a client is attached to it"),
    "keep": (("set-option", "-t", "=made:", "@keep", "on"), "@keep is on"),
    "undeclared": (("new-window", "-d", "-t", "=made:", "cat"), "a pane of it was not made from what is declared"),
    "in_use": (("send-keys", "-t", "=made:s", "exec cat", "Enter"), "something runs in a shell of it"),
    "in_use later": (("send-keys", "-t", "=made:later", "cat", "Enter"), "something runs in a shell of it"),
}


@pytest.mark.parametrize("reason", LEFT)
def test_what_is_used_is_not_made_anew_because_of_its_drift(server: World, reason: str) -> None:
    """A command of it has ended. That somebody works in it shows just before it would end, and then before the task."""
    windows = [*TWO, {"name": "later", "command": "true; exec sh"}, {"name": "s"}]
    words, why = LEFT[reason]
    reason = reason.split()[0]
    Task(server, windows=windows).done()
    server.tmux("kill-pane", "-t", "=made:b.1")
    task = Task(server, windows=windows, recreate="on_drift")
    identity = panes(server, "session_id")[0][0]
    with contextlib.ExitStack() as stack:

        def begin() -> None:
            if words:
                server.tmux(*words)
            else:
                stack.enter_context(server.attached(identity))
            if reason == "in_use":
                eventually(lambda: ["cat"] in panes(server, "pane_current_command")[-2:], "it is cat")

        before = panes(server, "session_id", "window_id", "pane_id", "pane_pid")[:3]
        told, error = task.go(meanwhile=begin)
        assert why in str(error) and not told["changed"]
        for check in (True, False):
            told, error = task.go(check)
            assert error is None and not told["changed"] and told["removed"] == told["created"] == []
            assert {each["reason"] for each in told["drift"]} == {reason}
            (warned,) = told["warned"]
            assert f"'made' differs from what is declared, and is not made anew because {why}" in warned
        assert panes(server, "session_id", "window_id", "pane_id", "pane_pid")[:3] == before
        told, error = Task(server, windows=windows, recreate="always").go()
        assert error is None and len(told["removed"]) == len(told["created"]) == 1 and not told["warned"]


def test_a_command_that_is_declared_otherwise_now_is_begun_in_a_new_session(server: World) -> None:
    before = dict(TWO[1], panes=[TWO[1]["panes"][0], {"command": "exec cat /dev/zero"}])
    Task(server, windows=[TWO[0], before]).done()
    (found,) = drifted(Task(server, windows=TWO).go()[0])
    assert found[:4] == ("b", 1, "command", 'exec cat # "two"') and "zero" in found[4]
    told = Task(server, windows=TWO, recreate="on_drift").done()
    assert len(told["drift"]) == len(told["removed"]) == len(told["created"]) == 1


@pytest.mark.parametrize("command", ["exec cat /dev/zero", 'exec cat # "two"'])
def test_a_pane_that_somebody_has_begun_anew_is_not_ended_because_of_drift(server: World, command: str) -> None:
    """Whether it is that which drifted, or another one."""
    Task(server, windows=TWO).done()
    server.tmux("respawn-pane", "-k", "-t", "=made:b.1", command)
    if command == 'exec cat # "two"':
        server.tmux("respawn-pane", "-k", "-t", "=made:b.0", "exec cat /dev/zero")
    before = panes(server, "session_id", "pane_id", "pane_pid")
    for check in (True, False):
        told, error = Task(server, windows=TWO, recreate="on_drift").go(check)
        assert error is None and not told["changed"] and [each["reason"] for each in told["drift"]] == ["undeclared"]
    assert panes(server, "session_id", "pane_id", "pane_pid") == before


def test_what_somebody_else_has_made_is_not_made_anew_because_of_its_drift(server: World) -> None:
    server.tmux("rename-window", "-t", "first:0", "a")
    before = panes(server, "pane_pid", session="first")
    told, error = Task(server, name=["first"], windows=[{"name": "a", "argv": CAT}], recreate="on_drift").go()
    assert error is None and [each["reason"] for each in told["drift"]] == ["undeclared"]
    assert panes(server, "pane_pid", session="first") == before


def test_a_shell_at_its_prompt_does_not_keep_a_session(server: World) -> None:
    windows = [*TWO, {"name": "s"}, {"name": "later", "command": "true; exec sh"}]
    Task(server, windows=windows).done()
    server.tmux("kill-pane", "-t", "=made:b.1")
    show = ("capture-pane", "-p", "-t", "=made:later")
    eventually(lambda: server.tmux(*show).strip(), "the shell is at its prompt")
    pid = int(panes(server, "pane_pid")[-1][0])
    eventually(lambda: state_of(pid) == "S", "it waits there")
    told = Task(server, windows=windows, recreate="on_drift").done()
    assert len(told["removed"]) == len(told["created"]) == 1


def test_a_window_that_cannot_be_added_leaves_nothing_of_it(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    Task(server, windows=TWO).done()
    before = panes(server, "window_id", "pane_id")
    why = LastWords(server, "echo why", "why")
    windows: List[Json] = [*TWO, {"name": "c"}, {"name": "d", "command": why.command}]
    with monkeypatch.context() as patch:
        judged_when(patch, why.hear)
        told, error = Task(server, windows=windows).go()
    assert "ended at once, with exit status 3; it said: why" in str(error) and not told["changed"]
    assert panes(server, "window_id", "pane_id") == before
    server.tmux("set-environment", "-t", "=made", "TAKEN", "theirs")
    for check in (True, False):
        told, error = Task(server, windows=[*TWO, {"name": "c", "env": {"TAKEN": "ours"}}]).go(check)
        assert "the variable TAKEN was set in the session" in str(error) and not told["changed"]
    assert panes(server, "window_id", "pane_id") == before
    assert "TAKEN=theirs" in server.tmux("show-environment", "-t", "=made")


def theirs(world: World) -> str:
    """Somebody opens a window, and nothing is said of how it is to be; the id of its pane."""
    return world.tmux("new-window", "-d", "-P", "-F", "#{pane_id}", "-t", "=made:", "-n", "theirs", "cat")


def test_a_window_that_somebody_opens_meanwhile_is_left_alone(server: World) -> None:
    """It stands where the next one would have been made."""
    Task(server, windows=TWO).done()
    wanted = [*TWO, {"name": "c", "panes": [{"argv": CAT}] * 3, "layout": "even-horizontal", "options": {"@w": "1"}}]
    own: List[str] = []
    _told, error = Task(server, windows=wanted).go(meanwhile=lambda: own.append(theirs(server)))
    assert error is None, error
    assert [row for row in panes(server, "window_name", "window_panes", "pane_id") if row[2] in own] == [
        ["theirs", "1", own[0]]
    ]
    assert server.tmux("show-options", "-w", "-t", "=made:theirs").splitlines() == ["automatic-rename off"]
    named = [(row[0], row[1]) for row in panes(server, "window_index", "window_name")]
    assert sorted(set(named)) == [("0", "a"), ("1", "b"), ("2", "theirs"), ("3", "c")]
    assert server.tmux("show-options", "-w", "-v", "-t", "=made:c", "@w") == "1"


def test_what_is_undone_is_what_was_made_wherever_it_is_by_then(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place is that of somebody's window by then, and of another that was opened meanwhile."""
    Task(server, windows=TWO).done()
    judged_when(monkeypatch, lambda: one_ends(server))
    move = "swap-window -d -s =made:a -t =made:d"
    command = "%s -S %s %s; exit 3" % (server.binary, server.path, move)
    windows: List[Json] = [*TWO, {"name": "c"}, {"name": "d", "command": command}]
    before = sorted(row[0] for row in panes(server, "pane_id"))
    own: List[str] = []
    _told, error = Task(server, windows=windows).go(meanwhile=lambda: own.append(theirs(server)))
    assert "ended at once, with exit status 3" in str(error)
    assert sorted(row[0] for row in panes(server, "pane_id")) == sorted([*before, *own])


def test_who_is_attached_stays_in_his_window_while_others_are_added(server: World) -> None:
    """What he types would go to what has just been started there."""
    Task(server, windows=TWO).done()
    server.tmux("set-hook", "-t", "=made:", "session-window-changed", "set-option -g @pulled away")
    server.tmux("set-option", "-g", "-w", "pane-base-index", "1")
    server.tmux("select-window", "-t", "=made:b")
    eventually(lambda: server.tmux("show-options", "-g", "-q", "-v", "@pulled") == "away", "the hook tells of it")
    server.tmux("set-option", "-g", "-u", "@pulled")
    wanted = [*TWO, {"name": "c", "panes": [{"argv": CAT}, {"argv": CAT, "focus": True}, {"argv": CAT}]}, {"name": "d"}]
    with server.attached("$1"):
        _told, error = Task(server, windows=wanted).go()
        assert error is None, error
        assert server.tmux("show-options", "-g", "-q", "-v", "@pulled") == ""
    assert [row for row in panes(server, "window_name", "pane_index", "pane_active") if row[0] == "c"] == [
        ["c", "1", "0"],
        ["c", "2", "1"],
        ["c", "3", "0"],
    ]
    assert {row[0] for row in panes(server, "window_name", "window_active") if row[1] == "1"} == {"b"}


def test_values_are_not_in_the_messages_of_the_server(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of what was made, nor of what was added, nor of what could not be; how many it keeps is as before."""
    kept = server.tmux("show-options", "-s", "-v", "message-limit")
    one = {"name": "a", "argv": CAT, "env": {"OWN": "s3cr3t-of-a-pane"}}
    more = {"name": "b", "argv": CAT, "env": {"OWN": "s3cr3t-of-another"}}
    Task(server, windows=[one], env={"ALL": "s3cr3t-of-all"}).done()
    Task(server, windows=[one, more], env={"ALL": "s3cr3t-of-all"}).done()
    with monkeypatch.context() as patch:
        judged_when(patch, lambda: one_ends(server))
        _told, error = Task(server, windows=[one, more, dict(more, name="c", argv=["false"])]).go()
    assert error is not None
    Task(server, name=["plain"], env={"ALL": "s3cr3t-of-all"}, argv=CAT).done()
    with server.attached("$0"):  # To nobody else some versions tell them.
        assert "s3cr3t" not in server.tmux("show-messages")
    assert server.tmux("show-options", "-s", "-v", "message-limit") == kept
    assert "@fleet" not in server.tmux("show-options", "-s")
    assert "ALL=s3cr3t-of-all" in server.tmux("show-environment", "-t", "=made").splitlines()


def test_windows_that_cannot_be_added_in_time_leave_no_variable(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server takes the words, and the client is ended before the last of them."""
    Task(server, windows=TWO).done()
    before = panes(server, "pane_id")
    calls: List[Optional[Share]] = []
    script = Client.script

    def broken_off(client: Client, commands: Iterable[Command], version: Version, work: int = 0) -> bytes:
        told = list(commands)
        places = [place for place, command in enumerate(told) if "new-window" in command]
        if not places or calls:
            return script(client, told, version, work)
        calls.append(client.share)
        script(client, told[: places[-1] + 1], version, work)
        raise Hung("tmux did not answer")

    monkeypatch.setattr(Client, "script", broken_off)
    env = {"OWN": "value-of-its-own", "S": "other"}
    wanted = [*TWO, {"name": "c", "argv": CAT}, {"name": "d", "argv": CAT, "env": env}]
    told, error = Task(server, windows=wanted, env={"S": "1"}).go()
    assert "tmux did not answer" in str(error) and not told["changed"]
    assert calls[0] is not None, "it is known until when it has to be done"
    assert panes(server, "pane_id") == before
    variables = server.tmux("show-environment", "-t", "=made").splitlines()
    assert not [line for line in variables if line.startswith("OWN=")] and "S=other" not in variables


def test_windows_of_a_session_that_somebody_else_has_made(server: World) -> None:
    """What has the name of a declared window is taken for it."""
    server.tmux("rename-window", "-t", "first:0", "a")
    told = Task(server, name=["first"], windows=[{"name": "a"}, {"name": "b", "argv": CAT}]).done()
    assert changes(told) == [("first", "b", "window", "b", None)]
    assert [row[:4] for row in drifted(told)] == [("a", 0, "command", None)], "it is begun with a command"


def frozen(world: World, name: str) -> Json:
    """What tmux_session_info says of a session with include=declaration."""
    seen = look_at(Host(world.binary, PATIENCE, Directory(PATIENCE)), world.path)
    (item,) = describe([seen], Wish([name], ("declaration",), 0), 0).sessions
    found: Json = item["declaration"]
    return found


def test_a_session_whose_windows_tmux_names_is_as_it_is_declared(server: World) -> None:
    """Some have the same name, and what they are called afterwards is no matter."""
    for command in ([], ["exec cat"], []):
        server.tmux("new-window", "-d", "-t", "first:", *command)
    server.begun("first")
    told = frozen(server, "first")
    assert [sorted(set(window) & {"name", "command"}) for window in told["windows"]] == [
        ["command"],
        [],
        ["command"],
        [],
    ]
    before = panes(server, "window_id", "pane_id", session="first")
    for _time in range(2):
        for check in (True, False):
            again, error = Task(server, **told).go(check)
            assert error is None and not again["changed"] and again["drift"] == [], again
        for number, window in enumerate([row[0] for row in before]):
            server.tmux("rename-window", "-t", window, "other %d" % number)
    assert panes(server, "window_id", "pane_id", session="first") == before


@pytest.mark.parametrize("of_window", [True, False])
def test_a_window_that_tmux_names_keeps_what_tmux_calls_it(server: World, of_window: bool) -> None:
    """What is declared is only its first name, as it is for programs that make sessions from such a file."""
    own = {"automatic-rename": "on"}
    windows: List[Json] = [{"name": "mine", "command": "exec cat", "options": own if of_window else {}}]
    task = Task(server, windows=windows, options={} if of_window else own)
    assert task.go()[1] is None
    name = ["display-message", "-p", "-t", "=made:", "#{window_name}"]
    eventually(lambda: server.tmux(*name) == "cat", "tmux names it after what runs in it")
    for check in (True, False):
        again, error = task.go(check)
        assert error is None and not again["changed"] and again["drift"] == [], again
    assert server.tmux(*name) == "cat"


def test_a_session_is_declared_as_it_is_and_made_again_from_that(server: World) -> None:
    """Its declaration changes nothing while it is there, and makes one like it when it is gone."""
    some = [{"command": "exec cat"}, {"command": 'exec cat # "two"'}]  # Of an argv, old ones show no single words.
    windows: List[Json] = [{"name": "a", "command": "exec cat; x"}, {"name": "b", "panes": some}]
    windows += [{"argv": ["/bin/cat"], "chdir": "/etc"}, {"name": "shell", "focus": True}]
    Task(server, windows=windows, options={"@made": "by #{pid} $HOME;", "mouse": "1"}, width=120, height=50).done()
    fields = ("window_index", "window_width", "window_height", "window_layout", "pane_index", "pane_current_path")
    before = panes(server, *fields)

    told = frozen(server, "made")
    assert told["options"] == {"@made": "by #{pid} $HOME;"} and told["windows"][3] == {
        "name": "shell",
        "chdir": panes(server, "pane_current_path")[4][0],
        "focus": True,
    }
    for check in (True, False):
        again, error = Task(server, **told).go(check)
        assert error is None and not again["changed"] and again["drift"] == []
    server.tmux("kill-session", "-t", "=made")
    Task(server, **told).done()
    assert [row[:3] + row[4:] for row in panes(server, *fields)] == [row[:3] + row[4:] for row in before]
    assert [row[3].count("x") for row in panes(server, *fields)] == [row[3].count("x") for row in before]
    again = frozen(server, "made")
    for each in (told, again):
        each["windows"][1].pop("layout", None)  # It has the numbers of panes in it.
    assert again == told


ODD = [
    "echo $HOME\nexec cat",
    "~/x; exec cat",
    "echo 'a\tb' \"$x\" \\\\; exec cat",
    "exec cat #{pid} %1; `x`",
    "$x'y' | exec cat",
]
"""Commands with what tmux quotes, each in a way of its own."""


def test_commands_are_declared_as_they_were_given(server: World) -> None:
    windows: List[Json] = [{"name": "w%d" % number, "command": command} for number, command in enumerate(ODD)]
    Task(server, windows=windows, keep_exited=True).done()
    assert [window["command"] for window in frozen(server, "made")["windows"]] == ODD
    (identity,) = [session.id for session in server.listing().sessions if session.name == "made"]
    saved = described(Store(server).save(identity))
    assert [window["command"] for window in saved["declaration"]["windows"]] == ODD
    assert [window["panes"][0]["start_command"] for window in saved["windows"]] == ODD


def test_words_are_declared_as_they_were_given(server: World) -> None:
    """An old tmux does not tell words from each other."""
    words = ["sh", "-c", ODD[0], "b\tc", "~", "$", "it's", ""]
    Task(server, windows=[{"name": "a", "argv": words}, {"name": "b", "argv": ["/bin/cat"]}]).done()
    one, other = frozen(server, "made")["windows"]
    quoted = server.version.has(Capability.START_COMMAND_QUOTED)
    assert one.get("argv") == (words if quoted else None)
    assert one.get("command") == (None if quoted else " ".join(words))
    assert other["argv"] == ["/bin/cat"]


def test_a_directory_that_is_gone_is_not_declared(server: World, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    Task(server, windows=[{"name": "a", "chdir": str(gone), "command": "exec cat"}]).done()
    assert frozen(server, "made")["windows"][0]["chdir"] == str(gone)
    gone.rmdir()
    told = frozen(server, "made")
    assert "chdir" not in told["windows"][0]
    again, error = Task(server, chdir=None, **told).go()
    assert error is None and not again["changed"] and again["drift"] == []


def test_a_snapshot_declares_a_session_as_it_is(server: World) -> None:
    """With what others may not be told, for its owner alone reads it; and the session is made again from that."""
    some = [{"command": "exec cat"}, {"command": "exec cat; x"}]
    own = {"@made": "by #{pid} $HOME;", "@lines": "a\n@other 1\n", "@empty": ""}
    Task(server, windows=[{"name": "a", "panes": some}, {"name": "b"}], options=own).done()
    store = Store(server)
    store.discreet = True
    (identity,) = [session.id for session in server.listing().sessions if session.name == "made"]
    path = store.save(identity)
    told = described(path)["declaration"]
    assert told == frozen(server, "made")
    assert told["options"] == own
    for check in (True, False):
        again, error = Task(server, **told).go(check)
        assert error is None and not again["changed"] and again["drift"] == []
    server.tmux("kill-session", "-t", "=made")
    Task(server, **told).done()
    made = frozen(server, "made")
    for each in (told, made):
        each["windows"][0].pop("layout", None)  # It has the numbers of panes in it.
    assert made == told


def test_what_goes_with_a_session_is_declared(server: World) -> None:
    """Not where its log is not written any more: a declaration of the files alone would have it stay."""
    files = [os.path.join(server.folder, name) for name in ("a b", "$c")]
    Task(server, argv=CAT, cleanup={"files": files}).done()
    (identity,) = [session.id for session in server.listing().sessions if session.name == "made"]
    for told in (frozen(server, "made"), described(Store(server).save(identity))["declaration"]):
        assert told["cleanup"] == {"files": files}
        again, error = Task(server, **told).go()
        assert error is None and not again["changed"]
    log = os.path.join(server.folder, "log")
    Task(server, argv=CAT, log=log, cleanup={"log": "remove", "files": files}).done()
    assert frozen(server, "made")["cleanup"] == {"log": "remove", "files": files}
    again, error = Task(server, **frozen(server, "made")).go()
    assert error is None and not again["changed"]
    server.tmux("pipe-pane", "-t", "=made:")
    assert "cleanup" not in frozen(server, "made")


def test_a_snapshot_without_room_for_it_has_no_declaration(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(server)
    whole = described(store.save("$0"))
    assert whole["declaration"]["name"] == ["first"] and whole["left_out"] == []
    monkeypatch.setattr(snapshot, "DESCRIPTION_BYTES", len(json.dumps(whole, indent=2)) - 100)
    less = described(store.save("$0"))
    assert (less["declaration"], less["left_out"]) == (None, ["its declaration"])
    assert less["windows"] == whole["windows"]


@pytest.mark.parametrize(("word", "options"), [("\u202e", 0), ("", 1001)])
def test_a_snapshot_of_what_cannot_be_declared_has_no_declaration(server: World, word: str, options: int) -> None:
    """A command with what turns the direction of a line round, or more user options than anybody has."""
    identity = server.new("odd", "sh", "-c", "exec cat # " + word)
    for start in range(0, options, 100):
        numbers = range(start, min(start + 100, options))
        server.tmux(*" ; ".join("set-option -t %s @x%d 1" % (identity, number) for number in numbers).split())
    assert described(Store(server).save(identity))["declaration"] is None


def four_steps(world: World, *expected: Tuple[Any, ...], **options: Any) -> None:
    """Check, run, check, run: it is told and left alone, with on_drift too."""
    before = panes(world, "session_id", "window_id", "pane_id", "pane_pid", "window_layout")
    for recreate, check in itertools.product(("never", "on_drift"), (True, False)):
        told, error = Task(world, recreate=recreate, **options).go(check)
        assert error is None and not told["changed"] and not told["warned"], (told, error)
        assert drifted(told) == list(expected)
        assert panes(world, "session_id", "window_id", "pane_id", "pane_pid", "window_layout") == before


LAYOUTS = {
    "even-horizontal": "even-vertical",
    "even-vertical": "even-horizontal",
    "main-horizontal": "even-horizontal",
    "main-vertical": "even-vertical",
    "tiled": "even-horizontal",
    "exact": "even-vertical",
}
"""Layouts, and another that two panes do not have just so."""


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("number", [2, 4])
def test_panes_that_lie_otherwise_are_told(server: World, layout: str, number: int) -> None:
    other = LAYOUTS[layout]
    if layout == "exact":
        Task(server, windows=[{"name": "w", "panes": [{"argv": CAT}] * number, "layout": "main-vertical"}]).done()
        layout = panes(server, "window_layout")[0][0]
        server.tmux("kill-session", "-t", "=made")
    options: Json = {"windows": [{"name": "w", "panes": [{"argv": CAT}] * number, "layout": layout}]}
    Task(server, **options).done()
    four_steps(server, **options)
    server.tmux("select-layout", "-t", "=made:w", other)
    found = panes(server, "window_layout")[0][0]
    four_steps(server, ("w", None, "layout", layout, found), **options)


@pytest.mark.parametrize("size", [(300, 100), (60, 200), (120, 25)])
def test_panes_are_tiled_as_tmux_lays_them_whatever_the_size(server: World, size: Tuple[int, int]) -> None:
    numbers = range(1, 13)
    some = [{"name": "of-%d" % number, "panes": [{"argv": CAT}] * number} for number in numbers]
    wanted = [dict(window, layout="tiled") for window in some]
    Task(server, windows=some, width=size[0], height=size[1]).done()
    told, error = Task(server, windows=wanted).go()
    assert error is None and told["drift"] == [], "they are, also by default"
    for number in numbers:
        server.tmux("select-layout", "-t", "=made:of-%d" % number, "even-horizontal")
    told, error = Task(server, windows=wanted).go()
    assert error is None
    assert [(each[0], each[2]) for each in drifted(told)] == [("of-%d" % number, "layout") for number in numbers[1:]]
    told, error = Task(server, windows=some).go()
    assert error is None and told["drift"] == [], "no layout is declared"


def test_tiled_panes_with_a_number_of_columns_are_as_they_are_declared(server: World) -> None:
    """Whether it was declared with them, or somebody has it set afterwards."""
    option = "tiled-layout-max-columns"
    known = server.run("show-options", "-g", "-w", option).returncode == 0
    windows: List[Json] = [{"name": "w", "panes": [{"argv": CAT}] * 5, "layout": "tiled"}]
    if known:
        windows[0]["options"] = {option: 1}
    Task(server, windows=windows).done()
    four_steps(server, windows=windows)
    if known:
        server.tmux("set-option", "-w", "-t", "=made:w", option, "0")
        server.tmux("select-layout", "-t", "=made:w", "tiled")
        server.tmux("set-option", "-w", "-t", "=made:w", option, "1")
        four_steps(server, windows=windows)


def test_panes_that_were_begun_elsewhere_are_told_where_tmux_tells_it(server: World) -> None:
    windows: List[Json] = [{"name": "a", "argv": CAT}, {"name": "b", "panes": [{"argv": CAT, "chdir": "/usr"}] * 2}]
    Task(server, windows=windows).done()
    four_steps(server, windows=windows)
    server.tmux("respawn-pane", "-k", "-c", "/etc", "-t", "=made:a", *CAT)
    server.tmux("respawn-pane", "-k", "-c", "/etc", "-t", "=made:b.1", *CAT)
    told = server.version.has(Capability.START_PATH)
    expected = [("a", 0, "chdir", "/", "/etc"), ("b", 1, "chdir", "/usr", "/etc")] if told else []
    four_steps(server, *expected, windows=windows)


def test_variables_that_a_session_has_not_as_declared_are_told_without_their_values(server: World) -> None:
    env = {"SAME": 'of "quotes" $HOME `id` \\ é;', "OTHER": "s3cr3t-that-was", "GONE": "s3cr3t", "CLEARED": "x"}
    options: Json = {"windows": TWO, "env": env}
    Task(server, **options).done()
    four_steps(server, **options)
    server.tmux("set-environment", "-t", "=made", "OTHER", "s3cr3t-that-is")
    server.tmux("set-environment", "-u", "-t", "=made", "GONE")
    server.tmux("set-environment", "-r", "-t", "=made", "CLEARED")
    expected = [(None, None, "env", name, None) for name in ("CLEARED", "GONE", "OTHER")]
    four_steps(server, *expected, **options)
    told, _error = Task(server, **options).go()
    assert "s3cr3t" not in str(told)


OWN: Json = {"SAME": "of 'quotes' $HOME; \n é", "OTHER": "s3cr3t-of-a-pane", "PATH": "/usr/bin:/bin", "TERM": "mine"}
OF_PANES: List[Json] = [
    {"name": "argv", "argv": ["sleep", "1000"], "env": OWN},
    {"name": "one word", "argv": ["/bin/cat"], "env": OWN},
    {"name": "command", "command": "sleep 1000; x", "env": OWN},
    {"name": "shell", "env": {"OTHER": "s3cr3t-of-a-window"}, "panes": [{}, {"env": OWN}]},
]


def test_variables_that_panes_were_not_begun_with_are_told_without_their_values(server: World) -> None:
    """Those that are declared otherwise now, and those of a pane that somebody has begun anew."""
    Task(server, windows=OF_PANES).done()
    four_steps(server, windows=OF_PANES)
    other = {"OTHER": "s3cr3t-of-another", "NEW": "s3cr3t"}
    changed = [dict(window, env=dict(window["env"], **other)) for window in OF_PANES]
    places = [("argv", 0), ("one word", 0), ("command", 0), ("shell", 0), ("shell", 1)]
    expected = [(window, pane, "env", name, None) for window, pane in places for name in ("NEW", "OTHER")]
    expected.remove(("shell", 1, "env", "OTHER", None))  # Its own one.
    four_steps(server, *expected, windows=changed)
    server.tmux("respawn-pane", "-k", "-t", "=made:argv", "sleep", "1000")
    four_steps(server, *[("argv", 0, "env", name, None) for name in ("OTHER", "SAME")], windows=OF_PANES)
    told, _error = Task(server, windows=changed).go()
    assert "s3cr3t" not in str(told)


def test_variables_of_what_a_shell_has_become_are_not_compared(server: World) -> None:
    """It has what the shell has made of them, also where it is called as what was begun."""
    windows: List[Json] = [
        {"name": "argv", "argv": ["bash", "-c", "OWN=2 exec cat"]},
        {"name": "command", "command": "export OWN=2; exec cat"},
        {"name": "one word", "argv": [script_of(server)]},
        {"name": "shell"},
    ]
    windows = [dict(window, env={"OWN": "1"}) for window in windows]
    Task(server, windows=windows).done()
    server.tmux("send-keys", "-t", "=made:shell", "export OWN=2; exec bash -c 'exec -l bash'", "Enter")
    (pid,) = [row[1] for row in panes(server, "window_name", "pane_pid") if row[0] == "shell"]
    eventually(lambda: words_of(pid) == ["-bash"] and environment(pid)["OWN"] == "2", "it is another shell")
    four_steps(server, windows=windows)


def script_of(world: World) -> str:
    """A script that becomes a program of another name, which is called as the script."""
    path = os.path.join(world.folder, "wrapped")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write('#!/bin/bash\nexport OWN=2\nexec -a "$0" cat\n')
    os.chmod(path, 0o755)
    return path


def words_of(pid: str) -> List[str]:
    with open("/proc/%s/cmdline" % pid, encoding="utf-8") as stream:
        return stream.read().split("\0")[:-1]


def test_of_a_shell_that_runs_no_command_is_warned(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(server.binary, PATIENCE, Directory(PATIENCE))
    shell = look_at(host, server.path).client.account.shell
    monkeypatch.setattr(settle, "_RUN_NOTHING", (os.path.basename(shell),))
    said = "runs no command: give a program with argv, unless default-shell of the server is another shell"
    for check in (True, False):
        told, error = Task(server, command="exec cat", keep_exited=True).go(check)
        assert error is None and [said in sentence for sentence in told["warned"]] == [True]
    told, error = Task(server, name=["other"], argv=["cat"], keep_exited=True).go()
    assert error is None and told["warned"] == []
