# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a value has the shape that a JSON schema describes, as far as that of reports says anything. Pure.

What is read from a file may be anything. There is a package for this, which no controller can be asked to have.
"""

import re
import time
from typing import Any, Callable, Dict, Iterator, Mapping, Tuple

from ansible_collections.fleet.tmux.plugins.plugin_utils._cells import short

DEEPEST = 30
"""How far things may be nested within each other, those included that the schema does not know."""

_SHOWN = 60

Schema = Mapping[str, Any]
Place = Tuple[Schema, Any, str]


class ShapeError(ValueError):
    """A value is not what the schema says; the message says where, and why."""


def require_shape(value: Any, schema: Schema) -> None:
    """Hold a value against a schema.

    :raises ShapeError: for the first place where it differs.
    """
    _require_shallow(value)
    todo = [(schema, value, "it")]
    while todo:
        rules, found, place = todo.pop()
        if "$ref" in rules:
            todo.append((_referred(schema, rules["$ref"]), found, place))
            continue
        for keyword, demand in rules.items():
            if keyword in _DEMANDS and not _DEMANDS[keyword](found, demand):
                raise ShapeError(_complaint(found, keyword, demand, place))
        todo += _within(rules, found, place)


def _referred(schema: Schema, pointer: str) -> Schema:
    for name in pointer.split("/")[1:]:
        schema = schema[name]
    return schema


def _within(rules: Schema, found: Any, place: str) -> Iterator[Place]:
    """What is in a value, each with its own rules."""
    if isinstance(found, dict):
        known = rules.get("properties", {})
        others = rules.get("additionalProperties")
        for key, item in found.items():
            if key in known or others is not None:
                yield known.get(key, others), item, f"{place}.{short(key, _SHOWN)}"
    elif isinstance(found, list) and "items" in rules:
        for number, item in enumerate(found):
            yield rules["items"], item, f"{place}[{number}]"


def _require_shallow(value: Any) -> None:
    level = [value]
    for _depth in range(DEEPEST):
        level = [item for one in level for item in _parts(one)]
        if not level:
            return
    raise ShapeError("it has more than %d things within each other" % DEEPEST)


def _parts(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _complaint(found: Any, keyword: str, demand: Any, place: str) -> str:
    if keyword == "required":
        return "%s has no %s" % (place, ", ".join(key for key in demand if key not in found))
    if keyword == "type":
        wanted = " or ".join([demand] if isinstance(demand, str) else demand)
        return f"{place} is {_told(found)}, and should be {wanted}"
    return f"{place} is {_told(found)}, which is none of its values"


def _told(found: Any) -> str:
    if isinstance(found, (dict, list)):
        return "an object" if isinstance(found, dict) else "an array"
    return short(repr(found), _SHOWN)


# --- what a schema demands --------------------------------------------------------------------------------------------

_TYPES: Dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


def _is_of_type(value: Any, demand: Any) -> bool:
    return any(_TYPES[name](value) for name in ([demand] if isinstance(demand, str) else demand))


def _has_all(value: Any, demand: Any) -> bool:
    return not isinstance(value, dict) or all(key in value for key in demand)


def _matches(value: Any, demand: str) -> bool:
    return not isinstance(value, str) or re.search(demand, value) is not None


def _has_format(value: Any, demand: str) -> bool:
    if demand != "date-time" or not isinstance(value, str):
        return True
    try:
        return len(value) < _SHOWN and bool(time.strptime(value, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return False


_DEMANDS: Dict[str, Callable[[Any, Any], bool]] = {
    "type": _is_of_type,
    "required": _has_all,
    "const": lambda value, demand: bool(value == demand),
    "enum": lambda value, demand: isinstance(value, (str, type(None))) and value in demand,
    "pattern": _matches,
    "format": _has_format,
}
