# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two commands at the top of the README, on a machine with sessions of every kind."""

import re
import sys

from place import IDLE, Done, Place

LIMIT = "ARGS=-e tmux_cleanup_idle=%ds" % IDLE
STAY = ["attached", "kept", "printing"]


def make(place: Place, *words: str) -> Done:
    done = place.run("make", *words, LIMIT)
    assert done.rc == 0, done.output
    return done


def require_reasons(text: str, owner: str) -> None:
    """The output says why those that stay do."""
    kept = text.partition("ept:\n")[2]
    assert re.search(r" %s +attached +attached: 1 attached\n" % owner, kept), text
    assert re.search(r" %s +kept +keep: @keep is on\n" % owner, kept), text
    # On a machine that stands still for a while, it is its processes that tell.
    assert re.search(r" %s +printing +(active|busy): " % owner, kept), text


def owner_shown(place: Place, name: str) -> str:
    return name if place.is_root else r"\S+"


def test_cleanup_removes_exactly_the_idle_ones_and_says_why_the_others_stay(place: Place) -> None:
    """Look, run, look, run, with an independent look in between."""
    idle = {"alice": ["idle", "idle too"], "bob": ["idle-2"], "me": ["idle", "idle-2"]}
    total = sum(len(idle[owner.name]) for owner in place.owners)
    looked_at = total + 3 * len(place.owners)
    for owner in place.owners:
        place.populate(owner, *idle[owner.name])
    before = {owner: place.sessions(owner) for owner in place.owners}

    for words in (["report"], ["cleanup", "CHECK=1"]):
        planned = make(place, *words)
        assert "%d of %d sessions on 1 host would be removed." % (total, looked_at) in planned.output
        assert "\n        Would be removed:\n" in planned.output
        assert {owner: place.sessions(owner) for owner in place.owners} == before
        for owner in place.owners:
            require_reasons(planned.output, owner_shown(place, owner.name))

    done = make(place, "cleanup")
    assert "%d of %d sessions on 1 host removed." % (total, looked_at) in done.output
    for owner in place.owners:
        assert place.sessions(owner) == STAY
        require_reasons(done.output, owner_shown(place, owner.name))

    again = make(place, "cleanup")
    assert "0 of %d sessions on 1 host removed." % (looked_at - total) in again.output
    assert "changed=0" in again.output
    for owner in place.owners:
        assert place.sessions(owner) == STAY


def test_one_host_that_is_away_costs_neither_the_cleanup_nor_the_table(place: Place) -> None:
    """Two hosts, one after the other, the first of which cannot be reached."""
    owner = place.owners[0]
    place.populate(owner, "idle")
    here = "here ansible_connection=local tmux_cleanup_become=false ansible_python_interpreter=" + sys.executable
    place.write("hosts.ini", "away ansible_host=127.0.0.1 ansible_port=1\n%s\n" % here)
    done = place.run("make", "cleanup", "INVENTORY=hosts.ini", LIMIT + " -e tmux_cleanup_serial=1")
    assert done.rc != 0, done.output
    assert "1 of 4 sessions on 2 hosts removed." in done.output
    assert "1 host has a problem, see below." in done.output
    assert re.search(r"\n +away +unreachable: ", done.output), done.output
    assert done.output.count("WHY KEPT") == 1
    assert place.sessions(owner) == STAY


def test_a_user_that_was_not_asked_for_keeps_everything(all_users: Place) -> None:
    alice, bob = all_users.owners
    for owner in (alice, bob):
        all_users.populate(owner, "idle")
    done = all_users.run("make", "cleanup", LIMIT + " -e tmux_cleanup_users=bob")
    assert done.rc == 0, done.output
    assert all_users.sessions(alice) == ["attached", "idle", "kept", "printing"]
    assert all_users.sessions(bob) == STAY
    assert "alice" not in done.output
