# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Saves sessions of one server before they, or windows of theirs, are removed because of what is declared."""

import time
from typing import Dict, NamedTuple, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._actions.saved import SnapshotError
from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive
from ansible_collections.fleet.tmux.plugins.module_utils._policy.keep import unsaved_wished
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import PATIENCE, Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Listing, Session, read_or_nothing

_SECONDS = 0.2
"""How long saving a session may take on average."""


class Saved(NamedTuple):
    """By the ids of sessions: where each was saved, and why one could not be, which is to stay then."""

    paths: Dict[str, str]
    problems: Dict[str, str]


def _unread(listing: Listing, lost: Sequence[Session]) -> Dict[str, str]:
    """Which of those that are not listed may be there nevertheless, and why they could not be looked at."""
    reasons = {one.id: one.reason for one in listing.unread}
    cut = {} if listing.whole else {session.id: "its tmux did not list all that it has" for session in lost}
    return {**cut, **{session.id: reasons[session.id] for session in lost if session.id in reasons}}


def saved(seen: Seen, sessions: Sequence[Session], archive: Optional[Archive]) -> Saved:
    """Save sessions as they are now, but for those whose user wants no snapshot, and those that have just ended."""
    paths: Dict[str, str] = {}
    problems: Dict[str, str] = {}
    wanted = [] if archive is None else [one for one in sessions if not unsaved_wished(one.no_snapshot)]
    if archive is None or not wanted:
        return Saved(paths, problems)
    end = time.monotonic() + PATIENCE * seen.client.timeout + _SECONDS * len(wanted)
    try:
        listing = read_or_nothing(seen.client)
    except TmuxError as error:
        return Saved(paths, {session.id: error.message for session in wanted})
    there = {one.id: one for one in listing.sessions}
    problems.update(_unread(listing, [session for session in wanted if session.id not in there]))
    for session in [there[session.id] for session in wanted if session.id in there]:
        try:
            if time.monotonic() > end:
                raise SnapshotError("saving the others has taken too long")
            paths[session.id] = archive.save(seen, session, seen.server.user, int(time.time())).path
        except SnapshotError as error:
            problems[session.id] = str(error)
    return Saved(paths, problems)
