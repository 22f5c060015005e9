# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Control groups, of both versions: which ones a process is in, and where one is joined."""

import functools
import os
import re
from typing import FrozenSet, Iterator, List, NamedTuple, Optional, Tuple

_UNIFIED: FrozenSet[str] = frozenset()
"""What the hierarchy of version 2 is known by: it names no controller."""


class Group(NamedTuple):
    """A group: its hierarchy (the controllers, or nothing in version 2) and its path in it."""

    hierarchy: FrozenSet[str]
    path: str


class Mount(NamedTuple):
    """Where (a part of) a hierarchy is mounted."""

    hierarchy: FrozenSet[str]
    root: str
    point: str


def groups(text: str) -> List[Group]:
    """The groups in a text as /proc/PID/cgroup has it; there is no newline in the name of a group."""
    lines = [line.split(":", 2) for line in text.splitlines()]
    return [Group(frozenset(filter(None, line[1].split(","))), line[2]) for line in lines if len(line) == 3]


@functools.lru_cache(maxsize=1)
def mounts() -> Tuple[Mount, ...]:
    """The hierarchies that are mounted here. They do not change while we run."""
    with open("/proc/self/mountinfo", "rb") as handle:
        return mounts_in(os.fsdecode(handle.read()))


def mounts_in(text: str) -> Tuple[Mount, ...]:
    """The hierarchies in a text as mountinfo has it, but for those that something is mounted over."""
    on_top = {line.split(" ")[4]: line for line in text.splitlines()}
    return tuple(filter(None, (_mount(line) for line in on_top.values())))


def _mount(line: str) -> Optional[Mount]:
    left, _dash, right = line.partition(" - ")
    here, there = left.split(" "), right.split(" ")
    if there[0] not in ("cgroup", "cgroup2"):
        return None
    hierarchy = frozenset(there[2].split(",")) if there[0] == "cgroup" else _UNIFIED
    return Mount(hierarchy, _plain(here[3]), _plain(here[4]))


def _plain(path: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), path)


def directory(group: Group) -> Optional[str]:
    """Where a group can be reached from here, if it can."""
    for mount in mounts():
        if mount.hierarchy >= group.hierarchy and bool(mount.hierarchy) == bool(group.hierarchy):
            root = mount.root.rstrip("/")
            if (group.path + "/").startswith(root + "/") and not group.path.startswith("/.."):
                return mount.point + group.path[len(root) :].rstrip("/")
    return None


def is_frozen(group: Group) -> bool:
    """Whether whatever is in a group, or joins it, stands still. A state that cannot be read is no reason to say so."""
    place = directory(group)
    if place is None:
        return False
    if group.hierarchy:
        return "freezer" in group.hierarchy and _word(place + "/freezer.state") in ("FROZEN", "FREEZING")
    return any(_word(folder + "/cgroup.freeze") == "1" for folder in _upwards(place, group.path.count("/")))


def _upwards(place: str, levels: int) -> Iterator[str]:
    for _level in range(levels + 1):
        yield place
        place = os.path.dirname(place)


def _word(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as handle:
            return handle.read().strip()
    except OSError:
        return ""
