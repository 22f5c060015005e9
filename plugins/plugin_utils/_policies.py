# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts of a run have which policy, and a policy in words. Pure.

Each policy is there once, with an id that is the same in every run that has it. The one that most hosts have comes
first and names no hosts: it is that of all hosts that no other names, and what is handed on to each host stays small.
"""

import hashlib
import json
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

Policy = Mapping[str, Any]
Json = Dict[str, Any]

_ID_CHARS = 8
_UNSAID: Tuple[Any, ...] = (None, "", [], {})


def policies_of(groups: Iterable[Tuple[Sequence[str], Policy]]) -> List[Json]:
    """Each policy with its ``id`` and its ``hosts``, from the policy of each group of hosts."""
    found: Dict[str, Json] = {}
    for hosts, policy in groups:
        plain = json.loads(json.dumps(policy, default=str))
        one = found.setdefault(_id(plain), {"id": _id(plain), "policy": plain, "hosts": []})
        one["hosts"] += hosts
    in_order = sorted(found.values(), key=lambda one: -len(one["hosts"]))
    return [*(dict(one, hosts=[]) for one in in_order[:1]), *in_order[1:]]


def _id(policy: Policy) -> str:
    text = json.dumps(policy, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:_ID_CHARS]


def sound(policies: Any) -> List[Json]:
    """Those that have the shape in which :func:`policies_of` makes them; there is no other way in."""
    given = policies if isinstance(policies, (list, tuple)) else ()
    return [
        {
            "id": str(one["id"]),
            "policy": json.loads(json.dumps(dict(one["policy"]), default=str)),
            "hosts": list(map(str, one["hosts"])),
        }
        for one in given
        if isinstance(one, Mapping) and isinstance(one.get("policy"), Mapping) and {"id", "hosts"} <= set(one)
    ]


def by_host(policies: Sequence[Json], hosts: Iterable[str]) -> Dict[str, str]:
    """The id of the policy of each of these hosts."""
    if not policies:
        return {}
    named: Dict[str, str] = {host: one["id"] for one in policies[1:] for host in one["hosts"]}
    all_others = str(policies[0]["id"])
    return {host: named.get(host, all_others) for host in hosts}


def with_hosts(policies: Sequence[Json], hosts: Sequence[str]) -> List[Json]:
    """The policies, each with all of these hosts that have it."""
    held = by_host(policies, hosts)
    return [dict(one, hosts=[host for host in hosts if held[host] == one["id"]]) for one in policies]


def in_force(policy: Policy) -> Json:
    """A policy without what it leaves out."""
    return {name: value for name, value in policy.items() if value is not False and value not in _UNSAID}


def in_words(policy: Policy) -> str:
    """``idle: 2d; protect: attached, keep``"""
    told = {name: _value(value) for name, value in in_force(policy).items()}
    return "; ".join(f"{name}: {value}" for name, value in told.items())


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
