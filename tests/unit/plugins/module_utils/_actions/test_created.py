# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server may print anything for the session that it has made."""

from types import SimpleNamespace
from typing import Any, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.create import CreateError, Creator, NewSession
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import parse_version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import NoServer


@pytest.mark.parametrize("index", ["²", "9" * 1000000, "-1", ""])
def test_a_place_that_is_no_number_is_refused(index: str) -> None:
    def call(commands: List[List[str]], **_more: Any) -> bytes:
        if commands[0][0] == "list-sessions":
            raise NoServer("there is none")
        assert commands[0][0] == "new-session", "nothing is done in what is not known"
        text = commands[0][commands[0].index("-F") + 1]
        nonce = text.partition("|")[0]
        said = {"session_id": "$1", "window_id": "@1", "window_index": index, "version": "3.4", "remain-on-exit": "off"}
        for name, value in said.items():
            text = text.replace("#{%s}" % name, value)
        return "".join([text.rpartition(nonce)[0], nonce, "1."]).encode()

    client: Any = SimpleNamespace(call=call, version=parse_version("3.4"), timeout=1.0, share=None)
    with pytest.raises(CreateError, match="tmux did not say which session it has made"):
        Creator(client, False).create(NewSession("made", None, ("cat",), "/", (), None, None, None))
