# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings the named sessions of one server to their state: carries a plan out, and says what became of each session."""

from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.prune_windows import Gone
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import WITHHELD
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import NAME_CHARS, brief, shown
from ansible_collections.fleet.tmux.plugins.module_utils._modules.bounds import (
    DESCRIBED,
    DIFFERENCES,
    SURVIVORS,
    bounded,
    first,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.items import (
    WHO,
    Item,
    files_told,
    in_order,
    named,
    who,
    who_is,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.cleanups import NOTHING_DONE, CleanedUp
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import NOT_DONE, REMOVED, Survivor
from ansible_collections.fleet.tmux.plugins.module_utils._policy.declared import (
    SHELL,
    DeclaredWindow,
    Difference,
    declared_windows,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.plan import Plan
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session

CREATED = "created"
VANISHED = "vanished"
TAKEN = "taken"
UPDATED = "updated"


class StateError(ValueError):
    """A state that could not be reached; what was done until then is in the result."""


class SessionOptions(NamedTuple):
    """What all new sessions of one task have in common."""

    command: Optional[str]
    argv: Tuple[str, ...]
    chdir: Optional[str]
    env: Tuple[Tuple[str, str], ...]
    width: Optional[int]
    height: Optional[int]
    window_name: Optional[str]
    snapshot: Optional[str] = None
    snapshot_owner: Optional[str] = None
    restore_commands: bool = False
    keep_exited: Optional[bool] = None
    options: Tuple[Tuple[str, str], ...] = ()
    windows: Tuple[DeclaredWindow, ...] = ()
    log: Optional[str] = None
    log_max_size: Optional[int] = None
    job: str = ""
    prune_windows: bool = False
    cleanup: Optional[Mapping[str, Any]] = None


def session_options(values: Dict[str, Any]) -> SessionOptions:
    """What the module's options say of new sessions."""
    return SessionOptions(
        command=values["command"],
        argv=tuple(values["argv"] or ()),
        chdir=values["chdir"],
        env=tuple(sorted((values["env"] or {}).items())),
        width=values["width"],
        height=values["height"],
        window_name=values["window_name"],
        snapshot=values["snapshot"],
        snapshot_owner=values["snapshot_owner"],
        restore_commands=values["restore_commands"],
        keep_exited=values["keep_exited"],
        options=tuple(sorted((values["options"] or {}).items())),
        windows=declared_windows(values["windows"] or (), None, values["options"]),
        log=values["log"],
        log_max_size=values["log_max_size"],
        prune_windows=values["prune_windows"],
        cleanup=values["cleanup"],
    )


class Change(NamedTuple):
    """A session that is to be removed, created or updated, and what became of that: nothing was attempted at first.

    ``outcome`` is ``removed``, ``vanished`` (it ended by itself), ``created``, ``taken`` (somebody else has made one of
    that name), ``updated`` (one that is there was set otherwise) or ``not_done``. ``touched``: something was done, also
    when it did not last. ``commands``: what it runs again; None where nothing was saved. ``keep_exited``: what was set
    of that; None where nothing was. ``changes``: all that was set. ``windows``: those that were removed from it.
    ``snapshot``: where it was saved before it was removed. ``cleaned_up``: what became of the files that go with it.
    """

    name: str
    session: Optional[Session] = None
    id: Optional[str] = None
    outcome: str = NOT_DONE
    reason: str = "not_attempted"
    detail: str = ""
    touched: bool = False
    survivors: Tuple[Survivor, ...] = ()
    commands: Optional[Tuple[Item, ...]] = None
    keep_exited: Optional[bool] = None
    changes: Tuple[Difference, ...] = ()
    windows: Tuple[Gone, ...] = ()
    snapshot: Optional[str] = None
    cleaned_up: CleanedUp = NOTHING_DONE

    @property
    def attempted(self) -> bool:
        return self.reason != "not_attempted"

    def done(self, outcome: str, detail: str = "") -> "Change":
        return self._replace(outcome=outcome, reason="", detail=detail, touched=outcome in (REMOVED, CREATED, UPDATED))

    def failed(self, detail: str) -> "Change":
        return self._replace(outcome=NOT_DONE, reason="error", detail=detail)


Changes = Tuple[Change, ...]


class Outcomes(NamedTuple):
    """What became of a plan. ``sessions``: all of the server afterwards; None if that cannot be known."""

    removals: Changes
    creations: Changes
    sessions: Optional[List[Item]] = None
    error: Optional[Exception] = None
    updates: Changes = ()

    @property
    def changes(self) -> Changes:
        return self.removals + self.creations + self.updates


class Hands:
    """What a plan is carried out with. Each step says what became of it; these do nothing, so nothing is done."""

    def prepare(self, plan: Plan) -> None:
        """Refuse what can be known to be impossible, before anything is done."""

    def remove(self, removals: Changes) -> Changes:
        """Remove sessions."""
        return removals

    def find_survivors(self, removals: Changes) -> Changes:
        """Find the processes that outlive removed sessions."""
        return removals

    def clean_up(self, removals: Changes) -> Changes:
        """Remove the files that go with removed sessions."""
        return removals

    def create(self, creation: Change) -> Change:
        """Make one session."""
        return creation

    def settle(self, creations: Changes) -> Changes:
        """Find out which of the new sessions have stayed."""
        return creations

    def update(self, updates: Changes) -> Changes:
        """Set otherwise what sessions that stay have."""
        return updates

    def look(self, plan: Plan, outcomes: Outcomes) -> List[Item]:
        """All sessions of the server afterwards."""
        return []


def carry_out(plan: Plan, hands: Hands) -> Outcomes:
    """Remove, create, and look. What a failure does not let happen stays as it began: not attempted."""
    outcomes = Outcomes(
        tuple(Change(session.name, session, session.id) for session in plan.remove),
        tuple(Change(name) for name in plan.create),
        updates=tuple(Change(session.name, session, session.id) for session in plan.update),
    )
    try:
        hands.prepare(plan)
        outcomes = outcomes._replace(removals=hands.remove(outcomes.removals))
        outcomes = outcomes._replace(removals=hands.find_survivors(outcomes.removals))
        outcomes = outcomes._replace(removals=hands.clean_up(outcomes.removals))
        if not _undone(outcomes.removals):
            for number in range(len(outcomes.creations)):
                outcomes = _with_creation(outcomes, number, hands)
            outcomes = outcomes._replace(creations=hands.settle(outcomes.creations))
            outcomes = outcomes._replace(updates=hands.update(outcomes.updates))
    except Exception as error:  # pylint: disable=broad-except
        # Also a defect of ours must not lose what was done until then.
        outcomes = outcomes._replace(error=_after(outcomes, error))
    return _looked(plan, outcomes, hands)


def _with_creation(outcomes: Outcomes, number: int, hands: Hands) -> Outcomes:
    creations = list(outcomes.creations)
    creations[number] = hands.create(creations[number])
    return outcomes._replace(creations=tuple(creations))


def _looked(plan: Plan, outcomes: Outcomes, hands: Hands) -> Outcomes:
    """Hold the outcomes against what there is: what tmux says it did is not believed."""
    try:
        sessions = in_order(hands.look(plan, outcomes))
    except Exception as error:  # pylint: disable=broad-except
        return outcomes._replace(error=outcomes.error or _after(outcomes, error))
    return outcomes._replace(
        creations=tuple(_verified(change, sessions) for change in outcomes.creations), sessions=sessions
    )


def _after(outcomes: Outcomes, error: Exception) -> Exception:
    """Why nobody knows what there is now, after what has gone wrong before, if anything has."""
    problems = [change.detail for change in _undone(outcomes.changes) if change.attempted]
    return StateError(f"{'; '.join(problems)}; what there is now is not known: {error}") if problems else error


def _verified(change: Change, sessions: List[Item]) -> Change:
    namesakes = [item["id"] for item in sessions if item["name"] == named(change.name)]
    there = change.id in namesakes if change.outcome == CREATED else bool(namesakes)
    if change.outcome in (CREATED, TAKEN) and not there:
        return change.failed(f"{change.name!r} is not there after all")
    return change


def _undone(changes: Iterable[Change]) -> List[Change]:
    return [change for change in changes if change.outcome == NOT_DONE]


def failure(plan: Plan, outcomes: Outcomes) -> Optional[Exception]:
    """What has gone wrong, if anything has."""
    if outcomes.error is not None:
        return outcomes.error
    kept = [f"{change.name!r}: {change.detail}" for change in _undone(outcomes.removals)]
    if kept:
        return StateError(f"not removed: {'; '.join(kept)}")
    problems = [change.detail for change in _undone(outcomes.creations + outcomes.updates)]
    if problems:
        return StateError("; ".join(problems))
    back = _back(plan, outcomes)
    if back:
        return StateError(f"{', '.join(f'{name!r} is' for name in back)} there again; a hook of the server may do that")
    return None


def _back(plan: Plan, outcomes: Outcomes) -> List[str]:
    """The names of removed sessions that are there again, though nobody was to create them."""
    there = {item["name"] for item in outcomes.sessions or []}
    names = [change.name for change in outcomes.removals if change.name not in plan.create]
    return [name for name in names if named(name) in there]


NOTHING: Dict[str, Any] = {
    "changed": False,
    "sessions": None,
    "created": [],
    "removed": [],
    "updated": [],
    "removed_windows": [],
    "vanished": [],
    "not_done": [],
    "drift": [],
    "more": {"drift": 0},
    "unlisted": [],
}
"""The result before anything was looked at."""


Drift = Sequence[Tuple[str, Difference, Optional[str]]]
"""In what sessions, by name, are otherwise than they are declared, and are left so; and why, if it was to be mended."""


def result(outcomes: Outcomes, before: Seen, drift: Drift = ()) -> Dict[str, Any]:
    """What became of every session that was to be removed or created, and what there is now."""
    drifting, more = first(drift, DIFFERENCES)

    def items(changes: Changes, outcome: str) -> List[Item]:
        return [_item(change, outcomes, before) for change in changes if change.outcome == outcome]

    lists = {
        "created": items(outcomes.creations, CREATED),
        "removed": items(outcomes.removals, REMOVED),
        "updated": items(outcomes.updates, UPDATED),
        "removed_windows": [_window(gone, change, before) for change in outcomes.updates for gone in change.windows],
        "not_done": items(outcomes.changes, NOT_DONE),
        "vanished": items(outcomes.removals, VANISHED),
        "sessions": outcomes.sessions or [],
    }
    told = bounded(lists, DESCRIBED, tuple(lists))
    return {
        "changed": any(change.touched for change in outcomes.changes),
        **told.lists,
        "sessions": None if outcomes.sessions is None else told.lists["sessions"],
        "drift": [dict(_told(each), session=named(name), reason=reason) for name, each, reason in drifting],
        "more": {"drift": more},
        "unlisted": told.unlisted,
    }


def _window(gone: Gone, change: Change, before: Seen) -> Item:
    """A window that was removed from a session, which stays."""
    listed, more = first(gone.survivors, SURVIVORS)
    window = gone.extra.window
    return {
        "name": WITHHELD if before.discreet else brief(window.name, NAME_CHARS),
        "id": brief(window.id),
        "session": named(change.name),
        "owner": named(before.server.user.name),
        "socket": brief(before.server.socket),
        "linked": gone.extra.linked,
        "survivors": [survivor.as_dict() for survivor in listed],
        "snapshot": gone.snapshot,
        "more": {"survivors": more},
    }


def _item(change: Change, outcomes: Outcomes, before: Seen) -> Item:
    item = _who(change, outcomes, before)
    if change.outcome == REMOVED:
        listed, more = first(change.survivors, SURVIVORS)
        told = [survivor.as_dict() for survivor in listed]
        files = files_told(change.cleaned_up, before.discreet)
        item.update(files, survivors=told, snapshot=change.snapshot, more=dict(files["more"], survivors=more))
    elif change.outcome == CREATED and change.commands is not None:
        item["commands"] = list(change.commands)
    elif change.outcome == UPDATED:
        changes, others = first(change.changes, DIFFERENCES)
        item.update(keep_exited=change.keep_exited, changes=[_told(each) for each in changes], more={"changes": others})
    elif change.outcome == NOT_DONE:
        item.update(reason=change.reason, detail=brief(change.detail))
    return item


def _told(difference: Difference) -> Item:
    return {key: brief(value) if isinstance(value, str) else value for key, value in difference.as_dict().items()}


def _who(change: Change, outcomes: Outcomes, before: Seen) -> Item:
    if change.session is not None:
        return who_is(before, change.session)
    for item in outcomes.sessions or []:
        if change.outcome == CREATED and (item["id"], item["name"]) == (change.id, named(change.name)):
            return {key: item[key] for key in WHO}
    return who(before.server.user.name, before.server.socket, change.name, change.id)


def diff(
    plan: Plan, outcomes: Outcomes, drift: Drift = (), windows: Sequence[DeclaredWindow] = ()
) -> Dict[str, Dict[str, List[str]]]:
    """The names of all sessions before and after, the declared windows of new ones, and saved commands that run again.

    What drifted is on one side only, for Ansible prints no line that is on both.
    """
    there = list(plan.staying)
    there += [change.name for change in outcomes.removals if change.outcome == NOT_DONE]
    there += [change.name for change in outcomes.creations if change.outcome in (CREATED, TAKEN)]
    anew = [each for each in drift if each[0] in plan.create]
    return {
        "before": {"sessions": [shown(name) for name in plan.before], **_set(outcomes, False), **_drift(anew, "")},
        "after": {
            "sessions": [shown(name) for name in sorted(there)],
            **_made(outcomes, windows),
            **_run_again(outcomes),
            **_set(outcomes, True),
            **_drift([each for each in drift if each not in anew], ", and is left so"),
        },
    }


def _drift(drift: Drift, more: str) -> Dict[str, List[str]]:
    """What is otherwise than declared, a line each."""
    lines = [shown("%s: %s%s" % (each.place(name), each.otherwise, more)) for name, each, _reason in drift]
    return {"drift": lines} if lines else {}


def _made(outcomes: Outcomes, windows: Sequence[DeclaredWindow]) -> Dict[str, List[str]]:
    """What the windows of all new sessions run, a line each."""
    if not any(change.outcome == CREATED for change in outcomes.creations):
        return {}
    panes = [(window.label, place, pane) for window in windows for place, pane in enumerate(window.panes)]
    lines = [brief("%s.%d: %s" % (label, place, pane.words or SHELL)) for label, place, pane in panes]
    return {"windows": lines} if lines else {}


def _set(outcomes: Outcomes, afterwards: bool) -> Dict[str, List[str]]:
    """What was set in sessions that were there, a line each, as it was before or is afterwards."""
    lines = [
        shown("%s: %s" % (each.place(change.name), each.words(afterwards)))
        for change in outcomes.updates
        if change.outcome == UPDATED
        for each in change.changes
    ]
    return {"updated": lines} if lines else {}


def _run_again(outcomes: Outcomes) -> Dict[str, List[str]]:
    created = [change for change in outcomes.creations if change.outcome == CREATED]
    commands = [command for change in created for command in change.commands or ()]
    return {"commands": ["%(window)d.%(pane)d: %(command)s" % command for command in commands]} if commands else {}
