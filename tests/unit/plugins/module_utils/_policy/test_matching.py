# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A window is the declared one that it was made as, whatever it is called and wherever it stands."""

from collections import Counter
from typing import Any, Dict, List, Optional, Sequence, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.declared import (
    Compared,
    DeclaredWindow,
    Details,
    compare_windows,
    declared_windows,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Window
from ansible_collections.fleet.tmux.tests.support.sessions import pane, session, window
from hypothesis import given
from hypothesis import strategies as st

COMMANDS = ("", "400", "500", "501")
NAMES = ("a", "b", "c")


class There:
    """A window that is there: its mark, its name, what it was begun with, and whether it is as it was made."""

    def __init__(self, mark: Optional[str], name: str, command: str, ours: bool = True) -> None:
        self.mark, self.name, self.command, self.ours = mark, name, command, ours


def declared(*given_: Tuple[Optional[str], str]) -> Tuple[DeclaredWindow, ...]:
    return declared_windows([{"name": name, "command": command or None} for name, command in given_], None)


def compared(wanted: Sequence[DeclaredWindow], there: Sequence[There], **more: Any) -> Compared:
    windows = windows_of(there)
    marks = {one.id: each.mark for one, each in zip(windows, there) if each.mark is not None}
    ours = [one.id for one, each in zip(windows, there) if each.ours]
    return compare_windows(wanted, session()._replace(windows=tuple(windows)), marks, ours, **more)


def windows_of(there: Sequence[There]) -> List[Window]:
    return [
        window(pane(id=f"%{number}", start_command=each.command), id=f"@{number}", number=number, name=each.name)
        for number, each in enumerate(there)
    ]


def told(found: Compared) -> Tuple[Dict[str, str], List[str], List[str]]:
    return (
        {wanted.mark: one.id for wanted, one in found.matches},
        [one.mark for one in found.missing],
        [one.id for one in found.extra],
    )


CASES: List[Any] = [
    # tmux has called a window without a name like one that has one.
    ([(None, ""), ("bash", "700")], [There(":1", "bash", ""), There("bash", "bash", "700")], {":1": 0, "bash": 1}),
    ([(None, ""), ("bash", "700")], [There(":1", "bash", "")], {":1": 0}),
    ([("a", "500"), ("sleep", "600")], [There("a", "sleep", "500")], {"a": 0}),
    # Somebody has called one like the other.
    ([("a", "500"), ("b", "600")], [There("a", "b", "500"), There("b", "b", "600")], {"a": 0, "b": 1}),
    ([("a", "500"), ("b", "600")], [There("a", "b", "500"), There("b", "a", "600")], {"a": 0, "b": 1}),
    # Somebody has called another one like it.
    ([("b", "600")], [There("b", "zz", "600"), There(None, "b", "", False)], {"b": 0}),
    ([("b", "600")], [There(None, "b", "", False)], {"b": 0}),
    ([("b", "600")], [There(None, "b", "", False), There("old", "b", "600")], {"b": 1}),
    # What was declared has changed.
    ([(None, "501")], [There(":1", "sleep", "500"), There(":2", "sleep", "501")], {":1": 1}),
    (
        [(None, "500"), (None, "502")],
        [There(":1", "s", "500"), There(":2", "s", "501"), There(":3", "s", "502")],
        {":1": 0, ":2": 2},
    ),
    (
        [(None, "400"), (None, "500"), (None, "501")],
        [There(":1", "s", "500"), There(":2", "s", "501")],
        {":2": 0, ":3": 1},
    ),
    (
        [(None, "400"), (None, "500"), (None, "500")],
        [There(":1", "s", "500"), There(":2", "s", "500")],
        {":2": 0, ":3": 1},
    ),
    ([(None, "501")], [There(":1", "s", "500")], {":1": 0}),
    ([(None, "501"), ("bash", "1")], [There(":1", "bash", "")], {":1": 0}),
    # One that has a name by now runs already.
    ([("x", "500")], [There(":1", "x", "500")], {"x": 0}),
    ([(None, "501"), ("x", "500")], [There(":1", "x", "500"), There(":2", "s", "501")], {":1": 1, "x": 0}),
    # A window that was moved there has the mark of another session.
    ([("a", "1")], [There("a", "a", "1", False), There("a", "a", "1")], {"a": 1}),
    ([(None, "")], [There(None, "sh", "", False), There(":2", "sh", "")], {":1": 1}),
    # Somebody's shell is as good as one that is gone.
    ([(None, "")], [There(None, "sh", "", False)], {":1": 0}),
    ([(None, "")], [There(None, "top", "top", False)], {}),
]


@pytest.mark.parametrize("wanted, there, matches", CASES)
def test_which_is_which(wanted: Any, there: List[There], matches: Dict[str, int]) -> None:
    found = told(compared(declared(*wanted), there))
    assert found[0] == {mark: f"@{number}" for mark, number in matches.items()}


def test_what_differs_besides_decides_between_those_that_run_the_same() -> None:
    wanted = declared_windows([{"command": "make", "chdir": "/a"}, {"command": "make", "chdir": "/b"}], None)
    there = [There(":1", "s", "make"), There(":2", "s", "make")]
    details = Details(paths={"%0": "/b", "%1": "/a"})
    assert told(compared(wanted, there, details=details))[0] == {":1": "@1", ":2": "@0"}


def test_a_window_that_a_session_has_twice_is_one() -> None:
    one = window(id="@1", name="a")
    found = compare_windows(
        declared(("a", ""), ("b", "")), session("work", one, one._replace(number=1, name="b")), {}, ()
    )
    assert told(found) == ({"a": "@1"}, ["b"], [])


def test_another_one_that_was_made_as_it_is_no_window_that_nobody_has_declared() -> None:
    there = [There("a", "a", "500"), There("a", "x", "500"), There(":1", "s", "500"), There("old", "s", "500")]
    found = compared(declared(("a", "500")), there)
    assert [one.id for one in found.extra] == ["@1", "@2", "@3"] and found.twins == ("@1",)


ASKED = st.lists(st.tuples(st.sampled_from((None, *NAMES)), st.sampled_from(COMMANDS)), min_size=1, max_size=5).filter(
    lambda given_: max(Counter(name for name, _command in given_ if name).values(), default=0) < 2
)
MARKS = st.sampled_from((None, ":1", ":2", ":3", *NAMES, "old"))
THERE = st.lists(
    st.builds(There, MARKS, st.sampled_from((*NAMES, "sh")), st.sampled_from(COMMANDS), st.booleans()), max_size=6
)


@given(ASKED, THERE)
def test_no_window_is_two_and_each_is_one_or_none(asked: Any, there: List[There]) -> None:
    wanted = declared(*asked)
    found = compared(wanted, there)
    matches, missing, extra = told(found)
    assert sorted([*matches, *missing]) == sorted(one.mark for one in wanted)
    assert sorted([*matches.values(), *extra]) == sorted(one.id for one in windows_of(there))


@given(ASKED, THERE)
def test_what_was_made_as_it_comes_before_all_names(asked: Any, there: List[There]) -> None:
    wanted = declared(*asked)
    matches, _missing, extra = told(compared(wanted, there))
    for one in [one for one in wanted if one.name is not None]:
        made = [f"@{number}" for number, each in enumerate(there) if each.mark == one.mark]
        assert not made or matches[one.mark] in made
    gone = [there[int(identity[1:])].mark for identity in extra]
    found = compared(wanted, there)
    assert len(found.twins) == len([mark for mark in gone if mark in [one.name for one in wanted if one.name]])


@given(st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=5), st.lists(st.sampled_from(COMMANDS), max_size=6))
def test_as_many_as_can_go_on_running_do(asked: List[str], running: List[str]) -> None:
    wanted = declared(*((None, command) for command in asked))
    found = compared(wanted, [There(f":{number}", "s", it) for number, it in enumerate(running, 1)])
    same = [one for one, is_ in found.matches if (one.panes[0].command or "") == is_.panes[0].start_command]
    assert len(same) == sum((Counter(asked) & Counter(running)).values())


@given(ASKED, THERE, st.randoms())
def test_what_things_are_called_and_where_they_stand_is_no_matter(asked: Any, there: List[There], random: Any) -> None:
    """Of what was made as declared, whatever else is there."""
    wanted = declared(*asked)
    made = [There(one.mark, random.choice(NAMES), one.panes[0].command or "") for one in wanted]
    others = [each for each in there if each.mark not in [one.mark for one in wanted] and not each.ours]
    everything = [*made, *others]
    random.shuffle(everything)
    found = compared(wanted, everything)
    assert not found.missing and not [one for one in found.extra if everything[one.number] in made]


@given(ASKED, THERE)
def test_what_was_found_is_found_again_when_the_rest_was_made(asked: Any, there: List[There]) -> None:
    """So a second run adds nothing, and nothing goes that the first one took for declared."""
    wanted = declared(*asked)
    first = compared(wanted, there)
    renamed = {one.id: is_.name for is_, one in first.renamed}
    after = [
        There(each.mark, renamed.get(f"@{at}") or each.name, each.command, each.ours) for at, each in enumerate(there)
    ]
    after += [There(one.mark, one.name or "sh", one.panes[0].command or "") for one in first.missing]
    second = compared(wanted, after)
    assert not second.missing and not second.renamed
    before = {one.id for _wanted, one in first.matches}
    assert before <= {one.id for _wanted, one in second.matches}
