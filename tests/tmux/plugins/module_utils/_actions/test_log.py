# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a session prints is in its log from the first moment on, whatever that is called, and nothing stays open."""

import functools
import os
import stat
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import Ending
from ansible_collections.fleet.tmux.plugins.module_utils._actions.wait import Wish
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session import (
    SessionOptions,
    carry_out,
    failure,
    result,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session_hands import (
    PromisingHands,
    WorkingHands,
    drift,
    planned,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session_wait import wait_for
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host
from ansible_collections.fleet.tmux.tests.support.births import LastWords, judged_when
from ansible_collections.fleet.tmux.tests.support.logs import NAMES, holders, tells, told
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

Told = Tuple[Dict[str, Any], Optional[Exception]]


def task(
    world: World,
    log: str,
    words: Tuple[str, ...] = ("sh", "-c", "echo first; read x; echo $x"),
    check: bool = False,
    size: Optional[int] = None,
) -> Told:
    """Have a session ``job`` with a log, which keeps what has exited."""
    options = SessionOptions(None, words, "/", (), None, None, None, keep_exited=True, log=log, log_max_size=size)
    host = Host(world.binary, PATIENCE, Directory(PATIENCE))
    before = look_at(host, world.path)
    made, compared = planned("present", ["job"], "never", options, before)
    hands = (
        PromisingHands(host, before, options, compared)
        if check
        else WorkingHands(host, before, options, Ending(), compared=compared)
    )
    outcomes = carry_out(made, hands)
    return dict(result(outcomes, before, drift(compared)), warned=hands.warnings()), failure(made, outcomes)


@pytest.mark.parametrize("size", [None, 65536])
@pytest.mark.parametrize("name", NAMES)
def test_all_that_is_printed_is_there_and_nothing_else_happens(server: World, name: str, size: Optional[int]) -> None:
    folder = os.path.join(server.folder, "logs")
    os.mkdir(folder)
    path = os.path.join(folder, name)
    said, error = task(server, path, size=size)
    assert (error, [item["name"] for item in said["created"]]) == (None, ["job"])
    eventually(lambda: "first" in told(path), "its first words are there")
    server.tmux("send-keys", "-t", "=job:", "later", "Enter")
    eventually(lambda: told(path).count("later") == 2, "and its last ones")
    server.jobs_have_begun()
    assert os.listdir(folder) == [name]
    for place in (server.folder, "/"):
        assert not os.path.exists(os.path.join(place, "ran"))
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    server.tmux("kill-session", "-t", "=job")
    eventually(lambda: holders(path) == [], "the file is closed, and what wrote to it is gone")


def test_what_ends_at_once_is_there_too_and_a_file_is_appended_to(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = os.path.join(server.folder, "log")
    Path(path).write_text("before\n")
    os.chmod(path, 0o644)
    quick = LastWords(server, "echo quick", "quick")
    judged_when(monkeypatch, quick.hear)
    assert task(server, path, ("sh", "-c", quick.command))[1] is None
    eventually(lambda: "quick" in told(path), "it is there")
    assert told(path).startswith("before\n") and stat.S_IMODE(os.stat(path).st_mode) == 0o600
    server.tmux("kill-session", "-t", "=job")
    eventually(lambda: holders(path) == [], "the file is closed")


def test_a_session_that_is_there_is_logged_from_then_on(server: World) -> None:
    """Check, run, check, run; then another file."""
    server.new("job", "sh", "-c", "while read x; do echo $x; done")
    server.tmux("set-option", "-w", "-t", "=job:", "remain-on-exit", "on")
    one, two = (os.path.join(server.folder, name) for name in ("one", "two"))
    for path, was in ((one, None), (two, one)):
        said, error = task(server, path, check=True)
        assert (error, said["changed"], os.path.exists(path)) == (None, True, False)
        said, error = task(server, path)
        assert (error, said["changed"], said["created"]) == (None, True, [])
        (change,) = said["updated"][0]["changes"]
        assert (change["what"], change["declared"], change["found"]) == ("log", path, was)
        for check in (True, False):
            again, error = task(server, path, check=check)
            assert (error, again["changed"]) == (None, False)
        server.tmux("send-keys", "-t", "=job:", os.path.basename(path), "Enter")
        eventually(functools.partial(tells, path, os.path.basename(path)), "it is written there")
    assert "two" not in told(one)
    eventually(lambda: holders(one) == [], "it is not written to any more")


def waited_log(world: World) -> Optional[str]:
    """What tmux_session_wait says of the log of a session that still runs."""
    seen = look_at(Host(world.binary, PATIENCE, Directory(PATIENCE)), world.path)
    said, _error = wait_for(seen, Wish(["job"]), 0, False, True)
    log: Optional[str] = said["sessions"][0]["log"]
    return log


def test_a_pipe_of_its_users_own_is_left_and_told(server: World) -> None:
    """Before there is a log, and in the place of one; the session's word that it is logged is not believed then."""
    server.new("job", "sh", "-c", "while read x; do echo $x; done")
    server.tmux("set-option", "-w", "-t", "=job:", "remain-on-exit", "on")
    path, own = (os.path.join(server.folder, name) for name in ("log", "own"))
    for logged_before in (False, True):
        if logged_before:
            server.tmux("pipe-pane", "-t", "=job:")
            assert task(server, path)[0]["changed"] and waited_log(server) == path
        server.tmux("pipe-pane", "-t", "=job:", "exec cat >> " + own)
        eventually(lambda: holders(own) != [], "it writes")
        eventually(lambda: holders(path) == [], "it is not written to any more")
        for check in (True, False):
            said, error = task(server, path, check=check)
            assert (error, said["changed"]) == (None, False)
            (drifted,) = said["drift"]
            assert [drifted[key] for key in ("what", "declared", "found")] == ["log", path, "another pipe-pane"]
            assert "what session 'job' prints goes to another pipe-pane" in "".join(said["warned"])
        assert waited_log(server) is None
        word = "word %s" % logged_before
        server.tmux("send-keys", "-t", "=job:", word, "Enter")
        eventually(functools.partial(tells, own, word), "it is written there still")
    server.tmux("pipe-pane", "-t", "=job:")
    assert waited_log(server) is None, "nothing is written"


def test_a_log_that_was_deleted_is_begun_anew(server: World) -> None:
    path = os.path.join(server.folder, "log")
    assert task(server, path)[1] is None
    eventually(lambda: "first" in told(path), "its first words are there")
    os.unlink(path)
    assert waited_log(server) is None
    said, error = task(server, path)
    assert (error, said["changed"]) == (None, True)
    assert waited_log(server) == path
    server.tmux("send-keys", "-t", "=job:", "later", "Enter")
    eventually(lambda: "later" in told(path), "it is written there")


def test_check_mode_promises_the_same_options_with_a_log(server: World) -> None:
    path = os.path.join(server.folder, "log")
    promised, done, again = task(server, path, check=True)[0], task(server, path)[0], task(server, path, check=True)[0]
    assert [[item["options"] for item in said["sessions"]] for said in (promised, done, again)] == [[{}, {}]] * 3


LINES = 20000
PRINTS = 'stty -onlcr; i=0; while [ $i -lt %d ]; do i=$((i + 1)); echo "line $i of many"; done; read x; echo $x' % LINES
LAST = "line %d of many\n" % LINES
PRINTED = "".join("line %d of many\n" % number for number in range(1, LINES + 1))
SIZE = 256 * 1024


def test_a_log_of_limited_size_has_the_last_of_it_in_order(server: World) -> None:
    """What is in the two files is what was printed: nothing is lost, or twice, where one ends and the other begins."""
    path = os.path.join(server.folder, "log")
    assert SIZE < len(PRINTED) < 2 * SIZE - 4096
    assert task(server, path, ("sh", "-c", PRINTS), size=SIZE)[1] is None
    eventually(lambda: tells(path, LAST), "its last line is there")
    assert told(path + ".1") + told(path) == PRINTED
    for one in (path, path + ".1"):
        assert os.path.getsize(one) <= SIZE and stat.S_IMODE(os.stat(one).st_mode) == 0o600
    assert waited_log(server) == path
    again, error = task(server, path, ("sh", "-c", PRINTS), size=SIZE)
    assert (error, again["changed"]) == (None, False), "it is seen to be written"
    server.tmux("send-keys", "-t", "=job:", "later", "Enter")
    eventually(lambda: tells(path, "later"), "each line is written at once")
    server.tmux("kill-session", "-t", "=job")
    eventually(lambda: holders(path) + holders(path + ".1") == [], "the file is closed, and what wrote to it is gone")


def test_what_is_put_aside_again_and_again_is_whole(absent: World) -> None:
    """Each older file is kept here, by a name of its own, before the next one takes its place."""
    path = os.path.join(absent.folder, "log")
    tools = Path(absent.folder) / "tools"
    tools.mkdir()
    kept = tools / "mv"
    kept.write_text('#!/bin/sh\n/bin/mv "$@" && ln "$3" "%s/$(date +%%s%%N)"\n' % tools)
    kept.chmod(0o700)
    absent.run("-f", "/dev/null", "new-session", "-d", "exec cat", PATH="%s:/usr/bin:/bin" % tools)
    assert task(absent, path, ("sh", "-c", PRINTS), size=65536)[1] is None
    eventually(lambda: tells(path, LAST), "its last line is there")
    older = sorted(one for one in tools.iterdir() if one != kept)
    assert "".join(one.read_text(encoding="utf-8") for one in older) + told(path) == PRINTED
    assert len(older) == len(PRINTED) // 65536


def test_where_no_older_file_can_be_the_log_goes_on(server: World) -> None:
    """Where somebody has put a directory there meanwhile."""
    path = os.path.join(server.folder, "log")
    assert task(server, path, ("sh", "-c", "read x; " + PRINTS), size=65536)[1] is None
    os.mkdir(path + ".1")
    server.tmux("send-keys", "-t", "=job:", "Enter")
    eventually(lambda: tells(path, LAST), "its last line is there")
    assert (told(path), os.listdir(path + ".1")) == ("\n" + PRINTED, [])


def test_a_log_of_limited_size_that_was_deleted_is_begun_anew(server: World) -> None:
    path = os.path.join(server.folder, "log")
    assert task(server, path, size=65536)[1] is None
    eventually(lambda: "first" in told(path), "its first words are there")
    os.unlink(path)
    assert waited_log(server) is None
    said, error = task(server, path, size=65536)
    assert (error, said["changed"]) == (None, True)
    assert waited_log(server) == path


def test_one_that_is_put_aside_by_others_is_begun_anew_by_itself(server: World) -> None:
    """As a logrotate does, of which nobody here knows."""
    path = os.path.join(server.folder, "log")
    assert task(server, path, ("sh", "-c", "echo first; read x; " + PRINTS), size=SIZE)[1] is None
    eventually(lambda: tells(path, "first"), "its first words are there")
    os.rename(path, path + ".others")
    Path(path).touch(0o600)
    server.tmux("send-keys", "-t", "=job:", "Enter")
    eventually(lambda: tells(path, "line %d of many" % LINES), "its last line is there")


def test_one_that_was_removed_stays_so(server: World) -> None:
    """Whoever cleans up after a session has removed it for good."""
    path = os.path.join(server.folder, "log")
    assert task(server, path, ("sh", "-c", "echo first; read x; " + PRINTS), size=SIZE)[1] is None
    eventually(lambda: tells(path, "first"), "its first words are there")
    os.unlink(path)
    server.tmux("send-keys", "-t", "=job:", "Enter", "Enter")
    ended = ("display-message", "-p", "-t", "=job:", "#{pane_dead}")
    eventually(lambda: server.reap() and server.tmux(*ended) == "1", "it has printed all")
    server.tmux("kill-session", "-t", "=job")
    eventually(lambda: holders(path) + holders(path + " (deleted)") == [], "what wrote to it is gone")
    assert not os.path.exists(path)


def test_a_session_that_is_there_has_a_log_of_limited_size_from_then_on(server: World) -> None:
    path = os.path.join(server.folder, "log")
    server.new("job", "sh", "-c", "read x; " + PRINTS)
    server.tmux("set-option", "-w", "-t", "=job:", "remain-on-exit", "on")
    for changes in (True, False):
        said, error = task(server, path, size=SIZE)
        assert (error, said["changed"]) == (None, changes)
    server.tmux("send-keys", "-t", "=job:", "Enter")
    eventually(lambda: tells(path, LAST), "its last line is there")
    assert os.path.getsize(path + ".1") <= SIZE


def linked(folder: str) -> str:
    os.symlink(os.path.join(folder, "aim"), os.path.join(folder, "log"))
    return os.path.join(folder, "log")


def hard_linked(folder: str) -> str:
    Path(folder, "aim").write_text("")
    os.link(os.path.join(folder, "aim"), os.path.join(folder, "log"))
    return os.path.join(folder, "log")


def fifo(folder: str) -> str:
    os.mkfifo(os.path.join(folder, "log"))
    return os.path.join(folder, "log")


def open_folder(folder: str) -> str:
    os.mkdir(os.path.join(folder, "open"))
    os.chmod(os.path.join(folder, "open"), 0o777 | stat.S_ISVTX)
    return os.path.join(folder, "open", "log")


def folder_itself(folder: str) -> str:
    os.mkdir(os.path.join(folder, "log"))
    return os.path.join(folder, "log")


REFUSED: List[Tuple[str, Callable[[str], str]]] = [
    ("cannot be opened", linked),
    ("one name", hard_linked),
    ("cannot be opened", fifo),
    ("may be written by others", open_folder),
    ("its directory is not there", lambda folder: os.path.join(folder, "none", "log")),
    ("cannot be opened", folder_itself),
]


@pytest.mark.parametrize(("why", "place"), REFUSED)
def test_what_is_not_its_owners_file_alone_is_refused(server: World, why: str, place: Callable[[str], str]) -> None:
    path = place(server.folder)
    for check in (True, False):
        said, error = task(server, path, check=check)
        assert why in str(error) and not said["changed"]
    assert server.ids() == ["$0"]
    assert not os.path.exists(os.path.join(server.folder, "aim")) or not told(os.path.join(server.folder, "aim"))
