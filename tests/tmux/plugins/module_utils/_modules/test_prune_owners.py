# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever happens to the child of an owner, the result has all that was done, and says what is not known."""

import os
import signal
import time
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import hands
from ansible_collections.fleet.tmux.plugins.module_utils._actions.examine import examine
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove import remove_unchanged
from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive, Retention
from ansible_collections.fleet.tmux.plugins.module_utils._host import crew
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._modules import owners, prune, prune_owners
from ansible_collections.fleet.tmux.plugins.module_utils._modules.owners import Owner
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune_owners import Order, Told
from ansible_collections.fleet.tmux.plugins.module_utils._modules.telling import Reporter
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Limits
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host, Server, locate
from ansible_collections.fleet.tmux.tests.support.programs import binaries
from ansible_collections.fleet.tmux.tests.support.runs import EVERYTHING, KEYS
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE
from ansible_collections.fleet.tmux.tests.support.world import World

Result = Dict[str, Any]
NONE = Limits(None, None)
BOTH = Limits(100, 100)


@pytest.fixture
def worlds() -> Iterator[List[World]]:
    """Three servers: the first two are of one owner, as far as a run is told, and the third is of another."""
    made = [World(binaries()[0]) for _number in range(3)]
    for world in made:
        world.start()
        world.new("more")
    yield made
    for world in made:
        world.stop()


def finding(*worlds: World) -> Callable[[Host], List[Server]]:
    return lambda host: [locate(host, world.path) for world in worlds]


def told(worlds: List[World], limits: Limits = NONE, check: bool = False, **more: Any) -> Tuple[Result, Told]:
    host = Host(worlds[0].binary, PATIENCE, Directory(PATIENCE))
    settings = hands.Settings(**more)
    chosen = [Owner("1", "anna", finding(*worlds[:2])), Owner("2", "bert", finding(worlds[2]))]
    made = prune_owners.prune_all(host, chosen, Order(EVERYTHING, limits, settings, check, False))
    result, problem = made.result("host", diff=True)
    assert problem is None
    items = [item for key in KEYS for item in result[key]]
    assert len({(item["socket"], item["id"]) for item in items}) == len(items) == result["counts"]["looked_at"]
    return result, made


def of(result: Result, world: World) -> List[str]:
    """Where the sessions of a server are told of, and why."""
    found = [(item, key) for key in KEYS for item in result[key] if item["socket"] == world.path]
    return sorted("%s: %s" % (key, item["reason"]) for item, key in found)


def after_the_first(
    monkeypatch: pytest.MonkeyPatch, worlds: List[World], happens: Callable[[], None], late: bool
) -> None:
    """Have something happen when the sessions of the second server are to be removed, or (``late``) have been."""
    remove = remove_unchanged

    def instead(client: Any, version: Any, sessions: Any, last_look: Any) -> Any:
        if client.path == worlds[1].path and not late:
            happens()
        done = remove(client, version, sessions, last_look)
        if client.path == worlds[1].path:
            happens()
        return done

    monkeypatch.setattr(hands, "remove_unchanged", instead)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(PATIENCE)


def hang(told: str) -> None:
    os.mkdir(told)
    time.sleep(PATIENCE)


def expire_when(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    """Have the time of the first owner be over when it is told so: how long it takes until then is nobody's affair."""
    look_after = crew._Crew._look_after

    def instead(self: Any) -> None:
        for child in self._children if os.path.exists(told) else ():
            child.deadline = child.began if child.job.key == "1" else child.deadline
        look_after(self)

    monkeypatch.setattr(crew._Crew, "_look_after", instead)


def run_out_of_memory() -> None:
    raise MemoryError


def stumble() -> None:
    raise KeyError("odd")


def leave() -> None:
    os._exit(0)


WAYS: Dict[Callable[..., None], str] = {
    die: "the process that worked on it was ended by signal 9",
    leave: "the process that worked on it ended too early (exit status 0)",
    hang: "it was not done within",
}


@pytest.mark.parametrize("limits", [NONE, BOTH])
@pytest.mark.parametrize("check", [True, False])
def test_everybody_is_done_with_and_told_of(worlds: List[World], limits: Limits, check: bool) -> None:
    result, made = told(worlds, limits, check)
    assert (result["changed"], made.refused, made.trouble, made.error) == (True, "", [], None)
    for world in worlds:
        assert of(result, world) == ["removed: idle", "removed: idle"]
        assert len(world.ids()) == (2 if check else 0)
    assert sorted(server["socket"] for server in result["servers"]) == sorted(world.path for world in worlds)
    assert (len(result["diff"]["before"]["sessions"]), result["diff"]["after"]["sessions"]) == (6, [])


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("happens", WAYS)
def test_a_child_that_ends_between_two_removals(
    worlds: List[World], monkeypatch: pytest.MonkeyPatch, happens: Callable[..., None], late: bool
) -> None:
    hung = os.path.join(worlds[0].folder, "hung")
    expire_when(monkeypatch, hung)
    after_the_first(monkeypatch, worlds, lambda: happens(hung) if happens is hang else happens(), late)
    result, made = told(worlds)
    assert of(result, worlds[0]) == of(result, worlds[2]) == ["removed: idle", "removed: idle"]
    assert of(result, worlds[1]) == ["not_done: error", "not_done: error"]
    for item in result["not_done"]:
        assert "its removal was ordered, and what came of that is not known" in item["detail"]
        assert WAYS[happens] in item["detail"]
    assert [len(world.ids()) for world in worlds] == [0, 0 if late else 2, 0]
    assert made.refused == "" and result["changed"] is True
    (said,) = made.trouble
    assert said.startswith("not all was done for anna: ") and WAYS[happens] in said


@pytest.mark.parametrize("happens", [run_out_of_memory, stumble], ids=["memory", "defect"])
def test_an_error_in_a_child_stops_nothing_else(
    worlds: List[World], monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]
) -> None:
    after_the_first(monkeypatch, worlds[1::-1], happens, late=False)  # The first server is the one that it is met at.
    result, made = told(worlds)
    assert of(result, worlds[0]) == ["not_done: error", "not_done: error"]
    assert of(result, worlds[1]) == of(result, worlds[2]) == ["removed: idle", "removed: idle"]
    assert len(made.trouble) == 1 and "unexpected" in made.trouble[0]


@pytest.mark.parametrize("limits", [NONE, BOTH])
@pytest.mark.parametrize("happens", [die, run_out_of_memory, stumble], ids=["die", "memory", "defect"])
def test_who_cannot_be_judged_is_kept(
    worlds: List[World], monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None], limits: Limits
) -> None:
    def instead(seen: Any, *rest: Any, **more: Any) -> Any:
        if len(seen) == 2:
            happens()
        return examine(seen, *rest, **more)

    monkeypatch.setattr(prune, "examine", instead)
    result, made = told(worlds, limits)
    assert of(result, worlds[0]) == of(result, worlds[1]) == ["kept: unknown", "kept: unknown"]
    assert of(result, worlds[2]) == ["removed: idle", "removed: idle"]
    for item in result["kept"]:
        assert item["detail"].startswith("it was not judged: ")
    states = {server["socket"]: server["status"] for server in result["servers"]}
    assert [states[world.path] for world in worlds] == ["unreachable", "unreachable", "ok"]
    assert [len(world.ids()) for world in worlds] == [2, 2, 0]
    assert made.refused == ""


def test_who_dies_after_he_was_judged_counts_no_more(worlds: List[World], monkeypatch: pytest.MonkeyPatch) -> None:
    """What guards in all have counted of an owner is nothing that will be removed when his child has gone."""
    weigh = Reporter.weigh

    def instead(self: Any, counts: Any, decisions: Any) -> Any:
        if len(decisions) == 4:
            self._line.say({"counts": {"1": [4, 4]}, "waits": True})
            self._line.send("wait", None)
            die()
        return weigh(self, counts, decisions)

    monkeypatch.setattr(Reporter, "weigh", instead)
    result, _made = told(worlds, Limits(2, None))
    assert of(result, worlds[0]) == of(result, worlds[1]) == ["not_done: not_attempted", "not_done: not_attempted"]
    assert of(result, worlds[2]) == ["removed: idle", "removed: idle"]
    assert all("ended by signal 9" in item["detail"] for item in result["not_done"])


@pytest.mark.parametrize("check", [True, False])
def test_too_many_of_all_owners_together_are_refused(worlds: List[World], check: bool) -> None:
    result, made = told(worlds, Limits(5, None), check)
    assert made.refused == "nothing was removed: 6 sessions would be removed, max_removals is 5"
    for world in worlds:
        assert of(result, world) == ["kept: guard", "kept: guard"] and len(world.ids()) == 2
    assert result["diff"]["before"] == result["diff"]["after"]


def test_what_ended_by_itself_counts_for_no_owner(worlds: List[World], monkeypatch: pytest.MonkeyPatch) -> None:
    """All take a second look when there are too many: then there are not."""

    def instead(seen: Any, decisions: Any, policy: Any) -> Any:
        if len(seen) == 1:
            worlds[2].tmux("kill-session", "-t", "=more")
        return hands.vanished(seen, decisions, policy)

    monkeypatch.setattr(prune, "vanished", instead)
    result, made = told(worlds, Limits(5, None))
    assert made.refused == ""
    assert of(result, worlds[0]) == of(result, worlds[1]) == ["removed: idle", "removed: idle"]
    assert of(result, worlds[2]) == ["kept: vanished", "removed: idle"]


def test_a_result_that_cannot_be_made_tells_what_was_done(worlds: List[World], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_words: Any) -> None:
        raise KeyError("odd")

    host = Host(worlds[0].binary, PATIENCE, Directory(PATIENCE))
    chosen = [Owner("1", "anna", finding(*worlds))]
    made = prune_owners.prune_all(host, chosen, Order(EVERYTHING, NONE, hands.Settings(), False, False))
    for name in ("told", "told_diff"):
        with monkeypatch.context() as patch:
            patch.setattr(prune_owners, name, fail)
            result, problem = made.result("host", diff=True)
        assert isinstance(problem, KeyError) and result["changed"] is True
        assert len(result["removed"]) == 6 and [world.ids() for world in worlds] == [[], [], []]


def test_the_time_in_which_one_waits_for_others_is_not_his(worlds: List[World]) -> None:
    shares: List[Any] = []
    host = Host(worlds[0].binary, PATIENCE, Directory(PATIENCE))

    def errand(line: Any, _seen: Any) -> None:
        share: Any = host.share
        before, start = share._until, time.monotonic()
        line.wait()
        line.say({"longer": share._until - before, "waited": time.monotonic() - start})

    def slowly(_at: Host) -> List[Server]:
        time.sleep(1.0)
        return []

    chosen = [Owner("1", "anna", lambda at: []), Owner("2", "bert", slowly)]
    owners.see_to(
        host,
        chosen,
        owners.Way(),
        errand,
        lambda key, message: shares.append((key, message)),
        lambda keys: {key: {} for key in keys},
    )
    (told,) = [message for key, message in shares if key == "1" and "longer" in message]
    assert 0 < told["longer"] <= told["waited"]


def test_where_no_process_can_be_had_it_is_said(worlds: List[World], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    host = Host(worlds[0].binary, PATIENCE, Directory(PATIENCE))
    chosen = [Owner("1", "anna", finding(*worlds[:2]))]
    made = prune_owners.prune_all(host, chosen, Order(EVERYTHING, NONE, hands.Settings(), False, False))
    (server,) = made.servers
    assert (server["owner"], server["status"]) == ("anna", "unreachable")
    assert "no process could be started" in server["reason"]


def test_what_was_saved_of_a_session_whose_removal_is_not_known_is_told(
    worlds: List[World], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Archive(os.path.join(worlds[0].folder, "saved"), False, Retention())
    after_the_first(monkeypatch, worlds, die, late=True)
    result, _made = told(worlds, archive=archive)
    assert of(result, worlds[1]) == ["not_done: error", "not_done: error"]
    for item in result["not_done"]:
        assert os.path.isdir(item["snapshot"])
