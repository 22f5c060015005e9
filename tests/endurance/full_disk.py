# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What test_full_disk.py runs in a mount namespace: it fills a small disk, and prints as JSON what came of it."""

import json
import os
import subprocess
import sys
import time
from typing import Any, Dict, List

from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import newest_clock
from ansible_collections.fleet.tmux.tests.endurance.runs import run
from ansible_collections.fleet.tmux.tests.support.programs import binaries
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World


def mount(folder: str, *options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", folder], check=True)


def snapshots(folder: str) -> Dict[str, str]:
    """The names of all sessions that are saved whole, and where."""
    found = {}
    for owner in [name for name in os.listdir(folder) if name != ".incoming"]:
        for entry in os.listdir(os.path.join(folder, owner)):
            path = os.path.join(folder, owner, entry)
            with open(os.path.join(path, "session.json"), encoding="ascii") as stream:
                found[str(json.load(stream)["name"])] = path
    return found


def names(world: World) -> List[str]:
    return sorted(world.run("list-sessions", "-F", "#{session_name}").stdout.decode("ascii").split())


def main(world: World) -> Dict[str, Any]:
    folder = os.path.join(world.folder, "snapshots")
    os.mkdir(folder, 0o755)
    mount(folder, "size=64k", "mode=755")
    script = "i=0; while [ $i -lt %d ]; do echo line $i of a session; i=$((i+1)); done; echo E-N-D; exec cat"
    for name, lines in (("large", 3000), ("small", 3)):
        # The limit is for windows that are made after it was set.
        world.run("-f", "/dev/null", "new-session", "-d", "-s", "first", "sleep 600")
        world.tmux("set-option", "-g", "history-limit", "10000")
        identity = world.new(name, "sh", "-c", script % lines)
        text = eventually(lambda identity=identity: _text(world, identity), "it has printed")  # type: ignore[misc]
        assert len(text.splitlines()) > lines
    world.tmux("kill-session", "-t", "=first")
    eventually(lambda: all(time.time() - newest_clock(it) >= 1 for it in world.listing().sessions), "all are idle")
    params = {"idle": "1s", "protect": ["keep"], "snapshot_dir": folder}
    told: Dict[str, Any] = {"full": run(world, **params), "left": names(world)}
    told["incoming"] = os.listdir(os.path.join(folder, ".incoming"))
    told["saved"] = sorted(snapshots(folder))
    mount(folder, "remount", "size=4m")
    told["freed"] = run(world, **params)
    saved = snapshots(folder)
    told["saved_then"] = sorted(saved)
    (text_file,) = [name for name in os.listdir(saved["large"]) if name.endswith(".txt")]
    with open(os.path.join(saved["large"], text_file), encoding="ascii") as stream:
        told["lines"] = sum(1 for line in stream if line.endswith(" of a session\n"))
    subprocess.run(["umount", folder], check=True)
    return told


def _text(world: World, identity: str) -> str:
    text = world.tmux("capture-pane", "-p", "-S", "-", "-t", identity + ":")
    return text if "E-N-D" in text else ""


if __name__ == "__main__":
    place = World(binaries()[0])
    try:
        found = main(place)
    finally:
        place.stop()
    json.dump(found, sys.stdout)
