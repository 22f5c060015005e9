# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells people that a session will be removed: in tmux, and by a command of the admin's choice."""

import datetime
import re
import secrets
import time
from typing import Dict, List, NamedTuple, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._cases import Case
from ansible_collections.fleet.tmux.plugins.module_utils._census import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._child import environment, run
from ansible_collections.fleet.tmux.plugins.module_utils._model import row, rows
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import Command, TmuxError, shown, to_text

DEFAULT_MESSAGE = (
    "tmux session {name} will be removed after {deadline} ({reason}). To keep it: tmux set -t '{id}' @keep on"
)

_SHOWN_MILLISECONDS = 15000
_NAMED = 3
_COMMAND_SECONDS = 0.5
"""Seconds that the command may take on average; the first one may take the whole time limit."""


class Herald(NamedTuple):
    """How notice is given. ``command`` is run as the owner; as root, ``as_user`` drops to the owner first."""

    message: str
    command: Sequence[str]
    timeout: float
    as_user: bool

    def tell(self, one: Seen, cases: Sequence[Case], deadline: int) -> List[str]:
        """Tell everybody who is attached to the server, and run the command for each session; what went wrong."""
        trouble = self._show(one, cases, deadline)
        start = time.monotonic()
        for done, case in enumerate(cases if self.command else ()):
            problem = self._run(one, case, deadline)
            if problem:
                trouble.append(problem)
            if time.monotonic() - start > self.timeout + _COMMAND_SECONDS * done:
                # It is run as the owner, who can hold it up: once, not once for every session.
                trouble.append("notify_command: too slow for %s; not run for the rest" % shown(one.server.user.name))
                break
        return trouble

    def text(self, case: Case, deadline: int) -> str:
        """The message for one session. Only the placeholders are replaced; nothing in it is expanded."""
        values: Dict[str, str] = {
            "{name}": shown(case.session.name),
            "{id}": case.session.id,
            "{deadline}": when(deadline),
            "{reason}": case.verdict.detail.split(";")[0],
        }
        # In one go: a value may look like a placeholder.
        placeholders = "|".join(re.escape(placeholder) for placeholder in values)
        return shown(re.sub(placeholders, lambda found: values[found.group()], self.message))

    def _show(self, one: Seen, cases: Sequence[Case], deadline: int) -> List[str]:
        texts = [self.text(case, deadline) for case in cases[:_NAMED]]
        if len(cases) > _NAMED:
            texts.append("and %d more sessions" % (len(cases) - _NAMED))
        # display-message expands formats and dates.
        said = "; ".join(texts).replace("#", "##").replace("%", "%%")
        longer = ["-d", str(_SHOWN_MILLISECONDS)] if one.listing.version.at_least(3, 2) else []
        try:
            for client in self._clients(one):
                one.client.call([["display-message"] + client + longer + [said]])
        except TmuxError as error:
            return ["%s: nobody could be told: %s" % (shown(one.server.socket), error.message)]
        return []

    @staticmethod
    def _clients(one: Seen) -> List[List[str]]:
        """How to name each client; tmux 3.2 takes no name, and shows it to the one that was used last."""
        nonce = secrets.token_hex(8)
        command: Command = ["list-clients", "-F", row(nonce, "c", ["#{client_name}", "#{client_control_mode}"])]
        listed = rows(to_text(one.client.call([command])), nonce)
        names = [fields[0] for _kind, fields in listed if len(fields) == 2 and fields[0] and fields[1] != "1"]
        if (one.listing.version.major, one.listing.version.minor) == (3, 2):
            return [[]] if names else []
        return [["-c", name] for name in names]

    def _run(self, one: Seen, case: Case, deadline: int) -> Optional[str]:
        user = one.server.user
        words = list(self.command) + [shown(case.session.name), shown(user.name), when(deadline)]
        try:
            outcome = run(words, user=user if self.as_user else None, env=environment(user), timeout=self.timeout)
        except (OSError, ValueError) as error:
            return "notify_command: %s" % error
        if outcome.timed_out:
            return "notify_command: it did not end within %g seconds" % self.timeout
        if outcome.rc != 0:
            said = shown(to_text(outcome.err).strip())[:200]
            return "notify_command: exit status %d for session %s: %s" % (outcome.rc, shown(case.session.name), said)
        return None


def when(moment: int) -> str:
    """A moment as people and programs read it, in the host's time zone: ``2026-12-24 18:00:00+0100``."""
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).astimezone().strftime("%Y-%m-%d %H:%M:%S%z")
