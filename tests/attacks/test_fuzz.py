# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Some rounds of the fuzzer, which `make explore` plays for as long as one likes (see fuzz.py)."""

import random

import pytest
from ansible_collections.fleet.tmux.tests.attacks import fuzz, nonsense


@pytest.mark.parametrize("seed", [3, 10])
def test_what_hostile_users_do_by_chance(seed: int) -> None:
    print(fuzz.play(seed, users=4))


def test_the_same_seed_makes_the_same_nonsense() -> None:
    """What a round has found can be looked at again."""
    facts = {"pids": [2, 3], "program": "/tmp/none", "socket": "/tmp/none"}
    words = ["list-panes", "-a", "-F", "0123456789abcdef|p#{session_id},#{pane_pid},#{==:#{pane_id},x}"]
    for seed in map(str, range(20)):
        drawn = [random.Random(seed) for _time in range(2)]
        first, second = (nonsense.World(draw, nonsense.shape(draw), facts) for draw in drawn)
        first.clock = second.clock
        assert first.form == second.form
        assert first.lists(words) == second.lists(words)
