# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two commands at the top of the README, on a machine with sessions of every kind."""

import re
import sys

import pytest
from ansible_collections.fleet.tmux.tests.system.place import IDLE, Done, Place

LIMIT = "ARGS=-e tmux_cleanup_idle=%ds" % IDLE
STAY = ["attached", "kept", "printing"]
PYTHONS = [sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"]
ALL = ["attached", "idle", "kept", "printing"]


def make(place: Place, *words: str) -> Done:
    done = place.run("make", *words, LIMIT)
    assert done.rc == 0, done.output
    return done


def require_said(done: Done, text: str) -> None:
    assert text in done.output, done.output


def require_reasons(text: str, owner: str) -> None:
    """The output says why those that stay do."""
    kept = text.partition("ept:\n")[2]
    assert re.search(r" %s +attached +attached +a client " % owner, kept), text
    assert re.search(r" %s +kept +keep +@keep is on\b" % owner, kept), text
    # On a machine that stands still for a while, it is its processes that tell, or the kernel just starts one.
    assert re.search(r" %s +printing +(active|busy|waiting) " % owner, kept), text


def test_cleanup_removes_exactly_the_idle_ones_and_says_why_the_others_stay(place: Place) -> None:
    """Look, run, look, run, with an independent look in between."""
    idle = {"alice": ["idle", "idle too"], "bob": ["idle-2"]}
    total = sum(len(idle[owner.name]) for owner in place.owners)
    looked_at = total + 3 * len(place.owners)
    for owner in place.owners:
        place.populate(owner, *idle[owner.name])
    place.settle()
    before = {owner: place.sessions(owner) for owner in place.owners}

    for words in (["report"], ["cleanup", "CHECK=1"]):
        planned = make(place, *words)
        require_said(planned, "%d of %d sessions on 1 host would be removed." % (total, looked_at))
        require_said(planned, "\nWould be removed:\n")
        assert {owner: place.sessions(owner) for owner in place.owners} == before
        for owner in place.owners:
            require_reasons(planned.output, owner.name)

    done = make(place, "cleanup")
    require_said(done, "%d of %d sessions on 1 host removed." % (total, looked_at))
    for owner in place.owners:
        assert place.sessions(owner) == STAY
        require_reasons(done.output, owner.name)

    again = make(place, "cleanup")
    require_said(again, "0 of %d sessions on 1 host removed." % (looked_at - total))
    require_said(again, "changed=0")
    for owner in place.owners:
        assert place.sessions(owner) == STAY


def test_one_host_that_is_away_costs_neither_the_cleanup_nor_the_table(place: Place) -> None:
    """Two hosts, one after the other, the first of which cannot be reached."""
    owner = place.owners[0]
    place.populate(owner, "idle")
    place.settle()
    here = "here ansible_connection=local tmux_cleanup_become=false ansible_python_interpreter=" + sys.executable
    place.write("hosts.ini", "away ansible_host=127.0.0.1 ansible_port=1\n%s\n" % here)
    done = place.run("make", "cleanup", "INVENTORY=hosts.ini", LIMIT + " -e tmux_cleanup_serial=1")
    assert done.rc != 0, done.output
    require_said(done, "1 of 4 sessions on 2 hosts removed. 1 host has a problem.")
    assert re.search(r"\n +away +unreachable +", done.output), done.output
    assert done.output.count("sessions on 2 hosts removed.") == 1, "one table for both"
    assert place.sessions(owner) == STAY


@pytest.mark.parametrize("limit", ["", " -e tmux_cleanup_fleet_max_percent=100"])
def test_what_is_said_on_the_command_line_is_a_text(place: Place, limit: str) -> None:
    """`-e name=false` gives a text, which as such is true."""
    owner = place.owners[0]
    place.populate(owner, "idle")
    place.settle()
    for words in ("tmux_cleanup_report_only=true", "tmux_cleanup_report_only=false --check"):
        done = place.run("make", "cleanup", "%s%s -e %s" % (LIMIT, limit, words))
        assert done.rc == 0, done.output
        require_said(done, "1 of 4 sessions on 1 host would be removed.")
        assert place.sessions(owner) == ALL
    done = place.run("make", "cleanup", "%s%s -e tmux_cleanup_report_only=false" % (LIMIT, limit))
    assert done.rc == 0, done.output
    require_said(done, "1 of 4 sessions on 1 host removed.")
    assert place.sessions(owner) == STAY


def test_a_user_that_was_not_asked_for_keeps_everything(place: Place) -> None:
    alice, bob = place.owners
    for owner in (alice, bob):
        place.populate(owner, "idle")
    place.settle()
    done = place.run("make", "cleanup", LIMIT + " -e tmux_cleanup_users=bob")
    assert done.rc == 0, done.output
    assert place.sessions(alice) == ALL
    assert place.sessions(bob) == STAY
    assert "alice" not in done.output, done.output


def test_without_root_only_ones_own_sessions_are_touched(place: Place) -> None:
    """Alice cleans up, with the playbook and no rights."""
    alice, bob = place.owners
    python = next((path for path in PYTHONS if place.run(path, "-c", "import json", owner=alice).rc == 0), None)
    if python is None:
        pytest.skip("left out: needs a Python that ordinary users may run")
    for owner in (alice, bob):
        place.populate(owner, "idle")
    place.settle()
    become = "ansible_become_method=ansible.builtin.su ansible_become_user=alice"
    place.write("hosts.ini", "here ansible_connection=local %s ansible_python_interpreter=%s\n" % (become, python))
    done = make(place, "cleanup", "INVENTORY=hosts.ini")
    require_said(done, "1 of 4 sessions on 1 host removed.")
    require_said(done, "ok (own sessions only,")
    assert place.sessions(alice) == STAY
    assert place.sessions(bob) == ALL
