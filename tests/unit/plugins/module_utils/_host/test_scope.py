# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of processes and their sockets is known for certain, and costs no more than there is of them."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes, UnixSocket
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import Members
from ansible_collections.fleet.tmux.tests.support import sessions as make
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually

HEADER = b"Num       RefCount Protocol Flags    Type St Inode Path"


def row(inode: int, path: str = "", flags: str = "00010000") -> bytes:
    text = "0000000000000000: 00000002 00000000 %s 0001 01 %5d%s" % (flags, inode, " " + path if path else "")
    return os.fsencode(text)


class Tree:
    """A /proc of our own. ``reads`` counts by file name what was opened, listed or followed in it."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = home
        self.table: Dict[int, Process] = {}
        self.reads: Dict[str, int] = {}
        monkeypatch.setattr(proctable, "PROC", str(home))
        for name in ("listdir", "readlink"):
            monkeypatch.setattr(os, name, self._counting(getattr(os, name)))
        monkeypatch.setattr(proctable, "read_file", self._counting(proctable.read_file))

    def _counting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def counting(path: Any, *rest: Any) -> Any:
            parts = str(path)[len(str(self.home)) :].split("/")[2:]
            kind = "/".join([*parts[:-1], "N"]) if parts[0] in ("fd", "net") and parts[1:] else "/".join(parts)
            self.reads[kind] = self.reads.get(kind, 0) + 1
            return real(path, *rest)

        return counting

    def add(self, pid: int, ppid: int = 1, uid: int = 7, command: str = "cat", **more: Any) -> Process:
        """A process, with ``files`` that it has open, an environment ``env``, and its namespaces."""
        folder = self.home / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "ns").mkdir()
        (folder / "ns" / "net").symlink_to("net:[1]")
        (folder / "status").write_text("Name:\tx\nUid:\t%d\t0\t0\t0\nSigCgt:\t%016x\n" % (uid, more.get("caught", 0)))
        (folder / "environ").write_bytes(more.get("env", b""))
        (folder / "io").write_text("rchar: 30\nwchar: 40\nsyscr: 3\nsyscw: 4\nwrite_bytes: 50\n")
        for number, inode in enumerate(more.get("files", ())):
            (folder / "fd" / str(number)).symlink_to("socket:[%d]" % inode)
        (folder / "net").mkdir()
        (folder / "net" / "unix").write_bytes(b"\n".join([HEADER, *more.get("rows", ())]) + b"\n")
        made = Process(pid, ppid, more.get("sid", pid), "S", 5, 0, 0, command)
        self.table[pid] = made
        return made

    def processes(self) -> Processes:
        return Processes(dict(self.table))


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    return Tree(tmp_path, monkeypatch)


# --- rows of the kernel


@pytest.mark.parametrize(
    "line",
    [
        b"a b c no-number e f 1 /x",
        b"0000000000000000: 00000002 00000000 00010000 0001 01",
        b"0000000000000000: 00000002 00000000 0001000g 0001 01 501 /x",
        b"0000000000000000:  00000002 00000000 00010000 0001 01 501 /x",
        b"0000000000000000: 00000002 00000000 00010000 0001 01 -501 /x",
        b"0000000000000000: 00000002 00000000 00010000 0001 01 " + b"9" * 5000 + b" /x",
        b"0000000000000000: 00000002 00000000 00010000 0001 01 501/x",
        "0000000000000000: 00000002 00000000 00010000 0001 01 \u0661 /x".encode(),
        b"\xff",
        b"",
    ],
)
def test_what_is_no_row_says_nothing(tree: Tree, line: bytes) -> None:
    tree.add(40, rows=[line, row(502, "/y")])
    assert proctable.unix_sockets(40) == [UnixSocket(502, True, "/y")]


def test_a_path_is_kept_as_it_is(tree: Tree) -> None:
    tree.add(40, rows=[row(1, "/a b "), row(2, " /c\r\x85\x1c"), row(3, "@name"), row(4), row(5, "/d", "00000000")])
    assert proctable.unix_sockets(40) == [
        UnixSocket(1, True, "/a b "),
        UnixSocket(2, True, " /c\r\x85\x1c"),
        UnixSocket(3, True, "@name"),
        UnixSocket(4, True, ""),
        UnixSocket(5, False, "/d"),
    ]
    assert [one.inode for one in proctable.listeners(40)] == [1, 2]


@pytest.mark.parametrize(
    "rows, certain",
    [
        ([row(501, "/s")], True),
        ([row(501, "/s"), row(502, "/s", "00000000")], True),  # a connection that was accepted there
        ([row(501, "/s"), row(501, "/t")], False),
        ([row(501, "/s"), row(501)], False),
        ([row(501, "/s"), row(501, "/s")], False),
        ([row(501, "/s"), row(502, "/s")], False),
        ([row(502, "/s")], False),  # a socket that it does not hold
        ([row(501, "/s", "00000000")], False),
        ([row(501, "/t")], False),
        ([], False),
    ],
)
def test_only_one_row_that_nothing_contradicts_is_proof(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, rows: List[bytes], certain: bool
) -> None:
    monkeypatch.setattr(os, "getxattr", lambda path, name: b"UNIX-STREAM\0")
    assert proctable.was_bound_to(tree.add(40, files=[500, 501], rows=rows), "/s") is certain


def test_a_socket_of_another_kind_has_no_row_of_its_own() -> None:
    """So one that was forged for it is alone. The kernel knows of which kind it is."""
    us = proctable.read_process(os.getpid())
    assert us is not None
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket() as inet, socket.socket(
        socket.AF_UNIX
    ) as unix:
        inet.listen(1)
        path = folder + "/f\n" + row(os.fstat(inet.fileno()).st_ino, folder + "/s").decode()
        os.makedirs(os.path.dirname(path))
        with socket.socket(socket.AF_UNIX) as forger:
            forger.bind(path)
            forger.listen(1)
            assert [one.path for one in proctable.listeners() if one.path.startswith(folder)] == [
                folder + "/f",
                folder + "/s",
            ]
            assert not proctable.was_bound_to(us, folder + "/s")
        unix.bind(folder + "/own")
        unix.listen(1)
        assert proctable.was_bound_to(us, folder + "/own")
        os.unlink(folder + "/own")
        assert proctable.was_bound_to(us, folder + "/own")


# --- programs and signals


CATCHING = "import signal; signal.signal(signal.SIGUSR1, lambda *_: None); print('ready', flush=True); signal.pause()"


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    words = [sys.executable, "-c", CATCHING]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def process_of(pid: int) -> Process:
    found = proctable.read_process(pid)
    assert found is not None
    return found


def test_who_has_a_handler_for_a_signal(child: "subprocess.Popen[bytes]") -> None:
    assert proctable.catches(process_of(child.pid), signal.SIGUSR1)
    assert not proctable.catches(process_of(child.pid), signal.SIGUSR2)
    child.kill()
    child.wait(PATIENCE)
    assert not proctable.catches(Process(child.pid, 1, 1, "S", 1, 0, 0, ""), signal.SIGUSR1)


@pytest.mark.parametrize("text", ["", "Name:\tx\n", "SigCgt:\n", "SigCgt:\tnothing\n"])
def test_who_does_not_say_so_has_none(tree: Tree, text: str) -> None:
    made = tree.add(40)
    (tree.home / "40" / "status").write_text(text)
    assert not proctable.catches(made, signal.SIGUSR1)


def test_what_a_process_executes(child: "subprocess.Popen[bytes]") -> None:
    found = proctable.program(process_of(child.pid))
    assert found is not None
    assert os.path.samestat(found.file, os.stat(os.path.realpath(sys.executable)))
    assert found.name == os.path.basename(os.path.realpath(sys.executable))


def test_a_program_that_has_been_replaced_is_still_known() -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "tmux-3.3a")
        with open("/bin/sleep", "rb") as stream, open(copy, "wb") as into:
            into.write(stream.read())
        os.chmod(copy, 0o755)
        with subprocess.Popen([copy, "600"]) as process:
            try:
                eventually(lambda: "tmux-3.3a" in process_of(process.pid).command, "it runs")
                os.unlink(copy)
                found = proctable.program(process_of(process.pid))
                assert found is not None
                assert found.name.startswith("tmux") and found.file.st_uid == os.getuid()
            finally:
                process.kill()


def test_nothing_is_known_of_the_program_of_nobody(tree: Tree) -> None:
    assert proctable.program(tree.add(40)) is None


# --- who is of a pane


def test_a_pane_is_a_child_of_its_server(tree: Tree) -> None:
    for pid, ppid in ((1, 0), (50, 1), (51, 50), (52, 51), (60, 1), (61, 60)):
        tree.add(pid, ppid)
    processes = tree.processes()
    assert processes.panes_of(50, [1, 50, 51, 52, 60, 61, 99]) == [51]
    assert processes.panes_of(60, [51, 61]) == [61]
    assert processes.panes_of(None, [1, 51]) == []


def test_what_was_seen_is_left_out_with_all_below_it(tree: Tree) -> None:
    for pid, ppid in ((10, 5), (11, 10), (12, 11), (13, 10)):
        tree.add(pid, ppid)
    seen = {11}
    assert [each.pid for each in tree.processes().below([10], seen)] == [10, 13]
    assert seen == {10, 11, 13}


def named(server: int, pane: str) -> bytes:
    return b"TMUX=/tmp/s,%d,0\0TMUX_PANE=%s\0" % (server, pane.encode())


def test_only_the_environment_of_the_owner_is_read(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.add(20, uid=7, env=named(50, "%1"))
    tree.add(21, uid=8, env=named(50, "%1"))
    asked: List[int] = []
    real = proctable.tmux_pane

    def asking(pid: int) -> Optional[proctable.Pane]:
        asked.append(pid)
        return real(pid)

    monkeypatch.setattr(proctable, "tmux_pane", asking)
    processes = tree.processes()
    assert [each.pid for each in processes.in_pane(7, (50, "%1"))] == [20]
    assert processes.in_pane(7, (50, "%2")) == processes.in_pane(9, (50, "%1")) == []
    assert asked == [20]


# --- what it costs


def test_files_are_looked_at_once_and_up_to_a_number_for_each_owner(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes can share what they have open, so a few make any number of descriptors."""
    monkeypatch.setattr(proctable, "DESCRIPTORS_PER_OWNER", 100)
    rows = [row(501, "/s")]
    crowd = [tree.add(100 + number, command="tmux", files=range(501, 541), rows=rows) for number in range(50)]
    honest = tree.add(99, uid=8, command="tmux", files=[501], rows=rows)
    processes = tree.processes()
    for _time in range(3):
        assert [processes.listens_at(each) for each in crowd] == [["/s"]] * 3 + [None] * 47
        assert processes.listens_at(honest) == ["/s"]
    assert tree.reads["fd/N"] == 3 * 40 + 1
    assert tree.reads["net/N"] == 1


def test_who_is_not_of_a_pane_is_not_looked_at(tree: Tree) -> None:
    """Whatever it is called, and whoever it belongs to."""
    tree.add(50, 1)
    tree.add(51, 50)
    for number in range(20):
        tree.add(100 + number, command="tmux", files=[1, 2, 3])
    assert [each.pid for each in tree.processes().below([51])] == [51]
    assert tree.reads == {}


def test_what_a_process_did_is_read_once(tree: Tree) -> None:
    made = tree.add(40)
    processes = tree.processes()
    for _time in range(5):
        assert processes.io(made.pid) == proctable.Io(7, 30, 40, 50)
    assert tree.reads["io"] == 1


def test_ports_are_read_once_for_all(tree: Tree) -> None:
    table = "header\n   0: 0100007F:1F90 00000000:0000 0A 0:0 00:00 0 0 0 701 1\n"
    table += "   1: 0100007F:1F91 00000000:0000 01 0:0 00:00 0 0 0 702 1\n"
    made = [tree.add(40 + number, files=[701, 702]) for number in range(5)] + [tree.add(60)]
    for each in made:
        (tree.home / str(each.pid) / "net" / "tcp").write_text(table)
    processes = tree.processes()
    assert [processes.ports(each) for each in made] == [(8080,)] * 5 + [()]
    assert tree.reads["net/N"] == 2, "tcp, and tcp6"


# --- what it costs when there are more


def steps(work: Callable[[], object]) -> int:
    """How many functions are called, of Python's and of ours: it does not depend on how busy the machine is."""
    count = 0

    def called(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def sessions_of_one_pane(tree: Tree, number: int, pane: int) -> Callable[[], object]:
    """So many sessions that all say that they have the same pane, beside as many processes."""
    table = {pid: Process(pid, pid - 1, pid, "S", 5, 0, 0, "cat", 7) for pid in range(1, number)}
    processes = Processes(table)
    sessions = [make.session("s%d" % each, make.window(make.pane(pid=pane, id="%7"))) for each in range(number)]
    members = Members(processes)
    return lambda: [members.of(session, 2, 7) for session in sessions]


def rows_of_shared_sockets(tree: Tree, number: int, each: int) -> Callable[[], object]:
    """So many processes that share ``each`` sockets, of which so many rows tell."""
    rows = [row(501 + place % each, "/s%d" % place) for place in range(number)]
    files = list(range(501, 501 + each))
    first = 1000 * number
    crowd = [tree.add(first, command="tmux", files=files, rows=rows)]
    crowd += [tree.add(first + place, command="tmux", files=files) for place in range(1, number)]
    processes = tree.processes()
    return lambda: [processes.listens_at(one) for one in crowd]


CROWDS: Dict[str, Callable[[Tree, int], Callable[[], object]]] = {
    "sessions that name process 1": lambda tree, number: sessions_of_one_pane(tree, number, 1),
    "sessions that share a pane": lambda tree, number: sessions_of_one_pane(tree, number, number - 2),
    "processes that share a socket": lambda tree, number: rows_of_shared_sockets(tree, number, 1),
    "processes that share two": lambda tree, number: rows_of_shared_sockets(tree, number, 2),
}


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=list(CROWDS))
def test_four_times_as_many_take_four_times_as_many_steps(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, crowd: Callable[[Tree, int], Callable[[], object]]
) -> None:
    monkeypatch.setattr(proctable, "DESCRIPTORS_PER_OWNER", 1000)
    few, many = steps(crowd(tree, 50)), steps(crowd(tree, 200))
    assert many < 5 * few
