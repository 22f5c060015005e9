# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text for people, the same in every report: names that may be hostile, sizes, and numbers of things."""


def harmless(text: str) -> str:
    """``text`` with escapes in place of what could move a cursor, reverse the direction or hide something."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    return "\\x%02x" % code if code < 0x100 else "\\u%04x" % code if code < 0x10000 else "\\U%08x" % code


def sized(number: int) -> str:
    """A number of bytes, like ``5.0 MiB``."""
    for power, unit in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
        if number >= 1024**power:
            return "%.1f %s" % (number / 1024.0**power, unit)
    return many(number, "byte")


def many(number: int, one: str, many: str = "") -> str:
    """A number of things, like ``1 process`` and ``2 processes``."""
    return "%d %s" % (number, one if number == 1 else many or one + "s")
