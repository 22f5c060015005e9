# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the output of panes is written besides: the one place that gives tmux text for a shell.

``pipe-pane`` takes nothing else. The text is ours and fixed, and the path in it one quoted word. Before the shell reads
it, tmux expands dates (``%Y``) and formats (``#(command)`` runs) in it.
"""

import os
import secrets
import shlex
from typing import Dict, List, NamedTuple, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import to_text
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    Command,
    Version,
    as_stored,
    expanded_literal,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session, row, rows

OPTION = "@fleet_tmux_log"
"""The user option that tells where the output of a session is written. What it says is only believed if it is seen."""

OLDER = ".1"
"""How the name of the older file ends, where there is one."""

_ATTEMPTS, _PAUSE = 50, 0.1
"""How often, and in which intervals, is looked again at what a server has just started."""
_DELETED = " (deleted)"
"""How the kernel ends the name of a file that is open and has none any more."""


class Pipe(NamedTuple):
    """What is done with the output of a pane. ``log``: the file that its session says; empty without one."""

    on: bool
    log: str


def pipes(client: Client, version: Version) -> Dict[str, Pipe]:
    """The panes of a server, by id, in one call.

    :raises TmuxError: when the server cannot be asked.
    """
    nonce = secrets.token_hex(8)
    fields = ["#{pane_id}", "#{pane_pipe}", "#{%s}" % OPTION]
    printed = rows(to_text(client.call([["list-panes", "-a", "-F", row(nonce, "p", fields)]])), nonce)
    found = [as_stored(listed, version) for _kind, listed in printed]
    return {pane: Pipe(on == "1", log) for pane, on, log in found}


def first_pane(session: Session) -> str:
    """The id of the pane whose output is written."""
    window = min(session.windows, key=lambda window: window.number)
    return min(window.panes, key=lambda pane: pane.number).id


def writes(server_pid: Optional[int], uid: int, path: str) -> Optional[bool]:
    """Whether a server has a child that writes to a file, as what we let it start does; None if that was deleted.

    The kernel says so: the option and the pipe of a pane may be anybody's by now.
    """
    name = os.path.basename(path)  # What keeps an older file, too, has the new one open.
    for _attempt in range(_ATTEMPTS):
        table, _others = proctable.read_table([uid])
        own = [process for process in table.values() if process.ppid == server_pid]
        found = [_output(process) for process in own]
        if name in found or any(_begins(process, path) for process in own):
            return True
        if name + _DELETED in found:
            return None
        if any(_rotates(process, path) for process in own):
            return True
        if server_pid not in table or all(process.command != table[server_pid].command for process in own):
            return False
        proctable.wait(_PAUSE)  # One of them has not become what it is to be.
    return False


def _output(process: Process) -> str:
    """The name of what a process writes to. The way there may go through a link of root's, which nobody tells."""
    try:
        return os.path.basename(os.readlink("%s/%d/fd/1" % (proctable.PROC, process.pid)))
    except OSError:
        return ""


def _begins(process: Process, path: str) -> bool:
    """Whether a process is the shell that is about to do that."""
    return _text(path) in _words(process)


def _rotates(process: Process, path: str) -> bool:
    """Whether a process is the shell that does that, and is just exchanging the file."""
    return any(word.startswith(_beginning(path)) for word in _words(process))


def _words(process: Process) -> List[str]:
    try:
        return os.fsdecode(proctable.read_file("%s/%d/cmdline" % (proctable.PROC, process.pid))).split("\0")
    except OSError:
        return []


def _text(path: str) -> str:
    return "umask 077; exec cat >>%s" % shlex.quote(path)


def _beginning(path: str) -> str:
    return "umask 077; f=%s; m=" % shlex.quote(path)


_ROTATING = (
    """%d; exec >>"$f"; while :; do [ ! -e "$f" ] || [ "/proc/$$/fd/1" -ef "$f" ] || exec >>"$f"; """
    """s=$(wc -c <"$f"); n=$(((m-${s:-0})/4096)); """
    """if [ $n -lt 1 ]; then [ -d "$f.1" ] || mv -f "$f" "$f.1"; exec >>"$f"; n=1; fi; """
    """{ r=$(LC_ALL=C dd bs=4096 count=$n 2>&1 >&3 3>&-) || exit; } 3>&1; case $r in "0+0 "*) exit;; esac; done"""
)
"""Copy as many times at most 4096 bytes as surely fit into the file, then look how much that was.

Each of them is written as soon as it is read. While the file is exchanged, what is printed waits in the pipe. Where
somebody else has exchanged it, the new one is opened; where it was removed, it stays so. It ends with the pipe: that is
when ``dd`` has read nothing.
"""


def _rotating_text(path: str, size: int) -> str:
    return _beginning(path) + _ROTATING % size


def start(place: str, session: str, path: str, version: Version, size: Optional[int] = None) -> List[Command]:
    """Append what a pane prints from now on to a file that is there. It replaces what was done with it before.

    :param size: how many bytes the file gets before it takes the place of the older one, ``PATH.1``; None: no limit.
    """
    text = _text(path) if size is None else _rotating_text(path, size)
    return [
        ["pipe-pane", "-t", place, expanded_literal(text.replace("%", "%%"), version)],
        ["set-option", "-t", session, OPTION, path],
    ]
