# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a text gets to the screen of whoever runs Ansible."""

from typing import List

import pytest
from ansible import context
from ansible.utils.context_objects import CLIArgs
from ansible.utils.display import Display
from ansible_collections.fleet.tmux.plugins.plugin_utils._screen import AtTheEnd, in_question, paper, say
from ansible_collections.fleet.tmux.plugins.plugin_utils._summary import Asked
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import Paper


@pytest.fixture(name="shown")
def made_shown(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    found: List[str] = []
    monkeypatch.setattr(Display(), "display", found.append, raising=False)
    monkeypatch.setattr(AtTheEnd, "wanted", False)
    return found


def test_a_text_is_shown_as_it_is_written(shown: List[str]) -> None:
    assert say("one\n  two $(x) {{ y }}")
    assert shown == ["\none\n  two $(x) {{ y }}"]


def test_nothing_in_it_controls_the_terminal(shown: List[str]) -> None:
    say("a\x1b[2J\u202eb\rc")
    assert shown == ["\na\\x1b[2J\\u202eb\\x0dc"]


def test_it_waits_for_the_end_where_a_callback_shows_it_then(shown: List[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AtTheEnd, "wanted", True)
    assert not say("text")
    assert shown == []


@pytest.mark.parametrize("callback", ["json", "ansible.posix.json", "ansible.posix.jsonl", "community.general.null"])
def test_what_programs_read_is_not_disturbed(callback: str, shown: List[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", callback)
    assert not say("text")
    assert shown == []


def test_a_report_fits_the_screen_and_names_what_make_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Display(), "columns", 119)
    monkeypatch.setattr(context, "CLIARGS", CLIArgs({"check": True}))
    monkeypatch.setenv("FLEET_TMUX_COMMAND", "make cleanup")
    monkeypatch.setenv("FLEET_TMUX_LIMIT", "web*")
    assert paper() == Paper(119, True, (), Asked("make cleanup", "web*", True))
    assert in_question(["x"]) == Paper(119, True, proposed=True, besides=["x"])
