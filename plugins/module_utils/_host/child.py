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
import selectors
import shutil
import signal
import subprocess
import time
from typing import IO, Any, Callable, Dict, Mapping, NamedTuple, Optional, Sequence, Union

from ansible_collections.fleet.tmux.plugins.module_utils._host import kernel, limits
from ansible_collections.fleet.tmux.plugins.module_utils._host.limits import Limits, Refused
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User

OUTPUT_LIMIT = 16 * 1024 * 1024
"""Bytes of output, both streams together, after which a child is ended."""

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

LOCALE = "C.UTF-8"


_NOT_CONFINED = 126
"""The exit status of a child that did not become the user; what it says begins with the mark below."""
_MARK = b"\0not confined "
_READ_SIZE = 65536
_REAP_SECONDS = 2.0


class Completed(NamedTuple):
    """How a child ended. ``rc`` is negative for a signal; ``timed_out`` and ``truncated`` say that we ended it."""

    rc: int
    out: bytes
    err: bytes
    timed_out: bool = False
    truncated: bool = False


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
    like: Union[int, Limits, None] = None,
) -> Completed:
    """Run ``argv`` as ``user`` (as ourselves without one) for at most ``timeout`` seconds.

    The child gets no inherited descriptor, a session of its own (no terminal; it cannot signal us) and ``/`` as its
    directory. We wait for the process, not for the end of its output: a tmux server is handed the descriptors of its
    client and may keep them open for ever.

    :param like: a process of ``user``, or what one was found to be held to: so is whoever becomes that user.
    :raises Refused: when the child cannot be held to that; nothing was run.
    :raises OSError: when it cannot be started; what only the user cannot start ends with 127 and says why.
    """
    given = env or {}
    if user is not None and shutil.which(argv[0], path=given.get("PATH", SEARCH_PATH)) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
    process = _started(argv, given, bool(stdin), _becoming(argv, user, given, like))
    conversation = _Conversation(process, stdin, limit)
    try:
        ended = conversation.until_exit(time.monotonic() + timeout)
    finally:
        if process.poll() is None:
            _end(process)
        conversation.close()
    rc = process.returncode if process.returncode is not None else -signal.SIGKILL
    over = conversation.over
    if rc == _NOT_CONFINED:
        _require_confined(bytes(conversation.err))
    return Completed(rc, bytes(conversation.out), bytes(conversation.err), not (ended or over), over)


def _require_confined(said: bytes) -> None:
    """:raises Refused: when a child says that it could not be held to what its user's processes are held to."""
    if said.startswith(_MARK):
        number, _space, reason = said[len(_MARK) :].partition(b" ")
        raise Refused(int(number) if number.isdigit() else errno.EPERM, os.fsdecode(reason))


def _started(
    argv: Sequence[str], env: Mapping[str, str], talks: bool, become: Callable[[], None]
) -> "subprocess.Popen[bytes]":
    # AnsibleModule.run_command can neither change the user nor limit time and output.
    return subprocess.Popen(  # pylint: disable=consider-using-with,subprocess-popen-preexec-fn,ansible-bad-function
        [os.fsencode(word) for word in argv],
        stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        close_fds=True,
        cwd="/",
        env=_encoded(env),
        start_new_session=True,
        preexec_fn=become,
    )


def _encoded(env: Mapping[str, str]) -> Dict[bytes, bytes]:
    return {os.fsencode(key): os.fsencode(value) for key, value in env.items()}


def _becoming(
    argv: Sequence[str], user: Optional[User], env: Mapping[str, str], like: Union[int, Limits, None]
) -> Callable[[], None]:
    """What the child does before it runs the program: have nothing and be nothing that ``user`` would not.

    As soon as it is in a group of the user's, who may freeze it, and even more when it is the user's, who may stop it,
    it may stand still. Popen waits, without any limit, until the child has become the program or has closed the pipe
    that tells of a failure: so all is closed before that moment, and whatever is needed was read before.

    :raises Refused: when the child cannot be held to what ``like`` is held to.
    """
    parent = os.getpid()
    if user is None or os.geteuid() != 0:
        return lambda: _have_what_is_usual(parent)
    held = like if isinstance(like, Limits) else limits.free() if like is None else limits.like(like, user.uid)
    ignored = [number for number in range(1, signal.NSIG) if signal.getsignal(number) == signal.SIG_IGN]
    words, variables = [os.fsencode(word) for word in argv], _encoded(env)
    someone = user

    def become() -> None:
        _have_what_is_usual(parent)
        os.closerange(3, max(int(name) for name in os.listdir("/proc/self/fd")) + 1)
        try:
            _drop(someone, held, ignored)
            kernel.end_with_parent(parent)
        except Exception as error:
            number, reason = getattr(error, "errno", None), getattr(error, "strerror", None)
            os.write(2, _MARK + b"%d %s" % (number or errno.EPERM, os.fsencode(str(reason or error))))
            os._exit(_NOT_CONFINED)
        try:
            os.execvpe(words[0], words, variables)
        except OSError as error:
            os.write(2, b"%s cannot be run: %s\n" % (words[0], os.fsencode(str(error.strerror))))
            os._exit(127)

    return become


def _have_what_is_usual(parent: int) -> None:
    """End with whoever has started us, and have nothing that was meant for that process alone."""
    kernel.end_with_parent(parent)
    os.umask(0o022)
    limits.free_memory()


def _drop(user: User, held: Limits, ignored: Sequence[int]) -> None:
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    # As root: a user whose quota of keys is used up could not have a new keyring.
    kernel.leave_session_keyring(held.calls)
    held.confine()
    os.setgroups(user.groups or (user.gid,))
    os.setresgid(user.gid, user.gid, user.gid)
    os.setresuid(user.uid, user.uid, user.uid)
    held.tighten(user.uid)


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
            if self._process.poll() is not None:
                if not self._turn(0):
                    return True
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            moved = self._turn(min(pause, left))
            pause = 0.001 if moved else min(pause * 2, 0.05)
        return False

    def close(self) -> None:
        self._selector.close()
        for stream in self._streams:
            try:
                stream.close()
            except OSError:
                pass

    def _turn(self, wait: float) -> bool:
        """Move what can be moved within ``wait`` seconds; whether anything was. With nothing left to say, only wait."""
        if not self._selector.get_map():
            time.sleep(wait)
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
