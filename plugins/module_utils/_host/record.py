# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines in the system log of this host; in a file of root's where there is none. Nothing here is ever waited for."""

import errno
import fcntl
import os
import socket
import stat
import time
from typing import Optional

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import MONTHS, shown, when

IDENTIFIER = "fleet-tmux"
"""By which the lines are found: ``journalctl -t fleet-tmux``."""
SYSTEM_LOG = "/dev/log"
FILE = "/var/log/fleet-tmux.log"
LINE_BYTES = 960
"""A line of the system log holds 1024 bytes (RFC 3164), the time and our name too."""
FILE_BYTES = 4 * 1024 * 1024
"""How long the file gets before it is put aside, in place of the one that was."""

_DAEMON_NOTICE = 3 << 3 | 5
_PATIENCE_SECONDS = 0.5
"""How long a log that takes nothing costs a run, in all."""
_PAUSE_SECONDS = 0.01


class Record:
    """Where lines go. ``trouble`` says why some did not get there; empty if all did."""

    def __init__(self, log: str = SYSTEM_LOG, file: str = FILE) -> None:
        self._log = log
        self._file = file
        self._connection: Optional[socket.socket] = None
        self._patience = _PATIENCE_SECONDS
        self.trouble = ""

    def write(self, line: str) -> None:
        """Write a line, or remember why that could not be done."""
        text = _cut(shown(line))
        try:
            self._send(text)
        except OSError as error:
            if os.geteuid() != 0:
                if isinstance(error, FileNotFoundError):
                    # A host without a log, which its users can do nothing about: each run would tell them so again.
                    return
                self.trouble = "not all was written to the system log (%s): %s" % (self._log, _why(error))
                return
            self._append(text, error)

    def _send(self, text: bytes) -> None:
        """Give a line to the system log; one that was started anew meanwhile is asked again.

        :raises OSError: when it does not take it.
        """
        data = b"<%d>%s %s" % (_DAEMON_NOTICE, _stamp(time.localtime()), _signed(text))
        known = self._connection is not None
        try:
            self._deliver(data)
        except OSError as error:
            self._close()
            if not known or error.errno == errno.EAGAIN:
                raise
            self._deliver(data)

    def _deliver(self, data: bytes) -> None:
        if self._connection is None:
            self._connection = _connected(self._log)
        if self._connection.type & socket.SOCK_STREAM:
            data += b"\0"
        while True:
            try:
                if self._connection.send(data) != len(data):
                    raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
                return
            except BlockingIOError:
                if self._patience <= 0:
                    raise
            self._patience -= _PAUSE_SECONDS
            time.sleep(_PAUSE_SECONDS)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _append(self, text: bytes, why: OSError) -> None:
        data = when(int(time.time())).encode("ascii") + b" " + _signed(text) + b"\n"
        try:
            _append(self._file, data)
        except OSError as error:
            words = (self._log, _why(why), self._file, _why(error))
            self.trouble = "not all was written to the system log (%s: %s), nor to %s: %s" % words


def _cut(text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return data if len(data) <= LINE_BYTES else data[:LINE_BYTES].decode("utf-8", "ignore").encode("utf-8") + b"..."


def _signed(text: bytes) -> bytes:
    return b"%s[%d]: %s" % (IDENTIFIER.encode("ascii"), os.getpid(), text)


def _stamp(now: time.struct_time) -> bytes:
    words = (MONTHS[now.tm_mon - 1], now.tm_mday, now.tm_hour, now.tm_min, now.tm_sec)
    return ("%s %2d %02d:%02d:%02d" % words).encode("ascii")


def _connected(path: str) -> socket.socket:
    """A connection to the system log, of whichever kind it takes, on which nothing waits.

    :raises OSError: when nobody is there.
    """
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        connection = socket.socket(socket.AF_UNIX, kind)
        try:
            connection.setblocking(False)
            connection.connect(path)
            return connection
        except OSError as error:
            connection.close()
            if error.errno != errno.EPROTOTYPE:
                raise
    raise OSError(errno.EPROTOTYPE, os.strerror(errno.EPROTOTYPE))


def _append(path: str, data: bytes) -> None:
    """Add a line to a file of root's. No link is followed, and no other file written to by another name of it.

    :raises OSError: when it is something else, or the disk is full.
    """
    handle = _opened(path)
    try:
        if os.fstat(handle).st_size >= FILE_BYTES and _put_aside(path, handle):
            os.close(handle)
            handle = -1
            handle = _opened(path)
        if os.write(handle, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        if handle >= 0:
            os.close(handle)


def _opened(path: str) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    handle = os.open(path, flags, 0o600)
    found = os.fstat(handle)
    ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_nlink == 1
    if not ours or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        os.close(handle)
        raise OSError(errno.EPERM, "it is no file of root's alone")
    return handle


def _put_aside(path: str, handle: int) -> bool:
    """Whether the file that is at ``path`` was put aside: one of us does that, and only as long as it is that file."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(handle), os.lstat(path)):
            return True
        os.rename(path, path + ".1")
        return True
    except OSError:
        return False


def _why(error: OSError) -> str:
    return str(error.strerror or error)
