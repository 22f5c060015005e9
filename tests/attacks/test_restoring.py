# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots that a user has written himself, and that root is asked to restore.

Seen to succeed against the code before: commands ran as root on root's own server, layouts ended servers with all their
sessions, and the text of a pane could be a pipe or a link. A crowd of windows was accepted. What is no description was
refused before too, but a pipe cost the time limit, and the digits minutes where Python has no limit for them (3.6).
"""

import json
import os
import shutil
import time
from typing import Any, Callable, Dict

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions.restore import checksum
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    EVIDENCE,
    SECRET,
    VAULT,
    Result,
    Tmux,
    directory,
    module,
    spawn,
    write,
)
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

Json = Dict[str, Any]
ONE = "b25d,80x24,0,0,0"
"""The layout of a window with one pane."""


def pane(**more: Any) -> Json:
    return dict({"active": True, "path": "/", "start_command": "", "text": "pane-0.txt"}, **more)


def window(**more: Any) -> Json:
    own = {"index": 0, "name": "w", "active": True, "layout": ONE, "width": 80, "height": 24, "panes": [pane()]}
    return dict(own, **more)


def forged(account: Account, *windows: Json, text: str = "what it showed\n", **more: Any) -> str:
    """A snapshot that this user has written; its path."""
    path = directory(os.path.join(account.home, "snapshot"), account)
    described = dict({"format": 1, "windows": list(windows) or [window()]}, **more)
    write(os.path.join(path, "session.json"), json.dumps(described), account)
    write(os.path.join(path, "pane-0.txt"), text, account)
    return path


def restore(server: Tmux, path: str, check: bool = False, **more: Any) -> Result:
    more.setdefault("timeout", "20s")
    more.setdefault("evidence_detail", "full")  # What is wrong with it is else told without its words.
    return module("tmux_session", check=check, socket_path=server.path, name=["back"], snapshot=path, **more)


def refused(server: Tmux, path: str, why: str, **more: Any) -> None:
    """In check mode as well; nothing has happened to the server."""
    pid, names = server.pid(), server.names()
    for check in (True, False):
        result = restore(server, path, check, **more)
        assert result.get("failed") and why in result["msg"], result
        assert (result["changed"], result["created"]) == (False, [])
        assert SECRET not in str(result)
    assert (server.pid(), server.names()) == (pid, names)


def own_server(account: Account) -> Tmux:
    if account is ROOT:
        return Tmux(ROOT, directory("/tmp/own", ROOT) + "/s").start("precious")
    return Tmux(account).start("precious")


# --- whose it is ------------------------------------------------------------------------------------------------------

RUNS = "id -u >%s/ran; exec cat" % EVIDENCE


@pytest.mark.parametrize("victim", [ROOT, BOB], ids=["root", "bob"])
def test_commands_of_another_user(victim: Account) -> None:
    """Before, `restore_commands` on root's own server ran what alice had written, as root."""
    server = own_server(victim)
    path = forged(ALICE, window(panes=[pane(start_command=RUNS)]))
    for folder in (ALICE.home, path):
        os.chmod(folder, 0o755)
    for name in os.listdir(path):
        os.chmod(os.path.join(path, name), 0o644)
    refused(server, path, "belongs to uid 41001", restore_commands=True)
    refused(server, path, "belongs to uid 41001")
    refused(server, path, "never with snapshot_owner", restore_commands=True, snapshot_owner="alice")
    refused(server, path, "belongs to uid 41001", snapshot_owner="dave")
    refused(server, path, "there is no user nobody-here", snapshot_owner="nobody-here")
    assert os.listdir(EVIDENCE) == []
    made = restore(server, path, snapshot_owner="41001")
    assert [item["commands"] for item in made["created"]] == [[]], made
    assert sorted(server.names()) == ["back", "precious"] and os.listdir(EVIDENCE) == []


def test_what_another_user_has_written_moves_no_cursor() -> None:
    server = own_server(ROOT)
    path = forged(ALICE, text="\x1b]2;pwned\x07\x1b[2Jseen\n")
    assert restore(server, path, snapshot_owner="alice")["changed"]
    eventually(lambda: "seen" in server("capture-pane", "-p", "-t", "=back:"), "it is shown")
    shown = server("capture-pane", "-p", "-t", "=back:")
    assert "^[]2;pwned^G^[[2Jseen" in shown
    assert server("display-message", "-p", "-t", "=back:", "#{pane_title}") != "pwned"


def test_files_and_directories_of_others_within_ones_own() -> None:
    """She puts what is root's, or bob's, where her own snapshot has something."""
    server = own_server(ALICE)
    path = forged(ALICE)
    os.chown(os.path.join(path, "pane-0.txt"), BOB.uid, BOB.gid)
    refused(server, path, "belongs to uid 41002")
    os.chown(os.path.join(path, "pane-0.txt"), ALICE.uid, ALICE.gid)
    os.chown(os.path.join(path, "session.json"), 0, 0)
    os.chmod(os.path.join(path, "session.json"), 0o644)
    refused(server, path, "belongs to uid 0")
    os.chown(os.path.join(path, "session.json"), ALICE.uid, ALICE.gid)
    os.chmod(path, 0o777)
    refused(server, path, "may be written by others")
    os.chmod(path, 0o700)
    os.chmod(os.path.join(path, "session.json"), 0o666)
    refused(server, path, "may be written by others")
    os.chmod(os.path.join(path, "session.json"), 0o600)
    assert restore(server, path)["changed"]


def test_a_directory_on_the_way_that_somebody_else_could_exchange() -> None:
    server = own_server(ALICE)
    folder = directory("/tmp/bobs", BOB, 0o755)
    path = forged(ALICE)
    os.symlink(path, os.path.join(folder, "link"))
    refused(server, os.path.join(folder, "link"), "belongs to uid 41002")
    os.symlink(path, "/tmp/link")
    os.lchown("/tmp/link", ALICE.uid, ALICE.gid)
    refused(server, "/tmp/link", "symbolic link that is not followed")
    os.rename(path, os.path.join(folder, "moved"))
    refused(server, os.path.join(folder, "moved"), "belongs to uid 41002")


# --- what it is -------------------------------------------------------------------------------------------------------


def fifo(place: str) -> None:
    os.mkfifo(place)
    os.chown(place, ALICE.uid, ALICE.gid)


def link_to(aim: str) -> Callable[[str], None]:
    return lambda place: os.symlink(aim, place)


def sparse(place: str) -> None:
    write(place, "{", ALICE)
    os.truncate(place, 2**40)


def text(said: str) -> Callable[[str], None]:
    return lambda place: (write(place, said, ALICE), None)[1]


@pytest.mark.parametrize(
    "instead",
    [
        fifo,
        link_to(VAULT + "/secret"),
        link_to("/dev/zero"),
        link_to("session.json"),
        os.mkdir,
        sparse,
        text('{"format": %s}' % ("9" * 3000000)),
        text('{"format": 1, "windows": [1e%s]}' % ("9" * 3000000)),
        text('{"format": 1, "windows": %s' % ("[" * 3000000)),
        text('{"format": 1, "windows": [%s{}]}' % ("{}," * 1000000)),
        text('{"format": 1, "windows": NaN}'),
    ],
    ids=["fifo", "secret", "zero", "loop", "folder", "sparse", "digits", "exponent", "deep", "many", "nan"],
)
def test_what_is_no_description(instead: Callable[[str], None]) -> None:
    server = own_server(ALICE)
    path = forged(ALICE)
    place = os.path.join(path, "session.json")
    os.unlink(place)
    instead(place)
    start = time.monotonic()
    refused(server, path, "snapshot: ")
    assert time.monotonic() - start < 60


def test_a_text_that_is_none() -> None:
    server = own_server(ALICE)
    path = forged(ALICE)
    place = os.path.join(path, "pane-0.txt")
    for instead in (fifo, link_to(VAULT + "/secret"), sparse):
        os.unlink(place)
        instead(place)
        refused(server, path, "pane-0.txt")


SIZES = ["65535x65535,0,0,0", "4294967295x5,0,0,0", "99999999999x24,0,0,0", "0x0,0,0,0", "80x24,0,0,0,0,0"]
LAYOUTS = ["x", "-x", "tiled", "bad5,80x24,0,0,0", *("%s,%s" % (checksum(cells), cells) for cells in SIZES)]
LAYOUTS += ["%s,%s" % (checksum(cells), cells) for cells in ("80x24,0,0{" * 5000, "1x1,0,0[" * 200 + "1x1,0,0,0")]


@pytest.mark.parametrize("layout", LAYOUTS, ids=range(len(LAYOUTS)))
def test_a_layout_that_ends_the_server(layout: str) -> None:
    """Before, `x` ended a 3.3a, and one of huge sizes every tmux, with all sessions of that server."""
    server = own_server(ALICE)
    refused(server, forged(ALICE, window(layout=layout)), "a layout that is none")
    assert server.names() == ["precious"]


def test_more_than_there_can_be() -> None:
    """Nobody works in so many, and a server is busy for long with making them."""
    server = own_server(ALICE)
    for windows in ([window(index=number) for number in range(2000)], [window(panes=[pane()] * 501)]):
        shutil.rmtree(os.path.join(ALICE.home, "snapshot"), ignore_errors=True)
        refused(server, forged(ALICE, *windows), "more than 500 panes")


def test_as_much_as_there_can_be() -> None:
    """What is not refused is restored whole, or not at all."""
    server = own_server(ALICE)
    panes = [pane(active=number == 0) for number in range(4)]
    path = forged(
        ALICE, *[window(index=number, panes=panes, layout="") for number in range(20)], surplus={"of": "somebody"}
    )
    made = restore(server, path, timeout="50s")
    assert made["changed"], made
    assert len(server("list-panes", "-s", "-t", "=back").splitlines()) == 80
    path = forged_again(path, *[window(index=number) for number in range(500)])
    result = restore(server, path, timeout="1s", recreate="always")
    left = [] if result.get("failed") else ["back"]
    assert sorted(server.names()) == sorted(["precious", *left]), result


def forged_again(path: str, *windows: Json) -> str:
    write(os.path.join(path, "session.json"), json.dumps({"format": 1, "windows": list(windows)}), ALICE)
    return path


def test_a_path_that_is_exchanged_all_the_time() -> None:
    """Between the look and the use, her directory becomes bob's, a link to root's, and back."""
    server = own_server(ROOT)
    theirs = [directory("/tmp/roots", ROOT), forged(ALICE, window(panes=[pane(start_command=RUNS)]))]
    for name in ("session.json", "pane-0.txt"):
        write(os.path.join(theirs[0], name), "{}" if name == "session.json" else SECRET)
    exchange = """
import os, sys
path, mine, other = sys.argv[1:]
os.symlink(other, path + ".link")
while True:
    for real in (mine, path + ".link"):
        os.rename(real, path)
        os.rename(path, real)
"""
    place = os.path.join(ALICE.home, "exchanged")
    spawn(ALICE, "python3", "-c", exchange, place, theirs[1], theirs[0])
    eventually(lambda: os.path.lexists(place + ".link"), "the exchange begins")
    for _time in range(6):
        result = restore(server, place, restore_commands=True)
        assert result.get("failed") and not result["changed"] and SECRET not in str(result), result
    assert server.names() == ["precious"] and os.listdir(EVIDENCE) == []
