# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sessions that were looked at, each with its processes and what was decided: look, judge, watch the candidates."""

import time
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils import _proctable as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._census import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._model import Session, Unread
from ansible_collections.fleet.tmux.plugins.module_utils._notice import Effort, effort, with_notice
from ansible_collections.fleet.tmux.plugins.module_utils._policy import Facts, Policy, Verdict, evidence, judge
from ansible_collections.fleet.tmux.plugins.module_utils._survivors import Census
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import shown

WATCH_SECONDS = 1.0
"""How long candidates are watched for CPU time and I/O."""

SHELLS = frozenset("sh bash dash ash zsh ksh mksh ksh93 fish csh tcsh rbash pwsh nu elvish xonsh".split())


class Case(NamedTuple):
    """A session that was looked at, what was decided, and its processes at that moment."""

    seen: Seen
    session: Session
    verdict: Verdict
    processes: Tuple[proctable.Process, ...]
    evidence: Dict[str, Any]

    @property
    def effort(self) -> Effort:
        return effort(self.processes)

    @property
    def identity(self) -> str:
        """Who it is on its host, as long as the host runs: server, start of the server, id, creation."""
        listing = self.seen.listing
        return "%s/%s/%s/%d" % (listing.pid, listing.start_time, self.session.id, self.session.created)

    @property
    def line(self) -> str:
        """The case in a diff."""
        server = self.seen.server
        return "%s %s %s" % (shown(server.user.name), shown(server.socket), shown(self.session.name))


class Judged(NamedTuple):
    """All sessions that were looked at. ``ignored``: how many the patterns left out."""

    cases: List[Case]
    unread: List[Tuple[Seen, Unread]]
    ignored: int
    now: int

    def acted(self, action: str) -> List[Case]:
        """The cases that were judged so."""
        return [case for case in self.cases if case.verdict.action == action]


def judge_all(seen: Sequence[Seen], rules: Policy, notice: Optional[int] = None) -> Judged:
    """Judge every session of every server; the ones to be removed have been watched, if ``busy`` protects."""
    now = int(time.time())
    census = Census()
    cases = []
    ignored = 0
    for one in seen:
        for session in one.listing.sessions:
            if rules.looks_at(session.name):
                cases.append(_case(one, session, rules, now, census))
            else:
                ignored += 1
    unread = [(one, lost) for one in seen for lost in one.listing.unread]
    if "busy" in rules.protect:
        cases = _watch(cases)
    decided = [_planned(_noticed(case, now, notice), rules.planned) for case in cases]
    return Judged(decided, unread, ignored, now)


def _case(one: Seen, session: Session, rules: Policy, now: int, census: Census) -> Case:
    processes = members(one, session, census)
    verdict = judge(session, rules, now, facts(session, processes))
    return Case(one, session, verdict, processes, evidence(session))


def members(one: Seen, session: Session, census: Census) -> Tuple[proctable.Process, ...]:
    """The processes of a session of a server."""
    return census.members(session, one.listing.pid, one.server.user.uid)


def facts(session: Session, processes: Sequence[proctable.Process]) -> Facts:
    """Whether some pane runs more than its own shell."""
    seen = {process.pid for process in processes}
    if any(pid not in seen for pid in session.pids):
        return Facts(None, False)
    own = set(session.pids)
    others = [process for process in processes if process.pid not in own or process.command.lstrip("-") not in SHELLS]
    return Facts(shown(others[0].command) if others else None)


def _watch(cases: List[Case]) -> List[Case]:
    candidates = [case for case in cases if case.verdict.remove and case.processes]
    if not candidates:
        return cases
    before = {id(case): proctable.usage(case.processes) for case in candidates}
    proctable.wait(WATCH_SECONDS)
    census = Census()
    return [_watched(case, before[id(case)], census) if id(case) in before else case for case in cases]


def _watched(case: Case, before: proctable.Usage, census: Census) -> Case:
    processes = members(case.seen, case.session, census)
    ticks, calls = proctable.worked_between(before, proctable.usage(processes))
    noted = dict(case.evidence, watched_seconds=WATCH_SECONDS, cpu_ticks=ticks, io_calls=calls)
    verdict = case.verdict
    if ticks or calls:
        work = "%d CPU ticks and made %d reads, writes or forks" % (ticks, calls)
        verdict = Verdict("keep", "busy", "in %g s its processes used %s" % (WATCH_SECONDS, work))
    return case._replace(verdict=verdict, processes=processes, evidence=noted)


def _noticed(case: Case, now: int, notice: Optional[int]) -> Case:
    return case._replace(verdict=with_notice(case.session, case.verdict, case.effort, now, notice))


def _planned(case: Case, planned: Optional[FrozenSet[str]]) -> Case:
    """Do not remove what an earlier plan would not have. A mark it bears stays: nothing has happened in it."""
    if planned is None or not case.verdict.remove or case.identity in planned:
        return case
    return case._replace(verdict=Verdict("keep", "unplanned", "its removal was not planned; %s" % case.verdict.detail))


class Holders:
    """The windows that stay when sessions go, because sessions that stay hold them too (groups, links)."""

    def __init__(self, leaving: Sequence[Case]) -> None:
        gone = {(id(case.seen), case.session.id) for case in leaving}
        self._names: Dict[Tuple[int, str], Set[str]] = {}
        self.pids: Set[int] = set()
        """The processes in panes of sessions that stay."""
        for one in {id(case.seen): case.seen for case in leaving}.values():
            for session in one.listing.sessions:
                if (id(one), session.id) not in gone:
                    self.pids.update(session.pids)
                    for window in session.windows:
                        self._names.setdefault((id(one), window.id), set()).add(shown(session.name))

    def lives_on(self, case: Case) -> List[Dict[str, Any]]:
        """Which windows of a session stay, and in which sessions."""
        found = []
        for window in {window.id: window for window in case.session.windows}.values():
            holders = self._names.get((id(case.seen), window.id))
            if holders:
                found.append({"window": window.id, "name": shown(window.name), "sessions": sorted(holders)})
        return found
