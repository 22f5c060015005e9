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

BYTES_PER_OWNER = 32 * 1024 * 1024
"""Bytes that all servers of one owner may list together; a thousand sessions need about one million."""

NOTHING = Listing(None, None, parse_version(""), (), ())


class Seen(NamedTuple):
    """A server, with what it listed. ``server.status`` is not ``ok`` when it could not be listed."""

    server: Server
    client: Client
    listing: Listing
    error: Optional[TmuxError] = None


class _Share:
    """What the servers of one owner may still cost."""

    def __init__(self, seconds: float) -> None:
        self._limit = seconds
        self._seconds = 0.0
        self._bytes = 0

    def charge(self, seconds: float, received: int) -> None:
        self._seconds += seconds
        self._bytes += received

    def used_up(self) -> str:
        """What has been used up; nothing while there is something left."""
        if self._seconds > self._limit:
            return "the servers of this owner had already taken %g seconds" % self._limit
        if self._bytes > BYTES_PER_OWNER:
            return "the servers of this owner had already listed %d bytes" % BYTES_PER_OWNER
        return ""


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
    shares: Dict[int, _Share] = {}
    found = []
    for server in servers:
        share = shares.setdefault(server.user.uid, _Share(PATIENCE * host.timeout))
        if server.status in ("ok", "orphaned") and share.used_up():
            server = server._replace(status="hung", reason="not asked: %s" % share.used_up())
        start = time.monotonic()
        seen = look(host, recover(host, server) if recover_sockets and server.status == "orphaned" else server)
        share.charge(time.monotonic() - start, seen.client.received)
        if seen.server.status != "absent":
            found.append(seen)
    return found
