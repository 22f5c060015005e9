# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file system that is full while sessions are saved: as root, in a mount namespace with a very small one."""

import json
import os
import subprocess
import sys
from typing import Any, Dict

import pytest
from ansible_collections.fleet.tmux.tests.support.namespaces import UNSHARE, why_not

INSIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "full_disk.py")
_WHY_NOT = why_not()


@pytest.mark.skipif(bool(_WHY_NOT), reason="left out: needs root, with the right to make namespaces (%s)" % _WHY_NOT)
def test_what_does_not_fit_is_kept_and_told_and_nothing_of_it_is_left() -> None:
    done = subprocess.run([*UNSHARE, sys.executable, INSIDE], stdout=subprocess.PIPE, check=True)
    told: Dict[str, Any] = json.loads(done.stdout.decode())
    full, freed = told["full"], told["freed"]
    assert full["failed"] and "No space left on device" in full["msg"]
    assert [(it["name"], it["reason"], it["snapshot"]) for it in full["not_done"]] == [("large", "not_saved", None)]
    assert "No space left on device" in full["not_done"][0]["detail"]
    assert [it["name"] for it in full["removed"]] == ["small"], "what does fit is saved and removed"
    assert told["left"] == ["large"]
    assert told["incoming"] == [] and told["saved"] == ["small"]
    assert not freed.get("failed") and [it["name"] for it in freed["removed"]] == ["large"]
    assert told["saved_then"] == ["large", "small"] and told["lines"] == 3000
