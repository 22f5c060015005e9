# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files are whole or the old ones, and a log keeps every line, whatever happens in between."""

import errno
import fcntl
import multiprocessing
import os
import stat
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.fleet.tmux.plugins.plugin_utils import _files, _places
from ansible_collections.fleet.tmux.plugins.plugin_utils._files import Folder
from ansible_collections.fleet.tmux.plugins.plugin_utils._publish import (
    AUDIT,
    METRICS,
    PAGE,
    REPORT,
    Unprepared,
    prepare,
    publish,
)
from ansible_collections.fleet.tmux.tests.support.reports import whole


def test_a_file_is_written_whole_with_its_mode(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    for text in ("one\n", "two, \u00e9\n"):
        assert folder.write("report.json", text, 0o640) == str(tmp_path / "report.json")
        assert (tmp_path / "report.json").read_text(encoding="utf-8") == text
        assert stat.S_IMODE((tmp_path / "report.json").stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["report.json"]


def test_who_reads_meanwhile_finds_the_old_one_whole(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    folder.write("report.json", "old", 0o640)
    with open(tmp_path / "report.json", encoding="utf-8") as reader:
        folder.write("report.json", "new", 0o640)
        assert reader.read() == "old"


def test_a_full_disk_leaves_the_old_one_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(str(tmp_path))
    folder.write("report.json", "old", 0o640)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        folder.write("report.json", "new", 0o640)
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("precious", encoding="utf-8")
    (tmp_path / "report.json").symlink_to("other")
    Folder(str(tmp_path)).write("report.json", "new", 0o640)
    assert (tmp_path / "other").read_text(encoding="utf-8") == "precious"
    assert not (tmp_path / "report.json").is_symlink()


def test_text_that_is_none_is_written_as_escapes(tmp_path: Path) -> None:
    Folder(str(tmp_path)).write("x", "a\udcff", 0o640)
    assert (tmp_path / "x").read_text(encoding="utf-8") == "a\\udcff"


def test_a_log_is_only_ever_appended_to(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    folder.append("audit.jsonl", ["a", "b"])
    inode = (tmp_path / "audit.jsonl").stat().st_ino
    folder.append("audit.jsonl", ["c"])
    folder.append("audit.jsonl", [])
    assert (tmp_path / "audit.jsonl").read_text(encoding="utf-8") == "a\nb\nc\n"
    assert (tmp_path / "audit.jsonl").stat().st_ino == inode
    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) & 0o137 == 0


def test_a_line_that_was_cut_short_spoils_no_other(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_text('{"a": 1}\n{"b', encoding="utf-8")
    Folder(str(tmp_path)).append("audit.jsonl", ["{}"])
    assert (tmp_path / "audit.jsonl").read_text(encoding="utf-8") == '{"a": 1}\n{"b\n{}\n'


def test_a_write_that_takes_only_a_part_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:3]))
    Folder(str(tmp_path)).append("audit.jsonl", ["0123456789", "x"])
    assert (tmp_path / "audit.jsonl").read_text(encoding="utf-8") == "0123456789\nx\n"


def _append(path: str, letter: str) -> None:
    for _time in range(50):
        Folder(path).append("audit.jsonl", [letter * 5000, letter])


def test_runs_at_the_same_time_do_not_mix_their_lines(tmp_path: Path) -> None:
    context: Any = multiprocessing.get_context("fork")
    writers = [context.Process(target=_append, args=(str(tmp_path), letter)) for letter in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    lines = (tmp_path / "audit.jsonl").read_text(encoding="utf-8").splitlines()
    assert sorted(set(lines)) == ["a", "a" * 5000, "b", "b" * 5000, "c", "c" * 5000]
    assert len(lines) == 300
    for long, short in zip(lines[::2], lines[1::2]):
        assert long == short * 5000


def test_a_folder_is_made_and_nothing_is_left_in_it_but_the_log(tmp_path: Path) -> None:
    place = tmp_path / "a" / "b"
    Folder(str(place)).prepare(["audit.jsonl"])
    assert os.listdir(place) == ["audit.jsonl"]
    Folder(str(place)).append("audit.jsonl", ["x"])
    Folder(str(place)).prepare(["audit.jsonl"])
    assert (place / "audit.jsonl").read_text(encoding="utf-8") == "x\n"


@pytest.mark.parametrize("hindrance", ["link", "directory", "fifo"])
def test_a_log_that_is_something_else_is_refused_before_the_run(tmp_path: Path, hindrance: str) -> None:
    place = tmp_path / "reports"
    place.mkdir()
    log = place / "audit.jsonl"
    if hindrance == "link":
        (tmp_path / "precious").touch()
        log.symlink_to(tmp_path / "precious")
    elif hindrance == "directory":
        log.mkdir()
    else:
        os.mkfifo(log)
    with pytest.raises(OSError, match=str(log)):
        Folder(str(place)).prepare(["audit.jsonl"])
    with pytest.raises(OSError, match=str(log)):
        Folder(str(place)).append("audit.jsonl", ["x"])


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=str(tmp_path / "file")):
        Folder(str(tmp_path / "file")).prepare()


def test_a_folder_that_everybody_may_write_to_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "open"
    place.mkdir()
    place.chmod(0o1777)
    with pytest.raises(OSError, match="may be written to by everybody"):
        Folder(str(place)).prepare(["audit.jsonl"])
    assert os.listdir(place) == []


def test_a_log_of_ours_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    log.touch()
    log.chmod(0o666)
    Folder(str(tmp_path)).append("audit.jsonl", ["x"])
    assert stat.S_IMODE(log.stat().st_mode) == 0o640


def test_who_holds_a_log_does_not_hold_up_a_run_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_files, "PATIENCE", 0.2)
    with open(tmp_path / "audit.jsonl", "w", encoding="utf-8") as holder:
        fcntl.flock(holder, fcntl.LOCK_SH)
        with pytest.raises(OSError, match="is held by another process"):
            Folder(str(tmp_path)).append("audit.jsonl", ["x"])
    Folder(str(tmp_path)).append("audit.jsonl", ["x"])
    assert (tmp_path / "audit.jsonl").read_text(encoding="utf-8") == "x\n"


# --- modes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [0o000, 0o077], ids=oct)
@pytest.mark.parametrize("before", [None, 0o600, 0o666, 0o4777], ids=str)
def test_modes_are_as_documented_whatever_was_there_and_whatever_the_mask(
    tmp_path: Path, mask: int, before: Optional[int]
) -> None:
    place = tmp_path / "new" / "reports"
    if before is not None:
        place.mkdir(parents=True)
        for name in (AUDIT, REPORT, PAGE, METRICS):
            (place / name).touch()
            (place / name).chmod(before)
    real = os.umask(mask)
    try:
        prepare(str(place))
        made = publish(whole(), str(place))
    finally:
        os.umask(real)
    assert [os.path.basename(name) for name in made["files"]] == [AUDIT, REPORT, PAGE, METRICS], made
    assert sorted(os.listdir(place)) == sorted([AUDIT, REPORT, PAGE, METRICS])
    modes = {name: stat.S_IMODE((place / name).stat().st_mode) for name in os.listdir(place)}
    assert modes == {AUDIT: 0o640, REPORT: 0o640, PAGE: 0o640, METRICS: 0o644}
    assert {((place / name).stat().st_uid, (place / name).stat().st_gid) for name in modes} == {
        (os.geteuid(), os.getegid())
    }
    if before is None:
        folders = [stat.S_IMODE(path.stat().st_mode) for path in (place, place.parent)]
        assert folders == [0o755 & ~mask] * 2


def test_files_have_the_group_of_a_directory_that_hands_it_on(tmp_path: Path) -> None:
    place = tmp_path / "reports"
    place.mkdir()
    groups = [group for group in os.getgroups() if group != os.getegid()] or [os.getegid()]
    os.chown(place, -1, groups[0])
    place.chmod(0o2750)
    publish(whole(), str(place))
    assert {(place / name).stat().st_gid for name in os.listdir(place)} == {groups[0]}


# --- what else may stand there ----------------------------------------------------------------------------------------


def test_what_was_opened_is_written_to_whatever_is_put_in_its_place(tmp_path: Path) -> None:
    place, aside, other = tmp_path / "reports", tmp_path / "aside", tmp_path / "other"
    other.mkdir()
    with Folder(str(place)) as folder:
        folder.prepare()
        place.rename(aside)
        place.symlink_to(other)
        folder.write(REPORT, "x", 0o640)
        folder.append(AUDIT, ["x"])
    assert (sorted(os.listdir(aside)), os.listdir(other)) == ([AUDIT, REPORT], [])


@pytest.mark.parametrize("hindrance", ["fifo", "link", "foreign"])
def test_what_is_no_file_of_ours_is_not_read_and_replaced(
    tmp_path: Path, hindrance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if hindrance == "fifo":
        os.mkfifo(tmp_path / METRICS)
    elif hindrance == "link":
        (tmp_path / "precious").write_text("tmux_cleanup_last_cleanup_timestamp_seconds 7\n", encoding="utf-8")
        (tmp_path / METRICS).symlink_to("precious")
    else:
        (tmp_path / METRICS).write_text("tmux_cleanup_last_cleanup_timestamp_seconds 7\n", encoding="utf-8")
        inode = (tmp_path / METRICS).stat().st_ino
        real = _places._ours
        monkeypatch.setattr(_places, "_ours", lambda status: status.st_ino != inode and real(status))
    made = publish(whole(check_mode=True), str(tmp_path))
    assert "failed" not in made
    assert not (tmp_path / METRICS).is_symlink()
    assert "timestamp_seconds 7" not in (tmp_path / METRICS).read_text(encoding="utf-8")


def test_what_an_earlier_run_left_is_read(tmp_path: Path) -> None:
    (tmp_path / METRICS).write_text("tmux_cleanup_last_cleanup_timestamp_seconds 7\n", encoding="utf-8")
    publish(whole(check_mode=True), str(tmp_path))
    assert "timestamp_seconds 7" in (tmp_path / METRICS).read_text(encoding="utf-8")


def test_a_directory_in_the_place_of_a_file_is_found_out_before_the_run(tmp_path: Path) -> None:
    (tmp_path / PAGE).mkdir()
    with pytest.raises(Unprepared, match="%s is a directory" % (tmp_path / PAGE)):
        prepare(str(tmp_path))
    made = publish(whole(), str(tmp_path))
    assert made["msg"].startswith("dir: the report could not be written: report.html:")
    assert [os.path.basename(name) for name in made["files"]] == [AUDIT, REPORT, METRICS]
    assert sorted(os.listdir(tmp_path)) == sorted([AUDIT, REPORT, PAGE, METRICS])


def test_a_directory_that_cannot_be_used_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    made = publish(whole(), str(tmp_path / "file"))
    assert (made["failed"], made["files"]) == (True, [])
    assert made["msg"].count(str(tmp_path / "file")) == 1
    assert "\n\n2 of 7 sessions" in made["table"]
