# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose start is a sign."""

from typing import Any, List

from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.starts import starts
from ansible_collections.fleet.tmux.tests.support.scenes import FOR_CHILD, POLLS, SHOWING, Told, one, session, shell


def programs(*known: Any) -> List[str]:
    scene = Told(*known)
    roles = cast(session(), tuple(each.process for each in known), scene, SHOWING.__contains__)
    return [sign.program for sign in starts(roles, scene)]


def test_the_newest_process_that_counts() -> None:
    job = one(100, 50, "bash job.sh", wait=FOR_CHILD, started=5), one(101, 100, "make", started=7)
    assert programs(*job, one(102, 101, "cc", started=9)) == ["cc"]
    assert programs(*job, one(102, 101, "cc", started=9, state="Z")) == ["make"]


def test_what_only_shows_counts_when_it_was_opened() -> None:
    """Not each time that it starts something itself."""
    behind = shell(foreground=False)
    opened = one(101, 100, "watch date", started=7)
    assert programs(behind, opened, one(102, 101, "date", started=9)) == ["watch"]
    assert programs(shell(), one(101, 100, "less file", started=7, state="T", foreground=False)) == []


def test_a_prompt_has_no_start() -> None:
    assert programs(shell()) == []
    assert programs(shell(foreground=False), one(101, 100, "python3", raw=True, wait=POLLS)) == []


def test_others_show_none() -> None:
    assert programs(shell(), one(101, 100, "make", uid=0, started=-7, terminal=0)) == []
