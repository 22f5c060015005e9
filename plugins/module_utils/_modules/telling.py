# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the child of an owner tells of a run, and what its parent makes of that: all that was told, however it ends."""

from typing import Collection, Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set

from ansible_collections.fleet.tmux.plugins.module_utils._actions.examine import origin
from ansible_collections.fleet.tmux.plugins.module_utils._host.crew import End, Line, Message
from ansible_collections.fleet.tmux.plugins.module_utils._modules.bounds import IN_SHORT, LISTED, Bounds, bounded, short
from ansible_collections.fleet.tmux.plugins.module_utils._modules.owners import NO_ACCOUNT
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune import Overseer
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune_result import (
    Entry,
    Pruned,
    entries,
    entry,
    owners,
    unread_entry,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.attached import GOES, Ways
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import (
    KEEP,
    NOT_DONE,
    REMOVED,
    Decision,
    Key,
    Outcome,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Count, Limits, Verdict, weigh
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Unread

_PER_MESSAGE = 100
_NOT_JUDGED = "it was not judged"
_PENDING = "not_attempted"

# --- in the child -----------------------------------------------------------------------------------------------------


class Reporter(Overseer):
    """Tells of every session as soon as something new is known of it, and asks for the word where guards need it."""

    def __init__(self, line: Line, policy: Policy, limits: Limits) -> None:
        super().__init__(limits)
        self._line = line
        self._policy = policy
        self._now = 0
        self._forms: Dict[str, str] = {}
        self._told: Dict[str, Entry] = {}

    def listed(self, seen: Sequence[Seen]) -> None:
        """These are there, whatever will be known of them."""
        lost = []
        for place, one in enumerate(seen):
            looked_at = [each for each in one.listing.sessions if self._policy.selects(each)]
            unjudged = [Unread(each.id, each.name, _NOT_JUDGED) for each in looked_at]
            lost += [(origin(place, one), each) for each in [*unjudged, *one.listing.unread]]
        entries_ = [unread_entry(where, each, number) for number, (where, each) in enumerate(lost)]
        self._tell(entries_, choose=True)

    def judged(self, run: Pruned) -> None:
        self._now = run.now
        self._line.say({"judged": run.now, "not_matched": run.not_matched})
        self._told = {}
        self._tell(entries(run, self._policy.activity), choose=True)

    def weigh(self, counts: Mapping[int, Count], decisions: Sequence[Decision]) -> Verdict:
        if not self.limits.in_all:
            return super().weigh(counts, decisions)
        waits = any(decision.action != KEEP for decision in decisions)
        self._line.say({"counts": {str(uid): list(count) for uid, count in counts.items()}, "waits": waits})
        answer: Message = self._line.wait() if waits else {"over": {}, "message": ""}
        over = {int(uid): said for uid, said in answer["over"].items()}
        return weigh(counts, Limits())._replace(over=over, message=answer["message"])

    def others(self, panes: Collection[Key]) -> Optional[Ways]:
        self._line.say({"asks": sorted(pane for _place, pane in panes)})
        gone: Sequence[str] = self._line.wait()["gone"]
        return {key: GOES for key in panes if key[1] in gone}

    def hear(self, outcome: Outcome) -> None:
        self._tell([entry(outcome, self._policy.activity, self._now)])

    def done(self, run: Pruned) -> None:
        self._tell(entries(run, self._policy.activity))
        self._line.say({"trouble": list(run.trouble), "refused": run.refused, "owners": owners(run)})
        gone = _gone_with_others(run)
        if gone:
            self._line.say({"gone": gone})

    def _tell(self, every: Sequence[Entry], choose: bool = False) -> None:
        """Tell of those of which something has changed. ``choose``: of which of them in full is chosen anew."""
        if choose:
            self._forms = _forms(every)
        new = []
        for one in every:
            told = _in_form(one, self._forms.get(one.key, "counted"))
            if self._told.get(one.key) != told:
                self._told[one.key] = told
                new.append(list(told))
        for start in range(0, len(new), _PER_MESSAGE):
            self._line.say({"entries": new[start : start + _PER_MESSAGE]})


def _gone_with_others(run: Pruned) -> List[str]:
    """The panes that have gone, or would, in which others have worked: their pids, as the kernel knows them."""
    gone = [outcome.subject for outcome in run.outcomes if outcome.what == REMOVED]
    keys = {subject.key for subject in gone}
    left = {
        (place, pid)
        for place, one in enumerate(run.seen)
        for session in one.listing.sessions
        if (place, session.id) not in keys
        for pid in session.pids
    }
    return [
        str(process.pid)
        for subject in gone
        if any(process.is_others for process in subject.processes)
        for process in subject.processes
        if process.pid in subject.session.pids and (subject.origin.place, process.pid) not in left
    ]


def _forms(every: Sequence[Entry]) -> Dict[str, str]:
    """In which form each is told of, beginning with those that something is to be done about."""
    ranked = sorted(every, key=lambda one: one.item["reason"] != _PENDING)
    items = [dict(one.item, key=one.key) for one in ranked]
    told = bounded({"all": items}, Bounds(LISTED.owner, LISTED.owner), ("all",)).lists["all"]
    return {item["key"]: "short" if item["detail"] == IN_SHORT else "full" for item in told}


def _in_form(one: Entry, form: str) -> Entry:
    if form == "counted":
        return one.counted
    return one if form == "full" else one._replace(item=short(one.item))


# --- in its parent ----------------------------------------------------------------------------------------------------


class Ended(NamedTuple):
    """What was told of one owner."""

    entries: List[Entry]
    not_matched: int
    judged_at: Optional[int]
    trouble: List[str]
    refused: str
    owners: List[Message]


class Account:
    """What one child tells."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._entries: Dict[str, Entry] = {}
        self._judged_at: Optional[int] = None
        self._not_matched = 0
        self._rest: Message = {"trouble": [], "refused": "", "owners": []}
        self.counts: Dict[int, Count] = {}
        self.waits = False
        self.asks: FrozenSet[str] = frozenset()
        self.gone: FrozenSet[str] = frozenset()

    def hear(self, message: Message) -> None:
        if "entries" in message:
            self._entries.update((told[0], Entry(*told)) for told in message["entries"])
        elif "judged" in message:
            self._entries = {}
            self._judged_at, self._not_matched = message["judged"], message["not_matched"]
        elif "counts" in message:
            self.counts = {int(uid): Count(*count) for uid, count in message["counts"].items()}
            self.waits = message["waits"]
        elif "trouble" in message:
            self._rest = message
        elif "asks" in message:
            self.asks = frozenset(message["asks"])
        elif "gone" in message:
            self.gone = frozenset(message["gone"])

    def close(self, end: Optional[End]) -> Ended:
        """All that is known. ``end``: how the child ended, where it did not come to its own."""
        told = list(self._entries.values())
        trouble = list(self._rest["trouble"])
        if end is not None:
            told = [_unfinished(one, end.reason) for one in told]
            if self._judged_at is not None:
                trouble.append(f"not all was done for {self.owner}: {end.reason}")
        rest = self._rest
        return Ended(told, self._not_matched, self._judged_at, trouble, rest["refused"], rest["owners"])


def _unfinished(one: Entry, reason: str) -> Entry:
    """A session of an owner for whom not all was done. What was told of it last is true, if it was final."""
    open_ = one.what == NOT_DONE and one.item.get("reason") in (_PENDING, "error")
    if "name" not in one.item or not (open_ or one.item["detail"] == _NOT_JUDGED):
        return one
    return one._replace(item=dict(one.item, detail=f"{one.item['detail']}: {reason}"))


class Guards:
    """Holds what all owners together would lose against the limits, when all have been judged that can be."""

    def __init__(self, limits: Limits, accounts: Mapping[str, Account]) -> None:
        self._limits = limits
        self._accounts = accounts
        self._looked_again = False
        self._let_go: Set[str] = set()

    def answer(self, waiting: Sequence[str]) -> Dict[str, Message]:
        """What those are told that wait. Whoever did not get so far, or is not there any more, counts as kept.

        Who asks for the panes of others is told when these have had their turn.
        """
        asking = [key for key in waiting if self._accounts[key].asks]
        if len(asking) == len(waiting):
            return self._told_of_others(asking)
        waiting = [key for key in waiting if key not in asking]
        counting = self._let_go | set(waiting)
        there = [one for key, one in self._accounts.items() if key in counting or not one.waits]
        nameless = {uid for one in there for uid in one.counts if one.owner in (str(uid), NO_ACCOUNT)}
        verdict = weigh(_together(there), self._limits, nameless)
        message, over = verdict.message, {str(uid): said for uid, said in verdict.over.items()}
        if (message or over) and not self._looked_again:
            # Sessions that have ended by themselves since they were listed do not count: all take a second look.
            message = message or "a second look is taken"
        else:
            self._let_go.update(waiting)
        self._looked_again = True
        return {key: {"message": message, "over": over} for key in waiting}

    def _told_of_others(self, asking: Sequence[str]) -> Dict[str, Message]:
        """What has become of panes. One of those who ask is told at a time: what he does may be what the next asks."""
        gone = {pane for account in self._accounts.values() for pane in account.gone}
        key = max(asking, key=lambda each: len(self._accounts[each].asks & gone))
        asked, self._accounts[key].asks = self._accounts[key].asks, frozenset()
        return {key: {"gone": sorted(asked & gone)}}


def _together(accounts: Iterable[Account]) -> Dict[int, Count]:
    every: Dict[int, Count] = {}
    for account in accounts:
        for uid, count in account.counts.items():
            every[uid] = every.get(uid, Count()).plus(count)
    return every
