# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes the files that go with sessions: with the rights of their owner, and nothing but files and links of theirs.

What they are stands at the sessions, where anybody who can use a server may have written it, or in a task. Neither is
trusted further than those rights reach.
"""

import contextlib
import os
import stat
import time
from typing import Collection, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set

from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host import rights
from ansible_collections.fleet.tmux.plugins.module_utils._host.births import birth_of
from ansible_collections.fleet.tmux.plugins.module_utils._host.crew import Job, Line, Message, work
from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import Reached, Untrusted, reached
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import WITHHELD
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Table
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import encoded, shown
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._policy import cleanups
from ansible_collections.fleet.tmux.plugins.module_utils._policy.cleanups import CleanedUp, Files
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import details, pipes
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.details import Noted
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Lost, NoServer, TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.pipes import OLDER

NOT_ALONE = f"others could exchange something on the way there, or a link is in the way ({WITHHELD})"
"""What is told of a way that is not its owner's alone, where its names stay on the host."""
NOT_KNOWN = "it is not known whether another session has it, too"
WRITTEN = "something else still writes to it"

_ATTEMPTS, _PAUSE = 4, 0.05
"""How often, and in which intervals, a server that is just ending is asked what is noted at its sessions."""
_LAST_WORDS, _TICK = 20, 0.1
"""How often, and in which intervals, is looked whether what has written a log of a session that has gone ends, too."""


class Ended(NamedTuple):
    """Sessions of one server that have ended, or would, by what tells each from all others of its host.

    ``files``: what goes with them. ``gone``: those that have nothing any more. ``problem``: why that is not known.
    ``panes``: the ids of the panes and windows that each held, or said something of. ``held``: without the latter.
    """

    one: Seen
    files: Mapping[str, Files]
    gone: Collection[str]
    problem: str = ""
    panes: Mapping[str, Collection[str]] = {}
    held: Mapping[str, Collection[str]] = {}

    @property
    def trouble(self) -> List[str]:
        """What is to be said of that."""
        owner = shown(self.one.server.user.name)
        said = f"cleanup: which files go with sessions of {owner} is not known, so none of them is removed"
        return [f"{said}: {self.problem}"] if self.problem else []

    def moved(self, identity: str) -> Set[str]:
        """What a session says something of, and does not hold any more."""
        return set(self.panes.get(identity, ())).difference(self.held.get(identity, ()))

    def only(self, identities: Collection[str]) -> "Ended":
        """Of these sessions alone."""
        return self._replace(files={it: files for it, files in self.files.items() if it in identities}, gone=identities)


def noted(one: Seen) -> Dict[str, Noted]:
    """What the sessions of a server have to do with files; nothing where it has ended.

    :raises TmuxError: when that cannot be known.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return details.noted(one.client, one.listing.version)
        except NoServer:
            break
        except Lost:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_PAUSE)
    return {}


def going(one: Seen, identities: Sequence[str]) -> Ended:
    """What goes with these sessions of a server; nothing where that cannot be read, so that nothing is removed."""
    try:
        found = noted(one) if identities else {}
    except TmuxError as error:
        return Ended(one, {}, identities, error.message)
    files = {identity: cleanups.read(found[identity].cleanup) for identity in identities if identity in found}
    held = {identity: found[identity].held for identity in files}
    panes = {identity: {*held[identity], *found[identity].told} for identity in files}
    return Ended(one, {it: each for it, each in files.items() if each.paths}, identities, "", panes, held)


def clean_up_after(
    ended: Sequence[Ended], timeout: float, spared: str = "", check: bool = False
) -> Dict[str, CleanedUp]:
    """Remove what goes with sessions of one owner, but not what another session has, too.

    :param spared: a directory in which nothing is removed, whichever way leads there.
    :param check: only find out what would be done.
    """
    found = {identity: CleanedUp([], {}) for each in ended for identity in each.files}
    owners: Dict[str, str] = {}
    groups: List[_Group] = []
    for each in ended:
        if not each.files:
            continue
        claims = _Claims(each)
        for identity, files in each.files.items():
            for group in _groups(files, each.one.server.pid, claims.living):
                paths = [path for path in group.paths if path not in owners]
                why = claims.why_not(identity, group.paths)
                found[identity].left.update(dict.fromkeys(paths if why else (), why))
                groups.append(group._replace(paths=[] if why else paths))
                owners.update(dict.fromkeys(groups[-1].paths, identity))
    if owners:
        one = ended[0].one
        with contextlib.ExitStack() as stack:
            if one.client.share is not None:
                timeout = one.client.share.left(timeout)
                stack.enter_context(one.client.share.waiting())
            done = _clean_up(groups, one.server.user, timeout, one.discreet, spared, check)
        for path in done.removed:
            found[owners[path]].removed.append(path)
        for path, why in done.left.items():
            found[owners[path]].left[path] = why
    return found


class _Group(NamedTuple):
    """Paths that are removed together, or not. ``log``: whether they are those of a log, which the server wrote.

    ``living``: the ids of the panes of that server whose output may still be written there.
    """

    paths: Sequence[str]
    log: bool
    server: Optional[int]
    living: Collection[str] = ()


def _groups(files: Files, server: Optional[int], living: Collection[str]) -> List[_Group]:
    others = [path for path in files.paths if path not in files.of_logs]
    own = [_Group(log, True, server, living) for log in files.logs]
    return own + [_Group([path], False, server) for path in others]


class _Claims:
    """What other sessions of a server have, which stay."""

    def __init__(self, ended: Ended) -> None:
        self._ended = ended
        self._paths: Dict[str, str] = {}
        self._held: Dict[str, str] = {}
        self._made: Dict[str, str] = {}
        """In which sessions something lives that was begun in another one, by what that has in its environment."""
        self.living: Set[str] = set()
        self._known = True
        try:
            for identity, other in noted(ended.one).items():
                if identity not in ended.gone:
                    self._take(identity, other)
        except TmuxError:
            self._known = False

    def _take(self, identity: str, other: Noted) -> None:
        logs = [path for log in other.logs for path in (log, log + OLDER)]
        self._paths.update(dict.fromkeys([*cleanups.read(other.cleanup).paths, *logs], other.name))
        held = [it for it in other.held if it in other.pids or not it.startswith("%")]  # Nothing lives in a dead pane.
        self._held.update((_on_host(identity, it), other.name) for it in held)
        self.living.update(other.pids)
        for pid in other.pids.values():
            self._made.update({_begun_in(pid, self._ended.one.server.user): other.name})

    def why_not(self, identity: str, paths: Sequence[str]) -> str:
        """Why these, which go with a session, stay; nothing if nobody else has any of them."""
        if not self._known:
            return NOT_KNOWN
        held = [_on_host(identity, pane) for pane in self._ended.panes.get(identity, ())]
        lives_on = sorted(self._held[pane] for pane in held if pane in self._held)
        pid, _start, number, _created = identity.split("/")
        made = self._made.get("%s,%s" % (pid, number[1:]))
        lives_on += [] if made is None else [made]
        if lives_on:
            return f"what runs there lives on in session {shown(lives_on[0])!r}"
        names = [self._paths[path] for path in paths if path in self._paths]
        return f"session {shown(names[0])!r} has it, too" if names else ""


def _on_host(identity: str, pane: str) -> str:
    """A pane or window as no other server has it. ``identity``: of a session of its server."""
    return "/".join([*identity.split("/")[:2], pane])


def _begun_in(pid: int, user: User) -> str:
    """In which session what lives in a pane was begun: the pid of its server, and the number; nothing if not known.

    tmux tells it so in its environment, and no number is given twice.
    """
    process = proctable.read_process(pid, (user.uid,))
    birth = None if process is None else birth_of(process, user.uid)
    return "" if birth is None else ",".join(birth.variables.get("TMUX", "").split(",")[-2:])


def _clean_up(
    groups: Sequence[_Group], user: User, timeout: float, discreet: bool, spared: str, check: bool
) -> CleanedUp:
    """Remove files in a child: on the way there may be a file system that never answers."""
    found = CleanedUp([], {})

    def errand(line: Line) -> None:
        with rights.of(user):
            for group in groups:
                why = _Written(group, user).why_not(check) if group.log and group.paths else ""
                for path in group.paths:
                    line.say({"path": path, "why": why or _why_not(path, user, discreet, spared, check)})

    def hear(_key: str, message: Message) -> None:
        todo.remove(message["path"])
        if message["why"] is None:
            found.removed.append(message["path"])
        elif message["why"]:
            found.left[message["path"]] = message["why"]

    todo = [path for group in groups for path in group.paths]
    ends = work([Job("files", errand, timeout)], hear)
    if todo and "files" in ends:
        found.left.update(dict.fromkeys(todo, ends["files"].reason))
    return found


def _why_not(path: str, user: User, discreet: bool, spared: str, check: bool) -> Optional[str]:
    """Remove a file; None if it was removed, nothing if it was not there, else why it stays."""
    try:
        return _removed(path, user, spared, check)
    except Untrusted as problem:
        return NOT_ALONE if discreet else shown(str(problem))
    except OSError as error:
        return _cannot(user, error.strerror)
    except ValueError as error:
        return _cannot(user, error)


def _cannot(user: User, why: object) -> str:
    return f"{user.name} cannot remove it: {why}"


def _removed(path: str, user: User, spared: str, check: bool) -> Optional[str]:
    folder, name = os.path.split(path)
    with reached(folder, {user.uid}) as there:
        if there.missing:
            return ""
        try:
            found = os.stat(encoded(name), dir_fd=there.handle, follow_symlinks=False)
        except FileNotFoundError:
            return ""
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
            return "it is neither a file nor a link"
        if found.st_uid != user.uid:
            return f"it belongs to uid {found.st_uid}, not to {user.name}"
        if spared and os.path.samestat(os.stat(encoded(spared)), os.fstat(there.handle)):
            return "it is in the directory of the records"
        return _unlinked(name, there, user, check)


def _unlinked(name: str, there: Reached, user: User, check: bool) -> Optional[str]:
    if not check:
        os.unlink(encoded(name), dir_fd=there.handle)  # Of a link nothing but itself.
    elif not os.access(".", os.W_OK | os.X_OK, dir_fd=there.handle, effective_ids=True):
        return _cannot(user, "Permission denied")
    return None


class _Written:
    """Whether a log is written by something else than its server: of what that has let begin, tmux itself tells.

    The kernel says so. What has written it for a session that has gone may need a moment to end.
    """

    def __init__(self, group: _Group, user: User) -> None:
        self._path = group.paths[0]
        self._server = group.server
        self._living = group.living
        self._user = user

    def why_not(self, check: bool) -> str:
        for attempt in range(1 if check else _LAST_WORDS):
            if attempt:
                proctable.wait(_TICK)
            if not self._is_written():
                return ""
        return WRITTEN

    def _is_written(self) -> bool:
        try:
            found = os.stat(encoded(self._path), follow_symlinks=False)
        except (OSError, ValueError):
            return False  # What is wrong with it is found when it is removed.
        table, _others = proctable.read_table([self._user.uid])
        return any(
            _writes(process.pid, self._path, found)
            for process in table.values()
            if process.uid == self._user.uid and not self._is_excused(process, table)
        )

    def _is_excused(self, process: Process, table: Table) -> bool:
        """Whether a process ends by itself: the server has begun it, and no pane lives whose output it writes."""
        return self._is_servers(process.pid, table) and pipes.pane_of(process) not in self._living

    def _is_servers(self, pid: int, table: Table) -> bool:
        """Whether a process comes from the server."""
        seen = set()
        while pid in table and pid not in seen:
            if pid == self._server:
                return True
            seen.add(pid)
            pid = table[pid].ppid
        return False


def _writes(pid: int, path: str, found: os.stat_result) -> bool:
    """Whether a process has a file open to write to it."""
    place, name = "%s/%d" % (proctable.PROC, pid), os.path.basename(encoded(path))
    try:
        return any(_is_open(place, number, name, found) for number in os.listdir(place + "/fd"))
    except OSError:
        return False  # It has ended, or is not for us to look at, as nothing is that we let write a log.


def _is_open(place: str, number: str, name: bytes, found: os.stat_result) -> bool:
    link = "%s/fd/%s" % (place, number)
    try:
        # By its name first: to ask what else is open may mean to ask a file system that never answers.
        if os.path.basename(os.readlink(encoded(link))) != name or not os.path.samestat(os.stat(link), found):
            return False
        text = proctable.read_file("%s/fdinfo/%s" % (place, number))
    except OSError:
        return False
    flags = next((line.split()[1] for line in text.split(b"\n") if line.startswith(b"flags:")), b"0")
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY
