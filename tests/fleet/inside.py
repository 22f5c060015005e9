# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done within a host: handed to its Python on stdin, so that one command does all of it.

The only argument is a request, as JSON; the answer is written to stdout, as JSON. Runs on Python 3.9. Standard library
only.
"""

import json
import os
import pty
import pwd
import subprocess
import sys
import time
from typing import Any, Callable, Dict, List

PRINTING = "exec perl -e '$| = 1; while (1) { print qq(line\\n); sleep 1 }'"
"""Prints every second and forks nothing, so that hundreds of them are no load; and it is no program that only shows."""
PATIENCE = 600.0
"""Seconds after which something will not happen any more. Only what fails waits so long."""
CLOCKS = ["session_created", "session_activity", "session_last_attached", "window_activity"]


def as_user(name: str) -> Dict[str, Any]:
    """How to run something as a user who has just logged in."""
    user = pwd.getpwnam(name)
    # tmux itself, even while a test has put something else in its place.
    path = "/opt/fleet/real:/usr/local/bin:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": user.pw_dir, "USER": name, "SHELL": user.pw_shell, "TERM": "xterm"}
    groups = os.getgrouplist(name, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": groups, "cwd": user.pw_dir, "env": environment}


def tmux(name: str, *words: str) -> "subprocess.CompletedProcess[str]":
    how = dict(as_user(name), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    os.environ["PATH"] = how["env"]["PATH"]  # here, and not in env, tmux is looked for
    return subprocess.run(["tmux", "-u", "-f", "/dev/null", *words], encoding="utf-8", check=False, **how)


def must(name: str, *words: str) -> str:
    done = tmux(name, *words)
    if done.returncode:
        sys.exit("%s: tmux %s: %s" % (name, " ".join(words), done.stdout))
    return done.stdout


def populate(users: Dict[str, List[str]]) -> None:
    """Start sessions that will be idle, and one for each reason to keep one."""
    for name, idle in users.items():
        words: List[str] = []
        for session in [*idle, "attached", "kept"]:
            words += ["new-session", "-d", "-s", _literal(session), "cat", ";"]
        words += ["new-session", "-d", "-s", "printing", PRINTING, ";", "set-option", "-t", "=kept:", "@keep", "on"]
        must(name, *words)
        attach(name, "attached")
    for name in users:
        shown = ""
        deadline = time.monotonic() + PATIENCE
        while "attached 1" not in shown.splitlines():
            if time.monotonic() > deadline:
                sys.exit("%s: no client is attached: %s" % (name, shown))
            time.sleep(0.02)
            shown = must(name, "list-sessions", "-F", "#{session_name} #{session_attached}")


def _literal(word: str) -> str:
    """tmux takes a semicolon at the end of a word for the end of a command."""
    return word[:-1] + "\\;" if word.endswith(";") else word


def attach(name: str, session: str) -> None:
    """Attach a client on a terminal of its own, and read what it writes there for as long as it lives."""
    if os.fork():
        return
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)  # whoever waits for the end of our output does not wait for this process
    how = as_user(name)
    os.setsid()
    child, master = pty.fork()
    if child == 0:
        os.fchown(0, how["user"], how["group"])
        os.setgroups(how["extra_groups"])
        os.setgid(how["group"])
        os.setuid(how["user"])
        os.chdir(how["cwd"])
        os.execvpe("tmux", ["tmux", "-u", "attach-session", "-t", "=" + session], how["env"])
    try:
        while os.read(master, 65536):
            pass
    except OSError:
        pass  # Nobody has the terminal open any more.
    os._exit(0)


def sessions(users: List[str]) -> Dict[str, List[str]]:
    """The names of users' sessions; without a server, none."""
    found = {}
    for name in users:
        done = tmux(name, "list-sessions", "-F", "#{session_name}")
        if done.returncode and "no server running" not in done.stdout and "error connecting" not in done.stdout:
            sys.exit("%s: %s" % (name, done.stdout))
        found[name] = [] if done.returncode else sorted(done.stdout.splitlines())
    return found


def settle(users: List[str], idle: float) -> None:
    """Wait until all of tmux's own clocks say that all sessions but the printing ones are idle."""
    deadline = time.monotonic() + PATIENCE
    for name, names in sessions(users).items():
        while names and not _rests(name, idle):
            if time.monotonic() > deadline:
                sys.exit("%s: not idle yet: %s" % (name, tmux(name, "list-windows", "-a").stdout))
            time.sleep(0.2)


def _rests(name: str, idle: float) -> bool:
    shown = must(name, "list-windows", "-a", "-F", " ".join("#{%s}" % clock for clock in CLOCKS) + " /#{session_name}")
    rows = [line.split("/", 1) for line in shown.splitlines()]
    newest = max(int(clock) for clocks, session in rows if session != "printing" for clock in clocks.split())
    return time.time() - newest > idle + 1


def main() -> None:
    request = json.loads(sys.argv[1])
    errands: Dict[str, Callable[..., Any]] = {"populate": populate, "sessions": sessions, "settle": settle}
    print(json.dumps(errands[request.pop("do")](**request)))


if __name__ == "__main__":
    main()
