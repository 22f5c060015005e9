# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of a cleanup, on the controller. What it takes and returns stands in plugins/modules/cleanup_report.py."""

import datetime
import glob
import json
import os
import uuid
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.action import ActionBase
from ansible_collections.fleet.tmux.plugins.plugin_utils._audit import audit_lines
from ansible_collections.fleet.tmux.plugins.plugin_utils._files import Folder
from ansible_collections.fleet.tmux.plugins.plugin_utils._metrics import metrics
from ansible_collections.fleet.tmux.plugins.plugin_utils._page import page
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Json, ReportError, Run, merged, report
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import table

OPTIONS: Dict[str, Dict[str, Any]] = {
    "results": {"type": "dict"},
    "variables": {"type": "list", "elements": "str"},
    "reports": {"type": "list", "elements": "path"},
    "check_mode": {"type": "bool", "default": False},
    "guard": {"type": "dict", "default": {}},
    "run": {"type": "dict", "default": {}},
    "policy": {"type": "dict"},
    "dir": {"type": "path"},
}

AUDIT, METRICS = "audit.jsonl", "tmux_cleanup.prom"
COLLECTION = Path(__file__).resolve().parents[2]

# Names of sessions and commands are nobody's business but the admins'; metrics have none, and are read by an exporter.
_PRIVATE, _PUBLIC = 0o640, 0o644


class ActionModule(ActionBase):
    """Nothing is sent to a host: this works on the controller, with what hosts have returned."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Dict[str, Any]] = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        exclusive = [("results", "variables", "reports")]
        _validation, options = ActionBase.validate_argument_spec(self, OPTIONS, mutually_exclusive=exclusive)
        folder = Folder(os.path.abspath(options["dir"])) if options["dir"] else None
        if options["variables"] is not None:
            options["results"] = _returned(task_vars or {}, options["variables"])
        try:
            if options["results"] is None and options["reports"] is None:
                return dict(result, changed=False, run=_begun(folder))
            made = _made(options)
        except (Unprepared, ReportError) as error:
            return dict(result, failed=True, msg=str(error))
        return dict(result, changed=False, **_told(made), **_shown(made, folder, logged=options["reports"] is None))


def _returned(task_vars: Mapping[str, Any], variables: List[str]) -> Json:
    """Of each host of the play, the first of these variables that has a result.

    A host that is not in the play any more has failed before this run: what it has is of an earlier one.
    """
    alive = set(task_vars["ansible_play_hosts"])
    hostvars = task_vars["hostvars"]
    return {
        host: _first(hostvars[host], variables) if host in alive else {} for host in task_vars["ansible_play_hosts_all"]
    }


def _first(found: Mapping[str, Any], variables: List[str]) -> Any:
    for name in variables:
        result = found.get(name)
        if isinstance(result, Mapping) and result and not result.get("skipped"):
            return result
    return {}


class Unprepared(ValueError):
    """The directory cannot be written to."""


def _begun(folder: Optional[Folder]) -> Json:
    """Find out before the run what would else come to light after it."""
    if folder is not None:
        try:
            folder.prepare(AUDIT)
        except OSError as error:
            raise Unprepared(
                "dir: no report can be written there, so nothing was begun: %s. Name a directory of the controller "
                "that you may write to, or none." % error
            )
    return {"id": str(uuid.uuid4()), "started": _now()}


def _made(options: Mapping[str, Any]) -> Json:
    run = options["run"]
    this = Run(
        id=str(run.get("id") or uuid.uuid4()),
        started=str(run["started"]) if run.get("started") else None,
        finished=_now(),
        check_mode=options["check_mode"],
        collection_version=_version(),
        policy=_plain(options["policy"]),
    )
    if options["reports"] is None:
        return report(options["results"], this, options["guard"])
    return _merged([_read(path) for path in _paths(options["reports"])], this)


def _plain(policy: Optional[Mapping[str, Any]]) -> Optional[Json]:
    """Values as JSON has them: what templates make of nothing is an empty text on the older ansible-core."""
    if policy is None:
        return None
    read: Json = json.loads(json.dumps(policy, default=str))
    return {name: None if value == "" else value for name, value in read.items()}


def _merged(reports: List[Mapping[str, Any]], this: Run) -> Json:
    try:
        return merged(reports, this)
    except ReportError as error:
        raise ReportError("reports: %s" % error)


def _paths(patterns: List[str]) -> List[str]:
    paths: Dict[str, None] = {}
    for pattern in patterns:
        found = sorted(glob.glob(pattern))
        if not found:
            raise ReportError("reports: there is no file %s" % pattern)
        paths.update(dict.fromkeys(found))
    return list(paths)


def _read(path: str) -> Mapping[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            read: Mapping[str, Any] = json.load(file)
    except (OSError, ValueError) as error:
        raise ReportError("reports: %s cannot be read: %s" % (path, error))
    return read


def _told(made: Json) -> Json:
    return {
        "totals": made["totals"],
        "guard": made["guard"],
        "run": made["run"],
        "problems": [it["host"] for it in made["hosts"] if it["status"] != "ok" or it["counts"]["failures"]],
    }


def _shown(made: Json, folder: Optional[Folder], logged: bool) -> Json:
    """The table, and the files that were written.

    What was done is written down first. A failure of one piece costs no other, and comes with all the rest.
    """
    pieces: List[Tuple[str, Callable[[], Any]]] = []
    files: List[str] = []
    shown: Json = {"files": files}
    if folder is not None:
        place = folder
        pieces += [("dir", place.prepare)]
        if logged:  # What a merged report is made of stands in the logs of its runs.
            pieces += [(AUDIT, lambda: files.append(place.append(AUDIT, audit_lines(made))))]
        pieces += [
            (
                "report.json",
                lambda: files.append(place.write("report.json", json.dumps(made, indent=1) + "\n", _PRIVATE)),
            ),
            ("report.html", lambda: files.append(place.write("report.html", page(made), _PRIVATE))),
            (METRICS, lambda: files.append(place.write(METRICS, metrics(made, place.read(METRICS)), _PUBLIC))),
        ]
    pieces += [("table", lambda: shown.update(table=table(made)))]
    problems = [problem for problem in (_problem(name, make) for name, make in pieces) if problem]
    shown.setdefault("table", "The table could not be made.")
    if problems:
        shown.update(failed=True, msg="dir: the report could not be written: %s" % "; ".join(problems))
    return shown


def _problem(name: str, make: Callable[[], Any]) -> str:
    try:
        make()
    except Exception as error:
        return "%s: %s" % (name, error)
    return ""


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _version() -> str:
    """The version of this collection, as installed or as checked out."""
    for name in ("MANIFEST.json", "galaxy.yml"):
        path = COLLECTION / name
        if path.is_file():
            read = yaml_load(path.read_text(encoding="utf-8"))
            return str(read.get("collection_info", read).get("version"))
    return "unknown"
