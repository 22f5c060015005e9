# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A socket is asked for only of what is proven to be tmux, and never in check mode."""

import os
from pathlib import Path
from typing import Any, Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Program
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import servers, sockets
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Server, recover

PROCESS = Process(4711, 1, 4711, "S", 5, 0, 0, "tmux: server")
OWN = os.stat(os.__file__)
"""A file of somebody."""


class OurHost:
    """A host with a tmux that nobody executes."""

    binary = "/"
    timeout = 1.0


def file_of(uid: int) -> os.stat_result:
    return os.stat_result([uid if number == 4 else value for number, value in enumerate(OWN)])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dict[str, Any]:
    """Where everything is as it should be; what is changed in it is not."""
    is_so: Dict[str, Any] = {"program": Program("tmux", file_of(os.getuid())), "catches": True, "bound": True}
    is_so.update(path=str(tmp_path / "socket"), signals=[], answers="ok")

    def judged(_host: Any, path: str, process: Process, user: User) -> Server:
        return Server(path, user, is_so["answers"], "", process)

    def signalled(process: Process, number: int) -> bool:
        is_so["signals"].append((process.pid, number))
        return True

    monkeypatch.setattr(sockets, "require_own_directory", lambda path, uid, birth: None)
    monkeypatch.setattr(proctable, "program", lambda process: is_so["program"])
    monkeypatch.setattr(proctable, "catches", lambda process, number: is_so["catches"])
    monkeypatch.setattr(proctable, "was_bound_to", lambda process, path: is_so["bound"])
    monkeypatch.setattr(proctable, "send_signal", signalled)
    monkeypatch.setattr(servers, "_judge", judged)
    return is_so


def recovered(place: Dict[str, Any], check_mode: bool) -> Server:
    user = User("anna", os.getuid(), os.getgid())
    orphan = Server(place["path"], user, "orphaned", "its socket is gone", PROCESS)
    return recover(OurHost(), orphan, check_mode)  # type: ignore[arg-type]


def test_what_is_tmux_is_asked(place: Dict[str, Any]) -> None:
    assert recovered(place, check_mode=False).status == "recovered"
    assert place["signals"] == [(4711, proctable.RECREATE)]


def test_nobody_is_asked_in_check_mode(place: Dict[str, Any]) -> None:
    found = recovered(place, check_mode=True)
    assert (found.status, place["signals"]) == ("recovered", [])
    assert "would be recovered" in found.reason


NAMES: List[Any] = [
    (Program("tmux-3.3a", file_of(0)), True),
    (Program("tmux (deleted)", file_of(0)), True),
    (Program("tmux", file_of(os.getuid())), True),
    (Program("tmux", file_of(61999)), False),
    (Program("python3", file_of(0)), False),
    (Program("atmux", file_of(0)), False),
    (None, False),
]


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("program, fit", NAMES)
def test_a_program_is_known_by_its_file(place: Dict[str, Any], program: Any, fit: bool, check_mode: bool) -> None:
    place["program"] = program
    found = recovered(place, check_mode)
    assert (found.status == "recovered") is fit
    assert bool(place["signals"]) is (fit and not check_mode)
    assert fit or "it is not certain that the process is a tmux server" in found.reason


def test_our_own_tmux_may_be_called_anything(place: Dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    place["program"] = Program("mux", file_of(61999))
    monkeypatch.setattr(OurHost, "binary", os.__file__)
    assert recovered(place, check_mode=False).status == "recovered"


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("proof", ["catches", "bound"])
def test_each_proof_is_needed(place: Dict[str, Any], proof: str, check_mode: bool) -> None:
    place[proof] = False
    found = recovered(place, check_mode)
    assert (found.status, place["signals"]) == ("orphaned", [])
    assert "not recovered: it is not certain" in found.reason


def test_who_does_not_make_it_is_still_without(place: Dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_RECOVERY_SECONDS", 0.05)
    place["answers"] = "orphaned"
    found = recovered(place, check_mode=False)
    assert found.status == "orphaned" and "did not make its socket again" in found.reason
