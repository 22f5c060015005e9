# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes over a session's TCP connections keeps it; a kernel that does not tell of that is told of once."""

import os
import socket
import sys
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.hands import Settings
from ansible_collections.fleet.tmux.plugins.module_utils._host import netlink
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._modules import prune_owners
from ansible_collections.fleet.tmux.plugins.module_utils._modules.owners import Owner
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune_owners import Order, Told
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Limits
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host, Server, locate
from ansible_collections.fleet.tmux.tests.support.programs import binaries
from ansible_collections.fleet.tmux.tests.support.runs import EVERYTHING
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

PROGRAM = """
import signal, socket, sys
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
open(sys.argv[2], "w").close()
while connection.recv(100):
    pass
signal.pause()
"""


@pytest.fixture
def worlds() -> Iterator[List[World]]:
    made = [World(binaries()[0]) for _number in range(2)]
    for world in made:
        world.start()
    yield made
    for world in made:
        world.stop()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(5)
        yield one


def connect(world: World, listener: socket.socket) -> socket.socket:
    """Make a session that has a connection, and waits for what comes over it; our end."""
    ready = os.path.join(world.folder, "ready")
    world.new("connected", sys.executable, "-c", PROGRAM, str(listener.getsockname()[1]), ready)
    accepted, _address = listener.accept()
    eventually(lambda: os.path.exists(ready), "it is connected")
    return accepted


def finding(world: World) -> Callable[[Host], List[Server]]:
    return lambda host: [locate(host, world.path)]


def told(worlds: List[World], policy: Policy) -> Tuple[Dict[str, Any], Told]:
    host = Host(worlds[0].binary, PATIENCE, Directory(PATIENCE))
    chosen = [Owner(str(number), "owner-%d" % number, finding(world)) for number, world in enumerate(worlds)]
    order = Order(policy, Limits(None, None), Settings(), True, False)
    made = prune_owners.prune_all(host, chosen, order)
    result, problem = made.result("host", diff=False)
    assert problem is None
    return result, made


def reasons(result: Dict[str, Any], world: World) -> Dict[str, Tuple[str, str]]:
    return {
        item["name"]: (item["reason"], item["detail"])
        for key in ("removed", "kept")
        for item in result[key]
        if item["socket"] == world.path
    }


def missing(*_words: object) -> None:
    raise netlink.NotAvailable("ENOENT")


def test_a_kernel_that_tells_no_clocks_is_told_of_once(
    worlds: List[World], listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = [connect(world, listener) for world in worlds]
    monkeypatch.setattr(netlink, "tcp_sockets", missing)
    result, made = told(worlds, EVERYTHING)
    for world in worlds:
        found = reasons(result, world)
        assert found["first"][0] == "idle"
        assert found["connected"][0] == "unknown" and "(the kernel does not tell: ENOENT)" in found["connected"][1]
    (sentence,) = made.trouble
    assert "tcp_diag" in sentence and "ENOENT" in sentence
    for connection in ours:
        connection.close()


def test_where_nobody_has_a_connection_nothing_is_said_of_clocks(
    worlds: List[World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(netlink, "tcp_sockets", missing)
    result, made = told(worlds, EVERYTHING)
    assert reasons(result, worlds[0])["first"][0] == "idle" and made.trouble == []


def test_data_keeps_a_session_that_shows_nothing(worlds: List[World], listener: socket.socket) -> None:
    connection = connect(worlds[0], listener)
    idle = EVERYTHING._replace(idle=3)

    def verdict() -> Tuple[str, str]:
        return reasons(told(worlds, idle)[0], worlds[0])["connected"]

    eventually(lambda: verdict()[0] == "idle", "nothing goes over it")

    def is_kept() -> bool:
        connection.sendall(b"more")
        reason, detail = verdict()
        return reason == "active" and detail.startswith("data on a TCP connection")

    eventually(is_kept, "data goes over it")
    connection.close()
