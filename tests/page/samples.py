# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports to make pages of, in the shape of docs/report.schema.json: small ones by hand, large ones by counting.

python samples.py FOLDER    writes the page of each sample there, to look at
"""

import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

Report = Dict[str, Any]

DAY, HOUR, MIB = 86400, 3600, 1024**2
NOW = 1764313200  # 2025-11-28 07:00 UTC


def session(name: str, owner: str = "alice", outcome: str = "kept", **more: Any) -> Report:
    """One session that was looked at."""
    made: Report = {
        "outcome": outcome,
        "owner": owner,
        "name": name,
        "id": "$1",
        "socket": "/tmp/tmux-1000/default",
        "reason": "active",
        "detail": "last used 12m ago",
        "idle": 720,
        "created": NOW - 3 * DAY,
        "snapshot": None,
        "freed": {"processes": 0, "bytes": 0},
        "survivors": [],
        "lives_on": [],
        "more": {"survivors": 0, "lives_on": 0},
    }
    assert set(more) <= set(made)
    made.update(more)
    return made


def removed(name: str, owner: str = "alice", idle: Optional[int] = 2 * DAY + 4 * HOUR, **more: Any) -> Report:
    seconds = idle or 0
    made = {
        "reason": "idle",
        "detail": "no activity for %dd %dh" % (seconds // DAY, seconds % DAY // HOUR),
        "idle": idle,
        "created": NOW - seconds - DAY,
        "freed": {"processes": 3, "bytes": 42 * MIB},
    }
    return session(name, owner, "removed", **{**made, **more})


_OUTCOMES = ("removed", "marked", "kept", "not_done")


def _counts(sessions: Sequence[Report]) -> Dict[str, int]:
    counts = {outcome: sum(it["outcome"] == outcome for it in sessions) for outcome in _OUTCOMES}
    return {"looked_at": len(sessions), **counts}


def _freed(sessions: Sequence[Report], key: str) -> int:
    return sum(it["freed"][key] for it in sessions)


def _oldest(sessions: Sequence[Report]) -> Optional[int]:
    there = [it["idle"] for it in sessions if it["outcome"] != "removed" and it["idle"] is not None]
    return max(there, default=None)


_POLICY: Report = {"idle": "3d", "protect": ["attached", "busy", "keep"], "finished": False, "notice": None}


def host(name: str, sessions: Sequence[Report] = (), **more: Any) -> Report:
    """One host and what it holds."""
    not_matched = more.pop("not_matched", 0)
    servers = more.pop("servers", [])
    made: Report = {
        "host": name,
        "status": "ok",
        "message": "",
        "remedy": "",
        "said": "",
        "policy": "5d1c0e42",
        "scope": "host",
        "judged_at": "2025-11-28T07:00:05Z",
        "counts": {
            **_counts(sessions),
            "not_matched": not_matched,
            "servers": len(servers) + bool(sessions),
            "unmarked": 0,
        },
        "freed": {"processes": _freed(sessions, "processes"), "bytes": _freed(sessions, "bytes")},
        "oldest_idle": _oldest(sessions),
        "servers": servers,
        "sessions": list(sessions),
        "unlisted": [],
        "over_limit": [],
    }
    assert set(more) <= set(made)
    made.update(more)
    return made


def broken(name: str, status: str, message: str) -> Report:
    return host(name, status=status, message=message, scope=None, judged_at=None)


def server(owner: str, status: str, reason: str, version: Optional[str] = None) -> Report:
    return {
        "owner": owner,
        "socket": "/tmp/tmux-%s/default" % owner,
        "status": status,
        "reason": reason,
        "version": version,
    }


def _owners(hosts: Sequence[Report]) -> List[Report]:
    sessions: Dict[str, List[Report]] = {}
    places: Dict[str, int] = {}
    for it in hosts:
        for one in it["sessions"]:
            sessions.setdefault(one["owner"], []).append(one)
        for owner in {one["owner"] for one in it["sessions"]}:
            places[owner] = places.get(owner, 0) + 1
    return [
        {
            "owner": owner,
            "hosts": places[owner],
            **_counts(sessions[owner]),
            "freed_processes": _freed(sessions[owner], "processes"),
            "freed_bytes": _freed(sessions[owner], "bytes"),
            "oldest_idle": _oldest(sessions[owner]),
        }
        for owner in sorted(sessions)
    ]


def _totals(hosts: Sequence[Report], guard: Report) -> Report:
    sessions = [one for it in hosts for one in it["sessions"]]
    status = {word: sum(it["status"] == word for it in hosts) for word in ("ok", "failed", "unreachable", "missing")}
    return {
        "hosts": len(hosts),
        **status,
        "over_limit": len({one["owner"] for it in (*hosts, guard) for one in it["over_limit"]}),
        **_counts(sessions),
        "not_matched": sum(it["counts"]["not_matched"] for it in hosts),
        "unmarked": sum(it["counts"]["unmarked"] for it in hosts),
        "servers": sum(it["counts"]["servers"] for it in hosts),
        "survivors": sum(len(one["survivors"]) for one in sessions),
        "freed_processes": _freed(sessions, "processes"),
        "freed_bytes": _freed(sessions, "bytes"),
        "oldest_idle": _oldest(sessions),
    }


_NO_GUARD: Report = {
    "max_removals": None,
    "max_percent": None,
    "max_removals_per_owner": None,
    "over_limit": [],
    "planned": None,
    "unprotected": None,
    "looked_at": None,
    "stopped": False,
    "message": "",
}


def report(hosts: Sequence[Report], **more: Any) -> Report:
    """A report of these hosts; ``more`` is of the run, or ``guard``."""
    guard = {**_NO_GUARD, **more.pop("guard", {})}
    run: Report = {
        "id": "0b6e4c1e-8f0a-4b7e-9d39-5f0c8a2f1d11",
        "started": "2025-11-28T07:00:01Z",
        "finished": "2025-11-28T07:02:43Z",
        "check_mode": False,
        "collection_version": "0.1.0",
        "policy": _POLICY,
        "policies": [{"id": "5d1c0e42", "policy": _POLICY}],
        "merged": [],
        "unread": [],
    }
    assert set(more) <= set(run)
    run.update(more)
    return {
        "schema": "fleet.tmux/cleanup-report",
        "schema_version": "2.3",
        "run": run,
        "guard": guard,
        "totals": _totals(hosts, guard),
        "owners": _owners(hosts),
        "hosts": list(hosts),
    }


# --- the samples ------------------------------------------------------------------------------------------------------

_WATCHER = {"pid": 48213, "command": "python3 -m http.server 8080", "rss": 31 * MIB, "ports": [8080, 8443]}
_NOHUP = {"pid": 913, "command": "./train.sh --epochs 400", "result": "reported"}
_SAVED = "/var/lib/fleet-tmux/%s/20251128T070012-%s-x7f2"
_UNREACHABLE = "Failed to connect to the host via ssh: ssh: connect to host lab-07 port 22: No route to host"
_FAILED = "tmux on this host is version 2.6; 2.7 or newer is needed.\nInstall a newer tmux, or name it with executable."


def night() -> Report:
    """An ordinary night: a little of everything."""
    return report(
        [
            host("build-01.example.com", _builds(), not_matched=4),
            host(
                "build-02.example.com",
                [
                    session("deploy", "carol", idle=95),
                    session(
                        "irc",
                        "dave",
                        idle=4 * DAY + 60,
                        reason="keep",
                        detail="@keep until 2026-01-31",
                        created=NOW - 40 * DAY,
                    ),
                ],
            ),
            host(
                "jump-01.example.com",
                _jumps(),
                servers=[
                    server("erin", "hung", "it did not answer within 10 s"),
                    server("frank", "orphaned", "process 3211 lives, and its socket /tmp/tmux-1007/default is gone"),
                    server("gone", "absent", "there is no server"),
                ],
            ),
            host(
                "lab-01.example.com",
                [
                    session(
                        "notes", "alice", idle=31 * DAY, reason="keep", detail="@keep is on", created=NOW - 200 * DAY
                    )
                ],
                scope="own",
            ),
            broken("lab-07.example.com", "unreachable", _UNREACHABLE),
            broken("old-01.example.com", "failed", _FAILED),
            broken("spare-01.example.com", "missing", ""),
        ],
        guard={"max_removals": 50, "max_percent": 60.0, "planned": 4, "looked_at": 13},
    )


def _builds() -> List[Report]:
    return [
        removed("build-2", survivors=[{**_WATCHER, "result": "terminated"}], snapshot=_SAVED % ("alice", "build-2")),
        removed(
            "build-10",
            idle=9 * DAY,
            snapshot=_SAVED % ("alice", "build-10"),
            freed={"processes": 41, "bytes": 3 * 1024**3},
        ),
        removed(
            "agent-0007",
            "bob",
            idle=5 * HOUR,
            reason="finished",
            detail="all its panes are dead (exit status 0)",
            socket="/tmp/tmux-1001/agents",
            survivors=[_NOHUP],
            freed={"processes": 1, "bytes": 900},
        ),
        session(
            "agent-0008",
            "bob",
            socket="/tmp/tmux-1001/agents",
            reason="busy",
            idle=6 * HOUR,
            detail="process 4711 used 0.8 s of CPU time while it was watched",
        ),
        session("long-build", "alice", reason="attached", detail="1 client", idle=3),
        session(
            "paper",
            "alice",
            "marked",
            reason="idle",
            detail="no activity for 3d 1h; removed after 2025-11-29 07:00",
            idle=3 * DAY + HOUR,
        ),
    ]


def _jumps() -> List[Report]:
    shared = [{"window": "@4", "name": "logs", "sessions": ["watch", "watch-copy"]}]
    return [
        removed("watch-old", "dave", idle=16 * DAY, lives_on=shared),
        session("0", "dave", reason="young", detail="created 12m ago", idle=700, created=NOW - 720),
        session("1", "erin", "not_done", reason="not_saved", detail="no space left on device", idle=12 * DAY),
        session("2", "erin", reason="vanished", detail="it ended by itself", idle=99 * DAY),
        session(
            "3",
            "frank",
            reason="unknown",
            detail="a clock of the session is 90 s in the future",
            idle=None,
            created=None,
        ),
    ]


def checked() -> Report:
    made = night()
    made["run"]["check_mode"] = True
    return made


def stopped() -> Report:
    """Too much at once: the guard stopped it."""
    hosts = [
        host(
            "build-%02d.example.com" % number,
            [
                session(
                    "agent-%d" % one,
                    "bob",
                    reason="guard",
                    detail="not done, because of the limit for the fleet; no activity for 3d 2h",
                    idle=3 * DAY + one * 60,
                )
                for one in range(6)
            ],
        )
        for number in range(1, 9)
    ]
    message = "48 of 48 sessions without protection would be removed, tmux_cleanup_fleet_max_percent is 25"
    return report(
        hosts,
        guard={
            "max_removals": 40,
            "max_percent": 25.0,
            "planned": 48,
            "unprotected": 48,
            "looked_at": 48,
            "stopped": True,
            "message": message,
        },
    )


def merged() -> Report:
    runs: List[Report] = [
        {"id": "run-a", "started": "2025-11-28T07:00:01Z", "finished": "2025-11-28T07:01:00Z"},
        {"id": "run-b", "started": None, "finished": "2025-11-28T07:02:00Z"},
        {"id": "run-c", "started": "2025-11-28T07:02:00Z", "finished": "2025-11-28T07:02:43Z"},
    ]
    return report(night()["hosts"], merged=[{**run, "guard": _NO_GUARD} for run in runs], started=None)


def quiet() -> Report:
    """Hosts without a session."""
    return report([host("build-01.example.com"), host("build-02.example.com", not_matched=3)])


def empty() -> Report:
    return report([])


HOSTILE = (
    "<script>document.title='executed'</script>",
    "</script><script>document.title='executed'</script>",
    "</style><script>document.title='executed'</script>",
    "<img src=x onerror=\"document.title='executed'\">",
    '" onmouseover="document.title=\'executed\'" x="',
    "' autofocus onfocus='document.title=1' x='",
    "--><svg onload=document.title='executed'>",
    "{{ 7*7 }}{% raw %}{# gone #}",
    "${7*7}`;document.title='executed'//",
    "</title><h1>Nothing to worry about</h1>",
    "a\u202ecod.exe\u2066\u200b",
    "bell\x07\x1b[31mred\x00\r\n",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "javascript:document.title='executed'",
)


def hostile(texts: Sequence[str] = HOSTILE) -> Report:
    """Every text that a user, or a host, may choose."""
    return report(
        [_hostile_host(text) for text in texts],
        id=texts[0],
        collection_version=texts[1],
        policy={"patterns": list(texts), texts[0]: texts[1]},
        policies=[{"id": text, "policy": {"patterns": list(texts), text: text}} for text in texts[:2]],
        merged=[{"id": texts[0], "started": None, "finished": "2025-11-28T07:01:00Z", "guard": _NO_GUARD}],
        guard={
            "stopped": True,
            "message": " ".join(texts),
            "over_limit": [{"owner": texts[0], "removals": 9, "message": texts[1]}],
        },
    )


def _hostile_host(text: str) -> Report:
    process = {"pid": 1, "command": text, "result": text}
    window = {"window": text, "name": text, "sessions": [text, text]}
    words = {"owner": text, "id": text, "socket": text, "reason": text, "detail": text, "snapshot": text}
    sessions = [
        session(text, outcome=outcome, survivors=[process], lives_on=[window], **words)
        for outcome in ("removed", "marked", "kept", "not_done")
    ]
    servers = [{"owner": text, "socket": text, "status": text, "reason": text, "version": text}]
    over = [{"owner": text, "removals": 9, "message": text}]
    return host(
        text,
        sessions,
        status="failed",
        message=text,
        remedy=text,
        said=text,
        judged_at=text,
        servers=servers,
        over_limit=over,
    )


def big(hosts: int = 1000, each: int = 20) -> Report:
    """A fleet: one session in ten is removed."""
    return report(
        [
            host("node-%04d.example.com" % number, [_counted(number, one) for one in range(each)])
            for number in range(hosts)
        ]
    )


_OWNERS = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"]


def _counted(number: int, one: int) -> Report:
    owner, name = _OWNERS[(number + one) % len(_OWNERS)], "job-%d-%d" % (number, one)
    if one % 10 == 3:
        return removed(name, owner, idle=2 * DAY + 61 * (number + one))
    reason = ("active", "attached", "busy", "keep")[(number * 7 + one) % 4]
    return session(name, owner, reason=reason, detail="said by a sample", idle=(number * 7919 + one * 104729) % DAY)


SAMPLES: Dict[str, Callable[[], Report]] = {
    "night": night,
    "checked": checked,
    "stopped": stopped,
    "merged": merged,
    "quiet": quiet,
    "empty": empty,
    "hostile": hostile,
    "big": big,
}


def main(folder: str) -> None:
    from ansible_collections.fleet.tmux.plugins.plugin_utils._page import page

    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, make in SAMPLES.items():
        (Path(folder) / (name + ".html")).write_text(page(make()), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
