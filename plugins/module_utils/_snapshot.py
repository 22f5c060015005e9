# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Saves what a session shows and holds before it is removed, and reads it again.

A snapshot is a directory ``<snapshot_dir>/<owner>/<time>-<name>/`` that only the owner may read. It is filled where the
owner cannot plant anything, and gets its name when it is complete: it is whole, or not there at all.
"""

import errno
import json
import os
import re
import secrets
import shutil
import stat
import time
from typing import Any, Container, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._child import User, environment, run
from ansible_collections.fleet.tmux.plugins.module_utils._model import Pane, Session, Window
from ansible_collections.fleet.tmux.plugins.module_utils._sockets import Unusable, require_own_directory
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import Client, TmuxError, shown, to_text

FORMAT = 1
"""The version of what session.json holds."""
DESCRIPTION = "session.json"

_INCOMING = ".incoming"
_STALE_SECONDS = 3600
_NAME = re.compile(r"^(\d{8}T\d{6}Z)-")
_NAME_CHARS = 60
_READ_LIMIT = 4 * 1024 * 1024
_VARIABLE = re.compile(r"unset ([^;\n]+);\n?|([^=;\n]+)=\"((?:[^\"\\]|\\.)*)\"; export [^;\n]+;\n?", re.DOTALL)


class SnapshotError(ValueError):
    """A snapshot that could not be made or read. The message says why."""


class Keeping(NamedTuple):
    """How many snapshots of one owner stay (None: all), and for how many seconds (None: for ever)."""

    number: Optional[int] = None
    age: Optional[int] = None


class Archive:
    """The directory of all snapshots of this host."""

    def __init__(self, path: str, colors: bool, keeping: Keeping) -> None:
        self._path = path
        self._colors = colors
        self._keeping = keeping

    def prepare(self) -> None:
        """Make the directory if it is not there, and refuse one in which others could plant something.

        :raises SnapshotError: saying what is wrong with it.
        """
        try:
            _make_passable(self._path)
            require_own_directory(self._path, os.geteuid(), birth=True)
            incoming = os.path.join(self._path, _INCOMING)
            os.makedirs(incoming, 0o700, exist_ok=True)
            self._clear(incoming)
        except Unusable as problem:
            raise SnapshotError("snapshot_dir: %s" % problem.reason)
        except OSError as error:
            raise SnapshotError("snapshot_dir: %s: %s" % (self._path, error.strerror))

    def save(self, client: Client, session: Session, owner: User, now: int) -> str:
        """Save one session and return the path of its snapshot.

        :raises SnapshotError: when anything of it could not be saved; nothing of it is left then.
        """
        draft = os.path.join(self._path, _INCOMING, secrets.token_hex(8))
        try:
            os.mkdir(draft, 0o700)
            self._fill(draft, client, session, owner, now)
            return self._publish(draft, session, owner, now)
        except (OSError, TmuxError) as error:
            raise SnapshotError(_said(error))
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _fill(self, draft: str, client: Client, session: Session, owner: User, now: int) -> None:
        described = _description(client, session, owner, now)
        for pane in sorted({pane.id for pane in session.panes}):
            text = b"\n".join(line.rstrip(b" ") for line in _captured(client, pane, []).split(b"\n"))
            self._write(draft, _text_file(pane), text, owner)
            if self._colors:
                self._write(draft, _color_file(pane), _captured(client, pane, ["-e"]), owner)
        written = json.dumps(described, indent=2, sort_keys=True, ensure_ascii=True) + "\n"
        self._write(draft, DESCRIPTION, written.encode("ascii"), owner)

    @staticmethod
    def _write(draft: str, name: str, data: bytes, owner: User) -> None:
        handle = os.open(os.path.join(draft, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            if os.geteuid() == 0:
                os.fchown(handle, owner.uid, owner.gid)
            os.fsync(handle)

    def _publish(self, draft: str, session: Session, owner: User, now: int) -> str:
        folder = self._owner_directory(owner)
        if os.geteuid() == 0:
            os.chown(draft, owner.uid, owner.gid, follow_symlinks=False)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        plain = re.sub(r"[^A-Za-z0-9_-]", "_", session.name)[:_NAME_CHARS]
        name = "%s-%s-%s" % (stamp, plain, secrets.token_hex(3))
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            # A rename follows nothing: it replaces a name in exactly this directory.
            os.rename(draft, name, dst_dir_fd=handle)
            os.fsync(handle)
        except OSError:
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
            raise
        finally:
            os.close(handle)
        return os.path.join(folder, name)

    def _owner_directory(self, owner: User) -> str:
        folder = os.path.join(self._path, _owner_name(owner))
        if not os.path.lexists(folder):
            # It gets its name when it has its owner, or a run that is killed in between would spoil it for ever.
            draft = os.path.join(self._path, _INCOMING, secrets.token_hex(8))
            os.mkdir(draft, 0o700)
            if os.geteuid() == 0:
                os.chown(draft, owner.uid, owner.gid, follow_symlinks=False)
            try:
                os.rename(draft, folder)
            except OSError:
                os.rmdir(draft)  # Another run was faster; what is there now is looked at below.
        found = os.lstat(folder)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != (owner.uid if os.geteuid() == 0 else os.geteuid()):
            raise OSError(errno.EPERM, "%s is no directory of %s" % (folder, owner.name))
        return folder

    def tidy(self, owner: User, now: int, new: Container[Optional[str]] = ()) -> int:
        """Remove the owner's snapshots beyond what is to be kept, but none of the ``new`` ones; how many."""
        folder = os.path.join(self._path, _owner_name(owner))
        try:
            names = sorted((name for name in os.listdir(folder) if _NAME.match(name)), reverse=True)
        except OSError:
            return 0
        surplus = [] if self._keeping.number is None else names[self._keeping.number :]
        if self._keeping.age is not None:
            limit = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now - self._keeping.age))
            surplus = sorted(set(surplus) | {name for name in names if name[: len(limit)] < limit})
        surplus = [name for name in surplus if os.path.join(folder, name) not in new]
        for name in surplus:
            # rmtree follows no link, whatever the owner has put there meanwhile.
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
        return len(surplus)

    @staticmethod
    def discard(path: str) -> None:
        """Remove a snapshot of a session that lives on after all."""
        shutil.rmtree(path, ignore_errors=True)

    @staticmethod
    def _clear(incoming: str) -> None:
        """Remove what a run that was killed has left half done; a run of another controller may still be at work."""
        for name in os.listdir(incoming):
            path = os.path.join(incoming, name)
            try:
                if time.time() - os.lstat(path).st_mtime > _STALE_SECONDS:
                    shutil.rmtree(path, ignore_errors=True)
            except FileNotFoundError:
                continue  # That other run has just finished it.


def _make_passable(path: str) -> None:
    """Make a directory, and those above it, that every owner can get through, whatever the umask of this run is."""
    before = os.umask(0o022)
    try:
        os.makedirs(path, 0o755, exist_ok=True)
    finally:
        os.umask(before)


def _said(error: Exception) -> str:
    return error.message if isinstance(error, TmuxError) else "%s" % (getattr(error, "strerror", None) or error)


def _owner_name(owner: User) -> str:
    return re.sub(r"[^A-Za-z0-9_.@+-]", "_", owner.name).lstrip(".") or str(owner.uid)


def _text_file(pane: str) -> str:
    return "pane-%s.txt" % pane[1:]


def _color_file(pane: str) -> str:
    return "pane-%s.ansi" % pane[1:]


def _captured(client: Client, pane: str, more: Sequence[str]) -> bytes:
    """The whole history and screen of a pane."""
    return client.call([["capture-pane", "-p", "-J", "-S", "-", "-t", pane] + list(more)])


def _description(client: Client, session: Session, owner: User, now: int) -> Dict[str, Any]:
    return {
        "format": FORMAT,
        "name": shown(session.name),
        "owner": shown(owner.name),
        "saved": now,
        "created": session.created,
        "options": shown(to_text(client.call([["show-options", "-t", session.id]])), True),
        "environment": variable_names(to_text(client.call([["show-environment", "-s", "-t", session.id]]))),
        "windows": [_window(window) for window in session.windows],
    }


def _window(window: Window) -> Dict[str, Any]:
    return {
        "index": window.number,
        "name": shown(window.name),
        "active": window.active,
        "layout": shown(window.layout),
        "width": window.width,
        "height": window.height,
        "panes": [_pane(pane) for pane in window.panes],
    }


def _pane(pane: Pane) -> Dict[str, Any]:
    return {
        "index": pane.number,
        "active": pane.active,
        "path": pane.path if pane.path.isprintable() else "",
        "command": shown(pane.command),
        "start_command": pane.start_command if pane.start_command.isprintable() else "",
        "title": shown(pane.title),
        "dead": pane.dead,
        "exit_status": pane.status,
        "exit_signal": shown(pane.signal),
        "text": _text_file(pane.id),
    }


def variable_names(printed: str) -> List[str]:
    """The names in what ``show-environment -s`` prints. Values are skipped whole, so no part of one passes for a name.

    :raises TmuxError: when it is not written as expected.
    """
    names = []
    at = 0
    while at < len(printed):
        found = _VARIABLE.match(printed, at)
        if not found:
            raise TmuxError("the environment of the session is not written as expected")
        names.append(shown(found.group(1) or found.group(2)))
        at = found.end()
    return sorted(names)


class SavedPane(NamedTuple):
    """A pane as it was saved. ``text``: the path of what it showed."""

    active: bool
    path: str
    start_command: str
    text: str


class SavedWindow(NamedTuple):
    """A window as it was saved."""

    number: int
    name: str
    active: bool
    layout: str
    width: int
    height: int
    panes: Tuple[SavedPane, ...]


def read(path: str, user: User, as_user: bool) -> Tuple[SavedWindow, ...]:
    """The windows in the snapshot at ``path``, read with no more rights than ``user`` has: it is the user's own.

    :raises SnapshotError: when there is none, or it is not one of ours.
    """
    words = ["cat", "--", os.path.join(path, DESCRIPTION)]
    outcome = run(words, user=user if as_user else None, env=environment(user), timeout=10, limit=_READ_LIMIT)
    if outcome.rc != 0:
        raise SnapshotError("snapshot: %s cannot be read by %s" % (shown(path), user.name))
    try:
        described = json.loads(outcome.out.decode("utf-8"))
        if described["format"] != FORMAT:
            raise SnapshotError("snapshot: %s has another format than %d" % (shown(path), FORMAT))
        windows = tuple(_saved_window(it, path) for it in described["windows"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SnapshotError("snapshot: %s is no snapshot: %r" % (shown(path), error))
    if not windows:
        raise SnapshotError("snapshot: %s holds no window" % shown(path))
    return windows


def _saved_window(it: Dict[str, Any], path: str) -> SavedWindow:
    panes = tuple(_saved_pane(pane, path) for pane in it["panes"])
    if not panes:
        raise ValueError("a window without panes")
    return SavedWindow(
        number=_within(it["index"], 0, 2**31 - 1),
        name=str(it["name"]),
        active=bool(it["active"]),
        layout=str(it["layout"]),
        width=_within(it["width"], 1, 65535),
        height=_within(it["height"], 1, 65535),
        panes=panes,
    )


def _saved_pane(it: Dict[str, Any], path: str) -> SavedPane:
    if not re.match(r"^pane-\d+\.txt\Z", it["text"]):
        raise ValueError("%r is no file of a snapshot" % it["text"])
    return SavedPane(
        active=bool(it["active"]),
        path=str(it["path"]),
        start_command=str(it["start_command"]),
        text=os.path.join(path, it["text"]),
    )


def _within(number: Any, least: int, most: int) -> int:
    if not isinstance(number, int) or not least <= number <= most:
        raise ValueError("%r is not between %d and %d" % (number, least, most))
    return number
