# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes as /proc shows them: who descends from whom, what they use, whether they still are who they were.

Most of what the kernel tells of a process it tells only when it can have that process to itself, and a process that
never finishes becoming a program (one of its user's own file systems does not answer) keeps everybody waiting who asks.
So a process is looked into only on behalf of the user whose it is. Of others', no more is asked than what the kernel
tells at once: see :func:`_seen_from_outside`.
"""

import ctypes
import itertools
import os
import re
import signal
import socket
import struct
import time
from collections import Counter
from typing import Collection, Dict, Iterable, Iterator, List, Match, NamedTuple, Optional, Set, Tuple

PROC = "/proc"
_TICKS = float(os.sysconf("SC_CLK_TCK"))
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PART = 65536
_ENVIRONMENT_BYTES = 262144
_LISTEN = b"0A"
_PIDFD_OPEN = 434
_PIDFD_SEND_SIGNAL = 424
SO_ACCEPTS = 0x10000
"""The flag of a listening socket in /proc/net/unix (__SO_ACCEPTCON in the kernel's net.h)."""
_UNIX_ROW = re.compile(
    rb"\S+: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) [0-9A-F]{4} [0-9A-F]{2} +([0-9]{1,20})(?: (.+))?", re.DOTALL
)
"""A row of /proc/net/unix, as unix_seq_show in the kernel's af_unix.c writes it."""

DESCRIPTORS_PER_OWNER = 100000
"""Open files of one owner's processes that are looked at to find sockets; processes can share what they have open."""


_OUTSIDE = re.compile(rb"^(State|PPid|Uid|VmRSS|Threads):\s*(\S+)", re.MULTILINE)
_TURNS = re.compile(rb"^(?:non)?voluntary_ctxt_switches:\s*(\d+)", re.MULTILINE)
_ESCAPES = {b"\\n": b"\n", b"\\\\": b"\\"}
_SINCE_BOOT = 7
"""The clock that counts from the start of the system, with the time for which it slept (CLOCK_BOOTTIME in time.h)."""
_CPU_CLOCK = 2
"""The kind of clock that counts the CPU time of a whole process (CPUCLOCK_SCHED in the kernel's posix-timers.h)."""


HEADLESS = "headless"
"""The state of a process whose first thread has ended while others work on."""


class Process(NamedTuple):
    """One process. ``started`` (clock ticks after boot) and ``pid`` together are its identity; ``rss`` is in bytes.

    When others' processes were started is not asked: they have a number below zero there, which no two of them share.
    ``uid``: whose the kernel says it is, where it was asked. ``terminal``: the number of the device that it is at (0:
    none), ``group`` its process group, ``foreground`` the one that this terminal listens to. ``waited_ticks`` and
    ``waited_faults``: CPU time and page faults of the children that it has waited for: each child adds to the faults.
    These are 0 of others.
    """

    pid: int
    ppid: int
    sid: int
    state: str
    started: int
    cpu_ticks: int
    rss: int
    command: str
    uid: Optional[int] = None
    terminal: int = 0
    group: int = 0
    foreground: int = 0
    waited_ticks: int = 0
    waited_faults: int = 0

    @property
    def is_others(self) -> bool:
        """Whether it is somebody's on whose behalf nobody looks, so that it is only seen from outside."""
        return self.started < 0

    @property
    def cpu_seconds(self) -> float:
        return self.cpu_ticks / _TICKS

    @property
    def waited_seconds(self) -> float:
        """The CPU time of the children that it has waited for, and of theirs."""
        return self.waited_ticks / _TICKS

    @property
    def is_foreground(self) -> bool:
        """Whether it has its terminal to itself."""
        return self.terminal != 0 and self.group == self.foreground

    @property
    def alive(self) -> bool:
        return self.state not in ("Z", "X", "x")


class Listener(NamedTuple):
    """A listening unix socket as the kernel knows it: the name it was bound to (maybe gone since), and its inode."""

    path: str
    inode: int


class UnixSocket(NamedTuple):
    """A row of the kernel's table of unix sockets, in which any user can forge rows: a path may have newlines."""

    inode: int
    listens: bool
    path: str


Table = Dict[int, Process]
Pane = Tuple[int, str]
"""Server pid and pane id: what tmux writes into the environment of everything that is started in a pane."""


def read_file(
    path: str, most: Optional[int] = None, folder: Optional[int] = None, seconds: Optional[float] = None
) -> bytes:
    """A file of the kernel's. There are thousands in a look: without a buffer, each takes half the time.

    :param most: bytes that are read of it. ``seconds``: how long it is read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    until = None if seconds is None else time.monotonic() + seconds
    try:
        parts = [os.read(handle, _PART)]
        size = len(parts[0])
        # The kernel gives a page at a time of a long table: to add each to the whole would be quadratic.
        while parts[-1] and (most is None or size < most) and (until is None or time.monotonic() < until):
            parts.append(os.read(handle, _PART))
            size += len(parts[-1])
        return b"".join(parts)[:most]
    finally:
        os.close(handle)


def pids_by_owner() -> Dict[int, List[int]]:
    """The pids of all processes that can be seen, by effective uid. Nothing of a process is opened for that."""
    found: Dict[int, List[int]] = {}
    for name in os.listdir(PROC):
        if name.isdigit():
            try:
                uid = os.stat("%s/%s" % (PROC, name)).st_uid
            except OSError:
                continue
            found.setdefault(uid, []).append(int(name))
    return found


def read_process(pid: int, uids: Optional[Collection[int]] = None) -> Optional[Process]:
    """The process ``pid`` now, or None when there is none.

    :param uids: on whose behalf; the processes of others are only seen from outside. None: everybody's.
    """
    folder = "%s/%d" % (PROC, pid)
    try:
        uid = os.stat(folder).st_uid
        if uids is not None and (uid == 0 or uid not in uids):
            # Root's may be a program that somebody else has run and that becomes root: only there it is to be seen.
            other = _seen_from_outside(pid)
            if other is None or other.uid not in uids:
                return other
            return _looked_into(pid, folder, uid)._replace(uid=other.uid)
        return _looked_into(pid, folder, uid)
    except OSError:
        return None


def looked_into_by_root(seen: Process) -> Optional[Process]:
    """A process of root's own in full, if we are root and it still is the one that was seen from outside.

    It belongs to root alone: what root's file systems do not answer would keep root from everything else, too.
    """
    if os.geteuid() != 0 or seen.uid != 0:
        return None
    try:
        now = _seen_from_outside(seen.pid)
        if now is None or (now.started, now.uid) != (seen.started, 0):
            return None
        return _looked_into(seen.pid, "%s/%d" % (PROC, seen.pid), 0)._replace(started=seen.started)
    except OSError:
        return None


def _looked_into(pid: int, folder: str, uid: int) -> Process:
    """A process in full. Its pid may be somebody else's in the next moment, its directory not.

    :raises OSError: when there is none of ``uid``.
    """
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if os.fstat(handle).st_uid != uid:
            raise ProcessLookupError(pid)
        text = read_file("stat", folder=handle)
    finally:
        os.close(handle)
    # The command stands in parentheses and may hold anything, parentheses and newlines too.
    begin, end = text.index(b"("), text.rindex(b")")
    rest = text[end + 1 :].split()
    return Process(
        pid=pid,
        state=_state(rest[0], rest[17]),
        ppid=int(rest[1]),
        sid=int(rest[3]),
        cpu_ticks=int(rest[11]) + int(rest[12]),
        started=int(rest[19]),
        rss=int(rest[21]) * _PAGE,
        command=text[begin + 1 : end].decode("utf-8", "replace"),
        uid=uid,
        terminal=int(rest[4]),
        group=int(rest[2]),
        foreground=int(rest[5]),
        waited_ticks=int(rest[13]) + int(rest[14]),
        waited_faults=int(rest[8]) + int(rest[10]),
    )


def _state(letter: bytes, threads: bytes) -> str:
    return HEADLESS if letter == b"Z" and int(threads) > 1 else letter.decode("ascii")


def _seen_from_outside(pid: int) -> Optional[Process]:
    """What the kernel tells of a process without waiting for it, or None when there is none.

    Its memory, what it executes, its files, namespaces, reads and writes, and when it was started are not among that.
    The name comes first in its status, with newlines written as escapes, so it cannot feign the other lines.
    """
    try:
        number = os.stat("%s/%d" % (PROC, pid)).st_ino
        text = read_file("%s/%d/status" % (PROC, pid))
        found = dict(_OUTSIDE.findall(text))
        name = re.sub(rb"\\[n\\]", lambda escape: _ESCAPES[escape.group()], text[len(b"Name:\t") : text.index(b"\n")])
        return Process(
            pid=pid,
            ppid=int(found[b"PPid"]),
            sid=os.getsid(pid),
            state=_state(found[b"State"], found.get(b"Threads", b"1")),
            started=-number,
            cpu_ticks=_cpu_ticks(pid),
            rss=int(found.get(b"VmRSS", 0)) * 1024,
            command=name.decode("utf-8", "replace"),
            uid=int(found[b"Uid"]),
        )
    except (OSError, KeyError, ValueError):
        return None


def _cpu_ticks(pid: int) -> int:
    try:
        return int(time.clock_gettime((~pid << 3) | _CPU_CLOCK) * _TICKS)
    except OSError:
        return 0  # It has ended this moment.


def turns(pid: int) -> Optional[int]:
    """How often a process, with all its threads, has had its turn at a processor: what waits has none."""
    try:
        names = os.listdir("%s/%d/task" % (PROC, pid))
        texts = [read_file("%s/%d/task/%s/status" % (PROC, pid, name)) for name in names]
        return sum(int(number) for text in texts for number in _TURNS.findall(text))
    except OSError:
        return None


def _children(pid: int) -> List[int]:
    """The pids of those that a process, with all its threads, has started and that still are its children."""
    found: List[int] = []
    try:
        for name in os.listdir("%s/%d/task" % (PROC, pid)):
            found.extend(int(child) for child in read_file("%s/%d/task/%s/children" % (PROC, pid, name)).split())
    except OSError:
        pass  # They are seen where they share its kernel session.
    return found


def read_table(uids: Collection[int]) -> Tuple[Table, Set[int]]:
    """The processes of ``uids``, and root's as they are seen from outside, by pid; and the pids of all others."""
    by_owner = pids_by_owner()
    near = {*uids, 0}
    read = (read_process(pid, uids) for uid in near for pid in by_owner.get(uid, ()))
    table = {process.pid: process for process in read if process is not None}
    return table, {pid for uid, pids in by_owner.items() if uid not in near for pid in pids}


class Processes:
    """Processes at one moment, on behalf of some users: read once, indexed once, and handed down to whoever asks.

    :param others: pids of further processes, which are looked at, from outside, when they prove to belong to a pane.
    """

    def __init__(self, table: Table, others: Collection[int] = ()) -> None:
        self.table = table
        self._others = others
        self._others_by_kin: Optional[Dict[int, List[int]]] = None
        self._others_near: Dict[int, List[int]] = {}
        self._next: Dict[int, List[int]] = {}
        for process in self.table.values():
            self._next.setdefault(process.ppid, []).append(process.pid)
            if process.sid != process.pid:
                self._next.setdefault(process.sid, []).append(process.pid)
        self._owners: Dict[int, Optional[int]] = {}
        self._listening: Dict[Optional[str], _Paths] = {}
        self._ports: Dict[Optional[str], Dict[int, int]] = {}
        self._descriptors: Dict[Optional[int], int] = {}
        self._sockets: Dict[int, Optional[Set[int]]] = {}
        self._owned: Optional[Dict[Optional[int], List[Process]]] = None
        self._panes: Dict[int, Dict[Pane, List[Process]]] = {}
        self._servers: Dict[int, bool] = {}
        self._io: Dict[int, Optional[Io]] = {}

    @classmethod
    def of(cls, *uids: int) -> "Processes":
        """The processes of these users, and all that work below theirs."""
        return cls(*read_table(set(uids)))

    def below(self, roots: Iterable[int], seen: Optional[Set[int]] = None) -> List[Process]:
        """The living processes of panes: ``roots`` (pane pids), their descendants, and who shares a root's session.

        A process whose parent has ended is no descendant any more, but it keeps its kernel session: the pane's pid.
        What a tmux server that was started in a pane holds is not of that pane: it has sessions of its own. Who has
        become somebody else there (sudo, su) works there as well.

        :param seen: pids that are left out, with all below them; those that are found are added.
        """
        seen = set() if seen is None else seen
        found = []
        todo = list(roots)
        while todo:
            pid = todo.pop()
            if pid not in seen and pid in self.table and not self._serves_tmux(self.table[pid]):
                seen.add(pid)
                found.append(pid)
                todo.extend(self._next.get(pid, ()))
                todo.extend(self._others_next(pid))
        return [self.table[pid] for pid in sorted(found) if self.table[pid].alive]

    def _others_next(self, pid: int) -> List[int]:
        """Those of the further processes that ``pid`` has started, or that share the kernel session that it leads."""
        if not self._others:
            return []
        if pid not in self._others_near:
            near = [child for child in _children(pid) if child in self._others]
            near += self._by_kin().get(pid, [])
            self._others_near[pid] = [other for other in near if self._is_seen(other)]
        return self._others_near[pid]

    def _by_kin(self) -> Dict[int, List[int]]:
        """The further processes by the leader of their kernel session; by parent too where no parent is asked that."""
        if self._others_by_kin is None:
            self._others_by_kin = {}
            parents_tell = os.path.exists("%s/self/task/%d/children" % (PROC, os.getpid()))
            for other in self._others:
                self._others_by_kin.setdefault(_kernel_session(other), []).append(other)
                if not parents_tell and self._is_seen(other):
                    self._others_by_kin.setdefault(self.table[other].ppid, []).append(other)
        return self._others_by_kin

    def _is_seen(self, pid: int) -> bool:
        if pid not in self.table:
            process = _seen_from_outside(pid)
            if process is None:
                return False
            self.table[pid] = process
        return True

    def panes_of(self, server_pid: Optional[int], pids: Iterable[int]) -> List[int]:
        """Those of ``pids`` that a server has started. It may say of any process that it runs in a pane of it."""
        asked = list(pids)
        if server_pid is not None and any(pid in self._others for pid in asked):
            self._others_next(server_pid)  # A pane's program may have become somebody else.
        return [pid for pid in asked if pid in self.table and self.table[pid].ppid == server_pid]

    def named_like_tmux(self) -> List[Process]:
        """The living processes that call themselves a tmux server."""
        return [process for process in self.table.values() if process.alive and is_tmux_server(process)]

    def _serves_tmux(self, process: Process) -> bool:
        """Whether a process is a tmux server, and not only called after one: a server with a long name listens."""
        if process.pid not in self._servers:
            certain = ": server" in process.command
            if is_tmux_server(process) and not process.is_others:
                certain = certain or bool(self.listens_at(process))
            self._servers[process.pid] = certain
        return self._servers[process.pid]

    def listens_at(self, process: Process) -> Optional[List[str]]:
        """The paths of the unix sockets at which a process listens, as the kernel's table has them.

        None where nobody has looked: the processes of its owner have more open files than are looked at.
        """
        held = self._sockets_of(process)
        if not held:
            return None if held is None else []
        paths = self._paths_by_inode(process.pid)
        found = [paths.of(inode) for inode in sorted(held) if paths.has(inode)]
        if len(found) < 2:
            return found[0] if found else []  # Any number of processes may hold it, and any number of rows name it.
        return list(dict.fromkeys(path for each in found for path in self._charged(process, each)))

    def _charged(self, process: Process, rows: List[str]) -> List[str]:
        """The rows that are still looked at for the owner of a process."""
        uid = self.owner(process)
        left = max(0, DESCRIPTORS_PER_OWNER - self._descriptors.get(uid, 0))
        self._descriptors[uid] = self._descriptors.get(uid, 0) + len(rows)
        return rows[:left]

    def sockets(self) -> Set[int]:
        """The inodes of all sockets that are held by processes that are looked into, as far as we may look."""
        inside = [process for process in self.table.values() if not process.is_others]
        return {inode for process in inside for inode in self._sockets_of(process) or ()}

    def _sockets_of(self, process: Process) -> Optional[Set[int]]:
        """The inodes of the sockets that a process holds, None beyond what is looked at for one owner."""
        if process.pid not in self._sockets:
            uid = self.owner(process)
            found = None
            if self._descriptors.get(uid, 0) < DESCRIPTORS_PER_OWNER:
                held, looked_at = _sockets(process.pid)
                found = set(held)
                self._descriptors[uid] = self._descriptors.get(uid, 0) + looked_at
            self._sockets[process.pid] = found
        return self._sockets[process.pid]

    def _paths_by_inode(self, pid: int) -> "_Paths":
        """The listening unix sockets of the network namespace of ``pid``; each is read once."""
        network = namespace(pid, "net")
        if network is None or network not in self._listening:
            self._listening[network] = _Paths(pid)
        return self._listening[network]

    def owner(self, process: Process) -> Optional[int]:
        """The uid of a process, None where it has ended."""
        if process.pid not in self._owners:
            self._owners[process.pid] = process.uid if process.is_others else owner(process.pid)
        return self._owners[process.pid]

    def owned_by(self, uid: int) -> List[Process]:
        """All processes of a user."""
        if self._owned is None:
            self._owned = {}
            for process in self.table.values():
                self._owned.setdefault(self.owner(process), []).append(process)
        return self._owned.get(uid, [])

    def in_pane(self, uid: int, pane: Pane) -> List[Process]:
        """The living processes of a user whose environment names a pane, wherever they have gone.

        Anybody may write anything into that, so nobody else's environment is read.
        """
        if uid not in self._panes:
            self._panes[uid] = {}
            for process in self.owned_by(uid):
                named = tmux_pane(process.pid) if process.alive and not self._serves_tmux(process) else None
                if named is not None:
                    self._panes[uid].setdefault(named, []).append(process)
        return self._panes[uid].get(pane, [])

    def io(self, pid: int) -> Optional["Io"]:
        """What a process had read and written when it was first asked about here.

        Of other users' (not root's) it is how often they have had their turn, which the kernel tells at once.
        """
        if pid not in self._io:
            process = self.table.get(pid)
            elsewhere = process is not None and process.is_others and process.uid != 0
            taken = turns(pid) if elsewhere else None
            self._io[pid] = (None if taken is None else Io(taken)) if elsewhere else io(pid)
        return self._io[pid]

    def ports(self, process: Process) -> Tuple[int, ...]:
        """TCP ports on which a process listens, as far as we may look."""
        held = self._sockets_of(process)
        if not held:
            return ()
        network = namespace(process.pid, "net")
        if network is None or network not in self._ports:
            self._ports[network] = listening_ports(process.pid)
        ports = self._ports[network]
        return tuple(sorted({ports[inode] for inode in held if inode in ports}))


class Io(NamedTuple):
    """What a process has read and written: how often, and how many bytes of each.

    ``stored``: bytes that were to get to a disk, also of the children that it has waited for.
    """

    calls: int
    read: int = 0
    written: int = 0
    stored: int = 0


def io(pid: int) -> Optional[Io]:
    """What a process has read and written so far, or None where the kernel does not let us look."""
    try:
        fields = dict(line.split(b": ") for line in read_file("%s/%d/io" % (PROC, pid)).splitlines())
        calls = int(fields[b"syscr"]) + int(fields[b"syscw"])
        return Io(calls, int(fields[b"rchar"]), int(fields[b"wchar"]), int(fields.get(b"write_bytes", 0)))
    except (OSError, KeyError, ValueError):
        return None


def open_files(pid: int, most: Optional[int] = None) -> Optional[int]:
    """The number of open file descriptors, or None where the kernel does not let us look.

    :param most: how far is counted.
    """
    try:
        with os.scandir("%s/%d/fd" % (PROC, pid)) as names:
            return sum(1 for _name in itertools.islice(names, most))
    except OSError:
        return None


def _kernel_session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def owner(pid: int) -> Optional[int]:
    """The real uid of a process: that of whoever runs it, whatever it may become."""
    try:
        # Its name comes first, in which a newline is written as an escape.
        return int(read_file("%s/%d/status" % (PROC, pid)).partition(b"\nUid:")[2].split(None, 1)[0])
    except (OSError, ValueError, IndexError):
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


def calls_itself_server(pid: int) -> bool:
    """Whether a process calls itself a tmux server, by what the kernel tells of it at once."""
    try:
        name = read_file("%s/%d/comm" % (PROC, pid))[:-1].decode("utf-8", "replace")
    except OSError:
        return False
    return is_tmux_server(Process(pid, 0, _kernel_session(pid), "", 0, 0, 0, name))


def socket_inodes(pid: int) -> Set[int]:
    """Inodes of all sockets that a process holds open; empty where we may not look."""
    return set(_sockets(pid)[0])


def _sockets(pid: int) -> Tuple[Dict[int, str], int]:
    """The sockets that a process holds open, by inode, with one of their descriptors; and how many it has in all."""
    folder = "%s/%d/fd" % (PROC, pid)
    inodes: Dict[int, str] = {}
    try:
        names = os.listdir(folder)
    except OSError:
        return inodes, 0
    for name in names:
        try:
            target = os.readlink("%s/%s" % (folder, name))
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes[int(target[8:-1])] = "%s/%s" % (folder, name)
    return inodes, len(names)


def _unix_rows(pid: object) -> Iterator[Match[bytes]]:
    try:
        lines = read_file("%s/%s/net/unix" % (PROC, pid)).split(b"\n")
    except OSError:
        return
    for line in lines:
        row = _UNIX_ROW.fullmatch(line)
        if row is not None:
            yield row


def unix_sockets(pid: object = "self") -> List[UnixSocket]:
    """The unix sockets of the network namespace of ``pid``, and what looks as if the kernel had written it."""
    return [
        UnixSocket(int(row.group(2)), bool(int(row.group(1), 16) & SO_ACCEPTS), os.fsdecode(row.group(3) or b""))
        for row in _unix_rows(pid)
    ]


def _listening_rows(pid: object) -> Iterator[Tuple[int, bytes]]:
    """The inode and the path of each row of a listening unix socket with a name in the file system."""
    for row in _unix_rows(pid):
        flags, inode, path = row.groups()
        if path and not path.startswith(b"@") and int(flags, 16) & SO_ACCEPTS:
            yield int(inode), path


class _Paths:
    """The paths of listening unix sockets by inode.

    It is read for every owner and holds the sockets of all: nothing is made of what is not asked for.
    """

    def __init__(self, pid: int) -> None:
        self._rows: Dict[int, List[bytes]] = {}
        self._read: Dict[int, List[str]] = {}
        for inode, path in _listening_rows(pid):
            self._rows.setdefault(inode, []).append(path)

    def has(self, inode: int) -> bool:
        return inode in self._rows

    def of(self, inode: int) -> List[str]:
        if inode not in self._read:
            self._read[inode] = [os.fsdecode(path) for path in dict.fromkeys(self._rows[inode])]
        return self._read[inode]


def listeners(pid: object = "self") -> List[Listener]:
    """The listening unix sockets with a name in the file system, of the network namespace of ``pid``."""
    return [Listener(os.fsdecode(path), inode) for inode, path in _listening_rows(pid)]


def was_bound_to(process: Process, path: str) -> bool:
    """Whether it is certain that a process listens at a unix socket that was bound to ``path``.

    A row that somebody has forged cannot be told from the kernel's own, but it is never alone: every unix socket has
    its own row. So there must be one row of that socket, one that listens at that path, and it must be a unix socket.
    """
    rows = unix_sockets(process.pid)
    there = [row.inode for row in rows if row.listens and row.path == path]
    if len(there) != 1 or Counter(row.inode for row in rows)[there[0]] != 1:
        return False
    descriptor = _sockets(process.pid)[0].get(there[0])
    try:
        return descriptor is not None and os.getxattr(descriptor, "system.sockprotoname").startswith(b"UNIX")
    except OSError:
        return False


class Program(NamedTuple):
    """The file that a process executes: what it is (or was) called, and what it is."""

    name: str
    file: os.stat_result


def program(process: Process) -> Optional[Program]:
    """What a process executes, also when that file has been replaced since; None where we may not look."""
    path = "%s/%d/exe" % (PROC, process.pid)
    try:
        return Program(os.path.basename(os.readlink(path)), os.stat(path))
    except OSError:
        return None


def catches(process: Process, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    try:
        # Its name comes first, in which a newline is written as an escape, and other ends of lines are not.
        for line in read_file("%s/%d/status" % (PROC, process.pid)).split(b"\n"):
            if line.startswith(b"SigCgt:"):
                return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    except (OSError, ValueError, IndexError):
        pass
    return False


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
    if process.is_others:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.syscall(_PIDFD_OPEN, process.pid, 0)
    try:
        if not lives(process):
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


RECREATE = signal.SIGUSR1
"""The signal on which a tmux server, of any version, makes its socket anew. It ends whoever does not expect it."""


def wait(seconds: float) -> None:
    """Let time pass (one place, so that a test can do something meanwhile)."""
    time.sleep(seconds)


def tmux_pane(pid: int) -> Optional[Pane]:
    """Server pid and pane id that the environment of a process names; None without, or where we may not look."""
    try:
        environment = read_file("%s/%d/environ" % (PROC, pid), _ENVIRONMENT_BYTES)
    except OSError:
        return None
    if b"TMUX_PANE=" not in environment:
        return None
    variables = environment.split(b"\0")
    found = dict(item.split(b"=", 1) for item in variables if item.startswith((b"TMUX=", b"TMUX_PANE=")))
    # A socket's path may hold commas; the pid and the session's number come last.
    server = found.get(b"TMUX", b"").rsplit(b",", 2)
    pane = found.get(b"TMUX_PANE", b"").decode("utf-8", "replace")
    if len(server) != 3 or not server[1].isdigit() or not pane:
        return None
    return int(server[1]), pane


def listening_ports(pid: int) -> Dict[int, int]:
    """The TCP ports in the network namespace of ``pid`` on which somebody listens, by the inode of the socket."""
    ports: Dict[int, int] = {}
    for name in ("tcp", "tcp6"):
        try:
            lines = read_file("%s/%d/net/%s" % (PROC, pid, name)).splitlines()[1:]
        except OSError:
            continue
        for fields in (line.split() for line in lines):
            if len(fields) > 9 and fields[3] == _LISTEN:
                ports[int(fields[9])] = int(fields[1].rsplit(b":", 1)[1], 16)
    return ports


_POLL_SECONDS = 0.02
Identity = Tuple[int, int]


def since_boot() -> float:
    """Seconds since the system was started."""
    return time.clock_gettime(_SINCE_BOOT)


def age(process: Process) -> float:
    """Seconds since a process was started."""
    return since_boot() - process.started / _TICKS


def identity(process: Process) -> Identity:
    return process.pid, process.started


def lives(process: Process) -> bool:
    """Whether exactly this process still runs: a pid may have a new holder, of whom no more is asked than that."""
    now = _again(process)
    return now is not None and now.started == process.started and now.alive


def _again(process: Process) -> Optional[Process]:
    if process.is_others:
        return _seen_from_outside(process.pid)
    return read_process(process.pid, None if process.uid is None else (process.uid,))


def outlasting(processes: Iterable[Process], seconds: float) -> List[Process]:
    """Who of ``processes`` is still there, when they have had ``seconds`` to end."""
    deadline = time.monotonic() + seconds
    left = [process for process in processes if lives(process)]
    while left and time.monotonic() < deadline:
        wait(_POLL_SECONDS)
        left = [process for process in left if lives(process)]
    return left
