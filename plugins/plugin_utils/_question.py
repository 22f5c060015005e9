# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A question to whoever started the run: `make cleanup` asks it, at the other end of a socket.

A run never asks by itself. What starts it names the socket in its environment, which no host, inventory or variable
can do.
"""

import os
import socket
from typing import Mapping, Optional

SOCKET = "FLEET_TMUX_CLEANUP_ASK"
"""The variable of the environment that names the socket."""
YES = b"yes\n"
_LONGEST = 64


def asker(environ: Optional[Mapping[str, str]] = None) -> Optional[str]:
    """The socket at whose other end somebody can be asked; None if nobody is there."""
    return (os.environ if environ is None else environ).get(SOCKET) or None


def agreed_to(text: str, path: str) -> bool:
    """Whether they agree to what the text says. Who cannot be asked, or goes away, does not.

    However long they think about it: who wants no question says so when starting the run.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
            asked.connect(path)
            asked.sendall(text.encode("utf-8", errors="replace"))
            asked.shutdown(socket.SHUT_WR)
            return _answer(asked) == YES
    except OSError:
        return False


def _answer(asked: socket.socket) -> bytes:
    """All that they say: half of it is no answer."""
    said = b""
    while len(said) < _LONGEST:
        more = asked.recv(_LONGEST)
        if not more:
            return said
        said += more
    return b""
