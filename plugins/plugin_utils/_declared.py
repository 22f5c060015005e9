# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What files of other programs have in common that declare sessions: places, values and what is typed. Pure."""

import re
from itertools import count
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

Json = Dict[str, Any]

_FIRST, _LAST = "trap : INT", 'exec "$SHELL"'
"""Ctrl+C ends what runs in the pane and not the shell that runs it; and a shell is left when all has run."""
_SHELLS = frozenset(["ash", "bash", "dash", "fish", "ksh", "mksh", "sh", "zsh"])
_VARIABLE = re.compile(r"\$(?:(\w+)|\{([^}]*)\})")
_BOOLEANS = {True: "on", False: "off"}


class DeclaredError(ValueError):
    """What cannot be taken over, and would make another session. The message says where, and what to do."""


class Declared(NamedTuple):
    """What a file becomes, and what of it is not taken over, in sentences."""

    result: Json
    notes: List[str]


class Source:
    """A file that is read.

    :param program: whose format it has. ``directory``: where it is. ``variables``: what ``$NAME`` in it stands for.
    :raises DeclaredError: when these are of another kind.
    """

    def __init__(self, program: str, directory: Optional[str], variables: Optional[Mapping[str, Any]] = None) -> None:
        self.program = program
        self.directory = _absolute("directory", directory)
        own = mapping("variables", variables)
        self.variables = {str(name): text(f"variables.{name}", own[name]) for name in own}
        self.notes: List[str] = []

    def note(self, where: str, words: str) -> None:
        """Say that something is not taken over; once, however often it is there."""
        said = f"{where}: {words}"
        if said not in self.notes:
            self.notes.append(said)

    def known(self, where: str, data: Mapping[Any, Any], keys: Iterable[str]) -> None:
        """Tell of keys that nothing is known of."""
        for key in [str(key) for key in data if key not in keys]:
            self.note(at(where, key), f"this is no key of {self.program} that is known here; it is left out")

    def place(self, where: str, path: str, base: Optional[str]) -> str:
        """A directory as tmux_session takes it: relative to ``base``, or to that of the file.

        :raises DeclaredError: when it is relative to a directory that nobody has named, or in the home of a user.
        """
        if path == "~" or path.startswith(("/", "~/")):
            return path
        if path.startswith("~"):
            raise DeclaredError(f"{where}: {path!r} is in the home of a user; write out where that is")
        base = base or self.directory
        if base is None:
            raise DeclaredError(
                f"{where}: {path!r} is relative to the directory of the file; name that with directory=, or write a"
                " path that begins with / or ~/"
            )
        parts = [part for part in path.split("/") if part not in ("", ".")]
        return "/".join([base.rstrip("/"), *parts]) or "/"

    def filled(self, where: str, text: str) -> str:
        """A text with the values of its variables.

        :raises DeclaredError: when one is not known: the host's are not known here, and those here are not the host's.
        """

        def value(found: "re.Match[str]") -> str:
            name = found.group(1) or found.group(2)
            if name not in self.variables:
                raise DeclaredError(
                    f"{where}: the value of ${name} is not known here; give it with variables={{'{name}': ...}}, or"
                    " write it out"
                )
            return self.variables[name]

        return _VARIABLE.sub(value, text)

    def spoken(self, text: str) -> str:
        """What a shell is told, with the values of variables that are given; others are the shell's own."""
        return _VARIABLE.sub(lambda found: self.variables.get(found.group(1) or found.group(2), found.group()), text)


def _absolute(option: str, path: Optional[str]) -> Optional[str]:
    if path is None:
        return None
    if not isinstance(path, str):
        raise DeclaredError(f"{option}: it is {_kind(path)} and no path; write it in quotes")
    if path != "~" and not path.startswith(("/", "~/")):
        raise DeclaredError(f"{option}: {path!r} is not absolute; write a path that begins with / or ~/")
    return path


def at(where: str, key: str) -> str:
    """The place of a key, like ``windows[0].layout``."""
    return f"{where}.{key}" if where else key


# --- values -----------------------------------------------------------------------------------------------------------


def text(where: str, value: Any) -> str:
    """A text, or a number or boolean that YAML has made of one.

    :raises DeclaredError: for anything else.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    raise DeclaredError(f"{where}: it is {_kind(value)} and no text; write it in quotes")


def mapping(where: str, value: Any) -> Mapping[Any, Any]:
    """A dictionary; nothing is an empty one.

    :raises DeclaredError: for anything else.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise DeclaredError(f"{where}: it is {_kind(value)}; a dictionary was expected")
    return value


def sequence(where: str, value: Any) -> Sequence[Any]:
    """A list; nothing is an empty one.

    :raises DeclaredError: for anything else.
    """
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise DeclaredError(f"{where}: it is {_kind(value)}; a list was expected")
    return value


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "a text"
    if isinstance(value, Mapping):
        return "a dictionary"
    return "a list" if isinstance(value, (list, tuple)) else "nothing" if value is None else "a number or boolean"


_LAYOUTS = ("even-horizontal", "even-vertical", "main-horizontal", "main-vertical", "tiled")
_DRAWN = re.compile(r"[0-9a-fA-F]{4},[0-9x,{}\[\]]+")


def layout(where: str, value: Any) -> Optional[str]:
    """A layout by its whole name, or as tmux draws it.

    :raises DeclaredError: when it is neither that nor the beginning of exactly one name, as tmux takes it too.
    """
    if value in (None, ""):
        return None
    said = text(where, value)
    found = [name for name in _LAYOUTS if name.startswith(said)]
    if len(found) == 1 or _DRAWN.fullmatch(said):
        return said if not found else found[0]
    raise DeclaredError(f"{where}: {said!r} is no layout; write {', '.join(_LAYOUTS)} or what tmux shows of one")


def number(option: str, value: Any) -> int:
    """A number, which may be written as a text.

    :raises DeclaredError: for anything else.
    """
    if isinstance(value, bool) or not re.fullmatch("[0-9]{1,9}", str(value)):
        raise DeclaredError(f"{option}: {value!r} is no number from 0 on; write one")
    return int(value)


def option(where: str, value: Any) -> str:
    """The value of an option as tmux writes it."""
    return _BOOLEANS[value] if isinstance(value, bool) else text(where, value)


def _stored(name: str) -> str:
    """The name that tmux gives what is to be called ``name``: every version a session, and some of them a window."""
    return name.replace(".", "_").replace(":", "_")


def given(**values: Any) -> Json:
    """The values that say something."""
    return {key: value for key, value in values.items() if value not in (None, "", {}, [])}


def put_in_front(items: Sequence[Json], number: Optional[int]) -> None:
    """Give one of these windows or panes the focus."""
    if number is not None:
        items[number]["focus"] = True


_STAYS = "remain-on-exit"


def arguments(source: Source, name: str, windows: List[Json], **more: Any) -> Json:
    """The arguments of tmux_session, which tells windows apart by their names, and keeps panes of all or of none."""
    keeping = [window for window in [*windows, more] if window.get("options", {}).get(_STAYS, "off") != "off"]
    if any(window["options"][_STAYS] == "failed" for window in keeping):
        source.note(_STAYS, "keep_exited keeps all panes that have ended, and not only those that have failed")
    if keeping and more not in keeping and len(keeping) < len(windows):
        source.note(_STAYS, "keep_exited says it for the whole session")
    for item in [*windows, more]:
        item.update(options={key: value for key, value in item.pop("options", {}).items() if key != _STAYS})
    for window in windows:
        if window.get("name") is not None:
            window["name"] = _stored(window["name"])
    _apart(source, windows)
    made = [given(**window) for window in windows]
    return dict(given(**more, keep_exited=True if keeping else None), name=[_stored(name)], windows=made)


def _apart(source: Source, windows: List[Json]) -> None:
    """Give each window a name that no other has."""
    taken = {window.get("name") for window in windows}
    had = set()
    for number, window in enumerate(windows):
        name = window.get("name")
        if name in had:
            window["name"] = next(each for each in (f"{name}-{more}" for more in count(2)) if each not in taken)
            source.note(f"windows[{number}]", f"another has the name {name} too, so it is called {window['name']}")
            taken.add(window["name"])
        if name is not None:
            had.add(name)


# --- what is typed ----------------------------------------------------------------------------------------------------


def command(lines: Sequence[str], shell: Optional[str] = None) -> Optional[str]:
    """What a pane runs so that a shell runs these lines, one after the other, and is there afterwards.

    :param shell: which one, with its arguments; by default the user's.
    """
    if not lines:
        return shell
    if shell is None:
        return "\n".join([_FIRST, *lines, _LAST])
    script = "\n".join([_FIRST, *lines, f"exec {shell}"])
    return f"exec {shell} -c {_quoted(script)}"


def is_shell(program: str) -> bool:
    """Whether something is run by a shell that takes ``-c``, so that it can be told to run lines first."""
    words = program.split()
    return bool(words) and words[0].rsplit("/", 1)[-1] in _SHELLS and all(word.startswith("-") for word in words[1:])


def lines_of(said: str) -> Optional[List[str]]:
    """The lines that :func:`command` has made a command of; None if it has not."""
    lines = said.split("\n")
    if len(lines) > 2 and (lines[0], lines[-1]) == (_FIRST, _LAST):
        return lines[1:-1]
    return None


def _quoted(script: str) -> str:
    return "'" + script.replace("'", "'\\''") + "'"


def split_options(words: Sequence[str]) -> Iterable[Tuple[str, Optional[str]]]:
    """The options of a tmux command line, each with its value if it takes one."""
    todo = list(words)
    while todo:
        word = todo.pop(0)
        if re.match(r"-[cfLST]", word):
            yield word[:2], word[2:] or (todo.pop(0) if todo else None)
        else:
            yield word, None
