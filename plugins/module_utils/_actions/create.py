# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Creates sessions, and looks whether they are still there a moment later."""

import os
import re
import secrets
import time
from typing import Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions import windows as windows_
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove import remove_same
from ansible_collections.fleet.tmux.plugins.module_utils._actions.restore import SavedPane, SavedWindow
from ansible_collections.fleet.tmux.plugins.module_utils._actions.saved import command_of
from ansible_collections.fleet.tmux.plugins.module_utils._actions.windows import NewPane, NewWindow, program
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.child import OUTPUT_LIMIT, environment, run
from ansible_collections.fleet.tmux.plugins.module_utils._host.privacy import WITHHELD
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief, secret_parts, shown, to_text, without
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._policy.declared import DeclaredWindow, Pairs
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import pipes, settings
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    FORGETTING,
    Capability,
    Command,
    Version,
    expanded_literal,
    is_on,
    last_words,
    parse_version,
    target,
    variable_names,
    while_there,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import (
    Duplicate,
    Failed,
    Hung,
    Lost,
    NoServer,
    NotFound,
    TmuxError,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.exits import set_for_window, unset_for_window
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    JOB_OPTION,
    Listing,
    Pane,
    Session,
    Window,
    number_or_none,
    read_or_nothing,
    row,
    rows,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.settings import Options, Setting
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.share import Share

SETTLE_SECONDS = 1.0
"""How long a command that computes (and does not wait for anything) is watched for ending at once."""

_RUN_NOTHING = ("nologin", "false", "true")
"""Shells of users who are not to log in."""

_AT_START = (
    "; there was no server yet, and one that starts first does all that the configuration of its user says "
    "(~/.tmux.conf): if that takes longer, give it more time with timeout"
)

_ATTEMPTS = 8
_PAUSE = 0.05
_PLACEHOLDER_SECONDS = 60
_LAST_LINES = 5
_AT_ONCE = 50
"""Commands in one script that restores something."""
_PATHS_AT_ONCE = 20
"""Directories that one program is asked about: their names are its arguments, which have a limit together."""


class CreateError(ValueError):
    """A session that could not be made, or did not stay. The message says what happened.

    ``left``: the id of what is there of it nevertheless.
    """

    def __init__(self, message: str, left: Optional[str] = None) -> None:
        super().__init__(f"{message}; a part of it is still there, with the id {left}" if left else message)
        self.left = left


class NewSession(NamedTuple):
    """What a new session should be. ``command`` is for the user's shell; ``argv`` is run as given.

    ``places``: the directories of declared windows, by how they were written.
    ``foreign``: the windows are of somebody else's snapshot, so nothing in them is trusted to be shown as it is.
    ``keep_exited``: whether panes stay when their command ends; None: as the server is configured.
    ``job``: the hash of the job that it is made for.
    """

    name: str
    command: Optional[str]
    argv: Tuple[str, ...]
    chdir: str
    env: Tuple[Tuple[str, str], ...]
    width: Optional[int]
    height: Optional[int]
    window_name: Optional[str]
    windows: Tuple[SavedWindow, ...] = ()
    declared: Tuple[DeclaredWindow, ...] = ()
    places: Tuple[Tuple[Optional[str], str], ...] = ()
    restore_commands: bool = False
    foreign: bool = False
    keep_exited: Optional[bool] = None
    options: Tuple[Tuple[str, str], ...] = ()
    log: Optional[str] = None
    log_max_size: Optional[int] = None
    job: str = ""

    @property
    def has_variables(self) -> bool:
        return any(self._variables)

    @property
    def has_options(self) -> bool:
        return bool(self.options or any(window.options for window in self.declared))

    @property
    def secrets(self) -> List[str]:
        """What is to be told of no variable, the longest first. What is in the name of the session is none."""
        values = [value for pane in self._variables for _name, value in pane]
        parts = {part for value in values for part in secret_parts(value) if part not in self.name}
        return sorted(parts, key=len, reverse=True)

    @property
    def _variables(self) -> List[Pairs]:
        return [self.env, *(pane.env for window in self.declared for pane in window.panes)]

    @property
    def size(self) -> Optional[Tuple[int, int]]:
        """Columns and rows, if anything was said of them."""
        return (self.width or 80, self.height or 24) if self.width or self.height else None


class CreatedSession(NamedTuple):
    """A session that tmux says it has created.

    ``keeps_dead``: its panes would stay when their command ends. ``told``: whether that was said of it, or is only how
    the server is configured. ``windows``: the declared ones, of which each pane has to stay; else one pane has to.
    ``added``: it was there before, and only these windows are new, which are called by their ids.
    """

    id: str
    window: str
    window_index: str
    keeps_dead: bool
    version: Version
    told: bool = False
    windows: Tuple[str, ...] = ()
    added: bool = False

    @property
    def first_window(self) -> str:
        """The place of the window that it was created with."""
        return f"{self.id}:{self.window_index}"


def working_directory(chdir: Optional[str], user: User, as_user: bool) -> str:
    """The directory for a session: ``chdir``, or the owner's home (``/`` if there is none).

    tmux would silently use another directory when it cannot enter this one, so the owner tries first.

    :raises CreateError: when the owner cannot enter ``chdir``.
    """
    if chdir is None:
        return user.home if _can_enter(user.home, user, as_user) else "/"
    path = user.home + chdir[1:] if chdir == "~" or chdir.startswith("~/") else chdir
    if not path.startswith("/"):
        raise CreateError(f"chdir: {chdir!r} is not absolute; write a path that starts with / or ~/")
    if not _can_enter(path, user, as_user):
        raise CreateError(f"chdir: {shown(path)} is no directory that {user.name} can enter; create it first")
    return path


def _can_enter(path: str, user: User, as_user: bool) -> bool:
    words = ["test", "-d", path, "-a", "-x", path]
    try:
        return run(words, user=user if as_user else None, env=environment(user), timeout=10).rc == 0
    except OSError as error:
        raise CreateError(f"nothing can be run as {user.name}: {error.strerror}")


def require_free_variables(client: Client, session: Session, new: NewSession) -> None:
    """:raises TmuxError: for a variable of a pane that the session has from somebody else, who would lose it."""
    own = {name for window in new.declared for pane in window.panes for name, _value in pane.env}
    if not own:
        return
    printed = to_text(client.call([["show-environment", "-s", "-t", session.id]]))
    gone = set(re.findall(r"^unset ([^;\n]+);", printed, re.MULTILINE))
    taken = sorted(own & set(variable_names(printed)) - gone - {name for name, _value in new.env})
    if taken:
        raise Failed(f"the variable {taken[0]} was set in the session; give it in env of the session, too")


class Creator:
    """Creates sessions on one server, and undoes what does not stay."""

    def __init__(self, client: Client, as_user: bool) -> None:
        self._client = client
        self._as_user = as_user
        self._nonce = secrets.token_hex(8)
        self._there = True
        self._without_shell: Set[str] = set()
        self._created: Dict[str, CreatedSession] = {}
        self._secrets: Dict[str, List[str]] = {}

    def create(self, new: NewSession) -> Optional[str]:
        """Create one session; its id, or None when somebody else has created one of that name meanwhile.

        It begins with a placeholder, which is then replaced in its place: only a session that exists can be given an
        environment that is in no process's arguments, and told to keep what its command says when it ends at once.

        What has several windows has to be whole within the time limit of one call.

        :raises CreateError: when it cannot be created; nothing of it is left, or the error says what.
        """
        if not new.windows and not new.declared:
            return self._create(new)
        seconds = self._client.timeout
        self._client.share = Share(seconds, OUTPUT_LIMIT, time.monotonic() + seconds)
        try:
            return self._create(new)
        finally:
            self._client.share = None

    def _create(self, new: NewSession) -> Optional[str]:
        self._secrets[new.name] = new.secrets
        if new.argv:
            self._without_shell.add(new.name)
        try:
            created = self._with_placeholder(new)
        except Duplicate:
            return None
        except TmuxError as error:
            hint = _AT_START if isinstance(error, Hung) and not self._there else ""
            raise CreateError(f"session {new.name!r} could not be made: {error.message}{hint}")
        if new.keep_exited is not None:
            created = created._replace(keeps_dead=new.keep_exited, told=True)
        self._created[new.name] = created
        try:
            self._created[new.name] = self._replace_placeholder(new, created)
        except TmuxError as error:
            self._client.share = None  # What is half done is undone, however long it took.
            left = created.id if not self._remove(new.name) else None
            if isinstance(error, (NotFound, NoServer, Lost)):
                raise CreateError(_gone_at_once(new.name), left)
            raise CreateError(f"session {new.name!r} could not be made: {error.message}", left)
        finally:
            self._client.share = None
            self._forget(new, created.version)
        return created.id

    def rehearse(self, new: NewSession) -> None:
        """Refuse options that tmux does not take, before a session is removed for a new one that is to have them.

        They are given to a placeholder of another name, which goes then. What is to run is not tried: it may not be
        able to run twice at a time.

        :raises CreateError: when tmux does not take them.
        """
        other = new._replace(name="fleet-tmux-" + self._nonce)
        try:
            created = self._with_placeholder(other)
        except TmuxError as error:
            raise CreateError(f"session {new.name!r} could not be made: {error.message}")
        self._created[other.name] = created
        problem = self._refuses(new, created)
        left = None if self._remove(other.name) else created.id
        if problem or left:
            raise CreateError(f"session {new.name!r} could not be made: {problem or 'what was tried before'}", left)

    def _refuses(self, new: NewSession, created: CreatedSession) -> str:
        """What is wrong with the options of a session and of its windows; nothing if nothing is."""
        try:
            known = settings.known(self._client)
            for options in [new.options, *sorted({window.options for window in new.declared})]:
                wanted = settings.belonging(created.id, created.first_window, options, known)
                settings.apply(self._client, wanted, created.version)
        except (NotFound, NoServer, Lost):
            return _gone_at_once(new.name)
        except TmuxError as error:
            return error.message
        return ""

    def add(self, session: Session, new: NewSession, version: Version) -> None:
        """Make the declared windows in a session that is there, after those that it has, within the time of one call.

        Who uses it stays where he is, and may open, close and move windows meanwhile.

        :raises TmuxError: when they cannot be made; :meth:`settle` says which did not stay.
        """
        require_free_variables(self._client, session, new)
        self._secrets[session.name] = new.secrets
        created = CreatedSession(session.id, "", "0", bool(new.keep_exited), version, new.keep_exited is not None)
        created = created._replace(added=True)
        new = new._replace(options=tuple(pair for pair in new.options if pair[0] != "base-index"))
        seconds = self._client.timeout
        self._client.share = Share(seconds, OUTPUT_LIMIT, time.monotonic() + seconds)
        try:
            windows = self._opened(_declared_windows(new, created), new, created)
            created = created._replace(windows=tuple(window.id for window in windows))
            self._fill(windows, new, created)
        except TmuxError as error:
            self._client.share = None  # What is half done is undone, however long it took.
            if not self._undo_added(new, created):
                error.message += "; a part of it is still there"
            raise
        finally:
            self._client.share = None
            self._forget(new, version)
        self._created[session.name] = created

    def _opened(self, windows: Sequence[NewWindow], new: NewSession, created: CreatedSession) -> List[NewWindow]:
        """Windows with their first panes, and their ids: their places may be those of others by now."""
        env, told = dict(new.env), row(self._nonce, "w", ["#{window_id}", "#{pane_index}"])
        commands = [windows_.opening(each, created.id, created.version, env, told, self._nonce) for each in windows]
        printed = self._script([command for some in commands for command in some], created)
        made = [fields for kind, fields in rows(printed, self._nonce) if kind == "w"]
        if len(made) != len(windows) or not all(_is_window(fields) for fields in made):
            raise Failed("tmux did not say which windows it has made")
        return [window._replace(id=id_, first=int(first)) for window, (id_, first) in zip(windows, made)]

    def _fill(self, windows: Sequence[NewWindow], new: NewSession, created: CreatedSession) -> None:
        commands: List[Command] = []
        for window in windows:
            commands += windows_.filling(window, created.id, created.version, dict(new.env))
            commands += windows_.finishing(window, created.id)
        self._script(commands, created)
        options = [each for each in self._settings(new, created, windows) if each.of_window]
        settings.apply(self._client, options, created.version)
        commands = [command for window in windows for command in windows_.laying(window, created.id)]
        commands += [command for window in windows for command in windows_.opened(window)]
        self._script(commands, created)

    def _undo_added(self, new: NewSession, created: CreatedSession) -> bool:
        """Undo what was begun to be added; whether nothing of it is left. Who makes windows meanwhile keeps his."""
        own = {name for window in new.declared for pane in window.panes for name, _value in pane.env}
        fields = row(self._nonce, "u", ["#{window_id}", "#{%s}" % windows_.NONCE])
        try:
            self._client.script(windows_.restored(created.id, own, dict(new.env)), created.version)
            printed = to_text(self._client.call([["list-windows", "-t", created.id, "-F", fields]]))
        except (NotFound, NoServer, Lost):
            return True  # There is no such session any more.
        except TmuxError:
            return False
        made = [identity for _kind, (identity, nonce) in rows(printed, self._nonce) if nonce == self._nonce]
        return self._drop(made)

    def _drop(self, windows: Sequence[str]) -> bool:
        """Undo windows that were added, by their ids; whether none of them is left."""
        for window in windows:
            try:
                self._client.call([["kill-window", "-t", window]])
            except (NotFound, NoServer, Lost):
                continue  # It has gone by itself.
            except TmuxError:
                return False  # A server that does not answer is not asked once for each.
        return True

    def settle(self) -> Dict[str, str]:
        """Wait until the new sessions have either got going or ended; what is wrong with those that ended, by name."""
        deadline = time.monotonic() + SETTLE_SECONDS
        quiet: Dict[int, int] = {}
        while True:
            pids = [pid for session in self._ours(read_or_nothing(self._client)) for pid in session.pids]
            pending = [pid for pid in pids if not _is_quiet(pid, quiet)]
            if not pending or time.monotonic() >= deadline:
                break
            proctable.wait(_PAUSE)
        return self._problems()

    def _problems(self) -> Dict[str, str]:
        self._unset_remain_on_exit()
        listing = self._with_exit_statuses()
        there = {session.id: session for session in listing.sessions}
        problems = {}
        for name, created in sorted(self._created.items()):
            session = there.get(created.id)
            if session is None or _lacks(session, created):
                problems[name] = _gone_at_once(name, "a window of session" if created.added else "session")
            elif not created.keeps_dead and _has_ended(session, created):
                pane = next(pane for pane in _panes_of(session, created) if pane.dead)
                said = self._said_in(pane, self._secrets.get(name, ()))
                problems[name] = _how_it_ended(session, pane, said) + self._about_shell(name)
            if name in problems and session is not None:
                self._undo(session, created, listing.version)
        return problems

    def _about_shell(self, name: str) -> str:
        """What to do where a command was given to a shell that runs none."""
        account = self._client.account
        if name in self._without_shell or os.path.basename(account.shell) not in _RUN_NOTHING:
            return ""
        return f"; {brief(account.shell)}, the shell of {account.name}, runs no command: give a program with argv"

    def _undo(self, session: Session, created: CreatedSession, version: Version) -> None:
        if created.added:
            self._drop(created.windows)
        else:
            remove_same(self._client, version, [session])

    def _with_exit_statuses(self) -> Listing:
        """The server as it is now, with the exit status of every new pane that has ended.

        tmux 3.3a sometimes does not notice that a process has ended until another one does: so one is run.
        """
        listing = read_or_nothing(self._client)
        panes = [pane for session in self._ours(listing) for pane in session.panes]
        if not any(pane.dead and pane.status is None and not pane.signal for pane in panes):
            return listing
        try:
            self._client.call([["run-shell", ":"]])
        except TmuxError:
            pass  # Then the status stays unknown, which is said.
        return read_or_nothing(self._client)

    def _ours(self, listing: Listing) -> List[Session]:
        ids = {created.id for created in self._created.values()}
        return [session for session in listing.sessions if session.id in ids]

    def _with_placeholder(self, new: NewSession) -> CreatedSession:
        fields = "session_id window_id window_index version remain-on-exit".split()
        command = ["new-session", "-d", "-P", "-F", row(self._nonce, "n", [f"#{{{field}}}" for field in fields])]
        for attempt in range(_ATTEMPTS):
            version = self._server_version()  # Asked every time: the server may have ended since the last one.
            words = ["-s", expanded_literal(new.name, version), "-c", expanded_literal(new.chdir, version)]
            words += ["-x", str(new.size[0]), "-y", str(new.size[1])] if new.size else []
            try:
                output = self._client.call([command + words + ["--", "sleep", str(_PLACEHOLDER_SECONDS)]], work=1)
            except Lost:
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(_PAUSE)  # The server was just ending; the next call starts a new one.
                continue
            return self._read_created(to_text(output))
        raise AssertionError("not reached")

    def _server_version(self) -> Version:
        """What the server understands, for it expands the name. One that is not there yet will be of our binary."""
        try:
            output = to_text(self._client.call([["list-sessions", "-F", row(self._nonce, "v", ["#{version}"])]]))
        except (NoServer, Lost):
            self._there = False
            return self._client.version
        self._there = True
        found = [fields[0] for kind, fields in rows(output, self._nonce) if kind == "v"]
        return parse_version(found[0]) if found else self._client.version

    def _read_created(self, output: str) -> CreatedSession:
        found = [fields for kind, fields in rows(output, self._nonce) if kind == "n"]
        if not found or not found[0][0].startswith("$") or number_or_none(found[0][2]) is None:
            raise Failed("tmux did not say which session it has made")
        identifier, window, index, version, remain = found[0]
        return CreatedSession(identifier, window, index, is_on(remain), parse_version(version))

    def _replace_placeholder(self, new: NewSession, created: CreatedSession) -> CreatedSession:
        options = self._settings(new, created)
        # Some count for windows that are made afterwards only, like history-limit.
        settings.apply(self._client, [each for each in options if not each.of_window], created.version)
        made = self._make_windows(new, created, options)
        if not (new.windows or new.declared):
            settings.apply(self._client, [each for each in options if each.of_window], created.version)
        return made

    def _settings(self, new: NewSession, created: CreatedSession, windows: Sequence[NewWindow] = ()) -> List[Setting]:
        """The options of the session, of its first window, or of each one that is declared."""
        own = [(window, window.options) for window in new.declared]
        if not new.options and not any(options for _window, options in own):
            return []
        known = settings.known(self._client)
        for name, _value in new.options:
            known.require(name, created.version)
        for name, _value in [pair for _window, options in own for pair in options]:
            known.require_of_window(name, created.version)
        if new.declared:
            return _declared_settings(new, created, windows or _declared_windows(new, created), known)
        first = f"{created.id}:{new.windows[0].number}" if new.windows else created.first_window
        return settings.belonging(created.id, first, new.options, known)

    def _make_windows(self, new: NewSession, created: CreatedSession, options: Sequence[Setting]) -> CreatedSession:
        """Make the windows at their places; the placeholder goes, if none of them takes its place.

        Bit by bit: a server that is slow has never much left to do when its time is up, and can be asked to undo it.
        """
        if not new.windows and not new.declared:
            return self._make_window(new, created)
        windows = self._saved_windows(new) if new.windows else _declared_windows(new, created)
        self._script(_all_made(windows, new, created), created)
        settings.apply(self._client, [each for each in options if each.of_window], created.version)
        self._script(_all_finished(windows, new, created), created)
        return created._replace(windows=tuple(f"{created.id}:{window.number}" for window in windows if new.declared))

    def _forget(self, new: NewSession, version: Version) -> None:
        """Have the server forget its messages, among them the commands with the values of variables.

        It keeps them for longer than the sessions, and shows them to everybody whom it lets in.
        """
        if not (new.has_variables and version.has(Capability.COMMANDS_IN_MESSAGES)):
            return
        try:
            self._client.script(FORGETTING, version)
        except TmuxError:
            pass  # Of a server that has ended there are none; what else is wrong with it is told by the next call.

    def _script(self, commands: Sequence[Command], created: CreatedSession) -> str:
        """What they print."""
        return "".join(
            to_text(self._client.script(commands[start : start + _AT_ONCE], created.version, work=_AT_ONCE))
            for start in range(0, len(commands), _AT_ONCE)
        )

    def _make_window(self, new: NewSession, created: CreatedSession) -> CreatedSession:
        pane = NewPane(program(new.command, new.argv), new.chdir)
        window = NewWindow(int(created.window_index), new.window_name, (pane,), size=new.size)
        commands = windows_.variables(created.id, new.env)
        commands += windows_.making(window, created.id, created.version, {}, replaces=True)
        commands.append(set_for_window(created.id + ":", True))
        if new.log is not None:
            commands += pipes.start(created.id + ":", created.id, new.log, created.version, new.log_max_size)
        if new.job:
            # After its command has begun: who finds the mark must not take the placeholder for the job.
            commands.append(["set-option", "-t", created.id, JOB_OPTION, new.job])
        self._client.script(commands, created.version, work=len(commands))
        return created

    def _saved_windows(self, new: NewSession) -> List[NewWindow]:
        """The windows of a snapshot."""
        places = self._enterable({pane.path for window in new.windows for pane in window.panes if pane.path})
        return [
            NewWindow(
                number=window.number,
                name=window.name,
                panes=tuple(
                    NewPane(
                        tuple(_restored_pane(pane, new)),
                        pane.path if pane.path in places else new.chdir,
                        focus=pane.active,
                    )
                    for pane in window.panes
                ),
                layout=window.layout,
                size=(window.width, window.height),
            )
            for window in new.windows
        ]

    def _enterable(self, paths: Set[str]) -> Set[str]:
        """Which directories the owner can enter. One that does not answer costs no more than half of the time."""
        account, asked = self._client.account, sorted(paths)
        deadline = time.monotonic() + self._client.timeout / 2
        found: Set[str] = set()
        for start in range(0, len(asked), _PATHS_AT_ONCE):
            part = asked[start : start + _PATHS_AT_ONCE]
            words = ["/bin/sh", "-c", 'for d; do [ -d "$d" ] && [ -x "$d" ] && echo y || echo n; done', "sh", *part]
            left = max(0.0, deadline - time.monotonic())
            try:
                outcome = run(words, user=account if self._as_user else None, env=environment(account), timeout=left)
            except OSError:
                break
            found.update(path for path, answer in zip(part, outcome.out.split()) if answer == b"y")
        return found

    def _unset_remain_on_exit(self) -> None:
        """Let panes go again when their command ends; one that has ended already keeps its last words for us."""
        commands: List[Command] = [
            [
                *("if-shell", "-F", "-t", place, while_there("#{?pane_dead,0,1}")),
                " ".join(_no_longer(place, created.told)),
            ]
            for created in self._created.values()
            if not (created.told and created.keeps_dead)
            for place in created.windows or (created.id + ":",)
        ]
        for start in range(0, len(commands), 100):
            try:
                self._client.call(commands[start : start + 100])
            except TmuxError:
                continue  # Who is not there any more is found by the listing that follows.

    def _said_in(self, pane: Pane, secrets_: Sequence[str]) -> str:
        """What a pane has shown at last, in words, if it may be told; without what is secret, before it is cut."""
        if self._client.discreet:
            return f"what it said is not told ({WITHHELD})"
        words = without("\n".join(self._last_words(pane)), secrets_, begun=True).splitlines()
        return f"it said: {' | '.join(words)}" if words else "nothing of what it said is left"

    def _last_words(self, pane: Pane) -> List[str]:
        """The last lines that a pane has shown, also of those that are longer than it is wide."""
        try:
            output = self._client.call([["capture-pane", "-p", "-J", "-S", f"-{_LAST_LINES}", "-t", pane.id]])
        except TmuxError:
            return []
        return [line.rstrip() for line in last_words(to_text(output))[-_LAST_LINES:]]

    def _remove(self, name: str) -> bool:
        """Undo what was begun; whether nothing of it is left."""
        created = self._created.pop(name)
        try:
            listing = read_or_nothing(self._client)
            ours = [session for session in listing.sessions if (session.id, session.name) == (created.id, name)]
            answers = remove_same(self._client, listing.version, ours).answers
        except TmuxError:
            return False
        return all(answer.result in ("done", "vanished") for answer in answers.values())


def _gone_at_once(name: str, what: str = "session") -> str:
    return (
        f"{what} {name!r} was made and was gone again at once; destroy-unattached or exit-unattached in the "
        "configuration of the server, or a hook, does that"
    )


def _has_ended(session: Session, created: CreatedSession) -> bool:
    return (any if created.windows else all)(pane.dead for pane in _panes_of(session, created))


def _panes_of(session: Session, created: CreatedSession) -> List[Pane]:
    """The panes that were made."""
    if not created.windows:
        return session.panes
    windows = [window for window in session.windows if _places(session, window) & set(created.windows)]
    return [pane for window in windows for pane in window.panes]


def _lacks(session: Session, created: CreatedSession) -> bool:
    """Whether a window that was made is not there."""
    return not set(created.windows) <= {place for window in session.windows for place in _places(session, window)}


def _is_window(fields: Sequence[str]) -> bool:
    """Whether that is the id of a window and the number of a pane, for a server may say anything."""
    return re.fullmatch(r"@[0-9]{1,19} [0-9]{1,9}", " ".join(fields)) is not None


def _places(session: Session, window: Window) -> Set[str]:
    """How a window that was made may be called: by its place, or by its id."""
    return {f"{session.id}:{window.number}", window.id}


def _how_it_ended(session: Session, pane: Pane, said: str) -> str:
    status = "unknown" if pane.status is None else pane.status
    how = f"signal {pane.signal}" if pane.signal else f"exit status {status}"
    where = "" if len(session.panes) == 1 else f"pane {session.panes.index(pane) + 1} of "
    return f"the command of {where}session {session.name!r} ended at once, with {how}; {brief(said)}"


def _declared_windows(new: NewSession, created: CreatedSession) -> List[NewWindow]:
    """The windows that are declared, from the place on where the session begins to count."""
    first = dict(new.options).get("base-index", created.window_index)
    begin = number_or_none(first)
    if begin is None:
        raise Failed(f"option base-index: {first!r} is no number")
    return [
        windows_.declared_window(window, begin + number, dict(new.places), new.size)
        for number, window in enumerate(new.declared)
    ]


def _all_made(windows: Sequence[NewWindow], new: NewSession, created: CreatedSession) -> List[Command]:
    keep = True if new.declared else new.keep_exited  # Each pane that is declared is seen to stay, or how it ended.
    commands = windows_.variables(created.id, new.env)
    for window in windows:
        replaces = str(window.number) == created.window_index
        commands += windows_.making(window, created.id, created.version, dict(new.env), replaces)
        commands += [] if keep is None else windows_.staying(created.id, [window], keep)
        # At once, while it is the current one: of many windows, that ends a 3.3a when it is done at the end.
        commands += windows_.finishing(window, created.id)
    if created.window_index not in [str(window.number) for window in windows]:
        commands.append(["kill-window", "-t", created.first_window])
    return commands


def _all_finished(windows: Sequence[NewWindow], new: NewSession, created: CreatedSession) -> List[Command]:
    # Options that came after it may say how large the main pane is.
    commands = [command for window in windows for command in windows_.laying(window, created.id) if new.declared]
    commands.append(["select-window", "-t", f"{created.id}:{_active(new, windows).number}"])
    return commands + ([] if new.declared else [set_for_window(created.id + ":", True)])


def _declared_settings(
    new: NewSession, created: CreatedSession, windows: Sequence[NewWindow], known: Options
) -> List[Setting]:
    found = settings.belonging(
        created.id, "", [pair for pair in new.options if not known.is_of_windows(pair[0])], known
    )
    shared = [pair for pair in new.options if known.is_of_windows(pair[0])]
    for window, made in zip(new.declared, windows):
        found += settings.of_window(made.place(created.id), shared, window.options)
    return found


def _active(new: NewSession, windows: Sequence[NewWindow]) -> NewWindow:
    wanted = [window.active for window in new.windows] or [window.focus for window in new.declared]
    return next((window for window, active in zip(windows, wanted) if active), windows[0])


def _no_longer(place: str, told: bool) -> Command:
    return set_for_window(target(place), False) if told else unset_for_window(target(place))


def _restored_pane(pane: SavedPane, new: NewSession) -> List[str]:
    """Show what the pane had shown, and go on with its command, or with a shell."""
    # What somebody else has written may be more than text: to a terminal, and to whoever reads it.
    show = "cat -v" if new.foreign else "cat"
    words = ["/bin/sh", "-c", show + ' -- "$0"; exec "${SHELL:-/bin/sh}" "$@"', pane.text]
    command = command_of(pane) if new.restore_commands else ""
    return [*words, "-c", command] if command else words


def _is_quiet(pid: int, seen: Dict[int, int]) -> bool:
    """Whether a process waits for something, at several looks in a row: then it has got going."""
    process = proctable.read_process(pid, ())  # A server may say any pid.
    if process is None or not process.alive:
        return True
    seen[pid] = seen.get(pid, 0) + 1 if process.state != "R" else 0
    return seen[pid] >= 4
