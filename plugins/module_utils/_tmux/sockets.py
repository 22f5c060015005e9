# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Socket paths: where tmux puts them, whether one may be trusted, and who listens there."""

import os
import socket
import stat
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import (
    Mounts,
    Untrusted,
    found_at,
    open_to_others,
)
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import peer_of
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import is_number

DIRECTORIES = "/tmp"
"""Where tmux makes its ``tmux-<uid>`` directories when TMUX_TMPDIR is not set."""
PATH_LIMIT = 107
"""Bytes in the path of a unix socket (sun_path in unix(7), less the closing NUL)."""
_LINKS_LIMIT = 20


class Unusable(Exception):
    """A socket that is not used. ``status`` is the server's, ``reason`` a sentence."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Peer(NamedTuple):
    """The process that listens at a socket."""

    pid: int
    uid: int


def default_path(uid: int, name: str = "default") -> str:
    """The socket of ``tmux -L name`` for a user whose TMUX_TMPDIR is not set."""
    return f"{DIRECTORIES}/tmux-{uid}/{name}"


def owner_of(path: str) -> int:
    """The uid that owns the socket at ``path``.

    :raises Unusable: when there is nothing (status ``absent``), or no socket.
    """
    return _looked_at(path).st_uid


def _looked_at(path: str) -> os.stat_result:
    """What is known of the socket at ``path``: all of one moment, for its server may be making it anew.

    :raises Unusable: when there is nothing (status ``absent``), or no socket.
    """
    if len(os.fsencode(path)) > PATH_LIMIT:
        raise Unusable("unreachable", f"the path is longer than the {PATH_LIMIT} bytes that a socket's may have")
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise Unusable("absent", "there is no socket")
    except OSError as error:
        raise Unusable("denied", f"it cannot be looked at: {error.strerror}")
    if stat.S_ISLNK(found.st_mode):
        raise Unusable("unreachable", "it is a symbolic link")
    if not stat.S_ISSOCK(found.st_mode):
        raise Unusable("unreachable", "it is not a socket")
    return found


def require_trusted(path: str) -> int:
    """The uid whose socket ``path`` is, when nobody but that user and root can put another one there.

    :raises Unusable: else.
    """
    found = _looked_at(path)
    require_own_directory(os.path.dirname(path), found.st_uid)
    if found.st_mode & stat.S_IWOTH:
        raise Unusable("unreachable", "everybody may write to the socket (its mode should be 0660 or less)")
    _require_right_name(path, found.st_uid)
    return found.st_uid


def owner_to_be(path: str, otherwise: int) -> int:
    """Whose socket a new one at ``path`` would be: its directory's owner's, or ``otherwise`` if there is none."""
    try:
        uid = os.lstat(os.path.dirname(path)).st_uid
        require_own_directory(os.path.dirname(path), uid)
        _require_right_name(path, uid)
    except (OSError, Unusable):
        return otherwise
    return uid


def owner_of_place(path: str) -> int:
    """Whose server one at ``path`` would be or was, though its directory may be gone: who owns what is left of that."""
    folder = os.path.dirname(path)
    name = os.path.basename(folder)
    while folder != "/":
        try:
            return os.lstat(folder).st_uid
        except OSError:
            if os.path.dirname(folder) == DIRECTORIES and name.startswith("tmux-") and is_number(name[5:]):
                return int(name[5:])
            folder = os.path.dirname(folder)
            name = os.path.basename(folder)
    return os.lstat("/").st_uid


def _require_right_name(path: str, uid: int) -> None:
    folder = os.path.dirname(path)
    name = os.path.basename(folder)
    if os.path.dirname(folder) == DIRECTORIES and name.startswith("tmux-") and name != f"tmux-{uid}":
        raise Unusable("unreachable", f"it would be uid {uid}'s, and its directory is named {name}")


def require_own_directory(path: str, uid: int, birth: bool = False) -> None:
    """Refuse a directory (and the ones above it) in which others than ``uid`` and root could exchange what is there.

    :param birth: also refuse one where others may create files, as in ``/tmp``: a socket could be put there first.
    :raises Unusable: saying which directory, why, and what would help.
    """
    for folder in _chain(path):
        try:
            found = os.lstat(folder)
        except (FileNotFoundError, NotADirectoryError):
            raise Unusable("absent", f"the directory {folder} does not exist")
        except OSError as error:
            raise Unusable("denied", f"the directory {folder} cannot be looked at: {error.strerror}")
        problem = _problem(found, uid, birth and folder == path)
        if problem:
            raise Unusable("unreachable", f"the directory {folder} {problem}")


def _problem(found: os.stat_result, uid: int, birth: bool) -> Optional[str]:
    if stat.S_ISLNK(found.st_mode):
        return None if found.st_uid == 0 else "is a symbolic link"
    if not stat.S_ISDIR(found.st_mode):
        return "is not a directory"
    if found.st_uid not in (0, uid):
        return f"belongs to uid {found.st_uid}, not to uid {uid}"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and (birth or not found.st_mode & stat.S_ISVTX):
        return open_to_others(found.st_mode)
    return None


def _chain(path: str) -> Iterator[str]:
    """Every directory and link that leads to ``path``, from the top; links are followed one by one."""
    todo = _parts(path)
    at = "/"
    yield at
    links = 0
    while todo:
        part = todo.pop(0)
        here = os.path.dirname(at) if part == ".." else os.path.join(at, part)
        yield here
        if not os.path.islink(here):
            at = here
            continue
        links += 1
        if links > _LINKS_LIMIT:
            raise Unusable("unreachable", f"{path} leads through too many links")
        try:
            aim = os.readlink(here)
        except OSError:
            raise Unusable("absent", f"{here} was exchanged while it was looked at")
        todo = _parts(aim) + todo
        at = "/" if aim.startswith("/") else at


def _parts(path: str) -> List[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def listener_at(path: str, timeout: float) -> Peer:
    """Who listens at ``path``. Only a connection is made; nothing is said and nothing is read.

    :raises Unusable: ``absent`` when nobody listens, ``denied``, ``hung`` (its queue is full), ``unreachable``.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect(path)
        return Peer(*peer_of(connection))
    except (ConnectionRefusedError, FileNotFoundError):
        raise Unusable("absent", "nobody listens at the socket")
    except PermissionError:
        raise Unusable("denied", "permission denied")
    except (socket.timeout, BlockingIOError):
        raise Unusable("hung", "the server does not accept connections")
    except OSError as error:
        raise Unusable("unreachable", "cannot connect: %s" % (error.strerror or error))
    finally:
        connection.close()


class OddDirectory(NamedTuple):
    """A ``tmux-<uid>`` directory that is not what its name says; ``total`` of them belong to ``uid``."""

    path: str
    uid: int
    reason: str
    total: int


def odd_directories() -> List[OddDirectory]:
    """The default socket directories that are links, others' or open to others: one entry for each owner of such."""
    found: Dict[int, OddDirectory] = {}
    mounts = Mounts()
    for name in sorted(os.listdir(DIRECTORIES)):
        if not name.startswith("tmux-") or not is_number(name[5:]):
            continue
        uid, reason = _odd(os.path.join(DIRECTORIES, name), int(name[5:]), mounts)
        if reason:
            first = found.get(uid, OddDirectory(os.path.join(DIRECTORIES, name), uid, reason, 0))
            found[uid] = first._replace(total=first.total + 1)
    return [found[uid] for uid in sorted(found)]


def _odd(path: str, named: int, mounts: Mounts) -> Tuple[int, Optional[str]]:
    """Whose a directory is, and what is odd about it. Where only a user's program could tell, the name does."""
    try:
        found_at(path, 0, mounts)
        status = os.lstat(path)
    except Untrusted as problem:
        return named, str(problem)
    except OSError:
        return named, None
    return status.st_uid, _oddness(status, named)


def _oddness(status: os.stat_result, named: int) -> Optional[str]:
    if stat.S_ISLNK(status.st_mode):
        return "it is a symbolic link"
    if not stat.S_ISDIR(status.st_mode):
        return "it is not a directory"
    if status.st_uid != named:
        return f"it belongs to uid {status.st_uid}, not to the user its name says"
    return "others may write to it" if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) else None
