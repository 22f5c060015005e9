# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What shells are told to do, by the arguments they were started with. Pure."""

import re
from typing import Dict, FrozenSet, List, Match, NamedTuple, Sequence

SHELLS: FrozenSet[str] = frozenset(
    "sh bash dash ash zsh ksh mksh ksh93 oksh loksh yash fish csh tcsh rbash rzsh rksh pwsh nu elvish xonsh osh ysh"
    " ion rc es".split()
)


class _Family(NamedTuple):
    """How a family of shells reads its options.

    ``letters``: those that take an argument, ``words``: such options in long, ``runs``: those after which a command
    comes, as letters and in long. ``single``: whether one dash begins a long option.
    """

    letters: str
    words: FrozenSet[str]
    runs: FrozenSet[str]
    single: bool = False


_POSIX = _Family("oOTR", frozenset(("--rcfile", "--init-file", "--emulate")), frozenset("c"))
_CSH = _Family("", frozenset(), frozenset("cb"))
_FISH = _Family(
    "CdDopf",
    frozenset(("--init-command", "--debug", "--debug-output", "--profile", "--profile-startup", "--features")),
    frozenset(("c", "--command")),
)
_NU = _Family(
    "em",
    frozenset(
        "--execute --config --env-config --plugin-config --log-level --log-target --table-mode --threads".split()
    ),
    frozenset(("c", "--commands")),
)
_PWSH = _Family(
    "",
    frozenset(
        "-workingdirectory -wd -executionpolicy -ep -ex -configurationname -config -custompipename -settingsfile"
        " -inputformat -if -outputformat -of -version -windowstyle -w".split()
    ),
    frozenset("-command -c -file -f -encodedcommand -ec -e -commandwithargs -cwa".split()),
    single=True,
)
_ELVISH = _Family("", frozenset(("-rc", "-db", "-sock", "-log")), frozenset(("-c", "-lsp")), single=True)
_XONSH = _Family("D", frozenset(("--rc", "--shell-type")), frozenset("c"))

_FAMILIES: Dict[str, _Family] = {
    "csh": _CSH,
    "tcsh": _CSH,
    "fish": _FISH,
    "nu": _NU,
    "pwsh": _PWSH,
    "elvish": _ELVISH,
    "xonsh": _XONSH,
}


def is_shell(name: str) -> bool:
    """Whether a program of that name is a shell; a login shell has a dash before it."""
    return name.lstrip("-") in SHELLS


def is_told_nothing(name: str, words: Sequence[str]) -> bool:
    """Whether a shell with that command line has neither a script nor a command: it reads what comes.

    A word that may belong to an option and may be a script is taken for a script.
    """
    if not words:
        return False
    family = _FAMILIES.get(name.lstrip("-"), _POSIX)
    left = list(words[1:])
    if words[0].rpartition("/")[2] == "busybox":
        left = left[1:]
    while left:
        word = left.pop(0)
        if word in ("-", "--"):
            return not left
        if word[:1] not in ("-", "+") or _runs(word, family):
            return False
        if _reads_on(word, family):
            return True
        _drop_arguments(word, left, family)
    return True


def _is_long(word: str, family: _Family) -> bool:
    return word.startswith("--") or family.single


def _runs(word: str, family: _Family) -> bool:
    """Whether an option says that a command follows."""
    if _is_long(word, family):
        return word.lower().partition("=")[0] in family.runs
    return word[0] == "-" and any(letter in family.runs for letter in _before_argument(word, family))


def _reads_on(word: str, family: _Family) -> bool:
    """``-s``: whatever follows are arguments."""
    return family is _POSIX and not word.startswith("--") and word[0] == "-" and "s" in _before_argument(word, family)


def _before_argument(word: str, family: _Family) -> str:
    """The letters of a word of short options, up to one that takes the rest of it as its argument."""
    letters = word[1:]
    if family is _POSIX:
        return letters  # There the argument is the next word.
    return re.split("[%s]" % family.letters, letters)[0] if family.letters else letters


def _drop_arguments(word: str, left: List[str], family: _Family) -> None:
    """Drop the arguments that options of this word take from the words that follow."""
    if _is_long(word, family):
        if "=" not in word and word.lower() in family.words:
            del left[:1]
    elif family is _POSIX:
        del left[: sum(letter in family.letters for letter in word[1:])]
    elif family.letters and word[-1] in family.letters:
        del left[:1]


_IDLE_WORDS = re.compile(
    r"while|until|for|do|done|true|false|:|wait|exec|\(\(|\)\)|\[|\]|1|0|\$!|trap|-|INT|TERM|\{|\}"
)
_SLEEPS = re.compile(r"(?:/usr)?(?:/bin/)?sleep +(?:infinity|inf|([0-9.]+)([smhd]?))\b")
_LOOPS = re.compile(r"\b(?:while|until|for)\b")
_LONG_NAP = 600.0
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def only_sleeps(command: str) -> bool:
    """Whether a command does nothing but sleep, again and again: it only keeps something open.

    A loop of short naps may be one that looks for something, even if nobody can see what.
    """
    left = _SLEEPS.sub(" ", command)
    if left == command or (_LOOPS.search(command) and any(map(_is_short, _SLEEPS.finditer(command)))):
        return False
    return all(_IDLE_WORDS.fullmatch(word) for word in re.split(r"[\s;&|]+", left) if word)


def _is_short(nap: Match[str]) -> bool:
    number, unit = nap.group(1) or "", nap.group(2) or ""
    return number[:12].replace(".", "", 1).isdigit() and float(number[:12]) * _SECONDS[unit] < _LONG_NAP


def command_of(words: Sequence[str]) -> str:
    """The command that a shell was given with ``-c``, if it was."""
    for place, word in enumerate(words[1:], 1):
        if word[:1] == "-" and word[:2] != "--" and "c" in word:
            return words[place + 1] if place + 1 < len(words) else ""
        if word[:1] != "-":
            return ""
    return ""
