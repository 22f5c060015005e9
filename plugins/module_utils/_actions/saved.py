# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a snapshot for a module.

It lies in a directory of its owner, who may have written it, or anything else, himself. Whose it is, is judged by what
was opened; what it may say is told in ``restore``, the script by which its owner reads it without us.
"""

import os
from typing import Any, Dict, List, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.restore import (
    DESCRIPTION,
    DESCRIPTION_BYTES,
    FORMAT,
    NO_SNAPSHOT,
    TEXT_BYTES,
    OtherFormat,
    SavedPane,
    SavedWindow,
    described,
)
from ansible_collections.fleet.tmux.plugins.module_utils._host.child import environment, run
from ansible_collections.fleet.tmux.plugins.module_utils._host.crew import Job, Line, Message, Work, work
from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import (
    Reached,
    Untrusted,
    reached,
    read_file,
    require_own_file,
)
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import WITHHELD, tells_of
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief, shown
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User

COMMANDS_LIMIT = 262144
"""Characters in all commands of a session that are run again: somebody should have looked through them."""


class SnapshotError(ValueError):
    """A snapshot that could not be made or read. The message says why."""


def read(
    path: str, user: User, as_user: bool, owner: Optional[User] = None, timeout: float = 10.0, full: bool = False
) -> Tuple[SavedWindow, ...]:
    """The windows in the snapshot at ``path``, which ``user`` can read and which is the ``owner``'s (else the user's).

    It is read in a child of ours: on the way there may be a file system that never answers.

    :param full: whether what is wrong in one of another user is told in its words.
    :raises SnapshotError: when there is none, it is somebody else's, or it is not one of ours.
    """
    _require_readable(path, user, as_user, timeout)
    said: List[Message] = []
    job = Job("snapshot", _reading(path, user, owner or user, full), timeout)
    ends = work([job], lambda _key, message: said.append(message))
    if not said:
        reason = ends[job.key].reason if ends else "nothing was said of it"
        raise SnapshotError(f"snapshot: {shown(path)} cannot be read: {reason}")
    if "problem" in said[0]:
        raise SnapshotError(said[0]["problem"])
    return tuple(_rebuilt(*fields) for fields in said[0]["windows"])


def _rebuilt(
    number: int, name: str, active: bool, layout: str, width: int, height: int, panes: Sequence[Any]
) -> SavedWindow:
    return SavedWindow(number, name, active, layout, width, height, tuple(SavedPane(*pane) for pane in panes))


def _reading(path: str, user: User, owner: User, full: bool) -> Work:
    def errand(line: Line) -> None:
        try:
            line.say({"windows": _read(path, user, owner, full)})
        except SnapshotError as error:
            line.say({"problem": str(error)})

    return errand


def _read(path: str, user: User, owner: User, full: bool) -> Tuple[SavedWindow, ...]:
    try:
        with reached(path, {owner.uid, user.uid}) as there:
            data = _owned(there, owner)
            windows = described(data, path).windows
            for pane in [pane for window in windows for pane in window.panes]:
                _require_text(os.path.basename(pane.text), there.handle, owner)
    except SnapshotError:
        raise
    except Untrusted as problem:
        raise SnapshotError(f"snapshot: {shown(path)}: {shown(str(problem))}")
    except OSError as error:
        raise SnapshotError(f"snapshot: {shown(path)} cannot be read: {error.strerror}")
    except OtherFormat:
        raise SnapshotError(f"snapshot: {shown(path)} has another format than {FORMAT}")
    except NO_SNAPSHOT as error:
        said = brief(repr(error)) if tells_of(owner.uid, full) else f"{type(error).__name__} ({WITHHELD})"
        raise SnapshotError(f"snapshot: {shown(path)} is no snapshot: {said}")
    return windows


def _require_readable(path: str, user: User, as_user: bool, timeout: float) -> None:
    """Refuse what the user could not read: it is shown in his panes, by programs of his."""
    words = ["test", "-r", os.path.join(path, DESCRIPTION)]
    try:
        outcome = run(words, user=user if as_user else None, env=environment(user), timeout=timeout)
    except OSError as error:
        raise SnapshotError(f"snapshot: nothing can be run as {user.name}: {error.strerror}")
    if outcome.rc != 0:
        raise SnapshotError(f"snapshot: {shown(path)} cannot be read by {user.name}")


def _owned(there: Reached, owner: User) -> bytes:
    """The description in a directory of the owner's.

    It is read with our own rights, which may be root's: its owner could read a file of his own anyway.
    """
    if there.missing:
        raise Untrusted(f"there is no {there.missing[0]}")
    uid = os.fstat(there.handle).st_uid
    if uid != owner.uid:
        raise Untrusted(f"it belongs to uid {uid}, not to {owner.name} (see snapshot_owner)")
    return read_file(DESCRIPTION, there.handle, owner.uid, DESCRIPTION_BYTES)


def _require_text(name: str, folder: int, owner: User) -> None:
    """What a pane is to show: whoever has deleted it sees that it is not there."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    require_own_file(name, found, owner.uid, TEXT_BYTES)


def command_of(pane: SavedPane) -> str:
    """What runs again in a pane, for a shell; empty for nothing."""
    return pane.start_command


def commands(windows: Tuple[SavedWindow, ...]) -> List[Dict[str, Any]]:
    """What the panes run again: by the index of the window, and the place in it.

    :raises SnapshotError: when it is more than anybody would look through.
    """
    found: List[Dict[str, Any]] = [
        {"window": window.number, "pane": place, "command": shown(command_of(pane))}
        for window in windows
        for place, pane in enumerate(window.panes)
        if command_of(pane)
    ]
    if sum(len(one["command"]) for one in found) > COMMANDS_LIMIT:
        raise SnapshotError(f"snapshot: its commands have more than {COMMANDS_LIMIT} characters")
    return found
