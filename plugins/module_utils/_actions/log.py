# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files to which panes are logged: their owner's, and nobody else can read them or put others there."""

import os
import stat
from typing import Collection, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.clean_up import NOT_ALONE
from ansible_collections.fleet.tmux.plugins.module_utils._host import rights
from ansible_collections.fleet.tmux.plugins.module_utils._host.crew import Job, Line, Message, work
from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import Untrusted, reached
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import encoded, shown
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._policy.declared import Log
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.pipes import OLDER, Writer, fits, writers

_OPEN = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class LogError(ValueError):
    """A file that is not written to. The message says why."""


def log_path(path: str, user: User) -> str:
    """Where a log is, of which the path may begin with ``~/``."""
    return user.home + path[1:] if path.startswith("~/") else path


class Wish(NamedTuple):
    """What is wanted of logs. ``limited``: that they are put aside when they get too large.

    ``server`` and ``going``: the panes, by their ids, that end before, so that it does not matter where they write.
    ``discreet``: whether what their owner has chosen on the way there stays on the host.
    """

    user: User
    limited: bool = False
    server: Optional[int] = None
    going: Collection[str] = ()
    discreet: bool = False


def require_logs(logs: Sequence[Log], others: Sequence[Log], wish: Wish, timeout: float, make: bool) -> None:
    """Have the files for logs, or (not ``make``) only see that they could be had.

    It is done with the rights of their owner, and in a child: on the way there may be a file system that never answers.

    :param others: logs that are declared, too, and do not begin now.
    :raises LogError: when one cannot be had, or two of them are the same file.
    """
    said: List[Message] = []

    def errand(line: Line) -> None:
        with rights.of(wish.user):
            line.say({"problem": _problem(logs, others, wish, make)})

    ends = work([Job("log", errand, timeout)], lambda _key, message: said.append(message))
    problem = said[0]["problem"] if said else f"{logs[0].option}: {shown(logs[0].path)}: {ends['log'].reason}"
    if problem:
        raise LogError(problem)


_Place = Tuple[int, int, str]
"""Where a file is, however its path is written: the device and the inode of its directory, and its name."""


def _problem(logs: Sequence[Log], others: Sequence[Log], wish: Wish, make: bool) -> str:
    """What is wrong with one of some logs; nothing if all is well."""
    taken: Dict[_Place, Log] = {}
    for log in others:
        try:
            _take(_place(log.path, wish.user), log, taken, wish.limited)
        except (LogError, Untrusted, OSError):
            continue  # It does not begin: what is wrong with it matters to nobody now.
    for log in logs:
        why = _why_not(log, taken, wish, make)
        if why:
            return f"{log.option}: {shown(log.path)}: {why}"
    return ""


def _why_not(log: Log, taken: Dict[_Place, Log], wish: Wish, make: bool) -> str:
    try:
        _take(_place(log.path, wish.user), log, taken, wish.limited)
        _have(log.path, wish, make)
    except LogError as problem:
        return shown(str(problem))
    except Untrusted as problem:
        return NOT_ALONE if wish.discreet else shown(str(problem))
    except OSError as error:
        return f"it cannot be opened by {wish.user.name}: {error.strerror}"
    return ""


def _place(path: str, user: User) -> _Place:
    folder, name = os.path.split(path)
    with reached(folder, {user.uid}, alone=True) as there:
        if there.missing:
            raise LogError("its directory is not there; create it first")
        found = os.fstat(there.handle)
    return found.st_dev, found.st_ino, name


def _take(place: _Place, log: Log, taken: Dict[_Place, Log], limited: bool) -> None:
    """:raises LogError: for a file that is another log, or becomes the older part of one."""
    device, inode, name = place
    for each in [name, *([name + OLDER] if limited else [])]:
        other = taken.setdefault((device, inode, each), log)
        if other != log:
            raise LogError(f"{other.option} writes to the same file; give each pane one of its own")


def _require_room(folder: int, user: User) -> None:
    if not os.access(".", os.W_OK | os.X_OK, dir_fd=folder, effective_ids=True):
        raise LogError(f"{user.name} cannot make it in its directory")


def _have(path: str, wish: Wish, make: bool) -> None:
    if not fits(path):
        raise LogError("its path is too long for tmux; choose a shorter one")
    folder, name = os.path.split(path)
    user = wish.user
    with reached(folder, {user.uid}, alone=True) as there:
        _require_alone(there.handle, name, wish)
        try:
            handle = os.open(encoded(name), _OPEN, dir_fd=there.handle)
        except FileNotFoundError:
            if not make:
                _require_room(there.handle, user)
                return
            handle = os.open(encoded(name), _OPEN | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=there.handle)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != user.uid or found.st_nlink != 1:
            raise LogError(f"it is not a file of {user.name} with one name")
        if make and stat.S_IMODE(found.st_mode) != 0o600:
            os.fchmod(handle, 0o600)
    finally:
        os.close(handle)


def _require_alone(folder: int, name: str, wish: Wish) -> None:
    """Refuse a file that is put aside while another one writes to it: what that writes then would be lost.

    :raises LogError: saying who does.
    """
    older = _status(name + OLDER, folder) if wish.limited else None
    if older is not None and not stat.S_ISREG(older.st_mode):
        raise LogError(f"{shown(name + OLDER)} beside it is no file, so with log_max_size it could not be put aside")
    base = name[: -len(OLDER)] if name.endswith(OLDER) else ""
    found = _writers(folder, name, wish)
    limiting = [writer for writer in found if writer.limited]
    limiting += [writer for writer in (_writers(folder, base, wish) if base else []) if writer.limited]
    losing = [*found, *_writers(folder, name + OLDER, wish)] if wish.limited else []
    for writer in [*limiting, *losing][:1]:
        who = f"pane {writer.pane}, by process {writer.pid}," if writer.pane else f"process {writer.pid}"
        raise LogError(
            f"{who} writes to it already, or to its older part, and with log_max_size lines of one of them would be "
            "lost; choose another file"
        )


def _writers(folder: int, name: str, wish: Wish) -> List[Writer]:
    """Those that write to a file and stay."""
    file = _status(name, folder)
    found = [] if file is None else writers(wish.user.uid, name, file)
    return [each for each in found if not (each.pane in wish.going and wish.server in each.servers)]


def _status(name: str, folder: int) -> Optional[os.stat_result]:
    try:
        return os.stat(encoded(name), dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
