# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one grammar of durations: whole numbers with units, the largest unit first, each unit once."""

import math
import re
from typing import Any, List, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._policy.errors import OptionError

LONGEST = 5200 * 604800
"""A hundred years: past it, no clock knows the moment any more."""

_UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_EXAMPLES = "write numbers with units, like 90s, 45m, 12h, 2d, 1w or 1d12h"


def duration(option: str, value: Any, zero: bool = False, longest: int = LONGEST) -> int:
    """Seconds, from a text like ``90s``, ``45m``, ``12h``, ``2d``, ``1w``, ``1d12h`` or ``1d 12h``.

    :param value: what the option was given; YAML makes a number of ``90``, which has no unit and is refused.
    :param zero: whether no time at all means something for the option.
    :raises OptionError: for anything else, with the remedy.
    """
    text = str(value).strip().lower()
    _require_unit(option, text, zero, longest)
    seconds = _sum(option, text, _parts(option, text))
    if seconds == 0 and not zero:
        raise OptionError("%s: %s is no time at all; the shortest is 1s" % (option, text))
    if seconds > longest:
        raise OptionError("%s: %s is too long; the longest is %s" % (option, text, written(longest)))
    return seconds


def written(seconds: int) -> str:
    """A duration as an option takes it, like ``1d12h``."""
    text = ""
    for unit, size in _UNITS.items():
        if seconds >= size:
            text += "%d%s" % (seconds // size, unit)
            seconds %= size
    return text or "0s"


def _require_unit(option: str, text: str, zero: bool, longest: int) -> None:
    """Refuse what has a sign or no unit: mistakes that everybody makes, so the remedy is written out."""
    bare = re.match(r"\A(-?)(\d{1,12}(?:\.\d{0,12})?)\Z", text, re.ASCII)
    remedy = _with_units(max(math.ceil(float(bare.group(2))), 0 if zero else 1), longest) if bare else text[1:]
    if re.match(r"\A-\d", text, re.ASCII):
        raise OptionError("%s: %s is negative, and no time is; write %s" % (option, text, remedy))
    if bare:
        raise OptionError("%s: %s has no unit; write %s" % (option, text, remedy))


def _with_units(number: int, longest: int) -> str:
    """What may have been meant: whoever writes 2 for days must not be told to write 2s, and nothing else."""
    meant = ["%d%s" % (number, unit) for unit in "smhd" if number * _UNITS[unit] <= longest] if number else ["0s"]
    return " or ".join(", ".join(part) for part in (meant[:-1], meant[-1:]) if part) or written(longest)


def _parts(option: str, text: str) -> List[Tuple[int, str]]:
    if re.match(r"\A\d{1,12}[wdhms]( ?\d{1,12}[wdhms])*\Z", text, re.ASCII) is None:
        raise OptionError("%s: %r is no duration; %s" % (option, text, _EXAMPLES))
    return [(int(number), unit) for number, unit in re.findall(r"(\d+)([wdhms])", text, re.ASCII)]


def _sum(option: str, text: str, parts: List[Tuple[int, str]]) -> int:
    sizes = [_UNITS[unit] for _number, unit in parts]
    seconds = sum(number * _UNITS[unit] for number, unit in parts)
    if sizes != sorted(set(sizes), reverse=True):
        remedy = "the largest unit comes first, each once; write %s" % written(seconds)
        raise OptionError("%s: %r is no duration; %s" % (option, text, remedy))
    return seconds
