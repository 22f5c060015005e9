# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What 0, 1, 5, 20 and 60 hostile users of each kind cost a run of tmux_session_prune; prints a table.

    python tests/support/namespaces.py python tests/attacks/figures.py [--users 0,1,5,20,60] [KIND ...]

Each cell is one run beside an honest user: its seconds, its memory at its highest with all of its children, and the
size of its result. That his idle sessions were removed, the others kept, and all of them told of, is judged every time;
a cell in which that did not hold says so.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
from typing import Any, Callable, Dict, Iterator, List, Sequence

from ansible_collections.fleet.tmux.tests.attacks import fake_server, honest, realm
from ansible_collections.fleet.tmux.tests.attacks.honest import Cost, Honest, measured
from ansible_collections.fleet.tmux.tests.attacks.realm import spawn
from ansible_collections.fleet.tmux.tests.attacks.test_fake_servers import HONEST, LISTS
from ansible_collections.fleet.tmux.tests.attacks.test_silent_files import WORDS, device
from ansible_collections.fleet.tmux.tests.support import namespaces
from ansible_collections.fleet.tmux.tests.support.namespaces import ROOT, Account

ARCHIVE = "/tmp/archive"
NOTIFY = "/tmp/notify"
OPTIONS: Dict[str, Any] = {"idle": "1s", "protect": honest.PROTECT, "all_users": True, "timeout": "1s"}
WITH_NOTICE = dict(OPTIONS, notice="1h", notify_command=[NOTIFY])
WITH_SNAPSHOTS = dict(OPTIONS, snapshot_dir=ARCHIVE, snapshot_keep={"count": 5})
Attack = Callable[[Account], Iterator["subprocess.Popen[bytes]"]]


def served(account: Account, mode: str, number: int = 0, **settings: Any) -> "subprocess.Popen[bytes]":
    path = "/tmp/tmux-%d/%s-%d" % (account.uid, mode, number)
    if settings.get("message"):
        settings["message"] %= path
    return ready(account, fake_server.__file__, path, mode, json.dumps(settings))


def ready(account: Account, *words: str) -> "subprocess.Popen[bytes]":
    """A program of Python that prints a line when all is in place."""
    return spawn(account, sys.executable, *words, stdout=subprocess.PIPE)


Values = Dict[str, str]


def listing(account: Account, rows: int, values: Values, number: int = 0, **more: Any) -> "subprocess.Popen[bytes]":
    """A server that lists so many sessions, and ends with them when it is told to."""
    fields = dict(HONEST, pane_dead="0", window_active="1", window_index="0", pane_active="1", pane_index="0")
    fields.update({"@fleet_tmux_notice": ""}, **values)
    if "pane_pid" not in values:
        more["family"] = 1
    return served(account, "lie", number, values=fields, answers=LISTS, rows=rows, ends=True, **more)


def silent(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """A server that never answers."""
    yield served(account, "silence")


def absent(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """Five servers that say that there is none, and live."""
    for number in range(5):
        yield served(account, "exit", number, code=1, message="no server running on %s")


def slow(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """Five servers that take nine tenths of the time limit for each answer."""
    waits = dict.fromkeys(("list-sessions", "if-shell", "source-file"), 0.9)
    for number in range(5):
        yield listing(account, 20, {}, number, waits=waits)


def clocks(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """Twenty sessions whose clocks have 4,301 characters."""
    names = [name for name in HONEST if name.endswith(("_created", "_activity", "_attached", "start_time"))]
    yield listing(account, 20, dict.fromkeys(names, "-" + "9" * 4300))


def shared(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """2,000 sessions that share a window."""
    yield listing(account, 2000, {"window_id": "@1", "pane_id": "%1", "session_group": "one"})


def first(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """4,000 sessions in whose panes is process 1."""
    yield listing(account, 4000, {"pane_pid": "1"})


def idle(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """1,000 idle sessions."""
    yield listing(account, 1000, {})


def keep(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """1,000 sessions with @keep."""
    yield listing(account, 1000, {"@keep": "on"})


PROCESSES = """
import os, subprocess, sys, time
os.environ.update(TMUX="/tmp/tmux-%d/lie-0,1,$0" % os.getuid(), TMUX_PANE="%0")
for _number in range(100):
    subprocess.Popen(["tmux: server", "3600"], executable="/bin/sleep")
print("ready", flush=True)
time.sleep(3600)
"""


def processes(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """An idle session, and 100 processes that say that they run in it."""
    yield listing(account, 1, {})
    yield ready(account, "-c", PROCESSES)


SOCKETS = """
import ctypes, os, socket, time
ctypes.CDLL(None).prctl(15, b"tmux: server", 0, 0, 0)
kept = []
for number in range(900):
    kept.append(socket.socket(socket.AF_UNIX))
    kept[-1].bind("/tmp/tmux-%d/%d" % (os.getuid(), number))
    kept[-1].listen(1)
print("ready", flush=True)
time.sleep(3600)
"""


def sockets(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """A process called tmux that listens at 900 sockets."""
    yield ready(account, "-c", SOCKETS)


STOP = """
import os, signal, time
print("ready", flush=True)
while True:
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/comm" % name) as handle:
                if os.stat("/proc/" + name).st_uid == os.getuid() and handle.read() == "notify\\n":
                    os.kill(int(name), signal.SIGSTOP)
        except OSError:
            pass
    time.sleep(0.02 + len(os.listdir("/proc")) / 2000)
"""


def notify(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """Three servers with idle sessions, and notify_command is stopped whenever it runs as this user."""
    for number in range(3):
        yield listing(account, 3, {}, number)
    yield ready(account, "-c", STOP)


NEST = """
import os, random, sys, time
from ansible_collections.fleet.tmux.tests.attacks import hostile
draw = random.Random(1)
for number in range(100):
    hostile.snapshot(draw, "%s/20200101T000000Z-x-%d" % (sys.argv[1], number))
print("ready", flush=True)
time.sleep(3600)
"""


def snapshots(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """Nonsense in the folder of one's snapshots, and a session with 15 MB of environment and of text."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(ARCHIVE, 0o755)
    yield ready_there(account, realm.directory(os.path.join(ARCHIVE, account.name), account))
    huge = {"show-environment": ['X="1"; export X;\n', 4 * 10**5], "capture-pane": ["x" * 79 + "\n", 2 * 10**5]}
    yield listing(account, 1, {}, says=huge)


def ready_there(account: Account, folder: str) -> "subprocess.Popen[bytes]":
    env = dict(realm.environment(account), PYTHONPATH=os.environ["PYTHONPATH"], PYTHONDONTWRITEBYTECODE="1")
    return spawn(account, sys.executable, "-c", NEST, folder, env=env, stdout=subprocess.PIPE)


def exec_(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that never finishes exec, so that whoever reads of it waits in the kernel."""
    place = realm.directory(os.path.join(account.home, "silent"), account)
    words = [sys.executable, *WORDS[1:], device(), place, str(account.uid), "exec", "tmux: server"]
    yield spawn(ROOT, *words, stdout=subprocess.PIPE)  # Who mounts is root, and becomes that user.


def folder(account: Account) -> Iterator["subprocess.Popen[bytes]"]:
    """A socket on a file system that never answers, so that whoever looks waits and cannot be ended."""
    place = "/tmp/tmux-%d" % account.uid
    yield served(account, "silence")
    yield spawn(ROOT, sys.executable, *WORDS[1:], device(), place, str(account.uid), "all", stdout=subprocess.PIPE)


ATTACKS: Dict[Attack, Dict[str, Any]] = {
    silent: OPTIONS,
    absent: OPTIONS,
    slow: OPTIONS,
    clocks: OPTIONS,
    shared: OPTIONS,
    first: OPTIONS,
    idle: OPTIONS,
    keep: OPTIONS,
    processes: OPTIONS,
    sockets: OPTIONS,
    notify: WITH_NOTICE,
    snapshots: WITH_SNAPSHOTS,
    exec_: OPTIONS,
    folder: OPTIONS,
}
"""What hostile users do, and how the module is called."""


def run(attack: Attack, users: int) -> str:
    """One cell of the table."""
    realm.end_everything()
    realm.furnish()
    realm.write(NOTIFY, "#!/bin/sh\nexit 0\n", ROOT, 0o755)
    attackers = [Account(str(uid), uid, uid, "/tmp/home/%d" % uid) for uid in range(41100, 41100 + users)]
    started: List["subprocess.Popen[bytes]"] = []
    for account in attackers:
        realm.directory(account.home, account)
        realm.default_directory(account)
        started += attack(account)
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline(), attack.__name__
    user = Honest()
    try:
        options = ATTACKS[attack]
        result, cost = measured("tmux_session_prune", **options)
        expected = user.expected(("marked" if "notice" in options else "removed", "idle"))
        told = user.told(result)
        left = [name for name, (where, _reason) in expected.items() if where != "removed"]
        right = told == expected and sorted(user.tmux.names()) == sorted(left)
        return cell(cost) + ("" if right else " **WRONG: %s**" % (result.get("msg") or detail(user, result)))
    finally:
        user.close()
        realm.end_everything()
        for account in attackers:
            for place in (os.path.join(account.home, "silent"), "/tmp/tmux-%d" % account.uid):
                umount = ["umount", "--quiet", "--lazy", place]
                subprocess.run(umount, stderr=subprocess.DEVNULL, check=False)  # Most of them are no mounts.


def detail(user: Honest, result: Dict[str, Any]) -> List[str]:
    """What is said of the honest user's idle sessions, when it is wrong."""
    every = [item for where in ("removed", "kept", "not_done") for item in result[where]]
    return ["%s: %s" % (item["name"], item["detail"]) for item in every if item["name"] in user.idle]


def cell(cost: Cost) -> str:
    return "%.1f s, %d MB, %d kB" % (cost.seconds, cost.memory >> 20, (cost.size + 1023) >> 10)


def main(arguments: Sequence[str]) -> int:
    known = {attack.__name__.strip("_"): attack for attack in ATTACKS}
    parser = argparse.ArgumentParser(description="What hostile users cost a run.")
    parser.add_argument("--users", default="0,1,5,20,60", help="how many (default: %(default)s)")
    parser.add_argument("kinds", nargs="*", help="of: %s (default: all)" % ", ".join(known))
    asked = parser.parse_args(arguments)
    if not namespaces.entered():
        sys.exit("it attacks root, in a world of its own: python tests/support/namespaces.py python " + sys.argv[0])
    counts = [int(count) for count in asked.users.split(",")]
    print("| each of them has | %s |" % " | ".join("%d users" % count for count in counts))
    print("|---|%s" % ("---|" * len(counts)), flush=True)
    wrong = False
    alone: Dict[str, str] = {}
    for name in asked.kinds or known:
        print("| %s" % str(known[name].__doc__).rstrip("."), end="", flush=True)
        called = json.dumps(ATTACKS[known[name]])
        for count in counts:
            found = alone.get(called, "") if count == 0 else ""
            found = found or run(known[name], count)
            if count == 0:
                alone[called] = found  # Nobody is there, whatever they would do.
            wrong = wrong or "WRONG" in found
            print(" | " + found, end="", flush=True)
        print(" |", flush=True)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
