# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet for the tests of this folder."""

from pathlib import Path
from typing import Iterator

import pytest
from ansible_collections.fleet.tmux.tests.fleet.engine import missing, why_not
from ansible_collections.fleet.tmux.tests.fleet.fleet import Fleet
from ansible_collections.fleet.tmux.tests.fleet.runs import Controller


@pytest.fixture(scope="session")
def possible() -> None:
    """Here a fleet can be brought up. What is not installed is a failure: .ci/setup-system installs it."""
    if why_not():
        pytest.skip("left out: needs root (%s)" % why_not())
    if missing():
        pytest.fail("please install: %s" % " ".join(missing()))


@pytest.fixture(scope="session")
def fleet(possible: None) -> Iterator[Fleet]:
    """One host of each release, for all tests."""
    with Fleet() as made:
        yield made


@pytest.fixture(scope="session")
def four(possible: None) -> Iterator[Fleet]:
    """One host of each release, for runs over all of them; a test says which sessions it wants there."""
    with Fleet() as made:
        yield made


@pytest.fixture
def controller(four: Fleet, tmp_path: Path) -> Controller:
    """Somebody who cleans them up."""
    return Controller(four, tmp_path)
