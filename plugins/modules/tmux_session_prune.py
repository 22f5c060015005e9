#!/usr/bin/python
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove tmux sessions by policy."""

DOCUMENTATION = r"""
module: tmux_session_prune
short_description: Remove inactive tmux sessions
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Removes tmux sessions by policy, namely idle, old or finished ones, on one server or on the servers of all users
    of a host.
  - Whatever was seen of a session is compared again inside its tmux server in the very moment of the removal.
    A session that was used, attached, renamed, replaced or marked with C(@keep) after it was judged lives, and is
    reported.
  - Whatever cannot be known (a server that hangs, a row that does not parse, a clock in the future) means keep.
options:
  idle:
    description:
      - Remove sessions in which nothing has happened for this long. See O(activity) for what counts.
      - A number of seconds, or a number with C(s), C(m), C(h), C(d) or C(w), as in M(ansible.builtin.find).
      - When O(older_than) is given too, both must hold.
      - One of O(idle), O(older_than) and O(finished) is required.
    type: str
  older_than:
    description:
      - Remove sessions that were created at least this long ago. Written like O(idle).
      - When O(idle) is given too, both must hold.
    type: str
  finished:
    description:
      - Remove sessions whose panes are all dead (C(remain-on-exit)), whatever O(idle) and O(older_than) say.
    type: bool
    default: false
  activity:
    description:
      - What counts as activity for O(idle).
      - V(input) is input and attaching of clients. V(output) is output in any window. V(any) is both.
      - tmux's own C(session_activity) does not move when a detached session prints something. V(any) does look at
        that.
    type: str
    choices: [any, input, output]
    default: any
  patterns:
    description:
      - Look only at sessions whose whole name matches one of these shell patterns (or regular expressions, see
        O(use_regex)).
    type: list
    elements: str
    default: []
  excludes:
    description:
      - Leave out sessions whose whole name matches one of these. They win over O(patterns).
    type: list
    elements: str
    default: []
  use_regex:
    description:
      - Whether O(patterns) and O(excludes) are regular expressions of Python rather than shell patterns.
    type: bool
    default: false
  protect:
    description:
      - What protects a session, whatever else holds.
      - V(attached) means that a client is attached.
      - V(busy) means that one of its processes uses CPU time, reads, writes or forks while it is watched for a
        second.
        Only sessions that would be removed are watched. A process that only sleeps is not busy.
      - V(keep) means that its user has said so with C(tmux set @keep on), or C(tmux set @keep 2026-12-24) for until
        the end of that day.
      - V(running) means that a pane runs more than its own shell.
    type: list
    elements: str
    choices: [attached, busy, keep, running]
    default: [attached, busy, keep]
extends_documentation_fragment:
  - fleet.tmux.attributes
  - fleet.tmux.attributes.actiongroup
  - fleet.tmux.connection
  - fleet.tmux.connection.scope
seealso:
  - module: fleet.tmux.tmux_session
  - module: fleet.tmux.tmux_session_info
"""

EXAMPLES = r"""
- name: See what a day of idleness would remove, without removing it
  fleet.tmux.tmux_session_prune:
    idle: 24h
  check_mode: true
  register: plan

- name: Remove my own sessions that were idle for two days
  fleet.tmux.tmux_session_prune:
    idle: 2d

- name: Remove the sessions of an orchestrator that have ended, or were idle for two hours
  fleet.tmux.tmux_session_prune:
    patterns: agent-*
    finished: true
    idle: 2h
    protect: [attached, busy, keep, running]

- name: Remove idle sessions of all users but two
  fleet.tmux.tmux_session_prune:
    idle: 1w
    all_users: true
    exclude_users: [root, backup]
  become: true
"""

RETURN = r"""
removed:
  description: The sessions that were removed, or in check mode would be, sorted by owner, socket and name.
  returned: always
  type: list
  elements: dict
  sample:
    - name: build-41
      id: $3
      owner: alice
      socket: /tmp/tmux-1000/default
      reason: idle
      detail: idle for 2d 4h
      idle: 187204
      evidence: {attached: 0, created: 1763500000, dead_panes: 0, input: 1763500000, io_calls: 0, cpu_ticks: 0,
        keep: '', last_attached: null, output: 1763500000, panes: 1, watched_seconds: 1.0, windows: 1}
  contains:
    name:
      description: Its name. Control characters and bytes that are no text are written as escapes.
      type: str
      returned: always
    id:
      description: Its id in its server, like V($3).
      type: str
      returned: always
    owner:
      description: The user whose server it is in.
      type: str
      returned: always
    socket:
      description: The socket of the server.
      type: str
      returned: always
    reason:
      description:
        - V(idle), V(older_than) or V(finished) of those removed.
        - Of those kept, V(attached), V(keep), V(running) or V(busy) for protections, V(active), V(young) or
          V(unfinished) for
          criteria that do not hold, V(changed) for something that happened after it was judged, V(vanished) for a
          session that
          ended by itself meanwhile, V(unknown) for what cannot be judged.
        - V(failed) of those in RV(failures).
      type: str
      returned: always
    detail:
      description: The reason in words.
      type: str
      returned: always
    idle:
      description: Seconds since the newest clock that counts for O(activity). Null if it is not known.
      type: int
      returned: always
    evidence:
      description:
        - What the verdict was reached by. Clocks are seconds since 1970.
        - C(cpu_ticks), C(io_calls) and C(watched_seconds) are there when the session was watched.
      type: dict
      returned: always
kept:
  description: The sessions that were looked at and not removed, with the reason. In the shape of RV(removed).
  returned: always
  type: list
  elements: dict
failures:
  description: The sessions that should have been removed and were not, because something went wrong. In the shape of
    RV(removed).
  returned: always
  type: list
  elements: dict
servers:
  description: The servers that were looked at.
  returned: always
  type: list
  elements: dict
  contains:
    socket:
      description: The path that its socket is, or was, bound to.
      type: str
      returned: always
    owner:
      description: The user whose server it is.
      type: str
      returned: always
    pid:
      description: Its process id, if it is known.
      type: int
      returned: always
    start_time:
      description: When it was started, in seconds since 1970, if it answered.
      type: int
      returned: always
    version:
      description: Its version of tmux, if it answered and has sessions.
      type: str
      returned: always
    status:
      description:
        - V(ok); V(hung) if it did not answer in time;
          V(denied) if it may not be used; V(mismatch) if it does not speak the protocol of our tmux; V(orphaned) if
          the process
          lives and its socket is gone; V(foreign) if it is in a container or another mount namespace; V(unreachable)
          for the rest.
      type: str
      returned: always
    reason:
      description: What is wrong with it, in words.
      type: str
      returned: always
scope:
  description:
    - Whose servers were looked at, V(host) for all users of the host (or those chosen), V(own) for only those of the
      user that the
      module runs as, although others were asked for, V(socket) for the one server.
  returned: always
  type: str
counts:
  description: How many sessions were looked at, removed, kept, failed or left out by patterns, and how many servers
    there were.
  returned: always
  type: dict
  sample: {looked_at: 7, removed: 3, kept: 4, failures: 0, not_matched: 2, servers: 2}
freed:
  description: How many processes of removed sessions have ended, and how many bytes of resident memory they had.
  returned: always
  type: dict
  sample: {processes: 5, bytes: 20971520}
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleet.tmux.plugins.module_utils._census import look_at_all
from ansible_collections.fleet.tmux.plugins.module_utils._common import (
    CONNECTION_OPTIONS,
    SCOPE_EXCLUSIVE,
    SCOPE_OPTIONS,
    judge_servers,
    run_main,
    set_up,
    the_servers,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy import ACTIVITIES, PROTECTIONS, policy
from ansible_collections.fleet.tmux.plugins.module_utils._prune import EMPTY_RESULT, Report, judge_all

OPTIONS = dict(
    CONNECTION_OPTIONS,
    idle={"type": "str"},
    older_than={"type": "str"},
    finished={"type": "bool", "default": False},
    activity={"type": "str", "choices": list(ACTIVITIES), "default": "any"},
    patterns={"type": "list", "elements": "str", "default": []},
    excludes={"type": "list", "elements": "str", "default": []},
    use_regex={"type": "bool", "default": False},
    protect={
        "type": "list",
        "elements": "str",
        "choices": list(PROTECTIONS),
        "default": ["attached", "busy", "keep"],
    },
    **SCOPE_OPTIONS,
)


def prune(module: AnsibleModule, result: Dict[str, Any]) -> None:
    """Look, judge, remove, and report."""
    rules = policy(module.params)
    setup = set_up(module)
    servers, result["scope"] = the_servers(module, setup.host)
    seen = look_at_all(setup.host, servers, module.params["recover_sockets"])
    report = Report(judge_all(seen, rules), seen, rules)
    if module.check_mode:
        report.plan()
    else:
        report.apply()
    result.update(report.result())
    if module._diff:
        result["diff"] = report.diff()
    judge_servers(module, seen, result)


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=OPTIONS,
        mutually_exclusive=[("socket_name", "socket_path")] + SCOPE_EXCLUSIVE,
        supports_check_mode=True,
    )
    run_main(module, lambda result: prune(module, result), dict(EMPTY_RESULT))


if __name__ == "__main__":
    main()
