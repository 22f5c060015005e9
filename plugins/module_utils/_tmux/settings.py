# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of one session or window: which there are, what they are, and setting them so that they stay as written."""

import re
import secrets
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief, to_text
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.details import REMEMBERED, in_order
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import Command, Version, as_printed, as_stored
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Failed, TmuxError

Pairs = Sequence[Tuple[str, str]]

_NAME = re.compile(r"^([a-z][a-z0-9-]*)(?:\[[0-9]+\])?(?=[ \n]|$)", re.MULTILINE)


class Setting(NamedTuple):
    """An option, and what it should be. ``place``: the session or window whose own it is; without one, all have it."""

    place: str
    name: str
    value: str
    of_window: bool = False

    @property
    def _where(self) -> List[str]:
        return [*(["-w"] if self.of_window else []), *(["-t", self.place] if self.place else ["-g"])]

    @property
    def _memory(self) -> str:
        return REMEMBERED + re.sub(r"[^A-Za-z0-9_-]", "-", self.name.rstrip("]"))

    def to_set(self) -> Command:
        return ["set-option", *self._where, "--", self.name, self.value]

    def to_unset(self) -> Command:
        return ["set-option", "-u", *self._where, "--", self.name]

    def to_show(self) -> List[Command]:
        """What shows the option, and what was remembered of it."""
        return [["show-options", "-q", "-v", *self._where, name] for name in (self.name, self._memory)]

    def to_remember(self, found: str) -> Command:
        return self._replace(name=self._memory, value=_memory_of(self.value, found)).to_set()


class Found(NamedTuple):
    """What an option is now, as tmux prints it; None if it is not set there. ``remembered``: see ``to_remember``."""

    value: Optional[str]
    remembered: Optional[str]

    def is_as(self, setting: Setting, version: Version) -> bool:
        """Whether it is what it should be, however tmux writes that."""
        if self.value is None:
            return False
        memory = as_printed(_memory_of(setting.value, self.value), version)
        return self.value == as_printed(setting.value, version) or self.remembered == memory


def _memory_of(declared: str, found: str) -> str:
    return declared + "\n" + found


class SettingError(Failed):
    """An option that there is not, or a value that tmux does not take. Nothing is set then."""


class Options(NamedTuple):
    """The names of the options of one server."""

    of_sessions: Sequence[str]
    of_windows: Sequence[str]

    def is_of_windows(self, name: str) -> bool:
        return name.partition("[")[0] in self.of_windows

    def require(self, name: str, version: Version) -> None:
        """:raises SettingError: when there is no such option; tmux itself would take the beginning of a name for it."""
        plain = name.partition("[")[0]
        if not (name.startswith("@") or plain in self.of_sessions or plain in self.of_windows):
            raise SettingError(
                f"option {brief(name)}: tmux {version.text} has no option of a session or a window that is called so"
            )

    def require_of_window(self, name: str, version: Version) -> None:
        """:raises SettingError: when there is no such option of a window."""
        self.require(name, version)
        if not (name.startswith("@") or self.is_of_windows(name)):
            raise SettingError(f"option {name} is one of a session, not of a window; say it of the session")


def known(client: Client) -> Options:
    """The options that a server knows.

    :raises TmuxError: when it cannot be asked.
    """
    printed = [to_text(client.call([["show-options", *flags]])) for flags in (["-g"], ["-g", "-w"])]
    return Options(*(tuple(sorted(set(_NAME.findall(text)))) for text in printed))


def require(known: Options, version: Version, shared: Pairs, windows: Iterable[Pairs]) -> None:
    """Refuse names of options of sessions (``shared``) or of windows.

    :raises SettingError: naming one that there is not.
    """
    for name, _value in shared:
        known.require(name, version)
    for name in sorted({name for options in windows for name, _value in options}):
        known.require_of_window(name, version)


def belonging(session: str, window: str, options: Pairs, known: Options) -> List[Setting]:
    """Options of a session and of a window, each where it belongs."""
    return [
        Setting(window, name, value, True) if known.is_of_windows(name) else Setting(session, name, value)
        for name, value in options
    ]


def of_window(place: str, shared: Pairs, own: Pairs) -> List[Setting]:
    """Options of one window: those that were said of all, unless they were said of itself."""
    wanted = {**dict(shared), **dict(own)}
    return [Setting(place, name, value, True) for name, value in sorted(wanted.items())]


def found(client: Client, settings: Sequence[Setting], version: Version) -> List[Found]:
    """What options are now.

    :raises TmuxError: when that cannot be known.
    """
    if not settings:
        return []
    texts = _answers(client, [command for setting in settings for command in setting.to_show()], version)
    return [Found(value, memory) for value, memory in zip(texts[::2], texts[1::2])]


def differing(client: Client, settings: Sequence[Setting], version: Version) -> List[Tuple[Setting, Found]]:
    """Which options are not what they should be, and what they are."""
    now = found(client, settings, version)
    return [(setting, was) for setting, was in zip(settings, now) if not was.is_as(setting, version)]


def apply(client: Client, settings: Sequence[Setting], version: Version) -> None:
    """Set options.

    :raises SettingError: naming the first that tmux does not take; the others are then what they were before.
    :raises TmuxError: when the server cannot be asked.
    """
    before = found(client, settings, version)
    try:
        _set(client, settings, version)
    except Failed as error:
        after = found(client, settings, version)
        refused = [
            setting
            for setting, was, now in zip(settings, before, after)
            if now.value == was.value and not now.is_as(setting, version)
        ]
        changed = [pair for pair, now in zip(zip(settings, before), after) if now.value != pair[1].value]
        if changed:
            client.script([_back(setting, was, version) for setting, was in changed], version)
        raise refusal(refused[0], error) if refused else SettingError(f"options could not be set: {error.message}")


def _set(client: Client, settings: Sequence[Setting], version: Version) -> None:
    """Set options, and remember how those were written that tmux prints otherwise."""
    if not settings:
        return
    client.script([setting.to_set() for setting in settings], version)
    now = found(client, settings, version)
    lost = [setting for setting, is_ in zip(settings, now) if is_.value is None]
    if lost:
        raise unset(lost[0])
    otherwise = [
        setting.to_remember(as_stored([is_.value or ""], version)[0])
        for setting, is_ in zip(settings, now)
        if not is_.is_as(setting, version)
    ]
    if otherwise:
        client.script(otherwise, version)


def unset(setting: Setting) -> Failed:
    """What tmux has done nothing about, though it has said nothing against it."""
    return Failed("tmux has not set %s" % setting.name)


def refusal(first: Setting, error: TmuxError) -> SettingError:
    """That tmux does not take a setting, for what it has said."""
    return SettingError(
        f"option {first.name}: tmux does not take {brief(repr(first.value))}: {error.message}; no option was set"
    )


def _back(setting: Setting, was: Found, version: Version) -> Command:
    if was.value is None:
        return setting.to_unset()
    return setting._replace(value=as_stored([was.value], version)[0]).to_set()


def _answers(client: Client, questions: Sequence[Command], version: Version) -> List[Optional[str]]:
    """What each command prints, without the newline at its end; None for one that prints nothing."""
    nonce = secrets.token_hex(8)
    commands: List[Command] = []
    for place, question in enumerate(questions):
        commands += [["display-message", "-p", f"{nonce}|{place}"], question]
    commands.append(["display-message", "-p", f"{nonce}|end"])
    printed = to_text(client.script(commands, version))
    places = [str(place) for place in range(len(questions))]
    told: Dict[str, str] = in_order(printed.split(nonce + "|")[1:], [*places, "end"])
    if len(told) < len(places):
        raise TmuxError("options of the server could not be read")
    return [told[place][:-1] if told[place] else None for place in places]
