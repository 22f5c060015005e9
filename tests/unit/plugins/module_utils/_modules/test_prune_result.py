# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a run has an end, whatever one user makes; what was done is told of first, and all is counted."""

import heapq
import json
from typing import Any, List, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._modules import prune_result
from ansible_collections.fleet.tmux.plugins.module_utils._modules.bounds import IN_SHORT, LISTED, Bounds
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune_result import EMPTY_RESULT, Pruned, diff, result
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import (
    KEEP,
    REMOVE,
    Decision,
    Outcome,
    Survivor,
    begin,
    done,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import parse_version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Listing, Session, Unread
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Server
from ansible_collections.fleet.tmux.tests.support.sessions import NOW, session, subject, window

ANNA = User("anna", 1001, 1001)
MORE = {"survivors": 0, "lives_on": 0, "removed_files": 0, "left_files": 0}


def seen(sessions: Sequence[Session]) -> Seen:
    listing = Listing(99, 5, parse_version("3.3a"), tuple(sessions), ())
    client = Client("tmux", "/tmp/tmux-1001/default", ANNA, False, 1.0)
    return Seen(Server("/tmp/tmux-1001/default", ANNA, "ok"), client, listing)


def sharing(number: int, *windows: str, long: str = "") -> List[Session]:
    """Sessions that all hold the same windows."""
    held = tuple(window(id=each, name=each) for each in windows or ("@1",))
    return [session("s%05d%s" % (each, long), *held)._replace(id="$%d" % each) for each in range(number)]


def run_of(sessions: Sequence[Session], removed: int, unread: Sequence[Unread] = ()) -> Pruned:
    """A run that removed the first of these sessions."""
    outcomes = [
        done(Decision(subject(each), REMOVE, "idle", "no activity for 2d"))
        if number < removed
        else begin(Decision(subject(each), KEEP, "keep", "@keep is on"))
        for number, each in enumerate(sessions)
    ]
    return Pruned([seen(sessions)], outcomes, [(subject(sessions[0]).origin, lost) for lost in unread], 0, NOW)


def told(run: Pruned, **more: Any) -> Any:
    made = result(run, "any", **more)
    assert made.keys() | {"scope", "note"} == EMPTY_RESULT.keys()
    listed = sum(len(made[what]) for what in ("removed", "marked", "kept", "not_done"))
    counted = sum(one[what] for one in made["unlisted"] for what in ("removed", "marked", "kept", "not_done"))
    assert listed + counted == made["counts"]["looked_at"]
    return made


def test_a_notice_that_was_taken_back_is_counted_and_told() -> None:
    run = run_of(sharing(2), 0)
    used = run.outcomes[0]._replace(unmarked=True)
    made = told(run._replace(outcomes=[used, *run.outcomes[1:]]))
    assert made["counts"]["unmarked"] == 1 and made["changed"]
    assert [it["detail"] for it in made["kept"]] == ["@keep is on; notice is taken back", "@keep is on"]


def test_of_a_window_that_many_hold_a_few_sessions_are_named() -> None:
    made = told(run_of(sharing(600), 1))
    (item,) = made["removed"]
    names = ["s%05d" % number for number in range(1, 6)]
    assert item["lives_on"] == [{"window": "@1", "name": "@1", "sessions": names, "more": {"sessions": 594}}]
    made = told(run_of(sharing(3, *("@%d" % number for number in range(50))), 1))
    assert len(made["removed"][0]["lives_on"]) == 20 and made["removed"][0]["more"] == dict(MORE, lives_on=30)


def test_two_thousand_sessions_that_share_a_window_are_a_small_result(monkeypatch: Any) -> None:
    """Of 1,000 removed and 1,000 kept, each removed one named each kept one: seen to be 111 MB before."""
    sorting: List[int] = []
    smallest = heapq.nsmallest

    def counted(number: int, names: Sequence[str]) -> List[str]:
        sorting.append(len(names))
        return smallest(number, names)

    monkeypatch.setattr(heapq, "nsmallest", counted)
    made = told(run_of(sharing(2000, long="x" * 100), 1000))
    assert sorting == [1000]
    assert (made["counts"]["removed"], made["counts"]["kept"]) == (1000, 1000)
    assert len(json.dumps(made)) < LISTED.owner + 2000
    assert len(made["removed"]) == 1000 and made["unlisted"] == []


def test_what_was_removed_is_named_before_anything_else_is_told() -> None:
    made = told(run_of(sharing(2000), 300), bounds=Bounds(150000, 150000))
    assert [item["id"] for item in made["removed"]] == ["$%d" % number for number in range(300)]
    assert {(item["owner"], item["reason"]) for item in made["removed"]} == {("anna", "idle")}
    assert all(item["identity"] == "99/5/%s/%d" % (item["id"], NOW - 1000) for item in made["removed"])
    assert IN_SHORT in {item["detail"] for item in made["kept"]}
    assert made["unlisted"] == [
        {"owner": "anna", "removed": 0, "marked": 0, "not_done": 0, "kept": 1700 - len(made["kept"]), "servers": 0}
    ]
    assert made["counts"] == dict(EMPTY_RESULT["counts"], removed=300, kept=1700, looked_at=2000, servers=1)


def test_every_part_of_an_item_has_an_end() -> None:
    whole = session(
        "n" * 16384, *[window(id="@%d" % number, name="w" * 9999) for number in range(500)], keep="k" * 16384
    )
    processes = [Process(number, 1, number, "S", 5, 0, 0, "c" * 63) for number in range(900)]
    survivors = tuple(Survivor(each, tuple(range(1, 9000)), "reported") for each in processes)
    outcome = done(Decision(subject(whole), REMOVE, "idle", "d" * 10**6), "", "/var/lib/" + "s" * 10**6)
    other = begin(Decision(subject(whole._replace(id="$2")), KEEP, "keep", "k"))
    lost = Unread("$3" * 9999, "u" * 10**6, "r" * 10**6)
    origin = outcome.subject.origin
    outcomes: List[Outcome] = [outcome._replace(survivors=survivors), other]
    made = told(Pruned([seen([whole, whole._replace(id="$2")])], outcomes, [(origin, lost)], 0, NOW))
    (item,) = made["removed"]
    assert item["more"] == dict(MORE, survivors=880, lives_on=480)
    assert item["survivors"][0]["more"] == {"ports": 8979}
    assert item["name"] == "n" * 400 + "... and 15984 more characters"
    assert all(len(json.dumps(each)) < 32000 for each in (*made["removed"], *made["kept"]))


def test_a_diff_has_an_end_and_begins_with_what_changes() -> None:
    run = run_of(sharing(5000, long="x" * 200), 3)
    before, after = (diff(run)[side]["sessions"] for side in ("before", "after"))
    assert before[:3] == ["anna /tmp/tmux-1001/default s0000%d%s" % (number, "x" * 200) for number in range(3)]
    assert before[3:] == after and len(json.dumps(before)) < 130000
    assert after[-1] == "and %d more sessions that stay as they are" % (4998 - len(after))
    assert diff(run_of(sharing(5000, long="x" * 200), 5000))["before"]["sessions"][-1].endswith(
        "more sessions that do not"
    )


def test_what_a_child_has_left_out_is_left_out_of_the_whole() -> None:
    left_out = [{"owner": "anna", "removed": 1, "marked": 0, "kept": 5, "not_done": 0}]
    again = prune_result.within({what: [] for what in ("removed", "marked", "kept", "not_done")}, unlisted=left_out)
    assert again.unlisted == left_out
