# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the programs that servers run may speak with them."""

import os
import stat
import sys

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Program
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.programs import Unfit, executes, program_of

PROCESS = Process(4711, 1, 4711, "S", 5, 0, 0, "tmux: server")
FILE, FOLDER = stat.S_IFREG | 0o755, stat.S_IFDIR | 0o755


def runs(monkeypatch: pytest.MonkeyPatch, uid: int, mode: int) -> None:
    values = {0: mode, 4: uid}
    found = os.stat_result([values.get(number, value) for number, value in enumerate(os.stat(os.__file__))])
    monkeypatch.setattr(proctable, "program", lambda process: Program("tmux (deleted)", found))


@pytest.mark.parametrize("uid", [0, os.geteuid()])
@pytest.mark.parametrize("mode", [FILE, stat.S_IFREG | 0o111, stat.S_IFREG | 0o2755])
def test_what_is_roots_or_ours_is_run(monkeypatch: pytest.MonkeyPatch, uid: int, mode: int) -> None:
    runs(monkeypatch, uid, mode)
    assert program_of(PROCESS) == "/proc/4711/exe"


@pytest.mark.parametrize(
    "uid, mode, why",
    [
        (61999, FILE, "not root's"),
        (0, FOLDER, "not root's"),
        (0, FILE | stat.S_IWGRP, "may write"),
        (0, FILE | stat.S_IWOTH, "may write"),
    ],
)
def test_what_somebody_else_may_have_made_is_not(
    monkeypatch: pytest.MonkeyPatch, uid: int, mode: int, why: str
) -> None:
    runs(monkeypatch, uid, mode)
    with pytest.raises(Unfit, match=why):
        program_of(PROCESS)


def test_what_cannot_be_looked_at_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proctable, "program", lambda process: None)
    with pytest.raises(Unfit, match="cannot be looked at"):
        program_of(PROCESS)
    assert not executes(PROCESS, sys.executable)


def test_a_file_is_known_again_whatever_it_is_called() -> None:
    me = PROCESS._replace(pid=os.getpid())
    assert executes(me, sys.executable)
    assert not executes(me, "/")
    assert not executes(me, "/nowhere")
