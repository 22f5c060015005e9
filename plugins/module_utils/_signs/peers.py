# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What processes of a session are connected to outside it: work that is done elsewhere shows nothing in the session."""

import os
import stat
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host import netlink
from ansible_collections.fleet.tmux.plugins.module_utils._host.connections import Ends, Unread
from ansible_collections.fleet.tmux.plugins.module_utils._host.netlink import ESTABLISHED, LISTEN
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._host.terminals import is_terminal
from ansible_collections.fleet.tmux.plugins.module_utils._signs.elsewhere import PROGRAMS, call_of, is_prompt
from ansible_collections.fleet.tmux.plugins.module_utils._signs.network import KEEP_ALIVE
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import OpenFile, Refused, Scene

SOCKET, PIPE, FIFO, TCP, CALLER = "socket", "pipe", "fifo", "tcp", "caller"


class Peer(NamedTuple):
    """What a process holds open, and whose other end is not held by any process of its session.

    ``kind``: a connected unix socket (stream or packets), a pipe, a pipe with a name in the file system, or a TCP
    connection over which something was sent last: the other end has not answered yet, or does not take it. That is
    also the kind of a connection to a host on which ssh runs a command, whatever was sent. Or a TCP connection that
    somebody has made to it and keeps.
    ``certain``: False where nobody whom we may look into holds the other end, so that there may be none at all. A
    process that waits in a call with this very descriptor shows that there is one.
    ``peer``: the inode of a unix socket's other end, 0 where nobody has accepted yet.
    """

    process: Process
    file: OpenFile
    kind: str
    certain: bool = True
    peer: int = 0


class Peers:
    """The other ends of what processes hold, some of which may be held by others of the same session.

    :param within: all processes of the session.
    """

    def __init__(self, within: Sequence[Process], scene: Scene) -> None:
        self._scene = scene
        self._processes = within
        self._inside: Optional[Dict[str, Ends]] = None
        self._ports: Dict[int, Set[int]] = {}
        self._connected: Optional[Set[Tuple[int, int]]] = None

    def outside(self, process: Process) -> List[Peer]:
        """What a process of the session holds whose other end lives outside it.

        :raises Refused: where that cannot be known.
        """
        found = [peer for file in self._scene.files(process) for peer in self._beyond(process, file)]
        return found + self.command_elsewhere(process)

    def command_elsewhere(self, process: Process, at_prompt: bool = False) -> List[Peer]:
        """What ssh speaks through to a host on which it runs a command: its connection, or another ssh on the way.

        :param at_prompt: whether it hands on each key, so that what it runs may be there for somebody to type.
        :raises Refused: where that cannot be known.
        """
        if process.command not in PROGRAMS or not self._runs_command(process, at_prompt):
            return []
        ways = [file for file in self._scene.files(process) if file.number > 2 and _may_lead_away(file)]
        return [Peer(process, min(ways), TCP)] if ways else []

    def _runs_command(self, process: Process, at_prompt: bool) -> bool:
        """Whether it was told a command, or a shell there is told what to do by a file or another program."""
        call = call_of(process.command, self._scene.words(process))
        if call.silent or (at_prompt and call.command and is_prompt(call.command)):
            return False
        if call.command:
            return True
        told_by = self._scene.link(process, 0)
        return told_by is not None and told_by != os.devnull and not is_terminal(told_by)

    def _beyond(self, process: Process, file: OpenFile) -> Iterator[Peer]:
        if file.socket is not None:
            yield from self._beyond_socket(process, file, file.socket)
        elif file.link.startswith("pipe:["):
            yield from self._beyond_pipe(process, file, PIPE)
        elif file.link.startswith("/") and not file.link.startswith("/dev/"):
            found = self._scene.look_at(process, file)
            if found is not None and stat.S_ISFIFO(found.st_mode):
                yield from self._beyond_pipe(process, file, FIFO)

    def _beyond_socket(self, process: Process, file: OpenFile, inode: int) -> Iterator[Peer]:
        try:
            row = self._scene.sockets.unix(inode)
            kind = self._kind_of_tcp(process, inode) if row is None else ""
        except Unread as error:
            raise Refused("what %s is connected to (%s)" % (process.command, error)) from error
        if kind:
            yield Peer(process, file, kind)
        elif row is None and self._may_be_unix_elsewhere(process, file):
            raise Refused("what %s is connected to (it is in another network namespace)" % process.command)
        elif row is not None and row.talks and "socket:[%d]" % row.peer not in self._within():
            yield Peer(process, file, SOCKET, True, row.peer)

    def _may_be_unix_elsewhere(self, process: Process, file: OpenFile) -> bool:
        if self._scene.sockets.elsewhere(process.pid) is None:
            return False
        return self._scene.protocol(process, file) in ("UNIX", "UNIX-STREAM", "?")

    def _kind_of_tcp(self, process: Process, inode: int) -> str:
        """What a TCP connection to somebody outside is, if it counts: a process was called by it, or has made it,
        and what was sent last went to the other end.

        Of whoever was called an answer is what is sent last: it counts that somebody keeps the connection.
        """
        row = self._scene.sockets.tcp(process.pid, inode)
        if row is None or row.state != ESTABLISHED or process.command in KEEP_ALIVE:
            return ""
        kind = CALLER if row.port in self._listens_at(process) else TCP
        if kind == TCP and not row.unanswered:
            return ""
        return kind if (row.there, row.port) not in self._connected_within() else ""

    def _listens_at(self, process: Process) -> Set[int]:
        if process.pid not in self._ports:
            inodes = [file.socket for file in self._scene.files(process) if file.socket is not None]
            rows = [self._scene.sockets.tcp(process.pid, inode) for inode in inodes]
            self._ports[process.pid] = {row.port for row in rows if row is not None and row.state == LISTEN}
        return self._ports[process.pid]

    def _connected_within(self) -> Set[Tuple[int, int]]:
        if self._connected is None:
            self._connected = self._scene.connected(self._processes)
        return self._connected

    def _beyond_pipe(self, process: Process, file: OpenFile, kind: str) -> Iterator[Peer]:
        inside = self._within().get(file.link, Ends())
        if not ((file.for_reading and inside.writing) or (file.for_writing and inside.reading)):
            every = self._scene.pipes.ends(file.link)
            certain = every.writing > inside.writing if file.for_reading else every.reading > inside.reading
            yield Peer(process, file, kind, certain)

    def _within(self) -> Dict[str, Ends]:
        """What the processes of the session hold, by its link, and how."""
        if self._inside is None:
            self._inside = {}
            for process in self._processes:
                try:
                    held = self._scene.files(process)
                except Refused:
                    continue
                for file in held:
                    self._inside[file.link] = self._inside.get(file.link, Ends()).and_one(file.flags)
        return self._inside

    def name(self, peer: Peer) -> str:
        """What the other end of a unix socket is bound to, as people write it; somebody has chosen it."""
        name = netlink.unix_name(peer.peer) if peer.peer else b""
        text = os.fsdecode(name.rstrip(b"\0"))
        return "@" + text[1:] if text[:1] == "\0" else text


def _may_lead_away(file: OpenFile) -> bool:
    return file.link.startswith(("socket:[", "pipe:["))
