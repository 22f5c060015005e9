# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes are read as they are, whatever they call themselves, and signals reach exactly who is meant."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.tests.support.processes import started
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from hypothesis import given
from hypothesis import strategies as st

REST = "S 41 42 43 0 -1 4194304 95 0 0 0 7 5 0 0 20 0 1 0 98765 10 3 18446744073709551615"


def process(pid: int, ppid: int = 1, sid: int = 0, state: str = "S", begun: int = 5, command: str = "x") -> Process:
    return Process(pid, ppid, sid or pid, state, begun, 0, 0, command)


def table(*processes: Process) -> proctable.Table:
    return {each.pid: each for each in processes}


def pids(processes: List[Process]) -> List[int]:
    return [each.pid for each in processes]


@pytest.fixture
def fake_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(proctable, "PROC", str(tmp_path))
    return tmp_path


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    child = subprocess.Popen(["sleep", "1000"])
    try:
        yield child
    finally:
        child.kill()
        child.wait(PATIENCE)


# --- reading


@given(st.binary(max_size=15).filter(lambda name: b"\0" not in name))
def test_a_command_may_be_called_anything(name: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "40"
        home.mkdir()
        (home / "stat").write_bytes(b"40 (" + name + b") " + REST.encode() + b"\n")
        old, proctable.PROC = proctable.PROC, folder
        try:
            found = proctable.read_process(40)
        finally:
            proctable.PROC = old
    assert found is not None
    assert found.command == name.decode("utf-8", "replace")
    assert (found.pid, found.ppid, found.sid, found.state) == (40, 41, 43, "S")
    assert (found.started, found.cpu_ticks) == (98765, 12)
    assert found.rss == 3 * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("name", ["a) R 1 1 1 (b", ") Z 1", "((", "))", "line\nbreak", ""])
def test_a_command_cannot_forge_the_other_fields(fake_proc: Path, name: str) -> None:
    (fake_proc / "40").mkdir()
    (fake_proc / "40" / "stat").write_text("40 (%s) %s\n" % (name, REST))
    (fake_proc / "version").write_text("not a process")
    assert proctable.pids_by_owner() == {os.getuid(): [40]}
    found = proctable.read_process(40)
    assert found is not None
    assert (found.command, found.state, found.ppid) == (name, "S", 41)


def test_a_real_process_is_read(sleeper: "subprocess.Popen[bytes]") -> None:
    def runs_sleep() -> List[proctable.Process]:
        it = proctable.read_process(sleeper.pid)
        # While it becomes the program it has no memory yet.
        return [it] if it is not None and it.command == "sleep" and it.rss else []

    found = eventually(runs_sleep, "the child runs sleep")[0]
    assert (found.pid, found.ppid, found.sid) == (sleeper.pid, os.getpid(), os.getsid(0))
    assert found.alive
    assert found.rss > 0
    assert proctable.read_table({os.getuid()})[0][sleeper.pid].started == found.started
    assert proctable.owner(sleeper.pid) == os.getuid()
    assert proctable.sees_our_files(sleeper.pid) is True


def test_of_others_only_what_the_kernel_tells_at_once() -> None:
    """Who it is, whose, in which session, how much it has used; so that two looks can be compared."""
    us = os.getpid()
    seen, now = proctable.read_process(us, ()), proctable.read_process(us)
    again = proctable.read_process(us, ())
    assert seen is not None and now is not None and again is not None
    assert seen[:3] == now[:3] and (seen.command, seen.uid, seen.alive) == (now.command, os.getuid(), True)
    assert seen.is_others and not now.is_others
    assert seen.started == again.started
    assert 0 < seen.cpu_ticks <= again.cpu_ticks
    assert abs(seen.cpu_ticks - now.cpu_ticks) < 100
    assert abs(seen.rss - now.rss) < now.rss
    assert proctable.lives(seen)
    assert not proctable.lives(seen._replace(started=seen.started - 1))
    assert not proctable.send_signal(seen, 0), "nobody signals whom he only sees from outside"


@pytest.mark.parametrize(
    ("euid", "changes", "known"),
    [(0, {}, True), (1001, {}, False), (0, {"uid": 1001}, False), (0, {"started": -1}, False)],
)
def test_root_looks_into_what_is_roots(
    monkeypatch: pytest.MonkeyPatch, euid: int, changes: Dict[str, Any], known: bool
) -> None:
    """It stays the one that was seen from outside."""
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    seen = proctable.read_process(1, ())
    assert seen is not None
    found = proctable.looked_into_by_root(seen._replace(**changes))
    assert (found is not None) is known
    if found is not None:
        assert (found.started, found.command, found.is_others) == (seen.started, seen.command, True)
        assert found.group == os.getpgid(1)


@pytest.mark.parametrize("name", ["a\nUid:\t7", "Uid:\t7", "\\n\\", "a\rPPid:\t7", "\u2028Uid:\t7"])
def test_the_name_of_another_cannot_feign_other_lines(name: str) -> None:
    script = (
        "import ctypes, sys; ctypes.CDLL(None).prctl(15, sys.argv[1].encode(), 0, 0, 0); print(flush=True); input()"
    )
    words = [sys.executable, "-c", script, name]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        seen, now = proctable.read_process(child.pid, ()), proctable.read_process(child.pid)
        assert seen is not None and now is not None
        assert (seen.command, seen.ppid, seen.uid) == (now.command, os.getpid(), os.getuid())
        assert now.command.encode() == name.encode()[:15]


def test_cpu_time_is_in_seconds() -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    assert process(1)._replace(cpu_ticks=3 * ticks).cpu_seconds == 3.0


def test_who_goes_on_in_other_threads_is_alive() -> None:
    code = (
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "ctypes.CDLL(None).pthread_exit(None)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code])

    def states() -> "set[str]":
        seen = proctable.read_process(child.pid), proctable.read_process(child.pid, (os.getuid() + 1,))
        return {each.state for each in seen if each is not None and each.alive}

    try:
        eventually(lambda: states() == {proctable.HEADLESS}, "its first thread ends")
    finally:
        child.kill()
        child.wait(PATIENCE)


def test_who_has_ended_is_not_alive() -> None:
    child = subprocess.Popen(["true"])
    try:
        eventually(lambda: started(child.pid) is None, "the child ends")
        found = proctable.read_process(child.pid)  # nobody has waited for it yet
        assert found is not None
        assert found.state == "Z"
        assert not found.alive
    finally:
        child.wait(PATIENCE)
    assert proctable.read_process(child.pid) is None
    assert proctable.owner(child.pid) is None
    assert proctable.io(child.pid) is None
    assert proctable.open_files(child.pid) is None
    assert proctable.socket_inodes(child.pid) == set()
    assert proctable.sees_our_files(child.pid) is None


# --- who belongs to a pane


def test_descendants_and_orphans_of_the_kernel_session_belong() -> None:
    found = table(
        process(1, 0),
        process(10, 5),  # the pane's shell
        process(11, 10, 10),
        process(12, 11, 12),  # a descendant with a session of its own, and who lives in that
        process(13, 1, 12),
        process(14, 1, 10),  # its parent has ended
        process(15, 14, 15),
        process(20, 5),  # another pane
        process(21, 20, 20),
    )
    assert pids(proctable.Processes(found).below([10])) == [10, 11, 12, 13, 14, 15]
    assert pids(proctable.Processes(found).below([20, 20])) == [20, 21]
    assert proctable.Processes(found).below([]) == []


def test_a_root_that_has_gone_brings_nobody() -> None:
    found = table(process(1, 0), process(11, 1, 10))
    assert proctable.Processes(found).below([99]) == []


def test_the_dead_do_not_belong_but_their_children_do() -> None:
    found = table(process(10, 5), process(11, 10, 10, state="Z"), process(12, 11, 10), process(13, 1, 10, state="X"))
    assert pids(proctable.Processes(found).below([10])) == [10, 12]


@given(st.lists(st.tuples(st.integers(2, 12), st.integers(0, 12), st.integers(2, 12)), unique_by=lambda row: row[0]))
def test_loops_in_the_tree_end(rows: List[List[int]]) -> None:
    found = table(*[process(pid, ppid, sid) for pid, ppid, sid in rows])
    belonging = proctable.Processes(found).below(list(found))
    assert pids(belonging) == sorted(found)


def test_a_real_orphan_belongs() -> None:
    text = "(sh -c 'echo $$; exec sleep 1000' &) ; exec sleep 1000"
    pane = subprocess.Popen(["sh", "-c", text], stdout=subprocess.PIPE, start_new_session=True)
    assert pane.stdout is not None
    orphan = int(pane.stdout.readline())
    try:
        eventually(lambda: pane.pid not in _ancestors(orphan), "it is an orphan")
        assert {pane.pid, orphan} <= set(pids(proctable.Processes.of(os.getuid()).below([pane.pid])))
    finally:
        os.kill(orphan, signal.SIGKILL)
        pane.kill()
        pane.communicate(timeout=PATIENCE)


def _ancestors(pid: int) -> List[int]:
    found: List[int] = []
    table, _others = proctable.read_table({os.getuid(), 0})
    while pid in table:
        pid = table[pid].ppid
        found.append(pid)
    return found


# --- what they do


def having_written(pid: int, size: int) -> Optional[proctable.Io]:
    """What a process has read and written, once it has written so many bytes."""
    found = proctable.io(pid)
    return found if found is not None and found.written >= size else None


def test_real_work_shows() -> None:
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None and child.stdout is not None
    try:
        child.stdin.write(b"warm\n")
        child.stdin.flush()
        child.stdout.readline()
        before = eventually(lambda: having_written(child.pid, 5), "the kernel has counted it")
        child.stdin.write(b"x\n")
        child.stdin.flush()
        child.stdout.readline()
        after = eventually(lambda: having_written(child.pid, 7), "the kernel has counted it")
        assert before is not None and after is not None
        assert after.calls >= before.calls + 2
        assert (after.read - before.read, after.written - before.written) == (2, 2)
    finally:
        child.communicate(timeout=PATIENCE)


def _now(pid: int) -> Process:
    found = proctable.read_process(pid)
    assert found is not None
    return found


# --- signals


def test_a_signal_reaches_the_process(sleeper: "subprocess.Popen[bytes]") -> None:
    assert proctable.send_signal(_now(sleeper.pid), signal.SIGTERM)
    assert sleeper.wait(PATIENCE) == -signal.SIGTERM
    assert not proctable.send_signal(process(sleeper.pid), signal.SIGTERM)


def test_a_signal_does_not_reach_who_has_the_pid_now(sleeper: "subprocess.Popen[bytes]") -> None:
    now = _now(sleeper.pid)
    assert not proctable.send_signal(now._replace(started=now.started - 1), signal.SIGKILL)
    assert sleeper.poll() is None


def test_a_dead_child_gets_no_signal() -> None:
    child = subprocess.Popen(["true"])
    found = _now(child.pid)
    eventually(lambda: started(child.pid) is None, "the child ends")
    assert not proctable.send_signal(found, signal.SIGTERM)
    child.wait(PATIENCE)


def test_an_old_kernel_without_pidfd_signals_too(
    sleeper: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proctable, "_PIDFD_OPEN", 100000)  # no such system call
    now = _now(sleeper.pid)
    assert not proctable.send_signal(now._replace(started=now.started - 1), signal.SIGKILL)
    assert proctable.send_signal(now, signal.SIGTERM)
    assert sleeper.wait(PATIENCE) == -signal.SIGTERM


def test_signals_leave_no_descriptor_behind(sleeper: "subprocess.Popen[bytes]") -> None:
    now = _now(sleeper.pid)
    before = proctable.open_files(os.getpid())
    for _time in range(20):
        proctable.send_signal(now, 0)
    assert proctable.open_files(os.getpid()) == before


# --- sockets


def test_listening_sockets_are_found_with_who_holds_them() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = folder + "/with space"
        with socket.socket(socket.AF_UNIX) as bound, socket.socket(socket.AF_UNIX) as listening:
            bound.bind(folder + "/bound")
            listening.bind(path)
            listening.listen(1)
            found = {each.path: each.inode for each in proctable.listeners()}
            assert path in found
            assert folder + "/bound" not in found, "it does not listen"
            assert found[path] in proctable.socket_inodes(os.getpid())
            os.unlink(path)
            assert path in {each.path for each in proctable.listeners()}, "a socket that is gone still listens"
        assert path not in {each.path for each in proctable.listeners()}


def test_names_outside_the_file_system_are_left_out(fake_proc: Path) -> None:
    folder = fake_proc / "self" / "net"
    folder.mkdir(parents=True)
    rows = [
        b"Num       RefCount Protocol Flags    Type St Inode Path",
        b"0000000000000000: 00000002 00000000 00010000 0001 01 501 /tmp/a b\xff",
        b"0000000000000000: 00000002 00000000 00010000 0001 01 502 @abstract",
        b"0000000000000000: 00000002 00000000 00010000 0001 01 503",
        b"0000000000000000: 00000003 00000000 00000000 0001 03 504 /tmp/connected",
    ]
    (folder / "unix").write_bytes(b"\n".join(rows) + b"\n")
    assert proctable.listeners() == [proctable.Listener("/tmp/a b\udcff", 501)]
    assert proctable.listeners(999) == []


_LISTEN = """
import socket, sys
listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[1])
listening.listen(1)
print("ready", flush=True)
sys.stdin.read()
"""


def test_the_peer_of_a_connection_is_who_listens() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        words = [sys.executable, "-c", _LISTEN, folder + "/s"]
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(folder + "/s")
                assert proctable.peer_of(connection) == (child.pid, os.getuid())
        finally:
            child.communicate(timeout=PATIENCE)


@pytest.mark.parametrize(
    "command, leads, expected",
    [
        ("tmux: server", True, True),
        ("tmux-3.5a: serv", True, True),
        ("tmux", False, True),
        ("my-tmux: server", True, True),
        ("t: server", False, True),
        ("verylongname: s", True, True),
        ("verylongname: s", False, False),
        ("sshd: anna", False, False),
        ("bash", True, False),
    ],
)
def test_who_may_be_a_tmux_server(command: str, leads: bool, expected: bool) -> None:
    assert proctable.is_tmux_server(process(7, sid=7 if leads else 6, command=command)) is expected
