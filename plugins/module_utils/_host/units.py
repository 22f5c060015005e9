# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Units of systemd: which one a process lives in, and whether the end of a login takes it.

Only where systemd is the manager of the host is anything asked; elsewhere it costs one look at a directory.
"""

import os
import re
import stat
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.cgroups import groups
from ansible_collections.fleet.tmux.plugins.module_utils._host.child import LOCALE, SEARCH_PATH, run

PROC = "/proc"
RUN = "/run"
LINGER = "/var/lib/systemd/linger"
_PROGRAMS = ("/usr/bin", "/bin", "/run/current-system/sw/bin")
_ANSWER_SECONDS = 10.0
_NEVER = 2**64 - 1
_TREES = ("name=systemd", "")
_FIRST = "/init.scope"
_KINDS = (".scope", ".service", ".slice")

_PROPERTIES = ("KillUserProcesses", "KillOnlyUsers", "KillExcludeUsers", "UserStopDelayUSec", "StopIdleSessionUSec")
"""What is asked of logind, the newest last: it stops at the first that it does not know."""


class Unit(NamedTuple):
    """The unit of the system manager that a process lives in. ``uid``: of the user in whose slice that is.

    ``inner``: the unit of that user's own manager, where it is in one; the user may have chosen its name.
    """

    name: str
    uid: Optional[int] = None
    inner: str = ""

    @property
    def session(self) -> str:
        """The id of the login session whose unit it is, if it is one."""
        found = re.match(r"session-(\w+)\.scope\Z", self.name)
        return found.group(1) if found and self.uid is not None else ""

    @property
    def is_users_manager(self) -> bool:
        return self.name == "user@%s.service" % self.uid


class Logind(NamedTuple):
    """What logind does at the end of a login session, and of a user's last one."""

    kills: bool
    only: Tuple[str, ...] = ()
    excludes: Tuple[str, ...] = ()
    ends_managers: bool = True
    ends_idle: bool = False

    def kills_of(self, name: str) -> bool:
        """Whether it ends all processes of a login session of a user at its end; see logind.conf(5)."""
        if name in self.excludes or (name == "root" and not self.excludes):
            return False
        return name in self.only if self.only else self.kills


def runs_here() -> bool:
    """Whether systemd is the manager of this host."""
    return os.path.isdir(RUN + "/systemd/system")


def unit_of(pid: object = "self") -> Optional[Unit]:
    """The unit that a process lives in; None where that cannot be known. Its files of /proc do not wait for it."""
    try:
        return unit_in(_read("%s/%s/cgroup" % (PROC, pid)), _read(PROC + "/1/cgroup"))
    except OSError:
        return None


def unit_in(text: str, first: str = "") -> Optional[Unit]:
    """The unit in a text as /proc/PID/cgroup has it. ``first``: that of systemd itself, within whose group all are.

    Its own hierarchy is a named one of version 1, or version 2; in a container, the host may have the other as well.
    """
    ours, first_groups = _paths(text), _paths(first)
    there = [tree for tree in _TREES if tree in ours]
    tree = next((tree for tree in there if first_groups.get(tree, "").endswith(_FIRST)), "".join(there[:1]))
    path, root = ours.get(tree, ""), first_groups.get(tree, "")
    root = (root[: -len(_FIRST)] if root.endswith(_FIRST) else root).rstrip("/")
    if not (path + "/").startswith(root + "/"):
        return None
    # A name that could be one of the kernel's own files begins with an underscore that is not its.
    parts = [re.sub(r"\A_", "", part) for part in path[len(root) :].split("/") if part]
    slices, name, rest = _next(parts)
    if not name:
        return Unit(slices[-1]) if slices else None
    if not name.endswith(_KINDS):
        return None
    owners = [found.group(1) for found in (re.match(r"user-([0-9]{1,10})\.slice\Z", one) for one in slices) if found]
    unit = Unit(name, int(owners[-1]) if owners else None)
    return unit._replace(inner=_next(rest)[1]) if unit.is_users_manager else unit


def _next(parts: List[str]) -> Tuple[List[str], str, List[str]]:
    """The slices that a path begins with, what comes then, and the rest."""
    number = next((number for number, part in enumerate(parts) if not part.endswith(".slice")), len(parts))
    return parts[:number], "".join(parts[number : number + 1]), parts[number + 1 :]


def _paths(text: str) -> Dict[str, str]:
    """The groups in the hierarchies that systemd may have for its own, by the name of each."""
    return {"".join(group.hierarchy): group.path for group in groups(text) if len(group.hierarchy) < 2}


def _read(path: str) -> str:
    with open(path, "rb") as handle:
        return os.fsdecode(handle.read())


# --- what the end of a login takes ------------------------------------------------------------------------------------


def lingers(name: str) -> bool:
    """Whether the manager of a user runs without a login of that user, from boot on."""
    return os.path.lexists("%s/%s" % (LINGER, name.replace("\\", "\\\\"))) and "/" not in name


def logind() -> Optional[Logind]:
    """What logind is set to; None if it does not say."""
    program = tool("busctl")
    if program is None:
        return None
    place = ["org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"]
    env = {"PATH": SEARCH_PATH, "LANG": LOCALE}
    try:
        outcome = run([program, "get-property", *place, *_PROPERTIES], env=env, timeout=_ANSWER_SECONDS)
    except OSError:
        return None
    return logind_in(os.fsdecode(outcome.out))


def logind_in(text: str) -> Optional[Logind]:
    """What logind is set to, from how busctl prints it: a type and a value in each line, in our order."""
    told = dict(zip(_PROPERTIES, text.splitlines()))
    if told.get("KillUserProcesses") not in ("b true", "b false") or len(told) < 3:
        return None
    return Logind(
        told["KillUserProcesses"] == "b true",
        tuple(re.findall(r'"([^"]*)"', told["KillOnlyUsers"])),
        tuple(re.findall(r'"([^"]*)"', told["KillExcludeUsers"])),
        _microseconds(told.get("UserStopDelayUSec", "")) < _NEVER,
        _microseconds(told.get("StopIdleSessionUSec", "t %d" % _NEVER)) < _NEVER,
    )


def _microseconds(line: str) -> int:
    found = re.match(r"t ([0-9]{1,20})\Z", line)
    return int(found.group(1)) if found else 0


def tool(name: str) -> Optional[str]:
    """The path of a program of systemd's, which belongs to root and nobody else may write to."""
    for folder in _PROGRAMS:
        path = os.path.join(folder, name)
        try:
            found = os.stat(path)
        except OSError:
            continue
        if stat.S_ISREG(found.st_mode) and found.st_uid == 0 and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return path
    return None


class Logins:
    """Judges what the end of a login takes. logind is asked at most once, and only where a login session matters."""

    def __init__(self, name_of: Callable[[int], str]) -> None:
        self._name_of = name_of
        self._asked = False
        self._logind: Optional[Logind] = None

    def end_of(self, unit: Optional[Unit]) -> Optional[str]:
        """Why a unit ends with the login of whoever started it: "" if it does not, None if that is not known."""
        if not runs_here():
            # What knows of logins without systemd, like elogind, has these as well.
            return None if os.path.isdir(RUN + "/systemd/sessions") else ""
        if unit is None:
            return None
        if unit.is_users_manager and unit.uid is not None:
            return self._end_of_manager(unit.name, self._name_of(unit.uid))
        return self._end_of_session(unit, unit.uid) if unit.session and unit.uid is not None else ""

    def _end_of_manager(self, unit: str, name: str) -> Optional[str]:
        if lingers(name):
            return ""
        known = self._settings()
        if known is None or known.ends_managers:
            return f"{name} does not linger, so {unit} ends, with all that runs in it, after the last logout of {name}"
        return ""

    def _end_of_session(self, unit: Unit, uid: int) -> Optional[str]:
        if _has_ended(unit.session):
            return ""
        known = self._settings()
        if known is None:
            return None
        if known.kills_of(self._name_of(uid)):
            return "logind ends all processes of a login session at its end (KillUserProcesses)"
        if known.ends_idle:
            return "logind ends login sessions that are idle, with all processes of theirs (StopIdleSessionSec)"
        return ""

    def _settings(self) -> Optional[Logind]:
        if not self._asked:
            self._asked, self._logind = True, logind()
        return self._logind


def _has_ended(session: str) -> bool:
    """Whether a login session is over already, so that what lives in its unit has outlived it."""
    try:
        text = _read("%s/systemd/sessions/%s" % (RUN, session))
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return "STATE=closing" in text.splitlines()
