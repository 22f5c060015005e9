# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks servers what they hold, and gives none of them more time than the others can spare."""

import time
from typing import Dict, Iterable, List, NamedTuple, Optional

from ansible_collections.fleet.tmux.plugins.module_utils._model import WHOLE, Guards, Listing, read
from ansible_collections.fleet.tmux.plugins.module_utils._servers import Host, Server, recover
from ansible_collections.fleet.tmux.plugins.module_utils._survivors import outlasting
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import Client, Share, TmuxError, parse_version

PATIENCE = 3
"""Time limits that all servers of one owner may use up together; after that they are not asked anything."""

_ENDING_SECONDS = 1.0
"""How long a server that has ended is given to be gone."""

BYTES_PER_OWNER = 32 * 1024 * 1024
"""Bytes that all servers of one owner may list together; a thousand sessions need about one million."""

NOTHING = Listing(None, None, parse_version(""), (), ())


class Seen(NamedTuple):
    """A server, with what it listed. ``server.status`` is not ``ok`` when it could not be listed."""

    server: Server
    client: Client
    listing: Listing
    error: Optional[TmuxError] = None


def look(host: Host, server: Server, share: Optional[Share] = None, guards: Guards = WHOLE) -> Seen:
    """List one server; what is wrong with it becomes its status and reason."""
    client = host.client(server)
    client.share = share
    if server.status != "ok":
        return Seen(server, client, NOTHING)
    try:
        listing = read(client, guards)
    except TmuxError as error:
        return Seen(_unwell(server, error), client, NOTHING, error)
    version = listing.version.text if listing.pid is not None else ""
    return Seen(server._replace(version=version, start_time=listing.start_time), client, listing)


def _unwell(server: Server, error: TmuxError) -> Server:
    """A server that could not be listed. One that says that there is none, and lives, is not believed."""
    if error.status == "absent" and server.process is not None and outlasting([server.process], _ENDING_SECONDS):
        return server._replace(status="unreachable", reason="its process lives, but %s" % error.message)
    return server._replace(status="unreachable" if error.status == "ok" else error.status, reason=error.message)


def look_at_all(
    host: Host, servers: Iterable[Server], recover_sockets: bool = False, guards: Guards = WHOLE
) -> List[Seen]:
    """List every server that can be used, within each owner's share of time; without those that ended meanwhile."""
    shares: Dict[int, Share] = {}
    found = []
    for server in servers:
        share = shares.setdefault(server.user.uid, Share(PATIENCE * host.timeout, BYTES_PER_OWNER))
        if server.status in ("ok", "orphaned") and share.used_up():
            server = server._replace(status="hung", reason="not asked: %s" % share.used_up())
        if recover_sockets and server.status == "orphaned":
            start = time.monotonic()
            server = recover(host, server)
            share.charge(time.monotonic() - start, 0)
        seen = look(host, server, share, guards)
        if seen.server.status != "absent":
            found.append(seen)
    return found
