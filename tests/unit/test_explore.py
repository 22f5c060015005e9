# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What explore prints of a failure can be pasted as a test."""

import pytest
from ansible_collections.fleet.tmux.tests.explore import failures

OUTPUT = """\
..F                                                    [100%%]
=================================== FAILURES ===================================
________________________________ test_one[tmux-3.3a] ___________________________
    @given(st.integers())
    def test_one(now: int) -> None:
>       assert now != 96
E       assert 96 != 96
%s
tests/unit/test_x.py:9: AssertionError
=========================== short test summary info ============================
FAILED tests/unit/test_x.py::test_one[tmux-3.3a]
1 failed, 2 passed in 1.00s
"""


@pytest.mark.parametrize("head", ["Falsifying example", "Failing test case"])
def test_a_property_becomes_an_example(head: str) -> None:
    shown = "E       %s: test_one(\nE           now=96,  # or any other\nE       )\nE       \n" % head
    (failure,) = failures(OUTPUT % shown)
    assert failure.test == "tests/unit/test_x.py::test_one[tmux-3.3a]"
    assert failure.example == "@example(\n    now=96,  # or any other\n)"


def test_steps_are_shown_as_they_are() -> None:
    steps = ["state = Sessions()", "state.start()", "state.present(names=['a'])", "state.teardown()"]
    shown = "E       Falsifying example:\n" + "".join("E       %s\n" % step for step in steps)
    (failure,) = failures(OUTPUT % shown)
    assert failure.example == "\n".join(steps)


def test_what_is_no_example_is_shown_too() -> None:
    (failure,) = failures(OUTPUT % "")
    assert "assert 96 != 96" in failure.example
