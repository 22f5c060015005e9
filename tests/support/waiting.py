# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for a state, never for time."""

import time
from typing import Callable, TypeVar

PATIENCE = 600.0
"""Seconds after which something will not happen any more. Only a test that fails waits so long."""

_Value = TypeVar("_Value")


def eventually(look: Callable[[], _Value], what: str) -> _Value:
    """Wait until ``look`` returns something true, and return that."""
    deadline = time.monotonic() + PATIENCE
    pause = 0.005
    while True:
        value = look()
        if value:
            return value
        assert time.monotonic() < deadline, "this never happened: %s" % what
        time.sleep(pause)
        pause = min(pause * 1.2, 0.1)
