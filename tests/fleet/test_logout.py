# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the end of a login takes on a host whose systemd ends all processes of one, and what lives on."""

import json
import os
import sys
from pathlib import Path
from typing import Any, Dict, List

import ansible
from ansible_collections.fleet.tmux.tests.fleet.fleet import ROOT, Fleet
from ansible_collections.fleet.tmux.tests.fleet.host import Host
from ansible_collections.fleet.tmux.tests.fleet.images import BOOTED
from ansible_collections.fleet.tmux.tests.fleet.runs import Controller
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

SETTINGS = "[Login]\nKillUserProcesses=yes\nUserStopDelaySec=0\n"
SOCKETS = "/tmp/tmux-2003/"
PLAYBOOK = """
- hosts: all
  gather_facts: false
  remote_user: alice
  vars:
    ansible_user: alice
  tasks:
    - fleet.tmux.tmux_session:
        name: none
        socket_name: none
      check_mode: true
      register: foretold
    - fleet.tmux.tmux_session:
        name: none
        socket_name: none
      register: dies

- hosts: all
  gather_facts: false
  become: true
  tasks:
    - fleet.tmux.tmux_session:
        name: user
        socket_path: {sockets}user
        scope: user
      register: refused
      ignore_errors: true
    - fleet.tmux.tmux_session:
        name: user
        socket_path: {sockets}user
        scope: user
        linger: true
        # After those words a shell would have taken the dollar sign for its own.
        chdir: /srv/a $HOME
      register: user
    - fleet.tmux.tmux_session:
        name: system
        socket_path: {sockets}system
        scope: system
      register: system
    - fleet.tmux.tmux_session_info:
        users: [alice]
      register: info
    - ansible.builtin.copy:
        content: "{{{{ dict(foretold=foretold, none=dies, refused=refused, user=user, system=system, info=info) }}}}"
        dest: "{told}"
        mode: "0600"
      delegate_to: localhost
      become: false
"""


def run(fleet: Fleet, folder: Path) -> Dict[str, Any]:
    """Start a server in each way; what the modules have returned, by its name."""
    told, playbook = folder / "told.json", folder / "logout.yml"
    playbook.write_text(PLAYBOOK.format(sockets=SOCKETS, told=told), encoding="utf-8")
    done = Controller(fleet, folder).run(playbook=str(playbook))
    assert done.rc == 0, done.output
    found: Dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
    return found


def there(host: Host, name: str) -> bool:
    return host.run(["tmux", "-S", SOCKETS + name, "has-session", "-t", "=" + name], user="alice").rc == 0


def test_only_a_server_in_a_unit_of_its_own_outlives_the_login(possible: None, tmp_path: Path) -> None:
    with Fleet(1, [BOOTED]) as fleet:
        (host,) = fleet.hosts
        host.write("/etc/systemd/logind.conf.d/fleet.conf", SETTINGS)
        host.must(["mkdir", "-p", "/srv/a $HOME"])
        host.must(["systemctl", "restart", "systemd-logind.service"])
        told = run(fleet, tmp_path)

        for name in ("foretold", "none"):
            (warned,) = told[name]["warnings"]
            assert "does not outlive the login: logind ends all processes" in warned
            assert told[name]["survives_logout"] is False
        assert told["refused"]["failed"]
        assert "alice does not linger" in told["refused"]["msg"]
        assert [told[name]["survives_logout"] for name in ("user", "system")] == [True, True]
        lives = {server["socket"]: (server["unit"], server["survives_logout"]) for server in told["info"]["servers"]}
        assert lives == {SOCKETS + name: (told[name]["unit"], name != "none") for name in ("none", "user", "system")}
        assert told["none"]["unit"].startswith("session-")
        assert told["user"]["unit"] == "user@2003.service"
        assert told["system"]["unit"].startswith("tmux-2003-")
        assert host.tmux("alice", "-S", SOCKETS + "user", "display-message", "-p", "#{pane_current_path}") == (
            "/srv/a $HOME\n"
        )
        assert [there(host, name) for name in ("none", "user", "system")] == [True] * 3

        fleet.log_out()
        eventually(lambda: not there(host, "none"), "the server of the login has ended")
        login = "/run/systemd/sessions/" + told["none"]["unit"][len("session-") : -len(".scope")]
        eventually(lambda: host.run(["test", "-e", login]).rc == 1, "alice has logged out")
        assert [there(host, name) for name in ("none", "user", "system")] == [False, True, True]


OUTER = """
- hosts: all
  gather_facts: false
  vars:
    ansible_user: alice
  tasks:
    - fleet.tmux.tmux_session:
        name: work
        socket_name: outer
        scope: user
        command: {command}
"""
INNER = """
- hosts: localhost
  gather_facts: false
  connection: local
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - fleet.tmux.tmux_session:
        name: beside
        socket_path: /tmp/tmux-2003/outer
      register: beside
    - fleet.tmux.tmux_session:
        name: inner
        socket_name: own
      check_mode: true
      register: foretold
    - fleet.tmux.tmux_session:
        name: inner
        socket_name: own
      register: inner
    - fleet.tmux.tmux_session:
        name: inner
        socket_name: own
      register: again
    - fleet.tmux.tmux_session_info:
        socket_name: own
      register: info
    - ansible.builtin.copy:
        content: "{{ dict(beside=beside, foretold=foretold, inner=inner, again=again, info=info, \
          pane=lookup('env', 'TMUX_PANE')) }}"
        dest: /home/alice/told.json
        mode: "0600"
"""
TOOLS = "/opt/controller/"


def controller() -> Dict[str, str]:
    """What a host needs to run playbooks itself: the Python and the Ansible of this test, and this collection."""
    return {
        TOOLS + "python": os.path.realpath(sys.base_prefix),
        TOOLS + "packages": str(Path(ansible.__file__).resolve().parents[1]),
        TOOLS + "collections/ansible_collections/fleet/tmux": str(ROOT),
    }


def test_a_playbook_in_a_pane_that_outlives_the_login_makes_sessions_that_do(possible: None, tmp_path: Path) -> None:
    """In the server of the pane and in another one, with a connection that is local."""
    with Fleet(0, [BOOTED]) as fleet:
        host = fleet.add(BOOTED, "pane", shares=controller())
        host.write("/etc/systemd/logind.conf.d/fleet.conf", SETTINGS)
        host.must(["systemctl", "restart", "systemd-logind.service"])
        host.must(["loginctl", "enable-linger", "alice"])
        host.write("/home/alice/site.yml", INNER, user="alice")
        variables = "LD_LIBRARY_PATH={0}python/lib PYTHONPATH={0}packages ANSIBLE_COLLECTIONS_PATH={0}collections"
        python = "%spython/bin/python%d.%d" % (TOOLS, *sys.version_info[:2])
        command = "LC_ALL=C.UTF-8 %s %s -m ansible playbook site.yml >said 2>&1; echo $? >rc; exec cat"
        command %= (variables.format(TOOLS), python)
        playbook = tmp_path / "outer.yml"
        playbook.write_text(OUTER.format(command=json.dumps(command)), encoding="utf-8")
        done = Controller(fleet, tmp_path).run(playbook=str(playbook))
        assert done.rc == 0, done.output
        assert logins(host)
        eventually(lambda: host.run(["test", "-s", "/home/alice/rc"]).rc == 0, "the playbook in the pane has ended")
        assert host.must(["cat", "/home/alice/rc"]).strip() == "0", host.must(["cat", "/home/alice/said"])
        told = json.loads(host.must(["cat", "/home/alice/told.json"]))

        assert told["pane"].startswith("%")
        assert [told[name]["changed"] for name in ("beside", "foretold", "inner", "again")] == [True, True, True, False]
        assert [told[name]["survives_logout"] for name in ("beside", "foretold", "inner", "again")] == [True] * 4
        assert not any(told[name].get("warnings") for name in ("beside", "foretold", "inner", "again"))
        assert {told[name]["unit"] for name in ("beside", "inner")} == {"user@2003.service"}
        (server,) = told["info"]["servers"]
        assert (server["unit"], server["survives_logout"]) == ("user@2003.service", True)
        fleet.log_out()
        eventually(lambda: not logins(host), "alice has logged out")
        assert sessions(host, "outer") == ["beside", "work"] and sessions(host, "own") == ["inner"]


def logins(host: Host) -> List[str]:
    """The logins of alice, but for her manager."""
    listed = host.must(["loginctl", "list-sessions", "--no-legend"]).splitlines()
    return [line for line in listed if " alice " in line and " manager " not in line and "user@" not in line]


def sessions(host: Host, name: str) -> List[str]:
    return host.tmux("alice", "-S", SOCKETS + name, "list-sessions", "-F", "#{session_name}").split()
