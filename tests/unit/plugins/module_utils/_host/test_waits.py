# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a thread waits for, as the kernel says it."""

import os
import signal
import subprocess
import sys
from typing import Iterator, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.waits import (
    CHILD,
    FUTEX,
    LOCK,
    NAP,
    OPEN,
    POLL,
    READ,
    SIGNAL,
    UNTOLD,
    WRITE,
    Wait,
    begun_again,
    calls_of,
    from_call,
    from_place,
    has_stack_of_go,
    is_begun_again,
    is_of_runtime,
    wait_of,
    waits,
)
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

X86_64 = calls_of("x86_64", 8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("230 0x0 0x0 0x7ffd 0x7ffd 0x0 0x0 0x7ffd 0x7f12", Wait(NAP)),
        ("0 0x3 0x7f8b 0x20000 0x0 0xffffffff 0x0 0x7fff 0x7f8b", Wait(READ, 3)),
        ("61 0xffffffff 0x7ffd 0x0 0x0 0x1 0x8 0x7ffd 0x7fb1", Wait(CHILD, None, False, None)),
        ("270 0x0 0x0 0x0 0x0 0x7ffd 0x0 0x7ffd 0x7f31", Wait(NAP)),
        ("270 0x1 0x7f 0x0 0x0 0x0 0x0 0x7ffd 0x7f31", Wait(POLL, None, False, 1)),
        ("7 0x55fc 0x2 0xc350 0x0 0x0 0x0 0x7ffc 0x7f80", Wait(POLL, None, True, 2, 50000)),
        ("7 0x55fc 0x2 0xffffffff 0x0 0x0 0x0 0x7ffc 0x7f80", Wait(POLL, None, False, 2)),
        ("232 0x5 0x7f 0x10 0xffffffffffffffff 0x0 0x0 0x7ffc 0x7f80", Wait(POLL, None, False, None)),
        ("232 0x5 0x7f 0x10 0x64 0x0 0x0 0x7ffc 0x7f80", Wait(POLL, None, True, None, 100)),
        ("202 0x5566 0x89 0x0 0x7ffc 0x0 0xffffffff 0x7ffc 0x7f38", Wait(FUTEX, None, True)),
        ("202 0x5566 0x189 0x0 0x0 0x0 0xffffffff 0x7ffc 0x7f38", Wait(FUTEX)),
        ("257 0xffffff9c 0x555e 0x0 0x0 0x7fbb 0x1 0x7fff 0x7fbb", Wait(OPEN)),
        ("34 0x7f7a 0x7f7a 0x0 0x0 0x7fa0 0x0 0x7ffc 0x7f7a", Wait(SIGNAL)),
        ("128 0x7f7a 0x0 0x7ffc 0x8 0x7fa0 0x0 0x7ffc 0x7f7a", Wait(SIGNAL, None, True)),
        ("128 0x7f7a 0x0 0x0 0x8 0x7fa0 0x0 0x7ffc 0x7f7a", Wait(SIGNAL)),
        ("73 0x3 0x2 0x0 0x0 0x7fa0 0x0 0x7ffc 0x7f7a", Wait(LOCK)),
        ("72 0x3 0x7 0x7ffc 0x0 0x7fa0 0x0 0x7ffc 0x7f7a", Wait(LOCK)),
        ("72 0x3 0x26 0x7ffc 0x0 0x7fa0 0x0 0x7ffc 0x7f7a", Wait(LOCK)),
        ("72 0x3 0x6 0x7ffc 0x0 0x7fa0 0x0 0x7ffc 0x7f7a", None),
        ("1 0x1 0x7ffc 0x2000 0x0 0x0 0x0 0x7ffc 0x7f38", Wait(WRITE, 1)),
        ("40 0x4 0x3 0x0 0x100000 0x0 0x0 0x7ffc 0x7f38", Wait(WRITE, 4)),
        ("275 0x3 0x0 0x5 0x0 0x100000 0x0 0x7ffc 0x7f38", Wait(WRITE, 5)),
        ("219 0x7fec 0x89 0x0 0x7fec 0x0 0xffffffff 0x7fec 0x7fec", None),
        ("running", None),
        ("-1 0x7ffc 0x7f38", None),
        ("", None),
        ("0", None),
        ("999 0x0 0x0 0x0 0x0 0x0 0x0 0x0 0x0", None),
        ("230 zz", None),
    ],
)
def test_a_system_call(text: str, expected: Optional[Wait]) -> None:
    assert from_call(text + "\n", X86_64) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("hrtimer_nanosleep", NAP),
        ("do_nanosleep", NAP),
        ("do_wait", CHILD),
        ("wait_woken", READ),
        ("anon_pipe_read", READ),
        ("anon_pipe_write", WRITE),
        ("unix_stream_sendmsg", WRITE),
        ("unix_stream_read_generic", READ),
        ("poll_schedule_timeout.constprop.0", POLL),
        ("ep_poll", POLL),
        ("futex_wait_queue_me", FUTEX),
        ("futex_do_wait", FUTEX),
        ("flock_lock_inode_wait", LOCK),
        ("wait_for_partner", OPEN),
        ("0", ""),
        ("", ""),
    ],
)
def test_a_place_in_the_kernel(text: str, kind: str) -> None:
    assert from_place(text) == Wait(kind)


@pytest.mark.parametrize(
    ("given", "place", "expected"),
    [
        ("0x5566 0x89 0x0 0x7ffc 0x0 0xffffffff 0x7ffc 0x7f38", "futex_do_wait", Wait(FUTEX, None, True)),
        ("0x7ffc 0x7ffc 0x0 0x0 0x0 0x0 0x7ffc 0x7f38", "hrtimer_nanosleep", Wait(NAP)),
        (
            "0x55fc 0x1 0x5265c00 0x0 0x0 0x0 0x7ffc 0x7f80",
            "poll_schedule_timeout",
            Wait(POLL, None, True, 1, 86400000),
        ),
        ("0x55fc 0x2 0xffffffff 0x0 0x0 0x0 0x7ffc 0x7f80", "poll_schedule_timeout", Wait(POLL, None, False, 2)),
        ("", "poll_schedule_timeout", Wait(UNTOLD)),
        ("0x55fc 0x2 0xffffffff 0x0 0x0 0x0 0x7ffc 0x7f80", "0", Wait(UNTOLD)),
    ],
)
def test_a_call_that_was_begun_again(given: str, place: str, expected: Wait) -> None:
    """As after Ctrl-Z and ``bg``."""
    text = "219 %s\n" % given
    assert is_begun_again(text, X86_64)
    assert begun_again(text, place) == expected


@pytest.mark.parametrize("text", ["7 0x55fc 0x2 0xc350 0x0 0x0 0x0 0x7ffc 0x7f80", "running", "", "-1 0x1"])
def test_other_calls_were_not(text: str) -> None:
    assert not is_begun_again(text, X86_64)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("VM Thread", True),
        ("VM Periodic Tas", True),
        ("C2 CompilerThre", True),
        ("G1 Service", True),
        ("java", False),
        ("pool-1-thread-1", False),
        ("Timer-0", False),
        ("python3", False),
        ("", False),
    ],
)
def test_a_thread_that_a_runtime_has_for_itself(name: str, expected: bool) -> None:
    assert is_of_runtime(name) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("202 0x750060 0x80 0x0 0xc000051f18 0x0 0x0 0xc000051ed0 0x4688c3", True),
        ("98 0x750060 0x80 0x0 0x4000051f18 0x0 0x0 0x4000051ed0 0x4688c3", True),
        ("202 0x750060 0x80 0x0 0x7fdf735aad78 0x0 0x0 0x7fdf735aad78 0x4688c3", False),
        ("running", False),
        ("202 zz zz", False),
        ("", False),
    ],
)
def test_a_thread_of_go(text: str, expected: bool) -> None:
    """It looks all the time whether its program has become stuck, as fzf and many others show."""
    assert has_stack_of_go(text) is expected


@pytest.mark.parametrize("machine", ["x86_64", "aarch64", "riscv64", "ppc64le", "s390x"])
def test_every_machine_has_what_waits(machine: str) -> None:
    kinds = {kind for kind, _place, _limit in calls_of(machine, 8).values()}
    assert {READ, WRITE, NAP, CHILD, POLL, LOCK, OPEN, FUTEX, SIGNAL} <= kinds
    assert [number for number, call in calls_of(machine, 8).items() if call[0] == "again"]
    assert calls_of(machine, 4) == {}
    assert calls_of("abacus", 8) == {}


@pytest.fixture
def asleep() -> Iterator[Tuple[int, int]]:
    """A process whose first thread waits for another one, which sleeps; and one that reads a pipe."""
    code = "import threading, time; t = threading.Thread(target=time.sleep, args=(600,)); t.start(); t.join()"
    reader, writer = os.pipe()
    with subprocess.Popen([sys.executable, "-c", code]) as sleeper, subprocess.Popen(["cat"], stdin=reader) as cat:
        try:
            yield sleeper.pid, cat.pid
        finally:
            sleeper.kill()
            os.close(writer)
            os.close(reader)
            cat.kill()


@pytest.fixture
def ticking() -> Iterator[int]:
    """A process with a thread that waits up to a time for another one, and is called like one of Java's own."""
    code = (
        "import ctypes, threading, time\n"
        "def tick():\n"
        "    ctypes.CDLL(None).prctl(15, b'VM Periodic Task Thread', 0, 0, 0)\n"
        "    threading.Event().wait(600)\n"
        "threading.Thread(target=tick).start()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a matter of Linux")
def test_a_runtime_that_ticks_waits_for_no_time(ticking: int) -> None:
    eventually(lambda: [each.kind for each in waits(ticking)] == [FUTEX, FUTEX], "both wait")
    eventually(lambda: "VM Periodic" in _names(ticking), "the second one has its name")
    assert [each.timed for each in waits(ticking)] == [False, False]


def _names(pid: int) -> str:
    found = []
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/comm" % (pid, thread), encoding="utf-8") as stream:
            found.append(stream.read())
    return "".join(found)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a matter of Linux")
def test_what_was_stopped_and_goes_on_waits_for_the_same_time() -> None:
    code = "import threading; threading.Timer(600, print).start()"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        try:
            eventually(lambda: [each.timed for each in waits(process.pid)] == [False, True], "its timer waits")
            process.send_signal(signal.SIGSTOP)
            eventually(lambda: _state(process.pid) == "T", "it is stopped")
            process.send_signal(signal.SIGCONT)
            eventually(lambda: _state(process.pid) == "S", "it goes on")
            eventually(lambda: [each.timed for each in waits(process.pid)] == [False, True], "its timer waits again")
        finally:
            process.kill()


def _state(pid: int) -> str:
    with open("/proc/%d/stat" % pid, encoding="utf-8") as stream:
        return stream.read().rpartition(")")[2].split()[0]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a matter of Linux")
def test_what_nobody_takes() -> None:
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as process:
        try:
            eventually(lambda: wait_of(process.pid).kind == WRITE, "the pipe is full")
            assert wait_of(process.pid).descriptor in (1, None)
        finally:
            process.kill()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a matter of Linux")
def test_this_kernel(asleep: Tuple[int, int]) -> None:
    sleeper, cat = asleep
    eventually(lambda: [each.kind for each in waits(sleeper)] == [FUTEX, NAP], "its second thread sleeps")
    eventually(lambda: wait_of(cat).kind == READ, "it reads")
    assert wait_of(cat).descriptor in (0, None)
    assert waits(0) == []
