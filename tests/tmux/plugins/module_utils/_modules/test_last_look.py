# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A session that wakes up after it was judged lives, also where tmux sees nothing of that."""

import os
import signal
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import evidence, hands, remove
from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive, Retention
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.tests.support.runs import (
    Gently,
    Prepared,
    files_below,
    finish,
    item,
    only,
    perform,
    prepare,
    seen,
    told,
)
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

IDLE = 3
"""Seconds, so that a test has not long to wait for a session that is idle. Whoever wakes up does so all the time."""

WAKES = """
import signal, subprocess, sys, time
log = open(sys.argv[1] + ".log", "w")
children = []
def write(*_):
    while True:
        log.write("line\\n")
        log.flush()
        time.sleep(0.1)
def start(*_):
    log.close()
    while True:
        children.append(subprocess.Popen(["sleep", "30"]))
        time.sleep(0.3)
signal.signal(signal.SIGUSR1, %s)
open(sys.argv[1], "w").close()
while True:
    signal.pause()
"""


def rules(*names: str) -> Policy:
    return only(*names)._replace(idle=IDLE)


def forks(world: World) -> str:
    """A session that begins to start one process after the other when it is woken."""
    return _ready(world, "forks", WAKES % "start")


def writes(world: World) -> str:
    """A session that begins to write to a file when it is woken."""
    return _ready(world, "writes", WAKES % "write")


def _ready(world: World, name: str, program: str) -> str:
    identity = world.new(name, sys.executable, "-c", program, os.path.join(world.folder, name))
    eventually(lambda: os.path.exists(os.path.join(world.folder, name)), "it waits to be woken")
    return identity


def wake(world: World, identity: str) -> None:
    (pid,) = world.session(identity).pids
    before = world.session(identity)
    log = os.path.join(world.folder, before.name + ".log")
    os.kill(pid, signal.SIGUSR1)
    eventually(lambda: _children(pid) or (os.path.exists(log) and os.path.getsize(log)), "it has begun")
    assert world.session(identity) == before, "tmux has seen nothing of it"


def _children(pid: int) -> bool:
    return len(proctable.Processes.of(os.getuid()).below([pid])) > 1


def await_idle(world: World, rules: Policy, *names: str) -> Prepared:
    """A run that has judged all these sessions to be idle, and has done nothing yet."""
    made: List[Prepared] = []

    def idle() -> bool:
        made[:] = [Prepared([seen(world)], rules, Gently())]
        return {each.subject.session.name for each in made[0].examined.decisions if each.remove} == set(names)

    eventually(idle, "all are idle")
    return made[0]


@pytest.mark.parametrize("kind", [forks, writes])
def test_who_wakes_up_after_it_was_judged_lives(server: World, kind: Callable[[World], str]) -> None:
    identity = kind(server)
    name = server.session(identity).name
    run = await_idle(server, rules("first", name), "first", name)
    wake(server, identity)
    result = finish(run)
    assert told(result) == {"first": "removed: idle", name: "kept: active"}
    assert item(result, name)["detail"].startswith("after it was judged: ")
    assert server.ids() == [identity]


def test_the_snapshot_of_who_wakes_up_while_it_is_made_is_dropped(
    server: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = forks(server)
    run = await_idle(server, rules("forks"), "forks")
    archive = Archive(str(tmp_path / "saved"), False, Retention())
    run.gently = run.gently._replace(archive=archive)
    save = archive.save

    def and_then_it_wakes(*words: Any) -> Any:
        saved = save(*words)
        wake(server, identity)
        assert files_below(str(tmp_path))
        return saved

    monkeypatch.setattr(archive, "save", and_then_it_wakes)
    assert told(finish(run)) == {"forks": "kept: active"}
    assert identity in server.ids()
    assert files_below(str(tmp_path)) == []


def test_who_is_still_idle_at_the_last_look_goes_with_all_its_processes(server: World) -> None:
    forks(server)
    run = await_idle(server, rules("forks", "first"), "forks", "first")
    assert told(finish(run)) == {"forks": "removed: idle", "first": "removed: idle"}
    assert server.ids() == []


def test_what_cannot_be_looked_at_again_lives(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_words: Any) -> Any:
        raise OSError(24, "Too many open files")

    run = prepare(server, Gently())
    monkeypatch.setattr(proctable.Processes, "of", breaks)
    assert told(finish(run)) == {"first": "kept: unknown"}
    assert server.ids() == ["$0"]


def test_the_last_look_is_at_few_at_a_time(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the look at a session to its end no more happens than for those that go with it."""
    monkeypatch.setattr(remove, "PER_LOOK", 2)
    for number in range(4):
        server.new("more%d" % number)
    steps: List[str] = []
    look, call = evidence.looked_at_again, remove.call

    def looks(seen: Any, subjects: Sequence[Any], *words: Any) -> Any:
        steps.append("look at %d" % len(subjects))
        return look(seen, subjects, *words)

    def calls(client: Any, version: Any, batch: Sequence[Any], said: Any) -> bool:
        steps.append("end %d" % len(batch))
        return call(client, version, batch, said)

    monkeypatch.setattr(hands, "looked_at_again", looks)
    monkeypatch.setattr(remove, "call", calls)
    result = perform(server, Gently())
    assert len(result["removed"]) == 5
    assert steps == ["look at 2", "end 2", "look at 2", "end 2", "look at 1", "end 1"]


def test_a_check_does_not_look_again(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: List[Dict[str, Any]] = []
    monkeypatch.setattr(hands, "looked_at_again", lambda *words: looked.append({}))
    assert told(perform(server, Gently(), check=True)) == {"first": "removed: idle"}
    assert looked == [] and server.ids() == ["$0"]
