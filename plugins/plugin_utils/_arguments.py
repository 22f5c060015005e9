# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables of many hosts: each distinct set of values is judged once, what is wrong is told once. Pure."""

import difflib
from typing import AbstractSet, Any, Collection, Dict, Iterable, List, Mapping, NamedTuple, Sequence, Tuple

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import PRUNE, problems
from ansible_collections.fleet.tmux.plugins.module_utils._specs.tmux_session_prune import ARGUMENT_SPEC

PREFIX = "tmux_cleanup_"
EMPTY_IS_OFF = (
    "idle",
    "older_than",
    "never_attached",
    "notice",
    "notices_dir",
    "memory_dir",
    "snapshot_dir",
    "report_dir",
)
"""What an empty text switches off; for what guards, or says whose sessions, it would switch too much off."""
OF_THE_ROLE = (
    *("become", "login_notices", "host_timeout", "report_dir", "report_only", "report_command"),
    *("fleet_max_removals", "fleet_max_percent", "fleet_max_removals_per_owner"),
)
"""The role's variables that are no options of the module."""
OF_A_RUN = tuple(PREFIX + name for name in ("result", "plan", "run", "report", "reports", "hosts", "serial"))
"""Variables of the role and its playbooks that are no options."""
KNOWN = frozenset([PREFIX + name for name in (*ARGUMENT_SPEC, *OF_THE_ROLE)]).union(OF_A_RUN)
"""Whatever else begins with the prefix is none of ours."""
WHERE_THEY_ARE = (
    "All of them are in roles/tmux_cleanup/README.md, and ansible-doc -t role fleet.tmux.tmux_cleanup tells more."
)
_NAMED = 10
"""Hosts that a message names before it only counts them."""

Values = Dict[str, Any]
Spec = Mapping[str, Mapping[str, Any]]


class Group(NamedTuple):
    """Hosts that have the same values, by the names of variables."""

    hosts: Sequence[str]
    values: Values


class Problem(NamedTuple):
    """What is wrong, and on which hosts."""

    text: str
    hosts: Sequence[str]


def options_of(argument_specs: Mapping[str, Mapping[str, Any]]) -> Spec:
    """The options of all entry points of a role."""
    return {name: option for entry in argument_specs.values() for name, option in entry["options"].items()}


def grouped(variables: Mapping[str, Values]) -> List[Group]:
    """The hosts, put together where they have the same values; in the order in which they come."""
    found: Dict[str, Tuple[List[str], Values]] = {}
    for host, values in variables.items():
        found.setdefault(repr(sorted(values.items())), ([], values))[0].append(host)
    return [Group(hosts, values) for hosts, values in found.values()]


def validated(groups: Iterable[Group], spec: Spec) -> Tuple[List[Group], List[Problem]]:
    """The groups with values of the types that the specification says, defaults included, and what is wrong."""
    validator = ArgumentSpecValidator(dict(spec))
    typed: List[Group] = []
    wrong: List[Problem] = []
    for group in groups:
        values, texts = _typed(validator, group.values)
        # What has not the right type has no sensible value either.
        texts = texts or problems(_params(values), PRUNE, PREFIX)
        wrong += [Problem(text, group.hosts) for text in texts]
        typed.append(Group(group.hosts, values))
    return typed, wrong


def _typed(validator: ArgumentSpecValidator, values: Values) -> Tuple[Values, List[str]]:
    try:
        result = validator.validate(values)
    except ArithmeticError as error:  # it asks for the whole number that is next to infinity
        return values, [f"The variables cannot be validated: {error}"]
    return dict(result.validated_parameters), [str(text) for text in result.error_messages]


def _params(values: Values) -> Values:
    """The role's variables as it hands them to the module."""
    params = {name[len(PREFIX) :]: value for name, value in values.items()}
    for option in EMPTY_IS_OFF:
        if params.get(option) == "":
            params[option] = None
    if params.get("snapshot_dir") is None:
        params["snapshot_keep"] = None
    if params.get("socket_name") is not None or params.get("socket_path") is not None:
        params["all_users"] = False
    return params


def unknown(names: Mapping[str, Iterable[str]], known: AbstractSet[str]) -> List[Problem]:
    """Variables that begin like ours and are none: a limit that is misspelt would be no limit."""
    hosts: Dict[str, List[str]] = {}
    for host, found in names.items():
        for name in set(found) - known:
            hosts.setdefault(name, []).append(host)
    return [Problem("There is no variable %s%s" % (name, _meant(name, known)), hosts[name]) for name in sorted(hosts)]


def _meant(name: str, known: Collection[str]) -> str:
    # What all of them begin with would make all of them alike.
    words = {each[len(PREFIX) :]: each for each in sorted(known)}
    found = difflib.get_close_matches(name[len(PREFIX) :], words, 1, 0.6)
    return "; did you mean %s?" % words[found[0]] if found else ""


def told(wrong: Iterable[Problem], hosts: int) -> str:
    """One text for all: each problem once, with the hosts that share it."""
    shared: Dict[str, List[str]] = {}
    for problem in wrong:
        shared.setdefault(problem.text, []).extend(problem.hosts)
    return "\n".join("%s (%s)" % (text.rstrip("."), _where(names, hosts)) for text, names in shared.items())


def _where(names: Sequence[str], hosts: int) -> str:
    distinct = list(dict.fromkeys(names))
    if len(distinct) == hosts:
        return "on all %d hosts" % hosts if hosts > 1 else "on %s" % distinct[0]
    more = len(distinct) - _NAMED
    return "on %s%s" % (", ".join(distinct[:_NAMED]), " and %d more" % more if more > 0 else "")
