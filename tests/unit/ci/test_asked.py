# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What make tells a run of how it was called, so that a report can name the next command."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any, Dict

import pytest

CI = Path(__file__).resolve().parents[3] / ".ci"


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module under test, which is no part of the collection."""
    monkeypatch.syspath_prepend(str(CI))
    yield importlib.import_module("play")
    for name in ("play", "environments"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ({}, "make cleanup"),
        ({"INVENTORY": "hosts.ini"}, "make cleanup INVENTORY=hosts.ini"),
        ({"INVENTORY": "my hosts", "ARGS": "-e a=b"}, "make cleanup INVENTORY='my hosts' ARGS=..."),
        ({"ARGS": "-e tmux_cleanup_idle=2d -v"}, "make cleanup ARGS='-e tmux_cleanup_idle=2d -v'"),
        ({"ARGS": "-b -f 20 --limit=a*"}, "make cleanup ARGS='-b -f 20 --limit=a*'"),
        ({"ARGS": "-e db_pwd=hunter2"}, "make cleanup ARGS=..."),
        ({"ARGS": "-e tmux_cleanup_report_command=https://chat/hunter2"}, "make cleanup ARGS=..."),
        ({"ARGS": "-e @vault.yml"}, "make cleanup ARGS=..."),
        ({"ARGS": "-v\n-e tmux_cleanup_idle=2d"}, "make cleanup ARGS='-v -e tmux_cleanup_idle=2d'"),
        ({"ARGS": "--ask-become-pass"}, "make cleanup ARGS=--ask-become-pass"),
        ({"INVENTORY": "h", "ARGS": "-e ansible_become_password=hunter2"}, "make cleanup INVENTORY=h ARGS=..."),
        ({"ARGS": """-e '{"api_token": "hunter2"}'"""}, "make cleanup ARGS=..."),
    ],
)
def test_the_command_for_a_cleanup(play: Any, given: Dict[str, str], command: str) -> None:
    assert play.asked(dict(given, LIMIT="web*")) == {"FLEET_TMUX_COMMAND": command, "FLEET_TMUX_LIMIT": "web*"}


def test_what_was_set_stays(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_DISPLAY_OK_HOSTS", "yes")
    environ = play.environment_variables()
    assert environ["ANSIBLE_DISPLAY_OK_HOSTS"] == "yes"
    assert environ["ANSIBLE_DISPLAY_SKIPPED_HOSTS"] == "no"


def test_callbacks_that_are_enabled_stay(play: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever enables them: a configuration file, or the environment, which takes its place."""
    tools = str(tmp_path / "bin")
    os.mkdir(tools)
    os.symlink(sys.executable, tools + "/python")
    config = tmp_path / "ansible.cfg"
    config.write_text("[defaults]\ncallbacks_enabled = site.log.ara, timer\n", encoding="utf-8")
    environ = dict(os.environ, ANSIBLE_CONFIG=str(config), PYTHONPATH=os.pathsep.join(sys.path))
    environ.pop("ANSIBLE_CALLBACKS_ENABLED", None)
    progress = "fleet.tmux.cleanup_progress"
    assert play.ours(tools, environ)["ANSIBLE_CALLBACKS_ENABLED"] == "site.log.ara,timer," + progress
    environ["ANSIBLE_CALLBACKS_ENABLED"] = "ansible.posix.timer"
    assert play.ours(tools, environ)["ANSIBLE_CALLBACKS_ENABLED"] == "ansible.posix.timer," + progress
