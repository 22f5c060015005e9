# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter that the role asks what is to be done on a host."""

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.fleet.tmux.plugins.filter.cleanup_step import FilterModule, cleanup_step


def test_it_says_what_is_to_be_done() -> None:
    assert cleanup_step({}) == {"due": True, "planned": None, "planned_marks": None}
    agreed = {"guard": {"stopped": False}}
    plan = {"changed": True, "removed": [{"identity": "1/2/$3/4"}]}
    assert cleanup_step(agreed, plan) == {"due": True, "planned": ["1/2/$3/4"], "planned_marks": []}
    user = cleanup_step({}, planned=["1/2/$3/4"], planned_marks=[])
    assert user == {"due": True, "planned": ["1/2/$3/4"], "planned_marks": []}


def test_a_refusal_is_an_error_of_a_filter() -> None:
    with pytest.raises(AnsibleFilterError, match="need the plans of all hosts"):
        cleanup_step({}, limited=True)


def test_a_misspelt_variable_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(AnsibleFilterError) as raised:
        cleanup_step({}, names=["tmux_cleanup_idle", "tmux_cleanup_idel"])
    said = str(raised.value)
    assert "There is no variable tmux_cleanup_idel; did you mean tmux_cleanup_idle?" in said
    assert "roles/tmux_cleanup/README.md" in said
    assert cleanup_step({}, names=["tmux_cleanup_idle", "tmux_cleanup_result"])["due"] is True


def test_ansible_finds_it() -> None:
    assert FilterModule().filters() == {"cleanup_step": cleanup_step}
