# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which clients of a session count, and in which order sessions go that hold each other. Pure.

A client counts while its terminal lives and, where that is asked for, somebody has typed there lately. One that sits in
a pane counts only if that pane stays: whoever holds it must not be up for removal. So the decisions on sessions depend
on each other, and on nothing else but what each of them is for itself: all are taken to go at first, and whatever stays
takes with it what its panes hold, until nothing changes any more. The order does not matter.
"""

from typing import Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import spoken
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import (
    KEEP,
    MARK,
    REMOVE,
    Attachment,
    Decision,
    Key,
    Subject,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import newest_of

STAYS, WAITS, GOES = 0, 1, 2
"""Whether a session stays, is up for removal at a later time (its notice runs), or is removed in this run."""

Ways = Mapping[Key, int]
"""Which of these it is, by session. One that is not there stays."""

Decide = Callable[[Subject], Decision]


class _Looked(NamedTuple):
    """How clients are looked at."""

    idle: Optional[int]
    now: int


def settled(
    subjects: Sequence[Subject],
    decide: Decide,
    idle: Optional[int],
    now: int,
    elsewhere: Optional[Ways] = None,
) -> List[Decision]:
    """What ``decide`` says of each session when only those clients count that mean somebody, in the same order.

    :param idle: seconds after which a client at which nobody types does not count; None: it always does.
    :param elsewhere: which way sessions of others go, in whose panes a client may sit.
    """
    looked = _Looked(idle, now)
    ways: Dict[Key, int] = dict(elsewhere or {})
    ways.update((subject.key, GOES) for subject in subjects)
    inside = _insiders(subjects)
    decisions: Dict[Key, Decision] = {}
    by_key = {subject.key: subject for subject in subjects}
    todo = list(by_key)
    while todo:
        key = todo.pop()
        decisions[key] = decision = _decided(by_key[key], decide, looked, ways)
        way = _way(decision)
        if way < ways[key]:
            ways[key] = way
            todo.extend(inside.get(key, ()))
    return [decisions[subject.key] for subject in subjects]


def _insiders(subjects: Iterable[Subject]) -> Dict[Key, List[Key]]:
    """Who has a client in a pane of a session, by session."""
    found: Dict[Key, List[Key]] = {}
    for subject in subjects:
        for key in {key for each in subject.clients for key in each.within}:
            found.setdefault(key, []).append(subject.key)
    return found


def _decided(subject: Subject, decide: Decide, looked: _Looked, ways: Ways) -> Decision:
    judged = [_judged(each, looked, ways) for each in subject.clients]
    decision = decide(_seen_with(subject, judged))
    ignored = [each for each in judged if not each.counts]
    if decision.action == KEEP or not ignored:
        return decision
    waits = [each for each in ignored if each.why == INSIDE and _pane(each, ways) == WAITS]
    if decision.action == REMOVE and waits:
        return decision.kept("attached", f"{told(waits[:1], looked.now)}, whose own time has not come")
    return decision._replace(detail="; ".join([decision.detail, *_said(ignored)]))


GONE, IDLE, INSIDE = "gone", "idle", "inside"
"""Why a client does not count: its terminal has gone, nobody types there, its pane goes."""


def _judged(client: Attachment, looked: _Looked, ways: Ways) -> Attachment:
    return client._replace(why=_why(client, looked, ways))


def _why(client: Attachment, looked: _Looked, ways: Ways) -> str:
    if not client.lives:
        return GONE
    if looked.idle is not None and client.typed is not None and looked.now - client.typed >= looked.idle:
        return IDLE
    return INSIDE if client.within and _pane(client, ways) > STAYS else ""


def _pane(client: Attachment, ways: Ways) -> int:
    """Which way the pane goes that a client sits in: it goes with the last session that holds it."""
    return min(ways.get(key, STAYS) for key in client.within)


def _seen_with(subject: Subject, clients: Sequence[Attachment]) -> Subject:
    """The session with its clients judged; what was typed at one whose pane goes was typed there."""
    if not clients:
        return subject
    known = newest_of([each.client for each in clients if each.why != INSIDE])
    session = subject.session._replace(clocks=dict(subject.session.clocks, **known))
    return subject._replace(session=session, clients=tuple(clients))


def _way(decision: Decision) -> int:
    if decision.action == REMOVE:
        return GOES
    if decision.action == MARK or decision.reason == "notice" or _only_waits(decision):
        return WAITS
    return STAYS


def _only_waits(decision: Decision) -> bool:
    clients = decision.subject.clients
    return decision.reason == "attached" and bool(clients) and not any(each.counts for each in clients)


def panes_of_others(decision: Decision) -> Set[Key]:
    """The panes of other owners in which all clients sit that keep a session; none where one sits elsewhere."""
    counting = [set(each.within) for each in decision.subject.clients if each.counts]
    foreign = [{key for key in within if key[0] < 0} for within in counting]
    if decision.action != KEEP or decision.reason != "attached" or not all(foreign):
        return set()
    return {key for own in foreign for key in own}


# --- in words


def told(clients: Sequence[Attachment], now: int, number: int = 0) -> str:
    """Which clients protect: how many there are (``number``, if not all are known), and the one last typed at."""
    first = max(clients, key=lambda each: (each.typed or 0, each.client.since or 0), default=None)
    number = max(number, len(clients))
    if first is None:
        return "1 client" if number == 1 else f"{number} clients"
    which = "a client" if number == 1 else f"{number} clients, one of them"
    return f"{which}{_where(first)}{_since(first, now)}"


def _where(client: Attachment) -> str:
    where = f" in a pane of {sessions(client.within)}" if client.within else ""
    return f" in control mode{where}" if client.client.control else where


def _since(client: Attachment, now: int) -> str:
    since = f" since {_ago(client.client.since, now)}" if client.client.since is not None else ""
    return since if client.typed is None else f"{since}, last input {_ago(client.typed, now)} ago"


def _ago(moment: int, now: int) -> str:
    return spoken(max(0, now - moment))


def sessions(keys: Iterable[Key]) -> str:
    """Sessions by their ids; one of another user by what is known of it."""
    return " and ".join(sorted({"another user's session" if place < 0 else name for place, name in keys}))


def _said(ignored: Sequence[Attachment]) -> List[str]:
    """Why clients did not keep a session."""
    said = [
        _SENTENCES[each.why] % sessions(each.within) if each.why == INSIDE else _SENTENCES[each.why] for each in ignored
    ]
    return sorted(set(said))


_SENTENCES = {
    GONE: "the terminal of its client has gone",
    IDLE: "nobody has typed at its client for long enough",
    INSIDE: "its client sits in a pane of %s, which goes first",
}


# --- in which order


def turns(decisions: Sequence[Decision]) -> List[List[Decision]]:
    """Decisions in the order in which they are carried out: the outer ones first, those of a circle together."""
    going = {decision.subject.key for decision in decisions if decision.action == REMOVE}
    left = {decision.subject.key: outer(decision) & going - {decision.subject.key} for decision in decisions}
    by_key = {decision.subject.key: decision for decision in decisions}
    found: List[List[Decision]] = []
    done: Set[Key] = set()
    while left:
        ready = [key for key, before in left.items() if before <= done] or _circle(left, done)
        found.append([by_key[key] for key in ready])
        done.update(ready)
        for key in ready:
            del left[key]
    return found


def outer(decision: Decision) -> Set[Key]:
    """The sessions in whose panes clients sit that do not count for that."""
    return {key for each in decision.subject.clients if each.why == INSIDE for key in each.within}


def _circle(left: Mapping[Key, Set[Key]], done: Set[Key]) -> List[Key]:
    """Sessions that hold each other, and that nobody else holds."""
    key = min(left)
    found = _reached(key, left, done)
    further = [each for each in sorted(found) if key not in _reached(each, left, done)]
    while further:
        key = further[0]
        found = _reached(key, left, done)
        further = [each for each in sorted(found) if key not in _reached(each, left, done)]
    return sorted(found)


def _reached(key: Key, left: Mapping[Key, Set[Key]], done: Set[Key]) -> Set[Key]:
    """All that hold a session, and that hold these, and so on."""
    found: Set[Key] = set()
    todo = [key]
    while todo:
        new = left[todo.pop()] - done - found
        found |= new
        todo.extend(new)
    return found
