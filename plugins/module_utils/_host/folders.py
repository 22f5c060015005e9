# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories by their descriptors, and what is in them, where somebody else may have put anything.

Whoever owns a directory can exchange what is in it between two looks, nest it thousands deep, fill it with millions of
files, or mount a file system there that never answers. So each step goes from one descriptor to the next, is judged by
what was opened, and follows no link but those that nobody else could have made; and whatever is counted ends.
"""

import contextlib
import errno
import itertools
import os
import secrets
import stat
import sys
from typing import Callable, Container, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import encoded, to_text

_LINKS_LIMIT = 20
_AT_ONCE = 1000
_DIRECTORY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_STEP = getattr(os, "O_PATH", os.O_RDONLY) | _DIRECTORY
_NO_DIRECTORY = (errno.ENOTDIR, errno.ELOOP)
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Untrusted(Exception):
    """A directory that is not used. The message says which, why, and what would help."""


class Reached(NamedTuple):
    """How far a path goes: the last directory that is there, and the names that are missing below it."""

    handle: int
    path: str
    missing: Tuple[str, ...]


@contextlib.contextmanager
def reached(path: str, owners: Container[int], alone: bool = False, make: bool = False) -> Iterator[Reached]:
    """Go down a path on which nobody but root and the ``owners`` could exchange anything.

    :param alone: in the last directory nobody else may even create anything, as everybody may in ``/tmp``.
    :param make: make what is missing, such that everybody can get through. Everything above was judged before.
    :raises Untrusted: else.
    :raises OSError: when a directory cannot be entered, or made.
    """
    walk = _Walk(path, owners, alone, make)
    try:
        yield walk.go()
    finally:
        walk.close()


class _Walk:
    """The way down a path, with a descriptor for each directory on it: ``..`` leads back to one of them."""

    def __init__(self, path: str, owners: Container[int], alone: bool, make: bool) -> None:
        self._owners = owners
        self._alone = alone
        self._make = make
        self._todo = _parts(path)
        self._links = 0
        self._open = [("/", os.open("/", _STEP))]

    def close(self) -> None:
        for _name, handle in self._open:
            os.close(handle)

    def go(self) -> Reached:
        self._judge(os.fstat(self._here))
        while self._todo:
            name = self._todo.pop(0)
            if name == "..":
                if len(self._open) > 1:
                    os.close(self._open.pop()[1])
            elif not self._enter(name):
                self._todo.insert(0, name)
                break
        return Reached(self._here, self._path(), tuple(self._todo))

    @property
    def _here(self) -> int:
        return self._open[-1][1]

    def _path(self, *more: str) -> str:
        return os.path.join(*(name for name, _handle in self._open), *more)

    def _enter(self, name: str) -> bool:
        """Go one step; whether there is anything."""
        try:
            handle = os.open(encoded(name), _STEP, dir_fd=self._here)
        except FileNotFoundError:
            if not self._make:
                return False
            _make_passable(encoded(name), self._here)
            handle = os.open(encoded(name), _STEP, dir_fd=self._here)
        except OSError as error:
            if error.errno not in _NO_DIRECTORY:
                raise
            self._follow(name)
            return True
        self._open.append((name, handle))
        self._judge(os.fstat(handle))
        return True

    def _follow(self, name: str) -> None:
        """Go on where a link leads, if nobody else could have made it: it is root's or ours."""
        where = self._path(name)
        found = os.stat(encoded(name), dir_fd=self._here, follow_symlinks=False)
        if not stat.S_ISLNK(found.st_mode):
            raise Untrusted(f"{where} is not a directory")
        if found.st_uid not in (0, os.geteuid()) or os.fstat(self._here).st_mode & _OTHERS_MAY_WRITE:
            raise Untrusted(f"{where} is a symbolic link that is not followed")
        self._links += 1
        if self._links > _LINKS_LIMIT:
            raise Untrusted(f"{where} leads through too many links")
        aim = to_text(os.readlink(encoded(name), dir_fd=self._here))
        if aim.startswith("/"):
            while len(self._open) > 1:
                os.close(self._open.pop()[1])
        self._todo[:0] = _parts(aim)

    def _judge(self, found: os.stat_result) -> None:
        """:raises Untrusted: when others could exchange what is in the directory that was just entered."""
        where = f"the directory {self._path()}"
        if found.st_uid != 0 and found.st_uid not in self._owners:
            raise Untrusted(f"{where} belongs to uid {found.st_uid}")
        last = not self._todo
        if found.st_mode & _OTHERS_MAY_WRITE and ((last and self._alone) or not found.st_mode & stat.S_ISVTX):
            raise Untrusted(f"{where} {open_to_others(found.st_mode)}")


def open_to_others(mode: int) -> str:
    """What is to be said of what others may write to. Nobody is told to shut what is there for all, like /tmp."""
    shared = "it is for all; a directory of one's own in it would do"
    return f"may be written by others ({shared if mode & stat.S_ISVTX else 'chmod go-w would help'})"


def _parts(path: str) -> List[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _make_passable(name: bytes, folder: int) -> None:
    """Make a directory that everybody can get through, whatever the umask of this run is."""
    before = os.umask(0o022)
    try:
        os.mkdir(name, 0o755, dir_fd=folder)
    except FileExistsError:
        pass  # Another run was faster; what is there now is judged as everything is.
    finally:
        os.umask(before)


@contextlib.contextmanager
def entered(name: str, folder: int) -> Iterator[int]:
    """Open the directory ``name`` in ``folder``: no link, and nothing that was mounted there.

    :raises OSError: when it is none, or cannot be opened.
    """
    handle = os.open(name, _STEP, dir_fd=folder)
    try:
        if _mount_of(handle) != _mount_of(folder):
            # Its owner may have mounted it, and may never answer.
            raise OSError(errno.EXDEV, f"something is mounted at {name}")
        inside = os.open(".", os.O_RDONLY | _DIRECTORY, dir_fd=handle)
    finally:
        os.close(handle)
    try:
        yield inside
    finally:
        os.close(inside)


def _mount_of(handle: int) -> Optional[bytes]:
    """Which mount a descriptor is of. The kernel says so without asking the file system; None where it does not."""
    try:
        with open("/proc/self/fdinfo/%d" % handle, "rb") as stream:
            return next((line for line in stream if line.startswith(b"mnt_id:")), None)
    except FileNotFoundError:
        return None


class Mounts:
    """The file systems that are mounted at one moment, and for which of them a program of some user answers (FUSE)."""

    def __init__(self) -> None:
        with open("/proc/self/mountinfo", "rb") as stream:
            lines = [line.split() for line in stream.read().split(b"\n") if line]
        self._answering = {line[0]: _answers_for(line) for line in lines}

    def may_ask(self, handle: int, uid: int) -> bool:
        """Whether nobody but root and ``uid`` can keep those waiting who ask about what is open as ``handle``."""
        mount = _mount_of(handle)
        if mount is None:
            return True
        # What has been mounted since may be anything.
        return self._answering.get(mount.split()[1], -1) in (0, uid)


def _answers_for(fields: List[bytes]) -> int:
    """Who answers for a mount that /proc/self/mountinfo has in these words: whoever mounted it, else the kernel."""
    kind, _source, options = fields[fields.index(b"-") + 1 :][:3]
    if not kind.startswith(b"fuse"):
        return 0
    said = dict(option.partition(b"=")[::2] for option in options.split(b","))
    return int(said.get(b"user_id", -1))


def found_at(path: str, uid: int, mounts: Mounts) -> Optional[os.stat_result]:
    """What lies at ``path``, None where nothing does. It is looked at on behalf of ``uid``; anybody may have named it.

    Whoever named it may have mounted something there that never answers, and may exchange what is there at any moment.
    So each step is made from a descriptor, and no file system for which somebody else answers is asked anything.

    :raises Untrusted: where such a one, or a link that is not root's, is in the way.
    """
    todo, links = _parts(path), _LINKS_LIMIT
    with contextlib.ExitStack() as stack:
        top = at = _stepped(stack, "/", None)
        try:
            while todo:
                here = _stepped(stack, todo.pop(0), at)
                if not mounts.may_ask(here, uid):
                    raise Untrusted("it is on a file system for which another user answers")
                aim = _aim(here, links) if todo else None
                if aim is None:
                    at = here
                else:
                    links -= 1
                    todo[:0] = _parts(aim)
                    at = top if aim.startswith("/") else at
            return os.fstat(at)
        except OSError:
            return None


def _stepped(stack: contextlib.ExitStack, name: str, folder: Optional[int]) -> int:
    handle = os.open(encoded(name), _STEP & ~os.O_DIRECTORY, dir_fd=folder)
    stack.callback(os.close, handle)
    return handle


def _aim(handle: int, links: int) -> Optional[str]:
    """Where a link leads, None for what is no link.

    :raises Untrusted: where it is not root's, or one too many.
    """
    found = os.fstat(handle)
    if not stat.S_ISLNK(found.st_mode):
        return None
    if found.st_uid != 0 or not links:
        raise Untrusted("a symbolic link is in the way")
    return to_text(os.readlink(b"", dir_fd=handle))


def names_in(folder: int, limit: int) -> List[str]:
    """The names in a directory, but no more than ``limit`` of them; so many are never held at once."""
    handle = os.open(".", os.O_RDONLY | _DIRECTORY, dir_fd=folder)
    try:
        # Python 3.6 cannot scan a descriptor.
        place = handle if sys.version_info >= (3, 7) else "/proc/self/fd/%d" % handle
        with os.scandir(place) as found:
            return [str(entry.name) for entry in itertools.islice(found, limit)]
    finally:
        os.close(handle)


def read_file(name: str, folder: int, owner: int, limit: int) -> bytes:
    """What is in a regular file of ``owner``. No link is followed, and a pipe is not waited for.

    :raises Untrusted: when it is something else, belongs to somebody else, or is longer than ``limit``.
    :raises OSError: when it cannot be read.
    """
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(handle, "rb") as stream:
        require_own_file(name, os.fstat(handle), owner, limit)
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise Untrusted(f"{name} is longer than {limit} bytes")
    return data


def require_own_file(name: str, found: os.stat_result, owner: int, limit: int) -> None:
    """:raises Untrusted: unless it is a regular file of ``owner``, that nobody else may write to, and not too long."""
    if not stat.S_ISREG(found.st_mode):
        raise Untrusted(f"{name} is no regular file")
    if found.st_uid != owner:
        raise Untrusted(f"{name} belongs to uid {found.st_uid}, not to uid {owner}")
    if found.st_mode & _OTHERS_MAY_WRITE:
        raise Untrusted(f"{name} may be written by others (chmod go-w would help)")
    if found.st_size > limit:
        raise Untrusted(f"{name} is longer than {limit} bytes")


def _nobody(handle: int) -> None:
    """A file stays as it was made: of whoever runs us, for nobody else."""


def replace_file(name: str, data: bytes, folder: int, hand_over: Callable[[int], None] = _nobody) -> None:
    """Have ``data`` under that name: it is whole, the old one or the new one, whatever happens meanwhile.

    :param hand_over: is given the descriptor of the file, mode 0600, before it has its name.
    :raises OSError: when it cannot be written; the old one is there then.
    """
    draft = ".%s.%s" % (name, secrets.token_hex(8))
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            hand_over(handle)
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        os.unlink(draft, dir_fd=folder)
        raise


class Broom:
    """Removes directories, whoever has filled them, until so many entries were looked at.

    Each is first moved to where only we may enter, under a name of ours, and then whatever is nested in it too: so
    nobody goes down, however deep that is, and nobody can put anything in the way.
    """

    GONE = "gone-"

    def __init__(self, pit: int, entries: int) -> None:
        self._pit = pit
        self.left = entries

    def take(self, name: str, folder: int) -> None:
        """Move what is called ``name`` away from ``folder``, which it leaves at once and whole, and remove it.

        :raises OSError: when it cannot be moved.
        """
        self.sweep(self._moved(name, folder))

    def sweep(self, name: str) -> None:
        """Remove what was moved here before. What cannot be removed stays, for the next broom."""
        todo = [name]
        while todo and self.left > 0:
            self.left -= 1
            at = todo.pop()
            with contextlib.suppress(OSError):
                if stat.S_ISDIR(os.stat(at, dir_fd=self._pit, follow_symlinks=False).st_mode):
                    with entered(at, self._pit) as inside:
                        todo += self._emptied(inside)
                    os.rmdir(at, dir_fd=self._pit)
                else:
                    os.unlink(at, dir_fd=self._pit)

    def _emptied(self, inside: int) -> List[str]:
        """Remove all files of a directory, and move its directories here; their names."""
        moved: List[str] = []
        while self.left > 0:
            names = names_in(inside, min(self.left, _AT_ONCE))
            self.left -= len(names)
            before = len(moved)
            gone = [name for name in names if self._unlinked(name, inside, moved)]
            if not gone and len(moved) == before:
                break  # It is empty, or nothing of the rest can be removed.
        return moved

    def _unlinked(self, name: str, inside: int, moved: List[str]) -> bool:
        try:
            os.unlink(name, dir_fd=inside)
            return True
        except OSError:
            with contextlib.suppress(OSError):
                moved.append(self._moved(name, inside))
            return False

    def _moved(self, name: str, folder: int) -> str:
        new = self.GONE + secrets.token_hex(8)
        os.rename(name, new, src_dir_fd=folder, dst_dir_fd=self._pit)
        return new
