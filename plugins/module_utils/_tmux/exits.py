# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of panes whose command ends: whether they stay (``remain-on-exit``), and since when they are dead."""

import secrets
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import to_text
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import Capability, Command, Version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Pane, Session, number_or_none, row, rows

_OPTION = "remain-on-exit"
_FIELDS = ("#{pane_id}", "#{%s}" % _OPTION, "#{pane_dead_time}")
_STAYS = ("on", "1", "key")
_GOES = ("off", "0", "")
"""As formats print it. Between them is ``failed``: a pane stays unless its command ends well."""

NOT_KEPT = "its panes did not stay when their commands ended; see keep_exited of tmux_session"


class Exit(NamedTuple):
    """Of one pane: whether it stays when its command ends (None: only if that fails), and since when it is dead.

    The latter tmux only tells since 3.3.
    """

    stays: Optional[bool]
    since: Optional[int]


def exits(client: Client) -> Dict[str, Exit]:
    """The panes of a server, by id, in one call.

    :raises TmuxError: when the server cannot be asked.
    """
    nonce = secrets.token_hex(8)
    printed = rows(to_text(client.call([["list-panes", "-a", "-F", row(nonce, "e", _FIELDS)]])), nonce)
    return {pane: Exit(_stays(option), number_or_none(since)) for _kind, (pane, option, since) in printed}


def _stays(printed: str) -> Optional[bool]:
    if printed in _STAYS:
        return True
    return False if printed in _GOES else None


def outlived(pane: Pane, server: Optional[int], uids: Sequence[int]) -> Optional[Process]:
    """The program of a dead pane that runs on: it has closed its terminal, and tmux before 3.7 knows no other end.

    :param server: the pid of its server: what is a child of that one has its number still.
    :param uids: on whose behalf it is looked at.
    """
    process = proctable.read_process(pane.first_pid, uids) if pane.is_unclear and pane.first_pid is not None else None
    return process if process is not None and process.alive and process.ppid == server else None


def differing(client: Client, sessions: Iterable[Session], keep: bool) -> List[Session]:
    """Those of some sessions of which a pane does not do what is wanted when its command ends.

    :raises TmuxError: when the server cannot be asked.
    """
    asked = list(sessions)
    found: Mapping[str, Exit] = exits(client) if asked else {}
    return [session for session in asked if any(_differs(found.get(pane.id), keep) for pane in session.panes)]


def _differs(found: Optional[Exit], keep: bool) -> bool:
    return found is not None and found.stays is not keep


def set_for_window(place: str, keep: bool) -> Command:
    """Let the panes of a window stay or go, those too that it will have."""
    return ["set-option", "-w", "-t", place, _OPTION, "on" if keep else "off"]


def keeping_pane(place: str, version: Version) -> List[Command]:
    """Let one pane stay wherever somebody moves it, as far as a tmux can do that."""
    return [["set-option", "-p", "-t", place, _OPTION, "on"]] if version.has(Capability.OPTIONS_OF_PANES) else []


def unset_for_window(place: str) -> Command:
    """Let the configuration of the server decide that again."""
    return ["set-option", "-w", "-u", "-t", place, _OPTION]


def set_for_session(session: Session, keep: bool, version: Version) -> List[Command]:
    """Let all panes that a session has stay or go, whatever was said of one of them."""
    own = [pane.id for pane in session.panes] if version.has(Capability.OPTIONS_OF_PANES) else []
    commands: List[Command] = [["set-option", "-p", "-u", "-t", pane, _OPTION] for pane in own]
    return commands + [set_for_window(window.id, keep) for window in session.windows]
