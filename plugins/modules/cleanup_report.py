#!/usr/bin/python
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation only: the work is done on the controller, by plugins/action/cleanup_report.py."""

DOCUMENTATION = r"""
module: cleanup_report
short_description: Report on the controller what a cleanup did on all hosts
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Makes one report of what M(fleet.tmux.tmux_session_prune) returned on many hosts, or one of several such reports.
  - It returns a table for people, and writes these files when O(dir) is given.
  - C(report.json) has everything, in a versioned schema, C(docs/report.schema.json) of the collection.
  - C(report.html) is one page that needs no network.
  - C(audit.jsonl) is only ever appended to. There is a line for each run, and for each session that something was done
    to.
  - C(tmux_cleanup.prom) is for the textfile collector of node_exporter.
  - Each file but C(audit.jsonl) is written whole and then renamed.
  - With none of O(results), O(variables) and O(reports) it only makes sure that O(dir) can be written to, and begins a
    run.
  - It works on the controller and sends nothing to any host, so it is best used with C(run_once=true).
options:
  results:
    description:
      - What each host returned, by the name of the host. A value may be the result of a failed task, or empty when the
        host did not get that far.
    type: dict
  variables:
    description:
      - Names of variables in which the hosts of the play have what they returned. Of each host, the first counts
        that has a result and was not skipped.
      - Hosts that have failed in an earlier play of the same run of Ansible have no result.
    type: list
    elements: str
  reports:
    description:
      - Paths of C(report.json) files on the controller that are merged into one. They may have shell patterns, and each
        must match something.
      - Of a host that is in several, the newest counts, with all that was removed there before.
      - Reports of check mode and others cannot be merged. C(audit.jsonl) is not written.
    type: list
    elements: path
  check_mode:
    description: Whether O(results) were made in check mode, so that the report says what would be done.
    type: bool
    default: false
  guard:
    description:
      - The verdict over the whole fleet, from P(fleet.tmux.cleanup_guard#filter). When it says that it is too much,
        what O(results) planned is reported as kept.
    type: dict
    default: {}
  policy:
    description: The policy of the run, for whoever reads the report. Names and values as they are.
    type: dict
  run:
    description: What this module returned as RV(run) when the run began.
    type: dict
    default: {}
  dir:
    description:
      - The directory on the controller for the files. It is made when it is missing. Not everybody may write to it.
    type: path
extends_documentation_fragment:
  - fleet.tmux.attributes
attributes:
  check_mode:
    support: partial
    details: Files are written in check mode too. They say that it was check mode.
  diff_mode:
    support: none
  idempotent:
    support: N/A
    details: A report is about one run, so it never counts as a change.
  action:
    support: full
    description: It has an action plugin, and works on the controller.
seealso:
  - module: fleet.tmux.tmux_session_prune
  - plugin: fleet.tmux.cleanup_table
    plugin_type: filter
  - plugin: fleet.tmux.cleanup_guard
    plugin_type: filter
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
  register: report

- name: Make one report of it and of what other jobs wrote
  fleet.tmux.cleanup_report:
    reports:
      - ~/tmux-reports/report.json
      - ~/tmux-report*/report.json
    dir: ~/tmux-reports/merged
  run_once: true
"""

RETURN = r"""
table:
  description: The report as a text with lines, for people.
  returned: with O(results), O(variables) or O(reports)
  type: str
totals:
  description: The sums, as C(totals) in C(report.json).
  returned: with O(results), O(variables) or O(reports)
  type: dict
  sample: {failed: 0, failures: 0, freed_bytes: 20971520, freed_processes: 5, hosts: 2, kept: 4, looked_at: 7,
    marked: 0, missing: 0, not_matched: 0, ok: 1, oldest_idle: 86000, removed: 3, servers: 2, survivors: 0,
    unreachable: 1}
guard:
  description: The verdict over the whole fleet, as C(guard) in C(report.json).
  returned: with O(results), O(variables) or O(reports)
  type: dict
problems:
  description:
    - The hosts that failed, could not be reached or gave no result, and those on which a session should have been
      removed and was not.
  returned: with O(results), O(variables) or O(reports)
  type: list
  elements: str
run:
  description: Which run it is, as C(run) in C(report.json). When a run begins, only C(id) and C(started).
  returned: always
  type: dict
files:
  description: The paths of the files that were written.
  returned: with O(results), O(variables) or O(reports)
  type: list
  elements: str
"""
