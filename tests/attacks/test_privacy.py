# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What root learns of a user stays on the host: a word in every place that a user, a program or a server can choose.

The code before told what ``evidence_detail: full`` tells, where each test looks for the words as well; beyond that it
told the fields of a row that made no sense.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Set

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    Result,
    Tmux,
    default_directory,
    directory,
    environment,
    fake,
    info,
    module,
    prune,
    removed,
    run_as,
    write,
)
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

WORDS = {
    place: "hushed-%s-7b1f" % place
    for place in (
        "argument",
        "environment",
        "file",
        "folder",
        "keep",
        "message",
        "option",
        "printed",
        "progress",
        "row",
        "screen",
        "title",
        "variable",
        "window",
    )
}
SEEN_OF_SESSIONS = {"argument", "file", "folder", "keep", "option", "progress", "screen", "title", "window"}
INCLUDES = ["windows", "panes", "processes", "content", "resources", "declaration"]


def said(*results: Any) -> Set[str]:
    """The places whose word is in results, or in what was printed."""
    text = "".join(result if isinstance(result, str) else json.dumps(result) for result in results)
    return {place for place, word in WORDS.items() if word in text}


def furnished() -> Tmux:
    """A server of alice's with two sessions of a group, a word in everything that can be chosen, and one that stays."""
    folder = directory(os.path.join(ALICE.home, WORDS["folder"]), ALICE)
    write(os.path.join(ALICE.home, "notes"), WORDS["printed"], ALICE)
    write(os.path.join(folder, WORDS["file"]), "", ALICE)
    server = Tmux(ALICE)
    script = 'exec 3<"$1"; printf "%s\\n" "$2"; trap "" HUP; while :; do read -r line || sleep 1; done'
    argv = ["sh", "-c", script, "sh", os.path.join(folder, WORDS["file"]), WORDS["screen"], WORDS["argument"]]
    start = ["-f", "/dev/null", "new-session", "-d", "-s", "first", "-n", WORDS["window"], "-c", folder, "--"]
    done = run_as(ALICE, server.binary, "-u", "-S", server.path, *start, *argv, WORD=WORDS["environment"])
    assert done.returncode == 0, done.stderr
    server("select-pane", "-t", "first:", "-T", WORDS["title"])
    for session in ("first", "second"):
        if session == "second":
            server("new-session", "-d", "-t", "first", "-s", "second")
        server("set-option", "-t", session, "@note", WORDS["option"])
        server("set-environment", "-t", session, "WORD", WORDS["variable"])
    progress = os.path.join(ALICE.home, WORDS["progress"])
    write(progress, "", ALICE)
    server("set-option", "-t", "first", "@fleet_tmux_cleanup", "1 file=%s file=%s.d/x" % (progress, ALICE.home))
    server("new-session", "-d", "-s", "stays", "cat")
    for session in ("second", "stays"):
        server("set-option", "-t", session, "@keep", WORDS["keep"])
    eventually(lambda: WORDS["screen"] in server("capture-pane", "-p", "-t", "first:"), "the screen shows the word")
    return server


def waited(server: Tmux, **more: Any) -> Result:
    """What is told by whoever waits for a session of alice's, and does not wait."""
    options = dict({"wait_timeout": "0s", "fail_on_timeout": False}, **more)
    return module("tmux_session_wait", name=["first"], socket_path=server.path, **options)


def test_what_is_looked_at_stays_on_the_host_unless_it_is_asked_for() -> None:
    server = furnished()
    for where in ({}, {"socket_path": server.path}, {"users": ["alice"]}):
        told = info(evidence_detail="kind", include=INCLUDES, **where)
        assert said(told) == set()
        first = next(item for item in told["sessions"] if item["name"] == "first")
        assert first["options"] == {"@note": None}
        (window,) = first["windows"]
        (pane,) = window["panes"]
        hidden = [window["name"], *(pane[key] for key in ("title", "path", "start_command", "content"))]
        assert hidden == [None] * 5
        assert pane["command"] in ("sh", "dash", "bash", "sleep") and pane["processes"]
        assert any("not told of another user" in warning for warning in told["warnings"])
        assert said(info(evidence_detail="full", include=INCLUDES, **where)) == SEEN_OF_SESSIONS
    told = waited(server)
    assert said(told) == set() and told["sessions"][0]["content"] is None
    refused = waited(server, wait_for=WORDS["screen"][:-1])
    assert refused["failed"] and said(refused) == set() and "is not looked at" in refused["msg"]
    typed: Dict[str, Any] = {"name": "first", "socket_path": server.path, "text": "x"}
    refused = module("tmux_send_keys", wait_for_after=WORDS["screen"][:-1], **typed)
    assert refused["failed"] and said(refused) == set() and "is not looked at" in refused["msg"]
    assert said(module("tmux_send_keys", check=True, **typed)) == set()
    assert WORDS["screen"] in waited(server, wait_for="hushed", evidence_detail="full")["sessions"][0]["content"]
    own = module("tmux_session_info", account=ALICE, socket_path=server.path, include=INCLUDES)
    assert (said(own) == SEEN_OF_SESSIONS and "warnings" not in own) or own["warnings"] == []


@pytest.mark.parametrize("detail", ["kind", "full"])
def test_what_is_removed_is_told_without_a_word_of_its_owner(detail: str) -> None:
    """Four steps with an independent look in between; the snapshot, which is the owner's, holds the words."""
    server = furnished()
    saved = directory("/tmp/saved", ROOT, 0o755)
    policy: Dict[str, Any] = {"protect": ["keep"], "evidence_detail": detail, "snapshot_dir": saved}
    planned = prune(check=True, **policy)
    assert sorted(server.names()) == ["first", "second", "stays"]
    done = prune(**policy)
    assert server.names() == ["second", "stays"]
    assert removed(planned) == removed(done) == [("alice", "first")]
    assert said(planned) == said(done) == (set() if detail == "kind" else {"keep", "progress", "window"})
    (item,) = done["removed"]
    assert [window["sessions"] for window in item["lives_on"]] == [["second"]]
    snapshot = [Path(item["snapshot"], name).read_text(encoding="utf-8") for name in os.listdir(item["snapshot"])]
    assert said(*snapshot) >= {"argument", "folder", "screen", "title", "window"}
    again = [prune(check=True, **policy), prune(**policy)]
    assert [result["changed"] for result in again] == [False, False]
    assert {item["evidence"]["keep"] for item in again[1]["kept"]} == {"other" if detail == "kind" else WORDS["keep"]}


def test_who_outlives_a_session_is_told_of_by_the_name_of_the_program() -> None:
    server = furnished()
    server("kill-session", "-t", "second")
    told = prune(protect=["keep"])
    assert removed(told) == [("alice", "first")] and said(told) == set()
    assert {survivor["command"] for survivor in told["removed"][0]["survivors"]} <= {"sh", "dash", "bash", "sleep"}
    assert told["removed"][0]["survivors"]


def test_what_the_command_of_a_notice_says_stays_on_the_host_unless_it_is_asked_for() -> None:
    furnished()
    command = ["sh", "-c", 'cat "$HOME/notes" >&2; exit 3', "notify"]
    for detail, expected in (("kind", set()), ("full", {"printed", "keep"})):
        told = prune(protect=["keep"], notice="1d", notify_command=command, evidence_detail=detail)
        assert [item["name"] for item in told["marked"]] == ["first"]
        assert any("exit status 3" in warning for warning in told["warnings"])
        assert said(told) == expected
        Tmux(ALICE)("set-option", "-u", "-t", "first", "@fleet_tmux_notice")


def test_a_veto_is_asked_as_the_owner_and_what_it_says_stays_on_the_host_unless_it_is_asked_for() -> None:
    furnished()
    command = ["sh", "-c", 'test "$(id -u)" = "$0" || exit 9; cat "$HOME/notes" >&2; exit 3', str(ALICE.uid)]
    for detail, expected in (("kind", set()), ("full", {"printed", "keep"})):
        told = prune(protect=["keep"], veto_command=command, evidence_detail=detail)
        assert {item["name"]: item["reason"] for item in told["kept"]}["first"] == "vetoed"
        assert removed(told) == [] and any("exit status 3" in warning for warning in told["warnings"])
        assert said(told) == expected


def test_what_a_server_says_of_an_error_stays_on_the_host_unless_it_is_asked_for() -> None:
    with fake(ALICE, "exit", code=1, message="%s: unknown command" % WORDS["message"]) as path:
        for detail, expected in (("kind", set()), ("full", {"message"})):
            for told in (
                info(evidence_detail=detail),
                prune(evidence_detail=detail),
                info(socket_path=path, evidence_detail=detail),
                module("tmux_session", socket_path=path, name=["x"], state="absent", evidence_detail=detail),
            ):
                assert said(told) == expected
                assert told.get("failed") or told["warnings"]
        assert said(module("tmux_session_info", account=ALICE, socket_path=path)) == {"message"}


def test_a_row_that_makes_no_sense_is_not_told() -> None:
    values: Dict[str, str] = {"session_id": "$1", "session_name": "odd", "session_created": WORDS["row"]}
    values.update(dict.fromkeys(("session_windows", "window_panes", "pane_pid"), WORDS["row"]))
    with fake(ALICE, "lie", values=values, answers=["list-sessions", "list-windows", "list-panes"]):
        for told in (info(), prune(), prune(evidence_detail="full")):
            assert said(told) == set() and "odd" in json.dumps(told)


def test_what_is_declared_for_a_user_is_told_without_a_word_of_his() -> None:
    server = furnished()
    for detail, expected in (("kind", set()), ("full", {"keep", "option"})):
        params: Dict[str, Any] = {"socket_path": server.path, "name": ["first"], "evidence_detail": detail}
        told: List[Result] = [module("tmux_session", check=check, **params) for check in (True, False)]
        assert [(one["changed"], said(one)) for one in told] == [(False, expected)] * 2


def test_windows_that_are_not_declared_are_told_of_without_their_names() -> None:
    server = furnished()
    server("kill-session", "-t", "first")
    server("new-window", "-d", "-t", "second:", "-n", "declared", "exec cat")
    server("set-option", "-u", "-t", "second", "@keep")
    params: Dict[str, Any] = {
        "socket_path": server.path,
        "name": ["second"],
        "windows": [{"name": "declared", "command": "exec cat"}],
    }
    for prunes in (False, True):
        params["prune_windows"] = prunes
        for check in (True, False):
            told = module("tmux_session", check=check, evidence_detail="kind", **params)
            assert not told["changed"] and said(told) == set() and len(told["drift"]) == 1
    assert told["drift"][0]["reason"] == "in_use" and len(told["warnings"]) == 1
    server("respawn-pane", "-k", "-t", "second:0", "exec sh")
    told = module("tmux_session", check=True, evidence_detail="full", **params)
    assert said(told) == {"window", "option", "keep"} and told["changed"]
    told = module("tmux_session", evidence_detail="kind", **params)
    assert said(told) == set() and [item["name"] for item in told["removed_windows"]] == ["see evidence_detail"]
    assert server("list-windows", "-t", "second", "-F", "#{window_name}").split() == ["declared"]


def test_what_a_command_for_a_user_has_shown_stays_on_the_host_unless_it_is_asked_for() -> None:
    path = os.path.join(default_directory(ALICE), "work")
    write(os.path.join(ALICE.home, "notes"), WORDS["printed"], ALICE)

    def refused(detail: str) -> Result:
        params: Dict[str, Any] = {"socket_path": path, "name": ["job"], "command": 'cat "$HOME/notes"; exit 3'}
        told = module("tmux_session", evidence_detail=detail, **params)
        # A busy machine may not come to it in the second in which it is watched.
        return told if "ended at once, with exit status 3" in told.get("msg", "") else {}

    def shown(detail: str) -> Set[str]:
        return said(eventually(lambda: refused(detail), "it ends at once"))

    # What is said just before the end is sometimes lost on its way to tmux.
    eventually(lambda: shown("full") == {"printed"}, "it is told where it is asked for")
    assert [shown("kind") for _time in range(3)] == [set()] * 3


def test_nothing_of_it_comes_to_the_log_of_the_controller() -> None:
    """Ansible itself, as verbose as it gets, over the servers of all users."""
    furnished()
    Tmux(BOB).start("idle")
    for plugin, words in (
        ("tmux_session_info", "include=windows,panes,processes,content"),
        ("tmux_session_prune", "idle=1s protect=keep,attached"),
    ):
        ansible = [sys.executable, "-m", "ansible", "adhoc", "localhost", "-i", "localhost,", "-vvvv"]
        log = "/tmp/%s.log" % plugin
        env = dict(environment(ROOT), ANSIBLE_LOG_PATH=log, ANSIBLE_LOCALHOST_WARNING="false", HOME="/tmp/vault")
        env["ANSIBLE_COLLECTIONS_PATH"] = os.environ.get("PYTHONPATH", "").split(os.pathsep)[0]
        env["PATH"] = os.path.dirname(sys.executable) + os.pathsep + env["PATH"]
        argv = [*ansible, "-c", "local", "-e", "ansible_python_interpreter=" + sys.executable]
        done = subprocess.run(
            [*argv, "-m", "fleet.tmux." + plugin, "-a", "all_users=true " + words],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        printed = done.stdout.decode("utf-8", "replace")
        with open(log, encoding="utf-8", errors="replace") as handle:
            logged = handle.read()
        assert done.returncode == 0, printed[-5000:]
        assert "first" in logged and "/tmp/tmux-%d/default" % ALICE.uid in logged
        assert said(printed, logged) == set()
