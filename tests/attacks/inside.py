# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command in a small world of its own: own processes, own mounts, own /tmp, own users.

    python inside.py COMMAND [ARGUMENT ...]

Needs root. The users and servers of the machine are not to be seen in there, and nothing of what is done in there is
left when the command has ended. Standard library and util-linux only.
"""

import os
import shutil
import subprocess
import sys
from typing import Sequence, Set

MARK = "FLEET_ATTACKS_INSIDE"
"""Set (to the names in /tmp that are not the tests') for what runs in there."""

UNSHARE = ["unshare", "--mount", "--pid", "--ipc", "--net", "--fork", "--mount-proc"]

PASSWD = """\
alice:x:41001:41001::/tmp/home/alice:/bin/sh
bob:x:41002:41002::/tmp/home/bob:/bin/sh
carol:x:41003:41003::/tmp/home/nowhere:/bin/sh
dave:x:41004:41004::/tmp/home/dave:/usr/sbin/nologin
"""
GROUP = """\
alice:x:41001:
bob:x:41002:
carol:x:41003:
dave:x:41004:
crew:x:41900:alice,bob
"""

STAGE = "/mnt"


def main(command: Sequence[str]) -> int:
    """Enter, or be what has entered."""
    if os.environ.get(MARK) is None:
        os.environ[MARK] = ""
        os.execvp(UNSHARE[0], UNSHARE + ["--kill-child", sys.executable, os.path.abspath(__file__), *command])
    furnish()
    return first_process(command)


def furnish() -> None:
    """Put private things over what the tests would else share with the machine."""
    needed = _needed()
    os.environ[MARK] = ":".join(sorted({path.split("/")[2] for path in needed if path.startswith("/tmp/")}))
    for closed in sorted(_closed(needed)):
        _cover(closed, needed, "0755")
    _cover("/tmp", needed, "1777")
    for name, more in (("passwd", PASSWD), ("group", GROUP)):
        copy = os.path.join("/tmp", name)
        shutil.copyfile("/etc/" + name, copy)
        with open(copy, "a", encoding="utf-8") as handle:
            handle.write(more)
        os.chmod(copy, 0o644)
        _mount("--bind", copy, "/etc/" + name)
        os.unlink(copy)


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
    _mount("-t", "tmpfs", "-o", "mode=" + mode, "tmpfs", STAGE)
    for path in sorted(needed):
        if path.startswith(folder + "/") and os.path.isdir(path):
            place = STAGE + path[len(folder) :]
            if os.path.isdir(place) and os.listdir(place):
                continue  # It is in a directory that is there already.
            os.makedirs(place, exist_ok=True)
            _mount("--bind", path, place)
            _mount("-o", "remount,bind,ro", place)
    _mount("--move", STAGE, folder)


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def first_process(command: Sequence[str]) -> int:
    """Run the command, and do the duty of process 1: bury those whose parents have ended."""
    child = os.fork()
    if child == 0:
        os.execvp(command[0], list(command))
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
