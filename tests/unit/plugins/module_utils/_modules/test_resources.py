# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What sessions and servers use, added up: what cannot be read is null, and nothing is counted twice for a server."""

import os
from typing import Any, Dict, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._modules import resources as room
from ansible_collections.fleet.tmux.plugins.module_utils._modules.resources import UNKNOWN, Resources
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import members
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import parse_version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import Members
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Listing, Session
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Server
from ansible_collections.fleet.tmux.tests.support import sessions as make

ALICE = User("alice", 1000, 1000)
TICKS = os.sysconf("SC_CLK_TCK")
SERVER = 50


class Known(Processes):
    """Processes that name no pane in their environment."""

    def in_pane(self, uid: int, pane: Tuple[int, str]) -> List[Process]:
        return []


def process(pid: int, ppid: int, cpu: int = 0, rss: int = 0, **more: Any) -> Process:
    return Process(pid, ppid, pid, "S", 5, cpu * TICKS, rss, "sh")._replace(**more)


def of_panes(name: str, *pids: int) -> Session:
    return make.session(name, make.window(*[make.pane(pid=pid, id="%%%d" % pid) for pid in pids]))


def server_of(*sessions: Session, table: Tuple[Process, ...]) -> Seen:
    found = next((each for each in table if each.pid == SERVER), None)
    server = Server("/tmp/s", ALICE, "ok", process=found)
    listing = Listing(SERVER, 5, parse_version("3.3a"), sessions, ())
    return Seen(server, Client("tmux", "/tmp/s", ALICE, False, 1.0), listing)


def used(table: Tuple[Process, ...], leak_above: Optional[Dict[str, Optional[float]]] = None) -> Resources:
    return Resources(Members(Known({each.pid: each for each in table})), leak_above or {})


@pytest.fixture(autouse=True)
def files(monkeypatch: pytest.MonkeyPatch) -> Dict[int, Optional[int]]:
    """How many files each process has open; the number of questions is kept as that of process 0."""
    found: Dict[int, Optional[int]] = {0: 0}

    def counted(pid: int, most: Optional[int] = None) -> Optional[int]:
        found[0] = (found[0] or 0) + 1
        number = found.get(pid, 3)
        return number if number is None or most is None else min(number, most)

    monkeypatch.setattr(proctable, "open_files", counted)
    return found


TABLE = (
    process(50, 1, cpu=1, rss=100),
    process(51, 50, cpu=2, rss=1000, waited_ticks=4 * TICKS),
    process(52, 51, cpu=8, rss=10000),
    process(60, 50, cpu=16, rss=100000),
)


def test_a_session_uses_what_its_processes_do_and_those_they_waited_for() -> None:
    work = of_panes("work", 51)
    told = used(TABLE).of_session(server_of(work, table=TABLE), work)
    assert told == {"cpu_seconds": 14.0, "rss": 11000, "open_files": 6, "processes": 2, "unread": 0, "leaks": []}


def test_a_server_uses_what_all_its_sessions_do_and_it_does_itself_each_once(files: Dict[int, Optional[int]]) -> None:
    sessions = (of_panes("work", 51), of_panes("peer", 51), of_panes("other", 60))
    one = server_of(*sessions, table=TABLE)
    resources = used(TABLE)
    each = [resources.of_session(one, session)["processes"] for session in sessions]
    told = resources.of_server(one)
    assert (each, files[0]) == ([2, 2, 1], 4), "no process is read twice"
    assert told == {"cpu_seconds": 31.0, "rss": 111100, "open_files": 12, "processes": 4, "unread": 0, "leaks": []}


def test_a_session_without_processes_uses_nothing() -> None:
    over = make.session("over", make.window(make.pane(dead=True)))
    told = used(TABLE).of_session(server_of(over, table=TABLE), over)
    assert told == {"cpu_seconds": 0, "rss": 0, "open_files": 0, "processes": 0, "unread": 0, "leaks": []}


def test_files_that_are_not_read_are_not_guessed(files: Dict[int, Optional[int]]) -> None:
    """Of whoever has become somebody else, nothing is opened; the kernel may refuse the rest."""
    table = (*TABLE, process(53, 51, rss=1, started=-7))
    work = of_panes("work", 51)
    told = used(table).of_session(server_of(work, table=table), work)
    assert (told["open_files"], told["processes"], told["unread"], told["rss"], files[0]) == (6, 3, 1, 11001, 2)
    files.update({51: None, 52: None})
    told = used(table).of_session(server_of(work, table=table), work)
    assert (told["open_files"], told["unread"]) == (None, 3)


def test_only_so_many_files_of_an_owner_are_counted(
    files: Dict[int, Optional[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FILES_PER_OWNER", 100)
    files.update({51: 70, 52: 31, 60: 30})
    sessions = (of_panes("work", 51), of_panes("other", 60))
    one = server_of(*sessions, table=TABLE)
    resources = used(TABLE)
    work, other = (resources.of_session(one, session) for session in sessions)
    assert (work["open_files"], work["unread"]) == (70, 1)
    assert (other["open_files"], other["unread"]) == (None, 1), "nothing was left for it"


@pytest.mark.parametrize(
    "limits, leaks",
    [
        ({}, []),
        ({"cpu_seconds": 14, "rss": 11000, "open_files": 6, "processes": 2}, []),
        ({"cpu_seconds": 13, "rss": None, "open_files": 5, "processes": 2}, ["cpu_seconds", "open_files"]),
        ({"rss": 10999, "processes": 0}, ["rss", "processes"]),
    ],
)
def test_what_is_above_a_limit_leaks(limits: Dict[str, Optional[float]], leaks: List[str]) -> None:
    work = of_panes("work", 51)
    assert used(TABLE, limits).of_session(server_of(work, table=TABLE), work)["leaks"] == leaks


def test_what_is_not_known_is_above_nothing(files: Dict[int, Optional[int]]) -> None:
    files.update({51: None, 52: None})
    work = of_panes("work", 51)
    assert used(TABLE, {"open_files": 0}).of_session(server_of(work, table=TABLE), work)["leaks"] == []


def test_where_too_many_are_looked_for_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "PROCESSES_PER_OWNER", 2)
    sessions = (of_panes("work", 51), of_panes("other", 60))
    one = server_of(*sessions, table=TABLE)
    resources = used(TABLE)
    assert [resources.of_session(one, session)["processes"] for session in sessions] == [2, None]
    assert resources.of_session(one, sessions[1]) == resources.of_server(one) == UNKNOWN


def test_of_a_server_that_is_not_seen_nothing_is_known() -> None:
    assert used(()).of_server(server_of(table=())) == UNKNOWN
    assert used(()).of_server(server_of(table=TABLE)) == UNKNOWN


def test_open_files_are_counted_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    held = [os.open(os.devnull, os.O_RDONLY) for _number in range(20)]
    try:
        assert proctable.open_files(os.getpid(), 15) == 15
        assert (proctable.open_files(os.getpid()) or 0) >= 20
    finally:
        for handle in held:
            os.close(handle)
