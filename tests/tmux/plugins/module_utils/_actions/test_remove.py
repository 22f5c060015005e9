# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A removal hits who was judged, as it was judged, and nobody else; and says what became of each."""

import os
import signal
import time
from typing import Callable, Dict, Iterable, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import remove as removal
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import Command, expanded_literal
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World


def judged(world: World, *ids: str) -> List[Session]:
    return [session for session in world.listing().sessions if session.id in ids]


def remove(world: World, sessions: List[Session]) -> removal.Removal:
    """What a run does with sessions that it has listed."""
    return removal.remove_unchanged(world.client(), world.listing().version, sessions)


def results(done: removal.Removal) -> Dict[str, str]:
    return {identity: answer.result for identity, answer in done.answers.items()}


def settle(world: World, *ids: str) -> None:
    """Wait until the next second: the clocks of tmux know no smaller one."""
    newest = max([output_of(session) for session in judged(world, *ids)] + [int(time.time()) - 1])
    eventually(lambda: int(time.time()) > newest, "the clock goes on")


def test_what_is_unchanged_is_removed_and_nothing_else(server: World) -> None:
    gone, also_gone, stays = server.new("build"), server.new("old"), server.new("build-2")
    done = remove(server, judged(server, gone, also_gone))
    assert results(done) == {gone: "done", also_gone: "done"}
    assert server.ids() == [identity for identity in server.ids() if identity in ("$0", stays)]
    assert {"$0", stays} == set(server.ids())
    assert done.after is not None and {session.id for session in done.after.sessions} == {"$0", stays}


def test_all_sessions_can_be_removed_and_the_server_with_them(server: World) -> None:
    other = server.new("other")
    done = remove(server, judged(server, "$0", other))
    assert results(done) == {"$0": "done", other: "done"}
    eventually(lambda: server.pid() == 0, "the server ends")


def attach_and_leave(world: World, identity: str) -> None:
    with world.attached(identity):
        pass


CHANGES: Dict[str, Callable[[World, str], object]] = {
    "renamed": lambda world, it: world.run("rename-session", "-t", it, "other name"),
    "kept": lambda world, it: world.tmux("set-option", "-t", it, "@keep", "on"),
    "kept in vain": lambda world, it: world.tmux("set-option", "-t", it, "@keep", "}"),
    "a new window": lambda world, it: world.tmux("new-window", "-d", "-t", it + ":", "cat"),
    "a new pane": lambda world, it: world.tmux("split-window", "-d", "-t", it + ":", "cat"),
    "another process": lambda world, it: world.tmux("respawn-pane", "-k", "-t", it + ":", "cat"),
    "another window": lambda world, it: world.tmux("new-window", "-k", "-t", it + ":0", "cat"),
    "attached for a moment": attach_and_leave,
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_what_has_changed_since_it_was_judged_lives(server: World, change: str) -> None:
    touched, still = server.new("touched"), server.new("still")
    sessions = judged(server, touched, still)
    CHANGES[change](server, touched)
    done = remove(server, sessions)
    assert results(done) == {touched: "changed", still: "done"}
    assert done.answers[touched].detail
    assert {"$0", touched} == set(server.ids())
    assert server.session(touched).panes
    # The next run looks anew, and then it may go.
    assert results(remove(server, judged(server, touched))) == {touched: "done"}


def test_what_is_attached_lives(server: World) -> None:
    identity = server.new("touched")
    sessions = judged(server, identity)
    with server.attached(identity):
        assert results(remove(server, sessions)) == {identity: "changed"}
        assert identity in server.ids()


def test_what_has_printed_since_lives(server: World) -> None:
    shown, hidden = server.new("shown", "sh", "-c", "read line; echo done; exec cat"), server.new("hidden")
    server.tmux("new-window", "-d", "-t", hidden + ":7", "read line; echo done; exec cat")
    settle(server, shown, hidden)
    sessions = judged(server, shown, hidden)
    for where in (shown + ":", hidden + ":7"):
        server.tmux("send-keys", "-t", where, "x", "Enter")
    for before in sessions:
        eventually(lambda before=before: output(server, before.id) > output_of(before), "it prints")  # type: ignore[misc]
    assert results(remove(server, sessions)) == {shown: "changed", hidden: "changed"}
    assert {shown, hidden} < set(server.ids())


def output_of(session: Session) -> int:
    return max(window.clocks["window_activity"] or 0 for window in session.windows)


def output(world: World, identity: str) -> int:
    return output_of(world.session(identity))


def test_a_pane_that_has_died_since_is_a_change(server: World) -> None:
    identity = server.new("touched", "sh", "-c", "read line")
    server.tmux("set-option", "-w", "-t", identity + ":", "remain-on-exit", "on")
    sessions = judged(server, identity)
    os.kill(sessions[0].pids[0], signal.SIGKILL)
    eventually(lambda: server.reap() and server.session(identity).panes[0].dead, "the pane is dead")
    assert results(remove(server, sessions)) == {identity: "changed"}
    assert results(remove(server, judged(server, identity))) == {identity: "done"}, "a dead pane is no obstacle"


def test_what_went_by_itself_has_vanished(server: World) -> None:
    gone, stays = server.new("gone"), server.new("stays")
    sessions = judged(server, gone, stays)
    server.tmux("kill-session", "-t", gone)
    again = server.new("gone")
    done = remove(server, sessions)
    assert results(done) == {gone: "vanished", stays: "done"}
    assert again in server.ids(), "a session of the same name is another session"
    assert server.pid(), "the server is well"


def test_whatever_it_does_it_is_still_who_it_was(server: World) -> None:
    busy, renamed = server.new("busy"), server.new("renamed")
    sessions = judged(server, busy, renamed)
    server.tmux("new-window", "-d", "-t", busy + ":", "cat")
    server.tmux("set-option", "-t", busy, "@keep", "on")
    server.run("rename-session", "-t", renamed, "somebody else")
    done = removal.remove_same(server.client(), server.version, sessions)
    assert results(done) == {busy: "done", renamed: "changed"}
    assert set(server.ids()) == {"$0", renamed}


def test_another_server_in_its_place_is_left_alone(server: World) -> None:
    sessions = judged(server, "$0")
    server.tmux("kill-server")
    eventually(lambda: server.pid() == 0, "the server ends")
    server.start()
    assert server.ids() == ["$0"]
    for terms in (removal.UNCHANGED, removal.SAME):
        done = removal.remove(server.client(), server.version, sessions, terms)
        assert results(done) == {"$0": "vanished"}
        assert server.ids() == ["$0"]


ODD = [
    "two words",
    "'quoted' \"twice\"",
    "a;",
    ";",
    "#{pid}",
    "##",
    "#[x]",
    "#(true)",
    "a,b",
    "{",
    "}",
    "#{?x,y",
    "=x",
    "-x",
    "$9",
    "@1",
    "%1",
    "~",
    "`id`",
    "|" * 40,
    "x" * 300,
    "🙂é",
    "a\\b",
    "a$b",
    "*",
]


def test_sessions_of_any_name_are_removed_and_tell_each_other_apart(server: World) -> None:
    ids = {}
    for name in ODD:
        word = expanded_literal(name, server.version)
        ids[name] = server.new(word[:-1] + "\\;" if word.endswith(";") else word)
    touched = list(ids.values())[::2]
    sessions = judged(server, *ids.values())
    assert len(sessions) == len(ODD)
    for identity in touched:
        server.tmux("new-window", "-d", "-t", identity + ":", "cat")
    done = remove(server, sessions)
    assert results(done) == {it: "changed" if it in touched else "done" for it in ids.values()}
    assert set(server.ids()) == {"$0"} | set(touched)
    assert results(remove(server, judged(server, *touched))) == dict.fromkeys(touched, "done")


@pytest.mark.parametrize("keep", ["off", "2001-01-01", "a,b", "#{pid}", "'\"", "$x", "é", "no thanks;"])
def test_an_odd_keep_does_not_stop_a_removal(server: World, keep: str) -> None:
    identity = server.new("work")
    server.tmux("set-option", "-t", identity, "@keep", keep[:-1] + "\\;" if keep.endswith(";") else keep)
    sessions = judged(server, identity)
    assert results(remove(server, sessions)) == {identity: "done"}


def test_a_window_of_two_sessions_lives_on_in_the_other(server: World) -> None:
    identity = server.new("main")
    peer = server.tmux("new-session", "-d", "-P", "-F", "#{session_id}", "-t", "main", "-s", "peer")
    (pid,) = server.session(identity).pids
    assert results(remove(server, judged(server, peer))) == {peer: "done"}
    assert server.session(identity).pids == [pid]


def many(world: World, number: int) -> List[str]:
    """So many sessions, made by a few clients."""
    commands: List[Command] = [["new-session", "-d", "-s", "many %d" % index, "cat"] for index in range(number)]
    for start in range(0, number, 100):
        world.client().call(commands[start : start + 100])
    return [session.id for session in world.listing().sessions if session.name.startswith("many ")]


def test_hundreds_of_sessions_take_a_handful_of_clients(server: World) -> None:
    sessions = judged(server, *many(server, 150))
    client = server.client()
    done = removal.remove_unchanged(client, server.version, sessions)
    assert set(results(done).values()) == {"done"}
    assert len(done.answers) == 150
    assert server.ids() == ["$0"]
    assert client.calls <= 9, "one client for each session would be 150"


class Stopping(Client):
    """A client whose server stops answering when it is called for the second time."""

    pid = 0

    def call(
        self, commands: Iterable[Command], stdin: bytes = b"", work: int = 0, limit: Optional[int] = None
    ) -> bytes:
        if self.calls == 1:
            os.kill(self.pid, signal.SIGSTOP)
            self.timeout = -0.05 * work + 0.2
        return super().call(commands, stdin, work, limit)


def test_a_server_that_stops_answering_half_way_leaves_no_session_without_an_outcome(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "PER_CALL", 3)
    sessions = judged(server, *many(server, 8))
    plain = server.client()
    client = Stopping(server.binary, server.path, server.user, os.geteuid() == 0, plain.timeout)
    client.pid = server.pid()
    done = removal.remove_unchanged(client, server.version, sessions)
    assert done.after is None
    assert list(results(done).values()) == ["done"] * 3 + ["error"] * 5
    assert "did not answer" in done.answers[sessions[-1].id].detail
    assert client.calls == 3, "a server that hangs is not asked for the rest"


def test_a_session_with_a_great_many_windows_is_compared_whole(server: World) -> None:
    identity = server.new("work")
    for _ten in range(30):
        server.tmux(*(["new-window", "-d", "-t", identity + ":", "cat", ";"] * 10)[:-1])
    (session,) = judged(server, identity)
    server.tmux("kill-pane", "-t", session.panes[-1].id)
    assert results(remove(server, [session])) == {identity: "changed"}
    (session,) = judged(server, identity)
    assert len(session.windows) == 300
    assert results(remove(server, [session])) == {identity: "done"}


def test_nothing_to_remove_asks_nobody(shared: World) -> None:
    done = removal.remove_unchanged(shared.client(), shared.version, [])
    assert done.answers == {}
