# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines get to the system log or into a file, each whole, and nobody waits for either."""

import contextlib
import os
import re
import socket
import tempfile
import time
from pathlib import Path
from typing import Iterator, List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import record
from ansible_collections.fleet.tmux.plugins.module_utils._host.record import FILE_BYTES, LINE_BYTES, Record
from hypothesis import given
from hypothesis import strategies as st


class Log:
    """A system log that is not read unless somebody asks."""

    def __init__(self, folder: str, kind: int) -> None:
        self.path = os.path.join(folder, "log")
        self.socket = socket.socket(socket.AF_UNIX, kind)
        self.socket.bind(self.path)
        self._reader = self.socket
        if kind == socket.SOCK_STREAM:
            self.socket.listen(5)

    def lines(self) -> List[bytes]:
        if self.socket.type & socket.SOCK_STREAM:
            connection, _address = self.socket.accept()
            with connection:
                connection.settimeout(0.2)
                return _all_of(connection).split(b"\0")[:-1]
        self.socket.setblocking(False)
        return _all_of(self.socket, b"\n").split(b"\n")[:-1]


def _all_of(connection: socket.socket, end: bytes = b"") -> bytes:
    parts = []
    with contextlib.suppress(BlockingIOError, socket.timeout):
        while True:
            part = connection.recv(65536)
            if not part:
                break
            parts.append(part + end)
    return b"".join(parts)


@contextlib.contextmanager
def log_of(kind: int) -> Iterator[Log]:
    # The path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="fleet-", dir="/tmp") as folder:
        log = Log(folder, kind)
        with contextlib.closing(log.socket):
            yield log


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["datagrams", "stream"])
def test_lines_come_as_the_system_log_has_them(kind: int, tmp_path: Path) -> None:
    with log_of(kind) as log:
        written = Record(log.path, str(tmp_path / "file"))
        for line in ("first", "zw\u00f6lf \u2713"):
            written.write(line)
        lines = log.lines()
        shape = rb"<29>(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 1-3]\d \d\d:\d\d:\d\d fleet-tmux\[%d\]: (.*)"
        found = [re.fullmatch(shape % os.getpid(), line) for line in lines]
        assert [match.group(2).decode("utf-8") for match in found if match] == ["first", "zw\u00f6lf \u2713"]
    assert written.trouble == "" and not (tmp_path / "file").exists()


@given(st.text(max_size=3000))
def test_whatever_is_written_is_one_line_of_bounded_length(text: str) -> None:
    with log_of(socket.SOCK_DGRAM) as log:
        written = Record(log.path, "/nowhere/file")
        written.write(text)
        (line,) = log.lines()
    assert written.trouble == ""
    assert len(line) <= 1024 and line.decode("utf-8").isprintable()


def test_a_log_that_was_started_anew_is_found_again(tmp_path: Path) -> None:
    with log_of(socket.SOCK_DGRAM) as log:
        written = Record(log.path, str(tmp_path / "file"))
        written.write("first")
        log.socket.close()
        os.unlink(log.path)
        log.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        log.socket.bind(log.path)
        written.write("second")
        assert [line.rpartition(b": ")[2] for line in log.lines()] == [b"second"]
    assert written.trouble == "" and not (tmp_path / "file").exists()


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """We are root, and what is ours is root's."""
    if os.geteuid() != 0:
        real = os.geteuid()
        fstat = os.fstat

        def as_root(handle: int) -> os.stat_result:
            found = fstat(handle)
            return os.stat_result([0 if n == 4 and value == real else value for n, value in enumerate(found)])

        monkeypatch.setattr(os, "fstat", as_root)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
    yield


def test_one_that_takes_nothing_costs_less_than_a_second_in_all(root: None, tmp_path: Path) -> None:
    """Its queue is full, and nobody reads: all that it does not take is in the file."""
    pauses: List[float] = []
    with log_of(socket.SOCK_DGRAM) as log, pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", pauses.append)
        written = Record(log.path, str(tmp_path / "file"))
        for number in range(2000):
            written.write("line %d" % number)
        in_log = [line.rpartition(b": ")[2] for line in log.lines()]
    in_file = [line.rpartition(b": ")[2] for line in (tmp_path / "file").read_bytes().splitlines()]
    assert sum(pauses) < 1 and in_log and in_file
    assert in_log + in_file == [b"line %d" % number for number in range(2000)]
    assert written.trouble == ""


def test_where_there_is_none_it_goes_into_a_file_of_roots(root: None, tmp_path: Path) -> None:
    path = tmp_path / "file"
    for line in ("first\nsecond", "third"):
        Record(str(tmp_path / "none"), str(path)).write(line)
    assert path.stat().st_mode & 0o7777 == 0o600
    shape = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{4} fleet-tmux\[\d+\]: (.*)"
    found = [re.fullmatch(shape, line) for line in path.read_text().splitlines()]
    assert [match.group(1) for match in found if match] == ["first\\x0asecond", "third"]


def test_the_file_is_put_aside_when_it_is_long(root: None, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * FILE_BYTES)
    path.chmod(0o600)
    written = Record(str(tmp_path / "none"), str(path))
    written.write("first")
    written.write("second")
    assert (tmp_path / "file.1").stat().st_size == FILE_BYTES
    assert [line.rpartition(b": ")[2] for line in path.read_bytes().splitlines()] == [b"first", b"second"]
    assert written.trouble == ""


@pytest.mark.parametrize("what", ["link", "pipe", "folder", "another name", "open to others", "no folder"])
def test_what_is_no_file_of_ours_alone_is_not_written_to(root: None, what: str, tmp_path: Path) -> None:
    path, other = tmp_path / "file", tmp_path / "other"
    other.write_text("precious")
    if what == "link":
        path.symlink_to(other)
    elif what == "pipe":
        os.mkfifo(str(path))
    elif what == "folder":
        path.mkdir()
    elif what == "another name":
        os.link(str(other), str(path))
    elif what == "open to others":
        path.write_text("")
        path.chmod(0o666)
    else:
        path = tmp_path / "missing" / "file"
    written = Record(str(tmp_path / "none"), str(path))
    written.write("line")
    assert other.read_text() == "precious"
    assert written.trouble.startswith("not all was written to the system log (%s/none: No such file" % tmp_path)
    assert "nor to %s: " % path in written.trouble


def test_who_is_not_root_has_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 61999)
    written = Record(str(tmp_path / "none"), str(tmp_path / "file"))
    written.write("line")
    assert not (tmp_path / "file").exists()
    assert written.trouble == "", "each run would say so again"
    (tmp_path / "none").write_text("")
    written.write("line")
    assert written.trouble == "not all was written to the system log (%s/none): Connection refused" % tmp_path


def test_a_line_is_cut_between_characters() -> None:
    for width in range(4):
        cut = record._cut("x" * width + "\u20ac" * LINE_BYTES)
        assert cut.endswith(b"...") and len(cut) <= LINE_BYTES + 3
        assert set(cut.decode("utf-8")) <= set("x\u20ac.")
