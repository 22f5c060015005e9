# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which processes outlive their session, and what is done about them."""

import signal
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import (
    Identity,
    Process,
    Processes,
    identity,
    outlasting,
    send_signal,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import Survivor
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import found_from
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session

ENDING_SECONDS = 1.0
"""How long the processes of a removed session are given to end by themselves (the kernel has sent them SIGHUP)."""

_KILL_SECONDS = 2.0

PanePid = Tuple[Optional[int], int]
"""The pid of a server, as the kernel knows it, and the pid of one of its panes, as the server tells it."""


class Ending(NamedTuple):
    """What is done about processes that outlive a session. ``grace_period``: seconds from SIGTERM to SIGKILL."""

    terminate: bool = False
    grace_period: float = 10.0

    @property
    def seconds(self) -> float:
        """How long it may take, from the removal on."""
        return ENDING_SECONDS + (self.grace_period + _KILL_SECONDS if self.terminate else 0)


class RemovedSession(NamedTuple):
    """A removed session, and its processes as they were before. ``uid``: whose session it was.

    ``server_pid`` is what the kernel says. ``certain``: whether its server has told what it still holds.
    """

    session: Session
    processes: Tuple[Process, ...]
    server_pid: Optional[int]
    uid: int
    certain: bool


def attend(removed: Sequence[RemovedSession], staying: Iterable[PanePid], ending: Ending) -> List[Tuple[Survivor, ...]]:
    """Find who outlives the removed sessions, and deal with them: for each session its own, each process once.

    Only processes of the session's owner are told of as its own, and they are ended only when it is certain that no
    session holds them any more.

    :param staying: the panes of sessions that stay; whoever belongs to one of them is no survivor.
    """
    if not removed:
        return []
    panes = list(staying)
    uids = {one.uid for one in removed}
    first = Processes.of(*uids)
    remaining = _below(first, panes)
    leaving = {identity(each): each for one in removed for each in one.processes}
    outlasting([each for each in leaving.values() if each.pid not in remaining], ENDING_SECONDS)
    processes = Processes.of(*uids)
    found = _who_lives(removed, processes, _still(first, remaining, processes) | _below(processes, panes))
    survivors = _settled(removed, found, processes, ending)
    return [tuple(survivors[identity(each)] for each in own) for own in found]


def _below(processes: Processes, panes: Iterable[PanePid]) -> Set[int]:
    """The pids of all that belong to panes."""
    roots = [pid for server_pid, pid in panes for pid in processes.panes_of(server_pid, [pid])]
    return {each.pid for each in processes.below(roots)}


def _still(before: Processes, pids: Iterable[int], now: Processes) -> Set[int]:
    """Those of ``pids`` that are the processes they were."""
    return {pid for pid in pids if pid in now.table and now.table[pid].started == before.table[pid].started}


def _who_lives(removed: Sequence[RemovedSession], processes: Processes, taken: Set[int]) -> List[List[Process]]:
    """The owner's processes of each removed session that live on; each counts once, and those of ``taken`` do not."""
    seen = set(taken)
    asked: Set[Tuple[Optional[int], str]] = set()
    found = []
    for one in removed:
        panes = [(one.server_pid, pane.id) for pane in one.session.panes]
        # What was started meanwhile counts too, but not what has got the pid of a process of it.
        roots = [each.pid for each in one.processes if _is_there(processes, each)]
        own = found_from(processes, roots, [pane for pane in panes if pane not in asked], one.uid, seen)
        asked.update(panes)
        found.append([each for each in own if processes.owner(each) == one.uid])
    return found


def _is_there(processes: Processes, process: Process) -> bool:
    now = processes.table.get(process.pid)
    return now is not None and now.started == process.started


def _settled(
    removed: Sequence[RemovedSession], found: Sequence[Sequence[Process]], processes: Processes, ending: Ending
) -> Dict[Identity, Survivor]:
    """Report survivors, or end them: SIGTERM, the grace period, SIGKILL, each only to exactly that process."""
    survivors = [each for own in found for each in own]
    ports = {identity(each): processes.ports(each) for each in survivors}
    certain = [each for one, own in zip(removed, found) for each in own if one.certain]
    results = _end(certain if ending.terminate else [], ending.grace_period)
    return {
        identity(each): Survivor(each, ports[identity(each)], results.get(identity(each), "reported"))
        for each in survivors
    }


def _end(doomed: Sequence[Process], grace_period: float) -> Dict[Identity, str]:
    """End processes, and say how."""
    for process in doomed:
        send_signal(process, signal.SIGTERM)
    stubborn = outlasting(doomed, grace_period)
    for process in stubborn:
        send_signal(process, signal.SIGKILL)
    results = dict.fromkeys(_identities(doomed), "terminated")
    results.update(dict.fromkeys(_identities(stubborn), "killed"))
    results.update(dict.fromkeys(_identities(outlasting(stubborn, _KILL_SECONDS)), "alive"))
    return results


def _identities(processes: Iterable[Process]) -> Set[Identity]:
    return {identity(process) for process in processes}
