#!/usr/bin/python
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation only: the work is done on the controller, by plugins/action/top_show.py."""

DOCUMENTATION = r"""
module: top_show
short_description: Show the largest and oldest tmux sessions of a fleet
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Shows two tables on the screen, of the sessions that use most and of those that are oldest, and below them the hosts
    that could not be looked at and what all sessions use together.
  - The playbook C(fleet.tmux.top) looks at all hosts and ends with it.
  - When the callback P(fleet.tmux.cleanup_progress#callback) is enabled, it shows the text instead, after everything
    else. Nothing is shown when results are printed for programs (the callbacks C(json), C(jsonl) and C(null)). The text
    is in the result in any case.
  - Control characters and the like are written as escapes.
  - It works on the controller and sends nothing to any host, so it is best used with C(run_once=true).
options:
  results:
    description:
      - What M(fleet.tmux.tmux_session_info) returned on each host, with O(fleet.tmux.tmux_session_info#module:include)
        V(resources), by the name of the host. It may be the result of a failed task.
      - Without it, what the hosts of the play have in C(tmux_top_result).
    type: dict
  by:
    description: Which use makes a session large.
    type: str
    choices: [cpu_time, memory, open_files, processes]
    default: memory
  rows:
    description: How many sessions each table has at most.
    type: int
    default: 20
extends_documentation_fragment:
  - fleet.tmux.attributes.controller
attributes:
  idempotent:
    support: N/A
    details: It only shows something.
seealso:
  - module: fleet.tmux.tmux_session_info
"""

EXAMPLES = r"""
- name: Look at the sessions of all users
  fleet.tmux.tmux_session_info:
    all_users: true
    include: resources
    leak_above:
      memory: 4G
  become: true
  register: tmux_top_result

- name: Show those with most open files
  fleet.tmux.top_show:
    by: open_files
    rows: 10
  run_once: true
"""

RETURN = r"""
text:
  description: What was to be shown.
  returned: success
  type: str
shown:
  description: Whether this task showed it. It does not when the callback does so later, or programs read the output.
  returned: success
  type: bool
problems:
  description: The hosts that failed, could not be reached or gave no result.
  returned: success
  type: list
  elements: str
"""
