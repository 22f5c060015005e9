# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file system of a user's own that never answers keeps nobody but that user from his turn.

A process that waits for it while it becomes a program keeps everybody waiting who reads its stat, io, environ, exe, the
links to its files, or its namespaces: against the code that read the processes of all users, a run never ended by
itself. That was seen of a user out of scope, of one among all users, and of one below another's pane, detached; the
other forms (undumpable, odd names, file systems below socket directories) were not run against it.
"""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from typing import IO, Iterator, List, Optional

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    HERE,
    Tmux,
    default_directory,
    directory,
    info,
    module,
    prune,
    removed,
    spawn,
    statuses,
)
from ansible_collections.fleet.tmux.tests.attacks.test_scope import ROW, forged
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, DAVE, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.processes import stat_fields, status_field
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually

WORDS = [sys.executable, os.path.join(HERE, "silent_files.py")]


def device() -> str:
    """The device of such file systems: in a container it may be missing, or closed to us."""
    path = "/tmp/fuse"
    if not os.path.exists(path):
        try:
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(10, 229))
            os.close(os.open(path, os.O_RDWR))
        except OSError as error:
            pytest.skip("not on this kernel: needs file systems of users' own (FUSE): %s" % error.strerror)
    return path


@contextlib.contextmanager
def silent(account: Account, place: str) -> Iterator[None]:
    """A file system of that user at ``place``, for all to see."""
    words = [*WORDS, device(), place, str(account.uid), "all"]
    with spawn(ROOT, *words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline(), "it is mounted"
        try:
            yield
        finally:
            process.kill()  # What waits for it goes on then.
            process.wait(PATIENCE)
            subprocess.run(["umount", "-l", place], check=True)


def waits(pid: int) -> bool:
    """Whether a process stands still on its way to becoming a program: a reader sleeps, and does not come back."""
    reader = subprocess.Popen(["cat", "/proc/%d/environ" % pid], stdout=subprocess.DEVNULL)
    looks = 0
    try:
        while looks < 5 and reader.poll() is None:
            time.sleep(0.1)
            fields = stat_fields(reader.pid)
            looks = looks + 1 if fields is not None and fields[0] in "DS" else 0
        return reader.poll() is None
    finally:
        reader.kill()
        reader.wait(PATIENCE)


@contextlib.contextmanager
def never_a_program(account: Account, *how: str) -> Iterator[int]:
    """A process of that user that never becomes a program; its pid."""
    place = own_place(account)
    words = [*WORDS, device(), place, str(account.uid), "exec", *how]
    with spawn(ROOT, *words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            with held(process.stdout, place) as pid:
                yield pid
        finally:
            process.kill()


def own_place(account: Account) -> str:
    """A directory where that user mounts something."""
    place = directory(tempfile.mkdtemp(dir="/tmp") + "/own", account)
    os.chmod(os.path.dirname(place), 0o755)
    return place


@contextlib.contextmanager
def held(told: IO[bytes], place: str) -> Iterator[int]:
    """As long as the block runs, the process of which ``told`` tells does not become a program."""
    pid, server = map(int, told.readline().split())
    try:
        eventually(lambda: waits(pid), "who reads of it waits")
        yield pid
    finally:
        os.kill(server, signal.SIGKILL)  # Then the kernel answers, and the process can be ended.
        subprocess.run(["umount", "-l", place], check=True)


# --- a process that keeps its readers waiting -------------------------------------------------------------------------


@pytest.mark.parametrize("users", [["bob"], None], ids=["out-of-scope", "all"])
@pytest.mark.parametrize("how", [(), ("undumpable",)], ids=["plain", "undumpable"])
@pytest.mark.parametrize("name", ["python3", "tmux: server"])
def test_beside_one_who_keeps_readers_waiting(name: str, how: "tuple[str, ...]", users: Optional[List[str]]) -> None:
    Tmux(BOB).start("idle", "other")
    scope = {"users": users} if users else {}
    with never_a_program(ALICE, *how, name):
        seen = info(include=["processes"], timeout="1s", **scope)
        result = prune(protect=["running", "busy"], timeout="1s", **scope)
        made = module("tmux_session", socket_path="/tmp/tmux-0/default", name=["job"], argv=["cat"])
        gone = prune(patterns=["idle"], survivors="terminate", grace_period="0s", timeout="1s", **scope)
    assert {(item["owner"], item["name"]) for item in seen["sessions"]} == {("bob", "idle"), ("bob", "other")}
    assert {item["name"]: item["reason"] for item in result["kept"]} == {"idle": "running", "other": "running"}
    assert [item["name"] for item in made["created"]] == ["job"]
    assert removed(gone) == [("bob", "idle")]


def test_whose_own_process_it_is_loses_his_turn_and_nobody_else() -> None:
    """That is unknown, and what is unknown is kept, and told."""
    Tmux(ALICE).start("hers")
    Tmux(BOB).start("idle")
    with never_a_program(ALICE):
        result = prune(timeout="1s")
        seen = info(include=["processes"], timeout="1s")
    assert removed(result) == [("bob", "idle")]
    assert Tmux(ALICE).names() == ["hers"]
    assert {server["status"] for server in result["servers"] if server["owner"] == "alice"} == {"hung"}
    assert [item["name"] for item in seen["sessions"]] == []


def become_another(account: Account, command: str) -> str:
    """A command that is run as another user, as with su or sudo."""
    (program,) = [path for path in ("/usr/bin/setpriv", "/bin/setpriv") if os.path.realpath(path) == path]
    copy = tempfile.mkdtemp(dir="/tmp") + "/su"
    os.chmod(os.path.dirname(copy), 0o755)
    shutil.copyfile(program, copy)
    os.chmod(copy, 0o4755)
    return "%s --reuid %d --regid %d --clear-groups %s" % (copy, account.uid, account.gid, command)


@contextlib.contextmanager
def guest(line: str) -> Iterator[int]:
    """A session of the honest user's in which another works, and never becomes a program; that process's pid."""
    place = own_place(ALICE)
    os.mkfifo("/tmp/told")
    os.chmod("/tmp/told", 0o666)
    # Whoever mounts it needs root; then it is the other user who goes on in there.
    attack = become_another(ROOT, "%s %s %s %d exec > /tmp/told" % (" ".join(WORDS), device(), place, ALICE.uid))
    bob = Tmux(BOB)
    bob("-f", "/dev/null", "new-session", "-d", "-s", "guest", "--", "sh", "-c", line % attack)
    bob("new-session", "-d", "-s", "idle", "--", "bash", "--norc")
    with open("/tmp/told", "rb") as told, held(told, place) as pid:
        assert status_field(pid, "Uid")[0] == str(ALICE.uid)
        yield pid


@pytest.mark.parametrize("line", ["%s; exec cat", "setsid %s & exec cat"], ids=["a child", "detached"])
def test_another_user_in_an_honest_users_pane(line: str) -> None:
    """He works there, so that session is kept; and that he keeps readers waiting costs no other session its verdict."""
    with guest(line) as pid:
        seen = info(include=["processes"], timeout="1s")
        result = prune(protect=["running", "busy"], timeout="1s")
    panes = [pane for item in seen["sessions"] for window in item["windows"] for pane in window["panes"]]
    assert pid in {process["pid"] for pane in panes for process in pane["processes"]}
    assert removed(result) == [("bob", "idle")]
    assert {item["name"]: item["reason"] for item in result["kept"]} == {"guest": "running"}


def test_another_user_who_keeps_an_honest_users_server_waiting() -> None:
    """As a pane's own program he makes tmux itself wait, which reads where it is. That is told, and costs no third."""
    Tmux(DAVE).start("idle")
    with guest("exec %s"):
        result = prune(protect=["busy"], timeout="1s")
    assert removed(result) == [("dave", "idle")]
    assert {server["owner"]: server["status"] for server in result["servers"]} == {"bob": "hung", "dave": "ok"}
    assert Tmux(BOB).names() == ["guest", "idle"]


def test_what_is_read_of_others() -> None:
    """Nothing below the directories in /proc of users who are not wanted; of others in panes what never waits."""
    watch = directory("/tmp/watch", ROOT, 0o700)
    shutil.copyfile(os.path.join(HERE, "watch_opened.py"), watch + "/sitecustomize.py")
    Tmux(BOB).start("idle")
    Tmux(ALICE).start("hers")
    others = [spawn(ALICE, "sleep", "3600").pid for _time in range(3)] + [Tmux(ALICE).pid()]
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = watch + os.pathsep + before
    try:
        result = prune(users=["bob"], protect=["busy"])
        info(users=["bob"], include=["processes"])
        module("tmux_session", socket_path="/tmp/tmux-41002/new", name=["job"], argv=["cat"])
    finally:
        os.environ["PYTHONPATH"] = before
    with open(watch + "/opened", encoding="utf-8") as stream:
        opened = [line.split("/") for line in stream.read().splitlines()]
    assert removed(result) == [("bob", "idle")]
    assert len({parts[2] for parts in opened if parts[2:3] and parts[2].isdigit()}) > 2, "it is seen what is opened"
    assert [parts for parts in opened if parts[2:3] and parts[2] in {str(pid) for pid in others}] == []


# --- places that never answer -----------------------------------------------------------------------------------------


def test_a_socket_on_a_file_system_that_never_answers() -> None:
    """Its owner's own child of ours waits for it, is ended or left behind, and is told of."""
    Tmux(ALICE).start("hers")
    Tmux(BOB).start("idle")
    with silent(ALICE, default_directory(ALICE)):
        result = prune(timeout="1s")
        seen = info(timeout="1s")
    assert removed(result) == [("bob", "idle")]
    for servers in (result["servers"], seen["servers"]):
        told = {(server["owner"], server["socket"]): server["status"] for server in servers}
        assert told[("alice", "/tmp/tmux-41001")] == "unreachable", "what lies there is not asked"
        assert {server["status"] for server in servers if server["owner"] == "alice"} == {"hung", "unreachable"}
        assert {server["owner"] for server in servers} <= {"alice", "bob"}, "nobody else is told of"
    assert Tmux(ALICE).names() == ["hers"]


@pytest.mark.parametrize("place", ["/tmp/own", "/tmp/link"])
def test_a_forged_row_that_names_a_place_that_never_answers(place: str) -> None:
    """What the kernel shows of an honest user's server may be another's words."""
    server = Tmux(BOB).start("idle")
    with open("/proc/net/unix", encoding="ascii") as stream:
        (inode,) = [row.split()[6] for row in stream if row.split()[3] == "00010000" and row.split()[-1] == server.path]
    directory("/tmp/own", ALICE)
    os.symlink("/tmp/own", "/tmp/link")
    os.lchown("/tmp/link", ALICE.uid, ALICE.gid)
    with silent(ALICE, "/tmp/own"), forged(ALICE, ROW % (inode, place + "/socket")):
        result = prune(timeout="1s", users=["bob"])
    assert removed(result) == [("bob", "idle")]
    assert statuses(result) == {server.path: "ok"}
