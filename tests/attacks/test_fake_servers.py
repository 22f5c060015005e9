# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that are none: whatever message they send to the client, it does as their owner what it does, and in time."""

import contextlib
import os
import signal
import subprocess
from typing import Any, Dict, Iterator, List

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    EVIDENCE,
    SECRET,
    VAULT,
    Result,
    Tmux,
    at,
    default_directory,
    environment,
    fake,
    in_vault,
    info,
    module,
    naive,
    prune,
    ran_as,
    removed,
    spawn,
    together,
    witness,
)
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT
from ansible_collections.fleet.tmux.tests.support.processes import stopped
from ansible_collections.fleet.tmux.tests.support.programs import binaries, version_of
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually

MODERN = [binary for binary in binaries() if version_of(binary) >= (3, 1)]
"""Clients that open files for a server; older ones cannot."""


def through_the_collection(path: str, binary: str, timeout: int = 3) -> List[Result]:
    """Everything that the collection does with a server of which it knows the socket, and with all servers."""
    options: Dict[str, Any] = {"executable": binary, "timeout": "%ds" % timeout}
    return together(
        [
            lambda: info(include=["content", "processes"], **options),
            lambda: info(socket_path=path, include=["content"], **options),
            lambda: prune(socket_path=path, **options),
            lambda: module("tmux_session", socket_path=path, name=["x"], state="absent", **options),
            lambda: module("tmux_session", socket_path=path, name=["x"], state="present", **options),
            lambda: prune(**options),
        ]
    )


@pytest.fixture
def bystander(request: pytest.FixtureRequest) -> Iterator[Tmux]:
    """Another user's session, which is to be removed whatever the attacker does; of the tmux that the test is about."""
    callspec = getattr(request.node, "callspec", None)
    server = Tmux(BOB, binary=callspec.params.get("binary") if callspec else None).start("idle")
    yield server
    assert server.names() == []


@pytest.mark.parametrize("binary", binaries())
@pytest.mark.parametrize("mode", ["shell", "exec", "lock"])
def test_a_server_that_has_its_client_run_a_program(bystander: Tmux, mode: str, binary: str) -> None:
    program = witness(ALICE, mode)
    with fake(ALICE, mode, program=program) as path:
        naive(path, binary=binary)
        assert ran_as(mode) == [ROOT.uid]
        os.unlink(os.path.join(EVIDENCE, "%s.0" % mode))
        results = through_the_collection(path, binary)
    assert ran_as(mode) == [ALICE.uid]
    assert ("bob", "idle") in removed(results[-1])


@pytest.mark.parametrize("binary", MODERN)
def test_a_server_that_has_its_client_write_a_file(bystander: Tmux, binary: str) -> None:
    with fake(ALICE, "write-open", file=VAULT + "/written") as path:
        naive(path, binary=binary)
        assert in_vault() == ["written"]
        os.unlink(VAULT + "/written")
        results = through_the_collection(path, binary)
    assert in_vault() == []
    assert ("bob", "idle") in removed(results[-1])


@pytest.mark.parametrize("binary", MODERN)
def test_a_server_that_has_its_client_read_a_file(bystander: Tmux, binary: str) -> None:
    loot = ALICE.home + "/loot"
    with fake(ALICE, "read-open", file=VAULT + "/secret", into=loot) as path:
        naive(path, binary=binary)
        with open(loot, encoding="utf-8") as handle:
            assert handle.read() == SECRET
        os.unlink(loot)
        results = through_the_collection(path, binary)
    with open(loot, encoding="utf-8") as handle:
        assert handle.read() == ""
    assert ("bob", "idle") in removed(results[-1])


def heeding_hangups() -> None:
    """Whoever runs the tests may ignore the signal, and would hand that on."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.parametrize("binary", binaries())
def test_a_server_that_has_its_client_signal_the_caller(bystander: Tmux, binary: str) -> None:
    with fake(ALICE, "detach-kill") as path:
        script = ["/bin/sh", "-c", '"$0" -u -S "$1" list-sessions; sleep 3600', binary, path]
        caller = subprocess.Popen(script, env=environment(ROOT), start_new_session=True, preexec_fn=heeding_hangups)
        assert caller.wait(PATIENCE) == -1  # SIGHUP
        results = through_the_collection(path, binary)
    assert ("bob", "idle") in removed(results[-1])


def wait_until_stopped(pid: int) -> None:
    eventually(lambda: stopped(pid), "the client stops")


HANGS = ["silence", "drip", "suspend", "deaf", "full", "flood", "garbage"]


@pytest.mark.parametrize("binary", MODERN)
def test_servers_that_do_not_come_to_an_end(bystander: Tmux, binary: str) -> None:
    """Silence, a byte now and then, endless output, a client that is stopped, a queue that nobody looks at."""
    for mode in HANGS:
        with fake(ALICE, mode) as path:
            client = subprocess.Popen(
                [binary, "-u", "-S", path, "list-sessions"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(ROOT),
                # SIGTSTP does nothing in a process group that nobody of its kernel session looks after.
                process_group=0,
            )
            if mode == "suspend":
                wait_until_stopped(client.pid)
            elif mode not in ("full", "garbage"):
                with pytest.raises(subprocess.TimeoutExpired):
                    client.wait(0.5)
            client.kill()
            client.wait(PATIENCE)
            for result in through_the_collection(path, binary, timeout=1)[:2]:
                assert at(result, path)["status"] in ("hung", "unreachable")
                assert result["sessions"] == [] or result["sessions"][0]["owner"] == "bob"


def test_all_of_them_at_once_cost_their_owner_a_share_and_nobody_else(bystander: Tmux) -> None:
    paths = []
    with_all = [fake(ALICE, mode, path="/tmp/tmux-41001/%s-%d" % (mode, number)) for mode in HANGS for number in (1, 2)]
    os.mkdir("/tmp/tmux-41001", 0o700)
    os.chown("/tmp/tmux-41001", ALICE.uid, ALICE.gid)
    for one in with_all:
        paths.append(one.__enter__())
    result = prune(timeout="1s")
    for one in with_all:
        one.__exit__(None, None, None)
    assert removed(result) == [("bob", "idle")]
    for path in paths:
        assert at(result, path)["status"] in ("hung", "unreachable")
        assert at(result, path)["reason"]
    assert any("not asked" in server["reason"] for server in result["servers"])


@pytest.mark.parametrize("binary", MODERN)
@pytest.mark.parametrize("code", [0, 1, 77, -1, 2**31 - 1])
def test_a_server_that_ends_its_client(bystander: Tmux, code: int, binary: str) -> None:
    with fake(ALICE, "exit", code=code, message="\x1b]0;pwned\x07\x1b[2J\u202e\udcff\n") as path:
        result = prune(executable=binary, timeout="3s")
    assert removed(result) == [("bob", "idle")]
    assert at(result, path)["status"] == "unreachable"


def test_a_server_that_closes_the_connection(bystander: Tmux) -> None:
    with fake(ALICE, "slam") as path:
        result = prune(timeout="3s")
    assert removed(result) == [("bob", "idle")]
    assert at(result, path)["status"] == "unreachable"


# --- listings that lie ------------------------------------------------------------------------------------------------

HONEST = {
    "session_id": "$NUMBER",
    "window_id": "@NUMBER",
    "pane_id": "%NUMBER",
    "pid": "1",
    "start_time": "1000",
    "version": "3.3a",
    "session_created": "1000",
    "session_activity": "1000",
    "session_last_attached": "",
    "session_attached": "0",
    "session_windows": "1",
    "session_name": "name-NUMBER",
    "session_group": "",
    "@keep": "",
    "@no_snapshot": "",
    "@fleet_tmux_keep": "",
    "window_activity": "1000",
    "window_panes": "1",
    "pane_pid": "1",
    "pane_dead_status": "",
}
LISTS = ["list-sessions", "list-windows", "list-panes"]
NO_NUMBERS = ["\u00b2", "9" * 5000, "-" + "9" * 4300, "9" * 30, "1_0", "\x1b[2J", ""]


def lying(field: str, value: str, number: int) -> Any:
    path = "/tmp/tmux-41001/%s-%d" % (field.replace("@", "at-"), number)
    return fake(ALICE, "lie", path=path, values=dict(HONEST, **{field: value}), answers=LISTS)


@pytest.mark.parametrize(
    "field", sorted(set(HONEST) - {"session_name", "session_group", "@keep", "@fleet_tmux_keep", "@no_snapshot"})
)
def test_numbers_that_are_none(bystander: Tmux, field: str) -> None:
    """Nothing that one server lists may stop the others, or make a result that cannot be written or read."""
    default_directory(ALICE)
    with contextlib.ExitStack() as stack:
        for number, value in enumerate(NO_NUMBERS):
            stack.enter_context(lying(field, value, number))
        seen, result = together([lambda: info(include=["processes"]), prune])
    assert ("bob", "idle") in removed(result)
    assert [server["owner"] for server in seen["servers"]].count("alice") == len(NO_NUMBERS)
    assert [server["owner"] for server in result["servers"]].count("alice") == len(NO_NUMBERS)


@pytest.mark.parametrize("plugin", ["tmux_session_info", "tmux_session_prune"])
def test_a_server_that_is_slow_at_everything_but_the_listing(bystander: Tmux, plugin: str) -> None:
    """Each call stays within its time limit; it is their number that would take hours."""
    waits = {"if-shell": 1.8, "source-file": 1.8, "show-options": 1.8}
    paths = ["/tmp/tmux-41001/%d" % number for number in range(3)]
    default_directory(ALICE)
    with contextlib.ExitStack() as stack:
        for path in paths:
            lies: Dict[str, Any] = {"values": HONEST, "answers": LISTS, "rows": 3000, "waits": waits}
            stack.enter_context(fake(ALICE, "lie", path=path, **lies))
        result = info(timeout="3s") if plugin == "tmux_session_info" else prune(timeout="3s")
    assert [server["status"] for server in result["servers"]].count("ok") >= 2
    if plugin == "tmux_session_info":
        assert any("had already taken" in warning for warning in result["warnings"])
        prune(users=["bob"])
    else:
        assert removed(result)[-1] == ("bob", "idle")
        assert any("had already taken" in item["detail"] for item in result["not_done"]) or len(result["servers"]) == 4


@pytest.mark.parametrize("plugin", ["tmux_session", "tmux_session_prune"])
def test_a_server_that_calls_processes_of_others_its_own(plugin: str) -> None:
    """Who ends what outlives a session would end, as root, whatever process its server names.

    A session whose pane's process is not there is not judged, so nobody looks for what outlives it either.
    """
    script = "kill -9 $(%s -u -S $0 list-panes -a -F '#{pane_pid}')" % binaries()[0]
    values = dict(
        HONEST, session_id="$1", window_id="@1", pane_id="%1", session_name="idle", **{"@fleet_tmux_notice": ""}
    )
    for account in (ROOT, BOB):
        for step in ("naive", "collection"):
            victim = spawn(account, "sleep", "3600")
            lies = dict(values, pane_pid=str(victim.pid))
            with fake(ALICE, "lie", values=lies, answers=LISTS, vanishes=step != "naive") as path:
                if step == "naive":
                    subprocess.run(["sh", "-c", script, path], env=environment(ROOT), check=True)
                    assert victim.wait(PATIENCE) == -9
                elif plugin == "tmux_session":
                    end: Dict[str, Any] = {"state": "absent", "survivors": "terminate", "grace_period": "0s"}
                    result = module(plugin, socket_path=path, name=["idle"], **end)
                else:
                    result = prune(survivors="terminate", grace_period="0s")
                if step != "naive" and plugin == "tmux_session":
                    assert removed(result) == [("alice", "idle")]
                elif step != "naive":
                    assert [(it["owner"], it["reason"]) for it in result["kept"]] == [("alice", "unknown")]
            assert (victim.poll() is None) == (step != "naive")
