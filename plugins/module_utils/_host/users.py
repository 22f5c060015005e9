# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts, as far as a process needs them."""

import re
from typing import NamedTuple, Tuple

NO_GROUP = 65534
"""The gid that has no rights anywhere (the kernel's overflowgid), for who has no passwd entry."""


class User(NamedTuple):
    """An account, as far as a process needs it. A uid without a passwd entry has its number as name and no home."""

    name: str
    uid: int
    gid: int
    home: str = "/"
    shell: str = "/bin/sh"
    groups: Tuple[int, ...] = ()


def is_number(text: str) -> bool:
    """Whether a text is a whole number that fits an id: ``isdigit`` alone also likes ``²``, which ``int`` does not."""
    return re.match(r"[0-9]{1,19}\Z", text) is not None
