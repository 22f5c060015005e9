# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a run of `tmux_session_prune`: every session that was looked at, exactly once. Pure."""

import heapq
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief
from ansible_collections.fleet.tmux.plugins.module_utils._modules.bounds import (
    HOLDERS,
    LISTED,
    LIVING_ON,
    SIGNS,
    SURVIVORS,
    Bounded,
    Bounds,
    bounded,
    first,
    with_servers,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.items import files_told, in_order, named, who
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import evidence, last_use
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import (
    KEPT,
    MARKED,
    NOT_DONE,
    OUTCOMES,
    REMOVED,
    Freed,
    Origin,
    Outcome,
    Subject,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Limits, Verdict, weigh
from ansible_collections.fleet.tmux.plugins.module_utils._policy.keep import understood
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen, any_recovered
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Unread

Json = Dict[str, Any]

EMPTY_RESULT: Json = {
    "changed": False,
    **{outcome: [] for outcome in OUTCOMES},
    "unlisted": [],
    "owners": [],
    "servers": [],
    "scope": "socket",
    "note": "",
    "counts": dict(dict.fromkeys(OUTCOMES, 0), looked_at=0, not_matched=0, servers=0, unmarked=0),
    "freed": Freed()._asdict(),
    "judged_at": None,
}
"""The result before anything was looked at."""


_ORDER = (REMOVED, NOT_DONE, MARKED, KEPT)
"""What must be told of before everything else: what was done comes first."""
_DIFF = Bounds(128 * 1024, 512 * 1024)
_MORE: Dict[str, int] = {"survivors": 0, "lives_on": 0, "removed_files": 0, "left_files": 0}
NO_GUARDS = weigh({}, Limits())


class Pruned(NamedTuple):
    """A run: what it found, and what became of it. ``refused``: why nothing was done that should have been done."""

    seen: Sequence[Seen]
    outcomes: Sequence[Outcome]
    unread: Sequence[Tuple[Origin, Unread]]
    not_matched: int
    now: int
    trouble: Sequence[str] = ()
    refused: str = ""
    guards: Verdict = NO_GUARDS


class Entry(NamedTuple):
    """One session as a result has it.

    ``what`` became of it, its item, and its line in the diff ``before`` and ``after``; ``acted``: something was done.
    ``unmarked``: that was to take notice back.
    Of one that is only counted the item has no ``name``.
    """

    key: str
    what: str
    item: Json
    before: str
    after: str
    acted: bool
    unmarked: bool = False

    @property
    def counted(self) -> "Entry":
        """The same, without what makes it long."""
        item = {"owner": self.item["owner"], "freed": self.item["freed"]}
        moves = "" if self.before == self.after else "moves"
        return self._replace(item=item, before=moves, after="")


class Whole(NamedTuple):
    """What a result is made of. ``judged_at``: None if nothing was."""

    entries: Sequence[Entry]
    servers: Sequence[Json]
    owners: Sequence[Json]
    not_matched: int
    judged_at: Optional[int]
    recovered: bool = False


def result(run: Pruned, activity: str, bounds: Bounds = LISTED) -> Json:
    """The result of a run over what one process has seen."""
    servers = [one.server.as_dict() for one in run.seen]
    return told(
        Whole(entries(run, activity), servers, owners(run), run.not_matched, run.now, any_recovered(run.seen)), bounds
    )


def told(whole: Whole, bounds: Bounds = LISTED) -> Json:
    """Every session that was looked at, exactly once: in a list, or, where there are too many, in a number."""
    lists: Dict[str, List[Json]] = {what: [] for what in OUTCOMES}
    unlisted: Dict[str, Json] = {}
    counts = dict.fromkeys(OUTCOMES, 0)
    for entry in whole.entries:
        counts[entry.what] += 1
        if "name" in entry.item:
            lists[entry.what].append(entry.item)
        else:
            owner = entry.item["owner"]
            unlisted.setdefault(owner, dict(dict.fromkeys(OUTCOMES, 0), owner=owner))[entry.what] += 1
    sessions = within({what: in_order(items) for what, items in lists.items()}, bounds, list(unlisted.values()))
    within_bounds = with_servers(whole.servers, sessions)
    looked_at, unmarked = len(whole.entries), sum(entry.unmarked for entry in whole.entries)
    others = {"not_matched": whole.not_matched, "servers": len(whole.servers), "unmarked": unmarked}
    return {
        "changed": whole.recovered or any(entry.acted for entry in whole.entries),
        **within_bounds.lists,
        "unlisted": within_bounds.unlisted,
        "owners": sorted(whole.owners, key=lambda item: str(item["owner"])),
        "counts": dict(counts, looked_at=looked_at, **others),
        "freed": _sum(entry.item["freed"] for entry in whole.entries),
        "judged_at": whole.judged_at,
    }


def plainly(whole: Whole) -> Json:
    """The same as it came, for when the result cannot be made: without order, bounds and sums."""
    lists = {what: [one.item for one in whole.entries if one.what == what and "name" in one.item] for what in OUTCOMES}
    changed = whole.recovered or any(one.acted for one in whole.entries)
    return dict(EMPTY_RESULT, changed=changed, servers=list(whole.servers), judged_at=whole.judged_at, **lists)


def within(lists: Dict[str, List[Json]], bounds: Bounds = LISTED, unlisted: Sequence[Json] = ()) -> Bounded:
    """Items by outcome, in the order in which people look for them, as far as the bounds let them in.

    :param unlisted: what was left out before, in the same shape.
    """
    told = bounded(lists, bounds, _ORDER, unlisted)
    return told._replace(lists={what: in_order(items) for what, items in told.lists.items()})


def owners(run: Pruned) -> List[Json]:
    """What guards have counted of each owner, and what they say of it."""
    names = {outcome.subject.origin.uid: outcome.subject.origin.owner for outcome in run.outcomes}
    return [
        {
            "owner": named(names[uid]),
            "removals": count.removals,
            "unprotected": count.unprotected,
            "over_limit": uid in run.guards.over,
            "message": run.guards.why_not(uid),
        }
        for uid, count in run.guards.counts.items()
    ]


def over_limit(told: Json) -> List[str]:
    """A sentence for each owner whom a result says to be over the limit for one."""
    return [f"nothing of {it['owner']} was removed: {it['message']}" for it in told["owners"] if it["over_limit"]]


def entries(run: Pruned, activity: str) -> List[Entry]:
    """Every session of a run."""
    holders = _Holders(run)
    made = [entry(outcome, activity, run.now, holders) for outcome in run.outcomes]
    return made + [unread_entry(origin, lost, number) for number, (origin, lost) in enumerate(run.unread)]


def entry(outcome: Outcome, activity: str, now: int, holders: "Optional[_Holders]" = None) -> Entry:
    """One session of a run. What lives on of it is known when all is done."""
    subject = outcome.subject
    key = "%d %s" % (subject.origin.place, brief(subject.session.id))
    item = _item(outcome, max(0, now - last_use(subject, activity)), now, holders)
    line = " ".join((named(subject.origin.owner), brief(subject.origin.socket), named(subject.session.name)))
    before = line + (" (notice)" if subject.session.notice else "")
    after = "" if _has_gone(outcome) else line + (" (notice)" if _bears_notice(outcome) else "")
    acted = outcome.what in (REMOVED, MARKED) or outcome.unmarked
    return Entry(key, outcome.what, item, before, after, acted, outcome.unmarked)


def unread_entry(origin: Origin, lost: Unread, number: int) -> Entry:
    """A session of which little is known."""
    return Entry("unread %d" % number, KEPT, _unread_item(origin, lost), "", "", False)


def diff(run: Pruned) -> Dict[str, Dict[str, List[str]]]:
    """The diff of a run over what one process has seen."""
    return told_diff(entries(run, "any"))


def told_diff(every: Iterable[Entry]) -> Dict[str, Dict[str, List[str]]]:
    """Sorted lists of all sessions looked at, before and after; notice shows behind the name.

    Where there are too many, what stays as it is goes first; how many more there are stands at the end.
    """
    lists: Dict[str, List[Json]] = {"changed": [], "same": []}
    unlisted: Dict[str, Json] = {}
    for one in every:
        owner, kind = one.item["owner"], "same" if one.before == one.after else "changed"
        if "name" not in one.item:
            unlisted.setdefault(owner, {"owner": owner, "changed": 0, "same": 0})[kind] += 1
        elif one.before:
            lists[kind].append({"owner": owner, "name": "", "before": one.before, "after": one.after})
    bound = bounded(lists, _DIFF, ("changed", "same"), list(unlisted.values()))
    return {side: {"sessions": _side(bound, side)} for side in ("before", "after")}


def _side(told: Bounded, side: str) -> List[str]:
    lines = sorted(item[side] for items in told.lists.values() for item in items if item[side])
    same, changed = (sum(one[key] for one in told.unlisted) for key in ("same", "changed"))
    lines += ["and %d more sessions that stay as they are" % same] if same else []
    return lines + (["and %d more sessions that do not" % changed] if changed and side == "before" else [])


def _has_gone(outcome: Outcome) -> bool:
    return outcome.what == REMOVED or outcome.reason == "vanished"


def _bears_notice(outcome: Outcome) -> bool:
    return outcome.what == MARKED or (bool(outcome.subject.session.notice) and not outcome.unmarked)


def _item(outcome: Outcome, idle: int, now: int, holders: "Optional[_Holders]") -> Json:
    subject = outcome.subject
    survivors, others = first(outcome.survivors, SURVIVORS)
    lives_on, windows = holders.lives_on(subject) if holders is not None and outcome.what == REMOVED else ([], 0)
    files = files_told(outcome.cleaned_up, subject.origin.discreet)
    return {
        **who(subject.origin.owner, subject.origin.socket, subject.session.name, subject.session.id, subject.identity),
        "reason": outcome.reason,
        "detail": brief(outcome.detail + ("; notice is taken back" if outcome.unmarked else "")),
        "idle": idle,
        "evidence": _evidence(subject, now),
        "snapshot": brief(outcome.snapshot) if outcome.snapshot else None,
        "survivors": [survivor.as_dict() for survivor in survivors],
        "lives_on": lives_on,
        **files,
        "freed": outcome.freed._asdict(),
        "more": dict(files["more"], survivors=others, lives_on=windows),
    }


def _unread_item(origin: Origin, lost: Unread) -> Json:
    return {
        **who(origin.owner, origin.socket, lost.name, lost.id),
        "reason": "unknown",
        "detail": brief(lost.reason),
        "idle": None,
        "evidence": {},
        "snapshot": None,
        "survivors": [],
        "lives_on": [],
        "removed_files": [],
        "left_files": [],
        "freed": Freed()._asdict(),
        "more": dict(_MORE),
    }


def _evidence(subject: Subject, now: int) -> Json:
    said = subject.session.keep
    found = dict(evidence(subject.session), keep=understood(said) if subject.origin.discreet else named(said))
    signs, more = first(subject.signs, SIGNS)
    found["signs"] = [sign.as_dict(subject.origin.discreet, now) for sign in signs]
    found["more"] = {"signs": more}
    if subject.watched is not None:
        work = subject.watched
        found.update(watched_seconds=work.seconds, cpu_ticks=work.cpu_ticks, io_calls=work.calls)
    return found


def _sum(sizes: Iterable[Json]) -> Json:
    every = list(sizes)
    return {key: sum(size[key] for size in every) for key in Freed._fields}


class _Holders:
    """The windows that stay when sessions go, because sessions that stay hold them too (groups, links)."""

    def __init__(self, run: Pruned) -> None:
        gone = {outcome.subject.key for outcome in run.outcomes if outcome.what == REMOVED}
        names: Dict[Tuple[int, str], Dict[str, str]] = {}
        for place in sorted({place for place, _id in gone}):
            for session in run.seen[place].listing.sessions:
                if (place, session.id) not in gone:
                    for window in session.windows:
                        names.setdefault((place, window.id), {})[session.id] = session.name
        # Any number of sessions that go may have held the same window: it is put into words once.
        self._told = {key: _holding(list(held.values())) for key, held in names.items()}

    def lives_on(self, subject: Subject) -> Tuple[List[Json], int]:
        """Which windows of a session stay, and in which sessions; and how many more."""
        place = subject.origin.place
        stay = {window.id: window for window in subject.session.windows if (place, window.id) in self._told}
        windows, more = first(list(stay.values()), LIVING_ON)
        # Many windows are named after a file, a host or a title of what runs in them.
        names = [None if subject.origin.discreet else named(each.name) for each in windows]
        return [
            {"window": each.id, "name": name, **self._told[place, each.id]} for each, name in zip(windows, names)
        ], more


def _holding(names: Sequence[str]) -> Json:
    """The sessions that hold a window."""
    told = heapq.nsmallest(HOLDERS, names)
    return {"sessions": [named(each) for each in told], "more": {"sessions": len(names) - len(told)}}
