# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client means somebody, or it does not protect: sessions that are only seen from panes of others go after these."""

import contextlib
import fcntl
import os
import pty
import shlex
import struct
import subprocess
import sys
import termios
import time
from typing import Any, Callable, Dict, Iterator, List, Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import hands
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove import remove_unchanged
from ansible_collections.fleet.tmux.plugins.module_utils._actions.saved import SnapshotError
from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive, Retention
from ansible_collections.fleet.tmux.plugins.module_utils._policy.patterns import matcher
from ansible_collections.fleet.tmux.tests.support.runs import (
    EVERYTHING,
    Clock,
    Gently,
    Prepared,
    item,
    perform,
    prepare,
    reap,
    seen,
    told,
)
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

REMOVED, ATTACHED = "removed: idle", "kept: attached"
WITH_A_PTY = "import pty, sys; pty.spawn(sys.argv[1:])"
"""Runs a program on a terminal of its own, as script and sudo do."""


@pytest.fixture(autouse=True)
def tidy(server: World) -> Iterator[None]:
    yield
    reap(server)


def attaching(world: World, name: str) -> List[str]:
    return ["env", "-u", "TMUX", "TERM=screen", world.binary, "-u", "-S", world.path, "attach-session", "-t", name]


def clients(world: World) -> List[str]:
    return world.run("list-clients", "-F", "#{session_name}").stdout.decode().split()


def nested(server: World, name: str, *inner: str, world: Any = None) -> str:
    """A session whose pane has a client of another one, which is made if it is not there; its id."""
    holder = world or server
    for each in inner:
        if each not in holder.tmux("list-sessions", "-F", "#{session_name}").split():
            holder.new(each)
    draws_once(holder)
    words = [" ".join(map(shlex.quote, attaching(holder, each))) for each in inner]
    before = len(clients(holder))
    identity = server.new(name, "sh", "-c", "; ".join(words)) if len(words) == 1 else _windows(server, name, words)
    eventually(lambda: len(clients(holder)) == before + len(words), "the client attaches")
    for pane in server.session(identity).panes:
        is_drawn(server, pane.id)
    return identity


def draws_once(world: World) -> None:
    """Let clients draw all when they attach, and nothing later by themselves: no time, and no name that changes."""
    for words in (("status-left", "drawn"), ("status-right", "")):
        world.tmux("set-option", "-g", *words)
    for name in ("window-status-format", "window-status-current-format"):
        world.tmux("set-option", "-g", "-w", name, "")


def is_drawn(world: World, place: str) -> None:
    """Wait until a client in a pane has drawn its session: that is output of the pane."""
    eventually(lambda: "drawn" in world.tmux("capture-pane", "-p", "-t", place), "the client has drawn")


def _windows(server: World, name: str, words: Sequence[str]) -> str:
    identity = server.new(name, "sh", "-c", words[0])
    for each in words[1:]:
        server.tmux("new-window", "-d", "-t", identity + ":", "--", "sh", "-c", each)
    return identity


@contextlib.contextmanager
def somebody(world: World, name: str) -> Iterator[None]:
    """Somebody attaches to a session that has a client already, from a terminal of its own."""
    before = clients(world).count(name)
    with pty_running(world, attaching(world, name)):
        eventually(lambda: clients(world).count(name) > before, "somebody attaches")
        yield


@contextlib.contextmanager
def pty_running(world: World, words: List[str]) -> Iterator[None]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        words, stdin=slave, stdout=slave, stderr=slave, env=world.environment(), start_new_session=True
    )
    os.close(slave)
    try:
        yield
    finally:
        process.kill()
        process.wait()
        os.close(master)


def alone(*names: str) -> Any:
    return EVERYTHING._replace(patterns=matcher("patterns", list(names), False))


def before_the(count: int, monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> List[List[str]]:
    """Do something just before the n-th removal; the names of the sessions in each."""
    calls: List[List[str]] = []

    def instead(client: Any, version: Any, sessions: Sequence[Any], *more: Any) -> Any:
        calls.append([session.name for session in sessions])
        if len(calls) == count:
            action()
        return remove_unchanged(client, version, sessions, *more)

    monkeypatch.setattr(hands, "remove_unchanged", instead)
    return calls


def test_a_client_in_a_pane_of_what_goes_does_not_protect_in_check_mode_and_in_a_run(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    nested(server, "outer", "inner")
    everything = {"first": REMOVED, "inner": REMOVED, "outer": REMOVED}
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    promised = perform(server, Gently(), check=True)
    assert told(promised) == everything
    assert len(server.ids()) == 3
    done = perform(server, Gently())
    assert told(done) == everything
    assert server.ids() == []
    for name in everything:
        for key in ("id", "detail", "idle"):
            assert item(done, name)[key] == item(promised, name)[key]
        assert item(done, name)["evidence"]["attached"] == item(promised, name)["evidence"]["attached"]
    assert "; its client sits in a pane of $2, which goes first" in item(done, "inner")["detail"]


def test_the_second_run_finds_nothing_to_do(server: World) -> None:
    nested(server, "outer", "inner")
    policy = alone("outer", "inner")
    assert told(perform(server, Gently(), policy)) == {"inner": REMOVED, "outer": REMOVED}
    for check in (True, False):
        assert told(perform(server, Gently(), policy, check)) == {}


def test_the_outer_session_goes_first(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    nested(server, "b", "a")
    nested(server, "c", "b")
    calls = before_the(0, monkeypatch, lambda: None)
    assert set(told(perform(server, Gently())).values()) == {REMOVED}
    assert calls == [["c", "first"], ["b"], ["a"]]


def test_sessions_that_hold_each_other_go_together(server: World) -> None:
    server.new("a")
    nested(server, "b", "a")
    words = " ".join(map(shlex.quote, attaching(server, "b")))
    server.tmux("new-window", "-d", "-t", "=a:", "--", "sh", "-c", words)
    eventually(lambda: sorted(clients(server)) == ["a", "b"], "both are attached")
    is_drawn(server, "=a:1")
    policy = alone("a", "b")
    both = {"a": REMOVED, "b": REMOVED}
    assert told(perform(server, Gently(), policy, check=True)) == both
    assert told(perform(server, Gently(), policy)) == both


@pytest.mark.parametrize("check", [True, False])
def test_what_an_outer_session_that_stays_shows_stays(server: World, check: bool) -> None:
    outer = nested(server, "outer", "inner")
    server.tmux("set-option", "-t", outer, "@keep", "on")
    result = perform(server, Gently(), check=check)
    assert told(result) == {"first": REMOVED, "inner": ATTACHED, "outer": "kept: keep"}
    assert item(result, "inner")["detail"].startswith("a client in a pane of %s since " % outer)


@pytest.mark.parametrize("check", [True, False])
def test_an_outer_session_that_is_not_looked_at_stays(server: World, check: bool) -> None:
    nested(server, "outer", "inner")
    assert told(perform(server, Gently(), alone("inner"), check)) == {"inner": ATTACHED}


@pytest.mark.parametrize("check", [True, False])
def test_a_pane_goes_with_the_last_session_that_holds_it(server: World, check: bool) -> None:
    nested(server, "outer", "inner")
    server.tmux("link-window", "-d", "-s", "=outer:0", "-t", "=first:9")
    assert told(perform(server, Gently(), alone("outer", "inner"), check)) == {"outer": REMOVED, "inner": ATTACHED}
    if check:
        assert set(told(perform(server, Gently(), check=True)).values()) == {REMOVED}


@pytest.mark.parametrize("check", [True, False])
def test_somebody_at_the_inner_session_protects_it_alone(server: World, check: bool) -> None:
    nested(server, "outer", "inner")
    with somebody(server, "inner"):
        result = perform(server, Gently(), check=check)
        assert told(result) == {"first": REMOVED, "inner": ATTACHED, "outer": REMOVED}


def test_somebody_at_the_outer_session_protects_both(server: World) -> None:
    with server.attached(nested(server, "outer", "inner")):
        result = perform(server, Gently())
    assert told(result) == {"first": REMOVED, "inner": ATTACHED, "outer": ATTACHED}


def test_a_terminal_of_its_own_in_the_foreground_of_a_pane_is_in_it(server: World) -> None:
    """As with script, sudo and expect."""
    server.new("inner")
    draws_once(server)
    server.new("outer", sys.executable, "-c", WITH_A_PTY, *attaching(server, "inner"))
    eventually(lambda: clients(server) == ["inner"], "the client attaches")
    is_drawn(server, "=outer:")
    assert told(perform(server, Gently(), alone("inner"))) == {"inner": ATTACHED}
    assert set(told(perform(server, Gently())).values()) == {REMOVED}
    assert server.ids() == []


def test_a_terminal_of_its_own_in_the_background_of_a_pane_is_not_in_it(server: World) -> None:
    """As with a window of a desktop that was opened from a shell in a pane."""
    server.new("inner")
    server.new("outer", "cat")
    words = " ".join(map(shlex.quote, [sys.executable, "-c", WITH_A_PTY, *attaching(server, "inner")]))
    window = "setsid %s < /dev/null > /dev/null 2>&1 & exec cat" % words
    server.tmux("new-window", "-d", "-t", "=outer:", "--", "sh", "-c", window)
    eventually(lambda: clients(server) == ["inner"], "the client attaches")
    assert told(perform(server, Gently())) == {"first": REMOVED, "inner": ATTACHED, "outer": REMOVED}


def test_outer_and_inner_session_may_be_on_two_servers(server: World) -> None:
    other = World(server.binary)
    try:
        other.start()
        nested(server, "outer", "inner", world=other)
        for check in (True, False):
            servers = [seen(other), seen(server)]
            result = Prepared(servers, alone("inner", "outer")).finish(check)
            assert sorted(each["name"] for each in result["removed"]) == ["inner", "outer"]
        assert len(other.ids()) == len(server.ids()) == 1
    finally:
        other.stop()


# --- what changes meanwhile


def test_an_outer_session_that_changes_after_it_was_judged_keeps_the_inner(server: World) -> None:
    outer = nested(server, "outer", "inner")
    run = prepare(server, Gently())
    server.tmux("set-option", "-t", outer, "@keep", "on")
    assert told(run.finish()) == {"first": REMOVED, "inner": ATTACHED, "outer": "kept: changed"}


def test_an_outer_session_that_ends_by_itself_does_not_keep_the_inner(server: World) -> None:
    outer = nested(server, "outer", "inner")
    run = prepare(server, Gently())
    server.tmux("kill-session", "-t", outer)
    assert told(run.finish()) == {"first": REMOVED, "inner": REMOVED, "outer": "kept: vanished"}


def test_whoever_attaches_to_the_inner_session_after_it_was_judged_keeps_it(server: World) -> None:
    nested(server, "outer", "inner")
    inner = server.tmux("display-message", "-p", "-t", "=inner:", "#{session_id}")
    run = prepare(server, Gently())
    with somebody(server, "inner"):
        result = run.finish()
    assert told(result)["outer"] == REMOVED
    assert told(result)["inner"] in ("kept: changed", ATTACHED)
    assert server.ids() == [inner]


def test_whoever_attaches_between_the_second_look_and_the_removal_keeps_it(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard inside tmux sees it."""
    nested(server, "outer", "inner")
    with contextlib.ExitStack() as stack:
        calls = before_the(2, monkeypatch, lambda: stack.enter_context(somebody(server, "inner")))
        result = perform(server, Gently())
        assert calls == [["first", "outer"], ["inner"]]
        assert told(result) == {"first": REMOVED, "inner": "kept: changed", "outer": REMOVED}


def test_what_is_printed_in_the_inner_session_meanwhile_keeps_it(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    nested(server, "outer", "inner")
    before = server.tmux("display-message", "-p", "-t", "=inner:", "#{window_activity}")

    def type_something() -> None:
        def moved() -> bool:
            server.tmux("send-keys", "-t", "=inner:", "x")
            return server.tmux("display-message", "-p", "-t", "=inner:", "#{window_activity}") != before

        eventually(moved, "the session has output in another second")

    before_the(2, monkeypatch, type_something)
    result = perform(server, Gently())
    assert told(result) == {"first": REMOVED, "inner": "kept: changed", "outer": REMOVED}


def test_an_outer_session_that_cannot_be_saved_keeps_the_inner(
    server: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    outer = nested(server, "outer", "inner")
    archive = Archive(str(tmp_path / "saved"), False, Retention())
    save = Archive.save

    def fails(self: Archive, client: Any, session: Any, *more: Any) -> Any:
        if session.id == outer:
            raise SnapshotError("no room")
        return save(self, client, session, *more)

    monkeypatch.setattr(Archive, "save", fails)
    result = perform(server, Gently(archive=archive))
    assert told(result) == {"first": REMOVED, "inner": ATTACHED, "outer": "not_done: not_saved"}


def test_guards_count_outer_and_inner_sessions(server: World) -> None:
    nested(server, "outer", "inner")
    run = prepare(server, Gently(max_removals_per_owner=2))
    assert told(run.finish()) == dict.fromkeys(("first", "inner", "outer"), "kept: guard")
    assert set(told(perform(server, Gently(max_removals_per_owner=3))).values()) == {REMOVED}


# --- with notice


def test_outer_and_inner_session_are_given_notice_together_and_go_together(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    nested(server, "outer", "inner")
    policy = alone("outer", "inner")
    marked = dict.fromkeys(("inner", "outer"), "marked: idle")
    clock = Clock(monkeypatch)
    clock.ahead = 100
    assert told(perform(server, Gently(notice=3600), policy, check=True)) == marked
    assert told(perform(server, Gently(notice=3600), policy)) == marked
    waits = dict.fromkeys(("inner", "outer"), "kept: notice")
    assert told(perform(server, Gently(notice=3600), policy)) == waits
    clock.ahead = 4000
    gone: Dict[str, str] = {"inner": REMOVED, "outer": REMOVED}
    assert told(perform(server, Gently(notice=3600), policy, check=True)) == gone
    assert told(perform(server, Gently(notice=3600), policy)) == gone


def test_with_all_that_protects_by_default_both_go_when_nothing_happens_in_them(server: World) -> None:
    nested(server, "outer", "inner")
    protect = ("attached", "busy", "keep", "unsaved", "waiting", "stopped")
    policy = alone("outer", "inner")._replace(idle=2, protect=protect)
    both = {"inner": REMOVED, "outer": REMOVED}
    eventually(lambda: told(perform(server, Gently(), policy, check=True)) == both, "they are found abandoned")
    assert told(perform(server, Gently(), policy)) == both
