# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps what was seen of sessions between two runs, where only root, or who runs us, can write."""

import contextlib
import os
from typing import Callable, Dict, Iterable, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._host import folders
from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import Untrusted, reached
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import read_process
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import last_output
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import Decision, Subject
from ansible_collections.fleet.tmux.plugins.module_utils._signs import memory
from ansible_collections.fleet.tmux.plugins.module_utils._signs.memory import Memory, Remembered
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen


class Diary:
    """The directory of what is remembered: one file for each owner, of whoever runs us."""

    def __init__(self, path: str) -> None:
        self._path = path

    def read(self, uids: Iterable[int]) -> Memory:
        """What is remembered of the sessions of some owners; nothing where it cannot be read or trusted."""
        found: Memory = {}
        with contextlib.suppress(OSError, Untrusted), reached(self._path, {os.geteuid()}, alone=True) as there:
            if not there.missing:
                for uid in uids:
                    found.update(self._read(uid, there.handle))
        return found

    def _read(self, uid: int, folder: int) -> Memory:
        try:
            return memory.read(folders.read_file(_name(uid), folder, os.geteuid(), memory.BYTES_LIMIT))
        except (OSError, Untrusted):
            return {}

    def write(self, seen: Sequence[Seen], decisions: Sequence[Decision], old: Memory, now: int) -> None:
        """Remember what was seen in this run. It is no change: where it cannot be written, a verdict knows less."""
        new: Dict[int, Memory] = {one.server.user.uid: {} for one in seen}
        for decision in decisions:
            subject = decision.subject
            seen_now = _look(subject, old.get(subject.identity), now)
            if seen_now is not None:
                new[subject.origin.uid][subject.identity] = seen_now
        ended = _ended(seen)
        ours = {os.geteuid()}
        with contextlib.suppress(OSError, Untrusted), reached(self._path, ours, alone=True, make=True) as place:
            for uid, found in new.items():
                merged = memory.merged(self._read(uid, place.handle), found, ended, now)
                folders.replace_file(_name(uid), memory.written(merged), place.handle)


def _look(subject: Subject, then: Optional[Remembered], now: int) -> Optional[Remembered]:
    """What is to be remembered of a session; None where nothing was seen of it."""
    active = max((sign.at for sign in subject.signs if sign.at is not None and sign.at <= now), default=0)
    if subject.used is None and then is not None:
        return memory.still(then, active, now)
    if subject.used is None and not active:
        return None
    printed = min(now, subject.printed if subject.noise else last_output(subject.session))
    used = subject.used or {}
    return memory.look(subject.session, subject.processes, used, subject.shown, now, active, printed)


def _ended(seen: Sequence[Seen]) -> Callable[[str], bool]:
    """Whether a session, by who it is on its host, has ended, as far as this run can tell.

    Of a server that was not asked, or has not listed all that it holds, nobody knows, as long as its process lives.
    """
    whole = [one for one in seen if one.listing.pid is not None and one.listing.whole and not one.listing.unread]
    servers = tuple(f"{one.listing.pid}/{one.listing.start_time}/" for one in whole)
    there = {one.identity(each) for one in seen for each in one.listing.sessions}

    def ended(who: str) -> bool:
        return who not in there and (who.startswith(servers) or not _lives(who.partition("/")[0]))

    return ended


def _lives(pid: str) -> bool:
    try:
        process = read_process(int(pid), ())
    except ValueError:
        return False
    return process is not None and process.alive


def _name(uid: int) -> str:
    return "%d.json" % uid
