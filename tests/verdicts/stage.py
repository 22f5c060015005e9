# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The small world in which the sessions of the corpus live: its owners, services, and tmux servers, and how a session
is set up in it, side by side with the others."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, Iterator, List, Sequence

from ansible_collections.fleet.tmux.tests.attacks import realm
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, CAROL, DAVE, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.verdicts import corpus
from ansible_collections.fleet.tmux.tests.verdicts.corpus import Row, Step

HERE = os.path.dirname(os.path.abspath(__file__))
HELPERS = "/tmp/helpers"
SERVICES = "/tmp/services"
PROGRAMS = "/tmp/bin"
DISK = "/tmp/disk"
"""A folder on a disk of the machine: all else in this world is in memory."""
AT_ONCE = 6
"""Sessions that are set up at the same time."""

OWNERS = {corpus.ALICE: ALICE, corpus.HIDDEN: BOB, corpus.CLOSED: DAVE}

SUDOERS = "alice ALL=(ALL:ALL) NOPASSWD: ALL\nbob ALL=(ALL:ALL) NOPASSWD: ALL\n"

SSH_CONFIG = """
Host local
  HostName 127.0.0.1
  Port 8122
  User alice
  IdentityFile /tmp/home/alice/.ssh/id_ed25519
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  LogLevel ERROR
  ServerAliveInterval 3
"""

DOT_FILES = {
    ".profile": "PATH=%s:$PATH\nexport SCREENDIR=$HOME/.screen\n" % PROGRAMS,
    ".bashrc": "",
    ".zshrc": "",
    ".screenrc": "startup_message off\nhardstatus alwayslastline 'in screen'\n",
}


@contextlib.contextmanager
def hidden_processes(hide: bool) -> Iterator[None]:
    """Meanwhile each user but root sees his own processes only, or not."""
    if hide:
        subprocess.run(["mount", "-o", "remount,hidepid=2", "/proc"], check=True)
    try:
        yield
    finally:
        if hide:
            subprocess.run(["mount", "-o", "remount,hidepid=0", "/proc"], check=True)


@contextlib.contextmanager
def on_disk(place: str, account: Account) -> Iterator[None]:
    """Meanwhile a folder is one on a disk."""
    with tempfile.TemporaryDirectory(prefix="fleet-verdicts-", dir="/var/tmp") as folder:
        os.chown(folder, account.uid, account.gid)
        subprocess.run(["mount", "--bind", folder, place], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", place], check=True)


class Stage:
    """Everything beside the sessions, as long as the block runs."""

    def __init__(self, binary: str) -> None:
        self.binary = binary
        self._started: List["subprocess.Popen[bytes]"] = []
        self._rest = contextlib.ExitStack()

    def __enter__(self) -> "Stage":
        realm.end_everything()
        realm.furnish()
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        self._make_places()
        self._start_services()
        return self

    def __exit__(self, *_error: object) -> None:
        realm.end_everything()
        self._rest.close()

    def _make_places(self) -> None:
        self._place_helpers()
        os.mkdir(PROGRAMS)
        os.symlink(self.binary, os.path.join(PROGRAMS, "tmux"))
        for account in OWNERS.values():
            for name, text in DOT_FILES.items():
                realm.write(os.path.join(account.home, name), text, account, 0o644)
            # Without them, fish works for minutes when it is used for the first time.
            done = realm.run_as(account, "mkdir", "-p", account.home + "/.local/share/fish/generated_completions")
            assert done.returncode == 0, done
        realm.write(os.path.join(HELPERS, "ssh_config"), SSH_CONFIG, mode=0o644)
        realm.write("/etc/sudoers.d/verdicts", SUDOERS, mode=0o440)
        realm.directory(SERVICES, CAROL, 0o755)
        self._rest.enter_context(on_disk(realm.directory(DISK, ALICE), ALICE))

    def _place_helpers(self) -> None:
        """Programs, ready to run. Where they lie they begin with `#:`, for only modules may begin as programs do."""
        os.mkdir(HELPERS)
        for name in os.listdir(os.path.join(HERE, "helpers")):
            with open(os.path.join(HERE, "helpers", name), encoding="utf-8") as stream:
                text = stream.read()
            realm.write(os.path.join(HELPERS, name), text.replace("#: ", "#!", 1), mode=0o755)

    def _start_services(self) -> None:
        ready = self.spawn(CAROL, os.path.join(HELPERS, "services"), SERVICES, stdout=subprocess.PIPE).stdout
        assert ready is not None
        assert ready.readline() == b"ready\n"
        options = "--port 8106 --unixsocket /tmp/services/redis.sock --unixsocketperm 777 --save '' --dir /tmp/services"
        # Its server is the same program under another name, which the package of the client has too.
        os.symlink(shutil.which("redis-check-rdb") or "redis-check-rdb", os.path.join(PROGRAMS, "redis-server"))
        self.spawn(CAROL, "sh", "-c", "exec %s/redis-server %s" % (PROGRAMS, options))
        self._start_sshd()
        eventually(lambda: os.path.exists("/tmp/services/redis.sock"), "the services listen")

    def _start_sshd(self) -> None:
        realm.directory("/tmp/home/alice/.ssh", ALICE)
        keys = {ALICE: "/tmp/home/alice/.ssh/id_ed25519", ROOT: "/tmp/services/host_key"}
        for account, words in (
            (ALICE, ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys[ALICE]]),
            (ALICE, ["cp", keys[ALICE] + ".pub", "/tmp/home/alice/.ssh/authorized_keys"]),
            (ROOT, ["dropbearkey", "-t", "ed25519", "-f", keys[ROOT]]),
        ):
            done = realm.run_as(account, *words)
            assert done.returncode == 0, done
        self.spawn(ROOT, "dropbear", "-F", "-m", "-P", "", "-p", "127.0.0.1:8122", "-r", keys[ROOT])

    def spawn(self, account: Account, *argv: str, **more: Any) -> "subprocess.Popen[bytes]":
        process = realm.spawn(account, *argv, **more)
        self._started.append(process)
        return process

    # --- sessions

    def set_up(self, rows: Sequence[Row]) -> Dict[str, str]:
        """Set all of them up; those that could not be, by name with the reason."""
        places = {name: Place(self, account) for name, account in OWNERS.items()}
        for place in places.values():
            place.start()
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            troubles = list(pool.map(lambda row: places[row.owner].set_up(row), rows))
        for place in places.values():
            place.tmux("kill-session", "-t", "=start")
        os.chown(DAVE.home, 0, 0)
        os.chmod(DAVE.home, 0o700)
        return {row.name: trouble for row, trouble in zip(rows, troubles) if trouble}


class Trouble(Exception):
    """A session could not be set up."""


class Place:
    """One owner, with a tmux server."""

    def __init__(self, stage: Stage, account: Account) -> None:
        self.stage = stage
        self.account = account
        self.change = realm.become(account)
        self.socket = os.path.join(realm.default_directory(account), "default")
        self.env = dict(
            realm.environment(account),
            PATH=PROGRAMS + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            HELPERS=HELPERS,
            DISK=DISK,
            SHELL="/bin/bash",
        )

    def start(self) -> None:
        """Start the server; the session that it takes to start it goes away in the end."""
        config = os.path.join("/tmp", "%s.conf" % self.account.name)
        realm.write(config, "set -g default-shell /bin/bash\nset -g history-limit 2000\n", mode=0o644)
        self.tmux("-f", config, "new-session", "-d", "-s", "start", "exec sleep 100000")

    def run(self, *argv: str, cwd: str = "/") -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=self.env,
            preexec_fn=self.change,
            timeout=PATIENCE,
            check=False,
        )

    def tmux(self, *words: str) -> str:
        done = self.run(self.stage.binary, "-u", "-S", self.socket, *words)
        if done.returncode or done.stderr:
            raise Trouble("tmux %s: %s" % (" ".join(words), done.stderr.decode("utf-8", "replace").strip()))
        return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    def set_up(self, row: Row) -> str:
        try:
            setting = Setting(self, row)
            for step in row.steps:
                setting.do(step)
        except (Trouble, subprocess.TimeoutExpired) as error:
            return str(error)
        return ""


class Setting:
    """One session on its way."""

    def __init__(self, place: Place, row: Row) -> None:
        self.place = place
        name = row.within or row.name
        self.target = "=%s:" % name
        self.folder = os.path.join(place.account.home, row.name)
        realm.directory(self.folder, place.account)
        for file, text in row.files:
            path = os.path.join(self.folder, file)
            if not os.path.isdir(os.path.dirname(path)):
                realm.directory(os.path.dirname(path), place.account)
            realm.write(path, text, place.account)
        words = ["new-session", "-d", "-s", name, "-c", self.folder, "-x", "100", "-y", "30"]
        place.tmux(*words, *([] if row.shell == "bash" else [row.shell]))
        if row.shell in SHELLS:
            self._see("\\S")

    def do(self, step: Step) -> None:
        getattr(self, "_" + step.do)(step.text)

    def _line(self, text: str) -> None:
        self._text(text)
        self._press("Enter")

    def _text(self, text: str) -> None:
        # tmux takes a semicolon at the end for its own.
        text = text[:-1] + "\\;" if text.endswith(";") else text
        self.place.tmux("send-keys", "-t", self.target, "-l", text)

    def _press(self, keys: str) -> None:
        self.place.tmux("send-keys", "-t", self.target, *keys.split())

    def _see(self, pattern: str) -> None:
        self._until(lambda: bool(re.search(pattern, self._screen(), re.MULTILINE)), "see " + pattern)

    def _screen(self) -> str:
        return self.place.tmux("capture-pane", "-p", "-t", self.target)

    def _runs(self, pattern: str) -> None:
        def looked() -> bool:
            current = self.place.tmux("display-message", "-p", "-t", self.target, "#{pane_current_command}")
            return bool(re.fullmatch(pattern, current))

        self._until(looked, "run " + pattern)

    def _dead(self, _text: str) -> None:
        shown = ("display-message", "-p", "-t", self.target, "#{pane_dead}")
        self._until(lambda: self.place.tmux(*shown) == "1", "end")

    def _holds(self, command: str) -> None:
        self._until(lambda: self.place.run("sh", "-c", command, cwd=self.folder).returncode == 0, "do " + command)

    def _outside(self, command: str) -> None:
        place = self.place
        place.stage.spawn(place.account, "sh", "-c", command, cwd=self.folder, env=place.env, preexec_fn=place.change)

    def _until(self, look: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not look():
            if time.monotonic() > deadline:
                raise Trouble("it does not %s; it shows: %s" % (what, self._screen().strip()[-1000:]))
            time.sleep(0.3)


SHELLS = ("bash", "zsh", "fish", "mksh", "tcsh")
