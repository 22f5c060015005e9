# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules share: options, and the way from options to servers."""

import os
from typing import Any, Dict, NamedTuple, Optional, Sequence

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory, NoAnswer
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import FULL, KIND
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief, shown
from ansible_collections.fleet.tmux.plugins.module_utils._policy.errors import OptionError
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import STANDARD_PLACE
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import (
    NO_TMUX,
    Host,
    Scope,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.sockets import default_path


class ServerOptions(NamedTuple):
    """Which servers are looked at, and how they are reached. ``timeout`` is in seconds."""

    timeout: int
    executable: Optional[str] = None
    socket_name: Optional[str] = None
    socket_path: Optional[str] = None
    all_users: bool = False
    users: Optional[Sequence[str]] = None
    exclude_users: Sequence[str] = ()
    recover_sockets: bool = False
    failed_servers: str = "warn"
    evidence_detail: str = KIND


def server_options(values: Dict[str, Any]) -> ServerOptions:
    """The part of a module's options that is about servers; a module for one server has fewer."""
    return ServerOptions(**{name: values[name] for name in ServerOptions._fields if name in values})


def set_up(module: AnsibleModule, options: ServerOptions, needs_tmux: bool = True) -> Host:
    """Find tmux.

    :param needs_tmux: whether nothing can be done without it; else there may be nothing to do.
    :raises OptionError: when it is needed, or was named, and is not there.
    :raises TmuxError: for a binary that cannot be used, likewise.
    """
    directory, full = Directory(options.timeout), options.evidence_detail == FULL
    binary = _binary(module, options.executable)
    if binary is None and needs_tmux:
        raise OptionError(f"{NO_TMUX}; install the package tmux, or give its path with executable")
    try:
        return Host(binary, options.timeout, directory, full)
    except TmuxError as problem:
        if needs_tmux or options.executable:
            raise
        return Host(None, options.timeout, directory, full, lack=problem.message)


def _binary(module: AnsibleModule, given: Optional[str]) -> Optional[str]:
    if given:
        if not (os.path.isfile(given) and os.access(given, os.X_OK)):
            raise OptionError(
                "executable: %s is no program that can be run; give the path of tmux, or leave it out" % given
            )
        return str(os.path.abspath(given))
    found = module.get_bin_path("tmux", opt_dirs=["/usr/local/bin", "/opt/homebrew/bin"])
    return str(found) if found else None


def note_of(host: Host, servers: Sequence[object]) -> str:
    """What a result says of a host without a tmux that can be used: it is no trouble where nothing of it runs."""
    if host.binary is not None:
        return ""
    more = "; a server is only asked with the program that it runs itself" if servers else ", and no server of it runs"
    return brief(host.lack + more)


def the_path(options: ServerOptions, host: Host) -> str:
    """The socket that ``socket_path`` or ``socket_name`` name; by default that of the user the module runs as."""
    if options.socket_path is not None:
        return os.path.normpath(options.socket_path)
    return default_path(host.uid, "default" if options.socket_name is None else options.socket_name)


def the_scope(module: AnsibleModule, options: ServerOptions, host: Host) -> Optional[Scope]:
    """The users whose servers the options choose; None where they choose one server."""
    if not options.all_users and options.users is None:
        return None
    scope = Scope(
        None if options.users is None else _uids(module, host, "users", options.users),
        set(_uids(module, host, "exclude_users", options.exclude_users)),
    )
    if host.uid != 0:
        me = host.directory.user(host.uid).name
        module.warn("without root only the servers of %s are looked at (become: true would look at all)" % shown(me))
    return scope


def _uids(module: AnsibleModule, host: Host, option: str, names: Sequence[str]) -> "set[int]":
    uids = set()
    for name in names:
        try:
            user = host.directory.find(name)
        except NoAnswer as error:
            raise OptionError("%s: it is not known who %r is: %s; nothing was done" % (option, name, error))
        if user is None:
            module.warn("%s: there is no user %s on this host" % (option, shown(name)))
        else:
            uids.add(user.uid)
    return uids


def place_of(place: str, what: str, host: Host) -> str:
    """The directory that an option names."""
    return usual_place(host, what) if place == STANDARD_PLACE else place


def usual_place(host: Host, what: str) -> str:
    """Where something is kept when nobody says where: of root below /var/lib, of others where programs keep state."""
    if host.uid == 0:
        return "/var/lib/fleet-tmux/" + what
    state = os.environ.get("XDG_STATE_HOME", "")
    if not state.startswith("/"):
        state = os.path.join(host.directory.user(host.uid).home, ".local", "state")
    return os.path.join(state, "fleet-tmux", what)
