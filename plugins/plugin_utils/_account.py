# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hosts a cleanup has begun with and is done with, in a file for whoever started it.

Of a run that is broken off, this is what is known on the controller: `make cleanup` reads it then.
"""

import json
import os
from typing import Mapping, Optional

FILE = "FLEET_TMUX_CLEANUP_ACCOUNT"
"""The variable of the environment that names the file."""
HOSTS, BEGUN, DONE = "hosts", "begun", "done"


class Account:
    """The file, if there is one; that it cannot be written must not cost anybody the run."""

    def __init__(self, environ: Optional[Mapping[str, str]] = None) -> None:
        self._path: Optional[str] = (os.environ if environ is None else environ).get(FILE) or None

    def expect(self, hosts: Optional[int]) -> None:
        """So many hosts are to be cleaned up; None if nobody knows."""
        self._write(HOSTS, hosts)

    def begun(self, host: str) -> None:
        """From now on, something may be done on this host."""
        self._write(BEGUN, host)

    def done(self, host: str) -> None:
        """It has told what was done."""
        self._write(DONE, host)

    def _write(self, event: str, what: object) -> None:
        if self._path is None:
            return
        try:
            with open(self._path, "a", encoding="ascii") as file:
                file.write(json.dumps([event, what]) + "\n")
        except OSError:
            self._path = None
