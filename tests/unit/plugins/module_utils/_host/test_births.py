# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With what words and variables a process was begun is told as it is, or not at all."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import births
from ansible_collections.fleet.tmux.plugins.module_utils._host.births import Birth, birth_of
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, read_process
from ansible_collections.fleet.tmux.tests.support.waiting import eventually


@contextlib.contextmanager
def begun(env: Dict[str, str], *words: str) -> Iterator[Process]:
    """A process that has begun to run its own program, which says so."""
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            child.stdout.readline()
            process = read_process(child.pid)
            assert process is not None
            yield process
        finally:
            child.kill()


def birth(env: Dict[str, str], *words: str) -> Optional[Birth]:
    with begun(env, *words) as process:
        return birth_of(process, os.geteuid())


SAYS = "echo begun; read x"


def test_words_and_variables_are_told_as_they_are() -> None:
    env = {"A": "1\n2", "B": "", "C": "a=b;c", "E": "\u00e9"}
    found = birth(env, "sh", "-c", SAYS, "", "two words")
    assert found is not None and found.words == ("sh", "-c", SAYS, "", "two words")
    assert {name: found.variables[name] for name in env} == env and found.in_order
    assert not found.is_shells and os.path.isabs(found.program)


def test_a_program_is_called_otherwise_than_its_first_word() -> None:
    with begun({}, "bash", "-c", "echo begun; exec -a other sleep 1000") as process:
        eventually(lambda: (birth_of(process, os.geteuid()) or Birth(("",), {}, True, "")).words[0] == "other", "it is")
        found = birth_of(process, os.geteuid())
    assert found is not None and not found.is_programs


def test_what_a_shell_has_become_is_known_by_the_order_of_its_variables() -> None:
    env = dict.fromkeys("ABCDEFGH", "1")
    with begun(env, "bash", "-c", "echo begun; exec sleep 1000") as process:
        eventually(
            lambda: (birth_of(process, os.geteuid()) or Birth((), {}, True, "")).words[:1] == ("sleep",), "it is"
        )
        found = birth_of(process, os.geteuid())
    assert found is not None and not found.in_order and found.is_shells


def test_what_a_shell_notes_is_known_where_it_orders_its_variables() -> None:
    """So do ksh and mksh, which write their own number before it."""
    found = Birth(("cat",), {"A": "1", "_": "*4711*/usr/bin/cat"}, True, "/usr/bin/cat")
    assert found.is_shells and not found._replace(program="/usr/bin/dog").is_shells


BLANKED = """
import ctypes, sys
text = open("/proc/self/stat").read().rpartition(")")[2].split()
start, end = int(text[47]), int(text[48])
ctypes.memset(start + (0 if sys.argv[1] == "all" else 5), 0, end - start - (0 if sys.argv[1] == "all" else 10))
print("begun", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("part", ["all", "some"])
def test_variables_that_a_program_has_blanked_are_not_told(part: str) -> None:
    assert birth({"SECRET": "of-it", "SOME": "more"}, sys.executable, "-c", BLANKED, part) is None


def test_of_another_user_of_one_that_is_gone_and_of_too_much_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with begun({"A": "1"}, "sh", "-c", SAYS) as process:
        assert birth_of(process, os.geteuid() + 1) is None
        assert birth_of(process._replace(started=-1), os.geteuid()) is None
        monkeypatch.setattr(births, "_BYTES", 10)
        assert birth_of(process, os.geteuid()) is None
    assert birth_of(process, os.geteuid()) is None


def test_one_that_becomes_something_else_meanwhile_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter([b"sh\0", b"A=1\0", b"cat\0"])
    monkeypatch.setattr(births, "read_file", lambda *_: next(said))
    with begun({"A": "1"}, "sh", "-c", SAYS) as process:
        assert birth_of(process, os.geteuid()) is None
