# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words in which people are told that a session will go, or has gone. Pure.

What can be done about it comes first: on a narrow terminal the rest may not be seen. Whatever its owner has chosen is
written so that it is harmless.
"""

import re
import shlex
import time
from typing import List, NamedTuple, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._actions.restore import way_back
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import (
    MONTHS,
    brief,
    columns,
    cut,
    folded,
    shown,
    when,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import MARKED

WIDTH = 60
"""Columns that a line of a notice takes at most; only what is to be typed may be longer, and stays in one line."""
INDENT = "    "

_NAME_COLUMNS = 40
_LEAST_OF_NAME = 8
_REMOVED_COLUMNS = 30
_WHY_CHARS = 200
_PLAIN_SOCKET = re.compile(r"/tmp/tmux-[0-9]+/([A-Za-z0-9_.@+][A-Za-z0-9_.@+-]*)\Z")
_USUAL = "default"


class News(NamedTuple):
    """What is told of one session.

    ``what``: marked, or removed. ``moment``: when it may go, or has gone. ``why``: in words. ``snapshot``: where it was
    saved. ``place``: which of its owner's servers it is in.
    """

    what: str
    identity: str
    id: str
    name: str
    socket: str
    moment: int
    why: str
    snapshot: Optional[str] = None
    place: int = 0

    @property
    def title(self) -> str:
        """Its name, harmless and not too long."""
        return cut(brief(self.name, 200), _NAME_COLUMNS)


def to_keep(news: News, named: bool) -> str:
    """The command by which its owner keeps a session.

    :param named: whether its server must be named: where another one may be meant else.
    """
    if not news.socket.isprintable():
        return "tmux set @keep on"
    return " ".join(["tmux", *server_of(news.socket, named), "set -t '%s' @keep on" % news.id])


def to_keep_from(news: News, here: str) -> str:
    """The same, typed where the server at ``here`` is meant by itself."""
    return to_keep(news._replace(socket="/tmp/tmux-0/default") if news.socket == here else news, news.socket != here)


def server_of(socket: str, named: bool = False) -> List[str]:
    """How a server is named to tmux, as words for a shell: not at all where it is the usual one, unless it must be.

    A path that nobody can type is in no command.
    """
    plain = _PLAIN_SOCKET.match(socket)
    if plain is None:
        return ["-S", shlex.quote(socket)] if socket and socket.isprintable() else []
    return ["-L", plain.group(1)] if named or plain.group(1) != _USUAL else []


def to_restore(snapshot: str, socket: str, named: bool = False) -> str:
    """The command by which its owner gets a session back that was saved there, on the server that it was on."""
    return " ".join([way_back(shown(snapshot)), *server_of(socket, named)])


# --- one line, in tmux ------------------------------------------------------------------------------------------------


def notice_line(every: Sequence[News], here: str) -> str:
    """What is shown in tmux, to a client of the server at ``here``, of sessions that will go."""
    until = _short(every[0].moment)
    if len(every) == 1:
        (news,) = every
        keep = to_keep_from(news, here)
        end = " goes %s" % until
        room = WIDTH - columns(keep + ", or " + end)
        if room >= min(_LEAST_OF_NAME, columns(news.title)):
            return "%s, or %s%s" % (keep, cut(news.title, room), end)
    if len(every) == 1:
        end = ", or it goes %s" % until
        start = "tmux set @keep on in "
    else:
        end = " go %s" % until
        start = "tmux set @keep on in each, or "
    return start + _names(every, WIDTH - columns(start + end)) + end


def removed_line(every: Sequence[News], here: str) -> str:
    """What is shown in tmux, to a client of the server at ``here``, of sessions that were removed.

    What brings them back comes first, so that it is not cut off.
    """
    why = brief(", ".join(dict.fromkeys(news.why for news in every)), _WHY_CHARS)
    names = _names(every, _REMOVED_COLUMNS)
    saved = [news for news in every if news.snapshot is not None]
    if not saved:
        return "%s %s removed (%s), and not saved" % (names, "was" if len(every) == 1 else "were", why)
    if len(every) == 1:
        (news,) = saved
        command = to_restore(news.snapshot or "", news.socket, news.socket != here)
        return "%s brings back %s, removed (%s)" % (command, names, why)
    place = shown((saved[0].snapshot or "").rpartition("/")[0])
    return "ls %s; sh NAME/restore there brings back %s, removed (%s)" % (shlex.quote(place), names, why)


def removed_besides(every: Sequence[News], here: str) -> str:
    """The same, behind what is said of others: that it was so comes first, and what may be cut off last."""
    names = _names(every, _REMOVED_COLUMNS)
    saved = [news for news in every if news.snapshot is not None]
    if not saved:
        return "%s removed, not saved" % names
    if len(every) == 1:
        return "%s removed: %s" % (names, to_restore(saved[0].snapshot or "", saved[0].socket, saved[0].socket != here))
    return "%s removed: ls %s" % (names, shlex.quote(shown((saved[0].snapshot or "").rpartition("/")[0])))


def _names(every: Sequence[News], room: int) -> str:
    """As many names as there is room for, and how many more there are; if there is room for none, how many."""
    if len(every) == 1:
        return cut(every[0].title, room)
    text = ""
    for told in range(1, len(every) + 1):
        longer = ", ".join(news.title for news in every[:told]) + _more(len(every) - told)
        if columns(longer) > room:
            break
        text = longer
    return text or "%d sessions" % len(every)


def _more(number: int) -> str:
    return " & %d more" % number if number else ""


# --- some lines, for a login and a mail -------------------------------------------------------------------------------


def lines_of(news: News, named: bool) -> List[str]:
    """What is shown at a login, and mailed, of one session."""
    why = brief(news.why, _WHY_CHARS)
    if news.what == MARKED:
        return [to_keep(news, named)] + _told(
            "keeps tmux session %s, which is otherwise removed after %s (%s)." % (news.title, _long(news), why)
        )
    said = "tmux session %s was removed %s (%s). " % (news.title, _long(news), why)
    if news.snapshot is None:
        server = server_of(news.socket)
        where = "It was on the server %s, and was not saved." % " ".join(server) if server else "It was not saved."
        return folded(said + where, WIDTH)
    return folded(said + "To get it back:", WIDTH) + [INDENT + to_restore(news.snapshot, news.socket, named)]


def _told(text: str) -> List[str]:
    return folded(text, WIDTH, INDENT)


def more_lines(what: str, number: int) -> List[str]:
    """The same of those that are too many to be told of one by one."""
    if what == MARKED:
        return folded("and %d more tmux sessions of yours will go" % number, WIDTH)
    return folded("and %d more tmux sessions of yours were removed" % number, WIDTH)


def _short(moment: int) -> str:
    """A moment as short as it can be understood: ``24 Dec 18:00``, whatever the language of this run is."""
    then = time.localtime(moment)
    return "%d %s %02d:%02d" % (then.tm_mday, MONTHS[then.tm_mon - 1], then.tm_hour, then.tm_min)


def _long(news: News) -> str:
    return when(news.moment)[: len("2026-12-24 18:00")]
