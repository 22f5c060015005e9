# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one user's servers cost: one deadline, whatever they do, and no other user his turn.

These attacks were seen to succeed against one process that saw to all owners, one after the other: beside one silent
user, and five, with a time limit of an hour, the honest user's session was still there when the test gave up; of 40
servers that say that they are gone 30 were waited for, a second each, with a share of 3 seconds; a command that stands
still was waited for once for each of five servers.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from typing import Any, Dict, Iterator, List, Set

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    EVIDENCE,
    Tmux,
    default_directory,
    environment,
    fake,
    info,
    prune,
    removed,
)
from ansible_collections.fleet.tmux.tests.attacks.test_fake_servers import HONEST, LISTS
from ansible_collections.fleet.tmux.tests.support import run_module
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.processes import alive, every_pid, status_field
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually

LAST = Account("49999", 49999, 49999, "/")
"""An honest user who comes after all others, and is in no user database."""


def hostile(number: int) -> Account:
    return Account(str(42000 + number), 42000 + number, 42000 + number, "/")


@contextlib.contextmanager
def servers(account: Account, mode: str, number: int, **settings: Any) -> Iterator[List[str]]:
    """So many servers of a user that all do the same; their sockets."""
    folder = default_directory(account)
    paths = ["%s/%s-%d" % (folder, mode, each) for each in range(number)]
    with contextlib.ExitStack() as stack:
        for path in paths:
            more = {key: value % path if key == "message" else value for key, value in settings.items()}
            stack.enter_context(fake(account, mode, path=path, **more))
        yield paths


@contextlib.contextmanager
def silent_users(number: int, each: int = 1) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for one in range(number):
            stack.enter_context(servers(hostile(one), "silence", each))
        yield


@contextlib.contextmanager
def begun(**params: Any) -> "Iterator[subprocess.Popen[bytes]]":
    """The module while it runs."""
    settings = dict({"idle": "1s", "protect": [], "all_users": True, "_ansible_remote_tmp": "/tmp"}, **params)
    env = dict(environment(ROOT), PYTHONPATH=os.environ.get("PYTHONPATH", ""), PYTHONDONTWRITEBYTECODE="1")
    words = [sys.executable, run_module.__file__, "tmux_session_prune"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, cwd="/") as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": settings}).encode())
        process.stdin.close()
        process.stdin = None
        try:
            yield process
        finally:
            process.kill()


def seconds(**params: Any) -> float:
    start = time.monotonic()
    prune(check=True, **params)
    return time.monotonic() - start


# --- owners side by side ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 5, 20, 40])
def test_the_honest_are_done_with_while_the_silent_are_waited_for(number: int) -> None:
    """40 are more than begin side by side: who is slow gives up his place."""
    first, last = Tmux(BOB).start("idle"), Tmux(LAST).start("idle")
    with silent_users(number), begun(timeout="1h") as process:
        eventually(lambda: first.names() == last.names() == [], "the sessions of the honest are removed")
        assert process.poll() is None, "the silent should still have been waited for: else this shows nothing"


def test_many_silent_owners_take_about_what_one_takes() -> None:
    Tmux(BOB).start("idle")
    with silent_users(1, each=3):
        alone = seconds(timeout="2s")
    with silent_users(10, each=3):
        together = seconds(timeout="2s")
    assert together < alone + 40, "one after the other it would have been 54 seconds more"


@pytest.mark.parametrize("limits", [{"max_removals": 1}, {"max_percent": 100}])
def test_guards_in_all_wait_for_the_silent_no_longer_than_their_deadline(limits: Dict[str, Any]) -> None:
    """Who is at his deadline counts as kept."""
    bob = Tmux(BOB).start("idle")
    with silent_users(5, each=2):
        for check in (True, False):
            assert bob.names() == ["idle"]
            result = prune(timeout="1s", check=check, **limits)
            assert (removed(result), result.get("failed")) == ([("bob", "idle")], None)
    assert bob.names() == []


def test_guards_in_all_count_everybody_who_could_be_judged() -> None:
    bob, last = Tmux(BOB).start("idle"), Tmux(LAST).start("idle")
    with silent_users(2):
        result = prune(timeout="1s", max_removals=1)
    assert "2 sessions would be removed, max_removals is 1" in result["msg"] and removed(result) == []
    assert {item["reason"] for item in result["kept"]} == {"guard"}
    assert (bob.names(), last.names()) == (["idle"], ["idle"])


# --- one deadline -----------------------------------------------------------------------------------------------------


def reasons(result: Dict[str, Any], account: Account) -> List[str]:
    return [server["reason"] for server in result["servers"] if server["owner"] == account.name]


GONE = "no server running on %s"


def test_servers_that_say_that_they_are_gone_and_live_share_one_deadline() -> None:
    Tmux(BOB).start("idle")
    with servers(ALICE, "exit", 40, code=1, message=GONE):
        result = prune(timeout="1s")
    assert removed(result) == [("bob", "idle")]
    said = reasons(result, ALICE)
    assert len(said) == 40
    assert 1 <= sum("its process lives" in reason for reason in said) <= 4
    assert sum("had already taken 3 seconds" in reason for reason in said) >= 36


@pytest.mark.parametrize("plugin", ["tmux_session_prune", "tmux_session_info"])
def test_servers_that_answer_nobody_share_one_deadline(plugin: str) -> None:
    Tmux(BOB).start("idle")
    with servers(ALICE, "deaf", 6), servers(ALICE, "silence", 6), servers(ALICE, "full", 6):
        result = info(timeout="1s") if plugin == "tmux_session_info" else prune(timeout="1s")
    said = reasons(result, ALICE)
    assert len(said) == 18 and sum("had already taken 3 seconds" in reason for reason in said) >= 8, result
    assert "bob" in {server["owner"] for server in result["servers"] if server["status"] == "ok"}


def test_a_command_that_stands_still_is_waited_for_once() -> None:
    command = ["sh", "-c", 'echo told >> %s/told.$(id -u); [ "$2" = bob ] || kill -STOP $$' % EVIDENCE]
    for number in range(5):
        Tmux(ALICE, os.path.join(default_directory(ALICE), str(number))).start("idle", "more")
    Tmux(BOB).start("idle", "more")
    result = prune(timeout="5s", notice="1h", notify_command=[*command, "notify"])
    said = {}
    for account in (ALICE, BOB):
        with open("%s/told.%d" % (EVIDENCE, account.uid), encoding="utf-8") as handle:
            said[account.name] = handle.read().count("told")
    assert said == {"alice": 1, "bob": 2}
    assert len(result["marked"]) == 12, "whatever the command does, notice was given"
    assert any("not run for the rest" in warning for warning in result["warnings"])


SLOW = ("list-sessions", "list-clients", "if-shell", "source-file", "show-options", "show-environment", "capture-pane")


@pytest.mark.parametrize("more", [{}, {"max_removals": 1000}])
def test_a_server_that_is_slow_at_every_step_is_not_waited_for_at_each(more: Dict[str, Any]) -> None:
    """Also at removals and snapshots: 100 sessions with three calls of 0.8 seconds each would be four minutes."""
    waits = dict.fromkeys(SLOW, 0.8)
    values = dict(HONEST, window_active="1", pane_active="1", pane_dead="0")
    lies: Dict[str, Any] = {"values": values, "answers": LISTS, "rows": 20, "waits": waits}
    bob = Tmux(BOB).start("idle")
    with servers(ALICE, "lie", 5, **lies):
        start = time.monotonic()
        result = prune(timeout="1s", snapshot_dir="/tmp/archive", **more)
        took = time.monotonic() - start
    assert ("bob", "idle") in removed(result) and bob.names() == []
    assert took < 120, "3 seconds of waiting, at most 12 more for what was to be saved, and what is ours"
    told = [item["detail"] for item in result["not_done"]] + reasons(result, ALICE)
    assert any("had already taken" in detail for detail in told)


# --- what stays behind ------------------------------------------------------------------------------------------------


def test_nothing_goes_on_when_the_module_was_ended() -> None:
    """As at the time limit for a host: neither children of root nor clients of theirs, whatever these wait for."""
    with silent_users(3):
        before = set(every_pid())
        with begun(timeout="1h") as process:
            eventually(lambda: clients(before) == 3, "every silent server has a client")
            mine = set(every_pid()) - before
            assert len(mine) >= 7, "the module, three children and their clients"
            process.kill()
            process.wait(PATIENCE)
            assert process.stdout is not None and process.stdout.read() == b""
        eventually(lambda: not any(alive(pid) for pid in mine), "all of them have ended")


def clients(before: Set[int]) -> int:
    """How many processes of the silent users are new."""
    found = 0
    for pid in set(every_pid()) - before:
        with contextlib.suppress(OSError, ValueError):
            found += int(status_field(pid, "Uid")[0]) >= 42000
    return found
