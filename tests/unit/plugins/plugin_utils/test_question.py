# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A question to whoever started the run: only a whole yes is one."""

import socket
import tempfile
import threading
from typing import Iterator, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.plugin_utils._question import agreed_to, asker

PLAN = "2 of 5 sessions would be removed.\n\N{SNOWMAN}\ud800"


class Somebody:
    """Who is asked, once, and says this; None: they go away."""

    def __init__(self, path: str, says: Optional[bytes]) -> None:
        self.heard: List[bytes] = []
        self._says = says
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen(1)
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self) -> None:
        connection, _address = self._listener.accept()
        with connection:
            if self._says is None:
                return
            self.heard.append(connection.makefile("rb").read())
            connection.sendall(self._says)

    def close(self) -> None:
        self._thread.join()
        self._listener.close()


@pytest.fixture
def path() -> Iterator[str]:
    # The name of a socket must be short.
    with tempfile.TemporaryDirectory() as folder:
        yield folder + "/ask"


@pytest.mark.parametrize(
    ("says", "agreed"),
    [(b"yes\n", True), (b"no\n", False), (b"", False), (b"yes", False), (b"yes\nno\n", False), (b"y" * 999, False)],
)
def test_only_a_whole_yes_is_one(path: str, says: bytes, agreed: bool) -> None:
    somebody = Somebody(path, says)
    assert agreed_to(PLAN, path) is agreed
    somebody.close()
    assert somebody.heard == [PLAN.encode("utf-8", "replace")]


def test_who_goes_away_or_is_not_there_has_not_agreed(path: str) -> None:
    assert agreed_to(PLAN, path) is False
    assert agreed_to(PLAN, "") is False
    somebody = Somebody(path, None)
    assert agreed_to(PLAN * 100000, path) is False
    somebody.close()


def test_only_the_environment_of_the_run_says_who_is_there() -> None:
    assert asker({}) is None
    assert asker({"FLEET_TMUX_CLEANUP_ASK": ""}) is None
    assert asker({"FLEET_TMUX_CLEANUP_ASK": "/run/ask"}) == "/run/ask"
