# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the signs of those sessions that would go by tmux's clocks alone, and no more of them than it takes to keep."""

import sys
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Processes
from ansible_collections.fleet.tmux.plugins.module_utils._policy.attached import Ways
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decide import judged
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import Subject
from ansible_collections.fleet.tmux.plugins.module_utils._policy.rules import Policy, judge
from ansible_collections.fleet.tmux.plugins.module_utils._signs.readers import READERS
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import Cast, cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import Scene
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import STATES, Sign
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import TOO_MANY, Members
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.screens import Screens

_ONLY_LINUX = "what its processes do can only be read on Linux; to go by tmux's clocks alone, leave %s out of protect"
_NO_TCP_CLOCKS = (
    "the kernel does not tell when there was data on TCP connections (%s; its module for that is tcp_diag), so whatever"
    " has one is kept"
)
_OF_LINUX = ("busy", *STATES)


class Candidate(NamedTuple):
    """A session that would go by what is known of it so far, with the roles of its processes."""

    subject: Subject
    cast: Cast
    scene: Scene


class Known(NamedTuple):
    """Sessions with what is known of them, and what the whole host does not tell.

    ``left``: those that would go, unless their output or what they do now keeps them, by their place.
    """

    subjects: List[Subject]
    left: Dict[int, Candidate]
    remarks: List[str]


class Look:
    """One look at the processes of some owners."""

    def __init__(self, seen: Sequence[Seen], processes: Processes, policy: Policy) -> None:
        self._seen = seen
        self._policy = policy
        self.processes = processes
        self._scenes: Dict[int, Scene] = {}
        self._screens: Dict[int, Screens] = {}

    def candidate(self, subject: Subject) -> Candidate:
        """A session with the roles of its processes."""
        scene = self._scene(subject)
        found = cast(subject.session, subject.processes, scene, self._policy.ignores)
        roles = found._replace(screens=self._screens_of(subject.origin.place))
        return Candidate(subject._replace(runs=roles.runs), roles, scene)

    def _screens_of(self, place: int) -> Screens:
        return self._screens.setdefault(place, Screens(self._seen[place].client))

    @property
    def remarks(self) -> List[str]:
        """What this host does not tell of anybody, as far as it was asked."""
        reasons = {scene.sockets.without_clocks for scene in self._scenes.values()} - {""}
        return [_NO_TCP_CLOCKS % reason for reason in sorted(reasons)]

    def _scene(self, subject: Subject) -> Scene:
        uid = subject.origin.uid
        if uid not in self._scenes:
            self._scenes[uid] = Scene(self.processes, self._seen[subject.origin.place].server.user)
        return self._scenes[uid]


def with_signs(
    seen: Sequence[Seen],
    processes: Processes,
    subjects: Sequence[Subject],
    policy: Policy,
    now: int,
    elsewhere: Optional[Ways] = None,
) -> Known:
    """The same sessions; those that would go without them have the signs that the host shows of them."""
    look = Look(seen, processes, policy)
    found = list(subjects)
    left: Dict[int, Candidate] = {}
    silent = [subject._replace(noise=True) for subject in subjects]
    for number, decision in enumerate(judged(silent, policy, now, elsewhere)):
        if not decision.remove:
            continue
        candidate = read(look.candidate(decision.subject._replace(noise=False)), policy, now)
        found[number] = candidate.subject
        if judge(candidate.subject._replace(noise=True), policy, now).remove:
            left[number] = candidate
    return Known(found, left, look.remarks)


def looked_at_again(seen: Sequence[Seen], subjects: Sequence[Subject], policy: Policy, now: int) -> List[Subject]:
    """The same sessions as they are a while later, with the signs of that moment; nobody is watched again."""
    processes = Processes.of(*{subject.origin.uid for subject in subjects})
    look, members = Look(seen, processes, policy), Members(processes)
    found = []
    for subject in subjects:
        own = members.of(subject.session, seen[subject.origin.place].server.pid, subject.origin.uid)
        if own is None:
            found.append(subject._replace(signs=(Sign("unknown", TOO_MANY),)))
        else:
            found.append(read(look.candidate(subject._replace(processes=own, signs=())), policy, now).subject)
    return found


def read(candidate: Candidate, policy: Policy, now: int) -> Candidate:
    """Read signs, one kind after the other, until one keeps the session."""
    if not sys.platform.startswith("linux"):
        return _of_another_system(candidate, policy)
    subject = candidate.subject
    for reader in READERS:
        signs = tuple(reader(candidate.cast, candidate.scene))
        subject = subject._replace(signs=subject.signs + signs)
        if signs and not judge(subject._replace(noise=True), policy, now).remove:
            break
    return candidate._replace(subject=subject)


def whole(candidate: Candidate) -> Tuple[Sign, ...]:
    """All signs of a session, whatever follows from them."""
    if not sys.platform.startswith("linux"):
        return (Sign("unknown", "what its processes do can only be read on Linux"),)
    return tuple(sign for reader in READERS for sign in reader(candidate.cast, candidate.scene))


def _of_another_system(candidate: Candidate, policy: Policy) -> Candidate:
    asked = [word for word in _OF_LINUX if word in policy.protect]
    signs = (Sign("unknown", _ONLY_LINUX % ", ".join(asked)),) if asked else ()
    return candidate._replace(subject=candidate.subject._replace(signs=signs))
