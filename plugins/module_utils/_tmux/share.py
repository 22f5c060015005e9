# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one owner may cost in a run: in waiting, in bytes, and in time over all."""

import contextlib
import time
from typing import Callable, Iterator, Optional

LEAST_SECONDS = 0.05
"""What a call is given that is begun in the last moment."""


class Share:
    """What the servers of one owner may cost in all calls of a run: to find, to list, to ask for more, to remove.

    Time is counted twice. ``seconds`` is what he may keep us waiting: with connections, calls of tmux, servers that say
    that they are gone and are not. ``until`` (if any) is when all that is done for him is over, whatever takes it.

    :param more: seconds that both may be raised by, for sessions that are to be saved and removed.
    :param ask: is told how many of these are taken.
    """

    def __init__(
        self,
        seconds: float,
        received: int,
        until: Optional[float] = None,
        more: float = 0.0,
        ask: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._limits = (seconds, received)
        self._until = until
        self._more = more
        self._ask = ask
        self._seconds = 0.0
        self._received = 0

    def charge(self, seconds: float, received: int) -> None:
        self._seconds += seconds
        self._received += received

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """The time that this takes is charged."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.charge(time.monotonic() - start, 0)

    def grant(self, seconds: float) -> None:
        """Give more time, for work that has turned out to be there, as long as there is more to give."""
        granted = min(seconds, self._more)
        if granted > 0:
            self._more -= granted
            self._limits = (self._limits[0] + granted, self._limits[1])
            self.postpone(granted)
            self._ask(granted)

    def postpone(self, seconds: float) -> None:
        """Time has passed in which nothing was done for this owner."""
        if self._until is not None:
            self._until += seconds

    def left(self, timeout: float) -> float:
        """How long a call may take that may take ``timeout`` seconds at most."""
        left = self._limits[0] - self._seconds
        if self._until is not None:
            left = min(left, self._until - time.monotonic())
        return max(LEAST_SECONDS, min(timeout, left))

    def used_up(self) -> str:
        """What has been used up; nothing while there is something left."""
        if self._seconds >= self._limits[0]:
            return f"the servers of this owner had already taken {self._limits[0]:g} seconds"
        if self._received > self._limits[1]:
            return f"the servers of this owner had already listed {self._limits[1]} bytes"
        if self._until is not None and time.monotonic() >= self._until:
            return "the time for the servers of this owner is over"
        return ""
