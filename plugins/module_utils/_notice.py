# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notice: a session is marked when it is first found removable, and removed only when nothing has happened since.

The mark is a user option of the session itself, so there is no state anywhere else; it goes when the session goes.
"""

import hashlib
import re
from typing import NamedTuple, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._model import Session
from ansible_collections.fleet.tmux.plugins.module_utils._policy import Verdict, newest_clock, spoken
from ansible_collections.fleet.tmux.plugins.module_utils._proctable import Process, io_calls

_FORMAT = "1"
# The owner can write anything there, also what int() does not take.
_WRITTEN = re.compile(_FORMAT + r" ([0-9]{1,15}) ([0-9]{1,15}) ([0-9]{1,18}) ([0-9]{1,18}) ([0-9a-f]{16})\Z")


class Mark(NamedTuple):
    """Notice given at ``given`` (epoch seconds) for ``deadline``, and what the processes had used until then."""

    given: int
    deadline: int
    cpu_ticks: int
    io_calls: int
    processes: str

    def written(self) -> str:
        """The value of the user option: digits and letters, so that nothing has to be quoted."""
        return " ".join([_FORMAT] + [str(part) for part in self])


class Effort(NamedTuple):
    """What the processes of a session have used, and who they are."""

    cpu_ticks: int
    io_calls: int
    processes: str


def effort(processes: Sequence[Process]) -> Effort:
    """What ``processes`` have used since they were started."""
    who = ",".join("%d:%d" % (process.pid, process.started) for process in processes)
    return Effort(
        sum(process.cpu_ticks for process in processes),
        sum(io_calls(process.pid) or 0 for process in processes),
        hashlib.sha256(who.encode()).hexdigest()[:16],
    )


def read_mark(text: str) -> Optional[Mark]:
    """The mark that a user option holds; None for none, and for what nobody of us has written."""
    found = _WRITTEN.match(text)
    if not found:
        return None
    given, deadline, cpu_ticks, calls = (int(number) for number in found.groups()[:4])
    return Mark(given, deadline, cpu_ticks, calls, found.group(5))


def new_mark(used: Effort, now: int, notice: int) -> Mark:
    return Mark(now, now + notice, used.cpu_ticks, used.io_calls, used.processes)


def with_notice(session: Session, verdict: Verdict, used: Effort, now: int, notice: Optional[int]) -> Verdict:
    """What becomes of a verdict when notice must be given first. ``unmark`` takes back notice that was given before."""
    mark = read_mark(session.notice)
    if not verdict.remove:
        return verdict._replace(unmark=bool(session.notice))
    if notice is None:
        return verdict
    if mark is None or mark.given > now:
        return Verdict("mark", verdict.reason, "%s; it will be removed in %s" % (verdict.detail, spoken(notice)))
    since = _activity_since(session, mark, used)
    if since:
        return Verdict("keep", "active", "%s since notice was given" % since, unmark=True)
    if now < mark.deadline:
        return Verdict("keep", "notice", "%s; it will be removed in %s" % (verdict.detail, spoken(mark.deadline - now)))
    return verdict._replace(detail="%s; notice was given %s ago" % (verdict.detail, spoken(now - mark.given)))


def _activity_since(session: Session, mark: Mark, used: Effort) -> str:
    if newest_clock(session) >= mark.given:
        return "it was used"
    if used.processes != mark.processes:
        return "processes came or went"
    if used.cpu_ticks > mark.cpu_ticks or used.io_calls > mark.io_calls:
        return "its processes worked (%d CPU ticks, %d reads and writes)" % (
            used.cpu_ticks - mark.cpu_ticks,
            used.io_calls - mark.io_calls,
        )
    return ""
