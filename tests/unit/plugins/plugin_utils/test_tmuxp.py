# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of tmuxp's as arguments of tmux_session, and the other way round."""

from typing import Any, Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.plugin_utils._declared import DeclaredError
from ansible_collections.fleet.tmux.plugins.plugin_utils._tmuxp import from_tmuxp, to_tmuxp


def typed(*lines: str) -> str:
    """What a pane runs in which these lines were typed."""
    return "\n".join(["trap : INT", *lines, 'exec "$SHELL"'])


def windows(*declared: Dict[str, Any], **session: Any) -> List[Dict[str, Any]]:
    """The windows that these become in a session of their own; nothing of them is left out."""
    result, notes = from_tmuxp(dict(session, session_name="work", windows=list(declared)))
    assert notes == []
    found: List[Dict[str, Any]] = result["windows"]
    return found


def panes(*declared: Any, **window: Any) -> List[Dict[str, Any]]:
    (found,) = windows(dict(window, panes=list(declared)))
    return [dict(pane) for pane in found.get("panes", [{}])]


def test_a_session_with_one_plain_window_is_a_name_and_a_window() -> None:
    assert from_tmuxp({"session_name": "work", "windows": [{"panes": [None]}]}) == (
        {"name": ["work"], "windows": [{}]},
        [],
    )


def test_tmux_has_no_dots_and_colons_in_names() -> None:
    result, _notes = from_tmuxp({"session_name": "a.b:c", "windows": [{}]})
    assert result["name"] == ["a_b_c"]


@pytest.mark.parametrize(
    "pane",
    [
        None,
        "",
        "blank",
        "pane",
        [],
        [None],
        {"shell_command": None},
        {"shell_command": [""]},
        {"shell_command": "pane"},
    ],
)
def test_a_blank_pane_is_a_shell(pane: Any) -> None:
    assert panes(pane) == [{}]
    assert panes("top", pane) == [{"command": typed("top")}, {}]


@pytest.mark.parametrize("pane", ["make", ["make"], {"shell_command": "make"}, {"shell_command": [{"cmd": "make"}]}])
def test_a_command_is_run_by_a_shell_that_stays(pane: Any) -> None:
    assert panes(pane) == [{"command": typed("make")}]


def test_several_commands_are_typed_one_after_the_other() -> None:
    assert panes({"shell_command": ["cd src # here", {"cmd": "make"}]}) == [{"command": typed("cd src # here", "make")}]


def test_what_is_typed_first_comes_from_every_level() -> None:
    (window,) = windows(
        {"shell_command_before": ["b"], "panes": [{"shell_command_before": "c", "shell_command": "d"}, None]},
        shell_command_before={"cmd": "x", "shell_command": ["a"]},
    )
    assert [pane["command"] for pane in window["panes"]] == [typed("a", "b", "c", "d"), typed("a", "b")]


def test_pauses_are_taken_over() -> None:
    pane = {"sleep_before": 2, "shell_command": ["a", {"cmd": "b", "sleep_before": 0.5, "sleep_after": 1}]}
    assert panes(pane) == [{"command": typed("sleep 2", "a", "sleep 0.5", "b", "sleep 1")}]


def test_what_is_not_run_is_not_typed() -> None:
    pane = {"shell_command": ["a", {"cmd": "b", "enter": False}]}
    result, notes = from_tmuxp({"session_name": "work", "windows": [{"panes": [pane]}]})
    assert result["windows"] == [{"panes": [{"command": typed("a")}]}]
    assert notes == [
        "windows[0].panes[0].shell_command[1]: nothing is typed that is not run, so it is left out",
    ]


def test_a_pane_of_which_nothing_is_run_is_a_shell() -> None:
    pane = {"enter": False, "shell_command": ["a", {"cmd": "b", "enter": True}]}
    result, notes = from_tmuxp(
        {"session_name": "work", "windows": [{"panes": [pane, {"enter": False, "shell_command": "c"}]}]}
    )
    assert result["windows"] == [{"panes": [{"command": typed("b")}, {}]}]
    assert notes == [
        "windows[0].panes[0].shell_command[0]: nothing is typed that is not run, so it is left out",
        "windows[0].panes[1].shell_command: nothing is typed that is not run, so it is left out",
    ]


@pytest.mark.parametrize(
    "session, window, pane, expected",
    [
        ("/srv", None, None, ("/srv", None, None)),
        ("/srv", "logs", None, ("/srv", "/srv/logs", None)),
        ("/srv", "./", None, ("/srv", None, None)),
        ("/srv", "/var", "log", ("/srv", "/var", "/var/log")),
        ("./", "~/x", None, ("~/files", "~/x", None)),
        ("../other/.", None, None, ("~/files/../other", None, None)),
        (None, "here", None, (None, "~/files/here", None)),
        ("$HOME/src", None, "${HOME}", ("~/src", None, "~")),
        ("$TOP/src", None, None, ("/top/src", None, None)),
    ],
)
def test_directories_begin_where_the_one_above_is(session: Any, window: Any, pane: Any, expected: Any) -> None:
    data = {
        "session_name": "work",
        "start_directory": session,
        "windows": [{"start_directory": window, "panes": [{"start_directory": pane}]}],
    }
    result, notes = from_tmuxp(data, directory="~/files", variables={"TOP": "/top"})
    (found,) = result["windows"]
    (one,) = found.get("panes", [{}])
    assert ((result.get("chdir"), found.get("chdir"), one.get("chdir")), notes) == (expected, [])


def test_variables_are_where_they_are_said() -> None:
    first, second = windows(
        {"environment": {"B": 2}, "panes": [None, {"environment": {"C": True}}]}, {}, environment={"A": "1"}
    )
    assert first == {"env": {"B": "2"}, "panes": [{}, {"env": {"C": "true"}}]}
    assert second == {}


def test_panes_that_stay_are_an_argument_of_their_own() -> None:
    stays = {"options": {"remain-on-exit": True, "status": False}}
    one, notes = from_tmuxp({"session_name": "work", "windows": [stays]})
    assert (one, notes) == ({"name": ["work"], "keep_exited": True, "windows": [{"options": {"status": "off"}}]}, [])
    assert from_tmuxp(dict({"session_name": "work", "windows": [{}, {}]}, **stays)).notes == []
    assert from_tmuxp({"session_name": "work", "windows": [stays, {}]}).notes == [
        "remain-on-exit: keep_exited says it for the whole session"
    ]


def test_no_two_windows_have_the_same_name() -> None:
    declared = [{"window_name": name} for name in ("a", None, "a", None, "a-2", "a")]
    result, notes = from_tmuxp({"session_name": "work", "windows": declared})
    assert [window.get("name") for window in result["windows"]] == ["a", None, "a-3", None, "a-2", "a-4"]
    assert notes[0] == "windows[2]: another has the name a too, so it is called a-3"
    dotted, _notes = from_tmuxp({"session_name": "work", "windows": [{"window_name": name} for name in ("a.b", "a:b")]})
    assert [window["name"] for window in dotted["windows"]] == ["a_b", "a_b-2"]


def test_options_are_written_as_tmux_writes_them() -> None:
    data = {
        "session_name": "work",
        "global_options": {"status": False, "repeat-time": 100},
        "options": {"repeat-time": 200, "@mine": "x"},
        "windows": [{"options": {"main-pane-height": 30}, "options_after": {"synchronize-panes": True}}],
    }
    result, notes = from_tmuxp(data)
    assert result["options"] == {"status": "off", "repeat-time": "200", "@mine": "x"}
    assert result["windows"] == [{"options": {"main-pane-height": "30", "synchronize-panes": "on"}}]
    assert notes == ["global_options: they are set for this session, and not for all of its server"]


def test_a_part_in_percent_and_a_name_that_is_only_the_first_are_taken_over() -> None:
    own = {"main-pane-height": "67%", "automatic-rename": True}
    (one,) = windows({"window_name": "first", "layout": "main-horizontal", "options": own})
    assert one == {
        "name": "first",
        "layout": "main-horizontal",
        "options": {"main-pane-height": "67%", "automatic-rename": "on"},
    }


def test_the_last_that_wants_the_focus_has_it() -> None:
    first, second = windows({"focus": True, "panes": ["a", {"focus": True}]}, {"focus": True, "layout": "tiled"})
    assert first == {"panes": [{"command": typed("a")}, {"focus": True}]}
    assert second == {"focus": True, "layout": "tiled"}


def test_a_pane_can_have_a_program_or_a_shell_of_its_own() -> None:
    assert panes(None, {"shell": "/bin/zsh -l"}, window_shell="top -d 5") == [
        {"command": "top -d 5"},
        {"command": "/bin/zsh -l"},
    ]
    (one,) = panes("echo 'x'", window_shell="bash")
    assert one == {"command": "exec bash -c 'trap : INT\necho '\\''x'\\''\nexec bash'"}


def test_nothing_is_typed_into_another_program() -> None:
    data = {"session_name": "work", "windows": [{"window_shell": "python3", "panes": ["print(1)"]}]}
    result, notes = from_tmuxp(data)
    assert result["windows"] == [{"panes": [{"command": "python3"}]}]
    assert notes == [
        "windows[0].panes[0].shell_command: the pane runs python3, into which nothing is typed;"
        " use tmux_send_keys in a task of its own"
    ]


def test_what_is_not_taken_over_is_told() -> None:
    data = {
        "session_name": "work",
        "plugins": ["mine.Plugin"],
        "before_script": "./setup",
        "suppress_history": False,
        "sesion_name": "typo",
        "windows": [{"window_index": 5, "panes": [{"cmd": "top"}]}],
    }
    result, notes = from_tmuxp(data)
    assert result == {"name": ["work"], "windows": [{}]}
    assert notes == [
        "sesion_name: this is no key of tmuxp that is known here; it is left out",
        "plugins: they are not run",
        "before_script: it is not run; run it in a task before this one",
        "suppress_history: nothing is typed, so nothing is in the shell's history",
        "windows[0].window_index: windows are numbered in their order",
        "windows[0].panes[0].cmd: this is no key of tmuxp that is known here; it is left out",
    ]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"session_name": None}, "session_name: it is missing; write one into the file"),
        ({"windows": []}, "windows: there is none; name at least one"),
        ({"windows": {"a": "b"}}, "windows: it is a dictionary; a list was expected"),
        ({"windows": ["top"]}, r"windows\[0\]: it is a text; a dictionary was expected"),
        ({"session_name": ["a"]}, "session_name: it is a list and no text; write it in quotes"),
        (
            {"session_name": "of ${USER}"},
            r"session_name: the value of \$USER is not known here; give it with variables=",
        ),
        ({"environment": {"A": "$B"}}, r"environment.A: the value of \$B is not known here"),
        ({"start_directory": "src"}, "start_directory: 'src' is relative to the directory of the file; name that with"),
        ({"windows": [{"panes": [{"shell_command": "a", "sleep_before": "x"}]}]}, "'x' is no number of seconds"),
    ],
)
def test_what_would_be_another_session_is_refused(change: Dict[str, Any], message: str) -> None:
    with pytest.raises(DeclaredError, match=message):
        from_tmuxp(dict({"session_name": "work", "windows": [{}]}, **change))


def test_variables_of_a_command_are_the_shells_unless_they_are_given() -> None:
    data = {"session_name": "$ME", "windows": [{"panes": ["echo $ME ${HOME} $((1 + 1))"]}]}
    result, _notes = from_tmuxp(data, variables={"ME": "joe"})
    assert result == {"name": ["joe"], "windows": [{"panes": [{"command": typed("echo joe ${HOME} $((1 + 1))")}]}]}


# --- the other way round ----------------------------------------------------------------------------------------------

ARGUMENTS: Dict[str, Any] = {
    "name": ["work"],
    "chdir": "~/work",
    "env": {"A": "1"},
    "options": {"status": "off"},
    "keep_exited": True,
    "windows": [
        {
            "name": "one",
            "layout": "tiled",
            "panes": [{"command": typed("make", "pane")}, {"chdir": "/var", "focus": True}],
        },
        {"name": "two", "focus": True, "env": {"A": "1", "B": "2"}, "panes": [{"command": typed("pane")}]},
        {"options": {"synchronize-panes": "on"}, "panes": [{"command": "top -d 5"}, {}]},
        {},
    ],
}


def test_a_session_becomes_a_file() -> None:
    assert to_tmuxp(ARGUMENTS) == (
        {
            "session_name": "work",
            "start_directory": "~/work",
            "environment": {"A": "1"},
            "options": {"status": "off", "remain-on-exit": "on"},
            "windows": [
                {
                    "window_name": "one",
                    "layout": "tiled",
                    "panes": [
                        {"shell_command": ["make", {"cmd": "pane"}]},
                        {"start_directory": "/var", "focus": True},
                    ],
                },
                {
                    "window_name": "two",
                    "environment": {"A": "1", "B": "2"},
                    "focus": True,
                    "panes": [{"shell_command": [{"cmd": "pane"}]}],
                },
                {"options": {"synchronize-panes": "on"}, "panes": [{"shell": "top -d 5"}, "pane"]},
                {"panes": ["pane"]},
            ],
        },
        [],
    )


def test_a_file_that_was_made_of_a_session_becomes_that_session_again() -> None:
    assert from_tmuxp(to_tmuxp(ARGUMENTS).result) == (ARGUMENTS, [])


def test_a_session_without_windows_is_one_window() -> None:
    result, _notes = to_tmuxp({"name": "job", "argv": ["tail", "-F", "a b"], "window_name": "log"})
    assert result == {
        "session_name": "job",
        "windows": [{"window_name": "log", "panes": [{"shell": "tail -F 'a b'"}]}],
    }


def test_what_tmuxp_does_not_know_or_reads_otherwise_is_told() -> None:
    _result, notes = to_tmuxp(
        {
            "name": "job",
            "width": 200,
            "env": {"A": "$5"},
            "windows": [{"panes": [{"title": "x"}]}],
            "prune_windows": False,
        }
    )
    assert notes == [
        "width: tmuxp has nothing like it; it is left out",
        "env.A: tmuxp replaces variables and ~ in it when it reads the file",
        "windows[0].panes[0].title: tmuxp has nothing like it; it is left out",
    ]


@pytest.mark.parametrize("names", [None, [], ["a", "b"]])
def test_a_file_has_one_session(names: Any) -> None:
    with pytest.raises(DeclaredError, match="name: a file of tmuxp's has exactly one session"):
        to_tmuxp({"name": names})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"variables": "a"}, "variables: it is a text; a dictionary was expected"),
        ({"variables": {"A": [1]}}, "variables.A: it is a list and no text"),
        ({"directory": 5}, "directory: it is a number or boolean and no path"),
        ({"directory": "rel"}, "directory: 'rel' is not absolute"),
        ({"directory": "~bob/x"}, "directory: '~bob/x' is not absolute"),
    ],
)
def test_options_of_another_kind_are_refused(wrong: Dict[str, Any], message: str) -> None:
    with pytest.raises(DeclaredError) as refused:
        from_tmuxp({"session_name": "work", "start_directory": "./", "windows": [{}]}, **wrong)
    assert str(refused.value).startswith(message)


def test_what_tmux_session_would_refuse_is_told_where_it_stands() -> None:
    assert windows({"layout": "even-h"})[0]["layout"] == "even-horizontal"
    assert windows({"layout": "b25f,80x24,0,0,0"})[0]["layout"] == "b25f,80x24,0,0,0"
    with pytest.raises(DeclaredError, match=r"^windows\[0\].layout: 'foo' is no layout; write even-horizontal, "):
        windows({"layout": "foo"})
    with pytest.raises(
        DeclaredError, match=r"^windows\[0\].start_directory: '~bob/x' is in the home of a user; write out"
    ):
        windows({"start_directory": "~bob/x"})
    result, notes = from_tmuxp(
        {"session_name": "work", "global_options": {"escape-time": 0, "base-index": 1}, "windows": [{}]}
    )
    assert result["options"] == {"base-index": "1"}
    assert "global_options.escape-time: it is an option of the server, which a session has not; it is left out" in notes


def test_panes_that_stay_only_if_they_failed_are_told() -> None:
    result, notes = from_tmuxp({"session_name": "work", "options": {"remain-on-exit": "failed"}, "windows": [{}]})
    assert result["keep_exited"] is True
    assert notes == ["remain-on-exit: keep_exited keeps all panes that have ended, and not only those that have failed"]


def test_variables_that_tmuxp_would_replace_are_told_wherever_they_are() -> None:
    panes_ = [{"chdir": "/$c"}]
    said = {"name": "work", "chdir": "/$a", "windows": [{"name": "$n", "chdir": "/$b", "panes": panes_}]}
    told = "tmuxp replaces variables in it when it reads the file"
    places = ("chdir", "windows[0].panes[0].chdir", "windows[0].chdir", "windows[0].name")
    assert sorted(to_tmuxp(said).notes) == sorted(f"{place}: {told}" for place in places)


def test_what_no_window_has_is_told() -> None:
    notes = to_tmuxp({"name": "a", "command": "x", "windows": [{}]}).notes
    assert notes == ["command: tmuxp has nothing like it; it is left out"]


@pytest.mark.parametrize("state", ["absent", "only"])
def test_no_session_becomes_no_file(state: str) -> None:
    with pytest.raises(DeclaredError, match=f"^state: with '{state}' there is no session to be written down"):
        to_tmuxp({"name": "a", "state": state})
