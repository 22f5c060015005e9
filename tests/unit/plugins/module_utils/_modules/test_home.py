# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a server lives, as results and warnings have it."""

import os
from typing import Dict, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import units
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._host.units import Logind, Unit
from ansible_collections.fleet.tmux.plugins.module_utils._modules.home import NOWHERE, Home
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host

SESSION = Unit("session-fleet0.scope", 1000)
OWN = Unit("user@1000.service", 1000, "secret.scope")


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Home:
    """A host with systemd, whose logind ends what is left of logins; we ourselves are in one."""
    places: Dict[object, Optional[Unit]] = {"self": SESSION, 1: SESSION, 2: OWN, 3: Unit("sshd.service"), 4: None}
    monkeypatch.setattr(units, "runs_here", lambda: True)
    monkeypatch.setattr(units, "unit_of", lambda pid: places[pid])
    monkeypatch.setattr(units, "logind", lambda: Logind(True))
    monkeypatch.setattr(units, "_has_ended", lambda session: False)
    monkeypatch.setattr(units, "lingers", lambda name: False)
    return Home(Host(None, 1.0, Directory(1.0)))


def test_where_servers_live(home: Home) -> None:
    me = os.geteuid()
    told = [tuple(home.of(pid, me)[key] for key in NOWHERE) for pid in (1, 2, 3, 4, None)]
    assert told == [
        ("session-fleet0.scope", None, False),
        ("user@1000.service", "secret.scope", False),
        ("sshd.service", None, True),
        (None, None, None),
        (None, None, None),
    ]


def test_the_name_of_a_users_own_unit_stays_with_its_user(home: Home) -> None:
    assert home.of(2, os.geteuid() + 1) == {"unit": "user@1000.service", "user_unit": None, "survives_logout": False}
    full = Home(Host(None, 1.0, Directory(1.0), full=True))
    assert full.of(2, os.geteuid() + 1)["user_unit"] == "secret.scope"


def test_a_server_that_would_end_with_the_login_is_warned_of(home: Home) -> None:
    (warned,) = home.warned_of_birth("none")
    assert "does not outlive the login: logind ends" in warned
    assert "use scope=user" in warned
    assert [home.warned_of_birth(scope) for scope in ("user", "system")] == [[], []]
    assert [home.promised(scope)["survives_logout"] for scope in ("none", "user", "system")] == [False, True, True]


def test_a_server_that_is_there_is_left_where_it_is_and_that_is_said(home: Home) -> None:
    (warned,) = home.warned_of_life(1, "user")
    assert warned.startswith("scope=user holds for a server that is started; this one lives in session-fleet0.scope")
    assert home.warned_of_life(1, "none") == home.warned_of_life(3, "user") == home.warned_of_life(None, "user") == []
