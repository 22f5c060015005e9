# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record what this kernel answers about a few sockets, for test_netlink.py. As root:

    PYTHONPATH=/where/ansible_collections/is unshare --net python tests/support/record_sockets.py

Each answer is written to sockets/KERNEL.json of that test, with the inodes of the sockets by what they are.
"""

import json
import os
import platform
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List
from unittest.mock import patch

from ansible_collections.fleet.tmux.plugins.module_utils._host import netlink

SOCKETS = Path(__file__).parents[1] / "unit" / "plugins" / "module_utils" / "_host" / "fixtures" / "sockets"
PAUSE = 1.5


def connected(family: int, host: str) -> List[socket.socket]:
    """A listener, and both ends of a connection to it over which 1000 bytes went, 7 came back, and nothing more."""
    listener = socket.socket(family)
    listener.bind((host, 0))
    listener.listen(1)
    client = socket.socket(family)
    client.connect(listener.getsockname())
    accepted, _address = listener.accept()
    client.sendall(b"x" * 1000)
    accepted.recv(1000, socket.MSG_WAITALL)
    time.sleep(PAUSE)
    accepted.sendall(b"thanks\n")
    client.recv(7, socket.MSG_WAITALL)
    return [listener, client, accepted]


def unix_sockets() -> Dict[str, socket.socket]:
    """Unix sockets of every kind."""
    left, right = socket.socketpair()
    widow, gone = socket.socketpair()
    gone.close()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("\0listener")
    listener.listen(5)
    client, pending = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    client.connect("\0listener")
    accepted, _address = listener.accept()
    pending.connect("\0listener")
    packets, other_packets = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return {
        "left": left,
        "right": right,
        "widow": widow,
        "listener": listener,
        "client": client,
        "accepted": accepted,
        "pending": pending,
        "packets": packets,
        "other_packets": other_packets,
    }


def main() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    named = unix_sockets()
    for family, host in (("v4", "127.0.0.1"), ("v6", "::1")):
        three = connected(socket.AF_INET if family == "v4" else socket.AF_INET6, host)
        named.update(zip(("listener_" + family, "client_" + family, "accepted_" + family), three))
    time.sleep(PAUSE)
    answers: List[List[str]] = []
    real = netlink.gathered

    def noted(datagrams: Iterable[bytes], *more: Any) -> netlink.Dump:
        answers.append([])
        return real(_copied(datagrams, answers[-1]), *more)

    with patch.object(netlink, "gathered", noted):
        netlink.tcp_sockets(lambda inode: True)
        netlink.unix_sockets(lambda inode: True)
        netlink.unix_name(os.fstat(named["accepted"].fileno()).st_ino)
    kept = dict(zip(("tcp", "tcp6", "unix", "name"), answers))
    inodes = {name: os.fstat(each.fileno()).st_ino for name, each in named.items()}
    SOCKETS.mkdir(parents=True, exist_ok=True)
    path = SOCKETS / (".".join(platform.release().split(".")[:2]) + ".json")
    path.write_text(json.dumps({"inodes": inodes, "answers": kept}, indent=1) + "\n", encoding="utf-8")


def _copied(datagrams: Iterable[bytes], to: List[str]) -> Iterator[bytes]:
    for data in datagrams:
        to.append(data.hex())
        yield data


if __name__ == "__main__":
    main()
