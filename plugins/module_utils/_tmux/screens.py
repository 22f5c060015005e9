# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the panes of one server show now."""

from typing import Dict, List

from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.details import screens
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session


class Screens:
    """Asks a server what the panes of a session show when somebody wants to know it, and once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._found: Dict[str, Dict[str, List[str]]] = {}

    def of(self, session: Session) -> Dict[str, List[str]]:
        """The lines of each pane by its id; without those that the server does not tell of."""
        if session.id not in self._found:
            try:
                texts = screens(self._client, [pane.id for pane in session.panes])
            except TmuxError:
                texts = {}
            self._found[session.id] = {pane: _lines(text) for pane, text in texts.items()}
        return self._found[session.id]


def _lines(text: str) -> List[str]:
    lines = text.split("\n")
    return lines[:-1] if text.endswith("\n") else lines
