# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions, windows and panes: the one reader of tmux's listings."""

import secrets
import time
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._child import is_number
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import (
    Client,
    Command,
    Failed,
    Flood,
    Lost,
    NoServer,
    Version,
    parse_version,
    to_text,
)

NOTICE_OPTION = "@fleet_tmux_notice"
"""The user option that holds the notice given to a session."""


class Guards(NamedTuple):
    """What a session looked like, as one text: listed with it, and compared by its server just before it is killed.

    Before tmux 2.9 there is no ``#{W:}``, which is then empty; there ``pane`` is compared for each pane.
    """

    session: str
    pane: str


def _guards(window: str) -> Guards:
    return Guards(
        "#{pid}/#{start_time}/#{session_id}/#{session_created}/#{session_attached}/#{session_activity}"
        "/#{session_last_attached}/#{session_windows}/#{@keep}/#{@fleet_tmux_notice}"
        "/#{W:" + window + "#{P:+#{pane_id}.#{pane_pid}.#{pane_dead}} }/#{session_name}",
        "#{session_id}/" + window + "/#{window_panes}/#{pane_id}.#{pane_pid}.#{pane_dead}",
    )


WHOLE = _guards("#{window_id}=#{window_activity}")
"""All that is known of a session."""
WITHOUT_OUTPUT = _guards("#{window_id}")
"""All but the output of its windows, for a policy that does not count output as activity."""

IDENTITY = "#{pid}/#{start_time}/#{session_id}/#{session_created}/#{session_name}"
"""Who a session is, whatever it does meanwhile."""

SESSIONS_LIMIT = 10000
"""Sessions that one server may list; more than that is no server that anybody uses."""
TEXT_LIMIT = 16384
"""Characters in a name: no message that makes a session can be longer."""

_ATTEMPTS = 4
_PAUSE = 0.05


class Speechless(Lost):
    """The server let a client in, and nothing came of it."""

    status = "mismatch"


class Pane(NamedTuple):
    """A pane. The pid of a dead pane is None: the number may belong to somebody else by now."""

    id: str
    number: int
    pid: Optional[int]
    dead: bool
    status: Optional[int]
    signal: str
    active: bool
    width: int
    height: int
    guard: str
    command: str
    path: str
    title: str
    start_command: str


class Window(NamedTuple):
    """A window. ``activity``: epoch seconds of its newest output."""

    id: str
    number: int
    active: bool
    activity: int
    width: int
    height: int
    layout: str
    name: str
    panes: Tuple[Pane, ...]


class Session(NamedTuple):
    """A session. Clocks are epoch seconds; ``last_attached`` is None if nobody ever attached."""

    id: str
    created: int
    activity: int
    last_attached: Optional[int]
    attached: int
    client_activity: int
    name: str
    group: str
    keep: str
    guard: str
    identity: str
    windows: Tuple[Window, ...]
    notice: str = ""
    guards: Guards = WHOLE

    @property
    def panes(self) -> List[Pane]:
        return [pane for window in self.windows for pane in window.panes]

    @property
    def pids(self) -> List[int]:
        return [pane.pid for pane in self.panes if pane.pid is not None]


class Unread(NamedTuple):
    """A session whose rows do not make sense: nothing is ever done to it."""

    id: str
    name: str
    reason: str


class Listing(NamedTuple):
    """All that one server says of itself at one moment."""

    pid: Optional[int]
    start_time: Optional[int]
    version: Version
    sessions: Tuple[Session, ...]
    unread: Tuple[Unread, ...]


_EMPTY = Listing(None, None, parse_version(""), (), ())

_SESSION = (
    "session_id pid start_time session_created session_activity session_last_attached session_attached "
    "session_windows version session_name session_group @keep @fleet_tmux_notice"
).split()
_WINDOW = (
    "session_id window_id window_index window_active window_activity window_width window_height window_panes "
    "window_layout window_name"
).split()
_PANE = (
    "session_id window_id pane_id pane_index pane_pid pane_dead pane_dead_status pane_dead_signal pane_active "
    "pane_width pane_height"
).split()
_PANE_TEXTS = "pane_current_command pane_current_path pane_title pane_start_command".split()
_CLIENT = "session_id client_activity".split()


def read(client: Client, guards: Guards = WHOLE) -> Listing:
    """List the server with one client, in one command queue, so that all rows are of one moment.

    :raises TmuxError: when it cannot be listed; :class:`NoServer` when there is none.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return _read_once(client, guards)
        except Lost:
            # A server that is just ending says this; the next look says that there is none.
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_PAUSE)
    raise AssertionError("not reached")


def _read_once(client: Client, guards: Guards) -> Listing:
    nonce = secrets.token_hex(8)
    try:
        output = client.call(_listing(nonce, guards))
        if not output.strip():
            raise Speechless("tmux printed nothing; one that does not speak its server's protocol does that")
        listing = parse(output, nonce)
        return listing._replace(sessions=tuple(it._replace(guards=guards) for it in listing.sessions))
    except Failed as error:
        if "no current target" not in error.message:
            raise
    return parse(
        client.call(_listing(nonce, guards)[:2]), nonce
    )  # A server without sessions: the rest has no target there.


def read_or_nothing(client: Client, guards: Guards = WHOLE) -> Listing:
    """As :func:`read`; a server that has ended has no sessions."""
    try:
        return read(client, guards)
    except NoServer:
        return _EMPTY


def _listing(nonce: str, guards: Guards = WHOLE) -> List[Command]:
    return [
        ["list-sessions", "-F", row(nonce, "s", _fields(_SESSION))],
        ["list-sessions", "-F", row(nonce, "g", ["#{session_id}", guards.session, IDENTITY])],
        ["list-windows", "-a", "-F", row(nonce, "w", _fields(_WINDOW))],
        ["list-panes", "-a", "-F", row(nonce, "p", _fields(_PANE) + [guards.pane] + _fields(_PANE_TEXTS))],
        ["list-clients", "-F", row(nonce, "c", _fields(_CLIENT))],
    ]


def _fields(names: Iterable[str]) -> List[str]:
    return ["#{%s}" % name for name in names]


def row(nonce: str, kind: str, fields: Sequence[str]) -> str:
    """A row's format. Names may hold anything, and hooks may print between rows; nobody can guess the nonce."""
    return "%s|%s%s%s." % (nonce, kind, "".join("%s,%s" % (nonce, field) for field in fields), nonce)


def rows(text: str, nonce: str) -> List[Tuple[str, List[str]]]:
    """The rows in what tmux printed: (kind, fields). A row without its end is no row."""
    found = []
    for part in text.split(nonce + "|")[1:]:
        body, end, _rest = part.partition(nonce + ".")
        if end:
            fields = body.split(nonce + ",")
            found.append((fields[0], fields[1:]))
    return found


def parse(output: bytes, nonce: str) -> Listing:
    """The listing that ``output`` shows."""
    text = to_text(output)
    listed = rows(text, nonce)
    if sum(1 for kind, _fields_of_it in listed if kind == "s") > SESSIONS_LIMIT:
        raise Flood("tmux listed more than %d sessions" % SESSIONS_LIMIT)
    heads = [fields for kind, fields in listed if kind == "s" and len(fields) == len(_SESSION)]
    version = parse_version(heads[0][8]) if heads else parse_version("")
    listed = [(kind, [_as_stored(field, version) for field in fields]) for kind, fields in listed]
    by_session = _by_session(listed)
    sessions: List[Session] = []
    unread: List[Unread] = []
    for identity in [fields[0] for kind, fields in listed if kind == "s" and fields]:
        try:
            sessions.append(_session(by_session[identity]))
        except (ValueError, IndexError, KeyError) as problem:
            name = by_session[identity].get("s", [[]])[0][9:10]
            unread.append(Unread(identity, name[0] if name else "", "its rows do not make sense: %s" % problem))
    return Listing(
        pid=_first_number(heads, 1),
        start_time=_first_number(heads, 2),
        version=version,
        sessions=tuple(sessions),
        unread=tuple(unread),
    )


def _first_number(heads: List[List[str]], index: int) -> Optional[int]:
    try:
        return int(heads[0][index])
    except (IndexError, ValueError):
        return None


def _as_stored(field: str, version: Version) -> str:
    """tmux 3.4 prints a ``$`` before a letter as ``\\$``, whatever is stored."""
    return field.replace("\\$", "$") if (version.major, version.minor) == (3, 4) else field


Rows = Dict[str, List[List[str]]]


def _by_session(listed: List[Tuple[str, List[str]]]) -> Dict[str, Rows]:
    found: Dict[str, Rows] = {}
    for kind, fields in listed:
        if fields:
            found.setdefault(fields[0], {}).setdefault(kind, []).append(fields)
    return found


def _session(own: Rows) -> Session:
    ((_id, _pid, _start, created, activity, last, attached, count, _version, name, group, keep, notice),) = own["s"]
    ((identity, guard, who),) = own["g"]
    clients = [int(seen) for _session_id, seen in own.get("c", [])]
    panes: Dict[str, List[Pane]] = {}
    for fields in own.get("p", []):
        panes.setdefault(fields[1], []).append(_pane(fields))
    # A window that is linked twice into one session is listed twice, and so are its panes.
    distinct = {window: tuple({pane.id: pane for pane in found}.values()) for window, found in panes.items()}
    windows = tuple(_window(fields, distinct.get(fields[1], ())) for fields in own.get("w", []))
    if sum(len(window.panes) for window in windows) != len(own.get("p", [])):
        raise ValueError("%d panes were listed, which is not what its windows hold" % len(own.get("p", [])))
    if len(name) > TEXT_LIMIT or len(keep) > TEXT_LIMIT:
        raise ValueError("its name or @keep has more than %d characters" % TEXT_LIMIT)
    if not windows or len(windows) != int(count):
        raise ValueError("%d of its %d windows were listed" % (len(windows), int(count)))
    return Session(
        id=_checked(identity, "$"),
        created=int(created),
        activity=int(activity),
        last_attached=_number_or_none(last),
        attached=max(int(attached), len(clients)),
        client_activity=max(clients) if clients else 0,
        name=name,
        group=group,
        keep=keep,
        notice=notice,
        guard=guard,
        identity=who,
        windows=windows,
    )


def _window(fields: List[str], own: Tuple[Pane, ...]) -> Window:
    _sid, identity, index, active, activity, width, height, count, layout, name = fields
    if len(own) != int(count):
        raise ValueError("%d of the %d panes of window %s were listed" % (len(own), int(count), identity))
    return Window(
        id=_checked(identity, "@"),
        number=int(index),
        active=active == "1",
        activity=int(activity),
        width=int(width),
        height=int(height),
        layout=layout,
        name=name,
        panes=own,
    )


def _pane(fields: List[str]) -> Pane:
    _sid, _wid, identity, index, pid, dead, status, number, active, width, height, guard = fields[:12]
    command, path, title, start_command = fields[12:]
    return Pane(
        id=_checked(identity, "%"),
        number=int(index),
        pid=None if dead == "1" else int(pid),
        dead=dead == "1",
        status=_number_or_none(status),
        signal=number,
        active=active == "1",
        width=int(width),
        height=int(height),
        guard=guard,
        command=command,
        path=path,
        title=title,
        start_command=start_command,
    )


def _checked(identity: str, mark: str) -> str:
    if identity[:1] != mark or not is_number(identity[1:]):
        raise ValueError("%r is no id" % identity)
    return identity


def _number_or_none(text: str) -> Optional[int]:
    return int(text) if text else None
