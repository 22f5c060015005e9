# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a report: whole or not there, and a log that is only ever appended to."""

import contextlib
import fcntl
import os
import stat
import tempfile
import time
from typing import Iterator, Sequence

PATIENCE = 60.0
"""Seconds to wait for somebody else who appends to a log."""


class Folder:
    """The directory of reports on the controller. What goes wrong there is an OSError that names the path."""

    def __init__(self, path: str) -> None:
        self.path = path

    def prepare(self, *logs: str) -> None:
        """Make it, and find out now whether it can be written to, and its logs be appended to.

        :raises OSError: when not; after a run it would be too late.
        """
        os.makedirs(self.path, mode=0o755, exist_ok=True)
        if os.stat(self.path).st_mode & stat.S_IWOTH:
            raise OSError("%s may be written to by everybody, who could read or replace a report" % self.path)
        with tempfile.NamedTemporaryFile(dir=self.path, prefix=".tmux_cleanup-"):
            pass
        for name in logs:
            with _log(self._place(name)):
                pass

    def write(self, name: str, text: str, mode: int) -> str:
        """Write a file as a whole: who reads it meanwhile finds the old one or the new one."""
        place = self._place(name)
        handle, temporary = tempfile.mkstemp(dir=self.path, prefix="." + name + "-")
        try:
            with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            os.replace(temporary, place)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        self._sync()
        return place

    def read(self, name: str) -> str:
        """What is in a file; nothing if it is not there."""
        try:
            with open(self._place(name), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def append(self, name: str, lines: Sequence[str]) -> str:
        """Append lines, all of them in one piece, also when several runs do so at the same time."""
        place = self._place(name)
        with _log(place) as log:
            size = os.fstat(log).st_size
            # Somebody's last line may have been cut short by a full disk; ours begins on one of its own.
            begin = b"" if size == 0 or os.pread(log, 1, size - 1) == b"\n" else b"\n"
            left = begin + "".join(line + "\n" for line in lines).encode("utf-8")
            while left:
                left = left[os.write(log, left) :]
            os.fsync(log)
        self._sync()
        return place

    def _place(self, name: str) -> str:
        return os.path.join(self.path, name)

    def _sync(self) -> None:
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _lock(log: int, path: str) -> None:
    """Have the log alone. Whoever may read it can hold it, and must not hold up a run for ever."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise OSError("%s is held by another process for more than %g s" % (path, PATIENCE))
        time.sleep(0.05)


@contextlib.contextmanager
def _log(path: str) -> Iterator[int]:
    """A log that is open to be appended to, and locked."""
    log = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o640)
    try:
        if not stat.S_ISREG(os.fstat(log).st_mode):
            raise OSError("%s is no regular file" % path)
        _lock(log, path)
        if os.fstat(log).st_uid == os.geteuid():
            os.fchmod(log, 0o640)
        yield log
    finally:
        os.close(log)
