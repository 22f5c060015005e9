# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks into files and directories that belong to a user: with that user's rights, never with root's.

Whatever lies there was made by that user. Nothing but a regular file is ever opened, without waiting for anybody, and
what is opened is what was looked at: nobody can put something else in its place between the two.
"""

import os
import stat
from typing import List, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._host import rights
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import PROC
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User

_OWN = "/proc/self/fd/%d"
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def beginning_of_open(user: User, pid: int, number: int, size: int) -> Optional[bytes]:
    """The first bytes of a file that a process holds open; None if that is no regular file.

    It is the open file, whatever has become of its name since.

    :raises OSError: when the user may not, or it is closed.
    """
    with rights.of(user):
        return _beginning("%s/%d/fd/%d" % (PROC, pid, number), size, os.O_PATH | os.O_CLOEXEC)


def beginning(user: User, path: str, size: int) -> Optional[bytes]:
    """The first bytes of the file at a path; None if that is no regular file, or a link.

    :raises OSError: when the user may not, or there is none.
    """
    with rights.of(user):
        return _beginning(path, size, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)


def entries(user: User, path: str, most: int) -> List[str]:
    """The names in a directory, and no more of them than ``most``.

    :raises OSError: when the user may not, or there is none.
    """
    found: List[str] = []
    with rights.of(user), os.scandir(path) as listed:
        for entry in listed:
            found.append(entry.name)
            if len(found) >= most:
                break
    return found


def target(user: User, path: str) -> Optional[str]:
    """Where a symbolic link leads; None if there is none.

    :raises OSError: when the user may not.
    """
    with rights.of(user):
        try:
            return os.readlink(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            # What is there and no link says EINVAL; whoever may not look cannot tell even that it is there.
            os.lstat(path)
            return None


def is_there(user: User, path: str) -> bool:
    """Whether something has that path.

    :raises OSError: when the user may not know.
    """
    with rights.of(user):
        try:
            os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True


def _beginning(path: str, size: int, flags: int) -> Optional[bytes]:
    # A descriptor of O_PATH opens nothing: no device does anything, no pipe waits, and it cannot be exchanged.
    place = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(place).st_mode):
            return None
        handle = os.open(_OWN % place, _READ)
    finally:
        os.close(place)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        return _read(handle, size)
    finally:
        os.close(handle)


def _read(handle: int, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = os.read(handle, size - len(found))
        if not part:
            break
        found += part
    return found
