# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes sessions by policy: look, judge, watch the candidates, remove, and tell of each what became of it."""

import time
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils import _proctable as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._census import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._model import Session, Unread
from ansible_collections.fleet.tmux.plugins.module_utils._policy import (
    Facts,
    Policy,
    Verdict,
    evidence,
    idle_seconds,
    judge,
)
from ansible_collections.fleet.tmux.plugins.module_utils._remove import Outcome, remove_unchanged
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import shown

WATCH_SECONDS = 1.0
"""How long candidates are watched for CPU time and I/O."""
_ENDING_SECONDS = 1.0

SHELLS = frozenset("sh bash dash ash zsh ksh mksh ksh93 fish csh tcsh rbash pwsh nu elvish xonsh".split())


EMPTY_RESULT: Dict[str, Any] = {
    "changed": False,
    "removed": [],
    "kept": [],
    "failures": [],
    "servers": [],
    "scope": "socket",
    "counts": {"looked_at": 0, "removed": 0, "kept": 0, "failures": 0, "not_matched": 0, "servers": 0},
    "freed": {"processes": 0, "bytes": 0},
}
"""The result before anything was looked at."""


class Case(NamedTuple):
    """A session that was looked at, what was decided, and its processes at that moment."""

    seen: Seen
    session: Session
    verdict: Verdict
    processes: Tuple[proctable.Process, ...]
    evidence: Dict[str, Any]


class Judged(NamedTuple):
    """All sessions that were looked at. ``ignored``: how many the patterns left out."""

    cases: List[Case]
    unread: List[Tuple[Seen, Unread]]
    ignored: int
    now: int

    @property
    def chosen(self) -> List[Case]:
        return [case for case in self.cases if case.verdict.remove]


def judge_all(seen: Sequence[Seen], rules: Policy) -> Judged:
    """Judge every session of every server; the ones to be removed have been watched, if ``busy`` protects."""
    now = int(time.time())
    table = proctable.read_table()
    cases = []
    ignored = 0
    for one in seen:
        for session in one.listing.sessions:
            if rules.looks_at(session.name):
                cases.append(_case(one, session, rules, now, table))
            else:
                ignored += 1
    unread = [(one, lost) for one in seen for lost in one.listing.unread]
    return Judged(_watch(cases) if "busy" in rules.protect else cases, unread, ignored, now)


def _case(one: Seen, session: Session, rules: Policy, now: int, table: proctable.Table) -> Case:
    processes = tuple(proctable.belonging_to(table, session.pids))
    verdict = judge(session, rules, now, facts(session, processes))
    return Case(one, session, verdict, processes, evidence(session))


def facts(session: Session, processes: Sequence[proctable.Process]) -> Facts:
    """Whether some pane runs more than its own shell."""
    seen = {process.pid for process in processes}
    if any(pid not in seen for pid in session.pids):
        return Facts(None, False)
    own = set(session.pids)
    others = [process for process in processes if process.pid not in own or process.command.lstrip("-") not in SHELLS]
    return Facts(shown(others[0].command) if others else None)


def _watch(cases: List[Case]) -> List[Case]:
    candidates = [case for case in cases if case.verdict.remove and case.session.pids]
    if not candidates:
        return cases
    before = {id(case): proctable.usage(case.processes) for case in candidates}
    proctable.wait(WATCH_SECONDS)
    table = proctable.read_table()
    return [_watched(case, before[id(case)], table) if id(case) in before else case for case in cases]


def _watched(case: Case, before: proctable.Usage, table: proctable.Table) -> Case:
    processes = tuple(proctable.belonging_to(table, case.session.pids))
    ticks, calls = proctable.worked_between(before, proctable.usage(processes))
    noted = dict(case.evidence, watched_seconds=WATCH_SECONDS, cpu_ticks=ticks, io_calls=calls)
    verdict = case.verdict
    if ticks or calls:
        detail = "in %g s its processes used %d CPU ticks and made %d reads, writes or forks" % (
            WATCH_SECONDS,
            ticks,
            calls,
        )
        verdict = Verdict(False, "busy", detail)
    return case._replace(verdict=verdict, processes=processes, evidence=noted)


class Report:
    """What a run found and did, in the shape of the module's result: every session is in it exactly once."""

    def __init__(self, judged: Judged, seen: Sequence[Seen], rules: Policy) -> None:
        self._judged = judged
        self._rules = rules
        self._seen = seen
        self._outcomes: Dict[int, Outcome] = {}
        self._freed = {"processes": 0, "bytes": 0}

    def plan(self) -> None:
        """Take the plan for done, as check mode does."""
        for case in self._judged.chosen:
            self._outcomes[id(case)] = Outcome("removed")
        self._freed = _sizes(self._of("removed"), ())

    def apply(self) -> None:
        """Carry the plan out, server by server: what goes wrong on one does not stop the others."""
        for one in self._seen:
            cases = [case for case in self._judged.chosen if case.seen is one]
            try:
                outcomes = remove_unchanged(one.client, one.listing.version, [case.session for case in cases]).outcomes
            except Exception as error:
                # A defect of ours, met on one server, must neither stop the others nor lose what they gave.
                outcomes = {case.session.id: Outcome("failed", "unexpected: %r" % error) for case in cases}
            self._outcomes.update((id(case), outcomes[case.session.id]) for case in cases)
        self._freed = _sizes(self._of("removed"), _left(self._of("removed")))

    def _of(self, result: str) -> List[Case]:
        return [case for case in self._judged.chosen if self._outcomes[id(case)].result == result]

    def result(self) -> Dict[str, Any]:
        removed = [self._item(case) for case in self._of("removed")]
        failures = [self._item(case, self._outcomes[id(case)].detail, "failed") for case in self._of("failed")]
        kept = [self._item(case) for case in self._judged.cases if not case.verdict.remove]
        for result in ("changed", "vanished"):
            kept += [self._item(case, self._outcomes[id(case)].detail, result) for case in self._of(result)]
        kept += [_unread_item(one, lost) for one, lost in self._judged.unread]
        everything = removed + failures + kept
        return {
            "changed": bool(removed),
            "removed": _sorted(removed),
            "kept": _sorted(kept),
            "failures": _sorted(failures),
            "servers": [one.server.as_dict() for one in self._seen],
            "counts": {
                "looked_at": len(everything),
                "removed": len(removed),
                "kept": len(kept),
                "failures": len(failures),
                "not_matched": self._judged.ignored,
                "servers": len(self._seen),
            },
            "freed": self._freed,
        }

    def diff(self) -> Dict[str, Dict[str, List[str]]]:
        """Sorted lists of all sessions looked at, before and after."""
        gone = {id(case) for result in ("removed", "vanished") for case in self._of(result)}
        lines = {id(case): _line(case) for case in self._judged.cases}
        before = sorted(lines.values())
        return {
            "before": {"sessions": before},
            "after": {"sessions": sorted(line for key, line in lines.items() if key not in gone)},
        }

    def _item(self, case: Case, detail: Optional[str] = None, reason: Optional[str] = None) -> Dict[str, Any]:
        return {
            "name": shown(case.session.name),
            "id": case.session.id,
            "owner": shown(case.seen.server.user.name),
            "socket": shown(case.seen.server.socket),
            "reason": reason or case.verdict.reason,
            "detail": detail or shown(case.verdict.detail),
            "idle": idle_seconds(case.session, self._rules.activity, self._judged.now),
            "evidence": dict(case.evidence, keep=shown(case.session.keep)),
        }


def _unread_item(one: Seen, lost: Unread) -> Dict[str, Any]:
    return {
        "name": shown(lost.name),
        "id": shown(lost.id),
        "owner": shown(one.server.user.name),
        "socket": shown(one.server.socket),
        "reason": "unknown",
        "detail": shown(lost.reason),
        "idle": None,
        "evidence": {},
    }


def _line(case: Case) -> str:
    server = case.seen.server
    return "%s %s %s" % (shown(server.user.name), shown(server.socket), shown(case.session.name))


def _sorted(items: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    return sorted(items, key=lambda item: (item["owner"], item["socket"], item["name"], item["id"]))


def _left(cases: Sequence[Case]) -> Tuple[proctable.Process, ...]:
    """Processes of removed sessions that are still there, when they have had a moment to end."""
    deadline = time.monotonic() + _ENDING_SECONDS
    left = tuple(process for case in cases for process in case.processes)
    while left:
        left = tuple(process for process in left if _lives(process))
        if not left or time.monotonic() >= deadline:
            break
        proctable.wait(0.02)
    return left


def _lives(process: proctable.Process) -> bool:
    now = proctable.read_process(process.pid)
    return now is not None and now.started == process.started and now.alive


def _sizes(cases: Sequence[Case], left: Sequence[proctable.Process]) -> Dict[str, int]:
    stay = {(process.pid, process.started) for process in left}
    ended = {(process.pid, process.started): process.rss for case in cases for process in case.processes}
    gone = [rss for who, rss in ended.items() if who not in stay]
    return {"processes": len(gone), "bytes": sum(gone)}
