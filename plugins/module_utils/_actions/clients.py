# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds out where clients are: whether their terminals live, when somebody typed there, and in whose panes they sit."""

from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host import terminals
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import (
    Process,
    Processes,
    is_tmux_server,
    read_process,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import ELSEWHERE, Attachment, Key
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import AttachedClient, Session

_GENERATIONS = 1000
"""Ancestors of a client that are looked at: more than that no process has."""


_BECOMES = frozenset("doas run0 runuser su sudo".split())
"""Programs by which somebody becomes somebody else; nobody but root may look into them."""


class Clients:
    """The clients of all sessions that one owner's servers have listed, by what the host shows of them."""

    def __init__(self, seen: Sequence[Seen], processes: Processes) -> None:
        self._seen = seen
        self._processes = processes
        self._panes: Dict[int, Set[Key]] = {}
        self._ttys: Dict[Tuple[int, str], Set[Key]] = {}
        if any(session.clients for one in seen for session in one.listing.sessions):
            self._find_panes()

    def _find_panes(self) -> None:
        for place, one in enumerate(self._seen):
            for session in one.listing.sessions:
                key = (place, session.id)
                # A server may say of any process that it runs in a pane, and that this has any terminal.
                own = set(self._processes.panes_of(one.server.pid, session.pids))
                for pane in session.panes:
                    if pane.pid in own:
                        self._panes.setdefault(pane.pid, set()).add(key)
                        self._ttys.setdefault((one.server.user.uid, pane.tty), set()).add(key)

    def of(self, place: int, session: Session) -> Tuple[Attachment, ...]:
        """The clients of a session of the server at ``place``."""
        return tuple(self._attachment(place, client) for client in session.clients)

    def _attachment(self, place: int, client: AttachedClient) -> Attachment:
        lives = not self._is_gone(self._seen[place].server.pid, client)
        within = self._within(self._seen[place].server.user.uid, client)
        return Attachment(client, lives, _typed(client), tuple(sorted(within)))

    def _is_gone(self, server_pid: Optional[int], client: AttachedClient) -> bool:
        """Whether it is certain that nobody can see what a client shows. That we do not see it says nothing."""
        own = self._processes.table.get(client.pid or 0)
        if own is not None and not own.alive:
            return True
        server = self._processes.table.get(server_pid or 0)
        return server is not None and terminals.has_hung_up(server, client.tty)

    def _within(self, uid: int, client: AttachedClient) -> Set[Key]:
        """The sessions in whose pane a client sits: that is its terminal, or what shows it is in the foreground there.

        What was only started from a pane (a program with a window of its own, in the background) is not in it.
        """
        if client.tty and (uid, client.tty) in self._ttys:
            return self._ttys[(uid, client.tty)]
        line = self._line(client.pid)
        inner = next(line, None)
        first, elsewhere = inner, bool(client.tty)
        while inner is not None and inner.pid not in self._panes:
            outer = next(line, None)
            if outer is not None and outer.sid != inner.sid:
                if self._is_others_server(outer):
                    return _foreign(inner, first, client, elsewhere)
                # It shows what is on a terminal that it has made: script, sudo, or a program with a window of its own.
                elsewhere = False
                if not _shows(outer):
                    return set()
            inner = outer
        return set() if inner is None or elsewhere else self._panes[inner.pid]

    @staticmethod
    def _is_others_server(process: Process) -> bool:
        return process.is_others and is_tmux_server(process)

    def _line(self, pid: Optional[int]) -> Iterator[Process]:
        """A process and its ancestors, whose ever they are."""
        for _generation in range(_GENERATIONS):
            process = self._processes.table.get(pid) if pid is not None else None
            if process is None and pid is not None and pid > 1:
                process = read_process(pid, ())
            if process is None:
                return
            yield process
            pid = process.ppid


def _shows(process: Process) -> bool:
    """Whether somebody sees what a program shows: it is in the foreground, or has become somebody else there."""
    return process.is_foreground or (process.is_others and process.command in _BECOMES)


def _foreign(pane: Process, client: Optional[Process], listed: AttachedClient, elsewhere: bool) -> Set[Key]:
    """The pane of another owner that a client sits in: its terminal is that of the pane, or is shown there."""
    if elsewhere and (client is None or client.sid != pane.pid or not terminals.is_on(client, listed.tty)):
        return set()
    return {(ELSEWHERE, str(pane.pid))}


def _typed(client: AttachedClient) -> Optional[int]:
    """When somebody last typed at a client. tmux has no clock for one in control mode; its terminal has."""
    known: List[Optional[int]] = [client.clocks["client_activity"]]
    if client.control:
        known.append(terminals.last_typed(client.tty))
    return None if None in known else max(moment or 0 for moment in known)
