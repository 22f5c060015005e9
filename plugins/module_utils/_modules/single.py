# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one server of a task that is about one."""

from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import WITHHELD
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.module_utils._modules.results import TaskError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import servers
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen, look
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host


def look_at(host: Host, path: str) -> Seen:
    """The one server of a task, which may not be there yet.

    :raises TaskError: when nobody knows what it holds.
    :raises TmuxError: when it could not be asked.
    """
    seen = look(host, servers.locate(host, path))
    server = seen.server
    if seen.error is not None and server.status != "absent":
        raise seen.error
    if server.status not in ("ok", "absent"):
        remedy = f"; {servers.NOT_OURS}" if server.status == "foreign" else ""
        raise TaskError(f"server {shown(server.socket)} is {server.status}: {server.reason}{remedy}")
    return seen


def require_screens(seen: Seen, option: str) -> None:
    """:raises TaskError: when what the panes of a server show is not told, as ``option`` would."""
    if seen.discreet:
        raise TaskError(f"{option}: what the panes of another user show is not looked at ({WITHHELD})")
