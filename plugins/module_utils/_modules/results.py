# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a module ends: with its result, with warnings, or with a failure that loses nothing of what was done."""

import json
from typing import Any, Callable, Dict, List, NoReturn, Optional, Sequence, Tuple

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleet.tmux.plugins.module_utils._host import crew
from ansible_collections.fleet.tmux.plugins.module_utils._host.crew import Job, Line
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import FULL, unexpected
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief, shown
from ansible_collections.fleet.tmux.plugins.module_utils._modules.bounds import first
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import NOT_OURS

WARNINGS_LIMIT = 20
_OURS = "ansible_collections.fleet.tmux."
"""Where the errors are made whose messages are meant for people."""
_MESSAGE_CHARS = 4000
_SAID_CHARS = 2000
"""What is told of a stream of a program that failed."""
_WORDS = 50
_OF_AN_OWNER = 3
"""Servers of one owner that are warned of, before they are only counted: one must not bury what is said of others."""
_WELL = ("ok", "absent", "foreign", "recovered")


Json = Dict[str, Any]


def unwell(servers: Sequence[Json]) -> List[str]:
    """Sentences for servers, as results show them, that could not be used: of one owner only so many."""
    told: Dict[str, List[str]] = {}
    more: Dict[str, int] = {}
    for server in servers:
        if server["status"] in _WELL:
            continue
        own = told.setdefault(server["owner"], [])
        if len(own) < _OF_AN_OWNER:
            own.append(f"server {server['socket']} of {server['owner']} is {server['status']}: {server['reason']}")
        else:
            more[server["owner"]] = more.get(server["owner"], 0) + 1
    for owner, number in more.items():
        told[owner].append(f"and {number} more servers of {owner} could not be used")
    return [sentence for own in told.values() for sentence in own]


class TaskError(ValueError):
    """What makes a task fail though nothing was out of order on our side; the message says it."""


class Defect(Exception):
    """A defect of ours that a child met. ``trace`` says where."""

    def __init__(self, message: str, trace: str) -> None:
        super().__init__(message)
        self.trace = trace


class _ToldError(TmuxError):
    """An error of tmux that a child met, with what the child tells of what was asked and answered."""

    def __init__(self, message: str, exchanged: Json) -> None:
        super().__init__(message)
        self.exchanged = exchanged


def told_error(error: TmuxError) -> Json:
    """An error as a child tells of it."""
    return {"message": error.message, "exchanged": _exchanged(error)}


def error_of(told: Optional[Json]) -> Optional[TmuxError]:
    """The error of which a child told."""
    return None if told is None else _ToldError(told["message"], told["exchanged"])


def judge_servers(
    result: Json, failed_servers: str, error: Optional[Exception] = None
) -> Tuple[Optional[Exception], Sequence[str]]:
    """What servers that could not be used, and removals that failed, mean for the task: an error, or warnings.

    The one server that was asked for must be usable. Of many, ``failed_servers`` decides, or any user could make the
    task fail for all.

    :param error: what tmux, or we, had to say about the one server.
    """
    sentences = unwell(result["servers"]) + _undone(result.get("not_done", []))
    if result["scope"] == "socket":
        return error or _error_of_one(result["servers"], sentences), ()
    if failed_servers == "fail" and sentences:
        told, more = first(sentences, WARNINGS_LIMIT)
        return TaskError("; ".join([brief(each) for each in told] + ([f"and {more} more"] if more else []))), ()
    return None, sentences if failed_servers == "warn" else ()


def _undone(items: Sequence[Dict[str, Any]]) -> List[str]:
    return [f"session {item['name']} of {item['owner']} was not removed: {item['detail']}" for item in items]


def _error_of_one(servers: Sequence[Json], sentences: Sequence[str]) -> Optional[Exception]:
    foreign = [f"server {one['socket']}: {one['reason']}; {NOT_OURS}" for one in servers if one["status"] == "foreign"]
    every = [*sentences, *foreign]
    return TaskError(every[0]) if every else None


def warn_each(module: AnsibleModule, sentences: Sequence[str]) -> None:
    """Warn, but not without end: what one user does must not bury everything else."""
    for sentence in sentences[:WARNINGS_LIMIT]:
        module.warn(brief(sentence))
    if len(sentences) > WARNINGS_LIMIT:
        module.warn(f"and {len(sentences) - WARNINGS_LIMIT} more of the kind")


def _fail(module: AnsibleModule, error: Exception, result: Dict[str, Any]) -> NoReturn:
    """Fail with what an error carries, and lose nothing of what was done until then."""
    more: Dict[str, Any] = {}
    message = str(error)
    if isinstance(error, TmuxError):
        message = error.message
        more.update(_exchanged(error))
    elif isinstance(error, Defect):
        more["exception"] = error.trace
    elif not type(error).__module__.startswith(_OURS):
        # A defect of ours.
        message, more["exception"] = unexpected(error, module.params.get("evidence_detail") == FULL)
    module.fail_json(msg=brief(message, _MESSAGE_CHARS), **dict(result, **more))
    raise SystemExit(1)


def _exchanged(error: TmuxError) -> Dict[str, Any]:
    """What tmux was asked, and what it answered: all of it may be somebody's words."""
    if isinstance(error, _ToldError):
        return error.exchanged
    if error.private:
        return {"cmd": [], "rc": error.rc, "stdout": "", "stderr": ""}
    words, more = first(error.cmd, _WORDS)
    cmd = [brief(word) for word in words] + (["and %d more" % more] if more else [])
    return {
        "cmd": cmd,
        "rc": error.rc,
        "stdout": shown(error.stdout[:_SAID_CHARS], True),
        "stderr": shown(error.stderr[:_SAID_CHARS], True),
    }


Work = Callable[[], Tuple[Dict[str, Any], Optional[Exception]]]


def finish(module: AnsibleModule, work: Work, nothing: Dict[str, Any]) -> None:
    """End a module with the result that ``work`` returns, and with what went wrong, if anything has.

    :param nothing: the result when ``work`` raises: it does that only as long as it has done nothing.
    """
    try:
        result, error = work()
    except Exception as problem:  # pylint: disable=broad-except
        result, error = nothing, problem
    result, problem_of_result = _writable(result)
    error = error or problem_of_result
    if error is not None:
        _fail(module, error, result)
    module.exit_json(**result)


def apart(work: Work, nothing: Json, seconds: float, full: bool) -> Tuple[Json, Optional[Exception]]:
    """What ``work`` returns, done in a child that is not waited for any longer: it may hang where nothing ends it.

    :param full: whether the words of a defect may be told.
    """
    heard: Json = {}

    def tell(line: Line) -> None:
        try:
            result, error = work()
        except Exception as problem:  # pylint: disable=broad-except
            result, error = nothing, problem
        line.say({"result": result, "error": _as_told(error, full)})

    ends = crew.work([Job("one", tell, seconds)], lambda _key, message: heard.update(message))
    if "result" in heard:
        return heard["result"], _from_told(heard["error"])
    end = ends["one"]
    return nothing, Defect(end.reason, end.trace) if end.trace else TaskError(
        f"{end.reason}; what was done is not known"
    )


def _as_told(error: Optional[Exception], full: bool) -> Optional[Json]:
    if error is None:
        return None
    if isinstance(error, TmuxError):
        return {"tmux": told_error(error)}
    if type(error).__module__.startswith(_OURS):
        return {"message": str(error)}
    message, trace = unexpected(error, full)
    return {"message": message, "trace": trace}


def _from_told(told: Optional[Json]) -> Optional[Exception]:
    if told is None:
        return None
    if "trace" in told:
        return Defect(told["message"], told["trace"])
    return error_of(told["tmux"]) if "tmux" in told else TaskError(told["message"])


def _writable(result: Json) -> Tuple[Json, Optional[Exception]]:
    """A result without what cannot be written, and why it cannot: what was done must get out, whatever is with it."""
    problem: Optional[Exception] = None
    written: Json = {}
    for key, value in result.items():
        try:
            json.dumps(value)
        except Exception as error:  # pylint: disable=broad-except
            problem = error
            value = [part for part in value if _can_be_written(part)] if isinstance(value, list) else None
        written[key] = value
    return written, problem


def _can_be_written(value: object) -> bool:
    try:
        json.dumps(value)
    except Exception:  # pylint: disable=broad-except
        return False
    return True
