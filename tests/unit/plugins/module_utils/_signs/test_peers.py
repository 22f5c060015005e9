# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose other end lives outside a session is found, and what a session's processes say to each other is not."""

import os
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import connections, netlink
from ansible_collections.fleet.tmux.plugins.module_utils._host.netlink import NotAvailable, Tcp
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes, read_process
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._signs.peers import Peer, Peers
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import Refused, Scene
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE

USER = User("tester", os.geteuid(), os.getegid(), "/", "/bin/sh", tuple(os.getgroups()))
Spawn = Callable[..., Process]


def known(pid: int) -> Process:
    process = read_process(pid)
    assert process is not None
    return process


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start a process that holds some descriptors open, and nothing else."""
    with ExitStack() as stack:

        def start(*numbers: int) -> Process:
            child = subprocess.Popen(
                ["sleep", "1000"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=numbers,
            )
            stack.callback(child.wait, PATIENCE)
            stack.callback(child.kill)
            return known(child.pid)

        yield start


def scene_of(*processes: Process) -> Scene:
    return Scene(Processes({each.pid: each for each in processes}), USER)


def outside(process: Process, *others: Process, table: Tuple[Process, ...] = ()) -> List[Peer]:
    scene = scene_of(process, *others, *table)
    return Peers([process, *others], scene).outside(process)


def kinds(found: List[Peer]) -> List[Tuple[str, bool, int]]:
    return [(peer.kind, peer.certain, peer.file.number) for peer in found]


def inode(one: socket.socket) -> int:
    return os.fstat(one.fileno()).st_ino


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_SEQPACKET])
def test_a_socket_pair_has_an_end_outside_until_that_is_inside(spawn: Spawn, kind: int) -> None:
    here, there = socket.socketpair(socket.AF_UNIX, kind)
    with here, there:
        process = spawn(there.fileno())
        (peer,) = outside(process)
        assert (peer.kind, peer.certain, peer.peer) == ("socket", True, inode(here))
        assert outside(process, spawn(here.fileno())) == []
        assert outside(spawn(there.fileno(), here.fileno())) == []


def test_a_socket_whose_other_end_has_gone_has_none_outside(spawn: Spawn) -> None:
    here, there = socket.socketpair()
    with there:
        process = spawn(there.fileno())
        here.close()
        assert outside(process) == []


def test_datagrams_are_no_connection(spawn: Spawn) -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        assert outside(spawn(there.fileno())) == []


def test_a_client_has_its_server_outside_also_before_it_is_accepted(
    spawn: Spawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind("daemon.sock")
        listener.listen(1)
        client.connect("daemon.sock")
        process = spawn(client.fileno())
        assert [peer.kind for peer in outside(process)] == ["socket"]
        accepted, _address = listener.accept()
        with accepted:
            scene = scene_of(process)
            peers = Peers([process], scene)
            (peer,) = peers.outside(process)
            assert peers.name(peer) == "daemon.sock"
            assert outside(process, spawn(accepted.fileno())) == []


def test_a_name_without_a_file_is_written_as_people_write_it(spawn: Spawn) -> None:
    name = "fleet-%d" % os.getpid()
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind("\0" + name)
        listener.listen(1)
        client.connect("\0" + name)
        accepted, _address = listener.accept()
        with accepted:
            process = spawn(client.fileno())
            peers = Peers([process], scene_of(process))
            assert peers.name(peers.outside(process)[0]) == "@" + name


@pytest.mark.parametrize("end", [0, 1])
def test_a_pipe_has_an_end_outside_until_that_is_inside(spawn: Spawn, end: int) -> None:
    pipe = os.pipe()
    process, other, again = spawn(pipe[end]), spawn(pipe[1 - end]), spawn(pipe[end])
    for number in pipe:
        os.close(number)
    assert kinds(outside(process, table=(other,))) == [("pipe", True, pipe[end])]
    assert outside(process, other) == []
    assert outside(process, other, again) == []
    # Whoever holds the same end is not at the other one.
    assert kinds(outside(process, again)) == [("pipe", False, pipe[end])]
    assert kinds(outside(process, table=(again,))) == [("pipe", False, pipe[end])]


def test_a_pipe_to_itself_is_inside(spawn: Spawn) -> None:
    reading, writing = os.pipe()
    process = spawn(reading, writing)
    for number in (reading, writing):
        os.close(number)
    assert outside(process) == []


def test_a_pipe_with_a_name_is_one(spawn: Spawn, tmp_path: Path) -> None:
    path = str(tmp_path / "queue")
    os.mkfifo(path)
    both = os.open(path, os.O_RDWR)
    reading, writing = os.open(path, os.O_RDONLY), os.open(path, os.O_WRONLY)
    process, other, itself = spawn(reading), spawn(writing), spawn(both)
    for number in (both, reading, writing):
        os.close(number)
    assert kinds(outside(process, table=(other,))) == [("fifo", True, reading)]
    assert outside(process, other) == []
    assert outside(itself) == []


def test_files_and_devices_are_no_pipes(spawn: Spawn, tmp_path: Path) -> None:
    with open(str(tmp_path / "log"), "w", encoding="utf-8") as handle:
        assert outside(spawn(handle.fileno())) == []


class Connection:
    """Both ends of a TCP connection, and who listens."""

    def __init__(self, stack: ExitStack) -> None:
        self.listener = stack.enter_context(socket.socket())
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(1)
        self.client = stack.enter_context(socket.socket())
        self.client.connect(self.listener.getsockname())
        self.accepted = stack.enter_context(self.listener.accept()[0])


@pytest.fixture
def connection() -> Iterator[Connection]:
    with ExitStack() as stack:
        yield Connection(stack)


class Clocks:
    """What the kernel says of the TCP sockets of processes, with other clocks."""

    def __init__(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        self.real = scene.sockets.tcp
        self.told: Dict[str, int] = {}
        monkeypatch.setattr(scene.sockets, "tcp", self.tcp)

    def tcp(self, pid: int, number: int) -> Optional[Tcp]:
        row = self.real(pid, number)
        if row is None or row.sent is None:
            return row
        return row._replace(**self.told)


@pytest.mark.parametrize(
    "sent, received, queued, waits",
    [(1000, 5000, 0, True), (5000, 1000, 0, False), (5000, 5000, 0, False), (5000, 1000, 7, True)],
)
def test_whoever_has_asked_last_waits_for_the_answer(
    spawn: Spawn,
    connection: Connection,
    monkeypatch: pytest.MonkeyPatch,
    sent: int,
    received: int,
    queued: int,
    waits: bool,
) -> None:
    process = spawn(connection.client.fileno())
    scene = scene_of(process)
    Clocks(scene, monkeypatch).told.update(sent=sent, received=received, queued=queued, written=9, read=9)
    found = Peers([process], scene).outside(process)
    assert kinds(found) == ([("tcp", True, connection.client.fileno())] if waits else [])


def test_an_answer_that_comes_from_within_is_not_waited_for(
    spawn: Spawn, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, called = spawn(connection.client.fileno()), spawn(connection.accepted.fileno())
    scene = scene_of(client, called)
    Clocks(scene, monkeypatch).told.update(queued=7)
    assert kinds(Peers([client], scene).outside(client)) == [("tcp", True, connection.client.fileno())]
    assert Peers([client, called], scene).outside(client) == []


def test_whoever_was_called_has_somebody_outside_as_long_as_that_is_connected(
    spawn: Spawn, connection: Connection
) -> None:
    """One that hands out work (a scheduler, ``nc -l``) may have heard all for now, or have said the last word."""
    called = spawn(connection.listener.fileno(), connection.accepted.fileno())
    client = spawn(connection.client.fileno())
    scene = scene_of(called, client)
    assert kinds(Peers([called], scene).outside(called)) == [("caller", True, connection.accepted.fileno())]
    assert Peers([called, client], scene).outside(called) == []


def test_whoever_only_shows_that_it_is_there_waits_for_nothing(
    spawn: Spawn, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = spawn(connection.listener.fileno(), connection.accepted.fileno())._replace(command="ssh")
    tunnel = spawn(connection.client.fileno())._replace(command="ssh")
    scene = scene_of(called, tunnel)
    Clocks(scene, monkeypatch).told.update(queued=7)
    assert Peers([called, tunnel], scene).outside(called) == []
    assert Peers([called, tunnel], scene).outside(tunnel) == []


@pytest.mark.parametrize("words, waits", [(("ssh", "host", "make"), True), (("ssh", "-N", "host"), False)])
def test_a_command_on_another_host_is_outside(
    spawn: Spawn, connection: Connection, monkeypatch: pytest.MonkeyPatch, words: Tuple[str, ...], waits: bool
) -> None:
    process = spawn(connection.client.fileno())._replace(command="ssh")
    scene = scene_of(process)
    monkeypatch.setattr(scene, "words", lambda _process: words)
    expected = [("tcp", True, connection.client.fileno())] if waits else []
    assert kinds(Peers([process], scene).outside(process)) == expected


def test_a_command_on_another_host_is_outside_also_behind_a_gate(spawn: Spawn, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    process, gate = spawn(reading)._replace(command="ssh"), spawn(writing)
    for number in (reading, writing):
        os.close(number)
    scene = scene_of(process, gate)
    monkeypatch.setattr(scene, "words", lambda _process: ("ssh", "-J", "gate", "host", "make"))
    assert kinds(Peers([process, gate], scene).outside(process)) == [("tcp", True, reading)]


STDIN = pytest.mark.parametrize(
    ("link", "waits"),
    [("/home/anna/deploy.sh", True), ("pipe:[7]", True), ("/dev/null", False), ("/dev/pts/3", False), (None, False)],
)


@STDIN
def test_what_comes_from_a_file_or_a_program_is_a_command_too(
    spawn: Spawn, connection: Connection, monkeypatch: pytest.MonkeyPatch, link: Optional[str], waits: bool
) -> None:
    process = spawn(connection.client.fileno())._replace(command="ssh")
    scene = scene_of(process)
    monkeypatch.setattr(scene, "words", lambda _process: ("ssh", "-T", "host"))
    monkeypatch.setattr(scene, "link", lambda _process, _number: link)
    expected = [("tcp", True, connection.client.fileno())] if waits else []
    assert kinds(Peers([process], scene).outside(process)) == expected


def test_a_command_waits_also_where_who_told_it_has_ended(
    spawn: Spawn, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipe to it has no other end any more."""
    reading, writing = os.pipe()
    os.close(writing)
    process = spawn(connection.client.fileno(), reading)._replace(command="ssh")
    os.close(reading)
    scene = scene_of(process)
    monkeypatch.setattr(scene, "words", lambda _process: ("ssh", "host", "make"))
    assert ("tcp", True, connection.client.fileno()) in kinds(Peers([process], scene).outside(process))


@pytest.mark.parametrize(("command", "waits"), [("make", True), ("bash", False), ("", False)])
def test_at_a_prompt_only_what_works_there_is_waited_for(
    spawn: Spawn, connection: Connection, monkeypatch: pytest.MonkeyPatch, command: str, waits: bool
) -> None:
    process = spawn(connection.client.fileno())._replace(command="ssh")
    scene = scene_of(process)
    monkeypatch.setattr(scene, "words", lambda _process: ("ssh", "-t", "host", *command.split()))
    assert bool(Peers([process], scene).command_elsewhere(process, at_prompt=True)) is waits
    assert bool(Peers([process], scene).command_elsewhere(process)) is bool(command)


def missing(*_words: object) -> None:
    raise NotAvailable("ENOENT")


def test_what_cannot_be_known_is_refused(spawn: Spawn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink, "unix_sockets", missing)
    here, there = socket.socketpair()
    with here, there:
        process = spawn(there.fileno())
        with pytest.raises(Refused, match=r"what sleep is connected to \(ENOENT\)"):
            outside(process)
        with pytest.raises(Refused, match="another user's"):
            outside(process._replace(started=-1))
        assert outside(spawn()) == []


def test_in_another_network_namespace_it_cannot_be_known(spawn: Spawn, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = socket.socketpair()
    with here, there, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        process, unconcerned = spawn(there.fileno()), spawn(other.fileno())
        monkeypatch.setattr(connections, "namespace", lambda pid, kind: "net:[%s]" % pid)
        monkeypatch.setattr(netlink, "unix_sockets", lambda wanted: ({}, True))
        with pytest.raises(Refused, match="another network namespace"):
            outside(process)
        assert outside(unconcerned) == []


def test_others_of_the_session_who_do_not_let_us_look_hide_nothing_that_is_known(spawn: Spawn) -> None:
    here, there = socket.socketpair()
    with here, there:
        process, secret = spawn(there.fileno()), spawn()._replace(started=-1)
        assert [peer.kind for peer in outside(process, secret)] == ["socket"]
