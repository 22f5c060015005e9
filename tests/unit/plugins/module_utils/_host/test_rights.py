# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With the rights of a user: what root may do without them is refused, and afterwards all is as before."""

import os
from pathlib import Path

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import kernel, rights
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="left out: only root can have other rights")
SOMEBODY = User("somebody", 54321, 54321, groups=(54321,))


def test_a_file_of_roots_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("x")
    path.chmod(0o600)
    with rights.of(SOMEBODY), pytest.raises(PermissionError):
        path.open()
    with rights.of(SOMEBODY):
        assert (os.getuid(), os.geteuid(), os.getegid(), os.getgroups()) == (0, 54321, 54321, [54321])
    assert path.read_text() == "x"


def test_afterwards_all_is_as_before(tmp_path: Path) -> None:
    before = (os.getresuid(), os.getresgid(), os.getgroups())
    with pytest.raises(ValueError, match="meanwhile"), rights.of(SOMEBODY):
        raise ValueError("meanwhile")
    assert (os.getresuid(), os.getresgid(), os.getgroups()) == before


def test_a_process_that_is_to_end_with_its_parent_still_does() -> None:
    reading, writing = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        kernel.end_with_parent(parent)
        with rights.of(SOMEBODY):
            meanwhile = kernel.signal_of_parents_end()
        os.write(writing, b"%d %d" % (meanwhile, kernel.signal_of_parents_end()))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"9 9"
    os.close(reading)
    os.close(writing)
    assert kernel.signal_of_parents_end() == 0
