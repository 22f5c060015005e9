# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One place decides what is told of whom: of oneself everything, of others what they have not chosen themselves."""

import os
from typing import Any

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import (
    defect,
    program,
    tells_of,
    tells_of_anybody,
)


@pytest.mark.parametrize(
    ("me", "uid", "full", "told"),
    [(0, 0, False, True), (0, 1000, False, False), (0, 1000, True, True), (1000, 1000, False, True)],
)
def test_of_others_nothing_is_told_that_was_not_asked_for(
    me: int, uid: int, full: bool, told: bool, monkeypatch: Any
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: me)
    assert tells_of(uid, full) is told


@pytest.mark.parametrize(("me", "full", "told"), [(0, False, False), (0, True, True), (1000, False, True)])
def test_of_nobody_knows_whom_root_tells_only_if_asked(me: int, full: bool, told: bool, monkeypatch: Any) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: me)
    assert tells_of_anybody(full) is told


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("vim", "vim"),
        ("/usr/bin/vim secret.txt", "vim"),
        ("postgres: alice secret", "postgres:"),
        ("./run/", "run"),
        ("", ""),
        (" \t", ""),
    ],
)
def test_the_name_of_a_program_has_neither_place_nor_arguments(text: str, name: str) -> None:
    assert program(text) == name


def test_a_defect_is_told_without_the_values_it_was_met_with() -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        b"secret\xff".decode()
    assert "secret" in repr(caught.value)
    told = defect(caught.value)
    assert told.startswith("UnicodeDecodeError in test_privacy.py, line ") and "secret" not in told
    assert defect(KeyError("secret")) == "KeyError"
