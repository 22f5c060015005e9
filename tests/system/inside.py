# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first processes of a small world: they furnish it, and run in it what they are told.

Started by place.py in namespaces of their own. Each line of stdin is a request, each line of stdout the answer, as
JSON. When stdin ends, process 1 ends, and with it whatever still runs in there.
"""

import fcntl
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import termios
import threading
import time
from typing import Any, Dict, List

from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, first_process, mount, private_etc

MASTERS: List[int] = []


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
    for user in (ALICE, BOB):
        home = stage + user.home[len("/tmp") :]
        os.makedirs(home)
        os.chown(home, user.uid, user.gid)
    private_etc()
    _home_of_root(stage)
    mount("--rbind", stage, "/tmp")


def _home_of_root(stage: str) -> None:
    """Give root a home of this world: what plays leave there would else be found by the next ones on this machine."""
    home = "/tmp/home/root"
    os.mkdir(stage + home[len("/tmp") :], 0o700)
    with open("/etc/passwd", encoding="utf-8") as users:
        lines = [line.split(":") for line in users]
    for line in lines:
        if line[0] == "root":
            line[5] = home
    with open("/etc/passwd", "w", encoding="utf-8") as users:
        users.writelines(":".join(line) for line in lines)


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


def talk(request: Dict[str, Any]) -> Dict[str, Any]:
    """Run a command for a person at a terminal, who waits for a text and types another, as often as they are told.

    What is to happen meanwhile is a request of its own.
    """
    master, slave = pty.openpty()
    piped = request["piped"]
    screen = subprocess.PIPE if piped else slave
    process = subprocess.Popen(
        request["argv"],
        stdin=slave,
        stdout=screen,
        stderr=subprocess.STDOUT if piped else slave,
        preexec_fn=_take_terminal,
        **_how(request),
    )
    os.close(slave)
    channel = process.stdout.fileno() if process.stdout is not None else master
    output, late = b"", time.monotonic() + request["patience"]
    for awaited, typed, meanwhile in [*request["turns"], (None, "", None)]:
        begin = len(output)
        while awaited is None or awaited.encode() not in output[begin:]:
            more = _more(channel, late)
            if not more:
                break
            output += more
        if meanwhile is not None:
            run(meanwhile)
        os.write(master, typed.encode())
    said = {"output": output.decode("utf-8", "replace").replace("\r\n", "\n")}
    try:
        return dict(said, rc=process.wait(max(0.0, late - time.monotonic())))
    except subprocess.TimeoutExpired:
        process.kill()
        return dict(said, rc=None)
    finally:
        os.close(master)


def _more(channel: int, late: float) -> bytes:
    """What is written next, or nothing at its end."""
    readable, _writable, _odd = select.select([channel], [], [], max(0.0, late - time.monotonic()))
    try:
        return os.read(channel, 65536) if readable else b""
    except OSError:
        return b""  # Nobody has the terminal open any more.


def _take_terminal() -> None:
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def show(request: Dict[str, Any]) -> Dict[str, Any]:
    """Start a command on a terminal of its own, and read what it writes there for as long as it lives."""
    master, slave = pty.openpty()
    MASTERS.append(master)
    if request["uid"] is not None:
        os.fchown(slave, request["uid"], request["uid"])

    how = _how(request)
    subprocess.Popen(request["argv"], stdin=slave, stdout=slave, stderr=slave, preexec_fn=_take_terminal, **how)
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
        print(json.dumps({"run": run, "talk": talk, "show": show}[request["do"]](request)), flush=True)


def main() -> None:
    furnish(json.loads(sys.stdin.readline()))
    print(json.dumps({"ready": True}), flush=True)
    first_process(serve)


if __name__ == "__main__":
    main()
