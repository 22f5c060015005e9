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
    panes, processes
    and what the panes show.
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
      - V(content) is the text that the panes show, and of their history. It may hold secrets.
    type: list
    elements: str
    choices: [windows, panes, processes, content]
    default: []
  content_lines:
    description:
      - How many lines of each pane V(content) returns at most, counted from the end.
    type: int
    default: 100
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
"""

RETURN = r"""
exists:
  description: Whether there is a session, or, when O(name) is given, whether there are sessions with all these names.
  returned: always
  type: bool
sessions:
  description: The sessions, sorted by owner, socket and name. Clocks are seconds since 1970.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its name. Control characters and bytes that are no text are written as escapes, here and in all
        other texts.
      type: str
      returned: always
    id:
      description: Its id in its server, like V($3).
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
    created:
      description: When it was created.
      type: int
      returned: always
    activity:
      description: When a client last gave input, as tmux's C(session_activity) has it.
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
      description: Its user options (those with names like C(@keep)), by name.
      type: dict
      returned: always
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
      type: list
      elements: dict
      returned: when O(include) has an element
servers:
  description:
    - The servers that were looked at, in the shape of RV(fleet.tmux.tmux_session_prune#module:servers). No server is
      an empty list.
  returned: always
  type: list
  elements: dict
scope:
  description: Whose servers were looked at, V(host), V(own) or V(socket), as in
    RV(fleet.tmux.tmux_session_prune#module:scope).
  returned: always
  type: str
"""

import time
from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleet.tmux.plugins.module_utils._census import look_at_all
from ansible_collections.fleet.tmux.plugins.module_utils._common import (
    CONNECTION_OPTIONS,
    SCOPE_EXCLUSIVE,
    SCOPE_OPTIONS,
    OptionError,
    judge_servers,
    run_main,
    set_up,
    the_servers,
    warn_each,
)
from ansible_collections.fleet.tmux.plugins.module_utils._info import INCLUDES, Wish, describe

CONTENT_LINES_LIMIT = 1000000

OPTIONS = dict(
    CONNECTION_OPTIONS,
    name={"type": "list", "elements": "str"},
    include={"type": "list", "elements": "str", "choices": list(INCLUDES), "default": []},
    content_lines={"type": "int", "default": 100},
    **SCOPE_OPTIONS,
)


def look(module: AnsibleModule, result: Dict[str, Any]) -> None:
    """Look at the servers that the options choose."""
    params = module.params
    if not 1 <= params["content_lines"] <= CONTENT_LINES_LIMIT:
        raise OptionError("content_lines: %d is not between 1 and %d" % (params["content_lines"], CONTENT_LINES_LIMIT))
    host = set_up(module)
    servers, result["scope"] = the_servers(module, host)
    recover = params["recover_sockets"] and not module.check_mode
    seen = look_at_all(host, servers, recover)
    wish = Wish(params["name"], tuple(params["include"]), params["content_lines"])
    result["sessions"], trouble = describe(seen, wish, int(time.time()))
    result["servers"] = [one.server.as_dict() for one in seen]
    found = {session.name for one in seen for session in one.listing.sessions}
    result["exists"] = bool(found) if wish.names is None else bool(wish.names) and found.issuperset(wish.names)
    warn_each(module, trouble)
    judge_servers(module, seen, result)


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=OPTIONS,
        mutually_exclusive=[("socket_name", "socket_path"), *SCOPE_EXCLUSIVE],
        supports_check_mode=True,
    )
    result = {"changed": False, "exists": False, "sessions": [], "servers": [], "scope": "socket"}
    run_main(module, lambda it: look(module, it), result)


if __name__ == "__main__":
    main()
