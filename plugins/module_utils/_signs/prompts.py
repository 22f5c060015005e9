# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which shells of one owner wait for somebody to type, and do nothing else."""

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes
from ansible_collections.fleet.tmux.plugins.module_utils._host.terminals import is_terminal
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import Refused, Scene
from ansible_collections.fleet.tmux.plugins.module_utils._signs.shells import is_shell, is_told_nothing

_EDITORS = frozenset("bash rbash zsh rzsh fish tcsh".split())
"""Shells that edit a line at their prompt, so that they have each key at once there, and only there."""


class Prompts:
    """Looks at shells with the rights of their owner."""

    def __init__(self, processes: Processes, user: User) -> None:
        self._scene = Scene(processes, user)

    def is_interactive(self, process: Process) -> bool:
        """Whether a process is a shell in which somebody may have typed; where that cannot be known, it may be one."""
        try:
            return is_shell(process.command) and is_told_nothing(process.command, self._scene.words(process))
        except Refused:
            return True

    def is_busy(self, process: Process) -> bool:
        """Whether such a shell does something by itself, like a loop, and would read from its terminal after that."""
        return self.is_interactive(process) and self._reads_terminal(process) and not self.waits(process)

    def waits(self, process: Process) -> bool:
        """Whether a process is such a shell, and waits at its prompt; where that cannot be known, it does not."""
        if not is_shell(process.command) or process.state != "S" or not process.is_foreground:
            return False
        try:
            told_nothing = is_told_nothing(process.command, self._scene.words(process))
        except Refused:
            return False
        edits = process.command.lstrip("-") not in _EDITORS or self._scene.is_raw(process) is True
        return told_nothing and edits and self._reads_terminal(process)

    def _reads_terminal(self, process: Process) -> bool:
        """Whether the input of a process is a terminal, and not a file or a pipe with a script."""
        try:
            return is_terminal(self._scene.link(process, 0))
        except Refused:
            return False
