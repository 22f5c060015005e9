# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The largest and oldest sessions of a fleet: as many as were asked for, and no host is forgotten."""

from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import columns
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import Paper
from ansible_collections.fleet.tmux.plugins.plugin_utils._top import top

NOW = 1800000000
UNKNOWN: Dict[str, Any] = {
    "cpu_seconds": None,
    "rss": None,
    "open_files": None,
    "processes": None,
    "unread": None,
    "leaks": [],
}


def session(name: str, rss: Optional[int] = 2**20, age: int = 60, **used: Any) -> Dict[str, Any]:
    resources: Dict[str, Any] = {
        "cpu_seconds": 1.5,
        "rss": rss,
        "open_files": 3,
        "processes": 1,
        "unread": 0,
        "leaks": [],
    }
    return {
        "name": name,
        "owner": "alice",
        "socket": "/tmp/tmux-7/default",
        "created": NOW - age,
        "idle": 5,
        "resources": dict(resources, **used),
    }


def result(*sessions: Dict[str, Any], **more: Any) -> Dict[str, Any]:
    server = {"status": "ok", "resources": {"rss": 2**21, "processes": 4}}
    return dict({"sessions": list(sessions), "servers": [server], "unlisted": [], "scope": "host"}, **more)


def names(text: str, title: str) -> List[str]:
    """The sessions of a table, in their order."""
    tables = [table.split("\n") for table in text.split("\n\n")]
    return [line.split()[2] for table in tables if table[0] == title + ":" for line in table[2:]]


FLEET = {
    "web1": result(session("big", 2**30, 60), session("small", 2**10, 600)),
    "web2": result(session("old", 2**20, 86400, cpu_seconds=7200.9, leaks=["cpu_seconds", "rss", "odd"])),
}


def test_it_shows_the_largest_and_the_oldest_of_all_hosts() -> None:
    text, problems = top(FLEET, NOW, rows=2)
    assert (names(text, "Largest by memory"), names(text, "Oldest"), problems) == (["big", "old"], ["old", "small"], [])
    (line,) = [line for line in text.split("\n\n")[1].split("\n") if "old" in line]
    assert line.split("  ")[-1] == "memory, CPU time" or line.endswith("CPU time, memory")
    assert " 2h" in line and " 1d" in line and "1.0 MiB" in line
    assert text.rsplit("\n\n", 1)[1] == (
        "3 sessions on 2 hosts, with their servers 4.0 MiB and 8 processes. 1 session uses too much."
    )


@pytest.mark.parametrize(
    "by, title", [("cpu_time", "CPU time"), ("open_files", "open files"), ("processes", "processes")]
)
def test_what_is_large_can_be_said(by: str, title: str) -> None:
    used = result(session("a"), session("b", cpu_seconds=90.0, open_files=90, processes=90))
    assert names(top({"web1": used}, NOW, by, 1).text, f"Largest by {title}") == ["b"]


def test_of_what_nobody_knows_how_large_it_is_no_place_is_taken() -> None:
    text, _problems = top({"web1": result(session("odd", **UNKNOWN), session("small"))}, NOW)
    assert (names(text, "Largest by memory"), names(text, "Oldest")) == (["small"], ["odd", "small"])


def test_hosts_that_failed_are_told_of_with_what_they_have() -> None:
    fleet = dict(
        FLEET,
        db1={"unreachable": True, "msg": "Connection refused"},
        db2=result(session("there"), failed=True, msg="a server did not answer"),
        db3={},
    )
    text, problems = top(fleet, NOW)
    assert problems == ["db1", "db2", "db3"]
    for part in (
        "Hosts with a problem:",
        "nothing listens on that port",
        "a server did not answer",
        "there is no result",
    ):
        assert part in text
    assert "there" in names(text, "Oldest")
    assert text.endswith(" 3 hosts have a problem.")


def test_what_is_not_listed_or_seen_is_said() -> None:
    server = {"status": "hung", "resources": UNKNOWN}
    odd = result(servers=[server], unlisted=[{"owner": "bob", "sessions": 7000}], scope="own")
    assert top({"web1": odd}, NOW).text == (
        "0 sessions on 1 host, with their servers 0 bytes and 0 processes. 7,000 more sessions were only counted."
        " 1 server could not be looked at. 1 host told only of the user's own sessions."
    )


@pytest.mark.parametrize(
    "odd", [None, [], "x", {"sessions": "x"}, {"sessions": [1, {}, {"resources": 3}], "servers": [{}], "unlisted": {}}]
)
def test_a_host_can_return_anything(odd: Any) -> None:
    text, _problems = top(dict(FLEET, web3=odd), NOW)
    assert names(text, "Largest by memory") == ["big", "old", "small"]


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e300, -1, "9", True, None])
def test_times_that_are_none_are_not_known(seconds: Any) -> None:
    text, _problems = top({"web1": result(session("a", cpu_seconds=seconds))}, NOW, "cpu_time")
    assert (names(text, "Largest by CPU time"), names(text, "Oldest")) == ([], ["a"])


def test_it_fits_the_screen_and_no_name_controls_it() -> None:
    name = "\x1b[2Jmade by\nsomebody " + "long " * 30
    text, _problems = top({"web1": result(session(name, leaks=["rss"]))}, NOW, paper=Paper(79))
    assert max(columns(line) for line in text.split("\n")) <= 79
    assert "\x1b" not in text and "\\x1b[2Jmade" in text.replace("\\033", "\\x1b")
