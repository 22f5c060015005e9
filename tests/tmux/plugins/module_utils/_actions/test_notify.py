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
from typing import Iterator, List, NamedTuple, Optional, Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import notify as heralds
from ansible_collections.fleet.tmux.plugins.module_utils._actions.examine import examine
from ansible_collections.fleet.tmux.plugins.module_utils._actions.notify import Notifier, Owner
from ansible_collections.fleet.tmux.plugins.module_utils._actions.texts import News
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import when
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import MARKED, REMOVED, Decision
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import expanded_literal
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.tests.support.runs import Gently, only, perform, seen, told
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

ROOT = os.geteuid() == 0
OTHER = User("somebody", 61999, 61999)
LATER = 1800000000


def herald(message: Optional[str] = None, command: Sequence[str] = (), timeout: float = PATIENCE) -> Notifier:
    return Notifier(message, command, timeout, ROOT)


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


def news(decision: Decision, what: str = MARKED, place: int = 0, snapshot: Optional[str] = None) -> News:
    """What is told of a session."""
    it = decision.subject
    why = decision.detail.split(";")[0]
    session = it.session
    return News(what, it.identity, session.id, session.name, it.origin.socket, LATER, why, snapshot, place)


class Told(NamedTuple):
    """Sessions that are given notice, and their server."""

    one: Seen
    decisions: List[Decision]

    def by(self, notifier: Notifier, what: str = MARKED, more: Sequence[Seen] = ()) -> List[str]:
        return notifier.tell(Owner([self.one, *more]), [news(each, what) for each in self.decisions])


def candidates(world: World, *names: str) -> Told:
    one = seen(world)
    return Told(one, examine([one], only(*names)._replace(notice=3600), int(time.time())).decisions)


def test_who_is_attached_is_told_how_to_keep_it_and_when_it_goes(server: World) -> None:
    new(server, "work")
    with screen(server, "$0", columns=60) as somebody:
        told_of = candidates(server, "work")
        assert told_of.by(herald()) == []
        said = "tmux set -t '%s' @keep on, or work goes " % told_of.decisions[0].subject.session.id
        eventually(lambda: said in somebody.text(), "it is shown")
        eventually(lambda: "goes 15 Jan " in somebody.text(), "and the rest, on a terminal of 60 columns")


def test_who_is_attached_is_told_of_what_was_removed(server: World) -> None:
    new(server, "work")
    with screen(server, "$0") as somebody:
        told_of = candidates(server, "work")
        assert told_of.by(herald(), REMOVED) == []
        eventually(lambda: "work was removed (no activity for " in somebody.text(), "it is shown")


def test_all_clients_of_all_servers_of_an_owner_are_told(server: World) -> None:
    other = World(server.binary)
    try:
        other.start()
        new(server, "work")
        with screen(server, "$0") as first, screen(server, new(server, "also")) as second, screen(other, "$0") as third:
            told_of = candidates(server, "work")
            assert told_of.by(herald(), more=[seen(other)]) == []
            for somebody in (first, second, third):
                eventually(lambda somebody=somebody: "@keep on" in somebody.text(), "it is shown")  # type: ignore[misc]
    finally:
        other.stop()


def test_a_server_that_has_ended_with_its_last_session_has_nobody_to_tell(server: World) -> None:
    told_of = candidates(server, "first")
    server.tmux("kill-server")
    eventually(lambda: server.pid() == 0, "the server ends")
    assert told_of.by(herald(), REMOVED) == []
    (said,) = told_of.by(herald(), MARKED)
    assert "nobody could be told" in said


def test_what_the_message_advises_keeps_the_session(server: World) -> None:
    identity = new(server, "work")
    (advice,) = {
        herald("{keep}").text(news(decision), "/elsewhere") for decision in candidates(server, "work").decisions
    }
    assert advice == "tmux -S %s set -t '%s' @keep on" % (server.path, identity)
    done = subprocess.run(
        ["/bin/sh", "-c", advice.replace("tmux", '"$TMUX_PROGRAM"', 1)],
        env=dict(server.environment(), TMUX_PROGRAM=server.binary),
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
        one, decisions = candidates(server, "a *")
        named = [decision for decision in decisions if decision.subject.session.name == name]
        assert Told(one, named).by(herald("<{name}>")) == []
        eventually(lambda: "<%s>" % name in somebody.text(), "it is shown as it is")
    assert not os.path.exists(os.path.join(server.folder, touch)) and not os.path.exists("/" + touch)


def test_a_value_is_not_searched_for_placeholders(server: World) -> None:
    new(server, "{deadline} {reason}")
    (decision,) = candidates(server, "{deadline}*").decisions
    assert herald("<{name}>").text(news(decision), "/elsewhere") == "<{deadline} {reason}>"


def test_nothing_that_is_shown_or_said_holds_control_characters(server: World) -> None:
    (decision,) = candidates(server, "first").decisions
    odd = decision.subject.session._replace(name="a\x1b[31m\nb\u202e")
    text = herald("{name}\x07").text(
        news(decision._replace(subject=decision.subject._replace(session=odd))), "/elsewhere"
    )
    assert text == "a\\x1b[31m\\x0ab\\u202e\\x07"


def test_many_sessions_are_one_message(server: World) -> None:
    for number in range(6):
        new(server, "work%d" % number)
    told_of = candidates(server, "work*")
    with screen(server, "$0") as somebody:
        assert told_of.by(herald("<{name}>")) == []
        eventually(lambda: "<work0>; <work1>; <work2>; and 3 more sessions" in somebody.text(), "it is shown")


def test_nobody_attached_is_nobody_to_tell(server: World) -> None:
    told_of = candidates(server, "first")
    assert told_of.by(herald()) == []


# --- the command of the admin -----------------------------------------------------------------------------------------

WRITE = 'for word; do printf "%s|" "$word"; done >>out; id -u >>out; env >>out.env; pwd >>out.env'


@pytest.fixture
def desk() -> Iterator[str]:
    """Where the command can write, whoever runs it."""
    with tempfile.TemporaryDirectory(prefix="fleet-", dir="/tmp") as folder:
        os.chmod(folder, 0o777)
        yield folder


def owned(told_of: Told, user: User) -> Told:
    """The same, as if the server were somebody else's."""
    return told_of._replace(one=told_of.one._replace(server=told_of.one.server._replace(user=user, process=None)))


def lines(path: str) -> List[str]:
    with open(path, encoding="utf-8") as stream:
        return stream.read().splitlines()


def test_the_command_is_given_words_and_is_run_as_the_owner(server: World, desk: str) -> None:
    owner = OTHER if ROOT else server.user
    new(server, "a; $(b) 'c'")
    told_of = owned(candidates(server, "a; *", "first"), owner)
    script = WRITE.replace(">>", ">>%s/" % desk)
    assert told_of.by(herald(command=["sh", "-c", script, "sh", "two words", "-x"])) == []
    words = ["two words", "-x", "%s", owner.name, when(LATER), "marked", "", str(owner.uid)]
    assert sorted(lines(os.path.join(desk, "out"))) == sorted(
        "|".join(words) % name for name in ("a; $(b) 'c'", "first")
    )
    known = {line.split("=")[0] for line in lines(os.path.join(desk, "out.env")) if "=" in line}
    assert known <= {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD"}
    assert "/" in lines(os.path.join(desk, "out.env"))


def test_a_command_that_fails_is_told_for_each_session(server: World) -> None:
    new(server, "work")
    told_of = candidates(server, "*")
    said = told_of.by(herald(command=["sh", "-c", "printf 'no mail\\033 today\\n' >&2; exit 3"]))
    assert said == [
        "notify_command: exit status 3 for session %s: no mail\\x1b today" % name for name in ("first", "work")
    ]


def test_a_command_that_hangs_is_ended_once(server: World) -> None:
    for number in range(5):
        new(server, "work%d" % number)
    told_of = candidates(server, "work*")
    start = time.monotonic()
    said = told_of.by(herald(command=["sh", "-c", "sleep 600"], timeout=0.5))
    assert time.monotonic() - start < PATIENCE
    assert said[0] == "notify_command: it did not end within 0.5 seconds"
    assert len(said) == 2 and "not run for the rest" in said[1]


def test_a_command_that_is_nearly_too_slow_is_not_run_without_end(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner can stop it, as it runs as the owner, and let it go on just in time."""
    for number in range(9):
        new(server, "work%d" % number)
    told_of = candidates(server, "work*")
    passed = [0.0]

    def nearly_a_second(*_words: object) -> None:
        passed[0] += 0.9

    monkeypatch.setattr(Notifier, "_run", nearly_a_second)
    monkeypatch.setattr(heralds.time, "monotonic", lambda: passed[0])  # type: ignore[attr-defined]
    quiet = told_of.one._replace(client=Quiet())  # type: ignore[arg-type]
    (said,) = told_of._replace(one=quiet).by(Notifier("", ["notify"], 1.0, ROOT))
    assert "not run for the rest" in said
    assert passed[0] < 3


class Quiet:
    """A server to which nobody is attached."""

    share = None

    def call(self, _commands: object) -> bytes:
        return b""


def test_a_command_that_is_not_there_is_told(server: World) -> None:
    told_of = candidates(server, "first")
    (said,) = told_of.by(herald(command=["/nonexistent/notify"]))
    assert said.startswith("notify_command: ") and "/nonexistent/notify" in said


@pytest.mark.parametrize("command", [["false"], ["/nonexistent/notify"], ["sh", "-c", "sleep 600"]])
def test_whatever_the_command_does_the_session_is_marked(server: World, command: List[str]) -> None:
    result = perform(server, Gently(notice=60, notifier=herald(command=command, timeout=0.5)))
    assert told(result) == {"first": "marked: idle"}
    assert server.session("$0").notice
