# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what was found to what should happen: rules, notice, plan and guards, one after the other. Pure."""

from typing import Container, Dict, FrozenSet, List, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._policy.attached import (
    GOES,
    Ways,
    panes_of_others,
    settled,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import last_use
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import (
    KEEP,
    MARK,
    REMOVE,
    Decision,
    Key,
    Subject,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Count, Limits, Verdict, weigh
from ansible_collections.fleet.tmux.plugins.module_utils._policy.notice import with_notice
from ansible_collections.fleet.tmux.plugins.module_utils._policy.reasons import NOT_DUE
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy, judge


def decide(subjects: Sequence[Subject], policy: Policy, now: int, elsewhere: Optional[Ways] = None) -> List[Decision]:
    """What the policy wants for each session, in the same order; guards come after it."""
    newest = _newest(subjects, policy)

    def decision(subject: Subject) -> Decision:
        return _decision(subject, policy, now, newest)

    return settled(subjects, decision, policy.attached_idle, now, elsewhere)


def judged(subjects: Sequence[Subject], policy: Policy, now: int, elsewhere: Optional[Ways] = None) -> List[Decision]:
    """What the rules say of each session, before notice and plan."""
    return settled(subjects, lambda subject: judge(subject, policy, now), policy.attached_idle, now, elsewhere)


def seen_from_others(decisions: Sequence[Decision], policy: Policy, now: int) -> Set[Key]:
    """The panes of other owners that keep sessions which would go without their clients."""
    found: Set[Key] = set()
    for decision in decisions:
        panes = panes_of_others(decision)
        without = decision.subject._replace(noise=True)
        if panes and judged([without], policy, now, dict.fromkeys(panes, GOES))[0].remove:
            found |= panes
    return found


def _decision(subject: Subject, policy: Policy, now: int, newest: Container[Key]) -> Decision:
    judged_ = _without_newest(judge(subject, policy, now), newest, policy.keep_newest)
    return _planned(with_notice(judged_, now, policy.notice), policy)


def _newest(subjects: Sequence[Subject], policy: Policy) -> FrozenSet[Key]:
    """So many of each owner's sessions, those that were used last; of those used at the same time, those made last."""
    owned: Dict[int, List[Subject]] = {}
    for subject in subjects:
        owned.setdefault(subject.origin.uid, []).append(subject)
    found: List[Subject] = []
    for own in owned.values():
        own.sort(key=lambda it: (last_use(it, policy.activity), it.session.created, it.key), reverse=True)
        found += own[: policy.keep_newest or 0]
    return frozenset(subject.key for subject in found)


def _without_newest(decision: Decision, newest: Container[Key], number: Optional[int]) -> Decision:
    if not decision.remove or decision.subject.key not in newest:
        return decision
    said = "it is what its owner used last" if number == 1 else f"it is one of the {number} that its owner used last"
    return decision.kept("newest", f"{said}; {decision.detail}")


def _planned(decision: Decision, policy: Policy) -> Decision:
    """Do to a session no more than an earlier plan would have. A mark it bears stays: nothing has happened in it."""
    may = {REMOVE: policy.planned, MARK: _may_be_marked(policy)}.get(decision.action)
    if may is None or decision.subject.identity in may:
        return decision
    what = {REMOVE: "its removal", MARK: "notice"}[decision.action]
    return decision.kept("unplanned", f"{what} was not planned; {decision.detail}")


def _may_be_marked(policy: Policy) -> Optional[FrozenSet[str]]:
    """Who was to go may be told of it instead, where the mark of an earlier run is gone."""
    if policy.planned is None:
        return policy.planned_marks
    return policy.planned | (policy.planned_marks or frozenset())


def guard(decisions: Sequence[Decision], limits: Limits, gone: Container[Key] = ()) -> Tuple[List[Decision], Verdict]:
    """The decisions when a run may not remove too much, and what the guards say.

    :param gone: sessions that have ended by themselves since they were listed: they do not count.
    """
    verdict = weigh(counts(decisions, gone), limits)
    return guarded(decisions, verdict, gone), verdict


def counts(decisions: Sequence[Decision], gone: Container[Key] = ()) -> Dict[int, Count]:
    """What guards must know of each owner, by user id."""
    found: Dict[int, Count] = {}
    for decision in decisions:
        if decision.subject.key not in gone:
            uid = decision.subject.origin.uid
            found[uid] = found.get(uid, Count()).plus(_counted(decision))
    return found


def _counted(decision: Decision) -> Count:
    unprotected = decision.action != KEEP or decision.reason in NOT_DUE
    return Count(int(decision.remove), int(unprotected))


def guarded(decisions: Sequence[Decision], verdict: Verdict, gone: Container[Key] = ()) -> List[Decision]:
    """The decisions when guards have spoken: they only ever keep."""
    return [_guarded(decision, verdict.why_not(decision.subject.origin.uid), gone) for decision in decisions]


def _guarded(decision: Decision, message: str, gone: Container[Key]) -> Decision:
    if decision.subject.key in gone:
        return decision.kept("vanished", "it ended by itself")
    if not message or decision.action == KEEP:
        return decision
    return decision.kept("guard", f"not done: {message}; {decision.detail}")
