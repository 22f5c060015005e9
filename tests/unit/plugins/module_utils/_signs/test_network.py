# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The newest data on a TCP connection is a sign of life; who only shows that it is there shows none."""

import os
import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, cast

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import netlink
from ansible_collections.fleet.tmux.plugins.module_utils._host.connections import Unread
from ansible_collections.fleet.tmux.plugins.module_utils._host.netlink import Tcp
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._signs.network import KEEP_ALIVE, network
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import PROMPT, SHOWS, WORKS, Actor, Cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import OpenFile, Refused, Scene
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign
from hypothesis import given
from hypothesis import strategies as st

USER = User("tester", os.geteuid(), os.getegid())
NOW = 2000000000
AGE = 100000
"""How long ago all processes were started."""
DAY = 86400000


class Stage(Scene):
    """A scene that shows what a test says: per process the rows of its sockets, by descriptor."""

    def __init__(self, held: Dict[int, Any]) -> None:
        super().__init__(Processes({}), USER)
        self.held = held
        self.taken = float(NOW)
        self.sockets = cast(Any, self)
        self.elsewhere_is: Optional[str] = None
        self.without_clocks = ""
        self.closed: Dict[int, int] = {}

    def started(self, process: Process) -> int:
        return NOW - AGE

    def files(self, process: Process) -> List[OpenFile]:
        if self.held[process.pid] is None:
            raise Refused("the open files of %s" % process.command)
        numbers = self.held[process.pid]
        return [OpenFile(0, "/dev/pts/0", 2), *(OpenFile(each, "socket:[%d]" % each, 2) for each in numbers)]

    def tcp(self, pid: int, inode: int) -> Optional[Tcp]:
        row = self.held[pid][inode]
        if isinstance(row, Unread):
            raise row
        return cast(Optional[Tcp], row)

    def closed_lately(self, _pid: int, port: int) -> Optional[int]:
        return self.closed.get(port)

    def elsewhere(self, _pid: int) -> Optional[str]:
        return self.elsewhere_is

    def protocol(self, process: Process, file: OpenFile) -> str:
        return "TCP" if "tcp" in process.command else "UNIX-STREAM"


def row(sent: Optional[int] = 0, received: Optional[int] = 0, size: Optional[int] = 1 << 20, **more: int) -> Tcp:
    state, port = more.get("state", netlink.ESTABLISHED), more.get("port", 40000)
    return Tcp(1, state, port, 0, sent, received, sent, size, None if size is None else 0)


def listener(port: int) -> Tcp:
    return Tcp(1, netlink.LISTEN, port)


def played(*parts: Tuple[str, Any], roles: Tuple[str, ...] = ()) -> Tuple[Cast, Stage]:
    processes = [Process(pid, 1, 1, "S", 5, 0, 0, part[0]) for pid, part in enumerate(parts, 100)]
    given_ = roles or (WORKS,) * len(parts)
    actors = tuple(Actor(process, role) for process, role in zip(processes, given_))
    held = {process.pid: part[1] for process, part in zip(processes, parts)}
    return Cast(cast(Any, None), actors), Stage(held)


def signs(*parts: Tuple[str, Any], roles: Tuple[str, ...] = ()) -> List[Sign]:
    return list(network(*played(*parts, roles=roles)))


def clock(ago: int, program: str) -> Sign:
    return Sign("network", "data on a TCP connection", program, NOW - ago)


def test_the_newest_data_of_all_that_counts_is_told() -> None:
    rsync = ("rsync", {3: row(50000, 9000), 4: row(20000, 7000)})
    assert signs(("curl", {3: row(8000, 8000)}), rsync) == [clock(7, "rsync")]
    assert signs(rsync, ("curl", {3: row(3000, 8000)}), roles=(WORKS, SHOWS)) == [clock(7, "rsync")]
    assert signs(("curl", {3: row(3000, 8000)}), roles=(SHOWS,)) == []
    assert signs() == []
    assert clock(180, "rsync").said(True, NOW) == "data on a TCP connection 3m ago (rsync)"


@pytest.mark.parametrize("state", sorted(netlink.CONNECTED))
def test_what_has_happened_counts_also_when_the_other_end_has_hung_up(state: int) -> None:
    assert signs(("curl", {3: row(5000, 9000, state=state)})) == [clock(5, "curl")]


def test_a_listener_and_other_sockets_say_nothing() -> None:
    assert signs(("nginx", {3: listener(80), 4: None})) == []


def test_a_visitor_who_has_gone_is_remembered_for_a_minute() -> None:
    told, stage = played(("nginx", {3: listener(80), 4: row(30000, 30000, port=80)}))
    assert list(network(told, stage)) == [clock(30, "nginx")]
    stage.closed = {80: 7000, 81: 1000}
    assert list(network(told, stage)) == [clock(7, "nginx")]


def test_data_of_before_the_process_began_is_not_its() -> None:
    assert signs(("cat", {3: row(AGE * 1000 + 1000, AGE * 1000 + 2000)})) == []
    assert signs(("cat", {3: row(AGE * 1000 + 1000, AGE * 1000 + 2000), 4: row(9000, 9000)})) == [clock(9, "cat")]


@given(st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 32) - 1))
def test_no_clock_is_ahead_of_now_or_of_what_the_kernel_says(sent: int, received: int) -> None:
    """The kernel's count begins anew after 49.7 days. What it says then may be too young, and we make it no younger."""
    for sign in signs(("curl", {3: row(sent, received)})):
        assert sign.at is not None and NOW - AGE <= sign.at <= NOW
        assert NOW - sign.at >= min(sent, received) // 1000


def test_where_the_kernel_has_no_clock_nobody_knows() -> None:
    (sign,) = signs(("rsync", {3: row(None, None)}))
    assert sign.kind == "unknown"
    assert sign.what == (
        "when there was data on a TCP connection of rsync (the kernel does not tell: its answer is short)"
        " could not be read"
    )
    told, stage = played(("rsync", {3: row(None, None)}), ("curl", {3: row(4000, 4000)}))
    stage.without_clocks = "ENOENT"
    first, second = network(told, stage)
    assert "(the kernel does not tell: ENOENT)" in first.what and second == clock(4, "curl")
    assert signs(("nginx", {3: listener(80)})) == []


def test_a_connection_of_another_network_namespace_is_unknown_and_the_namespace_alone_is_not() -> None:
    told, stage = played(("rsync", {3: row(None, None)}))
    stage.elsewhere_is = "net:[5]"
    (sign,) = network(told, stage)
    assert sign.kind == "unknown" and "another network namespace" in sign.what
    told, stage = played(("bash", {}), ("nginx", {3: listener(80), 4: None}))
    stage.elsewhere_is = "net:[5]"
    assert list(network(told, stage)) == []


def test_of_too_many_sockets_one_of_tcp_is_unknown() -> None:
    (sign,) = signs(("tcp-client", {3: Unread("there are too many sockets")}))
    assert sign.kind == "unknown"
    assert sign.what == "a TCP connection of tcp-client (there are too many sockets) could not be read"
    assert signs(("emacs", {3: Unread("there are too many sockets")})) == []


def test_whose_files_may_not_be_looked_at_is_said_by_another_reader() -> None:
    assert signs(("su", None)) == []


@pytest.mark.parametrize("program", sorted(KEEP_ALIVE))
def test_keep_alives_are_a_tick(program: str) -> None:
    # A greeting of 8 kB, and a question and an answer of 100 bytes together every 15 seconds.
    kept_alive = 8000 + 100 * AGE // 15
    assert signs((program, {3: row(2000, 2000, kept_alive)})) == []
    assert signs(("rsync", {3: row(2000, 2000, kept_alive)})) == [clock(2, "rsync")]


def test_the_programs_are_those_of_the_document() -> None:
    text = (Path(__file__).parents[5] / "docs" / "verdict.md").read_text(encoding="utf-8")
    (sentence,) = [item for item in re.split(r"\n- |\n\n", text) if "to keep their line open" in item]
    assert set(re.findall(r"`([\w-]+)`", sentence)) == KEEP_ALIVE
    assert "32 bytes a second" in sentence and "16 KiB" in sentence


def test_what_is_more_than_keep_alives_counts() -> None:
    used = 16384 + 33 * AGE
    assert signs(("ssh", {3: row(2000, 2000, used)})) == [clock(2, "ssh")]
    assert signs(("ssh", {3: row(2000, 2000, None)})) == [clock(2, "ssh")]


def test_whoever_sits_at_a_prompt_asks_for_news_and_that_is_a_tick() -> None:
    news, film = 9000 + 10 * AGE, 16384 + 33 * AGE
    assert signs(("irssi", {3: row(2000, 2000, news), 4: row(1000, 1000, news)}), roles=(PROMPT,)) == []
    assert signs(("irssi", {3: row(2000, 2000, news)}), roles=(WORKS,)) == [clock(2, "irssi")]
    told = signs(("rtorrent", {3: row(2000, 2000, news), 4: row(3000, 3000, film)}), roles=(PROMPT,))
    assert told == [clock(3, "rtorrent")]
    assert signs(("nginx", {3: listener(80), 4: row(2000, 2000, 9, port=80)}), roles=(PROMPT,)) == [clock(2, "nginx")]


def test_what_goes_through_a_tunnel_counts() -> None:
    carrier, tunnel = row(2000, 2000, 9000), row(60000, 50000, 300, port=8080)
    assert signs(("ssh", {3: carrier, 4: listener(8080), 7: tunnel})) == [clock(50, "ssh")]
    assert signs(("ssh", {3: carrier, 7: row(70000, 60000, 300, port=41000)})) == [clock(60, "ssh")]
    assert signs(("ssh", {3: carrier, 4: listener(8080)})) == []
    assert signs(("ssh", {3: carrier, 7: row(70000, 60000, 300, port=41000)}), roles=(PROMPT,)) == [clock(60, "ssh")]
