# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host of whose variables one is wrong costs only itself, be it the first, and the report says what is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import pytest
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE

UNDEFINED = "{{ nothing_such }}"
MISTAKES: Dict[str, Dict[str, Any]] = {
    "plugin": {"ansible_connection": "nosuch"},
    "host": {"ansible_host": UNDEFINED, "ansible_connection": "ssh"},
    "port": {"ansible_port": UNDEFINED, "ansible_connection": "ssh"},
    "user": {"ansible_user": UNDEFINED},
    "connection": {"ansible_connection": UNDEFINED},
    "python": {"ansible_python_interpreter": UNDEFINED},
    "method": {"ansible_become": True, "ansible_become_method": "nosuch"},
    "become_user": {"ansible_become": True, "ansible_become_user": UNDEFINED},
    "password": {"ansible_become": True, "ansible_become_password": UNDEFINED},
}


@pytest.mark.parametrize("limits", [{}, {"tmux_cleanup_fleet_max_removals": 9}], ids=["at once", "after a plan"])
def test_a_host_with_a_mistake_costs_only_itself(tmp_path: Path, limits: Dict[str, Any]) -> None:
    well = {"ansible_user": "somebody", "tmux_cleanup_excludes": ["{{ ansible_user }}"]}
    every = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
    every.update(tmux_cleanup_socket_path=str(tmp_path / "none"), tmux_cleanup_report_dir=str(tmp_path / "reports"))
    every.update(tmux_cleanup_become="{{ ansible_become }}", tmux_cleanup_memory_dir="", **limits)
    inventory = {"all": {"vars": every, "hosts": {**MISTAKES, "well": well}}}
    (tmp_path / "hosts.json").write_text(json.dumps(inventory), encoding="utf-8")
    env = dict(os.environ, ANSIBLE_HOME=str(tmp_path / "ansible"), HOME=str(tmp_path))
    env.setdefault("ANSIBLE_COLLECTIONS_PATH", os.environ.get("PYTHONPATH", ""))
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", "hosts.json", "fleet.tmux.cleanup"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=str(tmp_path),
        timeout=PATIENCE,
        check=False,
    )
    said = done.stdout.decode("utf-8", "replace")
    assert done.returncode != 0, said
    assert (tmp_path / "reports" / "report.json").exists(), said
    report = json.loads((tmp_path / "reports" / "report.json").read_text(encoding="utf-8"))
    hosts = {host["host"]: host for host in report["hosts"]}
    assert hosts["well"]["status"] == "ok", said
    told = {name: (hosts[name]["status"], hosts[name]["message"]) for name in MISTAKES}
    assert {status for status, _message in told.values()} == {"failed"}, told
    for name, (_status, message) in told.items():
        wanted = "'nosuch'." if name in ("plugin", "method") else "nothing_such is not defined."
        assert message.replace(" nothing_such, which", " nothing_such").endswith(wanted), (name, message)
    policies = {one["id"]: one["policy"] for one in report["run"]["policies"]}
    assert policies[hosts["well"]["policy"]]["excludes"] == ["somebody"], "what a host really has counts"
