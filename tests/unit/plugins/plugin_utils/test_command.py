# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command that is told of a report has it, and what becomes of the command is told and harms nothing."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any, List

import pytest
import yaml
from ansible_collections.fleet.tmux.plugins.plugin_utils._command import run, variables
from ansible_collections.fleet.tmux.plugins.plugin_utils._publish import publish
from ansible_collections.fleet.tmux.tests.support.reports import ROOT, result, whole


def python(script: str, *words: str) -> List[str]:
    return [sys.executable, "-c", script, *words]


def test_it_has_the_report_and_knows_where_its_files_are(tmp_path: Path) -> None:
    made = whole()
    shown = publish(made, str(tmp_path / "reports"))
    script = (
        "import json, os, sys\n"
        "told = {name: value for name, value in os.environ.items() if name.startswith('TMUX_CLEANUP_')}\n"
        "json.dump([sys.argv[1:], sys.stdin.read(), told], open(sys.argv[1], 'w'))\n"
    )
    done = run(python(script, str(tmp_path / "out"), "$HOME;x"), shown["table"], variables(made, shown["files"]))
    assert done == {"rc": 0, "output": "", "problem": ""}
    words, text, told = json.loads((tmp_path / "out").read_text(encoding="utf-8"))
    assert words[1] == "$HOME;x", "there is no shell"
    assert text == shown["table"] + "\n"
    files = {name: Path(told["TMUX_CLEANUP_" + name]) for name in ("REPORT_JSON", "REPORT_HTML", "AUDIT", "METRICS")}
    assert sorted(path.name for path in files.values() if path.is_file()) == sorted(
        ["report.json", "report.html", "audit.jsonl", "tmux_cleanup.prom"]
    )
    assert {path.parent for path in files.values()} == {Path(told["TMUX_CLEANUP_REPORT_DIR"])}
    assert told["TMUX_CLEANUP_HEADLINE"] in text.splitlines()
    numbers = {name: told["TMUX_CLEANUP_" + name] for name in ("HOSTS", "HOSTS_WITH_A_PROBLEM", "REMOVED", "STOPPED")}
    assert numbers == {"HOSTS": "5", "HOSTS_WITH_A_PROBLEM": "3", "REMOVED": "2", "STOPPED": "0"}
    assert told["TMUX_CLEANUP_RUN"] == made["run"]["id"]


def test_without_a_directory_the_paths_are_empty_and_the_text_is_there() -> None:
    told = variables(whole(), [])
    assert told["TMUX_CLEANUP_REPORT_JSON"] == told["TMUX_CLEANUP_REPORT_DIR"] == ""
    assert run(python("import sys; assert sys.stdin.read() == 'text\\n'"), "text", told)["rc"] == 0


def test_a_file_that_was_not_written_has_no_path() -> None:
    told = variables(whole(), ["/r/report.json"])
    assert (told["TMUX_CLEANUP_REPORT_JSON"], told["TMUX_CLEANUP_AUDIT"]) == ("/r/report.json", "")


@pytest.mark.parametrize(
    ("script", "rc", "problem"),
    [
        ("import sys; sys.exit('no\\x1b[2J mail')", 1, "ended with 1: no\\x1b[2J mail"),
        ("import os; os.kill(os.getpid(), 15)", -15, "ended with -15"),
    ],
)
def test_one_that_fails_is_told_of(script: str, rc: int, problem: str) -> None:
    done = run(python(script), "", {}, "tmux_cleanup_report_command")
    assert done["rc"] == rc
    assert done["problem"].endswith(problem)
    assert done["problem"].startswith("tmux_cleanup_report_command: /")


@pytest.mark.parametrize("command", [["/nowhere/mail"], ["mail\0"], [""]], ids=repr)
def test_one_that_cannot_be_run_is_told_of(command: List[str]) -> None:
    done = run(command, "text", {})
    assert (done["rc"], done["output"]) == (None, "")
    assert "cannot be run" in done["problem"]


def test_one_that_does_not_end_is_ended_with_what_it_has_started() -> None:
    script = "import subprocess; subprocess.run(['sleep', '3600'])"
    done = run(python(script), "x" * 10**6, {}, patience=0.5)
    assert done["rc"] is None
    assert "was ended after 0.5 seconds" in done["problem"]


def test_one_that_stays_in_the_background_holds_nobody_up() -> None:
    script = "import subprocess; print(subprocess.Popen(['sleep', '3600']).pid)"
    done: Any = run(python(script), "", {}, patience=60)
    assert done["problem"] == ""
    os.kill(int(done["output"]), 9)


EXAMPLES = [
    yaml.safe_load(block)["tmux_cleanup_report_command"]
    for block in re.findall(
        r"```yaml\n(tmux_cleanup_report_command:.*?)```", (ROOT / "docs/fleet.md").read_text("utf-8"), re.S
    )
]
RECORD = """#!/bin/sh
{ printf '%s\\n' "${0##*/}" "$@"; echo --; cat; } >"$OUT"
"""


@pytest.mark.parametrize("command", EXAMPLES, ids=lambda command: command[-1][:30])
def test_the_examples_send_a_report_on(command: List[str], tmp_path: Path) -> None:
    made = whole()
    shown = publish(made, str(tmp_path / "reports"))
    told = variables(made, shown["files"])
    for program in ("mail", "curl"):
        (tmp_path / program).write_text(RECORD, encoding="utf-8")
        (tmp_path / program).chmod(0o755)
    path = {"PATH": "%s:%s" % (tmp_path, os.environ["PATH"]), "OUT": str(tmp_path / "sent")}
    assert run(command, shown["table"], {**told, **path}) == {"rc": 0, "output": "", "problem": ""}
    words, _end, text = (tmp_path / "sent").read_text(encoding="utf-8").partition("\n--\n")
    program, *arguments = words.split("\n")
    if program == "mail":
        assert (
            arguments[0] == "-s" and arguments[1].endswith(told["TMUX_CLEANUP_HEADLINE"]) and arguments[2:] == ["root"]
        )
        assert text == shown["table"] + "\n"
    elif "-d" in arguments:
        assert json.loads(arguments[arguments.index("-d") + 1]) == {"text": told["TMUX_CLEANUP_HEADLINE"]}
    else:
        (given,) = [word for word in arguments if word.startswith("@")]
        assert json.loads(Path(given[1:]).read_text("utf-8")) == made


def test_there_is_an_example_for_mail_chat_and_a_webhook() -> None:
    assert len(EXAMPLES) == 4


def test_the_example_that_is_quiet_is_so_when_there_is_nothing_to_say(tmp_path: Path) -> None:
    told = variables(whole({"web1": result()}), [])
    assert run(EXAMPLES[1], "", {**told, "PATH": "/usr/bin:/bin"})["problem"] == "", "no mail is called"


def test_of_a_long_output_the_end_is_told() -> None:
    done = run(python("print('x' * 10**6 + 'the end')"), "", {})
    assert done["output"].endswith("xthe end") and len(done["output"]) == 2000
