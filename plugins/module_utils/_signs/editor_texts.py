# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What editors leave in files and on the screen: whether their text is saved. Pure."""

import re
from typing import Dict, Iterable, List, NamedTuple, Optional, Pattern, Sequence, Tuple

BLOCK_BYTES = 1024
"""How much of a swap file tells of it: its first block has at least so much."""

SWAP_NAME = re.compile(r"(?:^|[./])[^/]*[._]s[a-z][a-z](?: \(deleted\))?\Z")
"""The end of what a swap file of vim's family is called: .swp, .swo and so on, or with an underscore."""

_SWAP_IDS = (b"b0", b"bc", b"bC", b"bd")
"""How a swap file begins; those after the first are of encrypted text, whose first block is not."""
_PID_AT = 24
_MODIFIED_AT = 1007


class Swap(NamedTuple):
    """The first block of a swap file: who wrote it, and whether the text was modified since it was saved."""

    pid: int
    modified: bool


def swap(block: bytes) -> Optional[Swap]:
    """What a first block says; None if it is none, or not whole."""
    if block[:2] not in _SWAP_IDS or len(block) <= _MODIFIED_AT:
        return None
    pid = int.from_bytes(block[_PID_AT : _PID_AT + 4], "little")
    return Swap(pid, block[_MODIFIED_AT] != 0)


_LOCK = re.compile(r".*[@.](\d{1,10})(?::\d+)?\Z", re.DOTALL)
"""Who works on a file, in emacs' way: ``user@host.PID:boot``, the last part only where it is known."""


def locked_by(text: str) -> Optional[int]:
    """The pid in a lock of emacs' kind."""
    found = _LOCK.match(text)
    return int(found.group(1)) if found else None


OPEN_TRANSACTION = "a transaction in it is not committed"

MODIFIED, SAVED = "modified", "saved"


class Title(NamedTuple):
    """What the first line of nano's screen says of the text that it shows, and how many are open (None: unknown)."""

    state: str
    name: str
    texts: Optional[int]


_NANO = re.compile(r" *(?:GNU nano +([0-9]{1,3})\.[^ ]*|\[[0-9]+/([0-9]{1,6})\]) {2,}(?:File: )?(\S.*?) *\Z")
_TELLS_HOW_MANY = 6
"""The version of nano from which on its title is another one when several texts are open; it may be an earlier one."""
_FLAGS = re.compile(r"[IMLRS ]+\Z")
_WORDS = {"View": SAVED, "Restricted": SAVED, "Modified": MODIFIED}


def nano_title(line: str) -> Optional[Title]:
    """What nano's title says; None if that cannot be told, as where it is in another language."""
    found = _NANO.match(line)
    if found is None:
        return None
    name, _spaces, rest = found.group(3).partition("  ")
    texts: Optional[int] = int(found.group(2)) if found.group(2) else None
    if texts is None and int(found.group(1)) >= _TELLS_HOW_MANY:
        texts = 1
    if name.endswith(" *"):
        return Title(MODIFIED, name[:-2], texts)
    rest = rest.strip()
    if not rest or _FLAGS.match(rest):
        return Title(SAVED, name, texts)
    state = _WORDS.get(rest)
    return Title(state, name, texts) if state else None


_MODE_LINE = re.compile(r"(?:^|\|)-[^\s*%]{1,8}[:/\\)]@?(--|\*\*|%\*|%%)[-@]{1,2}(?:F[0-9]{1,4})? +\S")
"""A mode line of emacs as it is by default on a terminal: how characters are written, and whether it is modified.
Windows can stand side by side."""


def emacs_modified(lines: List[str]) -> Optional[bool]:
    """Whether a text that emacs shows is modified, by its mode lines; None if there is none that is understood."""
    found = [state for line in lines for state in _MODE_LINE.findall(line)]
    return any("*" in state for state in found) if found else None


_UNFINISHED: Dict[str, Tuple[Pattern[str], str]] = {
    "mc": (re.compile(r".*\[[-B]M[-R][-O]?\]"), "its text is not saved"),
    "mutt": (re.compile(r".*Mutt: Compose\b"), "a message in it is not sent"),
    "neomutt": (re.compile(r".*Mutt: Compose\b"), "a message in it is not sent"),
    "alpine": (re.compile(r" *ALPINE \S+ +COMPOSE MESSAGE\b"), "a message in it is not sent"),
}
"""What shows on the screen of programs that edit besides what else they do, and what it means."""


_PSQL = re.compile(r"[^\s=@^!*-]*[-=@^!'\"$(*]([*!?]?)[>#](?: |\Z)")
"""A prompt of psql: the name of the database, the state of the line, and of the transaction."""

_MAILERS = frozenset("mail mailx bsd-mailx heirloom-mailx nail s-nail".split())
_PROMPTS_OF_MAILERS = ("&", "?")


def writes_besides(program: str) -> bool:
    """Whether a program edits besides what else it does."""
    return program in _UNFINISHED or program in _MAILERS or program == "psql"


def unfinished(program: str, lines: List[str]) -> Optional[str]:
    """What such a program shows of text that would be lost; None if it shows none."""
    if program in _MAILERS:
        # They show nothing of a letter but its text: only at a prompt it is known that there is none.
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return None if not last or last in _PROMPTS_OF_MAILERS else "a message in it may not be sent"
    if program == "psql":
        prompts = [found for found in map(_PSQL.match, lines) if found]
        return OPEN_TRANSACTION if prompts and prompts[-1].group(1) == "*" else None
    pattern, meaning = _UNFINISHED[program]
    return meaning if any(pattern.match(line) for line in lines) else None


JOURNAL_NAME = re.compile(r"[^/]-journal\Z")
"""The end of what the journal of a database in a file is called, while a transaction is open."""


_INDEX_NAME = re.compile(r"[^/]-shm\Z")
_RESERVED = 0x40000001
_WRITES_LOG = 120
"""The bytes that SQLite locks for a transaction that writes: of the database, and of the index of its log (WAL)."""


def is_in_transaction(spans: Iterable[Tuple[int, int]], held: Sequence[str]) -> bool:
    """Whether parts of files that are locked for writing are those of a transaction, and files like that are open."""
    has_index = any(_INDEX_NAME.search(link) for link in held)
    return any(
        (_RESERVED - 1 <= first <= _RESERVED <= last) or (has_index and first == _WRITES_LOG == last)
        for first, last in spans
    )


INSTALLERS = frozenset("dpkg rpm dnf yum zypper apk".split())
"""Programs that lock their database as long as they change what is installed."""
PARTITIONERS = frozenset("fdisk gdisk cgdisk cfdisk sfdisk".split())
"""Programs that write what they were told when they are told so in the end."""


_VIM_TAKES = frozenset("-c -S -s -u -U -i -T -w -W -q -t --cmd --startuptime --servername".split())
"""Options of vim that the next word belongs to."""


def vim_names_text(words: Sequence[str]) -> bool:
    """Whether a command line of vim names a text that is to be shown."""
    left = list(words[1:])
    while left:
        word = left.pop(0)
        if word in _VIM_TAKES:
            del left[:1]
        elif word == "--":
            return bool(left)
        elif word[:1] not in ("-", "+"):
            return True
    return False


_NO_TEXT = re.compile(r"\s*(?:1\s*)?\Z")
_BELOW_TEXT = 2
"""Lines that vim may have below its text: of state, and of commands."""


def vim_is_empty(lines: List[str]) -> bool:
    """Whether vim shows one window without any text: an empty line, and below it only those that are no text."""
    if len(lines) <= _BELOW_TEXT + 1 or not _NO_TEXT.match(lines[0]):
        return False
    return all(line.startswith("~") for line in lines[1:-_BELOW_TEXT])
