# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What should happen to a session, and why: protections first, then the criteria of the policy.

Pure: ``now`` is an argument.
"""

from types import MappingProxyType
from typing import FrozenSet, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import spoken
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import (
    KINDS,
    last_use,
    newest_clock,
    newest_sign,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import KEEP, REMOVE, Decision, Subject
from ansible_collections.fleet.tmux.plugins.module_utils._policy.keep import unsaved_wished
from ansible_collections.fleet.tmux.plugins.module_utils._policy.patterns import NAME_LIMIT, Matcher
from ansible_collections.fleet.tmux.plugins.module_utils._policy.protections import PROTECTIONS, runs_one_of
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import UNKNOWN
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.fields import OUTPUT
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Guards, Session, guards

ACTIVITIES = tuple(KINDS)

_CLOCK_SLACK = 1


class Policy(NamedTuple):
    """What to remove. Durations are seconds; ``patterns``, ``excludes`` and ``where`` (values of the session's own user
    options) select what is looked at at all.

    ``notice``: how long before its removal notice of it is given; None for none. ``planned``: the identities of the
    sessions that may be removed; None for all. ``planned_marks``: of those that may be given notice besides; None for
    no others than those, where there are some. ``ignore``: the programs that only show something;
    ``protect_commands``: those that keep their session. ``protect_for``: for how long a session must have been idle for
    a protection to wear off, by its word. ``attached_idle``: after how long a client at which nobody types does not
    count; None: it always does. ``keep_newest``: how many sessions of each owner, those used last, are kept.
    ``saves_all``: whether nothing goes that was not saved.
    """

    idle: Optional[int]
    older_than: Optional[int]
    finished: bool
    activity: str
    protect: Tuple[str, ...]
    patterns: Optional[Matcher] = None
    excludes: Optional[Matcher] = None
    planned: Optional[FrozenSet[str]] = None
    planned_marks: Optional[FrozenSet[str]] = None
    notice: Optional[int] = None
    ignore: Optional[Matcher] = None
    protect_commands: Optional[Matcher] = None
    protect_for: Mapping[str, int] = MappingProxyType({})
    attached_idle: Optional[int] = None
    never_attached: Optional[int] = None
    where: Mapping[str, str] = MappingProxyType({})
    keep_newest: Optional[int] = None
    saves_all: bool = False

    @property
    def guards(self) -> Guards:
        """What must not have changed when a session is removed: output only if it counts as activity."""
        return guards(OUTPUT if self.activity == "input" else "", tuple(self.where))

    @property
    def watches(self) -> bool:
        """Whether a protection needs processes watched."""
        return any(protection.watches for protection in PROTECTIONS if protection.word in self.protect)

    def ignores(self, program: str) -> bool:
        """Whether what a program of that name does is no work."""
        return self.ignore is not None and self.ignore(program)

    def selects(self, session: Session) -> bool:
        """Whether a session is looked at. Where its options are not known it is, and nothing is done to it."""
        own = session.options
        return self.looks_at(session.name) and (own is None or all(own.get(it) == self.where[it] for it in self.where))

    def looks_at(self, name: str) -> bool:
        """Whether sessions of that name are."""
        if self.excludes is not None and self.excludes(name[:NAME_LIMIT]):
            return False
        return self.patterns is None or self.patterns(name[:NAME_LIMIT])


def judge(subject: Subject, policy: Policy, now: int) -> Decision:
    """What the rules say of a session, by what is known of it. What needs it watched protects only when it has been.

    One sign more never lets a session go that would have stayed without it.
    """
    ahead = newest_clock(subject.session) - now
    if ahead > _CLOCK_SLACK:
        return Decision(subject, KEEP, "unknown", f"a clock of the session is {ahead} s in the future")
    if subject.session.options is None:
        return Decision(subject, KEEP, "unknown", "its user options could not be read")
    for protection in PROTECTIONS:
        protected = protection.judge(subject, now) if protection.word in policy.protect else None
        if protected is not None and not _worn_off(protected.reason, subject, policy, now):
            return Decision(subject, KEEP, protected.reason, protected.detail)
    by_name = None if policy.protect_commands is None else runs_one_of(subject, policy.protect_commands)
    if by_name is not None:
        return Decision(subject, KEEP, by_name.reason, by_name.detail)
    for sign in subject.signs:
        if sign.family == UNKNOWN:
            return Decision(subject, KEEP, "unknown", sign.said(subject.origin.discreet, now))
    return _unless_unsaved(_criteria(subject, policy, now), policy)


def _unless_unsaved(decision: Decision, policy: Policy) -> Decision:
    """Keep what would go without having been saved, where that is not to be."""
    if not (decision.remove and policy.saves_all and unsaved_wished(decision.subject.session.no_snapshot)):
        return decision
    return decision.kept("no_snapshot", f"its user wants no snapshot of it (@no_snapshot); {decision.detail}")


def _worn_off(word: str, subject: Subject, policy: Policy, now: int) -> bool:
    """Whether a session has been idle for too long for what protects it."""
    longest = policy.protect_for.get(word)
    return longest is not None and now - last_use(subject, policy.activity) >= longest


def _criteria(subject: Subject, policy: Policy, now: int) -> Decision:
    session = subject.session
    if policy.finished and all(pane.dead for pane in session.panes):
        return Decision(subject, REMOVE, "finished", f"all its panes are dead ({endings(session)})")
    if policy.idle is None and policy.older_than is None and policy.never_attached is None:
        return Decision(subject, KEEP, "unfinished", "not all its panes are dead")
    idle = max(0, now - last_use(subject, policy.activity))
    return _by_age(subject, policy, now, idle, max(0, now - session.created))


def _by_age(subject: Subject, policy: Policy, now: int, idle: int, age: int) -> Decision:
    if policy.idle is not None and idle < policy.idle:
        sign = newest_sign(subject)
        by_sign = sign is not None and sign.at is not None and now - sign.at <= idle
        said = sign.said(subject.origin.discreet, now) if sign and by_sign else ""
        return Decision(subject, KEEP, "active", said or f"{_ACTIVE[policy.activity]} {spoken(idle)} ago")
    if age < max(policy.older_than or 0, policy.never_attached or 0):
        return Decision(subject, KEEP, "young", f"created {spoken(age)} ago")
    if policy.never_attached is not None and _was_attached(subject.session):
        return Decision(subject, KEEP, "used", "somebody has been attached to it")
    return _going(subject, policy, idle, age)


def _was_attached(session: Session) -> bool:
    return session.attached > 0 or session.clocks["session_last_attached"] is not None


def _going(subject: Subject, policy: Policy, idle: int, age: int) -> Decision:
    if policy.idle is not None:
        return Decision(subject, REMOVE, "idle", f"no {_NEWS[policy.activity]} for {spoken(idle)}")
    if policy.never_attached is not None:
        return Decision(
            subject, REMOVE, "never_attached", f"created {spoken(age)} ago, and nobody was ever attached to it"
        )
    return Decision(subject, REMOVE, "older_than", f"created {spoken(age)} ago")


_NEWS = {"any": "activity", "input": "input", "output": "output"}
_ACTIVE = {"any": "last used", "input": "last input", "output": "last output"}


def endings(session: Session) -> str:
    """How the panes of a session ended, for people."""
    return ", ".join(sorted({_ending(pane.status, pane.signal) for pane in session.panes}))


def _ending(status: Optional[int], signal: str) -> str:
    if signal:
        return f"signal {signal}"
    return "no exit status" if status is None else f"exit status {status}"
