# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repeat the property-based and the stateful tests with fresh examples, until the time is over.

    python tests/explore.py [--minutes 30] [--seed N] [TEST ...]

Each round has a seed of its own. When a test fails, its seed and its example are printed, in a form that becomes a
test: `@example(...)` above a property, the steps of a stateful test as they are. Standard library and pytest.

Beside them, unless tests are named, hostile users do what the same seeds say (tests/attacks/fuzz.py). That takes root.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence

ROOT = Path(__file__).resolve().parents[1]
TESTS = ["tests/unit", "tests/tmux"]
WORLD = ROOT / "tests" / "support" / "namespaces.py"
FUZZ = ROOT / "tests" / "attacks" / "fuzz.py"
NAMESPACE = Path("ansible_collections", "fleet", "tmux")


class Failure(NamedTuple):
    """A test that failed, and what its example was, as Python that can be pasted."""

    test: str
    example: str


def rounds(checkout: Path, deadline: float, first: int, tests: Sequence[str]) -> int:
    """Run one round after the other, each with the next seed; how many tests failed."""
    failed: Dict[str, int] = {}
    seed, done = first, 0
    while time.monotonic() < deadline:
        output = one_round(checkout, deadline, seed, tests)
        for failure in failures(output):
            failed[failure.test] = failed.get(failure.test, 0) + 1
            if failed[failure.test] == 1:
                print("\n%s\nfailed with --seed %d\n%s\n" % (failure.test, seed, failure.example), flush=True)
        print("%-70s seed %d" % (last_line(output), seed), flush=True)
        done, seed = done + 1, seed + 1
    print("%d rounds; failed: %s" % (done, ", ".join("%s (%d)" % one for one in failed.items()) or "none"))
    return len(failed)


def one_round(checkout: Path, deadline: float, seed: int, tests: Sequence[str]) -> str:
    """Run every test once with that seed, or as many as there is time for; what pytest wrote."""
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", "--no-header"]
    command += ["-m", "hypothesis or stateful", "--hypothesis-profile=explore", "--hypothesis-seed=%d" % seed, *tests]
    environment = dict(os.environ, PYTHONPATH=str(checkout), PYTHONDONTWRITEBYTECODE="1")
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=str(checkout / NAMESPACE), env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # at which pytest ends the servers of its tests
            process.wait()
        log.seek(0)
        output = log.read().decode("utf-8", "replace")
    if process.returncode not in (0, 1, 2):
        sys.exit("pytest ended with status %d:\n%s" % (process.returncode, output))
    return output


def failures(output: str) -> List[Failure]:
    """The failed tests that a run of pytest tells of, with their examples."""
    names = re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
    sections = re.split(r"^_{3,} (?:ERROR at \w+ of )?(\S+?)(?:\[.*\])? _{3,}$", output, flags=re.MULTILINE)
    texts: Dict[str, str] = {}
    for name, text in zip(sections[1::2], sections[2::2]):
        texts.setdefault(name, text)
    return [Failure(name, example(texts.get(re.sub(r"\[.*", "", name.split("::")[-1]), ""))) for name in names]


def example(text: str) -> str:
    """The example of a failure, as it is pasted into the test."""
    shown = "\n".join(line[1:].lstrip(" ") if line.startswith("E ") else line for line in text.splitlines())
    found = re.search(r"(?:Falsifying example|Failing test case): \w+\(\n(.*?)^\)", shown, re.MULTILINE | re.DOTALL)
    if found:
        return "@example(\n%s)" % re.sub(r"^(?=\S)", "    ", found.group(1), flags=re.MULTILINE)
    steps = re.search(r"^(state = .*?^state\.teardown\(\))", shown, re.MULTILINE | re.DOTALL)
    return steps.group(1) if steps else text.strip()[-2000:]


def last_line(output: str) -> str:
    return (output.strip().splitlines() or ["nothing was printed"])[-1]


def hostile_users(checkout: Path, minutes: float, seed: int) -> "Optional[subprocess.Popen[bytes]]":
    """Start the hostile users in a world of their own; None where there can be none."""
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    # sudo hands no variables on, so they are set again behind it.
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(checkout),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    enter = [*rights, "env", *("%s=%s" % one for one in variables.items()), sys.executable, str(WORLD)]
    try:
        subprocess.run([*enter, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.CalledProcessError):
        print("left out: hostile users, who need root, with the right to make namespaces", flush=True)
        return None
    words = [sys.executable, str(FUZZ), "--minutes", str(minutes), "--seed", str(seed)]
    return subprocess.Popen([*enter, *words], stdin=subprocess.DEVNULL)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Property-based and stateful tests with fresh examples.")
    parser.add_argument("--minutes", type=float, default=30, help="how long (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32), help="of the first round")
    parser.add_argument("tests", nargs="*", default=TESTS, help="which (default: all)")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="fleet-explore-") as folder:
        os.chmod(folder, 0o755)  # Hostile users import from there.
        collection = Path(folder) / NAMESPACE
        collection.parent.mkdir(parents=True)
        collection.symlink_to(ROOT)
        deadline = time.monotonic() + 60 * asked.minutes
        others = hostile_users(Path(folder), asked.minutes, asked.seed) if asked.tests == TESTS else None
        failed = rounds(Path(folder), deadline, asked.seed, asked.tests) > 0
        return int((others is not None and others.wait() != 0) or failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
