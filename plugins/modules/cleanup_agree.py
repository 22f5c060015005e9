#!/usr/bin/python
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation only: the work is done on the controller, by plugins/action/cleanup_agree.py."""

DOCUMENTATION = r"""
module: cleanup_agree
short_description: Judge the plans of all hosts before anything is removed on any of them
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Adds up what M(fleet.tmux.tmux_session_prune) returned on each host in check mode, and compares the sum with limits
    for the whole fleet.
  - A host that has no plan, because it could not be reached or failed, adds nothing. Nothing is removed there either.
  - The role P(fleet.tmux.tmux_cleanup#role) does this in its entry point C(plan).
  - It works on the controller and sends nothing to any host, so it is best used with C(run_once=true).
options:
  run:
    description:
      - What M(fleet.tmux.cleanup_begin) has returned. Its limits count besides those given here, the strictest of them.
      - All of it is returned, with the verdict, so it can be registered in the same variable.
    type: dict
  plans:
    description:
      - What each host has returned in check mode, by the name of the host.
      - Without it, what the role P(fleet.tmux.tmux_cleanup#role) has left on the hosts of the play.
    type: dict
  max_removals:
    description: How many sessions may be removed on all hosts together.
    type: int
  max_percent:
    description:
      - How many percent of the sessions on all hosts that nothing protects may be removed. What counts among them is
        said at O(fleet.tmux.tmux_session_prune#module:max_percent).
    type: float
  max_removals_per_owner:
    description:
      - How many sessions of one owner may be removed on all hosts together. Of whoever has more, nothing may be
        removed, and they do not count for O(max_removals) and O(max_percent). All others may go on.
      - The sessions of any other owner weigh no more than this many in O(max_percent).
      - The same user name on all hosts is one owner. Owners who are over their limit on one host do not count with what
        they have there.
    type: int
extends_documentation_fragment:
  - fleet.tmux.attributes.controller
attributes:
  check_mode:
    details: It changes nothing.
seealso:
  - module: fleet.tmux.cleanup_begin
  - module: fleet.tmux.cleanup_report
  - module: fleet.tmux.tmux_session_prune
"""

EXAMPLES = r"""
- name: Look what would be removed
  fleet.tmux.tmux_session_prune:
    idle: 2d
  check_mode: true
  register: plan

- name: Judge the plans of all hosts
  fleet.tmux.cleanup_agree:
    plans: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'plan'))) }}"
    max_percent: 33.4
  run_once: true
  register: agreed

- name: Stop before the first removal when it would be more than a third of all
  ansible.builtin.assert:
    that: not agreed.guard.stopped
    fail_msg: "{{ agreed.guard.message }}"
  run_once: true
"""

RETURN = r"""
guard:
  description: The verdict over the whole fleet.
  returned: success
  type: dict
  sample: {looked_at: 60, max_percent: 33.4, max_removals: null, max_removals_per_owner: null, over_limit: [],
    planned: 40, stopped: true, unprotected: 50,
    message: "40 of 50 sessions without protection would be removed, max_percent is 33.4"}
  contains:
    stopped:
      description: Whether it is too much.
      type: bool
    message:
      description: Why, in words. Empty if it is not too much.
      type: str
    planned:
      description: How many sessions would be removed, without those of owners in RV(guard.over_limit).
      type: int
    unprotected:
      description: Of how many that nothing protects, also without those.
      type: int
    looked_at:
      description: How many were looked at.
      type: int
    over_limit:
      description: Who is over O(max_removals_per_owner), each with C(owner), C(removals) and C(message).
      type: list
      elements: dict
    max_removals_per_owner:
      description: The limit that counted.
      type: int
    max_removals:
      description: The limit that counted.
      type: int
    max_percent:
      description: The limit that counted.
      type: float
run:
  description: Which run it is.
  returned: with O(run)
  type: dict
  sample: {id: 7f9d3c52-5b0e-4a57-a1f5-5a3d6c0d9b11, started: "2027-01-15T08:00:00Z"}
dir:
  description: The directory for the report. Null means none.
  returned: with O(run)
  type: str
report_only:
  description: Whether nothing is to be removed.
  returned: with O(run)
  type: bool
limits:
  description: The limits for the whole fleet, the strictest that any host has. Null is no limit.
  returned: with O(run)
  type: dict
  sample: {max_percent: 20.0, max_removals: null, max_removals_per_owner: null}
limited:
  description: Whether there is a limit, so that M(fleet.tmux.cleanup_agree) is needed before anything is removed.
  returned: with O(run)
  type: bool
asks:
  description:
    - Whether somebody is asked before anything is done, so that M(fleet.tmux.cleanup_agree) is needed. Only
      C(make cleanup) of the collection's repository does that, and only on a terminal.
  returned: with O(run)
  type: bool
policies:
  description:
    - The policies of the hosts, for whoever reads the report, each once. The first is that of all hosts that no other
      one names, so its list of hosts is empty.
  returned: with O(run)
  type: list
  elements: dict
  sample: [{hosts: [], id: 5d1c0e42, policy: {idle: 2d}}, {hosts: [lab1, lab2], id: 0b7f91aa, policy: {idle: 4h}}]
login_notices:
  description: On how many hosts what shows notices at login is to be there, and on how many it is not.
  returned: with O(run)
  type: dict
  sample: {installed: 12, removed: 0}
"""
