# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which processes of a session count: what only shows, waits at a prompt, or helps, is no work."""

import os
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._host.terminals import is_another, is_terminal
from ansible_collections.fleet.tmux.plugins.module_utils._host.waits import (
    CHILD,
    FUTEX,
    LOCK,
    NAP,
    OPEN,
    POLL,
    QUEUE,
    READ,
    SIGNAL,
    UNTOLD,
    WRITE,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs import elsewhere
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import Refused, Scene
from ansible_collections.fleet.tmux.plugins.module_utils._signs.shells import (
    command_of,
    is_shell,
    is_told_nothing,
    only_sleeps,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs.showing import (
    ASKED,
    FILTERS,
    RECORDERS,
    REPEATING,
    SERVING,
    acts,
    does_more,
    is_own,
    repeats_work,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.screens import Screens

WORKS, SHOWS, PROMPT, WAITS, HELPS = "works", "shows", "prompt", "waits", "helps"

_HELPERS = tuple(
    "ssh-agent gpg-agent gitstatusd dbus-daemon dbus-broker keychain dirmngr scdaemon keyboxd at-spi pulseaudio"
    " pipewire wireplumber gvfsd dconf-service xdg-desktop-por xdg-document-po xdg-permission gnome-keyring-d kwalletd"
    " ssh-pkcs11-help ssh-sk-helper p11-kit-server watchman git-credential- powerline-daemo faked-".split()
)
"""How the names begin of what programs start beside themselves, and nobody waits for."""

PIPES = 50
"""Through how many pipes, one after another, is followed where something goes."""
_NAME_BYTES = 15
"""What the kernel keeps of the name of a process."""
_WAITS_FOR_MORE = (LOCK, NAP, OPEN, QUEUE)
"""What no thread of a program waits for that only hears from the one that started it."""
_UNTOLD_ELSEWHERE = REPEATING | RECORDERS | SERVING
_MULTIPLEXERS = frozenset("screen dtach abduco zellij mtm dvtm tmate".split())
_WRAPPERS = frozenset(
    "sudo su doas sudoedit runuser newgrp sg script scriptreplay timeout time env nice ionice chrt taskset nohup setsid"
    " stdbuf unbuffer rlwrap flock bwrap firejail unshare nsenter chroot setpriv systemd-run dbus-run-session"
    " dbus-launch proot fakeroot proxychains4 torsocks sshpass strace ltrace login machinectl toolbox".split()
)
"""Programs that start another one, and wait until that ends."""

_BECOMING = frozenset("su sudo sudoedit doas runuser newgrp sg login machinectl".split())
"""Those of them that only make somebody else of it: they refuse a look, and record nothing."""

_PATIENT = frozenset("bash rbash sh mksh".split())
"""Shells that wait for a key up to a time only where a script does (``read -t``)."""

_DAY = 86400.0
_STORED_A_DAY = 65536
"""Bytes: some file systems note on the disk when a file was last read, once a day."""

Ignored = Callable[[str], bool]
"""Whether a program of that name only shows."""


class Actor(NamedTuple):
    """A process of a session and what it is there for."""

    process: Process
    role: str


class Cast(NamedTuple):
    """A session and its living processes, each with its role.

    ``hidden``: there are panes whose process could not be seen. ``runs``: the names of those that are more than an
    interactive shell, what such a shell was started by, or a helper.
    """

    session: Session
    actors: Tuple[Actor, ...]
    hidden: bool = False
    runs: Tuple[str, ...] = ()
    screens: Optional[Screens] = None

    @property
    def counting(self) -> List[Process]:
        """The processes whose doings count."""
        return self.of(WORKS)

    @property
    def holding(self) -> List[Process]:
        """Those whose files and connections count: also of what sits at a prompt, but for shells."""
        return [
            actor.process
            for actor in self.actors
            if actor.role == WORKS or (actor.role == PROMPT and not is_shell(actor.process.command))
        ]

    @property
    def processes(self) -> List[Process]:
        return [actor.process for actor in self.actors]

    @property
    def open(self) -> List[Process]:
        """Those of them whose files and connections are looked at: not others' that work, which are unknown anyway."""
        works = {actor.process.pid for actor in self.actors if actor.role == WORKS and actor.process.is_others}
        return [process for process in self.holding if process.pid not in works]

    def of(self, *roles: str) -> List[Process]:
        """The processes with one of these roles."""
        return [actor.process for actor in self.actors if actor.role in roles]

    def screen_of(self, process: Process) -> Optional[List[str]]:
        """The lines of the pane that a process has to itself; None if there is none, or it is not told."""
        if self.screens is None or not process.is_foreground:
            return None
        terminals = {each.pid: each.terminal for each in self.processes}
        for pane in self.session.panes:
            if pane.pid is not None and terminals.get(pane.pid) == process.terminal:
                return self.screens.of(self.session).get(pane.id)
        return None


def cast(session: Session, processes: Tuple[Process, ...], scene: Scene, ignored: Ignored) -> Cast:
    """Give each process of a session its role."""
    casting = _Casting([process for process in processes if process.alive], scene, ignored)
    roles = casting.roles()
    return Cast(
        session,
        tuple(Actor(process, roles[process.pid]) for process in processes if process.pid in roles),
        bool(set(session.pids) - {process.pid for process in processes}),
        casting.running(roles),
    )


class _Casting:
    """The processes of one session on their way to their roles: looked at once from above, and once from below."""

    def __init__(self, processes: List[Process], scene: Scene, ignored: Ignored) -> None:
        self._scene = scene
        self._ignored = ignored
        processes = [scene.inside(process) or process for process in processes]
        self._own = {process.pid: process for process in processes}
        self._children: Dict[int, List[Process]] = {}
        for process in processes:
            self._children.setdefault(process.ppid, []).append(process)
        self._pipes = _Pipes(processes, scene)
        self._known: Dict[int, bool] = {}
        self._plain: Dict[int, bool] = {}
        self._as_root = os.geteuid() == 0

    def roles(self) -> Dict[int, str]:
        """The role of each, by pid."""
        order = self._from_above()
        roles: Dict[int, str] = {}
        for process in order:
            roles[process.pid] = self._role(process, roles.get(process.ppid))
        for process in reversed(order):
            below = [roles[child.pid] for child in self._children.get(process.pid, ())]
            if roles[process.pid] in (WORKS, PROMPT) and below and self._only_waits(process, roles, below):
                roles[process.pid] = WAITS
        return roles

    def running(self, roles: Dict[int, str]) -> Tuple[str, ...]:
        """The names of what is more than an interactive shell."""
        found = set()
        for process in reversed(self._from_above()):
            children = self._children.get(process.pid, ())
            stands_aside = children and roles[process.pid] == WAITS and process.command in _WRAPPERS
            if stands_aside and not any(child.pid in found for child in children):
                continue
            if roles[process.pid] != HELPS and (not self._is_plain(process) or self._loops(process, roles)):
                found.add(process.pid)
        names = [process.command for process in self._own.values() if process.pid in found]
        return tuple(sorted(names, key=is_shell))  # What a shell runs says more than that it is a shell.

    def _loops(self, process: Process, roles: Dict[int, str]) -> bool:
        """Whether an interactive shell does something by itself, instead of waiting for a child."""
        if process.is_others or roles[process.pid] != WORKS:
            return False
        return process.state == "R" or self._scene.wait(process).kind not in ("", CHILD, UNTOLD)

    def _from_above(self) -> List[Process]:
        """All, each after its parent. A circle is possible where pids changed hands while they were read."""
        order = [process for process in self._own.values() if process.ppid not in self._own]
        for process in order:
            order.extend(self._children.get(process.pid, ()))
        if len(order) < len(self._own):
            found = {process.pid for process in order}
            order.extend(process for process in self._own.values() if process.pid not in found)
        return order

    def _role(self, process: Process, above: Optional[str]) -> str:
        if above == SHOWS and not self._joins(self._own[process.ppid]):
            return SHOWS
        if process.command.startswith(_HELPERS):
            return HELPS
        if self._joins(process) or self._shows(process):
            return SHOWS
        if is_shell(process.command):
            return self._role_of_shell(process)
        if self._is_at_prompt(process) or (above == PROMPT and self._accompanies(process)):
            return PROMPT
        return WORKS

    def _shows(self, process: Process) -> bool:
        try:
            if self._is_ignored(process):
                return not self._does_more(process) and self._is_shown(process)
            if process.command in elsewhere.PROGRAMS:
                return self._shows_another_host(process) and self._is_shown(process)
            return self._filters(process) and self._shows_what_is_given(process) and self._is_shown(process)
        except Refused:
            return False

    def _is_ignored(self, process: Process) -> bool:
        """:raises Refused: where it cannot be known whether it only has the name of such a program."""
        if not self._ignored(process.command):
            return False
        return not is_own(process.command, self._scene.words(process)) or self._ignored("./" + process.command)

    def _joins(self, process: Process) -> bool:
        """Whether a process shows what goes on in another server: that ends with it no more than if it is detached.

        A client of tmux that is attached has its terminal to itself, or its user has stopped it, or its server has
        locked it: then it waits for a child. Any other one waits until its server has done something.
        """
        if process.command in _MULTIPLEXERS:
            return process.terminal != 0
        if not is_tmux_client(process):
            return False
        if self._is_closed(process):
            return True  # Most are attached, and nobody can see whether one is not.
        if process.state == "T" or (process.is_foreground and self._scene.is_raw(process)):
            return True
        return self._scene.wait(process).kind == CHILD

    def _filters(self, process: Process) -> bool:
        """:raises Refused: where it cannot be known whether it does more."""
        if process.command not in FILTERS or process.pid in self._children or self._writes(process):
            return False
        return not acts(process.command, self._scene.words(process))

    def _writes(self, process: Process) -> bool:
        """Whether a process may write into a file; ``tee`` also into the pipe of another command."""
        files = [file for file in self._scene.files(process) if file.for_writing]
        if process.command == "tee" and any(file.number > 2 and file.link.startswith("pipe:") for file in files):
            return True
        return any(file.link[:1] == "/" and not _is_device(file.link) for file in files)

    def _does_more(self, process: Process) -> bool:
        """Whether one of the programs that show is there for more than that, this time."""
        if process.command in RECORDERS and self._writes(process):
            return True
        if process.command in REPEATING and (
            self._stores(process) or repeats_work(process.command, self._scene.words(process))
        ):
            return True
        if process.command in SERVING and (process.pid in self._children or self._scene.serves(process)):
            return True
        return process.command in ASKED and does_more(process.command, self._scene.words(process))

    def _shows_another_host(self, process: Process) -> bool:
        """Whether ssh only shows what a program on another host shows."""
        call = elsewhere.call_of(process.command, self._scene.words(process))
        return bool(call.command) and elsewhere.only_shows(call.command, self._is_told_to_show)

    def _is_told_to_show(self, words: Sequence[str]) -> bool:
        """What only the host where it runs could tell of a program is not taken for mere showing."""
        name = os.path.basename(words[0])
        return self._ignored(name) and name not in _UNTOLD_ELSEWHERE and not does_more(name, words)

    def _shows_what_is_given(self, process: Process) -> bool:
        writers = self._pipes.writers(process)
        return bool(writers) and all(self._is_ignored(each) or self._filters(each) for each in writers)

    def _stores(self, process: Process) -> bool:
        """Whether what a program runs again and again writes to a disk, and not only that something was read there."""
        stored = self._scene.stored(process)
        days = max(0.0, self._scene.taken - self._scene.started(process)) / _DAY
        return stored is None or stored > days * _STORED_A_DAY

    def _is_shown(self, process: Process, pipes: int = 0) -> bool:
        """Whether the output of a process goes to a terminal, through none but such processes.

        :param pipes: through so many it has come until here.
        """
        if process.pid not in self._known:
            self._known[process.pid] = False  # What goes in a circle, or through too many, is not shown.
            link = self._scene.link(process, 1)
            is_pipe = link is not None and link.startswith("pipe:") and pipes < PIPES
            readers = self._pipes.readers(process) if is_pipe else []
            self._known[process.pid] = (
                link is None
                or _is_device(link)
                or (bool(readers) and all(self._passes_on(it, pipes) for it in readers))
            )
        return self._known[process.pid]

    def _passes_on(self, reader: Process, pipes: int) -> bool:
        return (self._is_ignored(reader) or self._filters(reader)) and self._is_shown(reader, pipes + 1)

    def _role_of_shell(self, process: Process) -> str:
        if self._only_sleeps(process):
            return SHOWS
        if not self._is_plain(process):
            return WORKS
        if self._is_closed(process):
            return PROMPT
        return PROMPT if self._reads_its_terminal(process) else self._role_in_background(process)

    def _only_sleeps(self, process: Process) -> bool:
        """Whether a shell only keeps something open: below another program (xargs, make) it is a step of its work."""
        above = self._own.get(process.ppid)
        if above is not None and not is_shell(above.command):
            return False
        try:
            return only_sleeps(command_of(self._scene.words(process)))
        except Refused:
            return False

    def _role_in_background(self, process: Process) -> str:
        """A copy that a shell has made of itself, for its prompt, waits to be told something."""
        waits = process.state == "S" and not process.is_foreground and process.pid not in self._children
        above = self._own.get(process.ppid)
        if not waits or above is None or not is_shell(above.command):
            return WORKS
        return HELPS if self._is_to_be_told(process) else WORKS

    def _is_to_be_told(self, process: Process) -> bool:
        """What comes through a pipe with a name comes from others."""
        wait = self._scene.wait(process)
        try:
            return wait.kind in (READ, POLL) and not self._scene.waits_at_named_pipe(process, wait)
        except Refused:
            return False

    def _is_plain(self, process: Process) -> bool:
        """Whether a process is a shell that has neither a script nor a command, and reads from a terminal."""
        if process.pid not in self._plain:
            self._plain[process.pid] = is_shell(process.command) and self._is_told_nothing(process)
        return self._plain[process.pid]

    def _is_told_nothing(self, process: Process) -> bool:
        if self._is_closed(process):
            return self._as_root and process.state == "S" and self._is_edited_near(process)
        try:
            words = self._scene.words(process)
            return is_told_nothing(process.command, words) and is_terminal(self._scene.link(process, 0))
        except Refused:
            return False

    def _is_closed(self, process: Process) -> bool:
        """Whether a process is only seen from outside."""
        return process.is_others and self._scene.inside(process) is None

    def _is_edited_near(self, process: Process) -> bool:
        """Whether the terminal of a shell that is only seen from outside is one that gives each key as it is typed.

        Another process at it tells. A shell has it so while it edits a line at its prompt, and at no other time.
        """
        near = (each for each in self._own.values() if each.sid == process.sid and each.terminal)
        return any(self._scene.is_raw(each) for each in near)

    def _reads_its_terminal(self, process: Process) -> bool:
        """Whether a shell is at its prompt: it edits a line, or it reads from the terminal without doing so."""
        if process.state != "S" or not process.is_foreground:
            return False
        wait = self._scene.wait(process)
        if self._scene.is_raw(process):
            return wait.kind not in (CHILD, NAP, FUTEX) and not (wait.timed and self._is_patient(process))
        return wait.kind == READ and wait.descriptor is not None and self._leads_to_terminal(process, wait.descriptor)

    def _is_patient(self, process: Process) -> bool:
        """Whether a shell waits for the next key for ever, as long as nothing but its prompt is there.

        Others look at a clock meanwhile, and draw it in their prompt.
        """
        return process.command.lstrip("-") in _PATIENT

    def _leads_to_terminal(self, process: Process, number: int) -> bool:
        """Whether that is the terminal of the process: what comes from another one, nobody types at its pane."""
        try:
            link = self._scene.link(process, number)
        except Refused:
            return False
        return is_terminal(link) and not is_another(process, link)

    def _is_at_prompt(self, process: Process) -> bool:
        """Whether a program has the terminal to itself, and waits for a key of it, or for a line."""
        if self._is_closed(process) or process.state != "S" or not process.is_foreground:
            return False
        if process.command in _WRAPPERS and process.pid in self._children:
            return False  # It hands each key on.
        if not self._has_terminal(process):
            return False  # It is another of its pipeline whose terminal this is.
        wait = self._scene.wait(process)
        if wait.kind == READ and wait.descriptor is not None:
            return self._leads_to_terminal(process, wait.descriptor)
        return wait.kind in ("", READ, POLL, FUTEX, SIGNAL, UNTOLD) and bool(self._scene.is_raw(process))

    def _has_terminal(self, process: Process) -> bool:
        """Whether a process reads keys and draws: at its standard files, or (``fzf < FILE``) at one it has opened."""
        if all(self._leads_to_terminal(process, number) for number in (0, 1)):
            return True
        try:
            held = self._scene.files(process)
        except Refused:
            return False
        own = (file for file in held if is_terminal(file.link) and not is_another(process, file.link))
        return any(file.number > 2 and file.for_reading for file in own)

    def _accompanies(self, process: Process) -> bool:
        """Whether a process belongs to the program that started it, and hears from that alone (a language server).

        One that has something else to wait for first (a time, a child) does work that it was started for.
        """
        above = self._own[process.ppid]
        if process.is_others or is_shell(process.command) or is_shell(above.command):
            return False
        try:
            return self._is_spoken_to(process, above) and self._hears(process)
        except Refused:
            return False

    def _is_spoken_to(self, process: Process, above: Process) -> bool:
        link = self._scene.link(process, 0)
        if link is None:
            return False
        return link.startswith("socket:") or (link.startswith("pipe:") and self._holds(above, link))

    def _hears(self, process: Process) -> bool:
        """Whether a process waits for what comes to its standard input, as far as anybody can tell."""
        first, waits = self._scene.wait(process), self._scene.waits(process)
        if first.kind in (NAP, CHILD) or (first.kind == FUTEX and first.timed):
            return False
        if any(wait.kind in _WAITS_FOR_MORE for wait in waits):
            return False
        for wait in waits:
            if wait.kind in ("", UNTOLD, WRITE) or (wait.kind == READ and not wait.descriptor):
                return True
            if wait.kind == POLL:
                polls = [file for file in self._scene.files(process) if file.link == "anon_inode:[eventpoll]"]
                if not polls or any(0 in self._scene.watched(process, file) for file in polls):
                    return True
        return False

    def _holds(self, process: Process, link: str) -> bool:
        return any(file.link == link for file in self._scene.files(process))

    def _only_waits(self, process: Process, roles: Dict[int, str], below: List[str]) -> bool:
        """Whether a process that has started others does nothing but wait until they end, and none of them counts."""
        if WORKS in below or all(role == HELPS for role in below):
            return False
        if roles[process.pid] == PROMPT:
            return is_shell(process.command) and not process.is_foreground
        if PROMPT not in below and self._records(process):
            return False
        if process.command in _WRAPPERS or process.state == "T":
            return True
        if self._is_plain(process) and not process.is_foreground:
            return True  # Another one has its terminal.
        return process.state == "S" and not self._is_closed(process) and self._scene.wait(process).kind == CHILD

    def _records(self, process: Process) -> bool:
        """Whether what the processes below one show goes into a file of its (``script``, ``unbuffer``)."""
        if process.command not in _WRAPPERS or process.command in _BECOMING or process.is_others:
            return False
        try:
            return self._writes(process)
        except Refused:
            return True


class _Pipes:
    """Who reads what another one of the same process group writes."""

    def __init__(self, processes: List[Process], scene: Scene) -> None:
        self._processes = processes
        self._scene = scene
        self._groups: Optional[Dict[int, List[Process]]] = None
        self._ends: Dict[int, Dict[Tuple[int, str], List[Process]]] = {}

    def readers(self, process: Process) -> List[Process]:
        return self._at_other_end(process, 1, 0)

    def writers(self, process: Process) -> List[Process]:
        return self._at_other_end(process, 0, 1)

    def _at_other_end(self, process: Process, here: int, there: int) -> List[Process]:
        link = self._scene.link(process, here)
        if process.is_others or link is None or not link.startswith("pipe:"):
            return []
        return self._of_group(process.group).get((there, link), [])

    def _of_group(self, group: int) -> Dict[Tuple[int, str], List[Process]]:
        if group not in self._ends:
            ends = self._ends[group] = {}
            for process in self._in_group(group):
                for number in (0, 1):
                    link = self._scene.link(process, number)
                    if link is not None:
                        ends.setdefault((number, link), []).append(process)
        return self._ends[group]

    def _in_group(self, group: int) -> List[Process]:
        if self._groups is None:
            self._groups = {}
            for process in self._processes:
                if not process.is_others:
                    self._groups.setdefault(process.group, []).append(process)
        return self._groups.get(group, [])


def is_tmux_client(process: Process) -> bool:
    """Whether a process calls itself a client of tmux: ``<program>: client``, of which the kernel keeps 15 bytes."""
    name, colon, role = process.command.partition(": ")
    cut = len(process.command.encode("utf-8")) == _NAME_BYTES
    return bool(colon) and "tmux" in name and (role == "client" or (cut and "client".startswith(role)))


def _is_device(link: str) -> bool:
    return (link.startswith("/dev/") and not link.startswith("/dev/shm/")) or is_terminal(link)


def starts_another(process: Process) -> bool:
    """Whether a program is there to start another one, and to wait until that ends."""
    return process.command in _WRAPPERS


def only_passes_on(process: Process, words: Sequence[str]) -> bool:
    """Whether a program is there to say what others give to it, changed or in part, and does no more than that."""
    return process.command in FILTERS and not acts(process.command, words)
