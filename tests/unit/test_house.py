# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rooms stand in CONTRIBUTING.md, from top to bottom; nothing imports upwards."""

import re
from pathlib import Path
from typing import Dict, Set

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ROOT / "plugins" / "module_utils"
UPSTAIRS = ROOT / "plugins" / "plugin_utils"
"""The rooms of the controller, which stand above those of the host."""


def floors() -> Dict[str, int]:
    """The place of each room in the table: those in one row are neighbours, in their order."""
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## The house")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `_")]
    return {room: number for number, row in enumerate(rows) for room in re.findall(r"`(_\w+)`", row)}


def imported(room: str) -> Set[str]:
    (path,) = [folder / (room + ".py") for folder in (UPSTAIRS, ROOMS) if (folder / (room + ".py")).exists()]
    source = path.read_text(encoding="utf-8")
    return {one or other for one, other in re.findall(r"_utils\.(_\w+)|_utils import (_\w+)", source)}


def test_every_room_is_in_the_table() -> None:
    there = {path.stem for folder in (UPSTAIRS, ROOMS) for path in folder.glob("_*.py") if path.stem != "__init__"}
    assert set(floors()) == there


def test_no_room_imports_one_above_it() -> None:
    places = floors()
    upwards = {(room, other) for room in places for other in imported(room) if places[other] < places[room]}
    assert upwards == set()
