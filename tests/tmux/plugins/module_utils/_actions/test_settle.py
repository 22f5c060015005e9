# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that does not notice how processes end keeps nobody waiting."""

import contextlib
import os
import signal
from typing import Any, Callable, Iterator, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import wait
from ansible_collections.fleet.tmux.plugins.module_utils._actions.create import Creator, NewSession
from ansible_collections.fleet.tmux.plugins.module_utils._actions.settle import CLOSED
from ansible_collections.fleet.tmux.plugins.module_utils._actions.wait import NO_STATUS, Waiting, Wish
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Hung
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

LEAVES = "trap '' HUP; exec sleep %d </dev/null >/dev/null 2>&1" % PATIENCE
"""Its pane dies, and it does not end: so nobody can tell how. Since tmux 3.7 no pane is dead before that is known."""


@pytest.fixture
def hung(server: World, monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """The calls that had no answer, where whoever waits for a process of the server's own waits for long."""
    server.run("set-option", "-s", "command-alias[100]", "run-shell=run-shell -d %d" % PATIENCE)
    call: Callable[..., bytes] = Client.call
    found: List[str] = []

    def watched(client: Client, *args: Any, **more: Any) -> bytes:
        client.timeout = 30.0
        try:
            return call(client, *args, **more)
        except Hung as error:
            found.append(error.message)
            raise

    monkeypatch.setattr(Client, "call", watched)
    return found


def knows(world: World) -> bool:
    return world.version.at_least(3, 7)


@contextlib.contextmanager
def left(world: World, session: str, before: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Wait until the pane of a session is dead, where it can be; what has left it ends with this."""
    (pid,) = world.tmux("list-panes", "-t", session, "-F", "#{pane_pid}").split()
    try:
        before()
        show = ("display-message", "-p", "-t", session, "#{pane_dead}")
        eventually(lambda: os.path.samefile("/proc/%s/fd/0" % pid, os.devnull), "it has left its pane")
        eventually(lambda: knows(world) or world.tmux(*show) == "1", "its pane is dead")
        yield
    finally:
        os.kill(int(pid), signal.SIGKILL)


def test_a_new_session_is_judged_though_the_server_notices_no_end(server: World, hung: List[str]) -> None:
    maker = Creator(server.client(), os.geteuid() == 0)
    made = maker.create(NewSession("bad", None, ("sh", "-c", LEAVES), "/", (), None, None, None))
    with left(server, made or ""):
        problem = maker.settle().get("bad")
    assert problem is None if knows(server) else CLOSED in (problem or "")
    assert hung == []


def test_a_session_is_waited_for_though_the_server_notices_no_end(
    server: World, hung: List[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process stands for that which is not seen to run on."""
    monkeypatch.setattr(wait, "outlived", lambda *_args: None)
    identity = server.new("job", "sh", "-c", "read go; " + LEAVES)
    server.tmux("set-option", "-w", "-t", identity + ":", "remain-on-exit", "on")
    with left(server, identity, lambda: server.tmux("send-keys", "-t", identity + ":", "Enter")):
        waiting = Waiting(look_at(Host(server.binary, PATIENCE, Directory(PATIENCE)), server.path), Wish(["job"]))
        waiting.wait(1.0 if knows(server) else PATIENCE)
        (fate,) = waiting.fates
    assert fate.exit_status is None and fate.over == fate.ended == (not knows(server))
    assert fate.over == (NO_STATUS in fate.reason)
    assert hung == []
