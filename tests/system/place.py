# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small world with its own processes, /tmp and users: what is done in there reaches nothing outside.

tmux servers of the machine are not to be seen from there, so a cleanup of all users can be tried for real.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, UNSHARE, Account
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually

ROOT = Path(__file__).resolve().parents[2]
CHECKOUT = "/tmp/checkout"
"""The copy of this checkout in there."""
IDLE = 5
"""Seconds without activity that make a session idle in these tests."""
PRINTING = "while :; do date; sleep 0.1; done"


class Done(NamedTuple):
    """How a command ended, and all that it wrote."""

    rc: int
    output: str


class Turn(NamedTuple):
    """What a person at a terminal waits for and then types, and what somebody else does in between."""

    awaited: str
    typed: str
    words: Tuple[str, ...] = ()
    owner: Optional[Account] = None


class Place:
    """One such world, with the users alice and bob."""

    def __init__(self, stage: Path) -> None:
        self.owners = [ALICE, BOB]
        self._process = subprocess.Popen(
            [*UNSHARE, sys.executable, "-m", "ansible_collections.fleet.tmux.tests.system.inside"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._ask(self._plan(stage))

    def _plan(self, stage: Path) -> Dict[str, Any]:
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        files = subprocess.run(listing, cwd=str(ROOT), stdout=subprocess.PIPE, check=True).stdout
        names = [os.fsdecode(name) for name in files.split(b"\0") if name]
        venvs = _shared_venvs()
        needed = {str(ROOT), sys.prefix, sys.base_prefix, venvs} - {""}
        return {
            "stage": str(stage),
            "source": str(ROOT),
            "files": [name for name in names if (ROOT / name).is_file()],
            "needed": sorted(path for path in needed if path.startswith("/tmp/")),
            "venvs": venvs,
        }

    def _ask(self, request: Dict[str, Any]) -> Dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the small world has ended"
        answered: Dict[str, Any] = json.loads(answer.decode("ascii"))
        return answered

    def stop(self) -> None:
        """End it, and with it every process in there."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    # --- commands

    def run(self, *argv: str, owner: Optional[Account] = None, directory: str = CHECKOUT, **variables: str) -> Done:
        """Run a command as root, or as an owner of sessions."""
        answer = self._ask(self._request("run", argv, owner, directory, variables))
        assert answer["rc"] is not None, "%s is not done yet: %s" % (argv, answer["output"])
        return Done(answer["rc"], answer["output"])

    def talk(self, argv: Sequence[str], *turns: "Turn", piped: bool = False) -> Done:
        """Run a command as root at a terminal: for each turn, wait for a text and then type another.

        :param piped: whether what it writes goes to another program, and only its input is the terminal.
        """
        request = self._request("talk", argv, None, CHECKOUT, {})
        told = [(turn.awaited, turn.typed, self._meanwhile(turn)) for turn in turns]
        answer = self._ask(dict(request, turns=told, piped=piped))
        assert answer["rc"] is not None, "%s is not done yet: %s" % (argv, answer["output"])
        return Done(answer["rc"], answer["output"])

    def _meanwhile(self, turn: "Turn") -> Optional[Dict[str, Any]]:
        return self._request("run", turn.words, turn.owner, "/", {}) if turn.words else None

    def write(self, name: str, text: str) -> None:
        """Write a file next to the checkout's own."""
        done = self.run("sh", "-c", 'printf %s "$2" >"$1"', "sh", name, text)
        assert done.rc == 0, done.output

    def _request(
        self, do: str, argv: Sequence[str], owner: Optional[Account], directory: str, variables: Dict[str, str]
    ) -> Dict[str, Any]:
        environment = _environment() if owner is None else {"PATH": os.environ["PATH"], "HOME": owner.home}
        return {
            "do": do,
            "argv": list(argv),
            "uid": None if owner is None else owner.uid,
            "directory": directory,
            "environment": dict(environment, TERM="xterm", **variables),
            "patience": PATIENCE,
        }

    # --- sessions

    def tmux(self, owner: Account, *words: str) -> str:
        """Ask an owner's tmux server something."""
        done = self.run("tmux", "-u", "-f", "/dev/null", *words, owner=owner, directory="/")
        assert done.rc == 0, "%s: %s" % (words, done.output)
        return done.output

    def sessions(self, owner: Account) -> List[str]:
        """The names of an owner's sessions; without a server, none."""
        done = self.run("tmux", "-u", "list-sessions", "-F", "#{session_name}", owner=owner, directory="/")
        if done.rc:
            assert "no server running" in done.output or "error connecting" in done.output, done.output
            return []
        return sorted(done.output.splitlines())

    def wait_for(self, owner: Account, name: str, text: str) -> None:
        """Wait until the pane of a session shows a text."""
        show = ["capture-pane", "-p", "-t", "=%s:" % name]
        eventually(lambda: text in self.tmux(owner, *show), "%s shows it" % name)

    def populate(self, owner: Account, *idle: str) -> None:
        """Start sessions that will be idle, and one for each reason to keep one."""
        for name in [*idle, "attached", "kept"]:
            self.tmux(owner, "new-session", "-d", "-s", name, "cat")
        self.tmux(owner, "new-session", "-d", "-s", "printing", PRINTING)
        self.tmux(owner, "set-option", "-t", "kept", "@keep", "on")
        attach = ["tmux", "-u", "attach-session", "-t", "=attached"]
        self._ask(self._request("show", attach, owner, "/", {}))
        count = ["list-sessions", "-F", "#{session_name} #{session_attached}"]
        eventually(lambda: "attached 1" in self.tmux(owner, *count).splitlines(), "a client is attached")

    def settle(self) -> None:
        """Wait until all sessions but the printing ones are idle."""
        for owner in self.owners:
            for name in self.sessions(owner):
                if name != "printing":
                    eventually(lambda owner=owner, name=name: self.rests(owner, name), "%s is idle" % name)  # type: ignore[misc]

    def rests(self, owner: Account, name: str) -> bool:
        """Whether all of tmux's own clocks say that a session is idle."""
        clocks = ["session_created", "session_activity", "session_last_attached", "window_activity"]
        shown = self.tmux(owner, "list-windows", "-t", "=" + name, "-F", " ".join("#{%s}" % clock for clock in clocks))
        return time.time() - max(int(clock) for clock in shown.split()) > IDLE + 1


def _shared_venvs() -> str:
    """The virtual environments of the real checkout, so that its copy need not download them again."""
    for folder in [Path(sys.prefix).parent, ROOT / ".cache" / "venv"]:
        if folder.name == "venv" and folder.parent.name == ".cache" and folder.is_dir():
            return str(folder.resolve())
    return ""


def _environment() -> Dict[str, str]:
    """What a person's shell has: nothing of the virtual environment, of Ansible or of tmux that the tests run in."""
    dropped = (
        "ANSIBLE_",
        "TMUX",
        "PYTHON",
        "VIRTUAL_ENV",
        "PYTEST",
        "MAKE",
        "INVENTORY",
        "LIMIT",
        "CHECK",
        "YES",
        "ARGS",
        "ONLY",
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    own = (os.path.join(sys.prefix, "bin"), os.path.join(os.path.dirname(str(ROOT)), "python"))
    kept["PATH"] = os.pathsep.join(folder for folder in kept["PATH"].split(os.pathsep) if folder not in own)
    # Ansible's own files, which would else be below the real home.
    return dict(
        kept,
        HOME="/tmp/home/root",
        ANSIBLE_HOME="/tmp/ansible",
        ANSIBLE_REMOTE_TMP="/tmp/ansible/remote",
        ANSIBLE_NOCOLOR="1",
    )
