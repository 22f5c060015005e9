# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every check of this collection. `make test` runs them side by side, `nox -s NAME` runs one; `nox -l` lists them.

Those that the Ansible community has for all collections come from antsibull-nox (antsibull-nox.toml, and at the end of
this file), the others are plain. What a plain one needs is in an environment that several share (.ci/environments.py).
The tags of a session are its kind, its lane and its environment: .ci/checks.py goes by them.
"""

# /// script
# dependencies = ["nox>=2026", "antsibull-nox", "ansible-core"]
# ///

import importlib
import json
import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import antsibull_nox
import nox

sys.path.insert(0, str(Path(__file__).resolve().parent / ".ci"))

import environments
from bench import NAMESPACE, Bench, Word, clean_environment, named
from environments import CACHE, ROOT

nox.needs_version = ">=2026"
nox.options.envdir = str(CACHE / "nox")

cleaned = clean_environment(os.environ)
os.environ.clear()
os.environ.update(cleaned)

HERE = "lane-here"
"""For what starts tmux servers on this machine and looks for all of them: one such check would see another's."""
APART = "lane-apart"
"""For what has machines of its own."""
WORLDS = "lane-worlds"
"""For what has a small world of its own: processes, mounts and users that nobody else has."""
BESIDE = "lane-beside"
"""For what starts nothing, or nothing that another check could see."""


def check(kind: str, lane: str, environment: str = "new") -> t.Callable[[t.Callable[[Bench], None]], None]:
    """Make a function a session, which is given the place where it works."""

    def register(run: t.Callable[[Bench], None]) -> None:
        def session(session: nox.Session) -> None:
            run(Bench(session, environment))

        session.__doc__ = run.__doc__
        name = run.__name__.replace("_", "-")
        nox.session(name=name, venv_backend="none", tags=[kind, lane, environment], default=kind == "lint")(session)

    return register


# --- what runs nothing of the collection ------------------------------------------------------------------------------


@check("lint", HERE)
def ruff(bench: Bench) -> None:
    """Style, and formatting."""
    bench.run("ruff", "check", ".", cwd=ROOT)
    bench.run("ruff", "format", "--check", "--diff", ".", cwd=ROOT)


@check("lint", HERE)
def yamllint(bench: Bench) -> None:
    """Every YAML file."""
    bench.run("yamllint", "--strict", ".", cwd=ROOT)


@check("lint", HERE)
def shellcheck(bench: Bench) -> None:
    """Every script for the shell."""
    scripts = [".ci/run", ".ci/setup-system", "tests/fleet/image.sh", "roles/tmux_cleanup/files/show-notices"]
    bench.run("shellcheck", *scripts, cwd=ROOT)


@check("lint", HERE)
def mypy(bench: Bench) -> None:
    """Types, strictly."""
    bench.copy()
    options: t.List[Word] = ["--config-file", NAMESPACE / ".mypy.ini", "--cache-dir", CACHE / "mypy"]
    judged: t.List[Word] = [NAMESPACE / "plugins", *(NAMESPACE / "tests" / part for part in TESTED)]
    bench.run("mypy", *options, *judged, cwd=bench.tree)
    ours = bench.collection / ".ci"
    scripts = [path for path in sorted(ours.glob("*.py")) if path.name != "bootstrap_pip.py"]  # it runs on Python 2 too
    python: t.List[Word] = ["--python-executable", bench.environment("nox") / "bin" / "python"]
    bench.run("mypy", *options, *python, *scripts, bench.collection / "noxfile.py", cwd=bench.tree, MYPYPATH=str(ours))


TESTED = (
    "support",
    "unit",
    "tmux",
    "attacks",
    "verdicts",
    "endurance",
    "system",
    "page",
    "fleet",
    "fresh",
    "update_options.py",
)


@check("lint", HERE)
def changelog(bench: Bench) -> None:
    """The changelog and its fragments."""
    bench.copy()
    bench.run("antsibull-changelog", "lint")


# --- tests ------------------------------------------------------------------------------------------------------------


@check("unit", BESIDE)
def unit_new(bench: Bench) -> None:
    """Tests that need no tmux, on the newest Python."""
    bench.copy()
    bench.pytest("tests/unit")


@check("unit", BESIDE, "python36")
def unit_python36(bench: Bench) -> None:
    """Tests that need no tmux, on Python 3.6."""
    # What runs on the controller never meets a Python that old.
    _pytest_on_python36(bench, "tests/unit/plugins/module_utils")


@check("tmux", HERE)
def tmux_new(bench: Bench) -> None:
    """Tests with private tmux servers, on the newest Python."""
    bench.copy()
    bench.pytest("tests/tmux")


@check("tmux", HERE, "python36")
def tmux_python36(bench: Bench) -> None:
    """Tests with private tmux servers, on Python 3.6."""
    # What races, what chance brings about and what programs show takes long, and is no other on another Python.
    which = ["-k", "not (test_stateful or test_cleaners or test_noise)"]
    # libtmux is not for a Python that old.
    which.append("--ignore-glob=*/test_libtmux.py")
    _pytest_on_python36(bench, "tests/tmux", *which)


def _pytest_on_python36(bench: Bench, tests: str, *options: str) -> None:
    """Run tests with the module_utils of ansible-core 2.16, which still support Python 3.6."""
    bench.copy()
    core = next((bench.environment("old") / "lib").glob("python*/site-packages/ansible"))
    alone = bench.tree / "core"  # not its site-packages: nothing else in there is for Python 3.6
    alone.mkdir()
    (alone / "ansible").symlink_to(core)
    bench.pytest(tests, *options, PYTHONPATH=os.pathsep.join([str(bench.tree), str(alone)]))


@check("system", WORLDS)
def system(bench: Bench) -> None:
    """The whole as people run it, in small worlds of its own."""
    bench.copy()
    bench.pytest("tests/system")


@check("attacks", WORLDS)
def attacks(bench: Bench) -> None:
    """Let the users of a small world attack its root: making one takes root, or sudo that asks for no password."""
    _in_a_small_world(bench, "tests/attacks")


@check("verdicts", WORLDS)
def verdicts(bench: Bench) -> None:
    """Judge sessions with real programs in a small world: no live work may go, and what is abandoned must."""
    sys.path.insert(0, str(ROOT / "tests" / "verdicts"))
    missing = importlib.import_module("corpus").missing()
    if missing:
        bench.leave_out(" ".join(missing))
    _in_a_small_world(bench, "tests/verdicts")


def _in_a_small_world(bench: Bench, tests: str) -> None:
    world = Path("tests", "support", "namespaces.py")
    rights: t.List[Word] = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if rights and shutil.which("sudo") is None:
        bench.leave_out("root")
    probe = [*rights, sys.executable, ROOT / world, "true"]
    if subprocess.run(probe, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).returncode:
        bench.leave_out("root, with the right to make namespaces (unshare of util-linux)")
    bench.copy()
    bench.compile()
    # sudo hands no variables on, so they are set again behind it.
    variables = {"PATH": bench.path, "PYTHONPATH": str(bench.tree)}
    variables.update({name: os.environ[name] for name in HANDED_ON if name in os.environ})
    python = bench.venv / "bin" / "python"
    pytest = ["-m", "pytest", "-q", "--color=no", "--durations=25", "-rs", "-p", "no:cacheprovider"]
    pytest += bench.session.posargs or [tests]
    bench.run(*rights, "env", *map("=".join, variables.items()), python, bench.collection / world, python, *pytest)


HANDED_ON = ("LC_ALL", "PYTHONDONTWRITEBYTECODE", "FLEET_TMUX_BINARIES", "VERDICTS", "VERDICTS_RESULTS")


@check("endurance", HERE)
def endurance(bench: Bench) -> None:
    """Kill runs, fill a disk, and let many people work for a while; the small disk takes root."""
    bench.copy()
    bench.pytest("tests/endurance")


@check("integration", HERE)
def integration_new(bench: Bench) -> None:
    """Integration targets on the newest ansible-core."""
    _integration(bench, "--local")


@check("integration", HERE, "old")
def integration_old(bench: Bench) -> None:
    """Integration targets on ansible-core 2.16; modules run on Python 3.6."""
    if environments.interpreter("3.6") is None:
        bench.leave_out("Python 3.6")
    _integration(bench, "--controller", "origin:python=3.11", "--target", "controller:python=3.6")


def _integration(bench: Bench, *where: str) -> None:
    bench.copy()
    binaries = [path for path in os.environ.get("FLEET_TMUX_BINARIES", "").split(os.pathsep) if path]
    # ansible-test hands no environment variables on, but it reads this file (JSON is YAML).
    settings = bench.collection / "tests" / "integration" / "integration_config.yml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"fleet_tmux_binaries": binaries}) + "\n", encoding="utf-8")
    targets = bench.session.posargs
    bench.run("ansible-test", "integration", *where, "--color", "no", *targets, PATH=bench.pythons("3.6", "3.11"))


@check("page", BESIDE)
def page(bench: Bench) -> None:
    """Open reports in a real browser, and look at what it shows."""
    bench.copy()
    bench.pytest("tests/page")


@check("fresh", BESIDE)
def fresh(bench: Bench) -> None:
    """Follow the README on systems that were just installed."""
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        bench.leave_out("root, and mmdebstrap")
    bench.copy()
    bench.pytest("tests/fresh", FRESH_CACHE=str(CACHE / "fresh"))


@check("package", BESIDE)
def package(bench: Bench) -> None:
    """Build, install, and compare what was installed with what was built."""
    bench.copy()
    dist = bench.tree / "dist"
    bench.run("ansible-galaxy", "collection", "build", "--output-path", dist, ".")
    (built,) = dist.glob("*.tar.gz")
    installed = bench.tree / "installed"
    paths = {"ANSIBLE_COLLECTIONS_PATH": str(installed)}
    bench.run("ansible-galaxy", "collection", "install", "--offline", "-p", installed, built, cwd=dist, **paths)
    bench.run("ansible-galaxy", "collection", "verify", "--offline", "fleet.tmux", cwd=dist, **paths)
    bench.run("ansible-doc", "--type", "module", "--list", "fleet.tmux", cwd=dist, **paths)


@check("fleet", APART)
def fleet(bench: Bench) -> None:
    """Bring real hosts up on this machine, clean them up over ssh, and let things happen to them."""
    if os.geteuid() != 0:
        bench.leave_out("root, to bring hosts up")
    bench.copy()
    variables = {"FLEET_CACHE": str(CACHE / "fleet")}
    try:
        variables["FLEET_OLDEST_ANSIBLE"] = str(environments.environment("old") / "bin")
    except environments.Missing as error:
        variables["FLEET_WITHOUT_OLDEST"] = str(error)
    # What is made once and used again (root file systems) stays when the copy goes.
    bench.pytest("tests/fleet", **variables)


# --- what the Ansible community runs on all collections ---------------------------------------------------------------


def adopt(name: str, kind: str, environment: str = "new", pythons: t.Sequence[str] = ()) -> None:
    """Let a session of antsibull-nox run in a shared environment, with what we have locked."""
    session = nox.registry.get()[name]
    run = session.func

    def adopted(session: nox.Session) -> None:
        os.environ["PATH"] = os.pathsep.join([str(named(CACHE / "python", *pythons)), os.environ["PATH"]])
        run(session)

    session.func = adopted
    session.tags = [kind, BESIDE, environment]
    session.venv_backend, session.reuse_venv, session.python = "venv", True, None
    made = environments.made(environment)
    if made:
        link = CACHE / "nox" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink() if link.is_symlink() else shutil.rmtree(link, ignore_errors=True)
        link.symlink_to(made)


def add_sanity(name: str, environment: str, pip: t.Sequence[str], without: t.Sequence[str] = ()) -> None:
    """Run ansible-test sanity on an ansible-core, with no ignore file; all of it but the tests ``without``."""

    def before() -> None:
        ignored = [path.name for path in Path("tests/sanity").glob("ignore*")]
        if ignored:
            raise AssertionError("Nothing is ignored here, but there is %s" % ", ".join(ignored))
        # ansible-test keeps its environments below HOME, and downloads pip from a host of its own.
        home = CACHE / "home"
        os.environ["HOME"] = str(home)
        cache = home / ".ansible" / "test" / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        for version in pip:
            shutil.copy(ROOT / ".ci" / "bootstrap_pip.py", cache / ("get_pip_%s.py" % version.replace(".", "_")))
            if not (cache / ("pip-%s-py3-none-any.whl" % version)).exists():
                python = str(environments.environment(environment) / "bin" / "python")
                download = [python, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
                environments.command([*download, "--dest", str(cache), "pip==" + version])

    try:
        core = ".".join(environments.recipe(environment).core.split(".")[:2])
    except environments.Missing:
        core = "2.16"  # any: it skips itself
    antsibull_nox.add_ansible_test_session(
        name=name,
        description="ansible-test sanity on ansible-core %s." % core,
        default=False,
        ansible_test_params=["sanity", "--local", "--color", "no", *(f"--skip-test={test}" for test in without)],
        ansible_core_version=core,
        ansible_core_source="pypi",
        callback_before=before,
        # antsibull-nox cannot copy it back.
        callback_after=lambda: shutil.rmtree("tests/output/.tmp", ignore_errors=True),
    )


antsibull_nox.load_antsibull_nox_toml()
add_sanity("sanity-new", "new", pip=["25.2", "24.2"])
# pylint is no other with an older ansible-core, only older itself, and takes longer than all the rest.
add_sanity("sanity-old", "old", pip=["23.1.2", "21.3.1"], without=["pylint"])
for community in ("license-check", "extra-checks", "docs-check", "ansible-lint"):
    adopt(community, "lint")
adopt("build-import-check", "package")
adopt("sanity-new", "sanity", pythons=["3.9"])
adopt("sanity-old", "sanity", "old", pythons=["3.6"])

if __name__ == "__main__":
    nox.main()
