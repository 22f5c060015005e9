# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The corpus of the verdicts, and the document that shows what was measured with it."""

import re
from collections import Counter
from pathlib import Path

import pytest
from ansible_collections.fleet.tmux.tests.verdicts import corpus

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "verdict.md"
COUNTED = [row for row in corpus.ROWS if row.verdict != corpus.OPEN]


def test_the_corpus_is_broad() -> None:
    verdicts = Counter(row.verdict for row in COUNTED)
    assert min(verdicts[corpus.LIVE], verdicts[corpus.ABANDONED]) >= 40
    assert 3 * sum(row.unforeseen for row in COUNTED) >= len(COUNTED)
    programs = Counter(row.program for row in corpus.ROWS)
    assert [program for program, number in programs.items() if number > 2] == []


def test_what_lies_in_a_home_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pyenv may have it on PATH; in a small world, nobody does."""
    program = tmp_path / "lies-in-a-home"
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(corpus.PACKAGES, program.name, "its-package")
    assert "its-package" in corpus.missing()


def test_each_session_has_a_name_of_its_own() -> None:
    names = [name for row in corpus.ROWS for name in (row.name, *row.also)]
    assert len(names) == len(set(names))


def test_the_document_shows_every_session_and_what_should_become_of_it() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    table = text.partition("<!-- Measured")[2].partition("<!-- The end")[0]
    shown = re.findall(r"^\| `(\S+)` \| [^|]+ \| [^|]+ \| (\w+)", table, re.MULTILINE)
    assert shown == [(row.name, row.verdict) for row in corpus.ROWS]


def test_the_document_shows_that_no_live_work_went() -> None:
    rows = re.findall(
        r"^\| (\w+) \| (\S+) \| the default policy \| (\d+) of (\d+) \| (\d+) of (\d+) \|$",
        DOCUMENT.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert {right for right, *_rest in rows} == {"root", "user"}
    for _right, _tmux, live, _all, removed, abandoned in rows:
        assert int(live) == 0
        assert int(removed) >= 0.95 * int(abandoned)
