# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions, windows and panes: the one reader of tmux's listings."""

import re
import secrets
import time
from types import MappingProxyType
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import to_text
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import fields
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    IN_TIME,
    Capability,
    Command,
    Version,
    as_stored,
    parse_version,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import (
    Flood,
    Lost,
    NoServer,
    NoTarget,
    Silent,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.fields import CLIENT, PANE, SESSION, WINDOW

NOTICE_OPTION = "@fleet_tmux_notice"
"""The user option that holds the notice given to a session."""
UNTIL_OPTION = "@fleet_tmux_until"
"""The user option that tells its user when it may go."""
KEPT_OPTION = "@fleet_tmux_keep"
"""The user option that holds since when ``@keep`` has its value."""
CLEANUP_OPTION = "@fleet_tmux_cleanup"
"""The user option that holds which files go with a session."""
JOB_OPTION = "@fleet_tmux_job"
"""The user option that holds the hash of the job that a session was made for, and the id of its pane."""


class Guards(NamedTuple):
    """What a session looked like, as one text: listed with it, and compared by its server just before it is killed.

    Before tmux 2.9 there is no ``#{W:}``, which is then empty; there ``pane`` is compared for each pane.
    """

    session: str
    pane: str


def guards(without: str = "", options: Sequence[str] = ()) -> Guards:
    """What is compared, without a kind of clock, and with user options."""
    return Guards(*fields.guard_texts(without, options))


WHOLE = guards()
"""All that is known of a session."""
WITHOUT_OUTPUT = guards(without=fields.OUTPUT)
"""All but its output, for a policy that does not count output as activity."""

IDENTITY = fields.identity_text()
"""Who a session is, whatever it does meanwhile."""

SESSIONS_LIMIT = 10000
"""Sessions that one server may list; more than that is no server that anybody uses."""

_SIGNAL = re.compile(r"[A-Za-z0-9+-]{0,20}")
"""How tmux writes a signal. It goes into messages and results, where a server has no room for words."""
_ATTEMPTS = 4
_PAUSE = 0.05


Clocks = Mapping[str, Optional[int]]
"""Epoch seconds, by the name that tmux has for each clock; None for what never happened."""


class Pane(NamedTuple):
    """A pane. The pid of a dead pane is None: the number may belong to somebody else by now.

    ``first_pid``: of the program that it was started with, also when it is dead. tmux calls a pane dead as soon as
    nobody has its terminal open any more, before 3.7 also while that program runs on (measured on 2.7 to 3.7c).
    """

    id: str
    number: int
    pid: Optional[int]
    dead: bool
    status: Optional[int]
    signal: str
    active: bool
    width: int
    height: int
    clocks: Clocks
    guard: str
    command: str
    path: str
    title: str
    start_command: str
    tty: str = ""
    first_pid: Optional[int] = None

    @property
    def is_unclear(self) -> bool:
        """Whether it is dead and tmux does not know how its program ended: before 3.3 so after each signal."""
        return self.dead and self.status is None and not self.signal


class Window(NamedTuple):
    """A window."""

    id: str
    number: int
    active: bool
    clocks: Clocks
    width: int
    height: int
    layout: str
    name: str
    panes: Tuple[Pane, ...]


class AttachedClient(NamedTuple):
    """A client that is attached to a session. ``tty``: its terminal, which one in control mode may not have."""

    pid: Optional[int]
    tty: str
    since: Optional[int]
    clocks: Clocks
    control: bool = False


class Session(NamedTuple):
    """A session. ``clocks``: its own, and the newest ones of its clients.

    ``options``: those user options of its own that were asked for; None if they could not be read.
    """

    id: str
    name: str
    clocks: Clocks
    attached: int
    group: str
    keep: str
    guard: str
    identity: str
    windows: Tuple[Window, ...]
    notice: str = ""
    kept_since: str = ""
    no_snapshot: str = ""
    guards: Guards = WHOLE
    clients: Tuple[AttachedClient, ...] = ()
    options: Optional[Mapping[str, str]] = MappingProxyType({})

    @property
    def created(self) -> int:
        return self.clocks["session_created"] or 0

    @property
    def panes(self) -> List[Pane]:
        return [pane for window in self.windows for pane in window.panes]

    @property
    def pids(self) -> List[int]:
        return [pane.pid for pane in self.panes if pane.pid is not None]


def identity_on_host(server_pid: Optional[int], start_time: Optional[int], session: Session) -> str:
    """Who a session is, as long as its host runs: the server, when that started, the id, and when it was created."""
    return f"{server_pid}/{start_time}/{session.id}/{session.created}"


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
    whole: bool = True
    """Whether each row that began has ended: of a session without any, nothing else tells."""

    @property
    def may_be_cut_off(self) -> bool:
        """Whether another look may read what this one could not."""
        return bool(self.unread or not self.whole) and self.version.has(Capability.FORMATS_ARE_CUT_OFF)


_EMPTY = Listing(None, None, parse_version(""), (), ())


def read(client: Client, guards: Guards = WHOLE) -> Listing:
    """List the server with one client, in one command queue, so that all rows are of one moment.

    A tmux that has cut off rows is asked again. What it does not list whole in the end is unread.

    :raises TmuxError: when it cannot be listed; :class:`NoServer` when there is none.
    """
    for attempt in range(_ATTEMPTS):
        last = attempt == _ATTEMPTS - 1
        try:
            listing = _read_once(client, guards)
            if last or not listing.may_be_cut_off:
                return listing
        except (Lost, Silent):
            # A server that is just ending is lost; the next look says that there is none.
            if last:
                raise
        time.sleep(_PAUSE)
    raise AssertionError("not reached")


def _read_once(client: Client, guards: Guards) -> Listing:
    nonce = secrets.token_hex(8)
    try:
        output = client.call(_listing(nonce, guards))
        if not output.strip():
            raise Silent("tmux printed nothing; one that does not speak its server's protocol does that")
        listing = parse(output, nonce)
        return listing._replace(sessions=tuple(session._replace(guards=guards) for session in listing.sessions))
    except NoTarget:  # A server without sessions: the rest has no target there.
        return parse(client.call(_listing(nonce, guards)[:2]), nonce)


def read_or_nothing(client: Client, guards: Guards = WHOLE) -> Listing:
    """As :func:`read`; a server that has ended has no sessions."""
    try:
        return read(client, guards)
    except NoServer:
        return _EMPTY


def _listing(nonce: str, guards: Guards = WHOLE) -> List[Command]:
    return [
        ["list-sessions", "-F", row(nonce, "s", fields.formats(SESSION))],
        ["list-sessions", "-F", row(nonce, "g", [fields.variable("session_id"), guards.session, IDENTITY])],
        ["list-windows", "-a", "-F", row(nonce, "w", fields.formats(WINDOW))],
        ["list-panes", "-a", "-F", row(nonce, "p", fields.formats(PANE, guards.pane))],
        ["list-clients", "-F", row(nonce, "c", fields.formats(CLIENT))],
    ]


def row(nonce: str, kind: str, listed: Sequence[str]) -> str:
    """A row's format. Names may hold anything, and hooks may print between rows; nobody can guess the nonce.

    Its end is there only if nothing before it was cut off.
    """
    return "%s|%s%s%s%s." % (nonce, kind, "".join("%s,%s" % (nonce, field) for field in listed), nonce, IN_TIME)


def rows(text: str, nonce: str) -> "Printed":
    """The rows in what tmux printed: (kind, fields). A row without its end is no row."""
    found = []
    for part in text.split(nonce + "|")[1:]:
        body, end, _rest = part.partition(nonce + "1.")
        if end:
            kind, *listed = body.split(nonce + ",")
            found.append((kind, listed))
    return found


def parse(output: bytes, nonce: str) -> Listing:
    """The listing that ``output`` shows."""
    text = to_text(output)
    printed = rows(text, nonce)
    head = _head(printed)
    version = parse_version(head.get("version", ""))
    sessions, unread = _sessions([(kind, as_stored(listed, version)) for kind, listed in printed if listed], version)
    return Listing(
        pid=number_or_none(head.get("pid", "")),
        start_time=number_or_none(head.get("start_time", "")),
        version=version,
        sessions=tuple(sessions),
        unread=tuple(unread),
        whole=text.count(nonce + "|") == len(printed),
    )


Printed = List[Tuple[str, List[str]]]
"""Rows: of what kind, and their fields."""


def _head(printed: Printed) -> Dict[str, str]:
    """What the first session says, also of its server.

    :raises Flood: when there are more sessions than anybody has.
    """
    heads = [listed for kind, listed in printed if kind == "s"]
    if len(heads) > SESSIONS_LIMIT:
        raise Flood(f"tmux listed more than {SESSIONS_LIMIT} sessions")
    return next((_named(listed) for listed in heads if len(listed) == len(_HEAD)), {})


def _sessions(stored: Printed, version: Version) -> Tuple[List[Session], List[Unread]]:
    by_session = _by_session(stored)
    if len(by_session) > SESSIONS_LIMIT:
        raise Flood(f"tmux listed more than {SESSIONS_LIMIT} sessions")
    sessions: List[Session] = []
    unread: List[Unread] = []
    for identity, own in by_session.items():
        try:
            sessions.append(_session(own, version))
        except (ValueError, KeyError) as problem:
            name = next((_named(head).get("session_name", "") for head in own.get("s", [])), "")
            unread.append(Unread(identity, name, f"its rows do not make sense: {problem}"))
    return sessions, unread


_HEAD = fields.columns(SESSION)


def _named(listed: Sequence[str]) -> Dict[str, str]:
    """What a row of a session says, as far as it goes."""
    return dict(zip(_HEAD, listed))


def number_or_none(text: str) -> Optional[int]:
    """A number that a server prints; None for what no tmux prints as one."""
    try:
        return fields.number(text)
    except ValueError:
        return None


Rows = Dict[str, List[List[str]]]


def _by_session(stored: Printed) -> Dict[str, Rows]:
    """The rows of each session, in the order of their first; a client without a session is nobody's."""
    found: Dict[str, Rows] = {}
    for kind, listed in stored:
        if listed[0]:
            found.setdefault(listed[0], {}).setdefault(kind, []).append(listed)
    return found


def _session(own: Rows, version: Version) -> Session:
    (head,) = own["s"]
    ((_id, guard, identity),) = own["g"]
    values = fields.values(SESSION, head)
    clients = tuple(_client(fields.values(CLIENT, listed)) for listed in own.get("c", []))
    windows = _windows(own)
    if version.has(Capability.FORMATS_ARE_CUT_OFF) and len(clients) < values["session_attached"]:
        raise ValueError(f"{len(clients)} of its {values['session_attached']} clients were listed")
    if not windows or len(windows) != values["session_windows"]:
        raise ValueError(f"{len(windows)} of its {values['session_windows']} windows were listed")
    return Session(
        id=values["session_id"],
        name=values["session_name"],
        clocks=dict(fields.clocks(SESSION, values), **newest_of(clients)),
        attached=max(values["session_attached"], len(clients)),
        group=values["session_group"],
        keep=values["@keep"],
        guard=guard,
        identity=identity,
        windows=windows,
        notice=values[NOTICE_OPTION],
        kept_since=values[KEPT_OPTION],
        no_snapshot=values["@no_snapshot"],
        clients=clients,
    )


def newest_of(clients: Sequence[AttachedClient]) -> Dict[str, Optional[int]]:
    """Of each clock of clients the newest."""
    names = [field.name for field in fields.CLOCKS if field.of == CLIENT]
    return {name: max((client.clocks[name] or 0 for client in clients), default=None) for name in names}


def _client(values: Dict[str, Any]) -> AttachedClient:
    return AttachedClient(
        pid=values["client_pid"],
        tty=values["client_tty"],
        since=values["client_created"],
        clocks=fields.clocks(CLIENT, values),
        control=values["client_control_mode"] == "1",
    )


def _windows(own: Rows) -> Tuple[Window, ...]:
    listed = [fields.values(PANE, texts) for texts in own.get("p", [])]
    panes: Dict[str, Dict[str, Pane]] = {}
    for values in listed:
        # A window that is linked twice into one session is listed twice, and so are its panes.
        panes.setdefault(values["window_id"], {})[values["pane_id"]] = _pane(values)
    distinct = {window: tuple(found.values()) for window, found in panes.items()}
    windows = tuple(_window(fields.values(WINDOW, texts), distinct) for texts in own.get("w", []))
    if sum(len(window.panes) for window in windows) != len(listed):
        raise ValueError(f"{len(listed)} panes were listed, which is not what its windows hold")
    return windows


def _window(values: Dict[str, Any], panes: Mapping[str, Tuple[Pane, ...]]) -> Window:
    own = panes.get(values["window_id"], ())
    if len(own) != values["window_panes"]:
        expected = "the %d panes of window %s" % (values["window_panes"], values["window_id"])
        raise ValueError(f"{len(own)} of {expected} were listed")
    return Window(
        id=values["window_id"],
        number=values["window_index"],
        active=values["window_active"],
        clocks=fields.clocks(WINDOW, values),
        width=values["window_width"],
        height=values["window_height"],
        layout=values["window_layout"],
        name=values["window_name"],
        panes=own,
    )


def _pane(values: Dict[str, Any]) -> Pane:
    if not values["pane_dead"] and values["pane_pid"] is None:
        raise ValueError(f"pane_pid: {values['pane_id']} lives and has none")
    if _SIGNAL.fullmatch(values["pane_dead_signal"]) is None:
        raise ValueError("pane_dead_signal: it is no signal")
    return Pane(
        id=values["pane_id"],
        number=values["pane_index"],
        pid=None if values["pane_dead"] else values["pane_pid"],
        dead=values["pane_dead"],
        status=values["pane_dead_status"],
        signal=values["pane_dead_signal"],
        active=values["pane_active"],
        width=values["pane_width"],
        height=values["pane_height"],
        clocks=fields.clocks(PANE, values),
        guard=values["guard"],
        command=values["pane_current_command"],
        path=values["pane_current_path"],
        title=values["pane_title"],
        start_command=values["pane_start_command"],
        tty=values["pane_tty"],
        first_pid=values["pane_pid"],
    )
