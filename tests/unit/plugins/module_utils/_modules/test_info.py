# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whoever looks is told of every session that is there, also of one of which little is known."""

from typing import Any, List, Optional, Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Processes
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._modules.info import Wish, describe, exists
from ansible_collections.fleet.tmux.plugins.module_utils._modules.resources import UNKNOWN
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import parse_version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Hung
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Listing, Session, Unread
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Server
from ansible_collections.fleet.tmux.tests.support.sessions import NOW, session

ALICE = User("alice", 1000, 1000)


class Silent(Client):
    """A server that has listed what it holds, and does not answer any more."""

    def __init__(self) -> None:
        super().__init__("tmux", "/tmp/s", ALICE, False, 1.0)

    def call(self, commands: Any, stdin: bytes = b"", work: int = 0, limit: Optional[int] = None) -> bytes:
        raise Hung("tmux did not answer within 1 seconds")


def seen(sessions: Sequence[Session] = (), unread: Sequence[Unread] = ()) -> Seen:
    listing = Listing(99, 5, parse_version("3.3a"), tuple(sessions), tuple(unread))
    return Seen(Server("/tmp/s", ALICE, "ok"), Silent(), listing)


@pytest.mark.parametrize(
    ("names", "there", "found"),
    [(None, True, ["odd"]), (["odd"], True, ["odd"]), (["odd", "more"], False, ["odd"]), (["more"], False, [])],
)
def test_a_session_that_cannot_be_read_is_there_all_the_same(
    names: Optional[List[str]], there: bool, found: List[str]
) -> None:
    wish = Wish(names, (), 100)
    told = describe([seen(unread=[Unread("$7", "odd", "its rows do not make sense")])], wish, NOW)
    assert exists(told.there, wish) == there
    assert ([item["name"] for item in told.sessions], told.trouble) == (found, [])
    for item in told.sessions:
        known = {key: value for key, value in item.items() if value is not None}
        assert known == {"name": "odd", "id": "$7", "owner": "alice", "socket": "/tmp/s", "more": {"options": 0}}


def test_what_cannot_be_asked_for_is_said_and_the_rest_is_told() -> None:
    told = describe([seen([session("work")])], Wish(None, ("content",), 100), NOW)
    assert told.trouble == ["/tmp/s: tmux did not answer within 1 seconds"] * 2
    (item,) = told.sessions
    assert (item["name"], item["idle"], item["options"]) == ("work", 1000, {})
    assert [pane["content"] for window in item["windows"] for pane in window["panes"]] == [None]


def test_where_nothing_is_nothing_exists() -> None:
    for names in (None, [], ["work"]):
        wish = Wish(names, (), 100)
        told = describe([seen()], wish, NOW)
        assert (exists(told.there, wish), told.sessions) == (False, [])


def test_what_nobody_asks_for_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def of(*_uids: int) -> Processes:
        raise AssertionError("processes were read")

    monkeypatch.setattr(Processes, "of", of)
    told = describe([seen([session("work")])], Wish(None, ("windows",), 100), NOW)
    assert (["resources" in item for item in told.sessions], told.used) == ([False], [])


def test_of_what_cannot_be_read_it_is_said_that_nothing_is_known() -> None:
    wish = Wish(None, ("resources",), 100)
    told = describe([seen([session("work")], [Unread("$7", "odd", "its rows do not make sense")])], wish, NOW)
    assert [(item["name"], item["resources"]["processes"]) for item in told.sessions] == [("odd", None), ("work", 0)]
    assert told.used == [UNKNOWN]
