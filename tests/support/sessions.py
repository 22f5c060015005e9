# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions for tests that need no tmux, and listings of them."""

from typing import Any, Dict, List, Optional, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import Decision, Origin, Subject
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import fields, model
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import IN_TIME
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.fields import CLIENT, PANE, SESSION, WINDOW, Field
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Pane, Session, Window

NOW = 1800000000


def pane(**more: Any) -> Pane:
    clocks = _clocks(more, PANE)
    made = Pane("%1", 0, 4711, False, None, "", True, 80, 24, clocks, "guard", "sh", "/", "title", "sh", "", 4711)
    if more.get("dead"):
        more.setdefault("pid", None)
    return made._replace(**more)


def window(*panes: Pane, **more: Any) -> Window:
    clocks = _clocks(more, WINDOW)
    return Window("@1", 0, True, clocks, 80, 24, "layout", "window", panes or (pane(),))._replace(**more)


def session(name: str = "work", *windows: Window, **more: Any) -> Session:
    """A session that nothing has happened to for a thousand seconds. Clocks are named as tmux names them."""
    clocks = _clocks(more, SESSION, CLIENT)
    made = Session("$1", name, clocks, 0, "", "", "guard", "identity", windows or (window(),))
    return made._replace(**more)


def subject(of: Session, *processes: Process, **more: Any) -> Subject:
    """A session on its way through a run, with processes; one of each pane if none are given."""
    shells = tuple(Process(pid, 1, pid, "S", 5, 0, 0, "sh") for pid in of.pids)
    return Subject(Origin(0, "anna", 1001, "/tmp/tmux-1001/default", 99, 5), of, processes or shells)._replace(**more)


def decision(
    of: Session, action: str = "remove", reason: str = "idle", detail: str = "no activity for 16m 40s"
) -> Decision:
    return Decision(subject(of), action, reason, detail)


def clock_at(clock: Field, moment: int) -> Session:
    """A session of which one clock says ``moment``."""
    more = {clock.name: moment}
    if clock.of == WINDOW:
        return session("work", window(), window(**more))
    if clock.of == PANE:
        return session("work", window(pane(), pane(**more)))
    return session(**more)  # type: ignore[arg-type]


def _clocks(more: Dict[str, Any], *holders: str) -> Dict[str, Optional[int]]:
    """The clocks among ``more``, which are taken out of it, and all others as long ago."""
    found = {}
    for clock in fields.CLOCKS:
        if clock.of in holders:
            never = clock.may_be_empty or clock.of == CLIENT
            found[clock.name] = more.pop(clock.name, None if never else NOW - 1000)
    return found


def row(nonce: str, kind: str, texts: Sequence[str]) -> str:
    """A row as a tmux prints it that had the time for all of it."""
    return model.row(nonce, kind, texts).replace(IN_TIME, "1")


def listed(sessions: Sequence[Session], nonce: str, version: str = "3.3a", pid: int = 99, start: int = 5) -> bytes:
    """What a tmux prints when it holds these sessions."""
    server = {"pid": pid, "start_time": start, "version": version}
    rows: List[str] = []

    def add(kind: str, texts: Sequence[object]) -> None:
        rows.append(row(nonce, kind, [_printed(text) for text in texts]))

    for each in sessions:
        add("s", _row(SESSION, dict(server, **_session(each))))
        add("g", [each.id, each.guard, each.identity])
    for each in sessions:
        for one in each.windows:
            add("w", _row(WINDOW, dict(_window(one), session_id=each.id)))
            for it in one.panes:
                add("p", _row(PANE, dict(_pane(it), session_id=each.id, window_id=one.id)))
    return "".join(row + "\n" for row in rows).encode("utf-8", "surrogateescape")


def _row(of: str, values: Dict[str, Any]) -> List[object]:
    return [values[name] for name in fields.columns(of)]


def _session(it: Session) -> Dict[str, Any]:
    return {
        "session_id": it.id,
        "session_attached": it.attached,
        "session_windows": len(it.windows),
        "session_name": it.name,
        "session_group": it.group,
        "@keep": it.keep,
        "@no_snapshot": it.no_snapshot,
        "@fleet_tmux_keep": it.kept_since,
        "@fleet_tmux_notice": it.notice,
        **it.clocks,
    }


def _window(it: Window) -> Dict[str, Any]:
    return {
        "window_id": it.id,
        "window_index": it.number,
        "window_active": it.active,
        "window_width": it.width,
        "window_height": it.height,
        "window_panes": len(it.panes),
        "window_layout": it.layout,
        "window_name": it.name,
        **it.clocks,
    }


def _pane(it: Pane) -> Dict[str, Any]:
    return {
        "pane_id": it.id,
        "pane_index": it.number,
        "pane_pid": it.pid,
        "pane_dead": it.dead,
        "pane_dead_status": it.status,
        "pane_dead_signal": it.signal,
        "pane_active": it.active,
        "pane_width": it.width,
        "pane_height": it.height,
        "guard": it.guard,
        "pane_current_command": it.command,
        "pane_current_path": it.path,
        "pane_title": it.title,
        "pane_start_command": it.start_command,
        "pane_tty": it.tty,
        **it.clocks,
    }


_WORDS: Dict[object, str] = {None: "", True: "1", False: "0"}


def _printed(field: object) -> str:
    return _WORDS[field] if field is None or isinstance(field, bool) else str(field)
