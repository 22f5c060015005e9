# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fleets that come and go: what they find, and what they leave behind."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Set

import pytest
from ansible_collections.fleet.tmux.tests.fleet import images
from ansible_collections.fleet.tmux.tests.fleet.engine import PROGRAMS, Engine, command, must
from ansible_collections.fleet.tmux.tests.fleet.fleet import Fleet, left_behind, main, tokens

COMMAND = [sys.executable, str(Path(__file__).parent)]
OF_PODMAN = ["/var/lib/containers", "/run/containers", "/run/libpod", "/etc/containers", "/var/lib/cni", "/run/runc"]
"""Where the user's own podman has its things."""


@pytest.fixture(scope="module")
def archive(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One image, to be had without making it."""
    place = str(tmp_path_factory.mktemp("image") / "image.tar")
    fleet.engine.must("save", "--quiet", "--output", place, images.image(fleet.engine, "trixie"))
    yield place
    os.unlink(place)


@pytest.fixture
def own_cache(fleet: Fleet, archive: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of its own that holds one image already."""
    place = tmp_path / "cache"
    monkeypatch.setenv("FLEET_CACHE", str(place))
    engine = Engine(place)
    place.mkdir()
    shutil.copytree(str(images.keys(fleet.engine)), str(place / "keys"))
    engine.must("load", "--quiet", "--input", archive)
    engine.clear()
    yield place
    command(*COMMAND, "down")


def up(*words: str) -> List[str]:
    """Bring a fleet up as a person does; the addresses of its hosts."""
    shown = must(*COMMAND, "up", "--suites", "trixie", *words)
    return re.findall(r"^  trixie-\d+ +(\S+)", shown, re.MULTILINE)


def inventory(place: Path) -> str:
    (found,) = place.glob("fleets/*/inventory.json")
    return str(found)


# --- what is left


class Traces:
    """What there is on this machine that could have come from a fleet."""

    def __init__(self) -> None:
        self.links = set(os.listdir("/sys/class/net"))
        self.mounts = _lines("/proc/self/mounts")
        self.places = set(os.listdir("/run")) | set(os.listdir("/dev/shm"))
        self.cgroups = {str(path) for path in Path("/sys/fs/cgroup").glob("**/*fleet-*")}
        self.cgroups |= {str(path) for path in Path("/sys/fs/cgroup").glob("**/conmon")}
        self.routes = set(must("ip", "route", "show", "table", "all").splitlines())
        self.neighbours = set(must("ip", "neighbour", "show", "nud", "all").splitlines())
        self.forwarding = Path("/proc/sys/net/ipv4/ip_forward").read_text()
        self.rules = [_rules(program) for program in ("iptables-save", "ip6tables-save")]
        self.podman = {path: _tree(path) for path in OF_PODMAN}


def _rules(program: str) -> List[str]:
    """The rules of a firewall, without its counters and the times of its comments."""
    if shutil.which(program) is None:
        return []
    return [re.sub(r"\[.*?\]", "", line) for line in command(program).output.splitlines() if line[:1] != "#"]


def _lines(path: str) -> Set[str]:
    return set(Path(path).read_text(encoding="utf-8", errors="replace").splitlines())


def _tree(top: str) -> Dict[str, float]:
    return {
        os.path.join(place, name): os.lstat(os.path.join(place, name)).st_mtime
        for place, folders, names in os.walk(top)
        for name in [*folders, *names]
    }


def _namespaces() -> Set[str]:
    """The network name spaces in which processes are. Zombies are in none."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            found.add(os.readlink(str(link)))
        except OSError:
            pass  # it has ended
    return found


def _processes(word: str) -> Set[str]:
    """The living processes whose words or cgroups mention something."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            text = (place / "cmdline").read_bytes() + (place / "cgroup").read_bytes()
            state = (place / "stat").read_bytes().rpartition(b")")[2].split()[0]
        except OSError:
            continue  # it has ended
        if word.encode("ascii") in text and state != b"Z":
            found.add(text.replace(b"\0", b" ").decode("utf-8", "replace"))
    return found


def test_nothing_is_left_but_the_cache(own_cache: Path) -> None:
    before, others = Traces(), _namespaces()
    up("--hosts", "2")
    engine, (token,) = Engine(own_cache), tokens(Engine(own_cache), owned=False)
    ping = [
        str(Path(sys.executable).with_name("ansible")),
        "-i",
        inventory(own_cache),
        "all",
        "-m",
        "ansible.builtin.ping",
    ]
    must(*ping)
    during, namespaces = Traces(), _namespaces() - others
    assert len(namespaces) >= 2
    assert "fleet-" + token in during.links
    assert engine.run.name in during.places
    assert any(token in line for line in during.cgroups)
    assert any(str(own_cache) in line for line in during.mounts)
    assert any("ssh-" + token in words for words in _processes(token)), "an ssh master waits for more"

    must(*COMMAND, "down")
    after = Traces()
    assert not _processes(token)
    assert not _processes(engine.token)
    assert not _namespaces() & namespaces
    for what in ("links", "mounts", "cgroups", "routes", "neighbours"):
        assert not {line for line in getattr(after, what) - getattr(before, what) if token in line}, what
    assert not {line for line in after.mounts if str(own_cache) in line or engine.run.name in line}
    assert not (after.routes & during.routes) - before.routes
    assert engine.run.name not in after.places
    assert not (after.places & during.places) - before.places
    assert after.forwarding == before.forwarding
    assert after.rules == before.rules
    assert after.podman == before.podman
    assert not list((own_cache / "fleets").glob("*"))
    shutil.rmtree(str(own_cache))


def test_down_also_ends_hosts_that_are_not_well(own_cache: Path) -> None:
    with Fleet(3, ["trixie"]) as made:
        token, (frozen, cut, dead) = made.token, made.hosts
        must(
            str(Path(sys.executable).with_name("ansible")),
            "-i",
            str(made.inventory),
            "all",
            "-m",
            "ansible.builtin.ping",
        )
        frozen.freeze()
        cut.cut_off()
        dead.kill()
    assert not _processes(token)
    assert not [name for name in os.listdir("/sys/class/net") if token in name]
    assert not list(Path("/sys/fs/cgroup").glob("**/*%s*" % token))


def test_what_a_killed_bootstrap_has_mounted_is_unmounted_before_it_is_removed(own_cache: Path) -> None:
    with Fleet(1, ["trixie"]) as made:
        place = made.engine.temporary / "mmdebstrap" / "dev"
        place.mkdir(parents=True)
        original = own_cache / "original"
        original.mkdir()
        (original / "file").touch()
        must("mount", "--bind", str(original), str(place))
    assert not place.exists()
    assert (original / "file").exists()
    assert str(own_cache) not in Path("/proc/self/mounts").read_text(encoding="utf-8")


def test_down_also_ends_what_podman_has_forgotten(own_cache: Path) -> None:
    with Fleet(1, ["trixie"]) as made, subprocess.Popen(["sleep", "9999"]) as forgotten:
        host = Path("/proc/%d/cgroup" % made.hosts[0].pid).read_text(encoding="ascii").splitlines()
        parents = [line.rpartition(":")[2] for line in host if made.token in line]
        for place in Path("/sys/fs/cgroup").glob("*/" + parents[0][1:]):
            (place / "cgroup.procs").write_text(str(forgotten.pid))
        made.engine.must("pause", made.hosts[0].container)
        made.down()
        assert forgotten.wait() == -9


def test_a_fleet_whose_owner_was_killed_is_swept_away(own_cache: Path) -> None:
    script = "import sys, time; sys.path.insert(0, sys.argv[1]); from fleet import Fleet\n"
    script += "with Fleet(1, ['trixie']): print('up', flush=True); time.sleep(9999)"
    argv = [sys.executable, "-c", script, str(Path(__file__).parent)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as owner:
        try:
            assert owner.stdout is not None
            assert owner.stdout.readline() == b"up\n"
            (token,) = tokens(Engine(own_cache), owned=True)
            assert left_behind(Engine(own_cache)) == []
            must(*COMMAND, "down")
            assert _processes(token), "down takes no other process's fleet"
        finally:
            owner.kill()
    assert left_behind(Engine(own_cache)) == [token]
    with Fleet(1, ["trixie"]) as made:
        assert made.hosts[0].answers()
        assert not _processes(token)
        assert tokens(made.engine, owned=True) == [made.token]


# --- starting


def test_the_second_start_makes_no_image(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "bin" / "mmdebstrap"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho no more images; exit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", "%s:%s" % (broken.parent, os.environ["PATH"]))
    assert len(up("--hosts", "1")) == 1
    must(*COMMAND, "down")
    failed = command(*COMMAND, "up", "--suites", "bookworm", "--hosts", "1")
    assert failed.rc == 1
    assert "no more images" in failed.output
    assert not Engine(own_cache).run.exists(), "what could not start leaves nothing"


def test_one_command_up_and_one_down(own_cache: Path) -> None:
    assert "No fleet is up" in must(*COMMAND, "status")
    addresses = up("--hosts", "2")
    assert len(set(addresses)) == 2
    assert all(address in must(*COMMAND, "status") for address in addresses)
    again = command(*COMMAND, "up")
    assert again.rc == 1
    assert "up already" in again.output
    must(*COMMAND, "down")
    assert "No fleet is up" in must(*COMMAND, "status")
    must(*COMMAND, "down")


def test_several_fleets_do_not_meet(fleet: Fleet, own_cache: Path) -> None:
    with Fleet(1, ["trixie"]) as elsewhere, Fleet(1, ["trixie"]) as beside:
        made = [fleet, elsewhere, beside]
        assert len({one.host("trixie-1").address for one in made}) == 3
        for one in made:
            one.host("trixie-1").write("/opt/fleet/whose", one.token)
        for one in made:
            assert command("ssh", "-F", str(one.ssh_config), "trixie-1", "cat", "/opt/fleet/whose").output == one.token
        beside.down()
        assert elsewhere.host("trixie-1").answers()
        assert fleet.host("trixie-1").answers()


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert main(["up"]) == 1
    assert "left out: needs root" in capsys.readouterr().err


def test_what_is_not_installed_is_named(
    possible: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["up"]) == 1
    assert "Please install: " + " ".join(sorted(set(PROGRAMS.values()))) in capsys.readouterr().err
