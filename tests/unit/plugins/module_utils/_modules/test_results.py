# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""However a module ends, what was done reaches the caller, and one server of many does not make it fail."""

import json
import os
import signal
import time
from typing import Any, Dict, List, NoReturn

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.child import Completed
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._modules.results import (
    WARNINGS_LIMIT,
    Defect,
    TaskError,
    apart,
    error_of,
    finish,
    judge_servers,
    told_error,
    warn_each,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import Hung, TmuxError
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.servers import Server
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE

DONE = {"changed": True, "removed": ["work"]}
BEFORE = {"changed": False, "removed": []}


class Ended(Exception):
    """The module has ended."""


class Module:
    """As much of AnsibleModule as the end of a module takes."""

    def __init__(self, **params: str) -> None:
        self.params = params
        self.result: Dict[str, Any] = {}
        self.warnings: List[str] = []

    def exit_json(self, **result: Any) -> NoReturn:
        self.result = result
        raise Ended

    def fail_json(self, msg: str, **result: Any) -> NoReturn:
        self.exit_json(failed=True, msg=msg, **result)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def ended(work: Any, **params: str) -> Dict[str, Any]:
    module = Module(**params)
    with pytest.raises(Ended):
        finish(module, work, BEFORE)  # type: ignore[arg-type]
    return module.result


def raising(error: Exception) -> Any:
    def work() -> NoReturn:
        raise error

    return work


def test_a_module_ends_with_its_result() -> None:
    assert ended(lambda: (DONE, None)) == DONE


def test_what_was_done_before_an_error_is_told_with_it() -> None:
    assert ended(lambda: (DONE, TaskError("no\x1b[0m"))) == dict(DONE, failed=True, msg="no\\x1b[0m")
    told = ended(lambda: (DONE, Hung("tmux did not answer", ["tmux", "-V"])))
    assert told == dict(DONE, failed=True, msg="tmux did not answer", cmd=["tmux", "-V"], rc=None, stdout="", stderr="")


def test_an_error_before_anything_was_done_says_that_nothing_was() -> None:
    assert ended(raising(TaskError("an option"))) == dict(BEFORE, failed=True, msg="an option")


@pytest.mark.parametrize(("uid", "detail"), [(1000, "kind"), (0, "full"), (0, "kind")])
def test_a_defect_is_told_with_where_it_is(uid: int, detail: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    for defect in (KeyError("odd"), ValueError("odd")):
        told = ended(raising(defect), evidence_detail=detail)
        assert told["msg"].startswith("unexpected: %s" % type(defect).__name__) and "in work" in told["exception"]
        # As root, nobody knows whose words are in the values that it was met with.
        assert ("odd" in told["msg"], "odd" in told["exception"].split("in work")[1]) == (
            (False, False) if (uid, detail) == (0, "kind") else (True, True)
        )
        assert told["changed"] is False


def test_what_was_said_to_a_server_of_another_user_is_not_told() -> None:
    error = Hung("tmux did not answer", ["tmux", "word"], Completed(1, b"word", b"word"))
    error.private = True
    told = ended(raising(error))
    assert told == dict(BEFORE, failed=True, msg="tmux did not answer", cmd=[], rc=1, stdout="", stderr="")


def test_what_is_told_of_an_error_has_an_end() -> None:
    error = TmuxError("m" * 10**6, ["w" * 10**6] * 10**4, Completed(1, b"\x1b" * 10**6, b"e" * 10**6))
    told = ended(raising(error))
    assert len(json.dumps(told)) < 60000 and told["cmd"][-1] == "and 9950 more"


def test_the_servers_of_one_do_not_bury_what_is_said_of_others() -> None:
    servers = [server("hung")] * 5000 + [dict(server("denied"), owner="user-%d" % number) for number in range(30)]
    error, _none = judge_servers({"scope": "host", "servers": servers}, "fail")
    assert str(error).endswith("; and 14 more") and "user-15" in str(error)
    sentences = list(judge_servers({"scope": "host", "servers": servers}, "warn")[1])
    assert sentences[:4] == ["server /tmp/s of alice is hung: it is so"] * 3 + [
        "and 4997 more servers of alice could not be used"
    ]
    assert sentences[-1].startswith("server /tmp/s of user-29 is denied")


def test_a_defect_that_a_child_has_met_is_told_with_where_it_is() -> None:
    told = ended(raising(Defect("unexpected: KeyError: 'odd'", "in work")))
    assert told == dict(BEFORE, failed=True, msg="unexpected: KeyError: 'odd'", exception="in work")


def test_what_cannot_be_written_does_not_keep_the_rest_from_it() -> None:
    """As a number of more digits than Python writes would have done, after sessions had been removed."""
    told = ended(lambda: ({"changed": True, "removed": ["work", {1: object()}], "odd": object()}, None))
    assert (told["changed"], told["removed"], told["odd"], told["failed"]) == (True, ["work"], None, True)
    assert "unexpected: TypeError" in told["msg"]


def apart_from_us(work: Any, seconds: float = PATIENCE) -> Dict[str, Any]:
    return ended(lambda: apart(work, BEFORE, seconds, full=True))


def test_what_is_done_apart_comes_back_as_it_was() -> None:
    for work in (
        lambda: (DONE, None),
        lambda: (DONE, TaskError("no")),
        lambda: (DONE, Hung("tmux did not answer", ["tmux", "-V"], Completed(-9, b"half", b"\xff", timed_out=True))),
        raising(TaskError("an option")),
    ):
        assert apart_from_us(work) == ended(work)
    told = apart_from_us(raising(KeyError("odd")))
    assert told["msg"] == "unexpected: KeyError: 'odd'" and "in work" in told["exception"]


def test_what_is_done_apart_is_not_waited_for_without_end() -> None:
    def hang() -> NoReturn:
        time.sleep(PATIENCE)
        raise AssertionError

    told = apart_from_us(hang, 0.5)
    assert told == dict(BEFORE, failed=True, msg="it was not done within 0.5 seconds; what was done is not known")
    told = apart_from_us(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert "ended by signal 9; what was done is not known" in told["msg"]


# --- servers ----------------------------------------------------------------------------------------------------------


def server(status: str) -> Dict[str, Any]:
    return Server("/tmp/s", User("alice", 1000, 1000), status, "it is so" if status != "ok" else "").as_dict()


@pytest.mark.parametrize("status", ["ok", "absent", "foreign", "hung", "denied"])
@pytest.mark.parametrize("scope", ["socket", "own", "host"])
@pytest.mark.parametrize("failed_servers", ["warn", "fail", "ignore"])
def test_the_one_server_that_was_asked_for_must_be_usable_and_of_many_the_option_decides(
    status: str, scope: str, failed_servers: str
) -> None:
    error, warnings = judge_servers({"scope": scope, "servers": [server("ok"), server(status)]}, failed_servers)
    if scope == "socket":
        assert (error is not None, list(warnings)) == (status not in ("ok", "absent"), [])
        return
    bad = status in ("hung", "denied")
    assert (error is not None) == (bad and failed_servers == "fail")
    sentences = [f"server /tmp/s of alice is {status}: it is so"]
    assert list(warnings) == (sentences if bad and failed_servers == "warn" else [])


def test_the_error_of_the_one_server_comes_as_tmux_gave_it() -> None:
    hung = Hung("tmux did not answer", ["tmux", "-V"], Completed(-9, b"half", b"\xff", timed_out=True))
    told = error_of(json.loads(json.dumps(told_error(hung))))
    assert told is not None and error_of(None) is None
    error, _warnings = judge_servers({"scope": "socket", "servers": [server("hung")]}, "ignore", told)
    assert ended(raising(told)) == ended(raising(hung)) and error is told


@pytest.mark.parametrize("scope", ["socket", "host"])
def test_what_was_not_removed_is_a_failure_or_a_warning(scope: str) -> None:
    result = {
        "scope": scope,
        "servers": [server("ok")],
        "not_done": [{"name": "work", "owner": "alice", "detail": "no space"}],
    }
    sentence = "session work of alice was not removed: no space"
    error, warnings = judge_servers(result, "warn")
    if scope == "socket":
        assert isinstance(error, TaskError) and str(error) == sentence
    else:
        assert (error, list(warnings)) == (None, [sentence])


def test_warnings_have_an_end() -> None:
    module = Module()
    warn_each(module, [f"\x07{number}" for number in range(WARNINGS_LIMIT + 5)])  # type: ignore[arg-type]
    assert module.warnings[0] == "\\x070" and len(module.warnings) == WARNINGS_LIMIT + 1
    assert module.warnings[-1] == "and 5 more of the kind"
