# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose output it is that a window had."""

from typing import Set, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._signs.motion import shown_since
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import cast
from ansible_collections.fleet.tmux.tests.support.scenes import PANE, SHOWING, Known, Told, one, session, shell

SHELL = shell(foreground=False)
TOP = one(101, PANE, "top")
JOB = one(102, PANE, "python3 job.py", foreground=False)
ALL = {PANE, 101, 102}


@pytest.mark.parametrize(
    ("known", "began", "shown"),
    [
        ((SHELL, TOP), ALL, True),
        ((SHELL, TOP), {PANE}, False),  # What the window had before it may have been work.
        ((SHELL, TOP, JOB), ALL, False),  # The job may have printed.
        ((shell(),), ALL, False),  # The shell may have had one that has ended.
        ((shell(), one(101, PANE, "top", foreground=False)), ALL, False),  # In the background it shows nothing.
    ],
)
def test_all_output_is_of_what_has_only_shown_all_the_time(
    known: Tuple[Known, ...], began: Set[int], shown: bool
) -> None:
    scene = Told(*known)
    it = session()
    roles = cast(it, tuple(each.process for each in known), scene, SHOWING.__contains__)
    windows = frozenset(window.id for window in it.windows) if shown else frozenset()
    assert shown_since(it, roles, scene.processes, began) == windows


@pytest.mark.parametrize(("line", "counts"), [("watch ls", False), ("bash", True)])
def test_who_came_while_somebody_looked_counts_but_below_what_shows(line: str, counts: bool) -> None:
    """``watch`` starts something now and then, which is not there when its session is looked at."""
    known = (SHELL, one(101, PANE, line))
    scene = Told(*known, one(102, 101, "sh", foreground=False))
    roles = cast(session(), tuple(each.process for each in known), scene, SHOWING.__contains__)
    shown = shown_since(session(), roles, scene.processes, ALL)
    assert bool(shown) is not counts
