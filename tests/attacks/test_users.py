# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real users with real servers: all of them are found, by whom and where they should be, and pruned as their owners."""

from ansible_collections.fleet.tmux.tests.attacks.realm import ALICE, BOB, Tmux, prune, removed


def test_two_users_are_pruned_in_one_run() -> None:
    for account in (ALICE, BOB):
        Tmux(account).start("a", "b")
    result = prune()
    assert removed(result) == [("alice", "a"), ("alice", "b"), ("bob", "a"), ("bob", "b")]
