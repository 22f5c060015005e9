# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file to which a session is logged: its owner's, and nobody else can read it or put another one there."""

import os
import stat
from typing import List

from ansible_collections.fleet.tmux.plugins.module_utils._actions.clean_up import NOT_ALONE
from ansible_collections.fleet.tmux.plugins.module_utils._host import rights
from ansible_collections.fleet.tmux.plugins.module_utils._host.crew import Job, Line, Message, work
from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import Untrusted, reached
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User

_OPEN = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class LogError(ValueError):
    """A file that is not written to. The message says why."""


def log_path(path: str, user: User) -> str:
    """Where a log is, of which the path may begin with ``~/``."""
    return user.home + path[1:] if path.startswith("~/") else path


def require_log(path: str, user: User, timeout: float, make: bool, discreet: bool) -> None:
    """Have the file for a log, or (not ``make``) only see that it could be had.

    It is done with the rights of its owner, and in a child: on the way there may be a file system that never answers.

    :param discreet: whether what its owner has chosen on the way there stays on the host.
    :raises LogError: when it cannot be had.
    """
    said: List[Message] = []

    def errand(line: Line) -> None:
        try:
            with rights.of(user):
                _have(path, user, make)
            line.say({"problem": ""})
        except LogError as problem:
            line.say({"problem": shown(str(problem))})
        except Untrusted as problem:
            line.say({"problem": NOT_ALONE if discreet else shown(str(problem))})
        except OSError as error:
            line.say({"problem": f"it cannot be opened by {user.name}: {error.strerror}"})

    ends = work([Job("log", errand, timeout)], lambda _key, message: said.append(message))
    problem = said[0]["problem"] if said else ends["log"].reason
    if problem:
        raise LogError(f"log: {shown(path)}: {problem}")


def _require_room(folder: int, user: User) -> None:
    if not os.access(".", os.W_OK | os.X_OK, dir_fd=folder, effective_ids=True):
        raise LogError(f"{user.name} cannot make it in its directory")


def _have(path: str, user: User, make: bool) -> None:
    folder, name = os.path.split(path)
    with reached(folder, {user.uid}, alone=True) as there:
        if there.missing:
            raise LogError("its directory is not there; create it first")
        try:
            handle = os.open(name, _OPEN, dir_fd=there.handle)
        except FileNotFoundError:
            if not make:
                _require_room(there.handle, user)
                return
            handle = os.open(name, _OPEN | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=there.handle)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != user.uid or found.st_nlink != 1:
            raise LogError(f"it is not a file of {user.name} with one name")
        if make and stat.S_IMODE(found.st_mode) != 0o600:
            os.fchmod(handle, 0o600)
    finally:
        os.close(handle)
