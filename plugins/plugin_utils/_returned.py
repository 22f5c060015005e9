# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of what a host returned, which may have any shape: what is not as it should be is nothing. Pure."""

from typing import Any, List, Mapping, Optional

_TEXT_CHARS = 2000


def listed(within: Mapping[str, Any], key: str) -> List[Any]:
    found = within.get(key)
    return list(found) if isinstance(found, (list, tuple)) else []


def items(within: Mapping[str, Any], key: str) -> List[Mapping[str, Any]]:
    return [item for item in listed(within, key) if isinstance(item, Mapping)]


def part(within: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = within.get(key)
    return found if isinstance(found, Mapping) else {}


def text(value: Any) -> str:
    said = value if isinstance(value, str) else "" if value is None else str(value)
    # Ansible hands out texts of its own kinds; what is written to files is a plain one.
    return "".join(cut(said, _TEXT_CHARS))


def cut(said: str, most: int) -> str:
    return said if len(said) <= most else "%s... and %d more characters" % (said[:most], len(said) - most)


def number(value: Any) -> Optional[int]:
    """A count, a size or a time; what is none, or larger than any, is not known."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        return None
    return int(value)
