# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a job once in a session of its own: waits for it, records what became of it, and removes the session."""

import contextlib
import os
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from ansible_collections.fleet.tmux.plugins.module_utils._actions.birth import Birth
from ansible_collections.fleet.tmux.plugins.module_utils._actions.clean_up import Ended, clean_up_after, going
from ansible_collections.fleet.tmux.plugins.module_utils._actions.create import (
    PLACEHOLDER,
    PLACEHOLDER_SECONDS,
    Creator,
)
from ansible_collections.fleet.tmux.plugins.module_utils._actions.job_records import Records
from ansible_collections.fleet.tmux.plugins.module_utils._actions.journal import Journal
from ansible_collections.fleet.tmux.plugins.module_utils._actions.log import log_path
from ansible_collections.fleet.tmux.plugins.module_utils._actions.remove import NOTHING_BEGAN, remove
from ansible_collections.fleet.tmux.plugins.module_utils._actions.settle import runs_nothing
from ansible_collections.fleet.tmux.plugins.module_utils._actions.survivors import Ending
from ansible_collections.fleet.tmux.plugins.module_utils._actions.wait import NO_STATUS, NO_TIME, Fate, Waiting, Wish
from ansible_collections.fleet.tmux.plugins.module_utils._host import processes as proctable
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import brief, shown, when
from ansible_collections.fleet.tmux.plugins.module_utils._modules.home import NOWHERE
from ansible_collections.fleet.tmux.plugins.module_utils._modules.items import (
    WHO,
    Item,
    files_told,
    named,
    still_there,
    who_is,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session import (
    NOTHING,
    TAKEN,
    Changes,
    Outcomes,
    SessionOptions,
    carry_out,
    failure,
    result,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session_hands import (
    PromisingHands,
    WorkingHands,
    files_of,
    planned,
)
from ansible_collections.fleet.tmux.plugins.module_utils._modules.session_wait import late
from ansible_collections.fleet.tmux.plugins.module_utils._modules.single import look_at
from ansible_collections.fleet.tmux.plugins.module_utils._policy import jobs
from ansible_collections.fleet.tmux.plugins.module_utils._policy.cleanups import NOTHING_DONE
from ansible_collections.fleet.tmux.plugins.module_utils._policy.jobs import (
    RETURNED,
    RUN,
    WAITED,
    JobError,
    JobRecord,
)
from ansible_collections.fleet.tmux.plugins.module_utils._policy.plan import Plan
from ansible_collections.fleet.tmux.plugins.module_utils._policy.values import STANDARD_PLACE
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.details import Marks, going_with, job_marks
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Failed, Lost, NoServer, TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.look import Seen
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.members import Members
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import Session
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Host

_DECLARED = ("argv", "chdir", "command", "height", "log", "options", "width", "window_name")
"""What a job is, beside its environment variables."""
_ATTEMPTS, _PAUSE = 50, 0.1
"""How often, and in which intervals, is looked whether another run has begun in the session that it is making."""
_NEW_SECONDS = 10
"""How long a session may have been made before, if it is still being made."""
_PATH_CHARS = 4096
_HANGUPS = ("1", "HUP", "SIGHUP")
"""How tmux may call the signal that comes when a terminal is gone."""

UNKNOWN: Item = {
    "action": None,
    "from_record": False,
    "ended": False,
    "timed_out": False,
    "exit_status": None,
    "signal": None,
    "started": None,
    "seconds": None,
    "recorded": None,
    "content": None,
    "log": None,
    "removed_files": [],
    "left_files": [],
    "reason": "",
}
"""A job of which nothing is known."""

Told = Tuple[Dict[str, Any], Optional[Exception]]


class Task(NamedTuple):
    """What is wanted of a job. ``seconds``: how long it is waited for. ``place``: of its records, if not the usual."""

    options: SessionOptions
    name: str
    rerun: bool = False
    seconds: int = 3600
    fail_on_timeout: bool = True
    fail_on_status: bool = True
    lines: int = 100
    place: Optional[str] = None


def task_of(values: Dict[str, Any], options: SessionOptions) -> Task:
    """What the module's options say of a job."""
    return Task(
        options._replace(keep_exited=True),
        values["name"][0],
        values["rerun"],
        values["wait_timeout"],
        values["fail_on_timeout"],
        values["fail_on_status"],
        values["content_lines"],
        None if values["jobs_dir"] == STANDARD_PLACE else values["jobs_dir"],
    )


class _BeginningHands(WorkingHands):
    """Make the session of a job, and look once more before its command is started in it."""

    last_look: Optional[Callable[[], None]] = None

    def _begin(self) -> Creator:
        creator = super()._begin()
        creator.last_look = self.last_look
        return creator


class _EndingHands(WorkingHands):
    """Remove the session of a job, but only if the server itself finds that nothing has begun in it meanwhile."""

    def remove(self, removals: Changes) -> Changes:
        sessions = [change.session for change in removals if change.session is not None]
        members = Members(proctable.Processes.of(self._seen.server.user.uid))
        self._leaving = [self._with_processes(session, members) for session in sessions]
        for session in sessions:
            self._journal.before(self._entry(session, ""))
        self._removal = remove(self._seen.client, self._seen.listing.version, sessions, NOTHING_BEGAN)
        return tuple(self._answered(change) for change in removals)

    @property
    def spared(self) -> bool:
        """Whether the server has kept it."""
        return any(answer.result == "changed" for answer in self._removal.answers.values())


class Completion:
    """One task about one job, on one server. What was done and found until now is in ``told`` and in ``job``."""

    def __init__(self, host: Host, path: str, task: Task, ending: Ending, journal: Journal, birth: Birth) -> None:
        self._host = host
        self._path = path
        self._task = task
        self._ending = ending
        self._journal = journal
        self._birth = birth
        self._marks = Marks()
        self._see()
        user = self._seen.server.user
        self._records = Records(task.place, user, host.timeout, self._seen.discreet)
        self._log = None if task.options.log is None else log_path(task.options.log, user)
        self._options = task.options
        self._trouble: List[str] = []
        self._before: Optional[JobRecord] = None
        self.told: Dict[str, Any] = dict(NOTHING, **NOWHERE)
        self.job: Item = dict(UNKNOWN, log=self._log and brief(self._log, _PATH_CHARS))

    def _see(self) -> None:
        """Look at the server, and at which of its sessions are of jobs."""
        self._seen = look_at(self._host, self._path)
        self._marks = Marks()
        if self._seen.listing.sessions or self._seen.listing.unread:
            with contextlib.suppress(NoServer, Lost):  # It has ended meanwhile.
                self._marks = job_marks(self._seen.client)

    def run(self, check: bool, with_diff: bool) -> Told:
        """The result, and what went wrong."""
        before = [session.name for session in self._seen.listing.sessions]
        error: Optional[Exception] = None
        try:
            error = self._act(check)
        except Exception as problem:  # pylint: disable=broad-except
            # Also a defect of ours must not lose what was done until then.
            error = problem
        told = dict(self.told, job=self.job, trouble=self._trouble + self._journal.trouble)
        if with_diff and self.job["action"] is not None:
            told["diff"] = self._diff(before, promised=check)
        return told, error

    def _act(self, check: bool) -> Optional[Exception]:
        """:raises JobError: when a session of that name is another job, or no record could be kept."""
        self._require_records_apart()
        known = self._records.find(self._task.name, self._seen.server.socket, make=not check)
        self._trouble += known.trouble
        self._before = known.record
        mark = self._with_digest(known.key)
        self._await_mark()
        session = self._session()
        there = session is not None
        if session is not None and not self._mark_of(session) and _is_placeholder(session):
            raise JobError(
                f"name: session {shown(self._task.name)!r} is just being made, or what a run that was ended has left; "
                f"nothing was run; it goes by itself within {PLACEHOLDER_SECONDS} seconds: try again then"
            )
        action = jobs.action(mark, there, self._mark_of(session), known.record, self._task.rerun, self._task.name)
        self.job["action"] = action
        if action != RUN:
            self._look()
        if known.record is not None and action == RETURNED:
            return self._returned(known.record)
        if check:
            self.job.update(
                ended=None, timed_out=None, reason=None, removed_files=None, left_files=None
            )  # Nobody knows yet.
            return self._promise_run() if session is None else self._promise_end(session)
        if action == WAITED:
            self._note_files()
        error = self._begin() if action == RUN else None
        meanwhile = None if error is None else self._recorded_meanwhile()
        if meanwhile is not None:
            self.job["action"] = RETURNED
            self._retell()
            return self._returned(meanwhile)
        return error or self._finish()

    def _recorded_meanwhile(self) -> Optional[JobRecord]:
        """The record of the job that another run has made since we looked, if one has."""
        known = self._records.find(self._task.name, self._seen.server.socket, make=False)
        own = known.record is not None and known.record.digest == self._options.job
        return known.record if own and known.record != self._before else None

    def _require_unrecorded(self) -> None:
        """Refuse to start what another run has just done. Ours has its name by now, so no other can begin after that.

        :raises Failed: which undoes what was begun.
        """
        if not self._task.rerun and self._recorded_meanwhile() is not None:
            raise Failed("another run has just done the job")

    def _retell(self) -> None:
        """Tell of the server as it is by now."""
        self._see()
        hands, _plan, outcomes = self._ended([])
        self._take(outcomes, hands)

    def _require_records_apart(self) -> None:
        """Refuse to write a log over the records or their key, or to remove them with a job.

        :raises JobError: saying which option names one of them.
        """
        user, place = self._seen.server.user, os.path.normpath(self._records.path)
        cleanup = self._task.options.cleanup or {}
        named_ = [("cleanup.files", path) for path in cleanup.get("files") or ()]
        named_ += [] if self._task.options.log is None else [("log", self._task.options.log)]
        for option, path in named_:
            if os.path.normpath(log_path(path, user)).startswith(place.rstrip("/") + "/"):
                raise JobError(
                    f"{option}: {shown(path)} is in the directory of the records (jobs_dir), where nothing but these "
                    "may be; name another path, or another jobs_dir"
                )

    def _with_digest(self, key: bytes) -> Optional[str]:
        """The hash of the job, which its session will have as a mark; None without a key."""
        if not key:
            return None
        given = self._task.options._asdict()
        declared = {name: given[name] for name in _DECLARED}
        # The mark alone tells whose a session is that was given another name.
        declared.update(name=self._task.name, socket=self._seen.server.socket, host=self._records.host)
        mark = jobs.digest(declared, dict(given["env"]), key)
        self._options = self._task.options._replace(job=mark)
        return mark

    def _session(self) -> Optional[Session]:
        """The session that the job is in, whatever it is called by now; else the one of the job's name.

        :raises JobError: when there is one of which nothing is known.
        """
        listing, name = self._seen.listing, self._task.name
        here = [session for session in listing.sessions if session.name == name]
        own = [session for session in listing.sessions if self._pane_of(session)]
        noted = any(mark.digest == self._options.job for mark in self._marks.panes.values())
        unread = any(lost.name == name or self._is_marked(lost.id) for lost in listing.unread)
        if unread or (listing.unread and noted and not own):
            raise JobError(f"name: what tmux lists of {shown(name)!r} cannot be read, so nothing was run")
        own.sort(key=lambda session: not self._is_marked(session.id))
        return next((session for session in [*own, *here]), None)

    def _is_marked(self, identity: str) -> bool:
        """Whether a session was made for this job. Its pane may be in another one by now."""
        return identity in self._marks.sessions and self._marks.sessions[identity].digest == self._options.job

    def _mark_of(self, session: Optional[Session]) -> Optional[str]:
        """The hash of the job that a session was made for, or holds."""
        if session is None:
            return None
        if self._pane_of(session):
            return self._options.job
        return self._marks.sessions[session.id].digest if session.id in self._marks.sessions else None

    def _pane_of(self, session: Session) -> Optional[str]:
        """The id of the pane that the job runs in, or has run in; None if it is not there."""
        own = {mark.pane for mark in self._marks.of(self._options.job)}
        return next((pane.id for pane in session.panes if pane.id in own), None)

    def _begun(self, session: Session) -> int:
        """When the job was begun that is in a session."""
        noted = [mark.begun for mark in self._marks.of(self._options.job) if mark.pane == self._pane_of(session)]
        return next((begun for begun in noted if begun is not None), session.created)

    # --- looking only

    def _look(self) -> None:
        """Tell of the server as it is."""
        hands = PromisingHands(self._host, self._seen, self._options, birth=self._birth)
        outcomes = carry_out(_removing(self._seen, ()), hands)
        if outcomes.error is not None:
            raise outcomes.error
        self._take(outcomes, hands)

    def _take(self, outcomes: Outcomes, hands: Union[PromisingHands, WorkingHands]) -> None:
        """Add what became of a plan to what is told."""
        told = result(outcomes, self._seen)
        if isinstance(hands, PromisingHands) or outcomes.creations:
            told.update(hands.lives())
            self._trouble += hands.warnings()
        told.update(changed=self.told["changed"] or told["changed"], created=self.told["created"] + told["created"])
        self.told.update(told)

    def _promise_run(self) -> Optional[Exception]:
        """What a run would do that goes as it should."""
        made, _compared = planned("present", [self._task.name], "never", self._options, self._seen)
        hands = PromisingHands(self._host, self._seen, self._options, birth=self._birth)
        outcomes = carry_out(made, hands)
        self._take(outcomes, hands)
        self._promise_removal([{key: item[key] for key in WHO} for item in self.told["created"]])
        return failure(made, outcomes)

    def _promise_end(self, session: Session) -> Optional[Exception]:
        own = self._pane_of(session)
        if own is None:
            return self._lost("its pane is gone")
        self.job.update(started=self._begun(session))
        if not self._is_marked(session.id):
            self._trouble.append(_moved(self._task.name, session))
        elif all(pane.dead or pane.id == own for pane in session.panes):
            self._promise_removal([who_is(self._seen, session)])
        return None

    def _promise_removal(self, items: List[Item]) -> None:
        gone = [tuple(item[key] for key in WHO) for item in items]
        left = [each for each in self.told["sessions"] or [] if tuple(each[key] for key in WHO) not in gone]
        files = files_told(NOTHING_DONE, False)  # The job itself tells of them.
        more = dict(files["more"], survivors=0)
        removed = [dict(item, **dict(files, survivors=[], snapshot=None, more=more)) for item in items]
        self.told.update(changed=bool(items), removed=removed, sessions=left)

    # --- running

    def _begin(self) -> Optional[Exception]:
        """Start the job, or find out that another run has done so this moment."""
        made, _compared = planned("present", [self._task.name], "never", self._options, self._seen)
        hands = _BeginningHands(self._host, self._seen, self._options, self._ending, self._journal, birth=self._birth)
        hands.last_look = self._require_unrecorded
        outcomes = carry_out(made, hands)
        self._take(outcomes, hands)
        error = failure(made, outcomes)
        with contextlib.suppress(TmuxError):
            self._see()
            if error is not None and self._is_there():  # It has begun by renaming its session.
                self._retell()
                return None
        if error is None and outcomes.creations[0].outcome == TAKEN:
            self.job["action"] = None
            self._await_mark()
            self._require_own()
            self.job["action"] = WAITED
        return error

    def _is_there(self) -> bool:
        """Whether the pane of the job is."""
        session = self._session()
        return session is not None and self._is_marked(session.id) and self._pane_of(session) is not None

    def _await_mark(self) -> None:
        """Wait until another run has begun in the session that it is just making, if it does."""
        for _attempt in range(_ATTEMPTS):
            session = self._session()
            if session is None or self._mark_of(session) or time.time() - session.created > _NEW_SECONDS:
                break
            proctable.wait(_PAUSE)
            self._see()

    def _require_own(self) -> None:
        """:raises JobError: when another run has made the session, but for another job."""
        session = self._session()
        mark = self._mark_of(session)
        jobs.action(self._options.job, session is not None, mark, None, False, self._task.name)

    def _finish(self) -> Optional[Exception]:
        """Wait for the job, record what became of it, and remove its session."""
        session, task = self._session(), self._task
        name, pane = (task.name, "") if session is None else (session.name, self._pane_of(session) or "")
        # What somebody has opened beside it says nothing of the job.
        begun = None if session is None else self._begun(session)
        waiting = Waiting(self._seen, Wish([name], lines=task.lines, pane=pane, begun=begun))
        if session is not None:
            waiting.wait(task.seconds)
        waiting.finish()
        fate = waiting.fates[0]
        self._tell_of(fate, begun)
        if fate.found is not None and not self._is_marked(fate.found.id):
            self._trouble.append(_moved(task.name, fate.found))
        if session is not None and not waiting.over:
            self.job["timed_out"] = True
            return late(waiting, task.seconds) if task.fail_on_timeout else None
        if fate.gone or fate.found is None:
            meanwhile = self._recorded_meanwhile()  # Another run that waited for it may have been faster.
            self._retell()
            return self._lost(fate.reason) if meanwhile is None else self._returned(meanwhile)
        record = self._record(fate, fate.found.created if begun is None else begun)
        try:
            self._records.write(record)
        except JobError as problem:
            return JobError(
                f"the command of job {shown(task.name)!r} ended {record.how}; {problem}; its session stays until a run "
                "can record that"
            )
        self.job["recorded"] = record.recorded
        return self._remove(fate) or self._verdict(record)

    def _lost(self, why: str) -> JobError:
        """That it is gone; and what becomes of its session, if there is still something else in it."""
        session = self._session()
        follows = "so another run starts it again"
        if session is not None:
            follows = (
                f"and session {shown(session.name)!r} stays, for something else is in it: remove it with state=absent, "
                "and another run starts the job again"
            )
        return JobError(
            f"job {shown(self._task.name)!r} is gone, and nobody knows how its command ended: {why}; it was not "
            f"recorded, {follows}"
        )

    def _tell_of(self, fate: Fate, begun: Optional[int]) -> None:
        self.job.update(
            ended=bool(fate.ended),
            exit_status=fate.exit_status,
            signal=named(fate.signal) or None,
            started=None if fate.found is None else begun,
            seconds=fate.seconds,
            content=fate.content,
            reason=brief(fate.reason),
        )

    def _record(self, fate: Fate, begun: int) -> JobRecord:
        return JobRecord(
            name=self._task.name,
            socket=self._seen.server.socket,
            digest=self._options.job,
            exit_status=fate.exit_status,
            signal=fate.signal,
            started=begun,
            seconds=fate.seconds,
            recorded=int(time.time()),
            log=self._log,
            host=self._records.host,
        )

    def _remove(self, fate: Fate) -> Optional[Exception]:
        """Remove the session, unless something else lives in it, or somebody has moved the pane to one of others."""
        if fate.found is not None and not self._is_marked(fate.found.id):
            self._spare_files("its pane was moved to another session")
            self._retell()
            return None
        self._see()
        own = [session for session in self._seen.listing.sessions if self._seen.identity(session) == fate.identity]
        if not own:
            self._spare_files(f"session {shown(self._task.name)!r} was gone")
        elif any(not pane.dead for session in own for pane in session.panes):
            self._trouble.append(_stays(own[0]))
            own = []
        else:
            self._clean_up(own[0])  # Before: if we are cut off now, another run finds the session, and does that again.
        hands, plan, outcomes = self._ended(own)
        if hands.spared:
            self._trouble.append(_stays(own[0]))
            self._retell()
            return None
        self._take(outcomes, hands)
        return failure(plan, outcomes)

    def _ended(self, sessions: Sequence[Session]) -> Tuple[_EndingHands, Plan, Outcomes]:
        plan = _removing(self._seen, sessions)
        hands = _EndingHands(self._host, self._seen, self._options, self._ending, self._journal, birth=self._birth)
        return hands, plan, carry_out(plan, hands)

    def _note_files(self) -> None:
        """Have a session that is there know what is declared by now, for whoever sees its end if we are cut off."""
        session, files = self._session(), files_of(self._options, self._seen.server.user)
        if session is None or files is None or not self._is_marked(session.id):
            return
        version = self._seen.listing.version
        try:
            self._seen.client.script(going_with(session.id, files.written()), version)
        except TmuxError as error:
            self._trouble.append(f"cleanup: it could not be noted at session {shown(session.name)!r}: {error.message}")

    def _spare_files(self, why: str) -> None:
        """Without its session nothing keeps another run from beginning, and what is there may be of that one."""
        files = files_of(self._options, self._seen.server.user)
        if files is not None and files.paths:
            self._trouble.append(
                f"cleanup: {why} before the files of the job could be removed; "
                "what is there of them stays, for it may be another run's"
            )

    def _clean_up(self, session: Session) -> None:
        """Remove the files that are to go with the job, and say which could not.

        They are those that this task declares; of one that declares nothing, those that are noted at the session.
        """
        identity = self._seen.identity(session)
        declared = files_of(self._options, self._seen.server.user)
        ended = going(self._seen, [identity])
        if declared is not None:
            panes = {identity: ended.moved(identity)}
            ended = Ended(self._seen, {identity: declared}, [identity], panes=panes)
        self._trouble += ended.trouble
        done = clean_up_after([ended], self._host.timeout, self._records.path).get(identity, NOTHING_DONE)
        discreet = self._seen.discreet and declared is None
        told = files_told(done, discreet)
        self.job.update({key: told[key] for key in ("removed_files", "left_files")})
        if discreet or len(done.left) > len(told["left_files"]):
            self._trouble += still_there(session.name, done)
        self._trouble += [f"cleanup: {each['path']} is still there: {each['reason']}" for each in told["left_files"]]

    # --- verdicts

    def _returned(self, record: JobRecord) -> Optional[Exception]:
        """What is told of a job that was run before."""
        self.job.update(
            from_record=True,
            ended=True,
            exit_status=record.exit_status,
            signal=named(record.signal) or None,
            started=record.started,
            seconds=record.seconds,
            recorded=record.recorded,
            reason=_reason(record),
        )
        return self._verdict(record, f" in an earlier run ({when(record.recorded)}); rerun=true runs it again")

    def _verdict(self, record: JobRecord, more: str = "") -> Optional[Exception]:
        if not (record.failed and self._task.fail_on_status):
            return None
        why = f" ({NO_STATUS})" if record.is_unclear else self._hint(record)
        return JobError(f"the command of job {shown(record.name)!r} ended {record.how}{why}{more}")

    def _hint(self, record: JobRecord) -> str:
        """What may be behind the way in which it has ended."""
        if record.signal.upper() in _HANGUPS:
            return (
                " (tmux sends that when nothing has the terminal of the pane open any more: if the command redirects "
                "its input, output and errors, leave it one of them; option log writes what it prints)"
            )
        shell = runs_nothing(self._seen.client.account) if self._task.options.command is not None else ""
        return shell if record.exit_status else ""

    def _diff(self, before: List[str], promised: bool) -> Dict[str, Dict[str, List[str]]]:
        """The sessions and whether there is a record of the job, before and afterwards."""
        sessions = self.told["sessions"]
        after = before if sessions is None else [item["name"] for item in sessions]
        recorded = ["%s: recorded" % shown(self._task.name)]
        had = self._before is not None
        has_now = promised or had or self.job["recorded"] is not None
        return {
            "before": {"sessions": sorted(shown(name) for name in before), "job": recorded if had else []},
            "after": {"sessions": sorted(shown(name) for name in after), "job": recorded if has_now else []},
        }


def _is_placeholder(session: Session) -> bool:
    """Whether it can be what stands for a session that is being made."""
    commands = [pane.start_command for pane in session.panes]
    return commands == [PLACEHOLDER] and time.time() - session.created <= PLACEHOLDER_SECONDS + _NEW_SECONDS


def _stays(session: Session) -> str:
    return (
        f"session {shown(session.name)!r} stays, for something else runs in it, like what somebody has started in a "
        "window of it; the job has ended and is recorded"
    )


def _moved(job: str, session: Session) -> str:
    return (
        f"the pane of job {shown(job)!r} was moved to session {shown(session.name)!r}: the job is waited for there, "
        "and neither that session nor the pane is removed"
    )


def _reason(record: JobRecord) -> str:
    """Why something of a recorded job is not known."""
    return "; ".join([NO_STATUS] * record.is_unclear + [NO_TIME] * (record.seconds is None))


def _removing(seen: Seen, sessions: Sequence[Session]) -> Plan:
    """A plan for nothing but the end of some sessions."""
    gone = {session.id for session in sessions}
    stay = tuple(session for session in seen.listing.sessions if session.id not in gone)
    return Plan((), tuple(sessions), stay, tuple(seen.listing.unread))
