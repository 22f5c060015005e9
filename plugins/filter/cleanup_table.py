# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cleanup did on a fleet, as a table that a person reads."""

from typing import Any, Callable, Dict, Mapping

from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Run, report
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import table

DOCUMENTATION = r"""
name: cleanup_table
short_description: Make one readable table of the results of many hosts
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Turns what M(fleet.tmux.tmux_session_prune) returned on each host into plain text for people.
  - It begins with the sum. A table follows with a line for each host and owner, saying how many sessions were looked
    at, removed, given notice (marked), kept and why. Then come all removed, marked and kept sessions with the reason
    of each, processes that outlived their session, and whatever went wrong, hosts that failed or could not be reached
    included.
  - Control characters and the like are written as escapes, wherever the text comes from.
positional: _input
options:
  _input:
    description:
      - What each host returned, by the name of the host. A value may be the result of a failed task, or empty when
        the host did not get that far.
    type: dict
    required: true
  check_mode:
    description:
      - Whether the results were made in check mode, so that the text says what would be removed, not what was.
    type: bool
    default: false
seealso:
  - module: fleet.tmux.tmux_session_prune
"""

EXAMPLES = r"""
- name: Remove idle sessions
  fleet.tmux.tmux_session_prune:
    idle: 2d
  register: cleanup

- name: Say what was done on all hosts
  ansible.builtin.debug:
    msg: "{{ (dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'cleanup')))
      | fleet.tmux.cleanup_table).splitlines() }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The text. Its lines are separated by newlines.
  type: str
"""

_UNNAMED = Run(id="", started=None, finished="", check_mode=False, collection_version="")


def cleanup_table(results: Mapping[str, Any], check_mode: bool = False) -> str:
    """The text for results by host."""
    if not isinstance(results, Mapping):
        raise TypeError("cleanup_table takes a dictionary of results by host, not %s" % type(results).__name__)
    return table(report(results, _UNNAMED._replace(check_mode=check_mode)))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"cleanup_table": cleanup_table}
