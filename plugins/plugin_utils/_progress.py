# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line at the end of a terminal that says how many hosts are done. What is printed meanwhile stands above it."""

import os
import threading
from typing import Any, Callable, Optional, Set, TextIO

_CLEAR = "\r\x1b[K"


class Progress:
    """The line. Where the stream is no terminal, nothing is ever written."""

    def __init__(self, stream: TextIO, columns: int, terminal: str) -> None:
        self._stream = stream
        self._columns = columns
        self._able = stream.isatty() and terminal not in ("", "dumb")
        self._lock = threading.RLock()
        self._total: Optional[int] = None
        self._done: Set[str] = set()
        self._troubled: Set[str] = set()
        self._drawn = False

    def begin(self) -> None:
        """No host is done."""
        self._total, self._done, self._troubled = None, set(), set()

    def expect(self, total: Optional[int]) -> None:
        """So many hosts are to be done, if that is known."""
        self._total = total

    def done(self, host: str, well: bool = True) -> None:
        """That host is."""
        self._done.add(host)
        if not well:
            self._troubled.add(host)
        self.draw()

    def draw(self) -> None:
        """Show the line."""
        with self._lock:
            self._drawn = True
            self._write(_CLEAR + self._text()[: self._columns])

    def clear(self) -> bool:
        """Take the line away; whether it was there."""
        with self._lock:
            there, self._drawn = self._drawn, False
            if there:
                self._write(_CLEAR)
            return there

    def _text(self) -> str:
        of = f" of {self._total}" if self._total else ""
        troubled = f", {len(self._troubled)} with a problem" if self._troubled else ""
        return f"{len(self._done)}{of} {'host' if (self._total or len(self._done)) == 1 else 'hosts'} done{troubled}"

    def _write(self, text: str) -> None:
        if not self._able:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._able = False


def giving_way(
    progress: Progress, print_: Callable[..., Any], quiet: Callable[[], bool] = lambda: False
) -> Callable[..., Any]:
    """What prints as before, in the place of the line, and has the line stand below it afterwards.

    While it is to be ``quiet``, only errors are shown.
    """
    process = os.getpid()

    def printed(*arguments: Any, **options: Any) -> Any:
        if quiet() and not options.get("stderr"):
            options["log_only"] = True
        # Workers only hand on what is to be printed.
        there = os.getpid() == process and progress.clear()
        try:
            return print_(*arguments, **options)
        finally:
            if there:
                progress.draw()

    return printed
