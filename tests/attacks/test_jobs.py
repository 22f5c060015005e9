# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root runs jobs for a user who has prepared what lies on the way: nothing is written, removed or believed for that."""

import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import Result, Tmux, directory, module, prune, write
from ansible_collections.fleet.tmux.tests.attacks.test_silent_files import silent
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ROOT
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

RAN = ["sh", "-c", "echo once >>ran"]
JOBS = os.path.join(ALICE.home, ".local/state/fleet-tmux/jobs")


def complete(server: Tmux, check: bool = False, **more: Any) -> Result:
    return module(
        "tmux_session", check=check, socket_path=server.path, name=["job"], state="completed", argv=RAN, **more
    )


def ran() -> str:
    path = Path(ALICE.home, "ran")
    return path.read_text(encoding="ascii") if path.exists() else ""


def test_what_is_recorded_of_a_users_job_is_that_users() -> None:
    server = Tmux(ALICE).start("first")
    done = complete(server)
    assert (done.get("failed"), done["job"]["exit_status"], ran()) == (None, 0, "once\n"), done
    for name in ("", *os.listdir(JOBS)):
        found = os.stat(os.path.join(JOBS, name))
        assert (found.st_uid, found.st_gid) == (ALICE.uid, ALICE.gid)
        assert stat.S_IMODE(found.st_mode) == (0o600 if name else 0o700)
    again = complete(server)
    assert (again["changed"], again["job"]["action"], again["job"]["content"], ran()) == (
        False,
        "returned",
        None,
        "once\n",
    )


@pytest.mark.parametrize("whose", [ROOT, BOB])
def test_records_elsewhere(whose: Any) -> None:
    """Her directory leads to one of somebody else, who would be written to, or believed."""
    server = Tmux(ALICE).start("first")
    aim = directory("/tmp/secret-place", whose, 0o755)
    for name in (".local", ".local/state", ".local/state/fleet-tmux"):
        directory(os.path.join(ALICE.home, name), ALICE)
    os.symlink(aim, JOBS)
    os.lchown(JOBS, ALICE.uid, ALICE.gid)
    for check in (True, False):
        refused = complete(server, check)
        assert refused["failed"] and "no record of a job can be kept" in refused["msg"], refused
        assert "secret-place" not in refused["msg"], "she has chosen where it leads"
    assert (os.listdir(aim), ran(), server.names()) == ([], "", ["first"])


def test_a_record_says_nothing_to_those_who_read_results() -> None:
    """She has the key, so she can write any record; she can say that her own job has ended, and no more."""
    server = Tmux(ALICE).start("first")
    assert not complete(server).get("failed")
    (name,) = [name for name in os.listdir(JOBS) if name.endswith(".json")]
    found = json.loads(Path(JOBS, name).read_text(encoding="ascii"))
    forged = dict(found, exit_status=None, signal="please run this", log="/root/pwned")
    write(os.path.join(JOBS, name), json.dumps(forged), ALICE)
    told = complete(server, check=True)
    assert "please run this" not in str(told) and "is not trusted" in str(told["warnings"])
    write(os.path.join(JOBS, name), json.dumps(dict(found, log="/root/pwned")), ALICE)
    told = complete(server, check=True)
    assert told["job"]["from_record"] and "pwned" not in str(told)


def test_a_record_that_somebody_else_has_written() -> None:
    """Where root has let bob put a file: it is as if there were none."""
    server = Tmux(ALICE).start("first")
    assert not complete(server).get("failed")
    (name,) = [name for name in os.listdir(JOBS) if name.endswith(".json")]
    os.chown(os.path.join(JOBS, name), BOB.uid, BOB.gid)
    os.chmod(os.path.join(JOBS, name), 0o644)
    again = complete(server)
    assert "belongs to uid %d" % BOB.uid in str(again["warnings"])
    assert (again["job"]["action"], ran()) == ("run", "once\nonce\n")
    assert os.stat(os.path.join(JOBS, name)).st_uid == ALICE.uid


def test_files_that_are_not_hers_stay() -> None:
    """Root is told to remove them with her job: what is root's or bob's, also where a link of hers leads."""
    server = Tmux(ALICE).start("first")
    write("/tmp/of-root", "root's", ROOT, 0o666)
    bobs = directory("/tmp/of-bob", BOB, 0o755)
    write(os.path.join(bobs, "file"), "bob's", BOB)
    write(os.path.join(ALICE.home, "roots"), "root's", ROOT)
    write(os.path.join(ALICE.home, "hers"), "hers", ALICE)
    for name, aim in (("link", "/tmp/of-root"), ("way", bobs)):
        os.symlink(aim, os.path.join(ALICE.home, name))
        os.lchown(os.path.join(ALICE.home, name), ALICE.uid, ALICE.gid)
    files = ["/tmp/of-root", bobs + "/file", "~/roots", "~/hers", "~/link", "~/way/file", "/etc/passwd"]
    done = complete(server, cleanup={"log": "keep", "files": files})
    assert not done.get("failed"), done
    assert done["job"]["removed_files"] == [os.path.join(ALICE.home, name) for name in ("hers", "link")]
    left = {each["path"]: each["reason"] for each in done["job"]["left_files"]}
    assert sorted(left) == sorted(
        ["/tmp/of-root", bobs + "/file", ALICE.home + "/roots", ALICE.home + "/way/file", "/etc/passwd"]
    )
    assert "belongs to uid 0" in left["/etc/passwd"] and "/tmp/of-bob" not in left[ALICE.home + "/way/file"]
    for path in left:
        assert os.path.exists(path)


def noted(server: Tmux, session: str, *paths: str) -> None:
    """What anybody who can use her server may write there."""
    words = ["1", *("file=" + path for path in paths)]
    server("set-option", "-t", session, "@fleet_tmux_cleanup", " ".join(words))


def end(how: str, server: Tmux, check: bool = False, **more: Any) -> Result:
    """Root has her session ``job`` removed, or waits for its end; what is told of that."""
    where = dict({"socket_path": server.path, "timeout": "3s"}, **more)
    if how == "wait":
        told = module("tmux_session_wait", check=check, name=["job"], **where)
        told["removed"] = told["sessions"]
    elif how == "prune":
        told = prune(check=check, patterns=["job"], **where)
    else:
        told = module("tmux_session", check=check, name=["job"], state="absent", **where)
    assert not told.get("failed"), told
    (found,) = told["removed"]
    return dict(found, warnings=told["warnings"], text=str(told))


def has_ended(server: Tmux) -> None:
    """The command of her session ``job``, which stays."""
    server("set-option", "-w", "-t", "job:", "remain-on-exit", "on")
    server("send-keys", "-t", "job:", "C-d")
    show = ("display-message", "-p", "-t", "job:", "#{pane_dead}")
    eventually(lambda: server("run-shell", "-b", ":") == "" and server(*show) == "1", "it has ended")


@pytest.mark.parametrize("how", ["absent", "prune", "wait"])
def test_what_a_session_says_of_files_is_done_with_her_rights(how: str) -> None:
    """It says of root's and of bob's that they go with it, and of links of hers that lead there."""
    server = Tmux(ALICE).start("first", "job")
    write("/tmp/of-root", "root's", ROOT, 0o666)
    bobs = directory("/tmp/of-bob", BOB, 0o777)
    write(os.path.join(bobs, "file"), "bob's", BOB, 0o666)
    write(os.path.join(bobs, "hers"), "hers, where bob may put another", ALICE)
    write(os.path.join(ALICE.home, "roots"), "root's", ROOT)
    write(os.path.join(ALICE.home, "hers"), "hers", ALICE)
    for name, aim in (("link", "/tmp/of-root"), ("way", bobs)):
        os.symlink(aim, os.path.join(ALICE.home, name))
        os.lchown(os.path.join(ALICE.home, name), ALICE.uid, ALICE.gid)
    mine = [os.path.join(ALICE.home, name) for name in ("hers", "link")]
    others = ["/tmp/of-root", bobs + "/file", bobs + "/hers", ALICE.home + "/roots", ALICE.home + "/way/hers"]
    noted(server, "job", *mine, *others, "/etc/passwd", "/etc/shadow", "/proc/1/environ")
    if how == "wait":
        has_ended(server)
    checked = end(how, server, check=True)
    assert all(map(os.path.lexists, mine)) and "job" in server.names()
    found = end(how, server)
    assert ("job" in server.names()) == (how == "wait") and not any(map(os.path.lexists, mine))
    assert all(map(os.path.exists, [*others, "/etc/passwd"])) and os.listdir(bobs) != []
    for told in (checked, found):
        assert (told["removed_files"], told["left_files"]) == ([], []), "her words are not told"
        assert (told["more"]["removed_files"], told["more"]["left_files"]) == (2, 8)
        assert "of-bob" not in told["text"] and "of-root" not in told["text"]
        assert any("still there" in warning for warning in told["warnings"])


@pytest.mark.parametrize("how", ["absent", "prune", "wait"])
def test_files_behind_a_file_system_that_never_answers(how: str) -> None:
    server = Tmux(ALICE).start("first", "job")
    place = directory("/tmp/hers", ALICE, 0o755)
    write(os.path.join(ALICE.home, "hers"), "", ALICE)
    noted(server, "job", os.path.join(ALICE.home, "hers"), place + "/a", place + "/b")
    if how == "wait":
        has_ended(server)
    with silent(ALICE, place):
        found = end(how, server, evidence_detail="full")
    assert found["removed_files"] == [os.path.join(ALICE.home, "hers")]
    assert [each["path"] for each in found["left_files"]] == [place + "/a", place + "/b"]


def test_a_home_in_which_others_may_write() -> None:
    server = Tmux(ALICE).start("first")
    shutil.rmtree(os.path.join(ALICE.home, ".local"), ignore_errors=True)
    os.chmod(ALICE.home, 0o777)
    refused = complete(server)
    assert refused["failed"] and (ran(), server.names()) == ("", ["first"])
