# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notice: a session is marked when it is first found removable, and removed only when nothing has happened since.

The mark is a user option of the session itself, so there is no state anywhere else; it goes when the session goes.
"""

import hashlib
import re
from typing import NamedTuple, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import spoken
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import newest_to_count
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import KEEP, MARK, REMOVE, Decision
from ansible_collections.fleet.tmux.plugins.module_utils._signs.work import Spending, counting, is_a_tick, totals

FORMAT = 2
"""The format of what a mark holds. It stands first in it, in every version."""

_NUMBERED = re.compile(r"([0-9]{1,9})(?: |\Z)")
# The owner can write anything there, also what int() does not take.
_WRITTEN = re.compile(r"2 ([0-9]{1,15}) ([0-9]{1,15})((?: [0-9]{1,18}){4}) ([0-9a-f]{16})\Z")


class Effort(NamedTuple):
    """What those processes of a session have used that count, and who they are.

    Of programs that sit at a prompt, it is their CPU time, and the bytes that they read and wrote.
    """

    cpu_ticks: int
    io_calls: int
    prompt_ticks: int
    prompt_bytes: int
    processes: str


class Mark(NamedTuple):
    """Notice given at ``given`` (epoch seconds) for ``deadline``, and what the processes had used until then."""

    given: int
    deadline: int
    effort: Effort

    def written(self) -> str:
        """The value of the user option: digits and letters, so that nothing has to be quoted."""
        return " ".join(str(part) for part in (FORMAT, self.given, self.deadline, *self.effort))


def effort(used: Spending) -> Effort:
    """What was used adds up to this."""
    who = ",".join(f"{pid}:{started}:{role}" for (pid, started), role in counting(used))
    return Effort(*totals(used), processes=hashlib.sha256(who.encode()).hexdigest()[:16])


def read_mark(text: str) -> Optional[Mark]:
    """The mark that a user option holds; None for none, and for what nobody of us has written."""
    found = _WRITTEN.match(text)
    if not found:
        return None
    cpu_ticks, calls, prompt_ticks, prompt_bytes = (int(number) for number in found.group(3).split())
    used = Effort(cpu_ticks, calls, prompt_ticks, prompt_bytes, found.group(4))
    return Mark(int(found.group(1)), int(found.group(2)), used)


def of_another_format(text: str) -> bool:
    """Whether a user option holds the mark of another version of this collection, which only that one understands."""
    found = _NUMBERED.match(text)
    return found is not None and int(found.group(1)) != FORMAT


def new_mark(decision: Decision, now: int, notice: int) -> Mark:
    """The mark for a session that is given notice now."""
    return Mark(now, now + notice, effort(decision.subject.used or {}))


def with_notice(decision: Decision, now: int, notice: Optional[int]) -> Decision:
    """What becomes of a decision when notice must be given first. It may take back notice that was given before."""
    written = decision.subject.session.notice
    if of_another_format(written):
        return decision if decision.action == KEEP else _of_another(decision)
    if decision.action == KEEP:
        return decision._replace(unmark=bool(written))
    return decision if notice is None else _noticed(decision, read_mark(written), now, notice)


def _of_another(decision: Decision) -> Decision:
    return decision.kept("unknown", "it bears a mark of notice that another version of this collection has given")


def _noticed(decision: Decision, mark: Optional[Mark], now: int, notice: int) -> Decision:
    if mark is None or mark.given > now:
        said = f"{decision.detail}; it will be removed in {spoken(notice)}"
        return decision._replace(action=MARK, detail=said)
    since = _activity_since(decision, mark, now)
    if since:
        return decision.kept("active", f"{since} since notice was given", unmark=True)
    if now < mark.deadline:
        return decision.kept("notice", f"{decision.detail}; it will be removed in {spoken(mark.deadline - now)}")
    said = f"{decision.detail}; notice was given {spoken(now - mark.given)} ago"
    return decision._replace(action=REMOVE, detail=said)


def _activity_since(decision: Decision, mark: Mark, now: int) -> str:
    """What has happened since, by what counts for a verdict too: what only shows, or ticks at a prompt, does not."""
    if newest_to_count(decision.subject) >= mark.given:
        return "it was used"
    used = effort(decision.subject.used or {})
    if used.processes != mark.effort.processes:
        return "processes came or went"
    ticks, calls = used.cpu_ticks - mark.effort.cpu_ticks, used.io_calls - mark.effort.io_calls
    if ticks > 0 or calls > 0:
        return f"its processes worked ({ticks} CPU ticks, {calls} reads and writes)"
    ticks, moved = used.prompt_ticks - mark.effort.prompt_ticks, used.prompt_bytes - mark.effort.prompt_bytes
    if not is_a_tick(ticks, moved, now - mark.given):
        return f"what sits at a prompt worked ({ticks} CPU ticks, {moved} bytes read and written)"
    return ""
