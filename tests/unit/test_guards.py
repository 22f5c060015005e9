# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No run removes more than it may, and what lives on elsewhere is said."""

from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils import _survivors as survivors
from ansible_collections.fleet.tmux.plugins.module_utils._cases import judge_all
from ansible_collections.fleet.tmux.plugins.module_utils._model import Unread
from ansible_collections.fleet.tmux.plugins.module_utils._prune import GuardError, Manner, Run
from ansible_collections.fleet.tmux.tests.unit.runs import (
    EVERYTHING,
    KEYS,
    finish,
    item,
    marked,
    only,
    perform,
    prepare,
    seen,
    told,
)
from ansible_collections.fleet.tmux.tests.unit.world import PATIENCE, World


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survivors, "ENDING_SECONDS", PATIENCE)


def four(world: World) -> None:
    """Three that would go, and one that stays."""
    world.new("a"), world.new("b")
    world.tmux("set-option", "-t", world.new("kept"), "@keep", "on")


REMOVED = {"first": "removed: idle", "a": "removed: idle", "b": "removed: idle", "kept": "kept: keep"}
REFUSED = {"first": "kept: guard", "a": "kept: guard", "b": "kept: guard", "kept": "kept: keep"}


def refused(run: Run, check: bool = False) -> Dict[str, Any]:
    with pytest.raises(GuardError):
        finish(run, check)
    return dict(run.result(), diff=run.diff())


@pytest.mark.parametrize("manner", [Manner(max_removals=3), Manner(max_percent=75), Manner(3, 75)])
def test_as_much_as_is_allowed_is_removed(server: World, manner: Manner) -> None:
    four(server)
    assert told(perform(server, manner)) == REMOVED


@pytest.mark.parametrize("manner", [Manner(max_removals=2), Manner(max_percent=74.9), Manner(3, 74.9), Manner(2, 100)])
@pytest.mark.parametrize("check", [False, True])
def test_one_more_than_allowed_and_nothing_is_removed(server: World, manner: Manner, check: bool) -> None:
    four(server)
    before = server.ids()
    result = refused(prepare(server, manner), check)
    assert told(result) == REFUSED
    assert result["changed"] is False
    assert result["freed"] == {"processes": 0, "bytes": 0}
    assert result["diff"]["before"] == result["diff"]["after"]
    assert "idle for" in item(result, "a")["detail"], "the plan is in the result"
    assert server.ids() == before


@pytest.mark.parametrize(
    ("manner", "goes"), [(Manner(0), False), (Manner(None, 0.0), False), (Manner(None, 100), True)]
)
def test_none_and_all_are_limits_too(server: World, manner: Manner, goes: bool) -> None:
    assert told(perform(server, manner, only("nobody"))) == {}
    if goes:
        assert told(perform(server, manner)) == {"first": "removed: idle"}
    else:
        assert told(refused(prepare(server, manner))) == {"first": "kept: guard"}


def test_the_message_says_how_many_and_which_limit(server: World) -> None:
    four(server)
    for manner, said in (
        (Manner(max_removals=2), "3 sessions would be removed, max_removals is 2"),
        (Manner(max_percent=33.4), "3 of 4 sessions would be removed, max_percent is 33.4"),
    ):
        with pytest.raises(GuardError, match=said):
            finish(prepare(server, manner))


@pytest.mark.parametrize("check", [False, True])
def test_what_ended_by_itself_does_not_count(server: World, check: bool) -> None:
    four(server)
    run = prepare(server, Manner(max_removals=2))
    server.tmux("kill-session", "-t", "=a")
    result = finish(run, check)
    assert told(result) == dict(REMOVED, a="kept: vanished")
    assert len(result["diff"]["after"]["sessions"]) == 1


def test_what_ended_by_itself_is_no_part_of_the_whole_either(server: World) -> None:
    four(server)
    run = prepare(server, Manner(max_percent=67))  # 2 of 3, not 2 of 4
    server.tmux("kill-session", "-t", "=a")
    assert told(finish(run)) == dict(REMOVED, a="kept: vanished")


def test_the_share_is_of_those_that_are_still_there(server: World) -> None:
    four(server)
    run = prepare(server, Manner(max_percent=60))  # 2 of 3 are too many, though 2 of 4 would not be
    server.tmux("kill-session", "-t", "=a")
    assert told(refused(run)) == dict(REFUSED, a="kept: vanished")


def test_too_many_are_too_many_even_when_some_ended(server: World) -> None:
    four(server)
    run = prepare(server, Manner(max_removals=1))
    server.tmux("kill-session", "-t", "=a")
    assert told(refused(run)) == dict(REFUSED, a="kept: vanished")


def test_a_limit_of_removals_does_not_limit_notice_but_a_refused_run_gives_none(server: World) -> None:
    four(server)
    assert told(perform(server, Manner(max_removals=0, notice=60))) == dict(
        dict.fromkeys(("first", "a", "b"), "marked: idle"), kept="kept: keep"
    )
    identity = server.new("new")
    for each in server.ids()[:3]:
        server.tmux("set-option", "-u", "-t", each, "@fleet_tmux_notice")
    one = seen(server)
    judged = judge_all([one], EVERYTHING, 60)
    mixed = [
        case._replace(verdict=case.verdict._replace(action="remove")) if case.session.name == "a" else case
        for case in judged.cases
    ]
    run = Run(judged._replace(cases=mixed), [one], EVERYTHING, Manner(max_removals=0, notice=60))
    result = refused(run)
    assert set(told(result).values()) == {"kept: guard", "kept: keep"}
    assert marked(server, identity) is None


def test_what_cannot_be_read_does_not_make_room_for_more(server: World) -> None:
    one = seen(server)
    one = one._replace(listing=one.listing._replace(unread=(Unread("$9", "odd", "its rows do not make sense"),)))
    run = Run(judge_all([one], EVERYTHING), [one], EVERYTHING, Manner(max_percent=50))
    result = refused(run)
    assert told(result) == {"first": "kept: guard", "odd": "kept: unknown"}


# --- groups and links -------------------------------------------------------------------------------------------------


def group(world: World, of: str, *names: str) -> None:
    for name in names:
        world.tmux("new-session", "-d", "-t", of, "-s", name)


def lives_on(result: Dict[str, Any], name: str) -> List[List[str]]:
    return [it["sessions"] for it in item(result, name)["lives_on"]]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a"], {"a": [["b", "c"]]}),
        (["a", "b"], {"a": [["c"]], "b": [["c"]]}),
        (["a", "b", "c"], {"a": [], "b": [], "c": []}),
    ],
)
def test_a_group_says_where_its_windows_live_on(
    server: World, names: List[str], expected: Dict[str, List[List[str]]]
) -> None:
    first = server.new("a")
    server.tmux("rename-window", "-t", first + ":", "shared one")
    group(server, first, "b", "c")
    window = server.session(first).windows[0].id
    checked = perform(server, Manner(), only(*names), check=True)
    done = perform(server, Manner(), only(*names))
    for result in (checked, done):
        assert {name: lives_on(result, name) for name in names} == expected
        for name in names:
            for it in item(result, name)["lives_on"]:
                assert (it["window"], it["name"]) == (window, "shared one")
    for key in ("processes", "bytes"):
        assert (checked["freed"][key] == 0) == (done["freed"][key] == 0) == (len(names) < 3)
    assert checked["freed"]["processes"] == done["freed"]["processes"]
    there = {session.name for session in server.listing().sessions}
    assert there == {"first", "a", "b", "c"} - set(names)


def test_only_the_windows_that_are_linked_live_on(server: World) -> None:
    identity = server.new("work")
    server.tmux("new-window", "-d", "-t", identity + ":", "-n", "linked", "cat")
    linked = server.session(identity).windows[1]
    server.tmux("link-window", "-d", "-s", linked.id, "-t", "$0:7")
    server.tmux("link-window", "-d", "-s", linked.id, "-t", "$0:8")  # twice there, and said once
    result = perform(server, Manner(), only("work"))
    assert item(result, "work")["lives_on"] == [{"window": linked.id, "name": "linked", "sessions": ["first"]}]
    assert result["freed"]["processes"] == 1
    assert item(perform(server, Manner(), only("first")), "first")["lives_on"] == []


def test_what_stays_says_nothing_of_windows(server: World) -> None:
    first = server.new("a")
    group(server, first, "b")
    server.tmux("set-option", "-t", first, "@keep", "on")
    result = perform(server, Manner(), only("a", "b"))
    assert told(result) == {"a": "kept: keep", "b": "removed: idle"}
    assert (lives_on(result, "a"), lives_on(result, "b")) == ([], [["a"]])


# --- what an auditor needs --------------------------------------------------------------------------------------------

FIELDS = "name id identity owner socket reason detail idle evidence snapshot survivors lives_on freed".split()


@pytest.mark.parametrize("limit", [None, 0])
@pytest.mark.parametrize("notice", [None, 60])
def test_every_item_has_all_that_an_auditor_needs(server: World, limit: Optional[int], notice: Optional[int]) -> None:
    four(server)
    one = seen(server)
    one = one._replace(listing=one.listing._replace(unread=(Unread("$9", "odd", "its rows do not make sense"),)))
    manner = Manner(max_removals=limit, notice=notice)
    run = Run(judge_all([one], EVERYTHING, notice), [one], EVERYTHING, manner)
    try:
        run.guard()
        run.apply()
    except GuardError:
        pass
    result = run.result()
    told(result)
    for key in KEYS:
        for it in result[key]:
            assert sorted(it) == sorted(FIELDS)
            assert it["socket"] == server.path and it["reason"] and it["detail"]
