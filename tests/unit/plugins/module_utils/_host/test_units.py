# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which unit of systemd a process lives in, and what of that a logout ends."""

import os
from pathlib import Path
from typing import Any, Callable, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import cgroups, units
from ansible_collections.fleet.tmux.plugins.module_utils._host.child import Completed
from ansible_collections.fleet.tmux.plugins.module_utils._host.units import Logind, Logins, Unit, logind_in, unit_in

BOX = "/machine.slice/libpod-1.scope"
SESSION = Unit("session-c3.scope", 1000)
MANAGER = Unit("user@1000.service", 1000, "tmux-1000-ab.scope")

PLACES = {
    # version 2
    "0::/user.slice/user-1000.slice/session-c3.scope\n": SESSION,
    "0::/user.slice/user-1000.slice/user@1000.service/app.slice/tmux-1000-ab.scope\n": MANAGER,
    "0::/user.slice/user-1000.slice/user@1000.service/tmux-1000-ab.scope/below\n": MANAGER,
    "0::/user.slice/user-1000.slice/user@1000.service\n": Unit("user@1000.service", 1000),
    "0::/system.slice/sshd.service\n": Unit("sshd.service"),
    "0::/system.slice/session-3.scope\n": Unit("session-3.scope"),
    "0::/user.slice/user-1000.slice\n": Unit("user-1000.slice"),
    "0::/init.scope\n": Unit("init.scope"),
    "0::/_session.scope\n": Unit("session.scope"),
    "0::/\n": None,
    "0::/docker/0123\n": None,
    "": None,
    # version 1, where each controller has a tree of its own, and both
    "4:pids:/x.service\n1:name=systemd:/user.slice/user-1000.slice/session-c3.scope\n": SESSION,
    "1:name=systemd:/user.slice/user-1000.slice/session-c3.scope\n0::/system.slice/y.service\n": SESSION,
    "1:pids:/user.slice/user-1000.slice/session-c3.scope\n": None,
}


@pytest.mark.parametrize("text", PLACES)
def test_the_unit_of_a_process(text: str) -> None:
    assert unit_in(text) == PLACES[text]
    assert unit_in(text, "1:name=systemd:/init.scope\n0::/init.scope\n") == PLACES[text]


def test_in_a_container_its_own_systemd_counts() -> None:
    text = "0::%s/user.slice/user-1000.slice/session-c3.scope\n" % BOX
    first = "0::%s/init.scope\n" % BOX
    assert unit_in(text, first) == SESSION
    named = "1:name=systemd:%s\n" % BOX
    assert unit_in(named + text, named + first) == SESSION, "its systemd has version 2, that of the host version 1"
    assert unit_in(text) == Unit("libpod-1.scope"), "from outside it is the container's"
    assert unit_in("0::/elsewhere.service\n", first) is None


def test_only_the_unit_of_a_login_is_one() -> None:
    assert SESSION.session == "c3"
    others = [MANAGER, Unit("session-3.scope"), Unit("sshd.service"), Unit("session-.scope", 1000)]
    assert [unit.session for unit in others] == [""] * 4
    assert [unit.is_users_manager for unit in (SESSION, MANAGER, Unit("user@1001.service", 1000))] == [
        False,
        True,
        False,
    ]


OLD = 'b true\nas 1 "ann"\nas 2 "root" "bob"\nt 10000000\n'


def test_what_logind_says() -> None:
    assert logind_in(OLD) == Logind(True, ("ann",), ("root", "bob"), True, False)
    never = "t %d\n" % (2**64 - 1)
    assert logind_in("b false\nas 0\nas 0\n%s%s" % (never, never)) == Logind(False, ends_managers=False)
    assert logind_in("b false\nas 0\nas 0\n%st 900000000\n" % never) == Logind(False, (), (), False, True)
    assert logind_in("b false\nas 0\nas 0\n") == Logind(False)
    assert [logind_in(text) for text in ("", "b true\n", "no\nas 0\nas 0\n")] == [None] * 3


@pytest.mark.parametrize(
    ("settings", "killed"),
    [
        (Logind(False), []),
        (Logind(True), ["ann", "bob"]),
        (Logind(True, excludes=("ann",)), ["bob", "root"]),
        (Logind(True, only=("ann", "root")), ["ann"]),
        (Logind(False, only=("ann",)), ["ann"]),
    ],
)
def test_whose_processes_logind_ends(settings: Logind, killed: List[str]) -> None:
    assert [name for name in ("ann", "bob", "root") if settings.kills_of(name)] == killed


class Place:
    """A host of our own: its /run, who lingers on it, and what logind says there, and how often it is asked."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = home
        self.asked = 0
        self.says: Optional[Logind] = Logind(False)
        (home / "systemd" / "system").mkdir(parents=True)
        (home / "systemd" / "sessions").mkdir()
        (home / "systemd" / "sessions" / "c3").write_text("UID=1000\nSTATE=active\n")
        (home / "linger").mkdir()
        monkeypatch.setattr(units, "RUN", str(home))
        monkeypatch.setattr(units, "LINGER", str(home / "linger"))
        monkeypatch.setattr(units, "logind", self._logind)

    def _logind(self) -> Optional[Logind]:
        self.asked += 1
        return self.says

    def end_of(self, unit: Optional[Unit]) -> Optional[str]:
        return Logins(lambda uid: "ann").end_of(unit)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


def lingering(place: Place) -> None:
    (place.home / "linger" / "ann").touch()


def closing(place: Place) -> None:
    (place.home / "systemd" / "sessions" / "c3").write_text("UID=1000\nSTATE=closing\n")


def nothing(place: Place) -> None:
    pass


@pytest.mark.parametrize(
    ("unit", "says", "state", "why"),
    [
        (SESSION, Logind(False), nothing, ""),
        (SESSION, Logind(True), nothing, "KillUserProcesses"),
        (SESSION, Logind(True), lingering, "KillUserProcesses"),
        (SESSION, Logind(True, excludes=("ann",)), nothing, ""),
        (SESSION, Logind(False, ends_idle=True), nothing, "StopIdleSessionSec"),
        (SESSION, Logind(True), closing, ""),
        (SESSION, None, nothing, None),
        (MANAGER, Logind(False), nothing, "ann does not linger, so user@1000.service ends"),
        (MANAGER, Logind(True), lingering, ""),
        (MANAGER, Logind(True, ends_managers=False), nothing, ""),
        (Unit("sshd.service"), Logind(True), nothing, ""),
        (Unit("tmux-1000-ab.scope", 1000), Logind(True, ends_idle=True), nothing, ""),
        (None, Logind(True), nothing, None),
    ],
)
def test_what_a_logout_ends(
    place: Place, unit: Optional[Unit], says: Optional[Logind], state: Callable[[Place], None], why: Optional[str]
) -> None:
    place.says = says
    state(place)
    found = place.end_of(unit)
    assert why in (found or "") if why else found == why


def test_logind_is_asked_once_and_only_of_what_a_logout_could_end(place: Place) -> None:
    logins = Logins(lambda uid: "ann")
    for unit in (Unit("sshd.service"), None, Unit("tmux-1-a.scope", 1)):
        logins.end_of(unit)
    assert place.asked == 0
    for unit in (SESSION, MANAGER, SESSION):
        logins.end_of(unit)
    assert place.asked == 1


def test_without_systemd_nothing_is_asked(place: Place) -> None:
    (place.home / "systemd" / "system").rmdir()
    assert place.end_of(None) is None, "something else knows of logins"
    (place.home / "systemd" / "sessions" / "c3").unlink()
    (place.home / "systemd" / "sessions").rmdir()
    assert place.end_of(None) == ""
    assert place.asked == 0


def test_only_a_program_of_roots_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "busctl"
    monkeypatch.setattr(units, "_PROGRAMS", (str(tmp_path / "none"), str(tmp_path)))
    real, owner = os.stat, [0]

    def looked(path: str, **more: Any) -> os.stat_result:
        found = list(real(path, **more))
        found[4] = owner[0]
        return os.stat_result(found)

    monkeypatch.setattr(os, "stat", looked)
    assert units.tool("busctl") is None
    program.touch()
    program.chmod(0o755)
    assert units.tool("busctl") == str(program)
    program.chmod(0o775)
    assert units.tool("busctl") is None
    program.chmod(0o755)
    owner[0] = 1000
    assert units.tool("busctl") is None


def test_logind_is_asked_by_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    said: List[List[str]] = []

    def run(argv: List[str], env: object, timeout: float) -> Completed:
        said.append(argv)
        return Completed(1, OLD.encode("ascii"), b"Failed to get property StopIdleSessionUSec")

    monkeypatch.setattr(units, "run", run)
    monkeypatch.setattr(units, "tool", lambda name: "/usr/bin/" + name)
    assert units.logind() == logind_in(OLD), "one that is older does not know all of it"
    assert said[0][:2] == ["/usr/bin/busctl", "get-property"]
    monkeypatch.setattr(units, "tool", lambda name: None)
    assert units.logind() is None


def test_a_hierarchy_that_another_is_mounted_over_is_not_reached() -> None:
    """A container of podman's with systemd in it has its own tree of version 1 twice, at the same place."""
    line = "%d 1 0:37 %s /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd"
    found = cgroups.mounts_in("\n".join([line % (1, "/box"), line % (2, "/")]))
    assert [mount.root for mount in found] == ["/"]
    below = "3 2 0:50 /null /sys/fs/cgroup/systemd rw - tmpfs tmpfs rw"
    assert cgroups.mounts_in("\n".join([line % (1, "/box"), below])) == ()
