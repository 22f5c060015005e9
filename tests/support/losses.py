# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A test of something that tmux itself loses at times may be run again; no other test ever is.

    @pytest.mark.tmux_loses("3.3a loses an exit status in about 1 of 50 quick ends")

Each rerun is counted and shown. With CI set, more of them than BUDGET in one run are a failure: then it is more than
what tmux loses.
"""

import os
from typing import Any, List, Optional

import pytest
from _pytest.runner import runtestprotocol

TRIES = 3
"""How often a marked test is run at most."""
BUDGET = 3
"""How many reruns of all tests together CI forgives."""


class Losses:
    """A plugin of pytest."""

    def __init__(self) -> None:
        self.reruns: List[str] = []

    @property
    def too_many(self) -> bool:
        return bool(os.environ.get("CI")) and len(self.reruns) > BUDGET

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: List[Any]) -> None:
        for item in items:
            marker = item.get_closest_marker("tmux_loses")
            if marker and not _reason(marker):
                raise pytest.UsageError("%s: tmux_loses wants to be told what tmux loses" % item.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> Optional[bool]:
        marker = item.get_closest_marker("tmux_loses")
        if marker is None:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for _try in range(TRIES - 1):
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
            if not any(report.failed and report.when == "call" for report in reports):
                break
            self.reruns.append("%s: %s" % (item.nodeid, _reason(marker)))
        else:
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: Any) -> None:
        if self.too_many and session.exitstatus == 0:
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.reruns:
            terminalreporter.section("run again, %d times" % len(self.reruns))
            for line in self.reruns:
                terminalreporter.line(line)
        if self.too_many:
            terminalreporter.line("CI is set, and more than %d reruns are a failure." % BUDGET, red=True)


def _reason(marker: Any) -> str:
    return str(marker.args[0]) if marker.args else ""


def pytest_configure(config: Any) -> None:
    """Set it up: for a conftest.py to import."""
    config.addinivalue_line("markers", "tmux_loses(reason): what this tests is lost by tmux itself at times")
    config.pluginmanager.register(Losses(), "losses")
