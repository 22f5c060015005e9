# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the plans of all hosts together are more than one run may do. Pure."""

from typing import Any, Dict, Mapping

from ansible_collections.fleet.tmux.plugins.module_utils._host.users import is_number
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Count, Limits, weigh
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import (
    NO_GUARD,
    Json,
    Run,
    counted_owners,
    planned_removals,
    report,
)

_UNNAMED = Run(id="", started=None, finished="", check_mode=True, collection_version="")


def judge_fleet(plans: Mapping[str, Any], limits: Limits) -> Json:
    """The verdict, in the shape of ``guard`` of a report.

    A host without a plan (away, failed) adds nothing to it, and neither does an owner of whom a guard of a host lets
    nothing go: nothing is removed there either. The same user name on all hosts is one owner, and so are
    all who have no account.
    """
    counts = _counts(plans)
    # Who has no account is called by the number of the user id.
    verdict = weigh(counts, limits, {owner for owner in counts if is_number(owner)})
    return dict(
        NO_GUARD,
        max_removals=limits.max_removals,
        max_percent=limits.max_percent,
        max_removals_per_owner=limits.max_removals_per_owner,
        over_limit=[
            {"owner": owner, "removals": verdict.counts[owner].removals, "message": verdict.over[owner]}
            for owner in sorted(verdict.over)
        ],
        planned=verdict.counted.removals,
        unprotected=verdict.counted.unprotected,
        looked_at=report(plans, _UNNAMED)["totals"]["looked_at"],
        stopped=bool(verdict.message),
        message=verdict.message,
    )


def _counts(plans: Mapping[str, Any]) -> Dict[str, Count]:
    found: Dict[str, Count] = {}
    for plan in plans.values():
        for owner, count in _of_host(plan).items():
            found[owner] = found.get(owner, Count()).plus(count)
    return found


def _of_host(plan: Any) -> Dict[str, Count]:
    told = {it["owner"]: Count(it["removals"], it["unprotected"]) for it in counted_owners(plan) if not it["message"]}
    # Whatever it says of its owners: what it would remove counts.
    for owner, removals in planned_removals(plan).items():
        count = told.get(owner, Count())
        told[owner] = Count(max(count.removals, removals), max(count.unprotected, removals))
    return told
