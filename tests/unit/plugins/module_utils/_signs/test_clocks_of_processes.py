# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clocks of processes and of their files, read of real processes."""

import os
import pwd
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Iterator, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes, read_process
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._signs.files import files
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import SHOWS, WORKS, Actor, Cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import Refused, Scene
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import KINDS, Sign
from ansible_collections.fleet.tmux.plugins.module_utils._signs.starts import starts
from ansible_collections.fleet.tmux.tests.support.sessions import NOW, session

Start = Callable[[str], Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program of Python's that does something, says so, and waits."""
    begun: List["subprocess.Popen[bytes]"] = []

    def one(code: str) -> Process:
        words = [sys.executable, "-c", code + "; print('ready', flush=True); input()"]
        made = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=str(tmp_path))
        begun.append(made)
        assert made.stdout is not None and made.stdout.readline() == b"ready\n"
        found = read_process(made.pid)
        assert found is not None
        return found

    yield one
    for each in begun:
        each.kill()
        each.communicate()


def scene() -> Scene:
    account = pwd.getpwuid(os.getuid())
    return Scene(Processes({}), User(account.pw_name, account.pw_uid, account.pw_gid))


def cast(*actors: Tuple[Process, str]) -> Cast:
    return Cast(session(), tuple(Actor(process, role) for process, role in actors))


def test_the_newest_file_that_is_held_open_for_writing_counts(start: Start, tmp_path: Path) -> None:
    older, newer, read = (tmp_path / name for name in ("older", "newer", "read"))
    read.write_text("something")
    process = start("a, b, c = open('older', 'w'), open('newer', 'a'), open('read')")
    os.utime(str(older), (NOW - 500, NOW - 500))
    os.utime(str(newer), (NOW - 300, NOW - 300))
    for at in (NOW - 300, NOW - 100):
        os.utime(str(newer), (at, at))
        (found,) = files(cast((process, WORKS)), scene())
        assert (found.kind, found.at, found.full) == ("wrote", min(at, int(time.time())), "wrote newer")
        assert "newer" not in found.said(True, NOW) and "newer" in found.said(False, NOW)


def test_what_does_not_count_shows_no_clock(start: Start) -> None:
    process = start("a = open('log', 'w')")
    assert list(files(cast((process, SHOWS)), scene())) == []
    assert list(starts(cast((process, SHOWS)), scene())) == []


def test_a_process_says_when_it_was_started(start: Start) -> None:
    before = int(time.time())
    process = start("pass")
    (found,) = starts(cast((process, WORKS)), scene())
    assert found.at is not None and before - 1 <= found.at <= time.time() + 1


def test_what_cannot_be_read_is_a_sign(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start("a = open('log', 'w')")
    there = scene()

    def refused(_path: object) -> List[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refused)
    (found,) = files(cast((process, WORKS)), there)
    assert (found.kind, found.at) == ("unknown", None) and "Permission denied" in found.what


def test_a_process_that_has_ended_shows_nothing(start: Start) -> None:
    process = start("pass")
    assert scene().files(process._replace(pid=4194304)) == []
    assert scene().words(process._replace(pid=4194304)) == ()


def test_for_which_descriptors_a_process_waits(start: Start) -> None:
    process = start("import select; a = select.epoll(); a.register(0, 1); a.register(1, 0)")
    there = scene()
    (held,) = (file for file in there.files(process) if file.link == "anon_inode:[eventpoll]")
    assert there.watched(process, held) == {0, 1}
    assert there.watched(process, held._replace(number=77)) == frozenset()
    assert not there.serves(process)


def test_who_listens_serves(start: Start) -> None:
    process = start("import socket; a = socket.socket(); a.bind(('127.0.0.1', 0)); a.listen(1)")
    assert scene().serves(process)


def test_what_a_process_has_written_to_disks_is_counted(start: Start, tmp_path: Path) -> None:
    """Not what it has read; and what others have written is not asked."""
    process = start("open('log', 'w').write('x' * 9000)")
    found = scene().stored(process)
    assert found is not None and (found == 0 or found >= 9000)  # In memory (a tmpfs), or on a disk.
    assert scene().stored(process._replace(started=-5)) is None


def test_a_file_without_a_name_any_more_is_told_by_its_last_one(start: Start) -> None:
    process = start("import os; a = open('part', 'w'); os.unlink('part')")
    (found,) = files(cast((process, WORKS)), scene())
    assert found.full == "wrote part"


def test_what_others_do_is_not_told_by_their_files(start: Start) -> None:
    assert list(files(cast((start("pass")._replace(started=-5), WORKS)), scene())) == []


def test_nobody_looks_into_the_processes_of_others(start: Start) -> None:
    process = start("pass")._replace(started=-5)
    with pytest.raises(Refused):
        scene().words(process)
    with pytest.raises(Refused):
        scene().files(process)


@pytest.mark.parametrize("kind", [kind.word for kind in KINDS])
def test_a_sign_in_words(kind: str) -> None:
    sign = Sign(kind, "wrote a file", "python3", NOW - 200, "wrote train.log")
    assert sign.said(False, NOW) == "wrote train.log 3m 20s ago (python3)"
    assert sign.said(True, NOW) == "wrote a file 3m 20s ago (python3)"
    assert sign._replace(at=NOW + 5).said(True, NOW) == "wrote a file just now (python3)"
    assert sign._replace(at=None, program="").said(True, NOW) == "wrote a file"
