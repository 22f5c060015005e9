# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems that never answer, where root looks on behalf of everybody, of one user, or because it was told to.

Whoever asks one waits in the kernel, and cannot be ended. Before it was done in a child that can be given up, what
tmux_session was asked for at such a path was seen to hang without end.
"""

import os
from typing import Any, Dict, Iterator

import pytest
from ansible_collections.fleet.tmux.tests.attacks import fuzz, honest
from ansible_collections.fleet.tmux.tests.attacks.honest import Honest
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    Tmux,
    at,
    default_directory,
    directory,
    info,
    module,
    prune,
    removed,
    together,
)
from ansible_collections.fleet.tmux.tests.attacks.test_silent_files import silent
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, ROOT
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

OPTIONS: Dict[str, Any] = {"protect": honest.PROTECT, "timeout": "1s"}
ARCHIVE = "/tmp/archive"


@pytest.fixture
def user() -> Iterator[Honest]:
    """The honest one, whose sessions are removed, or kept, whatever hangs."""
    before = fuzz.of_root()
    made = Honest()
    yield made
    assert sorted(made.tmux.names()) == sorted(honest.KEPT)
    made.close()
    eventually(lambda: not fuzz.of_root() - before, "what was given up ends as soon as the kernel lets it go")


def test_a_folder_that_is_named_like_a_users(user: Honest) -> None:
    """Nobody's servers are there: that it is not looked at is told, and all users are seen to, its owner too."""
    hers = Tmux(ALICE).start("hers")
    with silent(ALICE, directory("/tmp/tmux-70000", ALICE, 0o755)):
        plan, done = (prune(check=check, **OPTIONS) for check in (True, False))
    for result in (plan, done):
        assert user.told(result) == user.expected()
        assert ("alice", "hers") in removed(result)
        assert at(result, "/tmp/tmux-70000")["status"] == "unreachable"
    assert hers.names() == []


def test_a_home(user: Honest) -> None:
    """The tmux client itself looks there for its configuration, so it is its owner's servers that are silent."""
    hers = Tmux(ALICE).start("hers")
    with silent(ALICE, ALICE.home):
        done = prune(**OPTIONS)
    assert user.told(done) == user.expected()
    assert at(done, hers.path)["status"] == "hung"
    assert hers.names() == ["hers"]


def test_a_folder_of_snapshots(user: Honest) -> None:
    """What cannot be saved is kept; the snapshots of others are made, and those of others tidied."""
    folder = os.path.join(directory(ARCHIVE, ROOT, 0o755), "alice")
    hers = Tmux(ALICE).start("hers")
    with silent(ALICE, directory(folder, ALICE)):
        done = prune(snapshot_dir=ARCHIVE, snapshot_keep={"count": 1}, **OPTIONS)
    assert user.told(done) == user.expected()
    saved = [item["snapshot"] for item in done["removed"] if item["owner"] == "bob"]
    assert len(saved) == len(user.idle) and all(os.path.isdir(path) for path in saved)
    assert ("alice", "hers") not in removed(done)
    assert hers.names() == ["hers"]


def test_a_path_that_was_asked_for(user: Honest) -> None:
    path = os.path.join(default_directory(ALICE), "default")
    hers = Tmux(ALICE).start("hers")
    with silent(ALICE, os.path.dirname(path)):
        states: Dict[str, Any] = {"socket_path": path, "name": ["hers"], "timeout": "1s"}
        asked = together(
            [
                lambda: info(socket_path=path, timeout="1s"),
                lambda: prune(socket_path=path, timeout="1s"),
                lambda: module("tmux_session", state="present", **states),
                lambda: module("tmux_session", state="absent", **states),
            ]
        )
    for result in asked:
        assert result["failed"] and "within" in result["msg"]
    assert hers.names() == ["hers"]
    prune(**OPTIONS)
