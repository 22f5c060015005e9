# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which window of a session is which of those that are declared. Pure."""

from typing import Callable, Collection, Dict, Hashable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Window


class Sought(NamedTuple):
    """A declared window. ``kind``: the same for all without a name that nobody could tell apart.

    ``is_begun``: whether a window was begun with the same commands. ``differs``: in how much it is otherwise besides.
    """

    mark: str
    name: Optional[str]
    kind: Hashable
    is_begun: Callable[[Window], bool]
    differs: Callable[[Window], int]


Rank = Tuple[int, ...]
Pairs = Dict[str, Window]

_MADE, _CALLED, _BEGUN, _IN_ITS_PLACE, _CALLED_AFTER_ALL = range(5)
"""Why a window is a declared one, the best first: it was made as it; it has its name, and was not made as another one;
it was begun as it, which has no name; it is in the place of such a one; it has its name, which may be tmux's choice."""


def matched(
    sought: Sequence[Sought], found: Sequence[Window], marks: Mapping[str, str], ours: Collection[str]
) -> Pairs:
    """Windows by the mark of the declared one that each is. No window is two, however often a session has it.

    :param found: in the order of their places.
    :param marks: by the id of a window, which of the declared ones it was made as.
    :param ours: the ids of windows that are as they were made.
    """
    ranked, declared = [], {one.mark for one in sought}
    for number, one in enumerate(sought):
        for place, window in enumerate(found):
            why = _why(one, window, marks.get(window.id), declared)
            if why is not None:
                ranked.append(((*_rank(why, one, window, marks, ours), number, place), one.mark, window))
    pairs: Pairs = {}
    taken: Set[str] = set()
    for _best, mark, window in sorted(ranked, key=lambda each: each[0]):
        if mark not in pairs and window.id not in taken:
            pairs[mark] = window
            taken.add(window.id)
    return _in_order(sought, found, pairs)


def _why(one: Sought, window: Window, mark: Optional[str], declared: Collection[str]) -> Optional[int]:
    if one.name is not None:
        if mark == one.mark:
            return _MADE
        if window.name != one.name:
            return None
        return _CALLED_AFTER_ALL if mark in declared else _CALLED
    if one.is_begun(window):
        return _BEGUN
    return _IN_ITS_PLACE if mark == one.mark else None


def _rank(why: int, one: Sought, window: Window, marks: Mapping[str, str], ours: Collection[str]) -> Rank:
    """How well a window fits, the less the better."""
    return (
        why,
        window.id not in ours,
        not one.is_begun(window),
        one.differs(window) if one.name is None else window.name != one.name,
        marks.get(window.id) != one.mark,
    )


def _in_order(sought: Sequence[Sought], found: Sequence[Window], pairs: Pairs) -> Pairs:
    """The same, where those that are declared alike are in the order of their windows."""
    kinds: Dict[Hashable, List[str]] = {}
    for one in sought:
        if one.name is None and one.mark in pairs:
            kinds.setdefault(one.kind, []).append(one.mark)
    for marks in kinds.values():
        windows = sorted((pairs[mark] for mark in marks), key=found.index)
        pairs.update(zip(marks, windows))
    return pairs
