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
    not_done: Optional[List[Dict[str, Any]]] = None,
    **more: Any,
) -> Dict[str, Any]:
    lists = {"removed": removed or [], "kept": kept or [], "not_done": not_done or []}
    counts: Dict[str, int] = {key: len(items) for key, items in lists.items()}
    counts.update(looked_at=sum(counts.values()), not_matched=more.pop("not_matched", 0), servers=1)
    return dict({"counts": counts, "servers": [], "scope": "host"}, **lists, **more)


FLEET = {
    "web1": result(
        removed=[item("build-41", "idle", "no activity for 2d 4h", freed={"processes": 2, "bytes": 5 * 1024 * 1024})],
        kept=[
            item("work", "attached", "1 client"),
            item("log", "active", "last used 3s ago"),
            item("irc", "attached", "2 clients"),
            item("notes", "keep", "@keep is on", owner="bob", socket="/tmp/tmux-1001/other"),
        ],
    ),
    "web2": result(),
    "db1": {"unreachable": True, "msg": "Failed to connect:\n  no route"},
}


def test_a_fleet() -> None:
    assert cleanup_table(FLEET) == (
        "Kept:\n"
        "  HOST  OWNER  SESSION                       REASON    DETAIL\n"
        "  web1  alice  work                          attached  1 client\n"
        "  web1  alice  log                           active    last used 3s ago\n"
        "  web1  alice  irc                           attached  2 clients\n"
        "  web1  bob    notes (/tmp/tmux-1001/other)  keep      @keep is on\n"
        "\n"
        "Why sessions were kept:\n"
        "  REASON    SESSIONS  IN WORDS\n"
        "  attached         2  somebody is attached to it\n"
        "  active           1  it was used not long ago\n"
        "  keep             1  its user said so with @keep\n"
        "\n"
        "Removed:\n"
        "  HOST  OWNER  SESSION   REASON  DETAIL                 PROCESSES   MEMORY\n"
        "  web1  alice  build-41  idle    no activity for 2d 4h          2  5.0 MiB\n"
        "\n"
        "Owners:\n"
        "  OWNER  HOSTS  LOOKED AT  REMOVED  KEPT  PROCESSES   MEMORY  LONGEST IDLE  WHY KEPT\n"
        "  alice      1          4        1     3          2  5.0 MiB             -  2 attached, 1 active\n"
        "  bob        1          1        0     1          0        -             -  1 keep\n"
        "\n"
        "Hosts:\n"
        "  HOST  STATUS       LOOKED AT  REMOVED  KEPT  PROCESSES   MEMORY  LONGEST IDLE  WHY KEPT\n"
        "  web1  ok                   5        1     4          2  5.0 MiB             -  "
        "2 attached, 1 active, 1 keep\n"
        "  web2  ok                   0        0     0          0        -             -  -\n"
        "  db1   unreachable          -        -     -          -        -             -  -\n"
        "\n"
        "Hosts with a problem:\n"
        "  HOST  STATUS       CAUSE\n"
        "  db1   unreachable  Failed to connect: no route\n"
        "\n"
        "1 of 5 sessions on 3 hosts removed. 1 host has a problem.\n"
        "Hosts: 3 (2 ok, 1 unreachable); Looked at: 5; Removed: 1; Marked: 0; Kept: 4; Not done: 0; "
        "Memory freed: 5.0 MiB (2 processes); Survivors: 0"
    )


def test_check_mode_says_what_would_be() -> None:
    text = cleanup_table(FLEET, check_mode=True)
    assert "\n\n1 of 5 sessions on 3 hosts would be removed. " in text
    assert "\nCheck mode: nothing was done. This is what a real run would have done.\n" in text
    assert "LOOKED AT  TO REMOVE  TO KEEP  PROCESSES   MEMORY  LONGEST IDLE  WHY KEEP\n" in text
    assert "\nWould be removed:\n" in text
    assert text.startswith("Would be kept:\n")


def test_a_failure_part_way_shows_what_was_done() -> None:
    partial = result([item("a", "idle")], [], [item("b", "error", "it did not answer")], failed=True, msg="hung")
    text = cleanup_table({"h": partial})
    assert "\n\n1 of 2 sessions on 1 host removed. 1 session not done, 1 host has a problem.\n" in text
    assert (
        "LOOKED AT  REMOVED  KEPT  NOT DONE  LONGEST IDLE\n  h     failed          2        1     0         1 " in text
    )
    assert (
        "Not done, and should be:\n  HOST  OWNER  SESSION  REASON  DETAIL\n"
        "  h     alice  b        error   it did not answer"
    ) in text
    assert "\n  h     failed  hung\n\n" in text


def test_what_was_given_notice_and_what_outlived_its_session_is_listed() -> None:
    gone = dict(item("a", "idle"), survivors=[{"pid": 7, "command": "make\x1b[2J", "result": "reported"}])
    text = cleanup_table({"h": result([gone], marked=[item("b", "idle", "no activity for 3d")]), "i": result()})
    assert "LOOKED AT  REMOVED  MARKED  KEPT  LONGEST IDLE\n  h     ok              2        1       1     0 " in text
    assert (
        "Given notice:\n  HOST  OWNER  SESSION  REASON  DETAIL\n  h     alice  b        idle    no activity for 3d"
        in text
    )
    assert "Processes that outlived their session:" in text
    assert "  h     alice  a              7  make\\x1b[2J  reported" in text


def test_servers_that_could_not_be_used_are_named() -> None:
    servers = [
        {"owner": "alice", "socket": "/tmp/tmux-1/default", "status": "ok", "reason": ""},
        {"owner": "bob", "socket": "/tmp/tmux-2/default", "status": "hung", "reason": "it did not answer in 10 s"},
    ]
    text = cleanup_table({"h": result(servers=servers)})
    assert "bob    /tmp/tmux-2/default  hung    it did not answer in 10 s" in text
    assert "tmux-1" not in text


def test_what_was_not_looked_at_is_said() -> None:
    text = cleanup_table({"h": result(scope="own", not_matched=2)})
    assert "  h     ok (own sessions only, without root)" in text
    assert "(2 left out by patterns)" in text
    assert "LEFT OUT" in text


@pytest.mark.parametrize(
    ("scope", "said"), [("host", "ok (no tmux)"), ("own", "ok (own sessions only, without root, no tmux)")]
)
def test_a_host_without_tmux_is_well_and_said_to_have_none(scope: str, said: str) -> None:
    note = "tmux was not found on this host, and no server of it runs"
    assert "  h     %s" % said in cleanup_table({"h": result(note=note, scope=scope)})
    assert "no tmux" not in cleanup_table({"h": result(note="")})


@pytest.mark.parametrize("nothing", [{}, None, "", []])
def test_a_host_without_a_result_is_not_left_out(nothing: Any) -> None:
    assert "  h     missing  there is no result" in cleanup_table({"h": nothing})


def test_no_host_at_all() -> None:
    assert cleanup_table({}).startswith("No host was looked at.")


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
    assert "Memory freed: %s (1 process)" % said in text


def test_wide_characters_count_as_two() -> None:
    lines = cleanup_table({"h": result([item("日本", "idle"), item("abcd", "idle")])}).splitlines()
    assert "  h     alice  日本     idle    -" in lines
    assert "  h     alice  abcd     idle    -" in lines


def test_one_long_name_does_not_move_the_others() -> None:
    lines = cleanup_table({"h": result([item("x" * 300, "idle"), item("a", "idle")])}).splitlines()
    assert "  h     alice  a" + " " * 41 + "idle    -" in lines
    assert "  h     alice  %s  idle    -" % ("x" * 300) in lines


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
