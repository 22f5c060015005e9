# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left for a user, and mailed, is for that user alone, and gives nobody anything of root's."""

import contextlib
import os
import subprocess
from typing import Iterator, List

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    EVIDENCE,
    Result,
    Tmux,
    mode_of,
    prune,
    removed,
    run_as,
    write,
)
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, BOB, ERIN, Account, mount

PLACE = "/tmp/state/notices"
MAIL = "/usr/local/sbin"


@pytest.fixture(params=["tmpfs", "ramfs"])
def kind(request: pytest.FixtureRequest) -> Iterator[str]:
    """File systems that have access control lists, and that have none."""
    os.mkdir("/tmp/state", 0o755)
    mount("-t", request.param, "-o", "mode=0755", request.param, "/tmp/state")
    yield str(request.param)
    subprocess.run(["umount", "/tmp/state"], check=True)


@contextlib.contextmanager
def sendmail(script: str) -> Iterator[None]:
    """A host that has one."""
    mount("-t", "tmpfs", "tmpfs", MAIL)
    try:
        write(MAIL + "/sendmail", "#!/bin/sh\n%s\n" % script, mode=0o755)
        yield
    finally:
        subprocess.run(["umount", MAIL], check=True)


def tell(**more: object) -> Result:
    return prune(notices_dir=PLACE, **dict({"notice": "1h", "protect": ["keep"]}, **more))


def file_of(account: Account) -> str:
    return os.path.join(PLACE, str(account.uid))


def read_by(account: Account, path: str) -> str:
    return run_as(account, "cat", path).stdout.decode("utf-8")


def can(account: Account, *words: str) -> bool:
    return run_as(account, *words).returncode == 0


def start(account: Account, name: str = "work") -> Tmux:
    tmux = Tmux(account)
    tmux("new-session", "-d", "-s", name, "cat")
    return tmux


def test_nobody_but_its_user_reads_a_message(kind: str) -> None:
    start(ALICE), start(BOB)
    assert len(tell()["marked"]) == 2
    for own, other in ((ALICE, BOB), (BOB, ALICE)):
        assert "keeps tmux session work, " in read_by(own, file_of(own))
        assert read_by(other, file_of(own)) == ""
        assert not can(own, "sh", "-c", "echo x >>" + file_of(own))
        assert not can(own, "rm", "-f", file_of(own)) and not can(own, "touch", PLACE + "/x")
    owner = 0 if kind == "tmpfs" else ALICE.uid
    assert (os.stat(file_of(ALICE)).st_uid, mode_of(file_of(ALICE))) == (owner, 0o640 if owner == 0 else 0o400)


def test_what_its_user_writes_into_a_file_of_hers_reaches_nobody(kind: str) -> None:
    """Where there are no lists, the file is hers: she can change what is in it, and root reads it again."""
    tmux = start(ALICE)
    tell()
    if kind == "ramfs":
        forged = "fleet-tmux 1 99999999999\\n@ 99999999999 99999999999 marked -\\n \\033[2J\\n"
        assert can(ALICE, "sh", "-c", "chmod 600 %s; printf '%s' >%s" % (file_of(ALICE), forged, file_of(ALICE)))
    tmux("new-session", "-d", "-s", "more", "cat")
    assert len(tell()["marked"]) == 1
    said = read_by(ALICE, file_of(ALICE))
    assert "keeps tmux session more, " in said and "\x1b" not in said
    assert not can(BOB, "cat", file_of(ALICE))


def test_a_name_that_does_harm_is_written_so_that_it_does_none(kind: str) -> None:
    tmux = start(ALICE, "a #(id) %s 'x' $(id) `id`")
    tell()
    said = read_by(ALICE, file_of(ALICE))
    assert all(char.isprintable() or char == "\n" for char in said)
    assert [line for line in said.splitlines() if not line.startswith(("fleet-tmux 1 ", "@ ", " "))] == []
    tmux("kill-server")


def test_after_a_removal_only_its_user_learns_of_it(kind: str) -> None:
    start(ALICE), start(BOB)
    tell()
    result = prune(notices_dir=PLACE, protect=["keep"], snapshot_dir="/tmp/state/snapshots")
    assert removed(result) == [("alice", "work"), ("bob", "work")]
    said = read_by(ALICE, file_of(ALICE))
    assert "tmux session work was removed " in said and "/tmp/state/snapshots/alice/" in said
    assert "bob" not in said and "@keep" not in said, "the notice is taken back"
    assert not can(BOB, "cat", file_of(ALICE))


def test_in_check_mode_nobody_is_told(kind: str) -> None:
    start(ALICE)
    with sendmail("cat >%s/mail" % EVIDENCE):
        assert len(tell(check=True, mail=True)["marked"]) == 1
    assert not os.path.exists(PLACE) and not os.path.exists(EVIDENCE + "/mail")


def test_user_ids_without_an_account_fill_no_directory(kind: str) -> None:
    start(ERIN)
    assert len(tell(mail=True)["marked"]) == 1
    assert not os.path.exists(PLACE)


def test_a_directory_of_somebody_else_is_not_used() -> None:
    os.mkdir("/tmp/state", 0o755)
    os.mkdir(PLACE, 0o755)
    os.chown(PLACE, ALICE.uid, ALICE.gid)
    start(BOB)
    result = tell()
    assert len(result["marked"]) == 1
    assert result["warnings"] == ["notices_dir: the directory %s belongs to uid %d" % (PLACE, ALICE.uid)]
    assert os.listdir(PLACE) == []


# --- mail -------------------------------------------------------------------------------------------------------------


def lines(name: str) -> List[str]:
    with open(os.path.join(EVIDENCE, name), encoding="utf-8") as stream:
        return stream.read().splitlines()


def test_a_mail_is_sent_by_root_to_the_owner_and_holds_what_is_told() -> None:
    start(ALICE, "a\nBcc: bob")
    keep = "id -u >>{0}/as; printf '%s ' \"$@\" >>{0}/to; cat >{0}/mail.$3".format(EVIDENCE)
    with sendmail(keep):
        result = prune(protect=["keep"], notice="1h", mail=True)
    assert result["warnings"] == [] and len(result["marked"]) == 1
    assert (lines("as"), lines("to")) == (["0"], ["-i alice "])
    mail = lines("mail.")
    assert [line for line in mail if line.startswith("Bcc")] == []
    assert mail[mail.index("") + 1].startswith("tmux set -t '$0' @keep on")


def test_an_owner_cannot_stop_a_mail_and_one_that_hangs_costs_only_him_his_time() -> None:
    start(ALICE), start(BOB)
    with sendmail("[ $2 != alice ] || exec sleep 600; cat >%s/mail" % EVIDENCE):
        result = prune(protect=["keep"], notice="1h", mail=True, timeout="5s")
    assert len(result["marked"]) == 2
    assert result["warnings"] == ["mail: /usr/local/sbin/sendmail did not end within 5 seconds"]
    assert "To: bob" in lines("mail")
