# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the plans of all hosts together are more than one run may do. Pure."""

from typing import Any, Mapping, Optional, Sequence, Union

from ansible_collections.fleet.tmux.plugins.plugin_utils._report import NO_GUARD, Json, Run, report

Limit = Union[int, float, str, None]
Limits = Union[Limit, Sequence[Limit]]

_UNNAMED = Run(id="", started=None, finished="", check_mode=True, collection_version="")


class LimitError(ValueError):
    """A limit that makes no sense; the message names it and the remedy."""


def judge_fleet(plans: Mapping[str, Any], max_removals: Limits = None, max_percent: Limits = None) -> Json:
    """The verdict, in the shape of ``guard`` of a report.

    A host without a plan (away, failed) adds nothing to it: nothing is removed there either.

    :raises LimitError: for a limit that is no number or out of its range.
    """
    most = _least("tmux_cleanup_fleet_max_removals", max_removals, None)
    percent = _least("tmux_cleanup_fleet_max_percent", max_percent, 100)
    if most is not None and most != int(most):
        raise LimitError("tmux_cleanup_fleet_max_removals: %s is no whole number of sessions" % max_removals)
    totals = report(plans, _UNNAMED)["totals"]
    message = _excess(totals["removed"], totals["looked_at"], most, percent)
    return dict(
        NO_GUARD,
        max_removals=None if most is None else int(most),
        max_percent=percent,
        planned=totals["removed"],
        looked_at=totals["looked_at"],
        stopped=bool(message),
        message=message,
    )


def _excess(removals: int, looked_at: int, most: Optional[float], percent: Optional[float]) -> str:
    if most is not None and removals > most:
        return "%d sessions would be removed, tmux_cleanup_fleet_max_removals is %d" % (removals, most)
    if percent is not None and removals * 100 > percent * looked_at:
        said = (removals, looked_at, percent)
        return "%d of %d sessions would be removed, tmux_cleanup_fleet_max_percent is %g" % said
    return ""


def _least(name: str, limits: Limits, highest: Optional[int]) -> Optional[float]:
    """The strictest of some limits, or the one; no limit if there is none."""
    each: Sequence[Any] = limits if isinstance(limits, (list, tuple)) else [limits]
    numbers = [number for number in (_number(name, limit, highest) for limit in each) if number is not None]
    return min(numbers) if numbers else None


def _number(name: str, value: Limit, highest: Optional[int]) -> Optional[float]:
    """A limit. Only None is none: an empty text is what a variable gives that somebody forgot to set."""
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise LimitError("%s: %r is no number; leave it out for no limit" % (name, value))
    if isinstance(value, bool) or not 0 <= number <= (float("inf") if highest is None else highest):
        raise LimitError("%s: %s is not between 0 and %s" % (name, value, highest or "any number"))
    if number == float("inf"):
        raise LimitError("%s: %r is no limit; leave it out for none" % (name, value))
    return number
