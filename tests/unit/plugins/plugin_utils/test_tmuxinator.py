# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of tmuxinator's as arguments of tmux_session."""

from typing import Any, Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.plugin_utils._declared import DeclaredError
from ansible_collections.fleet.tmux.plugins.plugin_utils._tmuxinator import from_tmuxinator


def typed(*lines: str) -> str:
    """What a pane runs in which these lines were typed."""
    return "\n".join(["trap : INT", *lines, 'exec "$SHELL"'])


def project(*windows: Any, **keys: Any) -> Dict[str, Any]:
    """The arguments for these windows; nothing of them is left out."""
    result, notes = from_tmuxinator(dict(keys, name="work", windows=list(windows)))
    assert notes == []
    return result


def window(declared: Any, **keys: Any) -> Dict[str, Any]:
    (found,) = project(declared, **keys)["windows"]
    return dict(found)


def commands(found: Dict[str, Any]) -> List[Any]:
    return [pane.get("command") for pane in found["panes"]]


@pytest.mark.parametrize("keys", [{"name": "a.b:c"}, {"project_name": "a.b:c", "name": "other"}])
def test_a_project_has_a_name_as_tmux_has_it(keys: Dict[str, Any]) -> None:
    result, _notes = from_tmuxinator(dict(keys, windows=[{"main": None}]))
    assert result == {"name": ["a_b_c"], "windows": [{"name": "main"}]}


@pytest.mark.parametrize(
    "key, name", [(222, "222"), (True, "true"), (4.5, "4_5"), ("//", "//"), ("\N{DOUGHNUT}", "\N{DOUGHNUT}")]
)
def test_the_name_of_a_window_is_whatever_its_key_is(key: Any, name: str) -> None:
    assert window({key: None}) == {"name": name}


def test_a_window_need_not_have_a_name() -> None:
    assert window({None: "top"}) == {"panes": [{"command": typed("top")}]}


def test_a_window_is_a_command_some_commands_or_a_dictionary() -> None:
    assert window({"main": "top"}) == {"name": "main", "panes": [{"command": typed("top")}]}
    assert window({"main": ["a", None, "b"]}) == {"name": "main", "panes": [{"command": typed("a", "b")}]}
    assert window({"main": {"layout": "tiled"}}) == {"name": "main", "layout": "tiled"}


def test_panes_are_a_command_several_or_have_a_title() -> None:
    found = window(
        {"main": {"panes": ["vim", None, ["a", "b"], {"logs": "tail -f x"}, {"two": ["c", "d"]}, {"e": None}]}}
    )
    assert found["panes"] == [
        {"command": typed("vim")},
        {},
        {"command": typed("a", "b")},
        {"command": typed("tail -f x"), "title": "logs"},
        {"command": typed("c", "d"), "title": "two"},
        {"title": "e"},
    ]


def test_what_is_typed_first_is_the_projects_and_then_the_windows() -> None:
    result = project({"a": {"pre": ["x", None, "y"], "panes": ["z", None]}}, {"b": None}, pre_window=["p", "q"])
    first, second = result["windows"]
    assert commands(first) == [typed("p", "q", "x && y", "z"), typed("p", "q", "x && y")]
    assert commands(second) == [typed("p", "q")]


@pytest.mark.parametrize(
    "keys, line",
    [
        ({"rbenv": "2.0", "pre_window": "x"}, "rbenv shell 2.0"),
        ({"rvm": 3}, "rvm use 3"),
        ({"pre_tab": "y", "pre_window": "x"}, "y"),
    ],
)
def test_older_names_of_it_are_known(keys: Dict[str, Any], line: str) -> None:
    assert commands(window({"a": None}, **keys)) == [typed(line)]


def test_tabs_are_windows_and_come_first() -> None:
    result, _notes = from_tmuxinator({"name": "work", "tabs": [{"old": None}], "windows": [{"new": None}]})
    assert [found["name"] for found in result["windows"]] == ["old"]


def test_the_directory_of_a_window_begins_at_that_of_the_project() -> None:
    result = project({"a": {"root": "app"}}, {"b": {"root": "."}}, {"c": {"root": "/var"}}, root="~/work")
    assert (result["chdir"], [one.get("chdir") for one in result["windows"]]) == (
        "~/work",
        ["~/work/app", None, "/var"],
    )
    relative, _notes = from_tmuxinator({"name": "work", "root": "src", "windows": [{"a": None}]}, directory="/d")
    assert relative["chdir"] == "/d/src"


@pytest.mark.parametrize("value", [True, "before", "after"])
def test_synchronized_panes_are_an_option(value: Any) -> None:
    assert window({"a": {"synchronize": value}}) == {"name": "a", "options": {"synchronize-panes": "on"}}


def test_what_else_is_said_of_synchronized_panes_is_told() -> None:
    result, notes = from_tmuxinator({"name": "work", "windows": [{"a": {"synchronize": "foo"}}]})
    assert result["windows"] == [{"name": "a"}]
    assert notes == ["windows[0].a.synchronize: 'foo' is none of true, before and after, so panes are not synchronized"]


def test_a_layout_is_refused_that_is_none() -> None:
    assert window({"a": {"layout": "main-v"}})["layout"] == "main-vertical"
    with pytest.raises(DeclaredError, match=r"^windows\[0\].a.layout: 'main' is no layout; write even-"):
        window({"a": {"layout": "main"}})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"base_index": "x"}, "base_index: 'x' is no number"),
        ({"base_index": "\u00b2"}, "base_index: '\u00b2' is no number"),
        ({"base_index": True}, "base_index: True is no number"),
        ({"pane_base_index": -1}, "pane_base_index: -1 is no number"),
        ({"directory": ["a"]}, "directory: it is a list and no path"),
        ({"directory": "rel"}, "directory: 'rel' is not absolute; write a path that begins with / or ~/"),
    ],
)
def test_options_of_another_kind_are_refused(wrong: Dict[str, Any], message: str) -> None:
    with pytest.raises(DeclaredError) as refused:
        from_tmuxinator({"name": "work", "startup_window": 1, "windows": [{"a": None}]}, **wrong)
    assert str(refused.value).startswith(message)


def test_numbers_may_be_texts() -> None:
    data = {"name": "work", "startup_window": 1, "windows": [{"a": None}]}
    assert from_tmuxinator(data, base_index="1").result["windows"] == [{"name": "a", "focus": True}]  # type: ignore[arg-type]


def test_titles_are_shown_where_they_are_wanted() -> None:
    options = {"pane-border-status": "bottom", "pane-border-format": "#{pane_index}: #{pane_title}"}
    assert window({"a": None}, enable_pane_titles=True, pane_title_position="bottom")["options"] == options


def test_a_pane_of_a_window_has_the_focus_by_number_or_title() -> None:
    for wanted in (1, "log"):
        found = window({"a": {"focused_pane": wanted, "panes": ["vim", {"log": None}]}})
        assert found["panes"] == [{"command": typed("vim")}, {"title": "log", "focus": True}]
    for wanted in ("other", 5):
        result, notes = from_tmuxinator(
            {"name": "work", "windows": [{"a": {"focused_pane": wanted, "panes": [None, "b"]}}]}
        )
        assert result["windows"][0]["panes"][0] == {"focus": True}
        assert notes == [f"windows[0].a.focused_pane: there is no pane {wanted!r}; the first one is active"]


def test_a_session_begins_with_a_window_and_a_pane() -> None:
    declared = [{"a": None}, {"b": {"panes": ["x", "y"], "focused_pane": 0}}]
    for wanted, base in (("b", 0), (2, 1)):
        data = {"name": "work", "startup_window": wanted, "startup_pane": 1, "windows": declared}
        first, second = from_tmuxinator(data, base_index=base).result["windows"]
        assert ("focus" in first, second["focus"]) == (False, True)
        assert second["panes"] == [{"command": typed("x")}, {"command": typed("y"), "focus": True}]


def test_the_server_is_the_one_that_tmux_would_be_told() -> None:
    assert project({"a": None}, socket_name="foo") == {
        "socket_name": "foo",
        "name": ["work"],
        "windows": [{"name": "a"}],
    }
    assert project({"a": None}, tmux_options="-L 'my own'")["socket_name"] == "my own"
    both = {"name": "work", "windows": [{"a": None}], "cli_args": "-S/run/x", "tmux_options": "-L b"}
    assert from_tmuxinator(both).notes == ["tmux_options: cli_args counts instead"]
    assert from_tmuxinator(both).result["socket_path"] == "/run/x"
    both = project({"a": None}, socket_name="foo", socket_path="/run/x", tmux_options="-L b")
    assert ("socket_name" in both, both["socket_path"]) == (False, "/run/x")


def test_what_is_not_taken_over_is_told() -> None:
    data = {
        "name": "work",
        "pre": "sudo start",
        "on_project_exit": ["a"],
        "attach": False,
        "tmux_options": "-2 -f ~/.tmux.conf",
        "tmux_command": "byobu",
        "defaults": {"x": 1},
        "windows": [{"a": {"rooot": "/"}}],
    }
    result, notes = from_tmuxinator(data)
    assert result == {"name": ["work"], "windows": [{"name": "a"}]}
    assert notes == [
        "defaults: this is no key of tmuxinator that is known here; it is left out",
        "windows[0].a.rooot: this is no key of tmuxinator that is known here; it is left out",
        "on_project_exit: hooks are not run; run what they do in a task of its own",
        "pre: hooks are not run; run what they do in a task of its own",
        "tmux_options: -2 is not taken over",
        "tmux_options: -f is not taken over: no configuration file is read; name what it sets in options of the session"
        " or its windows",
        "tmux_command: another program than tmux is not used; name a tmux with executable",
    ]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"name": ""}, "name: it is missing; write one into the file"),
        ({"name": "<%= name %>"}, "name: templates of Ruby's"),
        ({"windows": None}, "windows: there is none; name at least one"),
        ({"windows": [{"a": 1, "b": 2}]}, r"windows\[0\]: it has 2 keys; write one"),
        ({"windows": [{"a": [{"b": 1}]}]}, r"windows\[0\].a: it is a dictionary and no text"),
        ({"windows": [{"a": {"panes": [{"b": 1, "c": 2}]}}]}, r"windows\[0\].a.panes\[0\]: it has 2 keys"),
        ({"root": "src"}, "root: 'src' is relative to the directory of the file; name that with directory="),
        ({"startup_window": "x"}, "startup_window: there is no window 'x'"),
        ({"startup_pane": 7}, "startup_pane: there is no pane 7"),
        ({"tmux_options": "-L 'x"}, "tmux_options: its quotes do not match"),
    ],
)
def test_what_would_be_another_session_is_refused(change: Dict[str, Any], message: str) -> None:
    with pytest.raises(DeclaredError, match=message):
        from_tmuxinator(dict({"name": "work", "windows": [{"a": None}]}, **change))
