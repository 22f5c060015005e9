# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user learns at her next login what will go and what has gone, keeps one session, and gets another back."""

import re

import pytest
from ansible_collections.fleet.tmux.tests.system.place import IDLE, Done, Place, Turn

PLACES = "-e tmux_cleanup_notices_dir=/tmp/notices -e tmux_cleanup_snapshot_dir=/tmp/snapshots"
NEW_SHELL = ["new-session", "-d", "-s", "new"]


def clean_up(place: Place, more: str) -> None:
    done = place.run("make", "cleanup", "ARGS=%s -e tmux_cleanup_idle=%ds %s" % (PLACES, IDLE, more))
    assert done.rc == 0, done.output


def log_in(place: Place) -> Done:
    """A login on a terminal, at which nothing is done."""
    done = place.talk(["su", "-", place.owners[0].name], Turn("$ ", "exit\n"))
    assert done.rc == 0, done.output
    return done


def type_as_user(place: Place, line: str) -> Done:
    return place.run("sh", "-c", line, owner=place.owners[0], directory="/")


def test_a_user_is_told_at_login_keeps_one_session_and_gets_another_back(place: Place) -> None:
    alice = place.owners[0]
    for name in ("wanted", "forgotten"):
        place.tmux(alice, "new-session", "-d", "-s", name, "cat")
    place.settle()
    clean_up(place, "-e tmux_cleanup_notice=1h -e tmux_cleanup_login_notices=true")
    assert place.sessions(alice) == ["forgotten", "wanted"]

    told = log_in(place).output
    keep = re.findall(
        r"^(tmux set -t '\$[0-9]+' @keep on)\n    keeps tmux session (\w+), which is otherwise ", told, re.MULTILINE
    )
    assert {name for _command, name in keep} == {"wanted", "forgotten"}, told
    (command,) = [command for command, name in keep if name == "wanted"]
    assert type_as_user(place, command).rc == 0

    clean_up(place, "-e tmux_cleanup_notice=")
    assert place.sessions(alice) == ["wanted"]
    told = log_in(place).output
    assert "tmux session forgotten was removed " in told and "@keep" not in told, told
    (command,) = re.findall(r"^    (sh /tmp/snapshots/alice/\S+/restore)$", told, re.MULTILINE)
    done = type_as_user(place, command)
    assert done.rc == 0, done.output
    assert place.sessions(alice) == ["forgotten", "wanted"]


def test_a_new_shell_inside_tmux_shows_it_too_and_it_can_be_taken_away_again(place: Place) -> None:
    alice, bob = place.owners
    for owner in (alice, bob):
        place.tmux(owner, "new-session", "-d", "-s", "forgotten", "cat")
    place.settle()
    clean_up(place, "-e tmux_cleanup_notice=1h -e tmux_cleanup_login_notices=true")
    place.tmux(alice, *NEW_SHELL)
    place.wait_for(alice, "new", "    keeps tmux session forgotten, which is otherwise ")
    clean_up(place, "-e tmux_cleanup_notice=1h -e tmux_cleanup_login_notices=false")
    found = place.run("ls", "/etc/profile.d/zz-fleet-tmux.sh", "/etc/fleet-tmux")
    assert found.output.count("No such file or directory") == 2
    assert "forgotten" not in place.talk(["su", "-", bob.name], Turn("$ ", "exit\n")).output


@pytest.mark.parametrize(("name", "shown"), [("tmux.sh", 1), ("zzz.sh", 2)])
def test_where_every_login_becomes_tmux_it_is_shown_inside(place: Place, name: str, shown: int) -> None:
    """As the RHEL 8 STIG has it; where that comes late, what was shown before is gone, and is shown again."""
    alice = place.owners[0]
    place.tmux(alice, "new-session", "-d", "-s", "forgotten", "cat")
    place.settle()
    clean_up(place, "-e tmux_cleanup_notice=1h -e tmux_cleanup_login_notices=true")
    line = '[ -n "$TMUX" ] || exec tmux -u -f /dev/null new-session -s login'
    assert place.run("sh", "-c", 'printf "%s\\n" "$1" >"/etc/profile.d/$2"', "sh", line, name).rc == 0
    turns = [Turn("which is otherwise", typed) for typed in [""] * (shown - 1) + ["exit\n"]]
    done = place.talk(["su", "-", alice.name], *turns)
    assert done.rc == 0, done.output
    before = done.output.rpartition("keeps tmux session forgotten")[0]
    assert before.count("\x1b[?1049h") == 1, "it is on the screen of tmux"
    assert place.sessions(alice) == ["forgotten"]
