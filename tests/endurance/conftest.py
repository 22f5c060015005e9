# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers for tests that last longer."""

from typing import Iterator

import pytest
from ansible_collections.fleet.tmux.tests.support.programs import binaries
from ansible_collections.fleet.tmux.tests.support.world import World


@pytest.fixture
def world() -> Iterator[World]:
    """A place for one server."""
    made = World(binaries()[0])
    try:
        yield made
    finally:
        made.stop()
