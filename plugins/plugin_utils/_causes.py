# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a host failed, in one sentence, and what to do about it: from what Ansible returned of it. Pure.

Ansible says what it could not do ("Module result deserialization failed"), and has the cause in what ssh, sudo, a shell
or Python printed. Here is what those print, and what it means; what is not known here is told as it was said.
"""

import re
from typing import Any, Iterable, List, Mapping, NamedTuple, Optional, Pattern, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._host.text import spoken

Result = Mapping[str, Any]

_READ, _SAID, _WORD = 20000, 2000, 80
"""Characters that are read of what was printed; that are told of it; of a word in a sentence."""
_TOLD_LINES = 6


class Cause(NamedTuple):
    """What went wrong, what to do about it, and what was said by whom it went wrong with, where that is more."""

    sentence: str
    remedy: str = ""
    said: str = ""


class _Known(NamedTuple):
    pattern: Pattern[str]
    sentence: str
    remedy: str


def _known(pattern: str, sentence: str, remedy: str) -> _Known:
    return _Known(re.compile(pattern, re.MULTILINE), sentence, remedy)


# --- there is no way to the host --------------------------------------------------------------------------------------

_LOGIN = "See which user and which key Ansible takes (ansible_user, ansible_ssh_private_key_file), or add --ask-pass."
_NETWORK = "See whether it is switched on, and whether ansible_host is its address."

_CONNECTION = (
    _known(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|Host key for .* has changed",
        "Its ssh host key is not the one that is known.",
        "Find out why. If it was installed anew, remove the old key with ssh-keygen -R and its name, and log in once.",
    ),
    _known(
        r"host key is known for|Host key verification failed|Host Key checking is enabled",
        "Its ssh host key is not known on this controller.",
        "Log in to it once with ssh, as the user who runs Ansible, and compare the key.",
    ),
    _known(
        r"UNPROTECTED PRIVATE KEY FILE|Bad owner or permissions on",
        "ssh uses no private key or configuration that others can read or write.",
        "Take the rights of all others away: chmod go= and the file.",
    ),
    _known(
        r"(?:^|[\s:])(?P<user>[^\s@:]+)@\S+: Permission denied \(",
        "ssh does not let {user} in: no key and no password was accepted.",
        _LOGIN,
    ),
    _known(
        r"Permission denied \([^)]*(?:publickey|password|keyboard-interactive)|Invalid/incorrect password"
        r"|Too many authentication failures|Authentication failed",
        "ssh does not let the user in: no key and no password was accepted.",
        _LOGIN,
    ),
    _known(
        r"(?:Could not resolve hostname|Name or service not known|Temporary failure in name resolution)",
        "Its name cannot be resolved to an address.",
        "Mend its name in the inventory, or set ansible_host to its address.",
    ),
    _known(
        r"Connection refused",
        "It refuses the connection: nothing listens on that port.",
        "See whether sshd runs there, and on which port (ansible_port).",
    ),
    _known(r"No route to host|Network is unreachable", "There is no way to it through the network.", _NETWORK),
    _known(
        r"timed out during banner exchange",
        "Something answers on its ssh port and then says nothing: it is overloaded or frozen.",
        "Look at its console. The next run tries again.",
    ),
    _known(
        r"(?:Connection|Operation) timed out|connect to .*: timed out|Connection to \S+ port \d+ timed out",
        "It did not answer in time.",
        _NETWORK,
    ),
    _known(
        r"Connection (?:closed|reset) by|closed by remote host|Broken pipe|client_loop: send disconnect|"
        r"Timeout, server .* not responding|lost connection|Shared connection to \S+ closed",
        "The connection to it broke.",
        "See whether it was restarted, or its sshd takes few logins at once (MaxStartups). The next run does the rest.",
    ),
    _known(
        r"Unable to negotiate|no matching (?:host key type|key exchange method|cipher|MAC) found",
        "Its sshd and the ssh of this controller have no algorithm in common.",
        "Update the older one, or allow what it offers in ~/.ssh/config for this host.",
    ),
    _known(
        r"must install the sshpass program",
        "A password for ssh was given, and this controller has no sshpass, which Ansible needs for one.",
        "Install sshpass here, or use a key.",
    ),
    _known(
        r"(?P<what>connection plugin|become method)\b.*?'(?P<name>[^']+)'",
        "This controller has no {what} '{name}'.",
        "Mend the name, or install the collection that has it (ansible-doc -t become -l lists what there is).",
    ),
)

# --- the user may not do it -------------------------------------------------------------------------------------------

_PASSWORD = (
    "Add --ask-become-pass (with make: to what ARGS has), set ansible_become_password in a vault, or let the "
    "user do it without a password."
)

_BECOMING = (
    _known(
        r"Missing (?P<method>\S+) password|(?P<sudo>sudo): a password is required|sudo: no password was provided",
        "A password is needed to become root there, and none was given.",
        _PASSWORD,
    ),
    _known(
        r"Incorrect (?:\S+) password|Sorry, try again|incorrect password attempt|su: Authentication failure",
        "The password to become root there is wrong.",
        "Give the one that sudo (or su) wants on this host: --ask-become-pass, or ansible_become_password.",
    ),
    _known(
        r"waiting for privilege escalation prompt|Duplicate become password prompt",
        "Ansible could not become root there: it was asked for something that it does not know.",
        _PASSWORD,
    ),
    _known(
        r"(?:^|\s)(?P<user>\S+) is not in the sudoers file",
        "The user {user} may not use sudo there.",
        "Let the user in its sudoers, or log in as another (ansible_user).",
    ),
    _known(
        r"is not allowed to (?:execute|run)|may not run sudo|not permitted to (?:use|run)|doas: .* not permitted",
        "The user may not become root there.",
        "Let the user in its sudoers (or doas.conf), or log in as another (ansible_user).",
    ),
    _known(
        r"must have a tty|a terminal is required",
        "sudo wants a terminal there.",
        "Take requiretty out of its sudoers for this user, or set ansible_pipelining to false.",
    ),
    _known(
        r"sudo: unknown user:? (?P<user>\S+)|su: user (?P<user2>\S+) does not exist|"
        r"(?:No passwd entry for user|unknown login:|unknown user) '?(?P<user3>[^\s']+)",
        "There is no user {user} there.",
        "Mend the name (ansible_become_user), or make the user.",
    ),
    _known(
        r"no valid sudoers sources|sudoers.*(?:syntax|parse) error|sudo.* must be (?:owned by uid 0|setuid)"
        r"|effective uid is not 0",
        "sudo does not work there.",
        "Log in and mend it: visudo -c says what is wrong with its configuration.",
    ),
    _known(
        r"This account is currently not available|nologin|account is locked",
        "The user may not log in there: it has no shell.",
        "Log in as another user (ansible_user).",
    ),
    _known(
        r"required to change your password|[Pp]assword (?:has )?expired|account has expired",
        "The password or the account of the user has expired there.",
        "Log in once and change the password, or have the account extended.",
    ),
)

# --- the host cannot do it --------------------------------------------------------------------------------------------

_NO_PYTHON = "Install python3 there, or set ansible_python_interpreter to where it is."
_OLD_PYTHON = (
    "Install a newer one beside it and set ansible_python_interpreter to that, or run ansible-core 2.16, which works "
    "with Python 3.6."
)
_MEMORY = "See what uses it up (ps, free, ulimit -a of the user). The next run tries again."

_HOST = (
    _known(
        r"No space left on device|\bENOSPC\b|Disk quota exceeded|\[Errno 28\]",
        "A disk there is full, or the quota of the user is used up.",
        "Make room in the home directory of the user and in /tmp (df -h, df -i, quota).",
    ),
    _known(
        r"Read-only file system",
        "A file system there can only be read.",
        "Look at its kernel log for the cause, and mount it for writing again.",
    ),
    _known(
        r"(?:requires a minimum of|requires) Python.*?[Cc]urrent version: (?P<version>\d[\d.]*)",
        "Its Python, {version}, is too old for this Ansible.",
        _OLD_PYTHON,
    ),
    _known(
        r"future feature annotations is not defined|requires (?:a minimum of )?Python|SyntaxError: invalid syntax",
        "Its Python is too old for this Ansible.",
        _OLD_PYTHON,
    ),
    _known(
        r"module interpreter '(?P<path>[^']+)' was not found",
        "There is no Python at {path} there.",
        _NO_PYTHON,
    ),
    _known(
        r"MemoryError|[Cc]annot allocate memory|Resource temporarily unavailable|[Cc]annot fork|unable to fork"
        r"|can't start new thread|fork: retry|Too many open files|out of memory",
        "It has no memory, processes or open files left.",
        _MEMORY,
    ),
    _known(
        r"No module named '?(?P<name>[^\s']+)",
        "Its Python has no module {name}.",
        "Install all of python3 there (python3-minimal and the like are not enough).",
    ),
    _known(
        r"libselinux|selinux but python bindings",
        "SELinux is enabled there, and its Python has no bindings for it.",
        "Install python3-libselinux there.",
    ),
    _known(
        r"Failed to set permissions on the temporary files.*?A\+user:(?P<user>[^\s:]+)",
        "There is no user {user} there, or that user could not be let read what Ansible puts there.",
        "See that ansible_become_user is right; set ansible_pipelining to true, or install the package acl there.",
    ),
    _known(
        r"Failed to set permissions on the temporary files|Failed to change ownership of the temporary files",
        "There is no user there like the one to become, or that user could not be let read what Ansible puts there.",
        "See that ansible_become_user is right; set ansible_pipelining to true, or install the package acl there.",
    ),
    _known(
        r"Failed to create temporary directory|mkdir: cannot create directory",
        "Ansible could not make a directory for itself there.",
        "Log in as that user: the home directory may be missing, full or read-only, or the password expired. If only "
        "the place is wrong, set ansible_remote_tmp to another, or ansible_pipelining to true.",
    ),
    _known(
        r"Exec format error|cannot execute|error while loading shared libraries",
        "Its Python cannot be run: it is broken, or made for another machine.",
        _NO_PYTHON,
    ),
)

# What Ansible says before it goes anywhere: a variable of the host refers to one that is not there.
_UNDEFINED = (
    _known(
        r"(?:keyword|field) '(?P<keyword>[^']+)'.*?'(?P<name>[^']+)' is undefined",
        "Its {keyword} is not known: {name} is not defined.",
        "Define {name} for this host, or mend the variable that refers to it.",
    ),
    _known(
        r"'(?P<name>[^']+)' is undefined",
        "One of its variables refers to {name}, which is not defined.",
        "Define {name} for this host, or mend the variable that refers to it.",
    ),
)

_TIME = _known(
    r"Timed out after (?P<seconds>\d+) second|expected time frame \((?P<seconds2>\d+)\)",
    "It was not done within {time}, and was given up.",
    "See whether it is frozen or overloaded. tmux_cleanup_host_timeout says how long it may take. What was begun there "
    "may still come to its end.",
)

# What the module itself has said is the cause; only a remedy may be missing.
_MODULE = (
    _known(
        r"tmux was not found|executable: .* is no program|no tmux that can be used",
        "",
        "Install tmux there, or mend tmux_cleanup_executable.",
    ),
    _known(
        r"No space left on device|Disk quota exceeded",
        "",
        "Make room there (df -h, df -i, quota).",
    ),
    _known(
        r"max_(?:removals|percent)",
        "",
        "Look at what would go. If it is right, raise the limit for one run.",
    ),
)

_SHELLS = re.compile(
    r"(?:^|[\s'\u2018])(?P<program>[^\s:'\u2018\u2019]+)['\u2019]?: "
    r"(?:[Cc]ommand not found|not found|No such file or directory|inaccessible or not found)"
    r"|command not found: (?P<program2>\S+)|Unknown command:? '?(?P<program3>[^\s']+)",
    re.MULTILINE,
)
_BECOMERS = ("sudo", "su", "doas", "pbrun", "pfexec", "dzdo", "ksu", "run0", "machinectl", "pmrun", "sesu", "runas")
_NO_BECOMER = "Install {name} there, log in as root (ansible_user), or name another way with ansible_become_method."
_NO_SUCH = "Install it there, or mend ansible_become_exe, ansible_become_method or ansible_python_interpreter."
_EMPTY = re.compile(r"deserialization failed|MODULE FAILURE|failed to execute correctly|^no message$|^$")
_NOISE = re.compile(r"^(?:(?:Shared )?[Cc]onnection to \S+ closed\.?|\{.*|See stdout/stderr for the exact error)$")


def cause(result: Result) -> Cause:
    """Why a host failed, or could not be reached."""
    message = _message(result)
    if "counts" in result:
        # The module has judged, and what it says is written for people.
        return _of_module(message)
    text = "\n".join([message, *_printed(result)])
    found = _first(text, _tables(result)) or _of_status(result, text)
    return _with_words(found, text) if found else _as_said(message, text)


def _tables(result: Result) -> Iterable[_Known]:
    if result.get("unreachable"):
        return (_TIME, *_CONNECTION, *_BECOMING, *_HOST)
    return (_TIME, *_UNDEFINED, *_BECOMING, *_HOST, *_CONNECTION)


def _of_module(message: str) -> Cause:
    found = next((known for known in _MODULE if known.pattern.search(message)), None)
    return Cause(_cut(" ".join(message.split()), _READ), found.remedy if found else "")


def _first(text: str, tables: Iterable[_Known]) -> Optional[Cause]:
    for known in tables:
        match = known.pattern.search(text)
        if match:
            words = _words(match.groupdict())
            return Cause(known.sentence.format(**words), known.remedy.format(**words))
    return None


def _words(groups: Mapping[str, Optional[str]]) -> Mapping[str, str]:
    """The words of a match: of those whose names differ by a number only, the one that is there."""
    found = {name.rstrip("0123456789"): "" for name in groups}
    found.update({name.rstrip("0123456789"): _cut(word, _WORD) for name, word in groups.items() if word})
    if "seconds" in found:
        found["time"] = spoken(int(found["seconds"][:9]))
    return found


def _of_status(result: Result, text: str) -> Optional[Cause]:
    """What the exit status of a shell says."""
    status = result.get("rc")
    if status == 127:
        return _no_program(text)
    if status == 126:
        return Cause("What Ansible has to run there may not be run (sudo, or Python).", "See its rights: ls -l, mount.")
    if status in (137, -9):
        return Cause("It was killed there while it ran, as a system does that has no memory left.", _MEMORY)
    return None


def _no_program(text: str) -> Cause:
    match = _SHELLS.search(text)
    path = _words(match.groupdict())["program"] if match else ""
    name = path.rpartition("/")[2]
    if "python" in name or not name:
        return Cause("There is no Python%s there." % (f" at {path}" if "/" in path else ""), _NO_PYTHON)
    if name in _BECOMERS:
        return Cause(f"There is no {path} there.", _NO_BECOMER.format(name=name))
    return Cause(f"There is no {path} there.", _NO_SUCH)


def _as_said(message: str, text: str) -> Cause:
    """What is not known here, by the last that was said of it."""
    if not _EMPTY.search(message):
        return _with_words(Cause(_line(message)), text)
    lines = _lines(text)
    last = next((line for line in reversed(lines) if not _EMPTY.search(line)), "")
    if not last:
        return Cause("What ran there ended without a word.", "Log in and see whether its Python runs: python3 -c 1.")
    return _with_words(Cause(f"What ran there ended with: {_line(last)}"), text)


def _with_words(found: Cause, text: str) -> Cause:
    said = _cut(" ".join(_told(_lines(text))), _SAID)
    return found if said == found.sentence else found._replace(said=said)


def _told(lines: Sequence[str]) -> Sequence[str]:
    """The first line, which is Ansible's, and the last, which have the cause."""
    return lines if len(lines) <= _TOLD_LINES else [lines[0], "...", *lines[1 - _TOLD_LINES :]]


# --- what was said ----------------------------------------------------------------------------------------------------


def _message(result: Result) -> str:
    text = _cut(str(result.get("msg") or "no message"), _READ)
    return re.sub(r"^(?:Task failed: |Action failed: )+", "", text.strip())


def _printed(result: Result) -> List[str]:
    """What was printed there instead of a result. That its terminal was closed, ssh says of every task that had one."""
    streams = [str(result.get(key) or "")[-_READ:] for key in ("module_stderr", "module_stdout")]
    return [line for stream in streams for line in stream.splitlines() if not _NOISE.match(line.strip())]


def _lines(text: str) -> List[str]:
    """The lines that say something, each once; what may be a piece of a result is none of them."""
    found = [_line(line) for line in text.splitlines()]
    return list(dict.fromkeys(line for line in found if line and not _NOISE.match(line)))


def _line(text: str) -> str:
    return _cut(" ".join(text.split()), _SAID)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else "%s... and %d more characters" % (text[:most], len(text) - most)
