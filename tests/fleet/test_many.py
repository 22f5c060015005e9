# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""More than a hundred hosts, all of them real."""

from pathlib import Path
from typing import Any, Dict, Iterator

import pytest
import scale
from fleet import Fleet
from host import USERS
from runs import STAY, Controller, went_well

MANY = 104
NAMES = ["idle"]


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
    serial: Dict[str, Any] = {"serial": [1, 10, "100%"], "fleet_max_removals": MANY * len(USERS)}
    run = controller.run("--forks", "20", **serial)
    for host in away:
        host.rejoin()
    assert run.rc != 0
    missed = {host.name for host in away}
    assert {name for name, status in run.status().items() if status != "ok"} == missed
    assert len(run.status()) == MANY
    assert run.report["totals"]["removed"] == (MANY - len(away)) * len(USERS)
    for name, sessions in crowd.sessions().items():
        assert sessions == dict.fromkeys(USERS, sorted(NAMES + STAY) if name in missed else STAY)
    again = went_well(controller.run("--forks", "20", **serial))
    assert {it.partition("/")[0] for it in again.removed()} == missed
    assert crowd.sessions() == {host.name: dict.fromkeys(USERS, STAY) for host in crowd.hosts}


def test_a_host_costs_the_controller_no_more_when_there_are_more_of_them(crowd: Fleet, tmp_path: Path) -> None:
    """CPU time and memory: it does not matter what else this machine does. Each has a part that does not grow."""
    controller = Controller(crowd, tmp_path)
    few, many = (scale.measure(controller, count, forks=10) for count in (MANY // 4, MANY))
    assert many.cpu / many.hosts < 1.2 * few.cpu / few.hosts, (few, many)
    assert many.main / many.hosts < 1.2 * few.main / few.hosts, (few, many)
