# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables of sockets are read once; what many others have made costs nobody what is his, and unknown is not "none"."""

import os
import socket
from pathlib import Path
from typing import Dict, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import connections, netlink
from ansible_collections.fleet.tmux.plugins.module_utils._host.connections import Sockets, Unread
from ansible_collections.fleet.tmux.plugins.module_utils._host.netlink import NotAvailable, Tcp, Unix, Wanted
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Processes

HEAD = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


ME = os.getpid()


class Kernel:
    """A kernel with many connections. ``asked``: how often it was asked."""

    def __init__(self, inodes: List[int], whole: bool = True) -> None:
        self.inodes = inodes
        self.whole = whole
        self.asked = 0

    def tcp_sockets(self, wanted: Wanted, _seconds: float = 0) -> Tuple[Dict[int, Tcp], bool]:
        self.asked += 1
        return {each: Tcp(each, 1, 22) for each in self.inodes if wanted(each)}, self.whole

    def unix_sockets(self, wanted: Wanted, _seconds: float = 0) -> Tuple[Dict[int, Unix], bool]:
        self.asked += 1
        return {each: Unix(each, 1, 1, each + 1) for each in self.inodes if wanted(each)}, self.whole


def kernel(monkeypatch: pytest.MonkeyPatch, inodes: List[int], whole: bool = True) -> Kernel:
    one = Kernel(inodes, whole)
    monkeypatch.setattr(netlink, "tcp_sockets", one.tcp_sockets)
    monkeypatch.setattr(netlink, "unix_sockets", one.unix_sockets)
    return one


def test_a_table_is_read_once_and_only_if_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    one = kernel(monkeypatch, [5, 6])
    sockets = Sockets(Processes({}))
    assert one.asked == 0
    assert (sockets.tcp(ME, 5), sockets.tcp(ME, 7)) == (Tcp(5, 1, 22), None)
    assert one.asked == 1
    assert (sockets.unix(6), sockets.unix(7)) == (Unix(6, 1, 1, 7), None)
    assert one.asked == 2 and sockets.without_clocks == ""


def test_who_was_there_lately_is_asked_once_and_by_the_ports_that_are_open(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {5: Tcp(5, netlink.LISTEN, 80), 6: Tcp(6, netlink.ESTABLISHED, 81)}
    monkeypatch.setattr(netlink, "tcp_sockets", lambda _wanted: (rows, True))
    asked: List[object] = []

    def closed_lately(ports: object) -> Dict[int, int]:
        asked.append(ports)
        return {80: 7}

    monkeypatch.setattr(netlink, "closed_lately", closed_lately)
    sockets = Sockets(Processes({}))
    assert (sockets.closed_lately(ME, 80), sockets.closed_lately(ME, 81)) == (7, None)
    assert asked == [{80}]
    monkeypatch.setattr(connections, "namespace", lambda pid, kind: "net:[%s]" % pid)
    assert Sockets(Processes({})).closed_lately(ME, 80) is None


def test_of_a_long_table_only_what_may_be_asked_for_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    one = kernel(monkeypatch, list(range(3 * connections.ROWS)))
    processes = Processes({})
    monkeypatch.setattr(processes, "sockets", lambda: {3 * connections.ROWS - 1, 3 * connections.ROWS + 1})
    sockets = Sockets(processes)
    assert sockets.tcp(ME, 3 * connections.ROWS - 1) == Tcp(3 * connections.ROWS - 1, 1, 22)
    assert sockets.tcp(ME, 3 * connections.ROWS + 1) is None
    with pytest.raises(Unread):
        sockets.tcp(ME, 4)
    assert one.asked == 2


def test_what_was_not_read_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel(monkeypatch, [5], whole=False)
    sockets = Sockets(Processes({}))
    assert sockets.tcp(ME, 5) == Tcp(5, 1, 22) and sockets.unix(5) == Unix(5, 1, 1, 6)
    with pytest.raises(Unread, match="too many"):
        sockets.tcp(ME, 6)
    with pytest.raises(Unread, match="too many"):
        sockets.unix(6)


def missing(_wanted: Wanted, _seconds: float = 0) -> Tuple[Dict[int, Tcp], bool]:
    raise NotAvailable("ENOENT")


def test_without_the_module_connections_are_known_but_not_their_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink, "tcp_sockets", missing)
    monkeypatch.setattr(netlink, "unix_sockets", missing)
    with socket.socket() as listener, socket.socket() as client:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        client.connect(listener.getsockname())
        sockets = Sockets(Processes({}))
        row, other = (sockets.tcp(ME, os.fstat(each.fileno()).st_ino) for each in (client, listener))
        assert row is not None and other is not None
        assert (row.state, row.sent, row.received) == (netlink.ESTABLISHED, None, None)
        assert (other.state, other.port) == (netlink.LISTEN, listener.getsockname()[1])
    assert sockets.without_clocks == "ENOENT"
    assert sockets.tcp(ME, 1 << 40) is None
    with pytest.raises(Unread, match="ENOENT"):
        sockets.unix(5)


def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tcp: bytes, tcp6: bytes = b"") -> None:
    monkeypatch.setattr(connections, "PROC", str(tmp_path))
    (tmp_path / "41" / "net").mkdir(parents=True)
    (tmp_path / "41" / "net" / "tcp").write_bytes(HEAD + tcp)
    (tmp_path / "41" / "net" / "tcp6").write_bytes(HEAD + tcp6)


def line(state: int, inode: int, address: str = "0100007F:0016") -> bytes:
    end = "00000000:00000000 00:00000000 00000000  1000        0"
    return (
        "   0: %s 0100007F:9C40 %02X %s %d 1 0000000000000000 20 4 30 10 -1\n" % (address, state, end, inode)
    ).encode()


def test_the_connections_of_another_namespace_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = b"".join(line(state, 100 + state) for state in range(1, 14))
    folder(tmp_path, monkeypatch, every, line(1, 200, "00000000000000000000000001000000:0050"))
    found, whole = connections.tcp_without_clocks(lambda inode: inode != 104, 41)
    assert whole and set(found) == {100 + state for state in netlink.CONNECTED | {netlink.LISTEN}} - {104} | {200}
    assert found[200] == Tcp(200, netlink.ESTABLISHED, 80, there=40000)


@pytest.mark.parametrize("bad", [b"nonsense\n", b"\n", b"0: \xff\xfe 1 zz 3 4 5 6 7 8 9 10\n", line(1, 5)[:40]])
def test_nonsense_is_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: bytes) -> None:
    folder(tmp_path, monkeypatch, line(1, 7) + bad + line(1, 8))
    found, whole = connections.tcp_without_clocks(lambda inode: True, 41)
    assert 7 in found and not whole


def test_a_table_that_takes_too_long_is_not_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path, monkeypatch, line(1, 7) + line(1, 8))
    monkeypatch.setattr(netlink, "SECONDS", -1.0)
    assert connections.tcp_without_clocks(lambda inode: True, 41) == ({7: Tcp(7, 1, 22, there=40000)}, False)


def test_a_table_that_may_not_be_read_is_not_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path, monkeypatch, line(1, 7))
    (tmp_path / "41" / "net" / "tcp6").unlink()
    assert connections.tcp_without_clocks(lambda inode: True, 41) == ({7: Tcp(7, 1, 22, there=40000)}, True)
    (tmp_path / "41" / "net" / "tcp6").mkdir()
    assert connections.tcp_without_clocks(lambda inode: True, 41) == ({7: Tcp(7, 1, 22, there=40000)}, False)
    assert connections.tcp_without_clocks(lambda inode: True, 42) == ({}, True)
