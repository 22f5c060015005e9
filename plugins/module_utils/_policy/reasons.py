# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of sessions, and why: the one table of outcomes and reasons.

Results, table, page, metrics and documentation take their words from here.
"""

from typing import FrozenSet, NamedTuple, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import KEPT, MARKED, NOT_DONE, REMOVED
from ansible_collections.fleet.tmux.plugins.module_utils._policy.protections import PROTECTIONS


class Reason(NamedTuple):
    """Why a session had an outcome. ``sentence`` goes on after "it was kept because", without a full stop.

    ``not_due``: whether a session that is kept for it is one that nothing protects, and that may go another time.
    """

    word: str
    outcomes: Tuple[str, ...]
    sentence: str
    not_due: bool = False


REASONS: Tuple[Reason, ...] = (
    Reason("idle", (REMOVED, MARKED), "nothing has happened in it for long enough"),
    Reason("older_than", (REMOVED, MARKED), "it was created long enough ago"),
    Reason("never_attached", (REMOVED, MARKED), "nobody was ever attached to it since it was created long enough ago"),
    Reason("finished", (REMOVED, MARKED), "all its panes are dead"),
    *(Reason(protection.word, (KEPT,), protection.sentence) for protection in PROTECTIONS),
    Reason("command", (KEPT,), "it runs a program that the policy always keeps"),
    Reason("newest", (KEPT,), "it is one of those that its owner used last"),
    Reason("no_snapshot", (KEPT,), "its user wants no snapshot of it, and nothing goes without"),
    Reason("vetoed", (KEPT,), "the command that is asked before did not let it go"),
    Reason("active", (KEPT,), "it was used not long ago", not_due=True),
    Reason("young", (KEPT,), "it was created not long ago", not_due=True),
    Reason("used", (KEPT,), "somebody has been attached to it", not_due=True),
    Reason("unfinished", (KEPT,), "not all its panes are dead", not_due=True),
    Reason("notice", (KEPT,), "notice was given, and its time has not come", not_due=True),
    Reason("unplanned", (KEPT,), "its removal or mark was not in the plan", not_due=True),
    Reason("guard", (KEPT,), "a guard stopped the removal: there would have been too many"),
    Reason("changed", (KEPT,), "something happened in it after it was judged"),
    Reason("vanished", (KEPT,), "it ended by itself meanwhile"),
    Reason("unknown", (KEPT,), "it could not be judged, and what is not known is kept"),
    Reason("not_attempted", (NOT_DONE,), "the run ended before it was its turn"),
    Reason("not_saved", (NOT_DONE,), "no snapshot of it could be made"),
    Reason("error", (NOT_DONE,), "something went wrong with its removal or mark"),
)


NOT_DUE: FrozenSet[str] = frozenset(reason.word for reason in REASONS if reason.not_due)
"""For these a session is kept that nothing protects: ``max_percent`` is of them, and of what would go."""


def reasons(outcome: str) -> Tuple[Reason, ...]:
    """The reasons that an outcome can have."""
    return tuple(reason for reason in REASONS if outcome in reason.outcomes)
