# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text that is not saved protects, and so does an editor of which that cannot be told; what is saved does not.

A tree like /proc, files as editors leave them, and screens as they draw them.
"""

import os
import stat
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host import peek
from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process, Processes
from ansible_collections.fleet.tmux.plugins.module_utils._host.users import User
from ansible_collections.fleet.tmux.plugins.module_utils._signs import scene as scenes
from ansible_collections.fleet.tmux.plugins.module_utils._signs.editor_names import (
    EMACS,
    NANO,
    OTHER,
    OTHERS,
    VIM,
    family,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs.editor_texts import (
    MODIFIED,
    SAVED,
    Title,
    emacs_modified,
    locked_by,
    nano_title,
    swap,
    unfinished,
    vim_is_empty,
    writes_besides,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs.editors import editors
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import HELPS, SHOWS, WORKS, Actor, Cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import Scene
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign
from ansible_collections.fleet.tmux.tests.support import sessions as make
from hypothesis import example, given
from hypothesis import strategies as st

PID = 4711
TERMINAL = 34816
_VIM = bytes.fromhex("62305649 4d20392e 30000000 00100000 bcae0c6b fb832100".replace(" ", ""))
_NVIM = bytes.fromhex("62305649 4d20382e 30000000 00100000 bdae0c6b ae8b2100".replace(" ", ""))
_NANO = bytes.fromhex("62306e61 6e6f2037 2e320000 00000000 00000000 00000000".replace(" ", ""))
"""How the swap files of vim 9.0, neovim 0.7.2 and nano 7.2 begin; the pid follows."""


def block(modified: int, begin: bytes = _VIM, pid: int = PID, size: int = 4096) -> bytes:
    """The first block of a swap file."""
    whole = (begin + pid.to_bytes(4, "little")).ljust(1007, b"\0") + bytes([modified])
    return whole.ljust(size, b"\0")[:size]


class Screens:
    """What panes show, instead of what a server says of them."""

    def __init__(self, lines: Optional[List[str]]) -> None:
        self.lines = lines

    def of(self, _session: object) -> Dict[str, List[str]]:
        return {} if self.lines is None else {"%1": self.lines}


class Desk:
    """A session with one shell in its pane and one program below it, in a tree like /proc."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.home = folder / "home"
        self.work = folder / "work"
        for each in (self.proc, self.home, self.work):
            each.mkdir()
        self.user = User("tester", os.geteuid(), os.getegid(), str(self.home))
        self.table: Dict[int, Process] = {}
        self.roles: Dict[int, str] = {}
        self.lines: Optional[List[str]] = None
        self.run(100, "bash", 1, "-bash", exe="/usr/bin/bash")

    def run(
        self,
        pid: int,
        command: str,
        parent: int,
        *words: str,
        exe: str = "",
        role: str = WORKS,
        foreground: bool = True,
        terminal: int = TERMINAL,
        others: bool = False,
    ) -> None:
        place = self.proc / str(pid)
        (place / "fd").mkdir(parents=True)
        (place / "fdinfo").mkdir()
        (place / "cmdline").write_bytes(b"".join(os.fsencode(word) + b"\0" for word in words or (command,)))
        (place / "exe").symlink_to(exe or "/usr/bin/" + command)
        (place / "cwd").symlink_to(self.work)
        (place / "root").symlink_to("/")
        made = Process(pid, parent, 100, "S", -1 if others else 5, 0, 0, command, self.user.uid, terminal, pid)
        self.table[pid] = made._replace(foreground=pid if foreground else 100)
        self.roles[pid] = role

    def editor(self, command: str, *words: str, exe: str = "", foreground: bool = True, others: bool = False) -> None:
        self.run(PID, command, 100, *words, exe=exe, foreground=foreground, others=others)

    def hold(self, path: Path, pid: int = PID, flags: int = 0o100002) -> None:
        """Have a process hold a file open."""
        number = len(list((self.proc / str(pid) / "fd").iterdir()))
        (self.proc / str(pid) / "fd" / str(number)).symlink_to(path)
        (self.proc / str(pid) / "fdinfo" / str(number)).write_text("pos:\t0\nflags:\t%o\nmnt_id:\t1\n" % flags)

    def lock(self, *words: str, pid: int = PID) -> None:
        """Have a process have locked a part of what it has opened last."""
        notes = max((self.proc / str(pid) / "fdinfo").iterdir(), key=lambda path: int(path.name))
        notes.write_text(notes.read_text() + "lock:\t%s\n" % " ".join(words))

    def write(self, name: str, data: bytes) -> Path:
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def signs(self) -> List[Sign]:
        pane = make.pane(id="%1", pid=100)
        session = make.session("work", make.window(pane))
        processes = Processes(dict(self.table))
        actors = tuple(Actor(process, self.roles[process.pid]) for process in self.table.values())
        shown = Screens(self.lines)
        cast = Cast(session, actors)._replace(screens=shown)  # type: ignore[arg-type]
        return list(editors(cast, Scene(processes, self.user)))

    def told(self) -> Tuple[Tuple[str, str], ...]:
        """The kinds of signs, and what they say."""
        return tuple((sign.kind, sign.full or sign.what) for sign in self.signs())


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for room in (scenes, peek):
        monkeypatch.setattr(room, "PROC", str(tmp_path / "proc"))
    return Desk(tmp_path)


MAY = (("unsaved", "its text may not be saved"),)
NAMED = (("unsaved", "notes.txt is not saved"),)
NAMELESS = (("unsaved", "its text is not saved"),)
EMPTY_VIM = ["", *["~"] * 10, "[No Name]   0,0-1   All", ""]


# --- vim and neovim


@pytest.mark.parametrize("begin", [_VIM, _NVIM, b"bc" + _VIM[2:], b"bC" + _VIM[2:], b"bd" + _VIM[2:]])
@pytest.mark.parametrize(("byte", "told"), [(0, ()), (0x55, NAMED), (1, NAMED)])
def test_the_swap_file_says_whether_the_text_is_saved(
    desk: Desk, begin: bytes, byte: int, told: Tuple[Tuple[str, str], ...]
) -> None:
    desk.editor("vim", "vim", "notes.txt")
    desk.hold(desk.write(".notes.txt.swp", block(byte, begin)))
    assert desk.told() == told


def test_any_text_of_several_counts(desk: Desk) -> None:
    desk.editor("vim", "vim", "a", "notes.txt")
    desk.hold(desk.write(".a.swp", block(0)))
    desk.hold(desk.write(".notes.txt.swo", block(0x55)))
    assert desk.told() == NAMED


def test_where_the_swap_file_is_does_not_matter_nor_what_it_is_called(desk: Desk) -> None:
    desk.editor("nvim", "nvim", "notes.txt")
    desk.hold(desk.write("state/%home%anna%notes.txt.swp", block(0x55, _NVIM)))
    assert desk.told() == NAMED


def test_a_swap_file_without_a_usual_name_counts_in_vim(desk: Desk) -> None:
    desk.editor("vim", "vim", "notes.txt")
    desk.hold(desk.write("swapped", block(0x55)))
    assert desk.told() == (("unsaved", "swapped is not saved"),)


def test_a_swap_file_whose_name_is_gone_is_read_through_what_holds_it(desk: Desk) -> None:
    # In the real /proc such a link says "(deleted)" and still leads to the file.
    desk.editor("vim", "vim", "notes.txt")
    desk.hold(desk.write(".notes.txt.swp (deleted)", block(0x55)))
    assert desk.told() == NAMED


@pytest.mark.parametrize("data", [b"", b"b0VIM", block(0, size=1000), b"x" * 4096])
def test_a_swap_file_that_is_not_understood_protects(desk: Desk, data: bytes) -> None:
    desk.editor("vim", "vim", "notes.txt")
    desk.hold(desk.write(".notes.txt.swp", data))
    assert desk.told() == MAY


def test_a_pipe_with_the_name_of_a_swap_file_is_not_opened(desk: Desk) -> None:
    desk.editor("vim", "vim", "notes.txt")
    os.mkfifo(str(desk.work / ".notes.txt.swp"))
    desk.hold(desk.work / ".notes.txt.swp")
    assert desk.told() == MAY


@pytest.mark.parametrize(
    ("words", "lines", "told"),
    [
        (("vim",), EMPTY_VIM, ()),
        (("vim", "-u", "vimrc", "--cmd", "set hidden", "+3"), EMPTY_VIM, ()),
        (("vim", "-u", "vimrc", "notes.txt"), EMPTY_VIM, MAY),
        (("vim", "--", "-notes"), EMPTY_VIM, MAY),
        (("vim",), None, MAY),
        (("vim",), ["hello", *EMPTY_VIM[1:]], MAY),
        (("vim", "-n"), EMPTY_VIM, MAY),
        (("vim", "--cmd", "set noswapfile", "notes.txt"), EMPTY_VIM, MAY),
        (("vim", "notes.txt"), ["the first line", *EMPTY_VIM[1:]], MAY),
        (("vim", "-R", "notes.txt"), None, ()),
        (("vim", "-M", "notes.txt"), None, ()),
        (("vim", "-nR", "notes.txt"), None, MAY),
        (("vim", "-R", "-n", "notes.txt"), None, MAY),
        (("view", "notes.txt"), None, ()),
        (("nvim", "+Man!"), None, ()),
        (("nvim", "--server", "/tmp/x", "--remote-ui"), None, ()),
    ],
)
def test_vim_without_a_swap_file(
    desk: Desk, words: Tuple[str, ...], lines: Optional[List[str]], told: Tuple[Tuple[str, str], ...]
) -> None:
    desk.editor(words[0], *words, exe="/usr/bin/vim.basic")
    desk.lines = lines
    assert desk.told() == told


def test_what_is_on_the_screen_is_not_of_an_editor_in_the_background(desk: Desk) -> None:
    desk.editor("vim", "vim", foreground=False)
    desk.lines = EMPTY_VIM
    assert desk.told() == MAY


@pytest.mark.parametrize(("byte", "told"), [(0, ()), (0x55, NAMED)])
def test_a_neovim_of_two_processes_has_its_text_in_the_second(
    desk: Desk, byte: int, told: Tuple[Tuple[str, str], ...]
) -> None:
    desk.editor("nvim", "nvim", "notes.txt")
    desk.run(4712, "nvim", PID, "nvim", "--embed", "notes.txt", terminal=0)
    desk.hold(desk.write("%home%notes.txt.swp", block(byte, _NVIM)), pid=4712)
    assert desk.told() == told


def test_a_program_of_any_name_with_a_swap_file_is_an_editor(desk: Desk) -> None:
    desk.editor("my-ide", "my-ide")
    desk.hold(desk.write(".notes.txt.swp", block(0x55)))
    assert desk.told() == NAMELESS


def test_an_editor_below_a_pager_counts_and_a_helper_does_not(desk: Desk) -> None:
    desk.run(4710, "less", 100, "less", "notes.txt", role=SHOWS)
    desk.run(PID, "vim", 4710, "vim", "notes.txt", role=SHOWS)
    desk.hold(desk.write(".notes.txt.swp", block(0x55)))
    assert desk.told() == NAMED
    desk.roles[PID] = HELPS
    assert desk.told() == ()


# --- nano


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("  GNU nano 7.2                  notes.txt", ()),
        ("  GNU nano 7.2                  notes.txt *", NAMED),
        ("  GNU nano 7.2                  notes.txt        I  S", ()),
        ("  GNU nano 7.2                  notes.txt        Modified", NAMED),
        ("  GNU nano 7.2                  notes.txt        Verändert", MAY),
        ("  GNU nano 7.2                  New Buffer", ()),
        ("  GNU nano 2.9.8                notes.txt        Modified  ", NAMED),
        ("  GNU nano 2.9.8                notes.txt", MAY),
        ("  [2/2]                         other.txt", MAY),
        ("notes.txt", MAY),
        ("", MAY),
    ],
)
def test_the_title_of_nano_says_whether_its_text_is_saved(
    desk: Desk, title: str, told: Tuple[Tuple[str, str], ...]
) -> None:
    # The byte in its lock file stays what it was when the text is saved.
    desk.editor("nano", "nano", "notes.txt")
    desk.write(".other.txt.swp", block(0x55, _NANO))
    desk.lines = [title, "text"]
    assert desk.told() == told


@pytest.mark.parametrize(
    "lines", [None, ["something else"], ["  [1/1]      notes.txt"], ["  GNU nano 2.9.8   notes.txt"]]
)
def test_lock_files_that_were_never_modified_are_enough(desk: Desk, lines: Optional[List[str]]) -> None:
    desk.editor("nano", "nano", "notes.txt")
    desk.lines = lines
    desk.write(".notes.txt.swp", block(0, _NANO))
    assert desk.told() == ()


def test_each_text_needs_a_lock_file_of_this_nano(desk: Desk) -> None:
    desk.editor("nano", "nano", "notes.txt", "sub/other.txt")
    desk.lines = ["  [1/2]                         notes.txt"]
    desk.write(".notes.txt.swp", block(0x55, _NANO))
    lock = desk.write("sub/.other.txt.swp", block(0, _NANO, pid=PID + 1))
    assert desk.told() == MAY
    lock.write_bytes(block(0, _NANO))
    assert desk.told() == ()
    lock.write_bytes(block(0x55, _NANO))
    assert desk.told() == MAY


def test_a_nano_that_only_shows_has_nothing_to_lose(desk: Desk) -> None:
    desk.editor("nano", "nano", "-v", "notes.txt")
    assert desk.told() == ()


# --- emacs

UNMODIFIED = "-UU-:----F1  notes.txt      All L1     (Text) -----"
CHANGED = "-UU-:**--F1  notes.txt      All L1     (Text) -----"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([UNMODIFIED], ()),
        ([CHANGED], NAMELESS),
        (["-UUU:----F1  *scratch*      All L4     (Lisp Interaction ElDoc) --"], ()),
        (["-UU-:----F1  notes.|-UU-:**--F1  notes.t"], NAMELESS),
        (["-UU-(DOS)----F1  dos.txt        All L1     (Text) -----"], ()),
        (["-UUU:%%--F1  work             All L5     (Dired by name) ----"], ()),
        (["-UUU:%*--F1  *compilation*    All L5     (Compilation) ----"], NAMELESS),
        ([UNMODIFIED, "text", CHANGED], NAMELESS),
        (["  notes.txt  1:0  Top   LF UTF-8  Text"], MAY),
        (None, MAY),
    ],
)
def test_the_mode_lines_of_emacs_say_whether_what_it_shows_is_saved(
    desk: Desk, lines: Optional[List[str]], told: Tuple[Tuple[str, str], ...]
) -> None:
    desk.editor("emacs", "emacs", "-nw", "notes.txt", exe="/usr/bin/emacs-nox")
    desk.lines = lines
    assert desk.told() == told


@pytest.mark.parametrize("place", [".", "sub"])
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("anna@host.example.%d:1700000000" % PID, NAMED),
        ("anna@host.%d" % PID, NAMED),
        ("anna@host.%d" % (PID + 1), ()),
        ("nonsense", ()),
    ],
)
@pytest.mark.parametrize("as_link", [True, False])
def test_a_lock_of_emacs_tells_of_a_text_that_is_not_shown(
    desk: Desk, place: str, said: str, told: Tuple[Tuple[str, str], ...], as_link: bool
) -> None:
    desk.editor("emacs", "emacs", "-nw", "sub/a.txt")
    desk.lines = [UNMODIFIED]
    (desk.work / "sub").mkdir()
    path = desk.work / place / ".#notes.txt"
    if as_link:
        path.symlink_to(said)
    else:
        path.write_text(said)
    assert desk.told() == told


@pytest.mark.parametrize("absolute", [True, False])
def test_what_emacs_saves_by_itself_tells_of_texts_elsewhere(desk: Desk, tmp_path: Path, absolute: bool) -> None:
    desk.editor("emacs", "emacs", "-nw")
    desk.lines = [UNMODIFIED]
    lists = desk.home / ".emacs.d" / "auto-save-list"
    lists.mkdir(parents=True)
    saved = tmp_path / "#notes.txt#"
    (lists / (".saves-%d-host~" % PID)).write_text("%s\n%s\n" % (tmp_path / "notes.txt", saved if absolute else "x"))
    assert desk.told() == ()
    saved.write_text("text")
    assert desk.told() == (NAMED if absolute else ())


def test_a_lock_beside_a_file_that_emacs_has_saved_by_itself_counts(desk: Desk, tmp_path: Path) -> None:
    desk.editor("emacs", "emacs", "-nw")
    desk.lines = [UNMODIFIED]
    lists = desk.home / ".config" / "emacs" / "auto-save-list"
    lists.mkdir(parents=True)
    (lists / (".saves-%d-host~" % PID)).write_text("%s\n%s\n" % (tmp_path / "a.txt", tmp_path / "#a.txt#"))
    (tmp_path / ".#notes.txt").symlink_to("anna@host.%d" % PID)
    assert desk.told() == NAMED


def test_a_batch_of_emacs_is_no_editor(desk: Desk) -> None:
    desk.editor("emacs", "emacs", "--batch", "-l", "x.el")
    assert desk.told() == ()


# --- all others


@pytest.mark.parametrize(
    ("command", "exe", "words"),
    [
        ("micro", "/usr/bin/micro", ("micro", "notes.txt")),
        ("editor", "/usr/bin/joe", ("/usr/bin/editor", "notes.txt")),
        ("vi", "/usr/bin/busybox", ("vi", "notes.txt")),
        ("busybox", "/bin/busybox", ("busybox", "vi", "notes.txt")),
        ("view", "/usr/bin/vile", ("view", "notes.txt")),
        ("mc", "/usr/bin/mc", ("mc", "-e", "notes.txt")),
        ("suplemon", "/usr/bin/python3.11", ("/usr/bin/python3", "/usr/bin/suplemon", "notes.txt")),
    ],
)
def test_an_editor_of_another_kind_protects(desk: Desk, command: str, exe: str, words: Tuple[str, ...]) -> None:
    desk.editor(command, *words, exe=exe)
    assert desk.told() == MAY


@pytest.mark.parametrize(
    ("command", "exe", "words"),
    [
        ("emacsclient", "/usr/bin/emacsclient.emacs", ("emacsclient", "-t", "notes.txt")),
        ("mc", "/usr/bin/mc", ("mc",)),
        ("vim", "/usr/bin/bash", ("/bin/bash", "/usr/local/bin/vim", "notes.txt")),
        ("busybox", "/bin/busybox", ("busybox", "top")),
        ("less", "/usr/bin/less", ("less", "vim")),
    ],
)
def test_what_is_no_editor_does_not_protect(desk: Desk, command: str, exe: str, words: Tuple[str, ...]) -> None:
    desk.editor(command, *words, exe=exe)
    assert desk.told() == ()


@pytest.mark.parametrize(
    ("command", "told"), [("vim", MAY), ("nano", MAY), ("editor", MAY), ("gnome-text-edit", MAY), ("top", ())]
)
def test_of_an_editor_that_is_others_only_the_name_counts(
    desk: Desk, command: str, told: Tuple[Tuple[str, str], ...]
) -> None:
    desk.editor(command, others=True)
    assert desk.told() == told


def test_what_its_own_user_may_not_read_is_unknown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    desk.editor("vim", "vim", "notes.txt")
    desk.hold(desk.write(".notes.txt.swp", block(0)))
    monkeypatch.setattr(peek, "beginning_of_open", refuse)
    (sign,) = desk.signs()
    assert sign.kind == "unknown"
    assert sign.said(True, 0) == "a file that it holds open (Permission denied) could not be read (vim)"


def test_a_directory_with_too_many_names_is_unknown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "_NAMES_PER_OWNER", 5)
    desk.editor("emacs", "emacs", "-nw", "notes.txt")
    desk.lines = [UNMODIFIED]
    assert desk.told() == ()
    for number in range(6):
        desk.write(str(number), b"")
    assert [kind for kind, _said in desk.told()] == ["unknown"]


def test_what_is_refused_does_not_hide_what_is_not_saved(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    real = peek.beginning_of_open

    def refuse_one(user: User, pid: int, number: int, size: int) -> Optional[bytes]:
        if pid == 4710:
            raise PermissionError(13, "Permission denied")
        return real(user, pid, number, size)

    monkeypatch.setattr(peek, "beginning_of_open", refuse_one)
    desk.run(4710, "vim", 100, "vim", "a")
    desk.hold(desk.write(".a.swp", block(0)), pid=4710)
    desk.editor("vim", "vim", "notes.txt")
    desk.hold(desk.write(".notes.txt.swp", block(0x55)))
    assert sorted(kind for kind, _said in desk.told()) == ["unknown", "unsaved"]


# --- what stands in files and on screens


@given(st.binary(max_size=1100))
@example(b"")
@example(block(0))
def test_any_bytes_are_a_block_or_none(data: bytes) -> None:
    found = swap(data)
    assert found is None or (data[:1] == b"b" and found.modified == (data[1007] != 0))


@given(st.text(max_size=120))
@example("  GNU nano 7.2  x")
@example("  [1/2]  x")
def test_any_line_is_a_title_or_none(line: str) -> None:
    found = nano_title(line)
    assert found is None or found.state in (MODIFIED, SAVED)


@given(st.lists(st.text(max_size=80), max_size=6))
def test_any_screen_can_be_asked(lines: List[str]) -> None:
    assert emacs_modified([*lines, CHANGED]) is True
    assert vim_is_empty(lines) in (True, False)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["app=# BEGIN;", "BEGIN", "app=*#"], True),
        (["app=# BEGIN;", "BEGIN", "app=*> UPDATE t SET x = 1;", "UPDATE 3", "app=*> "], True),
        (["app=*# SELECT", "app-*# 1"], True),
        (["app=*# COMMIT;", "COMMIT", "app=#"], False),
        (["app=!#"], False),
        (["app=>"], False),
        (["a * b", "=*>"], True),
        (["What is app=*> ?"], False),
        ([], False),
    ],
)
def test_a_transaction_that_psql_shows(lines: List[str], told: bool) -> None:
    assert writes_besides("psql")
    assert (unfinished("psql", lines) is not None) is told


@given(st.text(max_size=80))
def test_any_text_can_be_a_lock(text: str) -> None:
    assert locked_by(text) is None or locked_by(text) is not None
    assert locked_by("%s@host.77:12" % text) == 77


def test_how_many_texts_nano_has_is_told_by_newer_ones() -> None:
    assert nano_title("  GNU nano 7.2      a") == Title(SAVED, "a", 1)
    assert nano_title("  GNU nano 4.8      a") == Title(SAVED, "a", None)
    assert nano_title("  [2/3]     a") == Title(SAVED, "a", 3)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vim.basic", VIM),
        ("vim.tiny", VIM),
        ("vim.gtk3", VIM),
        ("rvim", VIM),
        ("gvim", VIM),
        ("vimdiff", VIM),
        ("vim91", VIM),
        ("nvim.appimage", VIM),
        (".nvim-wrapped", VIM),
        ("ex", VIM),
        ("rnano", NANO),
        ("emacs-29.4", EMACS),
        ("emacs-pgtk", EMACS),
        ("xemacs", EMACS),
        ("emacsclient", None),
        ("emacsclient.emacs", None),
        ("hx", OTHER),
        ("gnome-text-editor", OTHER),
        ("bash", None),
        ("vimpulse", None),
        ("exim4", None),
        ("", None),
        ("7.2", None),
    ],
)
def test_editors_are_known_by_name(name: str, expected: Optional[str]) -> None:
    assert family([name]) == expected


def test_what_file_it_is_goes_before_what_it_is_called() -> None:
    assert family(["nvi", "vi"]) == OTHER
    assert family(["python3.11", "suplemon"]) == OTHER


def test_no_editor_is_listed_twice() -> None:
    assert len(set(OTHERS)) == len(OTHERS)


# --- opening


def test_nothing_but_a_regular_file_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is opened for reading was a regular file when it was looked at, and can be no other one."""
    user = User("tester", os.geteuid(), os.getegid())
    opened: List[int] = []
    real = os.open

    def watched(path: str, flags: int, *more: object, **named: object) -> int:
        handle = real(path, flags, *more, **named)  # type: ignore[arg-type]
        if not flags & os.O_PATH:
            opened.append(os.fstat(handle).st_mode)
            assert path.startswith("/proc/self/fd/")
            assert flags & os.O_NONBLOCK
            assert flags & os.O_NOCTTY
        return handle

    monkeypatch.setattr(os, "open", watched)
    os.mkfifo(str(tmp_path / "pipe"))
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for name in ("pipe", "link", "."):
        assert peek.beginning(user, str(tmp_path / name), 3) is None
    assert peek.beginning(user, "/dev/tty0" if os.path.exists("/dev/tty0") else "/dev/null", 3) is None
    assert peek.beginning(user, str(tmp_path / "file"), 3) == b"123"
    assert peek.beginning(user, str(tmp_path / "file"), 9) == b"12345"
    assert all(stat.S_ISREG(mode) for mode in opened)
    assert len(opened) == 2


def test_the_list_of_editors_is_documented() -> None:
    root = Path(__file__).resolve().parents[5]
    section = (
        (root / "docs" / "verdict.md").read_text(encoding="utf-8").partition("## Editors")[2].partition("\n## ")[0]
    )
    listed = section.partition("nobody can tell:\n\n")[2].partition(".\n\n")[0]
    assert listed.replace("\n", " ").split(", ") == ["`%s`" % name for name in OTHERS]


@pytest.mark.parametrize(
    ("command", "line", "told"),
    [
        ("mc", "/home/anna/notes.txt   [-M--]  5 L:[  1+ 0   1/  3] *(5   /  27b) 0116 0x074       [*][X]", NAMELESS),
        ("mc", "/home/anna/notes.txt   [----]  0 L:[  1+ 0   1/  3] *(0   /  22b) 0116 0x074       [*][X]", ()),
        ("mc", " 1Help     2Menu     3View     4Edit     5Copy     6RenMov   7Mkdir    8Delete   9PullDn  10Quit", ()),
        (
            "mutt",
            "-- Mutt: Compose  [Approx. msg size: 0.1K   Atts: 1]-----",
            (("unsaved", "a message in it is not sent"),),
        ),
        ("mutt", "---Mutt: =inbox [Msgs:0]---(threads/date)---", ()),
        (
            "alpine",
            "  ALPINE 2.26   COMPOSE MESSAGE            Folder: INBOX",
            (("unsaved", "a message in it is not sent"),),
        ),
        ("alpine", "  ALPINE 2.26   MAIN MENU                  Folder: INBOX", ()),
        ("alpine", "                    C     COMPOSE MESSAGE    -  Compose and send a message", ()),
    ],
)
def test_what_edits_besides_shows_it(desk: Desk, command: str, line: str, told: Tuple[Tuple[str, str], ...]) -> None:
    desk.editor(command)
    desk.lines = ["first", line]
    assert desk.told() == told
    desk.lines = None
    assert desk.told() == ()


@pytest.mark.parametrize(("data", "flags", "kept"), [(b"\0", 0o2, True), (b"", 0o2, False), (b"\0", 0o0, False)])
def test_an_open_transaction_protects(desk: Desk, data: bytes, flags: int, kept: bool) -> None:
    desk.editor("sqlite3", "sqlite3", "a.db")
    desk.hold(desk.write("a.db", b"SQLite format 3"))
    desk.hold(desk.write("a.db-journal", data), flags=flags)
    assert desk.told() == ((("unsaved", "a transaction in it is not committed"),) if kept else ())


@pytest.mark.parametrize(
    ("kind", "span", "name", "kept"),
    [
        ("POSIX  ADVISORY  WRITE", "120 120", "a.db-shm", True),
        ("POSIX  ADVISORY  WRITE", "120 120", "a.log", False),
        ("POSIX  ADVISORY  WRITE", "123 123", "a.db-shm", False),
        ("POSIX  ADVISORY  READ ", "120 120", "a.db-shm", False),
        ("POSIX  ADVISORY  WRITE", "1073741825 1073741825", "a.db", True),
        ("POSIX  ADVISORY  WRITE", "1073741824 1073742335", "a.db", True),
        ("POSIX  ADVISORY  WRITE", "1073741826 1073742335", "a.db", False),
        ("POSIX  ADVISORY  WRITE", "0 EOF", "a.db", False),
        ("FLOCK  ADVISORY  WRITE", "120 120", "a.db-shm", False),
    ],
)
def test_a_transaction_is_known_by_what_it_locks(desk: Desk, kind: str, span: str, name: str, kept: bool) -> None:
    desk.editor("sqlite3", "sqlite3", "a.db")
    desk.hold(desk.write(name, b""))
    desk.lock("1:", kind, str(PID), "fe:00:2400337", span)
    assert desk.told() == ((("unsaved", "a transaction in it is not committed"),) if kept else ())


def test_what_all_have_locked_says_nothing_of_a_program_that_can_be_looked_into(desk: Desk) -> None:
    """Anybody can fill that table."""
    desk.editor("dpkg")
    (desk.proc / "locks").write_text("1: POSIX  ADVISORY  WRITE %d fe:00:77 0 0\n" % PID)
    assert desk.told() == ()


@pytest.mark.parametrize(("command", "kept"), [("dpkg", True), ("rpm", True), ("newsboat", False)])
@pytest.mark.parametrize("holds", [False, True])
@pytest.mark.parametrize("others", [False, True])
def test_what_installs_has_begun_as_long_as_it_holds_its_lock(
    desk: Desk, others: bool, holds: bool, command: str, kept: bool
) -> None:
    """Of another user's only the table of all locks says that."""
    desk.editor(command, others=others)
    desk.hold(desk.write("lock", b""))
    lock = ["1:", "POSIX  ADVISORY  WRITE", str(PID if holds or not others else 7), "fe:00:77", "0 0"]
    if others:
        (desk.proc / "locks").write_text(" ".join(lock) + "\n")
    elif holds:
        desk.lock(*lock)
    told = (("unsaved", "what it installs is not installed in full"),)
    assert desk.told() == (told if kept and holds else ())


@pytest.mark.parametrize("others", [False, True])
def test_partitions_may_not_be_written(desk: Desk, others: bool) -> None:
    desk.editor("fdisk", "fdisk", "/dev/sda", others=others)
    assert desk.told() == (("unsaved", "its changes may not be written"),)


@pytest.mark.parametrize(
    ("last", "kept"), [("Dear Bob,", True), ("Subject: ", True), ("& ", False), ("?", False), ("", False)]
)
@pytest.mark.parametrize("command", ["mailx", "s-nail"])
def test_a_letter_may_be_written_but_at_a_prompt(desk: Desk, command: str, last: str, kept: bool) -> None:
    desk.editor(command, command, "bob")
    desk.lines = [last, "", ""]
    assert desk.told() == ((("unsaved", "a message in it may not be sent"),) if kept else ())


@pytest.mark.parametrize(("byte", "told"), [(0, ()), (0x55, NAMED)])
def test_what_is_called_editor_is_known_by_its_file(desk: Desk, byte: int, told: Tuple[Tuple[str, str], ...]) -> None:
    desk.editor("editor", "/usr/bin/editor", "notes.txt", exe="/usr/bin/vim.basic")
    desk.hold(desk.write(".notes.txt.swp", block(byte)))
    assert desk.told() == told
