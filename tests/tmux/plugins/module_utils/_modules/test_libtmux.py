# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tmux_session_info returns of a server is what libtmux sees there, which has grown without us."""

from typing import Any, Callable, Dict, Iterator, List

import libtmux
import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._modules.info import Wish, describe
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host
from ansible_collections.fleet.tmux.tests.support.programs import binaries, label, version_of
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

Json = Dict[str, Any]
KNOWN = [binary for binary in binaries() if version_of(binary) >= (3, 2)]
"""The tmux that libtmux speaks to."""


@pytest.fixture(params=KNOWN, ids=[label(binary) for binary in KNOWN])
def server(request: pytest.FixtureRequest) -> Iterator[World]:
    """A server of its own with one session, ``first``."""
    world = World(request.param)
    try:
        world.start()
        world.tmux("set-option", "-g", "automatic-rename", "off")
        yield world
    finally:
        world.stop()


# --- both of them


def ours(world: World) -> List[Json]:
    """The sessions as tmux_session_info returns them."""
    seen = look_at(Host(world.binary, PATIENCE, Directory(PATIENCE)), world.path)
    told = describe([seen], Wish(None, ("panes",), 0), 0)
    assert (told.trouble, told.unlisted) == ([], [])
    return list(told.sessions)


def number(text: Any) -> int:
    return int(text or 0)


def pane_of(pane: libtmux.Pane) -> Json:
    dead = pane.pane_dead == "1"
    return {
        "id": pane.pane_id,
        "index": number(pane.pane_index),
        "active": pane.pane_active == "1",
        "pid": None if dead else number(pane.pane_pid),
        "command": pane.pane_current_command or "",
        "start_command": pane.pane_start_command or "",
        "path": pane.pane_current_path or "",
        "title": pane.pane_title or "",
        "width": number(pane.pane_width),
        "height": number(pane.pane_height),
        "dead": dead,
        "exit_status": number(pane.pane_dead_status) if dead and pane.pane_dead_status else None,
    }


def window_of(window: libtmux.Window) -> Json:
    return {
        "id": window.window_id,
        "index": number(window.window_index),
        "name": window.window_name,
        "active": window.window_active == "1",
        "activity": number(window.window_activity),
        "width": number(window.window_width),
        "height": number(window.window_height),
        "layout": window.window_layout,
        "panes": [pane_of(pane) for pane in window.panes],
    }


def session_of(session: libtmux.Session) -> Json:
    return {
        "name": session.session_name,
        "id": session.session_id,
        "created": number(session.session_created),
        "attached": number(session.session_attached),
        "group": session.session_group or None,
        "windows": [window_of(window) for window in session.windows],
    }


def theirs(world: World) -> List[Json]:
    """The same as libtmux sees them."""
    found = libtmux.Server(socket_path=world.path, tmux_bin=world.binary)
    return [session_of(session) for session in found.sessions]


def alike(mine: Any, other: Any) -> Any:
    """Of ours what libtmux tells too."""
    if isinstance(other, dict):
        return {key: alike(mine[key], other[key]) for key in other}
    if isinstance(other, list):
        assert len(mine) == len(other)
        return [alike(*pair) for pair in zip(mine, other)]
    return mine


def sorted_by_id(sessions: List[Json]) -> List[Json]:
    return sorted(sessions, key=lambda session: int(session["id"][1:]))


# --- what there is to see


def many_windows(world: World) -> None:
    """With gaps in their numbers, one of the last the current one."""
    for index in range(3, 60, 2):
        world.tmux("new-window", "-d", "-t", "first:%d" % index, "-n", "w%d" % index, "exec cat")
    world.tmux("select-window", "-t", "first:41")
    world.tmux("select-window", "-t", "first:7")


def many_panes(world: World) -> None:
    """Of other sizes, in several layouts, one window zoomed, one pane with a title, one in another directory."""
    world.tmux("new-session", "-d", "-s", "panes", "-x", "200", "-y", "60", "exec cat")
    for place in range(9):
        world.tmux("split-window", "-d", "-h" if place % 2 else "-v", "-t", "=panes:", "-c", "/etc", "exec cat")
        world.tmux("select-layout", "-t", "=panes:", "tiled")
    world.tmux("select-pane", "-t", "=panes:.4", "-T", "a title | of words")
    world.tmux("select-pane", "-t", "=panes:.6")
    world.tmux("new-window", "-t", "=panes:", "exec cat")
    world.tmux("split-window", "-h", "-l", "30", "-t", "=panes:", "exec cat # \"quoted\" $HOME 'x'")
    world.tmux("resize-pane", "-Z", "-t", "=panes:")


def groups(world: World) -> None:
    """Sessions that share all their windows, and one window that is in two others."""
    world.tmux("new-window", "-d", "-t", "first:", "-n", "shared", "exec cat")
    for name in ("second", "third"):
        world.tmux("new-session", "-d", "-t", "=first", "-s", name)
    world.tmux("select-window", "-t", "=second:shared")
    world.new("alone")
    world.tmux("link-window", "-d", "-s", "=first:shared", "-t", "=alone:9")


def odd_names(world: World) -> None:
    """Whatever every tmux stores as it is."""
    for name in ("two words", "\u00e9\u4e2d\U0001f642", "a;b", "100%", 'it\'s "so"', "-t", "{x}", "a|b", "=first"):
        world.new(name)
    for name in ("two words", "\u00e9\u4e2d\U0001f642", "a;b", "100%", 'it\'s "so"', "a|b|c", "twice", "twice"):
        world.tmux("new-window", "-d", "-t", "first:", "-n", name, "exec cat")


def ended(world: World) -> None:
    """Commands that have ended and are still shown, and one that runs beside them."""
    world.tmux("set-option", "-g", "remain-on-exit", "on")
    for status in (0, 3):
        world.tmux("new-session", "-d", "-s", "ended-%d" % status, "exit %d" % status)
    world.tmux("split-window", "-d", "-t", "=ended-3:", "exec cat")
    eventually(lambda: world.reap() and all_ended(world), "both have ended")


def all_ended(world: World) -> bool:
    statuses = world.tmux("list-panes", "-a", "-F", "#{?pane_dead,#{pane_dead_status},-}").split()
    return world.reap() and sorted(statuses) == ["-", "-", "0", "3"]


@pytest.mark.parametrize("shape", [many_windows, many_panes, groups, odd_names, ended])
def test_both_see_the_same(server: World, shape: Callable[[World], None]) -> None:
    shape(server)
    eventually(lambda: has_begun(server), "all programs have begun")
    seen = sorted_by_id(theirs(server))
    assert alike(sorted_by_id(ours(server)), seen) == seen


def has_begun(world: World) -> bool:
    running = world.tmux("list-panes", "-a", "-F", "#{?pane_dead,,#{pane_current_command}}")
    return set(running.split()) == {"cat"}


def test_both_see_who_is_attached(server: World) -> None:
    server.new("other")
    with server.attached("$0"):
        seen = sorted_by_id(theirs(server))
        assert [session["attached"] for session in seen] == [1, 0]
        assert alike(sorted_by_id(ours(server)), seen) == seen
