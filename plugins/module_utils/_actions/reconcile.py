# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares sessions that are there with what they are declared to be, and sets what can be set without harm."""

import secrets
import time
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._actions.windows import MARK, PANES, Made
from ansible_collections.fleet.tmux.plugins.module_utils._host.births import Birth, birth_of
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import to_text
from ansible_collections.fleet.tmux.plugins.module_utils._policy import cleanups
from ansible_collections.fleet.tmux.plugins.module_utils._policy.begun import Begun
from ansible_collections.fleet.tmux.plugins.module_utils._policy.cleanups import Files
from ansible_collections.fleet.tmux.plugins.module_utils._policy.declared import (
    CLEANUP,
    ENV,
    KEEP_EXITED,
    LOG,
    NAME,
    OPTION,
    WINDOW,
    Compared,
    DeclaredWindow,
    Details,
    Difference,
    Log,
    Logged,
    compare_windows,
    logged_panes,
    logs_of,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.layouts import TILED
from ansible_collections.fleet.tmux.plugins.module_utils._policy.recreate import (
    Extra,
    Left,
    Shells,
    left,
    may_be_typed_in,
    wants_anew,
    window_left,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs.prompts import Prompts
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import exits, pipes, settings
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.details import Noted, going_with, noted
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    Capability,
    Command,
    as_stored,
    expanded_literal,
    has_variable,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Failed
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    Listing,
    Pane,
    Session,
    Window,
    number_or_none,
    row,
    rows,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.pipes import Pipe
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.settings import Found, Options, Setting


class Declared(NamedTuple):
    """What may be declared of a session, and be compared with one that is there. ``keep_exited``: None is nothing."""

    keep_exited: Optional[bool] = None
    options: Tuple[Tuple[str, str], ...] = ()
    windows: Tuple[DeclaredWindow, ...] = ()
    log: Optional[Log] = None
    chdir: Optional[str] = None
    env: Tuple[Tuple[str, str], ...] = ()
    cleanup: Optional[Files] = None


Spared = Tuple[Tuple[Window, Left], ...]


FOREIGN = "another pipe-pane"
ELSEWHERE = "another pane"


class LogDifference(NamedTuple):
    """A log that a pane should have and has not. ``found``: the one that it has, or why it gets none."""

    logged: Logged
    found: Optional[str] = None

    @property
    def difference(self) -> Difference:
        return Difference(LOG, self.logged.log.path, self.found, self.logged.window, self.logged.place)


class Comparison(NamedTuple):
    """What is to be done for one session that is there. ``discreet``: whether what was found stays on the host.

    ``left``: why it is not made anew, where that was to be done. ``logs``: those that are to begin. ``other_logs``:
    those that do not, because of a pipe of somebody else's, or of panes that have changed places. ``ours``: the ids of
    windows in which only that runs which was made from what was declared once. ``pruned``: the windows that are to go.
    ``spared``: those that were to, and why they do not. ``env``: the variables that it does not have as declared.
    ``cleanup``: the files that are to go with it, and those that would, where these are others.
    """

    session: Session
    keep_exited: Optional[bool] = None
    options: Tuple[Tuple[Setting, Found], ...] = ()
    windows: Compared = Compared()
    discreet: bool = False
    logs: Tuple[LogDifference, ...] = ()
    left: Optional[Left] = None
    other_logs: Tuple[LogDifference, ...] = ()
    ours: Tuple[str, ...] = ()
    pruned: Tuple[Extra, ...] = ()
    spared: Spared = ()
    env: Tuple[str, ...] = ()
    cleanup: Optional[Tuple[Files, Files]] = None

    @property
    def differences(self) -> List[Difference]:
        """What is to be set or made, in words."""
        kept = self.keep_exited
        told = [] if kept is None else [Difference(KEEP_EXITED, _words(kept), _words(not kept))]
        told += [each.difference for each in self.logs]
        told += [] if self.cleanup is None else [Difference(CLEANUP, self.cleanup[0].words, self.cleanup[1].words)]
        told += [Difference(NAME, wanted.name, found.name, wanted.label) for wanted, found in self.windows.renamed]
        told += [self._difference(setting, was) for setting, was in self.options]
        told += [Difference(WINDOW, window.label, None, window.label) for window in self.windows.missing]
        told += [Difference(WINDOW, None, extra.window.name) for extra in self.pruned]
        return self._tellable(told)

    @property
    def drift(self) -> "List[Tuple[Difference, Optional[str]]]":
        """What is left alone; and why, where it was to be mended."""
        own = self.left and self.left.reason
        gone, spared = [extra.window.id for extra in self.pruned], {window.id: why for window, why in self.spared}
        stay = [window for window in self.windows.extra if window.id not in gone]
        reasons = [spared[window.id].reason if window.id in spared else own for window in stay]
        differences = [Difference(WINDOW, None, window.name) for window in stay] + list(self.windows.drift)
        differences += [Difference(ENV, name) for name in self.env]
        reasons += [own] * (len(differences) - len(stay))
        logs = [(each, own) for each in self._tellable([each.difference for each in self.other_logs])]
        return logs + list(zip(self._tellable(differences), reasons))

    @property
    def new_logs(self) -> List[Log]:
        """Those to which something begins to be written."""
        return [*(each.logged.log for each in self.logs), *logs_of(self.windows.missing)]

    @property
    def foreign_pipes(self) -> List[Logged]:
        """The panes that get no log because of somebody else's pipe-pane."""
        return [each.logged for each in self.other_logs if each.found == FOREIGN]

    @property
    def whole(self) -> "Comparison":
        """The same, where no window goes: the session does."""
        return self._replace(pruned=(), spared=())

    def _tellable(self, told: Sequence[Difference]) -> List[Difference]:
        def is_ours(each: Difference) -> bool:
            return each.what == KEEP_EXITED or (each.what == LOG and each.found in (FOREIGN, ELSEWHERE))

        return [each.withheld() if self.discreet and not is_ours(each) else each for each in told]

    def _difference(self, setting: Setting, was: Found) -> Difference:
        labels = [wanted.label for wanted, window in self.windows.matches if window.id == setting.place]
        index = [str(window.number) for window in self.session.windows if window.id == setting.place]
        found = None if was.value is None else f"{setting.name}={was.value}"
        return Difference(OPTION, f"{setting.name}={setting.value}", found, next(iter(labels + index), None))


def _words(flag: bool) -> str:
    return "true" if flag else "false"


def compare(seen: Seen, sessions: Sequence[Session], declared: Declared) -> Dict[str, Comparison]:
    """Sessions that are there, by id, as they are declared.

    :raises TmuxError: when the server cannot be asked.
    """
    keeping = sessions if declared.keep_exited is not None else ()
    kept = {session.id for session in exits.differing(seen.client, keeping, bool(declared.keep_exited))}
    made = _made(seen.client) if declared.windows and sessions else {}
    marks = {identity: one.mark for identity, one in made.items()}
    any_options = declared.options or any(window.options for window in declared.windows)
    known = settings.known(seen.client) if any_options and sessions else None
    details = _details(seen, sessions, declared) if sessions else Details()
    shells = _shells(seen.client, declared) if sessions else {}
    notes = noted(seen.client, seen.listing.version) if declared.cleanup is not None and sessions else {}
    found = {}
    for session in sessions:
        ours = tuple(window.id for window in session.windows if _is_ours(session, window, made))
        begun = Begun(seen.listing.version, shells.get(session.id, ()))
        windows = compare_windows(declared.windows, session, marks, ours, details._replace(begun=begun))
        wanted = [] if known is None else _settings(session, windows, declared, known)
        found[session.id] = Comparison(
            session,
            declared.keep_exited if session.id in kept else None,
            tuple(settings.differing(seen.client, wanted, seen.listing.version)),
            windows,
            seen.discreet,
            ours=ours,
            env=_otherwise(seen.client, session, declared.env),
            cleanup=_going_otherwise(declared.cleanup, notes.get(seen.identity(session))),
        )
    return found


def _going_otherwise(wanted: Optional[Files], now: Optional[Noted]) -> Optional[Tuple[Files, Files]]:
    if wanted is None or now is None or now.cleanup == wanted.written():
        return None
    return wanted, cleanups.read(now.cleanup)


class _Uses:
    """What runs in the panes of a server at one moment."""

    def __init__(self, seen: Seen) -> None:
        self._processes = Processes.of(seen.server.user.uid)
        self._prompts = Prompts(self._processes, seen.server.user)
        self._server = seen.server.pid

    def is_used(self, pane: Pane) -> bool:
        """Whether something runs in a pane of ours that somebody has begun in a shell there."""
        if not pane.start_command:
            return not self.is_at_prompt(pane)
        running = self._running(pane)
        above = {process.ppid for process in running}
        return any(
            self._prompts.is_busy(process) or (process.pid in above and self._prompts.is_interactive(process))
            for process in running
        )

    def is_at_prompt(self, pane: Pane) -> bool:
        """Whether there is nothing in a pane but a shell that waits for somebody to type."""
        return [self._prompts.waits(process) for process in self._running(pane)] == [True]

    def shells(self, window: Window) -> Shells:
        """The shells of a window in which somebody may have typed."""
        running = [process for pane in window.panes if not pane.dead for process in self._running(pane)]
        shells = [process for process in running if self._prompts.is_interactive(process)]
        return tuple((process.pid, process.cpu_ticks + process.waited_ticks) for process in shells)

    def _running(self, pane: Pane) -> Sequence[Process]:
        return self._processes.below(self._processes.panes_of(self._server, [pane.pid or -1]))


def without_typing(seen: Seen, sessions: Sequence[Session]) -> Set[str]:
    """The sessions, by id, in which nobody can have typed: no shell for that is there, nor anything that has ended."""
    uses = _Uses(seen)
    return {one.id for one in sessions if not any(may_be_typed_in(each, uses.shells(each)) for each in one.windows)}


def lacking(seen: Seen, found: Mapping[str, Comparison]) -> Dict[str, Optional[Left]]:
    """The sessions, by id, in which something of what is declared does not run; and why not to end one for that."""
    wanting = [each for each in found.values() if wants_anew(each.windows)]
    if not wanting:
        return {}
    uses = _Uses(seen)
    now = int(time.time())
    return {each.session.id: left(each.session, each.windows, uses.is_used, now) for each in wanting}


def pruning(seen: Seen, found: Mapping[str, Comparison], names: Sequence[str]) -> Dict[str, Comparison]:
    """With the windows that are not declared and may go, and why others may not.

    :param names: the sessions of the task. What only they hold may end with them.
    """
    if not any(each.windows.extra for each in found.values()):
        return dict(found)
    uses = _Uses(seen)
    now = int(time.time())

    def why(session: Session, extra: Extra) -> Optional[Left]:
        return window_left(session, extra, uses.is_used, uses.is_at_prompt, now)

    return {identity: _pruned(_extras(seen.listing, each, names, uses), each, why) for identity, each in found.items()}


def _pruned(extras: Sequence[Extra], each: Comparison, why: Callable[[Session, Extra], Optional[Left]]) -> Comparison:
    judged = [(extra, why(each.session, extra)) for extra in extras]
    pruned = tuple(extra for extra, reason in judged if reason is None)
    going = [extra.window.id for extra in pruned]
    stay = tuple(window for window in each.windows.undeclared if window.id not in going)
    return each._replace(
        pruned=pruned,
        spared=tuple((extra.window, reason) for extra, reason in judged if reason is not None),
        windows=each.windows._replace(undeclared=stay),
    )


def _extras(listing: Listing, each: Comparison, names: Sequence[str], uses: _Uses) -> List[Extra]:
    """The windows of a session that are not declared, each once."""
    session, found = each.session, {}
    elsewhere = [one for one in listing.sessions if one.name not in names]
    linked = {window.id for one in elsewhere for window in one.windows}
    others = [one for one in listing.sessions if one.id != session.id]
    grouped = bool(session.group) and (bool(listing.unread) or session.group in [one.group for one in others])
    for window in each.windows.extra:
        same = [one for one in session.windows if one.id == window.id]
        active = any(one.active for one in same)
        ours = window.id in each.ours
        shells = () if window.id in linked else uses.shells(window)
        twin = window.id in each.windows.twins
        found[window.id] = Extra(window, active, len(same), window.id in linked, ours, grouped, shells, twin)
    return list(found.values())


def logging(seen: Seen, found: Mapping[str, Comparison], declared: Declared) -> Dict[str, Comparison]:
    """With what is to be done for logs.

    :raises TmuxError: when the server cannot be asked.
    """
    wanted = {identity: _to_be_logged(each, declared) for identity, each in found.items()}
    if not any(wanted.values()):
        return dict(found)
    piped = pipes.pipes(seen.client)
    panes = [pane.id for identity, each in found.items() if wanted[identity] for pane in each.session.panes]
    said = {pane: piped[pane].log for pane in panes if pane in piped and piped[pane].on and piped[pane].log}
    written = pipes.written(seen.server.pid, seen.server.user.uid, said)
    paths = [log.path for log in [*logs_of(declared.windows), *([declared.log] if declared.log else [])]]
    return {identity: _logged(each, wanted[identity], _Logs(piped, written, paths)) for identity, each in found.items()}


def _to_be_logged(compared: Comparison, declared: Declared) -> Sequence[Logged]:
    """The living panes that should have a log."""
    wanted = logged_panes(compared.windows)
    if declared.log is not None:
        wanted.append(Logged(pipes.first_pane(compared.session), declared.log))
    return [logged for logged in wanted if not logged.pane.dead]


class _Logs(NamedTuple):
    """What is done with the output of panes, by their ids; whether that is seen; and the paths that are declared."""

    piped: Mapping[str, Pipe]
    written: Mapping[str, Optional[bool]]
    declared: Sequence[str]

    def judged(self, logged: Logged) -> Optional[Tuple[bool, Optional[str]]]:
        """Whether a log is to begin, and what is found in its place; None where all is well, or nothing known.

        A ``pipe-pane`` that is not ours is its user's, and stays. So does a log that is declared of another pane.
        """
        now, path = self.piped.get(logged.pane.id), logged.log.path
        if now is None:
            return None
        ours = self.written.get(logged.pane.id, False)
        if now.on and ours is False:
            return False, FOREIGN
        if ours and now.log in self.declared:
            return None if now.log == path else (False, now.log)
        if any(is_so and self.piped[pane].log == path for pane, is_so in self.written.items()):
            return False, ELSEWHERE
        return True, now.log if now.on else None


def _logged(compared: Comparison, wanted: Sequence[Logged], logs: _Logs) -> Comparison:
    judged = [(logged, logs.judged(logged)) for logged in wanted]
    found = [(verdict[0], LogDifference(logged, verdict[1])) for logged, verdict in judged if verdict is not None]
    return compared._replace(
        logs=tuple(each for begins, each in found if begins),
        other_logs=tuple(each for begins, each in found if not begins),
    )


def _details(seen: Seen, sessions: Sequence[Session], declared: Declared) -> Details:
    """What else is to be known of windows and panes, as far as it is declared, and tmux or the kernel tells it."""
    return Details(
        _paths(seen, declared),
        declared.chdir,
        seen.server.user.home,
        _columns(seen.client, declared),
        _births(seen, sessions, declared),
    )


def _paths(seen: Seen, declared: Declared) -> Dict[str, str]:
    """Where panes were begun, by their ids."""
    panes = [pane for window in declared.windows for pane in window.panes]
    if not (seen.listing.version.has(Capability.START_PATH) and any(pane.chdir or declared.chdir for pane in panes)):
        return {}
    nonce = secrets.token_hex(8)
    fields = row(nonce, "d", ["#{pane_id}", "#{pane_start_path}"])
    printed = rows(to_text(seen.client.call([["list-panes", "-a", "-F", fields]])), nonce)
    return dict(as_stored(each, seen.listing.version) for _kind, each in printed)


def _shells(client: Client, declared: Declared) -> Dict[str, Tuple[str, ...]]:
    """What begins the user's shell in sessions, by their ids, if one is declared."""
    if all(pane.command is not None or pane.argv for window in declared.windows for pane in window.panes):
        return {}
    nonce = secrets.token_hex(8)
    fields = row(nonce, "s", ["#{session_id}", "#{default-command}", "#{default-shell}"])
    printed = rows(to_text(client.call([["list-sessions", "-F", fields]])), nonce)
    return {identity: (command, shell) for _kind, (identity, command, shell) in printed}


def _columns(client: Client, declared: Declared) -> Dict[str, int]:
    """How many columns the tiled panes of windows are to have at most, by their ids, where a tmux can be told that."""
    if TILED not in [window.layout for window in declared.windows]:
        return {}
    nonce = secrets.token_hex(8)
    fields = row(nonce, "c", ["#{window_id}", "#{tiled-layout-max-columns}"])
    printed = rows(to_text(client.call([["list-windows", "-a", "-F", fields]])), nonce)
    numbers = [(identity, number_or_none(most)) for _kind, (identity, most) in printed]
    return {identity: most for identity, most in numbers if most}


def _births(seen: Seen, sessions: Sequence[Session], declared: Declared) -> Dict[str, Birth]:
    """With what panes were begun, by their ids, if it is declared with what variables."""
    if not any(pane.env for window in declared.windows for pane in window.panes):
        return {}
    server, processes = seen.server, Processes.of(seen.server.user.uid)
    panes = [pane for session in sessions for pane in session.panes if pane.pid is not None and not pane.dead]
    pids = {pane.id: processes.panes_of(server.pid, [pane.pid or -1]) for pane in panes}
    births = {
        identity: birth_of(processes.table[pid], server.user.uid) for identity, found in pids.items() for pid in found
    }
    return {identity: birth for identity, birth in births.items() if birth is not None}


def _otherwise(client: Client, session: Session, env: Sequence[Tuple[str, str]]) -> Tuple[str, ...]:
    """The names of variables that a session does not have as they are declared. No value is told of."""
    if not env:
        return ()
    printed = to_text(client.call([["show-environment", "-s", "-t", session.id]]))
    return tuple(name for name, value in env if has_variable(printed, name, value) is False)


def _made(client: Client) -> Dict[str, Made]:
    """What windows were made as, by their ids."""
    nonce = secrets.token_hex(8)
    fields = ["#{window_id}", *("#{%s}" % name for name in (MARK, PANES))]
    output = to_text(client.call([["list-windows", "-a", "-F", row(nonce, "m", fields)]]))
    return {identity: Made.parsed(mark, noted) for _kind, (identity, mark, noted) in rows(output, nonce) if mark}


def _is_ours(session: Session, window: Window, made: Mapping[str, Made]) -> bool:
    """Whether nobody else has brought a window into a session, or begun something in a pane of it."""
    return window.id in made and made[window.id].is_all_of(session, window)


def _settings(session: Session, windows: Compared, declared: Declared, known: Options) -> List[Setting]:
    """The options of a session, of those of its windows that are declared, or of its first window."""
    if not declared.windows:
        return settings.belonging(session.id, _first(session).id, declared.options, known)
    shared = [pair for pair in declared.options if known.is_of_windows(pair[0])]
    own = [pair for pair in declared.options if not known.is_of_windows(pair[0])]
    found = settings.belonging(session.id, "", own, known)
    for wanted, window in windows.matches:
        found += settings.of_window(window.id, shared, wanted.options)
    return found


def _first(session: Session) -> Window:
    return min(session.windows, key=lambda window: window.number)


def reconcile(client: Client, seen: Seen, wanted: Comparison, log_max_size: Optional[int] = None) -> None:
    """Set what is to be set in one session. ``log_max_size``: in bytes, of a log that begins.

    :raises TmuxError: when it could not be done.
    """
    version, keep = seen.listing.version, wanted.keep_exited
    renaming: List[Command] = [
        ["rename-window", "-t", window.id, "--", expanded_literal(declared.name or "", version)]
        for declared, window in wanted.windows.renamed
    ]
    if renaming:
        client.script(renaming, version)
    settings.apply(client, [setting for setting, _was in wanted.options], version)
    if wanted.cleanup is not None:
        client.script(going_with(wanted.session.id, wanted.cleanup[0].written()), version)
    _begin_logs(client, seen, wanted, log_max_size)
    if keep is None:
        return
    client.call(exits.set_for_session(wanted.session, keep, version))
    if exits.differing(client, [wanted.session], keep):
        raise Failed("keep_exited was not set")


def _begin_logs(client: Client, seen: Seen, wanted: Comparison, log_max_size: Optional[int]) -> None:
    if not wanted.logs:
        return
    version, own = seen.listing.version, [pane.id for pane in wanted.session.panes]
    new = [each.logged.pane.id for each in wanted.logs]
    known = {pane: pipe for pane, pipe in pipes.pipes(client).items() if pane in own and pane not in new}
    commands = [pipes.remember(wanted.session.id, known)]
    for each in wanted.logs:
        pane, path = each.logged.pane.id, each.logged.log.path
        commands.append(pipes.start(pane, path, version, log_max_size))
        commands.append(pipes.note(wanted.session.id, pane, path, log_max_size))
    client.script(commands, version)
