# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A session that is there, as the options of tmux_session that would make one like it."""

from types import MappingProxyType
from typing import Any, Collection, Dict, List, Mapping, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._actions.restore import problem_of
from ansible_collections.fleet.tmux.plugins.module_utils._policy import cleanups
from ansible_collections.fleet.tmux.plugins.module_utils._policy.cleanups import Files
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import Version, start_words, unsuitable
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import CLEANUP_OPTION, Pane, Session, Window
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.pipes import OLDER, Pipe

Json = Dict[str, Any]

GONE = " (deleted)"
"""Ends the path of a directory that is not there any more, as the kernel tells it."""

WINDOWS, PANES = 100, 100
"""Windows of a session, and panes of a window, beyond which none is told."""

_OURS = "@fleet_tmux_"
"""Begins the names of user options by which the modules remember something of one session."""

_ALONE = ["/bin/sh", "-c", 'exec "$0"']
"""What stands before a program that was the only word of an argv of ours."""
_UNQUOTED = " ".join(_ALONE) + " "
"""The same where tmux quotes nothing."""


def declaration(
    session: Session,
    options: Mapping[str, str],
    automatic: Collection[str],
    version: Version,
    logs: Mapping[str, Pipe] = MappingProxyType({}),
) -> Optional[Json]:
    """The options; None where they cannot be told whole, or not be taken as they are.

    :param options: its user options, as the server holds them, also that which notes what goes with it.
    :param automatic: the ids of windows that tmux names after what runs in them.
    :param logs: the panes, by their ids, whose output is written to a file, and which.
    """
    if unsuitable(session.name) or not _has_bounds(session) or not _are_told(session, version):
        return None
    window = next((window for window in session.windows if window.active), session.windows[0])
    told: Json = {"name": [session.name], "width": window.width, "height": window.height}
    own = {name: value for name, value in options.items() if not name.startswith(_OURS)}
    if own:
        told["options"] = own
    names = [window.name for window in session.windows]
    windows = sorted(session.windows, key=lambda each: each.number)
    own_logs = _once(windows, logs)
    told["windows"] = [_window(window, names, window.id not in automatic, version, own_logs) for window in windows]
    sizes = {pipe.size for pipe in own_logs.values()}
    size = sizes.pop() if len(sizes) == 1 else None
    if size is not None:
        told["log_max_size"] = "%dK" % (size // 1024)
    files = cleanups.read(options.get(CLEANUP_OPTION, ""))
    told.update(_going(files, [pipe.log for pipe in own_logs.values()], "" if size is None else OLDER))
    return told if _is_plain(told) else None


def _has_bounds(session: Session) -> bool:
    return len(session.windows) <= WINDOWS and all(len(window.panes) <= PANES for window in session.windows)


def _are_told(session: Session, version: Version) -> bool:
    """Whether what each pane was begun with can be told."""
    panes = [pane for window in session.windows for pane in window.panes]
    return all(start_words(pane.start_command, version) is not None for pane in panes)


def _once(windows: Sequence[Window], logs: Mapping[str, Pipe]) -> Dict[str, Pipe]:
    """The logs of panes, and of two that write to the same file that of the first: another is not taken."""
    found: Dict[str, Pipe] = {}
    for pane in [pane for window in windows for pane in sorted(window.panes, key=lambda each: each.number)]:
        if pane.id in logs and logs[pane.id].log not in [pipe.log for pipe in found.values()]:
            found[pane.id] = logs[pane.id]
    return found


def _going(files: Files, logs: Sequence[str], older: str) -> Json:
    """What goes with a session, where these logs are declared. Else it is left out, and so stays as it is noted."""
    wanted = {"log": "remove" if files.logs else "keep", "files": list(files.others)}
    if not files.paths or cleanups.wanted(wanted, logs, older, "") != files:
        return {}
    return {"cleanup": wanted if files.logs else {"files": wanted["files"]}}


def _window(window: Window, names: Sequence[str], is_named: bool, version: Version, logs: Mapping[str, Pipe]) -> Json:
    """A window. One whose name another has too, or tmux has given it, or no window can be given, has none."""
    told: Json = {}
    if not unsuitable(window.name) and is_named and names.count(window.name) == 1:
        told["name"] = window.name
    panes = [_pane(pane, version, logs) for pane in sorted(window.panes, key=lambda each: each.number)]
    if len(panes) == 1:
        told.update((key, value) for key, value in panes[0].items() if key != "focus")
    else:
        told.update(panes=panes)
        # tmux 2.7 shows tiled panes so that they do not fill the window.
        told.update({"layout": window.layout} if problem_of(window.layout, len(panes)) is None else {})
    return dict(told, focus=True) if window.active else told


def _pane(pane: Pane, version: Version, logs: Mapping[str, Pipe]) -> Json:
    told = _program(start_words(pane.start_command, version) or [])
    if pane.path.startswith("/") and not pane.path.endswith(GONE):
        told["chdir"] = pane.path
    if pane.id in logs:
        told["log"] = logs[pane.id].log
    return dict(told, focus=True) if pane.active else told


def _program(words: List[str]) -> Json:
    """What a pane was begun with; nothing for the user's shell."""
    if words[:-1] == _ALONE:
        return {"argv": words[-1:]}
    if len(words) == 1 and words[0].startswith(_UNQUOTED):
        return {"argv": [words[0][len(_UNQUOTED) :]]}
    if len(words) == 1:
        return {"command": words[0]}
    return {"argv": words} if words else {}


def _is_plain(value: Any) -> bool:
    """Whether a terminal and a file can take all of it as it is; nothing of it is changed for them."""
    parts: List[Any] = list(value) if isinstance(value, list) else []
    if isinstance(value, dict):
        parts = [*value, *value.values()]
    if isinstance(value, str):
        return value.replace("\n", "").replace("\t", "").isprintable()
    return all(_is_plain(part) for part in parts)
