# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a session waits for: a lock, a time, a debugger, another process. And jobs that are stopped."""

import re
from typing import Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._host.terminals import is_terminal
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import spoken
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
    Wait,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs.events import Events
from ansible_collections.fleet.tmux.plugins.module_utils._signs.network import KEEP_ALIVE
from ansible_collections.fleet.tmux.plugins.module_utils._signs.peers import CALLER, FIFO, PIPE, TCP, Peer, Peers
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import (
    PROMPT,
    WAITS,
    WORKS,
    Cast,
    is_tmux_client,
    starts_another,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import Refused, Scene
from ansible_collections.fleet.tmux.plugins.module_utils._signs.shells import is_shell, is_told_nothing
from ansible_collections.fleet.tmux.plugins.module_utils._signs.showing import FILTERS, acts, limit_of
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign

_SLEEPS = frozenset(("sleep", "gsleep"))
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_TIME = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([smhd]?)\Z")
_FOR_EVER = 30 * 86400
"""A ``sleep`` that takes longer only keeps something open."""

_LONG = 600 * 1000
"""Milliseconds: what listens looks more often than that whether something is to be done."""

_MASTERS = ("/dev/ptmx", "/dev/pts/ptmx")
_ASKS = frozenset("systemd-run systemctl machinectl loginctl busctl gdbus dbus-send".split())
"""Programs that speak with such a service only, to ask for something."""
_ANSWER = "waits for an answer to come from outside"

_IDLERS = _SLEEPS | {"pause"}
"""Programs that are there to do nothing: ``sleep infinity``, too, waits for a signal."""

_SERVICES = re.compile(
    r"dbus|/bus\Z|/dev/log|systemd|X11-unix|ICE-unix|wayland|pulse|pipewire|nscd|sss|winbind|agent|keyring|at-spi|ibus"
    r"|fcitx|avahi|resolve|userdb|tmux-|gvfs|portal|cups|speech|/S\.[a-z]",
)
"""What names of sockets have in them at which programs ask something now and then. To hold such a connection is not to
wait for it."""


def stopped(cast: Cast, scene: Scene) -> Iterator[Sign]:
    """A job that is stopped, as with Ctrl-Z. What a debugger has stopped waits for that."""
    for process in cast.of(WORKS):
        if process.state == "T":
            yield Sign("stopped", "a job is stopped", process.command)
            return


def waiting(cast: Cast, scene: Scene) -> Iterator[Sign]:
    """The first thing that a process waits for, and what could not be known of that."""
    look = _Waiting(cast, scene)
    for process in cast.of(WORKS, PROMPT, WAITS):
        try:
            what = look.why(process)
        except Refused as error:
            yield Sign("unknown", "%s could not be read" % error, process.command)
            continue
        if what:
            yield Sign("waiting", what, process.command)
            return


_Look = Callable[[Process], str]


class _Waiting:
    """What each process of a session waits for, in words; nothing for what waits for nothing."""

    def __init__(self, cast: Cast, scene: Scene) -> None:
        self._scene = scene
        self._peers = Peers(cast.processes, scene)
        self._roles = {actor.process.pid: actor.role for actor in cast.actors}
        self._own = {process.pid: process for process in cast.processes}
        self._parents = {process.ppid for process in cast.processes}
        self._events = Events(cast, scene)
        self._looks: Dict[str, Tuple[_Look, ...]] = {
            WAITS: (self._seen_from_outside, self._for_limit),
            PROMPT: (self._seen_from_outside, self._for_others),
            WORKS: (
                self._seen_from_outside,
                self._for_file,
                self._for_sleep,
                self._for_time,
                self._for_signal,
                self._for_trap,
                self._for_taker,
                self._for_others,
                self._for_driven,
                self._events.awaited,
                self._for_tmux,
                self._for_line,
            ),
        }

    def why(self, process: Process) -> str:
        """:raises Refused: where that cannot be known."""
        looks = self._looks[self._roles[process.pid]]
        if self._scene.inside(process) is None or (is_shell(process.command) and looks is not self._looks[WORKS]):
            looks = looks[:1]
        return next((what for what in (look(process) for look in looks) if what), "")

    def _seen_from_outside(self, process: Process) -> str:
        if process.pid in self._scene.lock_waiters:
            return "waits for a lock"
        if process.pid in self._scene.debugged:
            return "a debugger holds a process"
        if process.state == "D" and self._scene.state_now(process) == "D":
            return "waits for the kernel, which does not let it be interrupted"
        return ""

    def _for_file(self, process: Process) -> str:
        """Some of this is known of locks that belong to an open file only: they have no process."""
        kinds = [wait.kind for wait in self._scene.waits(process)]
        if LOCK in kinds:
            return "waits for a lock"
        if OPEN in kinds:
            return "waits for the other end of a file"
        return "waits for a message or a semaphore" if QUEUE in kinds else ""

    def _for_sleep(self, process: Process) -> str:
        """``sleep`` whose end lies ahead, below a shell that may have more to do."""
        above = self._own.get(process.ppid)
        if process.command not in _SLEEPS or above is None or self._roles[above.pid] == PROMPT:
            return ""
        return self._until(process, self._scene.words(process)[1:])

    def _for_limit(self, process: Process) -> str:
        """``timeout``: whatever it runs until then may be there for nothing else."""
        return self._until(process, limit_of(self._scene.words(process))) if process.command == "timeout" else ""

    def _until(self, process: Process, times: Sequence[str]) -> str:
        seconds = sleep_seconds(times)
        left = 0 if seconds is None else int(self._scene.started(process) + seconds - self._scene.taken)
        return (
            "waits for a time that comes in %s" % spoken(left) if seconds and seconds <= _FOR_EVER and left > 0 else ""
        )

    def _for_time(self, process: Process) -> str:
        if process.command in _SLEEPS or process.state != "S":
            return ""
        waits = self._scene.waits(process)
        if any(wait.kind == NAP for wait in waits):
            return "waits for a time"
        if waits and all(wait.kind == UNTOLD for wait in waits):
            raise Refused("what %s waits for" % process.command)
        limited = any(wait.timed and wait.kind in (POLL, FUTEX, SIGNAL) for wait in waits)
        if not limited and any(wait.kind in (POLL, READ) for wait in waits):
            limited = self._scene.has_timer(process)
        if limited and self._events.serves(process):
            limited = any((wait.limit or 0) >= _LONG for wait in waits)
        return "waits for a time" if limited else ""

    def _for_signal(self, process: Process) -> str:
        """A signal, like that of an alarm: nobody is told when that comes. Whoever has children waits for them."""
        first = self._scene.waits(process)[:1]
        if not any(wait.kind == SIGNAL or (wait.kind == POLL and wait.files == 0) for wait in first):
            return ""
        if is_shell(process.command) or starts_another(process) or process.command in _IDLERS:
            return ""
        if process.pid in self._parents:
            return ""
        return "" if self._events.serves(process) else "waits for a signal"

    def _for_trap(self, process: Process) -> str:
        """A script that does something when it is told so by a signal (``trap rotate USR1``), and sleeps till then."""
        if not is_shell(process.command) or self._scene.wait(process).kind not in (CHILD, SIGNAL):
            return ""
        if is_told_nothing(process.command, self._scene.words(process)):
            return ""
        return "waits for a signal" if self._scene.is_told_by_signal(process) else ""

    def _for_taker(self, process: Process) -> str:
        """Who takes what a process says: a terminal that was stopped (Ctrl-S), or the other end of a pipe."""
        numbers = {wait.descriptor for wait in self._scene.waits(process) if wait.kind == WRITE} - {None}
        if not numbers:
            return ""
        held = [file for file in self._scene.files(process) if file.number in numbers]
        if any(is_terminal(file.link) for file in held):
            return "waits for a terminal that was stopped"
        outside = {peer.file.number for peer in self._peers.outside(process)}
        return "waits for somebody to take what it says" if outside & numbers else ""

    def _for_others(self, process: Process) -> str:
        """Work that is done elsewhere: a program at the session's terminal waits at something with another end."""
        waits = [wait for wait in self._scene.waits(process) if wait.kind in (READ, POLL, UNTOLD)]
        raw = self._roles[process.pid] == PROMPT
        if not process.terminal or not waits:
            return ""
        if raw and process.command in KEEP_ALIVE:
            return _ANSWER if self._peers.command_elsewhere(process, at_prompt=True) else ""
        if raw and all(self._waits_at_terminal_only(process, wait) for wait in waits):
            return ""
        outside = self._peers.outside(process)
        if any(self._waits_at(wait, peer, raw) for peer in outside for wait in waits):
            return _ANSWER
        return ""

    def _waits_at_terminal_only(self, process: Process, wait: Wait) -> bool:
        if wait.kind == READ and wait.descriptor is not None:
            return is_terminal(self._scene.link(process, wait.descriptor))
        return wait.kind == POLL and wait.files == 1

    def _waits_at(self, wait: Wait, peer: Peer, raw: bool) -> bool:
        if wait.kind == READ and wait.descriptor is not None:
            return wait.descriptor == peer.file.number
        if not peer.certain or (peer.kind in (PIPE, FIFO) and not peer.file.for_reading):
            return False
        if peer.kind in (PIPE, FIFO, TCP, CALLER):
            return not (raw and peer.kind == CALLER)
        only_this = (wait.files == 1 or peer.process.command in _ASKS) and not raw
        return only_this or not _SERVICES.search(self._peers.name(peer))

    def _for_driven(self, process: Process) -> str:
        """``expect``: who has made a terminal for another program, and hands on no keys, waits for what that says.

        A shell at its prompt in there says nothing any more. What only starts another (``script``) waits for nothing.
        """
        listens = any(wait.kind in (READ, POLL) for wait in self._scene.waits(process))
        if not listens or not process.terminal or starts_another(process) or self._scene.is_raw(process):
            return ""
        there = [each for each in self._own.values() if each.ppid == process.pid]
        there = [each for each in there if each.terminal not in (0, process.terminal)]
        if all(is_shell(each.command) and self._roles[each.pid] == PROMPT for each in there):
            return ""
        makes = any(file.link in _MASTERS for file in self._scene.files(process))
        return "waits for a program that it drives" if makes else ""

    def _for_tmux(self, process: Process) -> str:
        """``tmux wait-for`` and the like: a client that shows nothing ends when its server has done something."""
        return "waits until a tmux server has done something" if is_tmux_client(process) else ""

    def _for_line(self, process: Process) -> str:
        """``grep -m1``: a filter that ends, or does something, when a certain line comes."""
        if process.command not in FILTERS or all(wait.kind != READ for wait in self._scene.waits(process)):
            return ""
        link = self._scene.link(process, 0)
        if link is None or not link.startswith("pipe:") or not acts(process.command, self._scene.words(process)):
            return ""
        return "waits for a line to come"


def sleep_seconds(words: Sequence[str]) -> Optional[float]:
    """How long ``sleep`` sleeps with these arguments; None for ever, or where they are no times."""
    found: List[float] = []
    for word in words:
        match = _TIME.match(word)
        if match is None:
            return None
        found.append(float(match.group(1)[:20]) * _UNITS[match.group(2)])
    return sum(found) if found else None
