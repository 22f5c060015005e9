# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who has lost a session gets it back with the script in its snapshot: by sh, tmux and Python, and nothing of ours."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import restore as script
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session
from ansible_collections.fleet.tmux.tests.support.runs import captured
from ansible_collections.fleet.tmux.tests.support.snapshots import Store, described, rich, settled, shape
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World


@pytest.fixture
def store(server: World) -> Store:
    return Store(server)


def programs(world: World) -> str:
    """A directory with the two programs that the script asks for by their names."""
    folder = os.path.join(world.folder, "bin")
    if not os.path.isdir(folder):
        os.mkdir(folder)
        os.symlink(world.binary, os.path.join(folder, "tmux"))
        os.symlink(os.path.realpath(sys.executable), os.path.join(folder, "python3"))
    return folder


def run(world: World, path: str, *words: str, shell: str = "sh", **more: str) -> "subprocess.CompletedProcess[str]":
    """Do what the owner is told to do."""
    env = world.environment()
    env.update(PATH=programs(world) + ":" + env["PATH"], **more)
    which = [] if "TMUX" in more else ["-S", world.path]
    return subprocess.run(
        [shell, os.path.join(path, "restore"), *which, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        encoding="utf-8",
        env=env,
        cwd="/",
        timeout=2 * PATIENCE,
        check=False,
    )


def brought_back(world: World, path: str, *words: str, **more: str) -> Session:
    before = world.ids()
    done = run(world, path, *words, **more)
    assert (done.returncode, done.stderr) == (0, ""), done
    (identity,) = set(world.ids()) - set(before)
    return settled(world, identity)


def rewritten(path: str, **more: Any) -> None:
    place = Path(path, "session.json")
    place.write_text(json.dumps(dict(described(path), **more)))


def test_windows_layout_directories_and_text_come_back(store: Store) -> None:
    """With nothing of ours between: saved, removed, brought back by the script, and looked at."""
    world = store.world
    before = settled(world, rich(world))
    path = store.save(before.id)
    texts = [captured(world, pane.id).strip() for pane in before.panes]
    world.tmux("kill-session", "-t", before.id)
    done = run(world, path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Restored session work: 2 windows, 6 panes.\n"
        "Not started again (window.pane, program):\n"
        "  0.0  cat\n  0.1  cat\n  0.2  cat\n  0.3  cat\n  7.0  cat\n  7.1  cat\n"
        "To go on there:  tmux -S %s attach-session -t work\n" % world.path
    )
    (identity,) = set(world.ids()) - {"$0"}
    after = settled(world, identity)
    assert after.name == "work"
    assert shape(after) == shape(before)
    for pane, text in zip(after.panes, texts):
        eventually(lambda pane=pane, text=text: captured(world, pane.id).startswith(text), text)  # type: ignore[misc]


@pytest.mark.parametrize("colors", [False, True])
def test_what_was_on_the_screen_is_on_it_again(store: Store, colors: bool) -> None:
    """A screen that is nearly empty is saved without the lines below, or its text would be out of sight."""
    world = store.world
    identity = world.new("work", "sh", "-c", "echo it was here; exec cat")
    eventually(lambda: "it was here" in captured(world, identity + ":"), "it is there")
    made = brought_back(world, store.save(identity, colors=colors))
    eventually(lambda: "it was here" in world.tmux("capture-pane", "-p", "-t", made.id + ":"), "it is seen")


def test_it_starts_a_server_where_there_is_none(store: Store) -> None:
    world = store.world
    path = store.save(settled(world, rich(world)).id)
    world.tmux("kill-server")
    eventually(lambda: world.pid() == 0, "the server ends")
    assert [window.number for window in brought_back(world, path).windows] == [0, 7]


def test_nothing_that_ran_is_started_again(store: Store) -> None:
    world = store.world
    trace = os.path.join(world.folder, "trace")
    identity = world.new("work", "sh", "-c", "echo started >>%s; exec cat" % trace)
    eventually(lambda: os.path.exists(trace) and Path(trace).read_text() == "started\n", "it runs")
    path = store.save(identity)
    brought_back(world, path)
    brought_back(world, path, "-s", "other")
    assert Path(trace).read_text() == "started\n"


def test_the_script_is_the_same_in_every_snapshot(store: Store) -> None:
    first = store.save("$0")
    second = store.save(rich(store.world), colors=True)
    scripts = {Path(path, "restore").read_bytes() for path in (first, second)}
    assert scripts == {Path(str(script.__file__)).read_bytes()}


NAMES = ["work", "a #(touch TRACE) #{pid} ##[b] #[c", "semi;", "caf\u00e9 'x'", "-rf", "%s $HOME `id`"]


@pytest.mark.parametrize("name", NAMES)
def test_names_come_back_and_run_nothing(store: Store, name: str) -> None:
    world = store.world
    trace = os.path.join(world.folder, "trace")
    name = name.replace("TRACE", trace)
    path = store.save("$0")
    found = described(path)
    found["windows"][0]["name"] = name
    folder = os.path.join(world.folder, name.replace("/", "_"))
    os.mkdir(folder)
    found["windows"][0]["panes"][0]["path"] = folder
    rewritten(path, windows=found["windows"], name=name.replace(trace, "x"))
    made = brought_back(world, path)
    assert made.windows[0].name == name
    assert made.panes[0].path == folder
    if "$" not in name:  # Some versions put a backslash before it.
        assert made.name == name.replace(trace, "x")
    assert not os.path.exists(trace)


def test_a_name_that_is_taken_is_counted_on(store: Store) -> None:
    world = store.world
    path = store.save("$0")
    assert [brought_back(world, path).name for _time in range(2)] == ["first-2", "first-3"]
    done = run(world, path, "-s", "a name")
    assert "Restored session a name: 1 window, 1 pane.\n" in done.stdout
    assert "attach-session -t '$" in done.stdout


def test_inside_tmux_it_is_the_server_that_one_is_in(store: Store) -> None:
    world = store.world
    path = store.save("$0")
    done = run(world, path, TMUX="%s,%d,0" % (world.path, world.pid()), TMUX_PANE="%0")
    assert done.stdout.endswith("To go on there:  tmux switch-client -t first-2\n"), done
    assert len(world.ids()) == 2


def test_a_directory_that_is_gone_is_replaced_by_home(store: Store) -> None:
    world = store.world
    place = os.path.join(world.folder, "gone")
    os.mkdir(place)
    path = store.save("$0")
    found = described(path)
    for instead in (place, os.path.join(world.folder, "never")):
        found["windows"][0]["panes"][0]["path"] = instead
        rewritten(path, windows=found["windows"])
        made = brought_back(world, path)
        assert made.panes[0].path == (instead if instead == place else world.folder)


def test_whatever_the_locale_is(store: Store) -> None:
    world = store.world
    path = store.save("$0")
    found = described(path)
    found["windows"][0]["name"] = "caf\u00e9"
    rewritten(path, windows=found["windows"], name="\u4e2d\U0001f642")
    made = brought_back(world, path, LANG="C", LC_ALL="C")
    assert (made.name, made.windows[0].name) == ("\u4e2d\U0001f642", "caf\u00e9")


def test_it_is_whole_or_nothing_is_left(store: Store) -> None:
    """The third window cannot be made."""
    world = store.world
    path = store.save("$0")
    window = described(path)["windows"][0]
    rewritten(path, windows=[dict(window, index=number) for number in (0, 1, 2)])
    folder = programs(world)
    os.unlink(os.path.join(folder, "tmux"))
    Path(folder, "tmux").write_text(
        '#!/bin/sh\ncase "$*" in *:2\\ *) echo no room >&2; exit 1;; esac\nexec %s "$@"\n' % world.binary
    )
    os.chmod(os.path.join(folder, "tmux"), 0o755)
    done = run(world, path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "restore: tmux new-window: no room\nNothing was restored.\n"
    assert world.ids() == ["$0"]


def test_what_is_missing_is_said(store: Store) -> None:
    world = store.world
    path = store.save("$0")
    folder = programs(world)
    os.unlink(os.path.join(folder, "tmux"))
    done = subprocess.run(
        ["/bin/sh", os.path.join(path, "restore")],
        env={"PATH": folder},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        1,
        b"restore: tmux cannot be run: No such file or directory\nNothing was restored.\n",
    )


def test_a_setting_with_which_a_server_would_end_is_named(store: Store) -> None:
    """With it, a tmux 3.4 that has sessions ended at `new-session -d`, and they with it."""
    world = store.world
    path = store.save("$0")
    if world.run("set-option", "-g", "window-size", "manual").returncode:
        brought_back(world, path)  # It does not know the option.
        return
    done = run(world, path)
    assert done.returncode == 1 and "tmux set -gw window-size latest" in done.stderr
    assert world.ids() == ["$0"]
    world.tmux("set-option", "-g", "window-size", "latest" if world.version.at_least(3, 1) else "smallest")
    brought_back(world, path)


def test_what_one_types_to_get_it_back(store: Store) -> None:
    path = store.save("$0")
    assert script.way_back(path) == "sh %s/restore" % path
    strange = os.path.join(store.world.folder, "a 'b' $c")
    os.rename(path, strange)
    env = dict(store.world.environment(), PATH=programs(store.world) + ":/usr/bin:/bin")
    words = "%s -S %s" % (script.way_back(strange), store.world.path)
    subprocess.run(["/bin/sh", "-c", words], env=env, stdout=subprocess.DEVNULL, timeout=PATIENCE, check=True)
    assert len(store.world.ids()) == 2


HOSTILE: List[Dict[str, Any]] = [
    {"format": 2},
    {"windows": []},
    {"windows": [{}]},
    {"name": "\x1b]2;pwned\x07"},
    {"name": None},
    {"windows": "x" * 100},
]


@pytest.mark.parametrize("more", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_snapshot_touches_no_server(store: Store, more: Dict[str, Any]) -> None:
    path = store.save("$0")
    rewritten(path, **more)
    done = run(store.world, path)
    assert (done.returncode, done.stdout) == (1, ""), done
    assert "Nothing was restored." in done.stderr and "\x1b" not in done.stderr and "Traceback" not in done.stderr
    assert store.world.ids() == ["$0"]


@pytest.mark.parametrize("layout", ["x", "tiled", "b25d,80x24,0,0,0,0", "ffff,65535x65535,0,0,0"])
def test_a_layout_that_would_end_the_server_is_refused(store: Store, layout: str) -> None:
    path = store.save("$0")
    window = dict(described(path)["windows"][0], layout=layout)
    rewritten(path, windows=[window])
    done = run(store.world, path)
    assert done.returncode == 1 and "a layout that is none" in done.stderr
    assert store.world.ids() == ["$0"]


def test_modules_that_lie_in_the_folder_are_not_its(store: Store) -> None:
    """Nor what is in the environment for Python."""
    world = store.world
    path = store.save("$0")
    trace = os.path.join(world.folder, "trace")
    for name in ("json.py", "argparse.py", "sitecustomize.py"):
        Path(path, name).write_text("open(%r, 'w')" % trace)
    brought_back(world, path, PYTHONPATH=path)
    assert not os.path.exists(trace)
