# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes sessions of many owners by policy, of each in a child of its own, and tells of all in one result."""

import time
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.hands import Settings
from ansible_collections.fleet.tmux.plugins.module_utils._actions.watch import LONGEST_SECONDS, WATCH_SECONDS
from ansible_collections.fleet.tmux.plugins.module_utils._host.crew import Line
from ansible_collections.fleet.tmux.plugins.module_utils._modules.owners import Owner, Way, see_to
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune import prune
from ansible_collections.fleet.tmux.plugins.module_utils._modules.prune_result import Whole, plainly, told, told_diff
from ansible_collections.fleet.tmux.plugins.module_utils._modules.telling import Account, Ended, Guards, Reporter
from ansible_collections.fleet.tmux.plugins.module_utils._policy.guards import Limits
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.details import with_own_options
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host


class Order(NamedTuple):
    """What is to be done."""

    policy: Policy
    limits: Limits
    settings: Settings
    check_mode: bool
    recover_sockets: bool

    def way(self, host: Host) -> Way:
        """How servers are looked at, and how much longer than usual it may take by what is ordered."""
        notifier = self.settings.notifier
        seconds = self.settings.ending.seconds + LONGEST_SECONDS + WATCH_SECONDS
        told = () if notifier is None else (bool(notifier.command), notifier.mail)
        seconds += host.timeout * sum((*told, self.settings.veto is not None))
        return Way(self.recover_sockets, self.policy.guards, self.check_mode, seconds)


class Told(NamedTuple):
    """What was told of all owners."""

    ended: Sequence[Ended]
    servers: Sequence[Dict[str, Any]]
    recovered: bool
    error: Optional[Exception]
    begun: int

    @property
    def refused(self) -> str:
        """Why nothing was done that should have been done."""
        return next((one.refused for one in self.ended if one.refused), "")

    @property
    def trouble(self) -> List[str]:
        """What went wrong besides. What the host is to blame for, all owners tell."""
        return list(dict.fromkeys(sentence for one in self.ended for sentence in one.trouble))

    def result(self, scope: str, diff: bool) -> Tuple[Dict[str, Any], Optional[Exception]]:
        """The result, and, where it could not be made as it should be, why: what was done is in it all the same."""
        every = [entry for one in self.ended for entry in one.entries]
        judged_at = min([one.judged_at for one in self.ended if one.judged_at is not None], default=self.begun)
        not_matched = sum(one.not_matched for one in self.ended)
        owners = [item for one in self.ended for item in one.owners]
        whole = Whole(every, self.servers, owners, not_matched, judged_at, self.recovered)
        try:
            made = dict(told(whole), scope=scope)
            return dict(made, diff=told_diff(every)) if diff else made, None
        except Exception as error:  # pylint: disable=broad-except
            return dict(plainly(whole), scope=scope), error


def prune_all(host: Host, chosen: Sequence[Owner], order: Order) -> Told:
    """One run over the servers of all these owners."""
    begun = int(time.time())
    accounts = {owner.key: Account(owner.name) for owner in chosen}

    def errand(line: Line, listed: List[Seen]) -> None:
        seen = [with_own_options(one, tuple(order.policy.where)) for one in listed]
        reporter = Reporter(line, order.policy, order.limits)
        reporter.listed(seen)
        reporter.done(prune(seen, order.policy, order.settings, order.check_mode, reporter))

    way = order.way(host)
    guards = Guards(order.limits, accounts)
    found = see_to(host, chosen, way, errand, lambda key, message: accounts[key].hear(message), guards.answer)
    ended = [account.close(found.ends.get(key)) for key, account in accounts.items()]
    return Told(ended, found.servers, found.recovered, found.error, begun)
