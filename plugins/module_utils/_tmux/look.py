# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks servers what they hold, and gives none of them more time than the others can spare."""

from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, outlasting
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import MINIMUM, parse_version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Hung, Lost, Mismatch, TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    WHOLE,
    Guards,
    Listing,
    Session,
    identity_on_host,
    read,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host, Server, recover
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.share import Share

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

    @property
    def discreet(self) -> bool:
        """Whether what its owner, programs and server have chosen stays on the host."""
        return self.client.discreet

    def identity(self, session: Session) -> str:
        """Who a session is on its host."""
        return identity_on_host(self.listing.pid, self.listing.start_time, session)


def look(host: Host, server: Server, share: Optional[Share] = None, guards: Guards = WHOLE) -> Seen:
    """List one server; what is wrong with it becomes its status and reason."""
    client = host.client(server)
    client.share = share
    if server.status != "ok":
        return Seen(server, client, NOTHING)
    try:
        client, listing = _listed(host, server, client, guards)
    except TmuxError as error:
        return Seen(_unwell(server, error, share), client, NOTHING, error)
    version = listing.version.text if listing.pid is not None else ""
    return Seen(server._replace(version=version, start_time=listing.start_time), client, listing)


def _listed(host: Host, server: Server, client: Client, guards: Guards) -> Tuple[Client, Listing]:
    """What a server lists, and the client that it understands: one that was upgraded meanwhile may not be.

    :raises TmuxError: what ours has met, where the server's own program has not done better.
    """
    try:
        return client, _read(client, guards)
    except (Mismatch, Lost, Hung) as error:
        own = None if client.own else host.own_client(server)
        if own is None:
            raise
        own.share = client.share
        try:
            return own, _read(own, guards)
        except TmuxError:
            raise error from None


def _read(client: Client, guards: Guards) -> Listing:
    """What a server lists that can be used: of our program that is known, a server's own may be of any age.

    :raises TmuxError: else.
    """
    listing = read(client, guards)
    version, holds = listing.version, bool(listing.sessions or listing.unread)
    if client.own and holds and not (version.is_told and version.can_be_used):
        raise TmuxError("it is older than tmux %d.%d, the oldest that can be used" % MINIMUM)
    return listing


def _unwell(server: Server, error: TmuxError, share: Optional[Share]) -> Server:
    """A server that could not be listed. One that says that there is none, and lives, is not believed."""
    if error.status == "absent" and server.process is not None and _outlasts(server.process, share):
        return server._replace(status="unreachable", reason="its process lives, but %s" % error.message)
    return server._replace(status="unreachable" if error.status == "ok" else error.status, reason=error.message)


def _outlasts(process: Process, share: Optional[Share]) -> bool:
    """Whether a server does not end though it says so. That it keeps us waiting is its owner's affair."""
    if share is None:
        return bool(outlasting([process], _ENDING_SECONDS))
    with share.waiting():
        return bool(outlasting([process], share.left(_ENDING_SECONDS)))


def look_at_all(
    host: Host,
    servers: Iterable[Server],
    recover_sockets: bool = False,
    guards: Guards = WHOLE,
    check_mode: bool = False,
) -> List[Seen]:
    """List every server that can be used, within each owner's share of time; without those that ended meanwhile."""
    shares: Dict[int, Share] = {}
    found = []
    for server in servers:
        share = host.share or shares.setdefault(server.user.uid, Share(PATIENCE * host.timeout, BYTES_PER_OWNER))
        if server.status in ("ok", "orphaned") and share.used_up():
            server = server._replace(status="hung", reason="not asked: %s" % share.used_up())
        if recover_sockets and server.status == "orphaned":
            with share.waiting():
                server = recover(host, server, check_mode)
        seen = look(host, server, share, guards)
        if seen.server.status != "absent":
            found.append(seen)
    return found


def any_recovered(seen: Iterable[Seen]) -> bool:
    """Whether a socket was (in check mode: would be) made again, which is a change on the host."""
    return any(one.server.status == "recovered" for one in seen)
