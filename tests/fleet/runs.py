# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of this collection's playbooks over the fleet, as a person starts them, and what they leave behind."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from ansible_collections.fleet.tmux.tests.fleet.fleet import IDLE, ROOT, Fleet
from ansible_collections.fleet.tmux.tests.fleet.host import USERS, Host
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE

STAY = ["attached", "kept", "printing"]
"""What a cleanup leaves of the sessions that a host is populated with."""
BETWEEN = ["/tmp", "/var/tmp", "/dev/shm", "/root", "/home"]
"""Where something might be left behind on a host."""


class Run(NamedTuple):
    """How a run ended, and its report; without one, an empty one."""

    rc: int
    output: str
    report: Dict[str, Any]

    @property
    def said(self) -> str:
        """What it has printed, wherever lines were broken."""
        return " ".join(self.output.split())

    def host(self, name: str) -> Dict[str, Any]:
        (found,) = [host for host in self.report["hosts"] if host["host"] == name]
        return dict(found)

    def status(self) -> Dict[str, str]:
        return {host["host"]: host["status"] for host in self.report["hosts"]}

    def fates(self, name: str, user: str) -> Dict[str, str]:
        """What became of each session of a user on a host, and why."""
        sessions = [it for it in self.host(name)["sessions"] if it["owner"] == user]
        fates = {it["name"]: "%s: %s" % (it["outcome"], it["reason"]) for it in sessions}
        assert len(fates) == len(sessions), "a session is told of twice"
        return fates

    def removed(self) -> List[str]:
        """Whatever was removed, as HOST/OWNER/NAME."""
        return [
            "%s/%s/%s" % (host["host"], it["owner"], it["name"])
            for host in self.report["hosts"]
            for it in host["sessions"]
            if it["outcome"] == "removed"
        ]


class Controller:
    """Somebody who cleans the fleet up, with a place for the reports."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.fleet = fleet
        self.folder = folder
        self.tools = Path(sys.executable).parent
        self.reports = folder / "reports"
        collections = folder / "collections" / "ansible_collections" / "fleet"
        collections.mkdir(parents=True, exist_ok=True)
        if not (collections / "tmux").exists():
            (collections / "tmux").symlink_to(ROOT)
        self._collections = folder / "collections"
        self._number = 0

    def variables(self, **more: str) -> Dict[str, str]:
        return dict(
            self.fleet.variables,
            PATH=str(self.tools) + os.pathsep + os.environ["PATH"],
            ANSIBLE_COLLECTIONS_PATH=str(self._collections),
            ANSIBLE_CALLBACK_RESULT_FORMAT="yaml",
            LC_ALL="C.UTF-8",
            **more,
        )

    def start(
        self, *words: str, playbook: str = "cleanup", settings: Optional[Dict[str, str]] = None, **variables: Any
    ) -> "Started":
        """Start a playbook; `settings` go into its environment, `variables` into --extra-vars, with their prefix."""
        self._number += 1
        told = {"tmux_cleanup_idle": "%ds" % IDLE, "tmux_cleanup_report_dir": str(self.reports)}
        told.update({"tmux_cleanup_" + name: value for name, value in variables.items()})
        told = {name: value for name, value in told.items() if value is not None}
        path = self.folder / ("variables-%d.json" % self._number)
        path.write_text(json.dumps(told), encoding="utf-8")
        output = self.folder / ("output-%d.txt" % self._number)
        which = playbook if "/" in playbook else "fleet.tmux." + playbook
        command = [str(self.tools / "ansible-playbook"), "--extra-vars", "@%s" % path, *words, which]
        return Started(command, self.variables(**(settings or {})), output, self.reports / "report.json")

    def run(
        self,
        *words: str,
        playbook: str = "cleanup",
        settings: Optional[Dict[str, str]] = None,
        patience: float = PATIENCE,
        **variables: Any,
    ) -> Run:
        return self.start(*words, playbook=playbook, settings=settings, **variables).end(patience)


class Started:
    """A run that is under way."""

    def __init__(self, command: Sequence[str], variables: Dict[str, str], output: Path, report: Path) -> None:
        self._output = output
        self._report = report
        self._before = _read(report)
        with open(output, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=variables
            )

    def end(self, patience: float = PATIENCE) -> Run:
        """Wait for its end."""
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("not done yet: %s" % self.output())
        after = _read(self._report)
        return Run(self.process.returncode, self.output(), {} if after == self._before else after)

    def output(self) -> str:
        return self._output.read_text(encoding="utf-8", errors="replace")


def _read(path: Path) -> Dict[str, Any]:
    if not path.exists():
        return {}
    found: Dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def went_well(run: Run) -> Run:
    assert run.rc == 0, run.output
    assert set(run.status().values()) <= {"ok"}, run.output
    return run


def end_sessions(host: Host, users: Sequence[str] = USERS) -> None:
    """End the tmux servers of the users of a host."""
    for user in users:
        if host.sessions(user):
            host.tmux(user, "kill-server")


OWN = ["*/tmux-*", "*/.bash*", "*/.profile", "*/.filler", "*/.sudo_as_admin_successful"]
"""What users, tmux, sudo and the tests themselves have there."""


def left_behind(host: Host) -> List[str]:
    """The files that something left on a host."""
    own = [word for pattern in OWN for word in ("-o", "-path", pattern)][1:]
    return host.must(["find", *BETWEEN, "-xdev", "(", *own, ")", "-prune", "-o", "-type", "f", "-print"]).splitlines()
