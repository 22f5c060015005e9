# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet itself: that its hosts are what they are said to be, that faults are faults, and that nothing is left."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, Iterator

import pytest
from ansible_collections.fleet.tmux.tests.fleet.engine import Done, Failed, command, must
from ansible_collections.fleet.tmux.tests.fleet.fleet import Fleet
from ansible_collections.fleet.tmux.tests.fleet.host import BREAKS, Host
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

VERSIONS = {
    "bullseye": ("tmux 3.1c", (3, 9), "OpenSSH_8.4"),
    "bookworm": ("tmux 3.3a", (3, 11), "OpenSSH_9.2"),
    "trixie": ("tmux 3.5a", (3, 13), "OpenSSH_10."),
    "sid": ("tmux ", (3, 13), "OpenSSH_1"),
}
"""What each release has; sid moves, and is as new as the last of the others, or newer."""


@pytest.fixture
def host(fleet: Fleet) -> Iterator[Host]:
    """A host that is well, before and after."""
    well = fleet.host("trixie-1")
    yield well
    assert well.answers()
    assert well.run(["true"]) == Done(0, "")


@pytest.fixture(scope="session")
def small(fleet: Fleet) -> Host:
    """A host with small disks and few processes."""
    return fleet.add("bookworm", "small", pids=60, small={"/tmp": "1m", "/home": "4m", "/var/lib/fleet-tmux": "1m"})


def ansible(fleet: Fleet, *words: str, **variables: object) -> Done:
    """Run an ad-hoc command; its output tells each host's fate."""
    argv = [str(Path(sys.executable).with_name("ansible")), *words]
    for name, value in variables.items():
        argv += ["-e", json.dumps({name: value})]
    done = subprocess.run(
        argv,
        env=fleet.variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode("utf-8", "replace"))


def ping(fleet: Fleet, *words: str, **variables: object) -> Dict[str, str]:
    """What a run says about each host: SUCCESS, FAILED! or UNREACHABLE!."""
    done = ansible(fleet, "all", "-m", "ansible.builtin.ping", *words, **variables)
    return dict(re.findall(r"^(\S+) \| ([A-Z!]+)", done.output, re.MULTILINE))


# --- what the hosts are


def test_each_host_is_its_release(fleet: Fleet) -> None:
    for suite, (tmux, python, ssh) in VERSIONS.items():
        host = fleet.host(suite + "-1")
        assert host.must(["tmux", "-V"]).startswith(tmux)
        found = json.loads(host.must(["python3", "-c", "import json, sys; print(json.dumps(sys.version_info[:2]))"]))
        assert tuple(found) >= python if suite == "sid" else tuple(found) == python
        with socket.create_connection((host.address, 22)) as connection:
            assert connection.recv(99).decode("ascii").startswith("SSH-2.0-" + ssh)
        assert host.must(["hostname"]).strip() == host.name


def test_each_host_has_its_own_of_everything(fleet: Fleet) -> None:
    kinds = ["pid", "mnt", "net", "uts", "ipc"]
    for kind in kinds:
        seen = {os.readlink("/proc/%d/ns/%s" % (host.pid, kind)) for host in fleet.hosts}
        assert len(seen) == len(fleet.hosts)
        assert os.readlink("/proc/self/ns/" + kind) not in seen
    assert len({host.address for host in fleet.hosts}) == len({host.mac for host in fleet.hosts}) == len(fleet.hosts)


def test_no_host_sees_what_another_does(fleet: Fleet) -> None:
    one, other = fleet.host("trixie-1"), fleet.host("sid-1")
    one.start(["sleep", "987654"])
    one.write("/tmp/seen", "here", mode=0o600)
    assert "987654" in one.must(["ps", "ax"])
    assert "987654" not in other.must(["ps", "ax"])
    assert one.must(["cat", "/tmp/seen"]) == "here"
    assert other.run(["cat", "/tmp/seen"]).rc == 1


def test_its_first_process_is_an_init(host: Host) -> None:
    assert host.must(["ps", "-o", "comm=", "1"]).strip() not in ("sshd", "boot")
    assert host.must(["ps", "--ppid", "1", "-o", "comm="]).split()[0] == "sshd"


def test_users_own_their_sessions(fleet: Fleet) -> None:
    fleet.populate(["alice", "bob"], ["build", "two words;"])
    try:
        everything = ["attached", "build", "kept", "printing", "two words;"]
        for name, users in fleet.sessions().items():
            assert users == {"alice": everything, "bob": everything, "carol": []}, name
        for host in fleet.hosts:
            format_ = "#{session_name} #{session_attached} #{@keep}"
            assert "attached 1" in host.tmux("alice", "list-sessions", "-F", format_)
            assert "kept 0 on" in host.tmux("alice", "list-sessions", "-F", format_)
            assert re.search(r"^alice +tmux", host.must(["ps", "axo", "user,cmd"]), re.MULTILINE)
    finally:
        fleet.each(lambda host: [host.tmux(user, "kill-server") for user in ("alice", "bob")])


def test_idle_sessions_settle_and_the_printing_one_does_not(host: Host) -> None:
    host.populate("carol", ["quiet"])
    try:
        host.settle(idle=2, users=["carol"])
        host.tmux("carol", "send-keys", "-t", "=quiet:", "x")
        host.settle(idle=2, users=["carol"])
        shown = host.tmux("carol", "list-windows", "-a", "-F", "#{session_name} #{window_activity}")
        clocks = {name: int(clock) for name, clock in (line.split() for line in shown.splitlines())}
        assert time.time() - clocks["quiet"] > 2
        assert clocks["printing"] > clocks["quiet"]
    finally:
        host.tmux("carol", "kill-server")


# --- Ansible


def test_ansible_reaches_all_hosts_and_starts_python_once(fleet: Fleet) -> None:
    every = {host.name: "SUCCESS" for host in fleet.hosts}
    operator = {"ansible_user": "operator", "ansible_become_password": fleet.operator_password}
    su = {"ansible_become_method": "ansible.builtin.su", "ansible_become_password": fleet.root_password}
    for pipelining in (False, True):
        for variables in ({}, operator, su):
            before = fleet.each(Host.python_starts)
            become = ["--become"] if variables else []
            assert ping(fleet, *become, ansible_pipelining=pipelining, **variables) == every
            assert fleet.each(Host.python_starts) == {name: count + 1 for name, count in before.items()}


def test_the_operator_needs_the_password(fleet: Fleet) -> None:
    for password in ("wrong", None):
        variables = {"ansible_user": "operator", "ansible_become_password": password}
        assert set(ping(fleet, "--become", **variables).values()) <= {"FAILED!", "UNREACHABLE!"}


def test_nobody_logs_in_as_root_or_with_an_unknown_key(fleet: Fleet, tmp_path: Path) -> None:
    login = ["ssh", "-F", str(fleet.ssh_config), "-o", "BatchMode=yes"]
    assert command(*login, "trixie-1", "id", "-un").output == "admin\n"
    assert command(*login, "-l", "alice", "trixie-1", "id", "-un").output == "alice\n"
    assert command(*login, "-l", "root", "trixie-1", "id", "-un").rc == 255
    must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key"))
    stranger = ["ssh", "-F", "/dev/null", "-o", "UserKnownHostsFile=%s" % (fleet.folder / "known_hosts")]
    stranger += ["-o", "IdentitiesOnly=yes", "-i", str(tmp_path / "key"), "-o", "BatchMode=yes"]
    refused = command(*stranger, "admin@" + fleet.host("trixie-1").address, "true")
    assert refused.rc == 255
    assert "Permission denied" in refused.output


# --- what can happen to a host


def reached(fleet: Fleet, host: Host) -> str:
    return ping(fleet, "--limit", host.name)[host.name]


def test_a_frozen_host_is_silent_also_behind_an_open_connection(fleet: Fleet, host: Host) -> None:
    assert reached(fleet, host) == "SUCCESS"
    host.freeze()
    try:
        assert reached(fleet, host) == "UNREACHABLE!"
    finally:
        host.thaw()
    assert reached(fleet, host) == "SUCCESS"


def test_a_host_that_is_cut_off_lives_on_and_comes_back(fleet: Fleet, host: Host) -> None:
    host.tmux("alice", "new-session", "-d", "-s", "work", "cat")
    before = (host.address, host.must(["cat", "/sys/class/net/eth0/address"]))
    host.cut_off()
    try:
        assert not host.answers()
        assert reached(fleet, host) == "UNREACHABLE!"
        assert host.sessions("alice") == ["work"]
    finally:
        host.rejoin()
    assert (host.address, host.must(["cat", "/sys/class/net/eth0/address"])) == before
    assert reached(fleet, host) == "SUCCESS"
    host.tmux("alice", "kill-server")


def test_a_killed_host_boots_with_its_disk_and_without_its_processes(fleet: Fleet, host: Host) -> None:
    host.tmux("alice", "new-session", "-d", "-s", "work", "cat")
    host.write("/home/alice/saved", "kept", user="alice")
    host.write("/tmp/scratch", "lost")
    assert reached(fleet, host) == "SUCCESS"
    host.kill()
    try:
        assert not host.answers()
        assert reached(fleet, host) == "UNREACHABLE!"
    finally:
        host.revive()
    assert reached(fleet, host) == "SUCCESS"
    assert host.sessions("alice") == []
    assert host.must(["cat", "/home/alice/saved"]) == "kept"
    assert host.run(["cat", "/tmp/scratch"]).rc == 1


def test_a_host_without_processes_to_spare(fleet: Fleet, host: Host) -> None:
    fork = ["sh", "-c", "true | cat"]
    host.exhaust()
    try:
        assert host.run(fork).rc != 0
        assert reached(fleet, host) in ("UNREACHABLE!", "FAILED!")
    finally:
        host.relieve()
    assert host.run(fork) == Done(0, "")
    assert reached(fleet, host) == "SUCCESS"


def test_a_limit_of_processes_holds(small: Host) -> None:
    # What holds our pipe would be waited for.
    many = ["sh", "-c", "for n in $(seq 100); do sleep 999 >/dev/null 2>&1 & done"]
    assert "fork" in small.run(many).output.lower()
    small.must(["pkill", "sleep"])
    small.exhaust()
    small.relieve()
    assert int(small._pids("pids.max").read_text()) == 60


def test_a_small_disk_fills(small: Host) -> None:
    for path in small.plan.small:
        small.fill(path)
        try:
            full = small.run(["cp", "/etc/passwd", path + "/file"])
            assert "No space left" in full.output, path
        finally:
            small.empty(path)
        small.write(path + "/file", "text")


def test_the_disk_of_this_machine_is_not_filled(host: Host) -> None:
    with pytest.raises(Failed, match="no small disk"):
        host.fill("/home")


@pytest.mark.parametrize("how", sorted(BREAKS))
def test_tmux_breaks_for_runs_and_not_for_our_looks(host: Host, how: str) -> None:
    host.tmux("bob", "new-session", "-d", "-s", "work", "cat")
    version = ["timeout", "2", "sh", "-c", "PATH=/usr/bin:/bin; tmux -V"]
    good = host.run(version, user="bob")
    host.break_tmux(how)
    try:
        bad = host.run([*version[:-1], version[-1] + " | head -c 1000"] if how == "floods" else version, user="bob")
        assert bad != good
        if how in ("garbage", "floods"):
            assert bad.rc == 0
        else:
            expected = {"missing": 127, "fails": 1, "complains": 1, "hangs": 124, "crashes": 128 + 11}
            assert bad.rc == expected[how], bad
        assert host.sessions("bob") == ["work"]
        assert host.tmux("bob", "list-sessions", "-F", "#{session_name}") == "work\n"
    finally:
        host.mend_tmux()
    assert host.run(version, user="bob") == good
    assert host.sessions("bob") == ["work"]
    host.tmux("bob", "kill-server")


def test_a_gate_holds_the_call_that_it_is_for_until_it_is_opened(host: Host) -> None:
    with host.gate("*kill-session* -t =old*") as gate:
        asked = "/usr/bin/tmux -V >/tmp/before; /usr/bin/tmux kill-session -t =old; echo done >/tmp/after"
        host.start(["sh", "-c", asked], user="alice")
        gate.wait()
        assert host.must(["cat", "/tmp/before"]).startswith("tmux 3.5a")
        # Only the first is held: others, and those for something else, pass.
        assert host.run(["/usr/bin/tmux", "kill-session", "-t", "=old"], user="bob").rc == 1
        host.freeze()
        gate.open()
        host.thaw()
        eventually(lambda: host.run(["cat", "/tmp/after"]).rc == 0, "the call goes on")
    assert host.run(["test", "-e", "/opt/fleet/real/tmux"]).rc == 1


def test_a_gate_does_not_let_go_by_itself(host: Host) -> None:
    with host.gate() as gate:
        assert not gate.reached
        held = ["timeout", "1", "/usr/bin/tmux", "-V"]
        assert host.run(held, user="alice").rc == 124
        assert gate.reached
        assert host.run(held, user="alice").rc == 0


def test_a_run_that_never_comes_to_the_gate_is_not_waited_for(host: Host) -> None:
    with host.gate() as gate, subprocess.Popen(["true"]) as run, pytest.raises(Failed, match="did not come"):
        gate.wait(run)
