# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as one HTML page, which needs nothing but itself: the ink for the summary and the sections. Pure.

Names, owners, commands and messages were chosen by users of the hosts, and an admin opens this in a browser: every text
is escaped by the template, is free of control characters, and the page's policy lets nothing run but its own script.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence

from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import KEPT, MARKED, NOT_DONE, REMOVED
from ansible_collections.fleet.tmux.plugins.plugin_utils._cells import date, short
from ansible_collections.fleet.tmux.plugins.plugin_utils._sections import Section, sections
from ansible_collections.fleet.tmux.plugins.plugin_utils._summary import summary
from ansible_collections.fleet.tmux.plugins.plugin_utils._words import Report
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES = Path(__file__).resolve().parents[2] / "roles" / "tmux_cleanup" / "templates"


class _Share(NamedTuple):
    """A part of the bar of outcomes."""

    outcome: str
    start: int
    length: int


def page(report: Report) -> str:
    """The page for a report in the shape of ``docs/report.schema.json``."""
    told = sections(report)
    style = _asset("report.css") + _labels(told)
    script = _asset("report.js")
    environment = Environment(
        loader=FileSystemLoader(str(_TEMPLATES)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        policy=_content_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        summary=summary(report),
        run=_run(report["run"]),
        shares=_shares(report["totals"]),
        looked_at=report["totals"]["looked_at"],
        sections=told,
    )


def _run(run: Report) -> Dict[str, Any]:
    return {
        "started": date(run["started"]),
        "finished": date(run["finished"]),
        "id": short(run["id"]),
        "version": short(run["collection_version"]),
        "merged": [(short(one["id"]), date(one["started"]), date(one["finished"])) for one in run["merged"]],
    }


def _shares(totals: Report) -> List[_Share]:
    shares, start = [], 0
    for outcome in (REMOVED, MARKED, NOT_DONE, KEPT):
        if totals[outcome]:
            shares.append(_Share(outcome, start, totals[outcome]))
        start += totals[outcome]
    return shares


# --- what may run -----------------------------------------------------------------------------------------------------


def _asset(name: str) -> str:
    """A file that becomes part of the page, without the lines on its licence."""
    text = (_TEMPLATES / name).read_text(encoding="utf-8")
    return text.partition("*/\n")[2]


def _content_policy(style: str, script: str) -> str:
    """Nothing is loaded, nothing is sent, and nothing runs but these two; the script cannot make markup of a text."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _labels(told: Sequence[Section]) -> str:
    """Style rules that name each cell on a narrow screen: once for a column, not once for each of its cells."""
    rules = [
        f'#{section.key} td:nth-child({number})::before{{content:"{column.heading}"}}'
        for section in told
        for number, column in enumerate(section.columns, 1)
        if number > 1
    ]
    return "@media screen and (max-width:45rem){%s}\n" % "".join(rules)
