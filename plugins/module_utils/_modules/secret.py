# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module with secret options: their values are told nowhere, and hide nothing else.

Ansible replaces every secret value wherever it finds it in a result, were it a 1 in ``build-1``. Here a secret is left
out where it stands, and looked for elsewhere only if it is long enough to be one; never in what names a session, which
everybody on the host can see anyway.
"""

import copy
from typing import Any, Callable, Dict, Iterator, List, Mapping, NoReturn, Set

from ansible.module_utils.basic import AnsibleModule, heuristic_log_sanitize
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import secret_parts, shown, without

LEFT_OUT = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
"""What Ansible itself writes instead of the value of such an option."""
_NAMES = ("group", "id", "identity", "name", "owner", "sessions", "socket", "window", "window_name")
"""What is called so in a result, or in a task, is a name."""

Spec = Mapping[str, Mapping[str, Any]]
_UNKNOWN = {"no_log": True}


class Module(AnsibleModule):
    """An AnsibleModule that keeps secret what its argument spec says to, and nothing else."""

    _given: Mapping[str, Any] = {}

    # Already while it is set up it writes to the log, and fails where options are of no use.
    def __init__(self, argument_spec: Dict[str, Dict[str, Any]]) -> None:
        AnsibleModule.__init__(self, argument_spec=argument_spec, supports_check_mode=True)

    def _load_params(self) -> None:
        load: Callable[[], None] = super()._load_params
        load()
        # Where something has the wrong shape, Ansible drops it before it says so.
        self._given = copy.deepcopy(self.params)

    def exit_json(self, **result: Any) -> NoReturn:
        """End well."""
        told = self._without_secrets(result)
        super().exit_json(**told)
        raise SystemExit(0)

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        """End badly."""
        told = self._without_secrets(dict(result, msg=placed(msg, self.argument_spec, self._given)))
        super().fail_json(**told)
        raise SystemExit(1)

    def warn(self, warning: str, **more: Any) -> None:
        """Warn."""
        super().warn(hidden(warning, self._secrets()), **more)

    def log(self, msg: str, log_args: Any = None) -> None:
        """Write to the log of the system. Only the line on how it was called has ``log_args``, hidden by Ansible."""
        if log_args:
            options = self._open_options()
            log_args = {name: heuristic_log_sanitize(str(value)) for name, value in options.items()}
            msg = "Invoked with " + " ".join("%s=%s" % item for item in log_args.items())
        self.no_log_values: Set[str] = set()
        AnsibleModule.log(self, msg, log_args)

    def _without_secrets(self, result: Dict[str, Any]) -> Dict[str, Any]:
        """What may be told of a result; from here on the options, which are told with it, hold no secret any more."""
        told: Dict[str, Any] = hidden(result, self._secrets())
        self.params = self._open_options()
        self.no_log_values = set()
        return told

    def _secrets(self) -> Set[str]:
        return secrets_of(self.argument_spec, self.params)

    def _open_options(self) -> Dict[str, Any]:
        options: Dict[str, Any] = hidden(left_out(self.argument_spec, self.params), self._secrets())
        return options


_NO_DICTIONARY = "dictionary requested, could not parse JSON or key=value"


def placed(msg: str, spec: Spec, params: Mapping[str, Any]) -> str:
    """What Ansible says of a text that should be a dictionary, with where it stands and what may be in it."""
    if msg != _NO_DICTIONARY:
        return msg
    return "; ".join(_texts_for_dictionaries(spec, params)) or msg


def _texts_for_dictionaries(spec: Spec, params: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, option in spec.items():
        value, inner = params.get(name), option.get("options") or {}
        items: List[Any] = (value if isinstance(value, list) else [value]) if inner else []
        for place, item in enumerate(items):
            where = before + name + ("[%d]" % place if isinstance(value, list) else "")
            if isinstance(item, Mapping):
                yield from _texts_for_dictionaries(inner, item, where + ": ")
            elif isinstance(item, str) and "=" not in item and not item.lstrip().startswith("{"):
                yield "%s: it is a text; write a dictionary of %s" % (where, ", ".join(sorted(inner)))


def left_out(spec: Spec, params: Mapping[str, Any]) -> Dict[str, Any]:
    """Options without the values of secret ones. The names of variables stay.

    What is no option at all may be a secret one whose name was not written right.
    """
    return {name: _left_out(spec.get(name, _UNKNOWN), value) for name, value in params.items()}


def _left_out(option: Mapping[str, Any], value: Any) -> Any:
    if value is None:
        return None
    if option.get("no_log"):
        return {str(key): LEFT_OUT for key in value} if isinstance(value, Mapping) else LEFT_OUT
    inner = option.get("options")
    if not inner or not _any_secret(inner):
        return value
    if isinstance(value, Mapping):
        return left_out(inner, value)
    if isinstance(value, list):
        return [_left_out(option, item) for item in value]
    return LEFT_OUT  # Not in the shape that it should have, so nobody knows where in it something secret stands.


def _any_secret(spec: Spec) -> bool:
    return any(option.get("no_log") or _any_secret(option.get("options") or {}) for option in spec.values())


def secrets_of(spec: Spec, params: Mapping[str, Any]) -> Set[str]:
    """The secret values to look for: long enough, and no part of a name that the task itself tells."""
    names = list(_names(spec, params))
    found = {text for name, value in params.items() for text in _secret_texts(spec.get(name, _UNKNOWN), value)}
    parts = {part for text in found for part in secret_parts(text)}
    long = {text for text in parts if not any(text in name for name in names)}
    return long | {shown(text) for text in long} | {shown(text, True) for text in long}


def _secret_texts(option: Mapping[str, Any], value: Any) -> Iterator[str]:
    if option.get("no_log"):
        yield from _texts(value)
    inner = option.get("options") or {}
    for item in value if isinstance(value, list) else [value]:
        if inner and isinstance(item, Mapping):
            for name, part in item.items():
                yield from _secret_texts(inner.get(name, _UNKNOWN), part)
        elif inner and _any_secret(inner):
            yield from _texts(item)


def _texts(value: Any) -> Iterator[str]:
    """All that is text in a value, and what is written in the text of one that should be a dictionary."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        text = str(value)
        yield text
        yield from (part.partition("=")[2].strip("\"'") for part in text.replace(",", " ").split() if "=" in part)


def _names(spec: Spec, params: Mapping[str, Any]) -> Iterator[str]:
    """What the task itself calls something."""
    for name, value in params.items():
        option = spec.get(name, {})
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, Mapping):
                yield from _names(option.get("options") or {}, item)
            elif name in _NAMES and name in spec and item is not None:
                yield str(item)


def hidden(value: Any, secrets: Set[str]) -> Any:
    """A value in which no secret is found any more. Numbers, and what names something, stay as they are."""
    ordered = sorted(secrets, key=len, reverse=True)  # One may begin with another.

    def hiding(part: Any, called: str) -> Any:
        if isinstance(part, str) and called not in _NAMES:
            return without(part, ordered)
        if isinstance(part, Mapping):
            return {key: hiding(item, str(key)) for key, item in part.items()}
        if isinstance(part, (list, tuple)):
            return [hiding(item, called) for item in part]
        return part

    return hiding(value, "") if ordered else value
