# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a pane was begun with what is declared, by what a tmux shows of that. Pure."""

import os
import re
import shlex
from typing import List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import Capability, Version, start_words

ALONE = ("/bin/sh", "-c", 'exec "$0"')
"""What stands before a program that is the only word, so that no shell looks at it."""


class Begun(NamedTuple):
    """How a server tells what its panes were begun with; nothing of it where that is not known.

    ``shells``: what begins the user's shell where nothing else is said, as commands: ``default-command`` and
    ``default-shell`` of the session.
    """

    version: Optional[Version] = None
    shells: Tuple[str, ...] = ()

    def is_as(self, shown: str, command: Optional[str], argv: Sequence[str]) -> bool:
        """Whether a pane was begun with a command for a shell or the words of a program; else with the user's shell.

        What is unclear is the same.
        """
        if command is None and not argv:
            return self._is_shell(shown)
        words = self._words(shown)
        if words is None:
            return _plain(shown) in (_plain(command or " ".join(argv)), _plain(" ".join([*ALONE, *argv])))
        return any(_are_same(words, told) for told in _told(command, argv))

    def _is_shell(self, shown: str) -> bool:
        named = ["", *self.shells, *(os.path.basename(each) for each in self.shells if each.startswith("/"))]
        words = self._words(shown)
        if words is None:
            return _plain(shown) in map(_plain, named)
        return not words or (len(words) == 1 and _blank(words[0]) in map(_blank, named))

    def _words(self, shown: str) -> Optional[List[str]]:
        """The words of what is shown: all of it as one where nothing is quoted. None where that cannot be told."""
        if self.version is None or self.version.has(Capability.DOLLAR_PRINTED_WITH_BACKSLASH):
            return None
        return start_words(shown, self.version)


def _told(command: Optional[str], argv: Sequence[str]) -> List[List[str]]:
    """The words that tmux may have been told for what is declared."""
    if command is not None:
        return [[command]]
    return [[*ALONE, *argv], list(argv)] if len(argv) == 1 else [list(argv)]


def _are_same(words: Sequence[str], told: Sequence[str]) -> bool:
    if len(words) > 1 and len(told) > 1:
        return list(words) == list(told)
    if len(words) == len(told):
        return _blank(words[0]) == _blank(told[0]) if words else True
    (command, argv) = (words[0], told) if len(words) == 1 else (told[0], words)
    # An old tmux shows the words of a program like a command.
    return _blank(command) == _blank(" ".join(argv)) or _split(command) == list(argv)


def _split(command: str) -> Optional[List[str]]:
    """The words of a command for a shell, where it is of one line and its quotes are closed."""
    try:
        return None if "\n" in command.strip() else shlex.split(command)
    except ValueError:
        return None


def _blank(command: str) -> str:
    """A command without the blanks that hardly ever mean anything."""
    return re.sub(r" ?\n ?", "\n", re.sub(r"[ \t]+", " ", command)).strip()


def _plain(text: str) -> str:
    return re.sub(r"[\\\"'\s]", "", text.replace("\n", "n").replace("\t", "t"))
