# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which unit of systemd's a server lives in, and whether it outlives a login, as results and warnings say it."""

from typing import Any, Dict, List, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host import units
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import tells_of
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import NAME_CHARS, brief
from ansible_collections.fleet.tmux.plugins.module_utils._host.units import Logins, Unit
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host

NOWHERE: Dict[str, Any] = {"unit": None, "user_unit": None, "survives_logout": None}
"""Of no server."""

_REMEDY = "use scope=user (with lingering) or, as root, scope=system to start it in a unit of its own"


class Home:
    """Says of servers of one host where they live. Without systemd that costs nothing."""

    def __init__(self, host: Host) -> None:
        self._full = host.full
        self._logins = Logins(lambda uid: host.directory.user(uid).name)

    def of(self, pid: Optional[int], uid: int) -> Dict[str, Any]:
        """Where a server lives, whose owner may have chosen the name of the unit in that user's own manager."""
        if pid is None:
            return dict(NOWHERE)
        unit = _unit(pid)
        inner = unit.inner if unit is not None and tells_of(uid, self._full) else ""
        return {
            "unit": None if unit is None else brief(unit.name, NAME_CHARS),
            "user_unit": brief(inner, NAME_CHARS) or None,
            "survives_logout": _survives(self._logins.end_of(unit)),
        }

    def of_server(self, pid: Optional[int]) -> Dict[str, Any]:
        """The same of a server that somebody else has looked at, who may have ended meanwhile."""
        uid = None if pid is None else proctable.owner(pid)
        return dict(NOWHERE) if uid is None else self.of(pid, uid)

    def promised(self, scope: str) -> Dict[str, Any]:
        """Where a server will live that is not there yet: the name of its unit is only known afterwards."""
        return dict(NOWHERE, survives_logout=_survives(self._end_of_birth(scope)))

    def _end_of_birth(self, scope: str) -> Optional[str]:
        return self._logins.end_of(_unit("self")) if scope == "none" else ""

    def warned_of_birth(self, scope: str) -> List[str]:
        """What is to be said of a server that is started with the login of whoever does that, as a sentence."""
        why = self._end_of_birth(scope)
        return [f"the tmux server that is started does not outlive the login: {why}; {_REMEDY}"] if why else []

    def warned_of_life(self, pid: Optional[int], scope: str) -> List[str]:
        """The same of a server that is there, where it is wanted otherwise."""
        unit = None if pid is None or scope == "none" else _unit(pid)
        why = self._logins.end_of(unit) if unit is not None else ""
        if not why or unit is None:
            return []
        name = brief(unit.name, NAME_CHARS)
        return [f"scope={scope} holds for a server that is started; this one lives in {name} already: {why}"]


def _unit(pid: object) -> Optional[Unit]:
    return units.unit_of(pid) if units.runs_here() else None


def _survives(end: Optional[str]) -> Optional[bool]:
    return None if end is None else not end
