# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A job runs once, and what became of it is told ever after; whatever comes between, it is not run twice."""

import json
import os
import signal
import stat
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import job_records, settle
from ansible_collections.fleet.tmux.plugins.module_utils._actions.birth import NONE, Birth
from ansible_collections.fleet.tmux.plugins.module_utils._actions.create import PLACEHOLDER
from ansible_collections.fleet.tmux.plugins.module_utils._actions.job_records import Records
from ansible_collections.fleet.tmux.plugins.module_utils._actions.journal import Journal
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import Ending
from ansible_collections.fleet.tmux.plugins.module_utils._host import endings
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.directory import Directory
from ansible_collections.fleet.tmux.plugins.module_utils._modules import job
from ansible_collections.fleet.tmux.plugins.module_utils._modules.job import Completion, Task
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session import SessionOptions, carry_out
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._policy.jobs import JobError, JobRecord
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import Capability
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host
from ansible_collections.fleet.tmux.tests.support.runs import Gently, only, perform
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually
from ansible_collections.fleet.tmux.tests.support.world import World

LONG = int(PATIENCE)
CARRY_OUT = "ansible_collections.fleet.tmux.plugins.module_utils._modules.job.carry_out"
Told = Tuple[Dict[str, Any], Optional[Exception]]
ENV = (("HUSH", "s3cr3t-8"), ("STAGE", "one"))


def place(world: World) -> Path:
    return Path(world.folder) / "state" / "jobs"


def ran(world: World) -> str:
    """What all runs of the job have left."""
    path = Path(world.folder) / "ran"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def words(world: World, script: str = "exit 0") -> Tuple[str, ...]:
    return ("sh", "-c", 'echo once >>"$0/ran"; echo said; ' + script, world.folder)


def task(
    world: World,
    *argv: str,
    check: bool = False,
    env: Any = (),
    log: Optional[str] = None,
    name: str = "job",
    files: Sequence[str] = (),
    removes_log: bool = False,
    command: Optional[str] = None,
    **more: Any,
) -> Told:
    """Have a job completed."""
    cleanup = {"log": "remove" if removes_log else "keep", "files": files} if files or removes_log else None
    run = () if command is not None else argv or words(world)
    options = SessionOptions(command, run, "/", env, None, None, None, keep_exited=True, log=log, cleanup=cleanup)
    wanted = Task(options, name, place=str(place(world)), **dict({"seconds": LONG}, **more))
    host = Host(world.binary, PATIENCE, Directory(PATIENCE))
    birth = Birth(NONE, False, host.uid == 0, host.timeout)
    return Completion(host, world.path, wanted, Ending(), Journal(), birth).run(check, True)


def names(items: List[Dict[str, Any]]) -> List[str]:
    return [item["name"] for item in items]


def there(world: World) -> str:
    return world.tmux("list-sessions", "-F", "#{session_name}")


def record(world: World) -> Path:
    (found,) = place(world).glob("*.json")
    return found


def without_moments(told: Dict[str, Any]) -> Dict[str, Any]:
    """What a check can know as well as a run."""
    items = {key: names(told[key]) for key in ("created", "removed", "sessions", "updated", "vanished", "not_done")}
    keys = [sorted(told), *(sorted(item) for item in told["removed"])]
    return dict(items, changed=told["changed"], action=told["job"]["action"], diff=told["diff"], keys=keys)


def meanwhile(monkeypatch: pytest.MonkeyPatch, *actions: Callable[[], Any]) -> None:
    """Do these things, one each time that it is waited."""
    todo, original = list(actions), endings.until_one_ends

    def instead(processes: Any, seconds: float) -> Any:
        if todo:
            todo.pop(0)()
        return original(processes, seconds)

    monkeypatch.setattr(endings, "until_one_ends", instead)


def heard(world: World) -> Path:
    """Until this is there, what is said here waits: the kernel may lose what is said just before the end."""
    return Path(world.folder) / "heard"


def speaking(world: World) -> Tuple[str, ...]:
    return words(world, 'until [ -e "$0/heard" ]; do sleep 0.01; done')


def hear(world: World) -> None:
    eventually(lambda: "said" in world.tmux("capture-pane", "-p", "-t", "=job:"), "it says so")
    heard(world).touch()


def test_check_run_check_run(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile(monkeypatch, lambda: hear(server))
    spoken = speaking(server)
    checked, error = task(server, *spoken, check=True)
    assert (error, checked["changed"], checked["job"]["action"], ran(server)) == (None, True, "run", "")
    assert there(server) == "first" and not place(server).exists()

    told, error = task(server, *spoken)
    assert (error, told["changed"], ran(server)) == (None, True, "once\n")
    assert without_moments(checked) == without_moments(told)
    assert (names(told["created"]), names(told["removed"]), names(told["sessions"])) == (["job"], ["job"], ["first"])
    job = told["job"]
    assert (job["action"], job["ended"], job["exit_status"], job["signal"]) == ("run", True, 0, None)
    assert (job["from_record"], job["timed_out"], job["reason"], job["content"]) == (False, False, "", "said")
    assert job["seconds"] >= 0 and job["recorded"] >= job["started"]
    assert there(server) == "first"

    checked, error = task(server, *spoken, check=True)
    assert (error, checked["changed"], checked["job"]["action"]) == (None, False, "returned")
    again, error = task(server, *spoken)
    assert (error, again["changed"], ran(server)) == (None, False, "once\n")
    assert without_moments(checked) == without_moments(again) and checked["job"] == again["job"]
    assert again["job"] == dict(job, action="returned", from_record=True, content=None)
    assert (again["created"], again["removed"], there(server)) == ([], [], "first")


def test_it_starts_a_server_and_leaves_none(absent: World) -> None:
    told, error = task(absent)
    assert (error, told["job"]["exit_status"], told["sessions"]) == (None, 0, [])
    eventually(lambda: absent.pid() == 0, "the server has ended with its last session")
    again, error = task(absent)
    assert (error, again["job"]["action"], again["changed"], absent.pid()) == (None, "returned", False, 0)


def test_what_is_recorded_is_its_owners_alone(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile(monkeypatch, lambda: hear(server))
    spoken = speaking(server)
    log = os.path.join(server.folder, "log")
    assert task(server, *spoken, log=log)[1] is None
    assert stat.S_IMODE(place(server).stat().st_mode) == 0o700
    for path in place(server).iterdir():
        assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_uid) == (0o600, os.geteuid())
    found = json.loads(record(server).read_text(encoding="utf-8"))
    assert (found["format"], found["name"], found["socket"], found["log"]) == (1, "job", server.path, log)
    assert (found["exit_status"], len(found["digest"])) == (0, 64)
    assert Path(log).read_text(encoding="utf-8").replace("\r", "") == "said\n"
    assert task(server, *spoken, log=log)[0]["job"]["log"] == log


@pytest.mark.parametrize("status", [3, 255])
def test_a_failed_one_fails_again_and_is_not_run_again(server: World, status: int) -> None:
    failing = words(server, "exit %d" % status)
    told, error = task(server, *failing)
    assert isinstance(error, JobError)
    assert str(error) == "the command of job 'job' ended with exit status %d" % status
    assert (told["job"]["exit_status"], told["changed"], there(server)) == (status, True, "first")
    for check in (True, False):
        told, error = task(server, *failing, check=check)
        assert "rerun=true runs it again" in str(error) and "with exit status %d in an earlier run" % status in str(
            error
        )
        assert (told["job"]["exit_status"], told["changed"], ran(server)) == (status, False, "once\n")
    told, error = task(server, *failing, fail_on_status=False)
    assert (error, told["job"]["exit_status"], told["job"]["from_record"]) == (None, status, True)


def test_a_signal_is_a_failure_and_where_tmux_does_not_know_it_that_is_said(server: World) -> None:
    killed = words(server, "kill -9 $$")
    told, error = task(server, *killed)
    job = told["job"]
    assert (job["exit_status"], job["ended"]) == (None, True)
    if server.version.at_least(3, 3):
        assert job["signal"] in ("9", "kill", "KILL") and "by signal" in str(error) and job["reason"] == ""
    else:
        assert (job["signal"], "before 3.3" in job["reason"]) == (None, True) and "nobody knows" in str(error)
    again, error = task(server, *killed, fail_on_status=False)
    assert error is None and again["job"] == dict(job, action="returned", from_record=True, content=None)


def test_rerun_and_another_declaration_run_anew(server: World) -> None:
    runs = ["once\n"]
    assert task(server, env=ENV)[1] is None
    for more in (
        {"rerun": True, "env": ENV},
        {"env": (("HUSH", "s3cr3t-9"), ("STAGE", "one"))},
        {"env": ENV},  # Only the last one is recorded.
        {"env": ENV, "log": os.path.join(server.folder, "log")},
    ):
        runs.append("once\n")
        checked, error = task(server, check=True, **more)
        assert (error, checked["job"]["action"]) == (None, "run")
        told, error = task(server, **more)
        assert (error, told["job"]["action"], told["changed"], ran(server)) == (None, "run", True, "".join(runs))
        (_one,) = place(server).glob("*.json")


def test_one_that_runs_already_is_waited_for(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first run gave up, as one that was cut off: the second one, and one with rerun, have the same job."""
    waiting = words(server, "read go; exit 5")
    told, error = task(server, *waiting, seconds=0)
    assert "timed out after 0s, still waiting for 'job'" in str(error)
    assert (told["job"]["timed_out"], told["job"]["ended"], told["job"]["recorded"]) == (True, False, None)
    assert names(told["created"]) == ["job"] and told["removed"] == []
    told, error = task(server, *waiting, seconds=0, fail_on_timeout=False)
    assert (error, told["job"]["timed_out"], told["job"]["action"], told["changed"]) == (None, True, "waited", False)
    eventually(lambda: ran(server) == "once\n", "it runs")
    checked, error = task(server, *waiting, check=True, rerun=True)
    assert (error, checked["changed"], checked["job"]["action"]) == (None, True, "waited")
    assert server.session(server.tmux("display-message", "-p", "-t", "=job:", "#{session_id}")).pids
    meanwhile(monkeypatch, lambda: server.tmux("send-keys", "-t", "=job:", "Enter"))
    told, error = task(server, *waiting, rerun=True, fail_on_status=False)
    assert (error, told["job"]["exit_status"], told["changed"], ran(server)) == (None, 5, True, "once\n")
    assert without_moments(checked) == without_moments(told)
    assert told["created"] == [] and names(told["removed"]) == ["job"] and there(server) == "first"


def test_one_that_ended_while_nobody_waited_is_recorded_then(server: World) -> None:
    ends = words(server, "read go; exit 6")
    task(server, *ends, seconds=0)
    server.tmux("send-keys", "-t", "=job:", "Enter")
    eventually(lambda: server.reap() and dead_panes(server) == "1", "ended")
    told, error = task(server, *ends)
    assert (told["job"]["action"], told["job"]["exit_status"], there(server)) == ("waited", 6, "first")
    assert (told["job"]["seconds"] is None) is not server.version.at_least(3, 3)
    assert "exit status 6" in str(error) and ran(server) == "once\n"


def test_whoever_makes_the_same_at_the_same_moment_runs_it_once(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between our look and our start another run has started it."""
    begun: List[Told] = []

    def first(plan: Any, hands: Any) -> Any:
        if not begun:
            monkeypatch.setattr(CARRY_OUT, carry_out)
            begun.append(task(server, *words(server, "read go"), seconds=0, fail_on_timeout=False))
        return carry_out(plan, hands)

    monkeypatch.setattr(CARRY_OUT, first)
    meanwhile(monkeypatch, lambda: server.tmux("send-keys", "-t", "=job:", "Enter"))
    told, error = task(server, *words(server, "read go"))
    assert begun[0][1] is None and begun[0][0]["job"]["action"] == "run"
    assert (error, told["job"]["action"], told["job"]["exit_status"]) == (None, "waited", 0)
    assert ran(server) == "once\n" and names(told["removed"]) == ["job"]


@pytest.mark.parametrize("check", [True, False])
def test_a_session_that_is_not_this_job_is_left_alone(server: World, check: bool) -> None:
    identity = server.new("job")
    told, error = task(server, check=check)
    assert "'job' is there, and was not made by state=completed" in str(error) and "state=absent" in str(error)
    assert (told["changed"], told["job"]["action"], ran(server)) == (False, None, "")
    server.tmux("kill-session", "-t", identity)
    task(server, *words(server, "read go"), seconds=0)
    told, error = task(server, *words(server, "read another"), check=check)
    assert "is another job, or was declared otherwise" in str(error) and there(server) == "first\njob"


@pytest.mark.parametrize("how", ["session", "server"])
def test_one_that_is_gone_is_not_recorded(server: World, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    def end() -> None:
        if how == "session":
            server.tmux("kill-session", "-t", "=job")
        else:
            os.kill(server.pid(), signal.SIGKILL)

    meanwhile(monkeypatch, end)
    told, error = task(server, *words(server, "read go"))
    assert "is gone, and nobody knows how its command ended" in str(error)
    assert (told["job"]["exit_status"], told["job"]["recorded"], names(told["created"])) == (None, None, ["job"])
    assert list(place(server).glob("*.json")) == []
    assert task(server, *words(server, "read go"), check=True)[0]["job"]["action"] == "run"


def dead_panes(world: World) -> str:
    return world.tmux("list-panes", "-t", "=job:", "-F", "#{pane_dead}")


def test_what_somebody_has_started_beside_it_lives(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it count for how the job has ended."""
    job = words(server, "read go; exit 4")
    task(server, *job, seconds=0)
    server.tmux("split-window", "-d", "-t", "=job:", "exec cat")
    server.tmux("send-keys", "-t", "=job:.0", "Enter")
    told, error = task(server, *job, fail_on_status=False)
    assert (error, told["job"]["exit_status"], told["removed"], there(server)) == (None, 4, [], "first\njob")
    assert "session 'job' stays, for something else runs in it" in told["trouble"][0]
    (pid,) = server.tmux("list-panes", "-t", "=job:", "-F", "#{?pane_dead,,#{pane_pid}}").split()
    checked, error = task(server, *job, check=True, fail_on_status=False)
    assert (error, checked["changed"], checked["removed"]) == (None, False, [])
    told, error = task(server, *job, fail_on_status=False)
    assert (error, told["job"]["action"], told["changed"]) == (None, "waited", False)
    os.kill(int(pid), signal.SIGKILL)
    eventually(lambda: server.reap() and "0" not in dead_panes(server), "it has ended")
    told, error = task(server, *job, fail_on_status=False)
    assert (error, told["job"]["exit_status"], names(told["removed"])) == (None, 4, ["job"])
    assert ran(server) == "once\n"


def test_secrets_are_neither_in_the_record_nor_in_the_mark(server: World) -> None:
    waiting = words(server, "read go")
    task(server, *waiting, env=ENV, seconds=0)
    mark = server.tmux("show-options", "-v", "-t", "job", "@fleet_tmux_job")
    server.tmux("send-keys", "-t", "=job:", "Enter")
    told, _error = task(server, *waiting, env=ENV)
    written = b"".join(path.read_bytes() for path in place(server).iterdir())
    digest, _blank, pane = mark.partition(" ")
    assert b"s3cr3t-8" not in written and digest in record(server).read_text(encoding="utf-8")
    assert pane.startswith("%")
    assert "@fleet_tmux_job" not in str(told)


def spoil_record(world: World) -> None:
    record(world).write_text("{}")


def other_format(world: World) -> None:
    found = json.loads(record(world).read_text(encoding="utf-8"))
    record(world).write_text(json.dumps(dict(found, format=2)))


def other_job(world: World) -> None:
    found = json.loads(record(world).read_text(encoding="utf-8"))
    record(world).write_text(json.dumps(dict(found, name="other")))


def open_record(world: World) -> None:
    record(world).chmod(0o622)


def link_record(world: World) -> None:
    path = record(world)
    path.rename(place(world) / "elsewhere")
    path.symlink_to("elsewhere")


def long_record(world: World) -> None:
    with record(world).open("a", encoding="utf-8") as stream:
        stream.write(" " * 70000)


def open_key(world: World) -> None:
    (place(world) / ".key").chmod(0o644)


def short_key(world: World) -> None:
    (place(world) / ".key").write_bytes(b"short")


def link_key(world: World) -> None:
    (place(world) / ".key").rename(place(world) / "key")
    (place(world) / ".key").symlink_to("key")


SPOILT: List[Tuple[Callable[[World], None], str]] = [
    (spoil_record, "it has another format than 1"),
    (other_format, "it has another format than 1"),
    (other_job, "it is of another job"),
    (open_record, "may be written by others"),
    (link_record, "Too many levels of symbolic links"),
    (long_record, "is longer than 65536 bytes"),
    (open_key, "others may read it"),
    (short_key, "it is no key"),
    (link_key, "Too many levels of symbolic links"),
]


@pytest.mark.parametrize("spoil, said", SPOILT, ids=[spoil.__name__ for spoil, _said in SPOILT])
def test_what_may_be_of_others_is_not_trusted(server: World, spoil: Callable[[World], None], said: str) -> None:
    task(server)
    spoil(server)
    checked, error = task(server, check=True)
    assert (error, checked["job"]["action"]) == (None, "run") and said in checked["trouble"][0]
    told, error = task(server)
    assert (error, told["job"]["action"], ran(server)) == (None, "run", "once\nonce\n") and said in told["trouble"][0]
    again, error = task(server)
    assert (error, again["job"]["action"], again["trouble"]) == (None, "returned", []), "it has been put right"


@pytest.mark.parametrize("check", [True, False])
def test_without_a_safe_place_for_records_nothing_is_run(server: World, check: bool) -> None:
    place(server).mkdir(parents=True)
    place(server).chmod(0o777)
    told, error = task(server, check=check)
    assert "jobs_dir: no record of a job can be kept in" in str(error) and "may be written by others" in str(error)
    assert (told["changed"], ran(server), there(server)) == (False, "", "first")
    place(server).chmod(0o700)
    assert task(server, check=check)[1] is None


def test_what_cannot_be_recorded_stays_until_it_can(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = words(server, "read go; exit 2")

    def spoil() -> None:
        place(server).chmod(0o777)
        server.tmux("send-keys", "-t", "=job:", "Enter")

    meanwhile(monkeypatch, spoil)
    told, error = task(server, *waiting)
    assert "ended with exit status 2; jobs_dir: no record" in str(error) and there(server) == "first\njob"
    assert (told["job"]["exit_status"], told["job"]["recorded"]) == (2, None)
    place(server).chmod(0o700)
    told, error = task(server, *waiting, fail_on_status=False)
    assert (error, told["job"]["exit_status"], there(server), ran(server)) == (None, 2, "first", "once\n")


def test_what_goes_with_a_job_is_removed_and_nothing_else(server: World) -> None:
    """Whether the owner has a file, a link, or a directory there; and it is done before the session goes."""
    home = Path(server.folder)
    (home / "kept").write_text("kept")
    (home / "link").symlink_to("kept")
    (home / "folder").mkdir()
    os.mkfifo(str(home / "fifo"))
    log, progress = home / "log", home / "progress"
    progress.write_text("half")
    files = tuple(str(home / name) for name in ("progress", "link", "folder", "fifo", "missing", "none/missing"))
    checked, error = task(server, log=str(log), removes_log=True, files=files, check=True)
    assert (error, checked["job"]["removed_files"], progress.exists()) == (None, None, True)
    told, error = task(server, log=str(log), removes_log=True, files=files)
    assert (error, told["job"]["removed_files"]) == (None, [str(log), str(progress), str(home / "link")])
    why = "it is neither a file nor a link"
    assert told["job"]["left_files"] == [{"path": str(home / name), "reason": why} for name in ("folder", "fifo")]
    assert told["trouble"] == ["cleanup: %s is still there: %s" % (home / name, why) for name in ("folder", "fifo")]
    assert [path.exists() for path in (log, progress, home / "link", home / "kept", home / "folder")] == [
        *(False, False, False),
        *(True, True),
    ]
    progress.write_text("another's")
    again, error = task(server, log=str(log), removes_log=True, files=files)
    assert (error, again["job"]["removed_files"], progress.exists()) == (None, [], True), "nothing was run"


def test_nothing_is_removed_that_others_can_exchange(server: World) -> None:
    open_folder = Path(server.folder) / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    (open_folder / "file").write_text("")
    told, error = task(server, files=(str(open_folder / "file"),))
    assert error is None and (open_folder / "file").exists()
    assert "may be written by others" in told["job"]["left_files"][0]["reason"]


def test_what_goes_with_a_job_stays_until_its_session_goes(server: World) -> None:
    job = words(server, "read go")
    progress = Path(server.folder) / "progress"
    progress.write_text("half")
    task(server, *job, seconds=0, files=(str(progress),))
    server.tmux("split-window", "-d", "-t", "=job:", "exec cat")
    server.tmux("send-keys", "-t", "=job:.0", "Enter")
    assert task(server, *job, files=(str(progress),))[1] is None and progress.exists()
    server.tmux("kill-pane", "-t", "=job:.1")
    told, error = task(server, *job, files=(str(progress),))
    assert (error, told["job"]["removed_files"], progress.exists()) == (None, [str(progress)], False)


def test_what_goes_with_a_job_is_known_when_its_task_was_cut_off(server: World) -> None:
    """Whoever removes its session then removes that too; and what a later task declares counts from then on."""
    job = words(server, "read go")
    a, b = [Path(server.folder) / name for name in ("a", "b")]
    for path in (a, b):
        path.write_text("half")
    task(server, *job, seconds=0, files=(str(a),))
    assert server.tmux("show-options", "-v", "-t", "job", "@fleet_tmux_cleanup") == "1 file=%s" % a
    task(server, *job, seconds=0, files=(str(b),))
    task(server, *job, seconds=0)
    assert server.tmux("show-options", "-v", "-t", "job", "@fleet_tmux_cleanup") == "1 file=%s" % b
    (gone,) = perform(server, Gently(), only("job"))["removed"]
    assert (gone["removed_files"], a.exists(), b.exists()) == ([str(b)], True, False)


def test_its_files_stay_while_what_was_begun_beside_it_lives_on_elsewhere(server: World) -> None:
    path = Path(server.folder) / "input"
    path.write_text("half")
    job = words(server, "read go")
    task(server, *job, seconds=0, files=(str(path),))
    pane = server.tmux("split-window", "-d", "-P", "-F", "#{pane_id}", "-t", "=job:", "exec tail -f %s" % path)
    pid = server.tmux("display-message", "-p", "-t", pane, "#{pane_pid}")
    eventually(lambda: b"TMUX=" in Path("/proc/%s/environ" % pid).read_bytes(), "it has begun")
    server.tmux("join-pane", "-d", "-s", pane, "-t", "=first:")
    server.tmux("send-keys", "-t", "=job:", "Enter")
    told, error = task(server, *job, files=(str(path),))
    why = "what runs there lives on in session 'first'"
    assert (error, told["job"]["left_files"]) == (None, [{"path": str(path), "reason": why}]) and path.exists()


def test_nothing_is_noted_at_a_session_of_others_to_which_its_pane_was_moved(server: World) -> None:
    job = words(server, "read go")
    task(server, *job, seconds=0)
    own = server.tmux("display-message", "-p", "-t", "=job:", "#{pane_id}")
    server.tmux("join-pane", "-d", "-s", own, "-t", "=first:")
    told, error = task(server, *job, seconds=0, fail_on_timeout=False, files=(os.path.join(server.folder, "a"),))
    assert (error, told["job"]["action"]) == (None, "waited")
    assert "fleet_tmux_cleanup" not in server.tmux("show-options", "-t", "=first:")


def test_a_task_that_declares_nothing_takes_what_is_noted(server: World) -> None:
    job = words(server, "read go")
    a = Path(server.folder) / "a"
    a.write_text("half")
    task(server, *job, seconds=0, files=(str(a),))
    server.tmux("send-keys", "-t", "=job:", "Enter")
    told, error = task(server, *job)
    assert (error, told["job"]["removed_files"], a.exists()) == (None, [str(a)], False)


def test_a_session_that_somebody_makes_at_the_same_moment_is_not_taken_for_it(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first(plan: Any, hands: Any) -> Any:
        monkeypatch.setattr(CARRY_OUT, carry_out)
        server.new("job")
        return carry_out(plan, hands)

    monkeypatch.setattr(CARRY_OUT, first)
    told, error = task(server)
    assert "'job' is there, and was not made by state=completed" in str(error)
    assert (told["job"]["recorded"], ran(server), there(server)) == (None, "", "first\njob")
    assert told["job"]["action"] is None and not told["changed"]


def test_what_stands_for_a_session_that_is_being_made_is_not_taken_for_another_job(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was ended meanwhile has left it."""
    monkeypatch.setattr(job, "_ATTEMPTS", 1)
    server.new("job", *PLACEHOLDER.split())
    for check in (True, False):
        _told, error = task(server, check=check)
        assert "'job' is just being made, or what a run that was ended has left; nothing was run" in str(error)
    assert ran(server) == "" and there(server) == "first\njob"


def test_a_job_that_renames_its_session_at_once_is_the_same_job(server: World) -> None:
    rename = f"{server.binary} -S {server.path} rename-session -t '=job' other; exit 3"
    told, error = task(server, *words(server, rename), fail_on_status=False)
    assert (error, told["job"]["exit_status"], ran(server), there(server)) == (None, 3, "once\n", "first")


def test_of_one_that_has_let_go_of_its_terminal_is_said_what_ends_it(server: World) -> None:
    _told, error = task(server, *words(server, "exec >/dev/null 2>&1 </dev/null; sleep 100"))
    knows = server.version.at_least(3, 3)
    assert ("nothing has the terminal of the pane open any more" in str(error)) is knows
    assert ("ended by signal 1" in str(error)) is knows


def test_a_shell_that_runs_no_command_is_named(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(server.binary, PATIENCE, Directory(PATIENCE))
    shell = look_at(host, server.path).client.account.shell
    monkeypatch.setattr(settle, "_RUN_NOTHING", (os.path.basename(shell),))
    said = "runs no command: give a program with argv"
    _told, error = task(server, command="exit 1")
    assert said in str(error)
    _told, error = task(server, *words(server, "exit 1"), name="other")
    assert said not in str(error)


def test_a_file_that_is_named_twice_is_removed_once(server: World) -> None:
    paths = [Path(server.folder) / name for name in ("progress", "other")]
    for path in paths:
        path.write_text("half")
    told, error = task(server, files=(str(paths[0]), *map(str, paths)))
    assert (error, told["job"]["removed_files"], told["job"]["left_files"]) == (None, [str(path) for path in paths], [])
    assert there(server) == "first"


def test_without_its_session_nothing_of_it_is_removed_for_it_may_be_of_a_later_run(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has removed the session between the record and the end, and run the job again, which writes there."""
    path = Path(server.folder) / "progress"
    path.write_text("the later one's")
    write = Records.write

    def written(self: Records, record_: JobRecord) -> None:
        write(self, record_)
        server.tmux("kill-session", "-t", "=job")
        server.new("job")

    monkeypatch.setattr(Records, "write", written)
    told, error = task(server, files=(str(path),))
    assert (error, told["job"]["exit_status"], told["job"]["removed_files"], told["removed"]) == (None, 0, [], [])
    assert path.exists() and there(server) == "first\njob"
    assert "cleanup: session 'job' was gone before the files of the job could be removed" in told["trouble"][-1]


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("name", [".key", "nothing.json", "below/file", "../jobs/.key"])
def test_neither_records_nor_their_key_go_with_a_job_or_are_written_over(server: World, name: str, check: bool) -> None:
    path = os.path.join(str(place(server)), name)
    for option, more in (("cleanup.files", {"files": (path,)}), ("log", {"log": path})):
        told, error = task(server, check=check, **more)
        assert str(error).startswith("%s: " % option) and "is in the directory of the records" in str(error)
        assert (told["changed"], ran(server), there(server), place(server).exists()) == (False, "", "first", False)


def test_nor_do_they_by_another_way(server: World) -> None:
    assert task(server)[1] is None
    way = Path(server.folder) / "way"
    way.symlink_to(place(server))
    told, error = task(server, rerun=True, files=(str(way / ".key"),))
    assert (error, told["job"]["removed_files"]) == (None, []) and (place(server) / ".key").exists()
    assert told["job"]["left_files"][0]["reason"] == "it is in the directory of the records"


@pytest.mark.parametrize("where", ["-b", "-bh"])
def test_a_pane_before_it_is_not_taken_for_the_job(server: World, where: str) -> None:
    job = words(server, "read go; exit 4")
    task(server, *job, seconds=0)
    own = server.tmux("display-message", "-p", "-t", "=job:", "#{pane_id}")
    server.tmux("split-window", "-d", where, "-t", "=job:", "exec cat")
    told, error = task(server, *job, seconds=0, fail_on_timeout=False)
    assert (error, told["job"]["timed_out"]) == (None, True)
    server.tmux("send-keys", "-t", own, "Enter")
    told, error = task(server, *job, fail_on_status=False)
    assert (error, told["job"]["exit_status"], there(server)) == (None, 4, "first\njob")


@pytest.mark.parametrize("check", [True, False])
def test_what_is_left_when_its_pane_was_removed_is_not_taken_for_the_job(server: World, check: bool) -> None:
    job = words(server, "read go; exit 4")
    task(server, *job, seconds=0)
    own = server.tmux("display-message", "-p", "-t", "=job:", "#{pane_id}")
    server.tmux("split-window", "-d", "-t", "=job:", "exit 0")
    server.tmux("kill-pane", "-t", own)
    told, error = task(server, *job, check=check)
    assert "is gone, and nobody knows how its command ended" in str(error)
    assert "session 'job' stays, for something else is in it: remove it with state=absent" in str(error)
    assert (told["changed"], told["job"]["exit_status"], there(server)) == (False, None, "first\njob")
    assert list(place(server).glob("*.json")) == []


def test_one_whose_session_has_another_name_by_now_is_the_same_job(server: World) -> None:
    job = words(server, "read go; exit 4")
    task(server, *job, seconds=0)
    server.run("rename-session", "-t", "=job", "mine")  # tmux 2.7 does it and complains.
    checked, error = task(server, *job, check=True)
    assert (error, checked["job"]["action"], checked["created"]) == (None, "waited", [])
    told, error = task(server, *job, seconds=0, fail_on_timeout=False)
    assert (error, told["job"]["action"], there(server)) == (None, "waited", "first\nmine")
    server.tmux("send-keys", "-t", "=mine:", "Enter")
    told, error = task(server, *job, fail_on_status=False)
    assert (error, told["job"]["exit_status"], names(told["removed"])) == (None, 4, ["mine"])
    assert without_moments(checked) == dict(without_moments(told)) and ran(server) == "once\n"


def test_whose_pane_is_there_is_the_job_though_another_has_its_name_and_mark(server: World) -> None:
    job = words(server, "read go")
    task(server, *job, seconds=0)
    mark = server.tmux("show-options", "-v", "-t", "job", "@fleet_tmux_job")
    server.run("rename-session", "-t", "=job", "mine")  # tmux 2.7 does it and complains.
    server.new("job")
    server.tmux("set-option", "-t", "=job:", "@fleet_tmux_job", mark)
    server.tmux("send-keys", "-t", "=mine:", "Enter")
    told, error = task(server, *job)
    assert (error, told["job"]["action"], names(told["removed"])) == (None, "waited", ["mine"])


MOVES: Dict[str, List[List[str]]] = {
    "join-pane": [["join-pane", "-d", "-s", "PANE", "-t", "=first:"]],
    "move-window": [["move-window", "-d", "-s", "PANE", "-t", "=first:"]],
    "break-pane": [
        ["split-window", "-d", "-t", "=job:", "exec cat"],
        ["break-pane", "-d", "-s", "PANE", "-t", "=first:"],
    ],
}


def own_pane(world: World) -> str:
    """The pane of the job, which has just been begun."""
    return world.tmux("display-message", "-p", "-t", "=job:", "#{pane_id}")


def move(world: World, how: str, pane: str) -> None:
    for command in MOVES[how]:
        world.tmux(*[pane if word == "PANE" else word for word in command])


def stays(world: World, how: str) -> bool:
    """Whether a pane that is moved so stays when its command ends: before 3.0 that is said of windows only."""
    return how == "move-window" or world.version.has(Capability.OPTIONS_OF_PANES)


def require_untouched(world: World, how: str, told: Dict[str, Any], panes: int) -> None:
    """That nothing of the session to which a pane was moved has been removed."""
    assert told["removed"] == [] and told["not_done"] == []
    assert there(world) == ("first\njob" if how == "break-pane" else "first")
    assert len(world.tmux("list-panes", "-s", "-t", "=first:").splitlines()) == panes
    assert any("was moved to session 'first'" in said for said in told["trouble"])


@pytest.mark.parametrize("how", MOVES)
def test_one_whose_pane_is_moved_while_it_is_waited_for_is_waited_for_there(
    server: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    own: List[str] = []

    def moved() -> None:
        own.append(own_pane(server))
        move(server, how, own[0])

    meanwhile(monkeypatch, moved, lambda: None, lambda: server.tmux("send-keys", "-t", own[0], "Enter"))
    files = [os.path.join(server.folder, "ran")]
    told, error = task(server, *words(server, "read go; exit 4"), fail_on_status=False, files=files)
    require_untouched(server, how, told, 2 if stays(server, how) else 1)
    assert names(told["created"]) == ["job"] and ran(server) == "once\n"
    if stays(server, how):
        assert (error, told["job"]["exit_status"], told["job"]["ended"]) == (None, 4, True)
        assert "cleanup: its pane was moved to another session" in told["trouble"][-1]
        assert json.loads(record(server).read_text(encoding="ascii"))["exit_status"] == 4
    else:
        assert "nobody knows how its command ended" in str(error) and told["job"]["ended"] is True
        assert list(place(server).glob("*.json")) == []


@pytest.mark.parametrize("how", MOVES)
def test_one_whose_pane_was_moved_is_the_same_job(server: World, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Before 3.0 it is not known any more when its window and its session have gone."""
    job = words(server, "read go; exit 4")
    told, _error = task(server, *job, seconds=0)
    begun = told["job"]["started"]
    own = own_pane(server)
    move(server, how, own)
    if how == "join-pane" and not stays(server, how):
        assert task(server, *job, check=True)[0]["job"]["action"] == "run"
        return
    checked, error = task(server, *job, check=True)
    assert (error, checked["job"]["action"], checked["changed"]) == (None, "waited", False)
    told, error = task(server, *job, seconds=0, fail_on_timeout=False)
    assert (error, told["job"]["action"], told["job"]["timed_out"]) == (None, "waited", True)
    meanwhile(monkeypatch, lambda: server.tmux("send-keys", "-t", own, "Enter"))
    told, error = task(server, *job, fail_on_status=False)
    require_untouched(server, how, told, 2 if stays(server, how) else 1)
    assert told["job"]["action"] == "waited" and ran(server) == "once\n"
    if stays(server, how):
        assert (error, told["job"]["exit_status"], told["job"]["started"]) == (None, 4, begun)
        assert without_moments(checked) == without_moments(told)
        again, error = task(server, *job, fail_on_status=False, rerun=True)
        assert (error, again["job"]["exit_status"], ran(server)) == (None, 4, "once\n"), "its pane is there"
        server.tmux("kill-pane", "-t", own)
        if how != "break-pane":
            again, error = task(server, *job, fail_on_status=False)
            assert (error, again["job"]["action"]) == (None, "returned")
    else:
        assert "nobody knows how its command ended" in str(error)


def test_a_pane_of_the_same_number_in_another_server_is_not_the_job(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another() -> None:
        os.kill(server.pid(), signal.SIGKILL)
        eventually(lambda: not server.pid(), "it has ended")
        server.start()
        server.tmux("split-window", "-d", "-t", "first", "cat")

    meanwhile(monkeypatch, another)
    told, error = task(server, *words(server, "read go"))
    assert "is gone, and nobody knows how its command ended" in str(error)
    assert told["job"]["recorded"] is None and there(server) == "first"


def test_the_same_by_another_name_is_another_job(server: World) -> None:
    job = words(server, "read go")
    for name in ("job", "other"):
        assert task(server, *job, name=name, seconds=0, fail_on_timeout=False)[0]["job"]["action"] == "run"
    assert there(server) == "first\njob\nother"


@pytest.mark.parametrize("command", [["new-window", "-d", "-t", "=job:"], ["split-window", "-d", "-t", "=job:"]])
def test_what_begins_in_its_session_just_before_the_end_lives(
    server: World, monkeypatch: pytest.MonkeyPatch, command: List[str]
) -> None:
    def late(plan: Any, hands: Any) -> Any:
        if plan.remove:
            server.tmux(*command, "exec cat")
        return carry_out(plan, hands)

    monkeypatch.setattr(CARRY_OUT, late)
    told, error = task(server)
    assert (error, told["job"]["exit_status"], told["removed"], told["not_done"]) == (None, 0, [], [])
    assert "session 'job' stays, for something else runs in it" in told["trouble"][-1]
    assert there(server) == "first\njob" and names(told["sessions"]) == ["first", "job"]
    assert sorted(server.tmux("list-panes", "-s", "-t", "=job:", "-F", "#{pane_dead}").split()) == ["0", "1"]


def test_a_job_that_another_host_has_run_is_run_here_too(server: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have the same home, and sockets of the same name."""
    for number in (1, 2):
        path = Path(server.folder) / ("machine-id-%d" % number)
        path.write_text("%032x\n" % number)
        monkeypatch.setattr(job_records, "MACHINE_ID", str(path))
        assert task(server, check=True)[0]["job"]["action"] == "run"
        assert task(server)[0]["job"]["action"] == "run"
        assert task(server)[0]["job"]["action"] == "returned"
    assert ran(server) == "once\nonce\n"


def test_of_two_runs_that_wait_for_it_the_later_one_is_told_what_the_other_has_recorded(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = words(server, "read go; exit 3")
    task(server, *job, seconds=0)
    others: List[Told] = []

    def other() -> None:
        server.tmux("send-keys", "-t", "=job:", "Enter")
        others.append(task(server, *job, fail_on_status=False))

    meanwhile(monkeypatch, other)
    told, error = task(server, *job, fail_on_status=False)
    assert error is None and names(others[0][0]["removed"]) == ["job"]
    assert (told["job"]["exit_status"], told["job"]["from_record"], told["removed"]) == (3, True, [])
    assert (told["job"]["action"], names(told["sessions"]), ran(server)) == ("waited", ["first"], "once\n")


@pytest.mark.parametrize("rerun", [False, True])
def test_what_another_run_has_done_between_our_look_and_our_start_is_not_done_again(
    server: World, monkeypatch: pytest.MonkeyPatch, rerun: bool
) -> None:
    """It began after we had looked, and its session is gone again before we make ours."""

    def first(plan: Any, hands: Any) -> Any:
        monkeypatch.setattr(CARRY_OUT, carry_out)
        assert task(server)[1] is None
        return carry_out(plan, hands)

    monkeypatch.setattr(CARRY_OUT, first)
    told, error = task(server, rerun=rerun)
    assert (error, ran(server), there(server)) == (None, "once\n" * (1 + rerun), "first")
    assert (told["job"]["action"], told["job"]["exit_status"]) == ("run" if rerun else "returned", 0)
    assert (told["changed"], told["not_done"], names(told["sessions"])) == (rerun, [], ["first"])


def test_a_session_that_another_run_is_just_making_is_waited_for(
    server: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no mark yet; it is not called a session of somebody's that is to be removed."""
    job = words(server, "read go")
    task(server, *job, seconds=0)
    mark = server.tmux("show-options", "-v", "-t", "job", "@fleet_tmux_job")
    server.tmux("set-option", "-u", "-t", "=job:", "@fleet_tmux_job")
    of = "-p" if server.version.has(Capability.OPTIONS_OF_PANES) else "-w"
    server.tmux("set-option", of, "-u", "-t", "=job:", "@fleet_tmux_job")
    waits: List[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            server.tmux("set-option", "-t", "=job:", "@fleet_tmux_job", mark)

    with monkeypatch.context() as slow:
        slow.setattr(proctable, "wait", pause)
        told, error = task(server, *job, seconds=0, fail_on_timeout=False)
    assert (error, told["job"]["action"], len(waits) >= 2) == (None, "waited", True)


def test_the_diff_says_that_it_was_recorded_before_it_is_run_again(server: World) -> None:
    assert task(server)[0]["diff"]["before"]["job"] == []
    for check in (True, False):
        diff = task(server, check=check, rerun=True)[0]["diff"]
        assert diff["before"]["job"] == diff["after"]["job"] == ["job: recorded"]
