# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log of the host tells of each removal before it is tried, and afterwards what came of it."""

import os
import signal
import socket
from typing import Any, Iterator, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import hands, survivors
from ansible_collections.fleet.tmux.plugins.module_utils._actions.journal import Journal
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove import remove_unchanged
from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive, Retention
from ansible_collections.fleet.tmux.plugins.module_utils._host.record import Record
from ansible_collections.fleet.tmux.tests.support.runs import Clock, Gently, item, only, perform, prepare
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE
from ansible_collections.fleet.tmux.tests.support.world import World


class Log:
    """A system log of our own."""

    def __init__(self, server: World) -> None:
        self.path = os.path.join(server.folder, "log")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)

    def gently(self, **more: Any) -> Gently:
        return Gently(journal=Journal(Record(self.path, "/nowhere/file"), "idle=0s protect=keep"))._replace(**more)

    def lines(self) -> List[str]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode("utf-8").partition("]: ")[2])
            except BlockingIOError:
                return found


@pytest.fixture
def log(server: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setattr(survivors, "ENDING_SECONDS", PATIENCE)
    Clock(monkeypatch).ahead = 10
    found = Log(server)
    yield found
    found.socket.close()


def of(server: World, identity: str, name: str) -> str:
    return 'session "%s" (%s) of %s: ' % (name, identity, prepare(server, Gently()).seen[0].server.user.name)


def test_each_removal_is_told_of_before_and_after(server: World, log: Log) -> None:
    kept, first = server.new("kept"), of(server, "$0", "first")
    server.tmux("set-option", "-t", kept, "@keep", "on")
    assert perform(server, log.gently(), check=True)["removed"] and log.lines() == []
    result = perform(server, log.gently())
    said, at = "idle: %s" % item(result, "first")["detail"], 'at "%s"' % server.path
    assert log.lines() == [
        "about to remove %s%s; %s; policy: idle=0s protect=keep" % (first, said, at),
        "removed %s%s; %s" % (first, said, at),
    ]
    assert not perform(server, log.gently())["changed"] and log.lines() == []


def test_it_says_where_a_session_was_saved(server: World, log: Log) -> None:
    path = item(perform(server, log.gently(archive=Archive(server.folder + "/saved", False, Retention()))), "first")[
        "snapshot"
    ]
    assert log.lines()[1].endswith('; saved in "%s"' % path)


def test_notice_is_told_of_when_it_is_given_and_taken_back(server: World, log: Log) -> None:
    first, at = of(server, "$0", "first"), 'at "%s"' % server.path
    result = perform(server, log.gently(notice=3600))
    said = item(result, "first")["detail"]
    (given,) = log.lines()
    assert given.startswith("gave notice of %sidle: %s; %s; goes after 20" % (first, said, at))
    assert not perform(server, log.gently(notice=3600))["changed"] and log.lines() == []
    server.tmux("set-option", "-t", "$0", "@keep", "on")
    perform(server, log.gently(notice=3600))
    assert log.lines() == ["took back notice of %skeep: @keep is on; %s" % (first, at)]


def test_what_lives_after_all_is_told_of_as_such(server: World, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    server.new("used")
    run = prepare(server, log.gently(), only("used"))

    def used_first(*words: Any) -> Any:
        server.tmux("new-window", "-t", "used")
        return remove_unchanged(*words)

    monkeypatch.setattr(hands, "remove_unchanged", used_first)
    run.finish()
    before, after = log.lines()
    assert before.startswith('about to remove session "used"')
    assert after.startswith('did not remove session "used"') and ": changed: something happened to it" in after


def test_a_run_that_is_killed_in_between_leaves_its_trace(
    server: World, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody hears of what it did, but the log says what it was about to do."""
    server.new("second")
    run = prepare(server, log.gently())

    def killed_then(*words: Any) -> Any:
        remove_unchanged(*words)
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(hands, "remove_unchanged", killed_then)
    pid = os.fork()
    if pid == 0:
        try:
            run.finish()
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
    assert server.ids() == []
    assert [line.partition(" (")[0] for line in log.lines()] == [
        'about to remove session "first"',
        'about to remove session "second"',
    ]


def test_no_name_makes_a_line_or_looks_like_the_rest_of_one(server: World, log: Log) -> None:
    name = 'x" ($9) of root, idle'
    identity = server.new(name)
    perform(server, log.gently(), only(name))
    before, after = log.lines()
    assert '"x\\" ($9) of root, idle" (%s) of ' % identity in before and '"x\\" ($9)' in after


def test_a_log_that_takes_nothing_costs_nothing_but_a_word(server: World, log: Log) -> None:
    log.socket.close()
    run = prepare(server, log.gently())
    assert [it["name"] for it in run.finish()["removed"]] == ["first"]
    (said,) = run.trouble
    assert said.startswith("not all was written to the system log (%s" % log.path)
