# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make test` makes of its checks: when it goes on, what it says, and when it is a success."""

import importlib
import signal
import sys
import threading
from pathlib import Path
from typing import Any, List

import pytest
from ansible_collections.fleet.tmux.tests.support.processes import settable

CI = Path(__file__).resolve().parents[3] / ".ci"


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module under test, which is no part of the collection."""
    monkeypatch.syspath_prepend(str(CI))
    yield importlib.import_module("checks")
    for name in ("checks", "environments"):
        sys.modules.pop(name, None)


def checks(runner: Any, *names: str, lane: str = "lane-apart") -> List[Any]:
    return [runner.Check(name, "lint", lane, "new") for name in names]


def outcomes(runner: Any, **statuses: str) -> List[Any]:
    return [runner.Outcome(*checks(runner, name), status, 1.0, "because") for name, status in statuses.items()]


@pytest.mark.parametrize(
    ("statuses", "closing", "success"),
    [
        ({"a": "passed", "b": "passed"}, "2 passed, 0 failed, 0 skipped", True),
        ({"a": "passed", "b": "failed"}, "1 passed, 1 failed, 0 skipped", False),
        ({"a": "passed", "b": "left out"}, "1 passed, 0 failed, 1 skipped", True),
        ({"a": "left out", "b": "left out"}, "0 passed, 0 failed, 2 skipped", False),
        ({"a": "failed", "b": "not run"}, "0 passed, 1 failed, 1 skipped", False),
        ({}, "0 passed, 0 failed, 0 skipped", False),
    ],
)
def test_the_last_line_and_the_exit_status(runner: Any, statuses: Any, closing: str, success: bool) -> None:
    lines, status = runner.summary(outcomes(runner, **statuses), "", strict=False)
    assert lines[-1] == closing
    assert (status == 0) is success


def test_where_nothing_ran_it_says_so(runner: Any) -> None:
    lines, _status = runner.summary(outcomes(runner, a="left out"), "", strict=False)
    assert "left out: a: because" in lines
    assert "Nothing passed here, which is no success." in lines


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("what", ["a whole check", "a part of one", "the newest ansible-core"])
def test_what_is_left_out_is_said_and_under_ci_a_failure(runner: Any, what: str, strict: bool) -> None:
    ended = outcomes(runner, a="passed")
    if what == "a whole check":
        ended += outcomes(runner, b="left out")
    if what == "a part of one":
        ended = [ended[0]._replace(parts=("needs root",))]
    lines, status = runner.summary(ended, "it needs" if what == "the newest ansible-core" else "", strict)
    assert any(line.startswith("left out: ") for line in lines)
    assert status == int(strict)


def test_how_long_each_took_longest_first(runner: Any) -> None:
    made = [one._replace(seconds=seconds) for one, seconds in zip(outcomes(runner, a="passed", b="passed"), (2, 700))]
    assert runner.summary(made, "", strict=False)[0][:2] == ["   700 s  b", "     2 s  a"]


def test_an_unknown_name_is_an_error(runner: Any) -> None:
    with pytest.raises(SystemExit, match=r"No check is called mipy. There are: lint, mypy"):
        runner.chosen(checks(runner, "mypy"), ["mypy", "mipy"])


def test_names_and_kinds_choose(runner: Any) -> None:
    every = [*checks(runner, "a", "b"), runner.Check("c", "unit", "lane-here", "old")]
    assert [check.name for check in runner.chosen(every, [])] == ["a", "b", "c"]
    assert [check.name for check in runner.chosen(every, ["b"])] == ["b"]
    assert [check.name for check in runner.chosen(every, ["lint"])] == ["a", "b"]


@pytest.mark.parametrize(("keep_going", "last"), [(False, "not run"), (True, "passed")])
def test_after_a_failure_nothing_new_is_started_unless_asked_for(runner: Any, keep_going: bool, last: str) -> None:
    def do(check: Any) -> Any:
        return runner.Outcome(check, "failed" if check.name == "b" else "passed")

    ended = runner.Run(do, keep_going).outcomes(checks(runner, "a", "b", "c"))
    assert [outcome.status for outcome in ended] == ["passed", "failed", last]


def test_two_lanes_run_at_the_same_time(runner: Any) -> None:
    both = threading.Barrier(2, timeout=60)

    def do(check: Any) -> Any:
        both.wait()
        return runner.Outcome(check, "passed")

    every = checks(runner, "a") + checks(runner, "b", lane="lane-here")
    assert [outcome.status for outcome in runner.Run(do, False).outcomes(every)] == ["passed", "passed"]


def test_each_lane_comes_to_its_turn_and_runs_one_check_at_a_time(runner: Any) -> None:
    lanes = ["lane-apart", "lane-here", "lane-worlds", "lane-beside"]
    busy, begun, longest = set(), [], threading.Event()

    def do(check: Any) -> Any:
        assert check.lane not in busy
        busy.add(check.lane)
        assert len(busy) <= runner.AT_A_TIME
        begun.append(check.name)
        if check.lane == "lane-apart":  # lasts until all others have run, and keeps none of them waiting
            assert longest.wait(60)
        if len(begun) == 7:
            longest.set()
        busy.remove(check.lane)
        return runner.Outcome(check, "passed")

    every = checks(runner, "0") + [it for lane in lanes[1:] for it in checks(runner, lane, lane + "2", lane=lane)]
    ended = runner.Run(do, False).outcomes(every)
    assert [(outcome.check, outcome.status) for outcome in ended] == [(check, "passed") for check in every]


@pytest.mark.parametrize(
    ("told", "log", "status", "parts"),
    [
        ([{"result": "success"}], "12 passed", "passed", ()),
        ([{"result": "skipped", "reason": "it needs root"}], "", "left out", ()),
        ([{"result": "failed"}], "12 passed", "failed", ()),
        ([{"result": "aborted"}], "", "failed", ()),
        ([], "nox broke down", "failed", ()),
        ([{"result": "success"}], "WARNING: All targets skipped.", "failed", ()),
        ([{"result": "success"}], "SKIPPED [3] a.py:1: left out: needs root\n9 passed", "passed", ("needs root",)),
        ([{"result": "success"}], "SKIPPED [3] a.py:1: this tmux is older\n9 passed", "passed", ()),
        ([{"result": "success"}], "SKIPPED [3] a.py:1: left out: needs root\n3 skipped in 0.12s", "left out", ()),
        ([{"result": "success"}], "SKIPPED [3] a.py:1: this tmux is older\n=== 3 skipped in 0.12s ===", "failed", ()),
        ([{"result": "success"}], "3 skipped in 0.12s\n9 passed, 1 skipped in 61.02s (0:01:01)", "passed", ()),
    ],
)
def test_how_a_check_ended(runner: Any, told: Any, log: str, status: str, parts: Any) -> None:
    (check,) = checks(runner, "a")
    outcome = runner.judged(check, told, log, 1.0)
    assert (outcome.status, outcome.parts, outcome.no_kernel) == (status, parts, ())


@pytest.mark.parametrize("strict", [False, True])
def test_what_its_kernel_does_not_have_is_said_and_is_no_failure(runner: Any, strict: bool) -> None:
    (check,) = checks(runner, "a")
    log = "SKIPPED [3] a.py:1: not on this kernel: needs FUSE\n9 passed"
    outcome = runner.judged(check, [{"result": "success"}], log, 1.0)
    lines, status = runner.summary([outcome], "", strict)
    assert "not on this kernel: a part of a: it needs FUSE" in lines
    assert status == 0


def test_no_check_ignores_a_signal(runner: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who begins something in the background often ignores interrupts, and a test waited for hours for one to work."""
    nox = tmp_path / "nox"
    nox.write_text("#!/bin/sh\ngrep SigIgn: /proc/self/status\n", encoding="ascii")
    nox.chmod(0o755)
    monkeypatch.setattr(runner, "LOGS", tmp_path)
    monkeypatch.setattr(runner.environments, "environment", lambda name: tmp_path)
    (check,) = checks(runner, "a")
    old = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        runner.run_with_nox(str(nox), check, [])
    finally:
        signal.signal(signal.SIGINT, old)
    assert settable((tmp_path / "a.log").read_text(encoding="ascii").split()[1]) == 0


def test_an_environment_that_cannot_be_made_here_leaves_its_check_out(
    runner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def environment(name: str) -> Path:
        raise runner.environments.Missing("Python 3.6")

    monkeypatch.setattr(runner.environments, "environment", environment)
    (check,) = checks(runner, "a")
    assert runner.run_with_nox("nox", check, []) == runner.Outcome(check, "left out", why="it needs Python 3.6")


def test_a_python_that_is_not_the_newest_takes_its_own_list(runner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path(sys.executable)
    monkeypatch.setattr(runner.environments, "interpreter", lambda version: here if version == "3.11" else None)
    assert runner.environments.recipe("new").requirements.name == "new-3.11.txt"
    said = runner.older_ansible()
    assert said.startswith("it needs Python 3.13 or 3.12; ansible-core 2.19.")
    assert said.endswith(" on Python 3.11 was used")
    monkeypatch.setattr(runner.environments, "interpreter", lambda version: here)
    assert runner.older_ansible() == ""
