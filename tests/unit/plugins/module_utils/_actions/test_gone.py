# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notice of a session that somebody has ended is no notice any more, where that is known."""

from typing import Any

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.hands import Gone
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import parse_version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import NOTHING, Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Listing, Unread
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Server
from ansible_collections.fleet.tmux.tests.support import sessions as make

SESSION = make.session("there")
LISTING = Listing(99, 5, parse_version("3.5a"), (SESSION,), ())
THERE = "99/5/$1/%d" % SESSION.created


def seen(listing: Listing) -> Seen:
    client: Any = None
    return Seen(Server("/tmp/tmux-1000/default", User("anna", 1000, 1000), "ok"), client, listing)


def test_who_is_listed_is_there() -> None:
    assert THERE not in Gone((), [seen(LISTING)])
    assert THERE in Gone({THERE}, [seen(LISTING)])


def test_who_is_not_listed_by_its_own_server_is_gone() -> None:
    gone = Gone((), [seen(LISTING)])
    assert "99/5/$2/6" in gone
    for other in ("98/5/$2/6", "99/4/$2/6", "-", ""):
        assert other not in gone


@pytest.mark.parametrize(
    "listing",
    [NOTHING, LISTING._replace(whole=False), LISTING._replace(unread=(Unread("$2", "", "cut off"),))],
    ids=["none", "cut off", "unread"],
)
def test_what_was_not_listed_whole_says_nothing_of_others(listing: Listing) -> None:
    assert "99/5/$2/6" not in Gone((), [seen(listing)])
