# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a run would remove too much, of one owner or in all, on a host or on a whole fleet. Pure.

A guard must not be in one user's hand. Whoever is over the limit for one owner counts nowhere, and whoever is not
weighs no more than so many sessions, above and below the line: whatever one user does about his own sessions, it
changes what happens to the others by no more than that.

Whoever has subordinate ids (subuid) can run programs under thousands of user ids. None of these has an account, so all
owners without one count as a single owner.
"""

from fractions import Fraction
from typing import Any, Container, Iterable, List, Mapping, NamedTuple, Optional, TypeVar

Owner = TypeVar("Owner", int, str)
"""Who an owner is: a user id on a host, a name on a fleet."""


class Limits(NamedTuple):
    """How much may be removed; None is no limit. ``prefix`` is what the options begin with where they are written."""

    max_removals: Optional[int] = None
    max_percent: Optional[float] = None
    max_removals_per_owner: Optional[int] = None
    prefix: str = ""

    @property
    def in_all(self) -> bool:
        """Whether the sessions of one owner can matter for those of another, so that all must be counted first."""
        return self.max_removals is not None or self.max_percent is not None


class Count(NamedTuple):
    """How many sessions would be removed, and how many nothing protects: these, and those that are only not due."""

    removals: int = 0
    unprotected: int = 0

    def plus(self, more: "Count") -> "Count":
        return Count(self.removals + more.removals, self.unprotected + more.unprotected)


class Verdict(NamedTuple):
    """What guards say of a run.

    ``counts``: what was counted of each owner. ``over``: of each owner who is over the limit for one, why nothing of
    theirs may go. ``message``: why nothing of anybody may go; empty if the rest may. ``counted``: the sum over all who
    are not over.
    """

    counts: Mapping[Any, Count]
    over: Mapping[Any, str]
    message: str
    counted: Count

    def why_not(self, owner: Any) -> str:
        """Why nothing of an owner may go; empty if it may."""
        return self.over.get(owner) or self.message


def weigh(counts: Mapping[Owner, Count], limits: Limits, nameless: Container[Owner] = ()) -> Verdict:
    """Whether what is counted of each owner is too much.

    :param nameless: the owners that have no account.
    """
    apart = {owner: count for owner, count in counts.items() if owner not in nameless}
    over = {owner: _over(count, limits) for owner, count in apart.items() if _is_over(count, limits)}
    within = [count for owner, count in apart.items() if owner not in over]
    others = [owner for owner in counts if owner in nameless]
    together = sum_of(counts[owner] for owner in others)
    if _is_over(together, limits):
        over.update(dict.fromkeys(others, _over(together, limits, "owners without an account")))
    else:
        within.append(together)
    counted = sum_of(within)
    return Verdict(counts, over, _too_many(counted, limits) or _too_large(within, counted, limits), counted)


def sum_of(counts: Iterable[Count]) -> Count:
    whole = Count()
    for count in counts:
        whole = whole.plus(count)
    return whole


def _is_over(count: Count, limits: Limits) -> bool:
    return limits.max_removals_per_owner is not None and count.removals > limits.max_removals_per_owner


def _over(count: Count, limits: Limits, whose: str = "this owner") -> str:
    option, limit = limits.prefix + "max_removals_per_owner", limits.max_removals_per_owner
    return f"{_sessions(count.removals)} of {whose} would be removed, {option} is {limit}"


def _too_many(counted: Count, limits: Limits) -> str:
    if limits.max_removals is None or counted.removals <= limits.max_removals:
        return ""
    return f"{_sessions(counted.removals)} would be removed, {limits.prefix}max_removals is {limits.max_removals}"


def _too_large(within: List[Count], counted: Count, limits: Limits) -> str:
    """Whether it is too large a part of what nothing protects."""
    if limits.max_percent is None:
        return ""
    weights = [_weight(count, limits.max_removals_per_owner) for count in within]
    removals = sum(count.removals * weight for count, weight in zip(within, weights))
    whole = sum(count.unprotected * weight for count, weight in zip(within, weights))
    # By its digits, as it was written: 33.4 is 33.4, and no binary number next to it.
    if removals * 100 <= Fraction(str(limits.max_percent)) * whole:
        return ""
    said = f"{counted.removals} of {_sessions(counted.unprotected)} without protection would be removed"
    if whole != counted.unprotected:
        percent, most = float(removals * 100 / whole), limits.max_removals_per_owner
        said += f" ({percent:.1f} percent where no owner weighs more than {most})"
    return f"{said}, {limits.prefix}max_percent is {limits.max_percent:g}"


def _weight(count: Count, most: Optional[int]) -> Fraction:
    """What one session of an owner weighs, so that all of them weigh no more than ``most``."""
    return Fraction(1) if most is None or count.unprotected <= most else Fraction(most, count.unprotected)


def _sessions(number: int) -> str:
    return "1 session" if number == 1 else f"{number} sessions"
