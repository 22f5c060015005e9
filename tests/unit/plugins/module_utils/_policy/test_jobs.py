# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A job is known again by its hash, and what is no record of it is taken for none."""

import hashlib
import json
from typing import Any, Dict, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy import jobs
from ansible_collections.fleet.tmux.plugins.module_utils._policy.jobs import BrokenRecord, JobError, JobRecord
from hypothesis import given
from hypothesis import strategies as st

KEY = b"k" * jobs.KEY_BYTES
RECORD = JobRecord("job", "/s", "d" * 64, 0, "", 1800000000, 5, 1800000005, "/log", "h")
NUMBER = st.integers(0, 2**53 - 1)
RECORDS = st.builds(
    JobRecord,
    name=st.text(),
    socket=st.text(),
    digest=st.text(),
    exit_status=st.none() | NUMBER,
    signal=st.sampled_from(["", "9", "KILL", "SIGRTMIN+3"]),
    started=NUMBER,
    seconds=st.none() | NUMBER,
    recorded=NUMBER,
    log=st.none() | st.text(),
    host=st.text(),
)
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=3)


@given(RECORDS)
def test_what_is_written_is_read_again(record: JobRecord) -> None:
    assert jobs.read(jobs.written(record), record.name, record.socket, record.host) == record


@given(st.sampled_from(JobRecord._fields), JSON)
def test_what_is_no_record_is_not_taken_for_one(field: str, value: Any) -> None:
    """Whatever stands in one field, it is refused, or of the type that it has to be."""
    data = json.dumps(dict(RECORD._asdict(), format=1, **{field: value})).encode("ascii")
    try:
        found = jobs.read(data, "job", "/s", "h")
    except BrokenRecord:
        return
    assert found == RECORD._replace(**{field: value}) and type(value) in (type(getattr(RECORD, field)), type(None))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BrokenRecord):
        jobs.read(data, "job", "/s", "h")


@pytest.mark.parametrize(
    "data", [b"[" * 100000, b"[]", b"1", b'{"format": 1}', b'{"format": true}', "é".encode(), b'{"format": 1, "a": 1}']
)
def test_neither_are_these(data: bytes) -> None:
    with pytest.raises(BrokenRecord):
        jobs.read(data, "job", "/s", "h")


@pytest.mark.parametrize("word", ["two words", "9\n", "x" * 21, "é"])
def test_its_owner_cannot_say_anything_with_it(word: str) -> None:
    """Of what is told of a record, the signal is the only text."""
    with pytest.raises(BrokenRecord, match="its signal is nothing that was recorded"):
        jobs.read(jobs.written(RECORD._replace(signal=word)), "job", "/s", "h")


def test_a_record_of_another_session_or_host_is_of_another_job() -> None:
    for name, socket, host in (("other", "/s", "h"), ("job", "/other", "h"), ("job", "/s", "i")):
        with pytest.raises(BrokenRecord, match="it is of another job"):
            jobs.read(jobs.written(RECORD), name, socket, host)


def test_the_hash_is_of_everything_and_needs_the_key() -> None:
    declared: Dict[str, Any] = {"command": "a", "argv": (), "log": None}
    one = jobs.digest(declared, {"A": "1"}, KEY)
    assert one == jobs.digest(dict(reversed(list(declared.items()))), {"A": "1"}, KEY) and len(one) == 64
    others = [
        jobs.digest(dict(declared, command="b"), {"A": "1"}, KEY),
        jobs.digest(dict(declared, log="/a"), {"A": "1"}, KEY),
        jobs.digest(declared, {"A": "2"}, KEY),
        jobs.digest(declared, {"B": "1"}, KEY),
        jobs.digest(declared, {}, KEY),
        jobs.digest(declared, {"A": "1"}, b"l" * jobs.KEY_BYTES),
    ]
    assert len({one, *others}) == 7


def test_a_guess_at_secret_values_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has the key, too, must do all of the rounds for each guess."""
    rounds: List[Tuple[str, bytes, int]] = []

    def counted(name: str, values: bytes, salt: bytes, number: int) -> bytes:
        rounds.append((name, salt, number))
        return values

    monkeypatch.setattr(hashlib, "pbkdf2_hmac", counted)
    jobs.digest({}, {"A": "hush"}, KEY)
    assert rounds == [("sha256", KEY, 200000)]


MINE, OTHER = "d" * 64, "e" * 64


@pytest.mark.parametrize(
    "wanted, there, mark, record, rerun, said",
    [
        (None, False, None, None, False, "run"),
        (MINE, False, None, None, False, "run"),
        (MINE, False, None, RECORD, False, "returned"),
        (MINE, False, None, RECORD, True, "run"),
        (OTHER, False, None, RECORD, False, "run"),
        (MINE, True, MINE, None, False, "waited"),
        (MINE, True, MINE, RECORD, False, "waited"),
        (MINE, True, MINE, None, True, "waited"),
        (MINE, True, OTHER, RECORD, True, "is another job, or was declared otherwise"),
        (None, True, OTHER, None, False, "is another job, or was declared otherwise"),
        (MINE, True, None, RECORD, True, "was not made by state=completed"),
        (None, True, None, None, False, "was not made by state=completed"),
    ],
)
def test_what_is_to_be_done(
    wanted: Optional[str], there: bool, mark: Optional[str], record: Optional[JobRecord], rerun: bool, said: str
) -> None:
    try:
        found = jobs.action(wanted, there, mark, record, rerun, "job")
    except JobError as error:
        found = str(error)
    assert found == said or said in found


@pytest.mark.parametrize(
    "more, failed, how",
    [
        ({}, False, "with exit status 0"),
        ({"exit_status": 3}, True, "with exit status 3"),
        ({"exit_status": None, "signal": "9"}, True, "by signal 9"),
        ({"exit_status": None}, True, "in a way that nobody knows"),
    ],
)
def test_how_it_ended(more: Dict[str, Any], failed: bool, how: str) -> None:
    record = RECORD._replace(**more)
    assert (record.failed, record.how) == (failed, how)
