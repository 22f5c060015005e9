# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tmuxp and tmuxinator publish as examples becomes sessions that plain tmux shows as these files say.

Those of tmuxp are in its source package, which is fetched for this. Those of tmuxinator are in none that pip fetches:
they are described here by their shape.
"""

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Dict, List, Mapping, Sequence, Set, Tuple

import pytest
from ansible_collections.fleet.tmux.tests.support.declaring import Json, Task, panes
from ansible_collections.fleet.tmux.tests.support.world import World

if sys.version_info < (3, 10):
    pytest.skip("files are read on the controller, which has a newer Python", allow_module_level=True)

import yaml
from ansible_collections.fleet.tmux.plugins.plugin_utils._tmuxinator import from_tmuxinator
from ansible_collections.fleet.tmux.plugins.plugin_utils._tmuxp import from_tmuxp

PACKAGE = "tmuxp==1.76.0"
FILES = 44
"""That declare a session, in it."""
DIFFERENT = 28
"""Of these: most are there in YAML and in JSON."""
LEFT_OUT = {
    "options": {"global_options"},
    "pane-shell": {"windows[0].suppress_history", *("windows[0].panes[%d].shell_command" % pane for pane in range(3))},
    "plugin-system": {"plugins"},
    "skip-send": {"windows[0].panes[0].shell_command[1]"},
    "skip-send-pane-level": {
        "windows[0].panes[0].shell_command",
        "windows[0].panes[1].shell_command[0]",
        "windows[0].panes[1].shell_command[1]",
    },
    "env-variables": {"before_script"},
    "suppress-history.json": {"%ssuppress_history" % place for place in ("", "windows[0].", "windows[3].panes[0].")},
    "suppress-history.yaml": {
        "%ssuppress_history" % place for place in ("", "windows[0].", "windows[3].", "windows[3].panes[0].")
    },
    "window-index": {"windows[1].window_index"},
}
"""What is told not to be taken over of these."""

Seen = List[Tuple[str, int, bool]]
"""Of each window its name, how many panes it has, and whether it is the current one."""
PROJECTS: List[Tuple[Json, Seen, Set[str]]] = [
    (
        # As `tmuxinator new` makes one.
        {
            "name": "sample",
            "root": "~/",
            "on_project_start": "true",
            "on_project_exit": "true",
            "windows": [
                {"editor": {"layout": "main-vertical", "panes": ["vim -u NONE", "echo guard"]}},
                {"server": "echo exec rails s"},
                {"logs": "tail -f log/development.log"},
            ],
        },
        [("editor", 2, True), ("server", 1, False), ("logs", 1, False)],
        {"on_project_start", "on_project_exit"},
    ),
    (
        {
            "name": "panes that are called otherwise",
            "root": "/usr",
            "pre_window": "true",
            "startup_window": "second",
            "startup_pane": 1,
            "windows": [
                {"first": {"synchronize": "after", "panes": [{"one": ["cd /", "true"]}, None, {"two": None}]}},
                {"second": {"root": "/var", "layout": "tiled", "pre": ["true", "true"], "panes": ["true", "true"]}},
                {"second": ["true", "true"]},
                {"last": None},
            ],
        },
        [("first", 3, False), ("second", 2, True), ("second-2", 1, False), ("last", 1, False)],
        {"windows[2]"},
    ),
    (
        # As it was written years ago.
        {"project_name": "old.name", "project_root": "/tmp", "pre_tab": "true", "tabs": [{"a": "true"}, {222: None}]},
        [("a", 1, True), ("222", 1, False)],
        set(),
    ),
    (
        {
            "name": "layouts",
            "pre": "true",
            "attach": False,
            "windows": [
                {"even": {"layout": "even-horizontal", "panes": ["true"] * 4}},
                {
                    "drawn": {
                        "layout": "8205,80x24,0,0{40x24,0,0,0,39x24,41,0,1}",
                        "panes": ["", 'echo "it\'s $((1 + 1))"'],
                    }
                },
                {"\u00e9 \U0001f369": "true"},
            ],
        },
        [("even", 4, True), ("drawn", 2, False), ("\u00e9 \U0001f369", 1, False)],
        {"pre"},
    ),
]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Json]:
    """What is in each file of tmuxp's examples, by its name."""
    folder = tmp_path_factory.mktemp("published")
    fetch = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    subprocess.run([*fetch, "--no-binary", ":all:", "--dest", str(folder), PACKAGE], check=True)
    (archive,) = folder.glob("*.tar.gz")
    found: Dict[str, Json] = {}
    with tarfile.open(archive) as files:
        for member in files:
            path = Path(member.name)
            stream = files.extractfile(member) if path.parent.name == "examples" else None
            if stream is not None and path.suffix in (".yaml", ".json"):
                text = stream.read().decode("utf-8")
                found[path.name] = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    return found


@pytest.fixture
def project(tmp_path: Path) -> str:
    """A folder in which the files find those that they name."""
    for name in ("log", "test"):
        (tmp_path / name).mkdir()
    return str(tmp_path)


def variables(project: str) -> Dict[str, str]:
    return {"MAIN_PANE_HEIGHT": "20", "PWD": project, "MY_ENV_VAR": "of mine", "USER": "somebody"}


def filled(text: str, known: Mapping[str, str]) -> str:
    for name, value in known.items():
        text = text.replace("${%s}" % name, value)
    return text


def named(window: Json, known: Mapping[str, str]) -> str:
    automatic = (window.get("options") or {}).get("automatic-rename")
    return "" if automatic in (True, "on", "true") else filled(str(window.get("window_name", "")), known)


def declared(windows: Sequence[Json], known: Mapping[str, str]) -> Seen:
    """What a file of tmuxp's says itself; no name where tmux gives it that of what runs there."""
    wanted = [number for number, window in enumerate(windows) if window.get("focus") in (True, "true")]
    current = wanted[-1] if wanted else 0
    return [
        (named(window, known), max(1, len(window.get("panes") or [])), number == current)
        for number, window in enumerate(windows)
    ]


def seen(world: World, session: str) -> Seen:
    """The same as plain tmux shows it."""
    rows = panes(world, "window_index", "window_name", "window_active", session=session)
    return [
        (next(name for number, name, _active in rows if number == index), len(own), own[0] == "1")
        for index in dict.fromkeys(row[0] for row in rows)
        for own in [[active for number, _name, active in rows if number == index]]
    ]


def holds(world: World, told: Json, wanted: Seen) -> None:
    (name,) = told["name"]
    found = seen(world, name)
    assert [
        (own if told_ else "", count, active) for (own, count, active), (told_, _c, _a) in zip(found, wanted)
    ] == wanted
    assert len(found) == len(wanted)


def takes_percentages(world: World) -> bool:
    """Whether this tmux does for the height of panes."""
    taken = world.run("set-option", "-gw", "main-pane-height", "67%").returncode == 0
    world.tmux("set-option", "-gwu", "main-pane-height")
    return taken


def left_out(notes: Sequence[str]) -> Set[str]:
    return {note.partition(": ")[0] for note in notes}


def stays(text: str) -> Tuple[str, str]:
    name, _dot, kind = text.rpartition(".")
    return name, kind


def test_the_examples_of_tmuxp_become_what_they_say(server: World, published: Dict[str, Json], project: str) -> None:
    """Each is made, looked at and made once more; what is the same in YAML and in JSON once."""
    assert len(published) == FILES
    known = variables(project)
    made: List[Json] = []
    for file, data in sorted(published.items(), key=lambda item: stays(item[0])):
        name = stays(file)[0]
        result, notes = from_tmuxp(data, project, known)
        assert left_out(notes) == LEFT_OUT.get(file, LEFT_OUT.get(name, set())), (file, notes)
        if result in made:
            continue
        made.append(result)
        # What it runs need not be on this machine.
        task = Task(server, **dict(result, keep_exited=True))
        if name == "main-pane-height-percentage" and not takes_percentages(server):
            _told, error = task.go()
            assert "main-pane-height: tmux does not take '67%'" in str(error)
            continue
        task.done()
        holds(server, result, declared(data["windows"], known))
        server.tmux("kill-session", "-t", "=" + result["name"][0])
    assert len(made) == DIFFERENT


@pytest.mark.parametrize("data, wanted, notes", PROJECTS, ids=[project[0].get("name", "old") for project in PROJECTS])
def test_projects_of_tmuxinator_become_what_they_say(
    server: World, data: Json, wanted: Seen, notes: Set[str], tmp_path: Path
) -> None:
    result, told = from_tmuxinator(data, str(tmp_path))
    assert left_out(told) == notes
    Task(server, **dict(result, keep_exited=True)).done()
    holds(server, result, wanted)
