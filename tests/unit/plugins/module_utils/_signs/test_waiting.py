# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a session waits for, which of its jobs are stopped, and what could not be seen of it."""

import os
from typing import Any, Dict, FrozenSet, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import HEADLESS, Process
from ansible_collections.fleet.tmux.plugins.module_utils._host.waits import (
    FUTEX,
    LOCK,
    NAP,
    OPEN,
    POLL,
    QUEUE,
    READ,
    SIGNAL,
    UNTOLD,
    WRITE,
    Wait,
    waiters,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs import unseen as unseen_room
from ansible_collections.fleet.tmux.plugins.module_utils._signs import waiting as room
from ansible_collections.fleet.tmux.plugins.module_utils._signs.events import Events
from ansible_collections.fleet.tmux.plugins.module_utils._signs.peers import (
    CALLER,
    FIFO,
    PIPE,
    SOCKET,
    TCP,
    Peer,
    Peers,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import OpenFile, Refused
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign
from ansible_collections.fleet.tmux.tests.support.scenes import (
    FOR_CHILD,
    POLLS,
    READS_TTY,
    SHOWING,
    Known,
    Told,
    one,
    session,
    shell,
)

NOW = 1800000000
CLIENT = one(101, 100, "client").process


class Scripted(Told):
    """What else a test says of the processes of a session."""

    locked: FrozenSet[int] = frozenset()
    by_debugger: FrozenSet[int] = frozenset()
    state = "D"
    timer = False
    trapped = False

    @property
    def lock_waiters(self) -> FrozenSet[int]:
        return self.locked

    @property
    def debugged(self) -> FrozenSet[int]:
        return self.by_debugger

    def started(self, process: Process) -> int:
        return NOW - 100

    def state_now(self, process: Process) -> str:
        return self.state

    def has_timer(self, process: Process) -> bool:
        return self.timer

    def is_told_by_signal(self, process: Process) -> bool:
        return self.trapped


class NothingOutside(Peers):
    def outside(self, process: Process) -> List[Peer]:
        return []


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "Peers", NothingOutside)
    monkeypatch.setattr(Events, "serves", lambda self, process: False)


def signs(*known: Known, **more: Any) -> List[Sign]:
    scene = Scripted(*known, taken=NOW)
    for name, value in more.items():
        setattr(scene, name, value)
    roles = cast(session(), tuple(each.process for each in known), scene, SHOWING.__contains__)
    return list(room.stopped(roles, scene)) + list(room.waiting(roles, scene))


def said(*known: Known, **more: Any) -> Optional[str]:
    """What it waits for, in words."""
    return next((sign.what for sign in signs(*known, **more) if sign.kind == "waiting"), None)


def job(line: str, **more: Any) -> Any:
    """A job in the foreground of an interactive shell."""
    return (shell(foreground=False), one(101, 100, line, **more))


@pytest.mark.parametrize("wait", [Wait(NAP), Wait(POLL, None, True, 2), Wait(FUTEX, None, True)])
def test_what_sleeps_by_itself_waits_for_a_time(wait: Wait) -> None:
    assert said(*job("python3 poll.py", wait=wait)) == "waits for a time"


def test_any_thread_may_sleep() -> None:
    assert said(*job("java", wait=Wait(FUTEX), waits=(Wait(FUTEX), Wait(NAP)))) == "waits for a time"
    assert said(*job("java", wait=Wait(FUTEX), waits=(Wait(FUTEX), Wait(FUTEX, None, True)))) == "waits for a time"
    assert said(*job("java", wait=Wait(FUTEX), waits=(Wait(FUTEX), Wait(FUTEX)))) is None
    assert said(*job("ipython3", raw=True, wait=POLLS, waits=(POLLS, Wait(FUTEX, None, True)))) is None


def test_a_server_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks now and then whether somebody comes."""
    monkeypatch.setattr(Events, "serves", lambda self, process: True)
    assert said(*job("python3 -m http.server", wait=Wait(POLL, None, True, 1))) is None
    assert said(*job("python3 poll.py", wait=Wait(NAP))) == "waits for a time"
    seconds = Wait(POLL, None, True, 1, 30 * 1000)
    assert said(*job("node server.js", wait=seconds)) is None


def test_a_server_that_has_something_to_do_at_night_waits_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Events, "serves", lambda self, process: True)
    hours = Wait(POLL, None, True, None, 6 * 3600 * 1000)
    assert said(*job("python3 app.py", wait=hours)) == "waits for a time"


@pytest.mark.parametrize(
    ("line", "wait", "trapped", "expected"),
    [
        ("bash rotate.sh", FOR_CHILD, True, "waits for a signal"),
        ("dash rotate.sh", Wait(SIGNAL), True, "waits for a signal"),
        ("bash rotate.sh", FOR_CHILD, False, None),
        ("python3 rotate.py", FOR_CHILD, True, None),
    ],
)
def test_a_script_that_is_told_by_a_signal(line: str, wait: Wait, trapped: bool, expected: Optional[str]) -> None:
    asleep = one(102, 101, "sleep infinity", group=101, wait=Wait(NAP))
    assert said(*job(line, wait=wait), asleep, trapped=trapped) == expected


STOPPED, NOT_TAKEN = "waits for a terminal that was stopped", "waits for somebody to take what it says"


def test_what_nobody_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with Ctrl-S, or a pipe whose other end is outside. What a pager does not take is there to be shown."""
    writes, pipe = Wait(WRITE, 1), {1: "pipe:[9]"}
    assert said(*job("make", wait=writes)) == STOPPED
    assert said(*job("tail -f log", wait=writes)) is None
    assert said(*job("make", wait=Wait(WRITE))) is None
    assert said(*job("git log", wait=writes, links=pipe), one(102, 101, "less", links={0: "pipe:[9]"})) is None
    peer = Peer(CLIENT, OpenFile(1, "pipe:[9]", os.O_WRONLY), FIFO, False)
    monkeypatch.setattr(NothingOutside, "outside", lambda self, process: [peer])
    assert said(*job("pg_dump", wait=writes, links=pipe)) == NOT_TAKEN
    assert said(*job("pg_dump", wait=Wait(WRITE, 2), links={2: "pipe:[8]"})) is None


def test_a_time_that_shows_in_no_call() -> None:
    assert said(*job("job", wait=Wait(POLL)), timer=True) == "waits for a time"
    assert said(*job("job", wait=Wait(FUTEX)), timer=True) is None


@pytest.mark.parametrize("wait", [Wait(SIGNAL), Wait(POLL, files=0)])
def test_a_signal(wait: Wait, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alarm is one, of which nobody is told whether it is set."""
    assert said(*job("perl reminder.pl", wait=wait)) == "waits for a signal"
    assert said(*job("perl reminder.pl", wait=Wait(FUTEX), waits=(Wait(FUTEX), wait))) is None
    assert said(*job("zsh job.sh", wait=wait)) is None  # It may wait for a child.
    assert said(*job("sleep infinity", wait=wait)) is None
    assert said(*job("timeout 99 top", wait=wait), one(102, 101, "top", group=101)) is None
    assert said(*job("daemon", wait=wait), one(102, 101, "dc", group=101, wait=READS_TTY)) is None
    monkeypatch.setattr(Events, "serves", lambda self, process: True)
    assert said(*job("server", wait=wait)) is None


def test_a_signal_up_to_a_time() -> None:
    assert said(*job("python3 job.py", wait=Wait(SIGNAL, None, True))) == "waits for a time"


def test_a_client_of_tmux_that_is_not_attached_waits_for_its_server() -> None:
    """``tmux wait-for``."""
    given: Dict[str, Any] = {"command": "tmux: client", "wait": Wait(POLL, files=1)}
    assert said(*job("tmux wait-for built", **given)) == "waits until a tmux server has done something"
    assert said(*job("tmux attach", raw=True, **given)) is None


@pytest.mark.parametrize(
    ("line", "more", "expected"),
    [
        ("grep -m1 ready", {}, "waits for a line to come"),
        ("head -n1", {}, "waits for a line to come"),
        ("grep ready", {}, None),
        ("grep -m1 ready", {"links": {0: "/home/anna/log"}}, None),
        ("grep -m1 ready", {"wait": Wait()}, None),
        ("mail -q anna", {}, None),
    ],
)
def test_a_filter_that_ends_at_a_line_waits_for_it(line: str, more: Dict[str, Any], expected: Optional[str]) -> None:
    """Whoever it comes from: ``dmesg -w`` shows nothing else that it waits for."""
    assert said(*job(line, **dict({"wait": Wait(READ, 0), "links": {0: "pipe:[7]"}}, **more))) == expected


def test_what_only_shows_waits_for_nothing() -> None:
    assert said(*job("top", wait=Wait(NAP))) is None


def test_whom_nobody_tells_what_it_waits_for_is_unknown() -> None:
    (sign,) = signs(*job("python3 poll.py", wait=Wait(UNTOLD)))
    assert (sign.kind, sign.what) == ("unknown", "what python3 waits for could not be read")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sleep 1h", "waits for a time that comes in 58m 20s"),
        ("sleep 1h 1m", "waits for a time that comes in 59m 20s"),
        ("sleep .5h", "waits for a time that comes in 28m 20s"),
        ("sleep 99", None),
        ("sleep infinity", None),
        ("sleep 31d", None),
        ("sleep x", None),
        ("sleep", None),
    ],
)
def test_a_sleep_below_a_shell_that_has_more_to_do(line: str, expected: Optional[str]) -> None:
    above = one(100, 50, "bash job.sh", wait=FOR_CHILD)
    assert said(above, one(101, 100, line, wait=Wait(NAP))) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("timeout 1h top", "waits for a time that comes in 58m 20s"),
        ("timeout -v -k 5 --signal=INT 1h top -d 5", "waits for a time that comes in 58m 20s"),
        ("timeout --kill-after 5 1h top", "waits for a time that comes in 58m 20s"),
        ("timeout 99 top", None),
        ("timeout 0 top", None),
        ("timeout", None),
        ("nohup 1h top", None),
    ],
)
def test_what_runs_up_to_a_time(line: str, expected: Optional[str]) -> None:
    """``timeout 1d tail -f log; ./report``: what it runs only shows, and something may follow."""
    assert said(*job(line, wait=FOR_CHILD), one(102, 101, "top", group=101)) == expected


def test_a_sleep_that_nobody_waits_for() -> None:
    """The pane's own, and one in the background of a prompt."""
    assert said(one(100, 50, "sleep 1h", wait=Wait(NAP))) is None
    assert said(shell(), one(101, 100, "sleep 1h", foreground=False, wait=Wait(NAP))) is None


def test_a_lock() -> None:
    assert said(*job("flock file make"), locked=frozenset((101,))) == "waits for a lock"
    assert said(*job("flock file make"), locked=frozenset((7,))) is None
    assert said(*job("flock file make", wait=Wait(LOCK))) == "waits for a lock"


def test_other_things_that_keep_a_process_waiting() -> None:
    assert said(*job("cat", wait=Wait(OPEN))) == "waits for the other end of a file"
    assert said(*job("ipc", wait=Wait(QUEUE))) == "waits for a message or a semaphore"
    assert said(*job("gdb prog"), by_debugger=frozenset((101,))) == "a debugger holds a process"


@pytest.mark.parametrize(("state", "expected"), [("D", True), ("S", False), ("", False)])
def test_state_d_counts_when_it_is_seen_again(state: str, expected: bool) -> None:
    assert (said(*job("cp a b", state="D"), state=state) is not None) is expected


@pytest.mark.parametrize(
    ("wait", "peer", "expected"),
    [
        (Wait(READ, 5), Peer(CLIENT, OpenFile(5, "socket:[9]", os.O_RDWR), SOCKET, True, 9), True),
        (Wait(READ, 0), Peer(CLIENT, OpenFile(5, "socket:[9]", os.O_RDWR), SOCKET, True, 9), False),
        (Wait(POLL), Peer(CLIENT, OpenFile(5, "socket:[9]", os.O_RDWR), SOCKET, True, 9), True),
        (Wait(POLL), Peer(CLIENT, OpenFile(5, "pipe:[9]", os.O_RDONLY), PIPE, True), True),
        (Wait(POLL), Peer(CLIENT, OpenFile(5, "pipe:[9]", os.O_RDONLY), PIPE, False), False),
        (Wait(READ, 5), Peer(CLIENT, OpenFile(5, "pipe:[9]", os.O_RDONLY), PIPE, False), True),
        (Wait(POLL), Peer(CLIENT, OpenFile(5, "pipe:[9]", os.O_WRONLY), PIPE, True), False),
        (Wait(POLL), Peer(CLIENT, OpenFile(5, "socket:[9]", os.O_RDWR), TCP), True),
        (Wait(READ, 5), Peer(CLIENT, OpenFile(5, "socket:[9]", os.O_RDWR), CALLER), True),
        (FOR_CHILD, Peer(CLIENT, OpenFile(5, "socket:[9]", os.O_RDWR), SOCKET, True, 9), False),
    ],
)
@pytest.mark.parametrize("raw", [False, True])
def test_work_that_is_done_elsewhere(
    monkeypatch: pytest.MonkeyPatch, raw: bool, wait: Wait, peer: Peer, expected: bool
) -> None:
    monkeypatch.setattr(NothingOutside, "outside", lambda self, process: [peer])
    monkeypatch.setattr(NothingOutside, "name", lambda self, peer: "/run/docker.sock", raising=False)
    assert (said(*job("docker run", wait=wait, raw=raw)) is not None) is expected


def test_who_is_connected_to_it_is_waited_for_but_at_a_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent at its prompt listens, too, and an editor is connected to it."""
    peer = Peer(CLIENT, OpenFile(5, "socket:[9]", os.O_RDWR), CALLER)
    monkeypatch.setattr(NothingOutside, "outside", lambda self, process: [peer])
    assert said(*job("scheduler", wait=Wait(POLL, files=3))) is not None
    assert said(*job("agent", wait=Wait(POLL, files=3), raw=True)) is None


@pytest.mark.parametrize(
    ("raw", "files", "name", "expected"),
    [
        (False, 1, "/run/dbus/system_bus_socket", True),
        (False, 2, "/run/dbus/system_bus_socket", False),
        (True, 2, "/run/user/1001/bus", False),
        (True, 2, "@/tmp/.X11-unix/X0", False),
        (True, 2, "/run/user/1001/gnupg/S.gpg-agent", False),
        (True, 2, "/tmp/ssh-x/agent.7", False),
        (True, 2, "/run/docker.sock", True),
        (True, 2, "", True),
        (True, 1, "/run/postgresql/.s.PGSQL.5432", False),
        (False, None, "/run/postgresql/.s.PGSQL.5432", True),
    ],
)
def test_a_connection_that_is_only_held(
    monkeypatch: pytest.MonkeyPatch, raw: bool, files: Optional[int], name: str, expected: bool
) -> None:
    """To a bus, a display or an agent: what waits for that waits for nothing else. At a prompt it waits for a key."""
    peer = Peer(CLIENT, OpenFile(5, "socket:[9]", os.O_RDWR), SOCKET, True, 9)
    monkeypatch.setattr(NothingOutside, "outside", lambda self, process: [peer])
    monkeypatch.setattr(NothingOutside, "name", lambda self, peer: name, raising=False)
    assert (said(*job("client", wait=Wait(POLL, files=files), raw=raw)) is not None) is expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [("ssh -t host make", True), ("ssh -t host tmux a", False), ("ssh -t host bash", False), ("ssh host", False)],
)
def test_a_command_that_ssh_gave_a_terminal(line: str, expected: bool) -> None:
    connection = OpenFile(3, "socket:[9]", os.O_RDWR)
    assert (said(*job(line, wait=Wait(POLL, files=3), raw=True, files=[connection])) is not None) is expected


@pytest.mark.parametrize(
    ("line", "raw", "more", "driven", "expected"),
    [
        ("expect job.exp", False, {"wait": Wait(READ, 4)}, one(102, 101, "ssh host", raw=True, wait=POLLS), True),
        ("expect job.exp", False, {"wait": Wait(POLL)}, one(102, 101, "make"), True),
        ("expect job.exp", False, {"wait": FOR_CHILD}, one(102, 101, "make"), False),
        ("expect -c interact", True, {"wait": Wait(POLL)}, one(102, 101, "ssh host", raw=True, wait=POLLS), False),
        ("expect job.exp", False, {"wait": Wait(POLL)}, shell(102, 101, "bash"), False),
        ("script -c make", False, {"wait": Wait(POLL)}, one(102, 101, "make"), False),
        ("expect job.exp", False, {"wait": Wait(POLL), "files": []}, one(102, 101, "make"), False),
    ],
)
def test_who_drives_another_program_waits_for_it(
    line: str, raw: bool, more: Dict[str, Any], driven: Known, expected: bool
) -> None:
    there = driven._replace(process=driven.process._replace(terminal=driven.process.terminal + 1))
    known = dict({"files": [OpenFile(4, "/dev/ptmx", os.O_RDWR)], "raw": raw}, **more)
    found = said(*job(line, **known), there)
    assert (found == "waits for a program that it drives") is expected


@pytest.mark.parametrize(("line", "expected"), [("busctl wait x", True), ("client", False)])
def test_who_only_asks_a_service_waits_for_it(monkeypatch: pytest.MonkeyPatch, line: str, expected: bool) -> None:
    peer = Peer(CLIENT._replace(command=line.split()[0]), OpenFile(5, "socket:[9]", os.O_RDWR), SOCKET, True, 9)
    monkeypatch.setattr(NothingOutside, "outside", lambda self, process: [peer])
    monkeypatch.setattr(NothingOutside, "name", lambda self, peer: "/run/dbus/system_bus_socket", raising=False)
    assert (said(*job(line, wait=Wait(POLL))) is not None) is expected


def test_what_has_no_terminal_waits_for_nobody_here(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Peer(CLIENT, OpenFile(5, "socket:[9]", os.O_RDWR), SOCKET, True, 9)
    monkeypatch.setattr(NothingOutside, "outside", lambda self, process: [peer])
    assert said(*job("daemon", wait=Wait(READ, 5), terminal=0)) is None


def test_what_cannot_be_known_of_connections_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any, process: Process) -> List[Peer]:
        raise Refused("what client is connected to")

    monkeypatch.setattr(NothingOutside, "outside", refuse)
    assert [sign.kind for sign in signs(*job("client", wait=Wait(POLL)))] == ["unknown"]


@pytest.mark.parametrize(
    ("line", "expected"), [("vim file", True), ("make", True), ("bash job.sh", True), ("less file", False)]
)
def test_stopped_jobs(line: str, expected: bool) -> None:
    found = signs(shell(), one(101, 100, line, foreground=False, state="T"))
    assert [sign.kind for sign in found] == (["stopped"] if expected else [])


def test_what_a_debugger_has_stopped_is_no_stopped_job() -> None:
    found = signs(*job("prog", state="t"), by_debugger=frozenset((101,)))
    assert [sign.kind for sign in found] == ["waiting"]


def test_the_table_of_locks() -> None:
    text = (
        b"1: FLOCK  ADVISORY  WRITE 900 08:01:1311 0 EOF\n"
        b"1: -> FLOCK  ADVISORY  WRITE 901 08:01:1311 0 EOF\n"
        b"2: POSIX  ADVISORY  WRITE 902 00:2d:7 0 EOF\n"
        b"2: -> POSIX  ADVISORY  READ 903 00:2d:7 0 100\n"
        b"3: OFDLCK ADVISORY  WRITE -1 00:2d:8 0 EOF\n"
        b"3: -> OFDLCK ADVISORY  WRITE -1 00:2d:8 0 EOF\n"
        b"4: -> "
    )
    assert waiters(text) == {901, 903}


def unknown(*known: Known, pane: int = 100) -> List[str]:
    scene = Scripted(*known, taken=NOW)
    roles = cast(session(pane), tuple(each.process for each in known), scene, SHOWING.__contains__)
    return [sign.what for sign in unseen_room.unseen(roles, scene)]


def test_what_could_not_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unseen_room, "_can_read_home", lambda scene: True)
    others = one(101, 100, "make", uid=0, started=-7, terminal=0)
    assert unknown(shell(), pane=7) == ["the process of a pane could not be seen"]
    assert unknown(shell(foreground=False), others) == ["a process of another user could only be seen from outside"]
    assert unknown(*job("make")) == []
    assert unknown(*job("job", state=HEADLESS)) == ["a process has ended but for some of its threads"]
    assert unknown(shell()) == []
    assert unknown(shell(foreground=False)) == ["what has the terminal of a pane could not be seen"]


def test_a_home_that_nobody_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unseen_room, "_can_read_home", lambda scene: False)
    assert unknown(shell()) == []
    assert unknown(*job("make")) == ["the home of its owner could not be read, by its owner either"]
    assert unknown(*job("python3", raw=True, wait=Wait(POLL))) == [
        "the home of its owner could not be read, by its owner either"
    ]
