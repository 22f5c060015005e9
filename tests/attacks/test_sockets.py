# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets of others, and those in other namespaces: what is not known keeps, and nobody loses what is known of his."""

import contextlib
import ctypes
import os
import subprocess
import sys
from typing import Dict, Iterator, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.connections import ROWS
from ansible_collections.fleet.tmux.tests.attacks.realm import Result, Tmux, become, environment, prune, spawn
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, Account
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually

CLONE_NEWNET = 0x40000000
_EACH = 450

CONNECTIONS = """
import signal, socket, sys
held = []
for number in range(int(sys.argv[1])):
    if number % 1000 == 0:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)
        held.append(listener)
    held += [socket.create_connection(listener.getsockname()), listener.accept()[0]]
print("ready", flush=True)
signal.pause()
"""
"""So many connections, both ends of each in one process."""

TALKS = """
import socket, time
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(1)
near, far = socket.create_connection(listener.getsockname()), listener.accept()[0]
while True:
    near.sendall(b"x")
    far.recv(1)
    time.sleep(%s)
"""


def loopback() -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def verdicts(result: Result) -> Dict[str, Tuple[str, str]]:
    """Reason and detail of each of his sessions."""
    found = result["removed"] + result["kept"]
    return {item["name"]: (item["reason"], item["detail"]) for item in found if item["owner"] == BOB.name}


@contextlib.contextmanager
def elsewhere(tmux: Tmux, session: str, connections: int) -> Iterator[None]:
    """A process of his that works in a session, in a network namespace of its own."""

    def enter() -> None:
        if ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
            os._exit(1)
        loopback()
        become(BOB)()

    pane = tmux("display-message", "-p", "-t", "=%s:" % session, "#{pane_id}")
    env = dict(environment(BOB), TMUX="%s,%d,0" % (tmux.path, tmux.pid()), TMUX_PANE=pane)
    words = [sys.executable, "-c", CONNECTIONS, str(connections)]
    process = spawn(BOB, *words, env=env, stdout=subprocess.PIPE, preexec_fn=enter)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


@contextlib.contextmanager
def many_connections(account: Account, number: int) -> Iterator[None]:
    """So many connections of a user, in as many processes as it takes where each may open a thousand files."""
    words = [sys.executable, "-c", CONNECTIONS, str(_EACH)]
    crowd = [spawn(account, *words, stdout=subprocess.PIPE) for _number in range(-(-number // _EACH))]
    try:
        for process in crowd:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        yield
    finally:
        for process in crowd:
            process.kill()
            process.communicate(timeout=PATIENCE)


def test_a_connection_in_another_network_namespace_keeps_and_the_namespace_alone_does_not() -> None:
    tmux = Tmux(BOB).start("connected", "alone")
    with elsewhere(tmux, "connected", 1), elsewhere(tmux, "alone", 0):

        def the_other_goes() -> bool:
            found = verdicts(prune(check=True, idle="3s"))
            return found["alone"][0] == "idle" and found["connected"][0] != "active"

        eventually(the_other_goes, "the other one is idle")
        reason, detail = verdicts(prune(idle="3s"))["connected"]
    assert reason == "unknown" and "another network namespace" in detail
    assert tmux.names() == ["connected"]


def test_many_sockets_of_one_user_cost_nobody_his_clock() -> None:
    loopback()
    tmux = Tmux(BOB).start("forgotten")
    tmux("new-session", "-d", "-s", "talks", "--", sys.executable, "-c", TALKS % 0.2)
    tmux("new-session", "-d", "-s", "silent", "--", sys.executable, "-c", TALKS % 10000)
    with many_connections(ALICE, ROWS // 2 + 100):

        def all_are_idle() -> bool:
            found = verdicts(prune(check=True, idle="5s"))
            return found["forgotten"][0] == found["silent"][0] == "idle"

        eventually(all_are_idle, "nothing happens in the others")
        reason, detail = verdicts(prune(idle="5s"))["talks"]
    assert reason == "active" and detail.startswith("data on a TCP connection")
    assert tmux.names() == ["talks"]
