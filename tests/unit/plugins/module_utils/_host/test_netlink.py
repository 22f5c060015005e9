# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel tells of sockets is read whatever it tells, and nothing that it has not told is believed."""

import errno
import json
import os
import socket
import struct
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import netlink
from ansible_collections.fleet.tmux.plugins.module_utils._host.netlink import Dump, NotAvailable, Tcp, Unix
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from hypothesis import given
from hypothesis import strategies as st

RECORDED = sorted((Path(__file__).parent / "fixtures" / "sockets").glob("*.json"))
"""Written by tests/support/record_sockets.py."""
CLOCKS_END, BYTES_END = 60, 136
"""Bytes of struct tcp_info up to the end of tcpi_last_ack_recv, and of tcpi_bytes_received."""


def everything(_inode: int) -> bool:
    return True


class Recorded:
    """What a kernel has answered."""

    def __init__(self, path: Path) -> None:
        told = json.loads(path.read_text(encoding="utf-8"))
        self.inodes: Dict[str, int] = told["inodes"]
        self.names = {inode: name for name, inode in self.inodes.items()}
        self.answers = {name: [bytes.fromhex(part) for part in parts] for name, parts in told["answers"].items()}

    def messages(self, name: str) -> List[bytes]:
        dump = netlink.gathered(self.answers[name], 1, netlink._UNIX_INODE, everything)
        assert dump.whole
        return dump.messages

    def tcp(self) -> Dict[str, Tcp]:
        rows = [netlink.read_tcp(message) for name in ("tcp", "tcp6") for message in self.messages(name)]
        return {self.names[row.inode]: row for row in rows if row is not None}

    def unix(self) -> Dict[str, Unix]:
        rows = [netlink.read_unix(message) for message in self.messages("unix")]
        return {self.names[row.inode]: row for row in rows if row is not None}


@pytest.fixture(params=RECORDED, ids=[path.stem for path in RECORDED])
def recorded(request: Any) -> Recorded:
    return Recorded(request.param)


def message(kind: int, text: bytes, flags: int = 2, answers: int = 1) -> bytes:
    whole = struct.pack("=IHHII", 16 + len(text), kind, flags, answers, 0) + text
    return whole + bytes(-len(whole) % 4)


def tcp_message(info: bytes, state: int = 1, inode: int = 7) -> bytes:
    text = struct.pack("=BBxx2s54xI4xI", socket.AF_INET, state, b"\x16\x00", 3, inode)
    return text + struct.pack("=HH", 5, 8) + bytes(4) + struct.pack("=HH", 4 + len(info), 2) + info


def tcp_info(sent: int, received: int, acked: int = 0, taken: int = 0) -> bytes:
    numbers = [0] * 24
    numbers[9], numbers[11] = sent, received
    return struct.pack("=8x24I16xQQ100x", *(numbers + [acked, taken]))


DONE = message(3, struct.pack("=i", 0))


# --- recorded answers


def test_recorded_connections_have_their_clocks_and_listeners_none(recorded: Recorded) -> None:
    rows = recorded.tcp()
    assert set(rows) == {who + family for who in ("listener", "client", "accepted") for family in ("_v4", "_v6")}
    for family in ("_v4", "_v6"):
        listener, client, accepted = (rows[who + family] for who in ("listener", "client", "accepted"))
        assert (listener.state, listener.sent, listener.received) == (netlink.LISTEN, None, None)
        assert listener.port == accepted.port != client.port
        assert client.sent is not None and client.received is not None
        assert client.sent - client.received >= 1400, "the question was longer ago than the answer"
        assert (client.received, client.sent) == pytest.approx((accepted.sent, accepted.received), abs=100)
        # The kernel counts the first packet of a connection as a byte of whoever asked for it.
        assert (client.size, accepted.size) == (1008, 1007)
        assert client.queued == accepted.queued == 0


def test_recorded_unix_sockets_have_their_other_ends(recorded: Recorded) -> None:
    rows = recorded.unix()
    for one, other in (("left", "right"), ("client", "accepted"), ("packets", "other_packets")):
        assert rows[one].peer == recorded.inodes[other] and rows[other].peer == recorded.inodes[one]
        assert not rows[one].gone
    assert rows["packets"].type == socket.SOCK_SEQPACKET and rows["left"].type == socket.SOCK_STREAM
    assert (rows["widow"].peer, rows["widow"].gone) == (0, True)
    assert (rows["pending"].peer, rows["pending"].gone) == (0, False)
    assert "listener" not in rows


def test_a_recorded_name_is_that_of_the_listener(recorded: Recorded) -> None:
    (row,) = (netlink.read_unix(message) for message in recorded.messages("name"))
    assert row is not None and row.name == b"\0listener"


def test_nothing_is_made_of_what_is_not_wanted(recorded: Recorded) -> None:
    wanted = recorded.inodes["client_v4"]
    dump = netlink.gathered(recorded.answers["tcp"], 1, netlink._INET_INODE, lambda inode: inode == wanted)
    assert dump.whole and [netlink._INET_INODE.unpack_from(each) for each in dump.messages] == [(wanted,)]


# --- other kernels


@pytest.mark.parametrize("size", range(240))
def test_only_what_is_there_of_tcp_info_is_read(size: int) -> None:
    row = netlink.read_tcp(tcp_message(tcp_info(5000, 7000, 10, 20)[:size]))
    assert row is not None and (row.inode, row.state, row.port, row.queued) == (7, 1, 0x1600, 3)
    assert (row.sent, row.received) == ((5000, 7000) if size >= CLOCKS_END else (None, None))
    assert row.size == (30 if size >= BYTES_END else None)


@pytest.mark.parametrize("state", [2, 3, 6, 7, 10, 12, 13])
def test_only_what_is_connected_has_a_clock(state: int) -> None:
    row = netlink.read_tcp(tcp_message(tcp_info(0, 0), state))
    assert row is not None and (row.sent, row.received) == (None, None)


def test_an_answer_without_the_other_end_has_none() -> None:
    row = netlink.read_unix(struct.pack("=BBBxI8x", socket.AF_UNIX, 1, 1, 9))
    assert row == Unix(9, 1, 1, 0, False)


@pytest.mark.parametrize("kind", [2, 3])
@pytest.mark.parametrize("number", [errno.ENOENT, errno.EPROTONOSUPPORT, errno.EPERM])
def test_a_missing_module_is_told(kind: int, number: int) -> None:
    with pytest.raises(NotAvailable, match=errno.errorcode[number]):
        netlink.gathered([message(kind, struct.pack("=i", -number))], 1, netlink._INET_INODE, everything)


def test_there_are_systems_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_NETLINK")
    with pytest.raises(NotAvailable, match="not supported"):
        netlink.tcp_sockets(everything)
    assert netlink.unix_name(5) == b"" and netlink.closed_lately([22]) == {}


ROW = message(20, tcp_message(tcp_info(1, 2)))


@pytest.mark.parametrize(
    "parts",
    [
        [ROW],
        [],
        [b""],
        [ROW, b"", DONE],
        [ROW + b"\1" * 5, DONE],
        [ROW + message(3, struct.pack("=i", -errno.ENOMEM))],
        [ROW + message(3, b"")],
        [message(20, tcp_message(tcp_info(1, 2)), flags=0x12), DONE],
        [ROW, message(3, struct.pack("=i", 0), flags=0x12)],
        [ROW, message(20, b"short"), DONE],
        [ROW, message(4, bytes(100)), DONE],
        [ROW, message(17, bytes(100)), DONE],
        [ROW, struct.pack("=IHHII", 4, 20, 2, 1, 0), DONE],
        [ROW, struct.pack("=IHHII", 0, 20, 2, 1, 0), DONE],
        [ROW, struct.pack("=IHHII", 1 << 31, 20, 2, 1, 0), DONE],
        [ROW, message(3, struct.pack("=i", 0), answers=2)],
    ],
)
def test_what_is_cut_interrupted_or_garbled_is_not_whole(parts: List[bytes]) -> None:
    dump = netlink.gathered(parts, 1, netlink._INET_INODE, everything)
    assert not dump.whole
    assert [netlink.read_tcp(each) for each in dump.messages] in ([], [Tcp(7, 1, 0x1600, 3, 1, 2, 0, 0, 0)])


def test_other_answers_and_fillings_are_passed_over() -> None:
    parts = [message(20, tcp_message(tcp_info(0, 0), inode=8), answers=9), message(1, b"abc"), ROW, DONE]
    dump = netlink.gathered(parts, 1, netlink._INET_INODE, everything)
    assert dump.whole and [netlink._INET_INODE.unpack_from(each) for each in dump.messages] == [(7,)]


def test_a_table_that_changed_meanwhile_is_asked_for_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    text = tcp_message(tcp_info(1, 2))
    given_: List[Dump] = []

    def asked(*_words: object) -> Dump:
        return given_.pop(0)

    monkeypatch.setattr(netlink, "_asked", asked)
    given_[:] = [Dump([], False), Dump([text], True), Dump([], True)]
    assert netlink.tcp_sockets(everything) == ({7: Tcp(7, 1, 0x1600, 3, 1, 2, 0, 0, 0)}, True)
    given_[:] = [Dump([text], False), Dump([], False), Dump([], True), Dump([text], True)]
    assert netlink.tcp_sockets(everything) == ({7: Tcp(7, 1, 0x1600, 3, 1, 2, 0, 0, 0)}, False)


class Talker:
    """A socket on which everybody talks: first another process, then the kernel, too much for the room there is."""

    def __init__(self) -> None:
        self.said: List[Tuple[bytes, list, int, Tuple[int, int]]] = [  # type: ignore[type-arg]
            (b"forged", [], 0, (4711, 0)),
            (b"true", [], 0, (0, 0)),
            (b"cut", [], socket.MSG_TRUNC, (0, 0)),
        ]

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def recvmsg(self, _size: int) -> Tuple[bytes, list, int, Tuple[int, int]]:  # type: ignore[type-arg]
        return self.said.pop(0)


def test_only_the_kernel_is_listened_to() -> None:
    heard: Iterator[bytes] = netlink._datagrams(Talker(), time.monotonic() + 1000)  # type: ignore[arg-type]
    assert [next(heard), next(heard)] == [b"true", b""]


def test_nobody_waits_longer_than_there_is_time() -> None:
    assert netlink.unix_sockets(everything, 0) == ({}, False)
    silent, _other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with pytest.raises(socket.timeout):
        next(netlink._datagrams(silent, time.monotonic() + 0.01))


def test_a_long_table_is_read_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink, "_BYTES", 1)
    assert not netlink.unix_sockets(everything)[1]


def asked(sent: int, received: int, acknowledged: int, written: int = 9, read: int = 9, queued: int = 0) -> bool:
    return Tcp(7, 1, 22, queued, sent, received, acknowledged, written, read).unanswered


def test_who_has_asked_last_has_no_answer_yet() -> None:
    assert asked(1000, 5000, 900)
    assert not asked(5000, 1000, 1000)
    assert asked(5000, 1000, 1000, queued=7)


def test_a_question_right_after_an_answer_has_no_answer_yet() -> None:
    assert asked(500, 500, 456)
    assert not asked(500, 500, 500), "the answer came in the same moment"
    assert not asked(90500, 90500, 500), "only keep-alives since"
    assert asked(500, 500, 500, read=0), "there never was an answer"


def test_who_has_not_asked_waits_for_no_answer() -> None:
    assert not asked(500, 500, 500, written=1, read=0)
    assert not asked(500, 900, 500, written=1)
    assert not Tcp(7, 1, 22).unanswered and not Tcp(7, 1, 22, 5).unanswered


# --- whatever comes


TRUTH = [tcp_message(tcp_info(number, number * 2), inode=number) for number in range(1, 6)]


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_no_answer_raises(parts: List[bytes]) -> None:
    try:
        dump = netlink.gathered(parts, 1, netlink._UNIX_INODE, everything)
    except NotAvailable:
        return
    for each in dump.messages:
        netlink.read_tcp(each)
        netlink.read_unix(each)


@given(st.binary(max_size=400))
def test_no_message_raises(text: bytes) -> None:
    header = struct.pack("=BBBxI8x", 1, 1, 1, 1)
    for each in (text, header + text, tcp_message(b"")[:72] + text):
        netlink.read_tcp(each)
        netlink.read_unix(each)


@given(st.integers(0, sum(map(len, TRUTH)) + 5 * 16 + 20), st.booleans())
def test_what_is_cut_makes_no_clock_younger(size: int, ended: bool) -> None:
    whole = b"".join(message(20, text) for text in TRUTH) + DONE
    dump = netlink.gathered([whole[:size]] + ([DONE] if ended else []), 1, netlink._INET_INODE, everything)
    rows = [netlink.read_tcp(each) for each in dump.messages]
    assert rows == [netlink.read_tcp(text) for text in TRUTH[: len(rows)]]
    assert len(rows) == len(TRUTH) or not dump.whole or (ended and size % len(message(20, TRUTH[0])) == 0)


@given(st.integers(0, 72 + 8 + 4 + 236))
def test_a_cut_message_has_the_true_clock_or_none(size: int) -> None:
    row = netlink.read_tcp(tcp_message(tcp_info(5000, 7000))[:size])
    assert row is None or (row.sent, row.received) in ((5000, 7000), (None, None))


# --- the kernel itself


def inode(one: socket.socket) -> int:
    return os.fstat(one.fileno()).st_ino


@pytest.mark.parametrize("family, address", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::ffff:127.0.0.1")])
def test_the_kernel_tells_when_there_was_data(family: int, address: str) -> None:
    with socket.socket(family) as listener, socket.socket(family) as client:
        listener.bind((address, 0))
        listener.listen(1)
        client.connect(listener.getsockname())
        accepted, _address = listener.accept()
        with accepted:
            client.sendall(b"hello")
            accepted.recv(5, socket.MSG_WAITALL)
            done = time.monotonic()
            wanted = {inode(listener), inode(client), inode(accepted)}.__contains__
            rows: Dict[int, Tcp] = {}

            def is_old() -> bool:
                rows.update(netlink.tcp_sockets(wanted)[0])
                received = rows[inode(accepted)].received
                return received is not None and received > 200

            eventually(is_old, "the clock goes on")
            longest = (time.monotonic() - done) * 1000
            assert set(rows) == {inode(listener), inode(client), inode(accepted)}
            assert rows[inode(listener)].state == netlink.LISTEN and rows[inode(listener)].sent is None
            sent, received = rows[inode(client)].sent, rows[inode(accepted)].received
            assert sent is not None and received is not None
            assert abs(sent - received) < 1000 and received <= longest + 1000
            client.sendall(b"again")
            accepted.recv(5, socket.MSG_WAITALL)
            now, _whole = netlink.tcp_sockets(wanted)
            assert (now[inode(client)].size or 0) == (rows[inode(client)].size or 0) + 5


@pytest.mark.parametrize("before", [0, 1, 3])
def test_the_kernel_tells_who_has_not_been_answered(before: int) -> None:
    with socket.socket() as listener, socket.socket() as client:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        client.connect(listener.getsockname())
        accepted, _address = listener.accept()

        def row() -> Tcp:
            return netlink.tcp_sockets({inode(client)}.__contains__)[0][inode(client)]

        with accepted:
            for _number in range(before):
                client.sendall(b"question")
                accepted.recv(8, socket.MSG_WAITALL)
                accepted.sendall(b"answer")
                client.recv(6, socket.MSG_WAITALL)
            eventually(lambda: (row().received or 0) > 300, "nothing more goes over it")
            assert not row().unanswered
            client.sendall(b"question")
            accepted.recv(8, socket.MSG_WAITALL)
            eventually(lambda: row().unanswered, "it waits for the answer")
            accepted.sendall(b"answer")
            client.recv(6, socket.MSG_WAITALL)
            eventually(lambda: not row().unanswered, "it has been answered")


@pytest.mark.parametrize("family, address", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::ffff:127.0.0.1")])
def test_the_kernel_remembers_who_was_there(family: int, address: str) -> None:
    with socket.socket(family) as listener, socket.socket(family) as client:
        listener.bind((address, 0))
        listener.listen(1)
        port = listener.getsockname()[1]
        assert netlink.closed_lately([port]) == {}
        before = time.monotonic()
        client.connect(listener.getsockname())
        listener.accept()[0].close()
        client.close()
        ago = eventually(lambda: netlink.closed_lately([port, port ^ 1]), "it is remembered")
        assert set(ago) == {port} and 0 <= ago[port] <= (time.monotonic() - before) * 1000 + 1000


def test_the_kernel_tells_the_other_end_of_a_unix_socket() -> None:
    one, other = socket.socketpair()
    with one, other:
        row = netlink.unix_sockets({inode(one)}.__contains__)[0]
        assert row == {inode(one): Unix(inode(one), socket.SOCK_STREAM, netlink.ESTABLISHED, inode(other))}


def test_the_kernel_tells_the_name_of_a_unix_socket(tmp_path: Path) -> None:
    path = os.path.relpath(str(tmp_path / "s"))
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(path)
        listener.listen(1)
        client.connect(path)
        accepted, _address = listener.accept()
        with accepted:
            row = netlink.unix_sockets({inode(client)}.__contains__)[0][inode(client)]
            assert row.peer == inode(accepted)
            assert netlink.unix_name(row.peer).rstrip(b"\0") == os.fsencode(path)
    assert netlink.unix_name(row.peer) == b""
