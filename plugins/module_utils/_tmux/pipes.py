# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the output of panes is written besides: the one place that gives tmux text for a shell.

``pipe-pane`` takes nothing else. The text is ours and fixed, and the path in it one quoted word. Before the shell reads
it, tmux expands dates (``%Y``) and formats (``#(command)`` runs) in it.
"""

import os
import re
import secrets
import shlex
from typing import Dict, Iterable, List, Mapping, Match, NamedTuple, Optional, Sequence, Tuple
from urllib.parse import quote, unquote

from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import encoded, to_text
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    Command,
    Version,
    expanded_literal,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Pane, Session, row, rows

OPTION = "@fleet_tmux_log"
"""The user option of a session that tells where the output of its panes is written, an entry for each.

The panes of tmux before 3.0 have no options. What it says is only believed if it is seen.
"""

OLDER = ".1"
"""How the name of the older file ends, where there is one."""

_PANE = "FLEET_TMUX_PANE"
"""The variable of what writes that says of which pane, which the kernel shows."""

_ATTEMPTS, _PAUSE = 50, 0.1
"""How often, and in which intervals, is looked again at what a server has just started."""
_NEW_SECONDS = 5.0
"""How long that is just: whoever calls himself as a server does for longer keeps nobody waiting."""
_DELETED = " (deleted)"
"""How the kernel ends the name of a file that is open and has none any more."""


class Pipe(NamedTuple):
    """What is done with the output of a pane. ``log``: the file that its session says; empty without one.

    ``size``: how many bytes that gets, if it has a limit.
    """

    on: bool
    log: str = ""
    size: Optional[int] = None


Pipes = Dict[str, Pipe]
"""By the ids of panes."""


def pipes(client: Client) -> Pipes:
    """The panes of a server, in one call.

    :raises TmuxError: when the server cannot be asked.
    """
    nonce = secrets.token_hex(8)
    commands = [
        ["list-sessions", "-F", row(nonce, "s", ["#{%s}" % OPTION])],
        ["list-panes", "-a", "-F", row(nonce, "p", ["#{pane_id}", "#{pane_pipe}"])],
    ]
    printed = rows(to_text(client.call(commands)), nonce)
    noted = said("".join(text + " " for kind, fields in printed if kind == "s" for text in fields))
    on = [fields for kind, fields in printed if kind == "p" and len(fields) == 2]
    return {pane: noted.get(pane, Pipe(True))._replace(on=flag == "1") for pane, flag in on}


def said(text: str) -> Pipes:
    """What sessions say of panes, which may be anybody's words."""
    return {pane: Pipe(True, _read(path), int(size) or None) for pane, size, path in _ENTRY.findall(text)}


_ENTRY = re.compile(r"(%[0-9]{1,19}) ([0-9]{1,19}) (\S+) ")


def _entry(pane: str, path: str, size: Optional[int]) -> str:
    return "%s %d %s " % (pane, size or 0, _written(path))


def _written(path: str) -> str:
    """A path without anything that a tmux might read, print or expand in ways of its own."""
    return quote(path, errors="surrogateescape").replace("%", "=")


def _read(written: str) -> str:
    return unquote(written.replace("=", "%"), errors="surrogateescape")


def first_pane(session: Session) -> Pane:
    """The one whose output is written, where nothing else is said."""
    window = min(session.windows, key=lambda window: window.number)
    return min(window.panes, key=lambda pane: pane.number)


def logs(client: Client, server_pid: Optional[int], uid: int, panes: Sequence[Pane]) -> Pipes:
    """Those of some panes whose output is seen to be written where is said. Of a dead one nothing is seen.

    :raises TmuxError: when the server cannot be asked.
    """
    found = pipes(client)
    told = {pane.id: found[pane.id] for pane in panes if pane.id in found and found[pane.id].log}
    dead = [pane.id for pane in panes if pane.dead]
    on = {pane: pipe.log for pane, pipe in told.items() if pipe.on and pane not in dead}
    seen = written(server_pid, uid, on)
    return {pane: pipe for pane, pipe in told.items() if pane in dead or seen.get(pane)}


def written(server_pid: Optional[int], uid: int, paths: Mapping[str, str]) -> Dict[str, Optional[bool]]:
    """Whether what panes print is written to these files, by the ids of the panes; None if that was deleted.

    The kernel says so: a server has a child for each that does what we let it start. The option and the pipe of a pane
    may be anybody's by now.
    """
    found: Dict[str, Optional[bool]] = {}
    for _attempt in range(_ATTEMPTS if paths else 0):
        table, _others = proctable.read_table([uid])
        own = [process for process in table.values() if process.ppid == server_pid]
        found = _found(own, paths)
        server = table.get(server_pid or 0)
        if len(found) == len(paths) or server is None:
            break
        if not any(process.command == server.command and proctable.age(process) < _NEW_SECONDS for process in own):
            break
        proctable.wait(_PAUSE)  # One of them has not become what it is to be.
    return {pane: found.get(pane, False) for pane in paths}


def _found(processes: Iterable[Process], paths: Mapping[str, str]) -> Dict[str, Optional[bool]]:
    """What processes say of those panes of which one of them writes the output to its file, or has."""
    found: Dict[str, Optional[bool]] = {}
    for process in processes:
        words = _words(process)
        pane = _pane_of(process, words)
        if pane not in paths:
            continue
        verdict = _does(process, words, paths[pane])
        if verdict is not False and found.get(pane) is not True:
            found[pane] = verdict
    return found


def _does(process: Process, words: Sequence[str], path: str) -> Optional[bool]:
    # What keeps an older file, too, has the new one open, or is just exchanging it.
    name, output = os.path.basename(path), _output(process.pid)
    if output == name + _DELETED:
        return None
    texts = [word[begun.end() :] for word, begun in _begun(words)]
    return output == name or any(text == _simple(path) or text.startswith(_limited(path)) for text in texts)


def _output(pid: int) -> str:
    """The name of what a process writes to. The way there may go through a link of root's, which nobody tells."""
    try:
        return to_text(os.path.basename(os.readlink(encoded("%s/%d/fd/1" % (proctable.PROC, pid)))))
    except OSError:
        return ""


_BEGINS = "umask 077; %s=%s; export %s; " % (_PANE, "%s", _PANE)
_BEGUN = re.compile(re.escape(_BEGINS).replace(re.escape("%s"), "(%[0-9]{1,19})"))


def pane_of(process: Process) -> str:
    """The pane whose output a process writes; none if it is none of what we let a server start."""
    return _pane_of(process, _words(process))


def _pane_of(process: Process, words: Sequence[str]) -> str:
    """The pane whose output a process writes; none if it is none of what we let a server start."""
    for _word, begun in _begun(words):
        return begun.group(1)
    named = [word[len(_PANE) + 1 :] for word in _listed(process, "environ") if word.startswith(_PANE + "=")]
    return named[0] if named else ""


def _begun(words: Sequence[str]) -> List[Tuple[str, Match[str]]]:
    """The words of a process that are our text for a shell, and how each begins."""
    found = [(word, _BEGUN.match(word)) for word in words]
    return [(word, begun) for word, begun in found if begun]


def _words(process: Process) -> List[str]:
    return _listed(process, "cmdline")


_MOST = 1 << 22


def _listed(process: Process, file: str) -> List[str]:
    try:
        return to_text(proctable.read_file("%s/%d/%s" % (proctable.PROC, process.pid, file), _MOST)).split("\0")
    except OSError:
        return []


_FILE = "f="


class Writer(NamedTuple):
    """A process that writes to a file. ``pane``: whose output that is, if it is one of ours, of one of ``servers``.

    ``limited``: whether it renames the file when that gets too large.
    """

    pid: int
    pane: str
    limited: bool
    servers: Tuple[int, ...]


def writers(uid: int, name: str, file: os.stat_result) -> List[Writer]:
    """The processes of a user whose output goes to a file that is called so."""
    table, _others = proctable.read_table([uid])
    found = []
    for process in table.values():
        if _output(process.pid) == name and _is_open(process.pid, file):
            words = _words(process)
            limited = any(word[begun.end() :].startswith(_FILE) for word, begun in _begun(words))
            found.append(Writer(process.pid, _pane_of(process, words), limited, _above(process, table)))
    return found


def _is_open(pid: int, file: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat("%s/%d/fd/1" % (proctable.PROC, pid)), file)
    except OSError:
        return False


def _above(process: Process, table: Mapping[int, Process]) -> Tuple[int, ...]:
    """The processes that a process comes from."""
    found: List[int] = []
    while process.ppid in table and process.ppid not in found:
        process = table[process.ppid]
        found.append(process.pid)
    return tuple(found)


def _simple(path: str) -> str:
    return "exec cat >>%s" % shlex.quote(path)


def _limited(path: str) -> str:
    return _FILE + "%s; m=" % shlex.quote(path)


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


def _text(path: str, size: Optional[int]) -> str:
    return _simple(path) if size is None else _limited(path) + _ROTATING % size


_LONGEST = 1900
"""Bytes of such a text. tmux before 3.0 has room for 2047, and takes a longer one for none."""


def fits(path: str) -> bool:
    """Whether every tmux can be told to write to a file."""
    doubled = _text(path, 10**15).replace("%", "%%").replace("#", "##")
    return len(encoded(_BEGINS + doubled)) <= _LONGEST


def start(place: str, path: str, version: Version, size: Optional[int] = None) -> Command:
    """Append what a pane prints from now on to a file that is there. It replaces what was done with it before.

    :param size: how many bytes the file gets before it takes the place of the older one, ``PATH.1``; None: no limit.
    """
    text = expanded_literal(_text(path, size).replace("%", "%%"), version)
    return ["pipe-pane", "-t", place, _BEGINS % "#{pane_id}" + text]


ACTIVE = "#{pane_id}"
"""The active pane of the current window of a session, for :func:`note`."""


def note(session: str, pane: str, path: str, size: Optional[int] = None) -> Command:
    """Have a session say where the output of a pane is written, besides what it says of others."""
    return ["set-option", "-a", "-F", "-t", session, OPTION, _entry(pane, path, size)]


def remember(session: str, known: Mapping[str, Pipe]) -> Command:
    """Have a session say this of its panes, and nothing else."""
    text = "".join(_entry(pane, pipe.log, pipe.size) for pane, pipe in known.items() if pipe.log)
    return ["set-option", "-t", session, OPTION, text]
