# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Children are bounded in time and output, get nothing of ours, and have no more rights than they should."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Dict, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import child as _child
from ansible_collections.fleet.tmux.plugins.module_utils._host import directory as _directory
from ansible_collections.fleet.tmux.plugins.module_utils._host.child import environment, run
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory, NoAnswer
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import NO_GROUP, User
from ansible_collections.fleet.tmux.tests.support.processes import started
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually

ROOT = os.geteuid() == 0
PATH = {"PATH": _child.SEARCH_PATH}
STRANGER = User("stranger", 54321, 54322, groups=(54323, 54324))


def shell(
    text: str, timeout: float = PATIENCE, limit: int = _child.OUTPUT_LIMIT, stdin: bytes = b""
) -> _child.Completed:
    return run(["sh", "-c", text], env=PATH, timeout=timeout, limit=limit, stdin=stdin)


def running(argument: str) -> List[str]:
    """Processes with this word in their arguments."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if argument.encode() in words:
                found.append(folder.name)
    return found


# --- what comes back


def test_streams_and_exit_status_come_back_apart() -> None:
    assert shell("echo out; echo err >&2; exit 3") == _child.Completed(3, b"out\n", b"err\n")


def test_a_signal_is_a_negative_status() -> None:
    assert shell("kill -TERM $$").rc == -signal.SIGTERM


def test_a_missing_program_raises() -> None:
    with pytest.raises(OSError):
        run(["no-such-program-anywhere"], env=PATH)


def test_words_are_bytes_of_any_kind() -> None:
    assert run(["printf", "%s|%s", "a b\n", "\udcff"], env=PATH).out == b"a b\n|\xff"


# --- bounds


def test_a_child_that_does_not_end_is_killed_and_gone() -> None:
    outcome = run(["sleep", "1000.00417"], env=PATH, timeout=0.1)
    assert (outcome.timed_out, outcome.truncated, outcome.rc) == (True, False, -signal.SIGKILL)
    assert running("1000.00417") == []


def test_a_child_that_is_stopped_or_ignores_signals_is_killed() -> None:
    assert shell("trap '' TERM HUP INT; kill -STOP $$", timeout=0.3).timed_out


def test_what_was_said_before_the_time_was_up_is_kept() -> None:
    for timeout in (0.5, 2.0, 8.0, PATIENCE):  # on a busy machine even `echo` may take long
        outcome = shell("echo said; exec sleep 1000", timeout=timeout)
        assert outcome.timed_out
        if outcome.out:
            break
    assert outcome.out == b"said\n"


def test_output_is_limited() -> None:
    outcome = run(["yes"], env=PATH, timeout=PATIENCE, limit=100000)
    assert (outcome.truncated, outcome.timed_out) == (True, False)
    assert 100000 < len(outcome.out) < 300000


def test_both_streams_count_for_the_limit() -> None:
    text = "head -c 6000 /dev/zero; head -c 6000 /dev/zero >&2"
    assert shell(text, limit=11999).truncated
    outcome = shell(text, limit=12000)
    assert not outcome.truncated
    assert (len(outcome.out), len(outcome.err)) == (6000, 6000)


def test_a_grandchild_that_holds_the_pipe_does_not_hang_us() -> None:
    before = time.monotonic()
    outcome = shell("sleep 1000 & echo $!")
    grandchild = int(outcome.out)
    try:
        assert (outcome.rc, outcome.timed_out) == (0, False)
        assert started(grandchild) is not None, "it should still have been there: else this shows nothing"
        assert time.monotonic() - before < PATIENCE
    finally:
        os.kill(grandchild, signal.SIGKILL)


def test_streams_that_are_closed_early_do_not_hide_the_time_limit() -> None:
    assert shell("exec >&- 2>&-; exec sleep 1000", timeout=0.3).timed_out


def test_all_of_a_large_output_is_read_after_the_end() -> None:
    assert len(shell("head -c 5000000 /dev/zero").out) == 5000000


# --- what goes in


def test_stdin_is_given_in_full() -> None:
    data = bytes(range(256)) * 4000
    assert run(["cat"], env=PATH, timeout=PATIENCE, stdin=data).out == data


def test_a_child_that_does_not_read_its_stdin_does_not_hang_us() -> None:
    outcome = shell("exec <&-; exit 4", stdin=b"x" * 1000000)
    assert (outcome.rc, outcome.timed_out) == (4, False)


def test_without_stdin_there_is_nothing_to_read() -> None:
    assert shell("cat; echo end").out == b"end\n"


def test_no_descriptor_is_inherited() -> None:
    mine = os.open("/dev/null", os.O_RDONLY)
    high = 77
    os.dup2(mine, high, inheritable=True)
    try:
        numbers = set(run(["ls", "/proc/self/fd"], env=PATH).out.split())
    finally:
        os.close(mine)
        os.close(high)
    assert numbers == {b"0", b"1", b"2", b"3"}  # the last is the directory that is listed


def test_a_child_has_its_own_session_directory_and_mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    old = os.umask(0o077)
    try:
        lines = shell("pwd; umask; cat /proc/$$/stat; echo $$").out.decode().splitlines()
    finally:
        os.umask(old)
    assert lines[0] == "/"
    assert int(lines[1], 8) == 0o022
    fields = lines[2].rpartition(")")[2].split()
    assert fields[3] == lines[3], "it should lead a session of its own"
    assert fields[4] == "0", "it should have no terminal"


def test_nothing_of_our_environment_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_SECRET", "x")
    assert run(["/usr/bin/env"]).out == b""
    user = User("anna", 1234, 5678, "/home/anna", "/bin/zsh")
    lines = run(["/usr/bin/env"], env=environment(user)).out.decode().splitlines()
    assert dict(line.split("=", 1) for line in lines) == {
        "HOME": "/home/anna",
        "USER": "anna",
        "LOGNAME": "anna",
        "SHELL": "/bin/zsh",
        "PATH": _child.SEARCH_PATH,
        "LANG": "C.UTF-8",
    }


# --- rights


def status_of_child(user: User) -> Dict[str, str]:
    lines = run(["cat", "/proc/self/status"], user=user, env=PATH).out.decode().splitlines()
    return dict(line.split(":", 1) for line in lines)


def ours() -> Dict[str, str]:
    return dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())


def test_root_becomes_the_user_and_nobody_else_does() -> None:
    status = status_of_child(STRANGER)
    if ROOT:
        assert status["Uid"].split() == ["54321"] * 4
        assert status["Gid"].split() == ["54322"] * 4
        assert status["Groups"].split() == ["54323", "54324"]
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    else:
        assert (status["Uid"], status["Gid"], status["Groups"]) == (ours()["Uid"], ours()["Gid"], ours()["Groups"])


def test_a_user_without_groups_has_none_of_ours() -> None:
    status = status_of_child(STRANGER._replace(groups=()))
    assert status["Groups"].split() == (["54322"] if ROOT else ours()["Groups"].split())


def test_a_file_that_only_root_may_read_stays_unread(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    outcome = run(["cat", str(secret)], user=STRANGER, env=PATH)
    assert outcome.out == (b"" if ROOT else b"secret")
    assert outcome.rc == (1 if ROOT else 0)


def test_without_a_user_the_child_is_as_we_are() -> None:
    lines = run(["cat", "/proc/self/status"], env=PATH).out.decode().splitlines()
    assert dict(line.split(":", 1) for line in lines)["Uid"] == ours()["Uid"]


def test_a_child_of_root_is_as_nice_as_any_other() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    if ROOT:
        os.setpriority(os.PRIO_PROCESS, 0, 7)
    try:
        fields = run(["cat", "/proc/self/stat"], user=STRANGER, env=PATH).out.rpartition(b")")[2].split()
    finally:
        if ROOT:
            os.setpriority(os.PRIO_PROCESS, 0, before)
    assert int(fields[16]) == (0 if ROOT else before)


# --- the user database


class Getent:
    """A getent of our own: a file of entries, and a note of every call."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self.database = folder / "database"
        self.program = folder / "getent"
        self.database.write_text("")
        self.log.write_text("")
        self.write(
            "#!%s -ES\nimport sys\n"
            "open(%r, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
            "if sys.argv[1] == 'initgroups':\n    print(sys.argv[2] + '  20 10 20')\n    sys.exit()\n"
            "for line in open(%r):\n"
            "    fields = line.split(':')\n"
            "    if set(sys.argv[2:]) & {fields[0], fields[2] if len(fields) > 2 else ''}:\n"
            "        sys.stdout.write(line)\n" % (sys.executable, str(self.log), str(self.database))
        )

    def write(self, text: str) -> None:
        self.program.write_text(text)
        self.program.chmod(0o755)

    def calls(self) -> List[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def getent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Getent:
    monkeypatch.setattr(_directory, "SEARCH_PATH", "%s:/usr/bin:/bin" % tmp_path)
    return Getent(tmp_path)


ANNA = "anna:x:1001:100:Anna:/home/anna:/bin/zsh\n"


def test_a_user_is_found_by_name_and_by_number(getent: Getent) -> None:
    getent.database.write_text(ANNA)
    anna = User("anna", 1001, 100, "/home/anna", "/bin/zsh")
    directory = Directory(PATIENCE)
    assert directory.find("anna") == directory.find("1001") == directory.user(1001) == anna


def test_who_has_no_entry_gets_least(getent: Getent) -> None:
    directory = Directory(PATIENCE)
    assert directory.user(4242) == User("4242", 4242, NO_GROUP, "/", "/bin/sh", ())
    assert directory.find("4242") == User("4242", 4242, NO_GROUP)
    assert directory.find("nobody-of-that-name") is None


def test_nothing_is_asked_twice(getent: Getent) -> None:
    getent.database.write_text(ANNA)
    directory = Directory(PATIENCE)
    for _time in range(3):
        directory.find("anna")
        directory.find("missing")
        directory.user(4242)
    assert getent.calls() == ["passwd anna", "passwd missing", "passwd 4242"]


def test_thousands_of_users_take_a_few_calls(getent: Getent) -> None:
    uids = [str(uid) for uid in range(5000, 8000)]
    getent.database.write_text("".join("u%s:x:%s:100::/home/u:/bin/sh\n" % (uid, uid) for uid in uids))
    directory = Directory(PATIENCE)
    directory.learn(uids)
    assert [directory.user(int(uid)).name for uid in uids] == ["u" + uid for uid in uids]
    assert len(getent.calls()) <= 10


def test_entries_that_make_no_sense_are_nobody(getent: Getent) -> None:
    getent.database.write_text("odd:x:not-a-number:1::/:/bin/sh\nshort:x\n\nempty:x:77:78:::\n")
    directory = Directory(PATIENCE)
    assert directory.find("odd") is None
    assert directory.find("short") is None
    assert directory.find("empty") == User("empty", 77, 78, "/", "/bin/sh")


def test_groups_are_all_of_the_user_with_the_own_one(getent: Getent) -> None:
    getent.database.write_text(ANNA)
    directory = Directory(PATIENCE)
    anna = directory.find("anna")
    assert anna is not None
    assert directory.with_groups(anna).groups == (10, 20, 100)


def test_a_database_that_does_not_answer_is_not_asked_again(getent: Getent) -> None:
    well = getent.program.read_text()
    getent.write("#!/bin/sh\nexec sleep 1000\n")
    getent.database.write_text(ANNA)
    directory = Directory(0.2)
    with pytest.raises(NoAnswer, match="did not answer in time"):
        directory.find("anna")
    getent.write(well)
    with pytest.raises(NoAnswer):
        directory.find("anna")
    with pytest.raises(NoAnswer):
        directory.with_groups(User("anna", 1001, 100))
    assert directory.user(1001) == User("1001", 1001, NO_GROUP), "without an answer nobody gets a name"
    assert getent.calls() == []


def test_a_database_that_cannot_be_asked_is_not_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_directory, "SEARCH_PATH", str(tmp_path))
    with pytest.raises(NoAnswer, match="could not be asked"):
        Directory(PATIENCE).find("root")
    assert Directory(PATIENCE).user(0).home == "/"


def test_the_database_of_this_host_knows_root() -> None:
    root = Directory(PATIENCE).find("root")
    assert root is not None
    assert root.uid == 0
    assert Directory(PATIENCE).with_groups(root).groups[:1] == (0,)


def test_a_stuck_child_is_reaped() -> None:
    run(["sleep", "1000"], env=PATH, timeout=0.1)
    eventually(lambda: not _zombies(), "no zombie of ours is left")


def _zombies() -> List[str]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue
            if fields[0] == b"Z" and int(fields[1]) == os.getpid():
                found.append(folder.name)
    return found


def test_what_a_child_has_started_is_ended_with_it(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    for timeout in (1.0, 4.0, 16.0, PATIENCE):  # on a busy machine even `echo` may take long
        outcome = run(["/bin/sh", "-c", 'sleep 1000 & echo $! > "$0"; wait', str(told)], timeout=timeout)
        assert outcome.timed_out
        if told.exists() and told.read_text():
            break
    eventually(lambda: started(int(told.read_text())) is None, "the grandchild has ended, too")
