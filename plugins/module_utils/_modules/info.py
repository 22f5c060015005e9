# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is, in the shape of a result: sessions, windows, panes, processes and text."""

import time
from types import MappingProxyType
from typing import (
    Any,
    Callable,
    Dict,
    FrozenSet,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
    TypeVar,
)

from ansible_collections.fleet.tmux.plugins.module_utils._actions.declaration import declaration
from ansible_collections.fleet.tmux.plugins.module_utils._actions.evidence import Look, whole
from ansible_collections.fleet.tmux.plugins.module_utils._actions.examine import origin
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.crew import Line, Message
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import WITHHELD, program
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Processes
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief
from ansible_collections.fleet.tmux.plugins.module_utils._modules.bounds import (
    DESCRIBED,
    PANES,
    PROCESSES,
    SIGNS,
    WINDOWS,
    Bounded,
    Bounds,
    bounded,
    first,
    with_servers,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.home import Home
from ansible_collections.fleet.tmux.plugins.module_utils._modules.items import (
    Item,
    in_order,
    named,
    session_item,
    unread_item,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.owners import Owner, Owners, Way, see_to
from ansible_collections.fleet.tmux.plugins.module_utils._modules.resources import UNKNOWN, Resources
from ansible_collections.fleet.tmux.plugins.module_utils._policy import commands
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import last_use
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import Subject
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.details import (
    Noted,
    Options,
    named_by_tmux,
    noted,
    pane_texts,
    user_options,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import as_stored
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import TOO_MANY, Members
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    CLEANUP_OPTION,
    Pane,
    Session,
    Unread,
    Window,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.pipes import Pipe, logs
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host

_LAYOUT_CHARS, _COMMAND_CHARS = 8192, 4096

_PER_MESSAGE = 50
INCLUDES = ("windows", "panes", "processes", "content", "activity", "resources", "declaration")
_OF_WINDOWS = ("windows", "panes", "processes", "content")

_PLAIN = Policy(None, None, False, "any", (), ignore=commands.named("ignore_commands", [commands.DEFAULT], False))
"""No policy, but for the programs that only show: that they do so is no sign of life to anybody."""


class Wish(NamedTuple):
    """What is wanted: only sessions with these names (None: all), and which parts of them."""

    names: Optional[Sequence[str]]
    include: Tuple[str, ...]
    content_lines: int
    leak_above: Mapping[str, Optional[float]] = {}

    def wants(self, *parts: str) -> bool:
        return any(part in self.include for part in parts)

    def names_it(self, name: str) -> bool:
        return self.names is None or name in self.names


class Description(NamedTuple):
    """The sessions, in order; what could not be had; and the names of all that are there and wanted.

    ``unlisted``: how many more sessions of which owner there are than are told of. ``used``: what each server uses, if
    that is wanted.
    """

    sessions: List[Item]
    trouble: List[str]
    there: Set[str]
    unlisted: List[Item]
    used: List[Item] = []


def describe(seen: Sequence[Seen], wish: Wish, now: int) -> Description:
    """What servers have listed, and more of it that has to be asked for."""
    uids = {one.server.user.uid for one in seen} if wish.wants("processes", "activity", "resources") else ()
    members = Members(Processes.of(*uids) if uids else Processes({}))
    beside = _Beside(members, Look(seen, members.processes, _PLAIN), Resources(members, wish.leak_above), now)
    sessions: List[Item] = []
    trouble: List[str] = []
    for place, one in enumerate(seen):
        chosen = [session for session in one.listing.sessions if wish.names_it(session.name)]
        more = _more(one, chosen, wish)
        items = [_session(one, session, wish, now, members, more) for session in chosen]
        sessions += [beside.added(item, place, one, session, wish) for item, session in zip(items, chosen)]
        sessions += [_unread(one, lost, wish) for lost in one.listing.unread if wish.names_it(lost.name)]
        trouble += more.trouble
        if members.used_up(one.server.user.uid):
            trouble.append(f"{brief(one.client.path)}: not all processes are told: {TOO_MANY}")
    used = [beside.resources.of_server(one) for one in seen] if wish.wants("resources") else []
    told = within(sessions)
    return Description(told.lists["sessions"], trouble, _there(seen, wish), told.unlisted, used)


class _Beside(NamedTuple):
    """Where what comes from that is told of a session and is not of tmux."""

    members: Members
    look: Look
    resources: Resources
    now: int

    def added(self, item: Item, place: int, one: Seen, session: Session, wish: Wish) -> Item:
        """A session with as much of that as is wanted."""
        if wish.wants("activity"):
            own = self.members.of(session, one.server.pid, one.server.user.uid)
            subject = Subject(origin(place, one), session, own or ())
            item["activity"] = _activity(self.look, subject, own is None, self.now)
        if wish.wants("resources"):
            item["resources"] = self.resources.of_session(one, session)
        return item


def _unread(one: Seen, lost: Unread, wish: Wish) -> Item:
    item = unread_item(one.server, lost)
    more: Item = {"resources": UNKNOWN} if wish.wants("resources") else {}
    return dict(item, **more, **({"declaration": None} if wish.wants("declaration") else {}))


def within(sessions: Sequence[Item], unlisted: Sequence[Item] = (), bounds: Bounds = DESCRIBED) -> Bounded:
    """Sessions in order, as far as the bounds let them in.

    :param unlisted: what was left out before, in the same shape.
    """
    told = bounded({"sessions": in_order(sessions)}, bounds, ("sessions",), unlisted)
    return told._replace(lists={"sessions": in_order(told.lists["sessions"])})


def _there(seen: Iterable[Seen], wish: Wish) -> Set[str]:
    there = {session.name for one in seen for session in one.listing.sessions}
    there |= {lost.name for one in seen for lost in one.listing.unread}
    return {name for name in there if wish.names_it(name)}


class Described(NamedTuple):
    """What there is of all owners; ``exists``: whether there is all that was asked for by name."""

    told: Bounded
    trouble: List[str]
    exists: bool
    owners: Owners


def describe_all(host: Host, chosen: Sequence[Owner], way: Way, wish: Wish) -> Described:
    """Look at the servers of all these owners, of each in a child of its own."""
    sessions: List[Item] = []
    trouble: List[str] = []
    there: Set[str] = set()
    unlisted: List[Item] = []
    servers: Dict[str, List[Item]] = {}
    names = {owner.key: owner.name for owner in chosen}

    def errand(line: Line, seen: List[Seen]) -> None:
        found = describe(seen, wish, int(time.time()))
        line.say({"unlisted": found.unlisted})
        for start in range(0, len(found.sessions), _PER_MESSAGE):
            line.say({"sessions": found.sessions[start : start + _PER_MESSAGE]})
        line.say({"used": found.used})
        wanted = found.there if wish.names is not None else sorted(found.there)[:1]
        line.say({"trouble": found.trouble, "there": sorted(wanted)})

    def hear(key: str, message: Message) -> None:
        sessions.extend(message.get("sessions", ()))
        trouble.extend(message.get("trouble", ()))
        there.update(message.get("there", ()))
        unlisted.extend(message.get("unlisted", ()))
        servers.setdefault(key, []).extend(message.get("looked_at", ()))
        for server, used in zip(servers[key], message.get("used", ())):
            server["resources"] = used

    owners = see_to(host, chosen, way, errand, hear)
    trouble += [f"not all is told of {names[key]}: {end.reason}" for key, end in owners.ends.items() if names[key]]
    more = {"resources": UNKNOWN} if wish.wants("resources") else {}
    home = Home(host)
    servers_told = [dict(more, **server, **home.of_server(server["pid"])) for server in owners.servers]
    told = with_servers(servers_told, within(sessions, unlisted))
    return Described(told, trouble, exists(there, wish), owners)


def exists(there: Set[str], wish: Wish) -> bool:
    """Whether there is all that was asked for by name."""
    return bool(there) if wish.names is None else bool(wish.names) and there.issuperset(wish.names)


class _More(NamedTuple):
    """What takes more questions: user options by session, the text of panes, and which questions went wrong.

    ``automatic``: the ids of windows that tmux names after what runs in them. ``files``: what sessions have to do with
    files, by what tells each from all others. ``logs``: where the output of panes, by their ids, is written.
    """

    options: Dict[str, Options]
    content: Dict[str, str]
    trouble: List[str]
    automatic: FrozenSet[str] = frozenset()
    files: Mapping[str, Noted] = {}
    logs: Mapping[str, Pipe] = MappingProxyType({})


def _more(one: Seen, chosen: Sequence[Session], wish: Wish) -> _More:
    panes = sorted({pane.id for session in chosen for pane in session.panes}) if wish.wants("content") else []
    dead = {pane.id for session in chosen for pane in session.panes if pane.dead}
    options, without = _ask(one, lambda: user_options(one.client, [session.id for session in chosen]))
    more = _More(options, {}, without)
    if chosen and wish.wants("declaration") and not one.discreet:
        more = _declarable(one, more, [pane for session in chosen for pane in session.panes])
    if panes and one.discreet:
        said = f"{brief(one.client.path)}: what its panes show is not told of another user ({WITHHELD})"
        return more._replace(trouble=[*more.trouble, said])
    content, others = _ask(one, lambda: pane_texts(one.client, panes, wish.content_lines, dead))
    return more._replace(content=content, trouble=more.trouble + others)


def _declarable(one: Seen, more: _More, panes: Sequence[Pane]) -> _More:
    """With what is asked for declarations alone."""
    found, without = _ask(one, lambda: named_by_tmux(one.client))
    files, others = _ask(one, lambda: noted(one.client, one.listing.version))
    logged, unsaid = _ask(one, lambda: logs(one.client, one.server.pid, one.server.user.uid, panes))
    automatic = frozenset(each for each, is_so in found.items() if is_so)
    trouble = [*more.trouble, *without, *others, *unsaid]
    return more._replace(automatic=automatic, files=files, logs=logged, trouble=trouble)


_Value = TypeVar("_Value")


def _ask(one: Seen, question: Callable[[], Dict[str, _Value]]) -> Tuple[Dict[str, _Value], List[str]]:
    try:
        return question(), []
    except TmuxError as error:
        return {}, [f"{brief(one.client.path)}: {error.message}"]


def _session(one: Seen, session: Session, wish: Wish, now: int, members: Members, more: _More) -> Item:
    item = session_item(one, session, more.options.get(session.id, {}), now)
    if wish.wants(*_OF_WINDOWS):
        windows, others = first(session.windows, WINDOWS)
        item["windows"] = [_window(one, window, wish, members, more) for window in windows]
        item["more"]["windows"] = others
    if wish.wants("declaration"):
        item["declaration"] = None if one.discreet else _declaration(one, session, more)
    return item


def _declaration(one: Seen, session: Session, more: _More) -> Optional[Item]:
    own = {name: value for name, value in more.options.get(session.id, {}).items() if value is not None}
    stored = dict(zip(own, as_stored(list(own.values()), one.listing.version)))
    files = more.files.get(one.identity(session))
    if files is not None:
        stored[CLEANUP_OPTION] = files.cleanup
    return declaration(session, stored, more.automatic, one.listing.version, more.logs)


def _activity(look: Look, subject: Subject, too_many: bool, now: int) -> Dict[str, Any]:
    """What tmux and the host show of a session, whatever a policy makes of it."""
    signs = (Sign("unknown", TOO_MANY),) if too_many else whole(look.candidate(subject))
    known = subject._replace(signs=signs)
    listed, more = first(signs, SIGNS)
    return {
        "last_use": last_use(known, "any"),
        "idle": max(0, now - last_use(known, "any")),
        "signs": [sign.as_dict(subject.origin.discreet, now) for sign in listed],
        "more": {"signs": more},
    }


def _window(one: Seen, window: Window, wish: Wish, members: Members, more: _More) -> Dict[str, Any]:
    item = {
        "id": window.id,
        "index": window.number,
        "name": None if one.discreet else named(window.name),
        "active": window.active,
        "activity": window.clocks["window_activity"],
        "width": window.width,
        "height": window.height,
        "layout": brief(window.layout, _LAYOUT_CHARS),
    }
    if wish.wants("panes", "processes", "content"):
        panes, others = first(window.panes, PANES)
        item.update(panes=[_pane(one, pane, wish, members, more) for pane in panes], more={"panes": others})
    return item


def _pane(one: Seen, pane: Pane, wish: Wish, members: Members, more: _More) -> Dict[str, Any]:
    item: Item = {
        "id": pane.id,
        "index": pane.number,
        "active": pane.active,
        "pid": pane.pid,
        "command": named(program(pane.command) if one.discreet else pane.command),
        "start_command": None if one.discreet else brief(pane.start_command, _COMMAND_CHARS),
        "path": None if one.discreet else brief(pane.path, _COMMAND_CHARS),
        "title": None if one.discreet else brief(pane.title),
        "width": pane.width,
        "height": pane.height,
        "dead": pane.dead,
        "exit_status": pane.status if pane.dead else None,
        "exit_signal": (named(pane.signal) or None) if pane.dead else None,
    }
    if wish.wants("processes"):
        server = one.server
        own, others = first(members.below(pane.pid, server.pid, server.user.uid), PROCESSES)
        item.update(processes=[_process(process) for process in own], more={"processes": others})
    if wish.wants("content"):
        item["content"] = more.content.get(pane.id)
    return item


def _process(process: proctable.Process) -> Dict[str, Any]:
    return {
        "pid": process.pid,
        "ppid": process.ppid,
        "command": named(process.command),
        "rss": process.rss,
        "cpu_seconds": process.cpu_seconds,
        "open_files": proctable.open_files(process.pid),
    }
