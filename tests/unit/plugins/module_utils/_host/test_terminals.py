# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Of terminals only that is said which the kernel is certain of."""

import os
import pty
import tty
from pathlib import Path
from typing import Iterator, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import terminals
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, read_process


@pytest.fixture
def terminal() -> Iterator[Tuple[int, str]]:
    """The side of a terminal that is its window, and the name of the other, which we hold open."""
    master, slave = pty.openpty()
    ends = [master, slave]
    try:
        yield master, os.ttyname(slave)
    finally:
        for end in ends:
            try:
                os.close(end)
            except OSError:
                pass


def us() -> Process:
    found = read_process(os.getpid())
    assert found is not None
    return found


def test_a_terminal_has_hung_up_when_its_window_has_gone(terminal: Tuple[int, str]) -> None:
    master, tty = terminal
    assert not terminals.has_hung_up(us(), tty)
    os.close(master)
    assert terminals.has_hung_up(us(), tty)


def test_nobody_says_that_a_terminal_has_hung_up_that_is_not_held(terminal: Tuple[int, str]) -> None:
    master, tty = terminal
    os.close(master)
    assert not terminals.has_hung_up(us()._replace(started=-1), tty), "it is another's process"
    assert not terminals.has_hung_up(us(), "/dev/pts/999999999")
    assert not terminals.has_hung_up(us(), "")


def test_it_is_known_when_a_terminal_was_last_read_from(terminal: Tuple[int, str]) -> None:
    _master, tty = terminal
    os.utime(tty, (1700000000, 1700000000))
    assert terminals.last_typed(tty) == 1700000000


def test_only_a_pseudo_terminal_is_asked(tmp_path: Path) -> None:
    for other in ("/dev/null", "/dev/pts/999999999", str(tmp_path), "/dev/pts/../null", "", "/dev/pts/1\n"):
        assert terminals.last_typed(other) is None


def test_a_process_is_on_the_terminal_that_controls_it(terminal: Tuple[int, str]) -> None:
    _master, tty = terminal
    rdev = os.stat(tty).st_rdev
    number = os.major(rdev) << 8 | os.minor(rdev) & 0xFF | (os.minor(rdev) & 0xFFF00) << 12
    assert terminals.is_on(us()._replace(terminal=number), tty)
    assert not terminals.is_on(us()._replace(terminal=number + 1), tty)
    assert not terminals.is_on(us()._replace(terminal=0), tty)


def at(path: str, terminal: Optional[int] = None) -> Process:
    """A process at that terminal, as the kernel numbers it; its descriptors are ours."""
    device = os.stat(path).st_rdev
    number = os.major(device) << 8 | os.minor(device) & 0xFF | (os.minor(device) & ~0xFF) << 12
    return us()._replace(terminal=number if terminal is None else terminal)


@pytest.fixture
def as_input(terminal: Tuple[int, str]) -> Iterator[str]:
    """We have that terminal as our input meanwhile."""
    kept, slave = os.dup(0), os.open(terminal[1], os.O_RDWR | os.O_NOCTTY)
    os.dup2(slave, 0)
    try:
        yield terminal[1]
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(slave)


def test_the_mode_of_a_terminal(as_input: str) -> None:
    assert terminals.is_raw(at(as_input)) is False
    tty.setraw(0)
    assert terminals.is_raw(at(as_input)) is True


def test_only_the_terminal_is_opened_that_the_kernel_names(as_input: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a descriptor of its leads to is its owner's to choose."""
    null = os.stat("/dev/null").st_rdev
    no_terminal = at(as_input, terminal=os.major(null) << 8 | os.minor(null))
    another = at(as_input, terminal=136 << 8 | 255)
    opened: List[str] = []
    monkeypatch.setattr(os, "open", lambda path, *_more, **_named: opened.append(path))
    assert terminals.is_raw(no_terminal) is None
    assert terminals.is_raw(another) is None
    assert opened == []


@pytest.mark.parametrize(
    ("link", "expected"),
    [("/dev/pts/3", True), ("/dev/tty1", True), ("/dev/pts/3 (deleted)", True), ("/4", True)]
    + [("/dev/null", False), ("/home/anna/4", False), ("pipe:[3]", False), (None, False), ("", False)],
)
def test_what_leads_to_a_terminal(link: Optional[str], expected: bool) -> None:
    assert terminals.is_terminal(link) is expected


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/dev/pts/3", False),
        ("/dev/pts/4", True),
        ("/dev/tty", False),
        ("/dev/ttyUSB0", True),
        ("/dev/console", False),
        ("/3", False),
        ("pipe:[3]", False),
        (None, False),
    ],
)
def test_another_terminal_than_the_own_is_one_for_certain(link: Optional[str], expected: bool) -> None:
    assert terminals.is_another(us()._replace(terminal=136 << 8 | 3), link) is expected
    assert not terminals.is_another(us()._replace(terminal=0), link)
