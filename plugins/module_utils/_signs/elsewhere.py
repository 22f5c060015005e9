# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ssh and its kin were told to run on another host, by their arguments. Pure."""

import re
import shlex
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.fleet.tmux.plugins.module_utils._signs.shells import is_shell, is_told_nothing
from ansible_collections.fleet.tmux.plugins.module_utils._signs.showing import waits_for_tmux

PROGRAMS = frozenset("dbclient mosh-client slogin ssh".split())
"""Programs that are a shell on another host, or run a command there."""

_WITH_VALUE = frozenset("BbcDEeFIiJLlmOopPQRSWw")
_WITHOUT_COMMAND = frozenset("NOQsVW")
"""Options of ssh that are followed by a value, and those with which it runs no command: it is a tunnel then, a
subsystem that another program speaks with, or only asks something."""
_WITH_VALUE_OF_MOSH = frozenset("-p --port --ssh --client --server --predict --family --bind-server".split())
_REMOTE_COMMAND = re.compile(r"\s*RemoteCommand\s*[=\s]\s*(.*)\Z", re.IGNORECASE | re.DOTALL)

_LOGIN = ("-sh",)
_MULTIPLEXERS = frozenset("tmux byobu screen dtach abduco zellij mtm dvtm tmate".split())
_PREPARES = frozenset("cd export clear true : unset umask ulimit stty".split())
_HANDS_ON = frozenset("exec env command".split())
_PLAIN = frozenset("-- - -c -i -l -p --ignore-environment".split())
"""Their options that no value follows."""
_BECOMES = frozenset("sudo doas".split())
_BECOMES_WITH_VALUE = frozenset("CDghpRrTtuU")
_PIECES = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|(&&|\|\||[;|&\n])""", re.DOTALL)
_AND_THEN = "\0"
_AS_IT_IS = re.compile(r"'[^']*'|\\.", re.DOTALL)
_TEXTS = re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL)
_RUNS_WITHIN = re.compile(r"`|\$\(|[<>]\(")
_TO_NOWHERE = re.compile(r"[0-9&]?(?:>>?|<)\s*/dev/null(?![^\s;|&)])|[0-9]?>&[0-9]")
_DEEP, _CHARS = 8, 4096
"""Commands within each other that are looked into, and how long one is of which is told what it consists of."""


class Call(NamedTuple):
    """What such a program was told. ``command``: what it runs there; nothing for a shell.

    ``silent``: it runs nothing there.
    """

    command: str = ""
    silent: bool = False


def call_of(program: str, words: Sequence[str]) -> Call:
    """What such a program was told, with this command line. Options may stand behind the host, too."""
    if program == "mosh-client":
        return Call(_of_mosh(words))
    operands: List[str] = []
    given = ""
    left = list(words[1:])
    while left and len(operands) < 2:
        word = left.pop(0)
        if word[:1] != "-" or word == "-":
            operands.append(word)
        elif word != "--":
            silent, value = _option(word, left)
            if silent:
                return Call(silent=True)
            found = _REMOTE_COMMAND.match(value)
            given = found.group(1) if found is not None and not given else given
    if len(operands) == 2:
        return Call(" ".join([operands[1], *left]))
    return Call("" if given.lower() == "none" else given)


def _option(word: str, left: List[str]) -> Tuple[bool, str]:
    """Whether a word of options says that nothing is run, and the value of ``-o``. Others' values are dropped."""
    for place, letter in enumerate(word[1:], 2):
        if letter in _WITHOUT_COMMAND:
            return True, ""
        if letter in _WITH_VALUE:
            value = word[place:] or (left.pop(0) if left else "")
            return False, value if letter == "o" else ""
    return False, ""


def _of_mosh(words: Sequence[str]) -> str:
    """The command in what mosh has its client show of its own command line: ``-# OPTIONS [--] HOST COMMAND |``."""
    shown = next((word for word in words[1:2] if word.startswith("-#")), "")
    left = shown[2:].rstrip("|").split()
    while left and left[0].startswith("-"):
        if left.pop(0) in _WITH_VALUE_OF_MOSH:
            del left[:1]
    return " ".join(word for word in left[1:] if word != "--")


def is_prompt(command: str) -> bool:
    """Whether a command, given a terminal, is there for somebody to type: a shell, or a terminal that stays there."""
    found = programs_of(command)
    return bool(found) and all(_takes_what_is_typed(words) for words in found)


def only_shows(command: str, shows: Callable[[Sequence[str]], bool]) -> bool:
    """Whether a command only shows what is there without it: ``shows`` says so of a program, by its command line."""
    found = programs_of(command)
    return bool(found) and all(_joins(words) or shows(words) for words in found)


def _takes_what_is_typed(words: List[str]) -> bool:
    name = _name(words)
    return _joins(words) or (is_shell(name) and is_told_nothing(name, words))


def _joins(words: Sequence[str]) -> bool:
    name = _name(words)
    return name in _MULTIPLEXERS and not (name == "tmux" and waits_for_tmux(words))


def programs_of(command: str, depth: int = 0) -> List[List[str]]:
    """The command lines that a command consists of, each without what only leads to it (``cd``, ``exec``, ``sudo``).

    No line where that cannot be told: a shell runs more within it, it reads or writes files, or it is very long. A
    login that names no command is a shell.
    """
    if depth > _DEEP or len(command) > _CHARS or _does_more(command):
        return []
    try:
        words = shlex.split(_PIECES.sub(_mark, _TO_NOWHERE.sub(" ", command)))
    except ValueError:
        return []
    lines: List[List[str]] = [[]]
    for word in words:
        if word == _AND_THEN:
            lines.append([])
        else:
            lines[-1].append(word)
    found = [_reduced(line, depth) for line in lines if line]
    return [line for line in found if line and _name(line) not in _PREPARES]


def _does_more(command: str) -> bool:
    text = _AS_IT_IS.sub("", command)
    return _RUNS_WITHIN.search(text) is not None or bool({"<", ">"} & set(_TO_NOWHERE.sub("", _TEXTS.sub("", text))))


def _mark(found: "re.Match[str]") -> str:
    return " %s " % _AND_THEN if found.group(1) else found.group()


def _reduced(words: List[str], depth: int) -> List[str]:
    """A command line without what hands on to another."""
    left = list(words)
    while left:
        if "=" in left[0] and left[0][:1] != "=":
            del left[0]
            continue
        further = _further(left, depth)
        if further is None:
            return left
        left = further
    return left


def _further(words: List[str], depth: int) -> Optional[List[str]]:
    """What a program leads to, as a command line; None if it is what counts."""
    name = _name(words)
    if name in _HANDS_ON:
        rest = list(words[1:])
        while rest and rest[0] in _PLAIN:
            del rest[0]
        return None if rest and rest[0].startswith("-") else rest
    if name in _BECOMES:
        return _beyond_sudo(words)
    if name == "su":
        told = [word for word in words[1:] if word.startswith(("-c", "--command", "--session-command"))]
        return None if told or sum(word[:1] != "-" for word in words) > 2 else list(_LOGIN)
    if name in PROGRAMS and name != "mosh-client":
        call = call_of(name, words)
        return None if call.silent else (_one(call.command, depth) if call.command else list(_LOGIN))
    return None


def _beyond_sudo(words: List[str]) -> List[str]:
    """What sudo runs; a shell, where it was asked for one."""
    left = list(words[1:])
    while left and left[0].startswith("-"):
        word = left.pop(0)
        if word == "--":
            break
        if word[:2] != "--" and word[-1] in _BECOMES_WITH_VALUE:
            del left[:1]
    asked = {"-i", "-s", "--login", "--shell"} & set(words) or re.match(r"-[A-Za-z]*[is]", " ".join(words[1:2]))
    return left if left or not asked else list(_LOGIN)


def _one(command: str, depth: int) -> List[str]:
    """The one command line of a command; what is no program's name, where there are several."""
    found = programs_of(command, depth + 1)
    return found[0] if len(found) == 1 else [command]


def _name(words: Sequence[str]) -> str:
    return words[0].rpartition("/")[2] if words else ""
