# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet for the tests of this folder."""

import os
import sys
from pathlib import Path
from typing import Iterator

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from engine import missing, why_not
from fleet import Fleet
from runs import Controller, end_sessions


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
def quartet(possible: None) -> Iterator[Fleet]:
    """One host of each release, for runs over all of them."""
    with Fleet() as made:
        yield made


@pytest.fixture
def four(quartet: Fleet) -> Iterator[Fleet]:
    """These, without any session before and after."""
    yield quartet
    quartet.each(end_sessions)


@pytest.fixture
def controller(four: Fleet, tmp_path: Path) -> Controller:
    """Somebody who cleans them up."""
    return Controller(four, tmp_path)
