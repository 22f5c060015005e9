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
      - The name of the socket of a tmux server, as C(tmux -L) has it. The socket is in the directory C(/tmp/tmux-UID)
        of the user the module runs as.
      - E(TMUX) and E(TMUX_TMPDIR) of the Ansible process are never looked at. So a playbook that is started in a pane
        of tmux and runs on the same host (C(ansible_connection=local)) does the same as anywhere else.
      - The default is V(default), tmux's own.
    type: str
  socket_path:
    description:
      - The absolute path of the socket of a tmux server, as C(tmux -S) has it.
      - When it, or the directory in which it is to be, belongs to another user and the module runs as root,
        everything is done as that user.
      - The socket and the directories above it must be such that nobody but its owner and root can put another one
        there.
    type: path
  executable:
    description:
      - The path of the tmux program on the host, version 2.7 or later. By default it is looked for in E(PATH). It may
        have any name with the word C(tmux) in it.
      - A server that does not understand it, as after an upgrade of tmux or after its removal, is asked with the
        program that the server itself runs, if that belongs to root and nobody else may write to it. Else the server is
        reported, and nothing is done to it.
      - A program that is given here and is not there makes the task fail. So do M(fleet.tmux.tmux_session),
        M(fleet.tmux.tmux_session_wait) and M(fleet.tmux.tmux_send_keys) where there is no tmux. The other modules have
        nothing to do on a host without tmux servers, and say so in C(note).
    type: path
  timeout:
    description:
      - How long each call of tmux may take, at most V(1h). A server that does not answer within it is reported, and
        nothing is done to it.
      - What is done for one owner is done in a process of its own, beside those for other owners, and has one deadline.
        His servers together may keep us waiting three times this long, with whatever they are asked. 0.2 seconds are
        added for each session that is to be saved, 0.05 for each that is to be marked or removed, up to twelve times
        this long. For what we do ourselves there are 10 seconds more, and the time for watching sessions, for one call
        of a command that gives notice, and for ending survivors.
      - An owner whose deadline is over costs the others nothing. What was not judged until then is kept, what was done
        is in the result, and what was ordered and not answered is told of as such.
      - A duration is one or more numbers with the units C(w), C(d), C(h), C(m) and C(s), from large to small and each
        once, like V(5s) or V(1m30s). A number without a unit is refused.
    type: str
    default: 10s
  evidence_detail:
    description:
      - How much is told of the sessions of other users than the one that the module runs as, which is the case when
        root looks at the servers of users. It goes to whoever runs Ansible, and into logs and reports.
      - V(kind) tells what was found and which programs run, but no word of what the users, their programs and their
        servers have chosen, beside the names of sessions and sockets. So there are no file names, command lines,
        titles, screens, names of windows and values of user options, and not what a server or a command that was run
        for the user says of an error.
      - V(full) tells these too.
      - Of one's own sessions everything is always told.
    type: str
    choices: [kind, full]
    default: kind
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
      - Whether a server whose socket was deleted is asked to make it again (C(SIGUSR1)). Its status is V(recovered)
        then, and the next run looks at its sessions.
      - It is only done when the directory exists, belongs to the server's owner and nobody else may write there, and
        when it is certain that the process is a tmux server that was bound to that path. The signal would end others.
      - Certain means that the process executes this O(executable), or a file called C(tmux...) that belongs to root or
        to the user of the process; that it has a handler for the signal; and that no row of C(/proc/net/unix)
        contradicts.
      - In check mode nobody gets a signal. The reason says of a server that it would be recovered.
    type: bool
    default: false
  failed_servers:
    description:
      - What a server that could not be used means for the task.
      - V(warn) gives a warning, V(fail) fails the task once all other servers are done, V(ignore) only lists it in
        RV(ignore:servers).
      - Servers in containers are not counted; they are listed with the status V(foreign). Nor are those with the
        status V(recovered).
    type: str
    choices: [warn, fail, ignore]
    default: warn
"""
