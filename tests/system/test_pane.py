# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A playbook that is started in a pane of tmux, on this machine itself, does what it does anywhere else."""

import json
import os
import shlex
import sys
from typing import Any, List

from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.system.place import CHECKOUT, Place

OUTER = "/tmp/outer/socket"
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - fleet.tmux.tmux_session:
        name: inner
        socket_name: own
      check_mode: true
      register: foretold
    - fleet.tmux.tmux_session:
        name: inner
        socket_name: own
      register: made
    - fleet.tmux.tmux_session:
        name: inner
        socket_name: own
      register: again
    - fleet.tmux.tmux_session:
        name: beside
        socket_path: /tmp/outer/socket
      register: beside
    - fleet.tmux.tmux_session_info:
        socket_name: own
      register: info
    - fleet.tmux.tmux_session_info:
      register: nothing
    - fleet.tmux.tmux_session:
        name: [inner, beside]
        socket_path: /tmp/outer/socket
        state: absent
      register: removed
    - ansible.builtin.copy:
        content: "{{ [foretold, made, again, beside, info, nothing, removed] }}"
        dest: /tmp/told.json
        mode: "0600"
"""
OF_THE_MOMENT = ["created", "id", "identity", "idle", "input", "last_attached", "output", "pid", "start_time"]
"""What differs from run to run: times, and who a session or server is."""


def shape(found: Any) -> Any:
    """What is told, but for what differs from run to run."""
    if isinstance(found, list):
        return [shape(one) for one in found]
    if isinstance(found, dict):
        kept = [key for key, value in found.items() if key not in OF_THE_MOMENT or isinstance(value, list)]
        return {key: shape(found[key]) for key in kept}
    return found


def told(place: Place) -> List[Any]:
    done = place.run("sh", "-c", "cat /tmp/told.json && rm /tmp/told.json")
    assert done.rc == 0, done.output
    found: List[Any] = json.loads(done.output)
    return found


def test_a_playbook_in_a_pane_does_what_it_does_elsewhere(place: Place) -> None:
    place.write("site.yml", PLAYBOOK)
    folders = "/tmp/collections/ansible_collections/fleet"
    made = place.run("sh", "-c", "mkdir -p -m 0700 /tmp/outer %s && ln -s %s %s/tmux" % (folders, CHECKOUT, folders))
    assert made.rc == 0, made.output
    outer = ["tmux", "-u", "-f", "/dev/null", "-S", OUTER]
    assert place.run(*outer, "new-session", "-d", "-s", "work", "cat").rc == 0
    tools = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    run_it = "cd %s; export PATH=%s ANSIBLE_COLLECTIONS_PATH=/tmp/collections ANSIBLE_HOME=/tmp/ansible; " % (
        CHECKOUT,
        shlex.quote(tools),
    )
    run_it += "ansible-playbook site.yml >/tmp/said 2>&1; echo $? >/tmp/rc"
    assert place.run("sh", "-c", run_it).rc == 0
    assert place.run("cat", "/tmp/rc").output.strip() == "0", place.run("cat", "/tmp/said").output
    expected = told(place)
    assert place.run("sh", "-c", "rm /tmp/rc && tmux -L own kill-server").rc == 0

    typed = (
        '[ -n "$TMUX" ] && [ -n "$TMUX_PANE" ] || exit; export TMUX_TMPDIR=/tmp/elsewhere LC_ALL=C.UTF-8; %s; exec cat'
    )
    assert place.run(*outer, "respawn-pane", "-k", "-t", "=work:", typed % run_it).rc == 0
    eventually(lambda: place.run("test", "-s", "/tmp/rc").rc == 0, "the playbook has ended")
    assert place.run("cat", "/tmp/rc").output.strip() == "0", place.run("cat", "/tmp/said").output

    found = told(place)
    assert shape(found) == shape(expected)
    foretold, made_there, _again, beside, info, nothing, removed = found
    assert [one["changed"] for one in found] == [True, True, False, True, False, False, True]
    assert foretold["survives_logout"] == made_there["survives_logout"]
    (inner,) = info["sessions"]
    assert (inner["name"], inner["socket"]) == ("inner", "/tmp/tmux-0/own")
    assert [session["name"] for session in beside["sessions"]] == ["beside", "work"]
    assert nothing["sessions"] == []
    assert [session["name"] for session in removed["removed"]] == ["beside"]
    assert place.run(*outer, "list-sessions", "-F", "#{session_name}").output.split() == ["work"]
