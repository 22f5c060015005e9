# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ends sessions. The server itself compares what was seen with what is, and kills in the same command queue."""

import secrets
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Set

from ansible_collections.fleet.tmux.plugins.module_utils._model import (
    IDENTITY,
    Listing,
    Session,
    read_or_nothing,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import (
    Client,
    Command,
    TmuxError,
    Version,
    compared_literal,
    target,
)

PER_CALL = 250
"""Sessions that one client ends at most, so that no call takes long."""

_FLAG = "@fleet_tmux_changed"

_CHANGED = "something happened to it after it was judged"
_VANISHED = "it was gone before that"


class Order(NamedTuple):
    """Kill ``id`` if ``commands`` find it as it was seen."""

    id: str
    commands: List[Command]


class Outcome(NamedTuple):
    """What became of one: ``removed`` or ``set``, ``changed`` (it lives), ``vanished`` (by itself), or ``failed``."""

    result: str
    detail: str = ""


Act = Callable[[Session], str]
"""The command that is to be carried out for a session, as one text."""


def _kill(session: Session) -> str:
    return "kill-session -t %s" % target(session.id)


def order_if_unchanged(session: Session, version: Version, nonce: str, act: Act = _kill) -> Order:
    """Kill a session (or ``act``) unless anything that its guards see has happened to it since it was listed."""
    if version.at_least(2, 9):
        condition = _same(session.guards.session, session.guard, session.name, version)
        return Order(session.id, [_judged(session, condition, nonce, act)])
    places = [(window, pane) for window in session.windows for pane in window.panes]
    commands = [_flagged(session, "%s.%s" % (window.id, pane.id), pane.guard, version) for window, pane in places]
    condition = "#{?#{%s},0,%s}" % (_FLAG, _same(session.guards.session, session.guard, session.name, version))
    return Order(session.id, commands + [_judged(session, condition, nonce, act, " ; set-option -u -t %s %s")])


def order_if_same(session: Session, version: Version, nonce: str, act: Act = _kill) -> Order:
    """Kill a session (or ``act``) if it still is who it was (server, id, creation and name), whatever it does."""
    condition = _same(IDENTITY, session.identity, session.name, version)
    return Order(session.id, [_judged(session, condition, nonce, act)])


def _same(guard: str, seen: str, name: str, version: Version) -> str:
    if ("{" in name or "}" in name) and not version.at_least(2, 9):
        # There every brace counts, escaped or not: such a name cannot be written. All the rest is compared.
        guard = guard[: -len("/#{session_name}")]
        seen = seen[: -len("/" + name)]
    # Without the outer condition, tmux 3.2 crashes when the target has gone: it evaluates clocks of no session.
    return "#{?#{session_id},#{==:%s,%s},0}" % (guard, compared_literal(seen, version))


def _judged(session: Session, condition: str, nonce: str, act: Act, tidy: str = "") -> Command:
    done = "display-message -p '%s done %s' ; %s" % (nonce, session.id, act(session))
    # First the word: what follows it fails when the session has gone.
    after = tidy % (target(session.id), _FLAG) if tidy else ""
    keep = "display-message -p '%s kept %s'%s" % (nonce, session.id, after)
    return ["if-shell", "-F", "-t", session.id, condition, done, keep]


def _flagged(session: Session, pane: str, seen: str, version: Version) -> Command:
    """Before 2.9 one condition cannot see all windows: each pane's sets a flag, and the kill asks for it.

    The place is written out from the session on: in a group, a pane alone would be looked at in any of its sessions.
    """
    same = "#{==:%s,%s}" % (session.guards.pane, compared_literal(seen, version))
    flag = "set-option -t %s %s 1" % (target(session.id), _FLAG)
    return ["if-shell", "-F", "-t", "%s:%s" % (session.id, pane), same, "", flag]


class Result(NamedTuple):
    """Outcomes by session id, and the server as it is afterwards (None: it could not be asked)."""

    outcomes: Dict[str, Outcome]
    after: Optional[Listing]

    @property
    def remaining(self) -> Sequence[Session]:
        """The sessions that are still there, as far as they could be read."""
        return self.after.sessions if self.after is not None else ()

    @property
    def whole(self) -> bool:
        """Whether those are all."""
        return self.after is not None and not self.after.unread


def remove(
    client: Client, version: Version, sessions: Sequence[Session], make_order: Callable[[Session, Version, str], Order]
) -> Result:
    """Carry out a removal and look what came of it.

    What a client printed before it failed or timed out counts as much as what the server shows afterwards, so every
    session has an outcome even when something goes wrong half way.
    """
    if not sessions:
        return Result({}, None)
    nonce = secrets.token_hex(8)
    orders = [make_order(session, version, nonce) for session in sessions]
    said = _give(client, version, orders, nonce)
    after = _look_again(client, said)
    return Result({session.id: _outcome(session, said, after) for session in sessions}, after)


def _give(client: Client, version: Version, orders: Sequence[Order], nonce: str) -> "_Said":
    """Give orders; what was said to them."""
    said = _Said(nonce)
    for start in range(0, len(orders), PER_CALL):
        if not _call(client, version, orders[start : start + PER_CALL], said):
            break
    return said


def set_option(
    client: Client, version: Version, name: str, values: Dict[str, Optional[str]], sessions: Sequence[Session]
) -> Dict[str, Outcome]:
    """Give sessions a user option (by session id; None: take it away), and say for each what came of it.

    It is given only to a session that is exactly as it was listed, and taken from one that is still the same. That
    moves none of the clocks of a session. The values are ours: nothing in them has to be quoted.
    """

    def act(session: Session) -> str:
        value = values[session.id]
        given = "%s '%s'" % (name, value) if value is not None else name
        return "set-option %s -t %s %s" % ("" if value is not None else "-u", target(session.id), given)

    nonce = secrets.token_hex(8)
    orders = []
    for session in sessions:
        make = order_if_same if values[session.id] is None else order_if_unchanged
        orders.append(make(session, version, nonce, act))
    said = _give(client, version, orders, nonce)
    if all(session.id in said.done for session in sessions):
        return {session.id: Outcome("set") for session in sessions}
    after = _look_again(client, said)
    return {session.id: _setting(session, said, after) for session in sessions}


def _setting(session: Session, said: "_Said", after: Optional[Listing]) -> Outcome:
    if session.id in said.done:
        return Outcome("set")
    if _still_there(session, after) is False:
        return Outcome("vanished", _VANISHED)
    return _lives(session, said)


def _look_again(client: Client, said: "_Said") -> Optional[Listing]:
    try:
        return read_or_nothing(client)
    except TmuxError as error:
        said.trouble.append(error.message)
        return None


def remove_unchanged(client: Client, version: Version, sessions: Sequence[Session]) -> Result:
    """End ``sessions``, but none to which anything happened since it was listed."""
    return remove(client, version, sessions, order_if_unchanged)


def remove_same(client: Client, version: Version, sessions: Sequence[Session]) -> Result:
    """End ``sessions`` whatever they do now, if they are still the ones that were listed."""
    return remove(client, version, sessions, order_if_same)


class _Said:
    """What the clients of one removal printed."""

    def __init__(self, nonce: str) -> None:
        self.done: Set[str] = set()
        self.kept: Set[str] = set()
        self.asked: Set[str] = set()
        self.trouble: List[str] = []
        self._nonce = nonce

    def take(self, text: str) -> None:
        for line in text.splitlines():
            words = line.split(" ")
            if len(words) == 3 and words[0] == self._nonce:
                (self.done if words[1] == "done" else self.kept).add(words[2])


def _call(client: Client, version: Version, batch: Sequence[Order], said: _Said) -> bool:
    said.asked.update(order.id for order in batch)
    commands = [command for order in batch for command in order.commands]
    try:
        said.take(client.script(commands, version, work=len(batch)).decode("utf-8", "replace"))
        return True
    except TmuxError as error:
        said.take(error.stdout)
        said.trouble.append(error.message)
        # With its last session a server ends, and says so in several ways; only one that hangs is not asked again.
        return error.status != "hung"


def _outcome(session: Session, said: _Said, after: Optional[Listing]) -> Outcome:
    there = _still_there(session, after)
    if there is None:
        if session.id in said.done:
            return Outcome("removed", "the server could not be asked afterwards: %s" % said.trouble[-1])
        return Outcome("failed", said.trouble[-1] if said.trouble else "the server could not be asked")
    if there:
        return _lives(session, said)
    if session.id in said.kept or session.id not in said.asked:
        return Outcome("vanished", _VANISHED)
    return Outcome("removed")


def _lives(session: Session, said: _Said) -> Outcome:
    if session.id in said.kept:
        return Outcome("changed", _CHANGED)
    if session.id in said.done:
        return Outcome("failed", "tmux did not remove it")
    return Outcome("failed", said.trouble[0] if said.trouble else "tmux did not answer for it")


def _still_there(session: Session, after: Optional[Listing]) -> Optional[bool]:
    if after is None:
        return None
    if after.pid is not None and not session.identity.startswith("%d/%d/" % (after.pid, after.start_time or 0)):
        return False  # Another server has taken the place.
    return any(session.id == other.id for other in list(after.sessions) + list(after.unread))
