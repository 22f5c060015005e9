# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for what becomes of sessions: their commands end, they are gone, or one of their panes shows something.

Between two looks the kernel is waited for, which tells when the program of a pane has ended. tmux is asked when one
has, and besides in intervals that become longer: a session can go while its program lives on. Where a pane is to show
something, it is asked more often, but not as long as the kernel says that the server has read nothing: then no pane has
printed anything.
"""

import re
import time
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Pattern, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host import endings
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.crew import Job, Line, Message, work
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import pipes
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.details import pane_texts
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import NoServer, TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.exits import NOT_KEPT, Exit, exits, outlived
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import NOTHING, Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    Listing,
    Pane,
    Session,
    identity_on_host,
    read,
)

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 60.0
"""The longest interval in which tmux is asked without a reason; it begins with the first one, and doubles."""
LONGEST_FOR_TEXT = 5.0
"""The same for a pattern, while the server reads something."""
QUIET_SECONDS = 1.0
"""How often is looked whether it does."""
SEARCHED_LINES = 2000
"""Lines of each pane in which a pattern is looked for: as many as tmux keeps by default."""
SEARCH_SECONDS = 30.0
"""How long a pattern is looked for in what the panes of a session show: some have no end within anybody's life."""
_TRIES = 5
"""How often a server is given time to notice how a command has ended."""

GONE_SERVER = "its server has ended"
NO_STATUS = "tmux does not tell how its command ended; before 3.3 it does not when that was by a signal"
NO_TIME = "tmux before 3.3 does not tell when its command ended"


class PatternError(ValueError):
    """A pattern that cannot be looked for."""


class Wish(NamedTuple):
    """What is waited for. ``until`` is ``ended`` or ``gone``; with a ``pattern``, that one of the panes shows it.

    ``pane``: the only one, by its id, that counts, wherever somebody moves it. ``before``: what it has shown, which
    does not count. ``begun``: when what is waited for was begun, if not with its session.
    """

    names: Sequence[str]
    until: str = "ended"
    pattern: Optional[str] = None
    all: bool = True
    lines: int = 100
    pane: Optional[str] = None
    before: Optional[str] = None
    begun: Optional[int] = None


class Fate(NamedTuple):
    """What has become of one session. ``found``: as it was listed last, or the one to which its pane was moved; None
    for one that was not there at all.

    ``ended``: all its commands have; None where that is not known. ``pane``: of which the rest is told: the one that
    showed the pattern, or the first that is known not to have ended with 0, or of which nothing is known, or the first.
    ``over``: that it is as it was waited for, or cannot be any more.
    """

    name: str
    identity: Optional[str] = None
    found: Optional[Session] = None
    ended: Optional[bool] = False
    gone: bool = False
    matched: Optional[bool] = None
    pane: Optional[str] = None
    exit_status: Optional[int] = None
    signal: str = ""
    seconds: Optional[int] = None
    content: Optional[str] = None
    reason: str = ""
    over: bool = False
    log: Optional[str] = None

    @property
    def is_unclear(self) -> bool:
        """Whether it is not known how its command has ended."""
        return self.exit_status is None and not self.signal


class Waiting:
    """Waits for sessions of one server, from how it was seen on."""

    def __init__(self, seen: Seen, wish: Wish) -> None:
        self._seen = seen
        self._client = seen.client
        self._wish = wish
        self._pattern = None if wish.pattern is None else re.compile(wish.pattern, re.MULTILINE)
        self._told: Dict[str, bool] = {}
        """Whether the panes of a session stay, by its identity."""
        self._asked: Set[str] = set()
        """The ids of sessions of which we know that."""
        self._programs: Dict[int, Process] = {}
        self._ended: Set[int] = set()
        self._tries: Dict[str, int] = {}
        self._read: Optional[int] = None
        """Bytes that the server had read before panes were last searched; None if they were not, or nobody knows."""
        self.trouble = ""
        """Why the last look has told nothing."""
        here = {session.name: session for session in seen.listing.sessions}
        self.fates: List[Fate] = [self._first(name, here.get(name)) for name in dict.fromkeys(wish.names)]
        self._look(seen.listing)

    def _first(self, name: str, session: Optional[Session]) -> Fate:
        if session is None:
            absent = self._wish.until == "gone" and self._pattern is None
            lost = any(unread.name == name for unread in self._seen.listing.unread)
            why = "what tmux lists of it cannot be read" if lost else "there is no session of that name"
            return Fate(name, ended=None, gone=not lost, reason=why, over=absent and not lost)
        return Fate(name, self._seen.identity(session), session)

    @property
    def missing(self) -> List[str]:
        """The names of sessions that cannot be waited for, because they are not there."""
        return [fate.name for fate in self.fates if fate.identity is None and not fate.over]

    @property
    def failed(self) -> List[Fate]:
        """Those of which a pattern is not to be expected any more."""
        return [fate for fate in self.fates if fate.over and not self._succeeded(fate)]

    @property
    def over(self) -> bool:
        """Whether there is nothing more to wait for."""
        if all(fate.over or fate.identity is None for fate in self.fates):
            return True  # Who was not there at the beginning is not waited for.
        return bool(self.failed) if self._wish.all else any(map(self._succeeded, self.fates))

    @property
    def succeeded(self) -> bool:
        good = [self._succeeded(fate) for fate in self.fates]
        return all(good) if self._wish.all else any(good)

    def _succeeded(self, fate: Fate) -> bool:
        return fate.over and (self._pattern is None or fate.matched is True)

    def wait(self, seconds: float) -> None:
        """Wait until it is over, at most so long."""
        deadline = time.monotonic() + seconds
        interval = FIRST_SECONDS
        while not self.over and time.monotonic() < deadline:
            ended = self._until_news(interval, deadline)
            self._ended.update(process.pid for process in ended)
            longest = LONGEST_SECONDS if self._pattern is None else LONGEST_FOR_TEXT
            interval = FIRST_SECONDS if ended else min(interval * 2, longest)
            self._look()

    def _until_news(self, interval: float, deadline: float) -> List[Process]:
        """Wait so long, and on while nothing is printed: those who have ended meanwhile."""
        latest = min(deadline, time.monotonic() + LONGEST_SECONDS)
        while True:
            ended = endings.until_one_ends(self._watched(), min(interval, latest - time.monotonic()))
            if ended or time.monotonic() >= latest or not self._is_quiet():
                return ended
            interval = QUIET_SECONDS

    def _is_quiet(self) -> bool:
        """Whether no pane can have printed anything since all were searched, for the server has read nothing."""
        searched = self._read is not None and not self.trouble and not self._tries
        return searched and self._read == self._read_by_server()

    def _read_by_server(self) -> Optional[int]:
        # To be asked for what panes show is nothing that counts: it comes through a socket (measured on 2.7 to 3.7).
        own = self._seen.server.pid
        found = None if own is None else proctable.io(own)
        return None if found is None else found.read

    def _server_lives(self) -> bool:
        own = self._seen.server.process
        return own is not None and proctable.lives(own)

    def _watched(self) -> List[Process]:
        """The processes whose end tells something: of panes that are waited for, and the server."""
        own = self._seen.server.process
        found = [self._programs.get(pid) for fate in self._waiting() for pid in _pids(fate)]
        return [process for process in [own, *found] if process is not None and process.pid not in self._ended]

    def _look(self, first: Optional[Listing] = None) -> None:
        """Take in what the server lists. ``first``: what it has listed before we were there."""
        self._read = None
        try:
            if first is None:
                self._wake()
            self._take(first or read(self._client), first is None)
        except NoServer as error:
            if self._server_lives():
                self.trouble = f"its process lives, but {error.message}"  # Just ending, or out of reach.
            else:
                self._take(NOTHING, True)
        except TmuxError as error:
            self.trouble = error.message

    def _wake(self) -> None:
        """Have the server notice who has ended: tmux 3.3a sometimes does not until another process does.

        Nobody waits for that one, for its end may not be noticed either: what follows from it is seen the next time.
        """
        if self._tries or any(pid in self._ended for fate in self._waiting() for pid in _pids(fate)):
            try:
                self._client.call([["run-shell", "-b", ":"]])
            except TmuxError:
                pass  # The listing says more about that.

    def _waiting(self) -> List[Fate]:
        return [fate for fate in self.fates if not fate.over]

    def _take(self, listing: Listing, watched: bool) -> None:
        """What a listing says. ``watched``: whether we were there before, and so know when something has ended."""
        self.trouble = ""
        here = {identity_on_host(listing.pid, listing.start_time, session): session for session in listing.sessions}
        lost = {unread.id for unread in listing.unread}
        facts = self._facts(here)
        for number, fate in enumerate(self.fates):
            if fate.over or fate.identity is None or fate.found is None or fate.found.id in lost:
                continue
            session = self._place(fate, here)
            if session is not None:
                self.fates[number] = self._judged(fate._replace(found=session), facts, watched)
            elif not (self._wish.pane and lost):  # It may have been moved to one of these.
                self.fates[number] = self._gone(fate, here)

    def _place(self, fate: Fate, here: Dict[str, Session]) -> Optional[Session]:
        """Where what is waited for is by now: a pane that counts alone is looked for in all sessions of its server."""
        own = here.get(fate.identity or "")
        if own is not None and self._panes(own):
            return own
        started = self._key(fate).split("/")[:2]
        others = [session for identity, session in here.items() if identity.split("/")[:2] == started]
        return next((session for session in others if self._wish.pane and self._panes(session)), None)

    def _key(self, fate: Fate) -> str:
        """What tells the session in which it was seen last from every other one."""
        return "" if fate.found is None else self._seen.identity(fate.found)

    def _facts(self, here: Dict[str, Session]) -> Dict[str, Exit]:
        """What tmux tells of the panes beside their listing: asked at first, and when one of them is dead."""
        places = [self._place(fate, here) for fate in self._waiting()]
        sessions = [session for session in places if session is not None]
        self._meet([pane for session in sessions for pane in session.panes])
        if not any(map(self._is_news, sessions)):
            return {}
        facts = exits(self._client)
        for identity, session in here.items():
            self._told[identity] = _all_stay(session, facts)
            self._asked.add(session.id)
        return facts

    def _is_news(self, session: Session) -> bool:
        return session.id not in self._asked or any(pane.dead for pane in session.panes)

    def _meet(self, panes: Iterable[Pane]) -> None:
        """Get to know who is to be waited for: also who runs on without its terminal."""
        own = self._seen.server
        uids = (own.user.uid,)
        for pane in panes:
            if pane.first_pid is None or pane.first_pid in self._programs:
                continue
            seen = outlived(pane, own.pid, uids) if pane.dead else proctable.read_process(pane.first_pid, uids)
            if seen is not None:
                self._programs[seen.pid] = seen

    def _runs_on(self, pane: Pane) -> bool:
        """Whether a pane is dead and its program is not: it has closed its terminal, or has not quite ended."""
        process = None if pane.first_pid is None else self._programs.get(pane.first_pid)
        return pane.is_unclear and process is not None and proctable.lives(process)

    def _gone(self, fate: Fate, here: Mapping[str, Session]) -> Fate:
        self._tries.pop(fate.identity or "", None)
        other = self._lives_on(fate, here)
        if other is not None:
            where = "what ran there lives on in session %r" % shown(other.name)
            return fate._replace(gone=True, ended=False, over=True, matched=None, reason=where)
        stayed = self._told.get(self._key(fate), False)
        reasons = [] if stayed else [NOT_KEPT]
        reasons += [] if self._server_lives() else [GONE_SERVER]
        matched = False if fate.matched is False and stayed else None  # It may have shown it at the very last.
        if fate.ended:
            return fate._replace(gone=True, over=True, matched=matched)
        return fate._replace(
            gone=True,
            ended=True,
            over=True,
            matched=matched,
            seconds=self._since(fate, int(time.time())),
            reason="; ".join(reasons) or "it was removed",
        )

    def _lives_on(self, fate: Fate, here: Mapping[str, Session]) -> Optional[Session]:
        """The session that has by now what was in one that is gone, if something lives there."""
        started = self._key(fate).split("/")[:2]
        ids = {pane.id for pane in self._panes(fate.found)}
        others = [session for identity, session in here.items() if identity.split("/")[:2] == started]
        return next((it for it in others if any(pane.id in ids and not pane.dead for pane in it.panes)), None)

    def _since(self, fate: Fate, at: int) -> int:
        begun = (fate.found or NOBODY).created if self._wish.begun is None else self._wish.begun
        return max(0, at - begun)

    def _panes(self, session: Optional[Session]) -> List[Pane]:
        """Those of a session that count."""
        return [pane for pane in (session or NOBODY).panes if self._wish.pane in (None, pane.id)]

    def _judged(self, fate: Fate, facts: Dict[str, Exit], watched: bool) -> Fate:
        panes = self._panes(fate.found)
        fate = self._searched(fate)
        if fate.matched or not all(pane.dead for pane in panes) or any(map(self._runs_on, panes)):
            return fate
        if not fate.ended or fate.is_unclear or fate.identity in self._tries:
            fate = self._with_end(fate, facts, watched)
        if any(pane.is_unclear for pane in panes) and self._may_try_again(fate.identity or ""):
            return fate
        return fate._replace(over=self._wish.until == "ended")

    def _may_try_again(self, identity: str) -> bool:
        """Whether tmux is given more time to notice how a command has ended."""
        self._tries[identity] = self._tries.get(identity, 0) + 1
        if self._tries[identity] <= _TRIES:
            return True
        del self._tries[identity]
        return False

    def _with_end(self, fate: Fate, facts: Dict[str, Exit], watched: bool) -> Fate:
        panes = self._panes(fate.found)
        failed = [pane for pane in panes if pane.status != 0]
        pane = min(failed, key=lambda each: each.is_unclear, default=panes[0])  # The first, but rather a known one.
        at = _latest(facts.get(one.id) for one in panes)
        if at is None and watched:
            at = int(time.time())
        seconds = fate.seconds if fate.seconds is not None or at is None else self._since(fate, at)
        reasons = [NO_STATUS] * pane.is_unclear + [NO_TIME] * (seconds is None)
        return fate._replace(
            ended=True,
            pane=pane.id,
            exit_status=pane.status,
            signal=pane.signal,
            seconds=seconds,
            content=self._text(pane),
            reason="; ".join(reasons),
        )

    def _searched(self, fate: Fate) -> Fate:
        """Whether one of the panes of a session shows the pattern, if there is one."""
        if self._pattern is None:
            return fate
        panes = self._panes(fate.found)
        lines = max(self._wish.lines, SEARCHED_LINES)
        dead = [pane.id for pane in panes if pane.dead]
        if self._read is None:
            self._read = self._read_by_server()  # What is printed from here on may be in the text or not.
        found = pane_texts(self._client, [pane.id for pane in panes], lines, dead)
        texts = [found.get(pane.id, "") for pane in panes]
        olds = [-1 if self._wish.before is None else already_shown(text, self._wish.before) for text in texts]
        number = _first_match(self._pattern, list(zip(texts, olds)))
        if number is not None:
            content = "\n".join(texts[number].split("\n")[-self._wish.lines :])
            return fate._replace(matched=True, over=True, pane=panes[number].id, content=content)
        return fate._replace(matched=False)

    def _text(self, pane: Pane) -> Optional[str]:
        """What a pane shows, if it may be told."""
        if self._client.discreet:
            return None
        try:
            return pane_texts(self._client, [pane.id], self._wish.lines, [pane.id] if pane.dead else []).get(pane.id)
        except TmuxError:
            return None

    def finish(self) -> None:
        """Of those that still run: what they show; and of all that are there: where their output is written."""
        for number, fate in enumerate(self.fates):
            if fate.found is not None and not fate.gone and fate.pane is None and not self.trouble:
                pane = self._panes(fate.found)[0]
                self.fates[number] = fate._replace(pane=pane.id, content=self._text(pane))
        self._find_logs()

    def _find_logs(self) -> None:
        there = [fate.found for fate in self.fates if fate.found is not None and not fate.gone]
        if self._client.discreet or self.trouble or not there:
            return
        server, wanted = self._seen.server, [fate.pane for fate in self.fates]
        panes = [pane for session in there for pane in session.panes if pane.id in wanted]
        try:
            found = pipes.logs(self._client, server.pid, server.user.uid, panes)
        except TmuxError:
            return
        for number, fate in enumerate(self.fates):
            own = found.get(fate.pane or "")
            self.fates[number] = fate._replace(log=own and own.log)


def _first_match(pattern: Pattern[str], texts: Sequence[Tuple[str, int]]) -> Optional[int]:
    """The number of the first text that shows a pattern after so many of its characters, or None.

    It is looked for in a child, for nothing else can end that.

    :raises PatternError: when it takes too long.
    """

    def search(line: Line) -> None:
        matches = (
            any(match.end() > old for form in forms(text, old) for match in pattern.finditer(form))
            for text, old in texts
        )
        line.say({"number": next((number for number, matched in enumerate(matches) if matched), None)})

    heard: Message = {}
    ends = work([Job("pattern", search, SEARCH_SECONDS)], lambda _key, message: heard.update(message))
    if "number" not in heard:
        why = (
            f"was looked for {SEARCH_SECONDS:.0f} s without an end" if ends["pattern"].hung else ends["pattern"].reason
        )
        raise PatternError(
            f"{shown(pattern.pattern)!r} {why}; write it without a repetition of what is repeated, as in (a+)+"
        )
    number: Optional[int] = heard["number"]
    return number


def forms(text: str, old: int) -> Sequence[str]:
    """A text, and the same with a blank at its end, as after a prompt: what a tmux tells of a screen has none there.

    :param old: how many of its characters were shown before. A blank after nothing new is not new either.
    """
    return (text, text + " ") if len(text) > max(old, 0) else (text,)


def already_shown(text: str, before: str) -> int:
    """How many characters at the beginning of what a pane shows are what it has shown before.

    There may be more on its last line now, and of a long text the first lines may have gone. Where it is not
    continued, like by what has drawn the screen anew, all of it counts as new.
    """
    lines, now = before.split("\n"), text.split("\n")
    for first in range(len(lines) if len(now) >= len(lines) else 0):
        full, last = lines[first:-1], lines[-1]
        if now[: len(full)] == full and now[len(full)].startswith(last):
            return len("\n".join([*full, last]))
    return 0


NOBODY = Session("", "", {"session_created": 0}, 0, "", "", "", "", ())
"""A session without panes."""


def _pids(fate: Fate) -> List[int]:
    """Whose end is waited for: also of programs that have closed their terminal."""
    panes = (fate.found or NOBODY).panes
    return [pane.first_pid for pane in panes if pane.first_pid is not None and (not pane.dead or pane.is_unclear)]


def _all_stay(session: Session, facts: Dict[str, Exit]) -> bool:
    return all(pane.id in facts and facts[pane.id].stays for pane in session.panes)


def _latest(facts: Iterable[Optional[Exit]]) -> Optional[int]:
    """When the last of some panes has ended; None if that is not known of all."""
    times = [None if fact is None else fact.since for fact in facts]
    known = [moment for moment in times if moment is not None]
    return max(known) if known and len(known) == len(times) else None
