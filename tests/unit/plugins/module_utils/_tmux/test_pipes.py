# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server has just started becomes what writes a log, and nobody else is waited for."""

from typing import Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import pipes
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.pipes import written

SERVER, CHILD, UID = 100, 101, 1000


def table_with(command: str) -> Dict[int, Process]:
    server = Process(SERVER, 1, SERVER, "S", 10, 0, 0, "tmux: server", UID)
    return {SERVER: server, CHILD: server._replace(pid=CHILD, ppid=SERVER, started=20, command=command)}


@pytest.mark.parametrize(
    "command, age, waits",
    [("tmux: server", 0.0, True), ("tmux: server", 4.0, True), ("tmux: server", 6.0, False), ("sh", 0.0, False)],
)
def test_who_is_called_like_its_server_is_waited_for_while_it_is_new(
    monkeypatch: pytest.MonkeyPatch, command: str, age: float, waits: bool
) -> None:
    waited: List[float] = []
    monkeypatch.setattr(proctable, "read_table", lambda _uids: (table_with(command), []))
    monkeypatch.setattr(pipes, "_words", lambda _process: [])
    monkeypatch.setattr(proctable, "age", lambda _process: age + sum(waited))
    monkeypatch.setattr(proctable, "wait", waited.append)
    assert written(SERVER, UID, {"%1": "/log"}) == {"%1": False}
    assert bool(waited) is waits and age + sum(waited) < 6.01
