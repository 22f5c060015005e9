# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers for tests."""

from typing import Iterator

import pytest
from ansible_collections.fleet.tmux.tests.support import examples
from ansible_collections.fleet.tmux.tests.support.losses import pytest_configure
from ansible_collections.fleet.tmux.tests.support.programs import binaries, label
from ansible_collections.fleet.tmux.tests.support.world import World

examples.load()
__all__ = ["pytest_configure"]  # whatever is run again is told


_BINARIES = binaries()
_LABELS = [label(binary) for binary in _BINARIES]


@pytest.fixture(params=_BINARIES, ids=_LABELS)
def absent(request: pytest.FixtureRequest) -> Iterator[World]:
    """A place for a server that is not there yet."""
    world = World(request.param)
    try:
        yield world
    finally:
        world.stop()


@pytest.fixture
def server(absent: World) -> World:
    """A server of its own with one session, ``first``."""
    absent.start()
    return absent


@pytest.fixture(scope="module", params=_BINARIES, ids=_LABELS)
def shared(request: pytest.FixtureRequest) -> Iterator[World]:
    """A server that the tests of one file share; they clean up after themselves."""
    world = World(request.param)
    try:
        world.start()
        yield world
    finally:
        world.stop()
