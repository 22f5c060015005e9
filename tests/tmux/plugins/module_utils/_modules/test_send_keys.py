# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is typed arrives byte by byte, in one pane and only there; and nothing of it is typed where it would not."""

import json
import os
from typing import Any, Callable, Dict, List, Optional, Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import wait
from ansible_collections.fleet.tmux.plugins.module_utils._host import child, endings
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._modules.results import TaskError
from ansible_collections.fleet.tmux.plugins.module_utils._modules.send_keys import Told, Wanted, send_keys
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import client as client_
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import keys
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

WANTED = Wanted("job", None, None, None, None, (), None, None, int(PATIENCE))
"""Nothing; a test says what."""


def send(world: World, check: bool = False, **said: Any) -> Told:
    seen = look_at(Host(world.binary, PATIENCE, Directory(PATIENCE)), world.path)
    return send_keys(seen, WANTED._replace(**said), check)


def refused(world: World, **said: Any) -> str:
    """Why nothing is sent, in check mode and else."""
    why = []
    for check in (True, False):
        with pytest.raises(TaskError) as problem:
            send(world, check, **said)
        why.append(str(problem.value))
    assert why[0] == why[1] and why[0].endswith("; nothing was sent")
    assert world.tmux("list-buffers") == ""
    return why[0]


class Program:
    """What writes all bytes that it is typed to a file, and shows ``ready``."""

    def __init__(self, world: World) -> None:
        self.path = os.path.join(world.folder, "typed")
        self.words = ("sh", "-c", 'exec >"$0"; stty raw -echo; echo ready >&2; exec cat', self.path)

    def typed(self) -> bytes:
        with open(self.path, "rb") as stream:
            return stream.read()

    def gets(self, expected: bytes) -> bool:
        return eventually(lambda: len(self.typed()) >= len(expected), "it is typed") and self.typed() == expected


def shows(world: World, place: str, text: str) -> None:
    eventually(lambda: text in world.tmux("capture-pane", "-p", "-t", place), "it shows " + text)


@pytest.fixture
def program(server: World) -> Program:
    """A session ``job`` with such a program in its only pane."""
    found = Program(server)
    job = server.new("job", *found.words)
    server.tmux("set-option", "-w", "-t", job + ":", "remain-on-exit", "on")
    shows(server, job + ":", "ready")
    return found


HOSTILE = [
    "a;",
    "\\;",
    ";",
    "-l",
    "--",
    "#{pid}#(id)##%d",
    "one\ntwo\n",
    "Enter",
    "C-c",
    "'\"$HOME`~{}",
    "é\udcff\udc80",
]
HOSTILE += ["\0\x1b[A\x7f\t", "0123456789" * 10000]


def test_a_text_arrives_as_it_is(server: World, program: Program) -> None:
    expected = b""
    for text in HOSTILE:
        told, error = send(server, text=text)
        assert (error, told["changed"], told["timed_out"]) == (None, True, False)
        assert [item["kind"] for item in told["sent"]] == ["text"] and len(told["sent"][0]["value"]) < 600
        expected += text.replace("\n", "\r").encode("utf-8", "surrogateescape")
    assert program.gets(expected)
    assert server.tmux("list-buffers") == ""


def test_all_comes_in_its_order(server: World, program: Program) -> None:
    names = ("Up", ";", "C-c", "-", "#", '"', "é", "M-;", "\\", "Enter")
    told, error = send(server, text="one", secret="two", keys=names)
    assert error is None
    assert [item["value"] for item in told["sent"]] == ["one", None, *names]
    assert program.gets(b'onetwo\x1b[A;\x03-#"\xc3\xa9\x1b;\\\r')


def test_a_secret_is_in_no_arguments_and_not_in_what_tmux_remembers(
    server: World, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments: List[str] = []
    original = child.run

    def noting(argv: Sequence[str], *rest: Any, **more: Any) -> Any:
        arguments.extend(argv)
        return original(argv, *rest, **more)

    monkeypatch.setattr(client_, "run", noting)
    with server.attached(server.tmux("display-message", "-p", "-t", "job:", "#{session_id}")):
        told, error = send(server, secret="hush;hush", keys=("Enter",))
        assert error is None and program.gets(b"hush;hush\r")
        remembered = server.run("show-messages").stdout
    assert "paste-buffer" in " ".join(arguments) and "hush" not in " ".join(arguments)
    assert b"hush" not in remembered
    assert "hush" not in json.dumps(told)


@pytest.mark.parametrize("name", ["exit", "-l", "Any Key", "\\;", "Entre"])
def test_a_name_of_no_key_is_refused(server: World, program: Program, name: str) -> None:
    assert repr(name) in refused(server, text="text", keys=("Up", name, "Down"))
    assert program.typed() == b""


def test_where_it_would_not_arrive_nothing_is_sent(server: World, program: Program) -> None:
    pane = server.tmux("display-message", "-p", "-t", "job:", "#{pane_id}")

    def obstacle(on: Sequence[str], off: Sequence[str], words: str) -> None:
        server.tmux(*on)
        assert words in refused(server, text="text", keys=("Enter",))
        server.tmux(*off)

    obstacle(["copy-mode", "-t", pane], ["send-keys", "-X", "-t", pane, "cancel"], "copy mode")
    obstacle(["select-pane", "-d", "-t", pane], ["select-pane", "-e", "-t", pane], "select-pane -d")
    server.tmux("set-option", "-w", "-t", "job:", "synchronize-panes", "on")
    assert send(server, text="alone")[1] is None, "there is no other pane"
    obstacle(["split-window", "-d", "-t", pane, "cat"], ["kill-pane", "-a", "-t", pane], "to all 2 panes")
    assert program.gets(b"alone")
    os.kill(server.session(server.tmux("display-message", "-p", "-t", "job:", "#{session_id}")).pids[0], 9)
    eventually(
        lambda: server.reap() and server.tmux("display-message", "-p", "-t", pane, "#{pane_dead}") == "1", "dead"
    )
    assert "its command has ended" in refused(server, text="text")


def test_what_became_otherwise_since_it_was_looked_at_gets_nothing(server: World, program: Program) -> None:
    client, version = server.client(), server.listing().version
    ((pane, state),) = [(pane, state) for pane, state in keys.states(client).items() if state.receivers][-1:]
    assert state.obstacle == ""
    for change in ({"program": "1"}, {"server": "1"}):
        assert not keys.send(client, version, pane, state._replace(**change), b"text", ("Enter",))
    server.tmux("copy-mode", "-t", pane)
    assert not keys.send(client, version, pane, state, b"text", ())
    assert not keys.send(client, version, "%99", state, b"text", ())
    assert server.tmux("list-buffers") == "" and program.typed() == b""
    server.tmux("send-keys", "-X", "-t", pane, "cancel")
    assert keys.send(client, version, pane, state, b"text", ()) and program.gets(b"text")


def test_a_pane_is_chosen(server: World, program: Program) -> None:
    server.tmux("rename-window", "-t", "job:", "1")
    server.tmux("new-window", "-t", "job:", "-n", "second", "cat")
    second = server.tmux("split-window", "-t", "job:second", "-P", "-F", "#{pane_id}", "cat")
    window = server.tmux("display-message", "-p", "-t", second, "#{window_id}")

    def chosen(window: Optional[str], pane: Optional[str]) -> Optional[str]:
        found: Optional[str] = send(server, True, window=window, pane=pane, text="x")[0]["pane"]
        return found

    assert chosen(None, None) == chosen(None, "1") == chosen("second", None) == chosen(window, "1") == second
    first = chosen("0", None)
    assert chosen(None, first) == first
    assert first not in (second, chosen("second", "0"))
    assert chosen(None, second) == chosen("second", second) == second
    assert "window: '1' in session 'job': 2 of them" in refused(server, window="1", text="x")
    assert "window: 'sec' in session 'job': there is none" in refused(server, window="sec", text="x")
    assert "pane: '7' in session 'job': there is none" in refused(server, pane="7", text="x")
    assert "there is none" in refused(server, window="0", pane=second, text="x")


def meanwhile(monkeypatch: pytest.MonkeyPatch, *actions: Callable[[], Any]) -> None:
    """Do these things, one each time that we begin to wait."""
    todo, original = list(actions), endings.until_one_ends

    def instead(processes: Sequence[Process], seconds: float) -> List[Process]:
        if todo:
            todo.pop(0)()
        return original(processes, seconds)

    monkeypatch.setattr(endings, "until_one_ends", instead)


ASKS = "while read -r line; do echo got $line; [ $line != end ] || exit 3; done"


def test_it_waits_before_and_afterwards(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    server.new("job", "sh", "-c", ASKS)
    server.tmux("set-option", "-w", "-t", "job:", "remain-on-exit", "on")
    server.tmux("split-window", "-d", "-t", "job:", "echo never; cat")
    shows(server, "job:.1", "never")
    meanwhile(monkeypatch, lambda: server.tmux("send-keys", "-t", "job:", "1", "Enter"))
    told, error = send(server, before="^got 1$", text="2", keys=("Enter",), after="^got 2$")
    assert (error, told["timed_out"]) == (None, False)
    # What was shown before does not count; and the time is over without it.
    told, error = send(server, before="^got 2$", text="3", keys=("Enter",), after="^got [12]$", seconds=0)
    assert (told["timed_out"], told["changed"], len(told["sent"])) == (True, True, 2)
    assert str(error) == "it was sent; then: timed out after 0s, still waiting for 'job'"
    shows(server, "job:", "got 3")
    told, error = send(server, before="^never$", text="4", keys=("Enter",), seconds=0)
    assert (told["timed_out"], told["changed"], told["sent"]) == (True, False, [])
    assert str(error) == "timed out after 0s, still waiting for 'job'; nothing was sent"
    told, error = send(server, text="end", keys=("Enter",), after="^never$")
    assert (told["timed_out"], told["changed"]) == (False, True)
    assert "it was sent; then: session 'job' ended with exit status 3, and did not show" in str(error)
    told, error = send(server, before="^never$", text="5")
    assert "and did not show" in str(error) and str(error).endswith("; nothing was sent") and not told["changed"]
    assert "got 4" not in server.tmux("capture-pane", "-p", "-t", "job:")


def test_what_was_sent_is_told_though_a_pattern_has_no_end(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "SEARCH_SECONDS", 1.0)
    server.new("job", "sh", "-c", "stty -echo; read line; echo $line; read line")
    told, error = send(server, text="a" * 60 + "b", keys=("Enter",), after="^(a+)+$")
    assert (told["timed_out"], told["changed"], len(told["sent"])) == (False, True, 2)
    assert str(error).startswith("it was sent; then: wait_for_after: '^(a+)+$' was looked for 1 s without an end")
    told, error = send(server, before="^(a+)+$", text="more")
    assert (told["changed"], told["sent"]) == (False, [])
    assert str(error).startswith("wait_for: '^(a+)+$' was") and str(error).endswith("; nothing was sent")


def test_check_mode_neither_waits_nor_sends(server: World, program: Program) -> None:
    said: Dict[str, Any] = {"text": "text", "secret": "hush", "keys": ("Enter",), "before": "never", "after": "never"}
    told, error = send(server, True, **said)
    assert (error, told["changed"], len(told["sent"]), "hush" in json.dumps(told)) == (None, True, 3, False)
    absent, error = send(server, True, name="none", **said)
    assert (error, absent["changed"], absent["sent"], absent["pane"]) == (None, True, told["sent"], None)
    absent, error = send(server, name="none", **said)
    assert str(error) == "there is no session 'none'; nothing was sent" and not absent["changed"]
    assert program.typed() == b""


def test_a_prompt_is_waited_for_with_the_blank_after_it(server: World) -> None:
    """Before and afterwards, where the one of before is none of afterwards."""
    server.new("job", "sh", "-c", "printf 'Go? '; read go; sleep 0.5; printf 'on\\nGo? '; read go")
    told, error = send(server, text="yes", keys=("Enter",), before="^Go[?] $", after="^on\nGo[?] $")
    assert (error, told["timed_out"]) == (None, False)
    with pytest.raises(TaskError):
        raise send(server, text="", keys=("Left",), after="[?] $", seconds=0)[1] or AssertionError
