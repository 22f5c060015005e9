#!/usr/bin/python
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation only: the work is done on the controller, by plugins/action/cleanup_begin.py."""

DOCUMENTATION = r"""
module: cleanup_begin
short_description: Begin a cleanup of many hosts
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Finds out, before anything is removed, what would else come to light after it. It makes sure that the report can be
    written, and validates the variables of the role P(fleet.tmux.tmux_cleanup#role) on all hosts of the play.
  - Each set of values that some hosts share is validated once. When any cannot be used, one message says what is wrong
    and on which hosts, and nothing is begun.
  - It returns what holds for the whole run, which all later steps need.
  - It works on the controller and sends nothing to any host, so it is best used with C(run_once=true).
options:
  role_variables:
    description:
      - Whether the policy is that of the role P(fleet.tmux.tmux_cleanup#role), so that its variables are read and
        validated on all hosts of the play. A variable that begins with C(tmux_cleanup_) and is none of the role is
        refused.
      - Variables that are facts are left out. Those are what a host has returned, and one host must not decide for all.
      - What any host says of O(report_only) and of limits for the fleet counts for all. Of limits, the strictest does.
    type: bool
    default: false
  report_only:
    description: Whether nothing is to be removed in this run, whatever the variables say.
    type: bool
    default: false
  dir:
    description:
      - The directory on the controller in which M(fleet.tmux.cleanup_report) will write its files. It is made when it
        is missing, and refused where M(fleet.tmux.cleanup_report) would refuse it.
      - A line with the run, its hosts and their policies is added to C(audit.jsonl) there before anything is removed,
        so that a run that is broken off leaves a trace. Not in check mode, and not with O(report_only).
      - With O(role_variables), C(tmux_cleanup_report_dir) of the first host unless it is given.
    type: path
extends_documentation_fragment:
  - fleet.tmux.attributes.controller
attributes:
  check_mode:
    details: It changes nothing, but makes the directory when it is missing.
seealso:
  - module: fleet.tmux.cleanup_agree
  - module: fleet.tmux.cleanup_report
"""

EXAMPLES = r"""
- name: Make sure that a report can be written, and note when the run begins
  fleet.tmux.cleanup_begin:
    dir: ~/tmux-reports
  run_once: true
  register: begun

- name: Remove idle sessions
  fleet.tmux.tmux_session_prune:
    idle: 2d
  register: cleanup

- name: Report it for all hosts
  fleet.tmux.cleanup_report:
    results: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'cleanup'))) }}"
    run: "{{ begun }}"
    dir: ~/tmux-reports
  run_once: true
"""

RETURN = r"""
run:
  description: Which run it is.
  returned: success
  type: dict
  sample: {id: 7f9d3c52-5b0e-4a57-a1f5-5a3d6c0d9b11, started: "2027-01-15T08:00:00Z"}
dir:
  description: The directory for the report. Null means none.
  returned: success
  type: str
report_only:
  description: Whether nothing is to be removed.
  returned: success
  type: bool
limits:
  description: The limits for the whole fleet, the strictest that any host has. Null is no limit.
  returned: success
  type: dict
  sample: {max_percent: 20.0, max_removals: null, max_removals_per_owner: null}
limited:
  description: Whether there is a limit, so that M(fleet.tmux.cleanup_agree) is needed before anything is removed.
  returned: success
  type: bool
asks:
  description:
    - Whether somebody is asked before anything is done, so that M(fleet.tmux.cleanup_agree) is needed. Only
      C(make cleanup) of the collection's repository does that, and only on a terminal.
  returned: success
  type: bool
policies:
  description:
    - The policies of the hosts, for whoever reads the report, each once. The first is that of all hosts that no other
      one names, so its list of hosts is empty.
  returned: success
  type: list
  elements: dict
  sample: [{hosts: [], id: 5d1c0e42, policy: {idle: 2d}}, {hosts: [lab1, lab2], id: 0b7f91aa, policy: {idle: 4h}}]
login_notices:
  description: On how many hosts what shows notices at login is to be there, and on how many it is not.
  returned: success
  type: dict
  sample: {installed: 12, removed: 0}
guard:
  description: Empty, as nobody has judged anything yet.
  returned: success
  type: dict
"""
