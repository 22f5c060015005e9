# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logs of panes as the kernel and their owner see them, and names that somebody might give them."""

import os
from pathlib import Path
from typing import List

NAMES = [
    "plain.log",
    "two words",
    "'; touch ran; '",
    '"; touch ran; "',
    "$(touch ran)`touch ran`",
    "#(touch ran)",
    "%Y-%m-%d %%",
    "#{pid} ##{x} #S",
    "#[bg=red] ##[x] }{,",
    "back\\slash \\$x",
    "$HOME ~ *",
    "ends;",
    "&& touch ran #",
    "é🙂",
    "-n",
    "x" * 200,
]
"""Names of files that would do something if anybody read them as text for a shell, or as a format."""


def holders(path: str) -> List[str]:
    """The processes that have a file open."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            links = [os.readlink(f"/proc/{pid}/fd/{handle}") for handle in os.listdir(f"/proc/{pid}/fd")]
        except OSError:
            continue
        found += [pid] if path in links else []
    return found


def told(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def tells(path: str, word: str) -> bool:
    """Whether that is in a file; while one is put aside, there is none for a moment."""
    try:
        return word in told(path)
    except FileNotFoundError:
        return False
