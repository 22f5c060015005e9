# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that a server itself runs: it speaks with that server when ours is missing, or speaks otherwise.

It is run as the server's owner and is held to what the server is held to, as ours is, so a false one wins nothing.
"""

import os
import stat

from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process


class Unfit(Exception):
    """A program that is not run. The message says why, as the end of a sentence."""


def program_of(process: Process) -> str:
    """The path by which the program can be run that a process executes, also when its file has been replaced since.

    :raises Unfit: unless it belongs to root, or to whoever runs us, and nobody else may write to it.
    """
    found = proctable.program(process)
    if found is None:
        raise Unfit("the program that it runs cannot be looked at")
    if not stat.S_ISREG(found.file.st_mode) or found.file.st_uid not in (0, os.geteuid()):
        raise Unfit("the program that it runs is not root's")
    if found.file.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Unfit("others than its owner may write to the program that it runs")
    return "%s/%d/exe" % (proctable.PROC, process.pid)


def executes(process: Process, path: str) -> bool:
    """Whether a process executes the very file that is at ``path`` now."""
    found = proctable.program(process)
    try:
        return found is not None and os.path.samestat(found.file, os.stat(path))
    except OSError:
        return False  # It may have been replaced this moment.
