# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much a result may hold: of one item, of one owner, and in all. What is left out is counted. Pure.

Sizes are those of the result as JSON, as Ansible sends it. Nothing here looks at an item more often than once or twice,
so that the work grows with what there is and not faster.
"""

import json
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Sequence, Tuple, TypeVar

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief

Item = Dict[str, Any]
Lists = Mapping[str, Sequence[Item]]
"""Items by the name of their list in a result."""
Counts = Dict[str, int]

MIB = 1024 * 1024

IN_SHORT = "left out: there is too much to tell"
"""The detail of an item in its shortest form."""

_SHORT_NAME_CHARS = 64


class Bounds(NamedTuple):
    """Bytes of items that a result may hold: of one owner, and in all."""

    owner: int
    all: int


SURVIVORS, WINDOWS, PANES, PROCESSES, OPTIONS = 20, 100, 100, 100, 100
"""How many of these are listed: of a session, of a window, of a pane, and options of a session."""
DIFFERENCES = 100
"""How many differences of a session from what it is declared to be are listed."""
SIGNS = 20
"""How many signs of a session are listed."""
LIVING_ON, HOLDERS = 20, 5
"""How many windows of a session that live on, and how many of the sessions that hold each."""

FILES = 100
"""How many files are listed that went with a session, and that should have."""

OPTION_CHARS = 1000
"""Characters of the value of an option."""

LISTED = Bounds(MIB, 8 * MIB)
"""For what is done to sessions: a thousand of one owner in full."""
SERVERS = Bounds(MIB // 8, 2 * MIB)
"""For servers, of which one owner has at most some hundreds."""
DESCRIBED = Bounds(4 * MIB, 16 * MIB)
"""For what is only looked at, which is what somebody has asked for by name: windows, processes, text."""


class Bounded(NamedTuple):
    """The items that are listed, and how many of which owner and list are only counted."""

    lists: Dict[str, List[Item]]
    unlisted: List[Item]


_Value = TypeVar("_Value")


def first(values: Sequence[_Value], limit: int) -> Tuple[List[_Value], int]:
    """The first of some values, and how many more there are."""
    return list(values[:limit]), max(0, len(values) - limit)


def size(item: Item) -> int:
    """Bytes that an item takes in a result, with what separates it from the next."""
    return len(json.dumps(item)) + 2


def short(item: Item) -> Item:
    """An item in its shortest form, with the same keys: who it is, and what became of it. What goes is counted."""
    more = dict(item.get("more") or {})
    told = dict(item)
    for key, value in item.items():
        if isinstance(value, list) or key == "options":
            told[key] = type(value)()
            more[key] = more.get(key, 0) + len(value)
    told.update({key: form(item[key]) for key, form in _SHORT.items() if key in item})
    return dict(told, more=more) if more else told


_SHORT: Dict[str, Callable[[Any], Any]] = {
    "name": lambda name: brief(name, _SHORT_NAME_CHARS),
    "detail": lambda detail: IN_SHORT,
    "content": lambda content: content and IN_SHORT,
    "evidence": lambda evidence: {},
    "declaration": lambda declaration: None,
}


def bounded(lists: Lists, bounds: Bounds, order: Sequence[str], unlisted: Iterable[Item] = ()) -> Bounded:
    """As many items as the bounds let in, as much of each as fits; what one owner has never costs another his place.

    :param order: the lists, beginning with that whose items must be told of before all others.
    :param unlisted: what was only counted before.
    """
    owned = _by_owner(lists)
    sizes = {owner: _size(own) for owner, own in owned.items()}
    shares = _shares({owner: min(taken, bounds.owner) for owner, taken in sizes.items()}, bounds.all)
    listed: Dict[str, List[Item]] = {key: [] for key in lists}
    counts = {one["owner"]: {key: one.get(key, 0) for key in lists} for one in unlisted}
    for owner, own in owned.items():
        told = own if sizes[owner] <= shares[owner] else _fitted(own, shares[owner], order)
        for key, items in told.items():
            listed[key] += items
            _count(counts, owner, key, len(own[key]) - len(items), lists)
    return Bounded(listed, [dict(number, owner=owner) for owner, number in sorted(counts.items())])


def with_servers(servers: Sequence[Item], told: Bounded) -> Bounded:
    """The same, with the servers: those with which something is wrong before the others."""
    lists: Dict[str, List[Item]] = {"odd": [], "ok": []}
    for server in servers:
        lists["ok" if server["status"] == "ok" else "odd"].append(server)
    found = bounded(lists, SERVERS, ("odd", "ok"))
    listed = sorted(
        found.lists["odd"] + found.lists["ok"], key=lambda one: (one["owner"], one["socket"], one["pid"] or 0)
    )
    unlisted = {one["owner"]: dict(one, servers=0) for one in told.unlisted}
    for one in found.unlisted:
        own = unlisted.setdefault(one["owner"], dict(dict.fromkeys(told.lists, 0), owner=one["owner"]))
        own["servers"] = one["odd"] + one["ok"]
    return Bounded(dict(told.lists, servers=listed), [unlisted[owner] for owner in sorted(unlisted)])


def _by_owner(lists: Lists) -> Dict[str, Dict[str, List[Item]]]:
    owned: Dict[str, Dict[str, List[Item]]] = {}
    for key, items in lists.items():
        for item in items:
            owned.setdefault(item["owner"], {}).setdefault(key, []).append(item)
    return owned


def _size(own: Lists) -> int:
    return sum(size(item) for items in own.values() for item in items)


def _count(counts: Dict[str, Counts], owner: str, key: str, number: int, keys: Iterable[str]) -> None:
    if number:
        counts.setdefault(owner, dict.fromkeys(keys, 0))[key] += number


def _shares(wanted: Mapping[str, int], limit: int) -> Dict[str, int]:
    """What each owner gets of ``limit``: whoever wants little gets it all, and the rest is divided among the others."""
    shares: Dict[str, int] = {}
    left = limit
    for number, owner in enumerate(sorted(wanted, key=lambda owner: wanted[owner])):
        shares[owner] = min(wanted[owner], left // (len(wanted) - number))
        left -= shares[owner]
    return shares


def _fitted(own: Lists, limit: int, order: Sequence[str]) -> Dict[str, List[Item]]:
    """First as many in their shortest form as there is room for, then as many of these in full."""
    ranked = [(key, number, item) for key in order for number, item in enumerate(own.get(key, ()))]
    left = limit
    told: List[Tuple[str, int, Item, int]] = []
    for key, number, item in ranked:
        least = short(item)
        needed = size(least)
        if needed > left:
            break
        left -= needed
        told.append((key, number, least, needed))
    fitted: Dict[str, List[Item]] = {key: [] for key in own}
    for key, number, least, needed in told:
        whole = own[key][number]
        extra = size(whole) - needed
        if extra <= left:
            left -= max(0, extra)
            least = whole
        fitted[key].append(least)
    return fitted
