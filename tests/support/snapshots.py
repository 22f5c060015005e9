# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots of the sessions of a test, and what of a session should be as it was when it is back."""

import json
import os
from typing import Any, Dict, List, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive, Retention
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session
from ansible_collections.fleet.tmux.tests.support.runs import Gently, captured, files_below, seen
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

NOW = 1800000000


class Store:
    """A place for snapshots."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.path = os.path.join(world.folder, "snapshots")
        self.user = seen(world).server.user
        self.discreet = False

    def archive(self, colors: bool = False, **retention: Any) -> Archive:
        made = Archive(self.path, colors, Retention(**retention))
        made.prepare()
        return made

    def save(self, identity: str, colors: bool = False, owner: Optional[User] = None) -> str:
        """Save one session; the path of its snapshot."""
        session = self.world.session(identity)
        one = seen(self.world)
        one.client.discreet = self.discreet
        return self.archive(colors).save(one, session, owner or self.user, NOW).path

    def manner(self, **more: Any) -> Gently:
        return Gently(archive=Archive(self.path, False, Retention(**more)))

    @property
    def incoming(self) -> List[str]:
        return sorted(os.listdir(os.path.join(self.path, ".incoming")))

    @property
    def whole(self) -> List[str]:
        """All snapshots that are there."""
        return [os.path.dirname(path) for path in files_below(self.path) if path.endswith("/session.json")]


def described(path: str) -> Dict[str, Any]:
    with open(os.path.join(path, "session.json"), encoding="ascii") as stream:
        found = json.load(stream)
    return dict(found)


def shape(session: Session) -> List[Any]:
    """All that should be as it was."""
    return [
        (
            window.number,
            window.name,
            window.active,
            (window.width, window.height),
            [(pane.width, pane.height, pane.active, pane.path) for pane in window.panes],
        )
        for window in session.windows
    ]


def settled(world: World, identity: str) -> Session:
    """The session when the processes in it have their directories."""
    world.begun(identity)
    eventually(lambda: all(pane.path for pane in world.session(identity).panes), "they are there")
    return world.session(identity)


def rich(world: World) -> str:
    """A session with windows, layouts, directories, and something to see in each pane."""
    identity = world.tmux(
        "new-session", "-d", "-P", "-F", "#{session_id}", "-s", "work", "-x", "100", "-y", "40", "-c", "/usr",
        "echo one; exec cat",
    )  # fmt: skip
    world.tmux("rename-window", "-t", identity + ":0", "a #{pid} 'b'")
    for split, folder in (("-h", "/tmp"), ("-v", "/etc"), ("-v", "/")):
        world.tmux("split-window", split, "-t", identity + ":0", "-c", folder, "echo in %s; exec cat" % folder)
    world.tmux("new-window", "-d", "-t", identity + ":7", "-n", "seven", "-c", "/var", "echo seven; exec cat")
    world.tmux("split-window", "-d", "-t", identity + ":7", "-l", "5", "-c", "/", "echo low; exec cat")
    world.tmux("select-pane", "-t", identity + ":0.1")
    world.tmux("select-window", "-t", identity + ":7")
    eventually(lambda: all(len(captured(world, pane.id)) for pane in world.session(identity).panes), "all have printed")
    return identity
