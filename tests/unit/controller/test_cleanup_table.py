# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table that a person reads after a cleanup."""

from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.filter.cleanup_table import FilterModule, cleanup_table
from hypothesis import given
from hypothesis import strategies as st


def item(
    name: str, reason: str, detail: str = "", owner: str = "alice", socket: str = "", **more: Any
) -> Dict[str, Any]:
    return dict({"name": name, "reason": reason, "detail": detail, "owner": owner, "socket": socket}, **more)


def result(
    removed: Optional[List[Dict[str, Any]]] = None,
    kept: Optional[List[Dict[str, Any]]] = None,
    failures: Optional[List[Dict[str, Any]]] = None,
    **more: Any,
) -> Dict[str, Any]:
    lists = {"removed": removed or [], "kept": kept or [], "failures": failures or []}
    counts: Dict[str, int] = {key: len(items) for key, items in lists.items()}
    counts.update(looked_at=sum(counts.values()), not_matched=more.pop("not_matched", 0), servers=1)
    return dict({"counts": counts, "servers": [], "scope": "host"}, **lists, **more)


FLEET = {
    "web1": result(
        removed=[item("build-41", "idle", "idle for 2d 4h", freed={"processes": 2, "bytes": 5 * 1024 * 1024})],
        kept=[
            item("work", "attached", "1 attached"),
            item("log", "active", "last used 3s ago"),
            item("irc", "attached", "2 attached"),
            item("notes", "keep", "@keep is on", owner="bob", socket="/tmp/tmux-1001/other"),
        ],
    ),
    "web2": result(),
    "db1": {"unreachable": True, "msg": "Failed to connect:\n  no route"},
}


def test_a_fleet() -> None:
    assert cleanup_table(FLEET) == (
        "1 of 5 sessions on 3 hosts removed. 2 processes and 5.0 MiB freed. 1 host has a problem, see below.\n"
        "\n"
        "HOST  OWNER  LOOKED AT  REMOVED  MARKED  KEPT  FAILED  WHY KEPT\n"
        "web1  alice          4        1       0     3       0  2 attached, 1 active\n"
        "web1  bob            1        0       0     1       0  1 keep\n"
        "web2  -              -        -       -     -       -  no session was looked at\n"
        "db1   -              -        -       -     -       -  unreachable\n"
        "\n"
        "Removed:\n"
        "  HOST  OWNER  SESSION   WHY\n"
        "  web1  alice  build-41  idle: idle for 2d 4h\n"
        "\n"
        "Kept:\n"
        "  HOST  OWNER  SESSION  WHY\n"
        "  web1  alice  work     attached: 1 attached\n"
        "  web1  alice  log      active: last used 3s ago\n"
        "  web1  alice  irc      attached: 2 attached\n"
        "  web1  bob    notes    keep: @keep is on (on /tmp/tmux-1001/other)\n"
        "\n"
        "Hosts with a problem:\n"
        "  HOST  WHAT\n"
        "  db1   unreachable: Failed to connect: no route"
    )


def test_check_mode_says_what_would_be() -> None:
    text = cleanup_table(FLEET, check_mode=True)
    assert "1 of 5 sessions on 3 hosts would be removed." in text
    assert "\nHOST  OWNER  LOOKED AT  TO REMOVE  TO MARK  TO KEEP  FAILED  WHY KEEP\n" in text
    assert "\nWould be removed:\n" in text
    assert "\nWould be kept:\n" in text


def test_a_failure_part_way_shows_what_was_done() -> None:
    partial = result([item("a", "idle")], [], [item("b", "failed", "it did not answer")], failed=True, msg="hung")
    text = cleanup_table({"h": partial})
    assert "h     alice          2        1       0     0       1  -" in text
    assert (
        "Not removed, though it should be:\n  HOST  OWNER  SESSION  WHY\n  h     alice  b        failed: it did" in text
    )
    assert text.endswith("  h     failed: hung")


def test_what_was_given_notice_and_what_outlived_its_session_is_listed() -> None:
    gone = dict(item("a", "idle"), survivors=[{"pid": 7, "command": "make\x1b[2J", "result": "reported"}])
    text = cleanup_table({"h": result([gone], marked=[item("b", "idle", "idle for 3d")])})
    assert "h     alice          2        1       1     0       0  -" in text
    assert "Given notice:\n  HOST  OWNER  SESSION  WHY\n  h     alice  b        idle: idle for 3d" in text
    assert "Processes that outlived their session:" in text
    assert "  h     alice  a        7 make\\x1b[2J: reported" in text


def test_servers_that_could_not_be_used_are_named() -> None:
    servers = [
        {"owner": "alice", "socket": "/tmp/tmux-1/default", "status": "ok", "reason": ""},
        {"owner": "bob", "socket": "/tmp/tmux-2/default", "status": "hung", "reason": "it did not answer in 10 s"},
    ]
    text = cleanup_table({"h": result(servers=servers)})
    assert "bob    /tmp/tmux-2/default  hung: it did not answer in 10 s" in text
    assert "tmux-1" not in text


def test_what_was_not_looked_at_is_said() -> None:
    text = cleanup_table({"h": result(scope="own", not_matched=2)})
    assert "without root, only the sessions of one user could be looked at" in text
    assert "patterns or excludes left out 2 sessions" in text


@pytest.mark.parametrize("nothing", [{}, None, "", []])
def test_a_host_without_a_result_is_not_left_out(nothing: Any) -> None:
    assert "  h     there is no result" in cleanup_table({"h": nothing})


def test_no_host_at_all() -> None:
    assert cleanup_table({}).startswith("0 of 0 sessions on 0 hosts removed.")


def test_something_else_is_refused() -> None:
    with pytest.raises(TypeError, match="dictionary of results by host, not list"):
        cleanup_table([])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (3 << 20, "3.0 MiB"),
        (5 << 40, "5120.0 GiB"),
    ],
)
def test_sizes_are_readable(size: int, said: str) -> None:
    text = cleanup_table({"h": result([item("a", "idle", freed={"processes": 1, "bytes": size})])})
    assert "1 process and %s freed." % said in text


def test_wide_characters_count_as_two() -> None:
    lines = cleanup_table({"h": result([item("日本", "idle"), item("abcd", "idle")])}).splitlines()
    assert "  h     alice  日本     idle" in lines
    assert "  h     alice  abcd     idle" in lines


def test_one_long_name_does_not_move_the_others() -> None:
    lines = cleanup_table({"h": result([item("x" * 300, "idle"), item("a", "idle")])}).splitlines()
    assert "  h     alice  a" + " " * 41 + "idle" in lines
    assert "  h     alice  %s  idle" % ("x" * 300) in lines


_TEXT = st.text(max_size=30)


@given(host=_TEXT, name=_TEXT, owner=_TEXT, reason=_TEXT, detail=_TEXT, message=_TEXT)
def test_no_text_controls_the_terminal_or_makes_lines(
    host: str, name: str, owner: str, reason: str, detail: str, message: str
) -> None:
    one = result([item(name, reason, detail, owner, detail)], failed=True, msg=message)
    plain = result([item("a", "b", "c", "d", "e")], failed=True, msg="m")
    text = cleanup_table({host: one})
    assert text.replace("\n", "").isprintable()
    assert text.count("\n") == cleanup_table({"h": plain}).count("\n")


def test_ansible_finds_it() -> None:
    assert FilterModule().filters() == {"cleanup_table": cleanup_table}
