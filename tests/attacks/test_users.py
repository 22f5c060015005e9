# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real users with real servers: all of them are found, by whom and where they should be, and pruned as their owners."""

import contextlib
import os
import signal
import stat
import subprocess
from typing import Any, Dict, Iterator, List

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    SECRET,
    Tmux,
    at,
    default_directory,
    directory,
    fake,
    info,
    mode_of,
    module,
    prune,
    ran_as,
    removed,
    run_as,
    statuses,
    witness,
    write,
)
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, CAROL, DAVE, ERIN, ROOT, USERS, Account
from ansible_collections.fleet.tmux.tests.support.processes import alive, begun, environ_of, status_field
from ansible_collections.fleet.tmux.tests.support.programs import binaries
from ansible_collections.fleet.tmux.tests.support.waiting import eventually


def test_every_user_and_every_place() -> None:
    """No home, no shell to log in with, no entry in the user database, and sockets wherever tmux puts them."""
    expected = []
    for account in (*USERS, ROOT):
        for name in ("default", "other"):
            Tmux(account, os.path.join(default_directory(account), name)).start("idle-" + name)
            expected.append((account.name, "idle-" + name))
    moved = directory("/tmp/moved", ALICE)
    done = run_as(ALICE, binaries()[0], "-f", "/dev/null", "new-session", "-d", "-s", "moved", "cat", TMUX_TMPDIR=moved)
    assert done.returncode == 0
    Tmux(BOB, directory("/tmp/home/bob/own", BOB) + "/socket").start("own")
    expected += [("alice", "moved"), ("bob", "own")]
    seen = info()
    assert seen["scope"] == "host"
    assert sorted((item["owner"], item["name"]) for item in seen["sessions"]) == sorted(expected)
    assert statuses(seen)["/tmp/moved/tmux-41001/default"] == "ok"
    assert all(server["pid"] and server["start_time"] and server["version"] for server in seen["servers"])
    planned = prune(check=True)
    result = prune()
    assert sorted(removed(result)) == sorted(expected)
    assert removed(planned) == removed(result)
    assert not prune()["changed"]


def who(result: Dict[str, List[Dict[str, str]]]) -> List[str]:
    return sorted({server["owner"] for server in result["servers"]})


def test_users_and_exclude_users() -> None:
    for account in (*USERS, ROOT):
        Tmux(account).start("idle")
    everybody = sorted(account.name for account in (*USERS, ROOT))
    assert who(info()) == everybody
    assert who(info(users=["alice", "41002", "root"])) == ["alice", "bob", "root"]
    assert who(info(users=["41005"])) == ["41005"]
    assert who(info(exclude_users=["alice", "41002", "0"])) == ["41005", "carol", "dave"]
    assert who(info(users=["alice", "bob"], exclude_users=["41001"])) == ["bob"]
    assert who(info(users=[])) == []
    unknown = info(users=["alice", "nobody-here", "\x1b[2J"])
    assert who(unknown) == ["alice"]
    assert len(unknown["warnings"]) == 2
    assert removed(prune(users=["carol"])) == [("carol", "idle")]
    assert who(prune(exclude_users=["nobody-here"])) == sorted(set(everybody) - {"carol"})


@pytest.mark.parametrize("plugin", ["tmux_session_info", "tmux_session_prune"])
def test_without_root_only_ones_own(plugin: str) -> None:
    for account in (ALICE, BOB, ROOT):
        Tmux(account).start("idle")
    more: Dict[str, Any] = {"idle": "1s", "protect": []} if plugin == "tmux_session_prune" else {}
    result = module(plugin, ALICE, all_users=True, **more)
    assert result["scope"] == "own"
    assert who(result) == ["alice"]
    assert any("without root" in warning for warning in result["warnings"])
    assert who(module(plugin, ALICE, users=["bob"], **more)) == []
    assert Tmux(BOB).names() == ["idle"]
    denied = module(plugin, ALICE, socket_path=Tmux(BOB).path, **more)
    assert denied["failed"]


# --- servers that are not well ----------------------------------------------------------------------------------------


def test_a_removed_socket() -> None:
    server = Tmux(ALICE).start("idle")
    pid = server.pid()
    os.unlink(server.path)
    for result in (info(), prune()):
        assert at(result, server.path)["status"] == "orphaned"
        assert at(result, server.path)["pid"] == pid
        assert removed(dict({"removed": []}, **result)) == []
        assert result["warnings"]
    lost = module("tmux_session", socket_path=server.path, name=["x"])
    assert lost["failed"] and "orphaned" in lost["msg"]
    assert not os.path.exists(server.path)
    assert at(prune(recover_sockets=True), server.path)["status"] == "recovered"
    assert removed(prune(recover_sockets=True)) == [("alice", "idle")]
    eventually(lambda: not alive(pid), "the server ends")


def test_a_removed_socket_where_others_may_write() -> None:
    """Whoever is faster than the server would be asked in its place."""
    folder = directory("/tmp/open", ALICE)
    server = Tmux(ALICE, folder + "/socket").start("idle")
    pid = server.pid()
    os.unlink(server.path)
    for mode in (0o777, 0o1777, 0o770):
        os.chmod(folder, mode)
        result = prune(recover_sockets=True)
        assert at(result, server.path)["status"] == "orphaned"
        assert "not recovered" in at(result, server.path)["reason"]
    os.rmdir(folder)
    assert "not recovered" in at(prune(recover_sockets=True), server.path)["reason"]
    directory(folder, BOB)
    assert "not recovered" in at(prune(recover_sockets=True), server.path)["reason"]
    assert os.listdir(folder) == []
    assert alive(pid)


def test_a_socket_that_another_server_has_taken() -> None:
    first = Tmux(ALICE).start("first")
    pid = first.pid()
    os.unlink(first.path)
    second = Tmux(ALICE).start("second").pid()
    result = prune(recover_sockets=True)
    assert removed(result) == [("alice", "second")]
    assert sorted(server["status"] for server in result["servers"]) == ["ok", "orphaned"]
    assert alive(pid)
    eventually(lambda: not alive(second), "the second server ends with its session")
    assert at(prune(recover_sockets=True), first.path)["status"] == "recovered"
    assert removed(prune(recover_sockets=True)) == [("alice", "first")]


def test_a_socket_that_a_dead_server_has_taken() -> None:
    """There is something at the path, and nobody listens: that is not the same as no server."""
    first = Tmux(ALICE).start("first")
    pid = first.pid()
    os.unlink(first.path)
    Tmux(ALICE).start("second")("kill-server")
    eventually(lambda: not [server for server in info()["servers"] if server["status"] == "ok"], "it ends")
    assert os.path.exists(first.path)
    assert at(info(), first.path)["status"] == "orphaned"
    refused = module("tmux_session", socket_path=first.path, name=["third"], argv=["cat"])
    assert refused["failed"] and "orphaned" in refused["msg"]
    assert alive(pid)
    assert at(prune(socket_path=first.path, recover_sockets=True), first.path)["status"] == "recovered"
    assert removed(prune(socket_path=first.path, recover_sockets=True)) == [("alice", "first")]


def test_a_stopped_server() -> None:
    server = Tmux(ALICE).start("idle")
    Tmux(ALICE, "/tmp/tmux-41001/other").start("idle")
    Tmux(BOB).start("idle")
    pid = server.pid()
    os.kill(pid, signal.SIGSTOP)
    result = prune(timeout="1s")
    assert at(result, server.path)["status"] == "hung"
    assert [item["socket"] for item in result["removed"]] == ["/tmp/tmux-41001/other", "/tmp/tmux-41002/default"]
    assert any("hung" in warning for warning in result["warnings"])
    os.kill(pid, signal.SIGCONT)
    assert removed(prune()) == [("alice", "idle")]


def test_a_server_in_a_container() -> None:
    """In another mount namespace its path means something else; the server that is at that path here is not it."""
    default_directory(ALICE)
    inner = "mount -t tmpfs -o mode=1777 tmpfs /tmp && mkdir /tmp/home && exec setpriv --reuid 41001 --regid 41001 "
    inner += "--clear-groups %s -f /dev/null new-session -d -s inside cat" % binaries()[0]
    subprocess.run(["unshare", "--mount", "sh", "-c", inner], check=True, env={"PATH": os.environ["PATH"]})
    alone = prune()
    path = "/tmp/tmux-41001/default"
    assert at(alone, path)["status"] == "foreign"
    pid = at(alone, path)["pid"]
    assert alone["warnings"] == []
    Tmux(ALICE).start("outside")
    Tmux(BOB).start("idle")
    result = prune(recover_sockets=True)
    assert removed(result) == [("alice", "outside"), ("bob", "idle")]
    assert sorted(server["status"] for server in result["servers"]) == ["foreign", "ok", "ok"]
    assert alive(pid)


def test_a_socket_that_its_owner_may_not_use() -> None:
    server = Tmux(ALICE).start("idle")
    Tmux(BOB).start("idle")
    os.chmod(server.path, 0)
    result = prune()
    assert at(result, server.path)["status"] == "denied"
    assert removed(result) == [("bob", "idle")]


@pytest.mark.parametrize("what", ["warn", "fail", "ignore"])
def test_what_a_bad_server_means_for_the_task(what: str) -> None:
    Tmux(BOB).start("idle")
    with fake(ALICE, "slam") as path:
        result = prune(failed_servers=what)
    assert at(result, path)["status"] == "unreachable"
    assert removed(result) == [("bob", "idle")]  # Also when the task fails: what was done is said.
    assert result.get("failed", False) == (what == "fail")
    assert any(path in warning for warning in result["warnings"]) == (what == "warn")


# --- whose hands ------------------------------------------------------------------------------------------------------


def test_the_client_has_no_more_than_its_user() -> None:
    """What runs in place of the client tells: ids, groups, environment, descriptors, session, directory."""
    tell = "#!/bin/sh\nexec > %s/told.$$\ncat /proc/$$/status; echo; tr '\\0' '\\n' < /proc/$$/environ\n" % ALICE.home
    tell += "ls -l /proc/$$/fd; readlink /proc/$$/cwd; ps -o tty= -p $$\n"
    program = write(ALICE.home + "/tell", tell, ALICE, 0o755)
    with fake(ALICE, "shell", program=program), open("/tmp/vault/secret", encoding="utf-8") as kept:
        os.set_inheritable(kept.fileno(), True)
        os.environ["FLEET_SECRET"] = SECRET
        try:
            prune()
        finally:
            del os.environ["FLEET_SECRET"]
    told = [name for name in os.listdir(ALICE.home) if name.startswith("told.")]
    assert told
    for name in told:
        with open(os.path.join(ALICE.home, name), encoding="utf-8") as handle:
            text = handle.read()
        fields = {line.partition(":")[0]: line.partition(":")[2].split() for line in text.splitlines()}
        assert fields["Uid"] == ["41001"] * 4
        assert fields["Gid"] == ["41001"] * 4
        assert fields["Groups"] in (["41001"], ["41001", "41900"])
        assert fields["CapEff"] == fields["CapPrm"] == ["0000000000000000"]
        assert SECRET not in text and "vault" not in text
        names = {line.partition("=")[0] for line in text.splitlines() if line.split("=")[0].isupper()}
        assert names <= {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "PWD", "OLDPWD", "_"}
        assert text.splitlines()[-2:] == ["/", "?"]


@pytest.mark.parametrize("account", [ALICE, CAROL, DAVE, ERIN], ids=lambda account: account.name)
def test_a_session_for_somebody_else(account: Account) -> None:
    """In a directory of another user, root makes and ends sessions as that user, groups and all."""
    user = account
    path = os.path.join(default_directory(user), "work")
    made = module("tmux_session", socket_path=path, name=["job"], argv=["cat"], env={"KEY": "value"})
    assert [item["name"] for item in made["created"]] == ["job"], made
    (session,) = info(socket_path=path, include=["processes"])["sessions"]
    pane = session["windows"][0]["panes"][0]
    assert session["owner"] == user.name
    server = Tmux(user, path)
    for pid in (pane["pid"], server.pid()):
        assert status_field(pid, "Uid") == [str(user.uid)] * 4
        gid = str(user.gid) if user is not ERIN else "65534"
        assert status_field(pid, "Gid") == [gid] * 4
        assert set(status_field(pid, "Groups")) == {gid, *map(str, user.groups)}
    eventually(lambda: begun(pane["pid"]), "its program runs")
    env = environ_of(pane["pid"])
    assert env["KEY"] == "value"
    assert env["HOME"] == ("/tmp/home/nowhere" if user is CAROL else user.home)
    assert env["USER"] == user.name
    assert not {key for key in env if key.startswith(("ANSIBLE", "SUDO", "PYTHON", "FLEET"))}
    assert os.lstat(path).st_uid == user.uid
    again = module("tmux_session", socket_path=path, name=["job"], argv=["cat"], env={"KEY": "value"})
    assert not again["changed"]
    first = server.pid()
    anew = module("tmux_session", socket_path=path, name=["job"], argv=["cat"], recreate="always")
    assert [item["name"] for item in anew["sessions"]] == ["job"] and server.pid() != first
    assert set(status_field(server.pid(), "Groups")) == {gid, *map(str, user.groups)}, "a new server is like the first"
    gone = module("tmux_session", socket_path=path, name=["job"], state="absent")
    assert removed(gone) == [(user.name, "job")]


def test_a_log_for_somebody_else() -> None:
    """Root could open anything; alice can only what is hers, and nothing comes into her log but what she may write."""
    server = Tmux(ALICE).start("first")
    write("/tmp/of-root", "root's", ROOT)
    os.symlink("/tmp/of-root", os.path.join(ALICE.home, "link"))
    directory("/tmp/secret", ROOT, 0o700)
    directory("/tmp/words-of-hers", ALICE, 0o777)
    os.symlink("/tmp/words-of-hers", os.path.join(ALICE.home, "way"))
    path = os.path.join(ALICE.home, "job.log")
    ways = [os.path.join(ALICE.home, name) for name in ("link", "way/log", "way/none/log")]
    for bad in (*ways, "/tmp/secret/log", "/tmp/log", "/tmp/of-root", "/root/log"):
        for check in (True, False):
            refused = module("tmux_session", check=check, socket_path=server.path, name=["job"], argv=["cat"], log=bad)
            assert refused["failed"] and not refused["changed"] and "log: " in refused["msg"], refused
            assert "words-of-hers" not in str(refused), "where a link of hers leads is not told"
    assert server.names() == ["first"] and os.listdir("/tmp/secret") == []
    with open("/tmp/of-root", encoding="ascii") as stream:
        assert stream.read() == "root's"
    argv = ["sh", "-c", "echo mine; exec cat"]
    made = module("tmux_session", socket_path=server.path, name=["job"], argv=argv, log="~/job.log")
    assert [item["name"] for item in made["created"]] == ["job"]
    eventually(lambda: os.path.getsize(path) > 0, "its words are written")
    found = os.stat(path)
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (ALICE.uid, ALICE.gid, 0o600)
    told = module("tmux_session_wait", socket_path=server.path, name=["job"], wait_timeout="0s", fail_on_timeout=False)
    assert told["sessions"][0]["log"] is None, "another user chose the name"


def test_a_command_for_somebody_who_has_no_shell() -> None:
    """A command is for the user's shell; if that lets nobody in, the module says what it said."""
    path = os.path.join(default_directory(DAVE), "work")

    def refused() -> bool:
        made = module("tmux_session", socket_path=path, name=["job"], command="cat", evidence_detail="full")
        # A busy machine may not come to it in the second in which it is watched, nor do all its words get to tmux.
        return "ended at once" in made.get("msg", "") and "not available" in made["msg"]

    eventually(refused, "it is told what the shell said")


def test_a_directory_that_root_makes_for_itself() -> None:
    made = module("tmux_session", name=["job"], command="exec cat")
    assert [(item["owner"], item["name"]) for item in made["created"]] == [("root", "job")]
    assert mode_of("/tmp/tmux-0") == 0o700
    assert os.lstat("/tmp/tmux-0/default").st_uid == 0


def test_a_configuration_of_somebody_else_runs_as_that_user() -> None:
    program = witness(ALICE, "configuration")
    write(ALICE.home + "/.tmux.conf", "run-shell %s\n" % program, ALICE, 0o644)
    path = os.path.join(default_directory(ALICE), "work")
    module("tmux_session", socket_path=path, name=["job"], command="exec cat")
    eventually(lambda: ran_as("configuration"), "the configuration is read")
    assert ran_as("configuration") == [ALICE.uid]


# --- the user database ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def database(script: str) -> Iterator[None]:
    """Put something else in the place of getent."""
    (program,) = [path for path in ("/usr/bin/getent", "/bin/getent") if os.path.realpath(path) == path]
    other = write("/tmp/getent", "#!/bin/sh\n" + script, ROOT, 0o755)
    subprocess.run(["mount", "--bind", other, program], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", program], check=True)


def test_a_directory_service_that_hangs() -> None:
    for account in (ALICE, BOB):
        Tmux(account).start("idle")
    with database("exec sleep 3600\n"):
        refused = prune(exclude_users=["alice"], timeout="1s")
        assert refused["failed"] and "alice" in refused["msg"]
        refused = prune(users=["bob"], timeout="1s")
        assert refused["failed"] and "bob" in refused["msg"]
        assert Tmux(ALICE).names() == Tmux(BOB).names() == ["idle"]
        new = module("tmux_session", socket_path="/tmp/tmux-41001/new", name=["x"], timeout="1s")
        assert new["failed"] and "groups" in new["msg"]
        result = prune(timeout="1s")  # Everybody's: for that no names are needed.
    assert removed(result) == [("41001", "idle"), ("41002", "idle")]


@pytest.mark.parametrize("script", ["exit 1\n", "echo broken; exit 3\n", "kill -9 $$\n"])
def test_a_directory_service_that_fails(script: str) -> None:
    """To know nobody is not the same as to be unable to say who there is."""
    Tmux(ALICE).start("idle")
    with database(script):
        result = prune(exclude_users=["alice"])
    assert result["failed"] and "alice" in result["msg"], result
    assert Tmux(ALICE).names() == ["idle"]


def test_thousands_of_users() -> None:
    with open("/etc/passwd", "a", encoding="utf-8") as handle:
        start = handle.tell()
        handle.write("".join("u%d:x:%d:%d::/:/bin/sh\n" % (uid, uid, uid) for uid in range(60000, 65000)))
    try:
        Tmux(BOB).start("idle")
        for uid in range(60000, 60400):
            os.mkdir("/tmp/tmux-%d" % uid, 0o700)
            os.chown("/tmp/tmux-%d" % uid, uid, uid)
        result = prune(exclude_users=["u%d" % uid for uid in range(60000, 60400)], timeout="600s")
        assert removed(result) == [("bob", "idle")], result
        assert [server["owner"] for server in result["servers"]] == ["bob"]
    finally:
        with open("/etc/passwd", "r+", encoding="utf-8") as handle:
            handle.truncate(start)


def test_a_user_without_a_process_left() -> None:
    """Only sockets are left of him: nothing is found, and nothing is deleted."""
    server = Tmux(ALICE).start("idle")
    os.kill(server.pid(), signal.SIGKILL)
    eventually(lambda: not info()["servers"], "the server ends")
    assert prune()["servers"] == []
    assert os.path.exists(server.path)
