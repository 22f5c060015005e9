# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adds windows to sessions that are there, in which people may work meanwhile."""

import re
import time
from typing import List, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._actions import windows as windows_
from ansible_collections.fleet.tmux.plugins.module_utils._actions.create import Creator, NewSession, wanted_windows
from ansible_collections.fleet.tmux.plugins.module_utils._actions.settle import CreatedSession
from ansible_collections.fleet.tmux.plugins.module_utils._actions.windows import NewWindow
from ansible_collections.fleet.tmux.plugins.module_utils._host.child import OUTPUT_LIMIT
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import to_text
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import settings
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    Command,
    Version,
    variable_names,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import (
    Failed,
    Lost,
    NoServer,
    NotFound,
    TmuxError,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    Session,
    row,
    rows,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.share import Share


def require_free_variables(client: Client, session: Session, new: NewSession) -> None:
    """:raises TmuxError: for a variable of a pane that the session has from somebody else, who would lose it."""
    own = {name for window in new.declared for pane in window.panes for name, _value in pane.env}
    if not own:
        return
    printed = to_text(client.call([["show-environment", "-s", "-t", session.id]]))
    gone = set(re.findall(r"^unset ([^;\n]+);", printed, re.MULTILINE))
    taken = sorted(own & set(variable_names(printed)) - gone - {name for name, _value in new.env})
    if taken:
        raise Failed(f"the variable {taken[0]} was set in the session; give it in env of the session, too")


class Adder(Creator):
    """Adds windows to sessions of one server, and undoes what does not stay. Who uses a session stays where he is."""

    def add(self, session: Session, new: NewSession, version: Version) -> None:
        """Make the declared windows in a session that is there, after those that it has, within the time of one call.

        Who uses it stays where he is, and may open, close and move windows meanwhile.

        :raises TmuxError: when they cannot be made; :meth:`settle` says which did not stay.
        """
        require_free_variables(self._client, session, new)
        self._secrets[session.name] = new.secrets
        created = CreatedSession(session.id, "", "0", bool(new.keep_exited), version, new.keep_exited is not None)
        created = created._replace(added=True)
        new = new._replace(options=tuple(pair for pair in new.options if pair[0] != "base-index"))
        seconds = self._client.timeout
        self._client.share = Share(seconds, OUTPUT_LIMIT, time.monotonic() + seconds)
        try:
            windows = self._opened(wanted_windows(new, created), new, created)
            created = created._replace(windows=tuple(window.id for window in windows))
            self._fill(windows, new, created)
        except TmuxError as error:
            self._client.share = None  # What is half done is undone, however long it took.
            if not self._undo_added(new, created):
                error.message += "; a part of it is still there"
            raise
        finally:
            self._client.share = None
            self._forget(new, version)
        self._created[session.name] = created

    def _opened(self, windows: Sequence[NewWindow], new: NewSession, created: CreatedSession) -> List[NewWindow]:
        """Windows with their first panes, and their ids: their places may be those of others by now."""
        env, told = dict(new.env), row(self._nonce, "w", ["#{window_id}", "#{pane_index}"])
        commands = [windows_.opening(each, created.id, created.version, env, told, self._nonce) for each in windows]
        printed = self._script([command for some in commands for command in some], created)
        made = [fields for kind, fields in rows(printed, self._nonce) if kind == "w"]
        if len(made) != len(windows) or not all(_is_window(fields) for fields in made):
            raise Failed("tmux did not say which windows it has made")
        return [window._replace(id=id_, first=int(first)) for window, (id_, first) in zip(windows, made)]

    def _fill(self, windows: Sequence[NewWindow], new: NewSession, created: CreatedSession) -> None:
        commands: List[Command] = []
        for window in windows:
            commands += windows_.filling(window, created.id, created.version, dict(new.env))
            commands += windows_.finishing(window, created.id)
            commands += windows_.telling_birth(window, created.id, self._nonce)
        printed = self._script(commands, created)
        options = [each for each in self._settings(new, created, windows) if each.of_window]
        settings.apply(self._client, options, created.version)
        commands = windows_.noting_birth(printed, self._nonce, created.id, windows)
        commands += [command for window in windows for command in windows_.laying(window, created.id)]
        commands += [command for window in windows for command in windows_.opened(window)]
        self._script(commands, created)

    def _undo_added(self, new: NewSession, created: CreatedSession) -> bool:
        """Undo what was begun to be added; whether nothing of it is left. Who makes windows meanwhile keeps his."""
        own = {name for window in new.declared for pane in window.panes for name, _value in pane.env}
        fields = row(self._nonce, "u", ["#{window_id}", "#{%s}" % windows_.NONCE])
        try:
            self._client.script(windows_.restored(created.id, own, dict(new.env)), created.version)
            printed = to_text(self._client.call([["list-windows", "-t", created.id, "-F", fields]]))
        except (NotFound, NoServer, Lost):
            return True  # There is no such session any more.
        except TmuxError:
            return False
        made = [identity for _kind, (identity, nonce) in rows(printed, self._nonce) if nonce == self._nonce]
        return self._drop(made)

    def _drop(self, windows: Sequence[str]) -> bool:
        """Undo windows that were added, by their ids; whether none of them is left."""
        for window in windows:
            try:
                self._client.call([["kill-window", "-t", window]])
            except (NotFound, NoServer, Lost):
                continue  # It has gone by itself.
            except TmuxError:
                return False  # A server that does not answer is not asked once for each.
        return True

    def _undo(self, session: Session, created: CreatedSession, version: Version) -> None:
        self._drop(created.windows)


def _is_window(fields: Sequence[str]) -> bool:
    """Whether that is the id of a window and the number of a pane, for a server may say anything."""
    return re.fullmatch(r"@[0-9]{1,19} [0-9]{1,9}", " ".join(fields)) is not None
