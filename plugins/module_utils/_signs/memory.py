# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen of sessions at the last look: what was used since then gives no other notice. Pure.

A look that is missing, or that makes no sense, says nothing.
"""

import json
import os
from typing import Any, Callable, Collection, Dict, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Identity, Process, identity
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import spoken
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign
from ansible_collections.fleet.tmux.plugins.module_utils._signs.work import Spending, Spent, worked_between
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session

FORMAT = 2
SESSIONS_LIMIT = 5000
"""Sessions of one owner that are remembered."""
_PROCESSES_LIMIT = 500
_PANES_LIMIT = 200
BYTES_LIMIT = 16 * 1024 * 1024
YOUNG_SECONDS = 3600
"""A look is not forgotten for another one that comes so soon: what happens seldom would never show."""

_TICKS = float(os.sysconf("SC_CLK_TCK"))
_LEAST_SECONDS = 1.0
_LEAST_CALLS = 100
"""CPU time, and reads and writes, that are more than a tick over so long a time."""
_LEAST_OF_COMMANDS = 60.0
_PART_OF_COMMANDS = 0.005
"""CPU time of commands that a prompt may start to draw itself anew: at least so much, and a part of the time."""


class Remembered(NamedTuple):
    """One look at a session, at ``at`` (epoch seconds).

    ``used``: what its processes had used. ``waited``: what had those used, and how many page faults, that the
    program of each pane had waited for. ``shown``: what panes showed, as :mod:`motion` says it. ``active``: the newest
    moment of which a sign has told, at this look or one before it. ``printed``: that of the newest output that may have
    meant something.
    """

    at: int
    used: Spending
    waited: Dict[Identity, Tuple[int, int]]
    shown: Dict[str, str]
    active: int = 0
    printed: int = 0


Memory = Dict[str, Remembered]
"""What is remembered of the sessions of an owner, by who they are on their host."""


def look(
    session: Session,
    processes: Collection[Process],
    used: Spending,
    shown: Mapping[str, str],
    at: int,
    active: int,
    printed: int,
) -> Remembered:
    """What is to be remembered of a session."""
    panes = set(session.pids)
    waited = {identity(it): (it.waited_ticks, it.waited_faults) for it in processes if it.pid in panes}
    counted = {who: spent for who, spent in used.items() if spent.role}
    return Remembered(
        at,
        dict(sorted(counted.items())[:_PROCESSES_LIMIT]),
        dict(sorted(waited.items())[:_PANES_LIMIT]),
        dict(sorted(shown.items())[:_PANES_LIMIT]),
        active,
        printed,
    )


def merged(old: Memory, new: Memory, ended: Callable[[str], bool], now: int) -> Memory:
    """What is remembered from now on, of those that have not ended: a young look stays, but for ``active``."""
    every = {**old, **{who: _after(old.get(who), seen, now) for who, seen in new.items()}}
    kept = sorted((who for who in every if not ended(who)), key=lambda who: -every[who].at)
    return {who: every[who] for who in kept[:SESSIONS_LIMIT]}


def _after(old: Optional[Remembered], new: Remembered, now: int) -> Remembered:
    young = old is not None and 0 <= now - old.at < YOUNG_SECONDS
    return still(old, new.active, now) if old is not None and young else new


def still(then: Remembered, active: int, now: int) -> Remembered:
    """What is remembered where nothing was counted, so that there is nothing else to compare with later.

    A moment that has not come yet was told by a clock that was wrong.
    """
    return then._replace(active=max(then.active if then.active <= now else 0, active))


def active_before(then: Remembered, now: int) -> Optional[Sign]:
    """What is remembered of signs that nobody can see any more: files are closed, and processes end."""
    if not 0 < then.active <= now:
        return None
    return Sign("remembered", "was active, as an earlier look has seen", "", then.active)


def worked_since(
    then: Optional[Remembered], processes: Collection[Process], used: Spending, now: int
) -> Optional[Sign]:
    """Whether the processes of a session have worked since the last look, beyond a tick."""
    if then is None or then.at >= now:
        return None
    seconds = float(now - then.at)
    own = {who: spent for who, spent in used.items() if who in then.used}
    done = worked_between({who: then.used[who] for who in own}, own, seconds)
    cpu = done.cpu_ticks / _TICKS + _of_commands(then, processes, seconds)
    if cpu < _LEAST_SECONDS and done.calls < _LEAST_CALLS:
        return None
    what = f"used {spoken(int(cpu))} of CPU time" if cpu >= _LEAST_SECONDS else f"read and wrote {done.calls} times"
    return Sign("worked", f"{what} within {spoken(int(seconds))}, at the latest", "", now)


def _of_commands(then: Remembered, processes: Collection[Process], seconds: float) -> float:
    """CPU time of what the panes' programs have waited for, if that is more than a prompt that draws itself takes."""
    ticks = sum(
        max(0, it.waited_ticks - then.waited[identity(it)][0]) for it in processes if identity(it) in then.waited
    )
    spent = ticks / _TICKS
    return spent if spent > max(_LEAST_OF_COMMANDS, _PART_OF_COMMANDS * seconds) else 0.0


def waited_for_nobody(then: Optional[Remembered], process: Process) -> bool:
    """Whether the program of a pane has waited for no child since the last look."""
    return then is not None and then.waited.get(identity(process)) == (process.waited_ticks, process.waited_faults)


# --- as text ----------------------------------------------------------------------------------------------------------


def written(memory: Memory) -> bytes:
    """The memory as a file holds it; of one that would be too long, what was seen last."""
    sessions = {who: _as_json(seen) for who, seen in memory.items()}
    while True:
        data = json.dumps({"format": FORMAT, "sessions": sessions}, ensure_ascii=True).encode("ascii")
        if len(data) <= BYTES_LIMIT:
            return data
        for who in list(sessions)[len(sessions) // 2 :]:
            del sessions[who]


def _as_json(seen: Remembered) -> Dict[str, Any]:
    return {
        "at": seen.at,
        "used": [[*who, *spent] for who, spent in seen.used.items()],
        "waited": [[*who, *numbers] for who, numbers in seen.waited.items()],
        "shown": seen.shown,
        "active": seen.active,
        "printed": seen.printed,
    }


def read(data: bytes) -> Memory:
    """What a file holds; nothing of what is no memory of this format."""
    try:
        whole = json.loads(data.decode("ascii"))
        if whole["format"] != FORMAT:
            return {}
        return {str(who): _remembered(seen) for who, seen in whole["sessions"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _remembered(seen: Dict[str, Any]) -> Remembered:
    """:raises ValueError: for what is no look."""
    used = {}
    for pid, started, role, ticks, calls, got, put in seen["used"]:
        numbers = None if calls is None else _number(calls)
        used[_number(pid), _number(started)] = Spent(str(role), _number(ticks), numbers, _number(got), _number(put))
    waited = {(_number(a), _number(b)): (_number(c), _number(d)) for a, b, c, d in seen["waited"]}
    shown = {str(pane): str(text) for pane, text in seen["shown"].items()}
    return Remembered(_number(seen["at"]), used, waited, shown, _number(seen["active"]), _number(seen["printed"]))


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("it is no number")
    return value
