# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a tmux says is understood or refused, and it is called as the account it belongs to."""

import os
import stat
import tempfile
from pathlib import Path
from typing import Any, List, Sequence, Type

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.child import Completed
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import client as tmux
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    Version,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import (
    Denied,
    Duplicate,
    Failed,
    Flood,
    Hung,
    Lost,
    Mismatch,
    NoServer,
    NoTarget,
    NotFound,
    TmuxError,
)
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE


def fake(tmp_path: Path, text: str) -> str:
    program = tmp_path / "tmux"
    program.write_text("#!/bin/sh\n%s\n" % text)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def client_of(binary: str, timeout: float = PATIENCE) -> Client:
    return Client(binary, "/nowhere/s", User("me", os.geteuid(), os.getegid()), False, timeout)


@pytest.mark.parametrize(
    "said",
    ["tmux 2.6", "tmux 1.8", "screen 4.9", "", "tmux", "tmuxinator 3.0", "tmux-3.3a 2.6", "utmux-tool 3.4", "3.4"],
)
def test_what_is_no_usable_tmux_is_refused(tmp_path: Path, said: str) -> None:
    with pytest.raises(TmuxError) as caught:
        tmux.client_version(fake(tmp_path, "echo '%s'" % said), PATIENCE)
    assert str(tmp_path / "tmux") in caught.value.message
    assert caught.value.cmd == [str(tmp_path / "tmux"), "-V"]


@pytest.mark.parametrize(
    "text, timeout", [("exit 1", PATIENCE), ("echo 'tmux 3.3'; exit 1", PATIENCE), ("sleep 99", 0.1)]
)
def test_a_binary_that_does_not_answer_well_is_refused(tmp_path: Path, text: str, timeout: float) -> None:
    with pytest.raises(TmuxError):
        tmux.client_version(fake(tmp_path, text), timeout)


def test_a_missing_binary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TmuxError, match="cannot be run"):
        tmux.client_version(str(tmp_path / "none"), PATIENCE)
    with pytest.raises(TmuxError, match="cannot be run"):
        client_of(str(tmp_path / "none")).call([["list-sessions"]])


def test_the_version_of_a_binary_is_told(tmp_path: Path) -> None:
    assert tmux.client_version(fake(tmp_path, "echo 'tmux 3.4'"), PATIENCE) == Version(3, 4, "", "3.4")


@pytest.mark.parametrize("name", ["tmux-3.3a", "tmux3.4", "tmux.real", "my-tmux", "TMUX-2.7", "my tmux 9.9"])
def test_a_tmux_may_have_any_name_with_that_word_in_it(tmp_path: Path, name: str) -> None:
    """It prints the name by which it was called, and the numbers in that are not its version."""
    assert tmux.client_version(fake(tmp_path, "echo '%s 3.3a'" % name), PATIENCE) == Version(3, 3, "a", "3.3a")
    assert tmux.client_version(fake(tmp_path, "echo '%s next-3.8'" % name), PATIENCE).text == "next-3.8"


@pytest.mark.parametrize(
    "said, kind, status",
    [
        ("no server running on /tmp/x", NoServer, "absent"),
        ("error connecting to /tmp/x (No such file or directory)", NoServer, "absent"),
        ("error connecting to /tmp/x (Permission denied)", Denied, "denied"),
        ("access not allowed", Denied, "denied"),
        ("directory /tmp/tmux-0 has unsafe permissions", Denied, "denied"),
        ("protocol version mismatch (client 8, server 7)", Mismatch, "mismatch"),
        ("server version is too old for client", Mismatch, "mismatch"),
        ("server exited unexpectedly", Lost, "unreachable"),
        ("lost server", Lost, "unreachable"),
        ("error connecting to /tmp/x (File name too long)", TmuxError, "unreachable"),
        ("can't find session: x", NotFound, "ok"),
        ("duplicate session: x", Duplicate, "ok"),
        ("no current target", NoTarget, "ok"),
        ("unknown command: x", Failed, "ok"),
    ],
)
@pytest.mark.parametrize("status_of_exit", [0, 1])
def test_messages_are_understood_whatever_the_exit_status(
    tmp_path: Path, said: str, kind: Type[TmuxError], status: str, status_of_exit: int
) -> None:
    binary = fake(tmp_path, 'echo out; echo "%s" >&2; exit %d' % (said, status_of_exit))
    with pytest.raises(TmuxError) as caught:
        client_of(binary).call([["list-sessions"]])
    error = caught.value
    assert error.__class__ is kind
    assert (error.status, error.rc, error.stdout, error.stderr) == (status, status_of_exit, "out\n", said + "\n")
    assert error.message == "tmux: " + said
    assert error.cmd == [binary, "-u", "-S", "/nowhere/s", "list-sessions"]


def test_a_failure_without_a_word_is_one(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="exit status 7"):
        client_of(fake(tmp_path, "exit 7")).call([["list-sessions"]])


def test_what_a_server_says_is_harmless_in_messages(tmp_path: Path) -> None:
    with pytest.raises(TmuxError) as caught:
        client_of(fake(tmp_path, r"printf 'a\033[2Jb\nc' >&2")).call([["list-sessions"]])
    assert caught.value.message == r"tmux: a\x1b[2Jb\x0ac"
    with pytest.raises(TmuxError) as caught:
        client_of(fake(tmp_path, "head -c 100000 /dev/zero | tr '\\0' x >&2")).call([["list-sessions"]])
    assert len(caught.value.message) < 1000


def test_a_flood_and_a_silence_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(Flood):
        client_of(fake(tmp_path, "exec yes")).call([["list-sessions"]])
    with pytest.raises(Hung) as caught:
        client_of(fake(tmp_path, "exec sleep 1000"), 0.1).call([["list-sessions"]])
    assert caught.value.status == "hung"


def test_a_call_gets_the_environment_of_the_account_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMUX", "/tmp/other,1,0")
    monkeypatch.setenv("FLEET_SECRET", "x")
    user = User("anna", os.geteuid(), os.getegid(), "/home/anna", "/bin/zsh")
    out = Client(fake(tmp_path, "tr '\\0' '\\n' < /proc/$$/environ"), "/s", user, False, PATIENCE).call([["x"]])
    names = {line.split("=")[0] for line in out.decode().splitlines()}
    assert names == {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG"}
    assert "HOME=/home/anna" in out.decode()


def test_the_client_is_never_more_than_its_account() -> None:
    user = User("stranger", 54321, 54322)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        binary = fake(Path(folder), "id -u")
        os.chmod(binary, 0o755)
        became = Client(binary, "/s", user, True, PATIENCE).call([["new-session"]])
        stayed = Client(binary, "/s", user, False, PATIENCE).call([["x"]])
    assert int(became) == (54321 if os.geteuid() == 0 else os.geteuid())
    assert int(stayed) == os.geteuid()


def test_a_servers_own_program_is_asked_for_its_version_as_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner decides what the process executes the next moment."""
    ran: List[Any] = []

    def run(argv: Sequence[str], **how: Any) -> Completed:
        ran.append((list(argv), how.get("user"), how.get("like")))
        return Completed(0, b"tmux 3.3a\n", b"")

    monkeypatch.setattr(tmux, "run", run)
    owner = User("anna", 61001, 61001)
    own = Client("/proc/4711/exe", "/nowhere/s", owner, as_user=True, timeout=1, process=4711, own=True)
    assert own.version.text == "3.3a"
    assert ran == [(["/proc/4711/exe", "-V"], owner, 4711)]


def test_what_a_tmux_says_twice_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said = b"unknown value: foo\nunknown value: foo\nwhat else\n"
    monkeypatch.setattr(tmux, "run", lambda argv, **how: Completed(1, b"", said))
    client = Client("/usr/bin/tmux", "/nowhere/s", User("anna", 61001, 61001), as_user=False, timeout=1)
    with pytest.raises(TmuxError) as error:
        client.call([["set-option", "x", "foo"]])
    assert error.value.message == "tmux: unknown value: foo\\x0awhat else"
