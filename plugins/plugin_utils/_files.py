# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a report: whole or not there, and a log that is only ever appended to."""

import contextlib
import fcntl
import os
import secrets
import stat
import time
from typing import Any, Iterator, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.plugin_utils._places import directory, naming, regular

PATIENCE = 60.0
"""Seconds to wait for somebody else who appends to a log."""

LARGEST = 64 << 20
"""Bytes that are read of an earlier file."""


class Folder:
    """The directory of reports on the controller, opened when it is first needed.

    What goes wrong there is an OSError that names the path.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._opened: Optional[int] = None

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *_error: Any) -> None:
        self.close()

    def close(self) -> None:
        if self._opened is not None:
            os.close(self._opened)
            self._opened = None

    def prepare(self, logs: Sequence[str] = (), files: Sequence[str] = ()) -> None:
        """Make it, and find out now whether its files can be written, and its logs be appended to.

        :raises OSError: when not; after a run it would be too late.
        """
        self.close()
        self._opened = directory(self.path, make=True)
        self._unlink(self._temporary("report", "", 0o600))
        for name in files:
            self._require_replaceable(name)
        for name in logs:
            with self._log(name):
                pass

    def write(self, name: str, text: str, mode: int) -> str:
        """Write a file as a whole: who reads it meanwhile finds the old one or the new one."""
        place = self._place(name)
        temporary = self._temporary(name, text, mode)
        try:
            with naming(place):
                os.replace(temporary, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except BaseException:
            self._unlink(temporary)
            raise
        os.fsync(self._folder)
        return place

    def read(self, name: str) -> str:
        """What is in a file of ours; nothing if there is none. What somebody else has put there is none of ours."""
        try:
            handle = regular(self._folder, name, self._place(name), os.O_RDONLY)
        except OSError:
            return ""
        with open(handle, "rb") as file:
            return file.read(LARGEST).decode("utf-8", "replace")

    def append(self, name: str, lines: Sequence[str]) -> str:
        """Append lines, all of them in one piece, also when several runs do so at the same time."""
        with self._log(name) as log:
            size = os.fstat(log).st_size
            # Somebody's last line may have been cut short by a full disk; ours begins on one of its own.
            begin = b"" if size == 0 or os.pread(log, 1, size - 1) == b"\n" else b"\n"
            left = begin + "".join(line + "\n" for line in lines).encode("utf-8")
            while left:
                left = left[os.write(log, left) :]
            os.fsync(log)
        os.fsync(self._folder)
        return self._place(name)

    @property
    def _folder(self) -> int:
        if self._opened is None:
            self._opened = directory(self.path)
        return self._opened

    def _place(self, name: str) -> str:
        return os.path.join(self.path, name)

    def _temporary(self, name: str, text: str, mode: int) -> str:
        """The name of a new file, with that in it."""
        temporary = ".%s-%s" % (name, secrets.token_hex(8))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with naming(self._place(temporary)):
            handle = os.open(temporary, flags, 0o600, dir_fd=self._folder)
        try:
            with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
        except BaseException:
            self._unlink(temporary)
            raise
        return temporary

    def _unlink(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._folder)

    def _require_replaceable(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISDIR(os.stat(name, dir_fd=self._folder, follow_symlinks=False).st_mode):
                raise OSError("%s is a directory" % shown(self._place(name)))

    @contextlib.contextmanager
    def _log(self, name: str) -> Iterator[int]:
        """A log that is open to be appended to, and locked."""
        place = self._place(name)
        log = regular(self._folder, name, place, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            _lock(log, place)
            if os.fstat(log).st_uid == os.geteuid():
                os.fchmod(log, 0o640)
            yield log
        finally:
            os.close(log)


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
