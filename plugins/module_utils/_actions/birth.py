# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a new server lives: with the login of whoever starts it, or in a unit of systemd's of its own.

A user's manager is that user's own thing: it is only spoken to with that user's rights. The manager of the system is
root's, and only root asks it.
"""

import os
import re
import secrets
import time
from typing import Dict, List

from ansible_collections.fleet.tmux.plugins.module_utils._host import units
from ansible_collections.fleet.tmux.plugins.module_utils._host.child import Completed, environment, run
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief, to_text
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client

NONE, OF_USER, OF_SYSTEM = "none", "user", "system"

_ENV = "/usr/bin/env"
_PAUSE = 0.1
_NOTHING_EXPANDED = 254
"""Since that version systemd-run warns of a dollar sign in the words of a scope, unless it is told what it means."""


class BirthError(ValueError):
    """A server that cannot be started where it is wanted. The message says what is missing, and the remedy."""


class Birth:
    """Starts one server in its unit.

    :param root: whether we are root, and so become ``user`` for what is done with that user's manager.
    ``lingers_now``: lingering was enabled by us.
    """

    def __init__(self, scope: str, linger: bool, root: bool, timeout: float) -> None:
        self.scope = scope
        self.lingers_now = False
        self._linger = linger
        self._root = root
        self._timeout = timeout

    def require(self, user: User) -> None:
        """Refuse what can be known to be impossible, before anything is done.

        :raises BirthError: saying what is missing, and the remedy.
        """
        if self.scope == NONE:
            return
        if not units.runs_here():
            raise BirthError(f"scope={self.scope}: systemd does not run on this host, so it has no units; leave it out")
        if self.scope == OF_SYSTEM:
            self._require_system()
        elif units.lingers(user.name):
            self._require_manager(user)
        elif not self._linger:
            raise BirthError(
                f"scope=user: {user.name} does not linger, so the systemd manager of {user.name} ends with the last "
                "logout, and all its units with it; add linger=true, or run as root: loginctl enable-linger "
                f"{user.name}"
            )
        else:
            _program("loginctl")
            _program("systemd-run")

    def _require_system(self) -> None:
        if not self._root:
            raise BirthError(
                "scope=system: only root can have units of the manager of the system; add become=true, with "
                "socket_path for a server of another user, or use scope=user"
            )
        _program("busctl")

    def _require_manager(self, user: User) -> None:
        _program("systemd-run")
        said = self._manager_says(user)
        if said:
            raise BirthError(
                f"scope=user: the systemd manager of {user.name} cannot be reached at {_runtime(user)}: {said}; look "
                f"at: systemctl status user@{user.uid}.service"
            )

    def _manager_says(self, user: User) -> str:
        """Why the user's manager cannot be used; empty if it answers."""
        outcome = self._as(user, [_program("systemctl"), "--user", "show", "--property=Version"])
        if outcome.timed_out:
            return f"it did not answer within {self._timeout:g} seconds"
        return "" if outcome.rc == 0 else brief(to_text(outcome.err).strip()) or f"exit status {outcome.rc}"

    def _as(self, user: User, argv: List[str]) -> Completed:
        env = dict(environment(user), **_place(user))
        try:
            return run(argv, user=user if self._root else None, env=env, timeout=self._timeout)
        except OSError as error:
            raise BirthError(f"scope=user: nothing can be run as {user.name}: {error.strerror}")

    def _own(self, user: User) -> Dict[str, str]:
        """The environment for a program that runs with our own rights: as root, nothing of the user's is in it."""
        return environment(user._replace(name="root", home="/", shell="/bin/sh") if self._root else user)

    def make_ready(self, user: User) -> None:
        """Enable lingering, if it is wanted and needed, and wait until the user's manager answers.

        :raises BirthError: when that does not work.
        """
        if self.scope != OF_USER or units.lingers(user.name):
            return
        outcome = run(
            [_program("loginctl"), "enable-linger", "--", user.name], env=self._own(user), timeout=self._timeout
        )
        if outcome.rc != 0:
            said = brief(to_text(outcome.err).strip()) or "loginctl did not answer"
            raise BirthError(
                f"linger: lingering of {user.name} could not be enabled ({said}); run as root: loginctl enable-linger "
                f"{user.name}"
            )
        self.lingers_now = True
        deadline = time.monotonic() + self._timeout
        while self._manager_says(user) and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        self._require_manager(user)

    def begin(self, client: Client, user: User) -> None:
        """Let the server that this client starts begin in its unit.

        :raises BirthError: when that does not work; nothing was started.
        """
        if self.scope == OF_USER:
            words, about = self._words(user), f"--description=tmux server at {client.path}"
            client.birth = lambda: [*words, f"--unit={_new_name(user)}", about, "--"]
        elif self.scope == OF_SYSTEM:
            self._move(user, client.path)

    def _words(self, user: User) -> List[str]:
        program = _program("systemd-run")
        found = re.match(r"systemd ([0-9]+)", to_text(self._as(user, [program, "--version"]).out))
        place = [f"{name}={value}" for name, value in _place(user).items()]
        words = [_ENV, *place, program, "--user", "--scope", "--quiet"]
        return [*words, "--expand-environment=no"] if found and int(found.group(1)) >= _NOTHING_EXPANDED else words

    def _move(self, user: User, path: str) -> None:
        """Move ourselves, the child that works for this one task, into a new unit: whatever we start begins in it.

        So the server is born as any other is, with its owner's rights, and is held to what its owner is held to.
        """
        name = _new_name(user)
        manager = ["org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"]
        properties = ["3", "Description", "s", f"tmux server at {path}", "Slice", "s", f"user-{user.uid}.slice"]
        properties += ["PIDs", "au", "1", str(os.getpid())]
        call = ["StartTransientUnit", "ssa(sv)a(sa(sv))", name, "fail", *properties, "0"]
        outcome = run(
            [_program("busctl"), "--quiet", "call", *manager, *call],
            env=self._own(user),
            timeout=self._timeout,
        )
        deadline = time.monotonic() + self._timeout
        while outcome.rc == 0 and time.monotonic() < deadline:
            unit = units.unit_of()
            if unit is not None and unit.name == name:
                return
            time.sleep(_PAUSE)
        said = brief(to_text(outcome.err).strip()) or f"it did not do so within {self._timeout:g} seconds"
        raise BirthError(f"scope=system: systemd could not make a unit for the server: {said}")


def _program(name: str) -> str:
    path = units.tool(name)
    if path is None:
        raise BirthError(f"scope: there is no program {name} that belongs to root; it is part of the package systemd")
    return path


def _runtime(user: User) -> str:
    return f"{units.RUN}/user/{user.uid}"


def _place(user: User) -> Dict[str, str]:
    """By what a program of the user's finds the user's manager."""
    return {"XDG_RUNTIME_DIR": _runtime(user)}


def _new_name(user: User) -> str:
    return f"tmux-{user.uid}-{secrets.token_hex(4)}.scope"
