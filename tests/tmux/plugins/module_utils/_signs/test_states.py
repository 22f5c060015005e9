# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What real programs in real panes are there for, and what they wait for."""

import os
import socket
import sys
from pathlib import Path
from typing import Dict, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Processes
from ansible_collections.fleet.tmux.plugins.module_utils._policy.commands import named
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import PROMPT, SHOWS, WAITS, WORKS, Cast, cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import Scene
from ansible_collections.fleet.tmux.plugins.module_utils._signs.waiting import stopped, waiting
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import Members
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a matter of /proc")

SHELL = ("bash", "--norc", "--noprofile")
PYTHON = "python3"


def look(server: World, identity: str) -> Tuple[Cast, Scene]:
    session, processes = server.session(identity), Processes.of(os.geteuid())
    scene = Scene(processes, server.user)
    own = Members(processes).of(session, server.pid(), os.geteuid())
    ignored = named("ignore_commands", ["default"], False)
    assert own is not None and ignored is not None
    return cast(session, own, scene, ignored), scene


def roles(server: World, identity: str) -> Dict[str, str]:
    return {actor.process.command: actor.role for actor in look(server, identity)[0].actors}


def states(server: World, identity: str) -> List[str]:
    roles, scene = look(server, identity)
    return [sign.kind for reader in (stopped, waiting) for sign in reader(roles, scene)]


def typed(server: World, line: str, name: str = "work") -> str:
    """A session with a shell, in which that has been typed at its prompt."""
    identity = server.new(name, *SHELL)
    eventually(lambda: roles(server, identity) == {"bash": PROMPT}, "the shell is at its prompt")
    server.tmux("send-keys", "-t", identity, "-l", line)
    server.tmux("send-keys", "-t", identity, "Enter")
    return identity


def settles(server: World, identity: str, expected: Dict[str, str]) -> None:
    seen: Dict[str, str] = {}

    def settled() -> bool:
        seen.clear()
        seen.update(roles(server, identity))
        return seen == expected

    eventually(settled, "its processes have these roles: %s" % expected)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tail -f /dev/null", {"bash": WAITS, "tail": SHOWS}),
        ("tail -f /dev/null | grep x", {"bash": WAITS, "tail": SHOWS, "grep": SHOWS}),
        ("tail -f /dev/null | grep -m1 x", {"bash": WORKS, "tail": WORKS, "grep": WORKS}),
        ("tail -f /dev/null > out", {"bash": WORKS, "tail": WORKS}),
        ("watch -n 1 ls -g", {"bash": WAITS, "watch": SHOWS}),
        ("while ! read -t 1000 -n 1; do :; done", {"bash": WORKS}),
        ("tail -f /dev/null | tee out", {"bash": WORKS, "tail": WORKS, "tee": WORKS}),
        ("sh -c 'tail -f /dev/null; :'", {"bash": WAITS, "sh": WAITS, "tail": SHOWS}),
        ("sleep 1000 &", {"bash": PROMPT, "sleep": WORKS}),
        ("sleep 1000; :", {"bash": WORKS, "sleep": WORKS}),
        ("while :; do :; done", {"bash": WORKS}),
        ("sh", {"bash": WAITS, "sh": PROMPT}),
        ("exec sh -i", {"sh": PROMPT}),
        ("script -q /dev/null", {"bash": WAITS, "script": WAITS, "sh": PROMPT}),
        (PYTHON + " -q -i", {"bash": WAITS, PYTHON: PROMPT}),
        (PYTHON + " -c 'import time; time.sleep(1000)'", {"bash": WORKS, PYTHON: WORKS}),
    ],
)
def test_what_processes_are_there_for(server: World, line: str, expected: Dict[str, str]) -> None:
    settles(server, typed(server, "cd %s; clear; %s" % (server.folder, line)), expected)


def test_what_a_detached_monitor_has_started_belongs_to_its_session(server: World) -> None:
    """The monitor has called setsid, and what it starts knows nothing of tmux."""
    identity = typed(server, "setsid sh -c 'env -i sleep 1000.5 & wait' & sleep 0.1; disown; clear")
    eventually(lambda: roles(server, identity).get("sleep") == WORKS, "its child is found")


def waits(server: World, line: str) -> None:
    identity = typed(server, line)
    eventually(lambda: states(server, identity) == ["waiting"], "it waits")


@pytest.mark.parametrize(
    "line",
    [
        PYTHON + " -c 'import time; time.sleep(1000)'",
        PYTHON + " -c 'import select; select.poll().poll(1000000)'",
        PYTHON + " -c 'import threading as t, time; t.Thread(target=time.sleep, args=(1000,)).start()'",
        "sleep 1000; true",
        "sh -c 'sleep 1000; echo awake'",
        "tail --pid=$$ -f /dev/null; true",
    ],
)
def test_what_waits_for_a_time(server: World, line: str) -> None:
    waits(server, line)


@pytest.mark.parametrize("line", ["tail -f log | sed /ready/q; true", "sh -c 'tail -f log | head -n1; :'"])
def test_what_waits_for_a_line(server: World, line: str) -> None:
    waits(server, "cd %s; touch log; %s" % (server.folder, line))


@pytest.mark.parametrize("line", ["tmux wait-for built; true", "(tmux wait-for built; true) &"])
def test_what_waits_for_a_tmux_server(server: World, line: str) -> None:
    waits(server, line.replace("tmux", "%s -S %s" % (server.binary, server.path)))


def test_a_client_of_tmux_that_is_attached_shows(server: World) -> None:
    server.new("inner", "cat")
    line = "TMUX= %s -S %s attach -t inner" % (server.binary, server.path)
    identity = typed(server, line)
    eventually(lambda: SHOWS in roles(server, identity).values(), "it shows the inner session")
    assert states(server, identity) == []


def test_what_waits_for_a_lock(server: World) -> None:
    lock = os.path.join(server.folder, "lock")
    holder = typed(server, "flock %s sleep infinity" % lock, "holder")
    settles(server, holder, {"bash": WORKS, "flock": WORKS, "sleep": WORKS})
    assert states(server, holder) == []
    waits(server, "flock %s true" % lock)


def test_what_waits_for_the_other_end_of_a_fifo(server: World) -> None:
    fifo = os.path.join(server.folder, "fifo")
    os.mkfifo(fifo)
    waits(server, "cat < %s" % fifo)


@pytest.mark.parametrize("wait", ["recv(1)", "makefile().read()"])
def test_work_that_is_done_elsewhere(server: World, wait: str) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        path = os.path.join(server.folder, "service")
        listener.bind(path)
        listener.listen(1)
        Path(server.folder, "ask.py").write_text(
            "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect(%r)\ns.%s\n" % (path, wait), encoding="utf-8"
        )
        identity = typed(server, "%s %s/ask.py" % (PYTHON, server.folder))
        connection, _peer = listener.accept()
        with connection:
            eventually(lambda: states(server, identity) == ["waiting"], "it waits for an answer")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cat", {"bash": WAITS, "cat": PROMPT}),
        ("sleep infinity", {"bash": WORKS, "sleep": WORKS}),
        ("sleep 1000 &", {"bash": PROMPT, "sleep": WORKS}),
        ("tail -f /dev/null", {"bash": WAITS, "tail": SHOWS}),
        (PYTHON + " -q -i", {"bash": WAITS, PYTHON: PROMPT}),
        (PYTHON + " -m http.server --bind 127.0.0.1 0", {"bash": WORKS, PYTHON: WORKS}),
    ],
)
def test_what_waits_for_nothing(server: World, line: str, expected: Dict[str, str]) -> None:
    identity = typed(server, line)
    settles(server, identity, expected)
    if "http" in line:
        eventually(lambda: "Serving" in server.tmux("capture-pane", "-p", "-t", identity), "it listens")
    eventually(lambda: states(server, identity) == [], "it waits for nothing")


@pytest.mark.parametrize(("line", "expected"), [("cat", ["stopped"]), ("tail -f /dev/null", [])])
def test_stopped_jobs(server: World, line: str, expected: List[str]) -> None:
    identity = typed(server, line)
    show = ("display-message", "-p", "-t", identity, "#{pane_current_command}")
    eventually(lambda: server.tmux(*show) == line.split()[0], "it runs in the foreground")
    server.tmux("send-keys", "-t", identity, "C-z")
    eventually(lambda: roles(server, identity)["bash"] == PROMPT, "the shell is back")
    assert states(server, identity) == expected
