# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What real editors leave in files and on the screens of a real tmux: text that is not saved is found, and no other."""

import os
import shutil
import signal
from typing import List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes
from ansible_collections.fleet.tmux.plugins.module_utils._signs.editors import editors
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import Scene
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import Members
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.screens import Screens
from ansible_collections.fleet.tmux.tests.support.processes import stopped
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

VIM = (shutil.which("vim.tiny") or "vim", "-u", "NONE", "-i", "NONE", "-N")
NANO = ("nano", "--ignorercfiles")
NOT_SAVED = ["notes.txt is not saved"]
MAY = ["its text may not be saved"]


class Desk:
    """A session in which somebody writes, in a directory with two files."""

    def __init__(self, world: World, *argv: str) -> None:
        self.world = world
        self.folder = os.path.join(world.folder, "work")
        os.mkdir(self.folder)
        for name in ("notes.txt", "other.txt"):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write("the first line of %s\n" % name)
        # A shell that stays: a program that ends, or is stopped, leaves a pane with a prompt.
        words = ("new-session", "-d", "-P", "-F", "#{session_id}", "-x", "80", "-y", "24", "-c", self.folder, "sh")
        self.identity = world.tmux(*words)
        self.line(" ".join("'%s'" % word for word in argv))

    def line(self, text: str) -> None:
        self.world.tmux("send-keys", "-t", self.identity, "-l", text)
        self.press("Enter")

    def press(self, *keys: str) -> None:
        self.world.tmux("send-keys", "-t", self.identity, *keys)

    def shows(self, text: str) -> None:
        # Lines that were wrapped are joined: where a shell writes after a stop, the program's cursor has decided.
        show = ("capture-pane", "-p", "-J", "-t", self.identity)
        eventually(lambda: text in self.world.tmux(*show), "it shows %r" % text)

    def is_at_the_prompt(self) -> None:
        """Wait until the shell has its terminal back: what is typed before goes to the program."""
        show = ("display-message", "-p", "-t", self.identity, "#{pane_current_command}")
        eventually(lambda: self.world.tmux(*show) == "sh", "the shell has its terminal back")

    def on_disk(self, name: str, text: str) -> None:
        def is_there() -> bool:
            with open(os.path.join(self.folder, name), encoding="utf-8") as file:
                return text in file.read()

        eventually(is_there, "%s has %r" % (name, text))

    def processes(self) -> Tuple[Process, ...]:
        self.table = Processes.of(self.world.user.uid)
        own = Members(self.table).of(self.world.session(self.identity), self.world.pid(), self.world.user.uid)
        assert own is not None
        return own

    def told(self) -> List[str]:
        """What the signs say."""
        own, session = self.processes(), self.world.session(self.identity)
        scene = Scene(self.table, self.world.user)
        found = cast(session, own, scene, lambda _name: False)._replace(screens=Screens(self.world.client()))
        return [sign.full or sign.what for sign in editors(found, scene)]

    def tells(self, expected: List[str]) -> None:
        eventually(lambda: self.told() == expected, "it tells %s and not %s" % (expected, self.told()))


def test_vim_until_it_is_saved(server: World) -> None:
    desk = Desk(server, *VIM, "notes.txt")
    desk.shows("the first line of notes.txt")
    assert desk.told() == []
    desk.press("i", "x", "Escape")
    desk.shows("xthe first line")
    desk.tells(NOT_SAVED)
    desk.line(":w")
    desk.on_disk("notes.txt", "xthe first line")
    desk.tells([])


def test_vim_with_a_text_that_is_not_shown(server: World) -> None:
    desk = Desk(server, *VIM, "notes.txt")
    desk.shows("the first line of notes.txt")
    desk.press("i", "x", "Escape")
    desk.line(":hide edit other.txt")
    desk.shows("the first line of other.txt")
    desk.tells(NOT_SAVED)


def test_a_stopped_vim(server: World) -> None:
    desk = Desk(server, *VIM, "notes.txt")
    desk.shows("the first line of notes.txt")
    desk.press("i", "x", "Escape")
    desk.shows("xthe first line")
    desk.press("C-z")
    desk.is_at_the_prompt()
    desk.tells(NOT_SAVED)


@pytest.mark.parametrize(
    ("argv", "shows", "told"),
    [
        ((*VIM, "-R", "notes.txt"), "the first line", []),
        ((*VIM, "-n", "notes.txt"), "the first line", MAY),
        ((*VIM,), "~", []),
        ((*NANO, "--view", "notes.txt"), "the first line", []),
    ],
)
def test_an_editor_in_which_nothing_was_typed(
    server: World, argv: Tuple[str, ...], shows: str, told: List[str]
) -> None:
    desk = Desk(server, *argv)
    desk.shows(shows)
    desk.tells(told)


def test_a_vim_that_only_views_and_writes_all_the_same(server: World) -> None:
    desk = Desk(server, *VIM, "-R", "notes.txt")
    desk.shows("the first line of notes.txt")
    desk.press("i", "x", "Escape")
    desk.shows("xthe first line")
    desk.tells(NOT_SAVED)


@pytest.mark.parametrize("locking", [(), ("--locking",)])
def test_nano_until_it_is_saved(server: World, locking: Tuple[str, ...]) -> None:
    desk = Desk(server, *NANO, *locking, "notes.txt")
    desk.shows("the first line of notes.txt")
    desk.tells([])
    desk.press("x")
    desk.shows("xthe first line")
    desk.tells(NOT_SAVED)
    desk.press("C-o", "Enter")
    desk.on_disk("notes.txt", "xthe first line")
    desk.tells([])


def test_nano_with_a_text_that_is_not_shown(server: World) -> None:
    desk = Desk(server, *NANO, "--locking", "notes.txt", "other.txt")
    desk.shows("the first line of notes.txt")
    desk.tells([])
    desk.press("x")
    desk.shows("xthe first line")
    desk.press("M-.")
    desk.shows("the first line of other.txt")
    desk.tells(MAY)


def test_a_stopped_nano_has_no_screen(server: World) -> None:
    desk = Desk(server, *NANO, "notes.txt")
    desk.shows("the first line of notes.txt")
    desk.press("x")
    desk.shows("xthe first line")
    (nano,) = [process for process in desk.processes() if process.command == "nano"]
    os.kill(nano.pid, signal.SIGSTOP)
    eventually(lambda: stopped(nano.pid), "it is stopped")
    desk.is_at_the_prompt()
    # The terminal is as nano has left it: a shell reads no line that ends with the key.
    desk.world.tmux("send-keys", "-t", desk.identity, "-l", "echo stop''ped")
    desk.press("C-j")
    desk.shows("stopped")
    desk.tells(MAY)
