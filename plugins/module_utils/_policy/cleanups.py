# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files go with a session, how that is noted at it, and what became of them. Pure."""

import unicodedata
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple
from urllib.parse import quote, unquote

from ansible_collections.fleet.tmux.plugins.module_utils._policy.errors import OptionError

FILES = 100
"""Files that may be named beside the log."""
BYTES = 16000
"""Bytes of all their paths together, as they are written."""

_FORMAT = "1"
_LOG, _OLDER, _FILE = "log", "older", "file"
_MOST_CHARS = 131072
"""Characters that are noted, and read: a byte is up to three of them, and a home comes before what begins with ``~/``.
Every tmux holds as many in an option."""
_PATH_BYTES = 4095
_PLAIN = "/._-~+,@:"
"""What stays as it is in a path that is noted, beside letters and digits: nothing that any tmux writes otherwise."""


class CleanedUp(NamedTuple):
    """The paths that were removed, and why others are still there. What was missing is in neither."""

    removed: List[str]
    left: Dict[str, str]


NOTHING_DONE = CleanedUp([], {})


class Files(NamedTuple):
    """The absolute paths of what goes with a session: its logs, if they do, each with its older part, and others."""

    logs: Tuple[Tuple[str, ...], ...] = ()
    others: Tuple[str, ...] = ()

    @property
    def of_logs(self) -> List[str]:
        return [path for log in self.logs for path in log]

    @property
    def paths(self) -> List[str]:
        """All of them, each once."""
        return list(dict.fromkeys([*self.of_logs, *self.others]))

    @property
    def words(self) -> Optional[str]:
        """What they are, for people; None where there are none."""
        return ", ".join(self.paths) or None

    def written(self) -> str:
        """As it is noted; nothing where there are none."""
        named = [pair for log in self.logs for pair in zip((_LOG, _OLDER), log)]
        named += [(_FILE, path) for path in self.others]
        words = ["%s=%s" % (kind, _quoted(path)) for kind, path in named]
        return " ".join([_FORMAT, *words]) if words else ""


NONE = Files()


def _quoted(path: str) -> str:
    return quote(path, safe=_PLAIN, errors="surrogateescape")


def read(text: str) -> Files:
    """What is noted; none where it is nothing that we would note: anybody who can use the server may do that."""
    if len(text) > _MOST_CHARS:
        return NONE
    form, *words = text.split(" ")
    pairs = [word.partition("=") for word in words]
    named = [(kind, unquote(path, errors="surrogateescape")) for kind, _is, path in pairs]
    files = tuple(path for kind, path in named if kind == _FILE)
    logs = _logs(named)
    is_ours = form == _FORMAT and len(files) <= FILES and len(files) + sum(map(len, logs)) == len(named)
    if not is_ours or not all(_may_be_removed(path) for _kind, path in named):
        return NONE
    return Files(logs, files)


def _logs(named: Sequence[Tuple[str, str]]) -> Tuple[Tuple[str, ...], ...]:
    """Each log, with the older part of it that is named after it."""
    followed = [*named[1:], ("", "")]
    found = []
    for (kind, path), (after, older) in zip(named, followed):
        if kind == _LOG:
            found.append((path, older) if after == _OLDER else (path,))
    return tuple(found)


def _may_be_removed(path: str) -> bool:
    """Whether it is the path of a file as an option can name it, which is what a terminal can be shown besides."""
    is_path = path.startswith("/") and not path.endswith("/") and len(path.encode("utf-8", "replace")) <= _PATH_BYTES
    return is_path and not any(unicodedata.category(char) == "Cc" for char in path)


def problem_of(files: Sequence[str]) -> str:
    """Why these cannot be noted; nothing if they can."""
    if len(files) > FILES:
        return "%d files; at most %d can be given" % (len(files), FILES)
    size = sum(len(path.encode("utf-8", "replace")) for path in files)
    if size > BYTES:
        return "the paths have %d bytes together, and at most %d are noted; name fewer, or shorter ones" % (size, BYTES)
    return ""


def wanted(cleanup: Optional[Mapping[str, Any]], logs: Sequence[str], older: str, home: str) -> Optional[Files]:
    """What an option says. None: nothing was said, which is not the same as none.

    :param logs: those that are declared. ``older``: how the name of the older file of each ends, if there is one.
    :param home: the owner's.
    :raises OptionError: when it is more than can be noted.
    """
    if cleanup is None:
        return None

    def absolute(path: str) -> str:
        return home + path[1:] if path.startswith("~/") else path

    own = [absolute(log) for log in logs] if cleanup.get("log") == "remove" else []
    found = Files(
        tuple((log, log + older) if older else (log,) for log in own),
        tuple(absolute(path) for path in cleanup.get("files") or ()),
    )
    if len(found.written()) > _MOST_CHARS:
        raise OptionError("cleanup: with the home of the owner, the paths are longer than what is noted; name fewer")
    return found
