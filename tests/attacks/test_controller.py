# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users of the controller, who were in the place of the reports first, and hosts that answer whatever they like.

Against the code before, each of them was seen to succeed: the run hung at the FIFO, reports stood where she could
exchange them, or in the vault, hers were merged, and a managed host had the report of all hosts written elsewhere, and
the limit for the fleet stop all of them. Templates in names, and keys of Ansible's own, came to nothing before as well.
"""

import json
import os
import shutil
import subprocess
import sys
from typing import Any, Callable, Dict

import pytest
from ansible_collections.fleet.tmux.tests.attacks.realm import (
    VAULT,
    Tmux,
    directory,
    environment,
    in_vault,
    module,
    prune,
    run_as,
    write,
)
from ansible_collections.fleet.tmux.tests.attacks.test_silent_files import silent
from ansible_collections.fleet.tmux.tests.support.namespaces import ALICE, ROOT, Account
from ansible_collections.fleet.tmux.tests.support.waiting import PATIENCE, eventually

PLACE = "/tmp/reports"
RUN = """
import json, sys
from ansible_collections.fleet.tmux.plugins.plugin_utils._publish import Unprepared, prepare, publish
from ansible_collections.fleet.tmux.tests.support.reports import whole
told = {}
try:
    prepare(sys.argv[1])
except Unprepared as error:
    told["before"] = str(error)
told["after"] = publish(whole(check_mode=True), sys.argv[1])
print(json.dumps(told))
"""

MERGE = """
import json, sys
from ansible_collections.fleet.tmux.plugins.plugin_utils._collected import collected
found = collected(sys.argv[1:])
print(json.dumps([list(found.reports), found.unread]))
"""


def run(script: str, *words: str) -> Any:
    """What a piece of Python says that root runs on the controller."""
    env = dict(environment(ROOT), PYTHONPATH=os.environ["PYTHONPATH"], PYTHONDONTWRITEBYTECODE="1")
    argv = [sys.executable, "-c", script, *words]
    done = subprocess.run(argv, stdout=subprocess.PIPE, env=env, cwd="/", timeout=PATIENCE, check=True)
    return json.loads(done.stdout)


def reported(place: str) -> Dict[str, Any]:
    """What root is told who wants a report in that directory, before the run and after it."""
    found: Dict[str, Any] = run(RUN, place)
    return found


def her_directory() -> str:
    """She was there first."""
    return directory(PLACE, ALICE, 0o755)


def her_directory_with_a_fifo() -> str:
    """Who reads what the run before has left is held up for ever."""
    directory(PLACE, ALICE, 0o755)
    assert run_as(ALICE, "mkfifo", PLACE + "/tmux_cleanup.prom").returncode == 0
    return PLACE


def a_directory_in_hers() -> str:
    """It is root's, and she can put another one in its place."""
    directory(PLACE, ALICE, 0o755)
    return directory(PLACE + "/folder", ROOT, 0o755)


def a_new_directory_in_hers() -> str:
    directory(PLACE, ALICE, 0o755)
    return PLACE + "/folder/new"


def her_link_to_the_vault() -> str:
    assert run_as(ALICE, "ln", "-s", VAULT, PLACE).returncode == 0
    return PLACE


def a_directory_behind_her_link() -> str:
    assert run_as(ALICE, "ln", "-s", VAULT, PLACE).returncode == 0
    return PLACE + "/new"


def a_directory_where_all_may_write() -> str:
    directory(PLACE, ROOT, 0o777)
    return directory(PLACE + "/folder", ROOT, 0o755)


def a_directory_where_her_group_may_write() -> str:
    directory(PLACE, ROOT, 0o775)
    os.chown(PLACE, 0, ALICE.gid)
    return directory(PLACE + "/folder", ROOT, 0o755)


TAKEN = [
    her_directory,
    her_directory_with_a_fifo,
    a_directory_in_hers,
    a_new_directory_in_hers,
    her_link_to_the_vault,
    a_directory_behind_her_link,
    a_directory_where_all_may_write,
    a_directory_where_her_group_may_write,
]


@pytest.mark.parametrize("taken", TAKEN, ids=lambda taken: str(taken.__name__))
def test_who_was_there_first_gets_no_report(taken: Callable[[], str]) -> None:
    place = taken()
    told = reported(place)
    assert PLACE in told["before"], told
    assert "nothing was begun" in told["before"]
    assert told["after"]["failed"]
    assert told["after"]["files"] == []
    assert told["after"]["table"]
    found = {name for _folder, folders, names in os.walk(PLACE) for name in folders + names}
    assert found <= {"folder", "tmux_cleanup.prom", "secret"}
    assert in_vault() == []


@pytest.mark.parametrize("below", ["", "/folder/new"])
def test_her_file_system_that_never_answers_is_not_asked(below: str) -> None:
    """It says of itself what it likes, too. Before, the run hung at the first question."""
    directory(PLACE, ALICE, 0o755)
    with silent(ALICE, PLACE):
        told = reported(PLACE + below)
        reports, unread = run(MERGE, "/tmp/report*/report.json", PLACE + "/*.json")
    assert "%s is a file system that the user %d has mounted" % (PLACE, ALICE.uid) in told["before"]
    assert told["after"]["files"] == []
    assert (reports, [one["file"] for one in unread]) == ([], [PLACE + "/report.json", PLACE, PLACE + "/*.json"])


def test_a_directory_of_ones_own_is_used_where_all_may_make_theirs() -> None:
    told = reported(PLACE)
    assert "before" not in told
    assert len(told["after"]["files"]) == 4
    assert run_as(ALICE, "mv", PLACE, "/tmp/hers").returncode != 0
    assert run_as(ALICE, "cat", PLACE + "/report.json").returncode != 0
    assert run_as(ALICE, "cat", PLACE + "/tmux_cleanup.prom").returncode == 0


def her_report() -> str:
    return theirs(ALICE)


def her_fifo() -> str:
    directory("/tmp/report-2", ALICE, 0o755)
    assert run_as(ALICE, "mkfifo", "/tmp/report-2/report.json").returncode == 0
    return "/tmp/report-2"


def her_link_to_one_of_roots() -> str:
    """She decides which of root's reports it is."""
    directory("/tmp/report-2", ALICE, 0o755)
    assert run_as(ALICE, "ln", "-s", "/tmp/report-1/report.json", "/tmp/report-2/report.json").returncode == 0
    return "/tmp/report-2"


def her_link_to_a_directory() -> str:
    assert run_as(ALICE, "ln", "-s", "/tmp/report-1", "/tmp/report-2").returncode == 0
    return "/tmp/report-2"


def her_report_in_roots_directory() -> str:
    directory("/tmp/report-2", ROOT, 0o1777)
    shutil.copy("/tmp/report-1/report.json", "/tmp/report-2/report.json")
    os.chown("/tmp/report-2/report.json", ALICE.uid, ALICE.gid)
    return "/tmp/report-2"


def theirs(account: Account) -> str:
    directory("/tmp/report-2", account, 0o755)
    shutil.copy("/tmp/report-1/report.json", "/tmp/report-2/report.json")
    os.chown("/tmp/report-2/report.json", account.uid, account.gid)
    return "/tmp/report-2"


@pytest.mark.parametrize(
    "planted",
    [her_report, her_fifo, her_link_to_one_of_roots, her_link_to_a_directory, her_report_in_roots_directory],
    ids=lambda planted: str(planted.__name__),
)
def test_her_report_is_not_merged(planted: Callable[[], str]) -> None:
    assert len(reported("/tmp/report-1")["after"]["files"]) == 4
    place = planted()
    reports, unread = run(MERGE, "/tmp/report-*/report.json")
    assert reports == ["/tmp/report-1/report.json"]
    assert [one["file"] for one in unread] == [place + "/report.json"]
    assert "belongs to the user %d" % ALICE.uid in unread[0]["reason"]


def test_a_report_of_roots_is_merged() -> None:
    reported("/tmp/report-1")
    theirs(ROOT)
    reports, unread = run(MERGE, "/tmp/report-*/report.json")
    assert (reports, unread) == (["/tmp/report-1/report.json", "/tmp/report-2/report.json"], [])


# --- a managed host of which somebody else is root --------------------------------------------------------------------

MALLORY = "/tmp/mallory"
TEMPLATE = "{{ lookup('pipe', 'touch %s/pwned') }}" % VAULT
FACTS = {
    "tmux_cleanup_report_dir": MALLORY + "/reports",
    "tmux_cleanup_report_command": ["touch", VAULT + "/pwned"],
    "mail_program": MALLORY + "/mail",
    "tmux_cleanup_report_only": True,
    "__tmux_cleanup_only_looks": True,
    "tmux_cleanup_fleet_max_removals": 0,
    "tmux_cleanup_fleet_max_percent": 0,
    "tmux_cleanup_run": {"guard": {"stopped": True, "message": "stop"}, "run": {"id": "hers"}, "report_only": True},
    "tmux_cleanup_report": {"table": "hers"},
    "tmux_cleanup_misspelt": 1,
}
ANSWER = {
    "changed": True,
    "failed": False,
    "host": "honest",
    "counts": {"looked_at": 1, "servers": 10**30, "not_matched": -1},
    "scope": "host",
    "judged_at": 1,
    "servers": [{"owner": "\x1b[2J", "socket": "/../../" + TEMPLATE, "status": [], "reason": {}}],
    "removed": [{"name": TEMPLATE, "identity": TEMPLATE, "owner": "../../x", "reason": "idle", "idle": 10**40}],
    "kept": {"honest": []},
    "ansible_facts": FACTS,
    "windows": "hunter2",
    "_ansible_no_log": True,
    "_ansible_delegated_vars": {"ansible_host": "honest"},
    "add_host": {"host_name": "one-more"},
}
INVENTORY = """
[all]
mallory ansible_python_interpreter=/tmp/mallory/python
honest

[all:vars]
ansible_connection=local
tmux_cleanup_become=false
tmux_cleanup_socket_path=/tmp/nowhere
tmux_cleanup_fleet_max_removals=5
tmux_cleanup_report_dir=/tmp/reports
"""
GROUP = """
tmux_cleanup_report_command: ["{{ mail_program | default('/tmp/mail') }}", "to", "root"]
"""
MAIL = "#!/bin/sh\n{ echo to $2, $TMUX_CLEANUP_REPORT_JSON; cat; } >/tmp/mailed\n"
PLAYS = {
    "cleanup": "- import_playbook: fleet.tmux.cleanup\n",
    "facts and cleanup": "- hosts: all\n  gather_facts: true\n- import_playbook: fleet.tmux.cleanup\n",
}


@pytest.mark.parametrize("play", list(PLAYS))
def test_a_host_that_lies_decides_for_no_other(play: str) -> None:
    directory(MALLORY, ROOT, 0o755)
    directory(MALLORY + "/reports", ROOT, 0o755)
    write(MALLORY + "/answer", json.dumps(ANSWER))
    write(MALLORY + "/python", "#!/bin/sh\nexec cat /tmp/mallory/answer\n", mode=0o755)
    write("/tmp/hosts.ini", INVENTORY)
    write(directory("/tmp/group_vars", ROOT, 0o755) + "/all.yml", GROUP)
    write("/tmp/mail", MAIL, mode=0o755)
    write(MALLORY + "/mail", "#!/bin/sh\nexec touch %s/pwned\n" % VAULT, mode=0o755)
    write("/tmp/site.yml", PLAYS[play])
    path = os.environ["PYTHONPATH"]
    env = dict(environment(ROOT), PYTHONPATH=path, ANSIBLE_COLLECTIONS_PATH=path, ANSIBLE_HOME="/tmp/ansible")
    argv = [sys.executable, "-m", "ansible", "playbook", "-i", "/tmp/hosts.ini", "/tmp/site.yml"]
    done = subprocess.run(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(env, ANSIBLE_PYTHON_INTERPRETER=sys.executable),
        cwd="/tmp",
        timeout=PATIENCE,
        check=False,
    )
    said = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, said
    assert os.listdir(MALLORY + "/reports") == []
    assert in_vault() == [], "nothing that she said was run"
    mailed = open_text("/tmp/mailed")
    assert mailed.startswith("to root, %s/report.json\n" % PLACE), "the admin's is run"
    assert "\n1 of 1 session on 2 hosts removed." in mailed
    assert "hunter2" not in said
    for name in os.listdir(PLACE):
        with open(os.path.join(PLACE, name), encoding="utf-8") as file:
            assert "hunter2" not in file.read()
    with open(PLACE + "/report.json", encoding="utf-8") as file:
        made = json.load(file)
    assert {host["host"]: (host["status"], len(host["sessions"])) for host in made["hosts"]} == {
        "mallory": ("ok", 1),
        "honest": ("ok", 0),
    }
    assert (made["run"]["check_mode"], made["guard"]["stopped"], made["guard"]["max_removals"]) == (False, False, 5)
    assert made["run"]["id"] != "hers"
    assert made["totals"]["removed"] == 1
    assert "\x1b[2J" not in said.replace("\x1b[0m", "")


# --- what root has seen -----------------------------------------------------------------------------------------------


def test_what_root_sees_of_a_user_is_in_no_report() -> None:
    """Her arguments, environment, screen, files and directory have a word that nobody on the controller is to read."""
    folder = directory(ALICE.home + "/hunter2", ALICE)
    work = "echo hunter2; trap '' HUP; exec 9>hunter2; sleep 1000; :"
    hers = Tmux(ALICE)
    hers("-f", "/dev/null", "new-session", "-d", "-s", "work", "-c", folder, "--", "sh", "-c", work, "hunter2")
    hers("set-environment", "-t", "work", "SECRET", "hunter2")
    eventually(lambda: "hunter2" in hers("capture-pane", "-p", "-t", "work"), "it is on the screen")
    eventually(lambda: not _look()["kept"], "it is idle")
    done = prune(survivors="report")
    assert [item["name"] for item in done["removed"]] == ["work"]
    assert [process["command"] for process in done["removed"][0]["survivors"]] != []
    write("/tmp/result", json.dumps(done))
    shown = run(PUBLISH, PLACE)
    assert len(shown["files"]) == 4
    told = [json.dumps(done), json.dumps(shown), *(open_text(name) for name in shown["files"])]
    assert [text for text in told if "hunter2" in text] == []
    assert sum("work" in text for text in told) >= 5, "the session itself is told of"


def _look() -> Dict[str, Any]:
    return module("tmux_session_prune", check=True, idle="1s", protect=[], all_users=True)


def open_text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


PUBLISH = """
import json, sys
from ansible_collections.fleet.tmux.plugins.plugin_utils._publish import publish
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import report
from ansible_collections.fleet.tmux.tests.support.reports import RUN
print(json.dumps(publish(report({"host": json.load(open("/tmp/result"))}, RUN), sys.argv[1])))
"""
