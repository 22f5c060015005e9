# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tmux does not take is found before anything is done, in check mode too, and nothing of that is left."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import servers, settings, trial
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.client import Client
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import parse_version
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.settings import Setting, SettingError
from ansible_collections.fleet.tmux.tests.support.declaring import CAT, Task
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

GOOD: Dict[str, Any] = {
    "windows": [{"name": "a", "argv": CAT, "options": {"mode-keys": "vi"}}, {"name": "b", "argv": CAT}],
    "options": {
        "@made": "by #{pid} $HOME;",
        "display-time": "0750",
        "mouse": "1",
        "prefix": "c-a",
        "status-style": "bold",
    },
}
"""tmux prints some of them otherwise."""

BAD: Dict[str, Tuple[Dict[str, Any], str]] = {
    "number": ({"options": {"display-time": "abc"}}, "display-time: tmux does not take 'abc': tmux: value is invalid"),
    "limit": ({"options": {"history-limit": "-1"}}, "history-limit: tmux does not take '-1': tmux: value is too small"),
    "choice": ({"options": {"@made": "x", "status-keys": "x"}}, "status-keys: tmux does not take 'x': tmux: "),
    "style": ({"options": {"message-style": "fg=nonsense"}}, "message-style: tmux does not take 'fg=nonsense': tmux: "),
    "of windows": ({"options": {"monitor-silence": "-2"}}, "monitor-silence: tmux does not take '-2': tmux: "),
    "window": (
        {"windows": [GOOD["windows"][0], dict(GOOD["windows"][1], options={"mode-keys": "ed"})]},
        "mode-keys: tmux does not take 'ed': tmux: ",
    ),
    "nothing": ({"options": {"update-environment": ""}}, "update-environment: tmux does not take '': tmux has not set"),
    "name": ({"options": {"nonsense": "1"}}, "nonsense: tmux .* has no option of a session or a window"),
}


@pytest.fixture(autouse=True)
def place(absent: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The directory in which options are tried. Of each try nothing is left."""
    folder = os.path.join(absent.folder, "t")
    os.mkdir(folder)
    monkeypatch.setattr(trial, "SHARED_DIRECTORY", folder)
    yield folder
    assert os.listdir(folder) == []
    eventually(lambda: not tmux_below(folder), "no server is left")


def tmux_below(folder: str) -> List[int]:
    """The processes that were given a path in a directory."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        found += [int(name)] if any(word.startswith(os.fsencode(folder) + b"/fleet") for word in words) else []
    return found


def everything(world: World) -> str:
    """What plain tmux says of a server."""
    told = [world.run("list-panes", "-a", "-F", "#{session_id} #{window_id} #{pane_id} #{pane_pid}").stdout]
    for session in world.ids():
        told += [world.run("show-options", "-t", session).stdout]
        told += [world.run("show-options", "-w", "-t", "%s:%s" % (session, place)).stdout for place in ("0", "1")]
    return repr(told)


@pytest.mark.parametrize("before", ["no server", "a server", "the session"])
@pytest.mark.parametrize("bad", BAD)
def test_what_tmux_does_not_take_is_refused_alike_in_check_mode(absent: World, before: str, bad: str) -> None:
    """Check, run; and with what it takes check, run, check, run."""
    if before != "no server":
        absent.start()
    if before == "the session":
        Task(absent, **GOOD).done()
    more, why = BAD[bad]
    values = {**GOOD, **more}
    found = everything(absent)
    refused = []
    for check in (True, False):
        told, error = Task(absent, **values).go(check)
        assert isinstance(error, SettingError) and not told["changed"]
        assert everything(absent) == found
        refused.append((str(error), dict(told, sessions=len(told["sessions"]))))  # They grow older.
    assert refused[0] == refused[1]
    assert re.search("^option %s.*; no option was set$|^option %s" % (why, BAD["name"][1]), refused[0][0]), refused[0][
        0
    ]
    if before != "the session":
        Task(absent, **GOOD).done()
    told, error = Task(absent, **GOOD).go(check=True)
    assert error is None and not told["changed"]


def test_of_many_the_first_is_named(server: World) -> None:
    wanted = [Setting("", "@option-%d" % number, "x") for number in range(6)] + [Setting("", "mouse", "on")]
    client, version = server.client(), server.listing().version
    for places in ((), (0,), (3,), (6,), (1, 6), (2, 3, 4)):
        tried = [Setting("", "display-time", str(at)) if at in places else one for at, one in enumerate(wanted)]
        tried = [one._replace(value="no %s" % one.value) if one.name == "display-time" else one for one in tried]
        if not places:
            trial.require_taken(client, version, [(one.name, one.value) for one in tried], ())
            continue
        said = "display-time: tmux does not take 'no {0}': [^;]*: no {0};".format(places[0])
        with pytest.raises(SettingError, match=said):
            trial.require_taken(client, version, [(one.name, one.value) for one in tried], ())


@pytest.mark.parametrize("value", ["no such thing", "1"])
def test_every_option_takes_there_what_it_takes_here(server: World, place: str, value: str) -> None:
    client, version = server.client(), server.listing().version
    known = settings.known(client)
    names = sorted({*known.of_sessions, *known.of_windows} - {"destroy-unattached"})  # It ends the session.
    wanted = settings.belonging("$0", "$0:0", [(name, value) for name in names], known)
    refused = [one.name for one in wanted if server.run(*one.to_set()).returncode != 0]
    assert 10 < len(refused) < len(names)
    with trial._apart(client) as apart:
        apart.share = None
        for one in wanted:
            problem = trial._refusal(apart, [one._replace(place="")], version)
            assert (problem is not None) == (one.name in refused), (one, problem)


def test_another_tmux_than_the_servers_is_not_asked(server: World) -> None:
    """It may take other values. So the run finds it, and undoes what it has done."""
    version = server.listing().version
    bad = [("display-time", "abc")]
    with pytest.raises(SettingError):
        trial.require_taken(server.client(), version, bad, ())
    trial.require_taken(server.client(), parse_version("9.9"), bad, ())


def test_the_servers_own_program_is_asked_where_ours_is_of_another_version(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours is, as if it was upgraded after the server had begun."""
    monkeypatch.setattr(servers, "client_version", lambda _binary, _timeout: parse_version("9.9"))
    monkeypatch.setattr(servers, "executes", lambda _process, _binary: False)
    for check in (True, False):
        _told, error = Task(server, argv=CAT, options={"display-time": "abc"}).go(check)
        assert isinstance(error, SettingError) and server.ids() == ["$0"]


def test_a_program_that_does_not_answer_costs_the_time_of_one_call(server: World) -> None:
    path = Path(server.folder, "tmux")
    path.write_text("#!/bin/sh\nexec sleep %d\n" % PATIENCE, encoding="ascii")
    path.chmod(0o755)
    client = Client(str(path), server.path, server.user, os.geteuid() == 0, 0.2, process=server.pid(), own=True)
    trial.require_taken(client, server.listing().version, [("display-time", "abc")], ())


KILLED = """
import sys
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import trial
from ansible_collections.fleet.tmux.tests.support.world import World
trial.SHARED_DIRECTORY = sys.argv[2]
world = World(sys.argv[1])
with trial._apart(world.client()) as client:
    client.call([["wait-for", "never"]])
"""


def test_a_server_ends_with_whoever_has_started_it(absent: World, place: str) -> None:
    running = subprocess.Popen([sys.executable, "-c", KILLED, absent.binary, place])
    try:
        eventually(lambda: len(tmux_below(place)) == 2, "client and server run")
    finally:
        running.kill()
        running.wait()
    eventually(lambda: not tmux_below(place), "both have ended")
    for folder, names, files in os.walk(place, topdown=False):
        for name in files:
            os.unlink(os.path.join(folder, name))
        for name in names:
            os.rmdir(os.path.join(folder, name))


def test_nobody_else_can_reach_it(absent: World, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []

    def look(_trial: Client, *_more: Any) -> None:
        (outer,) = Path(place).iterdir()
        modes.append([oct(path.stat().st_mode & 0o7777) for path in (outer, outer / "own")])

    monkeypatch.setattr(trial, "_problem", look)
    trial.require_taken(absent.client(), None, [("mouse", "on")], ())
    assert modes == [["0o711" if os.geteuid() == 0 else "0o700", "0o700"]]
