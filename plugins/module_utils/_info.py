# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is, in the shape of a result: servers, sessions, windows, panes, processes and text."""

import re
import secrets
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils import _proctable as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._census import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._model import Pane, Session, Window, row, rows
from ansible_collections.fleet.tmux.plugins.module_utils._policy import idle_seconds
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import Client, Command, TmuxError, shown, to_text

INCLUDES = ("windows", "panes", "processes", "content")

_PER_CALL = 50
_OPTION_NAME = re.compile(r"^(@[A-Za-z0-9_-]+)(?=[ \n]|$)", re.MULTILINE)


class Wish(NamedTuple):
    """What is wanted: only sessions with these names (None: all), and which parts of them."""

    names: Optional[Sequence[str]]
    include: Tuple[str, ...]
    content_lines: int

    def wants(self, *parts: str) -> bool:
        return any(part in self.include for part in parts)


def describe(seen: Iterable[Seen], wish: Wish, now: int) -> Tuple[List[Dict[str, Any]], List[str]]:
    """The sessions, sorted by owner, socket and name, and what could not be had."""
    table = proctable.read_table() if wish.wants("processes") else {}
    found = []
    trouble: List[str] = []
    for one in seen:
        chosen = [session for session in one.listing.sessions if wish.names is None or session.name in wish.names]
        if chosen:
            extras = _Extras(one, chosen, wish, trouble)
            found += [_session(one, session, wish, now, table, extras) for session in chosen]
    return sorted(found, key=lambda item: (item["owner"], item["socket"], item["name"], item["id"])), trouble


class _Extras:
    """What takes more questions: user options, and the text of panes."""

    def __init__(self, one: Seen, chosen: Sequence[Session], wish: Wish, trouble: List[str]) -> None:
        self._client = one.client
        self._trouble = trouble
        self.options: Dict[str, Dict[str, str]] = {}
        self.content: Dict[str, str] = {}
        self._try(lambda: self._read_options([session.id for session in chosen]))
        if wish.wants("content"):
            panes = [pane.id for session in chosen for pane in session.panes]
            self._try(lambda: self.content.update(_contents(one.client, panes, wish.content_lines)))

    def _try(self, read: Any) -> None:
        try:
            read()
        except TmuxError as error:
            self._trouble.append("%s: %s" % (shown(self._client.path), error.message))

    def _read_options(self, ids: Sequence[str]) -> None:
        printed = _sections(self._client, [(identity, ["show-options", "-t", identity]) for identity in ids])
        names = {identity: set(_OPTION_NAME.findall(text)) for identity, text in printed.items()}
        wanted = sorted({name for own in names.values() for name in own})
        for start in range(0, len(wanted), _PER_CALL):
            self._read_values(wanted[start : start + _PER_CALL], names)

    def _read_values(self, wanted: Sequence[str], names: Dict[str, Set[str]]) -> None:
        nonce = secrets.token_hex(8)
        fields = ["#{session_id}"] + ["#{%s}" % name for name in wanted]
        output = to_text(self._client.call([["list-sessions", "-F", row(nonce, "o", fields)]]))
        for _kind, values in rows(output, nonce):
            own = names.get(values[0], set())
            chosen = {name: shown(value, True) for name, value in zip(wanted, values[1:]) if name in own}
            self.options.setdefault(values[0], {}).update(chosen)


def _sections(client: Client, questions: Sequence[Tuple[str, Command]]) -> Dict[str, str]:
    """The answers to commands, by key. One that fails (its target has gone) answers nothing, and stops no other."""
    nonce = secrets.token_hex(8)
    answers: Dict[str, str] = {}
    for start in range(0, len(questions), _PER_CALL):
        part = questions[start : start + _PER_CALL]
        commands: List[Command] = []
        for key, command in part:
            # A percent sign, as in a pane's id, begins a date there: "%7" would come back with blanks before it.
            commands += [["display-message", "-p", "%s|%s" % (nonce, key.replace("%", "%%"))], command]
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


def _contents(client: Client, panes: Sequence[str], lines: int) -> Dict[str, str]:
    """The last ``lines`` lines of each pane, without the empty ones at the end; escape sequences are not in it."""
    questions = [(pane, ["capture-pane", "-p", "-J", "-S", "-%d" % lines, "-t", pane]) for pane in sorted(set(panes))]
    return {pane: _last_lines(text, lines) for pane, text in _sections(client, questions).items()}


def _last_lines(text: str, lines: int) -> str:
    found = [line.rstrip() for line in text.rstrip("\n").split("\n")]
    while found and not found[-1]:
        found.pop()
    return shown("\n".join(found[-lines:]), True)


def _session(
    one: Seen, session: Session, wish: Wish, now: int, table: proctable.Table, extras: _Extras
) -> Dict[str, Any]:
    window = next((window for window in session.windows if window.active), session.windows[0])
    item = {
        "name": shown(session.name),
        "id": session.id,
        "owner": shown(one.server.user.name),
        "socket": shown(one.server.socket),
        "created": session.created,
        "activity": session.activity,
        "last_attached": session.last_attached,
        "output": max(window.activity for window in session.windows),
        "idle": idle_seconds(session, "any", now),
        "attached": session.attached,
        "width": window.width,
        "height": window.height,
        "group": shown(session.group) or None,
        "options": extras.options.get(session.id, {}),
    }
    if wish.include:
        item["windows"] = [_window(window, wish, table, extras) for window in session.windows]
    return item


def _window(window: Window, wish: Wish, table: proctable.Table, extras: _Extras) -> Dict[str, Any]:
    item = {
        "id": window.id,
        "index": window.number,
        "name": shown(window.name),
        "active": window.active,
        "activity": window.activity,
        "width": window.width,
        "height": window.height,
        "layout": shown(window.layout),
    }
    if wish.wants("panes", "processes", "content"):
        item["panes"] = [_pane(pane, wish, table, extras) for pane in window.panes]
    return item


def _pane(pane: Pane, wish: Wish, table: proctable.Table, extras: _Extras) -> Dict[str, Any]:
    item = {
        "id": pane.id,
        "index": pane.number,
        "active": pane.active,
        "pid": pane.pid,
        "command": shown(pane.command),
        "start_command": shown(pane.start_command),
        "path": shown(pane.path),
        "title": shown(pane.title),
        "width": pane.width,
        "height": pane.height,
        "dead": pane.dead,
        "exit_status": pane.status if pane.dead else None,
        "exit_signal": (shown(pane.signal) or None) if pane.dead else None,
    }
    if wish.wants("processes"):
        roots = [] if pane.pid is None else [pane.pid]
        item["processes"] = [_process(process) for process in proctable.belonging_to(table, roots)]
    if wish.wants("content"):
        item["content"] = extras.content.get(pane.id)
    return item


def _process(process: proctable.Process) -> Dict[str, Any]:
    return {
        "pid": process.pid,
        "ppid": process.ppid,
        "command": shown(process.command),
        "rss": process.rss,
        "cpu_seconds": process.cpu_seconds,
        "open_files": proctable.open_files(process.pid),
    }
