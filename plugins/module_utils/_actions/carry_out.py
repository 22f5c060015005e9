# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From decisions to outcomes. Whoever has hands that only promise does the same as whoever has real ones."""

from typing import Callable, Collection, Dict, Iterator, List, Mapping, NamedTuple, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.nested import Anew
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import defect
from ansible_collections.fleet.tmux.plugins.module_utils._policy.attached import outer, turns
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import (
    KEEP,
    REMOVED,
    Decision,
    Key,
    Outcome,
    Subject,
    begin,
    kept,
)


class Refused(ValueError):
    """Something stands in the way of all removals. ``reason`` is a word of the table of reasons."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Hands:
    """What does something about sessions."""

    def prepare(self, decisions: Sequence[Decision]) -> None:
        """Make sure that what was decided can be done at all.

        :raises Refused: when it cannot; nothing is done then.
        """
        raise NotImplementedError

    def again(self, place: int, decisions: Sequence[Decision], gone: Collection[Key]) -> Anew:
        """What still holds of decisions on sessions of one server, when others have gone whose panes saw them."""
        return Anew(list(decisions), [])

    def act(self, place: int, decisions: Sequence[Decision]) -> Iterator[Outcome]:
        """Do what was decided for the sessions of one server, and tell of each before it is tried and when it is final.

        Whatever stops a run, what was told last is true.
        """
        raise NotImplementedError

    def finish(self, outcomes: Sequence[Outcome]) -> List[Outcome]:
        """Do what comes after all removals, and add what is known then."""
        raise NotImplementedError


class CarriedOut(NamedTuple):
    """One outcome for each decision, in the same order, and what went wrong besides.

    ``refused``: why nothing was done at all.
    """

    outcomes: List[Outcome]
    trouble: List[str]
    refused: str = ""


Hear = Callable[[Outcome], None]


def carry_out(decisions: Sequence[Decision], hands: Hands, hear: Hear = lambda outcome: None) -> CarriedOut:
    """Do what was decided, server by server: what goes wrong on one does not stop the others, and loses nothing.

    :param hear: is told of each outcome as soon as it is known.
    """
    outcomes = {decision.subject.key: begin(decision) for decision in decisions}
    trouble: List[str] = []
    try:
        hands.prepare(decisions)
    except Refused as error:
        told = [_refused(outcome, error) for outcome in outcomes.values()]
        return CarriedOut(told, trouble, str(error))
    for place, own in _in_order(decisions):
        try:
            for outcome in _turn(hands, place, own, outcomes):
                outcomes[outcome.subject.key] = outcome
                hear(outcome)
        except Exception as error:
            # A defect of ours, met on one server, must neither stop the others nor lose what they gave.
            trouble.append(f"unexpected, at {own[0].subject.origin.socket}: {defect(error)}")
            for decision in own:
                outcome = outcomes[decision.subject.key]
                if outcome.pending:
                    outcomes[decision.subject.key] = outcome.not_done("error", f"unexpected: {defect(error)}")
    return _finished(list(outcomes.values()), hands, trouble)


def _finished(outcomes: List[Outcome], hands: Hands, trouble: List[str]) -> CarriedOut:
    try:
        return CarriedOut(hands.finish(outcomes), trouble)
    except Exception as error:
        return CarriedOut(outcomes, [*trouble, f"unexpected, after the removals: {defect(error)}"])


def _refused(outcome: Outcome, error: Refused) -> Outcome:
    return outcome.not_done(error.reason, f"nothing was done: {error}") if outcome.pending else outcome


def _in_order(decisions: Sequence[Decision]) -> List[Tuple[int, List[Decision]]]:
    """The decisions of each server, as often as it has sessions that others must leave first."""
    return [(place, own) for turn in turns(decisions) for place, own in _by_server(turn).items()]


def _by_server(decisions: Sequence[Decision]) -> Dict[int, List[Decision]]:
    found: Dict[int, List[Decision]] = {}
    for decision in decisions:
        found.setdefault(decision.subject.origin.place, []).append(decision)
    return found


def _turn(hands: Hands, place: int, own: Sequence[Decision], outcomes: Mapping[Key, Outcome]) -> Iterator[Outcome]:
    """Do what was decided for some sessions of a server; what is still seen from elsewhere stays."""
    watchers = {decision.subject.key: _watchers(decision, outcomes) for decision in own}
    free = [decision for decision in own if not _staying(watchers[decision.subject.key])]
    for decision in own:
        stay = _staying(watchers[decision.subject.key])
        if stay:
            yield kept(decision, "attached", _seen_from(stay[0]))
    gone = {outcome.subject.key for each in watchers.values() for outcome in each}
    inner = [decision for decision in free if watchers[decision.subject.key]]
    anew = hands.again(place, inner, gone) if inner else Anew([], [])
    yield from anew.outcomes
    ready = [decision for decision in free if not watchers[decision.subject.key]] + anew.decisions
    judged = {decision.subject.key: decision.subject for decision in inner}
    for outcome in hands.act(place, ready) if ready else ():
        before = judged.get(outcome.subject.key)
        yield outcome if before is None else _as_judged(outcome, before)


def _as_judged(outcome: Outcome, before: Subject) -> Outcome:
    """With what a session was judged by, as check mode tells of it."""
    subject = outcome.subject._replace(session=before.session, clients=before.clients)
    return outcome._replace(decision=outcome.decision._replace(subject=subject))


def _watchers(decision: Decision, outcomes: Mapping[Key, Outcome]) -> List[Outcome]:
    """What became of the sessions in whose panes a session is seen, as far as they had their turn."""
    if decision.action == KEEP:
        return []
    found = [outcomes[key] for key in sorted(outer(decision)) if key in outcomes]
    return [outcome for outcome in found if outcome.decision.remove and not outcome.pending]


def _staying(watchers: Sequence[Outcome]) -> List[Outcome]:
    return [outcome for outcome in watchers if outcome.what != REMOVED and outcome.reason != "vanished"]


def _seen_from(outcome: Outcome) -> str:
    return f"its client sits in a pane of {outcome.subject.session.id}, which stays ({outcome.reason})"
