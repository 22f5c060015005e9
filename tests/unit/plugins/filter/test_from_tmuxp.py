# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters that read and write the files of other programs."""

from typing import Any, Callable, Dict, List

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.utils.display import Display
from ansible_collections.fleet.tmux.plugins.filter import from_tmuxinator, from_tmuxp, to_tmuxp
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import SESSION, problems
from ansible_collections.fleet.tmux.plugins.module_utils._specs.tmux_session import ARGUMENT_SPEC

FILTERS = [from_tmuxinator, from_tmuxp, to_tmuxp]

READ = {
    "from_tmuxp": {
        "session_name": "work",
        "start_directory": "./",
        "windows": [{"window_name": "editor", "panes": ["vim"]}],
        "plugins": ["x"],
    },
    "from_tmuxinator": {"name": "work", "root": "~/work", "windows": [{"logs": "top"}], "pre": "x"},
    "to_tmuxp": {"name": "build", "windows": [{"name": "make", "command": "make -j4 all"}], "width": 80},
}


def the_filter(module: Any) -> Callable[..., Dict[str, Any]]:
    (found,) = module.FilterModule().filters().values()
    assert found.__name__ == yaml.safe_load(module.DOCUMENTATION)["name"]
    returned: Callable[..., Dict[str, Any]] = found
    return returned


@pytest.mark.parametrize("module", FILTERS)
def test_it_returns_what_its_documentation_shows_and_warns_of_the_rest(
    module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: List[str] = []
    monkeypatch.setattr(Display, "warning", lambda _self, text, *_more, **_others: said.append(text))
    asked = {"directory": "~/work"} if module is from_tmuxp else {}
    name = the_filter(module).__name__
    found = the_filter(module)(READ[name], **asked)
    assert found == yaml.safe_load(module.RETURN)["_value"]["sample"]
    left_out = {"from_tmuxp": "plugins", "from_tmuxinator": "pre", "to_tmuxp": "width"}
    assert [text.split(": ")[:2] for text in said] == [[name, left_out[name]]]


@pytest.mark.parametrize("module", FILTERS)
def test_a_refusal_is_an_error_of_a_filter(module: Any) -> None:
    with pytest.raises(AnsibleFilterError, match=": it is a list; a dictionary was expected"):
        the_filter(module)([])


TMUXP = {
    "session_name": "a.b",
    "start_directory": "~/work",
    "environment": {"A": 1},
    "options": {"status": False},
    "windows": [
        {
            "window_name": "one",
            "layout": "tiled",
            "focus": True,
            "options": {"remain-on-exit": True},
            "panes": ["a", None],
        },
        {
            "window_name": "one",
            "environment": {"B": "2"},
            "panes": [{"shell": "top", "start_directory": "/"}, {"focus": 1}],
        },
        {"options_after": {"synchronize-panes": True}},
    ],
}
TMUXINATOR = {
    "name": 5,
    "root": "~/work",
    "socket_name": "mine",
    "startup_window": "b",
    "startup_pane": 1,
    "pre_window": "x",
    "windows": [
        {1: None},
        {"b": {"root": "c", "synchronize": "after", "panes": ["y", {"title": ["z"]}]}},
        {"b": ["q", "r"]},
    ],
}


@pytest.mark.parametrize("module, data", [(from_tmuxp, TMUXP), (from_tmuxinator, TMUXINATOR)])
def test_what_it_returns_is_what_tmux_session_takes(module: Any, data: Dict[str, Any]) -> None:
    checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(the_filter(module)(data))
    assert checked.error_messages == []
    assert problems(checked.validated_parameters, SESSION) == []
