# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for sessions of one server, says what became of each, and removes the files that go with those that end."""

import time
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.clean_up import Ended, clean_up_after, going
from ansible_collections.fleet.tmux.plugins.module_utils._actions.wait import (
    Fate,
    PatternError,
    Waiting,
    Wish,
)
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief, shown
from ansible_collections.fleet.tmux.plugins.module_utils._modules.bounds import DESCRIBED, bounded
from ansible_collections.fleet.tmux.plugins.module_utils._modules.items import (
    Item,
    files_told,
    named,
    still_there,
    who,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.results import TaskError
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import require_screens
from ansible_collections.fleet.tmux.plugins.module_utils._policy.cleanups import NOTHING_DONE, CleanedUp
from ansible_collections.fleet.tmux.plugins.module_utils._policy.durations import written
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen

NOTHING: Dict[str, Any] = {"changed": False, "sessions": [], "timed_out": False, "elapsed": 0, "unlisted": []}
"""The result before anything was looked at."""

_NAMES = 20
"""Sessions that a message names."""
_PATH_CHARS = 4096

Told = Tuple[Dict[str, Any], Optional[Exception]]


def wish_of(values: Dict[str, Any]) -> Wish:
    """What the module's options say is waited for."""
    wanted = values["require"] == "all"
    return Wish(values["name"], values["until"], values["wait_for"], wanted, values["content_lines"])


def wait_for(seen: Seen, wish: Wish, seconds: int, fail_on_timeout: bool, check_mode: bool) -> Told:
    """The result, and what went wrong. In check mode only what is there now is told.

    What goes with sessions that have ended is removed, but when the time was over, or some are not there.

    :raises TaskError: when what is asked for is not told of another user, or the pattern cannot be looked for.
    """
    if wish.pattern is not None:
        require_screens(seen, "wait_for")
    began = time.monotonic()
    named_ = [seen.identity(session) for session in seen.listing.sessions if session.name in wish.names]
    before = going(seen, named_)  # What has gone cannot tell that any more.
    try:
        waiting = Waiting(seen, wish)
        timed_out = not check_mode and _timed_out(waiting, wish, seconds)
    except PatternError as error:
        raise TaskError(f"wait_for: {error}")
    waiting.finish()
    elapsed = int(time.monotonic() - began)
    in_vain = timed_out or _is_missing(waiting, wish)
    done, trouble = ({}, []) if in_vain else _cleaned_up(seen, waiting, before, check_mode)
    result = _result(seen, waiting, timed_out, elapsed, done)
    result["trouble"] += trouble
    if timed_out:
        return result, late(waiting, seconds) if fail_on_timeout else None
    return result, None if check_mode else failure(waiting)


def _cleaned_up(seen: Seen, waiting: Waiting, before: Ended, check: bool) -> Tuple[Dict[str, CleanedUp], List[str]]:
    """What became of the files of those whose end was seen, by session; and what is to be said besides."""
    over = [fate for fate in waiting.fates if fate.over and fate.ended and fate.identity is not None]
    there = going(seen, [fate.identity for fate in over if fate.identity is not None and not fate.gone])
    gone = before.only([fate.identity or "" for fate in over if fate.gone])
    files = dict(gone.files, **there.files)
    # Of one that is there all has ended, whoever holds it besides; but what was moved away may not have.
    panes = {it: before.panes.get(it, ()) for it in gone.files}
    panes.update((it, there.moved(it).union(before.panes.get(it, ())).difference(there.held[it])) for it in there.files)
    ended = Ended(seen, files, list(files), panes=panes)
    done = clean_up_after([ended], seen.client.timeout, check=check)
    return done, (gone.trouble if gone.gone else []) + there.trouble


def _is_missing(waiting: Waiting, wish: Wish) -> bool:
    """Whether it cannot come to what is waited for, because it was not there at the beginning."""
    return bool(waiting.missing) and (wish.all or len(waiting.missing) == len(waiting.fates))


def _timed_out(waiting: Waiting, wish: Wish, seconds: int) -> bool:
    """Whether there was something to wait for, and the time for it was over."""
    if _is_missing(waiting, wish):
        return False
    waiting.wait(seconds)
    return not waiting.over


def late(waiting: Waiting, seconds: int) -> Exception:
    """That the time is over, and for whom."""
    left = [fate.name for fate in waiting.fates if not fate.over]
    trouble = f"; at last: {waiting.trouble}" if waiting.trouble else ""
    return TaskError(f"timed out after {written(seconds)}, still waiting for {_listed(left)}{trouble}")


def failure(waiting: Waiting) -> Optional[Exception]:
    """Why it was waited in vain; None if it was not."""
    if waiting.succeeded:
        return None
    if waiting.missing:
        return TaskError(f"not to be waited for: {_listed(waiting.missing)}; {_why(waiting)}")
    return TaskError("; ".join(map(_unmatched, waiting.failed[:_NAMES])))


def _why(waiting: Waiting) -> str:
    return next(fate.reason for fate in waiting.fates if fate.name in waiting.missing)


def _unmatched(fate: Fate) -> str:
    how = f": {fate.reason}" if fate.reason else ""
    status = f" with exit status {fate.exit_status}" if fate.exit_status is not None else ""
    what = "is gone" if fate.gone else "ended" + status
    return f"session {fate.name!r} {what}, and did not show what was waited for{how}"


def _listed(names: List[str]) -> str:
    more = [f"and {len(names) - _NAMES} more"] if len(names) > _NAMES else []
    return ", ".join([repr(shown(name)) for name in names[:_NAMES]] + more)


def _result(
    seen: Seen, waiting: Waiting, timed_out: bool, elapsed: int, done: Mapping[str, CleanedUp]
) -> Dict[str, Any]:
    files = [done.get(fate.identity or "", NOTHING_DONE) for fate in waiting.fates]
    items = [_item(seen, fate, own) for fate, own in zip(waiting.fates, files)]
    told = bounded({"sessions": items}, DESCRIBED, ("sessions",))
    return dict(
        NOTHING,
        changed=any(own.removed for own in files),
        sessions=told.lists["sessions"],
        unlisted=told.unlisted,
        timed_out=timed_out,
        elapsed=elapsed,
        trouble=[sentence for fate, own in zip(waiting.fates, files) for sentence in still_there(fate.name, own)],
    )


def diff(told: Mapping[str, Any]) -> Dict[str, Dict[str, List[str]]]:
    """The files that were removed, before and after, as far as they are told."""
    files = [path for item in told["sessions"] for path in item["removed_files"]]
    return {"before": {"files": files}, "after": {"files": []}}


def _item(seen: Seen, fate: Fate, files: CleanedUp) -> Item:
    identifier = fate.found.id if fate.found is not None else None
    return dict(
        who(seen.server.user.name, seen.server.socket, fate.name, identifier, fate.identity),
        done=fate.over,
        ended=fate.ended,
        gone=fate.gone,
        matched=fate.matched,
        exit_status=fate.exit_status,
        signal=named(fate.signal) or None,
        seconds=fate.seconds,
        pane=fate.pane,
        content=fate.content,
        log=fate.log and brief(fate.log, _PATH_CHARS),
        reason=brief(fate.reason),
        **files_told(files, seen.discreet),
    )
