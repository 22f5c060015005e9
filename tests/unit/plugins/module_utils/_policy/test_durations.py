# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One grammar of durations: what it reads, what it refuses, and which remedy it names."""

import re
from typing import Any, List, Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._host.text import spoken
from ansible_collections.fleet.tmux.plugins.module_utils._policy.durations import LONGEST, duration, written
from ansible_collections.fleet.tmux.plugins.module_utils._policy.errors import OptionError
from hypothesis import given
from hypothesis import strategies as st

UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
PARTS = st.lists(st.tuples(st.integers(0, 5000), st.sampled_from(sorted(UNITS))), min_size=1, max_size=5)


def refusal(text: Any, **more: Any) -> str:
    with pytest.raises(OptionError, match=r"^older_than: ") as caught:
        duration("older_than", text, **more)
    return str(caught.value)


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("1s", 1),
        ("90s", 90),
        ("45m", 2700),
        ("12h", 43200),
        ("2d", 172800),
        ("1w", 604800),
        ("1d12h", 129600),
        ("1D 12H", 129600),
        (" 1w2d3h4m5s ", 604800 + 2 * 86400 + 3 * 3600 + 4 * 60 + 5),
        ("90m", 5400),
        ("1d0h5s", 86405),
    ],
)
def test_durations_are_numbers_with_units(text: str, seconds: int) -> None:
    assert duration("idle", text) == seconds


@given(PARTS)
def test_units_come_from_large_to_small_each_once(parts: List[Tuple[int, str]]) -> None:
    text = "".join("%d%s" % part for part in parts)
    sizes = [UNITS[unit] for _number, unit in parts]
    seconds = sum(number * UNITS[unit] for number, unit in parts)
    if sizes == sorted(set(sizes), reverse=True):
        assert duration("idle", text, zero=True) == seconds
    else:
        assert refusal(text, zero=True).endswith("each once; write %s" % written(seconds))


@given(st.integers(1, LONGEST))
def test_what_is_written_is_read_again(seconds: int) -> None:
    assert duration("idle", written(seconds)) == seconds


@given(st.integers(1, LONGEST))
def test_what_people_are_shown_can_be_typed(seconds: int) -> None:
    """It has the two largest units only; what was left out of it is less than the smaller of them."""
    shown = spoken(seconds)
    read = duration("idle", shown)
    assert spoken(read) == shown
    assert 0 <= seconds - read < UNITS[shown[-1]]


@given(st.one_of(st.text(max_size=8), st.text(st.sampled_from("0123456789wdhms -+.\n"), max_size=8)))
def test_whatever_else_is_refused_and_never_read_as_something(text: str) -> None:
    fits = re.match(r"^[0-9]+[wdhms]( ?[0-9]+[wdhms])*$", text.strip().lower())
    try:
        assert duration("idle", text, zero=True) >= 0
        assert fits
    except OptionError as error:
        assert str(error).startswith("idle: ")


@pytest.mark.parametrize(
    "text",
    ["", " ", "+1s", "1.5h", "1 d", "d", "1y", "1dd", "1d  2h", "1d,2h", "٣s", "1e3", "0x1", "1_0s", "true", "1ms"],
)
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    assert refusal(text).endswith("write numbers with units, like 90s, 45m, 12h, 2d, 1w or 1d12h")


@pytest.mark.parametrize("value, number", [(90, 90), ("90", 90), (10.0, 10), ("10.0", 10), (0.2, 1)])
def test_a_number_without_a_unit_is_refused(value: Any, number: int) -> None:
    """Nobody knows what was meant. Told of seconds only, who meant days would remove what is in use."""
    meant = "{0}s, {0}m, {0}h or {0}d".format(number)
    assert refusal(value) == "older_than: %s has no unit; write %s" % (value, meant)


@pytest.mark.parametrize("number, meant", [(10, "10s or 10m"), (61, "61s"), (9999, "1h")])
def test_nobody_is_told_to_write_what_is_too_long(number: int, meant: str) -> None:
    with pytest.raises(OptionError) as caught:
        duration("timeout", number, longest=3600)
    assert str(caught.value) == "timeout: %s has no unit; write %s" % (number, meant)


@pytest.mark.parametrize("value, remedy", [("-1d", "1d"), (-5, "5s, 5m, 5h or 5d"), ("-5", "5s, 5m, 5h or 5d")])
def test_a_negative_time_is_refused(value: Any, remedy: str) -> None:
    assert refusal(value) == ("older_than: %s is negative, and no time is; write %s" % (value, remedy))


@pytest.mark.parametrize("value", ["0s", "0w0d", "0d 0s"])
def test_no_time_at_all_is_refused_where_it_means_nothing(value: str) -> None:
    assert refusal(value) == "older_than: %s is no time at all; the shortest is 1s" % value
    assert duration("grace_period", value, zero=True) == 0


def test_zero_needs_a_unit_too() -> None:
    assert refusal(0, zero=True) == "older_than: 0 has no unit; write 0s"
    assert refusal(0) == "older_than: 0 has no unit; write 1s, 1m, 1h or 1d"


@pytest.mark.parametrize("value", ["5201w", "999999999999w"])
def test_longer_than_any_clock_is_refused(value: str) -> None:
    assert refusal(value) == "older_than: %s is too long; the longest is 5200w" % value


def test_an_option_may_have_a_longest_of_its_own() -> None:
    assert duration("timeout", "60m", longest=3600) == 3600
    assert refusal("60m1s", longest=3600) == "older_than: 60m1s is too long; the longest is 1h"
