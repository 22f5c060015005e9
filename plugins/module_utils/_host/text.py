# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text for people: what is harmless to show, and how times and durations are written."""

import datetime
import re
import unicodedata
from typing import List, Sequence, Set

NAME_CHARS = 400
"""Characters of a name in a result: of a session, a window, a program."""
TEXT_CHARS = 500
"""Characters of a sentence in a result, and of most of what somebody else has written."""
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
"""Whatever the language of a run is."""


def to_text(data: bytes) -> str:
    """Bytes from tmux as text; what is no UTF-8 comes back unchanged by encoding with ``surrogateescape``."""
    return data.decode("utf-8", "surrogateescape")


def encoded(text: str) -> bytes:
    """The bytes that :func:`to_text` has read, or of a path: Python 3.6 has others, or none, where the locale is C."""
    return text.encode("utf-8", "surrogateescape")


def shown(text: str, lines: bool = False) -> str:
    """``text`` so that it is harmless in a terminal, a log and a report: what could move the cursor, turn the
    direction round, or hide, is written as an escape.

    :param lines: whether newlines and tabs may stay.
    """
    if text.isprintable():
        return text
    return "".join(char if (lines and char in "\n\t") else _harmless(char) for char in text)


def brief(text: str, limit: int = TEXT_CHARS) -> str:
    """``text`` as :func:`shown`, of at most ``limit`` characters: of a longer one its beginning, and how much more."""
    if len(text) <= limit and text.isprintable():
        return text
    parts: List[str] = []
    size = 0
    for number, char in enumerate(text[: limit + 1]):
        part = _harmless(char)
        size += len(part)
        if size > limit:
            return "%s... and %d more characters" % ("".join(parts), len(text) - number)
        parts.append(part)
    return "".join(parts)


SECRET_CHARS = 6
"""A shorter value (``1``, ``yes``, ``true``) is not looked for: it is found everywhere, and tells nobody anything."""
_HIDDEN = "********"
_CUT = re.compile(r"\.\.\. and [0-9]+ more characters")


def secret_parts(value: str) -> Set[str]:
    """What to look for of a secret: all of it, and each of its lines, if they are long enough to be one."""
    return {part for part in [value, *(line.strip() for line in value.splitlines())] if len(part) >= SECRET_CHARS}


def without(text: str, secrets: Sequence[str], begun: bool = False) -> str:
    """``text`` without secrets, the longest first; nor a beginning of one where the rest was cut off.

    :param begun: whether it may begin in the middle of one.
    """
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    if begun:
        text = _without_beginning(text[::-1], [secret[::-1] for secret in secrets])[::-1]
    cuts = [cut.start() for cut in _CUT.finditer(text)]
    for cut in reversed(cuts):
        text = _without_beginning(text[:cut], secrets) + text[cut:]
    return text


def _without_beginning(text: str, secrets: Sequence[str]) -> str:
    """``text`` without the beginning of a secret at its end."""
    starts = [
        found.start()
        for secret in secrets
        for found in re.finditer("(?=%s)" % re.escape(secret[:SECRET_CHARS]), text)
        if secret.startswith(text[found.start() :])
    ]
    return text[: min(starts)] + _HIDDEN if starts else text


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if len(text.encode("utf-8", "replace")) == len(text):
        return len(text)  # as nearly all are, of which there may be very many
    return sum(char_columns(char) for char in text)


def char_columns(char: str) -> int:
    """The same of one character; what only changes the one before it takes none."""
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` columns: of a longer one the beginning, and ``...``."""
    if columns(text) <= width:
        return text
    while text and columns(text) > max(0, width - 3):
        text = text[:-1]
    return text + "..."


def folded(text: str, width: int, indent: str = "") -> List[str]:
    """``text`` in lines of at most ``width`` columns, at its spaces; a longer word goes on in the next line."""
    lines: List[str] = []
    line = ""
    for word in text.split(" "):
        if line and columns(indent + line + " " + word) > width:
            lines.append(indent + line)
            line = word
        else:
            line = line + " " + word if line else word
        while columns(indent + line) > width:
            part = line
            while columns(indent + part) > width:
                part = part[:-1]
            lines.append(indent + part)
            line = line[len(part) :]
    return [*lines, indent + line] if line else lines


def _harmless(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8
        return "\\x%02x" % (code - 0xDC00)
    return "\\x%02x" % code if code < 0x100 else "\\u%04x" % code if code < 0x10000 else "\\U%08x" % code


def spoken(seconds: int) -> str:
    """A duration for people: its two largest units, like ``3d 4h``."""
    parts: List[str] = []
    for unit, size in (("w", 604800), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if seconds >= size:
            parts.append("%d%s" % (seconds // size, unit))
            seconds %= size
    return " ".join(parts[:2]) or "0s"


def when(moment: int) -> str:
    """A moment as people and programs read it, in the host's time zone: ``2026-12-24 18:00:00+0100``."""
    return datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).astimezone().strftime("%Y-%m-%d %H:%M:%S%z")
