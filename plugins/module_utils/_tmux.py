# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One server's address and the tmux client: the only room that knows tmux's command line, quoting and errors."""

import os
import re
import tempfile
import time
import unicodedata
from typing import Iterable, List, NamedTuple, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._child import Outcome, User, environment, run

Command = Sequence[str]

MINIMUM = (2, 7)

_SHARED_DIRECTORY = "/tmp"
"""Where every user's server can read a file of its own."""
_NEWEST = (99, 0)


class Version(NamedTuple):
    """A tmux version: ``3.3a`` is (3, 3, "a"). A development build without a number counts as newer than all."""

    major: int
    minor: int
    letter: str
    text: str

    def at_least(self, major: int, minor: int) -> bool:
        return (self.major, self.minor) >= (major, minor)


def parse_version(text: str) -> Version:
    """Read ``tmux 3.3a``, ``3.3a``, ``next-3.8``, ``2.7-rc`` or ``master``."""
    found = re.search(r"([0-9]{1,4})\.([0-9]{1,4})([a-z]?)", text)
    if not found:
        return Version(_NEWEST[0], _NEWEST[1], "", text.strip() or "unknown")
    return Version(int(found.group(1)), int(found.group(2)), found.group(3), text.replace("tmux", "").strip())


class TmuxError(Exception):
    """A call that did not succeed. ``status`` says what that means for the server, in the words of the results."""

    status = "unreachable"

    def __init__(self, message: str, cmd: Sequence[str] = (), outcome: Optional[Outcome] = None) -> None:
        super().__init__(message)
        self.message = message
        self.cmd = list(cmd)
        self.rc = outcome.rc if outcome else None
        self.stdout = to_text(outcome.out) if outcome else ""
        self.stderr = to_text(outcome.err) if outcome else ""


class NoServer(TmuxError):
    """Nobody listens at the socket."""

    status = "absent"


class Lost(TmuxError):
    """The server ended (or refused to speak) while it was being asked."""


class Denied(TmuxError):
    """The server or its socket does not let this user in."""

    status = "denied"


class Hung(TmuxError):
    """No answer within the time limit."""

    status = "hung"


class Mismatch(TmuxError):
    """Client and server do not speak the same protocol."""

    status = "mismatch"


class Failed(TmuxError):
    """The server answered, and refused a command."""

    status = "ok"


class Flood(TmuxError):
    """The server said more than anybody wants to read."""


_MEANINGS = (
    (r"no server running on|error connecting to .*\((No such file or directory|Connection refused)\)", NoServer),
    (r"access not allowed|\(Permission denied\)|unsafe permissions", Denied),
    (r"protocol version mismatch|server version is too old", Mismatch),
    (r"server exited|lost server", Lost),
    (r"error connecting to|error creating|need UTF-8 locale", TmuxError),
)


class Share:
    """What the servers of one owner may cost in all calls of a run: to list, to ask for more, and to remove."""

    def __init__(self, seconds: float, received: int) -> None:
        self._limits = (seconds, received)
        self._seconds = 0.0
        self._received = 0

    def charge(self, seconds: float, received: int) -> None:
        self._seconds += seconds
        self._received += received

    def used_up(self) -> str:
        """What has been used up; nothing while there is something left."""
        if self._seconds > self._limits[0]:
            return "the servers of this owner had already taken %g seconds" % self._limits[0]
        if self._received > self._limits[1]:
            return "the servers of this owner had already listed %d bytes" % self._limits[1]
        return ""


class Client:
    """Calls the tmux server at ``path``, with the rights (``as_user``) and the environment of ``account``."""

    def __init__(
        self,
        binary: str,
        path: str,
        account: User,
        as_user: bool,
        timeout: float,
        version: Optional[Version] = None,
    ) -> None:
        self.binary = binary
        self.path = path
        self.account = account
        self.timeout = timeout
        self._version = version
        self.calls = 0
        self.share: Optional[Share] = None
        self._as_user = as_user

    def call(self, commands: Iterable[Command], stdin: bytes = b"", work: int = 0) -> bytes:
        """Run ``commands`` in one client and return what they print.

        :param work: how many sessions the commands end or make; each gives the server 50 ms more.
        :raises TmuxError: unless tmux exits with 0 and is silent on stderr: its exit status alone lies.
        """
        argv = [self.binary, "-u", "-S", self.path] + chain(commands)
        if self.share is not None and self.share.used_up():
            raise Hung("not asked: %s" % self.share.used_up(), argv)
        self.calls += 1
        start = time.monotonic()
        try:
            outcome = run(
                argv,
                user=self.account if self._as_user else None,
                env=environment(self.account),
                timeout=self.timeout + 0.05 * work,
                stdin=stdin,
            )
        except OSError as error:
            raise Failed("%s cannot be run: %s" % (self.binary, error.strerror), argv)
        if self.share is not None:
            self.share.charge(time.monotonic() - start, len(outcome.out))
        _require_success(argv, outcome, self.timeout)
        return outcome.out

    @property
    def version(self) -> Version:
        """The version of our tmux, which may not be the server's."""
        if self._version is None:
            self._version = client_version(self.binary, self.timeout)
        return self._version

    def script(self, commands: Iterable[Command], server: Version, work: int = 0) -> bytes:
        """Run ``commands``, however many, in one client; they are in no process's arguments.

        A command that fails does not stop the ones after it. Since 3.1 the client reads them from its stdin; before, a
        server reads a file itself, which is its owner's and nobody else's.

        :param server: the version of the server, which reads the words.
        :raises TmuxError: as :meth:`call` does.
        """
        text = script(commands, server)
        if server.at_least(3, 1) and self.version.at_least(3, 1):
            return self.call([["source-file", "-"]], stdin=text, work=work)
        handle, path = tempfile.mkstemp(prefix="fleet-tmux-", dir=_SHARED_DIRECTORY)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(text)
                if self._as_user:
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
            run(argv, user=self.account if self._as_user else None, env=environment(self.account), timeout=self.timeout)
        except OSError as error:
            raise Failed("%s cannot be run: %s" % (self.binary, error.strerror), argv)


def _require_success(argv: Sequence[str], outcome: Outcome, timeout: float) -> None:
    if outcome.timed_out:
        raise Hung("tmux did not answer within %g seconds" % timeout, argv, outcome)
    if outcome.truncated:
        raise Flood("tmux printed more than is read from one server", argv, outcome)
    if outcome.rc == 0 and not outcome.err:
        return
    said = shown(to_text(outcome.err).strip()) or "exit status %d, no message" % outcome.rc
    for pattern, kind in _MEANINGS:
        if re.search(pattern, said):
            raise kind("tmux: %s" % said[:500], argv, outcome)
    raise Failed("tmux: %s" % said[:500], argv, outcome)


def client_version(binary: str, timeout: float) -> Version:
    """The version of a tmux binary.

    :raises TmuxError: when it is no tmux, or older than 2.7.
    """
    argv = [binary, "-V"]
    try:
        outcome = run(argv, timeout=timeout)
    except OSError as error:
        raise TmuxError("%s cannot be run: %s" % (binary, error.strerror), argv)
    said = to_text(outcome.out).strip()
    if outcome.timed_out or outcome.rc != 0 or not said.startswith("tmux "):
        raise TmuxError(
            "%s does not say its version (tmux -V), so it is no tmux that can be used" % binary, argv, outcome
        )
    version = parse_version(said)
    if (version.major, version.minor) < MINIMUM:
        raise TmuxError(
            "%s is tmux %s; tmux 2.7 is the oldest that can be used" % (binary, version.text), argv, outcome
        )
    return version


def chain(commands: Iterable[Command]) -> List[str]:
    """Commands as the words of one call."""
    words: List[str] = []
    for command in commands:
        if words:
            words.append(";")
        words.extend(argument(word) for word in command)
    return words


def argument(word: str) -> str:
    """A word of a command. A ``;`` at the end of any word would end the command there."""
    return word[:-1] + "\\;" if word.endswith(";") else word


def script_word(text: str) -> str:
    """A word of a line of a script (``source-file``): within double quotes, which all versions read alike."""
    for plain, quoted in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("~", "\\~"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(plain, quoted)
    return '"%s"' % text


def _octal_bytes(line: str) -> str:
    """To the parser of tmux 3.0 and later, the byte 0xff ends the script: what is no UTF-8 is written as numbers."""
    return re.sub("[\udc80-\udcff]", lambda byte: "\\%03o" % (ord(byte.group(0)) - 0xDC00), line)


def script(commands: Iterable[Command], version: Version) -> bytes:
    """Commands as a script for ``source-file``. Before 3.0, a ``;`` ending a word ends the command even there."""
    written = script_word if version.at_least(3, 0) else (lambda word: script_word(argument(word)))
    lines = (" ".join([command[0]] + [written(word) for word in command[1:]]) for command in commands)
    text = "".join(line + "\n" for line in lines)
    return (_octal_bytes(text) if version.at_least(3, 0) else text).encode("utf-8", "surrogateescape")


def expanded_literal(text: str, version: Version) -> str:
    """``text`` for a place that tmux expands as a format, so that the expansion gives ``text`` again.

    ``#(command)`` would run, ``#{...}`` would be replaced. From 3.2 on, ``#`` before ``[`` stays as it is.
    """
    if not version.at_least(3, 2):
        return text.replace("#", "##")
    return re.sub(r"#+(?!#*\[)", lambda run_: run_.group(0) * 2, text)


def compared_literal(text: str, version: Version) -> str:
    """``text`` as the right side of ``#{==:...}``, where a comma and a closing brace must be escaped too.

    Before 2.9 there is no such escape: there a comma on the right side needs none, and a brace cannot be written.
    """
    literal = expanded_literal(text, version)
    return re.sub(r"[,}]", lambda mark: "#" + mark.group(0), literal) if version.at_least(2, 9) else literal


def target(identity: str) -> str:
    """An id (``$1``, ``@1``, ``%1``) within a command that is itself a word of a command."""
    return "'%s'" % identity


def to_text(data: bytes) -> str:
    """Bytes from tmux as text; what is no UTF-8 comes back unchanged by encoding with ``surrogateescape``."""
    return data.decode("utf-8", "surrogateescape")


_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def shown(text: str, lines: bool = False) -> str:
    """``text`` so that it is harmless in a terminal, a log and a report: control characters are written as escapes.

    :param lines: whether newlines and tabs may stay.
    """
    if text.isprintable():
        return text
    return "".join(char if (lines and char in "\n\t") else _harmless(char) for char in text)


def _harmless(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return "\\x%02x" % (code - 0xDC00)
    if char in _BIDI or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp"):
        return "\\x%02x" % code if code < 0x100 else "\\u%04x" % code
    return char


def unsuitable(name: str) -> Optional[str]:
    """Why a session of that name cannot be made on every supported tmux, or None.

    What some version would rewrite or reject is refused on all, so that one playbook means the same on every host.
    """
    if not name:
        return "it is empty"
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
        return "it holds a control character or bytes that are no UTF-8, which tmux 3.2 to 3.6 rewrite"
    for char, versions in ((":", "3.2 to 3.6"), (".", "3.2 to 3.6"), ("\\", "3.2 and later"), ("$", "3.2 to 3.4")):
        if char in name:
            return "it holds %r, which tmux %s rewrite" % (char, versions)
    if any(unicodedata.category(char) in ("Cn", "Zl", "Zp") for char in name):
        return "it holds a character that not every tmux knows, which tmux 3.2 to 3.6 may rewrite"
    return None
