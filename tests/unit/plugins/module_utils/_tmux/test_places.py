# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose server one would be where there is none."""

import os
from pathlib import Path

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import sockets
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.sockets import owner_of_place


def test_it_is_the_owner_of_what_is_left_of_the_directory(tmp_path: Path) -> None:
    assert owner_of_place(str(tmp_path / "socket")) == os.getuid()
    assert owner_of_place(str(tmp_path / "gone" / "too" / "socket")) == os.getuid()
    assert owner_of_place("/socket") == os.lstat("/").st_uid


def test_a_default_directory_that_is_gone_was_of_whom_it_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "DIRECTORIES", str(tmp_path))
    assert owner_of_place(str(tmp_path / "tmux-61999" / "default")) == 61999
    assert owner_of_place(str(tmp_path / "tmux-x" / "default")) == os.getuid()
    assert owner_of_place(str(tmp_path / "other" / "tmux-61999" / "default")) == os.getuid()
    (tmp_path / "tmux-61999").mkdir()
    assert owner_of_place(str(tmp_path / "tmux-61999" / "default")) == os.getuid()
