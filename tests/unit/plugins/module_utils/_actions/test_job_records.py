# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records are bounded, whole, and in a directory in which nobody else can have put anything."""

import errno
import os
import stat
import time
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import job_records
from ansible_collections.fleet.tmux.plugins.module_utils._actions.job_records import Records
from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import read_file
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._policy.jobs import JobError, JobRecord

RECORD = JobRecord("job", "/s", "d" * 64, 0, "", 1800000000, 5, 1800000005, "/log", job_records.this_host())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """One on the way to which nobody else can exchange anything; the directory of a test may be open to a group."""
    tmp_path.chmod(0o700)
    return tmp_path


def records(home: Path, place: str = "") -> Records:
    return Records(place or None, User("tester", os.geteuid(), os.getegid(), str(home)), 30)


def folder(home: Path) -> Path:
    return home / job_records.USUAL


def test_they_are_in_the_home_of_their_owner(home: Path) -> None:
    found = records(home)
    assert found.find("job", "/s", make=False) == (b"", None, ())
    assert not (home / ".local").exists(), "a look makes nothing"
    key = found.find("job", "/s", make=True).key
    assert len(key) == 32 and found.find("job", "/s", make=False).key == key
    found.write(RECORD)
    assert found.find("job", "/s", make=False) == (key, RECORD, ())
    assert found.find("other", "/s", make=False).record is None
    assert stat.S_IMODE(folder(home).stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder(home).iterdir()} == {0o600}
    assert len(list(folder(home).iterdir())) == 2, "nothing else is left there"


def test_the_oldest_go(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_records, "RECORDS", 3)
    found = records(home)
    for number in range(5):
        found.write(RECORD._replace(name="job%d" % number))
        for path in folder(home).glob("*.json"):
            os.utime(str(path), (path.stat().st_mtime - 100, path.stat().st_mtime - 100))
    there = [found.find("job%d" % number, "/s", make=False).record is not None for number in range(5)]
    assert there == [False, False, True, True, True]


def test_they_have_so_many_bytes_together(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_records, "TOTAL_BYTES", 1000)
    found = records(home)
    for number in range(5):
        found.write(RECORD._replace(name="job%d" % number))
        assert found.find("job%d" % number, "/s", make=False).record is not None, "the newest one stays"
    assert sum(path.stat().st_size for path in folder(home).glob("*.json")) <= 1000


def test_what_a_run_that_was_cut_off_has_left_goes_and_what_one_writes_now_stays(home: Path) -> None:
    found = records(home)
    found.write(RECORD)
    (own,) = folder(home).glob("*.json")
    draft = "0123456789abcdef"
    ours = [".%s.%s" % (own.name, draft), ".key." + draft, "..key.%s.%s" % (draft, draft)]
    old = [folder(home) / name for name in ours]
    new = folder(home) / (".%s.%s" % (own.name, draft[::-1]))
    for path in [*old, new]:
        path.write_text("{")
    for path in old:
        os.utime(str(path), (time.time() - 7200, time.time() - 7200))
    key = found.find("job", "/s", make=True).key
    os.utime(str(folder(home) / ".key"), (1, 1))
    found.write(RECORD)
    assert ([path.exists() for path in old], new.exists()) == ([False] * 3, True)
    assert found.find("job", "/s", make=False) == (key, RECORD, ())


def test_what_else_its_owner_has_there_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory may be one that has been used for years: its home, say."""
    monkeypatch.setattr(job_records, "RECORDS", 1)
    names = [".bashrc", ".config.json", "package.json", "a.json", ".a.json.0123", "f" * 39 + ".json", ".key.old"]
    for name in names:
        (home / name).write_text("mine")
        os.utime(str(home / name), (1, 1))
    found = records(home, str(home))
    for number in range(3):
        found.write(RECORD._replace(name="job%d" % number))
    assert [name for name in names if not (home / name).exists()] == []
    assert len(list(home.glob("*.json"))) == 5, "one record, and four that are none"


def test_a_record_that_cannot_be_written_leaves_the_old_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = records(home)
    found.find("job", "/s", make=True)
    found.write(RECORD)

    def full(*_words: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(JobError, match="No space left on device"):
        found.write(RECORD._replace(exit_status=3))
    assert found.find("job", "/s", make=False).record == RECORD


def test_where_nothing_can_be_kept_that_is_said_before(home: Path) -> None:
    (home / "file").write_text("")
    for place in ("/proc/self/jobs", str(home / "file" / "jobs"), str(home / "file")):
        for make in (False, True):
            with pytest.raises(JobError, match="jobs_dir: no record of a job can be kept in %s: " % place):
                records(home, place).find("job", "/s", make=make)


@pytest.mark.parametrize("make", [False, True])
def test_where_others_may_have_put_something_nothing_is_read(home: Path, make: bool) -> None:
    found = records(home)
    found.find("job", "/s", make=True)
    found.write(RECORD)
    for path in (folder(home), folder(home).parent):
        path.chmod(0o775)
        with pytest.raises(JobError, match=r"may be written by others \(chmod go-w would help\)"):
            found.find("job", "/s", make=make)
        path.chmod(0o700)
    assert found.find("job", "/s", make=make).record == RECORD


@pytest.mark.parametrize("name", [".key", "record"])
@pytest.mark.parametrize("make", [False, True])
def test_what_goes_wrong_for_a_moment_is_not_taken_for_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, make: bool
) -> None:
    """As a file system of the network says it: neither is the job run again, nor is the key made anew."""
    found = records(home)
    key = found.find("job", "/s", make=True).key
    found.write(RECORD)

    def failing(file: str, *more: Any) -> bytes:
        if (file == ".key") == (name == ".key"):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return read_file(file, *more)

    with monkeypatch.context() as broken:
        broken.setattr(job_records, "read_file", failing)
        with pytest.raises(JobError, match="tester cannot use it: Stale file handle"):
            found.find("job", "/s", make=make)
    assert found.find("job", "/s", make=make) == (key, RECORD, ())


def test_of_two_runs_that_mend_the_key_both_have_the_same(home: Path) -> None:
    """One sees that it is bad, and before it does anything about it, another has made a new one."""
    found = records(home)
    found.find("job", "/s", make=True)
    (folder(home) / ".key").chmod(0o644)
    other = records(home)
    with other._place(make=True) as there:
        mended = records(home).find("job", "/s", make=True).key
        other._remove_bad_key(there.handle)
        assert other._made_key(there.handle) == mended


def test_what_was_run_on_one_host_was_not_on_another_with_the_same_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_records, "RECORDS", 1)
    known = []
    for number in (1, 2, 3):
        (home / "machine-id").write_text("%032x\n" % number)
        monkeypatch.setattr(job_records, "MACHINE_ID", str(home / "machine-id"))
        found = records(home)
        assert found.find("job", "/s", make=True).record is None
        record = RECORD._replace(host=job_records.this_host(), exit_status=number)
        found.write(record)
        known.append((found, record))
        assert ("%032x" % number).encode() not in b"".join(path.read_bytes() for path in folder(home).iterdir())
    assert [found.find("job", "/s", make=False).record for found, _record in known] == [each for _found, each in known]


@pytest.mark.parametrize("text", [None, "", "uninitialized\n"])
def test_a_host_without_an_id_is_known_by_its_name(
    home: Path, monkeypatch: pytest.MonkeyPatch, text: Optional[str]
) -> None:
    path = home / "machine-id"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(job_records, "MACHINE_ID", str(path))
    names = []
    for name in ("one", "two", "one"):
        monkeypatch.setattr(os, "uname", lambda name=name: os.uname_result(("", name, "", "", "")))
        names.append(job_records.this_host())
    assert names[0] == names[2] != names[1]


def test_where_the_id_of_the_host_cannot_be_read_nothing_is_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_records, "MACHINE_ID", str(home))
    with pytest.raises(JobError, match=r"it is not known which host this is: .*: Is a directory"):
        records(home)
