# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many real hosts on this machine: Debian of several releases, each with its own processes, mounts, network and sshd.

    python3 tests/fleet up [--hosts N] [--suites bullseye,bookworm,trixie,sid]
    python3 tests/fleet status
    python3 tests/fleet down

`up` prints where the inventory is. It takes root, podman and some other packages; what is missing is named. All lies
below .cache/fleet of the checkout (or FLEET_CACHE), and in /run while hosts are up.
"""

import argparse
import concurrent.futures
import contextlib
import ipaddress
import json
import os
import random
import shlex
import shutil
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Type, TypeVar

from ansible_collections.fleet.tmux.tests.fleet import images
from ansible_collections.fleet.tmux.tests.fleet.engine import Engine, Failed, command, missing, must, why_not
from ansible_collections.fleet.tmux.tests.fleet.host import IDLE, USERS, Host, Plan
from ansible_collections.fleet.tmux.tests.fleet.images import OPERATOR_PASSWORD, ROOT_PASSWORD, SUITES
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

__all__ = ["IDLE", "OPERATOR_PASSWORD", "ROOT_PASSWORD", "SUITES", "USERS", "Fleet", "Host"]

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 6
"""Hosts that are made, or asked, at the same time."""
_Answer = TypeVar("_Answer")


def cache() -> Path:
    return Path(os.environ.get("FLEET_CACHE") or ROOT / ".cache" / "fleet")


class Fleet:
    """Hosts of some suites, in turn. As a context manager it is up within the block."""

    def __init__(self, count: int = len(SUITES), suites: Sequence[str] = SUITES, token: str = "") -> None:
        self.engine = Engine(cache())
        self.token = token or "%06x" % random.SystemRandom().randrange(1 << 24)
        self.hosts: List[Host] = []
        self.folder = self.engine.cache / "fleets" / self.token
        self.inventory = self.folder / "inventory.json"
        self.ssh_config = self.folder / "ssh_config"
        self.operator_password = OPERATOR_PASSWORD
        self.root_password = ROOT_PASSWORD
        self._control = self.engine.run / ("ssh-" + self.token)
        self._network = ipaddress.IPv4Network("0.0.0.0/0")
        self._last = 1  # .1 is this machine
        self._images: Dict[str, str] = {}
        self._wanted = [(suites[number % len(suites)], number // len(suites) + 1) for number in range(count)]
        self._suites = list(dict.fromkeys(suites))

    # --- up and down

    def __enter__(self) -> "Fleet":
        self.up(owner=os.getpid())
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.down()

    def up(self, owner: int = 0) -> None:
        """Bring it up. With an owner, it is swept away when that process has ended without taking it down."""
        with self.engine.lock("fleets"):
            for token in left_behind(self.engine):
                Fleet(token=token).take_down()
            self.folder.mkdir(parents=True)
            self._remember(owner)
        try:
            self._images = images.build(self.engine, self._suites)
            self._control.mkdir(mode=0o700)
            self._make_bridge()
            self._boot([self._plan(suite, "%s-%d" % (suite, number), 0, {}, {}) for suite, number in self._wanted])
        except BaseException:
            self.down()
            raise

    def down(self) -> None:
        """Remove all of it; when it was the last one, what podman has outside of the cache as well."""
        self.take_down()
        tidy(self.engine)

    def take_down(self) -> None:
        """Remove all of it, and leave podman as it is."""
        self.log_out()
        names = self.engine.must("ps", "--all", "--format", "{{.Names}}", "--filter", "label=fleet=" + self.token)
        if names.split():
            words = ["rm", "--force", "--ignore", "--time", "0", *names.split()]
            # Of a host that was killed from outside, podman first has to learn that, and says that it has failed.
            if self.engine.podman(*words).rc != 0:
                self.engine.must(*words)
        # The plugs one by one: what a host that was cut off could not say keeps its network alive for minutes.
        for link in Path("/sys/class/net").glob("f%s-*" % self.token):
            command("ip", "link", "delete", link.name)
        command("ip", "link", "delete", "fleet-" + self.token)
        _remove_cgroups("fleet-" + self.token)
        shutil.rmtree(self._control, ignore_errors=True)
        for pidfile in self.engine.run.glob(self.token + "-*.pid"):
            pidfile.unlink()
        self.hosts = []
        shutil.rmtree(self.folder, ignore_errors=True)

    def log_out(self) -> None:
        """End the connections that ssh keeps for Ansible."""
        for socket in self._control.glob("*"):
            command("ssh", "-o", "ControlPath=%s" % socket, "-O", "exit", "fleet")

    def add(
        self,
        suite: str,
        name: str,
        pids: int = 0,
        small: Optional[Dict[str, str]] = None,
        shares: Optional[Dict[str, str]] = None,
    ) -> Host:
        """One more host, as `Plan` says."""
        if suite not in self._images:
            self._images.update(images.build(self.engine, [suite]))
        self._boot([self._plan(suite, name, pids, small or {}, shares or {})])
        return self.hosts[-1]

    def _plan(self, suite: str, name: str, pids: int, small: Dict[str, str], shares: Dict[str, str]) -> Plan:
        self._last += 1
        return Plan(
            name=name,
            suite=suite,
            image=self._images[suite],
            address=str(self._network[self._last]),
            prefix=self._network.prefixlen,
            pids=pids,
            small=small,
            shares=shares,
        )

    def _boot(self, plans: Sequence[Plan]) -> None:
        made = [Host(self.engine, self.token, plan) for plan in plans]
        self.hosts += made
        self._write_inventory()
        _each(made, Host.boot)

    def _make_bridge(self) -> None:
        self._network = _free_network()
        bridge = "fleet-" + self.token
        must("ip", "link", "add", bridge, "type", "bridge")
        must("ip", "address", "add", "%s/%d" % (self._network[1], self._network.prefixlen), "dev", bridge)
        must("ip", "link", "set", bridge, "up")

    def _remember(self, owner: int) -> None:
        state = {"owner": [owner, _started(owner)]}
        (self.folder / "state.json").write_text(json.dumps(state), encoding="ascii")

    # --- what Ansible and ssh are told

    @property
    def variables(self) -> Dict[str, str]:
        """The environment that ansible needs: nothing of the user's own setup, nothing outside of its folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "SSH_", "TMUX"))}
        return dict(
            kept,
            ANSIBLE_HOME=str(self.folder / "ansible"),
            ANSIBLE_LOCAL_TEMP=str(self.folder / "ansible" / "tmp"),
            ANSIBLE_CONFIG=str(self.folder / "ansible.cfg"),
            ANSIBLE_INVENTORY=str(self.inventory),
            ANSIBLE_NOCOLOR="1",
        )

    def _write_inventory(self) -> None:
        keys = images.keys(self.engine)
        with open(keys / "host_ed25519.pub", encoding="ascii") as handle:
            shown = " ".join(handle.read().split()[:2])
        known = "".join("%s %s\n" % (host.address, shown) for host in self.hosts)
        (self.folder / "known_hosts").write_text(known, encoding="ascii")
        config = "".join("Host %s\n  HostName %s\n" % (host.name, host.address) for host in self.hosts)
        self.ssh_config.write_text(config + SSH % {"folder": self.folder, "keys": keys}, encoding="utf-8")
        everywhere = {
            "ansible_user": "admin",
            "ansible_ssh_private_key_file": str(keys / "id_ed25519"),
            "ansible_ssh_common_args": "-F " + shlex.quote(str(self.ssh_config)),
            "ansible_ssh_args": "-o ControlMaster=auto -o ControlPersist=600s",
            "ansible_control_path_dir": str(self._control),
            "ansible_python_interpreter": "/opt/fleet/python",
        }
        groups: Dict[str, Dict[str, Any]] = {}
        for host in self.hosts:
            groups.setdefault(host.suite, {"hosts": {}})["hosts"][host.name] = {"ansible_host": host.address}
        inventory = {"all": {"vars": everywhere, "children": groups}}
        (self.folder / "ansible.cfg").write_text("[defaults]\n", encoding="ascii")
        self.inventory.write_text(json.dumps(inventory, indent=2) + "\n", encoding="utf-8")

    # --- all hosts at once

    def host(self, name: str) -> Host:
        (found,) = [host for host in self.hosts if host.name == name]
        return found

    def each(self, do: Callable[[Host], _Answer]) -> Dict[str, _Answer]:
        """Do something with every host, several at a time."""
        return _each(self.hosts, do)

    def populate(self, users: Sequence[str], idle: Sequence[str]) -> None:
        """Start sessions of users on every host: idle ones, and one for each reason to keep one."""
        self.each(lambda host: host.populate_all(dict.fromkeys(users, idle)))

    def sessions(self) -> Dict[str, Dict[str, List[str]]]:
        """The names of the users' sessions, by host and user."""
        return self.each(lambda host: host.all_sessions())

    def settle(self, idle: float = IDLE) -> None:
        """Wait until all sessions but the printing ones are idle."""
        self.each(lambda host: host.settle(idle))


SSH = """
Host *
  User admin
  IdentityFile "%(keys)s/id_ed25519"
  IdentitiesOnly yes
  UserKnownHostsFile "%(folder)s/known_hosts"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  ConnectTimeout 10
  # Without these, a host that is silent behind an open connection is waited for without end.
  ServerAliveInterval 3
  ServerAliveCountMax 3
"""


def tidy(engine: Engine) -> None:
    """Remove all that is not cache, unless there is a fleet."""
    with engine.lock("fleets"):
        if not any((engine.cache / "fleets").glob("*")):
            engine.clear()


def tokens(engine: Engine, owned: bool) -> List[str]:
    """The fleets that are up: those of a process, or those of nobody (from the command line)."""
    states = {path.parent.name: _owner(path) for path in sorted(engine.cache.glob("fleets/*/state.json"))}
    return [token for token, owner in states.items() if bool(owner[0]) == owned]


def left_behind(engine: Engine) -> List[str]:
    """The fleets whose owners have ended without taking them down."""
    owners = {token: _owner(engine.cache / "fleets" / token / "state.json") for token in tokens(engine, owned=True)}
    return [token for token, (pid, started) in owners.items() if _started(pid) != started]


def _owner(state: Path) -> Tuple[int, str]:
    pid, started = json.loads(state.read_text(encoding="ascii"))["owner"]
    return pid, started


def _each(hosts: Sequence[Host], do: Callable[[Host], _Answer]) -> Dict[str, _Answer]:
    with concurrent.futures.ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return dict(zip([host.name for host in hosts], pool.map(do, hosts)))


def _started(pid: int) -> str:
    """When a process has started, which with its pid tells it from others."""
    try:
        text = Path("/proc/%d/stat" % pid).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]


def _free_network() -> ipaddress.IPv4Network:
    """A network for a thousand hosts that overlaps with none of this machine's."""
    routes = json.loads(must("ip", "-json", "-4", "route", "show", "table", "all"))
    used = [route["dst"] for route in routes if route["dst"] != "default"]
    taken = [ipaddress.IPv4Network(text, strict=False) for text in used]
    every = list(ipaddress.IPv4Network("10.128.0.0/9").subnets(new_prefix=22))
    free = [network for network in random.sample(every, 100) if not any(map(network.overlaps, taken))]
    if not free:
        raise Failed("no part of 10.128.0.0/9 is free for the fleet's network")
    return free[0]


def _remove_cgroups(name: str) -> None:
    for top in [*Path("/sys/fs/cgroup").glob("*/" + name), *Path("/sys/fs/cgroup").glob(name)]:
        eventually(lambda top=top: _removed(top), "%s is empty" % top)  # type: ignore[misc]


def _removed(top: Path) -> bool:
    """Whether a cgroup could be removed, which takes until its processes have been buried."""
    try:
        for place, _folders, _files in os.walk(str(top), topdown=False):
            _end_processes(Path(place))
            os.rmdir(place)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return not top.exists()


def _end_processes(cgroup: Path) -> None:
    """End what podman knows nothing of: it forgets a host when it is killed itself while it makes one."""
    for pid in (cgroup / "cgroup.procs").read_text(encoding="ascii").split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    for name, thawed in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
        if (cgroup / name).exists():
            (cgroup / name).write_text(thawed, encoding="ascii")


# --- the command


def up(arguments: argparse.Namespace) -> None:
    there = tokens(Engine(cache()), owned=False)
    if there:
        raise Failed("a fleet is up already: see `status`, or take it `down` first")
    fleet = Fleet(arguments.hosts, arguments.suites.split(","))
    fleet.up()
    _show(fleet.engine, fleet.token)
    print("\nTry:  ansible -i %s all -m ansible.builtin.ping" % fleet.inventory)
    print("      ssh -F %s %s" % (fleet.ssh_config, fleet.hosts[0].name))


def status(arguments: argparse.Namespace) -> None:
    engine = Engine(cache())
    every = tokens(engine, owned=False) + tokens(engine, owned=True)
    for token in every:
        _show(engine, token)
    if not every:
        print("No fleet is up.")


def down(arguments: argparse.Namespace) -> None:
    engine = Engine(cache())
    for token in tokens(engine, owned=False) + left_behind(engine):
        Fleet(token=token).take_down()
    tidy(engine)


def _show(engine: Engine, token: str) -> None:
    inventory = engine.cache / "fleets" / token / "inventory.json"
    print("fleet %s: %s" % (token, inventory))
    if inventory.exists():
        groups = json.loads(inventory.read_text(encoding="utf-8"))["all"]["children"]
        for suite, group in groups.items():
            for name, variables in group["hosts"].items():
                print("  %-16s %-16s %s" % (name, variables["ansible_host"], suite))


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Many real hosts on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    starter = commands.add_parser("up", help="bring hosts up, and print where the inventory is")
    starter.add_argument("--hosts", type=int, default=len(SUITES), help="how many (default: %(default)s)")
    starter.add_argument("--suites", default=",".join(SUITES), help="which, in turn (default: %(default)s)")
    commands.add_parser("status", help="print which hosts are up")
    commands.add_parser("down", help="remove all that `up` made, but for the cache")
    arguments = parser.parse_args(argv)
    lacking = missing()
    if why_not() or lacking:
        print("left out: needs root" if why_not() else "Please install: " + " ".join(lacking), file=sys.stderr)
        return 1
    try:
        {"up": up, "status": status, "down": down}[arguments.command](arguments)
    except (Failed, AssertionError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0
