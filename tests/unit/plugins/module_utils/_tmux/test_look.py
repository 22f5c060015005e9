# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With which program a server is asked: ours, and its own where ours does not do."""

import os
from typing import Any, Dict, List, Optional, Type, Union

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import look as looks
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import parse_version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import (
    Denied,
    Failed,
    Flood,
    Hung,
    Lost,
    Mismatch,
    NoServer,
    Silent,
    TmuxError,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import NOTHING, Seen, look
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Listing, Unread
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Server

ME = User("me", os.geteuid(), os.getegid())
Answer = Union[Listing, TmuxError]


class FakeHost:
    """A host whose servers answer each program as a test says."""

    share = None

    def __init__(self, *programs: str) -> None:
        self.programs = programs

    def client(self, server: Server) -> Client:
        return self._made(self.programs[0])

    def own_client(self, server: Server) -> Optional[Client]:
        return self._made(self.programs[1]) if len(self.programs) > 1 else None

    def _made(self, program: str) -> Client:
        return Client(program, "/s", ME, False, 1.0, own=program == "own")


def listing(version: str) -> Listing:
    return NOTHING._replace(pid=7, version=parse_version(version), unread=(Unread("$1", "a", "odd"),))


def seen(monkeypatch: pytest.MonkeyPatch, programs: List[str], answers: Dict[str, Answer]) -> Seen:
    def read(client: Client, _guards: Any) -> Listing:
        answer = answers[client.binary]
        if isinstance(answer, TmuxError):
            raise answer
        return answer

    monkeypatch.setattr(looks, "read", read)
    return look(FakeHost(*programs), Server("/s", ME, "ok"))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [Mismatch, Lost, Silent, Hung])
def test_one_that_does_not_understand_ours_is_asked_with_its_own(
    monkeypatch: pytest.MonkeyPatch, kind: Type[TmuxError]
) -> None:
    found = seen(monkeypatch, ["ours", "own"], {"ours": kind("ours fails"), "own": listing("2.7")})
    assert (found.server.status, found.client.binary, found.server.version) == ("ok", "own", "2.7")


@pytest.mark.parametrize("kind", [Denied, Failed, Flood, NoServer])
def test_one_that_has_understood_is_not_asked_again(monkeypatch: pytest.MonkeyPatch, kind: Type[TmuxError]) -> None:
    found = seen(monkeypatch, ["ours", "own"], {"ours": kind("no"), "own": listing("2.7")})
    assert found.server.status != "ok" and found.client.binary == "ours"


def test_what_ours_has_met_is_told_where_the_other_does_no_better(monkeypatch: pytest.MonkeyPatch) -> None:
    found = seen(monkeypatch, ["ours", "own"], {"ours": Mismatch("first"), "own": Lost("second")})
    assert (found.server.status, found.server.reason) == ("mismatch", "first")
    found = seen(monkeypatch, ["ours"], {"ours": Mismatch("first")})
    assert (found.server.status, found.server.reason) == ("mismatch", "first")


@pytest.mark.parametrize("version", ["1.8", "2.6", ""])
def test_one_that_is_too_old_is_not_used_with_its_own_either(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """Those before 2.4 cannot even say how old they are."""
    found = seen(monkeypatch, ["own"], {"own": listing(version)})
    assert (found.server.status, found.server.reason) == (
        "unreachable",
        "it is older than tmux 2.7, the oldest that can be used",
    )
    assert seen(monkeypatch, ["own"], {"own": NOTHING}).server.status == "ok"
