# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report, as what an action returns and as files in a directory of the controller."""

import datetime
import json
import os
from typing import Any, Callable, List, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.plugin_utils._audit import audit_lines
from ansible_collections.fleet.tmux.plugins.plugin_utils._files import Folder
from ansible_collections.fleet.tmux.plugins.plugin_utils._metrics import metrics
from ansible_collections.fleet.tmux.plugins.plugin_utils._page import page
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Json
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import PLAIN, Paper, table

AUDIT, REPORT, PAGE, METRICS = "audit.jsonl", "report.json", "report.html", "tmux_cleanup.prom"

# Names of sessions and commands are nobody's business but the admins'; metrics have none, and are read by an exporter.
_PRIVATE, _PUBLIC = 0o640, 0o644

Piece = Tuple[str, Callable[[], Any]]


class Unprepared(ValueError):
    """The directory cannot be written to."""


def now() -> str:
    """The time, as reports have it."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def prepare(path: Optional[str], first: Sequence[str] = (), name: str = "dir") -> None:
    """Find out before the run what would otherwise come to light after it.

    :param first: lines that are to be in the audit log before anything is removed.
    :param name: the option or variable that names the directory.
    :raises Unprepared: when no report could be written there, or those could not.
    """
    folder = _folder(path)
    if folder is None:
        return
    try:
        with folder:
            folder.prepare([AUDIT], [REPORT, PAGE, METRICS])
            if first:
                folder.append(AUDIT, first)
    except OSError as error:
        raise Unprepared(
            f"{name}: no report can be written there, so nothing was begun: {error}. Name a directory of the "
            "controller that you may write to, or none."
        )


def publish(made: Json, path: Optional[str], logged: bool = True, paper: Paper = PLAIN) -> Json:
    """What an action returns of a report, after it was written to the directory, if there is one.

    What was done is written down first. A failure of one piece costs no other, and comes with all the rest.

    :param logged: whether it goes into the audit log too. What a merged report is made of stands in those of its runs.
    :param paper: what the table is written for.
    """
    shown: Json = {
        "changed": False,
        "totals": made["totals"],
        "guard": made["guard"],
        "run": made["run"],
        "problems": [host["host"] for host in made["hosts"] if host["status"] != "ok" or host["counts"]["not_done"]],
        "files": [],
        "table": "The table could not be made.",
    }
    problems = [*_written(made, _folder(path), logged, shown["files"])]
    problems += _problem("table", lambda: shown.update(table=table(made, paper._replace(files=shown["files"]))))
    if problems:
        shown.update(failed=True, msg="dir: the report could not be written: %s" % "; ".join(problems))
    return shown


def _folder(path: Optional[str]) -> Optional[Folder]:
    return Folder(os.path.abspath(path)) if path else None


def _written(made: Json, folder: Optional[Folder], logged: bool, files: List[str]) -> List[str]:
    """Write all files, and say which could not be."""
    if folder is None:
        return []
    with folder as place:
        # Without it, each of the others would only say the same.
        return _problem("dir", place.prepare) or [
            problem for name, make in _pieces(made, place, logged, files) for problem in _problem(name, make)
        ]


def _pieces(made: Json, place: Folder, logged: bool, files: List[str]) -> List[Piece]:
    def text(name: str, make: Callable[[], str], mode: int) -> Piece:
        return name, lambda: files.append(place.write(name, make(), mode))

    log = (AUDIT, lambda: files.append(place.append(AUDIT, audit_lines(made))))
    return [
        *([log] if logged else []),
        text(REPORT, lambda: json.dumps(made, indent=1) + "\n", _PRIVATE),
        text(PAGE, lambda: page(made), _PRIVATE),
        text(METRICS, lambda: metrics(made, place.read(METRICS)), _PUBLIC),
    ]


def _problem(name: str, make: Callable[[], Any]) -> List[str]:
    try:
        make()
    except Exception as error:
        return [f"{name}: {error}"]
    return []
