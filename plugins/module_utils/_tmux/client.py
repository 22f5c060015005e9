# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One server's address and the tmux client: the only room that runs the binary."""

import errno
import os
import tempfile
import time
from typing import Callable, Dict, Iterable, List, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._host.child import OUTPUT_LIMIT, Completed, environment, run
from ansible_collections.fleet.tmux.plugins.module_utils._host.limits import Refused
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import WITHHELD
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief, to_text
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    MINIMUM,
    Capability,
    Command,
    Version,
    binary_version,
    chain,
    script,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import (
    Denied,
    Failed,
    Flood,
    Hung,
    NoServer,
    TmuxError,
    kind_of,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.share import Share
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.sockets import Unusable, listener_at

_STARTS = "new-session"
"""The one command of ours that starts a server which is to stay."""
_STARTS_EMPTY = ("start-server",)

WORK_SECONDS = 0.05
"""How much longer a call may take for each session that it ends or makes."""

SHARED_DIRECTORY = "/tmp"
"""Where every user's server can read a file of its own."""


class Client:
    """Calls the tmux server at ``path``, with the rights (``as_user``) and the environment of ``account``.

    ``process``, if given, is the server's: whatever becomes its owner's program is held to the same limits.
    ``discreet``: whether what the server and its owner say stays on the host. ``own``: ``binary`` is the program that
    the server itself runs, so that it has the server's version, and is there for as long as the server is.
    ``pane``: the id of the pane that commands seem to be run in, for those that mean whoever sees it.
    ``birth``: makes the words that stand before a call which starts a server, so that it begins in a unit of its own.
    ``alone``: each call starts a server of its own, which reads no configuration, has no sessions, and ends with it.
    """

    def __init__(
        self,
        binary: str,
        path: str,
        account: User,
        as_user: bool,
        timeout: float,
        version: Optional[Version] = None,
        process: Optional[int] = None,
        discreet: bool = False,
        own: bool = False,
        alone: bool = False,
    ) -> None:
        self.binary = binary
        self.path = path
        self.account = account
        self.timeout = timeout
        self._version = version
        self.calls = 0
        self.share: Optional[Share] = None
        self.process = process
        self.discreet = discreet
        self.own = own
        self.alone = alone
        self.pane = ""
        self.birth: Optional[Callable[[], List[str]]] = None
        self.as_user = as_user

    def call(
        self, commands: Iterable[Command], stdin: bytes = b"", work: int = 0, limit: Optional[int] = None
    ) -> bytes:
        """Run ``commands`` in one client and return what they print.

        :param limit: bytes that they may print, for what is bounded elsewhere and not what the server lists.
        :param work: how many sessions the commands end or make; each gives the server a little more time.
        :raises TmuxError: unless tmux exits with 0 and is silent on stderr: its exit status alone lies.
        """
        try:
            return self._call(commands, stdin, work, limit)
        except TmuxError as error:
            error.private = self.discreet
            raise

    def _call(self, commands: Iterable[Command], stdin: bytes, work: int, limit: Optional[int]) -> bytes:
        argv = self._words(commands)
        starts = self.birth is not None and _STARTS in argv
        if self.birth is not None and starts:
            argv = self.birth() + argv
        if self.share is not None and self.share.used_up():
            raise Hung(f"not asked: {self.share.used_up()}", argv)
        self.calls += 1
        longest = self.timeout + WORK_SECONDS * work
        start = time.monotonic()
        received = 0
        try:
            timeout = longest if self.share is None else self.share.left(longest)
            outcome = self._run(argv, timeout, stdin, limit or OUTPUT_LIMIT)
            received = len(outcome.out) if limit is None else 0
        except FileNotFoundError as error:
            raise (NoServer if self.own else Failed)("%s cannot be run: %s" % (self.binary, error.strerror), argv)
        except OSError as error:
            raise Failed("%s cannot be run: %s" % (self.binary, error.strerror), argv)
        finally:
            if self.share is not None:
                self.share.charge(time.monotonic() - start, received)
        _require_success(argv, outcome, self.timeout, self.discreet)
        if starts:
            self.birth = None  # There is a server now.
        return outcome.out

    def _words(self, commands: Iterable[Command]) -> List[str]:
        if not self.alone:
            return [self.binary, "-u", "-S", self.path, *chain(commands)]
        path = f"{self.path}{self.calls}"  # At the one of the last call a server may just be ending.
        return [self.binary, "-u", "-f", os.devnull, "-S", path, *chain([_STARTS_EMPTY, *commands])]

    def _run(self, argv: Sequence[str], timeout: float, stdin: bytes, limit: int) -> Completed:
        """Run the client; as root, like the process that listens: a server that has ended may have a successor.

        Where nobody listens, only what is to start a server is run.
        """
        if not self.as_user:
            return run(argv, env=self._environment(), timeout=timeout, limit=limit, stdin=stdin)
        try:
            if self.process is not None:
                return self._run_like(self.process, argv, timeout, stdin, limit)
        except Refused as refusal:
            if refusal.errno not in (errno.ESRCH, errno.ENOENT):
                raise TmuxError("not asked: %s" % refusal.strerror, argv)
        self.process = self._listener(argv)
        try:
            return self._run_like(self.process, argv, timeout, stdin, limit)
        except Refused as refusal:
            raise TmuxError("not asked: %s" % refusal.strerror, argv)

    def _run_like(
        self, process: Optional[int], argv: Sequence[str], timeout: float, stdin: bytes, limit: int
    ) -> Completed:
        env = self._environment()
        return run(argv, user=self.account, env=env, timeout=timeout, limit=limit, stdin=stdin, like=process)

    def _environment(self) -> Dict[str, str]:
        return dict(environment(self.account), **({"TMUX_PANE": self.pane} if self.pane else {}))

    def _listener(self, argv: Sequence[str]) -> Optional[int]:
        """The process that listens at the socket, if there is one. Only a connection is made; nothing is asked."""
        if self.alone:
            return None
        try:
            peer = listener_at(self.path, self.timeout if self.share is None else self.share.left(self.timeout))
        except Unusable as problem:
            if problem.status != "absent":
                raise (Hung if problem.status == "hung" else TmuxError)(problem.reason, argv)
            if _STARTS not in argv:
                raise NoServer(problem.reason, argv)
            return None
        if peer.uid != self.account.uid:
            raise Denied(f"uid {peer.uid} listens there, not uid {self.account.uid}", argv)
        return peer.pid

    @property
    def version(self) -> Version:
        """The version of our tmux, which may not be the server's.

        The server's own program is asked with its owner's rights, as for all else: it may have become another.
        """
        if self._version is None:
            self._version = client_version(self.binary, self.timeout, self._asked if self.own else None)
        return self._version

    def _asked(self, argv: Sequence[str]) -> Completed:
        return self._run(argv, self.timeout, b"", OUTPUT_LIMIT)

    def apart(self, path: str) -> "Client":
        """A client of the same program with the same rights, which is ``alone``; ``path`` is how its sockets begin.

        All its calls together get the time of one.
        """
        client = Client(
            self.binary,
            path,
            self.account,
            self.as_user,
            self.timeout,
            self._version,
            self.process,
            self.discreet,
            self.own,
            alone=True,
        )
        client.share = Share(self.timeout, OUTPUT_LIMIT)
        return client

    def script(self, commands: Iterable[Command], server: Version, work: int = 0) -> bytes:
        """Run ``commands``, however many, in one client; they are in no process's arguments.

        A command that fails does not stop the ones after it. Where the server has to read a file itself, that is its
        owner's and nobody else's.

        :param server: the version of the server, which reads the words.
        :raises TmuxError: as :meth:`call` does.
        """
        text = script(commands, server)
        ours = server if self.own else self.version
        if server.has(Capability.SCRIPT_FROM_STDIN) and ours.has(Capability.SCRIPT_FROM_STDIN):
            return self.call([["source-file", "-"]], stdin=text, work=work)
        handle, path = tempfile.mkstemp(prefix="fleet-tmux-", dir=SHARED_DIRECTORY)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(text)
                if self.as_user:
                    os.fchown(stream.fileno(), self.account.uid, self.account.gid)
            return self.call([["source-file", path]], work=work)
        finally:
            os.unlink(path)

    def make_directory(self) -> None:
        """Have tmux make the directory of a socket in its default place (mode 0700); ``-S`` would not.

        :raises TmuxError: when that cannot be done.
        """
        if os.path.lexists(os.path.dirname(self.path)):
            return
        argv = [self.binary, "-u", "-L", os.path.basename(self.path), "list-sessions"]
        try:
            run(argv, user=self.account if self.as_user else None, env=environment(self.account), timeout=self.timeout)
        except OSError as error:
            raise Failed(f"{self.binary} cannot be run: {error.strerror}", argv)


def _require_success(argv: Sequence[str], outcome: Completed, timeout: float, discreet: bool) -> None:
    if outcome.timed_out:
        raise Hung(f"tmux did not answer within {timeout:g} seconds", argv, outcome)
    if outcome.truncated:
        raise Flood("tmux printed more than is read from one server", argv, outcome)
    if outcome.rc == 0 and not outcome.err:
        return
    said = to_text(outcome.err).strip()
    kind = kind_of(said)
    if not said:
        words = f"exit status {outcome.rc}, no message"
    else:
        # Some versions say the same twice.
        once = "\n".join(dict.fromkeys(said.splitlines()))
        words = f"{kind.sentence} ({WITHHELD})" if discreet else brief(once)
    raise kind(f"tmux: {words}", argv, outcome)


def client_version(binary: str, timeout: float, ask: Optional[Callable[[Sequence[str]], Completed]] = None) -> Version:
    """The version of a tmux binary.

    :param ask: runs it; where that is not said, it is run with our rights.
    :raises TmuxError: when it is no tmux, or older than 2.7.
    """
    argv = [binary, "-V"]
    try:
        outcome = run(argv, timeout=timeout) if ask is None else ask(argv)
    except OSError as error:
        raise TmuxError(f"{binary} cannot be run: {error.strerror}", argv)
    version = binary_version(to_text(outcome.out).strip())
    if outcome.timed_out or outcome.rc != 0 or version is None:
        raise TmuxError(
            f"{binary} does not say its version (tmux -V), so it is no tmux that can be used", argv, outcome
        )
    if not version.can_be_used:
        least = "%d.%d" % MINIMUM
        raise TmuxError(f"{binary} is tmux {version.text}; tmux {least} is the oldest that can be used", argv, outcome)
    return version
