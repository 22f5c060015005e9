# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file of tmuxinator's as arguments of tmux_session."""

from typing import Any, Callable, Dict, Optional

from ansible_collections.fleet.tmux.plugins.plugin_utils._filtered import filtered
from ansible_collections.fleet.tmux.plugins.plugin_utils._tmuxinator import from_tmuxinator as converted

DOCUMENTATION = r"""
name: from_tmuxinator
short_description: Arguments of tmux_session from a file of tmuxinator's
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Turns what is in a file of tmuxinator's into a dictionary of arguments of M(fleet.tmux.tmux_session), RV(_value)
    with C(name), C(windows) and others.
  - What is typed into a shell there, one line after the other, is the O(fleet.tmux.tmux_session#module:command) of a
    pane here. It begins with a C(trap), so that Ctrl+C ends what runs and not the pane, and ends with
    C(exec "$SHELL"), so that a shell of the user is left when all has run.
  - It is run by the user's shell as tmux runs a command. So what only an interactive shell reads (aliases, functions
    such as those of nvm or rbenv) is not known to it, and it is not in the shell's history. The shell must know the
    two words C(trap) and C(exec), as those of the Bourne family and fish do.
  - What is not taken over is told by a warning that names its place, and what to do instead, if that can be said.
    What would become another session fails.
  - It knows C(name) or C(project_name), C(root) or C(project_root), C(socket_name), C(socket_path), C(pre_window) and
    what it was called before (C(pre_tab), C(rbenv), C(rvm)), C(startup_window), C(startup_pane),
    C(enable_pane_titles) and what belongs to it, and C(windows) (or C(tabs)) in all forms, with C(layout), C(root),
    C(pre), C(synchronize), C(focused_pane) and C(panes).
  - Of C(tmux_options), C(-L) and C(-S) are taken over.
  - A warning is given of the hooks (C(on_project_start) and so on, C(pre), C(post)), of other C(tmux_options) and of
    C(tmux_command).
  - Templates of Ruby's in a file (ERB) are not run. One in a value that is needed is an error.
  - A C(.) or C(:) in the name of the session or of a window becomes C(_), as tmux itself has it. Of windows with the
    same name, all but the first get a number, for M(fleet.tmux.tmux_session) tells them apart by it; there is a
    warning.
positional: _input
options:
  _input:
    description: What the file says, for example by P(ansible.builtin.from_yaml#filter).
    type: dict
    required: true
  directory:
    description:
      - The directory, as it is on the host, from which a relative C(root) in the file begins. One that is needed and
        not given is an error.
    type: str
  base_index:
    description: The number of the first window where the file names a window by number, which is tmux's C(base-index).
    type: int
    default: 0
  pane_base_index:
    description: The number of the first pane where C(startup_pane) names one, which is tmux's C(pane-base-index).
    type: int
    default: 0
seealso:
  - module: fleet.tmux.tmux_session
  - plugin: fleet.tmux.from_tmuxp
    plugin_type: filter
"""

EXAMPLES = r"""
- name: The session that a file of tmuxinator's declares
  fleet.tmux.tmux_session:
    name: "{{ work.name }}"
    chdir: "{{ work.chdir | default(omit) }}"
    socket_name: "{{ work.socket_name | default(omit) }}"
    windows: "{{ work.windows }}"
  vars:
    work: "{{ lookup('file', 'work.yml') | from_yaml | fleet.tmux.from_tmuxinator }}"
"""

RETURN = r"""
_value:
  description:
    - The arguments. C(name) is a list with one name; C(windows) is always there; C(chdir), C(socket_name) and
      C(socket_path) are there if they say something.
  type: dict
  sample:
    name: [work]
    chdir: ~/work
    windows:
      - {name: logs, panes: [{command: "trap : INT\ntop\nexec \"$SHELL\""}]}
"""


def from_tmuxinator(
    data: Any, directory: Optional[str] = None, base_index: int = 0, pane_base_index: int = 0
) -> Dict[str, Any]:
    """The arguments of tmux_session for what is in a file."""
    return filtered("from_tmuxinator", lambda: converted(data, directory, base_index, pane_base_index))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"from_tmuxinator": from_tmuxinator}
