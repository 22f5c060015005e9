# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cause of a failed host is the cause, and something can be done about it.

``failures.json`` holds what ansible-core 2.16 and 2.21 returned of hosts that were broken for it, over ssh, with other
paths in it: each is an object with the ``name`` of what was broken and the ``result``.
"""

import json
from pathlib import Path
from typing import Any, Dict

import pytest
from ansible_collections.fleet.tmux.plugins.plugin_utils._causes import cause
from ansible_collections.fleet.tmux.tests.support.reports import host, result, whole

RECORDED = json.loads((Path(__file__).parent / "failures.json").read_text(encoding="utf-8"))

NO_DIRECTORY = "Ansible could not make a directory for itself there."
EXPECTED: Dict[str, Any] = {
    "bad_conn": ("This controller has no connection plugin 'nosuch'.", "install the collection"),
    "bad_method": ("This controller has no become method 'nosuch'.", "install the collection"),
    "banner": (
        "Something answers on its ssh port and then says nothing: it is overloaded or frozen.",
        "Look at its console",
    ),
    "become_other": (
        "There is no user noroot there, or that user could not be let read what Ansible puts there.",
        "ansible_become_user",
    ),
    "expired": ((NO_DIRECTORY, "The password or the account of the user has expired there."), "password"),
    "frozen": ("It was not done within 5s, and was given up.", "tmux_cleanup_host_timeout"),
    "full": ("A disk there is full, or the quota of the user is used up.", "Make room"),
    "key_changed": ("Its ssh host key is not the one that is known.", "ssh-keygen -R"),
    "key_unknown": ("Its ssh host key is not known on this controller.", "Log in to it once"),
    "killed": ("It was killed there while it ran, as a system does that has no memory left.", "See what uses it up"),
    "login_denied": ("ssh does not let free in: no key and no password was accepted.", "ansible_user"),
    "memory": ("It has no memory, processes or open files left.", "See what uses it up"),
    "no_json": ("Its Python has no module nothing.", "Install all of python3"),
    "no_name": ("Its name cannot be resolved to an address.", "ansible_host"),
    "no_net": ("There is no way to it through the network.", "switched on"),
    "no_python": ("There is no Python at /usr/bin/python9 there.", "Install python3 there"),
    "no_route": ("There is no way to it through the network.", "switched on"),
    "no_sudo": ("There is no /usr/bin/nosudo there.", "ansible_become_exe"),
    "no_sudo_path": ("There is no sudont there.", "ansible_become_exe"),
    "nologin": ("The user may not log in there: it has no shell.", "another user"),
    "not_sudoer": ("The user noroot may not use sudo there.", "sudoers"),
    "nothing": ("What ran there ended without a word.", "python3 -c 1"),
    "pass_missing": ("A password is needed to become root there, and none was given.", "--ask-become-pass"),
    "pass_wrong": ("The password to become root there is wrong.", "--ask-become-pass"),
    "readonly": (NO_DIRECTORY, "full or read-only"),
    "refused": ("It refuses the connection: nothing listens on that port.", "ansible_port"),
    "small_python": ("Its Python is too old for this Ansible.", "ansible_python_interpreter"),
    "ssh_pass": (
        "A password for ssh was given, and this controller has no sshpass, which Ansible needs for one.",
        "Install sshpass",
    ),
    "su_missing": (
        "Ansible could not become root there: it was asked for something that it does not know.",
        "--ask-become-pass",
    ),
    "su_nouser": (
        "There is no user there like the one to become, or that user could not be let read what Ansible puts there.",
        "ansible_become_user",
    ),
    "su_wrong": ("The password to become root there is wrong.", "--ask-become-pass"),
    "sudo_nouser": (
        (
            "There is no user nobodyhere there.",
            "There is no user nobodyhere there, or that user could not be let read what Ansible puts there.",
        ),
        "ansible_become_user",
    ),
    "tmp_missing": (NO_DIRECTORY, "ansible_remote_tmp"),
    "undefined": ("Its remote_user is not known: nothing_such is not defined.", "Define nothing_such"),
}
"""The sentence (or, where Ansible does not always tell the same, the sentences), and a part of the remedy."""


@pytest.mark.parametrize("one", RECORDED, ids=lambda one: "%(name)s-%(ansible_core)s-%(pipelining)s" % one)
def test_what_ansible_returned_has_its_cause(one: Dict[str, Any]) -> None:
    found = cause(one["result"])
    sentence, remedy = EXPECTED[one["name"]]
    assert found.sentence in ([sentence] if isinstance(sentence, str) else sentence)
    assert remedy in found.remedy
    assert "deserialization" not in found.sentence and "MODULE FAILURE" not in found.sentence


def test_both_ends_of_ansible_were_asked_everything() -> None:
    asked = {core: {one["name"] for one in RECORDED if one["ansible_core"] == core} for core in ("2.16", "2.21")}
    # What 2.21 does by itself (SSH_ASKPASS), and 3.6 is old enough for 2.16.
    assert asked["2.16"] ^ asked["2.21"] == {"ssh_pass", "small_python"}
    assert asked["2.16"] | asked["2.21"] == set(EXPECTED)


PRINTED = [
    ("/bin/sh: 1: sudo: not found", "There is no sudo there.", "Install sudo there"),
    ("/bin/sh: sudo: command not found", "There is no sudo there.", "Install sudo there"),
    ("bash: line 1: sudo: command not found", "There is no sudo there.", "Install sudo there"),
    ("zsh:1: command not found: sudo", "There is no sudo there.", "Install sudo there"),
    ("sudo: Command not found.", "There is no sudo there.", "Install sudo there"),
    ("/bin/sh: line 1: /usr/bin/sudo: No such file or directory", "There is no /usr/bin/sudo there.", "Install sudo"),
    ("/bin/sh: 1: doas: not found", "There is no doas there.", "Install doas there"),
    ("/bin/sh: 1: /usr/bin/python: not found", "There is no Python at /usr/bin/python there.", "Install python3"),
    (
        "/usr/bin/env: \u2018python3\u2019: No such file or directory",
        "There is no Python there.",
        "Install python3 there",
    ),
    ("bash: python3: command not found", "There is no Python there.", "Install python3 there"),
]


@pytest.mark.parametrize("printed, sentence, remedy", PRINTED, ids=[row[0] for row in PRINTED])
@pytest.mark.parametrize("stream", ["module_stdout", "module_stderr"])
def test_every_shell_has_its_own_words_for_what_is_missing(
    printed: str, sentence: str, remedy: str, stream: str
) -> None:
    found = cause({"failed": True, "rc": 127, "msg": "MODULE FAILURE", stream: printed + "\r\n"})
    assert found.sentence == sentence
    assert remedy in found.remedy


OTHERS = [
    ("sudo: a password is required\n", "A password is needed to become root there, and none was given."),
    ("Sorry, try again.\nsudo: 1 incorrect password attempt", "The password to become root there is wrong."),
    ("Sorry, user eve is not allowed to execute '/bin/sh' as root on web1.", "The user may not become root there."),
    ("eve is not allowed to run sudo on web1.  This incident will be reported.", "The user may not become root there."),
    ("sudo: sorry, you must have a tty to run sudo", "sudo wants a terminal there."),
    (
        "sudo: /etc/sudoers is owned by uid 1, should be 0\nsudo: no valid sudoers sources found",
        "sudo does not work there.",
    ),
    ("sudo: unknown user: frank\nsudo: unable to initialize policy plugin", "There is no user frank there."),
    ("su: user frank does not exist or the user entry does not contain all", "There is no user frank there."),
    ("OSError: [Errno 30] Read-only file system: '/home/deploy/.ansible'", "A file system there can only be read."),
    ("tar: write error: Disk quota exceeded", "A disk there is full, or the quota of the user is used up."),
    ("/bin/sh: 1: Cannot fork", "It has no memory, processes or open files left."),
    ("BlockingIOError: [Errno 11] Resource temporarily unavailable", "It has no memory, processes or open files left."),
    (
        "ansible-core requires a minimum of Python2 version 2.7 or Python3 version 3.6. Current version: 3.5.2 (x)",
        "Its Python, 3.5.2, is too old for this Ansible.",
    ),
    (
        "Ansible requires Python 3.9 or newer on the target. Current version: 3.8.10 (default)",
        "Its Python, 3.8.10, is too old for this Ansible.",
    ),
    ("'spool' is undefined. 'spool' is undefined", "One of its variables refers to spool, which is not defined."),
    ("SyntaxError: invalid syntax", "Its Python is too old for this Ansible."),
]


@pytest.mark.parametrize("printed, sentence", OTHERS, ids=[row[0][:40] for row in OTHERS])
def test_what_sudo_python_and_systems_print(printed: str, sentence: str) -> None:
    assert cause({"failed": True, "rc": 1, "msg": "MODULE FAILURE", "module_stderr": printed}).sentence == sentence
    assert cause({"failed": True, "msg": printed}).sentence == sentence


BROKEN = [
    ("kex_exchange_identification: Connection closed by remote host", "The connection to it broke."),
    ("client_loop: send disconnect: Broken pipe", "The connection to it broke."),
    ("Shared connection to web1 closed.", "The connection to it broke."),
    ("Timeout, server web1 not responding.", "The connection to it broke."),
    ("ssh: connect to host web1 port 22: Connection timed out", "It did not answer in time."),
    ("ssh: connect to host web1 port 22: Operation timed out", "It did not answer in time."),
    ("ssh: Could not resolve hostname web1: Name or service not known", "Its name cannot be resolved to an address."),
    (
        "Unable to negotiate with 10.1.1.1 port 22: no matching host key type found. Their offer: ssh-rsa",
        "Its sshd and the ssh of this controller have no algorithm in common.",
    ),
    (
        "Received disconnect: Too many authentication failures",
        "ssh does not let the user in: no key and no password was accepted.",
    ),
    (
        "@ WARNING: UNPROTECTED PRIVATE KEY FILE! @\neve@web1: Permission denied (publickey).",
        "ssh uses no private key or configuration that others can read or write.",
    ),
]


@pytest.mark.parametrize("said, sentence", BROKEN, ids=[row[0][:40] for row in BROKEN])
def test_what_ssh_says(said: str, sentence: str) -> None:
    message = "Failed to connect to the host via ssh: " + said
    assert cause({"unreachable": True, "msg": message}).sentence == sentence
    assert cause({"unreachable": True, "msg": "Task failed: " + message}).sentence == sentence


def test_a_terminal_that_is_closed_is_no_broken_connection() -> None:
    """ssh says so at the end of every task that had one."""
    found = cause(
        {"failed": True, "rc": 3, "msg": "MODULE FAILURE", "module_stderr": "Shared connection to h closed.\r\n"}
    )
    assert found.sentence == "What ran there ended without a word."


def test_what_is_not_known_is_told_by_its_last_line() -> None:
    streams = {
        "module_stdout": "Traceback:\r\n  File x\r\nValueError: odd\r\n",
        "module_stderr": "Connection to h closed.\r\n",
    }
    found = cause(
        dict(streams, failed=True, rc=1, msg="Module result deserialization failed: No start of json char found")
    )
    assert found.sentence == "What ran there ended with: ValueError: odd"
    assert found.said.endswith("Traceback: File x ValueError: odd")


def test_what_people_were_told_stays_as_it_is() -> None:
    assert cause({"failed": True, "msg": "Task failed: it is Tuesday"}) == ("it is Tuesday", "", "")


def test_a_module_that_has_judged_says_itself_what_went_wrong() -> None:
    """Its words are for people; what a server or a command of a user has said is no word of ssh or sudo."""
    made = result(failed=True, msg="2 servers failed: sudo: a password is required", module_stderr="Sorry, try again.")
    found = cause(made)
    assert (found.sentence, found.said) == ("2 servers failed: sudo: a password is required", "")
    assert "Make room" in cause(result(failed=True, msg="x: No space left on device")).remedy
    assert "Install tmux" in cause(result(failed=True, msg="tmux was not found; install the package tmux")).remedy


def test_a_piece_of_a_result_is_not_told() -> None:
    """It may hold what a report does not promise."""
    piece = '{"removed": [{"name": "hunter2"'
    found = cause(
        {"failed": True, "rc": 1, "msg": "MODULE FAILURE", "module_stdout": piece, "module_stderr": "Killed by me"}
    )
    assert "hunter2" not in "".join(found)
    assert found.sentence == "What ran there ended with: Killed by me"


def test_much_is_cut(result_size: int = 10**6) -> None:
    for text in ("x" * result_size, "x\n" * result_size, "a: " * result_size, "'" * result_size, "@" * result_size):
        found = cause({"failed": True, "rc": 127, "msg": text, "module_stdout": text, "module_stderr": text})
        assert len("".join(found)) < 30000


def test_a_report_has_cause_remedy_and_words() -> None:
    failed = {"failed": True, "rc": 127, "msg": "MODULE FAILURE", "module_stderr": "/bin/sh: 1: sudo: not found"}
    made = whole({"web1": failed, "web2": {}, "web3": result()})
    one, missing, well = (host(made, name) for name in ("web1", "web2", "web3"))
    assert (one["status"], one["message"]) == ("failed", "There is no sudo there.")
    assert one["remedy"].startswith("Install sudo there")
    assert one["said"] == "MODULE FAILURE /bin/sh: 1: sudo: not found"
    assert missing["remedy"] == "See what failed on it before this, in an earlier play."
    assert [well[key] for key in ("message", "remedy", "said")] == ["", "", ""]
