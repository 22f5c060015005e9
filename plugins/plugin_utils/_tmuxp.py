# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions as tmuxp's files declare them, as arguments of tmux_session, and the other way round. Pure."""

import re
import shlex
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.plugin_utils._declared import (
    Declared,
    DeclaredError,
    Json,
    Source,
    arguments,
    at,
    command,
    given,
    is_shell,
    layout,
    lines_of,
    mapping,
    option,
    put_in_front,
    sequence,
    text,
)

_BLANK = (None, "", "blank", "pane")
_SESSION = (
    "before_script",
    "environment",
    "global_options",
    "options",
    "plugins",
    "session_name",
    "shell_command_before",
    "start_directory",
    "suppress_history",
    "windows",
)
_WINDOW = (
    "environment",
    "focus",
    "layout",
    "options",
    "options_after",
    "panes",
    "shell_command_before",
    "start_directory",
    "suppress_history",
    "window_index",
    "window_name",
    "window_shell",
)
_PANE = (
    "enter",
    "environment",
    "focus",
    "shell",
    "shell_command",
    "shell_command_before",
    "sleep_after",
    "sleep_before",
    "start_directory",
    "suppress_history",
)
_COMMAND = ("cmd", "enter", "sleep_after", "sleep_before")
_NOT_TAKEN = {
    "plugins": "they are not run",
    "before_script": "it is not run; run it in a task before this one",
    "window_index": "windows are numbered in their order",
}


_OF_SERVER = frozenset(
    """
    backspace buffer-limit codepoint-widths command-alias copy-command default-client-command default-terminal editor
    escape-time exit-empty exit-unattached extended-keys extended-keys-format focus-events get-clipboard history-file
    input-buffer-size message-limit prefix-timeout prompt-history-limit set-clipboard terminal-features
    terminal-overrides user-keys variation-selector-always-wide
    """.split()
)
"""Options that tmux sets for the server wherever they stand (``OPTIONS_TABLE_SERVER`` in its options-table.c)."""


class _Level(NamedTuple):
    """What a session, a window or a pane says, and what is said above it where it says nothing.

    ``env``: its own variables; to these come those from above, unlike in tmuxp, where a pane has none of its window's.
    """

    chdir: Optional[str]
    env: Dict[str, str]
    before: List[str]
    shell: Optional[str] = None


def from_tmuxp(data: Any, directory: Optional[str] = None, variables: Optional[Mapping[str, Any]] = None) -> Declared:
    """The arguments of tmux_session for what is in a file of tmuxp's.

    :raises DeclaredError: when it would become another session.
    """
    source = Source("tmuxp", directory, variables)
    session = mapping("the file", data)
    _unlike(source, "", session, _SESSION)
    if session.get("session_name") in (None, ""):
        raise DeclaredError("session_name: it is missing; write one into the file")
    windows = sequence("windows", session.get("windows"))
    if not windows:
        raise DeclaredError("windows: there is none; name at least one")
    level = _below(source, "", session, _Level(None, {}, []))
    made = [
        _window(source, f"windows[{number}]", mapping(f"windows[{number}]", window), level)
        for number, window in enumerate(windows)
    ]
    put_in_front(made, _last_focus(windows))
    name = source.filled("session_name", text("session_name", session["session_name"]))
    more = {"chdir": level.chdir, "env": level.env, "options": _session_options(source, session)}
    return Declared(arguments(source, name, made, **more), source.notes)


def _session_options(source: Source, session: Mapping[str, Any]) -> Dict[str, str]:
    everywhere = _options(source, "", session, "global_options")
    if everywhere:
        source.note("global_options", "they are set for this session, and not for all of its server")
    return dict(everywhere, **_options(source, "", session, "options"))


def _window(source: Source, where: str, window: Mapping[str, Any], session: _Level) -> Json:
    _unlike(source, where, window, _WINDOW)
    level = _below(source, where, window, session)
    panes = sequence(at(where, "panes"), window.get("panes")) or [None]
    made = [_pane(source, f"{where}.panes[{number}]", pane, level) for number, pane in enumerate(panes)]
    put_in_front(made, _last_focus(panes))
    name = window.get("window_name")
    options = _options(source, where, window, "options")
    return given(
        name=None if name is None else source.filled(at(where, "window_name"), text(at(where, "window_name"), name)),
        chdir=None if level.chdir == session.chdir else level.chdir,
        env=level.env,
        layout=layout(at(where, "layout"), window.get("layout")),
        options=dict(options, **_options(source, where, window, "options_after")),
        panes=[] if made == [{}] else made,
    )


def _pane(source: Source, where: str, pane: Any, window: _Level) -> Json:
    if not isinstance(pane, Mapping):
        pane = {"shell_command": pane}
    _unlike(source, where, pane, _PANE)
    own = _below(source, where, pane, window)
    lines = own.before + _lines(source, at(where, "shell_command"), pane.get("shell_command"), pane)
    shell = own.shell
    if lines and shell is not None and not is_shell(shell):
        source.note(
            at(where, "shell_command"),
            f"the pane runs {shell}, into which nothing is typed; use tmux_send_keys in a task of its own",
        )
        lines = []
    return given(
        command=command(lines, shell),
        chdir=None if own.chdir == window.chdir else own.chdir,
        env=own.env,
    )


def _below(source: Source, where: str, data: Mapping[str, Any], above: _Level) -> _Level:
    """What holds below a session, a window or a pane."""
    place, chdir = data.get("start_directory"), above.chdir
    if place not in (None, ""):
        chdir = source.place(at(where, "start_directory"), _path(source, at(where, "start_directory"), place), chdir)
    before = _lines(source, at(where, "shell_command_before"), data.get("shell_command_before"), {})
    shell = data.get("shell", data.get("window_shell"))
    return _Level(
        chdir,
        _filled(source, at(where, "environment"), mapping(at(where, "environment"), data.get("environment"))),
        above.before + before,
        above.shell if shell in (None, "") else source.spoken(text(at(where, "shell"), shell)),
    )


def _filled(source: Source, where: str, values: Mapping[Any, Any]) -> Dict[str, str]:
    return {str(key): source.filled(at(where, str(key)), text(at(where, str(key)), values[key])) for key in values}


def _options(source: Source, where: str, data: Mapping[str, Any], key: str) -> Dict[str, str]:
    own = mapping(at(where, key), data.get(key))
    for name in [name for name in own if name in _OF_SERVER]:
        source.note(
            f"{at(where, key)}.{name}", "it is an option of the server, which a session has not; it is left out"
        )
    values = {name: option(f"{at(where, key)}.{name}", own[name]) for name in own if name not in _OF_SERVER}
    return _filled(source, at(where, key), values)


def _path(source: Source, where: str, value: Any) -> str:
    return source.filled(where, re.sub(r"\A\$(HOME\b|\{HOME\})", "~", text(where, value)))


def _lines(source: Source, where: str, commands: Any, pane: Mapping[str, Any]) -> List[str]:
    """The lines that are typed into a shell."""
    if isinstance(commands, Mapping) and "shell_command" in commands:
        commands = commands["shell_command"]
    each = list(commands) if isinstance(commands, (list, tuple)) else [commands]
    if len(each) == 1 and not isinstance(each[0], Mapping) and each[0] in _BLANK:
        return []
    return [
        line
        for number, one in enumerate(each)
        for line in _typed(source, f"{where}[{number}]" if len(each) > 1 else where, one, pane)
    ]


def _typed(source: Source, where: str, one: Any, pane: Mapping[str, Any]) -> List[str]:
    """One command, and how long is waited before it and after it."""
    one = one if isinstance(one, Mapping) else {"cmd": one}
    source.known(where, one, _COMMAND)
    if one.get("cmd") in (None, ""):
        return []
    if not one.get("enter", pane.get("enter", True)):
        source.note(where, "nothing is typed that is not run, so it is left out")
        return []
    waits = [_sleep(where, one.get(key, pane.get(key))) for key in ("sleep_before", "sleep_after")]
    return [*waits[0], source.spoken(text(where, one["cmd"])), *waits[1]]


def _sleep(where: str, seconds: Any) -> List[str]:
    if seconds is None:
        return []
    try:
        return [f"sleep {float(seconds):g}"]
    except (TypeError, ValueError):
        raise DeclaredError(f"{where}: {seconds!r} is no number of seconds to sleep")


def _last_focus(items: Sequence[Any]) -> Optional[int]:
    """Which has the focus in the end: each takes it from the one before."""
    wanted = [number for number, item in enumerate(items) if isinstance(item, Mapping) and item.get("focus")]
    return wanted[-1] if wanted else None


def _unlike(source: Source, where: str, data: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Tell of what is not taken over."""
    source.known(where, data, keys)
    for key, why in _NOT_TAKEN.items():
        if key in keys and data.get(key) not in (None, "", []):
            source.note(at(where, key), why)
    if data.get("suppress_history") is False:
        source.note(at(where, "suppress_history"), "nothing is typed, so nothing is in the shell's history")


# --- the other way round ----------------------------------------------------------------------------------------------

_SAME = {"name": "window_name", "chdir": "start_directory", "env": "environment", "layout": "layout", "focus": "focus"}
_OF_WINDOW = ("argv", "chdir", "command", "env", "focus", "layout", "name", "options", "panes")
_OF_PANE = ("argv", "chdir", "command", "env", "focus")
_OF_SESSION = ("argv", "chdir", "command", "env", "keep_exited", "name", "options", "state", "window_name", "windows")


def to_tmuxp(said: Any) -> Declared:
    """What tmuxp reads for what these arguments of tmux_session declare.

    :raises DeclaredError: when it would become another session.
    """
    source = Source("tmux_session", None)
    session = mapping("the arguments", said)
    if session.get("state", "present") not in ("present", "completed"):
        raise DeclaredError(f"state: with {session['state']!r} there is no session to be written down; leave it out")
    if session.get("windows"):
        _left_out(source, "", {key: session.get(key) for key in ("argv", "command", "window_name")}, ())
    _left_out(source, "", session, _OF_SESSION)
    names = session.get("name")
    names = [names] if not isinstance(names, (list, tuple)) else list(names)
    if len(names) != 1 or names[0] in (None, ""):
        raise DeclaredError("name: a file of tmuxp's has exactly one session; give one name")
    windows = sequence("windows", session.get("windows")) or [
        given(name=session.get("window_name"), command=session.get("command"), argv=session.get("argv"))
    ]
    result = given(
        session_name=text("name", names[0]),
        start_directory=session.get("chdir"),
        environment=_plain(source, "env", session.get("env")),
        options=_session_options_of(source, session),
    )
    _warn_of_variables(source, "name", result["session_name"])
    if re.search(_READ, str(session.get("chdir") or "")):
        source.note("chdir", "tmuxp replaces variables in it when it reads the file")
    made = [_tmuxp_window(source, f"windows[{number}]", window) for number, window in enumerate(windows)]
    return Declared(dict(result, windows=made), source.notes)


def _session_options_of(source: Source, session: Mapping[str, Any]) -> Dict[str, str]:
    """Options of the session. Those of windows are of each window there too."""
    own = _plain(source, "options", session.get("options"))
    keep = session.get("keep_exited")
    return own if keep is None else dict(own, **{"remain-on-exit": option("keep_exited", bool(keep))})


def _tmuxp_window(source: Source, where: str, window: Any) -> Json:
    window = mapping(where, window)
    _left_out(source, where, window, _OF_WINDOW)
    panes = sequence(at(where, "panes"), window.get("panes")) or [
        given(command=window.get("command"), argv=window.get("argv"))
    ]
    made = [_tmuxp_pane(source, f"{where}.panes[{number}]", pane) for number, pane in enumerate(panes)]
    return dict(_common(source, where, window), panes=made)


def _tmuxp_pane(source: Source, where: str, pane: Any) -> Any:
    pane = mapping(where, pane)
    _left_out(source, where, pane, _OF_PANE)
    said, words = pane.get("command"), pane.get("argv")
    lines = None if said is None else lines_of(text(at(where, "command"), said))
    program = said if lines is None else None
    if words:
        program = " ".join(shlex.quote(text(at(where, "argv"), word)) for word in words)
    typed = [{"cmd": line} if line in _BLANK else line for line in lines or ()]
    return dict(_common(source, where, pane), **given(shell=program, shell_command=typed)) or "pane"


def _common(source: Source, where: str, item: Mapping[str, Any]) -> Json:
    """What windows and panes both have."""
    found = given(**{_SAME[key]: item.get(key) for key in _SAME})
    for key in ("chdir", "name"):
        if re.search(_READ, str(item.get(key) or "")):
            source.note(at(where, key), "tmuxp replaces variables in it when it reads the file")
    for key, other in (("env", "environment"), ("options", "options")):
        found.update(given(**{other: _plain(source, at(where, key), item.get(key))}))
    return found


def _plain(source: Source, where: str, values: Any) -> Dict[str, str]:
    own = mapping(where, values)
    found = {str(key): option(f"{where}.{key}", own[key]) for key in own}
    for key, value in found.items():
        _warn_of_variables(source, f"{where}.{key}", value)
    return found


_READ = r"\$(\w|\{)"
"""Begins what tmuxp takes for a variable."""


def _warn_of_variables(source: Source, where: str, value: str) -> None:
    if re.search(_READ, value) or value.startswith("~"):
        source.note(where, "tmuxp replaces variables and ~ in it when it reads the file")


def _left_out(source: Source, where: str, data: Mapping[str, Any], keys: Sequence[str]) -> None:
    for key in [key for key in data if key not in keys and data[key] not in (None, False, "", [], {})]:
        source.note(at(where, str(key)), "tmuxp has nothing like it; it is left out")
