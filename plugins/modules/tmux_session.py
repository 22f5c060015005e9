#!/usr/bin/python
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manage tmux sessions."""

DOCUMENTATION = r"""
module: tmux_session
short_description: Manage tmux sessions
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Makes sure that named tmux sessions exist, do not exist, or are the only ones of their server.
  - Names are always compared in full, never by prefix or pattern.
  - A server that the module has to start gets a clean environment (C(HOME), C(USER), C(LOGNAME), C(SHELL), C(PATH)
    and a UTF-8
    locale of its owner), V(/) as its directory, and none of the caller's open files. It outlives the connection, as
    far as
    the host lets processes do that after a logout (see C(KillUserProcesses) of systemd's logind and C(loginctl
    enable-linger)).
options:
  name:
    description:
      - The names of the sessions.
      - For O(state=present), any text that every supported tmux stores unchanged. Names with V(:), V(.), V($) or
        backslashes, with control
        characters or without any character are refused, for some version of tmux would rewrite them.
      - For the other states, whatever name a session has.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(present) creates what is missing as detached sessions. Sessions that exist are left as they are.
      - V(absent) removes exactly the named sessions, attached or not.
      - V(only) keeps the named sessions and removes all others of that server, attached or not. If one of the names
        does not exist, the
        module fails and removes nothing.
    type: str
    choices: [present, absent, only]
    default: present
  command:
    description:
      - What new sessions run, as a command for the user's shell. By default they run that shell.
      - A command that ends within the first moments makes the module fail and say how it ended.
    type: str
  argv:
    description:
      - What new sessions run, as a list of words that no shell looks at.
    type: list
    elements: str
  chdir:
    description:
      - The directory in which new sessions start, absolute or beginning with V(~/). It must exist. The default is the
        owner's home.
    type: str
  env:
    description:
      - Environment variables for new sessions.
      - Their values are in no process's arguments and not in the server's global environment.
    type: dict
  width:
    description:
      - Columns of new sessions while nobody is attached.
    type: int
  height:
    description:
      - Rows of new sessions while nobody is attached.
    type: int
  window_name:
    description:
      - The name of the window in new sessions. By default tmux names it after what runs in it.
    type: str
  recreate:
    description:
      - Whether sessions that exist are removed and created anew. Such a task always changes something.
    type: bool
    default: false
  snapshot:
    description:
      - Recreate the session as it was saved by O(fleet.tmux.tmux_session_prune#module:snapshot_dir), with its
        windows, panes, layout
        and working directories. Each pane shows the text that was saved, and then a shell of the user.
      - The path of a snapshot, as in RV(fleet.tmux.tmux_session_prune#module:removed[].snapshot). It is read with the
        rights of the
        session's owner. A session that exists is left as it is.
      - It takes the place of O(command), O(argv), O(chdir), O(env), O(width), O(height) and O(window_name).
    type: path
  restore_commands:
    description:
      - Whether panes of a O(snapshot) run the commands again that they were started with, rather than a shell.
    type: bool
    default: false
  survivors:
    description:
      - What happens to processes that outlive a removed session, as in M(fleet.tmux.tmux_session_prune).
    type: str
    choices: [report, terminate]
    default: report
  grace_period:
    description:
      - Seconds between SIGTERM and SIGKILL.
    type: float
    default: 10.0
extends_documentation_fragment:
  - fleet.tmux.attributes
  - fleet.tmux.attributes.actiongroup
  - fleet.tmux.connection
seealso:
  - module: fleet.tmux.tmux_session_info
  - module: fleet.tmux.tmux_session_prune
"""

EXAMPLES = r"""
- name: A session to work in
  fleet.tmux.tmux_session:
    name: work

- name: A long job that somebody can attach to
  fleet.tmux.tmux_session:
    name: build
    command: make -j4 all 2>&1 | tee build.log; exec "$SHELL"
    chdir: ~/
    env:
      CCACHE_DIR: /var/tmp/ccache

- name: A program with arguments that no shell looks at
  fleet.tmux.tmux_session:
    name: watcher
    argv: [tail, -F, /var/log/some file.log]
    window_name: log
    width: 200
    height: 50

- name: These two are not needed any more
  fleet.tmux.tmux_session:
    name: [build, watcher]
    state: absent

- name: Keep one session and remove all others
  fleet.tmux.tmux_session:
    name: work
    state: only
"""

RETURN = r"""
sessions:
  description: The names of all sessions of the server afterwards, sorted. In check mode, as they would be.
  returned: always
  type: list
  elements: str
  sample: [build, work]
created:
  description: The names of the sessions that were created, or in check mode would be, sorted.
  returned: always
  type: list
  elements: str
  sample: [build]
removed:
  description: The names of the sessions that were removed, or in check mode would be, sorted.
  returned: always
  type: list
  elements: str
  sample: []
survivors:
  description:
    - The processes of removed sessions that live on, with C(session), C(pid), C(command), C(rss) (bytes), C(ports)
      (TCP ports it
      listens on) and C(result) (V(reported), V(terminated), V(killed) or V(alive)). Empty in check mode.
  returned: always
  type: list
  elements: dict
  sample: []
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleet.tmux.plugins.module_utils._common import (
    CONNECTION_OPTIONS,
    OptionError,
    run_main,
    set_up,
    the_path,
)
from ansible_collections.fleet.tmux.plugins.module_utils._plan import Plan, plan
from ansible_collections.fleet.tmux.plugins.module_utils._session import Blueprint, Place, blueprint, verify
from ansible_collections.fleet.tmux.plugins.module_utils._survivors import Aftermath
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import shown, unsuitable

CREATION_OPTIONS: Dict[str, Dict[str, Any]] = {
    "command": {"type": "str"},
    "argv": {"type": "list", "elements": "str"},
    "chdir": {"type": "str"},
    "env": {"type": "dict", "no_log": True},
    "width": {"type": "int"},
    "height": {"type": "int"},
    "window_name": {"type": "str"},
    "snapshot": {"type": "path"},
}

OPTIONS = dict(
    CONNECTION_OPTIONS,
    name={"type": "list", "elements": "str", "required": True},
    state={"type": "str", "choices": ["present", "absent", "only"], "default": "present"},
    recreate={"type": "bool", "default": False},
    restore_commands={"type": "bool", "default": False},
    survivors={"type": "str", "choices": ["report", "terminate"], "default": "report"},
    grace_period={"type": "float", "default": 10.0},
    **CREATION_OPTIONS,
)


def require_sense(params: Dict[str, Any]) -> None:
    """Refuse options that do not go together, before anything is touched."""
    state = params["state"]
    if not params["name"]:
        raise OptionError("name: the list is empty; with state=%s it needs at least one session" % state)
    if state != "present":
        extra = [option for option in sorted(CREATION_OPTIONS) if params[option] is not None]
        extra += ["recreate"] if params["recreate"] else []
        if extra:
            raise OptionError("%s: only for state=present, not for state=%s" % (", ".join(extra), state))
        return
    require_restorable(params)
    for name in params["name"]:
        reason = unsuitable(name)
        if reason:
            raise OptionError("name: %r cannot be used for a new session: %s" % (shown(name), reason))


def require_restorable(params: Dict[str, Any]) -> None:
    """Refuse a snapshot together with what it holds itself."""
    if params["snapshot"] is None:
        if params["restore_commands"]:
            raise OptionError("restore_commands: it is about a snapshot; it needs snapshot")
        return
    others = [option for option in sorted(CREATION_OPTIONS) if params[option] is not None and option != "snapshot"]
    if others:
        raise OptionError("%s: the snapshot says that already; leave it out" % ", ".join(others))
    if len(params["name"]) != 1:
        raise OptionError("name: a snapshot is of one session, so with snapshot it takes exactly one name")
    if not params["snapshot"].startswith("/"):
        raise OptionError("snapshot: %r is not absolute" % params["snapshot"])


def bring_about(module: AnsibleModule, result: Dict[str, Any]) -> None:
    """Look, plan, act, look again."""
    params = module.params
    require_sense(params)
    wanted = blueprint(params)
    host = set_up(module)
    place = Place(host, the_path(module, host))
    place.require_usable()
    listing = place.seen.listing
    made = plan(params["state"], params["name"], params["recreate"], listing.sessions, listing.unread)
    result["sessions"] = list(made.before)
    if module._diff:
        sides = {"before": made.before, "after": made.after}
        result["diff"] = {side: {"sessions": [shown(name) for name in names]} for side, names in sides.items()}
    if made.create:
        place.require_restorable(wanted)
        place.require_birthplace()
    if module.check_mode:
        result.update(
            changed=made.changes,
            sessions=list(made.after),
            created=list(made.create),
            removed=[session.name for session in made.remove],
        )
    elif made.changes:
        act(place, made, wanted, Aftermath(params["survivors"] == "terminate", params["grace_period"]), result)
    for key in ("sessions", "created", "removed"):
        result[key] = [shown(name) for name in result[key]]


def act(place: Place, made: Plan, wanted: Blueprint, aftermath: Aftermath, result: Dict[str, Any]) -> None:
    """Carry the plan out; whatever goes wrong, the result says what there is now."""
    try:
        place.remove(made, aftermath, result)
        if made.create:
            place.create(made.create, wanted, result)
    except Exception:
        result["sessions"] = place.names()
        raise
    verify(made, place.after(), result)


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=OPTIONS,
        mutually_exclusive=[("socket_name", "socket_path"), ("command", "argv")],
        supports_check_mode=True,
    )
    result = {"changed": False, "sessions": [], "created": [], "removed": [], "survivors": []}
    run_main(module, lambda it: bring_about(module, it), result)


if __name__ == "__main__":
    main()
