# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks whether what was made is still there a moment later, and says how it ended if it is not."""

import os
import time
from typing import Dict, List, NamedTuple, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove import remove_same
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import WITHHELD
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief, to_text, without
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    Command,
    Version,
    last_words,
    target,
    while_there,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.exits import outlived, set_for_window, unset_for_window
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    Listing,
    Pane,
    Session,
    Window,
    read_or_nothing,
)

SETTLE_SECONDS = 1.0
"""How long a command that computes (and does not wait for anything) is watched for ending at once."""

_RUN_NOTHING = ("nologin", "false", "true")
"""Shells of users who are not to log in."""

_PAUSE = 0.05
_NOTICED_WITHIN = (0.05, 0.1, 0.2, 0.4)
"""Seconds that a server is given, one time after another, to notice how a command has ended."""
_LAST_LINES = 5

CLOSED = "and tmux before 3.7 ends a pane then: leave it its standard input"
"""What to do for a command that sends all its output elsewhere."""


def runs_nothing(account: User) -> str:
    """What to do where the shell of a user runs no command; nothing where it does."""
    if os.path.basename(account.shell) not in _RUN_NOTHING:
        return ""
    return f"; {brief(account.shell)}, the shell of {account.name}, runs no command: give a program with argv"


class CreatedSession(NamedTuple):
    """A session that tmux says it has created.

    ``keeps_dead``: its panes would stay when their command ends. ``told``: whether that was said of it, or is only how
    the server is configured. ``windows``: the declared ones, of which each pane has to stay; else one pane has to.
    ``added``: it was there before, and only these windows are new, which are called by their ids.
    """

    id: str
    window: str
    window_index: str
    keeps_dead: bool
    version: Version
    told: bool = False
    windows: Tuple[str, ...] = ()
    added: bool = False

    @property
    def first_window(self) -> str:
        """The place of the window that it was created with."""
        return f"{self.id}:{self.window_index}"


class Settler:
    """Watches what was made on one server, and undoes what does not stay."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._without_shell: Set[str] = set()
        self._created: Dict[str, CreatedSession] = {}
        self._secrets: Dict[str, List[str]] = {}

    def settle(self) -> Dict[str, str]:
        """Wait until the new sessions have either got going or ended; what is wrong with those that ended, by name."""
        deadline = time.monotonic() + SETTLE_SECONDS
        quiet: Dict[int, int] = {}
        while True:
            pids = [pid for session in self._ours(read_or_nothing(self._client)) for pid in session.pids]
            pending = [pid for pid in pids if not _is_quiet(pid, quiet)]
            if not pending or time.monotonic() >= deadline:
                break
            proctable.wait(_PAUSE)
        return self._problems()

    def _problems(self) -> Dict[str, str]:
        self._unset_remain_on_exit()
        listing = self._with_exit_statuses()
        there = {session.id: session for session in listing.sessions}
        problems = {}
        for name, created in sorted(self._created.items()):
            session = there.get(created.id)
            if session is None or _lacks(session, created):
                problems[name] = gone_at_once(name, "a window of session" if created.added else "session")
            elif not created.keeps_dead and _has_ended(session, created):
                problems[name] = self._how_it_ended(name, session, created, listing) + self._about_shell(name)
            if name in problems and session is not None:
                self._undo(session, created, listing.version)
        return problems

    def _how_it_ended(self, name: str, session: Session, created: CreatedSession, listing: Listing) -> str:
        pane = next(pane for pane in _panes_of(session, created) if pane.dead)
        where = "" if len(session.panes) == 1 else f"pane {session.panes.index(pane) + 1} of "
        what = f"the command of {where}session {session.name!r}"
        left = outlived(pane, listing.pid, ())
        if left is not None:
            return f"{what} has closed its terminal, {CLOSED}; as process {left.pid} it runs on"
        said = self._said_in(pane, self._secrets.get(name, ()))
        return f"{what} ended at once, with {_end(pane)}; {brief(said)}; keep_exited=true keeps it"

    def _about_shell(self, name: str) -> str:
        """What to do where a command was given to a shell that runs none."""
        return "" if name in self._without_shell else runs_nothing(self._client.account)

    def _undo(self, session: Session, created: CreatedSession, version: Version) -> None:
        remove_same(self._client, version, [session])

    def _with_exit_statuses(self) -> Listing:
        """The server as it is now, with the exit status of every new pane that has ended.

        tmux 3.3a sometimes does not notice that a process has ended until another one does: so one is run. Nobody waits
        for that one, for its end may not be noticed either.
        """
        listing = read_or_nothing(self._client)
        for pause in _NOTICED_WITHIN:
            panes = [pane for session in self._ours(listing) for pane in session.panes]
            if not any(pane.is_unclear for pane in panes):
                break
            try:
                self._client.call([["run-shell", "-b", ":"]])
            except TmuxError:
                break  # Then the status stays unknown, which is said.
            proctable.wait(pause)
            listing = read_or_nothing(self._client)
        return listing

    def _ours(self, listing: Listing) -> List[Session]:
        ids = {created.id for created in self._created.values()}
        return [session for session in listing.sessions if session.id in ids]

    def _unset_remain_on_exit(self) -> None:
        """Let panes go again when their command ends; one that has ended already keeps its last words for us."""
        commands: List[Command] = [
            [
                *("if-shell", "-F", "-t", place, while_there("#{?pane_dead,0,1}")),
                " ".join(_no_longer(place, created.told)),
            ]
            for created in self._created.values()
            if not (created.told and created.keeps_dead)
            for place in created.windows or (created.id + ":",)
        ]
        for start in range(0, len(commands), 100):
            try:
                self._client.call(commands[start : start + 100])
            except TmuxError:
                continue  # Who is not there any more is found by the listing that follows.

    def _said_in(self, pane: Pane, secrets_: Sequence[str]) -> str:
        """What a pane has shown at last, in words, if it may be told; without what is secret, before it is cut."""
        if self._client.discreet:
            return f"what it said is not told ({WITHHELD})"
        words = without("\n".join(self._last_words(pane)), secrets_, begun=True).splitlines()
        return f"it said: {' | '.join(words)}" if words else "nothing of what it said is left"

    def _last_words(self, pane: Pane) -> List[str]:
        """The last lines that a pane has shown, also of those that are longer than it is wide."""
        try:
            output = self._client.call([["capture-pane", "-p", "-J", "-S", f"-{_LAST_LINES}", "-t", pane.id]])
        except TmuxError:
            return []
        return [line.rstrip() for line in last_words(to_text(output))[-_LAST_LINES:]]


def gone_at_once(name: str, what: str = "session") -> str:
    return (
        f"{what} {name!r} was made and was gone again at once; destroy-unattached or exit-unattached in the "
        "configuration of the server, or a hook, does that"
    )


def _has_ended(session: Session, created: CreatedSession) -> bool:
    return (any if created.windows else all)(pane.dead for pane in _panes_of(session, created))


def _panes_of(session: Session, created: CreatedSession) -> List[Pane]:
    """The panes that were made."""
    if not created.windows:
        return session.panes
    windows = [window for window in session.windows if _places(session, window) & set(created.windows)]
    return [pane for window in windows for pane in window.panes]


def _lacks(session: Session, created: CreatedSession) -> bool:
    """Whether a window that was made is not there."""
    return not set(created.windows) <= {place for window in session.windows for place in _places(session, window)}


def _places(session: Session, window: Window) -> Set[str]:
    """How a window that was made may be called: by its place, or by its id."""
    return {f"{session.id}:{window.number}", window.id}


def _end(pane: Pane) -> str:
    status = "unknown" if pane.status is None else pane.status
    return f"signal {pane.signal}" if pane.signal else f"exit status {status}"


def _no_longer(place: str, told: bool) -> Command:
    return set_for_window(target(place), False) if told else unset_for_window(target(place))


def _is_quiet(pid: int, seen: Dict[int, int]) -> bool:
    """Whether a process waits for something, at several looks in a row: then it has got going."""
    process = proctable.read_process(pid, ())  # A server may say any pid.
    if process is None or not process.alive:
        return True
    seen[pid] = seen.get(pid, 0) + 1 if process.state != "R" else 0
    return seen[pid] >= 4
