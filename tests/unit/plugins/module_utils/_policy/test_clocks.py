# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every clock of the table counts as what it tells of, in idleness and in evidence, and is named nowhere else."""

import ast
from pathlib import Path
from typing import Dict, Optional, Set

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy import clocks
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.fields import CLOCKS, CREATED, INPUT, OUTPUT, Field
from ansible_collections.fleet.tmux.tests.support.sessions import NOW, clock_at

OLD = NOW - 1000
COUNTS: Dict[Optional[str], Set[str]] = {
    CREATED: {"any", "input", "output"},
    INPUT: {"any", "input"},
    OUTPUT: {"any", "output"},
}


@pytest.mark.parametrize("clock", CLOCKS, ids=lambda clock: str(clock.name))
def test_a_clock_counts_as_what_it_tells_of(clock: Field) -> None:
    session = clock_at(clock, NOW - 5)
    counts = {activity for activity in clocks.KINDS if clocks.last_activity(session, activity) == NOW - 5}
    assert counts == COUNTS[clock.kind]
    assert all(clocks.last_activity(session, activity) == OLD for activity in set(clocks.KINDS) - counts)
    assert clocks.newest_clock(session) == NOW - 5
    assert clocks.idle_seconds(session, "any", NOW) == 5


@pytest.mark.parametrize("clock", CLOCKS, ids=lambda clock: str(clock.name))
def test_a_clock_is_in_the_evidence_under_its_word(clock: Field) -> None:
    assert clocks.evidence(clock_at(clock, NOW - 5))[clock.word] == NOW - 5


def test_a_clock_that_never_moved_is_null() -> None:
    last = next(clock for clock in CLOCKS if clock.empty)
    session = clock_at(last, NOW)
    never = session._replace(clocks=dict(session.clocks, **{last.name: None}))
    assert clocks.evidence(never)[last.word] is None
    assert clocks.newest_clock(never) == OLD


def test_the_room_of_clocks_names_none() -> None:
    tree = ast.parse(Path(clocks.__file__).read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert texts & {clock.name for clock in CLOCKS} == set()
