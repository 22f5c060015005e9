# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make cleanup` at a terminal: it shows what it would do, asks, and then does that and no more."""

import re
import sys
from typing import List, Tuple

import pytest
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.system.place import IDLE, Done, Place, Turn
from ansible_collections.fleet.tmux.tests.system.test_make import ALL, LIMIT, STAY

QUESTION = "Do this now?"
CLEANUP = ["make", "cleanup", LIMIT]


def have_idle(place: Place, *names: str) -> None:
    place.populate(place.owners[0], *names)
    place.settle()


def answer(place: Place, typed: str, *words: str, piped: bool = False) -> Done:
    done = place.talk([*CLEANUP, *words], Turn(QUESTION, typed), piped=piped)
    assert done.output.count(QUESTION) == 1, done.output
    before, _question, _after = done.output.partition(QUESTION)
    assert "1 of 4 sessions on 1 host would be removed" in before, done.output
    assert done.output.count("Would be removed:") == 1, "whoever has refused it has read it"
    return done


@pytest.mark.parametrize(
    ("typed", "piped"), [(["n\n", "\n", "y and no\n", "\x04"], False), (["yep\n", "y\x04\x04"], True)]
)
def test_what_is_not_yes_removes_nothing_and_is_no_failure(place: Place, typed: List[str], piped: bool) -> None:
    have_idle(place, "idle")
    for each in typed:
        done = answer(place, each, piped=piped)
        assert done.rc == 0, done.output
        assert done.output.rstrip().endswith("Nothing was removed."), done.output
        assert "PLAY" not in done.output.partition(QUESTION)[2], done.output
        assert place.sessions(place.owners[0]) == ALL


@pytest.mark.parametrize(("typed", "piped"), [("y\n", False), ("yes\n", True)])
def test_with_a_yes_the_plan_is_carried_out_and_nothing_else(place: Place, typed: str, piped: bool) -> None:
    """What the policy names only since somebody has seen the plan is not in it."""
    alice, bob = place.owners
    have_idle(place, "idle")
    place.populate(bob)
    place.settle()
    released = ("tmux", "set-option", "-u", "-t", "=kept:", "@keep")
    done = place.talk(CLEANUP, Turn(QUESTION, typed, released, bob), piped=piped)
    assert done.rc == 0, done.output
    assert "1 of 7 sessions on 1 host removed" in done.output, done.output
    assert "its removal was not planned" in done.output, done.output
    assert place.sessions(alice) == STAY
    assert place.sessions(bob) == STAY


def test_it_does_not_ask_where_it_need_not(place: Place) -> None:
    have_idle(place, "idle")
    for word, left in (("CHECK=1", ALL), ("YES=1", STAY)):
        done = place.talk([*CLEANUP, word])
        assert done.rc == 0, done.output
        assert QUESTION not in done.output, done.output
        assert place.sessions(place.owners[0]) == left


def test_where_nothing_would_be_done_there_is_no_question(place: Place) -> None:
    have_idle(place)
    stopped = ["-e tmux_cleanup_idle=%ds -e tmux_cleanup_fleet_max_removals=0" % IDLE, "-e tmux_cleanup_idle=9d"]
    place.tmux(place.owners[0], "new-session", "-d", "-s", "idle", "cat")
    place.settle()
    for arguments in stopped:
        done = place.talk(["make", "cleanup", "ARGS=" + arguments])
        assert QUESTION not in done.output, done.output
        assert place.sessions(place.owners[0]) == ALL


TWO = """[all]
first tmux_cleanup_users='["alice"]'
second tmux_cleanup_users='["bob"]'

[all:vars]
ansible_connection=local
tmux_cleanup_become=false
tmux_cleanup_notice=1h
ansible_python_interpreter=%s
"""


def test_each_host_is_given_its_own_plan_with_its_marks(place: Place) -> None:
    """Notice is part of the plan: what is refused gives none."""
    for owner in place.owners:
        place.populate(owner, "idle")
    place.settle()
    place.write("hosts.ini", TWO % sys.executable)
    for typed, given in (("n\n", ""), ("y\n", "on")):
        done = place.talk([*CLEANUP, "INVENTORY=hosts.ini"], Turn(QUESTION, typed))
        assert done.rc == 0, done.output
        assert QUESTION in done.output, done.output
        for owner in place.owners:
            mark = place.tmux(owner, "show-options", "-qv", "-t", "=idle:", "@fleet_tmux_notice")
            assert bool(mark.strip()) is bool(given), mark


REFUSED: List[Tuple[str, str]] = [
    ("INVENTROY=hosts.ini", "no variable is called INVENTROY; did you mean INVENTORY?"),
    ("check=1", "no variable is called check; did you mean CHECK?"),
    ("Limit=web", "no variable is called Limit; did you mean LIMIT?"),
    ("COLOUR=red", "no variable is called COLOUR; there are ARGS, CHECK, "),
    ("INVENTORY=", "INVENTORY is empty"),
    ("YES=perhaps", "YES=perhaps: it takes 1 or 0."),
    ("CHECK=maybe", "CHECK=maybe: it takes 1 or 0."),
    ("INVENTORY=nowhere.ini", "INVENTORY=nowhere.ini: there is no such file."),
    ("INVENTORY=empty.ini", "The inventory has no host"),
    ("ARGS=-e tmux_cleanup_hosts=wbe", "No host of the inventory matches wbe"),
    ("ARGS=-e tmux_cleanup_idle=1s --limit wbe", "leaves us with no hosts"),
]


def test_a_cleanup_that_was_not_meant_like_that_is_refused(place: Place) -> None:
    have_idle(place, "idle")
    place.write("empty.ini", "")
    for word, said in REFUSED:
        done = place.run("make", "cleanup", LIMIT, word)
        assert done.rc != 0, done.output
        assert said in done.output, done.output
    assert place.sessions(place.owners[0]) == ALL


def test_who_breaks_off_at_the_question_is_told_that_nothing_was_done(place: Place) -> None:
    have_idle(place, "idle")
    done = place.talk(CLEANUP, Turn(QUESTION, "\x03"))
    require_broken_off(place, done, "Broken off before anything was changed on any host.")
    assert place.sessions(place.owners[0]) == ALL


def test_who_breaks_off_a_run_is_told_what_is_known_of_it(place: Place) -> None:
    """And nothing goes on in the background."""
    have_idle(place, "idle")
    place.write("veto", "#!/bin/sh\necho asked >>/tmp/vetoed\nexec sleep 1000\n")
    place.run("chmod", "755", "veto")
    place.write("hosts.ini", BOTH % sys.executable)
    asked = ("sh", "-c", "until test -s /tmp/vetoed; do sleep 0.1; done")
    words = ["make", "cleanup", LIMIT + " -e tmux_cleanup_serial=1", "YES=1", "INVENTORY=hosts.ini"]
    done = place.talk(words, Turn("\nPLAY [", "\x03", asked))
    require_broken_off(place, done, "Broken off: 0 of 2 hosts done, 1 unknown, 1 not begun. Each host's own log tells")
    assert place.sessions(place.owners[0]) == ALL


BOTH = """[all]
first
second

[all:vars]
ansible_connection=local
tmux_cleanup_become=false
tmux_cleanup_veto_command=["/tmp/checkout/veto"]
ansible_python_interpreter=%s
"""


def require_broken_off(place: Place, done: Done, said: str) -> None:
    assert done.rc != 0, done.output
    assert "Traceback" not in done.output, done.output
    (line,) = [line for line in done.output.splitlines() if line.startswith("Broken off")]
    assert line.startswith(said), done.output
    after = done.output.partition(line)[2].strip().splitlines()
    assert all(it.startswith("make: *** ") for it in after), done.output
    eventually(lambda: not left(place), "nothing goes on in the background")


def left(place: Place) -> List[str]:
    running: List[str] = place.run("ps", "-eo", "args").output.splitlines()
    return [line for line in running if re.search("ansible-playbook|AnsiballZ|play.py|veto|sleep 1000", line)]
