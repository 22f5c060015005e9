# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write what was measured into docs/verdict.md: ``document.py FOLDER``, which holds what `make verdicts` wrote.

Standard library only.
"""

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any, Dict, List, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parent))
corpus: Any = importlib.import_module("corpus")
"""Found like this wherever the checkout lies."""

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "verdict.md"
BEGIN, END = "<!-- Measured: written by make verdicts. -->", "<!-- The end of what was measured. -->"
Outcome = Dict[str, Any]


def measured(outcomes: Sequence[Outcome]) -> str:
    """Both tables."""
    return "\n".join([*_numbers(outcomes), "", *_rows(outcomes)])


def _numbers(outcomes: Sequence[Outcome]) -> List[str]:
    found = ["| as | tmux | way | live work removed | abandoned removed |", "|---|---|---|---|---|"]
    for outcome in outcomes:
        for way in outcome["ways"]:
            words = (outcome["right"], outcome["tmux"].replace("tmux-", ""), way["way"])
            numbers = (way["live_removed"], way["live"], way["abandoned_removed"], way["abandoned"])
            found.append("| %s | %s | %s | %d of %d | %d of %d |" % (*words, *numbers))
    return found


def _rows(outcomes: Sequence[Outcome]) -> List[str]:
    found = [
        "| session | what runs | kind | should be | because | as root | as its user |",
        "|---|---|---|---|---|---|---|",
    ]
    newest = {outcome["right"]: outcome for outcome in outcomes}
    for row in corpus.ROWS:
        should = row.verdict if not row.without_root else "%s (its user: %s)" % (row.verdict, row.without_root)
        said = [_said(newest.get(right, {}).get("rows", {}).get(row.name)) for right in ("root", "user")]
        words = ["`%s`" % row.name, row.program, row.kind, should, row.why.replace("|", "\\|"), *said]
        found.append("| %s |" % " | ".join(words))
    return found


def _said(verdict: Any) -> str:
    if not verdict:
        return ""
    return "removed" if verdict["removed"] else "kept: " + str(verdict["reason"])


def read(folder: Path) -> List[Outcome]:
    """All outcomes of a folder, the oldest tmux first."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    return sorted(found, key=lambda outcome: (outcome["right"], *_version(outcome["tmux"])))


def _version(text: str) -> List[Any]:
    return [int(word) if word.isdigit() else word for word in re.findall(r"\d+|[a-z]$", text)]


def main(folder: str) -> None:
    outcomes = read(Path(folder))
    print("\n".join(_numbers(outcomes)))
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _begin, rest = text.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    DOCUMENT.write_text(before + BEGIN + "\n\n" + measured(outcomes) + "\n\n" + END + after, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
