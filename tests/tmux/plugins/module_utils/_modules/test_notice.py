# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A session is marked before it is removed, and lives when anything at all happens in between."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Callable, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import survivors
from ansible_collections.fleet.tmux.plugins.module_utils._actions.notices import Notices, read
from ansible_collections.fleet.tmux.plugins.module_utils._actions.notify import Notifier
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import newest_clock
from ansible_collections.fleet.tmux.plugins.module_utils._policy.notice import (
    read_mark,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import NOTICE_OPTION, Session
from ansible_collections.fleet.tmux.tests.support.runs import (
    EVERYTHING,
    Clock,
    Gently,
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
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

NOTICE = Gently(notice=3600)


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
            for key in ("removed", "marked", "kept", "not_done"):
                for it in result[key]:
                    it.pop("idle"), it.pop("detail"), it["freed"].pop("bytes")
                    it["evidence"] = dict(it["evidence"], signs=[sign["at"] for sign in it["evidence"]["signs"]])
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
    calls = proctable.io(pid)
    os.kill(pid, signal.SIGUSR1)
    eventually(lambda: proctable.io(pid) != calls, "it reads")
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
    one = run.seen[0]
    one.client.timeout = 0.2
    os.kill(server.pid(), signal.SIGSTOP)
    result = finish(run)
    assert told(result) == {"first": "not_done: error"}
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


@pytest.mark.parametrize("garbage", ["on", "2 \u00b2 2 3 4 5 6 0123456789abcdef", "2 %s 2 3 4 5 6 x" % ("9" * 5000)])
def test_an_owner_cannot_spoil_a_run_with_a_mark(server: World, clock: Clock, garbage: str) -> None:
    identity = server.new("work")
    server.tmux("set-option", "-t", identity, NOTICE_OPTION, garbage)
    assert told(perform(server, NOTICE)) == {"work": "marked: idle", "first": "marked: idle"}
    assert read_mark(str(marked(server, identity))) is not None


def test_without_notice_a_session_that_was_marked_is_removed(server: World, clock: Clock) -> None:
    server.new("work")
    assert told(perform(server, NOTICE, only("work"))) == {"work": "marked: idle"}
    assert told(perform(server, Gently(), only("work"))) == {"work": "removed: idle"}


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


# --- what people are told of it ---------------------------------------------------------------------------------------


@pytest.fixture
def gently(tmp_path: Path) -> Gently:
    """With messages for the owner, below a directory of the test."""
    return NOTICE._replace(notifier=Notifier(None, [], PATIENCE, os.geteuid() == 0, Notices(str(tmp_path / "notices"))))


def left(tmp_path: Path) -> List[Tuple[str, str]]:
    """What is left for the owner: of which kind, and its first line."""
    path = tmp_path / "notices" / str(os.geteuid())
    return [(message.what, message.lines[0]) for message in read(path.read_bytes())] if path.exists() else []


def test_what_is_left_for_the_owner_is_what_holds(server: World, clock: Clock, gently: Gently, tmp_path: Path) -> None:
    wanted, other = settled(server, server.new("wanted")), settled(server, server.new("other"))
    rules = only("wanted", "other")
    assert set(told(perform(server, gently, rules, check=True)).values()) == {"marked: idle"}
    assert left(tmp_path) == []
    perform(server, gently, rules)
    advice = {identity: "tmux -S %s set -t '%s' @keep on" % (server.path, identity) for identity in (wanted, other)}
    assert sorted(left(tmp_path)) == sorted(("marked", line) for line in advice.values())
    server.tmux("set-option", "-t", wanted, "@keep", "on")
    perform(server, gently, rules)
    assert left(tmp_path) == [("marked", advice[other])], "what is taken back is not told any more"
    clock.ahead += 3700
    assert told(perform(server, gently, rules))["other"] == "removed: idle"
    ((what, line),) = left(tmp_path)
    assert (what, line[: len("tmux session other was removed ")]) == ("removed", "tmux session other was removed ")


def test_whatever_happens_when_people_are_told_the_result_tells_what_was_done(
    server: World, clock: Clock, gently: Gently, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(server, server.new("work"))
    monkeypatch.setattr(Notices, "leave", lambda *_words: 1 // 0)
    run = prepare(server, gently._replace(notice=None), only("work"))
    assert told(finish(run)) == {"work": "removed: idle"}
    assert [line.startswith("unexpected, when people were told: ZeroDivisionError") for line in run.trouble] == [True]
