# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Terminals: whether one is still there, when somebody last typed at it, who is in its foreground, and its mode."""

import os
import re
import stat
import termios
from typing import Iterator, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import PROC, Process

_PSEUDO = re.compile(r"/dev/pts/[0-9]{1,10}\Z")
_UNIX98_MAJORS = range(136, 144)
"""The device numbers of pseudo terminals (UNIX98_PTY_SLAVE_MAJOR in the kernel's major.h)."""
_LFLAG = 3
_DESCRIPTORS = (0, 1, 2)


def has_hung_up(holder: Process, tty: str) -> bool:
    """Whether it is certain that the terminal has gone that a process has opened: the kernel says so at its name.

    Its number may have been given to another terminal since, so that its name alone says nothing. Only a process of
    whoever we look for is looked into.
    """
    if not _PSEUDO.match(tty) or holder.is_others:
        return False
    held = set(_held(holder.pid))
    return tty not in held and "%s (deleted)" % tty in held


def _held(pid: int) -> Iterator[str]:
    """What a process has open, by its names; what has been closed meanwhile is left out."""
    folder = "%s/%d/fd" % (PROC, pid)
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        try:
            yield os.readlink("%s/%s" % (folder, name))
        except OSError:
            continue


def last_typed(tty: str) -> Optional[int]:
    """When something that was typed at a terminal was last read, in seconds since 1970 (as w shows it); None if nobody
    knows. Whoever has named it may have named anything: only a pseudo terminal is asked."""
    if not _PSEUDO.match(tty):
        return None
    try:
        found = os.lstat(tty)
    except OSError:
        return None
    if not stat.S_ISCHR(found.st_mode) or os.major(found.st_rdev) not in _UNIX98_MAJORS:
        return None
    return int(found.st_atime)


def is_on(process: Process, tty: str) -> bool:
    """Whether a terminal is the one that controls a process. Of others' processes nobody knows."""
    try:
        return bool(_PSEUDO.match(tty)) and os.lstat(tty).st_rdev == _device(process.terminal)
    except OSError:
        return False


def is_terminal(link: Optional[str]) -> bool:
    """Whether a descriptor leads to a terminal, by where it leads as this is written in any mount namespace."""
    if link is None:
        return False
    path = link[: -len(" (deleted)")] if link.endswith(" (deleted)") else link
    return path.startswith(("/dev/pts/", "/dev/tty", "/dev/console")) or (path[:1] == "/" and path[1:].isdigit())


def is_another(process: Process, link: Optional[str]) -> bool:
    """Whether a terminal, by where a descriptor leads to it, is certainly not the one that controls a process."""
    device = _device(process.terminal)
    if link is None or os.major(device) not in _UNIX98_MAJORS:
        return False
    numbered = _PSEUDO.match(link)
    if numbered is None:
        return link.startswith("/dev/tty") and link != "/dev/tty"
    return int(link.rpartition("/")[2]) != os.minor(device) + ((os.major(device) - _UNIX98_MAJORS[0]) << 8)


def is_raw(process: Process) -> Optional[bool]:
    """Whether the terminal of a process gives it each key at once, as line editors and full-screen programs have it.

    It is opened with the rights that we have now: those of its user. Only what is the terminal that the kernel names
    is opened; another one of the same number, in another mount namespace, would not be where this process leads to.
    """
    device = _device(process.terminal)
    if os.major(device) not in _UNIX98_MAJORS:
        return None
    for number in _DESCRIPTORS:
        try:
            return _is_raw("%s/%d/fd/%d" % (PROC, process.pid, number), device)
        except (OSError, termios.error):
            continue
    return None


def _is_raw(path: str, device: int) -> bool:
    """:raises OSError: where that is not the terminal, or may not be opened."""
    _check(os.stat(path), device)
    handle = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check(os.fstat(handle), device)
        return not termios.tcgetattr(handle)[_LFLAG] & termios.ICANON
    finally:
        os.close(handle)


def _check(found: os.stat_result, device: int) -> None:
    if not (stat.S_ISCHR(found.st_mode) and found.st_rdev == device):
        raise OSError("no terminal")


def _device(number: int) -> int:
    """The device that a number in /proc/PID/stat stands for (new_encode_dev in the kernel's kdev_t.h)."""
    return os.makedev(number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00)
