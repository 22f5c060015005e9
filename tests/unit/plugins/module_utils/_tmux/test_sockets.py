# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A socket is used only when nobody but its owner and root could have put it there."""

import os
import shutil
import socket
import stat
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import sockets
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.sockets import Unusable
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE

ME = os.geteuid()
OTHER = ME + 1


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory of our own, with a path that is short enough for sockets."""
    path = tempfile.mkdtemp(prefix="fleet-", dir="/tmp")
    yield Path(path)
    shutil.rmtree(path)


def bind(path: Path, listen: bool = False) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    path.chmod(0o600)
    if listen:
        made.listen(1)
    return made


def refused(action: Callable[[], Any]) -> Tuple[str, str]:
    with pytest.raises(Unusable) as caught:
        action()
    return caught.value.status, caught.value.reason


def trust(path: Path) -> int:
    return sockets.require_trusted(str(path))


class Owners:
    """Lets files seem to belong to somebody else, or to have another mode."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.uids: Dict[str, int] = {}
        self.modes: Dict[str, int] = {}
        self._real = os.lstat
        monkeypatch.setattr(os, "lstat", self._lstat)

    def _lstat(self, path: Any, **more: Any) -> os.stat_result:
        real = self._real(path, **more)
        found: List[Any] = list(real)
        found[stat.ST_UID] = self.uids.get(str(path), real.st_uid)
        mode = self.modes.get(str(path), stat.S_IMODE(real.st_mode))
        found[stat.ST_MODE] = stat.S_IFMT(real.st_mode) | mode
        return os.stat_result(found)


@pytest.fixture
def owners(monkeypatch: pytest.MonkeyPatch) -> Owners:
    return Owners(monkeypatch)


# --- the socket itself


def test_the_default_path_is_that_of_tmux() -> None:
    assert sockets.default_path(1234) == "/tmp/tmux-1234/default"
    assert sockets.default_path(0, "work") == "/tmp/tmux-0/work"


def test_an_own_socket_in_an_own_directory_is_trusted(folder: Path) -> None:
    with bind(folder / "s"):
        assert trust(folder / "s") == ME


def test_what_is_no_socket_is_not_used(folder: Path) -> None:
    with bind(folder / "s"):
        (folder / "link").symlink_to(folder / "s")
        (folder / "file").write_text("")
        (folder / "directory").mkdir()
        os.mkfifo(str(folder / "fifo"))
        assert refused(lambda: trust(folder / "link")) == ("unreachable", "it is a symbolic link")
        for name in ("file", "directory", "fifo"):
            assert refused(lambda name=name: trust(folder / name)) == ("unreachable", "it is not a socket")  # type: ignore[misc]


def test_nothing_there_is_absent(folder: Path) -> None:
    (folder / "file").write_text("")
    for path in (folder / "s", folder / "none" / "s", folder / "file" / "s"):
        assert refused(lambda path=path: trust(path))[0] == "absent"  # type: ignore[misc]


def test_a_path_that_no_socket_can_have_is_said_to_be_too_long(folder: Path) -> None:
    short = folder / ("x" * (107 - len(str(folder)) - 1))
    with bind(short):
        assert trust(short) == ME
    status, reason = refused(lambda: trust(Path(str(short) + "x")))
    assert status == "unreachable"
    assert "107 bytes" in reason
    wide = folder / ("é" * 50)  # characters do not count, bytes do
    assert "107 bytes" in refused(lambda: trust(wide))[1]


def test_a_socket_that_everybody_may_write_to_is_not_used(folder: Path) -> None:
    with bind(folder / "s"):
        (folder / "s").chmod(0o660)
        assert trust(folder / "s") == ME
        (folder / "s").chmod(0o770)  # as tmux does while a client is attached
        assert trust(folder / "s") == ME
        (folder / "s").chmod(0o662)
        assert "everybody may write" in refused(lambda: trust(folder / "s"))[1]


def test_a_directory_that_cannot_be_looked_at_is_denied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lstat(path: Any, **_more: Any) -> os.stat_result:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "lstat", lstat)
    assert refused(lambda: trust(folder / "s"))[0] == "denied"
    assert refused(lambda: sockets.require_own_directory(str(folder), ME))[0] == "denied"


# --- the directories above it


def test_a_directory_of_somebody_else_is_not_trusted(folder: Path, owners: Owners) -> None:
    with bind(folder / "s"):
        owners.uids[str(folder / "s")] = OTHER
        owners.uids[str(folder)] = OTHER + 1
        status, reason = refused(lambda: trust(folder / "s"))
        assert status == "unreachable"
        assert reason == "the directory %s belongs to uid %d, not to uid %d" % (folder, OTHER + 1, OTHER)
        owners.uids[str(folder)] = 0
        assert trust(folder / "s") == OTHER, "root may do anything anyway"
        owners.uids[str(folder)] = OTHER
        assert trust(folder / "s") == OTHER


@pytest.mark.parametrize(
    "mode, trusted, birthplace",
    [(0o700, True, True), (0o755, True, True), (0o770, False, False), (0o757, False, False), (0o1777, True, False)],
)
def test_who_may_write_to_the_directory_decides(folder: Path, mode: int, trusted: bool, birthplace: bool) -> None:
    inner = folder / "inner"
    inner.mkdir()
    inner.chmod(mode)
    with bind(inner / "s"):
        if trusted:
            assert trust(inner / "s") == ME
        else:
            status, reason = refused(lambda: trust(inner / "s"))
            assert status == "unreachable"
            assert str(inner) in reason and "chmod go-w" in reason
    if birthplace:
        sockets.require_own_directory(str(inner), ME, birth=True)
    else:
        remedy = "it is for all; a directory of one's own in it would do" if mode & 0o1000 else "chmod go-w would help"
        assert remedy in refused(lambda: sockets.require_own_directory(str(inner), ME, birth=True))[1]


def test_every_directory_above_counts(folder: Path) -> None:
    deep = folder / "a" / "b" / "c"
    deep.mkdir(parents=True)
    with bind(deep / "s"):
        assert trust(deep / "s") == ME
        (folder / "a").chmod(0o777)
        assert str(folder / "a") in refused(lambda: trust(deep / "s"))[1]
        (folder / "a").chmod(0o1777)
        assert trust(deep / "s") == ME


def test_a_sticky_directory_above_is_no_bad_birthplace(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    folder.chmod(0o1777)
    sockets.require_own_directory(str(inner), ME, birth=True)


def test_links_are_followed_and_what_they_lead_to_counts(folder: Path, owners: Owners) -> None:
    (folder / "real").mkdir()
    (folder / "way").symlink_to("real")
    owners.uids[str(folder / "way")] = 0  # as an administrator makes them
    with bind(folder / "real" / "s"):
        assert trust(folder / "way" / "s") == ME
        assert trust(folder / "way" / ".." / "real" / "." / "s") == ME
        (folder / "real").chmod(0o777)
        assert str(folder / "real") in refused(lambda: trust(folder / "way" / "s"))[1]


def test_a_link_of_a_user_is_not_followed(folder: Path, owners: Owners) -> None:
    (folder / "real").mkdir()
    (folder / "way").symlink_to(folder / "real")
    owners.uids[str(folder / "way")] = OTHER
    with bind(folder / "real" / "s"):
        assert refused(lambda: trust(folder / "way" / "s")) == (
            "unreachable",
            "the directory %s is a symbolic link" % (folder / "way"),
        )


def test_what_an_absolute_link_leads_through_counts(folder: Path, owners: Owners) -> None:
    (folder / "open" / "real").mkdir(parents=True)
    (folder / "way").symlink_to(folder / "open" / "real")
    owners.uids[str(folder / "way")] = 0
    (folder / "open").chmod(0o777)
    with bind(folder / "open" / "real" / "s"):
        assert str(folder / "open") + " may be written" in refused(lambda: trust(folder / "way" / "s"))[1]


def test_links_in_a_circle_end(folder: Path, owners: Owners) -> None:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    owners.uids.update({str(folder / "a"): 0, str(folder / "b"): 0})
    status, reason = refused(lambda: sockets.require_own_directory(str(folder / "a"), ME))
    assert status == "unreachable"
    assert "too many links" in reason


def test_a_missing_directory_is_absent_and_a_file_is_none(folder: Path) -> None:
    (folder / "file").write_text("")
    assert refused(lambda: sockets.require_own_directory(str(folder / "none"), ME))[0] == "absent"
    assert "is not a directory" in refused(lambda: sockets.require_own_directory(str(folder / "file"), ME))[1]


def test_the_name_of_a_default_directory_must_be_its_owners(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "DIRECTORIES", str(folder))
    for uid in (ME, OTHER):
        (folder / ("tmux-%d" % uid)).mkdir(mode=0o700)
    with bind(folder / ("tmux-%d" % ME) / "s"), bind(folder / ("tmux-%d" % OTHER) / "s"):
        assert trust(folder / ("tmux-%d" % ME) / "s") == ME
        assert "its directory is named tmux-%d" % OTHER in refused(lambda: trust(folder / ("tmux-%d" % OTHER) / "s"))[1]


# --- who listens


def test_who_listens_is_known_without_a_word(folder: Path) -> None:
    with bind(folder / "s", listen=True) as server:
        assert sockets.listener_at(str(folder / "s"), PATIENCE) == sockets.Peer(os.getpid(), ME)
        connection, _address = server.accept()
        with connection:
            assert connection.recv(1) == b"", "something was said"


def test_a_socket_nobody_listens_at_is_absent(folder: Path) -> None:
    with bind(folder / "s"):
        assert refused(lambda: sockets.listener_at(str(folder / "s"), PATIENCE))[0] == "absent"
    assert refused(lambda: sockets.listener_at(str(folder / "none"), PATIENCE))[0] == "absent"


def test_a_full_queue_is_a_hung_server(folder: Path) -> None:
    waiting: List[socket.socket] = []
    with bind(folder / "s", listen=True):
        try:
            for _time in range(20):
                one = socket.socket(socket.AF_UNIX)
                waiting.append(one)
                one.setblocking(False)
                try:
                    one.connect(str(folder / "s"))
                except BlockingIOError:
                    break
            assert refused(lambda: sockets.listener_at(str(folder / "s"), 0.05))[0] == "hung"
        finally:
            for one in waiting:
                one.close()


def test_a_socket_of_another_kind_is_unreachable(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram:
        datagram.bind(str(folder / "s"))
        status, reason = refused(lambda: sockets.listener_at(str(folder / "s"), PATIENCE))
    assert status == "unreachable"
    assert "cannot connect" in reason


# --- directories that are not what they say


def test_odd_directories_are_told_once_per_owner(folder: Path, owners: Owners, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "DIRECTORIES", str(folder))
    (folder / "tmux-7").mkdir(mode=0o700)
    owners.uids[str(folder / "tmux-7")] = 7  # as it should be
    for name in ("tmux-100", "tmux-101", "tmux-102"):
        (folder / name).mkdir(mode=0o700)
        owners.uids[str(folder / name)] = 9
    (folder / "tmux-8").mkdir()
    owners.uids[str(folder / "tmux-8")] = 8
    owners.modes[str(folder / "tmux-8")] = 0o770
    (folder / "tmux-11").symlink_to("/")
    owners.uids[str(folder / "tmux-11")] = 11
    (folder / "tmux-12").write_text("")
    owners.uids[str(folder / "tmux-12")] = 12
    (folder / "tmux-x").mkdir()
    (folder / "other").mkdir()
    assert sockets.odd_directories() == [
        sockets.OddDirectory(str(folder / "tmux-8"), 8, "others may write to it", 1),
        sockets.OddDirectory(str(folder / "tmux-100"), 9, "it belongs to uid 9, not to the user its name says", 3),
        sockets.OddDirectory(str(folder / "tmux-11"), 11, "it is a symbolic link", 1),
        sockets.OddDirectory(str(folder / "tmux-12"), 12, "it is not a directory", 1),
    ]


def test_a_directory_with_a_number_that_is_none_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "DIRECTORIES", str(tmp_path))
    for name in ("tmux-\u00b2", "tmux-\u0661", "tmux-" + "9" * 200, "tmux-"):
        (tmp_path / name).mkdir()
    assert sockets.odd_directories() == []


def test_a_socket_that_goes_while_it_is_looked_at_is_no_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that makes its socket anew removes the old one first."""
    folder = tempfile.mkdtemp(prefix="fleet-", dir="/tmp")
    path = os.path.join(folder, "s")
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(path)
        os.chmod(path, 0o600)
        before = sockets.require_own_directory

        def meanwhile(*words: Any, **more: Any) -> None:
            before(*words, **more)
            os.unlink(path)

        monkeypatch.setattr(sockets, "require_own_directory", meanwhile)
        assert sockets.require_trusted(path) == os.geteuid()
        with pytest.raises(Unusable) as caught:
            sockets.require_trusted(path)
        assert caught.value.status == "absent"
    finally:
        listener.close()
        shutil.rmtree(folder)
