# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a whole fleet would lose too many sessions."""

from typing import Any, Callable, Dict, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.fleet.tmux.plugins.plugin_utils._guard import LimitError, Limits, judge_fleet

DOCUMENTATION = r"""
name: cleanup_guard
short_description: Judge the plans of all hosts before anything is removed on any of them
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Adds up what M(fleet.tmux.tmux_session_prune) returned on each host in check mode, and compares the sum with limits
    for the whole fleet.
  - A host that has no plan, because it could not be reached or failed, adds nothing. Nothing is removed there either.
  - The role P(fleet.tmux.tmux_cleanup#role) does this when C(tmux_cleanup_fleet_max_removals) or
    C(tmux_cleanup_fleet_max_percent) is set.
positional: _input
options:
  _input:
    description: What each host returned in check mode, by the name of the host.
    type: dict
    required: true
  max_removals:
    description:
      - How many sessions may be removed on all hosts together. Null means no limit.
      - Of a list, the least counts. An empty list means no limit.
    type: list
    elements: int
  max_percent:
    description: The same, in percent of the sessions that were looked at on all hosts.
    type: list
    elements: float
seealso:
  - module: fleet.tmux.tmux_session_prune
"""

EXAMPLES = r"""
- name: Look what would be removed
  fleet.tmux.tmux_session_prune:
    idle: 2d
  check_mode: true
  register: plan

- name: Stop before the first removal when it would be more than a third of all
  ansible.builtin.assert:
    that: not verdict.stopped
    fail_msg: "{{ verdict.message }}"
  vars:
    plans: "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'plan'))) }}"
    verdict: "{{ plans | fleet.tmux.cleanup_guard(max_percent=33.4) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The verdict.
  type: dict
  sample: {looked_at: 50, max_percent: 33.4, max_removals: null, planned: 40, stopped: true,
    message: "40 of 50 sessions would be removed, tmux_cleanup_fleet_max_percent is 33.4"}
  contains:
    stopped:
      description: Whether it is too much.
      type: bool
    message:
      description: Why, in words. Empty if it is not too much.
      type: str
    planned:
      description: How many sessions would be removed.
      type: int
    looked_at:
      description: Of how many that were looked at.
      type: int
    max_removals:
      description: The limit that was given, as a number.
      type: int
    max_percent:
      description: The limit that was given, as a number.
      type: float
"""


def cleanup_guard(plans: Mapping[str, Any], max_removals: Limits = None, max_percent: Limits = None) -> Dict[str, Any]:
    """The verdict over plans by host."""
    if not isinstance(plans, Mapping):
        raise AnsibleFilterError("cleanup_guard takes a dictionary of plans by host, not %s" % type(plans).__name__)
    try:
        return judge_fleet(plans, max_removals, max_percent)
    except LimitError as error:
        raise AnsibleFilterError(str(error))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"cleanup_guard": cleanup_guard}
