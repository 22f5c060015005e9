# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Creates sessions."""

import secrets
import time
from typing import Callable, List, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions import windows as windows_
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove import remove_same
from ansible_collections.fleet.tmux.plugins.module_utils._actions.restore import SavedPane, SavedWindow
from ansible_collections.fleet.tmux.plugins.module_utils._actions.saved import command_of
from ansible_collections.fleet.tmux.plugins.module_utils._actions.settle import CreatedSession, Settler, gone_at_once
from ansible_collections.fleet.tmux.plugins.module_utils._actions.windows import NewPane, NewWindow, program
from ansible_collections.fleet.tmux.plugins.module_utils._host.child import OUTPUT_LIMIT, environment, run
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import secret_parts, shown, to_text
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._policy.declared import DeclaredWindow, Pairs
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import pipes, settings
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.details import going_with, marking
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    FORGETTING,
    Capability,
    Command,
    Version,
    expanded_literal,
    is_on,
    parse_version,
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
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.exits import keeping_pane, set_for_window
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    number_or_none,
    read_or_nothing,
    row,
    rows,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.settings import Options, Setting
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.share import Share

_AT_START = (
    "; there was no server yet, and one that starts first does all that the configuration of its user says "
    "(~/.tmux.conf): if that takes longer, give it more time with timeout"
)

_ATTEMPTS = 8
_PAUSE = 0.05
PLACEHOLDER_SECONDS = 60
PLACEHOLDER = "sleep %d" % PLACEHOLDER_SECONDS
"""What runs in a session while it is being made."""
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
    ``job``: the hash of the job that it is made for. ``cleanup``: what is noted of files that go with it.
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
    cleanup: str = ""

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


class Creator(Settler):
    """Creates sessions on one server, and undoes what does not stay."""

    def __init__(self, client: Client, as_user: bool) -> None:
        super().__init__(client)
        self._as_user = as_user
        self._nonce = secrets.token_hex(8)
        self._there = True
        self.last_look: Optional[Callable[[], None]] = None
        """Raises an error of tmux if a session that has its name by now is not to be made after all."""

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
            if self.last_look is not None:
                self.last_look()
            self._created[new.name] = self._replace_placeholder(new, created)
        except TmuxError as error:
            self._client.share = None  # What is half done is undone, however long it took.
            left = created.id if not self._remove(new.name) else None
            if isinstance(error, (NotFound, NoServer, Lost)):
                raise CreateError(gone_at_once(new.name), left)
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
            return gone_at_once(new.name)
        except TmuxError as error:
            return error.message
        return ""

    def _with_placeholder(self, new: NewSession) -> CreatedSession:
        fields = "session_id window_id window_index version remain-on-exit".split()
        command = ["new-session", "-d", "-P", "-F", row(self._nonce, "n", [f"#{{{field}}}" for field in fields])]
        for attempt in range(_ATTEMPTS):
            version = self._server_version()  # Asked every time: the server may have ended since the last one.
            words = ["-s", expanded_literal(new.name, version), "-c", expanded_literal(new.chdir, version)]
            words += ["-x", str(new.size[0]), "-y", str(new.size[1])] if new.size else []
            try:
                output = self._client.call([command + words + ["--", *PLACEHOLDER.split()]], work=1)
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
        if new.cleanup:  # Before anything begins that may leave files.
            self._client.script(going_with(created.id, new.cleanup), created.version)
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
            return _declared_settings(new, created, windows or wanted_windows(new, created), known)
        first = f"{created.id}:{new.windows[0].number}" if new.windows else created.first_window
        return settings.belonging(created.id, first, new.options, known)

    def _make_windows(self, new: NewSession, created: CreatedSession, options: Sequence[Setting]) -> CreatedSession:
        """Make the windows at their places; the placeholder goes, if none of them takes its place.

        Bit by bit: a server that is slow has never much left to do when its time is up, and can be asked to undo it.
        """
        if not new.windows and not new.declared:
            return self._make_window(new, created)
        windows = self._saved_windows(new) if new.windows else wanted_windows(new, created)
        printed = self._script(_all_made(windows, new, created, self._nonce), created)
        settings.apply(self._client, [each for each in options if each.of_window], created.version)
        noting = windows_.noting_birth(printed, self._nonce, created.id, windows)
        self._script(noting + _all_finished(windows, new, created), created)
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
            place = created.id + ":"
            commands.append(pipes.start(place, new.log, created.version, new.log_max_size))
            commands.append(pipes.note(place, pipes.ACTIVE, new.log, new.log_max_size))
        if new.job:
            # After its command has begun: who finds the mark must not take the placeholder for the job.
            commands += marking(created.id, new.job, created.version)
            commands += keeping_pane(created.id + ":", created.version)
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


def wanted_windows(new: NewSession, created: CreatedSession) -> List[NewWindow]:
    """The windows that are declared, from the place on where the session begins to count."""
    first = dict(new.options).get("base-index", created.window_index)
    begin = number_or_none(first)
    if begin is None:
        raise Failed(f"option base-index: {first!r} is no number")
    return [
        windows_.declared_window(window, begin + number, dict(new.places), new.size, new.log_max_size)
        for number, window in enumerate(new.declared)
    ]


def _all_made(windows: Sequence[NewWindow], new: NewSession, created: CreatedSession, nonce: str) -> List[Command]:
    keep = True if new.declared else new.keep_exited  # Each pane that is declared is seen to stay, or how it ended.
    commands = windows_.variables(created.id, new.env)
    for window in windows:
        replaces = str(window.number) == created.window_index
        commands += windows_.making(window, created.id, created.version, dict(new.env), replaces)
        commands += [] if keep is None else windows_.staying(created.id, [window], keep)
        # At once, while it is the current one: of many windows, that ends a 3.3a when it is done at the end.
        commands += windows_.finishing(window, created.id) + windows_.telling_birth(window, created.id, nonce)
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


def _restored_pane(pane: SavedPane, new: NewSession) -> List[str]:
    """Show what the pane had shown, and go on with its command, or with a shell."""
    # What somebody else has written may be more than text: to a terminal, and to whoever reads it.
    show = "cat -v" if new.foreign else "cat"
    words = ["/bin/sh", "-c", show + ' -- "$0"; exec "${SHELL:-/bin/sh}" "$@"', pane.text]
    command = command_of(pane) if new.restore_commands else ""
    return [*words, "-c", command] if command else words
