# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hosts return, in the shape of fleet.tmux.tmux_session_prune, and reports of it."""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional

import jsonschema
from ansible_collections.fleet.tmux.plugins.module_utils._policy.reasons import NOT_DUE
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Json, Run, report

ROOT = Path(__file__).resolve().parents[2]
SCHEMA: Dict[str, Any] = json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8"))
NOW = 1800000000
_VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
RUN = Run("7f9d3c52-0000-4000-8000-000000000001", "2027-01-15T08:00:00Z", "2027-01-15T08:01:30Z", False, "0.1.0")


def item(name: str, reason: str = "idle", owner: str = "alice", idle: Optional[int] = 100, **more: Any) -> Json:
    made: Json = {
        "name": name,
        "id": "$%s" % name,
        "identity": "4711/5/$1/6",
        "owner": owner,
        "socket": "/tmp/tmux-1000/default",
        "reason": reason,
        "detail": "%s, in words" % reason,
        "idle": idle,
        "evidence": {"created": NOW - 1000},
        "snapshot": None,
        "survivors": [],
        "lives_on": [],
        "freed": {"processes": 0, "bytes": 0},
    }
    return dict(made, **more)


def gone(name: str, processes: int = 2, size: int = 1000, **more: Any) -> Json:
    return item(name, freed={"processes": processes, "bytes": size}, **more)


def result(
    removed: Optional[List[Json]] = None,
    marked: Optional[List[Json]] = None,
    kept: Optional[List[Json]] = None,
    not_done: Optional[List[Json]] = None,
    not_matched: int = 0,
    **more: Any,
) -> Json:
    lists = {"removed": removed or [], "marked": marked or [], "kept": kept or [], "not_done": not_done or []}
    counts: Dict[str, int] = {key: len(items) for key, items in lists.items()}
    counts.update(looked_at=sum(counts.values()), not_matched=not_matched, servers=1)
    servers = [{"owner": "alice", "socket": "/tmp/tmux-1000/default", "status": "ok", "reason": "", "version": "3.3a"}]
    owners = owners_of(lists)
    made = {
        "owners": owners,
        "changed": bool(removed or marked),
        "counts": counts,
        "servers": servers,
        "scope": "host",
        "judged_at": NOW,
    }
    return dict(made, **lists, **more)


def owners_of(lists: Dict[str, List[Json]]) -> List[Json]:
    """What guards count of each owner."""
    found: Dict[str, Json] = {}
    for outcome, items in lists.items():
        for it in items:
            own = found.setdefault(str(it["owner"]), dict(_NOTHING, owner=it["owner"]))
            own["removals"] += outcome == "removed"
            own["unprotected"] += outcome in ("removed", "marked") or it["reason"] in NOT_DUE
    return [found[owner] for owner in sorted(found)]


_NOTHING: Json = {"removals": 0, "unprotected": 0, "over_limit": False, "message": ""}
SURVIVOR = {"pid": 7, "command": "make", "rss": 4096, "ports": [8080], "result": "reported"}
FLEET: Dict[str, Any] = {
    "web1": result(
        [gone("build-41", snapshot="/var/lib/fleet-tmux/alice/x", survivors=[SURVIVOR]), gone("b", 1, 50, owner="bob")],
        [item("soon", idle=5000)],
        [item("work", "attached", idle=9), item("irc", "attached", idle=70), item("notes", "keep", "bob", 4000)],
        [item("stuck", "error", "carol", 6000)],
        not_matched=2,
    ),
    "web2": result(),
    "db1": {"unreachable": True, "msg": "Failed to connect:\n  no route", "changed": False},
    "db2": {"failed": True, "msg": "tmux was not found", "changed": False},
    "db3": {},
}


def whole(results: Optional[Dict[str, Any]] = None, guard: Optional[Json] = None, **run: Any) -> Json:
    """A report that readers of the schema accept."""
    return valid(report(FLEET if results is None else results, RUN._replace(**run), guard))


def valid(made: Json) -> Json:
    _VALIDATOR.validate(made)
    return made


def host(made: Json, name: str) -> Json:
    (found,) = [it for it in made["hosts"] if it["host"] == name]
    return dict(found)


def fates(made: Json, name: str) -> Dict[str, str]:
    """What became of each session of a host, and why."""
    return {it["name"]: "%s: %s" % (it["outcome"], it["reason"]) for it in host(made, name)["sessions"]}
