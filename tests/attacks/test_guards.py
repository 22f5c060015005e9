# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One user with a crowd of sessions neither stops the cleanup of the others nor switches its guards off.

The sessions are those of stock tmux: a thousand of one group cost their user next to nothing.
"""

from typing import Any, Dict, List

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import Result, Tmux, module, prune, removed, write
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, DAVE, Account
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

CROWD = 1000


def crowd(*more: str) -> Tmux:
    """A thousand sessions of alice, each with what ``more`` does to it."""
    lines = ["new-session -d -s c0 -x 80 -y 24 -- cat"]
    lines += ["new-session -d -t c0 -s c%d" % number for number in range(1, CROWD)]
    lines += [line % number for number in range(CROWD) for line in more]
    server = Tmux(ALICE)
    server("-f", "/dev/null", "start-server", ";", "source-file", write(ALICE.home + "/crowd", "\n".join(lines), ALICE))
    assert len(server.names()) == CROWD
    return server


def honest() -> List[Tmux]:
    """Two sessions of bob and one of dave, in which nothing has happened for a while."""
    servers = [Tmux(BOB).start("build", "shell"), Tmux(DAVE).start("notes")]
    eventually(lambda: len(removed(prune(check=True, users=["bob", "dave"]))) == 3, "they are idle")
    return servers


THEIRS = [("bob", "build"), ("bob", "shell"), ("dave", "notes")]
LIMITS: Dict[str, Any] = {"max_removals": 10, "max_percent": 100}


def of_owner(result: Result, owner: str) -> Dict[str, Any]:
    (found,) = [one for one in result["owners"] if one["owner"] == owner]
    return dict(found)


@pytest.mark.parametrize("check", [True, False], ids=["check", "real"])
def test_a_crowd_of_idle_sessions_stops_nobody_else(check: bool) -> None:
    """It does without the limit for one owner: that is seen first."""
    honest()
    alice = crowd()
    stopped = prune(**LIMITS)
    assert stopped["failed"] and "1003 sessions would be removed, max_removals is 10" in stopped["msg"]
    assert removed(stopped) == []

    result = prune(check=check, max_removals_per_owner=3, **LIMITS)
    assert not result.get("failed"), result["msg"]
    assert removed(result) == THEIRS
    assert len(alice.names()) == CROWD
    said = "1000 sessions of this owner would be removed, max_removals_per_owner is 3"
    assert result["warnings"] == ["nothing of alice was removed: " + said]
    assert of_owner(result, "alice") == {
        "owner": "alice",
        "removals": CROWD,
        "unprotected": CROWD,
        "over_limit": True,
        "message": said,
    }
    assert {it["reason"] for it in result["kept"]} == {"guard"}
    assert result["counts"] == dict(result["counts"], looked_at=CROWD + 3, removed=3, kept=CROWD, not_done=0)


@pytest.mark.parametrize("idle", [False, True], ids=["kept", "over"])
def test_a_crowd_that_does_not_go_keeps_no_percentage_from_firing(idle: bool) -> None:
    """Three of three is all there is. A share of all that was looked at would be 3 of 1003, and remove them."""
    servers = honest()
    crowd(*([] if idle else ["set-option -t c%d @keep on"]))
    result = prune(protect=["keep"], max_percent=99, max_removals_per_owner=3)
    assert result["failed"]
    assert "3 of 3 sessions without protection would be removed, max_percent is 99" in result["msg"]
    assert removed(result) == [] and [len(server.names()) for server in servers] == [2, 1]


def test_an_ordinary_crowd_weighs_no_more_than_the_limit_for_one_owner() -> None:
    """Three that go, and a thousand that are not due and weigh as much as three: half, and not a third of a percent."""
    servers = honest()
    for server in servers:
        for name in server.names():
            server("set-option", "-w", "-t", name, "remain-on-exit", "on")
            server("respawn-pane", "-k", "-t", name, "true")
    crowd()
    finished: Dict[str, Any] = {"idle": None, "finished": True, "max_removals_per_owner": 3}

    def all_due() -> bool:
        for server in servers:
            server("run-shell", "-b", ":")  # tmux 3.3a may not notice that a process has ended until another one does.
        return len(removed(prune(check=True, users=["bob", "dave"], **finished))) == 3

    eventually(all_due, "their panes are dead")
    result = prune(max_percent=49, **finished)
    assert result["failed"] and removed(result) == []
    assert "3 of 1003 sessions without protection would be removed (50.0 percent where" in result["msg"]
    assert removed(prune(max_percent=50, **finished)) == THEIRS


def test_user_ids_without_an_account_are_one_owner() -> None:
    """Who has subordinate ids (subuid) has thousands. The run was seen to stop when each was an owner of its own."""
    honest()
    for uid in range(100000, 100012):
        Tmux(Account(str(uid), uid, uid, "/")).start("idle")
    eventually(lambda: len(removed(prune(check=True))) == 15, "they are idle")
    result = prune(max_removals_per_owner=3, **LIMITS)
    assert not result.get("failed"), result["msg"]
    assert removed(result) == THEIRS
    over = [one for one in result["owners"] if one["over_limit"]]
    assert [one["owner"] for one in over] == [str(uid) for uid in range(100000, 100012)]
    said = "12 sessions of owners without an account would be removed, max_removals_per_owner is 3"
    assert {one["message"] for one in over} == {said}


def test_the_limit_for_one_owner_holds_on_one_server_too() -> None:
    """It keeps what is there, and says so, with nobody else around."""
    server = Tmux(BOB).start("a", "b", "c")
    params: Dict[str, Any] = {"socket_path": server.path, "idle": "1s", "protect": []}
    eventually(lambda: len(removed(module("tmux_session_prune", check=True, **params))) == 3, "they are idle")
    result = module("tmux_session_prune", max_removals_per_owner=2, **params)
    assert removed(result) == [] and not result.get("failed") and of_owner(result, "bob")["over_limit"]
    assert len(server.names()) == 3
