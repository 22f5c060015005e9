# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories and files of the controller that nobody but root and whoever runs Ansible could have put there.

Others may have been there first, as in ``/tmp``. So every directory on the way is opened in the one above it and looked
at, and what is done then is done by its descriptor: nothing can be exchanged between the look and the use. What goes
wrong is an OSError that names the place.
"""

import contextlib
import errno
import os
import stat
from typing import Iterator, List, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown

_MOST_LINKS = 40
# A directory that may be passed need not be one that may be listed, as /home is on many machines.
_PASS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Nothing is waited for: neither for somebody at the other end of a FIFO, nor for a terminal.
_CAREFULLY = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def directory(path: str, make: bool = False) -> int:
    """A descriptor of a directory, to do things in it.

    :param make: whether to make it, and those above it, where they are missing.
    :raises OSError: when others could exchange it, or what is in it, and when it is not there.
    """
    with _reached(path, make) as way:
        if os.fstat(way.here).st_mode & stat.S_IWOTH:
            raise OSError(_open_to_all(way.place))
        with naming(way.place):
            return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=way.here)


def regular(folder: int, name: str, place: str, flags: int, mode: int = 0) -> int:
    """A descriptor of a regular file in a directory that was opened by ``directory``.

    :param place: the file's path, to be named when something is wrong.
    :raises OSError: when it is something else, or belongs to somebody else.
    """
    with naming(place):
        found = os.open(name, flags | _CAREFULLY, mode, dir_fd=folder)
    try:
        status = os.fstat(found)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("%s is no regular file" % shown(place))
        if not _ours(status):
            raise OSError(_foreign(place, status))
    except BaseException:
        os.close(found)
        raise
    return found


def contents(path: str, most: int) -> bytes:
    """What is in a file, all of it.

    :param most: how many bytes that may be.
    :raises OSError: when others could exchange or change it, when it is too large, or cannot be read.
    """
    with open(_opened(path), "rb") as file:
        if os.fstat(file.fileno()).st_mode & stat.S_IWOTH:
            raise OSError("%s may be written to by everybody" % shown(path))
        found = file.read(most + 1)
    if len(found) > most:
        raise OSError("%s is larger than %d MiB" % (shown(path), most >> 20))
    return found


def names(path: str) -> List[str]:
    """The names in a directory, sorted.

    :raises OSError: when others could exchange it, and when it cannot be read.
    """
    with _reached(path) as way, naming(way.place):
        handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=way.here)
        try:
            return sorted(os.listdir(handle))
        finally:
            os.close(handle)


def is_missing(path: str) -> bool:
    """Whether there is nothing; what cannot be looked at may be something."""
    try:
        with _reached(os.path.dirname(path)) as way:
            way.link(os.path.basename(path))
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _opened(path: str) -> int:
    """A descriptor of the file that a path leads to, also by links of ours."""
    for _link in range(_MOST_LINKS):
        folder, name = os.path.split(os.path.abspath(path))
        with _reached(folder) as way:
            target = way.link(name)
            if target is None:
                return regular(way.here, name, path, os.O_RDONLY)
            path = os.path.join(way.place, target)
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)


@contextlib.contextmanager
def _reached(path: str, make: bool = False) -> Iterator["_Way"]:
    way = _Way(path)
    try:
        way.walk(make)
        yield way
    finally:
        way.close()


class _Way:
    """The way to a directory, gone step by step; ``here`` is a descriptor of where it has led so far."""

    def __init__(self, path: str) -> None:
        self._todo = _parts(os.path.abspath(path))
        self._links = 0
        self.place = "/"
        self.here = os.open("/", _PASS)

    def close(self) -> None:
        os.close(self.here)

    def walk(self, make: bool) -> None:
        """Go to the end."""
        self._require_ours()
        while self._todo:
            name = self._todo.pop()
            with naming(self._at(name)):
                _require_answering(self.here, name, self._at(name))
                if make:
                    self._make(name)
                target = self.link(name)
                if target is None:
                    self._enter(name)
                else:
                    self._follow(name, target)

    def link(self, name: str) -> Optional[str]:
        """Where a link in this directory leads to; None for what is no link.

        Nobody else can exchange one of ours in a directory that was looked at.
        """
        with naming(self._at(name)):
            _require_answering(self.here, name, self._at(name))
            status = os.stat(name, dir_fd=self.here, follow_symlinks=False)
            if not stat.S_ISLNK(status.st_mode):
                return None
            if not _ours(status):
                raise OSError(_foreign(self._at(name), status))
            return os.readlink(name, dir_fd=self.here)

    def _at(self, name: str) -> str:
        return os.path.normpath(os.path.join(self.place, name))

    def _make(self, name: str) -> None:
        try:
            os.stat(name, dir_fd=self.here, follow_symlinks=False)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=self.here)

    def _follow(self, name: str, target: str) -> None:
        self._links += 1
        if self._links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self._at(name))
        self._todo += _parts(target)
        if target.startswith("/"):
            self._enter("/")

    def _enter(self, name: str) -> None:
        entered = os.open(name, _PASS, dir_fd=self.here)
        os.close(self.here)
        self.here, self.place = entered, self._at(name)
        self._require_ours()

    def _require_ours(self) -> None:
        status = os.fstat(self.here)
        if not _ours(status):
            raise OSError(_foreign(self.place, status))
        if status.st_mode & stat.S_ISVTX:
            return  # others may make things in it, and cannot touch what is ours
        if status.st_mode & stat.S_IWOTH:
            raise OSError(_open_to_all(self.place))
        if status.st_mode & stat.S_IWGRP and status.st_gid not in {0, os.getegid(), *os.getgroups()}:
            raise OSError(
                "%s may be written to by the group %d, which is not yours" % (shown(self.place), status.st_gid)
            )


def _require_answering(folder: int, name: str, place: str) -> None:
    """What a user has mounted need not answer any question, and answers what he likes: nothing is asked there.

    Opening no more than the path asks nothing. Only Linux can do that.
    """
    if not hasattr(os, "O_PATH"):
        return
    try:
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return
    try:
        mount = _mount(handle)
        mounter = _mounter(mount) if mount != _mount(folder) else 0
    finally:
        os.close(handle)
    if mounter not in (0, os.geteuid()):
        raise OSError("%s is a file system that the user %d has mounted" % (shown(place), mounter))


def _mount(handle: int) -> str:
    """The number of the mount in which something is that was opened."""
    with open("/proc/self/fdinfo/%d" % handle, encoding="ascii") as file:
        return next(line.split()[1] for line in file if line.startswith("mnt_id:"))


def _mounter(mount: str) -> int:
    """Who has mounted it: root, but for file systems of users (FUSE), which say whose they are."""
    with open("/proc/self/mountinfo", "rb") as file:
        rows = [line.decode("utf-8", "surrogateescape").rstrip("\n").split(" ") for line in file]
    for row in rows:
        if row[0] == mount:
            kind, options = row[row.index("-", 6) + 1], row[-1].split(",")
            users = [int(word[8:]) for word in options if word.startswith("user_id=") and word[8:].isdigit()]
            return users[0] if kind.startswith("fuse") and users else 0
    return 0


def _parts(path: str) -> List[str]:
    """The names in a path, the last one first."""
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]


def _ours(status: os.stat_result) -> bool:
    return status.st_uid in (0, os.geteuid())


def _foreign(place: str, status: os.stat_result) -> str:
    return "%s belongs to the user %d, not to whoever runs Ansible or to root" % (shown(place), status.st_uid)


def _open_to_all(place: str) -> str:
    return "%s may be written to by everybody, who could read or replace a report" % shown(place)


@contextlib.contextmanager
def naming(place: str) -> Iterator[None]:
    """What the system says of a name in an open directory, said of its whole path."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, place)
