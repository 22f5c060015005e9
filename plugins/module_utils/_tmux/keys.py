# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is typed into panes: texts as bytes, keys by their names, and whether both would arrive there and only there.

A text goes by way of a paste buffer, which tmux reads from its client's stdin: so it is in no process's arguments and,
unlike the words of commands, not in what tmux remembers of those (``show-messages``). The buffer is gone afterwards.
"""

import secrets
from typing import Dict, List, NamedTuple, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import to_text
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    Capability,
    Command,
    Version,
    compared_literal,
    is_on,
    one_word,
    while_there,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Failed, TmuxError, unknown_keys
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import row, rows

_STATE = (
    "#{pid}",
    "#{pane_pid}",
    "#{pane_dead}",
    "#{pane_in_mode}",
    "#{pane_input_off}",
    "#{?#{pane_synchronized},#{window_panes},1}",
)


class State(NamedTuple):
    """What decides where something goes that is typed into a pane, as tmux prints it.

    ``receivers``: how many panes of its window get it.
    """

    server: str
    program: str
    dead: str
    in_mode: str
    input_off: str
    receivers: str

    @property
    def obstacle(self) -> str:
        """Why what is typed would not arrive at the program of this pane, or not only there; empty if it would."""
        if is_on(self.dead):
            return "its command has ended"
        if is_on(self.input_off):
            return "its input is disabled (select-pane -d), so nothing would arrive; select-pane -e enables it"
        if is_on(self.in_mode):
            return (
                "it is in copy mode, or another mode of tmux, which would take the keys itself; somebody may be "
                "reading there, and tmux send-keys -X cancel leaves it"
            )
        if self.receivers != "1":
            return f"its keys go to all {self.receivers} panes of its window, until synchronize-panes is switched off"
        return ""


def states(client: Client) -> Dict[str, State]:
    """The panes of a server, by id, in one call.

    :raises TmuxError: when the server cannot be asked.
    """
    nonce = secrets.token_hex(8)
    printed = rows(to_text(client.call([["list-panes", "-a", "-F", row(nonce, "k", ["#{pane_id}", *_STATE])]])), nonce)
    return {pane: State(*state) for _kind, (pane, *state) in printed}


def unknown(client: Client, names: Sequence[str], version: Version) -> List[str]:
    """Which of these names are none of a key. Nothing is changed: the table in which they are unbound is not there.

    ``send-keys`` does not tell: it would type such a name letter by letter.

    :raises TmuxError: when that cannot be known.
    """
    if not names:
        return []
    table = "fleet_tmux_" + secrets.token_hex(8)
    try:
        client.script([["unbind-key", "-T", table, "--", name] for name in names], version)
    except Failed as error:
        found = unknown_keys(error.stderr, len(names))
        if found is not None:
            return found
    raise TmuxError("tmux does not say which keys it knows")


def send(client: Client, version: Version, pane: str, state: State, text: bytes, names: Sequence[str]) -> bool:
    """Type a text and then keys into a pane, all or nothing; nothing unless it still is as it was found.

    :raises TmuxError: when it is not known whether that was done.
    """
    buffer = "fleet_tmux_" + secrets.token_hex(8)
    first, act, otherwise = _commands(pane, buffer, bool(text), names, version)
    same = while_there("#{==:%s,%s}" % ("/".join(_STATE), compared_literal("/".join(state), version)))
    judged = ["if-shell", "-F", "-t", pane, same, one_word(act, version), one_word(otherwise, version)]
    try:
        said = to_text(client.call([*first, judged], stdin=text))
    except TmuxError:
        if text:
            _forget(client, buffer)
        raise
    return buffer + " sent" in said


def _commands(
    pane: str, buffer: str, text: bool, names: Sequence[str], version: Version
) -> Tuple[List[Command], List[Command], List[Command]]:
    """What comes before it is judged, what is done then, and what else."""
    raw = ["-S"] if version.has(Capability.PASTE_IS_MADE_HARMLESS) else []
    first: List[Command] = []
    act: List[Command] = []
    otherwise: List[Command] = [["display-message", "-p", buffer + " kept"]]
    if text:
        first.append(["load-buffer", "-b", buffer, "-"])
        act.append(["paste-buffer", "-d", *raw, "-b", buffer, "-t", pane])
        otherwise.append(["delete-buffer", "-b", buffer])
    if names:
        act.append(["send-keys", "-t", pane, "--", *names])
    act.append(["display-message", "-p", buffer + " sent"])
    return first, act, otherwise


def _forget(client: Client, buffer: str) -> None:
    """Delete a buffer, if it is there."""
    try:
        client.call([["delete-buffer", "-b", buffer]])
    except TmuxError:
        pass  # It was pasted, and has gone with that.
