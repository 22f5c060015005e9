# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the READMEs show works as written: each command, and each playbook, in the order in which they stand there."""

import os
import re
import sys

import pytest
from ansible_collections.fleet.tmux.tests.support.pages import blocks, commands
from ansible_collections.fleet.tmux.tests.support.waiting import eventually
from ansible_collections.fleet.tmux.tests.system.place import ROOT, Done, Place

PAGES = ["README.md", "roles/tmux_cleanup/README.md", "docs/fleet.md", "docs/users.md", "docs/sessions.md"]
ALIVE = ["attached", "idle", "kept", "printing"]
HOSTS = """\
web1 ansible_connection=local
[all:vars]
ansible_python_interpreter=%s
ansible_become_method=ansible.builtin.su
"""


def run(place: Place, command: str) -> Done:
    tools = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    return place.run("sh", "-c", command, PATH=tools, ANSIBLE_COLLECTIONS_PATH="/tmp/collections")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_works_as_written(place: Place, page: str) -> None:
    alice = place.owners[0]
    place.populate(alice, "idle")
    place.write("hosts.ini", HOSTS % sys.executable)
    if "ansible-galaxy" not in (ROOT / page).read_text(encoding="utf-8"):
        assert run(place, "ansible-galaxy collection install --offline .").rc == 0
    tried = 0
    for language, text in blocks((ROOT / page).read_text(encoding="utf-8")):
        assert language in ("sh", "yaml", "console", "ini", "text"), language
        if language == "yaml":
            place.write("site.yml", text)
        for command in commands(language, text):
            done = run(place, command)
            assert done.rc == 0, "%s\n%s\n%s" % (command, text, done.output)
            assert "WARNING" not in done.output, "%s\n%s" % (command, done.output)
            assert place.sessions(alice) == ALIVE, command
            tried += 1
    assert tried >= 4


def test_what_users_are_told_to_type_keeps_a_session(place: Place) -> None:
    """The commands for within tmux, each in a session of its own."""
    alice = place.owners[0]
    shown = blocks((ROOT / "README.md").read_text(encoding="utf-8"))
    told = [line for language, text in shown if language == "console" for line in text.splitlines()]
    assert len(told) == 3
    for number, line in enumerate(told):
        # The day on the page will be in the past some day.
        typed = re.sub(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "9998-12-24", line)
        place.tmux(alice, "new-session", "-d", "-s", "kept-%d" % number, typed + "; exec cat")
    names = ["kept-%d" % number for number in range(len(told))]
    for name in names:
        keep = ["show-options", "-q", "-v", "-t", "=%s:" % name, "@keep"]
        eventually(lambda keep=keep: bool(place.tmux(alice, *keep).strip()), name + " has its mark")  # type: ignore[misc]
    done = place.run("make", "cleanup", "ARGS=-e tmux_cleanup_idle=1s")
    assert done.rc == 0, done.output
    assert place.sessions(alice) == names


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        ("filter/cleanup_table.py", "0 of 0 sessions on 1 host removed."),
        ("modules/cleanup_begin.py", "failed=0"),
        ("modules/cleanup_agree.py", "All assertions passed"),
        ("modules/cleanup_report.py", "0 of 0"),
        ("modules/cleanup_show.py", "\nNo host could be looked at."),
        ("modules/cleanup_merge.py", "failed=0"),
    ],
)
def test_the_examples_of_what_runs_on_the_controller_work_as_written(place: Place, plugin: str, said: str) -> None:
    """Their tasks, as a play."""
    text = (ROOT / "plugins" / plugin).read_text(encoding="utf-8")
    example = text.partition('EXAMPLES = r"""\n')[2].partition('"""')[0]
    play = "- hosts: all\n  gather_facts: false\n  tasks:\n" + "".join("    %s\n" % it for it in example.splitlines())
    place.write("hosts.ini", HOSTS % sys.executable)
    place.write("site.yml", play)
    assert run(place, "ansible-galaxy collection install --offline .").rc == 0
    done = run(place, "HOME=/tmp/home ansible-playbook -i hosts.ini site.yml")
    assert done.rc == 0, done.output
    assert said in done.output, done.output
    assert "WARNING" not in done.output, done.output
