# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first processes of a small world: they furnish it, and run in it what they are told.

Started by place.py in namespaces of their own. Each line of stdin is a request, each line of stdout the answer, as
JSON. When stdin ends, process 1 ends, and with it whatever still runs in there. Standard library and util-linux only.
"""

import fcntl
import json
import os
import pty
import shutil
import subprocess
import sys
import termios
import threading
from typing import Any, Dict, List

MASTERS: List[int] = []


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, stdout=subprocess.DEVNULL)


def furnish(plan: Dict[str, Any]) -> None:
    """Give this world its own /tmp, with a copy of the checkout and what is needed to run, and its own users."""
    stage = plan["stage"]
    mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", stage)
    for source in plan["needed"]:
        place = stage + source[len("/tmp") :]
        os.makedirs(place, exist_ok=True)
        mount("--rbind", source, place)
    for name in plan["files"]:
        copy = os.path.join(stage, "checkout", name)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copy2(os.path.join(plan["source"], name), copy)
    if plan["venvs"]:
        os.mkdir(os.path.join(stage, "checkout", ".cache"))
        os.symlink(plan["venvs"], os.path.join(stage, "checkout", ".cache", "venv"))
    for user in plan["users"]:
        home = os.path.join(stage, "home", user["name"])
        os.makedirs(home)
        os.chown(home, user["uid"], user["uid"])
    # Without a line in shadow, su refuses a user.
    for name, line, mode in (
        ("passwd", "%(name)s:x:%(uid)d:%(uid)d::/tmp/home/%(name)s:/bin/sh\n", 0o644),
        ("group", "%(name)s:x:%(uid)d:\n", 0o644),
        ("shadow", "%(name)s:*:20000:0:99999:7:::\n", 0o600),
    ):
        _add_lines(os.path.join(stage, name), "/etc/" + name, mode, "".join(line % user for user in plan["users"]))
    mount("--rbind", stage, "/tmp")


def _add_lines(copy: str, original: str, mode: int, lines: str) -> None:
    with open(original, encoding="utf-8") as handle:
        text = handle.read()
    with open(os.open(copy, os.O_WRONLY | os.O_CREAT, mode), "w", encoding="utf-8") as handle:
        handle.write(text + lines)
    os.chmod(copy, mode)
    mount("--bind", copy, original)


def run(request: Dict[str, Any]) -> Dict[str, Any]:
    """Run a command to its end."""
    try:
        done = subprocess.run(
            request["argv"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=request["patience"],
            check=False,
            **_how(request),
        )
    except OSError as error:
        return {"rc": 127, "output": str(error)}
    except subprocess.TimeoutExpired as late:
        return {"rc": None, "output": (late.output or b"").decode("utf-8", "replace")}
    return {"rc": done.returncode, "output": done.stdout.decode("utf-8", "replace")}


def show(request: Dict[str, Any]) -> Dict[str, Any]:
    """Start a command on a terminal of its own, and read what it writes there for as long as it lives."""
    master, slave = pty.openpty()
    MASTERS.append(master)
    if request["uid"] is not None:
        os.fchown(slave, request["uid"], request["uid"])

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    how = _how(request)
    subprocess.Popen(request["argv"], stdin=slave, stdout=slave, stderr=slave, preexec_fn=take_terminal, **how)
    os.close(slave)
    threading.Thread(target=_drain, args=(master,), daemon=True).start()
    return {"rc": 0, "output": ""}


def _drain(master: int) -> None:
    try:
        while os.read(master, 65536):
            pass
    except OSError:
        pass  # Nobody has the terminal open any more.


def _how(request: Dict[str, Any]) -> Dict[str, Any]:
    how: Dict[str, Any] = {"env": request["environment"], "cwd": request["directory"]}
    if request["uid"] is not None:
        how.update(user=request["uid"], group=request["uid"], extra_groups=[])
    return how


def serve() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps({"run": run, "show": show}[request["do"]](request)), flush=True)


def main() -> None:
    furnish(json.loads(sys.stdin.readline()))
    print(json.dumps({"ready": True}), flush=True)
    child = os.fork()
    if child == 0:
        serve()
        return
    while os.wait()[0] != child:  # the duty of process 1: to bury those whose parents have ended
        pass


if __name__ == "__main__":
    main()
