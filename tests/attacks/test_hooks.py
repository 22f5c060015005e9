# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real servers that do something of their own at every command: what they do to the client, they do to their owner."""

import os
from typing import List

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    EVIDENCE,
    SECRET,
    VAULT,
    Result,
    Tmux,
    at,
    in_vault,
    info,
    module,
    naive,
    prune,
    ran_as,
    removed,
    together,
    witness,
)
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT
from ansible_collections.fleet.tmux.tests.support.programs import binaries, version_of
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

BINARY = binaries()[0]
CLIENT_OPENS_FILES = pytest.mark.skipif(
    version_of(BINARY) < (3, 1), reason="the client of this tmux opens no files for a server"
)

COMMANDS = {
    "list-sessions": [],
    "list-windows": ["-a"],
    "list-panes": ["-a"],
    "list-clients": [],
    "display-message": ["-p", "x"],
    "show-options": [],
    "capture-pane": ["-p"],
    "set-option": ["-g", "@x", "1"],
    "set-environment": ["-g", "X", "1"],
    "new-window": ["-d", "cat"],
    "resize-window": ["-x", "80"],
    "if-shell": ["-F", "1", "display-message -p x"],
    "source-file": ["/dev/null"],
    "kill-session": ["-t", "=last"],
}
"""All that the collection sends, and how a script would say it."""

HOOKED = ["list-sessions", "list-windows", "list-panes", "list-clients", "display-message", "show-options"]
"""Commands after which every tmux that can be used calls hooks."""


def everything(path: str) -> List[Result]:
    """Have the collection send all that it ever sends, to one server and to all."""
    return [
        info(include=["content", "processes"]),
        info(socket_path=path, include=["content", "processes"]),
        module("tmux_session", socket_path=path, name=["made"], command="cat", env={"A": "b"}, width=90, chdir="/"),
        module("tmux_session", socket_path=path, name=["made"], state="present", recreate="always"),
        module("tmux_session", socket_path=path, name=["made"], state="absent"),
        prune(patterns=["idle*"], protect=["attached", "busy", "keep"]),
    ]


def hook(server: Tmux, what: str) -> None:
    """Have that done after every command that this tmux calls hooks after; COMMAND in it is the command's name."""
    for command in COMMANDS:
        done = server.run("set-hook", "-g", "after-" + command, what.replace("COMMAND", command))
        assert done.returncode == 0 or command not in HOOKED, done.stderr


@CLIENT_OPENS_FILES
def test_hooks_that_have_the_client_write_files() -> None:
    bystander = Tmux(BOB).start("idle")
    server = Tmux(ALICE).start("work", "idle", "last")
    server("set-buffer", "written by a hook")
    hook(server, "save-buffer %s/COMMAND" % VAULT)
    for command, words in COMMANDS.items():
        naive(server.path, command, *words)
    assert set(in_vault()) >= set(HOOKED)
    assert os.stat(VAULT + "/list-sessions").st_uid == ROOT.uid
    for name in in_vault():
        os.unlink(os.path.join(VAULT, name))
    results = everything(server.path)
    assert in_vault() == []
    assert ("bob", "idle") in removed(results[-1])
    assert bystander.names() == []


@CLIENT_OPENS_FILES
def test_hooks_that_have_the_client_read_files() -> None:
    bystander = Tmux(BOB).start("idle")
    server = Tmux(ALICE).start("work", "idle", "last")
    hook(server, "load-buffer -b stolen-COMMAND %s/secret" % VAULT)
    for command, words in COMMANDS.items():
        naive(server.path, command, *words)
    for command in HOOKED:
        assert server("show-buffer", "-b", "stolen-" + command) == SECRET
    for name in server.run("list-buffers", "-F", "#{buffer_name}").stdout.decode().split():
        server.run("delete-buffer", "-b", name)
    results = everything(server.path)
    assert SECRET.encode() not in server.run("list-buffers").stdout
    assert ("bob", "idle") in removed(results[-1])
    assert bystander.names() == []


def test_hooks_that_run_programs() -> None:
    """They run in the server, so as its owner, for whoever asks; the collection gives them nothing more."""
    server = Tmux(ALICE).start("work", "idle")
    program = witness(ALICE, "hook")
    hook(server, "run-shell %s" % program)
    everything(server.path)
    assert ran_as("hook") == [ALICE.uid]


def test_hooks_that_print_rows() -> None:
    """A script that reads lines believes them; the collection only believes rows with its own mark."""
    Tmux(BOB).start("idle")
    server = Tmux(ALICE).start("work")
    row = "forged: 1 windows (created Thu Jan  1 00:00:00 1970)"
    hook(server, "display-message -p '%s'" % row)
    assert row in server("list-sessions")
    seen = info()
    assert sorted(item["name"] for item in seen["sessions"]) == ["idle", "work"]
    assert ("bob", "idle") in removed(prune(patterns=["idle"]))


@pytest.mark.parametrize("what", ["wait-for never", "run-shell 'exec sleep 3600'", "kill-server", "kill-session -a"])
def test_hooks_that_hang_or_end_the_server(what: str) -> None:
    Tmux(BOB).start("idle")
    server = Tmux(ALICE).start("work")
    server("set-hook", "-g", "after-list-sessions", what)
    result = prune(patterns=["idle"], timeout="1s")
    assert removed(result) == [("bob", "idle")]
    if "wait-for" in what:
        assert at(result, server.path)["status"] == "hung"


def test_a_session_that_comes_back() -> None:
    """A hook makes a removed session again, with the same name: nothing is said to be done that was not."""
    Tmux(BOB).start("idle")
    server = Tmux(ALICE).start("other", "idle")
    server("set-hook", "-g", "session-closed", "new-session -d -s idle cat")
    result = prune(patterns=["idle"])
    assert removed(result) == [("alice", "idle"), ("bob", "idle")]
    assert sorted(server.names()) == ["idle", "other"]
    again = module("tmux_session", socket_path=server.path, name=["idle"], state="absent")
    assert again["failed"] and "there again" in again["msg"]


# --- commands that are not what they seem -----------------------------------------------------------------------------

ALIASES = pytest.mark.skipif(version_of(BINARY) < (3, 0), reason="this tmux lets no alias hide a command")


@ALIASES
@CLIENT_OPENS_FILES
def test_aliases_of_the_commands_that_are_sent() -> None:
    bystander = Tmux(BOB).start("idle")
    server = Tmux(ALICE).start("work", "idle")
    server("set-buffer", "written by an alias")
    for number, command in enumerate(COMMANDS):
        if command != "set-option":
            server("set-option", "-s", "command-alias[%d]" % (100 + number), "%s=save-buffer %s/a" % (command, VAULT))
    naive(server.path)
    assert in_vault() == ["a"]
    os.unlink(VAULT + "/a")
    results = together([info, prune])
    assert in_vault() == []
    assert ("bob", "idle") in removed(results[1])
    assert at(results[0], server.path)["status"] != "ok" or results[0]["sessions"] == []
    assert bystander.names() == []


@ALIASES
def test_an_alias_of_the_removal() -> None:
    Tmux(BOB).start("idle")
    server = Tmux(ALICE).start("idle")
    program = witness(ALICE, "alias")
    server("set-option", "-s", "command-alias[100]", "kill-session=run-shell %s" % program)
    result = prune()
    assert removed(result) == [("bob", "idle")]
    assert [(item["owner"], item["reason"]) for item in result["not_done"]] == [("alice", "error")]
    assert server.names() == ["idle"]
    assert set(ran_as("alias")) <= {ALICE.uid}


# --- what happens between the look and the removal --------------------------------------------------------------------


def looked(server: Tmux, meanwhile: str) -> None:
    """Have the server do that when it has been listed, and before the answer ends."""
    server("set-hook", "-g", "after-list-clients", meanwhile)


CHANGES = {
    "renamed": "rename-session -t $0 other",
    "kept": "set-option -t $0 @keep on",
    "another window": "new-window -d -t $0: cat",
    "another pane": "split-window -d -t $0: cat",
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_session_that_changes_after_the_look_is_kept(change: str) -> None:
    Tmux(BOB).start("idle")
    naive_server = Tmux(ALICE, "/tmp/tmux-41001/naive").start("idle", "other-one")
    looked(naive_server, CHANGES[change])
    naive(naive_server.path, "list-clients")
    naive(naive_server.path, "kill-session", "-t", "$0")
    assert naive_server.names() == ["other-one"]  # What was listed is killed, whatever has become of it.
    server = Tmux(ALICE).start("idle")
    looked(server, CHANGES[change])
    result = prune(patterns=["idle"])
    assert removed(result) == [("bob", "idle")]
    assert [(item["owner"], item["reason"]) for item in result["kept"]] == [("alice", "changed")]
    assert len(server.names()) == 1


def test_a_session_that_is_attached_after_the_look_is_kept() -> None:
    Tmux(BOB).start("idle")
    server = Tmux(ALICE).start("idle")
    done = os.path.join(EVIDENCE, "attached")
    attach = "script -qfc 'TERM=screen exec %s -S %s attach' /dev/null < /dev/zero" % (BINARY, server.path)
    wait = "while ! [ -e %s ]; do sleep 0.05; done" % done
    server("set-hook", "-g", "client-attached", "run-shell -b 'touch %s'" % done)
    script = os.path.join(ALICE.home, "attach")
    with open(script, "w", encoding="utf-8") as handle:
        handle.write("#!/bin/sh\nif mkdir %s.once; then (setsid %s &) >/dev/null 2>&1; fi\n%s\n" % (done, attach, wait))
    os.chmod(script, 0o755)
    looked(server, "run-shell %s" % script)
    result = prune(patterns=["idle"], protect=["attached"])
    eventually(lambda: os.path.exists(done), "somebody attaches")
    assert removed(result) == [("bob", "idle")]
    assert [(item["owner"], item["reason"]) for item in result["kept"]] == [("alice", "changed")]
    assert server.names() == ["idle"]
