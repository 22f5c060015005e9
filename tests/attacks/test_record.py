# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host without a system log: root's file has what was removed of whom."""

import os
from pathlib import Path
from typing import List

from ansible_collections.fleet.tmux.tests.attacks.realm import Tmux, mode_of, module, prune, removed
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB

FILE = Path("/var/log/fleet-tmux.log")


def lines() -> List[str]:
    return [line.partition("]: ")[2] for line in FILE.read_text(encoding="utf-8").splitlines()]


def forget() -> None:
    if FILE.exists():
        FILE.unlink()


def test_what_is_removed_of_everybody_is_in_it() -> None:
    forget()
    for account in (ALICE, BOB):
        Tmux(account).start("idle")
    assert len(removed(prune(check=True, idle="1s"))) == 2 and not FILE.exists()
    result = prune(protect=["keep"])
    assert result["warnings"] == [] and len(removed(result)) == 2
    for account in (ALICE, BOB):
        before, after = [line for line in lines() if " of %s: " % account.name in line]
        who, at = 'session "idle" ($0) of %s: idle: ' % account.name, 'at "/tmp/tmux-%d/default"' % account.uid
        assert before.startswith("about to remove " + who)
        assert before.endswith("; %s; policy: idle=1s protect=keep" % at)
        assert after.startswith("removed " + who) and after.endswith("; " + at)
    assert (mode_of(str(FILE)), FILE.stat().st_uid) == (0o600, 0)


def test_what_a_task_declares_away_is_in_it_too() -> None:
    forget()
    server = Tmux(ALICE).start("job", "stays")
    gone = module("tmux_session", socket_path=server.path, name=["job"], state="absent")
    assert [item["name"] for item in gone["removed"]] == ["job"]
    assert [line.partition(";")[0] for line in lines()] == [
        'about to remove session "job" ($0) of alice: by its declared state',
        'removed session "job" ($0) of alice: by its declared state',
    ]
    assert "policy: state=absent" in lines()[0]


def test_what_stands_in_its_place_is_not_written_to_and_costs_a_word() -> None:
    forget()
    Tmux(ALICE).start("idle")
    os.symlink("/tmp/vault/secret", str(FILE))
    try:
        result = prune()
    finally:
        forget()
    assert removed(result) == [("alice", "idle")]
    (said,) = result["warnings"]
    assert said.startswith("not all was written to the system log (/dev/log: ")


def test_who_is_not_root_has_no_file_and_is_not_told_so_in_each_run() -> None:
    forget()
    Tmux(ALICE).start("idle")
    result = module("tmux_session_prune", ALICE, idle="1s", protect=[])
    assert removed(result) == [("alice", "idle")] and not FILE.exists()
    assert result["warnings"] == []
    Tmux(ALICE).start("job")
    gone = module("tmux_session", ALICE, name=["job"], state="absent")
    assert [item["name"] for item in gone["removed"]] == ["job"]
    assert (gone.get("warnings", []), "trouble" in gone) == ([], False)
