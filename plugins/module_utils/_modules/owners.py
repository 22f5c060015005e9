# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that is done for one owner is done in a child of its own: what one does costs no other his turn."""

import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleet.tmux.plugins.module_utils._host import crew
from ansible_collections.fleet.tmux.plugins.module_utils._host.crew import Answer, End, Job, Line, Message
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._modules.items import named
from ansible_collections.fleet.tmux.plugins.module_utils._modules.options import ServerOptions, the_path, the_scope
from ansible_collections.fleet.tmux.plugins.module_utils._modules.results import Defect, TaskError, error_of, told_error
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import (
    BYTES_PER_OWNER,
    PATIENCE,
    Seen,
    any_recovered,
    look_at_all,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import WHOLE, Guards
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import (
    Host,
    Server,
    discover,
    locate,
    odd_places,
    owners,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.share import Share
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.sockets import DIRECTORIES

Json = Dict[str, Any]

OWN_SECONDS = 10.0
"""Seconds of an owner's time for what we do ourselves for him, where nobody else could keep us waiting."""
NAMELESS = 50
"""Users without an account who are seen to apart from each other."""
NO_ACCOUNT = "users without an account"
MORE = 4
"""How many times as long as his servers may take one owner may be granted at most, for what is saved and removed."""
_MARGIN_SECONDS = 5.0
"""After the end of his time: for what was begun before it, and for telling. Then his child is ended."""


class Owner(NamedTuple):
    """Whose servers these are. ``find`` finds them, in the child.

    ``socket`` is where they are, if that is known; ``alone``: it is the one that was asked for.
    """

    key: str
    name: str
    find: Callable[[Host], List[Server]]
    socket: str = ""
    alone: bool = False


def the_owners(module: AnsibleModule, options: ServerOptions, host: Host) -> Tuple[List[Owner], str]:
    """Whose servers the options choose, and which these are: ``host`` (all users'), ``own`` or ``socket``."""
    scope = the_scope(module, options, host)
    if scope is None:
        path = the_path(options, host)
        return [Owner("socket", "", lambda at: [locate(at, path)], path, True)], "socket"
    chosen = apart(owners(host, scope))
    if host.uid != 0:
        return chosen, "own"
    # Anybody may have put a file system there that does not answer.
    places = Owner("places", host.directory.user(0).name, lambda at: odd_places(at, scope), f"{DIRECTORIES}/tmux-*")
    return [*chosen, places], "host"


def apart(users: Sequence[User]) -> List[Owner]:
    """Each user apart from the others; of those without an account only so many, and the rest together as one owner.

    Whoever has subordinate ids can run servers under thousands of user ids, and must not have as many turns.
    """
    rest = [user for user in users if user.name == str(user.uid)][NAMELESS:]
    together = {user.uid for user in rest}
    chosen = [Owner(str(user.uid), user.name, _finding([user])) for user in users if user.uid not in together]
    return [*chosen, Owner("rest", NO_ACCOUNT, _finding(rest))] if rest else chosen


def _finding(users: Sequence[User]) -> Callable[[Host], List[Server]]:
    return lambda host: [server for user in users for server in discover(host, user)]


class Way(NamedTuple):
    """How the servers of an owner are looked at. ``seconds``: what is known to be needed beside the usual."""

    recover_sockets: bool = False
    guards: Guards = WHOLE
    check_mode: bool = False
    seconds: float = 0.0


Errand = Callable[[Line, List[Seen]], None]
"""What is done for one owner, in the child, when his servers have been listed. It says what it finds."""
Hear = Callable[[str, Message], None]


class Owners(NamedTuple):
    """What came of it: the servers, as results show them; what could not be done, by owner; and the first error."""

    servers: List[Json]
    ends: Dict[str, End]
    recovered: bool
    error: Optional[Exception]


def see_to(
    host: Host, chosen: Sequence[Owner], way: Way, errand: Errand, hear: Hear, answer: Optional[Answer] = None
) -> Owners:
    """Do an errand for all owners, side by side.

    :param hear: is given what an errand says, with the key of its owner.
    :param answer: answers those that wait, when nobody is at work any more.
    """
    books = _Books(chosen, hear)
    ends = crew.work([_job(host, owner, way, errand) for owner in chosen], books.hear, answer)
    return books.close(ends)


def _job(host: Host, owner: Owner, way: Way, errand: Errand) -> Job:
    waiting = PATIENCE * host.timeout
    seconds, more = waiting + OWN_SECONDS + way.seconds, MORE * waiting

    def work(line: Line) -> None:
        until = time.monotonic() + seconds
        host.share = Share(waiting, BYTES_PER_OWNER, until, more, line.ask_for_time)
        line.after_waiting = host.share.postpone
        servers = owner.find(host)
        line.say({"found": [server.as_dict() for server in servers]})
        seen = look_at_all(host, servers, way.recover_sockets, way.guards, way.check_mode)
        errors = [one.error for one in seen if one.error is not None]
        line.say(
            {
                "looked_at": [one.server.as_dict() for one in seen],
                "recovered": any_recovered(seen),
                "error": told_error(errors[0]) if errors else None,
            }
        )
        errand(line, seen)
        line.say({"done": True})

    return Job(owner.key, work, seconds + _MARGIN_SECONDS, more)


class _Books:
    """What was heard of the servers of all owners."""

    def __init__(self, chosen: Sequence[Owner], hear: Hear) -> None:
        self._owners = {owner.key: owner for owner in chosen}
        self._hear = hear
        self._servers: Dict[str, List[Json]] = {}
        self._done: Dict[str, bool] = {}
        self._recovered = False
        self._error: Optional[Exception] = None

    def hear(self, key: str, message: Message) -> None:
        if "found" in message:
            self._servers[key] = message["found"]
        elif "looked_at" in message:
            self._servers[key] = message["looked_at"]
            self._recovered = self._recovered or bool(message["recovered"])
            self._error = self._error or error_of(message["error"])
        elif "judged" in message or "done" in message:
            self._done[key] = True
        self._hear(key, message)

    def close(self, ends: Dict[str, End]) -> Owners:
        for key, end in ends.items():
            if not self._done.get(key):
                self._servers[key] = _given_up(self._owners[key], self._servers.get(key, []), end)
                self._error = self._error or _error_of(self._owners[key], end)
        servers = [server for own in self._servers.values() for server in own]
        servers.sort(key=lambda server: (server["owner"], server["socket"], server["pid"] or 0))
        return Owners(servers, ends, self._recovered, self._error)


def _error_of(owner: Owner, end: End) -> Optional[Exception]:
    """What came in the way of the one server that was asked for."""
    if not owner.alone:
        return None
    return Defect(end.reason, end.trace) if end.trace else TaskError(f"server {owner.socket}: {end.reason}")


def _given_up(owner: Owner, servers: Sequence[Json], end: End) -> List[Json]:
    """The servers of an owner whose sessions could not be judged."""
    status = "hung" if end.hung else "unreachable"
    if not servers:
        return [dict(_NO_SERVER, socket=owner.socket, owner=named(owner.name), status=status, reason=end.reason)]
    return [
        dict(server, status=status, reason=end.reason) if server["status"] in ("ok", "orphaned") else server
        for server in servers
    ]


_NO_SERVER: Json = {
    "socket": "",
    "owner": "",
    "pid": None,
    "start_time": None,
    "version": "",
    "status": "",
    "reason": "",
}
