# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a session's ``@keep`` says: its user's word. Pure, ``now`` is an argument.

tmux does not say since when an option has its value. So a duration is counted from when a run first saw it, which the
session itself remembers in an option of ours, or from when somebody last used the session, if that is later: whoever
sets it from within the session has just used it. Until it was seen, it has just been set.
"""

import hashlib
import re
import time
from typing import Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import spoken
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import last_activity
from ansible_collections.fleet.tmux.plugins.module_utils._policy.durations import duration
from ansible_collections.fleet.tmux.plugins.module_utils._policy.errors import OptionError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session

FORMAT = 1
"""The format of what we remember. It stands first in it, in every version."""

_ON = frozenset(("on", "yes", "true", "1"))
_OFF = frozenset(("", "off", "no", "false", "0"))
_DAY = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}\Z")
_WORD_CHARS = 100
# The owner can write anything there, also what int() does not take.
_REMEMBERED = re.compile(r"1 ([0-9]{1,15}) ([0-9a-f]{16})\Z")


def understood(value: str) -> str:
    """What a session's ``@keep`` says, as far as it is one of the words for it: any other is its user's own."""
    word = _word(value)
    return word if word in _ON | _OFF or _DAY.match(word) or _seconds(word) is not None else "other"


def keeps(value: str, now: int, since: Optional[int] = None) -> Tuple[bool, str]:
    """Whether a session's ``@keep`` protects it now, and what to say of it.

    ``on`` does; a date does to the end of that day, in the host's time zone; a duration does for so long; what nobody
    understands does too.

    :param since: from when a duration is counted; None: from now.
    """
    word = _word(value)
    if word in _OFF:
        return False, ""
    if word in _ON:
        return True, f"@keep is {word}"
    seconds = _seconds(word)
    if seconds is not None:
        left = (now if since is None else since) + seconds - now
        return (
            (True, f"@keep is {word}, of which {spoken(left)} are left") if left > 0 else (False, "@keep has expired")
        )
    return _until(word, now)


def unsaved_wished(value: str) -> bool:
    """Whether a session's ``@no_snapshot`` says that nothing of it is to be saved; what nobody understands does."""
    return _word(value) not in _OFF


def counted_from(session: Session, now: int) -> int:
    """From when the duration in a session's ``@keep`` is counted."""
    seen = _remembered(session)
    return max(last_activity(session, "input"), now if seen is None or seen > now else seen)


def to_remember(session: Session, now: int) -> Optional[str]:
    """What the session has to remember of its ``@keep`` from now on; empty for nothing, None if it does already."""
    if _seconds(_word(session.keep)) is None:
        return "" if session.kept_since else None
    return None if _remembered(session) is not None else f"{FORMAT} {now} {_hash(session.keep)}"


def _word(value: str) -> str:
    return value.strip().lower()


def _seconds(word: str) -> Optional[int]:
    """How long a duration is; None for what is none."""
    try:
        return duration("@keep", word) if len(word) <= _WORD_CHARS else None
    except OptionError:
        return None


def _remembered(session: Session) -> Optional[int]:
    """When this value was first seen; None if that is not known."""
    found = _REMEMBERED.match(session.kept_since)
    return int(found.group(1)) if found and found.group(2) == _hash(session.keep) else None


def _hash(value: str) -> str:
    return hashlib.sha256(_word(value).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _until(word: str, now: int) -> Tuple[bool, str]:
    try:
        day = time.strptime(word, "%Y-%m-%d")
        ends = time.mktime((day.tm_year, day.tm_mon, day.tm_mday + 1, 0, 0, 0, 0, 0, -1))
    except (ValueError, OverflowError):
        return True, "@keep is neither on, off, a duration like 3d nor a date like 2026-12-24, so it is taken as on"
    return (True, f"@keep until {word}") if now < ends else (False, f"@keep has expired on {word}")
