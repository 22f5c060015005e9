# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs of this machine that tests run."""

import os
import re
import shutil
import subprocess
from typing import List, Tuple


def program(*names: str) -> str:
    """The first of these programs that is installed."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise FileNotFoundError("none of these programs is installed: %s" % ", ".join(names))


def binaries() -> List[str]:
    """The tmux of this machine, and further ones from the environment."""
    found = shutil.which("tmux")
    more = [path for path in os.environ.get("FLEET_TMUX_BINARIES", "").split(os.pathsep) if path]
    every = list(dict.fromkeys(([found] if found else []) + more))
    if not every:
        raise FileNotFoundError("these tests need tmux: install it, or name binaries in FLEET_TMUX_BINARIES")
    return every


def label(binary: str) -> str:
    """What a tmux calls itself, as the id of a test."""
    said = subprocess.run([binary, "-V"], stdout=subprocess.PIPE, check=True).stdout.decode("ascii")
    return said.strip().replace(" ", "-")


def version_of(binary: str) -> Tuple[int, int]:
    found = re.search(r"([0-9]+)\.([0-9])", label(binary))  # One calls itself 2.7-rc.
    assert found is not None, binary
    return int(found.group(1)), int(found.group(2))
