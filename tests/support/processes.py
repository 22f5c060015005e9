# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel says of processes."""

import os
from typing import Dict, List, Optional

OF_THE_LIBRARY = 1 << 32 - 1 | 1 << 33 - 1
"""Signals 32 and 33, as a mask: the C library keeps them to itself, so no program can undo that they are ignored."""


def settable(mask: str) -> int:
    """A mask of /proc/PID/status, without the signals that no program can set."""
    return int(mask, 16) & ~OF_THE_LIBRARY


def stat_fields(pid: int) -> Optional[List[str]]:
    """/proc/PID/stat from the state on, or None when there is no such process."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as handle:
            return handle.read().rpartition(b")")[2].decode("ascii").split()
    except OSError:
        return None


def started(pid: int) -> Optional[str]:
    """When a living process has started: with the pid, its identity."""
    fields = stat_fields(pid)
    return None if fields is None or fields[0] in "ZX" else fields[19]


def alive(pid: int) -> bool:
    """Whether there is such a process, and it is not only waiting to be reaped."""
    return started(pid) is not None


def begun(pid: int) -> bool:
    """Whether what tmux has started runs its own program, or has ended. Before, it is a double of the server."""
    try:
        with open("/proc/%d/comm" % pid, "rb") as handle:
            return handle.read() != b"tmux: server\n"
    except OSError:
        return True


def stopped(pid: int) -> bool:
    fields = stat_fields(pid)
    return fields is not None and fields[0] in "Tt"


def every_pid() -> List[int]:
    """All processes of this process namespace."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def status_field(pid: int, field: str) -> List[str]:
    with open("/proc/%d/status" % pid, encoding="utf-8") as handle:
        (line,) = [line for line in handle if line.startswith(field + ":")]
    return line.split()[1:]


def environ_of(pid: int) -> Dict[str, str]:
    with open("/proc/%d/environ" % pid, "rb") as handle:
        pairs = [pair.partition(b"=") for pair in handle.read().split(b"\0") if pair]
    return {os.fsdecode(key): os.fsdecode(value) for key, _equals, value in pairs}
