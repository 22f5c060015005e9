# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a thread waits for in the kernel.

The system call that it is in, with its arguments, is told to root and, where Yama does not forbid that, to its user;
the kernel's own name for where it sleeps also where it does. The numbers of system calls depend on the machine.
"""

import ctypes
import os
from typing import Dict, FrozenSet, List, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import PROC, read_file

NAP, CHILD, READ, WRITE, POLL, LOCK, OPEN, FUTEX, QUEUE, SIGNAL = (
    "nap child read write poll lock open futex queue signal".split()
)
UNTOLD = "?"
"""A time, a child, data of one file, somebody to take data that go to one, one of several files, a lock on a file, a
file that does not open (a FIFO without an other end), another thread, a message or a semaphore, a signal; or we are not
told."""

_TICKING = (
    "VM Periodic Tas|VM Thread|GC Thread#|G1 |Reference Handl|Finalizer|Signal Dispatch|Service Thread|Monitor Deflati"
    "|C1 CompilerThre|C2 CompilerThre|Sweeper thread|Common-Cleaner|Cleaner-|Notification Th|process reaper"
    "|Attach Listener|.NET Finalizer|.NET Tiered|.NET SigHandler|jemalloc_bg_thd".split("|")
)
"""How the names of threads begin that a runtime has for itself: they look now and then whether there is something to
do, and no program knows of them."""

_STACKS_OF_GO = (0x40, 0xC0)
"""Where the heap of Go begins, in units of 4 GiB. In it lie the stacks of its threads, of which one always waits up to
a time. A time that the program itself has set shows where Go waits for files."""

_THREADS = 64
_ARGUMENTS = 6
_F_SETLKW = (7, 14, 38)
"""Commands of fcntl(2) that wait for a lock: F_SETLKW, F_SETLKW64, F_OFD_SETLKW."""


class Wait(NamedTuple):
    """What a thread waits for: a word, or nothing where it runs or nobody knows.

    ``descriptor``: of what file, where the word is READ or WRITE. ``timed``: whether it does so only up to a time, and
    ``limit``: up to how many milliseconds, where that is known. ``files``: how many files it waits for at most, where
    that is known.
    """

    kind: str = ""
    descriptor: Optional[int] = None
    timed: bool = False
    files: Optional[int] = None
    limit: Optional[int] = None


_Call = Tuple[str, Optional[int], Optional[int]]
"""A word, and the places of the arguments that hold how many files there are (READ, WRITE: which), and a limit in
time."""

_READ, _NAP, _CHILD = (READ, 0, None), (NAP, None, None), (CHILD, None, None)
_WRITE, _SPLICE, _AGAIN = (WRITE, 0, None), (WRITE, 2, None), ("again", None, None)
_POLL, _PPOLL, _SELECT, _EPOLL = (POLL, 1, 2), (POLL, 1, -2), (POLL, 0, -4), (POLL, None, 3)
_EPOLL2, _LOCK, _FCNTL, _OPEN = (POLL, None, -3), (LOCK, None, None), (LOCK, 1, None), (OPEN, None, None)
_FUTEX, _QUEUE, _SIGNAL, _SIGNAL_UNTIL = (
    (FUTEX, None, -3),
    (QUEUE, None, None),
    (SIGNAL, None, None),
    (SIGNAL, None, -2),
)
"""A place below zero holds an address, which is 0 where there is no limit; from zero on, milliseconds."""


def _calls(numbers: str) -> Dict[int, _Call]:
    """The table of one machine, from lines of a word and numbers."""
    kinds: Dict[str, _Call] = {
        "read": _READ,
        "write": _WRITE,
        "splice": _SPLICE,
        "again": _AGAIN,
        "nap": _NAP,
        "child": _CHILD,
        "poll": _POLL,
        "ppoll": _PPOLL,
        "select": _SELECT,
        "epoll": _EPOLL,
        "epoll2": _EPOLL2,
        "flock": _LOCK,
        "fcntl": _FCNTL,
        "open": _OPEN,
        "futex": _FUTEX,
        "queue": _QUEUE,
        "signal": _SIGNAL,
        "sigtimed": _SIGNAL_UNTIL,
    }
    found = {}
    for line in numbers.split(";"):
        word, *own = line.split()
        found.update(dict.fromkeys(map(int, own), kinds[word]))
    return found


_X86_64 = _calls(
    "read 0 17 19 43 45 47 288 299; nap 35 230; child 61 247; poll 7; ppoll 271; select 23 270; epoll 232 281;"
    "epoll2 441; flock 73; fcntl 72; open 2 85 257 437; futex 202; queue 65 69 70 220 242 243; signal 34 130;"
    "sigtimed 128; write 1 18 20 40 44 46 296 307; splice 275; again 219"
)
_GENERIC = _calls(
    "read 63 65 67 202 207 212 242 243; nap 101 115; child 95 260; ppoll 73; select 72; epoll 22; epoll2 441;"
    "flock 32; fcntl 25; open 56 437; futex 98; queue 182 183 188 189 192 193; signal 133; sigtimed 137;"
    "write 64 66 68 70 71 206 211 269; splice 76; again 128"
)
_POWER = _calls(
    "read 3 145 179 330 337 342 343 344; nap 162 248; child 114 272; poll 167; ppoll 281; select 142 280;"
    "epoll 238 303; epoll2 441; flock 143; fcntl 55; open 5 286 437; futex 221; queue 264 265 392 400 401;"
    "signal 29 178; sigtimed 176; write 4 146 180 186 321 334 335 341 349; splice 283; again 0"
)
_S390 = _calls(
    "read 3 145 180 357 364 371 372; nap 162 262; child 114 281; poll 168; ppoll 302; select 142 301;"
    "epoll 251 312; epoll2 441; flock 143; fcntl 55; open 5 288 437; futex 238; queue 273 274 392 400 401;"
    "signal 29 179; sigtimed 177; write 4 146 181 187 329 358 369 370; splice 306; again 7"
)
_BY_MACHINE = {"x86_64": _X86_64, "aarch64": _GENERIC, "riscv64": _GENERIC, "ppc64le": _POWER, "s390x": _S390}

_PLACES: Tuple[Tuple[str, str], ...] = (
    ("nanosleep", NAP),
    ("futex", FUTEX),  # Before what waits for a child: it may be futex_do_wait.
    ("do_wait", CHILD),
    ("kernel_wait", CHILD),
    ("pipe_write", WRITE),
    ("n_tty_write", WRITE),
    ("stream_sendmsg", WRITE),
    ("sock_alloc_send", WRITE),
    ("sk_stream_wait_memory", WRITE),
    ("wait_woken", READ),
    ("n_tty_read", READ),
    ("pipe_read", READ),
    ("pipe_wait", READ),
    ("unix_stream", READ),
    ("inotify_read", READ),
    ("poll_schedule_timeout", POLL),
    ("do_select", POLL),
    ("do_sys_poll", POLL),
    ("ep_poll", POLL),
    ("flock_lock", LOCK),
    ("posix_lock", LOCK),
    ("locks_lock", LOCK),
    ("fcntl_setlk", LOCK),
    ("wait_for_partner", OPEN),
    ("fifo_open", OPEN),
    ("semtimedop", QUEUE),
    ("do_msgrcv", QUEUE),
    ("do_msgsnd", QUEUE),
    ("wq_sleep", QUEUE),
    ("sigsuspend", SIGNAL),
    ("sigtimedwait", SIGNAL),
    ("sys_pause", SIGNAL),
)
"""What is part of the kernel's names for where a thread sleeps, of versions from 4.18 on."""


def calls_of(machine: str, pointer: int) -> Dict[int, _Call]:
    """The system calls that wait, by number, on what uname(2) calls ``machine``; none where we do not know it."""
    return _BY_MACHINE.get(machine, {}) if pointer == 8 else {}


def waits(pid: int) -> List[Wait]:
    """What the threads of a process wait for, its first one first; of very many only the first ones."""
    folder = "%s/%d/task" % (PROC, pid)
    try:
        names = sorted(os.listdir(folder), key=int)[:_THREADS]
    except OSError:
        return []
    return [_wait("%s/%s" % (folder, name)) for name in names]


def wait_of(pid: int) -> Wait:
    """What the first thread of a process waits for."""
    return _wait("%s/%d" % (PROC, pid))


def _wait(folder: str) -> Wait:
    call = _text(folder + "/syscall")
    calls = calls_of(os.uname().machine, ctypes.sizeof(ctypes.c_void_p))
    found = from_call(call, calls)
    if found is None:
        place = _text(folder + "/wchan")
        if is_begun_again(call, calls):
            found = begun_again(call, place)
        else:
            return Wait(UNTOLD) if not call and place in ("", "0") else from_place(place)
    return found._replace(timed=False) if _ticks(found, call, folder) else found


def is_begun_again(text: str, calls: Dict[int, _Call]) -> bool:
    """Whether ``/proc/PID/syscall`` tells of a call that the kernel goes on with.

    It does so for what had been stopped (Ctrl-Z), frozen or held by a debugger while it waited: for a time always, for
    another thread up to a time, and for files where that was asked with poll(2).
    """
    number = text.partition(" ")[0]
    return number.isdigit() and calls.get(int(number)) is _AGAIN


def begun_again(text: str, place: str) -> Wait:
    """What such a call waits for, by where it sleeps; what it was given is still there."""
    found = from_place(place)
    if found.kind == FUTEX:
        return found._replace(timed=True)
    if found.kind != POLL:
        return found if found.kind else Wait(UNTOLD)
    polled = from_call("0 " + text.partition(" ")[2], {0: _POLL})
    return Wait(UNTOLD) if polled is None else polled


def _ticks(wait: Wait, call: str, folder: str) -> bool:
    """Whether a thread waits up to a time for another one as threads of runtimes always do."""
    if wait.kind != FUTEX or not wait.timed:
        return False
    return has_stack_of_go(call) or is_of_runtime(_text(folder + "/comm").rstrip("\n"))


def is_of_runtime(name: str) -> bool:
    """Whether a thread of that name belongs to a runtime, and to no program that it runs."""
    return name.startswith(tuple(_TICKING))


def has_stack_of_go(text: str) -> bool:
    """Whether the stack of a thread, in ``/proc/PID/syscall``, lies where Go has those of its own threads."""
    try:
        return int(text.split()[-2], 16) >> 32 in _STACKS_OF_GO
    except (IndexError, ValueError):
        return False


def _text(path: str) -> str:
    try:
        return read_file(path, 4096).decode("ascii", "replace")
    except OSError:
        return ""


def from_call(text: str, calls: Dict[int, _Call]) -> Optional[Wait]:
    """What ``/proc/PID/syscall`` says; None where it says nothing, or of a call that we do not know."""
    words = text.split()
    try:
        number, given = int(words[0]), [int(word, 16) for word in words[1 : 1 + _ARGUMENTS]]
        kind, place, limit = calls[number]
    except (IndexError, ValueError, KeyError):
        return None
    if len(given) < _ARGUMENTS:
        return None
    if calls[number] is _AGAIN:
        return None
    if calls[number] is _FCNTL:
        return Wait(LOCK) if given[1] in _F_SETLKW else None
    if kind in (READ, WRITE) and place is not None:
        return Wait(kind, given[place])
    files, timed = None if place is None else given[place], _is_timed(given, limit)
    if timed and files == 0:
        return Wait(NAP)  # To wait for no file is to sleep.
    return Wait(kind, None, timed, files, _milliseconds(given[limit]) if timed and limit and limit > 0 else None)


def _is_timed(given: List[int], limit: Optional[int]) -> bool:
    """Whether a call has a limit in time, by the place of the argument that says so."""
    if limit is None:
        return False
    if limit < 0:
        return given[-limit] != 0
    return _milliseconds(given[limit]) > 0


def _milliseconds(given: int) -> int:
    return ctypes.c_int32(given & 0xFFFFFFFF).value


def from_place(text: str) -> Wait:
    """What ``/proc/PID/wchan`` says."""
    return next((Wait(kind) for part, kind in _PLACES if part in text), Wait())


def waiters(locks: bytes) -> FrozenSet[int]:
    """The pids of those that wait for a lock, in ``/proc/locks`` (lock_get_status in the kernel's locks.c)."""
    lines = (line.split() for line in locks.split(b"\n") if b"->" in line)
    return frozenset(int(words[5]) for words in lines if len(words) > 5 and words[1] == b"->" and words[5].isdigit())


Span = Tuple[int, int]
"""The first and the last byte that a lock is on; to the end of the file it is a very high one."""
_TO_THE_END = 1 << 63


def writers(locks: bytes) -> Dict[int, FrozenSet[Span]]:
    """What parts of files each process has locked for writing with fcntl(2), by pid, in ``/proc/locks``."""
    found: Dict[int, FrozenSet[Span]] = {}
    for line in locks.split(b"\n"):
        words = line.split()
        if len(words) == 8 and words[1] == b"POSIX" and words[3] == b"WRITE" and words[4].isdigit():
            last = _TO_THE_END if words[7] == b"EOF" else int(words[7])
            pid = int(words[4])
            found[pid] = found.get(pid, frozenset()) | {(int(words[6]), last)}
    return found


def tracer_of(pid: int) -> int:
    """The pid of the debugger of a process; 0 where it has none."""
    try:
        # Its name comes first, in which a newline is written as an escape.
        return int(read_file("%s/%d/status" % (PROC, pid)).partition(b"\nTracerPid:")[2].split(None, 1)[0])
    except (OSError, ValueError, IndexError):
        return 0
