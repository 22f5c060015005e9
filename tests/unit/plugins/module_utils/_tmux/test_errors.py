# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tmux says of an error becomes a type, whatever names are part of it."""

from typing import List, Optional, Type

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import (
    MESSAGES,
    Denied,
    Duplicate,
    Failed,
    Lost,
    Mismatch,
    NoServer,
    NoTarget,
    NotFound,
    TmuxError,
    kind_of,
    unknown_keys,
)


@pytest.mark.parametrize(
    "said, kind",
    [
        ("no server running on /tmp/x", NoServer),
        ("error connecting to /tmp/a\nb (No such file or directory)", NoServer),
        ("error connecting to /tmp/x (Connection refused)", NoServer),
        ("error connecting to /tmp/x (Permission denied)", Denied),
        ("error creating /tmp/tmux-1 (Permission denied)", Denied),
        ("access not allowed", Denied),
        ("directory /tmp/tmux-0 has unsafe permissions", Denied),
        ("protocol version mismatch (client 8, server 7)", Mismatch),
        ("server version is too old for client", Mismatch),
        ("server exited unexpectedly", Lost),
        ("lost server", Lost),
        ("error connecting to /tmp/x (File name too long)", TmuxError),
        ("tmux: need UTF-8 locale (LC_CTYPE) but have ANSI_X3.4-1968", TmuxError),
        ("duplicate session: build", Duplicate),
        ("can't find session x", NotFound),
        ("can't find session: $4", NotFound),
        ("can't find window: 3", NotFound),
        ("/tmp/fleet-tmux-x:3: can't find pane: %4", NotFound),
        ("no current target", NoTarget),
        ("invalid session name: ", Failed),
        ("", Failed),
    ],
)
def test_messages_have_their_meaning(said: str, kind: Type[TmuxError]) -> None:
    assert kind_of(said) is kind
    assert kind_of("unknown option: x\n" + said + "\n") is kind


@pytest.mark.parametrize(
    "name", ["lost server", "no server running on it", "x (Permission denied)", "no current target"]
)
def test_a_name_in_a_message_does_not_change_its_meaning(name: str) -> None:
    assert kind_of("duplicate session: " + name) is Duplicate
    assert kind_of("bad session name: " + name) is Failed


def test_every_kind_of_error_is_known_by_a_message_and_says_when() -> None:
    assert {known.error for known in MESSAGES} == {
        TmuxError, NoServer, Denied, Mismatch, Lost, Duplicate, NotFound, NoTarget,
    }  # fmt: skip
    assert all(known.when for known in MESSAGES)


@pytest.mark.parametrize(
    ("said", "unknown"),
    [
        ("table t doesn't exist\nunknown key: exit\n", ["exit"]),
        ("/tmp/x:1: unknown key: a b\n/tmp/x:2: unknown key: -l\n", ["a b", "-l"]),
        ("table t doesn't exist\ntable t doesn't exist\n", []),
        ("table t doesn't exist\n", None),
        ("missing key\nunknown key: exit\n", None),
    ],
)
def test_of_each_key_it_is_said_whether_it_is_known(said: str, unknown: Optional[List[str]]) -> None:
    assert unknown_keys(said, 2) == unknown
