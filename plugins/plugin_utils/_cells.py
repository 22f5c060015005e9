# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one value of a report looks like to people: the text of a cell, and its style. Pure.

Names, owners, commands and messages were chosen by users of the hosts: control characters and the like become escapes.
"""

from datetime import datetime, timedelta, timezone
from typing import Any, Callable, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown, spoken
from ansible_collections.fleet.tmux.plugins.plugin_utils._words import grouped, sized

# A text that is longer is cut: report.json has it in full.
_TEXT_LIMIT, _MESSAGE_LIMIT = 1000, 4000

_TONES = {
    "ok": "good",
    "failed": "bad",
    "unreachable": "bad",
    "missing": "warn",
    "alive": "bad",
    "reported": "warn",
    "terminated": "good",
    "killed": "good",
}


class Cell(NamedTuple):
    """What one cell shows. ``value`` is what it is sorted by, where that is not its text; ``look`` a style."""

    text: str
    look: str = ""
    value: str = ""
    moment: str = ""
    note: str = ""

    @property
    def void(self) -> bool:
        """Whether it has nothing to say."""
        return self.look in ("none", "n none", "n zero")


class Kind(NamedTuple):
    """A kind of values: the cell that one becomes, and the look of a column of them, which is sorted by value then."""

    cell: Callable[[Any], Cell]
    look: str = ""


NONE = Cell("\u2013", "none")
_NO_NUMBER = NONE._replace(look="n none")


# --- texts ------------------------------------------------------------------------------------------------------------


def short(value: Any, limit: int = _TEXT_LIMIT) -> str:
    """A text of one line."""
    text = str(value)
    return shown(text if len(text) <= limit else text[:limit] + "...")


def lines(value: Any) -> str:
    """A message: the ends of its lines are the only control characters that it may have."""
    text = str(value)
    text = text if len(text) <= _MESSAGE_LIMIT else text[:_MESSAGE_LIMIT] + "..."
    return "\n".join(shown(line) for line in text.strip().split("\n"))


def _text(value: Any) -> Cell:
    return Cell(short(value)) if value not in (None, "") else NONE


def _styled(look: str) -> Callable[[Any], Cell]:
    return lambda value: _text(value)._replace(look=look) if value not in (None, "") else NONE


def _message(value: Any) -> Cell:
    return Cell(lines(value), "message") if value else NONE


def _status(value: Any) -> Cell:
    return Cell(short(value), "pill " + _TONES.get(value, "warn"))


def _noted_status(value: Tuple[str, str]) -> Cell:
    status, note = value
    return _status(status)._replace(note=note)


def _noted_name(value: Tuple[str, str]) -> Cell:
    name, note = value
    return Cell(short(name), "code", note=short(note))


def _listed(look: str) -> Callable[[Optional[Sequence[Any]]], Cell]:
    return lambda values: Cell(short(", ".join(map(str, values))), look) if values else NONE


# --- numbers ----------------------------------------------------------------------------------------------------------


def _amount(worded: Callable[[int], str]) -> Callable[[Optional[int]], Cell]:
    return lambda value: _NO_NUMBER if value is None else Cell(worded(value), "n", str(value))


def _number(value: Optional[int]) -> Cell:
    return _NO_NUMBER if value is None else Cell(grouped(value), "n" if value else "n zero", str(value))


def _size(value: Optional[int]) -> Cell:
    return Cell(sized(value), "n", str(value)) if value else _NO_NUMBER


# --- times ------------------------------------------------------------------------------------------------------------

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def moment(text: Optional[str]) -> Optional[datetime]:
    """The time that a text says, if it says one."""
    try:
        found = datetime.fromisoformat((text or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def date(text: Optional[str]) -> Cell:
    """A date from a text: as it is where it is not understood."""
    found = moment(text)
    return _at(found) if found else _text(text)


def _epoch(seconds: Optional[int]) -> Cell:
    if seconds is None:
        return NONE
    try:
        return _at(_EPOCH + timedelta(seconds=seconds))
    except OverflowError:
        return Cell(str(seconds), "n", str(seconds))


def _at(when: datetime) -> Cell:
    try:
        when = when.astimezone(timezone.utc)
    except OverflowError:
        pass  # a date at the end of the calendar stays in its own zone
    iso = when.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    value = str(int((when - _EPOCH).total_seconds()))
    return Cell(when.strftime("%Y-%m-%d %H:%M"), "when", value, iso)


# --- the kinds --------------------------------------------------------------------------------------------------------

TEXT, PROSE, CODE, PILL = Kind(_text), Kind(_styled("prose")), Kind(_styled("code")), Kind(_styled("pill"))
MESSAGE, STATUS, NOTED_STATUS, NOTED_NAME = Kind(_message), Kind(_status), Kind(_noted_status), Kind(_noted_name)
NAMES, PORTS = Kind(_listed("code")), Kind(_listed(""))
NUMBER, PLAIN_NUMBER, SIZE = Kind(_number, "n"), Kind(_amount(str), "n"), Kind(_size, "n")
DURATION, EPOCH, DATE = Kind(_amount(spoken), "n"), Kind(_epoch, "when"), Kind(date, "when")
