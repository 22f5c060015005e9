# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tmux servers are on this host, whose they are, and whether they can be used."""

import os
import stat
import time
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory, NoAnswer
from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import Mounts, Untrusted, found_at
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import tells_of
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes, pids_by_owner
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import NAME_CHARS, brief
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import sockets
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client, client_version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.programs import Unfit, executes, program_of
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.share import Share
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.sockets import Peer, Unusable

SERVERS_PER_OWNER = 200
"""Servers of one owner that are looked at; what one user starts must not cost the others their turn."""
_RECOVERY_SECONDS = 3.0
_ELSEWHERE = "it lives in a container or another namespace"
NOT_OURS = "for a server of this host, name another socket (socket_name)"
"""What helps where such a server has the socket that was asked for, as where a container shares ``/tmp``."""
_NOT_LOOKED_AT = "processes of this owner hold more files than are looked at"
_PATHS_LIMIT = 100
_NAMES_LIMIT = 300
"""Places of which a server can be said to listen there that are looked at; everybody may say so."""


class Server(NamedTuple):
    """One tmux server.

    ``status``: ok, unreachable, hung, denied, mismatch, orphaned, recovered, foreign, or absent: none.
    """

    socket: str
    user: User
    status: str
    reason: str = ""
    process: Optional[Process] = None
    start_time: Optional[int] = None
    version: str = ""

    @property
    def pid(self) -> Optional[int]:
        return self.process.pid if self.process else None

    def as_dict(self) -> Dict[str, Any]:
        """The server as results show it."""
        return {
            "socket": brief(self.socket),
            "owner": brief(self.user.name, NAME_CHARS),
            "pid": self.pid,
            "start_time": self.start_time,
            "version": brief(self.version, NAME_CHARS),
            "status": self.status,
            "reason": brief(self.reason),
        }


NO_TMUX = "tmux was not found on this host"


class Host:
    """What the rooms above need to reach servers: the binary (None: it is missing), the user database, the limits."""

    def __init__(
        self, binary: Optional[str], timeout: float, directory: Directory, full: bool = False, lack: str = NO_TMUX
    ) -> None:
        self.version = None if binary is None else client_version(binary, timeout)
        self.lack = "" if binary is not None else lack
        """Why there is no binary."""
        self.binary = binary
        self.timeout = timeout
        self.directory = directory
        self.uid = os.geteuid()
        self.full = full
        """Whether details of other users are told."""
        self.share: Optional[Share] = None
        """What everything together may cost that is done from here, if it is for one owner."""

    def client(self, server: Server) -> Client:
        """The client for a server: it runs as the server's owner, never with more rights."""
        if self.binary is None:
            return self.own_client(server) or self._client(server, "tmux", own=True)
        return self._client(server, self.binary)

    def own_client(self, server: Server) -> Optional[Client]:
        """A client that is the program which the server itself runs; None where that is ours, or is not to be run."""
        if server.process is None or (self.binary is not None and executes(server.process, self.binary)):
            return None
        try:
            return self._client(server, program_of(server.process), own=True)
        except Unfit:
            return None

    def _client(self, server: Server, binary: str, own: bool = False) -> Client:
        return Client(
            binary,
            server.socket,
            server.user,
            as_user=self.uid == 0,
            timeout=self.timeout,
            version=None if own else self.version,
            process=server.pid,
            discreet=not tells_of(server.user.uid, self.full),
            own=own,
        )

    def listener_at(self, path: str) -> Peer:
        """Who listens at a socket, for as long as its owner has time left.

        :raises Unusable: as the function of that name does.
        """
        if self.share is None:
            return sockets.listener_at(path, self.timeout)
        if self.share.used_up():
            raise Unusable("hung", "not asked: %s" % self.share.used_up())
        with self.share.waiting():
            return sockets.listener_at(path, self.share.left(self.timeout))

    def may_use(self, uid: int) -> bool:
        return self.uid in (0, uid)


def locate(host: Host, path: str) -> Server:
    """The one server at ``path``. No server is status ``absent``; the owner is then who would own one."""
    try:
        uid = sockets.require_trusted(path)
    except Unusable as problem:
        return _without_socket(host, path, problem)
    server = _connected(host, path, host.directory.user(uid))
    return (_orphan_of(host, path, uid) or server) if server.status == "absent" else server


def _without_socket(host: Host, path: str, problem: Unusable) -> Server:
    if problem.status == "absent":
        orphan = _orphan_of(host, path, sockets.owner_of_place(path) if host.uid == 0 else host.uid)
        if orphan is not None:
            return orphan
    me = host.directory.user(sockets.owner_to_be(path, host.uid) if host.uid == 0 else host.uid)
    return Server(path, me, problem.status, problem.reason)


def _orphan_of(host: Host, path: str, uid: int) -> Optional[Server]:
    """The server that was bound to ``path`` and cannot be reached there any more.

    Any user can have a process that says so of any path. Only one of ``uid``, whose server it would be, counts, and
    only where the path means what it means here.
    """
    processes = Processes.of(uid)
    user = host.directory.user(uid)
    for process in processes.named_like_tmux():
        if processes.owner(process) != uid or _is_elsewhere(process):
            continue
        paths = processes.listens_at(process)
        if paths is None:
            return Server(path, user, "unreachable", "%s, so it may be one of them" % _NOT_LOOKED_AT)
        if path in paths:
            server = _judge_true(host, paths, process, user)
            if server.socket == path:
                return server
    return None


def _is_elsewhere(process: Process) -> bool:
    """Whether paths, or the pids that it tells, are not ours to a process."""
    if proctable.sees_our_files(process.pid) is False:
        return True
    theirs = proctable.namespace(process.pid, "pid")
    return theirs is not None and theirs != proctable.namespace("self", "pid")


def _connected(host: Host, path: str, user: User) -> Server:
    if not host.may_use(user.uid):
        return Server(path, user, "denied", "it is the server of another user; only root may become that user")
    try:
        peer = host.listener_at(path)
    except Unusable as problem:
        return Server(path, user, problem.status, problem.reason)
    process = proctable.read_process(peer.pid, (user.uid,)) if peer.pid > 0 else None
    if peer.uid != user.uid:
        return Server(path, user, "unreachable", "uid %d listens at a socket of uid %d" % (peer.uid, user.uid), process)
    if process is not None and process.is_others:
        process = None  # Who began to listen has become somebody else, or has ended and the pid has a new holder.
    if process is None and host.uid == 0:
        # Whose program root's client may become must be held to what this process is held to.
        return Server(path, user, "unreachable", "the process that began to listen there is not to be seen")
    if process is not None and _is_elsewhere(process):
        return Server(path, user, "foreign", _ELSEWHERE, process)
    mute = _without_program(host, process)
    return Server(path, user, "unreachable" if mute else "ok", mute, process)


def _without_program(host: Host, process: Optional[Process]) -> str:
    """Why nothing can speak with a server; empty if something can."""
    if host.binary is not None:
        return ""
    try:
        if process is None:
            raise Unfit("the process that began to listen there is not to be seen")
        program_of(process)
    except Unfit as problem:
        return "%s, and %s" % (host.lack, problem)
    return ""


class Scope(NamedTuple):
    """Whose servers are wanted: all, or those of ``users``, without those of ``excluded`` (uids)."""

    users: Optional[Set[int]]
    excluded: Set[int]

    def wants(self, uid: int) -> bool:
        return uid not in self.excluded and (self.users is None or uid in self.users)


def owners(host: Host, scope: Scope) -> List[User]:
    """The wanted users of whom there may be servers, by user id.

    Nothing of anybody is asked here that the kernel does not tell at once.
    """
    wanted = {uid: pids for uid, pids in pids_by_owner().items() if scope.wants(uid) and host.may_use(uid)}
    uids = sorted(uid for uid, pids in wanted.items() if any(proctable.calls_itself_server(pid) for pid in pids))
    try:
        host.directory.learn([str(uid) for uid in uids])
    except NoAnswer:
        pass  # A user without a name is a number, and gets least.
    return [host.directory.user(uid) for uid in uids]


def discover(host: Host, user: User) -> List[Server]:
    """Every tmux server of a user on this host, each once, by socket.

    The kernel's list of listening sockets and the processes that hold them are the source, so it does not matter where
    a socket lies or whether it still lies there. Sockets without a server are not servers.
    """
    processes = Processes.of(user.uid)
    own = [process for process in processes.named_like_tmux() if processes.owner(process) == user.uid]
    found = _of_owner(host, user.uid, [(process, processes.listens_at(process)) for process in own])
    return sorted(found, key=lambda server: (server.socket, server.pid or 0))


def _of_owner(host: Host, uid: int, listening: Iterable[Tuple[Process, Optional[Sequence[str]]]]) -> List[Server]:
    user = host.directory.user(uid)
    found: List[Server] = []
    surplus = hidden = 0
    for process, paths in listening:
        if paths is None:
            hidden += 1
        elif paths and len(found) >= SERVERS_PER_OWNER:
            surplus += 1
        elif paths:
            found.append(_judge_true(host, paths, process, user))
    if hidden:
        reason = "%d processes may be servers and were not looked at: %s" % (hidden, _NOT_LOOKED_AT)
        found.append(Server("", user, "unreachable", reason))
    if surplus:
        reason = "%d more servers of this owner were not looked at (at most %d are)" % (surplus, SERVERS_PER_OWNER)
        found.append(Server("", user, "unreachable", reason))
    return found


def odd_places(host: Host, scope: Scope) -> List[Server]:
    """What lies where the wanted users' sockets would be, and is not used."""
    found = []
    for odd in sockets.odd_directories():
        if scope.wants(odd.uid):
            more = " (and %d more of this owner)" % (odd.total - 1) if odd.total > 1 else ""
            reason = "the directory is not used: %s%s" % (odd.reason, more)
            found.append(Server(odd.path, host.directory.user(odd.uid), "unreachable", reason))
    return found


def _judge_true(host: Host, paths: Sequence[str], process: Process, user: User) -> Server:
    """Judge a server by the one of ``paths`` that leads to it.

    The kernel prints a path as it is, with newlines in it: any user can put rows into its table that say of another
    user's server that it listens elsewhere. What such a row names is no socket of the server's owner, or not the one.
    """
    if len(paths) == 1:
        return _judge(host, paths[0], process, user)
    places = _places(paths, user)
    servers = [_judge(host, path, process, user) for path in places]
    if not servers:
        return Server(paths[0], user, "unreachable", "it is not certain at which of several places it listens", process)
    return min(servers, key=lambda server: {"ok": 0, "hung": 1, "orphaned": 3}.get(server.status, 2))


def _places(paths: Sequence[str], user: User) -> List[str]:
    """Where a server may listen: sockets of its owner's at ``paths``, else the first place that can be looked at."""
    mounts, default = Mounts(), os.path.dirname(sockets.default_path(user.uid))
    real: Dict[Tuple[int, int], str] = {}
    rest: List[str] = []
    for path in sorted(paths, key=lambda one: os.path.dirname(one) != default)[:_NAMES_LIMIT]:
        try:
            found = found_at(path, user.uid, mounts)
        except Untrusted:
            continue
        if found is not None and stat.S_ISSOCK(found.st_mode) and found.st_uid == user.uid:
            real.setdefault((found.st_dev, found.st_ino), path)
        else:
            rest.append(path)
    return list(real.values())[:_PATHS_LIMIT] or rest[:1]


def _judge(host: Host, path: str, process: Process, user: User) -> Server:
    """What can be done with the server that ``process`` is and that was bound to ``path``."""
    if _is_elsewhere(process):
        return Server(path, user, "foreign", _ELSEWHERE, process)
    if not path.startswith("/"):
        return Server(path, user, "unreachable", "its socket was given as a relative path", process)
    try:
        uid = sockets.require_trusted(path)
    except Unusable as problem:
        if problem.status == "absent":
            return _orphaned(path, process, user, "the process lives, its socket is gone")
        return Server(path, user, problem.status, problem.reason, process)
    if uid != user.uid:
        return Server(path, user, "unreachable", "its socket belongs to uid %d" % uid, process)
    server = _connected(host, path, user)
    if server.process is not None and server.pid != process.pid:
        return _orphaned(path, process, user, "the process lives, another server has taken its socket")
    if server.status == "absent":
        return _orphaned(path, process, user, "the process lives, at its socket's place is one that nobody listens at")
    return server._replace(process=process)


def _orphaned(path: str, process: Process, user: User, reason: str) -> Server:
    if not proctable.lives(process):
        return Server(path, user, "absent", "it ended while it was looked at")
    return Server(path, user, "orphaned", reason, process)


def recover(host: Host, server: Server, check_mode: bool) -> Server:
    """Have an orphaned server make its socket again: a signal to exactly that process, when it and the place are fit.

    It is status ``recovered`` then, and in check mode where it would be: what it holds is for the next run, so that
    check mode, which signals nobody, has the same plan.
    """
    if server.process is None:
        return server
    problem = _unfit(host, server, server.process)
    if problem:
        return server._replace(reason="%s; not recovered: %s" % (server.reason, problem))
    if check_mode:
        reason = "%s; it would be recovered, and the next run would look at its sessions" % server.reason
        return server._replace(status="recovered", reason=reason)
    if not proctable.send_signal(server.process, proctable.RECREATE):
        return server._replace(reason="%s; not recovered: the process has ended" % server.reason)
    deadline = time.monotonic() + _RECOVERY_SECONDS
    while time.monotonic() < deadline:
        again = _judge(host, server.socket, server.process, server.user)
        if again.status == "ok":
            reason = "its socket was gone and was made again; the next run looks at its sessions"
            return again._replace(status="recovered", reason=reason)
        proctable.wait(0.02)
    return server._replace(
        reason="%s; it did not make its socket again within %g seconds" % (server.reason, _RECOVERY_SECONDS)
    )


def _unfit(host: Host, server: Server, process: Process) -> str:
    """Why an orphaned server is not asked for its socket, if it is not."""
    try:
        sockets.require_own_directory(os.path.dirname(server.socket), server.user.uid, birth=True)
    except Unusable as problem:
        return problem.reason
    if os.path.lexists(server.socket) and not _is_dead_socket(host, server):
        return "something else is there now"
    if not proctable.was_bound_to(process, server.socket):
        return "it is not certain that the process was bound to it"
    if not _is_tmux(host, process, server.user.uid) or not proctable.catches(process, proctable.RECREATE):
        return "it is not certain that the process is a tmux server"
    return ""


def _is_tmux(host: Host, process: Process, uid: int) -> bool:
    """Whether a process executes our tmux, or a file called so that belongs to root or to the user of the process.

    What somebody else owns may have been given that name for others to run it.
    """
    if host.binary is not None and executes(process, host.binary):
        return True
    program = proctable.program(process)
    return program is not None and program.name.startswith("tmux") and program.file.st_uid in (0, uid)


def _is_dead_socket(host: Host, server: Server) -> bool:
    try:
        if sockets.owner_of(server.socket) == server.user.uid:
            host.listener_at(server.socket)
    except Unusable as problem:
        return problem.status == "absent"
    return False


def require_birthplace(path: str, uid: int) -> None:
    """Refuse to start a server where others could have put something in its place.

    :raises Unusable: saying why.
    """
    folder = os.path.dirname(path)
    if folder == os.path.dirname(sockets.default_path(uid)) and not os.path.lexists(folder):
        return  # The tmux client makes it, with mode 0700.
    sockets.require_own_directory(folder, uid, birth=True)
