# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes with a session is noted so that every tmux keeps it, and read only as we would write it."""

import re
from typing import Any, Dict

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.cleanups import (
    BYTES,
    FILES,
    NONE,
    Files,
    problem_of,
    read,
    wanted,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.errors import OptionError
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import SESSION, problems
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.text(st.characters(blacklist_categories=("Cc", "Cs")), min_size=1, max_size=50)
PATHS = NAMES.map(lambda name: "/" + name.strip("/") + "x")
PARAMS: Dict[str, Any] = dict(
    dict.fromkeys("argv chdir env height keep_exited log log_max_size options snapshot snapshot_owner width".split()),
    **dict.fromkeys("window_name windows socket_name socket_path snapshot_dir".split()),
    command="true",
    name=["job"],
    state="present",
    recreate="never",
    prune_windows=False,
    restore_commands=False,
    rerun=False,
    cleanup=None,
)


PANE: Dict[str, Any] = dict(dict.fromkeys("command argv chdir env title".split()), focus=False)


def wrong(**given: Any) -> str:
    return "; ".join(problems(dict(PARAMS, **given), SESSION))


LOGS = st.lists(st.lists(PATHS, min_size=1, max_size=2).map(tuple), max_size=3).map(tuple)


@given(st.builds(Files, LOGS, st.lists(PATHS, max_size=5).map(tuple)))
def test_what_is_written_is_read_again_and_is_plain_text(files: Files) -> None:
    text = files.written()
    assert read(text) == files and re.fullmatch(r"[A-Za-z0-9/._~+,@:%= -]*", text)


@pytest.mark.parametrize("path", ["/a b", "/$x", "/#(x)", "/%41", "/\\", '/"', "/'", "/;", "/é", "/=", "/\udcff"])
def test_each_path_is_kept_exactly(path: str) -> None:
    files = Files((), (path,))
    assert read(files.written()) == files


@pytest.mark.parametrize(
    "text",
    [
        *("", "1", "x", "2 file=/a", "1 file=a", "1 file=", "1 file=/a/", "1 file=/a%0A", "1 file=/a%00b"),
        *(
            "1 file=~/a",
            "1 older=/a",
            "1 file=/a older=/b",
            "1 log=/a older=/b older=/c",
            "1 other=/a",
            "1 /a",
            "1  file=/a",
            "1\tfile=/a",
            "1 file=/%1B[31m",
            "1 file=/a file=b",
        ),
        "1 file=/" + "a" * 4095,
        "1" + " file=/a" * (FILES + 1),
        "1 file=/" + "a" * 200000,
    ],
)
def test_what_we_would_not_write_is_nothing(text: str) -> None:
    assert read(text) == NONE


@given(st.text())
def test_whatever_is_there_it_names_nothing_but_files(text: str) -> None:
    for found in (read(text), read("1 " + text), read("1 file=/" + text)):
        assert all(path.startswith("/") and "\0" not in path and "\n" not in path for path in found.paths)


def test_what_an_option_says() -> None:
    assert wanted(None, ["/log"], ".1", "/home/a") is None
    assert wanted({"log": "keep", "files": []}, ["/log"], ".1", "/home/a") == NONE
    said = {"log": "remove", "files": ["~/a", "/b"]}
    assert wanted(said, ["~/log"], "", "/home/a") == Files((("/home/a/log",),), ("/home/a/a", "/b"))
    both = (("/home/a/log", "/home/a/log.1"), ("/x", "/x.1"))
    assert wanted(said, ["~/log", "/x"], ".1", "/home/a") == Files(both, ("/home/a/a", "/b"))
    with pytest.raises(OptionError, match="longer than what is noted"):
        wanted({"files": ["~/é"] * FILES}, [], "", "/" + "é" * 1000)


def test_a_path_is_one_path() -> None:
    assert Files((("/a", "/a.1"),), ("/b", "/a", "/b")).paths == ["/a", "/a.1", "/b"]
    assert (Files().words, Files((("/a",),), ("/b",)).words) == (None, "/a, /b")


def test_more_than_can_be_noted_is_refused() -> None:
    assert problem_of(["/a"] * FILES) == "" and problem_of(["/" + "a" * (BYTES - 1)]) == ""
    assert problem_of(["/a"] * (FILES + 1)) == "101 files; at most 100 can be given"
    assert "have 16002 bytes together, and at most 16000 are noted" in problem_of(["/" + "é" * 8000, "/"])


def test_what_is_refused_of_the_option() -> None:
    assert wrong(cleanup={"log": "keep", "files": ["~/a"]}) == ""
    assert wrong(state="completed", log="~/log", cleanup={"log": "remove", "files": []}) == ""
    assert "there is no log to remove; it needs log" in wrong(cleanup={"log": "remove", "files": []})
    windows = [dict(PANE, name=None, panes=None, layout=None, options=None, log="/a")]
    assert wrong(command=None, windows=windows, cleanup={"log": "remove", "files": []}) == ""
    assert "with cleanup it takes exactly one name" in wrong(name=["a", "b"], cleanup={"log": "keep", "files": ["/a"]})
    for path in ("a", "/a/", "/a\nb", "/a\udcff", "~a"):
        assert "cleanup: files: " in wrong(cleanup={"log": "keep", "files": [path]})
    absent = {"state": "absent", "command": None}
    assert "cleanup: only for state=present" in wrong(**absent, cleanup={"log": "keep", "files": ["/a"]})
    assert "rerun: only for state=completed" in wrong(rerun=True)
