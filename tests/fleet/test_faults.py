# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that something happens to costs only itself, is reported, and is right again on the next run."""

import json
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple

import pytest
from ansible_collections.fleet.tmux.tests.fleet.engine import command
from ansible_collections.fleet.tmux.tests.fleet.fleet import Fleet
from ansible_collections.fleet.tmux.tests.fleet.host import BREAKS, TMUX, USERS, Gate, Host
from ansible_collections.fleet.tmux.tests.fleet.runs import STAY, Controller, Run, end_sessions, left_behind, went_well
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

NAMES = ["idle", "other"]
ALL = sorted(NAMES + STAY)
SNAPSHOTS = "/var/lib/fleet-tmux"
SMALL = {"/tmp": "8m", "/home": "8m", "/root": "4m", SNAPSHOTS: "16m"}
SICK = "sick"
LOOK, REMOVAL = "* list-sessions*", "*source-file*"
"""How tmux is called to list its sessions, and to end some."""
WELL = ["bullseye-1", "sid-1"]


@pytest.fixture(scope="session")
def ward(possible: None) -> Iterator[Fleet]:
    """Two hosts that are well, and one whose disks are small."""
    with Fleet(2, ["bullseye", "sid"]) as made:
        made.add("bookworm", SICK, small=SMALL)
        yield made


@pytest.fixture
def three(ward: Fleet) -> Iterator[Fleet]:
    """These, without any session before and after."""
    yield ward
    ward.each(end_sessions)


@pytest.fixture
def controller(three: Fleet, tmp_path: Path) -> Controller:
    """Somebody who cleans them up."""
    return Controller(three, tmp_path)


@pytest.fixture
def sick(three: Fleet) -> Host:
    """The host that something happens to. What was saved before would fill its disks some day."""
    three.host(SICK).must(["sh", "-c", 'rm -rf "$1"/*', "sh", SNAPSHOTS])
    three.populate(USERS, NAMES)
    three.settle()
    return three.host(SICK)


def require_others_done(three: Fleet, run: Run) -> None:
    """The others have lost nothing but what was idle, and are told of in full."""
    for name in WELL:
        assert three.host(name).all_sessions() == dict.fromkeys(USERS, STAY)
        assert run.status()[name] == "ok", run.output
        assert sum(it.startswith(name + "/") for it in run.removed()) == len(USERS) * len(NAMES)


def require_right_again(three: Fleet, controller: Controller, left: Dict[str, List[str]]) -> Run:
    """One more run does what is left to do on the sick host, and finds nothing to do on the others."""
    run = went_well(controller.run())
    assert [it for it in run.removed() if not it.startswith(SICK + "/")] == []
    gone = sorted("%s/%s/%s" % (SICK, user, name) for user, names in left.items() for name in names if name in NAMES)
    assert sorted(run.removed()) == gone
    expected = {user: [name for name in names if name not in NAMES] for user, names in left.items()}
    assert three.host(SICK).all_sessions() == expected
    return run


class Fate(NamedTuple):
    """Something that happens to a host, how it is undone, and what the report says then."""

    happen: Callable[[Host], None]
    undo: Callable[[Host], None]
    status: str


SUDDEN = {
    "frozen": Fate(Host.freeze, Host.thaw, "unreachable"),
    "cut off": Fate(Host.cut_off, Host.rejoin, "unreachable"),
    "dead": Fate(Host.kill, Host.revive, "unreachable"),
}


@pytest.mark.parametrize(("what", "serial"), [*((what, "100%") for what in sorted(SUDDEN)), ("dead", 1)])
def test_a_host_that_is_gone_before(three: Fleet, controller: Controller, sick: Host, what: str, serial: Any) -> None:
    fate = SUDDEN[what]
    fate.happen(sick)
    try:
        run = controller.run(serial=serial)
    finally:
        fate.undo(sick)
    assert run.rc != 0
    assert run.status()[SICK] == fate.status, run.output
    assert run.host(SICK)["message"] and run.host(SICK)["sessions"] == []
    assert "1 host has a problem." in run.said
    require_others_done(three, run)
    require_right_again(three, controller, sick.all_sessions())


@pytest.mark.parametrize("what", sorted(SUDDEN))
@pytest.mark.parametrize("moment", [LOOK, REMOVAL])
def test_a_host_that_goes_away_in_the_middle(
    three: Fleet, controller: Controller, sick: Host, what: str, moment: str
) -> None:
    """While it looks, and while it removes."""
    fate = SUDDEN[what]
    gate = sick.gate(moment)
    run = controller.start(timeout="2m")
    gate.wait(run.process)
    fate.happen(sick)
    try:
        ended = run.end()
        if what != "dead":
            gate.open()
    finally:
        fate.undo(sick)
        sick.mend_tmux()
    assert ended.rc != 0
    assert ended.status()[SICK] == fate.status, ended.output
    require_others_done(three, ended)
    await_quiet(sick)
    require_right_again(three, controller, sick.all_sessions())


@pytest.mark.parametrize("limits", [{}, {"fleet_max_percent": 100}])
def test_nobody_else_pays_where_errors_are_said_to_be_fatal(
    three: Fleet, controller: Controller, sick: Host, limits: Dict[str, Any]
) -> None:
    sick.kill()
    try:
        run = controller.run(settings={"ANSIBLE_ANY_ERRORS_FATAL": "true"}, serial=1, **limits)
    finally:
        sick.revive()
    assert run.rc != 0
    assert run.status()[SICK] == "unreachable", run.output
    require_others_done(three, run)


def await_quiet(host: Host) -> None:
    """Wait until what a broken run has begun on a host has come to its end."""
    eventually(
        lambda: host.run(["pgrep", "-f", "AnsiballZ_|ansible_module|^/bin/sh /usr/bin/tmux"]).rc != 0, "it is quiet"
    )


@pytest.fixture
def connections() -> Iterator[Path]:
    """A place for connections of ssh that a test has for itself. The path of a socket must be short."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)
        for socket in Path(folder).iterdir():
            command("ssh", "-o", "ControlPath=%s" % socket, "-O", "exit", "fleet")


def test_a_frozen_host_behind_an_open_connection_is_given_up(
    three: Fleet, controller: Controller, sick: Host, connections: Path
) -> None:
    """Whatever ssh was told: here it was told to wait without end."""
    patient = {
        "ansible_ssh_args": "-o ControlMaster=auto -o ControlPersist=600s -o ServerAliveInterval=0",
        "ansible_control_path_dir": str(connections),
    }
    words = ["--extra-vars", json.dumps(patient)]
    went_well(controller.run(*words, playbook="report"))
    sick.freeze()
    try:
        run = controller.run(*words, host_timeout="45s")
    finally:
        sick.thaw()
    assert run.rc != 0
    assert run.status()[SICK] == "failed", run.output
    assert "45" in run.host(SICK)["message"]
    require_others_done(three, run)
    await_quiet(sick)
    require_right_again(three, controller, sick.all_sessions())


@pytest.mark.parametrize("pipelining", ["true", "false"])
def test_a_full_disk(three: Fleet, controller: Controller, sick: Host, pipelining: str) -> None:
    for path in SMALL:
        sick.fill(path)
    try:
        run = controller.run(settings={"ANSIBLE_PIPELINING": pipelining}, snapshot_dir=SNAPSHOTS)
    finally:
        for path in SMALL:
            sick.empty(path)
    assert run.rc != 0, run.output
    if run.status()[SICK] == "ok":  # it could look, and could not save
        assert {fate for user in USERS for fate in run.fates(SICK, user).values() if fate.startswith("not_done")} == {
            "not_done: not_saved"
        }
    assert sick.all_sessions() == dict.fromkeys(USERS, ALL)
    assert not [it for it in run.removed() if it.startswith(SICK + "/")]
    require_others_done(three, run)
    require_right_again(three, controller, sick.all_sessions())


def test_a_disk_for_snapshots_that_fills_in_the_middle(three: Fleet, controller: Controller, sick: Host) -> None:
    """What could be saved is removed, what could not stays, and each is reported as what it was."""
    gate = sick.gate("*capture-pane*")
    run = controller.start(timeout="2m", snapshot_dir=SNAPSHOTS)
    gate.wait(run.process)
    sick.fill(SNAPSHOTS)
    gate.open()
    ended = run.end()
    sick.empty(SNAPSHOTS)
    sick.mend_tmux()
    assert ended.rc != 0
    for user in USERS:
        fates = ended.fates(SICK, user)
        there = sick.sessions(user)
        for name in NAMES:
            assert fates[name] == ("not_done: not_saved" if name in there else "removed: idle"), ended.output
    assert [name for user in USERS for name in sick.sessions(user) if name in NAMES]
    require_others_done(three, ended)
    require_right_again(three, controller, sick.all_sessions())


@pytest.mark.parametrize("spare", [0, 3, 6])
def test_a_host_that_has_no_processes_left(three: Fleet, controller: Controller, sick: Host, spare: int) -> None:
    sick.exhaust(spare)
    try:
        run = controller.run()
    finally:
        sick.relieve()
    if spare == 0:
        assert run.status()[SICK] in ("failed", "unreachable"), run.output
    assert (run.rc != 0) == (run.status()[SICK] != "ok" or run.host(SICK)["counts"]["not_done"] > 0), run.output
    require_others_done(three, run)
    await_quiet(sick)
    told = {it["owner"] + "/" + it["name"] for it in run.host(SICK)["sessions"] if it["outcome"] == "removed"}
    there = {"%s/%s" % (user, name) for user, names in sick.all_sessions().items() for name in names}
    assert not told & there
    require_right_again(three, controller, sick.all_sessions())


@pytest.mark.parametrize("how", sorted(BREAKS))
def test_a_broken_tmux(three: Fleet, controller: Controller, sick: Host, how: str) -> None:
    """Each server is asked with the program that it runs itself, and nobody with what is in the place of tmux."""
    sick.break_tmux(how)
    try:
        run = went_well(controller.run(timeout="3s"))
    finally:
        sick.mend_tmux()
    assert run.host(SICK)["note"].endswith("a server is only asked with the program that it runs itself"), run.output
    assert sick.all_sessions() == dict.fromkeys(USERS, STAY)
    assert {run.fates(SICK, user)[name] for user in USERS for name in NAMES} == {"removed: idle"}
    require_others_done(three, run)
    require_right_again(three, controller, sick.all_sessions())


@pytest.mark.parametrize("how", sorted(BREAKS))
def test_a_broken_tmux_that_was_named(three: Fleet, controller: Controller, sick: Host, how: str) -> None:
    sick.break_tmux(how)
    try:
        run = controller.run(timeout="3s", executable=TMUX)
    finally:
        sick.mend_tmux()
    assert sick.all_sessions() == dict.fromkeys(USERS, ALL)
    assert not [it for it in run.removed() if it.startswith(SICK + "/")]
    host = run.host(SICK)
    unwell = [server for server in host["servers"] if server["status"] != "ok"]
    assert host["status"] == "failed" or len(unwell) == len(USERS), run.output
    assert (run.rc != 0) == (host["status"] == "failed")
    require_others_done(three, run)
    require_right_again(three, controller, sick.all_sessions())


def test_a_tmux_that_breaks_in_the_middle(three: Fleet, controller: Controller, sick: Host) -> None:
    """After the look, before the removal."""
    gate = sick.gate(REMOVAL, calls=len(USERS))
    run = controller.start(timeout="2m")
    gate.wait(run.process)
    sick.break_tmux("crashes")
    gate.open()
    ended = run.end()
    sick.mend_tmux()
    require_others_done(three, ended)
    there = sick.all_sessions()
    fates = {(user, name): ended.fates(SICK, user)[name] for user in USERS for name in NAMES}
    for (user, name), fate in fates.items():
        assert (fate == "removed: idle") == (name not in there[user]), (user, name, fate, ended.output)
    assert any(fate.startswith("not_done") for fate in fates.values())
    require_right_again(three, controller, there)


def test_two_controllers_at_the_same_time(three: Fleet, controller: Controller, tmp_path: Path) -> None:
    """Each session is removed once, and who says so has done it; both reports and the audit they share are whole."""
    many = ["idle-%02d" % number for number in range(20)]
    three.populate(USERS, many)
    three.settle()
    (tmp_path / "second").mkdir()
    second = Controller(three, tmp_path / "second")
    # How soon one tmux answers is decided by the others, and by the other controller.
    runs = [each.start(timeout="2m") for each in (controller, second)]
    first, other = [went_well(run.end()) for run in runs]
    assert not set(first.removed()) & set(other.removed()), "a session is told of as removed by both"
    every = ["%s/%s/%s" % (host, user, name) for host in [*WELL, SICK] for user in USERS for name in many]
    assert sorted(first.removed() + other.removed()) == sorted(every)
    assert three.sessions() == {host.name: dict.fromkeys(USERS, STAY) for host in three.hosts}
    for run in (first, other):
        assert not [it for host in run.report["hosts"] for it in host["sessions"] if it["outcome"] == "not_done"]


def test_two_controllers_of_which_one_is_held(three: Fleet, controller: Controller, sick: Host, tmp_path: Path) -> None:
    """One has judged everything and is about to remove; the other overtakes it."""
    before = left_behind(sick)
    gate: Gate = sick.gate(REMOVAL, calls=len(USERS))
    run = controller.start("--limit", SICK, timeout="2m")
    gate.wait(run.process)
    (tmp_path / "second").mkdir()
    overtaking = went_well(Controller(three, tmp_path / "second").run("--limit", SICK))
    gate.open()
    overtaken = went_well(run.end())
    sick.mend_tmux()
    assert sorted(overtaking.removed()) == sorted("%s/%s/%s" % (SICK, u, n) for u in USERS for n in NAMES)
    assert overtaken.removed() == []
    for user in USERS:
        for name in NAMES:
            assert overtaken.fates(SICK, user)[name] == "kept: vanished"
    assert left_behind(sick) == before
