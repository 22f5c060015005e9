# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the checks of this collection: the work behind `make test`. Standard library only.

    .ci/test.py [--list] [NAME or KIND ...]

With no name, ONLY=name,name from the environment, else all. Two lanes run at the same time, each one check after the
other: what starts tmux servers and counts them shares a lane, because two such checks would see each other's.
After the first failure nothing new is started, unless KEEP_GOING=1. With CI set, a check that this machine cannot run
is a failure too.
"""

import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import traceback
import typing as t
from pathlib import Path

import environments
from environments import CACHE, ROOT

NAMESPACE = Path("ansible_collections") / "fleet" / "tmux"
LOGS = CACHE / "logs"
PATIENCE = 3000  # seconds for one command: what takes longer hangs
Word = t.Union[str, Path]


class Failed(Exception):
    """A command of a check failed; its output is in the check's log."""


class Check(t.NamedTuple):
    """One check: `run` is given a Bench, and everything it needs is made before."""

    name: str
    kind: str
    lane: str
    needs: str
    run: t.Callable[["Bench"], None]


class Bench:
    """Where one check works: its environment, its log, and its own copy of the checkout."""

    def __init__(self, check: Check, venv: Path, log: t.TextIO) -> None:
        self.name = check.name
        self.venv = venv
        self.tree = CACHE / "tree" / check.name
        self.collection = self.tree / NAMESPACE
        self._log = log
        self.unsteady: t.List[str] = []
        self.variables = self._variables()

    def _variables(self) -> t.Dict[str, str]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "TMUX"))}
        path = [entry for entry in environ.get("PATH", "").split(os.pathsep) if Path(entry).name != "shims"]
        return {
            **environ,
            "PATH": os.pathsep.join([str(self.tree / "python"), str(self.venv / "bin"), *path]),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_HOME": str(CACHE / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.tree),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(CACHE / "hypothesis"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def copy(self) -> Path:
        """Copy what git knows, or would, to a place where every tool finds it as the collection fleet.tmux."""
        shutil.rmtree(self.tree, ignore_errors=True)
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        files = subprocess.run(listing, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        for name in filter(None, os.fsdecode(files).split("\0")):
            if (ROOT / name).is_file():  # git also lists what was deleted and not yet committed
                (self.collection / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.collection / name)
        # Tools that ask git for the files would else ask the checkout, which ignores all of .cache, and see none.
        subprocess.run(["git", "init", "--quiet", str(self.collection)], check=True)
        return self.collection

    def pythons(self, *versions: str) -> None:
        """Put interpreters on PATH under their usual names, for ansible-test to find."""
        folder = self.tree / "python"
        folder.mkdir(parents=True, exist_ok=True)
        for version in versions:
            python = environments.interpreter(version)
            if python:
                (folder / ("python" + version)).symlink_to(python)
                self.say("Python %s: %s" % (version, python))

    def say(self, text: str) -> None:
        self._log.write(text + "\n")
        self._log.flush()

    def said(self, text: str) -> bool:
        """Tell whether the output so far has this text."""
        return text in Path(self._log.name).read_text(encoding="utf-8", errors="replace")

    def run(self, *command: Word, cwd: t.Optional[Path] = None, **variables: str) -> None:
        """Run one command, its output going to the log."""
        arguments = [str(word) for word in command]
        where = cwd or (self.collection if self.collection.exists() else ROOT)
        environ = {**self.variables, **variables}
        self.say("\n$ " + " ".join(arguments))
        program = shutil.which(arguments[0], path=environ["PATH"])
        if program is None:
            raise Failed("%s: not found" % arguments[0])
        try:
            done = subprocess.run(
                [program, *arguments[1:]],
                cwd=where,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Failed("%s: not done after %d s" % (" ".join(arguments), PATIENCE)) from error
        if done.returncode:
            raise Failed("%s: exit status %d" % (" ".join(arguments), done.returncode))

    def run_tests(self, *command: Word, again: t.Sequence[Word] = (), **variables: str) -> None:
        """Run tests, and once more (`command` and `again`) when some fail: what passes then is told as unsteady.

        These tests look at real processes: tmux and the kernel lose a word or a signal at times, which is nobody's
        mistake here. A test that finds one fails twice.
        """
        try:
            self.run(*command, cwd=None, **variables)
        except Failed as error:
            self.say("\nOnce more, after: %s" % error)
            self.run(*command, *again, cwd=None, **variables)
            self.unsteady.append("some tests passed only at the second try")


# --- the checks -------------------------------------------------------------------------------------------------------


def ruff(bench: Bench) -> None:
    bench.run("ruff", "check", ".", cwd=ROOT)
    bench.run("ruff", "format", "--check", "--diff", ".", cwd=ROOT)


def yamllint(bench: Bench) -> None:
    bench.run("yamllint", "--strict", ".", cwd=ROOT)


def shell(bench: Bench) -> None:
    bench.run("shellcheck", ".ci/run", ".ci/setup-system", cwd=ROOT)


def licences(bench: Bench) -> None:
    bench.run("reuse", "lint", cwd=ROOT)


def mypy(bench: Bench) -> None:
    bench.copy()
    options: t.List[Word] = ["--config-file", NAMESPACE / ".mypy.ini", "--cache-dir", CACHE / "mypy"]
    judged = [NAMESPACE / part for part in ("plugins", "tests/unit", "tests/attacks", "tests/endurance", "tests/page")]
    bench.run("mypy", *options, *judged, cwd=bench.tree)
    for folder in ("fleet", "system"):  # their modules find each other by short names
        tests = bench.collection / "tests" / folder
        bench.run("mypy", *options, *sorted(tests.glob("*.py")), cwd=bench.tree, MYPYPATH=str(tests))
    scripts = sorted((bench.collection / ".ci").glob("*.py"))
    checked = [script for script in scripts if script.name != "bootstrap_pip.py"]  # that one runs on Python 2 as well
    bench.run("mypy", *options, *checked, cwd=bench.tree, MYPYPATH=str(bench.collection / ".ci"))


def changelog(bench: Bench) -> None:
    bench.copy()
    bench.run("antsibull-changelog", "lint")


def docs(bench: Bench) -> None:
    bench.copy()
    options = ["--plugin-docs", "--validate-collection-refs", "all", "--check-extra-docs-refs"]
    bench.run("antsibull-docs", "lint-collection-docs", *options, ".")


def ansible_lint(bench: Bench) -> None:
    bench.copy()
    bench.run("ansible-lint", "--offline", "--profile", "production", "--strict")


def sanity_new(bench: Bench) -> None:
    _sanity(bench, pip=["25.2"], pythons=["3.9"])


def sanity_old(bench: Bench) -> None:
    _sanity(bench, pip=["23.1.2", "21.3.1"], pythons=["3.6"])


def _sanity(bench: Bench, pip: t.Sequence[str], pythons: t.Sequence[str]) -> None:
    """Run all of ansible-test sanity with no ignore file, on the environment's Python and the oldest of a host."""
    bench.copy()
    ignored = list((bench.collection / "tests" / "sanity").glob("ignore*"))
    if ignored:
        raise Failed("Nothing is ignored here, but there is %s" % ", ".join(path.name for path in ignored))
    bench.pythons(*pythons)
    # ansible-test keeps its virtual environments below HOME: ours are in .cache, like everything that is made here.
    home = CACHE / "home"
    with _HOME_LOCK:
        cache = home / ".ansible" / "test" / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        for version in pip:
            shutil.copy(ROOT / ".ci" / "bootstrap_pip.py", cache / ("get_pip_%s.py" % version.replace(".", "_")))
            if not (cache / ("pip-%s-py3-none-any.whl" % version)).exists():
                download: t.List[Word] = ["download", "--quiet", "--no-deps", "--dest", cache, "pip==" + version]
                bench.run("python", "-m", "pip", "--disable-pip-version-check", *download)
    bench.run("ansible-test", "sanity", "--local", "--color", "no", HOME=str(home))
    if bench.said("All targets skipped"):
        raise Failed("ansible-test saw no file of this collection")


_HOME_LOCK = threading.Lock()


def unit_new(bench: Bench) -> None:
    bench.copy()
    _pytest(bench, "tests/unit", str(bench.tree))


def unit_old(bench: Bench) -> None:
    """Run the unit tests on Python 3.6 with the module_utils of ansible-core 2.16, which still support it."""
    bench.copy()
    core = next((environments.environment("old") / "lib").glob("python*/site-packages/ansible"))
    alone = bench.tree / "core"  # not its site-packages: nothing else in there is for Python 3.6
    alone.mkdir()
    (alone / "ansible").symlink_to(core)
    # What runs on the controller never meets a Python that old.
    _pytest(bench, "tests/unit", os.pathsep.join([str(bench.tree), str(alone)]), "--ignore=tests/unit/controller")


def system(bench: Bench) -> None:
    """Run the whole as people do, in small worlds of its own; the tests that this machine cannot run say so."""
    bench.copy()
    _pytest(bench, "tests/system", str(bench.tree))
    if bench.said("left out: needs root"):
        raise environments.Missing("root, with the right to make namespaces (unshare of util-linux)")


def attacks(bench: Bench) -> None:
    """Let the users of a small world attack its root: making one takes root, or sudo that asks for no password."""
    inside = ROOT / "tests" / "attacks" / "inside.py"
    rights: t.List[Word] = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if rights and shutil.which("sudo") is None:
        raise environments.Missing("root")
    probe = [*rights, sys.executable, inside, "true"]
    if subprocess.run(probe, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).returncode:
        raise environments.Missing("root, with the right to make namespaces (unshare of util-linux)")
    bench.copy()
    # sudo hands no variables on, so they are set again behind it.
    names = ("PATH", "LC_ALL", "PYTHONDONTWRITEBYTECODE", "FLEET_TMUX_BINARIES")
    variables = [name + "=" + bench.variables[name] for name in names if name in bench.variables]
    world = bench.collection / "tests" / "attacks" / "inside.py"
    python = bench.venv / "bin" / "python"
    command: t.List[Word] = ["env", *variables, "PYTHONPATH=%s" % bench.tree, python, world]
    bench.run_tests(*rights, *command, python, "-m", "pytest", *PYTEST, "-p", "no:cacheprovider", "tests/attacks")


def page(bench: Bench) -> None:
    """Open reports in a real browser, and look at what it shows."""
    bench.copy()
    _pytest(bench, "tests/page", str(bench.tree))


def fleet(bench: Bench) -> None:
    """Bring real hosts up on this machine, clean them up over ssh, and let things happen to them."""
    if os.geteuid() != 0:
        raise environments.Missing("root, to bring hosts up")
    bench.copy()
    # What is made once and used again (root file systems) stays when the copy goes.
    old = environments.environment("old") / "bin"
    _pytest(bench, "tests/fleet", str(bench.tree), FLEET_CACHE=str(CACHE / "fleet"), FLEET_OLDEST_ANSIBLE=str(old))


def endurance(bench: Bench) -> None:
    """Kill runs, fill a disk, and let many people work for a while; the small disk takes root."""
    bench.copy()
    _pytest(bench, "tests/endurance", str(bench.tree))
    if bench.said("left out: needs root"):
        raise environments.Missing("root, with the right to make namespaces (unshare of util-linux)")


PYTEST = ["-q", "--color=no", "--durations=10", "-rs"]


def _pytest(bench: Bench, tests: str, path: str, *options: str, **variables: str) -> None:
    cache = "cache_dir=%s" % (bench.tree / "pytest-cache")
    again = ["--last-failed", "--last-failed-no-failures", "none"]
    command: t.List[Word] = ["python", "-m", "pytest", *PYTEST, "-o", cache, *options, tests]
    bench.run_tests(*command, again=again, PYTHONPATH=path, **variables)


def integration_new(bench: Bench) -> None:
    _integration(bench, "--local")


def integration_old(bench: Bench) -> None:
    """Modules run on Python 3.6, ansible-core 2.16 on the newest Python it knows."""
    _integration(bench, "--controller", "origin:python=3.11", "--target", "controller:python=3.6")


def _integration(bench: Bench, *where: str) -> None:
    bench.copy()
    bench.pythons("3.6", "3.11") if "--target" in where else None
    binaries = [path for path in os.environ.get("FLEET_TMUX_BINARIES", "").split(os.pathsep) if path]
    # ansible-test hands no environment variables on, but it reads this file (JSON is YAML).
    settings = bench.collection / "tests" / "integration" / "integration_config.yml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"fleet_tmux_binaries": binaries}) + "\n", encoding="utf-8")
    # A target that fails is run once more, as with the other tests.
    bench.run("ansible-test", "integration", *where, "--color", "no", "--retry-on-error")


def package(bench: Bench) -> None:
    """Build, let Galaxy's importer judge it, install it, and compare what was installed with what was built."""
    bench.copy()
    dist = bench.tree / "dist"
    bench.run("ansible-galaxy", "collection", "build", "--output-path", dist, ".")
    (built,) = dist.glob("*.tar.gz")
    bench.run("python", "-m", "galaxy_importer.main", built.name, cwd=dist)
    installed = bench.tree / "installed"
    paths = {"ANSIBLE_COLLECTIONS_PATH": str(installed)}
    bench.run("ansible-galaxy", "collection", "install", "--offline", "-p", installed, built, cwd=dist, **paths)
    bench.run("ansible-galaxy", "collection", "verify", "--offline", "fleet.tmux", cwd=dist, **paths)
    bench.run("ansible-doc", "--type", "module", "--list", "fleet.tmux", cwd=dist, **paths)


STATIC, TMUX = "static", "tmux"
CHECKS = [
    Check("ruff", "lint", STATIC, "new", ruff),
    Check("yamllint", "lint", STATIC, "new", yamllint),
    Check("shellcheck", "lint", STATIC, "new", shell),
    Check("reuse", "lint", STATIC, "new", licences),
    Check("mypy", "lint", STATIC, "new", mypy),
    Check("changelog", "lint", STATIC, "new", changelog),
    Check("docs", "lint", STATIC, "new", docs),
    Check("ansible-lint", "lint", STATIC, "new", ansible_lint),
    Check("unit-new", "unit", STATIC, "new", unit_new),
    Check("unit-python36", "unit", STATIC, "python36", unit_old),
    Check("sanity-new", "sanity", STATIC, "new", sanity_new),
    Check("sanity-old", "sanity", STATIC, "old", sanity_old),
    Check("package", "package", STATIC, "new", package),
    Check("page", "page", STATIC, "new", page),
    Check("system", "system", TMUX, "new", system),
    Check("attacks", "attacks", TMUX, "new", attacks),
    Check("endurance", "endurance", TMUX, "new", endurance),
    Check("integration-new", "integration", TMUX, "new", integration_new),
    Check("integration-old", "integration", TMUX, "old", integration_old),
    Check("fleet", "fleet", TMUX, "new", fleet),
]


# --- running them -----------------------------------------------------------------------------------------------------


class Outcome(t.NamedTuple):
    """How one check ended: `status` is ok, failed, left out (this machine cannot) or not run (after a failure)."""

    check: Check
    status: str
    seconds: float
    why: str


class Run:
    """One run of some checks; it knows when to stop."""

    def __init__(self, checks: t.Sequence[Check], keep_going: bool) -> None:
        self.checks = checks
        self.keep_going = keep_going
        self.stopped = threading.Event()
        self._makers = concurrent.futures.ThreadPoolExecutor(max_workers=1)
        needed = dict.fromkeys(check.needs for check in checks)
        if "python36" in needed:
            needed["old"] = None  # it borrows that one's module_utils
        # Made ahead, one after the other, while the first checks already run.
        self._venvs = {name: self._makers.submit(environments.environment, name) for name in needed}

    def outcomes(self) -> t.List[Outcome]:
        lanes = dict.fromkeys(check.lane for check in self.checks)
        with concurrent.futures.ThreadPoolExecutor(max_workers=len(lanes)) as pool:
            ran = list(pool.map(self._lane, lanes))
        self._makers.shutdown()
        return [outcome for lane in ran for outcome in lane]

    def _lane(self, lane: str) -> t.List[Outcome]:
        return [self._outcome(check) for check in self.checks if check.lane == lane]

    def _outcome(self, check: Check) -> Outcome:
        if self.stopped.is_set():
            return Outcome(check, "not run", 0.0, "an earlier check failed")
        try:
            venv = self._venvs[check.needs].result()
        except environments.Missing as error:
            return self._told(Outcome(check, "left out", 0.0, "it needs %s" % error))
        except RuntimeError as error:
            return self._told(Outcome(check, "failed", 0.0, str(error)))
        return self._told(self._ran(check, venv))

    def _ran(self, check: Check, venv: Path) -> Outcome:
        started = time.monotonic()
        status, why = "ok", ""
        with open(LOGS / (check.name + ".log"), "w", encoding="utf-8") as log:
            try:
                bench = Bench(check, venv, log)
                check.run(bench)
                why = ", ".join(bench.unsteady)
            except environments.Missing as error:
                status, why = "left out", "it needs %s" % error
            except Failed as error:
                status, why = "failed", str(error)
            except Exception:
                status, why = "failed", traceback.format_exc()
        return Outcome(check, status, time.monotonic() - started, why)

    def _told(self, outcome: Outcome) -> Outcome:
        if outcome.status == "failed" and not self.keep_going:
            self.stopped.set()
        print("%-9s %-16s %6.1f s" % (outcome.status, outcome.check.name, outcome.seconds), flush=True)
        return outcome


def chosen(words: t.Sequence[str]) -> t.List[Check]:
    """Return the checks of these names or kinds; a word that is neither is an error, not an empty run."""
    words = words or [word for word in os.environ.get("ONLY", "").replace(",", " ").split() if word]
    known = {word for check in CHECKS for word in (check.name, check.kind)}
    unknown = sorted(set(words) - known)
    if unknown:
        sys.exit("No check is called %s. There are: %s" % (", ".join(unknown), ", ".join(sorted(known))))
    return [check for check in CHECKS if not words or check.name in words or check.kind in words]


def summary(outcomes: t.Sequence[Outcome], strict: bool) -> int:
    """Print what matters last, where it is read: the output of each failure, then what to make of it all."""
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    for outcome in failed:
        print("\n======== %s: %s" % (outcome.check.name, outcome.why))
        log = LOGS / (outcome.check.name + ".log")
        print(log.read_text(encoding="utf-8", errors="replace") if log.exists() else "")
    for outcome in outcomes:
        if outcome.status in ("left out", "not run"):
            print("%s: %s: %s" % (outcome.status, outcome.check.name, outcome.why))
        elif outcome.status == "ok" and outcome.why:
            print("unsteady: %s: %s" % (outcome.check.name, outcome.why))
    for outcome in failed:
        print("failed: %s: %s" % (outcome.check.name, outcome.why.strip().splitlines()[-1]))
    left_out = [outcome for outcome in outcomes if outcome.status == "left out"]
    good = sum(outcome.status == "ok" for outcome in outcomes)
    print("%d of %d checks passed. Their output is in %s" % (good, len(outcomes), LOGS.relative_to(ROOT)))
    if left_out and strict:
        print("CI is set, so what was left out is a failure.")
    return int(bool(failed or (strict and left_out)))


def main(arguments: t.Sequence[str]) -> int:
    if "--list" in arguments:
        for check in CHECKS:
            print("%-16s (%s)" % (check.name, check.kind))
        return 0
    checks = chosen(arguments)
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    started = time.monotonic()
    outcomes = Run(checks, keep_going=os.environ.get("KEEP_GOING", "") not in ("", "0")).outcomes()
    result = summary(outcomes, strict=bool(os.environ.get("CI")))
    print("It took %.0f s." % (time.monotonic() - started))
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
