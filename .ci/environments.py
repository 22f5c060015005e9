# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual environments of this checkout, below .cache, each made once from a locked list of requirements.

Standard library only: this is what runs before anything is installed.
"""

import errno
import fcntl
import functools
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
REQUIREMENTS = ROOT / ".ci" / "requirements"

# Which Python each environment is made with; the first that is here wins. A list of requirements that is called after a
# Python, like new-3.11.txt, is for that Python alone.
PYTHONS = {
    "play": ("3.13", "3.12", "3.14", "3.11", "3.10"),
    "nox": ("3.13", "3.12", "3.14", "3.11", "3.10"),
    "new": ("3.13", "3.12", "3.11"),
    "old": ("3.11",),  # the newest Python on which ansible-core 2.16 and all of its ansible-test work
    "python36": ("3.6",),
}


class Missing(Exception):
    """This machine lacks what an environment needs, and nobody here may install it."""


def plainly(work: t.Callable[[], t.Optional[int]]) -> int:
    """Do the work of a script, and say in a line what is wrong with the machine; the exit status."""
    try:
        return work() or 0
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print("Cannot go on: %s" % said_of(error), file=sys.stderr)
    except subprocess.CalledProcessError as error:
        print("Cannot go on: %s ended with status %d" % (" ".join(error.cmd), error.returncode), file=sys.stderr)
    return 1


def said_of(error: OSError) -> str:
    """What is wrong with a file, and what helps."""
    if not isinstance(error, PermissionError) or not str(error.filename).startswith(str(ROOT)):
        return str(error)
    if os.getuid() == 0:
        return "%s cannot be written to. Work in a clone elsewhere." % error.filename
    own = os.access(str(ROOT), os.W_OK)
    remedy = "It can be made again, so remove it: sudo rm -rf %s" % shlex.quote(str(CACHE))
    return "%s belongs to another user. %s" % (error.filename, remedy if own else "Work in a clone of your own.")


def words(environ: t.Mapping[str, str], name: str) -> t.List[str]:
    """The words of a variable that holds a part of a command line."""
    try:
        return shlex.split(environ.get(name, ""))
    except ValueError as error:
        sys.exit("%s=%s: %s" % (name, environ[name], error))


def require_cache() -> None:
    """Find files of another user, often root, before a program finds them and says it in its own words.

    :raises PermissionError: for the first that this user cannot write to.
    """
    folders = ["", "venv", "logs", "tree", "collections"]
    folders += [
        "collections/ansible_collections" + below for below in ("", "/fleet", "/fleet/tmux", "/fleet/tmux/plugins")
    ]
    for path in [CACHE / folder for folder in folders]:
        if path.exists() and not os.access(str(path), os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


@functools.lru_cache(maxsize=None)
def interpreter(version: str) -> t.Optional[Path]:
    """Return a Python that really runs: a shim on PATH is found by `which` and may still have nothing behind it."""
    name = "python" + version
    for candidate in _candidates(name):
        probe = [str(candidate), "-c", "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"]
        try:
            found = subprocess.run(probe, capture_output=True, text=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if found.returncode == 0 and found.stdout.strip() == version:
            return candidate
    return None


def _candidates(name: str) -> t.Iterator[Path]:
    if sys.prefix == sys.base_prefix and name == "python%d.%d" % sys.version_info[:2]:
        yield Path(sys.executable)
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False).stdout.strip()
        if root:
            yield from sorted(Path(root).glob("versions/*/bin/" + name), reverse=True)
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = Path(folder) / name
        if folder and os.access(path, os.X_OK):
            yield path


class Recipe(t.NamedTuple):
    """What an environment is made of."""

    version: str
    python: Path
    requirements: Path

    @property
    def core(self) -> str:
        """The ansible-core that is in it."""
        (found,) = re.findall(r"^ansible-core==(\S+)$", self.requirements.read_text(encoding="utf-8"), re.MULTILINE)
        return str(found)


def recipe(name: str) -> Recipe:
    """Return what the environment `name` is made of on this machine."""
    for version in PYTHONS[name]:
        python = interpreter(version)
        if python:
            own = REQUIREMENTS / ("%s-%s.txt" % (name, version))
            return Recipe(version, python, own if own.exists() else REQUIREMENTS / (name + ".txt"))
    raise Missing("Python " + " or ".join(PYTHONS[name]) + ", with its venv module")


def environment(name: str) -> Path:
    """Return the environment `name`, making it first where its interpreter or its requirements are new."""
    needed = recipe(name)
    venv = _place(name, needed)
    require_cache()
    venv.parent.mkdir(parents=True, exist_ok=True)
    with open(str(venv) + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs in one checkout make it once
        if not (venv / "complete").exists():
            _make(venv, needed.python, needed.requirements)
            (venv / "complete").touch()
    return venv


def made(name: str) -> t.Optional[Path]:
    """Return the environment `name` if it is there."""
    try:
        venv = _place(name, recipe(name))
    except Missing:
        return None
    return venv if (venv / "complete").exists() else None


def _place(name: str, needed: Recipe) -> Path:
    key = hashlib.sha256(os.fsencode(os.path.realpath(needed.python)) + needed.requirements.read_bytes())
    return CACHE / "venv" / (name + "-" + key.hexdigest()[:12])


def _make(venv: Path, python: Path, requirements: Path) -> None:
    shutil.rmtree(venv, ignore_errors=True)
    command([str(python), "-m", "venv", str(venv)])
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    install = [*pip, "-r", str(requirements)]
    if not requirements.stem.startswith("python36"):  # uv serves no Python that old
        _patiently([*pip, "-r", str(REQUIREMENTS / "uv.txt")])
        uv = [str(venv / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(venv / "bin" / "python")]
        uv.append("--compile-bytecode")  # as pip does; checks write none, so each program would else do it again
        install = [*uv, "-r", str(requirements)]
    _patiently(install)


_UNREACHABLE = re.compile(
    "Failed to establish a new connection[^'\n]*|name resolution|Name or service not known|nodename nor servname"
    "|failed to lookup address|dns error|Network is unreachable|No route to host|Connection refused"
    "|[Cc]onnection timed out|connect timeout"
)
"""What programs say where there is no network: to try again would only take as long again."""


def _patiently(arguments: t.List[str]) -> None:
    """Run what talks to a package index: a network may fail once, but it must be there."""
    try:
        # Without any retry, pip does not say what was wrong with the network: so this is the one that it makes.
        command(arguments, dict(os.environ, PIP_RETRIES="1"))
    except RuntimeError as error:
        found = _UNREACHABLE.search(str(error))
        if found:
            raise RuntimeError(
                "what it needs is downloaded once, and no package index could be reached (%s). "
                "Try again with a network, or name an index to pip: PIP_INDEX_URL=..." % found.group()
            )
        print("%s\nOnce more." % error, file=sys.stderr)
        command(arguments)


def command(arguments: t.Sequence[str], environ: t.Optional[t.Mapping[str, str]] = None) -> None:
    """Run a command whose output interests nobody unless it fails."""
    # Both streams in one, in the order of time: that is how a person reads why it failed.
    done = subprocess.run(
        arguments, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError("%s: exit status %d\n%s" % (" ".join(arguments), done.returncode, done.stdout))


def lock() -> None:
    """Write every locked list of requirements again, from the newest releases that its .in file admits."""
    uv = environment("new") / "bin" / "uv"
    for name, options in (
        ("play", ["--universal", "--python-version", "3.10"]),
        ("nox", ["--universal", "--python-version", "3.10"]),
        ("new", ["--python-version", "3.12"]),
        ("new-3.11", ["--python-version", "3.11"]),
        ("old", ["--python-version", "3.11"]),
        ("python36", ["--python-version", "3.6"]),
    ):
        compile_ = [str(uv), "pip", "compile", "--quiet", "--upgrade", "--no-header", *options]
        subprocess.run([*compile_, name + ".in", "-o", name + ".txt"], cwd=REQUIREMENTS, check=True)


def main(arguments: t.Sequence[str]) -> None:
    if list(arguments) == ["lock"]:
        lock()
        return
    for name in arguments:
        try:
            print(environment(name))
        except (Missing, RuntimeError) as error:
            sys.exit("%s: %s" % (name, error))


if __name__ == "__main__":
    sys.exit(plainly(lambda: main(sys.argv[1:])))
