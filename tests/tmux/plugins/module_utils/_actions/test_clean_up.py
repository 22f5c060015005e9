# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that go with a session go when it does, whatever they are called, and nothing else does."""

import os
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.clean_up import NOT_KNOWN, WRITTEN
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import details
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import CLEANUP_OPTION
from ansible_collections.fleet.tmux.tests.support.declaring import CAT, Json, Task, changes
from ansible_collections.fleet.tmux.tests.support.runs import Gently, finish, item, only, perform, prepare
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

NAMES = [
    "plain",
    "two words",
    "'; touch ran; '",
    '"; touch ran; "',
    "$(touch ran)`touch ran`",
    "#(touch ran)",
    "%Y-%m-%d %41 %%",
    "#{pid} ##{x} #S",
    "#[bg=red] ##[x] }{,",
    "back\\slash \\$x $x ${x} $",
    "$HOME ~ *",
    "ends;",
    "é🙂",
    "-n",
    "file=x log=y older=z",
    "x" * 200,
]


def made(world: World, *names: str, session: str = "made", **more: Any) -> List[str]:
    """Have a session with which files go that are there; their paths."""
    folder = Path(world.folder)
    paths = [str(folder / name) for name in names]
    for path in paths:
        Path(path).write_text("half")
    cleanup = dict({"files": paths}, **more.pop("cleanup", {}))
    Task(world, name=[session], **dict({"argv": CAT, "cleanup": cleanup}, **more)).done()
    return paths


def there(paths: List[str]) -> List[str]:
    return [path for path in paths if os.path.lexists(path)]


def went(item: Json) -> Dict[str, Any]:
    return {key: item[key] for key in ("removed_files", "left_files")}


def removed(world: World, session: str = "made", **options: Any) -> Json:
    """Have a session removed, which a check promises exactly; what became of it."""
    task = Task(world, name=[session], **(options or {"state": "absent", "chdir": None}))
    checked, error = task.go(check=True)
    assert error is None, error
    told, error = task.go()
    assert error is None, error
    (promised,), (found,) = checked["removed"], told["removed"]
    assert (went(promised), promised["more"], checked["warned"]) == (went(found), found["more"], told["warned"])
    if not options:
        for check in (True, False):
            again, error = task.go(check)
            assert error is None and not again["changed"], again
    return dict(found, warned=told["warned"])


def test_they_go_with_it_whatever_they_are_called(server: World) -> None:
    paths = made(server, *NAMES)
    kept = Path(server.folder) / "kept"
    kept.write_text("")
    found = removed(server)
    assert (found["removed_files"], found["left_files"], found["warned"]) == (paths, [], [])
    assert found["more"] == {"survivors": 0, "removed_files": 0, "left_files": 0}
    assert there(paths) == [] and kept.exists() and not (Path(server.folder) / "ran").exists()


def test_a_check_removes_nothing(server: World) -> None:
    paths = made(server, "a")
    checked, error = Task(server, state="absent", chdir=None).go(check=True)
    assert error is None and checked["removed"][0]["removed_files"] == paths == there(paths)


def test_of_all_that_are_not_kept(server: World) -> None:
    mine, others = made(server, "a"), made(server, "b", session="other")
    task = Task(server, name=["made", "first"], state="only", chdir=None)
    checked, told = task.go(check=True)[0], task.go()[0]
    assert told["removed"][0]["removed_files"] == others == checked["removed"][0]["removed_files"]
    assert there([*mine, *others]) == mine and not task.go()[0]["changed"]


def test_the_log_goes_and_the_older_one(server: World) -> None:
    log = str(Path(server.folder) / "log")
    made(server, log=log, log_max_size="64K", cleanup={"log": "remove"})
    Path(log + ".1").write_text("older")
    assert removed(server)["removed_files"] == [log, log + ".1"]
    assert there([log, log + ".1"]) == []


def test_the_log_stays_unless_that_is_declared(server: World) -> None:
    log = str(Path(server.folder) / "log")
    made(server, "a", log=log)
    assert removed(server)["removed_files"] == [str(Path(server.folder) / "a")] and os.path.exists(log)


def test_windows_have_them_too(server: World) -> None:
    paths = made(server, "a", argv=None, windows=[{"argv": CAT}, {"argv": CAT}])
    assert removed(server)["removed_files"] == paths


def test_a_session_that_is_there_is_told_what_goes_with_it_by_now(server: World) -> None:
    Task(server, argv=CAT).done()
    a, b = [str(Path(server.folder) / name) for name in ("a", "b")]
    told = Task(server, argv=CAT, cleanup={"files": [a]}).done()
    assert changes(told) == [("made", None, "cleanup", a, None)]
    told = Task(server, argv=CAT, cleanup={"files": [a, b]}).done()
    assert changes(told) == [("made", None, "cleanup", a + ", " + b, a)]
    for task in (Task(server, argv=CAT), Task(server)):
        assert not task.go()[0]["changed"], "who says nothing of it changes nothing"
    told = Task(server, argv=CAT, cleanup={"log": "keep"}).done()
    assert changes(told) == [("made", None, "cleanup", None, a + ", " + b)]
    Path(a).write_text("")
    assert went(removed(server)) == {"removed_files": [], "left_files": []} and os.path.exists(a)


def test_what_somebody_else_has_noted_there_is_nothing(server: World) -> None:
    """It is not what we write, so it is replaced, and goes with nothing."""
    (path,) = made(server, "a")
    server.tmux("set-option", "-t", "=made:", CLEANUP_OPTION, "2 file=" + path)
    assert went(removed(server)) == {"removed_files": [], "left_files": []} and there([path])
    Task(server, argv=CAT).done()
    server.tmux("set-option", "-t", "=made:", CLEANUP_OPTION, "1 file=a/relative/one")
    assert changes(Task(server, argv=CAT, cleanup={"files": [path]}).done())[0][3:] == (path, None)


def test_with_a_session_that_is_made_anew_they_stay(server: World) -> None:
    paths = made(server, "a")
    found = removed(server, state="present", recreate="always", argv=CAT, cleanup={"files": paths})
    assert went(found) == {"removed_files": [], "left_files": []} and there(paths)
    assert removed(server)["removed_files"] == paths, "they are the new one's"


def test_with_one_that_was_not_removed_they_stay(server: World) -> None:
    paths = made(server, "a")
    told, error = Task(server, state="absent", chdir=None).go(
        meanwhile=lambda: server.run("rename-session", "-t", "=made", "new")
    )
    assert error is not None and told["removed"] == [] and there(paths) == paths


def test_what_another_session_has_too_stays_until_that_goes(server: World) -> None:
    made(server, "a", "mine")
    made(server, "a", session="other")
    a, mine = [str(Path(server.folder) / name) for name in ("a", "mine")]
    found = removed(server)
    assert went(found) == {
        "removed_files": [mine],
        "left_files": [{"path": a, "reason": "session 'other' has it, too"}],
    }
    assert found["warned"] == ["cleanup of session 'made': 1 file is still there, see left_files"]
    assert removed(server, "other")["removed_files"] == [a]


def test_nor_does_a_log_go_to_which_another_session_writes(server: World) -> None:
    log = str(Path(server.folder) / "log")
    made(server, log=log, cleanup={"log": "remove"})
    Task(server, name=["other"], argv=CAT, log=log).done()
    assert removed(server)["left_files"] == [{"path": log, "reason": "session 'other' has it, too"}]
    assert there([log]) == [log]


def test_nor_anything_while_what_runs_there_lives_on_in_a_session_of_its_group(server: World) -> None:
    paths = made(server, "a")
    server.tmux("new-session", "-d", "-t", "=made", "-s", "peer")
    why = "what runs there lives on in session 'peer'"
    for check in (True, False):
        found = pruned(server, check)
        assert found["left_files"] == [{"path": paths[0], "reason": why}] and there(paths) == paths


def test_but_with_its_group_they_go(server: World) -> None:
    paths = made(server, "a")
    server.tmux("new-session", "-d", "-t", "=made", "-s", "other")
    for check in (True, False):
        assert pruned(server, check)["removed_files"] == paths
    assert there(paths) == []


UNTOLD = ["env", "-u", "TMUX", *CAT]
"""What does not say in which session it was begun."""


@pytest.mark.parametrize("argv", [CAT, UNTOLD])
@pytest.mark.parametrize("move", ["move-window", "join-pane"])
def test_nor_while_a_pane_of_it_lives_on_that_was_moved_to_another_session(
    server: World, argv: List[str], move: str
) -> None:
    log = str(Path(server.folder) / "log")
    paths = made(server, "a", argv=None, windows=[{"argv": argv, "log": log}, {"argv": CAT}], cleanup={"log": "remove"})
    (pane, _other) = server.tmux("list-panes", "-s", "-t", "=made", "-F", "#{pane_id}").splitlines()
    server.tmux(move, "-d", "-s", pane, "-t", "=first:" if move == "move-window" else "=first:0")
    left = [{"path": path, "reason": "what runs there lives on in session 'first'"} for path in (log, *paths)]
    promised = pruned(server, check=True)
    found = pruned(server) if move == "join-pane" else removed(server)
    assert (went(promised), went(found)) == ({"removed_files": [], "left_files": left},) * 2
    assert there([log, *paths]) == [log, *paths]


def test_nor_while_one_lives_on_that_was_begun_in_it_and_of_which_nothing_is_noted(server: World) -> None:
    paths = made(server, "a")
    pane = server.tmux("split-window", "-d", "-P", "-F", "#{pane_id}", "-t", "=made:", "exec cat")
    pid = server.tmux("display-message", "-p", "-t", pane, "#{pane_pid}")
    eventually(lambda: b"TMUX=" in Path("/proc/%s/environ" % pid).read_bytes(), "it has begun")
    server.tmux("join-pane", "-d", "-s", pane, "-t", "=first:")
    why = "what runs there lives on in session 'first'"
    assert removed(server)["left_files"] == [{"path": paths[0], "reason": why}] and there(paths)


def test_nor_a_log_to_which_a_pane_writes_whose_session_is_gone(server: World) -> None:
    log = str(Path(server.folder) / "log")
    made(server, log=log, cleanup={"log": "remove"})
    Task(server, name=["other"], argv=CAT, log=log).done()
    pane = server.tmux("list-panes", "-s", "-t", "=other", "-F", "#{pane_id}")
    server.tmux("split-window", "-d", "-t", "=other:", "cat")
    server.tmux("join-pane", "-d", "-s", pane, "-t", "=first:")
    server.tmux("kill-session", "-t", "=other")
    assert removed(server)["left_files"] == [{"path": log, "reason": WRITTEN}] and there([log])


def test_of_two_that_go_together_each_file_goes_once(server: World) -> None:
    made(server, "a", "b")
    made(server, "a", session="other")
    a, b = [str(Path(server.folder) / name) for name in ("a", "b")]
    task = Task(server, name=["made", "other"], state="absent", chdir=None)
    checked, told = task.go(check=True)[0], task.go()[0]
    assert list(map(went, told["removed"])) == list(map(went, checked["removed"]))
    assert [each["removed_files"] for each in told["removed"]] == [[a, b], []]


def test_nor_one_to_which_something_else_writes(server: World) -> None:
    log = str(Path(server.folder) / "log")
    made(server, log=log, cleanup={"log": "remove"})
    with open(log, "ab"):
        found = removed(server)
    assert found["left_files"] == [{"path": log, "reason": WRITTEN}] and os.path.exists(log)


@pytest.mark.parametrize("size", [None, "64K"])
def test_the_logs_of_all_panes_go(server: World, size: Optional[str]) -> None:
    """But not that of which another pane is said to write there, too."""
    one, two, third = (str(Path(server.folder) / name) for name in ("one", "two", "third"))
    both: List[Dict[str, Any]] = [{"argv": CAT, "log": two}, {"argv": CAT}]
    windows = [{"argv": CAT, "log": one}, {"panes": both}]
    Task(server, windows=windows, log_max_size=size).done()
    both[1]["log"] = third
    Task(server, windows=windows, log_max_size=size, cleanup={"log": "remove"}).done()
    if size is None:
        Task(server, name=["other"], argv=CAT, log=two).done()
    else:
        Path(one + ".1").write_text("older")
    found = removed(server)
    assert found["removed_files"] == ([one, third] if size is None else [one, one + ".1", two, third])
    assert [each["path"] for each in found["left_files"]] == ([two] if size is None else [])


def test_a_log_goes_that_is_only_read(server: World) -> None:
    log = str(Path(server.folder) / "log")
    made(server, log=log, cleanup={"log": "remove"})
    with open(log, "rb"):
        assert removed(server)["removed_files"] == [log]


def test_with_its_server_goes_the_last_session_and_what_has_written_its_log(server: World) -> None:
    log = str(Path(server.folder) / "log")
    made(server, "a", log=log, cleanup={"log": "remove"})
    server.tmux("kill-session", "-t", "=first")
    assert removed(server)["removed_files"] == [log, str(Path(server.folder) / "a")]
    eventually(lambda: server.run("list-sessions").returncode, "the server ends")


def test_what_may_be_of_another_stays_where_that_cannot_be_read(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = made(server, "a")
    original, asked = details.noted, []

    def instead(client: Client, version: Any) -> Dict[str, Any]:
        asked.append(version)
        if len(asked) % 2:
            return original(client, version)
        raise TmuxError("it is busy")

    monkeypatch.setattr(details, "noted", instead)
    found = removed(server)
    assert found["left_files"] == [{"path": paths[0], "reason": NOT_KNOWN}] and there(paths)


def test_what_goes_with_them_may_not_be_known(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = made(server, "a")

    def busy(*_of: object) -> Dict[str, Any]:
        raise TmuxError("it is busy")

    monkeypatch.setattr(details, "noted", busy)
    run = prepare(server, Gently(), only("made"))
    assert went(item(finish(run), "made")) == {"removed_files": [], "left_files": []}
    said = "is not known, so none of them is removed: it is busy"
    assert said in run.trouble[0] and there(paths)
    server.new("made", "cat")
    assert said in removed(server)["warned"][0]


def test_what_is_no_file_of_its_owner_stays(server: World) -> None:
    folder = Path(server.folder)
    (folder / "kept").write_text("kept")
    (folder / "link").symlink_to("kept")
    (folder / "folder").mkdir()
    (folder / "open").mkdir()
    (folder / "open").chmod(0o777)
    (folder / "open" / "file").write_text("")
    paths = [str(folder / name) for name in ("link", "folder", "missing", "none/missing", "open/file")]
    made(server, cleanup={"files": paths})
    found = removed(server)
    assert found["removed_files"] == [str(folder / "link")] and (folder / "kept").exists()
    (first, second) = found["left_files"]
    assert first == {"path": str(folder / "folder"), "reason": "it is neither a file nor a link"}
    assert second["path"] == str(folder / "open" / "file") and "may be written by others" in second["reason"]


def test_as_many_as_may_be_declared_are_noted_whole(server: World) -> None:
    names = ["%03d" % number + "é" * 60 for number in range(100)]
    paths = made(server, *names)
    assert removed(server)["removed_files"] == paths and there(paths) == []


# --- pruned


def pruned(world: World, check: bool = False) -> Dict[str, Any]:
    return item(perform(world, Gently(), only("made", "other"), check), "made")


def test_they_go_with_one_that_is_pruned(server: World) -> None:
    paths = made(server, *NAMES)
    promised = pruned(server, check=True)
    assert promised["removed_files"] == paths == there(paths)
    found = pruned(server)
    assert (went(found), found["more"]) == (went(promised), promised["more"]) and there(paths) == []


def test_but_not_with_one_that_is_kept(server: World) -> None:
    paths = made(server, "a")
    server.tmux("set-option", "-t", "=made:", "@keep", "on")
    assert went(pruned(server)) == {"removed_files": [], "left_files": []} and there(paths) == paths


def test_nor_with_one_to_which_something_happens_after_it_was_judged(server: World) -> None:
    paths = made(server, "a")
    run = prepare(server, Gently(), only("made"))
    server.tmux("set-option", "-t", "=made:", "@keep", "on")
    assert went(item(finish(run), "made")) == {"removed_files": [], "left_files": []} and there(paths) == paths


def test_what_another_has_too_stays_when_one_is_pruned(server: World) -> None:
    made(server, "a")
    made(server, "a", session="stays")
    a = str(Path(server.folder) / "a")
    for check in (True, False):
        found = pruned(server, check)
        assert found["left_files"] == [{"path": a, "reason": "session 'stays' has it, too"}] and there([a])
