# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A session that was brought back has a name to tell, whatever tmux says when it is to be named."""

from typing import Any, Dict

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import restore


class Tmux:
    """Says of a session's name what it is told."""

    def __init__(self, names: Dict[int, str]) -> None:
        self.names = names
        self.asked = 0

    def __call__(self, *words: str) -> str:
        raise restore.Refused("tmux %s: no answer" % words[0])

    def tried(self, *words: str) -> str:
        if words[0] == "rename-session":
            return ""
        self.asked += 1
        return self.names.get(self.asked, "")


@pytest.mark.parametrize(
    ("names", "name"), [({}, "draft"), ({1: "build"}, "build"), ({1: "draft", 2: "build-2"}, "build-2")]
)
def test_it_is_told_under_the_name_that_it_has(names: Dict[int, str], name: str) -> None:
    tmux: Any = Tmux(names)
    made = restore.Restored("$1", "draft", "0", restore.Dialect(False, False))
    assert restore._named(tmux, made, "build") == name
