# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a program waits for that may happen at any time, and what it does with it."""

import os
from typing import Any, Dict, FrozenSet, Iterator, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.netlink import ESTABLISHED, LISTEN, Tcp
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._host.waits import CHILD, POLL, READ, Wait
from ansible_collections.fleet.tmux.plugins.module_utils._signs.events import Events
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import OpenFile
from ansible_collections.fleet.tmux.tests.support.scenes import FOR_CHILD, SHOWING, Known, Told, one, session, shell

CHANGES: Dict[str, Any] = {"wait": Wait(POLL, files=1), "files": [OpenFile(3, "anon_inode:inotify", 0)]}
FILE, NEWS = "waits for a file to change", "waits for news, and hands them on"


class Scripted(Told):
    """What else a test says of the processes of a session."""

    pidfd = ""
    kind = "TCP"
    listening: FrozenSet[int] = frozenset()

    def note(self, process: Process, file: OpenFile, word: str) -> str:
        return self.pidfd

    def protocol(self, process: Process, file: OpenFile) -> str:
        return self.kind


class Served(Events):
    def serves(self, process: Process) -> bool:
        scene = self._scene
        assert isinstance(scene, Scripted)
        return process.pid in scene.listening


class Connected(Events):
    rows: Tuple[Tcp, ...] = ()

    def _tcp(self, process: Process) -> List[Tcp]:
        return list(self.rows)


def said(*known: Known, pid: int = 101, events: Any = Served, **more: Any) -> str:
    """What a process waits for, in words."""
    scene = Scripted(*known)
    for name, value in more.items():
        setattr(scene, name, value)
    roles = cast(session(), tuple(each.process for each in known), scene, SHOWING.__contains__)
    (process,) = [each.process for each in known if each.process.pid == pid]
    return str(events(roles, scene).awaited(process))


def job(line: str, **more: Any) -> Tuple[Known, Known]:
    """A job in the foreground of an interactive shell."""
    return (shell(foreground=False), one(101, 100, line, **more))


def test_a_program_that_watches_files_does_something_then() -> None:
    assert said(*job("python3 importer.py", **CHANGES)) == FILE
    assert said(*job("entr make", **CHANGES)) == FILE
    assert said(*job("python3 importer.py", **{**CHANGES, "wait": Wait(READ, 3)})) == FILE


def test_it_waits_for_that_only() -> None:
    assert said(*job("python3 job.py", **{**CHANGES, "wait": Wait(READ, 5)})) == ""
    assert said(*job("python3 job.py", **{**CHANGES, "wait": Wait(CHILD)})) == ""
    assert said(*job("fish job.fish", **CHANGES)) == ""  # Each fish looks whether its settings have changed.


def test_what_keeps_pages_up_to_date_only_serves() -> None:
    """Also by way of another program, which it starts anew."""
    assert said(*job("vite", **CHANGES), listening=frozenset((101,))) == ""
    below = one(102, 101, "node server.js", group=101), one(103, 102, "node worker.js", group=101)
    assert said(*job("nodemon", **CHANGES), *below, listening=frozenset((103,))) == ""
    assert said(*job("nodemon", **CHANGES), *below, listening=frozenset((100,))) == FILE


def test_a_program_that_shows_changes_needs_somebody_for_that() -> None:
    assert said(*job("inotifywait -m dir", **CHANGES)) == ""
    assert said(*job("fswatch dir", **CHANGES)) == ""
    assert said(*job("inotifywait -e create dir", **CHANGES)) == FILE  # Then it ends.
    assert said(*job("inotifywait -m dir", links={1: "pipe:[7]"}, **CHANGES)) == FILE
    script = one(100, 50, "bash job.sh", wait=FOR_CHILD)
    assert said(script, one(101, 100, "inotifywait -m dir", **CHANGES)) == FILE


@pytest.mark.parametrize(("pid", "expected"), [("77", True), ("100", False), ("-1", False), ("", False)])
def test_the_end_of_a_process(pid: str, expected: bool) -> None:
    """One of the session itself is looked at anyway."""
    waits: Dict[str, Any] = {"wait": Wait(POLL, files=1), "files": [OpenFile(3, "anon_inode:[pidfd]", 0)]}
    assert bool(said(*job("waitpid 77", **waits), pidfd=pid)) is expected


def test_whoever_reads_a_pipe_with_a_name_waits_for_others() -> None:
    expected = "waits for somebody to write into a named pipe"
    assert said(*job("bash worker.sh", wait=Wait(READ, 3), fifos=(3,))) == expected
    assert said(*job("python3 worker.py", wait=Wait(POLL), fifos=(3,))) == expected
    assert said(*job("bash worker.sh", wait=Wait(READ, 0), fifos=(3,))) == ""
    assert said(*job("bash worker.sh", wait=Wait(CHILD), fifos=(3,))) == ""


def test_a_measurement_is_written_down() -> None:
    counts = OpenFile(5, "anon_inode:[perf_event]", os.O_RDWR)
    data = OpenFile(3, "/home/anna/perf.data", os.O_RDWR)
    expected = "measures other processes"
    assert said(*job("perf record -p 7", wait=Wait(POLL), files=[data, counts])) == expected
    assert said(*job("perf top", wait=Wait(POLL), files=[counts])) == ""


NETLINK = OpenFile(4, "socket:[9]", os.O_RDWR)
TO_FILE = {1: "/home/anna/log"}


@pytest.mark.parametrize(
    ("link", "flags", "kind", "expected"),
    [
        ("socket:[9]", os.O_RDWR, "NETLINK", True),
        ("socket:[9]", os.O_RDWR, "PACKET", True),
        ("socket:[9]", os.O_RDWR, "UNIX-STREAM", False),
        ("socket:[9]", os.O_RDWR, "UDP", False),
        ("socket:[9]", os.O_RDWR, "?", False),
        ("/dev/kmsg", os.O_RDONLY, "", True),
        ("/dev/kmsg", os.O_WRONLY, "", False),
        ("/dev/ttyUSB0", os.O_RDONLY, "", True),
        ("/proc/101/mountinfo", os.O_RDONLY, "", True),
        ("/sys/kernel/tracing/trace_pipe", os.O_RDONLY, "", True),
        ("/dev/pts/8", os.O_RDWR, "", True),
        ("/dev/pts/3", os.O_RDWR, "", False),
        ("/dev/tty", os.O_RDWR, "", False),
        ("/dev/null", os.O_RDWR, "", False),
        ("/dev/shm/x", os.O_RDWR, "", False),
        ("/home/anna/x", os.O_RDWR, "", False),
        ("anon_inode:[eventfd]", os.O_RDWR, "", False),
    ],
)
def test_news_that_are_written_down(link: str, flags: int, kind: str, expected: bool) -> None:
    known = job("monitor", wait=Wait(READ, 4), files=[OpenFile(4, link, flags)], links=TO_FILE)
    assert said(*known, kind=kind) == (NEWS if expected else "")
    shown = job("monitor", wait=Wait(READ, 4), files=[OpenFile(4, link, flags)])
    assert said(*shown, kind=kind) == ""
    other = job("monitor", wait=Wait(READ, 0), files=[OpenFile(4, link, flags)], links=TO_FILE)
    assert said(*other, kind=kind) == ""


@pytest.mark.parametrize(("length", "expected"), [(20, ""), (2000, NEWS)])
def test_news_through_a_pipeline_without_an_end(length: int, expected: str) -> None:
    """Nobody follows it to where it ends, so that may be a file."""
    pipes = ["pipe:[%d]" % number for number in range(1, length)]
    ends = zip(["/dev/null", *pipes], [*pipes, "/dev/pts/3"])
    chain = [
        one(101 + number, 100, "cat" if number else "monitor", group=101, links={0: read, 1: written})
        for number, (read, written) in enumerate(ends)
    ]
    first = one(101, 100, "monitor", wait=Wait(READ, 4), files=[NETLINK], links={1: "pipe:[1]"})
    assert said(shell(foreground=False), first, *chain[1:], kind="NETLINK") == expected


def test_news_that_a_program_writes_down_itself() -> None:
    """tcpdump -w, socat - OPEN:log. Where it says its errors is no record."""
    news, log = OpenFile(4, "socket:[9]", os.O_RDWR), OpenFile(5, "/home/anna/log", os.O_WRONLY)
    assert said(*job("tcpdump -w log", wait=Wait(POLL), files=[news, log]), kind="PACKET") == NEWS
    assert said(*job("tcpdump", wait=Wait(POLL), files=[news, log._replace(flags=0)]), kind="PACKET") == ""
    errors = job("ip monitor", wait=Wait(POLL), files=[news], links={2: "/home/anna/errors"})
    assert said(*errors, kind="NETLINK") == ""


PIPED: Dict[str, Any] = {"wait": Wait(READ, 4), "files": [OpenFile(4, "socket:[9]", 2)], "links": {1: "pipe:[7]"}}
HEARS: Dict[str, Any] = {"group": 101, "wait": Wait(READ, 0)}


def test_news_that_another_one_works_with() -> None:
    loop = one(102, 100, "-bash", links={0: "pipe:[7]"}, **HEARS)
    assert said(*job("ip monitor", **PIPED), loop, kind="NETLINK") == NEWS
    grep = one(102, 100, "grep x", links={0: "pipe:[7]"}, **HEARS)
    assert said(*job("ip monitor", **PIPED), grep, kind="NETLINK") == ""
    assert said(*job("ip monitor", **PIPED), kind="NETLINK") == ""
    program = ("awk", '{ system("mail root") }')
    awk = one(102, 100, "awk", words=program, links={0: "pipe:[7]"}, **HEARS)
    assert said(*job("ip monitor", **PIPED), awk, kind="NETLINK") == NEWS
    counts = {**PIPED, "files": [OpenFile(4, "anon_inode:[perf_event]", 2)]}
    assert said(*job("perf trace", **counts), loop) == NEWS


def test_news_that_a_filter_hands_on() -> None:
    grep = one(102, 100, "grep x", links={0: "pipe:[7]", 1: "pipe:[8]"}, **HEARS)
    tee = one(103, 100, "tee log", links={0: "pipe:[8]"}, files=[OpenFile(3, "/home/anna/log", 1)], **HEARS)
    assert said(*job("ip monitor", **PIPED), grep, tee, kind="NETLINK") == NEWS
    assert said(*job("ip monitor", **PIPED), grep._replace(links={0: "pipe:[7]", 1: "pipe:[7]"}), kind="NETLINK") == ""
    assert said(*job("ip monitor", **PIPED), one(102, 100, "make", refused=True, group=101), kind="NETLINK") == ""


@pytest.fixture
def rows() -> Iterator[Any]:
    def connect(*given: Tcp) -> None:
        Connected.rows = given

    yield connect
    Connected.rows = ()


def listened(command: str = "subscribe", **more: Any) -> Optional[str]:
    files = [OpenFile(4, "socket:[9]", os.O_RDWR)]
    known = job(command, wait=Wait(READ, 4), files=files, links=TO_FILE, **more)
    return said(*known, events=Connected)


def test_news_of_another_host(rows: Any) -> None:
    rows(Tcp(9, ESTABLISHED, 4711))
    assert listened() == NEWS
    assert listened("ssh -N far") == ""  # A tunnel.
    rows(Tcp(9, ESTABLISHED, 80), Tcp(8, LISTEN, 80))
    assert listened() == ""  # It was called.
    rows(Tcp(9, 8, 4711))
    assert listened() == ""
    rows()
    assert listened() == ""
