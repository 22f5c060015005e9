# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""User options of a session are read as they are, whatever is written there; inherited ones are none of its own."""

from typing import Any, Dict, Mapping, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.details import with_own_options
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Hung
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import look
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host, locate
from ansible_collections.fleet.tmux.tests.support.runs import EVERYTHING, Clock, Gently, Prepared, seen, told
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE
from ansible_collections.fleet.tmux.tests.support.world import World

NAMES = ("@made_by", "@n")


def read(server: World) -> Dict[str, Optional[Mapping[str, str]]]:
    found = with_own_options(seen(server), NAMES)
    return {session.name: session.options for session in found.listing.sessions}


def test_what_is_inherited_is_not_its_own(server: World) -> None:
    server.tmux("set-option", "-g", "@made_by", "agent")
    for name, value in (("own", "agent"), ("other", "me"), ("empty", "")):
        server.tmux("set-option", "-t", server.new(name), "@made_by", value)
    assert read(server) == {
        "first": {}, "own": {"@made_by": "agent"}, "other": {"@made_by": "me"}, "empty": {"@made_by": ""},
    }  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        "a b",
        "x\ny\n",
        "\n",
        "@n 5",
        "x\n@n agent",
        "$HOME $1 ~ \\",
        "#{pid} #(true) %H }",
        "é 🙂",
        "'\"; kill-server",
    ],
)
def test_hostile_values_are_read_as_they_are(server: World, value: str) -> None:
    server.tmux("set-option", "-t", "$0", "@made_by", value)
    assert read(server) == {"first": {"@made_by": value}}


def test_it_is_one_call_for_all(server: World) -> None:
    for number in range(60):
        server.tmux("set-option", "-t", server.new("n%02d" % number), "@n", str(number))
    found = seen(server)
    calls = found.client.calls
    told_ = with_own_options(found, NAMES).listing.sessions
    assert found.client.calls == calls + 1
    assert [it.options for it in told_] == [{}, *({"@n": str(number)} for number in range(60))]
    assert with_own_options(found, ()) == found and found.client.calls == calls + 1


def test_a_session_that_has_gone_costs_the_others_nothing(server: World) -> None:
    server.new("gone")
    server.tmux("set-option", "-t", server.new("own"), "@n", "5")
    found = seen(server)
    server.tmux("kill-session", "-t", "gone")
    assert [it.options for it in with_own_options(found, NAMES).listing.sessions] == [{}, {}, {"@n": "5"}]


def test_what_a_server_does_not_tell_is_not_known(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    found = seen(server)

    def hang(*_words: object, **_more: object) -> bytes:
        raise Hung("tmux did not answer", ["tmux"])

    monkeypatch.setattr(found.client, "script", hang)
    assert [it.options for it in with_own_options(found, NAMES).listing.sessions] == [None]


@pytest.mark.parametrize("lost", range(4))
def test_a_value_whose_end_was_not_told_is_not_known(server: World, monkeypatch: pytest.MonkeyPatch, lost: int) -> None:
    """tmux 3.7 prints an empty line for a text for which it has no time: two values would pass for one."""
    server.tmux("set-option", "-t", "$0", "@made_by", "agent")
    server.new("other")
    whole = Client.script

    def without_one(*given: Any, **more: Any) -> bytes:
        lines = whole(*given, **more).split(b"\n")
        at = [number for number, line in enumerate(lines) if b"|" in line][lost + 1]
        return b"\n".join([*lines[:at], b"", *lines[at + 1 :]])

    monkeypatch.setattr(Client, "script", without_one)
    known = {"first": {"@made_by": "agent"}, "other": {}}
    unknown = {"first": [0, 1], "other": [1, 2, 3]}
    assert read(server) == {name: None if lost in unknown[name] else known[name] for name in known}


def test_only_what_is_chosen_is_removed_if_it_still_is(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock(monkeypatch).ahead = 10
    by = EVERYTHING._replace(where={"@made_by": "agent"})
    for name in ("mine", "late"):
        server.tmux("set-option", "-t", server.new(name), "@made_by", "agent")
    host = Host(server.binary, PATIENCE, Directory(PATIENCE))
    listed = look(host, locate(host, server.path), None, by.guards)
    run = Prepared([with_own_options(listed, tuple(by.where))], by, Gently())
    assert run.examined.not_matched == 1
    assert {it.subject.session.name: it.reason for it in run.examined.decisions} == {"mine": "idle", "late": "idle"}
    server.tmux("set-option", "-t", "late", "@made_by", "me")
    assert told(run.finish()) == {"mine": "removed: idle", "late": "kept: changed"}
