# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Something that listens where a tmux server would, calls itself one, and does what its user wants.

    fake_server.py SOCKET MODE SETTINGS

It speaks tmux's protocol: messages of a header (type, length, flags, protocol version, pid) and data. Prints ``ready``
when it listens. Standard library only.
"""

import contextlib
import ctypes
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from typing import Any, Callable, Dict, List, Tuple

HEADER = struct.Struct("=IHHII")
PROTOCOL = 8
COMMAND = 200
DETACHKILL, EXIT, EXITED, EXITING, LOCK, READY = 202, 203, 204, 205, 206, 207
SHELL, SUSPEND, EXEC = 209, 214, 217
READ_OPEN, READ, READ_DONE, WRITE_OPEN, WRITE, WRITE_READY, WRITE_CLOSE = 300, 301, 302, 303, 304, 305, 306
STDOUT = 1
CHUNK = 16000
"""Bytes that fit into a message."""


class Peer:
    """A client that has connected."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._buffer = b""

    def send(self, kind: int, data: bytes = b"") -> None:
        self.connection.sendall(HEADER.pack(kind, HEADER.size + len(data), 0, PROTOCOL, os.getpid()) + data)

    def receive(self) -> Tuple[int, bytes]:
        kind, length = struct.unpack_from("=IH", self._take(HEADER.size))
        return kind, self._take(length - HEADER.size)

    def expect(self, wanted: int) -> bytes:
        while True:
            kind, data = self.receive()
            if kind == wanted:
                return data

    def command(self) -> List[str]:
        """The words that the client was called with."""
        return [os.fsdecode(word) for word in self.expect(COMMAND)[4:].split(b"\0")[:-1]]

    def print(self, text: bytes) -> None:
        """Have the client print, as a real server would."""
        self.open_for_writing(STDOUT, b"")
        for start in range(0, len(text), CHUNK):
            self.send(WRITE, struct.pack("=i", 1) + text[start : start + CHUNK])
        self.send(WRITE_CLOSE, struct.pack("=i", 1))

    def open_for_writing(self, descriptor: int, path: bytes) -> None:
        self.send(WRITE_OPEN, struct.pack("=iii", 1, descriptor, os.O_CREAT | os.O_TRUNC) + path + b"\0")

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            data = self.connection.recv(65536)
            if not data:
                raise ConnectionError("the client has gone")
            self._buffer += data
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken


Settings = Dict[str, Any]


def shell(peer: Peer, settings: Settings) -> None:
    """Execute a program in place of the client."""
    peer.command()
    peer.send(SHELL, settings["program"].encode() + b"\0")
    peer.receive()


def execute(peer: Peer, settings: Settings) -> None:
    """Execute a shell command in place of an attached client."""
    peer.command()
    peer.send(READY)
    peer.send(EXEC, settings["program"].encode() + b"\0/bin/sh\0")
    peer.expect(EXITING)
    peer.send(EXITED)


def lock(peer: Peer, settings: Settings) -> None:
    """Have the attached client run a command, as if to lock the screen."""
    peer.command()
    peer.send(READY)
    peer.send(LOCK, settings["program"].encode() + b"\0")
    peer.send(EXIT, struct.pack("=i", 0))
    peer.expect(EXITING)
    peer.send(EXITED)


def write_open(peer: Peer, settings: Settings) -> None:
    """Have the client write a file."""
    peer.command()
    peer.open_for_writing(-1, settings["file"].encode())
    peer.expect(WRITE_READY)
    peer.send(WRITE, struct.pack("=i", 1) + b"written by a client")
    peer.send(WRITE_CLOSE, struct.pack("=i", 1))
    peer.send(EXIT, struct.pack("=i", 0))
    peer.receive()


def read_open(peer: Peer, settings: Settings) -> None:
    """Have the client read a file, and keep what it says."""
    peer.command()
    peer.send(READ_OPEN, struct.pack("=ii", 2, -1) + settings["file"].encode() + b"\0")
    with open(settings["into"], "wb", 0) as loot:
        while True:
            kind, data = peer.receive()
            if kind == READ:
                loot.write(data[4:])
            elif kind == READ_DONE:
                break
    peer.send(EXIT, struct.pack("=i", 0))
    peer.receive()


def detach_kill(peer: Peer, _settings: Settings) -> None:
    """Have the attached client send SIGHUP to its parent."""
    peer.command()
    peer.send(READY)
    peer.send(DETACHKILL, b"s\0")
    peer.expect(EXITING)
    peer.send(EXITED)


def suspend(peer: Peer, _settings: Settings) -> None:
    """Have the attached client stop itself."""
    peer.command()
    peer.send(READY)
    peer.send(SUSPEND)
    time.sleep(3600)


def leave(peer: Peer, settings: Settings) -> None:
    """End the client with a status and a message."""
    peer.command()
    said = os.fsencode(settings.get("message", ""))
    peer.send(EXIT, struct.pack("=i", settings.get("code", 0)) + (said + b"\0" if said else b""))
    peer.receive()


def flood(peer: Peer, _settings: Settings) -> None:
    """Print without end."""
    peer.command()
    peer.open_for_writing(STDOUT, b"")
    data = struct.pack("=i", 1) + b"\x1b]0;flood\x07\n" * (CHUNK // 12)
    while True:
        peer.send(WRITE, data)


def drip(peer: Peer, _settings: Settings) -> None:
    """Print a byte now and then."""
    peer.command()
    peer.open_for_writing(STDOUT, b"")
    while True:
        peer.send(WRITE, struct.pack("=i", 1) + b".")
        time.sleep(0.2)


def silence(peer: Peer, _settings: Settings) -> None:
    """Take the command and never answer."""
    peer.command()
    time.sleep(3600)


def garbage(peer: Peer, _settings: Settings) -> None:
    """Send what is no message."""
    peer.command()
    peer.connection.sendall(b"\xff" * 4096)
    time.sleep(3600)


def slam(peer: Peer, _settings: Settings) -> None:
    """Close the connection without an answer."""
    peer.command()


def lie(peer: Peer, settings: Settings) -> None:
    """List whatever the settings say, in the format that the client asks for: `rows` times, `values` by field."""
    commands = split(peer.command())
    answer = b"".join(answered(words, settings) for words in commands)
    if settings.get("vanishes") and any(words[0] in ("if-shell", "source-file", "kill-session") for words in commands):
        answer += confirmed(peer, commands)
        another = {"session_id": "$2", "session_name": "other", "window_id": "@2", "pane_id": "%2"}
        settings["values"] = dict(settings["values"], pane_pid=str(os.getpid()), **another)
    if settings.get("ends") and any(words[0] in ("if-shell", "source-file") for words in commands):
        answer += confirmed(peer, commands)
        settings["ended"] = settings.get("ended", 0) + answer.count(b" done ")
    time.sleep(max(settings.get("waits", {}).get(words[0], 0) for words in commands))
    peer.print(answer)
    peer.send(EXIT, struct.pack("=i", 0))
    with contextlib.suppress(ConnectionError):
        while True:  # Until the client has written all of it, and goes.
            peer.receive()
    if settings.get("ended", 0) >= settings.get("rows", 1):
        os._exit(0)  # As a server does with its last session.


def confirmed(peer: Peer, commands: List[List[str]]) -> bytes:
    """What a server says that has done what it was told to."""
    told = b"".join(script(peer, words[-1]) for words in commands if words[0] == "source-file")
    told += os.fsencode(" ".join(word for words in commands for word in words))
    return b"".join(found + b"\n" for found in re.findall(rb"[0-9a-f]{16} done [$][0-9]+", told.replace(b"\\$", b"$")))


def script(peer: Peer, path: str) -> bytes:
    """The commands in a file, or in what the client has on its standard input."""
    if path != "-":
        with open(path, "rb") as stream:
            return stream.read()
    peer.send(READ_OPEN, struct.pack("=ii", 2, 0) + b"-\0")
    text = b""
    while True:
        kind, data = peer.receive()
        if kind == READ:
            text += data[4:]
        elif kind == READ_DONE:
            return text


def split(words: List[str]) -> List[List[str]]:
    """The commands of a chain."""
    commands: List[List[str]] = [[]]
    for word in words:
        if word == ";":
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def answered(words: List[str], settings: Settings) -> bytes:
    if words[0] in settings.get("says", {}):
        line, times = settings["says"][words[0]]
        return os.fsencode(line * times)
    if words[0] == "display-message":
        return os.fsencode(words[-1] + "\n")
    if "-F" not in words or words[0] not in settings["answers"]:
        return b""
    form = words[words.index("-F") + 1]
    form = form.replace(settings["guard"], "guard") if settings.get("guard") else form
    parts = template(form)
    values = [settings["values"].get(part, "0") if count % 2 else part for count, part in enumerate(parts)]
    row = "".join(values) + "\n"
    return os.fsencode("".join(row.replace("NUMBER", str(number)) for number in range(settings.get("rows", 1))))


def template(form: str) -> List[str]:
    """A format in parts: texts, and between them names of fields; of what is nested, nothing is left but a 0."""
    form = form.replace("#{?#{pid},1,}", "1")  # whether all was done in time, which it always is
    names = set(re.findall(r"#\{([^{}:?=,]*)\}", form))
    return filled(form, {name: "\x01%s\x01" % name for name in names}).split("\x01")


def filled(form: str, values: Dict[str, str]) -> str:
    """A format with the values in it; what is in nested braces counts for nothing."""

    def value(found: "re.Match[str]") -> str:
        return values.get(found.group(1), "0")

    while re.search(r"#\{[^{}]*\}", form):
        form = re.sub(r"#\{([^{}]*)\}", value, form)
    return form


MODES: Dict[str, Callable[[Peer, Settings], None]] = {
    "shell": shell,
    "exec": execute,
    "lock": lock,
    "write-open": write_open,
    "read-open": read_open,
    "detach-kill": detach_kill,
    "suspend": suspend,
    "exit": leave,
    "flood": flood,
    "drip": drip,
    "silence": silence,
    "garbage": garbage,
    "slam": slam,
    "lie": lie,
}


def family(number: int) -> int:
    """Start a real child with so many of its own, as in a pane; its pid."""
    script = "for one in $(seq %d); do sleep 3600 & done; wait" % number
    return subprocess.Popen(["sh", "-c", script], stdout=subprocess.DEVNULL, start_new_session=True).pid


def serve(path: str, mode: str, settings: Settings) -> None:
    """Listen for ever. The modes `deaf` and `full` never accept; for `full`, nobody can even connect."""
    ctypes.CDLL(None).prctl(15, settings.get("name", "tmux: server").encode(), 0, 0, 0)
    if "family" in settings:
        settings["values"]["pane_pid"] = str(family(settings["family"]))
    listener = socket.socket(socket.AF_UNIX)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    listener.bind(path)
    os.chmod(path, 0o660)
    listener.listen(0 if mode == "full" else 64)
    waiting = []
    if mode == "full":
        for _number in range(4):
            waiting.append(socket.socket(socket.AF_UNIX))
            waiting[-1].setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting[-1].connect(path)
    print("ready", flush=True)
    while mode in ("deaf", "full"):
        time.sleep(3600)
    while True:
        connection, _address = listener.accept()
        threading.Thread(target=handle, args=(connection, mode, settings), daemon=True).start()


def handle(connection: socket.socket, mode: str, settings: Settings) -> None:
    """Deal with one client; whatever it does, the server stays."""
    with contextlib.suppress(OSError), connection:
        MODES[mode](Peer(connection), settings)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
