# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel holds a user's process to, so that a process that becomes the user's is held to no less.

Everything is read before the fork; the child only does what was found. What cannot be read is not guessed: nothing is
ever raised. Only files of /proc are read that do not wait for the process (``stat`` and ``environ`` may, without end).
"""

import errno
import os
import resource
from typing import Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host import kernel
from ansible_collections.fleet.tmux.plugins.module_utils._host.cgroups import directory, groups, is_frozen

_NAMESPACES = ("user", "pid", "net", "ipc", "uts", "cgroup", "time", "mnt")

_FIRST_TO_GO = 1000
"""The oom_score_adj of what the kernel ends first: where memory is short, a look must never cost live work."""

_NICE_NEUTRAL = 0
_POLICIES = ("SCHED_BATCH", "SCHED_IDLE")
"""The ways to be scheduled, beside the usual one, that give no advantage."""

_MEMORY = tuple(getattr(resource, name) for name in ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_STACK"))
"""Limits that the child itself may already be above: they are set last."""

_LIMITS = 16
"""How many limits every Python knows."""

Resource = Tuple[int, int, int]
"""A limit's number, its soft and its hard value."""

_unbounded: List[Tuple[int, int]] = []
"""What the limit of our memory was before we bounded it: that is our own affair, and goes to no program."""


def bound_memory(more: int) -> None:
    """Let this process have so many bytes more of memory than it has. What it becomes, or runs, is not meant."""
    with open("/proc/self/statm", "rb") as handle:
        size = int(handle.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    _unbounded[:] = [(soft, hard)]
    resource.setrlimit(resource.RLIMIT_AS, (_lower(soft, size + more), hard))


def free_memory() -> None:
    """Take back what :func:`bound_memory` did, if it did anything."""
    for limit in _unbounded:
        resource.setrlimit(resource.RLIMIT_AS, limit)


def _own(number: int) -> Tuple[int, int]:
    """A limit of ours, as it was before we bounded ourselves."""
    if number == resource.RLIMIT_AS and _unbounded:
        return _unbounded[0]
    return resource.getrlimit(number)


class Refused(OSError):
    """A program that is not run as a user: it could not be held to what the user is held to.

    ``errno`` is ESRCH or ENOENT when the process that it should have been like is gone.
    """


class Limits(NamedTuple):
    """What a child of root is held to when it becomes a user's. ``join``: files that it writes its pid into."""

    calls: kernel.Calls
    join: Tuple[str, ...] = ()
    resources: Tuple[Resource, ...] = ()
    score: int = 0
    nice: int = _NICE_NEUTRAL
    policy: int = os.SCHED_OTHER
    io: int = 0
    capabilities: int = -1
    gains_nothing: bool = False

    def confine(self) -> None:
        """In the child, as root: everything that the user could not do, or could undo."""
        # A group whose memory is used up ends something as soon as we are in it, and none that has realtime lets us in.
        _write("/proc/self/oom_score_adj", b"%d" % self.score)
        self._take_turns_like_any_other()
        for path in self.join:
            _write(path, b"0")
        kernel.have_usual_securebits()
        kernel.bound_capabilities(self.capabilities)
        # A limit of ours that counts the user's processes would be checked while we become the user.
        hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        resource.setrlimit(resource.RLIMIT_NPROC, (hard, hard))

    def _take_turns_like_any_other(self) -> None:
        try:
            os.sched_setscheduler(0, self.policy, os.sched_param(0))
            os.setpriority(os.PRIO_PROCESS, 0, self.nice)
        except PermissionError:
            pass  # Without CAP_SYS_NICE it waits for its turn as long as we do, which is no advantage.
        kernel.set_order_of_io(self.calls, self.io)

    def tighten(self, uid: int) -> None:
        """In the child, as the user: what anybody may do.

        The kernel holds the number of the user's processes against a limit when it changes the uid, and then refuses
        the program. A limit that is lowered after that only counts for what the program starts.
        """
        if uid != 0:
            kernel.drop_capabilities(self.calls)
        if self.gains_nothing:
            kernel.gain_nothing_more()
        for number, soft, hard in self.resources:
            resource.setrlimit(number, (soft, hard))


def free() -> Limits:
    """For the child of a user who is at no limit that we know of.

    :raises Refused: on a machine whose system calls we do not know.
    """
    calls = kernel.calls_here()
    if calls is None:
        machine = os.uname().machine
        raise Refused(errno.ENOSYS, "how to keep the keys of root from a user is not known on %s" % machine)
    own = _own_score()
    return Limits(calls, score=max(own, 0), resources=_lowered({}))


def like(pid: int, uid: int) -> Limits:
    """For a child that becomes a process of ``uid``, and is held to what process ``pid`` of that user is held to.

    :raises Refused: when it cannot be, saying why.
    """
    limits = free()
    try:
        folder = os.open("/proc/%d" % pid, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        raise Refused(errno.ESRCH, "process %d is gone" % pid)
    try:
        return _like(limits, pid, uid, folder)
    except (FileNotFoundError, ProcessLookupError):
        raise Refused(errno.ESRCH, "process %d is gone" % pid)
    finally:
        os.close(folder)


def _like(limits: Limits, pid: int, uid: int, folder: int) -> Limits:
    status = _fields(_read("status", folder))
    if set(status.get("Uid", "").split()) != {str(uid)}:
        # The number of a process that has ended may have come to another one meanwhile.
        raise Refused(errno.ESRCH, "process %d is not one of uid %d" % (pid, uid))
    _require_own_namespaces(folder)
    return limits._replace(
        join=_to_join(folder),
        resources=_lowered(_limits(_read("limits", folder))),
        score=max(_own_score(), _FIRST_TO_GO),
        nice=max(_nice(pid), _NICE_NEUTRAL),
        policy=_policy(pid),
        io=kernel.order_of_io(limits.calls, pid),
        capabilities=int(status.get("CapBnd", "f" * 16), 16),
        gains_nothing=status.get("NoNewPrivs", "").strip() == "1",
    )


def _require_own_namespaces(folder: int) -> None:
    for kind in _NAMESPACES:
        try:
            theirs = os.readlink("ns/" + kind, dir_fd=folder)
            ours = os.readlink("/proc/self/ns/" + kind)
        except OSError:
            continue
        if theirs != ours:
            raise Refused(errno.EPERM, "it lives in another %s namespace" % kind)


def _to_join(folder: int) -> Tuple[str, ...]:
    """The files by which the groups are joined that are not our own.

    :raises Refused: when one cannot be, or whoever joins it would be stopped.
    """
    try:
        own = groups(_read("/proc/self/cgroup"))
    except FileNotFoundError:
        return ()  # This kernel has none.
    found = []
    for group in groups(_read("cgroup", folder)):
        if group in own:
            continue
        if is_frozen(group):
            raise Refused(errno.EBUSY, "its cgroup %s is frozen" % group.path)
        place = directory(group)
        if place is None:
            raise Refused(errno.EPERM, "its cgroup %s cannot be reached from here" % group.path)
        found.append(place + "/cgroup.procs")
    return tuple(found)


def _limits(text: str) -> Dict[int, Tuple[int, int]]:
    """The limits in a text as /proc/PID/limits has it: a heading, then a line for each, in the kernel's order."""
    found = {}
    for number, line in enumerate(text.splitlines()[1 : _LIMITS + 1]):
        words = line[25:].split()
        found[number] = (_value(words[0]), _value(words[1]))
    return found


def _value(word: str) -> int:
    return resource.RLIM_INFINITY if word == "unlimited" else int(word)


def _lowered(theirs: Dict[int, Tuple[int, int]]) -> Tuple[Resource, ...]:
    """Our own limits, where theirs are lower theirs; those of the child's memory come last. No core is ever written."""
    infinite = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    found: List[Resource] = []
    for number in sorted({*theirs, resource.RLIMIT_CORE, resource.RLIMIT_NPROC}, key=lambda one: (one in _MEMORY, one)):
        own = _own(number)
        soft, hard = (_lower(mine, other) for mine, other in zip(own, theirs.get(number, infinite)))
        found.append((number, 0 if number == resource.RLIMIT_CORE else _lower(soft, hard), hard))
    return tuple(found)


def _lower(one: int, other: int) -> int:
    known = [value for value in (one, other) if value != resource.RLIM_INFINITY]
    return min(known) if known else resource.RLIM_INFINITY


def _nice(pid: int) -> int:
    try:
        return os.getpriority(os.PRIO_PROCESS, pid)
    except OSError:
        return _NICE_NEUTRAL


def _policy(pid: int) -> int:
    try:
        found = os.sched_getscheduler(pid)
    except OSError:
        return os.SCHED_OTHER
    return found if found in [getattr(os, name) for name in _POLICIES] else os.SCHED_OTHER


def _own_score() -> int:
    return int(_read("/proc/self/oom_score_adj"))


def _fields(text: str) -> Dict[str, str]:
    parts = (line.partition(":") for line in text.splitlines())
    return {name: value for name, _colon, value in parts}


def _read(path: str, folder: Optional[int] = None) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as handle:
        return os.fsdecode(handle.read())


def _write(path: str, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, data)
    except OSError as error:
        raise OSError(error.errno, "%s: %s" % (path, error.strerror))
    finally:
        os.close(descriptor)
