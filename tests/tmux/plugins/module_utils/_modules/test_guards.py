# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No run removes more than it may, and what lives on elsewhere is said."""

import contextlib
from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import survivors
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Unread
from ansible_collections.fleet.tmux.tests.support.runs import (
    EVERYTHING,
    KEYS,
    Clock,
    Gently,
    Prepared,
    Stopped,
    finish,
    item,
    marked,
    only,
    perform,
    prepare,
    seen,
    settled,
    told,
)
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE
from ansible_collections.fleet.tmux.tests.support.world import World


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survivors, "ENDING_SECONDS", PATIENCE)


def five(world: World) -> Policy:
    """Three that would go, one that is not due, and one that is protected: three of four."""
    world.new("a"), world.new("b"), world.new("later")
    one = seen(world)
    planned = frozenset(one.identity(session) for session in one.listing.sessions if session.name != "later")
    world.tmux("set-option", "-t", world.new("kept"), "@keep", "on")
    return EVERYTHING._replace(planned=planned)


STAY = {"later": "kept: unplanned", "kept": "kept: keep"}
REMOVED = dict(dict.fromkeys(("first", "a", "b"), "removed: idle"), **STAY)
REFUSED = dict(dict.fromkeys(("first", "a", "b"), "kept: guard"), **STAY)


def refused(run: Prepared, check: bool = False) -> Dict[str, Any]:
    with pytest.raises(Stopped):
        finish(run, check)
    return run.result


@pytest.mark.parametrize("manner", [Gently(max_removals=3), Gently(max_percent=75), Gently(3, 75)])
def test_as_much_as_is_allowed_is_removed(server: World, manner: Gently) -> None:
    rules = five(server)
    assert told(perform(server, manner, rules)) == REMOVED


@pytest.mark.parametrize("manner", [Gently(max_removals=2), Gently(max_percent=74.9), Gently(3, 74.9), Gently(2, 100)])
@pytest.mark.parametrize("check", [False, True])
def test_one_more_than_allowed_and_nothing_is_removed(server: World, manner: Gently, check: bool) -> None:
    rules = five(server)
    before = server.ids()
    result = refused(prepare(server, manner, rules), check)
    assert told(result) == REFUSED
    assert result["changed"] is False
    assert result["freed"] == {"processes": 0, "bytes": 0}
    assert result["diff"]["before"] == result["diff"]["after"]
    assert "no activity for" in item(result, "a")["detail"], "the plan is in the result"
    assert server.ids() == before


@pytest.mark.parametrize(
    ("manner", "goes"), [(Gently(0), False), (Gently(None, 0.0), False), (Gently(None, 100), True)]
)
def test_none_and_all_are_limits_too(server: World, manner: Gently, goes: bool) -> None:
    assert told(perform(server, manner, only("nobody"))) == {}
    if goes:
        assert told(perform(server, manner)) == {"first": "removed: idle"}
    else:
        assert told(refused(prepare(server, manner))) == {"first": "kept: guard"}


def test_the_message_says_how_many_and_which_limit(server: World) -> None:
    rules = five(server)
    for manner, said in (
        (Gently(max_removals=2), "3 sessions would be removed, max_removals is 2"),
        (Gently(max_percent=33.4), "3 of 4 sessions without protection would be removed, max_percent is 33.4"),
    ):
        with pytest.raises(Stopped, match=said):
            finish(prepare(server, manner, rules))


@pytest.mark.parametrize("check", [False, True])
def test_what_ended_by_itself_does_not_count(server: World, check: bool) -> None:
    rules = five(server)
    run = prepare(server, Gently(max_removals=2), rules)
    server.tmux("kill-session", "-t", "=a")
    result = finish(run, check)
    assert told(result) == dict(REMOVED, a="kept: vanished")
    assert len(result["diff"]["after"]["sessions"]) == 2


def test_what_ended_by_itself_is_no_part_of_the_whole_either(server: World) -> None:
    rules = five(server)
    run = prepare(server, Gently(max_percent=67), rules)  # 2 of 3, not 2 of 4
    server.tmux("kill-session", "-t", "=a")
    assert told(finish(run)) == dict(REMOVED, a="kept: vanished")


def test_the_share_is_of_those_that_are_still_there(server: World) -> None:
    rules = five(server)
    run = prepare(server, Gently(max_percent=60), rules)  # 2 of 3 are too many, though 2 of 4 would not be
    server.tmux("kill-session", "-t", "=a")
    assert told(refused(run)) == dict(REFUSED, a="kept: vanished")


def test_too_many_are_too_many_even_when_some_ended(server: World) -> None:
    rules = five(server)
    run = prepare(server, Gently(max_removals=1), rules)
    server.tmux("kill-session", "-t", "=a")
    assert told(refused(run)) == dict(REFUSED, a="kept: vanished")


def test_a_limit_of_removals_does_not_limit_notice_but_a_refused_run_gives_none(server: World) -> None:
    five(server)
    assert told(perform(server, Gently(max_removals=0, notice=60))) == dict(
        dict.fromkeys(("first", "a", "b", "later"), "marked: idle"), kept="kept: keep"
    )
    identity = server.new("new")
    for each in server.ids():
        server.run("set-option", "-u", "-t", each, "@fleet_tmux_notice")
    one = seen(server)
    run = Prepared([one], EVERYTHING, Gently(max_removals=0, notice=60))
    run.examined = run.examined._replace(
        decisions=[
            decision._replace(action="remove") if decision.subject.session.name == "a" else decision
            for decision in run.examined.decisions
        ]
    )
    result = refused(run)
    assert set(told(result).values()) == {"kept: guard", "kept: keep"}
    assert marked(server, identity) is None


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("manner", [Gently(max_removals_per_owner=2), Gently(2, 50.0, max_removals_per_owner=2)])
def test_whoever_is_over_the_limit_for_one_owner_loses_nothing_and_fails_nothing(
    server: World, manner: Gently, check: bool
) -> None:
    rules = five(server)
    before = server.ids()
    result = perform(server, manner, rules, check)
    assert told(result) == REFUSED and server.ids() == before and not result["changed"]
    said = "3 sessions of this owner would be removed, max_removals_per_owner is 2"
    assert item(result, "a")["detail"].startswith("not done: %s; no activity for" % said)
    owner = item(result, "a")["owner"]
    assert result["owners"] == [{"owner": owner, "removals": 3, "unprotected": 4, "over_limit": True, "message": said}]


@pytest.mark.parametrize("check", [False, True])
def test_as_many_of_one_owner_as_may_go_do(server: World, check: bool) -> None:
    rules = five(server)
    result = perform(server, Gently(max_removals_per_owner=3), rules, check)
    assert told(result) == REMOVED
    (owner,) = result["owners"]
    assert (owner["removals"], owner["unprotected"]) == (3, 4)
    assert (owner["over_limit"], owner["message"]) == (False, "")


@pytest.mark.parametrize("check", [False, True])
def test_what_ended_by_itself_does_not_put_its_owner_over_the_limit(server: World, check: bool) -> None:
    rules = five(server)
    run = prepare(server, Gently(max_removals_per_owner=2), rules)
    server.tmux("kill-session", "-t", "=a")
    assert told(finish(run, check)) == dict(REMOVED, a="kept: vanished")


def test_who_is_over_the_limit_is_given_no_notice_and_keeps_what_was_given(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    five(server)
    Clock(monkeypatch).ahead = 10
    for each in server.ids():
        settled(server, each)
    assert set(told(perform(server, Gently(notice=60))).values()) == {"marked: idle", "kept: keep"}
    marks = {each: marked(server, each) for each in server.ids()}
    new = server.new("new")
    run = Prepared([seen(server)], EVERYTHING, Gently(notice=60, max_removals_per_owner=0))
    run.examined = run.examined._replace(
        decisions=[
            decision._replace(action="remove") if decision.subject.session.name == "a" else decision
            for decision in run.examined.decisions
        ]
    )
    result = run.finish()
    assert (told(result)["a"], told(result)["new"]) == ("kept: guard", "kept: guard")
    assert marked(server, new) is None
    assert {each: marked(server, each) for each in marks} == marks


def test_what_cannot_be_read_does_not_make_room_for_more(server: World) -> None:
    one = seen(server)
    one = one._replace(listing=one.listing._replace(unread=(Unread("$9", "odd", "its rows do not make sense"),)))
    run = Prepared([one], EVERYTHING, Gently(max_percent=50))
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
    checked = perform(server, Gently(), only(*names), check=True)
    done = perform(server, Gently(), only(*names))
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
    result = perform(server, Gently(), only("work"))
    (it,) = item(result, "work")["lives_on"]
    assert (it["window"], it["name"], it["sessions"]) == (linked.id, "linked", ["first"])
    assert result["freed"]["processes"] == 1
    assert item(perform(server, Gently(), only("first")), "first")["lives_on"] == []


def test_what_stays_says_nothing_of_windows(server: World) -> None:
    first = server.new("a")
    group(server, first, "b")
    server.tmux("set-option", "-t", first, "@keep", "on")
    result = perform(server, Gently(), only("a", "b"))
    assert told(result) == {"a": "kept: keep", "b": "removed: idle"}
    assert (lives_on(result, "a"), lives_on(result, "b")) == ([], [["a"]])


# --- what an auditor needs --------------------------------------------------------------------------------------------

FIELDS = (
    "name id identity owner socket reason detail idle evidence snapshot survivors lives_on "
    + ("removed_files left_files freed more")
).split()


@pytest.mark.parametrize("limit", [None, 0])
@pytest.mark.parametrize("notice", [None, 60])
def test_every_item_has_all_that_an_auditor_needs(server: World, limit: Optional[int], notice: Optional[int]) -> None:
    five(server)
    one = seen(server)
    one = one._replace(listing=one.listing._replace(unread=(Unread("$9", "odd", "its rows do not make sense"),)))
    manner = Gently(max_removals=limit, notice=notice)
    run = Prepared([one], EVERYTHING, manner)
    with contextlib.suppress(Stopped):
        run.finish()
    result = run.result
    told(result)
    for key in KEYS:
        for it in result[key]:
            assert sorted(it) == sorted(FIELDS)
            assert it["socket"] == server.path and it["reason"] and it["detail"]
