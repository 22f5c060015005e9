# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is on the screen at the end: the report, as it is written, where the eye is."""

import json
import os
import sys
from typing import List, Sequence

import pytest
from ansible_collections.fleet.tmux.tests.system.place import CHECKOUT, IDLE, Done, Place

HERE = "ansible_connection=local tmux_cleanup_become=false ansible_python_interpreter=" + sys.executable
HOSTS = "here %s\naway ansible_host=127.0.0.1 ansible_port=1\n" % HERE
ROLE = """
- name: Clean up
  hosts: all
  gather_facts: false
  roles:
    - fleet.tmux.tmux_cleanup
"""
FACTS = """
- name: Get facts
  hosts: all
- name: Clean up
  ansible.builtin.import_playbook: fleet.tmux.cleanup
"""


def ansible(place: Place, *words: str, by: Sequence[str] = ()) -> Done:
    """Run a playbook as a person does who has installed the collection."""
    tools = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    command = ["ansible-playbook", "-i", "hosts.ini", "-e", "tmux_cleanup_idle=%ds" % IDLE, *words]
    done = place.run("ansible-galaxy", "collection", "install", "--offline", ".", PATH=tools)
    assert done.rc == 0, done.output
    return place.run(*by, *command, PATH=tools)


def before_recap(done: Done) -> List[str]:
    """The lines above the recap, without what Ansible says of the task that shows the report."""
    lines = done.output.partition("\nPLAY RECAP")[0].rstrip().splitlines()
    return lines[:-1] if lines[-1].startswith("ok: ") else lines


@pytest.fixture
def populated(place: Place) -> Place:
    place.populate(place.owners[0], "idle")
    place.settle()
    return place


def test_the_report_is_the_last_before_the_recap_though_a_host_fails(populated: Place) -> None:
    populated.write("hosts.ini", HOSTS)
    done = ansible(populated, "fleet.tmux.cleanup")
    assert done.rc == 2, done.output
    lines = before_recap(done)
    assert lines[-2:] == [
        "Next: mend what is said of the hosts with a problem, then the same command with",
        "  --limit away.",
    ], done.output
    assert done.output.count("1 of 4 sessions on 2 hosts removed. 1 host has a problem.") == 1
    assert done.output.index("\nfatal: [away]: FAILED!") < done.output.index("\n1 of 4 sessions on 2 hosts removed.")
    assert all(len(line) < 80 for line in lines[lines.index("Kept:") :]), done.output


def test_a_run_that_only_reports_changes_nothing(populated: Place) -> None:
    populated.write("hosts.ini", "here %s\n" % HERE)
    done = ansible(populated, "fleet.tmux.report", "-e", "tmux_cleanup_fleet_max_removals=9")
    assert done.rc == 0, done.output
    assert "changed=0 " in done.output.partition("PLAY RECAP")[2], done.output
    assert before_recap(done)[-2:] == [
        "Next: fleet.tmux.cleanup does what is told above, without",
        "  tmux_cleanup_report_only.",
    ], done.output


def test_a_limit_that_stops_a_run_does_not_cost_the_report(populated: Place) -> None:
    """Two hosts: what fails once for all of them ends a play, whatever it says is always to be done."""
    populated.write("hosts.ini", "here %s\nthere %s\n" % (HERE, HERE))
    done = ansible(populated, "fleet.tmux.cleanup", "-e", "tmux_cleanup_fleet_max_removals=0")
    assert done.rc == 2, done.output
    assert "Nothing was removed anywhere: 2 sessions would be removed" in done.output
    assert before_recap(done)[-1] == "Next: look at what would go; if all of it should, raise the limit.", done.output


def test_a_report_that_cannot_be_written_is_shown(populated: Place) -> None:
    """What is in its way comes when the run has begun: as soon as an owner has been asked."""
    populated.write("hosts.ini", "here %s\nthere %s\n" % (HERE, HERE))
    populated.write("break", "until [ -e /tmp/asked ]; do sleep 0.1; done; rm -r /tmp/reports; echo >/tmp/reports")
    populated.write("veto", "#!/bin/sh\ntouch /tmp/asked\nuntil [ -f /tmp/reports ]; do sleep 0.1; done\n")
    assert populated.run("chmod", "755", "veto").rc == 0
    populated.write("veto.json", json.dumps({"tmux_cleanup_veto_command": [CHECKOUT + "/veto"]}))
    populated.write("run", 'sh break & "$@"; status=$?; wait; exit $status')
    done = ansible(
        populated,
        "fleet.tmux.cleanup",
        "-e",
        "tmux_cleanup_report_dir=/tmp/reports",
        "-e",
        "@veto.json",
        by=["sh", "run"],
    )
    assert done.rc == 2, done.output
    assert "dir: the report could not be written" in done.output, done.output
    assert "0 of 8 sessions on 2 hosts removed." in before_recap(done), done.output


def test_the_role_alone_shows_what_it_did(populated: Place) -> None:
    populated.write("hosts.ini", "here %s\n" % HERE)
    populated.write("site.yml", ROLE)
    planned = ansible(populated, "site.yml", "--check")
    assert "\n1 of 4 sessions on 1 host would be removed.\n" in planned.output
    done = ansible(populated, "site.yml")
    assert done.rc == 0, done.output
    assert "\nRemoved:\n  HOST  OWNER  SESSION" in done.output, done.output
    assert "\n1 of 4 sessions on 1 host removed.\n" in done.output, done.output


def test_the_role_alone_on_some_hosts_at_a_time_tells_only_of_those_it_was_on(populated: Place) -> None:
    populated.write("hosts.ini", "here %s\nthere %s\n" % (HERE, HERE))
    populated.write("site.yml", ROLE.replace("  roles:", "  serial: 1\n  roles:"))
    done = ansible(populated, "site.yml")
    assert done.rc == 0, done.output
    assert "\n1 of 4 sessions on 1 host removed.\n" in done.output, done.output
    assert "\n1 of 7 sessions on 2 hosts removed.\n" in done.output, done.output
    assert "a problem" not in done.output, done.output


def test_a_command_for_the_report_that_needs_a_fact_costs_no_report(populated: Place) -> None:
    """What is run here no host may say, so its facts are not known to it."""
    populated.write("hosts.ini", "here %s\n" % HERE)
    wanted = {"tmux_cleanup_report_command": ["/bin/echo", "{{ ansible_facts.hostname | mandatory }}"]}
    populated.write("wanted.json", json.dumps(wanted))
    populated.write("site.yml", FACTS)
    done = ansible(populated, "site.yml", "-e", "@wanted.json")
    assert done.rc == 0, done.output
    assert "tmux_cleanup_report_command cannot be read, so nothing was run" in done.output, done.output
    assert "\n1 of 4 sessions on 1 host removed.\n" in done.output, done.output


def test_under_make_it_is_the_last_of_all(populated: Place) -> None:
    populated.write("hosts.ini", HOSTS)
    done = populated.run("make", "cleanup", "INVENTORY=hosts.ini", "ARGS=-e tmux_cleanup_idle=%ds" % IDLE)
    assert done.rc == 2, done.output
    lines = [line for line in done.output.rstrip().splitlines() if not line.startswith("make")]
    assert lines[-2:] == [
        "Next: mend what is said of the hosts with a problem, then",
        "  make cleanup INVENTORY=hosts.ini LIMIT=away ARGS='-e tmux_cleanup_idle=%ds'" % IDLE,
    ], done.output
    assert done.output.count("\n1 of 4 sessions on 2 hosts removed.") == 1
    assert "\nok: [" not in done.output and "\nskipping: [" not in done.output, done.output
