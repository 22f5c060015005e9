# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of processes at one moment: who holds whom, which times are set, and which pipes have a name."""

import ctypes
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes, read_process
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._host.waits import POLL, READ, Wait
from ansible_collections.fleet.tmux.plugins.module_utils._signs import scene as room
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import Scene
from ansible_collections.fleet.tmux.tests.support.scenes import USER, Known, one

US = User("tester", os.geteuid(), os.getegid(), "/", "/bin/sh", tuple(os.getgroups()))


@pytest.fixture
def tracers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dict[int, int]]:
    """Who holds whom, by pid; each process of the test is whose it says that it is."""
    held: Dict[int, int] = {}
    monkeypatch.setattr(room, "tracer_of", lambda pid: held.get(pid, 0))
    yield held


def debugged(*known: Known, user: User = USER) -> FrozenSet[int]:
    processes = Processes({each.process.pid: each.process for each in known})
    processes._owners.update({each.process.pid: each.process.uid for each in known})
    return Scene(processes, user).debugged


def test_whoever_holds_a_process_holds_it_whatever_that_does(tracers: Dict[int, int]) -> None:
    tracers[7] = 101
    assert debugged(one(7, 1, "server"), one(101, 100, "gdb")) == {101}
    assert debugged(one(7, 1, "server", state="t"), one(101, 100, "gdb")) == {7, 101}


def test_what_a_tracer_has_started_is_judged_by_itself(tracers: Dict[int, int]) -> None:
    tracers.update({102: 101, 103: 101})
    started = one(101, 100, "strace -f sh"), one(102, 101, "sh"), one(103, 102, "less")
    assert debugged(*started) == frozenset()
    assert debugged(*started[:2], one(103, 102, "prog", state="t")) == {101, 103}
    tracers[104] = 101
    assert debugged(*started, one(104, 1, "server")) == {101}


def test_root_may_hold_anybodys(tracers: Dict[int, int]) -> None:
    tracers[7] = 101
    known = one(7, 1, "server", uid=1001), one(101, 100, "strace", uid=0)
    assert debugged(*known, user=User("root", 0, 0)) == {101}
    assert debugged(*known, user=User("carol", 1003, 1003)) == frozenset()


def us() -> Process:
    found = read_process(os.getpid())
    assert found is not None
    return found


def timerfd(seconds: int) -> Optional[int]:
    libc = ctypes.CDLL(None, use_errno=True)
    number = int(libc.timerfd_create(1, os.O_CLOEXEC))
    libc.timerfd_settime(number, 0, struct.pack("=qqqq", 0, 0, seconds, 0), None)
    return number


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a matter of Linux")
def test_a_time_that_is_set() -> None:
    def has_timer() -> bool:
        return Scene(Processes({}), US).has_timer(us())

    idle = timerfd(0)
    assert idle is not None
    try:
        assert not has_timer()
        set_ = timerfd(600)
        assert set_ is not None
        assert has_timer()
        os.close(set_)
        assert not has_timer()
    finally:
        os.close(idle)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a matter of Linux")
@pytest.mark.parametrize(
    ("trap", "expected"), [("trap date USR1", True), ("trap date EXIT", False), ("trap date TERM", False), (":", False)]
)
def test_a_script_that_is_told_something_by_a_signal(trap: str, expected: bool) -> None:
    """At its end, bash tidies up whatever signal ends it."""
    command = trap + "; echo; sleep 600 & wait"
    with subprocess.Popen(["bash", "-c", command], stdout=subprocess.PIPE, start_new_session=True) as script:
        try:
            assert script.stdout is not None and script.stdout.readline()
            process = us()._replace(pid=script.pid)
            assert Scene(Processes({}), US).is_told_by_signal(process) is expected
        finally:
            os.killpg(script.pid, signal.SIGKILL)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a matter of Linux")
def test_a_pipe_that_has_a_name(tmp_path: Path) -> None:
    path = tmp_path / "queue"
    os.mkfifo(str(path))
    number = os.open(str(path), os.O_RDWR)

    def waits(wait: Wait) -> bool:
        return Scene(Processes({}), US).waits_at_named_pipe(us(), wait)

    try:
        assert waits(Wait(READ, number))
        assert waits(Wait(POLL))
        assert not waits(Wait(READ, 0))
        path.unlink()
        assert not waits(Wait(READ, number)), "nobody else can open it any more"
    finally:
        os.close(number)
    with open(str(tmp_path / "log"), "w+", encoding="utf-8") as log:
        assert not waits(Wait(READ, log.fileno()))
