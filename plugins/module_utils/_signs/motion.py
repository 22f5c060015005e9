# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the output of a session means something: what only shows, blinks or draws itself anew is noise."""

import hashlib
import re
import secrets
from typing import Collection, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Identity, Process, Processes, identity
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import SHOWS, WORKS, Cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.work import Spending, nearly_still
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import fields
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import Command
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Pane, Session, Window

PANES_LIMIT = 500
"""Panes of one server whose text is looked at."""
_PER_CALL = 50
_BYTES_PER_CALL = 4 * 1024 * 1024
_LINE = re.compile(rb"(%[0-9]{1,15}) ([0-9]{1,9} [0-9]{1,9} [0-9]{1,9})\n")

Screens = Dict[str, str]
"""What panes show, by id: a fingerprint of their text, and how long their history is and where the cursor stands."""


class Moment(NamedTuple):
    """A session at one moment: as it was listed, who is there, what these had used, and what its panes showed."""

    session: Session
    cast: Cast
    processes: Processes
    used: Spending
    screens: Screens


def screens(client: Client, panes: Sequence[str]) -> Screens:
    """What panes show, as far as their server tells; of too many, and of those that have gone, nothing."""
    found: Screens = {}
    listed = sorted(set(panes))[:PANES_LIMIT]
    for start in range(0, len(listed), _PER_CALL):
        nonce = secrets.token_hex(8)
        commands = [command for pane in listed[start : start + _PER_CALL] for command in _showing(pane, nonce)]
        try:
            printed = client.call(commands, limit=_BYTES_PER_CALL)
        except TmuxError:
            break  # What is not known is never the same.
        found.update(_read(printed, nonce))
    return found


def _showing(pane: str, nonce: str) -> List[Command]:
    head = "%s|#{pane_id} #{history_size} #{cursor_x} #{cursor_y}" % nonce
    return [["display-message", "-p", "-t", pane, head], ["capture-pane", "-p", "-t", pane]]


def _read(printed: bytes, nonce: str) -> Screens:
    found = {}
    for part in printed.split(nonce.encode("ascii") + b"|")[1:]:
        head = _LINE.match(part)
        if head is not None:
            text = hashlib.sha256(part[head.end() :]).hexdigest()
            found[head.group(1).decode("ascii")] = "%s %s" % (head.group(2).decode("ascii"), text)
    return found


def same_but_output(one: Session, other: Session) -> bool:
    """Whether nothing has happened to a session between two listings, or nothing but output."""
    return _without_output(one) == _without_output(other)


def _without_output(it: Session) -> Tuple[object, ...]:
    clocks = {clock.name for clock in fields.CLOCKS if clock.of == fields.SESSION and clock.kind != fields.OUTPUT}
    windows = [(each.id, sorted((pane.id, pane.pid, pane.dead) for pane in each.panes)) for each in it.windows]
    own = sorted((name, moment or 0) for name, moment in it.clocks.items() if name in clocks)
    return it.identity, it.name, it.keep, it.notice, it.attached, own, sorted(windows)


def compared_as(session: Session, listed: Session) -> Session:
    """A session as it was judged, to be compared with how it was listed later: nothing else was to be seen then."""
    guards = {(window.id, pane.id): pane.guard for window in listed.windows for pane in window.panes}

    def with_guards(window: Window) -> Window:
        return window._replace(panes=tuple(pane._replace(guard=guards[window.id, pane.id]) for pane in window.panes))

    windows = tuple(with_guards(window) for window in session.windows)
    return session._replace(guard=listed.guard, guards=listed.guards, windows=windows)


def loud(session: Session, since: int) -> FrozenSet[str]:
    """The windows that had output since a moment."""
    return frozenset(window.id for window in session.windows if _printed(window) > since)


def unmoved(before: Session, after: Session, windows: Collection[str]) -> FrozenSet[str]:
    """Those of these windows that had no output between two listings, as far as their clocks tell."""
    then = {window.id: _printed(window) for window in before.windows}
    return frozenset(
        window.id for window in after.windows if window.id in windows and _printed(window) <= then.get(window.id, 0)
    )


def shown_since(session: Session, cast: Cast, processes: Processes, began: Collection[int]) -> FrozenSet[str]:
    """The windows of which every pane has had a program in its foreground for all the time that only shows.

    What was printed since that was started is its own, whether more of it comes while somebody looks or not.

    :param began: the pids of what was started before that time.
    """
    fronts = {each.terminal for each in cast.of(SHOWS) if each.is_foreground and each.pid in began}
    known = {process.pid: process for process in cast.processes}

    def shows(pane: Pane) -> bool:
        program = known.get(pane.pid or 0)
        if program is None or program.terminal not in fronts:
            return False
        return not _working(cast, processes, _below(cast, processes, pane))

    return frozenset(window.id for window in session.windows if all(shows(pane) for pane in window.panes))


def silent_since(
    session: Session, cast: Cast, processes: Processes, same: Collection[str], programs: Collection[int]
) -> FrozenSet[str]:
    """The windows in which nothing has happened since the last look that could mean something, by their panes.

    :param same: the ids of panes that show what they showed then.
    :param programs: the pids of panes' programs that have waited for nobody since: what sits at a prompt there has run
        no command.
    """

    def silent(pane: Pane) -> bool:
        if pane.id in same:
            return True
        return pane.pid in programs and not _working(cast, processes, _below(cast, processes, pane))

    return frozenset(window.id for window in session.windows if all(silent(pane) for pane in window.panes))


def _printed(window: Window) -> int:
    moments = [window.clocks[clock.name] or 0 for clock in fields.CLOCKS if clock.of == fields.WINDOW]
    return max(moments, default=0)


def noise(before: Moment, after: Moment, windows: Iterable[str], seconds: float) -> Optional[FrozenSet[Identity]]:
    """Whether the output of these windows, which had some in between, means nothing: None if it may mean something.

    Else those who made it though they count: what they wrote changed nothing, so that it is no work either.
    """
    wanted = set(windows)
    panes = [pane for window in after.session.windows if window.id in wanted for pane in window.panes]
    makers = [_makers_of_nothing(before, after, pane, seconds) for pane in panes if pane.pid is not None]
    if any(each is None for each in makers):
        return None
    return frozenset(who for each in makers for who in each or ())


def _makers_of_nothing(before: Moment, after: Moment, pane: Pane, seconds: float) -> Optional[List[Identity]]:
    """Who made what changed nothing in a pane, nobody where none that counts could; None if it may mean something."""
    then, now = _of_pane(before, pane), _of_pane(after, pane)
    if not then or not now:
        return None
    shown = before.screens.get(pane.id)
    if not _does_work(before, then) and not _does_work(after, now):
        return [] if _is_shown_to(after, now) or _same_line(shown, after.screens.get(pane.id)) else None
    if shown is None or shown != after.screens.get(pane.id):
        return None
    makers = [identity(each) for each in _makers(after, now)]
    return makers if all(nearly_still(before.used, after.used, who, seconds) for who in makers) else None


def _is_shown_to(moment: Moment, pids: Set[int]) -> bool:
    """Whether a program that only shows has the terminal: it may print as much as it likes."""
    return any(process.pid in pids and process.is_foreground for process in moment.cast.of(SHOWS))


def _same_line(before: Optional[str], after: Optional[str]) -> bool:
    """Whether the cursor stands in the line in which it stood: a prompt draws itself anew where it is, and an answer to
    something that was typed there takes more lines."""
    if before is None or after is None:
        return False
    (history, _column, line, _text), (longer, _new, lower, _other) = before.split(" "), after.split(" ")
    return (history, line) == (longer, lower)


def _of_pane(moment: Moment, pane: Pane) -> Set[int]:
    return _below(moment.cast, moment.processes, pane)


def _below(cast: Cast, processes: Processes, pane: Pane) -> Set[int]:
    """The pids of those who may have printed there: all below the pane's program, and who else is at its terminal."""
    found = {process.pid for process in processes.below([pane.pid or 0])}
    terminals = {process.terminal for process in cast.processes if process.pid == pane.pid} - {0}
    named = {process.pid for process in cast.processes if process.terminal in terminals}
    return found | named


def _does_work(moment: Moment, pids: Set[int]) -> bool:
    return _working(moment.cast, moment.processes, pids)


def _working(cast: Cast, processes: Processes, pids: Set[int]) -> bool:
    """Whether one of these counts. Who has just come counts, unless he is a part of what only shows (``watch``)."""
    known = {actor.process.pid: actor.role for actor in cast.actors}

    def role(pid: int) -> str:
        seen: Set[int] = set()
        while pid not in known and pid not in seen:
            seen.add(pid)
            process = processes.table.get(pid)
            pid = process.ppid if process is not None else 0
        found = known.get(pid, WORKS)
        return found if found == SHOWS or not seen else WORKS

    return any(role(pid) == WORKS for pid in pids)


def _makers(moment: Moment, pids: Set[int]) -> List[Process]:
    roles = {actor.process.pid: actor.role for actor in moment.cast.actors}
    return [process for process in moment.cast.processes if process.pid in pids and roles[process.pid] == WORKS]
