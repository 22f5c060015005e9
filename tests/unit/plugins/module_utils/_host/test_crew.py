# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs in children: whatever one of them does, the others are done, and nobody waits for ever."""

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from typing import Any, Dict, List, Optional, Sequence, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import child, crew, kernel
from ansible_collections.fleet.tmux.plugins.module_utils._host.crew import End, Job, Line, Message, Work
from ansible_collections.fleet.tmux.tests.support.processes import alive, started
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually

Heard = List[Tuple[str, Message]]


class Done:
    """What became of jobs: who said what, and who did not come to an end."""

    def __init__(self, *jobs: Job, **more: Any) -> None:
        self.heard: Heard = []
        self.ends: Dict[str, End] = crew.work(jobs, lambda key, message: self.heard.append((key, message)), **more)

    def of(self, key: str) -> List[Message]:
        return [message for who, message in self.heard if who == key]


def job(key: str, work: Work, seconds: float = PATIENCE, more: float = 0.0) -> Job:
    return Job(key, work, seconds, more)


@pytest.fixture
def heard_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the time of a job begin when it is heard: on a busy machine it may be over before a child has begun."""
    look_after = crew._Crew._look_after

    def instead(self: crew._Crew) -> None:
        for each in self._children:
            if not each._said:
                each.deadline = time.monotonic() + each.job.seconds
        look_after(self)

    monkeypatch.setattr(crew._Crew, "_look_after", instead)


def honest(line: Line) -> None:
    line.say({"pid": os.getpid()})


def sleeping(line: Line) -> None:
    honest(line)
    time.sleep(PATIENCE)


def pid_of(done: Done, key: str) -> int:
    return int(done.of(key)[0]["pid"])


# --- what is said


def test_everything_that_is_said_comes_in_order() -> None:
    def talk(line: Line) -> None:
        for number in range(2000):
            line.say({"number": number, "text": "\udcff\n" * 20})

    done = Done(job("a", talk), job("b", talk))
    assert done.ends == {}
    for key in ("a", "b"):
        assert [message["number"] for message in done.of(key)] == list(range(2000))
    assert done.heard[0][1]["text"] == "\udcff\n" * 20


def test_one_long_message_is_whole() -> None:
    text = "x" * 5000000
    done = Done(job("a", lambda line: line.say({"text": text})))
    assert done.of("a") == [{"text": text}]


def test_nothing_to_do_is_done_at_once() -> None:
    assert Done().ends == {}


# --- what goes wrong in a child


def test_a_child_that_hangs_is_ended_and_what_it_had_said_counts(heard_first: None) -> None:
    done = Done(job("hangs", sleeping, 0.5), job("honest", honest))
    assert done.ends == {"hangs": End("it was not done within 0.5 seconds", hung=True)}
    assert done.of("honest") and not alive(pid_of(done, "hangs"))


def test_a_child_that_is_stopped_is_ended(heard_first: None) -> None:
    def stop(line: Line) -> None:
        honest(line)
        os.kill(os.getpid(), signal.SIGSTOP)

    done = Done(job("stopped", stop, 0.5), job("honest", honest))
    assert done.ends["stopped"].hung and done.of("honest")
    assert not alive(pid_of(done, "stopped"))


def test_a_child_that_ignores_signals_is_ended(heard_first: None) -> None:
    def ignore(line: Line) -> None:
        for number in set(range(1, 32)) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        sleeping(line)

    done = Done(job("deaf", ignore, 0.5))
    assert done.ends["deaf"].hung and not alive(pid_of(done, "deaf"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_child_that_dies_halfway(number: int) -> None:
    def die(line: Line) -> None:
        line.say({"half": "x" * 300000})
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.kill(os.getpid(), number)
        time.sleep(PATIENCE)

    done = Done(job("dies", die), job("honest", honest))
    assert done.ends == {"dies": End("the process that worked on it was ended by signal %d" % number)}
    assert done.of("dies") == [{"half": "x" * 300000}] and done.of("honest")


def test_a_child_that_exits_too_early() -> None:
    done = Done(job("exits", lambda _line: os._exit(0)))
    assert done.ends == {"exits": End("the process that worked on it ended too early (exit status 0)")}


def test_a_defect_is_told_with_its_place() -> None:
    def stumble(line: Line) -> None:
        honest(line)
        raise KeyError("nothing of that name")

    done = Done(job("stumbles", stumble), job("honest", honest))
    end = done.ends["stumbles"]
    assert end.reason.startswith("unexpected: KeyError") and "in stumble" in end.trace
    assert done.of("stumbles") and done.of("honest")


def garbage(text: bytes, again: bool = False) -> Work:
    def spoil(line: Line) -> None:
        line.say({"before": True})
        line._connection.sendall(text)
        while again:
            line._connection.sendall(text)

    return spoil


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\n",
        b"nonsense\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b'["say"]\n',
        b'["say",1]\n',
        b'["say",{},1]\n',
        b'["more","much"]\n',
        b'["more",null]\n',
        b'["fail",[]]\n',
        b'["fail",null]\n',
        b'["other",null]\n',
        b"[" * 100000 + b"\n",
        b'["say",' + b'{"a":' * 50000 + b"\n",
        b'["more",' + b"9" * 5000 + b"]\n",
    ],
    ids=lambda text: text[:12].decode("ascii", "replace").strip(),
)
def test_a_child_that_says_what_is_no_message(text: bytes) -> None:
    done = Done(job("mad", garbage(text)), job("honest", honest))
    assert "not understood" in done.ends["mad"].reason
    assert done.of("mad") == [{"before": True}] and done.of("honest")


@pytest.mark.parametrize("text", [b"x" * 65536, b'["say",{}]\n' * 1000])
def test_a_child_that_talks_without_end(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "SAYING", 1000000)
    done = Done(job("mad", garbage(text, again=True)), job("honest", honest))
    assert "more than is listened to" in done.ends["mad"].reason and done.of("honest")


def test_a_child_that_needs_too_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "MEMORY", 50 * 1024 * 1024)

    def grow(line: Line) -> None:
        honest(line)
        everything = []
        while True:
            everything.append(bytearray(1024 * 1024))

    done = Done(job("grows", grow), job("honest", honest))
    assert done.ends == {"grows": End("it needs more memory than it may have")} and done.of("honest")


def test_the_bound_of_memory_is_ours_alone() -> None:
    def programs(line: Line) -> None:
        said = child.run(["sh", "-c", "ulimit -Sv"], env={"PATH": child.SEARCH_PATH}, timeout=PATIENCE)
        line.say({"own": resource.getrlimit(resource.RLIMIT_AS)[0], "program": said.out.decode()})

    (said,) = Done(job("a", programs)).of("a")
    before = resource.getrlimit(resource.RLIMIT_AS)[0]
    assert said["own"] != before
    assert said["program"].strip() == ("unlimited" if before == resource.RLIM_INFINITY else str(before // 1024))


def test_a_process_that_a_child_leaves_behind_holds_nobody_up() -> None:
    """It has the child's end of the line, and never closes it."""

    def leave(line: Line) -> None:
        pid = os.fork()
        if pid == 0:
            time.sleep(PATIENCE)
            os._exit(0)
        line.say({"pid": pid})
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(PATIENCE)

    done = Done(job("leaves", leave), job("honest", honest))
    left = pid_of(done, "leaves")
    try:
        assert alive(left), "it should still have been there: else this shows nothing"
        assert done.ends["leaves"].reason.endswith("ended by signal 9") and done.of("honest")
    finally:
        os.kill(left, signal.SIGKILL)


def test_a_child_that_cannot_be_ended_is_let_go(heard_first: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "_REAP_SECONDS", 0.2)
    monkeypatch.setattr(crew._Child, "kill", lambda _child: None)
    done = Done(job("eternal", sleeping, 0.5), job("honest", honest))
    try:
        assert done.ends["eternal"].hung and done.of("honest")
        assert alive(pid_of(done, "eternal")), "it should still have been there: else this shows nothing"
    finally:
        os.kill(pid_of(done, "eternal"), signal.SIGKILL)
        os.waitpid(pid_of(done, "eternal"), 0)


@pytest.mark.parametrize("ignored", [False, True])
def test_whoever_ignores_the_end_of_children_is_told_all_the_same(ignored: bool) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        done = Done(job("honest", honest), job("exits", lambda _line: os._exit(3)), job("hangs", sleeping, 0.5))
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert sorted(done.ends) == ["exits", "hangs"] and done.of("honest")


# --- when no process can be had


def refuse_forks(monkeypatch: pytest.MonkeyPatch, refused: Sequence[int]) -> None:
    real, count = os.fork, [0]

    def fork() -> int:
        count[0] += 1
        if count[0] in refused:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return real()

    monkeypatch.setattr(os, "fork", fork)


def test_where_no_process_can_be_had_each_job_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_forks(monkeypatch, range(1, 100))
    before = len(os.listdir("/proc/self/fd"))
    done = Done(job("a", honest), job("b", honest))
    assert {end.reason for end in done.ends.values()} == {
        "no process could be started for it: Resource temporarily unavailable"
    }
    assert sorted(done.ends) == ["a", "b"] and len(os.listdir("/proc/self/fd")) == before


def test_a_fork_that_fails_while_others_work_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_forks(monkeypatch, [2])
    done = Done(job("a", honest), job("b", honest), job("c", honest))
    assert done.ends == {} and sorted(key for key, _message in done.heard) == ["a", "b", "c"]


def test_descriptors_that_run_out_cost_no_more_than_the_job() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(int(name) for name in os.listdir("/proc/self/fd")) + 3, hard))
    spare = []
    try:
        while True:
            spare.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        os.close(spare.pop())  # One for the selector, and none for a line.
    try:
        done = Done(job("a", honest))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in spare:
            os.close(descriptor)
    assert "Too many open files" in done.ends["a"].reason
    assert len(os.listdir("/proc/self/fd")) == taken


# --- side by side, and one after the other


def test_jobs_that_wait_do_so_side_by_side(tmp_path: Any) -> None:
    """None is done before all have begun."""

    def meets(line: Line) -> None:
        (tmp_path / str(os.getpid())).touch()
        eventually(lambda: len(os.listdir(str(tmp_path))) == 5, "all have begun")
        honest(line)

    done = Done(*[job(str(number), meets) for number in range(5)])
    assert done.ends == {} and len(done.heard) == 5


def test_no_more_begin_than_there_are_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "PLACES", 2)
    monkeypatch.setattr(crew, "SLOW_SECONDS", PATIENCE)

    def timed(line: Line) -> None:
        line.say({"at": time.monotonic()})
        time.sleep(0.2)
        line.say({"at": time.monotonic()})

    done = Done(*[job(str(number), timed) for number in range(6)])
    spans = [[message["at"] for message in done.of(str(number))] for number in range(6)]
    for begin, _end in spans:
        assert sum(1 for other, its_end in spans if other <= begin < its_end) <= 2


def test_who_is_slow_gives_up_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "PLACES", 2)
    monkeypatch.setattr(crew, "SLOW_SECONDS", 0.2)
    hanging = [job("slow-%d" % number, sleeping, 5.0) for number in range(2)]
    seen: List[Tuple[str, float]] = []
    start = time.monotonic()
    jobs = [*hanging, job("honest", honest)]
    ends = crew.work(jobs, lambda key, _message: seen.append((key, time.monotonic() - start)))
    assert sorted(ends) == ["slow-0", "slow-1"]
    assert dict(seen)["honest"] < time.monotonic() - start - 2.0, "it was heard long before the slow were given up"


def test_more_time_is_granted_up_to_a_limit(heard_first: None) -> None:
    def asks(line: Line) -> None:
        line.ask_for_time(PATIENCE)
        line.ask_for_time(PATIENCE)
        line.ask_for_time(-PATIENCE)
        time.sleep(PATIENCE)

    def needs(line: Line) -> None:
        line.ask_for_time(PATIENCE)
        time.sleep(1.0)
        honest(line)

    done = Done(job("asks", asks, 0.25, 0.5), job("needs", needs, 0.25, PATIENCE))
    assert done.ends == {"asks": End("it was not done within 0.75 seconds", hung=True)} and done.of("needs")


# --- answers


def test_who_waits_is_answered_when_nobody_works_any_more() -> None:
    order: List[str] = []

    def asks(line: Line) -> None:
        line.say({"count": 2})
        line.say({"answer": line.wait()})

    def takes_long(line: Line) -> None:
        time.sleep(1.0)
        honest(line)

    def answer(keys: Sequence[str]) -> Dict[str, Message]:
        order.append("answered")
        return {key: {"of": sorted(keys), "key": key} for key in keys}

    heard: Dict[str, Message] = {}

    def hear(key: str, message: Message) -> None:
        order.append(key)
        heard[key] = message

    ends = crew.work([job("a", asks), job("b", asks), job("slow", takes_long)], hear, answer)
    assert ends == {}
    assert order.index("slow") < order.index("answered") and order.count("answered") == 1
    assert heard["a"] == {"answer": {"of": ["a", "b"], "key": "a"}}


def test_who_waits_takes_no_place_and_no_time(heard_first: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "PLACES", 2)
    monkeypatch.setattr(crew, "SLOW_SECONDS", PATIENCE)

    def asks(line: Line) -> None:
        line.wait()
        honest(line)

    def takes_long(line: Line) -> None:
        time.sleep(2.0)

    jobs = [*[job(str(number), asks, 1.5) for number in range(5)], job("slow", takes_long)]
    done = Done(*jobs, answer=lambda keys: {key: {} for key in keys})
    assert done.ends == {} and len(done.heard) == 5


def test_who_waits_can_be_asked_again() -> None:
    def asks(line: Line) -> None:
        for _time in range(3):
            line.say(line.wait())

    count = [0]

    def answer(keys: Sequence[str]) -> Dict[str, Message]:
        count[0] += 1
        return {key: {"time": count[0]} for key in keys}

    done = Done(job("a", asks), job("b", asks), answer=answer)
    assert done.of("a") == done.of("b") == [{"time": 1}, {"time": 2}, {"time": 3}]


def test_who_is_not_answered_waits_until_those_who_are_have_gone_on() -> None:
    def asks(line: Line) -> None:
        line.say(line.wait())

    order = []

    def answer(keys: Sequence[str]) -> Dict[str, Message]:
        order.append(sorted(keys))
        return {max(keys): {"turn": len(order)}}

    done = Done(job("a", asks), job("b", asks), job("c", asks), answer=answer)
    assert order == [["a", "b", "c"], ["a", "b"], ["a"]]
    assert [done.of(key) for key in "cba"] == [[{"turn": 1}], [{"turn": 2}], [{"turn": 3}]] and not done.ends


@pytest.mark.parametrize("answer", [None, lambda _keys: {}])
def test_whom_nobody_answers_is_ended(answer: Optional[crew.Answer]) -> None:
    def asks(line: Line) -> None:
        honest(line)
        line.wait()

    done = Done(job("a", asks), answer=answer)
    assert done.ends == {"a": End("nobody had an answer for it")} and not alive(pid_of(done, "a"))


def test_who_dies_while_it_waits_is_told() -> None:
    def dies(line: Line) -> None:
        line.send("wait", None)
        os.kill(os.getpid(), signal.SIGKILL)

    def asks(line: Line) -> None:
        line.wait()
        honest(line)

    done = Done(job("dies", dies), job("asks", asks), answer=lambda keys: {key: {} for key in keys})
    assert list(done.ends) == ["dies"] and done.of("asks")


# --- what a child has of us


def test_a_child_has_nothing_open_but_its_line() -> None:
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)

    def look(line: Line) -> None:
        names = [os.readlink("/proc/self/fd/%d" % number) for number in range(3)]
        more = [name for name in os.listdir("/proc/self/fd") if int(name) > 2]
        line.say({"names": names, "more": len([name for name in more if os.path.exists("/proc/self/fd/" + name)])})

    done = Done(job("a", look), job("b", look))
    os.close(reader)
    os.close(writer)
    for key in ("a", "b"):
        assert done.of(key) == [{"names": [os.devnull] * 3, "more": 1}]


PARENT = """
import os, signal, sys, time
from ansible_collections.fleet.tmux.plugins.module_utils._host import child, crew

for number in (signal.SIGINT, signal.SIGTERM):  # Whoever runs the tests may ignore them.
    signal.signal(number, signal.SIG_DFL)

def work(line):
    line.say({"pid": os.getpid()})
    if sys.argv[1] == "client":
        child.run(["sh", "-c", "echo $$ > %s; exec sleep 3600" % sys.argv[2]], timeout=3600)
    time.sleep(3600)

def begins_when_it_is_heard(self, look_after=crew._Crew._look_after):
    for each in self._children:
        if not each._said:
            each.deadline = time.monotonic() + each.job.seconds
    look_after(self)

if sys.argv[1] == "eternal":
    crew._Crew._look_after = begins_when_it_is_heard
    crew._REAP_SECONDS = 0.1
    crew._Child.kill = lambda child: None
    crew.kernel.end_with_parent = lambda parent: None

def hear(key, message):
    print(message["pid"], flush=True)

crew.work([crew.Job("a", work, 3600 if sys.argv[1] != "eternal" else 0.5)], hear)
"""


def parent(kind: str, *words: str) -> "subprocess.Popen[bytes]":
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
    return subprocess.Popen([sys.executable, "-c", PARENT, kind, *words], stdout=subprocess.PIPE, env=env)


def first_pid(process: "subprocess.Popen[bytes]") -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_children_end_with_their_parent(number: int) -> None:
    with parent("plain") as process:
        pid = first_pid(process)
        assert alive(pid)
        process.send_signal(number)
    eventually(lambda: not alive(pid), "the child has ended")


def test_what_children_run_ends_with_them(tmp_path: Any) -> None:
    told = tmp_path / "pid"
    with parent("client", str(told)) as process:
        first_pid(process)
        eventually(lambda: told.exists() and bool(told.read_text()), "the program runs")
        pid = int(told.read_text())
        assert started(pid) is not None
        process.kill()
    eventually(lambda: not alive(pid), "the program has ended")


def test_a_child_that_cannot_be_ended_does_not_hold_our_output_open() -> None:
    with parent("eternal") as process:
        pid = first_pid(process)
        assert process.stdout is not None
        try:
            assert process.stdout.read() == b"" and process.wait(PATIENCE) == 0
            assert alive(pid), "it should still have been there: else this shows nothing"
        finally:
            os.kill(pid, signal.SIGKILL)


def test_whoever_has_no_parent_any_more_does_nothing() -> None:
    pid = os.fork()
    if pid == 0:
        kernel.end_with_parent(2**22 + 1)
        os._exit(7)
    assert os.WEXITSTATUS(os.waitpid(pid, 0)[1]) == 1


def test_what_cannot_be_taken_in_costs_only_the_child_that_said_it() -> None:
    heard: List[str] = []

    def hear(key: str, _message: Message) -> None:
        if key == "odd":
            raise KeyError("ours")
        heard.append(key)

    ends = crew.work([job("odd", sleeping), job("honest", honest)], hear)
    assert (heard, list(ends)) == (["honest"], ["odd"])
    assert "KeyError" in ends["odd"].reason and "in hear" in ends["odd"].trace


def test_whatever_ends_us_leaves_no_child_behind() -> None:
    pids: List[int] = []

    def hear(_key: str, message: Message) -> None:
        pids.append(int(message["pid"]))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crew.work([job("a", sleeping), job("b", sleeping)], hear)
    assert pids and not any(alive(pid) for pid in pids)


def test_how_long_one_waited_is_told(tmp_path: Any) -> None:
    waits = tmp_path / "waits"

    def asks(line: Line) -> None:
        waited: List[float] = []
        line.after_waiting = waited.append
        waits.touch()
        line.wait()
        line.say({"waited": waited})

    def takes_long(_line: Line) -> None:
        eventually(waits.exists, "the other one is about to wait")
        time.sleep(1.0)

    done = Done(job("asks", asks), job("slow", takes_long), answer=lambda keys: {key: {} for key in keys})
    ((seconds,),) = [message["waited"] for message in done.of("asks")]
    assert 0.3 < seconds < PATIENCE
