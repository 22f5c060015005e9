# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a child of root is held to: read from the kernel's own words, lowered and never raised, or nothing is run."""

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
from typing import Dict, Iterator, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import cgroups, kernel, limits
from ansible_collections.fleet.tmux.plugins.module_utils._host.cgroups import Group, Mount
from ansible_collections.fleet.tmux.plugins.module_utils._host.child import SEARCH_PATH, run
from ansible_collections.fleet.tmux.plugins.module_utils._host.limits import Refused
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import NoServer, TmuxError
from ansible_collections.fleet.tmux.tests.support.processes import settable
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
STRANGER = User("stranger", 54321, 54322)
PATH = {"PATH": SEARCH_PATH}
INFINITE = resource.RLIM_INFINITY


# --- machines


@pytest.mark.parametrize(
    ("machine", "pointer", "keyctl"),
    [
        ("x86_64", 8, 250),
        ("x86_64", 4, 288),
        ("i686", 4, 288),
        ("armv7l", 4, 311),
        ("aarch64", 4, 311),
        ("aarch64", 8, 219),
        ("riscv64", 8, 219),
        ("ppc64le", 8, 271),
        ("s390x", 8, 280),
        ("mips64", 8, None),
        ("i686", 8, None),
    ],
)
def test_the_number_of_keyctl(machine: str, pointer: int, keyctl: Optional[int]) -> None:
    calls = kernel.calls_of(machine, pointer)
    assert (calls and calls.keyctl) == keyctl


def test_on_a_machine_that_is_not_known_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "calls_here", lambda: None)
    with pytest.raises(Refused, match="the keys of root"):
        limits.free()


@ROOT_ONLY
def test_what_cannot_be_run_as_a_user_is_an_unreachable_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "calls_here", lambda: None)
    with pytest.raises(TmuxError, match="not asked: how to keep the keys of root") as caught:
        Client("true", "/nowhere/s", STRANGER, True, PATIENCE).call([["new-session"]])
    assert caught.value.status == "unreachable"


def test_a_kernel_without_keys_has_none_to_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_words: object) -> int:
        raise OSError(errno.ENOSYS, "not there")

    monkeypatch.setattr(kernel, "_call", missing)
    kernel.leave_session_keyring(kernel.Calls(1, 1, 1, 1))


def test_a_keyring_that_cannot_be_had_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_words: object) -> int:
        raise OSError(errno.EDQUOT, "quota")

    monkeypatch.setattr(kernel, "_call", full)
    with pytest.raises(OSError, match="quota"):
        kernel.leave_session_keyring(kernel.Calls(1, 1, 1, 1))


# --- groups

HYBRID = """\
9:name=systemd:/user.slice/user-1.slice/session-3.scope
4:cpu,cpuacct:/user.slice
0::/user.slice/a:b
"""
MOUNTS = """\
24 1 0:22 / /sys rw - sysfs sysfs rw
30 24 0:26 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
31 24 0:27 / /sys/fs/cgroup/name\\040d rw - cgroup cgroup rw,xattr,name=systemd
32 24 0:28 /box /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
33 24 0:29 / /home/x rw - fuse.cgroup x rw
"""


def test_groups_of_both_versions() -> None:
    assert cgroups.groups(HYBRID) == [
        Group(frozenset(["name=systemd"]), "/user.slice/user-1.slice/session-3.scope"),
        Group(frozenset(["cpu", "cpuacct"]), "/user.slice"),
        Group(frozenset(), "/user.slice/a:b"),
    ]


@pytest.mark.parametrize(
    ("group", "place"),
    [
        (Group(frozenset(["cpu", "cpuacct"]), "/a/b"), "/sys/fs/cgroup/cpu,cpuacct/a/b"),
        (Group(frozenset(["name=systemd"]), "/"), "/sys/fs/cgroup/name d"),
        (Group(frozenset(), "/box/a"), "/sys/fs/cgroup/unified/a"),
        (Group(frozenset(), "/boxes/a"), None),
        (Group(frozenset(), "/../a"), None),
        (Group(frozenset(["memory"]), "/a"), None),
    ],
)
def test_where_a_group_is(monkeypatch: pytest.MonkeyPatch, group: Group, place: Optional[str]) -> None:
    found = [cgroups._mount(line) for line in MOUNTS.splitlines()]
    mounts: Tuple[Mount, ...] = tuple(mount for mount in found if mount is not None)
    assert len(mounts) == 3
    monkeypatch.setattr(cgroups, "mounts", lambda: mounts)
    assert cgroups.directory(group) == place


# --- limits


@pytest.mark.parametrize(
    ("one", "other", "lower"),
    [(INFINITE, 5, 5), (5, INFINITE, 5), (4, 5, 4), (5, 4, 4), (INFINITE, INFINITE, INFINITE)],
)
def test_the_lower_of_two_limits(one: int, other: int, lower: int) -> None:
    assert limits._lower(one, other) == lower


def test_the_limits_of_the_kernel_are_read_in_its_order() -> None:
    with open("/proc/self/limits", encoding="ascii") as handle:
        found = limits._limits(handle.read())
    assert found == {number: resource.getrlimit(number) for number in range(limits._LIMITS)}


def test_limits_are_lowered_and_never_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda number: (100, 200))
    theirs = {resource.RLIMIT_NOFILE: (50, 300), resource.RLIMIT_AS: (INFINITE, INFINITE), resource.RLIMIT_CPU: (7, 7)}
    found = {number: (soft, hard) for number, soft, hard in limits._lowered(theirs)}
    assert found == {
        resource.RLIMIT_NOFILE: (50, 200),
        resource.RLIMIT_AS: (100, 200),
        resource.RLIMIT_CPU: (7, 7),
        resource.RLIMIT_NPROC: (100, 200),
        resource.RLIMIT_CORE: (0, 200),
    }
    assert limits._lowered(theirs)[-1][0] == resource.RLIMIT_AS, "the child may be larger than that already"


# --- whom a child is like


@pytest.fixture
def stranger() -> Iterator[int]:
    def become() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (99, 111))
        os.setgroups([54322])
        os.setresgid(54322, 54322, 54322)
        os.setresuid(54321, 54321, 54321)

    process = subprocess.Popen(["sleep", "1000"], preexec_fn=become)
    yield process.pid
    process.kill()
    process.wait(PATIENCE)


def status(like: Optional[int]) -> Dict[str, str]:
    lines = run(["cat", "/proc/self/status"], user=STRANGER, env=PATH, timeout=PATIENCE, like=like).out.decode()
    return dict(line.split(":\t", 1) for line in lines.splitlines())


@ROOT_ONLY
def test_a_child_is_held_to_what_the_process_is_held_to(stranger: int) -> None:
    outcome = run(["sh", "-c", "ulimit -Sn; ulimit -Hn"], user=STRANGER, env=PATH, timeout=PATIENCE, like=stranger)
    assert outcome.out == b"99\n111\n"


@ROOT_ONLY
def test_a_process_that_has_ended_or_is_another_users(stranger: int) -> None:
    for pid, user in ((stranger, STRANGER._replace(uid=54320)), (os.getpid(), STRANGER), (2**22 + 1, STRANGER)):
        with pytest.raises(Refused) as caught:
            run(["true"], user=user, env=PATH, like=pid)
        assert caught.value.errno == errno.ESRCH
    with pytest.raises(NoServer):
        Client("tmux", "/nowhere/s", STRANGER, True, PATIENCE, process=2**22 + 1).call([["list-sessions"]])


@ROOT_ONLY
def test_what_fails_before_the_child_is_the_user_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_calls: kernel.Calls) -> None:
        raise OSError(errno.EDQUOT, "no room for keys")

    monkeypatch.setattr(kernel, "leave_session_keyring", fail)
    with pytest.raises(Refused, match="no room for keys") as caught:
        run(["true"], user=STRANGER, env=PATH)
    assert caught.value.errno == errno.EDQUOT


@ROOT_ONLY
def test_signals_of_the_child_are_as_everybodys() -> None:
    old = [signal.signal(number, signal.SIG_IGN) for number in (signal.SIGHUP, signal.SIGUSR2)]
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        found = status(None)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for number, handler in zip((signal.SIGHUP, signal.SIGUSR2), old):
            signal.signal(number, handler)
    assert (settable(found["SigBlk"]), settable(found["SigIgn"])) == (0, 0)


@ROOT_ONLY
def test_children_from_several_threads(stranger: int) -> None:
    found: List[Dict[str, str]] = []
    threads = [threading.Thread(target=lambda: found.append(status(stranger))) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert [one["Uid"].split() for one in found] == [["54321"] * 4] * 4


@ROOT_ONLY
def test_capabilities_that_root_would_hand_down() -> None:
    """The inheritable ones outlive a change of the uid, and with a program that has such of its own they count."""
    code = (
        "import ctypes, sys\n"
        "from ansible_collections.fleet.tmux.plugins.module_utils._host.child import run\n"
        "from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User\n"
        "libc = ctypes.CDLL(None)\n"
        "header, mask = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()\n"
        "libc.capget(header, mask)\n"
        "mask[2] = mask[1]\n"
        "assert libc.capset(header, mask) == 0 and mask[2] != 0\n"
        "done = run(['grep', '^Cap[IPEA]', '/proc/self/status'], user=User('x', 54321, 54322), env={'PATH': %r})\n"
        "sys.stdout.write(done.out.decode())\n" % SEARCH_PATH
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True, timeout=PATIENCE)
    lines = dict(line.split(":\t") for line in done.stdout.decode().splitlines())
    assert lines == dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapAmb"), "0" * 16)
