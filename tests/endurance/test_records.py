# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing is removed unrecorded: whatever becomes of the controller, the run, its hosts and policies are there."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
from ansible_collections.fleet.tmux.tests.endurance.cleanups import WAIT, Cleanup
from ansible_collections.fleet.tmux.tests.support.namespaces import UNSHARE, why_not
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

INSIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cleanups.py")
_WHY_NOT = why_not()


def require_begun(event: Dict[str, Any]) -> None:
    assert (event["event"], event["hosts"]) == ("begun", ["here"])
    (policy,) = event["policies"]
    assert (policy["hosts"], policy["policy"]["idle"], policy["policy"]["protect"]) == (["here"], "1s", ["keep"])


def about(folder: str) -> List[str]:
    """The processes that have to do with a folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(folder + "/hosts") in words or os.fsencode(folder + "/veto") in words:
            found.append(place.name)
    return found


def test_of_a_run_that_is_killed_there_is_a_trace(world: World) -> None:
    cleanup = Cleanup(world, WAIT)
    cleanup.populate()
    Path(world.folder, "wait").touch()
    process = cleanup.start()
    try:
        eventually(
            lambda: os.path.exists(world.folder + "/asked") or process.poll() is not None, "it is about to remove"
        )
        assert process.poll() is None, cleanup.output()
        (begun,) = cleanup.audit()
        require_begun(begun)
        assert cleanup.left() == ["first", "idle"], "nothing is removed yet"
    finally:
        process.kill()
        process.wait()
        os.unlink(world.folder + "/wait")
    eventually(lambda: not about(world.folder), "what it has begun comes to its end")
    assert cleanup.audit() == [begun]


@pytest.mark.skipif(bool(_WHY_NOT), reason="left out: needs root, with the right to make namespaces (%s)" % _WHY_NOT)
def test_of_a_run_whose_directory_fills_up_there_is_a_trace() -> None:
    done = subprocess.run([*UNSHARE, sys.executable, INSIDE], stdout=subprocess.PIPE, check=True)
    told: Dict[str, Any] = json.loads(done.stdout.decode())
    assert told["rc"] != 0 and "No space left on device" in told["output"], told["output"]
    assert told["left"] == ["first"], "it was removed"
    assert "1 of 2 sessions on 1 host removed." in told["output"], "and it is said"
    (begun,) = told["audit"]
    require_begun(begun)
    assert told["then"] == 0
    assert [event["event"] for event in told["audit_then"]] == ["begun", "begun", "run", "removed"]
    assert told["audit_then"][-1]["policy"]["idle"] == "1s"
