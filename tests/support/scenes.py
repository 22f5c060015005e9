# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes of which a test says what there is to be seen."""

import os
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._host.waits import CHILD, POLL, READ, Wait
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import Cast, cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import OpenFile, Refused, Scene
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session
from ansible_collections.fleet.tmux.tests.support import sessions as make

USER = User("anna", 1001, 1001)
PTS = 136 << 8 | 3
TTY = "/dev/pts/3"
SERVER = 50
PANE = 100
READS_TTY, POLLS, FOR_CHILD = Wait(READ, 0), Wait(POLL, files=2), Wait(CHILD)


class Known(NamedTuple):
    """What is to be seen of one process. Where ``refused``, it does not let anybody look.

    ``fifos``: which of its descriptors lead to named pipes.
    """

    process: Process
    words: Tuple[str, ...]
    links: Dict[int, str]
    wait: Wait
    raw: bool
    refused: bool
    files: Tuple[OpenFile, ...]
    waits: Tuple[Wait, ...]
    fifos: Tuple[int, ...] = ()
    stored: Optional[int] = 0
    watched: Tuple[int, ...] = ()
    serves: bool = False


def one(pid: int, ppid: int, line: str, foreground: bool = True, **more: Any) -> Known:
    """A process that sleeps at a terminal, with its command line; its group is its own unless it is said."""
    words = tuple(line.split(" "))
    links = {0: TTY, 1: TTY, 2: TTY}
    links.update(more.pop("links", {}))
    known = ("words", "wait", "raw", "refused", "files", "waits", "fifos", "stored", "watched", "serves")
    seen = {name: more.pop(name) for name in known if name in more}
    more.setdefault("command", words[0].rpartition("/")[2])
    more.setdefault("group", pid)
    process = Process(
        pid=pid,
        ppid=ppid,
        sid=more.pop("sid", PANE),
        state=more.pop("state", "S"),
        started=more.pop("started", 1000 + pid),
        cpu_ticks=0,
        rss=0,
        command=more.pop("command"),
        uid=more.pop("uid", USER.uid),
        terminal=more.pop("terminal", PTS),
        foreground=more["group"] if foreground else 1,
        **more,
    )
    wait = seen.get("wait", Wait())
    return Known(
        process,
        seen.get("words", words),
        links,
        wait,
        seen.get("raw", False),
        seen.get("refused", False),
        tuple(seen.get("files", ())),
        tuple(seen.get("waits", (wait,))),
        tuple(seen.get("fifos", ())),
        seen.get("stored", 0),
        tuple(seen.get("watched", ())),
        seen.get("serves", False),
    )


def shell(pid: int = PANE, ppid: int = SERVER, line: str = "-bash", **more: Any) -> Known:
    """An interactive shell at its prompt, or with another one in the foreground."""
    at_prompt = more.setdefault("foreground", True)
    return one(pid, ppid, line, wait=more.pop("wait", POLLS if at_prompt else FOR_CHILD), raw=at_prompt, **more)


class Told(Scene):
    """A scene of which everything is told beforehand."""

    def __init__(self, *known: Known, **more: Any) -> None:
        super().__init__(Processes({each.process.pid: each.process for each in known}), USER)
        self.known = {each.process.pid: each for each in known}
        self.taken = more.pop("taken", self.taken)
        self._since_boot = more.pop("since_boot", self._since_boot)
        self.asked: List[int] = []

    def inside(self, process: Process) -> Optional[Process]:
        refused = process.is_others and not (process.uid == 0 and os.geteuid() == 0)
        return None if refused else process

    def words(self, process: Process) -> Tuple[str, ...]:
        return self._of(process).words

    def link(self, process: Process, number: int) -> Optional[str]:
        return self._of(process).links.get(number)

    def files(self, process: Process) -> List[OpenFile]:
        own = self._of(process)
        return [OpenFile(number, link, os.O_RDWR) for number, link in own.links.items()] + list(own.files)

    def wait(self, process: Process) -> Wait:
        return Wait() if self.known[process.pid].refused else self._of(process).wait

    def waits(self, process: Process) -> List[Wait]:
        return [] if self.known[process.pid].refused else list(self._of(process).waits)

    def waits_at_named_pipe(self, process: Process, wait: Wait) -> bool:
        fifos = self._of(process).fifos
        return wait.descriptor in fifos or (wait.descriptor is None and bool(fifos))

    def has_timer(self, process: Process) -> bool:
        return False

    def stored(self, process: Process) -> Optional[int]:
        return self._of(process).stored

    def watched(self, process: Process, file: OpenFile) -> FrozenSet[int]:
        return frozenset(self._of(process).watched)

    def serves(self, process: Process) -> bool:
        return self._of(process).serves

    def is_raw(self, process: Process) -> Optional[bool]:
        return None if self.inside(process) is None else self.known[process.pid].raw

    def _of(self, process: Process) -> Known:
        self.asked.append(process.pid)
        own = self.known[process.pid]
        if self.inside(process) is None or own.refused:
            raise Refused("%s, which a test refuses" % process.command)
        return own


def session(*panes: int) -> Session:
    """A session with these panes, or with that of the first process."""
    return make.session("work", make.window(*[make.pane(pid=pid, id="%%%d" % pid) for pid in panes or (PANE,)]))


SHOWING = frozenset("less man tail top watch ping vmstat htop journalctl".split())


def cast_of(*known: Known) -> Cast:
    """The roles of processes, in a session with one pane."""
    scene = Told(*known)
    return cast(session(), tuple(each.process for each in known), scene, SHOWING.__contains__)


def roles_of(*known: Known) -> Dict[int, str]:
    return {actor.process.pid: actor.role for actor in cast_of(*known).actors}
