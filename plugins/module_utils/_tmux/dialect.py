# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between versions of tmux, how words are written for it, and how those that it prints are read."""

import enum
import re
import shlex
import unicodedata
from typing import Callable, Iterable, List, Match, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import shown
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.errors import TmuxError

Command = Sequence[str]
Number = Tuple[int, int]

MINIMUM = (2, 7)
"""The oldest tmux that can be used: RHEL 8's."""
_NEWEST = (99, 0)


class Span(NamedTuple):
    """Which versions, and what was seen of them. ``until`` is the first one that is not meant (None: no end)."""

    since: Number
    until: Optional[Number]
    why: str

    @property
    def words(self) -> str:
        """The versions, for people: ``3.2 to 3.4``."""
        if self.until is None:
            return "%d.%d and later" % self.since
        last = (self.until[0], self.until[1] - 1)
        return "%d.%d" % last if last == self.since else "%d.%d to %d.%d" % (self.since + last)


class Capability(enum.Enum):
    """All that differs between versions of tmux and matters here. To add one is one line here, and to ask for it."""

    WINDOWS_IN_FORMATS = Span((2, 9), None, "#{W:...} and #{P:...} go over windows and panes; before, they are empty")
    ESCAPES_IN_COMPARISONS = Span(
        (2, 9),
        None,
        "within #{==:...}, a comma and a closing brace are written with # before them; before, a comma on the right "
        "side needs nothing, and of a brace there is no way to write one: escaped or not, each counts",
    )
    WINDOW_NAME_AS_GIVEN = Span((3, 0), (3, 1), "the name after new-window -n is no format, as in all others it is")
    SEMICOLON_ENDS_WORD_OF_SCRIPT = Span(
        MINIMUM, (3, 0), "a ; at the end of a word ends the command in a script too, even within quotes"
    )
    BYTES_OF_SCRIPT_END_IT = Span(
        (3, 0), None, "the parser takes the byte 0xff for the end of the script; it reads octal numbers instead"
    )
    SCRIPT_FROM_STDIN = Span(
        (3, 1), None, "source-file - reads the client's stdin; before, the server itself opens a file"
    )
    OPTIONS_OF_PANES = Span((3, 0), None, "set-option -p is about one pane; before, only windows have such options")
    HASH_BEFORE_BRACKET_STAYS = Span(
        (3, 2), None, "in a format, ## before [ stays as it is, for #[...] is a style; elsewhere ## is one #"
    )
    PASTE_IS_MADE_HARMLESS = Span(
        (3, 7), None, "paste-buffer writes control characters as escapes, unless it is told -S; before, there is no -S"
    )
    START_PATH = Span((3, 3), None, "#{pane_start_path} is the directory in which a pane was begun")
    START_COMMAND_QUOTED = Span(
        (3, 2),
        None,
        "#{pane_start_command} writes each word as a configuration does; before, blanks stand between them",
    )
    MESSAGE_DELAY = Span((3, 2), None, "display-message -d says how long a message is shown")
    MESSAGE_NAMES_NO_CLIENT = Span(
        (3, 2), (3, 3), "by a slip display-message -c takes no name: the client that was used last is shown the message"
    )
    SIZE_OF_NEW_SESSION_IGNORED = Span((3, 2), (3, 3), "new-session -d makes 80x23, whatever -x and -y say")
    ENDS_AT_NEW_SESSION_OF_MANUAL_SIZE = Span(
        (3, 3), (3, 7), "with window-size manual, new-session -d ends the server, with all its sessions"
    )
    DOLLAR_PRINTED_WITH_BACKSLASH = Span(
        (3, 4), (3, 5), "every $ before a letter is printed as \\$, although it is stored without"
    )
    COMMANDS_IN_MESSAGES = Span(
        (3, 2), None, "the server keeps every command that it was given among its messages, with all its words"
    )
    FORMATS_ARE_CUT_OFF = Span(
        (3, 7), None, "a format that takes longer than 100 ms, on a clock that runs while others run, is cut off there"
    )
    PUNCTUATION_OF_NAMES_REWRITTEN = Span((3, 2), (3, 7), "a : or . in a session's name becomes _")
    CONTROLS_OF_NAMES_REWRITTEN = Span(
        (3, 2), (3, 7), "control characters, bytes that are no UTF-8 and what has no width become escapes in a name"
    )
    BACKSLASH_OF_NAMES_REWRITTEN = Span((3, 2), None, "a backslash in a session's name becomes two")
    DOLLAR_OF_NAMES_REWRITTEN = Span((3, 2), (3, 5), "a $ before a letter, _ or { gets a backslash in a session's name")


_UNTOLD = "unknown"


class Version(NamedTuple):
    """A tmux version: ``3.3a`` is (3, 3, "a"). A development build without a number counts as newer than all."""

    major: int
    minor: int
    letter: str
    text: str

    def at_least(self, major: int, minor: int) -> bool:
        return (self.major, self.minor) >= (major, minor)

    def has(self, capability: Capability) -> bool:
        """Whether this tmux does what ``capability`` says."""
        span: Span = capability.value
        return self.at_least(*span.since) and (span.until is None or not self.at_least(*span.until))

    @property
    def can_be_used(self) -> bool:
        return self.at_least(*MINIMUM)

    @property
    def is_told(self) -> bool:
        """Whether a server has said it: the oldest do not know what that is."""
        return self.text != _UNTOLD


def parse_version(text: str) -> Version:
    """Read ``tmux 3.3a``, ``3.3a``, ``next-3.8``, ``2.7-rc`` or ``master``."""
    found = re.search(r"([0-9]{1,4})\.([0-9]{1,4})([a-z]?)", text)
    if not found:
        return Version(_NEWEST[0], _NEWEST[1], "", text.strip() or _UNTOLD)
    return Version(int(found.group(1)), int(found.group(2)), found.group(3), text.replace("tmux", "").strip())


_CALLED_TMUX = re.compile(r"(?:.*[^A-Za-z])?tmux(?![A-Za-z]).*", re.IGNORECASE)
"""A name with the word tmux in it: ``tmux-3.3a``, ``my-tmux``; not ``tmuxinator``, which is something else."""


def binary_version(said: str) -> Optional[Version]:
    """The version in what ``tmux -V`` prints; None for what is no tmux.

    It begins with the name by which it was called: ``tmux-3.3a 3.3a``. No version holds a blank, and a name may.
    """
    name, blank, version = said.partition(" ") if said.startswith("tmux ") else said.rpartition(" ")
    return parse_version(version) if blank and _CALLED_TMUX.fullmatch(name) else None


def chain(commands: Iterable[Command]) -> List[str]:
    """Commands as the words of one call."""
    words: List[str] = []
    for command in commands:
        if words:
            words.append(";")
        words.extend(argument(word) for word in command)
    return words


def argument(word: str) -> str:
    """A word of a command. A ``;`` at the end of any word would end the command there."""
    return word[:-1] + "\\;" if word.endswith(";") else word


def script_word(text: str) -> str:
    """A word of a line of a script (``source-file``): within double quotes, which all versions read alike."""
    for plain, quoted in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("~", "\\~"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(plain, quoted)
    return '"%s"' % text


class _Then(str):
    """No word, but what stands between two commands."""


THEN = _Then(";")
"""Between two commands of one line of a script: the second is not done if the first fails."""


_LIMIT = "@fleet_tmux_limit"
FORGETTING: Sequence[Command] = (
    ("set-option", "-s", "-F", _LIMIT, "#{message-limit}"),
    ("set-option", "-s", "message-limit", "0"),
    ("set-option", "-s", "-F", "message-limit", "#{%s}" % _LIMIT),
    ("set-option", "-s", "-u", _LIMIT),
)
"""Have a server forget its messages. All of it is done at once, and how many it keeps is then as before."""


def _octal_bytes(line: str) -> str:
    """What is no UTF-8, written as numbers."""
    return re.sub("[\udc80-\udcff]", lambda byte: "\\%03o" % (ord(byte.group(0)) - 0xDC00), line)


def _lines(commands: Iterable[Command], version: Version) -> List[str]:
    cut = version.has(Capability.SEMICOLON_ENDS_WORD_OF_SCRIPT)

    def written(word: str) -> str:
        if isinstance(word, _Then):
            return word
        return script_word(argument(word) if cut else word)

    return [" ".join([command[0]] + [written(word) for word in command[1:]]) for command in commands]


def one_word(commands: Iterable[Command], version: Version) -> str:
    """Commands as one word of another command, like ``if-shell``."""
    return " ; ".join(_lines(commands, version))


def script(commands: Iterable[Command], version: Version) -> bytes:
    """Commands as a script for ``source-file``."""
    text = "".join(line + "\n" for line in _lines(commands, version))
    if version.has(Capability.BYTES_OF_SCRIPT_END_IT):
        text = _octal_bytes(text)
    return text.encode("utf-8", "surrogateescape")


def expanded_literal(text: str, version: Version) -> str:
    """``text`` for a place that tmux expands as a format, so that the expansion gives ``text`` again.

    ``#(command)`` would run, ``#{...}`` would be replaced.
    """
    if version.has(Capability.HASH_BEFORE_BRACKET_STAYS):
        return re.sub(r"#+(?!#*\[)", lambda hashes: hashes.group(0) * 2, text)
    return text.replace("#", "##")


def window_name(name: str, version: Version) -> str:
    """``name`` for ``new-window -n``."""
    return name if version.has(Capability.WINDOW_NAME_AS_GIVEN) else expanded_literal(name, version)


def message(text: str) -> str:
    """``text`` for ``display-message``, which expands formats and dates (``%7`` would come back with blanks)."""
    return text.replace("#", "##").replace("%", "%%")


def compared_literal(text: str, version: Version) -> str:
    """``text`` as the right side of ``#{==:...}``; see :func:`can_be_compared`."""
    literal = expanded_literal(text, version)
    if version.has(Capability.ESCAPES_IN_COMPARISONS):
        return re.sub(r"[,}]", lambda mark: "#" + mark.group(0), literal)
    return literal


def can_be_compared(text: str, version: Version) -> bool:
    """Whether :func:`compared_literal` can write ``text`` at all."""
    return version.has(Capability.ESCAPES_IN_COMPARISONS) or not set("{}") & set(text)


IN_TIME = "#{?#{pid},1,}"
"""At the end of a format: ``1``, and nothing when tmux has cut off anything before it.

See :attr:`Capability.FORMATS_ARE_CUT_OFF`: once its time is over, tmux takes every part of a format for empty, so what
comes last tells of all.
"""


def while_there(condition: str) -> str:
    """``condition`` (a format) for ``if-shell -F -t``, and no while there is no such session.

    Never leave it out: tmux 3.2, asked for a clock of what is not there, crashes with all sessions. Nor the inner one:
    to a tmux whose time is over, two texts that it has not read are equal, and so is the ``1`` that comes after them
    empty, which is no.
    """
    return "#{?#{session_id},#{?%s,1,0},0}" % condition


def is_on(printed: str) -> bool:
    """Whether an option or a flag is on, as a format prints it."""
    return printed not in ("", "0", "off")


def as_stored(listed: List[str], version: Version) -> List[str]:
    """The fields of a row as the server holds them."""
    if version.has(Capability.DOLLAR_PRINTED_WITH_BACKSLASH):
        return [text.replace("\\$", "$") for text in listed]
    return listed


def as_printed(text: str, version: Version) -> str:
    """What is stored as ``text``, as the server prints it."""
    if version.has(Capability.DOLLAR_PRINTED_WITH_BACKSLASH):
        return re.sub(r"\$(?=[A-Za-z_{])", r"\\$", text)
    return text


_EPITAPH = re.compile(r"(?:^Pane is dead.*|Pane is dead \((?:status [0-9]+|signal [A-Za-z0-9+-]+), [^()\n]*\))$")
"""What tmux writes below the text of a pane that has ended. Of a full screen whose last line has no end, tmux prints it
as the rest of that line."""


def own_words(screen: str) -> str:
    """The text of a pane that has ended, without what tmux itself has written below it."""
    text = screen.rstrip("\n ")
    start, newline, last = text.rpartition("\n")
    return start + newline + _without_epitaph(last)


def _without_epitaph(line: str) -> str:
    found = _EPITAPH.search(line.rstrip(" "))
    return line if found is None else line[: found.start()].rstrip(" ")


def last_words(screen: str) -> List[str]:
    """The lines of a pane that has ended, without the empty ones and what tmux itself has written below them."""
    return [line for line in map(_without_epitaph, screen.splitlines()) if line.strip()]


_VARIABLE = re.compile(r"unset ([^;\n]+);\n?|([^=;\n]+)=\"([^\"\\]*(?:\\.[^\"\\]*)*)\"; export [^;\n]+;\n?", re.DOTALL)


def variable_names(printed: str, whole: bool = True) -> List[str]:
    """The names in what ``show-environment -s`` prints. Values are skipped whole, so no part of one passes for a name.

    :param whole: whether that is all it has printed; else it is read as far as it goes.
    :raises TmuxError: when it is not written as expected.
    """
    names = []
    at = 0
    while at < len(printed):
        found = _VARIABLE.match(printed, at)
        if not found:
            if not whole:
                break
            raise TmuxError("the environment of the session is not written as expected")
        names.append(shown(found.group(1) or found.group(2)))
        at = found.end()
    return sorted(names)


def has_variable(printed: str, name: str, value: str) -> Optional[bool]:
    """Whether what ``show-environment -s`` prints has a variable of that value; None where it cannot be told.

    How many backslashes there are before what is special differs, so none are compared.
    """
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
        return None
    found: Optional[str] = None
    at = 0
    while at < len(printed):
        match = _VARIABLE.match(printed, at)
        if not match:
            return None
        if match.group(2) == name:
            found = match.group(3)
        at = match.end()
    return found is not None and found.replace("\\", "") == value.replace("\\", "")


_WORD = re.compile(r"""(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|((?:[^ "'\\]|\\.)(?:[^ \\]|\\.)*))(?: |\Z)""", re.DOTALL)
"""A word as ``args_escape`` writes it: within quotes, or plain. A plain one may hold quotes, but not begin with one."""
_ESCAPE = re.compile(r"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "v": "\v", "f": "\f", "s": " ", "0": "\0"}
"""What vis(3) writes after a backslash with ``VIS_CSTYLE``."""


def start_words(printed: str, version: Version) -> Optional[List[str]]:
    """The words of what ``pane_start_command`` shows: a single one is for a shell, several are an argv.

    None where it is not written as expected. Where nothing is quoted, all of it is one word.
    """
    if not version.has(Capability.START_COMMAND_QUOTED):
        return [printed] if printed else []
    words, at = [], 0
    while at < len(printed):
        found = _WORD.match(printed, at)
        if found is None:
            return None
        words.append(_without_escapes(*found.groups()))
        at = found.end()
    return words


def _without_escapes(double: Optional[str], single: Optional[str], plain: Optional[str]) -> str:
    if plain is not None and len(plain) == 2 and plain[0] == "\\" and plain[1] not in _ESCAPED:
        return plain[1]  # A word of one special character is written so.
    text = next(text for text in (double, single, plain) if text is not None)
    data = _ESCAPE.sub(_escaped, text).encode("utf-8", "surrogateescape")
    return data.decode("utf-8", "surrogateescape")


def _escaped(found: Match[str]) -> str:
    what = found.group(1)
    if len(what) == 3:
        byte = int(what, 8) & 0xFF
        return chr(byte if byte < 0x80 else 0xDC00 + byte)
    return _ESCAPED.get(what, what)


def shell_command(printed: str, version: Version) -> str:
    """What ``pane_start_command`` shows, for a shell; nothing where it is not written as expected."""
    words = start_words(printed, version) or []
    return words[0] if len(words) == 1 else " ".join(map(shlex.quote, words))


def target(identity: str) -> str:
    """An id (``$1``, ``@1``, ``%1``) within a command that is itself a word of a command."""
    return "'%s'" % identity


_CONTROLS = Capability.CONTROLS_OF_NAMES_REWRITTEN
_REWRITTEN: Tuple[Tuple[Capability, str, Callable[[str], bool]], ...] = (
    (
        _CONTROLS,
        "a control character or bytes that are no UTF-8",
        lambda char: unicodedata.category(char) in ("Cc", "Cs"),
    ),
    (Capability.PUNCTUATION_OF_NAMES_REWRITTEN, "", lambda char: char == ":"),
    (Capability.PUNCTUATION_OF_NAMES_REWRITTEN, "", lambda char: char == "."),
    (Capability.BACKSLASH_OF_NAMES_REWRITTEN, "", lambda char: char == "\\"),
    (Capability.DOLLAR_OF_NAMES_REWRITTEN, "", lambda char: char == "$"),
)


def unsuitable(name: str) -> Optional[str]:
    """Why a session of that name cannot be made on every supported tmux, or None.

    What some version would rewrite or reject is refused on all, so that one playbook means the same on every host.
    """
    if not name:
        return "it is empty"
    for capability, what, found in _REWRITTEN:
        char = next((char for char in name if found(char)), None)
        if char is not None:
            return "it holds %s, which tmux %s rewrite" % (what or repr(char), capability.value.words)
    if any(unicodedata.category(char) in ("Cn", "Zl", "Zp") for char in name):
        return "it holds a character that not every tmux knows, which tmux %s may rewrite" % _CONTROLS.value.words
    return None
