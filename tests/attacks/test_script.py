# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The script in a snapshot, by which its owner restores it: run by others, in their folders, and on hostile data."""

import json
import os
import time
from typing import Any, Callable, Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import restore
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    EVIDENCE,
    SECRET,
    VAULT,
    Tmux,
    directory,
    prune,
    run_as,
    write,
)
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

PLACE = "/tmp/snapshots"
PANE = {"active": True, "path": "/", "start_command": "", "text": "pane-0.txt"}
WINDOW = {"index": 0, "name": "w", "active": True, "layout": "", "width": 80, "height": 24, "panes": [PANE]}
WHOLE = {"format": 1, "name": "back", "windows": [WINDOW]}


def script() -> str:
    with open(str(restore.__file__), encoding="ascii") as stream:
        return stream.read()


def snapshot(account: Account, place: str = "") -> str:
    """A snapshot of this user, as he could have written it himself."""
    path = directory(place or os.path.join(account.home, "snapshot"), account)
    write(os.path.join(path, "restore"), script(), account, 0o700)
    write(os.path.join(path, "session.json"), json.dumps(WHOLE), account)
    write(os.path.join(path, "pane-0.txt"), "what it showed\n", account)
    return path


def run(account: Account, path: str) -> "tuple[int, str]":
    done = run_as(account, "sh", os.path.join(path, "restore"))
    said = (done.stdout + done.stderr).decode("utf-8")
    assert SECRET not in said and "Traceback" not in said and "\x1b" not in said
    return done.returncode, said


def own(account: Account) -> Tmux:
    return Tmux(account, binary="tmux")


def removal(**more: Any) -> Dict[str, Any]:
    """Root removes the one session of alice that is meant; its item."""
    result = prune(users=["alice"], snapshot_dir=PLACE, **more)
    assert len(result["removed"]) == 1, result
    return dict(result["removed"][0])


def refused(account: Account, path: str, why: str) -> None:
    before = own(account).names()
    status, said = run(account, path)
    assert status == 1 and why in said and said.endswith("Nothing was restored.\n"), said
    assert own(account).names() == before


def test_who_has_lost_a_session_gets_it_back_and_nobody_else_does() -> None:
    """As root it is saved and removed, and its owner brings it back without us."""
    server = own(ALICE).start("work", "stays")
    server("send-keys", "-t", "=work:", "what it showed", "Enter")
    eventually(lambda: "what it showed" in server("capture-pane", "-p", "-t", "=work:"), "it shows that")
    item = removal(patterns=["work"])
    path = item["snapshot"]
    assert server.names() == ["stays"]

    # She lets others in, which nobody should do.
    os.chmod(os.path.dirname(path), 0o755)
    os.chmod(path, 0o755)
    for name in os.listdir(path):
        os.chmod(os.path.join(path, name), 0o755)
    for other in (BOB, ROOT):
        refused(other, path, "belongs to uid 41001, who alone may restore it")
    status, said = run(ALICE, path)
    assert (status, said.splitlines()[0]) == (0, "Restored session work: 1 window, 1 pane.")
    assert sorted(server.names()) == ["stays", "work"]
    eventually(lambda: "what it showed" in server("capture-pane", "-p", "-t", "=work:"), "it shows that again")


def test_what_a_session_was_called_and_where_it_was_runs_nothing() -> None:
    """Whoever unpacks an archive works in directories of somebody else's choice, and a program may set any title."""
    hers = "x #(id -u>%s/ran) $(id -u>%s/ran) `id` ';' \"; #{pid};" % (EVIDENCE, EVIDENCE)
    folder = directory("/tmp/" + hers.replace("/", "_"), ALICE)
    server = own(ALICE).start("stays")
    server(
        *("new-session", "-d", "-s", "work", "-c", "/", "--", "python3", "-c"),
        "import os, sys; os.chdir(sys.argv[1]); print('\\33]2;%s\\33\\\\ready' % sys.argv[2], flush=True); input()",
        *(folder[:-1] + "\\;", hers[:-1] + "\\;"),
    )
    server("rename-window", "-t", "=work:", "--", hers.replace("#", "##")[:-1] + "\\;")
    eventually(lambda: "ready" in server("capture-pane", "-p", "-t", "=work:"), "it is there")
    item = removal(patterns=["work"])
    assert os.listdir(EVIDENCE) == []
    status, said = run(ALICE, item["snapshot"])
    assert status == 0, said
    asked = ("display-message", "-p", "-t", "=work:")
    assert server(*asked, "#{window_name}") == hers
    eventually(lambda: server(*asked, "#{pane_current_path}") == folder, "it is where it was")
    assert os.listdir(EVIDENCE) == []


def test_a_folder_of_another_user() -> None:
    """The folder is whose it is, not whoever has written the files."""
    path = snapshot(ALICE, "/tmp/hers")
    os.chmod(path, 0o755)
    os.chmod(os.path.join(path, "restore"), 0o755)
    for victim in (BOB, ROOT):
        refused(victim, path, "belongs to uid 41001")
    # Where she may exchange what is bob's.
    directory("/tmp/around", ALICE, 0o755)
    inner = snapshot(BOB, "/tmp/around/his")
    refused(BOB, inner, "/tmp/around belongs to uid 41001")
    os.chown("/tmp/around", 0, 0)
    os.chmod("/tmp/around", 0o777)
    refused(BOB, inner, "/tmp/around may be written by others")
    os.chmod("/tmp/around", 0o1777)
    assert run(BOB, inner)[0] == 0


def test_files_of_others_in_ones_own_folder() -> None:
    path = snapshot(BOB)
    for name in ("session.json", "pane-0.txt"):
        place = os.path.join(path, name)
        os.chown(place, ALICE.uid, ALICE.gid)
        os.chmod(place, 0o644)
        refused(BOB, path, name + " belongs to uid 41001")
        os.chown(place, BOB.uid, BOB.gid)
        os.chmod(place, 0o666)
        refused(BOB, path, name + " may be written by others")
        os.chmod(place, 0o600)
    os.chmod(path, 0o770)
    refused(BOB, path, "may be written by others")
    os.chmod(path, 0o700)
    assert run(BOB, path)[0] == 0


def fifo(place: str) -> None:
    os.mkfifo(place)
    os.chown(place, BOB.uid, BOB.gid)


def link_to(aim: str) -> Callable[[str], None]:
    def link(place: str) -> None:
        os.symlink(aim, place)
        os.lchown(place, BOB.uid, BOB.gid)

    return link


def sparse(place: str) -> None:
    write(place, "{", BOB)
    os.truncate(place, 2**40)


def text(said: str) -> Callable[[str], None]:
    return lambda place: (write(place, said, BOB), None)[1]


def saying(**more: Any) -> Callable[[str], None]:
    return text(json.dumps(dict(WHOLE, **more)))


INSTEAD: Dict[str, Callable[[str], None]] = {
    "fifo": fifo,
    "secret": link_to(VAULT + "/secret"),
    "zero": link_to("/dev/zero"),
    "folder": os.mkdir,
    "sparse": sparse,
    "digits": text('{"format": %s}' % ("9" * 3000000)),
    "deep": text('{"format": 1, "windows": %s' % ("[" * 3000000)),
    "many": text('{"format": 1, "windows": [%s{}]}' % ("{}," * 1000000)),
    "nan": text('{"format": 1, "windows": NaN}'),
    "windows": saying(windows=[dict(WINDOW, index=number) for number in range(2000)]),
    "other text": saying(windows=[dict(WINDOW, panes=[dict(PANE, text="../../../etc/passwd")])]),
    "escapes": saying(name="\x1b]2;pwned\x07"),
    "layout": saying(windows=[dict(WINDOW, layout="x")]),
}


@pytest.mark.parametrize("instead", sorted(INSTEAD))
def test_what_is_no_description(instead: str) -> None:
    path = snapshot(BOB)
    place = os.path.join(path, "session.json")
    os.unlink(place)
    INSTEAD[instead](place)
    start = time.monotonic()
    refused(BOB, path, "restore: ")
    assert time.monotonic() - start < 60


@pytest.mark.parametrize("instead", ["fifo", "secret", "sparse", "folder"])
def test_a_text_that_is_none(instead: str) -> None:
    path = snapshot(BOB)
    place = os.path.join(path, "pane-0.txt")
    os.unlink(place)
    INSTEAD[instead](place)
    refused(BOB, path, "pane-0.txt is ")


def test_a_text_that_its_owner_has_deleted() -> None:
    path = snapshot(BOB)
    os.unlink(os.path.join(path, "pane-0.txt"))
    assert run(BOB, path)[0] == 0
    assert own(BOB).names() == ["back"]


def test_what_lies_in_its_place_is_not_run() -> None:
    """Its owner may put anything in its place: neither a removal nor old ones that go, ever run or read it."""
    lines: List[str] = []
    for number in range(3):
        own(ALICE).start("work%d" % number)
        lines.append(removal(snapshot_keep={"count": 2})["snapshot"])
        if os.path.isdir(lines[0]):
            write(os.path.join(lines[0], "restore"), "#!/bin/sh\nid -u >%s/ran\n" % EVIDENCE, ALICE, 0o755)
    assert not os.path.exists(lines[0]) and os.path.isdir(lines[1]) and os.listdir(EVIDENCE) == []
