# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names, titles, options and text that are made to be taken for something else: by terminals, logs, and by us.

That no result holds a control character is judged by ``module`` in every test of this directory.
"""

import contextlib
import os

from ansible_collections.fleet.tmux.tests.attacks.realm import (
    Tmux,
    default_directory,
    directory,
    fake,
    info,
    module,
    prune,
    removed,
    run_as,
)
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT
from ansible_collections.fleet.tmux.tests.support.programs import binaries

HOSTILE = [
    "\x1b]0;title\x07\x1b[2J\x1b[31m",
    "\x9b31m\x85\x90",
    "\u202egnp.exe\u2066\u200f\u061c",
    "a\r\nb\n$0 forged: 1 windows\u2028\u2029",
    "\udcff\udc9b\udcc3",
    "\ud7ff\ue000\U0010ffff\ufffe",
    "#(touch /tmp/vault/format)#{session_name}#[fg=red]",
    '"; kill-server ; "',
    "$(touch /tmp/vault/shell)`id`${HOME}",
    "{{ lookup('pipe', 'id') }}{% raw %}",
    "%s%n%(name)s{0}",
    "x" * 5000,
]


def hostile_session(server: Tmux, text: str) -> None:
    """Make a session in which everything that its user can choose is that text, as far as this tmux stores it."""
    identity = server("new-session", "-d", "-P", "-F", "#{session_id}", "cat")
    window = "%s:" % identity
    for words in (
        ["rename-session", "-t", identity, text.replace("#(", "(")],
        ["rename-window", "-t", window, text.replace("#(", "(")],
        ["select-pane", "-t", window, "-T", text.replace("#(", "(")],
        ["set-option", "-t", identity, "@note", text],
        ["set-option", "-t", identity, "@keep", text],
        ["set-option", "-t", identity, "@lines", "a\n@forged b\n" + text],
    ):
        server.run(*words)
    folder = directory(os.path.join(ALICE.home, os.fsdecode(os.fsencode(text)).replace("/", "_")[:100]), ALICE)
    more = ["new-window", "-d", "-t", window, "-c", folder.replace("#", "##"), "--"]
    server(*more, "sh", "-c", 'printf "%s\\n" "$0"; exec cat', text)


def test_hostile_texts_of_a_real_server() -> None:
    Tmux(BOB).start("idle")
    server = Tmux(ALICE).start("work")
    for text in HOSTILE:
        hostile_session(server, text)
    # Who prints what the server says, has it all on the terminal.
    naive_sight = run_as(ROOT, binaries()[0], "-u", "-S", server.path, "list-sessions", "-F", "#{@note}").stdout
    assert b"\x1b]0;title" in naive_sight
    seen = info(include=["windows", "panes", "processes", "content"])
    hers = [item for item in seen["sessions"] if item["owner"] == "alice" and item["name"] != "work"]
    assert len(hers) == len(HOSTILE)
    assert all(len(item["windows"]) == 2 and item["options"]["@note"] for item in hers)
    assert all("@forged" not in item["options"] for item in hers)
    pruned = prune(protect=["keep"])
    assert removed(pruned) == [("alice", "work"), ("bob", "idle")]
    assert [item["reason"] for item in pruned["kept"]] == ["keep"] * len(HOSTILE)
    again = prune()
    assert again["not_done"] == [] and not [item for item in again["kept"] if item["owner"] == "alice"]
    assert sorted(removed(again)) == sorted(("alice", item["name"]) for item in hers)
    assert os.listdir("/tmp/vault") == ["secret"]


FIELDS = (
    "session_name session_group @keep version window_name window_layout pane_current_command pane_current_path "
    "pane_title pane_start_command pane_dead_signal"
)
NUMBERS = "session_created session_activity window_activity pane_pid session_windows window_panes"


def test_hostile_texts_of_servers_that_are_none() -> None:
    """There, every field may hold anything at all, and so may what the client says when it ends."""
    Tmux(BOB).start("idle")
    default_directory(ALICE)
    lists = ["list-sessions", "list-windows", "list-panes"]
    with contextlib.ExitStack() as stack:
        liars = []
        for number, text in enumerate(HOSTILE):
            values = dict.fromkeys(FIELDS.split(), text)
            values.update(dict.fromkeys(NUMBERS.split(), "1"), session_id="$1", window_id="@1", pane_id="%1")
            path = "/tmp/tmux-41001/%d-" % number
            liars.append(stack.enter_context(fake(ALICE, "lie", path=path + "lie", values=values, answers=lists)))
            stack.enter_context(fake(ALICE, "exit", path=path + "exit", code=1, message=text))
        seen = info(include=["windows", "panes", "content"])
        assert [item["owner"] for item in seen["sessions"]].count("alice") == len(HOSTILE)
        assert ("bob", "idle") in removed(prune())
        for path in liars[:4]:
            assert module("tmux_session", socket_path=path, name=["x"], state="only")["failed"]
            assert info(socket_path=path.replace("lie", "exit"))["failed"]


def test_names_that_are_asked_for() -> None:
    """What the playbook names may come from somewhere else too."""
    server = Tmux(ALICE).start("work")
    names = [text.encode("utf-8", "replace").decode() for text in HOSTILE]
    assert not module("tmux_session", socket_path=server.path, name=names, state="absent")["changed"]
    assert module("tmux_session", socket_path=server.path, name=names, state="only")["failed"]
    assert info(socket_path=server.path, name=names)["exists"] is False
    made = [module("tmux_session", socket_path=server.path, name=[name], command="cat") for name in names[5:8]]
    assert [result.get("failed", False) for result in made] == [True, False, False]
    assert sorted(server.names()) == sorted(["work", names[6], names[7]])
    assert os.listdir("/tmp/vault") == ["secret"]
