# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes the windows of a session that are not declared: looks once more, saves, removes, and finds what lives on."""

from typing import (
    Dict,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from ansible_collections.fleet.tmux.plugins.module_utils._actions.journal import Journal, Removal
from ansible_collections.fleet.tmux.plugins.module_utils._actions.reconcile import (
    Comparison,
    Declared,
    compare,
    pruning,
)
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove import CHANGED, Answer
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove_windows import remove_windows
from ansible_collections.fleet.tmux.plugins.module_utils._actions.saving import saved
from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import (
    Ending,
    RemovedSession,
    attend,
)
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import KEPT, NOT_DONE, REMOVED, Survivor
from ansible_collections.fleet.tmux.plugins.module_utils._policy.recreate import Extra, Shells, may_be_typed_in
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import Members
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    Listing,
    Session,
    read_or_nothing,
)


class Gone(NamedTuple):
    """A window that was removed, or would be. ``linked``: another session has it still, so nothing in it has ended."""

    extra: Extra
    survivors: Tuple[Survivor, ...] = ()
    snapshot: Optional[str] = None


class Pruned(NamedTuple):
    """What was removed, and why something was not; nothing if all was."""

    gone: Tuple[Gone, ...]
    problem: str = ""


class Pruner:
    """Removes windows of sessions of one server."""

    def __init__(
        self, seen: Seen, names: Sequence[str], ending: Ending, journal: Journal, archive: Optional[Archive] = None
    ) -> None:
        self._seen = seen
        self._names = names
        self._ending = ending
        self._journal = journal
        self._archive = archive

    def prune(self, wanted: Comparison, declared: Declared) -> Pruned:
        """Remove what was to go from one session, as far as it still may.

        :raises TmuxError: when the session cannot be looked at; nothing was removed then.
        """
        identity = wanted.session.id
        kept = saved(self._seen, [wanted.session], self._archive)
        if identity in kept.problems:
            why = f"windows that are not declared were left, for it could not be saved: {kept.problems[identity]}"
            return Pruned((), why)
        snapshot = kept.paths.get(identity)
        session, going, answers = self._last_look(wanted, declared)
        processes = self._processes(session, going)
        for extra in going:
            self._journal.before(self._entry(session, extra, "by its declared state", ""))
        removal = remove_windows(self._seen.client, self._seen.listing.version, session, going)
        answers.update(removal.answers)
        for extra in going:
            answer = answers[extra.window.id]
            what = {"done": REMOVED, "error": NOT_DONE}.get(answer.result, KEPT)
            entry = self._entry(session, extra, "by its declared state", answer.detail)
            self._journal.after(entry, what, (snapshot or "") if what == REMOVED else "")
        done = [extra for extra in going if answers[extra.window.id].result == "done"]
        if not done and snapshot is not None and self._archive is not None:
            self._archive.discard(snapshot)
        survivors = self._survivors(session, done, processes, removal.after)
        gone = tuple(Gone(extra, survivors.get(extra.window.id, ()), snapshot) for extra in done)
        return Pruned(gone, self._problem(wanted, answers))

    def _look(self) -> Seen:
        return self._seen._replace(listing=read_or_nothing(self._seen.client))

    def _last_look(self, wanted: Comparison, declared: Declared) -> Tuple[Session, List[Extra], Dict[str, Answer]]:
        """The session, which of the windows that were to go still may, and what became of the others."""
        now = self._look()
        sessions = [one for one in now.listing.sessions if one.id == wanted.session.id]
        answers = {extra.window.id: Answer("vanished") for extra in wanted.pruned}
        if not sessions:
            return wanted.session, [], answers
        (session,) = sessions
        if session.identity != wanted.session.identity:
            return session, [], dict.fromkeys(answers, Answer("changed", CHANGED))
        found = pruning(now, compare(now, [session], declared), self._names)[session.id]
        there = {window.id for window in session.windows}
        may = {extra.window.id: extra for extra in found.pruned}
        spared = {window.id: why.detail for window, why in found.spared}
        going = []
        for extra in wanted.pruned:
            if extra.window.id not in there:
                continue
            if extra.window.id in may and _state(may[extra.window.id]) == _state(extra):
                going.append(may[extra.window.id])
            else:
                answers[extra.window.id] = Answer("changed", spared.get(extra.window.id, CHANGED))
        return session, going, answers

    def _entry(self, session: Session, extra: Extra, why: str, detail: str) -> Removal:
        server, window = self._seen.server, extra.window
        return Removal(server.user.name, server.socket, session.name, session.id, why, detail, (window.name, window.id))

    def _processes(self, session: Session, going: Sequence[Extra]) -> Dict[str, Tuple[Process, ...]]:
        """What belongs to each window, and to nothing else that another session has too."""
        server, ending = self._seen.server, [extra for extra in going if not extra.linked]
        members = Members(Processes.of(server.user.uid)) if ending else None
        return {
            extra.window.id: members.of(_alone(session, extra), server.pid, server.user.uid) or ()
            for extra in ending
            if members is not None
        }

    def _survivors(
        self,
        session: Session,
        done: Sequence[Extra],
        processes: Dict[str, Tuple[Process, ...]],
        after: Optional[Listing],
    ) -> Dict[str, Tuple[Survivor, ...]]:
        server = self._seen.server
        whole = after is not None and after.whole and not after.unread
        ended = [extra for extra in done if extra.window.id in processes]
        removed = [
            RemovedSession(
                _alone(session, each),
                processes[each.window.id],
                server.pid,
                server.user.uid,
                # Nobody knows what was begun in a shell and has left it: it is not ended, only told of.
                certain=whole and not may_be_typed_in(each.window, each.shells),
            )
            for each in ended
        ]
        staying = [(server.pid, pid) for one in (after.sessions if after is not None else ()) for pid in one.pids]
        return dict(zip([extra.window.id for extra in ended], attend(removed, staying, self._ending)))

    def _problem(self, wanted: Comparison, answers: Dict[str, Answer]) -> str:
        left = [extra.window for extra in wanted.pruned if answers[extra.window.id].result in ("changed", "error")]
        said = ["%s: %s" % (self._called(window.id, window.name), answers[window.id].detail) for window in left]
        return "not removed: %s" % "; ".join(said) if said else ""

    def _called(self, identity: str, name: str) -> str:
        return f"window {identity}" if self._seen.discreet else f"window {name!r}"


def _state(extra: Extra) -> Tuple[Shells, List[Tuple[str, Optional[int], bool]]]:
    """What of a window shows that something has happened to it, also by a command that has ended by now."""
    return extra.shells, [(pane.id, pane.pid, pane.dead) for pane in extra.window.panes]


def _alone(session: Session, extra: Extra) -> Session:
    """A session as if it had nothing but that window."""
    return session._replace(windows=(extra.window,))
