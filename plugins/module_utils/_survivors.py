# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which processes belong to a session, and which of them outlive it."""

import signal
import time
from typing import Any, Container, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils import _proctable as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._model import Session
from ansible_collections.fleet.tmux.plugins.module_utils._proctable import Process
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import shown

ENDING_SECONDS = 1.0
"""How long the processes of a removed session are given to end by themselves (the kernel has sent them SIGHUP)."""

_KILL_SECONDS = 2.0
_POLL_SECONDS = 0.02

Identity = Tuple[int, int]
Home = Tuple[int, str]
"""Server pid and pane id: what tmux writes into the environment of everything that is started in a pane."""


class Census:
    """All processes of the host at one moment, and the panes that their environments name."""

    def __init__(self) -> None:
        # What a tmux server that was started in a pane holds is not of that pane: it has sessions of its own.
        everyone = proctable.read_table()
        self._table = {pid: process for pid, process in everyone.items() if not proctable.serves_tmux(process)}
        self._homes: Optional[Dict[Home, List[Process]]] = None

    def below(self, pids: Iterable[int]) -> List[Process]:
        """The processes of panes, as far as descent and the kernel session tell."""
        return proctable.belonging_to(self._table, pids)

    def members(
        self, session: Session, server_pid: Optional[int], uid: int, roots: Optional[Iterable[int]] = None
    ) -> Tuple[Process, ...]:
        """The processes of a session: what its panes started, also what has detached itself from them.

        Descent and the kernel session find most; only its environment still names the pane of a process that has called
        setsid or forked twice. Anybody may write anything into that, so it counts only for the owner's own processes.

        :param roots: what to descend from; by default the pids of the panes.
        """
        found = {process.pid: process for process in self.below(session.pids if roots is None else roots)}
        for pane in session.panes:
            for process in self._at_home().get((server_pid or -1, pane.id), []):
                if proctable.owner(process.pid) == uid:
                    found.setdefault(process.pid, process)
        return tuple(found[pid] for pid in sorted(found))

    def _at_home(self) -> Dict[Home, List[Process]]:
        if self._homes is None:
            self._homes = {}
            for process in self._table.values():
                home = proctable.tmux_home(process.pid) if process.alive else None
                if home is not None:
                    self._homes.setdefault(home, []).append(process)
        return self._homes


def identity(process: Process) -> Identity:
    return process.pid, process.started


def lives(process: Process) -> bool:
    """Whether exactly this process still runs: a pid may have a new holder."""
    now = proctable.read_process(process.pid)
    return now is not None and now.started == process.started and now.alive


def outlasting(processes: Iterable[Process], seconds: float) -> List[Process]:
    """Who of ``processes`` is still there, when they have had ``seconds`` to end."""
    deadline = time.monotonic() + seconds
    left = [process for process in processes if lives(process)]
    while left and time.monotonic() < deadline:
        proctable.wait(_POLL_SECONDS)
        left = [process for process in left if lives(process)]
    return left


class Aftermath(NamedTuple):
    """What is done about processes that outlive a session."""

    terminate: bool = False
    grace_period: float = 10.0


class Ending(NamedTuple):
    """A survivor, and what became of it: ``reported``, ``terminated`` (SIGTERM), ``killed`` (SIGKILL) or ``alive``."""

    process: Process
    ports: Tuple[int, ...]
    result: str

    def as_dict(self) -> Dict[str, Any]:
        return {
            "pid": self.process.pid,
            "command": shown(self.process.command),
            "rss": self.process.rss,
            "ports": list(self.ports),
            "result": self.result,
        }


Endings = Sequence[Ending]


def settle(survivors: Sequence[Process], spared: Container[Identity], aftermath: Aftermath) -> Dict[Identity, Ending]:
    """Report survivors, or end them: SIGTERM, the grace period, SIGKILL, each only to exactly that process.

    :param spared: those that are only reported, whatever is to be done about the others.
    """
    ports = {identity(process): proctable.listening_ports(process.pid) for process in survivors}
    doomed = [process for process in survivors if aftermath.terminate and identity(process) not in spared]
    for process in doomed:
        proctable.send_signal(process, signal.SIGTERM)
    stubborn = outlasting(doomed, aftermath.grace_period)
    for process in stubborn:
        proctable.send_signal(process, signal.SIGKILL)
    results = dict.fromkeys(ports, "reported")
    results.update(dict.fromkeys(_identities(doomed), "terminated"))
    results.update(dict.fromkeys(_identities(stubborn), "killed"))
    results.update(dict.fromkeys(_identities(outlasting(stubborn, _KILL_SECONDS)), "alive"))
    return {identity(it): Ending(it, ports[identity(it)], results[identity(it)]) for it in survivors}


def _identities(processes: Iterable[Process]) -> Set[Identity]:
    return {identity(process) for process in processes}


class Departed(NamedTuple):
    """A removed session, and its processes as they were before. ``uid``: whose session it was.

    ``certain``: whether its server has told what it still holds.
    """

    session: Session
    processes: Tuple[Process, ...]
    server_pid: Optional[int]
    uid: int
    certain: bool


def attend(departed: Sequence[Departed], staying: Iterable[int], aftermath: Aftermath) -> List[Endings]:
    """Find who outlives the removed sessions, and deal with them: for each session its own, each process once.

    Only processes of the session's owner are ended, and only when it is certain that no session holds them any more.

    :param staying: pids of panes of sessions that stay; whoever belongs to one of them is no survivor.
    """
    if not departed:
        return []
    pids = list(staying)
    remaining = _identities(Census().below(pids))
    outlasting([it for one in departed for it in one.processes if identity(it) not in remaining], ENDING_SECONDS)
    census = Census()
    taken = remaining | _identities(census.below(pids))
    found: List[List[Process]] = []
    spared: Set[Identity] = set()
    for one in departed:
        # What was started meanwhile in a pane of it is its too, but not what has got the pid of a process of it.
        roots = [it.pid for it in one.processes if lives(it)]
        now = census.members(one.session, one.server_pid, one.uid, roots)
        own = [it for it in now if identity(it) not in taken and lives(it)]
        taken |= _identities(own)
        spared |= {identity(it) for it in own if not one.certain or proctable.owner(it.pid) != one.uid}
        found.append(own)
    endings = settle([it for own in found for it in own], spared, aftermath)
    return [[endings[identity(it)] for it in own] for own in found]
