# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile users who do what a seed says, beside an honest one: whatever they do, his sessions are judged right.

    python tests/support/namespaces.py python tests/attacks/fuzz.py [--minutes 30] [--seed N] [--users 6] [KIND ...]

Every round is a small world of its own, and its seed says all that the hostile users in it are and do, as far as the
order in which the machine runs them allows. What failed is printed with its seed; `--seed N --minutes 0` is that round
again. `make explore` runs it too.
"""

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import time
import traceback
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Set, Tuple

from ansible_collections.fleet.tmux.tests.attacks import honest, hostile, realm
from ansible_collections.fleet.tmux.tests.attacks.honest import Cost, Honest, measured
from ansible_collections.fleet.tmux.tests.attacks.realm import SECRET, VAULT, Result, spawn
from ansible_collections.fleet.tmux.tests.support import namespaces
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, DAVE, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.processes import alive, every_pid
from ansible_collections.fleet.tmux.tests.support.programs import binaries
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

ARCHIVE = "/tmp/archive"
PROGRAM = "hostile"
"""The name of the attackers' program that tells as whom it was run."""
VOLATILE = ("idle", "evidence", "freed", "snapshot", "detail")
"""What differs of an item between a plan and a run that follows it: time has passed, and something was done."""

SECONDS_MORE = 60
"""That a run may take beyond three times what it takes without hostile users: all that is done for one of them has a
deadline, of less than a minute with a timeout of one second, and they have theirs at the same time."""
MEMORY_PER_USER = 160 * 1024 * 1024
SIZE_PER_USER = 5 * 1024 * 1024
"""Of sessions that are only looked at, 4 MiB are told (plugins/module_utils/_modules/bounds.py), and of servers."""


class Round(NamedTuple):
    """The world of one seed: who is in it, and how the modules are called."""

    seed: int
    user: Honest
    victims: List["subprocess.Popen[bytes]"]
    attackers: List[Account]
    kinds: List[List[str]]
    options: Dict[str, Any]


def play(seed: int, users: int = 6, kinds: Sequence[str] = ()) -> str:
    """Play one round; who was in it, and what it cost."""
    realm.end_everything()
    realm.furnish()
    user = Honest()
    baseline = measured("tmux_session_prune", True, **options(random.Random(seed)))[1]
    try:
        round_ = begin(seed, user, users, kinds)
        told = judge(round_, baseline)
    finally:
        user.close()
        realm.end_everything()
    said = " ".join(",".join(chosen) for chosen in round_.kinds)
    return "seed %d  %s  [%s]" % (seed, "  ".join(told), said)


def heard(round_: Round, result: Result) -> str:
    """How far the hostile users got: what is said of their servers and sessions, in numbers."""
    theirs = {account.name for account in round_.attackers}
    words = [server["status"] for server in result["servers"] if server["owner"] in theirs]
    for where in ("removed", "marked", "kept", "not_done"):
        words += [where for item in result[where] if item["owner"] in theirs]
    return ", ".join("%d %s" % (words.count(word), word) for word in dict.fromkeys(words)) or "nothing"


def options(draw: random.Random) -> Dict[str, Any]:
    """How an administrator may call the module."""
    found: Dict[str, Any] = {"idle": "1s", "protect": honest.PROTECT, "all_users": True, "timeout": "1s"}
    if draw.random() < 0.5:
        found.update(snapshot_dir=ARCHIVE, snapshot_keep=draw.choice([{"count": 5}, {"age": "1d"}, {}]))
    if draw.random() < 0.3:
        found.update(notice="1h", notify_command=draw.choice([[], ["/bin/sleep", "0"], ["/bin/cat", "/dev/zero"]]))
    if draw.random() < 0.3:
        found.update(survivors="terminate", grace_period="0s")
    if draw.random() < 0.3:
        found.update(recover_sockets=True)
    return found


def begin(seed: int, user: Honest, users: int, kinds: Sequence[str]) -> Round:
    """Have the hostile users do what they do."""
    victims = [spawn(ROOT, "sleep", "3600"), spawn(user.account, "sleep", "3600")]
    pids = [*user.pids(), *(victim.pid for victim in victims), os.getpid(), 2, 4194305]
    facts = {"pids": pids, "socket": user.tmux.path, "inode": user.inode(), "archive": ARCHIVE, "tmux": binaries()[0]}
    attackers = [ALICE, DAVE, *(Account(str(uid), uid, uid, "/tmp/home/%d" % uid) for uid in range(41100, 41200))]
    started = []
    for number, account in enumerate(attackers[:users]):
        if account not in (ALICE, DAVE):
            realm.directory(account.home, account)
        known = dict(facts, name=account.name, program=realm.witness(account, PROGRAM))
        words = [sys.executable, "-W", "ignore", hostile.__file__, "%d/%d" % (seed, number), json.dumps(known), *kinds]
        env = dict(realm.environment(account), PYTHONPATH=os.environ["PYTHONPATH"], PYTHONDONTWRITEBYTECODE="1")
        started.append(spawn(account, *words, env=env, stdout=subprocess.PIPE, stderr=sys.stderr))
    chosen = []
    for process in started:
        assert process.stdout is not None
        chosen.append(json.loads(process.stdout.readline()))
    return Round(seed, user, victims, attackers[:users], chosen, options(random.Random(seed)))


def judge(round_: Round, baseline: Cost) -> List[str]:
    """Run the modules, and judge what they say and do; what each run cost."""
    user = round_.user
    before = of_root()
    seen, *costs = measured("tmux_session_info", all_users=True, timeout="1s", include=["processes", "content"])
    expected = {name: int(name == "attached") for name in [*user.idle, *honest.KEPT]}
    assert user.seen(seen) == expected, user.seen(seen)

    idle = ("marked", "idle") if "notice" in round_.options else ("removed", "idle")
    results = []
    for check in (True, False):
        result, cost = measured("tmux_session_prune", check, **round_.options)
        results.append(result)
        costs.append(cost)
        assert user.told(result) == user.expected(idle), (check, user.told(result), result.get("msg"))
        assert not result.get("failed"), result["msg"]
    assert plan_of(user, results[0]) == plan_of(user, results[1])
    left = [] if idle[0] == "removed" else user.idle
    assert sorted(user.tmux.names()) == sorted([*left, *honest.KEPT])
    for item in results[1]["removed"] if "snapshot_dir" in round_.options else ():
        assert item["owner"] != user.account.name or os.path.isdir(item["snapshot"])
    for cost in costs:
        bounded(cost, baseline, len(round_.attackers))
    harmless(round_, before)
    told = ["%s %.1fs %dMB %dkB" % (name, *rounded(cost)) for name, cost in zip(("info", "plan", "run"), costs)]
    return [*told, heard(round_, results[1])]


def rounded(cost: Cost) -> Tuple[float, int, int]:
    return cost.seconds, cost.memory >> 20, cost.size >> 10


def plan_of(user: Honest, result: Result) -> List[Dict[str, Any]]:
    """All that a result says of the honest user's sessions and server, without what moves meanwhile."""
    lists = ("removed", "marked", "kept", "not_done")
    every = [dict(item, where=where, reason=honest.settled(item)) for where in lists for item in result[where]]
    every += [dict(server, where="servers") for server in result["servers"]]
    mine = [item for item in every if item["owner"] == user.account.name]
    return [{key: value for key, value in item.items() if key not in VOLATILE} for item in mine]


def bounded(cost: Cost, baseline: Cost, users: int) -> None:
    """What hostile users cost has bounds, which are far from what they cost."""
    assert cost.seconds < 3 * baseline.seconds + SECONDS_MORE, (cost, baseline)
    assert cost.memory < 2 * baseline.memory + users * MEMORY_PER_USER, (cost, baseline)
    assert cost.size < 2 * baseline.size + 65536 + users * SIZE_PER_USER, (cost, baseline)


def harmless(round_: Round, before: Set[int]) -> None:
    """Nothing of root's was left, taken, ended or run as another user."""
    eventually(lambda: not of_root() - before, "nothing of root's is left of the run")
    assert sorted(os.listdir(VAULT)) == ["secret"]
    with open(os.path.join(VAULT, "secret"), encoding="utf-8") as handle:
        assert handle.read() == SECRET
    assert all(alive(victim.pid) for victim in round_.victims)
    assert set(realm.ran_as(PROGRAM)) <= {account.uid for account in round_.attackers}
    assert not [name for name in os.listdir("/tmp") if name.startswith("fleet-tmux-")]
    for account in round_.attackers:
        for place in (account.home, "/tmp/tmux-%d" % account.uid):
            assert list(made_by_root(place)) == []


def of_root() -> Set[int]:
    """The living processes of root in this world."""
    found = set()
    for pid in every_pid():
        with contextlib.suppress(OSError):
            if os.stat("/proc/%d" % pid).st_uid == 0 and alive(pid):
                found.add(pid)
    return found


def made_by_root(place: str) -> Iterator[str]:
    """What belongs to root in a hostile user's folder, however deep; no link is followed."""
    for folder, folders, files in os.walk(place):
        for name in folders + files:
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError):
                if os.lstat(path).st_uid == 0:
                    yield path


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Hostile users who do what a seed says, beside an honest one.")
    parser.add_argument("--minutes", type=float, default=30, help="how long; 0 is one round (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32), help="of the first round")
    parser.add_argument("--users", type=int, default=6, help="hostile users in a round (default: %(default)s)")
    parser.add_argument("kinds", nargs="*", choices=[*hostile.KINDS, []], help="what they do (default: the seed says)")
    asked = parser.parse_args(arguments)
    if not namespaces.entered():
        sys.exit("it attacks root, in a world of its own: python tests/support/namespaces.py python " + sys.argv[0])
    deadline = time.monotonic() + 60 * asked.minutes
    seed, failed = asked.seed, []
    while True:
        try:
            print(play(seed, asked.users, asked.kinds), flush=True)
        except Exception:
            failed.append(seed)
            print("\nfailed with --seed %d\n%s" % (seed, traceback.format_exc()[-6000:]), flush=True)
        seed += 1
        if time.monotonic() >= deadline:
            break
    print("%d rounds; failed: %s" % (seed - asked.seed, ", ".join(map(str, failed)) or "none"))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
