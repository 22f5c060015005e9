# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small world for each test."""

from pathlib import Path
from typing import Iterator

import pytest
from ansible_collections.fleet.tmux.tests.support.namespaces import why_not
from ansible_collections.fleet.tmux.tests.system.place import Place

_WHY_NOT = why_not()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A world whose tmux servers are all its own."""
    if _WHY_NOT:
        pytest.skip("left out: needs root, with the right to make namespaces (%s)" % _WHY_NOT)
    stage = tmp_path / "stage"
    stage.mkdir()
    world = Place(stage)
    try:
        yield world
    finally:
        world.stop()
