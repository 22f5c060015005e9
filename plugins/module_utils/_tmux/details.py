# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a listing does not tell, and has to be asked for: user options of sessions, and what panes show."""

import re
import secrets
from types import MappingProxyType
from typing import Collection, Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown, to_text
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import (
    Capability,
    Command,
    Version,
    as_stored,
    message,
    own_words,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import NoTarget, TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import (
    CLEANUP_OPTION,
    JOB_OPTION,
    number_or_none,
    row,
    rows,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.pipes import OPTION as LOG
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.pipes import said

CONTENT_CHARS = 1024 * 1024
"""Characters of what a pane shows that are told at most, counted from the end."""

_PER_CALL = 50
_OPTION_NAME = re.compile(r"^(@[A-Za-z0-9_-]+)(?=[ \n]|$)", re.MULTILINE)


REMEMBERED = "@fleet_tmux_as_"
"""Begins the name of a user option that says how an option was written which tmux itself prints otherwise."""

_OWN = (LOG, JOB_OPTION, CLEANUP_OPTION)
"""What else is remembered so."""

Options = Dict[str, Optional[str]]
"""Values by name; None for one that stays on the host."""


def option_names(printed: str) -> List[str]:
    """The user options among those that a session shows, and perhaps lines of their values that look like some."""
    return sorted(set(_OPTION_NAME.findall(printed)))


def user_options(client: Client, ids: Sequence[str]) -> Dict[str, Options]:
    """The user options of sessions, by session id and name, without what a task remembers of its own in them.

    :raises TmuxError: when the server cannot be asked.
    """
    printed = _sections(client, [(identity, ["show-options", "-t", identity]) for identity in ids])
    names = {
        identity: {name for name in option_names(text) if not name.startswith(REMEMBERED) and name not in _OWN}
        for identity, text in printed.items()
    }
    if client.discreet:
        return {identity: dict.fromkeys(sorted(names.get(identity, ()))) for identity in ids}
    values = _option_values(client, sorted({name for own in names.values() for name in own}))
    return {
        identity: {name: value for name, value in values.get(identity, {}).items() if name in names.get(identity, ())}
        for identity in ids
    }


def _option_values(client: Client, names: Sequence[str]) -> Dict[str, Dict[str, str]]:
    """What options say of every session, be it by an option of its own or a global one."""
    found: Dict[str, Dict[str, str]] = {}
    for start in range(0, len(names), _PER_CALL):
        part = names[start : start + _PER_CALL]
        nonce = secrets.token_hex(8)
        fields = ["#{session_id}"] + [f"#{{{name}}}" for name in part]
        output = to_text(client.call([["list-sessions", "-F", row(nonce, "o", fields)]]))
        for _kind, values in rows(output, nonce):
            own = found.setdefault(values[0], {})
            own.update((name, shown(value, True)) for name, value in zip(part, values[1:]))
    return found


class Mark(NamedTuple):
    """What is noted of a job: its hash, the id of the pane that it runs in, and when its session was made."""

    digest: str
    pane: str
    begun: Optional[int] = None

    @classmethod
    def parsed(cls, text: str) -> "Mark":
        digest, pane, begun = (text.split(" ") + ["", ""])[:3]
        return cls(digest, pane, number_or_none(begun))


class Marks(NamedTuple):
    """Of which jobs sessions are, and panes, by their ids: somebody may have moved a pane elsewhere."""

    sessions: Mapping[str, Mark] = MappingProxyType({})
    panes: Mapping[str, Mark] = MappingProxyType({})

    def of(self, digest: str) -> List[Mark]:
        """What is noted of one job."""
        found = [*self.sessions.values(), *self.panes.values()]
        return [mark for mark in found if mark.digest == digest]


def job_marks(client: Client) -> Marks:
    """What a server knows of jobs.

    :raises TmuxError: when the server cannot be asked.
    """
    nonce = secrets.token_hex(8)
    mark = "#{%s}" % JOB_OPTION
    commands = [["list-sessions", "-F", row(nonce, "j", ["#{session_id}", mark])]]
    commands += [["list-panes", "-a", "-F", row(nonce, "p", ["#{pane_id}", mark])]]
    try:
        printed = rows(to_text(client.call(commands)), nonce)
    except NoTarget:  # A server without sessions.
        return Marks()
    found = [(kind, identity, Mark.parsed(mark)) for kind, (identity, mark) in printed if mark]
    return Marks(
        {identity: mark for kind, identity, mark in found if kind == "j"},
        # A pane may inherit what is noted at its window or its session, for another one.
        {identity: mark for kind, identity, mark in found if kind == "p" and mark.pane == identity},
    )


def marking(place: str, digest: str, version: Version) -> List[Command]:
    """Note at a session that has just been made, and at its pane, of which job they are.

    Before panes have options, its window has it, which can be moved, too.
    """
    of = "-p" if version.has(Capability.OPTIONS_OF_PANES) else "-w"
    mark = digest + " #{pane_id} #{session_created}"
    return [["set-option", "-F", *where, "-t", place + ":", JOB_OPTION, mark] for where in ([], [of])]


_ATTEMPTS = 4
"""How often a server is asked that has cut off what it prints."""


class Noted(NamedTuple):
    """What a session has to do with files: which are noted to go with it, and to which its output is written.

    ``held``: the ids of the windows and panes that it has, what runs in which may use them. ``told``: the ids of the
    panes of whose output it says where it is written: somebody may have moved them elsewhere. ``pids``: by the ids of
    panes, those of what lives in them.
    """

    name: str
    cleanup: str
    logs: Tuple[str, ...] = ()
    held: Tuple[str, ...] = ()
    told: Tuple[str, ...] = ()
    pids: Mapping[str, int] = MappingProxyType({})


def noted(client: Client, version: Version) -> Dict[str, Noted]:
    """What the sessions of a server have to do with files, by what tells each from every other session of its host.

    :raises TmuxError: when that cannot be known of all of them.
    """
    for _attempt in range(_ATTEMPTS):
        nonce = secrets.token_hex(8)
        who = "#{pid}/#{start_time}/#{session_id}/#{session_created}"
        fields = row(nonce, "s", [who, "#{session_name}", "#{%s}" % CLEANUP_OPTION, "#{%s}" % LOG])
        piped = row(nonce, "p", [who, *("#{%s}" % name for name in _OF_PANES)])
        commands = [["list-sessions", "-F", fields], ["list-panes", "-a", "-F", piped]]
        try:
            text = to_text(client.call(commands))
        except NoTarget:  # A server without sessions.
            return {}
        printed = [(kind, as_stored(listed, version)) for kind, listed in rows(text, nonce)]
        if text.count(nonce + "|") == len(printed) == sum(_FIELDS.get(kind) == len(own) for kind, own in printed):
            return _noted(printed)
    raise TmuxError("which files belong to its sessions could not be read")


def going_with(session: str, cleanup: str) -> List[Command]:
    """Note which files go with a session."""
    text = ["--", CLEANUP_OPTION, cleanup] if cleanup else ["-u", "--", CLEANUP_OPTION]
    return [["set-option", "-t", session, *text]]


_OF_PANES = ("window_id", "pane_id", "pane_pipe", "pane_pid", "pane_dead")
_FIELDS = {"s": 4, "p": 1 + len(_OF_PANES)}
"""How many fields a row of each kind has. What has others, no tmux has printed."""


def _noted(printed: Sequence[Tuple[str, List[str]]]) -> Dict[str, Noted]:
    sessions = [listed for kind, listed in printed if kind == "s"]
    told = said("".join(log + " " for _who, _name, _cleanup, log in sessions))
    logs: Dict[str, Set[str]] = {}
    held: Dict[str, Set[str]] = {}
    pids: Dict[str, Dict[str, int]] = {}
    for identity, window, pane, pipe, pid, dead in [own for kind, own in printed if kind == "p"]:
        held.setdefault(identity, set()).update([window, pane])
        logs.setdefault(identity, set()).update([told[pane].log] if pipe == "1" and pane in told else [])
        pids.setdefault(identity, {}).update({pane: number_or_none(pid) or 0} if dead != "1" else {})
    return {
        identity: Noted(
            name,
            cleanup,
            logs=tuple(sorted(logs.get(identity, ()))),
            held=tuple(sorted(held.get(identity, ()))),
            told=tuple(sorted(said(log + " "))),
            pids=pids.get(identity, {}),
        )
        for identity, name, cleanup, log in sessions
    }


def with_own_options(one: Seen, names: Sequence[str]) -> Seen:
    """A server whose sessions have those of these user options that are their own, and not inherited.

    It is one call for all of them. What cannot be read is not known, whatever was.
    """
    sessions, version = one.listing.sessions, one.listing.version
    if not names or not sessions:
        return one
    nonce = secrets.token_hex(8)
    commands: List[Command] = []
    places: List[str] = []
    for number, session in enumerate(sessions):
        for place, name in enumerate(names):
            places.append(f"{number} {place}")
            commands += [["display-message", "-p", f"{nonce}|{places[-1]}"]]
            commands += [["show-options", "-q", "-v", "-t", session.id, name]]
    commands.append(["display-message", "-p", nonce + "|"])
    try:
        printed = to_text(one.client.script(commands, version))
    except TmuxError as error:  # It says so also when one of the sessions has gone meanwhile.
        printed = error.stdout
    found = in_order(printed.split(nonce + "|")[1:], places + [""])
    told = [session._replace(options=_own(number, names, found, version)) for number, session in enumerate(sessions)]
    return one._replace(listing=one.listing._replace(sessions=tuple(told)))


def in_order(parts: Sequence[str], places: Sequence[str]) -> Dict[str, str]:
    """What was said at each place; nothing where the next was not told apart from it (see ``FORMATS_ARE_CUT_OFF``).

    The last part is whatever came after the end, or was cut off.
    """
    said = [part.partition("\n") for part in parts]
    follows = dict(zip(places, places[1:]))
    pairs = zip(said, said[1:])
    return {place: text for (place, _newline, text), (after, _end, _text) in pairs if follows.get(place) == after}


def _own(number: int, names: Sequence[str], found: Dict[str, str], version: Version) -> Optional[Dict[str, str]]:
    printed = [found.get(f"{number} {place}") for place in range(len(names))]
    if None in printed:
        return None
    # An empty value is an empty line, and no value is nothing.
    values = {name: text[:-1] for name, text in zip(names, printed) if text}
    return dict(zip(values, as_stored(list(values.values()), version)))


def named_by_tmux(client: Client, session: str = "") -> Dict[str, bool]:
    """Whether the windows of a server or one of its sessions, by id, are named after what runs in them.

    :raises TmuxError: when the server cannot be asked.
    """
    nonce = secrets.token_hex(8)
    fields = ["#{window_id}", "#{automatic-rename}"]
    which = ["-t", session] if session else ["-a"]
    printed = rows(to_text(client.call([["list-windows", *which, "-F", row(nonce, "a", fields)]])), nonce)
    return {listed[0]: listed[1] in ("on", "1") for _kind, listed in printed if len(listed) == len(fields)}


def pane_texts(client: Client, panes: Sequence[str], lines: int, dead: Collection[str] = ()) -> Dict[str, str]:
    """The last ``lines`` lines of each pane, without the empty ones at the end; escape sequences are not in it.

    :param dead: panes at whose end tmux has written that they are; nor is that.
    :raises TmuxError: when the server cannot be asked.
    """
    questions = [(pane, ["capture-pane", "-p", "-J", "-S", "-%d" % lines, "-t", pane]) for pane in panes]
    printed = _sections(client, questions)
    own = {pane: own_words(text) if pane in dead else text for pane, text in printed.items()}
    return {pane: _last_lines(text, lines) for pane, text in own.items()}


def screens(client: Client, panes: Sequence[str]) -> Dict[str, str]:
    """What each pane shows now, line by line from its top.

    :raises TmuxError: when the server cannot be asked.
    """
    questions = [(pane, ["capture-pane", "-p", "-t", pane]) for pane in panes]
    return {pane: text[:CONTENT_CHARS] for pane, text in _sections(client, questions).items()}


def _last_lines(text: str, lines: int) -> str:
    """The end of a text: no more of it than that is looked at."""
    found = [line.rstrip() for line in text.rstrip("\n ")[-CONTENT_CHARS:].split("\n")]
    while found and not found[-1]:
        found.pop()
    return shown("\n".join(found[-lines:]), True)


def _sections(client: Client, questions: Sequence[Tuple[str, Command]]) -> Dict[str, str]:
    """The answers to commands, by key. One that fails (its target has gone) answers nothing, and stops no other."""
    nonce = secrets.token_hex(8)
    answers: Dict[str, str] = {}
    for start in range(0, len(questions), _PER_CALL):
        part = questions[start : start + _PER_CALL]
        commands: List[Command] = []
        for key, command in part:
            commands += [["display-message", "-p", message(f"{nonce}|{key}")], command]
        try:
            output = to_text(client.call(commands))
        except TmuxError as error:
            if error.status == "hung" or len(part) == 1:
                raise
            for question in part:
                answers.update(_alone(client, question))
            continue
        for section in output.split(nonce + "|")[1:]:
            key, _newline, text = section.partition("\n")
            answers[key] = text
    return answers


def _alone(client: Client, question: Tuple[str, Command]) -> Dict[str, str]:
    try:
        return {question[0]: to_text(client.call([question[1]]))}
    except TmuxError as error:
        if error.status != "ok":
            raise
        return {}
