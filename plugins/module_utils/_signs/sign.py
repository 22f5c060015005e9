# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sign: something that the host, and not tmux, shows of a session. Pure."""

from typing import Any, Dict, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import NAME_CHARS, TEXT_CHARS, brief, spoken

CLOCK, STATE, UNKNOWN = "clock", "state", "unknown"
"""What a sign can be: something that happened at a moment, something that holds now, or something that could have
protected the session and could not be read."""


class Kind(NamedTuple):
    """One kind of sign: its word in options and results, what it is, and a sentence of documentation."""

    word: str
    family: str
    sentence: str


KINDS: Tuple[Kind, ...] = (
    Kind("started", CLOCK, "the newest of its processes that count was started"),
    Kind("wrote", CLOCK, "one of them last wrote to a file that it holds open for writing"),
    Kind("network", CLOCK, "data last went over one of their TCP connections"),
    Kind("worked", CLOCK, "they used CPU time, read or wrote since somebody last looked"),
    Kind("remembered", CLOCK, "something of this was seen at an earlier look"),
    Kind("unsaved", STATE, "an editor holds text that is not saved, or may hold some"),
    Kind("waiting", STATE, "it waits for a lock, a time, a debugger, or for work that is done elsewhere"),
    Kind("stopped", STATE, "a job in it is stopped, as with Ctrl-Z"),
    Kind("unknown", UNKNOWN, "something that could have protected it could not be read"),
)

FAMILIES = {kind.word: kind.family for kind in KINDS}
CLOCKS = tuple(kind.word for kind in KINDS if kind.family == CLOCK)
STATES = tuple(kind.word for kind in KINDS if kind.family == STATE)


class Sign(NamedTuple):
    """One sign. ``at``: epoch seconds of what happened; None of what holds now.

    ``what`` says it without a word that its owner has chosen ("wrote a file"), ``full`` with them ("wrote train.log").
    ``program``: the name of the process that shows it, if one does.
    """

    kind: str
    what: str
    program: str = ""
    at: Optional[int] = None
    full: str = ""

    @property
    def family(self) -> str:
        return FAMILIES[self.kind]

    def as_dict(self, discreet: bool, now: int) -> Dict[str, Any]:
        """The sign as results show it."""
        return {"kind": self.kind, "at": self.at, "detail": self.said(discreet, now)}

    def said(self, discreet: bool, now: int) -> str:
        """The sign in words, like ``wrote train.log 3m ago (python3)``.

        :param discreet: whether what its owner has chosen stays on the host.
        """
        words = [self.what if discreet else self.full or self.what]
        if self.at is not None:
            words.append("just now" if self.at >= now else f"{spoken(now - self.at)} ago")
        if self.program:
            words.append(f"({brief(self.program, NAME_CHARS)})")
        return brief(" ".join(words), TEXT_CHARS)
