# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each option says what it means where it stands: `ansible-doc` sorts them by letter, so none goes on from another."""

import ast
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy import values
from ansible_collections.fleet.tmux.plugins.module_utils._policy.durations import duration

# Ansible brings it wherever documentation is read; where only modules run, there is none.
yaml = pytest.importorskip("yaml", reason="documentation is read on the controller, which has PyYAML")

ROOT = Path(__file__).resolve().parents[2]
Options = Dict[str, Dict[str, Any]]
GOES_ON = re.compile(r"(The same|Like|As|See|Also|Ditto|Such|Then|Else)\b")
"""How a sentence begins that goes on from another one."""
ELSEWHERE = re.compile(
    r"[Ww]ritten like|\b(as|see) (above|below)\b|the (option|one) (above|below|before)", re.IGNORECASE
)
DURATIONS = (duration, values._grace, values._patience, values._within_an_hour)
EXAMPLE = re.compile(r"\bduration\b.* like V\([0-9]+[wdhms]", re.DOTALL)


def documented(path: Path) -> Iterator[Options]:
    """The options in the documentation that a plugin, or a fragment of documentation, has."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            try:
                text = ast.literal_eval(node.value)
            except ValueError:
                continue
            if isinstance(text, str) and "\noptions:\n" in "\n" + text:
                yield yaml.safe_load(text)["options"]


def all_options() -> Iterator[Tuple[str, Options]]:
    for folder in ("modules", "doc_fragments", "filter", "callback"):
        for path in sorted((ROOT / "plugins" / folder).glob("*.py")):
            for options in documented(path):
                yield path.stem, options
    specs = yaml.safe_load((ROOT / "roles/tmux_cleanup/meta/argument_specs.yml").read_text(encoding="utf-8"))
    for name, entry_point in specs["argument_specs"].items():
        yield "tmux_cleanup " + name, entry_point["options"]


def described() -> Iterator[Tuple[str, str, List[str]]]:
    """Where an option stands, its name, and its paragraphs; so do options within options."""
    for place, options in all_options():
        for name, option in options.items():
            within: Options = option.get("suboptions") or option.get("options") or {}
            for inner, spec in [("", option), *within.items()]:
                text = spec["description"]
                yield place, ": ".join(filter(None, (name, inner))), [text] if isinstance(text, str) else text


def test_there_are_many() -> None:
    places = {place for place, _name, _text in described()}
    assert {"tmux_session", "tmux_session_prune", "cleanup_agree", "connection", "tmux_cleanup main"} <= places
    assert len(list(described())) > 100


def test_none_begins_by_going_on_from_another() -> None:
    assert [(place, name) for place, name, text in described() if GOES_ON.match(text[0])] == []


def test_none_leaves_it_to_another_how_it_is_written() -> None:
    assert [(place, name) for place, name, text in described() if ELSEWHERE.search(" ".join(text))] == []


def _is_duration(name: str) -> bool:
    option, _colon, inner = name.replace("tmux_cleanup_", "").partition(": ")
    if inner:
        return option == "protect_for" or (option, inner) == ("snapshot_keep", "age")
    return values.CHECKS.get(option) in DURATIONS


def test_each_duration_says_so_and_shows_one() -> None:
    found = [(place, name, EXAMPLE.search(" ".join(text))) for place, name, text in described() if _is_duration(name)]
    assert len(found) > 20
    assert [(place, name) for place, name, example in found if not example] == []
