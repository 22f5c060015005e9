# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that make no sense, or nearly do: what a server lists, and how it says it. Standard library only.

Everything is drawn from one ``random.Random``. Most of an answer is right: what is all wrong is refused at once.
"""

import array
import contextlib
import os
import random
import re
import socket
import struct
import time
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from ansible_collections.fleet.tmux.tests.attacks import fake_server
from ansible_collections.fleet.tmux.tests.attacks.fake_server import (
    EXIT,
    HEADER,
    PROTOCOL,
    STDOUT,
    WRITE,
    WRITE_CLOSE,
    WRITE_OPEN,
    Peer,
)

Facts = Dict[str, Any]
"""What an attacker can know: pids of others, paths, the program that tells who runs it."""
Row = Dict[str, str]

HUGE = [
    "-1",
    "-" + "9" * 4300,
    "9" * 4300,
    "9" * 30,
    str(2**63),
    str(2**31),
    str(10**15 - 1),
    "4102444800",
    "1e9",
    "0x1",
]
NO_NUMBERS = ["", " ", "1 ", "+1", "1_0", "\u00b2", "\u0663", "NaN", "None", "true", "1.5", "\x00", "1\n2"]
TEXTS = [
    "",
    " ",
    "=",
    "$1",
    "-t",
    "a:b.c",
    "\x1b]0;pwned\x07\x1b[2J",
    "\u202eevil\u2066",
    "\udcff\udcfe",
    "#{session_name}",
    "#(id)",
    "{{ lookup('pipe', 'id') }}",
    "{% raw %}",
    "</script><img src=x onerror=alert(1)>",
    "../../../tmp/vault/x",
    "-rf /",
    "%s%n%d",
    "\r\n\t\v\f\x7f\x85",
    "\ufeff\U0010ffff",
    "on",
    "2999-12-31",
    "1763400000/1/1",
    "\\" * 300,
    "x" * 70000,
]
GONE = ["no server running on %s", "error connecting to %s (No such file or directory)", "lost server", "server exited"]
REFUSED = [
    "no current target",
    "can't find session: $1",
    "no sessions",
    "protocol version mismatch (client 8, server 7)",
]


def number(draw: random.Random, facts: Facts) -> str:
    """Something in the place of a number."""
    kind = draw.randrange(5)
    if kind == 0:
        return draw.choice(HUGE)
    if kind == 1:
        return draw.choice(NO_NUMBERS)
    if kind == 2:
        return str(draw.choice([0, 1, 2, *facts["pids"]]))
    if kind == 3:
        return str(int(time.time()) + draw.choice([-(10**9), -86400, -1, 0, 1, 3600, 10**9]))
    return draw.choice(["1", "0", "7"]) * draw.choice([1, 15, 16, 100, 5000])


def text(draw: random.Random, nonce: str) -> str:
    """Something in the place of a text; ``nonce`` is what our rows are divided by, which a server is told."""
    if draw.random() < 0.3:
        return draw.choice([nonce + "|s", nonce + ",", nonce + ".", nonce + "|p" + nonce + ",$1", nonce + " done $1"])
    return draw.choice(TEXTS) * draw.choice([1, 1, 2, 40])


def identity(draw: random.Random, mark: str) -> str:
    """Something in the place of an id."""
    odd = [
        "",
        mark,
        mark + "-1",
        mark + "9" * 40,
        mark + "1\n",
        mark + "\u00b2",
        "$0",
        "@0",
        "%0",
        "=x",
        mark + "1;kill-server",
    ]
    return draw.choice([*odd, mark + str(draw.randrange(4))])


class Shape(NamedTuple):
    """How one server lies: how much it lists, and how often something in it is wrong."""

    sessions: int
    windows: int
    panes: int
    shared: str
    fields: float
    rows: float
    shuffled: bool
    version: str
    forged: bool


def shape(draw: random.Random) -> Shape:
    sessions = draw.choice([0, 1, 1, 2, 3, 5, 20, 20, 100, 600, 2000])
    many = sessions > 100
    return Shape(
        sessions=sessions,
        windows=draw.choice([1, 1, 2]) if many else draw.choice([0, 1, 1, 2, 9, 60]),
        panes=1 if many else draw.choice([0, 1, 1, 2, 7]),
        shared=draw.choice(["own", "own", "one", "group", "cycle"]),
        fields=draw.choice([0, 0, 0.001, 0.02, 0.3]),
        rows=draw.choice([0, 0, 0.01, 0.2]),
        shuffled=draw.random() < 0.2,
        version=draw.choice(
            ["3.3a", "3.3a", "2.7", "2.9", "3.0a", "3.4", "next-3.9", "99999.99999", "", "\x1b[2J", "1.8"]
        ),
        forged=draw.random() < 0.3,
    )


class World:
    """What a server says that it holds: rows of sessions, windows, panes and clients, each by the name of its field."""

    def __init__(self, draw: random.Random, form: Shape, facts: Facts) -> None:
        self.draw = draw
        self.form = form
        self.facts = facts
        now = int(time.time())
        self.clock = str(now - draw.choice([0, 3, 90, 86400, 86400 * 900]))
        self.odd = draw.choice(TEXTS)[:500]
        self.pid = str(draw.choice(facts["pids"])) if form.forged else str(os.getpid())
        self.sessions = [self._session(count) for count in range(form.sessions)]
        self.windows = [row for session in self.sessions for row in self._windows(session)]
        self.panes = [row for window in self.windows for row in self._panes(window)]
        self.clients = [self._client(row) for row in self.sessions[:1] * draw.choice([0, 0, 1, 3])]
        for row in self.sessions:
            row["session_attached"] = str(len(self.clients))

    def _client(self, session: Row) -> Row:
        return dict(session, client_activity=self.clock, client_name="/dev/pts/0", client_control_mode="0")

    def _session(self, count: int) -> Row:
        draw = self.draw
        return {
            "session_id": "$%d" % count,
            "pid": self.pid,
            "start_time": self.clock,
            "session_created": self.clock,
            "session_activity": self.clock,
            "session_last_attached": draw.choice(["", self.clock]),
            "session_attached": "0",
            "session_windows": str(self.form.windows),
            "version": self.form.version,
            "session_name": draw.choice(["idle", "keep", "name-%d" % count, self.odd + str(count)]),
            "session_group": "group" if self.form.shared == "group" else "",
            "@keep": draw.choice(["", "", "", "on", "2999-12-31", "1d12h", "\x1b"]),
            "@no_snapshot": draw.choice(["", "", "", "on", "\x1b"]),
            "@fleet_tmux_keep": draw.choice(["", "", "", "1 1 0123456789abcdef", "2 %s" % self.clock, "\udcff"]),
            "@fleet_tmux_notice": draw.choice(["", "", "", "1 1 1 1", "v1:%s:9" % self.clock, "\udcff"]),
        }

    def _windows(self, session: Row) -> List[Row]:
        rows = []
        for count in range(self.form.windows):
            number = int(session["session_id"][1:])
            window = {
                "own": number * self.form.windows + count,
                "one": 0,
                "group": count,
                "cycle": (number + count) % 5,
            }
            named = {"window_id": "@%d" % window[self.form.shared], "window_index": str(count), "window_name": "w"}
            size = {"window_width": "80", "window_height": "24", "window_layout": "b25d,80x24,0,0,0"}
            count_of_panes = {"window_panes": str(self.form.panes), "window_active": str(int(count == 0))}
            rows.append(dict(session, window_activity=self.clock, **named, **size, **count_of_panes))
        return rows

    def _panes(self, window: Row) -> List[Row]:
        rows = []
        for count in range(self.form.panes):
            pane = int(window["window_id"][1:]) * self.form.panes + count
            row = {"pane_id": "%%%d" % pane, "pane_index": str(count), "pane_active": str(int(count == 0))}
            row.update(pane_pid=str(self.draw.choice([os.getpid(), 1, *self.facts["pids"]])), pane_dead="0")
            row.update(pane_dead_status="", pane_dead_signal="", pane_width="80", pane_height="24", pane_title="t")
            row.update(pane_current_command="sh", pane_current_path="/tmp", pane_start_command="")
            rows.append(dict(window, **row))
        return rows

    def rows(self, command: str) -> List[Row]:
        of = {"list-sessions": self.sessions, "list-windows": self.windows, "list-panes": self.panes}
        return of.get(command, self.clients if command == "list-clients" else [])

    def lists(self, words: List[str]) -> str:
        """What a command prints whose format is among its words."""
        form = words[words.index("-F") + 1]
        nonce = (re.findall(r"[0-9a-f]{16}", form) or ["0" * 16])[0]
        parts = fake_server.template(form)
        listed = [self._line(dict(row), parts, nonce) for row in self.rows(words[0])]
        if self.form.shuffled:
            self.draw.shuffle(listed)
        return "".join(listed)

    def _line(self, row: Row, parts: List[str], nonce: str) -> str:
        draw, form = self.draw, self.form
        for name in parts[1::2]:
            if draw.random() < form.fields:
                row[name] = self._wrong(name, nonce)
        said = "".join(row.get(part, "0") if count % 2 else part for count, part in enumerate(parts)) + "\n"
        if draw.random() >= form.rows:
            return said
        cut = draw.randrange(len(said) + 1)
        return draw.choice(
            ["", said * 2, said * 50, said[:cut], said[cut:], said[:cut] + text(draw, nonce) + said[cut:]]
        )

    def _wrong(self, name: str, nonce: str) -> str:
        marks = {"session_id": "$", "window_id": "@", "pane_id": "%"}
        if name in marks and self.draw.random() < 0.7:
            return identity(self.draw, marks[name])
        return self.draw.choice([number(self.draw, self.facts), number(self.draw, self.facts), text(self.draw, nonce)])


# --- how it is said ---------------------------------------------------------------------------------------------------


class Talk(NamedTuple):
    """One client that is answered."""

    peer: Peer
    draw: random.Random
    path: str
    program: bytes
    """Of the server's owner: it tells who has run it."""


def whole(talk: Talk, said: bytes) -> None:
    talk.peer.print(said)
    end(talk.peer)


def end(peer: Peer, code: int = 0, message: bytes = b"") -> None:
    peer.send(EXIT, struct.pack("=i", code) + (message + b"\0" if message else b""))
    with contextlib.suppress(ConnectionError):
        while True:
            peer.receive()


def in_pieces(talk: Talk, said: bytes) -> None:
    """In messages of odd sizes, some of them after a while."""
    peer, draw = talk.peer, talk.draw
    peer.open_for_writing(STDOUT, b"")
    pauses = 3
    while said:
        size = draw.choice([0, 1, 7, 4096, 16000])
        peer.send(WRITE, struct.pack("=i", 1) + said[:size])
        said = said[size:]
        if pauses and draw.random() < 0.02:
            pauses -= 1
            time.sleep(draw.random())
    peer.send(WRITE_CLOSE, struct.pack("=i", 1))
    end(peer)


def cut_off(talk: Talk, said: bytes) -> None:
    """Some of it, and then the connection is closed, or stays open for ever."""
    peer, draw = talk.peer, talk.draw
    peer.open_for_writing(STDOUT, b"")
    for start in range(0, draw.randrange(len(said) + 1), 16000):
        peer.send(WRITE, struct.pack("=i", 1) + said[start : start + 16000])
    if draw.random() < 0.5:
        time.sleep(3600)


def to_another_stream(talk: Talk, said: bytes) -> None:
    """On standard error, on a stream that was never opened, or into a file."""
    peer, draw = talk.peer, talk.draw
    where = draw.choice([-1, -1, 2, 0, 7, 2**31 - 1])
    peer.send(WRITE_OPEN, struct.pack("=iii", draw.choice([1, 9]), where, os.O_CREAT) + b"/tmp/vault/written\0")
    peer.send(WRITE, struct.pack("=i", 1) + (said or b"x")[:16000])
    peer.send(WRITE_CLOSE, struct.pack("=i", 1))
    end(peer, draw.choice([0, 1, 255, -1]))


def with_other_messages(talk: Talk, said: bytes) -> None:
    """Between the right ones, messages of any type, version, length and sender."""
    peer, draw = talk.peer, talk.draw
    peer.open_for_writing(STDOUT, b"")
    for start in range(0, len(said), 16000):
        if draw.random() < 0.5:
            other(talk)
        peer.send(WRITE, struct.pack("=i", 1) + said[start : start + 16000])
    other(talk)
    peer.send(WRITE_CLOSE, struct.pack("=i", 1))
    end(peer)


def other(talk: Talk) -> None:
    peer, draw = talk.peer, talk.draw
    kind = draw.choice([*range(200, 220), *range(300, 310), 0, 100, 2**32 - 1])
    data = draw.choice([b"", b"\0" * 4, talk.program + b"\0", b"/tmp/vault/written\0" * 2, b"\xff" * 9000])
    length = draw.choice([HEADER.size + len(data)] * 4 + [0, 1, HEADER.size, 16384, 65535])
    version = draw.choice([PROTOCOL] * 4 + [0, 7, 9, 2**32 - 1])
    peer.connection.sendall(
        HEADER.pack(kind, length, draw.choice([0, 0, 1, 65535]), version, draw.randrange(2**32)) + data
    )


def with_descriptors(talk: Talk, said: bytes) -> None:
    """With open files of the server's, as many as a message holds."""
    peer, draw = talk.peer, talk.draw
    handles = array.array("i", [0] * draw.choice([1, 1, 3, 200]))
    opening = struct.pack("=iii", 1, STDOUT, 0) + b"\0"
    flags = 1  # IMSGF_HASFD
    head = HEADER.pack(WRITE_OPEN, HEADER.size + len(opening), flags, PROTOCOL, os.getpid())
    peer.connection.sendmsg([head + opening], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handles)])
    peer.print(said)
    end(peer)


def as_if_there_were_none(talk: Talk, said: bytes) -> None:
    """What tmux says where there is no server, no session or another version; and live on."""
    peer, draw = talk.peer, talk.draw
    sentence = draw.choice([*GONE, *REFUSED]).replace("%s", talk.path).encode()
    if draw.random() < 0.5:
        end(peer, 1, sentence)
    peer.send(WRITE_OPEN, struct.pack("=iii", 2, 2, 0) + b"\0")
    peer.send(WRITE, struct.pack("=i", 2) + sentence + b"\n")
    peer.send(WRITE_CLOSE, struct.pack("=i", 2))
    end(peer, 1)


def without_end(talk: Talk, said: bytes) -> None:
    peer = talk.peer
    peer.open_for_writing(STDOUT, b"")
    data = (said or b"x" * 100)[:16000]
    while True:
        peer.send(WRITE, struct.pack("=i", 1) + data)


def not_at_all(talk: Talk, said: bytes) -> None:
    time.sleep(3600)


def noise(talk: Talk, said: bytes) -> None:
    peer, draw = talk.peer, talk.draw
    peer.connection.sendall(bytes(draw.randrange(256) for _byte in range(draw.choice([1, 15, 16, 4096]))))
    time.sleep(draw.choice([0, 3600]))


def late(talk: Talk, said: bytes) -> None:
    time.sleep(talk.draw.choice([0.2, 0.7, 0.95, 1.5]))
    whole(talk, said)


def as_a_program(talk: Talk, said: bytes) -> None:
    """Become a program of the server's owner, in place of the client."""
    peer, draw = talk.peer, talk.draw
    program = draw.choice([talk.program] * 4 + [b"exec sleep 3600", b"kill -STOP $$", b"yes", b"exec 1>&-; sleep 3600"])
    peer.send(fake_server.SHELL, program + b"\0")
    peer.receive()


Manner = Callable[[Talk, bytes], None]
MANNERS: Tuple[Manner, ...] = (
    *([whole] * 12),
    in_pieces,
    in_pieces,
    cut_off,
    to_another_stream,
    to_another_stream,
    with_other_messages,
    with_other_messages,
    with_other_messages,
    with_descriptors,
    as_if_there_were_none,
    without_end,
    not_at_all,
    noise,
    late,
    late,
    as_a_program,
    as_a_program,
)


# --- one server -------------------------------------------------------------------------------------------------------


class Server:
    """A server of one seed: it has a shape and a manner, and sometimes others."""

    def __init__(self, seed: str, path: str, facts: Facts) -> None:
        self.path = path
        self.seed = seed
        self.facts = facts
        draw = random.Random(seed)
        self.shape = shape(draw)
        self.manner = draw.choice(MANNERS)
        self.fickle = draw.choice([0, 0, 0.2, 1])
        self.calls = 0
        self.world = World(draw, self.shape, facts)

    def answer(self, peer: Peer) -> None:
        self.calls += 1
        draw = random.Random("%s/%d" % (self.seed, self.calls))
        world, manner = self.world, self.manner
        if draw.random() < self.fickle:
            world, manner = World(draw, shape(draw), self.facts), draw.choice(MANNERS)
        commands = fake_server.split(peer.command())
        said = "".join(self._said(peer, draw, words, world) for words in commands)
        manner(Talk(peer, draw, self.path, os.fsencode(self.facts["program"])), os.fsencode(said))

    def _said(self, peer: Peer, draw: random.Random, words: List[str], world: World) -> str:
        if words[0] == "source-file":
            return ended(draw, os.fsdecode(fake_server.script(peer, words[-1])), world)
        if "-F" in words and words[0].startswith("list-"):
            return world.lists(words)
        if words[0] == "if-shell":
            return ended(draw, " ".join(words), world)
        return text(draw, "0" * 16) * draw.choice([1, 1, 1, 1000]) if draw.random() < 0.5 else words[-1] + "\n"


def ended(draw: random.Random, orders: str, world: World) -> str:
    """What a server says to orders to end sessions: the truth, a lie, or nothing; some are gone afterwards."""
    said = re.findall(r"([0-9a-f]{16}) done \\?([$][0-9]+)", orders)
    word = draw.choice(["done", "done", "kept", "both", "nobody's", "nothing"])
    if draw.random() < 0.6:
        gone = {identity for _nonce, identity in said}
        for rows in (world.sessions, world.windows, world.panes):
            rows[:] = [row for row in rows if row["session_id"] not in gone]
    lines = []
    for nonce, target in said:
        if word == "nobody's":
            lines.append("%s done %s" % (nonce, draw.choice(["$0", "$999", "", target + " " + target, "\udcff"])))
        elif word != "nothing":
            lines += ["%s %s %s" % (nonce, one, target) for one in (["done", "kept"] if word == "both" else [word])]
    return "".join(line + "\n" for line in lines)
