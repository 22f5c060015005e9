# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durations, for keywords that want whole seconds."""

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.fleet.tmux.plugins.filter.seconds import FilterModule

seconds = FilterModule().filters()["seconds"]


@pytest.mark.parametrize("text, expected", [("90s", 90), ("30m", 1800), ("1d12h", 129600), ("0s", 0)])
def test_a_duration_has_seconds(text: str, expected: int) -> None:
    assert seconds(text) == expected
    assert isinstance(seconds(text), int)


@pytest.mark.parametrize(
    "value, said",
    [
        (1800, "patience: 1800 has no unit; write 1800s"),
        ("-1h", "patience: -1h is negative, and no time is; write 1h"),
        (None, "patience: 'none' is no duration; write numbers with units, like .*"),
        ("soon", "patience: 'soon' is no duration; write numbers with units, like .*"),
    ],
)
def test_what_is_no_duration_is_refused_by_name(value: Any, said: str) -> None:
    with pytest.raises(AnsibleFilterError, match=said):
        seconds(value, option="patience")


def test_without_a_name_it_names_itself() -> None:
    with pytest.raises(AnsibleFilterError, match=r"^seconds: 5 has no unit; write 5s"):
        seconds(5)
