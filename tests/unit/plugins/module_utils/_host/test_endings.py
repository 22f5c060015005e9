# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a process is noticed, with the kernel's help and without."""

import os
import subprocess
import threading
import time
from typing import Iterator, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import endings
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, read_process
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE


@pytest.fixture(params=["handles", "looks"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "looks":
        monkeypatch.setattr(endings, "_handle", lambda pid: None)
    return str(request.param)


@pytest.fixture
def cats() -> Iterator[List["subprocess.Popen[bytes]"]]:
    started = [subprocess.Popen(["cat"], stdin=subprocess.PIPE) for _number in range(2)]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def processes(started: List["subprocess.Popen[bytes]"]) -> List[Process]:
    found = [read_process(process.pid) for process in started]
    return [process for process in found if process is not None]


def test_the_one_that_ends_is_told(way: str, cats: List["subprocess.Popen[bytes]"]) -> None:
    watched = processes(cats)
    timer = threading.Timer(0.2, cats[1].kill)
    timer.start()
    assert endings.until_one_ends(watched, PATIENCE) == [watched[1]], "though nobody has waited for it"
    timer.join()
    assert endings.until_one_ends(watched, PATIENCE) == [watched[1]], "at once"


def test_a_pid_that_has_another_holder_has_ended(way: str, cats: List["subprocess.Popen[bytes]"]) -> None:
    watched = processes(cats)
    other = watched[0]._replace(started=watched[0].started + 1)
    assert endings.until_one_ends([other, watched[1]], PATIENCE) == [other]


@pytest.mark.parametrize("number", [0, 2])
def test_time_passes(way: str, cats: List["subprocess.Popen[bytes]"], number: int) -> None:
    start = time.monotonic()
    assert endings.until_one_ends(processes(cats)[:number], 0.3) == []
    assert time.monotonic() - start >= 0.3


def test_no_handle_is_left_open_and_few_are_taken(
    monkeypatch: pytest.MonkeyPatch, cats: List["subprocess.Popen[bytes]"]
) -> None:
    monkeypatch.setattr(endings, "HANDLES", 1)
    before = sorted(os.listdir("/proc/self/fd"))
    taken: List[Optional[int]] = []
    original = endings._handle

    def instead(pid: int) -> Optional[int]:
        taken.append(pid)
        return original(pid)

    monkeypatch.setattr(endings, "_handle", instead)
    assert endings.until_one_ends(processes(cats), 0.1) == []
    assert taken == [cats[0].pid]
    cats[1].kill()
    assert [process.pid for process in endings.until_one_ends(processes(cats), PATIENCE)] == [cats[1].pid]
    assert sorted(os.listdir("/proc/self/fd")) == before
