# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What processes of one owner show at one moment, read when it is asked for, and once."""

import os
import re
import signal
import stat
import time
from typing import Callable, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Set, Tuple, TypeVar, Union

from ansible_collections.fleet.tmux.plugins.module_utils._host import peek, rights, terminals
from ansible_collections.fleet.tmux.plugins.module_utils._host.connections import Pipes, Sockets, Unread
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import (
    PROC,
    Process,
    Processes,
    catches,
    looked_into_by_root,
    read_file,
    read_process,
    since_boot,
)
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._host.waits import (
    Span,
    Wait,
    tracer_of,
    wait_of,
    waiters,
    waits,
    writers,
)

_TICKS = float(os.sysconf("SC_CLK_TCK"))
_WORDS_BYTES = 65536
_LOCKS_BYTES, _LOCKS_SECONDS = 4 << 20, 0.2
"""How much is read of the table of all locks, and how long: anybody may fill it, and each part takes longer then."""
_LOCK = re.compile(rb"^lock:\s*(.+)$", re.MULTILINE)
_FILES_PER_OWNER = 50000
"""Open files of one owner's processes that are looked at."""
_NAMES_PER_OWNER = 100000
"""Names in directories of one owner that are looked at."""
_O_ACCMODE = 3
_DELETED = " (deleted)"
_LEFT = re.compile(rb"^it_value: \(([0-9]+), ([0-9]+)\)", re.MULTILINE)
"""How long it is until a timerfd can be read, in seconds and nanoseconds: nothing where no time is set."""
_ROOT = User("root", 0, 0)

_OTHERS = "what another user's process does"

_Read = TypeVar("_Read")


class OpenFile(NamedTuple):
    """A file that a process holds open: its descriptor, where the link leads, and the flags that it was opened with.

    Of a pipe, a socket and the like the link is ``pipe:[N]``, ``socket:[N]``, ``anon_inode:...``.
    """

    number: int
    link: str
    flags: int

    @property
    def for_writing(self) -> bool:
        return self.flags & _O_ACCMODE != os.O_RDONLY

    @property
    def for_reading(self) -> bool:
        return self.flags & _O_ACCMODE != os.O_WRONLY

    @property
    def socket(self) -> Optional[int]:
        """The inode of a socket; None of anything else."""
        return int(self.link[8:-1]) if self.link.startswith("socket:[") else None


def without_deleted(link: str) -> str:
    """Where a link leads, without what the kernel adds where the file has no name any more."""
    return link[: -len(_DELETED)] if link.endswith(_DELETED) else link


class Refused(ValueError):
    """Something of a process could not be read. What it says goes on after "could not be read: "."""


class Scene:
    """One look at the processes of one owner.

    Each question raises ``Refused`` where the process is there and does not let us look, and answers with nothing
    where it has ended meanwhile. Links and flags are read with our own rights; what they lead to is looked at with
    the owner's. Of others' processes only root's own are looked into, and only by root: no other user can have made
    them wait for a file system of his.
    """

    def __init__(self, processes: Processes, user: User) -> None:
        self.processes = processes
        self.user = user
        self.taken = time.time()
        self._since_boot = since_boot()
        self._words: Dict[int, Union[Tuple[str, ...], Refused]] = {}
        self._files: Dict[int, Union[List[OpenFile], Refused]] = {}
        self._wait: Dict[int, Union[Wait, Refused]] = {}
        self._waits: Dict[int, Union[List[Wait], Refused]] = {}
        self._raw: Dict[int, bool] = {}
        self._inside: Dict[int, Optional[Process]] = {}
        self._table_of_locks: Optional[bytes] = None
        self._locked: Optional[FrozenSet[int]] = None
        self._writers: Optional[Dict[int, FrozenSet[Span]]] = None
        self._debugged: Optional[FrozenSet[int]] = None
        self._left = _FILES_PER_OWNER
        self.sockets = Sockets(processes)
        self.pipes = Pipes(processes)
        self._programs: Dict[int, Union[str, Refused]] = {}
        self._names: Dict[str, List[str]] = {}
        self._names_left = _NAMES_PER_OWNER

    def inside(self, process: Process) -> Optional[Process]:
        """A process in full, where it may be looked into; nothing of others' but of root's for root."""
        if not process.is_others:
            return process
        if process.pid not in self._inside:
            self._inside[process.pid] = looked_into_by_root(process)
        return self._inside[process.pid]

    def started(self, process: Process) -> int:
        """When a process was started, in epoch seconds."""
        return int(self.taken - self._since_boot + process.started / _TICKS)

    def words(self, process: Process) -> Tuple[str, ...]:
        """The command line of a process."""
        return self._once(self._words, process, self._read_words)

    def files(self, process: Process) -> List[OpenFile]:
        """What a process holds open."""
        return self._once(self._files, process, self._read_files)

    def look_at(self, process: Process, file: OpenFile) -> Optional[os.stat_result]:
        """What an open file is, with the owner's rights; nothing if it was closed meanwhile."""
        try:
            with rights.of(self._whose(process)):
                return os.stat("%s/%d/fd/%d" % (PROC, process.pid, file.number))
        except (FileNotFoundError, ProcessLookupError):
            return None
        except OSError as error:
            raise Refused("a file that it holds open (%s)" % error.strerror) from error

    def protocol(self, process: Process, file: OpenFile) -> str:
        """What kind of socket an open file is, in the kernel's words (TCP, TCPv6, UNIX); "?" where it does not tell."""
        try:
            with rights.of(self._whose(process)):
                path = "%s/%d/fd/%d" % (PROC, process.pid, file.number)
                return os.getxattr(path, "system.sockprotoname").rstrip(b"\0").decode("ascii", "replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
        except OSError:
            return "?"

    def connected(self, processes: Iterable[Process]) -> Set[Tuple[int, int]]:
        """The ports of both ends of TCP connections that these processes hold, their own first."""
        found: Set[Tuple[int, int]] = set()
        for process in processes:
            try:
                inodes = [file.socket for file in self.files(process) if file.socket is not None]
                rows = [self.sockets.tcp(process.pid, inode) for inode in inodes]
            except (Refused, Unread):
                continue
            found.update((row.port, row.there) for row in rows if row is not None)
        return found

    def link(self, process: Process, number: int) -> Optional[str]:
        """Where one descriptor of a process leads; nothing where it has none of that number, or ends."""
        if self.inside(process) is None:
            raise Refused(_OTHERS)
        try:
            return os.readlink("%s/%d/fd/%d" % (PROC, process.pid, number))
        except (FileNotFoundError, ProcessLookupError):
            return None
        except OSError as error:
            raise Refused("what it holds open (%s)" % error.strerror) from error

    def wait(self, process: Process) -> Wait:
        """What the first thread of a process waits for."""
        return self._once(self._wait, process, lambda each: wait_of(each.pid))

    def waits(self, process: Process) -> List[Wait]:
        """What its threads wait for."""
        return self._once(self._waits, process, lambda each: waits(each.pid))

    def stored(self, process: Process) -> Optional[int]:
        """How many bytes a process and the children that it has waited for have written to disks; None if nobody knows.

        What stays in memory (a tmpfs) is none.
        """
        found = None if process.is_others else self.processes.io(process.pid)
        return None if found is None else found.stored

    def watched(self, process: Process, file: OpenFile) -> FrozenSet[int]:
        """The descriptors for which a process waits with an epoll that it holds."""
        try:
            text = read_file("%s/%d/fdinfo/%d" % (PROC, process.pid, file.number), _WORDS_BYTES)
        except OSError:
            return frozenset()
        return frozenset(map(int, re.findall(rb"^tfd:\s*([0-9]{1,9})\b", text, re.MULTILINE)))

    def serves(self, process: Process) -> bool:
        """Whether others can connect to a process over TCP."""
        return bool(self.processes.ports(process))

    def note(self, process: Process, file: OpenFile, word: str) -> str:
        """What the kernel notes of an open file after a word, like the process of a pidfd."""
        found = re.search(rb"^%s:\s*(\S+)" % word.encode("ascii"), self._notes(process, file), re.MULTILINE)
        return "" if found is None else found.group(1).decode("ascii", "replace")

    def _notes(self, process: Process, file: OpenFile) -> bytes:
        try:
            return read_file("%s/%d/fdinfo/%d" % (PROC, process.pid, file.number), _WORDS_BYTES)
        except OSError:
            return b""

    def has_timer(self, process: Process) -> bool:
        """Whether a time is set that shows in no call: a file that can be read then (timerfd), or a signal."""
        timers = [file for file in self.files(process) if file.link == "anon_inode:[timerfd]"]
        if any(self._is_set(process, file) for file in timers):
            return True
        try:
            return bool(read_file("%s/%d/timers" % (PROC, process.pid), 1))
        except OSError:
            return False

    def is_told_by_signal(self, process: Process) -> bool:
        """Whether a process does something at a signal that means nothing by itself.

        What catches all that would end it, for what is to be done at its end, does not.
        """
        return not catches(process, signal.SIGSEGV) and any(
            catches(process, number) for number in (signal.SIGUSR1, signal.SIGUSR2)
        )

    def _is_set(self, process: Process, file: OpenFile) -> bool:
        found = _LEFT.search(self._notes(process, file))
        return found is not None and found.groups() != (b"0", b"0")

    def waits_at_named_pipe(self, process: Process, wait: Wait) -> bool:
        """Whether a process waits for what somebody writes into a pipe that has a name, whoever holds it open now."""
        for file in self.files(process):
            here = file.number == wait.descriptor or (wait.descriptor is None and file.for_reading)
            if here and _has_name(file.link):
                found = self.look_at(process, file)
                if found is not None and stat.S_ISFIFO(found.st_mode):
                    return True
        return False

    def state_now(self, process: Process) -> str:
        """The state of a process at this moment; nothing if it has ended."""
        now = read_process(process.pid, (self.user.uid,))
        return now.state if now is not None and now.started == process.started else ""

    @property
    def lock_waiters(self) -> FrozenSet[int]:
        """The pids of those that wait for a lock on a file; of very many locks only the first ones are looked at."""
        if self._locked is None:
            self._locked = waiters(self._locks())
        return self._locked

    def written_locks(self, process: Process) -> FrozenSet[Span]:
        """What parts of files a process has locked for writing, so that nobody else does so.

        What it holds open says so; only of one that may not be looked into the table of all locks is asked.
        """
        if self.inside(process) is not None:
            held = [file for file in self.files(process) if file.for_writing and file.link[:1] == "/"]
            notes = [b"\n".join(_LOCK.findall(self._notes(process, file))) for file in held]
            return frozenset(span for spans in writers(b"\n".join(notes)).values() for span in spans)
        if self._writers is None:
            self._writers = writers(self._locks())
        return self._writers.get(process.pid, frozenset())

    def _locks(self) -> bytes:
        if self._table_of_locks is None:
            try:
                self._table_of_locks = read_file(PROC + "/locks", _LOCKS_BYTES, seconds=_LOCKS_SECONDS)
            except OSError:
                self._table_of_locks = b""
        return self._table_of_locks

    @property
    def debugged(self) -> FrozenSet[int]:
        """The pids of those that a debugger or a tracer has stopped, and of all that hold a process.

        What one has started itself, and lets run, is judged like any other process: that shows what it waits for.
        """
        if self._debugged is None:
            all_of_them = self.user.uid == 0  # Root may hold anybody's.
            every = list(self.processes.table.values()) if all_of_them else self.processes.owned_by(self.user.uid)
            held = [(each, tracer_of(each.pid)) for each in every]
            stopped = {each.pid for each in every if each.state == "t"}
            tracers = {by for each, by in held if each.state == "t" or not self._descends(each, by)}
            self._debugged = frozenset(stopped | tracers) - {0}
        return self._debugged

    def _descends(self, process: Process, above: int) -> bool:
        """Whether a process was started by another one, or by one that was."""
        known, seen = self.processes.table, set()
        while process.ppid in known and process.pid not in seen:
            seen.add(process.pid)
            process = known[process.ppid]
            if process.pid == above:
                return True
        return False

    def is_raw(self, process: Process) -> Optional[bool]:
        """Whether the terminal of a process gives it each key as it is typed; None where that cannot be known."""
        own = self.inside(process)
        if own is None or not own.terminal:
            return None
        if own.terminal not in self._raw:
            with rights.of(self._whose(process)):
                found = terminals.is_raw(own)
            if found is None:
                return None  # Another process may lead there.
            self._raw[own.terminal] = found
        return self._raw[own.terminal]

    def program(self, process: Process) -> str:
        """What the file is called that a process is; nothing where that is not told."""
        return self._once(self._programs, process, self._read_program)

    def folder(self, process: Process) -> str:
        """The directory that a process works in, by a way there that it cannot change."""
        return "%s/%d/cwd" % (PROC, process.pid)

    def root(self, process: Process) -> str:
        """Where its ``/`` is."""
        return "%s/%d/root" % (PROC, process.pid)

    def beginning(self, process: Process, file: OpenFile, size: int) -> Optional[bytes]:
        """The first bytes of what a process holds open; nothing if that is no regular file, or closed meanwhile."""
        what, whose = "a file that it holds open", self._whose(process)
        return self._look_in(what, None, lambda: peek.beginning_of_open(whose, process.pid, file.number, size))

    def beginning_at(self, path: str, size: int) -> Optional[bytes]:
        """The first bytes of a file; nothing if there is none, or it is no regular file."""
        return self._look_in("a file of its owner's", None, lambda: peek.beginning(self.user, path, size))

    def target(self, path: str) -> Optional[str]:
        """Where a symbolic link leads; nothing if there is none."""
        return self._look_in("a link of its owner's", None, lambda: peek.target(self.user, path))

    def is_there(self, path: str) -> bool:
        return self._look_in("a directory of its owner's", False, lambda: peek.is_there(self.user, path))

    def names(self, folder: str) -> List[str]:
        """The names in a directory; none if there is none."""
        if folder not in self._names:
            none: List[str] = []
            found = self._look_in("a directory", none, lambda: peek.entries(self.user, folder, self._names_left))
            self._names_left -= len(found)
            if self._names_left <= 0:
                raise Refused("a directory (there are too many files)")
            self._names[folder] = found
        return self._names[folder]

    def _whose(self, process: Process) -> User:
        """With whose rights is looked at what a process holds."""
        return _ROOT if process.is_others else self.user

    def _once(
        self, cache: Dict[int, Union[_Read, Refused]], process: Process, read: Callable[[Process], _Read]
    ) -> _Read:
        """What was read before, or is read now; a refusal is remembered too."""
        if self.inside(process) is None:
            raise Refused(_OTHERS)
        if process.pid not in cache:
            try:
                cache[process.pid] = read(process)
            except Refused as error:
                cache[process.pid] = error
        found = cache[process.pid]
        if isinstance(found, Refused):
            raise found
        return found

    def _look_in(self, what: str, nothing: _Read, read: Callable[[], _Read]) -> _Read:
        """What is found with the owner's rights."""
        try:
            return read()
        except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
            return nothing
        except OSError as error:
            raise Refused("%s (%s)" % (what, error.strerror)) from error

    def _read_program(self, process: Process) -> str:
        try:
            link = os.readlink("%s/%d/exe" % (PROC, process.pid))
            return os.path.basename(without_deleted(link))
        except OSError:
            return ""

    def _read_words(self, process: Process) -> Tuple[str, ...]:
        try:
            text = read_file("%s/%d/cmdline" % (PROC, process.pid), _WORDS_BYTES)
        except (FileNotFoundError, ProcessLookupError):
            return ()
        except OSError as error:
            raise Refused("its command line (%s)" % error.strerror) from error
        return tuple(os.fsdecode(word) for word in text.split(b"\0")[:-1])

    def _read_files(self, process: Process) -> List[OpenFile]:
        folder = "%s/%d" % (PROC, process.pid)
        found = []
        try:
            names = os.listdir(folder + "/fd")
        except (FileNotFoundError, ProcessLookupError):
            return []
        except OSError as error:
            raise Refused("what it holds open (%s)" % error.strerror) from error
        self._left -= len(names)
        if self._left < 0:
            raise Refused("what it holds open (its owner has too many files open)")
        for name in names:
            try:
                link = os.readlink("%s/fd/%s" % (folder, name))
                flags = read_file("%s/fdinfo/%s" % (folder, name)).partition(b"flags:")[2].split(None, 1)[0]
            except (OSError, IndexError):
                continue  # It was closed this moment.
            found.append(OpenFile(int(name), link, int(flags, 8)))
        return found


def _has_name(link: str) -> bool:
    return link[:1] == "/" and not link.startswith("/dev/") and not link.endswith(_DELETED)
