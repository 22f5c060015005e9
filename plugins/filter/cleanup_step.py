# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role is to do on one host."""

from typing import Any, Callable, Dict, Mapping, Optional, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.fleet.tmux.plugins.plugin_utils._fleet import FleetError, Step, refuse_unknown, step

DOCUMENTATION = r"""
name: cleanup_step
short_description: What the role tmux_cleanup is to do on a host
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Says whether there is anything to do on a host, and which sessions may be removed there, from what the whole fleet
    has agreed on and what the host has planned.
  - The role P(fleet.tmux.tmux_cleanup#role) asks this. It is of use to others only in place of that role.
positional: _input
options:
  _input:
    description:
      - What M(fleet.tmux.cleanup_begin) or M(fleet.tmux.cleanup_agree) has returned. Empty without a run over a fleet.
    type: dict
    required: true
  plan:
    description:
      - What M(fleet.tmux.tmux_session_prune) has returned on the host in check mode. Empty if it was not asked.
    type: dict
    default: {}
  planned:
    description: The sessions that the user lets be removed, by their C(identity). Null means no such limit.
    type: list
    elements: str
  planned_marks:
    description: Those that the user lets be given notice besides, by their C(identity). Null means no such limit.
    type: list
    elements: str
  limited:
    description: Whether the host has a limit for the whole fleet. It is refused where the fleet has not agreed.
    type: bool
    default: false
  planning:
    description: Whether the host is just being asked for its plan.
    type: bool
    default: false
  check_mode:
    description: Whether nothing is to be changed.
    type: bool
    default: false
  names:
    description: The names of variables that begin like those of the role. One that the role does not have is refused.
    type: list
    elements: str
    default: []
seealso:
  - module: fleet.tmux.cleanup_begin
  - module: fleet.tmux.cleanup_agree
"""

EXAMPLES = r"""
- name: Remove what was planned, if the fleet has agreed
  fleet.tmux.tmux_session_prune:
    idle: 2d
    planned: "{{ step.planned }}"
    planned_marks: "{{ step.planned_marks }}"
  when: step.due
  vars:
    step: "{{ agreed | fleet.tmux.cleanup_step(plan=plan) }}"
"""

RETURN = r"""
_value:
  description: What is to be done.
  type: dict
  sample: {due: true, planned: ["4711/1763400000/$3/1763500000"], planned_marks: []}
  contains:
    due:
      description: Whether there is anything to do.
      type: bool
    planned:
      description: The only sessions that may be removed. Null means all that the policy names.
      type: list
      elements: str
    planned_marks:
      description: The only sessions that may be given notice besides. Null means all that the policy names.
      type: list
      elements: str
"""


def cleanup_step(
    run: Mapping[str, Any],
    plan: Optional[Mapping[str, Any]] = None,
    planned: Optional[Sequence[str]] = None,
    planned_marks: Optional[Sequence[str]] = None,
    limited: bool = False,
    planning: bool = False,
    check_mode: bool = False,
    names: Sequence[str] = (),
) -> Dict[str, Any]:
    """What is to be done on a host, as the role reads it."""
    try:
        refuse_unknown(names)
        allowed = Step(True, planned, planned_marks)
        return step(run, plan or {}, allowed, limited, planning, check_mode)._asdict()
    except FleetError as error:
        raise AnsibleFilterError(str(error))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"cleanup_step": cleanup_step}
