# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is killed at any moment leaves nothing half done, and the next one goes on from there."""

import json
import os
import random
import time
from typing import Any, Dict, List, Set

from ansible_collections.fleet.tmux.plugins.module_utils._actions.saved import read
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import newest_clock
from ansible_collections.fleet.tmux.plugins.module_utils._policy.notice import read_mark
from ansible_collections.fleet.tmux.tests.endurance.runs import begin, lasting, run
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

KILLS = 100
POPULATION = 3
SEED = 20261121


class Saved:
    """A server whose sessions come and go, and what is saved of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.folder = os.path.join(world.folder, "snapshots")
        self.names: Set[str] = set()
        """All that there ever were."""
        self._whole: Dict[str, str] = {}
        """Snapshots that were found whole, and whose they are; nobody changes one afterwards."""

    @property
    def params(self) -> Dict[str, Any]:
        return {
            "idle": "1s",
            "notice": "1s",
            "protect": ["attached", "keep"],
            "patterns": ["work*"],
            "snapshot_dir": self.folder,
        }

    def there(self) -> Dict[str, str]:
        """The sessions by name."""
        rows = self.world.tmux("list-sessions", "-F", "#{session_name} #{session_id}").splitlines()
        return {name: identity for name, identity in (row.split(" ") for row in rows) if name != "first"}

    def populate(self) -> None:
        for _missing in range(POPULATION - len(self.there())):
            name = "work%d" % len(self.names)
            identity = self.world.new(name, "sh", "-c", "echo I am %s.; exec cat" % name)
            shown = ("capture-pane", "-p", "-t", identity + ":")
            eventually(lambda shown=shown: "I am" in self.world.tmux(*shown), "it has printed")  # type: ignore[misc]
            self.names.add(name)

    def snapshots(self) -> Dict[str, str]:
        """What is saved, by name; everything that is there is a whole snapshot."""
        found = {}
        for owner in [name for name in os.listdir(self.folder) if name != ".incoming"]:
            for entry in os.listdir(os.path.join(self.folder, owner)):
                path = os.path.join(self.folder, owner, entry)
                self._whole[path] = self._whole.get(path) or self._name(path)
                found[self._whole[path]] = path
        return found

    def _name(self, path: str) -> str:
        with open(os.path.join(path, "session.json"), encoding="ascii") as stream:
            name = str(json.load(stream)["name"])
        for window in read(path, self.world.user, False):
            for pane in window.panes:
                with open(pane.text, encoding="utf-8") as stream:
                    # A session that has not printed anything yet is none that is idle.
                    assert stream.readline() == "I am %s.\n" % name, path
        return name

    def require_consistent(self) -> None:
        there = self.there()
        saved = self.snapshots() if os.path.exists(self.folder) else {}
        assert self.names - set(there) <= set(saved), "a session is gone that was not saved"
        for row in self.world.tmux("list-sessions", "-F", "#{session_name}:#{@fleet_tmux_notice}").splitlines():
            mark = row.partition(":")[2]
            assert not mark or read_mark(mark) is not None, "half a mark: %s" % row


def test_a_run_that_is_killed_at_any_moment_leaves_a_consistent_world(world: World) -> None:
    world.start()
    saved = Saved(world)
    chance = random.Random(SEED)
    saved.populate()
    # All at once: the next run removes what this one marks.
    eventually(lambda: all(time.time() - newest_clock(it) >= 3 for it in world.listing().sessions), "all are idle")
    assert len(run(world, **saved.params)["marked"]) == POPULATION
    time.sleep(1)  # The notice that was given.
    # The longest kind of run: it saves and removes all of them.
    length = lasted = lasting(world, **saved.params)
    saved.require_consistent()
    hits = tries = 0
    left: List[str] = []
    while hits < KILLS:
        saved.populate()
        tries += 1
        it = begin(world, **saved.params)
        time.sleep(chance.uniform(0, length))
        hit = it.kill(with_clients=chance.random() < 0.5)
        hits += hit
        # However fast the machine is now: about half of the runs have not ended when they would be killed.
        length *= 1.1 if hit else 0.9
        saved.require_consistent()
        left += os.listdir(os.path.join(saved.folder, ".incoming"))
    print("%d runs of %.2f s were killed %d times; %d drafts left" % (tries, lasted, hits, len(set(left))))
    assert left, "no run was killed while it saved something: this test has not tested what it should"

    def all_gone() -> bool:
        result = run(world, **saved.params)
        assert not result.get("failed") and result["not_done"] == [], result
        return not saved.there()

    eventually(all_gone, "the runs that are not disturbed remove the rest")
    saved.require_consistent()
    assert set(saved.snapshots()) == saved.names
    incoming = os.path.join(saved.folder, ".incoming")
    for name in os.listdir(incoming):
        os.utime(os.path.join(incoming, name), (0, 0))
    saved.populate()
    eventually(all_gone, "they go too")
    assert os.listdir(incoming) == []
