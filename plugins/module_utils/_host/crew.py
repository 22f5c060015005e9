# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs in children of ours, side by side: what hangs, breaks or grows without end in one of them costs only that job.

A child is a copy of this process that says what it finds in lines of JSON. Nothing that it says is trusted further
than that, nobody waits for it beyond its deadline, and it ends with us.
"""

import errno
import gc
import json
import os
import selectors
import signal
import socket
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, List, NamedTuple, NoReturn, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host import kernel, limits
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import unexpected

PLACES = 32
"""Jobs that begin side by side. They mostly wait."""
SLOW_SECONDS = 3.0
"""After so long a job gives up its place to the next one, and goes on beside it: who is slow must not hold up all."""
CHILDREN = 256
"""Jobs that are at work at the same time, slow ones too."""
MEMORY = 1024 * 1024 * 1024
"""Bytes that a child may have beside what we have when it begins."""
SAYING = 64 * 1024 * 1024
"""Bytes that a child may say in all."""

_PART = 65536
_REAP_SECONDS = 2.0
_TICK_SECONDS = 0.005
_PAUSE_SECONDS = 0.25
"""How often a child is looked at that may have ended and left its end of the line to another process."""

_SAY, _WAIT, _MORE, _END, _FAIL = "say", "wait", "more", "end", "fail"

Message = Dict[str, Any]


class Line:
    """How a child speaks with whoever has started it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._heard = b""
        self.after_waiting: Callable[[float], None] = lambda seconds: None

    def say(self, message: Message) -> None:
        self.send(_SAY, message)

    def ask_for_time(self, seconds: float) -> None:
        """More of it, for work that has turned out to be there."""
        self.send(_MORE, seconds)

    def wait(self) -> Message:
        """Wait for an answer, which comes when no job is at work any more. This time is not the job's."""
        start = time.monotonic()
        self.send(_WAIT, None)
        while b"\n" not in self._heard:
            part = self._connection.recv(_PART)
            if not part:
                os._exit(1)  # Nobody is there any more.
            self._heard += part
        line, _newline, self._heard = self._heard.partition(b"\n")
        self.after_waiting(time.monotonic() - start)
        answer: Message = json.loads(line.decode("ascii"))
        return answer

    def send(self, kind: str, value: object) -> None:
        self._connection.sendall(_frame([kind, value]))


Work = Callable[[Line], None]


class Job(NamedTuple):
    """What a child does. ``seconds``: how long it may take, ``more``: what it may be granted beyond that."""

    key: str
    work: Work
    seconds: float
    more: float = 0.0


class End(NamedTuple):
    """How a job ended that did not come to its end; ``hung``: it was out of time. ``trace``: for a defect of ours."""

    reason: str
    hung: bool = False
    trace: str = ""


Hear = Callable[[str, Message], None]
Answer = Callable[[Sequence[str]], Dict[str, Message]]


def work(jobs: Sequence[Job], hear: Hear, answer: Optional[Answer] = None) -> Dict[str, End]:
    """Have all jobs done; how those ended that did not come to their end, by key.

    :param hear: is given what each says, with its key, as soon as it is said.
    :param answer: when no job is at work any more, is given the keys of those that wait, and says what to answer each,
        or some of them: the others wait on.
    """
    crew = _Crew(jobs, hear, answer)
    try:
        return crew.work()
    finally:
        crew.leave()


class _Child:
    """A child, as its parent sees it."""

    def __init__(self, job: Job, pid: int, connection: socket.socket) -> None:
        self.job = job
        self.pid = pid
        self.connection = connection
        self.began = time.monotonic()
        self.deadline = self.began + job.seconds
        self.granted = 0.0
        self.waits_since: Optional[float] = None
        self.ended = False
        self.reap_until: Optional[float] = None
        self.end: Optional[End] = None
        self._parts: List[bytes] = []
        self._said = 0

    @property
    def works(self) -> bool:
        return self.reap_until is None and self.waits_since is None

    def is_young(self, now: float) -> bool:
        return self.works and now - self.began < SLOW_SECONDS

    def take(self) -> Optional[List[bytes]]:
        """The lines that are whole with what has come now; None where nothing has. Sets ``ended`` at the end.

        :raises ValueError: when it says too much.
        """
        try:
            part = self.connection.recv(_PART)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            part = b""
        self.ended = not part
        self._said += len(part)
        if self._said > SAYING:
            raise ValueError("it is more than is listened to")
        if b"\n" not in part:
            self._parts.append(part)
            return [] if part else None
        lines = b"".join([*self._parts, part]).split(b"\n")
        self._parts = [lines.pop()]
        return lines

    def grant(self, seconds: float) -> None:
        more = max(0.0, min(seconds, self.job.more - self.granted))
        self.granted += more
        self.deadline += more

    def wait(self) -> None:
        self.waits_since = time.monotonic()

    def go_on(self, message: Message) -> None:
        now = time.monotonic()
        self.deadline += now - (self.waits_since or now)
        self.began, self.waits_since = now, None
        try:
            self.connection.send(_frame(message))
        except OSError:
            pass  # It has ended, which is seen elsewhere.

    def finish(self, end: Optional[End]) -> None:
        """It is not listened to any more, and is given a moment to be gone; without ``end`` it came to its own."""
        self.end = end
        self.waits_since = None
        self.reap_until = time.monotonic() + _REAP_SECONDS
        if end is not None:
            self.kill()

    def kill(self) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
        except OSError:
            pass

    def exit_status(self) -> Optional[int]:
        """How it has ended, negative for a signal; None while it is there."""
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return 0  # Somebody ignores the end of children: it is gone, and nobody is told how.
        if pid == 0:
            return None
        return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


class _Crew:
    """The children of one call of :func:`work`."""

    def __init__(self, jobs: Sequence[Job], hear: Hear, answer: Optional[Answer]) -> None:
        self._jobs: Deque[Job] = deque(jobs)
        self._answered: Deque[Tuple[_Child, Message]] = deque()
        self._children: List[_Child] = []
        self._hear = hear
        self._answer = answer
        self._places = PLACES
        self._selector = selectors.DefaultSelector()
        self._ends: Dict[str, End] = {}

    def work(self) -> Dict[str, End]:
        while self._jobs or self._children:
            self._begin()
            if self._rests():
                self._answer_all()
            else:
                self._listen()
                self._look_after()
        return self._ends

    def leave(self) -> None:
        """Leave nobody behind who can be ended."""
        for child in self._children:
            child.kill()
        deadline = time.monotonic() + _REAP_SECONDS
        while self._children and time.monotonic() < deadline:
            self._children = [child for child in self._children if child.exit_status() is None]
            time.sleep(_TICK_SECONDS if self._children else 0)
        self._selector.close()

    def _rests(self) -> bool:
        return not self._jobs and not self._answered and all(one.waits_since is not None for one in self._children)

    def _has_place(self) -> bool:
        now = time.monotonic()
        young = sum(1 for child in self._children if child.is_young(now))
        return young < self._places and sum(1 for child in self._children if child.works) < CHILDREN

    def _begin(self) -> None:
        """Let as many go on, or begin, as there are places for."""
        while self._answered and self._has_place():
            child, message = self._answered.popleft()
            child.go_on(message)
        while self._jobs and self._has_place():
            job = self._jobs.popleft()
            try:
                self._start(job)
            except OSError as error:
                working = sum(1 for child in self._children if child.works)
                if not working:
                    self._ends[job.key] = End("no process could be started for it: %s" % (error.strerror or error))
                    continue
                # No more than there are can be had: this one takes the place of the next that ends.
                self._places = min(self._places, working)
                self._jobs.appendleft(job)
                break

    def _start(self, job: Job) -> None:
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if pid == 0:
            _live(job, theirs, parent)
        theirs.close()
        ours.setblocking(False)
        child = _Child(job, pid, ours)
        self._children.append(child)
        self._selector.register(ours, selectors.EVENT_READ, child)

    def _listen(self) -> None:
        for key, _events in self._selector.select(self._patience()):
            self._hear_once(key.data)

    def _hear_once(self, child: _Child) -> bool:
        """Hear what a child has said, up to a number of bytes: no child is listened to at the cost of the others."""
        try:
            lines = child.take()
            for line in lines or ():
                if child.reap_until is None:
                    self._understand(child, *json.loads(line.decode("ascii")))
        except (ValueError, TypeError, IndexError, ArithmeticError, RecursionError) as error:
            lines, child.ended = None, True
            child.finish(End("what it says is not understood: %s" % str(error)[:200]))
        if child.ended:
            self._selector.unregister(child.connection)
        return lines is not None

    def _understand(self, child: _Child, kind: str, value: Any) -> None:
        if kind == _SAY and isinstance(value, dict):
            try:
                self._hear(child.job.key, value)
            except Exception as error:  # pylint: disable=broad-except
                child.finish(_defect(error))
        elif kind == _WAIT:
            child.wait()
        elif kind == _MORE:
            child.grant(float(value))
        elif kind == _END:
            child.finish(None)
        elif kind == _FAIL:
            child.finish(End(str(value[0]), trace=str(value[1])))
        else:
            raise ValueError("a message of no kind")

    def _patience(self) -> float:
        if any(child.ended or child.reap_until is not None for child in self._children):
            return _TICK_SECONDS
        left = [child.deadline - time.monotonic() for child in self._children if child.works]
        return max(0.0, min([*left, _PAUSE_SECONDS]))

    def _look_after(self) -> None:
        """End whose time is up, and let go of who has ended, or cannot be ended."""
        for child in list(self._children):
            now = time.monotonic()
            if child.works and now > child.deadline:
                child.finish(End("it was not done within %g seconds" % (child.job.seconds + child.granted), hung=True))
            status = child.exit_status()
            if status is not None:
                while not child.ended and self._hear_once(child):
                    pass  # What it had said before it ended. Another process may hold its end of the line.
                if child.reap_until is None:
                    child.finish(End(_how(status)))
                self._let_go(child)
            elif child.reap_until is not None and now > child.reap_until:
                child.kill()
                self._let_go(child)  # In the kernel's hands: it is nobody's any more, and we go on.

    def _let_go(self, child: _Child) -> None:
        self._children.remove(child)
        if not child.ended:
            self._selector.unregister(child.connection)
        child.connection.close()
        if child.end is not None:
            self._ends[child.job.key] = child.end

    def _answer_all(self) -> None:
        waiting = {child.job.key: child for child in self._children}
        if not waiting:
            return  # None could be started.
        answers = self._answer(list(waiting)) if self._answer is not None else {}
        for key, child in waiting.items():
            if key in answers:
                self._answered.append((child, answers[key]))
            elif not answers:  # Else it is told when those have gone on.
                child.finish(End("nobody had an answer for it"))
        if not self._answered:
            self._look_after()


def _how(status: int) -> str:
    if status < 0:
        return "the process that worked on it was ended by signal %d" % -status
    return "the process that worked on it ended too early (exit status %d)" % status


def _defect(error: Exception) -> End:
    message, trace = unexpected(error)
    return End(message, trace=trace)


def _frame(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"


# --- in the child -----------------------------------------------------------------------------------------------------


def _live(job: Job, connection: socket.socket, parent: int) -> NoReturn:
    """The life of a child. Whatever happens, it ends here: what comes after the fork is its parent's."""
    status = 1
    try:
        kernel.end_with_parent(parent)
        # What our parent has left to be collected may hold numbers of descriptors that are ours from here on.
        getattr(gc, "freeze", gc.disable)()
        line = Line(connection)
        try:
            _keep_only(connection.fileno())
            limits.bound_memory(MEMORY)
            job.work(line)
            line.send(_END, None)
            status = 0
        except MemoryError:
            limits.free_memory()
            line.send(_FAIL, ["it needs more memory than it may have", ""])
        except Exception as error:
            line.send(_FAIL, list(unexpected(error)))
    finally:
        os._exit(status)


def _keep_only(descriptor: int) -> None:
    """Hold nothing open of what our parent has: whoever waits for the end of its output must not wait for us."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, _highest() + 1)


def _highest() -> int:
    try:
        return max(int(name) for name in os.listdir("/proc/self/fd"))
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return int(os.sysconf("SC_OPEN_MAX"))
