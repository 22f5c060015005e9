# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes sessions by policy, gently: guards, notice, snapshots, the removal itself, survivors, and a report."""

import time
from typing import Any, Container, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set

from ansible_collections.fleet.tmux.plugins.module_utils import _notice as notices
from ansible_collections.fleet.tmux.plugins.module_utils._cases import Case, Holders, Judged
from ansible_collections.fleet.tmux.plugins.module_utils._census import PATIENCE, Seen
from ansible_collections.fleet.tmux.plugins.module_utils._heralds import Herald
from ansible_collections.fleet.tmux.plugins.module_utils._model import NOTICE_OPTION, Session, Unread, read_or_nothing
from ansible_collections.fleet.tmux.plugins.module_utils._policy import Policy, idle_seconds
from ansible_collections.fleet.tmux.plugins.module_utils._remove import Outcome, Result, remove_unchanged, set_option
from ansible_collections.fleet.tmux.plugins.module_utils._snapshot import Archive, SnapshotError
from ansible_collections.fleet.tmux.plugins.module_utils._survivors import (
    Aftermath,
    Census,
    Departed,
    Ending,
    Identity,
    attend,
    identity,
    lives,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import TmuxError, shown

EMPTY_RESULT: Dict[str, Any] = {
    "changed": False,
    "removed": [],
    "marked": [],
    "kept": [],
    "failures": [],
    "servers": [],
    "scope": "socket",
    "counts": {
        "looked_at": 0,
        "removed": 0,
        "marked": 0,
        "kept": 0,
        "failures": 0,
        "not_matched": 0,
        "servers": 0,
    },
    "freed": {"processes": 0, "bytes": 0},
    "judged_at": None,
}
"""The result before anything was looked at."""


_SAVING_SECONDS = 0.5
"""Seconds that saving a session may take on average, over all sessions of a server."""


class GuardError(ValueError):
    """More would be removed than one run may remove; nothing was."""


class Manner(NamedTuple):
    """How gently a run goes about it. Times are in seconds; None switches something off."""

    max_removals: Optional[int] = None
    max_percent: Optional[float] = None
    notice: Optional[int] = None
    herald: Optional[Herald] = None
    archive: Optional[Archive] = None
    aftermath: Aftermath = Aftermath()


class Fate(NamedTuple):
    """What became of one session, and what an auditor wants to know of it."""

    result: str
    reason: str
    detail: str
    snapshot: Optional[str] = None
    survivors: Sequence[Ending] = ()


class Size(NamedTuple):
    """Processes that have ended, and the resident memory they had."""

    processes: int = 0
    bytes: int = 0

    def as_dict(self) -> Dict[str, int]:
        return {"processes": self.processes, "bytes": self.bytes}


class Run:
    """One run over all servers: what it found and did, in the shape of the module's result."""

    def __init__(self, judged: Judged, seen: Sequence[Seen], rules: Policy, manner: Manner) -> None:
        self._judged = judged
        self._seen = seen
        self._rules = rules
        self._manner = manner
        self._unmarked = 0
        self._fates: Dict[int, Fate] = {id(case): _as_judged(case) for case in judged.cases}
        self._freed: Dict[int, Size] = {}
        self._done: Dict[int, Result] = {}
        self.trouble: List[str] = []

    def guard(self) -> None:
        """Refuse a plan that removes too much, before anything is done.

        Sessions that have ended by themselves since they were listed do not count.

        :raises GuardError: with all that would have been removed kept, for the reason ``guard``.
        """
        chosen = self._judged.acted("remove")
        if not self._excess(len(chosen), len(self._judged.cases)):
            return
        gone = self._vanished(chosen)
        excess = self._excess(len(chosen) - gone, len(self._judged.cases) - gone)
        if excess:
            for case in self._planned():
                self._fates[id(case)] = Fate("kept", "guard", "not done: %s; %s" % (excess, case.verdict.detail))
            raise GuardError("nothing was removed: %s" % excess)

    def plan(self) -> None:
        """Take the plan for done, as check mode does."""
        self._unmarked = sum(1 for case in self._judged.cases if case.verdict.unmark)
        removed = self._of("removed")
        self._freed = _sizes(removed, {identity(it) for it in Census().below(Holders(removed).pids)})

    def apply(self) -> None:
        """Carry the plan out, server by server: what goes wrong on one does not stop the others.

        :raises SnapshotError: when there is no place for snapshots; nothing is done then.
        """
        self._prepare()
        for one in self._seen:
            own = [case for case in self._judged.cases if case.seen is one]
            try:
                self._unmark(one, [case for case in own if case.verdict.unmark])
                self._mark(one, [case for case in own if case.verdict.action == "mark"])
                self._remove(one, [case for case in own if case.verdict.remove and self._is_planned(case)])
            except Exception as error:
                # A defect of ours, met on one server, must neither stop the others nor lose what they gave.
                self.trouble.append("unexpected, at %s: %r" % (shown(one.server.socket), error))
                for case in own:
                    if self._is_planned(case):
                        self._fates[id(case)] = Fate("failed", "failed", "unexpected: %r" % error)
        self._survivors()
        if self._manner.archive is not None:
            made = {fate.snapshot for fate in self._fates.values()}
            for user in {case.seen.server.user for case in self._of("removed")}:
                self._manner.archive.tidy(user, self._judged.now, made)

    def _prepare(self) -> None:
        if self._manner.archive is None or not self._judged.acted("remove"):
            return
        try:
            self._manner.archive.prepare()
        except SnapshotError as error:
            for case in self._planned():
                self._fates[id(case)] = Fate("failed", "unsaved", "nothing was done: %s" % error)
            raise

    def _excess(self, removals: int, looked_at: int) -> str:
        most, percent = self._manner.max_removals, self._manner.max_percent
        if most is not None and removals > most:
            return "%d sessions would be removed, max_removals is %d" % (removals, most)
        if percent is not None and removals * 100 > percent * looked_at:
            return "%d of %d sessions would be removed, max_percent is %g" % (removals, looked_at, percent)
        return ""

    def _vanished(self, chosen: Sequence[Case]) -> int:
        gone = 0
        for one in self._seen:
            own = [case for case in chosen if case.seen is one]
            there = self._sessions(one) if own else None
            for case in own:
                if there is not None and case.session.id not in there:
                    self._fates[id(case)] = Fate("kept", "vanished", "it ended by itself")
                    gone += 1
        return gone

    def _unmark(self, one: Seen, cases: Sequence[Case]) -> None:
        if cases:
            sessions = [case.session for case in cases]
            values: Dict[str, Optional[str]] = {session.id: None for session in sessions}
            outcomes = set_option(one.client, one.listing.version, NOTICE_OPTION, values, sessions)
            self._unmarked += sum(1 for outcome in outcomes.values() if outcome.result == "set")

    def _mark(self, one: Seen, cases: Sequence[Case]) -> None:
        if not cases or self._manner.notice is None:
            return
        now, notice = int(time.time()), self._manner.notice
        sessions = [case.session for case in cases]
        values = {case.session.id: notices.new_mark(case.effort, now, notice).written() for case in cases}
        outcomes = set_option(one.client, one.listing.version, NOTICE_OPTION, dict(values), sessions)
        for case in cases:
            self._fates[id(case)] = _fate(case, outcomes[case.session.id], None)
        told = [case for case in cases if self._fates[id(case)].result == "marked"]
        if told and self._manner.herald is not None:
            self.trouble += self._manner.herald.tell(one, told, now + notice)

    def _remove(self, one: Seen, cases: Sequence[Case]) -> None:
        saved = self._save(one, cases)
        ready = [case for case in cases if self._manner.archive is None or id(case) in saved]
        done = remove_unchanged(one.client, one.listing.version, [case.session for case in ready])
        self._done[id(one)] = done
        for case in ready:
            self._fates[id(case)] = _fate(case, done.outcomes[case.session.id], saved.get(id(case)))
            if self._manner.archive is not None and self._fates[id(case)].result != "removed":
                self._manner.archive.discard(saved[id(case)])

    def _save(self, one: Seen, cases: Sequence[Case]) -> Dict[int, str]:
        saved: Dict[int, str] = {}
        archive = self._manner.archive
        if archive is None:
            return saved
        deadline = time.monotonic() + PATIENCE * one.client.timeout + _SAVING_SECONDS * len(cases)
        for case in cases:
            try:
                if time.monotonic() > deadline:
                    raise SnapshotError("saving the sessions of this server takes too long")
                saved[id(case)] = archive.save(one.client, case.session, one.server.user, self._judged.now)
            except SnapshotError as error:
                self._fates[id(case)] = Fate("failed", "unsaved", "kept, because it could not be saved: %s" % error)
        self._excuse(one, [case for case in cases if id(case) not in saved])
        return saved

    def _excuse(self, one: Seen, unsaved: Sequence[Case]) -> None:
        """A session that could not be saved because it ended, or changed, meanwhile is no failure."""
        there = self._sessions(one) if unsaved else None
        if there is None:
            return
        for case in unsaved:
            now = there.get(case.session.id)
            if case.session.id not in there:
                self._fates[id(case)] = Fate("kept", "vanished", "it ended by itself")
            elif now is not None and _guards(now) != _guards(case.session):
                self._fates[id(case)] = Fate("kept", "changed", "something happened to it after it was judged")

    def _sessions(self, one: Seen) -> Optional[Dict[str, Optional[Session]]]:
        """What the server holds now (None for what cannot be read); None if that cannot be known."""
        try:
            listing = read_or_nothing(one.client, self._rules.guards)
        except TmuxError:
            return None
        there: Dict[str, Optional[Session]] = {lost.id: None for lost in listing.unread}
        there.update((session.id, session) for session in listing.sessions)
        return there

    def _survivors(self) -> None:
        removed = self._of("removed")
        endings = attend([self._departed(case) for case in removed], self._staying(), self._manner.aftermath)
        for case, survivors in zip(removed, endings):
            self._fates[id(case)] = self._fates[id(case)]._replace(survivors=survivors)
        left = {identity(it) for case in removed for it in case.processes if lives(it)}
        reported = {identity(ending.process) for survivors in endings for ending in survivors}
        self._freed = _sizes(removed, left | reported)

    def _departed(self, case: Case) -> Departed:
        server = case.seen.server
        certain = self._done[id(case.seen)].whole
        return Departed(case.session, case.processes, case.seen.listing.pid, server.user.uid, certain)

    def _staying(self) -> Set[int]:
        """The processes in panes that are still there."""
        found: Set[int] = set()
        for one in self._seen:
            done = self._done.get(id(one))
            sessions = one.listing.sessions if done is None or done.after is None else done.remaining
            found.update(pid for session in sessions for pid in session.pids)
        return found

    def _planned(self) -> List[Case]:
        return [case for case in self._judged.cases if self._is_planned(case)]

    def _is_planned(self, case: Case) -> bool:
        return self._fates[id(case)].result == "planned"

    def _of(self, result: str) -> List[Case]:
        wanted = (result, "planned") if result == "removed" else (result,)
        return [
            case
            for case in self._judged.cases
            if self._fates[id(case)].result in wanted and (result != "removed" or case.verdict.remove)
        ]

    def result(self) -> Dict[str, Any]:
        """Every session that was looked at, exactly once."""
        gone = self._of("removed")
        holders = Holders(gone)
        lists = {
            "removed": [self._item(case, holders) for case in gone],
            "marked": [self._item(case) for case in self._judged.cases if self._is_marked(case)],
            "kept": [self._item(case) for case in self._of("kept")],
            "failures": [self._item(case) for case in self._of("failed")],
        }
        lists["kept"] += [_unread_item(one, lost) for one, lost in self._judged.unread]
        counts = {name: len(items) for name, items in lists.items()}
        counts["looked_at"] = sum(counts.values())
        counts.update(not_matched=self._judged.ignored, servers=len(self._seen))
        result: Dict[str, Any] = {name: _sorted(items) for name, items in lists.items()}
        result.update(
            changed=bool(lists["removed"] or lists["marked"] or self._unmarked),
            servers=[one.server.as_dict() for one in self._seen],
            counts=counts,
            freed=_sum(self._freed.values()).as_dict(),
            judged_at=self._judged.now,
        )
        return result

    def _is_marked(self, case: Case) -> bool:
        result = self._fates[id(case)].result
        return result == "marked" or (result == "planned" and case.verdict.action == "mark")

    def diff(self) -> Dict[str, Dict[str, List[str]]]:
        """Sorted lists of all sessions looked at, before and after; notice shows behind the name."""
        gone = {id(case) for case in self._of("removed")}
        gone |= {id(case) for case in self._of("kept") if self._fates[id(case)].reason == "vanished"}
        before = {id(case): case.line + (" (notice)" if case.session.notice else "") for case in self._judged.cases}
        after = [self._line_after(case) for case in self._judged.cases if id(case) not in gone]
        return {"before": {"sessions": sorted(before.values())}, "after": {"sessions": sorted(after)}}

    def _line_after(self, case: Case) -> str:
        noticed = self._is_marked(case) or (bool(case.session.notice) and not case.verdict.unmark)
        return case.line + (" (notice)" if noticed else "")

    def _item(self, case: Case, holders: Optional[Holders] = None) -> Dict[str, Any]:
        fate = self._fates[id(case)]
        hidden = {"keep": shown(case.session.keep)}
        return {
            "name": shown(case.session.name),
            "id": case.session.id,
            "identity": case.identity,
            "owner": shown(case.seen.server.user.name),
            "socket": shown(case.seen.server.socket),
            "reason": fate.reason,
            "detail": shown(fate.detail),
            "idle": idle_seconds(case.session, self._rules.activity, self._judged.now),
            "evidence": dict(case.evidence, **hidden),
            "snapshot": shown(fate.snapshot) if fate.snapshot else None,
            "survivors": [ending.as_dict() for ending in fate.survivors],
            "lives_on": holders.lives_on(case) if holders is not None else [],
            "freed": self._freed.get(id(case), Size()).as_dict(),
        }


def _guards(session: Session) -> List[str]:
    """All that is compared before a removal; before tmux 2.9 the session's guard does not have the panes."""
    return [session.guard] + [pane.guard for pane in session.panes]


def _as_judged(case: Case) -> Fate:
    result = "kept" if case.verdict.action == "keep" else "planned"
    return Fate(result, case.verdict.reason, case.verdict.detail)


def _fate(case: Case, outcome: Outcome, snapshot: Optional[str]) -> Fate:
    if outcome.result == "removed":
        return Fate("removed", case.verdict.reason, outcome.detail or case.verdict.detail, snapshot)
    if outcome.result == "set":
        return Fate("marked", case.verdict.reason, case.verdict.detail)
    if outcome.result == "failed":
        return Fate("failed", "failed", outcome.detail)
    return Fate("kept", outcome.result, outcome.detail)


def _unread_item(one: Seen, lost: Unread) -> Dict[str, Any]:
    return {
        "name": shown(lost.name),
        "id": shown(lost.id),
        "identity": None,
        "owner": shown(one.server.user.name),
        "socket": shown(one.server.socket),
        "reason": "unknown",
        "detail": shown(lost.reason),
        "idle": None,
        "evidence": {},
        "snapshot": None,
        "survivors": [],
        "lives_on": [],
        "freed": Size().as_dict(),
    }


def _sorted(items: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    return sorted(items, key=lambda item: (item["owner"], item["socket"], item["name"], item["id"]))


def _sizes(cases: Sequence[Case], stay: Container[Identity]) -> Dict[int, Size]:
    """For each case, how many of its processes have ended, and what they held in memory.

    What two sessions of a group share is counted with the first.
    """
    sizes = {}
    counted: Set[Identity] = set()
    for case in cases:
        ended = {identity(process): process.rss for process in case.processes}
        gone = [who for who in ended if who not in stay and who not in counted]
        counted.update(gone)
        sizes[id(case)] = Size(len(gone), sum(ended[who] for who in gone))
    return sizes


def _sum(sizes: Iterable[Size]) -> Size:
    every = list(sizes)
    return Size(sum(size.processes for size in every), sum(size.bytes for size in every))
