# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends a text and keys into one pane of a session, after it has shown something, and waits for what it shows then."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.wait import (
    SEARCHED_LINES,
    PatternError,
    Waiting,
    Wish,
)
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief, shown
from ansible_collections.fleet.tmux.plugins.module_utils._modules.items import Item, who, who_is
from ansible_collections.fleet.tmux.plugins.module_utils._modules.results import TaskError
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session_wait import failure, late
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import require_screens
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import keys
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.details import pane_texts
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Failed, TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Pane, Session

NOTHING: Dict[str, Any] = {"changed": False, "session": None, "pane": None, "sent": [], "timed_out": False}
"""The result before anything was looked at."""

_NOT_SENT = "nothing was sent"
_ENTER = "Enter"

Told = Tuple[Dict[str, Any], Optional[Exception]]


class Wanted(NamedTuple):
    """What is to be sent, where to, and what is waited for. ``keys`` come after the texts, and end with Enter."""

    name: str
    window: Optional[str]
    pane: Optional[str]
    text: Optional[str]
    secret: Optional[str]
    keys: Tuple[str, ...]
    before: Optional[str]
    after: Optional[str]
    seconds: int

    @property
    def typed(self) -> bytes:
        """The texts, as a terminal sends them."""
        return ((self.text or "") + (self.secret or "")).encode("utf-8", "surrogateescape")


def wanted_of(values: Dict[str, Any]) -> Wanted:
    """What the module's options say."""
    return Wanted(
        name=values["name"],
        window=values["window"],
        pane=values["pane"],
        text=values["text"],
        secret=values["secret_text"],
        keys=tuple(values["keys"] or ()) + ((_ENTER,) if values["enter"] else ()),
        before=values["wait_for"],
        after=values["wait_for_after"],
        seconds=values["wait_timeout"],
    )


def send_keys(seen: Seen, wanted: Wanted, check_mode: bool) -> Told:
    """The result, and what went wrong.

    :raises TaskError: when nothing can be sent.
    :raises TmuxError: when tmux could not be asked; nothing was sent then.
    """
    for option, pattern in (("wait_for", wanted.before), ("wait_for_after", wanted.after)):
        if pattern is not None:
            require_screens(seen, option)
    session = _session(seen, wanted.name)
    if session is None:
        return _without_session(seen, wanted, check_mode)
    pane = _pane(session, wanted)
    result = dict(NOTHING, session=who_is(seen, session), pane=pane.id)
    _require_known(seen, wanted)
    if check_mode:
        _state(seen, pane)
        return dict(result, changed=True, sent=_sent(wanted)), None
    if wanted.before is not None:
        timed_out, error = _wait(seen, wanted, pane, wanted.before)
        if error is not None:
            return dict(result, timed_out=timed_out), TaskError(f"{error}; {_NOT_SENT}")
    shows = pane_texts(seen.client, [pane.id], SEARCHED_LINES).get(pane.id, "") if wanted.after is not None else None
    _send(seen, wanted, pane)
    result = dict(result, changed=True, sent=_sent(wanted))
    if wanted.after is None:
        return result, None
    timed_out, error = _wait(seen, wanted, pane, wanted.after, shows)
    return dict(result, timed_out=timed_out), None if error is None else TaskError(f"it was sent; then: {error}")


def _session(seen: Seen, name: str) -> Optional[Session]:
    if any(unread.name == name for unread in seen.listing.unread):
        raise TaskError(f"session {shown(name)!r}: what tmux lists of it cannot be read; {_NOT_SENT}")
    return next((session for session in seen.listing.sessions if session.name == name), None)


def _without_session(seen: Seen, wanted: Wanted, check_mode: bool) -> Told:
    """In check mode an earlier task may have promised to make the session."""
    result = dict(NOTHING, session=who(seen.server.user.name, seen.server.socket, wanted.name))
    if check_mode:
        return dict(result, changed=True, sent=_sent(wanted)), None
    return result, TaskError(f"there is no session {shown(wanted.name)!r}; {_NOT_SENT}")


def _sent(wanted: Wanted) -> List[Item]:
    """What is sent, in its order, as it may be told."""
    texts = [] if wanted.text is None else [{"kind": "text", "value": brief(wanted.text)}]
    secrets = [] if wanted.secret is None else [{"kind": "secret_text", "value": None}]
    return [*texts, *secrets, *({"kind": "key", "value": name} for name in wanted.keys)]


def _pane(session: Session, wanted: Wanted) -> Pane:
    """The pane that the options choose.

    :raises TaskError: when that is none, or several.
    """
    windows = list({window.id: window for window in session.windows}.values())
    if wanted.window is not None:
        named = [each for each in windows if wanted.window in (each.id, str(each.number), each.name)]
        windows = [_only(named, session, "window", wanted.window)]
    elif not (wanted.pane or "").startswith("%"):
        windows = [next((window for window in windows if window.active), windows[0])]
    panes = [pane for window in windows for pane in window.panes]
    if wanted.pane is None:
        return next((pane for pane in panes if pane.active), panes[0])
    chosen: Pane = _only(
        [each for each in panes if wanted.pane in (each.id, str(each.number))], session, "pane", wanted.pane
    )
    return chosen


def _only(found: Sequence[Any], session: Session, what: str, said: str) -> Any:
    if len(found) == 1:
        return found[0]
    there = f"{len(found)} of them are called so or have that number; give its id" if found else "there is none"
    raise TaskError(f"{what}: {shown(said)!r} in session {shown(session.name)!r}: {there}; {_NOT_SENT}")


def _require_known(seen: Seen, wanted: Wanted) -> None:
    """:raises TaskError: when a name is none of a key."""
    unknown: List[str] = keys.unknown(seen.client, list(dict.fromkeys(wanted.keys)), seen.listing.version)
    if unknown:
        raise TaskError(
            f"keys: tmux {seen.listing.version.text} knows no key {', '.join(repr(shown(name)) for name in unknown)}; "
            f"a text to be typed is for text; {_NOT_SENT}"
        )


def _state(seen: Seen, pane: Pane) -> keys.State:
    """How a pane is now.

    :raises TaskError: when what is sent to it would not arrive there, or not only there.
    """
    state = keys.states(seen.client).get(pane.id)
    obstacle = "it is not there any more" if state is None else state.obstacle
    if state is not None and state.server != str(seen.listing.pid):
        obstacle = "its server has ended"
    if state is None or obstacle:
        raise TaskError(f"pane {pane.id}: {obstacle}; {_NOT_SENT}")
    return state


def _wait(
    seen: Seen, wanted: Wanted, pane: Pane, pattern: str, shows: Optional[str] = None
) -> Tuple[bool, Optional[Exception]]:
    """Whether the time was over before a pane has shown something, and what went wrong if it has not."""
    try:
        waiting = Waiting(seen, Wish([wanted.name], pattern=pattern, pane=pane.id, before=shows))
        waiting.wait(wanted.seconds)
    except PatternError as error:
        return False, TaskError(f"{'wait_for' if shows is None else 'wait_for_after'}: {error}")
    if not waiting.over:
        return True, late(waiting, wanted.seconds)
    problem = failure(waiting)
    if problem is not None and waiting.fates[0].gone:  # Its session may be there still.
        return False, TaskError(f"pane {pane.id} is gone, and did not show what was waited for")
    return False, problem


def _send(seen: Seen, wanted: Wanted, pane: Pane) -> None:
    state = _state(seen, pane)
    try:
        sent = keys.send(seen.client, seen.listing.version, pane.id, state, wanted.typed, wanted.keys)
    except Failed as error:
        raise TaskError(f"pane {pane.id}: {error.message}; not all of it was sent")
    except TmuxError as error:
        raise TaskError(f"pane {pane.id}: {error.message}; it is not known whether anything was sent")
    if not sent:
        _state(seen, pane)
        raise TaskError(f"pane {pane.id}: it was not as it had been found the moment before; {_NOT_SENT}")
