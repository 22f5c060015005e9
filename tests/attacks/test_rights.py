# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What root's tmux client still has of root's, or has not of its user's, when the user has made it a program of his."""

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
from typing import Any, Callable, Dict, Iterator

import pytest
from ansible_collections.fleet.tmux.tests.attacks import probe, realm
from ansible_collections.fleet.tmux.tests.attacks.box import (
    Box,
    Limits,
    add_key,
    box,
    boxed,
    login,
    new_keyring,
    user,
    writes_down,
    written,
)
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    HERE,
    Tmux,
    at,
    become,
    default_directory,
    fake,
    info,
    module,
    prune,
    removed,
    run_as,
    spawn,
    statuses,
)
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.processes import settable
from ansible_collections.fleet.tmux.tests.support.programs import binaries
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually

__all__ = ["box", "user"]

LIMITS: Limits = {
    resource.RLIMIT_NOFILE: (200, 256),
    resource.RLIMIT_NPROC: (100, 120),
    resource.RLIMIT_FSIZE: (2**30,) * 2,
}


def only_the_ids(user: Account, path: str) -> None:
    """What the collection did before: it dropped groups, gid and uid, and kept everything else of root's."""
    run_as(user, binaries()[0], "-u", "-S", path, "list-sessions")


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def key() -> Iterator[int]:
    """A key in the session keyring of root's login, which this process and the modules that it runs have."""
    new_keyring(b"login-of-root")
    yield add_key(probe.SECRET, b"precious")
    new_keyring(b"nothing")


def content(number: int) -> bytes:
    text = ctypes.create_string_buffer(100)
    probe.LIBC.syscall(probe.CALLS[os.uname().machine][0], probe.READ, number, text, 100)
    return text.value


def test_the_keys_of_root(key: int) -> None:
    program = writes_down(ALICE, "keys")
    with fake(ALICE, "shell", program=program) as path:
        only_the_ids(ALICE, path)
        assert written("keys")["keys.of_root"] == "precious"
        assert content(key) == b"changed"
        module("tmux_session_info", socket_path=path, check=True)
    assert written("keys")["keys.of_root"] == ""
    assert content(key) == b"changed"


def test_a_user_whose_keys_are_at_their_limit(key: int) -> None:
    """A keyring that is joined as the user would count for him, and be refused."""

    def full() -> None:
        become(ALICE)()
        while add_key(os.urandom(4).hex().encode(), b"x" * 5000, -4) > 0:
            pass

    program = writes_down(ALICE, "keys")
    holder = spawn(ALICE, "sleep", "1000", preexec_fn=full)
    with fake(ALICE, "shell", program=program) as path:
        module("tmux_session_info", socket_path=path)
        assert written("keys")["keys.of_root"] == ""
    holder.kill()
    holder.wait(PATIENCE)


# --- everything -------------------------------------------------------------------------------------------------------

EXPLAINED: Dict[str, Callable[[Any, Any], bool]] = {
    # The client has a pipe for each stream, and no other file.
    "own.descriptors": lambda ours, theirs: ours == {"0": "/dev/null", "1": "pipe", "2": "pipe"},
    # Nothing of ours, and nothing that the user could set beforehand; SHELL and PWD come from tmux and sh.
    "own.environment": lambda ours, theirs: set(ours) <= set("HOME USER LOGNAME SHELL PATH LANG PWD".split()),
    # The keyring is root's, made for this client: empty, and nobody else has it.
    "keys.session": lambda ours, theirs: ours.startswith("keyring of 0:0, called _ses"),
    # The kernel ends it first where memory is short: a look must not cost live work.
    "file.oom_score_adj": lambda ours, theirs: int(ours) == 1000 >= int(theirs),
    # No core is ever written; where both are unlimited, only the soft limit differs.
    "limits.Max core file size": lambda ours, theirs: ours == ["0", theirs[1]],
    # Auditing goes on naming the administrator on whose order it runs, as with su and sudo.
    "file.loginuid": lambda ours, theirs: True,
    "file.sessionid": lambda ours, theirs: True,
    # A user may choose any processor that his groups allow, so where root began does not matter.
    "priority.cpus": lambda ours, theirs: set(ours) <= set(theirs),
    "status.Cpus_allowed": lambda ours, theirs: int(ours, 16) & ~int(theirs, 16) == 0,
    "status.Cpus_allowed_list": lambda ours, theirs: True,
    # tmux ignores what a terminal sends to its background, and hands that on.
    "status.SigIgn": lambda ours, theirs: settable(ours) == 1 << signal.SIGTTIN - 1 | 1 << signal.SIGTTOU - 1,
    # It ends with what has started it: nothing goes on when the run of Ansible was ended.
    "prctl.pdeathsig": lambda ours, theirs: ours == signal.SIGKILL,
    # How late its timers may be, everybody chooses.
    "prctl.timerslack": lambda ours, theirs: True,
    "status.PPid": lambda ours, theirs: True,
}
"""Each difference that there may be between root's client for a user and a process of that user, and why."""

OF_EVERY_PROCESS = ("Pid", "Tgid", "NSpid", "NStgid", "NSpgid", "NSsid", "PPid", "FDSize", "SigQ", "Name", "State")
OF_EVERY_MOMENT = ("Vm", "Rss", "Hugetlb", "voluntary", "nonvoluntary")


def differences(ours: Dict[str, Any], theirs: Dict[str, Any]) -> Dict[str, Any]:
    names = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
    kept = [name for name in names if name[len("status.") :] not in OF_EVERY_PROCESS or not name.startswith("status.")]
    kept = [name for name in kept if not name.startswith(tuple("status." + word for word in OF_EVERY_MOMENT))]
    return {name: (ours.get(name), theirs.get(name)) for name in kept}


def unexplained(ours: Dict[str, Any], theirs: Dict[str, Any]) -> Dict[str, Any]:
    found = differences(ours, theirs)
    return {name: two for name, two in found.items() if name not in EXPLAINED or not EXPLAINED[name](*two)}


def odd_root() -> None:
    """A root as it may be where Ansible is run by something: it has what no user should get, or lose."""
    become(ROOT)()
    os.setpriority(os.PRIO_PROCESS, 0, 3)
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    probe.LIBC.syscall({"x86_64": 251}.get(os.uname().machine, 30), 1, 0, 1 << 13)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.umask(0o077)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])
    header, mask = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    probe.LIBC.capget(header, mask)
    mask[2], mask[5] = mask[1], mask[4]
    assert probe.LIBC.capset(header, mask) == 0
    assert probe.LIBC.prctl(47, 2, 10, 0, 0) == 0  # ambient: CAP_NET_BIND_SERVICE
    assert probe.LIBC.prctl(28, 0b10100, 0, 0, 0) == 0  # a change of the uid leaves all capabilities as they are
    os.open("/etc/shadow", os.O_RDONLY)


def test_everything_of_the_client_is_its_users(box: Box, user: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kind of all attacks in this file: whatever a user's process has not, root's client for him must not have."""
    limits = dict(LIMITS)
    limits[resource.RLIMIT_MEMLOCK] = (65536, 65536)
    before = login(user, box, limits)
    program = writes_down(user, "all")
    with boxed(user, "shell", before, program=program) as path:
        spawn(user, program, preexec_fn=before).wait(PATIENCE)
        theirs = written("all")
        only_the_ids(user, path)
        naively = unexplained(written("all"), theirs)
        monkeypatch.setattr(realm, "become", lambda account: odd_root)
        module("tmux_session_info", socket_path=path)
        ours = written("all")
    assert {name.partition(".")[0] for name in naively} >= {"cgroup", "limits", "keys"}
    assert unexplained(ours, theirs) == {}
    assert {"status.CapBnd", "status.Seccomp", "ns.user", "prctl.securebits", "priority.io"} <= set(ours)


def test_auditing_names_on_whose_order_it_runs() -> None:
    """What a user makes of root's client is no login of his: it is written down as the administrator's doing."""
    if not os.path.exists("/proc/self/loginuid"):
        pytest.skip("not on this kernel: needs a kernel that audits")
    told = os.path.join(realm.EVIDENCE, "loginuid")

    def before() -> None:
        become(ROOT)()
        with contextlib.suppress(PermissionError), open("/proc/self/loginuid", "w", encoding="ascii") as handle:
            handle.write("4242")  # The kernel may let nobody change it who has one.
        with open("/proc/self/loginuid", encoding="ascii") as handle, open(told, "w", encoding="ascii") as copy:
            copy.write(handle.read())

    with fake(ALICE, "shell", program=writes_down(ALICE, "audit")) as path:
        realm.judged(realm.started("tmux_session_info", before, socket_path=path))
    with open(told, encoding="ascii") as handle:
        assert written("audit")["file.loginuid"] == handle.read()


def test_a_server_that_may_not_gain_rights(box: Box, user: Account) -> None:
    """A service of a user that gave up set-uid programs, and a part of what they could give."""

    def before() -> None:
        box.enter()
        assert probe.LIBC.prctl(24, 10, 0, 0, 0) == 0
        os.setpriority(os.PRIO_PROCESS, 0, 9)
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        become(user)()
        assert probe.LIBC.prctl(38, 1, 0, 0, 0) == 0

    program = writes_down(user, "all")
    with boxed(user, "shell", before, program=program) as path:
        spawn(user, program, preexec_fn=before).wait(PATIENCE)
        theirs = written("all")
        only_the_ids(user, path)
        naively = written("all")
        module("tmux_session_info", socket_path=path)
        ours = written("all")
    for name in ("status.NoNewPrivs", "status.CapBnd", "priority.nice", "priority.policy"):
        assert naively[name] != theirs[name]
        assert ours[name] == theirs[name]


# --- limits -----------------------------------------------------------------------------------------------------------

FORKS = """#!/bin/sh
exec > /dev/null 2>&1
for number in $(seq 60); do sleep 1000 & done
"""


def test_a_client_does_not_lead_out_of_the_box(box: Box, user: Account) -> None:
    """He may have ten processes in all."""
    if "pids" not in box.places:
        pytest.skip("not on this kernel: needs control groups that limit processes")
    box.set("pids", "pids.max", "10")
    program = realm.write(user.home + "/forks", FORKS, user, 0o755)
    with boxed(user, "shell", login(user, box, LIMITS), program=program) as path:
        spawn(user, binaries()[0], "-u", "-S", path, "list-sessions")
        eventually(lambda: processes_of(user) > 50, "they are outside")
        for pid in realm_processes(user):
            if pid not in set(box.members("pids")):
                os.kill(pid, signal.SIGKILL)
        eventually(lambda: processes_of(user) < 10, "they are gone")
        module("tmux_session_info", socket_path=path, timeout="2s")
        assert set(realm_processes(user)) <= set(box.members("pids"))
        assert 1 < processes_of(user) <= 10
    assert Tmux(BOB).start("idle") and ("bob", "idle") in removed(prune())


def test_a_command_after_a_removal_does_not_lead_out_of_the_box(box: Box, user: Account) -> None:
    """What it is held to is looked up before the last process of the user ends with its session."""
    in_a_box(box, user, LIMITS)
    result = prune(notify_command=[writes_down(user, "told")])
    assert removed(result) == [(user.name, "idle")] and result["warnings"] == []
    told = written("told")
    places = set(box.places.values())
    name = os.path.basename(min(places))
    joined = [path for key, path in told.items() if key.startswith("cgroup.") and path.endswith("/" + name)]
    assert len(joined) == len(places)
    assert told["limits.Max open files"] == [str(value) for value in LIMITS[resource.RLIMIT_NOFILE]]


def realm_processes(account: Account) -> Iterator[int]:
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.stat("/proc/" + name).st_uid == account.uid:
                yield int(name)
        except OSError:
            continue


def processes_of(account: Account) -> int:
    return len(list(realm_processes(account)))


def in_a_box(box: Box, user: Account, limits: Limits) -> Tmux:
    """A server of a user in a box."""
    server = Tmux(user)
    words = [server.binary, "-u", "-S", server.path, "-f", "/dev/null", "new-session", "-d", "-s", "idle", "--", "cat"]
    assert spawn(user, *words, preexec_fn=login(user, box, limits)).wait(PATIENCE) == 0
    eventually(server.names, "the server is there")
    return server


FILLS = """
import os, time
while True:
    try:
        child = os.fork()
    except BlockingIOError:
        open("/tmp/evidence/full", "w").close()
        child = 0
    if child == 0:
        time.sleep(1000)
"""


def test_a_user_at_the_limit_of_his_processes_is_cleaned(box: Box, user: Account) -> None:
    """He is who needs it most: nothing that is done for him may need another process of his."""
    server = in_a_box(box, user, {resource.RLIMIT_NPROC: (8, 8)})
    spawn(user, sys.executable, "-c", FILLS, preexec_fn=login(user, box, {resource.RLIMIT_NPROC: (12, 12)}))
    eventually(lambda: os.path.exists("/tmp/evidence/full"), "he has all that he may have")

    def limits_first() -> None:
        resource.setrlimit(resource.RLIMIT_NPROC, (8, 8))
        become(user)()

    with pytest.raises(BlockingIOError):
        spawn(user, "true", preexec_fn=limits_first)
    assert statuses(info())[server.path] == "ok"
    assert removed(prune()) == [(user.name, "idle")]


def test_a_user_at_the_limit_of_his_group_is_cleaned(box: Box, user: Account) -> None:
    if "pids" not in box.places:
        pytest.skip("not on this kernel: needs control groups that limit processes")
    server = in_a_box(box, user, {})
    box.set("pids", "pids.max", "1")
    assert int(box.get("pids", "pids.current")) > 1
    assert statuses(info())[server.path] == "ok"
    assert removed(prune()) == [(user.name, "idle")]


@pytest.mark.parametrize("number", [resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_STACK])
def test_a_user_at_the_limit_of_his_memory_is_cleaned(box: Box, user: Account, number: int) -> None:
    """Our child is larger than what he may have, until it is tmux."""
    size = {resource.RLIMIT_AS: 20, resource.RLIMIT_DATA: 4, resource.RLIMIT_STACK: 1}[number] * 2**20
    server = in_a_box(box, user, {number: (size, size)})
    assert statuses(info())[server.path] == "ok"
    assert removed(prune()) == [(user.name, "idle")]


# --- switches over root's child ---------------------------------------------------------------------------------------


def freezers(box: Box) -> Iterator[str]:
    for controller, setting in (("freezer", "freezer.state"), ("unified", "cgroup.freeze")):
        if os.path.exists(os.path.join(box.places.get(controller, "/nowhere"), setting)):
            yield controller


def test_a_frozen_group_is_an_unreachable_server(box: Box, user: Account) -> None:
    server = in_a_box(box, user, {})
    Tmux(BOB).start("idle")
    used = list(freezers(box))
    assert used
    for controller in used:
        box.freeze(controller)
        seen = at(info(), server.path)
        assert (seen["status"], "frozen" in seen["reason"]) == ("unreachable", True)
        assert removed(prune(check=True)) == [("bob", "idle")]
        box.freeze(controller, False)
    assert sorted(removed(prune())) == [(user.name, "idle"), ("bob", "idle")]


JOINS = """
import sys, time
from ansible_collections.fleet.tmux.plugins.module_utils._host import child, limits
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
limits.is_frozen = lambda group: False  # It was not, when it was looked at.
before = time.monotonic()
done = child.run(["sleep", "1000"], user=User("x", int(sys.argv[2]), 65534), timeout=1.0, like=int(sys.argv[1]))
print(done.timed_out, time.monotonic() - before < 60)
"""


def test_a_group_that_is_frozen_at_the_wrong_moment(box: Box, user: Account) -> None:
    """He freezes root's child, which is still root and cannot be ended; what waits for it goes on."""
    server = in_a_box(box, user, {})
    pid = server.pid()
    for controller in freezers(box):
        box.freeze(controller)
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ["PYTHONPATH"]}
        words = [sys.executable, "-c", JOINS, str(pid), str(user.uid)]
        done = subprocess.run(words, stdout=subprocess.PIPE, env=env, timeout=PATIENCE, check=True)
        assert done.stdout == b"True True\n"
        box.freeze(controller, False)
        eventually(lambda: not [pid for pid in box.members("unified") if of_root(pid)], "what is thawed is ended")


def of_root(pid: int) -> bool:
    try:
        return os.stat("/proc/%d" % pid).st_uid == 0
    except OSError:
        return False


def test_groups_that_cannot_be_joined(box: Box, user: Account) -> None:
    """Where the control groups are read-only, a server in another group is not asked; one in ours is."""
    server = in_a_box(box, user, {})
    Tmux(BOB).start("idle")
    place = os.path.dirname(sorted(box.places.values())[0])
    subprocess.run(["mount", "--bind", place, place], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
    try:
        seen = at(info(), server.path)
        assert seen["status"] == "unreachable"
        assert "Read-only" in seen["reason"]
        assert removed(prune()) == [("bob", "idle")]
    finally:
        subprocess.run(["umount", place], check=True)
    assert removed(prune()) == [(user.name, "idle")]


@pytest.mark.parametrize("kind", ["net", "ipc", "uts"])
def test_a_server_that_is_kept_in_a_namespace(user: Account, kind: str) -> None:
    """An admin who keeps somebody out of the network did not mean to let him out by way of a client."""
    program = writes_down(user, "inside")

    def before() -> None:
        flags = {"net": 0x40000000, "ipc": 0x08000000, "uts": 0x04000000}
        assert probe.LIBC.unshare(flags[kind]) == 0
        become(user)()

    with boxed(user, "shell", before, program=program) as path:
        only_the_ids(user, path)
        assert written("inside")["ns." + kind] == os.readlink("/proc/self/ns/" + kind)
        seen = info(socket_path=path)
        assert at(seen, path)["status"] == "unreachable"
        assert kind + " namespace" in at(seen, path)["reason"]
    assert os.listdir("/tmp/evidence") == []


HANDS_ON = """
import os, socket, sys
sys.path.insert(0, sys.argv[1])
import fake_server
listen = socket.socket.listen
def listen_and_hand_on(self, backlog):
    listen(self, backlog)
    if os.fork():
        os._exit(0)
socket.socket.listen = listen_and_hand_on
fake_server.serve(sys.argv[2], "shell", {"program": sys.argv[3]})
"""


def test_a_listener_that_has_ended(user: Account) -> None:
    """What the kernel says of a socket is who began to listen; he may have handed it on, and his number too."""
    path = os.path.join(default_directory(user), "handed-on")
    program = writes_down(user, "handed")
    holder = spawn(user, sys.executable, "-c", HANDS_ON, HERE, path, program, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"ready\n"
    assert holder.wait(PATIENCE) == 0
    only_the_ids(user, path)
    assert written("handed")
    assert at(info(socket_path=path), path)["status"] == "unreachable"
    assert os.listdir("/tmp/evidence") == []
