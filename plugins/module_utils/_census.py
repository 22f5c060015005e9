# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks servers what they hold, and gives none of them more time than the others can spare."""

import time
from typing import Dict, Iterable, List, NamedTuple, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._model import Listing, read
from ansible_collections.fleet.tmux.plugins.module_utils._servers import Host, Server, recover
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import Client, TmuxError, parse_version

PATIENCE = 3
"""Time limits that all servers of one owner may use up together; the rest of them is then not asked."""

NOTHING = Listing(None, None, parse_version(""), (), ())


class Seen(NamedTuple):
    """A server, with what it listed. ``server.status`` is not ``ok`` when it could not be listed."""

    server: Server
    client: Client
    listing: Listing
    error: Optional[TmuxError] = None


def look(host: Host, server: Server) -> Seen:
    """List one server; what is wrong with it becomes its status and reason."""
    client = host.client(server)
    if server.status != "ok":
        return Seen(server, client, NOTHING)
    try:
        listing = read(client)
    except TmuxError as error:
        status = "unreachable" if error.status == "ok" else error.status
        return Seen(server._replace(status=status, reason=error.message), client, NOTHING, error)
    version = listing.version.text if listing.pid is not None else ""
    return Seen(server._replace(version=version, start_time=listing.start_time), client, listing)


def look_at_all(host: Host, servers: Iterable[Server], recover_sockets: bool = False) -> List[Seen]:
    """List every server that can be used, within each owner's share of time; without those that ended meanwhile."""
    spent: Dict[int, float] = {}
    found = []
    for server in servers:
        if spent.get(server.user.uid, 0.0) > PATIENCE * host.timeout and server.status in ("ok", "orphaned"):
            reason = "not asked: the servers of this owner had already used up %g seconds" % (PATIENCE * host.timeout)
            found.append(Seen(server._replace(status="hung", reason=reason), host.client(server), NOTHING))
            continue
        start = time.monotonic()
        seen = look(host, recover(host, server) if recover_sockets and server.status == "orphaned" else server)
        spent[server.user.uid] = spent.get(server.user.uid, 0.0) + time.monotonic() - start
        if seen.server.status != "absent":
            found.append(seen)
    return found
