# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""However much a user makes, results and the memory for them have an end, and the others are told of in full.

Against the code before, 2,000 sessions of one window made a result of 511 MB and 1 GB of memory (the review), and half
of them, with names of 100 characters, one of 111 MB (measured with the function that makes it).
"""

from typing import Any, Dict, List, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._modules.bounds import DESCRIBED, LISTED, Bounds
from ansible_collections.fleet.tmux.tests.attacks.figures import listing
from ansible_collections.fleet.tmux.tests.attacks.honest import measured
from ansible_collections.fleet.tmux.tests.attacks.realm import Tmux, prune, removed
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB

MEMORY = 400 * 1024 * 1024
"""Bytes that a run may use at most, with all of its children."""
OVERHEAD = 300 * 1024
"""Bytes of a result beside its items: the diff, the servers, the invocation."""


def started(**values: str) -> None:
    """2,000 sessions of alice's, with these values."""
    Tmux(ALICE).start("real")("kill-server")
    process = listing(ALICE, 2000, values)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"


def of(result: Dict[str, Any], owner: str, *lists: str) -> List[Dict[str, Any]]:
    return [item for key in lists for item in result[key] if item["owner"] == owner]


def test_sessions_that_share_a_window_are_a_small_result() -> None:
    Tmux(BOB).start("idle-1", "idle-2")
    started(session_name="x" * 100 + "NUMBER", window_id="@1", pane_id="%1", session_group="one")
    params: Dict[str, Any] = {"idle": "1s", "protect": [], "all_users": True, "patterns": ["x*[0-4]", "idle-1"]}
    result, cost = measured("tmux_session_prune", True, **params)
    assert removed(result)[-1] == ("bob", "idle-1") and len(of(result, "alice", "removed")) == 1000
    assert (result["counts"]["removed"], result["counts"]["not_matched"]) == (1001, 1001)
    in_full = [item for item in of(result, "alice", "removed") if item["lives_on"]]
    assert in_full[0]["lives_on"][0]["more"]["sessions"] == 995
    assert cost.size < LISTED.owner + OVERHEAD and cost.memory < MEMORY


def test_texts_without_end_are_a_small_result() -> None:
    """Everything that a server lists is as long as it may be: so are names, titles, and what is wrong."""
    Tmux(BOB).start("idle")
    long = "\x1b" * 400
    names = "session_name session_group window_name window_layout pane_title pane_current_command pane_current_path"
    started(**dict.fromkeys(names.split(), long + "NUMBER"), **{"@keep": long, "version": long})
    calls: List[Tuple[str, Dict[str, Any], Bounds]] = [
        ("tmux_session_prune", {"idle": "1s", "protect": ["keep"]}, LISTED),
        ("tmux_session_info", {"include": ["panes"], "evidence_detail": "full"}, DESCRIBED),
    ]
    for plugin, params, bound in calls:
        result, cost = measured(plugin, True, all_users=True, **params)
        lists = ("removed", "kept") if plugin == "tmux_session_prune" else ("sessions",)
        (honest,) = of(result, "bob", *lists)
        assert honest["name"] == "idle" and (plugin == "tmux_session_info" or honest["evidence"])
        unlisted = sum(one[key] for one in result["unlisted"] for key in lists if one["owner"] == "alice")
        assert len(of(result, "alice", *lists)) + unlisted == 2000
        assert {one["owner"] for one in result["unlisted"]} <= {"alice"}
        assert cost.size < bound.owner + 2 * OVERHEAD and cost.memory < MEMORY


def test_a_large_group_of_a_real_server() -> None:
    """Four steps, with an independent look in between."""
    server = Tmux(ALICE).start("s000")
    for start in range(1, 300, 50):
        words: List[str] = []
        for number in range(start, min(300, start + 50)):
            words += ["new-session", "-d", "-t", "s000", "-s", "s%03d" % number, ";"]
        server(*words[:-1])
    policy: Dict[str, Any] = {"patterns": ["s0*"], "evidence_detail": "full"}
    planned = prune(check=True, **policy)
    assert len(server.names()) == 300
    done = prune(**policy)
    assert sorted(server.names()) == ["s%03d" % number for number in range(100, 300)]
    assert removed(planned) == removed(done) == [("alice", "s%03d" % number) for number in range(100)]
    for item in (*planned["removed"], *done["removed"]):
        (window,) = item["lives_on"]
        assert window["sessions"] == ["s%03d" % number for number in range(100, 105)]
        assert window["more"] == {"sessions": 195}
    assert [prune(check=check, **policy)["changed"] for check in (True, False)] == [False, False]
