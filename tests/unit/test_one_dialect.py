# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between versions of tmux, and what tmux says of errors, is known in one room each and nowhere else."""

import ast
import re
from pathlib import Path
from typing import Dict, Iterator, List

from ansible_collections.fleet.tmux.plugins.module_utils._tmux import dialect
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import Capability

UTILS = Path(dialect.__file__).parents[1]
ROOMS = sorted(path for path in UTILS.rglob("*.py") if path.parent.name != "_tmux" or path.stem != "dialect")


def _nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def _texts_of(node: ast.AST) -> List[ast.AST]:
    """What is searched or cut: the operands of a comparison, what a method is called on, what ``re`` is given."""
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.Attribute):
        return [node.value]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and ast.dump(node.func.value).count("'re'"):
        return list(node.args)
    return []


def _reads_a_message(node: ast.AST) -> bool:
    return any(
        isinstance(text, ast.Attribute) and text.attr in ("message", "stderr") and ast.dump(text.value).count("'error'")
        for text in _texts_of(node)
    )


def _elsewhere(room: str) -> List[Path]:
    return [path for path in ROOMS if str(path.relative_to(UTILS)) != room]


def test_no_other_room_compares_versions() -> None:
    found = [
        "%s:%d" % (path.relative_to(UTILS), node.lineno)
        for path in ROOMS
        for node in _nodes(path)
        if isinstance(node, ast.Attribute) and node.attr in ("at_least", "major", "minor", "letter")
        # os.major is a part of a device's number.
        if not (isinstance(node.value, ast.Name) and node.value.id == "os")
    ]
    assert found == []


def test_no_other_room_searches_in_what_tmux_says_of_an_error() -> None:
    found = [
        "%s:%d" % (path.relative_to(UTILS), getattr(node, "lineno", 0))
        for path in _elsewhere("_tmux/errors.py")
        for node in _nodes(path)
        if _reads_a_message(node)
    ]
    assert found == []


PHRASES = re.compile(
    "server running|error connecting|access not allowed|unsafe perm|version mismatch|too old|server exited|lost server"
    "|duplicate session|find session|find window|find pane|current target|pane is dead",
    re.IGNORECASE,
)


def test_no_other_room_knows_the_words_of_a_message() -> None:
    found: Dict[str, str] = {}
    for path in _elsewhere("_tmux/errors.py"):
        documentation = {
            ast.get_docstring(node, clean=False)
            for node in _nodes(path)
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        }
        for node in _nodes(path):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if text not in documentation and PHRASES.search(text):
                found["%s:%d" % (path.relative_to(UTILS), getattr(node, "lineno", 0))] = text
    assert found == {}


def test_every_capability_is_asked_for() -> None:
    asked = {
        node.attr
        for path in UTILS.rglob("*.py")
        for node in _nodes(path)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Capability"
    }
    assert asked == {capability.name for capability in Capability}
