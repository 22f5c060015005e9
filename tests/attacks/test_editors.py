# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an editor leaves in files is looked at with its user's rights, whatever that user puts in their place."""

import os
import subprocess
import sys

from ansible_collections.fleet.tmux.tests.attacks.realm import Tmux, directory, prune, removed, spawn
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

POLICY = {"idle": "1s", "protect": ["unsaved"]}


def lock(path: str, pid: int) -> str:
    """Make a lock file of a nano in which nothing was typed, that only root may read: its path."""
    with open(path, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write((b"b0nano 7.2".ljust(24, b"\0") + pid.to_bytes(4, "little")).ljust(1024, b"\0"))
    return path


def nano(tmux: Tmux, path: str) -> int:
    """A session with a program of that name, which was given that file: its pid."""
    folder = directory("/tmp/programs", ALICE, 0o755)
    os.symlink(os.path.realpath(sys.executable), folder + "/nano")
    words = [folder + "/nano", "-SEIs", "-cimport time; time.sleep(100000)", path]
    tmux("-f", "/dev/null", "new-session", "-d", "-s", "edits", "-x", "80", "-y", "24", "--", *words)
    return int(tmux("display-message", "-p", "-t", "edits", "#{pane_pid}"))


def is_unknown() -> bool:
    """Whether it is kept because of what could not be read; until it is old enough it is for its age."""
    (item,) = prune(**POLICY)["kept"]
    assert item["reason"] in ("active", "unknown"), item
    return bool(item["reason"] == "unknown" and "Permission denied" in item["detail"])


def test_where_an_editors_user_may_not_look_root_does_not_either() -> None:
    hidden = directory("/tmp/hidden", ROOT)
    tmux = Tmux(ALICE)
    pid = nano(tmux, hidden + "/notes.txt")
    path = lock(hidden + "/.notes.txt.swp", pid)
    eventually(is_unknown, "it is kept: its user may not look there")
    os.chmod(hidden, 0o755)
    eventually(is_unknown, "it is kept: its user may not read what is there")
    os.chmod(path, 0o644)
    assert removed(prune(**POLICY)) == [("alice", "edits")], "now its user may, and it is saved"


def test_what_an_editors_user_puts_in_the_place_of_a_lock_keeps_nobody_waiting() -> None:
    work = directory("/tmp/desk", ALICE)
    tmux = Tmux(ALICE).start("other")
    pid = nano(tmux, work + "/notes.txt")
    os.mkfifo(work + "/.a.swp")
    os.symlink(lock("/tmp/secret", pid), work + "/.b.swp")
    os.symlink("/dev/zero", work + "/.c.swp")
    os.mkdir(work + "/.d.swp")

    def only_the_other() -> bool:
        result = prune(**POLICY)
        return removed(result) == [("alice", "other")] and [item["reason"] for item in result["kept"]] == ["unsaved"]

    eventually(only_the_other, "the other goes, and what may not be saved stays")


INSTALLS = """
import ctypes, fcntl, sys
ctypes.CDLL(None).prctl(15, b"dpkg", 0, 0, 0)
database = open(sys.argv[1], "w")
fcntl.lockf(database, fcntl.LOCK_EX)
print("replace it? [y/N]", flush=True)
input()
"""
CROWDS = """
import fcntl, os, time
files = []
for cpu in os.sched_getaffinity(0):
    os.sched_setaffinity(0, [cpu])
    for _time in range(12):
        files.append(open("/tmp/home/alice/%d" % len(files), "w"))
        for place in range(16000, 0, -2):
            fcntl.lockf(files[-1], fcntl.LOCK_EX, 1, place)
print("all", flush=True)
time.sleep(100000)
"""


def test_who_holds_very_many_locks_hides_no_others_and_keeps_nobody_waiting() -> None:
    """Of the kernel's table of all locks nobody reads more than the beginning, and the newest come first in it."""
    tmux = Tmux(BOB).start("other")
    tmux("new-session", "-d", "-s", "installs", "--", sys.executable, "-c", INSTALLS, BOB.home + "/database")
    eventually(lambda: "replace it?" in tmux("capture-pane", "-p", "-t", "installs:"), "it has begun")
    crowd = spawn(ALICE, sys.executable, "-c", CROWDS, stdout=subprocess.PIPE)
    assert crowd.stdout is not None and crowd.stdout.readline() == b"all\n"

    def only_the_other() -> bool:
        before = os.times()
        result = prune(**POLICY)
        after = os.times()
        # What else runs does not decide that.
        assert after.children_user + after.children_system - before.children_user - before.children_system < 20
        assert ("bob", "installs") not in removed(result)
        return [item["reason"] for item in result["kept"] if item["name"] == "installs"] == ["unsaved"]

    eventually(only_the_other, "what has begun and not ended stays")
    assert tmux.names() == ["installs"]
