# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CPU time, reads and writes of the processes that count, and what of it is work. Pure but for :func:`spending`."""

import os
from typing import Dict, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Identity, Processes, identity
from ansible_collections.fleet.tmux.plugins.module_utils._signs.network import KEEP_ALIVE
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import PROMPT, WORKS, Cast

_TICKS = float(os.sysconf("SC_CLK_TCK"))
_TICK_PART = 0.05
"""The part of the time that a program at a prompt may compute, and still does nothing but wait."""
_PROMPT_BYTES = 4096.0
"""Bytes a second that it may read and write: it draws itself anew."""
_PROMPT_BYTES_LONG = 16.0
_PROMPT_BYTES_ONCE = 1024.0 * 1024
"""For a longer time it is less in a second, beside what it may read and write at once."""


class Spent(NamedTuple):
    """What one process had used at one moment. ``role``: what it was there for; None for what may not be looked at.

    ``calls``: reads and writes, and children that ended; of others' processes how often they had their turn.
    """

    role: str
    cpu_ticks: int
    calls: Optional[int]
    read: int = 0
    written: int = 0


Spending = Dict[Identity, Spent]
"""What the processes of a session had used at one moment: all of them, and numbers of those that count."""


class Worked(NamedTuple):
    """What was done meanwhile: ticks of CPU time, and reads, writes, and processes that came or went."""

    cpu_ticks: int
    calls: int

    def plus(self, other: "Worked") -> "Worked":
        return Worked(self.cpu_ticks + other.cpu_ticks, self.calls + other.calls)


NOTHING = Worked(0, 0)


def spending(cast: Cast, processes: Processes) -> Spending:
    """What the processes of a session have used up to now; their CPU time is as the table showed it.

    What keeps a line to another host alive is a tick like that of a prompt: what goes over it has a clock of its own.
    """
    held = {identity(process) for process in cast.holding}
    found = {}
    for actor in cast.actors:
        process = actor.process
        if identity(process) not in held:
            found[identity(process)] = Spent("", 0, None)
            continue
        io = processes.io(process.pid)
        calls = None if io is None else io.calls + process.waited_faults
        read, written = (0, 0) if io is None else (io.read, io.written)
        ticks = process.cpu_ticks + process.waited_ticks
        role = PROMPT if process.command in KEEP_ALIVE else actor.role
        found[identity(process)] = Spent(role, ticks, calls, read, written)
    return found


def worked_between(before: Spending, after: Spending, seconds: float) -> Worked:
    """What was work of what the processes of a session did in so many seconds.

    Whoever counts and came or went is work. What a program at a prompt does is none as long as it is a tick.
    """
    done = NOTHING
    for who, now in after.items():
        then = before.get(who)
        done = done.plus(Worked(0, int(bool(now.role))) if then is None else _worked(then, now, seconds))
    return done.plus(Worked(0, sum(1 for who, then in before.items() if then.role and who not in after)))


def _worked(then: Spent, now: Spent, seconds: float) -> Worked:
    if not (then.role and now.role):
        return NOTHING
    ticks = max(0, now.cpu_ticks - then.cpu_ticks)
    calls = 0 if then.calls is None or now.calls is None else max(0, now.calls - then.calls)
    moved = max(0, now.read - then.read) + max(0, now.written - then.written)
    if then.role == now.role == PROMPT and is_a_tick(ticks, moved, seconds):
        return NOTHING
    return Worked(ticks, calls)


def is_a_tick(ticks: int, moved: int, seconds: float) -> bool:
    """Whether a program at a prompt did nothing but wait, by its CPU time and the bytes that it read and wrote."""
    most = min(_PROMPT_BYTES * seconds, _PROMPT_BYTES_ONCE + _PROMPT_BYTES_LONG * seconds)
    return ticks <= _TICK_PART * _TICKS * seconds and moved <= most


def nearly_still(before: Spending, after: Spending, who: Identity, seconds: float) -> bool:
    """Whether a process read nothing meanwhile and used next to no CPU time; not if that cannot be known."""
    then, now = before.get(who), after.get(who)
    if then is None or now is None or then.calls is None or now.calls is None:
        return False
    ticks = now.cpu_ticks - then.cpu_ticks
    return now.read == then.read and 0 <= ticks <= _TICK_PART * _TICKS * seconds


class Totals(NamedTuple):
    """What the processes that count have used in all: those that work, and those that sit at a prompt."""

    cpu_ticks: int
    calls: int
    prompt_ticks: int
    prompt_bytes: int


def totals(used: Spending) -> Totals:
    working = [spent for spent in used.values() if spent.role == WORKS]
    sitting = [spent for spent in used.values() if spent.role == PROMPT]
    return Totals(
        sum(spent.cpu_ticks for spent in working),
        sum(spent.calls or 0 for spent in working),
        sum(spent.cpu_ticks for spent in sitting),
        sum(spent.read + spent.written for spent in sitting),
    )


def counting(used: Spending) -> Tuple[Tuple[Identity, str], ...]:
    """Who counts, and as what."""
    return tuple(sorted((who, spent.role) for who, spent in used.items() if spent.role))
