# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who counts in a session."""

import os
import time
from typing import Any, Dict, Optional, Set, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.waits import FUTEX, LOCK, NAP, POLL, READ, SIGNAL, Wait
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import HELPS, PROMPT, SHOWS, WAITS, WORKS, cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import OpenFile
from ansible_collections.fleet.tmux.tests.support.scenes import (
    FOR_CHILD,
    POLLS,
    PTS,
    READS_TTY,
    SHOWING,
    TTY,
    Known,
    Told,
    cast_of,
    one,
    roles_of,
    session,
    shell,
)
from hypothesis import given
from hypothesis import strategies as st

FILE = "/home/anna/log"


def behind(*more: Any) -> Any:
    """A pane's shell, with something else in the foreground."""
    return (shell(foreground=False), *more)


def test_a_program_of_somebodys_own_that_is_called_like_one_that_shows() -> None:
    assert roles_of(*behind(one(101, 100, "top")))[101] == SHOWS
    assert roles_of(*behind(one(101, 100, "./top")))[101] == WORKS
    given: Dict[str, Any] = {"command": "top", "words": ("python3", "./top")}
    assert roles_of(*behind(one(101, 100, "python3 ./top", **given)))[101] == WORKS


def test_what_fakeroot_starts_beside_a_shell_helps() -> None:
    assert roles_of(*behind(one(101, 100, "faked-sysv", terminal=0)))[101] == HELPS


def test_a_shell_at_its_prompt() -> None:
    assert roles_of(shell()) == {100: PROMPT}
    assert roles_of(one(100, 50, "sh", wait=READS_TTY)) == {100: PROMPT}


@pytest.mark.parametrize("wait", [Wait(), Wait(NAP), FOR_CHILD, Wait(READ, 7)])
def test_a_shell_that_runs_something_of_its_own(wait: Wait) -> None:
    """A loop of nothing but builtins has no child; the terminal is not being edited on."""
    pipe = {7: "pipe:[9]"}
    assert roles_of(one(100, 50, "-bash", wait=wait, links=pipe)) == {100: WORKS}


@pytest.mark.parametrize(("line", "role"), [("-bash", WORKS), ("mksh", WORKS), ("-zsh", PROMPT), ("fish", PROMPT)])
def test_a_shell_that_waits_for_a_key_up_to_a_time(line: str, role: str) -> None:
    """``while ! read -t 60 -n 1; do ...; done`` typed at a prompt; others look at their clock meanwhile."""
    name = line.lstrip("-")
    timed = Wait(POLL, timed=True, files=1)
    assert roles_of(one(100, 50, line, command=name, raw=True, wait=timed)) == {100: role}
    assert roles_of(one(100, 50, line, command=name, raw=True, wait=POLLS)) == {100: PROMPT}


@pytest.mark.parametrize("line", ["bash job.sh", "sh -c make", "bash"])
def test_a_shell_that_runs_a_script(line: str) -> None:
    """The last reads one from a pipe."""
    assert roles_of(one(100, 50, line, wait=READS_TTY, raw=True, links={0: "pipe:[4]"})) == {100: WORKS}


def test_a_job_counts_with_the_shell_that_waits_for_it() -> None:
    assert roles_of(*behind(one(101, 100, "make"))) == {100: WORKS, 101: WORKS}


def test_a_job_in_the_background_counts_and_the_prompt_does_not() -> None:
    assert roles_of(shell(), one(101, 100, "make", foreground=False)) == {100: PROMPT, 101: WORKS}


@pytest.mark.parametrize("name", ["top", "less", "tail -f log", "ping host"])
def test_what_only_shows_and_the_shell_that_waits_for_it(name: str) -> None:
    assert roles_of(*behind(one(101, 100, name))) == {100: WAITS, 101: SHOWS}


def test_all_below_what_only_shows() -> None:
    known = behind(one(101, 100, "watch -n5 make"), one(102, 101, "sh -c make"), one(103, 102, "make"))
    assert roles_of(*known) == {100: WAITS, 101: SHOWS, 102: SHOWS, 103: SHOWS}


@pytest.mark.parametrize("line", ["sh -c top", "bash wrapper.sh"])
def test_a_shell_that_runs_what_only_shows(line: str) -> None:
    assert roles_of(one(100, 50, line, wait=FOR_CHILD), one(101, 100, "top")) == {100: WAITS, 101: SHOWS}


def test_a_script_that_does_something_besides() -> None:
    """It has started a program that shows, and does not wait for it."""
    assert roles_of(one(100, 50, "bash job.sh", wait=Wait()), one(101, 100, "tail -f log")) == {
        100: WORKS,
        101: SHOWS,
    }


@pytest.mark.parametrize("link", [FILE, "pipe:[7]", "socket:[7]"])
def test_what_shows_into_a_file_works(link: str) -> None:
    assert roles_of(*behind(one(101, 100, "vmstat 5", links={1: link}))) == {100: WORKS, 101: WORKS}


@pytest.mark.parametrize("link", ["/dev/null", "/dev/pts/7", "/dev/tty2", "/dev/pts/3 (deleted)", "/3"])
def test_what_shows_on_a_terminal_does_not(link: str) -> None:
    assert roles_of(*behind(one(101, 100, "vmstat 5", links={1: link})))[101] == SHOWS


def pipeline(last: str, **more: Any) -> Dict[int, str]:
    """``tail -f log`` into another program."""
    return roles_of(
        *behind(
            one(101, 100, "tail -f log", links={1: "pipe:[7]"}),
            one(102, 100, last, group=101, links={0: "pipe:[7]"}, **more),
        )
    )


def test_a_pipeline_of_filters_that_ends_on_the_terminal_only_shows() -> None:
    assert pipeline("grep error") == {100: WAITS, 101: SHOWS, 102: SHOWS}
    assert pipeline("less") == {100: WAITS, 101: SHOWS, 102: SHOWS}


def test_a_pipeline_that_ends_in_a_program_or_a_file_works() -> None:
    assert pipeline("mail anna")[101] == WORKS
    log = [OpenFile(3, FILE, os.O_WRONLY)]
    assert pipeline("tee log", files=log) == {100: WORKS, 101: WORKS, 102: WORKS}


@pytest.mark.parametrize(("length", "role"), [(20, SHOWS), (2000, WORKS)])
def test_a_pipeline_without_an_end_works(length: int, role: str) -> None:
    """Nobody types one. Somebody may write one so that nothing of his is judged."""
    pipes = ["pipe:[%d]" % number for number in range(1, length)]
    ends = zip(["/dev/pts/3", *pipes], [*pipes, "/dev/pts/3"])
    chain = [
        one(101 + number, 100, "cat" if number else "tail -f log", group=101, links={0: read, 1: written})
        for number, (read, written) in enumerate(ends)
    ]
    assert roles_of(*behind(*chain))[101] == role


def test_a_pipe_that_is_read_elsewhere_works() -> None:
    assert roles_of(*behind(one(101, 100, "tail -f log", links={1: "pipe:[8]"}), one(102, 100, "less", group=101))) == {
        100: WORKS,
        101: WORKS,
        102: SHOWS,
    }


def test_what_is_shown_in_a_circle_is_not_shown() -> None:
    ends = {0: "pipe:[1]", 1: "pipe:[2]"}, {0: "pipe:[2]", 1: "pipe:[1]"}
    roles = roles_of(one(101, 100, "tail", links=ends[0]), one(102, 100, "tail", group=101, links=ends[1]))
    assert roles == {101: WORKS, 102: WORKS}


def test_a_build_whose_pager_waits_counts() -> None:
    roles = roles_of(
        *behind(
            one(101, 100, "make", links={1: "pipe:[7]"}, raw=True, wait=POLLS),
            one(102, 100, "less", group=101, links={0: "pipe:[7]"}),
        )
    )
    assert roles == {100: WORKS, 101: WORKS, 102: SHOWS}


def test_a_pager_that_is_left_of_a_command_only_shows() -> None:
    roles = roles_of(*behind(one(101, 100, "git log", wait=FOR_CHILD), one(102, 101, "less", group=101)))
    assert roles == {100: WAITS, 101: WAITS, 102: SHOWS}


def test_a_pipeline_that_ends_at_a_line_works() -> None:
    """Something may follow then; and whoever acts on what comes does more than show it."""
    for last in ("grep -m1 ready", "head -1", "sed /ready/q", "awk /x/{exit}"):
        assert pipeline(last) == {100: WORKS, 101: WORKS, 102: WORKS}, last


def test_a_filter_that_refuses_a_look_works() -> None:
    assert pipeline("grep x", refused=True) == {100: WORKS, 101: WORKS, 102: WORKS}


@pytest.mark.parametrize(("number", "link", "role"), [(63, "pipe:[9]", WORKS), (63, TTY, SHOWS)])
def test_what_tee_gives_to_another_command(number: int, link: str, role: str) -> None:
    assert pipeline("tee", files=[OpenFile(number, link, os.O_WRONLY)])[102] == role


@pytest.mark.parametrize(("stored", "role"), [(0, SHOWS), (4096, WORKS), (None, WORKS)])
def test_a_program_that_runs_what_writes_to_a_disk(stored: Optional[int], role: str) -> None:
    """``watch -n 60 ./sync.sh``: a poor man's cron. The last is one that nobody can tell of."""
    scene = Told(*behind(one(101, 100, "watch ./sync.sh", started=0, stored=stored)), since_boot=7)
    roles = cast(session(), tuple(each.process for each in scene.known.values()), scene, SHOWING.__contains__)
    assert roles.actors[1].role == role
    assert roles_of(*behind(one(101, 100, "less log", stored=4096)))[101] == SHOWS


def test_a_program_that_runs_what_is_there_to_write() -> None:
    assert roles_of(*behind(one(101, 100, "watch rsync -a src/ backup/")))[101] == WORKS


@pytest.mark.parametrize(("days", "role"), [(0.01, WORKS), (7, SHOWS)])
def test_a_program_whose_command_is_only_read_from_a_disk(days: float, role: str) -> None:
    """Some file systems note once a day when a file was read."""
    scene = Told(*behind(one(101, 100, "watch ls", started=0, stored=40960)), since_boot=days * 86400)
    roles = cast(session(), tuple(each.process for each in scene.known.values()), scene, SHOWING.__contains__)
    assert roles.actors[1].role == role


@pytest.mark.parametrize(("more", "role"), [({}, SHOWS), ({"serves": True}, PROMPT)])
def test_a_program_that_shows_and_forwards_ports(more: Dict[str, Any], role: str) -> None:
    """What comes through there counts then, as with anything else at its prompt."""
    ignored = frozenset(("k9s", "tcpdump")).__contains__
    scene = Told(*behind(one(101, 100, "k9s", raw=True, wait=Wait(FUTEX), **more)))
    assert cast(session(), tuple(it.process for it in scene.known.values()), scene, ignored).actors[1].role == role


@pytest.mark.parametrize(("file", "role"), [(FILE, WORKS), ("/dev/net/tun", SHOWS)])
def test_a_program_that_records_what_it_measures(file: str, role: str) -> None:
    ignored = frozenset(("sar", "sadc")).__contains__
    scene = Told(*behind(one(101, 100, "sar 5", files=[OpenFile(3, file, os.O_WRONLY)])))
    assert cast(session(), tuple(it.process for it in scene.known.values()), scene, ignored).actors[1].role == role


@pytest.mark.parametrize("line", ["tail --pid=77 -f log", "watch -g ls", "watch --chgexit ls"])
def test_what_shows_until_something_happens_waits_for_it(line: str) -> None:
    assert roles_of(*behind(one(101, 100, line)))[101] == WORKS


def test_a_program_that_shows_and_refuses_a_look_counts() -> None:
    assert roles_of(*behind(one(101, 100, "ping host", refused=True)))[101] == WORKS


@pytest.mark.parametrize("line", ["tmux attach", "screen -r", "abduco -a work"])
def test_the_client_of_another_server(line: str) -> None:
    name = "tmux: client" if "tmux" in line else line.split()[0]
    assert roles_of(*behind(one(101, 100, line, command=name, raw=True, wait=POLLS))) == {100: WAITS, 101: SHOWS}


@pytest.mark.parametrize(
    ("more", "role"),
    [
        ({"raw": True}, SHOWS),
        ({"state": "T", "foreground": False}, SHOWS),
        ({"wait": FOR_CHILD}, SHOWS),
        ({}, WORKS),
        ({"raw": True, "foreground": False}, WORKS),
    ],
)
def test_a_client_of_tmux_that_is_not_attached_waits_for_its_server(more: Dict[str, Any], role: str) -> None:
    """``tmux wait-for``: its terminal is as it was, or is another one's. A client can be stopped, or locked."""
    client = one(101, 100, "tmux wait-for built", command="tmux: client", **dict({"wait": POLLS}, **more))
    assert roles_of(*behind(client)) == {100: WAITS if role == SHOWS else WORKS, 101: role}


@pytest.mark.parametrize(
    "name, role", [("tmux-3.3a: clien", WORKS), ("tmux-3.3a: clie", SHOWS), ("tmux-3: client", SHOWS)]
)
def test_the_client_of_a_tmux_of_another_name(name: str, role: str) -> None:
    """The kernel keeps 15 bytes of it."""
    assert roles_of(*behind(one(101, 100, "tmux-3.3a attach", command=name, raw=True, wait=Wait(NAP))))[101] == role


def test_what_runs_in_another_server_counts() -> None:
    """screen's own server is below its client, and at no terminal."""
    roles = roles_of(
        *behind(
            one(101, 100, "screen", raw=True),
            one(102, 101, "SCREEN", command="screen", terminal=0, sid=102, wait=POLLS, links={0: "/dev/null"}),
            one(103, 102, "make", sid=103, terminal=136 << 8 | 9),
        )
    )
    assert (roles[101], roles[103]) == (SHOWS, WORKS)


@pytest.mark.parametrize("line", ["bash", "su -", "newgrp staff", "script typescript", "sudo -s"])
@pytest.mark.parametrize("hands_keys_on", [True, False])
def test_nested_shells_at_their_prompt(line: str, hands_keys_on: bool) -> None:
    """``script`` and some versions of ``sudo`` give them a terminal of their own."""
    hands_keys_on = hands_keys_on and line != "bash"
    between = one(101, 100, line, wait=POLLS, foreground=hands_keys_on, raw=hands_keys_on)
    assert roles_of(shell(foreground=False), between, shell(102, 101)) == {100: WAITS, 101: WAITS, 102: PROMPT}


def test_what_a_wrapper_records_of_a_program_that_shows() -> None:
    """``script -c 'vmstat 5' log``; of an idle shell nothing is recorded."""
    into = [OpenFile(3, FILE, os.O_WRONLY)]
    inner: Dict[str, Any] = {"sid": 102, "terminal": 136 << 8 | 9}
    recorder = one(101, 100, "script -c top log", wait=POLLS, files=into)
    assert roles_of(*behind(recorder, one(102, 101, "top", **inner)))[101] == WORKS
    assert roles_of(*behind(recorder, shell(102, 101, **inner)))[101] == WAITS
    assert roles_of(*behind(recorder._replace(refused=True), one(102, 101, "top", **inner)))[101] == WORKS
    becoming = one(101, 100, "su", wait=POLLS, refused=True)
    assert roles_of(*behind(becoming, one(102, 101, "top", **inner)))[101] == WAITS


@pytest.mark.parametrize("line", ["python3", "psql work", "bc", "node", "ssh host", "vim file"])
@pytest.mark.parametrize("wait", [READS_TTY, POLLS, Wait(FUTEX), Wait(SIGNAL), Wait()])
def test_a_program_at_its_prompt(line: str, wait: Wait) -> None:
    """By the state of the terminal, not by its name; what it holds open counts all the same."""
    known = behind(one(101, 100, line, raw=True, wait=wait))
    assert roles_of(*known)[101] == PROMPT
    found = cast_of(*known)
    assert [process.pid for process in found.holding] == [101]
    assert [process.pid for process in found.counting] == []


@pytest.mark.parametrize(
    "more",
    [
        {"raw": False},
        {"foreground": False},
        {"wait": Wait(NAP)},
        {"wait": FOR_CHILD},
        {"wait": Wait(READ, 5), "links": {5: "pipe:[5]"}},
        {"state": "R"},
        {"state": "T"},
        {"links": {0: "/dev/null"}},
        {"links": {1: FILE}},
    ],
)
def test_a_program_that_is_not_at_its_prompt(more: Dict[str, Any]) -> None:
    given: Dict[str, Any] = dict({"raw": True, "wait": POLLS}, **more)
    assert roles_of(*behind(one(101, 100, "python3", **given)))[101] == WORKS


def test_a_chooser_that_reads_keys_at_a_terminal_it_has_opened() -> None:
    tty = OpenFile(3, "/dev/tty", os.O_RDONLY)
    given: Dict[str, Any] = {"links": {0: "/home/anna/list"}, "raw": True, "wait": Wait(FUTEX)}
    assert roles_of(*behind(one(101, 100, "fzf", files=(tty,), **given)))[101] == PROMPT
    assert roles_of(*behind(one(101, 100, "fzf", **given)))[101] == WORKS


def test_a_program_that_reads_lines_of_its_terminal() -> None:
    """bc, dc, tclsh: without an editor of lines the terminal is as it was."""
    assert roles_of(*behind(one(101, 100, "dc", wait=READS_TTY)))[101] == PROMPT
    assert roles_of(*behind(one(101, 100, "bash ask.sh", wait=READS_TTY)))[101] == WORKS


def test_a_program_that_reads_another_terminal_is_at_no_prompt() -> None:
    """What a machine says on its console, nobody types."""
    given: Dict[str, Any] = {"wait": Wait(READ, 4), "links": {1: "pipe:[9]"}}
    assert roles_of(*behind(one(101, 100, "cat", files=[OpenFile(4, "/dev/pts/77", 0)], **given)))[101] == WORKS
    assert roles_of(*behind(one(101, 100, "cat", files=[OpenFile(4, "/dev/ttyUSB0", 0)], **given)))[101] == WORKS
    given["links"][4] = "/dev/tty"
    assert roles_of(*behind(one(101, 100, "fzf", files=[OpenFile(4, "/dev/tty", 0)], **given)))[101] == PROMPT


def test_what_belongs_to_a_program_at_its_prompt_sits_with_it() -> None:
    server: Dict[str, Any] = {"terminal": 0, "sid": 102, "links": {0: "socket:[6]"}}
    editor = one(101, 100, "nvim file", raw=True, wait=POLLS)
    assert roles_of(*behind(editor, one(102, 101, "clangd", **server)))[102] == PROMPT
    assert roles_of(*behind(editor, one(102, 101, "python train.py")))[102] == WORKS
    assert roles_of(shell(), one(102, 100, "clangd", **server))[102] == WORKS


PIPE = OpenFile(20, "pipe:[6]", os.O_WRONLY)


@pytest.mark.parametrize(
    ("more", "role"),
    [
        ({}, PROMPT),
        ({"links": {0: "socket:[6]"}}, PROMPT),
        ({"wait": Wait(READ, 0)}, PROMPT),
        ({"wait": POLLS, "files": [OpenFile(9, "anon_inode:[eventpoll]", os.O_RDWR)], "watched": [0, 8]}, PROMPT),
        ({"wait": POLLS, "files": [OpenFile(9, "anon_inode:[eventpoll]", os.O_RDWR)], "watched": [8]}, WORKS),
        ({"wait": Wait(READ, 7)}, WORKS),
        ({"wait": Wait(NAP)}, WORKS),
        ({"wait": FOR_CHILD}, WORKS),
        ({"waits": [Wait(FUTEX), Wait(READ, 0)], "wait": Wait(FUTEX)}, PROMPT),
        ({"waits": [Wait(FUTEX)], "wait": Wait(FUTEX)}, WORKS),
        (
            {"waits": [Wait(FUTEX, timed=True), Wait(READ, 0)], "wait": Wait(FUTEX, timed=True)},
            WORKS,
        ),
        ({"waits": [Wait(FUTEX), Wait(READ, 0), Wait(LOCK)], "wait": Wait(FUTEX)}, WORKS),
        ({"waits": [Wait(FUTEX), Wait(READ, 0), Wait(NAP)], "wait": Wait(FUTEX)}, WORKS),
        ({"links": {0: "pipe:[7]"}}, WORKS),
        ({"links": {0: "/dev/null"}}, WORKS),
        ({"refused": True}, WORKS),
        ({"line": "bash -c make"}, WORKS),
    ],
)
def test_who_listens_to_a_program_at_its_prompt(more: Dict[str, Any], role: str) -> None:
    """Its servers speak to it over their standard files, at its terminal or not; and so do theirs."""
    given: Dict[str, Any] = dict({"links": {0: "pipe:[6]"}, "wait": POLLS, "group": 101, "line": "node s.js"}, **more)
    agent = one(101, 100, "node agent.js", raw=True, wait=POLLS, files=[PIPE])
    assert roles_of(*behind(agent, one(102, 101, given.pop("line"), **given)))[102] == role


def test_the_servers_of_a_server_sit_with_it() -> None:
    talks: Dict[str, Any] = {"links": {0: "pipe:[6]"}, "wait": POLLS, "files": [PIPE]}
    agent = one(101, 100, "node agent.js", raw=True, wait=POLLS, files=[PIPE])
    roles = roles_of(*behind(agent, one(102, 101, "uv run", **talks), one(103, 102, "node s.js", **talks)))
    assert roles == {100: WAITS, 101: PROMPT, 102: PROMPT, 103: PROMPT}


@pytest.mark.parametrize("name", ["ssh-agent", "gpg-agent", "gitstatusd-linu", "dbus-daemon", "at-spi-bus-laun"])
def test_helpers_need_not_be_looked_into(name: str) -> None:
    """An agent refuses its own user a look."""
    helper = one(101, 100, name, refused=True, terminal=0, sid=101)
    assert roles_of(shell(), helper) == {100: PROMPT, 101: HELPS}


def test_a_copy_of_a_shell_that_helps_its_prompt() -> None:
    copy: Dict[str, Any] = {"foreground": False, "wait": Wait(READ, 14), "links": {14: "pipe:[14]"}}
    assert roles_of(shell(line="-zsh"), one(101, 100, "-zsh", command="zsh", **copy))[101] == HELPS


def test_a_copy_of_a_shell_that_reads_a_pipe_with_a_name_works() -> None:
    """Others write into it: that is no prompt."""
    copy: Dict[str, Any] = {"foreground": False, "wait": Wait(READ, 3), "links": {3: "/home/anna/queue"}}
    assert roles_of(shell(), one(101, 100, "-bash", fifos=(3,), **copy))[101] == WORKS
    assert roles_of(shell(), one(101, 100, "-bash", **copy))[101] == HELPS


def test_a_loop_in_the_background_counts() -> None:
    known = shell(), one(101, 100, "-bash", foreground=False, wait=FOR_CHILD), one(102, 101, "sleep 300", group=101)
    assert roles_of(*known) == {100: PROMPT, 101: WORKS, 102: WORKS}


def test_a_loop_in_the_background_that_waits_by_itself_counts() -> None:
    assert roles_of(shell(), one(101, 100, "-bash", foreground=False, wait=Wait(NAP)))[101] == WORKS


def test_a_shell_that_only_keeps_something_open() -> None:
    words = ("sh", "-c", "while :; do sleep 3600; done")
    assert roles_of(one(100, 50, "sh", words=words, wait=FOR_CHILD), one(101, 100, "sleep 3600")) == {
        100: SHOWS,
        101: SHOWS,
    }


def test_a_shell_that_sleeps_as_a_step_of_something_counts() -> None:
    step = one(102, 101, "sh", words=("sh", "-c", "sleep 7"), wait=FOR_CHILD)
    found = roles_of(*behind(one(101, 100, "xargs sh", wait=FOR_CHILD), step, one(103, 102, "sleep 7")))
    assert found[101] == found[102] == WORKS


def test_the_dead_have_no_role() -> None:
    found = cast_of(*behind(one(101, 100, "make", state="Z")))
    assert [process.pid for process in found.processes] == [100]
    assert not found.hidden


def test_a_pane_without_its_process_is_hidden() -> None:
    assert cast_of(one(7, 1, "make")).hidden
    assert not cast_of(shell()).hidden


OTHERS: Dict[str, Any] = {"uid": 0, "terminal": 0, "foreground": False}


ROOTS: Dict[str, Any] = {"uid": 0, "started": -6}


@pytest.mark.parametrize(("euid", "role"), [(0, PROMPT), (1001, WORKS)])
def test_a_shell_of_root_that_sits(monkeypatch: pytest.MonkeyPatch, euid: int, role: str) -> None:
    """Root may look into it; whoever is not cannot know."""
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    roles = roles_of(
        shell(foreground=False),
        one(101, 100, "sudo -i", started=-5, **OTHERS),
        one(102, 101, "bash", raw=True, wait=POLLS, **ROOTS),
    )
    assert roles == {100: WAITS if euid == 0 else WORKS, 101: WAITS if euid == 0 else WORKS, 102: role}


@pytest.mark.parametrize(
    ("line", "more"),
    [
        ("bash", {"state": "R"}),
        ("bash", {"state": "T"}),
        ("bash", {"state": "D"}),
        ("bash", {"wait": Wait(READ, 3), "links": {3: "/srv/queue"}}),
        ("bash", {"wait": Wait(NAP), "raw": True}),
        ("bash go.sh", {"wait": READS_TTY}),
        ("bash -c go", {"wait": READS_TTY}),
        ("bash", {"wait": READS_TTY, "links": {0: "/srv/script"}}),
    ],
)
def test_a_shell_of_root_that_does_something(monkeypatch: pytest.MonkeyPatch, line: str, more: Dict[str, Any]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert roles_of(shell(foreground=False), one(101, 100, line, **ROOTS, **more))[101] == WORKS


@pytest.mark.parametrize(
    ("line", "more", "role"),
    [
        ("tail -f log", {"wait": Wait(NAP)}, SHOWS),
        ("tail --pid=7 -f log", {"wait": Wait(NAP)}, WORKS),
        ("python3", {"wait": POLLS, "raw": True}, PROMPT),
        ("python3 job.py", {"wait": POLLS}, WORKS),
    ],
)
def test_a_program_of_root(monkeypatch: pytest.MonkeyPatch, line: str, more: Dict[str, Any], role: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert roles_of(shell(foreground=False), one(101, 100, line, **ROOTS, **more))[101] == role


@pytest.mark.parametrize(
    ("euid", "raw", "state", "role"),
    [(0, True, "S", PROMPT), (0, False, "S", WORKS), (0, True, "R", WORKS), (1001, True, "S", WORKS)],
)
def test_a_shell_of_a_third(monkeypatch: pytest.MonkeyPatch, euid: int, raw: bool, state: str, role: str) -> None:
    """Nobody looks into it. That its terminal gives each key as it is typed is seen through another one at it."""
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    guest = one(102, 101, "bash", started=-6, uid=1002, terminal=0, foreground=False, state=state)
    assert roles_of(shell(foreground=False), one(101, 100, "su - bob", raw=raw, wait=FOR_CHILD), guest)[102] == role


def test_what_another_program_of_a_third_does_is_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    guest = one(102, 101, "top", started=-6, uid=1002, terminal=0, foreground=False)
    assert roles_of(*behind(one(101, 100, "sudo -u bob top", wait=POLLS), guest))[102] == WORKS


@pytest.mark.parametrize(("link", "role"), [("/dev/pts/3", SHOWS), (FILE, WORKS), ("pipe:[3]", WORKS)])
def test_what_root_shows(monkeypatch: pytest.MonkeyPatch, link: str, role: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    shows = one(102, 101, "top", started=-6, links={1: link}, **OTHERS)
    assert roles_of(*behind(one(101, 100, "sudo top", started=-5, **OTHERS), shows))[102] == role


@pytest.mark.parametrize(
    ("known", "runs"),
    [
        ((shell(),), ()),
        ((shell(foreground=False), shell(101, 100, line="bash")), ()),
        ((shell(foreground=False), one(101, 100, "su -", wait=FOR_CHILD), shell(102, 101)), ()),
        ((shell(), one(101, 100, "ssh-agent", refused=True)), ()),
        (behind(one(101, 100, "top")), ("top",)),
        (behind(one(101, 100, "bash job.sh", wait=FOR_CHILD)), ("bash",)),
        ((one(100, 50, "sh -c make", wait=FOR_CHILD),), ("sh",)),
        (behind(one(101, 100, "python3", raw=True, wait=POLLS)), ("python3",)),
        (behind(one(101, 100, "sudo -s", wait=POLLS), one(102, 101, "make")), ("sudo", "make")),
        ((one(100, 50, "-bash", command="bash", state="R"),), ("bash",)),
        ((one(100, 50, "-bash", command="bash", wait=Wait(NAP)),), ("bash",)),
    ],
)
def test_what_runs_more_than_a_shell(known: Any, runs: Any) -> None:
    assert cast_of(*known).runs == runs


def test_ten_times_as_many_processes_take_ten_times_as_long() -> None:
    """In a chain, beside each other, and in a circle: each is looked at once from above and once from below."""

    def seconds(number: int) -> float:
        known = [one(pid, pid - 1, "cat") for pid in range(100, 100 + number)]
        known += [one(pid, 100, "cat") for pid in range(200000, 200000 + number)]
        known += [one(pid, 300000 + (pid + 1) % number, "cat") for pid in range(300000, 300000 + number)]
        scene, processes = Told(*known), tuple(each.process for each in known)
        began = time.process_time()
        assert len(cast(session(), processes, scene, SHOWING.__contains__).actors) == 3 * number
        return time.process_time() - began

    seconds(100)
    assert seconds(10000) < 50 * max(0.02, seconds(1000))


LINES = [
    "bash",
    "-zsh",
    "sh -c make",
    "make",
    "top",
    "tail -f log",
    "grep x",
    "python3",
    "su -",
    "ssh-agent",
    "vim file",
]
WAITS_OF = [Wait(), READS_TTY, POLLS, FOR_CHILD, Wait(NAP), Wait(FUTEX), Wait(READ, 5)]


@st.composite
def trees(draw: st.DrawFn) -> Tuple[Known, ...]:
    """Processes below a pane, of all kinds; nobody refuses a look."""
    known = [shell(foreground=draw(st.booleans()))]
    for pid in range(101, 101 + draw(st.integers(0, 7))):
        above = draw(st.integers(100, pid - 1))
        ends = draw(st.sampled_from([TTY, "pipe:[1]", FILE])), draw(st.sampled_from([TTY, "pipe:[1]", FILE]))
        known.append(
            one(
                pid,
                above,
                draw(st.sampled_from(LINES)),
                foreground=draw(st.booleans()),
                state=draw(st.sampled_from("SSSRTD")),
                raw=draw(st.booleans()),
                wait=draw(st.sampled_from(WAITS_OF)),
                links={0: ends[0], 1: ends[1], 5: "pipe:[5]"},
                terminal=draw(st.sampled_from([0, PTS])),
                sid=draw(st.sampled_from([100, pid])),
                group=draw(st.sampled_from([101, pid])),
            )
        )
    return tuple(known)


def at_work(known: Tuple[Known, ...]) -> Set[int]:
    return {process.pid for process in cast_of(*known).counting}


@given(trees(), st.sets(st.integers(100, 107)))
def test_who_refuses_a_look_takes_nobody_from_those_that_count(known: Tuple[Known, ...], refused: Set[int]) -> None:
    unread = tuple(each._replace(refused=each.process.pid in refused) for each in known)
    assert at_work(known) <= at_work(unread)


@given(trees(), st.integers(100, 107))
def test_one_that_works_more_takes_nobody_from_those_that_count(known: Tuple[Known, ...], above: int) -> None:
    more = one(200, min(above, known[-1].process.pid), "make")
    assert at_work(known) <= at_work((*known, more))


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("ssh -t host htop", SHOWS),
        ("ssh host tail -f log", SHOWS),
        ("ssh host tail --pid=7 -f log", PROMPT),
        ("ssh -t host tmux attach", SHOWS),
        ("ssh -t host make", PROMPT),
        ("ssh host", PROMPT),
    ],
)
def test_ssh_shows_what_is_shown_there(line: str, role: str) -> None:
    assert roles_of(shell(foreground=False), one(101, 100, line, wait=POLLS, raw=True))[101] == role


def test_what_ssh_shows_counts_where_it_goes_into_a_file() -> None:
    line = one(101, 100, "ssh host tail -f log", wait=POLLS, links={1: "/home/anna/log"})
    assert roles_of(shell(foreground=False), line)[101] == WORKS
