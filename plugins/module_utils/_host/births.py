# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With what words and variables a process has become the program that it is, as the kernel keeps them.

A program may change both in its own memory, where the kernel reads them.
"""

import os
from typing import List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import PROC, Process, read_file
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import encoded, to_text

_BYTES = 262144
"""Of more than that, nothing is told."""


class Birth(NamedTuple):
    """``program``: the path of what it executes. ``in_order``: whether its variables come in the order of their names.

    The variables are as secret as those that they are compared with.
    """

    words: Tuple[str, ...]
    variables: Mapping[str, str]
    in_order: bool
    program: str

    @property
    def is_programs(self) -> bool:
        """Whether the program is called as its first word is."""
        return os.path.basename(self.words[0]) == os.path.basename(self.program)

    @property
    def is_shells(self) -> bool:
        """Whether a shell has become it. Some of them order their variables, too, but note what they become."""
        noted = os.path.basename(self.variables.get("_", ""))
        return not self.in_order or noted == os.path.basename(self.program)


def birth_of(process: Process, uid: int) -> Optional[Birth]:
    """None where it is not told, is not a process of that user any more, or was changed since."""
    try:
        folder = os.open("%s/%d" % (PROC, process.pid), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if process.is_others or os.fstat(folder).st_uid != uid:
            return None
        words = read_file("cmdline", _BYTES, folder)
        variables = read_file("environ", _BYTES, folder)
        program = os.readlink("exe", dir_fd=folder)
        if words != read_file("cmdline", _BYTES, folder):
            return None  # It has become something else meanwhile.
    except OSError:
        return None
    finally:
        os.close(folder)
    told, pairs = _entries(words), _entries(variables)
    if not told or not all("=" in pair for pair in pairs):
        return None
    found = dict(pair.split("=", 1) for pair in pairs)
    names = [encoded(name) for name in found]
    return Birth(tuple(told), found, names == sorted(names), program)


def _entries(text: bytes) -> List[str]:
    """What ends with a null each; nothing where that is not so."""
    entries = text.split(b"\0")
    whole = len(text) < _BYTES and not entries.pop()
    return [to_text(entry) for entry in entries] if whole else []
