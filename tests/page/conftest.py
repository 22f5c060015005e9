# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real browser that shows pages, and how property-based tests look for examples."""

import tempfile
from pathlib import Path
from typing import Iterator

import pytest
from ansible_collections.fleet.tmux.tests.page.screen import Screen, browser
from ansible_collections.fleet.tmux.tests.support import examples
from selenium.webdriver import Chrome

examples.load()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chrome]:
    # Its last process may still write while the folder is removed.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        driver = browser(Path(profile))
        yield driver
        driver.quit()


@pytest.fixture
def screen(chromium: Chrome, tmp_path: Path) -> Iterator[Screen]:
    """A desk in light mode, with nothing on it; whatever it showed had neither errors nor requests."""
    made = Screen(chromium, tmp_path / "report.html")
    made.reset()
    yield made
    assert made.complaints() == []
    assert made.requests() == []
