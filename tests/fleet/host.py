# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One host of the fleet: what can be done in it, and what can happen to it."""

import json
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple, Type

from ansible_collections.fleet.tmux.tests.fleet.engine import Done, Engine, Failed, must, worked
from ansible_collections.fleet.tmux.tests.fleet.images import BOOTED
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

INSIDE = Path(__file__).with_name("inside.py")
USERS = ("alice", "bob", "carol")
"""Those who own the tmux servers."""
IDLE = 5
"""Seconds without activity that make a session idle in these tests."""
CAPABILITIES = ["SYS_PTRACE", "DAC_READ_SEARCH", "AUDIT_WRITE", "SYS_NICE"]
"""What root of a host also has, and podman would take away: without them it could not look at the users' processes."""
TMUX = "/usr/bin/tmux"
REAL = "/opt/fleet/real"
GATE = "/opt/fleet/gate"
BREAKS = {
    "missing": "",
    "fails": "exit 1",
    "complains": "echo 'tmux: out of order' >&2; exit 1",
    "hangs": "exec sleep infinity",
    "garbage": r"printf 'b\377\001\t#{\n12 34\n\n\033[0m%s' tmux",
    "floods": "exec yes 'a line without end'",
    "crashes": "kill -SEGV $$",
}
"""What tmux may do instead of its work: shell scripts, but for the first."""


class Plan(NamedTuple):
    """What a host is to be.

    `pids` limits its processes, `small` makes places (path: size) a disk of their own, and `shares` (path: path here)
    shows it places of this machine, which it cannot write to.
    """

    name: str
    suite: str
    image: str
    address: str
    prefix: int
    pids: int
    small: Dict[str, str]
    shares: Dict[str, str]


class Host:
    """A container with an sshd, on a bridge of the fleet."""

    def __init__(self, engine: Engine, token: str, plan: Plan) -> None:
        self.name = plan.name
        self.suite = plan.suite
        self.address = plan.address
        self.plan = plan
        self.container = "%s-%s" % (token, plan.name)
        self._engine = engine
        self._token = token
        self._pidfile = engine.run / ("%s.pid" % self.container)
        self._id = ""
        number = int(plan.address.split(".")[2]) % 4 * 256 + int(plan.address.split(".")[3])
        # Derived, so that a host that comes again with an address of before is found at once.
        self.mac = "02:00:%02x:%02x:%02x:%02x" % tuple(int(part) for part in plan.address.split("."))
        self._link = "f%s-%d" % (token, number)

    # --- its life

    def boot(self) -> None:
        """Make the host and start it."""
        self._id = ""
        words = ["run", "--detach", "--pull", "never", "--name", self.container, "--hostname", self.name]
        booted = self.suite == BOOTED
        words += ["--systemd", "always"] if booted else ["--init", "--systemd", "false"]
        words += ["--pidfile", str(self._pidfile), "--label", "fleet=" + self._token]
        words += ["--cgroup-parent", "/fleet-" + self._token, "--cgroups", "no-conmon"]
        # podman's own networks leave more behind: a forwarding machine, mounts, rules.
        words += ["--network", "none", "--no-hosts", "--security-opt", "seccomp=unconfined"]
        words += ["--cap-add=" + name for name in CAPABILITIES]
        words += ["--pids-limit", str(self.plan.pids)] if self.plan.pids else []
        for path, size in self.plan.small.items():
            words += ["--tmpfs", "%s:rw,size=%s,mode=%s" % (path, size, "1777" if path == "/tmp" else "0755")]
        for path, source in self.plan.shares.items():
            words += ["--volume", "%s:%s:ro" % (source, path)]
        self._engine.must(*words, self.plan.image, "/sbin/init" if booted else "/opt/fleet/boot")
        self._plug_in()

    def _plug_in(self) -> None:
        pid = str(self.pid)
        peer = ["peer", "name", "eth0", "address", self.mac, "netns", pid]
        must("ip", "link", "add", self._link, "type", "veth", *peer)
        must("ip", "link", "set", self._link, "master", "fleet-" + self._token, "up")
        inside = "address add %s/%d dev eth0\nlink set eth0 up\n" % (self.address, self.plan.prefix)
        must("nsenter", "--net", "--target", pid, "ip", "-batch", "-", stdin=inside)
        eventually(self.answers, "sshd of %s answers" % self.name)

    def answers(self) -> bool:
        """Whether sshd greets."""
        try:
            with socket.create_connection((self.address, 22), timeout=5) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    @property
    def pid(self) -> int:
        """Its first process, as this machine sees it."""
        return int(self._pidfile.read_text(encoding="ascii"))

    @property
    def root(self) -> Path:
        """Its root directory, as this machine sees it, for as long as it lives."""
        return Path("/proc/%d/root" % self.pid)

    # --- commands

    def run(self, argv: Sequence[str], user: str = "root", stdin: str = "") -> Done:
        """Run a command in there to its end.

        Not by podman exec, which takes four times as long, and this is done some thousand times.
        """
        if not self._id:
            self._id = self._engine.must("inspect", "--format", "{{.Id}}", self.container).strip()
        home, variables = _login(user)
        words = ["exec", "--cwd", home, "--user", "0:0", self._id]
        words += [] if user == "root" else ["setpriv", "--reuid", user, "--regid", user, "--init-groups"]
        words += ["env", "-i", *("%s=%s" % item for item in variables.items())]
        return self._engine.runtime(*words, *argv, stdin=stdin)

    def must(self, argv: Sequence[str], user: str = "root", stdin: str = "") -> str:
        """Run a command in there that has to work."""
        return worked(["on %s:" % self.name, *argv], self.run(argv, user=user, stdin=stdin))

    def start(self, argv: Sequence[str], user: str = "root") -> None:
        """Start a command in there, and do not wait for it."""
        home, variables = _login(user)
        words = ["exec", "--detach", "--user", user, "--workdir", home]
        for name, value in variables.items():
            words += ["--env", "%s=%s" % (name, value)]
        self._engine.must(*words, self.container, *argv)

    def write(self, path: str, text: str, mode: int = 0o644, user: str = "root") -> None:
        """Write a file in there."""
        script = 'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"'
        self.must(["sh", "-c", script, "sh", path, "%o" % mode], user=user, stdin=text)

    # --- sessions

    def tmux(self, user: str, *words: str) -> str:
        """Ask a user's tmux server something."""
        return self.must(["tmux", "-u", "-f", "/dev/null", *words], user=user)

    def sessions(self, user: str) -> List[str]:
        """The names of a user's sessions; without a server, none."""
        return self.all_sessions([user])[user]

    def all_sessions(self, users: Sequence[str] = USERS) -> Dict[str, List[str]]:
        """The names of several users' sessions, at the price of one look."""
        found: Dict[str, List[str]] = self._ask(do="sessions", users=list(users))
        return found

    def populate(self, user: str, idle: Sequence[str]) -> None:
        """Start sessions that will be idle, and one for each reason to keep one: attached, kept, printing."""
        self.populate_all({user: idle})

    def populate_all(self, users: Dict[str, Sequence[str]]) -> None:
        """Start sessions of several users, at the price of one look."""
        self._ask(do="populate", users={user: list(idle) for user, idle in users.items()})

    def settle(self, idle: float = IDLE, users: Sequence[str] = USERS) -> None:
        """Wait until all sessions but the printing ones are idle."""
        self._ask(do="settle", users=list(users), idle=idle)

    def _ask(self, **request: Any) -> Any:
        source = INSIDE.read_text(encoding="utf-8")
        answer = self.must(["/usr/bin/python3", "-", json.dumps(request)], stdin=source)
        return json.loads(answer)

    def python_starts(self) -> int:
        """How many times the inventory's Python was started here: once for each module that ran."""
        return len((self.root / "opt/fleet/python-starts").read_text(encoding="ascii").splitlines())

    # --- what can happen to it

    def freeze(self) -> None:
        """Stop everything in there: to others, the host is silent.

        On a busy machine runc gives up before each process came to where it can be stopped, and lets all go on.
        """
        eventually(lambda: self._engine.podman("pause", self.container).rc == 0, "%s is paused" % self.container)

    def thaw(self) -> None:
        self._engine.must("unpause", self.container)

    def cut_off(self) -> None:
        """Pull the plug of its network; connections that exist are not told."""
        must("ip", "link", "set", self._link, "down")

    def rejoin(self) -> None:
        must("ip", "link", "set", self._link, "up")
        eventually(self.answers, "sshd of %s answers" % self.name)

    def kill(self) -> None:
        """Let it lose its power: processes and connections are gone without a word."""
        must("ip", "link", "delete", self._link)  # first, or else the dying say goodbye
        self._engine.must("kill", self.container)
        self._engine.must("wait", self.container)

    def revive(self) -> None:
        """Boot it again, with the disks and the address that it had."""
        self._engine.must("start", self.container)
        self._plug_in()

    def fill(self, path: str) -> None:
        """Fill one of its small disks, to the last byte."""
        if path not in self.plan.small:
            raise Failed("%s of %s is no small disk: filling it would fill this machine's" % (path, self.name))
        done = self.run(["sh", "-c", 'cat /dev/zero >"$1/.filler"', "sh", path])
        if "No space left" not in done.output:
            raise Failed("%s of %s did not fill: %s" % (path, self.name, done.output))

    def empty(self, path: str) -> None:
        self.must(["rm", "-f", path + "/.filler"])

    def exhaust(self, spare: int = 0) -> None:
        """Let it have no more processes than it has now, but for a few to spare. `run` may fail as well."""
        limit, current = self._pids("pids.max"), self._pids("pids.current")
        limit.write_text(str(int(current.read_text(encoding="ascii")) + spare), encoding="ascii")

    def relieve(self) -> None:
        self._pids("pids.max").write_text(str(self.plan.pids or "max"), encoding="ascii")

    def _pids(self, name: str) -> Path:
        for line in Path("/proc/%d/cgroup" % self.pid).read_text(encoding="ascii").splitlines():
            _number, controllers, path = line.split(":", 2)
            for mounted in ["/sys/fs/cgroup/pids"] if "pids" in controllers.split(",") else ["/sys/fs/cgroup"]:
                found = Path(mounted + path) / name
                if found.exists():
                    return found
        raise Failed("no cgroup counts the processes of %s" % self.name)

    def break_tmux(self, how: str) -> None:
        """Put something else in the place of tmux: see BREAKS. What runs goes on, and so do the looks of this class."""
        self._replace_tmux(BREAKS[how])

    def mend_tmux(self) -> None:
        script = 'if [ -e "$1/tmux" ]; then mv -T "$1/tmux" "$2"; fi'
        self.must(["sh", "-c", script, "sh", REAL, TMUX])

    def _replace_tmux(self, script: str) -> None:
        keep = 'mkdir -p "$1"; [ -e "$1/tmux" ] || cp -p "$2" "$1/tmux"; '
        put = 'cat >"$2.new"; chmod 0755 "$2.new"; mv -T "$2.new" "$2"' if script else 'rm "$2"'
        self.must(["sh", "-ec", keep + put, "sh", REAL, TMUX], stdin="#!/bin/sh\n%s\n" % script)

    def gate(self, when: str = "*", calls: int = 1) -> "Gate":
        """Hold the next call of tmux whose words match a pattern of the shell, until the gate is opened.

        :param calls: how many are held, of several owners side by side.
        """
        return Gate(self, when, calls)


def _login(user: str) -> Tuple[str, Dict[str, str]]:
    """Where somebody is who has just logged in, and with which variables."""
    home = "/root" if user == "root" else "/home/" + user
    path = "%s:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" % REAL
    return home, {"PATH": path, "HOME": home, "USER": user, "LOGNAME": user, "TERM": "xterm", "LC_ALL": "C.UTF-8"}


class Gate:
    """A place in the middle of a run on one host where it is held: the first calls of tmux that come along wait there.

    Whoever started such a call may lose patience with it: the modules do after their `timeout`. When the gate is
    opened, what was held meets whatever is in the place of tmux then.
    """

    def __init__(self, host: Host, when: str, calls: int) -> None:
        self._host = host
        self._places = ["reached-%d" % number for number in range(calls)]
        script = """
case "$*" in
  %(when)s)
    for place in %(places)s; do
      if mkdir %(gate)s/$place 2>/dev/null; then
        while [ ! -e %(gate)s/open ]; do sleep 0.05; done
        exec "$0" "$@"
      fi
    done ;;
esac
exec %(real)s/tmux "$@"
"""
        host.must(["sh", "-ec", 'rm -rf "$1"; mkdir "$1"; chmod 1777 "$1"', "sh", GATE])
        places = " ".join(self._places)
        values = {"when": when.replace(" ", "\\ "), "gate": GATE, "real": REAL, "places": places}
        host._replace_tmux(script % values)

    @property
    def reached(self) -> bool:
        """Whether all calls of tmux wait there that are held, or did."""
        return all((self._host.root / GATE[1:] / place).exists() for place in self._places)

    def wait(self, run: Optional["subprocess.Popen[bytes]"] = None) -> None:
        """Wait until a call of tmux waits there. A run that ends before will not bring it any more."""

        def there() -> bool:
            if run is not None and run.poll() is not None and not self.reached:
                raise Failed("the run has ended, and did not come to the gate of %s" % self._host.name)
            return self.reached

        eventually(there, "the gate of %s is reached" % self._host.name)

    def __enter__(self) -> "Gate":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.open()
        self._host.mend_tmux()

    def open(self) -> None:
        """Let the call go on, and all later ones through. The host may be frozen, but it must live."""
        (self._host.root / GATE[1:] / "open").touch()
