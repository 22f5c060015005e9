# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one child process: as whom, with what environment, for how long, and how much it may say.

Everything that is run on behalf of somebody else goes through here, because a tmux server can make its client do
anything that the client may do (read and write files, execute programs): the child must never have more rights, more
environment or more open files than its user could have had anyway.
"""

import errno
import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
import time
from typing import IO, Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

OUTPUT_LIMIT = 16 * 1024 * 1024
"""Bytes of output, both streams together, after which a child is ended."""

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

LOCALE = "C.UTF-8"

NO_GROUP = 65534
"""The gid that has no rights anywhere (the kernel's overflowgid), for who has no passwd entry."""

_GETENT_ANSWERS = (0, 2)
"""Exit statuses of getent: all were found, or some are not there. Any other means that nobody knows."""
_READ_SIZE = 65536
_REAP_SECONDS = 2.0


class User(NamedTuple):
    """An account, as far as a process needs it. A uid without a passwd entry has its number as name and no home."""

    name: str
    uid: int
    gid: int
    home: str = "/"
    shell: str = "/bin/sh"
    groups: Tuple[int, ...] = ()


def is_number(text: str) -> bool:
    """Whether a text is a whole number that fits an id: ``isdigit`` alone also likes ``²``, which ``int`` does not."""
    return re.match(r"[0-9]{1,19}\Z", text) is not None


class Outcome(NamedTuple):
    """How a child ended. ``rc`` is negative for a signal; ``timed_out`` and ``truncated`` say that we ended it."""

    rc: int
    out: bytes
    err: bytes
    timed_out: bool = False
    truncated: bool = False


class NoAnswer(Exception):
    """The user database did not answer in time."""


def environment(user: User, path: str = SEARCH_PATH) -> Dict[str, str]:
    """The whole environment that a child gets: nothing of the caller's survives."""
    return {
        "HOME": user.home,
        "USER": user.name,
        "LOGNAME": user.name,
        "SHELL": user.shell,
        "PATH": path,
        "LANG": LOCALE,
    }


def run(
    argv: Sequence[str],
    user: Optional[User] = None,
    env: Optional[Mapping[str, str]] = None,
    timeout: float = 10.0,
    limit: int = OUTPUT_LIMIT,
    stdin: bytes = b"",
) -> Outcome:
    """Run ``argv`` as ``user`` (as ourselves without one) for at most ``timeout`` seconds.

    The child gets no inherited descriptor, a session of its own (no terminal; it cannot signal us) and ``/`` as its
    directory. We wait for the process, not for the end of its output: a tmux server is handed the descriptors of its
    client and may keep them open for ever.

    :raises OSError: when it cannot be started; what only the user cannot start ends with 127 and says why.
    """
    words = [os.fsencode(word) for word in argv]
    variables = {os.fsencode(key): os.fsencode(value) for key, value in (env or {}).items()}
    if user is not None and shutil.which(argv[0], path=(env or {}).get("PATH", SEARCH_PATH)) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
    # AnsibleModule.run_command can neither change the user nor limit time and output.
    process = subprocess.Popen(  # pylint: disable=consider-using-with,subprocess-popen-preexec-fn,ansible-bad-function
        words,
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        close_fds=True,
        cwd="/",
        env=variables,
        start_new_session=True,
        preexec_fn=_becoming(user, words, variables),
    )
    conversation = _Conversation(process, stdin, limit)
    try:
        ended = conversation.until_exit(time.monotonic() + timeout)
    finally:
        if process.poll() is None:
            _end(process)
        conversation.close()
    rc = process.returncode if process.returncode is not None else -signal.SIGKILL
    return Outcome(
        rc, bytes(conversation.out), bytes(conversation.err), not ended and not conversation.over, conversation.over
    )


def _becoming(user: Optional[User], words: List[bytes], variables: Mapping[bytes, bytes]) -> Callable[[], None]:
    """What the child does before it runs the program: drop every right that ``user`` would not have.

    From that moment on the child is the user's, who may stop it. Popen waits, without any limit, until the child has
    become the program or has closed the pipe that tells of a failure: so all is closed before that moment.
    """

    def become() -> None:
        os.umask(0o022)
        if user is None or os.geteuid() != 0:
            return
        os.setpriority(os.PRIO_PROCESS, 0, 0)
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        os.closerange(3, max(int(name) for name in os.listdir("/proc/self/fd")) + 1)
        os.setgroups(user.groups or (user.gid,))
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
        try:
            os.execvpe(words[0], words, variables)
        except OSError as error:
            os.write(2, b"%s cannot be run: %s\n" % (words[0], os.fsencode(str(error.strerror))))
            os._exit(127)

    return become


def _end(process: "subprocess.Popen[bytes]") -> None:
    # What the child has started goes with it: it leads a process group of its own.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        process.kill()
    try:
        process.wait(_REAP_SECONDS)
    except subprocess.TimeoutExpired:
        # In the kernel's hands (a dead network file system): it is nobody's any more, and we go on.
        pass


class _Conversation:
    """The three streams of one child, bounded."""

    def __init__(self, process: "subprocess.Popen[bytes]", stdin: bytes, limit: int) -> None:
        self.out = bytearray()
        self.err = bytearray()
        self._process = process
        self._limit = limit
        self._pending = memoryview(stdin)
        self._streams = [stream for stream in (process.stdin, process.stdout, process.stderr) if stream is not None]
        self._selector = selectors.DefaultSelector()
        for stream in self._streams:
            os.set_blocking(stream.fileno(), False)
        if process.stdin is not None:
            self._selector.register(process.stdin, selectors.EVENT_WRITE, None)
        for source, into in ((process.stdout, self.out), (process.stderr, self.err)):
            if source is not None:
                self._selector.register(source, selectors.EVENT_READ, into)

    @property
    def over(self) -> bool:
        """Whether the child has said more than it may."""
        return len(self.out) + len(self.err) > self._limit

    def until_exit(self, deadline: float) -> bool:
        """Read and write until the process has ended: False if it is still there at ``deadline`` or said too much."""
        pause = 0.001
        while not self.over:
            exited = self._process.poll() is not None
            moved = self._turn(0 if exited else min(pause, max(0.0, deadline - time.monotonic())))
            if exited and not moved:
                return True
            if time.monotonic() >= deadline and not exited:
                return False
            pause = 0.001 if moved else min(pause * 2, 0.05)
            if not self._selector.get_map() and not exited:
                time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        return False

    def close(self) -> None:
        self._selector.close()
        for stream in self._streams:
            try:
                stream.close()
            except OSError:
                pass

    def _turn(self, wait: float) -> bool:
        if not self._selector.get_map():
            return False
        moved = False
        for key, _events in self._selector.select(wait):
            stream: Any = key.fileobj
            moved = (self._feed(stream) if key.data is None else self._take(stream, key.data)) or moved
        return moved

    def _take(self, stream: "IO[bytes]", into: bytearray) -> bool:
        try:
            data = os.read(stream.fileno(), _READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(stream)
        into.extend(data)
        return bool(data)

    def _feed(self, stream: "IO[bytes]") -> bool:
        try:
            sent = os.write(stream.fileno(), self._pending[:_READ_SIZE])
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            sent = len(self._pending)
        self._pending = self._pending[sent:]
        if not self._pending:
            self._selector.unregister(stream)
            stream.close()
        return True


class Directory:
    """The user database, asked in a child so that a directory service that hangs costs ``budget`` seconds in all."""

    def __init__(self, budget: float = 10.0) -> None:
        self._left = budget
        self._by_uid: Dict[int, User] = {}
        self._by_name: Dict[str, User] = {}
        self._asked: Dict[str, bool] = {}

    def user(self, uid: int) -> User:
        """The account of ``uid``. One without an entry, or whom the directory does not tell in time, gets least."""
        try:
            self.learn([str(uid)])
        except NoAnswer:
            pass
        return self._by_uid.get(uid) or User(str(uid), uid, NO_GROUP)

    def find(self, name_or_uid: str) -> Optional[User]:
        """The account by that name or number, or None. A number need not have an entry.

        :raises NoAnswer: when the directory does not answer: that is not the same as "no such user".
        """
        self.learn([name_or_uid])
        if name_or_uid in self._by_name:
            return self._by_name[name_or_uid]
        return self.user(int(name_or_uid)) if is_number(name_or_uid) else None

    def learn(self, keys: Sequence[str]) -> None:
        """Ask for all ``keys`` (names or uids) that are not known yet, in one go.

        :raises NoAnswer: when the time for all questions is used up, or the database is out of order.
        """
        new = sorted({key for key in keys if key not in self._asked})
        for start in range(0, len(new), 500):
            part = new[start : start + 500]
            rc, text = self._getent(["passwd"] + part)
            if rc not in _GETENT_ANSWERS:
                raise NoAnswer("the user database is out of order (getent passwd: exit status %d)" % rc)
            for line in text.splitlines():
                self._remember(line)
            self._asked.update((key, True) for key in part)

    def with_groups(self, user: User) -> User:
        """``user`` with all its supplementary groups, for a process that goes on to live as that user.

        :raises NoAnswer: when the time for all questions is used up.
        """
        words = self._getent(["initgroups", user.name])[1].split()
        groups = [int(word) for word in words[1:] if is_number(word)]
        return user._replace(groups=tuple(sorted(set(groups + [user.gid]))))

    def _remember(self, line: str) -> None:
        fields = line.split(":")
        if len(fields) >= 7 and is_number(fields[2]) and is_number(fields[3]):
            user = User(fields[0], int(fields[2]), int(fields[3]), fields[5] or "/", fields[6] or "/bin/sh")
            self._by_uid.setdefault(user.uid, user)
            self._by_name.setdefault(user.name, user)

    def _getent(self, words: List[str]) -> Tuple[int, str]:
        if self._left <= 0:
            raise NoAnswer("the user database (getent passwd) did not answer in time")
        start = time.monotonic()
        try:
            outcome = run(["getent"] + words, env={"PATH": SEARCH_PATH, "LANG": LOCALE}, timeout=self._left)
        except OSError as error:
            raise NoAnswer("the user database could not be asked (getent: %s)" % error.strerror)
        self._left -= time.monotonic() - start
        if outcome.timed_out:
            self._left = 0
            raise NoAnswer("the user database (getent %s) did not answer in time" % words[0])
        return outcome.rc, outcome.out.decode("utf-8", "replace")
