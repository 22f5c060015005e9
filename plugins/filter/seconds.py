# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durations for those who want whole seconds."""

from typing import Any, Callable, Dict

from ansible.errors import AnsibleFilterError
from ansible_collections.fleet.tmux.plugins.module_utils._policy.durations import duration
from ansible_collections.fleet.tmux.plugins.module_utils._policy.errors import OptionError

DOCUMENTATION = r"""
name: seconds
short_description: How many seconds a duration has
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Reads a duration as all options of this collection are written, and gives its whole seconds. Keywords of Ansible
    (C(timeout), C(delay), C(poll)) want those.
  - A number without a unit is refused, and so is a negative one.
positional: _input
options:
  _input:
    description:
      - The duration, namely numbers with the units C(w), C(d), C(h), C(m) and C(s), from large to small and each once.
        For example V(90s), V(45m), V(12h), V(2d), V(1w), V(1d12h).
      - V(0s) is no time at all, which is off for most keywords.
    type: str
    required: true
  option:
    description: What the duration is for, to be named when it cannot be read.
    type: str
    default: seconds
seealso:
  - plugin: fleet.tmux.tmux_cleanup
    plugin_type: role
"""

EXAMPLES = r"""
- name: Wait for no longer than somebody says
  ansible.builtin.debug:
    msg: "{{ patience }} has {{ patience | fleet.tmux.seconds }} seconds."
  timeout: "{{ patience | fleet.tmux.seconds(option='patience') }}"
  vars:
    patience: 1m30s
"""

RETURN = r"""
_value:
  description: The seconds.
  type: int
  sample: 90
"""


def seconds(text: Any, option: str = "seconds") -> int:
    """The seconds of a duration."""
    try:
        return duration(option, text, zero=True)
    except OptionError as error:
        raise AnsibleFilterError(str(error))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"seconds": seconds}
