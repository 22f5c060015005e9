# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings the named sessions of one server to their state: look, plan, remove, create, look again."""

import re
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils import _servers as servers
from ansible_collections.fleet.tmux.plugins.module_utils._cases import members
from ansible_collections.fleet.tmux.plugins.module_utils._census import Seen, look
from ansible_collections.fleet.tmux.plugins.module_utils._child import NoAnswer, User
from ansible_collections.fleet.tmux.plugins.module_utils._create import CreateError, Creator, Wanted, working_directory
from ansible_collections.fleet.tmux.plugins.module_utils._model import Listing, Session, read_or_nothing
from ansible_collections.fleet.tmux.plugins.module_utils._plan import Plan
from ansible_collections.fleet.tmux.plugins.module_utils._remove import Result, remove_same
from ansible_collections.fleet.tmux.plugins.module_utils._servers import Host, Server
from ansible_collections.fleet.tmux.plugins.module_utils._snapshot import read as read_snapshot
from ansible_collections.fleet.tmux.plugins.module_utils._sockets import Unusable
from ansible_collections.fleet.tmux.plugins.module_utils._survivors import Aftermath, Census, Departed, attend
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import TmuxError, shown, unsuitable

_SIZE_LIMIT = 65535
"""Columns or rows that tmux takes at most."""


class StateError(ValueError):
    """A state that could not be reached; what was done until then is in the result."""


class Blueprint(NamedTuple):
    """What all new sessions of one task have in common."""

    command: Optional[str]
    argv: Tuple[str, ...]
    chdir: Optional[str]
    env: Tuple[Tuple[str, str], ...]
    width: Optional[int]
    height: Optional[int]
    window_name: Optional[str]
    snapshot: Optional[str] = None
    restore_commands: bool = False


def blueprint(params: Dict[str, Any]) -> Blueprint:
    """What the module options say of new sessions.

    :raises StateError: naming an option that cannot be used.
    """
    for option in ("width", "height"):
        if params[option] is not None and not 1 <= params[option] <= _SIZE_LIMIT:
            raise StateError("%s: %d is not between 1 and %d" % (option, params[option], _SIZE_LIMIT))
    if params["command"] is not None and not params["command"].strip():
        raise StateError("command: it is empty; leave it out for a session with the user's shell")
    if params["argv"] is not None and not (params["argv"] and params["argv"][0]):
        raise StateError("argv: it needs a program as its first element")
    for option in ("command", "chdir", "window_name"):
        _require_no_null(option, params[option] or "")
    _require_no_null("argv", "".join(params["argv"] or ()))
    reason = unsuitable(params["window_name"]) if params["window_name"] is not None else None
    if reason:
        raise StateError("window_name: %r cannot be used: %s" % (params["window_name"], reason))
    return Blueprint(
        command=params["command"],
        argv=tuple(params["argv"] or ()),
        chdir=params["chdir"],
        env=tuple(sorted(_variables(params["env"] or {}))),
        width=params["width"],
        height=params["height"],
        window_name=params["window_name"],
        snapshot=params["snapshot"],
        restore_commands=params["restore_commands"],
    )


def _variables(env: Dict[Any, Any]) -> Iterator[Tuple[str, str]]:
    for key, value in env.items():
        if not re.match(r"^[^=\0\s]+\Z", str(key)):
            raise StateError("env: %r is no name of a variable" % str(key))
        if isinstance(value, (dict, list)) or value is None:
            raise StateError("env: the value of %s is no text" % key)
        _require_no_null("env", str(value))
        yield str(key), str(value)


def _require_no_null(option: str, text: str) -> None:
    if "\0" in text:
        raise StateError("%s: it holds a NUL character, which no process can be given" % option)


class Place:
    """The one server of a task, which may not be there yet."""

    def __init__(self, host: Host, path: str) -> None:
        self._host = host
        server = servers.locate(host, path)
        self.seen: Seen = look(host, server)

    @property
    def server(self) -> Server:
        return self.seen.server

    def require_usable(self) -> None:
        """Refuse a server of which nobody knows what it holds; that there is none is fine.

        :raises StateError: saying what is wrong with it.
        """
        if self.seen.error is not None and self.server.status != "absent":
            raise self.seen.error
        if self.server.status not in ("ok", "absent"):
            raise StateError(
                "server %s is %s: %s" % (shown(self.server.socket), self.server.status, self.server.reason)
            )

    def directory(self, chdir: Optional[str]) -> str:
        """Where a new session would start; refuses what its owner cannot enter."""
        return working_directory(chdir, self.server.user, self._as_user)

    def require_birthplace(self) -> None:
        """Refuse to start a server where others could have put something first."""
        if self.server.status != "absent":
            return
        try:
            servers.require_birthplace(self.server.socket, self.server.user.uid)
        except Unusable as problem:
            raise StateError("no server can be started at %s: %s" % (shown(self.server.socket), problem.reason))

    def remove(self, plan: Plan, aftermath: Aftermath, result: Dict[str, Any]) -> None:
        """Remove what the plan says, and tell what was, and which processes live on."""
        census = Census()
        before = [self._departing(it, census) for it in plan.remove]
        done = remove_same(self.seen.client, self.seen.listing.version, plan.remove)
        result["removed"] = sorted(it.name for it in plan.remove if done.outcomes[it.id].result == "removed")
        failed = [
            "%r: %s" % (it.name, done.outcomes[it.id].detail) for it in plan.remove if _failed(done.outcomes[it.id])
        ]
        result["changed"] = bool(result["removed"])
        result["survivors"] = _survivors(before, done, aftermath)
        if failed:
            raise StateError("not removed: %s" % "; ".join(failed))

    def create(self, names: Sequence[str], blueprint: Blueprint, result: Dict[str, Any]) -> None:
        """Make sessions with these names; all are tried, and what went wrong is told at the end."""
        self._prepare()
        common = self._common(blueprint)
        creator = Creator(self._host.client(self.server), self._as_user)
        problems: Dict[str, str] = {}
        made: List[str] = []
        for name in names:
            try:
                if creator.create(Wanted(name, **common)):
                    made.append(name)
            except CreateError as error:
                problems[name] = str(error)
        problems.update(creator.settle())
        result["created"] = sorted(name for name in made if name not in problems)
        result["changed"] = result["changed"] or bool(made)
        if problems:
            raise StateError("; ".join(problems[name] for name in sorted(problems)))

    def require_restorable(self, blueprint: Blueprint) -> None:
        """Refuse a snapshot that the owner of the new session cannot read."""
        self._common(blueprint)

    def _common(self, blueprint: Blueprint) -> Dict[str, Any]:
        """What all new sessions are to be."""
        common = dict(blueprint._asdict(), chdir=self.directory(blueprint.chdir))
        path = common.pop("snapshot")
        if path is not None:
            windows = read_snapshot(path, self.server.user, self._as_user)
            common.update(windows=windows, width=windows[0].width, height=windows[0].height)
        return common

    def _departing(self, session: Session, census: Census) -> Departed:
        uid = self.server.user.uid
        return Departed(session, members(self.seen, session, census), self.seen.listing.pid, uid, certain=True)

    def after(self) -> Listing:
        """The server as it is now."""
        return read_or_nothing(self._host.client(self.server))

    def names(self) -> List[str]:
        """The names of all sessions there are now; none if that cannot be known."""
        try:
            listing = self.after()
        except TmuxError:
            return []
        return sorted([session.name for session in listing.sessions] + [lost.name for lost in listing.unread])

    @property
    def _as_user(self) -> bool:
        return self._host.uid == 0

    def _prepare(self) -> None:
        """Have what a new server lives with: its directory, and the groups of its owner."""
        if self.server.status != "absent":
            return
        self.require_birthplace()
        user = self._with_groups(self.server.user)
        self.seen = self.seen._replace(server=self.server._replace(user=user))
        self._host.client(self.server).make_directory()
        self.require_birthplace()

    def _with_groups(self, user: User) -> User:
        if not self._as_user:
            return user
        try:
            return self._host.directory.with_groups(user)
        except NoAnswer as error:
            raise StateError("the groups of %s are not known: %s; no server was started" % (user.name, error))


def _survivors(before: Sequence[Departed], done: Result, aftermath: Aftermath) -> List[Dict[str, Any]]:
    """Who outlives the sessions that were removed."""
    gone = [one for one in before if done.outcomes[one.session.id].result == "removed"]
    gone = [one._replace(certain=done.whole) for one in gone]
    staying = [pid for session in done.remaining for pid in session.pids]
    return [
        dict(ending.as_dict(), session=shown(one.session.name))
        for one, endings in zip(gone, attend(gone, staying, aftermath))
        for ending in endings
    ]


def _failed(outcome: Any) -> bool:
    return outcome.result in ("failed", "changed")


def verify(plan: Plan, listing: Listing, result: Dict[str, Any]) -> None:
    """Hold the outcome against the plan: what tmux says it did is not believed.

    :raises StateError: for a removed name that is there again, or a created one that is not.
    """
    names = [session.name for session in listing.sessions] + [lost.name for lost in listing.unread]
    result["sessions"] = sorted(names)
    back = [session.name for session in plan.remove if session.name in names and session.name not in plan.create]
    if back:
        raise StateError(
            "%s there again; a hook of the server may do that" % ", ".join("%r is" % name for name in back)
        )
    missing = [name for name in plan.create if name not in names]
    if missing:
        raise StateError("%s not there after all" % ", ".join("%r is" % name for name in missing))
