# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a session that differs from what is declared may end, so that one that does not takes its place. Pure.

And whether a window may that is not declared.
"""

from typing import Callable, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._policy.declared import COMMAND, ENDED, PANES, Compared
from ansible_collections.fleet.tmux.plugins.module_utils._policy.keep import counted_from, keeps
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Pane, Session, Window

ATTACHED, KEEP, UNDECLARED, IN_USE, GROUP, TWIN = "attached", "keep", "undeclared", "in_use", "group", "twin"

IsUsed = Callable[[Pane], bool]
"""Whether somebody may have started something in a shell of a pane."""


class Left(NamedTuple):
    """Why a session, or a window of it, is left as it is: a word, and the end of a sentence."""

    reason: str
    detail: str


def wants_anew(compared: Compared) -> bool:
    """Whether something of what is declared does not run. A window or pane more, or another order, lacks nothing."""
    return any(each.what in (COMMAND, ENDED) or (each.what == PANES and not each.is_more) for each in compared.drift)


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


Shells = Tuple[Tuple[int, int], ...]
"""Shells by their pids, with the CPU time that each has used, in ticks of the clock."""


def may_be_typed_in(window: Window, shells: Shells) -> bool:
    """Whether somebody may have begun something in a window; what has ended in it may have been a shell."""
    return bool(shells) or any(pane.dead for pane in window.panes)


class Extra(NamedTuple):
    """A window that is not declared, as far as it matters whether it may go.

    ``links``: how often its session has it. ``linked``: whether another session has it too, so that nothing in it ends.
    ``ours``: whether all of its panes were made from what was declared once. ``grouped``: whether its session shares
    all windows with another one. ``shells``: those in which somebody may have typed, with the CPU time that they and
    what they have waited for have used: by themselves they use none. ``twin``: whether it was made as a window that is
    declared, and another one is taken for that.
    """

    window: Window
    active: bool
    links: int = 1
    linked: bool = False
    ours: bool = False
    grouped: bool = False
    shells: Shells = ()
    twin: bool = False


def window_left(session: Session, extra: Extra, is_used: IsUsed, is_at_prompt: IsUsed, now: int) -> Optional[Left]:
    """Why a window that is not declared may not go; None if it may.

    :param is_at_prompt: whether there is nothing in a pane but a shell in which somebody may type.
    """
    if session.attached and (extra.active or any(client.control for client in session.clients)):
        return Left(ATTACHED, "a client shows it")
    kept, words = keeps(session.keep, now, counted_from(session, now))
    if kept:
        return Left(KEEP, words)
    if extra.twin:
        return Left(TWIN, "it was made as one that is declared")
    if extra.grouped:
        return Left(GROUP, "another session of its group would lose it, too")
    living = [] if extra.linked else [pane for pane in extra.window.panes if not pane.dead]
    if any(is_used(pane) if extra.ours else not is_at_prompt(pane) for pane in living):
        return Left(IN_USE, "something runs in it")
    return None
