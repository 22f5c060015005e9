# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an admin holds a user to: control groups of his own, limits, and a login of his own."""

import contextlib
import ctypes
import json
import os
import platform
import resource
import signal
import subprocess
import sys
from typing import Any, Callable, Dict, Iterator, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import NO_GROUP
from ansible_collections.fleet.tmux.tests.attacks import probe
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    EVIDENCE,
    HERE,
    become,
    default_directory,
    directory,
    spawn,
    write,
)
from ansible_collections.fleet.tmux.tests.support.namespaces import Account
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually

KEYCTL = probe.CALLS[platform.machine()][0]
JOIN, ADD_TO_SESSION = 1, -3
ADD_KEY = {"x86_64": 248, "aarch64": 217, "riscv64": 217, "ppc64le": 269, "s390x": 278}[platform.machine()]
Limits = Dict[int, Tuple[int, int]]


class Box:
    """A group of its own in each hierarchy of control groups that there is; ``places`` is by controller."""

    def __init__(self, name: str) -> None:
        self.places: Dict[str, str] = {}
        self._folders = []
        for point, words in _hierarchies():
            folder = os.path.join(point, name)
            os.mkdir(folder)
            self._folders.append(folder)
            self.places.update(dict.fromkeys(words, folder))
            for setting in ("cpuset.cpus", "cpuset.mems"):  # Nothing may join before they are set.
                if os.path.exists(os.path.join(folder, setting)) and "cpuset" in words and "unified" not in words:
                    with open(os.path.join(point, setting), encoding="ascii") as handle:
                        self.set("cpuset", setting, handle.read().strip())

    def set(self, controller: str, setting: str, value: str) -> None:
        with open(os.path.join(self.places[controller], setting), "w", encoding="ascii") as handle:
            handle.write(value)

    def get(self, controller: str, setting: str) -> str:
        with open(os.path.join(self.places[controller], setting), encoding="ascii") as handle:
            return handle.read().strip()

    def freeze(self, controller: str, frozen: bool = True) -> None:
        """As an admin, systemd or whoever has been given the group would; ``controller``: unified, or freezer."""
        if controller == "unified":
            self.set(controller, "cgroup.freeze", str(int(frozen)))
            eventually(lambda: ("frozen %d" % frozen) in self.get(controller, "cgroup.events"), "it freezes, or thaws")
        else:
            state = "FROZEN" if frozen else "THAWED"
            self.set(controller, "freezer.state", state)
            eventually(lambda: self.get(controller, "freezer.state") == state, "it freezes, or thaws")

    def enter(self) -> None:
        """For a child of root."""
        for folder in self._folders:
            with open(os.path.join(folder, "cgroup.procs"), "w", encoding="ascii") as handle:
                handle.write("0")

    def members(self, controller: str) -> Iterator[int]:
        return map(int, self.get(controller, "cgroup.procs").split())

    def close(self) -> None:
        for controller in ("unified", "freezer"):
            with contextlib.suppress(KeyError, FileNotFoundError):
                self.freeze(controller, False)
        for folder in self._folders:
            eventually(lambda folder=folder: self._emptied(folder), "all that was in %s ends" % folder)  # type: ignore[misc]
            os.rmdir(folder)

    @staticmethod
    def _emptied(folder: str) -> bool:
        with open(os.path.join(folder, "cgroup.procs"), encoding="ascii") as handle:
            left = [int(pid) for pid in handle.read().split()]
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left


def _hierarchies() -> Iterator[Tuple[str, Tuple[str, ...]]]:
    """Where each hierarchy that can be changed is mounted, with what it controls."""
    with open("/proc/self/mountinfo", encoding="utf-8") as handle:
        lines = [line.split() for line in handle]
    for words in lines:
        kind, options = words[words.index("-") + 1], words[-1].split(",")
        if kind not in ("cgroup", "cgroup2") or os.statvfs(words[4]).f_flag & os.ST_RDONLY:
            continue
        if kind == "cgroup2":
            with open(os.path.join(words[4], "cgroup.subtree_control"), encoding="ascii") as handle:
                yield words[4], ("unified", *handle.read().split())
        else:
            yield words[4], tuple(option for option in options if option not in ("rw", "ro", "xattr"))


@pytest.fixture
def box() -> Iterator[Box]:
    if not list(_hierarchies()):
        pytest.skip("not on this kernel: needs the right to make control groups")
    made = Box("fleet-attacks-%s" % os.urandom(4).hex())
    yield made
    made.close()


@pytest.fixture
def user() -> Account:
    """A user of this world alone: the kernel counts for the whole machine, and other worlds have an alice too."""
    uid = 100000 + int.from_bytes(os.urandom(3), "big")
    made = Account(str(uid), uid, NO_GROUP, "/tmp/home/%d" % uid)
    directory(made.home, made)
    return made


def new_keyring(name: bytes) -> None:
    assert probe.LIBC.syscall(KEYCTL, JOIN, name) > 0, os.strerror(ctypes.get_errno())


def add_key(name: bytes, content: bytes, keyring: int = ADD_TO_SESSION) -> int:
    return int(probe.LIBC.syscall(ADD_KEY, b"user", name, content, len(content), keyring))


def login(account: Account, box: Box, limits: Limits) -> Callable[[], None]:
    """For a child of root: what sshd and PAM do before there is a user's process."""

    def change() -> None:
        new_keyring(b"_ses")
        box.enter()
        become(account)()
        for number, values in limits.items():
            resource.setrlimit(number, values)

    return change


@contextlib.contextmanager
def boxed(account: Account, mode: str, before: Callable[[], None], **settings: Any) -> Iterator[str]:
    """A process that looks like a tmux server (see ``fake``) of a user who is in a box; its socket."""
    path = os.path.join(default_directory(account), mode)
    words = [sys.executable, os.path.join(HERE, "fake_server.py"), path, mode, json.dumps(settings)]
    process = spawn(account, *words, stdout=subprocess.PIPE, preexec_fn=before)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield path
    finally:
        process.kill()
        process.wait(PATIENCE)


def writes_down(account: Account, name: str) -> str:
    """A program of that user that writes down what it is as which it runs (see probe.py)."""
    into = os.path.join(EVIDENCE, name)
    words = (into, sys.executable, os.path.join(HERE, "probe.py"), into)
    text = "#!/bin/sh\ncat /proc/self/status > %s.status\nexec %s %s %s\n" % words
    return write(os.path.join(account.home, name), text, account, 0o755)


def written(name: str) -> Dict[str, Any]:
    """What it has written; it is forgotten."""
    path = os.path.join(EVIDENCE, name)
    eventually(lambda: os.path.exists(path), "the program runs")
    with open(path, encoding="utf-8") as handle:
        found: Dict[str, Any] = json.load(handle)
    os.unlink(path)
    os.unlink(path + ".status")
    return found
