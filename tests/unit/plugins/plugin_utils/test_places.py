# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A place is used only when nobody else could exchange it. What a real other user does is in tests/attacks."""

import os
import stat
from pathlib import Path
from typing import Any, Iterator, List

import pytest
from ansible_collections.fleet.tmux.plugins.plugin_utils import _places
from ansible_collections.fleet.tmux.plugins.plugin_utils._places import contents, directory

SOMEBODY = 4711
"""Neither root nor who runs these tests."""


def opened(path: Path, make: bool = False) -> str:
    """Where a directory that was opened really is."""
    handle = directory(str(path), make)
    try:
        status = os.fstat(handle)
        (found,) = {str(it) for it in [path.resolve()] if os.path.samestat(os.stat(str(it)), status)}
        return found
    finally:
        os.close(handle)


@pytest.fixture
def umask() -> Iterator[None]:
    """No mask at all."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """Names of what belongs to somebody else, as the kernel is made to say."""
    names: List[str] = []
    real = _places._ours

    def ours(status: os.stat_result) -> bool:
        return status.st_ino not in [os.lstat(name).st_ino for name in names] and real(status)

    monkeypatch.setattr(_places, "_ours", ours)
    return names


def test_a_directory_of_ours_is_opened(tmp_path: Path) -> None:
    assert opened(tmp_path) == str(tmp_path.resolve())


def test_what_is_missing_is_made_only_if_asked_for_and_open_to_nobody(tmp_path: Path, umask: None) -> None:
    place = tmp_path / "a" / "b"
    with pytest.raises(FileNotFoundError, match=str(tmp_path / "a")):
        opened(place)
    assert opened(place, make=True) == str(place.resolve())
    assert [stat.S_IMODE(it.stat().st_mode) for it in (place.parent, place)] == [0o755, 0o755]


@pytest.mark.parametrize("which", ["the directory", "one above it"])
def test_a_directory_of_somebody_else_is_refused(tmp_path: Path, foreign: List[str], which: str) -> None:
    place = tmp_path / "a" / "b"
    place.mkdir(parents=True)
    foreign.append(str(place if which == "the directory" else place.parent))
    with pytest.raises(OSError, match="%s belongs to the user" % foreign[0]):
        opened(place, make=True)
    assert os.listdir(place) == []


@pytest.mark.parametrize("target", ["real", "../{}/real", "{root}/real"])
def test_a_link_of_ours_is_followed_and_one_of_somebody_else_is_not(
    tmp_path: Path, foreign: List[str], target: str
) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    (real / "inner").mkdir(parents=True)
    link.symlink_to(target.format(tmp_path.name, root=tmp_path))
    assert opened(link) == str(real.resolve())
    assert opened(link / "inner") == str((real / "inner").resolve())
    foreign.append(str(link))
    for place in (link, link / "inner"):
        with pytest.raises(OSError, match="%s belongs to the user" % link):
            opened(place)


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="Too many levels"):
        opened(tmp_path / "a" / "x")
    with pytest.raises(OSError, match="Too many levels"):
        contents(str(tmp_path / "a"), 1)


@pytest.mark.parametrize(
    "mode, above, itself",
    [(0o755, True, True), (0o711, True, True), (0o700, True, True), (0o777, False, False), (0o1777, True, False)],
)
def test_who_may_write_decides(tmp_path: Path, mode: int, above: bool, itself: bool) -> None:
    place = tmp_path / "a"
    (place / "b").mkdir(parents=True)
    place.chmod(mode)
    for path, fine in ((place / "b", above), (place, itself)):
        if fine:
            assert opened(path) == str(path.resolve())
        else:
            with pytest.raises(OSError, match="%s may be written to by everybody" % place):
                opened(path)


def test_a_group_that_is_not_ours_may_not_write_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "a"
    place.mkdir()
    place.chmod(0o775)
    assert opened(place) == str(place.resolve())
    monkeypatch.setattr(os, "getegid", lambda: SOMEBODY)
    monkeypatch.setattr(os, "getgroups", lambda: [SOMEBODY])
    real = os.fstat

    def fstat(handle: int) -> Any:
        status = real(handle)
        fields = list(status)
        fields[stat.ST_GID] = fields[stat.ST_GID] or SOMEBODY + 1
        return os.stat_result(fields)

    monkeypatch.setattr(os, "fstat", fstat)
    with pytest.raises(OSError, match=r"may be written to by the group \d+, which is not yours"):
        opened(place)


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "x"):
        with pytest.raises(OSError, match=str(tmp_path / "file")):
            opened(place, make=True)


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    before = os.listdir("/dev/fd")
    opened(tmp_path / "a" / "b")
    contents(str(tmp_path / "file"), 1)
    for path in (tmp_path / "none" / "x", tmp_path / "file" / "x", tmp_path / "a"):
        with pytest.raises(OSError, match=str(tmp_path)):
            contents(str(path), 1)
    assert os.listdir("/dev/fd") == before


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_file_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"12345")
    assert contents(str(file), 5) == b"12345"
    with pytest.raises(OSError, match="%s is larger than" % file):
        contents(str(file), 4)


@pytest.mark.parametrize("hindrance", ["fifo", "directory", "device"])
def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path, hindrance: str) -> None:
    place = tmp_path / "x"
    if hindrance == "fifo":
        os.mkfifo(place)
    elif hindrance == "directory":
        place.mkdir()
    else:
        place = Path("/dev/zero")
    with pytest.raises(OSError, match="%s (is no regular file|may be written)" % place):
        contents(str(place), 10)


def test_a_file_of_somebody_else_is_refused(tmp_path: Path, foreign: List[str]) -> None:
    place = tmp_path / "x"
    place.touch()
    foreign.append(str(place))
    with pytest.raises(OSError, match="%s belongs to the user" % place):
        contents(str(place), 10)


def test_a_file_that_everybody_may_write_to_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "x"
    place.touch()
    place.chmod(0o666)
    with pytest.raises(OSError, match="%s may be written to by everybody" % place):
        contents(str(place), 10)


def test_a_link_of_ours_to_a_file_is_followed_and_one_of_somebody_else_is_not(
    tmp_path: Path, foreign: List[str]
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x").write_bytes(b"1")
    link = tmp_path / "link"
    link.symlink_to("sub/x")
    assert contents(str(link), 1) == b"1"
    foreign.append(str(link))
    with pytest.raises(OSError, match="%s belongs to the user" % link):
        contents(str(link), 1)


def test_names_in_messages_are_harmless(tmp_path: Path) -> None:
    place = tmp_path / "a\x1b[2J\n\udcff"
    os.mkfifo(place)
    with pytest.raises(OSError, match="is no regular file") as refused:
        contents(str(place), 1)
    assert str(refused.value).isprintable()
    with pytest.raises(OSError, match="No such file") as refused:
        contents(str(place) + "x", 1)
    assert str(refused.value).isprintable()
