# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing but output may differ where output is noise; and what the last look tells of it."""

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes
from ansible_collections.fleet.tmux.plugins.module_utils._signs.motion import (
    compared_as,
    loud,
    same_but_output,
    silent_since,
    unmoved,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import PROMPT, WORKS, Actor, Cast
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.fields import CLOCKS, INPUT, OUTPUT, Field
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import WITHOUT_OUTPUT, Session
from ansible_collections.fleet.tmux.tests.support import sessions as make

NOW = make.NOW
INPUTS = [clock for clock in CLOCKS if clock.kind == INPUT and clock.guarded]
(PRINTED,) = [clock for clock in CLOCKS if clock.kind == OUTPUT]
PLAIN = make.session()


@pytest.mark.parametrize("clock", INPUTS, ids=lambda clock: str(clock.name))
def test_input_is_more_than_output(clock: Field) -> None:
    assert not same_but_output(PLAIN, make.clock_at(clock, NOW))


@pytest.mark.parametrize(
    "other",
    [
        PLAIN._replace(name="other"),
        PLAIN._replace(keep="on"),
        PLAIN._replace(notice="2"),
        PLAIN._replace(attached=1),
        PLAIN._replace(identity="other"),
        make.session("work", make.window(), make.window(id="@2")),
        make.session("work", make.window(make.pane(pid=9))),
        make.session("work", make.window(make.pane(dead=True))),
    ],
)
def test_whatever_else_is_compared_is_more_than_output(other: Session) -> None:
    assert not same_but_output(PLAIN, other)


def test_output_alone_is_noticed_and_compared_no_more() -> None:
    later = make.session("work", make.window(make.pane(guard="pane later"), **{PRINTED.name: NOW}), guard="later")
    later = later._replace(guards=WITHOUT_OUTPUT)
    assert same_but_output(PLAIN, later)
    known = compared_as(PLAIN, later)
    assert (known.guard, known.guards, known.panes[0].guard) == ("later", WITHOUT_OUTPUT, "pane later")
    assert known.windows[0].clocks == PLAIN.windows[0].clocks, "it is judged by what was listed first"
    assert loud(later, NOW - 1) == {"@1"} and loud(PLAIN, NOW - 1) == frozenset()
    assert unmoved(PLAIN, later, ["@1"]) == frozenset() and unmoved(PLAIN, PLAIN, ["@1"]) == {"@1"}


@pytest.mark.parametrize(
    ("same", "programs", "role", "silent"),
    [
        (["%1"], [], WORKS, True),
        ([], [4711], PROMPT, True),
        ([], [4711], WORKS, False),
        ([], [], PROMPT, False),
    ],
)
def test_the_last_look_tells_what_output_meant_nothing(
    same: "list[str]", programs: "list[int]", role: str, silent: bool
) -> None:
    shell = Process(4711, 1, 4711, "S", 5, 7, 0, "bash", terminal=7)
    cast = Cast(PLAIN, (Actor(shell, role),))
    assert silent_since(PLAIN, cast, Processes({4711: shell}), same, programs) == ({"@1"} if silent else frozenset())
