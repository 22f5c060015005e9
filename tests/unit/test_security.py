# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each promise in SECURITY.md names the tests that show it, and they are there."""

import ast
import re
from pathlib import Path
from typing import Dict, List, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PROMISES = TEXT.partition("\n## What is promised\n")[2].partition("\n## ")[0]
TEST = re.compile(r"  - `(tests/[\w/]+\.py)::(test_\w+)`")


class Promise(NamedTuple):
    """One item of the list: what is promised, and the lines below it."""

    text: str
    shown_by: List[str]


def promises(text: str) -> List[Promise]:
    found: List[Promise] = []
    for line in text.splitlines():
        if line.startswith("- "):
            found.append(Promise(line[2:], []))
        elif line.startswith("  - "):
            found[-1].shown_by.append(line)
        elif line.startswith("  "):
            assert not found[-1].shown_by, "tests stand below the whole promise: %s" % line
    return found


def functions(path: Path) -> List[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def missing(text: str) -> List[str]:
    """The tests of a text that are not there."""
    there: Dict[str, List[str]] = {}
    gone = []
    for file, name in re.findall(r"`(tests/[^`]*\.py)::(\w+)`", text):
        if file not in there:
            there[file] = functions(ROOT / file) if (ROOT / file).is_file() else []
        if name not in there[file]:
            gone.append("%s::%s" % (file, name))
    return gone


def test_each_promise_names_a_test() -> None:
    found = promises(PROMISES)
    assert len(found) > 20
    assert [promise.text for promise in found if not promise.shown_by] == []
    assert [line for promise in found for line in promise.shown_by if not TEST.fullmatch(line)] == []


def test_nothing_is_promised_outside_the_list() -> None:
    others = [line for line in PROMISES.splitlines() if line and not line.startswith(("- ", "  ", "### "))]
    assert others == [
        "Each promise is followed by the tests that show it; a unit test holds that there are such tests."
    ]


def test_each_test_that_is_named_is_there() -> None:
    assert missing(TEXT) == []


def test_a_test_that_is_gone_is_noticed() -> None:
    assert missing("`tests/unit/test_security.py::test_x` `tests/nowhere.py::test_y`") == [
        "tests/unit/test_security.py::test_x",
        "tests/nowhere.py::test_y",
    ]


def test_a_promise_without_a_test_is_noticed() -> None:
    assert promises("- one\n  two\n  - `tests/a.py::test_b`\n- three\n") == [
        Promise("one", ["  - `tests/a.py::test_b`"]),
        Promise("three", []),
    ]
