# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The small world of the attacks: its users, their servers, what root must not lose, and the modules that root runs."""

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, TypeVar

from ansible_collections.fleet.tmux.tests.support import run_module
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, DAVE, MARK, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.processes import alive
from ansible_collections.fleet.tmux.tests.support.programs import binaries
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually

HERE = os.path.dirname(os.path.abspath(__file__))
VAULT = "/tmp/vault"
"""What only root may read and write: nothing a user's server does to root's client may get in or out."""
SECRET = "the secret of root"
EVIDENCE = "/tmp/evidence"
"""Where anybody may write down who he was."""


_Value = TypeVar("_Value")
Result = Dict[str, Any]


# --- processes --------------------------------------------------------------------------------------------------------


def end_everything() -> None:
    """End all processes of this world but the test's own. Only ever called inside of it (see conftest.py)."""
    own = {1, os.getpid()}
    pid = os.getppid()
    while pid > 1:
        own.add(pid)
        with open("/proc/%d/stat" % pid, "rb") as handle:
            pid = int(handle.read().rpartition(b")")[2].split()[1])

    def others() -> List[int]:
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in own]

    def gone() -> bool:
        found = others()
        for pid in found:
            # First all of them: one may keep those waiting who look at another.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not [pid for pid in found if alive(pid)]

    eventually(gone, "all processes end")


def become(account: Account) -> Callable[[], None]:
    """For a child: be that user and no more."""

    def change() -> None:
        os.setgroups(account.groups or (account.gid,))
        os.setresgid(account.gid, account.gid, account.gid)
        os.setresuid(account.uid, account.uid, account.uid)

    return change


def environment(account: Account) -> Dict[str, str]:
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": account.home,
        "USER": account.name,
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "TERM": "screen",
    }


def spawn(account: Account, *argv: str, **more: Any) -> "subprocess.Popen[bytes]":
    """Start something as that user."""
    options: Dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    options.update(cwd="/", env=environment(account), start_new_session=True, preexec_fn=become(account))
    options.update(more)
    return subprocess.Popen(list(argv), **options)


def run_as(account: Account, *argv: str, timeout: float = PATIENCE, **env: str) -> "subprocess.CompletedProcess[bytes]":
    """Run something as that user, to its end."""
    return subprocess.run(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env=dict(environment(account), **env),
        preexec_fn=become(account),
        timeout=timeout,
        check=False,
    )


# --- places -----------------------------------------------------------------------------------------------------------


def furnish() -> None:
    """Make /tmp as it is at the beginning of every test."""
    kept = {name for name in os.environ[MARK].split(":") if name}
    for name in sorted(set(os.listdir("/tmp")) - kept):
        path = os.path.join("/tmp", name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    os.mkdir("/tmp/home", 0o755)
    for account in (ALICE, BOB, DAVE):
        directory(account.home, account, 0o700)
    directory(VAULT, ROOT, 0o700)
    write(os.path.join(VAULT, "secret"), SECRET)
    directory(EVIDENCE, ROOT, 0o1777)


def directory(path: str, account: Account, mode: int = 0o700) -> str:
    os.mkdir(path)
    os.chown(path, account.uid, account.gid)
    os.chmod(path, mode)
    return path


def write(path: str, text: str, account: Account = ROOT, mode: int = 0o600) -> str:
    with open(path, "w", encoding="utf-8") as handle:
        handle.write(text)
    os.chown(path, account.uid, account.gid)
    os.chmod(path, mode)
    return path


def witness(account: Account, name: str) -> str:
    """A program of that user that writes down as whom it was run, and from which parent."""
    path = os.path.join(account.home, name)
    text = "#!/bin/sh\nid -u >> %s/%s.$(id -u)\nexit 0\n" % (EVIDENCE, name)
    return write(path, text, account, 0o755)


def ran_as(name: str) -> List[int]:
    """The uids as which the witness of that name was run."""
    found = [entry.rpartition(".") for entry in os.listdir(EVIDENCE)]
    return sorted(int(uid) for stem, _dot, uid in found if stem == name)


def in_vault() -> List[str]:
    """What is in the vault beside the secret."""
    return sorted(set(os.listdir(VAULT)) - {"secret"})


def default_directory(account: Account) -> str:
    path = "/tmp/tmux-%d" % account.uid
    return path if os.path.isdir(path) else directory(path, account)


# --- tmux, as the users use it ----------------------------------------------------------------------------------------


class Tmux:
    """A tmux server of a user, at a socket."""

    def __init__(self, account: Account, path: Optional[str] = None, binary: Optional[str] = None) -> None:
        self.account = account
        self.binary = binary or binaries()[0]
        self.path = os.path.join(default_directory(account), "default")
        if path is not None:
            self.path = path

    def run(self, *words: str) -> "subprocess.CompletedProcess[bytes]":
        return run_as(self.account, self.binary, "-u", "-S", self.path, *words)

    def __call__(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0 and not done.stderr, (words, done.returncode, done.stderr)
        return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    def start(self, *names: str) -> "Tmux":
        """Start the server with sessions of these names in which nothing happens."""
        for name in names:
            self("-f", "/dev/null", "new-session", "-d", "-s", name, "-x", "80", "-y", "24", "--", "cat")
        return self

    def names(self) -> List[str]:
        done = self.run("list-sessions", "-F", "#{session_name}")
        return done.stdout.decode("utf-8", "surrogateescape").split("\n")[:-1] if done.returncode == 0 else []

    def pid(self) -> int:
        """The process that listens at the socket, as the kernel knows it."""
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(self.path)
            return int(struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])


def naive(path: str, *words: str, timeout: float = PATIENCE, binary: Optional[str] = None) -> int:
    """What scripts do: root runs tmux on a user's socket. Its exit status.

    :raises subprocess.TimeoutExpired: when it does not end; it is ended then.
    """
    argv = [binary or binaries()[0], "-u", "-S", path, *(words or ("list-sessions",))]
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(ROOT),
        cwd="/",
        start_new_session=True,
        timeout=timeout,
        check=False,
    )
    return done.returncode


# --- fake servers -----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def fake(account: Account, mode: str, path: Optional[str] = None, **settings: Any) -> Iterator[str]:
    """A process that looks like a tmux server of that user and is none, as long as the block runs; its socket."""
    socket_path = path or os.path.join(default_directory(account), mode)
    words = [sys.executable, os.path.join(HERE, "fake_server.py"), socket_path, mode, json.dumps(settings)]
    process = spawn(account, *words, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield socket_path
    finally:
        process.kill()
        process.wait(PATIENCE)


# --- the collection ---------------------------------------------------------------------------------------------------


def module(plugin: str, account: Account = ROOT, check: bool = False, **params: Any) -> Result:
    """Run a module of the collection; its result. That it ends, and that its result is harmless, is always judged."""
    return judged(started(plugin, become(account), account, check, **params))


def started(
    plugin: str, before: Callable[[], None], account: Account = ROOT, check: bool = False, **params: Any
) -> "subprocess.CompletedProcess[bytes]":
    """Run a module of the collection to its end; ``before`` is done in its process."""
    settings = dict(params, _ansible_check_mode=check, _ansible_remote_tmp="/tmp", _ansible_diff=True)
    env = dict(environment(account), PYTHONPATH=os.environ.get("PYTHONPATH", ""), PYTHONDONTWRITEBYTECODE="1")
    return subprocess.run(
        [sys.executable, run_module.__file__, plugin],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": settings}).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env=env,
        preexec_fn=before,
        timeout=PATIENCE,
        check=False,
    )


def judged(done: "subprocess.CompletedProcess[bytes]") -> Result:
    """The result of a module, which must be one, and harmless."""
    assert done.stdout, done.stderr.decode("utf-8", "replace")[-5000:]
    assert not done.stderr, done.stderr.decode("utf-8", "replace")[-5000:]
    result: Result = json.loads(done.stdout)
    assert "exception" not in result, result["exception"]
    refused = [word for word in ("arameters", "no unit", "mutually exclusive") if word in result.get("msg", "")]
    assert not refused, result["msg"]  # A test that gives wrong options tests nothing.
    result.pop("invocation", None)
    result["warnings"] = [_words(warning) for warning in result.get("warnings", [])]
    assert list(harmful(result)) == []
    return result


def _words(warning: Any) -> str:
    return warning if isinstance(warning, str) else str(warning["event"]["msg"])


def info(**params: Any) -> Result:
    """What root sees of all users' servers, with all details: who attacks may hide in any of them."""
    return module("tmux_session_info", **dict({"evidence_detail": "full"}, **_scoped(params)))


def prune(**params: Any) -> Result:
    """Root removes all sessions of all users that are not protected."""
    return module("tmux_session_prune", **dict({"idle": "1s", "protect": []}, **_scoped(params)))


def _scoped(params: Dict[str, Any]) -> Dict[str, Any]:
    return params if "socket_path" in params or "users" in params else dict(params, all_users=True)


def together(calls: Sequence[Callable[[], _Value]]) -> List[_Value]:
    """Several calls at the same time: most of them wait for a time limit."""
    with ThreadPoolExecutor(max_workers=max(1, len(calls))) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


LINES = ("content", "options", "stdout", "stderr")
"""Keys under which texts may have lines."""


def harmful(value: Any, lines: bool = False) -> Iterator[str]:
    """All texts in a result that a terminal, a log or a report could take for more than text."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from harmful(key)
            yield from harmful(item, lines or key in LINES)
    elif isinstance(value, list):
        for item in value:
            yield from harmful(item, lines)
    elif isinstance(value, str) and not all(_is_harmless(char) or (lines and char in "\n\t") for char in value):
        yield value


def _is_harmless(char: str) -> bool:
    code = ord(char)
    bidi = code in (0x61C, 0x200E, 0x200F, 0x2028, 0x2029) or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
    return code >= 0x20 and not 0x7F <= code < 0xA0 and not 0xD800 <= code < 0xE000 and not bidi


def at(result: Result, path: str) -> Result:
    """The server of a result with that socket."""
    (server,) = [server for server in result["servers"] if server["socket"] == path]
    found: Result = server
    return found


def statuses(result: Result) -> Dict[str, str]:
    return {server["socket"]: server["status"] for server in result["servers"]}


def removed(result: Result) -> List[Tuple[str, str]]:
    """(owner, name) of all sessions that were removed."""
    return [(item["owner"], item["name"]) for item in result["removed"]]


def mode_of(path: str) -> int:
    return stat.S_IMODE(os.lstat(path).st_mode)
