# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories are judged by what was opened, one after the other, and removed however they were filled."""

import os
from pathlib import Path
from typing import List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.folders import (
    Broom,
    Untrusted,
    entered,
    names_in,
    reached,
    read_file,
)

ME = os.geteuid()
ROOT_ONLY = pytest.mark.skipif(ME != 0, reason="left out: needs root to give a directory to somebody else")


def way(path: Path, make: bool = False, alone: bool = True) -> "tuple[str, tuple[str, ...]]":
    with reached(str(path), {ME}, alone=alone, make=make) as there:
        assert os.fstat(there.handle).st_ino == os.stat(there.path).st_ino
        return there.path, there.missing


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Not where the directory is that all may write to."""
    os.chmod(str(tmp_path), 0o755)
    return Path(os.path.realpath(str(tmp_path)))


def test_what_is_missing_is_said_or_made(top: Path) -> None:
    assert way(top / "a" / "b") == (str(top), ("a", "b"))
    assert list(top.iterdir()) == []
    before = os.umask(0o077)
    try:
        assert way(top / "a" / "b", make=True) == (str(top / "a" / "b"), ())
    finally:
        os.umask(before)
    assert (top / "a" / "b").stat().st_mode & 0o7777 == 0o755
    assert way(top / "a" / "." / ".." / "a" / "b") == (str(top / "a" / "b"), ())


def test_links_of_ours_are_followed_as_the_kernel_does(top: Path) -> None:
    (top / "real" / "deep").mkdir(parents=True)
    (top / "relative").symlink_to("real/deep")
    (top / "absolute").symlink_to(str(top / "real"))
    (top / "real" / "up").symlink_to("../relative/..")
    assert way(top / "relative") == (str(top / "real" / "deep"), ())
    assert way(top / "absolute" / "deep") == (str(top / "real" / "deep"), ())
    assert way(top / "absolute" / "up" / "new", make=True) == (str(top / "real" / "new"), ())
    (top / "loop").symlink_to("loop")
    with pytest.raises(Untrusted, match="too many links"):
        way(top / "loop")


@ROOT_ONLY
@pytest.mark.parametrize("make", [True, False])
def test_a_link_or_a_directory_of_somebody_else_ends_the_way(top: Path, make: bool) -> None:
    aim = top / "aim"
    aim.mkdir()
    (top / "link").symlink_to(str(aim))
    os.chown(str(top / "link"), 61999, 61999, follow_symlinks=False)
    hers = top / "hers"
    hers.mkdir()
    (hers / "inner").mkdir()
    os.chown(str(hers), 61999, 61999)
    for place, why in ((top / "link" / "new", "not followed"), (hers / "inner" / "new", "belongs to uid 61999")):
        with pytest.raises(Untrusted, match=why):
            way(place, make=make)
    assert list(aim.iterdir()) == [] and list((hers / "inner").iterdir()) == []


def test_where_others_may_write(top: Path) -> None:
    open_ = top / "open"
    open_.mkdir()
    (open_ / "inner").mkdir()
    os.chmod(str(open_), 0o777)
    for place in (open_, open_ / "inner"):
        with pytest.raises(Untrusted, match=r"may be written by others \(chmod go-w would help\)"):
            way(place)
    os.chmod(str(open_), 0o1777)
    assert way(open_ / "inner") == (str(open_ / "inner"), ())
    assert way(open_, alone=False) == (str(open_), ())
    # Whoever did as with the other one would shut /tmp for all users of the host.
    with pytest.raises(
        Untrusted, match=r"written by others \(it is for all; a directory of one's own in it would do\)"
    ):
        way(open_)
    (open_ / "link").symlink_to("inner")
    with pytest.raises(Untrusted, match="not followed"):
        way(open_ / "link")
    (top / "file").write_text("")
    with pytest.raises(Untrusted, match="is not a directory"):
        way(top / "file" / "x")


def opened(path: Path) -> int:
    return os.open(str(path), os.O_RDONLY | os.O_DIRECTORY)


def test_a_file_is_read_only_if_it_is_one_of_its_owner(top: Path) -> None:
    (top / "file").write_text("12345")
    os.chmod(str(top / "file"), 0o600)
    (top / "link").symlink_to("file")
    os.mkfifo(str(top / "fifo"))
    (top / "open").write_text("1")
    os.chmod(str(top / "open"), 0o666)
    folder = opened(top)
    try:
        assert read_file("file", folder, ME, 5) == b"12345"
        for name, owner, limit, why in (
            ("file", ME, 4, "longer than 4 bytes"),
            ("file", ME + 1, 5, "belongs to uid"),
            ("fifo", ME, 5, "no regular file"),
            ("open", ME, 5, "written by others"),
        ):
            with pytest.raises(Untrusted, match=why):
                read_file(name, folder, owner, limit)
        with pytest.raises(OSError, match="symbolic links"):
            read_file("link", folder, ME, 5)
        with pytest.raises(OSError, match="ot a directory"), entered("link", folder):
            raise AssertionError("a link is no directory")
        assert len(names_in(folder, 2)) == 2 and len(names_in(folder, 99)) == 4
    finally:
        os.close(folder)


def nested(place: Path, depth: int) -> None:
    """Directories within directories, deeper than a path can be long."""
    place.mkdir()
    at = opened(place)
    for _level in range(depth):
        os.mkdir("d", dir_fd=at)
        with open(os.open("f", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=at), "w"):
            pass
        below = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)


def swept(top: Path, entries: int) -> List[str]:
    """What is left where only we may enter, after one broom has taken all from the other directory."""
    pit, folder = opened(top / "pit"), opened(top / "theirs")
    try:
        broom = Broom(pit, entries)
        for name in names_in(pit, 99):
            broom.sweep(name)
        for name in names_in(folder, 99):
            broom.take(name, folder)
    finally:
        os.close(pit)
        os.close(folder)
    return os.listdir(str(top / "pit"))


def test_a_broom_removes_what_is_deep_and_follows_nothing(top: Path) -> None:
    (top / "pit").mkdir()
    (top / "theirs").mkdir()
    (top / "precious").mkdir()
    (top / "precious" / "file").write_text("mine")
    nested(top / "theirs" / "deep", 3000)
    (top / "theirs" / "link").symlink_to(str(top / "precious"))
    (top / "theirs" / "mixed").mkdir()
    (top / "theirs" / "mixed" / "link").symlink_to(str(top / "precious"))
    os.mkfifo(str(top / "theirs" / "mixed" / "fifo"))
    assert swept(top, 10**6) == []
    assert os.listdir(str(top / "theirs")) == [] and os.listdir(str(top / "precious")) == ["file"]


def test_what_a_broom_leaves_the_next_ones_remove(top: Path) -> None:
    (top / "pit").mkdir()
    (top / "theirs").mkdir()
    nested(top / "theirs" / "deep", 100)
    many = top / "theirs" / "many"
    many.mkdir()
    for number in range(300):
        (many / str(number)).write_text("")
    rounds = 1
    while swept(top, 100):
        rounds += 1
        assert rounds < 20 and os.listdir(str(top / "theirs")) == []
    assert rounds > 3
