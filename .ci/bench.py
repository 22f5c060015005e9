# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a check works: the programs of a shared environment, and its own copy of the checkout."""

import os
import shutil
import subprocess
import typing as t
from pathlib import Path

import environments
import nox
from environments import CACHE, ROOT

NAMESPACE = Path("ansible_collections") / "fleet" / "tmux"
Word = t.Union[str, Path]


def clean_environment(environ: t.Mapping[str, str]) -> t.Dict[str, str]:
    """Return what checks see of the environment: nothing of a person's own Ansible and tmux, and UTF-8."""
    kept = {name: value for name, value in environ.items() if not name.startswith(("ANSIBLE_", "TMUX"))}
    # A shim is found on PATH, and may have nothing behind it.
    path = [entry for entry in environ.get("PATH", "").split(os.pathsep) if Path(entry).name != "shims"]
    return {
        **kept,
        "PATH": os.pathsep.join(path),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_HOME": str(CACHE / "ansible"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(CACHE / "hypothesis"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class Bench:
    """Where one check works."""

    def __init__(self, session: nox.Session, environment: str) -> None:
        self.session = session
        self.venv = self.environment(environment)
        self.tree = CACHE / "tree" / session.name
        self.collection = self.tree / NAMESPACE

    def environment(self, name: str) -> Path:
        """Return a shared environment; without its Python, this check is left out."""
        try:
            return environments.environment(name)
        except environments.Missing as error:
            self.leave_out(str(error))

    def leave_out(self, needed: str) -> t.NoReturn:
        """End here: this machine cannot run the check."""
        self.session.skip("it needs " + needed)

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

    def compile(self) -> None:
        """Compile the copy once: programs that tests start write no bytecode, and each would else do it again."""
        self.run("python", "-m", "compileall", "-q", "plugins", "tests/support")

    def pythons(self, *versions: str) -> str:
        """Return a PATH on which ansible-test finds these interpreters under their usual names."""
        return os.pathsep.join([str(named(self.tree / "python", *versions)), self.path])

    @property
    def path(self) -> str:
        return os.pathsep.join([str(self.venv / "bin"), os.environ["PATH"]])

    def run(self, *command: Word, cwd: t.Optional[Path] = None, **variables: str) -> None:
        """Run a program of the environment, or of this machine, in the copy of the checkout."""
        environ = {"PATH": self.path, "ANSIBLE_COLLECTIONS_PATH": str(self.tree), **variables}
        program, *words = [str(word) for word in command]
        found = shutil.which(program, path=environ["PATH"]) or program
        with self.session.chdir(cwd or self.collection):
            self.session.run(found, *words, env=environ, external=True)

    def pytest(self, tests: str, *options: str, **variables: str) -> None:
        """Run tests: those that the command line names, or else all of a folder."""
        pytest = ["-q", "--color=no", "--durations=25", "-rs", "-p", "no:cacheprovider", *options]
        variables.setdefault("PYTHONPATH", str(self.tree))
        self.compile()
        self.run(
            "python", "-m", "pytest", *pytest, *(self.session.posargs or [tests]), cwd=self.collection, **variables
        )


def named(folder: Path, *versions: str) -> Path:
    """Make a folder with interpreters under their usual names; those that this machine lacks are not in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for version in versions:
        python = environments.interpreter(version)
        link = folder / ("python" + version)
        if python and not link.exists():
            link.symlink_to(python)
            print("Python %s: %s" % (version, python), flush=True)
    return folder
