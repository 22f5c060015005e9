# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host where tmux is missing, or another than its servers run: they are asked with their own program, or told of."""

import contextlib
import os
import shutil
import subprocess
from typing import Iterator, List

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    EVIDENCE,
    VAULT,
    Result,
    Tmux,
    at,
    default_directory,
    environment,
    fake,
    info,
    module,
    prune,
    ran_as,
    removed,
    witness,
    write,
)
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.programs import binaries, version_of
from ansible_collections.fleet.tmux.tests.support.waiting import eventually


@contextlib.contextmanager
def without_tmux() -> Iterator[None]:
    """Cover every tmux that is found by its name, as if it had been removed. What runs goes on."""
    empty = write(VAULT + "/no-program", "", mode=0o644)
    covered: List[str] = []
    try:
        while True:
            found = shutil.which("tmux", path=environment(ROOT)["PATH"])
            if found is None:
                break
            subprocess.run(["mount", "--bind", empty, os.path.realpath(found)], check=True)
            covered.append(os.path.realpath(found))
        yield
    finally:
        for path in covered:
            subprocess.run(["umount", path], check=True)


def copied(binary: str, path: str, account: Account, mode: int = 0o755) -> str:
    shutil.copyfile(binary, path)
    os.chown(path, account.uid, account.gid)
    os.chmod(path, mode)
    return path


def reason(result: Result, path: str) -> str:
    server = at(result, path)
    return "%s: %s" % (server["status"], server["reason"])


@pytest.mark.parametrize("account", [ROOT, ALICE], ids=lambda account: account.name)
def test_a_host_without_tmux_and_without_servers_has_nothing_to_do(account: Account) -> None:
    with without_tmux():
        for check in (True, False):
            for more in ({"all_users": True}, {}):
                result = module("tmux_session_prune", account, check, idle="1s", **more)
                assert not result.get("failed") and not result["changed"] and result["servers"] == []
                assert result["note"] == "tmux was not found on this host, and no server of it runs"
        seen = module("tmux_session_info", account)
        assert not seen.get("failed") and not seen["exists"] and "tmux was not found" in seen["note"]
        for state in ("present", "absent"):
            made = module("tmux_session", account, name=["job"], state=state)
            assert made["failed"] and "tmux was not found on this host; install the package tmux" in made["msg"]
    assert module("tmux_session_info", account)["note"] == ""


@pytest.mark.parametrize(
    "text",
    ["echo tmux 1.8", "exit 127", "echo screen 4.9", "kill -SEGV $$", "exec yes tmux", r"printf '\377#{\n1 2 tmux'"],
)
def test_a_tmux_that_cannot_be_used_is_as_good_as_none(text: str) -> None:
    """Unless it was named, or is needed."""
    Tmux(ALICE).start("idle")
    program = write(VAULT + "/tmux", "#!/bin/sh\n%s\n" % text, mode=0o755)
    found = os.path.realpath(str(shutil.which("tmux", path=environment(ROOT)["PATH"])))
    subprocess.run(["mount", "--bind", program, found], check=True)
    try:
        result, empty = prune(), prune(users=["bob"])
        assert removed(result) == [("alice", "idle")] and not result.get("failed")
        assert found.rpartition("/")[2] in result["note"] and "can be used" in result["note"]
        assert empty["servers"] == [] and empty["note"].endswith(", and no server of it runs")
        assert prune(executable=found)["failed"]
        assert module("tmux_session", name=["job"])["failed"]
    finally:
        subprocess.run(["umount", found], check=True)


@pytest.mark.parametrize("plugin, more", [("tmux_session_prune", {"idle": "1s"}), ("tmux_session_info", {})])
def test_a_program_that_was_named_and_is_missing_is_a_failure(plugin: str, more: Result) -> None:
    result = module(plugin, executable="/nowhere/tmux", all_users=True, **more)
    assert result["failed"] and "/nowhere/tmux is no program" in result["msg"]


@pytest.mark.parametrize("binary", binaries(), ids=lambda binary: "%d.%d" % version_of(binary))
def test_servers_that_run_though_tmux_is_missing_are_asked_with_their_own(binary: str) -> None:
    """Also when its file was deleted. Both are asked as who they belong to."""
    program = copied(binary, "/tmp/tmux-of-root", ROOT)
    for account in (ALICE, BOB):
        Tmux(account, binary=program).start("idle", "other")
    witness(ALICE, "hook")
    Tmux(ALICE, binary=program)("set-hook", "-g", "after-list-sessions", "run-shell %s/hook" % ALICE.home)
    os.unlink(program)
    with without_tmux():
        planned, result, again = prune(check=True), prune(patterns=["idle"]), prune(patterns=["idle"])
        assert removed(planned) == [("alice", "idle"), ("alice", "other"), ("bob", "idle"), ("bob", "other")]
        assert removed(result) == [("alice", "idle"), ("bob", "idle")]
        assert not again["changed"] and len(again["servers"]) == 2
        assert result["note"].endswith("a server is only asked with the program that it runs itself")
        assert set(ran_as("hook")) <= {ALICE.uid}
        assert len(removed(prune(snapshot_dir="/tmp/snapshots", survivors="terminate"))) == 2
        eventually(lambda: not info()["servers"], "the servers end")


def test_a_program_that_is_not_roots_is_not_used() -> None:
    """Nor is one to which others than root may write. Their servers are told of, and cost no other his turn."""
    alice = copied(binaries()[0], ALICE.home + "/tmux", ALICE)
    bob = copied(binaries()[0], "/tmp/tmux-for-all", ROOT, 0o777)
    Tmux(ALICE, binary=alice).start("idle")
    Tmux(BOB, binary=bob).start("idle")
    Tmux(BOB, "/tmp/tmux-41002/good").start("good")
    with without_tmux():
        result = prune()
        assert removed(result) == [("bob", "good")]
        first, second = (reason(result, "/tmp/tmux-%d/default" % account.uid) for account in (ALICE, BOB))
        assert first == "unreachable: tmux was not found on this host, and the program that it runs is not root's"
        assert second.startswith("unreachable: ") and second.endswith("may write to the program that it runs")
        assert any("/tmp/tmux-41001/default" in warning for warning in result["warnings"])
        own = module("tmux_session_prune", ALICE, idle="1s", protect=[])
        assert removed(own) == [("alice", "idle")]  # It is as good as herself.


def test_what_is_no_tmux_is_no_server_without_it_either() -> None:
    """Python is root's: it runs as its user, as it did before, and what it says is no listing."""
    Tmux(BOB).start("idle")
    write("/tmp/evidence/who", "", mode=0o666)
    with without_tmux(), fake(ALICE, "slam") as path:
        result = prune(timeout="2s")
    assert at(result, path)["status"] == "unreachable"
    assert removed(result) == [("bob", "idle")]
    assert os.listdir(EVIDENCE) == ["who"]


OTHERS = [binary for binary in binaries()[1:] if (version_of(binary) < (3, 1)) != (version_of(binaries()[0]) < (3, 1))]


@pytest.mark.skipif(not OTHERS, reason="no tmux that speaks otherwise than the one on PATH is in FLEET_TMUX_BINARIES")
@pytest.mark.parametrize("binary", OTHERS, ids=lambda binary: "%d.%d" % version_of(binary))
def test_a_server_that_speaks_otherwise_since_an_upgrade(binary: str) -> None:
    """It is asked with what it runs, of which no name is left; a session is made and removed in it too."""
    program = copied(binary, "/tmp/tmux-of-root", ROOT)
    server = Tmux(ALICE, binary=program).start("idle", "stays")
    os.unlink(program)
    copied(binaries()[0], program, ROOT)
    Tmux(BOB, binary=program).start("idle")
    result = prune(timeout="2s", executable=program, patterns=["idle"])
    assert removed(result) == [("alice", "idle"), ("bob", "idle")]
    assert at(result, server.path)["version"].startswith("%d.%d" % version_of(binary))
    made = module("tmux_session", socket_path=server.path, name=["job"], argv=["cat"], executable=program, timeout="2s")
    assert [item["name"] for item in made.get("created", [])] == ["job"], made
    gone = module("tmux_session", socket_path=server.path, name=["job"], state="absent", executable=program)
    assert [item["name"] for item in gone.get("removed", [])] == ["job"], gone
    assert removed(prune(timeout="2s", executable=program)) == [("alice", "stays")]


@pytest.mark.skipif(not OTHERS, reason="no tmux that speaks otherwise than the one on PATH is in FLEET_TMUX_BINARIES")
def test_one_that_speaks_otherwise_and_is_not_roots_is_told_of() -> None:
    for number, binary in enumerate(OTHERS):
        program = copied(binary, "%s/tmux-%d" % (ALICE.home, number), ALICE)
        server = Tmux(ALICE, os.path.join(default_directory(ALICE), str(number)), binary=program).start("idle")
        Tmux(BOB).start("idle")
        result = prune(timeout="2s")
        assert at(result, server.path)["status"] in ("mismatch", "hung", "unreachable")
        assert removed(result) == [("bob", "idle")]
        assert server.names() == ["idle"]
        assert ("alice", "idle") in removed(prune(executable=binary))


@pytest.mark.parametrize("there", [True, False])
def test_values_are_tried_as_the_owner_and_where_nothing_of_theirs_counts(there: bool) -> None:
    """Neither the owner's hooks nor the configuration have a part in it, and nothing of it is left.

    The owner's process could put something beside the socket.
    """
    program, hook = "/tmp/tmux-that-tells", witness(ALICE, "hook")
    leaves = "mkdir -p ${5%/*}/left/deep && touch ${5%/*}/left/file ${5%/*}/s7"
    tells = "case \" $* \" in *' start-server '*) id -u >> %s/tried.$(id -u); %s;; esac" % (EVIDENCE, leaves)
    write(program, '#!/bin/sh\n%s\nexec %s "$@"\n' % (tells, binaries()[0]), mode=0o755)
    server = Tmux(ALICE)
    if there:
        server.start("work")
        for name in ("session-created", "after-set-option", "session-closed"):
            server("set-hook", "-g", name, "run-shell %s" % hook)
    write(ALICE.home + "/.tmux.conf", "run-shell %s\n" % hook, ALICE, 0o644)
    before = sorted(os.listdir("/tmp"))
    for check in (True, False):
        result = module(
            "tmux_session",
            check=check,
            socket_path=server.path,
            executable=program,
            name=["made"],
            argv=["cat"],
            options={"display-time": "abc"},
        )
        assert result["failed"] and "option display-time: tmux does not take 'abc'" in result["msg"], result
        assert server.names() == (["work"] if there else [])
    assert ran_as("tried") == [ALICE.uid] and ran_as("hook") == []
    assert sorted(os.listdir("/tmp")) == before
