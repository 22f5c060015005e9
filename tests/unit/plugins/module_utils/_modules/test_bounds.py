# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""However much there is, a result has a size, what was done is told of first, and what is left out is counted."""

import json
from typing import Any, Dict, List

from ansible_collections.fleet.tmux.plugins.module_utils._modules.bounds import (
    IN_SHORT,
    LISTED,
    Bounds,
    bounded,
    first,
    short,
    size,
    with_servers,
)
from hypothesis import given
from hypothesis import strategies as st

ORDER = ("removed", "not_done", "kept")


def item(owner: str, number: int, detail: str = "no activity for 2d") -> Dict[str, Any]:
    return {
        "name": "work%d" % number,
        "id": "$%d" % number,
        "owner": owner,
        "reason": "idle",
        "detail": detail,
        "evidence": {"created": 1},
        "survivors": [{"pid": 1}, {"pid": 2}],
        "more": {"survivors": 3},
    }


def many(owner: str, number: int, detail: str = "") -> List[Dict[str, Any]]:
    return [item(owner, each, detail) for each in range(number)]


def in_all(lists: Dict[str, List[Dict[str, Any]]]) -> int:
    return sum(size(each) for items in lists.values() for each in items)


def test_what_fits_is_told_as_it_is() -> None:
    lists = {"removed": many("alice", 300), "kept": many("bob", 300), "not_done": []}
    assert bounded(lists, LISTED, ORDER) == (lists, [])


def test_the_shortest_form_says_who_and_what_and_counts_the_rest() -> None:
    least = short(item("alice", 7))
    assert least == dict(item("alice", 7), detail=IN_SHORT, evidence={}, survivors=[], more={"survivors": 5})
    described = {"name": "n" * 100, "owner": "alice", "options": {"@a": "1"}, "windows": [{}], "more": {}}
    told = short(described)
    assert (told["options"], told["windows"], told["more"]) == ({}, [], {"options": 1, "windows": 1})
    assert told["name"] == "n" * 64 + "... and 36 more characters"


def test_what_was_done_is_told_of_before_what_stays() -> None:
    lists = {"removed": many("alice", 40), "not_done": many("alice", 5), "kept": many("alice", 400)}
    told = bounded(lists, Bounds(20000, 10**6), ORDER)
    assert [each["id"] for each in told.lists["removed"]] == [each["id"] for each in lists["removed"]]
    assert len(told.lists["not_done"]) == 5 and 0 < len(told.lists["kept"]) < 400
    assert told.unlisted == [{"owner": "alice", "removed": 0, "not_done": 0, "kept": 400 - len(told.lists["kept"])}]
    assert in_all(told.lists) <= 20000


def test_who_has_much_costs_who_has_little_nothing() -> None:
    honest = many("honest", 10)
    for hostile in (1, 5, 60):
        lists = {"removed": honest[:5], "not_done": [], "kept": honest[5:]}
        lists["kept"] = [each for number in range(hostile) for each in many("h%d" % number, 500)] + lists["kept"]
        told = bounded(lists, Bounds(50000, 200000), ORDER)
        assert [each for each in told.lists["kept"] if each["owner"] == "honest"] == honest[5:]
        assert told.lists["removed"] == honest[:5]
        assert in_all(told.lists) <= 200000
        assert [each["owner"] for each in told.unlisted] == sorted("h%d" % number for number in range(hostile))


def test_what_was_only_counted_before_stays_counted() -> None:
    before = [{"owner": "alice", "removed": 2, "kept": 7}]
    told = bounded({"removed": many("alice", 1), "not_done": [], "kept": []}, LISTED, ORDER, before)
    assert told.unlisted == [{"owner": "alice", "removed": 2, "not_done": 0, "kept": 7}]


@given(
    st.dictionaries(
        st.sampled_from(["alice", "bob", "carol", "dave"]),
        st.lists(st.tuples(st.sampled_from(ORDER), st.integers(0, 300)), max_size=30),
        max_size=4,
    ),
    st.integers(0, 5000),
    st.integers(0, 8000),
)
def test_nothing_is_lost_or_told_twice(owners: Dict[str, Any], of_owner: int, all_: int) -> None:
    lists: Dict[str, List[Dict[str, Any]]] = {key: [] for key in ORDER}
    for owner, items in owners.items():
        for number, (key, long) in enumerate(items):
            lists[key].append(item(owner, number, "d" * long))
    told = bounded(lists, Bounds(of_owner, all_), ORDER)
    assert in_all(told.lists) <= all_
    for owner in owners:
        own = {key: [each for each in told.lists[key] if each["owner"] == owner] for key in ORDER}
        assert in_all(own) <= of_owner
        out = next((one for one in told.unlisted if one["owner"] == owner), dict.fromkeys(ORDER, 0))
        for key in ORDER:
            whole = [each for each in lists[key] if each["owner"] == owner]
            assert [each["id"] for each in own[key]] == [each["id"] for each in whole[: len(own[key])]]
            assert len(own[key]) + out[key] == len(whole)
            if len(own[key]) < len(whole):  # Nothing that counts less was let in before it.
                assert not any(own[after] for after in ORDER[ORDER.index(key) + 1 :])


def test_each_item_is_looked_at_a_fixed_number_of_times(monkeypatch: Any) -> None:
    written: List[int] = []
    dumps = json.dumps

    def counted(value: Any) -> str:
        written.append(1)
        return dumps(value)

    monkeypatch.setattr(json, "dumps", counted)

    def work(number: int) -> int:
        written.clear()
        bounded({"removed": many("alice", number), "not_done": [], "kept": many("bob", number)}, Bounds(1, 2), ORDER)
        return len(written)

    assert work(400) <= 4 * work(100) + 10


def test_the_first_and_how_many_more() -> None:
    assert first([1, 2, 3], 2) == ([1, 2], 1)
    assert first((1,), 2) == ([1], 0)


def test_servers_have_bounds_too_and_those_in_trouble_come_first() -> None:
    def server(owner: str, number: int, status: str) -> Dict[str, Any]:
        reason = "r" * 500 if status != "ok" else ""
        return {"owner": owner, "socket": "/tmp/%03d" % number, "pid": None, "status": status, "reason": reason}

    servers = [server("alice", number, "ok") for number in range(200)]
    servers += [server("mallory", number, "hung" if number >= 200 else "ok") for number in range(400)]
    sessions = bounded({"removed": many("alice", 1), "kept": []}, LISTED, ORDER)
    told = with_servers(servers, sessions)
    assert told.lists["removed"] == sessions.lists["removed"]
    own = [one for one in told.lists["servers"] if one["owner"] == "mallory"]
    assert told.lists["servers"][:200] == servers[:200] and {one["status"] for one in own} >= {"hung"}
    assert sum(map(size, own)) <= 128 * 1024 and [one["socket"] for one in own] == sorted(one["socket"] for one in own)
    assert told.unlisted == [{"owner": "mallory", "removed": 0, "kept": 0, "servers": 400 - len(own)}]
