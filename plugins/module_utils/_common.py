# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules share: options, the way from options to servers, and how failures are told."""

import os
import traceback
from typing import Any, Callable, Dict, List, NoReturn, Optional, Sequence, Tuple

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleet.tmux.plugins.module_utils._census import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._child import Directory, NoAnswer
from ansible_collections.fleet.tmux.plugins.module_utils._servers import Host, Scope, Server, discover, locate
from ansible_collections.fleet.tmux.plugins.module_utils._sockets import default_path
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import TmuxError, shown

CONNECTION_OPTIONS: Dict[str, Dict[str, Any]] = {
    "socket_name": {"type": "str"},
    "socket_path": {"type": "path"},
    "executable": {"type": "path"},
    "timeout": {"type": "float", "default": 10.0},
}

SCOPE_OPTIONS: Dict[str, Dict[str, Any]] = {
    "all_users": {"type": "bool", "default": False},
    "users": {"type": "list", "elements": "str"},
    "exclude_users": {"type": "list", "elements": "str", "default": []},
    "recover_sockets": {"type": "bool", "default": False},
    "failed_servers": {"type": "str", "choices": ["warn", "fail", "ignore"], "default": "warn"},
}

SCOPE_EXCLUSIVE: List[Tuple[str, str]] = [("users", "socket_name"), ("users", "socket_path")]

WARNINGS_LIMIT = 20
_WELL = ("ok", "absent", "foreign")


class OptionError(ValueError):
    """An option that cannot be used; the message names it and the remedy."""


def set_up(module: AnsibleModule) -> Host:
    """Find tmux and check the options that all modules have.

    :raises OptionError: for a time limit that is none.
    :raises TmuxError: for a binary that cannot be used.
    """
    timeout = module.params["timeout"]
    if not 0 < timeout <= 3600:
        raise OptionError("timeout: %g is not between 0 and 3600 seconds" % timeout)
    binary = _binary(module)
    return Host(binary, timeout, Directory(timeout))


def _binary(module: AnsibleModule) -> str:
    given = module.params["executable"]
    if given:
        if not (os.path.isfile(given) and os.access(given, os.X_OK)):
            raise OptionError("executable: %s is no program that can be run" % given)
        return str(os.path.abspath(given))
    found = module.get_bin_path("tmux", opt_dirs=["/usr/local/bin", "/opt/homebrew/bin"])
    if not found:
        raise OptionError("tmux was not found; install the package tmux on this host, or give its path with executable")
    return str(found)


def the_path(module: AnsibleModule, host: Host) -> str:
    """The socket that ``socket_path`` or ``socket_name`` name; by default that of the user the module runs as."""
    params = module.params
    if params["socket_path"]:
        path = os.path.normpath(params["socket_path"])
        if not path.startswith("/"):
            raise OptionError("socket_path: %r is not absolute" % params["socket_path"])
        return str(path)
    name = "default" if params["socket_name"] is None else params["socket_name"]
    if not name or "/" in name or "\0" in name or name in (".", ".."):
        raise OptionError("socket_name: %r is no file name; for a path there is socket_path" % name)
    return default_path(host.uid, name)


def the_servers(module: AnsibleModule, host: Host) -> Tuple[List[Server], str]:
    """The servers that the options choose, and whose they are: ``host`` (all users'), ``own`` or ``socket``."""
    params = module.params
    if not params["all_users"] and params["users"] is None:
        if params["exclude_users"]:
            raise OptionError("exclude_users: it needs all_users=true or users")
        return [locate(host, the_path(module, host))], "socket"
    if params["socket_name"] is not None or params["socket_path"] is not None:
        raise OptionError("all_users: it looks for all sockets; leave out socket_name and socket_path")
    scope = Scope(
        None if params["users"] is None else _uids(module, host, "users"),
        set(_uids(module, host, "exclude_users")),
    )
    if host.uid != 0:
        me = host.directory.user(host.uid).name
        module.warn("without root only the servers of %s are looked at (become: true would look at all)" % shown(me))
    return discover(host, scope), "host" if host.uid == 0 else "own"


def _uids(module: AnsibleModule, host: Host, option: str) -> "set[int]":
    uids = set()
    for name in module.params[option]:
        try:
            user = host.directory.find(name)
        except NoAnswer as error:
            raise OptionError("%s: it is not known who %r is: %s; nothing was done" % (option, name, error))
        if user is None:
            module.warn("%s: there is no user %s on this host" % (option, shown(name)))
        else:
            uids.add(user.uid)
    return uids


def unwell(servers: Sequence[Server]) -> List[str]:
    """A sentence for every server that could not be used."""
    return [
        "server %s of %s is %s: %s" % (shown(server.socket), shown(server.user.name), server.status, server.reason)
        for server in servers
        if server.status not in _WELL
    ]


def judge_servers(module: AnsibleModule, seen: Sequence[Seen], result: Dict[str, Any]) -> None:
    """Say what servers that could not be used, and removals that failed, mean for the task.

    The one server that was asked for must be usable. Of many, ``failed_servers`` decides, or any user could make the
    task fail for all.
    """
    sentences = unwell([one.server for one in seen])
    sentences += ["session %s of %s was not removed: %s" % _named(item) for item in result.get("failures", [])]
    errors = [one.error for one in seen if one.error is not None]
    foreign = [one.server for one in seen if one.server.status == "foreign"]
    if result["scope"] == "socket":
        if errors:
            fail_for(module, errors[0], result)
        if sentences or foreign:
            fail(module, (sentences + ["server %s: %s" % (it.socket, it.reason) for it in foreign])[0], result)
    elif module.params["failed_servers"] == "fail" and sentences:
        fail(module, "; ".join(sentences[:WARNINGS_LIMIT]), result)
    elif module.params["failed_servers"] == "warn":
        warn_each(module, sentences)


def _named(item: Dict[str, Any]) -> Tuple[str, str, str]:
    return item["name"], item["owner"], item["detail"]


def warn_each(module: AnsibleModule, sentences: Sequence[str]) -> None:
    """Warn, but not without end: what one user does must not bury everything else."""
    for sentence in sentences[:WARNINGS_LIMIT]:
        module.warn(shown(sentence))
    if len(sentences) > WARNINGS_LIMIT:
        module.warn("and %d more of the kind; the result has them all" % (len(sentences) - WARNINGS_LIMIT))


def fail(module: AnsibleModule, message: str, result: Optional[Dict[str, Any]] = None) -> NoReturn:
    """Fail, and lose nothing of what was done until then."""
    module.fail_json(msg=shown(message), **(result or {}))
    raise SystemExit(1)


def fail_for(module: AnsibleModule, error: Exception, result: Dict[str, Any]) -> NoReturn:
    """Fail with what an error carries."""
    if isinstance(error, TmuxError):
        details: Dict[str, Any] = {"cmd": [shown(word) for word in error.cmd], "rc": error.rc}
        details.update({"stdout": shown(error.stdout[:2000], True), "stderr": shown(error.stderr[:2000], True)})
        fail(module, error.message, dict(result, **details))
    fail(module, str(error), result)


def run_main(module: AnsibleModule, work: Callable[[Dict[str, Any]], None], result: Dict[str, Any]) -> None:
    """Let ``work`` fill ``result``, and end the module with it, whatever happens."""
    try:
        work(result)
    except (OptionError, ValueError, TmuxError) as error:
        fail_for(module, error, result)
    except Exception as error:  # pylint: disable=broad-except
        # What was already done must reach the caller even if the rest has a defect.
        fail(
            module, "unexpected: %s: %s" % (type(error).__name__, error), dict(result, exception=traceback.format_exc())
        )
    module.exit_json(**result)
