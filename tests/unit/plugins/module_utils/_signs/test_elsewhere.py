# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ssh and its kin run on another host is told by their arguments, and whether it is there for somebody to type."""

import shlex
import time
from typing import Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._signs.elsewhere import (
    Call,
    call_of,
    is_prompt,
    only_shows,
    programs_of,
)


def told(line: str) -> Call:
    words = shlex.split(line)
    return call_of(words[0] if words else "ssh", words)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("ssh host make all", "make all"),
        ("ssh -p 22 host make", "make"),
        ("ssh -vvp 22 -o BatchMode=yes me@host -i key make -N", "make -N"),
        ("ssh -o User=me -T host -- make", "make"),
        ("ssh -Jgate host make", "make"),
        ("ssh -6tt host 'sleep 100; echo -N'", "sleep 100; echo -N"),
        ("ssh -o RemoteCommand='make all' host", "make all"),
        ("ssh -toremotecommand=make -o RemoteCommand=other host", "make"),
        ("ssh -o 'RemoteCommand make' host", "make"),
        ("ssh -o RemoteCommand=make host test", "test"),
        ("dbclient -y -i key -p 22 host make", "make"),
        ("mosh-client '-# host -- make all |' 127.0.0.1 60001", "make all"),
        ("mosh-client '-# -p 60001 --ssh=ssh host make |' 127.0.0.1 60001", "make"),
    ],
)
def test_a_command_is_what_runs_there(line: str, command: str) -> None:
    assert told(line) == Call(command)


@pytest.mark.parametrize(
    "line",
    [
        "ssh host",
        "ssh -p 22 host",
        "ssh -o RemoteCommand=none host",
        "ssh -i",
        "ssh",
        "",
        "mosh-client '-# host |' 127.0.0.1 60001",
        "mosh-client 127.0.0.1 60001",
    ],
)
def test_without_a_command_it_is_a_shell(line: str) -> None:
    assert told(line) == Call()


@pytest.mark.parametrize(
    "line",
    [
        "ssh -NL 80:there:80 host",
        "ssh host -N make",
        "ssh -fN -D 1080 host",
        "ssh -W there:22 gate",
        "ssh -oUser=me -s host sftp",
        "ssh -O check host",
    ],
)
def test_a_tunnel_and_a_subsystem_run_nothing(line: str) -> None:
    assert told(line).silent


@pytest.mark.parametrize(
    "command",
    [
        "bash",
        "exec zsh -l",
        "cd /srv && exec bash --norc",
        "LANG=C fish",
        "env -i TERM=xterm sh",
        "tmux a || tmux new -s work",
        "tmux attach",
        "screen -dr",
        "/usr/bin/zellij",
        "sudo -i",
        "sudo -iu bob",
        "sudo -u bob -s",
        "sudo su -",
        "su - bob",
        "sudo -u bob tmux a",
        "ssh inner",
        "ssh -t inner sudo -i",
        "ssh -t inner 'cd /srv; bash'",
    ],
)
def test_a_shell_or_a_terminal_that_stays_is_a_prompt(command: str) -> None:
    assert is_prompt(command)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "make",
        "sh -c 'sleep 100; touch done'",
        "bash deploy.sh",
        "bash -lc make",
        "bash < deploy.sh",
        "tmux a; make",
        "make;bash",
        "cd /srv",
        "sudo make",
        "sudo -u bob make",
        "sudo",
        "su -c make bob",
        "su bob make",
        "su - bob deploy.sh",
        "ssh inner make",
        "ssh -N inner",
        "echo 'not whole",
        "python3 -c 'x; bash'",
        ". ./run_all.sh; exec bash -l",
        'bash "$(make)"',
        "exec -a bash make",
        "bash >log",
    ],
)
def test_what_works_there_is_none(command: str) -> None:
    assert not is_prompt(command)


def shows(words: Sequence[str]) -> bool:
    return words[0] in ("htop", "tail")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("htop", True),
        ("sudo tail -f log", True),
        ("cd /var/log && tail -f syslog", True),
        ("tmux a || tmux new", True),
        ("tmux -L far new -s wait-for", True),
        ("tmux -L far wait-for built", False),
        ("tmux wait built; make", False),
        ("tail -f log | grep -q done", False),
        ("htop; make", False),
        ("tail -f log > copy.log", False),
        ("tail -f log 2>>errors", False),
        ("tail -f log < list", False),
        ("tail -f log 2>/dev/null </dev/null", True),
        ("tail -f log 2>&1", True),
        ("tail -f 'a > b' \"c < d\" e\\>f", True),
        ("tail -n5 $(./migrate)", False),
        ('tail -n5 "$(./migrate)"', False),
        ("tail -f `./x`", False),
        ("tail -f <(./x)", False),
        (". ./migrate && tail -f log", False),
        ("source ./migrate; tail -f log", False),
        ("env -C /tmp make; htop", False),
        ("exec -a tail make", False),
        ("exec htop", True),
        ("bash", False),
        ("", False),
    ],
)
def test_what_only_shows_there(command: str, expected: bool) -> None:
    assert only_shows(command, shows) is expected


def test_commands_are_told_from_what_stands_in_quotes() -> None:
    assert programs_of("a 'b; c' \"d && e\" f\\;g;h") == [["a", "b; c", "d && e", "f;g"], ["h"]]


def test_commands_within_each_other_without_an_end_are_not_looked_into() -> None:
    assert is_prompt("ssh a " * 5)
    assert not is_prompt("ssh a " * 5000)


@pytest.mark.parametrize("word", ["sudo ", "ssh h ", "env "])
def test_what_is_very_long_is_not_taken_apart(word: str) -> None:
    """Whoever writes it would keep all others waiting."""
    began = time.process_time()
    assert not is_prompt(word * 13000 + "bash") and is_prompt(word * 3 + "bash")
    assert time.process_time() - began < 1
