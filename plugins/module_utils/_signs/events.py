# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a process waits for that may happen at any time: a file changes, a process ends, somebody writes into a named
pipe, the kernel or another host says something."""

from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.connections import Unread
from ansible_collections.fleet.tmux.plugins.module_utils._host.netlink import ESTABLISHED, LISTEN, Tcp
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._host.terminals import is_another, is_terminal
from ansible_collections.fleet.tmux.plugins.module_utils._host.waits import POLL, READ, Wait
from ansible_collections.fleet.tmux.plugins.module_utils._signs.network import KEEP_ALIVE
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import PIPES, WORKS, Cast, only_passes_on
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import OpenFile, Refused, Scene
from ansible_collections.fleet.tmux.plugins.module_utils._signs.shells import is_shell, is_told_nothing

_INOTIFY = ("anon_inode:inotify", "anon_inode:[fanotify]")
_PIDFD = "anon_inode:[pidfd]"
_MEASURED = "anon_inode:[perf_event]"

_SHOWS_CHANGES = ("inotifywait", "inotifywatch", "fswatch", "fatrace", "iwatch", "watchman-")
"""How the names begin of programs that say which files have changed, and do nothing with that."""

_ERRORS = 2
_TELLS = ("/dev/", "/proc/", "/sys/")
"""Where devices are, and files that tell what the kernel does: whoever waits for one of these waits for news."""
_SAYS_NOTHING = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/ptmx", "/dev/shm/")
"""Devices from which no news comes."""
_TALKS = frozenset(("UNIX", "UNIX-STREAM", "UDP", "UDPv6", "?", ""))
"""Kinds of sockets that are no source of news, or of which nobody knows it. Of TCP the state says it."""


class Events:
    """What the processes of one session wait for that may happen, in words."""

    def __init__(self, cast: Cast, scene: Scene) -> None:
        self._scene = scene
        self._own: Dict[int, Process] = {process.pid: process for process in cast.processes}
        self._serving: Optional[Set[int]] = None
        self._connected: Optional[Set[Tuple[int, int]]] = None
        self._works: Set[int] = {process.pid for process in cast.of(WORKS)}

    def awaited(self, process: Process) -> str:
        """:raises Refused: where that cannot be known."""
        waits = [wait for wait in self._scene.waits(process) if wait.kind in (READ, POLL)]
        if not waits:
            return ""
        if any(self._scene.waits_at_named_pipe(process, wait) for wait in waits):
            return "waits for somebody to write into a named pipe"
        files = list(_at(self._scene.files(process), waits))
        if any(file.link in _INOTIFY for file in files) and self._does_something(process):
            return "waits for a file to change"
        if any(file.link == _PIDFD and self._is_of_others(process, file) for file in files):
            return "waits for a process to end"
        if any(file.link == _MEASURED for file in files) and self._writes(process):
            return "measures other processes"
        goes_on = self._writes(process) or self._goes_on(process, set())
        if goes_on and any(self._is_source(process, file) for file in files):
            return "waits for news, and hands them on"
        return ""

    def serves(self, process: Process) -> bool:
        """Whether a process listens: it may wait up to a time for those who do not come."""
        if process.command in KEEP_ALIVE or self._scene.processes.listens_at(process):
            return True
        return any(row.state == LISTEN for row in self._tcp(process))

    def _tcp(self, process: Process) -> List[Tcp]:
        inodes = [file.socket for file in self._scene.files(process) if file.socket is not None]
        try:
            rows = [self._scene.sockets.tcp(process.pid, inode) for inode in inodes]
        except Unread:
            return []
        return [row for row in rows if row is not None]

    def _does_something(self, process: Process) -> bool:
        """Whether a program does something when a file has changed.

        One that serves pages, or looks after another one that does, only keeps up to date what nobody asks for.
        """
        if is_shell(process.command):
            return False
        if process.command.startswith(_SHOWS_CHANGES):
            return self._has_a_sequel(process)
        return process.pid not in self._servers

    @property
    def _servers(self) -> Set[int]:
        """The pids of what serves, and of all above it."""
        if self._serving is None:
            self._serving = set()
            for each in self._own.values():
                above: Optional[Process] = each if self._is_server(each) else None
                while above is not None and above.pid not in self._serving:
                    self._serving.add(above.pid)
                    above = self._own.get(above.ppid)
        return self._serving

    def _is_server(self, process: Process) -> bool:
        try:
            return not process.is_others and self.serves(process)
        except Refused:
            return False

    def _has_a_sequel(self, process: Process) -> bool:
        """Whether something comes after it, or is done with what it says."""
        above = self._own.get(process.ppid)
        if not is_terminal(self._scene.link(process, 1)) or self._ends_at_once(process):
            return True
        if above is None or above.is_others or not is_shell(above.command):
            return False
        return not is_told_nothing(above.command, self._scene.words(above))

    def _ends_at_once(self, process: Process) -> bool:
        """Whether it is one of those that end when something has happened: nobody starts them for what they show."""
        if not process.command.startswith("inotifywait"):
            return False
        options = [word for word in self._scene.words(process)[1:] if word[:1] == "-"]
        return not any(word == "--monitor" or (word[:2] != "--" and "m" in word) for word in options)

    def _is_of_others(self, process: Process, file: OpenFile) -> bool:
        """Whether a pidfd is of a process that is none of the session's: those are looked at anyway."""
        pid = self._scene.note(process, file, "Pid")
        return pid.isdigit() and int(pid) > 0 and int(pid) not in self._own

    def _writes(self, process: Process) -> bool:
        """Whether a process may write into a file, but for its errors."""
        files = (file for file in self._scene.files(process) if file.for_writing and file.number != _ERRORS)
        return any(_is_file(file.link) for file in files)

    def _goes_on(self, process: Process, seen: Set[int]) -> bool:
        """Whether what a process says goes into a file, or to something that works with it."""
        link = self._scene.link(process, 1)
        if link is None or not link.startswith("pipe:["):
            return link is not None and _is_file(link)
        seen.add(process.pid)
        if len(seen) > PIPES:
            return True
        readers = [each for each in self._readers(link) if each.pid not in seen]
        return any(
            not only_passes_on(each, self._scene.words(each)) or self._writes(each) or self._goes_on(each, seen)
            for each in readers
        )

    def _readers(self, link: str) -> Iterator[Process]:
        for each in self._own.values():
            try:
                if each.pid in self._works and self._scene.link(each, 0) == link:
                    yield each
            except Refused:
                continue

    def _is_source(self, process: Process, file: OpenFile) -> bool:
        """Whether news come from an open file: from the kernel, a device, another terminal, or another host."""
        if file.socket is None:
            return file.link == _MEASURED or self._is_device(process, file)
        kind = self._scene.protocol(process, file)
        if not kind.startswith(("TCP", "MPTCP")):
            return kind not in _TALKS
        return process.command not in KEEP_ALIVE and self._has_called(process, file.socket)

    def _is_device(self, process: Process, file: OpenFile) -> bool:
        if not file.for_reading or is_terminal(file.link):
            return file.for_reading and is_another(process, file.link)
        return file.link.startswith(_TELLS) and not file.link.startswith(_SAYS_NOTHING)

    def _has_called(self, process: Process, inode: int) -> bool:
        """Whether a process has made this TCP connection to one outside, as far as that can be known."""
        rows = self._tcp(process)
        ports = {row.port for row in rows if row.state == LISTEN}
        made = [row for row in rows if row.inode == inode and row.state == ESTABLISHED and row.port not in ports]
        if made and self._connected is None:
            self._connected = self._scene.connected(self._own.values())
        return any((row.there, row.port) not in (self._connected or ()) for row in made)


def _at(files: Sequence[OpenFile], waits: Sequence[Wait]) -> Iterator[OpenFile]:
    """The files that may be waited for: that which is read, and each of those that can be where several are."""
    numbers = {wait.descriptor for wait in waits}
    several = None in numbers
    return (file for file in files if several or file.number in numbers)


def _is_file(link: str) -> bool:
    return link[:1] == "/" and not link.startswith("/dev/") and not is_terminal(link)
