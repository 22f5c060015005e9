# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server may print anything for the time at which a pane has ended."""

from types import SimpleNamespace
from typing import Any, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.exits import Exit, exits


@pytest.mark.parametrize(
    "said, since", [("1798848000", 1798848000), ("", None), ("²", None), ("9" * 1000000, None), ("-1", None)]
)
def test_what_is_no_time_is_not_known(said: str, since: Optional[int]) -> None:
    def call(commands: List[List[str]]) -> bytes:
        text = commands[0][-1].replace("#{pane_id}", "%1").replace("#{remain-on-exit}", "on")
        nonce = text.partition("|")[0]
        return "".join([text.replace("#{pane_dead_time}", said).rpartition(nonce)[0], nonce, "1."]).encode()

    client: Any = SimpleNamespace(call=call)
    assert exits(client) == {"%1": Exit(True, since)}
