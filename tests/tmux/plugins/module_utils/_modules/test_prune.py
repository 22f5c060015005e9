# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole run on real servers: each session is told of once, and a check promises what a run does."""

import os
import signal
import sys
import time
from typing import Any, Callable, Dict, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import hands, survivors, watch
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove import remove_unchanged
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import newest_clock
from ansible_collections.fleet.tmux.plugins.module_utils._policy.patterns import matcher
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen, look
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Unread
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host, locate
from ansible_collections.fleet.tmux.tests.support.processes import started
from ansible_collections.fleet.tmux.tests.support.runs import Prepared, settled
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

EVERYTHING = Policy(idle=0, older_than=None, finished=False, activity="any", protect=("attached", "keep"))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give processes the time to end that they need on a busy machine."""
    monkeypatch.setattr(survivors, "ENDING_SECONDS", PATIENCE)


def seen(world: World) -> Seen:
    host = Host(world.binary, PATIENCE, Directory(PATIENCE))
    found = look(host, locate(host, world.path))
    assert found.server.status == "ok", found.server
    return found


def run(world: World, rules: Policy, check: bool = False) -> Dict[str, Any]:
    one = seen(world)
    return Prepared([one], rules).finish(check)


def names(items: List[Dict[str, Any]]) -> List[str]:
    return [item["name"] for item in items]


def reasons(result: Dict[str, Any]) -> Dict[str, str]:
    told = [item for key in ("removed", "kept", "not_done") for item in result[key]]
    assert len(told) == len({item["id"] for item in told}), "a session is told of twice"
    return {item["name"]: item["reason"] for item in told}


def at_rest(world: World, *ids: str) -> None:
    """Wait until the processes of these sessions wait for input, and do nothing else."""

    def look_at() -> bool:
        return all(_waits(pid) for identity in ids for pid in world.session(identity).pids)

    eventually(look_at, "the processes wait")


def _waits(pid: int) -> bool:
    found = proctable.read_process(pid)
    before = proctable.io(pid)
    if found is None or found.command != "cat" or found.state != "S":
        return False
    proctable.wait(0.05)
    return proctable.io(pid) == before and proctable.read_process(pid) == found


def meanwhile(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> None:
    """Do something while candidates are watched."""
    wait = proctable.wait
    done: List[bool] = []

    def instead(seconds: float) -> None:
        if seconds == watch.WATCH_SECONDS and not done:
            done.append(True)
            action()
        else:
            wait(seconds)

    monkeypatch.setattr(proctable, "wait", instead)


def small_world(world: World) -> Tuple[str, ...]:
    kept = world.new("kept")
    world.tmux("set-option", "-t", kept, "@keep", "on")
    world.tmux("set-option", "-t", world.new("expired"), "@keep", "2001-01-01")
    return world.new("a,b"), world.new("x y"), world.new("excluded")


@pytest.fixture
def rules() -> Policy:
    return EVERYTHING._replace(excludes=matcher("excludes", ["excl*"], False))


def test_a_check_promises_what_a_run_does(server: World, rules: Policy) -> None:
    small_world(server)
    before = server.ids()
    checked = run(server, rules, check=True)
    assert server.ids() == before, "a check touches nothing"
    done = run(server, rules)
    for told in (checked, done):
        assert isinstance(told.pop("judged_at"), int)
        for item in told["removed"] + told["kept"]:
            assert isinstance(item.pop("idle"), int)
            item.pop("detail")
            item["evidence"] = dict(item["evidence"], signs=[sign["at"] for sign in item["evidence"]["signs"]])
            item["freed"].pop("bytes")
    assert checked["freed"]["processes"] == done["freed"]["processes"]
    assert checked.pop("freed")["bytes"] > 0 and done.pop("freed")["bytes"] > 0
    assert checked == done
    again = run(server, rules)
    assert again["changed"] is False
    assert again["removed"] == []


def test_each_session_is_told_of_once_with_its_reason(server: World, rules: Policy) -> None:
    small_world(server)
    result = run(server, rules)
    assert reasons(result) == {"first": "idle", "kept": "keep", "expired": "idle", "a,b": "idle", "x y": "idle"}
    assert names(result["removed"]) == ["a,b", "expired", "first", "x y"]
    assert result["changed"] is True
    counts = result["counts"]
    assert (counts["looked_at"], counts["removed"], counts["kept"], counts["not_done"]) == (5, 4, 1, 0)
    assert counts["not_matched"] == 1
    assert sorted(session.name for session in server.listing().sessions) == ["excluded", "kept"]
    (one,) = result["servers"]
    assert (one["socket"], one["status"], one["pid"]) == (server.path, "ok", server.pid())
    assert result["freed"]["processes"] >= 4 and result["freed"]["bytes"] > 0
    before, after = result["diff"]["before"]["sessions"], result["diff"]["after"]["sessions"]
    assert len(before) == 5 and len(after) == 1
    assert after[0].endswith(" kept") and server.path in after[0]


def test_what_is_attached_stays(server: World) -> None:
    other = server.new("other")
    with server.attached(other):
        result = run(server, EVERYTHING)
        assert reasons(result) == {"first": "idle", "other": "attached"}
        assert server.ids() == [other]


def test_what_is_young_or_active_stays(server: World) -> None:
    for rules in (EVERYTHING._replace(idle=3600), EVERYTHING._replace(idle=None, older_than=3600)):
        result = run(server, rules)
        assert (result["changed"], names(result["kept"])) == (False, ["first"])
    assert server.ids() == ["$0"]


COMPUTES = """
import signal
signal.signal(signal.SIGUSR1, lambda *_: sum(range(5000000)))
while True:
    signal.pause()
"""


def test_who_computes_while_watched_is_busy(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    busy, still = server.new("busy", sys.executable, "-c", COMPUTES), server.new("still")
    (pid,) = server.session(busy).pids
    eventually(lambda: _catches(pid, signal.SIGUSR1), "it waits for a signal")
    at_rest(server, still)
    settled(server, busy)

    def used() -> int:
        process = proctable.read_process(pid)
        assert process is not None
        return process.cpu_ticks

    def work() -> None:
        before = used()
        os.kill(pid, signal.SIGUSR1)
        eventually(lambda: used() > before + 5, "it computes")

    meanwhile(monkeypatch, work)
    rules = EVERYTHING._replace(
        protect=("attached", "busy", "keep"), patterns=matcher("patterns", ["busy", "still"], False)
    )
    assert reasons(run(server, rules)) == {"busy": "busy", "still": "idle"}
    assert set(server.ids()) == {"$0", busy}


def test_what_is_typed_while_it_is_watched_keeps(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prompt draws itself anew where it is; what is answered there takes more lines."""
    typed = server.new("typed")
    at_rest(server, typed)
    eventually(lambda: time.time() > newest_clock(server.session(typed)) + 2, "it was used some time ago")

    def work() -> None:
        server.tmux("send-keys", "-t", typed + ":", "x", "Enter")
        eventually(lambda: server.tmux("capture-pane", "-p", "-t", typed + ":").split() == ["x", "x"], "cat answers")
        at_rest(server, typed)

    meanwhile(monkeypatch, work)
    rules = EVERYTHING._replace(
        idle=1, protect=("attached", "busy", "keep"), patterns=matcher("patterns", ["typed"], False)
    )
    assert reasons(run(server, rules)) == {"typed": "changed"}
    assert typed in server.ids()


def test_who_forks_while_watched_is_busy(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = server.new("work", "sh", "-c", "trap 'sleep 1000 & wait' USR1; read line")
    (pid,) = server.session(identity).pids
    eventually(lambda: commands(pid) == ["sh"] and _catches(pid, signal.SIGUSR1), "it has its trap")

    def work() -> None:
        os.kill(pid, signal.SIGUSR1)
        eventually(lambda: len(commands(pid)) > 1, "it forks")

    meanwhile(monkeypatch, work)
    rules = EVERYTHING._replace(protect=("busy",), patterns=matcher("patterns", ["work"], False))
    assert reasons(run(server, rules)) == {"work": "busy"}
    assert identity in server.ids()


def commands(pid: int) -> List[str]:
    """What a process and all that belong to it call themselves."""
    return [process.command for process in proctable.Processes.of(os.getuid()).below([pid])]


def _catches(pid: int, number: int) -> bool:
    with open("/proc/%d/status" % pid) as lines:
        (caught,) = [line.split()[1] for line in lines if line.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (number - 1) & 1)


def test_what_happens_between_the_look_and_the_kill_saves_a_session(server: World) -> None:
    touched, gone = server.new("touched"), server.new("gone")
    one = seen(server)
    report = Prepared([one], EVERYTHING)
    server.tmux("new-window", "-d", "-t", touched + ":", "cat")
    server.tmux("kill-session", "-t", gone)
    result = report.finish()
    assert reasons(result) == {"first": "idle", "touched": "changed", "gone": "vanished"}
    assert names(result["removed"]) == ["first"]
    assert server.ids() == [touched]
    after = result["diff"]["after"]["sessions"]
    assert len(after) == 1 and after[0].endswith(" touched")


def test_a_session_that_cannot_be_read_is_kept_and_told(server: World) -> None:
    one = seen(server)
    lost = Unread("$9", "odd\x1b", "its rows do not make sense")
    one = one._replace(listing=one.listing._replace(unread=(lost,)))
    report = Prepared([one], EVERYTHING)
    assert reasons(report.finish()) == {"first": "idle", "odd\\x1b": "unknown"}


def test_what_runs_more_than_a_shell_is_running(server: World) -> None:
    idle = server.new("idle", "sh", "-i")
    busy = server.new("busy", "sh", "-c", "sleep 1000; true")
    (shell,) = server.session(idle).pids
    (pid,) = server.session(busy).pids
    eventually(lambda: commands(pid) == ["sh", "sleep"], "the command runs")
    eventually(lambda: commands(shell) == ["sh"], "the shell runs")
    rules = EVERYTHING._replace(protect=("running",), patterns=matcher("patterns", ["idle", "busy"], False))
    result = run(server, rules)
    assert reasons(result) == {"idle": "idle", "busy": "running"}
    assert "sleep" in result["kept"][0]["detail"]


def test_who_survives_is_not_counted_as_freed(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = server.new("work", "sh", "-c", "trap '' HUP; sleep 1000.25 & trap - HUP; read line")
    (pid,) = server.session(identity).pids
    eventually(lambda: commands(pid) == ["sh", "sleep"], "the child runs")
    survivor = proctable.Processes.of(os.getuid()).below([pid])[1]

    def remove_and_see_it_end(*words: Any) -> Any:
        done = remove_unchanged(*words)
        eventually(lambda: started(pid) is None, "the shell ends")
        return done

    monkeypatch.setattr(hands, "remove_unchanged", remove_and_see_it_end)
    monkeypatch.setattr(survivors, "ENDING_SECONDS", 0.1)
    try:
        rules = EVERYTHING._replace(patterns=matcher("patterns", ["work"], False))
        result = run(server, rules)
        assert names(result["removed"]) == ["work"]
        assert started(survivor.pid) is not None
        assert result["freed"]["processes"] == 1
    finally:
        proctable.send_signal(survivor, signal.SIGKILL)


def test_a_finished_session_is_removed_for_that(server: World) -> None:
    server.tmux("set-option", "-g", "remain-on-exit", "on")
    identity = server.new("done", "sh", "-c", "exit 3")
    eventually(lambda: server.reap() and server.session(identity).panes[0].dead, "it ends")
    result = run(server, EVERYTHING._replace(idle=None, finished=True, protect=("attached", "busy", "keep")))
    assert reasons(result) == {"done": "finished", "first": "unfinished"}
    assert server.ids() == ["$0"]


def printed_at(world: World, identity: str) -> int:
    return world.session(identity).windows[0].clocks["window_activity"] or 0


def test_output_keeps_no_session_when_only_input_counts(server: World) -> None:
    chatty = server.new("chatty", "sh", "-c", "while :; do echo line; sleep 0.05; done")
    rules = EVERYTHING._replace(activity="input", patterns=matcher("patterns", ["chatty"], False))
    host = Host(server.binary, PATIENCE, Directory(PATIENCE))
    one = look(host, locate(host, server.path), guards=rules.guards)
    seen_at = printed_at(server, chatty)
    whole_run = Prepared([one], rules)
    eventually(lambda: printed_at(server, chatty) > seen_at, "it has printed in another second")
    assert reasons(whole_run.finish())["chatty"] == "idle"
    assert chatty not in server.ids()
