# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of a report on a terminal: it fits, ends with what matters, and names the next command."""

from typing import Any, Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import columns
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Json
from ansible_collections.fleet.tmux.plugins.plugin_utils._summary import Asked
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import Paper, common_domain, table
from ansible_collections.fleet.tmux.tests.support.reports import FLEET, gone, item, result, whole
from hypothesis import given
from hypothesis import strategies as st

MAKE = Asked("make cleanup INVENTORY=hosts.ini")
POLICY = [
    {"id": "a", "policy": {"idle": "7d", "protect": ["attached", "keep"], "all_users": True}, "hosts": list(FLEET)}
]
WELL = {"web1": result([gone("build")])}
SAVED = {"web1": result([gone("build", snapshot="/var/lib/fleet tmux/x")], marked=[item("paper")])}
CALM = {"web1": result(kept=[item("work", "attached")])}
AWAY = {"web1": result([gone("build")]), "db 1": {"unreachable": True, "msg": "no route"}}
NOTICE = {"web1": result(marked=[item("paper")])}


def end(made: Json, paper: Paper) -> List[str]:
    """The last lines, which are of the whole."""
    return table(made, paper).rsplit("\n\n", maxsplit=1)[-1].split("\n")


def test_it_ends_with_what_was_done_and_marked_the_policy_the_report_and_the_next_command() -> None:
    paper = Paper(79, True, ["/srv/reports/report.json", "/srv/reports/report.html"], MAKE)
    assert end(whole(policies=POLICY), paper) == [
        "2 of 7 sessions on 5 hosts removed, 1 given notice. 1 session not done, 3 hosts",
        "  have a problem.",
        "Hosts: 5 (2 ok, 1 failed, 1 unreachable, 1 missing);",
        "  Looked at: 7 (2 left out by patterns); Removed: 2; Marked: 1;",
        "  Kept: 3 (longest idle 1h 40m); Not done: 1;",
        "  Memory freed: 1.0 KiB (3 processes);",
        "  Survivors: 1 (outlived their session, listening on 8080)",
        "Policy: idle: 7d; protect: attached, keep; all_users: True",
        "Report: /srv/reports/report.html",
        "Next: mend what is said of the hosts with a problem, then",
        "  make cleanup INVENTORY=hosts.ini LIMIT=db1,db2,db3",
    ]


@pytest.mark.parametrize(
    ("results", "check_mode", "asked", "said"),
    [
        (WELL, True, MAKE, ["Next: what is told above is done by", "  make cleanup INVENTORY=hosts.ini"]),
        (
            WELL,
            True,
            Asked("make cleanup", "web*"),
            ["Next: what is told above is done by", "  make cleanup LIMIT='web*'"],
        ),
        (NOTICE, True, MAKE, ["Next: what is told above is done by", "  make cleanup INVENTORY=hosts.ini"]),
        (WELL, True, Asked(checked=True), ["Next: the same command without --check does what is told above."]),
        (
            WELL,
            True,
            Asked(),
            ["Next: fleet.tmux.cleanup does what is told above, without tmux_cleanup_report_only."],
        ),
        (CALM, True, MAKE, []),
        (CALM, False, MAKE, ["Next: to have a report in files, name a directory with tmux_cleanup_report_dir."]),
        (
            SAVED,
            False,
            MAKE,
            [
                "Next: whoever misses a session of theirs gets it back with",
                "  sudo -u alice sh '/var/lib/fleet tmux/x'/restore",
            ],
        ),
        (
            {"web1": result(SAVED["web1"]["removed"], scope="own")},
            False,
            MAKE,
            ["Next: whoever misses a session of theirs gets it back with", "  sh '/var/lib/fleet tmux/x'/restore"],
        ),
        (
            {"web1": result([gone("a", snapshot="/x", owner="-e"), gone("b", snapshot="/y")])},
            False,
            MAKE,
            ["Next: whoever misses a session of theirs gets it back with", "  sudo -u OWNER sh SAVED_IN/restore"],
        ),
        (
            {"web1": result([gone("a", snapshot="/x", socket="/tmp/tmux-1000/work")])},
            False,
            MAKE,
            ["Next: whoever misses a session of theirs gets it back with", "  sudo -u alice sh /x/restore -L work"],
        ),
        (NOTICE, False, MAKE, ["Next: a later run removes what was given notice and nobody has used by then."]),
        (
            AWAY,
            False,
            Asked(),
            ["Next: mend what is said of the hosts with a problem, then the same command with --limit 'db 1'."],
        ),
        (AWAY, True, MAKE, ["Next: what is told above is done by", "  make cleanup INVENTORY=hosts.ini"]),
        ({}, False, MAKE, []),
    ],
)
def test_what_is_to_be_done_next(results: Dict[str, Any], check_mode: bool, asked: Asked, said: List[str]) -> None:
    told = end(whole(results, check_mode=check_mode), Paper(200, True, (), asked))
    assert [line for line in told if line.startswith(("Next", "  make", "  sh ", "  sudo "))] == said


def test_many_hosts_with_a_problem_are_not_named_in_a_command() -> None:
    made = whole({"db%d" % number: {"unreachable": True, "msg": "no route"} for number in range(6)})
    assert end(made, Paper(79, True, (), MAKE))[-1] == "  make cleanup INVENTORY=hosts.ini"


def test_where_nobody_asked_nothing_is_said_of_the_next_command() -> None:
    assert "Next:" not in table(whole(), Paper(79, True))


@pytest.mark.parametrize("width", [79, 80, 100, 119, 200])
@pytest.mark.parametrize("check_mode", [True, False])
def test_no_line_is_longer_than_the_terminal_is_wide(width: int, check_mode: bool) -> None:
    long = {"web1": result([gone("x" * 300, socket="/tmp/" + "y" * 200, snapshot="/var/lib/" + "z" * 200)])}
    for results in (FLEET, long):
        text = table(
            whole(results, check_mode=check_mode, policies=POLICY), Paper(width, True, ["/" + "r" * 300], MAKE)
        )
        # A command is one line, however long: whoever pastes it pastes all of it.
        told = [line for line in text.split("\n") if not line.startswith(("  make ", "  sudo "))]
        assert [line for line in told if columns(line) > width] == []
    assert text.replace("\n", "").replace(" ", "").count("x" * 10) >= 20, "a long name is not cut"


def test_a_command_is_one_line_and_says_first_which_hosts_it_is_for() -> None:
    asked = Asked("make cleanup INVENTORY=hosts.ini ARGS='-e tmux_cleanup_report_dir=/srv/%s'" % ("x" * 90), "web*")
    lines = end(whole(AWAY), Paper(79, True, (), asked))
    expected = asked.command.replace(" ARGS=", " LIMIT='db 1' ARGS=")
    assert lines[-1] == "  " + expected


def test_the_domain_of_all_hosts_is_left_out_where_there_is_no_room_for_it() -> None:
    hosts = {f"{name}.cluster-west.example.com": result_ for name, result_ in FLEET.items()}
    text = table(whole(hosts), Paper(79, True))
    assert "\n  web1  alice  build-41  idle    idle, in words  /var/lib/fleet-tmux/alice/x\n" in text
    assert text.endswith("\nThe name of each host ends in .cluster-west.example.com")
    assert text.count("cluster-west.example.com") == 1
    wide = table(whole(hosts), Paper(200, True))
    assert "\n  web1.cluster-west.example.com  alice  build-41 " in wide and "ends in" not in wide


@pytest.mark.parametrize(
    ("names", "shared"),
    [
        (["a.x.example.com", "b.y.example.com"], ".example.com"),
        (["a.example.com", "b.c.example.com"], ".example.com"),
        (["example.com", "a.example.com"], ".com"),
        (["a.example.com", "a.example.org"], ""),
        (["a", "b.example.com"], ""),
        (["a.example.com"], ""),
        (["10.0.0.1", "10.1.0.1"], ""),
        ([], ""),
    ],
)
def test_what_all_names_of_hosts_end_with(names: List[str], shared: str) -> None:
    assert common_domain(names) == shared


def test_what_could_not_be_seen_is_not_zero() -> None:
    away: Json = {"failed": True, "msg": "x"}
    lines = table(whole({"web1": result([gone("a")]), "db1": away, "db2": result(**away)})).splitlines()
    told = {line.split()[0]: line.split()[1:] for line in lines[lines.index("Hosts:") + 2 :][:3]}
    assert told == {
        "web1": ["ok", "1", "1", "0", "2", "1000", "bytes", "-"],
        "db1": ["failed", "-", "-", "-", "-", "-", "-"],
        "db2": ["failed", "0", "0", "0", "0", "-", "-"],
    }
    alone = table(whole({"db1": away}))
    assert "\nNo host could be looked at. 1 host has a problem.\n" in alone
    assert "nothing to do" not in alone and "0 of 0" not in alone


def test_survivors_are_told_of_with_their_ports() -> None:
    def told(*ports: int) -> str:
        survivors = [{"pid": port, "command": "x", "rss": 1, "ports": [port], "result": "reported"} for port in ports]
        made = whole({"web1": result([gone("a", survivors=survivors)])})
        return table(made).rpartition("Survivors: ")[2]

    assert told(8443, 8080) == "2 (outlived their session, listening on 8080, 8443)"
    assert told(*range(1, 13)).endswith("listening on 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 2 more)")
    quiet = [{"pid": 1, "command": "x", "rss": 1, "ports": [], "result": "reported"}]
    assert "Survivors: 1 (outlived their session)" in table(whole({"web1": result([gone("a", survivors=quiet)])}))
    assert table(whole({"web1": result([gone("a")])})).endswith("Survivors: 0")


def many(outcome: str, number: int) -> Json:
    reason = "attached" if outcome == "kept" else "idle"
    lists: Dict[str, Any] = {outcome: [item("session-%03d" % one, reason) for one in range(number)]}
    return whole({"web1": result(**lists)})


def test_what_is_kept_is_folded_after_twenty_lines() -> None:
    text = table(many("kept", 21), Paper(79, True))
    assert text.count("  session-") == 20
    assert "\n  ... and 1 more; tmux_cleanup_report_dir names a directory for a report that\n  has all\n" in text
    assert "\n  ... and 1 more; the report has all\n" in table(many("kept", 21), Paper(79, True, ["/r/report.html"]))
    assert table(many("kept", 20), Paper(79, True)).count("more") == 0
    assert table(many("kept", 21), Paper(79)).count("  session-") == 21


@pytest.mark.parametrize("outcome", ["removed", "marked", "not_done"])
def test_what_is_done_or_should_be_is_not_folded(outcome: str) -> None:
    assert table(many(outcome, 300), Paper(79, True)).count("  session-") == 300


_TEXT = st.text(max_size=200)


@given(name=_TEXT, owner=_TEXT, reason=_TEXT, detail=_TEXT, message=_TEXT)
def test_no_text_of_a_host_begins_a_line(name: str, owner: str, reason: str, detail: str, message: str) -> None:
    """What stands at the left edge is ours, so nobody can forge the sums."""

    def edge(one: Json) -> List[str]:
        text = table(whole({"web1": one}), Paper(79, True, (), MAKE))
        assert text.replace("\n", "").isprintable()
        return [line for line in text.split("\n") if line and not line.startswith(" ")]

    forged = result([item(name, reason, owner, detail=detail, socket=detail)], failed=True, msg=message)
    assert edge(forged) == edge(result([item("a", "b", "c", detail="d")], failed=True, msg="m"))


def test_what_is_proposed_says_neither_that_it_was_not_done_nor_what_to_do_next() -> None:
    made = whole(check_mode=True)
    told = end(made, Paper(79, True, proposed=True))
    assert told == [line for line in end(made, Paper(79, True)) if not line.startswith("Check mode: nothing was done.")]
    assert len(told) == len(end(made, Paper(79, True))) - 1


def test_what_else_is_done_stands_with_the_sums() -> None:
    told = end(whole(WELL, check_mode=True), Paper(79, True, proposed=True, besides=["a script is installed"]))
    assert "Besides: a script is installed" in told


def test_who_has_just_read_all_of_it_is_only_told_where_it_is() -> None:
    made = whole(check_mode=True)
    assert table(made, Paper(79, True, (), MAKE, known=True)) == ""
    assert table(made, Paper(79, True, ["/r/report.html"], MAKE, known=True)) == "Report: /r/report.html"


def titles(results: Dict[str, Any]) -> List[str]:
    """The tables of a text, in the order in which they stand there."""
    return [block.split(":\n")[0] for block in table(whole(results)).split("\n\n")[:-1]]


@pytest.mark.parametrize(
    "results, told",
    [
        ({"web1": result([gone("a")], kept=[item("b", "keep")])}, ["Kept", "Removed"]),
        (
            {"web1": result([gone("a")], kept=[item("b", "keep"), item("c", "attached")])},
            ["Kept", "Why sessions were kept", "Removed"],
        ),
        (
            {"web1": result([gone("a")], kept=[item("b", "keep", "bob"), item("c", "attached")])},
            ["Kept", "Why sessions were kept", "Removed", "Owners"],
        ),
        ({"web1": result([gone("a")]), "web2": result()}, ["Removed", "Hosts"]),
        ({"web1": result([gone("a")], scope="own")}, ["Removed", "Hosts"]),
        ({"web1": result([gone("a")], not_matched=1)}, ["Removed", "Hosts"]),
        ({"web1": {"unreachable": True, "msg": "no route"}}, ["Hosts", "Hosts with a problem"]),
    ],
    ids=["one of each", "two reasons", "two owners", "two hosts", "one scope", "left out", "a problem"],
)
def test_a_table_of_sums_is_shown_where_it_says_more_than_the_last_lines(
    results: Dict[str, Any], told: List[str]
) -> None:
    assert titles(results) == told


def test_how_long_what_goes_was_idle_is_said_once() -> None:
    text = table(whole({"web1": result([gone("a", idle=3600, detail="no activity for 1h")])}))
    assert "no activity for 1h" in text
    assert "IDLE" not in text.split("Removed:\n")[1].split("\n")[0]
