# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new session is exactly what was asked for, keeps its secrets, and is there or said not to be."""

import os
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import create as creation
from ansible_collections.fleet.tmux.plugins.module_utils._actions.create import CreateError, Creator, NewSession
from ansible_collections.fleet.tmux.plugins.module_utils._actions.restore import SavedPane, SavedWindow
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.exits import exits
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session
from ansible_collections.fleet.tmux.tests.support.births import LastWords, one_ends
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.support.world import World

ROOT = os.geteuid() == 0
WAIT = "read line"


def new_session(name: str = "work", **more: Any) -> NewSession:
    made = NewSession(name, None, ("sh", "-c", WAIT), "/", (), None, None, None)
    return made._replace(**more)


def creator(world: World) -> Creator:
    return Creator(world.client(), ROOT)


def create(world: World, new: NewSession) -> Session:
    """Make one session as a run does; the session."""
    maker = creator(world)
    assert maker.create(new)
    assert maker.settle() == {}
    (made,) = [session for session in world.listing().sessions if session.name == new.name]
    world.begun(made.id)
    return made


def words_of(pid: int) -> List[str]:
    return [os.fsdecode(word) for word in Path("/proc/%d/cmdline" % pid).read_bytes().split(b"\0")[:-1]]


def environment_of(pid: int) -> Dict[str, str]:
    items = Path("/proc/%d/environ" % pid).read_bytes().split(b"\0")[:-1]
    return dict(os.fsdecode(item).split("=", 1) for item in items)


def test_a_session_is_made_as_it_was_asked_for(server: World) -> None:
    folder = os.path.join(server.folder, "a #{pid} #(id) é")
    os.mkdir(folder)
    session = create(
        server, new_session("my #{name}, 'yes'", chdir=folder, width=123, height=45, window_name="one #{pid} | two;")
    )
    (window,) = session.windows
    (pane,) = window.panes
    assert (window.width, window.height, window.name) == (123, 45, "one #{pid} | two;")
    assert words_of(session.pids[0]) == ["sh", "-c", WAIT]
    assert os.readlink("/proc/%d/cwd" % session.pids[0]) == folder
    assert not pane.dead
    assert server.ids() == ["$0", session.id]


def test_a_directory_runs_no_command(server: World) -> None:
    folder = os.path.join(server.folder, "#(cd; touch ran)")
    os.mkdir(folder)
    for number in range(5):
        create(server, new_session("work %d" % number, chdir=folder))
    server.jobs_have_begun()
    assert not os.path.exists(os.path.join(server.folder, "ran"))


def test_the_placeholder_leaves_no_trace(server: World) -> None:
    server.tmux("set-option", "-g", "base-index", "5")
    session = create(server, new_session())
    assert [(window.number, len(window.panes)) for window in session.windows] == [(5, 1)]
    option = server.run("show-options", "-wv", "-t", session.id + ":", "remain-on-exit").stdout
    assert option.strip() in (b"", b"off"), "a pane must go when its command ends"
    os.kill(session.pids[0], 9)
    eventually(lambda: server.reap() and session.id not in server.ids(), "the session ends with its command")


NAMES = [
    "two words",
    "a;",
    "-x",
    "=x",
    "#{pid}",
    "##[x]",
    "#(true)",
    "a,b}{",
    "'\"`",
    "🙂é",
    "x" * 300,
    "~",
    "*",
    "%1",
    "@1",
]


def test_every_name_is_exactly_that_name(server: World) -> None:
    maker = creator(server)
    for name in NAMES:
        assert maker.create(new_session(name)), name
    assert maker.settle() == {}
    assert sorted(session.name for session in server.listing().sessions) == sorted(["first"] + NAMES)


@pytest.mark.parametrize("name", ["taken", "taken ", "x" * 300, "x" * 1000])
def test_a_name_that_somebody_took_meanwhile_is_not_made_twice(shared: World, name: str) -> None:
    identity = shared.new(name)
    try:
        assert creator(shared).create(new_session(name)) is None
        assert [session.id for session in shared.listing().sessions if session.name == name] == [identity]
    finally:
        shared.tmux("kill-session", "-t", identity)


def test_a_command_is_for_the_shell_of_the_user(server: World) -> None:
    session = create(server, new_session(command="exec sh -c 'read a' \"$0\" $((1 + 1)) ';' \"a;\" '#{pid}';", argv=()))
    assert eventually(
        lambda: [words for words in [words_of(session.pids[0])] if words[:3] == ["sh", "-c", "read a"]], "it runs"
    )[0][4:] == ["2", ";", "a;", "#{pid}"]


@pytest.mark.parametrize(
    "argv",
    [
        ("sh", "-c", "read line", "a b", "", ";", "x;", "\\;", "$HOME", "#{pid}", "~", "'", '"', "-x", "*"),
        ("sh", "-c", "read line", "trailing;"),
        ("cat", "-", "-"),
    ],
)
def test_words_are_run_as_they_are(shared: World, argv: Tuple[str, ...]) -> None:
    session = create(shared, new_session(argv=argv))
    try:
        assert words_of(session.pids[0]) == list(argv)
    finally:
        shared.tmux("kill-session", "-t", session.id)


@pytest.mark.parametrize("name", ["with space", "with;", "$HOME", "#{pid}", "-x"])
def test_a_single_word_is_a_program_and_no_shell_text(shared: World, name: str) -> None:
    program = Path(shared.folder) / name
    program.write_text("#!/bin/sh\nread line\n")
    program.chmod(0o755)
    session = create(shared, new_session(argv=(str(program),)))
    try:
        eventually(lambda: words_of(session.pids[0])[-1:] == [str(program)], "it runs")
    finally:
        shared.tmux("kill-session", "-t", session.id)


def test_without_a_command_there_is_a_shell(shared: World) -> None:
    session = create(shared, new_session(argv=()))
    try:
        assert not session.panes[0].dead
    finally:
        shared.tmux("kill-session", "-t", session.id)


# --- secrets

SECRET = "s3cret-" + "0123456789"


def seen_in_arguments(text: str) -> List[str]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if text.encode() in (folder / "cmdline").read_bytes():
                    found.append(folder.name)
            except OSError:
                continue
    return found


class Watching(Creator):
    """Notes what every process shows in its arguments, whenever the server is called."""

    def watch(self) -> List[str]:
        seen: List[str] = []
        call = self._client.call

        def watched(commands: Any, stdin: bytes = b"", work: int = 0, limit: Optional[int] = None) -> bytes:
            listed = [list(command) for command in commands]
            seen.extend(word for command in listed for word in command if SECRET in word)
            out = call(listed, stdin, work, limit)
            seen.extend(seen_in_arguments(SECRET))
            return out

        self._client.call = watched  # type: ignore[method-assign]
        return seen


def test_an_environment_is_in_no_arguments_and_in_no_other_session(server: World) -> None:
    values = {
        "TOKEN": SECRET,
        "EMPTY": "",
        "ODD": "a 'b' \"c\" $HOME ${x} #{pid} #(id) \\n \\ ; {} ~ % é",
        "HOME_LIKE": "~/x",
        "LINES_OF_TEXT": "one\ntwo\n\n%if 1\n# three",
        "LAST": "x;",
        "BACKSLASH": "x\\;",
        "DASH": "-g",
    }
    maker = Watching(server.client(), ROOT)
    seen = maker.watch()
    assert maker.create(new_session(env=tuple(sorted(values.items()))))
    assert maker.settle() == {}
    assert seen == []
    (session,) = [one for one in server.listing().sessions if one.name == "work"]
    server.begun(session.id)
    held = environment_of(session.pids[0])
    assert {name: held.get(name) for name in values} == values
    assert SECRET not in server.tmux("show-environment", "-g")
    assert SECRET not in "".join(environment_of(server.pid()).values())
    other = create(server, new_session("other"))
    assert not set(values) & set(environment_of(other.pids[0]))
    leftover = [path for path in Path("/tmp").glob("fleet-tmux-*") if _mine_with(path, SECRET)]
    assert leftover == []


def _mine_with(path: Path, text: str) -> bool:
    try:
        return path.stat().st_uid == os.geteuid() and text in path.read_text()
    except (OSError, UnicodeDecodeError):
        return False


def test_a_later_window_of_the_session_has_the_environment_too(server: World) -> None:
    session = create(server, new_session(env=(("TOKEN", SECRET),)))
    server.tmux("new-window", "-d", "-t", session.id + ":7", "-n", "later", "read line")
    pid = server.session(session.id).windows[1].panes[0].pid
    assert pid is not None
    eventually(lambda: words_of(pid)[-1:] == ["read line"], "it runs")
    assert environment_of(pid)["TOKEN"] == SECRET


# --- what does not stay


@pytest.mark.parametrize("env", [(), (("TOKEN", "x"),)])
def test_a_command_that_ends_at_once_is_told_with_its_last_words(
    server: World, env: Tuple[Tuple[str, str], ...]
) -> None:
    spoken = LastWords(server, "echo first; echo no such thing >&2", "no such thing")
    maker = creator(server)
    assert maker.create(new_session("bad", argv=("sh", "-c", spoken.command), env=env))
    assert maker.create(new_session("good"))
    spoken.hear()
    problems = maker.settle()
    assert list(problems) == ["bad"]
    assert "exit status 3" in problems["bad"]
    assert "first | no such thing" in problems["bad"]
    assert sorted(session.name for session in server.listing().sessions) == ["first", "good"]


def test_a_program_that_is_not_there_is_told(server: World) -> None:
    for argv in (("/no/such/program",), ("/no/such/program", "x")):
        maker = creator(server)
        maker.create(new_session("bad", argv=argv))
        one_ends(server)
        assert list(maker.settle()) == ["bad"]
        assert server.ids() == ["$0"]


def test_a_server_that_destroys_what_is_unattached_is_told(absent: World) -> None:
    Path(absent.folder, ".tmux.conf").write_text("set -g destroy-unattached on\n")
    maker = creator(absent)
    try:
        maker.create(new_session())
        problems = list(maker.settle().values())
    except CreateError as error:
        problems = [str(error)]
    assert "destroy-unattached" in problems[0]


def test_a_session_that_keeps_dead_panes_may_end_at_once(server: World) -> None:
    server.tmux("set-option", "-g", "remain-on-exit", "on")
    maker = creator(server)
    assert maker.create(new_session("quick", argv=("sh", "-c", "exit 3")))
    assert maker.settle() == {}
    (session,) = [one for one in server.listing().sessions if one.name == "quick"]
    eventually(lambda: server.reap() and server.session(session.id).panes[0].status == 3, "it has ended, and stays")


@pytest.mark.parametrize("words", [("true",), ("sh", "-c", "exit 3"), ("sh", "-c", "sleep 0.1; exit 3")])
def test_what_ends_at_once_is_kept_where_that_was_asked_for(server: World, words: Tuple[str, ...]) -> None:
    maker = creator(server)
    assert maker.create(new_session("quick", argv=words, keep_exited=True))
    assert maker.settle() == {}
    (session,) = [one for one in server.listing().sessions if one.name == "quick"]
    status = 0 if words == ("true",) else 3
    eventually(lambda: server.reap() and server.session(session.id).panes[0].status == status, "it stays, with that")


def test_panes_go_with_their_command_where_that_was_asked_for(server: World) -> None:
    server.tmux("set-option", "-g", "remain-on-exit", "on")
    session = create(server, new_session(keep_exited=False))
    os.kill(session.pids[0], 9)
    eventually(lambda: server.reap() and session.id not in server.ids(), "the session ends with its command")
    maker = creator(server)
    assert maker.create(new_session("quick", argv=("sh", "-c", "exit 3"), keep_exited=False))
    one_ends(server)
    assert "exit status 3" in maker.settle()["quick"]


def test_all_windows_of_a_snapshot_keep_what_exited(server: World) -> None:
    text = Path(server.folder, "text")
    text.write_text("before\n")
    pane = SavedPane(True, "/", "", str(text))
    windows = tuple(SavedWindow(number, "w", number == 1, "", 80, 24, (pane,)) for number in (1, 2))
    session = create(server, new_session(windows=windows, argv=(), keep_exited=True))
    assert {found.stays for pane, found in exits(server.client()).items() if pane != "%0"} == {True}
    assert len(session.windows) == 2


def test_the_first_session_starts_the_server(absent: World) -> None:
    Path(absent.folder, ".tmux.conf").write_text("set -g base-index 3\n")
    session = create(absent, new_session(env=(("TOKEN", SECRET),)))
    assert absent.ids() == [session.id]
    assert session.windows[0].number == 3, "the configuration of the user counts"
    assert environment_of(session.pids[0])["TOKEN"] == SECRET
    assert SECRET not in absent.tmux("show-environment", "-g")
    names = set(environment_of(absent.pid()))
    assert names == {"HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG"}


# --- where


def test_a_directory_must_be_one_that_the_owner_can_enter(tmp_path: Path) -> None:
    home = str(tmp_path)
    user = User("me", os.geteuid(), os.getegid(), home)
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("")
    assert creation.working_directory(None, user, ROOT) == home
    assert creation.working_directory("~", user, ROOT) == home
    assert creation.working_directory("~/there", user, ROOT) == home + "/there"
    assert creation.working_directory(home + "/there", user, ROOT) == home + "/there"
    assert creation.working_directory(None, user._replace(home=home + "/none"), ROOT) == "/"
    for path in (home + "/none", home + "/file", "~/none"):
        with pytest.raises(CreateError, match="create it first"):
            creation.working_directory(path, user, ROOT)
    for path in ("there", "~other/x", "", "./x"):
        with pytest.raises(CreateError, match="is not absolute"):
            creation.working_directory(path, user, ROOT)


def test_a_directory_that_only_root_may_enter_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    user = User("stranger", 54321 if ROOT else os.geteuid(), 54322, "/")
    closed.chmod(0o700 if ROOT else 0)
    try:
        with pytest.raises(CreateError):
            creation.working_directory(str(closed), user, ROOT)
    finally:
        closed.chmod(0o700)


@pytest.mark.parametrize(("argv", "named"), [((), True), (("sh", "-c", "exit 1"), False)])
def test_of_a_shell_that_runs_nothing_the_message_names_argv(server: World, argv: Tuple[str, ...], named: bool) -> None:
    client = server.client()
    client.account = client.account._replace(shell="/usr/sbin/nologin")
    server.tmux("set-option", "-g", "default-shell", "/bin/false")
    maker = Creator(client, ROOT)
    assert maker.create(new_session(argv=argv))
    one_ends(server)
    problem = maker.settle()["work"]
    assert "ended at once, with exit status 1" in problem and "; keep_exited=true keeps it" in problem
    assert ("nologin, the shell of tester, runs no command: give a program with argv" in problem) is named


def test_of_a_slow_configuration_the_message_names_timeout(absent: World) -> None:
    wait = Path(absent.folder, "wait")
    # It also ends with the folder, which is gone before it looks again.
    Path(absent.folder, ".tmux.conf").write_text("run-shell 'while [ -d %s ]; do sleep 0.1; done'\n" % wait)
    wait.mkdir()
    maker = Creator(absent.client(timeout=1.0), ROOT)
    try:
        with pytest.raises(CreateError, match=r"within 1 seconds; there was no server yet.*with timeout"):
            maker.create(new_session())
    finally:
        wait.rmdir()
