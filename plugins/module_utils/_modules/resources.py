# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What sessions and servers use of their host."""

from typing import Any, Dict, Iterable, List, Mapping, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import Members
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session

FILES_PER_OWNER = 500000
"""Open files of one owner's processes that are counted."""

COUNTED = ("cpu_seconds", "rss", "open_files", "processes")
UNKNOWN: Dict[str, Any] = dict(dict.fromkeys((*COUNTED, "unread")), leaks=[])
"""Of what could not be looked at."""


class Resources:
    """Adds up what processes use, each of them read once."""

    def __init__(self, members: Members, leak_above: Mapping[str, Optional[float]]) -> None:
        self._members = members
        self._limits = [(key, limit) for key, limit in leak_above.items() if limit is not None]
        self._files: Dict[int, Optional[int]] = {}
        self._left: Dict[int, int] = {}

    def of_session(self, one: Seen, session: Session) -> Dict[str, Any]:
        """What the processes of a session use together."""
        own = self._members.of(session, one.server.pid, one.server.user.uid)
        return dict(UNKNOWN) if own is None else self._sum(own, one.server.user.uid)

    def of_server(self, one: Seen) -> Dict[str, Any]:
        """What a server and all its sessions use together: windows that are in several sessions count once."""
        server, uid = one.server.process, one.server.user.uid
        if server is None or server.pid not in self._members.processes.table:
            return dict(UNKNOWN)
        found = {server.pid: self._members.processes.table[server.pid]}
        for session in one.listing.sessions:
            own = self._members.of(session, server.pid, uid)
            if own is None:
                return dict(UNKNOWN)
            found.update((process.pid, process) for process in own)
        return self._sum(found.values(), uid)

    def _sum(self, processes: Iterable[Process], uid: int) -> Dict[str, Any]:
        each = list(processes)
        files = [self._open_files(process, uid) for process in each]
        known = [number for number in files if number is not None]
        used: Dict[str, Any] = {
            "cpu_seconds": round(sum(process.cpu_seconds + process.waited_seconds for process in each), 2),
            "rss": sum(process.rss for process in each),
            "open_files": sum(known) if known or not files else None,
            "processes": len(each),
            "unread": len(files) - len(known),
        }
        return dict(used, leaks=self._leaks(used))

    def _leaks(self, used: Mapping[str, Any]) -> List[str]:
        return [key for key, limit in self._limits if used[key] is not None and used[key] > limit]

    def _open_files(self, process: Process, uid: int) -> Optional[int]:
        """How many files a process has open; None where that is not read, or there are too many to count them."""
        if process.is_others:
            return None
        if process.pid not in self._files:
            left = self._left.get(uid, FILES_PER_OWNER)
            number = proctable.open_files(process.pid, left + 1)
            self._left[uid] = left - min(left, number or 0)
            self._files[process.pid] = None if number is None or number > left else number
        return self._files[process.pid]
