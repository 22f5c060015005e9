# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of tmux_session_prune in processes of their own, which begin at once because all is imported already."""

import importlib
import json
import os
import signal
import sys
import tempfile
import time
from typing import Any, Dict, List, NamedTuple, NoReturn

from ansible.module_utils import basic
from ansible_collections.fleet.tmux.tests.support.processes import started
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

MODULE = importlib.import_module("ansible_collections.fleet.tmux.plugins.modules.tmux_session_prune")


class Running(NamedTuple):
    """A run that has begun. ``output``: where it writes its result."""

    pid: int
    output: str

    def result(self) -> Dict[str, Any]:
        """Wait until it has ended, and read what it returns."""
        eventually(self.ended, "the run ends")
        with open(self.output, encoding="utf-8") as stream:
            text = stream.read()
        os.unlink(self.output)
        return dict(json.loads(text.strip().splitlines()[-1]))

    def ended(self) -> bool:
        return os.waitpid(self.pid, os.WNOHANG)[0] == self.pid

    def children(self) -> List[int]:
        with open("/proc/%d/task/%d/children" % (self.pid, self.pid)) as stream:
            return [int(word) for word in stream.read().split()]

    def kill(self, with_clients: bool) -> bool:
        """Kill it at once, like a power failure would, and maybe its clients: False if it had ended by itself."""
        os.kill(self.pid, signal.SIGSTOP)
        clients = [(pid, started(pid)) for pid in self.children()]
        for pid, _since in clients if with_clients else ():
            os.kill(pid, signal.SIGKILL)
        os.kill(self.pid, signal.SIGKILL)
        _pid, status = os.waitpid(self.pid, 0)
        # What a client does that has lost its parent still belongs to this run.
        eventually(lambda: all(started(pid) in (None, "") or started(pid) != since for pid, since in clients), "ends")
        os.unlink(self.output)
        return os.WIFSIGNALED(status)


def begin(world: World, **params: Any) -> Running:
    """Begin a run on the server of a world."""
    params.update(socket_path=world.path, executable=world.binary, timeout="%ds" % PATIENCE)
    handle, output = tempfile.mkstemp(prefix="fleet-run-")
    pid = os.fork()
    if pid == 0:
        _be_the_module(handle, params)
    os.close(handle)
    return Running(pid, output)


def _be_the_module(output: int, params: Dict[str, Any]) -> NoReturn:
    status = 1
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        # pytest has put its own in their place.
        sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": params}).encode()
        basic._ANSIBLE_PROFILE = "legacy"
        MODULE.main()
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        sys.stdout.flush()
        os._exit(status)


def run(world: World, **params: Any) -> Dict[str, Any]:
    """One undisturbed run."""
    return begin(world, **params).result()


def lasting(world: World, **params: Any) -> float:
    """How long an undisturbed run takes now."""
    start = time.monotonic()
    run(world, **params)
    return time.monotonic() - start
