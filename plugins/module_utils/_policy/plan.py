# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Desired and actual sessions of one server: what to create and what to remove. Pure."""

from typing import Collection, Iterable, List, NamedTuple, Sequence, Set, Tuple, TypeVar

from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session, Unread

NEVER, ON_DRIFT, ALWAYS = "never", "on_drift", "always"
"""Whether sessions that are there are made anew."""


class PlanError(ValueError):
    """A state that cannot be reached; nothing is done then."""


class Plan(NamedTuple):
    """What to do, and which sessions are not touched. All are sorted by name."""

    create: Tuple[str, ...]
    remove: Tuple[Session, ...]
    stay: Tuple[Session, ...]
    unread: Tuple[Unread, ...]
    update: Tuple[Session, ...] = ()
    """Those that are not touched but for an option of theirs."""

    @property
    def changes(self) -> bool:
        return bool(self.create or self.remove or self.update)

    @property
    def staying(self) -> Tuple[str, ...]:
        """The names of the sessions that are not touched."""
        return tuple([session.name for session in self.stay] + [lost.name for lost in self.unread])

    @property
    def before(self) -> Tuple[str, ...]:
        return tuple(sorted(self.staying + tuple(session.name for session in self.remove)))

    @property
    def after(self) -> Tuple[str, ...]:
        return tuple(sorted(self.staying + self.create))


def plan(
    state: str,
    names: Sequence[str],
    recreate: bool,
    sessions: Sequence[Session],
    unread: Sequence[Unread],
    drifted: Collection[str] = (),
) -> Plan:
    """The way from ``sessions`` to what ``state`` says of ``names``.

    :param recreate: whether all of them are made anew. ``drifted``: those of them that are, where not all are.
    :raises PlanError: for ``only`` with a name that does not exist, or with sessions that nobody can read.
    """
    wanted = sorted(set(names))
    existing = {session.name for session in sessions}
    hidden = {lost.name for lost in unread}
    _require_readable(state, wanted, recreate, hidden)
    if state == "only":
        _require_all(wanted, existing)
    create = _to_create(wanted, existing - set(drifted), hidden, recreate) if state == "present" else []
    remove = _to_remove(state, wanted, create, sessions)
    gone = {session.id for session in remove}
    stay = [session for session in sessions if session.id not in gone]
    return Plan(tuple(create), _by_name(remove), _by_name(stay), _by_name(unread))


def _to_create(wanted: List[str], existing: Set[str], hidden: Set[str], recreate: bool) -> List[str]:
    return [name for name in wanted if name not in hidden and (recreate or name not in existing)]


def _to_remove(state: str, wanted: List[str], create: List[str], sessions: Sequence[Session]) -> List[Session]:
    if state == "only":
        return [session for session in sessions if session.name not in wanted]
    names = create if state == "present" else wanted
    return [session for session in sessions if session.name in names]


_Named = TypeVar("_Named", Session, Unread)


def _by_name(sessions: Iterable[_Named]) -> Tuple[_Named, ...]:
    return tuple(sorted(sessions, key=lambda session: session.name))


def _require_all(wanted: Sequence[str], existing: Set[str]) -> None:
    if not wanted:
        raise PlanError("name: with state=only the list must not be empty: it would remove every session")
    missing = [name for name in wanted if name not in existing]
    if missing:
        raise PlanError(
            f"name: {', '.join(f'{name!r} is' for name in missing)} not there, so nothing was removed "
            "(state=only keeps sessions that exist; names match in full)"
        )


def _require_readable(state: str, wanted: Sequence[str], recreate: bool, hidden: Set[str]) -> None:
    touched = hidden if state == "only" else hidden & set(wanted)
    if touched and (state != "present" or recreate):
        raise PlanError(
            f"what tmux lists of {', '.join(map(repr, sorted(touched)))} cannot be read, so nothing was removed"
        )
