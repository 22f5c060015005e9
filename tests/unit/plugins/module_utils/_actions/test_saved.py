# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A snapshot is data: what is not of the kind, the length or the number that there can be is refused as a whole."""

import json
import os
import time
from pathlib import Path
from typing import Any, Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import saved
from ansible_collections.fleet.tmux.plugins.module_utils._actions.restore import SavedPane, SavedWindow
from ansible_collections.fleet.tmux.plugins.module_utils._actions.saved import (
    COMMANDS_LIMIT,
    SnapshotError,
    commands,
    read,
)
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from hypothesis import given
from hypothesis import strategies as st

ME = User("me", os.geteuid(), os.getegid())
Json = Dict[str, Any]


def pane(**more: Any) -> Json:
    return dict({"active": True, "path": "/", "start_command": "", "text": "pane-0.txt"}, **more)


def window(**more: Any) -> Json:
    own = {"index": 0, "name": "w", "active": True, "layout": "", "width": 80, "height": 24, "panes": [pane()]}
    return dict(own, **more)


def reading(folder: Path, described: Any) -> "tuple[SavedWindow, ...]":
    place = folder / "session.json"
    place.write_text(described if isinstance(described, str) else json.dumps(described))
    os.chmod(str(folder), 0o700)
    os.chmod(str(place), 0o600)
    return read(str(folder), ME, False)


TOO_MUCH: List[List[Json]] = [
    [window(index=number) for number in range(501)],
    [window(panes=[pane()] * 501)],
    [window(), window()],
    [window(index=-1)],
    [window(index=2**31)],
    [window(index=True)],
    [window(width=10001)],
    [window(height=65535)],
    [window(height=0)],
    [window(name="\x1b[2J")],
    [window(name="x" * 5000)],
    [window(name=["w"])],
    [window(active=1)],
    [window(panes=[])],
    [window(panes={})],
    [window(panes=[pane(path="-e")])],
    [window(panes=[pane(path="/" + "x" * 5000)])],
    [window(panes=[pane(start_command="a\x1bb")])],
    [window(panes=[pane(start_command=["a"])])],
    [window(panes=[pane(start_command="x" * 20000)])],
    [window(panes=[pane(text="../../etc/shadow")])],
    [window(panes=[pane(text="-f")])],
]


@pytest.mark.parametrize("windows", TOO_MUCH, ids=range(len(TOO_MUCH)))
def test_more_or_something_else_than_there_can_be(tmp_path: Path, windows: List[Json]) -> None:
    assert len(reading(tmp_path, {"format": 1, "windows": [window()]})) == 1
    with pytest.raises(SnapshotError, match="is no snapshot"):
        reading(tmp_path, {"format": 1, "windows": windows})


def test_keys_that_are_not_known_are_ignored(tmp_path: Path) -> None:
    more = {"surplus": [{"of": None}], "format": 1, "windows": [window(more=1, panes=[pane(more=[2])])]}
    assert reading(tmp_path, more) == reading(tmp_path, {"format": 1, "windows": [window()]})


any_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=8,
)


@st.composite
def any_description(draw: st.DrawFn) -> Json:
    """One in which some values are others."""
    whole: Json = {"format": 1, "windows": [window(panes=[pane(), pane()]), window(index=1)]}
    for _change in range(draw(st.integers(1, 3))):
        inside = draw(
            st.sampled_from([whole, whole["windows"][0], whole["windows"][1], whole["windows"][0]["panes"][0]])
        )
        inside[draw(st.sampled_from(sorted(inside)))] = draw(any_json)
        if not (isinstance(whole["windows"], list) and whole["windows"] and isinstance(whole["windows"][0], dict)):
            break
        if len(whole["windows"]) < 2 or not isinstance(whole["windows"][0].get("panes"), list):
            break
        if not (whole["windows"][0]["panes"] and isinstance(whole["windows"][0]["panes"][0], dict)):
            break
    return whole


@given(any_description())
def test_any_other_values_are_refused_or_within_their_limits(
    tmp_path_factory: pytest.TempPathFactory, described: Json
) -> None:
    try:
        windows = reading(tmp_path_factory.mktemp("snapshot"), described)
    except SnapshotError as problem:
        assert str(problem).startswith("snapshot: ")
        return
    for each in windows:
        assert 0 <= each.number < 2**31 and each.name.isprintable() and each.layout == ""
        assert 1 <= each.width <= 10000 and 1 <= each.height <= 10000
        assert each.panes and all(one.path == "" or one.path.startswith("/") for one in each.panes)


def test_a_place_that_never_answers_costs_no_more_than_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading(tmp_path, {"format": 1, "windows": [window()]})
    monkeypatch.setattr(saved, "reached", lambda *_words: time.sleep(3600))
    with pytest.raises(SnapshotError, match="cannot be read: it was not done within 2 seconds"):
        read(str(tmp_path), ME, False, timeout=2)


def test_what_would_run_again_is_listed_as_it_would_run() -> None:
    listed = read_windows(["make -j4", "", "cd x\nmake"])
    assert commands(listed) == [
        {"window": 3, "pane": 0, "command": "make -j4"},
        {"window": 3, "pane": 2, "command": "cd x\\x0amake"},
    ]


def read_windows(start_commands: List[str]) -> "tuple[SavedWindow, ...]":
    panes = tuple(SavedPane(False, "/", command, "pane-0.txt") for command in start_commands)
    return (SavedWindow(3, "w", True, "", 80, 24, panes),)


def test_more_commands_than_anybody_would_look_through_are_refused() -> None:
    with pytest.raises(SnapshotError, match="its commands have more"):
        commands(read_windows(["x" * 16000] * (COMMANDS_LIMIT // 16000 + 1)))
