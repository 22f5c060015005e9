# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where snapshots are kept when nobody says where, and a policy in a few words."""

from typing import Any, Dict, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._modules.options import usual_place
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune_options import in_short
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host


@pytest.mark.parametrize(
    ("uid", "state", "place"),
    [
        (0, None, "/var/lib/fleet-tmux/snapshots"),
        (0, "/srv/state", "/var/lib/fleet-tmux/snapshots"),
        (1001, None, "/home/anna/.local/state/fleet-tmux/snapshots"),
        (1001, "/state", "/state/fleet-tmux/snapshots"),
        (1001, "state", "/home/anna/.local/state/fleet-tmux/snapshots"),
    ],
)
def test_snapshots_have_a_usual_place(
    monkeypatch: pytest.MonkeyPatch, uid: int, state: Optional[str], place: str
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    if state is not None:
        monkeypatch.setenv("XDG_STATE_HOME", state)
    host: Host = object.__new__(Host)  # there may be no tmux to ask for its version
    host.uid, host.directory = uid, Directory(1)
    monkeypatch.setattr(host.directory, "user", lambda uid: User("anna", uid, uid, home="/home/anna"))
    assert usual_place(host, "snapshots") == place


@pytest.mark.parametrize(
    "more, said",
    [
        ({}, "idle=1d protect=attached,keep"),
        ({"idle": None, "finished": True, "protect": []}, "finished protect=nothing"),
        ({"older_than": 7200, "notice": 172800, "activity": "input"}, "idle=1d older_than=2h notice=2d activity=input"),
        (
            {"patterns": ["build-*", "x" * 99], "where": {"@by": "agent"}, "ignore_commands": ["default", "bot"]},
            "protect=attached,keep patterns=build-*,xxx",
        ),
        ({"where": {"@by": "agent"}, "planned": []}, "protect=attached,keep where=@by planned"),
        ({"excludes": ["a"], "ignore_commands": []}, "protect=attached,keep excludes=a"),
        ({"keep_newest": 2, "protect_for": {"keep": 604800}}, "keep_newest=2 protect=attached,keep(1w)"),
    ],
)
def test_a_policy_in_short(more: Dict[str, Any], said: str) -> None:
    names = ("idle", "older_than", "never_attached", "attached_idle", "notice", "keep_newest", "protect_for")
    more_names = ("where", "planned", "planned_marks")
    values = dict(
        dict.fromkeys([*names, *more_names]), patterns=[], excludes=[], protect_commands=[], ignore_commands=["default"]
    )
    values.update(idle=86400, finished=False, activity="any", protect=["attached", "keep"])
    assert said in in_short(dict(values, **more))
