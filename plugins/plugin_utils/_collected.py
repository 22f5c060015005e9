# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reports that are to be merged: the files that were named, read, and held against their schema.

A file may hold anything, and one that is no report costs the others nothing.
"""

import fnmatch
import functools
import glob
import json
import math
import os
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence

from ansible_collections.fleet.tmux.plugins.plugin_utils._cells import short
from ansible_collections.fleet.tmux.plugins.plugin_utils._places import contents, is_missing, names
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Json, ReportError, require_report
from ansible_collections.fleet.tmux.plugins.plugin_utils._shape import ShapeError, require_shape

LARGEST = 512 << 20
"""Bytes that a report may have."""
_MOST_UNREAD = 1000
_DIGITS = 40


class Collected(NamedTuple):
    """Reports by the names of their files, and what could not be read: ``file`` and ``reason``."""

    reports: Dict[str, Json]
    unread: List[Json]


def collected(patterns: Sequence[str]) -> Collected:
    """The reports in all files that match.

    :raises ReportError: when they cannot be merged with each other.
    """
    found = Collected({}, [])
    for path in _paths(patterns, found.unread):
        try:
            found.reports[path] = _read(path)
        except ReportError as error:
            found.unread.append({"file": short(path), "reason": str(error)})
    _require_one_mode(found.reports)
    more = len(found.unread) - _MOST_UNREAD
    if more > 0:
        found.unread[_MOST_UNREAD:] = [{"file": "", "reason": f"{more} more cannot be read"}]
    return found


def _paths(patterns: Sequence[str], unread: List[Json]) -> Iterator[str]:
    """Each file that matches, once."""
    seen = set()
    for pattern in patterns:
        matching = [] if "\0" in pattern else _matching(os.path.abspath(pattern), unread)
        if not matching:
            unread.append({"file": short(pattern), "reason": f"there is no file {short(pattern)}"})
        for path in matching:
            if path not in seen:
                seen.add(path)
                yield path


def _matching(pattern: str, unread: List[Json]) -> List[str]:
    """What a shell would make of a pattern, but that nothing is asked of directories that others could exchange."""
    paths = ["/"]
    for part in pattern.split("/")[1:]:
        if glob.has_magic(part):
            paths = [os.path.join(path, name) for path in paths for name in _names(path, part, unread)]
        else:
            paths = [os.path.join(path, part) for path in paths]
    return paths if glob.has_magic(part) else [path for path in paths if not is_missing(path)]


def _names(path: str, pattern: str, unread: List[Json]) -> List[str]:
    try:
        found = names(path)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        unread.append({"file": short(path), "reason": f"{short(path)} cannot be read: {short(error)}"})
        return []
    return [name for name in fnmatch.filter(found, pattern) if pattern.startswith(".") or not name.startswith(".")]


def _read(path: str) -> Json:
    try:
        text = contents(path, LARGEST).decode("utf-8")
        read = json.loads(text, parse_int=_whole, parse_float=_fraction, parse_constant=_fraction)
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise ReportError(f"{short(path)} cannot be read: {short(_said(error))}")
    try:
        require_report(read)
        require_shape(read, _schema())
        _require_each_once([host["host"] for host in read["hosts"]])
    except (ReportError, ShapeError) as error:
        raise ReportError(f"{short(path)} cannot be merged: {error}")
    found: Json = read
    return found


def _said(error: BaseException) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error) or type(error).__name__


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError("it has a number of %d digits" % len(digits))
    return int(digits)


def _fraction(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("it has %s for a number" % text)
    return number


def _require_each_once(hosts: Sequence[str]) -> None:
    if len(set(hosts)) < len(hosts):
        twice = Counter(hosts).most_common(1)[0][0]
        raise ReportError(f"the host {short(twice)} is in it twice")


def _require_one_mode(reports: Dict[str, Json]) -> None:
    """What was done and what would be is no sum."""
    checks = {bool(one["run"]["check_mode"]): path for path, one in reversed(reports.items())}
    if len(checks) > 1:
        raise ReportError(
            "some reports are of check mode and some are not; what was done and what would be is no sum. "
            f"{short(checks[True])} is of check mode, {short(checks[False])} is not"
        )


@functools.lru_cache(maxsize=1)
def _schema() -> Dict[str, Any]:
    path = Path(__file__).resolve().parents[2] / "docs" / "report.schema.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))
