# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a cleanup: there must be one."""

from typing import Any, Callable, Dict, List, Mapping, Sequence, Union

from ansible import context
from ansible.errors import AnsibleFilterError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

DOCUMENTATION = r"""
name: cleanup_hosts
short_description: The hosts of a cleanup, which must be at least one
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Returns the pattern as it is when hosts of the inventory match it, within the limit of the command line
    (C(--limit)). Else it fails, and says why. Ansible itself calls a play without hosts a success.
  - The playbooks of this collection have it in the C(hosts) of their first play.
  - With C(--syntax-check) and C(--list-hosts) it does not look.
positional: _input
options:
  _input:
    description: A pattern of hosts, or a list of patterns.
    type: raw
    required: true
  groups:
    description: The variable C(groups), which Ansible has of the inventory.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Clean up hosts of a group that somebody may have mistyped
  hosts: "{{ login_hosts | default('login') | fleet.tmux.cleanup_hosts(groups) }}"
  roles:
    - role: fleet.tmux.tmux_cleanup
"""

RETURN = r"""
_value:
  description: The pattern.
  type: raw
"""

Pattern = Union[str, Sequence[str]]


def cleanup_hosts(pattern: Pattern, groups: Mapping[str, Sequence[str]]) -> Pattern:
    """The pattern, if it has hosts."""
    if not _only_shown():
        limit = context.CLIARGS.get("subset") or None
        known = _inventory(groups)
        if not known.list_hosts(_patterns(pattern)):
            raise AnsibleFilterError(_no_host(pattern, groups))
        known.subset(limit)
        if not known.list_hosts(_patterns(pattern)):
            raise AnsibleFilterError(f"No host of {_told(pattern)} is within the limit {limit}, so nothing was done.")
    return pattern


def _only_shown() -> bool:
    return bool(context.CLIARGS.get("syntax") or context.CLIARGS.get("listhosts"))


def _inventory(groups: Mapping[str, Sequence[str]]) -> InventoryManager:
    """One with these groups and hosts: patterns are read by Ansible itself, and by nobody else."""
    made = InventoryManager(loader=DataLoader(), parse=False)
    for group, hosts in groups.items():
        made.add_group(group)
        for host in hosts:
            made.add_host(host, group=group)
    return made


def _patterns(pattern: Pattern) -> List[str]:
    return [pattern] if isinstance(pattern, str) else list(pattern)


def _told(pattern: Pattern) -> str:
    return ", ".join(_patterns(pattern))


def _no_host(pattern: Pattern, groups: Mapping[str, Sequence[str]]) -> str:
    if any(groups.values()):
        return f"No host of the inventory matches {_told(pattern)}, so nothing was done. See tmux_cleanup_hosts."
    return (
        "The inventory has no host, so nothing was done. Name one that has: INVENTORY=hosts.ini for make, "
        "-i hosts.ini for ansible-playbook. A warning above says so when it could not be read."
    )


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"cleanup_hosts": cleanup_hosts}
