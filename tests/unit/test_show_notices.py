# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role installs shows users each message once, on a terminal, and is silent about all that goes wrong."""

import fcntl
import os
import pty
import signal
import subprocess
import termios
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.notices import Message, written
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import MARKED
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

ROLE = Path(__file__).resolve().parents[2] / "roles" / "tmux_cleanup"
SCRIPT = str(ROLE / "files" / "show-notices")
LATER = int(time.time()) + 86400


class Desk:
    """A user, with a directory of messages and a home."""

    def __init__(self, folder: Path) -> None:
        self.notices = folder / "it's a place"
        self.home = folder / "home"
        self.notices.mkdir()
        self.home.mkdir()
        self.file = self.notices / str(os.geteuid())
        self.loginuid = folder / "loginuid"
        self.script = self.home / "show-notices"
        text = Path(SCRIPT).read_text(encoding="utf-8")
        # Who has logged in to run these tests must not decide.
        assert text.count("/proc/self/loginuid") == 1
        self.script.write_text(text.replace("/proc/self/loginuid", str(self.loginuid)), encoding="utf-8")
        self.memory = self.home / ".local/state/fleet-tmux/notices-shown"

    def leave(self, *messages: Message) -> None:
        """The newest comes first."""
        self.file.write_bytes(written(messages))

    def environment(self, **more: str) -> Dict[str, str]:
        return dict({"PATH": os.environ["PATH"], "HOME": str(self.home)}, **more)

    def show(self, shell: Optional[int] = None, terminal: bool = True, **env: str) -> List[str]:
        """What is shown, in lines."""
        words = ["/bin/sh", str(self.script), str(os.getpid() if shell is None else shell), str(self.notices)]
        return said(words, self.environment(**env), terminal)


def said(words: Sequence[str], env: Dict[str, str], terminal: bool = True) -> List[str]:
    """What a program says on a terminal; it must end well."""
    if not terminal:
        done = subprocess.run(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
        assert done.stderr == b""
        return done.stdout.decode("utf-8").splitlines()
    master, slave = pty.openpty()
    options: Dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), slave)
    options.update(env=env, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    with subprocess.Popen(words, **options) as process:
        os.close(slave)
        text = b""
        try:
            while True:
                text += os.read(master, 65536)
        except OSError:  # Linux says so when nobody has the terminal open any more.
            pass
        finally:
            os.close(master)
    assert process.returncode == 0, text
    return text.decode("utf-8").splitlines()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def message(number: int, *lines: str, until: int = LATER) -> Message:
    return Message(number, until, MARKED, "1/2/$%d/3" % number, lines or ("message %d" % number,))


def test_what_is_shown_in_a_session_to_which_nobody_is_attached_is_shown_again(desk: Desk, tmp_path: Path) -> None:
    """A script that makes a session with a login shell in it must not take a message away from whom it is for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "tmux").write_text('#!/bin/sh\n[ "$4" = %7 ] && echo "$ATTACHED"\n', encoding="utf-8")
    (folder / "tmux").chmod(0o755)
    path = "%s:%s" % (folder, os.environ["PATH"])

    def inside(attached: int) -> List[str]:
        return desk.show(TMUX="/nowhere/s,1,0", TMUX_PANE="%7", PATH=path, ATTACHED=str(attached))

    desk.leave(message(7))
    assert inside(attached=0) == ["message 7"]
    assert inside(attached=1) == ["message 7"]
    assert inside(attached=1) == []
    assert desk.show() == []


def test_each_message_is_shown_once(desk: Desk) -> None:
    desk.leave(message(7, "tmux set -t '$3' @keep on", "    keeps für, \\x1b and %s"), message(5))
    assert desk.show() == ["tmux set -t '$3' @keep on", "    keeps für, \\x1b and %s", "message 5"]
    assert desk.show() == []
    desk.leave(message(9), message(7), message(5))
    assert desk.show() == ["message 9"]
    assert desk.show() == []


def test_what_is_shown_is_remembered_for_the_user_alone(desk: Desk) -> None:
    desk.leave(message(7))
    assert desk.show(XDG_STATE_HOME=str(desk.home / "state")) == ["message 7"]
    assert not desk.memory.exists()
    path = desk.home / "state/fleet-tmux/notices-shown"
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700


def test_what_is_not_worth_telling_any_more_is_not_shown(desk: Desk) -> None:
    desk.leave(message(7, until=int(time.time()) - 10), message(5))
    assert desk.show() == ["message 5"]


def test_of_many_some_are_shown_and_the_rest_counted(desk: Desk) -> None:
    desk.leave(*(message(number) for number in range(20, 0, -1)))
    expected = ["message %d" % number for number in range(20, 14, -1)]
    assert desk.show() == [*expected, "and 14 more messages like these: cat %s" % desk.file]


def test_without_a_terminal_nothing_is_shown_and_all_is_shown_later(desk: Desk) -> None:
    desk.leave(message(7))
    assert desk.show(terminal=False) == []
    assert desk.show() == ["message 7"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"fleet-tmux 1\n",
        b"fleet-tmux 1 7 more\n@ 7 99999999999 marked -\n x\n",
        b"fleet-tmux 2 7\n@ 7 99999999999 marked -\n x\n",
        b"fleet-tmux 1 7;id\n@ 7 99999999999 marked -\n x\n",
        b"fleet-tmux 1 7\n@ $(id) 99999999999 marked -\n x\n",
        b"fleet-tmux 1 7\n@ 7 * marked -\n x\n",
        b"fleet-tmux 1 7777777777777777777777777\n@ 7777777777777777777777777 99999999999 marked -\n x\n",
        b"fleet-tmux 1 7\nx\n",
        b"\xff\xfe\n",
    ],
)
def test_what_is_no_such_file_shows_nothing(desk: Desk, data: bytes) -> None:
    desk.file.write_bytes(data)
    assert desk.show() == []


def test_no_file_and_no_directory_show_nothing(desk: Desk) -> None:
    assert desk.show() == []
    desk.file.mkdir()
    assert desk.show() == []
    desk.file.rmdir()
    desk.notices.rmdir()
    assert desk.show() == []
    assert not desk.memory.exists(), "nothing is made for who is told nothing"


@pytest.mark.parametrize("garbage", ["", "x y z", "99999999999999999999 - 0", "5", "5 1/1 x", "7 -\n7 -", "* * *"])
def test_a_memory_that_makes_no_sense_does_no_harm(desk: Desk, garbage: str) -> None:
    desk.leave(message(9))
    desk.memory.parent.mkdir(parents=True)
    desk.memory.write_text(garbage, encoding="utf-8")
    assert desk.show() == ["message 9"]
    assert desk.show() == []


def test_where_nothing_can_be_remembered_it_is_shown_all_the_same(desk: Desk) -> None:
    desk.leave(message(7))
    (desk.home / ".local").write_text("", encoding="utf-8")
    assert desk.show() == ["message 7"]
    assert desk.show(HOME="") == ["message 7"]
    assert not Path("/.local/state/fleet-tmux").exists() and not Path("/nonexistent").exists()


def test_what_a_shell_has_shown_that_became_tmux_is_shown_again_inside(desk: Desk) -> None:
    """The RHEL 8 STIG has every login become tmux: what was shown before is gone with the first screen of tmux."""
    program = desk.home / "tmux"
    program.symlink_to("/bin/sleep")
    desk.leave(message(7), message(5))
    with subprocess.Popen(["/bin/sh", "-c", 'read -r _; exec "$0" 600', str(program)], stdin=subprocess.PIPE) as shell:
        try:
            assert desk.show(shell.pid) == ["message 7", "message 5"]
            assert desk.show(TMUX="x") == [], "as long as it is a shell, it was seen"
            assert shell.stdin is not None
            shell.stdin.write(b"\n")
            shell.stdin.flush()
            eventually(lambda: Path("/proc/%d/comm" % shell.pid).read_text(encoding="utf-8") == "tmux\n", "it is tmux")
            assert desk.show() == [], "outside, nothing is shown twice"
            assert desk.show(TMUX="x") == ["message 7", "message 5"]
            assert desk.show(TMUX="x") == []
        finally:
            os.kill(shell.pid, signal.SIGKILL)


def test_whoever_has_become_the_user_takes_no_message_away(desk: Desk) -> None:
    """As an admin does with su: the login user id stays that of the admin."""
    desk.leave(message(7))
    desk.loginuid.write_text(str(os.geteuid() + 1), encoding="ascii")
    assert desk.show() == ["message 7"]
    desk.loginuid.write_text(str(os.geteuid()), encoding="ascii")
    assert desk.show() == ["message 7"]
    assert desk.show() == []


@pytest.mark.parametrize("known", ["4294967295", ""])
def test_where_nobody_knows_who_has_logged_in_it_is_the_user(desk: Desk, known: str) -> None:
    desk.leave(message(7))
    desk.loginuid.write_text(known, encoding="ascii")
    assert desk.show() == ["message 7"]
    assert desk.show() == []


def test_inside_tmux_what_is_new_is_shown_once(desk: Desk) -> None:
    desk.leave(message(7))
    assert desk.show(TMUX="x") == ["message 7"]
    assert desk.show(TMUX="x") == []
    assert desk.show() == []


# --- the line in profile.d --------------------------------------------------------------------------------------------


def profile(desk: Desk) -> Path:
    """The file as the role writes it."""
    text = (ROLE / "templates" / "profile.sh.j2").read_text(encoding="utf-8")
    before, _open, rest = text.partition("{{ ")
    _expression, _close, after = rest.partition(" }}")
    text = (before + "'%s'" % str(desk.notices).replace("'", "'\\''") + after).replace(
        "/etc/fleet-tmux/show-notices", str(desk.script)
    )
    path = desk.home / "profile.sh"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("options", ["", "set -eu; ", "set -C; ", "alias printf=false; "])
@pytest.mark.parametrize("shell", [["sh"], ["bash", "--norc"]], ids=["sh", "bash"])
def test_an_interactive_shell_shows_it_and_is_as_it_was(desk: Desk, shell: List[str], options: str) -> None:
    desk.leave(message(7))
    line = '%s. "%s"; echo "status $?"; set' % (options, profile(desk))
    found = said([*shell, "-ic", line], desk.environment(ENV="", PS1=""))
    assert found[:2] == ["message 7", "status 0"]
    names = {text.split("=")[0] for text in found if "=" in text}
    assert names & {"file", "memory", "seen", "shown", "newest", "me", "now", "most", "line"} == set()
    assert said([*shell, "-ic", '%s. "%s"; echo end' % (options, profile(desk))], desk.environment()) == ["end"]


def test_a_shell_that_is_not_interactive_shows_nothing(desk: Desk) -> None:
    desk.leave(message(7))
    assert said(["/bin/sh", "-c", 'set -eu; . "%s"; echo end' % profile(desk)], desk.environment()) == ["end"]


def test_where_the_program_is_gone_the_line_is_silent(desk: Desk) -> None:
    path = profile(desk)
    path.write_text(path.read_text(encoding="utf-8").replace(str(desk.script), "/nonexistent/show"), encoding="utf-8")
    assert said(["bash", "--norc", "-ic", 'set -e; . "%s"; echo end' % path], desk.environment())[-1:] == ["end"]
