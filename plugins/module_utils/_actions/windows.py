# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that make a window with its panes, whether it was saved or declared."""

import re
from typing import Dict, FrozenSet, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.restore import problem_of
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.module_utils._policy.begun import ALONE
from ansible_collections.fleet.tmux.plugins.module_utils._policy.declared import DeclaredPane, DeclaredWindow
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import pipes
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    THEN,
    Capability,
    Command,
    Version,
    expanded_literal,
    window_name,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.exits import set_for_window
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session, Window, row, rows

MARK = "@fleet_tmux_window"
"""The user option of a window that says which of the declared ones it is, whatever it is called by now."""

PANES = "@fleet_tmux_panes"
"""The user option of such a window that says in which session, and with which panes, it was made: see ``Made``."""

NONCE = "@fleet_tmux_new"
"""The user option of a window that is being made, in which it says by whom."""

Variables = Mapping[str, str]


class WindowError(ValueError):
    """A window that is declared to be what none can be; nothing was done."""


LAYOUTS = ("even-horizontal", "even-vertical", "main-horizontal", "main-vertical", "tiled")
"""Those that every supported tmux has. To another word one of them answers by ending, with all sessions."""


def require_layout(window: DeclaredWindow) -> None:
    """:raises WindowError: for a layout that is none, or not one for so many panes."""
    if window.layout in ("", *LAYOUTS):
        return
    problem = problem_of(window.layout, len(window.panes))
    if problem is not None:
        raise WindowError(
            f"windows: layout {shown(window.layout[:80])!r} of window {shown(window.label)!r} is neither one of "
            f"{', '.join(LAYOUTS)} nor what tmux shows for window_layout: {problem}"
        )


class NewPane(NamedTuple):
    """A pane that is to be made. ``words``: what it runs, as tmux is told; none for the user's shell.

    ``log``: where its output is written besides, with how many bytes that file gets.
    """

    words: Tuple[str, ...]
    chdir: str
    env: Tuple[Tuple[str, str], ...] = ()
    title: Optional[str] = None
    focus: bool = False
    log: Optional[Tuple[str, Optional[int]]] = None


class NewWindow(NamedTuple):
    """A window that is to be made. ``number``: its place in the session.

    ``layout``: none for panes that are tiled. ``mark``: which of the declared ones it is. ``id``: of one whose first
    pane has been made, with the number ``first``, among windows that others may move.
    """

    number: int
    name: Optional[str]
    panes: Tuple[NewPane, ...]
    layout: str = ""
    size: Optional[Tuple[int, int]] = None
    mark: str = ""
    id: str = ""
    first: int = 0

    def place(self, session: str) -> str:
        """Where it is to be, or is."""
        return self.id or f"{session}:{self.number}"

    def pane(self, session: str, position: int) -> str:
        """One of its panes; where it is the current window, the one that was made last is the active one."""
        return f"{self.id}.{self.first + position}" if self.id else self.place(session)


def program(command: Optional[str], argv: Sequence[str]) -> Tuple[str, ...]:
    """A command for the user's shell, or words that no shell looks at, as tmux is told."""
    if command is not None:
        return (command,)
    if len(argv) == 1:
        # tmux gives a single word to the user's shell; this way it is run as given.
        return (*ALONE, argv[0])
    return tuple(argv)


def declared_window(
    window: DeclaredWindow,
    number: int,
    places: Mapping[Optional[str], str],
    size: Optional[Tuple[int, int]],
    log_max_size: Optional[int] = None,
) -> NewWindow:
    """A declared window. ``places``: the directories that are meant, by how they were written."""
    panes = tuple(_declared_pane(pane, places, log_max_size) for pane in window.panes)
    return NewWindow(number, window.name, panes, window.layout, size, window.mark)


def _declared_pane(pane: DeclaredPane, places: Mapping[Optional[str], str], log_max_size: Optional[int]) -> NewPane:
    log = None if pane.log is None else (pane.log.path, log_max_size)
    return NewPane(program(pane.command, pane.argv), places[pane.chdir], pane.env, pane.title, pane.focus, log)


def making(window: NewWindow, session: str, version: Version, env: Variables, replaces: bool = False) -> List[Command]:
    """Make a window and its panes, tiled.

    :param env: the variables of the session, which those of a pane take the place of while it is made.
    :param replaces: whether it takes the place of one that is there.
    """
    new = ["new-window", *(["-k"] if replaces else []), "-t", window.place(session)]
    first = [*new, *_named(window, version), *_running(window.panes[0], version)]
    first += _logging(window.panes[0], window.place(session), version)
    commands = _with_variables(first, session, dict(window.panes[0].env), env)
    return commands + filling(window, session, version, env)


def opening(window: NewWindow, session: str, version: Version, env: Variables, told: str, nonce: str) -> List[Command]:
    """Make a window with its first pane after all others of a session that people use. They stay where they are.

    It has a note of whose it is, and stays when its command ends, from the beginning.

    :param told: the format in which tmux tells of it.
    """
    place = session + ":{end}"  # In the same line: it is the last one then, or nothing of this is done.
    new = ["new-window", "-d", "-a", "-P", "-F", told, "-t", place, *_named(window, version)]
    new += [*_running(window.panes[0], version), THEN, *set_for_window(place, True)]
    new += [THEN, "set-option", "-w", "-t", place, "--", NONCE, nonce, *_logging(window.panes[0], place, version)]
    return _with_variables(new, session, dict(window.panes[0].env), env)


def opened(window: NewWindow) -> List[Command]:
    """Take the note away from one that is whole."""
    return [["set-option", "-w", "-u", "-t", window.id, "--", NONCE]]


def filling(window: NewWindow, session: str, version: Version, env: Variables) -> List[Command]:
    """Make the other panes of a window that has its first one, tiled; nobody is taken to it for that."""
    place = window.place(session)
    commands = resized(place, window.size, version) + _marked(place, window)
    for position, pane in enumerate(window.panes):
        if position > 0:
            split = ["split-window", *(["-d"] if window.id else []), "-t", window.pane(session, position - 1)]
            split += [*_running(pane, version), *_logging(pane, window.pane(session, position), version)]
            commands += _with_variables(split, session, dict(pane.env), env)
        if pane.title is not None:
            title = expanded_literal(pane.title, version)
            commands.append(["select-pane", "-t", window.pane(session, position), "-T", title])
        # Room for the next pane: tmux refuses to split one that is too small.
        commands += [["select-layout", "-t", place, "tiled"]]
    return commands


def _named(window: NewWindow, version: Version) -> List[str]:
    return [] if window.name is None else ["-n", window_name(window.name, version)]


def _running(pane: NewPane, version: Version) -> List[str]:
    return ["-c", expanded_literal(pane.chdir, version), *(["--", *pane.words] if pane.words else [])]


def _logging(pane: NewPane, place: str, version: Version) -> List[str]:
    """Have the output of a pane written, in the line that makes it: so it has printed nothing before."""
    return [] if pane.log is None else [THEN, *pipes.start(place, pane.log[0], version, pane.log[1])]


def finishing(window: NewWindow, session: str) -> List[Command]:
    """Lay out the panes of a window that was just made, and go to the one that is to be the active one."""
    active = next((position for position, pane in enumerate(window.panes) if pane.focus), 0)
    if window.id:
        return [*laying(window, session), ["select-pane", "-t", window.pane(session, active)]]
    # The last pane is the active one now; the one that is to be comes so many steps after it.
    steps: List[Command] = [["select-pane", "-t", window.place(session) + ".+"]] * ((active + 1) % len(window.panes))
    return laying(window, session) + steps


def laying(window: NewWindow, session: str) -> List[Command]:
    """Lay out the panes of a window."""
    return [["select-layout", "-t", window.place(session), window.layout]] if window.layout else []


def _with_variables(command: Command, session: str, own: Variables, env: Variables) -> List[Command]:
    """A command that starts a pane, whose variables are in no process's arguments, and afterwards what they were."""
    before: List[Command] = [_set(session, name, value) for name, value in sorted(own.items())]
    return [*before, command, *restored(session, own, env)]


def restored(session: str, own: Iterable[str], env: Variables) -> List[Command]:
    """Give variables of panes back to the session."""
    return [_set(session, name, env[name]) if name in env else _unset(session, name) for name in sorted(own)]


def _set(session: str, name: str, value: str) -> Command:
    return ["set-environment", "-t", session, "--", name, value]


def _unset(session: str, name: str) -> Command:
    return ["set-environment", "-u", "-t", session, "--", name]


def variables(session: str, env: Sequence[Tuple[str, str]]) -> List[Command]:
    """Give a session its environment."""
    return [_set(session, name, value) for name, value in env]


def _marked(place: str, window: NewWindow) -> List[Command]:
    return [["set-option", "-w", "-t", place, "--", MARK, window.mark]] if window.mark else []


_BORN = "b"
_IDS = re.compile(r"@[0-9]{1,19} \$[0-9]{1,19} %[0-9]{1,19} [0-9]{1,19}")


def telling_birth(window: NewWindow, session: str, nonce: str) -> List[Command]:
    """Have tmux tell of a window that it has just made, for :func:`noting_birth`."""
    fields = ["#{window_id}", "#{session_id}", "#{pane_id}", "#{pane_pid}"]
    place = window.place(session)
    return [["list-panes", "-t", place, "-F", row(nonce, _BORN, fields)]] if window.mark else []


def noting_birth(printed: str, nonce: str, session: str, windows: Sequence[NewWindow]) -> List[Command]:
    """Have each window say what it was made as, and the session where the output of its panes is written."""
    found: Dict[str, List[str]] = {}
    for kind, fields in rows(printed, nonce):
        if kind == _BORN and _IDS.fullmatch(" ".join(fields)):
            window, own, pane, pid = fields
            # Without the signs before the numbers, which mean something to some versions.
            found.setdefault(window, [own[1:]]).append("%s:%s" % (pane[1:], pid))
    commands: List[Command] = []
    for each, (window, words) in zip(windows, found.items()):
        commands.append(["set-option", "-w", "-t", window, "--", PANES, " ".join(words)])
        for pane_, word in zip(each.panes, words[1:]):
            if pane_.log is not None:
                commands.append(pipes.note(session, "%" + word.partition(":")[0], *pane_.log))
    return commands


class Made(NamedTuple):
    """What a window was made as: which of the declared ones, in which session, and its panes with their processes."""

    mark: str
    session: str = ""
    panes: FrozenSet[str] = frozenset()

    @classmethod
    def parsed(cls, mark: str, noted: str) -> "Made":
        session, *panes = noted.split(" ")
        return cls(mark, session, frozenset(panes))

    def is_all_of(self, session: Session, window: Window) -> bool:
        """Whether all that lives in a window was made with it: neither moved there nor begun anew."""
        living = ["%s:%s" % (pane.id[1:], pane.pid) for pane in window.panes if not pane.dead]
        return self.session == session.id[1:] and self.panes.issuperset(living)


def resized(place: str, size: Optional[Tuple[int, int]], version: Version) -> List[Command]:
    if size is None or not version.has(Capability.SIZE_OF_NEW_SESSION_IGNORED):
        return []
    return [["resize-window", "-t", place, "-x", str(size[0]), "-y", str(size[1])]]


def staying(session: str, windows: Sequence[NewWindow], keep: bool = True) -> List[Command]:
    """Let the panes of windows stay when their command ends, or not."""
    return [set_for_window(window.place(session), keep) for window in windows]
