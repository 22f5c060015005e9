# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The floors stand in CONTRIBUTING.md, from top to bottom, with the rooms of each; nothing imports upwards."""

import ast
import functools
import importlib
import re
import sys
from pathlib import Path
from typing import Dict, List, Set, Tuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
UTILS = ("plugins/plugin_utils", "plugins/module_utils")
"""The controller's stand above those of the host."""
PREFIX = "ansible_collections.fleet.tmux."


def drawn() -> Dict[str, List[str]]:
    """Each floor of the drawing with its rooms: `_tmux` has `model`, `client` and so on; a single file has none."""
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## The house")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith("| `_")]
    found: Dict[str, List[str]] = {}
    for row in rows:
        for floor in re.findall(r"`(_\w+)`", row[1]):
            found[floor] = re.findall(r"`(\w+)`", row[-2]) if len(row) > 4 else []
    return found


def built() -> Dict[str, List[str]]:
    found: Dict[str, List[str]] = {}
    for folder in UTILS:
        for path in (ROOT / folder).iterdir():
            if path.is_dir() and path.name != "__pycache__":
                found[path.name] = sorted(room.stem for room in path.glob("*.py") if room.stem != "__init__")
            elif path.suffix == ".py" and path.stem != "__init__":
                found[path.stem] = []
    return found


@functools.lru_cache(maxsize=None)
def sources() -> Dict[Tuple[str, str], Path]:
    """Every room by its floor and name (a floor that is one file has only itself)."""
    found = {}
    for folder in UTILS:
        for path in (ROOT / folder).rglob("*.py"):
            if path.stem != "__init__":
                parts = path.relative_to(ROOT / folder).with_suffix("").parts
                found[parts[0], parts[-1]] = path
    return found


def imported(path: Path) -> Set[Tuple[str, str]]:
    """The rooms that a file imports anything of."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PREFIX + "plugins."):
            parts = (node.module or "")[len(PREFIX) :].split(".")[2:]
            for alias in node.names:
                names = parts + [alias.name]
                found.add((names[0], names[1] if len(names) > 1 and (names[0], names[1]) in sources() else names[0]))
    return found


def test_the_drawing_shows_what_is_built() -> None:
    assert {floor: sorted(rooms) for floor, rooms in drawn().items()} == built()


def test_nothing_imports_from_a_floor_above() -> None:
    places = {floor: number for number, floor in enumerate(drawn())}
    upwards = {
        (path.name, other[0])
        for (floor, _room), path in sources().items()
        for other in imported(path)
        if places[other[0]] < places[floor]
    }
    assert upwards == set()


def test_rooms_of_a_floor_import_each_other_in_one_direction() -> None:
    arrows = {room: imported(path) & set(sources()) for room, path in sources().items()}
    open_: Set[Tuple[str, str]] = set()
    done: Set[Tuple[str, str]] = set()

    def visit(room: Tuple[str, str]) -> None:
        assert room not in open_, "imports go round at %s.%s" % room
        if room not in done:
            open_.add(room)
            for other in sorted(arrows[room] - {room}):
                visit(other)
            open_.remove(room)
            done.add(room)

    for room in sorted(arrows):
        visit(room)


def test_packages_are_marked_by_empty_files() -> None:
    for folder in UTILS:
        for package in (path for path in (ROOT / folder).iterdir() if path.is_dir() and path.name != "__pycache__"):
            assert (package / "__init__.py").read_bytes() == b"", "Ansible wants them empty"


# What each module needs of the three upper floors: all of it is sent to every host with every task.
TRAVELS = {
    "tmux_session_info": {
        "_modules": "bounds home info items options owners resources results",
        "_actions": "clients declaration evidence examine restore watch",
        "_policy": "attached cleanups clocks commands decide decisions durations errors guards keep notice patterns "
        "protections reasons rules values",
    },
    "tmux_session": {
        "_modules": "bounds home items job options results secret session session_hands session_wait single",
        "_actions": "add birth clean_up create declaration job_records journal log prune_windows reconcile remove "
        "remove_windows restore saved saving settle snapshot survivors wait windows",
        "_policy": "begun cleanups clocks commands decisions declared durations errors jobs keep layouts matching "
        "patterns plan recreate values",
    },
    "tmux_send_keys": {
        "_modules": "bounds items options results secret send_keys session_wait single",
        "_actions": "clean_up wait",
        "_policy": "cleanups clocks commands decisions durations errors patterns values",
    },
    "tmux_session_wait": {
        "_modules": "bounds items options results session_wait single",
        "_actions": "clean_up wait",
        "_policy": "cleanups clocks commands decisions durations errors patterns values",
    },
    "tmux_session_prune": {
        "_modules": "bounds items options owners prune prune_options prune_owners prune_result results telling",
        "_actions": "carry_out clean_up clients declaration evidence examine hands journal mail nested notices notify "
        "remember remove restore saved snapshot survivors texts veto watch",
        "_policy": "attached cleanups clocks commands decide decisions durations errors guards keep notice patterns "
        "protections reasons rules values",
    },
    "cleanup_agree": {},
    "cleanup_begin": {},
    "cleanup_merge": {},
    "cleanup_report": {},
    "cleanup_show": {},
    "top_show": {},
}


def packed(module: Path) -> Set[Tuple[str, str]]:
    """The rooms that Ansible packs with a module: what it imports, and what those import."""
    todo = [module]
    found: Set[Tuple[str, str]] = set()
    while todo:
        for room in imported(todo.pop()) & set(sources()) - found:
            found.add(room)
            todo.append(sources()[room])
    return found


def test_every_module_is_held_to_what_it_needs() -> None:
    assert {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")} == set(TRAVELS)


@pytest.mark.parametrize("name", sorted(TRAVELS))
def test_only_what_a_module_needs_travels(name: str) -> None:
    rooms = packed(ROOT / "plugins" / "modules" / (name + ".py"))
    carried = {floor: {room for at, room in rooms if at == floor} for floor in ("_modules", "_actions", "_policy")}
    assert {room for at, room in rooms if at == "_specs"} <= {name}
    assert carried == {floor: set(TRAVELS[name].get(floor, "").split()) for floor in carried}


@pytest.mark.skipif(sys.version_info < (3, 10), reason="only modules run on this Python, not Ansible itself")
def test_what_travels_is_what_ansible_packs() -> None:
    """Ansible reads the imports of a file as this test does."""
    common = importlib.import_module("ansible.executor.module_common")
    for path in [ROOT / "plugins" / "modules" / (name + ".py") for name in TRAVELS] + list(sources().values()):
        name = ".".join([*PREFIX.split("."), *path.relative_to(ROOT).with_suffix("").parts]).replace("..", ".")
        finder = common.ModuleDepFinder(name, ast.parse(path.read_text(encoding="utf-8")))
        asked = {parts[5:] for parts in finder.submodules if parts[:3] == ("ansible_collections", "fleet", "tmux")}
        assert {parts[:2] for parts in asked if parts[:2] in sources()} == {
            room for room in imported(path) if room in sources() and "module_utils" in sources()[room].parts
        }
