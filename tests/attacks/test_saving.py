# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user puts into the directory of his snapshots, or has saved, while root saves and tidies for all.

Seen to succeed against the code before: with Python 3.11, 3,000 nested directories ended the run after the removals,
for ever (3.13 goes down in another way); a link on the way, and a directory of hers, had root make directories in
there; `.incoming` of hers was used; more files than anybody has were all looked at; options of bad bytes, and a long
history, kept a session from being removed at all. What is mounted, and what lies in the place of a snapshot, came to
nothing then too.
"""

import json
import os
import resource
import socket
import stat
import subprocess
import sys
from typing import Any, Callable, Dict, List, Tuple

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    SECRET,
    VAULT,
    Result,
    Tmux,
    directory,
    in_vault,
    prune,
    removed,
    run_as,
    spawn,
    write,
)
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

PLACE = "/tmp/snapshots"
OLD = "20200101T000000Z-old"
MIB = 1024 * 1024


def save(check: bool = False, **more: Any) -> Result:
    more.setdefault("snapshot_dir", PLACE)
    return prune(check=check, **more)


def folder(account: Account) -> str:
    """The directory of a user's snapshots, as a run of root has made it."""
    path = os.path.join(PLACE, account.name)
    if not os.path.isdir(PLACE):
        os.mkdir(PLACE, 0o755)
    return path if os.path.isdir(path) else directory(path, account)


def old_one(account: Account, name: str = OLD) -> str:
    path = directory(os.path.join(folder(account), name), account)
    write(os.path.join(path, "session.json"), '{"format": 1}\n', account)
    return path


def whole(account: Account) -> List[str]:
    """The names of the sessions that were saved."""
    found = []
    for name in os.listdir(folder(account)):
        path = os.path.join(folder(account), name, "session.json")
        if name > OLD and os.path.isfile(path):
            with open(path, encoding="ascii") as stream:
                found.append(json.load(stream)["name"])
    return sorted(found)


def both(*names: str) -> None:
    for account in (ALICE, BOB):
        Tmux(account).start(*(names or ("idle",)))


def went_well(result: Result) -> None:
    """Bob's session was saved and removed, his old snapshot has gone, and the task did not fail."""
    assert not result.get("failed"), result
    assert ("bob", "idle") in removed(result), result
    assert whole(BOB) == ["idle"] and not os.path.exists(os.path.join(folder(BOB), OLD))
    assert os.listdir(os.path.join(PLACE, ".incoming")) == []


KEEP: Dict[str, Any] = {"snapshot_keep": {"age": "1d"}}
NEST = (
    "import os, sys\nos.chdir(sys.argv[1])\nfor _ in range(3000):\n    os.mkdir('d')\n    os.chdir('d')\nopen('f', 'w')"
)


def test_directories_in_directories() -> None:
    """Before, a RecursionError; nobody's old snapshots went any more."""
    both()
    for account in (ALICE, BOB):
        old_one(account)
    assert run_as(ALICE, sys.executable, "-c", NEST, os.path.join(folder(ALICE), OLD)).returncode == 0
    result = save(**KEEP)
    went_well(result)
    assert whole(ALICE) == ["idle"] and not os.path.exists(os.path.join(folder(ALICE), OLD))
    assert [item["reason"] for item in result["removed"]] == ["idle", "idle"]


def test_more_files_than_anybody_has() -> None:
    both()
    for account in (ALICE, BOB):
        old_one(account)
    script = "import os, sys\nfor n in range(25000): os.mkfifo('%s/20200101T000000Z-%d' % (sys.argv[1], n))"
    assert run_as(ALICE, sys.executable, "-c", script, folder(ALICE)).returncode == 0
    result = save(**KEEP)
    went_well(result)
    assert any("alice" in warning and "20000" in warning for warning in result["warnings"]), result["warnings"]
    assert whole(ALICE) == ["idle"]


def test_more_files_than_one_run_removes() -> None:
    """What is left of them goes in the next ones."""
    both()
    for account in (ALICE, BOB):
        old_one(account)
    inside = os.path.join(folder(ALICE), OLD)
    script = "import sys\nfor n in range(25000): open('%s/%d' % (sys.argv[1], n), 'w')"
    assert run_as(ALICE, sys.executable, "-c", script, inside).returncode == 0
    assert not save(**KEEP).get("failed")
    assert whole(ALICE) == whole(BOB) == ["idle"] and not os.path.exists(inside)
    both()
    assert not save(**KEEP).get("failed")
    assert os.listdir(os.path.join(PLACE, ".incoming")) == []


def bound(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)


def inside(make: Callable[[str], object]) -> Callable[[str], None]:
    """In the place of the file in a directory."""

    def made(path: str) -> None:
        directory(path, ALICE)
        make(os.path.join(path, "session.json"))

    return made


KINDS: Dict[str, Callable[[str], object]] = {
    "fifo": os.mkfifo,
    "socket": bound,
    "device": lambda path: os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5)),
    "link": lambda path: os.symlink(VAULT, path),
    "file": lambda path: write(path, "{}", ALICE),
    "new\nline": lambda path: directory(path, ALICE),
    "\x1b[2J": lambda path: directory(path, ALICE),
    "in-fifo": inside(os.mkfifo),
    "in-link": inside(lambda path: os.symlink(VAULT + "/secret", path)),
    "in-folder": inside(os.mkdir),
    "hard": lambda path: os.link(os.path.join(VAULT, "secret"), path),
}


def test_whatever_lies_in_the_place_of_a_snapshot() -> None:
    both()
    for account in (ALICE, BOB):
        old_one(account)
    place = folder(ALICE)
    for kind, make in KINDS.items():
        make(os.path.join(place, "20200101T000000Z-" + kind))
    within = old_one(ALICE, "20190101T000000Z-within")
    os.symlink(VAULT, os.path.join(within, "link"))
    os.link(os.path.join(VAULT, "secret"), os.path.join(within, "hard"))
    directory(os.path.join(within, "closed"), ALICE, 0o000)
    went_well(save(**KEEP))
    left = {"20200101T000000Z-" + kind for kind in KINDS}
    assert {name for name in os.listdir(place) if name in left} == left, "what is no snapshot stays"
    assert not os.path.exists(within) and in_vault() == []
    with open(os.path.join(VAULT, "secret"), encoding="utf-8") as stream:
        assert stream.read() == SECRET


def test_a_directory_that_becomes_a_link_all_the_time() -> None:
    """Her old snapshot is exchanged for bob's directory, and back, while root removes it."""
    precious = old_one(BOB, "29990101T000000Z-precious")
    place = folder(ALICE)
    exchange = """
import os, sys
place, aim = sys.argv[1:]
number = 0
while True:
    number += 1
    path = "%s/20200101T000000Z-%d" % (place, number % 50)
    try:
        os.mkdir(path)
        with open(path + "/session.json", "w") as stream:
            stream.write('{"format": 1}')
        os.rename(path, path + ".real")
        os.symlink(aim, path)
        os.unlink(path)
        os.rename(path + ".real", path)
    except OSError:
        pass
"""
    os.chmod(folder(BOB), 0o755)
    exchanging = spawn(ALICE, sys.executable, "-c", exchange, place, folder(BOB))
    eventually(lambda: len(os.listdir(place)) > 20, "the exchange begins")
    for _time in range(5):
        both()
        result = save(**KEEP)
        assert not result.get("failed") and ("bob", "idle") in removed(result), result
    exchanging.kill()
    assert os.listdir(precious) == ["session.json"] and in_vault() == []


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("below", ["", "/sub/snapshots"])
def test_a_link_on_the_way(check: bool, below: str) -> None:
    """Before, root made directories at its target, and then refused it."""
    both()
    for aim in (VAULT, "/tmp/nothing", directory("/tmp/hers", ALICE)):
        os.symlink(aim, "/tmp/link")
        os.lchown("/tmp/link", ALICE.uid, ALICE.gid)
        result = save(check, snapshot_dir="/tmp/link" + below)
        assert result.get("failed") and "snapshot_dir" in result["msg"], result
        assert in_vault() == [] and not os.path.lexists("/tmp/nothing") and os.listdir("/tmp/hers") == []
        assert removed(result) == []
        os.unlink("/tmp/link")
    assert Tmux(ALICE).names() == Tmux(BOB).names() == ["idle"]


@pytest.mark.parametrize("owner", [ALICE, ROOT], ids=["hers", "open to all"])
def test_a_directory_that_was_there_first(owner: Account) -> None:
    both()
    path = directory("/tmp/first", owner, 0o777)
    for check in (True, False):
        for below in ("", "/sub/snapshots"):
            result = save(check, snapshot_dir=path + below)
            assert result.get("failed") and "snapshot_dir" in result["msg"], result
    assert os.listdir(path) == []


def test_in_the_place_where_only_root_may_enter() -> None:
    both()
    os.mkdir(PLACE, 0o755)
    directory(PLACE + "/.incoming", ALICE, 0o777)
    result = save()
    assert removed(result) == [] and "ours alone" in str(result), result
    os.rmdir(PLACE + "/.incoming")
    os.symlink(VAULT, PLACE + "/.incoming")
    assert removed(save()) == [] and in_vault() == []


def test_something_that_was_mounted_there() -> None:
    """Whoever may mount a file system of his own there decides whether it answers."""
    both()
    for account in (ALICE, BOB):
        old_one(account)
    mounts = [folder(ALICE), old_one(ALICE, "20190101T000000Z-mounted")]
    for path in reversed(mounts):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "uid=41001,mode=0700", "tmpfs", path], check=True)
    try:
        result = save(**KEEP)
        assert ("bob", "idle") in removed(result) and ("alice", "idle") not in removed(result)
        (kept,) = [item for item in result["not_done"] if item["owner"] == "alice"]
        assert kept["reason"] == "not_saved" and "mounted" in kept["detail"]
        assert whole(BOB) == ["idle"] and os.listdir(mounts[0]) == []
    finally:
        subprocess.run(["umount", "-l", *mounts], check=False)


def greatest() -> int:
    """Bytes of memory that the largest of all processes had that we have started, and those that they have."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def size_of(account: Account) -> int:
    every = (os.path.join(at, name) for at, _folders, names in os.walk(folder(account)) for name in names)
    return sum(os.lstat(path).st_size for path in every)


@pytest.mark.parametrize("what", ["variables", "options", "title"])
def test_much_to_save(what: str) -> None:
    """As the review has seen it, variables of 15 MB took 1.6 GB of memory, and options of bad bytes 150 MiB of disk.

    tmux reads so much for a minute, so there is less here.
    """
    both("idle")
    server = Tmux(ALICE)
    before = greatest()
    value = "\\376" * 15000 if what == "options" else "x" * 15000
    line = {"variables": 'set-environment -t idle V%d "%s"\n', "options": 'set-option -t idle @o%d "%s"\n'}
    path = os.path.join(ALICE.home, "much")
    text = "".join(line[what] % (number, value) for number in range(300)) if what in line else ""
    write(path, text or 'select-pane -t idle -T "%s"\n' % value, ALICE)
    server("source-file", path)
    result = save()
    assert removed(result) == [("alice", "idle"), ("bob", "idle")], result
    assert size_of(ALICE) < 2 * MIB
    assert greatest() - before < 200 * MIB
    details = {item["owner"]: item["detail"] for item in result["removed"]}
    assert ("saved without %s beyond" % what in details["alice"]) == (what != "title")
    assert "saved without" not in details["bob"]


def test_a_long_history() -> None:
    """Before, a history of more than 16 MiB was never saved, so that its session stayed for ever."""
    server = Tmux(ALICE).start("first")
    Tmux(BOB).start("idle")
    server("set-option", "-g", "history-limit", "400000")
    script = "import sys\nfor n in range(350000): print('%d %s' % (n, 'x' * 60))\nprint('E-N-D')\nsys.stdin.read()"
    server("new-session", "-d", "-s", "long", "-x", "80", "-y", "24", "--", sys.executable, "-c", script)
    eventually(lambda: "E-N-D" in server("capture-pane", "-p", "-t", "=long:"), "it has printed")
    result = save()
    assert removed(result) == [("alice", "first"), ("alice", "long"), ("bob", "idle")], result
    (item,) = [item for item in result["removed"] if item["name"] == "long"]
    assert "saved without the oldest" in item["detail"], item
    text = os.path.join(item["snapshot"], next(n for n in os.listdir(item["snapshot"]) if n.endswith(".txt")))
    with open(text, encoding="ascii") as stream:
        lines = stream.read().rstrip("\n").split("\n")
    assert lines[-1] == "E-N-D" and lines[-2].startswith("349999 ") and 50000 < len(lines) < 300000
    with open(os.path.join(item["snapshot"], "session.json"), encoding="ascii") as stream:
        (said,) = json.load(stream)["left_out"]
    assert abs(int(said.split()[2]) + len(lines) - 350024) < 30, said


def test_whose_what_is() -> None:
    """As documented: the place and what is half done are root's, all else is its owner's, and nobody's else to read."""
    both()
    save()
    found: Dict[Tuple[str, int, int, int], List[str]] = {}
    for at, folders, names in os.walk(PLACE):
        for name in [*folders, *names]:
            status = os.lstat(os.path.join(at, name))
            kind = "file" if name in names else "folder"
            found.setdefault((kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid), []).append(name)
    top = os.lstat(PLACE)
    assert (stat.S_IMODE(top.st_mode), top.st_uid) == (0o755, 0)
    assert found.pop(("folder", 0o700, 0, 0)) == [".incoming"]
    for account in (ALICE, BOB):
        own, inside = found.pop(("folder", 0o700, account.uid, account.gid))
        assert own == account.name and inside.endswith(tuple("0123456789abcdef"))
        assert len(found.pop(("file", 0o600, account.uid, account.gid))) == 2
        assert found.pop(("file", 0o700, account.uid, account.gid)) == ["restore"]
    assert found == {}


CALLS_ITSELF_SERVER = """
import ctypes, time
ctypes.CDLL(None).prctl(15, b"tmux: server", 0, 0, 0)
time.sleep(100000)
"""


def test_a_program_that_calls_itself_as_its_server_does() -> None:
    """It looks like one that is just to become what writes a log, and never becomes it."""
    tmux = Tmux(ALICE).start("first", "second", "third")
    tmux("new-session", "-d", "-s", "odd", "--", sys.executable, "-c", CALLS_ITSELF_SERVER)
    for name in ("first", "second", "third"):
        tmux("pipe-pane", "-t", name + ":", "cat >/dev/null")
        tmux("set-option", "-F", "-t", name, "@fleet_tmux_log", "#{pane_id} 0 /tmp/log ")
    assert removed(save(patterns=["first", "second", "third"])) == [
        ("alice", "first"),
        ("alice", "second"),
        ("alice", "third"),
    ]
