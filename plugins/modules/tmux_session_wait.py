#!/usr/bin/python
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait for tmux sessions."""

DOCUMENTATION = r"""
module: tmux_session_wait
short_description: Wait for tmux sessions
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Waits until the commands of sessions have ended, until sessions are gone, or until one of their panes shows
    something. Returns how the commands ended and what they printed last.
  - tmux only knows how a command ended while its pane is still there. So make the session with
    O(fleet.tmux.tmux_session#module:keep_exited), and remove it with M(fleet.tmux.tmux_session) afterwards.
  - While it waits, the kernel tells when the program of a pane has ended. tmux is asked then, and besides at least once
    a minute; with O(wait_for) also at most every 5 seconds, while panes of the server print something. Where the kernel
    tells nobody whether they do, like of a C(tmux) with the setgid bit, it is every 5 seconds.
  - An exit status other than 0 does not make the task fail; use C(failed_when).
  - A session is never started, changed or removed. So a task that was cut off, like by an ssh connection that broke,
    can be run again, and waits for the same job. For long jobs there is C(async), see the examples.
  - When the commands of a session have ended, or it is gone, the files that go with it are removed, see
    O(fleet.tmux.tmux_session#module:cleanup). That is the only change, and done with the rights of the user whose
    server it is. With O(until=gone) the session has to be gone, and with O(require=any) it is done for those that have
    ended. Nothing is removed when the time is over, or when the task fails because a session is not there.
  - In check mode nothing is waited for, and it is told what would be removed of the sessions that have ended by now.
options:
  name:
    description:
      - The names of the sessions. They are compared in full, never by prefix or pattern.
      - A session that is not there at the beginning makes the task fail, unless with O(until=gone), where it is done,
        or with O(require=any), if there is another one. In check mode it never does, for an earlier task may have
        promised to make it.
      - One that takes the name of another meanwhile is not waited for.
    type: list
    elements: str
    required: true
  until:
    description:
      - V(ended) waits until the commands of all panes of a session have ended, or the session is gone.
      - V(gone) waits until the session is not there any more.
    type: str
    choices: [ended, gone]
    default: ended
  wait_for:
    description:
      - A regular expression of Python. Waits until one of the panes of a session shows it somewhere, in its last 2000
        lines, or as many more as O(content_lines) says. V(^) and V($) are the ends of a line, and lines that tmux has
        wrapped are one. What was there before counts as well.
      - Blanks at the ends of lines are not seen. Only the last line, like the prompt of a program that asks, may have
        one there for the pattern, as in V(Continue[?] $).
      - A session that ends without it makes the task fail, at once with O(require=all).
      - Another user's panes are not looked at, unless O(evidence_detail=full).
    type: str
  require:
    description: Whether V(all) of the sessions are waited for, or V(any) one of them.
    type: str
    choices: [all, any]
    default: all
  wait_timeout:
    description:
      - How long to wait. A duration with units, like V(90s) or V(1d12h); O(timeout) is about a single call of tmux.
      - V(0s) looks once.
    type: str
    default: 1h
  fail_on_timeout:
    description: Whether the task fails when it has waited that long. Else RV(timed_out) says so.
    type: bool
    default: true
  content_lines:
    description: How many lines RV(sessions[].content) has at most, counted from the end; of more than a million
        characters the last million.
    type: int
    default: 100
extends_documentation_fragment:
  - fleet.tmux.attributes
  - fleet.tmux.attributes.actiongroup
  - fleet.tmux.connection
seealso:
  - module: fleet.tmux.tmux_session
  - module: fleet.tmux.tmux_session_info
"""

EXAMPLES = r"""
- name: Start a job that somebody can attach to, and go on
  fleet.tmux.tmux_session:
    name: job
    command: echo ready; echo half >~/.job.progress; sleep 1; echo all is done
    keep_exited: true
    cleanup:
      files: [~/.job.progress]

- name: Wait until it says that it is ready
  fleet.tmux.tmux_session_wait:
    name: job
    wait_for: ^ready$
    wait_timeout: 5m

- name: Wait until it has ended, which removes what goes with it, over an hour if need be, and fail if it did
  fleet.tmux.tmux_session_wait:
    name: job
    wait_timeout: 2h
  async: 7300
  poll: 2
  register: job
  failed_when: job.failed or job.sessions[0].exit_status != 0

- name: Show what it has printed at last
  ansible.builtin.debug:
    msg: "{{ job.sessions[0].content }}"

- name: Remove it
  fleet.tmux.tmux_session:
    name: job
    state: absent

- name: Look whether one of two has ended, without waiting
  fleet.tmux.tmux_session_wait:
    name: [agent-1, agent-2]
    require: any
    wait_timeout: 0s
    fail_on_timeout: false
"""

RETURN = r"""
sessions:
  description:
    - The sessions that were named, in that order, each once, as they were when the waiting was over. In check mode, as
      they are.
    - At most 4 MiB are returned. Where there is more, C(content) is left out of some, and what is beyond even then is
      counted in RV(unlisted).
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
    id:
      description: Its id in its server. Null if it was not there.
      type: str
      returned: always
    identity:
      description: What tells it apart from every other session of its host. Null if it was not there.
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
    done:
      description: Whether it has come to what was waited for, or cannot any more.
      type: bool
      returned: always
    ended:
      description: Whether the commands of all its panes have ended; also true when it is gone, unless one of them
        lives on in another session, to which somebody has moved its pane; C(reason) says so then. Null if it was not
        there at the beginning.
      type: bool
      returned: always
    gone:
      description: Whether it is not there.
      type: bool
      returned: always
    matched:
      description: Whether a pane has shown what O(wait_for) says. Null without that, and where nobody can know, because
        it is gone with all that it showed.
      type: bool
      returned: always
    exit_status:
      description:
        - The exit status of its command; of several panes that of the first that is known not to have ended with 0.
        - A program that has closed its terminal and goes on has not ended, though tmux before 3.7 calls its pane dead.
        - Null while it runs, when it was ended by a signal, and where tmux does not know it; C(reason) says why then.
      type: int
      returned: always
    signal:
      description: The signal that has ended that command. tmux before 3.3 does not know it. Null if none has. It may be
        a hangup where a program closes its terminal itself just before it ends, for tmux closes it then, too.
      type: str
      returned: always
    seconds:
      description: How long it was from the creation of the session until its last command had ended. Null while one
        runs, and where nobody knows, because it ended before and tmux before 3.3 does not tell when.
      type: int
      returned: always
    pane:
      description: The id of the pane that C(exit_status), C(signal) and C(content) are about. It is the one that has
        shown what was waited for, the first that did not end with 0, or the first.
      type: str
      returned: always
    content:
      description:
        - What that pane shows at its end, as far as O(content_lines) says. Null when it is gone, and of another user's
          session unless O(evidence_detail=full).
        - The last that a command prints can be missing when it ends right after it, see
          O(fleet.tmux.tmux_session#module:log).
      type: str
      returned: always
    log:
      description:
        - The file to which the output of that pane is appended, see O(fleet.tmux.tmux_session#module:log) and
          O(fleet.tmux.tmux_session#module:windows[].panes[].log). Null without one, when it is not seen to be written
          there, when the session is gone, and of another user's session unless O(evidence_detail=full).
        - Whoever can use the session can have any path told here, and its owner can exchange the file for a link. So
          read it with the rights of its owner, and never as root.
      type: str
      returned: always
    reason:
      description: Why something of this is not known. Empty else.
      type: str
      returned: always
    removed_files:
      description: The files that were removed because of O(fleet.tmux.tmux_session#module:cleanup), or in check mode
        would be, at most 100. Of another user's session only with O(evidence_detail=full).
      type: list
      elements: str
      returned: always
    left_files:
      description: The C(path) of each of them that could not be removed, and the C(reason), told like those.
      type: list
      elements: dict
      returned: always
    more:
      description: How many C(removed_files) and C(left_files) there are besides those that are listed.
      type: dict
      returned: always
      sample: {removed_files: 0, left_files: 0}
  sample:
    - name: job
      id: $4
      identity: 4711/1798761600/$4/1798848000
      owner: alice
      socket: /tmp/tmux-1000/default
      done: true
      ended: true
      gone: false
      matched: null
      exit_status: 0
      signal: null
      seconds: 95
      pane: "%5"
      content: "ready\nall is done"
      log: /home/alice/job.log
      reason: ""
      removed_files: [/home/alice/.job.progress]
      left_files: []
      more: {removed_files: 0, left_files: 0}
timed_out:
  description: Whether O(wait_timeout) was over before that what was waited for had come.
  returned: always
  type: bool
elapsed:
  description: Seconds that were waited.
  returned: always
  type: int
unlisted:
  description: How many sessions are not in RV(sessions), because there is too much to tell.
  returned: always
  type: list
  elements: dict
  sample: [{owner: alice, sessions: 12}]
"""

from typing import Any, Dict, Optional, Tuple

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import FULL
from ansible_collections.fleet.tmux.plugins.module_utils._modules.options import server_options, set_up, the_path
from ansible_collections.fleet.tmux.plugins.module_utils._modules.results import apart, finish, warn_each
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session_wait import (
    NOTHING,
    diff,
    wait_for,
    wish_of,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import WAIT, checked
from ansible_collections.fleet.tmux.plugins.module_utils._specs.tmux_session_wait import ARGUMENT_SPEC

_CALLS = 20
"""More calls of tmux than are made before and after the time in which it waits."""
_OWN_SECONDS = 60.0
"""What we do ourselves, however busy the host is."""


def await_sessions(module: AnsibleModule) -> Tuple[Dict[str, Any], Optional[Exception]]:
    """Look, wait, look again: the result, and what went wrong."""
    values = checked(module.params, WAIT)
    options, wish = server_options(values), wish_of(values)
    host = set_up(module, options)
    seconds: int = values["wait_timeout"]

    def work() -> Tuple[Dict[str, Any], Optional[Exception]]:
        seen = look_at(host, the_path(options, host))
        told, error = wait_for(seen, wish, seconds, values["fail_on_timeout"], module.check_mode)
        return dict(told, **({"diff": diff(told)} if module._diff else {})), error

    longest = seconds + _CALLS * host.timeout * (1 + len(wish.names)) + _OWN_SECONDS
    told, error = apart(work, NOTHING, longest, options.evidence_detail == FULL)
    warn_each(module, told.pop("trouble", ()))
    return told, error


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    finish(module, lambda: await_sessions(module), NOTHING)


if __name__ == "__main__":
    main()
