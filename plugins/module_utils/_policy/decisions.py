# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One session on its way through a run: what was found of it, what should happen to it, and what became of it."""

from types import MappingProxyType
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import NAME_CHARS, brief
from ansible_collections.fleet.tmux.plugins.module_utils._policy.cleanups import NOTHING_DONE, CleanedUp
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign
from ansible_collections.fleet.tmux.plugins.module_utils._signs.work import Spending
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    AttachedClient,
    Session,
    identity_on_host,
)

REMOVED = "removed"
MARKED = "marked"
KEPT = "kept"
NOT_DONE = "not_done"

OUTCOMES = (REMOVED, MARKED, KEPT, NOT_DONE)
"""What can become of a session that was looked at; each is also the name of a list in a result. ``not_done`` is what
should have been done, and was not."""

REMOVE = "remove"
MARK = "mark"
KEEP = "keep"


_PORTS = 20
"""How many ports of a process results list."""


class Origin(NamedTuple):
    """The server that a session is in. ``place``: which of the servers of this run it is, from 0.

    ``discreet``: whether what its owner has chosen stays on the host.
    """

    place: int
    owner: str
    uid: int
    socket: str
    pid: Optional[int]
    start_time: Optional[int]
    discreet: bool = False


class Work(NamedTuple):
    """What processes did while they were watched. ``calls``: reads, writes, and processes that came or went."""

    seconds: float
    cpu_ticks: int
    calls: int


Key = Tuple[int, str]
"""A session of a run: the place of its server, and its id."""
ELSEWHERE = -1
"""The place of panes of other owners, of which their processes are known."""


class Attachment(NamedTuple):
    """A client of a session, with what the host shows of it.

    ``lives``: whether its terminal does. ``typed``: when somebody last typed there, None if that is not known.
    ``within``: the sessions that hold the pane it sits in, if it does. ``why`` it does not count, empty if it does.
    """

    client: AttachedClient
    lives: bool = True
    typed: Optional[int] = None
    within: Tuple[Key, ...] = ()
    why: str = ""

    @property
    def counts(self) -> bool:
        return not self.why


class Subject(NamedTuple):
    """A session that was looked at, with what the host shows of it.

    ``used`` is what its processes have used, and ``watched`` what they did meanwhile: None if nobody looked. ``signs``:
    what the host shows of it, as far as that was read. ``noise``: its output means nothing, but for that until
    ``printed`` (epoch seconds), as far as is remembered.
    ``shown``: fingerprints of what panes show, of those whose output was in question. ``runs``: the names of its
    processes that are more than shells which were told nothing; None if nobody looked.
    """

    origin: Origin
    session: Session
    processes: Tuple[Process, ...] = ()
    used: Optional[Spending] = None
    watched: Optional[Work] = None
    signs: Tuple[Sign, ...] = ()
    noise: bool = False
    printed: int = 0
    shown: Mapping[str, str] = MappingProxyType({})
    clients: Tuple[Attachment, ...] = ()
    runs: Optional[Tuple[str, ...]] = None

    @property
    def key(self) -> Key:
        """What tells it from all others of this run."""
        return self.origin.place, self.session.id

    @property
    def identity(self) -> str:
        """Who it is on its host."""
        return identity_on_host(self.origin.pid, self.origin.start_time, self.session)


class Decision(NamedTuple):
    """What should happen to a session: ``remove``, ``mark`` (notice is given) or ``keep``.

    ``reason`` is a word of the table of reasons, ``detail`` a sentence. ``unmark``: notice given before is taken back.
    """

    subject: Subject
    action: str
    reason: str
    detail: str
    unmark: bool = False

    @property
    def remove(self) -> bool:
        return self.action == REMOVE

    def kept(self, reason: str, detail: str, unmark: bool = False) -> "Decision":
        """Keep it after all."""
        return Decision(self.subject, KEEP, reason, detail, unmark)


class Survivor(NamedTuple):
    """A process that outlives its session. ``result``: reported, terminated (SIGTERM), killed (SIGKILL) or alive."""

    process: Process
    ports: Tuple[int, ...]
    result: str

    def as_dict(self) -> Dict[str, Any]:
        """The process as results show it."""
        return {
            "pid": self.process.pid,
            "command": brief(self.process.command, NAME_CHARS),
            "rss": self.process.rss,
            "ports": list(self.ports[:_PORTS]),
            "result": self.result,
            "more": {"ports": len(self.ports[_PORTS:])},
        }


class Freed(NamedTuple):
    """Processes that have ended, and the resident memory they had."""

    processes: int = 0
    bytes: int = 0


class Outcome(NamedTuple):
    """What became of a session: ``removed``, ``marked``, ``kept`` or ``not_done``. It begins as the latter.

    ``cleaned_up``: what became of the files that go with it.
    """

    decision: Decision
    what: str
    reason: str
    detail: str
    snapshot: Optional[str] = None
    survivors: Tuple[Survivor, ...] = ()
    freed: Freed = Freed()
    unmarked: bool = False
    cleaned_up: CleanedUp = NOTHING_DONE

    @property
    def subject(self) -> Subject:
        return self.decision.subject

    @property
    def pending(self) -> bool:
        """Whether nothing has been done about it yet."""
        return self.what == NOT_DONE and self.reason == "not_attempted"

    def not_done(self, reason: str, detail: str) -> "Outcome":
        """It should have been done, and was not."""
        return self._replace(what=NOT_DONE, reason=reason, detail=detail)


def begin(decision: Decision) -> Outcome:
    """The outcome before anything was done: only what stays is final."""
    if decision.action == KEEP:
        return Outcome(decision, KEPT, decision.reason, decision.detail)
    return Outcome(decision, NOT_DONE, "not_attempted", f"not attempted; {decision.detail}")


def ordered(decision: Decision, snapshot: Optional[str] = None) -> Outcome:
    """The outcome while a server has been told to do it and has not answered: if it never does, nobody knows."""
    what = {REMOVE: "its removal", MARK: "notice"}[decision.action]
    detail = f"{what} was ordered, and what came of that is not known; {decision.detail}"
    return Outcome(decision, NOT_DONE, "error", detail, snapshot)


def done(decision: Decision, detail: str = "", snapshot: Optional[str] = None) -> Outcome:
    """The outcome of what was removed or marked."""
    what = {REMOVE: REMOVED, MARK: MARKED}[decision.action]
    return Outcome(decision, what, decision.reason, detail or decision.detail, snapshot)


def kept(decision: Decision, reason: str, detail: str) -> Outcome:
    """The outcome of what stays after all."""
    return Outcome(decision, KEPT, reason, detail)
