# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tmux lists, and every clock there is: the one table of fields.

From it come the formats of listings, how a field is read, what a guard compares, the clocks of the policy, the evidence
in results, and their documentation. To add a clock is to add one line.
"""

import re
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import MINIMUM, Number

SESSION, WINDOW, PANE, CLIENT = "session", "window", "pane", "client"

ID = "id"
NUMBER = "number"
FLAG = "flag"
CLOCK = "clock"
"""Seconds since 1970."""
TEXT = "text"
NAME = "name"
"""A text that something is decided by, so that its length has a limit."""
GUARD = "guard"
"""No variable of tmux: the place of what is compared for a pane before tmux 2.9."""

CREATED, INPUT, OUTPUT = "created", "input", "output"
"""What a clock tells of: that a session was made, that somebody used it, that something was printed."""

NAME_LIMIT = 16384
"""Characters in a name: no message that makes a session can be longer."""


class Field(NamedTuple):
    """A variable of tmux. ``of``: what has it. ``meaning``: a sentence; of a clock, the one in the documentation.

    ``guarded``: whether a session in which it has changed since it was listed lives. ``since``: which tmux has it; an
    older one lists it empty. ``empty``: whether any may.

    Of a clock, ``kind`` is what it tells of; None if it does not count. ``word`` is its name in results; of clocks with
    the same word, the newest counts and the first is in the documentation. ``moves`` is a guarded clock that moves
    whenever this one does, which cannot be compared itself.
    """

    name: str
    of: str
    type: str
    meaning: str
    guarded: bool = False
    since: Number = MINIMUM
    empty: bool = False
    kind: Optional[str] = None
    word: str = ""
    moves: str = ""

    @property
    def may_be_empty(self) -> bool:
        return self.empty or self.since > MINIMUM


def _clock(
    name: str,
    of: str,
    kind: str,
    word: str,
    meaning: str,
    guarded: bool = True,
    since: Number = MINIMUM,
    empty: bool = False,
    moves: str = "",
) -> Field:
    return Field(name, of, CLOCK, meaning, guarded, since, empty, kind, word, moves)


FIELDS: Tuple[Field, ...] = (
    Field("session_id", SESSION, ID, "Its id, which its server gives to no other."),
    Field("pid", SESSION, NUMBER, "The process id of the server."),
    Field("start_time", SESSION, CLOCK, "When the server was started."),
    _clock("session_created", SESSION, CREATED, "created", "When it was created."),
    _clock("session_activity", SESSION, INPUT, "input", "When a client last gave input."),
    _clock(
        "session_last_attached",
        SESSION,
        INPUT,
        "last_attached",
        "When a client last attached. Null if none ever did.",
        empty=True,
    ),
    Field("session_attached", SESSION, NUMBER, "How many clients are attached.", guarded=True),
    Field("session_windows", SESSION, NUMBER, "How many windows it has.", guarded=True),
    Field("version", SESSION, TEXT, "The version of the server."),
    Field("session_name", SESSION, NAME, "Its name.", guarded=True),
    Field("session_group", SESSION, TEXT, "The group it belongs to."),
    Field("@keep", SESSION, NAME, "What its user says of keeping it.", guarded=True),
    Field("@no_snapshot", SESSION, NAME, "What its user says of saving it.", guarded=True),
    Field("@fleet_tmux_keep", SESSION, TEXT, "Since when what its user says of keeping it is known."),
    Field("@fleet_tmux_notice", SESSION, TEXT, "The notice that was given to it.", guarded=True),
    Field("window_id", WINDOW, ID, "Its id.", guarded=True),
    Field("window_index", WINDOW, NUMBER, "Its place in the session."),
    Field("window_active", WINDOW, FLAG, "Whether it is the current one."),
    _clock("window_activity", WINDOW, OUTPUT, "output", "When one of its windows last had output."),
    Field("window_width", WINDOW, NUMBER, "Its columns."),
    Field("window_height", WINDOW, NUMBER, "Its rows."),
    Field("window_panes", WINDOW, NUMBER, "How many panes it has."),
    Field("window_layout", WINDOW, TEXT, "How its panes lie."),
    Field("window_name", WINDOW, TEXT, "Its name."),
    Field("pane_id", PANE, ID, "Its id.", guarded=True),
    Field("pane_index", PANE, NUMBER, "Its place in the window."),
    Field("pane_pid", PANE, NUMBER, "The process that was started in it.", guarded=True, empty=True),
    Field("pane_dead", PANE, FLAG, "Whether that has ended.", guarded=True),
    Field("pane_dead_status", PANE, NUMBER, "The exit status that it ended with.", empty=True),
    Field("pane_dead_signal", PANE, TEXT, "The signal that it was ended by.", since=(3, 3)),
    Field("pane_active", PANE, FLAG, "Whether it is the current one."),
    Field("pane_width", PANE, NUMBER, "Its columns."),
    Field("pane_height", PANE, NUMBER, "Its rows."),
    Field("guard", PANE, GUARD, "What is compared for it."),
    Field("pane_current_command", PANE, TEXT, "What runs in it."),
    Field("pane_current_path", PANE, TEXT, "The directory that this is in."),
    Field("pane_title", PANE, TEXT, "Its title."),
    Field("pane_start_command", PANE, TEXT, "What it was started with."),
    Field("pane_tty", PANE, TEXT, "The terminal that its program has."),
    Field("client_pid", CLIENT, NUMBER, "Its process.", empty=True),
    Field("client_tty", CLIENT, TEXT, "The terminal that it is on; one in control mode may have none."),
    Field("client_created", CLIENT, CLOCK, "When it attached to the server.", empty=True),
    Field("client_control_mode", CLIENT, TEXT, "Whether a program uses it rather than a person, by commands."),
    _clock(
        "client_activity",
        CLIENT,
        INPUT,
        "input",
        "When it last gave input.",
        guarded=False,
        moves="session_activity",
    ),
)

CLOCKS: Tuple[Field, ...] = tuple(field for field in FIELDS if field.kind is not None)
"""The clocks that can count as activity."""

_KEYS: Dict[str, Tuple[str, ...]] = {
    SESSION: (),
    WINDOW: ("session_id",),
    PANE: ("session_id", "window_id"),
    CLIENT: ("session_id",),
}
"""What a row begins with, so that it is known whose it is."""
_BY_NAME = {field.name: field for field in FIELDS}
_COLUMNS: Dict[str, Tuple[Field, ...]] = {
    of: tuple(_BY_NAME[key] for key in keys) + tuple(field for field in FIELDS if field.of == of)
    for of, keys in _KEYS.items()
}
_MARKS = {"session_id": "$", "window_id": "@", "pane_id": "%"}
_NUMBER = re.compile(r"[0-9]{1,15}\Z")
_IDENTITY = ("pid", "start_time", "session_id", "session_created")


# --- what is asked


def variable(name: str) -> str:
    """A field as a format has it."""
    return "#{%s}" % name


def columns(of: str) -> Tuple[str, ...]:
    """The names of the fields in a row, in the order in which it lists them."""
    return tuple(field.name for field in _COLUMNS[of])


def formats(of: str, guard: str = "") -> List[str]:
    """What a row asks for. ``guard``: what is compared for a pane."""
    return [guard if field.type == GUARD else variable(field.name) for field in _COLUMNS[of]]


def identity_text() -> str:
    """Who a session is, whatever it does meanwhile."""
    return "/".join(variable(name) for name in _IDENTITY + ("session_name",))


def guard_texts(without: str = "", options: Sequence[str] = ()) -> Tuple[str, str]:
    """All that is compared, for a session (its name comes last) and for a pane; ``without``: a kind of clock.

    ``options``: user options that are compared too.

    Where a format cannot go over windows and panes, what is compared for a pane says how many others there are.
    """
    window = "=".join(_guarded(WINDOW, without))
    pane = ".".join(_guarded(PANE, without))
    first, last = [variable(name) for name in _IDENTITY], variable("session_name")
    rest = [text for text in _guarded(SESSION, without) if text not in first + [last]]
    session = first + rest + [variable(name) for name in options] + ["#{W:%s#{P:+%s} }" % (window, pane), last]
    return "/".join(session), "/".join([variable("session_id"), window, variable("window_panes"), pane])


def _guarded(of: str, without: str) -> List[str]:
    return [variable(field.name) for field in FIELDS if field.of == of and field.guarded and field.kind != without]


# --- what is read


def number(text: str) -> int:
    """A number as tmux prints it; what is longer or has a sign was not made by tmux, and could cost a lot to read.

    :raises ValueError: for anything else.
    """
    if _NUMBER.match(text) is None:
        raise ValueError("it is no number")
    return int(text)


def _id(mark: str) -> Callable[[str], str]:
    written = re.compile(re.escape(mark) + r"[0-9]{1,15}\Z")

    def read(text: str) -> str:
        if written.match(text) is None:
            raise ValueError("it is no id")
        return text

    return read


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("it is neither 0 nor 1")
    return text == "1"


def _name(text: str) -> str:
    if len(text) > NAME_LIMIT:
        raise ValueError(f"it has more than {NAME_LIMIT} characters")
    return text


_READERS: Dict[str, Callable[[str], Any]] = {
    NUMBER: number,
    CLOCK: number,
    FLAG: _flag,
    NAME: _name,
    TEXT: str,
    GUARD: str,
}


def reader(field: Field) -> Callable[[str], Any]:
    """What makes of a listed text what the field is, or raises ValueError."""
    if field.type == ID:
        return _id(_MARKS[field.name])
    read = _READERS[field.type]
    if field.may_be_empty and read is number:
        return lambda text: number(text) if text else None
    return read


_COLUMN_READERS = {of: tuple((field.name, reader(field)) for field in _COLUMNS[of]) for of in _KEYS}


def values(of: str, listed: Sequence[str]) -> Dict[str, Any]:
    """The fields of a row by name, each as what it is.

    :raises ValueError: for a row that has not these fields, or one that makes no sense.
    """
    expected = _COLUMN_READERS[of]
    if len(listed) != len(expected):
        raise ValueError(f"{len(listed)} fields of a {of} were listed, not {len(expected)}")
    row = {}
    for (name, read), text in zip(expected, listed):
        try:
            row[name] = read(text)
        except ValueError as problem:
            raise ValueError(f"{name}: {problem}")
    return row


_CLOCKS_OF = {of: tuple(field.name for field in CLOCKS if field.of == of) for of in _KEYS}


def clocks(of: str, row: Dict[str, Any]) -> Dict[str, Optional[int]]:
    """The clocks in the values of a row."""
    return {name: row[name] for name in _CLOCKS_OF[of]}
