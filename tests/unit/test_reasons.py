# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each reason stands wherever people look for it: in the documentation of the module, and in the guide for fleets."""

import re
from pathlib import Path
from typing import Tuple

import pytest
from ansible_collections.fleet.tmux.plugins.module_utils._policy.decisions import OUTCOMES
from ansible_collections.fleet.tmux.plugins.module_utils._policy.protections import PROTECTIONS
from ansible_collections.fleet.tmux.plugins.module_utils._policy.reasons import REASONS, Reason, reasons
from ansible_collections.fleet.tmux.plugins.modules.tmux_session_prune import DOCUMENTATION, RETURN

yaml = pytest.importorskip("yaml", reason="documentation is read on the controller, which has PyYAML")

ROOT = Path(__file__).resolve().parents[2]


def told_by_the_module() -> Tuple[str, ...]:
    text = " ".join(yaml.safe_load(RETURN)["removed"]["contains"]["reason"]["description"])
    return tuple(re.findall(r"\bV\((\w+)\)", text))


def test_the_module_tells_of_each_reason_and_of_no_other() -> None:
    assert sorted(told_by_the_module()) == sorted(reason.word for reason in REASONS)


@pytest.mark.parametrize("reason", REASONS, ids=[reason.word for reason in REASONS])
def test_the_guide_tells_of_each_reason_in_its_own_words(reason: Reason) -> None:
    outcomes = ", ".join("`%s`" % outcome for outcome in reason.outcomes)
    line = "| `%s` | %s | %s |" % (reason.word, outcomes, reason.sentence)
    assert line in (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8").splitlines()


def test_the_guide_tells_of_no_other_reason() -> None:
    text = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8")
    section = text.partition("| reason | outcome | because |\n")[2].partition("\n\n")[0]
    assert len(section.splitlines()) == len(REASONS) + 1


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_a_reason(outcome: str) -> None:
    assert reasons(outcome)
    assert {outcome for reason in REASONS for outcome in reason.outcomes} == set(OUTCOMES)


def test_the_module_documents_each_protection_and_no_other() -> None:
    option = yaml.safe_load(DOCUMENTATION)["options"]["protect"]
    words = sorted(protection.word for protection in PROTECTIONS)
    assert option["choices"] == words
    assert sorted(re.findall(r"\bV\((\w+)\) means", " ".join(option["description"]))) == words
