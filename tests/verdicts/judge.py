# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection, and what others do, make of the sessions of the corpus, held against what should be."""

import json
import os
import subprocess
import sys
import time
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.tests.attacks import realm
from ansible_collections.fleet.tmux.tests.support.namespaces import ROOT, Account
from ansible_collections.fleet.tmux.tests.support.programs import label
from ansible_collections.fleet.tmux.tests.verdicts import corpus
from ansible_collections.fleet.tmux.tests.verdicts.corpus import ABANDONED, IDLE, LIVE, OPEN, Row
from ansible_collections.fleet.tmux.tests.verdicts.stage import OWNERS, Place, Stage, hidden_processes

Key = Tuple[str, str]
"""Owner and name of a session."""
GOAL = 0.95
"""The share of what is abandoned that has to go."""
MODULE = "from ansible_collections.fleet.tmux.tests.support import run_module as r; r.AHEAD = 0; r.main(%r)"


class Verdict(NamedTuple):
    """What was said of a session."""

    removed: bool
    reason: str
    detail: str


class Judgement(NamedTuple):
    """What one way of cleaning would do, or has done."""

    way: str
    verdicts: Dict[Key, Verdict]
    seconds: float


class Count(NamedTuple):
    """``wrong``: live and removed, or abandoned and left."""

    live: int
    live_wrong: List[Key]
    abandoned: int
    abandoned_wrong: List[Key]


def expectations(rows: Sequence[Row], root: bool) -> Dict[Key, str]:
    """The verdict of each session, with those that come along."""
    expected = {(row.owner, name): row.expected(root) for row in rows for name in (row.name, *row.also)}
    expected.update({(row.owner, row.within): OPEN for row in rows if row.within})
    return expected


def count(judgement: Judgement, expected: Dict[Key, str]) -> Count:
    def of(verdict: str) -> List[Key]:
        return sorted(key for key, each in expected.items() if each == verdict)

    removed = {key for key, verdict in judgement.verdicts.items() if verdict.removed}
    live, abandoned = of(LIVE), of(ABANDONED)
    return Count(
        len(live),
        [key for key in live if key in removed],
        len(abandoned),
        [key for key in abandoned if key not in removed],
    )


# --- ways of cleaning -------------------------------------------------------------------------------------------------


def prune(way: str, root: bool, binary: str, check: bool = True, **params: Any) -> Judgement:
    """The module with its default policy, but for ``params``: once by root, or by each owner for himself."""
    settings = dict(
        {"idle": "%ds" % IDLE, "all_users": True, "executable": binary, "evidence_detail": "full"}, **params
    )
    settings.update(_ansible_check_mode=check, _ansible_remote_tmp="/tmp", _ansible_diff=False)
    begin = time.monotonic()
    runs = [(ROOT, False)] if root else [(account, name == corpus.HIDDEN) for name, account in OWNERS.items()]
    verdicts: Dict[Key, Verdict] = {}
    for account, hidden in runs:
        with hidden_processes(hidden):
            done = _module(account, settings)
        verdicts.update(_told(realm.judged(done)))
    return Judgement(way, verdicts, time.monotonic() - begin)


def _module(account: Account, settings: Dict[str, Any]) -> "subprocess.CompletedProcess[bytes]":
    ours = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", MODULE % "tmux_session_prune"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": settings}).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env=dict(realm.environment(account), **ours),
        preexec_fn=realm.become(account),
        check=False,
    )


def _told(result: Dict[str, Any]) -> Dict[Key, Verdict]:
    found = {}
    for where in ("removed", "marked", "kept", "not_done"):
        for item in result[where]:
            key = (item["owner"], item["name"])
            assert key not in found, "%s is told of twice" % (key,)
            found[key] = Verdict(where == "removed", item["reason"], item["detail"])
    for warning in result["warnings"]:
        if not warning.startswith("without root"):
            print("warning:", warning, flush=True)
    return found


def copied_script(stage: Stage) -> Judgement:
    """The script that people copy: whatever session_activity is older than that goes."""
    begin, now = time.monotonic(), time.time()
    verdicts = {}
    for name, account in OWNERS.items():
        for socket in sockets(stage, name):
            listed = listing(stage, name, socket, "#{session_activity} #{session_name}")
            for clock, session in (row.split(" ", 1) for row in listed):
                verdicts[(account.name, session)] = Verdict(now - int(clock) >= IDLE, "idle", "")
    return Judgement("the script people copy", verdicts, time.monotonic() - begin)


# --- what raw tmux shows ----------------------------------------------------------------------------------------------


def sockets(stage: Stage, owner: str) -> List[str]:
    folder = realm.default_directory(OWNERS[owner])
    return sorted(os.path.join(folder, name) for name in os.listdir(folder))


def listing(stage: Stage, owner: str, socket: str, form: str) -> List[str]:
    place = Place(stage, OWNERS[owner])
    done = place.run(stage.binary, "-u", "-S", socket, "list-sessions", "-F", form)
    return done.stdout.decode("utf-8", "surrogateescape").splitlines() if done.returncode == 0 else []


def there(stage: Stage) -> Set[Key]:
    """The sessions that raw tmux shows."""
    return {
        (OWNERS[owner].name, name)
        for owner in OWNERS
        for socket in sockets(stage, owner)
        for name in listing(stage, owner, socket, "#{session_name}")
    }


# --- the whole --------------------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What came of a run over the corpus."""

    right: str
    tmux: str
    rows: List[Row]
    judgements: List[Judgement]
    """The last one is the real run."""
    expected: Dict[Key, str]
    lied: List[Key]
    """Of which the result says something else than raw tmux."""
    setting_up: float

    @property
    def real(self) -> Judgement:
        return self.judgements[-1]


def run(binary: str, root: bool, rows: Sequence[Row] = tuple(corpus.ROWS)) -> Outcome:
    """Set the corpus up, let it be idle, and judge it in all ways; the last one is real."""
    begin = time.monotonic()
    with Stage(binary) as stage:
        troubles = stage.set_up(rows)
        assert not troubles, "\n".join("%s: %s" % one for one in sorted(troubles.items()))
        setting_up = time.monotonic() - begin
        time.sleep(IDLE + 3)
        before = there(stage)
        expected = expectations(rows, root)
        assert set(expected) <= before, "did not last: %s" % sorted(set(expected) - before)
        protect = ["attached", "busy", "keep", "stopped", "unsaved", "waiting"]
        judgements = [
            copied_script(stage),
            prune("check mode", root, binary),
            prune("`running` too", root, binary, protect=[*protect, "running"]),
            prune("`activity: input`", root, binary, activity="input"),
            prune("the default policy", root, binary, check=False),
        ]
        after = there(stage)
    real = judgements[-1].verdicts
    lied = sorted(key for key in expected if key not in real or real[key].removed == (key in after))
    return Outcome("root" if root else "user", label(binary), list(rows), judgements, expected, lied, setting_up)


def lines(outcome: Outcome) -> List[str]:
    """The outcome as text."""
    said = [
        "as %s, %s: %d sessions, set up in %.0f s"
        % (outcome.right, outcome.tmux, len(outcome.expected), outcome.setting_up)
    ]
    for judgement in outcome.judgements:
        counted = count(judgement, outcome.expected)
        said.append(
            "%-24s %3d of %d live removed, %3d of %d abandoned removed, %5.1f s"
            % (
                judgement.way,
                len(counted.live_wrong),
                counted.live,
                counted.abandoned - len(counted.abandoned_wrong),
                counted.abandoned,
                judgement.seconds,
            )
        )
    counted = count(outcome.real, outcome.expected)
    for title, keys in (
        ("live and removed", counted.live_wrong),
        ("abandoned and left", counted.abandoned_wrong),
        ("not counted", [key for key, verdict in outcome.expected.items() if verdict == OPEN]),
        ("the result lies", outcome.lied),
    ):
        said += ["%-18s %-28s %s" % (title, key[1], _said(outcome.real.verdicts.get(key))) for key in keys]
    return said


def summary(outcome: Outcome) -> Dict[str, Any]:
    """The outcome as the document needs it."""
    ways = []
    for judgement in outcome.judgements:
        found = count(judgement, outcome.expected)
        ways.append(
            {
                "way": judgement.way,
                "live": found.live,
                "live_removed": len(found.live_wrong),
                "abandoned": found.abandoned,
                "abandoned_removed": found.abandoned - len(found.abandoned_wrong),
            }
        )
    rows = {}
    for row in outcome.rows:
        said = outcome.real.verdicts.get((row.owner, row.name))
        rows[row.name] = {} if said is None else {"removed": said.removed, "reason": said.reason}
    return {"right": outcome.right, "tmux": outcome.tmux, "ways": ways, "rows": rows}


def store(outcome: Outcome, folder: str) -> None:
    """Write the outcome down for the document (document.py), if a folder is named."""
    if folder:
        path = os.path.join(folder, "%s-%s.json" % (outcome.tmux, outcome.right))
        with open(path, "w", encoding="utf-8") as stream:
            json.dump(summary(outcome), stream, indent=1)


def _said(verdict: Optional[Verdict]) -> str:
    return (
        "nothing" if verdict is None else "%s: %s" % ("removed" if verdict.removed else verdict.reason, verdict.detail)
    )


if __name__ == "__main__":
    chosen = [row for row in corpus.ROWS if not sys.argv[3:] or row.name in sys.argv[3:]]
    found = run(sys.argv[1], sys.argv[2] == "root", chosen)
    store(found, os.environ.get("VERDICTS_RESULTS", ""))
    print("\n".join(lines(found)))
