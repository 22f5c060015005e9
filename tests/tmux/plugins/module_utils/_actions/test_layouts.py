# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A layout that is found to be one is taken by the server, which lives; what tmux itself writes is found to be one."""

from typing import Iterator

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.restore import problem_of
from ansible_collections.fleet.tmux.tests.support.layouts import Layout, any_layout, any_mutant, written
from ansible_collections.fleet.tmux.tests.support.world import World
from hypothesis import HealthCheck, given, settings

SLOW = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def place(shared: World) -> Iterator[World]:
    """A server with a window of five panes."""
    shared.tmux("set-option", "-g", "remain-on-exit", "off")
    for _pane in range(4):
        shared.tmux("split-window", "-d", "-t", "$0:", "cat")
        shared.tmux("select-layout", "-t", "$0:", "tiled")
    yield shared


def given_to(world: World, layout: Layout) -> None:
    """Give a layout to a new window with as many panes; that it is taken, and all live, is judged."""
    text, panes = layout
    made = world.tmux("new-window", "-d", "-P", "-F", "#{window_id}", "-t", "$0:", "cat")
    for _pane in range(panes - 1):
        world.tmux("split-window", "-d", "-t", made, "cat")
        world.tmux("select-layout", "-t", made, "tiled")
    world.tmux("select-layout", "-t", made, text)
    there = world.tmux("display-message", "-p", "-t", made, "#{window_layout}")
    assert problem_of(there, panes) is None, there
    world.tmux("kill-window", "-t", made)


@SLOW
@given(any_layout())
def test_what_tmux_could_have_written_it_takes(place: World, layout: Layout) -> None:
    pid = place.pid()
    if layout[1] <= 8:
        given_to(place, layout)
    assert place.pid() == pid


@SLOW
@given(any_mutant())
def test_a_changed_one_is_refused_by_us_or_harmless(place: World, layout: Layout) -> None:
    pid = place.pid()
    if layout[1] <= 8 and problem_of(*layout) is None:
        given_to(place, layout)
    assert place.pid() == pid


def test_the_largest_is_taken(place: World) -> None:
    pid = place.pid()
    largest = written("10000x10000,0,0{5000x10000,0,0,0,4999x10000,5001,0,1}")
    assert problem_of(largest, 2) is None
    made = place.tmux("new-window", "-d", "-P", "-F", "#{window_id}", "-t", "$0:", "cat")
    place.tmux("split-window", "-d", "-t", made, "cat")
    place.tmux("select-layout", "-t", made, largest)
    place.tmux("kill-window", "-t", made)
    assert place.pid() == pid


def test_what_tmux_writes_of_a_window_is_one(place: World) -> None:
    (window,) = [found for found in place.session("$0").windows if len(found.panes) == 5]
    for name in ("even-horizontal", "even-vertical", "main-horizontal", "main-vertical"):
        place.tmux("select-layout", "-t", window.id, name)
        (window,) = [found for found in place.session("$0").windows if found.id == window.id]
        assert problem_of(window.layout, 5) is None, window.layout
