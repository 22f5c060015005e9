# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every user has a turn of their own, and nobody has as many as they have user ids."""

from typing import Any, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._modules import owners
from ansible_collections.fleet.tmux.plugins.module_utils._modules.owners import NAMELESS, NO_ACCOUNT, apart


def nameless(number: int) -> List[User]:
    return [User(str(uid), uid, uid) for uid in range(100000, 100000 + number)]


NAMED = [User("anna", 1000, 1000), User("bert", 200000, 200000)]


@pytest.mark.parametrize("number", [0, 1, NAMELESS])
def test_every_user_is_seen_to_apart(number: int) -> None:
    users = [*nameless(number), *NAMED]
    assert [owner.key for owner in apart(users)] == [str(user.uid) for user in users]


def test_user_ids_without_an_account_beyond_a_number_are_one_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    found: List[str] = []

    def discover(_host: Any, user: User) -> List[Any]:
        found.append(user.name)
        return []

    monkeypatch.setattr(owners, "discover", discover)
    users = nameless(NAMELESS + 1000)
    chosen = apart([*users, *NAMED])
    assert [owner.name for owner in chosen[-3:]] == ["anna", "bert", NO_ACCOUNT] and len(chosen) == NAMELESS + 3
    for owner in chosen:
        owner.find(None)  # type: ignore[arg-type]
    assert sorted(found) == sorted(user.name for user in [*users, *NAMED]), "each once"
