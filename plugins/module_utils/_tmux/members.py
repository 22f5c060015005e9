# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which processes belong to a session: whoever works in it, whoever that is; and which of them are its owner's."""

from typing import Dict, Iterable, List, Optional, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session

PROCESSES_PER_OWNER = 100000
"""Processes that the sessions of one owner may have together; what several of them share is counted for each."""

TOO_MANY = "the sessions of its owner have more than %d processes, and no more are looked at" % PROCESSES_PER_OWNER


class Members:
    """Finds the processes of sessions, and looks for those of one owner no longer than the others can spare."""

    def __init__(self, processes: Processes) -> None:
        self.processes = processes
        self._found: Dict[int, int] = {}

    def of(self, session: Session, server_pid: Optional[int], uid: int) -> Optional[Tuple[Process, ...]]:
        """Who belongs to a session; None if that is not looked for any more."""
        if self.used_up(uid):
            return None
        visited: Set[int] = set()
        found = members(self.processes, session, server_pid, uid, visited)
        self._charge(uid, visited)
        return found

    def below(self, pane: Optional[int], server_pid: Optional[int], uid: int) -> List[Process]:
        """Who descends from a pane, or shares its kernel session; nobody if that is not looked for any more."""
        if self.used_up(uid) or pane is None:
            return []
        visited: Set[int] = set()
        found = self.processes.below(self.processes.panes_of(server_pid, [pane]), visited)
        self._charge(uid, visited)
        return found

    def used_up(self, uid: int) -> bool:
        """Whether one owner's processes are not looked for any more."""
        return self._found.get(uid, 0) >= PROCESSES_PER_OWNER

    def _charge(self, uid: int, visited: Set[int]) -> None:
        self._found[uid] = self._found.get(uid, 0) + 1 + len(visited)


def members(
    processes: Processes,
    session: Session,
    server_pid: Optional[int],
    uid: int,
    seen: Optional[Set[int]] = None,
) -> Tuple[Process, ...]:
    """The processes of a session: what its panes started, also what has detached itself from them.

    Of any user: ``sudo make install`` is live work. Descent and the kernel session find most; only its environment
    still names the pane of a process that has called setsid or forked twice. Anybody may write anything into that, so
    it counts only for the owner's own processes, and what those have started, whatever its environment says.

    :param server_pid: the server as the kernel knows it: what it says of itself, and of its panes, may be a lie.
    :param seen: pids that are left out, with all below them; those that are found are added.
    """
    roots = processes.panes_of(server_pid, session.pids)
    return found_from(processes, roots, [(server_pid, pane.id) for pane in session.panes], uid, seen)


def found_from(
    processes: Processes,
    roots: Iterable[int],
    panes: Iterable[Tuple[Optional[int], str]],
    uid: int,
    seen: Optional[Set[int]] = None,
) -> Tuple[Process, ...]:
    """All below ``roots``, and below the processes of ``uid`` whose environment names one of ``panes``."""
    seen = set() if seen is None else seen
    found: List[Process] = processes.below(roots, seen)
    for server_pid, pane in panes:
        named = [process.pid for process in processes.in_pane(uid, (server_pid or -1, pane))]
        found.extend(processes.below(named, seen) if named else [])
    return tuple(sorted(found))
