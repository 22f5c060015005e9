# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Desired and actual sessions of one server: what to create and what to remove. Pure."""

from typing import Dict, List, NamedTuple, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._model import Session, Unread


class PlanError(ValueError):
    """A wish that cannot be met; nothing is done then."""


class Plan(NamedTuple):
    """What to do. ``before`` and ``after`` are the sorted names of all sessions of the server."""

    create: Tuple[str, ...]
    remove: Tuple[Session, ...]
    before: Tuple[str, ...]
    after: Tuple[str, ...]

    @property
    def changes(self) -> bool:
        return bool(self.create or self.remove)


def plan(
    state: str, names: Sequence[str], recreate: bool, sessions: Sequence[Session], unread: Sequence[Unread]
) -> Plan:
    """The way from ``sessions`` to what ``state`` says of ``names``.

    :raises PlanError: for ``only`` with a name that does not exist, or with sessions that nobody can read.
    """
    wanted = sorted(set(names))
    existing = {session.name: session for session in sessions}
    hidden = {lost.name for lost in unread}
    _require_readable(state, wanted, recreate, hidden)
    create: List[str] = []
    remove: List[Session] = []
    if state == "present":
        create = [name for name in wanted if name not in hidden and (recreate or name not in existing)]
        remove = [existing[name] for name in create if name in existing]
    elif state == "absent":
        remove = [existing[name] for name in wanted if name in existing]
    else:
        _require_all(wanted, existing)
        remove = [session for session in sessions if session.name not in wanted]
    before = sorted(list(existing) + list(hidden - set(existing)))
    gone = {session.name for session in remove}
    after = sorted({name for name in before if name not in gone} | set(create))
    return Plan(tuple(create), tuple(sorted(remove, key=lambda session: session.name)), tuple(before), tuple(after))


def _require_all(wanted: Sequence[str], existing: Dict[str, Session]) -> None:
    if not wanted:
        raise PlanError("name: with state=only the list must not be empty: it would remove every session")
    missing = [name for name in wanted if name not in existing]
    if missing:
        raise PlanError(
            "name: %s not there, so nothing was removed (state=only keeps sessions that exist; names match in full)"
            % ", ".join("%r is" % name for name in missing)
        )


def _require_readable(state: str, wanted: Sequence[str], recreate: bool, hidden: "set[str]") -> None:
    touched = hidden if state == "only" else hidden & set(wanted)
    if touched and (state != "present" or recreate):
        raise PlanError(
            "what tmux lists of %s cannot be read, so nothing was removed" % ", ".join(map(repr, sorted(touched)))
        )
