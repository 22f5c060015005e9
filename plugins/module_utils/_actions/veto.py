# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks a command of the admin's which sessions may go: only what it names goes."""

import json
import time
from typing import Any, Dict, FrozenSet, List, NamedTuple, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._host.child import Completed, environment, run
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import WITHHELD, defect
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import NAME_CHARS, brief, shown, to_text
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import KEEP, Decision
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen

_ANSWER_BYTES = 1024 * 1024


class Asked(NamedTuple):
    """The decisions when the command has been asked, and what went wrong."""

    decisions: List[Decision]
    trouble: List[str]


class _Answer(NamedTuple):
    """The sessions that may go, by identity; or why nobody has said so."""

    may_go: FrozenSet[str] = frozenset()
    problem: str = ""


class Veto(NamedTuple):
    """How it is asked. It is run as the owner; as root, ``as_user`` drops to the owner first."""

    command: Sequence[str]
    timeout: float
    as_user: bool

    def ask(self, seen: Sequence[Seen], decisions: Sequence[Decision]) -> Asked:
        """Keep what it does not name, of what would be removed or marked. It is asked once for each owner."""
        owned: Dict[int, List[Decision]] = {}
        for decision in decisions:
            if decision.action != KEEP:
                owned.setdefault(decision.subject.origin.uid, []).append(decision)
        answers = {uid: self._answer(seen[own[0].subject.origin.place], own) for uid, own in owned.items()}
        told = [it if it.action == KEEP else _unless_vetoed(it, answers[it.subject.origin.uid]) for it in decisions]
        return Asked(told, [answer.problem for answer in answers.values() if answer.problem])

    def _answer(self, one: Seen, decisions: Sequence[Decision]) -> _Answer:
        user, share = one.server.user, one.client.share
        start = time.monotonic()
        try:
            ended = run(
                self.command,
                user=user if self.as_user else None,
                env=environment(user),
                timeout=self.timeout if share is None else share.left(self.timeout),
                limit=_ANSWER_BYTES,
                stdin=_question(decisions),
                like=one.server.pid,
            )
        except OSError as error:
            return _Answer(problem="veto_command: %s" % error)  # It names the command, which is the admin's.
        except ValueError as error:
            return _Answer(problem="veto_command: %s" % defect(error))
        finally:
            if share is not None:
                share.charge(time.monotonic() - start, 0)
        return self._read(ended, one)

    def _read(self, ended: Completed, one: Seen) -> _Answer:
        if ended.timed_out:
            return _Answer(problem="veto_command: it did not end within %g seconds" % self.timeout)
        if ended.truncated:
            return _Answer(problem="veto_command: it said more than is read")
        if ended.rc != 0:
            said = WITHHELD if one.discreet else brief(to_text(ended.err).strip(), 200)
            name = shown(one.server.user.name)
            return _Answer(problem="veto_command: exit status %d for %s: %s" % (ended.rc, name, said))
        return _Answer(frozenset(line.strip() for line in to_text(ended.out).split("\n")))


def _unless_vetoed(decision: Decision, answer: _Answer) -> Decision:
    if decision.subject.identity in answer.may_go:
        return decision
    why = answer.problem or "veto_command does not let it go"
    return decision.kept("vetoed", f"{why}; {decision.detail}", unmark=bool(decision.subject.session.notice))


def _question(decisions: Sequence[Decision]) -> bytes:
    """The sessions as a list in JSON, each in a line of its own, for those who read lines."""
    told = ",\n".join(json.dumps(_told(decision), sort_keys=True) for decision in decisions)
    return ("[\n%s\n]\n" % told).encode("ascii")


def _told(decision: Decision) -> Dict[str, Any]:
    subject = decision.subject
    session = subject.session
    return {
        "id": subject.identity,
        "name": brief(session.name, NAME_CHARS),
        "session": session.id,
        "owner": shown(subject.origin.owner),
        "socket": shown(subject.origin.socket),
        "action": decision.action,
        "reason": decision.reason,
        "detail": brief(decision.detail),
        "created": session.created,
        "windows": len(session.windows),
        "commands": sorted({brief(process.command, NAME_CHARS) for process in subject.processes}),
    }
