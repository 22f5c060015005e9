# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several cleaners at once on one server: each session is removed by one of them, and only that one says so."""

import concurrent.futures
import threading
from collections import Counter
from typing import List

import pytest
from ansible_collections.fleet.tmux.tests.support.runs import EVERYTHING, Gently, prepare
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

CLEANERS = 3
SESSIONS = 12
ROUNDS = 100


def fill(world: World) -> None:
    """Start the server with sessions; all of them go, and so the server ends while the cleaners are at it."""
    world.start()
    words: List[str] = []
    for number in range(SESSIONS - 1):
        words += ["new-session", "-d", "-s", "s%d" % number, "exec cat", ";"]
    world.tmux(*words[:-1])


def clean(world: World, together: threading.Barrier) -> List[str]:
    """Look, wait for the others to have looked, and remove; the ids of what this cleaner says that it removed."""
    run = prepare(world, Gently(), EVERYTHING)
    together.wait()
    result = run.finish()
    told = [item["id"] for key in ("removed", "kept", "not_done") for item in result[key]]
    assert len(told) == len(set(told)) == SESSIONS
    assert {item["reason"] for item in result["kept"]} <= {"vanished", "changed"}, result["kept"]
    return [item["id"] for item in result["removed"]]


@pytest.mark.parametrize("part", range(4))
def test_each_session_is_removed_once_and_told_of_once(absent: World, part: int) -> None:
    for _round in range(ROUNDS // 4):
        fill(absent)
        expected = sorted(absent.ids())
        together = threading.Barrier(CLEANERS)
        with concurrent.futures.ThreadPoolExecutor(CLEANERS) as pool:
            cleaners = [pool.submit(clean, absent, together) for _cleaner in range(CLEANERS)]
            removed = Counter(identity for cleaner in cleaners for identity in cleaner.result())
        assert max(removed.values()) == 1, "two cleaners say of one session that they removed it"
        assert sorted(removed) == expected, "nobody says who removed it"
        eventually(lambda: absent.pid() == 0, "the server ends")
