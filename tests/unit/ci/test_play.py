# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make cleanup` says when there is no cleanup, or half of one."""

import errno
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest

CI = Path(__file__).resolve().parents[3] / ".ci"


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module under test, which is no part of the collection."""
    monkeypatch.syspath_prepend(str(CI))
    yield importlib.import_module("play")
    for name in ("play", "asking", "environments"):
        sys.modules.pop(name, None)


# --- told to end ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("told", "signals"), [(False, ["SIGINT"]), (True, [])])
def test_who_was_not_told_to_end_by_the_same_key_is_told_at_once(play: Any, told: bool, signals: List[str]) -> None:
    """Ctrl-C reaches the command too, and a signal to us does not: until then it would go on."""
    over, said_over = os.pipe()

    class Command:
        sent: List[str] = []

        def send_signal(self, number: signal.Signals) -> None:
            self.sent.append(number.name)
            os.close(said_over)

    if told:
        os.close(said_over)
    assert play.asking._end(Command(), over, told) == 130
    assert Command.sent == signals
    os.close(over)


# --- broken off -------------------------------------------------------------------------------------------------------

LOG = "Each host's own log tells what was done there: journalctl -t fleet-tmux"
BEFORE = "Broken off before anything was changed on any host."


@pytest.mark.parametrize(
    ("lines", "looks_only", "said"),
    [
        (['["hosts", null]'], False, BEFORE),
        (['["hosts", 3]', '["begun", "a"]'], True, BEFORE),
        (
            ['["hosts", null]', '["hosts", 5]', '["begun", "a"]', '["begun", "b"]', '["done", "a"]', '["begun", "c"'],
            False,
            "Broken off: 1 of 5 hosts done, 1 unknown, 3 not begun. " + LOG,
        ),
        (['["begun", "a"]', '["done", "a"]'], False, "Broken off: 1 of 1 hosts done, 0 unknown, 0 not begun. " + LOG),
    ],
)
def test_one_line_says_what_is_known_of_a_run_that_was_broken_off(
    play: Any, lines: List[str], looks_only: bool, said: str
) -> None:
    whole = [line + ("\n" if line.endswith("]") else "") for line in lines]
    assert play.broken_off(play.asking.account(whole), looks_only) == said


def test_where_no_account_was_kept_nothing_is_claimed(play: Any) -> None:
    said = "Broken off: as far as is known here, before any host was begun with. " + LOG
    assert play.broken_off(None, False) == said


def test_it_finds_the_file_that_a_run_writes(play: Any) -> None:
    """Both ends have the name of their own, as neither can import the other."""
    from ansible_collections.fleet.tmux.plugins.plugin_utils import _account, _question

    assert (play.asking.ACCOUNT, play.asking.SOCKET) == (_account.FILE, _question.SOCKET)


# --- what make was told -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "playbook", "terminal", "asks"),
    [
        ({}, "cleanup", True, True),
        ({"YES": "0", "CHECK": ""}, "cleanup", True, True),
        ({}, "cleanup", False, False),
        ({}, "report", True, False),
        ({"YES": "1"}, "cleanup", True, False),
        ({"YES": "yes"}, "cleanup", True, False),
        ({"CHECK": "1"}, "cleanup", True, False),
    ],
)
def test_when_it_asks(
    play: Any, monkeypatch: pytest.MonkeyPatch, environ: Dict[str, str], playbook: str, terminal: bool, asks: bool
) -> None:
    monkeypatch.setattr(play.os, "isatty", lambda _fd: terminal)
    assert play._asks(playbook, environ) is asks


@pytest.mark.parametrize("environ", [{"YES": "perhaps"}, {"CHECK": "n"}, {"CHECK": "1", "YES": "-"}])
def test_what_is_neither_yes_nor_no_is_refused(play: Any, environ: Dict[str, str]) -> None:
    with pytest.raises(SystemExit, match="it takes 1 or 0"):
        play._asks("cleanup", environ)


@pytest.mark.parametrize(
    ("config", "environ", "said"),
    [
        ("", {}, "auto_silent"),
        ("[defaults]\ncallbacks_enabled = my.own\n", {}, "auto_silent"),
        ("[defaults]\ninterpreter_python = /usr/bin/python3.6\n", {}, None),
        ("", {"ANSIBLE_PYTHON_INTERPRETER": "auto"}, None),
    ],
)
def test_what_is_set_for_ansible_takes_nothing_from_the_configuration(
    play: Any, tmp_path: Path, config: str, environ: Dict[str, str], said: Optional[str]
) -> None:
    path = tmp_path / "ansible.cfg"
    path.write_text(config, encoding="utf-8")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "python").write_text('#!/bin/sh\nexec "%s" "$@"\n' % sys.executable, encoding="utf-8")
    (tools / "python").chmod(0o755)
    own = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    found = play.ours(str(tools), {**own, "LC_ALL": "C.UTF-8", "ANSIBLE_CONFIG": str(path), **environ})
    assert found.get("ANSIBLE_PYTHON_INTERPRETER") == said
    callbacks = (["my.own"] if "my.own" in config else []) + ["fleet.tmux.cleanup_progress"]
    assert found["ANSIBLE_CALLBACKS_ENABLED"] == ",".join(callbacks)


# --- the machine ------------------------------------------------------------------------------------------------------


@pytest.fixture
def environments(play: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    found = play.environments
    monkeypatch.setattr(found, "ROOT", tmp_path)
    monkeypatch.setattr(found, "CACHE", tmp_path / ".cache")
    monkeypatch.setattr(found.os, "getuid", lambda: 1000)
    return found


@pytest.mark.parametrize("below", ["", "venv", "collections/ansible_collections/fleet"])
def test_files_of_another_user_are_told_with_the_remedy(
    environments: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], below: str
) -> None:
    foreign = environments.CACHE / below
    foreign.mkdir(parents=True)
    # root may write everywhere, so that the tests cannot just make it so.
    monkeypatch.setattr(environments.os, "access", lambda path, _mode: Path(path) != foreign)
    assert environments.plainly(environments.require_cache) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "Cannot go on: %s belongs to another user. It can be made again, so remove it: sudo rm -rf %s" % (
        foreign,
        environments.CACHE,
    )


def test_in_the_checkout_of_another_user_a_clone_helps(environments: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments.os, "access", lambda _path, _mode: False)
    refused = PermissionError(errno.EACCES, "Permission denied", str(environments.CACHE))
    assert environments.said_of(refused).endswith("belongs to another user. Work in a clone of your own.")
    monkeypatch.setattr(environments.os, "getuid", lambda: 0)
    assert environments.said_of(refused).endswith("cannot be written to. Work in a clone elsewhere.")


def test_no_error_of_the_system_and_no_interrupt_is_a_traceback(
    environments: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def full() -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/somewhere")

    def broken_off() -> int:
        raise KeyboardInterrupt

    assert environments.plainly(full) == 1
    assert "No space left on device: '/somewhere'" in capsys.readouterr().err
    assert environments.plainly(broken_off) == 130
    assert environments.plainly(lambda: None) == 0


def test_what_is_no_command_line_is_refused(environments: Any) -> None:
    assert environments.words({"ARGS": "-e 'a b=c'"}, "ARGS") == ["-e", "a b=c"]
    with pytest.raises(SystemExit, match="ARGS=-e 'a: No closing quotation"):
        environments.words({"ARGS": "-e 'a"}, "ARGS")


def test_to_clean_up_needs_no_tmux_and_installs_none(tmp_path: Path) -> None:
    for name, target in (("python3", sys.executable), ("bash", "/bin/bash")):
        program = tmp_path / name
        program.write_text('#!/bin/bash\nexec "%s" "$@"\n' % target, encoding="utf-8")
        program.chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", str(CI / "setup-system"), "play"],
        env={"PATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, b"")


PLAN = """
import os, socket, time
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect(os.environ["FLEET_TMUX_CLEANUP_ASK"])
    asked.sendall(b"plan")
    asked.shutdown(socket.SHUT_WR)
    asked.recv(1)
    time.sleep(1000)
"""


def test_where_nobody_can_be_asked_any_more_the_run_ends(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The output was read by a program that has ended."""
    started: List[Any] = []
    popen = subprocess.Popen

    def start(*words: Any, **how: Any) -> Any:
        started.append(popen(*words, **how))
        return started[0]

    def broken(_text: str, _over: int) -> bool:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(play.asking, "_agreed", broken)
    monkeypatch.setattr(play.asking.subprocess, "Popen", start)
    with pytest.raises(BrokenPipeError):
        play.asking.run([sys.executable, "-c", PLAN], os.environ, True)
    assert started[0].poll() is not None


@pytest.mark.parametrize(
    ("said", "tries"),
    [
        ("NewConnectionError: Temporary failure in name resolution", 1),
        ("[Errno 101] Network is unreachable", 1),
        ("error sending request: dns error", 1),
        ("ERROR: HTTP error 502", 2),
        ("Connection reset by peer", 2),
    ],
)
def test_without_a_network_there_is_one_try_and_one_sentence(
    environments: Any, monkeypatch: pytest.MonkeyPatch, said: str, tries: int
) -> None:
    tried: List[Tuple[str, ...]] = []

    def command(arguments: List[str], _environ: Optional[Dict[str, str]] = None) -> None:
        tried.append(tuple(arguments))
        raise RuntimeError("pip: exit status 1\n" + said)

    monkeypatch.setattr(environments, "command", command)
    with pytest.raises(RuntimeError) as caught:
        environments._patiently(["pip", "install"])
    assert len(tried) == tries
    assert ("no package index could be reached" in str(caught.value)) is (tries == 1)
    assert tries == 2 or "\n" not in str(caught.value)


# --- what is installed ------------------------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_installed_again(
    play: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, there = tmp_path / "checkout", tmp_path / "collections"
    (root / "plugins").mkdir(parents=True)
    (root / "galaxy.yml").write_text("version: 1\n", encoding="utf-8")
    module = root / "plugins" / "module.py"
    module.write_text("one\n", encoding="utf-8")
    manifest = there / "ansible_collections/fleet/tmux/MANIFEST.json"
    installed: List[str] = []

    def command(words: List[str], _environ: Dict[str, str]) -> None:
        installed.append(words[-1])
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text("{}", encoding="utf-8")

    monkeypatch.setattr(play, "COLLECTIONS", there)
    monkeypatch.setattr(play.environments, "ROOT", root)
    monkeypatch.setattr(play.environments, "command", command)
    for _time in range(2):
        play.install("/tools", {})
        assert installed == [str(root)]
    module.write_text("three\n", encoding="utf-8")
    play.install("/tools", {})
    manifest.unlink()
    play.install("/tools", {})
    (root / "plugins" / "new.py").write_text("", encoding="utf-8")
    play.install("/tools", {})
    play.install("/tools", {})
    assert len(installed) == 4
