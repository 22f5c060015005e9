# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each field is declared once, and what comes from the table fits it: guards, formats, and how each is read."""

import re

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._tmux import fields, model
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.dialect import MINIMUM
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.fields import (
    CLIENT,
    CLOCKS,
    CREATED,
    FIELDS,
    INPUT,
    OUTPUT,
    PANE,
    SESSION,
    WINDOW,
    Field,
)
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.model import IDENTITY, WHOLE, WITHOUT_OUTPUT
from hypothesis import given
from hypothesis import strategies as st

BY_NAME = {field.name: field for field in FIELDS}


def test_each_field_is_declared_once_and_says_what_it_is() -> None:
    assert len(BY_NAME) == len(FIELDS)
    assert all(re.match(r"[A-Z].*\.\Z", field.meaning) for field in FIELDS)


# --- guards


def compared(text: str) -> "set[str]":
    return set(re.findall(r"#\{([a-z@][a-z_]*)\}", text))


@pytest.mark.parametrize("clock", CLOCKS, ids=lambda clock: str(clock.name))
def test_every_clock_that_counts_is_guarded(clock: Field) -> None:
    guarded = BY_NAME[clock.moves or clock.name]
    assert guarded.guarded and guarded.kind == clock.kind
    assert guarded.name in compared(WHOLE.session)
    assert (guarded.name in compared(WITHOUT_OUTPUT.session)) is (clock.kind != OUTPUT)
    if guarded.of != SESSION:  # Before tmux 2.9 only what is compared for each pane sees windows and panes.
        assert guarded.name in compared(WHOLE.pane)
        assert (guarded.name in compared(WITHOUT_OUTPUT.pane)) is (clock.kind != OUTPUT)


def test_clocks_tell_of_something_and_have_a_word() -> None:
    assert all(clock.kind in (CREATED, INPUT, OUTPUT) and clock.word for clock in CLOCKS)
    assert {clock.name for clock in CLOCKS} >= {
        "session_created", "session_activity", "session_last_attached", "window_activity", "client_activity",
    }  # fmt: skip


def test_a_guard_compares_who_it_is_and_all_that_is_guarded() -> None:
    guarded = {field.name for field in FIELDS if field.guarded}
    assert compared(WHOLE.session) == guarded | compared(IDENTITY)
    assert compared(WITHOUT_OUTPUT.session) == compared(WHOLE.session) - {
        field.name for field in FIELDS if field.kind == OUTPUT
    }
    assert compared(IDENTITY) == {"pid", "start_time", "session_id", "session_created", "session_name"}
    assert {"@keep", "@fleet_tmux_notice", "session_attached", "session_windows", "pane_pid", "pane_dead"} <= guarded


@pytest.mark.parametrize("guard", [WHOLE, WITHOUT_OUTPUT])
def test_a_guard_has_the_form_that_tmux_understands(guard: model.Guards) -> None:
    assert guard.session.startswith("#{pid}/#{start_time}/#{session_id}/#{session_created}/")
    assert guard.session.endswith("/#{session_name}"), "a name may hold anything, so it comes last"
    whose = r"#\{pane_id\}\.#\{pane_pid\}\.#\{pane_dead\}"
    assert re.search(r"/#\{W:#\{window_id\}[^ ]*#\{P:\+%s[^ ]*\} \}/" % whose, guard.session)
    assert guard.pane.startswith("#{session_id}/#{window_id}")
    assert "/#{window_panes}/#{pane_id}.#{pane_pid}.#{pane_dead}" in guard.pane
    assert IDENTITY == "#{pid}/#{start_time}/#{session_id}/#{session_created}/#{session_name}"


# --- formats


@pytest.mark.parametrize("of", [SESSION, WINDOW, PANE, CLIENT])
def test_a_row_asks_for_every_field_and_begins_with_whose_it_is(of: str) -> None:
    names = fields.columns(of)
    assert set(names) >= {field.name for field in FIELDS if field.of == of}
    assert len(set(names)) == len(names)
    assert names[0] == "session_id"
    assert fields.formats(of, "G") == ["G" if name == "guard" else "#{%s}" % name for name in names]


def test_only_the_listing_that_has_a_clock_asks_for_it() -> None:
    """A format with a clock of something that is not there crashes tmux 3.2."""
    begins = {SESSION: "session_", WINDOW: "window_", PANE: "pane_", CLIENT: "client_"}
    assert all(clock.name.startswith(begins[clock.of]) for clock in CLOCKS)


# --- reading


@given(st.integers(0, 10**15 - 1))
def test_a_number_is_read(value: int) -> None:
    assert fields.number("%d" % value) == value


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1\n", "1.0", "²", "٣", "1_0", "0x1", "9" * 16, "9" * 10**6])
def test_what_tmux_would_not_print_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="is no number") as caught:
        fields.number(text)
    assert len(str(caught.value)) < 100


def test_a_row_is_read_by_name() -> None:
    row = ["$3", "@4", "2", "1", "1700000000", "80", "24", "1", "layout", "name"]
    assert fields.values(WINDOW, row) == {
        "session_id": "$3",
        "window_id": "@4",
        "window_index": 2,
        "window_active": True,
        "window_activity": 1700000000,
        "window_width": 80,
        "window_height": 24,
        "window_panes": 1,
        "window_layout": "layout",
        "window_name": "name",
    }
    with pytest.raises(ValueError, match="9 fields of a window were listed, not 10"):
        fields.values(WINDOW, row[1:])
    with pytest.raises(ValueError, match="window_index: it is no number"):
        fields.values(WINDOW, row[:2] + ["x"] + row[3:])


def test_only_what_may_be_empty_is_none_then() -> None:
    empty = [field.name for field in FIELDS if field.empty]
    assert sorted(empty) == ["client_created", "client_pid", "pane_dead_status", "pane_pid", "session_last_attached"]


def test_a_field_that_an_older_tmux_has_not_is_empty_there() -> None:
    """An older tmux prints nothing for a variable that it does not know."""
    new = Field("window_new", WINDOW, fields.CLOCK, "New.", since=(3, 6))
    assert fields.reader(new)("") is None
    assert fields.reader(new)("7") == 7
    with pytest.raises(ValueError, match="it is no number"):
        fields.reader(new._replace(since=MINIMUM))("")
