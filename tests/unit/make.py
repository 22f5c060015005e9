# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions for tests that need no tmux, and listings of them."""

from typing import Any, Dict, List, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils import _model as model
from ansible_collections.fleet.tmux.plugins.module_utils._model import Pane, Session, Window

NOW = 1800000000


def pane(**more: Any) -> Pane:
    made = Pane("%1", 0, 4711, False, None, "", True, 80, 24, "guard", "sh", "/", "title", "sh")
    if more.get("dead"):
        more.setdefault("pid", None)
    return made._replace(**more)


def window(*panes: Pane, **more: Any) -> Window:
    return Window("@1", 0, True, NOW - 1000, 80, 24, "layout", "window", panes or (pane(),))._replace(**more)


def session(name: str = "work", *windows: Window, **more: Any) -> Session:
    """A session that nothing has happened to for a thousand seconds."""
    old = NOW - 1000
    made = Session("$1", old, old, None, 0, 0, name, "", "", "guard", "identity", windows or (window(),))
    return made._replace(**more)


def listed(sessions: Sequence[Session], nonce: str, version: str = "3.3a", pid: int = 99, start: int = 5) -> bytes:
    """What a tmux prints when it holds these sessions."""
    rows: List[str] = []

    def add(kind: str, *fields: object) -> None:
        rows.append(model.row(nonce, kind, [_printed(field) for field in fields]))

    for each in sessions:
        clocks = (each.created, each.activity, each.last_attached, each.attached)
        add(
            "s", each.id, pid, start, *clocks, len(each.windows), version, each.name, each.group, each.keep, each.notice
        )
        add("g", each.id, each.guard, each.identity)
    for each in sessions:
        for one in each.windows:
            size = (one.width, one.height, len(one.panes))
            add("w", each.id, one.id, one.number, one.active, one.activity, *size, one.layout, one.name)
            for it in one.panes:
                state = (it.pid, it.dead, it.status, it.signal, it.active, it.width, it.height, it.guard)
                add("p", each.id, one.id, it.id, it.number, *state, it.command, it.path, it.title, it.start_command)
    return "".join(row + "\n" for row in rows).encode("utf-8", "surrogateescape")


_WORDS: Dict[object, str] = {None: "", True: "1", False: "0"}


def _printed(field: object) -> str:
    return _WORDS[field] if field is None or isinstance(field, bool) else str(field)
