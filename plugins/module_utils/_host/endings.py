# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for processes that are nobody's children of ours to end: nothing is run for that, and nobody is asked."""

import ctypes
import os
import select
import time
from typing import Dict, List, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process

HANDLES = 200
"""Processes that the kernel tells us of at the same time; further ones are looked at in /proc."""
LOOK_SECONDS = 0.5
"""How often those are looked at of which the kernel does not tell by itself (before Linux 5.3)."""
_PIDFD_OPEN = 434


def until_one_ends(processes: Sequence[Process], seconds: float) -> List[Process]:
    """Wait until one of these has ended, at most so long; those that have. Without any, time passes."""
    handles: Dict[int, Process] = {}
    try:
        for process in processes[:HANDLES]:
            handle = _handle(process.pid)
            if handle is not None:
                handles[handle] = process
        # Before there was a handle, a pid may have got a new holder.
        return _ended(processes) or _waited(processes, handles, time.monotonic() + seconds)
    finally:
        for handle in handles:
            os.close(handle)


def _waited(processes: Sequence[Process], handles: Dict[int, Process], deadline: float) -> List[Process]:
    told = set(handles.values())
    others = [process for process in processes if process not in told]
    poll = select.poll()
    for handle in handles:
        poll.register(handle, select.POLLIN)
    while True:
        left = max(0.0, deadline - time.monotonic())
        events = poll.poll(1000 * (min(left, LOOK_SECONDS) if others else left))
        ended = [handles[handle] for handle, _event in events] + _ended(others)
        if ended or time.monotonic() >= deadline:
            return ended


def _ended(processes: Sequence[Process]) -> List[Process]:
    return [process for process in processes if not proctable.lives(process)]


def _handle(pid: int) -> Optional[int]:
    """A pidfd: it can be read from as soon as the process has ended, also while nobody has waited for that."""
    handle = int(ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_OPEN, pid, 0))
    return None if handle < 0 else handle
