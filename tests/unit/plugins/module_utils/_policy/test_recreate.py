# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Because of its drift only a session ends of which nobody would miss anything."""

from typing import Any, Dict, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.declared import (
    compare_windows,
    declared_windows,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.recreate import (
    Extra,
    left,
    wants_anew,
    window_left,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import AttachedClient, Pane, Session
from ansible_collections.fleet.tmux.tests.support.sessions import NOW, pane, session, window

DECLARED = declared_windows([{"name": "window", "panes": [{"command": "sh"}, {"command": "make"}]}], None)
MORE = window(pane(id="%9"), id="@2", name="more")
ONE = window(id="@1")
THREE = window(pane(), pane(id="%2", start_command="make"), pane(id="%3"))

CASES = [
    ({}, True, None),
    ({"attached": 1}, True, "attached"),
    ({"keep": "on"}, True, "keep"),
    ({"keep": "2000-01-01"}, True, None),
    ({"keep": "nonsense"}, True, "keep"),
    ({"windows": (ONE, MORE)}, True, "undeclared"),
    ({"windows": (ONE, MORE._replace(panes=(pane(dead=True),)))}, True, None),
    ({"windows": (THREE,)}, False, "undeclared"),
    ({"windows": (window(pane(), pane(dead=True, start_command="make")),)}, True, None),
    ({"windows": (window(pane(), pane(start_command="make")),)}, False, None),
    ({"windows": (ONE._replace(id="@7"),)}, True, "undeclared"),
    ({"windows": (window(pane(pid=1)),)}, True, "in_use"),
]


def is_used(found: Pane) -> bool:
    return found.pid == 1


@pytest.mark.parametrize("more, wants, reason", CASES)
def test_who_is_left(more: Dict[str, Any], wants: bool, reason: Optional[str]) -> None:
    one: Session = session("work", ONE)._replace(**more)
    compared = compare_windows(DECLARED, one, {"@1": "window"}, {"@1"})
    assert wants_anew(compared) is wants
    why = left(one, compared, is_used, NOW)
    assert (why and why.reason) == reason


def test_nothing_lacks_where_there_is_only_more_or_another_order() -> None:
    declared = declared_windows([{"name": "b"}, {"name": "a"}], None)
    shell = pane(start_command="")
    names = [(window(shell, id="@1", name="a"), 0), (window(shell, id="@2", name="b"), 1), (MORE._replace(id="@3"), 2)]
    there = session("work", *(one._replace(number=number) for one, number in names))
    compared = compare_windows(declared, there, {}, ())
    assert [window.id for window in compared.extra] == ["@3"]
    assert [each.what for each in compared.drift] == ["order"] and not wants_anew(compared)


CONTROL = AttachedClient(1, "", NOW, {}, control=True)
BUSY = window(pane(pid=1))
WINDOWS = [
    ({}, {}, None),
    ({"attached": 1}, {}, None),
    ({"attached": 1}, {"active": True}, "attached"),
    ({"attached": 0}, {"active": True}, None),
    ({"attached": 1, "clients": (CONTROL,)}, {}, "attached"),
    ({"keep": "on"}, {}, "keep"),
    ({"keep": "2000-01-01"}, {}, None),
    ({}, {"grouped": True}, "group"),
    ({}, {"twin": True}, "twin"),
    ({}, {"window": BUSY}, "in_use"),
    ({}, {"window": BUSY, "ours": True}, "in_use"),
    ({}, {"window": BUSY, "linked": True}, None),
    ({}, {"window": window(pane(pid=2))}, "in_use"),
    ({}, {"window": window(pane(pid=2)), "ours": True}, None),
    ({}, {"window": window(pane(dead=True))}, None),
]


@pytest.mark.parametrize("more, extra, reason", WINDOWS)
def test_which_window_is_left(more: Dict[str, Any], extra: Dict[str, Any], reason: Optional[str]) -> None:
    """At a prompt is what is neither used nor runs a program of somebody else's."""
    one: Session = session("work", ONE, MORE)._replace(**more)
    found = Extra(**{"window": MORE, "active": False, **extra})
    why = window_left(one, found, is_used, lambda found: found.pid not in (1, 2), NOW)
    assert (why and why.reason) == reason
