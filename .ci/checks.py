# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run checks side by side, and say what came of them: the work behind `make test`. Standard library only.

    .ci/checks.py [--list] [NAME or KIND ...]

noxfile.py says what the checks are, and nox runs each. With no name: ONLY=name,name from the environment, else all.
TESTS='...' is handed on to them: the tests to run instead of all. The checks of one lane run one after the other, those
of three lanes at the same time, and whoever is done goes on with the lane that has waited longest. After the first
failure nothing new is started, unless KEEP_GOING=1. What this machine cannot run is left out, and said to be; with CI
set that is a failure, but for what its kernel does not have. A run in which nothing ran is a failure too.
"""

import collections
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import typing as t

import environments
from environments import CACHE, ROOT

LANES = ("lane-apart", "lane-here", "lane-worlds", "lane-beside")
AT_A_TIME = 3
"""Checks that run side by side: more of them wait for each other, and tests for what should have happened long ago."""
LOGS = CACHE / "logs"
PATIENCE = 4500  # seconds for one check: what takes longer hangs
RAN_NOTHING = "All targets skipped"
"""What ansible-test says, and calls a success, when it has seen no file."""


class Check(t.NamedTuple):
    """A session of nox."""

    name: str
    kind: str
    lane: str
    needs: str
    """The environment that it works in."""


class Outcome(t.NamedTuple):
    """How one check ended: `status` is passed, failed, left out (this machine cannot) or not run (after a failure)."""

    check: Check
    status: str
    seconds: float = 0.0
    why: str = ""
    parts: t.Tuple[str, ...] = ()
    """What this machine could not run of it."""
    no_kernel: t.Tuple[str, ...] = ()
    """What the kernel of this machine does not have, which nobody can install."""


def available(nox: str) -> t.List[Check]:
    """Return what noxfile.py defines."""
    command = [nox, "--list", "--json", "--tags", *LANES]  # without tags, it lists only what it runs by default
    listing = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    checks = [Check(session["session"], *session["tags"]) for session in json.loads(listing)]
    return sorted(checks, key=lambda check: check.kind != "lint")  # what is told soonest comes first


def chosen(checks: t.Sequence[Check], words: t.Sequence[str]) -> t.List[Check]:
    """Return the checks of these names or kinds; a word that is neither is an error, not an empty run."""
    known = {word for check in checks for word in (check.name, check.kind)}
    unknown = sorted(set(words) - known)
    if unknown:
        sys.exit("No check is called %s. There are: %s" % (", ".join(unknown), ", ".join(sorted(known))))
    return [check for check in checks if not words or check.name in words or check.kind in words]


class Run:
    """One run of some checks; it knows when to stop."""

    def __init__(self, do: t.Callable[[Check], Outcome], keep_going: bool) -> None:
        self._do = do
        self._keep_going = keep_going
        self._stopped = threading.Event()

    def outcomes(self, checks: t.Sequence[Check]) -> t.List[Outcome]:
        lanes = [[check for check in checks if check.lane == lane] for lane in dict.fromkeys(it.lane for it in checks)]
        waiting = collections.deque(collections.deque(lane) for lane in lanes)
        done: t.Dict[Check, Outcome] = {}

        def work() -> None:
            # A lane that somebody works on is not among those that wait; he puts it back, and takes the next.
            while True:
                try:
                    lane = waiting.popleft()
                except IndexError:
                    return
                check = lane.popleft()
                done[check] = self._outcome(check)
                if lane:
                    waiting.append(lane)

        with concurrent.futures.ThreadPoolExecutor(max_workers=AT_A_TIME) as pool:
            for future in [pool.submit(work) for _worker in range(AT_A_TIME)]:
                future.result()
        return [done[check] for lane in lanes for check in lane]

    def _outcome(self, check: Check) -> Outcome:
        if self._stopped.is_set():
            return Outcome(check, "not run", why="an earlier check failed")
        outcome = self._do(check)
        if outcome.status == "failed" and not self._keep_going:
            self._stopped.set()
        print("%-9s %-18s %6.1f s" % (outcome.status, check.name, outcome.seconds), flush=True)
        return outcome


def run_with_nox(nox: str, check: Check, words: t.Sequence[str]) -> Outcome:
    """Run one check to its end, its output going to its log."""
    path, report = LOGS / (check.name + ".log"), LOGS / (check.name + ".json")
    started = time.monotonic()
    try:
        environments.environment(check.needs)
    except environments.Missing as error:
        return Outcome(check, "left out", why="it needs %s" % error)
    except RuntimeError as error:
        return Outcome(check, "failed", time.monotonic() - started, str(error))
    command = [
        nox,
        "--no-color",
        "--reuse-existing-virtualenvs",
        "--no-install",
        "--session",
        check.name,
        "--report",
        str(report),
        "--",
        *words,
    ]
    with open(path, "wb") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=heed_signals,
        )
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # at which nox ends what it has started
            process.wait()
            return Outcome(check, "failed", time.monotonic() - started, "not done after %d s" % PATIENCE)
    seconds = time.monotonic() - started
    told = json.loads(report.read_text(encoding="utf-8"))["sessions"] if report.exists() else []
    return judged(check, told, path.read_text(encoding="utf-8", errors="replace"), seconds)


def heed_signals() -> None:
    """Ignore no signal: whoever runs us in the background may, and programs hand that on to those they start."""
    for each in range(1, signal.NSIG):
        if signal.getsignal(each) == signal.SIG_IGN:
            signal.signal(each, signal.SIG_DFL)


def judged(check: Check, told: t.Sequence[t.Mapping[str, t.Any]], log: str, seconds: float) -> Outcome:
    """Say how a check ended, from what nox reports of it and from its output."""
    results = [session["result"] for session in told]
    if results == ["skipped"]:
        return Outcome(check, "left out", seconds, str(told[0]["reason"] or "nox skipped it"))
    if results != ["success"]:
        return Outcome(check, "failed", seconds, "its output is above")
    parts, no_kernel = skipped(log, "left out"), skipped(log, "not on this kernel")
    if ran_nothing(log) and not no_kernel:
        return Outcome(check, "left out" if parts else "failed", seconds, "; it ".join(parts) or "it ran nothing")
    return Outcome(check, "passed", seconds, "", parts, no_kernel)


def ran_nothing(log: str) -> bool:
    """Whether a check has looked at nothing, and calls that a success."""
    tests = re.findall(r"^(?:=+ )?(\d+ .*) in \d+\.\d+s", log, re.MULTILINE)
    return RAN_NOTHING in log or bool(tests and not any("passed" in told or "xfailed" in told for told in tests))


def skipped(log: str, why: str) -> t.Tuple[str, ...]:
    """Return the reasons of this kind that tests gave for not running, each once."""
    return tuple(dict.fromkeys(re.findall(r"^SKIPPED .*?: %s: (.*)$" % why, log, re.MULTILINE)))


def summary(outcomes: t.Sequence[Outcome], older: str, strict: bool) -> t.Tuple[t.List[str], int]:
    """Return the lines that are read last, and the exit status. `older` says what was used for want of the newest."""
    missed = left_out(outcomes, older)
    lines = times(outcomes) + ["left out: " + text for text in missed]
    lines += ["not on this kernel: " + text for text in of_kernel(outcomes)] + troubles(outcomes)
    passed, failed = number(outcomes, "passed"), number(outcomes, "failed")
    if missed and strict:
        lines.append("CI is set, so what was left out is a failure.")
    if not passed:
        lines.append("Nothing passed here, which is no success.")
    lines.append("%d passed, %d failed, %d skipped" % (passed, failed, len(outcomes) - passed - failed))
    good = passed and not failed and not (missed and strict)
    return lines, 0 if good else 1


def times(outcomes: t.Sequence[Outcome]) -> t.List[str]:
    """Where the time went, the longest first."""
    longest = sorted(outcomes, key=lambda outcome: -outcome.seconds)
    return ["%6.0f s  %s" % (outcome.seconds, outcome.check.name) for outcome in longest if outcome.seconds >= 1]


def troubles(outcomes: t.Sequence[Outcome]) -> t.List[str]:
    """What was not run after a failure, and then, where it is read, what failed."""
    ranked = sorted(outcomes, key=lambda outcome: outcome.status == "failed")
    bad = [outcome for outcome in ranked if outcome.status in ("not run", "failed")]
    return ["%s: %s: %s" % (outcome.status, outcome.check.name, outcome.why) for outcome in bad]


def left_out(outcomes: t.Sequence[Outcome], older: str) -> t.List[str]:
    """Say what this machine could not run, of all checks."""
    missed = ["the newest ansible-core: " + older] if older else []
    missed += ["%s: %s" % (outcome.check.name, outcome.why) for outcome in outcomes if outcome.status == "left out"]
    return missed + ["a part of %s: it %s" % (it.check.name, part) for it in outcomes for part in it.parts]


def of_kernel(outcomes: t.Sequence[Outcome]) -> t.List[str]:
    """Say what this machine could not run because of its kernel, of all checks."""
    return ["a part of %s: it %s" % (it.check.name, part) for it in outcomes for part in it.no_kernel]


def number(outcomes: t.Sequence[Outcome], status: str) -> int:
    return len([outcome for outcome in outcomes if outcome.status == status])


def older_ansible() -> str:
    """Say what is used where the Python for the newest ansible-core is missing."""
    try:
        version, _python, requirements = recipe = environments.recipe("new")
    except environments.Missing:
        return ""
    if requirements.stem == "new":
        return ""
    newer = [python for python in environments.PYTHONS["new"] if python != version]
    return "it needs Python %s; ansible-core %s on Python %s was used" % (" or ".join(newer), recipe.core, version)


def main(arguments: t.Sequence[str]) -> int:
    try:
        nox = str(environments.environment("nox") / "bin" / "nox")
    except environments.Missing as error:
        sys.exit("No check can run here. Their runner needs: %s" % error)
    except RuntimeError as error:
        sys.exit("No check can run here: %s" % error)
    checks = available(nox)
    if "--list" in arguments:
        print("\n".join("%-20s (%s)" % (check.name, check.kind) for check in checks))
        return 0
    return run_all(nox, chosen(checks, arguments or os.environ.get("ONLY", "").replace(",", " ").split()))


def run_all(nox: str, checks: t.Sequence[Check]) -> int:
    """Run checks as the variables of make say, and tell what came of them; the exit status."""
    forget(checks)
    older = older_ansible()
    if older:
        print("Left out: the newest ansible-core: " + older, flush=True)
    started = time.monotonic()
    words = environments.words(os.environ, "TESTS")
    keep_going = os.environ.get("KEEP_GOING", "") not in ("", "0")
    outcomes = Run(lambda check: run_with_nox(nox, check, words), keep_going).outcomes(checks)
    for outcome in outcomes:
        if outcome.status == "failed":
            print("\n======== %s" % outcome.check.name)
            print((LOGS / (outcome.check.name + ".log")).read_text(encoding="utf-8", errors="replace"))
    lines, status = summary(outcomes, older, strict=bool(os.environ.get("CI")))
    print("\nIt took %.0f s. The output of each check is in %s." % (time.monotonic() - started, LOGS.relative_to(ROOT)))
    print("\n".join(lines))
    return status


def forget(checks: t.Sequence[Check]) -> None:
    """Drop what an earlier run of these checks has written; another run may be at work on those of others."""
    LOGS.mkdir(parents=True, exist_ok=True)
    for path in [LOGS / (check.name + suffix) for check in checks for suffix in (".log", ".json")]:
        if path.exists():
            path.unlink()


if __name__ == "__main__":
    sys.exit(environments.plainly(lambda: main(sys.argv[1:])))
