# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual environments of this checkout, below .cache, each made once from a locked list of requirements.

Standard library only: this is what runs before anything is installed.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
REQUIREMENTS = ROOT / ".ci" / "requirements"

# Which Python each environment is made with; the first that is here wins.
PYTHONS = {
    "play": ("3.13", "3.12", "3.14", "3.11", "3.10"),
    "new": ("3.13", "3.12"),
    "old": ("3.11",),  # the newest Python on which ansible-core 2.16 and all of its ansible-test work
    "python36": ("3.6",),
}


class Missing(Exception):
    """This machine lacks what an environment needs, and nobody here may install it."""


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


def environment(name: str) -> Path:
    """Return the environment `name`, making it first where its interpreter or its requirements are new."""
    for version in PYTHONS[name]:
        python = interpreter(version)
        if python:
            return _made(name, python)
    raise Missing("Python " + " or ".join(PYTHONS[name]) + ", with its venv module")


def _made(name: str, python: Path) -> Path:
    requirements = REQUIREMENTS / (name + ".txt")
    key = hashlib.sha256(os.fsencode(os.path.realpath(python)) + requirements.read_bytes()).hexdigest()[:12]
    venv = CACHE / "venv" / (name + "-" + key)
    venv.parent.mkdir(parents=True, exist_ok=True)
    with open(str(venv) + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs in one checkout make it once
        if not (venv / "complete").exists():
            _make(venv, python, requirements)
            (venv / "complete").touch()
    return venv


def _make(venv: Path, python: Path, requirements: Path) -> None:
    shutil.rmtree(venv, ignore_errors=True)
    command([str(python), "-m", "venv", str(venv)])
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    install = [*pip, "-r", str(requirements)]
    if requirements.stem != "python36":  # uv serves no Python that old
        _patiently([*pip, "-r", str(REQUIREMENTS / "uv.txt")])
        uv = [str(venv / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(venv / "bin" / "python")]
        install = [*uv, "-r", str(requirements)]
    _patiently(install)


def _patiently(arguments: t.List[str]) -> None:
    """Run what talks to a package index: a network may fail once."""
    try:
        command(arguments)
    except RuntimeError as error:
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
        ("new", ["--python-version", "3.12"]),
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
    main(sys.argv[1:])
