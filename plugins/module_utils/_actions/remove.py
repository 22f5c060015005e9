# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ends sessions. The server itself compares what was seen with what is, and kills in the same command queue."""

import secrets
from typing import (
    Callable,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    TypeVar,
)

from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    Capability,
    Command,
    Version,
    can_be_compared,
    compared_literal,
    target,
    while_there,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    IDENTITY,
    Guards,
    Listing,
    Pane,
    Session,
    Window,
    read_or_nothing,
)

PER_CALL = 250
"""Sessions that one client ends at most, so that no call takes long."""
PER_LOOK = 50
"""As many at most where each is looked at once more: it is never long from that look to its end."""

ATTEMPTS = 4
"""How often at most a server is asked that keeps a session as it was seen: it may have had no time to compare it."""

FLAG = "@fleet_tmux_changed"

CHANGED = "something happened to it after it was judged"
NO_TIME = "its tmux was so busy that it did not get to see whether it is still as it was"
VANISHED = "it was gone before that"


_One = TypeVar("_One")


class Order(NamedTuple):
    """Kill ``id`` if ``commands`` find it as it was seen."""

    id: str
    commands: List[Command]


class Answer(NamedTuple):
    """What came of an order: ``done``, ``changed`` (it lives), ``vanished`` (by itself), or ``error``.

    Where none was given, for what was seen at the last look, it is the word for that.

    ``done`` is only what the server has said that it did for us.
    """

    result: str
    detail: str = ""


LastLook = Callable[[Sequence[Session]], Dict[str, Answer]]
"""Looks at sessions once more, immediately before they end; the answers of those that are to live after all, by id."""
Act = Callable[[Session], str]
"""The command that is to be carried out for a session, as one text."""


def _kill(session: Session) -> str:
    return "kill-session -t %s" % target(session.id)


def order_if_unchanged(session: Session, version: Version, nonce: str, act: Act = _kill) -> Order:
    """Kill a session (or ``act``) unless anything that its guards see has happened to it since it was listed."""
    if version.has(Capability.WINDOWS_IN_FORMATS):
        condition = _same(session.guards.session, session.guard, session.name, version)
        return Order(session.id, [_judged(session, condition, nonce, act)])
    places = [(window, pane) for window in session.windows for pane in window.panes]
    commands = [_flagged(session, "%s.%s" % (window.id, pane.id), pane.guard, version) for window, pane in places]
    condition = "#{?#{%s},0,%s}" % (FLAG, _same(session.guards.session, session.guard, session.name, version))
    return Order(session.id, commands + [_judged(session, condition, nonce, act, " ; set-option -u -t %s %s")])


def order_if_same(session: Session, version: Version, nonce: str, act: Act = _kill) -> Order:
    """Kill a session (or ``act``) if it still is who it was (server, id, creation and name), whatever it does."""
    condition = _same(IDENTITY, session.identity, session.name, version)
    return Order(session.id, [_judged(session, condition, nonce, act)])


_HELD = "#{W:#{window_id}#{P:+#{pane_id}.#{pane_dead}} }"


def _held(session: Session) -> str:
    """The windows and panes of a session, and which of these are dead."""
    panes = ["".join("+%s.%d" % (pane.id, pane.dead) for pane in window.panes) for window in session.windows]
    return "".join("%s%s " % (window.id, own) for window, own in zip(session.windows, panes))


def order_if_nothing_began(session: Session, version: Version, nonce: str, act: Act = _kill) -> Order:
    """Kill a session (or ``act``) if it still is who it was, and holds what it held, as dead or alive as that was."""
    if version.has(Capability.WINDOWS_IN_FORMATS):
        asked, seen = _HELD, _held(session)
        commands, flagged, tidy = [], "%s", ""
    else:
        asked, seen = "#{session_windows}", str(len(session.windows))
        commands = [_flagged_dead(session, window, pane) for window in session.windows for pane in window.panes]
        flagged, tidy = "#{?#{" + FLAG + "},0,%s}", " ; set-option -u -t %s %s"
    same = _same(f"{asked}/{IDENTITY}", f"{seen}/{session.identity}", session.name, version)
    return Order(session.id, [*commands, _judged(session, flagged % same, nonce, act, tidy)])


def _flagged_dead(session: Session, window: Window, pane: Pane) -> Command:
    """As for all that is compared, where one condition cannot see all windows."""
    same = "#{==:#{window_panes}.#{pane_dead},%d.%d}" % (len(window.panes), pane.dead)
    flag = "set-option -t %s %s 1" % (target(session.id), FLAG)
    return ["if-shell", "-F", "-t", "%s:%s.%s" % (session.id, window.id, pane.id), same, "", flag]


class Terms(NamedTuple):
    """How a session is ordered to end (or what else), and what of it is compared."""

    order: Callable[..., Order]
    compared: Callable[[Session], str]


UNCHANGED = Terms(order_if_unchanged, lambda session: session.guard)
SAME = Terms(order_if_same, lambda session: session.identity)
NOTHING_BEGAN = Terms(order_if_nothing_began, lambda session: _held(session) + session.identity)


def _same(guard: str, seen: str, name: str, version: Version) -> str:
    return while_there(comparison(guard, seen, name, version))


def comparison(guard: str, seen: str, name: str, version: Version) -> str:
    """Whether a guard, which ends with the name of the session, shows what was seen."""
    if not can_be_compared(name, version):  # All the rest is compared.
        guard = guard[: -len("/#{session_name}")]
        seen = seen[: -len("/" + name)]
    return "#{==:%s,%s}" % (guard, compared_literal(seen, version))


def _judged(session: Session, condition: str, nonce: str, act: Act, tidy: str = "") -> Command:
    done = "display-message -p '%s done %s' ; %s" % (nonce, session.id, act(session))
    # First the word: what follows it fails when the session has gone.
    after = tidy % (target(session.id), FLAG) if tidy else ""
    keep = "display-message -p '%s kept %s'%s" % (nonce, session.id, after)
    return ["if-shell", "-F", "-t", session.id, condition, done, keep]


def _flagged(session: Session, pane: str, seen: str, version: Version) -> Command:
    """Where one condition cannot see all windows: each pane's sets a flag, and the kill asks for it.

    The place is written out from the session on: in a group, a pane alone would be looked at in any of its sessions.
    """
    same = "#{==:%s,%s}" % (session.guards.pane, compared_literal(seen, version))
    flag = "set-option -t %s %s 1" % (target(session.id), FLAG)
    return ["if-shell", "-F", "-t", "%s:%s" % (session.id, pane), same, "", flag]


class Removal(NamedTuple):
    """Answers by session id, and the server as it is afterwards (None: it could not be asked)."""

    answers: Dict[str, Answer]
    after: Optional[Listing]

    @property
    def remaining(self) -> Sequence[Session]:
        """The sessions that are still there, as far as they could be read."""
        return self.after.sessions if self.after is not None else ()

    @property
    def whole(self) -> bool:
        """Whether those are all."""
        return self.after is not None and self.after.whole and not self.after.unread


def remove(
    client: Client,
    version: Version,
    sessions: Sequence[Session],
    terms: Terms,
    last_look: Optional[LastLook] = None,
) -> Removal:
    """Carry out a removal and look what came of it.

    What a client printed before it failed or timed out counts as much as what the server shows afterwards, so every
    session has an outcome even when something goes wrong half way.
    """
    if not sessions:
        return Removal({}, None)
    said = Said()
    pending, after = sessions, None
    for _attempt in range(ATTEMPTS):
        for batch in batches(pending, PER_LOOK if last_look is not None else PER_CALL):
            said.spared.update(last_look(batch) if last_look is not None else {})
            orders = [terms.order(session, version, said.nonce) for session in batch if session.id not in said.spared]
            if orders and not call(client, version, orders, said):
                break
        after = _look_again(client, said, sessions[0].guards)
        pending = said.not_compared(pending, after, lambda _session: terms, version)
        if not pending:
            break
    return Removal({session.id: _answer(session, said, after) for session in sessions}, after)


def batches(every: Sequence[_One], most: int) -> Iterator[Sequence[_One]]:
    return (every[start : start + most] for start in range(0, len(every), most))


Options = Mapping[str, Optional[str]]
"""Values of user options by name; None: to be taken away."""


def set_options(
    client: Client, version: Version, values: Mapping[str, Options], sessions: Sequence[Session]
) -> Dict[str, Answer]:
    """Give sessions user options (by session id), or take them away, and say for each what came of it.

    They are given only to a session that is exactly as it was listed, and taken from one that is still the same. That
    moves none of the clocks of a session. The values are ours: nothing in them has to be quoted.
    """

    def act(session: Session) -> str:
        return " ; ".join(_setting_of(session, name, value) for name, value in values[session.id].items())

    def terms(session: Session) -> Terms:
        return UNCHANGED if any(values[session.id].values()) else SAME

    said = Said()
    pending, after = sessions, None
    for _attempt in range(ATTEMPTS):
        orders = [terms(session).order(session, version, said.nonce, act) for session in pending]
        for batch in batches(orders, PER_CALL):
            if not call(client, version, batch, said):
                break
        if all(session.id in said.done for session in sessions):
            return {session.id: Answer("done") for session in sessions}
        after = _look_again(client, said, sessions[0].guards)
        pending = said.not_compared(pending, after, terms, version)
        if not pending:
            break
    return {session.id: _setting(session, said, after) for session in sessions}


def _setting_of(session: Session, name: str, value: Optional[str]) -> str:
    given = "%s '%s'" % (name, value) if value is not None else name
    return "set-option %s -t %s %s" % ("" if value is not None else "-u", target(session.id), given)


def _setting(session: Session, said: "Said", after: Optional[Listing]) -> Answer:
    if session.id in said.done:
        return Answer("done")
    if _still_there(session, after) is False:
        return Answer("vanished", VANISHED)
    return _lives(session, said)


def _look_again(client: Client, said: "Said", guards: Guards) -> Optional[Listing]:
    try:
        return read_or_nothing(client, guards)
    except TmuxError as error:
        said.trouble.append(error.message)
        return None


def remove_unchanged(
    client: Client, version: Version, sessions: Sequence[Session], last_look: Optional[LastLook] = None
) -> Removal:
    """End ``sessions``, but none to which anything happened since it was listed.

    :param last_look: is given some of them at a time, immediately before they end, and says which are to live.
    """
    return remove(client, version, sessions, UNCHANGED, last_look)


def remove_same(client: Client, version: Version, sessions: Sequence[Session]) -> Removal:
    """End ``sessions`` whatever they do now, if they are still the ones that were listed."""
    return remove(client, version, sessions, SAME)


class Said:
    """What the clients of one removal printed."""

    def __init__(self) -> None:
        self.nonce = secrets.token_hex(8)
        self.done: Set[str] = set()
        self.kept: Set[str] = set()
        self.spared: Dict[str, Answer] = {}
        self.no_time: Set[str] = set()
        self.trouble: List[str] = []

    @property
    def last(self) -> str:
        """What went wrong last."""
        return self.trouble[-1] if self.trouble else ""

    def take(self, text: str) -> None:
        for line in text.splitlines():
            words = line.split(" ")
            if len(words) == 3 and words[0] == self.nonce:
                (self.done if words[1] == "done" else self.kept).add(words[2])

    def not_compared(
        self, asked: Sequence[Session], after: Optional[Listing], terms: Callable[[Session], Terms], version: Version
    ) -> List[Session]:
        """Those that the server has kept although they are as they were seen: see ``FORMATS_ARE_CUT_OFF``."""
        if after is None or not version.has(Capability.FORMATS_ARE_CUT_OFF):
            return []
        now = {session.id: session for session in after.sessions}

        def is_as_seen(session: Session) -> bool:
            compared = terms(session).compared
            return session.id in now and compared(now[session.id]) == compared(session)

        undone = self.kept.difference(self.done, self.spared)
        kept = [session for session in asked if session.id in undone and is_as_seen(session)]
        self.no_time = {session.id for session in kept}
        return kept


def call(client: Client, version: Version, batch: Sequence[Order], said: Said) -> bool:
    commands = [command for order in batch for command in order.commands]
    try:
        said.take(client.script(commands, version, work=len(batch)).decode("utf-8", "replace"))
        return True
    except TmuxError as error:
        said.take(error.stdout)
        said.trouble.append(error.message)
        # With its last session a server ends, and says so in several ways; only one that hangs is not asked again.
        return error.status != "hung"


def _answer(session: Session, said: Said, after: Optional[Listing]) -> Answer:
    there = _still_there(session, after)
    if there or (there is None and session.id in said.spared):
        return _lives(session, said)
    if session.id in said.done:
        return Answer("done", "" if after is not None else f"the server could not be asked afterwards: {said.last}")
    if there is None:
        return Answer("error", said.last or "the server could not be asked")
    # Somebody else has ended it, or it has ended by itself: nobody has told us that it was us.
    return Answer("vanished", VANISHED)


def _lives(session: Session, said: Said) -> Answer:
    if session.id in said.spared:
        return said.spared[session.id]
    if session.id in said.no_time:
        return Answer("changed", NO_TIME)
    if session.id in said.kept:
        return Answer("changed", CHANGED)
    if session.id in said.done:
        return Answer("error", "tmux did not remove it")
    return Answer("error", said.trouble[0] if said.trouble else "tmux did not answer for it")


def _still_there(session: Session, after: Optional[Listing]) -> Optional[bool]:
    if after is None:
        return None
    if after.pid is not None and not session.identity.startswith("%d/%d/" % (after.pid, after.start_time or 0)):
        return False  # Another server has taken the place.
    return any(session.id == other.id for other in list(after.sessions) + list(after.unread))
