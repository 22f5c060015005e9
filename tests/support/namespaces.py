# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small worlds: own processes, own mounts, own /tmp, own users.

    python tests/support/namespaces.py COMMAND [ARGUMENT ...]

runs a command in one. Needs root. The users and servers of the machine are not to be seen in there, and nothing of what
is done in there is left when the command has ended. Standard library and util-linux only.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from typing import Callable, NamedTuple, Sequence, Set, Tuple

MARK = "FLEET_SMALL_WORLD"
"""Set (to the names in /tmp that are not the tests') for what runs in there."""

UNSHARE = ["unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"]
STAGE = "/mnt"


class Account(NamedTuple):
    """A user of a small world. ``name`` is what the collection should call it."""

    name: str
    uid: int
    gid: int
    home: str
    groups: Tuple[int, ...] = ()


ROOT = Account("root", 0, 0, "/")
ALICE = Account("alice", 41001, 41001, "/tmp/home/alice", (41900,))
BOB = Account("bob", 41002, 41002, "/tmp/home/bob", (41900,))
CAROL = Account("carol", 41003, 41003, "/")  # has no home
DAVE = Account("dave", 41004, 41004, "/tmp/home/dave")  # may not log in
ERIN = Account("41005", 41005, 41005, "/")  # is in no user database
USERS = (ALICE, BOB, CAROL, DAVE, ERIN)

DATABASE = {
    "passwd": """\
alice:x:41001:41001::/tmp/home/alice:/bin/sh
bob:x:41002:41002::/tmp/home/bob:/bin/sh
carol:x:41003:41003::/tmp/home/nowhere:/bin/sh
dave:x:41004:41004::/tmp/home/dave:/usr/sbin/nologin
""",
    "group": """\
alice:x:41001:
bob:x:41002:
carol:x:41003:
dave:x:41004:
crew:x:41900:alice,bob
""",
    # Without a line in it, su refuses a user.
    "shadow": "".join("%s:*:20000:0:99999:7:::\n" % user.name for user in (ALICE, BOB, CAROL, DAVE)),
}


def why_not() -> str:
    """Why there can be no such world here, or nothing. It takes root: in a user namespace, / belongs to nobody."""
    probe = [*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/tmp"]
    try:
        done = subprocess.run(probe, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except OSError as error:
        return str(error)
    said = done.stdout.decode("utf-8", "replace").strip()
    return (said or "exit status %d" % done.returncode) if done.returncode else ""


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, stdout=subprocess.DEVNULL)


def private_etc() -> None:
    """Have an /etc of our own, a copy with our users in it.

    The folder and not the files: a mount over a file goes as soon as anybody renames another one to its name, in
    whatever world that is, as useradd does.
    """
    mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", STAGE)
    _copy_folder("/etc", STAGE)
    for name, lines in DATABASE.items():
        with open(os.path.join(STAGE, name), "a", encoding="utf-8") as handle:
            handle.write(lines)
    mount("--move", STAGE, "/etc")


def _copy_folder(source: str, target: str) -> None:
    for entry in os.scandir(source):
        # Somebody may just be changing something in there.
        with contextlib.suppress(FileNotFoundError):
            _copy(entry, os.path.join(target, entry.name))


def _copy(entry: "os.DirEntry[str]", target: str) -> None:
    status = entry.stat(follow_symlinks=False)
    if entry.is_symlink():
        os.symlink(os.readlink(entry.path), target)
    elif entry.is_dir():
        os.mkdir(target)
        _copy_folder(entry.path, target)
    elif entry.is_file():
        shutil.copyfile(entry.path, target)
    else:
        return
    os.chown(target, status.st_uid, status.st_gid, follow_symlinks=False)
    if not entry.is_symlink():
        os.chmod(target, status.st_mode & 0o7777)


def first_process(work: Callable[[], None]) -> int:
    """Do something in a child, and meanwhile the duty of process 1: to reap those whose parents have ended."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


# --- a command in a small world


def main(command: Sequence[str]) -> int:
    """Enter, or be what has entered."""
    if os.environ.get(MARK) is None:
        os.environ[MARK] = ""
        entry = [*UNSHARE, "--net", sys.executable, os.path.abspath(__file__), *command]
        os.execvp(entry[0], entry)
    furnish()
    return first_process(lambda: os.execvp(command[0], list(command)))


def entered() -> bool:
    """Whether this process runs in a small world."""
    with open("/proc/1/cmdline", "rb") as handle:
        first = handle.read().split(b"\0")
    return MARK in os.environ and any(word.endswith(b"/namespaces.py") for word in first)


def furnish() -> None:
    """Put private things over what the tests would else share with the machine."""
    needed = _needed()
    os.environ[MARK] = ":".join(sorted({path.split("/")[2] for path in needed if path.startswith("/tmp/")}))
    for closed in sorted(_closed(needed)):
        _cover(closed, needed, "0755")
    _cover("/tmp", needed, "1777")
    _private_log()
    private_etc()


def _private_log() -> None:
    """Have no system log, and directories of our own for the files of whoever writes some."""
    place = "/var/log"
    mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", STAGE)
    for folder, names, _files in os.walk(place):
        for path in (os.path.join(folder, name) for name in names):
            if not os.path.islink(path):
                status = os.stat(path)
                os.mkdir(STAGE + path[len(place) :])
                os.chown(STAGE + path[len(place) :], status.st_uid, status.st_gid)
                os.chmod(STAGE + path[len(place) :], status.st_mode & 0o7777)
    mount("--move", STAGE, place)
    if os.path.exists("/dev/log"):
        mount("--bind", "/dev/null", os.path.realpath("/dev/log"))


def _needed() -> Set[str]:
    """The directories without which neither the tests nor the modules run."""
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    paths = [here, sys.prefix, sys.base_prefix, os.path.dirname(os.path.realpath(sys.executable))]
    paths += [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    binaries = [path for path in os.environ.get("FLEET_TMUX_BINARIES", "").split(os.pathsep) if path]
    paths += [os.path.dirname(path) for path in binaries]
    return {os.path.abspath(path) for path in paths}


def _closed(needed: Set[str]) -> Set[str]:
    """The directories above those that an ordinary user cannot pass."""
    found = set()
    for path in needed:
        above = os.path.dirname(path)
        while above != "/":
            if not os.stat(above).st_mode & 0o001:
                found.add(above)
            above = os.path.dirname(above)
    return found


def _cover(folder: str, needed: Set[str], mode: str) -> None:
    """Hide all of a directory but what is needed, which can only be read."""
    mount("-t", "tmpfs", "-o", "mode=" + mode, "tmpfs", STAGE)
    for path in sorted(needed):
        if path.startswith(folder + "/") and os.path.isdir(path):
            place = STAGE + path[len(folder) :]
            if os.path.isdir(place) and os.listdir(place):
                continue  # It is in a directory that is there already.
            os.makedirs(place, exist_ok=True)
            mount("--bind", path, place)
            mount("-o", "remount,bind,ro", place)
    mount("--move", STAGE, folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
