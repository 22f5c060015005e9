# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that says which values options may have, alone and together. Pure, for hosts and for the controller.

What type a value has is said by the documentation of a module, and judged by Ansible before.
"""

import functools
import os
import posixpath
import re
import unicodedata
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.module_utils._policy import cleanups
from ansible_collections.fleet.tmux.plugins.module_utils._policy.commands import named
from ansible_collections.fleet.tmux.plugins.module_utils._policy.durations import duration
from ansible_collections.fleet.tmux.plugins.module_utils._policy.errors import OptionError
from ansible_collections.fleet.tmux.plugins.module_utils._policy.patterns import matcher
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import unsuitable

Params = Mapping[str, Any]
Called = Callable[[str], str]
"""What an option is called by whom the message speaks to: the role puts its prefix before it."""
Rule = Callable[[Params, Called], None]
"""What holds for several options together; raises OptionError."""

HOUR = 3600


def checked(params: Params, rules: Sequence[Rule]) -> Dict[str, Any]:
    """The values of a module's options as it works with them: durations are seconds.

    :raises OptionError: naming every option that cannot be used, with the remedy.
    """
    wrong = problems(params, rules)
    if wrong:
        raise OptionError("; ".join(wrong))
    return {option: _value(option, option, value) for option, value in params.items()}


def problems(params: Params, rules: Sequence[Rule], prefix: str = "") -> List[str]:
    """What cannot be used, a sentence each; none if all is well.

    :param params: by the names of the module's options; None is "not given".
    :param prefix: what stands before these names where they are written, like that of a role's variables.
    """

    def called(option: str) -> str:
        return prefix + option

    attempts: List[Callable[[], Any]] = [
        functools.partial(_value, option, called(option), value) for option, value in params.items()
    ]
    attempts += [functools.partial(rule, params, called) for rule in rules]
    return [text for text in (_problem(attempt) for attempt in attempts) if text]


def _problem(attempt: Callable[[], Any]) -> str:
    try:
        attempt()
    except OptionError as error:
        return str(error)
    return ""


def _value(option: str, called: str, value: Any) -> Any:
    return CHECKS[option](called, value) if option in CHECKS and value is not None else value


# --- one option -------------------------------------------------------------------------------------------------------


def _within_an_hour(option: str, value: Any) -> int:
    return duration(option, value, longest=HOUR)


def _grace(option: str, value: Any) -> int:
    return duration(option, value, zero=True, longest=HOUR)


def _patience(option: str, value: Any) -> int:
    return duration(option, value, zero=True)


def _limit(option: str, value: int) -> int:
    if value < 0:
        raise OptionError("%s: %d is less than 0; leave it out for no limit" % (option, value))
    return value


def _percent(option: str, value: float) -> float:
    if not 0 <= value <= 100:
        raise OptionError("%s: %g is not between 0 and 100; leave it out for no limit" % (option, value))
    return value


def _between(least: int, most: int) -> Callable[[str, int], int]:
    def check(option: str, value: int) -> int:
        if not least <= value <= most:
            raise OptionError("%s: %d is not between %d and %d" % (option, value, least, most))
        return value

    return check


_SIZES = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def _bytes(option: str, value: Any) -> int:
    """Bytes, from a text like ``500M`` or ``2G``."""
    text = str(value).strip().upper()
    found = re.match(r"([0-9]{1,9})([KMGT])\Z", text)
    if found is None or not int(found.group(1)):
        raise OptionError("%s: %r is no size; write a number with a unit, like 500M or 2G" % (option, str(value)))
    return int(found.group(1)) * _SIZES[found.group(2)]


STANDARD_PLACE = "default"
"""What stands for the directory in which snapshots are usually kept."""


def _place(option: str, value: str) -> str:
    return value if value == STANDARD_PLACE else _absolute(option, value)


def _absolute(option: str, value: str) -> str:
    if not value.startswith("/"):
        raise OptionError("%s: %r is not absolute; write a path that begins with /" % (option, value))
    return value


def _file_name(option: str, value: str) -> str:
    if not value or "/" in value or "\0" in value or value in (".", ".."):
        raise OptionError("%s: %r is no file name; for a path there is socket_path" % (option, value))
    return value


def _kept_snapshots(option: str, value: Params) -> Dict[str, Optional[int]]:
    count, age, size = value.get("count"), value.get("age"), value.get("size")
    if count is not None and count < 1:
        raise OptionError("%s: count %d is less than 1; leave it out to keep all" % (option, count))
    return {
        "count": count,
        "age": None if age is None else duration(option + ": age", age),
        "size": None if size is None else _bytes(option + ": size", size),
    }


def _leaks(option: str, value: Params) -> Dict[str, Optional[int]]:
    """Limits by the keys of what they are compared with."""
    given = {key: text for key, text in value.items() if text is not None}
    for key in ("open_files", "processes"):
        _limit("%s: %s" % (option, key), given.get(key, 0))
    return {
        "cpu_seconds": duration(option + ": cpu_time", given["cpu_time"], zero=True) if "cpu_time" in given else None,
        "rss": _bytes(option + ": memory", given["memory"]) if "memory" in given else None,
        "open_files": given.get("open_files"),
        "processes": given.get("processes"),
    }


def _wearing_off(option: str, value: Params) -> Dict[str, int]:
    return {word: duration("%s: %s" % (option, word), text) for word, text in value.items() if text is not None}


_USER_OPTION = re.compile(r"@[A-Za-z0-9_-]{1,100}\Z")


def _where(option: str, value: Mapping[Any, Any]) -> Dict[str, str]:
    if not value:
        raise OptionError("%s: it is empty; leave it out to look at all sessions" % option)
    for name, text in value.items():
        if _USER_OPTION.match(str(name)) is None:
            remedy = "write an @ and letters, digits, - or _, like @made_by"
            raise OptionError("%s: %r is no user option of tmux; %s" % (option, str(name), remedy))
        if not isinstance(text, str):
            raise OptionError("%s: the value of %s is no text; write it in quotes, as tmux shows it" % (option, name))
    return {str(name): text for name, text in value.items()}


def _number(option: str, value: int) -> int:
    if value < 1:
        raise OptionError("%s: %d is less than 1; leave it out to keep none for it" % (option, value))
    return value


def _identities(option: str, value: Sequence[str]) -> Sequence[str]:
    """A typing error must not look like a plan for other sessions."""
    for written in value:
        if re.match(r"\A\d+/\d+/\$\d+/\d+\Z", written, re.ASCII) is None:
            raise OptionError(
                "%s: %r is no identity of a session; take those that a run in check mode returned, "
                "like 4711/1763400000/$3/1763500000" % (option, written)
            )
    return value


def _without_null(option: str, value: str) -> str:
    if "\0" in value:
        raise OptionError("%s: it holds a NUL character, which no process can be given" % option)
    return value


def _directory(option: str, value: str) -> str:
    if value != "~" and not value.startswith(("/", "~/")):
        raise OptionError("%s: %r is not absolute; write a path that begins with / or ~/" % (option, shown(value)))
    return _without_null(option, value)


_WORD_BYTES = 131071
"""What Linux gives a program in one word at most, without its end (MAX_ARG_STRLEN)."""


def _a_word(option: str, value: str) -> str:
    size = len(value.encode("utf-8", "surrogateescape"))
    if size > _WORD_BYTES:
        raise OptionError(
            "%s: it has %d bytes, and no program can be given more than %d in one word; write it into a script"
            % (option, size, _WORD_BYTES)
        )
    return _without_null(option, value)


def _command(option: str, value: str) -> str:
    if not value.strip():
        raise OptionError("%s: it is empty; leave it out for a session with the user's shell" % option)
    return _a_word(option, value)


def _words(option: str, value: Sequence[str]) -> Sequence[str]:
    if not (value and value[0]):
        raise OptionError("%s: it needs a program as its first element" % option)
    _a_program(option, value)
    for word in value:
        _a_word(option, word)
    return value


def _a_program(option: str, value: Sequence[str]) -> Sequence[str]:
    """A command by its words. Ansible makes a list of one of a text, and no program is called like a whole line."""
    if len(value) == 1 and len(value[0].split()) > 1 and not value[0].startswith("/"):
        said = (option, shown(value[0]), ", ".join(map(shown, value[0].split())))
        raise OptionError("%s: %r is one word, and no shell takes it apart; write a list, like [%s]" % said)
    return value


_AS_A_LIST = "write a list, or commas and no blanks"
_AS_A_PATTERN = "write commas and no blanks; where a blank is meant, [ ] stands for it"


def _elements(option: str, value: Sequence[str], remedy: str = _AS_A_LIST) -> Sequence[str]:
    """What chooses or protects. Ansible makes a list of ``a, b``, and no user or command begins with a blank."""
    for element in value[1:]:
        if element[:1].isspace():
            raise OptionError("%s: %r begins with a blank; %s" % (option, shown(element), remedy))
    return value


def _patterns(option: str, value: Sequence[str]) -> Sequence[str]:
    """A session may be called so; what is named itself, and not by a pattern, is taken as it is."""
    return _elements(option, value, _AS_A_PATTERN)


def _people(option: str, value: Sequence[str]) -> Sequence[str]:
    """With ``-e``, Ansible itself cuts ``anna, bert`` at the blank, and of bert nothing is left but his comma."""
    if len(value) > 1 and not all(value):
        raise OptionError("%s: an element is empty; %s" % (option, _AS_A_LIST))
    return _elements(option, value)


_OPTION = re.compile(r"[a-z][a-z0-9-]{1,100}(?:\[[0-9]{1,6}\])?\Z")
_LIKE_TEXT = "\n\t"
_OURS = "@fleet_tmux_"


def _tmux_options(option: str, value: Mapping[Any, Any]) -> Dict[str, str]:
    return {str(name): _tmux_option(option, str(name), text) for name, text in value.items()}


def _tmux_option(option: str, name: str, value: Any) -> str:
    """What tmux is to store. YAML takes the words on and off for true and false."""
    if _OPTION.match(name) is None and _USER_OPTION.match(name) is None:
        remedy = "write its whole name, like status-left, update-environment[7] or @made_by"
        raise OptionError("%s: %r is no name of an option; %s" % (option, shown(name), remedy))
    if name.startswith(_OURS):
        raise OptionError(
            "%s: %s is what these modules themselves remember; name one that does not begin with %s"
            % (option, shown(name), _OURS)
        )
    if name == "remain-on-exit":
        raise OptionError(
            "%s: keep_exited says whether panes stay when their command ends; leave out %s" % (option, name)
        )
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (dict, list)) or value is None:
        raise OptionError("%s: the value of %s is no text" % (option, name))
    text = str(value)
    if any(char not in _LIKE_TEXT and unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise OptionError(
            "%s: the value of %s holds a control character; tmux would not print it again" % (option, name)
        )
    return text


def _variables(option: str, value: Mapping[Any, Any]) -> Dict[str, str]:
    for key, text in value.items():
        if not re.match(r"^[^=\0\s]+\Z", str(key)):
            raise OptionError("%s: %r is no name of a variable" % (option, str(key)))
        if isinstance(text, (dict, list)) or text is None:
            raise OptionError("%s: the value of %s is no text" % (option, key))
        _without_null(option, str(text))
    return {str(key): str(text) for key, text in value.items()}


def _window_name(option: str, value: str) -> str:
    reason = unsuitable(_without_null(option, value))
    if reason:
        raise OptionError("%s: %r cannot be used: %s" % (option, shown(value), reason))
    return value


_PANES = 500
"""Panes in all windows of a session, as in one that is saved."""
Mapped = Mapping[str, Any]


def _windows(option: str, value: Sequence[Mapped]) -> List[Dict[str, Any]]:
    if not value:
        raise OptionError("%s: the list is empty; leave it out for a session with one window" % option)
    windows = [_a_window("%s[%d]" % (option, place), window) for place, window in enumerate(value)]
    names_ = [window["name"] for window in windows if window["name"] is not None]
    twice = sorted({name for name in names_ if names_.count(name) > 1})
    if twice:
        raise OptionError("%s: two have the name %r; a later run could not tell them apart" % (option, shown(twice[0])))
    if sum(len(window["panes"] or [None]) for window in windows) > _PANES:
        raise OptionError("%s: more than %d panes" % (option, _PANES))
    _one_focus(option, windows)
    return windows


def _a_window(where: str, window: Mapped) -> Dict[str, Any]:
    found = _inner(where, window, dict(_PANE, layout=_layout, name=_window_name, options=_tmux_options))
    if found["panes"] is None:
        return found
    if not found["panes"]:
        raise OptionError("%s: panes: the list is empty; leave it out for a window with one pane" % where)
    said = _given(found, "command", "argv", "log")
    if said:
        raise OptionError("%s: %s and panes are mutually exclusive; say it of a pane" % (where, said[0]))
    panes = [_inner("%s: panes[%d]" % (where, place), pane, _PANE) for place, pane in enumerate(found["panes"])]
    _one_focus(where + ": panes", panes)
    return dict(found, panes=panes)


def _layout(option: str, value: str) -> str:
    if not value:
        raise OptionError("%s: it is empty; leave it out for panes that are tiled" % option)
    return value


def _inner(where: str, given: Mapped, checks: Mapping[str, Callable[[str, Any], Any]]) -> Dict[str, Any]:
    """A window or pane, in which every value is as it is worked with."""
    if len(_given(given, "command", "argv")) > 1:
        raise OptionError("%s: command and argv are mutually exclusive; leave one out" % where)
    return {
        name: value if value is None or name not in checks else checks[name]("%s: %s" % (where, name), value)
        for name, value in given.items()
    }


def _one_focus(where: str, things: Sequence[Mapped]) -> None:
    if len([thing for thing in things if thing["focus"]]) > 1:
        raise OptionError("%s: more than one has the focus" % where)


def _title(option: str, value: str) -> str:
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
        raise OptionError("%s: it holds a control character" % option)
    return value


def _pane_command(option: str, value: str) -> str:
    if any(unicodedata.category(char) == "Cc" and char not in _LIKE_TEXT for char in value):
        raise OptionError(
            "%s: it holds a control character, which tmux shows in its own ways, so that a later run could not tell "
            "whether it runs that; write it as an escape of the shell, as in printf" % option
        )
    return _command(option, value)


def _pane_words(option: str, value: Sequence[str]) -> Sequence[str]:
    _pane_command(option, " ".join(["argv", *value]))
    return _words(option, value)


def _regular(option: str, value: str) -> str:
    if not value:
        raise OptionError("%s: it is empty, which every text shows; leave it out to wait for nothing" % option)
    try:
        re.compile(value, re.MULTILINE)
    except re.error as error:
        raise OptionError("%s: %r is no regular expression: %s" % (option, shown(value), error))
    return value


def _log(option: str, value: str) -> str:
    if not value.startswith(("/", "~/")):
        raise OptionError("%s: %r is no path of a file; write one that begins with / or ~/" % (option, shown(value)))
    if os.path.basename(value) in ("", ".", ".."):
        raise OptionError("%s: %r is a directory; name a file" % (option, shown(value)))
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
        raise OptionError("%s: %r holds a control character or bytes that are no UTF-8" % (option, shown(value)))
    return value


_PANE: Dict[str, Callable[[str, Any], Any]] = {
    "argv": _pane_words,
    "chdir": _directory,
    "command": _pane_command,
    "env": _variables,
    "log": _log,
    "title": _title,
}

_LEAST_LOG, _MOST_LOG = 65536, 1024**5
"""What is much larger than that is more than a shell can count to."""


def _log_size(option: str, value: Any) -> int:
    size = _bytes(option, value)
    if size < _LEAST_LOG:
        raise OptionError("%s: %s is less than 64K, which is the least" % (option, value))
    if size > _MOST_LOG:
        raise OptionError("%s: %s is more than 1024T, which is the most; leave it out for no limit" % (option, value))
    return size


def _cleanup(option: str, value: Params) -> Dict[str, Any]:
    files = value.get("files") or ()
    problem = cleanups.problem_of(files)
    if problem:
        raise OptionError("%s: %s" % (option, problem))
    return {"log": value.get("log"), "files": [_log(option + ": files", path) for path in files]}


def _typed(option: str, value: str) -> str:
    """It may be secret, so the message does not have it."""
    if not value:
        raise OptionError("%s: it is empty; leave it out" % option)
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise OptionError("%s: it holds half of a character, which no terminal can send" % option)
    return value


_KEYS = 300
"""As many fit into one command of tmux, however they are written."""
_NO_KEY = re.compile(
    r"(?:[CMS]-)*(?:any|none|user[0-9]*|focus(?:in|out)|paste(?:start|end)|report\w+theme|mouse.*|wheel.*|"
    r"(?:second|double|triple)click.*)\Z",
    re.IGNORECASE,
)


def _keys(option: str, value: Sequence[str]) -> Sequence[str]:
    if len(value) > _KEYS:
        raise OptionError(
            "%s: %d of them; one task sends at most %d, and a text is for text" % (option, len(value), _KEYS)
        )
    for name in value:
        if not name.strip() or not name.isprintable() or len(name) > 32:
            raise OptionError(
                "%s: %r is no name of a key; write them like Enter, Space, C-c, Up or y" % (option, shown(name))
            )
        if _NO_KEY.match(name):
            raise OptionError("%s: %r is nothing that a keyboard sends to a program" % (option, shown(name)))
    return value


_size = _between(1, 65535)  # columns or rows that tmux takes at most

CHECKS: Dict[str, Callable[[str, Any], Any]] = {
    "argv": _words,
    "attached_idle": duration,
    "chdir": _directory,
    "cleanup": _cleanup,
    "command": _command,
    "content_lines": _between(1, 1000000),
    "env": _variables,
    "exclude_users": _people,
    "excludes": _patterns,
    "fleet_max_percent": _percent,
    "fleet_max_removals": _limit,
    "fleet_max_removals_per_owner": _limit,
    "grace_period": _grace,
    "height": _size,
    "host_timeout": _patience,
    "idle": duration,
    "ignore_commands": _elements,
    "jobs_dir": _place,
    "keep_newest": _number,
    "keys": _keys,
    "leak_above": _leaks,
    "log": _log,
    "log_max_size": _log_size,
    "max_percent": _percent,
    "max_removals": _limit,
    "max_removals_per_owner": _limit,
    "memory_dir": _place,
    "never_attached": duration,
    "notice": duration,
    "notices_dir": _place,
    "notify_command": _a_program,
    "older_than": duration,
    "options": _tmux_options,
    "patterns": _patterns,
    "planned": _identities,
    "planned_marks": _identities,
    "protect_commands": _elements,
    "protect_for": _wearing_off,
    "report_command": _a_program,
    "secret_text": _typed,
    "snapshot": _absolute,
    "snapshot_dir": _place,
    "snapshot_keep": _kept_snapshots,
    "socket_name": _file_name,
    "socket_path": _absolute,
    "text": _typed,
    "timeout": _within_an_hour,
    "users": _people,
    "veto_command": _a_program,
    "wait_for": _regular,
    "wait_for_after": _regular,
    "wait_timeout": _patience,
    "where": _where,
    "width": _size,
    "window_name": _window_name,
    "windows": _windows,
}
"""What is refused of a value, and what it becomes. An option has the same meaning wherever it is."""


# --- options together -------------------------------------------------------------------------------------------------


def _given(params: Params, *options: str) -> List[str]:
    return [option for option in options if params.get(option) is not None]


def _require_at_most_one(params: Params, called: Called, *options: str) -> None:
    given = [called(option) for option in _given(params, *options)]
    if len(given) > 1:
        raise OptionError("%s are mutually exclusive; leave all but one out" % " and ".join(given))


def one_socket(params: Params, called: Called) -> None:
    _require_at_most_one(params, called, "socket_name", "socket_path")


def whose_servers(params: Params, called: Called) -> None:
    """One socket, or the servers of many users."""
    sockets = " and ".join(called(option) for option in ("socket_name", "socket_path"))
    if _given(params, "socket_name", "socket_path"):
        for option in ("users", "all_users"):
            if params.get(option) not in (None, False):
                raise OptionError("%s: it looks for all sockets; leave out %s" % (called(option), sockets))
    if params.get("exclude_users") and not params.get("all_users") and params.get("users") is None:
        raise OptionError(
            "%s: it needs %s=true or %s" % (called("exclude_users"), called("all_users"), called("users"))
        )


def some_criterion(params: Params, called: Called) -> None:
    if not _given(params, "idle", "older_than", "never_attached") and not params.get("finished"):
        said = tuple(called(option) for option in ("idle", "older_than", "never_attached", "finished"))
        raise OptionError("one of %s, %s, %s and %s is required: without any, nothing says what to remove" % said)


def patterns(params: Params, called: Called) -> None:
    for option in ("patterns", "excludes"):
        matcher(called(option), params.get(option) or (), bool(params.get("use_regex")))


def commands(params: Params, called: Called) -> None:
    for option in ("ignore_commands", "protect_commands"):
        named(called(option), params.get(option) or (), bool(params.get("use_regex")))


def telling(params: Params, called: Called) -> None:
    if params.get("notice") is None and params.get("notice_message") is not None:
        raise OptionError("%s tells of a notice; it needs %s" % (called("notice_message"), called("notice")))


def snapshots(params: Params, called: Called) -> None:
    wanted = params.get("snapshot_colors") or params.get("allow_no_snapshot") or _given(params, "snapshot_keep")
    if params.get("snapshot_dir") is None and wanted:
        options = ("snapshot_colors", "snapshot_keep", "allow_no_snapshot", "snapshot_dir")
        raise OptionError("%s, %s and %s are about snapshots; they need %s" % tuple(called(it) for it in options))


def limits(params: Params, called: Called) -> None:
    if params.get("leak_above") is not None and "resources" not in (params.get("include") or ()):
        raise OptionError("%s: it needs %s=resources" % (called("leak_above"), called("include")))


CREATION = tuple("argv chdir command env height snapshot snapshot_owner width window_name windows".split())
"""What new sessions are like."""
ALSO_LATER = ("cleanup", "keep_exited", "log", "log_max_size", "options")
"""What is set in sessions that are there, too."""


_MAKE_NEW = ("present", "completed")


def only_new(params: Params, called: Called) -> None:
    """What new sessions are like is said only where some may be made."""
    extra = [called(option) for option in _given(params, *CREATION, *ALSO_LATER)]
    extra += [called("recreate")] if params["recreate"] != "never" else []
    extra += [called("prune_windows")] if params["prune_windows"] else []
    if params["state"] not in _MAKE_NEW and extra:
        raise OptionError("%s: only for state=present, not for state=%s" % (", ".join(extra), params["state"]))


def names(params: Params, called: Called) -> None:
    """There are some, and new sessions can have them."""
    if not params["name"]:
        remedy = "with state=%s it needs at least one session" % params["state"]
        raise OptionError("%s: the list is empty; %s" % (called("name"), remedy))
    for name in params["name"] if params["state"] in _MAKE_NEW else ():
        reason = unsuitable(name)
        if reason:
            raise OptionError("%s: %r cannot be used for a new session: %s" % (called("name"), shown(name), reason))


def what_runs(params: Params, called: Called) -> None:
    _require_at_most_one(params, called, "command", "argv")
    others = [called(option) for option in _given(params, "command", "argv", "window_name")]
    if params.get("windows") is not None and others:
        raise OptionError("%s: windows says that of each window; leave it out" % ", ".join(others))


def drifting(params: Params, called: Called) -> None:
    if params["recreate"] == "on_drift" and params.get("windows") is None:
        raise OptionError(
            "%s: only windows can drift; with on_drift it needs %s" % (called("recreate"), called("windows"))
        )
    if params["prune_windows"] and not params.get("windows"):
        said = (called("prune_windows"), called("windows"))
        raise OptionError("%s: it keeps what is declared, and needs at least one of %s" % said)
    if params["snapshot_dir"] is not None and not _removes(params):
        options = [called(option) for option in ("snapshot_dir", "state", "recreate", "prune_windows")]
        raise OptionError("%s: nothing is removed; it is for %s=absent and only, for %s and for %s" % tuple(options))


def _removes(params: Params) -> bool:
    """Whether sessions, or windows of theirs, are removed for what is declared."""
    return params["state"] in ("absent", "only") or params["recreate"] != "never" or bool(params["prune_windows"])


def restoring(params: Params, called: Called) -> None:
    """A snapshot says all of a session itself."""
    if params["state"] != "present":
        return
    if params["snapshot"] is None:
        for option in ("restore_commands", "snapshot_owner"):
            if params[option]:
                raise OptionError("%s: it is about a snapshot; it needs snapshot" % called(option))
        return
    if params["restore_commands"] and params["snapshot_owner"] is not None:
        said = (called("restore_commands"), called("snapshot_owner"))
        raise OptionError("%s: never with %s, for what one user has written down is not run as another" % said)
    others = [called(option) for option in _given(params, *CREATION) if not option.startswith("snapshot")]
    if others:
        raise OptionError("%s: the snapshot says that already; leave it out" % ", ".join(others))
    if len(params["name"]) != 1:
        raise OptionError(
            "%s: a snapshot is of one session, so with snapshot it takes exactly one name" % called("name")
        )


_NO_JOB = ("windows", "snapshot", "snapshot_owner", "keep_exited")


_OF_JOBS: Dict[str, Tuple[Any, ...]] = {
    "rerun": (False,),
    "wait_timeout": ("1h", 3600),
    "fail_on_timeout": (True,),
    "fail_on_status": (True,),
    "content_lines": (100,),
    "jobs_dir": (STANDARD_PLACE,),
}
"""What only jobs have, and its defaults as they are written and as they are read."""


def a_job(params: Params, called: Called) -> None:
    """One command in a session of its own, which is run once."""
    if params["state"] != "completed":
        extra = [called(option) for option, usual in _OF_JOBS.items() if params.get(option, usual[0]) not in usual]
        if extra:
            raise OptionError("%s: only for state=completed, not for state=%s" % (", ".join(extra), params["state"]))
        return
    if len(set(params["name"])) > 1:
        raise OptionError("%s: with state=completed it takes exactly one name" % called("name"))
    others = _given(params, *_NO_JOB) + (["recreate"] if params["recreate"] != "never" else [])
    others += ["restore_commands"] if params["restore_commands"] else []
    if others:
        said = ", ".join(map(called, others))
        raise OptionError("%s: a job is one command in a session that is removed; leave it out" % said)
    if not _given(params, "command", "argv"):
        words = (called("command"), called("argv"))
        raise OptionError("%s or %s: state=completed needs something that comes to an end" % words)


def awaited(params: Params, called: Called) -> None:
    """Some sessions, and one thing of them."""
    if not params["name"]:
        raise OptionError("%s: the list is empty; name the sessions to wait for" % called("name"))
    if params.get("wait_for") is not None and params["until"] == "gone":
        said = (called("wait_for"), called("until"))
        raise OptionError("%s: it is about sessions that are there; leave out %s=gone" % said)


def something_to_type(params: Params, called: Called) -> None:
    """A text or keys."""
    options = ("text", "secret_text", "keys")
    if not any(params[option] for option in (*options, "enter")):
        raise OptionError("there is nothing to send; give %s or enter" % ", ".join(map(called, options)))


def lingering(params: Params, called: Called) -> None:
    """Only a manager of the user's needs that."""
    if params.get("linger") and params["scope"] != "user":
        raise OptionError("%s: only with %s=user" % (called("linger"), called("scope")))


def logs(params: Params, called: Called) -> None:
    """What each command prints is in a file of its own."""
    paths = _logs_of_panes(params["windows"] or ())
    given = [called("log")] if params["log"] is not None else []
    given += [called("windows") + option for option in list(paths)[:1]]
    if params["log_max_size"] is not None and not given:
        raise OptionError("%s: there is no log; it needs %s" % (called("log_max_size"), called("log")))
    if not given or params["state"] != "present":
        return
    others = [called(option) for option in _given(params, "windows", "snapshot")] if params["log"] is not None else []
    if others:
        remedy = "; say it of the windows or panes" if params["windows"] is not None else ""
        said = (called("log"), ", ".join(others), remedy)
        raise OptionError("%s: it is for what one command prints; leave out %s%s" % said)
    if len(set(params["name"])) > 1:
        raise OptionError("%s: with %s it takes exactly one name" % (called("name"), given[0]))
    _require_different(paths, params["log_max_size"] is not None, called("windows"))


def _logs_of_panes(windows: Sequence[Mapped]) -> Dict[str, str]:
    """The logs of windows and panes, by what says so."""
    found: Dict[str, Optional[str]] = {}
    for place, window in enumerate(windows):
        found["[%d]: log" % place] = window.get("log")
        for number, pane in enumerate(window.get("panes") or ()):
            found["[%d]: panes[%d]: log" % (place, number)] = pane.get("log")
    return {option: path for option, path in found.items() if path is not None}


def _require_different(paths: Mapping[str, str], limited: bool, windows: str) -> None:
    """Two paths of one file that look different are told apart on the host."""
    taken: Dict[str, str] = {}
    for option, path in paths.items():
        for written in [path] + ([path + ".1"] if limited else []):
            other = taken.setdefault(posixpath.normpath(written), option)
            if other != option:
                said = (windows, option, windows, other)
                raise OptionError("%s%s: %s%s writes to the same file; give each pane one of its own" % said)


def cleaned_up(params: Params, called: Called) -> None:
    """What goes with one session."""
    if params["cleanup"] is None or params["state"] not in _MAKE_NEW:
        return
    declared = params["log"] is not None or _logs_of_panes(params["windows"] or ())
    if params["cleanup"].get("log") == "remove" and not declared:
        raise OptionError("%s: there is no log to remove; it needs %s" % (called("cleanup"), called("log")))
    if len(set(params["name"])) > 1:
        raise OptionError("%s: with cleanup it takes exactly one name" % called("name"))


INFO: Sequence[Rule] = (one_socket, whose_servers, limits)
PRUNE: Sequence[Rule] = (one_socket, whose_servers, some_criterion, patterns, commands, telling, snapshots)
SEND: Sequence[Rule] = (one_socket, something_to_type)
WAIT: Sequence[Rule] = (one_socket, awaited)
SESSION: Sequence[Rule] = (
    one_socket,
    names,
    only_new,
    a_job,
    what_runs,
    drifting,
    restoring,
    logs,
    cleaned_up,
    lingering,
)
