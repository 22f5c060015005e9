# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers in real containers, as root of the machine sees them: podman's as root, and podman's as an ordinary user.

They need no image: a container's root is a few folders, with this machine's /usr in it. The user is nobody else on this
machine, and only that user's servers are looked at.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence

import pytest
from ansible_collections.fleet.tmux.tests.attacks import realm
from ansible_collections.fleet.tmux.tests.attacks.realm import Result, Tmux
from ansible_collections.fleet.tmux.tests.fleet.engine import Engine, command, worked
from ansible_collections.fleet.tmux.tests.support.namespaces import Account
from ansible_collections.fleet.tmux.tests.support.processes import alive, every_pid
from ansible_collections.fleet.tmux.tests.support.programs import binaries
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

SUBREAPER = 36
LINKS = ("bin", "sbin", "lib", "lib64")
FOLDERS = ("dev", "etc", "proc", "root", "run", "sys", "tmp", "usr", "var")


class Container(NamedTuple):
    """One in which a user has a tmux server, at a path that means something else in there."""

    account: Account
    path: str
    podman: Sequence[str]
    variables: Dict[str, str]
    server: int
    """The server's process, as this machine calls it."""

    def sessions(self) -> List[str]:
        words = [*self.podman, "exec", "inside", binaries()[0], "-S", self.path, "list-sessions", "-F", "#S"]
        return worked(words, command(*words, **self.variables)).split()


def _is_removed(folder: Path) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


@pytest.fixture(params=["root", "user"])
def container(request: pytest.FixtureRequest, possible: None) -> Iterator[Container]:
    uid = 100000 + int.from_bytes(os.urandom(3), "big")
    folder = Path(tempfile.mkdtemp(prefix="fleet-inside-", dir="/tmp"))
    account = Account(str(uid), uid, uid, str(folder))
    engine = Engine(folder / "engine")
    alone = [*_become(account), "unshare", "--user", "true"]
    if request.param == "user" and command(*alone).rc:
        os.rmdir(folder)
        pytest.skip("not on this kernel: needs user namespaces for ordinary users")
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    try:
        _furnish(folder, account)
        yield _run(folder, account) if request.param == "user" else _run_as_root(folder, account, engine)
    finally:
        engine.clear()
        _end_all_of(uid)
        ctypes.CDLL(None).prctl(SUBREAPER, 0, 0, 0, 0)
        eventually(lambda: _is_removed(folder), "nobody writes to what the engine has left any more")


def _furnish(folder: Path, account: Account) -> None:
    for name in FOLDERS:
        (folder / "root" / name).mkdir(parents=True)
    for name in LINKS:
        (folder / "root" / name).symlink_to("usr/" + name)
    (folder / "run").mkdir()
    settings = '[containers]\nlog_driver = "none"\n[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n'
    (folder / "containers.conf").write_text(settings, encoding="ascii")
    for place in (folder, *folder.rglob("*")):
        os.chown(place, account.uid, account.gid, follow_symlinks=False)


def _words(folder: Path, account: Account) -> List[str]:
    binary = os.path.dirname(binaries()[0])
    words = ["run", "--detach", "--name", "inside", "--network", "none", "--volume", "/usr:/usr:ro"]
    words += [] if binary.startswith("/usr/") else ["--volume", "%s:%s:ro" % (binary, binary)]
    begin = 'mkdir -m 700 "$1"; "$2" -S "$1/default" -f /dev/null new-session -d -s inside cat; exec sleep 3600'
    inner = ["sh", "-c", begin, "sh", "/tmp/tmux-%d" % account.uid, binaries()[0]]
    return [*words, "--rootfs", str(folder / "root"), *inner]


def _run_as_root(folder: Path, account: Account, engine: Engine) -> Container:
    """podman of the machine's root; in its container, the user is an ordinary one."""
    run, *words = _words(folder, account)
    engine.must(run, "--user", "%d:%d" % (account.uid, account.gid), *words)
    return _started(account, engine.argv(), engine.environment())


def _run(folder: Path, account: Account) -> Container:
    """podman of the user, who is root in its container."""
    become = [*_become(account), "env", "-C", str(folder)]
    places = ["--root", str(folder / "storage"), "--runroot", str(folder / "run" / "r")]
    podman = [*become, "podman", *places, "--tmpdir", str(folder / "run" / "t"), "--storage-driver", "vfs"]
    settings = {"CONTAINERS_CONF": str(folder / "containers.conf"), "XDG_RUNTIME_DIR": str(folder / "run")}
    variables = dict(settings, HOME=str(folder), PODMAN_IGNORE_CGROUPSV1_WARNING="1")
    words = [*podman, *_words(folder, account)]
    worked(words, command(*words, **variables))
    return _started(account, podman, variables)


def _become(account: Account) -> List[str]:
    return ["setpriv", "--reuid", str(account.uid), "--regid", str(account.gid), "--clear-groups"]


def _started(account: Account, podman: Sequence[str], variables: Dict[str, str]) -> Container:
    path = "/tmp/tmux-%d/default" % account.uid
    tmux = [*podman, "exec", "inside", binaries()[0], "-S", path, "has-session"]
    eventually(lambda: command(*tmux, **variables).rc == 0, "the server in the container answers")
    server = eventually(lambda: _server_of(account.uid), "only that is called so")
    return Container(account, path, podman, variables, server)


def _server_of(uid: int) -> int:
    """The one process that is called a tmux server, or 0: what it starts is called so too for a moment."""
    found = []
    for pid in _all_of(uid):
        with contextlib.suppress(OSError):  # It may have ended.
            if Path("/proc/%d/comm" % pid).read_text(encoding="utf-8") == "tmux: server\n":
                found.append(pid)
    return found[0] if len(found) == 1 else 0


def _all_of(uid: int) -> List[int]:
    found = []
    for pid in every_pid():
        with contextlib.suppress(OSError):
            if os.stat("/proc/%d" % pid).st_uid == uid and alive(pid):
                found.append(pid)
    return found


def _end_all_of(uid: int) -> None:
    """End what podman leaves running, and bury all that has nobody else."""

    def ended() -> bool:
        left = _all_of(uid)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        return not left

    eventually(ended, "all processes of the user end")


def _runs(container: Container) -> Iterator[Result]:
    whose: Dict[str, Any] = {"users": [container.account.name], "timeout": "10s"}
    more: Dict[str, Any] = {"idle": "1s", "protect": [], "survivors": "terminate", "grace_period": "0s"}
    yield realm.module("tmux_session_info", **whose)
    for check in (True, False):
        yield realm.module("tmux_session_prune", check=check, recover_sockets=True, **more, **whose)


def test_a_server_in_a_container_is_reported_and_never_touched(container: Container) -> None:
    for result in _runs(container):
        found = realm.at(result, container.path)
        assert (found["status"], found["pid"]) == ("foreign", container.server)
        assert result["warnings"] == []
        assert not result["changed"]
    assert container.sessions() == ["inside"]
    assert alive(container.server)


def test_the_server_at_the_same_path_outside_is_another(container: Container) -> None:
    """What is the user's here goes; what the user has in there, at a path of the same name, stays."""
    outside = Tmux(container.account)
    try:
        outside.start("outside")
        _seen, plan, done = _runs(container)
        for result in (plan, done):
            assert realm.removed(result) == [(container.account.name, "outside")]
            assert sorted(server["status"] for server in result["servers"]) == ["foreign", "ok"]
        assert outside.names() == []
        gone = realm.module("tmux_session", socket_path=outside.path, name=["inside"], state="absent")
        assert not gone["changed"]
        assert container.sessions() == ["inside"]
        assert alive(container.server)
    finally:
        shutil.rmtree(os.path.dirname(outside.path))
