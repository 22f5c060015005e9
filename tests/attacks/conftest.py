# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every test begins in the same small world, and leaves no process behind."""

from typing import Iterator

import pytest
from ansible_collections.fleet.tmux.tests.attacks import realm
from ansible_collections.fleet.tmux.tests.support import namespaces


def pytest_configure() -> None:
    if not namespaces.entered():
        raise pytest.UsageError(
            "These tests attack root, in a world of their own: run `make attacks` as root, "
            "or `python tests/support/namespaces.py python -m pytest tests/attacks`"
        )


@pytest.fixture(autouse=True)
def small_world() -> Iterator[None]:
    realm.end_everything()
    realm.furnish()
    yield
    realm.end_everything()
