# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A session is marked before it is removed, and lives when anything at all happens in between."""

import os
import signal
import sys
import time
from typing import Any, Callable, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils import _proctable as proctable
from ansible_collections.fleet.tmux.plugins.module_utils import _survivors as survivors
from ansible_collections.fleet.tmux.plugins.module_utils._model import NOTICE_OPTION, Session
from ansible_collections.fleet.tmux.plugins.module_utils._notice import (
    Effort,
    Mark,
    effort,
    new_mark,
    read_mark,
    with_notice,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy import Verdict, newest_clock
from ansible_collections.fleet.tmux.plugins.module_utils._prune import Manner
from ansible_collections.fleet.tmux.tests.unit import make
from ansible_collections.fleet.tmux.tests.unit.runs import (
    EVERYTHING,
    Clock,
    finish,
    item,
    marked,
    only,
    perform,
    prepare,
    seen,
    settled,
    told,
)
from ansible_collections.fleet.tmux.tests.unit.world import PATIENCE, World, eventually
from hypothesis import given
from hypothesis import strategies as st

NOW = make.NOW
NOTICE = Manner(notice=3600)
REMOVE = Verdict("remove", "idle", "idle for 16m 40s")
numbers = st.integers(0, 10**15 - 1)
efforts = st.builds(Effort, numbers, numbers, st.text("0123456789abcdef", min_size=16, max_size=16))


# --- pure -------------------------------------------------------------------------------------------------------------


@given(efforts, numbers, st.integers(0, 10**9))
def test_a_mark_is_read_as_it_was_written(used: Effort, now: int, notice: int) -> None:
    mark = new_mark(used, min(now, 10**14), notice)
    assert read_mark(mark.written()) == mark
    assert set(mark.written()) <= set("0123456789abcdef "), "nothing in it may need quotes"


GARBAGE = [
    "",
    "on",
    "1",
    "1 2 3 4 5",
    "2 1 2 3 4 0123456789abcdef",
    "1 1 2 3 4 0123456789abcdef ",
    "1 1 2 3 4 0123456789abcdef\n",
    "1 1 2 3 4 0123456789abcde",
    "1 -1 2 3 4 0123456789abcdef",
    "1 \u00b2 2 3 4 0123456789abcdef",  # isdigit() says yes, int() says no
    "1 \u0661 2 3 4 0123456789abcdef",
    "1 %s 2 3 4 0123456789abcdef" % ("9" * 5000),  # int() takes no more than 4300 digits
    "1 1 2 3 %s 0123456789abcdef" % ("9" * 5000),
]


@pytest.mark.parametrize("text", GARBAGE)
def test_what_nobody_of_us_has_written_is_no_mark(text: str) -> None:
    assert read_mark(text) is None


@given(st.lists(st.one_of(st.text(max_size=8), numbers.map(str)), max_size=8))
def test_whatever_an_owner_writes_is_read_or_is_no_mark(words: List[str]) -> None:
    found = read_mark(" ".join(words))
    assert found is None or found.written() == " ".join(str(int(word)) for word in words[:5]) + " " + words[5]


def ask(mark: Mark, now: int, used: Optional[Effort] = None, **more: Any) -> Verdict:
    session = make.session(notice=mark.written(), **more)
    used = used or Effort(mark.cpu_ticks, mark.io_calls, mark.processes)
    return with_notice(session, REMOVE, used, now, 3600)


MARK = Mark(NOW - 500, NOW + 100, 70, 80, "0123456789abcdef")


@pytest.mark.parametrize(
    ("now", "action", "reason"),
    [
        (MARK.given, "keep", "notice"),
        (NOW, "keep", "notice"),
        (MARK.deadline - 1, "keep", "notice"),
        (MARK.deadline, "remove", "idle"),
        (MARK.deadline + 10**6, "remove", "idle"),
    ],
)
def test_a_session_goes_at_its_deadline_and_not_before(now: int, action: str, reason: str) -> None:
    assert ask(MARK, now)[:2] == (action, reason)
    assert ask(MARK, now).unmark is False


def clocks_at(moment: int) -> List[Session]:
    window = make.window(activity=moment)
    return [
        make.session(activity=moment),
        make.session(last_attached=moment),
        make.session(client_activity=moment),
        make.session("work", make.window(), window),
        make.session(created=moment),
    ]


@pytest.mark.parametrize("which", range(5))
@given(later=st.integers(0, 10**6), now=st.integers(MARK.given, MARK.deadline + 10**6))
def test_any_clock_that_moved_cancels_a_mark(which: int, later: int, now: int) -> None:
    session = clocks_at(MARK.given + later)[which]._replace(notice=MARK.written())
    found = with_notice(session, REMOVE, Effort(70, 80, MARK.processes), now, 3600)
    assert (found.action, found.reason, found.unmark) == ("keep", "active", True)
    quiet = clocks_at(MARK.given - 1)[which]._replace(notice=MARK.written())
    assert with_notice(quiet, REMOVE, Effort(70, 80, MARK.processes), now, 3600).reason in ("idle", "notice")


@pytest.mark.parametrize("now", [NOW, MARK.deadline, MARK.deadline + 1000])
@pytest.mark.parametrize(
    "used",
    [
        Effort(71, 80, MARK.processes),
        Effort(70, 81, MARK.processes),
        Effort(70, 80, "f" * 16),
        Effort(0, 0, "f" * 16),
    ],
)
def test_work_cancels_a_mark(used: Effort, now: int) -> None:
    found = ask(MARK, now, used)
    assert (found.action, found.reason, found.unmark) == ("keep", "active", True)


def test_without_a_mark_or_with_one_from_the_future_notice_is_given() -> None:
    ahead = MARK._replace(given=NOW + 1)
    for text in [*GARBAGE, ahead.written()]:
        found = with_notice(make.session(notice=text), REMOVE, Effort(70, 80, MARK.processes), NOW, 3600)
        assert (found.action, found.reason, found.unmark) == ("mark", "idle", False)
        assert "1h" in found.detail


@pytest.mark.parametrize("notice", [None, 3600])
@pytest.mark.parametrize("text", ["", "garbage", MARK.written()])
def test_a_mark_is_taken_back_from_who_stays_and_only_from_them(text: str, notice: Optional[int]) -> None:
    kept = with_notice(make.session(notice=text), Verdict("keep", "attached", ""), MARK_EFFORT, NOW, notice)
    assert (kept.action, kept.reason, kept.unmark) == ("keep", "attached", bool(text))
    if notice is None:
        assert with_notice(make.session(notice=text), REMOVE, MARK_EFFORT, NOW, None) == REMOVE


MARK_EFFORT = Effort(70, 80, MARK.processes)


def test_effort_is_of_these_processes() -> None:
    own = proctable.read_process(os.getpid())
    parent = proctable.read_process(os.getppid())
    assert own is not None and parent is not None
    assert effort([own]).processes != effort([own, parent]).processes
    assert effort([own]).processes != effort([own._replace(started=own.started + 1)]).processes
    assert effort([]) == Effort(0, 0, effort([]).processes)
    assert effort([own]).io_calls > 0


# --- with real servers ------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Our clock, which begins so far ahead that no clock of a new session is in its present second."""
    monkeypatch.setattr(survivors, "ENDING_SECONDS", PATIENCE)
    found = Clock(monkeypatch)
    found.ahead = 10
    return found


def without_mark(session: Session) -> Session:
    return session._replace(notice="", guard="")


def test_marking_moves_none_of_the_clocks_and_nothing_else(server: World, clock: Clock) -> None:
    identity = settled(server, server.new("work"))
    before = server.session(identity)
    # In the same second a clock that moves could not be told from one that does not.
    eventually(lambda: time.time() - clock.ahead > newest_clock(before) + 1.1, "the second is over")
    with server.attached("$0"):  # somebody is told
        assert told(perform(server, NOTICE, only("work"))) == {"work": "marked: idle"}
    assert without_mark(server.session(identity)) == without_mark(before)
    assert marked(server, identity) == server.session(identity).notice
    assert read_mark(server.session(identity).notice) is not None


def test_a_session_is_marked_then_kept_then_removed(server: World, clock: Clock) -> None:
    settled(server, server.new("work"))
    result = perform(server, NOTICE, only("work"))
    assert told(result) == {"work": "marked: idle"} and result["changed"] is True
    assert result["diff"]["before"]["sessions"][0] + " (notice)" == result["diff"]["after"]["sessions"][0]
    clock.ahead += 3500
    result = perform(server, NOTICE, only("work"))
    assert told(result) == {"work": "kept: notice"} and result["changed"] is False
    assert result["diff"]["before"] == result["diff"]["after"]
    clock.ahead += 200
    result = perform(server, NOTICE, only("work"))
    assert told(result) == {"work": "removed: idle"} and result["changed"] is True
    assert "notice was given 1h 1m ago" in item(result, "work")["detail"]
    assert server.ids() == ["$0"]
    assert told(perform(server, NOTICE, only("work"))) == {}


def test_a_check_promises_each_step_and_takes_none(server: World, clock: Clock) -> None:
    identity = settled(server, server.new("work"))
    settled(server, "$0")
    for ahead in (0, 3000, 700):
        clock.ahead += ahead
        before = server.run("show-options", "-t", identity).stdout
        checked = perform(server, NOTICE, check=True)
        assert server.run("show-options", "-t", identity).stdout == before
        done = perform(server, NOTICE)
        for result in (checked, done):
            for key in ("removed", "marked", "kept", "failures"):
                for it in result[key]:
                    it.pop("idle"), it.pop("detail"), it["freed"].pop("bytes")
        assert checked["freed"].pop("bytes") >= 0 and done["freed"].pop("bytes") >= 0
        assert dict(checked, judged_at=0) == dict(done, judged_at=0)
    assert server.ids() == []


def press(world: World, identity: str) -> None:
    """Somebody types something in a session."""
    before = newest_clock(world.session(identity))

    def moved() -> bool:
        world.tmux("send-keys", "-t", identity + ":", "x", "Enter")
        return newest_clock(world.session(identity)) > before

    eventually(moved, "a clock moves")


def attach(world: World, identity: str) -> None:
    with world.attached(identity):
        pass


def open_window(world: World, identity: str) -> None:
    world.tmux("new-window", "-d", "-t", identity + ":", "cat")


@pytest.mark.parametrize("use", [press, attach, open_window])
def test_activity_takes_the_mark_back(server: World, clock: Clock, use: Callable[[World, str], None]) -> None:
    identity = settled(server, server.new("work"))
    clock.ahead = 0
    eventually(lambda: time.time() > newest_clock(server.session(identity)) + 1.1, "the second is over")
    assert told(perform(server, NOTICE, only("work"))) == {"work": "marked: idle"}
    eventually(lambda: int(time.time()) > int(str(marked(server, identity)).split()[1]), "the second is over")
    use(server, identity)
    clock.ahead = 4000
    for result in (perform(server, NOTICE, only("work"), check=True), perform(server, NOTICE, only("work"))):
        assert told(result) == {"work": "kept: active"}
        assert result["changed"] is True
        assert result["diff"]["before"]["sessions"][0] == result["diff"]["after"]["sessions"][0] + " (notice)"
    assert marked(server, identity) is None
    assert told(perform(server, NOTICE, only("work"))) == {"work": "marked: idle"}, "and it begins anew"


WORKER = """
import signal
signal.signal(signal.SIGUSR1, lambda *_: open("/proc/self/stat").read())
open(%r, "w").close()
while True:
    signal.pause()
"""


def test_work_that_no_clock_of_tmux_shows_takes_the_mark_back(server: World, clock: Clock) -> None:
    ready = os.path.join(server.folder, "ready")
    identity = server.new("work", sys.executable, "-c", WORKER % ready)
    eventually(lambda: os.path.exists(ready), "it waits for its signal")
    settled(server, identity)
    assert told(perform(server, NOTICE, only("work"))) == {"work": "marked: idle"}
    before = server.session(identity)
    (pid,) = before.pids
    calls = proctable.io_calls(pid)
    os.kill(pid, signal.SIGUSR1)
    eventually(lambda: proctable.io_calls(pid) != calls, "it reads")
    settled(server, identity)
    assert server.session(identity) == before, "tmux has seen nothing of it"
    clock.ahead += 4000
    result = perform(server, NOTICE, only("work"))
    assert told(result) == {"work": "kept: active"}
    assert "worked" in item(result, "work")["detail"]


def test_what_is_used_between_the_look_and_the_mark_is_not_marked(server: World, clock: Clock) -> None:
    touched, gone, still = (server.new(name) for name in ("touched", "gone", "still"))
    run = prepare(server, NOTICE, only("touched", "gone", "still"))
    server.tmux("new-window", "-d", "-t", touched + ":", "cat")
    server.tmux("kill-session", "-t", gone)
    result = finish(run)
    assert told(result) == {"touched": "kept: changed", "gone": "kept: vanished", "still": "marked: idle"}
    assert marked(server, touched) is None and marked(server, still) is not None
    assert len(result["diff"]["after"]["sessions"]) == 2


def test_a_server_that_does_not_answer_to_the_mark_is_a_failure(server: World, clock: Clock) -> None:
    run = prepare(server, NOTICE)
    one = run._seen[0]
    one.client.timeout = 0.2
    os.kill(server.pid(), signal.SIGSTOP)
    result = finish(run)
    assert told(result) == {"first": "failures: failed"}
    assert result["changed"] is False


def test_who_stays_loses_the_mark(server: World, clock: Clock) -> None:
    identity = settled(server, server.new("work"))
    perform(server, NOTICE, only("work"))
    server.tmux("set-option", "-t", identity, "@keep", "on")
    result = perform(server, NOTICE, only("work"))
    assert told(result) == {"work": "kept: keep"} and result["changed"] is True
    assert marked(server, identity) is None
    assert perform(server, NOTICE, only("work"))["changed"] is False


def test_the_mark_goes_whatever_happens_meanwhile(server: World, clock: Clock) -> None:
    identity = settled(server, server.new("work"))
    perform(server, NOTICE, only("work"))
    server.tmux("set-option", "-t", identity, "@keep", "on")
    run = prepare(server, NOTICE, only("work"))
    open_window(server, identity)
    finish(run)
    assert marked(server, identity) is None


@pytest.mark.parametrize("garbage", ["on", "1 \u00b2 2 3 4 0123456789abcdef", "1 %s 2 3 4 x" % ("9" * 5000)])
def test_an_owner_cannot_spoil_a_run_with_a_mark(server: World, clock: Clock, garbage: str) -> None:
    identity = server.new("work")
    server.tmux("set-option", "-t", identity, NOTICE_OPTION, garbage)
    assert told(perform(server, NOTICE)) == {"work": "marked: idle", "first": "marked: idle"}
    assert read_mark(str(marked(server, identity))) is not None


def test_without_notice_a_session_that_was_marked_is_removed(server: World, clock: Clock) -> None:
    server.new("work")
    assert told(perform(server, NOTICE, only("work"))) == {"work": "marked: idle"}
    assert told(perform(server, Manner(), only("work"))) == {"work": "removed: idle"}


def test_a_new_session_of_the_same_name_has_no_mark(server: World, clock: Clock) -> None:
    identity = server.new("work")
    perform(server, NOTICE, only("work"))
    server.tmux("kill-session", "-t", identity)
    server.new("work")
    clock.ahead += 4000
    assert told(perform(server, NOTICE, only("work"))) == {"work": "marked: idle"}


def test_notice_is_given_for_every_reason_to_remove(server: World, clock: Clock) -> None:
    rules = EVERYTHING._replace(idle=None, older_than=5)
    assert told(perform(server, NOTICE, rules)) == {"first": "marked: older_than"}
    assert seen(server).listing.sessions[0].notice
