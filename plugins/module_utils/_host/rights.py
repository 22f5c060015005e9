# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Doing something with the rights of a user, in a process that is root's and will be root's again."""

import os
from contextlib import contextmanager
from typing import Iterator

from ansible_collections.fleet.tmux.plugins.module_utils._host import kernel
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User


@contextmanager
def of(user: User) -> Iterator[None]:
    """Have the rights of a user over files and processes, and no more; as nobody but root nothing changes.

    Real and saved ids stay root's, so nobody can signal us or look into us meanwhile. A file is opened by what the
    effective ids may: that is what decides in network and FUSE file systems, too, where root may less than a user.
    """
    if os.geteuid() != 0 or user.uid == 0:
        yield
        return
    before, parent, ends = os.getgroups(), os.getppid(), kernel.signal_of_parents_end()
    os.setgroups(user.groups or (user.gid,))
    try:
        os.setegid(user.gid)
        os.seteuid(user.uid)
        _end_with(parent, ends)
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)
        _end_with(parent, ends)


def _end_with(parent: int, ends: int) -> None:
    """A change of ids has taken back that we end with our parent."""
    if ends:
        kernel.end_with_parent(parent)
