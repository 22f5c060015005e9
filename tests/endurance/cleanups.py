# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of the playbook fleet.tmux.cleanup, which can be stopped just before the first removal.

Run by itself, as root in a mount namespace, it has the directory of the reports fill up at that moment, and prints as
JSON what came of it.
"""

import json
import os
import subprocess
import sys
import time
from typing import Any, Dict, List

from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import newest_clock
from ansible_collections.fleet.tmux.tests.endurance.full_disk import mount
from ansible_collections.fleet.tmux.tests.support.programs import binaries
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

VETO = """#!/bin/sh
%(meanwhile)s
sed -n 's/.*"id": "\\([^"]*\\)".*/\\1/p'
"""
"""Lets everything go, after something has happened: it is asked when all is judged and nothing is removed."""
WAIT = "touch %(folder)s/asked; while [ -e %(folder)s/wait ]; do sleep 0.1; done"
FILL = "cat /dev/zero >%(folder)s/reports/fill 2>/dev/null"


class Cleanup:
    """A cleanup of the server of a world: one host, whose only idle session is called ``idle``."""

    def __init__(self, world: World, meanwhile: str) -> None:
        self.world = world
        self.reports = os.path.join(world.folder, "reports")
        self._write("hosts", "here ansible_connection=local ansible_python_interpreter=%s\n" % sys.executable)
        veto = self._write("veto", VETO % {"meanwhile": meanwhile % {"folder": world.folder}})
        os.chmod(veto, 0o755)
        variables = {"become": False, "socket_path": world.path, "report_dir": self.reports, "idle": "1s"}
        # So long a line does not fit into what is left of a block of the log.
        variables.update(excludes=["none-%04d" % number for number in range(400)])
        variables.update(protect=["keep"], memory_dir="", snapshot_dir="", veto_command=[veto], timeout="1h")
        self._write("variables", json.dumps({"tmux_cleanup_" + name: value for name, value in variables.items()}))

    def _write(self, name: str, text: str) -> str:
        path = os.path.join(self.world.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def populate(self) -> None:
        self.world.start()
        self.world.tmux("set-option", "-t", "=first:", "@keep", "on")
        self.world.new("idle")
        eventually(lambda: all(time.time() - newest_clock(it) >= 2 for it in self.world.listing().sessions), "idle")

    def start(self) -> "subprocess.Popen[bytes]":
        place = self.world.folder
        argv = [sys.executable, "-m", "ansible", "playbook", "-i", place + "/hosts", "fleet.tmux.cleanup"]
        env = dict(os.environ, ANSIBLE_HOME=place + "/ansible", ANSIBLE_NOCOLOR="1", HOME=place)
        env.setdefault("ANSIBLE_COLLECTIONS_PATH", os.environ.get("PYTHONPATH", ""))
        with open(place + "/output", "wb") as output:
            return subprocess.Popen(
                [*argv, "--extra-vars", "@%s/variables" % place],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=place,
            )

    def output(self) -> str:
        with open(self.world.folder + "/output", encoding="utf-8", errors="replace") as file:
            return file.read()

    def audit(self) -> List[Dict[str, Any]]:
        """What is in the log, a line that was cut short left out."""
        found = []
        with open(self.reports + "/audit.jsonl", encoding="ascii") as file:
            for line in file:
                try:
                    found.append(dict(json.loads(line)))
                except ValueError:
                    continue
        return found

    def left(self) -> List[str]:
        return sorted(self.world.tmux("list-sessions", "-F", "#{session_name}").split())


def main(world: World) -> Dict[str, Any]:
    os.mkdir(world.folder + "/reports", 0o755)
    mount(world.folder + "/reports", "size=256k", "mode=755")
    cleanup = Cleanup(world, FILL)
    cleanup.populate()
    rc = cleanup.start().wait()
    told: Dict[str, Any] = {"rc": rc, "output": cleanup.output(), "left": cleanup.left(), "audit": cleanup.audit()}
    os.unlink(cleanup.reports + "/fill")
    world.new("idle")
    Cleanup(world, ":")
    eventually(lambda: all(time.time() - newest_clock(it) >= 2 for it in world.listing().sessions), "idle")
    told["then"] = cleanup.start().wait()
    told["audit_then"] = cleanup.audit()
    subprocess.run(["umount", cleanup.reports], check=True)
    return told


if __name__ == "__main__":
    made = World(binaries()[0])
    try:
        print(json.dumps(main(made)))
    finally:
        made.stop()
