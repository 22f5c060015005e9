# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A system that was just installed: a root file system of Debian, entered in namespaces of its own.

What is made once (the bare file system) or downloaded (packages) is kept in a cache; what a run writes is gone when it
ends, with all its processes.
"""

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import struct
import subprocess
import tempfile
import termios
from pathlib import Path
from typing import Dict, List, NamedTuple

from ansible_collections.fleet.tmux.tests.fleet.images import mirror
from ansible_collections.fleet.tmux.tests.fresh.machine import Sources, sources

PACKAGES = ("python3", "git", "ca-certificates")
"""All that there is besides the packages that Debian calls essential, and apt."""
UNSHARE = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--propagation", "private"]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HOME = "/root"

ENTER = r"""
set -eu
root=$1 bare=$2 written=$3
mount -t overlay overlay -o "lowerdir=$bare,upperdir=$written/upper,workdir=$written/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
for node in null:1:3:666 zero:1:5:666 full:1:7:666 random:1:8:666 urandom:1:9:666 tty:5:0:666; do
  IFS=:; set -- $node; unset IFS
  mknod -m "$4" "$root/dev/$1" c "$2" "$3"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for number in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${number%%:*}" "$root/dev/${number#*:}"; done
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
while read -r how from to; do
  mount --bind "$from" "$root$to"
  [ "$how" = write ] || mount -o remount,bind,ro "$root$to"
done <"$written/binds"
hostname fresh
cd "$root"
pivot_root . mnt
exec /usr/bin/python3 -c '
import ctypes, os, sys
ctypes.CDLL(None).umount2(b"/mnt", 2)  # what it came from; a bare system has no umount
child = os.fork()
if child == 0:
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)
while os.wait()[0] != child:  # the duty of process 1: to bury those whose parents have ended
    pass
'
"""


class Done(NamedTuple):
    """How a command ended, and all that it wrote."""

    rc: int
    output: str


class Root:
    """A fresh system, up within a `with` block."""

    def __init__(self, suite: str, cache: Path, checkout: Path) -> None:
        self.suite = suite
        self.cache = cache
        self._checkout = checkout
        self._sources = sources()

    def __enter__(self) -> "Root":
        # One at a time: apt wants its archives for itself.
        self.cache.mkdir(parents=True, exist_ok=True)
        self._lock = open(str(self.cache / (self.suite + ".lock")), "w", encoding="ascii")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        bare = self._bare()
        self._sweep()
        self._written = Path(tempfile.mkdtemp(prefix="run-", dir=str(self.cache)))
        self._owner = open(str(self._written / "owner"), "w", encoding="ascii")
        fcntl.flock(self._owner, fcntl.LOCK_EX)
        for name in ("upper", "work", "root"):
            (self._written / name).mkdir()
        self._furnish(self._written / "upper", self._sources)
        command = [*UNSHARE, "sh", "-c", ENTER, "sh", str(self._written / "root"), str(bare), str(self._written)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            self.__exit__()
            raise RuntimeError("the fresh system did not come up")
        children = Path("/proc/%d/task/%d/children" % (self._process.pid, self._process.pid))
        self._first = children.read_text(encoding="ascii").split()[0]
        return self

    def __exit__(self, *_ended: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        shutil.rmtree(str(self._written), ignore_errors=True)
        self._owner.close()
        self._lock.close()

    def run(self, line: str, folder: str = HOME, **variables: str) -> Done:
        """Run a line of a shell, as root does who has just logged in."""
        done = subprocess.run(
            self._command(line, folder, variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode("utf-8", "replace"))

    def _command(self, line: str, folder: str, variables: Dict[str, str]) -> List[str]:
        environ = {"PATH": PATH, "HOME": HOME, "TERM": "xterm", **self._sources.variables, **variables}
        enter = ["nsenter", "--target", self._first, "--mount", "--pid", "--ipc", "--uts", "env", "-i"]
        enter += ["%s=%s" % pair for pair in environ.items()]
        return [*enter, "sh", "-c", "cd %s && %s" % (shlex.quote(folder), line)]

    def screen(self, line: str, columns: int, folder: str, question: str = "", typed: str = "") -> Done:
        """Run a line at a terminal so wide, and type that when it asks so; what was sent to the terminal."""
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(self._command(line, folder, {}), stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        seen, asked = b"", False
        with open(master, "r+b", buffering=0) as terminal, contextlib.suppress(OSError):  # that is how its end is told
            for part in iter(lambda: terminal.read(4096), b""):
                seen += part
                if question and not asked and question.encode("utf-8") in seen:
                    asked = True
                    terminal.write(typed.encode("utf-8"))
        return Done(process.wait(), seen.decode("utf-8", "replace"))

    # --- what it is made of

    def _sweep(self) -> None:
        """Remove what a run has written that was killed: its namespaces went with it."""
        for owner in self.cache.glob("run-*/owner"):
            with open(str(owner), "w", encoding="ascii") as handle:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue  # it is at work
                shutil.rmtree(str(owner.parent), ignore_errors=True)

    def _bare(self) -> Path:
        """Return the bare file system, making it unless it is there."""
        source = mirror()
        recipe = "\0".join([self.suite, source, self._sources.apt, *PACKAGES, *map(str, self._sources.files)])
        place = self.cache / ("%s-%s" % (self.suite, hashlib.sha256(recipe.encode("utf-8")).hexdigest()[:12]))
        if not place.exists():
            self._bootstrap(place.with_name(place.name + ".draft"), source)
            place.with_name(place.name + ".draft").rename(place)
        return place

    def _bootstrap(self, draft: Path, source: str) -> None:
        shutil.rmtree(str(draft), ignore_errors=True)
        command = ["mmdebstrap", "--quiet", "--mode=root", "--variant=apt", "--include=" + ",".join(PACKAGES)]
        command += ["--aptopt=" + line for line in self._sources.apt.splitlines()]
        subprocess.run([*command, self.suite, str(draft), source], check=True)
        for path in self._sources.files:
            (draft / str(path)[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(str(path), str(draft / str(path)[1:]))
        (draft / "etc" / "apt" / "apt.conf.d" / "99machine").write_text(self._sources.apt, encoding="utf-8")
        subprocess.run(["chroot", str(draft), "update-ca-certificates"], check=True, stdout=subprocess.DEVNULL)

    def _furnish(self, upper: Path, found: Sources) -> None:
        """Say what is shown in there: the checkout, what pip's settings name, and what was downloaded before."""
        binds = [("read", self._checkout, "/srv/fleet.tmux")]
        binds += [("read", folder, str(folder)) for folder in found.folders]
        kept: Dict[str, str] = {"archives": "/var/cache/apt/archives", "fleet": "/var/cache/fleet"}
        binds += [("write", self.cache / "kept" / self.suite / name, place) for name, place in kept.items()]
        binds += [("write", self.cache / "kept" / "python", HOME + "/.cache")]
        for how, source, place in binds:
            if how == "write":
                source.mkdir(parents=True, exist_ok=True)
            (upper / place[1:]).mkdir(parents=True, exist_ok=True)
        (self.cache / "kept" / self.suite / "archives" / "partial").mkdir(exist_ok=True)
        lines: List[str] = ["%s %s %s\n" % (how, source.resolve(), place) for how, source, place in binds]
        (self._written / "binds").write_text("".join(lines), encoding="utf-8")
        (upper / "etc").mkdir(exist_ok=True)
        for name in ("resolv.conf", "hosts"):
            shutil.copyfile("/etc/" + name, str(upper / "etc" / name))


def possible() -> bool:
    return os.geteuid() == 0 and subprocess.run([*UNSHARE, "true"], check=False).returncode == 0
