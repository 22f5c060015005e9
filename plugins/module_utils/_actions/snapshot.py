# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Saves what a session shows and holds before it is removed.

A snapshot is a directory ``<snapshot_dir>/<owner>/<time>-<name>/`` that only the owner may read. It is filled where the
owner cannot plant anything, and gets its name when it is complete: it is whole, or not there at all. The file
``restore`` in it is the room of that name, by which the owner brings the session back without us.
"""

import contextlib
import errno
import json
import os
import pkgutil
import re
import secrets
import stat
import time
from typing import Container, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions import restore
from ansible_collections.fleet.tmux.plugins.module_utils._actions.declaration import Json, declaration
from ansible_collections.fleet.tmux.plugins.module_utils._actions.restore import (
    DESCRIPTION,
    DESCRIPTION_BYTES,
    FORMAT,
    NAME_LIMIT,
    PANES_LIMIT,
    SCRIPT,
    TEXT_BYTES,
    can_be_run_again,
    is_place,
    problem_of,
    text_file,
)
from ansible_collections.fleet.tmux.plugins.module_utils._actions.saved import SnapshotError
from ansible_collections.fleet.tmux.plugins.module_utils._host.child import OUTPUT_LIMIT
from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import (
    Broom,
    Untrusted,
    entered,
    names_in,
    reached,
)
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown, to_text
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.details import (
    named_by_tmux,
    option_names,
    with_own_options,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    Command,
    Version,
    shell_command,
    variable_names,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Flood, TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.fields import number
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Pane, Session, Window
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.pipes import OPTION as LOG
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.pipes import logs

_SCRIPT_BYTES = pkgutil.get_data(restore.__name__.rpartition(".")[0], "restore.py") or b""

_INCOMING = ".incoming"
_STALE_SECONDS = 3600
_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-")
_NAME_CHARS = 60
_HEAD_BYTES = 64
_HEAD = re.compile(rb'\{\s*"format":\s*([0-9]{1,9})\s*[,}]')

_PART_OF_REST = 8
"""A snapshot may take this part of what its owner's may still take: none leaves nothing to those that follow."""
_LEAST_OF_PANE = 4096
_OPTIONS_BYTES = 65536
_ENVIRONMENT_BYTES = 262144
_VARIABLES = 1000
_OPTIONS = 1000
"""User options. A session with more of them is saved without its declaration."""
_TRIES = 6
"""How often the text of a pane is asked for, each time less of it."""
_ENTRIES_LIMIT = 20000
"""Entries in the directory of an owner, and of those in it that are removed in one run."""


class Retention(NamedTuple):
    """How many snapshots of one owner stay (None: all), for how many seconds (None: for ever), and how many bytes."""

    number: Optional[int] = None
    age: Optional[int] = None
    size: Optional[int] = None


class Bounds(NamedTuple):
    """Bytes that may be written in one run: for a snapshot, and for all of one owner."""

    snapshot: int = TEXT_BYTES
    owner: int = 1024 * 1024 * 1024


BOUNDS = Bounds()


class Snapshot(NamedTuple):
    """Where a session was saved, and in words what of it was not; nothing for all of it."""

    path: str
    left_out: str = ""


def _require_script() -> None:
    """Nothing is saved without the means to get it back.

    :raises SnapshotError: where whatever has brought us here has left out a file.
    """
    if not _SCRIPT_BYTES:
        raise SnapshotError("the script that restores a session is missing from this installation of the collection")


class Archive:
    """The directory of all snapshots of this host.

    No descriptor is held between two calls: each goes down the path anew, and judges every directory on it.
    """

    def __init__(self, path: str, colors: bool, retention: Retention, bounds: Bounds = BOUNDS) -> None:
        self._path = path
        self._colors = colors
        self._retention = retention
        most = bounds.owner if retention.size is None else min(bounds.owner, retention.size)
        self._bounds = bounds._replace(owner=most)
        self._written: Dict[int, int] = {}

    def prepare(self) -> None:
        """Make the directory if it is not there, and refuse one in which others could plant something.

        :raises SnapshotError: saying what is wrong with it.
        """
        _require_script()
        with self._refusing(), reached(self._path, {os.geteuid()}, alone=True, make=True) as top:
            with contextlib.suppress(FileExistsError):
                os.mkdir(_INCOMING, 0o700, dir_fd=top.handle)
            with _incoming(top.handle) as incoming:
                _clear(incoming)

    def require_usable(self) -> None:
        """Refuse what :meth:`prepare` would refuse, as far as that can be known without making anything.

        :raises SnapshotError: saying what is wrong with the directory.
        """
        _require_script()
        with self._refusing(), reached(self._path, {os.geteuid()}, alone=True) as there:
            if not os.access(".", os.W_OK | os.X_OK, dir_fd=there.handle):
                raise Untrusted(f"{there.path} cannot be written to")

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except Untrusted as problem:
            raise SnapshotError(f"snapshot_dir: {problem}")
        except OSError as error:
            raise SnapshotError(f"snapshot_dir: {self._path}: {error.strerror}")

    @contextlib.contextmanager
    def _places(self) -> Iterator[Tuple[int, int]]:
        """The directory, and the one in it where only we may enter.

        :raises SnapshotError: when they are not what they were when they were prepared.
        """
        with self._refusing(), reached(self._path, {os.geteuid()}, alone=True) as top:
            if top.missing:
                raise Untrusted(f"{self._path} is gone")
            with _incoming(top.handle) as incoming:
                yield top.handle, incoming

    def save(self, one: Seen, session: Session, owner: User, now: int) -> Snapshot:
        """Save one session.

        :raises SnapshotError: when it could not be saved; nothing of it is left then.
        """
        with self._places() as (top, incoming):
            draft = secrets.token_hex(8)
            try:
                os.mkdir(draft, 0o700, dir_fd=incoming)
                with entered(draft, incoming) as inside:
                    paper = self._paper(inside, owner, len(session.panes))
                    paper.fill(one, session, owner, now)
                    if os.geteuid() == 0:
                        os.fchown(inside, owner.uid, owner.gid)
                self._written[owner.uid] = self._written.get(owner.uid, 0) + paper.written
                path = self._publish(draft, session, owner, now, (top, incoming))
                return Snapshot(path, ", ".join(paper.left_out))
            except (OSError, TmuxError, Untrusted) as error:
                raise SnapshotError(_said(error))
            finally:
                Broom(incoming, _ENTRIES_LIMIT).sweep(draft)

    def _paper(self, inside: int, owner: User, panes: int) -> "_Paper":
        """What a snapshot is written on, with as much room as there is for it."""
        if panes > PANES_LIMIT:
            raise SnapshotError(f"it has more than {PANES_LIMIT} panes")
        rest = self._bounds.owner - self._written.get(owner.uid, 0)
        if rest <= 0:
            raise SnapshotError(f"snapshots of {self._bounds.owner} bytes were already made for {owner.name}")
        room = min(self._bounds.snapshot, max(rest // _PART_OF_REST, _LEAST_OF_PANE * panes))
        return _Paper(inside, owner, room, self._colors)

    def _publish(self, draft: str, session: Session, owner: User, now: int, places: Tuple[int, int]) -> str:
        top, incoming = places
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        plain = re.sub(r"[^A-Za-z0-9_-]", "_", session.name)[:_NAME_CHARS]
        name = f"{stamp}-{plain}-{secrets.token_hex(3)}"
        with self._folder(owner, top, incoming) as folder:
            # A rename follows nothing: it replaces a name in exactly this directory.
            os.rename(draft, name, src_dir_fd=incoming, dst_dir_fd=folder)
            try:
                os.fsync(folder)
            except OSError:
                Broom(incoming, _ENTRIES_LIMIT).take(name, folder)
                raise
        return os.path.join(self._path, _owner_name(owner), name)

    @contextlib.contextmanager
    def _folder(self, owner: User, top: int, incoming: int) -> Iterator[int]:
        """The directory of an owner, which is made where there is none.

        :raises Untrusted: when something else is there.
        """
        name = _owner_name(owner)
        if not _is_there(name, top):
            # It gets its name when it has its owner, or a run that is killed in between would spoil it for ever.
            draft = secrets.token_hex(8)
            os.mkdir(draft, 0o700, dir_fd=incoming)
            if os.geteuid() == 0:
                os.chown(draft, owner.uid, owner.gid, dir_fd=incoming, follow_symlinks=False)
            try:
                os.rename(draft, name, src_dir_fd=incoming, dst_dir_fd=top)
            except OSError:
                os.rmdir(draft, dir_fd=incoming)  # Another run was faster; what is there now is looked at below.
        with self._entered(owner, top) as folder:
            yield folder

    @contextlib.contextmanager
    def _entered(self, owner: User, top: int) -> Iterator[int]:
        name = _owner_name(owner)
        refusal = Untrusted(f"{os.path.join(self._path, name)} is no directory of {owner.name}")
        with contextlib.ExitStack() as stack:
            try:
                folder = stack.enter_context(entered(name, top))
            except OSError as error:
                raise refusal if error.errno in (errno.ENOTDIR, errno.ELOOP) else error
            if os.fstat(folder).st_uid != (owner.uid if os.geteuid() == 0 else os.geteuid()):
                raise refusal
            yield folder

    def tidy(self, owner: User, now: int, new: Container[Optional[str]] = ()) -> int:
        """Remove the owner's snapshots beyond what is to be kept, but none of the ``new`` ones; how many.

        What is no snapshot, or one of another version of this collection, is left alone and does not count.

        :raises SnapshotError: when that could not be done.
        """
        if self._retention == Retention():
            return 0
        place = os.path.join(self._path, _owner_name(owner))
        with self._places() as (top, incoming):
            try:
                with self._entered(owner, top) as folder:
                    surplus = [name for name in self._surplus(folder, now) if os.path.join(place, name) not in new]
                    return _removed(surplus, folder, Broom(incoming, _ENTRIES_LIMIT))
            except (OSError, Untrusted) as error:
                raise SnapshotError(f"old snapshots in {place} were not removed: {_said(error)}")

    def _surplus(self, folder: int, now: int) -> List[str]:
        names = _snapshots_in(folder)
        surplus = [] if self._retention.number is None else names[self._retention.number :]
        if self._retention.age is not None:
            limit = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now - self._retention.age))
            surplus = sorted(set(surplus) | {name for name in names if name[: len(limit)] < limit})
        if self._retention.size is not None:
            stay = [name for name in names if name not in set(surplus)]
            surplus += _beyond(stay, folder, self._retention.size)
        return surplus

    def discard(self, path: str) -> None:
        """Remove a snapshot of a session that lives on after all."""
        folder, name = os.path.split(path)
        try:
            with self._places() as places:
                top, incoming = places
                with entered(os.path.basename(folder), top) as inside:
                    Broom(incoming, _ENTRIES_LIMIT).take(name, inside)
        except (OSError, SnapshotError):
            pass  # It stays as one more snapshot; the session lives, which is what counts.


class _Paper:
    """The draft of a snapshot, and how much may still be written in it."""

    def __init__(self, folder: int, owner: User, room: int, colors: bool) -> None:
        self._folder = folder
        self._owner = owner
        self._room = room
        self._colors = colors
        self.written = 0
        self._lines = 0
        self._cut: List[str] = []

    @property
    def left_out(self) -> List[str]:
        lines = [f"the oldest {self._lines} lines"] if self._lines else []
        return lines + self._cut

    def fill(self, one: Seen, session: Session, owner: User, now: int) -> None:
        described = _description(one, session, owner, now, self._cut)
        panes = sorted({pane.id for pane in session.panes})
        texts = [(pane, more) for pane in panes for more in ([[], ["-e"]] if self._colors else [[]])]
        for done, (pane, more) in enumerate(texts):
            # What one pane does not need is for the others.
            text, missing = _captured(one.client, pane, (self._room - self.written) // (len(texts) - done), more)
            if not more:
                self._lines += missing
                text = _SPACES_AT_END.sub(b"", text)
            # Below the last line of a screen there are empty ones, which would push it out of sight when it is back.
            self._write(_color_file(pane) if more else text_file(pane), text.rstrip(b"\n") + b"\n")
        self._write(DESCRIPTION, self._told(described).encode("ascii"))
        self._write(SCRIPT, _SCRIPT_BYTES, 0o700)

    def _told(self, described: Json) -> str:
        for part in (described, dict(described, declaration=None)):
            if part is not described:
                self._cut.append("its declaration")
            told = json.dumps(dict(part, left_out=self.left_out), indent=2, ensure_ascii=True) + "\n"
            if len(told) <= DESCRIPTION_BYTES:
                return told
        raise SnapshotError(f"to describe it would take more than {DESCRIPTION_BYTES} bytes")

    def _write(self, name: str, data: bytes, mode: int = 0o600) -> None:
        self.written += len(data)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(name, flags, mode, dir_fd=self._folder)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            if os.geteuid() == 0:
                os.fchown(handle, self._owner.uid, self._owner.gid)
            os.fsync(handle)


# --- the places -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _incoming(top: int) -> Iterator[int]:
    """Where only we may enter.

    :raises Untrusted: when others could have put something there.
    """
    with entered(_INCOMING, top) as handle:
        found = os.fstat(handle)
        if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise Untrusted(f"the directory {_INCOMING} in it is not ours alone")
        yield handle


def _clear(incoming: int) -> None:
    """Remove what a run that was killed has left half done; a run of another controller may still be at work."""
    broom = Broom(incoming, _ENTRIES_LIMIT)
    for name in names_in(incoming, _ENTRIES_LIMIT):
        with contextlib.suppress(OSError):  # That other run has just finished it.
            age = time.time() - os.stat(name, dir_fd=incoming, follow_symlinks=False).st_mtime
            if name.startswith(Broom.GONE) or age > _STALE_SECONDS:
                broom.sweep(name)


def _is_there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _removed(names: Sequence[str], folder: int, broom: Broom) -> int:
    """Remove as many of these as one broom can; how many."""
    done = 0
    for name in names:
        if broom.left <= 0:
            raise Untrusted(f"{len(names) - done} are left for the next run: there is too much in them")
        with contextlib.suppress(FileNotFoundError):  # Its owner, or another run, was faster.
            broom.take(name, folder)
            done += 1
    return done


def _snapshots_in(folder: int) -> List[str]:
    """The names of the snapshots of our format in the directory of an owner, the newest first.

    :raises Untrusted: when more lies there than is looked at.
    """
    names = names_in(folder, _ENTRIES_LIMIT + 1)
    if len(names) > _ENTRIES_LIMIT:
        raise Untrusted(f"more than {_ENTRIES_LIMIT} files and directories lie there")
    return [name for name in sorted(filter(_NAME.match, names), reverse=True) if _format_of(name, folder) == FORMAT]


def _beyond(names: Sequence[str], folder: int, size: int) -> List[str]:
    """Of these snapshots, the newest first, those that come after so many bytes."""
    left = size
    entries = _ENTRIES_LIMIT
    for place, name in enumerate(names):
        sizes = _sizes_in(name, folder, entries)
        left -= sum(sizes)
        entries -= len(sizes)
        if left < 0 or entries <= 0:
            return list(names[place:])
    return []


def _sizes_in(name: str, folder: int, most: int) -> List[int]:
    """The bytes of each file of a snapshot; what its owner has put there besides counts too."""
    sizes = []
    with contextlib.suppress(OSError), entered(name, folder) as inside:
        for each in names_in(inside, most):
            with contextlib.suppress(OSError):
                sizes.append(os.stat(each, dir_fd=inside, follow_symlinks=False).st_size)
    return sizes


def _format_of(name: str, folder: int) -> Optional[int]:
    """The format of the snapshot ``name``; None when it is none. What lies there is its owner's, who may be hostile."""
    try:
        with entered(name, folder) as inside:
            found = _HEAD.match(_head_of(DESCRIPTION, inside))
    except OSError:
        return None
    return int(found.group(1)) if found else None


def _head_of(name: str, folder: int) -> bytes:
    """The first bytes of a file. No link is followed, and a pipe is not waited for."""
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        return os.read(handle, _HEAD_BYTES) if stat.S_ISREG(os.fstat(handle).st_mode) else b""
    finally:
        os.close(handle)


# --- what is saved ----------------------------------------------------------------------------------------------------


def _said(error: Exception) -> str:
    return error.message if isinstance(error, TmuxError) else str(getattr(error, "strerror", None) or error)


def _owner_name(owner: User) -> str:
    return re.sub(r"[^A-Za-z0-9_.@+-]", "_", owner.name).lstrip(".") or str(owner.uid)


def _color_file(pane: str) -> str:
    return f"pane-{pane[1:]}.ansi"


_SPACES_AT_END = re.compile(rb"(?<! ) +(?=\n|\Z)")


def _start(lines: Optional[int]) -> str:
    """Where a capture begins: at the first line of the history (None), or so many lines above the screen."""
    if lines is None:
        return "-"
    return f"-{lines}" if lines else "0"


def _captured(client: Client, pane: str, room: int, more: Sequence[str]) -> Tuple[bytes, int]:
    """The history and screen of a pane, or as much of the end as there is room for; how many lines are missing.

    :raises SnapshotError: when even what is to be seen is more than anybody reads.
    """
    limit = min(OUTPUT_LIMIT, 2 * room + 65536)  # Spaces at the ends of lines are not written.
    lines: Optional[int] = None
    for _try in range(_TRIES):
        try:
            text = client.call([["capture-pane", "-p", "-J", "-S", _start(lines), "-t", pane, *more]], limit=limit)
        except Flood as flood:
            # The oldest lines were printed; so long are the others too, if they are no longer.
            came = flood.stdout.count("\n")
            lines = came * 3 // 4 if lines is None else min(came * 3 // 4, lines // 4)
            continue
        text, cut = _newest(text, room)
        return text, cut + (0 if lines is None else max(0, _history_of(client, pane) - lines))
    raise SnapshotError(f"pane {pane} shows more than is saved of one")


def _newest(text: bytes, room: int) -> Tuple[bytes, int]:
    """The last lines of a text that there is room for, and how many there are before them."""
    text = text if len(text) <= room else _SPACES_AT_END.sub(b"", text)
    if len(text) <= room:
        return text, 0
    start = text.find(b"\n", len(text) - room) + 1 if room > 0 else len(text)
    return (text[start:], text.count(b"\n", 0, start)) if start else (text[len(text) - room :], 1)


def _history_of(client: Client, pane: str) -> int:
    """How many lines of a pane are not to be seen; 0 if that is not known."""
    try:
        return number(to_text(client.call([["display-message", "-p", "-t", pane, "#{history_size}"]])).strip())
    except (TmuxError, ValueError):
        return 0


def _description(one: Seen, session: Session, owner: User, now: int, cut: List[str]) -> Json:
    options, whole = _said_within(one.client, ["show-options", "-t", session.id], _OPTIONS_BYTES)
    if not whole:
        cut.append(f"options beyond {_OPTIONS_BYTES} bytes")
    return {
        "format": FORMAT,
        "name": shown(session.name),
        "owner": shown(owner.name),
        "saved": now,
        "created": session.created,
        "options": shown(options, True),
        "environment": _variables_of(one.client, session, cut),
        "windows": [_window(window, one.listing.version) for window in session.windows],
        "declaration": _declaration(one, session, option_names(options)) if whole else None,
    }


def _declaration(one: Seen, session: Session, names: Sequence[str]) -> Optional[Json]:
    """The session as options of tmux_session, with the values too: its owner alone reads it."""
    if len(names) > _OPTIONS:
        return None
    (asked,) = with_own_options(one._replace(listing=one.listing._replace(sessions=(session,))), names).listing.sessions
    automatic = [window for window, is_so in named_by_tmux(one.client, session.id).items() if is_so]
    options = asked.options if names else {}
    if options is None:
        return None
    where = (one.server.pid, one.server.user.uid)
    logged = logs(one.client, *where, session.panes) if LOG in names else {}
    return declaration(session, options, automatic, one.listing.version, logged)


def _variables_of(client: Client, session: Session, cut: List[str]) -> List[str]:
    printed, whole = _said_within(client, ["show-environment", "-s", "-t", session.id], _ENVIRONMENT_BYTES)
    names = variable_names(printed, whole)
    if not whole or len(names) > _VARIABLES:
        cut.append(f"variables beyond {_ENVIRONMENT_BYTES} bytes or {_VARIABLES} names")
    return [name[:NAME_LIMIT] for name in names[:_VARIABLES]]


def _said_within(client: Client, command: Command, limit: int) -> Tuple[str, bool]:
    """What a command prints, as far as it is read, and whether that is all."""
    try:
        return to_text(client.call([command], limit=limit)), True
    except Flood as flood:
        return flood.stdout[:limit], False


def _window(window: Window, version: Version) -> Json:
    return {
        "index": window.number,
        "name": shown(window.name)[:NAME_LIMIT],
        "active": window.active,
        "layout": window.layout if _is_layout(window) else "",
        "width": window.width,
        "height": window.height,
        "panes": [_pane(pane, version) for pane in window.panes],
    }


def _is_layout(window: Window) -> bool:
    """Whether it can be given to a tmux again. 2.7 writes some that it would not take, and 3.7 has panes that float."""
    return problem_of(window.layout, len(window.panes)) is None


def _pane(pane: Pane, version: Version) -> Json:
    command = shell_command(pane.start_command, version)
    return {
        "index": pane.number,
        "active": pane.active,
        "path": pane.path if is_place(pane.path) else "",
        "command": shown(pane.command)[:NAME_LIMIT],
        "start_command": command if can_be_run_again(command) else "",
        "title": shown(pane.title)[:NAME_LIMIT],
        "dead": pane.dead,
        "exit_status": pane.status,
        "exit_signal": shown(pane.signal)[:NAME_LIMIT],
        "text": text_file(pane.id),
    }
