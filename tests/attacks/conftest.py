# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every test begins in the same small world, and leaves no process behind."""

import os
from typing import Iterator

import pytest
from ansible_collections.fleet.tmux.tests.attacks import inside, realm


def pytest_configure() -> None:
    with open("/proc/1/cmdline", "rb") as handle:
        first = handle.read().split(b"\0")
    if inside.MARK not in os.environ or not any(word.endswith(b"/inside.py") for word in first):
        raise pytest.UsageError(
            "These tests attack root, in a world of their own: run `make attacks` as root, "
            "or `python tests/attacks/inside.py python -m pytest tests/attacks`"
        )


@pytest.fixture(autouse=True)
def small_world() -> Iterator[None]:
    realm.end_everything()
    realm.furnish()
    yield
    realm.end_everything()
