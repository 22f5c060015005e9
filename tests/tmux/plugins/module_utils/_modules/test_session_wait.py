# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was waited for is told as it is, and what nobody can know is told to be unknown."""

import os
import shlex
import time
import types
from typing import Any, Callable, List, Optional, Sequence, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import wait
from ansible_collections.fleet.tmux.plugins.module_utils._actions.wait import GONE_SERVER, LONGEST_FOR_TEXT, Wish
from ansible_collections.fleet.tmux.plugins.module_utils._host import endings
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._modules import session_wait
from ansible_collections.fleet.tmux.plugins.module_utils._modules.results import TaskError
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session_wait import Told, diff, wait_for
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.exits import NOT_KEPT
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

LONG = int(PATIENCE)


def kept(world: World, name: str, script: str) -> str:
    """A session whose panes stay, which runs a script as soon as it is let; its id."""
    identity = world.new(name, "sh", "-c", "read go; " + script)
    world.tmux("set-option", "-w", "-t", identity + ":", "remain-on-exit", "on")
    return identity


def let(world: World, identity: str) -> None:
    world.tmux("send-keys", "-t", identity + ":", "Enter")


def shown(world: World, identity: str, words: str) -> Callable[[], None]:
    """Let it, and let it again when it has shown that: the kernel may lose what a command says at its very end."""

    def lets() -> None:
        let(world, identity)
        eventually(lambda: words in world.tmux("capture-pane", "-p", "-t", identity + ":"), "it says %s" % words)
        let(world, identity)

    return lets


def waited(
    world: World, *names: str, seconds: int = LONG, fails: bool = True, check: bool = False, **wish: Any
) -> Told:
    seen = look_at(Host(world.binary, PATIENCE, Directory(PATIENCE)), world.path)
    return wait_for(seen, Wish(names, **wish), seconds, fails, check)


def meanwhile(monkeypatch: pytest.MonkeyPatch, *actions: Callable[[], Any]) -> List[float]:
    """Do these things, one each time that we begin to wait; the intervals for which we did."""
    todo, intervals = list(actions), []
    original = endings.until_one_ends

    def instead(processes: Sequence[Process], seconds: float) -> List[Process]:
        intervals.append(seconds)
        if todo:
            todo.pop(0)()
        return original(processes, seconds)

    monkeypatch.setattr(endings, "until_one_ends", instead)
    return intervals


class Passed(List[float]):
    """The intervals that have passed; ``then``: what happens in each."""

    then: Callable[[], None] = staticmethod(lambda: None)


def without_waiting(monkeypatch: pytest.MonkeyPatch) -> Passed:
    """Let time pass only where we wait for something; nothing ends meanwhile."""
    passed = Passed()
    # Not since this machine was started: how sums of seconds are rounded would be decided by that.
    clock = types.SimpleNamespace(monotonic=lambda: sum(passed), time=time.time)
    for room in (wait, session_wait):
        monkeypatch.setattr(room, "time", clock)

    def instead(_processes: Sequence[Process], seconds: float) -> List[Process]:
        passed.append(seconds)
        passed.then()
        return []

    monkeypatch.setattr(endings, "until_one_ends", instead)
    return passed


def calls(monkeypatch: pytest.MonkeyPatch) -> List[object]:
    """What tmux is asked from now on."""
    asked: List[object] = []
    original = Client.call

    def instead(client: Client, *args: Any, **kwargs: Any) -> bytes:
        asked.append(args)
        return original(client, *args, **kwargs)

    monkeypatch.setattr(Client, "call", instead)
    return asked


def test_the_exit_status_and_the_last_words_are_told(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = kept(server, "job", "stty -echo; printf 'one\\ntwo\\n'; read go; exit 3")
    intervals = meanwhile(monkeypatch, lambda: None, lambda: None, shown(server, job, "two"))
    told, error = waited(server, "job", lines=2)
    (item,) = told["sessions"]
    assert (error, told["timed_out"], told["changed"]) == (None, False, False)
    assert (item["name"], item["id"], item["done"], item["ended"], item["gone"]) == ("job", job, True, True, False)
    assert (item["exit_status"], item["signal"], item["matched"]) == (3, None, None)
    assert (item["content"], item["reason"]) == ("one\ntwo", ""), "without what tmux writes below it"
    assert item["seconds"] >= 0 and item["pane"] == server.session(job).panes[0].id
    assert intervals[:3] == [0.1, 0.2, 0.4]
    again, error = waited(server, "job", lines=2)
    assert error is None and dict(again["sessions"][0], seconds=0, reason="") == dict(item, seconds=0)
    if server.version.at_least(3, 3):
        assert again["sessions"][0]["seconds"] == item["seconds"]
    else:
        assert (again["sessions"][0]["seconds"], "does not tell when" in again["sessions"][0]["reason"]) == (None, True)


def test_a_last_line_without_an_end_is_told_and_found_as_it_is(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a full screen tmux writes its own words into that very line."""
    job = kept(server, "job", "stty -echo; seq 100; printf 'all is done'; read go")
    meanwhile(monkeypatch, shown(server, job, "all is done"))
    told, error = waited(server, "job", lines=2)
    assert (error, told["sessions"][0]["content"]) == (None, "100\nall is done")
    told, error = waited(server, "job", pattern="^all is done$")
    assert (error, told["sessions"][0]["matched"]) == (None, True)


def test_a_signal_is_told_where_tmux_knows_it(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = kept(server, "job", "true")
    meanwhile(monkeypatch, lambda: os.kill(server.session(job).pids[0], 9))
    told, error = waited(server, "job")
    (item,) = told["sessions"]
    assert (error, item["exit_status"], item["ended"]) == (None, None, True)
    if server.version.at_least(3, 3):
        assert item["signal"] in ("9", "kill", "KILL") and item["reason"] == ""
    else:
        assert (item["signal"], "before 3.3" in item["reason"]) == (None, True)


def test_of_several_panes_that_which_failed_is_told(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = kept(server, "job", "exit 0")
    server.tmux("split-window", "-d", "-t", job + ":", "read go; exit 5")
    bad = server.session(job).panes[1].id
    meanwhile(monkeypatch, lambda: let(server, job), lambda: server.tmux("send-keys", "-t", bad, "Enter"))
    told, error = waited(server, "job")
    assert error is None
    assert (told["sessions"][0]["exit_status"], told["sessions"][0]["pane"]) == (5, bad)


LEAVES_ITS_TERMINAL = (
    "trap '' HUP; exec <&- >&- 2>&-; while test -d {0} && test ! -e {0}/go; do sleep 0.1; done; exit 4"
)


def test_who_has_only_closed_its_terminal_has_not_ended(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """tmux before 3.7 calls its pane dead."""
    job = kept(server, "job", LEAVES_ITS_TERMINAL.format(server.folder))
    (pid,) = server.session(job).pids
    let(server, job)
    eventually(lambda: not set(os.listdir("/proc/%d/fd" % pid)) & {"0", "1", "2"}, "it is closed")
    if not server.version.at_least(3, 7):
        eventually(lambda: server.session(job).panes[0].dead, "tmux takes it for dead")
    passed = without_waiting(monkeypatch)

    def then() -> None:
        if len(passed) == 9:
            open(os.path.join(server.folder, "go"), "w").close()
            eventually(lambda: server.reap() and server.session(job).panes[0].status is not None, "it has ended")

    passed.then = then
    told, error = waited(server, "job")
    assert (error, told["sessions"][0]["exit_status"], told["sessions"][0]["ended"], len(passed)) == (None, 4, True, 9)


def test_a_known_failure_is_told_rather_than_an_end_of_which_nothing_is_known(server: World) -> None:
    """Before 3.3 tmux tells of no signal."""
    job = kept(server, "job", "kill -9 $$")
    server.tmux("split-window", "-d", "-t", job + ":", "exit 5")
    let(server, job)
    told, error = waited(server, "job")
    (item,) = told["sessions"]
    told_first = server.version.at_least(3, 3)
    assert error is None
    assert (item["exit_status"], item["signal"] is not None) == ((None, True) if told_first else (5, False))


def test_what_was_not_kept_is_gone_with_its_status(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = server.new("job", "sh", "-c", "read go; exit 3")
    meanwhile(monkeypatch, lambda: let(server, job))
    told, error = waited(server, "job")
    (item,) = told["sessions"]
    assert (error, item["ended"], item["gone"], item["exit_status"], item["content"]) == (None, True, True, None, None)
    assert item["reason"] == NOT_KEPT and item["seconds"] >= 0


@pytest.mark.parametrize("until", ["ended", "gone"])
def test_a_server_that_goes_away_is_told(server: World, monkeypatch: pytest.MonkeyPatch, until: str) -> None:
    kept(server, "job", "true")
    meanwhile(monkeypatch, lambda: os.kill(server.pid(), 9))
    told, error = waited(server, "job", until=until)
    (item,) = told["sessions"]
    assert (error, item["gone"], item["exit_status"], item["reason"]) == (None, True, None, GONE_SERVER)


def test_who_is_missing_is_not_waited_for_when_the_others_are_over(server: World) -> None:
    """There is nothing more to wait for, so the time for that is not waited."""
    job = kept(server, "job", "exit 0")
    let(server, job)
    eventually(lambda: server.reap() and server.session(job).panes[0].status == 0, "it has ended")
    told, error = waited(server, "job", "missing", pattern="never", all=False)
    assert not told["timed_out"] and "not to be waited for: 'missing'" in str(error)
    assert [item["done"] for item in told["sessions"]] == [True, False]


def test_one_that_takes_the_name_is_not_waited_for(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its command also outlives it: nothing but the session itself ends."""
    job = server.new("job", "sh", "-c", 'trap "" HUP; while [ -d "$0" ]; do sleep 0.1; done', server.folder)

    def exchange() -> None:
        server.tmux("kill-session", "-t", job)
        server.new("job")

    meanwhile(monkeypatch, exchange)
    told, error = waited(server, "job", until="gone")
    assert (error, told["sessions"][0]["id"], told["sessions"][0]["gone"]) == (None, job, True)


def test_a_session_with_dead_panes_is_not_gone_before_it_is(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = kept(server, "job", "exit 4")
    let(server, job)
    eventually(lambda: server.reap() and server.session(job).panes[0].status == 4, "it has ended")
    meanwhile(monkeypatch, lambda: None, lambda: server.tmux("kill-session", "-t", job))
    told, error = waited(server, "job", until="gone")
    (item,) = told["sessions"]
    assert (error, item["gone"], item["exit_status"]) == (None, True, 4), "what was seen of it is not lost"


def test_what_is_not_there(server: World) -> None:
    for seconds in (0, LONG):
        told, error = waited(server, "none", "first", seconds=seconds)
        assert "'none'; there is no session of that name" in str(error) and not told["timed_out"]
        assert [item["ended"] for item in told["sessions"]] == [None, False]
    told, error = waited(server, "none", until="gone")
    assert (error, told["sessions"][0]["done"], told["sessions"][0]["id"]) == (None, True, None)
    assert waited(server, "none", check=True)[1] is None
    assert "no session" in str(waited(server, "none", all=False)[1])
    server.stop()
    assert waited(server, "first", until="gone")[1] is None
    assert "no session" in str(waited(server, "first")[1])


def test_any_of_several(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = kept(server, "job", "exit 1")
    meanwhile(monkeypatch, lambda: let(server, job))
    told, error = waited(server, "first", "none", "job", all=False)
    assert (error, told["timed_out"]) == (None, False)
    assert [item["done"] for item in told["sessions"]] == [False, False, True]


@pytest.mark.parametrize(("script", "seen"), [("echo; echo it is ready now; read go", True), ("exit 2", False)])
def test_a_pattern(server: World, monkeypatch: pytest.MonkeyPatch, script: str, seen: bool) -> None:
    job = kept(server, "job", script)
    meanwhile(monkeypatch, lambda: let(server, job))
    told, error = waited(server, "job", pattern="^it is r.*w$")
    (item,) = told["sessions"]
    assert (item["matched"], item["done"], item["ended"]) == (seen, True, not seen)
    assert ("exit status 2, and did not show" in str(error)) is not seen
    assert not seen or item["content"].endswith("it is ready now")
    assert item["exit_status"] == (None if seen else 2)


def test_what_is_too_late_fails_unless_that_is_no_failure(server: World) -> None:
    for fails in (True, False):
        told, error = waited(server, "first", seconds=0, fails=fails)
        assert (told["timed_out"], told["sessions"][0]["done"], told["sessions"][0]["content"]) == (True, False, "")
        assert (str(error) == "timed out after 0s, still waiting for 'first'") is fails


def test_check_mode_does_not_wait(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    intervals = meanwhile(monkeypatch)
    told, error = waited(server, "first", check=True)
    assert (error, told["timed_out"], told["sessions"][0]["ended"], intervals) == (None, False, False, [])


@pytest.mark.parametrize("pattern", [None, "never"])
def test_tmux_is_hardly_asked_while_nothing_happens(
    server: World, monkeypatch: pytest.MonkeyPatch, pattern: Optional[str]
) -> None:
    """Ten minutes, of which none is waited for really."""
    kept(server, "job", "true")
    passed = without_waiting(monkeypatch)
    asked = calls(monkeypatch)
    told, _error = waited(server, "job", seconds=600, pattern=pattern)
    assert told["timed_out"] and told["elapsed"] == 600
    assert 600 <= round(sum(passed), 3) < 601
    assert 0 < len(asked) < 40, "a look takes two calls, and there is one every minute, and some at first"


def test_panes_are_looked_at_as_soon_as_something_was_printed(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = kept(server, "job", "stty -echo; echo other; read go; echo it is ready; read go")
    passed = without_waiting(monkeypatch)

    def printing() -> None:
        if len(passed) == 30:
            let(server, job)
            eventually(lambda: "other" in server.tmux("capture-pane", "-p", "-t", job + ":"), "it says other")
        if len(passed) == 60:
            assert sum(passed) < 90
            let(server, job)
            eventually(lambda: "ready" in server.tmux("capture-pane", "-p", "-t", job + ":"), "it says ready")

    passed.then = printing
    told, error = waited(server, "job", pattern="^it is ready$", seconds=3600)
    assert error is None and told["sessions"][0]["matched"] is True
    assert len(passed) == 60, "and not a look later"


def test_panes_are_looked_at_often_where_nobody_is_told_what_a_server_reads(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proctable, "io", lambda _pid: None)
    passed = without_waiting(monkeypatch)
    asked = calls(monkeypatch)
    told, _error = waited(server, "first", seconds=600, pattern="never")
    assert told["timed_out"] and max(passed) == LONGEST_FOR_TEXT
    assert 2 * 600 / LONGEST_FOR_TEXT <= len(asked) < 300


def test_a_pattern_without_an_end_is_refused(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "SEARCH_SECONDS", 1.0)
    job = kept(server, "job", "true")
    server.tmux("send-keys", "-t", job + ":", "-l", "a" * 60 + "b")
    eventually(lambda: "ab" in server.tmux("capture-pane", "-p", "-t", job + ":"), "it was typed")
    with pytest.raises(TaskError) as refused:
        waited(server, "job", pattern="^(a+)+$")
    assert str(refused.value).startswith("wait_for: '^(a+)+$' was looked for 1 s without an end; write it without")


SHAPES: List[Tuple[str, str]] = [("\\033[31mred\\033[0m\\007", "red"), ("\\001x\\177", "x")]


@pytest.mark.parametrize(("printed", "told"), SHAPES)
def test_what_was_printed_is_harmless(server: World, monkeypatch: pytest.MonkeyPatch, printed: str, told: str) -> None:
    job = kept(server, "job", "stty -echo; printf '%s\\n'; read go; exit 0" % printed)
    meanwhile(monkeypatch, shown(server, job, told))
    content = waited(server, "job")[0]["sessions"][0]["content"]
    assert content.strip() == told and content.replace("\n", "").isprintable()


# --- files that go with them


def going(world: World, identity: str, *names: str) -> List[str]:
    """Files that are there, and go with a session; their paths."""
    paths = [os.path.join(world.folder, name) for name in names]
    for path in paths:
        with open(path, "w", encoding="utf-8"):
            pass
    world.tmux("set-option", "-t", identity, "@fleet_tmux_cleanup", " ".join(["1", *("file=" + it for it in paths)]))
    return paths


def there(paths: Sequence[str]) -> List[str]:
    return [path for path in paths if os.path.exists(path)]


def files_of(told: Told) -> List[List[str]]:
    return [item["removed_files"] for item in told[0]["sessions"]]


def has_ended(world: World, identity: str) -> None:
    let(world, identity)
    eventually(lambda: world.reap() and world.session(identity).panes[0].dead, "it has ended")


def test_what_goes_with_one_that_has_ended_is_removed_once(server: World) -> None:
    job = kept(server, "job", "exit 3")
    paths = going(server, job, "a", "b")
    told = waited(server, "job", check=True)
    assert (told[0]["changed"], files_of(told), there(paths)) == (False, [[]], paths), "it runs"
    has_ended(server, job)
    checked = waited(server, "job", check=True)
    assert (checked[0]["changed"], files_of(checked), there(paths)) == (True, [paths], paths)
    told = waited(server, "job")
    assert (told[1], told[0]["changed"], files_of(told), there(paths)) == (None, True, [paths], [])
    assert told[0]["sessions"][0]["more"] == {"removed_files": 0, "left_files": 0}
    assert diff(checked[0]) == diff(told[0]) == {"before": {"files": paths}, "after": {"files": []}}
    for check in (True, False):
        again = waited(server, "job", check=check)
        assert (again[1], again[0]["changed"], files_of(again)) == (None, False, [[]])


def test_what_goes_with_one_that_is_gone_is_known_from_before(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = server.new("job", "sh", "-c", "read go; exit 3")
    paths = going(server, job, "a")
    meanwhile(monkeypatch, lambda: let(server, job))
    told = waited(server, "job")
    assert (told[1], told[0]["changed"], files_of(told), there(paths)) == (None, True, [paths], [])


def test_and_that_of_one_whose_server_has_ended(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another server has come to its socket, and a session of the same id, with which it goes too."""
    job = kept(server, "job", "true")
    paths = going(server, job, "a", "b")

    def another() -> None:
        os.kill(server.pid(), 9)
        eventually(lambda: server.run("list-sessions").returncode, "it has ended")
        os.unlink(server.path)
        server.start()
        server.new("job", "cat")
        assert server.tmux("list-sessions", "-F", "#{session_id}").split() == ["$0", "$1"]
        going(server, "$1", "b")

    meanwhile(monkeypatch, another)
    told = waited(server, "job")
    assert (told[1], files_of(told), there(paths)) == (None, [paths[:1]], paths[1:])
    assert told[0]["sessions"][0]["left_files"] == [{"path": paths[1], "reason": "session 'job' has it, too"}]


def test_of_one_that_lives_on_in_a_session_of_its_group_they_stay(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = kept(server, "job", "exit 0")
    paths = going(server, job, "a")
    server.tmux("new-session", "-d", "-t", job, "-s", "peer")
    meanwhile(monkeypatch, lambda: server.tmux("kill-session", "-t", job))
    told = waited(server, "job")
    assert (told[1], told[0]["sessions"][0]["gone"], files_of(told), there(paths)) == (None, True, [[]], paths)
    peer = server.tmux("display-message", "-p", "-t", "=peer:", "#{session_id}")
    has_ended(server, peer)
    going(server, peer, "a")
    assert files_of(waited(server, "peer")) == [paths]


def without_saying_where(world: World, script: str) -> Tuple[str, str, str]:
    """A session of two panes that do not say in which one they were begun; its id, and theirs."""
    words = ("env", "-u", "TMUX", "sh", "-c", "read go; " + script)
    job = world.new("job", *words)
    world.tmux("set-option", "-w", "-t", job + ":", "remain-on-exit", "on")
    own = world.tmux("list-panes", "-t", job + ":", "-F", "#{pane_id}")
    other = world.tmux(
        "split-window", "-d", "-P", "-F", "#{pane_id}", "-t", job + ":", " ".join(map(shlex.quote, words))
    )
    return job, own, other


LIVES_ON = "lives on in session 'first'"


def test_what_was_moved_to_another_session_has_not_ended(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = kept(server, "job", "exit 0")
    paths = going(server, job, "a")
    meanwhile(monkeypatch, lambda: server.tmux("join-pane", "-d", "-s", job + ":", "-t", "=first:"))
    told, error = waited(server, "job")
    (item,) = told["sessions"]
    assert (error, item["done"], item["gone"], item["ended"]) == (None, True, True, False)
    assert item["reason"] == "what ran there " + LIVES_ON
    assert (told["changed"], item["removed_files"], there(paths)) == (False, [], paths)


@pytest.mark.parametrize("end", ["Enter", "kill"])
def test_nor_go_its_files_while_a_part_of_it_lives_on_elsewhere(
    server: World, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    job, own, other = without_saying_where(server, "exit 0")
    paths = going(server, job, "a")

    def ends() -> None:
        server.tmux(*(("kill-pane", "-t", own) if end == "kill" else ("send-keys", "-t", own, "Enter")))

    meanwhile(monkeypatch, lambda: server.tmux("join-pane", "-d", "-s", other, "-t", "=first:"), ends)
    told, error = waited(server, "job")
    (item,) = told["sessions"]
    assert (error, item["ended"], item["gone"]) == (None, True, end == "kill")
    assert item["left_files"] == [{"path": paths[0], "reason": "what runs there " + LIVES_ON}] and there(paths) == paths


def test_of_what_is_declared_meanwhile_the_last_counts(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = kept(server, "job", "exit 0")
    before, now = going(server, job, "a"), []
    meanwhile(monkeypatch, lambda: now.extend(going(server, job, "b")), lambda: let(server, job))
    assert files_of(waited(server, "job")) == [now] and there(before) == before


def test_when_the_time_is_over_nothing_is_removed(server: World) -> None:
    one, two = kept(server, "one", "exit 0"), kept(server, "two", "exit 0")
    paths = going(server, one, "a") + going(server, two, "b")
    has_ended(server, one)
    told = waited(server, "one", "two", seconds=0, fails=False)
    assert (told[0]["timed_out"], told[0]["changed"], there(paths)) == (True, False, paths)
    told = waited(server, "one", "two", seconds=0, all=False)
    assert (told[1], files_of(told), there(paths)) == (None, [paths[:1], []], paths[1:]), "the other one has not ended"


def test_nor_when_one_is_missing_or_shows_what_is_waited_for_and_goes_on(server: World) -> None:
    one = kept(server, "one", "exit 0")
    two = server.new("two", "sh", "-c", "echo ready; exec cat")
    paths = going(server, one, "a") + going(server, two, "b")
    has_ended(server, one)
    assert waited(server, "one", "missing")[1] is not None and there(paths) == paths
    told = waited(server, "two", pattern="ready")
    assert (told[1], told[0]["changed"], there(paths)) == (None, False, paths)
    told = waited(server, "one", pattern="never")
    assert told[1] is not None and files_of(told) == [paths[:1]], "it has ended, and is seen to have"


def test_until_it_is_gone_they_stay(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = kept(server, "job", "exit 0")
    paths = going(server, job, "a")
    has_ended(server, job)
    assert waited(server, "job", until="gone", seconds=0, fails=False)[0]["timed_out"] and there(paths) == paths
    meanwhile(monkeypatch, lambda: server.tmux("kill-session", "-t", job))
    told = waited(server, "job", until="gone")
    assert (told[1], files_of(told), there(paths)) == (None, [paths], [])


def test_what_is_left_is_warned_of(server: World) -> None:
    job = kept(server, "job", "exit 0")
    os.mkdir(os.path.join(server.folder, "folder"))
    path = os.path.join(server.folder, "folder")
    server.tmux("set-option", "-t", job, "@fleet_tmux_cleanup", "1 file=" + path)
    has_ended(server, job)
    told, error = waited(server, "job")
    assert (error, told["changed"]) == (None, False)
    assert told["sessions"][0]["left_files"] == [{"path": path, "reason": "it is neither a file nor a link"}]
    assert told["trouble"] == ["cleanup of session 'job': 1 file is still there, see left_files"]
