# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Only a test that says what tmux loses is run again, that is always told, and CI forgives few of them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Tuple

import pytest

FLAKY = """
import pytest
TRIED = []

@pytest.fixture
def ready():
    TRIED.append("set up")
    yield
    TRIED.append("torn down")

{marker}
@pytest.mark.parametrize("number", range({tests}))
def test_flaky(ready, number):
    TRIED.append(number)
    assert TRIED.count(number) > {failures}
    assert TRIED.count("torn down") == TRIED.count("set up") - 1
"""
MARKER = "@pytest.mark.tmux_loses('one of fifty')"


def run(folder: Path, marker: str, failures: int = 1, tests: int = 1, **variables: str) -> Tuple[int, str]:
    (folder / "test_flaky.py").write_text(FLAKY.format(marker=marker, failures=failures, tests=tests), encoding="ascii")
    plugin = "ansible_collections.fleet.tmux.tests.support.losses"
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[5]), *sys.path])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-p", "no:cacheprovider", "-p", plugin, "."],
        cwd=str(folder),
        env=dict(environment, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def test_a_test_that_says_nothing_is_never_run_again(tmp_path: Path) -> None:
    status, said = run(tmp_path, "")
    assert status == 1 and "run again" not in said


@pytest.mark.parametrize("ci", ["", "true"])
def test_a_marked_test_is_run_again_and_that_is_told(tmp_path: Path, ci: str) -> None:
    status, said = run(tmp_path, MARKER, CI=ci)
    assert status == 0, said
    assert "run again, 1 times" in said and "test_flaky[0]: one of fifty" in said


def test_a_marked_test_that_goes_on_failing_fails(tmp_path: Path) -> None:
    status, said = run(tmp_path, MARKER, failures=3)
    assert status == 1 and "run again, 2 times" in said and "1 failed" in said


def test_ci_forgives_few_reruns_of_all_tests_together(tmp_path: Path) -> None:
    assert run(tmp_path, MARKER, tests=3, CI="true")[0] == 0
    status, said = run(tmp_path, MARKER, tests=4, CI="true")
    assert status == 1 and "4 passed" in said and "more than 3 reruns are a failure" in said
    assert run(tmp_path, MARKER, tests=4)[0] == 0


def test_a_marker_without_a_reason_is_refused(tmp_path: Path) -> None:
    status, said = run(tmp_path, "@pytest.mark.tmux_loses")
    assert status == 4 and "wants to be told what tmux loses" in said
