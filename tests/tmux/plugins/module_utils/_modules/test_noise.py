# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only shows, or changes nothing on the screen, does not keep its session, however much it prints."""

import sys
import time
from typing import Any, Callable, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import watch
from ansible_collections.fleet.tmux.plugins.module_utils._actions.watch import _Watch
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._policy.commands import named
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session
from ansible_collections.fleet.tmux.tests.support.runs import (
    Gently,
    Prepared,
    captured,
    finish,
    item,
    marked,
    only,
    seen,
    told,
)
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

IDLE = 2

PRINTS = """
import sys, time
number = 0
while True:
    number += 1
    sys.stdout.write(%s)
    sys.stdout.flush()
    time.sleep(0.2)
"""
BLINKS = PRINTS % '"\\033[?25l" if number %% 2 else "\\033[?25h"'.replace("%%", "%")
COUNTS = PRINTS % '"%d\\n" % number'
REDRAWS = PRINTS % '"\\rsteady"'
READS = PRINTS % '"\\rsteady" + open("/proc/self/stat").read()[:0]'


def rules(name: str, *protect: str) -> Policy:
    ignore = named("ignore_commands", ["default"], False)
    return only(name)._replace(idle=IDLE, ignore=ignore, protect=("attached", "keep", *protect))


def printed_at(world: World, identity: str) -> int:
    return max(window.clocks["window_activity"] or 0 for window in world.session(identity).windows)


def has_run(world: World, identity: str) -> str:
    """Wait until all but its output is long enough ago, and it still prints."""
    created = world.session(identity).created
    eventually(lambda: printed_at(world, identity) > created + IDLE + 1, "it prints")
    return identity


def watched_until_changed(monkeypatch: pytest.MonkeyPatch, look: Callable[[], object]) -> None:
    """Have a watch last until that has changed besides: on a busy machine a program may not have its turn in it."""
    wait = proctable.wait

    def instead(seconds: float) -> None:
        before = look() if seconds == watch.WATCH_SECONDS else None
        wait(seconds)
        if seconds == watch.WATCH_SECONDS:
            eventually(lambda: look() != before, "it does something")

    monkeypatch.setattr(proctable, "wait", instead)


def judged_as_it_prints(
    world: World, identity: str, by: Policy, monkeypatch: pytest.MonkeyPatch, manner: Optional[Gently] = None
) -> Prepared:
    """A run that has judged a session in the second of what was printed last, however long it took to get there."""
    one = seen(world)
    now = max(window.clocks["window_activity"] or 0 for window in _session(one, identity).windows)
    monkeypatch.setattr(time, "time", lambda: float(now))
    return Prepared([one], by, manner)


def _session(one: Seen, identity: str) -> Session:
    (found,) = [session for session in one.listing.sessions if session.id == identity]
    return found


@pytest.mark.parametrize("program", [BLINKS, REDRAWS], ids=["blinks", "redraws"])
def test_what_changes_nothing_on_the_screen_is_noise(
    server: World, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    identity = has_run(server, server.new("shows", sys.executable, "-c", program))
    watched_until_changed(monkeypatch, lambda: printed_at(server, identity))
    result = finish(judged_as_it_prints(server, identity, rules("shows", "busy"), monkeypatch), check=True)
    checked = told(result)
    assert checked == {"shows": "removed: idle"}, item(result, "shows")["detail"]
    run = judged_as_it_prints(server, identity, rules("shows", "busy"), monkeypatch)
    before = printed_at(server, identity)
    eventually(lambda: printed_at(server, identity) > before, "it prints in another second")
    assert told(finish(run)) == checked
    assert identity not in server.ids()


@pytest.mark.parametrize("program", [COUNTS, READS], ids=["counts", "reads"])
@pytest.mark.parametrize("protect", ["busy", None])
def test_what_changes_the_screen_or_reads_is_none(
    server: World, monkeypatch: pytest.MonkeyPatch, program: str, protect: Optional[str]
) -> None:
    identity = has_run(server, server.new("works", sys.executable, "-c", program))
    (pid,) = server.session(identity).pids

    def look() -> object:
        return captured(server, identity + ":") if program == COUNTS else proctable.io(pid)

    watched_until_changed(monkeypatch, look)
    run = judged_as_it_prints(server, identity, rules("works", *[protect] if protect else []), monkeypatch)
    reason = "busy" if protect else "active"
    assert told(finish(run)) == {"works": f"kept: {reason}"}


def test_a_program_that_only_shows_is_noise_whatever_it_shows(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = has_run(server, server.new("shows", "top", "-d", "0.3"))
    watched_until_changed(monkeypatch, lambda: printed_at(server, identity))
    run = judged_as_it_prints(server, identity, rules("shows", "busy"), monkeypatch)
    assert told(finish(run)) == {"shows": "removed: idle"}
    assert identity not in server.ids()


def test_another_window_that_works_is_no_noise(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = server.new("both", "top", "-d", "0.3")
    server.tmux("new-window", "-d", "-t", identity + ":", sys.executable, "-c", COUNTS)
    has_run(server, identity)
    counts = server.session(identity).panes[1].id
    watched_until_changed(monkeypatch, lambda: captured(server, counts))
    run = judged_as_it_prints(server, identity, rules("both"), monkeypatch)
    assert told(finish(run)) == {"both": "kept: active"}


def test_what_shows_is_marked_and_goes_at_its_deadline(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = has_run(server, server.new("shows", "top", "-d", "0.3"))
    watched_until_changed(monkeypatch, lambda: printed_at(server, identity))
    notice = Gently(notice=1)
    run = judged_as_it_prints(server, identity, rules("shows", "busy"), monkeypatch, notice)
    assert told(finish(run)) == {"shows": "marked: idle"}
    given = int(str(marked(server, identity)).split()[1])
    eventually(lambda: printed_at(server, identity) > given + 2, "its time has come")
    run = judged_as_it_prints(server, identity, rules("shows", "busy"), monkeypatch, notice)
    assert told(finish(run)) == {"shows": "removed: idle"}


def test_what_is_printed_while_the_watch_begins_is_none(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Screens and clocks are read one after the other: what comes in between is in one of them and not in the other."""
    identity = server.new("typed", "cat")
    created = server.session(identity).created

    def types(now: Callable[[], float] = time.time) -> None:
        before = printed_at(server, identity)
        eventually(lambda: now() > max(before, created + IDLE + 1) + 1, "another second")
        server.tmux("send-keys", "-t", identity + ":", "x", "Enter")
        eventually(lambda: printed_at(server, identity) > before, "it is printed")

    types()
    begun: List[Any] = []
    for name in ("_listed", "_shown"):

        def after(which: _Watch, given: Any, original: Callable[..., Any] = getattr(_Watch, name)) -> Any:
            found = original(which, given)
            begun.append(given)
            if len(begun) == 1:
                types()
            return found

        monkeypatch.setattr(_Watch, name, after)
    run = judged_as_it_prints(server, identity, rules("typed"), monkeypatch)
    assert told(finish(run)) == {"typed": "kept: active"}
    assert len(begun) > 2 and identity in server.ids()


def test_input_keeps_what_only_shows(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is compared without its output, and with all the rest."""
    identity = has_run(server, server.new("shows", "top", "-d", "0.3"))
    watched_until_changed(monkeypatch, lambda: printed_at(server, identity))
    run = judged_as_it_prints(server, identity, rules("shows", "busy"), monkeypatch)
    server.tmux("new-window", "-d", "-t", identity + ":", "cat")
    assert told(finish(run)) == {"shows": "kept: changed"}
