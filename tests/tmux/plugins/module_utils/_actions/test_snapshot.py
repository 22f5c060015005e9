# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is removed was saved before, whole and for its owner alone, and can be brought back."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import create, snapshot, survivors
from ansible_collections.fleet.tmux.plugins.module_utils._actions.create import CreateError, Creator, NewSession
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove import Answer, Removal
from ansible_collections.fleet.tmux.plugins.module_utils._actions.saved import SnapshotError, read
from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive, Bounds, Retention, Snapshot
from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import names_in
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import expanded_literal, variable_names
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.share import Share
from ansible_collections.fleet.tmux.tests.support import run_module
from ansible_collections.fleet.tmux.tests.support.births import LastWords
from ansible_collections.fleet.tmux.tests.support.runs import (
    EVERYTHING,
    Gently,
    Stopped,
    captured,
    files_below,
    finish,
    item,
    only,
    perform,
    prepare,
    seen,
    told,
)
from ansible_collections.fleet.tmux.tests.support.snapshots import NOW, Store, described, rich, settled, shape
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World
from hypothesis import given
from hypothesis import strategies as st

ROOT = os.geteuid() == 0
OTHER = User("somebody", 61999, 61999)
DAY = 86400


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survivors, "ENDING_SECONDS", PATIENCE)


@pytest.fixture
def store(server: World) -> Store:
    return Store(server)


def saved_text(path: str, window: int = 0, pane: int = 0, colors: bool = False) -> List[str]:
    name = described(path)["windows"][window]["panes"][pane]["text"]
    with open(os.path.join(path, name.replace(".txt", ".ansi") if colors else name), encoding="utf-8") as stream:
        return stream.read().split("\n")


def printing(world: World, name: str, script: str) -> str:
    """A session that has printed what the script says, and is quiet now."""
    identity = world.new(name, "sh", "-c", script + "; echo E-N-D; exec cat")
    eventually(lambda: "E-N-D" in captured(world, identity + ":"), "it has printed")
    return identity


# --- what is saved ----------------------------------------------------------------------------------------------------


def test_the_whole_scrollback_is_saved_as_it_was_printed(store: Store) -> None:
    wide = "0123456789" * 30
    script = "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done; echo %s; "
    script += r"printf 'caf\303\251 \360\237\231\202\n'"
    path = store.save(printing(store.world, "work", script % wide))
    lines = saved_text(path)
    assert lines[:300] == ["line %d" % number for number in range(300)]
    assert lines[300:303] == [wide, "caf\u00e9 \U0001f642", "E-N-D"]


def test_colours_are_saved_only_if_asked_for(store: Store) -> None:
    identity = printing(store.world, "work", r"printf 'a \033[31mred\033[0m word\n'")
    plain, colored = store.save(identity), store.save(identity, colors=True)
    assert saved_text(plain)[0] == saved_text(colored)[0] == "a red word"
    assert [name for name in os.listdir(plain) if name.endswith(".ansi")] == []
    assert "\x1b[31mred\x1b[" in saved_text(colored, colors=True)[0]


def test_all_windows_and_panes_are_saved(store: Store) -> None:
    world = store.world
    identity = printing(world, "work", "echo window zero")
    folder = os.path.join(world.folder, "a b")
    os.mkdir(folder)
    world.tmux("new-window", "-d", "-t", identity + ":5", "-n", "five", "-c", folder, "echo window five; exec cat")
    world.tmux("split-window", "-d", "-t", identity + ":5", "-c", folder, "echo lower pane; exec cat")
    (zero, five) = world.session(identity).windows
    eventually(lambda: "lower pane" in captured(world, five.panes[1].id), "it has printed")
    eventually(lambda: "window five" in captured(world, five.panes[0].id), "it has printed")
    path = store.save(identity)
    found = described(path)
    assert [(window["index"], window["name"], window["active"]) for window in found["windows"]] == [
        (0, zero.name, True),
        (5, "five", False),
    ]
    assert [window["layout"] for window in found["windows"]] == [zero.layout, five.layout]
    assert [pane["path"] for pane in found["windows"][1]["panes"]] == [folder, folder]
    assert [pane["active"] for pane in found["windows"][1]["panes"]] == [True, False]
    assert "lower pane" in found["windows"][1]["panes"][1]["start_command"]
    assert saved_text(path, 1, 0)[0] == "window five" and saved_text(path, 1, 1)[0] == "lower pane"
    assert found["created"] == world.session(identity).created and found["name"] == "work"


def test_a_dead_pane_is_saved_with_how_it_ended(store: Store) -> None:
    store.world.tmux("set-option", "-g", "remain-on-exit", "on")
    spoken = LastWords(store.world, "echo last words", "last words")
    identity = store.world.new("work", "sh", "-c", spoken.command)
    spoken.hear()
    path = store.save(identity)
    pane = described(path)["windows"][0]["panes"][0]
    assert (pane["dead"], pane["exit_status"]) == (True, 3)
    assert "last words" in saved_text(path)


NAMES = ["two words", "a'b\";c", "/etc/passwd", "#{pid} #(id)", "\u00e9\u4e2d\U0001f642", "x" * 300, "-rf", "a\\b"]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_makes_a_directory_in_its_place(store: Store, name: str) -> None:
    # As tmux stores it, which may be another name than the one that was asked for.
    identity = store.world.new(expanded_literal(name, store.world.version))
    session = store.world.session(identity)
    path = store.save(identity)
    assert os.path.dirname(path) == os.path.join(store.path, store.user.name)
    assert set(os.path.basename(path)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
    assert len(os.path.basename(path)) < 100
    assert described(path)["name"] == session.name
    assert store.incoming == []


SECRET = 'hunter2\nEVIL="b"; export EVIL;\nunset GONE;\n\\ $HOME `id` "quoted" \'too\' ;'


def test_the_names_of_variables_are_saved_and_no_part_of_their_values(store: Store) -> None:
    identity = store.world.new("work")
    before = described(store.save(identity))["environment"]
    for name in ("PASSWORD", "ANOTHER"):
        store.world.tmux("set-environment", "-t", identity, name, SECRET.replace(" ;", ""))
    store.world.tmux("set-environment", "-r", "-t", identity, "REMOVED")
    path = store.save(identity)
    found = described(path)["environment"]
    assert sorted(set(found) - set(before)) == ["ANOTHER", "PASSWORD", "REMOVED"]
    for each in files_below(path):
        with open(each, "rb") as stream:
            assert b"hunter2" not in stream.read()


def printed(variables: Dict[str, Optional[str]]) -> str:
    """As tmux prints an environment for a shell."""
    text = ""
    for name, value in variables.items():
        if value is None:
            text += "unset %s;\n" % name
            continue
        for special in '\\$`"':
            value = value.replace(special, "\\" + special)
        text += '%s="%s"; export %s;\n' % (name, value, name)
    return text


words = st.text("ABCabc_019", min_size=1, max_size=5)


@given(st.dictionaries(words, st.one_of(st.none(), st.text('ab"\\$`;=\n', max_size=12), st.just(SECRET)), max_size=5))
def test_any_values_hide_no_name_and_add_none(variables: Dict[str, Optional[str]]) -> None:
    assert variable_names(printed(variables)) == sorted(variables)


@given(st.text('ab"\\;=\n export', max_size=30))
def test_what_is_not_written_as_expected_is_not_guessed(text: str) -> None:
    try:
        variable_names(text)
    except TmuxError as error:
        assert "not written as expected" in error.message


# --- within bounds


def test_of_what_there_is_no_room_for_the_newest_part_is_saved(store: Store) -> None:
    store.world.tmux("set-option", "-g", "history-limit", "20000")
    identity = printing(store.world, "work", "i=0; while [ $i -lt 9000 ]; do echo line $i of many; i=$((i+1)); done")
    for room in (10000, 40000):  # Of the first, tmux prints more than is read at all.
        archive = Archive(store.path, False, Retention(), Bounds(room, 10**7))
        archive.prepare()
        made = archive.save(seen(store.world), store.world.session(identity), store.user, NOW)
        lines = saved_text(made.path)[:-1] if saved_text(made.path)[-1] == "" else saved_text(made.path)
        words = [line for line in lines if line]
        assert words[-1] == "E-N-D" and words[-2] == "line 8999 of many"
        size = sum(os.path.getsize(path) for path in files_below(made.path) if path.endswith(".txt"))
        assert room // 5 < size <= room
        missing = int(made.left_out.split()[2])
        assert made.left_out == "the oldest %d lines" % missing and described(made.path)["left_out"] == [made.left_out]
        assert abs(missing + len(lines) - 9002) <= 24, (missing, len(lines))


def test_what_was_left_out_stands_in_the_item(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    printing(store.world, "work", "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done")
    manner = Gently(archive=Archive(store.path, False, Retention(), Bounds(2000, 10**6)))
    result = perform(store.world, manner)
    assert told(result) == {"first": "removed: idle", "work": "removed: idle"}
    assert "; saved without the oldest " in item(result, "work")["detail"]
    assert "saved" not in item(result, "first")["detail"]


def test_one_owner_has_so_many_bytes_in_a_run_and_the_last_are_shared_out(store: Store) -> None:
    """Nobody's first sessions leave nothing to his last; what there is no room for at all is kept."""
    identity = printing(store.world, "work", "i=0; while [ $i -lt 900 ]; do echo line $i of many; i=$((i+1)); done")
    script = os.path.getsize(os.path.join(store.save(identity), "restore"))
    most = 60000 + 7 * script
    archive = Archive(store.path, False, Retention(), Bounds(12000, most))
    archive.prepare()
    session, sizes = store.world.session(identity), []
    with pytest.raises(SnapshotError, match="snapshots of %d bytes were already made for " % most):
        for _time in range(100):
            made = archive.save(seen(store.world), session, store.user, NOW)
            sizes.append(sum(os.path.getsize(path) for path in files_below(made.path)))
    assert sorted(sizes, reverse=True) == sizes and sum(sizes) < most + 12000 + script and len(sizes) > 6
    assert store.incoming == []
    other = store.user._replace(uid=store.user.uid + 1, name="other")
    assert archive._paper(0, other, 1)._room > 4096, "another owner has his own"


def test_every_pane_has_its_part(store: Store) -> None:
    identity = printing(store.world, "work", "i=0; while [ $i -lt 900 ]; do echo line $i of many; i=$((i+1)); done")
    store.world.tmux("split-window", "-t", identity + ":", "echo small one; exec cat")
    eventually(lambda: "small" in captured(store.world, store.world.session(identity).panes[1].id), "it has printed")
    archive = Archive(store.path, False, Retention(), Bounds(9000, 10**6))
    archive.prepare()
    path = archive.save(seen(store.world), store.world.session(identity), store.user, NOW).path
    assert saved_text(path, pane=1)[0] == "small one" and len(saved_text(path, pane=0)) > 100


def test_a_session_with_more_panes_than_are_saved_is_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "PANES_LIMIT", 1)
    store.world.tmux("split-window", "-d", "-t", "$0:", "cat")
    result = perform(store.world, store.manner())
    assert told(result) == {"first": "not_done: not_saved"}
    assert "more than 1 panes" in item(result, "first")["detail"] and store.incoming == []


# --- for the owner alone, in its own place ----------------------------------------------------------------------------


def modes(path: str) -> Dict[str, Tuple[int, int, int]]:
    found = {}
    for place in [path] + [os.path.join(path, name) for name in os.listdir(path)]:
        status = os.lstat(place)
        found[os.path.basename(place)] = (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    return found


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_only_the_owner_can_read_it(store: Store, mask: int) -> None:
    owner = OTHER if ROOT else store.user
    before = os.umask(mask)
    try:
        path = store.save("$0", colors=True, owner=owner)
    finally:
        os.umask(before)
    found = modes(path)
    assert found.pop(os.path.basename(path)) == (0o700, owner.uid, owner.gid)
    assert found.pop("restore") == (0o700, owner.uid, owner.gid)
    assert set(found.values()) == {(0o600, owner.uid, owner.gid)} and len(found) == 3
    folder = os.lstat(os.path.dirname(path))
    assert (stat.S_IMODE(folder.st_mode), folder.st_uid) == (0o700, owner.uid)
    top = os.lstat(store.path)
    assert (stat.S_IMODE(top.st_mode), top.st_uid) == (0o755, os.geteuid()), "owners must get through"
    assert stat.S_IMODE(os.lstat(os.path.join(store.path, ".incoming")).st_mode) == 0o700


def plant_link(place: str, aim: str) -> None:
    os.symlink(aim, place)


def plant_file(place: str, _aim: str) -> None:
    Path(place).write_text("mine")


def plant_foreign(place: str, _aim: str) -> None:
    os.mkdir(place, 0o777)
    os.chown(place, 61998, 61998)


PLANTS: List[Callable[[str, str], None]] = [plant_link, plant_file, *([plant_foreign] if ROOT else [])]


@pytest.mark.parametrize("plant", PLANTS)
def test_what_was_planted_in_place_of_the_owners_directory_is_not_used(
    store: Store, plant: Callable[[str, str], None]
) -> None:
    store.archive()
    aim = os.path.join(store.world.folder, "aim")
    os.mkdir(aim)
    place = os.path.join(store.path, store.user.name)
    plant(place, aim)
    result = perform(store.world, store.manner())
    assert told(result) == {"first": "not_done: not_saved"}
    assert item(result, "first")["snapshot"] is None
    assert (store.world.ids(), os.listdir(aim), store.incoming) == (["$0"], [], [])
    assert os.path.islink(place) or not os.path.isdir(place) or os.listdir(place) == []


def open_to_all(path: str) -> None:
    os.mkdir(path)
    os.chmod(path, 0o777)


def a_file(path: str) -> None:
    Path(path).write_text("mine")


def below_a_file(path: str) -> None:
    Path(os.path.dirname(path)).write_text("mine")


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("prepared", [open_to_all, a_file, below_a_file])
def test_a_place_that_cannot_be_used_stops_all_before_anything_is_done(
    store: Store, prepared: Callable[[str], None], check: bool
) -> None:
    store.path = os.path.join(store.world.folder, "sub", "snapshots")
    if prepared is not below_a_file:
        os.mkdir(os.path.dirname(store.path))
    prepared(store.path)
    run = prepare(store.world, store.manner())
    with pytest.raises(Stopped, match="snapshot_dir"):
        run.finish(check)
    assert told(run.result) == {"first": "not_done: not_saved"}
    assert run.result["changed"] is False
    assert store.world.ids() == ["$0"]


def test_a_run_that_removes_nothing_needs_no_place(store: Store) -> None:
    store.path = "/dev/null/nowhere"
    assert told(perform(store.world, store.manner(), only("nobody"))) == {}


# --- whole or not at all ----------------------------------------------------------------------------------------------


def test_what_was_saved_is_in_the_item(store: Store) -> None:
    store.world.new("work")
    result = perform(store.world, store.manner())
    assert told(result) == {"first": "removed: idle", "work": "removed: idle"}
    assert sorted(item(result, name)["snapshot"] for name in ("first", "work")) == store.whole
    assert {described(path)["name"] for path in store.whole} == {"first", "work"}
    assert store.incoming == []


def test_a_check_saves_nothing(store: Store) -> None:
    result = perform(store.world, store.manner(), check=True)
    assert told(result) == {"first": "removed: idle"}
    assert not os.path.exists(store.path)


@pytest.mark.parametrize("failing", [0, 1, 2, 3])
def test_a_failure_at_any_step_leaves_nothing_and_keeps_the_session(
    store: Store, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """The disk is full, at each of the writes in turn."""
    server = store.world
    server.tmux("split-window", "-d", "-t", "$0:", "cat")
    steps = iter(range(100))
    real = os.fsync

    def full(handle: int) -> None:
        if next(steps) == failing:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    result = perform(server, store.manner())
    assert told(result) == {"first": "not_done: not_saved"}
    assert "No space left on device" in item(result, "first")["detail"]
    assert (store.whole, store.incoming, server.ids()) == ([], [], ["$0"])
    assert told(perform(server, store.manner())) == {"first": "removed: idle"}


def test_what_ended_or_changed_before_it_was_saved_is_no_failure(store: Store) -> None:
    server = store.world
    for name in ("gone", "changed", "still"):
        identity = server.new(name)
        server.tmux("split-window", "-d", "-t", identity + ":", "cat")
    run = prepare(server, store.manner(), only("gone", "changed", "still"))
    server.tmux("kill-session", "-t", "=gone")
    server.tmux("kill-pane", "-t", "=changed:.1")
    result = finish(run)
    assert told(result) == {"gone": "kept: vanished", "changed": "kept: changed", "still": "removed: idle"}
    assert [described(path)["name"] for path in store.whole] == ["still"]
    assert store.incoming == []


def test_the_snapshot_of_a_session_that_is_used_meanwhile_goes_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Archive.save

    def save_and_use(*words: Any) -> Snapshot:
        made = save(*words)
        store.world.tmux("new-window", "-d", "-t", "$0:", "cat")
        return made

    monkeypatch.setattr(Archive, "save", save_and_use)
    result = perform(store.world, store.manner())
    assert told(result) == {"first": "kept: changed"}
    assert item(result, "first")["snapshot"] is None
    assert (store.whole, store.incoming) == ([], [])


def test_what_a_killed_run_has_left_goes_when_nobody_can_be_at_it_any_more(store: Store) -> None:
    store.archive()
    for name, age in (("old", 7200), ("new", 60)):
        draft = os.path.join(store.path, ".incoming", name)
        os.mkdir(draft)
        Path(os.path.join(draft, "pane-0.txt")).write_text("half")
        os.utime(draft, (time.time() - age, time.time() - age))
    store.archive()
    assert store.incoming == ["new"]


def test_a_draft_that_another_run_finishes_meanwhile_is_no_failure(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.archive()
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "names_in", lambda *words: [*names_in(*words), "just-gone"])
        store.archive()


@pytest.mark.skipif(not ROOT, reason="left out: needs root")
def test_a_run_killed_before_the_directory_had_its_owner_spoils_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_words: Any, **_more: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, "chown", killed)
        with pytest.raises(Killed):
            store.save("$0", owner=OTHER)
    path = store.save("$0", owner=OTHER)
    assert os.lstat(os.path.dirname(path)).st_uid == OTHER.uid


# --- how many stay ----------------------------------------------------------------------------------------------------


def shelf(store: Store, *ages: int, now: int = NOW) -> List[str]:
    """Snapshots of these ages in days; their paths."""
    made = []
    for age in ages:
        archive = store.archive()
        made.append(archive.save(seen(store.world), store.world.session("$0"), store.user, now - age * DAY).path)
    return made


@pytest.mark.parametrize(
    ("keeping", "left"),
    [
        ({}, [0, 1, 2, 3]),
        ({"number": 3}, [0, 1, 2]),
        ({"number": 9}, [0, 1, 2, 3]),
        ({"age": 2 * DAY}, [0, 1, 2]),
        ({"age": 2 * DAY - 1}, [0, 1]),
        ({"number": 2, "age": 3 * DAY}, [0, 1]),
        ({"number": 3, "age": DAY}, [0, 1]),
    ],
)
def test_the_newest_stay(store: Store, keeping: Dict[str, Any], left: List[int]) -> None:
    made = shelf(store, 0, 1, 2, 3)
    assert store.archive(**keeping).tidy(store.user, NOW) == 4 - len(left)
    assert store.whole == sorted(made[index] for index in left)


def grow(path: str, size: int) -> int:
    """Make a snapshot take so many bytes more; how many it takes then."""
    Path(path, "more").write_bytes(b"x" * size)
    return sum(os.path.getsize(each) for each in files_below(path))


def test_the_newest_stay_within_so_many_bytes(store: Store) -> None:
    made = shelf(store, 0, 1, 2, 3)
    sizes = [grow(path, 10000) for path in made]
    assert store.archive(size=sum(sizes)).tidy(store.user, NOW) == 0
    assert store.archive(size=sum(sizes[:3]) - 1).tidy(store.user, NOW) == 2
    assert store.whole == sorted(made[:2])
    assert store.archive(size=sum(sizes), number=1).tidy(store.user, NOW) == 1
    assert store.archive(size=1).tidy(store.user, NOW) == 1


def test_one_run_makes_no_more_than_is_kept(store: Store) -> None:
    archive = store.archive(size=1)
    archive.prepare()
    archive.save(seen(store.world), store.world.session("$0"), store.user, NOW)
    with pytest.raises(SnapshotError, match="snapshots of 1 bytes were already made"):
        archive.save(seen(store.world), store.world.session("$0"), store.user, NOW)


def test_who_wants_no_snapshot_gets_none_and_may_stay_for_that(store: Store) -> None:
    store.world.tmux("set-option", "-t", store.world.new("secret"), "@no_snapshot", "on")
    store.world.tmux("set-option", "-t", store.world.new("plain"), "@no_snapshot", "off")
    by = EVERYTHING._replace(saves_all=True)
    expected = {"first": "removed: idle", "plain": "removed: idle", "secret": "kept: no_snapshot"}
    assert told(perform(store.world, store.manner(), by, check=True)) == expected
    assert told(perform(store.world, store.manner(), by)) == expected
    result = perform(store.world, store.manner())
    assert told(result) == {"secret": "removed: idle"}
    assert item(result, "secret")["snapshot"] is None and len(store.whole) == 2


def test_what_is_no_snapshot_is_left_alone(store: Store) -> None:
    shelf(store, 9)
    folder = os.path.join(store.path, store.user.name)
    aim = os.path.join(store.world.folder, "aim")
    os.mkdir(aim)
    Path(os.path.join(aim, "file")).write_text("precious")
    Path(os.path.join(folder, "notes")).write_text("mine")
    os.symlink(aim, os.path.join(folder, "20000101T000000Z-link"))
    store.archive(number=1, age=1).tidy(store.user, NOW)
    assert sorted(os.listdir(folder)) == ["20000101T000000Z-link", "notes"]
    assert os.listdir(aim) == ["file"]


def write(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


@pytest.mark.parametrize(
    "instead",
    [
        write('{"format": 2, "name": "work"}\n'),
        write('{"format": 11}\n'),
        write('{"format": 1.5}\n'),
        write('{"format": "1"}\n'),
        write('{"name": "work", "format": 1}\n'),
        write(""),
        lambda path: None,
        lambda path: os.mkfifo(str(path)),
        lambda path: os.mkdir(str(path)),
        lambda path: os.symlink("session.txt", str(path)),
    ],
)
def test_what_is_not_of_our_format_stays_and_does_not_count(store: Store, instead: Callable[[Path], object]) -> None:
    strange, _old, new = shelf(store, 9, 8, 1)
    file = Path(strange, "session.json")
    file.rename(file.with_suffix(".txt"))
    instead(file)
    assert store.archive(number=1).tidy(store.user, NOW) == 1
    assert sorted(os.listdir(os.path.dirname(new))) == sorted(os.path.basename(path) for path in (strange, new))
    assert store.archive(number=2, age=1).tidy(store.user, NOW) == 1
    assert os.listdir(os.path.dirname(new)) == [os.path.basename(strange)]


def test_nothing_that_this_run_has_saved_is_tidied_away(store: Store) -> None:
    (old,) = shelf(store, 9, now=int(time.time()))
    for name in ("a", "b"):
        store.world.new(name)
    result = perform(store.world, store.manner(number=1))
    assert len(store.whole) == 3 and old not in store.whole
    assert sorted(removed["snapshot"] for removed in result["removed"]) == store.whole


# --- and back ---------------------------------------------------------------------------------------------------------


def restore(world: World, path: str, name: str = "work", commands: bool = False) -> Session:
    windows = read(path, world.user, ROOT)
    width, height = windows[0].width, windows[0].height
    wanted = NewSession(name, None, (), "/", (), width, height, None, windows=windows, restore_commands=commands)
    maker = Creator(world.client(), ROOT)
    assert maker.create(wanted)
    assert maker.settle() == {}
    (made,) = [session for session in world.listing().sessions if session.name == name]
    return made


def test_windows_layout_directories_and_text_come_back(store: Store) -> None:
    world = store.world
    before = settled(world, rich(world))
    path = store.save(before.id)
    texts = [captured(world, pane.id).strip() for pane in before.panes]
    world.tmux("kill-session", "-t", before.id)
    after = restore(world, path)
    # The order of equals is tmux's, and the layout names ids of panes; what counts is what is where.
    assert shape(settled(world, after.id)) == shape(before)
    for pane, text in zip(after.panes, texts):
        eventually(lambda pane=pane, text=text: captured(world, pane.id).startswith(text), text)  # type: ignore[misc]


def test_the_name_of_a_window_runs_nothing(store: Store) -> None:
    world = store.world
    identity = world.new("work")
    trace = os.path.join(world.folder, "trace")
    path = store.save(identity)
    found = described(path)
    found["windows"][0]["name"] = "x #(touch %s) #{pid}" % trace
    Path(os.path.join(path, "session.json")).write_text(json.dumps(found))
    world.tmux("kill-session", "-t", identity)
    after = restore(world, path)
    assert after.windows[0].name == found["windows"][0]["name"]
    assert not os.path.exists(trace)


def test_commands_run_again_only_if_asked_for(store: Store) -> None:
    world = store.world
    trace = os.path.join(world.folder, "trace")
    command = "echo started >>%s; exec sleep 600" % trace
    identity = world.tmux("new-session", "-d", "-P", "-F", "#{session_id}", "-s", "work", command)
    eventually(lambda: os.path.exists(trace) and Path(trace).read_text() == "started\n", "it runs")
    path = store.save(identity)
    world.tmux("kill-session", "-t", identity)
    restore(world, path, "plain")
    restore(world, path, "again", commands=True)
    eventually(lambda: Path(trace).read_text() == "started\n" * 2, "it runs once more")


MODULE = str(run_module.__file__)


def module(world: World, check: bool = False, **params: Any) -> Dict[str, Any]:
    """What the module tmux_session returns."""
    params.update(socket_path=world.path, executable=world.binary, _ansible_check_mode=check)
    done = subprocess.run(
        [sys.executable, MODULE, "tmux_session"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": params}).encode(),
        stdout=subprocess.PIPE,
        env=dict(os.environ),
        timeout=PATIENCE,
        check=False,
    )
    return dict(json.loads(done.stdout.decode()))


def test_restoring_twice_changes_nothing(store: Store) -> None:
    world = store.world
    before = settled(world, rich(world))
    path = store.save(before.id)
    world.tmux("kill-session", "-t", before.id)
    for check, changed in ((True, True), (False, True), (True, False), (False, False)):
        ids = world.ids()
        result = module(world, check=check, name=["work"], snapshot=path)
        assert (result.get("failed", False), result["changed"]) == (False, changed), result
        assert [created["name"] for created in result["created"]] == (["work"] if changed else [])
        assert (world.ids() == ids) == (check or not changed)


def many_windows(store: Store, number: int) -> str:
    """A snapshot of a session with so many windows."""
    path = store.save("$0")
    found = described(path)
    found["windows"] = [dict(found["windows"][0], index=index) for index in range(number)]
    Path(os.path.join(path, "session.json")).write_text(json.dumps(found))
    return path


@pytest.mark.parametrize("answers", [True, False])
def test_what_could_not_be_restored_in_time_is_undone_or_told(
    store: Store, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    world = store.world
    windows = read(many_windows(store, 60), world.user, ROOT)
    wanted = NewSession("work", None, (), "/", (), 80, 24, None, windows=windows)
    client = world.client()
    script, done = client.script, []

    def slow(commands: Any, version: Any, work: int = 0) -> bytes:
        done.append(len(list(commands)))
        if len(done) == 2:
            client.share = Share(0.0, 10**6)  # The time is up.
            client.call([["list-sessions"]])
        return script(commands, version, work)

    monkeypatch.setattr(client, "script", slow)
    if not answers:
        monkeypatch.setattr(create, "remove_same", lambda *_words: Removal({"$1": Answer("error")}, None))
    with pytest.raises(CreateError, match="session 'work' could not be made: not asked") as caught:
        Creator(client, ROOT).create(wanted)
    assert done[0] < 61, "it was given bit by bit"
    names = [session.name for session in world.listing().sessions]
    assert names == (["first"] if answers else ["first", "work"])
    assert ("still there" in str(caught.value)) == (not answers) == (caught.value.left is not None)


def test_what_would_run_again_is_told_before_it_does(store: Store) -> None:
    world = store.world
    identity = world.tmux("new-session", "-d", "-P", "-F", "#{session_id}", "-s", "work", "exec sleep 600")
    path = store.save(identity)
    world.tmux("kill-session", "-t", identity)
    params: Dict[str, Any] = {"name": ["work"], "snapshot": path, "restore_commands": True, "_ansible_diff": True}
    checked, done = module(world, check=True, **params), module(world, **params)
    for result in (checked, done):
        (created,) = result["created"]
        assert created["commands"] == [{"window": 0, "pane": 0, "command": "exec sleep 600"}]
        assert result["diff"]["after"]["commands"] == ["0.0: exec sleep 600"]
    world.tmux("kill-session", "-t", "=work")
    (plain,) = module(world, name=["work"], snapshot=path)["created"]
    assert plain["commands"] == []


def test_what_is_no_snapshot_is_refused_and_nothing_is_made(store: Store, tmp_path: Path) -> None:
    for path in (str(tmp_path), "/dev", "/nonexistent"):
        result = module(store.world, name=["work"], snapshot=path)
        assert result["failed"] and "snapshot: %s cannot be read" % path in result["msg"]
        assert result["changed"] is False
    assert store.world.ids() == ["$0"]


PANE = {"active": True, "path": "/", "start_command": "", "text": "pane-0.txt"}
WINDOW = {"index": 0, "name": "w", "active": True, "layout": "", "width": 80, "height": 24, "panes": [PANE]}
WHOLE = {"format": 1, "windows": [WINDOW]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        "[" * 100000,
        json.dumps(dict(WHOLE, format=2)),
        json.dumps(dict(WHOLE, windows=[])),
        json.dumps(dict(WHOLE, windows=[dict(WINDOW, panes=[])])),
        json.dumps(dict(WHOLE, windows=[dict(WINDOW, index=-1)])),
        json.dumps(dict(WHOLE, windows=[dict(WINDOW, width="80")])),
        json.dumps(dict(WHOLE, windows=[dict(WINDOW, height=0)])),
        json.dumps(dict(WHOLE, windows=[dict(WINDOW, panes=[dict(PANE, text="/etc/passwd")])])),
        json.dumps(dict(WHOLE, windows=[dict(WINDOW, panes=[dict(PANE, text="../pane-0.txt")])])),
        json.dumps(dict(WHOLE, windows=[dict(WINDOW, panes=[dict(PANE, text="pane-0.txt\n")])])),
        json.dumps(dict(WHOLE, windows=[dict(WINDOW, panes=[dict(PANE, text=None)])])),
    ],
)
def test_what_somebody_else_has_written_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "session.json").write_text(text)
    me = User("me", os.geteuid(), os.getegid())
    with pytest.raises(SnapshotError, match="snapshot: "):
        read(str(tmp_path), me, False)
    (tmp_path / "session.json").write_text(json.dumps(WHOLE))
    assert len(read(str(tmp_path), me, False)) == 1


@pytest.mark.skipif(not ROOT, reason="left out: needs root")
def test_nobody_restores_what_they_could_not_read(store: Store) -> None:
    path = store.save("$0")  # of root
    os.chmod(store.world.folder, 0o755)
    with pytest.raises(SnapshotError, match="cannot be read by somebody"):
        read(path, OTHER, True)
    own = store.save("$0", owner=OTHER)
    assert len(read(own, OTHER, True)) == 1
    with pytest.raises(SnapshotError, match="cannot be read by else"):
        read(own, User("else", 61998, 61998), True)
