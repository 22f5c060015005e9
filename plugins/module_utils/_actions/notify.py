# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells people that a session of theirs will go, or has gone, wherever they can be reached.

In tmux, at their next login, by mail, and by a command of the admin's choice. Nothing of it keeps a run from its end:
what goes wrong is told.
"""

import re
import secrets
import time
from typing import Container, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions import mail, texts
from ansible_collections.fleet.tmux.plugins.module_utils._actions.notices import Notices
from ansible_collections.fleet.tmux.plugins.module_utils._actions.texts import News
from ansible_collections.fleet.tmux.plugins.module_utils._host.child import environment, run
from ansible_collections.fleet.tmux.plugins.module_utils._host.limits import Limits
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import WITHHELD, defect
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import NAME_CHARS, brief, shown, to_text, when
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import MARKED, REMOVED
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import Capability, Command, message
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import row, rows

_SHOWN_MILLISECONDS = 15000
_NAMED = 3
_COMMAND_SECONDS = 0.5
"""Seconds that the command may take on average; the first one may take the whole time limit."""
_MAIL_LINES = 500
_PANE = re.compile(r"%[0-9]{1,10}\Z")


class Owner(NamedTuple):
    """Who is told: an owner, with all his servers that were looked at.

    ``held``: what his processes were held to while there were some, for what is run as him.
    """

    servers: Sequence[Seen]
    held: Optional[Limits] = None

    @property
    def user(self) -> User:
        return self.servers[0].server.user

    @property
    def named(self) -> bool:
        """Whether a command must name the server that it means."""
        return len(self.servers) > 1

    def left(self, timeout: float) -> float:
        """How long something may take that may take ``timeout`` seconds at most."""
        share = self.servers[0].client.share
        return timeout if share is None else share.left(timeout)

    def used_up(self) -> bool:
        share = self.servers[0].client.share
        return share is not None and bool(share.used_up())


class Notifier(NamedTuple):
    """How people are told. ``command`` is run as the owner; as root, ``as_user`` drops to the owner first.

    ``message`` is what is shown in tmux when notice is given, if it is not what it usually is.
    """

    message: Optional[str]
    command: Sequence[str]
    timeout: float
    as_user: bool
    notices: Optional[Notices] = None
    mail: bool = False

    def tell(self, owner: Owner, news: Sequence[News], gone: Container[str] = ()) -> List[str]:
        """Tell an owner of his sessions; what went wrong.

        :param gone: the identities of sessions of which notice that was given does not hold any more.
        """
        trouble: List[Optional[str]] = []
        if self.notices is not None:
            trouble.append(self.notices.leave(owner.user, news, gone, owner.named, int(time.time())))
        if news:
            trouble += self._show(owner, news)
            trouble.append(self._mail(owner, news) if self.mail else None)
            trouble += self._run_all(owner, news)
        return [problem for problem in trouble if problem]

    # --- in tmux

    def text(self, news: News, here: str) -> str:
        """The admin's own words for one session, for the server at ``here``.

        Only the placeholders are replaced; nothing in it is expanded.
        """
        values: Dict[str, str] = {
            "{name}": shown(news.name),
            "{id}": news.id,
            "{deadline}": when(news.moment),
            "{reason}": news.why,
            "{keep}": texts.to_keep_from(news, here),
        }
        # In one go: a value may look like a placeholder.
        placeholders = "|".join(re.escape(placeholder) for placeholder in values)
        return shown(re.sub(placeholders, lambda found: values[found.group()], self.message or ""))

    def line(self, news: Sequence[News], here: str) -> str:
        """What is shown to the clients of the server at ``here``: one line, for a second one would take its place."""
        marked = [each for each in news if each.what == MARKED]
        removed = [each for each in news if each.what == REMOVED]
        if not marked:
            return texts.removed_line(removed, here)
        parts = [texts.notice_line(marked, here)] if self.message is None else self._own_words(marked, here)
        return "; ".join([*parts, *([texts.removed_besides(removed, here)] if removed else [])])

    def _own_words(self, marked: Sequence[News], here: str) -> List[str]:
        more = ["and %d more sessions" % (len(marked) - _NAMED)] if marked[_NAMED:] else []
        return [*(self.text(each, here) for each in marked[:_NAMED]), *more]

    def _show(self, owner: Owner, news: Sequence[News]) -> List[str]:
        """Tell all clients of an owner; what was removed may have been the last session of its server."""
        trouble = []
        about = {each.place for each in news if each.what == MARKED}
        for place, one in enumerate(owner.servers):
            if one.server.status != "ok":
                continue
            try:
                self._show_one(one, self.line(news, one.server.socket))
            except TmuxError as error:
                if place in about:
                    trouble.append("%s: nobody could be told: %s" % (shown(one.server.socket), error.message))
        return trouble

    @staticmethod
    def _show_one(one: Seen, line: str) -> None:
        longer = ["-d", str(_SHOWN_MILLISECONDS)] if one.listing.version.has(Capability.MESSAGE_DELAY) else []
        try:
            for named, pane in _clients(one):
                one.client.pane = pane
                one.client.call([["display-message", *named, *longer, message(line)]])
        finally:
            one.client.pane = ""

    # --- by mail

    def _mail(self, owner: Owner, news: Sequence[News]) -> Optional[str]:
        lines: List[str] = []
        for each in news:
            lines += texts.lines_of(each, owner.named)
            if len(lines) > _MAIL_LINES:
                lines.append("and more")
                break
        return mail.send(owner.user.name, _subject(news), lines, owner.left(self.timeout))

    # --- by a command

    def _run_all(self, owner: Owner, news: Sequence[News]) -> Iterator[str]:
        start = time.monotonic()
        for done, each in enumerate(news if self.command else ()):
            problem = self._run(owner, each, owner.left(self.timeout))
            if problem:
                yield problem
            if owner.used_up() or time.monotonic() - start > self.timeout + _COMMAND_SECONDS * done:
                # It is run as the owner, who can hold it up: once, not once for every session, or every server.
                yield "notify_command: too slow for %s; not run for the rest" % shown(owner.user.name)
                return

    def _run(self, owner: Owner, news: News, timeout: float) -> Optional[str]:
        user, one = owner.user, owner.servers[news.place]
        words = [shown(news.name), shown(user.name), when(news.moment), news.what, shown(news.snapshot or "")]
        try:
            ended = run(
                [*self.command, *words],
                user=user if self.as_user else None,
                env=environment(user),
                timeout=timeout,
                like=owner.held or one.server.pid,
            )
        except OSError as error:
            return "notify_command: %s" % error  # It names the command, which is the admin's.
        except ValueError as error:
            return "notify_command: %s" % defect(error)
        if ended.timed_out:
            return "notify_command: it did not end within %g seconds" % timeout
        if ended.rc != 0:
            said = WITHHELD if one.discreet else brief(to_text(ended.err).strip(), 200)
            return "notify_command: exit status %d for session %s: %s" % (ended.rc, brief(news.name, NAME_CHARS), said)
        return None


def _clients(one: Seen) -> List[Tuple[List[str], str]]:
    """How to name each client, and the pane that it sees.

    Where a client cannot be named, that pane is: whoever has used its session last is meant then.
    """
    nonce = secrets.token_hex(8)
    fields = ["#{client_name}", "#{client_control_mode}", "#{session_id}", "#{pane_id}"]
    command: Command = ["list-clients", "-F", row(nonce, "c", fields)]
    listed = [found for _kind, found in rows(to_text(one.client.call([command])), nonce)]
    listed = [found for found in listed if len(found) == len(fields) and found[0] and found[1] != "1"]
    if one.listing.version.has(Capability.MESSAGE_NAMES_NO_CLIENT):
        panes = {session: pane for _name, _mode, session, pane in listed if _PANE.match(pane)}
        return [([], pane) for pane in sorted(panes.values())]
    return [(["-c", name], "") for name, _mode, _session, _pane in listed]


def _subject(news: Sequence[News]) -> str:
    marked = sum(1 for each in news if each.what == MARKED)
    removed = len(news) - marked
    parts = ["%d will go" % marked] * bool(marked) + ["%d were removed" % removed] * bool(removed)
    return "tmux sessions on %s: %s" % (mail.host_name(), ", ".join(parts))
