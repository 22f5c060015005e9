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
  max_removals:
    description:
      - A guard. When more sessions than this would be removed, nothing is removed and the task fails, with the plan
        in the
        result. Sessions that ended by themselves do not count.
    type: int
  max_percent:
    description:
      - A guard like O(max_removals), in percent of the sessions that were looked at on the host.
    type: float
  notice:
    description:
      - Give notice first. A session is marked (with a user option of its own) by the first run that would remove it,
        and
        removed by a later run when this time has passed and nothing has happened in it since. Written like O(idle).
      - CPU time, reads and writes of its processes between the two runs count as something that happened, and so do
        processes
        that come or go. Then the mark is taken back.
      - Whoever is attached to the server is told in tmux, see O(notice_message), and O(notify_command) is run.
    type: str
  notice_message:
    description:
      - What is shown in tmux when notice is given. V({name}), V({id}), V({deadline}) and V({reason}) are replaced.
      - The default says what will happen when, why, and how to keep the session.
    type: str
  notify_command:
    description:
      - A command that is run when notice is given, with the session's name, its owner and the deadline as its last
        arguments.
        It is run as the owner, without a shell, with a minimal environment.
    type: list
    elements: str
    default: []
  snapshot_dir:
    description:
      - Save each session before it is removed, to C(OWNER/TIME-NAME-RANDOM) in this directory. What is saved is the
        whole text of every
        pane, the layout, working directories, commands, options and the names (never the values) of environment
        variables.
      - Only the owner (and root) can read it. It is complete or not there at all. A session that cannot be saved is
        kept.
      - O(snapshot_dir) must be absolute. It is created if it is missing; nobody but the user that the module runs as
        may write to it.
    type: path
  snapshot_colors:
    description:
      - Save the text of every pane a second time, with its colours as escape sequences.
    type: bool
    default: false
  snapshot_keep:
    description:
      - Which snapshots of an owner stay when new ones were made. By default all do.
    type: dict
    suboptions:
      count:
        description: How many of the newest stay.
        type: int
      age:
        description: How long they stay. Written like O(idle).
        type: str
  planned:
    description:
      - Remove only these sessions, of those that the policy names now. Each is the C(identity) that an earlier run in
        check mode returned in RV(removed).
      - This is for plans that somebody approves, or that are compared with others, before anything is removed anywhere.
        An empty list removes nothing. What the policy names and the plan does not is kept, with the reason
        V(unplanned).
      - Guards count only what is planned. Notice is given all the same.
    type: list
    elements: str
  survivors:
    description:
      - What happens to processes that outlive their session (by C(nohup), C(setsid), forking twice, or ignoring
        SIGHUP).
      - V(report) lists them. V(terminate) sends SIGTERM, waits for O(grace_period), and then sends SIGKILL, only to
        processes that
        are proven to belong to the session, belong to its owner, and are still the same at that moment. A tmux server
        started in a session
        is not one, and neither is what runs in a window that another session still holds.
    type: str
    choices: [report, terminate]
    default: report
  grace_period:
    description:
      - Seconds between SIGTERM and SIGKILL.
    type: float
    default: 10.0
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

- name: Give a day's notice, save what is removed, and never remove more than a third
  fleet.tmux.tmux_session_prune:
    idle: 3d
    notice: 1d
    snapshot_dir: /var/lib/fleet-tmux
    snapshot_keep:
      count: 50
      age: 4w
    max_percent: 33.4

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
      identity: 4711/1763400000/$3/1763500000
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
    identity:
      description:
        - Who it is on its host, namely the process id and start of its server, its id, and its creation. It stays the
          same when the session is renamed, and no other session of the host has it. See O(planned).
        - Null for one that cannot be read.
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
          criteria that do not hold, V(notice) for one that was marked before and whose time has not come, V(guard)
          for one that
          would have been removed or marked if there had not been too many, V(changed) for something that happened
          after it was judged, V(unplanned) for one whose removal is not in O(planned), V(vanished) for a session that
          ended by itself meanwhile, V(unknown) for what cannot be judged.
        - V(failed) of those in RV(failures), or V(unsaved) if no snapshot could be made.
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
    snapshot:
      description: Where it was saved. Null if it was not.
      type: str
      returned: always
    survivors:
      description:
        - Its processes that live on, with C(pid), C(command), C(rss) (bytes), C(ports) (TCP ports it listens on) and
          C(result)
          (V(reported), V(terminated), V(killed) or V(alive)).
      type: list
      elements: dict
      returned: always
    lives_on:
      description:
        - Its windows that live on because other sessions hold them too (session groups, linked windows), with
          C(window), C(name)
          and C(sessions).
      type: list
      elements: dict
      returned: always
    freed:
      description:
        - How many of its processes have ended, and how many bytes of resident memory they had. What several removed
          sessions share is counted with the first.
      type: dict
      returned: always
      sample: {processes: 2, bytes: 10485760}
marked:
  description: The sessions that were given notice, or in check mode would be. In the shape of RV(removed).
  returned: always
  type: list
  elements: dict
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
  sample: {looked_at: 7, removed: 3, marked: 0, kept: 4, failures: 0, not_matched: 2, servers: 2}
freed:
  description: How many processes of removed sessions have ended, and how many bytes of resident memory they had.
  returned: always
  type: dict
  sample: {processes: 5, bytes: 20971520}
judged_at:
  description:
    - When the sessions were judged, in seconds since 1970, by the clock of the host. Null if the task failed before.
  returned: always
  type: int
  sample: 1763700000
"""

from typing import Any, Dict, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleet.tmux.plugins.module_utils._cases import judge_all
from ansible_collections.fleet.tmux.plugins.module_utils._census import look_at_all
from ansible_collections.fleet.tmux.plugins.module_utils._common import (
    CONNECTION_OPTIONS,
    SCOPE_EXCLUSIVE,
    SCOPE_OPTIONS,
    OptionError,
    judge_servers,
    run_main,
    set_up,
    the_servers,
    warn_each,
)
from ansible_collections.fleet.tmux.plugins.module_utils._heralds import DEFAULT_MESSAGE, Herald
from ansible_collections.fleet.tmux.plugins.module_utils._policy import ACTIVITIES, PROTECTIONS, duration, policy
from ansible_collections.fleet.tmux.plugins.module_utils._prune import EMPTY_RESULT, Manner, Run
from ansible_collections.fleet.tmux.plugins.module_utils._servers import Host
from ansible_collections.fleet.tmux.plugins.module_utils._snapshot import Archive, Keeping
from ansible_collections.fleet.tmux.plugins.module_utils._survivors import Aftermath

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
    max_removals={"type": "int"},
    max_percent={"type": "float"},
    notice={"type": "str"},
    notice_message={"type": "str"},
    notify_command={"type": "list", "elements": "str", "default": []},
    snapshot_dir={"type": "path"},
    snapshot_colors={"type": "bool", "default": False},
    snapshot_keep={"type": "dict", "options": {"count": {"type": "int"}, "age": {"type": "str"}}},
    planned={"type": "list", "elements": "str"},
    survivors={"type": "str", "choices": ["report", "terminate"], "default": "report"},
    grace_period={"type": "float", "default": 10.0},
    **SCOPE_OPTIONS,
)


def manner(params: Dict[str, Any], host: Host) -> Manner:
    """How gently the options want it.

    :raises ValueError: naming an option that makes no sense.
    """
    for option, most in (("max_removals", None), ("max_percent", 100), ("grace_period", 3600)):
        value = params[option]
        if value is not None and (value < 0 or (most is not None and value > most)):
            raise OptionError("%s: %g is not between 0 and %s" % (option, value, most or "any number"))
    notice = duration("notice", params["notice"])
    if notice is None and (params["notify_command"] or params["notice_message"] is not None):
        raise OptionError("notice_message and notify_command tell of a notice; they need notice")
    return Manner(
        max_removals=params["max_removals"],
        max_percent=params["max_percent"],
        notice=notice,
        herald=Herald(
            params["notice_message"] or DEFAULT_MESSAGE, params["notify_command"], host.timeout, host.uid == 0
        ),
        archive=archive(params),
        aftermath=Aftermath(params["survivors"] == "terminate", params["grace_period"]),
    )


def archive(params: Dict[str, Any]) -> Optional[Archive]:
    """Where snapshots go, if they are wanted."""
    keep = params["snapshot_keep"] or {}
    if params["snapshot_dir"] is None:
        if params["snapshot_colors"] or params["snapshot_keep"] is not None:
            raise OptionError("snapshot_colors and snapshot_keep are about snapshots; they need snapshot_dir")
        return None
    if not params["snapshot_dir"].startswith("/"):
        raise OptionError("snapshot_dir: %r is not absolute" % params["snapshot_dir"])
    if keep.get("count") is not None and keep["count"] < 1:
        raise OptionError("snapshot_keep: count %d is less than 1" % keep["count"])
    keeping = Keeping(keep.get("count"), duration("snapshot_keep: age", keep.get("age")))
    return Archive(params["snapshot_dir"], params["snapshot_colors"], keeping)


def prune(module: AnsibleModule, result: Dict[str, Any]) -> None:
    """Look, judge, remove, and report."""
    rules = policy(module.params)
    host = set_up(module)
    servers, result["scope"] = the_servers(module, host)
    gently = manner(module.params, host)
    seen = look_at_all(host, servers, module.params["recover_sockets"], rules.guards)
    run = Run(judge_all(seen, rules, gently.notice), seen, rules, gently)
    try:
        run.guard()
        if module.check_mode:
            run.plan()
        else:
            run.apply()
    finally:
        result.update(run.result())
        if module._diff:
            result["diff"] = run.diff()
    warn_each(module, run.trouble)
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
