#!/usr/bin/python
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation only: the work is done on the controller, by plugins/action/cleanup_show.py."""

DOCUMENTATION = r"""
module: cleanup_show
short_description: Show on the screen what a cleanup did
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Shows a text on the screen as it is written, and not as a value of YAML or JSON.
  - When the callback P(fleet.tmux.cleanup_progress#callback) is enabled, it shows the text instead, after everything
    else.
  - Nothing is shown when results are printed for programs (the callbacks C(json), C(jsonl) and C(null)). The text is in
    the result in any case.
  - Control characters and the like are written as escapes.
  - It works on the controller and sends nothing to any host, so it is best used with C(run_once=true).
options:
  text:
    description:
      - What to show, for example RV(fleet.tmux.cleanup_report#module:table).
      - Without it, a report on what the role P(fleet.tmux.tmux_cleanup#role) has left on the hosts of the play.
    type: str
extends_documentation_fragment:
  - fleet.tmux.attributes.controller
attributes:
  idempotent:
    support: N/A
    details: It only shows something.
seealso:
  - module: fleet.tmux.cleanup_report
  - plugin: fleet.tmux.cleanup_progress
    plugin_type: callback
"""

EXAMPLES = r"""
- name: Make the report
  fleet.tmux.cleanup_report:
  run_once: true
  register: report

- name: Show it
  fleet.tmux.cleanup_show:
    text: "{{ report.table }}"
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
"""
