# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of one user in a pane of another, as by su: each owner's run sees his own, and yet both are judged."""

import os
import tempfile
import time
from typing import Dict

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import Result, Tmux, prune
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, Account
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

PROTECT = ["attached", "keep"]


def becoming(account: Account) -> str:
    """A command with which any user becomes this one, as su does."""
    copy = tempfile.mkdtemp(dir="/tmp") + "/su"
    os.chmod(os.path.dirname(copy), 0o755)
    with open(os.path.realpath("/usr/bin/setpriv"), "rb") as stream, open(copy, "wb") as into:
        into.write(stream.read())
    os.chmod(copy, 0o4755)
    return "%s --reuid %d --regid %d --clear-groups" % (copy, account.uid, account.gid)


def nested(inner: Tmux, outer: Tmux) -> None:
    """A session of one user is seen from a pane of a session of the other, and nothing has happened for a while."""
    words = "%s env -u TMUX TERM=screen %s -u -S %s attach-session -t inner"
    command = words % (becoming(inner.account), inner.binary, inner.path)
    # No time in its status line, nor a name that changes: what it draws later is output of the outer session.
    for option, value in (("status-left", "drawn"), ("status-right", "")):
        inner("set-option", "-g", option, value)
    for option in ("window-status-format", "window-status-current-format"):
        inner("set-option", "-g", "-w", option, "")
    outer("-f", "/dev/null", "new-session", "-d", "-s", "outer", "--", "sh", "-c", command)
    eventually(lambda: inner("list-clients", "-F", "#{client_session}") == "inner", "the client attaches")
    eventually(lambda: "drawn" in outer("capture-pane", "-p", "-t", "=outer:"), "it has drawn")
    attached = time.time()
    eventually(lambda: time.time() - attached > 3, "nothing has happened for longer than is asked for")


def told(result: Result) -> Dict[str, str]:
    return {
        "%s: %s" % (item["owner"], item["name"]): "%s: %s" % (where, item["reason"])
        for where in ("removed", "kept", "not_done")
        for item in result[where]
    }


@pytest.mark.parametrize("limits", [{}, {"max_removals": 3}])
def test_a_client_in_a_pane_of_another_user_goes_with_that(limits: Dict[str, int]) -> None:
    inner, outer = Tmux(BOB).start("inner"), Tmux(ALICE).start("first")
    nested(inner, outer)
    gone = dict.fromkeys(("alice: first", "alice: outer", "bob: inner"), "removed: idle")
    for check in (True, False):
        result = prune(protect=PROTECT, check=check, **limits)
        assert told(result) == gone, [item["detail"] for item in result["kept"]]
    assert inner.names() == outer.names() == []


@pytest.mark.parametrize("check", [True, False])
def test_a_client_in_a_pane_of_another_user_that_stays_protects(check: bool) -> None:
    inner, outer = Tmux(BOB).start("inner"), Tmux(ALICE).start("first")
    nested(inner, outer)
    outer("set-option", "-t", "=outer:", "@keep", "on")
    result = prune(protect=PROTECT, check=check)
    expected = {"alice: first": "removed: idle", "alice: outer": "kept: keep", "bob: inner": "kept: attached"}
    assert told(result) == expected
    (kept,) = [item for item in result["kept"] if item["name"] == "inner"]
    assert kept["detail"].startswith("a client in a pane of another user's session since ")


def test_guards_of_all_owners_count_inner_and_outer_sessions() -> None:
    """The inner one is judged when the outer one has gone; a limit that it would break keeps it."""
    inner, outer = Tmux(BOB).start("inner"), Tmux(ALICE).start("first")
    nested(inner, outer)
    before = told(prune(protect=PROTECT, check=True, max_removals=2))
    assert before["bob: inner"] == "kept: guard"
    assert told(prune(protect=PROTECT, max_removals=2)) == before
    assert inner.names() == ["inner"]
