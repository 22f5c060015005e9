# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file of tmuxp's as arguments of tmux_session."""

from typing import Any, Callable, Dict, Mapping, Optional

from ansible_collections.fleet.tmux.plugins.plugin_utils._filtered import filtered
from ansible_collections.fleet.tmux.plugins.plugin_utils._tmuxp import from_tmuxp as converted

DOCUMENTATION = r"""
name: from_tmuxp
short_description: Arguments of tmux_session from a file of tmuxp's
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Turns what is in a file of tmuxp's into a dictionary of arguments of M(fleet.tmux.tmux_session), RV(_value) with
    C(name), C(windows) and others.
  - What is typed into a shell there, one line after the other, is the O(fleet.tmux.tmux_session#module:command) of a
    pane here. It begins with a C(trap), so that Ctrl+C ends what runs and not the pane, and ends with
    C(exec "$SHELL"), so that a shell of the user is left when all has run.
  - It is run by the user's shell as tmux runs a command. So what only an interactive shell reads (aliases, functions
    such as those of nvm or rbenv) is not known to it, and it is not in the shell's history. The shell must know the
    two words C(trap) and C(exec), as those of the Bourne family and fish do.
  - What is not taken over is told by a warning that names its place, and what to do instead, if that can be said.
    What would become another session fails.
  - It knows C(session_name), C(start_directory), C(environment), C(options), C(global_options) (which become options
    of the session), C(shell_command_before), C(windows), and of these C(window_name), C(layout), C(focus),
    C(options_after), C(window_shell) and C(panes) in all forms, of which C(shell), C(shell_command), C(sleep_before)
    and C(sleep_after).
  - The option C(remain-on-exit) of a window or the session becomes
    O(fleet.tmux.tmux_session#module:keep_exited). A pane with C(environment) also has what its window has there.
  - A warning is given of C(plugins), C(before_script), C(window_index), C(suppress_history=false), of commands with
    C(enter=false), and of those that would be typed into another program than a shell.
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
      - The directory of the file, as it is on the host, from which relative directories in it begin. One that is
        needed and not given is an error.
    type: str
  variables:
    description:
      - What C($NAME) and C(${NAME}) in the file stand for. Without it, those in commands are left to the shell that
        runs them on the host, C($HOME) at the beginning of a directory is the home of the user there, and all others
        are an error, for the variables of the controller are not those of the host.
    type: dict
seealso:
  - module: fleet.tmux.tmux_session
  - plugin: fleet.tmux.to_tmuxp
    plugin_type: filter
  - plugin: fleet.tmux.from_tmuxinator
    plugin_type: filter
"""

EXAMPLES = r"""
- name: The sessions that a file of tmuxp's declares
  fleet.tmux.tmux_session:
    name: "{{ work.name }}"
    chdir: "{{ work.chdir | default(omit) }}"
    env: "{{ work.env | default(omit) }}"
    keep_exited: "{{ work.keep_exited | default(omit) }}"
    options: "{{ work.options | default(omit) }}"
    windows: "{{ work.windows }}"
  vars:
    work: "{{ lookup('file', 'work.yaml') | from_yaml | fleet.tmux.from_tmuxp(directory='~/work') }}"
"""

RETURN = r"""
_value:
  description:
    - The arguments. C(name) is a list with one name; C(windows) is always there; C(chdir), C(env), C(keep_exited) and
      C(options) are there if they say something.
  type: dict
  sample:
    name: [work]
    chdir: ~/work
    windows:
      - {name: editor, panes: [{command: "trap : INT\nvim\nexec \"$SHELL\""}]}
"""


def from_tmuxp(
    data: Any, directory: Optional[str] = None, variables: Optional[Mapping[str, Any]] = None
) -> Dict[str, Any]:
    """The arguments of tmux_session for what is in a file."""
    return filtered("from_tmuxp", lambda: converted(data, directory, variables))


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"from_tmuxp": from_tmuxp}
