#!/usr/bin/python
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation only: the work is done on the controller, by plugins/action/cleanup_merge.py."""

DOCUMENTATION = r"""
module: cleanup_merge
short_description: Make one report of several reports of a cleanup
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Makes one report of several that M(fleet.tmux.cleanup_report) has written, as those of the slices of one job, or of
    a run and of what was run again after it.
  - Of a host that is in several, the newest counts, with all that was removed there before.
  - Reports of check mode cannot be merged with reports of real runs.
  - A file that is no such report costs the others nothing. They are merged, the report names it, and the task fails
    with its name and the reason.
  - It returns a table for people, and writes C(report.json), C(report.html) and C(tmux_cleanup.prom) when O(dir) is
    given.
  - It works on the controller and sends nothing to any host, so it is best used with C(run_once=true).
options:
  reports:
    description:
      - Paths of C(report.json) files on the controller. They may have shell patterns, and each must match something.
      - As nobody else is to exchange them, they and the directories above them belong to root or to whoever runs
        Ansible, and nobody else may write to them; above them there may be ones like C(/tmp).
      - A file has at most 512 MiB.
    type: list
    elements: path
    required: true
  dir:
    description:
      - The directory on the controller for the files. It is made when it is missing. It and the directories above it
        belong to root or to whoever runs Ansible, and nobody else may write to them; above it there may be ones like
        C(/tmp), where nobody can touch what belongs to others.
      - The files belong to whoever runs Ansible. The metrics may be read by everybody, the others by the group too
        (C(0644) and C(0640), whatever the umask and whatever mode they had). A directory that is made has C(0755),
        less the umask.
    type: path
extends_documentation_fragment:
  - fleet.tmux.attributes.controller
attributes:
  check_mode:
    support: partial
    details: Files are written in check mode too. They say that it was check mode.
  idempotent:
    support: N/A
    details: A report is about one run, so it never counts as a change.
seealso:
  - module: fleet.tmux.cleanup_report
"""

EXAMPLES = r"""
- name: Remove idle sessions
  fleet.tmux.tmux_session_prune:
    idle: 2d
  register: cleanup

- name: Report it for all hosts
  fleet.tmux.cleanup_report:
    results: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'cleanup'))) }}"
    dir: ~/tmux-reports
  run_once: true

- name: Make one report of it and of what other jobs wrote
  fleet.tmux.cleanup_merge:
    reports:
      - ~/tmux-reports/report.json
      - ~/tmux-report*/report.json
    dir: ~/tmux-reports/merged
  run_once: true
"""

RETURN = r"""
table:
  description: The report as a text with lines, for people.
  returned: success
  type: str
totals:
  description: The sums, as C(totals) in C(report.json).
  returned: success
  type: dict
  sample: {failed: 0, freed_bytes: 20971520, freed_processes: 5, hosts: 2, kept: 4, looked_at: 7, marked: 0, missing: 0,
    not_done: 0, not_matched: 0, ok: 1, oldest_idle: 86000, removed: 3, servers: 2, survivors: 0, unmarked: 0,
    unreachable: 1}
guard:
  description: The verdict over the whole fleet, as C(guard) in C(report.json).
  returned: success
  type: dict
problems:
  description:
    - The hosts that failed, could not be reached or gave no result, and those on which a session should have been
      removed or given notice and was not.
  returned: success
  type: list
  elements: str
run:
  description: Which run it is, as C(run) in C(report.json).
  returned: success
  type: dict
unread:
  description: What could not be merged, and why. When there is any, the task has failed, and the others are merged.
  returned: when anything was merged
  type: list
  elements: dict
  sample: [{file: /srv/reports/7/report.json, reason: /srv/reports/7/report.json cannot be read}]
  contains:
    file:
      description: The path, or the pattern that matched nothing.
      type: str
    reason:
      description: What is wrong, in words.
      type: str
files:
  description: The paths of the files that were written.
  returned: success
  type: list
  elements: str
"""
