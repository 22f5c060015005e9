#!/usr/bin/python
# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Type into a pane of a tmux session."""

DOCUMENTATION = r"""
module: tmux_send_keys
short_description: Type into a pane of a tmux session
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - Types a text and keys into one pane of a session, as somebody would who sits there. It is for programs that ask and
    cannot be told otherwise.
  - B(This is the last resort.) Nobody knows what becomes of what is typed. It comes too early while a program starts,
    which then loses it, or too late. Which program reads it depends on what runs there at that moment, and how it
    understands it on its settings. There is no exit status, and nothing that says whether it worked.
  - So start a program as the command of its session, with M(fleet.tmux.tmux_session), not by typing it into a shell.
    End one by removing its session with O(fleet.tmux.tmux_session#module:state=absent), not by typing C(exit). Wait for
    it with M(fleet.tmux.tmux_session_wait). Give it answers with options, files or a pipe where it takes them.
  - Where nothing else works, say with O(wait_for) what the program shows when it asks.
  - Without O(window) and O(pane) it is the pane that is active at that moment, which whoever is attached may change.
  - Nothing is sent to a pane whose command has ended, whose input is disabled (C(select-pane -d)), that is in copy mode
    or another mode of tmux (which would take the keys itself), or whose keys go to other panes as well
    (C(synchronize-panes)), nor to one in which something else runs since it was looked at. The task fails then, and
    says which. tmux itself looks at that in the moment in which it sends.
  - All that is sent is sent at once, or nothing of it. It always counts as a change. In check mode nothing is waited
    for and nothing is sent; a session that is not there is no failure then, for an earlier task may have promised to
    make it.
attributes:
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - What is typed is typed again.
options:
  name:
    description:
      - The name of the session. It is compared in full, never by prefix or pattern.
    type: str
    required: true
  window:
    description:
      - The window, by its name, its number or its id (like V(@3)). It must be exactly one.
      - The default is the session's current window.
    type: str
  pane:
    description:
      - The pane, by its number in the window or its id (like V(%5)). An id is looked for in all windows of the session.
      - The default is the window's active pane.
    type: str
  text:
    description:
      - A text that is typed literally, byte by byte, before O(secret_text), O(keys) and O(enter). Names of keys,
        C(#{}), semicolons and the like mean nothing in it. A newline is what the Enter key sends.
      - A terminal takes at most 4095 bytes of a line, and drops the rest, while the program in it reads whole lines.
    type: str
  secret_text:
    description:
      - A text that is typed literally after O(text) and told nowhere. It is in no process's arguments, result, message
        or log, and not in what tmux remembers of commands (C(tmux show-messages)). The server has it in a paste buffer
        for a moment.
      - The program decides whether it shows what is typed. What it shows can be read in the pane.
      - Of what a task returns, one of 6 characters or more is replaced by asterisks wherever else it is found.
    type: str
  keys:
    description:
      - Keys by the names that tmux has for them, like V(Enter), V(Escape), V(C-c), V(Up), V(F5), V(Space) or V(y),
        typed after the texts, in this order. See C(man tmux), KEY BINDINGS.
      - A name that the tmux of the server does not know is refused, and nothing is sent then. (C(tmux send-keys) would
        type it letter by letter.) So are those of the mouse.
    type: list
    elements: str
  enter:
    description: Whether the Enter key comes last.
    type: bool
    default: false
  wait_for:
    description:
      - A regular expression of Python. Nothing is sent before the pane shows it somewhere, in its last 2000 lines. V(^)
        and V($) are the ends of a line, and lines that tmux has wrapped are one. What was there before counts as well.
      - Blanks at the ends of lines are not seen. Only the last line, like the prompt of a program that asks, may have
        one there for the pattern, as in V(Continue[?] $).
      - If the pane does not show it within O(wait_timeout), or its command ends without it, the task fails and nothing
        is sent.
      - Another user's panes are not looked at, unless O(evidence_detail=full).
    type: str
  wait_for_after:
    description:
      - A regular expression like O(wait_for), for which is waited after all was sent, O(wait_timeout) anew. If it does
        not come, the task fails and says that it was sent.
      - What the pane has shown before does not count, as long as new text comes below it. When a program draws its
        screen anew, all that it shows counts. What is typed counts too, if the program shows it.
    type: str
  wait_timeout:
    description:
      - How long to wait each time. A duration with units, like V(90s) or V(1d12h); O(timeout) is about a single call of
        tmux.
      - V(0s) looks once.
    type: str
    default: 1m
extends_documentation_fragment:
  - fleet.tmux.attributes
  - fleet.tmux.attributes.actiongroup
  - fleet.tmux.connection
seealso:
  - module: fleet.tmux.tmux_session
  - module: fleet.tmux.tmux_session_wait
"""

EXAMPLES = r"""
- name: Start a program that asks
  fleet.tmux.tmux_session:
    name: asks
    command: printf 'Name? '; read -r name; printf 'Password? '; read -r word; echo welcome $name; sleep 60

- name: Answer it
  fleet.tmux.tmux_send_keys:
    name: asks
    wait_for: "^Name\\?"
    text: alice
    enter: true
    wait_for_after: "^Password\\?"
    wait_timeout: 5m

- name: Give it the password, which nobody else is told
  fleet.tmux.tmux_send_keys:
    name: asks
    secret_text: "{{ the_password | default('not to be told') }}"
    enter: true
    wait_for_after: ^welcome alice$
    wait_timeout: 5m

- name: Interrupt it
  fleet.tmux.tmux_send_keys:
    name: asks
    keys: [C-c]

- name: Better remove its session
  fleet.tmux.tmux_session:
    name: asks
    state: absent
"""

RETURN = r"""
session:
  description: The session. C(id) and C(identity) are null if it was not there. Null if it is not known.
  returned: always
  type: dict
  sample: {name: asks, id: $4, identity: 4711/1798761600/$4/1798848000, owner: alice, socket: /tmp/tmux-1000/default}
pane:
  description: The id of the pane that was chosen. Null where none could be, and in check mode of a session that is not
    there.
  returned: always
  type: str
  sample: "%5"
sent:
  description: What was sent, in check mode what would be, in this order. Empty if nothing was.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: V(text), V(secret_text) or V(key).
      type: str
      returned: always
    value:
      description: The text, of a longer one the first 500 characters, or the name of the key. Null for what is secret.
      type: str
      returned: always
  sample: [{kind: text, value: alice}, {kind: key, value: Enter}]
timed_out:
  description: Whether O(wait_timeout) was over before that what was waited for had come.
  returned: always
  type: bool
"""

from typing import Any, Dict, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import FULL
from ansible_collections.fleet.tmux.plugins.module_utils._modules.options import server_options, set_up, the_path
from ansible_collections.fleet.tmux.plugins.module_utils._modules.results import apart, finish
from ansible_collections.fleet.tmux.plugins.module_utils._modules.secret import Module
from ansible_collections.fleet.tmux.plugins.module_utils._modules.send_keys import NOTHING, send_keys, wanted_of
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import SEND, checked
from ansible_collections.fleet.tmux.plugins.module_utils._specs.tmux_send_keys import ARGUMENT_SPEC

_CALLS = 60
"""More calls of tmux than are made before, between and after the times in which it waits."""
_OWN_SECONDS = 60.0
"""What we do ourselves, however busy the host is."""

NO_LOG = {"keys": False, "secret_text": True}
"""What documentation cannot say of an option: from here it comes into the argument spec, which is written from both."""


def send(module: Module) -> Tuple[Dict[str, Any], Optional[Exception]]:
    """Look, wait, send, wait: the result, and what went wrong."""
    values = checked(module.params, SEND)
    options, wanted = server_options(values), wanted_of(values)
    host = set_up(module, options)

    def work() -> Tuple[Dict[str, Any], Optional[Exception]]:
        return send_keys(look_at(host, the_path(options, host)), wanted, module.check_mode)

    longest = 2 * wanted.seconds + _CALLS * host.timeout + _OWN_SECONDS
    return apart(work, NOTHING, longest, options.evidence_detail == FULL)


def main() -> None:
    """Entry point."""
    module = Module(ARGUMENT_SPEC)
    finish(module, lambda: send(module), NOTHING)


if __name__ == "__main__":
    main()
