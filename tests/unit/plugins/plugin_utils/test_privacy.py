# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host has returned beyond what a report promises is in no file, no table and no result of the controller."""

import json
from pathlib import Path
from typing import Any, Dict

import pytest
from ansible_collections.fleet.tmux.plugins.filter.cleanup_table import cleanup_table
from ansible_collections.fleet.tmux.plugins.plugin_utils._publish import publish
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Json, report
from ansible_collections.fleet.tmux.tests.support.reports import RUN, item, result, valid

ROOT = Path(__file__).resolve().parents[4]
SECRET = "hunter2"
"""A file name, a peer, a line of a screen, an argument: what a run as root may have seen of a user."""

WIDE: Dict[str, Any] = {
    "cmdline": SECRET,
    "environment": {SECRET: SECRET},
    "content": [SECRET],
    "windows": [{"name": SECRET, "panes": [{"command": SECRET, "path": SECRET}]}],
    "peers": [SECRET],
    "files": {"open": SECRET},
    "_ansible_x": SECRET,
}
EVIDENCE: Dict[str, Any] = {"created": 1, "keep": SECRET, "signs": [dict(WIDE, kind="wrote", program="vim")], **WIDE}
AROUND: Dict[str, Any] = {
    "diff": {"before": SECRET, "after": SECRET},
    "invocation": {"module_args": {"env": SECRET}},
    "ansible_facts": {"tmux": SECRET},
    "exception": SECRET,
    "module_stdout": SECRET,
    "module_stderr": SECRET,
    "stdout_lines": [SECRET],
    "warnings": [SECRET],
    "deprecations": [{"msg": SECRET}],
}


def returned(name: str = "x", **more: Any) -> Json:
    """What a host returns, with the secret wherever a report has no word of its own."""
    survivor = dict(WIDE, pid=1, command="vim", rss=1, ports=[1], result="reported")
    window = dict(WIDE, window="@1", name="logs", sessions=["a"])
    one = item(name, **{**WIDE, "evidence": EVIDENCE, "survivors": [survivor], "lives_on": [window]})
    server = dict(WIDE, owner="bob", socket="/tmp/s", status="hung", reason="no answer", version="3.4")
    made = dict(result([one], [one], [one], [one]), **AROUND)
    return dict(made, servers=[server], unlisted=[dict(WIDE, owner="bob", kept=1)], **more)


def told(results: Dict[str, Any], place: Path) -> Dict[str, str]:
    """All that the controller makes of what hosts have returned, as text."""
    shown = publish(valid(report(results, RUN)), str(place))
    assert len(shown["files"]) == 4, shown
    texts = {path.name: path.read_text(encoding="utf-8") for path in place.iterdir()}
    return dict(texts, result=json.dumps(shown), filter=cleanup_table(results))


@pytest.mark.parametrize("more", [{}, {"failed": True, "msg": "it failed"}, {"unreachable": True}], ids=str)
def test_what_a_report_does_not_promise_stays_out_of_it(tmp_path: Path, more: Dict[str, Any]) -> None:
    texts = told({"web1": returned(**more)}, tmp_path)
    assert {name for name, text in texts.items() if SECRET in text} == set()
    assert "no answer" in texts["report.json"]


def test_this_would_be_seen(tmp_path: Path) -> None:
    """The secret is found where names are shown: the test above does not pass for want of looking."""
    texts = told({"web1": returned(SECRET)}, tmp_path)
    assert {name for name, text in texts.items() if SECRET in text} == set(texts) - {"tmux_cleanup.prom"}


def test_totals_are_numbers(tmp_path: Path) -> None:
    """They go to whatever runs a job, with set_stats."""
    totals = publish(report({"web1": returned(SECRET)}, RUN), None)["totals"]
    assert {type(value) for value in totals.values()} <= {int, type(None)}


def test_nothing_that_a_host_returned_is_kept_in_a_cache_of_facts() -> None:
    files = [*(ROOT / "roles").rglob("*.yml"), *(ROOT / "playbooks").glob("*.yml")]
    assert len(files) > 10
    assert [str(path) for path in files if "cacheable" in path.read_text(encoding="utf-8")] == []
