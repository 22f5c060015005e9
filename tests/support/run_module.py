# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module as Ansible would on the host: ``run_module.py NAME``, its parameters as JSON on stdin."""

import importlib
import sys
import time

from ansible.module_utils import basic

SINCE_BOOT = 7
"""CLOCK_BOOTTIME."""
AHEAD = 2
"""Seconds that the clock of the module is ahead, so that a session that was made this moment is idle for a second."""


def main(name: str) -> None:
    basic._ANSIBLE_ARGS = sys.stdin.buffer.read()
    basic._ANSIBLE_PROFILE = "legacy"
    real, counted = time.time, time.clock_gettime
    time.time = lambda: real() + AHEAD
    # As if the system had been started so much earlier: when a process was started stays what it is.
    time.clock_gettime = lambda clock: counted(clock) + (AHEAD if clock == SINCE_BOOT else 0)
    importlib.import_module("ansible_collections.fleet.tmux.plugins.modules." + name).main()


if __name__ == "__main__":
    main(sys.argv[1])
