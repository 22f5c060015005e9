# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes sessions, and looks whether they are still there a moment later."""

import secrets
import shlex
import time
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils import _proctable as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._child import User, environment, run
from ansible_collections.fleet.tmux.plugins.module_utils._model import Listing, Session, read_or_nothing, row, rows
from ansible_collections.fleet.tmux.plugins.module_utils._remove import remove_same
from ansible_collections.fleet.tmux.plugins.module_utils._snapshot import SavedPane, SavedWindow
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import (
    Client,
    Command,
    Failed,
    Lost,
    NoServer,
    TmuxError,
    Version,
    expanded_literal,
    parse_version,
    shown,
    target,
    to_text,
)

SETTLE_SECONDS = 1.0
"""How long a command that computes (and does not wait for anything) is watched for ending at once."""

_ATTEMPTS = 8
_PAUSE = 0.05
_PLACEHOLDER_SECONDS = 60
_LAST_WORDS = 5


class CreateError(Exception):
    """A session that could not be made, or did not stay. The message says what happened."""


class Wanted(NamedTuple):
    """What a new session should be. ``command`` is for the user's shell; ``argv`` is run as given."""

    name: str
    command: Optional[str]
    argv: Tuple[str, ...]
    chdir: str
    env: Tuple[Tuple[str, str], ...]
    width: Optional[int]
    height: Optional[int]
    window_name: Optional[str]
    windows: Tuple[SavedWindow, ...] = ()
    restore_commands: bool = False


class Made(NamedTuple):
    """A session that tmux says it has made. ``keeps_dead``: its panes would stay when their command ends."""

    id: str
    window: str
    window_index: str
    keeps_dead: bool
    version: Version


def working_directory(chdir: Optional[str], user: User, as_user: bool) -> str:
    """The directory for a session: ``chdir``, or the owner's home (``/`` if there is none).

    tmux would silently use another directory when it cannot enter this one, so the owner tries first.

    :raises CreateError: when the owner cannot enter ``chdir``.
    """
    if chdir is None:
        return user.home if _can_enter(user.home, user, as_user) else "/"
    path = user.home + chdir[1:] if chdir == "~" or chdir.startswith("~/") else chdir
    if not path.startswith("/"):
        raise CreateError("chdir: %r is not absolute; write a path that starts with / or ~/" % chdir)
    if not _can_enter(path, user, as_user):
        raise CreateError("chdir: %s is no directory that %s can enter; create it first" % (shown(path), user.name))
    return path


def _can_enter(path: str, user: User, as_user: bool) -> bool:
    words = ["test", "-d", path, "-a", "-x", path]
    return run(words, user=user if as_user else None, env=environment(user), timeout=10).rc == 0


class Creator:
    """Makes sessions on one server, and undoes what does not stay."""

    def __init__(self, client: Client, as_user: bool) -> None:
        self._client = client
        self._as_user = as_user
        self._nonce = secrets.token_hex(8)
        self._made: Dict[str, Made] = {}

    def create(self, wanted: Wanted) -> bool:
        """Make one session: False when somebody else has made one of that name meanwhile.

        It begins with a placeholder, which is then replaced in its place: only a session that exists can be given an
        environment that is in no process's arguments, and told to keep what its command says when it ends at once.

        :raises CreateError: when it cannot be made; nothing of it is left.
        """
        try:
            made = self._begin(wanted)
        except TmuxError as error:
            if error.message.startswith("tmux: duplicate session: "):
                return False
            raise CreateError("session %r could not be made: %s" % (wanted.name, error.message))
        self._made[wanted.name] = made
        try:
            self._fill(wanted, made)
        except TmuxError as error:
            self._drop(wanted.name)
            raise CreateError(_unfilled(wanted.name, error))
        return True

    def settle(self) -> Dict[str, str]:
        """Wait until the new sessions have either got going or ended; what is wrong with those that ended, by name."""
        deadline = time.monotonic() + SETTLE_SECONDS
        quiet: Dict[int, int] = {}
        while True:
            listing = read_or_nothing(self._client)
            pending = [pid for pid in self._pids(listing) if not _is_quiet(pid, quiet)]
            if not pending or time.monotonic() >= deadline:
                break
            proctable.wait(_PAUSE)
        return self._ended()

    def _ended(self) -> Dict[str, str]:
        problems = {}
        self._release(list(self._made.values()))
        listing = self._with_endings()
        by_id = {session.id: session for session in listing.sessions}
        for name, made in sorted(self._made.items()):
            session = by_id.get(made.id)
            if session is None:
                problems[name] = _UNSTAYING % name
            elif not made.keeps_dead and all(pane.dead for pane in session.panes):
                problems[name] = self._bury(session, listing.version)
        return problems

    def _with_endings(self) -> Listing:
        """The server as it is now, with the exit status of every new pane that has ended.

        tmux 3.3a sometimes does not notice that a process has ended until another one does: so one is run.
        """
        listing = read_or_nothing(self._client)
        ids = {made.id for made in self._made.values()}
        panes = [pane for session in listing.sessions if session.id in ids for pane in session.panes]
        if not any(pane.dead and pane.status is None and not pane.signal for pane in panes):
            return listing
        try:
            self._client.call([["run-shell", ":"]])
        except TmuxError:
            pass  # Then the status stays unknown, which is said.
        return read_or_nothing(self._client)

    def _pids(self, listing: Listing) -> List[int]:
        ids = {made.id for made in self._made.values()}
        return [pid for session in listing.sessions if session.id in ids for pid in session.pids]

    def _begin(self, wanted: Wanted) -> Made:
        fields = "session_id window_id window_index version remain-on-exit".split()
        command = ["new-session", "-d", "-P", "-F", row(self._nonce, "n", ["#{%s}" % field for field in fields])]
        for attempt in range(_ATTEMPTS):
            version = self._server_version()  # Asked every time: the server may have ended since the last one.
            literal = expanded_literal(wanted.name, version)
            words = ["-s", literal, "-c", expanded_literal(wanted.chdir, version)] + _size(wanted)
            try:
                output = self._client.call([command + words + ["--", "sleep", str(_PLACEHOLDER_SECONDS)]], work=1)
            except Lost:
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(_PAUSE)  # The server was just ending; the next call starts a new one.
                continue
            return self._read_made(to_text(output))
        raise AssertionError("not reached")

    def _server_version(self) -> Version:
        """What the server understands, for it expands the name. One that is not there yet will be of our binary."""
        try:
            output = to_text(self._client.call([["list-sessions", "-F", row(self._nonce, "v", ["#{version}"])]]))
        except (NoServer, Lost):
            return self._client.version
        found = [fields[0] for kind, fields in rows(output, self._nonce) if kind == "v"]
        return parse_version(found[0]) if found else self._client.version

    def _read_made(self, output: str) -> Made:
        found = [fields for kind, fields in rows(output, self._nonce) if kind == "n"]
        if not found or not found[0][0].startswith("$"):
            raise Failed("tmux did not say which session it has made")
        identity, window, index, version, remain = found[0]
        return Made(identity, window, index, remain not in ("", "off", "0"), parse_version(version))

    def _fill(self, wanted: Wanted, made: Made) -> None:
        commands: List[Command] = [["set-environment", "-t", made.id, "--", key, value] for key, value in wanted.env]
        commands += self._restored(wanted, made) if wanted.windows else [_new_window(wanted, made)]
        commands.append(["set-option", "-w", "-t", made.id + ":", "remain-on-exit", "on"])
        if (wanted.width or wanted.height) and not wanted.windows:
            commands += _resized(made.id + ":", wanted.width or 80, wanted.height or 24, made)
        self._client.script(commands, made.version, work=len(commands))

    def _restored(self, wanted: Wanted, made: Made) -> List[Command]:
        """The windows of a snapshot, at their places; the placeholder goes, if none of them takes its place."""
        commands: List[Command] = []
        for window in wanted.windows:
            commands += self._restored_window(window, wanted, made)
        if made.window_index not in [str(window.number) for window in wanted.windows]:
            commands.append(["kill-window", "-t", "%s:%s" % (made.id, made.window_index)])
        active = [window.number for window in wanted.windows if window.active] or [wanted.windows[0].number]
        return commands + [["select-window", "-t", "%s:%d" % (made.id, active[0])]]

    def _restored_window(self, window: SavedWindow, wanted: Wanted, made: Made) -> List[Command]:
        place = "%s:%d" % (made.id, window.number)
        first = ["new-window"] + (["-k"] if str(window.number) == made.window_index else []) + ["-t", place]
        commands: List[Command] = []
        for pane in window.panes:
            named = ["-n", _window_name(window.name, made.version)]
            here = first + named if pane is window.panes[0] else ["split-window", "-t", place]
            chdir = pane.path if _can_enter(pane.path, self._client.account, self._as_user) else wanted.chdir
            where = ["-c", expanded_literal(chdir, made.version), "--"]
            commands.append(here + where + _restored_command(pane, wanted))
            if pane is window.panes[0]:
                commands += _resized(place, window.width, window.height, made)
            # Room for the next pane: tmux refuses to split one that is too small.
            commands.append(["select-layout", "-t", place, "tiled"])
        commands.append(["select-layout", "-t", place, window.layout])
        # The last pane is the active one now; the one that was comes so many steps after it.
        at = [position for position, pane in enumerate(window.panes) if pane.active] or [0]
        return commands + [["select-pane", "-t", place + ".+"]] * ((at[0] + 1) % len(window.panes))

    def _release(self, made: Sequence[Made]) -> None:
        """Let panes go again when their command ends; one that has ended already keeps its last words for us."""
        commands: List[Command] = [
            ["if-shell", "-F", "-t", it.id + ":", "#{?session_id,#{?pane_dead,0,1},0}", _let_go(it)] for it in made
        ]
        for start in range(0, len(commands), 100):
            try:
                self._client.call(commands[start : start + 100])
            except TmuxError:
                continue  # Who is not there any more is found by the listing that follows.

    def _bury(self, session: Session, version: Version) -> str:
        pane = session.panes[0]
        try:
            output = to_text(self._client.call([["capture-pane", "-p", "-S", "-%d" % _LAST_WORDS, "-t", pane.id]]))
        except TmuxError:
            output = ""
        remove_same(self._client, version, [session])
        lines = [line for line in output.splitlines() if line.strip() and not line.startswith("Pane is dead")]
        last_words = shown(" | ".join(lines[-_LAST_WORDS:]))
        said = "it said: %s" % last_words if lines else "nothing of what it said is left"
        how = (
            "signal %s" % pane.signal
            if pane.signal
            else "exit status %s" % ("unknown" if pane.status is None else pane.status)
        )
        return "the command of session %r ended at once, with %s; %s" % (session.name, how, said)

    def _drop(self, name: str) -> None:
        made = self._made.pop(name)
        try:
            listing = read_or_nothing(self._client)
            ours = [it for it in listing.sessions if it.id == made.id and it.name == name]
            remove_same(self._client, listing.version, ours)
        except TmuxError:
            pass  # The placeholder ends by itself within a minute.


_UNSTAYING = (
    "session %r was made and was gone again at once; destroy-unattached or exit-unattached in the configuration "
    "of the server, or a hook, does that"
)


def _unfilled(name: str, error: TmuxError) -> str:
    gone = "find session" in error.message or "find window" in error.message or isinstance(error, (NoServer, Lost))
    return _UNSTAYING % name if gone else "session %r could not be made: %s" % (name, error.message)


def _size(wanted: Wanted) -> List[str]:
    words: List[str] = []
    if wanted.width or wanted.height:
        words = ["-x", str(wanted.width or 80), "-y", str(wanted.height or 24)]
    return words


def _new_window(wanted: Wanted, made: Made) -> Command:
    words = [
        "new-window",
        "-k",
        "-t",
        "%s:%s" % (made.id, made.window_index),
        "-c",
        expanded_literal(wanted.chdir, made.version),
    ]
    if wanted.window_name is not None:
        words += ["-n", _window_name(wanted.window_name, made.version)]
    if wanted.command is not None:
        words += ["--", wanted.command]
    elif len(wanted.argv) == 1:
        # tmux gives a single word to the user's shell; this way it is run as given.
        words += ["--", "/bin/sh", "-c", 'exec "$0"', wanted.argv[0]]
    elif wanted.argv:
        words += ["--"] + list(wanted.argv)
    return words


def _resized(place: str, width: int, height: int, made: Made) -> List[Command]:
    """tmux 3.2 does not take the size from new-session."""
    if (made.version.major, made.version.minor) != (3, 2):
        return []
    return [["resize-window", "-t", place, "-x", str(width), "-y", str(height)]]


def _window_name(name: str, version: Version) -> str:
    expands = (version.major, version.minor) != (3, 0)  # The one version that takes it as it is.
    return expanded_literal(name, version) if expands else name


def _restored_command(pane: SavedPane, wanted: Wanted) -> List[str]:
    """Show what the pane had shown, and go on with its command, or with a shell."""
    words = ["/bin/sh", "-c", 'cat -- "$0"; exec "${SHELL:-/bin/sh}" "$@"', pane.text]
    if not (wanted.restore_commands and pane.start_command):
        return words
    try:
        split = shlex.split(pane.start_command)
    except ValueError:
        split = []
    # tmux since 3.2 writes a command for the shell as one quoted word, the words of an argv like a shell would.
    return words + ["-c", split[0] if len(split) == 1 else pane.start_command]


def _let_go(made: Made) -> str:
    return "set-option -w -u -t %s remain-on-exit" % target(made.id + ":")


def _is_quiet(pid: int, seen: Dict[int, int]) -> bool:
    """Whether a process waits for something, at several looks in a row: then it has got going."""
    process: Any = proctable.read_process(pid)
    if process is None or not process.alive:
        return True
    seen[pid] = seen.get(pid, 0) + 1 if process.state != "R" else 0
    return seen[pid] >= 4
