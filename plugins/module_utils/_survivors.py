# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which processes belong to a session, and which of them outlive it."""

import signal
import time
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

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
        self.table = proctable.read_table()
        self._homes: Optional[Dict[Home, List[Process]]] = None

    def members(self, session: Session, server_pid: Optional[int], uid: int) -> Tuple[Process, ...]:
        """The processes of a session: what its panes started, also what has detached itself from them.

        Descent and the kernel session find most; only its environment still names the pane of a process that has called
        setsid or forked twice. Anybody may write anything into that, so it counts only for the owner's own processes. A
        tmux server that was started in a pane is not of that session: it has sessions of its own.
        """
        found = {process.pid: process for process in proctable.belonging_to(self.table, session.pids)}
        for pane in session.panes:
            for process in self._at_home().get((server_pid or -1, pane.id), []):
                if proctable.owner(process.pid) == uid:
                    found.setdefault(process.pid, process)
        return tuple(found[pid] for pid in sorted(found) if not proctable.is_tmux_server(found[pid]))

    def _at_home(self) -> Dict[Home, List[Process]]:
        if self._homes is None:
            self._homes = {}
            for process in self.table.values():
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


def settle(survivors: Sequence[Process], terminate: bool, grace_period: float) -> List[Ending]:
    """Report survivors, or end them: SIGTERM, ``grace_period`` seconds, SIGKILL, each only to exactly that process."""
    ports = {identity(process): proctable.listening_ports(process.pid) for process in survivors}
    if not terminate:
        return [Ending(process, ports[identity(process)], "reported") for process in survivors]
    for process in survivors:
        proctable.send_signal(process, signal.SIGTERM)
    stubborn = outlasting(survivors, grace_period)
    for process in stubborn:
        proctable.send_signal(process, signal.SIGKILL)
    alive = _identities(outlasting(stubborn, _KILL_SECONDS))
    killed = _identities(stubborn) - alive
    results = ((process, _result(identity(process), killed, alive)) for process in survivors)
    return [Ending(process, ports[identity(process)], result) for process, result in results]


def _identities(processes: Iterable[Process]) -> Set[Identity]:
    return {identity(process) for process in processes}


def _result(who: Identity, killed: Set[Identity], alive: Set[Identity]) -> str:
    if who in alive:
        return "alive"
    return "killed" if who in killed else "terminated"
