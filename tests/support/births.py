# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""New sessions whose commands have ended, or have said something, when it is judged what became of them.

How long a command is watched is a second, and a busy machine may not even have begun it by then. And what it says just
before it ends the kernel may lose there: so it waits until that was heard.
"""

from pathlib import Path
from typing import Callable, Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.create import Creator
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Pane
from ansible_collections.fleet.tmux.tests.support.runs import captured
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World


def judged_when(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Have it judged what became of new sessions, and of new windows, only when this has returned."""
    settle = Creator.settle

    def instead(creator: Creator) -> Dict[str, str]:
        happens()
        return settle(creator)

    monkeypatch.setattr(Creator, "settle", instead)


def one_ends(world: World) -> None:
    """Wait until a command has ended whose pane stays, and the server knows how."""
    eventually(lambda: world.reap() and any(map(_is_known, _panes(world))), "a command ends")


def _is_known(pane: Pane) -> bool:
    return pane.dead and (pane.status is not None or bool(pane.signal))


def _panes(world: World) -> List[Pane]:
    return [pane for session in world.listing().sessions for pane in session.panes]


class LastWords:
    """What a command says, and then ends with a status: as soon as it was heard, and not before."""

    def __init__(self, world: World, command: str, text: str, status: int = 3) -> None:
        self._world = world
        self._text = text
        self._heard = Path(world.folder, "heard")
        self.command = "%s; until [ -e %s ]; do sleep 0.01; done; exit %d" % (command, self._heard, status)

    def hear(self) -> None:
        """Wait until a pane shows the text, over whatever lines, and then until the command has ended."""
        eventually(self._is_shown, "it says %r" % self._text)
        self._heard.touch()
        one_ends(self._world)

    def _is_shown(self) -> bool:
        return any(self._text in _without_breaks(captured(self._world, pane.id)) for pane in _panes(self._world))


def _without_breaks(screen: str) -> str:
    """Lines as one text. In older tmux, lines that are captured as they were written end with blanks."""
    return "".join(line.rstrip(" ") for line in screen.split("\n"))
