# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be wrong with a call of tmux, what each means for the server, and the one reader of tmux's messages."""

import re
from typing import List, NamedTuple, Optional, Sequence, Type

from ansible_collections.fleet.tmux.plugins.module_utils._host.child import Completed
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import to_text


class TmuxError(Exception):
    """A call that did not succeed. ``status`` says what that means for the server, in the words of the results."""

    status = "unreachable"
    sentence = "something is wrong"
    """What its message says where the server's own words are not told."""
    private = False
    """Whether what was asked and answered is not told either."""

    def __init__(self, message: str, cmd: Sequence[str] = (), outcome: Optional[Completed] = None) -> None:
        super().__init__(message)
        self.message = message
        self.cmd = list(cmd)
        self.rc = outcome.rc if outcome else None
        self.stdout = to_text(outcome.out) if outcome else ""
        self.stderr = to_text(outcome.err) if outcome else ""


class NoServer(TmuxError):
    """Nobody listens at the socket."""

    status = "absent"
    sentence = "nobody listens at the socket"


class Lost(TmuxError):
    """The server ended (or refused to speak) while it was being asked."""

    sentence = "the server ended while it was asked"


class Silent(Lost):
    """The server let a client in, and nothing came of it."""

    status = "mismatch"


class Denied(TmuxError):
    """The server or its socket does not let this user in."""

    status = "denied"
    sentence = "access is not allowed"


class Hung(TmuxError):
    """No answer within the time limit."""

    status = "hung"


class Mismatch(TmuxError):
    """Client and server do not speak the same protocol."""

    status = "mismatch"
    sentence = "client and server do not speak the same protocol"


class Failed(TmuxError):
    """The server answered, and refused a command."""

    status = "ok"
    sentence = "the server refused a command"


class Duplicate(Failed):
    """There is a session of that name already."""

    sentence = "there is a session of that name already"


class NotFound(Failed):
    """The session, window or pane that a command was for is not there, or not any more."""

    sentence = "what a command was for is not there"


class NoTarget(Failed):
    """A command was for whatever session is there, and there is none."""

    sentence = "the server has no sessions"


class Flood(TmuxError):
    """The server said more than anybody wants to read."""


class Message(NamedTuple):
    """How a line that tmux prints to stderr begins, and what it means. ``when``: which versions print it, and when."""

    error: Type[TmuxError]
    pattern: str
    when: str


MESSAGES = (
    Message(NoServer, r"no server running on", "all, where a socket is left and nobody listens at it"),
    Message(
        NoServer,
        r"error connecting to .*\((No such file or directory|Connection refused)\)",
        "all, where there is no socket",
    ),
    Message(Denied, r"access not allowed", "3.3 and later, of another user's server; until 3.7 with exit status 0"),
    Message(Denied, r"error (connecting to|creating) .*\(Permission denied\)", "all, of a place that is not ours"),
    Message(Denied, r"directory .* has unsafe permissions", "3.3 and later, of the directory of default sockets"),
    Message(Mismatch, r"protocol version mismatch", "all, of a server older than 1.9a"),
    Message(Mismatch, r"server version is too old", "3.1 and later, of a server before 3.1, with exit status 0"),
    Message(Lost, r"server exited", "all: it was ending, has crashed, or speaks another protocol"),
    Message(Lost, r"lost server", "before 3.1, for the same"),
    Message(TmuxError, r"error connecting to|error creating", "all, for what is wrong with a socket else"),
    Message(TmuxError, r"need UTF-8 locale", "all, where the system has none at all"),
    Message(Duplicate, r"duplicate session: ", "all, of new-session"),
    Message(NotFound, r"can't find (session|window|pane)", "all; 2.7 without a colon after it"),
    Message(NoTarget, r"no current target", "all, of a server that has no sessions"),
)
"""In the order in which they count: several commands may have failed, each with a line of its own."""

_PROGRAM = r"^(?:\S+: )?"
"""A message may begin with the name of the program, or of the script and the line in it."""


def kind_of(said: str) -> Type[TmuxError]:
    """What tmux means by ``said`` (its stderr); what is not known is a command that was refused.

    Names are part of some messages, so only the beginning of a line counts.
    """
    for known in MESSAGES:
        if re.search(_PROGRAM + "(?:%s)" % known.pattern, said, re.MULTILINE | re.DOTALL):
            return known.error
    return Failed


def unknown_keys(said: str, asked: int) -> Optional[List[str]]:
    """Which names of keys tmux does not know, after ``asked`` times ``unbind-key`` in a table that there is not.

    It looks for the key first. None if it has not said something of each.
    """
    unknown = re.findall(_PROGRAM + r"unknown key: (.*)$", said, re.MULTILINE)
    known = re.findall(_PROGRAM + r"table \S+ doesn't exist$", said, re.MULTILINE)
    return unknown if len(unknown) + len(known) == asked else None
