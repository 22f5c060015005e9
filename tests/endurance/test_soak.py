# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many servers, much random activity, a short clock: who was active is never removed, and who was not is in the end.

What somebody does is done by a process of its own, which writes down the clocks as tmux shows them to anybody. Whatever
it has seen of a session before that session was removed must have been long enough ago.
"""

import json
import os
import random
import signal
import time
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen, look
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host, locate
from ansible_collections.fleet.tmux.tests.support.programs import binaries
from ansible_collections.fleet.tmux.tests.support.runs import Gently, Prepared
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

SEED = 4
SERVERS = 10
SESSIONS = 5
IDLE = 2
SECONDS = 30
RULES = Policy(idle=IDLE, older_than=None, finished=False, activity="any", protect=("attached", "keep"))

CLOCKS = "#{session_created} #{session_activity} #{session_last_attached} #{window_activity}"
_Key = Tuple[int, str]
"""Number of a server, and name of a session, which is never used twice."""


class Sample(NamedTuple):
    """The newest clock of a session, as anybody can see it."""

    server: int
    name: str
    clock: int


def samples(world: World, number: int) -> List[Sample]:
    rows = world.run("list-windows", "-a", "-F", "#{session_name} " + CLOCKS).stdout.decode("ascii").splitlines()
    newest: Dict[str, int] = {}
    for name, *clocks in (row.split() for row in rows):
        newest[name] = max([newest.get(name, 0)] + [int(clock) for clock in clocks])
    return [Sample(number, name, clock) for name, clock in sorted(newest.items())]


class Crowd:
    """The people of all servers, in one process."""

    def __init__(self, worlds: List[World], notes: str) -> None:
        self._worlds = worlds
        self._notes = notes
        self._chance = random.Random(SEED)
        self._made = 0

    def start(self) -> int:
        """Begin, and return the process; it goes on until it is ended."""
        pid = os.fork()
        if pid == 0:
            try:
                self._live()
            finally:
                os._exit(1)
        return pid

    def _live(self) -> None:
        with open(self._notes, "a", encoding="ascii") as notes:
            while True:
                number = self._chance.randrange(len(self._worlds))
                world = self._worlds[number]
                there = [sample.name for sample in samples(world, number)]
                if len(there) < SESSIONS and self._chance.random() < 0.7:
                    self._make(world, number)
                elif there:
                    # Some are never used: they must go.
                    used = [name for name in there if not name.endswith("-quiet")]
                    if used:
                        self._use(world, self._chance.choice(used))
                for sample in samples(world, number):
                    notes.write(json.dumps(sample) + "\n")
                notes.flush()

    def _make(self, world: World, number: int) -> None:
        self._made += 1
        name = "s%d-%d%s" % (number, self._made, self._chance.choice(["", "", "-quiet"]))
        world.run("-f", "/dev/null", "new-session", "-d", "-s", name, "--", "sh", "-c", "exec cat")

    def _use(self, world: World, name: str) -> None:
        """Something that moves a clock, if the session is still there."""
        deeds: List[List[str]] = [
            ["send-keys", "-t", "=%s:" % name, "x", "Enter"],
            ["new-window", "-d", "-t", "=%s:" % name, "cat"],
            ["select-window", "-t", "=%s:" % name],
            ["set-option", "-t", name, "@note", str(self._chance.random())],  # moves none
        ]
        weights = [6, 1, 2, 1]
        (deed,) = self._chance.choices(deeds, weights)
        world.run(*deed)


def read_notes(path: str) -> Dict[_Key, int]:
    """The newest clock that anybody has seen, of each session."""
    newest: Dict[_Key, int] = {}
    with open(path, encoding="ascii") as stream:
        for line in stream:
            if line.endswith("\n"):
                sample = Sample(*json.loads(line))
                key = (sample.server, sample.name)
                newest[key] = max(newest.get(key, 0), sample.clock)
    return newest


class Cleaner:
    """Runs over all servers, and what they have removed when."""

    def __init__(self, worlds: List[World], manner: Gently) -> None:
        host = Host(worlds[0].binary, PATIENCE, Directory(PATIENCE))
        self._host = host
        self._worlds = worlds
        self._manner = manner
        self.removed: List[Tuple[_Key, int]] = []
        self.marked = self.cancelled = self.runs = 0

    def run(self) -> None:
        every = [look(self._host, locate(self._host, world.path)) for world in self._worlds]
        seen: List[Seen] = [one for one in every if one.server.status != "absent"]
        run = Prepared(seen, RULES, self._manner)
        result = run.finish()
        assert result["not_done"] == [] and list(run.trouble) == [], (result["not_done"], run.trouble)
        numbers = {world.path: number for number, world in enumerate(self._worlds)}
        self.removed += [((numbers[it["socket"]], it["name"]), run.now) for it in result["removed"]]
        self.marked += len(result["marked"])
        self.cancelled += sum(1 for it in result["kept"] if "since notice" in it["detail"])
        self.runs += 1


@pytest.fixture
def worlds() -> Iterator[List[World]]:
    made: List[World] = []
    try:
        for _number in range(SERVERS):
            made.append(World(binaries()[0]))
        yield made
    finally:
        for world in made:
            world.stop()


@pytest.mark.parametrize("notice", [None, 1])
def test_nobody_active_is_removed_and_everybody_idle_is(worlds: List[World], notice: Any) -> None:
    notes = os.path.join(worlds[0].folder, "notes")
    cleaner = Cleaner(worlds, Gently(notice=notice))
    crowd = Crowd(worlds, notes).start()
    try:
        eventually(lambda: os.path.exists(notes), "they begin")
        end = time.monotonic() + SECONDS / 2
        while time.monotonic() < end:
            cleaner.run()
            assert os.waitpid(crowd, os.WNOHANG) == (0, 0), "the crowd has ended"
    finally:
        os.kill(crowd, signal.SIGKILL)
        os.waitpid(crowd, 0)
    busy = len(cleaner.removed)
    left = {(number, it.name) for number, world in enumerate(worlds) for it in samples(world, number)}

    def all_gone() -> bool:
        cleaner.run()
        return not any(samples(world, number) for number, world in enumerate(worlds))

    eventually(all_gone, "everybody idle is removed")
    newest = read_notes(notes)
    for key, now in cleaner.removed:
        waited = IDLE + (notice or 0)
        assert now - newest.get(key, 0) >= waited, "%s was used %d s before" % (key, now - newest[key])
    removed = [key for key, _now in cleaner.removed]
    assert len(removed) == len(set(removed)), "nobody goes twice"
    assert left <= set(removed) and set(newest) <= set(removed), "nobody goes unsaid"
    said = "%d runs, %d removed while others worked, %d in all, %d marked, %d marks taken back"
    print(said % (cleaner.runs, busy, len(removed), cleaner.marked, cleaner.cancelled))
    assert any(name.endswith("-quiet") for _number, name in removed)
