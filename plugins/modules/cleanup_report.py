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
  - Makes one report of what M(fleet.tmux.tmux_session_prune) returned on many hosts.
  - It returns a table for people, and writes these files when O(dir) is given.
  - C(report.json) has everything, in a versioned schema, C(docs/report.schema.json) of the collection.
  - C(report.html) is one page that needs no network.
  - C(audit.jsonl) is only ever appended to. There is a line for each run, and for each session that something was done
    to, or should have been.
  - C(tmux_cleanup.prom) is for the textfile collector of node_exporter.
  - Each file but C(audit.jsonl) is written whole and then renamed.
  - It works on the controller and sends nothing to any host, so it is best used with C(run_once=true).
options:
  results:
    description:
      - What each host returned, by the name of the host. A value may be the result of a failed task, or empty when the
        host did not get that far.
      - Without it, what the role P(fleet.tmux.tmux_cleanup#role) has left on the hosts of the play. Hosts that have
        failed in an earlier play of the same run of Ansible have no result.
    type: dict
  run:
    description:
      - What M(fleet.tmux.cleanup_begin), or M(fleet.tmux.cleanup_agree) after it, has returned.
      - When the fleet has agreed that it is too much, what was planned is reported as kept.
    type: dict
    default: {}
  check_mode:
    description:
      - Whether the results were made in check mode, so that the report says what would be done.
      - Without it, whether Ansible runs in check mode, or O(run) says that nothing was to be removed.
    type: bool
  dir:
    description:
      - The directory on the controller for the files. Without it, what M(fleet.tmux.cleanup_begin) has prepared.
      - It is made when it is missing. It and the directories above it belong to root or to whoever runs Ansible, and
        nobody else may write to them; above it there may be ones like C(/tmp), where nobody can touch what belongs to
        others.
      - The files belong to whoever runs Ansible. The metrics may be read by everybody, the others by the group too
        (C(0644) and C(0640), whatever the umask and whatever mode they had). A directory that is made has C(0755),
        less the umask.
    type: path
  command:
    description:
      - A command that is run on the controller after the report was written, with its arguments, so that it can be sent
        on. It is run as the user who runs Ansible, without a shell, and is ended after five minutes.
      - On its standard input it has all of the report as a text. In its environment it has C(TMUX_CLEANUP_REPORT_DIR),
        C(TMUX_CLEANUP_REPORT_JSON), C(TMUX_CLEANUP_REPORT_HTML), C(TMUX_CLEANUP_AUDIT) and C(TMUX_CLEANUP_METRICS), the
        paths of the files, each empty when it was not written; C(TMUX_CLEANUP_HEADLINE), what it comes to in a line;
        C(TMUX_CLEANUP_RUN), the id of the run; C(TMUX_CLEANUP_STOPPED), which is 1 when the limit for the fleet has
        stopped it and else 0; and the numbers C(TMUX_CLEANUP_HOSTS), C(TMUX_CLEANUP_HOSTS_WITH_A_PROBLEM),
        C(TMUX_CLEANUP_LOOKED_AT), C(TMUX_CLEANUP_REMOVED), C(TMUX_CLEANUP_MARKED), C(TMUX_CLEANUP_KEPT) and
        C(TMUX_CLEANUP_NOT_DONE).
      - Not where nothing was to be removed, in check mode for example.
      - When it fails, a warning says so, and RV(command). No host fails for it.
    type: list
    elements: str
    default: []
  role_variables:
    description:
      - Whether the command is that of the role P(fleet.tmux.tmux_cleanup#role), C(tmux_cleanup_report_command) of the
        first host of the play, instead of O(command). Facts are left out when it is read, those in templates as well,
        for facts are what a host has returned.
    type: bool
    default: false
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
  - module: fleet.tmux.cleanup_begin
  - module: fleet.tmux.cleanup_agree
  - module: fleet.tmux.cleanup_merge
  - module: fleet.tmux.tmux_session_prune
  - plugin: fleet.tmux.cleanup_table
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

- name: Say how many sessions are gone
  ansible.builtin.debug:
    msg: "{{ report.totals.removed }} of {{ report.totals.looked_at }}"
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
files:
  description: The paths of the files that were written.
  returned: success
  type: list
  elements: str
command:
  description: How O(command) has ended.
  returned: when it was to be run
  type: dict
  contains:
    rc:
      description: Its exit status, negative for a signal. Null when it could not be run, or was ended.
      type: int
    output:
      description: The end of what it has printed.
      type: str
    problem:
      description: What went wrong, in words. Empty when nothing did.
      type: str
  sample: {output: "", problem: "", rc: 0}
"""
