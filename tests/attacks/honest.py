# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An honest user among hostile ones: the sessions that he has, and what must become of each whatever the others do."""

import contextlib
import os
import resource
import time
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from ansible_collections.fleet.tmux.tests.attacks.box import _hierarchies
from ansible_collections.fleet.tmux.tests.attacks.realm import Result, Tmux, become, environment, judged, spawn, started
from ansible_collections.fleet.tmux.tests.support.namespaces import BOB, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

KEPT = {"attached": ("attached",), "busy": ("active", "busy"), "keep": ("keep",)}
"""Why his other sessions are kept, by name. The one that is at work starts a short nap again and again: it is active
when one of them is seen while it lasts, and busy when it is seen at work between two."""
MOMENT = 5.0
"""Seconds after which what has not ended is in the kernel's hands."""
PROTECT = ["attached", "busy", "keep"]


class Honest:
    """The sessions of one user: idle ones, and one for each thing that protects a session."""

    def __init__(self, account: Account = BOB, idle: int = 3) -> None:
        self.account = account
        self.idle = ["idle-%d" % number for number in range(idle)]
        self.tmux = Tmux(account).start(*self.idle, "attached", "keep")
        self.tmux("set-option", "-t", "=keep:", "@keep", "on")
        self.tmux(
            "new-session", "-d", "-s", "busy", "--", "sh", "-c", "while [ ! -e /nonexistent ]; do sleep 0.05; done"
        )
        self._terminal = os.openpty()
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), self._terminal[1])
        words = [self.tmux.binary, "-u", "-S", self.tmux.path, "attach-session", "-t", "=attached"]
        self._client = spawn(account, *words, env=dict(environment(account), TERM="xterm"), **streams)
        shown = ("display-message", "-p", "-t", "=attached:", "#{session_attached}")
        eventually(lambda: self.tmux(*shown) == "1", "the client attaches")

    def close(self) -> None:
        for handle in self._terminal:
            os.close(handle)
        self._client.kill()
        self._client.wait()

    def pids(self) -> List[int]:
        """The server's process, and those in its panes."""
        return [self.tmux.pid(), *map(int, self.tmux("list-panes", "-a", "-F", "#{pane_pid}").split())]

    def inode(self) -> str:
        """The number that the kernel gives the socket at which his server listens."""
        with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:
            rows = [line.split() for line in table if line.rstrip("\n").endswith(" " + self.tmux.path)]
        return rows[0][6]

    def told(self, result: Result) -> Dict[str, Tuple[str, str]]:
        """What a result says of each of his sessions: where it stands, and the reason; of several that are right, the
        first."""
        found = {}
        for where in ("removed", "marked", "kept", "not_done"):
            for item in result[where]:
                if item["owner"] == self.account.name:
                    assert item["name"] not in found, "%s is told of twice" % item["name"]
                    found[item["name"]] = (where, settled(item))
        return found

    def expected(self, idle: Tuple[str, str] = ("removed", "idle")) -> Dict[str, Tuple[str, str]]:
        """What it must say, when it says ``idle`` of those that are."""
        kept = {name: ("kept", reasons[0]) for name, reasons in KEPT.items()}
        return dict(dict.fromkeys(self.idle, idle), **kept)

    def seen(self, result: Result) -> Dict[str, int]:
        """His sessions as tmux_session_info has them, with the number of their clients."""
        return {item["name"]: item["attached"] for item in result["sessions"] if item["owner"] == self.account.name}


def settled(item: Dict[str, Any]) -> str:
    """The reason that is given for a session; of several that are right for it, the first."""
    known = KEPT.get(item["name"], ())
    return known[0] if item["reason"] in known else str(item["reason"])


# --- what a run costs -------------------------------------------------------------------------------------------------


class Cost(NamedTuple):
    """What one run of a module took: seconds, bytes of memory (at its highest, with its children), bytes of result."""

    seconds: float
    memory: int
    size: int


def measured(plugin: str, check: bool = False, account: Account = ROOT, **params: Any) -> Tuple[Result, Cost]:
    """Run a module; its result, and what it took."""
    group = _Group()
    try:
        begin = time.monotonic()
        done = started(plugin, group.around(become(account)), account, check, **params)
        seconds = time.monotonic() - begin
        memory = group.peak()
    finally:
        group.close()
    return judged(done), Cost(seconds, memory, len(done.stdout))


class _Group:
    """A control group that says how much memory was used in it at most, where there is one; else the kernel says how
    much the largest process used that has ended so far."""

    FILES = ("memory.peak", "memory.max_usage_in_bytes")

    def __init__(self) -> None:
        self._folder = ""
        for point, _words in _hierarchies():
            folder = os.path.join(point, "fleet-cost-%s" % os.urandom(4).hex())
            os.mkdir(folder)
            if any(os.path.exists(os.path.join(folder, name)) for name in self.FILES):
                self._folder = folder
                return
            os.rmdir(folder)

    def around(self, change: Callable[[], None]) -> Callable[[], None]:
        """For a child of root: be in the group, and then change."""

        def both() -> None:
            if self._folder:
                with open(os.path.join(self._folder, "cgroup.procs"), "w", encoding="ascii") as handle:
                    handle.write("0")
            change()

        return both

    def peak(self) -> int:
        for name in self.FILES if self._folder else ():
            path = os.path.join(self._folder, name)
            if os.path.exists(path):
                with open(path, encoding="ascii") as handle:
                    return int(handle.read())
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024

    def close(self) -> None:
        """Let go of the group. What the kernel does not let end yet is put back where this process is."""
        deadline = time.monotonic() + MOMENT
        while self._folder and not self._removed():
            if time.monotonic() > deadline:
                self._empty()
            time.sleep(0.05)

    def _empty(self) -> None:
        with open(os.path.join(self._folder, "cgroup.procs"), encoding="ascii") as handle:
            left = handle.read().split()
        above = os.path.join(os.path.dirname(self._folder), "cgroup.procs")
        for pid in left:
            with contextlib.suppress(ProcessLookupError), open(above, "w", encoding="ascii") as handle:
                handle.write(pid)

    def _removed(self) -> bool:
        try:
            os.rmdir(self._folder)
        except OSError:
            return False
        return True
