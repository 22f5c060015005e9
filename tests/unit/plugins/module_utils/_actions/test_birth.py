# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server in a unit of its own: what is missing is said before anything is done, and who asks with whose rights."""

from typing import Any, Dict, List, NamedTuple, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import birth as room
from ansible_collections.fleet.tmux.plugins.module_utils._actions.birth import Birth, BirthError
from ansible_collections.fleet.tmux.plugins.module_utils._host import units
from ansible_collections.fleet.tmux.plugins.module_utils._host.child import Completed
from ansible_collections.fleet.tmux.plugins.module_utils._host.units import Unit
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client

ANN = User("ann", 1000, 1000, "/home/ann")


class Call(NamedTuple):
    """What was run, as whom, and with which environment."""

    argv: List[str]
    user: Optional[User]
    env: Dict[str, str]


class Systemd:
    """What a host has of systemd: everything, unless a test says otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.here = True
        self.lacks: List[str] = []
        self.lingers = True
        self.version = 257
        self.answers = {"systemctl": Completed(0, b"Version=257", b"")}
        self.calls: List[Call] = []
        self.unit: Optional[Unit] = None
        monkeypatch.setattr(units, "runs_here", lambda: self.here)
        monkeypatch.setattr(units, "lingers", lambda name: self.lingers and name == "ann")
        monkeypatch.setattr(units, "tool", lambda name: None if name in self.lacks else "/usr/bin/" + name)
        monkeypatch.setattr(units, "unit_of", lambda: self.unit)
        monkeypatch.setattr(room, "run", self._run)

    def _run(
        self, argv: List[str], user: Optional[User] = None, env: Optional[Dict[str, str]] = None, timeout: float = 0
    ) -> Completed:
        self.calls.append(Call(argv, user, env or {}))
        name = argv[0].rpartition("/")[2]
        if name in self.answers:
            return self.answers[name]
        if name == "loginctl":
            self.lingers = True
        if name == "busctl":
            self.unit = Unit(argv[argv.index("ssa(sv)a(sa(sv))") + 1], 1000)
        return Completed(0, b"systemd %d (%d)\n" % (self.version, self.version), b"")

    def names(self) -> List[str]:
        return [call.argv[0].rpartition("/")[2] for call in self.calls]


@pytest.fixture
def systemd(monkeypatch: pytest.MonkeyPatch) -> Systemd:
    return Systemd(monkeypatch)


def birth(scope: str, **more: Any) -> Birth:
    return Birth(scope, more.get("linger", False), more.get("root", True), 0.3)


REFUSED = [
    ("user", {}, {"here": False}, "systemd does not run on this host"),
    ("system", {}, {"here": False}, "systemd does not run on this host"),
    ("user", {}, {"lingers": False}, "ann does not linger.*add linger=true.*loginctl enable-linger ann"),
    ("user", {"linger": True}, {"lingers": False, "lacks": ["loginctl"]}, "no program loginctl that belongs to root"),
    ("user", {}, {"lacks": ["systemd-run"]}, "no program systemd-run that belongs to root"),
    (
        "user",
        {},
        {"answers": {"systemctl": Completed(1, b"", b"no bus\n")}},
        "ann cannot be reached at .*/1000: no bus",
    ),
    (
        "user",
        {},
        {"answers": {"systemctl": Completed(-9, b"", b"", timed_out=True)}},
        "did not answer within 0.3 seconds; look at: systemctl status user@1000.service",
    ),
    ("system", {"root": False}, {}, "only root can have units.*add become=true"),
    ("system", {}, {"lacks": ["busctl"]}, "no program busctl that belongs to root"),
]


@pytest.mark.parametrize(("scope", "how", "host", "message"), REFUSED)
def test_what_is_missing_is_said_with_the_remedy(
    systemd: Systemd, scope: str, how: Dict[str, Any], host: Dict[str, Any], message: str
) -> None:
    vars(systemd).update(host)
    with pytest.raises(BirthError, match=message):
        birth(scope, **how).require(ANN)
    assert set(systemd.names()) <= {"systemctl"}, "nothing was done"


def test_without_a_scope_nothing_is_asked(systemd: Systemd) -> None:
    systemd.here = False
    birth("none").require(ANN)
    birth("none").make_ready(ANN)
    client = Client("/usr/bin/tmux", "/tmp/s", ANN, True, 1.0)
    birth("none").begin(client, ANN)
    assert (systemd.calls, client.birth) == ([], None)


@pytest.mark.parametrize("root", [True, False])
def test_a_users_manager_is_only_spoken_to_with_that_users_rights(systemd: Systemd, root: bool) -> None:
    it, client = birth("user", root=root), Client("/usr/bin/tmux", "/tmp/s", ANN, root, 1.0)
    it.require(ANN)
    it.make_ready(ANN)
    it.begin(client, ANN)
    assert systemd.names() == ["systemctl", "systemd-run"]
    for call in systemd.calls:
        assert call.user == (ANN if root else None)
        assert call.env["XDG_RUNTIME_DIR"] == "/run/user/1000"
        assert call.argv[0].startswith("/usr/bin/")
    assert client.birth is not None
    words, again = client.birth(), client.birth()
    assert words[:3] == ["/usr/bin/env", "XDG_RUNTIME_DIR=/run/user/1000", "/usr/bin/systemd-run"]
    assert words[3:5] == ["--user", "--scope"]
    assert words[-1] == "--"
    assert words != again, "each unit has a name of its own"


@pytest.mark.parametrize(("version", "told"), [(239, False), (253, False), (254, True), (257, True)])
def test_no_dollar_sign_is_taken_for_a_variable(systemd: Systemd, version: int, told: bool) -> None:
    systemd.version = version
    client = Client("/usr/bin/tmux", "/tmp/s", ANN, True, 1.0)
    birth("user").begin(client, ANN)
    assert client.birth is not None
    assert ("--expand-environment=no" in client.birth()) is told


def test_lingering_is_enabled_where_it_is_wanted_and_needed(systemd: Systemd) -> None:
    it = birth("user", linger=True)
    it.make_ready(ANN)
    assert (systemd.calls, it.lingers_now) == ([], False), "ann lingers already"
    systemd.lingers = False
    it.require(ANN)
    it.make_ready(ANN)
    assert systemd.names() == ["loginctl", "systemctl", "systemctl"]
    assert systemd.calls[0] == Call(["/usr/bin/loginctl", "enable-linger", "--", "ann"], None, systemd.calls[0].env)
    names = ("HOME", "LOGNAME", "SHELL", "USER")
    assert [systemd.calls[0].env[name] for name in names] == ["/", "root", "/bin/sh", "root"], "nothing of the user's"
    assert it.lingers_now


def test_lingering_that_cannot_be_enabled_is_said(systemd: Systemd) -> None:
    systemd.lingers = False
    systemd.answers["loginctl"] = Completed(1, b"", b"Could not enable linger: Access denied\n")
    with pytest.raises(BirthError, match=r"ann could not be enabled \(Could not.*denied\); run as root: loginctl"):
        birth("user", linger=True, root=False).make_ready(ANN)


def test_a_unit_of_the_system_is_in_the_slice_of_the_user(systemd: Systemd) -> None:
    client = Client("/usr/bin/tmux", "/tmp/s", ANN, True, 1.0)
    birth("system").begin(client, ANN)
    (call,) = systemd.calls
    assert call.user is None, "only root asks the manager of the system"
    assert call.argv[call.argv.index("Slice") + 2] == "user-1000.slice"
    assert "XDG_RUNTIME_DIR" not in call.env
    assert client.birth is None


def test_a_unit_that_systemd_does_not_make_is_said(systemd: Systemd) -> None:
    systemd.answers["busctl"] = Completed(1, b"", b"Call failed: Access denied\n")
    with pytest.raises(BirthError, match="could not make a unit for the server: Call failed"):
        birth("system").begin(Client("/usr/bin/tmux", "/tmp/s", ANN, True, 1.0), ANN)
    systemd.answers["busctl"] = Completed(0, b"", b"")
    with pytest.raises(BirthError, match=r"did not do so within 0\.3 seconds"):
        birth("system").begin(Client("/usr/bin/tmux", "/tmp/s", ANN, True, 1.0), ANN)
