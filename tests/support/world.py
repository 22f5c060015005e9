# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A private tmux server for a test, and the means to change it behind the back of the code that is tested."""

import contextlib
import fcntl
import os
import pty
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
from typing import Dict, Iterator, List

from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client, client_version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Listing, Session, read
from ansible_collections.fleet.tmux.tests.support.processes import begun, started
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually


def _command_of(pid: str) -> str:
    with open("/proc/%s/comm" % pid, encoding="ascii") as stream:
        return stream.read().strip()


class World:
    """One tmux server, on a socket in a directory of its own."""

    def __init__(self, binary: str) -> None:
        self.binary = binary
        # Not below TMPDIR: the path of a socket must be short.
        self.folder = tempfile.mkdtemp(prefix="fleet-", dir="/tmp")
        self.path = os.path.join(self.folder, "s")
        self.user = User("tester", os.geteuid(), os.getegid(), self.folder, "/bin/sh", tuple(os.getgroups()))
        self.version = client_version(binary, PATIENCE)

    # --- as a person would: with the tmux command

    def environment(self) -> Dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": self.folder,
            "SHELL": "/bin/sh",
            "LANG": "C.UTF-8",
            "TERM": "screen",
        }

    def run(self, *words: str, **more: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [self.binary, "-u", "-S", self.path, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(self.environment(), **more),
            cwd="/",
            timeout=PATIENCE,
            check=False,
        )

    def tmux(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0 and not done.stderr, (words, done.returncode, done.stderr)
        return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    def reap(self) -> bool:
        """Have the server notice who has ended: tmux 3.3a sometimes does not until another process ends.

        Nobody waits for that one, for its end may not be noticed either.
        """
        return self.run("run-shell", "-b", ":").returncode == 0

    def jobs_have_begun(self) -> None:
        """Wait until what the server has been told to run by now runs, or has run: a job that comes after it has."""
        trace = os.path.join(self.folder, "a-job-has-run")
        self.tmux("run-shell", "-b", "touch " + trace)
        eventually(lambda: os.path.exists(trace), "a job runs")
        os.unlink(trace)

    def start(self) -> None:
        """Start the server with one session, ``first``, in which nothing happens any more: its shell has become cat."""
        words = ("new-session", "-d", "-s", "first", "-x", "80", "-y", "24", "-P", "-F", "#{pane_pid}", "exec cat")
        pid = self.tmux("-f", "/dev/null", *words)
        eventually(lambda: _command_of(pid) == "cat", "it is cat")

    def new(self, name: str, *argv: str) -> str:
        """Make a session with the name as tmux understands it; its id."""
        command = list(argv) or ["sh", "-c", "exec cat"]  # several words: tmux puts no shell before them
        identity = self.tmux("new-session", "-d", "-P", "-F", "#{session_id}", "-s", name, "--", *command)
        self.begun(identity)
        return identity

    def begun(self, session: str) -> None:
        """Wait until each pane of a session runs its own program: all that is seen of it before is its server's."""
        listed = self.run("list-panes", "-s", "-t", session, "-F", "#{pane_pid}").stdout.split()
        eventually(lambda: all(begun(int(pid)) for pid in listed), "its programs run")

    def ids(self) -> List[str]:
        done = self.run("list-sessions", "-F", "#{session_id}")
        return done.stdout.decode("ascii").split() if done.returncode == 0 else []

    def pid(self) -> int:
        """The process that listens at our socket, as the kernel knows it; 0 when there is none."""
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(PATIENCE)
            try:
                connection.connect(self.path)
            except OSError:
                return 0
            return int(struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])

    @contextlib.contextmanager
    def attached(self, identity: str) -> Iterator[None]:
        """Attach a client with a terminal meanwhile."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        process = subprocess.Popen(
            [self.binary, "-u", "-S", self.path, "attach-session", "-t", identity],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=self.environment(),
            cwd="/",
            start_new_session=True,
        )
        os.close(slave)
        try:
            eventually(lambda: self._clients(identity), "a client attaches")
            yield
        finally:
            process.kill()
            process.wait(PATIENCE)
            os.close(master)
        eventually(lambda: not self._clients(identity), "the client is gone")

    def _clients(self, identity: str) -> bool:
        return identity in self.run("list-clients", "-F", "#{session_id}").stdout.decode("ascii").split()

    # --- as the collection does

    def client(self, timeout: float = PATIENCE) -> Client:
        return Client(self.binary, self.path, self.user, os.geteuid() == 0, timeout)

    def listing(self) -> Listing:
        listing = read(self.client())
        assert not listing.unread
        return listing

    def session(self, identity: str) -> Session:
        (found,) = [session for session in self.listing().sessions if session.id == identity]
        return found

    def stop(self) -> None:
        """End our server, and wait for it: whoever listens at this socket was started by this test."""
        pid = self.pid()
        if pid:
            since = started(pid)
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: started(pid) is None or started(pid) != since, "the server ends")
        eventually(self._is_removed, "what ran there writes no more")

    def _is_removed(self) -> bool:
        """What ran in the panes ends after the server, and may have written something meanwhile."""
        shutil.rmtree(self.folder, ignore_errors=True)
        return not os.path.exists(self.folder)
