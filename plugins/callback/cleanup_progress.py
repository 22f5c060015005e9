# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a cleanup is, and what it came to when all is said."""

DOCUMENTATION = r"""
name: cleanup_progress
type: notification
short_description: Show how far a cleanup is, and its report at the very end
version_added: 0.1.0
author:
  - Fleet maintainers (@fleet-tmux)
description:
  - While M(fleet.tmux.tmux_session_prune) runs on the hosts of a play, the last line of the terminal says on how many
    of them it is done. Nothing of that is written where the output is no terminal, so it is in no log.
  - What M(fleet.tmux.cleanup_show) is told to show, like the report of the playbook C(fleet.tmux.cleanup), is shown at
    the very end, after the recap, instead of when that task runs.
  - Whoever was asked by C(make cleanup) and did not agree is shown nothing of what follows.
requirements:
  - It is enabled in the configuration of Ansible (C(callbacks_enabled)), or with the environment variable
    E(ANSIBLE_CALLBACKS_ENABLED). C(make cleanup) and C(make report) of this collection do so.
seealso:
  - module: fleet.tmux.cleanup_show
"""

EXAMPLES = r"""
enable: >
  # In ansible.cfg
  [defaults]
  callbacks_enabled = fleet.tmux.cleanup_progress
"""

import os
import sys
from typing import Any, List, Mapping, Optional

from ansible.plugins.callback import CallbackBase
from ansible_collections.fleet.tmux.plugins.plugin_utils._account import Account
from ansible_collections.fleet.tmux.plugins.plugin_utils._fleet import refused
from ansible_collections.fleet.tmux.plugins.plugin_utils._progress import Progress, giving_way
from ansible_collections.fleet.tmux.plugins.plugin_utils._screen import AtTheEnd, columns, for_people, print_out

_PRUNE = "fleet.tmux.tmux_session_prune"
_SHOW = "fleet.tmux.cleanup_show"
_AGREE = "fleet.tmux.cleanup_agree"


class CallbackModule(CallbackBase):
    """What Ansible tells of its events."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "fleet.tmux.cleanup_progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, display: Any = None) -> None:
        super().__init__(display)
        self._texts: List[str] = []
        self._play: Any = None
        self._account = Account()
        self._refused = False
        self._progress = Progress(sys.stdout, columns(), os.environ.get("TERM", ""))

    def v2_playbook_on_start(self, playbook: Any) -> None:
        AtTheEnd.wanted = True
        self._account.expect(None)
        # A method of an object that others share: mypy lets nobody assign to it.
        shown = giving_way(self._progress, self._display.display, lambda: self._refused)
        setattr(self._display, "display", shown)  # noqa: B010

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._progress.clear()
        self._play = play
        self._progress.begin()

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._progress.clear()
        if _action(task) == _PRUNE and self._play is not None:
            hosts = _hosts(self._play)
            self._progress.expect(hosts)
            if not _only_plans(task):
                self._account.expect(hosts)

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        if _action(task) == _PRUNE and not _only_plans(task):
            self._account.begun(str(host))

    def v2_runner_on_ok(self, result: Any) -> None:
        self._done(result)
        told = _told(result)
        if _action(_task(result)) == _AGREE and refused(told):
            self._refused = True
        if _action(_task(result)) == _SHOW and not told.get("shown") and told.get("text"):
            self._texts.append(str(told["text"]))

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._done(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._done(result, well=False)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._done(result, well=False)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._progress.clear()
        self._refused = False
        if for_people():
            for text in self._texts:
                print_out(text)
        self._texts = []

    def _done(self, result: Any, well: bool = True) -> None:
        if _action(_task(result)) == _PRUNE:
            self._progress.done(str(_host(result)), well)
            if not _only_plans(_task(result)):
                self._account.done(str(_host(result)))


def _action(task: Any) -> str:
    return str(getattr(task, "resolved_action", None) or task.action)


def _only_plans(task: Any) -> bool:
    """Whether a task is always in check mode, so that nothing is done by it."""
    return getattr(task, "check_mode", None) is True


def _hosts(play: Any) -> Optional[int]:
    """How many hosts a play has; Ansible tells it to tasks, not to callbacks."""
    try:
        return len(play.get_variable_manager().get_vars(play=play, include_hostvars=False)["ansible_play_hosts_all"])
    except Exception:
        return None


# From 2.19 on, results have these without the underscore, and those with it will go.


def _task(result: Any) -> Any:
    return result.task if hasattr(result, "task") else result._task


def _host(result: Any) -> Any:
    return result.host if hasattr(result, "host") else result._host


def _told(result: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = result.result if hasattr(result, "result") else result._result
    return found
