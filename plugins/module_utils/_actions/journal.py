# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the host's own log says of each removal: a line before it is tried, and one when it is known what came of it.

Of notice too, when it was given and when it was taken back, and of processes that outlived their session.
"""

from typing import List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.record import Record
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import (
    KEPT,
    MARKED,
    REMOVED,
    Decision,
    Outcome,
    Survivor,
)

_NAME, _PATH, _OWNER, _WORDS = 100, 110, 50, 150
"""Characters of each part: together, and with what every line has, they fit into one."""

_BECAME = {REMOVED: "removed", KEPT: "did not remove"}


class Removal(NamedTuple):
    """The session that a line is about. ``why``: a word, and a sentence. ``window``: name and id, if only one goes."""

    owner: str
    socket: str
    name: str
    id: str
    why: str
    detail: str
    window: Optional[Tuple[str, str]] = None


def planned(decision: Decision) -> Removal:
    """A session that is to be removed, and why."""
    subject = decision.subject
    return Removal(
        subject.origin.owner,
        subject.origin.socket,
        subject.session.name,
        subject.session.id,
        decision.reason,
        decision.detail,
    )


class Journal:
    """Writes the lines of one run; without a ``record`` none. ``policy``: by what it was decided, in short."""

    def __init__(self, record: Optional[Record] = None, policy: str = "") -> None:
        self._record = record
        self._policy = policy

    @property
    def trouble(self) -> List[str]:
        """Why not all lines were written, if that is so."""
        return [self._record.trouble] if self._record is not None and self._record.trouble else []

    def before(self, it: Removal) -> None:
        """It is about to be removed."""
        self._write("about to remove", it, "policy: %s" % brief(self._policy, _WORDS))

    def after(self, it: Removal, what: str, snapshot: str = "") -> None:
        """It was removed, or was not: then ``why`` says why. A server that did not answer may remove it yet."""
        saved = "saved in %s" % _quoted(snapshot, _PATH) if snapshot else ""
        self._write(_BECAME.get(what, "did not see removed"), it, saved)

    def became(self, outcome: Outcome) -> None:
        """It is known what came of the removal of a session."""
        it = planned(outcome.decision)._replace(why=outcome.reason, detail=outcome.detail)
        self.after(it, outcome.what, outcome.snapshot or "")

    def noticed(self, outcomes: Sequence[Outcome], until: str = "") -> None:
        """Notice was given to these, or taken back, as far as that was done."""
        for outcome in outcomes:
            if outcome.unmarked:
                self._write("took back notice of", planned(outcome.decision), "")
            elif outcome.what == MARKED:
                self._write("gave notice of", planned(outcome.decision), "goes after %s" % until)

    def outlived(self, outcome: Outcome) -> None:
        """Processes of a session live on that was removed, if any do."""
        if outcome.survivors:
            said = ", ".join(_survivor(each) for each in outcome.survivors)
            self._write("processes outlived", planned(outcome.decision), brief(said, _WORDS))

    def _write(self, what: str, it: Removal, more: str) -> None:
        if self._record is None:
            return
        # What is longest comes last, for a line that is too long is cut off.
        window = (
            "window %s (%s) of " % (_quoted(it.window[0], _OWNER), brief(it.window[1], _OWNER)) if it.window else ""
        )
        who = (what, window, _quoted(it.name, _NAME), brief(it.id, _OWNER), brief(it.owner, _OWNER), _why(it))
        line = "%s %ssession %s (%s) of %s: %s; at " % who + _quoted(it.socket, _PATH)
        self._record.write("%s; %s" % (line, more) if more else line)


def _why(it: Removal) -> str:
    detail = brief(it.detail, _WORDS)
    return "%s: %s" % (it.why, detail) if detail else it.why


def _survivor(each: Survivor) -> str:
    ports = " on %s" % " ".join(map(str, each.ports)) if each.ports else ""
    return "%d %s%s (%s)" % (each.process.pid, _quoted(each.process.command, _OWNER), ports, each.result)


def _quoted(text: str, limit: int) -> str:
    """What somebody else has chosen, so that it is seen where it ends."""
    return '"%s"' % brief(text, limit).replace("\\", "\\\\").replace('"', '\\"')
