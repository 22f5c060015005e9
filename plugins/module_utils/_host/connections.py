# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP connections, unix sockets and pipes: when there was data, and who is at the other end. Each table is read once.

What one user makes may cost the others nothing but a little time: of a long table only the sockets are kept that
somebody asks for. Where the table was not read to its end, a socket that is not in it is not known: ``Unread``.
"""

import os
import time
from functools import partial, reduce
from typing import Callable, Collection, Dict, Generic, Iterable, Iterator, List, NamedTuple, Optional, Tuple, TypeVar

from ansible_collections.fleet.tmux.plugins.module_utils._host import netlink
from ansible_collections.fleet.tmux.plugins.module_utils._host.netlink import NotAvailable, Tcp, Unix, Wanted
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import (
    DESCRIPTORS_PER_OWNER,
    PROC,
    Processes,
    namespace,
    read_file,
)

ROWS = 10000
"""Sockets up to which a whole table is kept; of a longer one only those that are asked for."""

_Row = TypeVar("_Row")
_Read = Callable[[Wanted], Tuple[Dict[int, _Row], bool]]


class Unread(ValueError):
    """Nobody knows of a socket whether, and to what, it is connected."""


class _TooMany(Exception):
    """A table is too long to be kept."""


class Sockets:
    """The sockets that processes hold, of our network namespace, and, as far as it can be known, of theirs."""

    def __init__(self, processes: Processes) -> None:
        self._asked = processes.sockets
        self._tcp: _Table[Tcp] = _Table(netlink.tcp_sockets, self._asked, tcp_without_clocks)
        self._unix: _Table[Unix] = _Table(netlink.unix_sockets, self._asked)
        self._elsewhere: Dict[str, _Table[Tcp]] = {}
        self._closed: Optional[Dict[int, int]] = None
        self._networks: Dict[int, Optional[str]] = {}
        self._ours = namespace("self", "net")

    def tcp(self, pid: int, inode: int) -> Optional[Tcp]:
        """A TCP socket of a process, that is connected or listens; None where it is none.

        :raises Unread: where that is not known.
        """
        table = self._tcp
        network = self.elsewhere(pid)
        if network is not None:
            seen_from = partial(tcp_without_clocks, pid=pid)
            table = self._elsewhere.setdefault(network, _Table(seen_from, self._asked))
        return table.of(inode)

    def unix(self, inode: int) -> Optional[Unix]:
        """A connected unix socket of our network namespace; None where there is none.

        :raises Unread: where that is not known.
        """
        return self._unix.of(inode)

    def elsewhere(self, pid: int) -> Optional[str]:
        """The network namespace of a process, if it is not ours: the kernel tells us of its connections no clock."""
        if pid not in self._networks:
            network = namespace(pid, "net")
            self._networks[pid] = network if network != self._ours else None
        return self._networks[pid]

    def closed_lately(self, pid: int, port: int) -> Optional[int]:
        """How many milliseconds ago a connection was ended to a port at which a process listens, if one was lately."""
        if self.elsewhere(pid) is not None:
            return None
        if self._closed is None:
            self._closed = netlink.closed_lately({row.port for row in self._tcp.rows() if row.state == netlink.LISTEN})
        return self._closed.get(port)

    @property
    def without_clocks(self) -> str:
        """Why the kernel does not tell when there was data on TCP connections, if it was asked and does not."""
        return self._tcp.missing


class Ends(NamedTuple):
    """How many descriptors there are from which, and to which, can be read and written."""

    reading: int = 0
    writing: int = 0

    def and_one(self, flags: int) -> "Ends":
        """With one more, that was opened with these flags."""
        mode = flags & os.O_ACCMODE
        return Ends(self.reading + (mode != os.O_WRONLY), self.writing + (mode != os.O_RDONLY))


class Pipes:
    """How often pipes, with or without a name, are held open by all processes that are looked into."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._held: Optional[Dict[str, List[str]]] = None
        self._ends: Dict[str, Ends] = {}

    def ends(self, link: str) -> Ends:
        """The ends of what a descriptor's link tells. More than many descriptors are not looked at."""
        if self._held is None:
            self._held = {}
            for target, flags_at in self._links():
                self._held.setdefault(target, []).append(flags_at)
        if link not in self._ends:
            flags = map(_flags, self._held.get(link, []))
            self._ends[link] = reduce(Ends.and_one, [each for each in flags if each is not None], Ends())
        return self._ends[link]

    def _links(self) -> Iterator[Tuple[str, str]]:
        left = DESCRIPTORS_PER_OWNER
        for process in self._processes.table.values():
            folder = "%s/%d" % (PROC, process.pid)
            names = [] if process.is_others else _names(folder + "/fd")
            left -= len(names)
            if left < 0:
                return
            for name in names:
                target = _link("%s/fd/%s" % (folder, name))
                if target.startswith(("pipe:[", "/")) and not target.startswith("/dev/"):
                    yield target, "%s/fdinfo/%s" % (folder, name)


def _names(folder: str) -> List[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _flags(path: str) -> Optional[int]:
    """The flags in a file of ``fdinfo``, None when the descriptor was closed meanwhile."""
    try:
        return int(read_file(path).partition(b"flags:")[2].split(None, 1)[0], 8)
    except (OSError, IndexError, ValueError):
        return None


class _Table(Generic[_Row]):
    def __init__(
        self, read: "_Read[_Row]", asked: Callable[[], Collection[int]], instead: Optional["_Read[_Row]"] = None
    ) -> None:
        self._read = read
        self._asked = asked
        self._instead = instead
        self._rows: Optional[Dict[int, _Row]] = None
        self._knows: Wanted = lambda inode: True
        self._whole = True
        self.missing = ""

    def rows(self) -> Collection[_Row]:
        """All that are kept."""
        return self._known().values()

    def _known(self) -> Dict[int, _Row]:
        if self._rows is None:
            self._rows, self._whole = self._all()
        return self._rows

    def of(self, inode: int) -> Optional[_Row]:
        row = self._known().get(inode)
        if row is None and not (self._whole and self._knows(inode)):
            raise Unread(self.missing or "there are too many sockets")
        return row

    def _all(self) -> Tuple[Dict[int, _Row], bool]:
        try:
            return self._kept(self._read)
        except NotAvailable as error:
            self.missing = str(error)
        return ({}, False) if self._instead is None else self._kept(self._instead)

    def _kept(self, read: "_Read[_Row]") -> Tuple[Dict[int, _Row], bool]:
        try:
            return read(_at_most(ROWS))
        except _TooMany:
            self._knows = frozenset(self._asked()).__contains__
            return read(self._knows)


def _at_most(limit: int) -> Wanted:
    left = iter(range(limit))

    def wanted(_inode: int) -> bool:
        if next(left, None) is None:
            raise _TooMany
        return True

    return wanted


def tcp_without_clocks(wanted: Wanted, pid: object = "self") -> Tuple[Dict[int, Tcp], bool]:
    """The connected TCP sockets of the network namespace of ``pid``; there everybody sees them, but not their clocks.

    A table that we may not read, or not to its end, is not whole.
    """
    until = time.monotonic() + netlink.SECONDS
    found: Dict[int, Tcp] = {}
    whole = True
    for name in ("tcp", "tcp6"):
        try:
            with open("%s/%s/net/%s" % (PROC, pid, name), "rb") as lines:
                next(lines, None)
                whole = _add(found, lines, wanted, until) and whole
        except FileNotFoundError:
            continue  # Without IPv6 there is only one, and of a process that has ended none.
        except OSError:
            whole = False
    return found, whole


def _add(found: Dict[int, Tcp], lines: Iterable[bytes], wanted: Wanted, until: float) -> bool:
    """Read lines as the kernel's tcp_ipv4.c writes them (get_tcp4_sock); whether that was in time."""
    for line in lines:
        fields = line.split(None, 10)
        try:
            state, inode = int(fields[3], 16), int(fields[9])
            port, there = (int(end.rpartition(b":")[2], 16) for end in fields[1:3])
        except (IndexError, ValueError):
            return False
        if (state in netlink.CONNECTED or state == netlink.LISTEN) and wanted(inode):
            found[inode] = Tcp(inode, state, port, there=there)
        if time.monotonic() > until:
            return False
    return True
