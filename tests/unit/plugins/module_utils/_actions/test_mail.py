# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mail goes to an account of this host, and nowhere else, as one that a sendmail of any kind understands."""

import os
from email import message_from_bytes, policy
from typing import List

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._actions import mail


@pytest.fixture
def program(tmp_path: "os.PathLike[str]", monkeypatch: pytest.MonkeyPatch) -> str:
    """A sendmail that keeps what it is given."""
    folder = str(tmp_path)
    path = os.path.join(folder, "sendmail")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("#!/bin/sh\nprintf '%%s\\n' \"$@\" >%s/words\ncat >%s/mail\n" % (folder, folder))
    os.chmod(path, 0o755)
    monkeypatch.setattr(mail, "PLACES", folder)
    return path


def content(program: str, name: str) -> bytes:
    with open(os.path.join(os.path.dirname(program), name), "rb") as stream:
        return stream.read()


def test_it_is_mailed_to_the_account(program: str) -> None:
    assert (
        mail.send("anna", "tmux sessions on here: 1 will go", ["tmux set @keep on", ".", "    für 汉字"], 600) is None
    )
    assert content(program, "words") == b"-i\nanna\n"
    found = message_from_bytes(content(program, "mail"), policy=policy.default)
    assert (found["To"], found["Subject"]) == ("anna", "tmux sessions on here: 1 will go")
    assert found.get_content() == "tmux set @keep on\n.\n    für 汉字\n"


@pytest.mark.parametrize(
    "account", ["-anna", "anna@example.org", "${run{id}}", "a|b", "", "a b", "anna\n", "a" * 65, "汉字"]
)
def test_what_a_mail_program_could_take_for_more_than_an_account_is_not_mailed_to(program: str, account: str) -> None:
    assert "is no name that every sendmail takes" in (mail.send(account, "subject", ["text"], 10) or "")
    assert os.listdir(os.path.dirname(program)) == ["sendmail"]


def test_an_id_without_an_account_is_not_mailed_to(program: str) -> None:
    assert mail.send("61507", "subject", ["text"], 10) is None
    assert os.listdir(os.path.dirname(program)) == ["sendmail"]


def test_where_there_is_none_nobody_is_mailed(tmp_path: "os.PathLike[str]", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "PLACES", str(tmp_path))
    assert mail.send("anna", "subject", ["text"], 10) is None


@pytest.mark.parametrize(
    ("script", "timeout", "said"),
    [
        ("echo 'no such \x1buser' >&2; exit 67", 600, "exit status 67: no such \\x1buser"),
        ("exec sleep 600", 0.3, "did not end within 0.3 seconds"),
    ],
)
def test_what_goes_wrong_is_told(program: str, script: str, timeout: float, said: str) -> None:
    with open(program, "w", encoding="utf-8") as stream:
        stream.write("#!/bin/sh\n%s\n" % script)
    told: List[str] = [mail.send("anna", "subject", ["text"], timeout) or ""]
    assert told[0].startswith("mail: " + program) and said in told[0]


def test_the_name_of_the_host_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd:
        nodename = "a\nBcc: x" + "y" * 100

    monkeypatch.setattr(mail.os, "uname", lambda: Odd)  # type: ignore[attr-defined]
    assert mail.host_name() == ("a_Bcc__x" + "y" * 100)[:64]
