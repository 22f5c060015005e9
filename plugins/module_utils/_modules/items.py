# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions in the shape of a result, which is the same in all modules."""

from types import MappingProxyType
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import NAME_CHARS, brief, shown
from ansible_collections.fleet.tmux.plugins.module_utils._modules.bounds import FILES, OPTION_CHARS, OPTIONS, first
from ansible_collections.fleet.tmux.plugins.module_utils._policy.cleanups import CleanedUp
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import CLOCK_WORDS, clock_words, idle_seconds
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session, Unread
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Server

Item = Dict[str, Any]

WHO = ("name", "id", "identity", "owner", "socket")
"""What every item about a session begins with, whatever it goes on to say."""

_WHAT = (*CLOCK_WORDS, "idle", "attached", "width", "height", "group", "options")


def named(text: str) -> str:
    """A name as results have it."""
    return brief(text, NAME_CHARS)


def who(owner: str, socket: str, name: str, identifier: Optional[str] = None, identity: Optional[str] = None) -> Item:
    """Which session it is: one that is not there yet has no ``identifier``, one that cannot be read no ``identity``."""
    values = (named(name), identifier and brief(identifier), identity, named(owner), brief(socket))
    return dict(zip(WHO, values))


def who_is(one: Seen, session: Session) -> Item:
    """Which session it is, of those that a server has listed."""
    return who(one.server.user.name, one.server.socket, session.name, session.id, one.identity(session))


def session_item(one: Seen, session: Session, options: Mapping[str, Optional[str]], now: int) -> Item:
    """A session that a server has listed. ``options``: its user options."""
    listed, more = _options(options)
    window = next((window for window in session.windows if window.active), session.windows[0])
    return dict(
        dict(who_is(one, session), **clock_words(session)),
        idle=idle_seconds(session, "any", now),
        attached=session.attached,
        width=window.width,
        height=window.height,
        group=named(session.group) or None,
        options=listed,
        more={"options": more},
    )


def _options(options: Mapping[str, Optional[str]]) -> Tuple[Item, int]:
    """User options, and how many more there are."""
    listed, more = first(sorted(options), OPTIONS)
    return {brief(key): _option(options[key]) for key in listed}, more


def _option(value: Optional[str]) -> Optional[str]:
    """The value of an option, which may have lines and is harmless already."""
    if value is None or len(value) <= OPTION_CHARS:
        return value
    return "%s... and %d more characters" % (value[:OPTION_CHARS], len(value) - OPTION_CHARS)


def unread_item(server: Server, lost: Unread) -> Item:
    """A session that is there and of which nothing else is known."""
    item = dict(who(server.user.name, server.socket, lost.name, lost.id), **dict.fromkeys(_WHAT))
    return dict(item, more={"options": 0})


def new_item(
    server: Server,
    name: str,
    width: Optional[int],
    height: Optional[int],
    options: Mapping[str, Optional[str]] = MappingProxyType({}),
) -> Item:
    """A session that is not there yet, as far as it can be told how it will be."""
    listed, more = _options(options)
    known: Item = {"attached": 0, "width": width, "height": height, "options": listed, "more": {"options": more}}
    return dict(who(server.user.name, server.socket, name), **dict(dict.fromkeys(_WHAT), **known))


_PATH_CHARS = 4096


def files_told(done: CleanedUp, discreet: bool) -> Item:
    """What became of the files that go with a session. Their paths are somebody's words, their numbers are not."""
    limit = 0 if discreet else FILES
    removed, more = first(done.removed, limit)
    left, others = first(list(done.left.items()), limit)
    return {
        "removed_files": [brief(path, _PATH_CHARS) for path in removed],
        "left_files": [{"path": brief(path, _PATH_CHARS), "reason": brief(why)} for path, why in left],
        "more": {"removed_files": more, "left_files": others},
    }


def still_there(name: str, done: CleanedUp) -> List[str]:
    """What is to be said of files that should have gone with a session."""
    number = len(done.left)
    files = "1 file is" if number == 1 else "%d files are" % number
    return [f"cleanup of session {shown(name)!r}: {files} still there, see left_files"] if number else []


def in_order(items: Iterable[Item]) -> List[Item]:
    """Sorted by owner, socket, name and id."""
    return sorted(items, key=lambda item: (item["owner"], item["socket"], item["name"], item["id"] or ""))
