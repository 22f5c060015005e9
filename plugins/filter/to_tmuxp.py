# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments of tmux_session as a file of tmuxp's."""

from typing import Any, Callable, Dict

from ansible_collections.fleet.tmux.plugins.plugin_utils._filtered import filtered
from ansible_collections.fleet.tmux.plugins.plugin_utils._tmuxp import to_tmuxp as converted

DOCUMENTATION = r"""
name: to_tmuxp
short_description: A file of tmuxp's from arguments of tmux_session
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Turns arguments of M(fleet.tmux.tmux_session), of one session, into what tmuxp reads from a file.
  - A O(fleet.tmux.tmux_session#module:command) that P(fleet.tmux.from_tmuxp#filter) has made becomes C(shell_command)
    again, which is typed into a shell. Every other one, and O(fleet.tmux.tmux_session#module:argv), becomes the
    C(shell) of a pane, which tmux runs in place of a shell.
  - What tmuxp has nothing like is told by a warning, and so is a text in which it would replace variables.
positional: _input
options:
  _input:
    description: The arguments, of which C(name) and C(windows) or C(command) are most of all.
    type: dict
    required: true
seealso:
  - module: fleet.tmux.tmux_session
  - plugin: fleet.tmux.from_tmuxp
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write a file for those who use tmuxp
  ansible.builtin.copy:
    content: "{{ build | fleet.tmux.to_tmuxp | to_nice_yaml }}"
    dest: ~/build.yaml
    mode: "0644"
  vars:
    build:
      name: build
      chdir: ~/build
      windows:
        - name: make
          command: make -j4 all
        - name: log
          panes:
            - argv: [tail, -F, make.log]
            - chdir: ~/
"""

RETURN = r"""
_value:
  description: What the file says.
  type: dict
  sample: {session_name: build, windows: [{window_name: make, panes: [{shell: make -j4 all}]}]}
"""


def to_tmuxp(arguments: Any) -> Dict[str, Any]:
    """What tmuxp reads for these arguments."""
    return filtered("to_tmuxp", lambda: converted(arguments))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"to_tmuxp": to_tmuxp}
