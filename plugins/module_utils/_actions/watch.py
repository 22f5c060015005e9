# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watches those sessions for a while that nothing else keeps: what they do meanwhile, and what their output means."""

from typing import Collection, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._actions.evidence import Candidate, Look
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as host
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Identity, Processes
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import Subject, Work
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy, judge
from ansible_collections.fleet.tmux.plugins.module_utils._signs.memory import (
    Memory,
    Remembered,
    active_before,
    waited_for_nobody,
    worked_since,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs.motion import (
    Moment,
    Screens,
    compared_as,
    loud,
    noise,
    same_but_output,
    screens,
    shown_since,
    silent_since,
    unmoved,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs.work import Spending, spending, worked_between
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import Members
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import WITHOUT_OUTPUT, Session, read_or_nothing

WATCH_SECONDS = 1.0
"""How long candidates are watched for CPU time and I/O."""
LONGEST_SECONDS = 5.0
"""How long at most, where nothing but output stands between a session and its removal that did not move so far."""
_STEP_SECONDS = 1.01
"""What is added at a time: tmux's clocks know seconds."""


class _Watched(NamedTuple):
    """A candidate, what its processes had used when the watch began, and its windows whose output alone keeps it."""

    candidate: Candidate
    used: Spending
    loud: FrozenSet[str]
    shown: FrozenSet[str] = frozenset()
    """Those of them of which more is known than that: they need not move while they are watched."""
    then: Optional[Remembered] = None


def watched(
    seen: Sequence[Seen], left: Dict[int, Candidate], policy: Policy, now: int, memory: Memory
) -> Dict[int, Subject]:
    """What those have used that nothing keeps so far, what they did for a while, and whether their output is noise.

    Who has worked since the last look is not watched.

    :param left: the sessions by any number, which the answers have too.
    :param memory: what was seen at the last look.
    """
    begun = {number: _begun(each, policy, now, memory) for number, each in left.items()}
    found = {number: each.candidate.subject._replace(used=each.used) for number, each in begun.items()}
    going = {
        number: each
        for number, each in begun.items()
        if judge(each.candidate.subject._replace(noise=True), policy, now).remove
    }
    found.update(_Watch(seen, policy, now).watch(going))
    return {number: _with_memory(subject, begun[number].then, now) for number, subject in found.items()}


def _with_memory(subject: Subject, then: Optional[Remembered], now: int) -> Subject:
    """With what was seen before the last look. It says nothing of how long a session must be watched."""
    if then is None:
        return subject
    sign = active_before(then, now)
    signs = subject.signs + ((sign,) if sign is not None else ())
    return subject._replace(signs=signs, printed=then.printed if subject.noise and then.printed <= now else 0)


def _begun(candidate: Candidate, policy: Policy, now: int, memory: Memory) -> _Watched:
    used = spending(candidate.cast, candidate.scene.processes)
    then = memory.get(candidate.subject.identity)
    sign = worked_since(then, candidate.subject.processes, used, now)
    subject = candidate.subject._replace(signs=candidate.subject.signs + ((sign,) if sign is not None else ()))
    windows: FrozenSet[str] = frozenset()
    shown: FrozenSet[str] = frozenset()
    if policy.idle is not None and not judge(subject._replace(noise=False), policy, now).remove:
        windows = loud(subject.session, now - policy.idle)
        shown = _shown_since(candidate, now - policy.idle)
    return _Watched(candidate._replace(subject=subject), used, windows, shown, then)


def _shown_since(candidate: Candidate, since: int) -> FrozenSet[str]:
    cast, scene = candidate.cast, candidate.scene
    began = {each.pid for each in cast.processes if not each.is_others and scene.started(each) <= since}
    return shown_since(candidate.subject.session, cast, scene.processes, began)


class _Watch:
    """One watch of sessions of all servers of an owner."""

    def __init__(self, seen: Sequence[Seen], policy: Policy, now: int) -> None:
        self._seen = seen
        self._policy = policy
        self._now = now

    def watch(self, begun: Dict[int, _Watched]) -> Dict[int, Subject]:
        found = {number: each.candidate.subject._replace(used=each.used) for number, each in begun.items()}
        loud_ones = {number: each for number, each in begun.items() if each.loud}
        seen_to = any(subject.processes for subject in found.values())
        if not (loud_ones or (self._policy.watches and seen_to)):
            return found
        # First the screens: what is printed before the clocks are read is on no screen then, so it is not for nothing.
        shown = self._shown(loud_ones.values())
        listed = self._listed(loud_ones.values())
        loud_ones = {number: _compared(each, shown) for number, each in loud_ones.items()}
        begun = {**begun, **loud_ones}
        host.wait(WATCH_SECONDS)
        found.update(self._later(begun, WATCH_SECONDS))
        still_loud = {number: each for number, each in loud_ones.items() if self._would_go(found[number])}
        if still_loud:
            found.update(self._heard(still_loud, found, listed, shown))
        return found

    def _would_go(self, subject: Subject) -> bool:
        """Whether a session would go if its output, and what it did to make that, meant nothing."""
        return judge(subject._replace(noise=True, watched=None), self._policy, self._now).remove

    def _later(self, begun: Dict[int, _Watched], seconds: float) -> Dict[int, Subject]:
        """The sessions as they are now, with what their processes did since the watch began."""
        later = self._look(each.candidate.subject for each in begun.values())
        members = Members(later.processes)
        found = {}
        for number, each in begun.items():
            subject = each.candidate.subject
            own = members.of(subject.session, self._seen[subject.origin.place].server.pid, subject.origin.uid)
            if own is None:
                # So many have come meanwhile that they are not looked at: at least one was started.
                found[number] = subject._replace(used=each.used, watched=Work(seconds, 0, 1))
                continue
            now = later.candidate(subject._replace(processes=own))
            used = spending(now.cast, later.processes)
            work = Work(seconds, *worked_between(each.used, used, seconds))
            found[number] = now.subject._replace(used=used, watched=work if subject.processes else None)
        return found

    def _look(self, subjects: Iterable[Subject]) -> Look:
        return Look(self._seen, Processes.of(*{subject.origin.uid for subject in subjects}), self._policy)

    def _heard(
        self,
        loud_ones: Dict[int, _Watched],
        found: Dict[int, Subject],
        listed: "_Listed",
        shown: Dict[int, Screens],
    ) -> Dict[int, Subject]:
        """Those whose output is noise; they are compared without it when they go."""
        seconds = WATCH_SECONDS
        after = self._listed(loud_ones.values())
        while seconds < LONGEST_SECONDS and any(_quiet(each, listed, after) for each in loud_ones.values()):
            host.wait(_STEP_SECONDS)
            seconds += _STEP_SECONDS
            after = self._listed(loud_ones.values())
        if seconds > WATCH_SECONDS:
            found = self._later(loud_ones, seconds)
        noisy = {number: each for number, each in loud_ones.items() if _moved_alone(each, listed, after)}
        return {**{number: found[number] for number in loud_ones}, **self._noise(noisy, found, after, shown, seconds)}

    def _noise(
        self,
        noisy: Dict[int, _Watched],
        found: Dict[int, Subject],
        after: "_Listed",
        shown: Dict[int, Screens],
        seconds: float,
    ) -> Dict[int, Subject]:
        """Those of which nothing but their output has moved meanwhile, where that means nothing."""
        if not noisy:
            return {}
        now_shown = self._shown(noisy.values())
        last = self._look(found[number] for number in noisy)
        told = {}
        for number, each in noisy.items():
            subject = found[number]
            place = subject.origin.place
            session = after[place][subject.session.id]
            then = _moment(each.candidate, each.used, shown.get(place, {}))
            now = _moment(last.candidate(subject), subject.used or {}, now_shown.get(place, {}))._replace(
                session=session
            )
            makers = noise(then, now, each.loud, seconds)
            if makers is not None:
                work = Work(seconds, *worked_between(_but(then.used, makers), _but(now.used, makers), seconds))
                known = compared_as(subject.session, session)
                told[number] = subject._replace(session=known, noise=True, watched=work)
        return told

    def _listed(self, begun: Iterable[_Watched]) -> "_Listed":
        """What the servers of these sessions list now, without their output among what is compared."""
        found: _Listed = {}
        for place in {each.candidate.subject.origin.place for each in begun}:
            try:
                listing = read_or_nothing(self._seen[place].client, WITHOUT_OUTPUT)
            except TmuxError:
                continue  # Their output counts.
            found[place] = {session.id: session for session in listing.sessions}
        return found

    def _shown(self, begun: Iterable[_Watched]) -> Dict[int, Screens]:
        """What the panes show whose output is in question, by server."""
        panes: Dict[int, List[str]] = {}
        for each in begun:
            subject = each.candidate.subject
            panes.setdefault(subject.origin.place, []).extend(_panes(subject.session, each.loud))
        return {place: screens(self._seen[place].client, own) for place, own in panes.items()}


_Listed = Dict[int, Dict[str, Session]]
"""Sessions by server and id."""


def _compared(each: _Watched, shown: Dict[int, Screens]) -> _Watched:
    """A session with what its panes show now, and the windows of which the last look tells that they mean nothing."""
    subject, then = each.candidate.subject, each.then
    own = shown.get(subject.origin.place, {})
    panes = {pane: own[pane] for pane in _panes(subject.session, each.loud) if pane in own}
    candidate = each.candidate._replace(subject=subject._replace(shown=panes))
    if then is None:
        return each._replace(candidate=candidate)
    same = {pane for pane, text in panes.items() if then.shown.get(pane) == text}
    programs = {it.pid for it in subject.processes if waited_for_nobody(then, it)}
    silent = silent_since(subject.session, each.candidate.cast, each.candidate.scene.processes, same, programs)
    return each._replace(candidate=candidate, shown=each.shown | silent)


def _but(used: Spending, makers: Collection[Identity]) -> Spending:
    return {who: spent for who, spent in used.items() if who not in makers}


def _panes(session: Session, windows: Collection[str]) -> List[str]:
    return [pane.id for window in session.windows if window.id in windows for pane in window.panes]


def _moment(candidate: Candidate, used: Spending, shown: Screens) -> Moment:
    return Moment(candidate.subject.session, candidate.cast, candidate.scene.processes, used, shown)


def _pair(each: _Watched, before: _Listed, after: _Listed) -> Optional[List[Session]]:
    subject = each.candidate.subject
    found = [listed.get(subject.origin.place, {}).get(subject.session.id) for listed in (before, after)]
    both = [session for session in found if session is not None and same_but_output(session, subject.session)]
    return both if len(both) == len(found) else None


def _quiet(each: _Watched, before: _Listed, after: _Listed) -> bool:
    """Whether windows have had no output so far, and that is all that is to be known of them."""
    both = _pair(each, before, after)
    return both is not None and bool(unmoved(both[0], both[1], each.loud - each.shown))


def _moved_alone(each: _Watched, before: _Listed, after: _Listed) -> bool:
    """Whether nothing has moved but the output of all those windows."""
    both = _pair(each, before, after)
    return both is not None and not unmoved(both[0], both[1], each.loud - each.shown)
