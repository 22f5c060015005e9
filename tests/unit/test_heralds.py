# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""People are told, nothing in what they are told is expanded, and nobody who is told can hold up a run."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import tempfile
import termios
import time
from typing import Iterator, List, Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils import _heralds as heralds
from ansible_collections.fleet.tmux.plugins.module_utils._cases import Case, judge_all
from ansible_collections.fleet.tmux.plugins.module_utils._child import User
from ansible_collections.fleet.tmux.plugins.module_utils._heralds import DEFAULT_MESSAGE, Herald, when
from ansible_collections.fleet.tmux.plugins.module_utils._prune import Manner
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import expanded_literal
from ansible_collections.fleet.tmux.tests.unit.runs import only, perform, seen, told
from ansible_collections.fleet.tmux.tests.unit.world import PATIENCE, World, eventually

ROOT = os.geteuid() == 0
OTHER = User("somebody", 61999, 61999)
LATER = 1800000000


def herald(message: str = DEFAULT_MESSAGE, command: Sequence[str] = (), timeout: float = PATIENCE) -> Herald:
    return Herald(message, command, timeout, ROOT)


class Screen:
    """The terminal of somebody who is attached."""

    def __init__(self, world: World, identity: str, columns: int) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self._process = subprocess.Popen(
            [world.binary, "-u", "-S", world.path, "attach-session", "-t", identity],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=world.environment(),
            start_new_session=True,
        )
        os.close(slave)
        os.set_blocking(self._master, False)
        self._read = b""
        eventually(lambda: identity in world.run("list-clients", "-F", "#{session_id}").stdout.decode(), "it attaches")

    def text(self) -> str:
        """All that was drawn until now, without what only moves the cursor or sets colours."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._read += os.read(self._master, 65536)
        return re.sub(r"\x1b(\[[0-9;?>]*[A-Za-z]|\([A-Z0-9])", "", self._read.decode("utf-8", "replace"))

    def close(self) -> None:
        self._process.kill()
        self._process.wait(PATIENCE)
        os.close(self._master)


@contextlib.contextmanager
def screen(world: World, identity: str, columns: int = 200) -> Iterator[Screen]:
    shown = Screen(world, identity, columns)
    try:
        yield shown
    finally:
        shown.close()


def new(world: World, name: str) -> str:
    return world.new(expanded_literal(name, world.version))


def candidates(world: World, *names: str) -> List[Case]:
    return judge_all([seen(world)], only(*names), 3600).cases


def test_who_is_attached_is_told_all_that_matters(server: World) -> None:
    new(server, "work")
    with screen(server, "$0") as somebody:
        (case,) = candidates(server, "work")
        assert herald().tell(case.seen, [case], LATER) == []
        said = "tmux session work will be removed after %s (idle for " % when(LATER)
        eventually(lambda: said in somebody.text(), "it is shown")
        eventually(lambda: "To keep it: tmux set -t '%s' @keep on" % case.session.id in somebody.text(), "and the rest")


def test_what_the_default_message_advises_keeps_the_session(server: World) -> None:
    identity = new(server, "work")
    text = herald().text(candidates(server, "work")[0], LATER)
    advice = text.split("To keep it: ")[1]
    assert advice.startswith("tmux ")
    done = subprocess.run(
        ["/bin/sh", "-c", advice.replace("tmux", '"$TMUX_PROGRAM" -S "$TMUX_SOCKET"', 1)],
        env=dict(server.environment(), TMUX_PROGRAM=server.binary, TMUX_SOCKET=server.path),
        check=False,
    )
    assert done.returncode == 0
    assert server.session(identity).keep == "on"


HOSTILE = "a #{pid} #(touch %s) %%H %%%% {deadline} ##[x]"


def test_nothing_in_a_name_is_expanded(server: World) -> None:
    trace = os.path.join(server.folder, "trace")
    touch = trace.replace("/", "_")  # what the shell would make, wherever it is
    name = HOSTILE % touch
    new(server, name)
    with screen(server, "$0") as somebody:
        one = seen(server)
        (case,) = [it for it in judge_all([one], only("a *"), 3600).cases if it.session.name == name]
        assert herald("<{name}>").tell(one, [case], LATER) == []
        eventually(lambda: "<%s>" % name in somebody.text(), "it is shown as it is")
    assert not os.path.exists(os.path.join(server.folder, touch)) and not os.path.exists("/" + touch)


def test_a_value_is_not_searched_for_placeholders(server: World) -> None:
    new(server, "{deadline} {reason}")
    (case,) = candidates(server, "{deadline}*")
    assert herald("<{name}>").text(case, LATER) == "<{deadline} {reason}>"


def test_nothing_that_is_shown_or_said_holds_control_characters(server: World) -> None:
    one = seen(server)
    (case,) = judge_all([one], only("first"), 3600).cases
    case = case._replace(session=case.session._replace(name="a\x1b[31m\nb\u202e"))
    text = herald("{name}\x07").text(case, LATER)
    assert text == "a\\x1b[31m\\x0ab\\u202e\\x07"


def test_many_sessions_are_one_message(server: World) -> None:
    for number in range(6):
        new(server, "work%d" % number)
    cases = candidates(server, "work*")
    with screen(server, "$0") as somebody:
        assert herald("<{name}>").tell(cases[0].seen, cases, LATER) == []
        eventually(lambda: "<work0>; <work1>; <work2>; and 3 more sessions" in somebody.text(), "it is shown")


def test_nobody_attached_is_nobody_to_tell(server: World) -> None:
    cases = candidates(server, "first")
    assert herald().tell(cases[0].seen, cases, LATER) == []


# --- the command of the admin -----------------------------------------------------------------------------------------

WRITE = 'for word; do printf "%s|" "$word"; done >>out; id -u >>out; env >>out.env; pwd >>out.env'


@pytest.fixture
def desk() -> Iterator[str]:
    """Where the command can write, whoever runs it."""
    with tempfile.TemporaryDirectory(prefix="fleet-", dir="/tmp") as folder:
        os.chmod(folder, 0o777)
        yield folder


def owned(cases: Sequence[Case], user: User) -> List[Case]:
    """The same cases, as if their server were somebody else's."""
    one = cases[0].seen
    theirs = one._replace(server=one.server._replace(user=user))
    return [case._replace(seen=theirs) for case in cases]


def lines(path: str) -> List[str]:
    with open(path, encoding="utf-8") as stream:
        return stream.read().splitlines()


def test_the_command_is_given_words_and_is_run_as_the_owner(server: World, desk: str) -> None:
    owner = OTHER if ROOT else server.user
    new(server, "a; $(b) 'c'")
    cases = owned(candidates(server, "a; *", "first"), owner)
    script = WRITE.replace(">>", ">>%s/" % desk)
    assert herald(command=["sh", "-c", script, "sh", "two words", "-x"]).tell(cases[0].seen, cases, LATER) == []
    words = ["two words", "-x", "%s", owner.name, when(LATER), str(owner.uid)]
    assert sorted(lines(os.path.join(desk, "out"))) == sorted(
        "|".join(words) % name for name in ("a; $(b) 'c'", "first")
    )
    known = {line.split("=")[0] for line in lines(os.path.join(desk, "out.env")) if "=" in line}
    assert known <= {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD"}
    assert "/" in lines(os.path.join(desk, "out.env"))


def test_a_command_that_fails_is_told_for_each_session(server: World) -> None:
    new(server, "work")
    cases = candidates(server, "*")
    said = herald(command=["sh", "-c", "printf 'no mail\\033 today\\n' >&2; exit 3"]).tell(cases[0].seen, cases, LATER)
    assert said == [
        "notify_command: exit status 3 for session %s: no mail\\x1b today" % name for name in ("first", "work")
    ]


def test_a_command_that_hangs_is_ended_once(server: World) -> None:
    for number in range(5):
        new(server, "work%d" % number)
    cases = candidates(server, "work*")
    start = time.monotonic()
    said = herald(command=["sh", "-c", "sleep 600"], timeout=0.5).tell(cases[0].seen, cases, LATER)
    assert time.monotonic() - start < PATIENCE
    assert said[0] == "notify_command: it did not end within 0.5 seconds"
    assert len(said) == 2 and "not run for the rest" in said[1]


def test_a_command_that_is_nearly_too_slow_is_not_run_without_end(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner can stop it, as it runs as the owner, and let it go on just in time."""
    for number in range(9):
        new(server, "work%d" % number)
    cases = candidates(server, "work*")
    passed = [0.0]

    def nearly_a_second(*_words: object) -> None:
        passed[0] += 0.9

    monkeypatch.setattr(Herald, "_run", nearly_a_second)
    monkeypatch.setattr(heralds.time, "monotonic", lambda: passed[0])  # type: ignore[attr-defined]
    (said,) = Herald("", ["notify"], 1.0, ROOT).tell(cases[0].seen._replace(client=Quiet()), cases, LATER)  # type: ignore[arg-type]
    assert "not run for the rest" in said
    assert passed[0] < 3


class Quiet:
    """A server to which nobody is attached."""

    def call(self, _commands: object) -> bytes:
        return b""


def test_a_command_that_is_not_there_is_told(server: World) -> None:
    cases = candidates(server, "first")
    (said,) = herald(command=["/nonexistent/notify"]).tell(cases[0].seen, cases, LATER)
    assert said.startswith("notify_command: ") and "/nonexistent/notify" in said


@pytest.mark.parametrize("command", [["false"], ["/nonexistent/notify"], ["sh", "-c", "sleep 600"]])
def test_whatever_the_command_does_the_session_is_marked(server: World, command: List[str]) -> None:
    result = perform(server, Manner(notice=60, herald=herald(command=command, timeout=0.5)))
    assert told(result) == {"first": "marked: idle"}
    assert server.session("$0").notice
