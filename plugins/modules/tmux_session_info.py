#!/usr/bin/python
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Say what tmux sessions there are."""

DOCUMENTATION = r"""
module: tmux_session_info
short_description: Look at tmux sessions
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Returns the tmux sessions of one server, or of the servers of all users of a host, and on request their windows,
    panes, processes and what the panes show.
  - Looking at a session does not count as activity of it.
options:
  name:
    description:
      - Only sessions with exactly these names. By default all.
    type: list
    elements: str
  include:
    description:
      - What to return beside the sessions themselves.
      - V(panes) includes V(windows); V(processes) and V(content) include V(panes).
      - V(content) is the text that the panes show, and of their history. It may hold secrets. Of other users than the
        one that the module runs as it is only returned with O(evidence_detail=full).
      - V(activity) is what tmux and the host show of what is done in each session, without a policy. It is the signs
        by which M(fleet.tmux.tmux_session_prune) judges, read in full. Programs that only show something, as its
        O(fleet.tmux.tmux_session_prune#module:ignore_commands) lists them by default, do not count.
      - V(declaration) is each session as options of M(fleet.tmux.tmux_session), to keep it, or to make one like it.
      - V(resources) is what the processes of each session, and of each server with all its sessions, use of the host.
    type: list
    elements: str
    choices: [activity, content, declaration, panes, processes, resources, windows]
    default: []
  content_lines:
    description:
      - How many lines of each pane O(include=content) returns at most, counted from the end; of more than a million
        characters the last million.
    type: int
    default: 100
  leak_above:
    description:
      - With O(include=resources), which use is more than there should be. A session or server that is above one of
        these has it in C(leaks). By default there are no limits.
    type: dict
    suboptions:
      cpu_time:
        description: CPU time. A duration with units, like V(12h) or V(2d).
        type: str
      memory:
        description: Resident memory. It is a number with the unit C(K), C(M), C(G) or C(T), like V(2G).
        type: str
      open_files:
        description: The number of open files.
        type: int
      processes:
        description: The number of processes.
        type: int
extends_documentation_fragment:
  - fleet.tmux.attributes.info
  - fleet.tmux.attributes.actiongroup
  - fleet.tmux.connection
  - fleet.tmux.connection.scope
seealso:
  - module: fleet.tmux.tmux_session
  - module: fleet.tmux.tmux_session_prune
"""

EXAMPLES = r"""
- name: Is the build still there?
  fleet.tmux.tmux_session_info:
    name: build
  register: build

- name: Show what it says
  fleet.tmux.tmux_session_info:
    name: build
    include: content
    content_lines: 20
  register: build
  when: build.exists

- name: Which processes does each session of each user have?
  fleet.tmux.tmux_session_info:
    all_users: true
    include: processes
  become: true
  register: everything

- name: How would my sessions be declared?
  fleet.tmux.tmux_session_info:
    include: declaration
  register: frozen

- name: They are made again where they are missing
  fleet.tmux.tmux_session:
    name: "{{ item.name }}"
    width: "{{ item.width }}"
    height: "{{ item.height }}"
    windows: "{{ item.windows }}"
    options: "{{ item.options | default(omit) }}"
  loop: "{{ frozen.sessions | map(attribute='declaration') | select }}"
  loop_control:
    label: "{{ item.name[0] }}"

- name: What is being done in my sessions?
  fleet.tmux.tmux_session_info:
    include: activity
  register: mine

- name: What does each session of this host use, and is it too much?
  fleet.tmux.tmux_session_info:
    all_users: true
    include: resources
    leak_above:
      memory: 4G
      open_files: 1000
      processes: 200
  become: true
  register: used

- name: Say which sessions leak
  ansible.builtin.debug:
    msg: "{{ used.sessions | rejectattr('resources.leaks', 'eq', []) | map(attribute='name') | list }}"
"""

RETURN = r"""
exists:
  description: Whether there is a session, or, when O(name) is given, whether there are sessions with all these names.
  returned: always
  type: bool
sessions:
  description:
    - The sessions, sorted by owner, socket and name. Clocks are seconds since 1970. All modules return sessions in this
      shape.
    - At most 4 MiB of one owner and 16 MiB in all are returned, of which each owner gets an equal share at least. Where
      one has more, sessions are told of in short (without C(options) and C(windows), whose numbers are in C(more)), and
      those beyond are counted in RV(unlisted).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description:
        - Its name. Control characters and bytes that are no text are written as escapes, here and in all other texts.
        - Texts have a limit. Of a longer one the beginning is there, and V(... and 17 more characters). A name has 400
          characters at most.
      type: str
      returned: always
    id:
      description: Its id in its server, like V($3).
      type: str
      returned: always
    identity:
      description:
        - What tells it apart from every other session of its host, also from a later one with the same name, until the
          host is started anew.
        - Null if what tmux lists of the session cannot be read; so is then everything but C(name), C(id), C(owner) and
          C(socket).
      type: str
      returned: always
    owner:
      description: The user whose server it is in.
      type: str
      returned: always
    socket:
      description: The socket of the server.
      type: str
      returned: always
    # The clocks, from the table of fields.
    created:
      description: When it was created.
      type: int
      returned: always
    input:
      description: When a client last gave input.
      type: int
      returned: always
    last_attached:
      description: When a client last attached. Null if none ever did.
      type: int
      returned: always
    output:
      description: When one of its windows last had output.
      type: int
      returned: always
    # The end of the clocks.
    idle:
      description: Seconds since the newest of these clocks.
      type: int
      returned: always
    attached:
      description: How many clients are attached.
      type: int
      returned: always
    width:
      description: Columns of its current window.
      type: int
      returned: always
    height:
      description: Rows of its current window.
      type: int
      returned: always
    group:
      description: The session group it belongs to. Null if none.
      type: str
      returned: always
    options:
      description:
        - Its user options (those with names like C(@keep)), by name. At most 100, with 1000 characters of each value.
        - The values are null of another user's session, unless O(evidence_detail=full).
      type: dict
      returned: always
    declaration:
      description:
        - The options of M(fleet.tmux.tmux_session) that make a session like it, and leave it as it is while it is
          there, C(name), C(width), C(height), C(windows) with their panes, its user options as C(options), and the
          files that go with it as C(cleanup).
        - Environments, titles and other options are not in it; nor is
          O(fleet.tmux.tmux_session#module:keep_exited), so add that where exit statuses are to be kept. A pane has the
          command that it was started with, as one for the user's shell (before 3.2, tmux does not tell where a word of
          it ends), and the directory that it is in now.
          Of windows with the same name none has it, nor one that tmux names after what runs in it.
        - A pane has its C(log), if its output is seen to be written to one by M(fleet.tmux.tmux_session). The session
          has C(log_max_size), if all of them have the same.
        - Its commands were chosen by whoever could use the session. Look through them before they are run for anybody
          else.
        - Null of another user's session, unless O(evidence_detail=full), of one with more than 100 windows or panes of
          a window, and of one that would not come out the same, like one with control characters in a command.
      type: dict
      returned: when O(include) has V(declaration)
      sample:
        name: [work]
        width: 80
        height: 24
        windows:
          - {name: editor, command: vi, chdir: /home/alice, focus: true}
    windows:
      description:
        - Its windows, with C(id), C(index), C(name), C(active), C(activity), C(width), C(height) and C(layout).
        - Each has C(panes), if these are included, with C(id), C(index), C(active), C(pid), C(command) (what runs in
          it now),
          C(start_command) (what it was started with; empty for a shell), C(path), C(title), C(width), C(height),
          C(dead),
          C(exit_status) and C(exit_signal) (of a dead one, as far as tmux knows).
        - Each pane has C(processes), if these are included, with C(pid), C(ppid), C(command), C(rss) (bytes),
          C(cpu_seconds)
          and C(open_files) (null where the kernel does not let us look), and C(content), if that is.
        - At most 100 windows, 100 panes of each and 100 processes of each pane are returned; C(more), which sessions,
          windows and panes have, says how many more there are.
        - The C(name) of a window and the C(start_command), C(path), C(title) and C(content) of a pane are null of
          another user's session, unless O(evidence_detail=full), and its C(command) is only the name of the program.
      type: list
      elements: dict
      returned: when O(include) has V(windows) or something that is of them
    activity:
      description:
        - What shows that something is done in it, if V(activity) is included. C(last_use) is the newest clock of tmux's
          and the host's, in seconds since 1970, and C(idle) how many seconds that is ago.
        - C(signs) are in the shape of the RV(fleet.tmux.tmux_session_prune#module:removed[].evidence.signs); at most
          20 are listed, and C(more) says how many more there are.
      type: dict
      returned: when O(include) has V(activity)
      sample:
        last_use: 1763500000
        idle: 180
        signs:
          - {kind: started, at: 1763490000, detail: a process was started 2h 49m ago (python3)}
          - {kind: wrote, at: 1763500000, detail: wrote train.log 3m ago (python3)}
        more: {signs: 0}
    resources:
      description:
        - What its processes use together, if V(resources) is included. These are the living processes below its panes,
          and those of its owner that say in their environment that they are of one of its panes.
        - C(cpu_seconds) is CPU time, with that of processes that have ended and were waited for. C(rss) is resident
          memory in bytes, in which what several processes share counts for each. C(open_files) and C(processes) are
          numbers of these. A window that is in several sessions counts for each.
        - C(unread) is how many of the processes are not in C(open_files), because they are another user's or do not let
          us look. If none of them does, C(open_files) is null. Of one owner, 500000 open files are counted; processes
          after that are unread too.
        - C(leaks) is which of C(cpu_seconds), C(rss), C(open_files) and C(processes) are above O(leak_above).
        - All but C(leaks) are null where its processes cannot be looked at, for example because the sessions of its
          owner have more than 100000.
      type: dict
      returned: when O(include) has V(resources)
      sample: {cpu_seconds: 812.5, rss: 52428800, open_files: 48, processes: 6, unread: 0, leaks: []}
    more:
      description:
        - How many more C(options) there are than are returned, and C(windows), if these are included. Windows
          and panes have the same, of C(panes) and C(processes).
      type: dict
      returned: always
      sample: {options: 0, windows: 0}
unlisted:
  description: How many sessions and servers of which owner are not in RV(sessions) and RV(servers), because there are
    too many.
  returned: always
  type: list
  elements: dict
  sample: [{owner: alice, sessions: 7000, servers: 0}]
servers:
  description:
    - The servers that were looked at, in the shape of RV(fleet.tmux.tmux_session_prune#module:servers). No server is
      an empty list.
    - Each also has C(unit), the systemd unit that it lives in, like V(session-3.scope) or V(sshd.service); null where
      there is none. C(user_unit) is the unit of the user's own manager, if C(unit) is that (V(user@1000.service)). It
      is null of another user's server, unless O(evidence_detail=full).
    - C(survives_logout) is whether it outlives the logout of whoever started it. A unit of a login session
      (C(session-*.scope)) does not if logind ends the processes of that user (C(KillUserProcesses)), or all sessions
      that are idle (C(StopIdleSessionSec)); lingering does not change that. A unit of a user's manager does if that
      user lingers. What lives elsewhere is not ended by a logout, but may end with its unit. It is null if that is not
      known, and V(true) where there is no systemd. It is said of the server; a tmux that was built for it puts panes
      into units of their own (C(tmux-spawn-*.scope)).
    - With V(resources) in O(include), each has C(resources) in the shape of those of sessions. That is what the server
      itself and all its sessions use, also those that O(name) does not name. Each process counts once.
  returned: always
  type: list
  elements: dict
scope:
  description: Whose servers were looked at, V(host), V(own) or V(socket), as in
    RV(fleet.tmux.tmux_session_prune#module:scope).
  returned: always
  type: str
note:
  description: What else there is to say of the host that is no trouble, as in
    RV(fleet.tmux.tmux_session_prune#module:note).
  returned: always
  type: str
"""

from typing import Any, Dict, Optional, Tuple

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleet.tmux.plugins.module_utils._modules.info import Wish, describe_all
from ansible_collections.fleet.tmux.plugins.module_utils._modules.options import note_of, server_options, set_up
from ansible_collections.fleet.tmux.plugins.module_utils._modules.owners import Way, the_owners
from ansible_collections.fleet.tmux.plugins.module_utils._modules.results import finish, judge_servers, warn_each
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import INFO, checked
from ansible_collections.fleet.tmux.plugins.module_utils._specs.tmux_session_info import ARGUMENT_SPEC

NOTHING: Dict[str, Any] = {
    "changed": False,
    "exists": False,
    "sessions": [],
    "unlisted": [],
    "servers": [],
    "scope": "socket",
    "note": "",
}
"""The result before anything was looked at."""


def look(module: AnsibleModule) -> Tuple[Dict[str, Any], Optional[Exception]]:
    """Look at the servers that the options choose: the result, and what went wrong."""
    values = checked(module.params, INFO)
    options = server_options(values)
    host = set_up(module, options, needs_tmux=False)
    chosen, scope = the_owners(module, options, host)
    wish = Wish(values["name"], tuple(values["include"]), values["content_lines"], values["leak_above"] or {})
    way = Way(options.recover_sockets, check_mode=module.check_mode)
    found = describe_all(host, chosen, way, wish)
    result = dict(
        NOTHING,
        changed=found.owners.recovered,
        exists=found.exists,
        sessions=found.told.lists["sessions"],
        servers=found.told.lists["servers"],
        unlisted=found.told.unlisted,
        scope=scope,
        note=note_of(host, found.told.lists["servers"]),
    )
    error, warnings = judge_servers(result, options.failed_servers, found.owners.error)
    warn_each(module, found.trouble)
    warn_each(module, warnings)
    return result, error


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    finish(module, lambda: look(module), NOTHING)


if __name__ == "__main__":
    main()
