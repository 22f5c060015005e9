# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A session remembers since when it is to be kept for some time, and that is no change of it."""

import re

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import survivors
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import KEPT_OPTION
from ansible_collections.fleet.tmux.tests.support.runs import (
    Clock,
    Gently,
    finish,
    only,
    perform,
    prepare,
    settled,
    told,
)
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE
from ansible_collections.fleet.tmux.tests.support.world import World

RULES = only("work")._replace(protect=("keep",))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(survivors, "ENDING_SECONDS", PATIENCE)
    found = Clock(monkeypatch)
    found.ahead = 10
    return found


def remembered(world: World, identity: str) -> str:
    done = world.run("show-options", "-v", "-t", identity, KEPT_OPTION)
    return done.stdout.decode("ascii").strip() if done.returncode == 0 else ""


def test_a_duration_set_from_elsewhere_begins_when_it_is_first_seen(server: World, clock: Clock) -> None:
    identity = settled(server, server.new("work"))
    server.tmux("set-option", "-t", identity, "@keep", "1h")
    clock.ahead += 7200
    before = server.session(identity)
    for _turn in range(2):
        checked = perform(server, Gently(), RULES, check=True)
        assert told(checked) == {"work": "kept: keep"} and not checked["changed"]
        assert remembered(server, identity) == "", "a check remembers nothing"
    result = perform(server, Gently(), RULES)
    assert told(result) == {"work": "kept: keep"} and not result["changed"], "to remember is no change"
    assert result["diff"]["before"] == result["diff"]["after"]
    written = remembered(server, identity)
    assert written.startswith("1 ")
    assert server.session(identity)._replace(kept_since="") == before, "and moves no clock"
    clock.ahead += 3000
    assert told(perform(server, Gently(), RULES)) == {"work": "kept: keep"}
    assert remembered(server, identity) == written
    clock.ahead += 700
    assert told(perform(server, Gently(), RULES, check=True)) == {"work": "removed: idle"}
    assert told(perform(server, Gently(), RULES)) == {"work": "removed: idle"}


def test_what_was_remembered_goes_with_what_its_user_said(server: World, clock: Clock) -> None:
    identity = settled(server, server.new("work"))
    server.tmux("set-option", "-t", identity, "@keep", "1h")
    perform(server, Gently(), RULES)
    server.tmux("set-option", "-t", identity, "@keep", "on")
    assert told(perform(server, Gently(), RULES)) == {"work": "kept: keep"}
    assert remembered(server, identity) == ""


def test_what_counts_for_nothing_is_not_remembered(server: World, clock: Clock) -> None:
    identity = settled(server, server.new("work"))
    server.tmux("set-option", "-t", identity, "@keep", "1h")
    notice = Gently(notice=3600)
    assert told(perform(server, notice, RULES._replace(protect=()))) == {"work": "marked: idle"}
    assert remembered(server, identity) == ""


def test_one_that_goes_meanwhile_costs_the_others_nothing(server: World, clock: Clock) -> None:
    for name in ("work", "other", "third"):
        server.tmux("set-option", "-t", server.new(name), "@keep", "1h")
    run = prepare(server, Gently(), only("work", "other", "third")._replace(protect=("keep",)))
    server.tmux("kill-session", "-t", "other")
    assert set(told(finish(run)).values()) == {"kept: keep"}
    assert all(remembered(server, name).startswith("1 ") for name in ("work", "third"))


def test_a_marked_session_says_when_it_goes(server: World, clock: Clock) -> None:
    """With the line that the documentation gives for a status line."""
    line = "#{?#{@fleet_tmux_until},goes after #{@fleet_tmux_until} ,}x"
    identity = settled(server, server.new("work"))

    def shown() -> str:
        return server.tmux("display-message", "-p", "-t", identity + ":", line)

    assert shown() == "x"
    perform(server, Gently(notice=3600), only("work"))
    assert re.match(r"goes after \d{4}-\d\d-\d\d \d\d:\d\d x\Z", shown())
    server.tmux("set-option", "-t", identity, "@keep", "on")
    perform(server, Gently(notice=3600), only("work"))
    assert shown() == "x"
