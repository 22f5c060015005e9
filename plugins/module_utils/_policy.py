# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durations, patterns, clocks and protections: what should happen to a session, and why.

Pure: ``now`` is an argument.
"""

import fnmatch
import re
import time
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._model import WHOLE, WITHOUT_OUTPUT, Guards, Session

PROTECTIONS = ("attached", "busy", "keep", "running")
ACTIVITIES = ("any", "input", "output")
NAME_LIMIT = 1024
"""Characters of a name that patterns are tried on: some patterns take for ever on names that somebody made for that."""

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_ON = frozenset(("on", "yes", "true", "1"))
_OFF = frozenset(("", "off", "no", "false", "0"))
_CLOCK_SLACK = 1


class PolicyError(ValueError):
    """An option that makes no sense; the message names the option and the remedy."""


def duration(option: str, text: Optional[str]) -> Optional[int]:
    """Seconds, in the grammar of ``ansible.builtin.find``: ``90``, ``45m``, ``12h``, ``2d``, ``1w``.

    :raises PolicyError: for anything else, and for a negative one.
    """
    if text is None:
        return None
    found = re.match(r"\A(\d+)([smhdw]?)\Z", text.strip().lower(), re.ASCII)
    if not found:
        raise PolicyError(
            "%s: %r is no duration; write a number of seconds, or one with s, m, h, d or w, like 90, 45m, 12h, 2d, 1w"
            % (option, text)
        )
    return int(found.group(1)) * _UNITS[found.group(2)]


Matcher = Callable[[str], bool]


def matcher(option: str, patterns: Sequence[str], use_regex: bool) -> Matcher:
    """Whether a name matches one of ``patterns`` in full.

    :raises PolicyError: for a pattern that is no regular expression.
    """
    compiled = []
    for pattern in patterns:
        try:
            compiled.append(re.compile(pattern if use_regex else fnmatch.translate(pattern), re.DOTALL))
        except re.error as error:
            raise PolicyError("%s: %r is no regular expression: %s" % (option, pattern, error))
    return lambda name: any(expression.fullmatch(name) is not None for expression in compiled)


class Policy(NamedTuple):
    """What to remove. Durations are seconds; ``patterns`` and ``excludes`` select what is looked at at all.

    ``planned``: the identities of the sessions that may be removed; None for all.
    """

    idle: Optional[int]
    older_than: Optional[int]
    finished: bool
    activity: str
    protect: Tuple[str, ...]
    patterns: Optional[Matcher] = None
    excludes: Optional[Matcher] = None
    planned: Optional[FrozenSet[str]] = None

    @property
    def guards(self) -> Guards:
        """What must not have changed when a session is removed: output only if it counts as activity."""
        return WITHOUT_OUTPUT if self.activity == "input" else WHOLE

    def looks_at(self, name: str) -> bool:
        if self.excludes is not None and self.excludes(name[:NAME_LIMIT]):
            return False
        return self.patterns is None or self.patterns(name[:NAME_LIMIT])


def policy(params: Dict[str, Any]) -> Policy:
    """The policy that module options say.

    :raises PolicyError: naming the option.
    """
    made = Policy(
        idle=duration("idle", params["idle"]),
        older_than=duration("older_than", params["older_than"]),
        finished=bool(params["finished"]),
        activity=params["activity"],
        protect=tuple(params["protect"]),
        patterns=_matcher(params, "patterns"),
        excludes=_matcher(params, "excludes"),
        planned=_planned(params["planned"]),
    )
    if made.idle is None and made.older_than is None and not made.finished:
        raise PolicyError("one of idle, older_than and finished is required: without any, nothing says what to remove")
    return made


def _planned(identities: Optional[Sequence[str]]) -> Optional[FrozenSet[str]]:
    """The sessions of an earlier plan.

    :raises PolicyError: for what is no identity; a typing error must not look like an empty plan.
    """
    if identities is None:
        return None
    for written in identities:
        if re.match(r"\A\d+/\d+/\$\d+/\d+\Z", written, re.ASCII) is None:
            raise PolicyError(
                "planned: %r is no identity of a session; take those that a run in check mode returned, "
                "like 4711/1763400000/$3/1763500000" % written
            )
    return frozenset(identities)


def _matcher(params: Dict[str, Any], option: str) -> Optional[Matcher]:
    return matcher(option, params[option], params["use_regex"]) if params[option] else None


class Verdict(NamedTuple):
    """What should happen to a session: ``remove``, ``mark`` (notice is given) or ``keep``.

    ``reason`` is a word of the documentation, ``detail`` a sentence. ``unmark``: notice given before is taken back.
    """

    action: str
    reason: str
    detail: str
    unmark: bool = False

    @property
    def remove(self) -> bool:
        return self.action == "remove"


class Facts(NamedTuple):
    """What was seen of a session's processes; None: it was not looked at, or could not be seen."""

    running: Optional[str] = None
    running_known: bool = True


def last_activity(session: Session, activity: str) -> int:
    """Epoch seconds of the newest clock that counts. Creation always does.

    ``session_activity`` alone is blind to output: a detached build that prints every second does not move it.
    """
    clocks = [session.created]
    if activity in ("any", "input"):
        clocks += [session.activity, session.last_attached or 0, session.client_activity]
    if activity in ("any", "output"):
        clocks += [window.activity for window in session.windows]
    return max(clocks)


def newest_clock(session: Session) -> int:
    """Epoch seconds of the newest clock, whether it counts or not."""
    return max(last_activity(session, "any"), session.created)


def idle_seconds(session: Session, activity: str, now: int) -> int:
    return max(0, now - last_activity(session, activity))


def keeps(value: str, now: int) -> Tuple[bool, str]:
    """Whether a session's ``@keep`` protects it now, and what to say of it.

    ``on`` does; a date does to the end of that day, in the host's time zone; what nobody understands does too.
    """
    word = value.strip().lower()
    if word in _OFF:
        return False, ""
    if word in _ON:
        return True, "@keep is %s" % word
    try:
        day = time.strptime(word, "%Y-%m-%d")
        ends = time.mktime((day.tm_year, day.tm_mon, day.tm_mday + 1, 0, 0, 0, 0, 0, -1))
    except (ValueError, OverflowError):
        return True, "@keep is neither on, off nor a date like 2026-12-24, so it is taken as on"
    return (True, "@keep until %s" % word) if now < ends else (False, "@keep has expired on %s" % word)


def judge(session: Session, rules: Policy, now: int, facts: Facts) -> Verdict:
    """What the rules say of a session, apart from ``busy``, which only those that this would remove are watched for."""
    if newest_clock(session) > now + _CLOCK_SLACK:
        return Verdict(
            "keep", "unknown", "a clock of the session is %d s in the future" % (newest_clock(session) - now)
        )
    protected = _protected(session, rules, now, facts)
    if protected is not None:
        return protected
    return _criteria(session, rules, now)


def _protected(session: Session, rules: Policy, now: int, facts: Facts) -> Optional[Verdict]:
    if "attached" in rules.protect and session.attached > 0:
        return Verdict("keep", "attached", "%d attached" % session.attached)
    kept, said = keeps(session.keep, now)
    if "keep" in rules.protect and kept:
        return Verdict("keep", "keep", said)
    if "running" in rules.protect and not facts.running_known:
        return Verdict("keep", "unknown", "its processes could not be seen")
    if "running" in rules.protect and facts.running is not None:
        return Verdict("keep", "running", "it runs %s" % facts.running)
    return None


def _criteria(session: Session, rules: Policy, now: int) -> Verdict:
    if rules.finished and all(pane.dead for pane in session.panes):
        return Verdict("remove", "finished", "all its panes are dead (%s)" % endings(session))
    age = max(0, now - session.created)
    idle = idle_seconds(session, rules.activity, now)
    if rules.idle is not None and idle < rules.idle:
        return Verdict("keep", "active", "%s %s ago" % (_ACTIVE[rules.activity], spoken(idle)))
    if rules.older_than is not None and age < rules.older_than:
        return Verdict("keep", "young", "created %s ago" % spoken(age))
    if rules.idle is not None:
        return Verdict("remove", "idle", "idle for %s" % spoken(idle))
    if rules.older_than is not None:
        return Verdict("remove", "older_than", "created %s ago" % spoken(age))
    return Verdict("keep", "unfinished", "not all its panes are dead")


_ACTIVE = {"any": "last used", "input": "last input", "output": "last output"}


def endings(session: Session) -> str:
    """How the panes of a session ended, for people."""
    return ", ".join(sorted({_ending(pane.status, pane.signal) for pane in session.panes}))


def _ending(status: Optional[int], signal: str) -> str:
    if signal:
        return "signal %s" % signal
    return "no exit status" if status is None else "exit status %d" % status


def spoken(seconds: int) -> str:
    """A duration for people: its two largest units, like ``3d 4h``."""
    parts: List[str] = []
    for unit, size in (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if seconds >= size:
            parts.append("%d%s" % (seconds // size, unit))
            seconds %= size
    return " ".join(parts[:2]) or "0s"


def evidence(session: Session) -> Dict[str, Any]:
    """What a verdict was reached by: clocks in epoch seconds (null: never), and counts."""
    return {
        "created": session.created,
        "input": max(session.activity, session.client_activity),
        "last_attached": session.last_attached,
        "output": max([0] + [window.activity for window in session.windows]),
        "attached": session.attached,
        "keep": session.keep,
        "windows": len(session.windows),
        "panes": len(session.panes),
        "dead_panes": sum(1 for pane in session.panes if pane.dead),
    }
