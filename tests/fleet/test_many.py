# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""More than a hundred hosts, all of them real."""

from pathlib import Path
from typing import Any, Dict, Iterator, List, Set

import pytest
from ansible_collections.fleet.tmux.tests.fleet import scale
from ansible_collections.fleet.tmux.tests.fleet.fleet import Fleet
from ansible_collections.fleet.tmux.tests.fleet.host import USERS
from ansible_collections.fleet.tmux.tests.fleet.runs import STAY, Controller, Run, went_well

MANY = 104
NAMES = ["idle"]


LONG = 3600.0
"""More seconds than a run takes that goes on; how many those are is decided by what else this machine does."""


@pytest.fixture(scope="module")
def crowd(possible: None) -> Iterator[Fleet]:
    """Hosts of all releases in turn, with sessions of every kind."""
    with Fleet(MANY) as made:
        made.populate(USERS, NAMES)
        made.settle()
        yield made


def test_a_run_over_more_than_a_hundred_hosts(crowd: Fleet, tmp_path: Path) -> None:
    """A few at first, then all; two of them are away, and come back for the next run."""
    controller = Controller(crowd, tmp_path)
    away = [crowd.host("trixie-7"), crowd.host("sid-20")]
    for host in away:
        host.cut_off()
    # All of them are on this machine: how soon one tmux answers is decided by the others.
    serial: Dict[str, Any] = {"serial": [1, 10, "100%"], "timeout": "10m"}
    try:
        run = controller.run("--forks", "20", **serial, fleet_max_removals=MANY * len(USERS), patience=LONG)
    finally:
        for host in away:
            host.rejoin()
    assert run.rc != 0
    missed = {host.name for host in away}
    assert {name for name, status in run.status().items() if status != "ok"} == missed
    assert len(run.status()) == MANY
    assert _not_removed(crowd, run, missed) == []
    assert run.report["totals"]["removed"] == (MANY - len(away)) * len(USERS)
    for name, sessions in crowd.sessions().items():
        assert sessions == dict.fromkeys(USERS, sorted(NAMES + STAY) if name in missed else STAY)
    limit = ",".join([*sorted(missed), "trixie-*"])
    again = went_well(controller.run("--forks", "20", "--limit", limit, **serial, patience=LONG))
    assert {it.partition("/")[0] for it in again.removed()} == missed
    assert len(again.status()) > MANY // 4
    assert crowd.sessions() == {host.name: dict.fromkeys(USERS, STAY) for host in crowd.hosts}


def _not_removed(crowd: Fleet, run: Run, missed: Set[str]) -> List[Any]:
    """Whose idle session was not removed, with all that is known of it: it is one of hundreds."""
    found: List[Any] = []
    for name in sorted(set(run.status()) - missed):
        for user in USERS:
            own = run.fates(name, user)
            if not own.get("idle", "").startswith("removed: "):
                told = [it for it in run.host(name)["sessions"] if (it["owner"], it["name"]) == (user, "idle")]
                found.append((name, user, told, run.host(name)["servers"], crowd.host(name).all_sessions()))
    return found


def test_a_host_costs_the_controller_no_more_when_there_are_more_of_them(crowd: Fleet, tmp_path: Path) -> None:
    """CPU time and memory. Each has a part that does not grow.

    What else this machine does makes CPU time dearer, by a third where it was seen: few are measured before and after.
    """
    controller = Controller(crowd, tmp_path)
    counts = (MANY // 8, MANY // 2, MANY // 8)
    few, many, after = (scale.measure(controller, count, forks=10) for count in counts)
    assert many.cpu / many.hosts < 1.35 * max(few.cpu, after.cpu) / few.hosts, (few, many, after)
    assert many.main / many.hosts < 1.2 * few.main / few.hosts, (few, many)
