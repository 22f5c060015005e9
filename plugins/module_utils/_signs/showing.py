# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What programs that show are told to do besides: wait for something, record it, act on it. Pure.

Where it is not certain that one only shows, it does more.
"""

import re
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Sequence, Tuple

FILTERS: FrozenSet[str] = frozenset(
    "grep egrep fgrep rg ag awk gawk mawk nawk sed cut tr uniq sort head cat tac nl column fmt fold expand rev jq yq"
    " ccze grc grcat colordiff pygmentize bat batcat ts lolcat perl-rename tee".split()
)
"""Programs that show on a terminal what others give to them, unless they write it into a file."""

REPEATING: FrozenSet[str] = frozenset("watch viddy hwatch".split())
"""Programs that run a command again and again, and show what it prints."""

_CHANGES = frozenset(
    "cp mv rm rmdir ln install rsync scp sftp lftp rclone unison dd tee touch mkdir truncate chmod chown tar zip unzip"
    " gzip gunzip xz zstd wget ansible-playbook terraform mail mailx mutt sendmail msmtp pg_dump mysqldump mongodump"
    " restic borg duplicity rdiff-backup logrotate kill pkill killall".split()
)
_CHANGES_SOMETIMES: Dict[str, FrozenSet[str]] = {
    "git": frozenset("pull fetch push commit gc clone checkout merge rebase".split()),
    "svn": frozenset("up update commit ci".split()),
    "hg": frozenset("pull push update commit".split()),
    "curl": frozenset("-o -O -sO -so -sSO -sSo -d -X -T --data --output --remote-name --request --upload-file".split()),
    "sed": frozenset(("-i", "--in-place")),
    "find": frozenset(("-delete", "-exec", "-execdir")),
    "kubectl": frozenset("apply create delete patch scale".split()),
    "docker": frozenset("pull push start restart prune".split()),
    "systemctl": frozenset("start restart reload".split()),
}
"""Programs that are started for what they do, and some words with which others are."""
_LEADS_ON = frozenset(
    "sudo doas env nice ionice time timeout exec command xargs flock sh bash dash zsh -c -n -x ! ( { if then else while"
    " until do".split()
)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_BETWEEN = re.compile(r"[;|&\n`()]+")
_INTO_FILE = re.compile(r"(?<!>)>{1,2}(?!>)\s*(?!\s)(?!/dev/(?:null|stdout|stderr|tty)\b|&)")

RECORDERS: FrozenSet[str] = frozenset(
    "sar sadc atop nmon dstat dool pcp-dstat glances turbostat nvidia-smi tegrastats radeontop intel_gpu_top s-tui"
    " powertop multitail tcpdump fatrace conntrack".split()
)
"""Programs that show what they measure, or write it into a file that they hold open. (Others that show hold logs of
their own.)"""


SERVING: FrozenSet[str] = frozenset(("glances", "k9s"))
"""Programs that show, or are told by keys to be something's door: they forward a port, or start a shell elsewhere."""


class _Grammar(NamedTuple):
    """How a program reads its options.

    ``more``: the letters of those with which it does more than show, ``words``: such options in long. ``takes``: the
    letters of others that take an argument, ``taking``: such options in long. ``mixed``: whether options may come after
    other words. ``single``: whether one dash begins a long option.
    """

    more: str = ""
    words: Tuple[str, ...] = ()
    takes: str = ""
    taking: Tuple[str, ...] = ()
    mixed: bool = True
    single: bool = False


_WATCH = _Grammar("egq", ("errexit", "equexit", "chgexit"), "ns", ("interval", "shotsdir"), mixed=False)
_GREP = _Grammar(
    "mqlL",
    ("max-count", "quiet", "silent", "files-with-matches", "files-without-match"),
    "ABCDdef",
    ("regexp", "file", "after-context", "before-context", "context", "include", "exclude"),
)
_SED = _Grammar("fi", ("file", "in-place"), "el", ("expression", "line-length"))
_AWK = _Grammar(
    "fEil", ("file", "exec", "include", "load"), "FveW", ("field-separator", "assign", "source"), mixed=False
)
_JQ = _Grammar("fe", ("from-file", "exit-status"), "L", ("indent",))

_GRAMMARS: Dict[str, _Grammar] = {
    "tail": _Grammar("", ("pid",), "cns", ("bytes", "lines", "sleep-interval", "max-unchanged-stats")),
    "watch": _WATCH,
    "viddy": _WATCH,
    "hwatch": _WATCH._replace(more="egqAl", words=(*_WATCH.words, "aftercommand", "logfile"), takes="nsLKo"),
    "tcpdump": _Grammar("wczrV", ("count", "read-file"), "BCEFGijmMQsTWy"),
    "tshark": _Grammar(
        "wcabrzq", ("export-objects", "read-file", "autostop", "ring-buffer"), "BCdDeEfGhiIjJKmMnNoOPRsStTuUvXyY"
    ),
    "fatrace": _Grammar("os", ("output", "seconds"), "pfC"),
    "multitail": _Grammar("", ("ex", "Ex", "a", "A"), single=True),
    "grep": _GREP,
    "egrep": _GREP,
    "fgrep": _GREP,
    "rg": _GREP._replace(takes="ABCEefgjMrtT"),
    "ag": _GREP._replace(takes="ABCGpW"),
    "sed": _SED,
    "awk": _AWK,
    "gawk": _AWK,
    "mawk": _AWK,
    "nawk": _AWK,
    "jq": _JQ,
    "yq": _JQ,
}
_TMUX = _Grammar(takes="cfLST", mixed=False)
_TMUX_WAITS = frozenset(
    "wait-for wait run-shell run if-shell if display-popup popup confirm-before confirm command-prompt load-buffer"
    " loadb".split()
)
"""Commands of tmux whose client ends when they are done."""

_TIMEOUT = _Grammar(takes="ks", taking=("kill-after", "signal"), mixed=False)

_SUBCOMMANDS: Dict[str, FrozenSet[str]] = {
    "udevadm": frozenset(("monitor",)),
    "conntrack": frozenset(("-E", "--event")),
}
"""Programs of which only some commands show."""

ASKED: FrozenSet[str] = frozenset((*_GRAMMARS, *_SUBCOMMANDS))
"""Programs whose command line says more than that they show."""

_INSTALLED = frozenset("bin sbin games libexec usr opt snap nix gnu lib".split())
"""Folders in whose paths programs are that somebody has installed."""

_TEXT_CHARS = 4096
"""A longer text is a program, whatever it does."""
_DEEP = 8
_PLACE_OF_SED = r"(?:[0-9]+|\$|/(?:[^/\\]|\\.)*/[IM]*)"
_SHOWS_OF_SED = re.compile(
    r"\s*(?:%s(?:\s*,\s*%s)?\s*(?:!\s*)?)?" % (_PLACE_OF_SED, _PLACE_OF_SED)
    + r"(?:s(.)(?:(?!\1)[^\\]|\\.)*\1(?:(?!\1)[^\\]|\\.)*\1[gpiIM0-9]*\s*"
    + r"|y(.)(?:(?!\2)[^\\]|\\.)*\2(?:(?!\2)[^\\]|\\.)*\2\s*|[pdlnDPNGHhgx=]\s*)?(?:\Z|[;\n])",
    re.DOTALL,
)
"""A command that changes and prints lines. All others are more: ``q`` ends it, ``e`` runs a command, ``w`` writes."""
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_FLUSHES = re.compile(r'system\s*\(\s*""\s*\)')
_IN_BRACKETS = re.compile(r"\([^()]*\)")
_ACTS_OF_AWK = re.compile(r"\b(?:exit|getline|system)\b|@(?:load|include)\b|\|&")
_WRITES_OF_AWK = re.compile(r"\bprintf?\b[^;}\n]*(?:>|(?<!\|)\|(?!\|))")
_ENDS_OF_JQ = re.compile(r"\bhalt(?:_error)?\b|\b(?:first|limit)\s*\(")


def is_own(name: str, words: Sequence[str]) -> bool:
    """Whether a program of that name was started from where somebody works (``./rain``), and not from where programs
    are installed, so that it may be any program. A script comes after its interpreter.
    """
    path = next((word for word in words[:3] if word.rpartition("/")[2][: len(name)] == name), "")
    folders = path.split("/")[:-1]
    return bool(folders) and (folders[0] != "" or not _INSTALLED & set(folders))


def does_more(name: str, words: Sequence[str]) -> bool:
    """Whether a program that shows ends when something has happened, so that something may follow, or acts on it."""
    if name in _SUBCOMMANDS:
        return not _SUBCOMMANDS[name] & set(words[1:])
    grammar = _GRAMMARS.get(name)
    return grammar is not None and any(_is_more(option, grammar) for option, _value in _parts(words, grammar))


def repeats_work(name: str, words: Sequence[str]) -> bool:
    """Whether a program runs again and again what is there to change something, as far as its command line says so."""
    grammar = _GRAMMARS.get(name)
    if name not in REPEATING or grammar is None:
        return False
    text = " ".join(value for option, value in _parts(words, grammar) if not option)[:_TEXT_CHARS]
    text = _QUOTED.sub("''", text)
    return bool(_INTO_FILE.search(text)) or any(_changes(piece.split()) for piece in _BETWEEN.split(text))


def _changes(words: List[str]) -> bool:
    left = list(words)
    while left and (left[0] in _LEADS_ON or "=" in left[0] or left[0].isdigit()):
        del left[0]
    program = left[0].rpartition("/")[2] if left else ""
    return program in _CHANGES or bool(_CHANGES_SOMETIMES.get(program, frozenset()) & set(left[1:]))


def waits_for_tmux(words: Sequence[str]) -> bool:
    """Whether a command line of tmux starts a client that shows nothing, and that ends when its server is done."""
    return next((value for option, value in _parts(words, _TMUX) if not option), "") in _TMUX_WAITS


def limit_of(words: Sequence[str]) -> List[str]:
    """The time in a command line of ``timeout``."""
    return [value for option, value in _parts(words, _TIMEOUT) if not option][:1]


def acts(name: str, words: Sequence[str]) -> bool:
    """Whether a filter does more than show what it is given: it ends at a hit, runs a command, or writes a file."""
    grammar = _GRAMMARS.get(name)
    if grammar is None:
        return name == "head"
    parts = list(_parts(words, grammar))
    if any(_is_more(option, grammar) for option, _value in parts):
        return True
    scripts = [value for option, value in parts if option in ("e", "--expression", "--source")]
    others = [value for option, value in parts if not option]
    text = "\n".join(scripts or others[:1])
    if grammar not in (_SED, _AWK, _JQ):
        return False
    return len(text) > _TEXT_CHARS or _text_acts(text, grammar)


def _text_acts(text: str, grammar: _Grammar) -> bool:
    if grammar is not _AWK:
        return not _is_plain_sed(text) if grammar is _SED else _ENDS_OF_JQ.search(text) is not None
    text = _STRINGS.sub('""', _FLUSHES.sub("", text))
    if _ACTS_OF_AWK.search(text):
        return True
    for _time in range(_DEEP):
        text = _IN_BRACKETS.sub("", text)  # There, what is greater is compared.
    return bool(_WRITES_OF_AWK.search(text))


def _is_plain_sed(script: str) -> bool:
    place = 0
    while place < len(script):
        found = _SHOWS_OF_SED.match(script, place)
        if found is None or found.end() == place:
            return False
        place = found.end()
    return True


def _is_more(option: str, grammar: _Grammar) -> bool:
    return option[2:] in grammar.words if option[:2] == "--" else bool(option) and option in grammar.more


def _parts(words: Sequence[str], grammar: _Grammar) -> Iterator[Tuple[str, str]]:
    """The options of a command line with their arguments; what is no option comes with an empty one."""
    left = list(words[1:])
    while left:
        word = left.pop(0)
        if word == "--":
            break
        if word[:1] != "-" or word == "-":
            yield "", word
            if not grammar.mixed:
                break
        elif word[:2] == "--" or grammar.single:
            yield _long(word, left, grammar)
        else:
            yield from _short(word, left, grammar)
    for word in left:
        yield "", word


def _long(word: str, left: List[str], grammar: _Grammar) -> Tuple[str, str]:
    """A long option, which may be cut short, and its argument, which may be the next of the words that are left."""
    name, equals, value = word.lstrip("-").partition("=")
    known = (*grammar.words, *grammar.taking)
    if name and name not in known and not grammar.single:
        name = next((each for each in known if each.startswith(name)), name)
    if name in grammar.taking and not equals and left:
        value = left.pop(0)
    return "--" + name, value


def _short(word: str, left: List[str], grammar: _Grammar) -> Iterator[Tuple[str, str]]:
    """The letters of a word of short options. One that takes an argument takes the rest of the word, or the next."""
    for place, letter in enumerate(word[1:], 2):
        if letter in grammar.takes:
            yield letter, word[place:] or (left.pop(0) if left else "")
            return
        yield letter, ""
