#!/bin/sh
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

""":"
for python in python3 /usr/libexec/platform-python /usr/bin/python3 /usr/local/bin/python3; do
    if command -v "$python" >/dev/null 2>&1; then
        exec "$python" -I "$0" "$@"
    fi
done
echo "restore: there is no python3 here, which it needs" >&2
exit 1

Brings back the tmux session that was saved in the directory where this file lies: windows, layouts, directories, and
the text that its panes showed. Nothing that ran in them is started again.

This file is the same in every snapshot. It needs tmux and Python 3.6 or newer, neither Ansible nor the collection
fleet.tmux, which has saved the session; and the collection reads snapshots with this file, too.

A snapshot lies in a directory of its owner, and tells what programs have put on the screen, or called themselves. So it
is data: every value has a type and an end, what is not one of ours is refused as a whole, and nothing of it is expanded
or run. Keys that are not known are ignored, wherever they stand. Only whose snapshot it is may restore it.
"""

import argparse
import json
import os
import re
import secrets
import stat
import subprocess
import sys
import tempfile
import unicodedata
from typing import Any, Dict, List, NamedTuple, NoReturn, Optional, Sequence, Tuple

FORMAT = 1
"""The version of what session.json holds. It stands first in the file, in every version."""
DESCRIPTION = "session.json"
SCRIPT = "restore"
"""The name of this file in a snapshot."""

DESCRIPTION_BYTES = 4 * 1024 * 1024
TEXT_BYTES = 16 * 1024 * 1024
PANES_LIMIT = 500
"""Panes in all windows of a session that is saved or restored."""
NAME_LIMIT = 1024
PATH_LIMIT = 4096
COMMAND_LIMIT = 16384
_INDEX_LIMIT = 2**31 - 1
_TEXT_FILE = re.compile(r"pane-[0-9]{1,15}\.txt\Z")

SIZE_LIMIT = 10000
"""Columns or rows of a window. Every tmux since 2.7 takes that many, and lives."""
DEPTH_LIMIT = 64
"""How deep panes may be nested: tmux goes down by calling itself, on a stack that ends."""
LENGTH_LIMIT = 65536

_CELL = re.compile(r"([0-9]{1,5})x([0-9]{1,5}),([0-9]{1,5}),([0-9]{1,5})")
_PANE = re.compile(r",[0-9]{1,10}")
_ENDS = {"{": "}", "[": "]"}


# --- what a snapshot may say ------------------------------------------------------------------------------------------


class SavedPane(NamedTuple):
    """A pane as it was saved. ``text``: the path of what it showed. ``program``: what ran in it at last."""

    active: bool
    path: str
    start_command: str
    text: str
    program: str = ""


class SavedWindow(NamedTuple):
    """A window as it was saved. Without a ``layout``, its panes are tiled."""

    number: int
    name: str
    active: bool
    layout: str
    width: int
    height: int
    panes: Tuple[SavedPane, ...]


class SavedSession(NamedTuple):
    """A session as it was saved. ``name``: empty if it is not known."""

    name: str
    windows: Tuple[SavedWindow, ...]


def way_back(path: str) -> str:
    """What the owner of the snapshot at ``path`` types to get it back."""
    return "sh " + _quoted(os.path.join(path, SCRIPT))


def text_file(pane: str) -> str:
    return "pane-%s.txt" % pane[1:]


def can_be_run_again(start_command: str) -> bool:
    return _is_plain(_in_a_line(start_command)) and len(start_command) <= COMMAND_LIMIT


def is_place(path: str) -> bool:
    """Whether a session may begin there, as far as that can be told by the path."""
    return path.startswith("/") and _is_plain(path) and len(path) <= PATH_LIMIT


def _is_plain(text: str) -> bool:
    """Whether nothing in it moves a cursor, turns the direction round, or hides.

    Characters that this Python does not know may: a newer one has perhaps written them.
    """
    return text.isprintable() or all(char.isprintable() or unicodedata.category(char) == "Cn" for char in text)


def described(data: bytes, path: str) -> SavedSession:
    """What the description in the snapshot at ``path`` says.

    :raises ValueError: (or another of ``NO_SNAPSHOT``) when it is none, or says more or something else than one can.
    """
    found = json.loads(data.decode("utf-8"), parse_int=_number, parse_float=_refused, parse_constant=_refused)
    if _whole(found["format"], 0, _INDEX_LIMIT) != FORMAT:
        raise OtherFormat("it has another format than %d" % FORMAT)
    listed = _list(found["windows"])
    if sum(len(_list(window["panes"])) for window in listed) > PANES_LIMIT:
        raise ValueError("more than %d panes" % PANES_LIMIT)
    windows = tuple(_window(window, path) for window in listed)
    if len({window.number for window in windows}) != len(windows):
        raise ValueError("two windows have the same index")
    return SavedSession(_text(found.get("name", ""), COMMAND_LIMIT), windows)


NO_SNAPSHOT = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading something else than a snapshot ends with."""


class OtherFormat(ValueError):
    """A snapshot of another version of the collection."""


def _window(found: Dict[str, Any], path: str) -> SavedWindow:
    panes = tuple(_pane(pane, path) for pane in _list(found["panes"]))
    layout = _text(found["layout"], LENGTH_LIMIT)
    problem = problem_of(layout, len(panes)) if layout else None
    if problem is not None:
        raise ValueError("a layout that is none: %s" % problem)
    return SavedWindow(
        number=_whole(found["index"], 0, _INDEX_LIMIT),
        name=_text(found["name"], NAME_LIMIT),
        active=_flag(found["active"]),
        layout=layout,
        width=_whole(found["width"], 1, SIZE_LIMIT),
        height=_whole(found["height"], 1, SIZE_LIMIT),
        panes=panes,
    )


def _pane(found: Dict[str, Any], path: str) -> SavedPane:
    name = _text(found["text"], NAME_LIMIT)
    if not _TEXT_FILE.match(name):
        raise ValueError("%r is no file of a snapshot" % name)
    place = _text(found["path"], PATH_LIMIT)
    if place and not is_place(place):
        raise ValueError("%r is no path of a directory" % place)
    return SavedPane(
        active=_flag(found["active"]),
        path=place,
        start_command=_command(found["start_command"]),
        text=os.path.join(path, name),
        program=_text(found.get("command", ""), NAME_LIMIT),
    )


def _number(written: str) -> int:
    """Short ones only: to read a number takes a time that grows with the square of its length."""
    if len(written) > 15:
        raise ValueError("a number of more than 15 characters")
    return int(written)


def _refused(written: str) -> NoReturn:
    raise ValueError("%r is no number of a snapshot" % written[:15])


def _list(value: Any) -> List[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError("a list that is none, or empty")
    return value


def _whole(value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a %s where a number should be" % type(value).__name__)
    if not least <= value <= most:
        raise ValueError("%d is not between %d and %d" % (value, least, most))
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("a %s where true or false should be" % type(value).__name__)
    return value


def _command(value: Any) -> str:
    if not isinstance(value, str) or not can_be_run_again(value):
        raise ValueError("a command that is none, has control characters, or is too long")
    return value


def _in_a_line(text: str) -> str:
    """A text without what may divide it into lines and columns."""
    return text.replace("\n", "").replace("\t", "")


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str) or len(value) > most or not _is_plain(value):
        raise ValueError("a text that is none, has control characters, or is too long")
    return value


# --- how panes lie ----------------------------------------------------------------------------------------------------
#
# tmux hardly judges what ``select-layout`` is given: 3.3a ends with all sessions at the first word that is no layout,
# and every version at some size. So nothing is given to a server but what is found here to be as tmux itself writes it.


class Cell(NamedTuple):
    """A place in a window: its columns and rows, and where it begins."""

    width: int
    height: int
    left: int
    top: int


class Group(NamedTuple):
    """Cells side by side (``{``) or one above the other (``[``), with a line between each two. They fill ``whole``."""

    whole: Cell
    mark: str
    parts: List[Cell]


def checksum(cells: str) -> str:
    """What tmux writes before the cells."""
    total = 0
    for char in cells:
        total = ((total >> 1) + ((total & 1) << 15) + ord(char)) & 0xFFFF
    return "%04x" % total


def problem_of(layout: str, panes: int) -> Optional[str]:
    """Why a layout is none that tmux writes for a window with so many panes; None if it is one.

    It need not have the size of its window: a layout that was chosen for another size stays until that changes.
    """
    if len(layout) > LENGTH_LIMIT:
        return f"it is longer than {LENGTH_LIMIT} characters"
    if layout[:5] != checksum(layout[5:]) + ",":
        return "its checksum is wrong"
    reader = _Reader(layout[5:])
    try:
        reader.read()
    except ValueError as problem:
        return str(problem)
    return None if reader.panes == panes else f"it is for {reader.panes} panes, not for {panes}"


class _Reader:
    """Goes through the cells from left to right, without calling itself: who wrote them decides how deep they are."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open: List[Group] = []
        self.panes = 0

    def read(self) -> Cell:
        """The outermost cell.

        :raises ValueError: saying what is wrong.
        """
        while True:
            cell = self._cell()
            if self._next() in _ENDS:
                self._begin(cell)
                continue
            self._pane()
            whole = self._close(cell)
            if whole is not None:
                return whole

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _cell(self) -> Cell:
        found = _CELL.match(self._text, self._at)
        if found is None:
            raise ValueError(f"there is no cell at character {self._at}")
        self._at = found.end()
        cell = Cell(*(int(number) for number in found.groups()))
        if not (1 <= cell.width <= SIZE_LIMIT and 1 <= cell.height <= SIZE_LIMIT):
            raise ValueError(f"a cell has {cell.width} columns and {cell.height} rows, not 1 to {SIZE_LIMIT}")
        return cell

    def _begin(self, cell: Cell) -> None:
        if len(self._open) >= DEPTH_LIMIT:
            raise ValueError(f"its cells are nested more than {DEPTH_LIMIT} deep")
        self._open.append(Group(cell, self._next(), []))
        self._at += 1

    def _pane(self) -> None:
        found = _PANE.match(self._text, self._at)
        if found is None:
            raise ValueError(f"there is no pane at character {self._at}")
        self._at = found.end()
        self.panes += 1

    def _close(self, cell: Cell) -> Optional[Cell]:
        """Put a whole cell where it belongs, and so on upwards; the outermost one if that is whole now."""
        while self._open:
            group = self._open[-1]
            group.parts.append(cell)
            after = self._next()
            self._at += 1
            if after == ",":
                return None
            if after != _ENDS[group.mark]:
                raise ValueError(f"there is no end of a cell at character {self._at - 1}")
            _require_filled(group)
            cell = self._open.pop().whole
        if self._at != len(self._text):
            raise ValueError(f"there is more after its end, at character {self._at}")
        return cell


def _require_filled(group: Group) -> None:
    """:raises ValueError: unless the parts lie one after the other and fill the whole exactly."""
    whole, beside = group.whole, group.mark == "{"
    left, top = whole.left, whole.top
    for part in group.parts:
        across = (part.height, part.left, part.top) if beside else (part.width, part.left, part.top)
        if across != (whole.height if beside else whole.width, left, top):
            raise ValueError("a cell is not where it should be")
        left, top = (left + part.width + 1, top) if beside else (left, top + part.height + 1)
    ends = (left - 1, top) if beside else (left, top - 1)
    expected = (whole.left + whole.width, whole.top) if beside else (whole.left, whole.top + whole.height)
    if ends != expected or len(group.parts) < 2:
        raise ValueError("cells do not fill the one that they are in")


# --- whose it is ------------------------------------------------------------------------------------------------------


class Refused(Exception):
    """Why nothing was restored."""


_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def _read(folder: str) -> SavedSession:
    """The session in this directory of ours.

    :raises Refused: when it is somebody else's, others could have changed it, or it is no snapshot.
    """
    _require_own(folder)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        session = described(_own_file(DESCRIPTION, handle, DESCRIPTION_BYTES), folder)
        for pane in [pane for window in session.windows for pane in window.panes]:
            _require_text(os.path.basename(pane.text), handle)
        return session
    except NO_SNAPSHOT as error:
        raise Refused("%s is no snapshot: %s" % (os.path.join(folder, DESCRIPTION), error))
    finally:
        os.close(handle)


def _require_own(folder: str) -> None:
    """Only its owner may restore it, and only where nobody else but root could exchange anything."""
    me = os.getuid()
    owner = os.lstat(folder).st_uid
    if not me == os.geteuid() == owner:
        raise Refused(
            "this snapshot belongs to uid %d, who alone may restore it; you are uid %d" % (owner, os.geteuid())
        )
    place = folder
    while True:
        found = os.lstat(place)
        if found.st_uid not in (0, me):
            raise Refused("%s belongs to uid %d, who could exchange what is in it" % (place, found.st_uid))
        # In /tmp, anybody may create something, but not exchange what is another's.
        if found.st_mode & _OTHERS_MAY_WRITE and (place == folder or not found.st_mode & stat.S_ISVTX):
            raise Refused("%s may be written by others (chmod go-w would help)" % place)
        if place == "/":
            return
        place = os.path.dirname(place)


def _own_file(name: str, folder: int, limit: int) -> bytes:
    """What is in a file of ours. No link is followed, and a pipe is not waited for."""
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(handle, "rb") as stream:
        _require_own_file(name, os.fstat(handle), limit)
        return stream.read(limit)


def _require_text(name: str, folder: int) -> None:
    """What a pane is to show: whoever has deleted it sees that it is not there."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    _require_own_file(name, found, TEXT_BYTES)


def _require_own_file(name: str, found: os.stat_result, limit: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise Refused("%s is no regular file" % name)
    if found.st_uid != os.getuid():
        raise Refused("%s belongs to uid %d" % (name, found.st_uid))
    if found.st_mode & _OTHERS_MAY_WRITE:
        raise Refused("%s may be written by others (chmod go-w would help)" % name)
    if found.st_size > limit:
        raise Refused("%s is longer than %d bytes" % (name, limit))


# --- bringing it back -------------------------------------------------------------------------------------------------

_SECONDS = 60
_NAMES = 20
_SHOW = 'cat -- "$0"; exec "${SHELL:-/bin/sh}"'
_SHELLS = re.compile(r"-?(sh|bash|dash|ash|zsh|fish|ksh|mksh|csh|tcsh|)\Z")
_SIMPLE_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")
_ASKED = "#{session_id} #{window_index} #{window_name} ##["
_ANSWERED = re.compile(r"(\$[0-9]{1,10}) ([0-9]{1,10}) (##?) (##?)\[\Z")
_PROGRAMS_TOLD = 20


class Tmux:
    """The server that ``which`` names, as options of tmux do; without, the one that he is in, else his default one."""

    def __init__(self, which: Sequence[str]) -> None:
        self.which = list(which)

    def __call__(self, *words: str) -> str:
        """What a command prints.

        :raises Refused: when tmux is not there, does not answer, or says that something went wrong.
        """
        status, out, said = self._run(words)
        if status or said:
            raise Refused("tmux %s: %s" % (words[0], said or "exit status %d" % status))
        return out

    def tried(self, *words: str) -> str:
        """What a command prints whose end tells nothing."""
        return self._run(words)[1]

    def _run(self, words: Sequence[str]) -> Tuple[int, str, str]:
        # No pipes: a server may keep the end of one that its client was given.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
            try:
                status = subprocess.call(  # pylint: disable=ansible-bad-function
                    [_bytes(word) for word in ["tmux", "-u", *self.which, *map(_argument, words)]],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=said,
                    timeout=_SECONDS,
                )
            except OSError as error:
                raise Refused("tmux cannot be run: %s" % os.strerror(error.errno or 0))
            except subprocess.TimeoutExpired:
                raise Refused("tmux %s: no answer within %d seconds" % (words[0], _SECONDS))
            return status, _printed(out), _printed(said)


def _printed(stream: Any) -> str:
    stream.seek(0)
    return str(stream.read(65536).decode("utf-8", "replace").strip())


def _bytes(word: str) -> bytes:
    """In UTF-8, whatever the locale is, as tmux has written it."""
    return word.encode("utf-8", "surrogateescape")


def _argument(word: str) -> str:
    """A ``;`` at the end of any word would end the command there."""
    return word[:-1] + "\\;" if word.endswith(";") else word


class Dialect(NamedTuple):
    """How this tmux reads a text that it expands, found out by asking it: versions differ in two things."""

    names_expanded: bool
    bracket_stays: bool

    def literal(self, text: str) -> str:
        """``text`` for a place that is expanded, so that the expansion gives ``text`` again."""
        return re.sub(r"#+(?!#*\[)" if self.bracket_stays else "#+", lambda found: found.group(0) * 2, text)

    def window_name(self, name: str) -> str:
        return self.literal(name) if self.names_expanded else name


class Restored(NamedTuple):
    """A session that is being made, under a name that nobody else has."""

    id: str
    draft: str
    first: str
    dialect: Dialect


def restore(tmux: Tmux, session: SavedSession, name: str) -> Tuple[str, str]:
    """Make the session whole, or leave nothing of it; its id and name."""
    made = _begun(tmux, session.windows[0])
    try:
        for window in session.windows:
            _fill(tmux, made, window)
        if made.first not in [str(window.number) for window in session.windows]:
            tmux("kill-window", "-t", "%s:%s" % (made.id, made.first))
        active = next((window for window in session.windows if window.active), session.windows[0])
        tmux("select-window", "-t", "%s:%d" % (made.id, active.number))
    except BaseException:
        tmux.tried("kill-session", "-t", "=" + made.draft)
        raise
    return made.id, _named(tmux, made, name)


def _begun(tmux: Tmux, window: SavedWindow) -> Restored:
    if tmux.tried("show-options", "-gwqv", "window-size") == "manual":
        # From 3.3 to 3.6, tmux ends at the next command, and all sessions with it.
        raise Refused("window-size is manual, with which tmux may end; type: tmux set -gw window-size latest")
    draft = "restored-" + secrets.token_hex(4)
    size = ["-x", str(window.width), "-y", str(window.height)]
    said = tmux(
        *("new-session", "-d", "-P", "-F", _ASKED, "-s", draft, "-n", "##", *size, "--", "sleep", str(10 * _SECONDS))
    )
    found = _ANSWERED.match(said)
    if not found:
        tmux.tried("kill-session", "-t", "=" + draft)
        raise Refused("this tmux does not say what it has made")
    return Restored(found.group(1), draft, found.group(2), Dialect(found.group(3) == "#", found.group(4) == "##"))


def _fill(tmux: Tmux, made: Restored, window: SavedWindow) -> None:
    place = "%s:%d" % (made.id, window.number)
    new = ["new-window", *(["-k"] if str(window.number) == made.first else []), "-t", place]
    new += ["-n", made.dialect.window_name(window.name)]
    for pane in window.panes:
        where = ["-c", made.dialect.literal(_directory(pane.path)), "--", "/bin/sh", "-c", _SHOW, pane.text]
        tmux(*new, *where)
        new = ["split-window", "-t", place]
        # Room for the next pane: tmux refuses to split one that is too small.
        tmux("select-layout", "-t", place, "tiled")
    if window.layout:
        tmux("select-layout", "-t", place, window.layout)
    active = next((number for number, pane in enumerate(window.panes) if pane.active), 0)
    for _step in range((active + 1) % len(window.panes)):
        tmux("select-pane", "-t", place + ".+")


def _directory(path: str) -> str:
    """Where a pane begins: where it was, or, where that is no directory any more, at home."""
    usable = bool(path) and os.path.isdir(_bytes(path)) and os.access(_bytes(path), os.X_OK)
    return path if usable else os.path.expanduser("~")


def _named(tmux: Tmux, made: Restored, name: str) -> str:
    """Give the session its name, or, if there is another one of that, the next that is free; the name that it has."""
    for number in range(1, _NAMES if name else 1):
        wanted = name if number == 1 else "%s-%d" % (name, number)
        # tmux 2.7 says that it has failed when it has done it.
        tmux.tried("rename-session", "-t", made.id, "--", made.dialect.literal(wanted))
        if tmux.tried("display-message", "-p", "-t", made.id, "#{session_name}") not in ("", made.draft):
            return wanted
    return made.draft


# --- what is told -----------------------------------------------------------------------------------------------------


def _told(session: SavedSession, identity: str, name: str, tmux: Tmux) -> List[str]:
    panes = [
        ("%d.%d" % (window.number, place), pane.program)
        for window in session.windows
        for place, pane in enumerate(window.panes)
    ]
    lines = ["Restored session %s: %s, %s." % (name, _counted(session.windows, "window"), _counted(panes, "pane"))]
    ran = ["  %s  %s" % (place, program[:60]) for place, program in panes if not _SHELLS.match(program)]
    if ran:
        lines += ["Not started again (window.pane, program):", *ran[:_PROGRAMS_TOLD]]
        lines += ["  and %d more" % (len(ran) - _PROGRAMS_TOLD)] if len(ran) > _PROGRAMS_TOLD else []
    words = "switch-client" if os.environ.get("TMUX") and not tmux.which else "attach-session"
    target = name if _SIMPLE_NAME.match(name) else identity
    which = "".join(" " + _quoted(word) for word in tmux.which)
    return [*lines, "To go on there:  tmux%s %s -t %s" % (which, words, _quoted(target))]


def _counted(things: Sequence[Any], what: str) -> str:
    return "%d %s" % (len(things), what if len(things) == 1 else what + "s")


def _quoted(word: str) -> str:
    return word if re.match(r"[A-Za-z0-9_/.-]+\Z", word) else "'%s'" % word.replace("'", "'\\''")


def _say(stream: Any, text: str) -> None:
    """In a terminal, nothing that others have chosen does more than be seen."""
    harmless = "".join(char if char in "\n" or _is_plain(char) else "?" for char in text)
    stream.buffer.write((harmless + "\n").encode(stream.encoding or "ascii", "backslashreplace"))
    stream.flush()


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="restore",
        description="Brings back the tmux session that was saved here: windows, layouts, directories and text. Nothing "
        "that ran in it is started again.",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("-L", dest="named", metavar="NAME", help="the tmux server with this socket name, as tmux -L")
    where.add_argument("-S", dest="path", metavar="PATH", help="the tmux server at this socket path, as tmux -S")
    parser.add_argument("-s", dest="name", metavar="NAME", help="name of the session; else the one that it had")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    given = _options(words)
    tmux = Tmux(["-L", given.named] if given.named else ["-S", given.path] if given.path else [])
    try:
        session = _read(os.path.dirname(os.path.realpath(__file__)))
        identity, name = restore(tmux, session, given.name or session.name)
    except (Refused, OSError) as problem:
        _say(sys.stderr, "restore: %s\nNothing was restored." % problem)
        return 1
    except KeyboardInterrupt:
        _say(sys.stderr, "restore: broken off\nNothing was restored.")
        return 130
    _say(sys.stdout, "\n".join(_told(session, identity, name, tmux)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
