# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When something last happened in a session: all clocks of the table of fields, without a word about any of them.

Pure: ``now`` is an argument.
"""

from typing import Any, Dict, List, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import Subject
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.fields import (
    CLOCKS,
    CREATED,
    INPUT,
    OUTPUT,
    PANE,
    WINDOW,
    Field,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Clocks, Session

KINDS: Dict[str, Sequence[str]] = {
    "any": (CREATED, INPUT, OUTPUT),
    "input": (CREATED, INPUT),
    "output": (CREATED, OUTPUT),
}
"""Which kinds of clocks count, by what is taken as activity. Creation always does."""

CLOCK_WORDS = tuple(dict.fromkeys(clock.word for clock in CLOCKS))
"""The names of clocks in results."""


def last_activity(session: Session, activity: str) -> int:
    """Epoch seconds of the newest clock that counts.

    ``session_activity`` alone is blind to output: a detached build that prints every second does not move it.
    """
    return _newest(session, [clock for clock in CLOCKS if clock.kind in KINDS[activity]]) or 0


def newest_clock(session: Session) -> int:
    """Epoch seconds of the newest clock, whether it counts or not."""
    return _newest(session, CLOCKS) or 0


def newest_to_count(subject: Subject) -> int:
    """The same, without output that is noise."""
    return _listed(subject, [clock.kind for clock in CLOCKS if clock.kind is not None])


def last_use(subject: Subject, activity: str) -> int:
    """Epoch seconds of the newest clock that counts, of tmux's and of the host's."""
    signs = [sign.at for sign in subject.signs if sign.at is not None]
    return max([_listed(subject, KINDS[activity]), *signs])


def _listed(subject: Subject, kinds: Sequence[str]) -> int:
    """Epoch seconds of the newest clock of these kinds; where output is noise, of what may have meant something."""
    silent = subject.noise and OUTPUT in kinds
    clocks = [clock for clock in CLOCKS if clock.kind in kinds and not (silent and clock.kind == OUTPUT)]
    return max(_newest(subject.session, clocks) or 0, subject.printed if silent else 0)


def newest_sign(subject: Subject) -> Optional[Sign]:
    """The clock of the host's that tells of the latest moment."""
    clocks = [sign for sign in subject.signs if sign.at is not None]
    return max(clocks, key=lambda sign: sign.at or 0, default=None)


def idle_seconds(session: Session, activity: str, now: int) -> int:
    return max(0, now - last_activity(session, activity))


def clock_words(session: Session) -> Dict[str, Optional[int]]:
    """The clocks as results name them, in epoch seconds (None: never)."""
    return {word: _newest(session, [clock for clock in CLOCKS if clock.word == word]) for word in CLOCK_WORDS}


def last_output(session: Session) -> int:
    """Epoch seconds of the newest output, whatever it means."""
    return _newest(session, [clock for clock in CLOCKS if clock.kind == OUTPUT]) or 0


def evidence(session: Session) -> Dict[str, Any]:
    """What a verdict was reached by: clocks, and counts."""
    counts = {
        "attached": session.attached,
        "keep": session.keep,
        "windows": len(session.windows),
        "panes": len(session.panes),
        "dead_panes": sum(1 for pane in session.panes if pane.dead),
    }
    return dict(clock_words(session), **counts)


def _newest(session: Session, clocks: Sequence[Field]) -> Optional[int]:
    moments = [holder[clock.name] for clock in clocks for holder in _holders(session, clock)]
    return max((moment for moment in moments if moment is not None), default=None)


def _holders(session: Session, clock: Field) -> List[Clocks]:
    if clock.of == WINDOW:
        return [window.clocks for window in session.windows]
    if clock.of == PANE:
        return [pane.clocks for pane in session.panes]
    return [session.clocks]
