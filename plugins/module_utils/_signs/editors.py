# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Editors whose text is not saved, or may not be: whatever cannot be told of one protects."""

import os
import re
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Set

from ansible_collections.fleet.tmux.plugins.module_utils._host.processes import Process
from ansible_collections.fleet.tmux.plugins.module_utils._signs.editor_names import EMACS, NANO, OTHER, VIM, family
from ansible_collections.fleet.tmux.plugins.module_utils._signs.editor_texts import (
    BLOCK_BYTES,
    INSTALLERS,
    JOURNAL_NAME,
    MODIFIED,
    OPEN_TRANSACTION,
    PARTITIONERS,
    SWAP_NAME,
    Swap,
    Title,
    emacs_modified,
    is_in_transaction,
    locked_by,
    nano_title,
    swap,
    unfinished,
    vim_is_empty,
    vim_names_text,
    writes_besides,
)
from ansible_collections.fleet.tmux.plugins.module_utils._signs.roles import HELPS, Cast
from ansible_collections.fleet.tmux.plugins.module_utils._signs.scene import OpenFile, Refused, Scene
from ansible_collections.fleet.tmux.plugins.module_utils._signs.shells import SHELLS
from ansible_collections.fleet.tmux.plugins.module_utils._signs.sign import Sign

_FOLDERS = 20
"""Directories that are searched for the locks of one editor."""
_AUTO_SAVED = 200
"""Files that one emacs saves by itself that are looked for."""
_AUTO_SAVE_BYTES = 65536
_AUTO_SAVE_LISTS = (".emacs.d/auto-save-list", ".config/emacs/auto-save-list")
_READ_ONLY = re.compile(r"-[bCefglmnNvxyZADEFHLr]*[RM][A-Za-z]*\Z")
"""Options of vim, of which some can stand in one word, that make it not change any file."""
_NO_SWAP = re.compile(r"-[bCefglmMNRvxyZADEFHLr]*n[A-Za-z]*\Z|.*\bnoswapfile\b|.*\bnoswf\b", re.DOTALL)
_VIEWERS = frozenset(("view", "rview", "gview", "rgview", "eview", "vimpager"))
_BATCH = frozenset(("--batch", "-batch", "--script", "-script", "-x"))
_APPLETS = ("vi", "ed")
_BOXES = frozenset(("busybox", "toybox"))


class Editor(NamedTuple):
    """An editor that works for the owner, and where it can be looked for."""

    process: Process
    words: List[str]
    cast: Cast
    scene: Scene

    @property
    def named(self) -> List[str]:
        """The words of its command line that can be names of files."""
        return [word for word in self.words[1:] if word and word[0] not in "-+"]

    def screen(self) -> Optional[List[str]]:
        """The lines of the pane that it has to itself; None if there is none, or it cannot be had."""
        shows = self.process
        if "--embed" in self.words:
            shows = next((each for each in self.cast.processes if each.pid == shows.ppid), shows)
        return self.cast.screen_of(shows)


def editors(cast: Cast, scene: Scene) -> Iterator[Sign]:
    """The first editor whose text is not saved, or may not be; and before, what of one could not be read."""
    refused: Optional[Sign] = None
    for actor in cast.actors:
        if actor.role == HELPS:
            continue
        try:
            sign = _unsaved(actor.process, cast, scene)
        except Refused as error:
            refused = refused or Sign("unknown", "%s could not be read" % error, actor.process.command)
            continue
        if sign is not None:
            yield sign
            break
    if refused is not None:
        yield refused


def _unsaved(process: Process, cast: Cast, scene: Scene) -> Optional[Sign]:
    if process.is_others:
        return _of_others(process, cast, scene)
    kind = _kind(process, scene)
    if kind is None:
        return _of_no_known_editor(process, cast, scene)
    return _READERS[kind](Editor(process, list(scene.words(process)), cast, scene))


def _of_others(process: Process, cast: Cast, scene: Scene) -> Optional[Sign]:
    if family([process.command]):
        return _may(process)
    if scene.inside(process) is not None:
        return _of_no_known_editor(process, cast, scene)
    begun = _begun(process, scene)
    return Sign("unsaved", begun, process.command) if begun else None


def _kind(process: Process, scene: Scene) -> Optional[str]:
    """The family of editors that a process is of. A shell is none, whatever its script is called."""
    program = scene.program(process)
    if program in SHELLS:
        return None
    words = scene.words(process)
    called = [os.path.basename(word) for word in words[:2]]
    if program in _BOXES:
        return OTHER if set(called) & set(_APPLETS) else None
    if process.command == "mc" and {"-e", "--edit"} & set(words[1:]):
        return OTHER
    return family([program, *called[:1], process.command])


def _begun(process: Process, scene: Scene) -> str:
    """What a program has begun and not finished, in words, as far as its name and its locks tell."""
    if process.command in PARTITIONERS:
        return "its changes may not be written"
    if process.command in INSTALLERS and scene.written_locks(process):
        return "what it installs is not installed in full"
    return ""


def _of_no_known_editor(process: Process, cast: Cast, scene: Scene) -> Optional[Sign]:
    """What is no editor by its name can hold something unsaved all the same: its screen shows it, or its files do."""
    begun = _begun(process, scene)
    if begun:
        return Sign("unsaved", begun, process.command)
    if writes_besides(process.command):
        said = unfinished(process.command, cast.screen_of(process) or [])
        if said is not None:
            return Sign("unsaved", said, process.command)
    try:
        return _by_its_files(process, [file for file in scene.files(process) if file.for_writing], scene)
    except Refused:
        return None  # What cannot be read of any program is told elsewhere.


def _by_its_files(process: Process, held: List[OpenFile], scene: Scene) -> Optional[Sign]:
    """Whatever keeps a swap file like vim's is an editor; whatever fills a journal has not committed it."""
    swaps = [_swap(process, file, scene) for file in held if SWAP_NAME.search(file.link)]
    if any(each is not None and each.modified for each in swaps):
        return _not_saved(process, "")
    if any(scene.beginning(process, file, 1) for file in held if JOURNAL_NAME.search(file.link)):
        return Sign("unsaved", OPEN_TRANSACTION, process.command)
    if is_in_transaction(scene.written_locks(process), [file.link for file in held]):
        return Sign("unsaved", OPEN_TRANSACTION, process.command)
    return None


# --- vim, neovim


def _vim(editor: Editor) -> Optional[Sign]:
    swaps = _swaps(editor)
    modified = [link for link, block in swaps.items() if block is not None and block.modified]
    if modified:
        return _not_saved(editor.process, _swapped(modified[0]))
    if None in swaps.values() or not (swaps or _vim_has_no_text(editor)):
        return _may(editor.process)
    return None


def _swaps(editor: Editor) -> Dict[str, Optional[Swap]]:
    """The swap files that an editor holds open; None for one that is not understood."""
    process, scene = editor.process, editor.scene
    held = {file.link: _swap(process, file, scene) for file in scene.files(process) if _is_read_too(file)}
    return {link: block for link, block in held.items() if block is not None or SWAP_NAME.search(link)}


def _is_read_too(file: OpenFile) -> bool:
    """Whether an open file can be a swap file, with whatever name and in whatever place: 'directory' says where."""
    return bool(file.flags & os.O_RDWR) and file.link[:1] == "/" and not file.link.startswith("/dev/")


def _vim_has_no_text(editor: Editor) -> bool:
    """Whether a vim without any swap file has nothing to lose: by default each text that is modified has one."""
    words = editor.words
    if "+Man!" in words or "--remote-ui" in words or _has_another_below(editor):
        return True  # A manual, or a window to a text that is elsewhere.
    if any(_NO_SWAP.match(word) for word in words[1:]):
        return False
    if _views(editor):
        return True
    if vim_names_text(words):
        return False  # Then there is one as long as that text is shown, unless it was told to keep none.
    lines = editor.screen()
    return lines is not None and vim_is_empty(lines)


def _views(editor: Editor) -> bool:
    called = {editor.process.command, *(os.path.basename(word) for word in editor.words[:1])}
    return bool(_VIEWERS & called) or any(_READ_ONLY.match(word) for word in editor.words[1:])


def _has_another_below(editor: Editor) -> bool:
    below = [each for each in editor.cast.processes if each.ppid == editor.process.pid]
    return any(_is_embedded(process, editor.scene) for process in below)


def _is_embedded(process: Process, scene: Scene) -> bool:
    return not process.is_others and "--embed" in scene.words(process) and _kind(process, scene) == VIM


def _swap(process: Process, file: OpenFile, scene: Scene) -> Optional[Swap]:
    block = scene.beginning(process, file, BLOCK_BYTES)
    return None if block is None else swap(block)


def _swapped(link: str) -> str:
    """The name of the file that a swap file belongs to, by where that lies."""
    name = re.sub(r"[._]s[a-z]{2}(?: \(deleted\))?\Z", "", os.path.basename(link))
    return name.rpartition("%")[2] if "%" in name else name[1:] if name.startswith(".") else name


# --- nano


def _nano(editor: Editor) -> Optional[Sign]:
    """What its screen says goes before its lock files: in those, it is modified for good once it was."""
    if {"-v", "--view"} & set(editor.words):
        return None
    lines = editor.screen()
    title = nano_title(lines[0]) if lines else None
    if title is not None and title.state == MODIFIED:
        return _not_saved(editor.process, title.name)
    if title is not None and title.texts == 1:
        return None
    locks = _nano_locks(editor)
    return None if _are_all_clean(editor, title, locks) else _may(editor.process)


def _are_all_clean(editor: Editor, title: Optional[Title], locks: Dict[str, bool]) -> bool:
    """Whether there is a lock of each text, and none says that it was ever modified, but for the one that is shown."""
    texts = max(len(editor.named), 1) if title is None or title.texts is None else title.texts
    modified = [os.path.basename(path) for path, dirty in locks.items() if dirty]
    shown = [".%s.swp" % os.path.basename(title.name)] if title is not None else []
    return len(locks) >= texts and modified in ([], shown)


def _nano_locks(editor: Editor) -> Dict[str, bool]:
    """The lock files of a nano, and whether they say that its text was modified."""
    found = {}
    for folder in _folders(editor):
        for name in editor.scene.names(folder):
            if name.startswith(".") and name.endswith(".swp"):
                path = os.path.join(folder, name)
                block = swap(editor.scene.beginning_at(path, BLOCK_BYTES) or b"")
                if block is not None and block.pid == editor.process.pid:
                    found[path] = block.modified
    return found


# --- emacs


def _emacs(editor: Editor) -> Optional[Sign]:
    """Of each file that is modified there is a lock beside it; other texts only show on the screen."""
    if _BATCH & set(editor.words):
        return None
    name = _left_by_emacs(editor)
    if name is not None:
        return _not_saved(editor.process, name)
    lines = editor.screen()
    modified = emacs_modified(lines) if lines else None
    if modified is None:
        return _may(editor.process)
    return _not_saved(editor.process, "") if modified else None


def _left_by_emacs(editor: Editor) -> Optional[str]:
    """The name of a file that is modified: what emacs has saved by itself is there, or it has a lock."""
    auto_saved = _auto_saved(editor)
    for path in auto_saved:
        if editor.scene.is_there(path):
            return os.path.basename(path).strip("#")
    for folder in [*_folders(editor), *_parents(auto_saved)]:
        for name in editor.scene.names(folder):
            if name.startswith(".#") and _locks(editor, os.path.join(folder, name)):
                return name[2:]
    return None


def _locks(editor: Editor, path: str) -> bool:
    said = editor.scene.target(path)
    if said is None:
        # A file system without links has a file with the same words.
        said = os.fsdecode(editor.scene.beginning_at(path, BLOCK_BYTES) or b"")
    return locked_by(said.strip()) == editor.process.pid


def _auto_saved(editor: Editor) -> List[str]:
    """The files into which an emacs saves what is modified, until its user does: it keeps a list of them."""
    home = editor.scene.user.home
    for folder in (os.path.join(home, each) for each in _AUTO_SAVE_LISTS):
        for name in editor.scene.names(folder):
            if name.startswith(".saves-%d-" % editor.process.pid):
                text = editor.scene.beginning_at(os.path.join(folder, name), _AUTO_SAVE_BYTES) or b""
                lines = os.fsdecode(text).split("\n")
                # Pairs of lines: the file, which may have no name, and the one that it is saved into.
                return [line for line in lines[1::2] if line.startswith("/")][:_AUTO_SAVED]
    return []


def _parents(paths: List[str]) -> List[str]:
    return sorted({os.path.dirname(path) for path in paths})[:_FOLDERS]


# --- all of them


def _of_another_kind(editor: Editor) -> Optional[Sign]:
    return _may(editor.process)


_READERS: Dict[str, Callable[[Editor], Optional[Sign]]] = {
    VIM: _vim,
    NANO: _nano,
    EMACS: _emacs,
    OTHER: _of_another_kind,
}


def _folders(editor: Editor) -> List[str]:
    """Where an editor works, and where the files are that it was given: as that process sees them."""
    here = editor.scene.folder(editor.process)
    root = editor.scene.root(editor.process)
    found: Set[str] = {here}
    for word in editor.named:
        folder = os.path.dirname(word)
        if folder and len(found) < _FOLDERS:
            found.add(root + folder if folder.startswith("/") else os.path.join(here, folder))
    return sorted(found)


def _not_saved(process: Process, name: str) -> Sign:
    return Sign("unsaved", "its text is not saved", process.command, None, "%s is not saved" % name if name else "")


def _may(process: Process) -> Sign:
    return Sign("unsaved", "its text may not be saved", process.command)
