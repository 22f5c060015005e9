# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Live and abandoned sessions of many users on the hosts of a fleet, for as long as wanted: no live one may go.

    python3 tests/fleet soak [--minutes 45] [--hosts 4] [--seed N]

Time is scaled down as in tests/verdicts: what has been idle for 20 seconds goes, and whatever a live session does
happens every 7 seconds. Random users begin random sessions; the playbook `cleanup` runs again and again. Live ones are
ended by their users in the end, and abandoned ones must have gone by themselves.
"""

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.tests.fleet.fleet import Fleet, Host
from ansible_collections.fleet.tmux.tests.fleet.runs import Controller, went_well

IDLE = 20
USERS = ["user%02d" % number for number in range(20)]
AT_MOST = 60
"""Sessions on a host at the same time."""
LIVE = {
    "loop": "bash -c 'while :; do sleep 7; test -e finished; done'",
    "log": "bash -c 'while :; do sleep 7; echo step; done > $HOME/$RANDOM.log'",
    "train": 'python3 -c \'import threading\nwith open("train.log", "a") as log:\n'
    ' while True: log.write("x"); log.flush(); threading.Event().wait(7)\'',
    "poller": "python3 -c 'import os, time\nwhile not os.path.exists(\"finished\"): time.sleep(7)'",
    "sleep": "sh -c 'sleep 3h; echo report'",
    "lock": "sh -c 'flock lock sleep 100000 & sleep 1; exec flock lock true'",
    "fifo": "sh -c 'test -p fifo || mkfifo fifo; exec cat fifo'",
    "measure": "sh -c 'exec vmstat 7 > vmstat.log'",
    "prints": "sh -c 'while :; do date; sleep 7; done'",
}
"""What runs in a live session, by its kind."""
ABANDONED = {
    "shell": "bash",
    "top": "top",
    "sh-top": "sh -c 'top; true'",
    "watch": "watch -n 1 date",
    "tail": "tail -f /etc/passwd",
    "more": "more /etc/services",
    "python": "python3",
    "cat": "cat",
    "infinity": "sleep infinity",
    "agent": "ssh-agent bash",
}


class Begun(NamedTuple):
    """A session that somebody has begun. ``until``: when its user ends it, if it lives."""

    host: str
    user: str
    name: str
    live: bool
    at: float
    until: float

    @property
    def key(self) -> Tuple[str, str, str]:
        return self.host, self.user, self.name


class Crowd:
    """All users of all hosts."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self.fleet = fleet
        self._chance = random.Random(seed)
        self._number = 0
        self.there: Dict[Tuple[str, str, str], Begun] = {}
        self.ended = 0

    def make_users(self) -> None:
        script = "".join(
            "id %s >/dev/null 2>&1 || useradd --create-home --shell /bin/bash %s\n" % (u, u) for u in USERS
        )
        self.fleet.each(lambda host: host.must(["sh", "-ec", script]))

    def begin(self, host: Host, number: int) -> None:
        """A few sessions more on a host, at the price of one look."""
        commands: List[str] = []
        for _each in range(number):
            live = self._chance.random() < 0.5
            kind, command = self._chance.choice(sorted((LIVE if live else ABANDONED).items()))
            self._number += 1
            user = self._chance.choice(USERS)
            name = "%s-%s-%d" % ("live" if live else "left", kind, self._number)
            now = time.monotonic()
            begun = Begun(host.name, user, name, live, now, now + self._chance.uniform(60, 300))
            self.there[begun.key] = begun
            commands.append(_as(user, "new-session", "-d", "-s", name, "-x", "80", "-y", "24", command))
        host.must(["sh", "-e"], stdin="\n".join(commands) + "\n")

    def end_old(self, host: Host) -> None:
        """The users end what they have done with."""
        now = time.monotonic()
        over = [it for it in self.there.values() if it.host == host.name and it.live and it.until < now]
        commands = []
        for begun in over:
            commands.append(_as(begun.user, "kill-session", "-t", "=" + begun.name))
            del self.there[begun.key]
        self.ended += len(over)
        host.must(["sh", "-e"], stdin="\n".join(commands) + "\n")

    def seen(self) -> Set[Tuple[str, str, str]]:
        """The sessions that tmux shows."""
        every = self.fleet.each(lambda host: host.all_sessions(USERS))
        return {(host, user, name) for host, users in every.items() for user, names in users.items() for name in names}


def _as(user: str, *words: str) -> str:
    quoted = " ".join("'%s'" % word.replace("'", "'\\''") for word in words)
    tmux = "tmux -u -f /dev/null " + quoted
    return "su - %s -c '%s'" % (user, tmux.replace("'", "'\\''"))


def soak(fleet: Fleet, controller: Controller, minutes: float, seed: int) -> str:
    """Let them live, and clean up again and again; what came of it, in words."""
    crowd = Crowd(fleet, seed)
    crowd.make_users()
    end = time.monotonic() + 60 * minutes
    runs = removed = 0
    late: List[str] = []
    while time.monotonic() < end:
        for host in fleet.hosts:
            crowd.end_old(host)
            there = [begun for begun in crowd.there.values() if begun.host == host.name]
            crowd.begin(host, min(6, AT_MOST - len(there)))
        began = time.monotonic()
        run = went_well(controller.run(idle="%ds" % IDLE, snapshot_dir=""))
        runs += 1
        gone = [tuple(word.split("/", 2)) for word in run.removed()]
        wrong = [key for key in gone if key[2].startswith("live-")]
        assert not wrong, "live work was removed: %s\nseed %d" % (json.dumps(wrong), seed)
        seen = crowd.seen()
        lost = [key for key, begun in crowd.there.items() if begun.live and key not in seen]
        assert not lost, "live work is gone: %s\nseed %d" % (json.dumps(lost), seed)
        removed += len(gone)
        for key in [key for key, begun in crowd.there.items() if not begun.live and key not in seen]:
            del crowd.there[key]
        left = [it for it in crowd.there.values() if not it.live and began - it.at > IDLE + 10]
        late += [it.name for it in left]
        print(
            "run %d: %d removed, %d there, left: %s" % (runs, len(gone), len(seen), [it.name for it in left]),
            flush=True,
        )
    said = (
        "%d runs, %d abandoned removed, %d live ended by their users, %d times one was left that is abandoned, seed %d"
    )
    assert removed, "nothing was removed at all"
    assert len(late) <= 0.05 * (removed + len(late)), "too much was left: %s" % sorted(set(late))
    return said % (runs, removed, crowd.ended, len(late), seed)


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description="Live and abandoned sessions of many users.")
    parser.add_argument("--minutes", type=float, default=45, help="how long (default: %(default)s)")
    parser.add_argument("--hosts", type=int, default=4, help="real hosts (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32), help="what happens")
    asked = parser.parse_args(argv)
    print("seed %d" % asked.seed, flush=True)
    with tempfile.TemporaryDirectory() as folder, Fleet(asked.hosts) as fleet:
        print(soak(fleet, Controller(fleet, Path(folder)), asked.minutes, asked.seed), flush=True)
