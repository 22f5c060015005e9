# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The callback, with the events of both kinds of ansible-core: results whose parts have an underscore, and without."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, List

import pytest
from ansible.utils.display import Display
from ansible_collections.fleet.tmux.plugins.callback.cleanup_progress import CallbackModule
from ansible_collections.fleet.tmux.plugins.plugin_utils._account import FILE
from ansible_collections.fleet.tmux.plugins.plugin_utils._screen import AtTheEnd

PRUNE, SHOW = "fleet.tmux.tmux_session_prune", "fleet.tmux.cleanup_show"
AGREE = "fleet.tmux.cleanup_agree"


@pytest.fixture(name="shown")
def made_shown(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    found: List[str] = []
    monkeypatch.setattr(Display(), "display", lambda text, *more, **options: found.append(text), raising=False)
    monkeypatch.setattr(AtTheEnd, "wanted", False)
    return found


@pytest.fixture(name="result", params=["old", "new"])
def made_result(request: pytest.FixtureRequest) -> Any:
    def make(action: str, told: Dict[str, Any], host: str = "web1") -> Any:
        mark = "_" if request.param == "old" else ""
        task = SimpleNamespace(action="x", resolved_action=action)
        return SimpleNamespace(**{mark + "task": task, mark + "host": host, mark + "result": told})

    return make


def test_what_is_to_be_shown_is_shown_at_the_end(shown: List[str], result: Any) -> None:
    callback = CallbackModule()
    callback.v2_playbook_on_start(None)
    assert AtTheEnd.wanted
    callback.v2_runner_on_ok(result(SHOW, {"text": "one\n", "shown": False}))
    callback.v2_runner_on_ok(result(SHOW, {"text": "shown already", "shown": True}))
    callback.v2_runner_on_ok(result("fleet.tmux.tmux_session_info", {"text": "of something else"}))
    assert shown == []
    callback.v2_playbook_on_stats(None)
    assert shown == ["\none\n"]
    callback.v2_playbook_on_stats(None)
    assert shown == ["\none\n"]


def test_nothing_is_shown_any_more_after_a_no(shown: List[str], result: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    log: List[Any] = []
    monkeypatch.setattr(Display(), "display", lambda text, **how: log.append((text, how)), raising=False)
    callback = CallbackModule()
    callback.v2_playbook_on_start(None)
    for asks, report_only in ((True, False), (False, True), (True, True)):
        callback.v2_runner_on_ok(result(AGREE, {"asks": asks, "report_only": report_only}))
        callback._display.display("PLAY")
    callback._display.display("a warning", stderr=True)
    callback.v2_runner_on_ok(result(SHOW, {"text": "Report: x", "shown": False}))
    callback.v2_playbook_on_stats(None)
    shown_now = [text for text, how in log if not how.get("log_only")]
    assert shown_now == ["PLAY", "PLAY", "a warning", "\nReport: x"]
    assert [text for text, how in log if how.get("log_only")] == ["PLAY"]


def test_hosts_are_counted_whatever_became_of_them(
    shown: List[str], result: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback = CallbackModule()
    seen: List[Any] = []
    monkeypatch.setattr(callback._progress, "done", lambda host, well=True: seen.append((host, well)))
    callback.v2_runner_on_ok(result(PRUNE, {}, "a"))
    callback.v2_runner_on_skipped(result(PRUNE, {}, "b"))
    callback.v2_runner_on_failed(result(PRUNE, {}, "c"))
    callback.v2_runner_on_unreachable(result(PRUNE, {}, "d"))
    callback.v2_runner_on_ok(result("ansible.builtin.ping", {}, "e"))
    assert seen == [("a", True), ("b", True), ("c", False), ("d", False)]


def test_the_number_of_hosts_is_that_of_the_play(shown: List[str], monkeypatch: pytest.MonkeyPatch) -> None:
    callback = CallbackModule()
    expected: List[Any] = []
    monkeypatch.setattr(callback._progress, "expect", expected.append)
    found = {"ansible_play_hosts_all": ["a", "b", "c"]}
    manager = SimpleNamespace(get_vars=lambda play, include_hostvars: found)
    callback.v2_playbook_on_play_start(SimpleNamespace(get_variable_manager=lambda: manager))
    for action in (PRUNE, "ansible.builtin.ping"):
        callback.v2_playbook_on_task_start(SimpleNamespace(action="x", resolved_action=action), False)
    found.clear()
    callback.v2_playbook_on_task_start(SimpleNamespace(action=PRUNE), False)
    assert expected == [3, None]


def test_an_account_is_kept_of_what_changes_something(
    shown: List[str], result: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A plan changes nothing: whoever breaks it off need not be told of any host."""
    monkeypatch.setenv(FILE, str(tmp_path / "account"))
    callback = CallbackModule()
    callback.v2_playbook_on_start(None)
    play = SimpleNamespace(get_variable_manager=lambda: SimpleNamespace(get_vars=lambda **_how: HOSTS))
    callback.v2_playbook_on_play_start(play)
    for check_mode in (True, "{{ ansible_check_mode }}"):
        task = SimpleNamespace(action=PRUNE, check_mode=check_mode)
        callback.v2_playbook_on_task_start(task, False)
        for host in ("a", "b"):
            callback.v2_runner_on_start(host, task)
        callback.v2_runner_on_failed(with_task(result(PRUNE, {}, "a"), task))
    callback.v2_runner_on_start("a", SimpleNamespace(action="ansible.builtin.ping"))
    lines = (tmp_path / "account").read_text(encoding="ascii").splitlines()
    assert [json.loads(line) for line in lines] == [
        ["hosts", None],
        ["hosts", 2],
        ["begun", "a"],
        ["begun", "b"],
        ["done", "a"],
    ]


HOSTS = {"ansible_play_hosts_all": ["a", "b"]}


def with_task(result: Any, task: Any) -> Any:
    name = "task" if hasattr(result, "task") else "_task"
    setattr(result, name, task)
    return result
