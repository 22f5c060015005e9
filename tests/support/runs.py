# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole runs over the server of a test, and processes in it that do just what the test says."""

import os
import signal
import time
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import hands, survivors
from ansible_collections.fleet.tmux.plugins.module_utils._actions.examine import examine
from ansible_collections.fleet.tmux.plugins.module_utils._actions.hands import Settings
from ansible_collections.fleet.tmux.plugins.module_utils._actions.journal import Journal
from ansible_collections.fleet.tmux.plugins.module_utils._actions.notify import Notifier
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove import remove_unchanged
from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import Ending
from ansible_collections.fleet.tmux.plugins.module_utils._actions.veto import Veto
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._modules import prune, prune_result
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Limits
from ansible_collections.fleet.tmux.plugins.module_utils._policy.patterns import matcher
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen, look
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host, locate
from ansible_collections.fleet.tmux.tests.support.processes import started
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

EVERYTHING = Policy(idle=0, older_than=None, finished=False, activity="any", protect=("attached", "keep"))
KEYS = ("removed", "marked", "kept", "not_done")


def only(*names: str) -> Policy:
    """Everything, of the sessions with these names."""
    return EVERYTHING._replace(patterns=matcher("patterns", list(names), False))


def seen(world: World) -> Seen:
    host = Host(world.binary, PATIENCE, Directory(PATIENCE))
    found = look(host, locate(host, world.path))
    assert found.server.status == "ok", found.server
    return found


class Gently(NamedTuple):
    """How gently a run goes about it; the same as the options of the module."""

    max_removals: Optional[int] = None
    max_percent: Optional[float] = None
    notice: Optional[int] = None
    notifier: Optional[Notifier] = None
    archive: Optional[Archive] = None
    ending: Ending = Ending()
    max_removals_per_owner: Optional[int] = None
    veto: Optional[Veto] = None
    journal: Journal = Journal()


class Stopped(Exception):
    """Nothing was done, and the module would fail."""


class Prepared:
    """A run that has looked and decided, and has done nothing yet."""

    def __init__(self, servers: Sequence[Seen], rules: Policy, gently: Optional[Gently] = None) -> None:
        self.seen = servers
        self.gently = gently or Gently()
        self.policy = rules._replace(notice=self.gently.notice)
        self.now = int(time.time())
        self.examined = examine(servers, self.policy, self.now)
        self.result: Dict[str, Any] = {}
        self.trouble: Sequence[str] = ()

    def finish(self, check: bool = False) -> Dict[str, Any]:
        """Do what was decided (or promise it); the result, with its diff.

        :raises Stopped: when nothing was done because something forbids it; the result is there all the same.
        """
        gently = self.gently
        limits = Limits(gently.max_removals, gently.max_percent, gently.max_removals_per_owner)
        settings = Settings(gently.notifier, gently.archive, gently.ending, gently.veto, journal=gently.journal)
        overseer = prune.Overseer(limits)
        run = prune.perform(self.seen, self.examined, self.policy, settings, check, self.now, overseer)
        self.result = dict(prune_result.result(run, self.policy.activity), diff=prune_result.diff(run))
        self.trouble = run.trouble
        if run.refused:
            raise Stopped(run.refused)
        return self.result


def prepare(world: World, gently: Gently, rules: Policy = EVERYTHING) -> Prepared:
    return Prepared([seen(world)], rules, gently)


def finish(run: Prepared, check: bool = False) -> Dict[str, Any]:
    return run.finish(check)


def perform(world: World, gently: Gently, rules: Policy = EVERYTHING, check: bool = False) -> Dict[str, Any]:
    return prepare(world, gently, rules).finish(check)


def told(result: Dict[str, Any]) -> Dict[str, str]:
    """Where each session is told of, and why; none is told of twice, and the counts are of these lists."""
    items = [(key, item) for key in KEYS for item in result[key]]
    assert len(items) == len({item["id"] for _key, item in items}), "a session is told of twice"
    for key in KEYS:
        assert result["counts"][key] == len(result[key])
    assert result["counts"]["looked_at"] == len(items)
    for key, item in items:
        print(key, item["name"], item["reason"], item.get("detail"))  # pytest shows it of a test that fails
    return {item["name"]: "%s: %s" % (key, item["reason"]) for key, item in items}


def item(result: Dict[str, Any], name: str) -> Dict[str, Any]:
    (found,) = [it for key in KEYS for it in result[key] if it["name"] == name]
    return dict(found)


class Clock:
    """The clock of the code that is tested, ahead of that of tmux by ``ahead`` seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + self.ahead)


def await_end_of_panes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run go on only when the processes in removed panes have ended, however long that takes."""
    remove = remove_unchanged

    def instead(client: Any, version: Any, sessions: Sequence[Any], last_look: Any) -> Any:
        before = {pid: started(pid) for session in sessions for pid in session.pids}
        done = remove(client, version, sessions, last_look)
        left = {pid for session in world.listing().sessions for pid in session.pids} if world.ids() else set()
        for pid in set(before) - left:
            eventually(lambda pid=pid: started(pid) != before[pid], "the pane's process ends")  # type: ignore[misc]
        return done

    monkeypatch.setattr(hands, "remove_unchanged", instead)
    monkeypatch.setattr(survivors, "ENDING_SECONDS", 0.1)


def children_of(world: World) -> Iterator[int]:
    """Everything alive that was started in a pane of the world, wherever it has gone."""
    needle = ("TMUX=%s," % world.path).encode()
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%s/environ" % name, "rb") as handle:
                if needle in handle.read() and started(int(name)) is not None:
                    yield int(name)
        except (OSError, ValueError):
            continue


def reap(world: World) -> None:
    """End what has outlived the sessions of a test."""
    world_pid = world.pid()

    def gone() -> bool:
        left = [pid for pid in children_of(world) if pid not in (world_pid, os.getpid())]
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not left

    eventually(gone, "the processes of the test end")


def settled(world: World, identity: str) -> str:
    """Wait until the processes of a session have done all that they do by themselves."""

    def rests() -> bool:
        before = [proctable.read_process(pid) for pid in world.session(identity).pids]
        calls = [proctable.io(pid) for pid in world.session(identity).pids]
        proctable.wait(0.05)
        after = [proctable.read_process(pid) for pid in world.session(identity).pids]
        again = [proctable.io(pid) for pid in world.session(identity).pids]
        return all(it is not None and it.state == "S" for it in before) and (before, calls) == (after, again)

    eventually(rests, "the session rests")
    return identity


def marked(world: World, identity: str) -> Optional[str]:
    """The mark of a session, as tmux itself tells."""
    done = world.run("show-options", "-v", "-t", identity, "@fleet_tmux_notice")
    return done.stdout.decode("ascii").strip() or None if done.returncode == 0 else None


def captured(world: World, place: str) -> str:
    return world.tmux("capture-pane", "-p", "-J", "-S", "-", "-t", place)


def files_below(path: str) -> List[str]:
    return sorted(os.path.join(folder, name) for folder, _folders, names in os.walk(path) for name in names)
