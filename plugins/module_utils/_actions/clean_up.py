# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes the files that a job leaves: with the rights of its owner, and nothing but files and links of that owner."""

import os
import stat
from typing import Dict, List, NamedTuple, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._host import rights
from ansible_collections.fleet.tmux.plugins.module_utils._host.crew import Job, Line, Message, work
from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import Untrusted, reached
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import WITHHELD
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User

NOT_ALONE = f"others could exchange something on the way there, or a link is in the way ({WITHHELD})"
"""What is told of a way that is not its owner's alone, where its names stay on the host."""


class CleanedUp(NamedTuple):
    """The paths that were removed, and why others are still there. What was missing is in neither."""

    removed: List[str]
    left: Dict[str, str]


def clean_up(paths: Sequence[str], user: User, timeout: float, discreet: bool = False, spared: str = "") -> CleanedUp:
    """Remove files in a child: on the way there may be a file system that never answers.

    :param discreet: whether the names of what is on the way stay on the host.
    :param spared: a directory in which nothing is removed, whichever way leads there.
    """
    found = CleanedUp([], {})
    each = list(dict.fromkeys(paths))

    def errand(line: Line) -> None:
        with rights.of(user):
            for path in each:
                line.say({"path": path, "why": _why_not(path, user, discreet, spared)})

    def hear(_key: str, message: Message) -> None:
        todo.remove(message["path"])
        if message["why"] is None:
            found.removed.append(message["path"])
        elif message["why"]:
            found.left[message["path"]] = message["why"]

    todo = list(each)
    ends = work([Job("files", errand, timeout)], hear)
    if todo and "files" in ends:
        found.left.update(dict.fromkeys(todo, ends["files"].reason))
    return found


def _why_not(path: str, user: User, discreet: bool, spared: str) -> Optional[str]:
    """Remove a file; None if it was removed, nothing if it was not there, else why it stays."""
    try:
        return _removed(path, user, spared)
    except Untrusted as problem:
        return NOT_ALONE if discreet else shown(str(problem))
    except OSError as error:
        return f"{user.name} cannot remove it: {error.strerror}"


def _removed(path: str, user: User, spared: str) -> Optional[str]:
    folder, name = os.path.split(path)
    with reached(folder, {user.uid}) as there:
        if there.missing:
            return ""
        try:
            found = os.stat(name, dir_fd=there.handle, follow_symlinks=False)
        except FileNotFoundError:
            return ""
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
            return "it is neither a file nor a link"
        if found.st_uid != user.uid:
            return f"it belongs to uid {found.st_uid}, not to {user.name}"
        if spared and os.path.samestat(os.stat(spared), os.fstat(there.handle)):
            return "it is in the directory of the records"
        os.unlink(name, dir_fd=there.handle)  # Of a link nothing but itself.
    return None
