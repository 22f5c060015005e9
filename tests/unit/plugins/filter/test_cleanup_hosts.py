# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cleanup of no host is refused, and told why."""

from typing import Any, Dict, List

import pytest
from ansible import context
from ansible.errors import AnsibleFilterError
from ansible_collections.fleet.tmux.plugins.filter.cleanup_hosts import FilterModule, cleanup_hosts

GROUPS: Dict[str, List[str]] = {"all": ["a", "b", "c"], "ungrouped": [], "web": ["a", "b"], "db": ["c"]}


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets what the command line says."""

    def say(**options: Any) -> None:
        monkeypatch.setattr(context, "CLIARGS", options)

    say()
    return say


@pytest.mark.parametrize("pattern", ["all", "web", "web:!b", "c", ["db", "web"], "localhost", "~a|b"])
def test_a_pattern_with_hosts_is_handed_on_as_it_is(line: Any, pattern: Any) -> None:
    assert cleanup_hosts(pattern, GROUPS) == pattern


@pytest.mark.parametrize("pattern", ["wbe", "web:!a:!b", ["wbe"], "ungrouped"])
def test_a_pattern_without_hosts_is_refused(line: Any, pattern: Any) -> None:
    with pytest.raises(AnsibleFilterError, match=r"No host of the inventory matches .* See tmux_cleanup_hosts"):
        cleanup_hosts(pattern, GROUPS)


@pytest.mark.parametrize("groups", [{}, {"all": [], "ungrouped": []}])
def test_an_inventory_without_hosts_is_refused(line: Any, groups: Dict[str, List[str]]) -> None:
    with pytest.raises(AnsibleFilterError, match="The inventory has no host"):
        cleanup_hosts("all", groups)


def test_what_the_limit_leaves_out_does_not_count(line: Any) -> None:
    line(subset="db")
    assert cleanup_hosts("all", GROUPS) == "all"
    with pytest.raises(AnsibleFilterError, match="No host of web is within the limit db"):
        cleanup_hosts("web", GROUPS)


@pytest.mark.parametrize("option", ["syntax", "listhosts"])
def test_who_only_looks_at_the_playbook_needs_no_inventory(line: Any, option: str) -> None:
    line(**{option: True})
    assert cleanup_hosts("all", {}) == "all"


def test_ansible_finds_it() -> None:
    assert FilterModule().filters() == {"cleanup_hosts": cleanup_hosts}
