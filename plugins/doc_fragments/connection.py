# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options by which a tmux server is reached, for the documentation of modules."""


class ModuleDocFragment:
    """Options that modules share."""

    DOCUMENTATION = r"""
options:
  socket_name:
    description:
      - The name of the socket, as in C(tmux -L). The socket is in the directory C(/tmp/tmux-UID) of the user the
        module runs as.
      - E(TMUX) and E(TMUX_TMPDIR) of the Ansible process are never looked at.
      - The default is V(default), tmux's own.
    type: str
  socket_path:
    description:
      - The absolute path of the socket, as in C(tmux -S).
      - When it, or the directory in which it is to be, belongs to another user and the module runs as root,
        everything is
        done as that user.
      - The socket and the directories above it must be such that nobody but its owner and root can put another one
        there.
    type: path
  executable:
    description:
      - The path of the tmux program on the host, version 2.7 or later. By default it is looked for in E(PATH).
    type: path
  timeout:
    description:
      - Seconds that each call of tmux may take. A server that does not answer within them is reported, and nothing is
        done to it.
    type: float
    default: 10.0
requirements:
  - tmux 2.7 or later on the host
  - Python 3.6 or later on the host
"""

    SCOPE = r"""
options:
  all_users:
    description:
      - Whether to look at the tmux servers of all users of the host, wherever their sockets are.
      - Needs root. Without it, only the servers of the user that the module runs as are looked at, and
        RV(ignore:scope) says so.
    type: bool
    default: false
  users:
    description:
      - Look at all servers of these users only (names or ids).
    type: list
    elements: str
  exclude_users:
    description:
      - Leave out the servers of these users (names or ids).
      - Needs O(all_users=true) or O(users).
    type: list
    elements: str
    default: []
  recover_sockets:
    description:
      - Whether a server whose socket was deleted is asked to make it again (C(SIGUSR1)), and is then looked at like
        any other.
      - It is only done when the directory exists, belongs to the server's owner and nobody else may write there.
      - It is done in check mode too, for without a socket nobody can know what the server holds.
    type: bool
    default: false
  failed_servers:
    description:
      - What a server that could not be used means for the task.
      - V(warn) gives a warning, V(fail) fails the task once all other servers are done, V(ignore) only lists it in
        RV(ignore:servers).
      - Servers in containers are not counted; they are listed with the status V(foreign).
    type: str
    choices: [warn, fail, ignore]
    default: warn
"""
