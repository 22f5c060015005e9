# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tmux servers are on this host, whose they are, and whether they can be used."""

import os
import stat
import time
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils import _proctable as proctable
from ansible_collections.fleet.tmux.plugins.module_utils import _sockets as sockets
from ansible_collections.fleet.tmux.plugins.module_utils._child import Directory, NoAnswer, User
from ansible_collections.fleet.tmux.plugins.module_utils._sockets import Unusable
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import Client, client_version, shown

SERVERS_PER_OWNER = 200
"""Servers of one owner that are looked at; what one user starts must not cost the others their turn."""
_RECOVERY_SECONDS = 3.0
_PATHS_LIMIT = 100


class Server(NamedTuple):
    """One tmux server. ``status``: ok, unreachable, hung, denied, mismatch, orphaned, foreign, or absent: none."""

    socket: str
    user: User
    status: str
    reason: str = ""
    process: Optional[proctable.Process] = None
    start_time: Optional[int] = None
    version: str = ""

    @property
    def pid(self) -> Optional[int]:
        return self.process.pid if self.process else None

    def as_dict(self) -> Dict[str, Any]:
        """The server as results show it."""
        return {
            "socket": shown(self.socket),
            "owner": shown(self.user.name),
            "pid": self.pid,
            "start_time": self.start_time,
            "version": shown(self.version),
            "status": self.status,
            "reason": shown(self.reason),
        }


class Host:
    """What the rooms above need to reach servers: the binary, the user database and the limits."""

    def __init__(self, binary: str, timeout: float, directory: Directory) -> None:
        self.version = client_version(binary, timeout)
        self.binary = binary
        self.timeout = timeout
        self.directory = directory
        self.uid = os.geteuid()

    def client(self, server: Server) -> Client:
        """The client for a server: it runs as the server's owner, never with more rights."""
        return Client(self.binary, server.socket, server.user, self.uid == 0, self.timeout, self.version)

    def may_use(self, uid: int) -> bool:
        return self.uid in (0, uid)


def locate(host: Host, path: str) -> Server:
    """The one server at ``path``. No server is status ``absent``; the owner is then who would own one."""
    try:
        uid = sockets.require_trusted(path)
    except Unusable as problem:
        return _without_socket(host, path, problem)
    server = _connected(host, path, host.directory.user(uid))
    return (_orphan_of(host, path) or server) if server.status == "absent" else server


def _without_socket(host: Host, path: str, problem: Unusable) -> Server:
    if problem.status == "absent":
        orphan = _orphan_of(host, path)
        if orphan is not None:
            return orphan
    me = host.directory.user(sockets.owner_to_be(path, host.uid) if host.uid == 0 else host.uid)
    return Server(path, me, problem.status, problem.reason)


def _orphan_of(host: Host, path: str) -> Optional[Server]:
    """The server that was bound to ``path`` and cannot be reached there any more."""
    for process in _server_processes():
        uid = proctable.owner(process.pid)
        if uid is not None and host.may_use(uid) and path in _paths(process):
            server = _judge_true(host, _paths(process), process, host.directory.user(uid))
            if server.socket == path:
                return server
    return None


def _connected(host: Host, path: str, user: User) -> Server:
    if not host.may_use(user.uid):
        return Server(path, user, "denied", "it is the server of another user; only root may become that user")
    try:
        peer = sockets.listener_at(path, host.timeout)
    except Unusable as problem:
        return Server(path, user, problem.status, problem.reason)
    process = proctable.read_process(peer.pid) if peer.pid > 0 else None
    if peer.uid != user.uid:
        return Server(path, user, "unreachable", "uid %d listens at a socket of uid %d" % (peer.uid, user.uid), process)
    if process is not None and proctable.sees_our_files(process.pid) is False:
        return Server(path, user, "foreign", "it lives in a container or another mount namespace", process)
    return Server(path, user, "ok", "", process)


class Scope(NamedTuple):
    """Whose servers are wanted: all, or those of ``users``, without those of ``excluded`` (uids)."""

    users: Optional[Set[int]]
    excluded: Set[int]

    def wants(self, uid: int) -> bool:
        return uid not in self.excluded and (self.users is None or uid in self.users)


def discover(host: Host, scope: Scope) -> List[Server]:
    """Every tmux server of the wanted users on this host, each once, by owner and socket.

    The kernel's list of listening sockets and the processes that hold them are the source, so it does not matter where
    a socket lies or whether it still lies there. Sockets without a server are not servers.
    """
    owned: List[Tuple[proctable.Process, int]] = []
    for process in _server_processes():
        uid = proctable.owner(process.pid)
        if uid is not None and scope.wants(uid) and host.may_use(uid):
            owned.append((process, uid))
    try:
        host.directory.learn([str(uid) for uid in sorted({uid for _process, uid in owned})])
    except NoAnswer:
        pass  # A user without a name is a number, and gets least.
    found: List[Server] = []
    for uid in sorted({uid for _process, uid in owned}):
        found.extend(_of_owner(host, uid, [process for process, holder in owned if holder == uid]))
    if host.uid == 0:
        found.extend(_odd(host, scope))
    return sorted(found, key=lambda server: (server.user.name, server.socket, server.pid or 0))


def _of_owner(host: Host, uid: int, processes: Iterable[proctable.Process]) -> List[Server]:
    user = host.directory.user(uid)
    found: List[Server] = []
    surplus = 0
    for process in processes:
        paths = _paths(process)
        if paths and len(found) >= SERVERS_PER_OWNER:
            surplus += 1
        elif paths:
            found.append(_judge_true(host, paths, process, user))
    if surplus:
        reason = "%d more servers of this owner were not looked at (at most %d are)" % (surplus, SERVERS_PER_OWNER)
        found.append(Server("", user, "unreachable", reason))
    return found


def _odd(host: Host, scope: Scope) -> List[Server]:
    found = []
    for odd in sockets.odd_directories():
        if scope.wants(odd.uid):
            more = " (and %d more of this owner)" % (odd.total - 1) if odd.total > 1 else ""
            reason = "the directory is not used: %s%s" % (odd.reason, more)
            found.append(Server(odd.path, host.directory.user(odd.uid), "unreachable", reason))
    return found


def _server_processes() -> List[proctable.Process]:
    table = proctable.read_table()
    return [process for process in table.values() if process.alive and proctable.is_tmux_server(process)]


def _paths(process: proctable.Process) -> List[str]:
    """Where the kernel's table says that ``process`` listens."""
    held = proctable.socket_inodes(process.pid)
    paths = [listener.path for listener in proctable.listeners(process.pid) if listener.inode in held] if held else []
    return list(dict.fromkeys(paths))


def _judge_true(host: Host, paths: Sequence[str], process: proctable.Process, user: User) -> Server:
    """Judge a server by the one of ``paths`` that leads to it.

    The kernel prints a path as it is, with newlines in it: any user can put rows into its table that say of another
    user's server that it listens elsewhere. What such a row names is no socket of the server's owner, or not the one.
    """
    if len(paths) == 1:
        return _judge(host, paths[0], process, user)
    real: Dict[Tuple[int, int], str] = {}
    for path in paths:
        try:
            found = os.lstat(path)
        except OSError:
            continue
        if stat.S_ISSOCK(found.st_mode) and found.st_uid == user.uid:
            real.setdefault((found.st_dev, found.st_ino), path)
    servers = [_judge(host, path, process, user) for path in list(real.values())[:_PATHS_LIMIT] or paths[:1]]
    return min(servers, key=lambda server: {"ok": 0, "hung": 1, "orphaned": 3}.get(server.status, 2))


def _judge(host: Host, path: str, process: proctable.Process, user: User) -> Server:
    """What can be done with the server that ``process`` is and that was bound to ``path``."""
    if proctable.sees_our_files(process.pid) is False:
        return Server(path, user, "foreign", "it lives in a container or another mount namespace", process)
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


def _orphaned(path: str, process: proctable.Process, user: User, reason: str) -> Server:
    now = proctable.read_process(process.pid)
    if now is None or now.started != process.started or not now.alive:
        return Server(path, user, "absent", "it ended while it was looked at")
    return Server(path, user, "orphaned", reason, process)


def recover(host: Host, server: Server) -> Server:
    """Have an orphaned server make its socket again: SIGUSR1 to exactly that process, when the place is fit for it."""
    if server.process is None:
        return server
    try:
        sockets.require_own_directory(os.path.dirname(server.socket), server.user.uid, birth=True)
    except Unusable as problem:
        return server._replace(reason="%s; not recovered: %s" % (server.reason, problem.reason))
    if os.path.lexists(server.socket) and not _is_dead_socket(host, server):
        return server._replace(reason="%s; not recovered: something else is there now" % server.reason)
    if not proctable.recreate_socket(server.process):
        return server._replace(reason="%s; not recovered: the process has ended" % server.reason)
    deadline = time.monotonic() + _RECOVERY_SECONDS
    while time.monotonic() < deadline:
        again = _judge(host, server.socket, server.process, server.user)
        if again.status == "ok":
            return again._replace(reason="its socket was gone and was made again")
        proctable.wait(0.02)
    return server._replace(
        reason="%s; it did not make its socket again within %g seconds" % (server.reason, _RECOVERY_SECONDS)
    )


def _is_dead_socket(host: Host, server: Server) -> bool:
    try:
        if sockets.owner_of(server.socket) == server.user.uid:
            sockets.listener_at(server.socket, host.timeout)
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
