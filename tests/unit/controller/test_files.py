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
from typing import Any

import pytest
from ansible_collections.fleet.tmux.plugins.plugin_utils import _files
from ansible_collections.fleet.tmux.plugins.plugin_utils._files import Folder


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
    Folder(str(place)).prepare("audit.jsonl")
    assert os.listdir(place) == ["audit.jsonl"]
    Folder(str(place)).append("audit.jsonl", ["x"])
    Folder(str(place)).prepare("audit.jsonl")
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
        Folder(str(place)).prepare("audit.jsonl")
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
        Folder(str(place)).prepare("audit.jsonl")
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
