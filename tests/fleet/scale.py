# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run costs the controller, by the number of hosts: the figures of docs/scale.md.

    python3 tests/fleet scale [--hosts 40] [--inventory 125,250,500,1000] [--forks 20]

Brings hosts up, gives each several names in the inventory, and runs the playbook `cleanup` over as many names as asked
for. To Ansible, each name is a host of its own. CPU time is that of Ansible and of the ssh clients it starts, not of
the hosts. Memory is that of all these processes together at the worst moment (proportional set size), and that of the
process which holds the results.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.tests.fleet.fleet import Fleet
from ansible_collections.fleet.tmux.tests.fleet.host import USERS
from ansible_collections.fleet.tmux.tests.fleet.runs import Controller, Started

SESSIONS = 3 * 5
"""Sessions on each host: three users with two idle ones, one attached, one kept and one that prints."""


class Cost(NamedTuple):
    """What one run took. Seconds and bytes."""

    hosts: int
    wall: float
    cpu: float
    main: int
    all: int

    def row(self) -> str:
        each = 1000 * self.cpu / self.hosts, self.all / self.hosts / 2**20
        whole = (self.hosts, self.wall, self.cpu, self.main / 2**20, self.all / 2**20)
        return "| %d | %.0f s | %.0f s | %.0f MiB | %.0f MiB | %.0f ms | %.2f MiB |" % (*whole, *each)


HEAD = """\
| hosts | it took | CPU time | main process | all processes | CPU time for a host | memory for a host |
|---|---|---|---|---|---|---|"""


def inventory(fleet: Fleet, names: int) -> Dict[str, Any]:
    """The fleet's inventory with more names than it has hosts."""
    found: Dict[str, Any] = json.loads(fleet.inventory.read_text(encoding="utf-8"))
    addresses = [host.address for host in fleet.hosts]
    hosts = {"host-%04d" % number: {"ansible_host": addresses[number % len(addresses)]} for number in range(names)}
    return {"all": {"vars": found["all"]["vars"], "hosts": hosts}}


def measure(controller: Controller, names: int, forks: int, **variables: Any) -> Cost:
    """Run the playbook over so many names, and look at what it takes."""
    path = controller.folder / ("inventory-%d.json" % names)
    path.write_text(json.dumps(inventory(controller.fleet, names)), encoding="utf-8")
    before = os.times()
    started = time.monotonic()
    # pipelining is what docs/fleet.md recommends.
    settings = {"ANSIBLE_PIPELINING": "true"}
    run = controller.start("-i", str(path), "--forks", str(forks), settings=settings, **variables)
    watch = Watch(run)
    ended = run.end(patience=3600 + 10 * names)
    wall, after = time.monotonic() - started, os.times()
    main, whole = watch.end()
    assert ended.rc == 0, ended.output
    assert len(ended.report["hosts"]) == names
    assert ended.report["totals"]["looked_at"] > 0
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Cost(names, wall, cpu, main, whole)


class Watch:
    """Looks at the memory of a run every now and then."""

    def __init__(self, run: Started) -> None:
        self._run = run
        self._main, self._all = 0, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.5):
            sizes = [_memory(pid) for pid in _below(self._run.process.pid)]
            self._main = max(self._main, _memory(self._run.process.pid))
            self._all = max(self._all, sum(sizes))

    def end(self) -> Tuple[int, int]:
        """The bytes of the main process and of all of them, each at its worst moment."""
        self._over.set()
        self._thread.join()
        return self._main, self._all


def _below(root: int) -> List[int]:
    """A process and all that it has started."""
    children: Dict[int, List[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            parent = _parent(int(entry))
            if parent is not None:
                children.setdefault(parent, []).append(int(entry))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _parent(pid: int) -> Optional[int]:
    try:
        text = Path("/proc/%d/stat" % pid).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[1])


def _memory(pid: int) -> int:
    """Bytes of a process, with its share of what it has in common with others; none when it has ended."""
    try:
        text = Path("/proc/%d/smaps_rollup" % pid).read_text(encoding="ascii")
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description="What a run costs the controller.")
    parser.add_argument("--hosts", type=int, default=40, help="real hosts (default: %(default)s)")
    parser.add_argument("--inventory", default="125,250,500,1000", help="names (default: %(default)s)")
    parser.add_argument("--forks", type=int, default=20, help="forks of Ansible (default: %(default)s)")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder, Fleet(arguments.hosts) as fleet:
        fleet.populate(USERS, ["idle", "other"])
        fleet.settle()
        controller = Controller(fleet, Path(folder))
        print(HEAD, flush=True)
        for names in map(int, arguments.inventory.split(",")):
            print(measure(controller, names, arguments.forks, idle="1d").row(), flush=True)
