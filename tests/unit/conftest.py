# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers for tests, and how property-based tests look for examples."""

import subprocess
from typing import Iterator

import pytest
from ansible_collections.fleet.tmux.tests.unit.world import World, binaries
from hypothesis import HealthCheck, settings

_COMMON = {"deadline": None, "database": None, "suppress_health_check": [HealthCheck.too_slow]}
# The same examples in every run: a check that fails must fail again. `--hypothesis-profile=explore` looks for new ones.
settings.register_profile("same", settings(derandomize=True, **_COMMON))  # type: ignore[arg-type]
settings.register_profile("explore", settings(max_examples=2000, **_COMMON))  # type: ignore[arg-type]
settings.load_profile("same")


def _label(binary: str) -> str:
    said = subprocess.run([binary, "-V"], stdout=subprocess.PIPE, check=True).stdout.decode("ascii")
    return said.strip().replace(" ", "-")


_BINARIES = binaries()
_LABELS = [_label(binary) for binary in _BINARIES]


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
