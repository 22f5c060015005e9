# Copyright (c) 2026, Fleet maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the modules names every clock that they return, in the words of the table of fields."""

import ast
from typing import Any

import pytest
import yaml
from ansible_collections.fleet.tmux.plugins.module_utils._policy.clocks import evidence
from ansible_collections.fleet.tmux.plugins.module_utils._tmux.fields import CLOCKS
from ansible_collections.fleet.tmux.tests.support import document_clocks as documents
from ansible_collections.fleet.tmux.tests.support.sessions import session

WORDS = {clock.word for clock in CLOCKS}
ON_WATCHING = {"watched_seconds", "cpu_ticks", "io_calls"}


def returned(module: str) -> Any:
    tree = ast.parse(documents.path_of(module).read_text(encoding="utf-8"))
    texts = {getattr(node.targets[0], "id", ""): node.value for node in tree.body if isinstance(node, ast.Assign)}
    return yaml.safe_load(ast.literal_eval(texts["RETURN"]))


@pytest.mark.parametrize("module", documents.MODULES)
def test_the_documentation_is_that_of_the_table(module: str) -> None:
    source = documents.path_of(module).read_text(encoding="utf-8")
    assert source == documents.documented(source), "run tests/support/document_clocks.py"
    assert source.count("# The clocks, from") == source.count("# The end of the clocks.") == 1


def test_every_clock_is_documented_where_it_is_returned() -> None:
    assert set(returned("tmux_session_info")["sessions"]["contains"]) >= WORDS
    assert set(returned("tmux_session_prune")["removed"]["contains"]["evidence"]["contains"]) >= WORDS


def test_the_evidence_is_documented_and_nothing_else() -> None:
    documented = returned("tmux_session_prune")["removed"]["contains"]["evidence"]["contains"]
    assert set(documented) == set(evidence(session())) | ON_WATCHING | {"signs", "more"}
    (sample,) = returned("tmux_session_prune")["removed"]["sample"]
    assert set(sample["evidence"]) <= set(documented)
