# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries options on a server that is there for nothing else, before they are set where somebody works.

tmux has no way to ask whether it takes a value: it looks for the session first, and when there is one it sets what it
takes. So the same program starts a server that nobody else can reach, reads no configuration, has no sessions, and so
runs nothing of what options say. It ends with its client, also when that is killed.
"""

import contextlib
import os
import secrets
import tempfile
from typing import Iterator, List, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import Broom
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import to_text
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import settings
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import SHARED_DIRECTORY, Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import Command, Version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Failed, TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.settings import Pairs, Setting, SettingError

_MARK = "@fleet_tmux_mark"
_OWN = "own"
_ENTRIES = 10000
"""Files and directories that are removed when it is done: there are three, but for what its owner puts there."""


def require_taken(client: Client, server: Optional[Version], shared: Pairs, windows: Sequence[Pairs]) -> None:
    """Refuse options that a server does not take, where that can be tried.

    :param server: its version; None for one that is still to be started. Where the program is of another one, it may
        take other values, and nothing is tried.
    :param shared: options of sessions, and of windows.
    :param windows: options of windows.
    :raises SettingError: naming the first that it does not take, as when it was set.
    """
    problem = None
    with contextlib.suppress(TmuxError, OSError):
        version = server or client.version
        if client.own or client.version == version:
            with _apart(client) as trial:
                problem = _problem(trial, version, shared, windows)
    if problem is not None:
        raise problem


def _problem(trial: Client, version: Version, shared: Pairs, windows: Sequence[Pairs]) -> Optional[SettingError]:
    """What is wrong with options.

    :raises TmuxError: when that is not known.
    """
    known = settings.known(trial)
    try:
        settings.require(known, version, shared, windows)
    except SettingError as error:
        return error
    own = sorted({pair for options in windows for pair in options})
    wanted = settings.belonging("", "", shared, known) + [Setting("", *pair, of_window=True) for pair in own]
    refused = _first_refused(trial, wanted, version)
    return None if refused is None else settings.refusal(*refused)


def _first_refused(trial: Client, wanted: Sequence[Setting], version: Version) -> Optional[Tuple[Setting, Failed]]:
    """The first of some settings that is not taken, and what is said of it.

    :raises TmuxError: when that is not known.
    """
    if _refusal(trial, wanted, version) is None:
        return None
    while len(wanted) > 1:
        half = wanted[: len(wanted) // 2]
        wanted = wanted[len(half) :] if _refusal(trial, half, version) is None else half
    error = _refusal(trial, wanted, version)
    return None if error is None else (wanted[0], error)


def _refusal(trial: Client, wanted: Sequence[Setting], version: Version) -> Optional[Failed]:
    """What is said of settings of which one is not taken at least."""
    nonce = secrets.token_hex(8)
    commands: List[Command] = [["set-option", "-g", _MARK, nonce]]
    for setting in wanted:
        commands += [setting.to_set(), setting.to_show()[0], ["show-options", "-g", "-v", _MARK]]
    try:
        printed = to_text(trial.script(commands, version)).split(nonce + "\n")
    except Failed as error:
        return error
    if len(printed) != len(wanted) + 1:
        raise TmuxError("options of the server could not be read")
    lost = [setting for setting, text in zip(wanted, printed) if not text]
    return settings.unset(lost[0]) if lost else None


@contextlib.contextmanager
def _apart(client: Client) -> Iterator[Client]:
    """The same client with servers of its own, which only the owner of the other can reach.

    :raises OSError: when there is no place for them.
    """
    outer = tempfile.mkdtemp(prefix="fleet-tmux-", dir=SHARED_DIRECTORY)
    # The owner's, and in one of ours: he cannot exchange it for another when what is in it is removed.
    inner = os.path.join(outer, _OWN)
    trial = client.apart(os.path.join(inner, "s"))
    try:
        os.mkdir(inner, 0o700)
        if client.as_user:
            os.chown(inner, client.account.uid, client.account.gid)
            os.chmod(outer, 0o711)
        yield trial
    finally:
        with contextlib.suppress(OSError):
            _remove(outer)


def _remove(outer: str) -> None:
    """Remove a directory of ours with what the owner may have put into the one in it.

    :raises OSError: when that cannot be removed.
    """
    handle = os.open(outer, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(handle, 0o700)  # Nobody else enters what is moved here to be removed.
        with contextlib.suppress(FileNotFoundError):
            Broom(handle, _ENTRIES).take(_OWN, handle)
    finally:
        os.close(handle)
    os.rmdir(outer)
