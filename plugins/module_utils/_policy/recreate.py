# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a session that differs from what is declared may end, so that one that does not takes its place. Pure."""

from typing import Callable, NamedTuple, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._policy.declared import COMMAND, PANES, Compared
from ansible_collections.fleet.tmux.plugins.module_utils._policy.keep import counted_from, keeps
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Pane, Session

ATTACHED, KEEP, UNDECLARED, IN_USE = "attached", "keep", "undeclared", "in_use"

IsUsed = Callable[[Pane], bool]
"""Whether somebody may have started something in a shell of a pane."""


class Left(NamedTuple):
    """Why a session is left as it is: a word, and the end of a sentence."""

    reason: str
    detail: str


def wants_anew(compared: Compared) -> bool:
    """Whether something of what is declared does not run. A window or pane more, or another order, lacks nothing."""
    return any(each.what == COMMAND or (each.what == PANES and not each.is_more) for each in compared.drift)


def left(session: Session, compared: Compared, is_used: IsUsed, now: int) -> Optional[Left]:
    """Why a session may not end for that; None if it may."""
    if session.attached:
        return Left(ATTACHED, "a client is attached to it")
    kept, words = keeps(session.keep, now, counted_from(session, now))
    if kept:
        return Left(KEEP, words)
    if any(not pane.dead for window in compared.undeclared for pane in window.panes):
        return Left(UNDECLARED, "a pane of it was not made from what is declared")
    if any(is_used(pane) for pane in session.panes if not pane.dead):
        return Left(IN_USE, "something runs in a shell of it")
    return None
