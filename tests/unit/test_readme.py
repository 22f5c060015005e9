# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the README claims and other files decide. That its commands work is shown by tests/system and tests/fresh."""

import re
from collections import Counter
from pathlib import Path
from typing import Dict, List

import pytest
import yaml
from ansible_collections.fleet.tmux.plugins.module_utils._policy.protections import PROTECTIONS
from ansible_collections.fleet.tmux.tests.verdicts import corpus

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DEFAULTS = yaml.safe_load((ROOT / "roles/tmux_cleanup/defaults/main.yml").read_text(encoding="utf-8"))


def section(title: str) -> str:
    found = README.partition("\n## %s\n" % title)[2].partition("\n## ")[0]
    assert found, title
    return found


def rows(title: str) -> Dict[str, str]:
    """The rows of a table, by their first cell."""
    cells = [line.strip("|").split(" | ") for line in section(title).splitlines() if line.startswith("| ")]
    return {row[0].strip(" `"): " | ".join(row[1:]) for row in cells[1:]}


def test_the_policy_at_the_top_is_the_default_one() -> None:
    table = rows("What abandoned means")
    assert ["nothing has happened in it for %s days" % DEFAULTS["tmux_cleanup_idle"].rstrip("d")] == [
        claim for claim in table if claim.startswith("nothing has happened")
    ]
    assert sorted(re.findall(r"`(\w+)`", table["nothing protects it"].rpartition(" | ")[0])) == sorted(
        DEFAULTS["tmux_cleanup_protect"]
    )
    kept = DEFAULTS["tmux_cleanup_snapshot_keep"]
    told = "%d sessions for %s days, at most %sB" % (
        kept["count"],
        kept["age"].rstrip("d"),
        kept["size"].replace("M", " M"),
    )
    assert told in table["it could be saved"]
    assert {name for claim in table.values() for name in re.findall(r"`(tmux_\w+)`", claim)} <= set(DEFAULTS)


def test_the_trials_at_the_top_are_those_that_are_run() -> None:
    numbers = Counter(row.verdict for row in corpus.ROWS for _name in (row.name, *row.also))
    told = "%d sessions with live work and %d abandoned ones" % (numbers[corpus.LIVE], numbers[corpus.ABANDONED])
    assert told in section("What abandoned means")


def test_every_protection_is_told() -> None:
    assert list(rows("What protects a session")) == sorted(protection.word for protection in PROTECTIONS)


def test_the_oldest_ansible_and_python_are_those_that_the_collection_asks_for() -> None:
    wanted = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))["requires_ansible"]
    assert "needs ansible-core %s or later" % wanted.replace(">=", "").rpartition(".")[0] in README
    environments = (ROOT / ".ci/environments.py").read_text(encoding="utf-8")
    (versions,) = re.findall(r'"play": \(([^)]*)\)', environments)
    oldest = min(re.findall(r'"3\.(\d+)"', versions), key=int)
    assert "there is Python 3.%s or later" % oldest in README


@pytest.mark.parametrize("list_", ["new", "play"])
def test_the_newest_ansible_is_the_one_that_is_run(list_: str) -> None:
    locked = (ROOT / ".ci/requirements" / (list_ + ".txt")).read_text(encoding="utf-8")
    newest = max(re.findall(r"^ansible-core==2\.(\d+)\.", locked, re.MULTILINE), key=int)
    assert "| ansible-core | 2.16, with Python 3.6 on the host | 2.%s |" % newest in README


def test_the_targets_that_it_names_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    named: List[str] = re.findall(
        r"\bmake ([a-z-]+)\b", "".join(re.findall(r"`[^`]*`|^make .*$", README, re.MULTILINE))
    )
    assert named
    assert set(named) <= set(targets)
