# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Podman with a storage of its own: the user's is never touched, and what is below the cache is all there is."""

import contextlib
import fcntl
import hashlib
import json
import os
import resource
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

PROGRAMS = {
    "podman": "podman",
    "runc": "runc",
    "conmon": "conmon",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "mmdebstrap": "mmdebstrap",
    "ssh": "openssh-client",
}
"""What this machine must have, and the Debian packages that bring it."""
INIT = "/usr/libexec/podman/catatonit"


class Done(NamedTuple):
    """How a command ended, and all that it wrote."""

    rc: int
    output: str


class Failed(Exception):
    """A command that has to work did not."""


def why_not() -> str:
    """Why there can be no fleet here although everything is installed, or nothing."""
    return "" if os.geteuid() == 0 else "this is uid %d" % os.geteuid()


def missing() -> List[str]:
    """The Debian packages that this machine lacks."""
    lacking = {package for program, package in PROGRAMS.items() if shutil.which(program) is None}
    if not os.path.exists(INIT):
        lacking.add("catatonit")
    if not os.path.exists("/usr/share/keyrings/debian-archive-keyring.gpg"):
        lacking.add("debian-archive-keyring")
    return sorted(lacking)


def command(*argv: str, stdin: str = "", **variables: str) -> Done:
    """Run a command of this machine."""
    done = subprocess.run(
        argv,
        input=stdin.encode("utf-8"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ, **variables),
        check=False,
        start_new_session=True,  # ^C is for us, who clean up; in the middle of a run it makes podman forget a host
    )
    return Done(done.returncode, done.stdout.decode("utf-8", "replace"))


def must(*argv: str, stdin: str = "") -> str:
    """Run a command of this machine that has to work."""
    return worked(argv, command(*argv, stdin=stdin))


def worked(argv: Sequence[str], done: Done) -> str:
    if done.rc:
        raise Failed("%s: exit status %d: %s" % (" ".join(map(shlex.quote, argv)), done.rc, done.output.strip()))
    return done.output


class Engine:
    """Podman on one cache. Several processes may use the same one at the same time."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache.absolute()
        self.token = hashlib.sha256(str(self.cache).encode("utf-8")).hexdigest()[:8]
        # Short, for sockets lie below it, and the path of a socket has at most 107 bytes.
        self.run = Path("/run/fleet-" + self.token)
        self.storage = self.cache / "storage"
        self.temporary = self.cache / "temporary"
        self._ready = False

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Keep other processes that use this cache out of something."""
        self.cache.mkdir(parents=True, exist_ok=True)
        with open(self.cache / (name + ".lock"), "w", encoding="ascii") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def podman(self, *words: str, stdin: str = "") -> Done:
        return command(*self.argv(*words), stdin=stdin, **self.environment())

    def must(self, *words: str, stdin: str = "") -> str:
        return worked(("podman", *words), self.podman(*words, stdin=stdin))

    def runtime(self, *words: str, stdin: str = "") -> Done:
        """What podman itself has run containers with; it is asked about one that there is."""
        return command(str(self.cache / "runc"), *words, stdin=stdin)

    def argv(self, *words: str) -> List[str]:
        """The words of a podman command."""
        if not self._ready:
            self._prepare()
        where = ["--root", str(self.storage), "--runroot", str(self.run / "r"), "--tmpdir", str(self.run / "t")]
        where += ["--network-config-dir", str(self.cache / "networks"), "--runtime", str(self.cache / "runc")]
        driver = (self.cache / "driver").read_text(encoding="ascii")
        where += ["--storage-driver", driver]
        if driver == "overlay":
            where += ["--storage-opt", "overlay.skip_mount_home=true"]  # that mount would be left behind
        return ["podman", *where, *words]

    def environment(self) -> Dict[str, str]:
        return {
            "CONTAINERS_CONF": str(self.cache / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.cache / "storage.conf"),
            "TMPDIR": str(self.temporary),
            # podman 5 warns on each call, in the midst of what a host says.
            "PODMAN_IGNORE_CGROUPSV1_WARNING": "1",
        }

    def _prepare(self) -> None:
        with self.lock("engine"):
            self.temporary.mkdir(exist_ok=True)
            (self.cache / "networks").mkdir(exist_ok=True)
            self.run.mkdir(mode=0o700, exist_ok=True)
            if not (self.cache / "driver").exists():
                _write(self.cache / "driver", "overlay" if self._overlay_works() else "vfs")
            # podman forgets a --runtime-flag when a container has ended, and then nobody buries it.
            _write(self.cache / "runc", '#!/bin/sh\nexec runc --root %s "$@"\n' % (self.run / "c"))
            (self.cache / "runc").chmod(0o755)
            _write(self.cache / "containers.conf", _settings())
            _write(self.cache / "storage.conf", "[storage]\n" + "".join("%s = %s\n" % line for line in self._storage()))
        self._ready = True

    def _storage(self) -> List[Tuple[str, str]]:
        driver = (self.cache / "driver").read_text(encoding="ascii")
        values = {"driver": driver, "graphroot": str(self.storage), "runroot": str(self.run / "r")}
        return [(name, json.dumps(value)) for name, value in values.items()]

    def _overlay_works(self) -> bool:
        """Overlays on overlays do not work, and a checkout may lie on one."""
        place = self.temporary / "overlay"
        for part in ("lower", "upper", "work", "merged"):
            (place / part).mkdir(parents=True, exist_ok=True)
        options = "lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work".format(str(place).replace(",", "\\,"))
        mounted = command("mount", "-t", "overlay", "overlay", "-o", options, str(place / "merged")).rc == 0
        if mounted:
            must("umount", str(place / "merged"))
        shutil.rmtree(place)
        return mounted

    def clear(self) -> None:
        """Remove all that is not cache. Nobody may use this podman any more."""
        if self.run.exists():
            self.podman("rm", "--all", "--force", "--time", "0")
        for place in _mounts_below(self.run, self.storage, self.temporary):
            command("umount", place)
        for folder in (self.run, self.temporary):
            # A bootstrap that was killed leaves /dev and /proc of this machine mounted in there.
            if not _mounts_below(folder):
                shutil.rmtree(folder, ignore_errors=True)
        self._ready = False


def _write(path: Path, text: str) -> None:
    """Write a file that another process may be about to read."""
    draft = path.with_name("%s.%d" % (path.name, os.getpid()))
    draft.write_text(text, encoding="utf-8")
    draft.rename(path)


def _settings() -> str:
    """With crun, with podman's own limits where one may not raise them, or with its cgroups, no container starts."""
    limits = {"nofile": (resource.RLIMIT_NOFILE, 20000), "nproc": (resource.RLIMIT_NPROC, 32768)}
    words = []
    for name, (which, most) in limits.items():
        hard = resource.getrlimit(which)[1]
        count = most if hard == resource.RLIM_INFINITY else min(most, hard)
        words.append('"%s=%d:%d"' % (name, count, count))
    return """
[containers]
default_ulimits = [%s]
log_driver = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
[network]
network_backend = "netavark"
""" % ", ".join(words)


def _mounts_below(*places: Path) -> List[str]:
    found = []
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines():
        target = line.split(" ")[1].replace("\\040", " ")
        if any(target == str(place) or target.startswith("%s/" % place) for place in places):
            found.append(target)
    return found[::-1]
