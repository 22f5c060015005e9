# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each pane of a declared session prints is in its own log, and in no other's."""

import functools
import os
import stat
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.reconcile import Declared, compare, logging
from ansible_collections.fleet.tmux.plugins.module_utils._actions.wait import Wish
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._modules.info import Wish as Info
from ansible_collections.fleet.tmux.plugins.module_utils._modules.info import describe
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session import session_options
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session_wait import wait_for
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._policy.declared import logs_of
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host
from ansible_collections.fleet.tmux.tests.support.declaring import Json, Task, changes, drifted, panes
from ansible_collections.fleet.tmux.tests.support.logs import NAMES, holders, tells, told
from ansible_collections.fleet.tmux.tests.support.snapshots import Store, described
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

ECHO = "echo begun {0}; cat; exit 0"
"""The shell ends last: what tmux tells of cat, which closes its terminal before it ends, may be a signal."""


def echo(word: str) -> List[str]:
    """Print a word, and then what is typed."""
    return ["sh", "-c", ECHO.format(word)]


def folder_of(world: World, name: str = "logs") -> str:
    path = os.path.join(world.folder, name)
    os.mkdir(path)
    return path


def one_and_two(one: Optional[str], two: Optional[str], third: Optional[str] = None) -> List[Json]:
    """A window with a pane, and one with two, and their logs."""
    two_panes: List[Json] = [{"argv": echo("b"), "log": two}, {"argv": echo("c"), "log": third}]
    return [{"name": "alone", "argv": echo("a"), "log": one}, {"name": "both", "panes": two_panes}]


def typed(world: World, word: str) -> None:
    """Type a word into each pane, with its place."""
    for window, pane in panes(world, "window_name", "pane_index"):
        world.tmux("send-keys", "-t", "=made:%s.%s" % (window, pane), "%s-%s-%s" % (word, window, pane), "Enter")


def twice(path: str) -> bool:
    return told(path).count("later") == 2


@pytest.mark.parametrize("size", [None, "64K"])
@pytest.mark.parametrize("name", NAMES)
def test_each_pane_has_its_own_from_its_first_moment_on(server: World, name: str, size: Optional[str]) -> None:
    folder = folder_of(server)
    paths = [os.path.join(folder, letter + name) for letter in "abc"]
    Task(server, windows=one_and_two(*paths), log_max_size=size).done()
    typed(server, "later")
    for path, place in zip(paths, ("alone-0", "both-0", "both-1")):
        eventually(functools.partial(twice, path), "what was typed is there twice, as cat prints it again")
        assert told(path).startswith("begun " + os.path.basename(path)[0])
        assert told(path).count("later-" + place) == 2
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert sorted(os.listdir(folder)) == sorted(map(os.path.basename, paths))
    for place in (server.folder, "/"):
        assert not os.path.exists(os.path.join(place, "ran"))
    server.tmux("kill-session", "-t", "=made")
    eventually(lambda: not any(map(holders, paths)), "the files are closed, and what wrote to them is gone")


def test_panes_that_are_there_get_theirs_and_windows_that_are_added_have_it_from_the_beginning(server: World) -> None:
    folder = folder_of(server)
    paths = [os.path.join(folder, letter) for letter in "abc"]
    windows = one_and_two(*paths)
    Task(server, windows=[dict(windows[1], panes=[dict(pane, log=None) for pane in windows[1]["panes"]])]).done()
    said = Task(server, windows=windows).done()
    assert changes(said) == [
        ("made", "both", "log", paths[1], None),
        ("made", "both", "log", paths[2], None),
        ("made", "alone", "window", "alone", None),
    ]
    assert [each["pane"] for each in said["updated"][0]["changes"]] == [0, 1, None]
    assert "+" not in told(paths[1]) and "begun" not in told(paths[1])
    eventually(lambda: tells(paths[0], "begun a"), "what is new is told from its first moment on")
    typed(server, "later")
    for path in paths:
        eventually(functools.partial(tells, path, "later"), "it is written")
    other = os.path.join(folder, "other")
    said = Task(server, windows=one_and_two(paths[0], other, paths[2])).done()
    assert changes(said) == [("made", "both", "log", other, paths[1])]
    eventually(lambda: holders(paths[1]) == [], "the former one is closed")
    os.unlink(paths[2])
    said = Task(server, windows=one_and_two(paths[0], other, paths[2])).done()
    assert changes(said) == [("made", "both", "log", paths[2], paths[2])], "one that was deleted is begun anew"
    typed(server, "last")
    for path in (paths[0], other, paths[2]):
        eventually(functools.partial(tells, path, "last"), "it is written")


def test_a_pipe_of_its_users_own_is_left_whatever_the_logs_of_other_panes_are_called(server: World) -> None:
    """The word of the session is not believed because another pane writes to a file of the same name."""
    paths = [os.path.join(folder_of(server, letter), "log") for letter in "abc"]
    own = os.path.join(server.folder, "own")
    task = Task(server, windows=one_and_two(*paths))
    task.done()
    server.tmux("pipe-pane", "-t", "=made:both.0", "exec cat >> " + own)
    eventually(lambda: holders(own) != [] and holders(paths[1]) == [], "it writes, and not to the log")
    for check in (True, False):
        said, error = task.go(check)
        assert (error, said["changed"]) == (None, False)
        assert drifted(said) == [("both", 0, "log", paths[1], "another pipe-pane")]
        assert ["windows[1]: panes[0]: log: what in a pane of session 'made' prints" in each for each in said["warned"]]
    server.tmux("pipe-pane", "-t", "=made:both.0")
    assert changes(task.done()) == [("made", "both", "log", paths[1], None)]


def test_panes_that_have_changed_places_keep_their_logs(server: World) -> None:
    folder = folder_of(server)
    paths = [os.path.join(folder, letter) for letter in "bc"]
    same = [{"argv": echo("x"), "log": path} for path in paths]
    task = Task(server, windows=[{"name": "both", "panes": same}])
    task.done()
    server.tmux("swap-pane", "-s", "=made:both.0", "-t", "=made:both.1")
    for check in (True, False):
        said, error = task.go(check)
        assert (error, said["changed"]) == (None, False)
        assert drifted(said) == [("both", 0, "log", paths[0], paths[1]), ("both", 1, "log", paths[1], paths[0])]
    server.tmux("pipe-pane", "-t", "=made:both.0")
    said, error = task.go()
    assert (error, said["changed"]) == (None, False), "two panes would write to the same file"
    assert drifted(said)[0] == ("both", 0, "log", paths[0], "another pane")


def test_what_runs_something_else_gets_no_log(server: World) -> None:
    """It may be what somebody does there for himself; how many panes there are, and what they run, is told."""
    folder = folder_of(server)
    windows = one_and_two(*(os.path.join(folder, letter) for letter in "abc"))
    bare = one_and_two(None, None, None)
    Task(server, windows=bare).done()
    server.tmux("respawn-pane", "-k", "-t", "=made:alone.0", "exec cat")
    server.tmux("split-window", "-t", "=made:both", "exec cat")
    task = Task(server, windows=windows)
    said, error = task.go()
    assert (error, said["changed"], os.listdir(folder)) == (None, False, [])
    assert [each["what"] for each in said["drift"]] == ["command", "panes"]


def spelled(world: World, folder: str) -> List[Tuple[str, str, Optional[str]]]:
    """Two paths of the same file, and with which limit they are."""
    os.symlink(folder, os.path.join(world.folder, "link"))
    linked = os.path.join(world.folder, "link", "log")
    path = os.path.join(folder, "log")
    return [
        (path, path, None),
        (path, folder + "//./log", None),
        (path, folder + "/../logs/log", None),
        (path, linked, None),
        (path, path + ".1", "64K"),
        (path + ".1", linked, "64K"),
    ]


def test_two_panes_with_the_same_file_are_refused(server: World) -> None:
    folder = folder_of(server)
    for one, two, size in spelled(server, folder):
        for windows in (one_and_two(one, two), one_and_two(None, one, two)):
            with pytest.raises(ValueError, match=r"windows\[1\]: panes\[[01]\]: log.*: windows\[[01]\]: .*same file"):
                for check in (True, False):
                    error = Task(server, windows=windows, log_max_size=size).go(check)[1]
                    assert error is not None
                    if not check:
                        raise error
        assert (server.ids(), os.listdir(folder)) == (["$0"], [])
    path = os.path.join(folder, "log")
    Task(server, windows=one_and_two(path, None)).done()
    again, error = Task(server, windows=one_and_two(path, os.path.join(server.folder, "link", "log"))).go()
    assert "windows[0]: log writes to the same file" in str(error) and not again["changed"]
    Task(server, name=["more"], windows=one_and_two(path + "1", path + ".1")).done()


LIMITS = [("64K", None), (None, "64K"), ("64K", "64K")]


@pytest.mark.parametrize(("before", "now"), LIMITS)
@pytest.mark.parametrize("older", [False, True])
def test_a_file_that_would_be_put_aside_under_a_writer_is_refused(
    server: World, before: Optional[str], now: Optional[str], older: bool
) -> None:
    """Of another session, or another pane of this one: what the second writes to an older part goes with that."""
    folder = folder_of(server)
    path = os.path.join(folder, "log")
    first, second = (path + ".1", path) if older and now else (path, path + ".1" if older else path)
    Task(server, name=["other"], argv=echo("x"), log=first, log_max_size=before).done()
    eventually(lambda: tells(first, "begun"), "it is written")
    listed = os.listdir(folder)
    for options in ({"argv": echo("y"), "log": second}, {"windows": one_and_two(None, None, second)}):
        for check in (True, False):
            said, error = Task(server, **options, log_max_size=now).go(check)
            assert "pane %" in str(error) and "writes to it already, or to its older part" in str(error)
            assert not said["changed"] and os.listdir(folder) == listed
    assert len(server.ids()) == 2


def test_what_is_written_by_a_session_that_goes_before_can_be_had(server: World) -> None:
    path = os.path.join(server.folder, "log")
    windows = one_and_two(path, None, None)
    task = Task(server, windows=windows, log_max_size="64K", recreate="always")
    for number in (1, 2):
        assert task.go()[1] is None
        eventually(lambda number=number: told(path).count("begun a") == number, "it is written")  # type: ignore[misc]
    said, error = Task(server, windows=windows, log_max_size="64K").go()
    assert (error, said["changed"]) == (None, False)


def test_several_append_to_a_file_without_a_limit(server: World) -> None:
    path = os.path.join(server.folder, "log")
    for name in ("one", "two"):
        Task(server, name=[name], windows=[{"argv": echo(name), "log": path}]).done()
    eventually(lambda: tells(path, "begun one") and tells(path, "begun two"), "both are there")
    assert len(holders(path)) == 2


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_where_no_older_file_can_be_one_of_limited_size_is_refused(server: World, kind: str) -> None:
    path = os.path.join(server.folder, "log")
    if kind == "folder":
        os.mkdir(path + ".1")
    else:
        os.symlink(server.folder, path + ".1")
    for options in ({"argv": echo("y"), "log": path}, {"windows": one_and_two(None, path)}):
        for check in (True, False):
            said, error = Task(server, **options, log_max_size="64K").go(check)
            assert "log.1 beside it is no file" in str(error) and not said["changed"]
    assert (server.ids(), os.path.exists(path)) == (["$0"], False)
    Task(server, argv=echo("y"), log=path).done()


def test_a_path_that_tmux_has_no_room_for_is_refused(server: World) -> None:
    """An old one would take no command at all for it, and write nothing."""
    folder = server.folder
    for _number in range(4):
        folder = os.path.join(folder, "x" * 200)
        os.mkdir(folder)
    path = os.path.join(folder, "y" * 200)
    Task(server, windows=one_and_two(path, None), log_max_size="64K").done()
    eventually(lambda: tells(path, "begun a"), "it is written")
    longer = os.path.join(folder, "z" * 200)
    os.mkdir(longer)
    said, error = Task(server, name=["long"], windows=one_and_two(os.path.join(longer, "'" * 200), None)).go()
    assert "too long for tmux" in str(error) and not said["changed"]


def frozen(world: World) -> Json:
    """What tmux_session_info says of how the session is declared."""
    seen = look_at(Host(world.binary, PATIENCE, Directory(PATIENCE)), world.path)
    (item,) = describe([seen], Info(["made"], ("declaration",), 0), 0).sessions
    found: Json = item["declaration"]
    return found


@pytest.mark.parametrize("size", [None, "96K"])
def test_a_session_is_declared_with_its_logs_and_made_again_from_that(server: World, size: Optional[str]) -> None:
    folder = folder_of(server)
    a, c = (os.path.join(folder, name) for name in ("a", "c d"))
    some: List[Json] = [{"command": "exec cat"}, {"command": "exec cat; x", "log": c}]
    windows: List[Json] = [{"name": "a", "command": "exec cat", "log": a}, {"name": "b", "panes": some}]
    Task(server, windows=windows, log_max_size=size).done()
    told_ = frozen(server)
    assert [told_["windows"][0]["log"], *(pane.get("log") for pane in told_["windows"][1]["panes"])] == [a, None, c]
    assert told_.get("log_max_size") == size
    (identity,) = [session.id for session in server.listing().sessions if session.name == "made"]
    assert described(Store(server).save(identity))["declaration"] == told_
    for check in (True, False):
        again, error = Task(server, **told_).go(check)
        assert error is None and not again["changed"] and again["drift"] == []
    server.tmux("kill-session", "-t", "=made")
    eventually(lambda: holders(a) + holders(c) == [], "the files are closed")
    Task(server, **told_).done()
    assert frozen(server)["windows"][0] == told_["windows"][0]
    server.tmux("pipe-pane", "-t", "=made:a")
    assert "log" not in frozen(server)["windows"][0], "nothing is written"


def test_the_log_of_a_session_with_one_command_is_declared_too(server: World) -> None:
    path = os.path.join(server.folder, "log")
    Task(server, command="exec cat", log=path).done()
    for check in (True, False):
        again, error = Task(server, **frozen(server)).go(check)
        assert error is None and not again["changed"] and again["drift"] == []
    assert frozen(server)["windows"][0]["log"] == path


def waited(world: World, **more: Any) -> Dict[str, Any]:
    seen = look_at(Host(world.binary, PATIENCE, Directory(PATIENCE)), world.path)
    said, error = wait_for(seen, Wish(["made"], **more), int(PATIENCE) if more else 0, False, True)
    assert error is None or not more
    found: Dict[str, Any] = said["sessions"][0]
    return found


def test_who_waits_is_told_the_log_of_the_pane_that_is_told_of(server: World) -> None:
    folder = folder_of(server)
    windows = one_and_two(os.path.join(folder, "a"), None, os.path.join(folder, "c"))
    Task(server, windows=windows, keep_exited=True).done()
    assert waited(server)["log"] == os.path.join(folder, "a")
    assert waited(server, pattern="begun b")["log"] is None
    assert waited(server, pattern="begun c")["log"] == os.path.join(folder, "c")
    server.tmux("send-keys", "-t", "=made:alone.0", "C-d")
    server.tmux("send-keys", "-t", "=made:both.0", "C-d")
    server.tmux("send-keys", "-t", "=made:both.1", "C-c")
    assert waited(server, until="ended")["log"] == os.path.join(folder, "c"), "the one that did not end with 0"


def test_what_another_pane_writes_to_stays_on_the_host(server: World) -> None:
    paths = [os.path.join(folder_of(server, name), "log") for name in ("a", "b")]
    Task(server, windows=one_and_two(paths[0], None)).done()
    wanted = session_options(Task(server, windows=one_and_two(paths[1], None)).values)
    assert [log.path for log in logs_of(wanted.windows)] == [paths[1]]
    seen = look_at(Host(server.binary, PATIENCE, Directory(PATIENCE)), server.path)
    seen.client.discreet = True
    session = next(session for session in seen.listing.sessions if session.name == "made")
    declared = Declared(windows=wanted.windows)
    (found,) = logging(seen, compare(seen, [session], declared), declared).values()
    (difference,) = found.differences
    assert difference.declared == paths[1] and paths[0] not in str(difference)
    assert Path(paths[0]).exists()
