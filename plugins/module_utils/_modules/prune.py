# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes sessions by policy: look, decide, carry out."""

import time
from typing import Collection, List, Mapping, Optional, Sequence, Set, Tuple, Union

from ansible_collections.fleet.tmux.plugins.module_utils._actions.carry_out import carry_out
from ansible_collections.fleet.tmux.plugins.module_utils._actions.examine import Examined, examine
from ansible_collections.fleet.tmux.plugins.module_utils._actions.hands import Promises, RealHands, Settings, vanished
from ansible_collections.fleet.tmux.plugins.module_utils._actions.veto import Asked
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune_result import Pruned
from ansible_collections.fleet.tmux.plugins.module_utils._policy.attached import Ways
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decide import counts, guarded, seen_from_others
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import Decision, Key, Outcome, begin
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Count, Limits, Verdict, weigh
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import read_or_nothing


class Overseer:
    """Whom a run tells how it goes, and asks whether it may go on. This one has seen all that is to be weighed."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def judged(self, run: Pruned) -> None:
        """All sessions are judged, and nothing has been done."""

    def weigh(self, counts: Mapping[int, Count], decisions: Sequence[Decision]) -> Verdict:
        """What the guards say of this."""
        return weigh(counts, self.limits)

    def others(self, panes: Collection[Key]) -> Optional[Ways]:
        """What becomes of panes of other owners, when these had their turn; None where nobody knows of others."""
        return None

    def hear(self, outcome: Outcome) -> None:
        """This has become of a session."""


def prune(seen: Sequence[Seen], policy: Policy, settings: Settings, check_mode: bool, overseer: Overseer) -> Pruned:
    """One run over servers that were listed."""
    now, diary = int(time.time()), settings.diary
    memory = diary.read({one.server.user.uid for one in seen}) if diary is not None else {}
    examined = examine(seen, policy, now, memory=memory)
    panes = seen_from_others(examined.decisions, policy, now)
    ways = overseer.others(panes) if panes else None
    if ways is not None:
        # In a run, what others did has changed what our sessions show: the clients in their panes have left.
        seen, now = [_anew(one, policy) for one in seen], int(time.time())
        examined = examine(seen, policy, now, ways, memory)
    if diary is not None and not check_mode:
        diary.write(seen, examined.decisions, memory, now)
    return perform(seen, examined, policy, settings, check_mode, now, overseer)


def _anew(one: Seen, policy: Policy) -> Seen:
    try:
        return one._replace(listing=read_or_nothing(one.client, policy.guards))
    except TmuxError:
        return one


def perform(
    seen: Sequence[Seen],
    examined: Examined,
    policy: Policy,
    settings: Settings,
    check_mode: bool,
    now: int,
    overseer: Overseer,
) -> Pruned:
    """What follows when all sessions have been examined: guards, and then everything that was decided."""
    asked = _asked(seen, examined.decisions, settings)
    run = Pruned(seen, [begin(each) for each in asked.decisions], examined.unread, examined.not_matched, now)
    run = run._replace(trouble=[*examined.remarks, *asked.trouble])
    overseer.judged(run)
    decisions, verdict = _guarded(seen, asked.decisions, policy, overseer)
    run = run._replace(guards=verdict, outcomes=[begin(each) for each in decisions])
    if verdict.message:
        return run._replace(refused=f"nothing was removed: {verdict.message}")
    hands: Union[Promises, RealHands]
    hands = Promises(seen, examined.processes, settings) if check_mode else RealHands(seen, policy, settings, now)
    carried = carry_out(decisions, hands, overseer.hear)
    trouble = [*run.trouble, *hands.trouble, *carried.trouble]
    return run._replace(outcomes=carried.outcomes, trouble=trouble, refused=carried.refused)


def _asked(seen: Sequence[Seen], decisions: Sequence[Decision], settings: Settings) -> Asked:
    return settings.veto.ask(seen, decisions) if settings.veto is not None else Asked(list(decisions), [])


def _guarded(
    seen: Sequence[Seen], decisions: Sequence[Decision], policy: Policy, overseer: Overseer
) -> Tuple[List[Decision], Verdict]:
    """The decisions when the guards have spoken, and what they said."""
    verdict = overseer.weigh(counts(decisions), decisions)
    gone: Set[Tuple[int, str]] = set()
    if verdict.over or verdict.message:
        # Sessions that have ended by themselves since they were listed do not count: it takes a second look.
        gone = vanished(seen, decisions, policy)
        verdict = overseer.weigh(counts(decisions, gone), decisions)
    return guarded(decisions, verdict, gone), verdict
