# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process ends between the look and what follows from it, and somebody else gets its pid: he is not taken for it."""

import contextlib
import os
import signal
import subprocess
from typing import Iterator, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import Ending, RemovedSession, attend
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import WORKS
from ansible_collections.fleet.tmux.plugins.module_utils._signs.work import Spent, worked_between
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import members
from ansible_collections.fleet.tmux.tests.attacks.realm import Tmux, spawn
from ansible_collections.fleet.tmux.tests.support import sessions as make
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually

LAST_PID = "/proc/sys/kernel/ns_last_pid"
HOLDERS = pytest.mark.parametrize("holder", [ALICE, ROOT, BOB], ids=lambda account: account.name)


def with_pid(pid: int, account: Account) -> "subprocess.Popen[bytes]":
    """A process of that user that has the pid of one that has ended, as will happen by itself after some time."""
    started = []

    def got_it() -> bool:
        with open(LAST_PID, "w", encoding="ascii") as stream:
            stream.write(str(pid - 1))
        process = spawn(account, "sleep", "3600")
        started.append(process)
        if process.pid != pid:
            process.kill()
            process.wait(PATIENCE)
        return process.pid == pid

    eventually(got_it, "the pid has a new holder")
    return started[-1]


@contextlib.contextmanager
def exchanged(holder: Account) -> "Iterator[Tuple[Process, subprocess.Popen[bytes]]]":
    """A process of the honest user's as it was, and who has its pid now."""
    if not os.access(LAST_PID, os.W_OK):
        pytest.skip("not on this kernel: needs a kernel that lets root choose the next pid (CONFIG_CHECKPOINT_RESTORE)")
    first = spawn(BOB, "sleep", "3600")
    seen = proctable.read_process(first.pid, (BOB.uid,))
    assert seen is not None and not seen.is_others
    first.kill()
    first.wait(PATIENCE)
    proctable.wait(0.05)  # The kernel tells when a process was started to a hundredth of a second.
    with with_pid(seen.pid, holder) as second:
        try:
            yield seen, second
        finally:
            second.kill()


@HOLDERS
def test_a_new_holder_of_a_pid_gets_no_signal(holder: Account) -> None:
    with exchanged(holder) as (seen, second):
        assert not proctable.send_signal(seen, signal.SIGKILL)
        assert not proctable.lives(seen)
        assert proctable.outlasting([seen], 0) == []
        assert second.poll() is None


@HOLDERS
@pytest.mark.parametrize("pane", [True, False], ids=["the pane's", "below it"])
def test_a_new_holder_of_a_pid_is_no_survivor(holder: Account, pane: bool) -> None:
    """He is neither told of nor ended, and what was asked about the old one stays what it was."""
    with exchanged(holder) as (seen, second):
        session = make.session("work", make.window(make.pane(pid=seen.pid if pane else 1)))
        removed = RemovedSession(session, (seen,), 1, BOB.uid, True)
        assert attend([removed], [(os.getpid(), seen.pid)], Ending(True, 0)) == [()]
        assert second.poll() is None


@HOLDERS
def test_a_new_holder_of_a_panes_pid_does_not_belong_to_it(holder: Account) -> None:
    """Nor does he protect it, or what is below it."""
    server = Tmux(BOB).start("idle")
    with exchanged(holder) as (seen, _second):
        session = make.session("work", make.window(make.pane(pid=seen.pid, id="%7")))
        processes = Processes.of(BOB.uid)
        assert members(processes, session, server.pid(), BOB.uid) == ()
        assert processes.panes_of(server.pid(), [seen.pid]) == []


@HOLDERS
def test_what_a_new_holder_of_a_pid_did_is_not_what_the_old_one_did(holder: Account) -> None:
    """That one went and one came is itself something that happened."""
    with exchanged(holder) as (seen, second):
        now = proctable.read_process(second.pid, (BOB.uid,))
        assert now is not None
        before, after = ({proctable.identity(each): Spent(WORKS, each.cpu_ticks, 0)} for each in (seen, now))
        assert worked_between(before, after, 1.0) == (0, 2)


def test_others_who_are_only_seen_from_outside_have_an_identity_too() -> None:
    first = spawn(ALICE, "sleep", "3600")
    seen = proctable.read_process(first.pid, (BOB.uid,))
    assert seen is not None and seen.is_others and proctable.lives(seen)
    first.kill()
    first.wait(PATIENCE)
    assert not proctable.lives(seen)
    if not os.access(LAST_PID, os.W_OK):
        pytest.skip("not on this kernel: needs a kernel that lets root choose the next pid (CONFIG_CHECKPOINT_RESTORE)")
    with_pid(seen.pid, ALICE)
    now = proctable.read_process(seen.pid, (BOB.uid,))
    assert now is not None and now.is_others
    assert proctable.identity(now) != proctable.identity(seen)
    assert not proctable.lives(seen)
