# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's tables of TCP and of connected unix sockets, which it gives to anybody who asks by NETLINK_SOCK_DIAG.

They hold the sockets of all users, of our own network namespace, and any user can make very many. So what is not asked
for is passed over at once, and reading ends at a limit of time and of bytes; what was not read then is not known.

Layouts and numbers are those of the kernel's headers in include/uapi/linux: netlink.h, sock_diag.h, inet_diag.h,
unix_diag.h and tcp.h. All is in the machine's own order of bytes, but for ports and addresses.
"""

import errno
import socket
import struct
import time
from typing import Callable, Collection, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple, TypeVar

SECONDS = 5.0
"""How long all answers to one question may take."""
_BYTES = 1 << 30
_DATAGRAM = 65536
"""The kernel writes at most 32 KiB into one (netlink_dump in af_netlink.c), and the first parts are smaller."""

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST, _NLM_F_MULTI, _NLM_F_DUMP_INTR, _NLM_F_DUMP = 0x1, 0x2, 0x10, 0x300
_NLMSG_NOOP, _NLMSG_ERROR, _NLMSG_DONE = 1, 2, 3

_HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr: length with this header, type, flags, number of the question, sender."""
_ERROR = struct.Struct("=i")
"""What struct nlmsgerr begins with, and what ends a dump: zero, or minus a number of errno.h."""
_ATTRIBUTE = struct.Struct("=HH")
"""struct nlattr: length with this header, type (in its lower 14 bits)."""
_ATTRIBUTE_TYPE = 0x3FFF

_INET_REQUEST = struct.Struct("=BBBxI48x")
"""struct inet_diag_req_v2: family, protocol, what is wanted besides, mask of states, and a socket (none)."""
_INET_MESSAGE = struct.Struct("=xB2x2s2s52xI4xI")
"""struct inet_diag_msg: family, state, timer, retransmissions; struct inet_diag_sockid (48 bytes), which begins with
our port and the other end's; expiry, the queues of what came and of what goes, uid, inode."""
_INET_INODE = struct.Struct("=68xI")
_INET_PORT = struct.Struct("=4xH")
_INET_EXPIRY = struct.Struct("=52xI")
_INET_DIAG_INFO = 2
_INFO_CLOCKS = struct.Struct("=44xI4xII")
"""Of struct tcp_info, which begins with eight bytes: tcpi_last_data_sent (the tenth number of four bytes),
tcpi_last_data_recv (the twelfth) and tcpi_last_ack_recv (the next), in milliseconds."""
_INFO_BYTES = struct.Struct("=120xQQ")
"""tcpi_bytes_acked and tcpi_bytes_received. Kernels before 4.1 do not have them."""

_UNIX_REQUEST = struct.Struct("=BBHIIIII")
"""struct unix_diag_req: family, protocol, padding, mask of states, inode, what is wanted, cookie."""
_UNIX_MESSAGE = struct.Struct("=xBBxI8x")
"""struct unix_diag_msg: family, type, state, padding, inode, cookie."""
_UNIX_INODE = struct.Struct("=4xI")
_UDIAG_SHOW_NAME, _UDIAG_SHOW_PEER = 0x1, 0x4
_UNIX_DIAG_NAME, _UNIX_DIAG_PEER, _UNIX_DIAG_SHUTDOWN = 0, 2, 6
_NO_COOKIE = 0xFFFFFFFF
_SHUT_BOTH = 3

ESTABLISHED, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING = 1, 4, 5, 6, 8, 9, 10, 11
"""States of sockets, as the kernel's tcp_states.h numbers them (unix sockets have the first and the last but one)."""
CONNECTED = frozenset((ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LAST_ACK, CLOSING))
"""Those over which data has gone. One that is still being connected, or waits to be forgotten, has no clock."""

_REMEMBERED = 60000
"""For how many milliseconds the kernel remembers a connection that we have ended (TCP_TIMEWAIT_LEN in its tcp.h)."""

_SAYS_WITHIN = 250
"""Milliseconds after which one end says that it has got something, if it has nothing else to say (TCP_DELACK_MAX)."""

Wanted = Callable[[int], bool]
"""Whether a socket is asked for, by its inode."""


class NotAvailable(Exception):
    """This kernel does not tell: the module for it is missing, or asking is forbidden."""


class Tcp(NamedTuple):
    """A TCP socket. ``port``: ours. ``there``: the other end's. ``queued``: bytes that the other end has not taken yet.

    ``sent``, ``received``: milliseconds since there was data, None without a clock. ``acknowledged``: since the other
    end last said that it has got something. ``written``, ``read``: bytes so far; the first packet of whoever calls is
    one of them.
    """

    inode: int
    state: int
    port: int
    queued: int = 0
    sent: Optional[int] = None
    received: Optional[int] = None
    acknowledged: Optional[int] = None
    written: Optional[int] = None
    read: Optional[int] = None
    there: int = 0

    @property
    def size(self) -> Optional[int]:
        return None if self.written is None or self.read is None else self.written + self.read

    @property
    def unanswered(self) -> bool:
        """Whether the other end has not answered yet, or not taken, what was sent last by us who have called it."""
        if self.sent is None or self.received is None or self.acknowledged is None:
            return False
        if self.queued > 0 or self.written in (None, 0, 1):
            return self.queued > 0
        if self.sent != self.received:
            return self.sent < self.received
        # It was in the same moment, as with a question that follows an answer. With an answer comes word that the
        # question has got there; without one, that comes a little later by itself.
        return not self.read or 0 < self.received - self.acknowledged <= _SAYS_WITHIN


class Unix(NamedTuple):
    """A unix socket. ``peer``: the inode of the other end; 0 where nobody has accepted or where it is gone.

    ``name``: what it was bound to, where it was asked; of an accepted one, where its listener is.
    """

    inode: int
    type: int
    state: int
    peer: int = 0
    gone: bool = False
    name: bytes = b""

    @property
    def talks(self) -> bool:
        """Whether it is connected to one that is, or will be, there: one of datagrams only knows where to send them."""
        return not self.gone and self.type in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET)


class Dump(NamedTuple):
    """Messages of an answer, and whether it is whole."""

    messages: List[bytes]
    whole: bool


_Row = TypeVar("_Row")


def tcp_sockets(wanted: Wanted, seconds: float = SECONDS) -> Tuple[Dict[int, Tcp], bool]:
    """The TCP sockets that are wanted and connected, or listen, by inode; and whether these are all.

    :raises NotAvailable: when the kernel does not tell.
    """
    states = sum(1 << state for state in CONNECTED | {LISTEN})
    until = time.monotonic() + seconds
    found: Dict[int, Tcp] = {}
    whole = True
    for family in (socket.AF_INET, socket.AF_INET6):
        request = _INET_REQUEST.pack(family, socket.IPPROTO_TCP, 1 << _INET_DIAG_INFO - 1, states)
        whole = _collect(found, request, until, _INET_INODE, wanted, read_tcp) and whole
    return found, whole


def closed_lately(ports: Collection[int], seconds: float = SECONDS) -> Dict[int, int]:
    """How many milliseconds ago, at most, a connection to one of our ports was ended, by its port.

    Nobody holds such a connection any more; the kernel remembers it for a minute.
    """
    wanted = {socket.htons(port): port for port in ports}
    until = time.monotonic() + seconds
    found: Dict[int, int] = {}
    for family in (socket.AF_INET, socket.AF_INET6):
        request = _INET_REQUEST.pack(family, socket.IPPROTO_TCP, 0, 1 << TIME_WAIT)
        try:
            messages = _asked(request, _NLM_F_DUMP, until, _INET_PORT, wanted.__contains__).messages
        except NotAvailable:
            return found
        for message in messages:
            if len(message) >= _INET_MESSAGE.size:
                port = wanted[_INET_PORT.unpack_from(message)[0]]
                ago = _REMEMBERED - min(_REMEMBERED, _INET_EXPIRY.unpack_from(message)[0])
                found[port] = min(ago, found.get(port, ago))
    return found


def unix_sockets(wanted: Wanted, seconds: float = SECONDS) -> Tuple[Dict[int, Unix], bool]:
    """The unix sockets that are wanted and connected, by inode; and whether these are all.

    :raises NotAvailable: when the kernel does not tell.
    """
    request = _UNIX_REQUEST.pack(socket.AF_UNIX, 0, 0, 1 << ESTABLISHED, 0, _UDIAG_SHOW_PEER, _NO_COOKIE, _NO_COOKIE)
    found: Dict[int, Unix] = {}
    whole = _collect(found, request, time.monotonic() + seconds, _UNIX_INODE, wanted, read_unix)
    return found, whole


def unix_name(inode: int, seconds: float = SECONDS) -> bytes:
    """What a unix socket is bound to, empty where nobody knows. The kernel looks through its whole table for it."""
    request = _UNIX_REQUEST.pack(socket.AF_UNIX, 0, 0, 0, inode, _UDIAG_SHOW_NAME, _NO_COOKIE, _NO_COOKIE)
    try:
        dump = _asked(request, 0, time.monotonic() + seconds, _UNIX_INODE, lambda number: number == inode)
    except NotAvailable:
        return b""
    rows = [read_unix(message) for message in dump.messages]
    return rows[0].name if rows and rows[0] is not None else b""


# --- what a message says


def read_tcp(message: bytes) -> Optional[Tcp]:
    """A message of the answer about TCP; None where it is too short to be one."""
    if len(message) < _INET_MESSAGE.size:
        return None
    state, port, there, queued, inode = _INET_MESSAGE.unpack_from(message)
    row = Tcp(inode, state, int.from_bytes(port, "big"), 0 if state == LISTEN else queued)
    row = row._replace(there=int.from_bytes(there, "big"))
    info = _attributes(message, _INET_MESSAGE.size).get(_INET_DIAG_INFO, b"")
    if state not in CONNECTED or len(info) < _INFO_CLOCKS.size:
        return row
    sent, received, acknowledged = _INFO_CLOCKS.unpack_from(info)
    written, read = _INFO_BYTES.unpack_from(info) if len(info) >= _INFO_BYTES.size else (None, None)
    return row._replace(sent=sent, received=received, acknowledged=acknowledged, written=written, read=read)


def read_unix(message: bytes) -> Optional[Unix]:
    """A message of the answer about unix sockets; None where it is too short to be one."""
    if len(message) < _UNIX_MESSAGE.size:
        return None
    kind, state, inode = _UNIX_MESSAGE.unpack_from(message)
    told = _attributes(message, _UNIX_MESSAGE.size)
    peer, shut = told.get(_UNIX_DIAG_PEER, b""), told.get(_UNIX_DIAG_SHUTDOWN, b"")
    return Unix(
        inode,
        kind,
        state,
        int(struct.unpack("=I", peer)[0]) if len(peer) == 4 else 0,
        shut[:1] == bytes((_SHUT_BOTH,)),
        told.get(_UNIX_DIAG_NAME, b""),
    )


def _attributes(message: bytes, place: int) -> Dict[int, bytes]:
    """What follows the fixed part of a message, as far as it makes sense."""
    found: Dict[int, bytes] = {}
    while place + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, place)
        if length < _ATTRIBUTE.size or place + length > len(message):
            break
        found[kind & _ATTRIBUTE_TYPE] = message[place + _ATTRIBUTE.size : place + length]
        place += _aligned(length)
    return found


def _aligned(length: int) -> int:
    return (length + 3) & ~3


# --- asking


def _collect(
    found: Dict[int, _Row],
    request: bytes,
    until: float,
    inode: struct.Struct,
    wanted: Wanted,
    read: Callable[[bytes], Optional[_Row]],
) -> bool:
    """Add the rows of an answer to those that were ``found``; whether it was whole.

    One during which the kernel's table was changed under it is asked for once more.
    """
    for _attempt in range(2):
        dump = _asked(request, _NLM_F_DUMP, until, inode, wanted)
        rows = [read(message) for message in dump.messages]
        found.update((inode.unpack_from(message)[0], row) for message, row in zip(dump.messages, rows) if row)
        if dump.whole and None not in rows:
            return True
        if time.monotonic() >= until:
            break
    return False


def _asked(request: bytes, flags: int, until: float, inode: struct.Struct, wanted: Wanted) -> Dump:
    """The messages about the sockets that are wanted.

    :raises NotAvailable: when the kernel does not tell.
    """
    number = 1
    try:
        with _connected() as connection:
            length = _HEADER.size + len(request)
            header = _HEADER.pack(length, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST | flags, number, 0)
            connection.send(header + request)
            return gathered(_datagrams(connection, until), number, inode, wanted)
    except OSError as error:
        # A table that is too long for the time is not read to its end, and one that was never begun is not there.
        if isinstance(error, socket.timeout) or error.errno == errno.ENOBUFS:
            return Dump([], False)
        raise NotAvailable(error.strerror or str(error)) from error


def _connected() -> socket.socket:
    family = getattr(socket, "AF_NETLINK", None)
    if family is None:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported")
    return socket.socket(family, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG)


def _datagrams(connection: socket.socket, until: float) -> Iterator[bytes]:
    """What the kernel, and nobody else, sends, as long as there is time; one that was cut is given as nothing."""
    read = 0
    while read < _BYTES:
        left = until - time.monotonic()
        if left <= 0:
            return
        connection.settimeout(left)
        data, _more, flags, sender = connection.recvmsg(_DATAGRAM)
        if sender[0] != 0:
            continue
        read += len(data)
        yield b"" if flags & socket.MSG_TRUNC else data


def gathered(datagrams: Iterable[bytes], number: int, inode: struct.Struct, wanted: Wanted) -> Dump:
    """The messages about the sockets that are wanted, up to the end of the answer to question ``number``.

    :raises NotAvailable: when the answer is that there is none.
    """
    found: List[bytes] = []
    whole = True
    try:
        for data in datagrams:
            for kind, flags, begin, end in _messages(data, number):
                whole = whole and not flags & _NLM_F_DUMP_INTR
                if kind in (_NLMSG_DONE, _NLMSG_ERROR):
                    return Dump(found, _ended_well(data[begin:end]) and whole)
                if wanted(_inode(kind, data, begin, end, inode)):
                    found.append(data[begin:end])
                if not flags & _NLM_F_MULTI:
                    return Dump(found, whole)
    except _Garbled:
        pass
    return Dump(found, False)


def _inode(kind: int, data: bytes, begin: int, end: int, inode: struct.Struct) -> int:
    if kind != _SOCK_DIAG_BY_FAMILY or begin + inode.size > end:
        raise _Garbled
    return int(inode.unpack_from(data, begin)[0])


class _Garbled(ValueError):
    """Something that no kernel writes."""


def _messages(data: bytes, number: int) -> Iterator[Tuple[int, int, int, int]]:
    """Of each message: its type, its flags, and where what it says begins and ends."""
    size = len(data)
    place = 0
    if not data:
        raise _Garbled
    while place < size:
        if place + _HEADER.size > size:
            raise _Garbled
        length, kind, flags, answers, _sender = _HEADER.unpack_from(data, place)
        if length < _HEADER.size or place + length > size:
            raise _Garbled
        if answers == number and kind != _NLMSG_NOOP:
            yield kind, flags, place + _HEADER.size, place + length
        place += _aligned(length)


def _ended_well(text: bytes) -> bool:
    """Whether what an answer ends with says that it is whole.

    :raises NotAvailable: when it says that there is none.
    """
    if len(text) < _ERROR.size:
        return False
    number = -_ERROR.unpack_from(text)[0]
    if number in (errno.ENOENT, errno.EPROTONOSUPPORT, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM, errno.EACCES):
        raise NotAvailable(errno.errorcode[number])
    return bool(number == 0)
