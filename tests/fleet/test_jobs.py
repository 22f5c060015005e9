# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example of a long job, over connections that break in the middle."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest
from ansible_collections.fleet.tmux.tests.fleet.fleet import ROOT, Fleet
from ansible_collections.fleet.tmux.tests.fleet.host import Host
from ansible_collections.fleet.tmux.tests.fleet.images import BOOTED
from ansible_collections.fleet.tmux.tests.fleet.runs import Controller, Run, Started
from ansible_collections.fleet.tmux.tests.support.waiting import eventually

SETTINGS = "[Login]\nKillUserProcesses=yes\nUserStopDelaySec=0\n"
BEGUN, GO, LOG = "/home/admin/begun", "/home/admin/go", "/home/admin/long-job.log"
JOB = "echo $$ >>%s; until [ -e %s ]; do sleep 0.1; done; echo all is done" % (BEGUN, GO)


@pytest.fixture
def two(possible: None) -> Iterator[Fleet]:
    """A host whose systemd ends all processes of a login, and one without systemd."""
    with Fleet(2, [BOOTED, "bookworm"]) as fleet:
        for host in fleet.hosts:
            if host.suite == BOOTED:
                host.write("/etc/systemd/logind.conf.d/fleet.conf", SETTINGS)
                host.must(["systemctl", "restart", "systemd-logind.service"])
        yield fleet


class Jobs:
    """Somebody who runs the example."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.controller = Controller(fleet, folder)
        self.playbook = folder / "long_job.yml"
        self.playbook.write_text((ROOT / "docs/examples/long_job.yml").read_text(encoding="utf-8"), encoding="utf-8")

    def start(self, **variables: Any) -> Started:
        told = json.dumps(dict({"job_command": JOB, "job_poll": 1}, **variables))
        return self.controller.start("--extra-vars", told, playbook=str(self.playbook))

    def wait_for_polls(self, started: Started) -> None:
        """Wait until the run has asked every host how its job does."""

        def polled() -> bool:
            assert started.process.poll() is None, started.output()
            return all("ASYNC POLL on %s:" % host.name in started.output() for host in self.controller.fleet.hosts)

        eventually(polled, "the run waits for the jobs")

    def require_done(self, run: Run) -> None:
        """The run has told how each job ended, and left nothing but what the job itself has made."""
        assert run.rc == 0, run.output
        for host in self.controller.fleet.hosts:
            assert len(begun(host)) == 1
            log = self.playbook.parent / "logs" / host.name / LOG[1:]
            assert log.read_text(encoding="utf-8").splitlines() == ["all is done"]
            assert host.sessions("admin") == []
            assert host.run(["test", "-e", LOG]).rc == 1
        assert run.output.count("exit_status: 0") == len(self.controller.fleet.hosts)


def begun(host: Host) -> Dict[str, bool]:
    """The processes of the job that ever began on a host, and whether they run."""
    pids = host.must(["cat", BEGUN]).split()
    return {pid: host.run(["test", "-d", "/proc/" + pid]).rc == 0 for pid in pids}


def await_end(host: Host) -> None:
    eventually(lambda: list(begun(host).values()) == [False], "the job has ended")


def cut_off(fleet: Fleet) -> None:
    for host in fleet.hosts:
        host.cut_off()


def test_a_run_that_lost_its_hosts_is_started_again_and_goes_on_with_the_same_jobs(two: Fleet, tmp_path: Path) -> None:
    jobs = Jobs(two, tmp_path)
    # If it has come so far that it polls, it tries to reach them again for as long as it waits, and a minute more.
    first = jobs.start(job_wait="20s", job_poll=20)
    eventually(lambda: "TASK [Wait for its end]" in first.output() or first.process.poll(), "all jobs have begun")
    cut_off(two)
    try:
        lost = first.end()
        assert lost.rc != 0, lost.output
        assert "exit_status" not in lost.output, lost.output
        for host in two.hosts:
            assert list(begun(host).values()) == [True]
        # One job goes on and is waited for by the next run, the other ends while nobody can look.
        ended = two.hosts[0]
        ended.must(["touch", GO])
        await_end(ended)
    finally:
        for host in two.hosts:
            host.rejoin()
    second = jobs.start()
    eventually(
        lambda: "ASYNC POLL on %s:" % two.hosts[1].name in second.output() or second.process.poll() is not None,
        "the run waits for the job that goes on",
    )
    two.hosts[1].must(["touch", GO])
    jobs.require_done(second.end())


def test_a_run_waits_on_when_its_hosts_are_back_in_time(two: Fleet, tmp_path: Path) -> None:
    jobs = Jobs(two, tmp_path)
    run = jobs.start()
    jobs.wait_for_polls(run)
    cut_off(two)
    try:
        two.log_out()  # The connection that was is gone, and not only silent.
        for host in two.hosts:
            host.must(["touch", GO])
            await_end(host)
    finally:
        for host in two.hosts:
            host.rejoin()
    jobs.require_done(run.end())
