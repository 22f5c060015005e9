# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Only what the command names goes; whatever else happens to it keeps."""

import json
import os
import time
from pathlib import Path
from typing import List, Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import survivors
from ansible_collections.fleet.tmux.plugins.module_utils._actions.veto import Veto
from ansible_collections.fleet.tmux.tests.support.runs import Clock, Gently, item, marked, perform, prepare, told
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE
from ansible_collections.fleet.tmux.tests.support.world import World

ROOT = os.geteuid() == 0
ALL_IDS = r"""sed -n 's/.*"id": "\([^"]*\)".*/\1/p'"""


def asking(script: str, timeout: float = PATIENCE, **more: object) -> Gently:
    return Gently(veto=Veto(["sh", "-c", script], timeout, ROOT))._replace(**more)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(survivors, "ENDING_SECONDS", PATIENCE)
    found = Clock(monkeypatch)
    found.ahead = 10
    return found


def test_what_it_names_goes_and_the_rest_stays_in_check_mode_too(server: World) -> None:
    server.new("work")
    script = "grep work | " + ALL_IDS
    expected = {"first": "kept: vetoed", "work": "removed: idle"}
    assert told(perform(server, asking(script), check=True)) == expected
    result = perform(server, asking(script))
    assert told(result) == expected
    assert item(result, "first")["detail"].startswith("veto_command does not let it go; no activity for ")
    assert server.ids() == ["$0"]


def test_it_is_told_of_what_would_go_and_of_nothing_else(server: World) -> None:
    heard = os.path.join(server.folder, "heard")
    server.tmux("set-option", "-t", server.new("kept"), "@keep", "on")
    odd = server.new('a "b" \u00e9')
    perform(server, asking("tee -a %s | %s" % (heard, ALL_IDS), notice=3600))
    text = Path(heard).read_text(encoding="ascii")
    first, second = sorted(json.loads(text), key=lambda it: it["session"])
    assert (first["name"], first["action"], first["reason"], first["session"]) == ("first", "mark", "idle", "$0")
    assert (second["name"], second["session"]) == ('a "b" \u00e9', odd)
    assert len(text.splitlines()) == 4, "one a line"
    assert first["id"].split("/")[0] == str(server.pid()) and first["id"].split("/")[2] == "$0"
    assert marked(server, "$0") is not None and first["owner"] and first["socket"] == server.path


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("true", "veto_command does not let it go"),
        ("echo '[]' yes all $0 first", "veto_command does not let it go"),
        (ALL_IDS + " | cut -c 2-", "veto_command does not let it go"),
        (ALL_IDS + " | tr '\\n' ' '; echo x", "veto_command does not let it go"),
        (ALL_IDS + "; exit 3", "veto_command: exit status 3 for "),
        (ALL_IDS + "; kill -9 $$", "veto_command: exit status -9 for "),
        (ALL_IDS + "; yes", "veto_command: it said more than is read"),
        (ALL_IDS + "; printf '\\377'; exit 1", "veto_command: exit status 1"),
    ],
)
def test_anything_else_keeps(server: World, script: str, said: str) -> None:
    for check in (True, False):
        run = prepare(server, asking(script))
        result = run.finish(check)
        assert told(result) == {"first": "kept: vetoed"} and not result["changed"]
        assert item(result, "first")["detail"].startswith(said)
        assert len(run.trouble) == (0 if "let it go" in said else 1), "and once a warning, where it failed"


@pytest.mark.parametrize("command", [["/nowhere/at/all"], ["/"], ["a\0b"]])
def test_a_command_that_cannot_be_run_keeps(server: World, command: Sequence[str]) -> None:
    result = perform(server, Gently(veto=Veto(command, PATIENCE, ROOT)))
    assert told(result) == {"first": "kept: vetoed"}


def test_one_that_does_not_end_keeps(server: World) -> None:
    begun = time.monotonic()
    result = perform(server, asking(ALL_IDS + "; exec sleep 3600", timeout=0.5))
    assert told(result) == {"first": "kept: vetoed"}
    assert "did not end within 0.5 seconds" in item(result, "first")["detail"]
    assert time.monotonic() - begun < 600


def test_it_is_not_asked_where_nothing_would_go(server: World) -> None:
    server.tmux("set-option", "-t", "$0", "@keep", "on")
    run = prepare(server, asking("exit 9"))
    assert told(run.finish()) == {"first": "kept: keep"} and list(run.trouble) == []


def test_who_is_vetoed_loses_the_mark(server: World, clock: Clock) -> None:
    assert told(perform(server, Gently(notice=3600))) == {"first": "marked: idle"}
    clock.ahead += 4000
    assert told(perform(server, asking("true", notice=3600))) == {"first": "kept: vetoed"}
    assert marked(server, "$0") is None


def test_it_runs_with_little_in_its_environment(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "1")
    heard = os.path.join(server.folder, "heard")
    perform(server, asking("env > %s; pwd >> %s" % (heard, heard)))
    lines: List[str] = Path(heard).read_text(encoding="utf-8").splitlines()
    assert not any(line.startswith(("SECRET", "TMUX")) for line in lines) and lines[-1] == "/"
