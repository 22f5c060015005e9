# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions as tmuxinator's files declare them, as arguments of tmux_session. Pure."""

import re
import shlex
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.plugin_utils._declared import (
    Declared,
    DeclaredError,
    Json,
    Source,
    arguments,
    at,
    command,
    given,
    layout,
    mapping,
    number,
    put_in_front,
    sequence,
    split_options,
    text,
)

_HOOKS = (
    "on_project_start",
    "on_project_first_start",
    "on_project_restart",
    "on_project_exit",
    "on_project_stop",
    "pre",
    "post",
)
_HERE = ("attach", "tmux_detached")
"""Whether tmuxinator attaches to the session, which is nothing of the session."""
_PROJECT = (
    *_HOOKS,
    *_HERE,
    "cli_args",
    "enable_pane_titles",
    "name",
    "pane_title_format",
    "pane_title_position",
    "pre_tab",
    "pre_window",
    "project_name",
    "project_root",
    "rbenv",
    "root",
    "rvm",
    "socket_name",
    "socket_path",
    "startup_pane",
    "startup_window",
    "tabs",
    "tmux_command",
    "tmux_options",
    "windows",
)
_WINDOW = ("focused_pane", "layout", "panes", "pre", "root", "synchronize")
_TITLES = {"pane-border-status": "top", "pane-border-format": "#{pane_index}: #{pane_title}"}
_SOCKETS = {"-L": "socket_name", "-S": "socket_path"}
_CONFIGURED = {"-f": "no configuration file is read; name what it sets in options of the session or its windows"}


class _Project(NamedTuple):
    """What holds for all windows: a directory, lines that are typed first, and options."""

    root: Optional[str]
    before: List[str]
    options: Dict[str, str]


def from_tmuxinator(
    data: Any, directory: Optional[str] = None, base_index: int = 0, pane_base_index: int = 0
) -> Declared:
    """The arguments of tmux_session for what is in a file of tmuxinator's.

    :param base_index: the number of the first window in the numbers of the file; ``pane_base_index``: that of panes.
    :raises DeclaredError: when it would become another session.
    """
    source = Source("tmuxinator", directory)
    numbers = number("base_index", base_index), number("pane_base_index", pane_base_index)
    project = mapping("the file", data)
    source.known("", project, _PROJECT)
    name = _first(project, "project_name", "name")
    if name is None:
        raise DeclaredError("name: it is missing; write one into the file")
    which = "tabs" if project.get("tabs") else "windows"
    windows = sequence(which, project.get(which))
    if not windows:
        raise DeclaredError("windows: there is none; name at least one")
    common = _common(source, project)
    made = [_window(source, f"{which}[{place}]", window, common) for place, window in enumerate(windows)]
    _start(project, made, *numbers)
    _hooks(source, project)
    more = dict(_server(source, project), chdir=common.root)
    return Declared(arguments(source, _text("name", name), made, **more), source.notes)


def _common(source: Source, project: Mapping[str, Any]) -> _Project:
    root = _first(project, "project_root", "root")
    options: Dict[str, str] = {}
    if project.get("enable_pane_titles"):
        own = [project.get("pane_title_position"), project.get("pane_title_format")]
        options = {key: _text(key, own.pop(0) or value) for key, value in _TITLES.items()}
    return _Project(
        None if root is None else source.place("root", _text("root", root), None), _before(project), options
    )


def _before(project: Mapping[str, Any]) -> List[str]:
    """What is typed first into every pane: the oldest of the keys for it that is there counts."""
    for key, words in (("rbenv", "rbenv shell %s"), ("rvm", "rvm use %s")):
        if project.get(key):
            return [words % _text(key, project[key])]
    key = "pre_tab" if project.get("pre_tab") else "pre_window"
    return _lines(key, project.get(key))


def _server(source: Source, project: Mapping[str, Any]) -> Json:
    """Which server it is, from what tmux is to be told, and from keys of its own."""
    found: Json = {}
    key = "cli_args" if project.get("cli_args") else "tmux_options"
    if project.get("cli_args") and project.get("tmux_options"):
        source.note("tmux_options", "cli_args counts instead")
    try:
        words = shlex.split(_text(key, project.get(key) or ""))
    except ValueError:
        raise DeclaredError(f"{key}: its quotes do not match")
    for word, value in split_options(words):
        if word in _SOCKETS and value:
            found[_SOCKETS[word]] = value
        else:
            source.note(key, f"{word} is not taken over" + (": " + _CONFIGURED[word] if word in _CONFIGURED else ""))
    own = given(socket_path=project.get("socket_path"), socket_name=project.get("socket_name"))
    if own:
        # As tmuxinator has it: a path rather than a name, and either rather than what tmux is told otherwise.
        first = next(iter(own))
        found = {first: _text(first, own[first])}
    if project.get("tmux_command"):
        source.note("tmux_command", "another program than tmux is not used; name a tmux with executable")
    return found


def _hooks(source: Source, project: Mapping[str, Any]) -> None:
    for key in _HOOKS:
        if project.get(key):
            source.note(key, "hooks are not run; run what they do in a task of its own")


# --- windows ----------------------------------------------------------------------------------------------------------


def _window(source: Source, where: str, window: Any, project: _Project) -> Json:
    if not isinstance(window, Mapping):
        window = {_text(where, window): None}
    if len(window) != 1:
        raise DeclaredError(f"{where}: it has {len(window)} keys; write one, the window's name, and indent the rest")
    name, own = next(iter(window.items()))
    inner = own if isinstance(own, Mapping) else {}
    where = at(where, str(name))
    source.known(where, inner, _WINDOW)
    panes, titles = _panes(where, own, inner, project)
    if inner.get("focused_pane") is not None:
        put_in_front(panes, _focused(source, at(where, "focused_pane"), inner["focused_pane"], titles))
    root = inner.get("root")
    chdir = None if root is None else source.place(at(where, "root"), _text(at(where, "root"), root), project.root)
    return given(
        name=None if name is None else _text(where, name),
        chdir=None if chdir == project.root else chdir,
        layout=layout(at(where, "layout"), inner.get("layout")),
        options=dict(project.options, **_synchronized(source, at(where, "synchronize"), inner.get("synchronize"))),
        panes=[] if panes == [{}] else panes,
    )


def _focused(source: Source, where: str, wanted: Any, titles: Sequence[Optional[str]]) -> int:
    found = _numbered(wanted, titles, 0)
    if found is None:
        source.note(where, f"there is no pane {wanted!r}; the first one is active")
    return found or 0


def _synchronized(source: Source, where: str, said: Any) -> Dict[str, str]:
    if said in (True, "before", "after"):
        return {"synchronize-panes": "on"}
    if said not in (None, False, ""):
        source.note(where, f"{said!r} is none of true, before and after, so panes are not synchronized")
    return {}


def _panes(where: str, own: Any, inner: Mapping[str, Any], project: _Project) -> Tuple[List[Json], List[Optional[str]]]:
    """The panes of a window, and what each is called."""
    declared = inner.get("panes")
    if declared in (None, "", []):
        lines = [] if isinstance(own, Mapping) else _lines(where, own)
        return [given(command=command(project.before + lines))], [None]
    every = declared if isinstance(declared, (list, tuple)) else [declared]
    pre = _lines(at(where, "pre"), inner.get("pre"))
    before = project.before + ([" && ".join(pre)] if pre else [])
    read = [_pane(f"{where}.panes[{place}]", pane, before) for place, pane in enumerate(every)]
    return read, [pane.get("title") for pane in read]


def _pane(where: str, pane: Any, before: Sequence[str]) -> Json:
    title = None
    if isinstance(pane, Mapping):
        if len(pane) != 1:
            raise DeclaredError(f"{where}: it has {len(pane)} keys; write one, the pane's title, with its commands")
        key, pane = next(iter(pane.items()))
        title = None if key is None else _text(where, key)
    return given(command=command([*before, *_lines(where, pane)]), title=title)


def _lines(where: str, commands: Any) -> List[str]:
    each = commands if isinstance(commands, (list, tuple)) else [commands]
    return [_text(where, one) for one in each if one not in (None, "")]


def _start(project: Mapping[str, Any], windows: Sequence[Json], base: int, pane_base: int) -> None:
    """Give the window and the pane the focus that the session begins with."""
    wanted = project.get("startup_window")
    first = 0
    if wanted is not None:
        found = _numbered(wanted, [window.get("name") for window in windows], base)
        if found is None:
            raise DeclaredError(f"startup_window: there is no window {wanted!r}; name one, or say its base_index")
        first = found
        put_in_front(windows, first)
    pane = project.get("startup_pane")
    if pane is not None:
        panes = windows[first].get("panes") or [{}]
        place = _numbered(pane, [None] * len(panes), pane_base)
        if place is None:
            raise DeclaredError(f"startup_pane: there is no pane {pane!r}; name its number, or say its pane_base_index")
        for other in panes:
            other.pop("focus", None)
        put_in_front(panes, place)


def _numbered(wanted: Any, names: Sequence[Optional[str]], base: int) -> Optional[int]:
    """Which of these is meant by a name, or by a number that begins at ``base``."""
    said = str(wanted)
    if said in names:
        return names.index(said)
    place = int(said) - base if re.fullmatch("[0-9]{1,9}", said) else -1
    return place if 0 <= place < len(names) else None


def _first(data: Mapping[str, Any], *keys: str) -> Any:
    return next((data[key] for key in keys if data.get(key) not in (None, "")), None)


def _text(where: str, value: Any) -> str:
    said = text(where, value)
    if "<%" in said:
        raise DeclaredError(f"{where}: templates of Ruby's (ERB) are not run; write the value that it stands for")
    return said
