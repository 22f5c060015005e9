# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What protects a session whatever else holds: each protection is one entry of one table. Pure."""

from typing import Callable, NamedTuple, Optional, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.module_utils._policy.attached import told
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import Subject
from ansible_collections.fleet.tmux.plugins.module_utils._policy.keep import counted_from, keeps
from ansible_collections.fleet.tmux.plugins.module_utils._policy.patterns import Matcher


class Protected(NamedTuple):
    """Why a session is kept: a word of the table of reasons, and a sentence."""

    reason: str
    detail: str


class Protection(NamedTuple):
    """``word`` names it in options and results; ``sentence`` goes on after "it was kept because".

    ``watches``: whether it needs the processes of a session watched for a while, which only those that would be removed
    are. ``judge`` is given the session and the time, and says why it is kept, or nothing.
    """

    word: str
    sentence: str
    judge: Callable[[Subject, int], Optional[Protected]]
    watches: bool = False


def _attached(subject: Subject, now: int) -> Optional[Protected]:
    counting = [each for each in subject.clients if each.counts]
    unseen = max(0, subject.session.attached - len(subject.clients))
    number = len(counting) + unseen
    return Protected("attached", told(counting, now, number)) if number > 0 else None


def _keep(subject: Subject, now: int) -> Optional[Protected]:
    kept, said = keeps(subject.session.keep, now, counted_from(subject.session, now))
    return Protected("keep", said) if kept else None


def _running(subject: Subject, now: int) -> Optional[Protected]:
    if _unseen(subject):
        return _UNSEEN
    return Protected("running", f"it runs {shown(subject.runs[0])}") if subject.runs else None


def _busy(subject: Subject, now: int) -> Optional[Protected]:
    work = subject.watched
    if work is None or not (work.cpu_ticks or work.calls):
        return None
    used = f"{work.cpu_ticks} CPU ticks and made {work.calls} reads, writes or forks"
    return Protected("busy", f"in {work.seconds:g} s its processes used {used}")


def runs_one_of(subject: Subject, matches: Matcher) -> Optional[Protected]:
    """Whether a process of a session that lives has a name by which it is to be kept."""
    names = [process.command for process in subject.processes if process.alive and matches(process.command)]
    if names:
        return Protected("command", f"it runs {shown(names[0])}, which protect_commands keeps")
    return _UNSEEN if _unseen(subject) else None


_UNSEEN = Protected("unknown", "its processes could not be seen")


def _unseen(subject: Subject) -> bool:
    return bool(set(subject.session.pids) - {process.pid for process in subject.processes})


def _shows(word: str) -> Callable[[Subject, int], Optional[Protected]]:
    """A protection that is a sign of the same name."""

    def judge(subject: Subject, now: int) -> Optional[Protected]:
        sign = next((sign for sign in subject.signs if sign.kind == word), None)
        return Protected(word, sign.said(subject.origin.discreet, now)) if sign is not None else None

    return judge


PROTECTIONS: Tuple[Protection, ...] = (
    Protection("attached", "somebody is attached to it", _attached),
    Protection("keep", "its user said so with @keep", _keep),
    Protection("running", "it runs more than its own shell", _running),
    Protection("busy", "its processes did something while they were watched", _busy, watches=True),
    Protection("unsaved", "an editor in it holds text that is not saved, or may hold some", _shows("unsaved")),
    Protection("waiting", "it waits for something, or for work that is done elsewhere", _shows("waiting")),
    Protection("stopped", "a job in it is stopped", _shows("stopped")),
)
