# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks anew at sessions whose clients were in panes that have gone, before they go themselves."""

from typing import Collection, List, NamedTuple, Sequence, Tuple, Union

from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as host
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import (
    Attachment,
    Decision,
    Key,
    Outcome,
    kept,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import fields
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    Listing,
    Session,
    Unread,
    read_or_nothing,
)

_PAUSES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between looks for clients that end with their terminal."""


class Anew(NamedTuple):
    """What may go on, with what its session looks like now; and what became of those that stay."""

    decisions: List[Decision]
    outcomes: List[Outcome]


def judged_anew(one: Seen, decisions: Sequence[Decision], gone: Collection[Key]) -> Anew:
    """See whether nothing has happened in sessions but that clients have gone with the panes they sat in.

    :param gone: the sessions that were removed.
    """
    try:
        listing = _when_they_left(one, decisions, gone)
    except TmuxError:
        # The server itself will compare them with what they were.
        return Anew(list(decisions), [])
    there = {session.id: session for session in listing.sessions}
    lost = {each.id: each for each in listing.unread}
    found: List[Union[Decision, Outcome]] = []
    for decision in decisions:
        identity = decision.subject.session.id
        found.append(_anew(decision, there[identity]) if identity in there else _left(decision, lost.get(identity)))
    return Anew(
        [each for each in found if isinstance(each, Decision)], [each for each in found if isinstance(each, Outcome)]
    )


def _when_they_left(one: Seen, decisions: Sequence[Decision], gone: Collection[Key]) -> Listing:
    """What the server lists when clients have left with their terminals; they are given a moment for that."""
    leaving = {
        _who(decision, each)
        for decision in decisions
        for each in decision.subject.clients
        if each.within and set(each.within) <= set(gone)
    }
    guards = decisions[0].subject.session.guards
    listing = read_or_nothing(one.client, guards)
    for pause in _PAUSES:
        left = {(session.id, client.pid, client.tty) for session in listing.sessions for client in session.clients}
        if not left & leaving:
            break
        host.wait(pause)
        listing = read_or_nothing(one.client, guards)
    return listing


def _who(decision: Decision, client: Attachment) -> Tuple[str, object, str]:
    return decision.subject.session.id, client.client.pid, client.client.tty


def _anew(decision: Decision, now: Session) -> Union[Decision, Outcome]:
    subject = decision.subject
    if _apart_from_clients(now) != _apart_from_clients(subject.session):
        return kept(decision, "changed", "something happened to it after it was judged")
    before = {(each.client.pid, each.client.tty, each.client.since): each for each in subject.clients}
    still = [before.get((client.pid, client.tty, client.since)) for client in now.clients]
    known = tuple(each for each in still if each is not None and not each.counts)
    if len(known) < max(now.attached, len(still)):
        return kept(decision, "attached", "somebody has attached after it was judged")
    return decision._replace(subject=subject._replace(session=now, clients=known))


def _left(decision: Decision, lost: Union[Unread, None]) -> Outcome:
    if lost is None:
        return kept(decision, "vanished", "it ended by itself")
    return kept(decision, "unknown", lost.reason)


def _apart_from_clients(session: Session) -> Tuple[object, ...]:
    """All that is compared before a removal, but for how many are attached."""
    clocks = [session.clocks[clock.name] for clock in fields.CLOCKS if clock.of == fields.SESSION]
    panes = sorted(pane.guard for pane in session.panes)
    return session.identity, session.keep, session.notice, len(session.windows), clocks, panes
