# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run over a fleet: what holds for all of its hosts, and what is to be done on one. Pure.

A run is begun, agreed on where there is a limit for the fleet, carried out on each host, and reported. What one step
knows of it, the next is given: the dictionary that ``begun`` makes and ``agreed`` completes.
"""

from typing import Any, Container, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Limits
from ansible_collections.fleet.tmux.plugins.plugin_utils._arguments import (
    KNOWN,
    PREFIX,
    WHERE_THEY_ARE,
    Group,
    unknown,
)
from ansible_collections.fleet.tmux.plugins.plugin_utils._guard import judge_fleet
from ansible_collections.fleet.tmux.plugins.plugin_utils._policies import policies_of
from ansible_collections.fleet.tmux.plugins.plugin_utils._words import many

Json = Dict[str, Any]

TOLD = (
    "idle older_than never_attached attached_idle finished activity patterns excludes use_regex where protect "
    "protect_for protect_commands ignore_commands keep_newest veto_command max_removals max_percent "
    "max_removals_per_owner notice snapshot_dir allow_no_snapshot survivors all_users users exclude_users socket_name "
    "socket_path"
).split()
"""The policy, for whoever reads the report."""

RESULT, PLAN = PREFIX + "result", PREFIX + "plan"
"""The variables of a host in which the role leaves what the module returned."""
REPORT_DIR = PREFIX + "report_dir"
REPORT_COMMAND = PREFIX + "report_command"
LOGIN_NOTICES = PREFIX + "login_notices"
FLEET = PREFIX + "fleet_"
"""What the limits for the whole fleet begin with."""

LIMITS = ("max_removals", "max_percent", "max_removals_per_owner")
"""What may limit a whole fleet."""

_HANDED_ON = ("run", "dir", "report_only", "limits", "limited", "asks", "policies", "login_notices")

_UNAGREED = (
    "tmux_cleanup_fleet_max_removals, tmux_cleanup_fleet_max_percent and tmux_cleanup_fleet_max_removals_per_owner "
    "need the plans of all hosts before anything is removed, and so does a question. Use the playbook "
    "fleet.tmux.cleanup, or run this role with tasks_from=plan in a play before."
)


class FleetError(ValueError):
    """Something that must not be done; the message says why, and what to do instead."""


class Step(NamedTuple):
    """What is to be done on a host, if it is due.

    ``planned`` is what may be removed, ``planned_marks`` what may be given notice besides; None: what the policy names.
    """

    due: bool
    planned: Optional[Sequence[str]] = None
    planned_marks: Optional[Sequence[str]] = None


def refuse_unknown(names: Iterable[str]) -> None:
    """What the role does alone, where no run was begun, looks at its host's variables too.

    :raises FleetError: for a name that begins like ours and is none: a limit that is misspelt would be no limit.
    """
    wrong = unknown({"": names}, KNOWN)
    if wrong:
        said = [text if text.endswith("?") else text + "." for text in (problem.text for problem in wrong)]
        raise FleetError(" ".join([*said, WHERE_THEY_ARE]))


AS_THE_POLICY_SAYS = Step(True)
NOTHING = Step(False, [], [])


def begun(
    groups: Sequence[Group], run: Mapping[str, Any], report_only: bool = False, somebody_to_ask: bool = False
) -> Json:
    """What holds for the whole run, from what any of its hosts says.

    :param groups: the role's variables, of the right types. What any host has counts for all; of limits, the strictest.
    :param report_only: whether nothing is to be removed, whatever the hosts say.
    :param somebody_to_ask: whether whoever started the run wants to be asked before anything is changed.
    """
    report_only = report_only or any(group.values.get(PREFIX + "report_only") for group in groups)
    limits = {limit: _least(group.values.get(FLEET + limit) for group in groups) for limit in LIMITS}
    return {
        "run": dict(run),
        "report_only": report_only,
        "limits": limits,
        "limited": any(limit is not None for limit in limits.values()),
        "asks": somebody_to_ask and not report_only,
        "guard": {},
        "policies": policies_of((group.hosts, _policy(group)) for group in groups),
        "login_notices": {
            what: sum(len(group.hosts) for group in groups if group.values.get(LOGIN_NOTICES) is wanted)
            for what, wanted in (("installed", True), ("removed", False))
        },
    }


def _policy(group: Group) -> Json:
    return {name: group.values.get(PREFIX + name) for name in TOLD}


def _least(limits: Iterable[Any]) -> Any:
    """None is no limit."""
    return min((limit for limit in limits if limit is not None), default=None)


def agreed(run: Mapping[str, Any], plans: Mapping[str, Any], limits: Limits) -> Json:
    """The run, with the verdict over the plans of all its hosts.

    :param limits: what counts besides the limits with which the run was begun.
    """
    begun_with = run.get("limits") or {}
    strictest = limits._replace(**{limit: _least([getattr(limits, limit), begun_with.get(limit)]) for limit in LIMITS})
    handed_on = {key: run[key] for key in _HANDED_ON if key in run}
    return dict(handed_on, guard=judge_fleet(plans, strictest))


def to_be_asked(run: Mapping[str, Any], totals: Mapping[str, Any]) -> bool:
    """Whether somebody must agree to the plans of all hosts: not where nothing would be done in any case.

    :param totals: what the plans come to.
    """
    stopped = run["guard"]["stopped"] or run.get("report_only")
    return bool(run.get("asks") and not stopped and (totals["removed"] or totals["marked"]))


def besides(run: Mapping[str, Any]) -> List[str]:
    """What else is done than what is done to sessions, in words."""
    hosts = run.get("login_notices") or {}
    said = (
        (
            "installed",
            "what shows notices at login (/etc/profile.d/zz-fleet-tmux.sh) is installed on {}, unless it is there",
        ),
        (
            "removed",
            "what shows notices at login (/etc/profile.d/zz-fleet-tmux.sh) is taken away from {}, if it is there",
        ),
    )
    return [words.format(many(hosts[what], "host")) for what, words in said if hosts.get(what)]


def refused(run: Mapping[str, Any]) -> bool:
    """Whether somebody who has seen the plans did not agree to them: a run that only reports asks nobody."""
    return bool(run.get("asks") and run.get("report_only"))


def step(
    run: Mapping[str, Any],
    plan: Mapping[str, Any],
    allowed: Step = AS_THE_POLICY_SAYS,
    limited: bool = False,
    planning: bool = False,
    check_mode: bool = False,
) -> Step:
    """What is to be done on one host.

    :param run: what was begun and agreed on; empty where the role is used alone.
    :param plan: what the host has planned, if it was asked.
    :param allowed: what the user says may be removed and given notice.
    :param limited: whether this host has a limit for the fleet.
    :param planning: whether the host is being asked for its plan.
    :raises FleetError: for a limit for the fleet on which nobody has agreed.
    """
    guard = run.get("guard") or {}
    if planning or not (guard or limited or run.get("asks")):
        return allowed
    if not guard:
        raise FleetError(_UNAGREED)
    if guard["stopped"] or check_mode or run.get("report_only"):
        return NOTHING
    return _as_planned(plan, {one["owner"] for one in guard.get("over_limit") or ()})


def _as_planned(plan: Mapping[str, Any], held: Container[str]) -> Step:
    """What a host has planned; one that has no plan, because something is wrong there, is left alone.

    One that would remove nothing is run too: what is known of its sessions is remembered there for the next run.

    :param held: owners of whom nothing may go, because they have too much on all hosts together.
    """
    has_looked = "removed" in plan and not (plan.get("failed") or plan.get("unreachable"))
    if not (plan.get("changed") or has_looked):
        return NOTHING
    removed = [session for session in plan.get("removed") or [] if str(session.get("owner")) not in held]
    return Step(True, _identities(removed), _identities(plan.get("marked") or []))


def _identities(sessions: Iterable[Mapping[str, Any]]) -> List[str]:
    return [str(session["identity"]) for session in sessions]


def sources(run: Mapping[str, Any]) -> List[str]:
    """The variables with what hosts returned, in the order in which they count: who was stopped only planned."""
    return [PLAN] if (run.get("guard") or {}).get("stopped") else [RESULT, PLAN]


def returned(variables: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> Dict[str, Any]:
    """Of each host, the first of these variables that has a result."""
    return {host: _first(found, names) for host, found in variables.items()}


def _first(found: Mapping[str, Any], names: Sequence[str]) -> Any:
    for name in names:
        result = found.get(name)
        if isinstance(result, Mapping) and result and not result.get("skipped"):
            return _as_it_was(result)
    return {}


def _as_it_was(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """A result of which the role made no failure, so that the run goes on, is one: it says what is wrong."""
    went_on = result.get("failed_when_result") is False and "msg" in result
    return dict(result, failed=True) if went_on else result
