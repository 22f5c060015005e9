# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets and directories that are not what they seem, and what the kernel is made to say of them."""

import os
import socket
import sys
from typing import Iterator, List

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    Result,
    Tmux,
    at,
    default_directory,
    directory,
    fake,
    info,
    module,
    naive,
    prune,
    ran_as,
    removed,
    run_as,
    spawn,
    statuses,
    together,
    witness,
    write,
)
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.processes import alive, stopped
from ansible_collections.fleet.tmux.tests.support.programs import binaries
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

TRAP = "/tmp/trap"
"""A directory of alice's in which she listens, open to all."""


@pytest.fixture
def program() -> Iterator[str]:
    """A program of alice's behind a socket that everybody may connect to; nobody else is ever to run it."""
    directory(TRAP, ALICE, 0o755)
    found = witness(ALICE, "trap")
    os.chmod(ALICE.home, 0o755)
    with fake(ALICE, "shell", path=TRAP + "/default", program=found):
        os.chmod(TRAP + "/default", 0o777)
        yield found
    assert set(ran_as("trap")) <= {ALICE.uid, MARKED}


MARKED = -1


def a_link_in_place_of_a_directory() -> None:
    """She was there first: the next user's default directory is a link to hers."""
    os.symlink(TRAP, "/tmp/tmux-41002")
    os.lchown("/tmp/tmux-41002", ALICE.uid, ALICE.gid)


def a_directory_of_somebody_else() -> None:
    directory("/tmp/tmux-41002", ALICE, 0o755)
    os.link(TRAP + "/default", "/tmp/tmux-41002/default")


def a_directory_that_all_may_write() -> None:
    directory("/tmp/tmux-41002", BOB, 0o777)
    os.link(TRAP + "/default", "/tmp/tmux-41002/default")


def a_link_in_place_of_a_socket() -> None:
    directory("/tmp/tmux-41002", BOB, 0o777)
    os.symlink(TRAP + "/default", "/tmp/tmux-41002/default")
    os.lchown("/tmp/tmux-41002/default", ALICE.uid, ALICE.gid)


def a_socket_of_one_and_a_process_of_another() -> None:
    directory("/tmp/tmux-41002", BOB, 0o755)
    os.link(TRAP + "/default", "/tmp/tmux-41002/default")
    os.lchown("/tmp/tmux-41002/default", BOB.uid, BOB.gid)


TRAPS = [
    a_link_in_place_of_a_directory,
    a_directory_of_somebody_else,
    a_directory_that_all_may_write,
    a_link_in_place_of_a_socket,
    a_socket_of_one_and_a_process_of_another,
]


@pytest.mark.parametrize("lay", TRAPS, ids=lambda lay: lay.__name__)
def test_a_trap_in_place_of_a_socket(program: str, lay: "type[object]") -> None:
    """A script that becomes the user whose name the directory bears runs another user's program as that one."""
    lay()
    path = "/tmp/tmux-41002/default"
    run_as(BOB, binaries()[0], "-S", path, "list-sessions")
    naive(path)
    assert ran_as("trap") == [ROOT.uid, BOB.uid]
    for uid in ran_as("trap"):
        os.unlink("/tmp/evidence/trap.%d" % uid)
    elsewhere = Tmux(BOB, directory("/tmp/home/bob/own", BOB) + "/s").start("idle")
    results = together(
        [
            lambda: info(socket_path=path),
            lambda: prune(socket_path=path),
            lambda: module("tmux_session", socket_path=path, name=["x"]),
            lambda: module("tmux_session", socket_path=path, name=["x"], state="absent"),
            lambda: info(users=["bob"]),
            prune,
        ]
    )
    for result in results[:4]:
        assert result["failed"] and result["msg"], result
    assert removed(results[-1]) == [("bob", "idle")]
    assert elsewhere.names() == []


@pytest.mark.parametrize("kind", ["file", "fifo", "directory", "nothing", "stale"])
def test_something_else_in_place_of_a_socket(kind: str) -> None:
    Tmux(BOB).start("idle")
    path = os.path.join(default_directory(ALICE), "default")
    if kind == "file":
        write(path, "no socket", ALICE)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        directory(path, ALICE)
    elif kind == "stale":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
    if kind != "nothing":
        os.lchown(path, ALICE.uid, ALICE.gid)
    one = info(socket_path=path)
    assert one.get("failed", False) == (kind in ("file", "fifo", "directory")), one
    assert one["sessions"] == []
    result = prune()
    assert removed(result) == [("bob", "idle")]
    assert path not in statuses(result)
    assert os.path.lexists(path) == (kind != "nothing")


def test_a_link_to_the_socket_of_root() -> None:
    """Who ends all sessions at a user's socket ends root's own, if that user wants it so."""
    for name in ("one", "two"):
        server = Tmux(ROOT, directory("/tmp/own-" + name, ROOT) + "/s").start("precious")
        link = os.path.join(default_directory(ALICE), name)
        os.symlink(server.path, link)
        os.lchown(link, ALICE.uid, ALICE.gid)
        if name == "one":
            naive(link, "kill-server")
            eventually(lambda server=server: not server.names(), "it ends")  # type: ignore[misc]
    result = module("tmux_session_prune", socket_path=link, idle="1s", protect=[])
    assert result["failed"] and "link" in result["msg"]
    assert removed(prune(users=["alice"])) == []
    assert server.names() == ["precious"]


def test_a_path_that_is_exchanged_all_the_time() -> None:
    """Between the look and the use, her socket becomes a link to root's, and back."""
    precious = Tmux(ROOT, directory("/tmp/own", ROOT) + "/s").start("precious")
    neighbour = Tmux(BOB).start("neighbour")
    server = Tmux(ALICE).start("idle")
    exchange = """
import os, sys
path, first, second = sys.argv[1:]
for target, link in ((first, path + ".a"), (second, path + ".b")):
    os.symlink(target, link)
os.rename(path, path + ".real")
while True:
    for name in (".a", ".real", ".b"):
        os.link(path + name, path + ".new", follow_symlinks=False)
        os.rename(path + ".new", path)
"""
    spawn(ALICE, sys.executable, "-c", exchange, server.path, precious.path, neighbour.path)
    eventually(lambda: os.path.lexists(server.path + ".b"), "the exchange begins")
    for _time in range(2):
        results = together([lambda: prune(users=["alice"], timeout="3s")] * 3)
        results += together([lambda: prune(socket_path=server.path, timeout="3s")] * 3)
        for result in results:
            assert set(removed(result)) <= {("alice", "idle")}
    assert precious.names() == ["precious"]
    assert neighbour.names() == ["neighbour"]


def test_thousands_of_directories_and_sockets_of_one_user() -> None:
    Tmux(BOB).start("idle")
    for number in range(2000):
        directory("/tmp/tmux-%d" % (50000 + number), ALICE, 0o777)
    folder = default_directory(ALICE)
    for number in range(2000):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("%s/stale-%d" % (folder, number))
    result = prune()
    assert removed(result) == [("bob", "idle")]
    odd = [server for server in result["servers"] if server["owner"] == "alice"]
    assert len(odd) == 1 and "1999 more" in odd[0]["reason"]
    assert len(result["warnings"]) < 10


CROWD = """
import ctypes, os, socket, sys, time
folder, count, name = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
for number in range(count):
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(15, name, 0, 0, 0)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("%s/%d" % (folder, number))
        listener.listen(1)
        open("%s/%d.ready" % (folder, number), "w").close()
        time.sleep(3600)
time.sleep(3600)
"""


def test_hundreds_of_servers_of_one_user() -> None:
    Tmux(BOB).start("idle")
    folder = default_directory(ALICE)
    spawn(ALICE, sys.executable, "-c", CROWD, folder, "300", "tmux: server")
    eventually(lambda: sum(name.endswith(".ready") for name in os.listdir(folder)) == 300, "they all listen")
    result = prune(timeout="1s")
    assert removed(result) == [("bob", "idle")]
    hers = [server for server in result["servers"] if server["owner"] == "alice"]
    assert len(hers) == 201
    assert any("100 more servers" in server["reason"] for server in hers)
    assert len(result["warnings"]) < 30


# --- what the kernel is made to say -----------------------------------------------------------------------------------


def inode_of(path: str) -> str:
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:
        (row,) = [line.split() for line in table if line.rstrip("\n").endswith(" " + path)]
    return row[6]


def bind_and_stay(account: Account, *paths: str) -> None:
    """Have a process of that user listen at paths that hold anything."""
    script = "import socket, sys, time\nkept = []\nfor path in sys.argv[1:]:\n    kept.append(socket.socket(1))\n"
    script += "    kept[-1].bind(path)\n    kept[-1].listen(1)\ntime.sleep(3600)\n"
    spawn(account, sys.executable, "-c", script, *paths)
    eventually(lambda: all(os.path.lexists(path) for path in paths), "it listens")


@pytest.mark.parametrize("aim", ["/tmp/no/where", "/tmp/tmux-41001/own", "/tmp/tmux-41002/stale"])
def test_a_forged_row_in_the_table_of_the_kernel(aim: str) -> None:
    """The kernel prints a newline in a path as it is: a user can add rows to the table, of anybody's sockets."""
    server = Tmux(BOB).start("idle")
    default_directory(ALICE)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("/tmp/tmux-41002/stale")
    os.chown("/tmp/tmux-41002/stale", BOB.uid, BOB.gid)
    row = "0: 2 0 10000 1 1 %s %s" % (inode_of(server.path), aim)
    forged = [os.path.dirname("/tmp/x%d\n%s" % (number, row)) for number in range(8)]
    for folder in forged:
        os.makedirs(folder, 0o755)
    paths = ["/tmp/x%d\n%s" % (number, row) for number in range(8)]
    for folder in forged:
        os.chmod(folder, 0o777)
    bind_and_stay(ALICE, *paths)
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:
        assert sum(line.rstrip("\n") == row for line in table) == 8
    result = prune()
    assert at(result, server.path)["status"] == "ok", result
    assert removed(result) == [("bob", "idle")]


def test_a_path_with_escape_sequences() -> None:
    folder = directory("/tmp/\x1b]0;pwned\x07\x1b[2J\u202eevil", ALICE, 0o777)
    with fake(ALICE, "silence", path=folder + "/socket"):
        for result in (info(timeout="1s"), info(socket_path=folder + "/socket", timeout="1s"), prune(timeout="1s")):
            assert "evil" in str(result)


def test_processes_that_are_no_servers_or_hold_many_files() -> None:
    """The name of a process is its owner's choice, and so is how many files it holds open."""
    Tmux(BOB).start("idle")
    script = "import ctypes, os, resource, time\nctypes.CDLL(None).prctl(15, b'tmux: server', 0, 0, 0)\n"
    script += "for _ in range(900): os.dup(0)\nopen('%s/open', 'w')\ntime.sleep(3600)\n" % ALICE.home
    for _number in range(5):
        spawn(ALICE, sys.executable, "-c", script)
    eventually(lambda: os.path.exists(ALICE.home + "/open"), "they are open")
    with fake(ALICE, "silence", name=") R 1 1 1 tmux:\n") as path:
        result = prune(timeout="1s")
    assert removed(result) == [("bob", "idle")]
    assert at(result, path)["owner"] == "alice"


def test_a_user_who_stops_all_of_his_processes() -> None:
    """The client is hers from the moment its rights are dropped, and she may stop it before it even is a client."""
    Tmux(BOB).start("idle")
    server = Tmux(ALICE).start("work")
    stopper = "import os, signal\nwhile True:\n    try: os.kill(-1, signal.SIGSTOP)\n    except OSError: pass\n"
    pid = server.pid()
    processes: List[int] = [spawn(ALICE, sys.executable, "-c", stopper).pid]
    eventually(lambda: stopped(pid), "she has begun")
    results: List[Result] = []
    for _time in range(2):
        results += together([lambda: prune(timeout="1s", patterns=["idle"])] * 2)
    assert ("bob", "idle") in [one for result in results for one in removed(result)]
    assert all(at(result, server.path)["status"] == "hung" for result in results)
    assert alive(pid) and alive(processes[0])
