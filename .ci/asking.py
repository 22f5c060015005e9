# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a cleanup for a person at a terminal: put its question to them, and say what is known when they break it off.

The command is told of a socket, sends what it is about to do, and is answered yes or no. Only `y` or `yes` is yes.
It is also told of a file, in which it keeps account of the hosts. Standard library only.
"""

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import typing as t

SOCKET = "FLEET_TMUX_CLEANUP_ASK"
"""Where the command finds the name of the socket: plugins/plugin_utils/_question.py."""
ACCOUNT = "FLEET_TMUX_CLEANUP_ACCOUNT"
"""Where it finds the name of the file: plugins/plugin_utils/_account.py."""
QUESTION = "Do this now? Only y or yes does it: "
_LONGEST_PATH = 100
_LONGEST_ANSWER = 1000
_PATIENCE = 10
"""Seconds in which the command ends after it was told to."""


class Account(t.NamedTuple):
    """How many hosts there are (None: nobody knows), and with how many the run has begun and is done."""

    hosts: t.Optional[int]
    begun: int
    done: int


class Ended(t.NamedTuple):
    """How the command ended, and whether the person has refused what it wanted to do, or broken it off.

    ``account``: what is known of the hosts then; None if nothing is.
    """

    status: int
    refused: bool = False
    broken_off: bool = False
    account: t.Optional[Account] = None


def run(command: t.Sequence[str], environ: t.Mapping[str, str], asks: bool) -> Ended:
    """Run a command to its end; with `asks`, what it wants to do is asked here first."""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(_private_folder())
        told = dict(environ, **{ACCOUNT: os.path.join(place, "account")})
        listener = None
        if asks:
            listener = stack.enter_context(_listener(os.path.join(place, "ask")))
            told[SOCKET] = listener.getsockname()
        ended = _attended(subprocess.Popen(command, env=told), listener)
        return ended._replace(account=_read(told[ACCOUNT])) if ended.broken_off else ended


def _private_folder() -> t.ContextManager[str]:
    folder = tempfile.gettempdir()
    # The name of a socket cannot be long.
    base = folder if len(os.fsencode(folder)) + 40 < _LONGEST_PATH else "/tmp"
    return tempfile.TemporaryDirectory(prefix="fleet-tmux-", dir=base)


def _listener(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(1)
    return listener


def _read(path: str) -> t.Optional[Account]:
    try:
        with open(path, encoding="ascii") as file:
            return account(file)
    except OSError:
        return None


def account(lines: t.Iterable[str]) -> Account:
    """What the file says; a last line that is not whole is left out."""
    events = [json.loads(line) for line in lines if line.endswith("\n")]
    told: t.Dict[str, t.List[t.Any]] = {}
    for event, what in events:
        told.setdefault(event, []).append(what)
    begun, done = set(told.get("begun", [])), set(told.get("done", []))
    hosts = told.get("hosts", [None])[-1]
    return Account(hosts, len(begun | done), len(done))


def _attended(process: "subprocess.Popen[bytes]", listener: t.Optional[socket.socket]) -> Ended:
    over, said_over = os.pipe()

    def wait() -> None:
        process.wait()
        os.close(said_over)

    threading.Thread(target=wait, daemon=True).start()
    refused = False
    handlers = {each: signal.signal(each, _raise_interrupt) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        while listener is not None and _ready(over, listener) is listener:
            refused = not _put(listener, over)
        _ready(over)
        return Ended(process.returncode, refused)
    except _Told:
        return Ended(_end(process, over, told=False), refused, broken_off=True)
    except KeyboardInterrupt:
        return Ended(_end(process, over, told=True), refused, broken_off=True)
    except BaseException:
        # Whatever is wrong with our own terminal: nothing goes on without anybody to watch it.
        _end(process, over, told=False)
        raise
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
        os.close(over)


class _Told(KeyboardInterrupt):
    """Somebody has told us, and us alone, to end."""


def _raise_interrupt(_number: int, _frame: t.Any) -> None:
    raise _Told


def _ready(*channels: t.Any, seconds: t.Optional[float] = None) -> t.Any:
    """The first of these that has something, in their order; None if none has after so many seconds."""
    with selectors.DefaultSelector() as selector:
        for channel in channels:
            selector.register(channel, selectors.EVENT_READ)
        ready = [key.fileobj for key, _events in selector.select(seconds)]
    return next((channel for channel in channels if channel in ready), None)


def _end(process: "subprocess.Popen[bytes]", over: int, told: bool) -> int:
    """The command has been interrupted by the same key (``told``), or is now; the exit status that says so."""
    for tell in (*([None] if told else []), signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if tell is not None:
            with contextlib.suppress(OSError):
                process.send_signal(tell)
        with contextlib.suppress(KeyboardInterrupt):
            if _ready(over, seconds=_PATIENCE if tell else _PATIENCE / 2) == over:
                break
    return 128 + signal.SIGINT


# --- the question -----------------------------------------------------------------------------------------------------


def _put(listener: socket.socket, over: int) -> bool:
    """Ask what the command wants to know; whether the answer was yes."""
    connection, _address = listener.accept()
    with connection:
        with connection.makefile("rb") as stream:
            text = stream.read().decode("utf-8", errors="replace")
        agreed = _agreed(text, over)
        with contextlib.suppress(OSError):
            connection.sendall(b"yes\n" if agreed else b"no\n")
    return agreed


def _agreed(text: str, over: int) -> bool:
    # Where the output goes to a file or a program, the question must still reach the person.
    screen = sys.stdout if sys.stdout.isatty() or not sys.stderr.isatty() else sys.stderr
    # What was typed before there was a question is no answer to it.
    with contextlib.suppress(termios.error):
        termios.tcflush(0, termios.TCIFLUSH)
    encoding = screen.encoding or "ascii"
    screen.write("\n%s\n\n%s" % (text.encode(encoding, "backslashreplace").decode(encoding), QUESTION))
    screen.flush()
    said = _line(over)
    if not said.endswith("\n"):
        screen.write("\n")
        screen.flush()
    return said.endswith("\n") and said.strip().lower() in ("y", "yes")


def _line(over: int) -> str:
    """What is typed, with the end of its line; what the end of the input or of the command cuts off has none."""
    typed = b""
    while len(typed) < _LONGEST_ANSWER and not typed.endswith(b"\n"):
        if _ready(over, 0) == over:
            break
        more = os.read(0, 1)
        if not more:
            break
        typed += more
    return typed.decode("utf-8", errors="replace")
