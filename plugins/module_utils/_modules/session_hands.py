# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What carries out a plan for the sessions of one server: hands that only promise, and hands that work."""

import time
from types import MappingProxyType
from typing import Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.add import Adder, require_free_variables
from ansible_collections.fleet.tmux.plugins.module_utils._actions.birth import NONE, Birth
from ansible_collections.fleet.tmux.plugins.module_utils._actions.clean_up import Ended, clean_up_after, going
from ansible_collections.fleet.tmux.plugins.module_utils._actions.create import (
    CreateError,
    Creator,
    NewSession,
    working_directory,
)
from ansible_collections.fleet.tmux.plugins.module_utils._actions.journal import Journal
from ansible_collections.fleet.tmux.plugins.module_utils._actions.journal import Removal as Entry
from ansible_collections.fleet.tmux.plugins.module_utils._actions.log import Wish, log_path, require_logs
from ansible_collections.fleet.tmux.plugins.module_utils._actions.prune_windows import Gone, Pruned, Pruner
from ansible_collections.fleet.tmux.plugins.module_utils._actions.reconcile import (
    Comparison,
    Declared,
    compare,
    lacking,
    logging,
    pruning,
    reconcile,
    without_typing,
)
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove import SAME, Answer, Removal, remove
from ansible_collections.fleet.tmux.plugins.module_utils._actions.saved import commands as saved_commands
from ansible_collections.fleet.tmux.plugins.module_utils._actions.saved import read as read_snapshot
from ansible_collections.fleet.tmux.plugins.module_utils._actions.saving import Saved, saved
from ansible_collections.fleet.tmux.plugins.module_utils._actions.settle import runs_nothing
from ansible_collections.fleet.tmux.plugins.module_utils._actions.snapshot import Archive
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import (
    Ending,
    PanePid,
    RemovedSession,
    attend,
)
from ansible_collections.fleet.tmux.plugins.module_utils._actions.windows import require_layout
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import NoAnswer
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Processes
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown, to_text
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._modules.home import Home
from ansible_collections.fleet.tmux.plugins.module_utils._modules.items import (
    Item,
    new_item,
    session_item,
    still_there,
    unread_item,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session import (
    CREATED,
    TAKEN,
    UPDATED,
    VANISHED,
    Change,
    Changes,
    Drift,
    Hands,
    Outcomes,
    SessionOptions,
    StateError,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy import cleanups
from ansible_collections.fleet.tmux.plugins.module_utils._policy.cleanups import NOTHING_DONE, Files
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import KEPT, REMOVED
from ansible_collections.fleet.tmux.plugins.module_utils._policy.declared import (
    DeclaredWindow,
    Log,
    logs_of,
    with_logs_at,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.plan import ALWAYS, ON_DRIFT, Plan, plan
from ansible_collections.fleet.tmux.plugins.module_utils._policy.recreate import Left
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import servers, settings
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.details import user_options
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import Capability, Version, as_printed
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import Members
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Listing, Session, read_or_nothing
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.pipes import OLDER
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.settings import Setting
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.sockets import Unusable
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.trial import require_taken

Comparisons = Dict[str, Comparison]
UserOptions = Mapping[str, Optional[str]]


def planned(
    state: str, names: Sequence[str], recreate: str, wanted: SessionOptions, seen: Seen
) -> Tuple[Plan, Comparisons]:
    """What is to be done, and in what the named sessions that are there differ from what they are declared to be.

    :raises TmuxError: when the server could not be asked.
    """
    sessions, unread = seen.listing.sessions, seen.listing.unread
    made = plan(state, names, recreate == ALWAYS, sessions, unread)
    if state != "present":
        return made, {}
    staying = [session for session in made.stay if session.name in names]
    windows, log = _logs(wanted, seen.server.user)
    files = files_of(wanted, seen.server.user)
    declared = Declared(wanted.keep_exited, wanted.options, windows, log, wanted.chdir, wanted.env, files)
    found = logging(seen, compare(seen, staying, declared), declared)
    found = pruning(seen, found, names) if wanted.prune_windows else found
    lacks = lacking(seen, found) if recreate == ON_DRIFT else {}
    found = {identity: each._replace(left=lacks.get(identity)) for identity, each in found.items()}
    drifted = [session.name for session in staying if session.id in lacks and lacks[session.id] is None]
    if drifted:
        made = plan(state, names, False, sessions, unread, drifted)
        found.update((each.session.id, each.whole) for each in list(found.values()) if each.session.name in drifted)
    update = [session for session in made.stay if session.id in found and found[session.id].differences]
    return made._replace(update=tuple(update)), found


def files_of(wanted: SessionOptions, user: User) -> Optional[Files]:
    """The files that are declared to go with a session; None where nothing is."""
    older = "" if wanted.log_max_size is None else OLDER
    logs = [log.path for log in logs_of(wanted.windows)] + ([] if wanted.log is None else [wanted.log])
    return cleanups.wanted(wanted.cleanup, logs, older, user.home)


def _logs(wanted: SessionOptions, user: User) -> Tuple[Tuple[DeclaredWindow, ...], Optional[Log]]:
    """The declared windows, and the one log of a session without, with the paths that are meant."""
    log = None if wanted.log is None else Log(log_path(wanted.log, user))
    return with_logs_at(wanted.windows, lambda path: log_path(path, user)), log


def drift(found: Comparisons) -> Drift:
    """In what the named sessions are otherwise than they are declared, and are left so."""
    ordered = sorted(found.values(), key=lambda each: (each.session.name, each.session.id))
    return [(each.session.name, difference, reason) for each in ordered for difference, reason in each.drift]


class _ServerHands(Hands):
    """What both have in common: what they refuse, and how they describe sessions."""

    def __init__(
        self,
        host: Host,
        seen: Seen,
        options: SessionOptions,
        compared: Optional[Comparisons] = None,
        birth: Optional[Birth] = None,
        archive: Optional[Archive] = None,
    ) -> None:
        self._host = host
        self._archive = archive
        self._birth = birth or Birth(NONE, False, host.uid == 0, host.timeout)
        self._home = Home(host)
        self._compared = compared or {}
        self._seen = seen
        self._options = options
        self._as_user = host.uid == 0
        self._new = NewSession("", None, (), "/", (), None, None, None)
        self._starts_server = False
        self._commands: Optional[Tuple[Item, ...]] = None
        self._anew: Tuple[str, ...] = ()
        self._going = Ended(seen, {}, ())
        self._left: List[str] = []
        self._shell = ""

    def prepare(self, plan: Plan) -> None:
        self._anew = plan.create
        added = [self._compared[session.id].windows.missing for session in plan.update if session.id in self._compared]
        if plan.create or any(added):
            self._new = self._new_session()
        if plan.create:
            # Without sessions a server ends, and the first new one starts another.
            self._starts_server = not plan.staying
        if plan.create and (plan.staying or self._rehearsed(plan)):
            self._require_survivable()
        if plan.update or plan.create:
            self._require_possible(known=bool(plan.before))
        for session in plan.update:
            missing = self._compared[session.id].windows.missing if session.id in self._compared else ()
            require_free_variables(self._seen.client, session, self._new._replace(declared=missing))
        if self._starts_server:
            self._require_birthplace()
            self._seen = self._seen._replace(server=self._seen.server._replace(user=self._with_groups()))
            self._birth.require(self._seen.server.user)
        self._require_taken(plan)
        self._require_log(plan, make=False)
        if self._archive is not None and (plan.remove or any(each.pruned for each in self._compared.values())):
            self._require_archive(self._archive)

    def _require_archive(self, archive: Archive) -> None:
        """Refuse a directory in which nothing can be saved.

        :raises SnapshotError: saying what is wrong with it.
        """
        archive.require_usable()

    def _rehearsed(self, plan: Plan) -> List[str]:
        """The sessions that are made anew and have options, of which tmux may not take one."""
        again = {session.name for session in plan.remove}
        return [name for name in plan.create if name in again and self._new.has_options]

    def _require_log(self, plan: Plan, make: bool) -> None:
        """Refuse logs that cannot be had, or have them, where something begins to be written to them."""
        windows, log = _logs(self._options, self._seen.server.user)
        every = [*logs_of(windows), *([] if log is None else [log])]
        begin = every if plan.create else [each for one in self._compared.values() for each in one.new_logs]
        if not begin:
            return
        wish = Wish(
            self._seen.server.user,
            self._options.log_max_size is not None,
            self._seen.server.pid,
            [pane.id for session in plan.remove for pane in session.panes],
            self._seen.discreet,
        )
        require_logs(begin, [each for each in every if each not in begin], wish, self._host.timeout, make)

    def lives(self) -> Item:
        """Which unit the server lives in, and whether it outlives the login; of one that would be started, promised."""
        if self._starts_server:
            return self._home.promised(self._birth.scope)
        return self._home.of(self._seen.listing.pid, self._seen.server.user.uid)

    def warnings(self) -> List[str]:
        """What is to be said of sessions that were not made anew, and of a server that would end with a login."""
        said = [_left_as_it_is(each.session.name, each.left) for each in self._compared.values() if each.left]
        said += [_piped(each) for each in self._compared.values() if each.foreign_pipes]
        said += [_spared(each) for each in self._compared.values() if each.spared]
        said += self._left
        said += [self._shell] if self._shell else []
        if self._starts_server:
            return said + self._home.warned_of_birth(self._birth.scope)
        return said + self._home.warned_of_life(self._seen.listing.pid, self._birth.scope)

    def _new_session(self) -> NewSession:
        """What all new sessions are to be.

        :raises ValueError: when their owner cannot enter their directory or read their snapshot.
        """
        user = self._seen.server.user
        given = self._options._asdict()
        given["chdir"] = working_directory(self._options.chdir, user, self._as_user)
        given.pop("windows")
        given["declared"], log = _logs(self._options, user)
        given.pop("prune_windows")
        given["log"] = log and log.path
        given["cleanup"] = (files_of(self._options, user) or cleanups.NONE).written()
        given["places"] = self._places(given["chdir"], user)
        path, named = given.pop("snapshot"), given.pop("snapshot_owner")
        if path is not None:
            owner = user if named is None else self._named(named)
            windows = read_snapshot(path, user, self._as_user, owner, self._host.timeout, self._host.full)
            self._commands = tuple(saved_commands(windows)) if self._options.restore_commands else ()
            given.update(windows=windows, width=windows[0].width, height=windows[0].height)
            given.update(foreign=owner.uid != user.uid)
        return NewSession("", **given)

    def _require_possible(self, known: bool) -> None:
        """Refuse what no window can be; and, where a server says what it knows, what it does not."""
        for window in self._options.windows:
            require_layout(window)
        if known and (self._options.options or any(window.options for window in self._options.windows)):
            self._require_known_options()

    def _places(self, own: str, user: User) -> Tuple[Tuple[Optional[str], str], ...]:
        """The directories of declared windows, by how they are written; their owner must be able to enter each."""
        found: Dict[Optional[str], str] = {None: own}
        for pane in [pane for window in self._options.windows for pane in window.panes]:
            if pane.chdir not in found:
                found[pane.chdir] = working_directory(pane.chdir, user, self._as_user)
        return tuple(found.items())

    def _require_known_options(self) -> None:
        """Refuse options that this tmux does not have, before anything is done."""
        known, version = settings.known(self._seen.client), self._seen.listing.version
        settings.require(known, version, self._options.options, [window.options for window in self._options.windows])

    def _require_taken(self, plan: Plan) -> None:
        """Refuse options that this tmux does not take, where they can be tried, before anything is done."""
        updated = [self._compared[session.id] for session in plan.update if session.id in self._compared]
        if plan.create or any(each.windows.missing for each in updated):
            shared, windows = self._options.options, [window.options for window in self._options.windows]
        else:
            set_ = sorted({(one.name, one.value) for each in updated for one, _was in each.options})
            shared, windows = tuple(set_), []
        if shared or any(windows):
            require_taken(self._of_its_version(), self._listed_version, shared, windows)

    @property
    def _listed_version(self) -> Optional[Version]:
        """The version of the server, if there is one."""
        return None if self._seen.listing.pid is None else self._seen.listing.version

    def _of_its_version(self) -> Client:
        """A client of the program that the server runs, or will run, if it can be had."""
        one = self._seen
        if self._starts_server:
            return self._host.client(one.server)
        if one.client.own or one.client.version == one.listing.version:
            return one.client
        return self._host.own_client(one.server) or one.client

    def _named(self, name: str) -> User:
        try:
            user = self._host.directory.find(name)
        except NoAnswer as error:
            raise StateError(f"snapshot_owner: it is not known who {shown(name)} is: {error}")
        if user is None:
            raise StateError(f"snapshot_owner: there is no user {shown(name)} on this host")
        return user

    def _cleaned_up(self, removals: Changes, check: bool) -> Changes:
        """With the files that go with them gone, but not of those that are made anew: that is not their end."""
        gone = {self._seen.identity(each.session) for each in removals if each.session and each.outcome == REMOVED}
        going_on = {self._seen.identity(each.session) for each in removals if each.session and each.name in self._anew}
        ended = self._going.only(gone)
        ended = ended._replace(files={it: files for it, files in ended.files.items() if it not in going_on})
        done = clean_up_after([ended], self._host.timeout, check=check)
        changes = tuple(
            change._replace(cleaned_up=done.get(self._seen.identity(change.session), NOTHING_DONE))
            if change.session
            else change
            for change in removals
        )
        self._left += [sentence for change in changes for sentence in still_there(change.name, change.cleaned_up)]
        return changes

    def _find_files(self, removals: Changes) -> None:
        """Find out what goes with sessions, as long as they are there to tell."""
        self._going = going(self._seen, [self._seen.identity(each.session) for each in removals if each.session])
        self._left += self._going.trouble

    def _made(self, creation: Change) -> Change:
        if self._options.command is not None:
            hint = runs_nothing(self._seen.client.account)
            self._shell = hint and f"{hint[2:]}, unless default-shell of the server is another shell"
        return creation._replace(commands=self._commands).done(CREATED)

    def _updated(self, update: Change, gone: Sequence[Gone]) -> Change:
        wanted = self._compared[update.id or ""]._replace(pruned=tuple(each.extra for each in gone))
        if not wanted.differences:  # All that was to go had gone by itself.
            return update.done(VANISHED)
        done = update._replace(keep_exited=wanted.keep_exited, changes=tuple(wanted.differences), windows=tuple(gone))
        return done.done(UPDATED)

    def _require_birthplace(self) -> None:
        """Refuse to start a server where others could have put something first."""
        server = self._seen.server
        try:
            servers.require_birthplace(server.socket, server.user.uid)
        except Unusable as problem:
            raise StateError(f"no server can be started at {shown(server.socket)}: {problem.reason}")

    def _require_survivable(self) -> None:
        """Refuse to make a session where the server would end at that, with all that it holds."""
        one = self._seen
        if not one.listing.version.has(Capability.ENDS_AT_NEW_SESSION_OF_MANUAL_SIZE):
            return
        if to_text(one.client.call([["show-options", "-g", "-w", "-v", "window-size"]])).strip() == "manual":
            raise StateError(
                f"tmux {one.listing.version.text} ends with all its sessions when one is made while its option "
                "window-size is manual; set it to another value first, like tmux set -g -w window-size latest"
            )

    def _with_groups(self) -> User:
        """The owner with all groups, for a server that is started lives with them."""
        user = self._seen.server.user
        if not self._as_user:
            return user
        try:
            return self._host.directory.with_groups(user)
        except NoAnswer as error:
            raise StateError(f"the groups of {user.name} are not known: {error}; no server was started")

    def _items(self, listing: Listing, promised: Mapping[str, UserOptions] = MappingProxyType({})) -> List[Item]:
        """The sessions of a server. ``promised``: user options that some will have, by their ids."""
        one = self._seen._replace(listing=listing)
        found = user_options(one.client, [session.id for session in listing.sessions])
        options = {session.id: dict(found.get(session.id, {})) for session in listing.sessions}
        for identity, more in promised.items():
            options.setdefault(identity, {}).update(more)
        now = int(time.time())
        items = [session_item(one, session, options[session.id], now) for session in listing.sessions]
        return items + [unread_item(one.server, lost) for lost in listing.unread]


class PromisingHands(_ServerHands):
    """Touch nothing and promise everything, for check mode. They refuse what working hands would refuse."""

    def remove(self, removals: Changes) -> Changes:
        self._find_files(removals)
        return tuple(change.done(REMOVED) for change in removals)

    def clean_up(self, removals: Changes) -> Changes:
        return self._cleaned_up(removals, check=True)

    def create(self, creation: Change) -> Change:
        return self._made(creation)

    def update(self, updates: Changes) -> Changes:
        return tuple(self._promised_update(update) for update in updates)

    def _promised_update(self, update: Change) -> Change:
        return self._updated(update, [Gone(extra) for extra in self._compared[update.id or ""].pruned])

    def look(self, plan: Plan, outcomes: Outcomes) -> List[Item]:
        gone = {change.id for change in outcomes.removals if change.outcome == REMOVED}
        listing = self._seen.listing
        listing = listing._replace(sessions=tuple(session for session in listing.sessions if session.id not in gone))
        updated = [self._compared[change.id] for change in outcomes.updates if change.id in self._compared]
        promised = {each.session.id: self._told([was[0] for was in each.options]) for each in updated}
        return self._items(listing, promised) + [
            self._promised(change.name) for change in outcomes.creations if change.outcome == CREATED
        ]

    def _promised(self, name: str) -> Item:
        sizes = [(window.width, window.height) for window in self._new.windows if window.active]
        width, height = sizes[0] if sizes else self._new.size or (None, None)
        options = self._told([Setting("", option, value) for option, value in self._new.options])
        return new_item(self._seen.server, name, width, height, options)

    def _told(self, wanted: Sequence[Setting]) -> UserOptions:
        """The user options among those that a session will have, as they will be told."""
        own = {each.name: each.value for each in wanted if each.name.startswith("@") and not each.of_window}
        one = self._seen
        version = one.listing.version if one.listing.pid is not None else one.client.version
        told = {name: shown(as_printed(value, version), lines=True) for name, value in own.items()}
        return {name: None if self._seen.discreet else value for name, value in told.items()}


class WorkingHands(_ServerHands):
    """Do what the plan says."""

    def __init__(
        self,
        host: Host,
        seen: Seen,
        options: SessionOptions,
        ending: Ending,
        journal: Optional[Journal] = None,
        compared: Optional[Comparisons] = None,
        birth: Optional[Birth] = None,
        archive: Optional[Archive] = None,
    ) -> None:
        super().__init__(host, seen, options, compared, birth, archive)
        self._ending = ending
        self._journal = journal or Journal()
        self._leaving: List[RemovedSession] = []
        self._removal = Removal({}, None)
        self._untyped: Set[str] = set()
        """The sessions, by id, that go because of their drift, and in which nobody can have typed."""
        self._creator: Optional[Creator] = None
        self._pid = seen.listing.pid

    def prepare(self, plan: Plan) -> None:
        super().prepare(plan)
        if self._starts_server:
            self._birth.make_ready(self._seen.server.user)
        self._require_log(plan, make=True)
        for name in self._rehearsed(plan)[:1]:
            Creator(self._client(), self._as_user).rehearse(self._new._replace(name=name))

    def _require_archive(self, archive: Archive) -> None:
        archive.prepare()

    def lives(self) -> Item:
        return self._home.of(self._pid, self._seen.server.user.uid)

    def remove(self, removals: Changes) -> Changes:
        sessions = [change.session for change in removals if change.session is not None]
        if sessions:
            self._find_files(removals)
            members = Members(Processes.of(self._seen.server.user.uid))
            kept = saved(self._seen, sessions, self._archive)
            going = [session for session in sessions if session.id not in kept.problems]
            self._leaving = [self._with_processes(session, members) for session in going]
            for session in going:
                self._journal.before(self._entry(session, ""))
            look = self._last_look if any(session.id in self._compared for session in going) else None
            self._removal = remove(self._seen.client, self._seen.listing.version, going, SAME, look)
            removals = tuple(self._with_snapshot(change, kept) for change in removals)
        return tuple(self._answered(change) for change in removals)

    def _with_snapshot(self, change: Change, kept: Saved) -> Change:
        """Where a session was saved. One that lives on needs none; one that could not be saved has not been touched."""
        problem, path = kept.problems.get(change.id or ""), kept.paths.get(change.id or "")
        if problem is not None:
            return change.failed(f"it could not be saved: {problem}")
        gone = change.id in self._removal.answers and self._removal.answers[change.id].result == "done"
        if path is not None and self._archive is not None and not gone:
            self._archive.discard(path)
        return change._replace(snapshot=path if gone else None)

    def _answered(self, change: Change) -> Change:
        """What became of a removal, which the system log is told."""
        if change.attempted:
            return change
        change = _answered(change, self._removal.answers)
        if change.session is not None:
            what = KEPT if change.outcome == VANISHED else change.outcome
            self._journal.after(self._entry(change.session, change.detail), what, change.snapshot or "")
        return change

    @property
    def _names(self) -> List[str]:
        """The sessions of the task that were there."""
        return sorted({each.session.name for each in self._compared.values()})

    def _last_look(self, sessions: Sequence[Session]) -> Dict[str, Answer]:
        """Those that were to be made anew because of their drift, and may not end any more."""
        drifted = [session.id for session in sessions if session.id in self._compared]
        try:
            listing = read_or_nothing(self._seen.client)
            now = self._seen._replace(listing=listing)
            there = [session for session in listing.sessions if session.id in drifted]
            compared = compare(now, there, Declared(windows=self._options.windows))
            found = lacking(now, pruning(now, compared, self._names) if self._options.prune_windows else compared)
            self._untyped = without_typing(now, there)
        except TmuxError as error:
            return {identity: Answer("error", error.message) for identity in drifted}
        return {identity: Answer("changed", why.detail) for identity, why in found.items() if why is not None}

    def _entry(self, session: Session, detail: str) -> Entry:
        server = self._seen.server
        return Entry(server.user.name, server.socket, session.name, session.id, "by its declared state", detail)

    def _with_processes(self, session: Session, members: Members) -> RemovedSession:
        pid, uid = self._seen.server.pid, self._seen.server.user.uid
        return RemovedSession(session, members.of(session, pid, uid) or (), pid, uid, certain=False)

    def find_survivors(self, removals: Changes) -> Changes:
        removed = {change.id for change in removals if change.outcome == REMOVED}
        leaving = [one for one in self._leaving if one.session.id in removed]
        gone = [one._replace(certain=self._removal.whole and self._may_end(one.session)) for one in leaving]
        found = dict(zip([one.session.id for one in gone], attend(gone, self._staying(), self._ending)))
        return tuple(change._replace(survivors=found.get(change.id or "", ())) for change in removals)

    def clean_up(self, removals: Changes) -> Changes:
        return self._cleaned_up(removals, check=False)

    def _may_end(self, session: Session) -> bool:
        """Whether what outlives a session may be ended. Nobody has asked to end what was begun in a shell of it."""
        return session.id not in self._compared or session.id in self._untyped

    def _staying(self) -> List[PanePid]:
        return [(self._seen.server.pid, pid) for session in self._removal.remaining for pid in session.pids]

    def create(self, creation: Change) -> Change:
        if self._creator is None:
            self._creator = self._begin()
        try:
            made = self._creator.create(self._new._replace(name=creation.name))
        except CreateError as error:
            return creation.failed(str(error))._replace(touched=error.left is not None)
        return self._made(creation._replace(id=made)) if made is not None else creation.done(TAKEN)

    def _begin(self) -> Creator:
        client = self._client()
        if self._starts_server:
            client.make_directory()
            self._require_birthplace()
            self._birth.begin(client, self._seen.server.user)
        return Creator(client, self._as_user)

    def settle(self, creations: Changes) -> Changes:
        if self._creator is None:
            return creations
        problems = self._creator.settle()
        return tuple(
            change.failed(problems[change.name]) if change.name in problems else change for change in creations
        )

    def update(self, updates: Changes) -> Changes:
        return tuple(self._set(update) for update in updates)

    def _set(self, update: Change) -> Change:
        wanted, added = self._compared[update.id or ""], False
        gone: Tuple[Gone, ...] = ()
        try:
            if wanted.windows.missing:
                self._add(wanted)
                added = True
            reconcile(self._client(), self._seen, wanted, self._options.log_max_size)
            if wanted.pruned:
                gone, problem = self._prune(wanted)
                if problem:
                    raise CreateError(problem)
        except (TmuxError, CreateError) as error:
            said = error.message if isinstance(error, TmuxError) else str(error)
            more = "; the windows that it lacked were made" if added else ""
            problem = f"session {update.name!r} could not be made as it is declared: {said}{more}"
            return update.failed(problem)._replace(touched=added or bool(gone), windows=gone)
        return self._updated(update, gone)

    def _prune(self, wanted: Comparison) -> Pruned:
        """Remove the windows that are not declared, when what is declared is there."""
        seen = self._seen._replace(client=self._client())
        pruner = Pruner(seen, self._names, self._ending, self._journal, self._archive)
        return pruner.prune(wanted, Declared(windows=self._options.windows))

    def _add(self, wanted: Comparison) -> None:
        """Make the windows that a session lacks.

        :raises TmuxError: (or CreateError) when they could not be made, or did not stay; none of them is left then.
        """
        adder = Adder(self._client(), self._as_user)
        new = self._new._replace(name=wanted.session.name, declared=wanted.windows.missing)
        adder.add(wanted.session, new, self._seen.listing.version)
        for problem in adder.settle().values():
            raise CreateError(problem)

    def look(self, plan: Plan, outcomes: Outcomes) -> List[Item]:
        if not any(change.attempted for change in outcomes.changes):
            return self._items(self._seen.listing)
        listing = read_or_nothing(self._client())
        self._pid = listing.pid
        return self._items(listing)

    def _client(self) -> Client:
        """A new one; where the server understands only its own program, and goes on, the one that has listed it."""
        if self._seen.client.own and not self._starts_server:
            return self._seen.client
        return self._host.client(self._seen.server)


def _left_as_it_is(name: str, why: Left) -> str:
    return (
        f"session {shown(name)!r} differs from what is declared, and is not made anew because {why.detail}; "
        "recreate=always does so even then"
    )


def _spared(each: Comparison) -> str:
    details = [left.detail for _window, left in each.spared]
    counted = [(details.count(detail), detail) for detail in sorted(set(details))]
    said = "; ".join(
        "%s because %s" % ("1 stays" if number == 1 else "%d stay, each" % number, why) for number, why in counted
    )
    return f"session {shown(each.session.name)!r} has windows that are not declared: {said}"


def _piped(each: Comparison) -> str:
    what = ", ".join(logged.log.option for logged in each.foreign_pipes)
    panes = "" if what == "log" else "in a pane of "
    return (
        f"{what}: what {panes}session {shown(each.session.name)!r} prints goes to another pipe-pane, which was left as "
        "it is; tmux pipe-pane, without a command, ends it"
    )


def _answered(change: Change, answers: Dict[str, Answer]) -> Change:
    """What the server has said of a removal. One that lives because something happened to it is a failure here."""
    answer = answers.get(change.id or "", Answer("error", "the server was not asked"))
    outcome = {"done": REMOVED, "vanished": VANISHED}.get(answer.result)
    return change.failed(answer.detail) if outcome is None else change.done(outcome, answer.detail)
