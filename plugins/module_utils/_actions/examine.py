# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds out what the rules must know of sessions, and lets them decide."""

from typing import List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.clients import Clients
from ansible_collections.fleet.tmux.plugins.module_utils._actions.evidence import with_signs
from ansible_collections.fleet.tmux.plugins.module_utils._actions.watch import watched
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Processes
from ansible_collections.fleet.tmux.plugins.module_utils._policy.attached import Ways
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decide import decide
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import (
    Decision,
    Origin,
    Subject,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._signs.memory import Memory
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import TOO_MANY, Members
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Unread


class Examined(NamedTuple):
    """All sessions that were looked at, and what should happen to each. ``not_matched``: how many patterns left out.

    ``remarks``: what the host does not tell, which nobody needs to hear of each session.
    """

    decisions: List[Decision]
    unread: List[Tuple[Origin, Unread]]
    not_matched: int
    processes: Processes
    remarks: Sequence[str] = ()


def origin(place: int, one: Seen) -> Origin:
    """Where the sessions of a server are."""
    user, listing = one.server.user, one.listing
    return Origin(place, user.name, user.uid, one.server.socket, listing.pid, listing.start_time, one.discreet)


def examine(
    seen: Sequence[Seen],
    policy: Policy,
    now: int,
    elsewhere: Optional[Ways] = None,
    memory: Optional[Memory] = None,
) -> Examined:
    """Decide on every session of every server: by what tmux says, and of those that would go by what the host shows.

    :param elsewhere: what is known of panes of other owners, in which clients may sit.
    :param memory: what was seen at the last look.
    """
    uids = {one.server.user.uid for one in seen if one.listing.sessions}
    processes = Processes.of(*uids) if uids else Processes({})
    members = Members(processes)
    clients = Clients(seen, processes)
    subjects = []
    unread = [(origin(place, one), lost) for place, one in enumerate(seen) for lost in one.listing.unread]
    not_matched = 0
    for place, one in enumerate(seen):
        where = origin(place, one)
        for session in one.listing.sessions:
            if not policy.selects(session):
                not_matched += 1
                continue
            own = members.of(session, one.server.pid, where.uid)
            if own is None:
                unread.append((where, Unread(session.id, session.name, TOO_MANY)))
            else:
                subjects.append(Subject(where, session, own, clients=clients.of(place, session)))
    known = with_signs(seen, processes, subjects, policy, now, elsewhere)
    for number, subject in watched(seen, known.left, policy, now, memory or {}).items():
        known.subjects[number] = subject
    return Examined(decide(known.subjects, policy, now, elsewhere), unread, not_matched, processes, known.remarks)
