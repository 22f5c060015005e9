# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a session is declared to be, and in what one that is there differs from that. Pure."""

import os
import re
from types import MappingProxyType
from typing import (
    Any,
    Callable,
    Collection,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from ansible_collections.fleet.tmux.plugins.module_utils._host.births import Birth
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import WITHHELD
from ansible_collections.fleet.tmux.plugins.module_utils._policy.begun import Begun
from ansible_collections.fleet.tmux.plugins.module_utils._policy.layouts import is_laid_otherwise
from ansible_collections.fleet.tmux.plugins.module_utils._policy.matching import Sought, matched
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Pane, Session, Window

Pairs = Tuple[Tuple[str, str], ...]


class Log(NamedTuple):
    """A file to which the output of a pane is written. ``option``: what says so, for people."""

    path: str
    option: str = "log"


class DeclaredPane(NamedTuple):
    """A pane. ``chdir``: None for the directory of the session."""

    command: Optional[str] = None
    argv: Tuple[str, ...] = ()
    chdir: Optional[str] = None
    env: Pairs = ()
    title: Optional[str] = None
    focus: bool = False
    log: Optional[Log] = None

    @property
    def words(self) -> Optional[str]:
        """What it is to run; None for the user's shell."""
        return " ".join(self.argv) or self.command


class DeclaredWindow(NamedTuple):
    """A window, with at least one pane.

    ``mark``: what tells it apart from the others that are declared. ``label``: the same for people.
    ``automatic``: whether tmux is to call it after what runs in it, so that its name is only the first one.
    """

    mark: str
    name: Optional[str]
    panes: Tuple[DeclaredPane, ...]
    layout: str = ""
    options: Pairs = ()
    focus: bool = False
    automatic: bool = False

    @property
    def label(self) -> str:
        return "#" + self.mark[len(_PLACE) :] if self.name is None else self.name


_PLACE = ":"
"""Begins the mark of a window without a name, and no name that can be declared."""


_RENAME = "automatic-rename"
_ON = ("on", "yes", "1")


def declared_windows(
    windows: Sequence[Mapping[str, Any]], chdir: Optional[str], options: Optional[Mapping[str, str]] = None
) -> Tuple[DeclaredWindow, ...]:
    """Windows as options say them, with what holds for all of their panes said of each.

    :param options: what the session says of all of its windows.
    """
    return tuple(_window(number, window, chdir, options or {}) for number, window in enumerate(windows, 1))


def _window(number: int, given: Mapping[str, Any], chdir: Optional[str], options: Mapping[str, str]) -> DeclaredWindow:
    outer = dict(given, chdir=given.get("chdir") or chdir, title=None, focus=False)
    name = given.get("name")
    where = "windows[%d]: " % (number - 1)
    inner = [(where + "panes[%d]: log" % place, pane) for place, pane in enumerate(given.get("panes") or ())]
    return DeclaredWindow(
        mark="%s%d" % (_PLACE, number) if name is None else name,
        name=name,
        panes=tuple(_pane(pane, outer, option) for option, pane in inner or [(where + "log", outer)]),
        layout=given.get("layout") or "",
        options=_pairs(given.get("options")),
        focus=bool(given.get("focus")),
        automatic=dict(options, **(given.get("options") or {})).get(_RENAME) in _ON,
    )


def _pane(given: Mapping[str, Any], window: Mapping[str, Any], option: str) -> DeclaredPane:
    log = given.get("log")
    return DeclaredPane(
        command=given.get("command"),
        argv=tuple(given.get("argv") or ()),
        chdir=given.get("chdir") or window["chdir"],
        env=_pairs(dict(window.get("env") or {}, **(given.get("env") or {}))),
        title=given.get("title"),
        focus=bool(given.get("focus")),
        log=None if log is None else Log(log, option),
    )


def with_logs_at(windows: Sequence[DeclaredWindow], place: Callable[[str], str]) -> Tuple[DeclaredWindow, ...]:
    """The same, with their logs where ``place`` says."""

    def moved(pane: DeclaredPane) -> DeclaredPane:
        return pane if pane.log is None else pane._replace(log=pane.log._replace(path=place(pane.log.path)))

    return tuple(window._replace(panes=tuple(map(moved, window.panes))) for window in windows)


def logs_of(windows: Sequence[DeclaredWindow]) -> List[Log]:
    return [pane.log for window in windows for pane in window.panes if pane.log is not None]


def _pairs(given: Optional[Mapping[str, str]]) -> Pairs:
    return tuple(sorted((given or {}).items()))


OPTION = "option"
KEEP_EXITED = "keep_exited"
LOG = "log"
CLEANUP = "cleanup"
WINDOW = "window"
NAME = "name"
PANES = "panes"
COMMAND = "command"
ENDED = "ended"
LAYOUT = "layout"
CHDIR = "chdir"
ENV = "env"
ORDER = "order"

SHELL = "the user's shell"
"""What runs where nothing else is said, for people."""


class Difference(NamedTuple):
    """Something that is declared otherwise than it was found. ``pane``: its place in the window, counted from 0."""

    what: str
    declared: Optional[str] = None
    found: Optional[str] = None
    window: Optional[str] = None
    pane: Optional[int] = None

    @property
    def is_more(self) -> bool:
        """Of a number, whether there are more than are declared."""
        return int(self.found or 0) > int(self.declared or 0)

    def place(self, session: str) -> str:
        """Where it is, for people."""
        window = "" if self.window is None else ":%s" % self.window
        return session + window + ("" if self.pane is None else ".%d" % self.pane)

    def words(self, afterwards: bool) -> str:
        """What it is before, or afterwards."""
        value = self.declared if afterwards else self.found
        if value is None and self.what == OPTION:
            return "option %s not set" % (self.declared or "").partition("=")[0]
        return "%s %s" % (self.what, "none" if value is None else value)

    @property
    def otherwise(self) -> str:
        """In what it is left otherwise than is declared. No value of a variable is told."""
        if self.what == ENV:
            return "env %s is not as declared" % self.declared
        nothing = SHELL if self.what in (COMMAND, ENDED) else "none"
        if self.what == ENDED:
            return "%s has ended%s" % (self.declared or nothing, "" if self.found is None else ": %s" % self.found)
        return "%s %s instead of %s" % (self.what, self.found or nothing, self.declared or nothing)

    def withheld(self) -> "Difference":
        """Without what was found there, which stays on the host."""
        return self if self.found is None else self._replace(found=WITHHELD)

    def as_dict(self) -> Dict[str, Union[str, int, None]]:
        return {
            "window": self.window,
            "pane": self.pane,
            "what": self.what,
            "declared": self.declared,
            "found": self.found,
        }


Match = Tuple[DeclaredWindow, Window]


class Compared(NamedTuple):
    """Declared windows, and those of a session. ``missing`` is to be made, and matches of another name to be renamed.

    ``extra``: what is not declared. ``drift``: what else is otherwise, and is left alone. ``undeclared``: windows with
    a pane that was not made from what is declared, as far as that can be told. ``twins``: the ids of those in ``extra``
    that were made as one that is declared, and may be it.
    """

    matches: Tuple[Match, ...] = ()
    missing: Tuple[DeclaredWindow, ...] = ()
    extra: Tuple[Window, ...] = ()
    drift: Tuple[Difference, ...] = ()
    undeclared: Tuple[Window, ...] = ()
    twins: Tuple[str, ...] = ()

    @property
    def renamed(self) -> List[Match]:
        named = [match for match in self.matches if not match[0].automatic]
        return [(wanted, found) for wanted, found in named if wanted.name not in (None, found.name)]


class Details(NamedTuple):
    """What else a tmux, or the kernel, tells of windows and panes, by their ids, as far as it does.

    ``paths``: where panes were begun. ``chdir``: where those are to be that say nothing. ``home``: what ``~`` stands
    for. ``columns``: how many columns the tiled panes of windows are to have at most. ``births``: with what words and
    variables their processes have become what they are. ``begun``: how it shows what panes were begun with.
    """

    paths: Mapping[str, str] = MappingProxyType({})
    chdir: Optional[str] = None
    home: str = "/"
    columns: Mapping[str, int] = MappingProxyType({})
    births: Mapping[str, Birth] = MappingProxyType({})
    begun: Begun = Begun()

    def elsewhere(self, declared: DeclaredPane, pane: Pane) -> Optional[str]:
        """Where a pane was to be begun, if it was not; None if it was, or that is not known."""
        wanted, found = declared.chdir or self.chdir, self.paths.get(pane.id)
        if not wanted or not found:
            return None
        path = self.home + wanted[1:] if wanted == "~" or wanted.startswith("~/") else wanted
        return None if os.path.normpath(path) == os.path.normpath(found) else wanted

    def otherwise(self, declared: DeclaredPane, pane: Pane) -> List[str]:
        """The names of variables with which a pane was not begun as is declared, as far as that is known."""
        birth = self.births.get(pane.id)
        if birth is None or not _is_as_begun(birth, declared, pane):
            return []
        named = [(name, value) for name, value in declared.env if _NAME.fullmatch(name) and name not in _CHANGING]
        return [name for name, value in named if birth.variables.get(name) != value]


_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
"""Variables that no shell leaves out. Ours begins programs that are the only word."""

_CHANGING = frozenset(
    "COLORTERM OLDPWD PATH PWD SHELL SHLVL TERM TERM_PROGRAM TERM_PROGRAM_VERSION TMUX TMUX_PANE _".split()
)
"""Those that tmux, or a shell, sets by itself."""


def _is_as_begun(birth: Birth, declared: DeclaredPane, pane: Pane) -> bool:
    """Whether a process is what tmux has begun: what a shell has become has the variables that the shell had by then.

    The kernel does not tell whether a process has become another program. So its words must be exactly those, and
    tmux gives variables in the order of their names, which hardly any shell does.
    """
    if birth.variables.get("TMUX_PANE") != pane.id:
        return False
    if len(declared.argv) == 1:
        return birth.words == declared.argv and birth.is_programs  # A shell of ours has become it.
    if birth.is_shells:
        return False
    if declared.command is not None:
        return birth.words[1:] == ("-c", declared.command)
    if declared.argv:
        return birth.words == declared.argv
    return not pane.start_command and len(birth.words) == 1 and birth.words[0].startswith("-")


def compare_windows(
    wanted: Sequence[DeclaredWindow],
    session: Session,
    marks: Mapping[str, str],
    ours: Collection[str],
    details: Optional[Details] = None,
) -> Compared:
    """Which windows are which, and in what they differ.

    :param marks: by the id of a window, which of the declared ones it was made as: it may be called otherwise by now.
    :param ours: the ids of windows in which nothing runs but what was made from what was declared once.
    """
    if not wanted:
        return Compared()
    found = sorted(session.windows, key=lambda window: window.number)
    details = details or Details()
    pairs = _matched(wanted, found, marks, ours, details)
    matches = tuple((window, pairs[window.mark]) for window in wanted if window.mark in pairs)
    taken = {window.id for _wanted, window in matches}
    extra = tuple(window for window in found if window.id not in taken)
    missing = tuple(window for window in wanted if window.mark not in pairs)
    drift = list(_order(matches))
    for wanted_, window in matches:
        drift += [*_panes(wanted_, window, details.begun), *_inside(wanted_, window, details)]
    undeclared = [found_ for wanted_, found_ in matches if _may_hold_others(wanted_, found_, ours)]
    names = [one.name for one in wanted]
    twins = tuple(window.id for window in extra if window.id in marks and marks[window.id] in names)
    return Compared(matches, missing, extra, tuple(drift), extra + tuple(undeclared), twins)


def _may_hold_others(wanted: DeclaredWindow, found: Window, ours: Collection[str]) -> bool:
    """Whether somebody else has made a window, or a pane in it."""
    return found.id not in ours or len(found.panes) > len(wanted.panes)


def _matched(
    wanted: Sequence[DeclaredWindow],
    found: Sequence[Window],
    marks: Mapping[str, str],
    ours: Collection[str],
    details: Details,
) -> Dict[str, Window]:
    """Windows by the mark of the declared one that each is."""

    def sought(one: DeclaredWindow) -> Sought:
        return Sought(
            one.mark,
            one.name,
            one._replace(mark=""),
            lambda window: not any(_panes(one, window, details.begun)),
            lambda window: len(list(_inside(one, window, details))),
        )

    return matched([sought(one) for one in wanted], found, marks, ours)


def _order(matches: Sequence[Match]) -> Iterator[Difference]:
    now = sorted(matches, key=lambda match: match[1].number)
    if now != list(matches):
        yield Difference(ORDER, _marks(matches), _marks(now))


def _marks(matches: Sequence[Match]) -> str:
    return ", ".join(wanted.label for wanted, _window in matches)


def _panes(wanted: DeclaredWindow, window: Window, begun: Begun) -> Iterator[Difference]:
    if len(wanted.panes) != len(window.panes):
        yield Difference(PANES, str(len(wanted.panes)), str(len(window.panes)), wanted.label)
        return
    found = sorted(window.panes, key=lambda pane: pane.number)
    for place, (declared, pane) in enumerate(zip(wanted.panes, found)):
        if not begun.is_as(pane.start_command, declared.command, declared.argv):
            yield Difference(COMMAND, declared.words, pane.start_command or None, wanted.label, place)


class Logged(NamedTuple):
    """A pane whose output is declared to be in a log. ``place``: in its window, counted from 0."""

    pane: Pane
    log: Log
    window: Optional[str] = None
    place: Optional[int] = None


def logged_panes(compared: Compared) -> List[Logged]:
    """Those of which it is known which declared one each is: where they are as many, and run what is declared."""
    otherwise = {(each.window, each.pane) for each in compared.drift if each.what in (PANES, COMMAND)}
    found = []
    for wanted, window in compared.matches:
        panes = zip(wanted.panes, sorted(window.panes, key=lambda pane: pane.number))
        for place, (declared, pane) in enumerate(panes if (wanted.label, None) not in otherwise else ()):
            if declared.log is not None and (wanted.label, place) not in otherwise:
                found.append(Logged(pane, declared.log, wanted.label, place))
    return found


def _inside(wanted: DeclaredWindow, window: Window, details: Details) -> Iterator[Difference]:
    """In what a window with as many panes as are declared differs besides what they run."""
    if len(wanted.panes) == len(window.panes):
        yield from _ended(wanted, window)
        yield from _layout(wanted, window, details)
        yield from _directories(wanted, window, details)
        yield from _variables(wanted, window, details)


def _ended(wanted: DeclaredWindow, window: Window) -> Iterator[Difference]:
    found = sorted(window.panes, key=lambda pane: pane.number)
    for place, (declared, pane) in enumerate(zip(wanted.panes, found)):
        if pane.dead:
            yield Difference(ENDED, declared.words, _fate(pane), wanted.label, place)


def _fate(pane: Pane) -> Optional[str]:
    """How what ran in a pane has ended, as far as its tmux tells that."""
    if pane.signal:
        return "signal %s" % pane.signal
    return None if pane.status is None else "exit status %d" % pane.status


def _layout(wanted: DeclaredWindow, window: Window, details: Details) -> Iterator[Difference]:
    if is_laid_otherwise(wanted.layout, window.layout, len(window.panes), details.columns.get(window.id, 0)):
        yield Difference(LAYOUT, wanted.layout, window.layout, wanted.label)


def _directories(wanted: DeclaredWindow, window: Window, details: Details) -> Iterator[Difference]:
    found = sorted(window.panes, key=lambda pane: pane.number)
    for place, (declared, pane) in enumerate(zip(wanted.panes, found)):
        path = details.elsewhere(declared, pane)
        if path is not None:
            yield Difference(CHDIR, path, details.paths[pane.id], wanted.label, place)


def _variables(wanted: DeclaredWindow, window: Window, details: Details) -> Iterator[Difference]:
    found = sorted(window.panes, key=lambda pane: pane.number)
    for place, (declared, pane) in enumerate(zip(wanted.panes, found)):
        for name in details.otherwise(declared, pane):
            yield Difference(ENV, name, None, wanted.label, place)
