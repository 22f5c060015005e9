# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table and the page are two renderings of the same sections, and a column is one line in one place."""

import re
from html.parser import HTMLParser
from typing import Dict, List, Optional, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.plugin_utils import _sections
from ansible_collections.fleet.tmux.plugins.plugin_utils._cells import NUMBER
from ansible_collections.fleet.tmux.plugins.plugin_utils._page import page
from ansible_collections.fleet.tmux.plugins.plugin_utils._report import Json
from ansible_collections.fleet.tmux.plugins.plugin_utils._sections import Column, sections
from ansible_collections.fleet.tmux.plugins.plugin_utils._summary import summary
from ansible_collections.fleet.tmux.plugins.plugin_utils._table import table
from ansible_collections.fleet.tmux.tests.support.reports import FLEET, NOW, gone, item, result, whole

LIVES_ON = [{"window": "@1", "name": "logs", "sessions": ["watch"]}]
HUNG = [{"owner": "bob", "socket": "/tmp/tmux-1/default", "status": "hung", "reason": "no answer", "version": None}]
ALL = dict(
    FLEET,
    web3=result(
        [gone("old", idle=4000000, size=3 << 30, lives_on=LIVES_ON, socket="/tmp/tmux-1/other")],
        kept=[item("\u202edrow", "unknown", idle=None)],
        servers=HUNG,
        scope="own",
    ),
)


class Tables(HTMLParser):
    """The tables of a page: their cells, heads included, by key."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: Dict[str, List[List[str]]] = {}
        self._key = ""
        self._cell: Optional[str] = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        found = dict(attrs)
        if found.get("class") == "scroller":
            self._key = str(found["id"])
            self.rows[self._key] = []
        if tag == "tr":
            self.rows[self._key].append([])
        if tag in ("td", "th"):
            self._cell = ""

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            self.rows[self._key][-1].append(self._cell)
            self._cell = None


def blocks(text: str) -> Dict[str, List[str]]:
    """The lines of each table of a text, by title."""
    found = [block.split("\n") for block in text.split("\n\n")[:-1]]
    return {block[0].rstrip(":"): block[1:] for block in found}


@pytest.mark.parametrize("check_mode", [True, False])
def test_both_show_the_same_sections_with_the_same_words_numbers_and_times(check_mode: bool) -> None:
    made = whole(ALL, check_mode=check_mode)
    in_terminal, in_page = blocks(table(made)), Tables(page(made)).rows
    told = sections(made)
    assert list(in_page) == [section.key for section in told]
    assert list(in_terminal) == [section.title for section in reversed(told) if not section.excerpt]
    assert len(told) == 12, "a section has no row here, so nothing is shown of it"
    for section in told:
        head, *rows = in_page[section.key]
        assert head == [column.heading for column in section.columns]
        assert len(rows) == len(section.rows)
        for cells, texts in zip(section.rows, rows):
            assert texts == [cell.text + (" " + cell.note if cell.note else "") for cell in cells]
        if not section.excerpt:
            _require_told(section, in_terminal[section.title])


def _require_told(section: _sections.Section, lines: List[str]) -> None:
    columns = [number for number, column in enumerate(section.columns) if not column.wide]
    assert re.split(" {2,}", lines[0].strip()) == [section.columns[number].heading.upper() for number in columns]
    for cells, line in zip(section.rows, lines[1:]):
        place = 0
        for number in columns:
            text = "-" if cells[number].look.endswith("none") else cells[number].text
            place = line.index(text, place) + len(text)


@pytest.mark.parametrize("check_mode", [True, False])
def test_both_have_the_same_summary(check_mode: bool) -> None:
    made = whole(ALL, check_mode=check_mode)
    told = summary(made)
    end = table(made).rsplit("\n\n", maxsplit=1)[-1]
    shown = page(made)
    for text in (
        told.verdict,
        told.troubles,
        *(word for banner in told.banners for word in (banner.title, banner.text)),
    ):
        assert text in end and text in shown
    for total in told.totals:
        assert f"{total.label}: {total.value}" in end and total.note in end
        assert f"<dt>{total.label}</dt>" in shown and f'<span class="figure">{total.value}</span>' in shown


def test_a_column_is_one_line_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    made_up = Column("Letters", lambda session: len(session["name"]), NUMBER)
    monkeypatch.setattr(_sections, "_REMOVED", (*_sections._REMOVED, made_up))
    made = whole({"web1": result([gone("seventeen letters")])})
    assert "LETTERS" in blocks(table(made))["Removed"][0]
    assert blocks(table(made))["Removed"][1].endswith(" 17")
    assert Tables(page(made)).rows["removed"][0][-1] == "Letters"
    assert Tables(page(made)).rows["removed"][1][-1] == "17"


def test_what_is_only_for_wide_lines_is_left_out_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Json = whole({"web1": result(kept=[item("a", "active", evidence={"created": NOW})])})
    assert "CREATED" not in table(made)
    assert Tables(page(made)).rows["kept"][1][-1] == "2027-01-15 08:00"
