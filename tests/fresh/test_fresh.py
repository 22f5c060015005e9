# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""On a system that was just installed, somebody clones this project and does what the README says."""

import os
import re
import subprocess
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import pytest
from ansible_collections.fleet.tmux.tests.fresh.machine import places, variables
from ansible_collections.fleet.tmux.tests.fresh.root import HOME, Done, Root, possible
from ansible_collections.fleet.tmux.tests.support.pages import blocks, commands
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
CLONE = HOME + "/fleet.tmux"
IDLE = 3
"""Seconds without activity that make a session idle here."""

STARTS: Dict[str, str] = {
    "shellcheck": "",
    "build-import-check": "",
    "sanity-new": "--test compile",
    "unit-new": "tests/unit/ci -k last_line",
    "tmux-new": "tests/tmux/plugins/module_utils/_tmux/test_model.py",
    "system": "tests/system/test_readme.py -k keeps_a_session",
    "attacks": "tests/attacks/test_places.py -k link_to_the_socket",
    "endurance": "tests/endurance/test_full_disk.py",
    "integration-new": "tmux_session_info",
    "page": "tests/page/test_screen.py -k ordinary_night",
    "fleet": "tests/fleet/test_fleet.py -k first_process",
}
"""One check of each kind, and what of it is enough to see that it has all it needs."""
ONE_IMAGE = {"FLEET_SUITES": "trixie"}
"""For a fleet of one host."""
QUESTION = "Do this now?"
MOVING = [
    (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "DATE"),
    (r"\b\d+(\.\d+)? (KiB|MiB)\b", "SIZE"),
    (r"\b\d+[smh]( \d+[sm])?\b", "TIME"),
    (r"\b\d{8}T\d{6}Z-goes-[0-9a-f]{6}\b", "SNAPSHOT"),
    (r"\b(ok|skipped)=\d+", r"\1=N"),
    (r"\s+", " "),
]
"""What differs from run to run, and what is written down in its place. A longer time may need another line."""
LEFT_OUT = ["unit-python36", "tmux-python36", "integration-old"]
"""What Debian has no interpreter for."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository to clone: this checkout as it is, with what is not committed yet."""
    place = tmp_path_factory.mktemp("repository")
    who = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "fresh")
    who.update(dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "fresh@localhost"))
    where = {"GIT_DIR": str(place / ".git"), "GIT_WORK_TREE": str(ROOT)}
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "as it is"]):
        subprocess.run(["git", *words], env={**os.environ, **who, **where}, check=True)
    return place


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def root(request: pytest.FixtureRequest, checkout: Path) -> Iterator[Root]:
    """A fresh system, with a clone of this project and nothing else."""
    if not possible():
        pytest.skip("left out: needs root, with the right to make namespaces")
    cache = Path(os.environ.get("FRESH_CACHE") or ROOT / ".cache" / "fresh")
    with Root(str(request.param), cache, checkout) as made:
        worked(made.run("git clone --quiet /srv/fleet.tmux " + CLONE))
        worked(made.run("mkdir .cache && ln -s /var/cache/fleet .cache/fleet", CLONE))
        yield made


def worked(done: Done) -> str:
    assert done.rc == 0, done.output
    return done.output


def told() -> List[str]:
    """The commands at the top of the README, in the order in which they stand there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    part = text.partition("## Look first\n")[2].partition("\n### ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", part, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


def looks_like(name: str, columns: int, done: Done) -> None:
    """What was shown is what a person has read and liked, but for times and sizes, and how wide they make a column.
    No line is longer than the terminal is wide, but for those of Ansible's own recap.

    With FLEET_WRITE_SCREENS=1 it is written down, to be read.
    """
    seen = "".join("%s\n" % left(line) for line in worked(done).split("\n")).rstrip("\n") + "\n"
    path = Path(__file__).parent / "screens" / name
    if os.environ.get("FLEET_WRITE_SCREENS"):
        path.write_text(seen, encoding="utf-8")
    assert unmoved(seen) == unmoved(path.read_text(encoding="utf-8"))
    of_ansible = re.compile(r" : ok=\d")
    assert [line for line in seen.splitlines() if len(line) > columns and not of_ansible.search(line)] == []


def unmoved(text: str) -> str:
    for pattern, word in MOVING:
        text = re.sub(pattern, word, text)
    return text


def left(line: str) -> str:
    """What is left of a line of a terminal in the end, without its colours."""
    cells = ""
    for part in re.sub("\x1b\\[[0-9;]*m", "", line).split("\r"):
        text, cleared, more = part.partition("\x1b[K")
        cells = text + more if cleared else text + cells[len(text) :]
    return cells.rstrip()


def has(root: Root, program: str) -> bool:
    return root.run("command -v " + program).rc == 0


# In the order in which a person does it: each test is a step, and finds what the steps before it have left.


def test_the_readme_says_how_to_get_make(root: Root) -> None:
    assert not any(has(root, program) for program in ("make", "tmux", "pip", "gcc", "curl"))
    line, report = told()[:2]
    assert line.endswith(" make")
    worked(root.run(line, CLONE))
    assert has(root, "make")
    assert report == "make report"
    worked(root.run(report, CLONE))


def test_the_first_command_works_where_there_is_no_tmux(root: Root) -> None:
    assert not has(root, "tmux")
    first = told()[2]
    assert first == "make cleanup"
    for columns in (80, 120):
        looks_like("nothing-%d.txt" % columns, columns, root.screen(first, columns, CLONE))
    assert not has(root, "tmux"), "none was installed in order to clean up"


def test_the_first_command_removes_what_is_idle_and_nothing_else(root: Root) -> None:
    if not has(root, "tmux"):
        worked(root.run("apt-get install --yes --no-install-recommends tmux"))
    begin(root, "stays")
    worked(root.run("tmux set-option -t =stays: @keep on"))
    begin(root, "goes")
    words = "ARGS='-e tmux_cleanup_idle=%ds'" % IDLE
    for columns in (80, 120):
        looks_like("report-%d.txt" % columns, columns, root.screen("make report " + words, columns, CLONE))
    looks_like("cleanup-refused.txt", 80, root.screen("make cleanup " + words, 80, CLONE, QUESTION, "n\n"))
    assert worked(root.run("tmux list-sessions -F '#{session_name}'")) == "goes\nstays\n"
    cleaned_up(root, words, 80)
    begin(root, "goes")
    cleaned_up(root, words, 120)
    worked(root.run("tmux kill-server"))


def cleaned_up(root: Root, words: str, columns: int) -> None:
    screen = root.screen("make cleanup " + words, columns, CLONE, QUESTION, "y\n")
    looks_like("cleanup-%d.txt" % columns, columns, screen)
    assert worked(root.run("tmux list-sessions -F '#{session_name}'")) == "stays\n"


def begin(root: Root, name: str) -> None:
    """Begin a session, and wait until all are idle."""
    worked(root.run("tmux new-session -d -s %s cat" % name))
    clocks = "#{session_created} #{session_activity} #{window_activity}"
    rests = "test $(($(date +%%s) - $(tmux list-windows -a -F '%s' | tr ' ' '\\n' | sort -n | tail -1))) -gt %d"
    eventually(lambda: root.run(rests % (clocks, IDLE)).rc == 0, "the sessions are idle")


def test_ansible_is_got_as_the_readme_says(root: Root) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "[core 2." in worked(root.run("set -e\n%s\nansible --version" % how_to_get_ansible(text), CLONE))
    claim = {"bookworm": r"the (2\.\d+) of\sDebian 12", "trixie": r"Debian 13 has (2\.\d+)"}[root.suite]
    (claimed,) = re.findall(claim, text)
    version = worked(root.run("apt-cache show ansible-core | sed -n 's/^Version: //p'")).splitlines()[0]
    assert version.startswith(claimed + ".")


def how_to_get_ansible(text: str) -> str:
    (lines,) = re.findall(r"^(python3 -m venv .+\n.*pip install ansible-core\nexport PATH=.+)\n", text, re.MULTILINE)
    return str(lines)


def test_what_the_readme_shows_works_with_that(root: Root) -> None:
    """Each command and each playbook below the two, in their order, on this machine as its only host."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    path = how_to_get_ansible(text).splitlines()[-1]
    worked(root.run("echo web1 ansible_connection=local ansible_python_interpreter=auto_silent >hosts.ini", CLONE))
    begin(root, "idle")
    tried = 0
    for language, block in blocks(text.partition("\n## Using it from Ansible\n")[2]):
        if language == "yaml":
            worked(root.run("cat >site.yml <<'END'\n%sEND" % block, CLONE))
        for command in commands(language, block):
            said = worked(root.run("%s\n%s" % (path, command), CLONE))
            assert "WARNING" not in said, "%s\n%s" % (command, said)
            tried += 1
    assert tried >= 10
    assert worked(root.run("tmux list-sessions -F '#{session_name}'")) == "idle\n", "nothing was idle for days"
    worked(root.run("tmux kill-server; rm -r ~/ansible ~/.ansible hosts.ini site.yml reports", CLONE))


def test_the_second_command_installs_what_it_promises(root: Root) -> None:
    assert told()[3] == "make test"
    worked(root.run("make setup-test", CLONE))
    assert worked(root.run(".ci/setup-system test", CLONE)) == "", "a second time there is nothing to do"
    promised = re.findall(r"^ *need (\S+) ", (ROOT / ".ci" / "setup-system").read_text("utf-8"), re.MULTILINE)
    assert [program for program in promised if not has(root, program)] == []


@pytest.mark.parametrize("check", sorted(STARTS))
def test_a_check_of_each_kind_starts(root: Root, check: str) -> None:
    """It has all it needs, and says so where it uses an older ansible-core."""
    said = worked(root.run("make test ONLY=%s TESTS='%s'" % (check, STARTS[check]), CLONE, **ONE_IMAGE))
    assert said.endswith("\n1 passed, 0 failed, 0 skipped\n"), said
    older = "left out: the newest ansible-core: it needs Python 3.13 or 3.12; ansible-core 2.19."
    assert (older in said) is (root.suite == "bookworm"), said


def test_what_is_left_out_is_said_and_is_no_success(root: Root) -> None:
    done = root.run("make test ONLY=" + ",".join(LEFT_OUT), CLONE)
    assert done.rc != 0
    for check in LEFT_OUT:
        assert "left out: %s: it needs Python 3." % check in done.output, done.output
    assert "\n0 passed, 0 failed, %d skipped\n" % len(LEFT_OUT) in done.output


# --- how the machine's own settings are found


def test_only_what_packages_need_is_taken_from_the_environment() -> None:
    environ = {"PIP_CERT": "a", "UV_INDEX": "b", "https_proxy": "c", "SSL_CERT_FILE": "d", "CI": "e", "TMUX": "f"}
    assert sorted(variables(environ).values()) == ["a", "b", "c", "d"]


def test_an_index_on_disk_is_shown_with_the_files_beside_it(tmp_path: Path) -> None:
    for name in ("wheels", "index/simple"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "constraints.txt").touch()
    given: List[Tuple[str, ...]] = [("wheels",), ("constraints.txt",), ("nowhere",)]
    values = [str(tmp_path.joinpath(*words)) for words in given] + ["file://%s/index/simple" % tmp_path, "60"]
    assert places(values) == [tmp_path / "wheels", tmp_path / "constraints.txt", tmp_path / "index"]
