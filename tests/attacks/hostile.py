# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One hostile user: run as that user, it does what its seed says, until it is ended.

    hostile.py SEED FACTS [KIND ...]

FACTS is JSON of what an attacker can know. Which kinds of attack these are is drawn from the seed, unless they are
named. Prints them when everything is in place, as a line of JSON.
"""

import contextlib
import ctypes
import errno
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from typing import Callable, Dict, List

from ansible_collections.fleet.tmux.tests.attacks.fake_server import Peer
from ansible_collections.fleet.tmux.tests.attacks.nonsense import TEXTS, Facts, Server

NAMES = ["tmux: server", "tmux: client", "tmux", ") R 1 1 1 tmux:", "tmux:\n(1) S", "gunicorn: maste", "\x1b[2J", "sh"]
SECONDS = 3600


class Hostile:
    """A user with a seed, and the folder in which tmux would put his sockets."""

    def __init__(self, seed: str, facts: Facts) -> None:
        self.seed = seed
        self.facts = facts
        self.draw = random.Random(seed)
        self.folder = "/tmp/tmux-%d" % os.getuid()
        self.children: List[int] = []
        self._ready = -1
        with contextlib.suppress(FileExistsError):
            os.mkdir(self.folder, 0o700)

    def fork(self, work: Callable[[random.Random], None], name: str = "") -> None:
        """Have a child of a name of its own do something, and sleep; return when it says that it is in place."""
        seed = "%s/%d" % (self.seed, len(self.children))
        name = name or self.draw.choice(NAMES)
        ready, told = os.pipe()
        child = os.fork()
        if child:
            os.close(told)
            os.read(ready, 1)  # Nothing is ever written: it ends.
            os.close(ready)
            self.children.append(child)
            return
        os.close(ready)
        self._ready = told
        rename(name)
        with contextlib.suppress(OSError):
            work(random.Random(seed))
        self.in_place()
        time.sleep(SECONDS)
        os._exit(0)

    def in_place(self) -> None:
        """For a child: everything is as it should be, and can begin."""
        if self._ready >= 0:
            os.close(self._ready)
        self._ready = -1

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)


def rename(name: str) -> None:
    ctypes.CDLL(None).prctl(15, os.fsencode(name), 0, 0, 0)


def listening(path: str, backlog: int = 64) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(path)
    made.listen(backlog)
    os.chmod(path, 0o600)
    return made


# --- kinds of attack --------------------------------------------------------------------------------------------------


def servers(user: Hostile) -> None:
    """Servers that answer with nonsense."""
    for number in range(user.draw.choice([1, 1, 2, 3])):
        path = user.path("nonsense-%d" % number)
        seed = "%s/server-%d" % (user.seed, number)
        user.fork(lambda _draw, seed=seed, path=path: serve(user, seed, path), "tmux: server")  # type: ignore[misc]


def serve(user: Hostile, seed: str, path: str) -> None:
    server = Server(seed, path, user.facts)
    listener = listening(path)
    user.in_place()
    while True:
        connection, _address = listener.accept()
        threading.Thread(target=answer, args=(server, connection), daemon=True).start()


def answer(server: Server, connection: socket.socket) -> None:
    with contextlib.suppress(OSError, struct.error), connection:
        server.answer(Peer(connection))


def genuine(user: Hostile) -> None:
    """A real server whose sessions have odd names, options and hooks."""
    tmux = [user.facts["tmux"], "-u", "-S", user.path("genuine"), "-f", "/dev/null"]

    def told(*words: str) -> None:
        quiet = subprocess.DEVNULL
        with contextlib.suppress(ValueError):  # what holds a NUL cannot be said
            subprocess.run([*tmux, *words], stdin=quiet, stdout=quiet, stderr=quiet, timeout=20, check=False)

    for number in range(user.draw.choice([1, 3, 12])):
        told("new-session", "-d", "-s", "%s%d" % (user.draw.choice(TEXTS)[:200], number), "sleep %d" % SECONDS)
    for option in ("@keep", "@fleet_tmux_keep", "@fleet_tmux_notice", "@fleet_tmux_until", "status-left"):
        told("set-option", "-g", option, user.draw.choice(TEXTS)[:5000])
    for command in ("list-sessions", "list-panes", "if-shell", "kill-session", "show-options"):
        if user.draw.random() < 0.4:
            what = user.draw.choice(
                ["run-shell 'sleep 3'", "kill-server", "new-session -d", "save-buffer /tmp/vault/x"]
            )
            told("set-hook", "-g", "after-" + command, what)


def crowd(user: Hostile) -> None:
    """Processes of odd names whose environments say that they belong to somebody else's session."""
    forged = "%s,%d,0" % (user.facts["socket"], user.facts["pids"][0])
    for _number in range(user.draw.choice([5, 50, 200])):
        os.environ["TMUX"] = user.draw.choice([forged, "", user.path("nonsense-0") + ",1,$1", "\n,,", "x" * 90000])
        os.environ["TMUX_PANE"] = user.draw.choice(["%0", "%1", "", "%" * 5000])
        words = [user.draw.choice(NAMES), str(SECONDS)]
        with contextlib.suppress(OSError):
            child = subprocess.Popen(words, executable="/bin/sleep", start_new_session=user.draw.random() < 0.5)
            user.children.append(child.pid)


def holders(user: Hostile) -> None:
    """Processes that are called tmux, with many sockets, descriptors or files, or with none at all."""
    for number in range(user.draw.choice([1, 4, 20])):

        def hold(draw: random.Random, number: int = number) -> None:
            kept: List[object] = [os.dup(0) for _one in range(draw.choice([0, 100, 900]))]
            for count in range(draw.choice([0, 1, 30])):
                kept.append(listening(user.path("held-%d-%d" % (number, count)), 1))
            user.in_place()
            time.sleep(SECONDS)

        user.fork(hold, user.draw.choice(NAMES[:3]))


def churn(user: Hostile) -> None:
    """Processes that begin and end, and change their names, all the time."""

    def spin(draw: random.Random) -> None:
        os.nice(5)
        user.in_place()
        while True:
            child = os.fork()
            if child == 0:
                rename(draw.choice(NAMES))
                if draw.random() < 0.3:
                    os.execv("/bin/true", [draw.choice(NAMES)])
                os._exit(0)
            if draw.random() < 0.3:
                rename(draw.choice(NAMES))
            time.sleep(0.005)
            os.waitpid(child, 0)

    for _number in range(2):
        user.fork(spin)


def places(user: Hostile) -> None:
    """Links, pipes, files, folders and dead sockets where sockets and their folders are looked for."""
    draw = user.draw
    aims = [user.facts["socket"], "/tmp/vault/secret", "/proc/self/fd/0", "/dev/zero", user.folder, "loop"]
    for number in range(draw.choice([1, 20, 300])):
        name = draw.choice(["default", "odd-%d" % number, "\n%d" % number, "\x1b[2J%d" % number, "\udcff%d" % number])
        put(draw, user.path(name), aims)
    for _number in range(draw.choice([1, 20, 300])):
        put(draw, "/tmp/tmux-%d" % draw.choice([70000 + draw.randrange(3000), 10**9, 2**32 + 5]), aims)


def put(draw: random.Random, path: str, aims: List[str]) -> None:
    kind = draw.choice(["link", "fifo", "file", "folder", "dead"])
    with contextlib.suppress(OSError):
        if kind == "link":
            os.symlink(draw.choice(aims), path)
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "file":
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, draw.choice([0o600, 0o777])))
        elif kind == "folder":
            os.mkdir(path, 0o700)
            os.chmod(path, draw.choice([0, 0o700, 0o777]))
        else:
            listening(path).close()


def rows(user: Hostile) -> None:
    """Paths with newlines, which make rows in the kernel's table: of the honest user's socket, of root's, of none."""
    row = "0000: 2 0 10000 1 1 %s %s"
    for number in range(user.draw.choice([1, 20])):
        inode = user.draw.choice([str(user.facts["inode"]), "1", "-1", "9" * 40, "x"])
        aim = user.draw.choice([user.facts["socket"], user.path("forged"), "/tmp/vault/s", "relative"])
        top = "/tmp/f%d-%d\n%s" % (os.getuid(), number, row % (inode, aim))

        def bind(_draw: random.Random, top: str = top) -> None:
            os.makedirs(os.path.dirname(top), exist_ok=True)
            kept = listening(top[:107])
            user.in_place()
            time.sleep(SECONDS)
            kept.close()

        user.fork(bind, user.draw.choice(NAMES[:3]))


def rebinding(user: Hostile) -> None:
    """A socket that comes, goes, and is exchanged for a link to the honest user's."""

    def exchange(draw: random.Random) -> None:
        path = user.path("default")
        user.in_place()
        while True:
            for name in (path, path + ".new"):
                with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                    os.unlink(name)
            if draw.random() < 0.4:
                os.symlink(draw.choice([user.facts["socket"], "/tmp/vault", path]), path + ".new")
                os.rename(path + ".new", path)
                time.sleep(0.01)
            else:
                with contextlib.suppress(OSError), contextlib.closing(listening(path, 0)):
                    time.sleep(draw.choice([0, 0.05, 0.5]))

    user.fork(exchange, "tmux: server")


def orphans(user: Hostile) -> None:
    """Processes called tmux whose sockets are gone: who sends them the signal to make them again?"""
    for number in range(user.draw.choice([1, 5])):
        path = user.path("orphan-%d" % number)

        def told(draw: random.Random, path: str = path) -> None:
            one = listening(path)
            os.unlink(path)
            again = [lambda *_: None, lambda *_: os.symlink(user.facts["socket"], path), lambda *_: one.close()]
            signal.signal(signal.SIGUSR1, draw.choice(again))
            user.in_place()
            while True:
                signal.pause()

        user.fork(told, "tmux: server")


def archive(user: Hostile) -> None:
    """Nonsense in the folder of one's own snapshots, as soon as it is there."""

    def fill(draw: random.Random) -> None:
        folder = os.path.join(user.facts["archive"], user.facts["name"])
        user.in_place()
        while not os.path.isdir(folder):
            time.sleep(0.02)
        for number in range(draw.choice([1, 30, 300])):
            name = draw.choice(["20200101T000000Z-x-%d", "99991231T235959Z-\x1b-%d", "%d", "\udcff%d"]) % number
            with contextlib.suppress(OSError):
                snapshot(draw, os.path.join(folder, name))

    user.fork(fill, "sh")


def snapshot(draw: random.Random, path: str) -> None:
    kind = draw.choice(["deep", "link", "fifo", "huge", "nonsense", "sealed"])
    if kind == "link":
        os.symlink(draw.choice(["/tmp/vault", "/tmp", "/dev/zero"]), path)
        return
    os.mkdir(path)
    described = os.path.join(path, "session.json")
    if kind == "deep":
        deep(path, draw.choice([10, 1500]))
    elif kind == "fifo":
        os.mkfifo(described)
    elif kind == "sealed":
        os.chmod(path, 0)
    else:
        with open(described, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write('{"format": %s' % draw.choice(["1, ", "1}", "9" * 5000, "-1}", "1" * 9 + "}"]))
            stream.write(draw.choice(TEXTS) * (1000 if kind == "huge" else 1))


def deep(path: str, depth: int) -> None:
    """A folder in a folder in a folder; their path is longer than any that can be said."""
    here = os.open(path, os.O_RDONLY)
    for _level in range(depth):
        os.mkdir("d", 0o700, dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def stopper(user: Hostile) -> None:
    """Everything of this user is stopped all the time: clients, and whatever tells him something."""

    def stop(_draw: random.Random) -> None:
        here = os.getpid()
        known = {here, os.getppid(), 1}
        user.in_place()
        while True:
            for name in os.listdir("/proc"):
                with contextlib.suppress(OSError):
                    if name.isdigit() and int(name) not in known and os.stat("/proc/" + name).st_uid == os.getuid():
                        os.kill(int(name), signal.SIGSTOP)
            time.sleep(0.01)

    user.fork(stop, "sh")


KINDS: Dict[str, Callable[[Hostile], None]] = {
    kind.__name__: kind
    for kind in (servers, genuine, crowd, holders, churn, places, rows, rebinding, orphans, archive, stopper)
}
OFTEN = ("servers",) * 5 + ("genuine", "crowd", "places", "archive")
"""What is drawn more often than the rest, because there is more to it."""


def main(seed: str, facts: Facts, named: List[str]) -> None:
    user = Hostile(seed, facts)
    drawn = set(user.draw.choices([*KINDS, *OFTEN], k=user.draw.choice([1, 1, 2, 3])))
    if user.draw.random() < 0.5:
        drawn.add("servers")
    chosen = named or [kind for kind in KINDS if kind in drawn]
    for kind in chosen:
        try:
            KINDS[kind](user)
        except OSError as error:  # There is no end to what one may have forbidden oneself.
            if error.errno not in (errno.EEXIST, errno.EADDRINUSE, errno.ENAMETOOLONG, errno.EAGAIN):
                raise
    print(json.dumps(chosen), flush=True)
    while True:
        time.sleep(SECONDS)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:])
