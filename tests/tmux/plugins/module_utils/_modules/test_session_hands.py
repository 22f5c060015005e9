# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hands that promise refuse what working hands refuse, and what happens meanwhile is told as it is."""

import os
from typing import Any, Callable, Dict, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.birth import Birth
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import Ending
from ansible_collections.fleet.tmux.plugins.module_utils._host import units
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory, NoAnswer
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session import (
    Outcomes,
    SessionOptions,
    carry_out,
    diff,
    failure,
    result,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session_hands import (
    PromisingHands,
    WorkingHands,
    planned,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import trial
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import Capability
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.exits import exits
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host
from ansible_collections.fleet.tmux.tests.support.births import judged_when, one_ends
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE
from ansible_collections.fleet.tmux.tests.support.world import World

CAT = SessionOptions(None, ("sh", "-c", "exec cat"), "/", (), None, None, None)
Told = Tuple[Dict[str, Any], Optional[Exception]]


class Task:
    """A task that has looked and planned, and is now carried out: checked, or run."""

    def __init__(self, world: World, state: str, *names: str, recreate: bool = False, options: SessionOptions = CAT):
        self.host = Host(world.binary, PATIENCE, Directory(PATIENCE))
        self.before = look_at(self.host, world.path)
        self.options = options
        self.birth: Optional[Birth] = None
        self.plan, self.compared = planned(state, names, "always" if recreate else "never", options, self.before)

    def check(self) -> Told:
        hands = PromisingHands(self.host, self.before, self.options, self.compared, self.birth)
        return self._told(carry_out(self.plan, hands))

    def run(self) -> Told:
        hands = WorkingHands(self.host, self.before, self.options, Ending(), compared=self.compared, birth=self.birth)
        return self._told(carry_out(self.plan, hands))

    def _told(self, outcomes: Outcomes) -> Told:
        return result(outcomes, self.before), failure(self.plan, outcomes)


def keeping(world: World, keep: Optional[bool], *names: str) -> Task:
    return Task(world, "present", *names, options=CAT._replace(keep_exited=keep))


def names(items: List[Dict[str, Any]]) -> List[str]:
    return [item["name"] for item in items]


def open_directory(world: World) -> SessionOptions:
    """Others may put a socket there."""
    os.chmod(world.folder, 0o777)
    return CAT


REFUSED: List[Tuple[str, Callable[[World], SessionOptions]]] = [
    ("is no directory that", lambda world: CAT._replace(chdir=os.path.join(world.folder, "none"))),
    ("is not absolute", lambda world: CAT._replace(chdir="here")),
    ("cannot be read by", lambda world: CAT._replace(snapshot=world.folder)),
    ("may be written by others", open_directory),
]


@pytest.mark.parametrize(("why", "options"), REFUSED, ids=[why for why, _options in REFUSED])
def test_what_the_run_refuses_the_check_refuses_too(
    server: World, why: str, options: Callable[[World], SessionOptions]
) -> None:
    task = Task(server, "present", "first", "new", recreate=True)
    task.options = options(server)
    ids = server.ids()
    for carried in (task.check, task.run):
        told, error = carried()
        assert why in str(error)
        assert (told["changed"], told["created"], told["removed"]) == (False, [], [])
        assert names(told["not_done"]) == ["first", "first", "new"]
        assert {item["reason"] for item in told["not_done"]} == {"not_attempted"}
        assert names(told["sessions"]) == ["first"]
        assert server.ids() == ids, "nothing is removed for what cannot be created"


def test_nothing_is_made_where_the_server_would_end_at_that(server: World) -> None:
    """Before, a tmux from 3.3 to 3.6 ended with all sessions, where windows have a size by hand."""
    if not server.version.at_least(2, 9):
        assert server.run("set-option", "-g", "-w", "window-size", "manual").returncode == 1, "it has no such option"
        return
    server.tmux("set-option", "-g", "-w", "window-size", "manual")
    task = Task(server, "present", "new")
    for carried in (task.check, task.run):
        told, error = carried()
        assert "first" in names(told["sessions"]) and server.ids()[0] == "$0"
        ends = server.version.has(Capability.ENDS_AT_NEW_SESSION_OF_MANUAL_SIZE)
        assert ("set -g -w window-size latest" in str(error)) == ends == (told["created"] == [])


@pytest.mark.skipif(os.geteuid() != 0, reason="left out: only root starts servers of others, and asks for their groups")
def test_a_server_whose_owners_groups_are_not_known_is_not_started(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_self: Directory, _user: Any) -> Any:
        raise NoAnswer("the user database did not answer in time")

    monkeypatch.setattr(Directory, "with_groups", silent)
    ids = server.ids()
    task = Task(server, "present", "first", recreate=True)
    for carried in (task.check, task.run):
        assert "the groups of" in str(carried()[1])
        assert server.ids() == ids
    other = Task(server, "present", "other")
    assert other.run()[1] is None, "a server that is there need not be started"


def test_what_ended_before_it_was_removed_has_vanished(server: World) -> None:
    gone = server.new("gone")
    server.new("goes")
    task = Task(server, "absent", "gone", "goes")
    server.tmux("kill-session", "-t", gone)
    told, error = task.run()
    assert error is None
    assert (names(told["vanished"]), names(told["removed"]), told["changed"]) == (["gone"], ["goes"], True)
    told, error = Task(server, "absent", "gone").run()
    assert (told["vanished"], told["removed"], told["changed"], error) == ([], [], False, None)


@pytest.mark.parametrize("own", ["", "failed"])
def test_what_exited_is_kept_of_sessions_that_are_there(server: World, own: str) -> None:
    """Check, run, check, run; all windows, whatever was said of one pane of them; and back."""
    server.new("other")
    server.tmux("new-window", "-d", "-t", "$0:")
    if own and server.version.has(Capability.OPTIONS_OF_PANES):
        server.tmux("set-option", "-p", "-t", "$0:0.0", "remain-on-exit", "off")

    def kept() -> Dict[str, Optional[bool]]:
        return {pane: found.stays for pane, found in exits(server.client()).items()}

    windows = [pane.id for pane in server.session("$0").panes]
    others = set(kept()) - set(windows)
    for keep in (True, False):
        before = kept()
        told, error = keeping(server, keep, "first").check()
        assert (error, told["changed"], kept()) == (None, True, before)
        told, error = keeping(server, keep, "first").run()
        assert (error, told["changed"], names(told["updated"])) == (None, True, ["first"])
        assert told["updated"][0]["keep_exited"] is keep and told["created"] == []
        assert [kept()[pane] for pane in windows] == [keep, keep]
        assert {kept()[pane] for pane in others} == {False}, "of no other session"
        for again in (keeping(server, keep, "first").check(), keeping(server, keep, "first").run()):
            assert (again[1], again[0]["changed"], again[0]["updated"]) == (None, False, [])
    assert keeping(server, None, "first").run()[0]["changed"] is False, "who says nothing of it changes nothing"


def test_new_sessions_and_those_that_are_there_keep_what_exited_in_one_task(server: World) -> None:
    task = keeping(server, True, "first", "new")
    hands = WorkingHands(task.host, task.before, task.options, Ending(), compared=task.compared)
    outcomes = carry_out(task.plan, hands)
    told = result(outcomes, task.before)
    assert (names(told["created"]), names(told["updated"])) == (["new"], ["first"])
    assert {found.stays for found in exits(server.client()).values()} == {True}
    shown = diff(task.plan, outcomes)
    assert shown["before"]["updated"] == ["first: keep_exited false"]
    assert shown["after"]["updated"] == ["first: keep_exited true"]


def test_a_session_that_ended_before_it_could_be_kept_is_told(server: World) -> None:
    gone = server.new("gone")
    task = keeping(server, True, "gone")
    server.tmux("kill-session", "-t", gone)
    told, error = task.run()
    assert "session 'gone' could not be made as it is declared" in str(error)
    assert (names(told["not_done"]), told["changed"]) == (["gone"], False)


def test_nothing_was_changed_when_everything_ended_by_itself(server: World) -> None:
    gone = server.new("gone")
    task = Task(server, "absent", "gone")
    server.tmux("kill-session", "-t", gone)
    told, error = task.run()
    assert (names(told["vanished"]), told["changed"], error) == (["gone"], False, None)


def test_what_is_another_session_by_now_is_not_removed_and_nothing_is_created_in_its_place(server: World) -> None:
    renamed = server.new("work")
    task = Task(server, "present", "work", recreate=True)
    server.run("rename-session", "-t", renamed, "mine")
    told, error = task.run()
    assert "not removed: 'work': something happened to it" in str(error)
    assert [(item["name"], item["id"], item["reason"]) for item in told["not_done"]] == [
        ("work", renamed, "error"),
        ("work", None, "not_attempted"),
    ]
    assert (told["changed"], names(told["sessions"])) == (False, ["first", "mine"])


def test_a_name_that_somebody_took_meanwhile_is_theirs(server: World) -> None:
    task = Task(server, "present", "work")
    taken = server.new("work")
    told, error = task.run()
    assert (told["created"], told["changed"], error) == ([], False, None)
    assert [item["id"] for item in told["sessions"]] == ["$0", taken]


def test_one_that_does_not_stay_is_told_beside_those_that_do(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    judged_when(monkeypatch, lambda: one_ends(server))
    task = Task(server, "present", "bad", options=CAT._replace(argv=("/no/such/program",)))
    told, error = task.run()
    assert "session 'bad' ended at once" in str(error)
    assert (told["created"], names(told["not_done"]), names(told["sessions"])) == ([], ["bad"], ["first"])
    assert told["changed"] is True, "it was there for a moment"


def test_a_session_is_described_as_it_is_looked_at(server: World) -> None:
    server.tmux("set-option", "-t", "$0", "@note", "two words")
    task = Task(server, "present", "new", options=CAT._replace(width=100))
    promised, _error = task.check()
    told, error = task.run()
    assert error is None
    first, new = told["sessions"]
    assert (first["options"], first["id"]) == ({"@note": "two words"}, "$0")
    (created,) = told["created"]
    assert created == {key: new[key] for key in created}
    assert new["id"] == server.listing().sessions[-1].id and new["identity"].startswith(f"{server.pid()}/")
    known = {key: value for key, value in promised["sessions"][1].items() if value is not None}
    assert known == {key: new[key] for key in known}
    assert {"width", "height", "attached", "options", "owner", "socket", "name", "more"} == set(known)


OPTIONS = (("@made", "by #{pid} $HOME;"), ("history-limit", "7"), ("mode-keys", "vi"), ("mouse", "1"))


def shown(world: World, session: str) -> List[str]:
    own = world.tmux("show-options", "-t", session).splitlines()
    own += world.tmux("show-options", "-w", "-t", session + ":0").splitlines()
    return sorted(line for line in own if line.startswith(("@made ", "history-limit", "mode-keys", "mouse")))


def test_options_are_set_in_a_new_session_and_in_one_that_is_there(server: World) -> None:
    """Check, run, check, run, with a look in between."""
    before = server.tmux("show-options", "-t", "$0")
    wanted = CAT._replace(options=OPTIONS)

    def task() -> Task:
        return Task(server, "present", "first", "new", options=wanted)

    checked, error = task().check()
    assert error is None and server.tmux("show-options", "-t", "$0") == before
    told, error = task().run()
    assert error is None and told["changed"] and checked["changed"]
    assert told["updated"] == checked["updated"] and names(told["created"]) == ["new"]
    (item,) = told["updated"]
    assert [(each["window"], each["what"], each["declared"], each["found"]) for each in item["changes"]] == [
        (None, "option", "@made=by #{pid} $HOME;", None),
        (None, "option", "history-limit=7", None),
        ("0", "option", "mode-keys=vi", None),
        (None, "option", "mouse=1", None),
    ]
    assert len(shown(server, "$0")) == 4
    assert shown(server, told["created"][0]["id"]) == shown(server, "$0")
    assert server.tmux("list-panes", "-t", told["created"][0]["id"] + ":", "-F", "#{history_limit}") == "7"
    for carried in (task().check, task().run):
        again, error = carried()
        assert error is None and not again["changed"] and again["updated"] == []


@pytest.mark.parametrize(
    ("option", "why"), [("nonsense", "has no option of a session"), ("display-time", "does not take 'no'")]
)
@pytest.mark.parametrize("tried", [True, False])
def test_an_option_that_cannot_be_set_leaves_nothing_half_done(
    server: World, monkeypatch: pytest.MonkeyPatch, option: str, why: str, tried: bool
) -> None:
    """Also where its value could not be tried before."""
    if not tried:
        monkeypatch.setattr(trial, "SHARED_DIRECTORY", "/nowhere")
    before = server.ids(), server.tmux("show-options", "-t", "$0")
    wanted = CAT._replace(options=(("@made", "x"), (option, "no")))
    for session in ("new", "first"):
        task = Task(server, "present", session, options=wanted)
        told, error = task.check()
        assert (why in str(error)) == (tried or option == "nonsense")
        told, error = task.run()
        assert why in str(error) and option in str(error), error
        assert (told["created"], told["updated"], names(told["not_done"])) == ([], [], [session])
        assert (server.ids(), server.tmux("show-options", "-t", "$0")) == before


def test_the_first_session_of_a_server_begins_in_a_unit_and_no_other(
    absent: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What systemd-run is told, by one that only writes it down."""
    said = os.path.join(absent.folder, "said")
    program = os.path.join(absent.folder, "systemd-run")
    with open(program, "w", encoding="ascii") as handle:
        handle.write('#!/bin/sh\n[ "$1" = --version ] && { echo systemd 239; exit; }\n')
        handle.write('echo "$XDG_RUNTIME_DIR $*" >>%s\nwhile [ "$1" != -- ]; do shift; done; shift\nexec "$@"\n' % said)
    os.chmod(program, 0o755)
    monkeypatch.setattr(units, "runs_here", lambda: True)
    monkeypatch.setattr(units, "lingers", lambda name: True)
    monkeypatch.setattr(units, "tool", lambda name: program if name == "systemd-run" else "/bin/true")
    task = Task(absent, "present", "one", "two; three", options=CAT)
    task.birth = Birth("user", False, task.host.uid == 0, PATIENCE)
    for carried, made in ((task.check, False), (task.run, True)):
        told, error = carried()
        assert (error, names(told["created"])) == (None, ["one", "two; three"])
        assert os.path.exists(said) is made
    with open(said, encoding="ascii") as handle:
        (line,) = handle.read().splitlines()
    uid = os.geteuid()
    assert line.startswith(f"/run/user/{uid} --user --scope --quiet --unit=tmux-{uid}-")
    assert f" --description=tmux server at {absent.path} -- {absent.binary} -u -S {absent.path} new-session " in line
    assert names(told["sessions"]) == ["one", "two; three"]
