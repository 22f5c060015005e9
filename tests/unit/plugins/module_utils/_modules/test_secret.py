# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a secret option says is told nowhere, and hides nothing else."""

import json
from typing import Any, Dict, List, Optional

import pytest
from ansible.module_utils import basic
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import without
from ansible_collections.fleet.tmux.plugins.module_utils._modules.secret import (
    LEFT_OUT,
    Module,
    hidden,
    left_out,
    secrets_of,
)
from ansible_collections.fleet.tmux.plugins.module_utils._specs import tmux_send_keys

ENV: Dict[str, Any] = {"type": "dict", "no_log": True}
SPEC: Dict[str, Dict[str, Any]] = {
    "name": {"type": "str"},
    "width": {"type": "int"},
    "command": {"type": "str"},
    "env": ENV,
    "windows": {
        "type": "list",
        "elements": "dict",
        "options": {
            "name": {"type": "str"},
            "env": ENV,
            "panes": {"type": "list", "elements": "dict", "options": {"command": {"type": "str"}, "env": ENV}},
        },
    },
}
LONG = "hunter2-and-more"


class Ran:
    """What a module told Ansible, and what it wrote to the log of the system."""

    def __init__(self, result: Dict[str, Any], log: List[str]) -> None:
        self.result = result
        self.log = log
        self.all = json.dumps([result, log])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run_module(options: Dict[str, Any], end: Any, spec: Optional[Dict[str, Any]] = None) -> Ran:
        log: List[str] = []

        def write(module: Any, msg: str, log_args: Any = None) -> None:
            log.append(msg)
            log.append(str(log_args))

        internal = {"_ansible_verbosity": 3}
        if hasattr(basic, "_PARSED_MODULE_ARGS"):  # Newer ones are asked to tell of their options.
            internal["_ansible_inject_invocation"] = True
        given = {"ANSIBLE_MODULE_ARGS": {**options, **internal}}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(given).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        monkeypatch.setattr(basic.AnsibleModule, "log", write)
        with pytest.raises(SystemExit):
            end(Module(spec or SPEC))
        return Ran(json.loads(capsys.readouterr().out), log)

    return run_module


SHORT = {"N": "1", "YES": "yes", "FLAG": True, "NUMBER": 0, "WORD": "build"}


def test_short_values_hide_nothing_and_are_told_nowhere(run: Any) -> None:
    told = {"exit_status": 1, "name": "build-1", "msg": "yes, build 1 has ended", "list": ["1", 0, True]}
    ran = run({"name": "build-1", "env": SHORT}, lambda module: module.exit_json(**told))
    assert {key: ran.result[key] for key in told} == told
    assert ran.result["invocation"]["module_args"]["name"] == "build-1"
    assert ran.result["invocation"]["module_args"]["env"] == dict.fromkeys(SHORT, LEFT_OUT)
    assert "name=build-1" in ran.log[0] and "********" not in ran.all
    assert "True" not in ran.log[0] and "yes" not in ran.log[0]


def test_a_long_value_is_found_wherever_it_is_told(run: Any) -> None:
    def end(module: Module) -> None:
        module.warn("it warned of " + LONG)
        module.fail_json("it said: %s\n" % LONG, stderr=["a", {"detail": "x%sx" % LONG}], rc=1)

    given = {"name": "work", "command": "try " + LONG, "env": {"TOKEN": LONG, "N": "1"}}
    ran = run(given, end)
    assert LONG not in ran.all
    assert ran.result["msg"] == "it said: ********\n"
    assert ran.result["stderr"] == ["a", {"detail": "x********x"}]
    assert ran.result["invocation"]["module_args"]["command"] == "try ********"
    assert ran.result["rc"] == 1


@pytest.mark.parametrize("width", ["1x", "true1", LONG + "1"])
def test_options_that_are_refused_at_once_are_told_likewise(run: Any, width: str) -> None:
    given = {"name": "build-1", "width": width, "env": {"TOKEN": LONG, "N": "1"}}
    ran = run(given, lambda module: module.exit_json())
    assert ran.result["failed"] and "width" in ran.result["msg"]
    assert LONG not in ran.all
    assert ran.result["invocation"]["module_args"]["name"] == "build-1"
    assert LONG in width or "*" not in ran.result["msg"]


def test_windows_and_panes_have_secrets_of_their_own(run: Any) -> None:
    panes = [{"command": "run 1", "env": {"P": LONG + "-p", "N": "1"}}]
    windows = [{"name": "w1", "env": {"W": LONG + "-w", "YES": True}, "panes": panes}]
    ran = run({"name": "s1", "windows": windows}, lambda module: module.exit_json(msg=LONG + "-p"))
    assert LONG not in ran.all and "True" not in ran.log[0]
    told = ran.result["invocation"]["module_args"]["windows"][0]
    assert told["name"] == "w1" and told["env"] == {"W": LEFT_OUT, "YES": LEFT_OUT}
    assert told["panes"][0]["command"] == "run 1"
    assert "'w1'" in ran.log[0] and "run 1" in ran.log[0]


@pytest.mark.parametrize("windows", ["W=" + LONG, json.dumps([{"env": {"A": LONG}, "no": 1}]), [LONG], {"env": LONG}])
def test_what_has_another_shape_than_it_should_is_left_out_as_a_whole(run: Any, windows: Any) -> None:
    assert LONG not in run({"name": "s", "windows": windows}, lambda module: module.exit_json()).all


@pytest.mark.parametrize(
    "options, said",
    [
        ({"windows": ["a"]}, "windows[0]: it is a text; write a dictionary of env, name, panes"),
        ({"windows": "a"}, "windows: it is a text; write a dictionary of env, name, panes"),
        (
            {"env": {"A": "1"}, "windows": [{"name": "w", "panes": [{"command": "vi"}, "top"]}]},
            "windows[0]: panes[1]: it is a text; write a dictionary of command, env",
        ),
    ],
)
def test_a_text_for_a_dictionary_is_refused_by_its_place(run: Any, options: Dict[str, Any], said: str) -> None:
    """Whoever comes from tmuxp writes panes as texts. Ansible says that a dictionary is requested, and not where."""
    ran = run(dict(options, name="s"), lambda module: module.exit_json())
    assert ran.result["msg"] == said and LONG not in ran.all


def test_the_text_of_a_dictionary_is_as_secret_as_one(run: Any) -> None:
    ran = run({"name": "s", "env": "A=%s B=1" % LONG}, lambda module: module.exit_json(msg="1 " + LONG))
    assert LONG not in ran.all and ran.result["msg"] == "1 ********"


def test_what_the_task_calls_something_is_no_secret() -> None:
    params = {"name": "production-web", "env": {"STAGE": "production", "name": "private-word"}}
    assert secrets_of(SPEC, params) == {"private-word"}


def test_names_and_numbers_stay() -> None:
    result = {"sessions": [{"name": "a-production", "detail": "a-production", "created": 123456}]}
    told = hidden(result, {"production", "123456"})
    assert told == {"sessions": [{"name": "a-production", "detail": "a-********", "created": 123456}]}


def test_of_two_secrets_nothing_of_the_longer_one_is_left() -> None:
    assert hidden("secret-and-more", {"secret", "secret-and-more"}) == "********"


def test_an_option_whose_name_is_wrong_may_have_been_a_secret_one(run: Any) -> None:
    ran = run({"name": "s", "enviroment": {"A": LONG}}, lambda module: module.exit_json())
    assert ran.result["failed"] and "enviroment" in ran.result["msg"] and LONG not in ran.all


def test_what_is_not_given_is_not_left_out() -> None:
    assert left_out(SPEC, {"name": "s", "env": None}) == {"name": "s", "env": None}


@pytest.mark.parametrize("secret", ["1", LONG])
def test_a_secret_that_is_typed_is_told_nowhere(run: Any, secret: str) -> None:
    said = {"name": "asks", "text": "a", "secret_text": secret, "wait_timeout": "30s", "keys": ["Up"], "enter": True}
    ran = run(said, lambda module: module.exit_json(msg="it said " + LONG), spec=tmux_send_keys.ARGUMENT_SPEC)
    assert (
        ran.result["invocation"]["module_args"]["secret_text"] == LEFT_OUT and "secret_text=" + LEFT_OUT in ran.log[0]
    )
    assert secret != LONG or LONG not in ran.all
    assert ran.result["invocation"]["module_args"]["keys"] == ["Up"]


def test_lines_and_beginnings_of_secrets_are_hidden() -> None:
    """Of one with several lines each is one, but for those that tell nothing; and a text may be cut within one."""
    secrets = secrets_of(SPEC, {"env": {"KEY": "-----BEGIN\n  first-line\nshort\n", "OTHER": LONG}})
    told = {"msg": "it said: first-line | short", "name": "first-line"}
    assert hidden(told, secrets) == {"msg": "it said: ******** | short", "name": "first-line"}
    for size in range(6, len(LONG)):
        cut = "it said: hunter2%s... and 12 more characters; and more" % LONG[:size]
        assert hidden(cut, secrets) == "it said: hunter2********... and 12 more characters; and more"
    for text in (LONG[:5] + "... and 12 more characters", LONG[:9], LONG[:9] + "... and so on"):
        assert hidden(text, secrets) == text
    assert without("-more, -more", [LONG], begun=True) == "-more, -more"
    assert without("and-more, and-more", [LONG], begun=True) == "********, and-more"
