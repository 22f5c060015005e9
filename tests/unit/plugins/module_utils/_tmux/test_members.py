# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who protects a session, and how far one owner's are looked for."""

from typing import Dict, Iterable, List, Optional, Set

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Pane, Process, Processes
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import members as room
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import Members
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session
from ansible_collections.fleet.tmux.tests.support import sessions as make

SERVER, OWNER, NEIGHBOUR = 50, 7, 8


class Known(Processes):
    """Processes of which we say whose they are, and what their environment names."""

    def __init__(self, parents: Dict[int, int], owners: Dict[int, int], panes: Dict[int, Pane]) -> None:
        table = {pid: Process(pid, ppid, pid, "S", 5, 0, 0, "cat") for pid, ppid in parents.items()}
        super().__init__(table)
        self._whose = owners
        self._named = panes

    def owner(self, process: Process) -> int:
        return self._whose.get(process.pid, OWNER)

    def in_pane(self, uid: int, pane: Pane) -> List[Process]:
        return [self.table[pid] for pid, named in self._named.items() if named == pane and self._whose[pid] == uid]


def of_panes(*pids: int) -> Session:
    return make.session("work", make.window(*[make.pane(pid=pid, id="%%%d" % pid) for pid in pids]))


def found(processes: Processes, session: Session) -> List[int]:
    belonging = Members(processes).of(session, SERVER, OWNER)
    assert belonging is not None
    return [each.pid for each in belonging]


def test_whoever_works_below_a_pane_belongs_to_it() -> None:
    """``sudo make install``, and what root's make has started as its user."""
    processes = Known({50: 1, 51: 50, 52: 51, 53: 52}, {52: 0, 53: NEIGHBOUR}, {})
    assert found(processes, of_panes(51)) == [51, 52, 53]


@pytest.mark.parametrize("pid", [1, 50, 60, 61, 62, 99])
def test_who_was_not_started_by_the_server_does_not(pid: int) -> None:
    """Nor who was started by another, whatever the server says of it."""
    processes = Known({1: 0, 50: 1, 51: 50, 60: 1, 61: 60, 62: 1}, {60: NEIGHBOUR, 61: NEIGHBOUR}, {})
    assert found(processes, of_panes(pid)) == []
    assert found(processes, of_panes(pid, 51)) == [51]


def test_of_those_that_only_say_so_the_owners_count() -> None:
    pane = (SERVER, "%51")
    processes = Known({50: 1, 51: 50, 70: 1, 71: 1}, {70: OWNER, 71: NEIGHBOUR}, {70: pane, 71: pane})
    assert found(processes, of_panes(51)) == [51, 70]


def test_what_a_detached_process_has_started_belongs_to_it_too() -> None:
    """A monitor that has called setsid, and its work with an environment of its own, of any user."""
    parents, owners = {50: 1, 51: 50, 70: 1, 71: 70, 72: 71}, {70: OWNER, 71: OWNER, 72: NEIGHBOUR}
    assert found(Known(parents, owners, {70: (SERVER, "%51")}), of_panes(51)) == [51, 70, 71, 72]


def test_one_owner_is_not_looked_at_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand sessions that share a pane with a thousand processes would be a million; the neighbour has his own."""
    monkeypatch.setattr(room, "PROCESSES_PER_OWNER", 100)
    parents = {50: 1, 51: 50}
    parents.update(dict.fromkeys(range(100, 130), 51))
    processes = Known(parents, {}, {})
    walked: List[int] = []
    below = processes.below

    def walking(roots: Iterable[int], seen: Optional[Set[int]] = None) -> List[Process]:
        walked.append(1)
        return below(roots, seen)

    monkeypatch.setattr(processes, "below", walking)
    members = Members(processes)
    told = [members.of(of_panes(51), SERVER, OWNER) for _number in range(50)]
    assert [None if own is None else len(own) for own in told] == [31] * 4 + [None] * 46
    assert len(walked) == 4
    assert members.used_up(OWNER) and members.below(51, SERVER, OWNER) == []
    assert not members.used_up(NEIGHBOUR)
    assert members.of(of_panes(51), SERVER, NEIGHBOUR) is not None


def test_sessions_without_processes_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PROCESSES_PER_OWNER", 10)
    members = Members(Known({1: 0}, {}, {}))
    assert [members.of(of_panes(1), SERVER, OWNER) for _number in range(11)] == [()] * 10 + [None]
