# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes as /proc shows them: who descends from whom, what they use, whether they still are who they were."""

import ctypes
import os
import signal
import socket
import struct
import time
from typing import Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

PROC = "/proc"
_TICKS = float(os.sysconf("SC_CLK_TCK"))
_PAGE = os.sysconf("SC_PAGE_SIZE")
_HOME_BYTES = 262144
_LISTEN = b"0A"
_PIDFD_OPEN = 434
_PIDFD_SEND_SIGNAL = 424
SO_ACCEPTS = 0x10000
"""The flag of a listening socket in /proc/net/unix (__SO_ACCEPTCON in the kernel's net.h)."""


class Process(NamedTuple):
    """One process. ``started`` (clock ticks after boot) and ``pid`` together are its identity; ``rss`` is in bytes."""

    pid: int
    ppid: int
    sid: int
    state: str
    started: int
    cpu_ticks: int
    rss: int
    command: str

    @property
    def cpu_seconds(self) -> float:
        return self.cpu_ticks / _TICKS

    @property
    def alive(self) -> bool:
        return self.state not in ("Z", "X", "x")


class Listener(NamedTuple):
    """A listening unix socket as the kernel knows it: the name it was bound to (maybe gone since), and its inode."""

    path: str
    inode: int


Table = Dict[int, Process]


def _slurp(path: str) -> bytes:
    with open(path, "rb") as handle:
        return handle.read()


def read_process(pid: int) -> Optional[Process]:
    """The process ``pid`` now, or None when there is none."""
    try:
        text = _slurp("%s/%d/stat" % (PROC, pid)).decode("utf-8", "replace")
    except OSError:
        return None
    # The command stands in parentheses and may hold anything, parentheses and newlines too.
    command = text[text.index("(") + 1 : text.rindex(")")]
    rest = text[text.rindex(")") + 1 :].split()
    return Process(
        pid=pid,
        state=rest[0],
        ppid=int(rest[1]),
        sid=int(rest[3]),
        cpu_ticks=int(rest[11]) + int(rest[12]),
        started=int(rest[19]),
        rss=int(rest[21]) * _PAGE,
        command=command,
    )


def read_table() -> Table:
    """All processes that can be seen, by pid."""
    found = (read_process(int(name)) for name in os.listdir(PROC) if name.isdigit())
    return {process.pid: process for process in found if process is not None}


def belonging_to(table: Table, roots: Iterable[int]) -> List[Process]:
    """The living processes of panes: ``roots`` (pane pids), their descendants, and who shares a root's kernel session.

    A process whose parent has ended is no descendant any more, but it keeps its kernel session: the pane's pid.
    """
    children: Dict[int, List[int]] = {}
    for process in table.values():
        children.setdefault(process.ppid, []).append(process.pid)
        if process.sid != process.pid:
            children.setdefault(process.sid, []).append(process.pid)
    todo = [pid for pid in roots if pid in table]
    seen: Set[int] = set()
    while todo:
        pid = todo.pop()
        if pid not in seen:
            seen.add(pid)
            todo.extend(children.get(pid, []))
    return [table[pid] for pid in sorted(seen) if table[pid].alive]


def io_calls(pid: int) -> Optional[int]:
    """Read and write system calls so far, or None where the kernel does not let us look."""
    try:
        fields = dict(line.split(b": ") for line in _slurp("%s/%d/io" % (PROC, pid)).splitlines())
        return int(fields[b"syscr"]) + int(fields[b"syscw"])
    except (OSError, KeyError, ValueError):
        return None


def open_files(pid: int) -> Optional[int]:
    """The number of open file descriptors, or None where the kernel does not let us look."""
    try:
        return len(os.listdir("%s/%d/fd" % (PROC, pid)))
    except OSError:
        return None


class Usage(NamedTuple):
    """What a set of processes had used at one moment, by process identity."""

    cpu_ticks: Dict[Tuple[int, int], int]
    io_calls: Dict[Tuple[int, int], Optional[int]]


def usage(processes: Iterable[Process]) -> Usage:
    """What ``processes`` have used up to now (their CPU time as the table showed it)."""
    known = list(processes)
    return Usage(
        {(process.pid, process.started): process.cpu_ticks for process in known},
        {(process.pid, process.started): io_calls(process.pid) for process in known},
    )


def worked_between(before: Usage, after: Usage) -> Tuple[int, int]:
    """CPU ticks and read/write calls between two usages. A process that came or went meanwhile counts as a call."""
    ticks = sum(
        max(0, spent - before.cpu_ticks[who]) for who, spent in after.cpu_ticks.items() if who in before.cpu_ticks
    )
    calls = sum(_more(before.io_calls.get(who), now) for who, now in after.io_calls.items() if who in before.io_calls)
    return ticks, calls + len(set(before.cpu_ticks) ^ set(after.cpu_ticks))


def _more(before: Optional[int], after: Optional[int]) -> int:
    return 0 if before is None or after is None else max(0, after - before)


def owner(pid: int) -> Optional[int]:
    """The real uid of a process (the owner of its directory in /proc would be root for one that may not be dumped)."""
    try:
        for line in _slurp("%s/%d/status" % (PROC, pid)).splitlines():
            if line.startswith(b"Uid:"):
                return int(line.split()[1])
    except (OSError, ValueError, IndexError):
        pass
    return None


def namespace(pid: object, kind: str) -> Optional[str]:
    """The name of a namespace (``mnt``, ``net``, …) of ``pid`` (or ``self``), None where we may not look."""
    try:
        return os.readlink("%s/%s/ns/%s" % (PROC, pid, kind))
    except OSError:
        return None


def sees_our_files(pid: int) -> Optional[bool]:
    """Whether ``pid`` has our mount namespace and our root directory; None where we may not look."""
    theirs = namespace(pid, "mnt")
    if theirs is None:
        return None
    if theirs != namespace("self", "mnt"):
        return False
    try:
        return os.path.samestat(os.stat("%s/%d/root" % (PROC, pid)), os.stat("/"))
    except OSError:
        return None


def is_tmux_server(process: Process) -> bool:
    """Whether a process calls itself a tmux server, as all versions since 2.7 do: ``<program>: server``.

    The kernel keeps 15 bytes of it, so of a program with a longer name only that name is left; then the name decides.
    """
    return (
        ": server" in process.command
        or "tmux" in process.command
        or (":" in process.command and process.sid == process.pid)
    )


def serves_tmux(process: Process) -> bool:
    """Whether a process is a tmux server, and not only called after one: a server with a long name listens."""
    if ": server" in process.command:
        return True
    return is_tmux_server(process) and bool(socket_inodes(process.pid) & {it.inode for it in listeners(process.pid)})


def socket_inodes(pid: int) -> Set[int]:
    """Inodes of all sockets that a process holds open; empty where we may not look."""
    folder = "%s/%d/fd" % (PROC, pid)
    inodes: Set[int] = set()
    try:
        names = os.listdir(folder)
    except OSError:
        return inodes
    for name in names:
        try:
            target = os.readlink("%s/%s" % (folder, name))
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(int(target[8:-1]))
    return inodes


def listeners(pid: object = "self") -> List[Listener]:
    """The listening unix sockets with a name in the file system, of the network namespace of ``pid``."""
    try:
        lines = _slurp("%s/%s/net/unix" % (PROC, pid)).splitlines()[1:]
    except OSError:
        return []
    found = []
    for line in lines:
        fields = line.split(None, 7)
        if len(fields) == 8 and int(fields[3], 16) & SO_ACCEPTS and not fields[7].startswith(b"@"):
            found.append(Listener(os.fsdecode(fields[7]), int(fields[6])))
    return found


def peer_of(connection: socket.socket) -> Tuple[int, int]:
    """Pid and uid of the process that listens at the other end."""
    pid, uid, _gid = struct.unpack(
        "3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    )
    return pid, uid


def send_signal(process: Process, number: int) -> bool:
    """Send a signal to exactly that process: False when it has ended, also when its pid has a new holder.

    With a pidfd (Linux 5.3) there is no moment in which the pid could change hands between the look and the signal.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.syscall(_PIDFD_OPEN, process.pid, 0)
    try:
        current = read_process(process.pid)
        if current is None or current.started != process.started or not current.alive:
            return False
        if handle >= 0:
            return bool(libc.syscall(_PIDFD_SEND_SIGNAL, handle, number, None, 0) == 0)
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return False
        return True
    finally:
        if handle >= 0:
            os.close(handle)


def recreate_socket(process: Process) -> bool:
    """Ask a tmux server to make its socket anew (SIGUSR1, all versions)."""
    return send_signal(process, signal.SIGUSR1)


def wait(seconds: float) -> None:
    """Let time pass (one place, so that a test can do something meanwhile)."""
    time.sleep(seconds)


def tmux_home(pid: int) -> Optional[Tuple[int, str]]:
    """Server pid and pane id that the environment of a process names; None without, or where we may not look."""
    try:
        with open("%s/%d/environ" % (PROC, pid), "rb") as handle:
            variables = handle.read(_HOME_BYTES).split(b"\0")
    except OSError:
        return None
    found = dict(item.split(b"=", 1) for item in variables if item.startswith((b"TMUX=", b"TMUX_PANE=")))
    # A socket's path may hold commas; the pid and the session's number come last.
    server = found.get(b"TMUX", b"").rsplit(b",", 2)
    pane = found.get(b"TMUX_PANE", b"").decode("utf-8", "replace")
    if len(server) != 3 or not server[1].isdigit() or not pane:
        return None
    return int(server[1]), pane


def listening_ports(pid: int) -> Tuple[int, ...]:
    """TCP ports on which a process listens, as far as we may look."""
    inodes = socket_inodes(pid)
    ports: Set[int] = set()
    for name in ("tcp", "tcp6") if inodes else ():
        try:
            lines = _slurp("%s/%d/net/%s" % (PROC, pid, name)).splitlines()[1:]
        except OSError:
            continue
        for fields in (line.split() for line in lines):
            if len(fields) > 9 and fields[3] == _LISTEN and int(fields[9]) in inodes:
                ports.add(int(fields[1].rsplit(b":", 1)[1], 16))
    return tuple(sorted(ports))
