# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hands of a run: real ones, and those of check mode, which only promise."""

import contextlib
import time
from typing import (
    Callable,
    Collection,
    Container,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Union,
)

from ansible_collections.fleet.tmux.plugins.module_utils._actions.carry_out import Hands, Refused
from ansible_collections.fleet.tmux.plugins.module_utils._actions.clean_up import Ended, clean_up_after, going
from ansible_collections.fleet.tmux.plugins.module_utils._actions.evidence import looked_at_again
from ansible_collections.fleet.tmux.plugins.module_utils._actions.journal import Journal, planned
from ansible_collections.fleet.tmux.plugins.module_utils._actions.nested import Anew, judged_anew
from ansible_collections.fleet.tmux.plugins.module_utils._actions.notify import Notifier, Owner
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remember import Diary
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove import (
    Answer,
    Options,
    Removal,
    remove_unchanged,
    set_options,
)
from ansible_collections.fleet.tmux.plugins.module_utils._actions.saved import SnapshotError
from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive, Snapshot
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import (
    Ending,
    PanePid,
    RemovedSession,
    attend,
)
from ansible_collections.fleet.tmux.plugins.module_utils._actions.texts import News
from ansible_collections.fleet.tmux.plugins.module_utils._actions.veto import Veto
from ansible_collections.fleet.tmux.plugins.module_utils._host.limits import Limits, like
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import defect
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import (
    Identity,
    Process,
    Processes,
    identity,
    lives,
)
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._policy.cleanups import NOTHING_DONE, CleanedUp
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import (
    KEEP,
    MARK,
    MARKED,
    REMOVE,
    REMOVED,
    Decision,
    Freed,
    Key,
    Outcome,
    begin,
    done,
    kept,
    ordered,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.keep import to_remember, unsaved_wished
from ansible_collections.fleet.tmux.plugins.module_utils._policy.notice import new_mark
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy, judge
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import WORK_SECONDS
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import BYTES_PER_OWNER, PATIENCE, Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    KEPT_OPTION,
    NOTICE_OPTION,
    UNTIL_OPTION,
    Session,
    Unread,
    read_or_nothing,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.share import Share

SAVING_SECONDS = 0.2
"""Seconds that saving a session may take on average, over all sessions of an owner."""


_MORE_SECONDS = 3600.0
_UNTIL = "%Y-%m-%d %H:%M"
"""How a session tells its user when it may go: in the host's time zone, and without what a format would expand."""


class Settings(NamedTuple):
    """How gently a run goes about it; None switches something off."""

    notifier: Optional[Notifier] = None
    archive: Optional[Archive] = None
    ending: Ending = Ending()
    veto: Optional[Veto] = None
    diary: Optional[Diary] = None
    journal: Journal = Journal()


class Promises(Hands):
    """Promise what real hands would do, and refuse where they would."""

    def __init__(self, seen: Sequence[Seen], processes: Processes, settings: Settings) -> None:
        self._seen = seen
        self._processes = processes
        self._archive = settings.archive
        self.trouble: List[str] = []

    def prepare(self, decisions: Sequence[Decision]) -> None:
        if self._archive is not None and _any_removal(decisions):
            _refusing(self._archive.require_usable)

    def act(self, place: int, decisions: Sequence[Decision]) -> Iterator[Outcome]:
        for decision in decisions:
            if decision.action in (REMOVE, MARK):
                yield done(decision)
            elif decision.unmark:
                yield begin(decision)._replace(unmarked=True)

    def finish(self, outcomes: Sequence[Outcome]) -> List[Outcome]:
        gone = {outcome.subject.key for outcome in outcomes if outcome.what == REMOVED}
        places = {place for place, _id in gone}
        stay = [pid for place in places for pid in self._staying(place, gone)]
        removed = [outcome for outcome in outcomes if outcome.what == REMOVED]
        found = {place: going(self._seen[place], _identities(removed, place)) for place in sorted(places)}
        told = _with_files(outcomes, _cleaned_up(found, removed, check=True))
        self.trouble += [sentence for each in found.values() for sentence in each.trouble] + _still_there(told)
        return _with_freed(told, {identity(process) for process in self._processes.below(stay)})

    def _staying(self, place: int, gone: Container[Key]) -> List[int]:
        """The processes in panes of a server that stay."""
        one = self._seen[place]
        stay = [session for session in one.listing.sessions if (place, session.id) not in gone]
        return self._processes.panes_of(one.server.pid, [pid for session in stay for pid in session.pids])


class RealHands(Hands):
    """Save, mark and remove sessions, and see to what lives on."""

    def __init__(self, seen: Sequence[Seen], policy: Policy, settings: Settings, now: int) -> None:
        self._seen = seen
        self._policy = policy
        self._settings = settings
        self._now = now
        self._removals: Dict[int, Removal] = {}
        self._shares: Dict[int, Share] = {}
        self._held: Dict[int, Limits] = {}
        self._moments: Dict[Key, int] = {}
        self._going: Dict[int, Ended] = {}
        self.trouble: List[str] = []

    def prepare(self, decisions: Sequence[Decision]) -> None:
        if self._settings.archive is not None and _any_removal(decisions):
            _refusing(self._settings.archive.prepare)

    def act(self, place: int, decisions: Sequence[Decision]) -> Iterator[Outcome]:
        one = self._seen[place]
        unmarked = _unmark(one, [decision for decision in decisions if decision.unmark])
        self._settings.journal.noticed(unmarked)
        yield from unmarked
        self._remember(one, decisions)
        self._share(one).grant(WORK_SECONDS * sum(1 for decision in decisions if decision.action != KEEP))
        marks = [decision for decision in decisions if decision.action == MARK]
        yield from (ordered(decision) for decision in marks)
        yield from self._mark(one, marks)
        yield from self._remove(place, [decision for decision in decisions if decision.action == REMOVE])

    def _remember(self, one: Seen, decisions: Sequence[Decision]) -> None:
        """Have sessions remember since when they are kept. It is no change; who cannot be told is told next time."""
        if "keep" not in self._policy.protect:
            return
        due = [(session, to_remember(session, self._now)) for session in _sessions(decisions)]
        new: Dict[str, Options] = {it.id: {KEPT_OPTION: said or None} for it, said in due if said is not None}
        if new:
            set_options(one.client, one.listing.version, new, [it for it, said in due if said is not None])

    def again(self, place: int, decisions: Sequence[Decision], gone: Collection[Key]) -> Anew:
        return judged_anew(self._seen[place], decisions, gone)

    def _mark(self, one: Seen, decisions: Sequence[Decision]) -> List[Outcome]:
        notice = self._policy.notice
        if not decisions or notice is None:
            return []
        now = int(time.time())
        until = time.strftime(_UNTIL, time.localtime(now + notice))
        marks: List[Options] = [
            {NOTICE_OPTION: new_mark(decision, now, notice).written(), UNTIL_OPTION: until} for decision in decisions
        ]
        self._moments.update((decision.subject.key, now + notice) for decision in decisions)
        given = [_answered(decision, answer) for decision, answer in zip(decisions, _give(one, decisions, marks))]
        self._settings.journal.noticed(given, until)
        return given

    def _share(self, one: Seen) -> Share:
        """What the owner of a server may cost; one that nobody has given a share to has one from here on."""
        new = Share(PATIENCE * one.client.timeout, BYTES_PER_OWNER, more=_MORE_SECONDS)
        return one.client.share or self._shares.setdefault(one.server.user.uid, new)

    def _remove(self, place: int, decisions: Sequence[Decision]) -> Iterator[Outcome]:
        one = self._seen[place]
        saved = list(self._saved(one, decisions))
        yield from (each.result for each in saved if isinstance(each.result, Outcome))
        ready = [each for each in saved if not isinstance(each.result, Outcome)]
        yield from (ordered(each.decision, each.path) for each in ready)
        sessions = _sessions([each.decision for each in ready])
        if not sessions:
            return
        for each in ready:
            self._settings.journal.before(planned(each.decision))
        self._remember_limits(one)
        self._find_files(place, [each.decision.subject.identity for each in ready])
        last = _LastLook(self._seen, self._policy, [each.decision for each in ready])
        removal = self._removals[place] = remove_unchanged(one.client, one.listing.version, sessions, last.look)
        self._moments.update((each.decision.subject.key, int(time.time())) for each in ready)
        for each, session in zip(ready, sessions):
            outcome = self._ended(each._replace(decision=last.decisions[session.id]), removal.answers[session.id])
            self._settings.journal.became(outcome)
            yield outcome

    def _find_files(self, place: int, identities: Sequence[str]) -> None:
        """Find out what goes with sessions, as long as they are there to tell."""
        found = going(self._seen[place], identities)
        self.trouble += found.trouble
        before = self._going.get(place, found)
        files, panes = dict(before.files, **found.files), dict(before.panes, **found.panes)
        self._going[place] = found._replace(files=files, panes=panes)

    def _ended(self, saved: "Saved", answer: Answer) -> Outcome:
        """What became of a session, without the snapshot of one that lives on."""
        outcome = _answered(saved.decision, answer, saved.path)
        if saved.left_out and outcome.what == REMOVED:
            outcome = outcome._replace(detail=f"{outcome.detail}; saved without {saved.left_out}")
        if self._settings.archive is not None and saved.path is not None and outcome.what != REMOVED:
            self._settings.archive.discard(saved.path)
        return outcome

    def _saved(self, one: Seen, decisions: Sequence[Decision]) -> "Iterator[Saved]":
        """Where each was saved, or the outcome of one that could not be."""
        archive = self._settings.archive
        if archive is None:
            yield from (Saved(decision, None) for decision in decisions)
            return
        share = self._share(one)
        share.grant(SAVING_SECONDS * len(decisions))
        unsaved: List[Outcome] = []
        for decision in decisions:
            try:
                if share.used_up():
                    raise SnapshotError(share.used_up())
                if unsaved_wished(decision.subject.session.no_snapshot):
                    yield Saved(decision, None)
                    continue
                yield Saved(decision, archive.save(one, decision.subject.session, one.server.user, self._now))
            except SnapshotError as error:
                unsaved.append(begin(decision).not_done("not_saved", f"kept, because it could not be saved: {error}"))
        there = held(one, self._policy) if unsaved else None
        for outcome in unsaved:
            yield Saved(outcome.decision, _excused(outcome, there))

    def _remember_limits(self, one: Seen) -> None:
        """What the owner's processes are held to, which his last session may take with it: for what is run as him."""
        notifier, uid = self._settings.notifier, one.server.user.uid
        if notifier is not None and notifier.command and notifier.as_user and one.server.pid is not None:
            with contextlib.suppress(OSError):
                self._held[uid] = like(one.server.pid, uid)

    def finish(self, outcomes: Sequence[Outcome]) -> List[Outcome]:
        self._tell(outcomes)
        removed = [outcome for outcome in outcomes if outcome.what == REMOVED]
        survivors = attend([self._removed(each) for each in removed], self._staying(), self._settings.ending)
        found = {each.subject.key: own for each, own in zip(removed, survivors)}
        told = [outcome._replace(survivors=found.get(outcome.subject.key, ())) for outcome in outcomes]
        told = _with_files(told, _cleaned_up(self._going, removed, check=False))
        self.trouble += _still_there(told)
        for outcome in told:
            self._settings.journal.outlived(outcome)
        self._tidy(removed)
        self.trouble += self._settings.journal.trouble
        return _with_freed(told, _left(removed) | {identity(each.process) for own in survivors for each in own})

    def _tell(self, outcomes: Sequence[Outcome]) -> None:
        """Tell each owner of his sessions; whatever happens then, what was done is told of in the result."""
        notifier = self._settings.notifier
        if notifier is None:
            return
        for uid in sorted({one.server.user.uid for one in self._seen}):
            places = [place for place, one in enumerate(self._seen) if one.server.user.uid == uid]
            own = [outcome for outcome in outcomes if outcome.subject.origin.place in places]
            news = [
                self._news(outcome, places.index(outcome.subject.origin.place))
                for outcome in own
                if outcome.what in (MARKED, REMOVED)
            ]
            gone = {outcome.subject.identity for outcome in own if outcome.unmarked or outcome.what == REMOVED}
            servers = [self._seen[place] for place in places]
            try:
                owner = Owner(servers, self._held.get(uid))
                self.trouble += notifier.tell(owner, news, Gone(gone, servers))
            except Exception as error:
                self.trouble.append(f"unexpected, when people were told: {defect(error)}")

    def _news(self, outcome: Outcome, place: int) -> News:
        subject = outcome.subject
        return News(
            outcome.what,
            subject.identity,
            subject.session.id,
            subject.session.name,
            subject.origin.socket,
            self._moments.get(subject.key, self._now),
            outcome.decision.detail.split(";")[0],
            outcome.snapshot,
            place,
        )

    def _tidy(self, removed: Sequence[Outcome]) -> None:
        archive = self._settings.archive
        if archive is not None:
            made = {outcome.snapshot for outcome in removed}
            for user in {self._seen[outcome.subject.origin.place].server.user for outcome in removed}:
                self._tidy_one(archive, user, made)

    def _tidy_one(self, archive: Archive, user: User, made: Set[Optional[str]]) -> None:
        try:
            archive.tidy(user, self._now, made)
        except SnapshotError as error:
            self.trouble.append(shown(str(error)))

    def _removed(self, outcome: Outcome) -> RemovedSession:
        subject = outcome.subject
        certain = self._removals[subject.origin.place].whole
        server = self._seen[subject.origin.place].server
        return RemovedSession(subject.session, subject.processes, server.pid, subject.origin.uid, certain)

    def _staying(self) -> Set[PanePid]:
        """The panes that are still there."""
        found: Set[PanePid] = set()
        for place, one in enumerate(self._seen):
            removal = self._removals.get(place)
            sessions = one.listing.sessions if removal is None or removal.after is None else removal.remaining
            found.update((one.server.pid, pid) for session in sessions for pid in session.pids)
        return found


class Gone:
    """The sessions, by identity, of which notice that was given does not hold any more.

    These are ``known``, and whatever their own servers do not list: somebody has ended them.
    """

    def __init__(self, known: Container[str], seen: Sequence[Seen]) -> None:
        whole = [one for one in seen if one.listing.pid is not None and one.listing.whole and not one.listing.unread]
        self._known = known
        self._servers = tuple(f"{one.listing.pid}/{one.listing.start_time}/" for one in whole)
        self._there = {one.identity(session) for one in whole for session in one.listing.sessions}

    def __contains__(self, identity: object) -> bool:
        ended = str(identity).startswith(self._servers) and identity not in self._there
        return ended or identity in self._known


class _LastLook:
    """What the server cannot compare, the signs that the host shows, is looked at again just before sessions end.

    ``decisions``: what was decided, by session id, with the processes as they are found then.
    """

    def __init__(self, seen: Sequence[Seen], policy: Policy, decisions: Sequence[Decision]) -> None:
        self._seen = seen
        self._policy = policy
        self.decisions = {decision.subject.session.id: decision for decision in decisions}

    def look(self, sessions: Sequence[Session]) -> Dict[str, Answer]:
        """Why some of these are to live after all; all of them, if they cannot be looked at."""
        try:
            return self._look(sessions)
        except Exception as error:
            # Those that were ended before must be told of, and these must not end.
            said = f"it could not be looked at again: {defect(error)}"
            return {session.id: Answer("unknown", said) for session in sessions}

    def _look(self, sessions: Sequence[Session]) -> Dict[str, Answer]:
        now = int(time.time())
        before = [self.decisions[session.id].subject for session in sessions]
        spared = {}
        for subject in looked_at_again(self._seen, before, self._policy, now):
            verdict = judge(subject, self._policy, now)
            identity = subject.session.id
            if not verdict.remove:
                spared[identity] = Answer(verdict.reason, f"after it was judged: {verdict.detail}")
            known = self.decisions[identity]
            self.decisions[identity] = known._replace(subject=known.subject._replace(processes=subject.processes))
        return spared


def _identities(removed: Sequence[Outcome], place: int) -> List[str]:
    return [outcome.subject.identity for outcome in removed if outcome.subject.origin.place == place]


def _cleaned_up(found: Mapping[int, Ended], removed: Sequence[Outcome], check: bool) -> Dict[str, CleanedUp]:
    """Remove the files that go with removed sessions, those of each owner at once; what became of them, by session."""
    ended = [each.only(_identities(removed, place)) for place, each in sorted(found.items())]
    done: Dict[str, CleanedUp] = {}
    for uid in sorted({each.one.server.user.uid for each in ended if each.files}):
        own = [each for each in ended if each.one.server.user.uid == uid]
        done.update(clean_up_after(own, own[0].one.client.timeout, check=check))
    return done


def _with_files(outcomes: Sequence[Outcome], done: Mapping[str, CleanedUp]) -> List[Outcome]:
    return [outcome._replace(cleaned_up=done.get(outcome.subject.identity, NOTHING_DONE)) for outcome in outcomes]


def _still_there(outcomes: Sequence[Outcome]) -> List[str]:
    """What is to be said of files that should have gone, of each owner once: nobody buries what is said of others."""
    numbers: Dict[str, int] = {}
    for outcome in outcomes:
        if outcome.cleaned_up.left:
            owner = shown(outcome.subject.origin.owner)
            numbers[owner] = numbers.get(owner, 0) + len(outcome.cleaned_up.left)
    return [
        f"cleanup: {number} files of removed sessions of {owner} are still there, see left_files"
        for owner, number in sorted(numbers.items())
    ]


def _left(removed: Sequence[Outcome]) -> Set[Identity]:
    """Who of the processes of removed sessions is still there."""
    them = {identity(each): each for outcome in removed for each in outcome.subject.processes}
    return {who for who, each in them.items() if lives(each)}


class Saved(NamedTuple):
    """A session, and its snapshot (None where none is wanted), or what became of it instead."""

    decision: Decision
    result: Union[Snapshot, Outcome, None]

    @property
    def path(self) -> Optional[str]:
        return self.result.path if isinstance(self.result, Snapshot) else None

    @property
    def left_out(self) -> str:
        return self.result.left_out if isinstance(self.result, Snapshot) else ""


Held = Dict[str, Union[Session, Unread]]


def held(one: Seen, policy: Policy) -> Optional[Held]:
    """What a server holds now, by id; None if that cannot be known."""
    try:
        listing = read_or_nothing(one.client, policy.guards)
    except TmuxError:
        return None
    there: Held = {lost.id: lost for lost in listing.unread}
    there.update((session.id, session) for session in listing.sessions)
    return there


def vanished(seen: Sequence[Seen], decisions: Sequence[Decision], policy: Policy) -> Set[Key]:
    """Which of the sessions that would be removed have ended by themselves since they were listed."""
    subjects = [decision.subject for decision in decisions if decision.action == REMOVE]
    there = {place: held(seen[place], policy) for place in {subject.origin.place for subject in subjects}}
    return {subject.key for subject in subjects if _has_gone(subject.session, there[subject.origin.place])}


def _has_gone(session: Session, there: Optional[Held]) -> bool:
    return there is not None and session.id not in there


def _unmark(one: Seen, decisions: Sequence[Decision]) -> List[Outcome]:
    answers = _give(one, decisions, [{NOTICE_OPTION: None, UNTIL_OPTION: None}] * len(decisions))
    return [begin(decision)._replace(unmarked=answer.result == "done") for decision, answer in zip(decisions, answers)]


def _give(one: Seen, decisions: Sequence[Decision], marks: Sequence[Options]) -> List[Answer]:
    """Give sessions their marks, or take them away; what the server answered for each."""
    if not decisions:
        return []
    sessions = _sessions(decisions)
    values = {session.id: mark for session, mark in zip(sessions, marks)}
    answers = set_options(one.client, one.listing.version, values, sessions)
    return [answers[session.id] for session in sessions]


def _answered(decision: Decision, answer: Answer, snapshot: Optional[str] = None) -> Outcome:
    if answer.result == "done":
        return done(decision, answer.detail, snapshot)
    if answer.result == "error":
        return begin(decision).not_done("error", answer.detail)
    return kept(decision, answer.result, answer.detail)


def _excused(outcome: Outcome, there: Optional[Held]) -> Outcome:
    """A session that could not be saved because it ended, or changed, meanwhile is no failure."""
    session = outcome.subject.session
    if there is None:
        return outcome
    if session.id not in there:
        return kept(outcome.decision, "vanished", "it ended by itself")
    now = there[session.id]
    if isinstance(now, Session) and _guarded(now) != _guarded(session):
        return kept(outcome.decision, "changed", "something happened to it after it was judged")
    return outcome


def _guarded(session: Session) -> List[str]:
    """All that is compared before a removal; before tmux 2.9 the session's guard does not have the panes."""
    return [session.guard] + [pane.guard for pane in session.panes]


def _sessions(decisions: Sequence[Decision]) -> List[Session]:
    return [decision.subject.session for decision in decisions]


def _any_removal(decisions: Sequence[Decision]) -> bool:
    return any(decision.action == REMOVE for decision in decisions)


def _refusing(check: Callable[[], None]) -> None:
    try:
        check()
    except SnapshotError as error:
        raise Refused("not_saved", str(error))


def _with_freed(outcomes: Sequence[Outcome], stay: Set[Identity]) -> List[Outcome]:
    """With how many processes of each removed session have ended; what two of a group share counts with the first."""
    counted: Set[Identity] = set()
    told = []
    for outcome in outcomes:
        gone: List[Process] = []
        if outcome.what == REMOVED:
            gone = [
                each
                for each in outcome.subject.processes
                if identity(each) not in stay and identity(each) not in counted
            ]
            counted.update(identity(each) for each in gone)
        told.append(outcome._replace(freed=Freed(len(gone), sum(each.rss for each in gone))))
    return told
