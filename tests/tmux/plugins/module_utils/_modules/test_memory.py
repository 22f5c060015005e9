# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was used between two runs keeps a session; a prompt that only draws itself anew seldom does not."""

import contextlib
import json
import os
import signal
import stat
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.hands import Settings
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remember import Diary
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._modules import prune, prune_result
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import newest_clock
from ansible_collections.fleet.tmux.plugins.module_utils._policy.commands import named
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Limits
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import Scene
from ansible_collections.fleet.tmux.tests.support.runs import Clock, files_below, only, seen, settled, told
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

WORKER = """
import signal
def work(*_):
    for _number in range(200):
        open("/proc/self/stat").read()
signal.signal(signal.SIGUSR1, work)
open(%r, "w").close()
while True:
    signal.pause()
"""
NOTICE = 10**6
"""A session that bears notice stays to be looked at again."""


def run(world: World, diary: Diary, policy: Policy, check: bool = False) -> Dict[str, Any]:
    made = prune.prune([seen(world)], policy, Settings(diary=diary), check, prune.Overseer(Limits(None, None)))
    return prune_result.result(made, policy.activity)


@pytest.fixture
def worker(server: World) -> int:
    """A process that waits, and reads when it is told to."""
    ready = os.path.join(server.folder, "ready")
    identity = server.new("work", sys.executable, "-c", WORKER % ready)
    eventually(lambda: os.path.exists(ready), "it waits for its signal")
    settled(server, identity)
    return server.session(identity).pids[0]


def test_what_was_used_since_the_last_look_keeps(
    server: World, worker: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    clock.ahead = 10
    place = tmp_path / "memory"
    diary = Diary(str(place))
    policy = only("work")._replace(idle=1, notice=NOTICE, protect=())
    monkeypatch.setattr(
        "ansible_collections.fleet.tmux.plugins.module_utils._signs.scene.Scene.started", lambda *_words: 0
    )
    assert told(run(server, diary, policy, check=True)) == {"work": "marked: idle"}
    assert not place.exists(), "a check remembers nothing"
    result = run(server, diary, policy)
    assert told(result) == {"work": "marked: idle"}
    (file,) = files_below(str(place))
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600 and os.stat(file).st_uid == os.geteuid()
    clock.ahead += 4000
    assert told(run(server, diary, policy, check=True)) == {"work": "kept: notice"}, "nothing was used"
    before = proctable.io(worker)
    os.kill(worker, signal.SIGUSR1)
    eventually(lambda: proctable.io(worker) != before, "it reads")
    settled(server, server.listing().sessions[-1].id)
    kept = run(server, diary, policy, check=True)
    assert told(kept) == {"work": "kept: active"}
    assert "read and wrote" in kept["kept"][0]["detail"]
    with open(file, "w", encoding="ascii") as stream:
        stream.write('{"format": 1, "sessions": 7}')
    assert told(run(server, diary, policy, check=True)) == {"work": "kept: active"}, "the mark still tells"


@pytest.mark.parametrize("program", [("cat",), ("bash", "--norc")], ids=["works", "prompt"])
def test_output_of_before_the_last_look_keeps_though_nothing_came_since(
    server: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Tuple[str, ...]
) -> None:
    """That the screen is as it was at the last look says nothing of what was printed before that."""
    diary = Diary(str(tmp_path / "memory"))
    identity = server.new("work", *program)
    created = server.session(identity).created
    eventually(lambda: time.time() > created + 3, "time passes")
    server.tmux("send-keys", "-t", identity + ":", "x", "Enter")
    eventually(lambda: printed(server, identity) > created + 2, "it is printed")
    settled(server, identity)
    newest = printed(server, identity)
    for seconds, verdict in ((4000, "kept: active"), (8000, "kept: active"), (16000, "removed: idle")):
        monkeypatch.setattr(time, "time", lambda seconds=seconds: newest + seconds)
        # It was created longer ago than that, and nobody has attached.
        idle = min(seconds, 15000) + 1
        assert told(run(server, diary, only("work")._replace(idle=idle, protect=("busy",)))) == {"work": verdict}


def test_what_an_earlier_look_saw_of_a_process_that_has_ended_keeps(
    server: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its clock has gone with it; nobody can see any more that there was one."""
    diary = Diary(str(tmp_path / "memory"))
    begin = os.path.join(server.folder, "begin")
    identity = server.new("work", "sh", "-c", 'until [ -e "$0" ]; do sleep 0.1; done; sleep 1000; exec cat', begin)
    created = server.session(identity).created
    eventually(lambda: time.time() > created + 6, "time passes")
    Path(begin).touch()
    started = int(time.time())
    (shell,) = server.session(identity).pids

    def job() -> List[int]:
        table = proctable.Processes.of(server.user.uid)
        return [each.pid for each in table.below([shell]) if words(each.pid) == b"sleep\0001000\0"]

    eventually(job, "it works")
    real, begun = time.time, Scene.started

    def since(scene: Scene, process: Process) -> Optional[int]:
        """What starts is dated by the machine, which knows nothing of our clock."""
        at = begun(scene, process)
        return None if at is None else int(at - (time.time() - real()))

    monkeypatch.setattr(Scene, "started", since)
    for seconds, verdict in ((4000, "kept: active"), (8000, "kept: active"), (16000, "removed: idle")):
        monkeypatch.setattr(time, "time", lambda seconds=seconds: started + seconds)
        # It was created longer ago than that.
        result = run(server, diary, only("work")._replace(idle=min(seconds, 15000) + 3, protect=()))
        assert told(result) == {"work": verdict}, result
        if seconds == 4000:
            os.kill(job()[0], signal.SIGPIPE)  # of which a shell says nothing
            eventually(lambda: words(shell) == b"cat\0", "it has ended")


def test_a_look_at_which_nothing_was_counted_takes_no_place_of_one(
    server: World, worker: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was used is held against the last look that knows it, also when a sign has kept the session in between."""
    clock = Clock(monkeypatch)
    diary = Diary(str(tmp_path / "memory"))
    policy = only("work")._replace(idle=1, notice=NOTICE, protect=())
    for since, verdict, is_known in ((0, "marked: idle", False), (1, "kept: active", True), (0, "marked: idle", True)):
        clock.ahead += 4000
        # As if the process had been started long ago, or just now, whatever the machine says.
        monkeypatch.setattr(Scene, "started", lambda *_words, since=since: since * int(time.time()))
        assert told(run(server, diary, policy)) == {"work": verdict}
        (file,) = files_below(str(tmp_path / "memory"))
        (known,) = json.loads(Path(file).read_text(encoding="ascii"))["sessions"].values()
        assert len(known["used"]) == 1 and known["used"][0][0] == worker
        assert (known["active"] > 0) is is_known


def test_a_look_that_found_nobody_who_counts_is_one(
    server: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what the panes show would be held against the first look for ever."""
    clock = Clock(monkeypatch)
    diary = Diary(str(tmp_path / "memory"))
    settled(server, server.new("work", "tail", "-f", "/dev/null"))
    monkeypatch.setattr(Scene, "started", lambda *_words: 0)
    looks = []
    for _look in range(2):
        clock.ahead += 4000
        before = int(time.time())
        ignore = named("ignore_commands", ["tail"], False)
        run(server, diary, only("work")._replace(idle=1, notice=NOTICE, protect=(), ignore=ignore))
        (file,) = files_below(str(tmp_path / "memory"))
        (known,) = json.loads(Path(file).read_text(encoding="ascii"))["sessions"].values()
        looks.append((known["used"], known["at"] >= before))
    assert looks == [([], True), ([], True)]


def test_nobody_is_forgotten_whose_server_was_not_looked_at_and_lives(
    server: World, worker: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may hang, or be another socket's."""
    clock = Clock(monkeypatch)
    diary = Diary(str(tmp_path / "memory"))
    other = World(server.binary)
    monkeypatch.setattr(Scene, "started", lambda *_words: 0)

    def known() -> List[str]:
        clock.ahead += 4000
        run(other, diary, only("first")._replace(idle=1, notice=NOTICE, protect=()))
        (file,) = files_below(str(tmp_path / "memory"))
        return list(json.loads(Path(file).read_text(encoding="ascii"))["sessions"])

    try:
        other.start()
        clock.ahead = 4000
        run(server, diary, only("work")._replace(idle=1, notice=NOTICE, protect=()))
        (identity,) = [session for session in server.listing().sessions if worker in session.pids]
        assert len(known()) == 2
        server.tmux("kill-session", "-t", identity.id)
        assert len(known()) == 2, "its server may hold it"
        server.stop()
        assert len(known()) == 1
    finally:
        other.stop()


def words(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path("/proc/%d/cmdline" % pid).read_bytes()
    return b""


def printed(world: World, identity: str) -> int:
    return max(window.clocks["window_activity"] or 0 for window in world.session(identity).windows)


def test_a_place_that_cannot_be_used_changes_nothing(server: World, tmp_path: Path) -> None:
    open_ = tmp_path / "open"
    open_.mkdir()
    open_.chmod(0o777)
    file = tmp_path / "file"
    file.write_text("")
    eventually(lambda: time.time() > newest_clock(server.session("$0")) + 1.1, "the second is over")
    for place in (open_, file):
        result = run(server, Diary(str(place)), only("first")._replace(notice=NOTICE), check=False)
        assert told(result)["first"] in ("marked: idle", "kept: notice")
    assert files_below(str(open_)) == []
