# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What outlives its session is found and, if asked for, ended; and nobody else ever is."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Set

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import remove as removal
from ansible_collections.fleet.tmux.plugins.module_utils._actions import survivors
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import Ending, RemovedSession, attend
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, outlasting
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session import (
    SessionOptions,
    carry_out,
    failure,
    result,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session_hands import WorkingHands
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._policy.plan import plan
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Hung
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import members
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host
from ansible_collections.fleet.tmux.tests.support import sessions as make
from ansible_collections.fleet.tmux.tests.support.processes import started
from ansible_collections.fleet.tmux.tests.support.runs import (
    Gently,
    await_end_of_panes,
    children_of,
    finish,
    item,
    only,
    perform,
    prepare,
    reap,
    told,
)
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

ROOT = os.geteuid() == 0
OTHER = 61999
TERMINATE = Gently(ending=Ending(True, PATIENCE))
REPORT = Gently()


@pytest.fixture
def crowd(server: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A server that has ended together with all that was ever started in it."""
    await_end_of_panes(server, monkeypatch)
    try:
        yield server
    finally:
        reap(server)


def sleeping(world: World, number: int) -> List[int]:
    """Everything in the world that calls itself ``sleep`` with that number."""
    found = []
    for pid in children_of(world):
        with contextlib.suppress(OSError), open("/proc/%d/cmdline" % pid, "rb") as handle:
            if handle.read().split(b"\0")[:2] == [b"sleep", b"%d" % number]:
                found.append(pid)
    return found


def one_sleeping(world: World, number: int) -> int:
    (pid,) = eventually(lambda: sleeping(world, number), "it sleeps")
    return pid


def all_rest(world: World) -> None:
    """Wait until nothing is left of how the processes of a test were started: nobody but a server, cat and sleep."""

    def commands() -> Set[str]:
        found = [proctable.read_process(pid) for pid in children_of(world)]
        return {process.command for process in found if process is not None}

    eventually(lambda: commands() <= {"tmux: server", "cat", "sleep"}, "only they are left")


WAYS = {
    "nohup": "nohup sleep %d >/dev/null 2>&1 & exec cat",
    "setsid": "setsid sleep %d & exec cat",
    "double fork": "(setsid sh -c '(sleep %d &) &' &) ; exec cat",
    "ignored": "trap '' HUP; sleep %d & exec cat",
}


def shell(world: World, name: str, script: str) -> str:
    return world.new(name, "sh", "-c", script)


def test_every_way_to_outlive_a_session_is_found(crowd: World) -> None:
    pids = {}
    for number, (way, script) in enumerate(sorted(WAYS.items())):
        shell(crowd, way, script % (7000 + number))
        pids[way] = one_sleeping(crowd, 7000 + number)
    all_rest(crowd)
    result = perform(crowd, REPORT, only(*WAYS))
    assert told(result) == dict.fromkeys(WAYS, "removed: idle")
    for way in WAYS:
        (survivor,) = item(result, way)["survivors"]
        assert (survivor["pid"], survivor["command"], survivor["result"]) == (pids[way], "sleep", "reported"), way
        assert survivor["rss"] > 0 and survivor["ports"] == []
        assert started(pids[way]) is not None
    assert result["freed"]["processes"] == len(WAYS), "what survives is not freed"


LISTENER = """
import signal, socket, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
both = [socket.socket(socket.AF_INET), socket.socket(socket.AF_INET)]
for each in both:
    each.bind(("127.0.0.1", 0))
    each.listen(1)
with open(sys.argv[1], "w") as stream:
    stream.write(" ".join(str(each.getsockname()[1]) for each in both) + "\\n")
signal.pause()
"""


def numbers_in(path: str) -> List[int]:
    """The numbers in a file that is being written."""
    if not os.path.exists(path):
        return []
    with open(path) as stream:
        text = stream.read()
    return sorted(int(word) for word in text.split()) if text.endswith("\n") else []


def test_the_ports_of_a_listener_are_told(crowd: World) -> None:
    told_in = os.path.join(crowd.folder, "ports")
    shell(crowd, "work", "%s -c '%s' %s & exec cat" % (sys.executable, LISTENER, told_in))
    ports = eventually(lambda: numbers_in(told_in), "it listens")
    (survivor,) = item(perform(crowd, REPORT, only("work")), "work")["survivors"]
    assert survivor["ports"] == ports


def test_a_survivor_is_asked_to_end_first(crowd: World) -> None:
    trace = os.path.join(crowd.folder, "trace")
    script = "trap '' HUP; trap 'echo asked >%s; exit' TERM; touch %s.ready; sleep 7010 & while :; do wait; done"
    shell(crowd, "work", "trap '' HUP; (%s) & exec cat" % (script % (trace, trace)))
    eventually(lambda: os.path.exists(trace + ".ready"), "it has its trap")
    one_sleeping(crowd, 7010)
    found = item(perform(crowd, TERMINATE, only("work")), "work")["survivors"]
    assert {it["result"] for it in found} == {"terminated"}
    assert {it["command"] for it in found} == {"sh", "sleep"}
    with open(trace) as stream:
        assert stream.read() == "asked\n"
    assert sleeping(crowd, 7010) == []


def test_who_does_not_want_to_end_is_killed(crowd: World) -> None:
    shell(crowd, "work", "trap '' HUP TERM; sleep 7011 & exec cat")
    pid = one_sleeping(crowd, 7011)
    manner = Gently(ending=Ending(True, 0.2))
    (survivor,) = item(perform(crowd, manner, only("work")), "work")["survivors"]
    assert (survivor["pid"], survivor["result"]) == (pid, "killed")
    assert started(pid) is None


def test_the_grace_period_is_waited_for_once_for_all_sessions(crowd: World, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["a", "b", "c"]
    for number, name in enumerate(names):
        shell(crowd, name, "trap '' HUP TERM; sleep %d & exec cat" % (7020 + number))
        one_sleeping(crowd, 7020 + number)
    waited: List[float] = []

    def noted(them: Iterable[Process], seconds: float) -> List[Process]:
        waited.append(seconds)
        return outlasting(them, seconds)

    monkeypatch.setattr(survivors, "outlasting", noted)
    result = perform(crowd, Gently(ending=Ending(True, 0.21)), only(*names))
    assert waited.count(0.21) == 1
    assert [item(result, name)["survivors"][0]["result"] for name in names] == ["killed"] * 3


def test_a_check_ends_nobody(crowd: World) -> None:
    shell(crowd, "work", WAYS["ignored"] % 7030)
    pid = one_sleeping(crowd, 7030)
    result = perform(crowd, TERMINATE, only("work"), check=True)
    assert item(result, "work")["survivors"] == []
    assert started(pid) is not None


# --- never anybody else -----------------------------------------------------------------------------------------------


@pytest.fixture
def bystander() -> Iterator["subprocess.Popen[bytes]"]:
    """Somebody who has nothing to do with any session."""
    with subprocess.Popen(["sh", "-c", "sleep 600 & wait"], start_new_session=True) as process:
        eventually(lambda: len(proctable.Processes.of(os.getuid()).below([process.pid])) == 2, "it has its child")
        try:
            yield process
            assert process.poll() is None, "a bystander was hit"
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def process_of(pid: int) -> Process:
    found = proctable.read_process(pid)
    assert found is not None
    return found


def test_another_start_time_is_another_process(bystander: "subprocess.Popen[bytes]") -> None:
    other = process_of(bystander.pid)._replace(started=1)
    assert proctable.send_signal(other, signal.SIGKILL) is False
    gone = RemovedSession(make.session(), (other,), 99, os.getuid(), certain=True)
    assert attend([gone], (), Ending(True, 0.1)) == [()]
    assert started(bystander.pid) is not None


def test_who_has_got_the_pid_of_a_pane_is_no_survivor(bystander: "subprocess.Popen[bytes]") -> None:
    """Nor is anything below it."""
    gone = process_of(bystander.pid)._replace(started=1)
    session = make.session("work", make.window(make.pane(pid=bystander.pid)))
    departed = RemovedSession(session, (gone,), 99, os.getuid(), certain=True)
    assert attend([departed], (), Ending(True, 0.1)) == [()]
    assert len(proctable.Processes.of(os.getuid()).below([bystander.pid])) == 2


def test_nobody_is_ended_while_it_is_not_certain_who_stays(bystander: "subprocess.Popen[bytes]") -> None:
    own = process_of(bystander.pid)
    departed = RemovedSession(make.session(), (own,), 99, os.getuid(), certain=False)
    ((first, *_more),) = attend([departed], (), Ending(True, 0.1))
    assert first.result == "reported"
    assert started(bystander.pid) is not None


def test_a_server_that_falls_silent_is_told_of_and_nobody_is_ended(
    crowd: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kill is answered, the look afterwards is not: what lives on in other sessions is not known."""
    shell(crowd, "work", WAYS["ignored"] % 7040)
    pid = one_sleeping(crowd, 7040)
    run = prepare(crowd, TERMINATE, only("work"))

    def silent(*_asked: Any) -> Any:
        raise Hung("tmux did not answer")

    monkeypatch.setattr(removal, "read_or_nothing", silent)
    (survivor,) = item(finish(run), "work")["survivors"]
    assert (survivor["pid"], survivor["result"]) == (pid, "reported")
    assert started(pid) is not None


def test_what_runs_in_a_window_that_lives_on_is_no_survivor(crowd: World) -> None:
    first = shell(crowd, "member", WAYS["ignored"] % 7050)
    pid = one_sleeping(crowd, 7050)
    pane = crowd.session(first).pids[0]
    crowd.tmux("new-session", "-d", "-t", first, "-s", "peer")
    result = perform(crowd, TERMINATE, only("member"))
    assert told(result) == {"member": "removed: idle"}
    assert item(result, "member")["survivors"] == []
    assert started(pid) is not None and started(pane) is not None
    assert result["freed"] == {"processes": 0, "bytes": 0}


def test_a_peer_that_came_after_the_look_counts_too(crowd: World) -> None:
    first = shell(crowd, "member", WAYS["ignored"] % 7051)
    pid = one_sleeping(crowd, 7051)
    run = prepare(crowd, TERMINATE, only("member"))
    crowd.tmux("new-session", "-d", "-t", first, "-s", "peer")
    result = finish(run)
    if told(result) == {"member": "removed: idle"}:
        assert item(result, "member")["survivors"] == []
    assert started(pid) is not None


def test_the_survivors_of_a_group_are_told_of_once(crowd: World) -> None:
    first = shell(crowd, "member", WAYS["ignored"] % 7052)
    pid = one_sleeping(crowd, 7052)
    crowd.tmux("new-session", "-d", "-t", first, "-s", "peer")
    result = perform(crowd, TERMINATE, only("member", "peer"))
    assert told(result) == {"member": "removed: idle", "peer": "removed: idle"}
    found = [it["pid"] for it in item(result, "member")["survivors"] + item(result, "peer")["survivors"]]
    assert found == [pid]
    assert result["freed"]["processes"] == 1


def test_who_only_claims_to_be_of_a_removed_session_lives_in_another(crowd: World) -> None:
    """A process in a pane of ``stays`` has the variables of a pane of ``goes``."""
    goes = shell(crowd, "goes", "exec cat")
    pane = crowd.session(goes).panes[0].id
    home = "TMUX=%s,%d,0 TMUX_PANE=%s" % (crowd.path, crowd.pid(), pane)
    shell(crowd, "stays", "%s sleep 7060 & exec cat" % home)
    pid = one_sleeping(crowd, 7060)
    assert proctable.tmux_pane(pid) == (crowd.pid(), pane)
    result = perform(crowd, TERMINATE, only("goes"))
    assert item(result, "goes")["survivors"] == []
    assert started(pid) is not None


def test_a_tmux_server_in_a_pane_and_all_that_it_holds_is_no_survivor(crowd: World) -> None:
    inner = os.path.join(crowd.folder, "inner")
    start = "%s -f /dev/null -S %s new-session -d -s inner 'sleep 7070 & exec cat'; exec cat"
    identity = shell(crowd, "work", start % (crowd.binary, inner))
    # The inner server puts its own address into what it starts, so it is not below this world.
    nested = Inner(crowd, inner)
    try:
        pane = nested.pane()
        all_rest(crowd)
        result = perform(crowd, TERMINATE, only("work"))
        assert told(result) == {"work": "removed: idle"} and identity not in crowd.ids()
        assert item(result, "work")["survivors"] == []
        assert nested.pane() == pane
    finally:
        nested.end()


class Inner:
    """A tmux server that was started in a pane of a world."""

    def __init__(self, world: World, path: str) -> None:
        self._world = world
        self._path = path

    def _ask(self, *words: str) -> List[str]:
        done = subprocess.run(
            [self._world.binary, "-S", self._path, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._world.environment(),
            check=False,
        )
        return done.stdout.decode("ascii").split()

    def pane(self) -> int:
        (found,) = eventually(lambda: self._ask("list-panes", "-a", "-F", "#{pane_pid}"), "the inner server answers")
        assert started(int(found)) is not None
        return int(found)

    def end(self) -> None:
        for pid in self._ask("display-message", "-p", "#{pid}"):
            os.kill(int(pid), signal.SIGKILL)


def test_a_server_in_the_foreground_of_a_pane_is_none_either(crowd: World) -> None:
    if not crowd.version.at_least(3, 2):
        return  # There is no tmux -D.
    inner = os.path.join(crowd.folder, "inner")
    with open(os.path.join(crowd.folder, "inner.conf"), "w") as stream:
        stream.write("set -g exit-empty off\nnew-session -d -s inner 'sleep 7071 & exec cat'\n")
    start = "trap '' HUP; %s -D -f %s.conf -S %s & exec cat"
    shell(crowd, "work", start % (crowd.binary, inner, inner))
    nested = Inner(crowd, inner)
    try:
        pane = nested.pane()
        all_rest(crowd)
        assert pane not in pids_of(crowd, "work")
        assert item(perform(crowd, TERMINATE, only("work")), "work")["survivors"] == []
        assert nested.pane() == pane
    finally:
        nested.end()


def pids_of(world: World, name: str) -> Set[int]:
    (session,) = [it for it in world.listing().sessions if it.name == name]
    return {
        process.pid for process in members(proctable.Processes.of(os.geteuid()), session, world.pid(), os.geteuid())
    }


def test_a_job_that_is_only_called_after_tmux_is_watched(crowd: World) -> None:
    job = os.path.join(crowd.folder, "mytmux.sh")
    with open(job, "w") as stream:
        stream.write("#!/bin/sh\nsleep 7080 & read line\n")
    os.chmod(job, stat.S_IRWXU)
    identity = crowd.new("work", job, "argument")
    child = one_sleeping(crowd, 7080)
    assert pids_of(crowd, "work") == {child, *crowd.session(identity).pids}


NEEDS_ROOT = pytest.mark.skipif(not ROOT, reason="left out: needs root, to become another user")


@NEEDS_ROOT
def test_another_users_process_is_neither_told_of_nor_ended(crowd: World) -> None:
    words = ["setpriv", "--reuid", str(OTHER), "--clear-groups", "--regid", str(OTHER)]
    shell(crowd, "work", "trap '' HUP; %s sleep 7090 & exec cat" % " ".join(words))
    pid = one_sleeping(crowd, 7090)
    assert proctable.owner(pid) == OTHER
    try:
        assert item(perform(crowd, TERMINATE, only("work")), "work")["survivors"] == []
        assert started(pid) is not None
    finally:
        os.kill(pid, signal.SIGKILL)


def become_other() -> None:
    os.setgid(OTHER)
    os.setuid(OTHER)


@pytest.mark.parametrize("own", [True, pytest.param(False, marks=NEEDS_ROOT)])
def test_forged_variables_count_for_the_owner_alone(crowd: World, own: bool) -> None:
    identity = shell(crowd, "work", "exec cat")
    env: Dict[str, str] = {
        "TMUX": "%s,%d,0" % (crowd.path, crowd.pid()),
        "TMUX_PANE": crowd.session(identity).panes[0].id,
        "PATH": os.environ["PATH"],
    }
    with subprocess.Popen(
        ["sleep", "600"], env=env, start_new_session=True, preexec_fn=None if own else become_other
    ) as process:
        try:
            eventually(lambda: proctable.tmux_pane(process.pid), "it has become itself")
            found = item(perform(crowd, TERMINATE, only("work")), "work")["survivors"]
            assert [it["pid"] for it in found] == ([process.pid] if own else [])
            assert (process.poll() is not None) == own
        finally:
            process.kill()


# --- the same for tmux_session ----------------------------------------------------------------------------------------


NOTHING_NEW = SessionOptions(None, (), None, (), None, None, None)


def remove(world: World, names: Sequence[str], ending: Ending) -> Dict[str, List[Dict[str, Any]]]:
    """The survivors of each session that the module tmux_session removes."""
    host = Host(world.binary, PATIENCE, Directory(PATIENCE))
    before = look_at(host, world.path)
    made = plan("absent", list(names), False, before.listing.sessions, before.listing.unread)
    outcomes = carry_out(made, WorkingHands(host, before, NOTHING_NEW, ending))
    assert failure(made, outcomes) is None
    return {removed["name"]: removed["survivors"] for removed in result(outcomes, before)["removed"]}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survivors, "ENDING_SECONDS", 0.5)


def test_absent_reports_and_ends_survivors_too(crowd: World, quick: None) -> None:
    for number, name in enumerate(("a", "b")):
        shell(crowd, name, WAYS["setsid"] % (7100 + number))
    pids = [one_sleeping(crowd, 7100), one_sleeping(crowd, 7101)]
    found = remove(crowd, ["a"], Ending())
    assert [(one["pid"], one["result"]) for one in found["a"] if one["command"] == "sleep"] == [(pids[0], "reported")]
    assert started(pids[0]) is not None
    found = remove(crowd, ["b"], Ending(True, PATIENCE))
    assert (pids[1], "terminated") in [(one["pid"], one["result"]) for one in found["b"]]
    assert started(pids[1]) is None and started(pids[0]) is not None


def test_absent_leaves_the_windows_of_a_group_alone(crowd: World, quick: None) -> None:
    first = shell(crowd, "member", "exec cat")
    (pane,) = crowd.session(first).pids
    crowd.tmux("new-session", "-d", "-t", first, "-s", "peer")
    assert remove(crowd, ["member"], Ending(True, 0.1)) == {"member": []}
    assert started(pane) is not None
