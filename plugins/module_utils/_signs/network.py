# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When data last went over a TCP connection of a process that counts.

All states count in which a connection can be that has carried data: what its clock says has happened, also when the
other end has hung up since. A connection that is only being made has no clock that means anything. Both ends may be on
this host, or in this session: data is data. Of a connection that is no more, as of a page that was served, the kernel
remembers for a minute to which port it was.
"""

from typing import Dict, Iterator, List, NamedTuple, Optional, Set

from ansible_collections.fleet.tmux.plugins.module_utils._host.connections import Unread
from ansible_collections.fleet.tmux.plugins.module_utils._host.netlink import CONNECTED, LISTEN, Tcp
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import PROMPT, Cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import OpenFile, Refused, Scene
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign

KEEP_ALIVE = frozenset("autossh dbclient et mosh-client plink slogin ssh sshfs sshuttle".split())
"""Programs that send something now and then only to show that they are there. What they are for, a shell on another
host, a file system of it or a tunnel to it, moves much more when somebody uses it."""
_GREETING_BYTES = 16384
_KEEP_ALIVE_BYTES = 32
"""What such a program may have sent and received when it was connected, and per second since, without anybody using it:
ssh with ``ServerAliveInterval 5`` needs about 20 bytes a second. The same holds for whatever sits at a prompt, as a
chat or mail program: it asks for news, and what comes it shows."""


_TCP = ("TCP", "TCPv6", "MPTCP", "MPTCPv6", "?")


class Last(NamedTuple):
    """When data last went over a connection of a process."""

    at: int
    process: Process


def network(cast: Cast, scene: Scene) -> Iterator[Sign]:
    """The newest data, and each process of whose connections that cannot be known.

    Whose files could not be looked at is said where files are read.
    """
    newest: Optional[Last] = None
    at_prompt = {process.pid for process in cast.of(PROMPT)}
    for process in cast.open:
        try:
            for at in _moments(process, scene, process.pid in at_prompt):
                if newest is None or at > newest.at:
                    newest = Last(at, process)
        except Refused as error:
            yield Sign("unknown", "%s could not be read" % error, process.command)
    if newest is not None:
        yield Sign("network", "data on a TCP connection", newest.process.command, newest.at)


def _moments(process: Process, scene: Scene, sits: bool) -> List[int]:
    """When data last went over each connection of a process that tells of work.

    :raises Refused: where that cannot be known.
    """
    held = _sockets(process, scene)
    passed_over = _only_kept_alive(process, held, scene, sits)
    carrying = [row for number, row in held.items() if row.state in CONNECTED and number not in passed_over]
    moments = [_moment(process, row, scene) for row in carrying] + _visits(process, held, scene)
    # What was before the process has begun, it has inherited.
    return [at for at in moments if at >= scene.started(process)]


def _visits(process: Process, held: Dict[int, Tcp], scene: Scene) -> List[int]:
    """When connections to a process were ended that the kernel still remembers."""
    ports = {row.port for row in held.values() if row.state == LISTEN}
    closed = [scene.sockets.closed_lately(process.pid, port) for port in sorted(ports)]
    return [int(scene.taken - ago / 1000.0) for ago in closed if ago is not None]


def _moment(process: Process, row: Tcp, scene: Scene) -> int:
    if row.sent is None or row.received is None:
        raise Refused("when there was data on a TCP connection of %s (%s)" % (process.command, _why(process, scene)))
    return int(scene.taken - min(row.sent, row.received) / 1000.0)


def _why(process: Process, scene: Scene) -> str:
    if scene.sockets.elsewhere(process.pid) is not None:
        return "it is in another network namespace"
    return "the kernel does not tell: %s" % (scene.sockets.without_clocks or "its answer is short")


def _sockets(process: Process, scene: Scene) -> Dict[int, Tcp]:
    """The TCP sockets of a process by its descriptors."""
    try:
        held = scene.files(process)
    except Refused:
        return {}
    found = {}
    for file in held:
        if file.socket is not None:
            row = _tcp(process, file, file.socket, scene)
            if row is not None:
                found[file.number] = row
    return found


def _tcp(process: Process, file: OpenFile, inode: int, scene: Scene) -> Optional[Tcp]:
    try:
        return scene.sockets.tcp(process.pid, inode)
    except Unread as error:
        if scene.protocol(process, file) in _TCP:
            raise Refused("a TCP connection of %s (%s)" % (process.command, error)) from error
        return None


def _only_kept_alive(process: Process, held: Dict[int, Tcp], scene: Scene, sits: bool) -> Set[int]:
    """The connections by which a process only shows that it is there."""
    if process.command not in KEEP_ALIVE and not sits:
        return set()
    made = _made(held)
    if process.command in KEEP_ALIVE:
        made = made[:1]  # That to the other host; what is made to be at the far end of a tunnel comes later.
    used_for = max(0, scene.taken - scene.started(process))
    without_use = _GREETING_BYTES + _KEEP_ALIVE_BYTES * used_for
    return {number for number in made if _size(held[number]) <= without_use}


def _made(held: Dict[int, Tcp]) -> List[int]:
    """The connections that a process has made, and not somebody to it, as to the near end of a tunnel."""
    listens_at = {row.port for row in held.values() if row.state == LISTEN}
    return sorted(number for number, row in held.items() if row.state in CONNECTED and row.port not in listens_at)


def _size(row: Tcp) -> int:
    return _GREETING_BYTES << 32 if row.size is None else row.size
