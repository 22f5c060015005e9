# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user says of processes and sockets concerns nobody but that user.

Every row that the kernel shows of a socket holds a path as it was given, and every pane's pid is what a server says.
"""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
from typing import Any, Callable, ContextManager, Dict, Iterator, List, Tuple

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    VAULT,
    Tmux,
    at,
    default_directory,
    directory,
    fake,
    info,
    module,
    prune,
    removed,
    spawn,
)
from ansible_collections.fleet.tmux.tests.attacks.test_fake_servers import HONEST, LISTS
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.processes import alive, every_pid
from ansible_collections.fleet.tmux.tests.support.programs import binaries
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually

# --- signals only to tmux (SIGUSR1 ends whoever does not expect it) ---------------------------------------------------

PROGRAM = """
import ctypes, os, signal, socket, sys
ctypes.CDLL(None).prctl(15, sys.argv[1].encode(), 0, 0, 0)
held = socket.socket(getattr(socket, sys.argv[2]))
if sys.argv[2] == "AF_UNIX":
    held.bind(sys.argv[3])
held.listen(1)
print(os.fstat(held.fileno()).st_ino, flush=True)
signal.pause()
"""
"""A program of that name with one listening socket, which tells the socket's inode."""

ROW = "0000000000000000: 00000002 00000000 00010000 0001 01 %s %s"


@contextlib.contextmanager
def program(account: Account, family: str, path: str = "") -> Iterator[Tuple["subprocess.Popen[bytes]", int]]:
    """A program that has nothing to do with tmux, and the inode of its socket."""
    words = [sys.executable, "-c", PROGRAM, "gunicorn: maste", family, path]
    process = spawn(account, *words, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


@contextlib.contextmanager
def forged(account: Account, row: str, name: str = "python") -> Iterator[None]:
    """A socket of that user's whose path holds a line that looks like a row of the kernel's table."""
    top = "/tmp/f\n" + row
    script = "import os, sys; os.makedirs(os.path.dirname(sys.argv[3])); "
    words = [sys.executable, "-c", script + PROGRAM, name, "AF_UNIX", top]
    process = spawn(account, *words, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert process.stdout.readline().strip().isdigit()
        yield
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


@pytest.mark.parametrize("check", [True, False], ids=["check", "real"])
@pytest.mark.parametrize("family", ["AF_INET", "AF_UNIX"])
@pytest.mark.parametrize("victim", [ROOT, BOB], ids=lambda account: account.name)
def test_a_forged_row_does_not_aim_a_signal(victim: Account, family: str, check: bool) -> None:
    path = os.path.join(default_directory(victim), "default")
    own = os.path.join(directory("/tmp/own", victim), "socket")
    with contextlib.ExitStack() as stack:
        process, inode = stack.enter_context(program(victim, family, own))
        stack.enter_context(forged(ALICE, ROW % (inode, path)))
        prune(recover_sockets=True, check=check)
        info(recover_sockets=True)
        assert process.poll() is None


@pytest.mark.parametrize("check", [True, False], ids=["check", "real"])
def test_a_program_that_lost_its_socket_gets_no_signal(check: bool) -> None:
    """For that nobody has to attack: it is only called like a server, and its socket was cleaned away."""
    path = os.path.join(directory("/tmp/own", BOB), "socket")
    with program(BOB, "AF_UNIX", path) as (process, _inode):
        os.unlink(path)
        result = prune(recover_sockets=True, check=check)
        assert process.poll() is None
    assert at(result, path)["status"] == "orphaned"
    assert "not recovered" in at(result, path)["reason"]


def test_a_program_called_tmux_that_expects_no_signal_gets_none() -> None:
    """Its file is called so too, and is its owner's."""
    folder = directory("/tmp/own", BOB)
    copy = os.path.join(folder, "tmux")
    with open(os.path.realpath(sys.executable), "rb") as stream, open(copy, "wb") as into:
        into.write(stream.read())
    os.chmod(copy, 0o755)
    path = os.path.join(folder, "socket")
    env = {"PYTHONHOME": sys.base_prefix, "PATH": os.environ["PATH"]}
    words = [copy, "-c", PROGRAM, "tmux: server", "AF_UNIX", path]
    process = spawn(BOB, *words, stdout=subprocess.PIPE, env=env)
    assert process.stdout is not None
    assert process.stdout.readline().strip().isdigit()
    os.unlink(path)
    result = prune(recover_sockets=True)
    assert process.poll() is None
    assert "not recovered" in at(result, path)["reason"]
    process.kill()
    process.communicate(timeout=PATIENCE)


def test_what_is_no_row_stops_nobody() -> None:
    Tmux(BOB).start("idle")
    with forged(ALICE, "a b c no-number e f 1 /x"):
        assert removed(prune()) == [("bob", "idle")]


def test_a_forged_row_of_a_genuine_server() -> None:
    """It cannot be told which of the two rows is the kernel's, so the server is left as it is, and told of."""
    server = Tmux(BOB).start("idle")
    with open("/proc/net/unix", encoding="ascii") as stream:
        (inode,) = [row.split()[6] for row in stream if row.split()[3] == "00010000" and row.split()[-1] == server.path]
    os.unlink(server.path)
    with forged(ALICE, ROW % (inode, "/tmp/tmux-41002/other")):
        result = prune(recover_sockets=True)
        assert [server["status"] for server in result["servers"]] == ["orphaned"]
        assert "not recovered" in result["servers"][0]["reason"]
        assert os.listdir("/tmp/tmux-41002") == []
    assert at(prune(recover_sockets=True), server.path)["status"] == "recovered"


def test_a_socket_comes_back_first_and_its_sessions_are_judged_by_the_next_run() -> None:
    server = Tmux(ALICE).start("idle")
    os.unlink(server.path)
    plan = prune(recover_sockets=True, check=True)
    assert not os.path.exists(server.path), "check mode signals nobody"
    assert "would be recovered" in at(plan, server.path)["reason"]
    done = prune(recover_sockets=True)
    assert server.names() == ["idle"]
    for result in (plan, done):
        assert at(result, server.path)["status"] == "recovered"
        assert (result["changed"], result["removed"], result["counts"]["looked_at"]) == (True, [], 0)
        assert result["warnings"] == []
    for check in (True, False):
        assert removed(prune(recover_sockets=True, check=check)) == [("alice", "idle")]


# --- whose place it is ------------------------------------------------------------------------------------------------


def elsewhere(account: Account, path: str) -> None:
    """A tmux server of that user at ``path``, in a mount namespace where /tmp is another (as any user may make one)."""
    inner = "mount -t tmpfs -o mode=1777 tmpfs /tmp && mkdir -p -m 777 %s && exec setpriv --reuid %d --regid %d "
    inner += "--clear-groups %s -S %s -f /dev/null new-session -d -s inside cat"
    script = inner % (os.path.dirname(path), account.uid, account.gid, binaries()[0], path)
    subprocess.run(["unshare", "--mount", "sh", "-c", script], check=True, env={"PATH": os.environ["PATH"]})


def made_and_ended(path: str) -> None:
    """Root makes a session at the path and prunes it, as if nobody else were there."""
    assert prune(socket_path=path)["counts"]["servers"] in (0, 1)
    made = module("tmux_session", socket_path=path, name=["job"], argv=["cat"])
    assert [item["name"] for item in made.get("created", [])] == ["job"], made
    assert [name for _owner, name in removed(prune(socket_path=path))] == ["job"]


@pytest.mark.parametrize("account", [ALICE, ROOT], ids=lambda account: account.name)
@pytest.mark.parametrize("path", [VAULT + "/socket", "/tmp/tmux-0/default", "/tmp/tmux-41002/default"])
def test_a_path_that_means_something_else_elsewhere(path: str, account: Account) -> None:
    """A server in a container makes no path of the host its own, not even for the same user."""
    if not path.startswith(VAULT):
        default_directory(ROOT if path.startswith("/tmp/tmux-0/") else BOB)
    elsewhere(account, path)
    eventually(lambda: [one for one in info()["servers"] if one["status"] == "foreign"], "it runs elsewhere")
    made_and_ended(path)


def test_who_runs_tmux_only_in_a_container_works_on_the_host_as_ever() -> None:
    """Without root too: her server in there is seen, and is not in the way."""
    default_directory(ALICE)
    elsewhere(ALICE, "/tmp/tmux-41001/default")
    seen = module("tmux_session_info", ALICE, users=["alice"])
    assert [server["status"] for server in seen["servers"]] == ["foreign"] and not seen.get("failed")
    gone = module("tmux_session", ALICE, name=["job"], state="absent")
    assert not gone.get("failed") and not gone["changed"]
    choices: List[Dict[str, Any]] = [{}, {"users": ["alice"]}]
    for whose in choices:
        empty = module("tmux_session_prune", ALICE, idle="1s", protect=[], **whose)
        assert not empty.get("failed") and not empty["changed"]
        made = module("tmux_session", ALICE, name=["job"], argv=["cat"])
        assert [item["name"] for item in made.get("created", [])] == ["job"], made
        assert removed(module("tmux_session_prune", ALICE, idle="1s", protect=[], **whose)) == [("alice", "job")]


def test_a_server_with_process_ids_of_its_own() -> None:
    """What it tells of its panes are pids of other processes here."""
    server = Tmux(BOB)
    script = "%s -S %s -f /dev/null new-session -d -s idle cat; exec sleep 3600" % (server.binary, server.path)
    setpriv = ["setpriv", "--reuid", str(BOB.uid), "--regid", str(BOB.gid), "--clear-groups", "sh", "-c", script]
    with subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", *setpriv]) as world:
        try:
            eventually(server.names, "it has its session")
            result = prune()
            assert (at(result, server.path)["status"], removed(result)) == ("foreign", [])
            gone = module("tmux_session", socket_path=server.path, name=["idle"], state="absent")
            assert gone["failed"] and "name another socket (socket_name)" in gone["msg"]
            assert "name another socket (socket_name)" in prune(socket_path=server.path)["msg"]
        finally:
            world.kill()


def test_a_forged_row_that_names_the_path_of_another() -> None:
    path = VAULT + "/socket"
    with contextlib.ExitStack() as stack:
        _process, inode = stack.enter_context(program(ALICE, "AF_UNIX", ALICE.home + "/socket"))
        stack.enter_context(forged(ALICE, ROW % (inode, path)))
        made_and_ended(path)


def test_ones_own_orphan_is_no_place_for_another_server() -> None:
    """That is what the look at processes is for, and it stays."""
    server = Tmux(ALICE).start("idle")
    os.unlink(server.path)
    for folder in (True, False):
        if not folder:
            os.rmdir(os.path.dirname(server.path))
        made = module("tmux_session", socket_path=server.path, name=["job"], argv=["cat"])
        assert made["failed"] and "orphaned" in made["msg"]


# --- whose processes they are -----------------------------------------------------------------------------------------

STAYS = dict(HONEST, session_attached="1")
KEEPING: Dict[str, Any] = {"idle": "1s", "protect": ["attached"]}


def lingering(server: Tmux, number: int, script: str = "setsid sleep %d & exec cat") -> int:
    """A session of which something lives on; its pid."""
    server("-f", "/dev/null", "new-session", "-d", "-s", "idle", "--", "sh", "-c", script % number)
    (pid,) = eventually(lambda: sleeping(number), "it sleeps")
    return int(pid)


def sleeping(number: int) -> "list[int]":
    found = []
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError), open("/proc/%s/cmdline" % name, "rb") as handle:
            if handle.read().split(b"\0")[:2] == [b"sleep", b"%d" % number]:
                found.append(int(name))
    return found


def survivors(result: Dict[str, Any], owner: str) -> "list[Tuple[int, str]]":
    (item,) = [item for item in result["removed"] if item["owner"] == owner]
    return [(each["pid"], each["result"]) for each in item["survivors"]]


@pytest.mark.parametrize("lie", ["first", "neighbour", "server"])
def test_a_pane_of_one_shields_no_process_of_another(lie: str) -> None:
    """A server may say of any process that it runs in a pane that stays, and of itself that it is another."""
    bob = Tmux(BOB).start("kept")
    pid = lingering(bob, 8100, "trap '' HUP; exec sleep %d") if lie == "server" else lingering(bob, 8100)
    lies = {"pane_pid": "1" if lie == "first" else str(pid), "pid": str(bob.pid()) if lie == "server" else "1"}
    with fake(ALICE, "lie", values=dict(STAYS, **lies), answers=LISTS):
        result = prune(survivors="terminate", grace_period="5s", excludes=["kept"], **KEEPING)
    assert survivors(result, "bob") == [(pid, "terminated")]
    eventually(lambda: not alive(pid), "it ends")


@pytest.mark.parametrize("victim", [BOB, ALICE], ids=lambda account: account.name)
def test_a_process_that_is_not_its_own_is_never_told_of_as_such(victim: Account) -> None:
    """Nor one of the same user's that its server did not start."""
    other = spawn(victim, "sleep", "3600")
    values = dict(HONEST, session_id="$1", window_id="@1", pane_id="%1", pane_pid=str(other.pid), session_name="idle")
    values["@fleet_tmux_notice"] = ""
    with fake(ALICE, "lie", values=values, answers=LISTS):
        seen = info(include=["processes"])
    with fake(ALICE, "lie", values=values, answers=LISTS, vanishes=True):
        result = prune(survivors="terminate", grace_period="0s")
    assert result["removed"] == [] and [item["reason"] for item in result["kept"]] == ["unknown"]
    assert result["freed"] == {"processes": 0, "bytes": 0}
    panes = [pane for item in seen["sessions"] for window in item["windows"] for pane in window["panes"]]
    assert [pane["processes"] for pane in panes] == [[]]
    assert other.poll() is None


def as_root(words: str) -> str:
    """A command of a user that is done as root, as with sudo."""
    (program,) = [path for path in ("/usr/bin/setpriv", "/bin/setpriv") if os.path.realpath(path) == path]
    copy = tempfile.mkdtemp(dir="/tmp") + "/sudo"
    os.chmod(os.path.dirname(copy), 0o755)
    with open(program, "rb") as stream, open(copy, "wb") as into:
        into.write(stream.read())
    os.chmod(copy, 0o4755)
    return "%s --reuid 0 --regid 0 --clear-groups %s" % (copy, words)


def test_the_work_of_root_in_a_users_pane_is_live_work_and_never_ended() -> None:
    """``sudo make install``: it protects the session it was begun in, wherever it went, for nobody looks into it."""
    bob = Tmux(BOB)
    bob(
        "-f",
        "/dev/null",
        "new-session",
        "-d",
        "-s",
        "install",
        "--",
        "sh",
        "-c",
        as_root("dd if=/dev/zero of=/dev/null") + "; cat",
    )
    bob("new-session", "-d", "-s", "idle", "--", "sh", "-c", as_root("setsid sleep 8200") + " & exec cat")
    (pid,) = eventually(lambda: sleeping(8200), "root sleeps")
    eventually(lambda: os.stat("/proc/%d" % pid).st_uid == 0, "it is root's")
    eventually(lambda: any(map(copies_as_root, every_pid())), "and so is the other")
    result = prune(protect=["busy"], survivors="terminate", grace_period="0s")
    assert {item["name"]: item["reason"] for item in result["kept"]} == {"install": "unknown", "idle": "unknown"}
    assert alive(pid)


def copies_as_root(pid: int) -> bool:
    try:
        with open("/proc/%d/comm" % pid, "rb") as handle:
            return handle.read() == b"dd\n" and os.fstat(handle.fileno()).st_uid == 0
    except OSError:
        return False


def spent(attack: Callable[[int], ContextManager[object]], times: int, **how: Any) -> float:
    """The CPU time of a run beside an attack of that size; the honest user's session is removed as ever."""
    Tmux(BOB).start("idle")
    with attack(times):
        begun = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = prune(**how)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ("bob", "idle") in removed(result)
    return ended.ru_utime - begun.ru_utime + ended.ru_stime - begun.ru_stime


def sharing_sessions(times: int) -> ContextManager[object]:
    return fake(ALICE, "lie", values=dict(HONEST), answers=LISTS, rows=250 * times, family=250 * times)


CROWD = """
import ctypes, os, resource, signal, socket, sys
number, files = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (files + 100, files + 100))
ctypes.CDLL(None).prctl(15, b"tmux", 0, 0, 0)
held = socket.socket(socket.AF_UNIX)
for one in range(files):
    os.dup(held.fileno())
children = []
for one in range(number):
    children.append(os.fork())
    if not children[-1]:
        signal.pause()
print("ready", flush=True)
signal.pause()
"""


@contextlib.contextmanager
def sharing_processes(times: int) -> Iterator[None]:
    words = [sys.executable, "-c", CROWD, str(100 * times), str(750 * times)]
    with spawn(ALICE, *words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("attack", [sharing_sessions, sharing_processes])
def test_what_is_shared_is_not_looked_at_for_each_of_those_that_share_it(
    attack: Callable[[int], ContextManager[object]],
) -> None:
    """Sessions a pane, or processes their open files: four times as many of each take no more than so much longer."""
    assert spent(attack, 4, protect=["busy"]) < 8 * spent(attack, 1, protect=["busy"])


def test_it_is_not_looked_at_either_who_is_out_of_scope() -> None:
    few, many = (spent(sharing_processes, times, users=["bob"]) for times in (1, 4))
    assert many < 3 * few
