# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes windows from a session that stays. The server itself compares them with what was seen, as for sessions."""

import re
from typing import (
    Dict,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove import (
    ATTEMPTS,
    CHANGED,
    FLAG,
    NO_TIME,
    PER_CALL,
    VANISHED,
    Answer,
    Order,
    Said,
    batches,
    call,
    comparison,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.recreate import Extra
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    Capability,
    Command,
    Version,
    can_be_compared,
    target,
    while_there,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    IDENTITY,
    Listing,
    Pane,
    Session,
    Window,
    read_or_nothing,
)

_PLAIN = re.compile(r"[A-Za-z0-9_.+-]{1,40}")

_Guard = List[Tuple[str, str]]
"""What is asked, and what was seen."""


class Removal(NamedTuple):
    """Answers by window id, and the server as it is afterwards (None: it could not be asked)."""

    answers: Dict[str, Answer]
    after: Optional[Listing]


def remove_windows(client: Client, version: Version, session: Session, extras: Sequence[Extra]) -> Removal:
    """Remove windows from a session, but none that is not as it was seen, nor the last one that the session has.

    What another session has too is only taken out of this one.
    """
    said = Said()
    pending, after = list(extras), None
    for _attempt in range(ATTEMPTS if extras else 0):
        orders = [_order(session, extra, version, said.nonce) for extra in pending]
        for batch in batches(orders, PER_CALL):
            if not call(client, version, batch, said):
                break
        after = _look_again(client, said)
        pending = [extra for extra in pending if _not_compared(session, extra, said, after, version)]
        said.no_time = {extra.window.id for extra in pending}
        if not pending:
            break
    return Removal({extra.window.id: _answer(session, extra.window, said, after) for extra in extras}, after)


def _order(session: Session, extra: Extra, version: Version, nonce: str) -> Order:
    """Take a window out of a session if all is as it was seen. It ends if no other session has it."""
    place = "%s:%s" % (session.id, extra.window.id)
    flagged: List[Command] = []
    tidy = ""
    guard = _guard(session, extra, version)
    if not version.has(Capability.WINDOWS_IN_FORMATS):
        flagged = [_flagged(session, place, pane, extra) for pane in extra.window.panes]
        tidy = " ; set-option -u -t %s %s" % (target(session.id), FLAG)
    asked, seen = (" ".join(part) for part in zip(*guard))
    same = comparison("%s/%s" % (asked, IDENTITY), "%s/%s" % (seen, session.identity), session.name, version)
    not_last = "#{?#{==:#{session_windows},%d},0,%s}" % (extra.links, same)
    condition = while_there("#{?#{%s},0,%s}" % (FLAG, not_last) if flagged else not_last)
    # Without -k tmux refuses to end what it is not to end.
    take = "unlink-window %s-t %s" % ("" if extra.linked else "-k ", target(place))
    done = " ; ".join(["display-message -p '%s done %s'" % (nonce, extra.window.id), *[take] * extra.links])
    keep = "display-message -p '%s kept %s'%s" % (nonce, extra.window.id, tidy)
    return Order(extra.window.id, [*flagged, ["if-shell", "-F", "-t", place, condition, done, keep]])


def _guard(session: Session, extra: Extra, version: Version) -> _Guard:
    """What of a window is compared: who it is, its panes, and that nobody sees it."""
    window = extra.window
    guard = [("#{window_id}", window.id), ("#{window_panes}", str(len(window.panes)))]
    # Who is attached sees the current window.
    guard.append(("#{window_active}", "0") if session.attached else ("#{session_attached}", "0"))
    guard += [("#{session_group}", session.group), ("#{@keep}", session.keep), ("#{window_name}", window.name)]
    if session.group:
        guard.append(("#{session_group_size}", "1"))
    if version.has(Capability.WINDOWS_IN_FORMATS):
        asked = "#{P:+#{pane_id}.#{?pane_dead,,#{pane_pid}%s}}" % _command_asked(extra)
        guard.append((asked, "".join(_shown(pane, extra) for pane in window.panes)))
    return [each for each in guard if can_be_compared(each[1], version)]


def _command_asked(extra: Extra) -> str:
    """What tells of a living pane what runs in it, where that is compared: each pane for itself."""
    asked = ".#{pane_current_command}"
    for pane in extra.window.panes:
        if not pane.dead and not _is_compared(pane, extra):
            asked = "#{?#{==:#{pane_id},%s},,%s}" % (pane.id, asked)
    return asked


def _shown(pane: Pane, extra: Extra) -> str:
    command = "." + pane.command if _is_compared(pane, extra) else ""
    return "+%s.%s%s" % (pane.id, "" if pane.pid is None else pane.pid, command)


def _is_compared(pane: Pane, extra: Extra) -> bool:
    """Whether what runs in a pane is compared: in a shell in which somebody may begin something just now."""
    at_prompt = not extra.linked and not pane.dead and not (extra.ours and pane.start_command)
    return at_prompt and _PLAIN.fullmatch(pane.command) is not None


def _flagged(session: Session, place: str, pane: Pane, extra: Extra) -> Command:
    """Where one condition cannot see all panes: each one's sets a flag, and the removal asks for it."""
    asked, seen = "#{pane_id}.#{pane_dead}", "%s.%d" % (pane.id, pane.dead)
    if not pane.dead:
        asked, seen = asked + ".#{pane_pid}", "%s.%d" % (seen, pane.pid or 0)
    if _is_compared(pane, extra):
        asked, seen = asked + ".#{pane_current_command}", "%s.%s" % (seen, pane.command)
    flag = "set-option -t %s %s 1" % (target(session.id), FLAG)
    return ["if-shell", "-F", "-t", "%s.%s" % (place, pane.id), "#{==:%s,%s}" % (asked, seen), "", flag]


def _not_compared(session: Session, extra: Extra, said: Said, after: Optional[Listing], version: Version) -> bool:
    """Whether the server has kept a window although it is as it was seen: see ``FORMATS_ARE_CUT_OFF``."""
    kept = extra.window.id in said.kept - said.done
    if after is None or not kept or not version.has(Capability.FORMATS_ARE_CUT_OFF):
        return False
    now = _found(session, extra.window, after)
    if now is None or now[0].identity != session.identity or len(now[0].windows) == extra.links:
        return False
    if session.group and [one.group for one in after.sessions].count(session.group) > 1:
        return False
    return _guard(now[0], extra._replace(window=now[1]), version) == _guard(session, extra, version)


def _found(session: Session, window: Window, listing: Listing) -> Optional[Tuple[Session, Window]]:
    """A window as its session has it now, if it does."""
    for one in listing.sessions:
        if _lasting(one) == _lasting(session):
            return next(((one, each) for each in one.windows if each.id == window.id), None)
    return None


def _lasting(session: Session) -> str:
    """Who a session is, whatever it is called."""
    return session.identity[: len(session.identity) - len(session.name)]


def _look_again(client: Client, said: Said) -> Optional[Listing]:
    try:
        return read_or_nothing(client)
    except TmuxError as error:
        said.trouble.append(error.message)
        return None


def _answer(session: Session, window: Window, said: Said, after: Optional[Listing]) -> Answer:
    if after is None or session.id in [lost.id for lost in after.unread]:
        return Answer("done") if window.id in said.done else Answer("error", said.last or "it could not be looked at")
    if _found(session, window, after) is None:
        return Answer("done") if window.id in said.done else Answer("vanished", VANISHED)
    if window.id in said.no_time:
        return Answer("changed", NO_TIME)
    if window.id in said.kept:
        return Answer("changed", CHANGED)
    return Answer("error", said.last or "tmux did not remove it")
