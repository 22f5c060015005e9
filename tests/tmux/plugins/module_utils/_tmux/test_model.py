# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A listing of a real server is read as it is, with one client."""

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import model
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import NoServer
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World


def test_a_real_server_is_read_with_one_client(shared: World) -> None:
    client = shared.client()
    listing = model.read(client)
    assert client.calls == 1
    assert listing.pid == shared.pid()
    assert listing.version == shared.version
    (session,) = listing.sessions
    assert (session.name, session.id, session.attached, session.keep) == ("first", "$0", 0, "")
    (pane,) = session.panes
    assert pane.id == "%0" and not pane.dead


def test_a_server_without_sessions_has_none(server: World) -> None:
    server.tmux("set-option", "-s", "exit-empty", "off")
    server.tmux("kill-session", "-t", "$0")
    listing = model.read(server.client())
    assert (listing.sessions, listing.unread) == ((), ())


def test_no_server_is_no_session(absent: World) -> None:
    with pytest.raises(NoServer):
        model.read(absent.client())
    assert model.read_or_nothing(absent.client()).sessions == ()


def test_an_attached_client_and_its_clock_are_seen(server: World) -> None:
    with server.attached("$0"):
        session = server.session("$0")
        assert session.attached == 1
        assert session.clocks["session_last_attached"] is not None
        assert (session.clocks["client_activity"] or 0) >= session.created
    session = eventually(lambda: [it for it in server.listing().sessions if not it.attached], "it is detached")[0]
    assert session.clocks["session_last_attached"] is not None


def test_a_window_in_two_places_of_one_session_is_read(server: World) -> None:
    identity = server.new("links")
    server.tmux("split-window", "-d", "-t", identity + ":", "cat")
    number = server.session(identity).windows[0].number
    server.tmux("link-window", "-d", "-s", "%s:%d" % (identity, number), "-t", "%s:7" % identity)
    session = server.session(identity)
    assert [(window.number, len(window.panes)) for window in session.windows] == [(number, 2), (7, 2)]
    assert len({window.id for window in session.windows}) == 1
