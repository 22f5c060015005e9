# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written down of a run while it goes on."""

import json
from pathlib import Path

from ansible_collections.fleet.tmux.plugins.plugin_utils._account import FILE, Account


def test_what_happens_is_there_at_once(tmp_path: Path) -> None:
    account = Account({FILE: str(tmp_path / "account")})
    account.expect(3)
    account.begun("a\nb")
    account.done("a\nb")
    lines = (tmp_path / "account").read_text(encoding="ascii").splitlines()
    assert [json.loads(line) for line in lines] == [["hosts", 3], ["begun", "a\nb"], ["done", "a\nb"]]


def test_nobody_who_wants_to_know_is_no_trouble(tmp_path: Path) -> None:
    for environ in ({}, {FILE: ""}, {FILE: str(tmp_path / "nowhere" / "account")}):
        account = Account(environ)
        account.begun("a")
        account.done("a")
    assert list(tmp_path.iterdir()) == []
